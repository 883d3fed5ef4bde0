/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Invalidation: what the commands mean, and the invalidation queue with its descriptors (VT-d
 * 6.5).
 */
#include "pcilab/base/le.h"
#include "pcilab/trace/points.h"
#include "vtd.h"

/* Why the queue stopped, 11.4.9.11 (IQEI) */
enum {
    IQE_TAIL = 1,
    IQE_FETCH = 2,
    IQE_TYPE = 3,
    IQE_RESERVED = 4,
    IQE_WIDTH = 5,
    IQE_MISALIGNED = 6,
    IQE_MODE = 7,
};

/* Fields that several descriptors share, 6.5.2 */
#define DESC_TYPE_LOW  GENMASK(3, 0)
#define DESC_TYPE_HIGH GENMASK(11, 9)
#define DESC_G         GENMASK(5, 4)
#define DESC_DID       GENMASK(31, 16)
#define DESC_SID       GENMASK(47, 32)
#define DESC_FM        GENMASK(49, 48)
#define DESC_PASID     GENMASK(51, 32)
#define DESC_ADDR      GENMASK(63, 12)
#define DESC_IH        BIT(6)
#define DESC_AM        GENMASK(5, 0)
#define DESC_S         BIT(11)
#define DTLB_MIP       GENMASK(20, 16)
#define DTLB_PFSID     (GENMASK(15, 12) | GENMASK(63, 52))
#define DTLB_S         BIT(0)
#define PDTLB_MIP      GENMASK(8, 4)
#define PDTLB_SID      GENMASK(31, 16)
#define PDTLB_GLOBAL   BIT(0)
#define DESC_PAGE      (DESC_ADDR | DESC_IH | DESC_AM)
#define IEC_G          BIT(4)
#define IEC_IM         GENMASK(31, 27)
#define IEC_INDEX      GENMASK(47, 32)
#define WAIT_IF        BIT(4)
#define WAIT_SW        BIT(5)
#define WAIT_FN        BIT(6)
#define WAIT_PD        BIT(7)
#define WAIT_DATA      GENMASK(63, 32)
#define RESPONSE_PP    BIT(4)
#define RESPONSE_CODE  GENMASK(15, 12)
#define RESPONSE_RID   GENMASK(31, 16)
#define RESPONSE_LAST  BIT(2)
#define RESPONSE_GROUP GENMASK(11, 3)
#define IOTLB_DRAINS   GENMASK(7, 6)

#define FETCH_BYTES 16

bool vtd_invalidate_context(struct vtd *vtd, unsigned granularity, uint16_t domain, uint16_t sid,
                            unsigned function_mask)
{
    static const uint16_t ignored[] = {0, 4, 6, 7};

    if (vtd_flawed(vtd, FLAW_VTD_FLUSH_CONTEXT))
        return granularity >= 1 && granularity <= 3;
    switch (granularity) {
    case 1: iommu_flush_devices(vtd->core); return true;
    case 2: iommu_flush_devices_of_domain(vtd->core, domain); return true;
    case 3:
        if (!vtd_flawed(vtd, FLAW_VTD_FLUSH_CONTEXT_DEVICE))
            iommu_flush_device(vtd->core, sid, ignored[function_mask & 3]);
        return true;
    default: return false;
    }
}

bool vtd_invalidate_iotlb(struct vtd *vtd, unsigned granularity, uint16_t domain, uint64_t page)
{
    unsigned order = vtd_flawed(vtd, FLAW_VTD_FLUSH_ORDER) ? 0 : (unsigned)FIELD_GET(DESC_AM, page);

    switch (granularity) {
    case 1:
        if (!vtd_flawed(vtd, FLAW_VTD_FLUSH_GLOBAL))
            iommu_flush_pages(vtd->core);
        return true;
    case 2:
        if (!vtd_flawed(vtd, FLAW_VTD_FLUSH_DOMAIN))
            iommu_flush_pages_of_domain(vtd->core, domain);
        return true;
    case 3:
        if (order > VTD_MAX_AM)
            return false;
        if (!vtd_flawed(vtd, FLAW_VTD_FLUSH_PAGE))
            iommu_flush_second(vtd->core, domain, page & DESC_ADDR, order, page & DESC_IH);
        return true;
    default: return false;
    }
}

/* Descriptors. Each returns what is wrong with it, 0 when nothing. */

struct descriptor {
    uint64_t quad[4];
};

