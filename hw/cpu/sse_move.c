/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SIMD moves, shuffles, bitwise logic and MXCSR access (SDM volume 1, sections 10.4.1, 11.4.1).
 * Nothing here looks at a value as a number.
 */
#include "sse.h"

/* ---- Plain moves ---- */

SIMD_FN(move16)
{
    simd_store16(dst, simd_load16(src));
    return FPU_OK;
}

/* Into an XMM register: what is above becomes zero. */
SIMD_FN(load8_zero)
{
    simd_store16(dst, simd_load8(src));
    return FPU_OK;
}

SIMD_FN(load4_zero)
{
    simd_store16(dst, simd_load4(src));
    return FPU_OK;
}

/* To memory, or over the low part of a register. */
SIMD_FN(copy8)
{
    memcpy(dst, src, 8);
    return FPU_OK;
}

SIMD_FN(copy4)
{
    memcpy(dst, src, 4);
    return FPU_OK;
}

SIMD_FN(load_high)
{
    memcpy((uint8_t *)dst + 8, src, 8);
    return FPU_OK;
}

SIMD_FN(store_high)
{
    memcpy(dst, (const uint8_t *)src + 8, 8);
    return FPU_OK;
}

/* To a general register. */
SIMD_FN(to_gpr32)
{
    *(uint64_t *)dst = simd_u32(src);
    return FPU_OK;
}

/* ---- The same with MMX registers ---- */

SIMD_FN(mm_load8)
{
    __m128i v = simd_load8(src);
    simd_enter_mmx(fpu);
    simd_store_mm(dst, v);
    return FPU_OK;
}

SIMD_FN(mm_load4)
{
    __m128i v = simd_load4(src);
    simd_enter_mmx(fpu);
    simd_store_mm(dst, v);
    return FPU_OK;
}

SIMD_FN(mm_store8)
{
    simd_enter_mmx(fpu);
    memcpy(dst, src, 8);
    return FPU_OK;
}

SIMD_FN(mm_store4)
{
    simd_enter_mmx(fpu);
    memcpy(dst, src, 4);
    return FPU_OK;
}

SIMD_FN(mm_to_gpr32)
{
    simd_enter_mmx(fpu);
    *(uint64_t *)dst = simd_u32(src);
    return FPU_OK;
}

SIMD_FN(mm_to_xmm)
{
    simd_enter_mmx(fpu);
    simd_store16(dst, simd_load8(src));
    return FPU_OK;
}

/* The stores are the decoder's. */
SIMD_FN(mm_mask_move)
{
    simd_enter_mmx(fpu);
    return FPU_OK;
}

SIMD_FN(mask_move)
{
    return FPU_OK;
}

/* ---- Shuffles ---- */

SIMD_FN(movhlps)
{
    memcpy(dst, (const uint8_t *)src + 8, 8);
    return FPU_OK;
}

SIMD_FN(unpcklps)
{
    simd_store16(dst, _mm_unpacklo_epi32(simd_load16(dst), simd_load16(src)));
    return FPU_OK;
}

SIMD_FN(unpckhps)
{
    simd_store16(dst, _mm_unpackhi_epi32(simd_load16(dst), simd_load16(src)));
    return FPU_OK;
}

SIMD_FN(unpcklpd)
{
    simd_store16(dst, _mm_unpacklo_epi64(simd_load16(dst), simd_load16(src)));
    return FPU_OK;
}

SIMD_FN(unpckhpd)
{
    simd_store16(dst, _mm_unpackhi_epi64(simd_load16(dst), simd_load16(src)));
    return FPU_OK;
}

SIMD_FN(shufps)
{
    uint32_t a[4], b[4], r[4];
    memcpy(a, dst, 16);
    memcpy(b, src, 16);
    r[0] = a[imm8 & 3];
    r[1] = a[imm8 >> 2 & 3];
    r[2] = b[imm8 >> 4 & 3];
    r[3] = b[imm8 >> 6 & 3];
    memcpy(dst, r, 16);
    return FPU_OK;
}

