/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of the driver (VIRTIO 1.3, 5.13.6). Offsets are those of the device-readable part. */
#include <string.h>

#include "pcilab/base/le.h"
#include "pcilab/trace/points.h"
#include "viommu.h"

#define PAGE_MASK  0xfffULL
#define TAIL_BYTES 4

#define ATTACH_F_BYPASS BIT(0)

enum { REQ_TYPE = 0 };
enum { ATTACH_DOMAIN = 4, ATTACH_ENDPOINT = 8, ATTACH_FLAGS = 12, ATTACH_RESERVED = 16 };
enum { DETACH_DOMAIN = 4, DETACH_ENDPOINT = 8 };
enum { MAP_DOMAIN = 4, MAP_FIRST = 8, MAP_LAST = 16, MAP_OUTPUT = 24, MAP_FLAGS = 32 };
enum { UNMAP_DOMAIN = 4, UNMAP_FIRST = 8, UNMAP_LAST = 16, UNMAP_RESERVED = 24 };
enum { PROBE_ENDPOINT = 4 };

/* 5.13.6.6.1 */
enum { PROPERTY_TYPE = 0, PROPERTY_LENGTH = 2, RESV_SUBTYPE = 4, RESV_FIRST = 8, RESV_LAST = 16 };
#define PROPERTY_RESV_MEM 1
#define PROPERTY_HEADER   4
#define RESV_MEM_BYTES    24
#define RESV_MSI          1

static bool endpoint_exists(const struct viommu *viommu, uint32_t endpoint)
{
    return endpoint < VIOMMU_ENDPOINTS && endpoint != viommu->params.own_sid;
}

static struct viommu_domain *find_domain(const struct viommu *viommu, uint32_t id)
{
    return id < viommu->params.features.domains ? viommu->domain[id] : NULL;
}

static void say(struct viommu *viommu, const char *what, uint32_t domain, uint32_t endpoint)
{
    trace_say(viommu->params.trace, TRACE_STATE, viommu->name, "%s %04x, domain %u", what, endpoint,
              domain);
}

static enum viommu_status attach(struct viommu *viommu, const uint8_t *in, uint8_t *out)
{
    uint32_t id = le32_load(in + ATTACH_DOMAIN), endpoint = le32_load(in + ATTACH_ENDPOINT);
    uint32_t flags = le32_load(in + ATTACH_FLAGS);
    uint32_t known = viommu->features & VIOMMU_F_BYPASS_CONFIG ? (uint32_t)ATTACH_F_BYPASS : 0;
    const struct viommu_domain *domain = find_domain(viommu, id);
    bool bypass = flags & ATTACH_F_BYPASS;

    if ((le32_load(in + ATTACH_RESERVED) || (flags & ~known)) &&
        !viommu_flawed(viommu, FLAW_VIOMMU_ATTACH_RESERVED))
        return VIOMMU_INVAL;
    if (!endpoint_exists(viommu, endpoint))
        return viommu_flawed(viommu, FLAW_VIOMMU_STATUS) ? VIOMMU_INVAL : VIOMMU_NOENT;
    if (id >= viommu->params.features.domains)
        return VIOMMU_RANGE;
    if (domain && domain->bypass != bypass)
        return VIOMMU_INVAL;
    say(viommu, bypass ? "attach as bypassing" : "attach", id, endpoint);
    viommu_attach(viommu, (uint16_t)endpoint, id, bypass);
    return VIOMMU_OK;
}

static enum viommu_status detach(struct viommu *viommu, const uint8_t *in, uint8_t *out)
{
    uint32_t id = le32_load(in + DETACH_DOMAIN), endpoint = le32_load(in + DETACH_ENDPOINT);
    const struct viommu_domain *domain = find_domain(viommu, id);

    if (!endpoint_exists(viommu, endpoint))
        return VIOMMU_NOENT;
    if (!domain || viommu->endpoint[endpoint] != domain)
        return VIOMMU_INVAL;
    say(viommu, "detach", id, endpoint);
    viommu_detach(viommu, (uint16_t)endpoint);
    return VIOMMU_OK;
}

/* CHOICE: where a mapping leads is not looked at but for an overflow; what is not there answers as
 * it would without an IOMMU. */
static enum viommu_status check_map(const struct viommu *viommu, const struct viommu_mapping *m)
{
    const struct viommu_params *params = &viommu->params;

    if (m->last <= m->first)
        return VIOMMU_INVAL;
    if ((m->first | m->output | (m->last + 1)) & PAGE_MASK)
        return VIOMMU_RANGE;
    if (m->last > low_mask(params->features.address_bits) ||
        m->output + (m->last - m->first) < m->output)
        return VIOMMU_RANGE;
    if (m->first <= params->msi_last && m->last >= params->msi_first)
        return VIOMMU_INVAL;
    return VIOMMU_OK;
}

static enum viommu_status map(struct viommu *viommu, const uint8_t *in, uint8_t *out)
{
    struct viommu_domain *domain = find_domain(viommu, le32_load(in + MAP_DOMAIN));
    uint32_t flags = le32_load(in + MAP_FLAGS);
    uint64_t known = VIOMMU_MAP_READ | VIOMMU_MAP_WRITE |
                     (viommu->features & VIOMMU_F_MMIO ? VIOMMU_MAP_MMIO : 0);
    struct viommu_mapping mapping = {
        .first = le64_load(in + MAP_FIRST),
        .last = le64_load(in + MAP_LAST),
        .output = le64_load(in + MAP_OUTPUT),
        .perms = (uint8_t)((flags & VIOMMU_MAP_READ ? PT_PERM_READ | PT_PERM_EXEC : 0) |
                           (flags & VIOMMU_MAP_WRITE ? PT_PERM_WRITE : 0) | PT_PERM_USER),
    };
    enum viommu_status status;

