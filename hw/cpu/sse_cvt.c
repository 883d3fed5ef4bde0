/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SIMD conversions (SDM volume 1, sections 10.4.3 and 11.4.1.6), run on the host's unit like
 * arithmetic. The MMX forms are the XMM ones on the low half: the other elements are zero, which
 * raises nothing.
 */
#include "sse.h"

#define LOAD_ss(p)  simd_load4(p)
#define LOAD_sd(p)  simd_load8(p)
#define LOAD_lo(p)  simd_load8(p)
#define LOAD_all(p) simd_load16(p)

/* XMM (or memory) to XMM. The scalar ones merge into dst. */
#define CONVERT(insn, load, finish)                                                                \
    SIMD_FN(insn)                                                                                  \
    {                                                                                              \
        __m128i r = simd_load16(dst), b = LOAD_##load(src);                                        \
        uint32_t csr = sse_host_csr(fpu), out;                                                     \
        SSE_RUN(#insn, r, b, csr, out);                                                            \
        uint32_t vector = finish;                                                                  \
        if (vector == FPU_OK)                                                                      \
            simd_store16(dst, r);                                                                  \
        return vector;                                                                             \
    }
#define NARROWED(kind) sse_finish_arith(fpu, out, (struct sse_outcome){b, b, r, kind, SIMD_NARROW})

CONVERT(cvtsd2ss, sd, NARROWED(SIMD_F32X1))
CONVERT(cvtpd2ps, all, NARROWED(SIMD_F32X4))
CONVERT(cvtss2sd, ss, sse_finish(fpu, out))
CONVERT(cvtps2pd, lo, sse_finish(fpu, out))
CONVERT(cvtdq2ps, all, sse_finish(fpu, out))
CONVERT(cvtps2dq, all, sse_finish(fpu, out))
CONVERT(cvttps2dq, all, sse_finish(fpu, out))
CONVERT(cvtdq2pd, lo, sse_finish(fpu, out))
CONVERT(cvtpd2dq, all, sse_finish(fpu, out))
CONVERT(cvttpd2dq, all, sse_finish(fpu, out))

/* General register to the low element of an XMM register. */
#define FROM_GPR(name, insn, type)                                                                 \
    SIMD_FN(name)                                                                                  \
    {                                                                                              \
        __m128i r = simd_load16(dst);                                                              \
        uint32_t csr = sse_host_csr(fpu), out, host_csr = MXCSR_HOST;                              \
        type value;                                                                                \
        memcpy(&value, src, sizeof(value));                                                        \
        __asm__ volatile("ldmxcsr %2\n\t" insn " %3, %0\n\tstmxcsr %1\n\tldmxcsr %4"               \
                         : "+x"(r), "=m"(out)                                                      \
                         : "m"(csr), "r"(value), "m"(host_csr));                                   \
        uint32_t vector = sse_finish(fpu, out);                                                    \
        if (vector == FPU_OK)                                                                      \
            simd_store16(dst, r);                                                                  \
        return vector;                                                                             \
    }

FROM_GPR(cvtsi2ss32, "cvtsi2ssl", uint32_t)
FROM_GPR(cvtsi2ss64, "cvtsi2ssq", uint64_t)
FROM_GPR(cvtsi2sd32, "cvtsi2sdl", uint32_t)
FROM_GPR(cvtsi2sd64, "cvtsi2sdq", uint64_t)

/* Low element of an XMM register to a general register; 32-bit results are zero-extended. */
#define TO_GPR(name, insn, load, type)                                                             \
    SIMD_FN(name)                                                                                  \
    {                                                                                              \
        __m128i b = LOAD_##load(src);                                                              \
        uint32_t csr = sse_host_csr(fpu), out, host_csr = MXCSR_HOST;                              \
        type value;                                                                                \
        __asm__ volatile("ldmxcsr %2\n\t" insn " %3, %0\n\tstmxcsr %1\n\tldmxcsr %4"               \
                         : "=r"(value), "=m"(out)                                                  \
                         : "m"(csr), "x"(b), "m"(host_csr));                                       \
        uint32_t vector = sse_finish(fpu, out);                                                    \
        if (vector == FPU_OK)                                                                      \
            *(uint64_t *)dst = value;                                                              \
        return vector;                                                                             \
    }
#define TO_GPR_BOTH(insn, load)                                                                    \
    TO_GPR(insn##32, #insn, load, uint32_t)                                                        \
    TO_GPR(insn##64, #insn, load, uint64_t)

TO_GPR_BOTH(cvtss2si, ss)
TO_GPR_BOTH(cvttss2si, ss)
TO_GPR_BOTH(cvtsd2si, sd)
TO_GPR_BOTH(cvttsd2si, sd)

/* ---- MMX ---- */

/* CHOICE: as on Intel's processors, the transition to MMX stays if #XM stops the instruction. */
#define TO_MM(name, insn, load)                                                                    \
    SIMD_FN(name)                                                                                  \
    {                                                                                              \
        __m128i r = _mm_setzero_si128(), b = LOAD_##load(src);                                     \
        uint32_t csr = sse_host_csr(fpu), out;                                                     \
        SSE_RUN(insn, r, b, csr, out);                                                             \
        uint32_t vector = sse_finish(fpu, out);                                                    \
        simd_enter_mmx(fpu);                                                                       \
        if (vector == FPU_OK)                                                                      \
            simd_store_mm(dst, r);                                                                 \
        return vector;                                                                             \
    }

TO_MM(cvtps2pi, "cvtps2dq", lo)
TO_MM(cvttps2pi, "cvttps2dq", lo)
TO_MM(cvtpd2pi, "cvtpd2dq", all)
TO_MM(cvttpd2pi, "cvttpd2dq", all)

/* From memory there is no transition to MMX, nor #MF (SDM volume 2, CVTPI2PS and CVTPI2PD). */
SIMD_FN(cvtpi2ps_mem)
{
    __m128i r = _mm_setzero_si128(), b = simd_load8(src);
    uint32_t csr = sse_host_csr(fpu), out;
    SSE_RUN("cvtdq2ps", r, b, csr, out);
    uint32_t vector = sse_finish(fpu, out);
    if (vector == FPU_OK)
        simd_store8(dst, r);
    return vector;
}

SIMD_FN(cvtpi2ps_mm)
{
    simd_enter_mmx(fpu);
    return cvtpi2ps_mem(fpu, dst, src, imm8);
}

SIMD_FN(cvtpi2pd_mm)
{
    simd_enter_mmx(fpu);
    return cvtdq2pd(fpu, dst, src, imm8);
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
#define MX FPU_SIMD_MMX

#define ROW(prefix, opcode, select, fn_reg, fn_mem, bytes, flags, reg, rm)                         \
    {                                                                                              \
        prefix, opcode, select,                                                                    \
        {                                                                                          \
            fn_reg, fn_mem, bytes, flags, reg, rm, FPU_HOT_NONE                                    \
        }                                                                                          \
    }
#define ROW1(prefix, opcode, fn, bytes, flags)                                                     \
    ROW(prefix, opcode, SIMD_ANY, fn, fn, bytes, flags, X, X)

static const struct simd_row rows[] = {
    ROW(P0, 0x2A, SIMD_REG, cvtpi2ps_mm, NULL, 8, MX, X, M),
    ROW(P0, 0x2A, SIMD_MEM, NULL, cvtpi2ps_mem, 8, 0, X, M),
    ROW(P6, 0x2A, SIMD_REG, cvtpi2pd_mm, NULL, 8, MX, X, M),
    ROW(P6, 0x2A, SIMD_MEM, NULL, cvtdq2pd, 8, 0, X, M),
    ROW(P3, 0x2A, SIMD_W0, cvtsi2ss32, cvtsi2ss32, 4, 0, X, G),
    ROW(P3, 0x2A, SIMD_W1, cvtsi2ss64, cvtsi2ss64, 8, 0, X, G),
    ROW(P2, 0x2A, SIMD_W0, cvtsi2sd32, cvtsi2sd32, 4, 0, X, G),
    ROW(P2, 0x2A, SIMD_W1, cvtsi2sd64, cvtsi2sd64, 8, 0, X, G),
    ROW(P0, 0x2C, SIMD_ANY, cvttps2pi, cvttps2pi, 8, MX, M, X),
    ROW(P6, 0x2C, SIMD_ANY, cvttpd2pi, cvttpd2pi, 16, MX | A, M, X),
    ROW(P3, 0x2C, SIMD_W0, cvttss2si32, cvttss2si32, 4, 0, G, X),
    ROW(P3, 0x2C, SIMD_W1, cvttss2si64, cvttss2si64, 4, 0, G, X),
    ROW(P2, 0x2C, SIMD_W0, cvttsd2si32, cvttsd2si32, 8, 0, G, X),
    ROW(P2, 0x2C, SIMD_W1, cvttsd2si64, cvttsd2si64, 8, 0, G, X),
    ROW(P0, 0x2D, SIMD_ANY, cvtps2pi, cvtps2pi, 8, MX, M, X),
    ROW(P6, 0x2D, SIMD_ANY, cvtpd2pi, cvtpd2pi, 16, MX | A, M, X),
    ROW(P3, 0x2D, SIMD_W0, cvtss2si32, cvtss2si32, 4, 0, G, X),
    ROW(P3, 0x2D, SIMD_W1, cvtss2si64, cvtss2si64, 4, 0, G, X),
    ROW(P2, 0x2D, SIMD_W0, cvtsd2si32, cvtsd2si32, 8, 0, G, X),
    ROW(P2, 0x2D, SIMD_W1, cvtsd2si64, cvtsd2si64, 8, 0, G, X),
    ROW1(P0, 0x5A, cvtps2pd, 8, 0),
    ROW1(P6, 0x5A, cvtpd2ps, 16, A),
    ROW1(P3, 0x5A, cvtss2sd, 4, 0),
    ROW1(P2, 0x5A, cvtsd2ss, 8, 0),
    ROW1(P0, 0x5B, cvtdq2ps, 16, A),
    ROW1(P6, 0x5B, cvtps2dq, 16, A),
    ROW1(P3, 0x5B, cvttps2dq, 16, A),
    ROW1(P3, 0xE6, cvtdq2pd, 8, 0),
    ROW1(P6, 0xE6, cvttpd2dq, 16, A),
    ROW1(P2, 0xE6, cvtpd2dq, 16, A),
};

const struct simd_table sse_cvt_table = {rows, sizeof(rows) / sizeof(rows[0])};
