/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fast moves, LEA, conditional moves, the stack. */
#include "fast.h"

#define MOV_FORMS(bits)                                                                            \
    FAST(mov_rr_##bits)                                                                            \
    {                                                                                              \
        SET_##bits(op->rm, GET_##bits(op->reg));                                                   \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(mov_rv_##bits)                                                                            \
    {                                                                                              \
        SET_##bits(op->reg, GET_##bits(op->rm));                                                   \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(mov_ri_##bits)                                                                            \
    {                                                                                              \
        SET_##bits(op->rm, (U(bits))(int32_t)op->imm);                                             \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    MOV_MEMORY(bits, 0)                                                                            \
    MOV_MEMORY(bits, 1)

#define MOV_MEMORY(bits, ea)                                                                       \
    FAST(mov_rm##ea##_##bits)                                                                      \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA##ea(), rtag);                                                     \
        SET_##bits(op->reg, *p);                                                                   \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(mov_mr##ea##_##bits)                                                                      \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA##ea(), wtag);                                                     \
        *p = GET_##bits(op->reg);                                                                  \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(mov_mi##ea##_##bits)                                                                      \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA##ea(), wtag);                                                     \
        *p = (U(bits))(int32_t)op->imm;                                                            \
        NEXT_FAST();                                                                               \
    }

MOV_FORMS(8)
MOV_FORMS(16)
MOV_FORMS(32)
MOV_FORMS(64)

#define MOV_SET(form, r, m)                                                                        \
    const struct fastset fast_mov_##form = {                                                       \
        {NULL, mov_##r##_16, mov_##r##_32, mov_##r##_64},                                          \
        {NULL, mov_##m##0_16, mov_##m##0_32, mov_##m##0_64},                                       \
        {NULL, mov_##m##1_16, mov_##m##1_32, mov_##m##1_64},                                       \
    };                                                                                             \
    const struct fastset fast_mov_##form##_8 = {{mov_##r##_8}, {mov_##m##0_8}, {mov_##m##1_8}};
MOV_SET(rm_reg, rr, mr)
MOV_SET(reg_rm, rv, rm)
MOV_SET(rm_imm, ri, mi)

FAST(mov_imm_32)
{
    c->gpr[op->rm] = (uint32_t)op->disp;
    NEXT_FAST();
}

FAST(mov_imm_64)
{
    c->gpr[op->rm] = op_imm64(op);
    NEXT_FAST();
}

const struct fastset fast_mov_reg_imm = {{NULL, NULL, mov_imm_32, mov_imm_64}, {NULL}, {NULL}};

/* ---- Extensions: to 32 or 64 bits. `from` is the source's C type. ---- */

#define EXTEND_FORMS(name, src, from, to, cast)                                                    \
    FAST(name##_rr_##to)                                                                           \
    {                                                                                              \
        SET_##to(op->reg, (cast)(from)GET_##src(op->rm));                                          \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(name##_rm0_##to)                                                                          \
    {                                                                                              \
        HOST_AT(MEM(src), p, EA0(), rtag);                                                         \
        SET_##to(op->reg, (cast)(from)*p);                                                         \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(name##_rm1_##to)                                                                          \
    {                                                                                              \
        HOST_AT(MEM(src), p, EA1(), rtag);                                                         \
        SET_##to(op->reg, (cast)(from)*p);                                                         \
        NEXT_FAST();                                                                               \
    }
#define EXTEND_SET(name)                                                                           \
    const struct fastset fast_##name = {                                                           \
        {NULL, NULL, name##_rr_32, name##_rr_64},                                                  \
        {NULL, NULL, name##_rm0_32, name##_rm0_64},                                                \
        {NULL, NULL, name##_rm1_32, name##_rm1_64},                                                \
    };

EXTEND_FORMS(movzx_8, 8, uint8_t, 32, uint32_t)
EXTEND_FORMS(movzx_8, 8, uint8_t, 64, uint64_t)
EXTEND_FORMS(movzx_16, 16, uint16_t, 32, uint32_t)
EXTEND_FORMS(movzx_16, 16, uint16_t, 64, uint64_t)
EXTEND_FORMS(movsx_8, 8, int8_t, 32, uint32_t)
EXTEND_FORMS(movsx_8, 8, int8_t, 64, uint64_t)
EXTEND_FORMS(movsx_16, 16, int16_t, 32, uint32_t)
EXTEND_FORMS(movsx_16, 16, int16_t, 64, uint64_t)
EXTEND_FORMS(movsxd, 32, int32_t, 32, uint32_t)
EXTEND_FORMS(movsxd, 32, int32_t, 64, uint64_t)
EXTEND_SET(movzx_8)
EXTEND_SET(movzx_16)
EXTEND_SET(movsx_8)
EXTEND_SET(movsx_16)
EXTEND_SET(movsxd)

/* ---- LEA ---- */

FAST(lea0_32)
{
    c->gpr[op->reg] = (uint32_t)EA0();
    NEXT_FAST();
}

FAST(lea1_32)
{
    c->gpr[op->reg] = (uint32_t)EA1();
    NEXT_FAST();
}

FAST(lea0_64)
{
    c->gpr[op->reg] = EA0();
    NEXT_FAST();
}

FAST(lea1_64)
{
    c->gpr[op->reg] = EA1();
    NEXT_FAST();
}

const struct fastset fast_lea = {
    {NULL}, {NULL, NULL, lea0_32, lea0_64}, {NULL, NULL, lea1_32, lea1_64}};

/* ---- CMOVcc and SETcc: registers by condition, memory by looking at the opcode ---- */

#define CC_HANDLERS(cc)                                                                            \
    FAST(setcc_##cc)                                                                               \
    {                                                                                              \
        SET_8(op->rm, flags_test(c, cc));                                                          \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(cmov32_##cc)                                                                              \
    {                                                                                              \
        uint64_t a = GET_32(op->reg), b = GET_32(op->rm);                                          \
        c->gpr[op->reg] = flags_test(c, cc) ? b : a;                                               \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(cmov64_##cc)                                                                              \
    {                                                                                              \
        uint64_t a = c->gpr[op->reg], b = c->gpr[op->rm];                                          \
        c->gpr[op->reg] = flags_test(c, cc) ? b : a;                                               \
        NEXT_FAST();                                                                               \
    }
#define CC_ALL(m)                                                                                  \
    m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9) m(10) m(11) m(12) m(13) m(14) m(15)
CC_ALL(CC_HANDLERS)

op_fn fast_setcc_reg(unsigned cc)
{
#define ROW(cc) setcc_##cc,
    static const op_fn fn[16] = {CC_ALL(ROW)};
#undef ROW
    return fn[cc];
}

op_fn fast_cmov_reg(unsigned cc, unsigned size)
{
#define ROW(cc) cmov32_##cc,
    static const op_fn fn32[16] = {CC_ALL(ROW)};
#undef ROW
#define ROW(cc) cmov64_##cc,
    static const op_fn fn64[16] = {CC_ALL(ROW)};
#undef ROW
    return size == SZ_64 ? fn64[cc] : size == SZ_32 ? fn32[cc] : NULL;
}

#define CMOV_MEMORY(bits, ea)                                                                      \
    FAST(cmov_m##ea##_##bits)                                                                      \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA##ea(), rtag);                                                     \
        U(bits) b = *p;                                                                            \
        SET_##bits(op->reg, flags_test(c, op->x) ? b : GET_##bits(op->reg));                       \
        NEXT_FAST();                                                                               \
    }
CMOV_MEMORY(32, 0)
CMOV_MEMORY(32, 1)
CMOV_MEMORY(64, 0)
CMOV_MEMORY(64, 1)
const struct fastset fast_cmovcc = {
    {NULL}, {NULL, NULL, cmov_m0_32, cmov_m0_64}, {NULL, NULL, cmov_m1_32, cmov_m1_64}};

FAST(setcc_m0)
{
    HOST_AT(mem_8, p, EA0(), wtag);
    *p = flags_test(c, op->x);
    NEXT_FAST();
}

FAST(setcc_m1)
{
    HOST_AT(mem_8, p, EA1(), wtag);
    *p = flags_test(c, op->x);
    NEXT_FAST();
}

const struct fastset fast_setcc = {{NULL}, {setcc_m0}, {setcc_m1}};

/* ---- XCHG ---- */

#define XCHG_FORMS(bits)                                                                           \
    FAST(xchg_rr_##bits)                                                                           \
    {                                                                                              \
        U(bits) a = GET_##bits(op->rm);                                                            \
        SET_##bits(op->rm, GET_##bits(op->reg));                                                   \
        SET_##bits(op->reg, a);                                                                    \
        NEXT_FAST();                                                                               \
    }                                                                                              \
    FAST(xchg_m0_##bits)                                                                           \
    {                                                                                              \
        HOST_AT(MEM(bits), p, EA0(), wtag);                                                        \
        U(bits) a = *p;                                                                            \
        *p = GET_##bits(op->reg);                                                                  \
        SET_##bits(op->reg, a);                                                                    \
        NEXT_FAST();                                                                               \
    }
XCHG_FORMS(32)
XCHG_FORMS(64)
const struct fastset fast_xchg_rm_reg = {
    {NULL, NULL, xchg_rr_32, xchg_rr_64}, {NULL, NULL, xchg_m0_32, xchg_m0_64}, {NULL}};

/* ---- Stack ---- */

FAST(push_reg)
{
    uint64_t rsp = c->gpr[CPU_RSP] - 8;
    HOST_AT(mem_64, p, rsp, wtag);
    *p = c->gpr[op->rm];
    c->gpr[CPU_RSP] = rsp;
    NEXT_FAST();
}

FAST(push_imm)
{
    uint64_t rsp = c->gpr[CPU_RSP] - 8;
    HOST_AT(mem_64, p, rsp, wtag);
    *p = (uint64_t)(int32_t)op->imm;
    c->gpr[CPU_RSP] = rsp;
    NEXT_FAST();
}

FAST(push_m0)
{
    uint64_t rsp = c->gpr[CPU_RSP] - 8;
    HOST_AT(mem_64, from, EA0(), rtag);
    HOST_AT(mem_64, p, rsp, wtag);
    *p = *from;
    c->gpr[CPU_RSP] = rsp;
    NEXT_FAST();
}

FAST(pop_reg)
{
    uint64_t rsp = c->gpr[CPU_RSP];
    HOST_AT(mem_64, p, rsp, rtag);
    uint64_t v = *p;
    c->gpr[CPU_RSP] = rsp + 8;
    c->gpr[op->rm] = v;
    NEXT_FAST();
}

FAST(leave)
{
    uint64_t rbp = c->gpr[CPU_RBP];
    HOST_AT(mem_64, p, rbp, rtag);
    c->gpr[CPU_RBP] = *p;
    c->gpr[CPU_RSP] = rbp + 8;
    NEXT_FAST();
}

const struct fastset fast_push_reg = {{NULL, NULL, NULL, push_reg}, {NULL}, {NULL}};
const struct fastset fast_push_imm = {{NULL, NULL, NULL, push_imm}, {NULL}, {NULL}};
const struct fastset fast_push_rm = {
    {NULL, NULL, NULL, push_reg}, {NULL, NULL, NULL, push_m0}, {NULL}};
const struct fastset fast_pop_reg = {{NULL, NULL, NULL, pop_reg}, {NULL}, {NULL}};
const struct fastset fast_leave = {{NULL, NULL, NULL, leave}, {NULL}, {NULL}};
