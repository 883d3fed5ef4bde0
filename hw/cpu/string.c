/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * String instructions. A repeated one is executed in chunks: a chunk ends when the count is used
 * up, when a comparison says so, or when a pointer has reached the end of its page. It counts as
 * one instruction; if something is left to do, RIP stays and the next chunk is another instruction,
 * so that interrupts and the budget get their turn. CHOICE: where chunks end depends on the
 * guest's addresses only, never on the host; nor on whether decoded code is overwritten, which may
 * be this instruction: the chunk is finished as it began.
 *
 * Each iteration commits; one that faults or waits for the bus is simply executed again.
 */
#include <string.h>

#include "exec.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))

struct str {
    uint64_t mask;  /* of addresses and count */
    int64_t step;   /* bytes, signed by DF */
    unsigned bytes; /* of an element */
    bool rep;
    bool single; /* TF: a trap after each iteration */
};

static struct str str_begin(struct cpu *c, const struct op *op)
{
    unsigned bytes = 1u << op->size;
    if (op->flags & OPF_A32 && op->flags & (OPF_REP | OPF_REPNE)) {
        c->gpr[CPU_RCX] = (uint32_t)c->gpr[CPU_RCX]; /* even if there is nothing to do */
    }
    return (struct str){
        .mask = addr_mask(op),
        .step = c->eflags & FL_DF ? -(int64_t)bytes : (int64_t)bytes,
        .bytes = bytes,
        .rep = op->flags & (OPF_REP | OPF_REPNE),
        .single = c->eflags & FL_TF,
    };
}

/* Registers of the address size: a 32-bit one is zero-extended, a 16-bit one merged. */
static void addr_reg_set(struct cpu *c, unsigned r, uint64_t mask, uint64_t v)
{
    c->gpr[r] = mask == 0xFFFF ? (c->gpr[r] & ~mask) | (v & mask) : v & mask;
}

static void advance(struct cpu *c, const struct str *s, unsigned r)
{
    addr_reg_set(c, r, s->mask, c->gpr[r] + (uint64_t)s->step);
}

/* Processors zero-extend the pointers of REP MOVS and REP STOS before the first access. */
static void truncate_pointer(struct cpu *c, const struct str *s, unsigned r)
{
    if (s->rep && s->mask == 0xFFFFFFFF) {
        c->gpr[r] = (uint32_t)c->gpr[r];
    }
}

/* Iterations until the pointer leaves its page; at least 1. */
static uint64_t to_page_end(const struct str *s, uint64_t la)
{
    uint64_t off = la & ~PAGE_MASK;
    if (s->single) {
        return 1;
    }
    if (s->step > 0) {
        return off + s->bytes > PAGE_SIZE ? 1 : (PAGE_SIZE - off) / s->bytes;
    }
    return off / s->bytes + 1;
}

static uint64_t count_left(const struct cpu *c, const struct str *s)
{
    return s->rep ? c->gpr[CPU_RCX] & s->mask : 1;
}

/* One iteration is complete: its accesses need no answers any more. */
static void committed(struct cpu *c, const struct str *s, uint64_t n)
{
    if (s->rep) {
        addr_reg_set(c, CPU_RCX, s->mask, c->gpr[CPU_RCX] - n);
    }
    c->log_count = c->log_pos = 0;
}

/* Ends a chunk: on to the next instruction, or here again. */
static const struct op *str_end(struct cpu *c, const struct op *op, const struct str *s, bool done)
{
    if (!s->rep) {
        c->rip = op_next_rip(c, op);
        return NULL;
    }
    if (!done && count_left(c, s)) {
        c->rip = c->mode == MODE_64 ? op_rip(c, op) : (uint32_t)op_rip(c, op);
        c->keep_rf = true;
        return NULL;
    }
    c->rip = op_next_rip(c, op);
    return NULL;
}

static uint64_t src_linear(struct cpu *c, const struct op *op, const struct str *s)
{
    return seg_linear(c, op->seg, c->gpr[CPU_RSI] & s->mask, s->bytes, false);
}

static uint64_t dst_linear(struct cpu *c, const struct str *s, bool write)
{
    return seg_linear(c, CPU_ES, c->gpr[CPU_RDI] & s->mask, s->bytes, write);
}

