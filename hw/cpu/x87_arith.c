/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x87 arithmetic (SDM volume 1, sections 8.3.5 to 8.3.7, 8.5): operands from the stack, the
 * computation on the host's unit, then what the exceptions make of the result.
 */
#include "x87.h"

/*
 * The end of every operation with a result for a register. sw is the status word it left with
 * everything masked. An unmasked exception found before the computation stops the instruction:
 * false, nothing is stored or popped. One found after it (overflow, underflow, precision) does
 * not: section 8.5.4 to 8.5.6.
 */
bool x87_finish(struct fpu *fpu, uint16_t sw)
{
    unsigned flags = sw & FSW_FLAGS;

    if (flags & FSW_BEFORE & ~fpu->ctl.fcw) {
        x87_set_c1(fpu, false);
        x87_raise(fpu, flags & FSW_BEFORE);
        return false;
    }
    x87_set_c1(fpu, sw & FSW_C1);
    x87_raise(fpu, flags);
    return true;
}

static unsigned precision_bits(uint16_t fcw)
{
    static const unsigned bits[4] = {24, 64, 53, 64};
    return bits[fcw >> FCW_PC_SHIFT & 3];
}

/*
 * With overflow or underflow unmasked the result has another exponent (section 8.5.4), and a
 * tiny one underflows even if exact: these go through wide arithmetic.
 */
static bool needs_wide(uint16_t fcw, uint16_t sw, const struct fpu_reg *result)
{
    unsigned unmasked = ~fcw & (FSW_OE | FSW_UE);
    bool tiny = x87_classify(result) == X87_DENORMAL;

    if (!unmasked || (sw & (FSW_IE | FSW_ZE)))
        return false;
    return (sw & (FSW_OE | FSW_UE)) || ((unmasked & FSW_UE) && tiny);
}

static struct x87_wide wide_arith(unsigned index, struct x87_wide a, struct x87_wide b)
{
    switch (index) {
    case 0: return wide_add(a, b);
    case 1: return wide_mul(a, b);
    case 4: return wide_sub(a, b);
    case 5: return wide_sub(b, a);
    case 6: return wide_div(a, b);
    default: return wide_div(b, a);
    }
}

/* result = ST(0) op operand; false if there is none. */
static bool compute(struct fpu *fpu, unsigned index, enum x87_format format, const void *operand,
                    struct fpu_reg *result)
{
    uint16_t fcw = fpu->ctl.fcw;

    *result = *x87_st(fpu, 0);
    uint16_t sw = x87_host_arith(index, format, fcw, result, operand);
    if (needs_wide(fcw, sw, result)) {
        struct fpu_reg b;
        x87_host_load(format, &b, operand);
        struct x87_wide exact = wide_arith(index, wide_from_reg(x87_st(fpu, 0)), wide_from_reg(&b));
        sw = (sw & FSW_DE) | wide_to_reg(exact, precision_bits(fcw), fcw, result);
    }
    return x87_finish(fpu, sw);
}

static void set_codes(struct fpu *fpu, uint16_t codes)
{
    uint16_t all = FSW_C0 | FSW_C2 | FSW_C3;
    fpu->ctl.fsw = (uint16_t)((fpu->ctl.fsw & ~all) | (codes & all));
}

static uint32_t compare_mem(struct fpu *fpu, enum x87_format format, const void *mem, bool pop)
{
    uint16_t codes = FSW_C0 | FSW_C2 | FSW_C3;
    bool good;

    if (x87_empty(fpu, 0)) {
        good = !x87_stack_fault(fpu, false);
    } else {
        codes = x87_host_compare(false, format, x87_st(fpu, 0), mem);
        good = x87_finish(fpu, codes & ~FSW_C1);
    }
    /* As on Intel's processors the codes are set even if the exception is unmasked. */
    set_codes(fpu, codes);
    if (pop && good)
        x87_pop(fpu);
    return FPU_OK;
}

/* Memory operand: add, mul, com, comp, sub, subr, div, divr by ModRM.reg. */
static uint32_t arith_mem(struct fpu *fpu, enum x87_format format, const void *mem, uint32_t fop)
{
    unsigned index = fop >> 3 & 7;
    struct fpu_reg result = x87_indefinite;

    if (index == 2 || index == 3)
        return compare_mem(fpu, format, mem, index == 3);
    if (x87_empty(fpu, 0)) {
        if (x87_stack_fault(fpu, false))
            return FPU_OK;
    } else if (!compute(fpu, index, format, mem, &result)) {
        return FPU_OK;
    }
    *x87_st(fpu, 0) = result;
    x87_tag_valid(fpu, 0);
    return FPU_OK;
}

