/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Far jumps, calls and returns, IRET. SDM volume 2 (JMP, CALL, RET, IRET).
 * UNIMPL: hardware task switches and virtual-8086 mode raise #GP.
 */
#include "exec.h"
#include "segment.h"

/* ---- Far jump and call ---- */

static void far_real(struct cpu *c, const struct op *op, uint16_t selector, uint64_t target)
{
    if (target > c->seg[CPU_CS].limit) {
        raise_gp(c, 0);
    }
    c->seg[CPU_CS].selector = selector;
    cpu_set_seg_base(c, CPU_CS, (uint64_t)selector << 4);
    cpu_update_mode(c);
    c->rip = op->size == SZ_16 ? (uint16_t)target : (uint32_t)target;
}

/* A direct transfer to a code segment: no change of privilege. */
static void check_code(struct cpu *c, const struct descriptor *d, unsigned rpl)
{
    unsigned dpl = attr_dpl(d->attr);
    bool conforming = d->attr & ATTR_DC;
    if (conforming ? dpl > c->cpl : rpl > c->cpl || dpl != c->cpl) {
        raise_gp(c, d->selector & 0xFFFC);
    }
    if (in_long_mode(c) && d->attr & ATTR_L && d->attr & ATTR_D) {
        raise_gp(c, d->selector & 0xFFFC);
    }
    if (!(d->attr & ATTR_P)) {
        cpu_raise_error(c, EXC_NP, d->selector & 0xFFFC);
    }
}

struct gate {
    uint64_t target;
    uint16_t selector;
    unsigned params, size; /* size of its pushes */
};

/* A call gate leads to a code segment: returns that segment's descriptor. */
static void gate_open(struct cpu *c, struct descriptor *d, unsigned rpl, struct gate *g)
{
    uint32_t error = d->selector & 0xFFFC;
    unsigned type = d->attr & ATTR_TYPE, dpl = attr_dpl(d->attr);
    bool gate16 = type == SYS_CALL_GATE - SYS_16BIT;
    if ((type != SYS_CALL_GATE && !(gate16 && !in_long_mode(c))) || dpl < c->cpl || dpl < rpl) {
        raise_gp(c, error);
    }
    if (!(d->attr & ATTR_P)) {
        cpu_raise_error(c, EXC_NP, error);
    }
    g->selector = (uint16_t)(d->low >> 16);
    g->target = (d->low & 0xFFFF) | (d->low >> 48) << 16;
    g->params = d->low >> 32 & 31;
    g->size = in_long_mode(c) ? SZ_64 : gate16 ? SZ_16 : SZ_32;
    if (in_long_mode(c)) {
        g->target |= sys_read(c, d->at + 8, 4) << 32;
    } else if (gate16) {
        g->target &= 0xFFFF;
    }
    if ((g->selector & 0xFFFC) == 0) {
        raise_gp(c, 0);
    }
    desc_read(c, g->selector, EXC_GP, d);
    error = g->selector & 0xFFFC;
    bool bad_long = in_long_mode(c) && (!(d->attr & ATTR_L) || d->attr & ATTR_D);
    if (!(d->attr & ATTR_S) || !(d->attr & ATTR_CODE) || attr_dpl(d->attr) > c->cpl || bad_long) {
        raise_gp(c, error);
    }
    if (!(d->attr & ATTR_P)) {
        cpu_raise_error(c, EXC_NP, error);
    }
}

/* Call through a gate to an inner level: the stack comes from the TSS. */
static void gate_call_inner(struct cpu *c, const struct op *op, struct descriptor *d,
                            const struct gate *g)
{
    unsigned cpl = attr_dpl(d->attr), bytes = 1u << g->size;
    uint16_t ss = (uint16_t)cpl;
    struct descriptor sd = {0};
    uint64_t sp = tss_stack(c, cpl, &ss), params[31];
    uint64_t mask = ~0ULL, base = 0;
    if (!in_long_mode(c)) {
        seg_check_stack(c, ss, cpl, EXC_TS, &sd);
        mask = sd.attr & ATTR_D ? 0xFFFFFFFF : 0xFFFF;
        base = sd.base;
        for (unsigned i = 0; i < g->params; i++) {
            params[i] = stack_peek(c, g->size, (int64_t)bytes * i);
        }
    }
    uint64_t words[2] = {c->seg[CPU_SS].selector, c->gpr[CPU_RSP]};
    for (unsigned i = 0; i < 2; i++) {
        sp -= bytes;
        sys_write(c, base + (sp & mask), bytes, words[i]);
    }
    for (unsigned i = in_long_mode(c) ? 0 : g->params; i > 0; i--) {
        sp -= bytes;
        sys_write(c, base + (sp & mask), bytes, params[i - 1]);
    }
    sp -= bytes;
    sys_write(c, base + (sp & mask), bytes, c->seg[CPU_CS].selector);
    sp -= bytes;
    sys_write(c, base + (sp & mask), bytes, op_next_rip(c, op));
    seg_check_target(c, d, g->target);
    seg_set_cs(c, d, cpl);
    if (in_long_mode(c)) {
        seg_set_null(c, CPU_SS, ss);
    } else {
        seg_set(c, CPU_SS, ss, &sd);
    }
    c->gpr[CPU_RSP] = sp & mask;
    c->rip = g->target;
}

