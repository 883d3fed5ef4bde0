/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to x87*.c and fxsave.c: bits of the control and status words, the stack, arithmetic on
 * the host's x87 unit, and the wide software arithmetic for what must not depend on the host.
 */
#ifndef PCILAB_CPU_X87_H
#define PCILAB_CPU_X87_H

#include "fpu.h"

/* Status word, and masks in the control word: SDM volume 1, sections 8.1.3 and 8.1.5. */
enum {
    FSW_IE = 0x0001,
    FSW_DE = 0x0002,
    FSW_ZE = 0x0004,
    FSW_OE = 0x0008,
    FSW_UE = 0x0010,
    FSW_PE = 0x0020,
    FSW_SF = 0x0040,
    FSW_ES = 0x0080,
    FSW_C0 = 0x0100,
    FSW_C1 = 0x0200,
    FSW_C2 = 0x0400,
    FSW_TOP = 0x3800,
    FSW_C3 = 0x4000,
    FSW_B = 0x8000,
    FSW_FLAGS = 0x003F,
    /* Found before the computation: unmasked, they stop it. */
    FSW_BEFORE = FSW_IE | FSW_DE | FSW_ZE,
};
#define FSW_TOP_SHIFT 11

#define FCW_MASKS    0x003F
#define FCW_PC_SHIFT 8
#define FCW_RC_SHIFT 10
/* What the rest of the process runs with: the System V ABI's initial value. */
#define FCW_HOST 0x037F

enum { X87_ROUND_NEAREST, X87_ROUND_DOWN, X87_ROUND_UP, X87_ROUND_ZERO };

#define X87_EXP_BIAS    16383
#define X87_EXP_MAX     0x7FFF
#define X87_INTEGER_BIT 0x8000000000000000u
#define X87_QUIET_BIT   0x4000000000000000u
/* By how much an unmasked overflow or underflow shifts the exponent: section 8.5.4. */
#define X87_EXP_ADJUST 24576

/* Bits 7 and 13-15 do not exist; bit 6 is always 1. */
static inline uint16_t fpu_fcw_clean(uint16_t fcw)
{
    return (fcw & 0x1F3F) | 0x0040;
}

/* ES and B say whether an unmasked exception is flagged. */
static inline void fpu_update_es(struct fpu_ctl *ctl)
{
    if (ctl->fsw & ~ctl->fcw & FSW_FLAGS)
        ctl->fsw |= FSW_ES | FSW_B;
    else
        ctl->fsw &= (uint16_t) ~(FSW_ES | FSW_B);
}

/* ---- The stack ---- */

static inline unsigned x87_phys(const struct fpu *fpu, unsigned i)
{
    return ((fpu->ctl.fsw >> FSW_TOP_SHIFT) + i) & 7;
}

static inline struct fpu_reg *x87_st(struct fpu *fpu, unsigned i)
{
    return &fpu->st[x87_phys(fpu, i)];
}

static inline bool x87_empty(const struct fpu *fpu, unsigned i)
{
    return !(fpu->ctl.ftw & 1u << x87_phys(fpu, i));
}

static inline void x87_tag_valid(struct fpu *fpu, unsigned i)
{
    fpu->ctl.ftw |= (uint8_t)(1u << x87_phys(fpu, i));
}

static inline void x87_tag_empty(struct fpu *fpu, unsigned i)
{
    fpu->ctl.ftw &= (uint8_t) ~(1u << x87_phys(fpu, i));
}

static inline void x87_move_top(struct fpu *fpu, int by)
{
    unsigned top = x87_phys(fpu, (unsigned)by);
    fpu->ctl.fsw = (uint16_t)((fpu->ctl.fsw & ~FSW_TOP) | top << FSW_TOP_SHIFT);
}

static inline void x87_pop(struct fpu *fpu)
{
    x87_tag_empty(fpu, 0);
    x87_move_top(fpu, 1);
}

static inline void x87_push(struct fpu *fpu, const struct fpu_reg *value)
{
    x87_move_top(fpu, -1);
    *x87_st(fpu, 0) = *value;
    x87_tag_valid(fpu, 0);
}

static inline void x87_set_c1(struct fpu *fpu, bool c1)
{
    fpu->ctl.fsw = (uint16_t)((fpu->ctl.fsw & ~FSW_C1) | (c1 ? FSW_C1 : 0));
}

/* Flags exceptions; true if one of them is unmasked. */
static inline bool x87_raise(struct fpu *fpu, unsigned flags)
{
    fpu->ctl.fsw |= (uint16_t)flags;
    fpu_update_es(&fpu->ctl);
    return flags & ~fpu->ctl.fcw & FSW_FLAGS;
}

/* Stack underflow (c1 false) or overflow (true); true if unmasked. */
static inline bool x87_stack_fault(struct fpu *fpu, bool overflow)
{
    x87_set_c1(fpu, overflow);
    return x87_raise(fpu, FSW_IE | FSW_SF);
}

extern const struct fpu_reg x87_indefinite; /* the default NaN */
extern const struct fpu_reg x87_one;

/* The masked answer to an empty operand. */
static inline void x87_fill_empty(struct fpu *fpu, unsigned i)
{
    if (x87_empty(fpu, i)) {
        *x87_st(fpu, i) = x87_indefinite;
        x87_tag_valid(fpu, i);
    }
}

/* ---- What a register holds ---- */

enum x87_class {
    X87_ZERO,
    X87_NORMAL,
    X87_DENORMAL, /* pseudo-denormals as well */
    X87_INFINITY,
    X87_NAN,
    X87_UNSUPPORTED, /* raises invalid, as a signalling NaN does */
};

