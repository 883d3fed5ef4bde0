/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fast integer arithmetic. Each operation exists in nine forms and four widths. */
#include "fast.h"

#define ALU_FORMS(name, bits)                                                                      \
    FAST(name##_rr_##bits)                                                                         \
    {                                                                                              \
        U(bits) r = alu_##name##_##bits(c, GET_##bits(op->rm), GET_##bits(op->reg));               \
        SET_##bits(op->rm, r);                                                                     \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(name##_rv_##bits) /* reg, rm: registers */                                                \
    {                                                                                              \
        U(bits) r = alu_##name##_##bits(c, GET_##bits(op->reg), GET_##bits(op->rm));               \
        SET_##bits(op->reg, r);                                                                    \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(name##_ri_##bits)                                                                         \
    {                                                                                              \
        U(bits) r = alu_##name##_##bits(c, GET_##bits(op->rm), (U(bits))(int32_t)op->imm);         \
        SET_##bits(op->rm, r);                                                                     \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    ALU_MEMORY(name, bits, 0)                                                                      \
    ALU_MEMORY(name, bits, 1)

#define ALU_MEMORY(name, bits, ea)                                                                 \
    FAST(name##_rm##ea##_##bits) /* reg, memory */                                                 \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA##ea(), rtag);                                                     \
        U(bits) r = alu_##name##_##bits(c, GET_##bits(op->reg), *p);                               \
        SET_##bits(op->reg, r);                                                                    \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(name##_mr##ea##_##bits) /* memory, reg */                                                 \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA##ea(), wtag);                                                     \
        *p = alu_##name##_##bits(c, *p, GET_##bits(op->reg));                                      \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(name##_mi##ea##_##bits)                                                                   \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA##ea(), wtag);                                                     \
        *p = alu_##name##_##bits(c, *p, (U(bits))(int32_t)op->imm);                                \
        NEXT_FAST();                                                                               \
    }

#define ALU_SET(name, form, r, m)                                                                  \
    const struct fastset fast_##name##_##form = {                                                  \
        {NULL, name##_##r##_16, name##_##r##_32, name##_##r##_64},                                 \
        {NULL, name##_##m##0_16, name##_##m##0_32, name##_##m##0_64},                              \
        {NULL, name##_##m##1_16, name##_##m##1_32, name##_##m##1_64},                              \
    };                                                                                             \
    const struct fastset fast_##name##_##form##_8 = {                                              \
        {name##_##r##_8}, {name##_##m##0_8}, {name##_##m##1_8}};

#define ALU_ALL(name)                                                                              \
    ALU_FORMS(name, 8)                                                                             \
    ALU_FORMS(name, 16)                                                                            \
    ALU_FORMS(name, 32)                                                                            \
    ALU_FORMS(name, 64)                                                                            \
    ALU_SET(name, rm_reg, rr, mr)                                                                  \
    ALU_SET(name, reg_rm, rv, rm)                                                                  \
    ALU_SET(name, rm_imm, ri, mi)

ALU_ALL(add)
ALU_ALL(or)
ALU_ALL(adc)
ALU_ALL(sbb)
ALU_ALL(and)
ALU_ALL(sub)
ALU_ALL(xor)

/* ---- CMP and TEST write flags only ---- */

#define CMP_FORMS(name, fn, bits)                                                                  \
    FAST(name##_rr_##bits)                                                                         \
    {                                                                                              \
        fn##_##bits(c, GET_##bits(op->rm), GET_##bits(op->reg));                                   \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(name##_ri_##bits)                                                                         \
    {                                                                                              \
        fn##_##bits(c, GET_##bits(op->rm), (U(bits))(int32_t)op->imm);                             \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    CMP_MEMORY(name, fn, bits, 0)                                                                  \
    CMP_MEMORY(name, fn, bits, 1)

#define CMP_MEMORY(name, fn, bits, ea)                                                             \
    FAST(name##_mr##ea##_##bits)                                                                   \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA##ea(), rtag);                                                     \
        fn##_##bits(c, *p, GET_##bits(op->reg));                                                   \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(name##_mi##ea##_##bits)                                                                   \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA##ea(), rtag);                                                     \
        fn##_##bits(c, *p, (U(bits))(int32_t)op->imm);                                             \
        NEXT_FAST();                                                                               \
    }

#define CMP_REVERSED(bits)                                                                         \
    FAST(cmp_rv_##bits)                                                                            \
    {                                                                                              \
        alu_sub_##bits(c, GET_##bits(op->reg), GET_##bits(op->rm));                                \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(cmp_rm0_##bits)                                                                           \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA0(), rtag);                                                        \
        alu_sub_##bits(c, GET_##bits(op->reg), *p);                                                \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(cmp_rm1_##bits)                                                                           \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA1(), rtag);                                                        \
        alu_sub_##bits(c, GET_##bits(op->reg), *p);                                                \
        NEXT_FAST();                                                                               \
    }

CMP_FORMS(cmp, alu_sub, 8)
CMP_FORMS(cmp, alu_sub, 16)
CMP_FORMS(cmp, alu_sub, 32)
CMP_FORMS(cmp, alu_sub, 64)
CMP_REVERSED(8)
CMP_REVERSED(16)
CMP_REVERSED(32)
CMP_REVERSED(64)
ALU_SET(cmp, rm_reg, rr, mr)
ALU_SET(cmp, reg_rm, rv, rm)
ALU_SET(cmp, rm_imm, ri, mi)

CMP_FORMS(test, alu_and, 8)
CMP_FORMS(test, alu_and, 16)
CMP_FORMS(test, alu_and, 32)
CMP_FORMS(test, alu_and, 64)
ALU_SET(test, rm_reg, rr, mr)
ALU_SET(test, rm_imm, ri, mi)

/* ---- One operand ---- */

#define UNARY_FORMS(name, bits, expr)                                                              \
    FAST(name##_r_##bits)                                                                          \
    {                                                                                              \
        U(bits) a = GET_##bits(op->rm);                                                            \
        SET_##bits(op->rm, expr);                                                                  \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(name##_m0_##bits)                                                                         \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA0(), wtag);                                                        \
        U(bits) a = *p;                                                                            \
        *p = (U(bits))(expr);                                                                      \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(name##_m1_##bits)                                                                         \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA1(), wtag);                                                        \
        U(bits) a = *p;                                                                            \
        *p = (U(bits))(expr);                                                                      \
        NEXT_FAST();                                                                               \
    }

#define UNARY_ALL(name, e8, e16, e32, e64)                                                         \
    UNARY_FORMS(name, 8, e8)                                                                       \
    UNARY_FORMS(name, 16, e16)                                                                     \
    UNARY_FORMS(name, 32, e32)                                                                     \
    UNARY_FORMS(name, 64, e64)                                                                     \
    ALU_SET(name, rm, r, m)

UNARY_ALL(inc, alu_inc_8(c, a), alu_inc_16(c, a), alu_inc_32(c, a), alu_inc_64(c, a))
UNARY_ALL(dec, alu_dec_8(c, a), alu_dec_16(c, a), alu_dec_32(c, a), alu_dec_64(c, a))
UNARY_ALL(neg, alu_sub_8(c, 0, a), alu_sub_16(c, 0, a), alu_sub_32(c, 0, a), alu_sub_64(c, 0, a))
UNARY_ALL(not, ~a, ~a, ~a, ~a)
