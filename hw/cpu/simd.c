/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where instructions of the SIMD and x87 units meet memory and exceptions; what they compute is in
 * sse*.c and x87*.c. The order of checks follows SDM volume 3, table 2-3 and volume 2, 2.4.
 */
#include <string.h>

#include "exec.h"

static void simd_check(struct cpu *c, const struct fpu_simd_op *s)
{
    bool mmx = s->flags & FPU_SIMD_MMX;
    bool xmm = s->reg_kind == FPU_XMM || s->rm_kind == FPU_XMM || !mmx;
    if (c->cr0 & CR0_EM || (xmm && !(c->cr4 & CR4_OSFXSR))) {
        cpu_raise(c, EXC_UD);
    }
    if (c->cr0 & CR0_TS) {
        cpu_raise(c, EXC_NM);
    }
    if (mmx && fpu_mf_pending(&c->fpu)) {
        cpu_raise(c, EXC_MF);
    }
}

static void *simd_register(struct cpu *c, unsigned kind, unsigned n)
{
    switch (kind) {
    case FPU_XMM: return &c->fpu.xmm[n];
    case FPU_MM: return &c->fpu.st[n & 7];
    case FPU_GPR: return &c->gpr[n];
    default: return NULL;
    }
}

static void raise_result(struct cpu *c, uint32_t vector)
{
    if (vector == FPU_XM) {
        cpu_raise(c, c->cr4 & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD);
    }
    if (vector == FPU_GP) {
        raise_gp(c, 0);
    }
    cpu_raise(c, vector);
}

/* MASKMOVQ, MASKMOVDQU: only the selected bytes are touched. */
static void masked_store(struct cpu *c, const struct op *op, const uint8_t *data,
                         const uint8_t *mask, unsigned bytes)
{
    uint64_t off = c->gpr[CPU_RDI] & addr_mask(op);
    for (unsigned i = 0; i < bytes; i++) {
        if (mask[i] & 0x80) {
            lin_probe_write(c, seg_linear(c, op->seg, (off + i) & addr_mask(op), 1, true), 1);
        }
    }
    for (unsigned i = 0; i < bytes; i++) {
        if (mask[i] & 0x80) {
            uint64_t la = seg_linear(c, op->seg, (off + i) & addr_mask(op), 1, true);
            lin_write(c, la, 1, data[i]);
        }
    }
}

static void simd_memory(struct cpu *c, const struct op *op, const struct fpu_simd_op *s)
{
    union fpu_xmm buf;
    bool store = s->flags & FPU_SIMD_RM_IS_DST;
    void *reg = simd_register(c, s->reg_kind, op->reg);
    uint64_t la = ea_linear(c, op, s->mem_bytes, store);
    if (s->flags & FPU_SIMD_ALIGN16 && la & 15) {
        raise_gp(c, 0);
    }
    if (!store) {
        lin_read_bytes(c, la, &buf, s->mem_bytes);
        uint32_t r = s->fn_mem(&c->fpu, reg, &buf, op->imm);
        if (r) {
            raise_result(c, r);
        }
        return;
    }
    struct fpu_ctl before = c->fpu.ctl;
    uint32_t r = s->fn_mem(&c->fpu, &buf, reg, op->imm);
    if (r) {
        raise_result(c, r);
    }
    struct fpu_ctl after = c->fpu.ctl;
    c->fpu.ctl = before; /* in case that the store faults or waits */
    lin_write_bytes(c, la, &buf, s->mem_bytes);
    c->fpu.ctl = after;
}

OP(op_simd)
{
    ENTER();
    const struct fpu_simd_op *s = ((const struct opptr *)(op + 1))->ptr;
    simd_check(c, s);
    if (op->flags & OPF_MEM) {
        simd_memory(c, op, s);
    } else {
        void *reg = simd_register(c, s->reg_kind, op->reg);
        void *rm = simd_register(c, s->rm_kind, op->rm);
        bool store = s->flags & FPU_SIMD_RM_IS_DST;
        if (s->flags & FPU_SIMD_MASKMOV) {
            masked_store(c, op, reg, rm, s->mem_bytes);
        }
        uint32_t r = s->fn_reg(&c->fpu, store ? rm : reg, store ? reg : rm, op->imm);
        if (r) {
            raise_result(c, r);
        }
    }
    if (s->flags & FPU_SIMD_EFLAGS) {
        flags_set_arith(c, c->fpu.eflags);
    }
    return op + 2;
}

/* ---- x87 ---- */

