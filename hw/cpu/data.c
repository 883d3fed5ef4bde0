/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generic data movement: MOV and kin, LEA, XCHG, the stack, flag instructions without privilege. */
#include <string.h>

#include "exec.h"

OP(op_nop)
{
    NEXT();
}

OP(op_ud)
{
    ENTER();
    cpu_raise(c, EXC_UD);
}

/* Longer than 15 bytes (SDM volume 2, 2.3.11). */
OP(op_too_long)
{
    ENTER();
    raise_gp(c, 0);
}

OP(op_mov_rm_reg)
{
    ENTER();
    rm_write(c, op, reg_read(c, op->reg, op->size));
    NEXT();
}

OP(op_mov_reg_rm)
{
    ENTER();
    reg_write(c, op->reg, op->size, rm_read(c, op));
    NEXT();
}

OP(op_mov_rm_imm)
{
    ENTER();
    rm_write(c, op, (uint64_t)(int32_t)op->imm);
    NEXT();
}

/* B8+: up to 64 bits of immediate. */
OP(op_mov_reg_imm)
{
    ENTER();
    reg_write(c, op->rm, op->size, op_imm64(op));
    NEXT();
}

OP(op_mov_acc_moffs)
{
    ENTER();
    unsigned bytes = 1u << op->size;
    uint64_t la = seg_linear(c, op->seg, op_imm64(op) & addr_mask(op), bytes, false);
    reg_write(c, CPU_RAX, op->size, lin_read(c, la, bytes));
    NEXT();
}

OP(op_mov_moffs_acc)
{
    ENTER();
    unsigned bytes = 1u << op->size;
    uint64_t la = seg_linear(c, op->seg, op_imm64(op) & addr_mask(op), bytes, true);
    lin_write(c, la, bytes, reg_read(c, CPU_RAX, op->size));
    NEXT();
}

OP(op_movzx_8)
{
    ENTER();
    reg_write(c, op->reg, op->size, rm_read_size(c, op, SZ_8));
    NEXT();
}

OP(op_movzx_16)
{
    ENTER();
    reg_write(c, op->reg, op->size, rm_read_size(c, op, SZ_16));
    NEXT();
}

OP(op_movsx_8)
{
    ENTER();
    reg_write(c, op->reg, op->size, (uint64_t)sext(rm_read_size(c, op, SZ_8), SZ_8));
    NEXT();
}

OP(op_movsx_16)
{
    ENTER();
    reg_write(c, op->reg, op->size, (uint64_t)sext(rm_read_size(c, op, SZ_16), SZ_16));
    NEXT();
}

/* MOVSXD: the memory operand is 32 bits, or 16 with an operand-size prefix. */
OP(op_movsxd)
{
    ENTER();
    unsigned from = op->size == SZ_16 ? SZ_16 : SZ_32;
    reg_write(c, op->reg, op->size, (uint64_t)sext(rm_read_size(c, op, from), from));
    NEXT();
}

OP(op_lea)
{
    ENTER();
    reg_write(c, op->reg, op->size, ea_offset(c, op));
    NEXT();
}

OP(op_xchg_rm_reg)
{
    ENTER();
    uint64_t a = rm_read_rmw(c, op), b = reg_read(c, op->reg, op->size);
    rm_write_rmw(c, op, b);
    reg_write(c, op->reg, op->size, a);
    NEXT();
}

/* 90+r with REX.B or r not 0 */
OP(op_xchg_acc)
{
    ENTER();
    uint64_t a = reg_read(c, op->rm, op->size);
    reg_write(c, op->rm, op->size, reg_read(c, CPU_RAX, op->size));
    reg_write(c, CPU_RAX, op->size, a);
    NEXT();
}

OP(op_xlat)
{
    ENTER();
    uint64_t off = (c->gpr[CPU_RBX] + (uint8_t)c->gpr[CPU_RAX]) & addr_mask(op);
    uint64_t v = lin_read(c, seg_linear(c, op->seg, off, 1, false), 1);
    reg_write(c, 0, SZ_8, v);
    NEXT();
}

OP(op_movnti)
{
    ENTER();
    rm_write(c, op, reg_read(c, op->reg, op->size));
    NEXT();
}

/* MOVDIR64B: 64 bytes from ModRM.rm to the address in ModRM.reg (always in ES), one write. */
OP(op_movdir64b)
{
    ENTER();
    uint8_t buf[64];
    uint64_t off = c->gpr[op->reg] & addr_mask(op);
    uint64_t src = ea_linear(c, op, 64, false);
    uint64_t dst = seg_linear(c, CPU_ES, off, 64, true);
    if (dst & 63) {
        raise_gp(c, 0);
    }
    c->ea_seg = op->seg;
    lin_read_bytes(c, src, buf, 64);
    c->ea_seg = CPU_ES;
    lin_write_bytes(c, dst, buf, 64);
    NEXT();
}

/* ---- Stack ---- */

OP(op_push_reg)
{
    ENTER();
    stack_push(c, op->size, c->gpr[op->rm]);
    NEXT();
}

OP(op_push_rm)
{
    ENTER();
    stack_push(c, op->size, rm_read(c, op));
    NEXT();
}

OP(op_push_imm)
{
    ENTER();
    stack_push(c, op->size, (uint64_t)(int32_t)op->imm);
    NEXT();
}

