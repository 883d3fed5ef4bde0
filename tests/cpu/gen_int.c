/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer instructions. Flags that the manual leaves undefined: SDM volume 2 (325462-083), "Flags
 * Affected" of each instruction; appendix A of volume 1 sums them up.
 */
#include <string.h>

#include "gen.h"

static const unsigned word_sizes[] = {2, 4, 4, 8};

static unsigned any_size(struct gen *g)
{
    return gen_chance(g, 30) ? 1 : word_sizes[gen_below(g, 4)];
}

static unsigned word_size(struct gen *g)
{
    return word_sizes[gen_below(g, 4)];
}

/*
 * ModRM of an operand of `bytes`, register or memory. Byte registers 4 to 7 mean AH to BH without
 * REX: taken as they come. Returns whether it is memory.
 */
static bool operand(struct gen *g, unsigned reg, unsigned bytes)
{
    if (bytes > 1)
        gen_set_size(g, bytes);
    if (gen_chance(g, 50)) {
        gen_modrm_reg(g, reg, gen_below(g, 16));
        return false;
    }
    gen_modrm_mem(g, reg, bytes, 60);
    return true;
}

static void opcode_sized(struct gen *g, unsigned opcode, unsigned bytes)
{
    g->opcode = (uint8_t)(opcode | (bytes > 1));
}

static void immediate(struct gen *g, unsigned bytes)
{
    g->imm_bytes = bytes;
    g->imm = diff_interesting(&g->rng);
}

/* ---- Addition, logic, comparison ---- */

static void alu_binary(struct gen *g, unsigned op, unsigned bytes)
{
    unsigned form = gen_below(g, 4);
    bool memory;

    switch (form) {
    case 0: /* r/m, r */
    case 1: /* r, r/m */
        memory = operand(g, gen_below(g, 16), bytes);
        opcode_sized(g, op << 3 | form << 1, bytes);
        g->lock = memory && form == 0 && op != 7 && gen_chance(g, 15);
        break;
    case 2: /* accumulator, immediate */
        if (bytes > 1)
            gen_set_size(g, bytes);
        opcode_sized(g, op << 3 | 4, bytes);
        immediate(g, bytes > 4 ? 4 : bytes);
        break;
    default: /* r/m, immediate */
        immediate(g, bytes > 4 ? 4 : bytes);
        opcode_sized(g, 0x80, bytes);
        if (bytes > 1 && gen_chance(g, 50)) {
            g->opcode = 0x83;
            g->imm_bytes = 1;
        }
        memory = operand(g, op, bytes);
        g->lock = memory && op != 7 && gen_chance(g, 15);
    }
}

static void alu_test(struct gen *g, unsigned bytes)
{
    g->c->name = "test";
    g->c->flags_undefined = FLAG_AF;
    switch (gen_below(g, 3)) {
    case 0:
        operand(g, gen_below(g, 16), bytes);
        opcode_sized(g, 0x84, bytes);
        break;
    case 1:
        if (bytes > 1)
            gen_set_size(g, bytes);
        opcode_sized(g, 0xA8, bytes);
        immediate(g, bytes > 4 ? 4 : bytes);
        break;
    default:
        immediate(g, bytes > 4 ? 4 : bytes);
        operand(g, gen_below(g, 2), bytes);
        opcode_sized(g, 0xF6, bytes);
    }
}

void gen_alu(struct gen *g)
{
    static const char *const names[8] = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};
    unsigned kind = gen_below(g, 16), bytes = any_size(g);

    if (kind < 11) {
        unsigned op = gen_below(g, 8);
        g->c->name = names[op];
        if (op == 1 || op == 4 || op == 6)
            g->c->flags_undefined = FLAG_AF;
        alu_binary(g, op, bytes);
    } else if (kind < 13) {
        alu_test(g, bytes);
    } else if (kind < 15) {
        unsigned digit = gen_below(g, 2);
        g->c->name = digit ? "dec" : "inc";
        g->lock = operand(g, digit, bytes) && gen_chance(g, 15);
        opcode_sized(g, 0xFE, bytes);
    } else {
        unsigned digit = 2 + gen_below(g, 2);
        g->c->name = digit == 2 ? "not" : "neg";
        g->lock = operand(g, digit, bytes) && gen_chance(g, 15);
        opcode_sized(g, 0xF6, bytes);
    }
    gen_finish(g);
}

