/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the generic handlers share: operands, addresses, ways to end. */
#ifndef HW_CPU_EXEC_H
#define HW_CPU_EXEC_H

#include "core.h"
#include "flags.h"
#include "handlers.h"

/* Begins every generic handler. */
#define ENTER() (c->op = op)
/*
 * Ends it: back to the loop, which also looks whether decoded code has died. The compiler might
 * not make a tail call of a generic handler's end, so these never dispatch themselves.
 */
#define NEXT() return op + 1
/* Ends an instruction that ends its block: back to the dispatcher. */
#define END()                                                                                      \
    do {                                                                                           \
        c->rip = op_next_rip(c, op);                                                               \
        return NULL;                                                                               \
    } while (0)

static inline uint64_t reg_read(const struct cpu *c, unsigned r, unsigned size)
{
    switch (size) {
    case SZ_8: return ((const uint8_t *)c->gpr)[r];
    case SZ_16: return (uint16_t)c->gpr[r];
    case SZ_32: return (uint32_t)c->gpr[r];
    default: return c->gpr[r];
    }
}

static inline void reg_write(struct cpu *c, unsigned r, unsigned size, uint64_t v)
{
    switch (size) {
    case SZ_8: ((uint8_t *)c->gpr)[r] = (uint8_t)v; break;
    case SZ_16: c->gpr[r] = (c->gpr[r] & ~0xFFFFULL) | (uint16_t)v; break;
    case SZ_32: c->gpr[r] = (uint32_t)v; break;
    default: c->gpr[r] = v; break;
    }
}

static inline uint64_t addr_mask(const struct op *op)
{
    return op->flags & OPF_A16 ? 0xFFFF : op->flags & OPF_A32 ? 0xFFFFFFFF : ~0ULL;
}

/* Offset within the segment. */
static inline uint64_t ea_offset(const struct cpu *c, const struct op *op)
{
    uint64_t a = c->gpr[op->base] + (c->gpr[op->index] << op->scale) + (uint64_t)(int64_t)op->disp;
    return a & addr_mask(op);
}

/* Segment checks outside 64-bit mode (SDM volume 3, 5.3 to 5.5); returns the linear address. */
uint64_t seg_linear_legacy(struct cpu *c, unsigned seg, uint64_t off, unsigned bytes, bool write);

static inline uint64_t seg_linear(struct cpu *c, unsigned seg, uint64_t off, unsigned bytes,
                                  bool write)
{
    c->ea_seg = (uint8_t)seg;
    if (likely(c->mode == MODE_64)) {
        return seg >= CPU_FS ? off + c->seg[seg].base : off;
    }
    return seg_linear_legacy(c, seg, off, bytes, write);
}

static inline uint64_t ea_linear(struct cpu *c, const struct op *op, unsigned bytes, bool write)
{
    return seg_linear(c, op->seg, ea_offset(c, op), bytes, write);
}

/* ModRM.rm as a source. */
static inline uint64_t rm_read_size(struct cpu *c, const struct op *op, unsigned size)
{
    if (op->flags & OPF_MEM) {
        return lin_read(c, ea_linear(c, op, 1u << size, false), 1u << size);
    }
    return reg_read(c, op->rm, size);
}

static inline uint64_t rm_read(struct cpu *c, const struct op *op)
{
    return rm_read_size(c, op, op->size);
}

/* ModRM.rm as a destination only. */
static inline void rm_write(struct cpu *c, const struct op *op, uint64_t v)
{
    if (op->flags & OPF_MEM) {
        lin_write(c, ea_linear(c, op, 1u << op->size, true), 1u << op->size, v);
    } else {
        reg_write(c, op->rm, op->size, v);
    }
}

/* ModRM.rm as source and destination: the read checks that the write will succeed. */
static inline uint64_t rm_read_rmw(struct cpu *c, const struct op *op)
{
    if (op->flags & OPF_MEM) {
        unsigned bytes = 1u << op->size;
        c->rmw_la = ea_linear(c, op, bytes, true);
        lin_probe_write(c, c->rmw_la, bytes);
        return lin_read(c, c->rmw_la, bytes);
    }
    return reg_read(c, op->rm, op->size);
}

static inline void rm_write_rmw(struct cpu *c, const struct op *op, uint64_t v)
{
    if (op->flags & OPF_MEM) {
        lin_write(c, c->rmw_la, 1u << op->size, v);
    } else {
        reg_write(c, op->rm, op->size, v);
    }
}

/*
 * An RMW instruction must not commit flags before its write. The flags that the operation computed
 * are set aside during the write.
 */
struct flags_saved {
    uint64_t z, c;
    int64_t s;
};

static inline struct flags_saved flags_save(const struct cpu *c)
{
    return (struct flags_saved){c->fl_z, c->fl_c, c->fl_s};
}

static inline void flags_restore(struct cpu *c, struct flags_saved f)
{
    c->fl_z = f.z;
    c->fl_c = f.c;
    c->fl_s = f.s;
}

/* Writes an RMW result; the flags are those of the operation afterwards, of before if it faults. */
static inline void rm_commit(struct cpu *c, const struct op *op, struct flags_saved before,
                             uint64_t v)
{
    if (op->flags & OPF_MEM) {
        struct flags_saved after = flags_save(c);
        flags_restore(c, before);
        lin_write(c, c->rmw_la, 1u << op->size, v);
        flags_restore(c, after);
    } else {
        reg_write(c, op->rm, op->size, v);
    }
}

/* ---- Stack ---- */

static inline uint64_t stack_mask(const struct cpu *c)
{
    if (c->mode == MODE_64) {
        return ~0ULL;
    }
    return c->seg[CPU_SS].attr & 0x400 ? 0xFFFFFFFF : 0xFFFF;
}

static inline void stack_set(struct cpu *c, uint64_t rsp)
{
    uint64_t m = stack_mask(c);
    c->gpr[CPU_RSP] = m == 0xFFFF ? (c->gpr[CPU_RSP] & ~m) | (rsp & m) : rsp & m;
}

/* Linear address of `off` bytes above the stack pointer. */
static inline uint64_t stack_linear(struct cpu *c, int64_t off, unsigned bytes, bool write)
{
    return seg_linear(c, CPU_SS, (c->gpr[CPU_RSP] + (uint64_t)off) & stack_mask(c), bytes, write);
}

static inline void stack_push(struct cpu *c, unsigned size, uint64_t v)
{
    unsigned bytes = 1u << size;
    lin_write(c, stack_linear(c, -(int64_t)bytes, bytes, true), bytes, v);
    stack_set(c, c->gpr[CPU_RSP] - bytes);
}

/* Reads without popping. */
static inline uint64_t stack_peek(struct cpu *c, unsigned size, int64_t off)
{
    return lin_read(c, stack_linear(c, off, 1u << size, false), 1u << size);
}

static inline void require_cpl0(struct cpu *c)
{
    if (c->cpl != 0) {
        raise_gp(c, 0);
    }
}

#endif
