/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A walk that tells of each step. It is the walk of requests (walk.c), read by read, kept from the
 * caches and from setting bits. */
#include <stdio.h>

#include "inspect_words.h"
#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/iommu/core/inspect.h"

static const char *const cause_words[PT_FAULT_COUNT] = {
    [PT_FAULT_NONE] = "none",
    [PT_FAULT_ADDRESS] = "the tables cannot map such an address",
    [PT_FAULT_TABLE] = "an entry cannot be read",
    [PT_FAULT_NOT_PRESENT] = "an entry is not present",
    [PT_FAULT_RESERVED] = "an entry has a reserved bit set",
    [PT_FAULT_READ] = "no permission to read",
    [PT_FAULT_WRITE] = "no permission to write",
    [PT_FAULT_EXECUTE] = "no permission to execute",
    [PT_FAULT_PRIVILEGE] = "a supervisor's page",
};

static const char *const place_words[] = {
    [IOMMU_AT_FIRST_BITS] = "first stage, whose bits may not be set",
    [IOMMU_AT_SECOND_BITS] = "second stage, whose bits may not be set",
    [IOMMU_AT_TABLES] = "device and process tables",
    [IOMMU_AT_FIRST] = "first stage",
    [IOMMU_AT_SECOND] = "second stage",
    [IOMMU_AT_ENTRY] = "second stage, of a first-stage entry",
    [IOMMU_AT_ENTRY_SET] = "second stage, of a first-stage entry whose bits are set",
    [IOMMU_AT_INPUT] = "address, beyond what the context translates",
    [IOMMU_AT_OUTPUT] = "result, which may not be used",
    [IOMMU_AT_PROTECTED] = "memory that is protected",
};
_Static_assert(ARRAY_LEN(place_words) == IOMMU_AT_COUNT, "words for each place");

static bool read_wanted(struct iommu_core *core, struct iommu_lookup *lookup)
{
    const struct iommu_memory *memory = &core->params.memory;

    lookup->readable =
        memory->read(memory->opaque, lookup->read_addr, lookup->data, lookup->read_bytes);
    return lookup->readable;
}

/* The quadwords up to the last that is not 0. */
static void tell_value(const struct inspect *in, const struct iommu_lookup *lookup)
{
    char text[8 * 20] = "";
    unsigned last = lookup->read_bytes / 8, at = 0;

    while (last > 1 && !le64_load(lookup->data + 8 * (last - 1)))
        last--;
    for (unsigned i = 0; i < last; i++)
        at += (unsigned)snprintf(text + at, sizeof(text) - at, "%s0x%llx", i ? " " : "",
                                 (unsigned long long)le64_load(lookup->data + 8 * i));
    inspect_text(in, "value", "%s", text);
}

static void tell_page_entry(const struct inspect *in, const struct pt_walk *pt, uint64_t raw)
{
    const struct pt_config *config = pt->config;
    struct pt_entry entry = {0};
    const char *bits;

    config->format->decode(config, &pt->access, pt->level, raw, &entry);
    if (entry.kind == PT_ABSENT) {
        inspect_text(in, "says", "not present");
        return;
    }
    if (entry.kind == PT_BAD) {
        inspect_text(in, "says", "a reserved bit is set");
        return;
    }
    bits = !config->keep_ad ? "" : entry.ad_sets ? ", access or dirty bit to be set" : "";
    if (entry.kind == PT_TABLE)
        inspect_text(in, "says", "table at 0x%llx%s", (unsigned long long)entry.addr, bits);
    else
        inspect_text(in, "says", "page of %s at 0x%llx%s",
                     pt->level == 1   ? "4K"
                     : pt->level == 2 ? "2M"
                                      : "1G",
                     (unsigned long long)entry.addr, bits);
    inspect_perms(in, "permissions", entry.perms);
}

static void tell_table_step(const struct inspect *in, const struct iommu_walk *walk)
{
    const struct iommu_face_ops *ops = walk->core->params.ops;
    const struct iommu_lookup *lookup = &walk->lookup;
    bool process = walk->stage == WALK_PROCESS;
    struct iommu_words words = {.name = process ? "process table" : "device table"};

    if (ops->explain)
        ops->explain(walk->core->params.face, lookup, process, &words);
    inspect_text(in, "step", "%s", words.name);
    inspect_hex(in, "at", lookup->read_addr);
    if (!lookup->readable) {
        inspect_text(in, "says", "no memory there");
        return;
    }
    tell_value(in, lookup);
    inspect_text(in, "says", "%s", words.text);
}

static void tell_page_step(const struct inspect *in, const struct iommu_walk *walk)
{
    const struct iommu_lookup *lookup = &walk->lookup;
    const struct pt_walk *pt = walk->reading_first ? &walk->first : &walk->second;

    if (walk->reading_first)
        inspect_text(in, "step", "first stage, level %u", pt->level);
    else if (walk->why == FOR_OUTPUT)
        inspect_text(in, "step", "second stage, level %u", pt->level);
    else if (walk->why == FOR_ENTRY)
        inspect_text(in, "step", "second stage, level %u, of the entry of level %u", pt->level,
                     walk->first.level);
    else
        inspect_text(in, "step", "second stage, level %u, to set bits of an entry", pt->level);
    inspect_hex(in, "at", lookup->read_addr);
    if (!lookup->readable) {
        inspect_text(in, "says", "no memory there");
        return;
    }
    tell_value(in, lookup);
    tell_page_entry(in, pt, le64_load(lookup->data));
}

