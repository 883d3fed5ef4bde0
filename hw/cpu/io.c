/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IN and OUT, and the permission to use them (SDM volume 1, chapter 19). */
#include "exec.h"

/* CPL > IOPL: every port's bit in the TSS's I/O permission map must be clear. */
void io_check(struct cpu *c, unsigned port, unsigned bytes)
{
    unsigned iopl = c->eflags >> 12 & 3;
    const struct cpu_seg *tr = &c->seg[CPU_TR];
    if (!in_protected_mode(c) || c->cpl <= iopl) {
        return;
    }
    unsigned type = tr->attr & 0xF;
    if ((type != 9 && type != 11) || tr->limit < 0x67) {
        raise_gp(c, 0);
    }
    uint64_t map = sys_read(c, tr->base + 0x66, 2) + port / 8;
    if (map + 1 > tr->limit) {
        raise_gp(c, 0);
    }
    uint64_t bits = sys_read(c, tr->base + map, 2);
    if (bits >> (port & 7) & low_mask(bytes)) {
        raise_gp(c, 0);
    }
}

static unsigned io_bytes(const struct op *op)
{
    return op->size == SZ_64 ? 4 : 1u << op->size;
}

static void do_in(struct cpu *c, const struct op *op, unsigned port)
{
    unsigned bytes = io_bytes(op);
    uint64_t v = 0;
    io_check(c, port, bytes);
    bus_access(c, CPU_IO_READ, port, bytes, &v);
    reg_write(c, CPU_RAX, bytes == 4 ? SZ_32 : op->size, v);
}

static void do_out(struct cpu *c, const struct op *op, unsigned port)
{
    unsigned bytes = io_bytes(op);
    uint64_t v = c->gpr[CPU_RAX];
    io_check(c, port, bytes);
    bus_access(c, CPU_IO_WRITE, port, bytes, &v);
}

OP(op_in_imm)
{
    ENTER();
    do_in(c, op, op->imm & 0xFF);
    NEXT();
}

OP(op_in_dx)
{
    ENTER();
    do_in(c, op, (uint16_t)c->gpr[CPU_RDX]);
    NEXT();
}

OP(op_out_imm)
{
    ENTER();
    do_out(c, op, op->imm & 0xFF);
    NEXT();
}

OP(op_out_dx)
{
    ENTER();
    do_out(c, op, (uint16_t)c->gpr[CPU_RDX]);
    NEXT();
}
