/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Choosing fast handlers for 64-bit code. */
#include "fast.h"
#include "handlers.h"

static bool in_page(const struct decoder *d, int64_t off)
{
    int64_t at = (int64_t)d->page_off + off;
    return at >= 0 && at < (int64_t)PAGE_SIZE;
}

static void select_branch(const struct decoder *d, struct op *op)
{
    int64_t fall = op->ip + op->len, to = fall + (int32_t)op->imm;
    if (to != (int32_t)to) {
        return;
    }
    bool near = in_page(d, to) && in_page(d, fall);
    if (op->id >= 0x70 && op->id <= 0x7F) {
        op->fn = fast_jcc(op->x & 15, near);
    } else if (op->id >= ID_0F + 0x80 && op->id <= ID_0F + 0x8F) {
        op->fn = fast_jcc(op->x & 15, near);
    } else if (op->id == 0xE9 || op->id == 0xEB) {
        op->fn = fast_jmp(in_page(d, to));
    } else if (op->id == 0xE8) {
        op->fn = fast_call();
    } else {
        return; /* LOOP */
    }
    op->disp = (int32_t)to;
}

void decode_select_fast(const struct decoder *d, struct op *op, const struct opdesc *desc)
{
    if (desc->flags & (D_REL8 | D_RELZ)) {
        select_branch(d, op);
        return;
    }
    if (op->id == 0xFB) {
        op->fn = fast_sti(in_page(d, op->ip + op->len));
        return;
    }
    op_fn fn = NULL;
    if (op->id == ID_SIMD) {
        fn = fast_simd(op, ((const struct opptr *)(op + 1))->ptr);
    } else if (!(op->flags & OPF_MEM)) {
        if (op->id >= ID_0F + 0x90 && op->id <= ID_0F + 0x9F) {
            fn = fast_setcc_reg(op->x & 15);
        } else if (op->id >= ID_0F + 0x40 && op->id <= ID_0F + 0x4F) {
            fn = fast_cmov_reg(op->x & 15, op->size);
        } else if (desc->fast) {
            fn = desc->fast->reg[op->size];
        }
    } else if (desc->fast && !(op->flags & OPF_A32) && op->seg < CPU_FS) {
        fn = op->index == R_ZERO ? desc->fast->m0[op->size] : desc->fast->m1[op->size];
    }
    if (fn) {
        op->fn = fn;
    }
}