/* ---- Shifts and rotates ---- */

/* count is already modulo 32 or 64. */
static uint32_t shift_undefined(unsigned digit, unsigned count, unsigned bits)
{
    uint32_t undefined = 0;

    if (!count)
        return 0;
    if (count != 1)
        undefined |= FLAG_OF;
    if (digit >= 4)
        undefined |= FLAG_AF;
    if ((digit == 4 || digit == 5 || digit == 6) && count >= bits)
        undefined |= FLAG_CF;
    return undefined;
}

static void shift_double(struct gen *g)
{
    unsigned bytes = word_size(g), bits = 8 * bytes;
    unsigned count = (unsigned)diff_interesting(&g->rng) & 0xFF;
    bool by_cl = gen_chance(g, 50) && !g->in_sequence;

    g->c->name = "shld/shrd";
    g->map = 0x0F;
    g->opcode = (uint8_t)(0xA4 | (gen_below(g, 2) << 3) | by_cl);
    /* A count above the size leaves even the result undefined: only 16-bit operands can. */
    if ((count & (bytes == 8 ? 63 : 31)) > bits)
        count &= 15;
    if (by_cl) {
        gen_set_reg(g, RCX, (diff_rand(&g->rng) & ~0xFFull) | count);
    } else {
        g->imm_bytes = 1;
        g->imm = count;
    }
    count &= bytes == 8 ? 63 : 31;
    if (count)
        g->c->flags_undefined = FLAG_AF | (count != 1 ? FLAG_OF : 0);
    operand(g, gen_below(g, 16), bytes);
}

void gen_shift(struct gen *g)
{
    static const char *const names[8] = {"rol", "ror", "rcl", "rcr", "shl", "shr", "sal", "sar"};
    unsigned digit = gen_below(g, 8), bytes = any_size(g), count;

    if (gen_chance(g, 15)) {
        shift_double(g);
        gen_finish(g);
        return;
    }
    g->c->name = names[digit];
    switch (gen_below(g, 3)) {
    case 0:
        count = 1;
        opcode_sized(g, 0xD0, bytes);
        break;
    case 1:
        count = (unsigned)diff_interesting(&g->rng) & 0xFF;
        gen_set_reg(g, RCX, (diff_rand(&g->rng) & ~0xFFull) | count);
        opcode_sized(g, 0xD2, bytes);
        break;
    default:
        immediate(g, 1);
        count = g->imm & 0xFF;
        opcode_sized(g, 0xC0, bytes);
    }
    operand(g, digit, bytes);
    g->c->flags_undefined = shift_undefined(digit, count & (bytes == 8 ? 63 : 31), 8 * bytes);
    if (g->in_sequence && g->opcode >> 1 == 0xD2 >> 1)
        g->c->flags_undefined = DIFF_ARITH_FLAGS;
    gen_finish(g);
}

/* ---- Multiplication and division ---- */

/* A dividend that often gives a quotient that fits. */
static void divide_setup(struct gen *g, unsigned bytes, bool is_signed)
{
    uint64_t high = diff_interesting(&g->rng);

    if (gen_chance(g, 60))
        high = is_signed && gen_chance(g, 50) ? ~0ull : gen_below(g, 3);
    if (bytes == 1)
        gen_set_reg(g, RAX,
                    (diff_rand(&g->rng) & ~0xFFFFull) | (high & 0xFF) << 8 |
                        (diff_rand(&g->rng) & 0xFF));
    else
        gen_set_reg(g, RDX, high);
}

