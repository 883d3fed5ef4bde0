/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transcendental x87 instructions (SDM volume 1, section 8.3.10), in software: processors differ
 * in the last bit, a deterministic machine must not. Results are rounded once, from about 120
 * correct bits, as the rounding mode says; precision control does not apply.
 *
 * FSIN and its family reduce their operand by the same 66-bit pi as Intel's processors (section
 * 8.3.8), so that results near multiples of pi are theirs and not the mathematician's.
 */
#include "x87.h"

#define U128(high, low) ((x87_u128)(high) << 64 | (low))

static const struct x87_wide w_one = {.m = U128(X87_INTEGER_BIT, 0), .exp = 0};
static const struct x87_wide w_pi = {.m = U128(0xC90FDAA22168C234, 0xC4C6628B80DC1CD1), .exp = 1};
static const struct x87_wide w_ln2 = {.m = U128(0xB17217F7D1CF79AB, 0xC9E3B39803F2F6AF), .exp = -1};
static const struct x87_wide w_log2e = {.m = U128(0xB8AA3B295C17F0BB, 0xBE87FED0691D3E89),
                                        .exp = 0};

/* One operand; returns exceptions, C1 and C2 as a status word. */
typedef uint16_t (*trans_unary)(uint16_t fcw, const struct fpu_reg *in, struct fpu_reg *out);
/* a is ST(0), b ST(1). */
typedef uint16_t (*trans_binary)(uint16_t fcw, const struct fpu_reg *a, const struct fpu_reg *b,
                                 struct fpu_reg *out);

static bool is_nan(const struct fpu_reg *reg)
{
    return x87_classify(reg) >= X87_NAN;
}

/* Any instruction that does nothing to a number makes a NaN quiet, with the right flags. */
static uint16_t nan_unary(const struct fpu_reg *in, struct fpu_reg *out)
{
    *out = *in;
    return x87_host_rndint(FCW_HOST, out) & FSW_IE;
}

static uint16_t nan_binary(const struct fpu_reg *a, const struct fpu_reg *b, struct fpu_reg *out)
{
    *out = *a;
    return x87_host_arith(0, X87_F80, FCW_HOST, out, b) & FSW_IE;
}

static uint16_t invalid(struct fpu_reg *out)
{
    *out = x87_indefinite;
    return FSW_IE;
}

static uint16_t denormal_flag(const struct fpu_reg *reg)
{
    return x87_classify(reg) == X87_DENORMAL ? FSW_DE : 0;
}

/* A result that cannot be exact, even where the bits computed look so. */
static uint16_t inexact_to_reg(struct x87_wide w, uint16_t fcw, struct fpu_reg *out)
{
    w.m |= 1;
    return wide_to_reg(w, 64, fcw, out);
}

/* ---- Series ---- */

/* 1 +- q/(first*(first+1)) +- ..., Horner from the last of `terms`: sine (2) and cosine (1). */
static struct x87_wide trig_series(struct x87_wide square, unsigned first, unsigned terms)
{
    struct x87_wide sum = w_one;
    for (unsigned k = terms; k-- > 0;) {
        uint64_t n = first + 2 * k;
        sum = wide_sub(w_one, wide_div_small(wide_mul(square, sum), n * (n + 1)));
    }
    return sum;
}

static struct x87_wide wide_sin(struct x87_wide r)
{
    return wide_mul(r, trig_series(wide_mul(r, r), 2, 16));
}

static struct x87_wide wide_cos(struct x87_wide r)
{
    return trig_series(wide_mul(r, r), 1, 16);
}

/* sum of square^k / (2k + 1), alternating or not: arctangent and its hyperbolic brother. */
static struct x87_wide odd_series(struct x87_wide square, bool alternate, unsigned terms)
{
    struct x87_wide sum = wide_div_small(w_one, 2 * terms + 1);
    square.negative = alternate;
    for (unsigned k = terms; k-- > 0;) {
        struct x87_wide first = k ? wide_div_small(w_one, 2 * k + 1) : w_one;
        sum = wide_add(first, wide_mul(square, sum));
    }
    return sum;
}

