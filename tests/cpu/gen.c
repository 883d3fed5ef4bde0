/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random cases: registers, addressing forms, encoding. What is encoded: gen_*.c. */
#include <string.h>

#include "gen.h"

struct group {
    const char *name;
    void (*make)(struct gen *g);
    unsigned weight;
};

static const struct group groups[] = {
    {"alu", gen_alu, 16},      {"shift", gen_shift, 10},
    {"muldiv", gen_muldiv, 6}, {"bit", gen_bit, 8},
    {"move", gen_move, 12},    {"flag", gen_flag, 2},
    {"string", gen_string, 8}, {"stack", gen_stack, 6},
    {"branch", gen_branch, 6}, {"invalid", gen_invalid, 2},
    {"mmx", gen_mmx, 8},       {"sse", gen_sse, 20},
    {"x87", gen_x87, 16},      {"sequence", gen_sequence, 30},
};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

const char *const *diff_groups(void)
{
    static const char *names[GROUPS + 1];
    for (size_t i = 0; i < GROUPS; i++)
        names[i] = groups[i].name;
    return names;
}

/* ---- Addresses ---- */

/* Where nothing can happen; the last bytes belong to the sequence. */
static uint64_t gen_sequence_ea(struct gen *g, unsigned bytes, bool aligned)
{
    uint64_t ea = DIFF_DATA + gen_below(g, DIFF_RW_BYTES - 256);
    return aligned ? ea & ~15ull : ea;
}

uint64_t gen_pick_ea(struct gen *g, unsigned bytes, unsigned aligned_percent)
{
    const uint64_t end = DIFF_DATA + DIFF_RW_BYTES, middle = DIFF_DATA + DIFF_PAGE;
    unsigned r = gen_below(g, 100), into = 1 + gen_below(g, bytes > 1 ? bytes - 1 : 1);
    unsigned room = DIFF_RW_BYTES - (bytes < DIFF_PAGE ? bytes : DIFF_PAGE);
    bool aligned = gen_chance(g, aligned_percent);

    if (g->in_sequence)
        return gen_sequence_ea(g, bytes, aligned);
    if (aligned && r >= 20) {
        unsigned align = bytes > 16 || (bytes & (bytes - 1)) ? 16 : bytes;
        return DIFF_DATA + gen_below(g, room) / align * align;
    }
    if (r < 84)
        return DIFF_DATA + gen_below(g, room);
    if (r < 91)
        return middle - into;
    if (r < 93)
        return end - into;
    if (r < 96)
        return end + gen_below(g, DIFF_PAGE - bytes);
    if (r < 97)
        return DIFF_NOT_THERE - into;
    if (r < 99)
        return DIFF_NOT_THERE + gen_below(g, DIFF_PAGE);
    return 0x8000000000000000u + 16 * gen_below(g, 256);
}

static unsigned free_reg(struct gen *g)
{
    for (;;) {
        unsigned reg = gen_below(g, g->no_rex ? 8 : 16);
        if (!(g->fixed >> reg & 1))
            return reg;
    }
}

/* The value that gives an address register `value`, modulo the address size. */
static void set_address_reg(struct gen *g, unsigned reg, uint64_t value)
{
    if (g->p67)
        value = (uint32_t)value | (gen_chance(g, 50) ? diff_rand(&g->rng) << 32 : 0);
    gen_set_reg(g, reg, value);
}

static void pick_disp(struct gen *g, bool may_be_none)
{
    unsigned r = gen_below(g, 3);
    g->disp_bytes = r == 0 && may_be_none ? 0 : r == 1 ? 4 : 1;
    g->disp = g->disp_bytes == 4 ? (int32_t)diff_rand(&g->rng) : (int8_t)diff_rand(&g->rng);
    if (!g->disp_bytes)
        g->disp = 0;
}

static unsigned mod_of_disp(unsigned disp_bytes)
{
    return disp_bytes == 0 ? 0 : disp_bytes == 1 ? 1 : 2;
}

static void set_sib(struct gen *g, unsigned base, unsigned index, unsigned scale)
{
    g->has_sib = true;
    g->sib = (uint8_t)(scale << 6 | (index & 7) << 3 | (base & 7));
    g->rex_rxb |= (uint8_t)((index >> 3) << 1 | base >> 3);
}