uint32_t x87_arith_f32(struct fpu *fpu, void *mem, uint32_t fop)
{
    return arith_mem(fpu, X87_F32, mem, fop);
}

uint32_t x87_arith_f64(struct fpu *fpu, void *mem, uint32_t fop)
{
    return arith_mem(fpu, X87_F64, mem, fop);
}

uint32_t x87_arith_i16(struct fpu *fpu, void *mem, uint32_t fop)
{
    return arith_mem(fpu, X87_I16, mem, fop);
}

uint32_t x87_arith_i32(struct fpu *fpu, void *mem, uint32_t fop)
{
    return arith_mem(fpu, X87_I32, mem, fop);
}

/* ST(to) = ST(0) op ST(i). The reversed forms of DC and DE compute the same, stored elsewhere. */
static bool arith_reg(struct fpu *fpu, uint32_t fop, unsigned to)
{
    unsigned i = fop & 7;
    struct fpu_reg result = x87_indefinite;

    if (x87_empty(fpu, 0) || x87_empty(fpu, i)) {
        if (x87_stack_fault(fpu, false))
            return false;
    } else if (!compute(fpu, fop >> 3 & 7, X87_F80, x87_st(fpu, i), &result)) {
        return false;
    }
    *x87_st(fpu, to) = result;
    x87_tag_valid(fpu, to);
    return true;
}

uint32_t x87_arith_st0(struct fpu *fpu, void *mem, uint32_t fop)
{
    arith_reg(fpu, fop, 0);
    return FPU_OK;
}

uint32_t x87_arith_sti(struct fpu *fpu, void *mem, uint32_t fop)
{
    arith_reg(fpu, fop, fop & 7);
    return FPU_OK;
}

uint32_t x87_arith_sti_pop(struct fpu *fpu, void *mem, uint32_t fop)
{
    if (arith_reg(fpu, fop, fop & 7))
        x87_pop(fpu);
    return FPU_OK;
}

/* ---- One operand ---- */

static uint32_t unary(struct fpu *fpu, uint16_t (*host)(uint16_t, struct fpu_reg *))
{
    struct fpu_reg result = x87_indefinite;

    if (x87_empty(fpu, 0)) {
        if (x87_stack_fault(fpu, false))
            return FPU_OK;
    } else {
        result = *x87_st(fpu, 0);
        if (!x87_finish(fpu, host(fpu->ctl.fcw, &result)))
            return FPU_OK;
    }
    *x87_st(fpu, 0) = result;
    x87_tag_valid(fpu, 0);
    return FPU_OK;
}

uint32_t x87_fsqrt(struct fpu *fpu, void *mem, uint32_t fop)
{
    return unary(fpu, x87_host_sqrt);
}

uint32_t x87_frndint(struct fpu *fpu, void *mem, uint32_t fop)
{
    return unary(fpu, x87_host_rndint);
}

/* Exponent to ST(0), then the significand is pushed. */
uint32_t x87_fxtract(struct fpu *fpu, void *mem, uint32_t fop)
{
    struct fpu_reg exponent = x87_indefinite, significand = x87_indefinite;

    if (x87_empty(fpu, 0) || !x87_empty(fpu, 7)) {
        if (x87_stack_fault(fpu, !x87_empty(fpu, 0)))
            return FPU_OK;
    } else {
        exponent = *x87_st(fpu, 0);
        if (!x87_finish(fpu, x87_host_extract(&exponent, &significand)))
            return FPU_OK;
    }
    *x87_st(fpu, 0) = exponent;
    x87_tag_valid(fpu, 0);
    x87_push(fpu, &significand);
    return FPU_OK;
}

/* ---- ST(0) and ST(1) ---- */

/* The integer part of a number, limited to what saturates any exponent. */
static int32_t truncate_for_scale(const struct fpu_reg *reg)
{
    int32_t exp = (reg->sign_exp & X87_EXP_MAX) - X87_EXP_BIAS;
    int32_t n;

    if (exp < 0)
        return 0;
    n = exp > 17 ? 1 << 18 : (int32_t)(reg->mantissa >> (63 - exp));
    return x87_negative(reg) ? -n : n;
}

static uint16_t scale(uint16_t fcw, const struct fpu_reg *by, struct fpu_reg *value)
{
    const struct fpu_reg a = *value;
    uint16_t sw = x87_host_scale(fcw, value, by);

    if (needs_wide(fcw, sw, value) && x87_classify(by) != X87_INFINITY) {
        struct x87_wide w = wide_from_reg(&a);
        w.exp += truncate_for_scale(by);
        sw = (sw & FSW_DE) | wide_to_reg(w, 64, fcw, value);
    }
    return sw;
}