static void push_far(struct cpu *c, unsigned size, uint16_t cs, uint64_t rip)
{
    unsigned bytes = 1u << size;
    lin_write(c, stack_linear(c, -(int64_t)bytes, bytes, true), bytes, cs);
    lin_write(c, stack_linear(c, -2 * (int64_t)bytes, bytes, true), bytes, rip);
}

static const struct op *far_transfer(struct cpu *c, const struct op *op, uint16_t selector,
                                     uint64_t target, bool call)
{
    uint64_t next = op_next_rip(c, op);
    uint16_t old_cs = c->seg[CPU_CS].selector;
    unsigned size = op->size;
    if (!in_protected_mode(c)) {
        if (call) {
            push_far(c, size, old_cs, next);
        }
        far_real(c, op, selector, target);
        if (call) {
            stack_set(c, c->gpr[CPU_RSP] - (2u << size));
        }
        return NULL;
    }
    if ((selector & 0xFFFC) == 0) {
        raise_gp(c, 0);
    }
    struct descriptor d;
    desc_read(c, selector, EXC_GP, &d);
    unsigned cpl = c->cpl;
    if (d.attr & ATTR_S) {
        if (!(d.attr & ATTR_CODE)) {
            raise_gp(c, selector & 0xFFFC);
        }
        check_code(c, &d, selector & 3);
    } else {
        struct gate g;
        gate_open(c, &d, selector & 3, &g);
        target = g.target;
        size = g.size;
        if (!(d.attr & ATTR_DC) && attr_dpl(d.attr) < c->cpl) {
            if (!call) {
                raise_gp(c, selector & 0xFFFC);
            }
            gate_call_inner(c, op, &d, &g);
            return NULL;
        }
    }
    seg_check_target(c, &d, target);
    if (call) {
        push_far(c, size, old_cs, next);
    }
    desc_mark_accessed(c, &d);
    if (call) {
        stack_set(c, c->gpr[CPU_RSP] - (2u << size));
    }
    seg_set_cs(c, &d, cpl);
    c->rip = target;
    return NULL;
}

/* Immediate pointer: the offset in imm, the selector in disp. */
OP(op_jmp_far)
{
    ENTER();
    return far_transfer(c, op, (uint16_t)op->disp, op->imm, false);
}

OP(op_call_far)
{
    ENTER();
    return far_transfer(c, op, (uint16_t)op->disp, op->imm, true);
}

static const struct op *far_memory(struct cpu *c, const struct op *op, bool call)
{
    unsigned bytes = 1u << op->size;
    uint64_t la = ea_linear(c, op, bytes + 2, false);
    uint64_t target = lin_read(c, la, bytes);
    uint16_t selector = (uint16_t)lin_read(c, la + bytes, 2);
    return far_transfer(c, op, selector, target, call);
}

OP(op_jmp_far_rm)
{
    ENTER();
    return far_memory(c, op, false);
}

OP(op_call_far_rm)
{
    ENTER();
    return far_memory(c, op, true);
}

/* ---- Returns ---- */

/* What a return to a code segment, possibly at an outer level, takes from the stack. */
struct far_frame {
    uint64_t rip, rsp;
    uint16_t cs, ss;
    bool new_stack; /* rsp and ss are valid */
};

/*
 * Checks and commits. `release` bytes are dropped from both stacks (RET n). The mode is the new
 * one afterwards.
 */