/*
 * A chunk in one go needs RAM on the fast path, upwards, in 64-bit mode. Returns the host pointer
 * for [la, la + n), which lies in one page.
 */
static uint8_t *bulk_host(struct cpu *c, uint64_t la, uint64_t n, bool write)
{
    const struct tlb_entry *e = tlb_at(c->tlb, la);
    uint64_t tag = write ? e->wtag : e->rtag;
    if (tag != (la & PAGE_MASK) || ((la ^ (la + n - 1)) & PAGE_MASK)) {
        return NULL;
    }
    return (uint8_t *)(la + e->addend);
}

static bool bulk_ok(const struct cpu *c, const struct op *op, const struct str *s)
{
    return c->mode == MODE_64 && s->step > 0 && !(op->flags & (OPF_A16 | OPF_A32)) && !c->slow;
}

OP(op_movs)
{
    ENTER();
    struct str s = str_begin(c, op);
    uint64_t left = count_left(c, &s);
    if (left == 0) {
        return str_end(c, op, &s, true);
    }
    uint64_t n = left;
    truncate_pointer(c, &s, CPU_RSI);
    truncate_pointer(c, &s, CPU_RDI);
    n = MIN(n, to_page_end(&s, src_linear(c, op, &s)));
    n = MIN(n, to_page_end(&s, dst_linear(c, &s, true)));
    while (n) {
        uint64_t src = src_linear(c, op, &s);
        uint64_t dst = dst_linear(c, &s, true);
        if (n > 1 && bulk_ok(c, op, &s)) {
            uint64_t len = n * s.bytes;
            const uint8_t *from = bulk_host(c, src, len, false);
            uint8_t *to = bulk_host(c, dst, len, true);
            if (from && to && (to + len <= from || from + len <= to)) {
                memcpy(to, from, len);
                c->gpr[CPU_RSI] += len;
                c->gpr[CPU_RDI] += len;
                committed(c, &s, n);
                break;
            }
        }
        c->ea_seg = op->seg;
        uint64_t v = lin_read(c, src, s.bytes);
        c->ea_seg = CPU_ES;
        lin_write(c, dst, s.bytes, v);
        advance(c, &s, CPU_RSI);
        advance(c, &s, CPU_RDI);
        committed(c, &s, 1);
        n--;
    }
    return str_end(c, op, &s, false);
}

static void bulk_fill(uint8_t *to, uint64_t n, unsigned bytes, uint64_t v)
{
    if (bytes == 1 || v == 0) {
        memset(to, (int)(v & 0xFF), n * bytes);
        return;
    }
    for (uint64_t i = 0; i < n; i++) {
        host_write(to + i * bytes, bytes, v);
    }
}

OP(op_stos)
{
    ENTER();
    struct str s = str_begin(c, op);
    uint64_t left = count_left(c, &s);
    if (left == 0) {
        return str_end(c, op, &s, true);
    }
    uint64_t n = left, v = reg_read(c, CPU_RAX, op->size);
    truncate_pointer(c, &s, CPU_RDI);
    n = MIN(n, to_page_end(&s, dst_linear(c, &s, true)));
    while (n) {
        uint64_t dst = dst_linear(c, &s, true);
        uint8_t *to;
        if (n > 1 && bulk_ok(c, op, &s) && (to = bulk_host(c, dst, n * s.bytes, true))) {
            bulk_fill(to, n, s.bytes, v);
            c->gpr[CPU_RDI] += n * s.bytes;
            committed(c, &s, n);
            break;
        }
        lin_write(c, dst, s.bytes, v);
        advance(c, &s, CPU_RDI);
        committed(c, &s, 1);
        n--;
    }
    return str_end(c, op, &s, false);
}

OP(op_lods)
{
    ENTER();
    struct str s = str_begin(c, op);
    uint64_t left = count_left(c, &s);
    if (left == 0) {
        return str_end(c, op, &s, true);
    }
    uint64_t n = MIN(left, to_page_end(&s, src_linear(c, op, &s)));
    for (; n; n--) {
        uint64_t v = lin_read(c, src_linear(c, op, &s), s.bytes);
        reg_write(c, CPU_RAX, op->size, v);
        advance(c, &s, CPU_RSI);
        committed(c, &s, 1);
    }
    return str_end(c, op, &s, false);
}