uint32_t x87_fscale(struct fpu *fpu, void *mem, uint32_t fop)
{
    struct fpu_reg result = x87_indefinite;

    if (x87_empty(fpu, 0) || x87_empty(fpu, 1)) {
        if (x87_stack_fault(fpu, false))
            return FPU_OK;
    } else {
        result = *x87_st(fpu, 0);
        if (!x87_finish(fpu, scale(fpu->ctl.fcw, x87_st(fpu, 1), &result)))
            return FPU_OK;
    }
    *x87_st(fpu, 0) = result;
    x87_tag_valid(fpu, 0);
    return FPU_OK;
}

/*
 * a - b * quotient, exactly. A difference of exponents of 64 or more is worked off by 32 to 63 in
 * one instruction; how many is the processor's choice (SDM volume 2, FPREM).
 * CHOICE: 32 plus the low five bits of the difference.
 */
static struct x87_wide remainder_step(struct x87_wide a, struct x87_wide b, bool nearest,
                                      uint16_t *codes)
{
    int32_t difference = a.exp - b.exp;
    unsigned steps = (unsigned)difference;
    uint64_t quotient = 0;
    bool negative = a.negative;

    *codes = 0;
    if (difference < -1 || (difference < 0 && !nearest))
        return a;
    if (difference >= 64) {
        steps = 32 + (difference & 31);
        *codes = FSW_C2;
    }
    /* Significands in the low 64 bits, with room above; a's exponent moves towards b's. */
    x87_u128 rest = a.m >> 64, divisor = b.m >> 64;
    int32_t exp = a.exp - (int32_t)steps;
    if (difference < 0) {
        /* Less than half a divisor or more than half: only the rounding below is left. */
        divisor <<= 1;
        exp = a.exp;
    } else {
        for (unsigned i = 0; i <= steps; i++) {
            quotient <<= 1;
            if (rest >= divisor) {
                rest -= divisor;
                quotient |= 1;
            }
            if (i < steps)
                rest <<= 1;
        }
    }
    if (nearest && !*codes && (2 * rest > divisor || (2 * rest == divisor && (quotient & 1)))) {
        rest = divisor - rest;
        negative = !negative;
        quotient++;
    }
    if (!*codes)
        *codes =
            (quotient & 1 ? FSW_C1 : 0) | (quotient & 2 ? FSW_C3 : 0) | (quotient & 4 ? FSW_C0 : 0);
    struct x87_wide result = wide_make(negative, exp + 64, rest);
    if (!rest)
        result.negative = a.negative;
    return result;
}

static uint16_t remainder_of(uint16_t fcw, struct fpu_reg *a, const struct fpu_reg *b, bool nearest,
                             uint16_t *codes)
{
    enum x87_class ca = x87_classify(a), cb = x87_classify(b);

    *codes = 0;
    if (ca >= X87_NAN || cb >= X87_NAN)
        return x87_host_arith(0, X87_F80, FCW_HOST, a, b) & FSW_IE;
    if (ca == X87_INFINITY || cb == X87_ZERO) {
        *a = x87_indefinite;
        return FSW_IE;
    }
    uint16_t sw = ca == X87_DENORMAL || cb == X87_DENORMAL ? FSW_DE : 0;
    if (ca == X87_ZERO)
        return sw;
    if (cb == X87_INFINITY)
        return sw | wide_to_reg(wide_from_reg(a), 64, fcw, a);
    struct x87_wide r = remainder_step(wide_from_reg(a), wide_from_reg(b), nearest, codes);
    return sw | wide_to_reg(r, 64, fcw, a);
}

static uint32_t remainder_insn(struct fpu *fpu, bool nearest)
{
    struct fpu_reg result = x87_indefinite;
    uint16_t codes = 0;

    fpu->ctl.fsw &= (uint16_t)~FSW_C2;
    if (x87_empty(fpu, 0) || x87_empty(fpu, 1)) {
        if (x87_stack_fault(fpu, false))
            return FPU_OK;
    } else {
        result = *x87_st(fpu, 0);
        uint16_t sw = remainder_of(fpu->ctl.fcw, &result, x87_st(fpu, 1), nearest, &codes);
        if (!x87_finish(fpu, sw))
            return FPU_OK;
        if (x87_classify(&result) < X87_NAN) {
            set_codes(fpu, codes);
            x87_set_c1(fpu, codes & FSW_C1);
        }
    }
    *x87_st(fpu, 0) = result;
    x87_tag_valid(fpu, 0);
    return FPU_OK;
}

uint32_t x87_fprem(struct fpu *fpu, void *mem, uint32_t fop)
{
    return remainder_insn(fpu, false);
}

uint32_t x87_fprem1(struct fpu *fpu, void *mem, uint32_t fop)
{
    return remainder_insn(fpu, true);
}