/* log2 of (1 + x) for x of moderate size: 2/ln 2 * artanh(x / (2 + x)). */
static struct x87_wide wide_log2_near_one(struct x87_wide x)
{
    struct x87_wide two = {.m = w_one.m, .exp = 1};
    struct x87_wide z = wide_div(x, wide_add(two, x));
    struct x87_wide log = wide_mul(z, odd_series(wide_mul(z, z), false, 26));
    log = wide_mul(log, w_log2e);
    log.exp += log.m ? 1 : 0;
    return log;
}

/* log2 of a positive number; exactly zero for 1. */
static struct x87_wide wide_log2(struct x87_wide x)
{
    int32_t exp = x.exp;
    /* Into [0.75, 1.5), so that the two parts never nearly cancel. */
    x.exp = 0;
    if (x.m >> 126 == 3) {
        x.exp = -1;
        exp++;
    }
    struct x87_wide log = wide_log2_near_one(wide_sub(x, w_one));
    uint64_t magnitude = (uint64_t)(exp < 0 ? -exp : exp);
    return wide_add(wide_make(exp < 0, 127, magnitude), log);
}

/* arctan(t), 0 <= t <= 1: to the nearest eighth by the addition theorem, then the series. */
static struct x87_wide wide_atan(struct x87_wide t)
{
    static const struct x87_wide eighths[9] = {
        [1] = {.m = U128(0xFEADD4D5617B6E32, 0xC897989F3E888EF8), .exp = -4},
        [2] = {.m = U128(0xFADBAFC96406EB15, 0x6DC79EF5F7A217E6), .exp = -3},
        [3] = {.m = U128(0xB7B0CA0F26F78473, 0x8AA32122DCFE4483), .exp = -2},
        [4] = {.m = U128(0xED63382B0DDA7B45, 0x6FE445ECBC3A8D03), .exp = -2},
        [5] = {.m = U128(0x8F005D5EF7F59F9B, 0x5C835E1665C43748), .exp = -1},
        [6] = {.m = U128(0xA4BC7D1934F70924, 0x19A87F2A457DAC9F), .exp = -1},
        [7] = {.m = U128(0xB8053E2BC2319E73, 0xCB2DA55210A4443D), .exp = -1},
        [8] = {.m = U128(0xC90FDAA22168C234, 0xC4C6628B80DC1CD1), .exp = -1},
    };
    unsigned n = t.m && t.exp >= -4 ? ((unsigned)(t.m >> (127 - 4 - t.exp)) + 1) / 2 : 0;
    struct x87_wide z = t;
    if (n) {
        struct x87_wide c = wide_make(false, 124, n);
        z = wide_div(wide_sub(t, c), wide_add(w_one, wide_mul(t, c)));
    }
    z = wide_mul(z, odd_series(wide_mul(z, z), true, 17));
    return wide_add(eighths[n], z);
}

/* ---- F2XM1 ---- */

static uint16_t f2xm1(uint16_t fcw, const struct fpu_reg *in, struct fpu_reg *out)
{
    *out = *in;
    switch (x87_classify(in)) {
    case X87_ZERO: return 0;
    case X87_INFINITY:
        if (x87_negative(in))
            *out = x87_make(true, X87_EXP_BIAS, X87_INTEGER_BIT);
        return 0;
    case X87_NAN:
    case X87_UNSUPPORTED: return nan_unary(in, out);
    default: break;
    }
    struct x87_wide x = wide_from_reg(in);
    if (x.exp >= 0) {
        /* CHOICE: outside -1 to +1, where the result is undefined, the operand stays. */
        if (x.exp == 0 && x.m == w_one.m && x.negative)
            *out = x87_make(true, X87_EXP_BIAS - 1, X87_INTEGER_BIT);
        return 0;
    }
    struct x87_wide y = wide_mul(x, w_ln2), sum = w_one;
    for (unsigned k = 28; k >= 2; k--)
        sum = wide_add(w_one, wide_div_small(wide_mul(y, sum), k));
    return denormal_flag(in) | inexact_to_reg(wide_mul(y, sum), fcw, out);
}

/* ---- FSIN, FCOS, FSINCOS, FPTAN ---- */

