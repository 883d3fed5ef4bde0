/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug registers: breakpoints on execution and data. SDM volume 3, chapter 18. */
#ifndef HW_CPU_DEBUG_H
#define HW_CPU_DEBUG_H

#include "core.h"
#include "stops.h"

#define DR6_BS  BIT(14)
#define DR6_BD  BIT(13)
#define DR6_ONE 0xFFFF0FF0ULL
#define DR7_GD  BIT(13)
#define DR7_ONE 0x400ULL

/* Raises #DB if an enabled instruction breakpoint is at rip. */
void debug_check_fetch(struct cpu *c, uint64_t rip);
/* Notes data breakpoints that an access hits, to be taken after the instruction. */
void debug_check_data(struct cpu *c, uint64_t la, unsigned size, bool write);
/* True if the page has a data breakpoint: it must not take the fast path. */
bool debug_page_watched(const struct cpu *c, uint64_t la);
/* True if any breakpoint is enabled. */
static inline bool debug_armed(const struct cpu *c)
{
    return c->dr[7] & 0xFF;
}
/* True if somebody, guest or debugger, may watch data. */
static inline bool debug_watching(const struct cpu *c)
{
    return debug_armed(c) || c->group->stop_data;
}

#endif
