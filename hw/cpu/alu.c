/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generic integer arithmetic: ADD to CMP, TEST, INC, DEC, NOT, NEG, BCD adjustments. */
#include "exec.h"

#define ALU_HANDLERS(name)                                                                         \
    OP(op_##name##_rm_reg)                                                                         \
    {                                                                                              \
        ENTER();                                                                                   \
        struct flags_saved before = flags_save(c);                                                 \
        uint64_t a = rm_read_rmw(c, op);                                                           \
        uint64_t r = alu_##name(c, op->size, a, reg_read(c, op->reg, op->size));                   \
        rm_commit(c, op, before, r);                                                               \
        NEXT();                                                                                    \
    }                                                                                              \
    OP(op_##name##_reg_rm)                                                                         \
    {                                                                                              \
        ENTER();                                                                                   \
        uint64_t b = rm_read(c, op);                                                               \
        uint64_t a = reg_read(c, op->reg, op->size);                                               \
        reg_write(c, op->reg, op->size, alu_##name(c, op->size, a, b));                            \
        NEXT();                                                                                    \
    }                                                                                              \
    OP(op_##name##_rm_imm)                                                                         \
    {                                                                                              \
        ENTER();                                                                                   \
        struct flags_saved before = flags_save(c);                                                 \
        uint64_t a = rm_read_rmw(c, op);                                                           \
        uint64_t r = alu_##name(c, op->size, a, (uint64_t)(int32_t)op->imm);                       \
        rm_commit(c, op, before, r);                                                               \
        NEXT();                                                                                    \
    }

ALU_HANDLERS(add)
ALU_HANDLERS(or)
ALU_HANDLERS(adc)
ALU_HANDLERS(sbb)
ALU_HANDLERS(and)
ALU_HANDLERS(sub)
ALU_HANDLERS(xor)

OP(op_cmp_rm_reg)
{
    ENTER();
    alu_sub(c, op->size, rm_read(c, op), reg_read(c, op->reg, op->size));
    NEXT();
}

OP(op_cmp_reg_rm)
{
    ENTER();
    uint64_t b = rm_read(c, op);
    alu_sub(c, op->size, reg_read(c, op->reg, op->size), b);
    NEXT();
}

OP(op_cmp_rm_imm)
{
    ENTER();
    alu_sub(c, op->size, rm_read(c, op), (uint64_t)(int32_t)op->imm);
    NEXT();
}

OP(op_test_rm_reg)
{
    ENTER();
    alu_and(c, op->size, rm_read(c, op), reg_read(c, op->reg, op->size));
    NEXT();
}

OP(op_test_rm_imm)
{
    ENTER();
    alu_and(c, op->size, rm_read(c, op), (uint64_t)(int32_t)op->imm);
    NEXT();
}

static uint64_t alu_inc(struct cpu *c, unsigned size, uint64_t a)
{
    switch (size) {
    case SZ_8: return alu_inc_8(c, (uint8_t)a);
    case SZ_16: return alu_inc_16(c, (uint16_t)a);
    case SZ_32: return alu_inc_32(c, (uint32_t)a);
    default: return alu_inc_64(c, a);
    }
}

static uint64_t alu_dec(struct cpu *c, unsigned size, uint64_t a)
{
    switch (size) {
    case SZ_8: return alu_dec_8(c, (uint8_t)a);
    case SZ_16: return alu_dec_16(c, (uint16_t)a);
    case SZ_32: return alu_dec_32(c, (uint32_t)a);
    default: return alu_dec_64(c, a);
    }
}

OP(op_inc_rm)
{
    ENTER();
    struct flags_saved before = flags_save(c);
    uint64_t a = rm_read_rmw(c, op);
    rm_commit(c, op, before, alu_inc(c, op->size, a));
    NEXT();
}

OP(op_dec_rm)
{
    ENTER();
    struct flags_saved before = flags_save(c);
    uint64_t a = rm_read_rmw(c, op);
    rm_commit(c, op, before, alu_dec(c, op->size, a));
    NEXT();
}

OP(op_not_rm)
{
    ENTER();
    rm_write_rmw(c, op, ~rm_read_rmw(c, op));
    NEXT();
}

OP(op_neg_rm)
{
    ENTER();
    struct flags_saved before = flags_save(c);
    uint64_t a = rm_read_rmw(c, op);
    rm_commit(c, op, before, alu_sub(c, op->size, 0, a));
    NEXT();
}

/* ---- BCD, outside 64-bit mode (SDM volume 2) ---- */

static uint8_t get_al(const struct cpu *c)
{
    return (uint8_t)c->gpr[CPU_RAX];
}

static void set_ax(struct cpu *c, unsigned v)
{
    reg_write(c, CPU_RAX, SZ_16, v);
}

static void decimal_adjust(struct cpu *c, int sign)
{
    unsigned old = get_al(c), al = old;
    bool cf = flag_cf(c), af = flag_af(c), new_cf = false;
    if ((al & 0xF) > 9 || af) {
        new_cf = cf || (sign > 0 ? al + 6 > 0xFF : al < 6);
        al = (al + (unsigned)(6 * sign)) & 0xFF;
        af = true;
    } else {
        af = false;
    }
    if (old > 0x99 || cf) {
        al = (al + (unsigned)(0x60 * sign)) & 0xFF;
        new_cf = true;
    } else if (sign > 0) {
        new_cf = false;
    }
    ((uint8_t *)c->gpr)[0] = (uint8_t)al;
    flags_set_result(c, (int8_t)al);
    flags_set_carries(c, new_cf, false, af);
}

OP(op_daa)
{
    ENTER();
    decimal_adjust(c, 1);
    NEXT();
}

OP(op_das)
{
    ENTER();
    decimal_adjust(c, -1);
    NEXT();
}

static void ascii_adjust(struct cpu *c, int sign)
{
    unsigned ax = (uint16_t)c->gpr[CPU_RAX];
    bool adjust = (ax & 0xF) > 9 || flag_af(c);
    if (adjust) {
        ax = sign > 0 ? ax + 0x106 : ax - 0x106;
    }
    set_ax(c, ax & 0xFF0F);
    flags_set_carries(c, adjust, flag_of(c), adjust);
}

OP(op_aaa)
{
    ENTER();
    ascii_adjust(c, 1);
    NEXT();
}

OP(op_aas)
{
    ENTER();
    ascii_adjust(c, -1);
    NEXT();
}

OP(op_aam)
{
    ENTER();
    unsigned base = op->imm & 0xFF, al = get_al(c);
    if (base == 0) {
        cpu_raise(c, EXC_DE);
    }
    set_ax(c, (al / base) << 8 | al % base);
    flags_set_result(c, (int8_t)(al % base));
    flags_set_carries(c, false, false, false);
    NEXT();
}

OP(op_aad)
{
    ENTER();
    unsigned ax = (uint16_t)c->gpr[CPU_RAX];
    unsigned r = ((ax & 0xFF) + (ax >> 8) * (op->imm & 0xFF)) & 0xFF;
    set_ax(c, r);
    flags_set_result(c, (int8_t)r);
    flags_set_carries(c, false, false, false);
    NEXT();
}
