/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The caches: device entries, contexts, translations (the IOTLB) and upper page-table entries.
 * Invalidating a page looks where the page would be, nowhere else.
 */
#include <glib.h>
#include <string.h>

#include "internal.h"
#include "pcilab/base/bits.h"

#define PROBES_MAX 64 /* beyond that many places to look, all are looked at */

static const uint8_t size_shift[PAGE_SIZES] = {12, 21, 30};

static unsigned size_index(unsigned shift)
{
    return (shift - 12) / 9;
}

static uint64_t hash(uint64_t tag, uint64_t page)
{
    uint64_t x = (page ^ tag * 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;

    return x ^ x >> 32;
}

static unsigned set_of(uint64_t tag, uint64_t page, unsigned shift)
{
    /* Neighbouring pages lie in neighbouring sets. */
    return (unsigned)((page + hash(tag, shift)) % TLB_SETS);
}

void cache_init(struct iommu_core *core)
{
    core->devices = g_new0(struct device_slot, DEVICE_SLOTS);
    core->processes = g_new0(struct process_slot, PROCESS_SLOTS);
    core->tlb = g_new0(struct tlb_set, TLB_SETS);
    core->victim = g_new0(uint8_t, TLB_SETS);
    core->upper = g_malloc0(sizeof(*core->upper) * (PT_LEVELS_MAX + 1));
}

void cache_fini(struct iommu_core *core)
{
    g_free(core->devices);
    g_free(core->processes);
    g_free(core->tlb);
    g_free(core->victim);
    g_free(core->upper);
}

void cache_clear(struct iommu_core *core)
{
    iommu_flush_devices(core);
    iommu_flush_contexts(core);
    iommu_flush_pages(core);
    memset(core->victim, 0, TLB_SETS);
}

/* Device entries and contexts. */

const struct iommu_device *cache_device(const struct iommu_core *core, uint16_t sid)
{
    const struct device_slot *slot = &core->devices[sid % DEVICE_SLOTS];

    return slot->valid && slot->sid == sid ? &slot->device : NULL;
}

void cache_put_device(struct iommu_core *core, uint16_t sid, const struct iommu_device *device)
{
    core->devices[sid % DEVICE_SLOTS] =
        (struct device_slot){.valid = true, .sid = sid, .device = *device};
}

static unsigned process_index(uint16_t sid, uint32_t pasid)
{
    return (sid * 31u + pasid) % PROCESS_SLOTS;
}

const struct iommu_context *cache_process(const struct iommu_core *core, uint16_t sid,
                                          uint32_t pasid)
{
    const struct process_slot *slot = &core->processes[process_index(sid, pasid)];

    return slot->valid && slot->sid == sid && slot->pasid == pasid ? &slot->context : NULL;
}

void cache_put_process(struct iommu_core *core, uint16_t sid, uint32_t pasid,
                       const struct iommu_context *context)
{
    core->processes[process_index(sid, pasid)] =
        (struct process_slot){.valid = true, .sid = sid, .pasid = pasid, .context = *context};
}

void iommu_flush_devices(struct iommu_core *core)
{
    core->flushes++;
    for (unsigned i = 0; i < DEVICE_SLOTS; i++)
        core->devices[i].valid = false;
}

void iommu_flush_devices_of_domain(struct iommu_core *core, uint16_t domain)
{
    core->flushes++;
    for (unsigned i = 0; i < DEVICE_SLOTS; i++) {
        const struct iommu_device *device = &core->devices[i].device;

        if (device->has_context && device->context.domain == domain)
            core->devices[i].valid = false;
    }
}

void iommu_flush_device(struct iommu_core *core, uint16_t sid, uint16_t ignore)
{
    core->flushes++;
    for (unsigned i = 0; i < DEVICE_SLOTS; i++) {
        if (((core->devices[i].sid ^ sid) & ~ignore & 0xffff) == 0)
            core->devices[i].valid = false;
    }
}

void iommu_flush_contexts(struct iommu_core *core)
{
    core->flushes++;
    for (unsigned i = 0; i < PROCESS_SLOTS; i++)
        core->processes[i].valid = false;
}

void iommu_flush_contexts_of_domain(struct iommu_core *core, uint16_t domain)
{
    core->flushes++;
    for (unsigned i = 0; i < PROCESS_SLOTS; i++) {
        if (core->processes[i].context.domain == domain)
            core->processes[i].valid = false;
    }
}

void iommu_flush_context(struct iommu_core *core, uint16_t domain, uint32_t pasid)
{
    core->flushes++;
    for (unsigned i = 0; i < PROCESS_SLOTS; i++) {
        if (core->processes[i].context.domain == domain && core->processes[i].pasid == pasid)
            core->processes[i].valid = false;
    }
}

/* Translations. */

static struct tlb_entry *find_page(const struct iommu_core *core, uint64_t tag, uint64_t page,
                                   unsigned shift)
{
    struct tlb_set *set = &core->tlb[set_of(tag, page, shift)];

    for (unsigned i = 0; i < TLB_WAYS; i++) {
        struct tlb_entry *entry = &set->way[i];

        if (entry->tag == tag && entry->page == page && entry->shift == shift)
            return entry;
    }
    return NULL;
}

const struct tlb_entry *cache_page(const struct iommu_core *core, uint64_t tag, uint64_t addr)
{
    for (unsigned i = 0; i < PAGE_SIZES; i++) {
        const struct tlb_entry *entry;

        if (!core->size_count[i])
            continue;
        entry = find_page(core, tag, addr >> size_shift[i], size_shift[i]);
        if (entry)
            return entry;
    }
    return NULL;
}

/* Nested translations are listed by domain: what changes a second stage ends all of its domain. */

static struct tlb_entry *entry_at(const struct iommu_core *core, unsigned place)
{
    return place ? &core->tlb[(place - 1) / TLB_WAYS].way[(place - 1) % TLB_WAYS] : NULL;
}

static uint16_t *nested_list(struct iommu_core *core, uint64_t tag)
{
    return &core->nested[(tag & TAG_DOMAIN) % NESTED_LISTS];
}

static void nested_link(struct iommu_core *core, struct tlb_entry *entry, unsigned place)
{
    uint16_t *list = nested_list(core, entry->tag);
    struct tlb_entry *next = entry_at(core, *list);

    entry->nested_prev = 0;
    entry->nested_next = *list;
    if (next)
        next->nested_prev = (uint16_t)place;
    *list = (uint16_t)place;
}

static void nested_unlink(struct iommu_core *core, const struct tlb_entry *entry)
{
    struct tlb_entry *next = entry_at(core, entry->nested_next);
    struct tlb_entry *prev = entry_at(core, entry->nested_prev);

    if (next)
        next->nested_prev = entry->nested_prev;
    if (prev)
        prev->nested_next = entry->nested_next;
    else
        *nested_list(core, entry->tag) = entry->nested_next;
}

static void drop_page(struct iommu_core *core, struct tlb_entry *entry)
{
    if (!entry->tag)
        return;
    core->size_count[size_index(entry->shift)]--;
    if (entry->tag & TAG_NESTED)
        nested_unlink(core, entry);
    entry->tag = 0;
}

static void drop_nested(struct iommu_core *core, uint64_t tag)
{
    struct tlb_entry *entry = entry_at(core, *nested_list(core, tag)), *next;

    for (; entry; entry = next) {
        next = entry_at(core, entry->nested_next);
        if ((entry->tag & TAG_DOMAIN) == (tag & TAG_DOMAIN))
            drop_page(core, entry);
    }
}

void cache_put_page(struct iommu_core *core, const struct tlb_entry *new_entry)
{
    unsigned set = set_of(new_entry->tag, new_entry->page, new_entry->shift);
    struct tlb_entry *entry = find_page(core, new_entry->tag, new_entry->page, new_entry->shift);

    for (unsigned i = 0; !entry && i < TLB_WAYS; i++) {
        if (!core->tlb[set].way[i].tag)
            entry = &core->tlb[set].way[i];
    }
    if (!entry)
        entry = &core->tlb[set].way[core->victim[set]++ % TLB_WAYS];
    drop_page(core, entry);
    *entry = *new_entry;
    core->size_count[size_index(entry->shift)]++;
    if (entry->tag & TAG_NESTED)
        nested_link(core, entry, set * TLB_WAYS + (unsigned)(entry - core->tlb[set].way) + 1);
}

/* Every entry whose tag agrees with `tag` in the bits of `mask` and that meets [addr, addr+len). */
static void sweep_pages(struct iommu_core *core, uint64_t tag, uint64_t mask, uint64_t addr,
                        uint64_t last)
{
    for (unsigned i = 0; i < TLB_SETS * TLB_WAYS; i++) {
        struct tlb_entry *entry = &core->tlb[i / TLB_WAYS].way[i % TLB_WAYS];

        if ((entry->tag & mask) == tag && entry->page >= addr >> entry->shift &&
            entry->page <= last >> entry->shift)
            drop_page(core, entry);
    }
}

static void flush_range(struct iommu_core *core, uint64_t tag, uint64_t addr, uint64_t last)
{
    for (unsigned i = 0; i < PAGE_SIZES; i++) {
        uint64_t from = addr >> size_shift[i], to = last >> size_shift[i];

        if (!core->size_count[i])
            continue;
        if (to - from >= PROBES_MAX) {
            sweep_pages(core, tag, ~0ULL, addr, last);
            return;
        }
        for (uint64_t page = from; page <= to; page++) {
            struct tlb_entry *entry = find_page(core, tag, page, size_shift[i]);

            if (entry)
                drop_page(core, entry);
        }
    }
}

/* Upper entries. */

static struct upper_entry *upper_slot(const struct iommu_core *core, unsigned level, uint64_t tag,
                                      uint64_t prefix)
{
    return &core->upper[level][(prefix + hash(tag, level)) % UPPER_SLOTS];
}

const struct upper_entry *cache_upper(const struct iommu_core *core, uint64_t tag, uint64_t addr,
                                      unsigned levels, unsigned *level)
{
    for (*level = 2; *level <= levels; (*level)++) {
        uint64_t prefix = addr >> pt_level_shift(*level);
        const struct upper_entry *entry = upper_slot(core, *level, tag, prefix);

        if (entry->tag == tag && entry->prefix == prefix)
            return entry;
    }
    return NULL;
}

void cache_put_upper(struct iommu_core *core, uint64_t tag, uint64_t addr, unsigned level,
                     uint64_t table, uint8_t perms)
{
    uint64_t prefix = addr >> pt_level_shift(level);

    *upper_slot(core, level, tag, prefix) =
        (struct upper_entry){.tag = tag, .prefix = prefix, .table = table, .perms = perms};
}

static void sweep_uppers(struct iommu_core *core, uint64_t tag, uint64_t mask)
{
    for (unsigned level = 2; level <= PT_LEVELS_MAX; level++) {
        for (unsigned i = 0; i < UPPER_SLOTS; i++) {
            if ((core->upper[level][i].tag & mask) == tag)
                core->upper[level][i].tag = 0;
        }
    }
}

static void flush_uppers(struct iommu_core *core, uint64_t tag, uint64_t addr, uint64_t last)
{
    for (unsigned level = 2; level <= PT_LEVELS_MAX; level++) {
        uint64_t from = addr >> pt_level_shift(level), to = last >> pt_level_shift(level);

        if (to - from >= PROBES_MAX) {
            sweep_uppers(core, tag, ~0ULL);
            return;
        }
        for (uint64_t prefix = from; prefix <= to; prefix++) {
            struct upper_entry *entry = upper_slot(core, level, tag, prefix);

            if (entry->tag == tag && entry->prefix == prefix)
                entry->tag = 0;
        }
    }
}

/* What faces ask for. */

void iommu_flush_pages(struct iommu_core *core)
{
    core->flushes++;
    memset(core->tlb, 0, sizeof(*core->tlb) * TLB_SETS);
    memset(core->size_count, 0, sizeof(core->size_count));
    memset(core->nested, 0, sizeof(core->nested));
    memset(core->upper, 0, sizeof(*core->upper) * (PT_LEVELS_MAX + 1));
}

void iommu_flush_pages_of_domain(struct iommu_core *core, uint16_t domain)
{
    uint64_t tag = TAG_VALID | domain, mask = TAG_VALID | TAG_DOMAIN;

    core->flushes++;
    sweep_pages(core, tag, mask, 0, ~0ULL);
    sweep_uppers(core, tag, mask);
}

void iommu_flush_pages_of_pasid(struct iommu_core *core, uint16_t domain, uint32_t pasid)
{
    uint64_t tag = TAG_VALID | TAG_FIRST | (uint64_t)pasid << 16 | domain;
    uint64_t mask = TAG_VALID | TAG_FIRST | TAG_PASID | TAG_DOMAIN;

    core->flushes++;
    sweep_pages(core, tag, mask, 0, ~0ULL);
    sweep_uppers(core, tag, mask);
}

static uint64_t range_last(uint64_t *addr, unsigned order)
{
    uint64_t mask = low_mask(12 + order);

    *addr &= ~mask;
    return *addr | mask;
}

void iommu_flush_second(struct iommu_core *core, uint16_t domain, uint64_t addr, unsigned order,
                        bool leaves_only)
{
    uint64_t last = range_last(&addr, order), tag = TAG_VALID | domain;

    core->flushes++;
    flush_range(core, tag, addr, last);
    drop_nested(core, tag);
    if (!leaves_only)
        flush_uppers(core, tag, addr, last);
}

void iommu_flush_span(struct iommu_core *core, uint16_t domain, uint64_t first, uint64_t last)
{
    core->flushes++;
    flush_range(core, TAG_VALID | domain, first, last);
}

void iommu_flush_first(struct iommu_core *core, uint16_t domain, uint32_t pasid, uint64_t addr,
                       unsigned order, bool leaves_only)
{
    uint64_t last = range_last(&addr, order);
    uint64_t tag = TAG_VALID | TAG_FIRST | (uint64_t)pasid << 16 | domain;

    core->flushes++;
    flush_range(core, tag, addr, last);
    flush_range(core, tag | TAG_NESTED, addr, last);
    if (!leaves_only) {
        flush_uppers(core, tag, addr, last);
        flush_uppers(core, tag | TAG_NESTED, addr, last);
    }
}
