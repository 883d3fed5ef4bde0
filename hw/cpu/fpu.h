/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x87, MMX, SSE and SSE2 of the software processor: the state, and the tables by which the
 * decoder finds an instruction's meaning. Intel 64 and IA-32 SDM (325462-083), volume 1 chapters
 * 8 to 11, volume 2 for each instruction.
 *
 * Division of labour. The decoder parses prefixes and ModRM, raises #UD and #NM (CR0.EM, CR0.TS,
 * CR4.OSFXSR), computes addresses, checks alignment, loads and stores memory operands. The
 * functions here see operand values only: they never touch guest memory, and cannot fault in the
 * middle. They report an exception as its vector number.
 *
 * One SIMD instruction (fpu_simd_lookup) goes like this:
 *  1. op = fpu_simd_lookup(prefix, opcode, modrm, rex_w); NULL is #UD. fn_mem (mod != 3) or
 *     fn_reg (mod == 3) being NULL is #UD as well.
 *  2. If op->flags & FPU_SIMD_MMX and fpu_mf_pending(): #MF.
 *  3. Load the source: an operand is a pointer. XMM register n is &fpu->xmm[n]; MMX register n is
 *     &fpu->st[n]; a general register is a pointer to its uint64_t; memory is a buffer of
 *     op->mem_bytes bytes, aligned to 16 on the host. If op->flags & FPU_SIMD_ALIGN16 and the
 *     address is not a multiple of 16: #GP(0) (memory form only).
 *     dst is ModRM.reg and src ModRM.rm, or the other way round with FPU_SIMD_RM_IS_DST.
 *     A missing operand (kind FPU_NONE) is passed as NULL.
 *  4. vector = fn(fpu, dst, src, imm8). 0 is success. FPU_XM: raise #XM (#UD when
 *     CR4.OSXMMEXCPT is 0); FPU_GP: raise #GP(0). Then dst has not been written.
 *  5. FPU_SIMD_EFLAGS: the six arithmetic flags are fpu->eflags now. Memory destination: store
 *     the buffer.
 * A general register as destination gets all 64 bits (32-bit results are zero-extended).
 * An instruction with a memory destination changes nothing but fpu->ctl before its store: if the
 * store faults or must be repeated, put back a copy of fpu->ctl taken before step 4.
 */
#ifndef PCILAB_CPU_FPU_H
#define PCILAB_CPU_FPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What functions return: 0, a vector, or FPU_NO_STORE. */
enum fpu_result {
    FPU_OK = 0,
    FPU_GP = 13, /* #GP(0) */
    FPU_MF = 16, /* x87 exception pending from an earlier instruction */
    FPU_XM = 19, /* SIMD floating-point exception */
    /*
     * An x87 instruction met an unmasked exception: it is complete and counts as retired (#MF
     * comes with the next waiting instruction), but its memory operand is not to be stored and
     * EFLAGS are not to be changed.
     */
    FPU_NO_STORE = 256,
};

union fpu_xmm {
    uint8_t b[16];
    uint16_t w[8];
    uint32_t d[4];
    uint64_t q[2];
    float f[4];
    double lf[2];
} __attribute__((aligned(16)));

/* One physical x87 register; its low 8 bytes are an MMX register. */
struct fpu_reg {
    uint64_t mantissa; /* with the explicit integer bit */
    uint16_t sign_exp;
    uint16_t pad[3]; /* always 0 */
} __attribute__((aligned(16)));

/* Everything of the x87 that is not a data register. 32 bytes: cheap to copy and put back. */
struct fpu_ctl {
    uint16_t fcw;
    uint16_t fsw; /* TOP in bits 11 to 13; ES and B follow the unmasked exceptions */
    uint16_t fop; /* low 11 bits */
    uint8_t ftw;  /* abridged, by physical register: bit n set = register n is not empty */
    uint8_t pad0;
    uint64_t fip; /* offset of the last non-control instruction */
    uint64_t fdp; /* offset of its memory operand, see x87.h about when it changes */
    uint16_t fcs; /* CHOICE: always 0, as CPUID.7.0:EBX[13] says */
    uint16_t fds; /* likewise */
    uint32_t pad1;
};

