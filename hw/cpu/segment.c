/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segment registers: checks when they are loaded and when they are used. Intel 64 and IA-32 SDM
 * (325462-083), volume 3, chapters 3 and 5; MOV and far transfers in volume 2.
 */
#include "segment.h"
#include "exec.h"

/* ---- Use ---- */

static void raise_segment(struct cpu *c, unsigned seg) __attribute__((noreturn));
static void raise_segment(struct cpu *c, unsigned seg)
{
    cpu_raise_error(c, seg == CPU_SS ? EXC_SS : EXC_GP, 0);
}

uint64_t seg_linear_legacy(struct cpu *c, unsigned seg, uint64_t off, unsigned bytes, bool write)
{
    const struct cpu_seg *s = &c->seg[seg];
    uint32_t o = (uint32_t)off, last = o + bytes - 1;
    bool code = s->attr & ATTR_CODE;

    if (in_protected_mode(c)) {
        if (!(s->attr & ATTR_P)) {
            raise_gp(c, 0); /* null selector */
        }
        if (write ? code || !(s->attr & ATTR_RW) : code && !(s->attr & ATTR_RW)) {
            raise_segment(c, seg);
        }
    }
    if (!code && s->attr & ATTR_DC) {
        uint32_t top = s->attr & ATTR_D ? 0xFFFFFFFF : 0xFFFF;
        if (o <= s->limit || last > top || last < o) {
            raise_segment(c, seg);
        }
    } else if (last > s->limit || last < o) {
        raise_segment(c, seg);
    }
    return (uint32_t)(s->base + o);
}

/* ---- Descriptors ---- */

void desc_parse(uint64_t low, struct descriptor *d)
{
    d->low = low;
    d->attr = (uint16_t)((low >> 40 & 0xFF) | (low >> 52 & 0xF) << 8);
    d->base = (low >> 16 & 0xFFFFFF) | (low >> 56 & 0xFF) << 24;
    d->limit = (uint32_t)((low & 0xFFFF) | (low >> 48 & 0xF) << 16);
    if (d->attr & ATTR_G) {
        d->limit = d->limit << 12 | 0xFFF;
    }
}

void desc_read(struct cpu *c, uint16_t selector, unsigned vector, struct descriptor *d)
{
    uint32_t error = selector & 0xFFFC, off = selector & 0xFFF8;
    bool local = selector & 4;
    uint64_t base = local ? c->seg[CPU_LDTR].base : c->gdt_base;
    uint32_t limit = local ? c->seg[CPU_LDTR].limit : c->gdt_limit;
    if (off + 7 > limit || (local && !(c->seg[CPU_LDTR].attr & ATTR_P))) {
        cpu_raise_error(c, vector, error);
    }
    d->at = base + off;
    d->selector = selector;
    desc_parse(sys_read(c, d->at, 8), d);
    /* System descriptors are 16 bytes in IA-32e mode. */
    if (in_long_mode(c) && !(d->attr & ATTR_S)) {
        if (off + 15 > limit) {
            cpu_raise_error(c, vector, error);
        }
        d->base |= sys_read(c, d->at + 8, 4) << 32;
    }
}

void desc_mark_accessed(struct cpu *c, struct descriptor *d)
{
    if (!(d->attr & ATTR_ACCESSED)) {
        sys_write(c, d->at + 5, 1, (d->attr & 0xFF) | ATTR_ACCESSED);
        d->attr |= ATTR_ACCESSED;
    }
}

void seg_set(struct cpu *c, unsigned seg, uint16_t selector, const struct descriptor *d)
{
    c->seg[seg].selector = selector;
    c->seg[seg].attr = d->attr;
    c->seg[seg].limit = d->limit;
    cpu_set_seg_base(c, seg, d->base);
}

void seg_set_null(struct cpu *c, unsigned seg, uint16_t selector)
{
    c->seg[seg].selector = selector;
    c->seg[seg].attr = 0;
    c->seg[seg].limit = 0;
    cpu_set_seg_base(c, seg, 0);
}

void seg_set_cs(struct cpu *c, const struct descriptor *d, unsigned cpl)
{
    seg_set(c, CPU_CS, (uint16_t)((d->selector & 0xFFFC) | cpl), d);
    c->cpl = (uint8_t)cpl;
    cpu_update_mode(c);
}

