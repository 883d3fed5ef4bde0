/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the core tells: caches, requests under way, counters. */
#include "pcilab/iommu/core/inspect.h"

#include <stdio.h>

#include "inspect_words.h"
#include "internal.h"

void iommu_inspect_requester(const struct inspect *in, const char *name, uint16_t sid)
{
    inspect_text(in, name, "%02x:%02x.%x", sid >> 8, sid >> 3 & 0x1f, sid & 7);
}

void inspect_perms(const struct inspect *in, const char *name, uint8_t perms)
{
    inspect_text(in, name, "%c%c%c%c", perms & PT_PERM_READ ? 'r' : '-',
                 perms & PT_PERM_WRITE ? 'w' : '-', perms & PT_PERM_EXEC ? 'x' : '-',
                 perms & PT_PERM_USER ? 'u' : '-');
}

const char *inspect_kind(unsigned kind)
{
    static const char *const names[] = {
        [IOMMU_PASS] = "pass-through",   [IOMMU_FIRST] = "first stage",
        [IOMMU_SECOND] = "second stage", [IOMMU_NESTED] = "nested",
        [IOMMU_MAPPED] = "mapped",
    };

    return names[kind];
}

void iommu_inspect_context(const struct inspect *in, const struct iommu_context *context)
{
    bool first = context->kind == IOMMU_FIRST || context->kind == IOMMU_NESTED;
    bool second = context->kind == IOMMU_SECOND || context->kind == IOMMU_NESTED;

    inspect_number(in, "domain", context->domain);
    inspect_text(in, "translation", "%s", inspect_kind(context->kind));
    if (first) {
        inspect_number(in, "first-levels", context->first.levels);
        inspect_hex(in, "first-root", context->first.root);
    }
    if (second) {
        inspect_number(in, "second-levels", context->second.levels);
        inspect_hex(in, "second-root", context->second.root);
    }
    if (context->snoop)
        inspect_flag(in, "snoop", true);
    if (context->fault_disabled)
        inspect_flag(in, "faults-silenced", true);
}

static void inspect_devices(const struct iommu_core *core, const struct inspect *in)
{
    inspect_list(in, "devices");
    for (unsigned i = 0; i < DEVICE_SLOTS; i++) {
        const struct device_slot *slot = &core->devices[i];

        if (!slot->valid)
            continue;
        inspect_object(in, NULL);
        iommu_inspect_requester(in, "requester", slot->sid);
        if (slot->device.has_context)
            iommu_inspect_context(in, &slot->device.context);
        else
            inspect_hex(in, "process-table", slot->device.process_table);
        inspect_object_end(in);
    }
    inspect_list_end(in);
}

static void inspect_processes(const struct iommu_core *core, const struct inspect *in)
{
    inspect_list(in, "contexts");
    for (unsigned i = 0; i < PROCESS_SLOTS; i++) {
        const struct process_slot *slot = &core->processes[i];

        if (!slot->valid)
            continue;
        inspect_object(in, NULL);
        iommu_inspect_requester(in, "requester", slot->sid);
        inspect_number(in, "pasid", slot->pasid);
        iommu_inspect_context(in, &slot->context);
        inspect_object_end(in);
    }
    inspect_list_end(in);
}

static void inspect_tag(const struct inspect *in, uint64_t tag)
{
    inspect_number(in, "domain", tag & TAG_DOMAIN);
    if (tag & TAG_FIRST)
        inspect_number(in, "pasid", (tag & TAG_PASID) >> 16);
    inspect_text(in, "stage", "%s",
                 tag & TAG_NESTED  ? "nested"
                 : tag & TAG_FIRST ? "first"
                                   : "second");
}

void inspect_tlb_entry(const struct inspect *in, const struct tlb_entry *entry)
{
    inspect_tag(in, entry->tag);
    inspect_hex(in, "address", entry->page << entry->shift);
    inspect_hex(in, "leads-to", entry->output);
    inspect_text(in, "page", "%s", entry->shift == 12 ? "4K" : entry->shift == 21 ? "2M" : "1G");
    inspect_perms(in, "permissions", entry->perms);
    inspect_flag(in, "dirty", entry->dirty);
    inspect_flag(in, "snoop", entry->snoop);
}

static void inspect_tlb(const struct iommu_core *core, const struct inspect *in)
{
    unsigned rows = 0;

    inspect_list(in, "translations");
    for (unsigned i = 0; i < TLB_SETS * TLB_WAYS; i++) {
        const struct tlb_entry *entry = &core->tlb[i / TLB_WAYS].way[i % TLB_WAYS];

        if (!entry->tag || rows++ >= INSPECT_ROWS_MAX)
            continue;
        inspect_object(in, NULL);
        inspect_tlb_entry(in, entry);
        inspect_object_end(in);
    }
    inspect_list_end(in);
}

static void inspect_uppers(const struct iommu_core *core, const struct inspect *in)
{
    inspect_list(in, "tables");
    for (unsigned level = 2; level <= PT_LEVELS_MAX; level++) {
        for (unsigned i = 0; i < UPPER_SLOTS; i++) {
            const struct upper_entry *entry = &core->upper[level][i];

            if (!entry->tag)
                continue;
            inspect_object(in, NULL);
            inspect_tag(in, entry->tag);
            inspect_number(in, "level", level);
            inspect_hex(in, "address", entry->prefix << pt_level_shift(level));
            inspect_hex(in, "leads-to", entry->table);
            inspect_object_end(in);
        }
    }
    inspect_list_end(in);
}

static void inspect_requests(const struct iommu_core *core, const struct inspect *in)
{
    unsigned rows = 0;

    inspect_list(in, "requests");
    for (const struct iommu_request *r = core->first; r && rows < INSPECT_ROWS_MAX; r = r->next) {
        inspect_object(in, NULL);
        iommu_inspect_requester(in, "requester", r->access.sid);
        inspect_hex(in, "address", r->access.addr);
        inspect_text(in, "wants", "%s",
                     r->access.interrupt              ? "interrupt"
                     : r->access.want & PT_PERM_WRITE ? "write"
                                                      : "read");
        if (r->access.has_pasid)
            inspect_number(in, "pasid", r->access.pasid);
        if (r->finished)
            inspect_text(in, "is", "answered, waits for those before");
        else if (r->walk)
            inspect_text(in, "is", "reading 0x%llx", (unsigned long long)r->walk->lookup.read_addr);
        inspect_object_end(in);
        rows++;
    }
    inspect_list_end(in);
}

void iommu_inspect(const struct iommu_core *core, const struct inspect *in)
{
    const struct iommu_stats *stats = &core->stats;

    inspect_object(in, "statistics");
    inspect_number(in, "hits", stats->hits);
    inspect_number(in, "misses", stats->misses);
    inspect_number(in, "reads", stats->reads);
    inspect_number(in, "faults", stats->faults);
    if (core->params.find_stale)
        inspect_number(in, "stale", stats->stale);
    inspect_object_end(in);
    inspect_requests(core, in);
    inspect_object(in, "caches");
    inspect_devices(core, in);
    inspect_processes(core, in);
    inspect_tlb(core, in);
    inspect_uppers(core, in);
    inspect_object_end(in);
}