/* [disp32] or [index * scale + disp32] */
static void form_no_base(struct gen *g, unsigned reg, uint64_t offset)
{
    unsigned index = gen_chance(g, 50) && !g->in_sequence ? free_reg(g) : RSP,
             scale = gen_below(g, 4);

    g->disp_bytes = 4;
    g->disp = (int32_t)offset;
    if (index != RSP) {
        uint64_t value = diff_rand(&g->rng) & 0xFFFFF;
        g->disp = (int32_t)(offset - (value << scale));
        set_address_reg(g, index, value);
    }
    g->modrm = (uint8_t)((reg & 7) << 3 | 4);
    set_sib(g, RBP, index, scale);
}

static void form_base(struct gen *g, unsigned reg, uint64_t offset)
{
    unsigned base = free_reg(g), index = RSP, scale = gen_below(g, 4);
    uint64_t value = offset;

    pick_disp(g, (base & 7) != RBP);
    value -= (uint64_t)g->disp;
    g->fixed |= 1u << base;
    if (gen_chance(g, 50) && (index = free_reg(g)) != RSP) {
        uint64_t i = diff_interesting(&g->rng);
        value -= i << scale;
        set_address_reg(g, index, i);
    }
    set_address_reg(g, base, value);
    g->modrm = (uint8_t)(mod_of_disp(g->disp_bytes) << 6 | (reg & 7) << 3);
    if (index != RSP || (base & 7) == RSP || gen_chance(g, 20)) {
        g->modrm |= 4;
        set_sib(g, base, index, scale);
    } else {
        g->modrm |= base & 7;
        g->rex_rxb |= base >> 3;
    }
}

void gen_modrm_mem_at(struct gen *g, unsigned reg, uint64_t ea)
{
    uint64_t offset;
    unsigned form = gen_below(g, 10);

    g->has_modrm = true;
    g->c->has_mem = true;
    g->c->ea = ea;
    g->gs = gen_chance(g, 8) && !g->in_sequence;
    g->p67 = gen_chance(g, 6) && ea < 0x7FFFFFFF && !g->gs;
    g->c->ea_offset = offset = ea - (g->gs ? DIFF_GS_BASE : 0);
    g->rex_rxb |= (uint8_t)((reg >> 3) << 2);
    if (g->in_sequence)
        form &= 1;
    if (form == 0 && ea < 0x7FFFFFFF && !g->gs) {
        g->rip_relative = true;
        g->disp_bytes = 4;
        g->modrm = (uint8_t)((reg & 7) << 3 | 5);
    } else if (form == 1 && offset + 0x80000000 < 0x100000000) {
        form_no_base(g, reg, offset);
    } else {
        form_base(g, reg, offset);
    }
}

void gen_modrm_mem(struct gen *g, unsigned reg, unsigned bytes, unsigned aligned_percent)
{
    gen_modrm_mem_at(g, reg, gen_pick_ea(g, bytes, aligned_percent));
}

void gen_modrm_reg(struct gen *g, unsigned reg, unsigned rm)
{
    g->has_modrm = true;
    g->modrm = (uint8_t)(0xC0 | (reg & 7) << 3 | (rm & 7));
    g->rex_rxb |= (uint8_t)((reg >> 3) << 2 | rm >> 3);
}

void gen_set_size(struct gen *g, unsigned bytes)
{
    g->p66 = bytes == 2;
    g->rex_w = bytes == 8;
}

void gen_poke(struct gen *g, uint64_t va, const void *data, unsigned bytes)
{
    struct diff_case *c = g->c;

    if (va < DIFF_DATA || va + bytes > DIFF_DATA + DIFF_RW_BYTES ||
        c->pokes == sizeof(c->poke) / sizeof(c->poke[0]))
        return;
    c->poke[c->pokes].offset = (uint32_t)(va - DIFF_DATA);
    c->poke[c->pokes].bytes = bytes;
    memcpy(c->poke[c->pokes].data, data, bytes);
    c->pokes++;
}

void gen_poke64(struct gen *g, uint64_t va, uint64_t value)
{
    gen_poke(g, va, &value, 8);
}

/* ---- Bytes ---- */

static void put_bytes(struct diff_case *c, uint64_t value, unsigned bytes)
{
    memcpy(c->code + c->len, &value, bytes);
    c->len += bytes;
}

static void put_prefixes(struct gen *g)
{
    static const uint8_t ignored[] = {0x2E, 0x36, 0x3E, 0x26};
    uint8_t prefixes[6];
    unsigned n = 0;

    if (g->p66)
        prefixes[n++] = 0x66;
    if (g->p67)
        prefixes[n++] = 0x67;
    if (g->lock)
        prefixes[n++] = 0xF0;
    if (g->rep)
        prefixes[n++] = g->rep;
    if (g->gs)
        prefixes[n++] = 0x65;
    else if (!g->no_ignored && gen_chance(g, 3))
        prefixes[n++] = ignored[gen_below(g, sizeof(ignored))];
    while (n) {
        unsigned pick = gen_below(g, n);
        /* REX counts only right before the opcode. */
        if (!g->no_ignored && gen_chance(g, 1))
            put_bytes(g->c, 0x48, 1);
        put_bytes(g->c, prefixes[pick], 1);
        prefixes[pick] = prefixes[--n];
    }
}

