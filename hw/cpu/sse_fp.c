/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SIMD floating-point arithmetic and comparison (SDM volume 1, sections 10.4.1.2, 11.4.1.2).
 *
 * Every operation but the approximations is correctly rounded (IEEE 754), so the host's own
 * instruction under the guest's MXCSR gives the one right answer on any x86-64 host.
 */
#include "sse.h"

#include <math.h>

/* How the source of each format is loaded: never more than the operand has. */
#define LOAD_ss(p) simd_load4(p)
#define LOAD_sd(p) simd_load8(p)
#define LOAD_ps(p) simd_load16(p)
#define LOAD_pd(p) simd_load16(p)

/* dst = dst op src, or op(src) merged into dst. */
#define ARITH(name, format, finish)                                                                \
    SIMD_FN(name##format)                                                                          \
    {                                                                                              \
        __m128i a = simd_load16(dst), b = LOAD_##format(src), r = a;                               \
        uint32_t csr = sse_host_csr(fpu), out;                                                     \
        SSE_RUN(#name #format, r, b, csr, out);                                                    \
        uint32_t vector = finish;                                                                  \
        if (vector == FPU_OK)                                                                      \
            simd_store16(dst, r);                                                                  \
        return vector;                                                                             \
    }
#define ROUNDED(kind, arith) sse_finish_arith(fpu, out, (struct sse_outcome){a, b, r, kind, arith})
#define ARITH_ROUNDED(name, arith)                                                                 \
    ARITH(name, ps, ROUNDED(SIMD_F32X4, arith))                                                    \
    ARITH(name, pd, ROUNDED(SIMD_F64X2, arith))                                                    \
    ARITH(name, ss, ROUNDED(SIMD_F32X1, arith))                                                    \
    ARITH(name, sd, ROUNDED(SIMD_F64X1, arith))
#define ARITH_IN_RANGE(name)                                                                       \
    ARITH(name, ps, sse_finish(fpu, out))                                                          \
    ARITH(name, pd, sse_finish(fpu, out))                                                          \
    ARITH(name, ss, sse_finish(fpu, out))                                                          \
    ARITH(name, sd, sse_finish(fpu, out))

ARITH_ROUNDED(add, SIMD_ADD)
ARITH_ROUNDED(sub, SIMD_SUB)
ARITH_ROUNDED(mul, SIMD_MUL)
ARITH_ROUNDED(div, SIMD_DIV)
ARITH_IN_RANGE(min)
ARITH_IN_RANGE(max)
ARITH_IN_RANGE(sqrt)

/* ---- Comparisons ---- */

/* The predicate is part of the instruction, so one instruction for each; bits 3-7 are ignored. */
#define CMP_CASE(n, format)                                                                        \
    case n:                                                                                        \
        SSE_RUN("cmp" format " $" #n ",", r, b, csr, out);                                         \
        break
#define COMPARE(format)                                                                            \
    SIMD_FN(cmp##format)                                                                           \
    {                                                                                              \
        __m128i r = simd_load16(dst), b = LOAD_##format(src);                                      \
        uint32_t csr = sse_host_csr(fpu), out = 0;                                                 \
        switch (imm8 & 7) {                                                                        \
            CMP_CASE(0, #format);                                                                  \
            CMP_CASE(1, #format);                                                                  \
            CMP_CASE(2, #format);                                                                  \
            CMP_CASE(3, #format);                                                                  \
            CMP_CASE(4, #format);                                                                  \
            CMP_CASE(5, #format);                                                                  \
            CMP_CASE(6, #format);                                                                  \
            CMP_CASE(7, #format);                                                                  \
        }                                                                                          \
        uint32_t vector = sse_finish(fpu, out);                                                    \
        if (vector == FPU_OK)                                                                      \
            simd_store16(dst, r);                                                                  \
        return vector;                                                                             \
    }
COMPARE(ps)
COMPARE(pd)
COMPARE(ss)
COMPARE(sd)

/* ZF, PF and CF hold the result; OF, SF and AF become 0 (SDM volume 2, COMISD). */
#define ORDERED(name, format)                                                                      \
    SIMD_FN(name##format)                                                                          \
    {                                                                                              \
        __m128i a = LOAD_##format(dst), b = LOAD_##format(src);                                    \
        uint32_t csr = sse_host_csr(fpu), out, host_csr = MXCSR_HOST;                              \
        int zf, pf, cf;                                                                            \
        __asm__ volatile("ldmxcsr %4\n\t" #name #format " %6, %5\n\tstmxcsr %3\n\tldmxcsr %7"      \
                         : "=@ccz"(zf), "=@ccp"(pf), "=@ccc"(cf), "=m"(out)                        \
                         : "m"(csr), "x"(a), "x"(b), "m"(host_csr));                               \
        uint32_t vector = sse_finish(fpu, out);                                                    \
        if (vector == FPU_OK)                                                                      \
            fpu->eflags = (uint32_t)(cf | pf << 2 | zf << 6);                                      \
        return vector;                                                                             \
    }
ORDERED(comi, ss)
ORDERED(comi, sd)
ORDERED(ucomi, ss)
ORDERED(ucomi, sd)

/* ---- Approximations ---- */

/*
 * RCPPS and RSQRTPS may err by 1.5 * 2^-12 (SDM volume 2); processors differ in the bits.
 * CHOICE: the true value rounded to 12 significant bits, on every host. Denormals are zeroes and
 * results too small become zero whatever MXCSR says; no exception is ever flagged.
 */
static uint32_t round_to_12_bits(double v)
{
    float f = (float)v;
    uint32_t bits = simd_u32(&f);
    if ((bits & 0x7F800000u) == 0)
        return bits & 0x80000000u;
    return (bits + 0x800u) & ~0xFFFu;
}

static uint32_t approx_rcp(uint32_t bits)
{
    uint32_t sign = bits & 0x80000000u, magnitude = bits & 0x7FFFFFFFu;
    float f;

    if (magnitude > 0x7F800000u)
        return bits | 0x00400000u;
    if (magnitude == 0x7F800000u)
        return sign;
    if (magnitude < 0x00800000u)
        return sign | 0x7F800000u;
    memcpy(&f, &bits, 4);
    return round_to_12_bits(1.0 / (double)f);
}

static uint32_t approx_rsqrt(uint32_t bits)
{
    uint32_t sign = bits & 0x80000000u, magnitude = bits & 0x7FFFFFFFu;
    float f;

    if (magnitude > 0x7F800000u)
        return bits | 0x00400000u;
    if (magnitude < 0x00800000u)
        return sign | 0x7F800000u;
    if (sign)
        return 0xFFC00000u;
    if (magnitude == 0x7F800000u)
        return 0;
    memcpy(&f, &bits, 4);
    return round_to_12_bits(1.0 / sqrt((double)f));
}

#define APPROXIMATE(name)                                                                          \
    SIMD_FN(name##ss)                                                                              \
    {                                                                                              \
        uint32_t r = approx_##name(simd_u32(src));                                                 \
        memcpy(dst, &r, 4);                                                                        \
        return FPU_OK;                                                                             \
    }                                                                                              \
    SIMD_FN(name##ps)                                                                              \
    {                                                                                              \
        uint32_t v[4];                                                                             \
        memcpy(v, src, 16);                                                                        \
        for (unsigned i = 0; i < 4; i++)                                                           \
            v[i] = approx_##name(v[i]);                                                            \
        memcpy(dst, v, 16);                                                                        \
        return FPU_OK;                                                                             \
    }
APPROXIMATE(rcp)
APPROXIMATE(rsqrt)

/* ---- Rows ---- */

#define ROW(prefix, code, fn, bytes, flags)                                                        \
    {                                                                                              \
        prefix, code, SIMD_ANY,                                                                    \
        {                                                                                          \
            fn, fn, bytes, flags, FPU_XMM, FPU_XMM, FPU_HOT_NONE                                   \
        }                                                                                          \
    }
#define SINGLE_ROWS(code, name)                                                                    \
    ROW(FPU_PFX_NONE, code, name##ps, 16, FPU_SIMD_ALIGN16), ROW(FPU_PFX_F3, code, name##ss, 4, 0)
#define ALL_ROWS(code, name)                                                                       \
    SINGLE_ROWS(code, name), ROW(FPU_PFX_66, code, name##pd, 16, FPU_SIMD_ALIGN16),                \
        ROW(FPU_PFX_F2, code, name##sd, 8, 0)

static const struct simd_row rows[] = {
    ROW(FPU_PFX_NONE, 0x2E, ucomiss, 4, FPU_SIMD_EFLAGS),
    ROW(FPU_PFX_66, 0x2E, ucomisd, 8, FPU_SIMD_EFLAGS),
    ROW(FPU_PFX_NONE, 0x2F, comiss, 4, FPU_SIMD_EFLAGS),
    ROW(FPU_PFX_66, 0x2F, comisd, 8, FPU_SIMD_EFLAGS),
    ALL_ROWS(0x51, sqrt),
    SINGLE_ROWS(0x52, rsqrt),
    SINGLE_ROWS(0x53, rcp),
    ALL_ROWS(0x58, add),
    ALL_ROWS(0x59, mul),
    ALL_ROWS(0x5C, sub),
    ALL_ROWS(0x5D, min),
    ALL_ROWS(0x5E, div),
    ALL_ROWS(0x5F, max),
    ROW(FPU_PFX_NONE, 0xC2, cmpps, 16, FPU_SIMD_ALIGN16 | FPU_SIMD_IMM8),
    ROW(FPU_PFX_F3, 0xC2, cmpss, 4, FPU_SIMD_IMM8),
    ROW(FPU_PFX_66, 0xC2, cmppd, 16, FPU_SIMD_ALIGN16 | FPU_SIMD_IMM8),
    ROW(FPU_PFX_F2, 0xC2, cmpsd, 8, FPU_SIMD_IMM8),
};

const struct simd_table sse_fp_table = {rows, sizeof(rows) / sizeof(rows[0])};