/* x = n * pi/2 + r with the 66-bit pi. False if |x| >= 2^63. */
static bool reduce(struct x87_wide x, unsigned *quadrant, struct x87_wide *r)
{
    /* In units of 2^-66: 2 pi and pi / 2. */
    const x87_u128 two_pi = U128(0x19, 0x21FB54442D184698), half_pi = two_pi / 4;

    *quadrant = 0;
    *r = x;
    if (x.exp >= 63)
        return false;
    if (x.exp < -1)
        return true;
    /* x is its 64-bit significand times 2^(exp - 63): shift it up to the unit, modulo 2 pi. */
    x87_u128 rest = (x.m >> 64) % two_pi;
    for (int i = 0; i < x.exp + 3; i++) {
        rest <<= 1;
        if (rest >= two_pi)
            rest -= two_pi;
    }
    unsigned n = (unsigned)((rest + half_pi / 2) / half_pi);
    bool below = rest < n * half_pi;
    x87_u128 distance = below ? n * half_pi - rest : rest - n * half_pi;
    *r = wide_make(below != x.negative, 127 - 66, distance);
    *quadrant = (x.negative ? 4 - n : n) & 3;
    return true;
}

static struct x87_wide sin_quadrant(unsigned quadrant, struct x87_wide r)
{
    struct x87_wide v = quadrant & 1 ? wide_cos(r) : wide_sin(r);
    if (quadrant & 2)
        v.negative = !v.negative;
    return v;
}

/* sine and cosine, where asked for; C2 if the operand is out of range, and then no result. */
static uint16_t sin_cos(uint16_t fcw, const struct fpu_reg *in, struct fpu_reg *sin,
                        struct fpu_reg *cos)
{
    struct fpu_reg unused;
    struct x87_wide r;
    unsigned quadrant;
    uint16_t sw;

    sin = sin ? sin : &unused;
    cos = cos ? cos : &unused;
    switch (x87_classify(in)) {
    case X87_ZERO:
        *sin = *in;
        *cos = x87_one;
        return 0;
    case X87_INFINITY: invalid(cos); return invalid(sin);
    case X87_NAN:
    case X87_UNSUPPORTED: nan_unary(in, cos); return nan_unary(in, sin);
    default: break;
    }
    if (!reduce(wide_from_reg(in), &quadrant, &r))
        return FSW_C2;
    sw = denormal_flag(in);
    if (sin != &unused)
        sw |= inexact_to_reg(sin_quadrant(quadrant, r), fcw, sin);
    if (cos != &unused)
        sw |= inexact_to_reg(sin_quadrant(quadrant + 1, r), fcw, cos);
    return sw;
}

static uint16_t fsin(uint16_t fcw, const struct fpu_reg *in, struct fpu_reg *out)
{
    return sin_cos(fcw, in, out, NULL);
}

static uint16_t fcos(uint16_t fcw, const struct fpu_reg *in, struct fpu_reg *out)
{
    return sin_cos(fcw, in, NULL, out);
}

static uint16_t tangent(uint16_t fcw, const struct fpu_reg *in, struct fpu_reg *out)
{
    struct x87_wide r;
    unsigned quadrant;

    switch (x87_classify(in)) {
    case X87_ZERO: *out = *in; return 0;
    case X87_INFINITY: return invalid(out);
    case X87_NAN:
    case X87_UNSUPPORTED: return nan_unary(in, out);
    default: break;
    }
    if (!reduce(wide_from_reg(in), &quadrant, &r))
        return FSW_C2;
    struct x87_wide s = sin_quadrant(quadrant, r), c = sin_quadrant(quadrant + 1, r);
    return denormal_flag(in) | inexact_to_reg(wide_div(s, c), fcw, out);
}

/* ---- FPATAN ---- */

/* Angles in eighths of pi that operands of zero and infinity give. */
static uint16_t pi_eighths(unsigned n, bool negative, uint16_t fcw, struct fpu_reg *out)
{
    struct x87_wide angle = wide_mul(w_pi, wide_make(negative, 124, n));
    if (!n)
        angle.negative = negative;
    return wide_to_reg(angle, 64, fcw, out);
}

/* arctan(b / a) in the quadrant of the point (a, b): SDM volume 2, table 3-31 of FPATAN. */
static uint16_t fpatan(uint16_t fcw, const struct fpu_reg *a, const struct fpu_reg *b,
                       struct fpu_reg *out)
{
    enum x87_class ca = x87_classify(a), cb = x87_classify(b);
    bool left = x87_negative(a), negative = x87_negative(b);