static unsigned descriptor_type(const struct descriptor *d)
{
    return (unsigned)(FIELD_GET(DESC_TYPE_LOW, d->quad[0]) | FIELD_GET(DESC_TYPE_HIGH, d->quad[0])
                                                                 << 4);
}

static unsigned do_context(struct vtd *vtd, const struct descriptor *d)
{
    bool ok = vtd_invalidate_context(
        vtd, (unsigned)FIELD_GET(DESC_G, d->quad[0]), (uint16_t)FIELD_GET(DESC_DID, d->quad[0]),
        (uint16_t)FIELD_GET(DESC_SID, d->quad[0]), (unsigned)FIELD_GET(DESC_FM, d->quad[0]));

    return ok ? 0 : IQE_RESERVED;
}

static unsigned do_iotlb(struct vtd *vtd, const struct descriptor *d)
{
    bool ok = vtd_invalidate_iotlb(vtd, (unsigned)FIELD_GET(DESC_G, d->quad[0]),
                                   (uint16_t)FIELD_GET(DESC_DID, d->quad[0]), d->quad[1]);

    return ok ? 0 : IQE_RESERVED;
}

static unsigned do_interrupt(struct vtd *vtd, const struct descriptor *d)
{
    unsigned order = (unsigned)FIELD_GET(IEC_IM, d->quad[0]);

    if (!vtd->params.features.interrupt_remapping)
        return IQE_TYPE;
    if (d->quad[0] & IEC_G)
        vtd_flush_interrupts(vtd, (unsigned)FIELD_GET(IEC_INDEX, d->quad[0]), order);
    else
        vtd_flush_interrupts(vtd, 0, 16);
    return 0;
}

static unsigned do_wait(struct vtd *vtd, const struct descriptor *d)
{
    const struct iommu_memory *memory = &vtd->params.memory;
    uint8_t status[4];

    if (d->quad[0] & WAIT_SW && !vtd_flawed(vtd, FLAW_VTD_WAIT_STATUS)) {
        le32_store(status, (uint32_t)FIELD_GET(WAIT_DATA, d->quad[0]));
        /* A status that finds no memory is lost, as a posted write is. */
        memory->write(memory->opaque, d->quad[1] & ~3ULL, status, 4);
    }
    if (!(d->quad[0] & WAIT_IF) || vtd_flawed(vtd, FLAW_VTD_WAIT_INTERRUPT) ||
        (reg_get(vtd->regs, VTD_ICS) & VTD_ICS_IWC))
        return 0;
    reg_set(vtd->regs, VTD_ICS, VTD_ICS_IWC);
    vtd_event_raise(vtd, VTD_IECTL);
    return 0;
}

static unsigned do_pasid_iotlb(struct vtd *vtd, const struct descriptor *d)
{
    uint16_t domain = (uint16_t)FIELD_GET(DESC_DID, d->quad[0]);
    uint32_t pasid = (uint32_t)FIELD_GET(DESC_PASID, d->quad[0]);
    unsigned order = (unsigned)FIELD_GET(DESC_AM, d->quad[1]);

    switch (FIELD_GET(DESC_G, d->quad[0])) {
    case 2:
        if (!vtd_flawed(vtd, FLAW_VTD_FLUSH_PASID))
            iommu_flush_pages_of_pasid(vtd->core, domain, pasid);
        return 0;
    case 3:
        if (order > VTD_MAX_AM)
            return IQE_RESERVED;
        iommu_flush_first(vtd->core, domain, pasid, d->quad[1] & DESC_ADDR, order,
                          d->quad[1] & DESC_IH);
        return 0;
    default: return IQE_RESERVED;
    }
}

static unsigned do_pasid_cache(struct vtd *vtd, const struct descriptor *d)
{
    uint16_t domain = (uint16_t)FIELD_GET(DESC_DID, d->quad[0]);

    if (vtd_flawed(vtd, FLAW_VTD_FLUSH_PASID_CACHE))
        return 0;
    switch (FIELD_GET(DESC_G, d->quad[0])) {
    case 0: iommu_flush_contexts_of_domain(vtd->core, domain); return 0;
    case 1:
        iommu_flush_context(vtd->core, domain, (uint32_t)FIELD_GET(DESC_PASID, d->quad[0]));
        return 0;
    case 3: iommu_flush_contexts(vtd->core); return 0;
    default: return IQE_RESERVED;
    }
}

/* Device-TLB invalidations, 6.5.2.5 and 6.5.2.6. PFSID, whose queue depth counts for all VFs of a
 * device, makes no difference: a function's own ITags are enough here (CHOICE). */