static void far_return(struct cpu *c, struct far_frame *f, uint64_t release)
{
    struct descriptor d, sd = {0};
    seg_check_return(c, f->cs, &d);
    seg_check_target(c, &d, f->rip);
    unsigned cpl = f->cs & 3;
    bool outer = cpl > c->cpl;
    bool null_ss = false;
    if (f->new_stack) {
        null_ss = (f->ss & 0xFFFC) == 0;
        if (null_ss) {
            /* Allowed in 64-bit mode below CPL 3 only. */
            if (!(in_long_mode(c) && d.attr & ATTR_L) || cpl == 3 || (f->ss & 3) != cpl) {
                raise_gp(c, 0);
            }
        } else {
            seg_check_stack(c, f->ss, cpl, EXC_GP, &sd);
            desc_mark_accessed(c, &sd);
        }
    }
    desc_mark_accessed(c, &d);
    seg_set_cs(c, &d, cpl);
    if (f->new_stack) {
        if (null_ss) {
            seg_set_null(c, CPU_SS, f->ss);
        } else {
            seg_set(c, CPU_SS, f->ss, &sd);
        }
        stack_set(c, f->rsp + release);
    }
    if (outer) {
        seg_drop_inner(c);
    }
    c->rip = f->rip;
}

static uint64_t pop_at(struct cpu *c, unsigned size, unsigned slot)
{
    return stack_peek(c, size, (int64_t)slot << size);
}

OP(op_retf)
{
    ENTER();
    unsigned size = op->size, release = op->imm & 0xFFFF;
    struct far_frame f = {.rip = pop_at(c, size, 0), .cs = (uint16_t)pop_at(c, size, 1)};
    if (!in_protected_mode(c)) {
        far_real(c, op, f.cs, f.rip);
        stack_set(c, c->gpr[CPU_RSP] + (2u << size) + release);
        return NULL;
    }
    if ((f.cs & 3) > c->cpl) {
        int64_t off = (2LL << size) + release;
        f.rsp = stack_peek(c, size, off);
        f.ss = (uint16_t)stack_peek(c, size, off + (1LL << size));
        f.new_stack = true;
        far_return(c, &f, release);
    } else {
        uint64_t rsp = c->gpr[CPU_RSP] + (2u << size) + release;
        uint64_t old_mask = stack_mask(c);
        far_return(c, &f, 0);
        c->gpr[CPU_RSP] =
            old_mask == 0xFFFF ? (c->gpr[CPU_RSP] & ~old_mask) | (rsp & 0xFFFF) : rsp & old_mask;
    }
    return NULL;
}

static void iret_flags(struct cpu *c, uint64_t v, unsigned size, uint32_t mask)
{
    if (size == SZ_16) {
        mask &= 0xFFFF;
    } else {
        mask |= FL_RF;
        c->keep_rf = true;
    }
    flags_write(c, v, mask);
}

OP(op_iret)
{
    ENTER();
    unsigned size = op->size;
    struct far_frame f = {.rip = pop_at(c, size, 0), .cs = (uint16_t)pop_at(c, size, 1)};
    uint64_t flags = pop_at(c, size, 2);
    uint32_t mask = flags_pop_mask(c);
    if (!in_protected_mode(c)) {
        far_real(c, op, f.cs, f.rip);
        stack_set(c, c->gpr[CPU_RSP] + (3u << size));
        iret_flags(c, flags, size, mask);
        c->nmi_blocked = false;
        return NULL;
    }
    if (c->eflags & FL_NT || (flags & FL_VM && c->cpl == 0 && !in_long_mode(c))) {
        raise_gp(c, 0);
    }
    if (c->cpl == 0) {
        mask |= FL_VIF | FL_VIP;
    }
    if (c->mode == MODE_64 || (f.cs & 3) > c->cpl) {
        f.rsp = pop_at(c, size, 3);
        f.ss = (uint16_t)pop_at(c, size, 4);
        f.new_stack = true;
        far_return(c, &f, 0);
    } else {
        uint64_t rsp = c->gpr[CPU_RSP] + (3u << size);
        uint64_t old_mask = stack_mask(c);
        far_return(c, &f, 0);
        c->gpr[CPU_RSP] =
            old_mask == 0xFFFF ? (c->gpr[CPU_RSP] & ~old_mask) | (rsp & 0xFFFF) : rsp & old_mask;
    }
    iret_flags(c, flags, size, mask);
    c->nmi_blocked = false;
    return NULL;
}