void gen_muldiv(struct gen *g)
{
    static const char *const names[4] = {"mul", "imul", "div", "idiv"};
    unsigned kind = gen_below(g, 10), bytes = any_size(g);
    const uint32_t mul_undefined = FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF;

    if (kind < 7) {
        unsigned digit = 4 + kind % 4;
        g->c->name = names[digit - 4];
        g->c->flags_undefined = digit >= 6 ? DIFF_ARITH_FLAGS : mul_undefined;
        if (digit >= 6)
            divide_setup(g, bytes, digit == 7);
        operand(g, digit, bytes);
        opcode_sized(g, 0xF6, bytes);
    } else {
        g->c->name = "imul";
        g->c->flags_undefined = mul_undefined;
        bytes = word_size(g);
        if (kind == 7) {
            g->map = 0x0F;
            g->opcode = 0xAF;
        } else {
            g->opcode = kind == 8 ? 0x69 : 0x6B;
            immediate(g, kind == 9 ? 1 : bytes == 2 ? 2 : 4);
        }
        operand(g, gen_below(g, 16), bytes);
    }
    gen_finish(g);
}

/* ---- Bits ---- */

/* Bit offsets from a register reach beyond the operand: keep the byte in sight. */
static void bit_by_register(struct gen *g, unsigned op, unsigned bytes)
{
    unsigned reg = gen_below(g, 16);
    int64_t offset = (int64_t)gen_below(g, 8192) - 4096;
    uint64_t value = (uint64_t)offset;

    g->opcode = (uint8_t)(0xA3 | op << 3);
    gen_set_size(g, bytes);
    if (g->in_sequence || gen_chance(g, 50)) {
        gen_modrm_reg(g, reg, gen_below(g, 16));
        return;
    }
    if (bytes < 8)
        value = (value & (bytes == 2 ? 0xFFFF : 0xFFFFFFFF)) | diff_rand(&g->rng) << (8 * bytes);
    gen_set_reg(g, reg, value);
    /* The unit accessed is that many operands away from the address. */
    int64_t unit = offset >> (bytes == 2 ? 4 : bytes == 4 ? 5 : 6);
    uint64_t ea = gen_pick_ea(g, bytes, 60);
    if (ea < 0x7FFFFFFF) {
        gen_modrm_mem_at(g, reg, ea - (uint64_t)(unit * (int64_t)bytes));
        g->c->ea = ea;
        if (g->rip_relative)
            g->c->ea = ea - (uint64_t)(unit * (int64_t)bytes);
    } else {
        gen_modrm_reg(g, reg, gen_below(g, 16));
    }
    g->lock = op && (g->modrm >> 6) != 3 && gen_chance(g, 15);
}

static void bit_test(struct gen *g)
{
    unsigned op = gen_below(g, 4), bytes = word_size(g);

    g->c->name = "bt";
    g->map = 0x0F;
    g->c->flags_undefined = FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
    if (gen_chance(g, 50)) {
        g->opcode = 0xBA;
        immediate(g, 1);
        g->lock = operand(g, 4 + op, bytes) && op && gen_chance(g, 15);
    } else {
        bit_by_register(g, op, bytes);
    }
}

static void bit_compare_exchange(struct gen *g)
{
    unsigned bytes = any_size(g);

    g->map = 0x0F;
    if (gen_chance(g, 60)) {
        bool exchange_add = gen_chance(g, 40);
        g->c->name = exchange_add ? "xadd" : "cmpxchg";
        bool memory = operand(g, gen_below(g, 16), bytes);
        opcode_sized(g, exchange_add ? 0xC0 : 0xB0, bytes);
        /* Equal often enough. */
        if (memory && !exchange_add && gen_chance(g, 50))
            gen_poke64(g, g->c->ea, g->c->in.gpr[RAX]);
        g->lock = memory && gen_chance(g, 50);
    } else {
        uint64_t pair[2] = {g->c->in.gpr[RAX], g->c->in.gpr[RDX]};
        bytes = gen_chance(g, 50) ? 8 : 16;
        g->c->name = bytes == 8 ? "cmpxchg8b" : "cmpxchg16b";
        g->opcode = 0xC7;
        g->rex_w = bytes == 16;
        g->fixed |= 1u << RAX | 1u << RDX;
        gen_modrm_mem(g, 1, bytes, 85);
        if (bytes == 8)
            pair[0] = (uint32_t)pair[0] | pair[1] << 32;
        if (gen_chance(g, 50))
            gen_poke(g, g->c->ea, pair, bytes);
        g->lock = gen_chance(g, 50);
    }
}

