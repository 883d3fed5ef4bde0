/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtio-iommu: made, reset, configured, asked. */
#include <assert.h>
#include <string.h>

#include "pcilab/base/le.h"
#include "viommu.h"

/* struct virtio_iommu_config, 5.13.4 */
enum {
    CONFIG_PAGE_SIZES = 0,
    CONFIG_INPUT_FIRST = 8,
    CONFIG_INPUT_LAST = 16,
    CONFIG_DOMAIN_FIRST = 24,
    CONFIG_DOMAIN_LAST = 28,
    CONFIG_PROBE_SIZE = 32,
    CONFIG_BYPASS = 36,
};

#define SMALL_PAGES (1ULL << 12)
#define LARGE_PAGES (1ULL << 21 | 1ULL << 30)

static bool no_memory(void *opaque, uint64_t addr, void *data, unsigned len)
{
    return false;
}

static bool no_memory_write(void *opaque, uint64_t addr, const void *data, unsigned len)
{
    return false;
}

struct viommu *viommu_new(const struct viommu_params *params)
{
    struct viommu *viommu = g_new0(struct viommu, 1);
    struct iommu_core_params core = {
        .sim = params->sim,
        .trace = params->trace,
        .ops = &viommu_face_ops,
        .face = viommu,
        .memory = {.read = no_memory, .write = no_memory_write},
        .find_stale = params->find_stale,
    };

    assert(params->features.domains >= 1 && params->features.domains <= VIOMMU_DOMAINS_MAX);
    assert(params->features.mappings <= VIOMMU_MAPPINGS_MAX);
    viommu->params = *params;
    viommu->name = g_strdup(params->name);
    core.name = viommu->name;
    viommu->core = iommu_core_new(&core);
    viommu->domain = g_new0(struct viommu_domain *, params->features.domains);
    viommu->endpoint = g_new0(struct viommu_domain *, VIOMMU_ENDPOINTS);
    viommu->bypass = params->features.bypass;
    return viommu;
}

void viommu_free(struct viommu *viommu)
{
    if (!viommu)
        return;
    viommu_detach_all(viommu);
    iommu_core_free(viommu->core);
    g_free(viommu->domain);
    g_free(viommu->endpoint);
    g_free(viommu->name);
    g_free(viommu);
}

/* 5.13.4.2: `bypass` outlives a reset of the device. */
void viommu_reset(struct viommu *viommu)
{
    viommu_detach_all(viommu);
    viommu->features = 0;
    iommu_core_reset(viommu->core);
}

void viommu_power_on(struct viommu *viommu)
{
    viommu_reset(viommu);
    viommu->bypass = viommu->params.features.bypass;
}

uint64_t viommu_offered(const struct viommu *viommu)
{
    const struct viommu_features *features = &viommu->params.features;
    uint64_t bypass = features->bypass ? VIOMMU_F_BYPASS : 0;

    return VIOMMU_F_INPUT_RANGE | VIOMMU_F_DOMAIN_RANGE | VIOMMU_F_MAP_UNMAP | VIOMMU_F_PROBE |
           VIOMMU_F_MMIO | (features->bypass_config ? VIOMMU_F_BYPASS_CONFIG : bypass);
}

void viommu_negotiated(struct viommu *viommu, uint64_t features)
{
    viommu->features = features;
    viommu_unattached_changed(viommu);
}

void viommu_get_config(const struct viommu *viommu, uint8_t config[VIOMMU_CONFIG_BYTES])
{
    const struct viommu_features *features = &viommu->params.features;

    memset(config, 0, VIOMMU_CONFIG_BYTES);
    le64_store(config + CONFIG_PAGE_SIZES, SMALL_PAGES | (features->large_pages ? LARGE_PAGES : 0));
    le64_store(config + CONFIG_INPUT_LAST, low_mask(features->address_bits));
    le32_store(config + CONFIG_DOMAIN_LAST, features->domains - 1);
    le32_store(config + CONFIG_PROBE_SIZE, VIOMMU_PROBE_BYTES);
    config[CONFIG_BYPASS] = features->bypass_config && viommu->bypass;
}

/* 5.13.4.1: the driver writes nothing but `bypass`, and no more than 0 and 1 to it. */
bool viommu_config_written(struct viommu *viommu, unsigned offset, const uint8_t *data,
                           unsigned len)
{
    if (offset != CONFIG_BYPASS || len != 1 || data[0] > 1 ||
        !(viommu->features & VIOMMU_F_BYPASS_CONFIG)) {
        trace_say(viommu->params.trace, TRACE_RULE, viommu->name,
                  "the configuration was written at %u, %u bytes (VIRTIO 1.3 5.13.4.1)", offset,
                  len);
        return false;
    }
    viommu->bypass = data[0];
    viommu_unattached_changed(viommu);
    return true;
}

struct iommu_core *viommu_core(struct viommu *viommu)
{
    return viommu->core;
}

void viommu_submit(struct viommu *viommu, struct iommu_request *request)
{
    if (request->access.sid != viommu->params.own_sid) {
        iommu_submit(viommu->core, request);
        return;
    }
    request->addr = request->access.addr;
    request->snoop = false;
    request->interrupt = (struct iommu_interrupt){.compatible = true};
    request->done(request, IOMMU_TRANSLATED_OK);
}