struct fpu {
    union fpu_xmm xmm[16];
    struct fpu_reg st[8]; /* physical registers: ST(i) is st[(TOP + i) & 7] */
    struct fpu_ctl ctl;
    uint32_t mxcsr;
    /*
     * EFLAGS in and out: the decoder fills it for ops with FPU_X87_EFLAGS_IN, and takes CF PF AF ZF
     * SF OF (mask 0x8D5) from it after ops with FPU_SIMD_EFLAGS or FPU_X87_EFLAGS_OUT.
     */
    uint32_t eflags;
    /* Where the x87 instruction being executed and its memory operand are (offsets, 64 bits). */
    uint64_t insn_ip, insn_dp;
};

/* State after power-up or INIT (SDM volume 3, table 9-1): INIT leaves it alone. */
void fpu_reset(struct fpu *fpu);

#define FPU_FSW_ES 0x0080u

/* An unmasked x87 exception waits: #MF at the next waiting x87 or MMX instruction or FWAIT. */
static inline bool fpu_mf_pending(const struct fpu *fpu)
{
    return fpu->ctl.fsw & FPU_FSW_ES;
}

/* ---- SIMD ---- */

enum fpu_prefix { FPU_PFX_NONE, FPU_PFX_66, FPU_PFX_F3, FPU_PFX_F2 };

enum fpu_kind {
    FPU_NONE, /* no such operand; the ModRM field is ignored or an opcode extension */
    FPU_XMM,
    FPU_MM, /* register number modulo 8: REX.R and REX.B have no effect */
    FPU_GPR,
};

enum {
    FPU_SIMD_RM_IS_DST = 1 << 0, /* ModRM.rm is the destination, ModRM.reg the source */
    FPU_SIMD_ALIGN16 = 1 << 1,   /* memory operand must be aligned to 16 bytes */
    FPU_SIMD_IMM8 = 1 << 2,      /* an immediate byte follows */
    FPU_SIMD_EFLAGS = 1 << 3,    /* result in fpu->eflags, dst is only read */
    FPU_SIMD_MMX = 1 << 4,       /* check fpu_mf_pending() first */
    /*
     * MASKMOVQ, MASKMOVDQU: fn_reg is called with dst and src as usual (it does the MMX
     * transition only); then the decoder stores byte i of dst (ModRM.reg) to DS:rDI + i if bit 7
     * of byte i of src (ModRM.rm) is set. mem_bytes is 8 or 16. CHOICE: no access at all for
     * bytes not selected.
     */
    FPU_SIMD_MASKMOV = 1 << 5,
};

/*
 * Plain moves, that a fast decoder may do itself without calling fn_reg or fn_mem (which do the
 * same). Only the 16-byte ones and MOVQ, which are the great majority.
 */
enum fpu_hot {
    FPU_HOT_NONE,
    FPU_HOT_MOV128, /* 16 bytes from src to dst */
    FPU_HOT_MOVQ,   /* 8 bytes; an XMM destination gets zeroes above, memory gets 8 bytes */
};

typedef uint32_t (*fpu_simd_fn)(struct fpu *fpu, void *dst, const void *src, uint32_t imm8);

struct fpu_simd_op {
    fpu_simd_fn fn_reg; /* ModRM.mod == 3 */
    fpu_simd_fn fn_mem; /* ModRM.mod != 3 */
    uint8_t mem_bytes;  /* size of the memory form's operand: 1 to 16 */
    uint8_t flags;
    uint8_t reg_kind; /* enum fpu_kind of ModRM.reg */
    uint8_t rm_kind;  /* enum fpu_kind of ModRM.rm when mod == 3 */
    uint8_t hot;      /* enum fpu_hot */
};

/*
 * Opcodes 0F xx. prefix: the last of F2 and F3 if any, else 66 if present. In 64-bit mode rex_w
 * selects the 64-bit forms of MOVD, CVTSI2SS, CVTTSS2SI and the like.
 *
 * Opcodes 10-17, 28-2F, 50-7F (not 78, 79), C2, C4, C5, C6, D0-FE, and 77 (EMMS: no ModRM byte!
 * pass modrm 0xC0), and AE /2 (LDMXCSR), AE /3 (STMXCSR). NOT here: AE /0, /1 (FXSAVE, FXRSTOR:
 * below), fences, CLFLUSH, prefetches, C3 (MOVNTI).
 *
 * NULL: not an MMX, SSE or SSE2 instruction.
 */
