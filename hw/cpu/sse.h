/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to sse*.c: the rows from which fpu_simd_lookup() chooses, one table for each topic, and
 * how floating-point instructions run on the host's own SSE unit.
 */
#ifndef PCILAB_CPU_SSE_H
#define PCILAB_CPU_SSE_H

#include "fpu.h"

#include <emmintrin.h>
#include <string.h>

/* Which instructions with the row's prefix and opcode it means. */
enum {
    SIMD_ANY = 0xFF,
    SIMD_W0 = 0xF0,  /* without REX.W */
    SIMD_W1 = 0xF1,  /* with REX.W */
    SIMD_REG = 0xF2, /* ModRM.mod == 3 */
    SIMD_MEM = 0xF3,
    /* else: the value of ModRM.reg, an extension of the opcode */
};

struct simd_row {
    uint8_t prefix; /* enum fpu_prefix */
    uint8_t opcode;
    uint8_t select;
    struct fpu_simd_op op;
};

struct simd_table {
    const struct simd_row *rows;
    size_t count;
};

extern const struct simd_table sse_int_table;  /* packed integers, MMX and XMM */
extern const struct simd_table sse_move_table; /* moves, shuffles, bitwise logic */
extern const struct simd_table sse_fp_table;   /* arithmetic, comparisons, approximations */
extern const struct simd_table sse_cvt_table;  /* conversions */

#define SIMD_FN(name)                                                                              \
    static uint32_t name(struct fpu *fpu, void *dst, const void *src, uint32_t imm8)

/* Sources may be memory buffers: never read more than the operand's size. */
static inline __m128i simd_load16(const void *p)
{
    return _mm_loadu_si128(p);
}

static inline __m128i simd_load8(const void *p)
{
    return _mm_loadl_epi64(p);
}

static inline __m128i simd_load4(const void *p)
{
    int32_t v;
    memcpy(&v, p, sizeof(v));
    return _mm_cvtsi32_si128(v);
}

static inline void simd_store16(void *p, __m128i v)
{
    _mm_storeu_si128(p, v);
}

static inline void simd_store8(void *p, __m128i v)
{
    _mm_storel_epi64(p, v);
}

static inline uint32_t simd_u32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint64_t simd_u64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

/* Any MMX instruction: TOP = 0, all registers valid (SDM volume 3, section 13.2). */
static inline void simd_enter_mmx(struct fpu *fpu)
{
    fpu->ctl.fsw &= ~0x3800;
    fpu->ctl.ftw = 0xFF;
}

/* Writing an MMX register sets the bits above it (same section). */
static inline void simd_store_mm(void *dst, __m128i v)
{
    struct fpu_reg *reg = dst;
    reg->mantissa = (uint64_t)_mm_cvtsi128_si64(v);
    reg->sign_exp = 0xFFFF;
}

/* ---- Floating point on the host's unit ---- */

#define MXCSR_FLAGS    0x003Fu
#define MXCSR_IE       0x0001u
#define MXCSR_DE       0x0002u
#define MXCSR_ZE       0x0004u
#define MXCSR_OE       0x0008u
#define MXCSR_UE       0x0010u
#define MXCSR_PE       0x0020u
#define MXCSR_DAZ      0x0040u
#define MXCSR_MASKS    0x1F80u
#define MXCSR_OM       0x0400u
#define MXCSR_UM       0x0800u
#define MXCSR_FTZ      0x8000u
#define MXCSR_RC_SHIFT 13
/* What the rest of the process runs with: the System V ABI's initial value. */
#define MXCSR_HOST 0x1F80u

/* What the result holds: matters for those that can overflow or underflow. */
enum simd_result { SIMD_NO_UNDERFLOW, SIMD_F32X1, SIMD_F32X4, SIMD_F64X1, SIMD_F64X2 };

/* How the result came about: index of x87_host_arith(). */
enum simd_arith { SIMD_ADD = 0, SIMD_MUL = 1, SIMD_SUB = 4, SIMD_DIV = 6, SIMD_NARROW = 8 };

/* What must be known about an instruction that may raise an exception. */
struct sse_outcome {
    __m128i a, b, result; /* SIMD_NARROW: source is b */
    enum simd_result kind;
    enum simd_arith arith;
};

/*
 * The guest's MXCSR as the host's unit may have it: everything masked, no flags. Flush-to-zero
 * has no effect while underflow is unmasked (SDM volume 1, section 10.2.3.3).
 */
static inline uint32_t sse_host_csr(const struct fpu *fpu)
{
    uint32_t csr = (fpu->mxcsr | MXCSR_MASKS) & ~MXCSR_FLAGS;
    if (!(fpu->mxcsr & MXCSR_UM))
        csr &= ~MXCSR_FTZ;
    return csr;
}

/* Some exception is or may be unmasked. Sets flags; returns FPU_XM or FPU_OK. */
uint32_t sse_raise(struct fpu *fpu, uint32_t flags, const struct sse_outcome *outcome);

/* After an instruction left `csr`: 0 if the result may be stored. */
static inline uint32_t sse_finish_arith(struct fpu *fpu, uint32_t csr, struct sse_outcome outcome)
{
    uint32_t flags = csr & MXCSR_FLAGS;
    if (__builtin_expect((~fpu->mxcsr & MXCSR_UM) || (flags & ~(fpu->mxcsr >> 7)), 0))
        return sse_raise(fpu, flags, &outcome);
    fpu->mxcsr |= flags;
    return FPU_OK;
}

/* The same for one that can neither overflow nor underflow. */
static inline uint32_t sse_finish(struct fpu *fpu, uint32_t csr)
{
    return sse_finish_arith(fpu, csr, (struct sse_outcome){.kind = SIMD_NO_UNDERFLOW});
}

/* Runs `insn source, result` under the guest's MXCSR; csr_out receives the flags. */
#define SSE_RUN(insn, result, source, csr_in, csr_out)                                             \
    do {                                                                                           \
        uint32_t host_csr_ = MXCSR_HOST;                                                           \
        __asm__ volatile("ldmxcsr %2\n\t" insn " %3, %0\n\tstmxcsr %1\n\tldmxcsr %4"               \
                         : "+x"(result), "=m"(csr_out)                                             \
                         : "m"(csr_in), "x"(source), "m"(host_csr_));                              \
    } while (0)

#endif
