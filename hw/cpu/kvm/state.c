/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The architectural state of a processor that KVM has. */
#include <assert.h>
#include <string.h>

#include "group.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

#define MSR_KERNEL_GS_BASE 0xc0000102u

/* struct kvm_lapic_state: the registers of SDM 3A, table 11-1, at their offsets. */
#define LVT_LINT1  0x360
#define LVT_MASKED BIT(16)
#define LVT_MODE   GENMASK(10, 8)
#define MODE_NMI   4u

/* FXSAVE64 (SDM 1, table 10-2). */
enum { FX_FCW = 0, FX_FSW = 2, FX_FTW = 4, FX_FOP = 6, FX_RIP = 8, FX_RDP = 16, FX_MXCSR = 24 };
enum { FX_ST = 32, FX_XMM = 160 };

struct one_msr { /* as struct kvm_msrs */
    uint32_t nmsrs, pad;
    struct kvm_msr_entry entry[1];
};

static struct kvm_cpu *of(const struct cpu *cpu)
{
    return (struct kvm_cpu *)(void *)cpu;
}

static int control(const struct kvm_cpu *cpu, unsigned long request, void *arg)
{
    return kvm_control(cpu->group, cpu->fd, request, arg);
}

static struct kvm_segment *segment(struct kvm_sregs *s, unsigned i)
{
    struct kvm_segment *const all[CPU_SEG_COUNT] = {
        [CPU_ES] = &s->es, [CPU_CS] = &s->cs, [CPU_SS] = &s->ss,    [CPU_DS] = &s->ds,
        [CPU_FS] = &s->fs, [CPU_GS] = &s->gs, [CPU_LDTR] = &s->ldt, [CPU_TR] = &s->tr};

    return all[i];
}

static void put_segment(struct kvm_segment *to, const struct cpu_seg *from)
{
    *to = (struct kvm_segment){
        .base = from->base,
        .limit = from->limit,
        .selector = from->selector,
        .type = from->attr & 0xf,
        .s = from->attr >> 4 & 1,
        .dpl = from->attr >> 5 & 3,
        .present = from->attr >> 7 & 1,
        .avl = from->attr >> 8 & 1,
        .l = from->attr >> 9 & 1,
        .db = from->attr >> 10 & 1,
        .g = from->attr >> 11 & 1,
        .unusable = !(from->attr >> 7 & 1),
    };
}

static struct cpu_seg get_segment(const struct kvm_segment *s)
{
    return (struct cpu_seg){
        .selector = s->selector,
        .limit = s->limit,
        .base = s->base,
        .attr = (uint16_t)(s->type | s->s << 4 | s->dpl << 5 | (s->present && !s->unusable) << 7 |
                           s->avl << 8 | s->l << 9 | s->db << 10 | s->g << 11),
    };
}

/* Both number the registers otherwise: a, c, d, b here; a, b, c, d there. */
static __u64 *gpr(struct kvm_regs *r, unsigned i)
{
    __u64 *const all[16] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp, &r->rsi, &r->rdi,
                            &r->r8,  &r->r9,  &r->r10, &r->r11, &r->r12, &r->r13, &r->r14, &r->r15};

    return all[i];
}

static void get_fpu(const struct kvm_cpu *cpu, uint8_t *fx)
{
    struct kvm_fpu f = {0};

    (void)control(cpu, KVM_GET_FPU, &f);
    le16_store(fx + FX_FCW, f.fcw);
    le16_store(fx + FX_FSW, f.fsw);
    fx[FX_FTW] = f.ftwx;
    le16_store(fx + FX_FOP, f.last_opcode);
    le64_store(fx + FX_RIP, f.last_ip);
    le64_store(fx + FX_RDP, f.last_dp);
    le32_store(fx + FX_MXCSR, f.mxcsr);
    memcpy(fx + FX_ST, f.fpr, sizeof(f.fpr));
    memcpy(fx + FX_XMM, f.xmm, sizeof(f.xmm));
}

static void set_fpu(const struct kvm_cpu *cpu, const uint8_t *fx)
{
    struct kvm_fpu f = {
        .fcw = le16_load(fx + FX_FCW),
        .fsw = le16_load(fx + FX_FSW),
        .ftwx = fx[FX_FTW],
        .last_opcode = le16_load(fx + FX_FOP),
        .last_ip = le64_load(fx + FX_RIP),
        .last_dp = le64_load(fx + FX_RDP),
        .mxcsr = le32_load(fx + FX_MXCSR),
    };

    memcpy(f.fpr, fx + FX_ST, sizeof(f.fpr));
    memcpy(f.xmm, fx + FX_XMM, sizeof(f.xmm));
    (void)control(cpu, KVM_SET_FPU, &f);
}