const struct fpu_simd_op *fpu_simd_lookup(enum fpu_prefix prefix, uint8_t opcode, uint8_t modrm,
                                          bool rex_w);

/* ---- x87 ---- */

enum {
    FPU_X87_LOAD = 1 << 0,       /* memory operand is read */
    FPU_X87_STORE = 1 << 1,      /* memory operand is written */
    FPU_X87_NOWAIT = 1 << 2,     /* no #MF check before it (FNINIT, FNSTSW, ...) */
    FPU_X87_CONTROL = 1 << 3,    /* leaves FIP, FDP and FOP alone */
    FPU_X87_EFLAGS_IN = 1 << 4,  /* FCMOVcc: fill fpu->eflags first */
    FPU_X87_EFLAGS_OUT = 1 << 5, /* FCOMI and the like: take CF PF AF ZF SF OF from it after */
    FPU_X87_AX = 1 << 6,         /* FNSTSW AX: AX = fpu->ctl.fsw after */
};

/* Layout of FLDENV, FNSTENV, FRSTOR and FNSAVE images (SDM volume 1, figures 8-9 to 8-12). */
enum fpu_env { FPU_ENV_PROT32, FPU_ENV_PROT16, FPU_ENV_REAL32, FPU_ENV_REAL16 };

typedef uint32_t (*fpu_x87_fn)(struct fpu *fpu, void *mem, uint32_t fop);

struct fpu_x87_op {
    fpu_x87_fn fn;
    uint8_t mem_bytes; /* 0: no memory operand; else 2, 4, 8, 10, 14, 28, 94 or 108 */
    uint8_t flags;
};

/*
 * opcode 0xD8 to 0xDF. env: PROT32 in 64-bit mode (PROT16 with an operand-size prefix); REAL*
 * in real and virtual-8086 mode; the size is the operand size. NULL: #UD.
 */
const struct fpu_x87_op *fpu_x87_lookup(uint8_t opcode, uint8_t modrm, enum fpu_env env);

/*
 * Runs one x87 instruction. Before: unless FPU_X87_NOWAIT, raise #MF if fpu_mf_pending(); fill
 * fpu->insn_ip and, with a memory operand, fpu->insn_dp; load mem_bytes bytes into mem (LOAD), or
 * provide as many (STORE). fop = (opcode & 7) << 8 | modrm.
 * Returns FPU_OK, FPU_NO_STORE or FPU_GP (never after anything was changed). As with SIMD, a
 * STORE instruction changes nothing but fpu->ctl: put it back if the store does not happen.
 */
uint32_t fpu_x87_execute(struct fpu *fpu, const struct fpu_x87_op *op, void *mem, uint32_t fop);

/* ---- FXSAVE ---- */

#define FPU_FXSAVE_BYTES 512u
/* Bits of MXCSR that exist (MXCSR_MASK in the FXSAVE image). */
#define FPU_MXCSR_MASK 0xFFFFu

enum fpu_fx_form {
    FPU_FX_LEGACY, /* outside 64-bit mode: 32-bit pointers, XMM0 to XMM7 */
    FPU_FX_32,     /* 64-bit mode without REX.W: 32-bit pointers, XMM0 to XMM15 */
    FPU_FX_64,     /* 64-bit mode with REX.W: 64-bit pointers */
};

/*
 * FXSAVE and FXRSTOR, and cpu_state.fxsave (FPU_FX_64). The image is 512 bytes; the address must
 * be a multiple of 16 (#GP, checked by the decoder). fxsave leaves bytes 464 to 511 and, with
 * FPU_FX_LEGACY, the XMM8 to XMM15 area of the image untouched: load it before to store it whole,
 * or store only the first fpu_fxsave_bytes(form) bytes. fxrstor returns FPU_GP with nothing
 * changed when reserved MXCSR bits are set.
 */
void fpu_fxsave(const struct fpu *fpu, void *image, enum fpu_fx_form form);
uint32_t fpu_fxrstor(struct fpu *fpu, const void *image, enum fpu_fx_form form);

static inline size_t fpu_fxsave_bytes(enum fpu_fx_form form)
{
    return form == FPU_FX_LEGACY ? 288 : 416;
}

#endif