static inline enum x87_class x87_classify(const struct fpu_reg *reg)
{
    unsigned exp = reg->sign_exp & X87_EXP_MAX;

    if (exp == 0)
        return reg->mantissa ? X87_DENORMAL : X87_ZERO;
    if (!(reg->mantissa & X87_INTEGER_BIT))
        return X87_UNSUPPORTED;
    if (exp == X87_EXP_MAX)
        return reg->mantissa == X87_INTEGER_BIT ? X87_INFINITY : X87_NAN;
    return X87_NORMAL;
}

static inline bool x87_negative(const struct fpu_reg *reg)
{
    return reg->sign_exp & 0x8000;
}

static inline struct fpu_reg x87_make(bool negative, unsigned exp, uint64_t mantissa)
{
    return (struct fpu_reg){.mantissa = mantissa,
                            .sign_exp = (uint16_t)((negative ? 0x8000 : 0) | exp)};
}

/*
 * ---- The host's x87 (x87_host.c) ----
 * Each runs one instruction under precision and rounding of fcw with everything masked, and
 * returns the status word it left. `a` is ST(0), and the result.
 */
enum x87_format { X87_F80, X87_F32, X87_F64, X87_I16, X87_I32, X87_I64, X87_BCD };

/* index: ModRM.reg of D8: 0 add, 1 mul, 4 sub, 5 subr, 6 div, 7 divr. Not I64 and BCD. */
uint16_t x87_host_arith(unsigned index, enum x87_format format, uint16_t fcw, struct fpu_reg *a,
                        const void *b);
/* FCOM, or FUCOM (quiet), which is for F80 only. C0, C2 and C3 of the status word. */
uint16_t x87_host_compare(bool quiet, enum x87_format format, const struct fpu_reg *a,
                          const void *b);
uint16_t x87_host_load(enum x87_format format, struct fpu_reg *to, const void *from);
uint16_t x87_host_store(enum x87_format format, uint16_t fcw, void *to, const struct fpu_reg *from);
uint16_t x87_host_sqrt(uint16_t fcw, struct fpu_reg *a);
uint16_t x87_host_rndint(uint16_t fcw, struct fpu_reg *a);
uint16_t x87_host_scale(uint16_t fcw, struct fpu_reg *a, const struct fpu_reg *b);
uint16_t x87_host_extract(struct fpu_reg *a, struct fpu_reg *significand);
/* index: the last three bits of D9 E8 to EE. */
void x87_host_constant(unsigned index, uint16_t fcw, struct fpu_reg *to);

/*
 * ---- Wide arithmetic (x87_wide.c) ----
 * value = m * 2^(exp - 127), bit 127 of m set; m == 0 is zero. What falls off the end is kept as
 * a sticky lowest bit, so that rounding once at the end is correct.
 */
typedef unsigned __int128 x87_u128;

struct x87_wide {
    x87_u128 m;
    int32_t exp;
    bool negative;
};

struct x87_wide wide_from_reg(const struct fpu_reg *reg);          /* finite ones */
struct x87_wide wide_make(bool negative, int32_t exp, x87_u128 m); /* normalises */
struct x87_wide wide_mul(struct x87_wide a, struct x87_wide b);
struct x87_wide wide_add(struct x87_wide a, struct x87_wide b);
struct x87_wide wide_sub(struct x87_wide a, struct x87_wide b);
struct x87_wide wide_div(struct x87_wide a, struct x87_wide b);
struct x87_wide wide_div_small(struct x87_wide a, uint64_t n);
/*
 * Rounds to `bits` significant bits (24, 53 or 64) as fcw asks, with its masks of overflow and
 * underflow. Returns OE, UE, PE and C1 as in the status word.
 */
uint16_t wide_to_reg(struct x87_wide w, unsigned bits, uint16_t fcw, struct fpu_reg *out);

/* ---- Instructions by file ---- */

/* x87_trans.c: D9 F0 to F3, F5, F8, F9, FB, FE, FF. */
uint32_t x87_f2xm1(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fyl2x(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fptan(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fpatan(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fyl2xp1(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fsincos(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fsin(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fcos(struct fpu *fpu, void *mem, uint32_t fop);

/* x87_arith.c */
uint32_t x87_arith_st0(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_arith_sti(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_arith_sti_pop(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_arith_f32(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_arith_f64(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_arith_i16(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_arith_i32(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fprem(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fprem1(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fsqrt(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_frndint(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fscale(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fxtract(struct fpu *fpu, void *mem, uint32_t fop);
/* Flags and result of a one-result operation: false if it must not be stored. */
bool x87_finish(struct fpu *fpu, uint16_t sw);

/* x87_compare.c */
uint32_t x87_fchs(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fabs(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fcom(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fcomp(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fcompp(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fucom(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fucomp(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fucompp(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fcomi(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fcomip(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fucomi(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fucomip(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_ftst(struct fpu *fpu, void *mem, uint32_t fop);
uint32_t x87_fxam(struct fpu *fpu, void *mem, uint32_t fop);

/* x87_env.c */
uint32_t x87_fnstenv(struct fpu *fpu, void *mem, enum fpu_env env);
uint32_t x87_fldenv(struct fpu *fpu, const void *mem, enum fpu_env env);
uint32_t x87_fnsave(struct fpu *fpu, void *mem, enum fpu_env env);
uint32_t x87_frstor(struct fpu *fpu, const void *mem, enum fpu_env env);
void x87_init(struct fpu *fpu);

#endif
