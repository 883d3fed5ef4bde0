/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Delivering exceptions and interrupts. Intel 64 and IA-32 SDM (325462-083), volume 3, chapter 6.
 *
 * Nothing is committed before the last memory access: a fault on the way leaves the interrupted
 * state as it was, for the exception that follows.
 */
#include "debug.h"
#include "exec.h"
#include "segment.h"

/* The error code that faults during delivery carry: IDT bit, and EXT unless INT n. */
static uint32_t idt_error(const struct cpu *c)
{
    return (uint32_t)c->exc.vector * 8 + 2 + !c->exc.software;
}

static uint32_t selector_error(const struct cpu *c, uint16_t selector)
{
    return (selector & 0xFFFCu) + !c->exc.software;
}

/* RFLAGS as pushed: RF is set by faults, so that the instruction goes on after a breakpoint. */
static uint32_t pushed_flags(const struct cpu *c)
{
    uint32_t f = flags_get(c);
    bool fault = !c->exc.software && !c->exc.external && c->exc.vector != EXC_DB;
    return fault ? f | FL_RF : f;
}

/* IF is cleared by interrupt gates only. */
static void commit_flags(struct cpu *c, bool trap_gate)
{
    c->eflags &= ~(uint32_t)(FL_TF | FL_NT | FL_RF | FL_VM);
    if (!trap_gate) {
        c->eflags &= ~(uint32_t)FL_IF;
    }
    c->keep_rf = false;
    cpu_update_slow(c);
}

struct idt_gate {
    uint64_t target;
    uint16_t selector;
    unsigned type, ist, size;
};

static void gate_read(struct cpu *c, struct idt_gate *g)
{
    unsigned vector = c->exc.vector, bytes = in_long_mode(c) ? 16 : 8;
    if (vector * bytes + bytes - 1 > c->idt_limit) {
        raise_gp(c, idt_error(c));
    }
    uint64_t at = c->idt_base + vector * bytes, low = sys_read(c, at, 8);
    unsigned attr = low >> 40 & 0xFF;
    g->type = attr & 0x1F;
    g->ist = low >> 32 & 7;
    g->selector = (uint16_t)(low >> 16);
    g->target = (low & 0xFFFF) | (low >> 48) << 16;
    g->size = SZ_32;
    bool ok = g->type == SYS_INT_GATE || g->type == SYS_TRAP_GATE;
    if (in_long_mode(c)) {
        g->target |= sys_read(c, at + 8, 4) << 32;
        g->size = SZ_64;
    } else if (g->type == SYS_INT_GATE - SYS_16BIT || g->type == SYS_TRAP_GATE - SYS_16BIT) {
        g->target &= 0xFFFF;
        g->size = SZ_16;
        ok = true;
    }
    if (!ok || (c->exc.software && attr_dpl(attr) < c->cpl)) {
        raise_gp(c, idt_error(c));
    }
    if (!(attr & ATTR_P)) {
        cpu_raise_error(c, EXC_NP, idt_error(c));
    }
}

static void gate_code(struct cpu *c, const struct idt_gate *g, struct descriptor *d)
{
    uint32_t error = selector_error(c, g->selector);
    if ((g->selector & 0xFFFC) == 0) {
        raise_gp(c, !c->exc.software);
    }
    desc_read(c, g->selector, EXC_GP, d);
    bool bad_long = in_long_mode(c) && (!(d->attr & ATTR_L) || d->attr & ATTR_D);
    if (!(d->attr & ATTR_S) || !(d->attr & ATTR_CODE) || attr_dpl(d->attr) > c->cpl || bad_long) {
        raise_gp(c, error);
    }
    if (!(d->attr & ATTR_P)) {
        cpu_raise_error(c, EXC_NP, error);
    }
}

static void push_as(struct cpu *c, bool user, uint64_t la, unsigned bytes, uint64_t v)
{
    if (user) {
        c->ea_seg = CPU_SS;
        lin_write_slow(c, la, bytes, v);
    } else {
        sys_write(c, la, bytes, v);
    }
}

static uint64_t ist_stack(struct cpu *c, unsigned ist)
{
    const struct cpu_seg *tr = &c->seg[CPU_TR];
    unsigned off = 0x24 + 8 * (ist - 1);
    if (!(tr->attr & ATTR_P) || off + 7 > tr->limit) {
        cpu_raise_error(c, EXC_TS, selector_error(c, tr->selector));
    }
    return sys_read(c, tr->base + off, 8);
}

