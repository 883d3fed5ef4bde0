/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The opcode table: how each instruction is laid out, and what executes it. */
#ifndef HW_CPU_DECODE_H
#define HW_CPU_DECODE_H

#include "core.h"

/* Fast handlers of one instruction for 64-bit code, by operand size; NULL: use the generic one. */
struct fastset {
    op_fn reg[4]; /* no memory operand */
    op_fn m0[4];  /* base + displacement */
    op_fn m1[4];  /* base + index * scale + displacement */
};

enum desc_flags {
    D_MODRM = 1 << 0,
    D_B = 1 << 1,    /* byte operands */
    D_64 = 1 << 2,   /* 64-bit operands by default in 64-bit mode (stack) */
    D_F64 = 1 << 3,  /* 64-bit operands always in 64-bit mode (near branches) */
    D_IMM8 = 1 << 4, /* sign-extended */
    D_IMMZ = 1 << 5, /* 16 or 32 bits */
    D_IMM16 = 1 << 6,
    D_IMMV = 1 << 7, /* 16, 32 or 64 bits, into disp and imm */
    D_REL8 = 1 << 8,
    D_RELZ = 1 << 9,
    D_MOFFS = 1 << 10,  /* an address of address size, into disp and imm */
    D_FAR = 1 << 11,    /* offset into imm, selector into disp */
    D_OREG = 1 << 12,   /* low three bits of the opcode are ModRM.rm */
    D_ACC = 1 << 13,    /* ModRM.rm is the accumulator */
    D_ONE = 1 << 14,    /* immediate 1 */
    D_RM8 = 1 << 15,    /* ModRM.rm is a byte register, ModRM.reg is not */
    D_END = 1 << 16,    /* ends its block */
    D_LOCK = 1 << 17,   /* LOCK is allowed with a memory destination */
    D_I64 = 1 << 18,    /* #UD in 64-bit mode */
    D_O64 = 1 << 19,    /* #UD outside 64-bit mode */
    D_MEM = 1 << 20,    /* memory only */
    D_REG = 1 << 21,    /* register only */
    D_RMREG = 1 << 22,  /* ModRM.mod is ignored: a register */
    D_SEGREG = 1 << 23, /* ModRM.reg is a segment register */
    D_NOSEG = 1 << 24,  /* the address is only computed */
    D_GROUP = 1 << 25,  /* ModRM.reg selects from 8 entries */
    D_GROUPM = 1 << 26, /* 16 entries: 8 for memory, 8 for registers */
    D_NOP = 1 << 27,    /* does nothing */
    D_A64 = 1 << 28,    /* (unused bit kept for address-size forms) */
};

struct opdesc {
    op_fn fn;
    const struct fastset *fast;
    uint32_t flags;
    uint16_t group; /* index of the first entry */
};

/* Indices of cpu_opdesc[]: one-byte opcodes, 0F opcodes, then groups. */
enum {
    ID_0F = 256,
    ID_GROUPS = 512,
    G_80 = ID_GROUPS,
    G_81 = G_80 + 8,
    G_83 = G_81 + 8,
    G_8F = G_83 + 8,
    G_C0 = G_8F + 8,
    G_C1 = G_C0 + 8,
    G_C6 = G_C1 + 8,
    G_C7 = G_C6 + 8,
    G_D0 = G_C7 + 8,
    G_D1 = G_D0 + 8,
    G_D2 = G_D1 + 8,
    G_D3 = G_D2 + 8,
    G_F6 = G_D3 + 8,
    G_F7 = G_F6 + 8,
    G_FE = G_F7 + 8,
    G_FF = G_FE + 8,
    G_0F00 = G_FF + 8,
    G_0F01 = G_0F00 + 8,
    G_0F01_7 = G_0F01 + 16, /* mod 3, /7: by ModRM.rm */
    G_0FAE = G_0F01_7 + 8,
    G_0FAE_F3 = G_0FAE + 16, /* mod 3 with F3 */
    G_0FBA = G_0FAE_F3 + 8,
    G_0FC7 = G_0FBA + 8,
    ID_MOVDIRI = G_0FC7 + 16,
    ID_MOVDIR64B,
    ID_ENQCMD,
    ID_ENQCMDS,
    ID_ARPL,
    ID_SIMD,
    ID_X87,
    ID_UD,
    ID_TOO_LONG,
    ID_COUNT,
};

extern const struct opdesc cpu_opdesc[ID_COUNT];

/* Replaces op->fn by a fast handler if there is one (decode_fast.c). 64-bit mode only. */
void decode_select_fast(const struct decoder *d, struct op *op, const struct opdesc *desc);

#endif
