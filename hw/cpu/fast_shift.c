/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fast shifts of registers, multiplications, bit tests, locked read-modify-writes. */
#include "fast.h"

/* ---- Shifts, 32 and 64 bits, registers ---- */

#define SHIFT_BODY_shl(bits)                                                                       \
    U(bits) r = (U(bits))(a << n);                                                                 \
    bool cf = a >> (bits - n) & 1, of = cf ^ (r >> (bits - 1));
#define SHIFT_BODY_shr(bits)                                                                       \
    U(bits) r = a >> n;                                                                            \
    bool cf = a >> (n - 1) & 1, of = a >> (bits - 1);
#define SHIFT_BODY_sar(bits)                                                                       \
    U(bits) r = (U(bits))((S(bits))a >> n);                                                        \
    bool cf = (S(bits))a >> (n - 1) & 1, of = false;

#define SHIFT_FORMS(name, bits)                                                                    \
    FAST(name##_imm_##bits)                                                                        \
    {                                                                                              \
        unsigned n = op->imm & (bits - 1);                                                         \
        U(bits) a = GET_##bits(op->rm);                                                            \
        if (unlikely(n == 0)) {                                                                    \
            SLOW();                                                                                \
        }                                                                                          \
        SHIFT_BODY_##name(bits) flags_set_result(c, (S(bits))r);                                   \
        flags_set_carries(c, cf, of, false);                                                       \
        SET_##bits(op->rm, r);                                                                     \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(name##_cl_##bits)                                                                         \
    {                                                                                              \
        unsigned n = (unsigned)c->gpr[CPU_RCX] & (bits - 1);                                       \
        U(bits) a = GET_##bits(op->rm);                                                            \
        if (unlikely(n == 0)) {                                                                    \
            SLOW();                                                                                \
        }                                                                                          \
        SHIFT_BODY_##name(bits) flags_set_result(c, (S(bits))r);                                   \
        flags_set_carries(c, cf, of, false);                                                       \
        SET_##bits(op->rm, r);                                                                     \
        NEXT_FAST();                                                                               \
    }

#define SHIFT_SETS(name)                                                                           \
    SHIFT_FORMS(name, 32)                                                                          \
    SHIFT_FORMS(name, 64)                                                                          \
    const struct fastset fast_##name##_imm = {                                                     \
        {NULL, NULL, name##_imm_32, name##_imm_64}, {NULL}, {NULL}};                               \
    const struct fastset fast_##name##_cl = {                                                      \
        {NULL, NULL, name##_cl_32, name##_cl_64}, {NULL}, {NULL}};

SHIFT_SETS(shl)
SHIFT_SETS(shr)
SHIFT_SETS(sar)

/* Rotates change CF and OF only. */
#define ROTATE_FORMS(name, bits, expr, cfexpr, ofexpr)                                             \
    FAST(name##_imm_##bits)                                                                        \
    {                                                                                              \
        unsigned n = op->imm & (bits - 1);                                                         \
        U(bits) a = GET_##bits(op->rm);                                                            \
        if (unlikely(n == 0)) {                                                                    \
            SLOW();                                                                                \
        }                                                                                          \
        U(bits) r = (U(bits))(expr);                                                               \
        flags_set_carries(c, cfexpr, ofexpr, flag_af(c));                                          \
        SET_##bits(op->rm, r);                                                                     \
        NEXT_FAST();                                                                               \
    }

ROTATE_FORMS(rol, 32, a << n | a >> (32 - n), r & 1, (r ^ r >> 31) & 1)
ROTATE_FORMS(rol, 64, a << n | a >> (64 - n), r & 1, (r ^ r >> 63) & 1)
ROTATE_FORMS(ror, 32, a >> n | a << (32 - n), r >> 31, (r >> 31 ^ r >> 30) & 1)
ROTATE_FORMS(ror, 64, a >> n | a << (64 - n), r >> 63, (r >> 63 ^ r >> 62) & 1)
const struct fastset fast_rol_imm = {{NULL, NULL, rol_imm_32, rol_imm_64}, {NULL}, {NULL}};
const struct fastset fast_ror_imm = {{NULL, NULL, ror_imm_32, ror_imm_64}, {NULL}, {NULL}};
const struct fastset fast_rol_cl = {{NULL}, {NULL}, {NULL}};
const struct fastset fast_ror_cl = {{NULL}, {NULL}, {NULL}};

/* ---- Multiplication ---- */

#define IMUL_FORMS(bits)                                                                           \
    static inline U(bits) imul_flags_##bits(struct cpu *c, S(bits) a, S(bits) b)                   \
    {                                                                                              \
        S(bits) r;                                                                                 \
        bool over = __builtin_mul_overflow(a, b, &r);                                              \
        flags_set_carries(c, over, over, flag_af(c));                                              \
        return (U(bits))r;                                                                         \
    }                                                                                              \
    FAST(imul_rr_##bits)                                                                           \
    {                                                                                              \
        U(bits)                                                                                    \
        r = imul_flags_##bits(c, (S(bits))GET_##bits(op->reg), (S(bits))GET_##bits(op->rm));       \
        SET_##bits(op->reg, r);                                                                    \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(imul_ri_##bits)                                                                           \
    {                                                                                              \
        U(bits) r = imul_flags_##bits(c, (S(bits))GET_##bits(op->rm), (int32_t)op->imm);           \
        SET_##bits(op->reg, r);                                                                    \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(imul_rm0_##bits)                                                                          \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA0(), rtag);                                                        \
        U(bits) r = imul_flags_##bits(c, (S(bits))GET_##bits(op->reg), (S(bits)) * p);             \
        SET_##bits(op->reg, r);                                                                    \
        NEXT_FAST();                                                                               \
    }

IMUL_FORMS(32)
IMUL_FORMS(64)
const struct fastset fast_imul_reg_rm = {
    {NULL, NULL, imul_rr_32, imul_rr_64}, {NULL, NULL, imul_rm0_32, imul_rm0_64}, {NULL}};
const struct fastset fast_imul_reg_rm_imm = {{NULL, NULL, imul_ri_32, imul_ri_64}, {NULL}, {NULL}};

FAST(cdqe)
{
    c->gpr[CPU_RAX] = (uint64_t)(int64_t)(int32_t)c->gpr[CPU_RAX];
    NEXT_FAST();
}

FAST(cdq)
{
    c->gpr[CPU_RDX] = (uint32_t)((int32_t)c->gpr[CPU_RAX] >> 31);
    NEXT_FAST();
}

FAST(cqo)
{
    c->gpr[CPU_RDX] = (uint64_t)((int64_t)c->gpr[CPU_RAX] >> 63);
    NEXT_FAST();
}

const struct fastset fast_cbw = {{NULL, NULL, NULL, cdqe}, {NULL}, {NULL}};
const struct fastset fast_cwd = {{NULL, NULL, cdq, cqo}, {NULL}, {NULL}};

/* ---- Bits ---- */

#define BT_FORMS(bits)                                                                             \
    FAST(bt_rr_##bits)                                                                             \
    {                                                                                              \
        flags_set_cf(c, GET_##bits(op->rm) >> (c->gpr[op->reg] & (bits - 1)) & 1);                 \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(bt_ri_##bits)                                                                             \
    {                                                                                              \
        flags_set_cf(c, GET_##bits(op->rm) >> (op->imm & (bits - 1)) & 1);                         \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(bt_mr0_##bits)                                                                            \
    {                                                                                              \
        int64_t off = (S(bits))c->gpr[op->reg];                                                    \
        uint64_t va = EA0() + (uint64_t)((off >> (bits == 64 ? 6 : 5)) * (bits / 8));              \
        HOST_AT(MEM(bits), p, va, rtag);                                                           \
        flags_set_cf(c, *p >> (off & (bits - 1)) & 1);                                             \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(bsf_rr_##bits)                                                                            \
    {                                                                                              \
        U(bits) a = GET_##bits(op->rm);                                                            \
        if (a) {                                                                                   \
            SET_##bits(op->reg, (U(bits))__builtin_ctzll(a));                                      \
        }                                                                                          \
        c->fl_z = a != 0;                                                                          \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(bsr_rr_##bits)                                                                            \
    {                                                                                              \
        U(bits) a = GET_##bits(op->rm);                                                            \
        if (a) {                                                                                   \
            SET_##bits(op->reg, (U(bits))(63 - __builtin_clzll(a)));                               \
        }                                                                                          \
        c->fl_z = a != 0;                                                                          \
        NEXT_FAST();                                                                               \
    }

BT_FORMS(32)
BT_FORMS(64)
const struct fastset fast_bt_reg = {
    {NULL, NULL, bt_rr_32, bt_rr_64}, {NULL, NULL, bt_mr0_32, bt_mr0_64}, {NULL}};
const struct fastset fast_bt_imm = {{NULL, NULL, bt_ri_32, bt_ri_64}, {NULL}, {NULL}};
const struct fastset fast_bsf = {{NULL, NULL, bsf_rr_32, bsf_rr_64}, {NULL}, {NULL}};
const struct fastset fast_bsr = {{NULL, NULL, bsr_rr_32, bsr_rr_64}, {NULL}, {NULL}};

/* ---- CMPXCHG and XADD on memory ---- */

#define RMW_FORMS(bits, ea)                                                                        \
    FAST(cmpxchg_m##ea##_##bits)                                                                   \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA##ea(), wtag);                                                     \
        U(bits) a = *p, acc = GET_##bits(CPU_RAX);                                                 \
        alu_sub_##bits(c, acc, a);                                                                 \
        if (acc == a) {                                                                            \
            *p = GET_##bits(op->reg);                                                              \
        } else {                                                                                   \
            SET_##bits(CPU_RAX, a);                                                                \
        }                                                                                          \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(xadd_m##ea##_##bits)                                                                      \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA##ea(), wtag);                                                     \
        U(bits) a = *p;                                                                            \
        *p = alu_add_##bits(c, a, GET_##bits(op->reg));                                            \
        SET_##bits(op->reg, a);                                                                    \
        NEXT_FAST();                                                                               \
    }

RMW_FORMS(32, 0)
RMW_FORMS(32, 1)
RMW_FORMS(64, 0)
RMW_FORMS(64, 1)
const struct fastset fast_cmpxchg = {
    {NULL}, {NULL, NULL, cmpxchg_m0_32, cmpxchg_m0_64}, {NULL, NULL, cmpxchg_m1_32, cmpxchg_m1_64}};
const struct fastset fast_xadd = {
    {NULL}, {NULL, NULL, xadd_m0_32, xadd_m0_64}, {NULL, NULL, xadd_m1_32, xadd_m1_64}};