static void x87_check(struct cpu *c)
{
    if (c->cr0 & (CR0_EM | CR0_TS)) {
        cpu_raise(c, EXC_NM);
    }
}

/* CHOICE: CR0.NE = 0 (errors through the 8259) behaves like NE = 1; nothing wires FERR#. */
static void x87_pending(struct cpu *c)
{
    if (fpu_mf_pending(&c->fpu)) {
        cpu_raise(c, EXC_MF);
    }
}

/* The operand's offset: without a segment base that the decoder made part of the sum. */
static uint64_t x87_operand_offset(const struct cpu *c, const struct op *op)
{
    uint64_t off = ea_offset(c, op);
    if (op->base == R_FS || op->base == R_GS) {
        off -= c->gpr[op->base];
    } else if (op->index == R_FS || op->index == R_GS) {
        off -= c->gpr[op->index];
    }
    return off;
}

static uint32_t x87_memory(struct cpu *c, const struct op *op, const struct fpu_x87_op *x)
{
    uint8_t buf[108];
    uint64_t la = ea_linear(c, op, x->mem_bytes, x->flags & FPU_X87_STORE);
    c->fpu.insn_dp = x87_operand_offset(c, op);
    if (x->flags & FPU_X87_LOAD) {
        lin_read_bytes(c, la, buf, x->mem_bytes);
        return fpu_x87_execute(&c->fpu, x, buf, op->imm);
    }
    struct fpu_ctl before = c->fpu.ctl;
    uint32_t r = fpu_x87_execute(&c->fpu, x, buf, op->imm);
    if (r == FPU_OK) {
        struct fpu_ctl after = c->fpu.ctl;
        c->fpu.ctl = before; /* in case that the store faults or waits */
        lin_write_bytes(c, la, buf, x->mem_bytes);
        c->fpu.ctl = after;
    }
    return r;
}

OP(op_x87)
{
    ENTER();
    const struct fpu_x87_op *x = ((const struct opptr *)(op + 1))->ptr;
    x87_check(c);
    if (!(x->flags & FPU_X87_NOWAIT)) {
        x87_pending(c);
    }
    c->fpu.insn_ip = op_rip(c, op);
    if (x->flags & FPU_X87_EFLAGS_IN) {
        c->fpu.eflags = flags_get(c);
    }
    uint32_t r = op->flags & OPF_MEM && x->mem_bytes ? x87_memory(c, op, x)
                                                     : fpu_x87_execute(&c->fpu, x, NULL, op->imm);
    if (r != FPU_OK && r != FPU_NO_STORE) {
        raise_result(c, r);
    }
    if (r == FPU_OK && x->flags & FPU_X87_EFLAGS_OUT) {
        flags_set_arith(c, c->fpu.eflags);
    }
    if (x->flags & FPU_X87_AX) {
        reg_write(c, CPU_RAX, SZ_16, c->fpu.ctl.fsw);
    }
    return op + 2;
}

OP(op_fwait)
{
    ENTER();
    if ((c->cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS)) {
        cpu_raise(c, EXC_NM);
    }
    x87_pending(c);
    NEXT();
}

/* ---- FXSAVE, FXRSTOR ---- */

static enum fpu_fx_form fx_form(const struct cpu *c, const struct op *op)
{
    return c->mode != MODE_64 ? FPU_FX_LEGACY : op->flags & OPF_W ? FPU_FX_64 : FPU_FX_32;
}

static uint64_t fx_linear(struct cpu *c, const struct op *op, bool write)
{
    x87_check(c);
    uint64_t la = ea_linear(c, op, FPU_FXSAVE_BYTES, write);
    if (la & 15) {
        raise_gp(c, 0);
    }
    return la;
}

OP(op_fxsave)
{
    ENTER();
    uint8_t image[FPU_FXSAVE_BYTES] __attribute__((aligned(16)));
    uint64_t la = fx_linear(c, op, true);
    fpu_fxsave(&c->fpu, image, fx_form(c, op));
    lin_write_bytes(c, la, image, (unsigned)fpu_fxsave_bytes(fx_form(c, op)));
    NEXT();
}

OP(op_fxrstor)
{
    ENTER();
    uint8_t image[FPU_FXSAVE_BYTES] __attribute__((aligned(16)));
    lin_read_bytes(c, fx_linear(c, op, false), image, FPU_FXSAVE_BYTES);
    if (fpu_fxrstor(&c->fpu, image, fx_form(c, op))) {
        raise_gp(c, 0);
    }
    NEXT();
}