static enum iommu_step tell_steps(struct iommu_walk *walk, const struct inspect *in)
{
    enum iommu_step step = walk_begin(walk);

    inspect_list(in, "steps");
    while (step == IOMMU_READ) {
        read_wanted(walk->core, &walk->lookup);
        inspect_object(in, NULL);
        if (walk->stage == WALK_TABLES)
            tell_page_step(in, walk);
        else
            tell_table_step(in, walk);
        inspect_object_end(in);
        step = walk_feed(walk);
    }
    inspect_list_end(in);
    return step;
}

static void tell_fault(const struct iommu_walk *walk, const struct inspect *in)
{
    const struct iommu_core_params *params = &walk->core->params;
    const struct iommu_fault *fault = &walk->fault;
    struct iommu_words words = {0};

    inspect_text(in, "outcome", "fault");
    inspect_text(in, "in", "%s", place_words[fault->place]);
    if (fault->place != IOMMU_AT_TABLES && fault->cause)
        inspect_text(in, "because", "%s", cause_words[fault->cause]);
    if (params->ops->explain_fault) {
        params->ops->explain_fault(params->face, fault, &words);
        inspect_text(in, words.name, "%s", words.text);
    }
    if (fault->disabled)
        inspect_flag(in, "faults-silenced", true);
}

static uint64_t leads_to(const struct tlb_entry *entry, const struct iommu_walk *walk)
{
    return entry->output | (walk->lookup.access->addr & low_mask(entry->shift));
}

static void tell_result(const struct iommu_walk *walk, const struct inspect *in)
{
    const struct tlb_entry *entry = &walk->result;

    inspect_text(in, "outcome", "translated");
    inspect_hex(in, "leads-to", leads_to(entry, walk));
    inspect_perms(in, "permissions", entry->perms);
    inspect_flag(in, "snoop", entry->snoop);
}

/* What a request would find in the cache now, without a walk. */
static void tell_cached(const struct iommu_walk *walk, const struct inspect *in, bool translated)
{
    const struct iommu_context *context = &walk->lookup.context;
    const struct tlb_entry *entry;
    bool agrees;

    if (walk->stage != WALK_TABLES || context->kind == IOMMU_PASS)
        return;
    entry = cache_page(walk->core, context_tag(context), walk->lookup.access->addr);
    if (!entry) {
        inspect_text(in, "cached", "nothing");
        return;
    }
    agrees = translated && leads_to(entry, walk) == leads_to(&walk->result, walk);
    inspect_object(in, "cached");
    inspect_tlb_entry(in, entry);
    inspect_flag(in, "stale", !agrees);
    inspect_object_end(in);
}

void iommu_inspect_walk(struct iommu_core *core, const struct inspect *in,
                        const struct iommu_access *access)
{
    struct iommu_walk walk = {.core = core, .pure = true, .lookup.access = access};
    enum iommu_step step;

    iommu_inspect_requester(in, "requester", access->sid);
    if (access->has_pasid)
        inspect_number(in, "pasid", access->pasid);
    inspect_hex(in, "address", access->addr);
    inspect_text(in, "access", "%s", access->want & PT_PERM_WRITE ? "write" : "read");
    step = tell_steps(&walk, in);
    if (walk.stage == WALK_TABLES) {
        inspect_object(in, "context");
        iommu_inspect_context(in, &walk.lookup.context);
        inspect_object_end(in);
    }
    inspect_object(in, "result");
    if (step == IOMMU_FAULT)
        tell_fault(&walk, in);
    else
        tell_result(&walk, in);
    inspect_object_end(in);
    tell_cached(&walk, in, step == IOMMU_OK);
}

bool iommu_look(struct iommu_core *core, const struct iommu_access *access,
                struct iommu_request *answer)
{
    struct iommu_walk walk = {.core = core, .pure = true, .lookup.access = access};

    if (walk_run(&walk) != IOMMU_OK)
        return false;
    answer->addr = leads_to(&walk.result, &walk);
    answer->shift = walk.result.shift;
    answer->perms = walk.result.perms;
    return true;
}

/* Tables alone. */

static bool peek(struct iommu_core *core, struct iommu_lookup *lookup,
                 enum iommu_step (*look)(void *face, struct iommu_lookup *lookup))
{
    enum iommu_step step;

    lookup->turn = 0;
    lookup->uncached = true;
    while ((step = look(core->params.face, lookup)) == IOMMU_READ) {
        read_wanted(core, lookup);
        lookup->turn++;
    }
    return step == IOMMU_OK;
}

bool iommu_peek_device(struct iommu_core *core, const struct iommu_access *access,
                       struct iommu_lookup *lookup)
{
    *lookup = (struct iommu_lookup){.access = access};
    return peek(core, lookup, core->params.ops->device);
}

bool iommu_peek_process(struct iommu_core *core, uint32_t pasid, struct iommu_lookup *lookup)
{
    lookup->pasid = pasid;
    return peek(core, lookup, core->params.ops->process);
}