void gen_bit(struct gen *g)
{
    unsigned kind = gen_below(g, 10), bytes = word_size(g);

    if (kind < 5) {
        bit_test(g);
    } else if (kind < 7) {
        unsigned reg = gen_below(g, 16);
        g->c->name = "bsf/bsr";
        g->map = 0x0F;
        g->opcode = (uint8_t)(0xBC | gen_below(g, 2));
        operand(g, reg, bytes);
        g->c->flags_undefined = FLAG_CF | FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
    } else if (kind < 9) {
        bit_compare_exchange(g);
    } else {
        unsigned reg = gen_below(g, 16);
        g->c->name = "bswap";
        g->map = 0x0F;
        g->opcode = (uint8_t)(0xC8 | (reg & 7));
        g->rex_rxb = reg >> 3;
        g->rex_w = gen_chance(g, 50);
    }
    gen_finish(g);
}

/* ---- Moves ---- */

static void move_extend(struct gen *g)
{
    unsigned bytes = word_size(g), from = 1 + gen_below(g, 2);

    if (gen_chance(g, 20)) {
        g->c->name = "movsxd";
        g->opcode = 0x63;
        gen_set_size(g, bytes);
        if (gen_chance(g, 50))
            gen_modrm_reg(g, gen_below(g, 16), gen_below(g, 16));
        else
            gen_modrm_mem(g, gen_below(g, 16), bytes == 2 ? 2 : 4, 60);
        return;
    }
    g->c->name = "movzx/movsx";
    g->map = 0x0F;
    g->opcode = (uint8_t)((gen_chance(g, 50) ? 0xB6 : 0xBE) | (from == 2));
    gen_set_size(g, bytes);
    if (gen_chance(g, 50))
        gen_modrm_reg(g, gen_below(g, 16), gen_below(g, 16));
    else
        gen_modrm_mem(g, gen_below(g, 16), from, 60);
}

static void move_immediate(struct gen *g, unsigned bytes)
{
    unsigned reg = gen_below(g, 16);

    if (gen_chance(g, 50)) {
        immediate(g, bytes > 4 ? 4 : bytes);
        operand(g, 0, bytes);
        opcode_sized(g, 0xC6, bytes);
        return;
    }
    g->opcode = (uint8_t)((bytes == 1 ? 0xB0 : 0xB8) | (reg & 7));
    g->rex_rxb = reg >> 3;
    if (bytes > 1)
        gen_set_size(g, bytes);
    immediate(g, bytes);
}

static void move_absolute(struct gen *g, unsigned bytes)
{
    g->c->name = "mov moffs";
    opcode_sized(g, gen_chance(g, 50) ? 0xA0 : 0xA2, bytes);
    if (bytes > 1)
        gen_set_size(g, bytes);
    g->c->ea = g->imm = gen_pick_ea(g, bytes, 60);
    g->c->has_mem = true;
    g->imm_bytes = 8;
    g->p67 = gen_chance(g, 10) && g->imm < 0x7FFFFFFF;
    if (g->p67)
        g->imm_bytes = 4;
}

static void move_lea(struct gen *g)
{
    unsigned bytes = word_size(g);

    g->c->name = "lea";
    g->opcode = 0x8D;
    gen_set_size(g, bytes);
    /* Nothing is accessed: registers may hold anything. */
    gen_modrm_mem_at(g, gen_below(g, 16), diff_interesting(&g->rng) & 0x7FFFFFFF);
    for (int i = 0; i < 16; i++)
        g->c->in.gpr[i] = diff_interesting(&g->rng);
}

static void move_exchange(struct gen *g, unsigned bytes)
{
    g->c->name = "xchg";
    if (gen_chance(g, 30)) {
        unsigned reg = gen_below(g, 16);
        g->opcode = (uint8_t)(0x90 | (reg & 7));
        g->rex_rxb = reg >> 3;
        gen_set_size(g, bytes > 1 ? bytes : 4);
        return;
    }
    g->lock = operand(g, gen_below(g, 16), bytes) && gen_chance(g, 15);
    opcode_sized(g, 0x86, bytes);
}