void seg_check_stack(struct cpu *c, uint16_t selector, unsigned cpl, unsigned vector,
                     struct descriptor *d)
{
    uint32_t error = selector & 0xFFFC;
    if (error == 0) {
        cpu_raise_error(c, vector, 0);
    }
    desc_read(c, selector, vector, d);
    if ((selector & 3) != cpl || !(d->attr & ATTR_S) || d->attr & ATTR_CODE ||
        !(d->attr & ATTR_RW) || attr_dpl(d->attr) != cpl) {
        cpu_raise_error(c, vector, error);
    }
    if (!(d->attr & ATTR_P)) {
        cpu_raise_error(c, EXC_SS, error);
    }
}

static void load_ss(struct cpu *c, uint16_t selector)
{
    struct descriptor d;
    if ((selector & 0xFFFC) == 0) {
        if (c->mode != MODE_64 || c->cpl == 3 || (selector & 3) != c->cpl) {
            raise_gp(c, 0);
        }
        seg_set_null(c, CPU_SS, selector);
        return;
    }
    seg_check_stack(c, selector, c->cpl, EXC_GP, &d);
    desc_mark_accessed(c, &d);
    seg_set(c, CPU_SS, selector, &d);
}

void seg_load(struct cpu *c, unsigned seg, uint16_t selector)
{
    struct descriptor d;
    if (!in_protected_mode(c)) {
        c->seg[seg].selector = selector;
        cpu_set_seg_base(c, seg, (uint64_t)selector << 4);
        c->seg[seg].attr = 0x93;
        return;
    }
    if (seg == CPU_SS) {
        load_ss(c, selector);
        return;
    }
    if ((selector & 0xFFFC) == 0) {
        seg_set_null(c, seg, selector);
        return;
    }
    desc_read(c, selector, EXC_GP, &d);
    uint32_t error = selector & 0xFFFC;
    bool code = d.attr & ATTR_CODE, conforming = code && d.attr & ATTR_DC;
    unsigned dpl = attr_dpl(d.attr), rpl = selector & 3;
    if (!(d.attr & ATTR_S) || (code && !(d.attr & ATTR_RW)) ||
        (!conforming && (rpl > dpl || c->cpl > dpl))) {
        raise_gp(c, error);
    }
    if (!(d.attr & ATTR_P)) {
        cpu_raise_error(c, EXC_NP, error);
    }
    desc_mark_accessed(c, &d);
    seg_set(c, seg, selector, &d);
}

void seg_check_return(struct cpu *c, uint16_t selector, struct descriptor *d)
{
    uint32_t error = selector & 0xFFFC;
    unsigned rpl = selector & 3;
    if (error == 0) {
        raise_gp(c, 0);
    }
    desc_read(c, selector, EXC_GP, d);
    unsigned dpl = attr_dpl(d->attr);
    if (!(d->attr & ATTR_S) || !(d->attr & ATTR_CODE) || rpl < c->cpl ||
        (d->attr & ATTR_DC ? dpl > rpl : dpl != rpl) ||
        (in_long_mode(c) && d->attr & ATTR_L && d->attr & ATTR_D)) {
        raise_gp(c, error);
    }
    if (!(d->attr & ATTR_P)) {
        cpu_raise_error(c, EXC_NP, error);
    }
}

void seg_drop_inner(struct cpu *c)
{
    static const uint8_t segs[] = {CPU_ES, CPU_DS, CPU_FS, CPU_GS};
    for (unsigned i = 0; i < ARRAY_LEN(segs); i++) {
        struct cpu_seg *s = &c->seg[segs[i]];
        bool conforming = (s->attr & (ATTR_CODE | ATTR_DC)) == (ATTR_CODE | ATTR_DC);
        if (s->attr & ATTR_P && !conforming && attr_dpl(s->attr) < c->cpl) {
            seg_set_null(c, segs[i], 0);
        }
    }
}

void seg_check_target(struct cpu *c, const struct descriptor *d, uint64_t target)
{
    bool long_code = in_long_mode(c) && d->attr & ATTR_L;
    if (long_code ? !is_canonical(target) : target > d->limit) {
        raise_gp(c, 0);
    }
}

