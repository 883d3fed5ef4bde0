/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors and segment registers. SDM volume 3, chapters 3 and 5. */
#ifndef HW_CPU_SEGMENT_H
#define HW_CPU_SEGMENT_H

#include "core.h"

/* Bits of cpu_seg.attr */
enum {
    ATTR_TYPE = 0xF,
    ATTR_ACCESSED = 1 << 0,
    ATTR_RW = 1 << 1, /* data: writable; code: readable */
    ATTR_DC = 1 << 2, /* data: expands down; code: conforming */
    ATTR_CODE = 1 << 3,
    ATTR_S = 1 << 4, /* code or data */
    ATTR_P = 1 << 7,
    ATTR_L = 1 << 9,
    ATTR_D = 1 << 10,
    ATTR_G = 1 << 11,
};

static inline unsigned attr_dpl(unsigned attr)
{
    return attr >> 5 & 3;
}

/* System descriptor types */
enum {
    SYS_LDT = 2,
    SYS_TASK_GATE = 5,
    SYS_TSS_AVAIL = 9,
    SYS_TSS_BUSY = 11,
    SYS_CALL_GATE = 12,
    SYS_INT_GATE = 14,
    SYS_TRAP_GATE = 15,
    SYS_16BIT = 8, /* clear in the type: the 16-bit variant of a gate or TSS */
};

struct descriptor {
    uint64_t low;
    uint64_t at; /* linear address */
    uint16_t selector;
    uint16_t attr;
    uint32_t limit;
    uint64_t base;
};

/* Reads the descriptor of a selector that is not null; #GP(selector) or `vector` beyond limits. */
void desc_read(struct cpu *c, uint16_t selector, unsigned vector, struct descriptor *d);
/* Splits 8 bytes. */
void desc_parse(uint64_t low, struct descriptor *d);
void desc_mark_accessed(struct cpu *c, struct descriptor *d);

/* MOV, POP, LDS: everything but CS. */
void seg_load(struct cpu *c, unsigned seg, uint16_t selector);
/* As if loaded from the descriptor, without checks. */
void seg_set(struct cpu *c, unsigned seg, uint16_t selector, const struct descriptor *d);
void seg_set_null(struct cpu *c, unsigned seg, uint16_t selector);
/* CS from a checked code descriptor; changes CPL and mode. */
void seg_set_cs(struct cpu *c, const struct descriptor *d, unsigned cpl);
/* A stack segment for another privilege level; errors as `vector`(selector). */
void seg_check_stack(struct cpu *c, uint16_t selector, unsigned cpl, unsigned vector,
                     struct descriptor *d);
/* A code segment as the target of a far return or IRET. */
void seg_check_return(struct cpu *c, uint16_t selector, struct descriptor *d);
/* After a return to an outer level: segments that it may not use become null. */
void seg_drop_inner(struct cpu *c);
/* Faults if a near or far transfer must not go there. */
void seg_check_target(struct cpu *c, const struct descriptor *d, uint64_t target);
/* rSP and SS of a privilege level from the TSS (32- and 64-bit, 16-bit). */
uint64_t tss_stack(struct cpu *c, unsigned cpl, uint16_t *ss);

/* Writes EFLAGS bits in mask; the rest stays. */
void flags_write(struct cpu *c, uint64_t v, uint32_t mask);
/* The bits that POPF and IRET may change at this CPL. */
uint32_t flags_pop_mask(const struct cpu *c);

#endif