/*
 * After one comparison: true if it was the last, and the flags stay. Until then they are those of
 * before the instruction: a fault or an interrupt in the middle sees no change (SDM volume 2, REP).
 * REPE goes on while equal, REPNE while not.
 */
static bool compare_stops(struct cpu *c, const struct op *op, const struct str *s,
                          struct flags_saved before)
{
    if (!s->rep || flag_zf(c) == ((op->flags & OPF_REPNE) != 0) || count_left(c, s) == 0) {
        return true;
    }
    flags_restore(c, before);
    return false;
}

OP(op_cmps)
{
    ENTER();
    struct str s = str_begin(c, op);
    uint64_t left = count_left(c, &s);
    if (left == 0) {
        return str_end(c, op, &s, true);
    }
    uint64_t n = left;
    n = MIN(n, to_page_end(&s, src_linear(c, op, &s)));
    n = MIN(n, to_page_end(&s, dst_linear(c, &s, false)));
    struct flags_saved before = flags_save(c);
    for (; n; n--) {
        /* In this order: it shows when both fault. */
        uint64_t b = lin_read(c, dst_linear(c, &s, false), s.bytes);
        uint64_t a = lin_read(c, src_linear(c, op, &s), s.bytes);
        alu_sub(c, op->size, a, b);
        advance(c, &s, CPU_RSI);
        advance(c, &s, CPU_RDI);
        committed(c, &s, 1);
        if (compare_stops(c, op, &s, before)) {
            return str_end(c, op, &s, true);
        }
    }
    return str_end(c, op, &s, false);
}

OP(op_scas)
{
    ENTER();
    struct str s = str_begin(c, op);
    uint64_t left = count_left(c, &s);
    if (left == 0) {
        return str_end(c, op, &s, true);
    }
    uint64_t n = MIN(left, to_page_end(&s, dst_linear(c, &s, false)));
    struct flags_saved before = flags_save(c);
    for (; n; n--) {
        uint64_t b = lin_read(c, dst_linear(c, &s, false), s.bytes);
        alu_sub(c, op->size, reg_read(c, CPU_RAX, op->size), b);
        advance(c, &s, CPU_RDI);
        committed(c, &s, 1);
        if (compare_stops(c, op, &s, before)) {
            return str_end(c, op, &s, true);
        }
    }
    return str_end(c, op, &s, false);
}

/* ---- I/O strings ---- */

/* Ports are at most 32 bits wide, whatever REX.W says. */
static struct str io_begin(struct cpu *c, const struct op *op)
{
    struct str s = str_begin(c, op);
    if (s.bytes == 8) {
        s.bytes = 4;
        s.step /= 2;
    }
    return s;
}

OP(op_ins)
{
    ENTER();
    struct str s = io_begin(c, op);
    unsigned port = (uint16_t)c->gpr[CPU_RDX];
    io_check(c, port, s.bytes);
    uint64_t left = count_left(c, &s);
    if (left == 0) {
        return str_end(c, op, &s, true);
    }
    uint64_t n = MIN(left, to_page_end(&s, dst_linear(c, &s, true)));
    for (; n; n--) {
        uint64_t v = 0, dst = dst_linear(c, &s, true);
        lin_probe_write(c, dst, s.bytes); /* reading a port cannot be taken back */
        bus_access(c, CPU_IO_READ, port, s.bytes, &v);
        lin_write(c, dst, s.bytes, v);
        advance(c, &s, CPU_RDI);
        committed(c, &s, 1);
    }
    return str_end(c, op, &s, false);
}

OP(op_outs)
{
    ENTER();
    struct str s = io_begin(c, op);
    unsigned port = (uint16_t)c->gpr[CPU_RDX];
    io_check(c, port, s.bytes);
    uint64_t left = count_left(c, &s);
    if (left == 0) {
        return str_end(c, op, &s, true);
    }
    uint64_t n = MIN(left, to_page_end(&s, src_linear(c, op, &s)));
    for (; n; n--) {
        uint64_t v = lin_read(c, src_linear(c, op, &s), s.bytes);
        bus_access(c, CPU_IO_WRITE, port, s.bytes, &v);
        advance(c, &s, CPU_RSI);
        committed(c, &s, 1);
    }
    return str_end(c, op, &s, false);
}
