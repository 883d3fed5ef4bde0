/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request's way: device table, process table, first stage, second stage. Every function that
 * returns a step says what comes next: a read, the end, a fault.
 *
 * With both stages each first-stage entry's address is itself translated by the second stage
 * before the entry is read, and the first stage's result after it.
 */
#include <string.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

static enum iommu_step tables_begin(struct iommu_walk *walk);
static enum iommu_step first_commit(struct iommu_walk *walk);

static const struct iommu_access *access_of(const struct iommu_walk *walk)
{
    return walk->lookup.access;
}

static bool is_translation_request(const struct iommu_walk *walk)
{
    return access_of(walk)->at == IOMMU_TRANSLATION_REQUEST;
}

static enum iommu_step walk_fault(struct iommu_walk *walk, enum iommu_place place,
                                  const struct pt_walk *at)
{
    walk->fault = (struct iommu_fault){
        .access = *access_of(walk),
        .place = (uint8_t)place,
        .cause = at ? (uint8_t)at->result.cause : PT_FAULT_NONE,
        .level = at ? at->result.level : 0,
        .top = at && at->result.level == at->config->levels,
        .first_top = at == &walk->second && walk->first.level == walk->lookup.context.first.levels,
        .disabled = walk->lookup.fault_disabled,
        .kind = walk->lookup.context.kind,
        .format = walk->lookup.device.format,
        .code = walk->lookup.code,
        .index = access_of(walk)->interrupt ? walk->lookup.pasid : 0,
    };
    return IOMMU_FAULT;
}

/* What was read stays out of the caches when something was invalidated meanwhile. */
static bool may_cache(const struct iommu_walk *walk)
{
    return !walk->pure && walk->flushes == walk->core->flushes;
}

static enum iommu_step want_read(struct iommu_walk *walk, uint64_t addr, unsigned len)
{
    walk->lookup.read_addr = addr;
    walk->lookup.read_bytes = len;
    return IOMMU_READ;
}

/* Sets bits in an entry as one atomic operation; false: it is not what it was any more. */
static bool set_bits(struct iommu_walk *walk, uint64_t addr, const struct pt_update *update)
{
    const struct iommu_memory *memory = &walk->core->params.memory;
    uint8_t data[8];

    if (walk->pure)
        return true;
    if (!memory->read(memory->opaque, addr, data, 8) || le64_load(data) != update->old)
        return false;
    le64_store(data, update->old | update->set);
    return memory->write(memory->opaque, addr, data, 8);
}

/* Trails: what was read on the way, for the cache of upper entries. */

static void trail_add(struct trail *trail, const struct pt_walk *pt)
{
    trail->level[trail->count++] = pt->level;
    trail->table[pt->level] = pt->table;
    trail->perms[pt->level] = pt->perms;
}

/* The first table of a trail was reached from the root or from the cache: nothing new. */
static void trail_keep(struct iommu_walk *walk, const struct trail *trail, uint64_t tag,
                       uint64_t addr)
{
    for (unsigned i = 1; may_cache(walk) && i < trail->count; i++) {
        unsigned level = trail->level[i];

        cache_put_upper(walk->core, tag, addr, level + 1, trail->table[level], trail->perms[level]);
    }
}

static enum pt_step begin_cached(struct iommu_walk *walk, struct pt_walk *pt,
                                 const struct pt_config *config, uint64_t tag, uint64_t addr,
                                 struct pt_access access)
{
    enum pt_step step = pt_walk_begin(pt, config, addr, access);
    const struct upper_entry *upper;
    unsigned level;

    if (step != PT_READ || walk->pure)
        return step;
    upper = cache_upper(walk->core, tag, addr, config->levels, &level);
    return upper ? pt_walk_resume(pt, level - 1, upper->table, upper->perms) : step;
}

/* The end. */

