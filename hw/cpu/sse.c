/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding SIMD instructions, and their exceptions.
 *
 * UNIMPL: hosts other than x86-64. Packed integers and arithmetic use the host's own SSE2, which
 * is bit-exact by definition; meson.build refuses other hosts.
 */
#include "sse.h"
#include "x87.h"

static bool row_matches(const struct simd_row *row, uint8_t modrm, bool rex_w)
{
    switch (row->select) {
    case SIMD_ANY: return true;
    case SIMD_W0: return !rex_w;
    case SIMD_W1: return rex_w;
    case SIMD_REG: return modrm >= 0xC0;
    case SIMD_MEM: return modrm < 0xC0;
    default: return row->select == ((modrm >> 3) & 7);
    }
}

/* Only the decoder calls this, once for each instruction that it decodes: a plain search. */
const struct fpu_simd_op *fpu_simd_lookup(enum fpu_prefix prefix, uint8_t opcode, uint8_t modrm,
                                          bool rex_w)
{
    static const struct simd_table *const tables[] = {
        &sse_move_table,
        &sse_int_table,
        &sse_fp_table,
        &sse_cvt_table,
    };
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (size_t i = 0; i < tables[t]->count; i++) {
            const struct simd_row *row = &tables[t]->rows[i];
            if (row->opcode == opcode && row->prefix == prefix && row_matches(row, modrm, rex_w))
                return &row->op;
        }
    }
    return NULL;
}

/* ---- Exceptions ---- */

/* One element: sizes and bits of its format. */
struct lane_format {
    unsigned bytes, lanes;
    enum x87_format x87;
    uint16_t fcw; /* rounds results of this size */
    int max_exponent;
    uint64_t exponent, fraction;
};

static const struct lane_format lane_formats[] = {
    [SIMD_F32X1] = {4, 1, X87_F32, 0x003F, 127, 0x7F800000, 0x007FFFFF},
    [SIMD_F32X4] = {4, 4, X87_F32, 0x003F, 127, 0x7F800000, 0x007FFFFF},
    [SIMD_F64X1] = {8, 1, X87_F64, 0x023F, 1023, 0x7FF0000000000000, 0x000FFFFFFFFFFFFF},
    [SIMD_F64X2] = {8, 2, X87_F64, 0x023F, 1023, 0x7FF0000000000000, 0x000FFFFFFFFFFFFF},
};

static uint64_t lane(const __m128i *v, unsigned bytes, unsigned i)
{
    uint64_t value = 0;
    memcpy(&value, (const uint8_t *)v + bytes * i, bytes);
    return value;
}

static bool is_denormal(const struct lane_format *f, uint64_t v)
{
    return !(v & f->exponent) && (v & f->fraction);
}

static bool result_is_tiny(const struct sse_outcome *o)
{
    const struct lane_format *f = &lane_formats[o->kind];

    for (unsigned i = 0; i < f->lanes; i++) {
        if (is_denormal(f, lane(&o->result, f->bytes, i)))
            return true;
    }
    return false;
}

/*
 * The result of one element as if its exponent had no bounds: computed by the x87, whose exponent
 * is wide enough for any result, with its precision set to the element's. Returns its flags.
 */
static uint16_t unbounded_lane(const struct fpu *fpu, const struct sse_outcome *o, unsigned i,
                               struct fpu_reg *value)
{
    static const float one = 1.0f;
    const struct lane_format *to = &lane_formats[o->kind];
    const struct lane_format *from = o->arith == SIMD_NARROW ? &lane_formats[SIMD_F64X2] : to;
    uint64_t a = lane(&o->a, from->bytes, i), b = lane(&o->b, from->bytes, i);
    uint16_t fcw = to->fcw | (uint16_t)((fpu->mxcsr >> MXCSR_RC_SHIFT & 3) << FCW_RC_SHIFT);

    if (fpu->mxcsr & MXCSR_DAZ) {
        a = is_denormal(from, a) ? 0 : a;
        b = is_denormal(from, b) ? 0 : b;
    }
    if (o->arith == SIMD_NARROW) {
        x87_host_load(from->x87, value, &b);
        return x87_host_arith(SIMD_MUL, X87_F32, fcw, value, &one);
    }
    x87_host_load(from->x87, value, &a);
    return x87_host_arith(o->arith, from->x87, fcw, value, &b);
}

/*
 * Whether one element raises precision: where overflow or underflow is unmasked and met, by the
 * unbounded result; else also by what the bounds did to it.
 */
static bool lane_inexact(const struct fpu *fpu, const struct sse_outcome *o, unsigned i)
{
    const struct lane_format *f = &lane_formats[o->kind];
    uint64_t result = lane(&o->result, f->bytes, i);
    struct fpu_reg value, bounded;
    bool inexact = unbounded_lane(fpu, o, i, &value) & FSW_PE;
    int exponent = (value.sign_exp & X87_EXP_MAX) - X87_EXP_BIAS;

    if (x87_classify(&value) != X87_NORMAL)
        return inexact;
    if (exponent > f->max_exponent && !(fpu->mxcsr & MXCSR_OM))
        return inexact;
    if (exponent < 1 - f->max_exponent && !(fpu->mxcsr & MXCSR_UM))
        return inexact;
    x87_host_load(f->x87, &bounded, &result);
    return inexact || bounded.mantissa != value.mantissa || bounded.sign_exp != value.sign_exp;
}

static bool result_is_inexact(const struct fpu *fpu, const struct sse_outcome *o)
{
    unsigned lanes =
        o->arith == SIMD_NARROW && o->kind == SIMD_F32X4 ? 2 : lane_formats[o->kind].lanes;

    for (unsigned i = 0; i < lanes; i++) {
        if (lane_inexact(fpu, o, i))
            return true;
    }
    return false;
}

/*
 * SDM volume 1, sections 11.5.2 and 11.5.3. The instruction ran with everything masked; here its
 * flags become those of the unmasked case:
 *  - unmasked underflow is raised by a tiny result even if that is exact (section 4.9.1.5);
 *  - precision then tells of the result with an unbounded exponent;
 *  - an unmasked exception found before the computation (invalid, denormal, divide by zero) in
 *    any element stops the instruction before others are found after it.
 */
uint32_t sse_raise(struct fpu *fpu, uint32_t flags, const struct sse_outcome *outcome)
{
    uint32_t enabled = ~(fpu->mxcsr >> 7) & MXCSR_FLAGS;
    uint32_t before = MXCSR_IE | MXCSR_DE | MXCSR_ZE;

    if (outcome->kind != SIMD_NO_UNDERFLOW) {
        if ((enabled & MXCSR_UE) && result_is_tiny(outcome))
            flags |= MXCSR_UE;
        if (flags & enabled & (MXCSR_OE | MXCSR_UE)) {
            flags &= ~MXCSR_PE;
            flags |= result_is_inexact(fpu, outcome) ? MXCSR_PE : 0;
        }
    }
    if (flags & before & enabled)
        flags &= before;
    fpu->mxcsr |= flags;
    return flags & enabled ? FPU_XM : FPU_OK;
}