    if (is_nan(a) || is_nan(b))
        return nan_binary(a, b, out);
    uint16_t sw = denormal_flag(a) | denormal_flag(b);
    if (cb == X87_INFINITY)
        return sw | pi_eighths(ca != X87_INFINITY ? 4 : left ? 6 : 2, negative, fcw, out);
    if (cb == X87_ZERO || ca == X87_INFINITY)
        return sw | pi_eighths(left ? 8 : 0, negative, fcw, out);
    if (ca == X87_ZERO)
        return sw | pi_eighths(4, negative, fcw, out);

    struct x87_wide x = wide_from_reg(a), y = wide_from_reg(b), angle;
    x.negative = y.negative = false;
    if (y.exp > x.exp || (y.exp == x.exp && y.m > x.m)) {
        struct x87_wide half_pi = {.m = w_pi.m, .exp = 0};
        angle = wide_sub(half_pi, wide_atan(wide_div(x, y)));
    } else {
        angle = wide_atan(wide_div(y, x));
    }
    if (left)
        angle = wide_sub(w_pi, angle);
    angle.negative = negative;
    return sw | inexact_to_reg(angle, fcw, out);
}

/* ---- FYL2X, FYL2XP1 ---- */

/* infinity * b, or an invalid zero times infinity */
static uint16_t infinite_product(bool negative, const struct fpu_reg *b, struct fpu_reg *out)
{
    if (x87_classify(b) == X87_ZERO)
        return invalid(out);
    *out = x87_make(negative != x87_negative(b), X87_EXP_MAX, X87_INTEGER_BIT);
    return denormal_flag(b);
}

/* log * b, where log is finite */
static uint16_t finite_product(struct x87_wide log, const struct fpu_reg *b, uint16_t fcw,
                               struct fpu_reg *out)
{
    enum x87_class cb = x87_classify(b);
    bool negative = log.negative != x87_negative(b);

    if (cb == X87_INFINITY) {
        if (!log.m)
            return invalid(out);
        *out = x87_make(negative, X87_EXP_MAX, X87_INTEGER_BIT);
        return 0;
    }
    if (cb == X87_ZERO || !log.m) {
        *out = x87_make(negative, 0, 0);
        return denormal_flag(b);
    }
    /* Intel's processors flag even an exact result, of a power of two, as inexact. */
    uint16_t sw = wide_to_reg(wide_mul(log, wide_from_reg(b)), 64, fcw, out);
    return denormal_flag(b) | FSW_PE | sw;
}

/* b * log2(a) */
static uint16_t fyl2x(uint16_t fcw, const struct fpu_reg *a, const struct fpu_reg *b,
                      struct fpu_reg *out)
{
    enum x87_class ca = x87_classify(a), cb = x87_classify(b);

    if (is_nan(a) || is_nan(b))
        return nan_binary(a, b, out);
    if (ca == X87_ZERO) {
        if (cb == X87_ZERO)
            return invalid(out);
        infinite_product(true, b, out);
        return cb == X87_INFINITY ? 0 : FSW_ZE;
    }
    if (x87_negative(a))
        return invalid(out);
    if (ca == X87_INFINITY)
        return infinite_product(false, b, out);
    return denormal_flag(a) | finite_product(wide_log2(wide_from_reg(a)), b, fcw, out);
}

/*
 * b * log2(a + 1). CHOICE: the true value outside the range where it is defined as well, and
 * invalid for a below -1.
 */
static uint16_t fyl2xp1(uint16_t fcw, const struct fpu_reg *a, const struct fpu_reg *b,
                        struct fpu_reg *out)
{
    enum x87_class ca = x87_classify(a);
    struct x87_wide x, log;

    if (is_nan(a) || is_nan(b))
        return nan_binary(a, b, out);
    if (ca == X87_INFINITY)
        return x87_negative(a) ? invalid(out) : infinite_product(false, b, out);
    x = wide_from_reg(a);
    if (x.m && x.exp >= -2) {
        x = wide_add(w_one, x);
        if (!x.m)
            return infinite_product(true, b, out);
        if (x.negative)
            return invalid(out);
        log = wide_log2(x);
    } else {
        log = wide_log2_near_one(x);
        log.negative = x87_negative(a);
    }
    return denormal_flag(a) | finite_product(log, b, fcw, out);
}