static enum iommu_step walk_done(struct iommu_walk *walk, uint64_t output, unsigned shift,
                                 uint8_t perms, bool dirty)
{
    const struct iommu_context *context = &walk->lookup.context;
    struct iommu_core *core = walk->core;
    bool leaf_snoops = context->kind == IOMMU_SECOND && context->second.snoop_bit &&
                       (walk->second.result.leaf & BIT(11));

    if (core->params.ops->output_allowed &&
        !core->params.ops->output_allowed(core->params.face, output))
        return walk_fault(walk, IOMMU_AT_OUTPUT, NULL);
    walk->result = (struct tlb_entry){
        .tag = context_tag(context),
        .page = access_of(walk)->addr >> shift,
        .output = output & ~low_mask(shift),
        .shift = (uint8_t)shift,
        .perms = perms,
        .dirty = dirty,
        .snoop = context->snoop || leaf_snoops,
    };
    if (may_cache(walk) && context->kind != IOMMU_PASS)
        cache_put_page(core, &walk->result);
    /* The right to write that is given away counts as a write (PCIe Base 6.0, 10.2.2.2). */
    if (is_translation_request(walk) && !access_of(walk)->no_write && (perms & PT_PERM_WRITE) &&
        !dirty && !walk->want) {
        walk->want = PT_PERM_WRITE;
        return tables_begin(walk);
    }
    return IOMMU_OK;
}

/* Second stage. */

static enum iommu_step second_begin(struct iommu_walk *walk, uint64_t addr, uint8_t want,
                                    enum walk_why why);

static enum iommu_step second_output(struct iommu_walk *walk)
{
    const struct pt_result *second = &walk->second.result, *first = &walk->first.result;
    uint8_t perms = second->perms;
    unsigned shift = second->page_shift;

    if (walk->lookup.context.kind == IOMMU_SECOND)
        return walk_done(walk, second->output, shift, perms, second->dirty);
    /* Both stages have to grant it; the smaller page counts. */
    perms &= first->perms;
    shift = first->page_shift < shift ? first->page_shift : shift;
    return walk_done(walk, second->output, shift, perms, first->dirty && second->dirty);
}

static enum iommu_step second_done(struct iommu_walk *walk)
{
    struct pt_walk *second = &walk->second;

    if (second->update_count && walk->lookup.context.read_only)
        return walk_fault(walk, IOMMU_AT_SECOND_BITS, second);
    for (unsigned i = 0; i < second->update_count; i++) {
        if (!set_bits(walk, second->update[i].addr, &second->update[i]))
            return second_begin(walk, second->addr, second->access.want, walk->why);
    }
    trail_keep(walk, &walk->second_trail, second_tag(&walk->lookup.context), second->addr);
    switch ((enum walk_why)walk->why) {
    case FOR_ENTRY: walk->reading_first = true; return want_read(walk, second->result.output, 8);
    case FOR_UPDATE:
        if (!set_bits(walk, second->result.output, &walk->first.update[walk->update_at]))
            return tables_begin(walk);
        walk->update_at++;
        return first_commit(walk);
    case FOR_OUTPUT: break;
    }
    return second_output(walk);
}

static enum iommu_step second_step(struct iommu_walk *walk, enum pt_step step)
{
    static const enum iommu_place place[] = {
        [FOR_ENTRY] = IOMMU_AT_ENTRY,
        [FOR_UPDATE] = IOMMU_AT_ENTRY_SET,
        [FOR_OUTPUT] = IOMMU_AT_SECOND,
    };

    if (step == PT_FAULT)
        return walk_fault(walk, place[walk->why], &walk->second);
    if (step == PT_DONE)
        return second_done(walk);
    trail_add(&walk->second_trail, &walk->second);
    walk->reading_first = false;
    return want_read(walk, walk->second.entry_addr, 8);
}

static enum iommu_step second_begin(struct iommu_walk *walk, uint64_t addr, uint8_t want,
                                    enum walk_why why)
{
    const struct iommu_context *context = &walk->lookup.context;
    struct pt_access access = {.want = want};

    walk->why = (uint8_t)why;
    walk->second_trail.count = 0;
    if (addr > context->limit) {
        walk->second.config = &context->second;
        walk->second.result = (struct pt_result){.cause = PT_FAULT_ADDRESS};
        return walk_fault(walk, why == FOR_OUTPUT ? IOMMU_AT_INPUT : IOMMU_AT_ENTRY, &walk->second);
    }
    return second_step(walk, begin_cached(walk, &walk->second, &context->second,
                                          second_tag(context), addr, access));
}

/* First stage. */

/* CHOICE: access and dirty bits of the first stage are set when it has been walked to its end, from
 * the root down; an access that faults sets none. */
static enum iommu_step first_commit(struct iommu_walk *walk)
{
    const struct iommu_context *context = &walk->lookup.context;
    struct pt_walk *first = &walk->first;

