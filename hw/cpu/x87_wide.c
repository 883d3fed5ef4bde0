/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floating point with a significand of 128 bits in plain integers: enough for transcendental
 * functions that round to the last bit of a register in all but a few in 2^50 cases, and the same
 * on every host. Also what an unmasked overflow or underflow needs: the exact result with its
 * exponent out of range.
 */
#include "x87.h"

static int leading_zeros(x87_u128 v)
{
    uint64_t high = (uint64_t)(v >> 64);
    return high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)v);
}

/* Right shift that keeps a trace of what it loses. */
static x87_u128 shift_sticky(x87_u128 v, unsigned by)
{
    if (by == 0)
        return v;
    if (by > 127)
        return v != 0;
    return v >> by | ((v << (128 - by)) != 0);
}

struct x87_wide wide_make(bool negative, int32_t exp, x87_u128 m)
{
    if (!m)
        return (struct x87_wide){.negative = negative};
    int shift = leading_zeros(m);
    return (struct x87_wide){.m = m << shift, .exp = exp - shift, .negative = negative};
}

struct x87_wide wide_from_reg(const struct fpu_reg *reg)
{
    int32_t exp = reg->sign_exp & X87_EXP_MAX;
    if (exp == 0)
        exp = 1;
    return wide_make(x87_negative(reg), exp - X87_EXP_BIAS, (x87_u128)reg->mantissa << 64);
}

struct x87_wide wide_mul(struct x87_wide a, struct x87_wide b)
{
    uint64_t a1 = (uint64_t)(a.m >> 64), a0 = (uint64_t)a.m;
    uint64_t b1 = (uint64_t)(b.m >> 64), b0 = (uint64_t)b.m;
    x87_u128 low = (x87_u128)a0 * b0;
    x87_u128 mid1 = (x87_u128)a1 * b0 + (uint64_t)(low >> 64);
    x87_u128 mid2 = (x87_u128)a0 * b1 + (uint64_t)mid1;
    x87_u128 high = (x87_u128)a1 * b1 + (uint64_t)(mid1 >> 64) + (uint64_t)(mid2 >> 64);
    bool negative = a.negative != b.negative;

    if (!a.m || !b.m)
        return (struct x87_wide){.negative = negative};
    /* Both operands have bit 127 set: the product's top is bit 126 or 127 of `high`. */
    uint64_t rest = (uint64_t)mid2 | (uint64_t)low;
    if (high >> 127)
        return wide_make(negative, a.exp + b.exp + 1, high | (rest != 0));
    high = high << 1 | (uint64_t)mid2 >> 63;
    rest = (uint64_t)mid2 << 1 | (uint64_t)low;
    return wide_make(negative, a.exp + b.exp, high | (rest != 0));
}

struct x87_wide wide_add(struct x87_wide a, struct x87_wide b)
{
    if (!a.m)
        return b;
    if (!b.m)
        return a;
    if (a.exp < b.exp || (a.exp == b.exp && a.m < b.m)) {
        struct x87_wide t = a;
        a = b;
        b = t;
    }
    unsigned by = (unsigned)(a.exp - b.exp);
    if (a.negative == b.negative) {
        x87_u128 sum = a.m + shift_sticky(b.m, by);
        if (sum >= a.m)
            return wide_make(a.negative, a.exp, sum);
        return wide_make(a.negative, a.exp + 1, shift_sticky(sum, 1) | (x87_u128)1 << 127);
    }
    return wide_make(a.negative, a.exp, a.m - shift_sticky(b.m, by));
}

struct x87_wide wide_sub(struct x87_wide a, struct x87_wide b)
{
    b.negative = !b.negative;
    return wide_add(a, b);
}

struct x87_wide wide_div(struct x87_wide a, struct x87_wide b)
{
    bool negative = a.negative != b.negative;
    int32_t exp = a.exp - b.exp;
    x87_u128 rest = a.m, quotient = 0;

    if (!a.m)
        return (struct x87_wide){.negative = negative};
    /* Restoring division; `carry` is bit 128 of the remainder. */
    bool carry = false;
    if (rest < b.m) {
        carry = rest >> 127;
        rest <<= 1;
        exp--;
    }
    for (int i = 0; i < 128; i++) {
        quotient <<= 1;
        if (carry || rest >= b.m) {
            rest -= b.m;
            quotient |= 1;
        }
        carry = rest >> 127;
        rest <<= 1;
    }
    return wide_make(negative, exp, quotient | (carry || rest != 0));
}

