/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to gen*.c: an instruction under construction. */
#ifndef TESTS_CPU_GEN_H
#define TESTS_CPU_GEN_H

#include "diff.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

#define FLAG_CF 0x001u
#define FLAG_PF 0x004u
#define FLAG_AF 0x010u
#define FLAG_ZF 0x040u
#define FLAG_SF 0x080u
#define FLAG_DF 0x400u
#define FLAG_OF 0x800u

struct gen {
    struct diff_rng rng;
    struct diff_case *c;
    /*
     * Part of a sequence: registers have unknown values by then, so operands in memory have
     * constant addresses, and flags that depend on a register count as undefined.
     */
    bool in_sequence;
    uint32_t fixed; /* registers whose values must stay as they are */
    /* Encoding, put together by gen_finish(). */
    bool p66, p67, lock, no_rex, no_ignored, gs;
    uint8_t rep; /* 0, F2 or F3 */
    bool rex_w, rex_any;
    uint8_t rex_rxb;
    uint8_t map; /* 0 or 0x0F */
    uint8_t opcode;
    bool has_modrm;
    uint8_t modrm;
    bool has_sib;
    uint8_t sib;
    unsigned disp_bytes;
    int64_t disp;
    bool rip_relative;
    unsigned imm_bytes;
    uint64_t imm;
};

static inline unsigned gen_below(struct gen *g, unsigned n)
{
    return diff_below(&g->rng, n);
}

static inline bool gen_chance(struct gen *g, unsigned percent)
{
    return diff_chance(&g->rng, percent);
}

/* A register value that must not be changed any more. */
static inline void gen_set_reg(struct gen *g, unsigned reg, uint64_t value)
{
    g->c->in.gpr[reg] = value;
    g->fixed |= 1u << reg;
}

/* Operand size in bytes (2, 4 or 8) by prefix and REX.W. */
void gen_set_size(struct gen *g, unsigned bytes);
/* ModRM with a register as r/m. */
void gen_modrm_reg(struct gen *g, unsigned reg, unsigned rm);
/*
 * ModRM with memory: chooses an address for `bytes` bytes (aligned_percent: how often aligned to
 * that) and an addressing form, and sets the registers for it.
 */
void gen_modrm_mem(struct gen *g, unsigned reg, unsigned bytes, unsigned aligned_percent);
/* The same for a given address. */
void gen_modrm_mem_at(struct gen *g, unsigned reg, uint64_t ea);
uint64_t gen_pick_ea(struct gen *g, unsigned bytes, unsigned aligned_percent);
/* Puts a value into initial memory. */
void gen_poke(struct gen *g, uint64_t va, const void *data, unsigned bytes);
void gen_poke64(struct gen *g, uint64_t va, uint64_t value);

/* Writes the bytes. */
void gen_finish(struct gen *g);
/* Random x87 and SSE state. */
void gen_fp_state(struct gen *g, bool x87);

/* gen_int.c, gen_fp.c, gen_flow.c: each makes one instruction of its group. */
void gen_alu(struct gen *g);
void gen_shift(struct gen *g);
void gen_muldiv(struct gen *g);
void gen_bit(struct gen *g);
void gen_move(struct gen *g);
void gen_flag(struct gen *g);
void gen_string(struct gen *g);
void gen_stack(struct gen *g);
void gen_branch(struct gen *g);
void gen_invalid(struct gen *g);
void gen_mmx(struct gen *g);
void gen_sse(struct gen *g);
void gen_x87(struct gen *g);
/* gen_sequence.c */
void gen_sequence(struct gen *g);

#endif
