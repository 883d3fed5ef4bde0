/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug registers. SDM volume 3, chapter 18. CHOICE: while any breakpoint is enabled, the
 * processor takes single steps; kernels enable them for debugging only.
 */
#include "debug.h"

enum { BP_EXEC, BP_WRITE, BP_IO, BP_ACCESS };

static bool bp_enabled(const struct cpu *c, unsigned n)
{
    return c->dr[7] >> (2 * n) & 3;
}

static unsigned bp_type(const struct cpu *c, unsigned n)
{
    return c->dr[7] >> (16 + 4 * n) & 3;
}

static unsigned bp_len(const struct cpu *c, unsigned n)
{
    static const uint8_t len[] = {1, 2, 8, 4};
    return len[c->dr[7] >> (18 + 4 * n) & 3];
}

void debug_check_fetch(struct cpu *c, uint64_t rip)
{
    uint64_t la = c->mode == MODE_64 ? rip : (uint32_t)(rip + c->seg[CPU_CS].base);
    for (unsigned n = 0; n < 4; n++) {
        if (bp_enabled(c, n) && bp_type(c, n) == BP_EXEC && c->dr[n] == la) {
            c->dr[6] = (c->dr[6] & ~0xFULL) | BIT(n);
            cpu_raise(c, EXC_DB);
        }
    }
}

void debug_check_data(struct cpu *c, uint64_t la, unsigned size, bool write)
{
    stop_check_data(c, la, size, write);
    for (unsigned n = 0; n < 4; n++) {
        unsigned type = bp_type(c, n), len = bp_len(c, n);
        uint64_t start = c->dr[n] & ~(uint64_t)(len - 1);
        if (bp_enabled(c, n) && (type == BP_ACCESS || (type == BP_WRITE && write)) &&
            la < start + len && start < la + size) {
            c->db_hit |= (uint32_t)BIT(n);
        }
    }
}

bool debug_page_watched(const struct cpu *c, uint64_t la)
{
    if (stop_page_watched(c->group, la)) {
        return true;
    }
    for (unsigned n = 0; n < 4; n++) {
        if (bp_enabled(c, n) && (bp_type(c, n) == BP_WRITE || bp_type(c, n) == BP_ACCESS) &&
            !((c->dr[n] ^ la) & PAGE_MASK)) {
            return true;
        }
    }
    return false;
}