void gen_finish(struct gen *g)
{
    struct diff_case *c = g->c;
    unsigned rex = (g->rex_w ? 8u : 0) | g->rex_rxb;

    put_prefixes(g);
    if (rex || g->rex_any || (!g->no_rex && gen_chance(g, 5))) {
        c->rex = (uint8_t)(0x40 | rex);
        put_bytes(c, c->rex, 1);
    }
    if (g->map)
        put_bytes(c, g->map, 1);
    c->opcode = g->opcode;
    c->p66 = g->p66;
    c->modrm = g->modrm;
    c->imm8 = (uint8_t)g->imm;
    put_bytes(c, g->opcode, 1);
    if (g->has_modrm)
        put_bytes(c, g->modrm, 1);
    if (g->has_sib)
        put_bytes(c, g->sib, 1);
    if (g->rip_relative)
        g->disp = (int64_t)(c->ea - (c->in.rip + c->len + 4 + g->imm_bytes));
    put_bytes(c, (uint64_t)g->disp, g->disp_bytes);
    put_bytes(c, g->imm, g->imm_bytes);
}

/* ---- Cases ---- */

static void default_fp_state(struct diff_state *s)
{
    static const uint16_t fcw = 0x037F;
    static const uint32_t mxcsr = 0x1F80;

    memset(s->fxsave, 0, sizeof(s->fxsave));
    memcpy(s->fxsave, &fcw, 2);
    memcpy(s->fxsave + 24, &mxcsr, 4);
}

static const struct group *pick_group(struct gen *g, const char *name)
{
    unsigned total = 0, at;

    for (size_t i = 0; i < GROUPS; i++) {
        if (name && !strcmp(groups[i].name, name))
            return &groups[i];
        total += groups[i].weight;
    }
    if (name)
        return NULL;
    at = gen_below(g, total);
    for (const struct group *group = groups;; group++) {
        if (at < group->weight)
            return group;
        at -= group->weight;
    }
}

bool diff_generate(uint64_t seed, uint64_t number, const char *group, struct diff_case *c)
{
    struct gen g = {.rng = {seed * 0xD1342543DE82EF95u + number * 0xA0761D6478BD642Fu}, .c = c};
    const struct group *chosen;

    diff_rand(&g.rng);
    chosen = pick_group(&g, group);
    if (!chosen)
        return false;
    memset(c, 0, offsetof(struct diff_case, poke));
    c->pokes = 0;
    memset((char *)c + offsetof(struct diff_case, flags_undefined), 0,
           sizeof(*c) - offsetof(struct diff_case, flags_undefined));
    c->group = chosen->name;
    c->name = "?";
    c->pool_offset = gen_below(&g, (DIFF_POOL_BYTES - DIFF_RW_BYTES) / 8) * 8;
    for (int i = 0; i < 16; i++)
        c->in.gpr[i] = diff_interesting(&g.rng);
    c->in.rflags = 0x202 | (diff_rand(&g.rng) & DIFF_ARITH_FLAGS);
    c->in.rip = DIFF_CODE + 0x80 + gen_below(&g, 0x80);
    if (gen_chance(&g, 4))
        c->in.rip = DIFF_CODE + DIFF_PAGE - 1 - gen_below(&g, 12);
    default_fp_state(&c->in);
    chosen->make(&g);
    return true;
}

/* Exceptions that are unmasked from the start, or may become so. */
static bool exceptions_masked(const struct diff_case *c)
{
    bool loads_control = c->is_x87 && c->modrm < 0xC0 && (c->opcode == 0xD9 || c->opcode == 0xDD) &&
                         (c->modrm & 0x20);
    return (c->in.fxsave[0] & 0x3F) == 0x3F && !loads_control;
}

void diff_make_lenient(struct diff_case *c)
{
    bool sequence = !strcmp(c->group, "sequence");

    c->x87_pointers_undefined = true;
    if (!c->is_x87 && strcmp(c->group, "mmx"))
        return;
    if (c->opcode == 0xAE)
        c->tolerance = DIFF_UNDEFINED; /* an image with the pointers */
    c->fsw_undefined = 0x4700;
    c->x87_undefined_after_fault = true;
    if (sequence || !exceptions_masked(c))
        c->tolerance = DIFF_UNDEFINED;
}
