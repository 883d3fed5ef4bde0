/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fast system calls, SWAPGS, the FS and GS bases. SDM volume 2, volume 3 chapter 5.8. */
#include "exec.h"
#include "segment.h"

/* Flat segments as these instructions load them, without looking at the descriptor table. */
static void flat_code(struct cpu *c, uint16_t selector, unsigned cpl, bool wide)
{
    struct descriptor d = {.selector = (uint16_t)(selector & 0xFFFC),
                           .limit = 0xFFFFFFFF,
                           .attr = (uint16_t)(0x89B | (cpl << 5) | (wide ? ATTR_L : ATTR_D))};
    seg_set_cs(c, &d, cpl);
}

static void flat_stack(struct cpu *c, uint16_t selector, unsigned cpl)
{
    struct descriptor d = {.limit = 0xFFFFFFFF, .attr = (uint16_t)(0xC93 | (cpl << 5))};
    seg_set(c, CPU_SS, (uint16_t)((selector & 0xFFFC) | cpl), &d);
}

OP(op_syscall)
{
    ENTER();
    /* Intel: 64-bit mode only. */
    if (!(c->efer & EFER_SCE) || c->mode != MODE_64) {
        cpu_raise(c, EXC_UD);
    }
    uint64_t flags = flags_get(c);
    c->gpr[CPU_RCX] = op_next_rip(c, op);
    c->gpr[11] = flags & ~(uint64_t)FL_RF;
    uint16_t cs = (uint16_t)(c->msr.star >> 32);
    flat_code(c, cs, 0, true);
    flat_stack(c, (uint16_t)((cs & 0xFFFC) + 8), 0);
    flags_write(c, flags & ~(c->msr.fmask | FL_RF), 0xFFFFFFFF & ~(uint32_t)FL_VM);
    c->rip = c->msr.lstar;
    return NULL;
}

OP(op_sysret)
{
    ENTER();
    if (!(c->efer & EFER_SCE) || c->mode != MODE_64) {
        cpu_raise(c, EXC_UD);
    }
    require_cpl0(c);
    bool wide = op->flags & OPF_W;
    uint64_t rip = c->gpr[CPU_RCX];
    if (wide && !is_canonical(rip)) {
        raise_gp(c, 0);
    }
    uint16_t base = (uint16_t)(c->msr.star >> 48);
    flat_code(c, (uint16_t)(base + (wide ? 16 : 0)), 3, wide);
    flat_stack(c, (uint16_t)(base + 8), 3);
    flags_write(c, c->gpr[11] & 0x3C7FD7, 0xFFFFFFFF & ~(uint32_t)(FL_RF | FL_VM));
    c->eflags &= ~(uint32_t)FL_RF;
    c->rip = wide ? rip : (uint32_t)rip;
    return NULL;
}

OP(op_sysenter)
{
    ENTER();
    uint16_t cs = (uint16_t)(c->msr.sysenter_cs & 0xFFFC);
    if (!in_protected_mode(c) || cs == 0) {
        raise_gp(c, 0);
    }
    bool wide = in_long_mode(c);
    flat_code(c, cs, 0, wide);
    flat_stack(c, (uint16_t)(cs + 8), 0);
    c->eflags &= ~(uint32_t)(FL_IF | FL_VM | FL_RF);
    c->gpr[CPU_RSP] = wide ? c->msr.sysenter_esp : (uint32_t)c->msr.sysenter_esp;
    c->rip = wide ? c->msr.sysenter_eip : (uint32_t)c->msr.sysenter_eip;
    cpu_update_slow(c);
    return NULL;
}

OP(op_sysexit)
{
    ENTER();
    uint16_t cs = (uint16_t)(c->msr.sysenter_cs & 0xFFFC);
    if (!in_protected_mode(c) || cs == 0 || c->cpl != 0) {
        raise_gp(c, 0);
    }
    bool wide = op->flags & OPF_W;
    uint64_t rip = c->gpr[CPU_RDX], rsp = c->gpr[CPU_RCX];
    if (wide && (!is_canonical(rip) || !is_canonical(rsp))) {
        raise_gp(c, 0);
    }
    flat_code(c, (uint16_t)(cs + (wide ? 32 : 16)), 3, wide);
    flat_stack(c, (uint16_t)(cs + (wide ? 40 : 24)), 3);
    c->gpr[CPU_RSP] = wide ? rsp : (uint32_t)rsp;
    c->rip = wide ? rip : (uint32_t)rip;
    return NULL;
}

OP(op_swapgs)
{
    ENTER();
    require_cpl0(c);
    uint64_t base = c->seg[CPU_GS].base;
    cpu_set_seg_base(c, CPU_GS, c->msr.kernel_gs_base);
    c->msr.kernel_gs_base = base;
    NEXT();
}

/* RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE: /0 to /3. */
OP(op_fsgsbase)
{
    ENTER();
    if (!(c->cr4 & CR4_FSGSBASE)) {
        cpu_raise(c, EXC_UD);
    }
    unsigned seg = op->reg & 1 ? CPU_GS : CPU_FS;
    if (op->reg & 2) {
        uint64_t v = reg_read(c, op->rm, op->size);
        if (!is_canonical(v)) {
            raise_gp(c, 0);
        }
        cpu_set_seg_base(c, seg, v);
    } else {
        reg_write(c, op->rm, op->size, c->seg[seg].base);
    }
    NEXT();
}