    if (!domain)
        return VIOMMU_NOENT;
    if (domain->bypass || (flags & ~known && !viommu_flawed(viommu, FLAW_VIOMMU_MAP_FLAGS)))
        return VIOMMU_INVAL;
    status = check_map(viommu, &mapping);
    if (status != VIOMMU_OK)
        return status;
    if (viommu_find(domain, mapping.first, mapping.last))
        return VIOMMU_INVAL;
    if (viommu->mappings == viommu->params.features.mappings)
        return VIOMMU_NOMEM;
    trace_hit(viommu->params.trace, TRACE_IOMMU_MAP, viommu->name, le32_load(in + MAP_DOMAIN),
              mapping.first, mapping.last, mapping.output, mapping.perms & 3u);
    viommu_map(viommu, domain, &mapping);
    return VIOMMU_OK;
}

/* A mapping that reaches beyond the range would be split. */
static bool splits(const struct viommu_domain *domain, uint64_t first, uint64_t last)
{
    const struct viommu_mapping *low = viommu_find(domain, first, first);
    const struct viommu_mapping *high = viommu_find(domain, last, last);

    return (low && low->first < first) || (high && high->last > last);
}

static enum viommu_status unmap(struct viommu *viommu, const uint8_t *in, uint8_t *out)
{
    struct viommu_domain *domain = find_domain(viommu, le32_load(in + UNMAP_DOMAIN));
    uint64_t first = le64_load(in + UNMAP_FIRST), last = le64_load(in + UNMAP_LAST);

    if (!domain)
        return VIOMMU_NOENT;
    if (domain->bypass || last < first ||
        (le32_load(in + UNMAP_RESERVED) && !viommu_flawed(viommu, FLAW_VIOMMU_UNMAP_RESERVED)))
        return VIOMMU_INVAL;
    if (splits(domain, first, last))
        return VIOMMU_RANGE;
    trace_hit(viommu->params.trace, TRACE_IOMMU_UNMAP, viommu->name, le32_load(in + UNMAP_DOMAIN),
              first, last);
    viommu_unmap(viommu, domain, first, last);
    return VIOMMU_OK;
}

static enum viommu_status probe(struct viommu *viommu, const uint8_t *in, uint8_t *out)
{
    if (!endpoint_exists(viommu, le32_load(in + PROBE_ENDPOINT)))
        return VIOMMU_NOENT;
    if (viommu_flawed(viommu, FLAW_VIOMMU_RESV_MEM))
        return VIOMMU_OK;
    le16_store(out + PROPERTY_TYPE, PROPERTY_RESV_MEM);
    le16_store(out + PROPERTY_LENGTH, RESV_MEM_BYTES - PROPERTY_HEADER);
    out[RESV_SUBTYPE] = RESV_MSI;
    le64_store(out + RESV_FIRST, viommu->params.msi_first);
    le64_store(out + RESV_LAST, viommu->params.msi_last);
    return VIOMMU_OK;
}

/* By type; `feature` has to be negotiated. */
static const struct {
    enum viommu_status (*handle)(struct viommu *viommu, const uint8_t *in, uint8_t *out);
    uint32_t in_bytes;  /* device-readable */
    uint32_t out_bytes; /* device-writable before the tail */
    uint64_t feature;
} types[] = {
    [1] = {attach, 20, 0, 0},
    [2] = {detach, 20, 0, 0},
    [3] = {map, 36, 0, VIOMMU_F_MAP_UNMAP},
    [4] = {unmap, 28, 0, VIOMMU_F_MAP_UNMAP},
    [5] = {probe, 72, VIOMMU_PROBE_BYTES, VIOMMU_F_PROBE},
};

uint32_t viommu_request(struct viommu *viommu, const uint8_t *in, uint32_t in_len, uint8_t *out,
                        uint32_t out_len)
{
    unsigned type = in_len ? in[REQ_TYPE] : 0;
    enum viommu_status status = VIOMMU_INVAL;
    uint32_t written;

    if (type >= ARRAY_LEN(types) || !types[type].handle || in_len < types[type].in_bytes ||
        out_len < TAIL_BYTES || (types[type].feature & ~viommu->features)) {
        trace_say(viommu->params.trace, TRACE_RULE, viommu->name,
                  "a request of type %u, %u bytes and %u for the answer: not understood "
                  "(VIRTIO 1.3 5.13.6)",
                  type, in_len, out_len);
        return 0;
    }
    written = MIN(types[type].out_bytes + TAIL_BYTES, out_len);
    memset(out, 0, written);
    if (written == types[type].out_bytes + TAIL_BYTES)
        status = types[type].handle(viommu, in, out);
    if (status != VIOMMU_OK)
        trace_say(viommu->params.trace, TRACE_RULE, viommu->name,
                  "a request of type %u is answered with %u (VIRTIO 1.3 5.13.6)", type, status);
    out[written - TAIL_BYTES] = (uint8_t)status;
    return written;
}
