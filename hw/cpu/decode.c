/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instruction formats. Intel 64 and IA-32 SDM (325462-083), volume 2, chapter 2.
 *
 * VEX, EVEX and XOP encodings are not known: C4 and C5 are LES and LDS outside 64-bit mode with a
 * memory operand, and #UD otherwise.
 */
#include <string.h>

#include "decode.h"
#include "handlers.h"

#define INSN_MAX 15

/* Reads past the end give 0; the caller checks d->pos against d->avail at the end. */
static uint64_t take(struct decoder *d, unsigned bytes)
{
    uint64_t v = 0;
    if (d->pos + bytes <= d->avail) {
        memcpy(&v, d->bytes + d->pos, bytes);
    }
    d->pos += bytes;
    return v;
}

static int32_t take_signed(struct decoder *d, unsigned bytes)
{
    uint64_t v = take(d, bytes);
    return bytes == 1 ? (int8_t)v : bytes == 2 ? (int16_t)v : (int32_t)v;
}

static uint8_t take_prefixes(struct decoder *d)
{
    d->rex = d->rep = 0;
    d->seg = 0xFF;
    d->lock = d->opsize = d->adsize = false;
    for (;;) {
        uint8_t b = (uint8_t)take(d, 1);
        if (d->pos > INSN_MAX) {
            return b;
        }
        switch (b) {
        case 0x26: d->seg = CPU_ES; break;
        case 0x2E: d->seg = CPU_CS; break;
        case 0x36: d->seg = CPU_SS; break;
        case 0x3E: d->seg = CPU_DS; break;
        case 0x64: d->seg = CPU_FS; break;
        case 0x65: d->seg = CPU_GS; break;
        case 0x66: d->opsize = true; break;
        case 0x67: d->adsize = true; break;
        case 0xF0: d->lock = true; break;
        case 0xF2:
        case 0xF3: d->rep = b; break;
        default:
            if (d->mode == MODE_64 && (b & 0xF0) == 0x40) {
                d->rex = b;
                continue; /* counts only directly before the opcode */
            }
            return b;
        }
        d->rex = 0;
    }
}

static unsigned byte_reg(const struct decoder *d, unsigned n)
{
    return !d->rex && n >= 4 && n < 8 ? (n - 4) * 8 + 1 : n * 8;
}

static void address_16(struct decoder *d, struct op *op, unsigned mod, unsigned rm)
{
    static const uint8_t base[] = {CPU_RBX, CPU_RBX, CPU_RBP, CPU_RBP,
                                   CPU_RSI, CPU_RDI, CPU_RBP, CPU_RBX};
    static const uint8_t index[] = {CPU_RSI, CPU_RDI, CPU_RSI, CPU_RDI,
                                    R_ZERO,  R_ZERO,  R_ZERO,  R_ZERO};
    op->base = base[rm];
    op->index = index[rm];
    if (mod == 0 && rm == 6) {
        op->base = R_ZERO;
        op->disp = take_signed(d, 2);
    } else if (mod) {
        op->disp = take_signed(d, mod == 1 ? 1 : 2);
    }
    op->seg = op->base == CPU_RBP ? CPU_SS : CPU_DS;
}

static void address_32(struct decoder *d, struct op *op, unsigned mod, unsigned rm)
{
    op->base = (uint8_t)(rm | (d->rex & 1) << 3);
    op->index = R_ZERO;
    if (rm == 4) {
        unsigned sib = (unsigned)take(d, 1), index = (sib >> 3 & 7) | (d->rex & 2) << 2;
        rm = sib & 7;
        op->base = (uint8_t)(rm | (d->rex & 1) << 3);
        op->scale = (uint8_t)(sib >> 6);
        op->index = (uint8_t)(index == 4 ? R_ZERO : index);
        if (mod == 0 && rm == 5) {
            op->base = R_ZERO;
            op->disp = take_signed(d, 4);
        }
    } else if (mod == 0 && rm == 5) {
        op->base = d->mode == MODE_64 ? R_BLOCK : R_ZERO;
        op->disp = take_signed(d, 4);
    }
    if (mod) {
        op->disp = take_signed(d, mod == 1 ? 1 : 4);
    }
    op->seg = op->base == CPU_RSP || op->base == CPU_RBP ? CPU_SS : CPU_DS;
}

