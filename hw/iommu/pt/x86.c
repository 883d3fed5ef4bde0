/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86-64 page tables with 4 or 5 levels, as the VT-d first stage has them (Intel VT-d 4.1, 9.8 and
 * 3.6; Intel SDM vol. 3A, 4.5).
 */
#include "pcilab/base/bits.h"
#include "pcilab/iommu/pt/pt.h"

#define X86_PRESENT  BIT(0)
#define X86_WRITE    BIT(1)
#define X86_USER     BIT(2)
#define X86_ACCESSED BIT(5)
#define X86_DIRTY    BIT(6)
#define X86_LARGE    BIT(7)
#define X86_EXTENDED BIT(10) /* accessed by a device */
#define X86_PAT_HIGH BIT(12) /* of 2 MiB and 1 GiB pages */
#define X86_ADDR     GENMASK(51, 12)
#define X86_NO_EXEC  BIT(63)

/* Levels 2 and 3 have a page size bit; above it is reserved (VT-d 4.1, 9.8; SDM table 4-15). */
static bool x86_is_leaf(const struct pt_config *config, unsigned level, uint64_t raw)
{
    return level == 1 || (level <= config->largest_leaf && (raw & X86_LARGE));
}

static uint64_t x86_reserved(const struct pt_config *config, unsigned level, bool leaf)
{
    uint64_t reserved = X86_ADDR & ~low_mask(config->phys_bits);

    if (leaf && level > 1)
        reserved |= low_mask(pt_level_shift(level)) & X86_ADDR & ~X86_PAT_HIGH;
    if (!leaf && level > config->largest_leaf)
        reserved |= X86_LARGE;
    return reserved;
}

static void x86_decode(const struct pt_config *config, const struct pt_access *access,
                       unsigned level, uint64_t raw, struct pt_entry *out)
{
    bool leaf = x86_is_leaf(config, level, raw);
    uint64_t want = X86_ACCESSED | (config->extended_access ? X86_EXTENDED : 0);

    if (!(raw & X86_PRESENT)) {
        out->kind = PT_ABSENT;
        return;
    }
    if (raw & x86_reserved(config, level, leaf) && !flaw_on(config->flaws, FLAW_VTD_FS_RESERVED)) {
        out->kind = PT_BAD;
        return;
    }
    out->kind = leaf ? PT_LEAF : PT_TABLE;
    out->perms = PT_PERM_READ | (raw & X86_WRITE ? PT_PERM_WRITE : 0) |
                 (raw & X86_USER ? PT_PERM_USER : 0) |
                 (config->no_execute && (raw & X86_NO_EXEC) ? 0 : PT_PERM_EXEC);
    out->addr = raw & X86_ADDR & ~(leaf ? low_mask(pt_level_shift(level)) : 0);
    if (leaf && (access->want & PT_PERM_WRITE))
        want |= X86_DIRTY;
    out->ad_sets = config->keep_ad && !flaw_on(config->flaws, FLAW_VTD_ACCESSED) ? want & ~raw : 0;
    out->dirty = !config->keep_ad || (raw & X86_DIRTY);
}

/* VT-d 4.1, 3.6.1 and 3.6.2 */
static enum pt_cause x86_judge(const struct pt_config *config, const struct pt_access *access,
                               uint8_t perms)
{
    bool may_write =
        (perms & PT_PERM_WRITE) ||
        (access->privileged && (!config->write_protect || flaw_on(config->flaws, FLAW_VTD_FS_WP)));

    if (!access->privileged && !(perms & PT_PERM_USER) && !flaw_on(config->flaws, FLAW_VTD_FS_USER))
        return PT_FAULT_PRIVILEGE;
    if ((access->want & PT_PERM_WRITE) && !may_write && !flaw_on(config->flaws, FLAW_VTD_FS_WRITE))
        return PT_FAULT_WRITE;
    if ((access->want & PT_PERM_EXEC) && !(perms & PT_PERM_EXEC))
        return PT_FAULT_EXECUTE;
    return PT_FAULT_NONE;
}

const struct pt_format pt_x86 = {
    .name = "x86-64",
    .levels_min = 4,
    .levels_max = 5,
    .canonical = true,
    .decode = x86_decode,
    .judge = x86_judge,
};
