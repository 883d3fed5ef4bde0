/* SPDX-License-Identifier: GPL-2.0-or-later */
/* String and stack instructions, branches, and what must be refused. */
#include <string.h>

#include "gen.h"

/* ---- Strings ---- */

struct string_op {
    const char *name;
    uint8_t opcode;
    bool source, destination, compares;
};

static const struct string_op string_ops[] = {
    {"movs", 0xA4, true, true, false},  {"cmps", 0xA6, true, true, true},
    {"stos", 0xAA, false, true, false}, {"lods", 0xAC, true, false, false},
    {"scas", 0xAE, false, true, true},
};

static void string_pointer(struct gen *g, unsigned reg, uint64_t va)
{
    if (g->p67)
        va = (uint32_t)va | diff_rand(&g->rng) << 32;
    gen_set_reg(g, reg, va);
}

/* Equal stretches, so that comparisons get somewhere. */
static void string_make_equal(struct gen *g, const struct string_op *op, uint64_t source,
                              uint64_t destination)
{
    uint8_t byte = (uint8_t)diff_rand(&g->rng), bytes[16];

    memset(bytes, byte, sizeof(bytes));
    if (op->source)
        gen_poke(g, source, bytes, sizeof(bytes));
    else
        g->c->in.gpr[RAX] = byte * 0x0101010101010101u;
    gen_poke(g, destination, bytes, sizeof(bytes));
}

void gen_string(struct gen *g)
{
    const struct string_op *op =
        &string_ops[gen_below(g, sizeof(string_ops) / sizeof(string_ops[0]))];
    unsigned bytes = 1u << gen_below(g, 4);
    uint64_t count = gen_below(g, 40), source, destination;

    g->c->name = op->name;
    g->opcode = (uint8_t)(op->opcode | (bytes > 1));
    if (bytes > 1)
        gen_set_size(g, bytes);
    if (gen_chance(g, 70))
        g->rep = op->compares && gen_chance(g, 50) ? 0xF2 : 0xF3;
    if (gen_chance(g, 30))
        g->c->in.rflags |= FLAG_DF;
    source = gen_pick_ea(g, bytes, 50);
    destination = gen_chance(g, 25) && source < DIFF_RO ? source + gen_below(g, 64) - 32
                                                        : gen_pick_ea(g, bytes, 50);
    /* Which operand of CMPS faults first is open. */
    g->c->cr2_undefined = op->source && op->compares;
    if (op->source && op->compares && source > DIFF_NOT_THERE - 1024)
        destination = DIFF_DATA + gen_below(g, DIFF_PAGE);
    g->p67 = gen_chance(g, 8) && source < 0x7FFFFFFF && destination < 0x7FFFFFFF;
    if (gen_chance(g, 15) && !g->p67)
        count = gen_below(g, 600);
    if (op->compares && gen_chance(g, 70))
        string_make_equal(g, op, source, destination);
    g->gs = op->source && !g->p67 && gen_chance(g, 10);
    if (op->source)
        string_pointer(g, RSI, source - (g->gs ? DIFF_GS_BASE : 0));
    if (op->destination)
        string_pointer(g, RDI, destination);
    if (g->p67)
        count |= diff_rand(&g->rng) << 32;
    if (g->rep) {
        gen_set_reg(g, RCX, count);
        /*
         * Whether 32-bit pointers lose their upper halves when nothing was done, or a fault ended
         * it, differs; and so do the flags that a fault finds.
         */
        if (g->p67)
            g->c->gpr_low_only = 1u << RCX | 1u << RSI | 1u << RDI;
        g->c->flags_undefined_after_fault = op->compares ? DIFF_ARITH_FLAGS : 0;
    }
    g->c->ea = op->source ? source : destination;
    gen_finish(g);
}

/* ---- Stack ---- */

/* RSP for an instruction that moves `bytes` below (push) or above it. */
static uint64_t stack_pointer(struct gen *g, bool push, unsigned bytes)
{
    uint64_t ea = gen_pick_ea(g, bytes, 60);
    gen_set_reg(g, RSP, push ? ea + bytes : ea);
    g->c->ea = ea;
    g->c->has_mem = true;
    return ea;
}

/* An operand in memory, sometimes relative to RSP, which POP has moved by then. */
static void stack_operand(struct gen *g, unsigned digit, unsigned bytes, bool pop)
{
    if (gen_chance(g, 25)) {
        g->has_modrm = true;
        g->modrm = (uint8_t)(0x44 | digit << 3);
        g->has_sib = true;
        g->sib = 0x24;
        g->disp_bytes = 1;
        g->disp = (int8_t)diff_rand(&g->rng);
    } else if (gen_chance(g, 50)) {
        gen_modrm_mem(g, digit, bytes, 60);
    } else {
        gen_modrm_reg(g, digit, gen_below(g, 16));
    }
}