/* With S the address tells the size: from bit 12 up to the first bit that is 0 (10.3.1). */
static void set_range(struct vtd_device_tlb *what, uint64_t page, bool sized)
{
    uint64_t ones = sized ? page >> 12 : 0;
    unsigned zeros = (unsigned)__builtin_ctzll(~ones);

    what->shift = (uint8_t)(12 + zeros + sized);
    if (what->shift >= 63)
        what->shift = 64;
    what->addr = page & ~low_mask(what->shift);
}

static bool device_tlb_of(const struct descriptor *d, struct vtd_device_tlb *what,
                          unsigned *pending_max)
{
    *what = (struct vtd_device_tlb){0};
    if (descriptor_type(d) == 3) {
        what->sid = (uint16_t)FIELD_GET(DESC_SID, d->quad[0]);
        *pending_max = (unsigned)FIELD_GET(DTLB_MIP, d->quad[0]);
        set_range(what, d->quad[1] & DESC_ADDR, d->quad[1] & DTLB_S);
        return true;
    }
    if (descriptor_type(d) != 8)
        return false;
    what->sid = (uint16_t)FIELD_GET(PDTLB_SID, d->quad[0]);
    what->has_pasid = true;
    what->pasid = (uint32_t)FIELD_GET(DESC_PASID, d->quad[0]);
    what->global = d->quad[1] & PDTLB_GLOBAL;
    *pending_max = (unsigned)FIELD_GET(PDTLB_MIP, d->quad[0]);
    set_range(what, d->quad[1] & DESC_ADDR, d->quad[1] & DESC_S);
    return true;
}

static unsigned do_device_tlb(struct vtd *vtd, const struct descriptor *d)
{
    struct vtd_device_tlb what;
    unsigned pending_max;

    if (!vtd->params.features.device_tlb)
        return IQE_TYPE;
    device_tlb_of(d, &what, &pending_max);
    vtd_device_tlb_send(vtd, &what);
    return 0;
}

/* 6.5.2.9. CHOICE: whether it says LPIG or not, software answers. */
static unsigned do_page_response(struct vtd *vtd, const struct descriptor *d)
{
    const struct vtd_page_response response = {
        .sid = (uint16_t)FIELD_GET(RESPONSE_RID, d->quad[0]),
        .has_pasid = d->quad[0] & RESPONSE_PP,
        .pasid = (uint32_t)FIELD_GET(DESC_PASID, d->quad[0]),
        .group = (uint16_t)FIELD_GET(RESPONSE_GROUP, d->quad[1]),
        .code = (uint8_t)FIELD_GET(RESPONSE_CODE, d->quad[0]),
    };

    if (!vtd_takes_page_requests(vtd))
        return IQE_TYPE;
    vtd_page_group_response(vtd, &response);
    return 0;
}

/* By type; `used` are the bits of the first two quadwords that mean something. */
static const struct {
    unsigned (*run)(struct vtd *vtd, const struct descriptor *d);
    bool scalable;
    uint64_t used[2];
} descriptors[] = {
    [1] = {do_context, false, {DESC_G | DESC_DID | DESC_SID | DESC_FM, 0}},
    [2] = {do_iotlb, false, {DESC_G | IOTLB_DRAINS | DESC_DID, DESC_PAGE}},
    [3] = {do_device_tlb, false, {DTLB_MIP | DTLB_PFSID | DESC_SID, DESC_ADDR | DTLB_S}},
    [4] = {do_interrupt, false, {IEC_G | IEC_IM | IEC_INDEX, 0}},
    [5] = {do_wait, false, {WAIT_IF | WAIT_SW | WAIT_FN | WAIT_PD | WAIT_DATA, ~3ULL}},
    [6] = {do_pasid_iotlb, true, {DESC_G | DESC_DID | DESC_PASID, DESC_PAGE}},
    [7] = {do_pasid_cache, true, {DESC_G | DESC_DID | DESC_PASID, 0}},
    [8] = {do_device_tlb,
           true,
           {PDTLB_MIP | DTLB_PFSID | PDTLB_SID | DESC_PASID, DESC_ADDR | DESC_S | PDTLB_GLOBAL}},
    [9] = {do_page_response,
           true,
           {RESPONSE_PP | RESPONSE_CODE | RESPONSE_RID | DESC_PASID,
            RESPONSE_LAST | RESPONSE_GROUP}},
};

