/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SIMD and x87 instructions: whatever the tables of hw/cpu know (that they know everything is
 * tests/unit/fpu's business), and the state that they start from.
 */
#include <string.h>

#include "../../hw/cpu/fpu.h"
#include "gen.h"

/* ---- State ---- */

static void put16(uint8_t *at, unsigned v)
{
    memcpy(at, &(uint16_t){(uint16_t)v}, 2);
}

static unsigned random_fcw(struct gen *g)
{
    static const unsigned precisions[] = {3, 3, 3, 2, 2, 0};
    unsigned fcw = 0x40 | gen_below(g, 4) << 10 | precisions[gen_below(g, 6)] << 8;

    if (gen_chance(g, 60))
        return fcw | 0x3F;
    return fcw | (gen_chance(g, 50) ? 0x3F & ~(1u << gen_below(g, 6)) : gen_below(g, 64));
}

static unsigned random_mxcsr(struct gen *g)
{
    unsigned mxcsr = 0x1F80;

    if (gen_chance(g, 40))
        return mxcsr | gen_below(g, 64);
    mxcsr |= gen_below(g, 4) << 13;
    if (gen_chance(g, 30))
        mxcsr |= 0x40;
    if (gen_chance(g, 30))
        mxcsr |= 0x8000;
    if (gen_chance(g, 30))
        mxcsr &= ~(0x80u << gen_below(g, 6));
    if (gen_chance(g, 10))
        mxcsr &= ~(gen_below(g, 64) << 7);
    if (gen_chance(g, 50))
        mxcsr |= gen_below(g, 64);
    return mxcsr;
}

/* Flags that are set but unmasked would wait as #MF: seldom. */
static unsigned random_fsw(struct gen *g, unsigned fcw)
{
    unsigned fsw = gen_below(g, 8) << 11 | (gen_below(g, 0x10000) & 0x4700);

    if (gen_chance(g, 30))
        fsw |= gen_below(g, 128);
    if (!gen_chance(g, 5))
        fsw &= ~(~fcw & 0x3F);
    return fsw;
}

static unsigned random_tags(struct gen *g, unsigned top)
{
    switch (gen_below(g, 8)) {
    case 0: return gen_below(g, 256);
    case 1: return 0xFF;
    default: { /* some registers from the top down */
        unsigned depth = 1 + gen_below(g, 7), tags = 0;
        for (unsigned i = 0; i < depth; i++)
            tags |= 1u << ((top + i) & 7);
        return tags;
    }
    }
}

void gen_fp_state(struct gen *g, bool x87)
{
    uint8_t *fx = g->c->in.fxsave;
    uint32_t mxcsr = random_mxcsr(g);

    memcpy(fx + 24, &mxcsr, 4);
    if (x87) {
        unsigned fcw = random_fcw(g), fsw = random_fsw(g, fcw);
        uint64_t ip = diff_rand(&g->rng) & 0x7FFFFFFFFFFF, dp = diff_rand(&g->rng) & 0x7FFFFFFFFFFF;
        put16(fx, fcw);
        put16(fx + 2, fsw);
        fx[4] = (uint8_t)random_tags(g, fsw >> 11 & 7);
        put16(fx + 6, gen_below(g, 0x800));
        memcpy(fx + 8, &ip, 8);
        memcpy(fx + 16, &dp, 8);
        for (int i = 0; i < 8; i++)
            diff_interesting_f80(&g->rng, fx + 32 + 16 * i);
    }
    for (int i = 0; i < 32; i++) {
        uint64_t v = diff_interesting(&g->rng);
        memcpy(fx + 160 + 8 * i, &v, 8);
    }
}

/* ---- SIMD ---- */

static bool is_approximation(uint8_t opcode)
{
    return opcode == 0x52 || opcode == 0x53;
}

static void simd_modrm(struct gen *g, const struct fpu_simd_op *op, unsigned reg, bool memory)
{
    unsigned rm = gen_below(g, 16);

    if (memory) {
        gen_modrm_mem(g, reg, op->mem_bytes, op->flags & FPU_SIMD_ALIGN16 ? 92 : 70);
    } else {
        gen_modrm_reg(g, reg, rm);
    }
}

static void mask_move_operand(struct gen *g, const struct fpu_simd_op *op)
{
    uint64_t ea = DIFF_DATA + gen_below(g, DIFF_RW_BYTES - 16);
    gen_set_reg(g, RDI, ea);
    g->c->ea = ea;
    g->c->has_mem = true;
}

/* FXSAVE and FXRSTOR, of an image that is valid or nearly so. */
static void gen_fxsave(struct gen *g)
{
    bool restore = gen_chance(g, 50);
    uint8_t head[32];
    uint64_t ip = diff_rand(&g->rng) & 0x7FFFFFFFFFFF, dp = diff_rand(&g->rng) & 0x7FFFFFFFFFFF;
    uint32_t mxcsr = random_mxcsr(g) | (gen_chance(g, 5) ? 0x10000u << gen_below(g, 16) : 0);

    g->c->name = restore ? "fxrstor" : "fxsave";
    g->c->is_x87 = g->c->long_operand = true;
    g->map = 0x0F;
    g->opcode = 0xAE;
    g->rex_w = gen_chance(g, 50);
    gen_fp_state(g, true);
    gen_modrm_mem(g, restore, 512, 90);
    for (int i = 0; i < 32; i++)
        head[i] = (uint8_t)diff_rand(&g->rng);
    memcpy(head + 8, &ip, 8);
    memcpy(head + 16, &dp, 8);
    memcpy(head + 24, &mxcsr, 4);
    gen_poke(g, g->c->ea, head, 16);
    gen_poke(g, g->c->ea + 16, head + 16, 16);
    gen_finish(g);
}

static bool is_mmx(const struct fpu_simd_op *op)
{
    return op->flags & FPU_SIMD_MMX;
}

static void simd(struct gen *g, bool mmx)
{
    static const uint8_t prefix_bytes[4] = {0, 0, 0xF3, 0xF2};
    const struct fpu_simd_op *op;
    unsigned prefix, opcode, modrm_reg;
    bool memory;

    do {
        prefix = mmx && gen_chance(g, 80) ? 0 : gen_below(g, 4);
        opcode = gen_below(g, 256);
        modrm_reg = gen_below(g, 16);
        g->rex_w = gen_chance(g, 30);
        memory = gen_chance(g, 40);
        op = fpu_simd_lookup(prefix, (uint8_t)opcode,
                             (uint8_t)((memory ? 0 : 0xC0) | (modrm_reg & 7) << 3), g->rex_w);
    } while (
        !op || is_mmx(op) != mmx || !(memory ? op->fn_mem : op->fn_reg) ||
        (g->in_sequence && (op->flags & FPU_SIMD_MASKMOV || is_approximation((uint8_t)opcode))));

    g->c->name = memory ? "simd, memory" : "simd, register";
    g->c->prefix = (uint8_t)prefix;
    g->map = 0x0F;
    g->opcode = (uint8_t)opcode;
    g->p66 = prefix == FPU_PFX_66 || (prefix > FPU_PFX_66 && gen_chance(g, 5));
    g->rep = prefix_bytes[prefix];
    gen_fp_state(g, mmx || gen_chance(g, 10));
    if (opcode == 0x77) {
        gen_finish(g);
        return;
    }
    if (op->flags & FPU_SIMD_IMM8) {
        g->imm_bytes = 1;
        g->imm = diff_interesting(&g->rng);
    }
    if (op->flags & FPU_SIMD_MASKMOV)
        mask_move_operand(g, op);
    simd_modrm(g, op, modrm_reg, memory);
    if (opcode == 0xAE && (modrm_reg & 7) == 2) {
        uint32_t mxcsr = random_mxcsr(g) | (gen_chance(g, 10) ? 0x10000u << gen_below(g, 16) : 0);
        gen_poke(g, g->c->ea, &mxcsr, 4);
    }
    if (is_approximation((uint8_t)opcode)) {
        g->c->tolerance = DIFF_APPROX_PS;
        g->c->approx_reg = modrm_reg;
    }
    /* The host has made the transition to MMX, or a part of it, when a store faults. */
    g->c->x87_undefined_after_fault = mmx && memory;
    g->c->locked = g->lock = gen_chance(g, 1);
    gen_finish(g);
}

void gen_mmx(struct gen *g)
{
    simd(g, true);
}

void gen_sse(struct gen *g)
{
    simd(g, false);
}

/* ---- x87 ---- */

/* FISTTP is SSE3, which the host has. */
static bool is_fisttp(unsigned opcode, unsigned modrm)
{
    return (opcode == 0xDB || opcode == 0xDD || opcode == 0xDF) && (modrm & 0xF8) == 0x08;
}

static uint16_t st_exponent(const uint8_t *fx, unsigned i)
{
    uint16_t v;
    memcpy(&v, fx + 32 + 16 * i + 8, 2);
    return v & 0x7FFF;
}

/* Around the least normal number processors differ in whether a result underflows. */
static bool at_the_bottom(const uint8_t *fx, unsigned i)
{
    static const uint8_t zero[8];
    return st_exponent(fx, i) < 2 && memcmp(fx + 32 + 16 * i, zero, 8);
}

/*
 * Transcendental results may differ in the last bits, and have no meaning outside some ranges:
 * F2XM1 beyond -1 to 1, FYL2XP1 beyond -(1 - sqrt(1/2)) to sqrt(2) - 1 (SDM volume 2).
 */
static void x87_tolerances(struct gen *g, unsigned opcode, unsigned modrm)
{
    const uint8_t *fx = g->c->in.fxsave;

    if (opcode != 0xD9 || modrm < 0xF0)
        return;
    switch (modrm) {
    case 0xF0: /* F2XM1 */
        if (st_exponent(fx, 0) >= 0x3FFF && st_exponent(fx, 0) != 0x7FFF)
            g->c->tolerance = DIFF_UNDEFINED;
        else
            g->c->tolerance = DIFF_APPROX_X87;
        break;
    case 0xF9: /* FYL2XP1 */
        if (st_exponent(fx, 0) >= 0x3FFD && st_exponent(fx, 0) != 0x7FFF)
            g->c->tolerance = DIFF_UNDEFINED;
        else
            g->c->tolerance = DIFF_APPROX_X87;
        break;
    case 0xF1: /* FYL2X */
    case 0xF2: /* FPTAN */
    case 0xF3: /* FPATAN */
    case 0xFB: /* FSINCOS */
    case 0xFE: /* FSIN */
    case 0xFF: /* FCOS */
        g->c->tolerance =
            at_the_bottom(fx, 0) || at_the_bottom(fx, 1) ? DIFF_UNDEFINED : DIFF_APPROX_X87;
        break;
    }
}

/* Packed decimals with digits that are digits. */
static void poke_decimal(struct gen *g)
{
    uint8_t bcd[10];

    for (int i = 0; i < 9; i++)
        bcd[i] = (uint8_t)(gen_below(g, 10) | gen_below(g, 10) << 4);
    bcd[9] = (uint8_t)(gen_below(g, 2) << 7);
    gen_poke(g, g->c->ea, bcd, sizeof(bcd));
}

/* Transcendental, or a multi-step operation near one: not the same on all processors. */
static bool is_approximate_x87(unsigned opcode, unsigned modrm)
{
    return opcode == 0xD9 && modrm >= 0xF0;
}

void gen_x87(struct gen *g)
{
    const struct fpu_x87_op *op;
    unsigned opcode, modrm;

    if (!g->in_sequence && gen_chance(g, 4)) {
        gen_fxsave(g);
        return;
    }
    do {
        opcode = 0xD8 + gen_below(g, 8);
        modrm = gen_chance(g, 50) ? gen_below(g, 0xC0) & 0x38 : 0xC0 + gen_below(g, 64);
    } while (is_fisttp(opcode, modrm) || (g->in_sequence && is_approximate_x87(opcode, modrm)));
    g->c->name = modrm < 0xC0 ? "x87, memory" : "x87, register";
    g->c->is_x87 = true;
    g->opcode = (uint8_t)opcode;
    gen_fp_state(g, true);
    if (modrm < 0xC0) {
        g->p66 = gen_chance(g, 10);
        op = fpu_x87_lookup((uint8_t)opcode, (uint8_t)modrm,
                            g->p66 ? FPU_ENV_PROT16 : FPU_ENV_PROT32);
        gen_modrm_mem(g, modrm >> 3, op ? op->mem_bytes : 8, 60);
        g->c->long_operand = op && op->mem_bytes > 8;
        if (opcode == 0xDF && modrm >> 3 == 4 && gen_chance(g, 90))
            poke_decimal(g);
    } else {
        gen_modrm_reg(g, modrm >> 3 & 7, modrm & 7);
    }
    x87_tolerances(g, opcode, modrm);
    gen_finish(g);
}