static void stack_push_pop(struct gen *g, unsigned kind)
{
    unsigned bytes = gen_chance(g, 25) ? 2 : 8, reg = gen_below(g, 16);
    bool pop = kind == 1 || kind == 3;

    g->c->name = pop ? "pop" : "push";
    g->p66 = bytes == 2;
    stack_pointer(g, !pop, bytes);
    if (kind < 2) {
        g->opcode = (uint8_t)((pop ? 0x58 : 0x50) | (reg & 7));
        g->rex_rxb = reg >> 3;
    } else if (kind < 4) {
        g->opcode = pop ? 0x8F : 0xFF;
        stack_operand(g, pop ? 0 : 6, bytes, pop);
    } else {
        g->opcode = kind == 4 ? 0x68 : 0x6A;
        g->imm_bytes = kind == 4 ? (bytes == 2 ? 2 : 4) : 1;
        g->imm = diff_interesting(&g->rng);
    }
}

/* TF would trap and AC would make everything else fault: not into the host's flags. */
static void stack_flags(struct gen *g)
{
    unsigned bytes = gen_chance(g, 25) ? 2 : 8;
    bool pop = gen_chance(g, 60);

    g->c->name = pop ? "popf" : "pushf";
    g->opcode = pop ? 0x9D : 0x9C;
    g->p66 = bytes == 2;
    uint64_t ea = stack_pointer(g, !pop, bytes);
    if (pop) {
        uint64_t value = diff_rand(&g->rng) & ~0x40100ull;
        if (ea >= DIFF_DATA + DIFF_RW_BYTES - 8 && ea < DIFF_NOT_THERE + DIFF_PAGE) {
            gen_set_reg(g, RSP, DIFF_DATA);
            ea = DIFF_DATA;
        }
        gen_poke64(g, ea, value);
    }
}

static void stack_frame(struct gen *g)
{
    if (gen_chance(g, 50)) {
        unsigned bytes = gen_chance(g, 25) ? 2 : 8;
        g->c->name = "leave";
        g->opcode = 0xC9;
        g->p66 = bytes == 2;
        g->c->ea = gen_pick_ea(g, bytes, 60);
        gen_set_reg(g, RBP, g->c->ea);
        return;
    }
    unsigned level = gen_chance(g, 60) ? 0 : gen_below(g, 32);
    g->c->name = "enter";
    g->opcode = 0xC8;
    g->p66 = gen_chance(g, 20);
    g->imm_bytes = 3;
    g->imm = gen_below(g, 256) | level << 16;
    stack_pointer(g, true, 8);
    gen_set_reg(g, RBP, level ? gen_pick_ea(g, 8, 60) : diff_interesting(&g->rng));
}

void gen_stack(struct gen *g)
{
    unsigned kind = gen_below(g, 9);

    if (kind < 6)
        stack_push_pop(g, kind);
    else if (kind < 7)
        stack_flags(g);
    else
        stack_frame(g);
    gen_finish(g);
}

/* ---- Branches ---- */

/* Near the target, so that 8 bits reach it. */
static void branch_place(struct gen *g)
{
    g->c->in.rip = DIFF_TARGET + 0x10 + gen_below(g, 0x40);
}

/* A relative branch: the displacement is an immediate whose size is known. */
static void branch_relative(struct gen *g, unsigned bytes)
{
    unsigned length = bytes + 1 + (g->map != 0) + g->p67;

    g->no_rex = g->no_ignored = true;
    g->imm_bytes = bytes;
    g->imm = DIFF_TARGET - (g->c->in.rip + length);
}

static void branch_conditional(struct gen *g)
{
    unsigned kind = gen_below(g, 3);

    g->c->name = "jcc";
    if (kind == 0) {
        g->opcode = (uint8_t)(0x70 | gen_below(g, 16));
        branch_relative(g, 1);
    } else if (kind == 1) {
        g->map = 0x0F;
        g->opcode = (uint8_t)(0x80 | gen_below(g, 16));
        branch_relative(g, 4);
    } else {
        g->c->name = "loop/jrcxz";
        g->opcode = (uint8_t)(0xE0 | gen_below(g, 4));
        g->p67 = gen_chance(g, 20);
        gen_set_reg(g, RCX,
                    gen_chance(g, 60) ? gen_below(g, 3) | (uint64_t)gen_below(g, 2) << 32
                                      : diff_interesting(&g->rng));
        branch_relative(g, 1);
    }
}