static unsigned descriptor_check(const struct vtd *vtd, const struct descriptor *d)
{
    unsigned type = descriptor_type(d);

    if (type >= ARRAY_LEN(descriptors) || !descriptors[type].run ||
        (descriptors[type].scalable && vtd->ttm != VTD_TTM_SCALABLE &&
         !vtd_flawed(vtd, FLAW_VTD_DESCRIPTOR_SCALABLE)))
        return IQE_TYPE;
    if (((d->quad[0] & ~(descriptors[type].used[0] | DESC_TYPE_LOW | DESC_TYPE_HIGH)) ||
         (d->quad[1] & ~descriptors[type].used[1]) || d->quad[2] || d->quad[3]) &&
        !vtd_flawed(vtd, FLAW_VTD_DESCRIPTOR_RESERVED))
        return IQE_RESERVED;
    /* 6.5.2.8: draining of Page Requests, which any wait does here. */
    return type == 5 && (d->quad[0] & WAIT_PD) && !vtd_takes_page_requests(vtd) ? IQE_RESERVED : 0;
}

/* The queue. */

static unsigned descriptor_bytes(const struct vtd *vtd)
{
    return reg_get(vtd->regs, VTD_IQA) & VTD_IQA_DW ? 32 : 16;
}

static uint64_t queue_bytes(const struct vtd *vtd)
{
    return 4096ULL << FIELD_GET(VTD_IQA_QS, reg_get(vtd->regs, VTD_IQA));
}

static void queue_stop(struct vtd *vtd, unsigned why)
{
    trace_say(vtd->params.trace, TRACE_RULE, vtd->name,
              "invalidation queue error %u at 0x%llx (VT-d 6.5.2.10)", why,
              (unsigned long long)reg_get(vtd->regs, VTD_IQH));
    reg_set(vtd->regs, VTD_IQERCD, why);
    if (!vtd_flawed(vtd, FLAW_VTD_QUEUE_ERROR))
        vtd_fault_status(vtd, VTD_FSTS_IQE);
}

static unsigned queue_check(const struct vtd *vtd)
{
    uint64_t tail = reg_get(vtd->regs, VTD_IQT), head = reg_get(vtd->regs, VTD_IQH);

    if (vtd->ttm != VTD_TTM_LEGACY && vtd->ttm != VTD_TTM_SCALABLE && vtd->ttm != VTD_TTM_ABORT)
        return IQE_MODE;
    if (vtd->ttm == VTD_TTM_SCALABLE && descriptor_bytes(vtd) != 32 &&
        !vtd_flawed(vtd, FLAW_VTD_QUEUE_WIDTH))
        return IQE_WIDTH;
    if ((tail | head) % descriptor_bytes(vtd))
        return IQE_MISALIGNED;
    return tail >= queue_bytes(vtd) || head >= queue_bytes(vtd) ? IQE_TAIL : 0;
}

/*
 * Fetching. With a read latency a descriptor comes in pieces of 16 bytes, each at its own time, as
 * table entries do.
 */

static void fetch_piece(struct vtd *vtd)
{
    const struct iommu_memory *memory = &vtd->params.memory;
    uint64_t base = reg_get(vtd->regs, VTD_IQA) & ~0xfffULL, head = reg_get(vtd->regs, VTD_IQH);

    if (!memory->read(memory->opaque, base + head + vtd->fetched_bytes,
                      vtd->fetched + vtd->fetched_bytes, FETCH_BYTES))
        vtd->fetch_failed = true;
    vtd->fetched_bytes += FETCH_BYTES;
}

/* False: it takes time. */
static bool fetch(struct vtd *vtd)
{
    while (vtd->fetched_bytes < descriptor_bytes(vtd)) {
        if (vtd->params.read_latency_ps) {
            if (!sim_event_pending(&vtd->fetch))
                sim_schedule_in(vtd->params.sim, &vtd->fetch, vtd->params.read_latency_ps);
            return false;
        }
        fetch_piece(vtd);
    }
    return true;
}

void vtd_queue_fetched(void *opaque)
{
    struct vtd *vtd = opaque;

    fetch_piece(vtd);
    vtd_queue_run(vtd);
}

static void fetched_forget(struct vtd *vtd)
{
    vtd->fetched_bytes = 0;
    vtd->fetch_failed = false;
    vtd->queue_drain_done = false;
    vtd->slow_over = false;
}

void vtd_queue_forget(struct vtd *vtd)
{
    sim_cancel(vtd->params.sim, &vtd->fetch);
    sim_cancel(vtd->params.sim, &vtd->slow);
    fetched_forget(vtd);
}

static struct descriptor descriptor_fetched(const struct vtd *vtd)
{
    struct descriptor d = {{0}};