/* ---- The instructions ---- */

/* C2 tells whether the operand of a trigonometric function was in range: cleared first. */
static void clear_c2(struct fpu *fpu)
{
    fpu->ctl.fsw &= (uint16_t)~FSW_C2;
}

static uint32_t in_place(struct fpu *fpu, trans_unary fn)
{
    struct fpu_reg result = {0};

    if (x87_empty(fpu, 0)) {
        if (!x87_stack_fault(fpu, false)) {
            *x87_st(fpu, 0) = x87_indefinite;
            x87_tag_valid(fpu, 0);
        }
        return FPU_OK;
    }
    uint16_t sw = fn(fpu->ctl.fcw, x87_st(fpu, 0), &result);
    fpu->ctl.fsw |= sw & FSW_C2;
    if (x87_finish(fpu, sw) && !(sw & FSW_C2))
        *x87_st(fpu, 0) = result;
    return FPU_OK;
}

static uint32_t to_st1_and_pop(struct fpu *fpu, trans_binary fn)
{
    struct fpu_reg result = x87_indefinite;

    if (x87_empty(fpu, 0) || x87_empty(fpu, 1)) {
        if (x87_stack_fault(fpu, false))
            return FPU_OK;
    } else {
        uint16_t sw = fn(fpu->ctl.fcw, x87_st(fpu, 0), x87_st(fpu, 1), &result);
        if (!x87_finish(fpu, sw))
            return FPU_OK;
    }
    *x87_st(fpu, 1) = result;
    x87_tag_valid(fpu, 1);
    x87_pop(fpu);
    return FPU_OK;
}

/* The result replaces ST(0) and a second one is pushed: FSINCOS, FPTAN. */
static uint32_t replace_and_push(struct fpu *fpu, bool is_tangent)
{
    struct fpu_reg first = x87_indefinite, second = x87_indefinite;

    clear_c2(fpu);
    if (x87_empty(fpu, 0) || !x87_empty(fpu, 7)) {
        if (x87_stack_fault(fpu, !x87_empty(fpu, 0)))
            return FPU_OK;
    } else {
        const struct fpu_reg *in = x87_st(fpu, 0);
        uint16_t sw;
        if (is_tangent) {
            sw = tangent(fpu->ctl.fcw, in, &first);
            second = is_nan(&first) ? first : x87_one;
        } else {
            sw = sin_cos(fpu->ctl.fcw, in, &first, &second);
        }
        fpu->ctl.fsw |= sw & FSW_C2;
        if (!x87_finish(fpu, sw) || (sw & FSW_C2))
            return FPU_OK;
    }
    *x87_st(fpu, 0) = first;
    x87_tag_valid(fpu, 0);
    x87_push(fpu, &second);
    return FPU_OK;
}

uint32_t x87_f2xm1(struct fpu *fpu, void *mem, uint32_t fop)
{
    return in_place(fpu, f2xm1);
}

uint32_t x87_fsin(struct fpu *fpu, void *mem, uint32_t fop)
{
    clear_c2(fpu);
    return in_place(fpu, fsin);
}

uint32_t x87_fcos(struct fpu *fpu, void *mem, uint32_t fop)
{
    clear_c2(fpu);
    return in_place(fpu, fcos);
}

uint32_t x87_fsincos(struct fpu *fpu, void *mem, uint32_t fop)
{
    return replace_and_push(fpu, false);
}

uint32_t x87_fptan(struct fpu *fpu, void *mem, uint32_t fop)
{
    return replace_and_push(fpu, true);
}

uint32_t x87_fpatan(struct fpu *fpu, void *mem, uint32_t fop)
{
    return to_st1_and_pop(fpu, fpatan);
}

uint32_t x87_fyl2x(struct fpu *fpu, void *mem, uint32_t fop)
{
    return to_st1_and_pop(fpu, fyl2x);
}

uint32_t x87_fyl2xp1(struct fpu *fpu, void *mem, uint32_t fop)
{
    return to_st1_and_pop(fpu, fyl2xp1);
}