/* The address becomes relative to the block, and FS or GS bases take a free place in the sum. */
static void address_finish(const struct decoder *d, struct op *op, uint32_t flags)
{
    if (op->base == R_BLOCK) {
        int64_t disp = (int64_t)op->disp + d->ip + d->pos;
        if (disp != (int32_t)disp) {
            op->index = R_BIG; /* RIP-relative addresses have no index */
            disp -= 1 << 30;
        }
        op->disp = (int32_t)disp;
    }
    if (d->mode != MODE_64) {
        op->seg = d->seg != 0xFF ? d->seg : op->seg;
        return;
    }
    if (d->seg != CPU_FS && d->seg != CPU_GS) {
        return;
    }
    uint8_t r = d->seg == CPU_FS ? R_FS : R_GS;
    if (op->flags & OPF_A32 || flags & D_NOSEG || (op->index != R_ZERO && op->base != R_ZERO)) {
        op->seg = d->seg;
        return;
    }
    op->seg = CPU_DS;
    if (op->index == R_ZERO) {
        op->index = r;
        op->scale = 0;
    } else {
        op->base = r;
    }
}

static unsigned operand_size(const struct decoder *d, uint32_t flags)
{
    if (flags & D_B) {
        return SZ_8;
    }
    if (d->mode == MODE_64) {
        if (flags & D_F64) {
            return SZ_64;
        }
        if (flags & D_64) {
            return d->opsize && !(d->rex & 8) ? SZ_16 : SZ_64;
        }
        return d->rex & 8 ? SZ_64 : d->opsize ? SZ_16 : SZ_32;
    }
    return (d->mode == MODE_32) != d->opsize ? SZ_32 : SZ_16;
}

static void take_modrm(struct decoder *d, struct op *op, uint32_t flags, unsigned modrm)
{
    unsigned mod = modrm >> 6, rm = modrm & 7, reg = (modrm >> 3 & 7) | (d->rex & 4) << 1;
    if (flags & D_SEGREG) {
        op->reg = (uint8_t)(reg & 7);
    } else {
        op->reg = (uint8_t)(flags & D_B ? byte_reg(d, reg) : reg);
    }
    if (mod == 3 || flags & D_RMREG) {
        rm |= (d->rex & 1) << 3;
        op->rm = (uint8_t)(flags & (D_B | D_RM8) ? byte_reg(d, rm) : rm);
        return;
    }
    op->flags |= OPF_MEM;
    if (op->flags & OPF_A16) {
        address_16(d, op, mod, rm);
    } else {
        address_32(d, op, mod, rm);
    }
}

static void take_immediate(struct decoder *d, struct op *op, uint32_t flags)
{
    unsigned z = op->size == SZ_16 ? 2 : 4;
    if (flags & D_IMM16) {
        op->imm = (uint32_t)take(d, 2);
        if (flags & D_IMM8) {
            op->imm |= (uint32_t)take(d, 1) << 16; /* ENTER */
        }
    } else if (flags & (D_IMM8 | D_REL8)) {
        op->imm = (uint32_t)take_signed(d, 1);
    } else if (flags & (D_IMMZ | D_RELZ)) {
        op->imm = (uint32_t)take_signed(d, flags & D_B ? 1 : z);
    } else if (flags & (D_IMMV | D_MOFFS)) {
        unsigned bytes = flags & D_IMMV        ? 1u << op->size
                         : op->flags & OPF_A16 ? 2
                         : op->flags & OPF_A32 ? 4
                                               : 8;
        uint64_t v = take(d, bytes);
        op->disp = (int32_t)v;
        op->imm = (uint32_t)(v >> 32);
    } else if (flags & D_FAR) {
        op->imm = (uint32_t)take(d, z);
        op->disp = (int32_t)take(d, 2);
    } else if (flags & D_ONE) {
        op->imm = 1;
    }
}

/* ---- Finding the description ---- */

static unsigned peek_modrm(const struct decoder *d)
{
    return d->pos < d->avail ? d->bytes[d->pos] : 0;
}

/* The XSAVE family's places take no prefixes. */
static bool is_xsave(unsigned group, unsigned reg)
{
    return (group == G_0FAE && reg >= 4 && reg <= 6) || (group == G_0FC7 && reg >= 3 && reg <= 5);
}