static void get_control(const struct kvm_cpu *cpu, struct cpu_state *state)
{
    struct kvm_sregs s = {0};

    (void)control(cpu, KVM_GET_SREGS, &s);
    for (unsigned i = 0; i < CPU_SEG_COUNT; i++)
        state->seg[i] = get_segment(segment(&s, i));
    state->gdt_base = s.gdt.base;
    state->gdt_limit = s.gdt.limit;
    state->idt_base = s.idt.base;
    state->idt_limit = s.idt.limit;
    state->cr0 = s.cr0;
    state->cr2 = s.cr2;
    state->cr3 = s.cr3;
    state->cr4 = s.cr4;
    state->efer = s.efer;
}

static int set_control(const struct kvm_cpu *cpu, const struct cpu_state *state)
{
    struct kvm_sregs s = {0};
    int rc = control(cpu, KVM_GET_SREGS, &s); /* the APIC base stays */

    if (rc < 0)
        return rc;
    for (unsigned i = 0; i < CPU_SEG_COUNT; i++)
        put_segment(segment(&s, i), &state->seg[i]);
    s.gdt.base = state->gdt_base;
    s.gdt.limit = state->gdt_limit;
    s.idt.base = state->idt_base;
    s.idt.limit = state->idt_limit;
    s.cr0 = state->cr0;
    s.cr2 = state->cr2;
    s.cr3 = state->cr3;
    s.cr4 = state->cr4;
    s.efer = state->efer;
    return control(cpu, KVM_SET_SREGS, &s);
}

/* What cannot be read is 0: for dumps and debuggers. */
void kvm_get_state(const struct cpu *c, struct cpu_state *state)
{
    const struct kvm_cpu *cpu = of(c);
    struct kvm_regs regs = {0};
    struct kvm_debugregs debug = {0};
    struct one_msr msr = {.nmsrs = 1, .entry[0].index = MSR_KERNEL_GS_BASE};

    memset(state, 0, sizeof(*state));
    (void)control(cpu, KVM_GET_REGS, &regs);
    for (unsigned i = 0; i < 16; i++)
        state->gpr[i] = *gpr(&regs, i);
    state->rip = regs.rip;
    state->rflags = regs.rflags;
    get_control(cpu, state);
    (void)control(cpu, KVM_GET_MSRS, &msr);
    state->fs_kernel_gs_base = msr.entry[0].data;
    (void)control(cpu, KVM_GET_DEBUGREGS, &debug);
    memcpy(state->dr, debug.db, sizeof(debug.db));
    state->dr[6] = debug.dr6;
    state->dr[7] = debug.dr7;
    get_fpu(cpu, state->fxsave);
}

void kvm_set_state(struct cpu *c, const struct cpu_state *state)
{
    struct kvm_cpu *cpu = of(c);
    struct kvm_regs regs = {.rip = state->rip, .rflags = state->rflags};
    struct kvm_debugregs debug = {.dr6 = state->dr[6], .dr7 = state->dr[7]};
    struct kvm_mp_state runs = {.mp_state = KVM_MP_STATE_RUNNABLE};
    struct one_msr msr = {
        .nmsrs = 1, .entry[0] = {.index = MSR_KERNEL_GS_BASE, .data = state->fs_kernel_gs_base}};

    assert(!cpu->outstanding);
    for (unsigned i = 0; i < 16; i++)
        *gpr(&regs, i) = state->gpr[i];
    memcpy(debug.db, state->dr, sizeof(debug.db));
    (void)control(cpu, KVM_SET_MP_STATE, &runs);
    if (set_control(cpu, state) < 0 || control(cpu, KVM_SET_REGS, &regs) < 0)
        cpu->down = true; /* a state that no processor can be in */
    (void)control(cpu, KVM_SET_MSRS, &msr);
    (void)control(cpu, KVM_SET_DEBUGREGS, &debug);
    set_fpu(cpu, state->fxsave);
}

/* The NMI button is at LINT1, whose entry decides. */
void kvm_raise_nmi(struct cpu *c)
{
    struct kvm_cpu *cpu = of(c);
    struct kvm_lapic_state lapic;

    if (control(cpu, KVM_GET_LAPIC, &lapic) < 0)
        return;
    uint32_t lvt = le32_load(lapic.regs + LVT_LINT1);
    if (!(lvt & LVT_MASKED) && FIELD_GET(LVT_MODE, lvt) == MODE_NMI)
        (void)control(cpu, KVM_NMI, NULL);
}
