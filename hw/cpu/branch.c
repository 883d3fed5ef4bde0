/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generic near branches. All end their block and go back to the dispatcher. */
#include "exec.h"

/* Where a near branch of this operand size would go; faults if it must not. */
static uint64_t branch_target(struct cpu *c, const struct op *op, uint64_t target)
{
    if (c->mode == MODE_64) {
        if (!is_canonical(target)) {
            raise_gp(c, 0);
        }
        return target;
    }
    target = op->size == SZ_16 ? (uint16_t)target : (uint32_t)target;
    if (target > c->seg[CPU_CS].limit) {
        raise_gp(c, 0);
    }
    return target;
}

static uint64_t relative_target(struct cpu *c, const struct op *op)
{
    return branch_target(c, op, op_next_rip(c, op) + (uint64_t)(int64_t)(int32_t)op->imm);
}

OP(op_jmp_rel)
{
    ENTER();
    c->rip = relative_target(c, op);
    return NULL;
}

OP(op_jcc)
{
    ENTER();
    c->rip = flags_test(c, op->x) ? relative_target(c, op) : op_next_rip(c, op);
    return NULL;
}

OP(op_call_rel)
{
    ENTER();
    uint64_t target = relative_target(c, op);
    stack_push(c, op->size, op_next_rip(c, op));
    c->rip = target;
    return NULL;
}

OP(op_jmp_rm)
{
    ENTER();
    c->rip = branch_target(c, op, rm_read(c, op));
    return NULL;
}

OP(op_call_rm)
{
    ENTER();
    uint64_t target = branch_target(c, op, rm_read(c, op));
    stack_push(c, op->size, op_next_rip(c, op));
    c->rip = target;
    return NULL;
}

/* RET, with or without bytes to release. */
OP(op_ret)
{
    ENTER();
    uint64_t target = branch_target(c, op, stack_peek(c, op->size, 0));
    stack_set(c, c->gpr[CPU_RSP] + (1u << op->size) + (op->imm & 0xFFFF));
    c->rip = target;
    return NULL;
}

/* LOOPNE, LOOPE, LOOP, JrCXZ: E0 to E3. The count has the address size. */
OP(op_loop)
{
    ENTER();
    uint64_t m = addr_mask(op), count = c->gpr[CPU_RCX] & m;
    bool taken;
    if (op->x == 0xE3) {
        taken = count == 0;
    } else {
        count = (count - 1) & m;
        taken = count != 0 && (op->x == 0xE2 || flag_zf(c) == (op->x == 0xE1));
    }
    uint64_t target = taken ? relative_target(c, op) : op_next_rip(c, op);
    if (op->x != 0xE3) {
        c->gpr[CPU_RCX] = m == 0xFFFF ? (c->gpr[CPU_RCX] & ~m) | count : count;
    }
    c->rip = target;
    return NULL;
}