uint64_t tss_stack(struct cpu *c, unsigned cpl, uint16_t *ss)
{
    const struct cpu_seg *tr = &c->seg[CPU_TR];
    bool wide = tr->attr & SYS_16BIT;
    unsigned off = in_long_mode(c) ? 4 + 8 * cpl : wide ? 4 + 8 * cpl : 2 + 4 * cpl;
    unsigned need = in_long_mode(c) ? 7 : wide ? 5 : 3;
    if (!(tr->attr & ATTR_P) || off + need > tr->limit) {
        cpu_raise_error(c, EXC_TS, tr->selector & 0xFFFC);
    }
    if (in_long_mode(c)) {
        return sys_read(c, tr->base + off, 8);
    }
    *ss = (uint16_t)sys_read(c, tr->base + off + (wide ? 4 : 2), 2);
    return sys_read(c, tr->base + off, wide ? 4 : 2);
}

/* ---- Flags ---- */

void flags_write(struct cpu *c, uint64_t v, uint32_t mask)
{
    uint32_t n = (flags_get(c) & ~mask) | ((uint32_t)v & mask);
    flags_set_arith(c, n);
    uint32_t old = c->eflags;
    c->eflags = n & ~(uint32_t)(FL_ARITH | FL_FIXED);
    if ((old ^ c->eflags) & (FL_TF | FL_RF)) {
        cpu_update_slow(c);
    }
}

uint32_t flags_pop_mask(const struct cpu *c)
{
    uint32_t mask = FL_ARITH | FL_TF | FL_DF | FL_NT | FL_AC | FL_ID;
    unsigned iopl = c->eflags >> 12 & 3;
    if (c->cpl == 0 || !in_protected_mode(c)) {
        mask |= FL_IOPL;
    }
    if (c->cpl <= iopl || !in_protected_mode(c)) {
        mask |= FL_IF;
    }
    return mask;
}

/* ---- MOV, PUSH, POP, Lxx of segment registers ---- */

OP(op_mov_rm_seg)
{
    ENTER();
    uint64_t v = c->seg[op->reg].selector;
    if (op->flags & OPF_MEM) {
        lin_write(c, ea_linear(c, op, 2, true), 2, v);
    } else {
        reg_write(c, op->rm, op->size, v);
    }
    NEXT();
}

/* Loading SS holds off interrupts and #DB for one instruction. */
static void after_seg_load(struct cpu *c, unsigned seg)
{
    if (seg == CPU_SS) {
        c->shadow_at = c->shadow_ss_at = c->retired_before + c->run_budget - (uint64_t)c->budget;
    }
}

OP(op_mov_seg_rm)
{
    ENTER();
    seg_load(c, op->reg, (uint16_t)rm_read_size(c, op, SZ_16));
    after_seg_load(c, op->reg);
    END();
}

/* The segment register's number comes from the opcode: bits 3 to 5. */
static unsigned op_seg_number(const struct op *op)
{
    return op->x >> 3 & 7;
}

OP(op_push_seg)
{
    ENTER();
    unsigned bytes = 1u << op->size;
    /* A 32-bit push writes 16 bits only; the rest of the slot stays (Intel, since the P6). */
    uint64_t v = c->seg[op_seg_number(op)].selector;
    unsigned write = op->size == SZ_32 ? 2 : bytes;
    lin_write(c, stack_linear(c, -(int64_t)bytes, bytes, true), write, v);
    stack_set(c, c->gpr[CPU_RSP] - bytes);
    NEXT();
}

OP(op_pop_seg)
{
    ENTER();
    unsigned seg = op_seg_number(op);
    seg_load(c, seg, (uint16_t)stack_peek(c, SZ_16, 0));
    stack_set(c, c->gpr[CPU_RSP] + (1u << op->size));
    after_seg_load(c, seg);
    END();
}

static const struct op *load_far_pointer(struct cpu *c, const struct op *op, unsigned seg)
{
    unsigned bytes = 1u << op->size;
    uint64_t la = ea_linear(c, op, bytes + 2, false);
    uint64_t off = lin_read(c, la, bytes);
    seg_load(c, seg, (uint16_t)lin_read(c, la + bytes, 2));
    reg_write(c, op->reg, op->size, off);
    END();
}

OP(op_les)
{
    ENTER();
    return load_far_pointer(c, op, CPU_ES);
}

OP(op_lds)
{
    ENTER();
    return load_far_pointer(c, op, CPU_DS);
}

OP(op_lss)
{
    ENTER();
    return load_far_pointer(c, op, CPU_SS);
}

OP(op_lfs)
{
    ENTER();
    return load_far_pointer(c, op, CPU_FS);
}

OP(op_lgs)
{
    ENTER();
    return load_far_pointer(c, op, CPU_GS);
}
