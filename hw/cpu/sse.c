/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding SIMD instructions, and their exceptions.
 *
 * UNIMPL: hosts other than x86-64. Packed integers and arithmetic use the host's own SSE2, which
 * is bit-exact by definition; meson.build refuses other hosts.
 */
#include "sse.h"

static bool row_matches(const struct simd_row *row, uint8_t modrm, bool rex_w)
{
    switch (row->select) {
    case SIMD_ANY: return true;
    case SIMD_W0: return !rex_w;
    case SIMD_W1: return rex_w;
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

static bool tiny32(uint32_t v)
{
    return !(v & 0x7F800000u) && (v & 0x007FFFFFu);
}

static bool tiny64(uint64_t v)
{
    return !(v & 0x7FF0000000000000u) && (v & 0x000FFFFFFFFFFFFFu);
}

static bool result_is_tiny(__m128i result, enum simd_result kind)
{
    union fpu_xmm v;
    simd_store16(&v, result);
    switch (kind) {
    case SIMD_F32X1: return tiny32(v.d[0]);
    case SIMD_F32X4: return tiny32(v.d[0]) || tiny32(v.d[1]) || tiny32(v.d[2]) || tiny32(v.d[3]);
    case SIMD_F64X1: return tiny64(v.q[0]);
    case SIMD_F64X2: return tiny64(v.q[0]) || tiny64(v.q[1]);
    default: return false;
    }
}

/*
 * SDM volume 1, section 11.5.2 and 11.5.3. The instruction ran with everything masked; here its
 * flags become those of the unmasked case:
 *  - unmasked underflow is raised by a tiny result even if that is exact (section 4.9.1.5);
 *  - an unmasked exception found before the computation (invalid, denormal, divide by zero) in
 *    any element stops the instruction before others are found after it.
 */
uint32_t sse_raise(struct fpu *fpu, uint32_t flags, __m128i result, enum simd_result kind)
{
    uint32_t enabled = ~(fpu->mxcsr >> 7) & MXCSR_FLAGS;
    uint32_t before = MXCSR_IE | MXCSR_DE | MXCSR_ZE;

    if ((enabled & MXCSR_UE) && result_is_tiny(result, kind))
        flags |= MXCSR_UE;
    if (flags & before & enabled)
        flags &= before;
    fpu->mxcsr |= flags;
    return flags & enabled ? FPU_XM : FPU_OK;
}