SIMD_FN(shufpd)
{
    uint64_t a[2], b[2], r[2];
    memcpy(a, dst, 16);
    memcpy(b, src, 16);
    r[0] = a[imm8 & 1];
    r[1] = b[imm8 >> 1 & 1];
    memcpy(dst, r, 16);
    return FPU_OK;
}

SIMD_FN(pshufd)
{
    uint32_t a[4], r[4];
    memcpy(a, src, 16);
    for (unsigned i = 0; i < 4; i++)
        r[i] = a[imm8 >> (2 * i) & 3];
    memcpy(dst, r, 16);
    return FPU_OK;
}

static inline void shuffle_words(uint16_t *to, const uint16_t *from, uint32_t imm8)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = from[imm8 >> (2 * i) & 3];
}

SIMD_FN(pshuflw)
{
    uint16_t a[8], r[8];
    memcpy(a, src, 16);
    memcpy(r, a, 16);
    shuffle_words(r, a, imm8);
    memcpy(dst, r, 16);
    return FPU_OK;
}

SIMD_FN(pshufhw)
{
    uint16_t a[8], r[8];
    memcpy(a, src, 16);
    memcpy(r, a, 16);
    shuffle_words(r + 4, a + 4, imm8);
    memcpy(dst, r, 16);
    return FPU_OK;
}

SIMD_FN(pshufw)
{
    uint16_t a[4], r[4];
    memcpy(a, src, 8);
    shuffle_words(r, a, imm8);
    simd_enter_mmx(fpu);
    simd_store_mm(dst, simd_load8(r));
    return FPU_OK;
}

/* ---- Logic on floating-point registers ---- */

SIMD_FN(andps)
{
    simd_store16(dst, _mm_and_si128(simd_load16(dst), simd_load16(src)));
    return FPU_OK;
}

SIMD_FN(andnps)
{
    simd_store16(dst, _mm_andnot_si128(simd_load16(dst), simd_load16(src)));
    return FPU_OK;
}

SIMD_FN(orps)
{
    simd_store16(dst, _mm_or_si128(simd_load16(dst), simd_load16(src)));
    return FPU_OK;
}

SIMD_FN(xorps)
{
    simd_store16(dst, _mm_xor_si128(simd_load16(dst), simd_load16(src)));
    return FPU_OK;
}

SIMD_FN(movmskps)
{
    *(uint64_t *)dst = (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(simd_load16(src)));
    return FPU_OK;
}

SIMD_FN(movmskpd)
{
    *(uint64_t *)dst = (uint32_t)_mm_movemask_pd(_mm_castsi128_pd(simd_load16(src)));
    return FPU_OK;
}

/* ---- MXCSR ---- */

SIMD_FN(ldmxcsr)
{
    uint32_t value = simd_u32(src);
    if (value & ~FPU_MXCSR_MASK)
        return FPU_GP;
    fpu->mxcsr = value;
    return FPU_OK;
}

SIMD_FN(stmxcsr)
{
    memcpy(dst, &fpu->mxcsr, 4);
    return FPU_OK;
}

/* ---- Rows ---- */

#define P0 FPU_PFX_NONE
#define P6 FPU_PFX_66
#define P3 FPU_PFX_F3
#define P2 FPU_PFX_F2
#define X  FPU_XMM
#define M  FPU_MM
#define G  FPU_GPR
#define A  FPU_SIMD_ALIGN16
#define S  FPU_SIMD_RM_IS_DST
#define MX FPU_SIMD_MMX
#define I  FPU_SIMD_IMM8