    for (unsigned i = 0; i < descriptor_bytes(vtd) / 8; i++)
        d.quad[i] = le64_load(vtd->fetched + 8 * i);
    return d;
}

static void queue_advance(struct vtd *vtd)
{
    uint64_t head = reg_get(vtd->regs, VTD_IQH) + descriptor_bytes(vtd);

    reg_set(vtd->regs, VTD_IQH, head >= queue_bytes(vtd) ? 0 : head);
}

static bool queue_active(const struct vtd *vtd)
{
    return vtd_is(vtd, VTD_G_QIE) &&
           !(reg_get(vtd->regs, VTD_FSTS) & (VTD_FSTS_IQE | VTD_FSTS_ITE)) &&
           reg_get(vtd->regs, VTD_IQH) != reg_get(vtd->regs, VTD_IQT);
}

/*
 * A wait is over when every request that was under way when the invalidations before it ran has
 * been answered: they are drained then, whether the descriptors asked for it or not (CHOICE).
 */
static bool queue_must_drain(struct vtd *vtd, const struct descriptor *d)
{
    struct vtd_device_tlb what;
    unsigned pending_max;

    if (vtd->params.features.device_tlb && device_tlb_of(d, &what, &pending_max))
        return !vtd_device_tlb_room(vtd, what.sid, pending_max);
    if (descriptor_type(d) != 5)
        return false;
    if (vtd->outstanding_count && !vtd_flawed(vtd, FLAW_VTD_WAIT_DRAINS))
        return true;
    if (vtd->queue_drain_done)
        return false;
    vtd->queue_drain_done = true;
    iommu_drain(vtd->core, &vtd->queue_drain);
    return vtd->queue_drain.pending;
}

void vtd_queue_abort_wait(struct vtd *vtd)
{
    struct descriptor d;

    if (!queue_active(vtd) || vtd->fetched_bytes < descriptor_bytes(vtd))
        return;
    d = descriptor_fetched(vtd);
    if (descriptor_type(&d) != 5)
        return;
    fetched_forget(vtd);
    queue_advance(vtd);
}

/* A slow unit. False: not yet. */
static bool queue_due(struct vtd *vtd)
{
    uint64_t now = vtd->params.sim->now_ps, due = now + vtd->slow_each_ps;

    if (due < vtd->stalled_until_ps)
        due = vtd->stalled_until_ps;
    if (vtd->slow_over || due == now)
        return true;
    if (!sim_event_pending(&vtd->slow))
        sim_schedule_at(vtd->params.sim, &vtd->slow, due);
    return false;
}

void vtd_queue_slow_over(void *opaque)
{
    struct vtd *vtd = opaque;

    vtd->slow_over = true;
    vtd_queue_run(vtd);
}

void vtd_queue_slow(struct vtd *vtd, uint64_t each_ps, uint64_t stall_ps)
{
    vtd->slow_each_ps = each_ps;
    vtd->stalled_until_ps = vtd->params.sim->now_ps + stall_ps;
    sim_cancel(vtd->params.sim, &vtd->slow);
    vtd_queue_run(vtd);
}

/* Returns why the queue stops at its head, 0 when it does not; *waits: not now, but later. */
static unsigned queue_step(struct vtd *vtd, bool *waits)
{
    unsigned why = queue_check(vtd);
    struct descriptor d;

    if (why)
        return why;
    if (!queue_due(vtd) || !fetch(vtd)) {
        *waits = true;
        return 0;
    }
    if (vtd->fetch_failed)
        return IQE_FETCH;
    d = descriptor_fetched(vtd);
    why = descriptor_check(vtd, &d);
    if (why)
        return why;
    *waits = queue_must_drain(vtd, &d);
    if (*waits)
        return 0;
    trace_hit(vtd->params.trace, TRACE_IOMMU_INVALIDATE, vtd->name, descriptor_type(&d), d.quad[0],
              d.quad[1]);
    return descriptors[descriptor_type(&d)].run(vtd, &d);
}

void vtd_queue_run(struct vtd *vtd)
{
    bool waits = false;

    if (vtd->queue_running)
        return;
    vtd->queue_running = true;
    while (!waits && queue_active(vtd) && !vtd->queue_drain.pending) {
        unsigned why = queue_step(vtd, &waits);

        if (why) {
            vtd_queue_forget(vtd);
            queue_stop(vtd, why);
            break;
        }
        if (!waits) {
            fetched_forget(vtd);
            queue_advance(vtd);
        }
    }
    vtd->queue_running = false;
}
