/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the core asks for: where an endpoint's addresses lead, and who is told of faults. */
#include "pcilab/base/le.h"
#include "viommu.h"

/* struct virtio_iommu_fault, 5.13.6.7 */
enum { EVENT_REASON = 0, EVENT_FLAGS = 4, EVENT_ENDPOINT = 8, EVENT_ADDRESS = 16 };
#define EVENT_F_READ    BIT(0)
#define EVENT_F_WRITE   BIT(1)
#define EVENT_F_ADDRESS BIT(8)

void viommu_unattached_changed(struct viommu *viommu)
{
    iommu_flush_devices(viommu->core);
}

/* 5.13.6: of those that are not attached. */
static bool unattached_bypass(const struct viommu *viommu)
{
    if (viommu_flawed(viommu, FLAW_VIOMMU_UNATTACHED))
        return true;
    if (viommu->params.features.bypass_config)
        return viommu->bypass;
    return viommu->features & VIOMMU_F_BYPASS;
}

static bool bypasses(const struct viommu *viommu, uint16_t endpoint)
{
    const struct viommu_domain *domain = viommu->endpoint[endpoint];

    return domain ? domain->bypass : unattached_bypass(viommu);
}

static enum iommu_step refuse(struct iommu_lookup *lookup, enum viommu_reason reason)
{
    lookup->code = (uint16_t)reason;
    return IOMMU_FAULT;
}

static enum iommu_step viommu_device(void *face, struct iommu_lookup *lookup)
{
    struct viommu *viommu = face;
    uint16_t sid = lookup->access->sid;
    const struct viommu_domain *domain = viommu->endpoint[sid];

    lookup->device = (struct iommu_device){.has_context = true};
    lookup->device.context.limit = UINT64_MAX;
    if (bypasses(viommu, sid)) {
        lookup->device.context.kind = IOMMU_PASS;
        return IOMMU_OK;
    }
    if (!domain)
        return refuse(lookup, VIOMMU_R_DOMAIN);
    lookup->device.context.kind = IOMMU_MAPPED;
    lookup->device.context.domain = (uint16_t)domain->id;
    return IOMMU_OK;
}

/* The largest page around the address that the mapping maps as a whole. */
static void take_page(const struct viommu_mapping *mapping, uint64_t addr,
                      struct iommu_mapping *out)
{
    static const uint8_t shifts[] = {30, 21, 12};
    uint64_t delta = mapping->output - mapping->first;

    for (unsigned i = 0; i < ARRAY_LEN(shifts); i++) {
        uint64_t page = addr & ~low_mask(shifts[i]), last = page | low_mask(shifts[i]);

        if (page < mapping->first || last > mapping->last || (delta & low_mask(shifts[i])))
            continue;
        out->page = page + delta;
        out->shift = shifts[i];
        out->perms = mapping->perms;
        return;
    }
}

static enum iommu_step viommu_translate(void *face, struct iommu_lookup *lookup)
{
    struct viommu *viommu = face;
    const struct iommu_access *access = lookup->access;
    const struct viommu_domain *domain = viommu->domain[lookup->context.domain];
    const struct viommu_mapping *mapping =
        domain ? viommu_find(domain, access->addr, access->addr) : NULL;

    if (!mapping ||
        (access->want & ~mapping->perms && !viommu_flawed(viommu, FLAW_VIOMMU_PERMISSION)))
        return refuse(lookup, VIOMMU_R_MAPPING);
    take_page(mapping, access->addr, &lookup->mapping);
    return IOMMU_OK;
}

/* CHOICE: nobody who may not reach memory reaches processors; the specification leaves it open. */
static enum iommu_step viommu_interrupt(void *face, struct iommu_lookup *lookup)
{
    struct viommu *viommu = face;
    uint16_t sid = lookup->access->sid;

    if (!viommu->endpoint[sid] && !unattached_bypass(viommu))
        return refuse(lookup, VIOMMU_R_DOMAIN);
    lookup->interrupt = (struct iommu_interrupt){.compatible = true};
    return IOMMU_OK;
}

/* The device knows no PASIDs and no device TLBs; who bypasses it may use PASIDs. */
static bool viommu_admit(void *face, const struct iommu_access *access,
                         const struct iommu_device *device, const struct iommu_context *context,
                         uint16_t *code)
{
    *code = VIOMMU_R_UNKNOWN;
    return access->at == IOMMU_UNTRANSLATED &&
           (!access->has_pasid || device->context.kind == IOMMU_PASS);
}

static void viommu_fault(void *face, const struct iommu_fault *fault)
{
    static const char *const reasons[] = {"refused", "not attached", "not mapped"};
    struct viommu *viommu = face;
    const struct iommu_access *access = &fault->access;
    bool write = access->want & PT_PERM_WRITE, read = !write || (access->want & PT_PERM_READ);
    uint8_t event[VIOMMU_EVENT_BYTES] = {[EVENT_REASON] = (uint8_t)fault->code};
    bool told;

    le32_store(event + EVENT_FLAGS, (uint32_t)(EVENT_F_ADDRESS | (read ? EVENT_F_READ : 0) |
                                               (write ? EVENT_F_WRITE : 0)));
    le32_store(event + EVENT_ENDPOINT, access->sid);
    le64_store(event + EVENT_ADDRESS, access->addr);
    told = !viommu_flawed(viommu, FLAW_VIOMMU_EVENT) &&
           viommu->params.event(viommu->params.opaque, event);
    trace_say(viommu->params.trace, TRACE_RULE, viommu->name,
              "fault %u, %s: %s by %04x at 0x%llx%s (VIRTIO 1.3 5.13.6.7)", fault->code,
              reasons[fault->code], write ? "write" : "read", access->sid,
              (unsigned long long)access->addr, told ? "" : "; nobody is told");
}

const struct iommu_face_ops viommu_face_ops = {
    .device = viommu_device,
    .interrupt = viommu_interrupt,
    .translate = viommu_translate,
    .fault = viommu_fault,
    .admit = viommu_admit,
    .explain_fault = viommu_explain_fault,
};
