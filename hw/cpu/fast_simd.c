/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fast SSE moves of 8 and 16 bytes: what memcpy() and spilled registers are made of. All others
 * go through simd.c.
 */
#include <string.h>

#include "fast.h"

/* #UD and #NM are the generic handler's business. */
#define CHECK_XMM()                                                                                \
    do {                                                                                           \
        if (unlikely((c->cr0 & (CR0_EM | CR0_TS)) || !(c->cr4 & CR4_OSFXSR))) {                    \
            SLOW();                                                                                \
        }                                                                                          \
    } while (0)
#define NEXT_SIMD() DISPATCH(op + 2)

typedef struct {
    uint8_t b[16];
} mem_128;

FAST(mov128_rr_load)
{
    CHECK_XMM();
    c->fpu.xmm[op->reg] = c->fpu.xmm[op->rm];
    NEXT_SIMD();
}

FAST(mov128_rr_store)
{
    CHECK_XMM();
    c->fpu.xmm[op->rm] = c->fpu.xmm[op->reg];
    NEXT_SIMD();
}

#define MOVE_FORMS(ea)                                                                             \
    FAST(mov128_load##ea)                                                                          \
    {                                                                                              \
        CHECK_XMM();                                                                               \
        HOST_AT(mem_128, p, EA##ea(), rtag);                                                       \
        memcpy(&c->fpu.xmm[op->reg], p, 16);                                                       \
        NEXT_SIMD();                                                                               \
    }                                                                                              \
    FAST(mov128_store##ea)                                                                         \
    {                                                                                              \
        CHECK_XMM();                                                                               \
        HOST_AT(mem_128, p, EA##ea(), wtag);                                                       \
        memcpy(p, &c->fpu.xmm[op->reg], 16);                                                       \
        NEXT_SIMD();                                                                               \
    }                                                                                              \
    FAST(mov128a_load##ea)                                                                         \
    {                                                                                              \
        uint64_t va = EA##ea();                                                                    \
        CHECK_XMM();                                                                               \
        if (unlikely(va & 15)) {                                                                   \
            SLOW();                                                                                \
        }                                                                                          \
        HOST_AT(mem_128, p, va, rtag);                                                             \
        memcpy(&c->fpu.xmm[op->reg], p, 16);                                                       \
        NEXT_SIMD();                                                                               \
    }                                                                                              \
    FAST(mov128a_store##ea)                                                                        \
    {                                                                                              \
        uint64_t va = EA##ea();                                                                    \
        CHECK_XMM();                                                                               \
        if (unlikely(va & 15)) {                                                                   \
            SLOW();                                                                                \
        }                                                                                          \
        HOST_AT(mem_128, p, va, wtag);                                                             \
        memcpy(p, &c->fpu.xmm[op->reg], 16);                                                       \
        NEXT_SIMD();                                                                               \
    }                                                                                              \
    FAST(movq_load##ea)                                                                            \
    {                                                                                              \
        CHECK_XMM();                                                                               \
        HOST_AT(mem_64, p, EA##ea(), rtag);                                                        \
        c->fpu.xmm[op->reg].q[0] = *p;                                                             \
        c->fpu.xmm[op->reg].q[1] = 0;                                                              \
        NEXT_SIMD();                                                                               \
    }                                                                                              \
    FAST(movq_store##ea)                                                                           \
    {                                                                                              \
        CHECK_XMM();                                                                               \
        HOST_AT(mem_64, p, EA##ea(), wtag);                                                        \
        *p = c->fpu.xmm[op->reg].q[0];                                                             \
        NEXT_SIMD();                                                                               \
    }

MOVE_FORMS(0)
MOVE_FORMS(1)

op_fn fast_simd(const struct op *op, const struct fpu_simd_op *s)
{
    bool store = s->flags & FPU_SIMD_RM_IS_DST, aligned = s->flags & FPU_SIMD_ALIGN16;
    bool indexed = op->index != R_ZERO;
    /* By what is moved (16 bytes, 16 aligned, 8), direction and addressing form. */
    static const op_fn memory[3][2][2] = {
        {{mov128_load0, mov128_load1}, {mov128_store0, mov128_store1}},
        {{mov128a_load0, mov128a_load1}, {mov128a_store0, mov128a_store1}},
        {{movq_load0, movq_load1}, {movq_store0, movq_store1}},
    };
    if (s->hot == FPU_HOT_NONE || s->reg_kind != FPU_XMM) {
        return NULL;
    }
    if (!(op->flags & OPF_MEM)) {
        if (s->hot != FPU_HOT_MOV128 || s->rm_kind != FPU_XMM) {
            return NULL;
        }
        return store ? mov128_rr_store : mov128_rr_load;
    }
    if (op->flags & OPF_A32 || op->seg >= CPU_FS) {
        return NULL;
    }
    unsigned what = s->hot == FPU_HOT_MOVQ ? 2 : aligned;
    return memory[what][store][indexed];
}