static void branch_indirect(struct gen *g, bool call)
{
    g->c->name = call ? "call indirect" : "jmp indirect";
    g->opcode = 0xFF;
    if (gen_chance(g, 50)) {
        unsigned reg = gen_below(g, 16);
        if (reg == RSP)
            reg = RBP;
        gen_set_reg(g, reg, DIFF_TARGET);
        gen_modrm_reg(g, call ? 2 : 4, reg);
    } else {
        uint64_t ea = DIFF_DATA + 64 + gen_below(g, DIFF_RW_BYTES - 128);
        gen_modrm_mem_at(g, call ? 2 : 4, ea);
        gen_poke64(g, ea, DIFF_TARGET);
    }
}

static void branch_return(struct gen *g)
{
    uint64_t ea = DIFF_DATA + gen_below(g, DIFF_RW_BYTES - 8);

    g->c->name = "ret";
    g->opcode = gen_chance(g, 50) ? 0xC3 : 0xC2;
    if (g->opcode == 0xC2) {
        g->imm_bytes = 2;
        g->imm = diff_rand(&g->rng);
    }
    gen_set_reg(g, RSP, ea);
    gen_poke64(g, ea, DIFF_TARGET);
}

void gen_branch(struct gen *g)
{
    unsigned kind = gen_below(g, 10);

    branch_place(g);
    if (kind < 5) {
        branch_conditional(g);
    } else if (kind < 6) {
        bool near = gen_chance(g, 50);
        g->c->name = "jmp";
        g->opcode = near ? 0xEB : 0xE9;
        branch_relative(g, near ? 1 : 4);
    } else if (kind < 7) {
        g->c->name = "call";
        stack_pointer(g, true, 8);
        g->opcode = 0xE8;
        branch_relative(g, 4);
    } else if (kind < 9) {
        bool call = gen_chance(g, 50);
        if (call)
            stack_pointer(g, true, 8);
        branch_indirect(g, call);
    } else {
        branch_return(g);
    }
    gen_finish(g);
}

/* ---- Refusals ---- */

void gen_invalid(struct gen *g)
{
    /* Not in 64-bit mode, or not without privilege. EVEX (62) and VEX (C4, C5) are the host's. */
    static const uint8_t single[] = {0x06, 0x07, 0x0E, 0x16, 0x17, 0x1E, 0x1F, 0x27, 0x2F, 0x37,
                                     0x3F, 0x60, 0x61, 0x82, 0x9A, 0xCE, 0xD4, 0xD5, 0xD6, 0xEA,
                                     0xFA, 0xFB, 0xF4, 0xEC, 0xED, 0xEE, 0xEF, 0xCC};
    static const uint8_t two[] = {0x06, 0x08, 0x09, 0x0B, 0x30, 0x32, 0x35, 0x04, 0x0A, 0x0C};
    unsigned kind = gen_below(g, 5);

    g->c->name = "refused";
    g->no_rex = true;
    if (kind < 2) {
        g->opcode = single[gen_below(g, sizeof(single))];
        g->imm_bytes = g->opcode == 0x82 || g->opcode == 0xD4 || g->opcode == 0xD5 ? 2 : 0;
        g->imm = 0xC0;
    } else if (kind < 3) {
        g->map = 0x0F;
        g->opcode = two[gen_below(g, sizeof(two))];
    } else if (kind < 4) { /* LOCK where it does not belong */
        static const uint8_t opcodes[] = {0x03, 0x39, 0x3B, 0x84, 0x88, 0x8B, 0x8D, 0xD1, 0x69};
        g->lock = true;
        g->opcode = opcodes[gen_below(g, sizeof(opcodes))];
        if (g->opcode == 0x69) {
            g->imm_bytes = 4;
            g->imm = 5;
        }
        gen_modrm_mem(g, gen_below(g, 8), 8, 100);
    } else { /* more than 15 bytes */
        unsigned prefixes = 12 + gen_below(g, 3);
        memset(g->c->code, 0x2E, prefixes);
        g->c->len = prefixes;
        g->opcode = 0x81; /* 15 to 18 with ModRM and an immediate */
        gen_modrm_reg(g, 0, RDX);
        g->imm_bytes = 4;
        if (gen_chance(g, 40)) {
            g->opcode = 0x01;
            g->imm_bytes = 0;
        }
    }
    gen_finish(g);
}
