/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests: answered from the caches, walked at once or in time, delivered in order. */
#include <assert.h>
#include <glib.h>
#include <string.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/trace/points.h"

/* CHOICE: wider table entries are fetched in pieces of 16 bytes, each a read of its own. */
#define FETCH_BYTES 16

struct iommu_core *iommu_core_new(const struct iommu_core_params *params)
{
    struct iommu_core *core = g_new0(struct iommu_core, 1);

    core->params = *params;
    cache_init(core);
    return core;
}

static void free_walks(struct iommu_core *core)
{
    struct iommu_walk *walk;

    while ((walk = core->free_walks)) {
        core->free_walks = walk->next;
        g_free(walk);
    }
}

void iommu_core_free(struct iommu_core *core)
{
    if (!core)
        return;
    iommu_core_reset(core);
    iommu_core_vary(core, 0);
    free_walks(core);
    cache_fini(core);
    g_free(core);
}

const struct iommu_stats *iommu_core_stats(const struct iommu_core *core)
{
    return &core->stats;
}

static void walk_timed_read(void *opaque);

static struct iommu_walk *walk_take(struct iommu_core *core, struct iommu_request *request)
{
    struct iommu_walk *walk = core->free_walks;

    if (walk) {
        core->free_walks = walk->next;
    } else {
        walk = g_new0(struct iommu_walk, 1);
        walk->core = core;
        sim_event_init(&walk->event, walk_timed_read, walk);
    }
    walk->request = request;
    walk->lookup.access = &request->access;
    walk->pure = false;
    return walk;
}

static void walk_put(struct iommu_core *core, struct iommu_walk *walk)
{
    walk->next = core->free_walks;
    core->free_walks = walk;
}

/* What the permissions of a translation say to an access; what they refuse is walked again, so that
 * the fault is that of memory as it is now and more rights need no invalidation. */
static bool entry_allows(const struct tlb_entry *entry, const struct iommu_context *context,
                         const struct iommu_access *access, bool privileged)
{
    uint8_t need = access->want;

    if (context->kind != IOMMU_SECOND && !privileged)
        need |= PT_PERM_USER;
    if (context->kind == IOMMU_SECOND && (need & PT_PERM_EXEC))
        need = (need & ~PT_PERM_EXEC) | PT_PERM_READ;
    return (entry->perms & need) == need && (!(need & PT_PERM_WRITE) || entry->dirty);
}

static bool answer(struct iommu_request *request, const struct tlb_entry *entry)
{
    request->addr = entry->output | (request->access.addr & low_mask(entry->shift));
    request->snoop = entry->snoop;
    request->shift = entry->shift;
    request->perms = entry->perms & (PT_PERM_READ | PT_PERM_WRITE | PT_PERM_EXEC);
    return true;
}

static const struct iommu_context *cached_context(struct iommu_core *core,
                                                  const struct iommu_access *access,
                                                  const struct iommu_device **device)
{
    *device = cache_device(core, access->sid);
    if (!*device || (*device)->has_context)
        return *device ? &(*device)->context : NULL;
    return cache_process(core, access->sid,
                         access->has_pasid ? access->pasid : (*device)->default_pasid);
}

/* Looks into memory as if there were no caches, and changes nothing. */
static void check_stale(struct iommu_core *core, struct iommu_request *request,
                        const struct tlb_entry *hit)
{
    struct iommu_request twin = {.access = request->access};
    struct iommu_walk *walk = walk_take(core, &twin);
    enum iommu_step step;
    uint64_t addr;

    walk->pure = true;
    step = walk_run(walk);
    addr = walk->result.output | (request->access.addr & low_mask(walk->result.shift));
    if (step != IOMMU_OK || walk->result.tag != hit->tag || addr != request->addr) {
        char now[40] = "that it is not mapped";

        if (step == IOMMU_OK)
            g_snprintf(now, sizeof(now), "0x%llx%s", (unsigned long long)addr,
                       walk->result.tag != hit->tag ? ", other tag" : "");
        core->stats.stale++;
        trace_say(core->params.trace, TRACE_RULE, core->params.name,
                  "stale: requester %04x, address 0x%llx: cached 0x%llx, memory says %s",
                  request->access.sid, (unsigned long long)request->access.addr,
                  (unsigned long long)request->addr, now);
    }
    walk_put(core, walk);
}

/* What needs no translation is answered like a hit; anything out of the ordinary is walked. */
static bool answer_pass(struct iommu_core *core, const struct iommu_context *context,
                        struct iommu_request *request)
{
    const struct iommu_face_ops *ops = core->params.ops;
    uint64_t addr = request->access.addr;

    if (addr > context->limit ||
        (ops->pass_allowed && !ops->pass_allowed(core->params.face, addr)) ||
        (ops->output_allowed && !ops->output_allowed(core->params.face, addr)))
        return false;
    core->stats.hits++;
    return answer(request, &(struct tlb_entry){.output = addr & ~0xfffULL,
                                               .shift = 12,
                                               .perms = PASS_PERMS,
                                               .snoop = context->snoop});
}

