/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VT-d second stage with 3, 4 or 5 levels (Intel VT-d 4.1, 9.9 and 3.7). */
#include "pcilab/base/bits.h"
#include "pcilab/iommu/pt/pt.h"

#define SS_READ     BIT(0)
#define SS_WRITE    BIT(1)
#define SS_LARGE    BIT(7)
#define SS_ACCESSED BIT(8)
#define SS_DIRTY    BIT(9)
#define SS_SNOOP    BIT(11)
#define SS_ADDR     GENMASK(51, 12)
#define SS_TM       BIT(62) /* transient mapping: reserved without device TLBs */

static bool ss_is_leaf(const struct pt_config *config, unsigned level, uint64_t raw)
{
    return level == 1 || (level <= config->largest_leaf && (raw & SS_LARGE));
}

static uint64_t ss_reserved(const struct pt_config *config, unsigned level, bool leaf)
{
    uint64_t reserved = SS_TM | (SS_ADDR & ~low_mask(config->phys_bits));

    if (!leaf || !config->snoop_bit)
        reserved |= SS_SNOOP;
    if (leaf)
        reserved |= low_mask(pt_level_shift(level)) & SS_ADDR;
    else if (level > config->largest_leaf)
        reserved |= SS_LARGE;
    return reserved;
}

static void ss_decode(const struct pt_config *config, const struct pt_access *access,
                      unsigned level, uint64_t raw, struct pt_entry *out)
{
    bool leaf = ss_is_leaf(config, level, raw);
    uint64_t want = SS_ACCESSED;

    if (!(raw & (SS_READ | SS_WRITE))) {
        out->kind = PT_ABSENT;
        return;
    }
    if (raw & ss_reserved(config, level, leaf) && !flaw_on(config->flaws, FLAW_VTD_SS_RESERVED)) {
        out->kind = PT_BAD;
        return;
    }
    out->kind = leaf ? PT_LEAF : PT_TABLE;
    /* Without execute requests there is no execute permission: bit 2 is ignored. */
    out->perms = (raw & SS_READ ? PT_PERM_READ : 0) | (raw & SS_WRITE ? PT_PERM_WRITE : 0) |
                 PT_PERM_EXEC | PT_PERM_USER;
    out->addr = raw & SS_ADDR;
    if (leaf && (access->want & PT_PERM_WRITE))
        want |= SS_DIRTY;
    out->ad_sets = config->keep_ad && !flaw_on(config->flaws, FLAW_VTD_ACCESSED) ? want & ~raw : 0;
    out->dirty = !config->keep_ad || (raw & SS_DIRTY);
}

static enum pt_cause ss_judge(const struct pt_config *config, const struct pt_access *access,
                              uint8_t perms)
{
    if ((access->want & PT_PERM_WRITE) && !(perms & PT_PERM_WRITE) &&
        !flaw_on(config->flaws, FLAW_VTD_SS_WRITE))
        return PT_FAULT_WRITE;
    if ((access->want & (PT_PERM_READ | PT_PERM_EXEC)) && !(perms & PT_PERM_READ) &&
        !flaw_on(config->flaws, FLAW_VTD_SS_READ))
        return PT_FAULT_READ;
    return PT_FAULT_NONE;
}

/* CHOICE: an entry without the permission ends the walk there; what it points to is not looked
 * at. */
const struct pt_format pt_vtd_second = {
    .name = "VT-d second stage",
    .levels_min = 3,
    .levels_max = 5,
    .judge_each = true,
    .decode = ss_decode,
    .judge = ss_judge,
};