#define ROW(prefix, opcode, select, ...)                                                           \
    {                                                                                              \
        prefix, opcode, select,                                                                    \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct simd_row rows[] = {
    /* prefix, opcode, select, register form, memory form, bytes, flags, reg, rm, hot */
    ROW(P0, 0x28, SIMD_ANY, move16, move16, 16, A, X, X, FPU_HOT_MOV128), /* MOVAPS */
    ROW(P6, 0x28, SIMD_ANY, move16, move16, 16, A, X, X, FPU_HOT_MOV128), /* MOVAPD */
    ROW(P0, 0x29, SIMD_ANY, move16, move16, 16, A | S, X, X, FPU_HOT_MOV128),
    ROW(P6, 0x29, SIMD_ANY, move16, move16, 16, A | S, X, X, FPU_HOT_MOV128),
    ROW(P0, 0x10, SIMD_ANY, move16, move16, 16, 0, X, X, FPU_HOT_MOV128), /* MOVUPS */
    ROW(P6, 0x10, SIMD_ANY, move16, move16, 16, 0, X, X, FPU_HOT_MOV128), /* MOVUPD */
    ROW(P0, 0x11, SIMD_ANY, move16, move16, 16, S, X, X, FPU_HOT_MOV128),
    ROW(P6, 0x11, SIMD_ANY, move16, move16, 16, S, X, X, FPU_HOT_MOV128),
    ROW(P6, 0x6F, SIMD_ANY, move16, move16, 16, A, X, X, FPU_HOT_MOV128), /* MOVDQA */
    ROW(P6, 0x7F, SIMD_ANY, move16, move16, 16, A | S, X, X, FPU_HOT_MOV128),
    ROW(P3, 0x6F, SIMD_ANY, move16, move16, 16, 0, X, X, FPU_HOT_MOV128), /* MOVDQU */
    ROW(P3, 0x7F, SIMD_ANY, move16, move16, 16, S, X, X, FPU_HOT_MOV128),
    ROW(P3, 0x7E, SIMD_ANY, load8_zero, load8_zero, 8, 0, X, X, FPU_HOT_MOVQ), /* MOVQ */
    ROW(P6, 0xD6, SIMD_ANY, load8_zero, copy8, 8, S, X, X, FPU_HOT_MOVQ),
    ROW(P3, 0x10, SIMD_ANY, copy4, load4_zero, 4, 0, X, X, 0), /* MOVSS */
    ROW(P3, 0x11, SIMD_ANY, copy4, copy4, 4, S, X, X, 0),
    ROW(P2, 0x10, SIMD_ANY, copy8, load8_zero, 8, 0, X, X, 0), /* MOVSD */
    ROW(P2, 0x11, SIMD_ANY, copy8, copy8, 8, S, X, X, 0),
    ROW(P0, 0x12, SIMD_ANY, movhlps, copy8, 8, 0, X, X, 0), /* MOVHLPS, MOVLPS */
    ROW(P6, 0x12, SIMD_ANY, NULL, copy8, 8, 0, X, X, 0),    /* MOVLPD */
    ROW(P0, 0x13, SIMD_ANY, NULL, copy8, 8, S, X, X, 0),
    ROW(P6, 0x13, SIMD_ANY, NULL, copy8, 8, S, X, X, 0),
    ROW(P0, 0x14, SIMD_ANY, unpcklps, unpcklps, 16, A, X, X, 0),
    ROW(P6, 0x14, SIMD_ANY, unpcklpd, unpcklpd, 16, A, X, X, 0),
    ROW(P0, 0x15, SIMD_ANY, unpckhps, unpckhps, 16, A, X, X, 0),
    ROW(P6, 0x15, SIMD_ANY, unpckhpd, unpckhpd, 16, A, X, X, 0),
    ROW(P0, 0x16, SIMD_ANY, load_high, load_high, 8, 0, X, X, 0), /* MOVLHPS, MOVHPS */
    ROW(P6, 0x16, SIMD_ANY, NULL, load_high, 8, 0, X, X, 0),      /* MOVHPD */
    ROW(P0, 0x17, SIMD_ANY, NULL, store_high, 8, S, X, X, 0),
    ROW(P6, 0x17, SIMD_ANY, NULL, store_high, 8, S, X, X, 0),
    ROW(P0, 0x2B, SIMD_ANY, NULL, move16, 16, A | S, X, X, FPU_HOT_MOV128), /* MOVNTPS */
    ROW(P6, 0x2B, SIMD_ANY, NULL, move16, 16, A | S, X, X, FPU_HOT_MOV128), /* MOVNTPD */
    ROW(P6, 0xE7, SIMD_ANY, NULL, move16, 16, A | S, X, X, FPU_HOT_MOV128), /* MOVNTDQ */
    ROW(P0, 0xE7, SIMD_ANY, NULL, mm_store8, 8, S | MX, M, M, 0),           /* MOVNTQ */
    ROW(P0, 0x50, SIMD_ANY, movmskps, NULL, 0, 0, G, X, 0),
    ROW(P6, 0x50, SIMD_ANY, movmskpd, NULL, 0, 0, G, X, 0),
    ROW(P0, 0x54, SIMD_ANY, andps, andps, 16, A, X, X, 0),
    ROW(P6, 0x54, SIMD_ANY, andps, andps, 16, A, X, X, 0),
    ROW(P0, 0x55, SIMD_ANY, andnps, andnps, 16, A, X, X, 0),
    ROW(P6, 0x55, SIMD_ANY, andnps, andnps, 16, A, X, X, 0),
    ROW(P0, 0x56, SIMD_ANY, orps, orps, 16, A, X, X, 0),
    ROW(P6, 0x56, SIMD_ANY, orps, orps, 16, A, X, X, 0),
    ROW(P0, 0x57, SIMD_ANY, xorps, xorps, 16, A, X, X, 0),
    ROW(P6, 0x57, SIMD_ANY, xorps, xorps, 16, A, X, X, 0),
    ROW(P6, 0x6E, SIMD_W0, load4_zero, load4_zero, 4, 0, X, G, 0), /* MOVD */
    ROW(P6, 0x6E, SIMD_W1, load8_zero, load8_zero, 8, 0, X, G, 0),
    ROW(P6, 0x7E, SIMD_W0, to_gpr32, copy4, 4, S, X, G, 0),
    ROW(P6, 0x7E, SIMD_W1, copy8, copy8, 8, S, X, G, 0),
    ROW(P0, 0x6E, SIMD_W0, mm_load4, mm_load4, 4, MX, M, G, 0),
    ROW(P0, 0x6E, SIMD_W1, mm_load8, mm_load8, 8, MX, M, G, 0),
    ROW(P0, 0x7E, SIMD_W0, mm_to_gpr32, mm_store4, 4, S | MX, M, G, 0),
    ROW(P0, 0x7E, SIMD_W1, mm_store8, mm_store8, 8, S | MX, M, G, 0),
    ROW(P0, 0x6F, SIMD_ANY, mm_load8, mm_load8, 8, MX, M, M, 0), /* MOVQ */
    ROW(P0, 0x7F, SIMD_ANY, mm_load8, mm_store8, 8, S | MX, M, M, 0),
    ROW(P3, 0xD6, SIMD_ANY, mm_to_xmm, NULL, 0, MX, X, M, 0), /* MOVQ2DQ */
    ROW(P2, 0xD6, SIMD_ANY, mm_load8, NULL, 0, MX, M, X, 0),  /* MOVDQ2Q */
    ROW(P0, 0x70, SIMD_ANY, pshufw, pshufw, 8, MX | I, M, M, 0),
    ROW(P6, 0x70, SIMD_ANY, pshufd, pshufd, 16, A | I, X, X, 0),
    ROW(P3, 0x70, SIMD_ANY, pshufhw, pshufhw, 16, A | I, X, X, 0),
    ROW(P2, 0x70, SIMD_ANY, pshuflw, pshuflw, 16, A | I, X, X, 0),
    ROW(P0, 0xC6, SIMD_ANY, shufps, shufps, 16, A | I, X, X, 0),
    ROW(P6, 0xC6, SIMD_ANY, shufpd, shufpd, 16, A | I, X, X, 0),
    ROW(P0, 0xF7, SIMD_ANY, mm_mask_move, NULL, 8, MX | FPU_SIMD_MASKMOV, M, M, 0),
    ROW(P6, 0xF7, SIMD_ANY, mask_move, NULL, 16, FPU_SIMD_MASKMOV, X, X, 0),
    ROW(P0, 0xAE, 2, NULL, ldmxcsr, 4, 0, FPU_NONE, FPU_NONE, 0),
    ROW(P0, 0xAE, 3, NULL, stmxcsr, 4, S, FPU_NONE, FPU_NONE, 0),
};

const struct simd_table sse_move_table = {rows, sizeof(rows) / sizeof(rows[0])};