static unsigned find_id(struct decoder *d, uint8_t opcode, uint8_t *last)
{
    unsigned id = opcode;
    *last = opcode;
    if (opcode == 0x0F) {
        uint8_t b = (uint8_t)take(d, 1);
        *last = b;
        id = ID_0F + b;
        if (b == 0x38) {
            b = (uint8_t)take(d, 1);
            *last = b;
            return b == 0xF9 && !d->opsize && !d->rep ? ID_MOVDIRI
                   : b != 0xF8                        ? ID_UD
                   : d->rep == 0xF2                   ? ID_ENQCMD
                   : d->rep == 0xF3                   ? ID_ENQCMDS
                   : d->opsize                        ? ID_MOVDIR64B
                                                      : ID_UD;
        }
    }
    const struct opdesc *desc = &cpu_opdesc[id];
    unsigned modrm = peek_modrm(d), reg = modrm >> 3 & 7;
    if (desc->flags & (D_GROUP | D_GROUPM) && d->pos >= d->avail) {
        take(d, 1); /* known to be missing: decode_insn() will ask for more */
        return ID_UD;
    }
    if (desc->flags & D_GROUP) {
        return desc->group + reg;
    }
    if (desc->flags & D_GROUPM) {
        bool is_reg = modrm >> 6 == 3;
        if (desc->group == G_0F01 && is_reg && reg == 7) {
            return G_0F01_7 + (modrm & 7);
        }
        if (desc->group == G_0FAE && is_reg && d->rep == 0xF3) {
            return G_0FAE_F3 + reg;
        }
        if (!is_reg && (d->opsize || d->rep) && is_xsave(desc->group, reg)) {
            return ID_UD; /* other instructions, or none */
        }
        return desc->group + reg + (is_reg ? 8 : 0);
    }
    return id;
}

/* Undefined in this mode or form, or a wrong LOCK. */
static bool is_undefined(const struct decoder *d, const struct op *op, uint32_t flags)
{
    bool mem = op->flags & OPF_MEM;
    if (flags & (d->mode == MODE_64 ? D_I64 : D_O64)) {
        return true;
    }
    if ((flags & D_MEM && !mem) || (flags & D_REG && mem)) {
        return true;
    }
    return d->lock && !(flags & D_LOCK && mem);
}

/* ---- SIMD and x87 ---- */

static const struct fpu_simd_op *find_simd(const struct decoder *d, uint8_t opcode, unsigned modrm)
{
    enum fpu_prefix p = d->rep == 0xF3   ? FPU_PFX_F3
                        : d->rep == 0xF2 ? FPU_PFX_F2
                        : d->opsize      ? FPU_PFX_66
                                         : FPU_PFX_NONE;
    return fpu_simd_lookup(p, opcode, opcode == 0x77 ? 0xC0 : (uint8_t)modrm, d->rex & 8);
}

static unsigned decode_simd(struct decoder *d, struct op *op, uint8_t opcode)
{
    unsigned modrm = opcode == 0x77 ? 0xC0 : (unsigned)take(d, 1);
    const struct fpu_simd_op *s = find_simd(d, opcode, modrm);
    if (!s || d->lock || !(modrm >> 6 == 3 ? s->fn_reg : s->fn_mem)) {
        return ID_UD;
    }
    take_modrm(d, op, D_MODRM, modrm);
    if (s->flags & FPU_SIMD_IMM8) {
        op->imm = (uint32_t)take(d, 1);
    }
    struct opptr *p = (struct opptr *)(op + 1);
    *p = (struct opptr){.ptr = s};
    return ID_SIMD;
}

static unsigned decode_x87(struct decoder *d, struct op *op, uint8_t opcode)
{
    unsigned modrm = (unsigned)take(d, 1);
    bool wide = op->size != SZ_16;
    enum fpu_env env = d->real ? (wide ? FPU_ENV_REAL32 : FPU_ENV_REAL16)
                               : (wide ? FPU_ENV_PROT32 : FPU_ENV_PROT16);
    const struct fpu_x87_op *x = fpu_x87_lookup(opcode, (uint8_t)modrm, env);
    if (!x || d->lock) {
        return ID_UD;
    }
    take_modrm(d, op, D_MODRM, modrm);
    op->imm = (opcode & 7u) << 8 | modrm;
    struct opptr *p = (struct opptr *)(op + 1);
    *p = (struct opptr){.ptr = x};
    return ID_X87;
}

