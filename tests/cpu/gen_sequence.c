/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several instructions in a row: what a single one cannot show, because the processor treats
 * instructions of a block together (flags computed late, comparisons fused with branches, blocks
 * chained in loops).
 */
#include "gen.h"

/* A counter for loops, where no operand lies. */
#define COUNTER (DIFF_DATA + DIFF_RW_BYTES - 16)

static struct gen part_of(struct gen *g)
{
    return (struct gen){.rng = g->rng, .c = g->c, .in_sequence = true};
}

/* cmp r, r: all flags are defined again. */
static void define_flags(struct gen *g)
{
    struct gen part = part_of(g);

    part.opcode = 0x39;
    gen_set_size(&part, 4);
    gen_modrm_reg(&part, gen_below(&part, 16), gen_below(&part, 16));
    gen_finish(&part);
    g->rng = part.rng;
}

static void add_instruction(struct gen *g, bool floating)
{
    static void (*const integer[])(struct gen *) = {
        gen_alu, gen_alu, gen_alu, gen_shift, gen_bit, gen_move, gen_move, gen_muldiv, gen_flag};
    static void (*const fp[])(struct gen *) = {gen_sse, gen_sse, gen_mmx, gen_x87};
    struct gen part = part_of(g);
    uint32_t undefined;

    g->c->flags_undefined = 0;
    if (floating && gen_chance(&part, 60))
        fp[gen_below(&part, 4)](&part);
    else
        integer[gen_below(&part, sizeof(integer) / sizeof(integer[0]))](&part);
    g->rng = part.rng;
    undefined = g->c->flags_undefined;
    if (undefined & ~FLAG_AF)
        define_flags(g);
}

/* jcc over what follows, whose length is put in when known. Returns where. */
static unsigned open_branch(struct gen *g)
{
    struct diff_case *c = g->c;

    c->code[c->len++] = (uint8_t)(0x70 | gen_below(g, 16));
    c->code[c->len++] = 0;
    return c->len;
}

static void close_branch(struct gen *g, unsigned from)
{
    g->c->code[from - 1] = (uint8_t)(g->c->len - from);
}

/* dec dword [COUNTER]; jnz back */
static void close_loop(struct gen *g, unsigned start)
{
    struct diff_case *c = g->c;
    struct gen part = part_of(g);

    part.opcode = 0xFF;
    gen_modrm_mem_at(&part, 1, COUNTER);
    gen_finish(&part);
    g->rng = part.rng;
    int32_t back = (int32_t)start - (int32_t)(c->len + 6);
    c->code[c->len++] = 0x0F;
    c->code[c->len++] = 0x85;
    for (int i = 0; i < 4; i++)
        c->code[c->len++] = (uint8_t)((uint32_t)back >> 8 * i);
}

void gen_sequence(struct gen *g)
{
    struct diff_case *c = g->c;
    unsigned count = 2 + gen_below(g, 7), open = 0, left = 0;
    bool floating = gen_chance(g, 30), loop = gen_chance(g, 25);

    /* At most 19 bytes each, with CMP and a branch: fits DIFF_CODE_MAX. */
    for (unsigned i = 0; i < count; i++) {
        add_instruction(g, floating);
        if (open && !left--) {
            close_branch(g, open);
            open = 0;
        }
        if (!open && gen_chance(g, 30)) {
            open = open_branch(g);
            left = gen_below(g, 2);
        }
    }
    if (open)
        close_branch(g, open);
    if (loop) {
        uint32_t turns = 1 + gen_below(g, 5);
        c->pokes = c->pokes == 4 ? 3 : c->pokes;
        gen_poke(g, COUNTER, &turns, 4);
        close_loop(g, 0);
    }
    c->name = loop ? "loop" : "straight";
    c->flags_undefined = FLAG_AF;
    c->has_mem = false;
    c->is_x87 = floating;
    c->long_operand = c->x87_undefined_after_fault = false;
}