    if (first->update_count && context->read_only)
        return walk_fault(walk, IOMMU_AT_FIRST_BITS, first);
    while (walk->update_at < first->update_count) {
        struct pt_update *update = &first->update[walk->update_at];

        if (context->kind == IOMMU_NESTED)
            return second_begin(walk, update->addr, PT_PERM_WRITE, FOR_UPDATE);
        if (!set_bits(walk, update->addr, update))
            return tables_begin(walk);
        walk->update_at++;
    }
    trail_keep(walk, &walk->first_trail, context_tag(context), first->addr);
    if (context->kind == IOMMU_NESTED)
        return second_begin(walk, first->result.output, first->access.want, FOR_OUTPUT);
    return walk_done(walk, first->result.output, first->result.page_shift, first->result.perms,
                     first->result.dirty);
}

static enum iommu_step first_step(struct iommu_walk *walk, enum pt_step step)
{
    if (step == PT_FAULT)
        return walk_fault(walk, IOMMU_AT_FIRST, &walk->first);
    if (step == PT_DONE)
        return first_commit(walk);
    trail_add(&walk->first_trail, &walk->first);
    if (walk->lookup.context.kind == IOMMU_NESTED)
        return second_begin(walk, walk->first.entry_addr, PT_PERM_READ, FOR_ENTRY);
    walk->reading_first = true;
    return want_read(walk, walk->first.entry_addr, 8);
}

static bool walk_privileged(const struct iommu_walk *walk)
{
    const struct iommu_access *access = access_of(walk);

    return access->has_pasid ? access->privileged : walk->lookup.device.default_privileged;
}

static enum iommu_step mapped_step(struct iommu_walk *walk)
{
    struct iommu_lookup *lookup = &walk->lookup;
    struct iommu_core *core = walk->core;
    const struct iommu_mapping *mapping = &lookup->mapping;

    if (core->params.ops->translate(core->params.face, lookup) != IOMMU_OK)
        return walk_fault(walk, IOMMU_AT_TABLES, NULL);
    return walk_done(walk, mapping->page, mapping->shift, mapping->perms, true);
}

static enum iommu_step tables_begin(struct iommu_walk *walk)
{
    const struct iommu_access *access = access_of(walk);
    const struct iommu_context *context = &walk->lookup.context;
    struct pt_access pt = {.want = walk->want, .privileged = walk_privileged(walk)};

    walk->stage = WALK_TABLES;
    walk->first_trail.count = 0;
    walk->update_at = 0;
    if (context->kind == IOMMU_SECOND)
        return second_begin(walk, access->addr, walk->want, FOR_OUTPUT);
    if (context->kind == IOMMU_MAPPED)
        return mapped_step(walk);
    if (context->kind != IOMMU_PASS)
        return first_step(walk, begin_cached(walk, &walk->first, &context->first,
                                             context_tag(context), access->addr, pt));
    if (access->addr > context->limit)
        return walk_fault(walk, IOMMU_AT_INPUT, NULL);
    if (walk->core->params.ops->pass_allowed &&
        !walk->core->params.ops->pass_allowed(walk->core->params.face, access->addr))
        return walk_fault(walk, IOMMU_AT_PROTECTED, NULL);
    return walk_done(walk, access->addr, 12, PASS_PERMS, true);
}

/* Device and process tables. */

static bool admitted(struct iommu_walk *walk, const struct iommu_context *context)
{
    struct iommu_lookup *lookup = &walk->lookup;
    const struct iommu_core_params *params = &walk->core->params;

    return access_is_plain(lookup->access) ||
           params->ops->admit(params->face, lookup->access, &lookup->device, context,
                              &lookup->code);
}

static enum iommu_step context_known(struct iommu_walk *walk)
{
    walk->lookup.fault_disabled |= walk->lookup.context.fault_disabled;
    if (!admitted(walk, &walk->lookup.context))
        return walk_fault(walk, IOMMU_AT_TABLES, NULL);
    return tables_begin(walk);
}

static enum iommu_step process_step(struct iommu_walk *walk)
{
    struct iommu_lookup *lookup = &walk->lookup;
    struct iommu_core *core = walk->core;
    enum iommu_step step = core->params.ops->process(core->params.face, lookup);

    lookup->turn++;
    if (step == IOMMU_FAULT)
        return walk_fault(walk, IOMMU_AT_TABLES, NULL);
    if (step == IOMMU_READ)
        return step;
    if (may_cache(walk))
        cache_put_process(core, access_of(walk)->sid, lookup->pasid, &lookup->context);
    return context_known(walk);
}