static void move_conditional(struct gen *g, bool set)
{
    unsigned condition = gen_below(g, 16);

    g->map = 0x0F;
    g->opcode = (uint8_t)((set ? 0x90 : 0x40) | condition);
    g->c->name = set ? "setcc" : "cmovcc";
    if (!set) {
        operand(g, gen_below(g, 16), word_size(g));
    } else if (gen_chance(g, 50)) {
        gen_modrm_reg(g, gen_below(g, 8), gen_below(g, 16));
    } else {
        gen_modrm_mem(g, gen_below(g, 8), 1, 60);
    }
}

static void move_xlat(struct gen *g)
{
    uint64_t ea = gen_pick_ea(g, 1, 0);

    g->c->name = "xlat";
    g->opcode = 0xD7;
    gen_set_reg(g, RBX, ea - (g->c->in.gpr[RAX] & 0xFF));
    g->gs = gen_chance(g, 10);
    if (g->gs)
        g->c->in.gpr[RBX] -= DIFF_GS_BASE;
}

void gen_move(struct gen *g)
{
    /* No XLAT in sequences: it has registers for an address. */
    unsigned kind = gen_below(g, g->in_sequence ? 18 : 20), bytes = any_size(g);

    g->c->name = "mov";
    if (kind < 6) {
        operand(g, gen_below(g, 16), bytes);
        opcode_sized(g, gen_chance(g, 50) ? 0x88 : 0x8A, bytes);
    } else if (kind < 8) {
        move_immediate(g, bytes);
    } else if (kind < 11) {
        move_extend(g);
    } else if (kind < 12) {
        move_absolute(g, bytes);
    } else if (kind < 14) {
        move_lea(g);
    } else if (kind < 15) {
        move_exchange(g, bytes);
    } else if (kind < 17) {
        move_conditional(g, false);
    } else if (kind < 18) {
        move_conditional(g, true);
    } else if (kind < 19) {
        move_xlat(g);
    } else {
        g->c->name = "movnti";
        g->map = 0x0F;
        g->opcode = 0xC3;
        g->rex_w = gen_chance(g, 50);
        gen_modrm_mem(g, gen_below(g, 16), g->rex_w ? 8 : 4, 60);
    }
    gen_finish(g);
}

/* ---- Flags and conversions in the accumulator ---- */

void gen_flag(struct gen *g)
{
    static const uint8_t opcodes[] = {0x98, 0x99, 0x9E, 0x9F, 0xF5, 0xF8, 0xF9, 0xFC, 0xFD, 0x90};
    unsigned pick = gen_below(g, 14);

    /* LAHF would show AF, which is undefined too often. */
    if (g->in_sequence && pick < sizeof(opcodes) && opcodes[pick] == 0x9F)
        pick = 4;
    g->c->name = "flags, conversions, hints";
    if (pick < sizeof(opcodes)) {
        g->opcode = opcodes[pick];
        if (g->opcode == 0x98 || g->opcode == 0x99)
            gen_set_size(g, word_size(g));
        else if (g->opcode == 0x90)
            g->rep = gen_chance(g, 50) ? 0xF3 : 0;
    } else if (pick == 10) { /* multi-byte NOP: no access */
        g->map = 0x0F;
        g->opcode = 0x1F;
        gen_modrm_mem(g, gen_below(g, 8), 4, 50);
    } else if (pick == 11) { /* prefetches */
        g->map = 0x0F;
        g->opcode = 0x18;
        gen_modrm_mem(g, gen_below(g, 4), 1, 50);
    } else if (pick == 12) { /* LFENCE, MFENCE, SFENCE */
        g->map = 0x0F;
        g->opcode = 0xAE;
        g->no_rex = true;
        gen_modrm_reg(g, 5 + gen_below(g, 3), 0);
    } else { /* ENDBR64 */
        g->rep = 0xF3;
        g->map = 0x0F;
        g->opcode = 0x1E;
        g->no_rex = true;
        gen_modrm_reg(g, 7, 2);
    }
    gen_finish(g);
}