OP(op_pop_reg)
{
    ENTER();
    uint64_t v = stack_peek(c, op->size, 0);
    stack_set(c, c->gpr[CPU_RSP] + (1u << op->size));
    reg_write(c, op->rm, op->size, v);
    NEXT();
}

/* An address that uses rSP sees it incremented. */
OP(op_pop_rm)
{
    ENTER();
    uint64_t v = stack_peek(c, op->size, 0), old = c->gpr[CPU_RSP];
    unsigned bytes = 1u << op->size;
    if (!(op->flags & OPF_MEM)) {
        stack_set(c, old + bytes);
        reg_write(c, op->rm, op->size, v);
        NEXT();
    }
    stack_set(c, old + bytes);
    uint64_t off = ea_offset(c, op);
    c->gpr[CPU_RSP] = old;
    lin_write(c, seg_linear(c, op->seg, off, bytes, true), bytes, v);
    stack_set(c, old + bytes);
    NEXT();
}

OP(op_pusha)
{
    ENTER();
    unsigned bytes = 1u << op->size;
    for (int i = 0; i < 8; i++) {
        uint64_t la = stack_linear(c, -(int64_t)bytes * (i + 1), bytes, true);
        lin_write(c, la, bytes, c->gpr[i]);
    }
    stack_set(c, c->gpr[CPU_RSP] - 8 * bytes);
    NEXT();
}

OP(op_popa)
{
    ENTER();
    unsigned bytes = 1u << op->size;
    uint64_t v[8];
    for (int i = 0; i < 8; i++) {
        v[7 - i] = stack_peek(c, op->size, (int64_t)bytes * i);
    }
    for (unsigned i = 0; i < 8; i++) {
        if (i != CPU_RSP) {
            reg_write(c, i, op->size, v[i]);
        }
    }
    stack_set(c, c->gpr[CPU_RSP] + 8 * bytes);
    NEXT();
}

OP(op_enter)
{
    ENTER();
    unsigned alloc = op->imm & 0xFFFF, level = op->imm >> 16 & 31, bytes = 1u << op->size;
    uint64_t m = stack_mask(c), rbp = c->gpr[CPU_RBP];
    int64_t off = -(int64_t)bytes;
    lin_write(c, stack_linear(c, off, bytes, true), bytes, rbp);
    uint64_t frame = c->gpr[CPU_RSP] + (uint64_t)off;
    for (unsigned i = 1; i < level; i++) {
        uint64_t from = seg_linear(c, CPU_SS, (rbp - (uint64_t)i * bytes) & m, bytes, false);
        uint64_t v = lin_read(c, from, bytes);
        off -= bytes;
        lin_write(c, stack_linear(c, off, bytes, true), bytes, v);
    }
    if (level) {
        off -= bytes;
        lin_write(c, stack_linear(c, off, bytes, true), bytes, frame);
    }
    off -= alloc;
    /* The new top of the stack must be writable, or nothing has happened. */
    lin_probe_write(c, stack_linear(c, off, bytes, true), bytes);
    stack_set(c, c->gpr[CPU_RSP] + (uint64_t)off);
    reg_write(c, CPU_RBP, op->size, frame);
    NEXT();
}

OP(op_leave)
{
    ENTER();
    uint64_t m = stack_mask(c), rbp = c->gpr[CPU_RBP];
    unsigned bytes = 1u << op->size;
    uint64_t v = lin_read(c, seg_linear(c, CPU_SS, rbp & m, bytes, false), bytes);
    stack_set(c, rbp + bytes);
    reg_write(c, CPU_RBP, op->size, v);
    NEXT();
}

/* ---- Flags ---- */

OP(op_lahf)
{
    ENTER();
    ((uint8_t *)c->gpr)[1] = (uint8_t)flags_get(c);
    NEXT();
}

OP(op_sahf)
{
    ENTER();
    uint32_t keep = flag_of(c) ? FL_OF : 0;
    flags_set_arith(c, ((uint8_t *)c->gpr)[1] | keep);
    NEXT();
}

OP(op_clc)
{
    ENTER();
    flags_set_cf(c, false);
    NEXT();
}

OP(op_stc)
{
    ENTER();
    flags_set_cf(c, true);
    NEXT();
}

OP(op_cmc)
{
    ENTER();
    flags_set_cf(c, !flag_cf(c));
    NEXT();
}

OP(op_cld)
{
    ENTER();
    c->eflags &= ~(uint32_t)FL_DF;
    NEXT();
}

OP(op_std)
{
    ENTER();
    c->eflags |= FL_DF;
    NEXT();
}

/* SALC, undocumented but everywhere. */
OP(op_salc)
{
    ENTER();
    ((uint8_t *)c->gpr)[0] = flag_cf(c) ? 0xFF : 0;
    NEXT();
}

/* BOUND: #BR unless lower <= index <= upper. */
OP(op_bound)
{
    ENTER();
    unsigned bytes = 1u << op->size;
    uint64_t la = ea_linear(c, op, 2 * bytes, false);
    int64_t lower = sext(lin_read(c, la, bytes), op->size);
    int64_t upper = sext(lin_read(c, la + bytes, bytes), op->size);
    int64_t index = sext(c->gpr[op->reg], op->size);
    if (index < lower || index > upper) {
        cpu_raise(c, EXC_BR);
    }
    NEXT();
}
