/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bit tests and scans, SETcc, BSWAP, and the exchanging read-modify-writes. */
#include "exec.h"

enum bt_kind { BT_TEST, BT_SET, BT_RESET, BT_COMPLEMENT };

/* Other flags than CF are undefined, ZF unchanged. */
static const struct op *do_bt(struct cpu *c, const struct op *op, enum bt_kind kind, bool by_reg)
{
    unsigned bytes = 1u << op->size, bits = 8 * bytes;
    uint64_t off = by_reg ? c->gpr[op->reg] : op->imm, mask = 1ULL << (off & (bits - 1)), a, la = 0;
    if (op->flags & OPF_MEM) {
        uint64_t ea = ea_offset(c, op);
        if (by_reg) {
            /* A signed bit offset reaches beyond the operand. */
            int64_t words = sext(off, op->size) >> (3 + op->size);
            ea = (ea + (uint64_t)words * bytes) & addr_mask(op);
        }
        la = seg_linear(c, op->seg, ea, bytes, kind != BT_TEST);
        if (kind != BT_TEST) {
            lin_probe_write(c, la, bytes);
        }
        a = lin_read(c, la, bytes);
    } else {
        a = reg_read(c, op->rm, op->size);
    }
    uint64_t r = kind == BT_SET ? a | mask : kind == BT_RESET ? a & ~mask : a ^ mask;
    if (kind != BT_TEST) {
        if (op->flags & OPF_MEM) {
            lin_write(c, la, bytes, r);
        } else {
            reg_write(c, op->rm, op->size, r);
        }
    }
    flags_set_cf(c, (a & mask) != 0);
    NEXT();
}

#define BT_HANDLERS(name, kind)                                                                    \
    OP(op_##name##_reg)                                                                            \
    {                                                                                              \
        ENTER();                                                                                   \
        return do_bt(c, op, kind, true);                                                           \
    }                                                                                              \
    OP(op_##name##_imm)                                                                            \
    {                                                                                              \
        ENTER();                                                                                   \
        return do_bt(c, op, kind, false);                                                          \
    }

BT_HANDLERS(bt, BT_TEST)
BT_HANDLERS(bts, BT_SET)
BT_HANDLERS(btr, BT_RESET)
BT_HANDLERS(btc, BT_COMPLEMENT)

/* A zero source leaves the destination alone, as all 64-bit processors do (32 bits too). */
static const struct op *do_scan(struct cpu *c, const struct op *op, bool reverse)
{
    uint64_t a = rm_read(c, op);
    if (a) {
        unsigned n = reverse ? 63 - (unsigned)__builtin_clzll(a) : (unsigned)__builtin_ctzll(a);
        reg_write(c, op->reg, op->size, n);
    }
    c->fl_z = a != 0;
    NEXT();
}

OP(op_bsf)
{
    ENTER();
    return do_scan(c, op, false);
}

OP(op_bsr)
{
    ENTER();
    return do_scan(c, op, true);
}

OP(op_setcc)
{
    ENTER();
    rm_write(c, op, flags_test(c, op->x));
    NEXT();
}

OP(op_cmovcc)
{
    ENTER();
    uint64_t b = rm_read(c, op);
    /* A 32-bit destination loses its upper half even if the condition is false. */
    reg_write(c, op->reg, op->size, flags_test(c, op->x) ? b : reg_read(c, op->reg, op->size));
    NEXT();
}

OP(op_bswap)
{
    ENTER();
    uint64_t v = c->gpr[op->rm];
    if (op->size == SZ_64) {
        c->gpr[op->rm] = __builtin_bswap64(v);
    } else if (op->size == SZ_32) {
        c->gpr[op->rm] = __builtin_bswap32((uint32_t)v);
    } else {
        reg_write(c, op->rm, SZ_16, 0); /* undefined by the SDM */
    }
    NEXT();
}

OP(op_xadd)
{
    ENTER();
    struct flags_saved before = flags_save(c);
    uint64_t a = rm_read_rmw(c, op), b = reg_read(c, op->reg, op->size);
    uint64_t r = alu_add(c, op->size, a, b);
    if (!(op->flags & OPF_MEM)) {
        reg_write(c, op->reg, op->size, a); /* first: the two may be the same register */
    }
    rm_commit(c, op, before, r);
    if (op->flags & OPF_MEM) {
        reg_write(c, op->reg, op->size, a);
    }
    NEXT();
}

OP(op_cmpxchg)
{
    ENTER();
    struct flags_saved before = flags_save(c);
    uint64_t a = rm_read_rmw(c, op), acc = reg_read(c, CPU_RAX, op->size);
    alu_sub(c, op->size, acc, a);
    if (acc == a) {
        rm_commit(c, op, before, reg_read(c, op->reg, op->size));
    } else {
        if (op->flags & OPF_MEM) {
            rm_commit(c, op, before, a); /* the write happens in any case */
        }
        reg_write(c, CPU_RAX, op->size, a);
    }
    NEXT();
}

/* CMPXCHG8B and CMPXCHG16B; ZF only. */
OP(op_cmpxchg8b)
{
    ENTER();
    unsigned size = op->flags & OPF_W ? SZ_64 : SZ_32, bytes = 1u << size;
    uint64_t la = ea_linear(c, op, 2 * bytes, true);
    if (size == SZ_64 && la & 15) {
        raise_gp(c, 0);
    }
    lin_probe_write(c, la, 2 * bytes);
    uint64_t old[2], new[2];
    uint8_t buf[16] = {0};
    lin_read_bytes(c, la, buf, 2 * bytes);
    old[0] = host_read(buf, bytes);
    old[1] = host_read(buf + bytes, bytes);
    bool equal = old[0] == reg_read(c, CPU_RAX, size) && old[1] == reg_read(c, CPU_RDX, size);
    new[0] = equal ? reg_read(c, CPU_RBX, size) : old[0];
    new[1] = equal ? reg_read(c, CPU_RCX, size) : old[1];
    host_write(buf, bytes, new[0]);
    host_write(buf + bytes, bytes, new[1]);
    lin_write_bytes(c, la, buf, 2 * bytes);
    if (!equal) {
        reg_write(c, CPU_RAX, size, old[0]);
        reg_write(c, CPU_RDX, size, old[1]);
    }
    c->fl_z = !equal;
    NEXT();
}