static enum iommu_step device_known(struct iommu_walk *walk)
{
    struct iommu_lookup *lookup = &walk->lookup;
    const struct iommu_access *access = access_of(walk);
    const struct iommu_context *cached;

    lookup->fault_disabled |= lookup->device.fault_disabled;
    if (!admitted(walk, NULL))
        return walk_fault(walk, IOMMU_AT_TABLES, NULL);
    if (access->page_request) {
        walk->result = (struct tlb_entry){.output = access->addr, .shift = 12};
        return IOMMU_OK;
    }
    if (access->at == IOMMU_TRANSLATED) /* trusted: the address is what it says */
        return walk_done(walk, access->addr, 12, PT_PERM_READ | PT_PERM_WRITE, true);
    if (lookup->device.has_context) {
        lookup->context = lookup->device.context;
        return context_known(walk);
    }
    walk->stage = WALK_PROCESS;
    lookup->pasid = access->has_pasid ? access->pasid : lookup->device.default_pasid;
    lookup->turn = 0;
    cached = walk->pure ? NULL : cache_process(walk->core, access->sid, lookup->pasid);
    if (!cached)
        return process_step(walk);
    lookup->context = *cached;
    return context_known(walk);
}

static enum iommu_step device_step(struct iommu_walk *walk)
{
    struct iommu_lookup *lookup = &walk->lookup;
    struct iommu_core *core = walk->core;
    enum iommu_step step = core->params.ops->device(core->params.face, lookup);

    lookup->turn++;
    if (step == IOMMU_FAULT)
        return walk_fault(walk, IOMMU_AT_TABLES, NULL);
    if (step == IOMMU_READ)
        return step;
    if (may_cache(walk))
        cache_put_device(core, access_of(walk)->sid, &lookup->device);
    return device_known(walk);
}

static enum iommu_step interrupt_step(struct iommu_walk *walk)
{
    struct iommu_core *core = walk->core;
    enum iommu_step step = core->params.ops->interrupt(core->params.face, &walk->lookup);

    walk->lookup.turn++;
    return step == IOMMU_FAULT ? walk_fault(walk, IOMMU_AT_TABLES, NULL) : step;
}

enum iommu_step walk_begin(struct iommu_walk *walk)
{
    struct iommu_lookup *lookup = &walk->lookup;
    const struct iommu_device *cached;

    lookup->turn = 0;
    walk->want = access_of(walk)->want;
    lookup->fault_disabled = false;
    lookup->uncached = walk->pure;
    lookup->code = 0;
    walk->flushes = walk->core->flushes;
    if (access_of(walk)->interrupt) {
        walk->stage = WALK_INTERRUPT;
        return interrupt_step(walk);
    }
    walk->stage = WALK_DEVICE;
    lookup->context.kind = IOMMU_PASS;
    cached = walk->pure ? NULL : cache_device(walk->core, access_of(walk)->sid);
    if (!cached)
        return device_step(walk);
    lookup->device = *cached;
    return device_known(walk);
}

enum iommu_step walk_feed(struct iommu_walk *walk)
{
    bool readable = walk->lookup.readable;
    uint64_t value = readable ? le64_load(walk->lookup.data) : 0;

    switch ((enum walk_stage)walk->stage) {
    case WALK_DEVICE: return device_step(walk);
    case WALK_PROCESS: return process_step(walk);
    case WALK_INTERRUPT: return interrupt_step(walk);
    case WALK_TABLES: break;
    }
    if (walk->reading_first)
        return first_step(walk, readable ? pt_walk_feed(&walk->first, value)
                                         : pt_walk_fail(&walk->first));
    return second_step(walk,
                       readable ? pt_walk_feed(&walk->second, value) : pt_walk_fail(&walk->second));
}

enum iommu_step walk_run(struct iommu_walk *walk)
{
    const struct iommu_memory *memory = &walk->core->params.memory;
    struct iommu_lookup *lookup = &walk->lookup;
    enum iommu_step step = walk_begin(walk);

    while (step == IOMMU_READ) {
        walk->core->stats.reads += !walk->pure;
        lookup->readable =
            memory->read(memory->opaque, lookup->read_addr, lookup->data, lookup->read_bytes);
        step = walk_feed(walk);
    }
    return step;
}
