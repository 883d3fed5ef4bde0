/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk itself: what all radix formats have in common. */
#include "pcilab/iommu/pt/pt.h"

#include <assert.h>

#include "pcilab/base/bits.h"

const char *pt_cause_name(enum pt_cause cause)
{
    static const char *const names[PT_FAULT_COUNT] = {
        [PT_FAULT_NONE] = "none",
        [PT_FAULT_ADDRESS] = "address out of range",
        [PT_FAULT_TABLE] = "table not readable",
        [PT_FAULT_NOT_PRESENT] = "not present",
        [PT_FAULT_RESERVED] = "reserved bit set",
        [PT_FAULT_READ] = "no read permission",
        [PT_FAULT_WRITE] = "no write permission",
        [PT_FAULT_EXECUTE] = "no execute permission",
        [PT_FAULT_PRIVILEGE] = "supervisor page",
    };

    return names[cause];
}

static enum pt_step walk_fault(struct pt_walk *walk, enum pt_cause cause)
{
    walk->result.cause = cause;
    walk->result.level = walk->level;
    return PT_FAULT;
}

static enum pt_step walk_want(struct pt_walk *walk, unsigned level, uint64_t table)
{
    walk->level = (uint8_t)level;
    walk->table = table;
    walk->entry_addr = table + (walk->addr >> pt_level_shift(level) & 0x1ff) * 8;
    return PT_READ;
}

static bool addr_fits(const struct pt_config *config, uint64_t addr)
{
    unsigned bits = pt_level_shift(config->levels) + 9;

    if (config->format->canonical)
        return (uint64_t)((int64_t)(addr << (64 - bits)) >> (64 - bits)) == addr;
    return addr >> bits == 0;
}

enum pt_step pt_walk_begin(struct pt_walk *walk, const struct pt_config *config, uint64_t addr,
                           struct pt_access access)
{
    assert(config->levels >= config->format->levels_min &&
           config->levels <= config->format->levels_max);
    walk->config = config;
    walk->access = access;
    walk->addr = addr;
    walk->perms = PT_PERM_READ | PT_PERM_WRITE | PT_PERM_EXEC | PT_PERM_USER;
    walk->update_count = 0;
    walk->result.cause = PT_FAULT_NONE;
    walk->level = config->levels;
    if (!addr_fits(config, addr) && !flaw_on(config->flaws, FLAW_VTD_CANONICAL))
        return walk_fault(walk, PT_FAULT_ADDRESS);
    return walk_want(walk, config->levels, config->root);
}

enum pt_step pt_walk_resume(struct pt_walk *walk, unsigned level, uint64_t table, uint8_t perms)
{
    enum pt_cause cause = PT_FAULT_NONE;

    walk->perms = perms;
    walk->level = (uint8_t)(level + 1);
    /* The same fault as if the entries above had been read. */
    if (walk->config->format->judge_each)
        cause = walk->config->format->judge(walk->config, &walk->access, perms);
    return cause == PT_FAULT_NONE ? walk_want(walk, level, table) : walk_fault(walk, cause);
}

static enum pt_step walk_end(struct pt_walk *walk, const struct pt_entry *entry, uint64_t raw)
{
    unsigned shift = pt_level_shift(walk->level);

    walk->result.level = walk->level;
    walk->result.page_shift = (uint8_t)shift;
    walk->result.perms = walk->perms;
    walk->result.dirty = entry->dirty || (walk->access.want & PT_PERM_WRITE);
    walk->result.page = entry->addr;
    walk->result.output = entry->addr | (walk->addr & low_mask(shift));
    walk->result.leaf = raw;
    return PT_DONE;
}

enum pt_step pt_walk_feed(struct pt_walk *walk, uint64_t raw)
{
    const struct pt_config *config = walk->config;
    const struct pt_format *format = config->format;
    enum pt_cause cause = PT_FAULT_NONE;
    struct pt_entry entry;

    format->decode(config, &walk->access, walk->level, raw, &entry);
    if (entry.kind == PT_ABSENT)
        return walk_fault(walk, PT_FAULT_NOT_PRESENT);
    if (entry.kind == PT_BAD)
        return walk_fault(walk, PT_FAULT_RESERVED);
    walk->perms &= entry.perms;
    if (format->judge_each || entry.kind == PT_LEAF)
        cause = format->judge(config, &walk->access, walk->perms);
    if (cause != PT_FAULT_NONE)
        return walk_fault(walk, cause);
    if (entry.ad_sets) {
        assert(walk->update_count < PT_LEVELS_MAX);
        walk->update[walk->update_count++] =
            (struct pt_update){.addr = walk->entry_addr, .old = raw, .set = entry.ad_sets};
    }
    if (entry.kind == PT_LEAF)
        return walk_end(walk, &entry, raw);
    return walk_want(walk, walk->level - 1u, entry.addr);
}

enum pt_step pt_walk_fail(struct pt_walk *walk)
{
    return walk_fault(walk, PT_FAULT_TABLE);
}

bool pt_walk_run(struct pt_walk *walk, const struct pt_config *config, uint64_t addr,
                 struct pt_access access, pt_read_fn read, void *opaque)
{
    enum pt_step step = pt_walk_begin(walk, config, addr, access);

    while (step == PT_READ) {
        uint64_t raw;

        step = read(opaque, walk->entry_addr, &raw) ? pt_walk_feed(walk, raw) : pt_walk_fail(walk);
    }
    return step == PT_DONE;
}