struct x87_wide wide_div_small(struct x87_wide a, uint64_t n)
{
    uint64_t high = (uint64_t)(a.m >> 64);
    x87_u128 rest = (x87_u128)(high % n) << 64 | (uint64_t)a.m;
    x87_u128 quotient = (x87_u128)(high / n) << 64 | (uint64_t)(rest / n);

    if (!a.m)
        return a;
    /* The quotient may have lost up to 64 leading bits: divide on for as many. */
    int shift = leading_zeros(quotient);
    if (shift) {
        x87_u128 more = (rest % n) << 64;
        uint64_t next = (uint64_t)(more / n);
        quotient = quotient << shift | next >> (64 - shift);
    }
    return (struct x87_wide){.m = quotient | 1, .exp = a.exp - shift, .negative = a.negative};
}

/* Rounds m to its top `bits` bits. Returns whether it was inexact; *up whether away from zero. */
static bool round_bits(x87_u128 *m, bool *carry, unsigned bits, unsigned rc, bool negative,
                       bool *up)
{
    x87_u128 unit = (x87_u128)1 << (128 - bits);
    x87_u128 rest = *m & (unit - 1), half = unit >> 1;

    *m -= rest;
    switch (rc) {
    case X87_ROUND_NEAREST: *up = rest > half || (rest == half && (*m & unit)); break;
    case X87_ROUND_DOWN: *up = rest && negative; break;
    case X87_ROUND_UP: *up = rest && !negative; break;
    default: *up = false;
    }
    *carry = false;
    if (*up) {
        *m += unit;
        *carry = *m == 0;
    }
    return rest != 0;
}

static uint16_t overflow(bool negative, unsigned bits, unsigned rc, struct fpu_reg *out)
{
    bool to_infinity = rc == X87_ROUND_NEAREST || rc == (negative ? X87_ROUND_DOWN : X87_ROUND_UP);

    if (to_infinity)
        *out = x87_make(negative, X87_EXP_MAX, X87_INTEGER_BIT);
    else
        *out = x87_make(negative, X87_EXP_MAX - 1, ~(uint64_t)0 << (64 - bits));
    return FSW_OE | FSW_PE | (to_infinity ? FSW_C1 : 0);
}

/* Masked underflow: the exponent stays at its least, and leading zeroes take bits away. */
static uint16_t denormalise(struct x87_wide w, unsigned bits, unsigned rc, struct fpu_reg *out)
{
    bool up, carry;
    unsigned shift = (unsigned)(1 - X87_EXP_BIAS - w.exp);
    x87_u128 m = shift_sticky(w.m, shift);
    bool inexact = round_bits(&m, &carry, bits, rc, w.negative, &up);

    *out = x87_make(w.negative, m >> 127 ? 1 : 0, (uint64_t)(m >> 64));
    return inexact ? FSW_UE | FSW_PE | (up ? FSW_C1 : 0) : 0;
}

uint16_t wide_to_reg(struct x87_wide w, unsigned bits, uint16_t fcw, struct fpu_reg *out)
{
    unsigned rc = fcw >> FCW_RC_SHIFT & 3;
    x87_u128 m = w.m;
    int32_t exp = w.exp;
    uint16_t flags = 0;
    bool up, carry;

    if (!m) {
        *out = x87_make(w.negative, 0, 0);
        return 0;
    }
    bool inexact = round_bits(&m, &carry, bits, rc, w.negative, &up);
    if (carry) {
        m = (x87_u128)1 << 127;
        exp++;
    }
    if (exp > X87_EXP_BIAS) {
        if (fcw & FSW_OE)
            return overflow(w.negative, bits, rc, out);
        flags |= FSW_OE;
        exp -= X87_EXP_ADJUST;
        if (exp > X87_EXP_BIAS) { /* only FSCALE gets this far: section 8.5.4 */
            *out = x87_make(w.negative, X87_EXP_MAX, X87_INTEGER_BIT);
            return FSW_OE | FSW_PE | FSW_C1;
        }
    } else if (exp < 1 - X87_EXP_BIAS) {
        if (fcw & FSW_UE)
            return denormalise(w, bits, rc, out);
        flags |= FSW_UE;
        exp += X87_EXP_ADJUST;
        if (exp < 1 - X87_EXP_BIAS) {
            *out = x87_make(w.negative, 0, 0);
            return FSW_UE | FSW_PE;
        }
    }
    *out = x87_make(w.negative, (unsigned)(exp + X87_EXP_BIAS), (uint64_t)(m >> 64));
    if (inexact)
        flags |= FSW_PE | (up ? FSW_C1 : 0);
    return flags;
}
