/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generic shifts and rotates. Flags that the SDM leaves undefined: AF 0, OF as for a count of 1. */
#include "exec.h"

static bool top_bit(uint64_t v, unsigned size)
{
    return v >> ((8u << size) - 1) & 1;
}

static unsigned count_mask(unsigned size)
{
    return size == SZ_64 ? 63 : 31;
}

static uint64_t do_shl(struct cpu *c, unsigned size, uint64_t a, unsigned n)
{
    unsigned bits = 8u << size;
    uint64_t r = zext(a << n, size);
    bool cf = n <= bits && a >> (bits - n) & 1;
    flags_set_result(c, sext(r, size));
    flags_set_carries(c, cf, cf ^ top_bit(r, size), false);
    return r;
}

static uint64_t do_shr(struct cpu *c, unsigned size, uint64_t a, unsigned n)
{
    uint64_t r = a >> n;
    flags_set_result(c, sext(r, size));
    flags_set_carries(c, a >> (n - 1) & 1, top_bit(a, size), false);
    return r;
}

static uint64_t do_sar(struct cpu *c, unsigned size, uint64_t a, unsigned n)
{
    int64_t s = sext(a, size);
    flags_set_result(c, s >> n);
    flags_set_carries(c, s >> (n - 1) & 1, false, false);
    return zext((uint64_t)(s >> n), size);
}

/* Rotates change CF and OF only. */
static uint64_t do_rol(struct cpu *c, unsigned size, uint64_t a, unsigned n)
{
    unsigned bits = 8u << size, k = n & (bits - 1);
    uint64_t r = k ? zext(a << k | a >> (bits - k), size) : a;
    bool cf = r & 1;
    flags_set_carries(c, cf, cf ^ top_bit(r, size), flag_af(c));
    return r;
}

static uint64_t do_ror(struct cpu *c, unsigned size, uint64_t a, unsigned n)
{
    unsigned bits = 8u << size, k = n & (bits - 1);
    uint64_t r = k ? zext(a >> k | a << (bits - k), size) : a;
    bool cf = top_bit(r, size);
    flags_set_carries(c, cf, cf ^ (r >> (bits - 2) & 1), flag_af(c));
    return r;
}

static uint64_t do_rcl(struct cpu *c, unsigned size, uint64_t a, unsigned n)
{
    unsigned bits = 8u << size;
    bool cf = flag_cf(c);
    for (n %= bits + 1; n > 0; n--) {
        bool out = top_bit(a, size);
        a = zext(a << 1 | cf, size);
        cf = out;
    }
    flags_set_carries(c, cf, cf ^ top_bit(a, size), flag_af(c));
    return a;
}

static uint64_t do_rcr(struct cpu *c, unsigned size, uint64_t a, unsigned n)
{
    unsigned bits = 8u << size;
    bool cf = flag_cf(c), of = flag_of(c);
    n %= bits + 1;
    if (n > 0) {
        of = cf ^ top_bit(a, size);
    }
    for (; n > 0; n--) {
        bool out = a & 1;
        a = a >> 1 | (uint64_t)cf << (bits - 1);
        cf = out;
    }
    flags_set_carries(c, cf, of, flag_af(c));
    return a;
}

/* By an immediate, by 1 (the decoder makes that an immediate) and by CL. */
#define SHIFT_HANDLERS(name)                                                                       \
    static const struct op *shift_##name(struct cpu *c, const struct op *op, unsigned n)           \
    {                                                                                              \
        struct flags_saved before = flags_save(c);                                                 \
        uint64_t a = rm_read_rmw(c, op);                                                           \
        n &= count_mask(op->size);                                                                 \
        rm_commit(c, op, before, n ? do_##name(c, op->size, a, n) : a);                            \
        NEXT();                                                                                    \
    }                                                                                              \
    OP(op_##name##_imm)                                                                            \
    {                                                                                              \
        ENTER();                                                                                   \
        return shift_##name(c, op, op->imm);                                                       \
    }                                                                                              \
    OP(op_##name##_cl)                                                                             \
    {                                                                                              \
        ENTER();                                                                                   \
        return shift_##name(c, op, (unsigned)c->gpr[CPU_RCX]);                                     \
    }

SHIFT_HANDLERS(rol)
SHIFT_HANDLERS(ror)
SHIFT_HANDLERS(rcl)
SHIFT_HANDLERS(rcr)
SHIFT_HANDLERS(shl)
SHIFT_HANDLERS(shr)
SHIFT_HANDLERS(sar)

/*
 * Double shifts. A count above 16 of a 16-bit operand is undefined; like the processors we know of,
 * the operands then repeat: destination, source, destination.
 */
static const struct op *do_shld(struct cpu *c, const struct op *op, unsigned n)
{
    struct flags_saved before = flags_save(c);
    unsigned bits = 8u << op->size;
    uint64_t a = rm_read_rmw(c, op), b = reg_read(c, op->reg, op->size), r = a;
    n &= count_mask(op->size);
    if (n) {
        bool cf;
        if (n <= bits) {
            r = zext((n < bits ? a << n : 0) | b >> (bits - n), op->size);
            cf = a >> (bits - n) & 1;
        } else {
            r = zext(b << (n - bits) | a >> (2 * bits - n), op->size);
            cf = b >> (2 * bits - n) & 1;
        }
        flags_set_result(c, sext(r, op->size));
        flags_set_carries(c, cf, top_bit(r ^ a, op->size), false);
    }
    rm_commit(c, op, before, r);
    NEXT();
}

static const struct op *do_shrd(struct cpu *c, const struct op *op, unsigned n)
{
    struct flags_saved before = flags_save(c);
    unsigned bits = 8u << op->size;
    uint64_t a = rm_read_rmw(c, op), b = reg_read(c, op->reg, op->size), r = a;
    n &= count_mask(op->size);
    if (n) {
        bool cf;
        if (n <= bits) {
            r = zext((n < bits ? a >> n : 0) | b << (bits - n), op->size);
            cf = a >> (n - 1) & 1;
        } else {
            r = zext(b >> (n - bits) | a << (2 * bits - n), op->size);
            cf = b >> (n - bits - 1) & 1;
        }
        flags_set_result(c, sext(r, op->size));
        flags_set_carries(c, cf, top_bit(r ^ a, op->size), false);
    }
    rm_commit(c, op, before, r);
    NEXT();
}

OP(op_shld_imm)
{
    ENTER();
    return do_shld(c, op, op->imm);
}

OP(op_shld_cl)
{
    ENTER();
    return do_shld(c, op, (unsigned)c->gpr[CPU_RCX]);
}

OP(op_shrd_imm)
{
    ENTER();
    return do_shrd(c, op, op->imm);
}

OP(op_shrd_cl)
{
    ENTER();
    return do_shrd(c, op, (unsigned)c->gpr[CPU_RCX]);
}
