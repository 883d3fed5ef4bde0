/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Multiplication, division, and the sign extensions that prepare them. Flags that the SDM leaves
 * undefined keep their values.
 */
#include "exec.h"

static void mul_flags(struct cpu *c, bool overflow)
{
    flags_set_carries(c, overflow, overflow, flag_af(c));
}

/* Writes a double-width result: AX, or rDX:rAX. */
static void write_pair(struct cpu *c, unsigned size, uint64_t lo, uint64_t hi)
{
    if (size == SZ_8) {
        reg_write(c, CPU_RAX, SZ_16, (hi & 0xFF) << 8 | (lo & 0xFF));
    } else {
        reg_write(c, CPU_RAX, size, lo);
        reg_write(c, CPU_RDX, size, hi);
    }
}

OP(op_mul_rm)
{
    ENTER();
    uint64_t b = rm_read(c, op), a = reg_read(c, CPU_RAX, op->size), lo, hi;
    unsigned bits = 8u << op->size;
    if (op->size == SZ_64) {
        unsigned __int128 p = (unsigned __int128)a * b;
        lo = (uint64_t)p;
        hi = (uint64_t)(p >> 64);
    } else {
        lo = a * b;
        hi = lo >> bits;
    }
    write_pair(c, op->size, lo, hi);
    mul_flags(c, hi != 0);
    NEXT();
}

OP(op_imul_rm)
{
    ENTER();
    int64_t b = sext(rm_read(c, op), op->size), a = sext(c->gpr[CPU_RAX], op->size);
    unsigned bits = 8u << op->size;
    uint64_t lo, hi;
    bool over;
    if (op->size == SZ_64) {
        __int128 p = (__int128)a * b;
        lo = (uint64_t)p;
        hi = (uint64_t)(p >> 64);
        over = p != (int64_t)p;
    } else {
        int64_t p = a * b;
        lo = (uint64_t)p;
        hi = (uint64_t)(p >> bits);
        over = p != sext(lo, op->size);
    }
    write_pair(c, op->size, lo, hi);
    mul_flags(c, over);
    NEXT();
}

static uint64_t imul_two(struct cpu *c, unsigned size, int64_t a, int64_t b)
{
    int64_t r;
    bool over = __builtin_mul_overflow(a, b, &r);
    over |= sext((uint64_t)r, size) != r;
    mul_flags(c, over);
    return (uint64_t)r;
}

OP(op_imul_reg_rm)
{
    ENTER();
    int64_t b = sext(rm_read(c, op), op->size);
    int64_t a = sext(c->gpr[op->reg], op->size);
    reg_write(c, op->reg, op->size, imul_two(c, op->size, a, b));
    NEXT();
}

OP(op_imul_reg_rm_imm)
{
    ENTER();
    int64_t a = sext(rm_read(c, op), op->size);
    reg_write(c, op->reg, op->size, imul_two(c, op->size, a, (int32_t)op->imm));
    NEXT();
}

static void raise_de(struct cpu *c) __attribute__((noreturn));
static void raise_de(struct cpu *c)
{
    cpu_raise(c, EXC_DE);
}

/* The dividend, zero-extended. */
static unsigned __int128 dividend(const struct cpu *c, unsigned size)
{
    if (size == SZ_8) {
        return (uint16_t)c->gpr[CPU_RAX];
    }
    unsigned bits = 8u << size;
    return (unsigned __int128)reg_read(c, CPU_RDX, size) << bits | reg_read(c, CPU_RAX, size);
}

static void write_quotient(struct cpu *c, unsigned size, uint64_t q, uint64_t r)
{
    if (size == SZ_8) {
        reg_write(c, CPU_RAX, SZ_16, (r & 0xFF) << 8 | (q & 0xFF));
    } else {
        reg_write(c, CPU_RAX, size, q);
        reg_write(c, CPU_RDX, size, r);
    }
}

OP(op_div_rm)
{
    ENTER();
    uint64_t b = rm_read(c, op), q, r;
    unsigned __int128 a = dividend(c, op->size);
    unsigned bits = 8u << op->size;
    if (b == 0) {
        raise_de(c);
    }
    if (a >> 64 == 0) {
        q = (uint64_t)a / b;
        r = (uint64_t)a % b;
    } else {
        if ((uint64_t)(a >> 64) >= b) {
            raise_de(c);
        }
        q = (uint64_t)(a / b);
        r = (uint64_t)(a % b);
    }
    if (q & ~low_mask(bits)) {
        raise_de(c);
    }
    write_quotient(c, op->size, q, r);
    NEXT();
}

OP(op_idiv_rm)
{
    ENTER();
    int64_t b = sext(rm_read(c, op), op->size);
    unsigned wide = 16u << op->size;
    __int128 a = (__int128)(dividend(c, op->size) << (128 - wide)) >> (128 - wide);
    if (b == 0) {
        raise_de(c);
    }
    /* The quotient of magnitudes cannot trap: -2^127 / -1 is an overflow of the quotient anyway. */
    unsigned __int128 ua = a < 0 ? -(unsigned __int128)a : (unsigned __int128)a;
    uint64_t ub = b < 0 ? -(uint64_t)b : (uint64_t)b;
    unsigned __int128 uq = ua / ub;
    bool negative = (a < 0) != (b < 0);
    uint64_t limit = 1ULL << ((8u << op->size) - 1);
    if (uq > (negative ? limit : limit - 1)) {
        raise_de(c);
    }
    uint64_t q = (uint64_t)uq, r = (uint64_t)(ua % ub);
    write_quotient(c, op->size, negative ? -q : q, a < 0 ? -r : r);
    NEXT();
}

/* CBW, CWDE, CDQE */
OP(op_cbw)
{
    ENTER();
    reg_write(c, CPU_RAX, op->size, (uint64_t)sext(c->gpr[CPU_RAX], op->size - 1u));
    NEXT();
}

/* CWD, CDQ, CQO */
OP(op_cwd)
{
    ENTER();
    reg_write(c, CPU_RDX, op->size, (uint64_t)(sext(c->gpr[CPU_RAX], op->size) >> 63));
    NEXT();
}
