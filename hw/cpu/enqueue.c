/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ENQCMD and ENQCMDS (SDM volume 2): 64 bytes to a device that says whether it took them, a
 * Deferrable Memory Write on PCI Express.
 */
#include "exec.h"
#include "pcilab/base/le.h"

#define PASID        GENMASK(19, 0)
#define PASID_VALID  BIT(31) /* of IA32_PASID */
#define ENQ_RESERVED GENMASK(30, 20)

/* CHOICE: what is no device's takes nothing, so that software is told to try again. */
static bool enqueue(struct cpu *c, uint64_t la, const uint8_t *data)
{
    struct xlate x;

    tlb_fill(c, la, ACC_WRITE, c->cpl == 3, &x);
    return !ram_find(c->group, x.pa) && bus_enqueue(c, x.pa, data);
}

static const struct op *command(struct cpu *c, const struct op *op, bool supervisor)
{
    uint8_t data[64];
    uint64_t off = c->gpr[op->reg] & addr_mask(op);
    uint64_t src = ea_linear(c, op, 64, false);
    uint64_t dst = seg_linear(c, CPU_ES, off, 64, true);

    if (dst & 63) {
        raise_gp(c, 0);
    }
    c->ea_seg = op->seg;
    lin_read_bytes(c, src, data, 64);
    if (!supervisor) {
        le32_store(data, (uint32_t)(c->msr.pasid & PASID));
    } else if (le32_load(data) & ENQ_RESERVED) {
        raise_gp(c, 0);
    }
    c->ea_seg = CPU_ES;
    bool taken = enqueue(c, dst, data);
    flags_set_arith(c, taken ? 0 : FL_ZF);
    NEXT();
}

OP(op_enqcmd)
{
    ENTER();
    if (!(c->msr.pasid & PASID_VALID)) {
        raise_gp(c, 0);
    }
    return command(c, op, false);
}

OP(op_enqcmds)
{
    ENTER();
    require_cpl0(c);
    return command(c, op, true);
}