static void deliver_long(struct cpu *c)
{
    struct idt_gate g;
    struct descriptor d;
    gate_read(c, &g);
    gate_code(c, &g, &d);
    unsigned cpl = d.attr & ATTR_DC ? c->cpl : attr_dpl(d.attr);
    bool inner = cpl < c->cpl;
    uint16_t ss = 0;
    uint64_t rsp = g.ist ? ist_stack(c, g.ist) : inner ? tss_stack(c, cpl, &ss) : c->gpr[CPU_RSP];
    if (!is_canonical(rsp)) {
        cpu_raise_error(c, EXC_SS, selector_error(c, 0));
    }
    uint64_t words[6] = {
        c->seg[CPU_SS].selector, c->gpr[CPU_RSP], pushed_flags(c),
        c->seg[CPU_CS].selector, c->rip,          c->exc.error,
    };
    rsp &= ~15ULL;
    for (unsigned i = 0; i < (c->exc.has_error ? 6 : 5); i++) {
        rsp -= 8;
        push_as(c, cpl == 3, rsp, 8, words[i]);
    }
    if (!is_canonical(g.target)) {
        raise_gp(c, !c->exc.software);
    }
    desc_mark_accessed(c, &d);
    d.selector = g.selector;
    seg_set_cs(c, &d, cpl);
    if (inner) {
        seg_set_null(c, CPU_SS, (uint16_t)cpl);
    }
    c->gpr[CPU_RSP] = rsp;
    c->rip = g.target;
    commit_flags(c, g.type == SYS_TRAP_GATE);
}

static void deliver_protected(struct cpu *c)
{
    struct idt_gate g;
    struct descriptor d, sd = {0};
    gate_read(c, &g);
    gate_code(c, &g, &d);
    unsigned cpl = d.attr & ATTR_DC ? c->cpl : attr_dpl(d.attr), bytes = 1u << g.size, n = 0;
    bool inner = cpl < c->cpl;
    uint16_t ss = 0;
    uint64_t rsp = c->gpr[CPU_RSP], words[6];
    const struct cpu_seg *cur = &c->seg[CPU_SS];
    uint32_t mask = cur->attr & ATTR_D ? 0xFFFFFFFF : 0xFFFF;
    uint64_t base = cur->base;
    if (inner) {
        rsp = tss_stack(c, cpl, &ss);
        seg_check_stack(c, ss, cpl, EXC_TS, &sd);
        mask = sd.attr & ATTR_D ? 0xFFFFFFFF : 0xFFFF;
        base = sd.base;
        words[n++] = cur->selector;
        words[n++] = c->gpr[CPU_RSP];
    }
    words[n++] = pushed_flags(c);
    words[n++] = c->seg[CPU_CS].selector;
    words[n++] = c->rip;
    if (c->exc.has_error) {
        words[n++] = c->exc.error;
    }
    for (unsigned i = 0; i < n; i++) {
        rsp = (rsp & ~(uint64_t)mask) | ((rsp - bytes) & mask);
        push_as(c, cpl == 3, (uint32_t)(base + (rsp & mask)), bytes, words[i]);
    }
    seg_check_target(c, &d, g.target);
    desc_mark_accessed(c, &d);
    d.selector = g.selector;
    if (inner) {
        desc_mark_accessed(c, &sd);
    }
    seg_set_cs(c, &d, cpl);
    if (inner) {
        seg_set(c, CPU_SS, ss, &sd);
    }
    c->gpr[CPU_RSP] = rsp;
    c->rip = g.target;
    commit_flags(c, (g.type & 7) == (SYS_TRAP_GATE & 7));
}

static void deliver_real(struct cpu *c)
{
    unsigned vector = c->exc.vector;
    if (vector * 4 + 3 > c->idt_limit) {
        /* The vector table does not reach that far: what follows is a double fault. */
        cpu_raise_error(c, EXC_GP, 0);
    }
    uint32_t entry = (uint32_t)sys_read(c, c->idt_base + vector * 4, 4);
    uint64_t words[3] = {flags_get(c), c->seg[CPU_CS].selector, c->rip}, sp = c->gpr[CPU_RSP];
    for (unsigned i = 0; i < 3; i++) {
        sp = (sp & ~0xFFFFULL) | ((sp - 2) & 0xFFFF);
        sys_write(c, c->seg[CPU_SS].base + (sp & 0xFFFF), 2, words[i]);
    }
    c->gpr[CPU_RSP] = sp;
    c->seg[CPU_CS].selector = (uint16_t)(entry >> 16);
    cpu_set_seg_base(c, CPU_CS, (uint64_t)(entry >> 16) << 4);
    c->rip = entry & 0xFFFF;
    c->eflags &= ~(uint32_t)FL_AC;
    commit_flags(c, false);
    cpu_update_mode(c);
}

void interrupt_deliver(struct cpu *c)
{
    if (!in_protected_mode(c)) {
        deliver_real(c);
    } else if (in_long_mode(c)) {
        deliver_long(c);
    } else {
        deliver_protected(c);
    }
}

/* ---- INT n and kin ---- */

OP(op_int)
{
    ENTER();
    cpu_raise_software(c, op->imm & 0xFF);
}

OP(op_int3)
{
    ENTER();
    cpu_raise_software(c, EXC_BP);
}

OP(op_into)
{
    ENTER();
    if (flag_of(c)) {
        cpu_raise_software(c, EXC_OF);
    }
    NEXT();
}

/* INT1. CHOICE: the gate's DPL is checked, as for INT3. */
OP(op_int1)
{
    ENTER();
    cpu_raise_software(c, EXC_DB);
}
