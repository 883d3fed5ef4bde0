/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packed integers on MMX and XMM registers (SDM volume 1, sections 9.4 and 11.4.2). The MMX forms
 * are the XMM instruction on the low half, but where the halves of a register matter.
 */
#include "sse.h"

/* MMX and XMM functions of one elementwise operation on a (destination) and b (source). */
#define PACKED(name, expr)                                                                         \
    SIMD_FN(name##_mm)                                                                             \
    {                                                                                              \
        __m128i a = simd_load8(dst), b = simd_load8(src);                                          \
        simd_enter_mmx(fpu);                                                                       \
        simd_store_mm(dst, expr);                                                                  \
        return FPU_OK;                                                                             \
    }                                                                                              \
    PACKED_XMM(name, expr)

#define PACKED_XMM(name, expr)                                                                     \
    SIMD_FN(name##_xmm)                                                                            \
    {                                                                                              \
        __m128i a = simd_load16(dst), b = simd_load16(src);                                        \
        simd_store16(dst, expr);                                                                   \
        return FPU_OK;                                                                             \
    }

PACKED(paddb, _mm_add_epi8(a, b))
PACKED(paddw, _mm_add_epi16(a, b))
PACKED(paddd, _mm_add_epi32(a, b))
PACKED(paddq, _mm_add_epi64(a, b))
PACKED(psubb, _mm_sub_epi8(a, b))
PACKED(psubw, _mm_sub_epi16(a, b))
PACKED(psubd, _mm_sub_epi32(a, b))
PACKED(psubq, _mm_sub_epi64(a, b))
PACKED(paddsb, _mm_adds_epi8(a, b))
PACKED(paddsw, _mm_adds_epi16(a, b))
PACKED(paddusb, _mm_adds_epu8(a, b))
PACKED(paddusw, _mm_adds_epu16(a, b))
PACKED(psubsb, _mm_subs_epi8(a, b))
PACKED(psubsw, _mm_subs_epi16(a, b))
PACKED(psubusb, _mm_subs_epu8(a, b))
PACKED(psubusw, _mm_subs_epu16(a, b))
PACKED(pmullw, _mm_mullo_epi16(a, b))
PACKED(pmulhw, _mm_mulhi_epi16(a, b))
PACKED(pmulhuw, _mm_mulhi_epu16(a, b))
PACKED(pmuludq, _mm_mul_epu32(a, b))
PACKED(pmaddwd, _mm_madd_epi16(a, b))
PACKED(pavgb, _mm_avg_epu8(a, b))
PACKED(pavgw, _mm_avg_epu16(a, b))
PACKED(pminub, _mm_min_epu8(a, b))
PACKED(pmaxub, _mm_max_epu8(a, b))
PACKED(pminsw, _mm_min_epi16(a, b))
PACKED(pmaxsw, _mm_max_epi16(a, b))
PACKED(psadbw, _mm_sad_epu8(a, b))
PACKED(pcmpeqb, _mm_cmpeq_epi8(a, b))
PACKED(pcmpeqw, _mm_cmpeq_epi16(a, b))
PACKED(pcmpeqd, _mm_cmpeq_epi32(a, b))
PACKED(pcmpgtb, _mm_cmpgt_epi8(a, b))
PACKED(pcmpgtw, _mm_cmpgt_epi16(a, b))
PACKED(pcmpgtd, _mm_cmpgt_epi32(a, b))
PACKED(pand, _mm_and_si128(a, b))
PACKED(pandn, _mm_andnot_si128(a, b))
PACKED(por, _mm_or_si128(a, b))
PACKED(pxor, _mm_xor_si128(a, b))
/* The count is the low quadword of the source. */
PACKED(psllw, _mm_sll_epi16(a, b))
PACKED(pslld, _mm_sll_epi32(a, b))
PACKED(psllq, _mm_sll_epi64(a, b))
PACKED(psrlw, _mm_srl_epi16(a, b))
PACKED(psrld, _mm_srl_epi32(a, b))
PACKED(psrlq, _mm_srl_epi64(a, b))
PACKED(psraw, _mm_sra_epi16(a, b))
PACKED(psrad, _mm_sra_epi32(a, b))

/* Packing and unpacking work on whole registers. */
#define WHOLE(name, mm_expr, xmm_expr)                                                             \
    SIMD_FN(name##_mm)                                                                             \
    {                                                                                              \
        __m128i a = simd_load8(dst), b = simd_load8(src);                                          \
        simd_enter_mmx(fpu);                                                                       \
        simd_store_mm(dst, mm_expr);                                                               \
        return FPU_OK;                                                                             \
    }                                                                                              \
    PACKED_XMM(name, xmm_expr)

#define JOIN(a, b) _mm_unpacklo_epi64(a, b)
#define HIGH(v)    _mm_unpackhi_epi64(v, v)

WHOLE(packsswb, _mm_packs_epi16(JOIN(a, b), JOIN(a, b)), _mm_packs_epi16(a, b))
WHOLE(packuswb, _mm_packus_epi16(JOIN(a, b), JOIN(a, b)), _mm_packus_epi16(a, b))
WHOLE(packssdw, _mm_packs_epi32(JOIN(a, b), JOIN(a, b)), _mm_packs_epi32(a, b))
WHOLE(punpcklbw, _mm_unpacklo_epi8(a, b), _mm_unpacklo_epi8(a, b))
WHOLE(punpcklwd, _mm_unpacklo_epi16(a, b), _mm_unpacklo_epi16(a, b))
WHOLE(punpckldq, _mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(a, b))
WHOLE(punpckhbw, HIGH(_mm_unpacklo_epi8(a, b)), _mm_unpackhi_epi8(a, b))
WHOLE(punpckhwd, HIGH(_mm_unpacklo_epi16(a, b)), _mm_unpackhi_epi16(a, b))
WHOLE(punpckhdq, HIGH(_mm_unpacklo_epi32(a, b)), _mm_unpackhi_epi32(a, b))
PACKED_XMM(punpcklqdq, _mm_unpacklo_epi64(a, b))
PACKED_XMM(punpckhqdq, _mm_unpackhi_epi64(a, b))

/* Shifts by an immediate: one operand. */
#define SHIFT_IMM(name, intrinsic)                                                                 \
    SIMD_FN(name##_mm)                                                                             \
    {                                                                                              \
        __m128i a = simd_load8(dst);                                                               \
        simd_enter_mmx(fpu);                                                                       \
        simd_store_mm(dst, intrinsic(a, _mm_cvtsi32_si128((int)imm8)));                            \
        return FPU_OK;                                                                             \
    }                                                                                              \
    SIMD_FN(name##_xmm)                                                                            \
    {                                                                                              \
        simd_store16(dst, intrinsic(simd_load16(dst), _mm_cvtsi32_si128((int)imm8)));              \
        return FPU_OK;                                                                             \
    }

SHIFT_IMM(psllwi, _mm_sll_epi16)
SHIFT_IMM(pslldi, _mm_sll_epi32)
SHIFT_IMM(psllqi, _mm_sll_epi64)
SHIFT_IMM(psrlwi, _mm_srl_epi16)
SHIFT_IMM(psrldi, _mm_srl_epi32)
SHIFT_IMM(psrlqi, _mm_srl_epi64)
SHIFT_IMM(psrawi, _mm_sra_epi16)
SHIFT_IMM(psradi, _mm_sra_epi32)

SIMD_FN(pslldq_xmm)
{
    uint8_t wide[32] = {0};
    memcpy(wide + 16, dst, 16);
    memcpy(dst, wide + 16 - (imm8 > 15 ? 16 : imm8), 16);
    return FPU_OK;
}

SIMD_FN(psrldq_xmm)
{
    uint8_t wide[32] = {0};
    memcpy(wide, dst, 16);
    memcpy(dst, wide + (imm8 > 15 ? 16 : imm8), 16);
    return FPU_OK;
}

/* ---- Words and masks to and from general registers ---- */

SIMD_FN(pinsrw_mm)
{
    __m128i a = simd_load8(dst);
    uint16_t w[8];
    simd_store16(w, a);
    memcpy(&w[imm8 & 3], src, 2);
    simd_enter_mmx(fpu);
    simd_store_mm(dst, simd_load8(w));
    return FPU_OK;
}

SIMD_FN(pinsrw_xmm)
{
    memcpy((uint8_t *)dst + 2 * (imm8 & 7), src, 2);
    return FPU_OK;
}

SIMD_FN(pextrw_mm)
{
    uint16_t w;
    memcpy(&w, (const uint8_t *)src + 2 * (imm8 & 3), 2);
    simd_enter_mmx(fpu);
    *(uint64_t *)dst = w;
    return FPU_OK;
}

SIMD_FN(pextrw_xmm)
{
    uint16_t w;
    memcpy(&w, (const uint8_t *)src + 2 * (imm8 & 7), 2);
    *(uint64_t *)dst = w;
    return FPU_OK;
}

SIMD_FN(pmovmskb_mm)
{
    simd_enter_mmx(fpu);
    *(uint64_t *)dst = (uint32_t)_mm_movemask_epi8(simd_load8(src));
    return FPU_OK;
}

SIMD_FN(pmovmskb_xmm)
{
    *(uint64_t *)dst = (uint32_t)_mm_movemask_epi8(simd_load16(src));
    return FPU_OK;
}

SIMD_FN(emms)
{
    simd_enter_mmx(fpu);
    fpu->ctl.ftw = 0;
    return FPU_OK;
}

/* ---- Rows ---- */

#define MM_ROW(code, name)                                                                         \
    {                                                                                              \
        FPU_PFX_NONE, code, SIMD_ANY,                                                              \
        {                                                                                          \
            name##_mm, name##_mm, 8, FPU_SIMD_MMX, FPU_MM, FPU_MM, FPU_HOT_NONE                    \
        }                                                                                          \
    }
/* PUNPCKL on MMX registers reads only the low half of its source (SDM volume 2). */
#define MM4_ROW(code, name)                                                                        \
    {                                                                                              \
        FPU_PFX_NONE, code, SIMD_ANY,                                                              \
        {                                                                                          \
            name##_mm, name##_mm32, 4, FPU_SIMD_MMX, FPU_MM, FPU_MM, FPU_HOT_NONE                  \
        }                                                                                          \
    }
#define XMM_ROW(code, name)                                                                        \
    {                                                                                              \
        FPU_PFX_66, code, SIMD_ANY,                                                                \
        {                                                                                          \
            name##_xmm, name##_xmm, 16, FPU_SIMD_ALIGN16, FPU_XMM, FPU_XMM, FPU_HOT_NONE           \
        }                                                                                          \
    }
#define BOTH_ROWS(code, name) MM_ROW(code, name), XMM_ROW(code, name)
#define SHIFT_ROWS(code, reg, name)                                                                \
    {FPU_PFX_NONE,                                                                                 \
     code,                                                                                         \
     reg,                                                                                          \
     {name##_mm, NULL, 0, FPU_SIMD_MMX | FPU_SIMD_IMM8 | FPU_SIMD_RM_IS_DST, FPU_NONE, FPU_MM,     \
      0}},                                                                                         \
        SHIFT_XMM_ROW(code, reg, name)
#define SHIFT_XMM_ROW(code, reg, name)                                                             \
    {                                                                                              \
        FPU_PFX_66, code, reg,                                                                     \
        {                                                                                          \
            name##_xmm, NULL, 0, FPU_SIMD_IMM8 | FPU_SIMD_RM_IS_DST, FPU_NONE, FPU_XMM, 0          \
        }                                                                                          \
    }

#define UNPACK_MM32(name)                                                                          \
    SIMD_FN(name##_mm32)                                                                           \
    {                                                                                              \
        uint64_t low = simd_u32(src);                                                              \
        return name##_mm(fpu, dst, &low, imm8);                                                    \
    }
UNPACK_MM32(punpcklbw)
UNPACK_MM32(punpcklwd)
UNPACK_MM32(punpckldq)

static const struct simd_row rows[] = {
    MM4_ROW(0x60, punpcklbw),
    XMM_ROW(0x60, punpcklbw),
    MM4_ROW(0x61, punpcklwd),
    XMM_ROW(0x61, punpcklwd),
    MM4_ROW(0x62, punpckldq),
    XMM_ROW(0x62, punpckldq),
    BOTH_ROWS(0x63, packsswb),
    BOTH_ROWS(0x64, pcmpgtb),
    BOTH_ROWS(0x65, pcmpgtw),
    BOTH_ROWS(0x66, pcmpgtd),
    BOTH_ROWS(0x67, packuswb),
    BOTH_ROWS(0x68, punpckhbw),
    BOTH_ROWS(0x69, punpckhwd),
    BOTH_ROWS(0x6A, punpckhdq),
    BOTH_ROWS(0x6B, packssdw),
    XMM_ROW(0x6C, punpcklqdq),
    XMM_ROW(0x6D, punpckhqdq),
    SHIFT_ROWS(0x71, 2, psrlwi),
    SHIFT_ROWS(0x71, 4, psrawi),
    SHIFT_ROWS(0x71, 6, psllwi),
    SHIFT_ROWS(0x72, 2, psrldi),
    SHIFT_ROWS(0x72, 4, psradi),
    SHIFT_ROWS(0x72, 6, pslldi),
    SHIFT_ROWS(0x73, 2, psrlqi),
    SHIFT_XMM_ROW(0x73, 3, psrldq),
    SHIFT_ROWS(0x73, 6, psllqi),
    SHIFT_XMM_ROW(0x73, 7, pslldq),
    BOTH_ROWS(0x74, pcmpeqb),
    BOTH_ROWS(0x75, pcmpeqw),
    BOTH_ROWS(0x76, pcmpeqd),
    {FPU_PFX_NONE, 0x77, SIMD_ANY, {emms, NULL, 0, FPU_SIMD_MMX, FPU_NONE, FPU_NONE, 0}},
    {FPU_PFX_NONE,
     0xC4,
     SIMD_ANY,
     {pinsrw_mm, pinsrw_mm, 2, FPU_SIMD_MMX | FPU_SIMD_IMM8, FPU_MM, FPU_GPR, 0}},
    {FPU_PFX_66, 0xC4, SIMD_ANY, {pinsrw_xmm, pinsrw_xmm, 2, FPU_SIMD_IMM8, FPU_XMM, FPU_GPR, 0}},
    {FPU_PFX_NONE,
     0xC5,
     SIMD_ANY,
     {pextrw_mm, NULL, 0, FPU_SIMD_MMX | FPU_SIMD_IMM8, FPU_GPR, FPU_MM, 0}},
    {FPU_PFX_66, 0xC5, SIMD_ANY, {pextrw_xmm, NULL, 0, FPU_SIMD_IMM8, FPU_GPR, FPU_XMM, 0}},
    BOTH_ROWS(0xD1, psrlw),
    BOTH_ROWS(0xD2, psrld),
    BOTH_ROWS(0xD3, psrlq),
    BOTH_ROWS(0xD4, paddq),
    BOTH_ROWS(0xD5, pmullw),
    {FPU_PFX_NONE, 0xD7, SIMD_ANY, {pmovmskb_mm, NULL, 0, FPU_SIMD_MMX, FPU_GPR, FPU_MM, 0}},
    {FPU_PFX_66, 0xD7, SIMD_ANY, {pmovmskb_xmm, NULL, 0, 0, FPU_GPR, FPU_XMM, 0}},
    BOTH_ROWS(0xD8, psubusb),
    BOTH_ROWS(0xD9, psubusw),
    BOTH_ROWS(0xDA, pminub),
    BOTH_ROWS(0xDB, pand),
    BOTH_ROWS(0xDC, paddusb),
    BOTH_ROWS(0xDD, paddusw),
    BOTH_ROWS(0xDE, pmaxub),
    BOTH_ROWS(0xDF, pandn),
    BOTH_ROWS(0xE0, pavgb),
    BOTH_ROWS(0xE1, psraw),
    BOTH_ROWS(0xE2, psrad),
    BOTH_ROWS(0xE3, pavgw),
    BOTH_ROWS(0xE4, pmulhuw),
    BOTH_ROWS(0xE5, pmulhw),
    BOTH_ROWS(0xE8, psubsb),
    BOTH_ROWS(0xE9, psubsw),
    BOTH_ROWS(0xEA, pminsw),
    BOTH_ROWS(0xEB, por),
    BOTH_ROWS(0xEC, paddsb),
    BOTH_ROWS(0xED, paddsw),
    BOTH_ROWS(0xEE, pmaxsw),
    BOTH_ROWS(0xEF, pxor),
    BOTH_ROWS(0xF1, psllw),
    BOTH_ROWS(0xF2, pslld),
    BOTH_ROWS(0xF3, psllq),
    BOTH_ROWS(0xF4, pmuludq),
    BOTH_ROWS(0xF5, pmaddwd),
    BOTH_ROWS(0xF6, psadbw),
    BOTH_ROWS(0xF8, psubb),
    BOTH_ROWS(0xF9, psubw),
    BOTH_ROWS(0xFA, psubd),
    BOTH_ROWS(0xFB, psubq),
    BOTH_ROWS(0xFC, paddb),
    BOTH_ROWS(0xFD, paddw),
    BOTH_ROWS(0xFE, paddd),
};

const struct simd_table sse_int_table = {rows, sizeof(rows) / sizeof(rows[0])};
