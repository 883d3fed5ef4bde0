/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs x87 and SIMD cases on the functions of hw/cpu alone, doing what the decoder would: no
 * paging, so only operands in the writable window (else vector is DIRECT_SKIPPED).
 */
#include <stdlib.h>
#include <string.h>

#include "../../hw/cpu/fpu.h"
#include "diff.h"
#include "direct.h"

struct direct {
    struct fpu fpu;
    uint8_t data[DIFF_RW_BYTES];
};

struct direct *direct_new(void)
{
    struct direct *d = aligned_alloc(16, (sizeof(*d) + 15) & ~(size_t)15);
    fpu_reset(&d->fpu);
    return d;
}

void direct_free(struct direct *d)
{
    free(d);
}

const uint8_t *direct_data(const struct direct *d)
{
    return d->data;
}

static uint8_t *memory_at(struct direct *d, const struct diff_case *c, unsigned bytes)
{
    if (!c->has_mem || c->ea < DIFF_DATA || c->ea + bytes > DIFF_DATA + DIFF_RW_BYTES)
        return NULL;
    return d->data + (c->ea - DIFF_DATA);
}

static int run_x87(struct direct *d, const struct diff_case *c, struct diff_state *s)
{
    enum fpu_env env = c->p66 ? FPU_ENV_PROT16 : FPU_ENV_PROT32;
    const struct fpu_x87_op *op = fpu_x87_lookup(c->opcode, c->modrm, env);
    uint8_t buffer[128] __attribute__((aligned(16))) = {0};
    uint32_t result;

    if (!op)
        return 6;
    if (!(op->flags & FPU_X87_NOWAIT) && fpu_mf_pending(&d->fpu))
        return 16;
    uint8_t *at = op->mem_bytes ? memory_at(d, c, op->mem_bytes) : NULL;
    if (op->mem_bytes && !at)
        return DIRECT_SKIPPED;
    if (op->flags & FPU_X87_LOAD)
        memcpy(buffer, at, op->mem_bytes);
    d->fpu.insn_ip = c->in.rip;
    d->fpu.insn_dp = c->ea_offset;
    d->fpu.eflags = (uint32_t)s->rflags;
    result = fpu_x87_execute(&d->fpu, op, buffer, (c->opcode & 7u) << 8 | c->modrm);
    if (result != FPU_NO_STORE) {
        if (op->flags & FPU_X87_STORE)
            memcpy(at, buffer, op->mem_bytes);
        if (op->flags & FPU_X87_EFLAGS_OUT)
            s->rflags = (s->rflags & ~(uint64_t)DIFF_ARITH_FLAGS) | d->fpu.eflags;
    }
    if (op->flags & FPU_X87_AX)
        memcpy(&s->gpr[0], &d->fpu.ctl.fsw, 2);
    return -1;
}

static void *operand(struct direct *d, struct diff_state *s, unsigned kind, unsigned n)
{
    switch (kind) {
    case FPU_XMM: return &d->fpu.xmm[n];
    case FPU_MM: return &d->fpu.st[n & 7];
    case FPU_GPR: return &s->gpr[n];
    default: return NULL;
    }
}

static void mask_move(struct direct *d, const struct diff_case *c, const struct fpu_simd_op *op,
                      const uint8_t *data, const uint8_t *mask)
{
    for (unsigned i = 0; i < op->mem_bytes; i++) {
        if (mask[i] & 0x80)
            d->data[c->ea - DIFF_DATA + i] = data[i];
    }
}

static int run_simd(struct direct *d, const struct diff_case *c, struct diff_state *s)
{
    bool memory = c->modrm < 0xC0 && c->opcode != 0x77;
    const struct fpu_simd_op *op =
        fpu_simd_lookup(c->prefix, c->opcode, c->opcode == 0x77 ? 0xC0 : c->modrm, c->rex & 8);
    uint8_t buffer[16] __attribute__((aligned(16))) = {0};
    unsigned reg = (c->modrm >> 3 & 7) | (c->rex & 4) << 1, rm = (c->modrm & 7) | (c->rex & 1) << 3;

    if (op->flags & FPU_SIMD_MMX && fpu_mf_pending(&d->fpu))
        return 16;
    uint8_t *at = memory ? memory_at(d, c, op->mem_bytes) : NULL;
    if (memory && !at)
        return DIRECT_SKIPPED;
    if (memory && (op->flags & FPU_SIMD_ALIGN16) && c->ea % 16)
        return 13;
    void *reg_operand = operand(d, s, op->reg_kind, reg);
    void *rm_operand = memory ? buffer : operand(d, s, op->rm_kind, rm);
    bool store = op->flags & FPU_SIMD_RM_IS_DST;
    if (memory && !store)
        memcpy(buffer, at, op->mem_bytes);
    d->fpu.eflags = 0;
    fpu_simd_fn fn = memory ? op->fn_mem : op->fn_reg;
    uint32_t vector = store ? fn(&d->fpu, rm_operand, reg_operand, c->imm8)
                            : fn(&d->fpu, reg_operand, rm_operand, c->imm8);
    if (vector)
        return (int)vector;
    if (memory && store)
        memcpy(at, buffer, op->mem_bytes);
    if (op->flags & FPU_SIMD_MASKMOV)
        mask_move(d, c, op, reg_operand, rm_operand);
    if (op->flags & FPU_SIMD_EFLAGS)
        s->rflags = (s->rflags & ~(uint64_t)DIFF_ARITH_FLAGS) | d->fpu.eflags;
    return -1;
}

void direct_run(struct direct *d, const struct diff_case *c, struct diff_result *r)
{
    diff_fill_data(c, d->data);
    fpu_fxrstor(&d->fpu, c->in.fxsave, FPU_FX_64);
    r->state = c->in;
    r->error_code = 0;
    r->cr2 = 0;
    if (c->locked || (c->is_x87 && c->opcode == 0xAE)) {
        r->vector = DIRECT_SKIPPED; /* #UD, and FXSAVE: the decoder's business */
        return;
    }
    r->vector = c->is_x87 ? run_x87(d, c, &r->state) : run_simd(d, c, &r->state);
    if (r->vector < 0)
        r->state.rip += c->len;
    fpu_fxsave(&d->fpu, r->state.fxsave, FPU_FX_64);
}