static bool answer_from_cache(struct iommu_core *core, struct iommu_request *request)
{
    const struct iommu_access *access = &request->access;
    const struct iommu_device *device;
    const struct iommu_context *context = cached_context(core, access, &device);
    const struct tlb_entry *entry;

    if (!context || !access_is_plain(access))
        return false;
    if (context->kind == IOMMU_PASS)
        return answer_pass(core, context, request);
    entry = cache_page(core, context_tag(context), access->addr);
    if (!entry || !entry_allows(entry, context, access, device->default_privileged))
        return false;
    core->stats.hits++;
    answer(request, entry);
    if (core->params.find_stale)
        check_stale(core, request, entry);
    return true;
}

/* Delivery, in the order of submission. */

static void trace_answer(const struct iommu_core *core, const struct iommu_request *request,
                         enum iommu_status status)
{
    const struct iommu_access *access = &request->access;
    uint64_t pasid = access->has_pasid ? access->pasid : TRACE_NO_PASID;

    if (status != IOMMU_TRANSLATED_OK) /* settle_fault() told */
        return;
    if (access->interrupt)
        trace_hit(core->params.trace, TRACE_IOMMU_INTERRUPT, core->params.name, access->sid,
                  access->addr, request->interrupt.dest, request->interrupt.vector);
    else
        trace_hit(core->params.trace, TRACE_IOMMU_TRANSLATE, core->params.name, access->sid, pasid,
                  access->addr, request->addr, access->page_request ? 3 : (uint64_t)access->at);
}

static void finish(struct iommu_core *core, struct iommu_request *request, enum iommu_status status)
{
    if (__builtin_expect(trace_on(core->params.trace, TRACE_IOMMU), 0))
        trace_answer(core, request, status);
    request->done(request, status);
}

static void settle_drains(struct iommu_core *core)
{
    struct iommu_drain *drain;

    while ((drain = core->drains) && (!core->first || core->first->serial > drain->serial)) {
        core->drains = drain->next;
        drain->pending = false;
        drain->drained(drain->opaque);
    }
}

static void deliver(struct iommu_core *core)
{
    struct iommu_request *request;

    while ((request = core->first) && request->finished) {
        core->first = request->next;
        if (!core->first)
            core->last = NULL;
        finish(core, request, request->status);
    }
    settle_drains(core);
}

/* Of a Translation Request: that the page tables grant nothing is an answer (PCIe Base 6.0,
 * 10.2.3.2), which the device may follow with a Page Request. */
static bool grants_nothing(const struct iommu_fault *fault)
{
    switch ((enum iommu_place)fault->place) {
    case IOMMU_AT_TABLES:
    case IOMMU_AT_OUTPUT: return false;
    default: return fault->cause != PT_FAULT_TABLE && fault->cause != PT_FAULT_RESERVED;
    }
}

static enum iommu_status settle_fault(struct iommu_core *core, struct iommu_walk *walk)
{
    struct iommu_request *request = walk->request;
    bool asks = request->access.at == IOMMU_TRANSLATION_REQUEST;

    if (asks && grants_nothing(&walk->fault)) {
        request->perms = 0;
        request->shift = 12;
        return IOMMU_TRANSLATED_OK;
    }
    core->stats.faults++;
    trace_hit(core->params.trace, TRACE_IOMMU_FAULT, core->params.name, request->access.sid,
              request->access.has_pasid ? request->access.pasid : TRACE_NO_PASID,
              request->access.addr, request->access.want & 7u, walk->fault.place);
    core->params.ops->fault(core->params.face, &walk->fault);
    request->abort = (asks || request->access.page_request) &&
                     core->params.ops->aborts(core->params.face, &walk->fault);
    return IOMMU_FAULTED;
}

static enum iommu_status walk_settle(struct iommu_core *core, struct iommu_walk *walk,
                                     enum iommu_step step)
{
    struct iommu_request *request = walk->request;

    if (step == IOMMU_FAULT)
        return settle_fault(core, walk);
    if (request->access.interrupt) {
        request->interrupt = walk->lookup.interrupt;
        /* What is compatible goes on as the message that it is. */
        request->addr = request->access.addr;
        request->snoop = false;
    } else {
        answer(request, &walk->result);
    }
    return IOMMU_TRANSLATED_OK;
}

/* Walks in time. */

static void walk_wait(struct iommu_walk *walk)
{
    struct iommu_core *core = walk->core;
    uint64_t more_ps = core->vary_ps ? sim_rng_below(&core->chance.rng, core->vary_ps + 1) : 0;

    sim_schedule_in(core->params.sim, &walk->event, core->params.read_latency_ps + more_ps);
}