/* ---- All together ---- */

static bool is_simd_place(unsigned id)
{
    return (id >= ID_0F && id < ID_GROUPS && !cpu_opdesc[id].fn) || id == G_0FAE + 2 ||
           id == G_0FAE + 3;
}

static unsigned decode_operands(struct decoder *d, struct op *op, unsigned id)
{
    const struct opdesc *desc = &cpu_opdesc[id];
    uint32_t flags = desc->flags;
    op->size = (uint8_t)operand_size(d, flags);
    if (id == ID_ARPL) {
        op->size = SZ_16;
    }
    op->seg = d->seg == 0xFF || (d->mode == MODE_64 && d->seg < CPU_FS) ? CPU_DS : d->seg;
    if (is_simd_place(id)) {
        id = decode_simd(d, op, op->x);
    } else if (id >= 0xD8 && id <= 0xDF) {
        id = decode_x87(d, op, op->x);
    } else {
        if (!desc->fn) {
            return ID_UD;
        }
        if (flags & D_MODRM) {
            take_modrm(d, op, flags, (unsigned)take(d, 1));
        } else if (flags & D_OREG) {
            unsigned r = (op->x & 7u) | (d->rex & 1u) << 3;
            op->rm = (uint8_t)(flags & D_B ? byte_reg(d, r) : r);
        } else if (flags & D_ACC) {
            op->rm = 0;
        }
        take_immediate(d, op, flags);
        if (is_undefined(d, op, flags)) {
            return ID_UD;
        }
        if (flags & D_SEGREG && (op->reg > CPU_GS || (op->x == 0x8E && op->reg == CPU_CS))) {
            return ID_UD;
        }
    }
    if (op->flags & OPF_MEM) {
        address_finish(d, op, flags);
    }
    return id;
}

static void op_clear(const struct decoder *d, struct op *op)
{
    memset(op, 0, sizeof(*op));
    op->base = op->index = R_ZERO;
    op->ip = d->ip;
    if (d->mode == MODE_64) {
        op->flags = d->adsize ? OPF_A32 : 0;
    } else {
        op->flags = (d->mode == MODE_32) != d->adsize ? OPF_A32 : OPF_A16;
    }
    op->flags |= (d->lock ? OPF_LOCK : 0) | (d->rep == 0xF3 ? OPF_REP : 0) |
                 (d->rep == 0xF2 ? OPF_REPNE : 0) | (d->opsize ? OPF_66 : 0) |
                 (d->rex & 8 ? OPF_W : 0);
}

enum decode_status decode_insn(struct decoder *d, struct op *op, unsigned *places)
{
    d->pos = 0;
    uint8_t opcode = take_prefixes(d), last = opcode;
    op_clear(d, op);
    unsigned id = ID_TOO_LONG;
    if (d->pos <= INSN_MAX) {
        id = find_id(d, opcode, &last);
        op->x = last;
        /* NOP is XCHG with itself, unless REX.B makes it another register. */
        if (id == 0x90 && d->rex & 1) {
            id = 0x91;
        }
        if (id == 0x63 && d->mode != MODE_64) {
            id = ID_ARPL;
        }
        id = decode_operands(d, op, id);
    }
    if (d->pos > INSN_MAX) {
        id = ID_TOO_LONG;
    }
    if (d->pos > d->avail && d->avail <= INSN_MAX) {
        return DECODE_MORE;
    }
    const struct opdesc *desc = &cpu_opdesc[id];
    op->len = (uint8_t)(d->pos > INSN_MAX ? INSN_MAX : d->pos);
    d->pos = op->len;
    op->id = (uint16_t)id;
    op->fn = desc->fn;
    *places = id == ID_SIMD || id == ID_X87 ? 2 : desc->flags & D_NOP ? 0 : 1;
    if (d->mode == MODE_64) {
        decode_select_fast(d, op, desc);
    }
    return desc->flags & D_END ? DECODE_END : DECODE_OK;
}