bool iommu_core_vary(struct iommu_core *core, uint64_t vary_ps)
{
    if (!core->params.read_latency_ps)
        return false;
    if (!core->vary_ps && vary_ps)
        sim_stream_add(core->params.sim, &core->chance, "walks");
    else if (core->vary_ps && !vary_ps)
        sim_stream_remove(core->params.sim, &core->chance);
    core->vary_ps = vary_ps;
    return true;
}

static void walk_go_on(struct iommu_walk *walk, enum iommu_step step)
{
    struct iommu_core *core = walk->core;
    struct iommu_request *request = walk->request;

    if (step == IOMMU_READ) {
        walk->got_bytes = 0;
        walk->lookup.readable = true;
        walk_wait(walk);
        return;
    }
    request->status = walk_settle(core, walk, step);
    request->finished = true;
    request->walk = NULL;
    walk_put(core, walk);
    deliver(core);
}

static void walk_timed_read(void *opaque)
{
    struct iommu_walk *walk = opaque;
    struct iommu_core *core = walk->core;
    const struct iommu_memory *memory = &core->params.memory;
    struct iommu_lookup *lookup = &walk->lookup;
    unsigned left = lookup->read_bytes - walk->got_bytes;
    unsigned len = left < FETCH_BYTES ? left : FETCH_BYTES;

    core->stats.reads++;
    lookup->readable =
        lookup->readable && memory->read(memory->opaque, lookup->read_addr + walk->got_bytes,
                                         lookup->data + walk->got_bytes, len);
    walk->got_bytes += len;
    if (walk->got_bytes < lookup->read_bytes)
        walk_wait(walk);
    else
        walk_go_on(walk, walk_feed(walk));
}

static void enqueue(struct iommu_core *core, struct iommu_request *request)
{
    request->next = NULL;
    request->serial = ++core->serial;
    if (core->last)
        core->last->next = request;
    else
        core->first = request;
    core->last = request;
}

static void submit_timed(struct iommu_core *core, struct iommu_request *request)
{
    enqueue(core, request);
    request->finished = false;
    if (!request->access.interrupt && answer_from_cache(core, request)) {
        request->status = IOMMU_TRANSLATED_OK;
        request->finished = true;
        deliver(core);
        return;
    }
    core->stats.misses += !request->access.interrupt;
    request->walk = walk_take(core, request);
    walk_go_on(request->walk, walk_begin(request->walk));
}

void iommu_submit(struct iommu_core *core, struct iommu_request *request)
{
    struct iommu_walk *walk;
    enum iommu_status status;

    if (core->params.read_latency_ps) {
        submit_timed(core, request);
        return;
    }
    if (!request->access.interrupt && answer_from_cache(core, request)) {
        finish(core, request, IOMMU_TRANSLATED_OK);
        return;
    }
    core->stats.misses += !request->access.interrupt;
    walk = walk_take(core, request);
    status = walk_settle(core, walk, walk_run(walk));
    walk_put(core, walk);
    finish(core, request, status);
}

void iommu_flush_page_of(struct iommu_core *core, const struct iommu_access *access)
{
    const struct iommu_device *device;
    const struct iommu_context *context = cached_context(core, access, &device);

    if (!context)
        iommu_flush_pages(core); /* whose translations may be cached still */
    else if (context->kind == IOMMU_FIRST || context->kind == IOMMU_NESTED)
        iommu_flush_first(core, context->domain, context->pasid, access->addr, 0, false);
    else if (context->kind == IOMMU_SECOND)
        iommu_flush_second(core, context->domain, access->addr, 0, false);
}

bool iommu_submit_hits(struct iommu_core *core, struct iommu_request *request, unsigned times)
{
    if (core->params.read_latency_ps || core->params.find_stale ||
        trace_on(core->params.trace, TRACE_IOMMU) || !answer_from_cache(core, request))
        return false;
    core->stats.hits += times - 1;
    return true;
}

void iommu_drain(struct iommu_core *core, struct iommu_drain *drain)
{
    struct iommu_drain **place = &core->drains;

    assert(!drain->pending);
    while (*place)
        place = &(*place)->next;
    *place = drain;
    drain->next = NULL;
    drain->pending = true;
    drain->serial = core->serial;
    settle_drains(core);
}

void iommu_core_reset(struct iommu_core *core)
{
    struct iommu_request *request;

    for (struct iommu_drain *drain = core->drains; drain; drain = drain->next)
        drain->pending = false;
    core->drains = NULL;
    while ((request = core->first)) {
        core->first = request->next;
        if (request->walk) {
            sim_cancel(core->params.sim, &request->walk->event);
            walk_put(core, request->walk);
            request->walk = NULL;
        }
        request->done(request, IOMMU_ABANDONED);
    }
    core->last = NULL;
    cache_clear(core);
    core->stats = (struct iommu_stats){0};
}
