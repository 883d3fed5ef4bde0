/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processors as a group: creation, reset, modes, architectural state for boot and debuggers. */
#include <assert.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "debug.h"
#include "exec.h"
#include "segment.h"

/* ---- Derived state ---- */

void cpu_update_mode(struct cpu *c)
{
    unsigned attr = c->seg[CPU_CS].attr;
    enum cpu_mode mode = in_long_mode(c) && attr & ATTR_L         ? MODE_64
                         : in_protected_mode(c) && attr & ATTR_D  ? MODE_32
                         : !in_protected_mode(c) && attr & ATTR_D ? MODE_32
                                                                  : MODE_16;
    unsigned user = c->cpl == 3;
    bool legacy = c->mode != MODE_64 || mode != MODE_64;
    c->mode = (uint8_t)mode;
    c->tlb = c->tlbs[user];
    c->epoch = c->epochs[user];
    if (legacy) {
        /* The way from RIP to a block also depends on the CS base and mode. */
        block_new_epoch(c, true, true);
    }
}

void cpu_update_slow(struct cpu *c)
{
    c->slow = (c->eflags & (FL_TF | FL_RF)) || debug_armed(c) || c->stepping ||
              c->stop.kind != CPU_STOP_NONE;
}

void cpu_set_seg_base(struct cpu *c, unsigned seg, uint64_t base)
{
    c->seg[seg].base = base;
    if (seg == CPU_FS) {
        c->gpr[R_FS] = base;
    } else if (seg == CPU_GS) {
        c->gpr[R_GS] = base;
    }
}

/* ---- Reset ---- */

static void reset_segments(struct cpu *c)
{
    for (unsigned s = 0; s < CPU_SEG_COUNT; s++) {
        c->seg[s] = (struct cpu_seg){.attr = 0x93, .limit = 0xFFFF};
        cpu_set_seg_base(c, s, 0);
    }
    c->seg[CPU_CS].selector = 0xF000;
    cpu_set_seg_base(c, CPU_CS, 0xFFFF0000);
    c->seg[CPU_LDTR].attr = 0x82;
    c->seg[CPU_TR].attr = 0x8B;
}

/* SDM volume 3, table 9-1. INIT keeps the FPU, most MSRs, and CD and NW. */
void cpu_reset_init(struct cpu *c, bool power_on)
{
    uint64_t keep = c->cr0 & (CR0_CD | CR0_NW);
    memset(c->gpr, 0, sizeof(c->gpr));
    c->gpr[R_BIG] = 1 << 30;
    c->gpr[CPU_RDX] = 0x000606A6;
    c->rip = 0xFFF0;
    c->eflags = 0;
    flags_set_arith(c, 0);
    reset_segments(c);
    c->gdt_base = c->idt_base = 0;
    c->gdt_limit = c->idt_limit = 0xFFFF;
    c->cr0 = CR0_ET | (power_on ? CR0_CD | CR0_NW : keep);
    c->cr2 = c->cr3 = c->cr4 = c->efer = 0;
    c->xcr0 = power_on ? 1 : c->xcr0; /* x87 */
    memset(c->dr, 0, sizeof(c->dr));
    c->dr[6] = DR6_ONE;
    c->dr[7] = DR7_ONE;
    c->cpl = 0;
    c->run_state = c->index == 0 ? RUN_OK : RUN_WAIT_SIPI;
    c->nmi_pending = c->nmi_blocked = c->init_pending = false;
    c->db_pending = 0;
    c->shadow_at = c->shadow_ss_at = UINT64_MAX;
    c->acc_outstanding = false;
    c->log_count = c->log_pos = 0;
    c->in_block = c->delivering = c->smc = false;
    c->link = NULL;
    if (power_on) {
        memset(&c->msr, 0, sizeof(c->msr));
        c->msr.pat = 0x0007040600070406ULL;
        c->msr.misc_enable = 1; /* fast strings */
        c->tsc_offset = 0;
        c->intr = false;
        fpu_reset(&c->fpu);
    }
    cpu_update_mode(c);
    cpu_update_slow(c);
    tlb_flush(c, true);
}

void soft_group_reseed(struct cpu_group *g, uint64_t seed)
{
    g->config.seed = seed;
    for (unsigned n = 0; n < g->config.count; n++) {
        char name[32];
        snprintf(name, sizeof(name), "cpu%u", n);
        sim_rng_init(&g->cpus[n]->rng, seed, name);
    }
}

void soft_group_reset(struct cpu_group *g)
{
    soft_group_reseed(g, g->config.seed);
    for (unsigned n = 0; n < g->config.count; n++) {
        cpu_reset_init(g->cpus[n], true);
    }
}

/* ---- Creation ---- */

static const struct cpu_back_end soft_back_end = {
    .group_free = soft_group_free,
    .group_reset = soft_group_reset,
    .group_reseed = soft_group_reseed,
    .group_get = soft_group_get,
    .group_ram_written = soft_group_ram_written,
    .run = soft_run,
    .access = soft_access,
    .complete = soft_complete,
    .set_intr = soft_set_intr,
    .raise_nmi = soft_raise_nmi,
    .init_signal = soft_init_signal,
    .sipi = soft_sipi,
    .wants_to_run = soft_wants_to_run,
    .tsc_at = soft_tsc_at,
    .tsc_to_ps = soft_tsc_to_ps,
    .now_ps = soft_now_ps,
    .get_state = soft_get_state,
    .set_state = soft_set_state,
    .retired_total = soft_retired_total,
};

static struct cpu *cpu_new(struct cpu_group *g, unsigned index)
{
    struct cpu *c = aligned_alloc(64, (sizeof(*c) + 63) & ~63ULL);
    if (!c) {
        g_error("out of memory");
    }
    memset(c, 0, sizeof(*c));
    c->head.back_end = &soft_back_end;
    c->group = g;
    c->index = index;
    c->scratch = g_malloc0(sizeof(struct block) + BLOCK_MAX_OPS * sizeof(struct op));
    return c;
}

struct cpu_group *cpu_group_new(const struct cpu_group_config *config)
{
    assert(config->count >= 1 && config->count <= CPU_MAX && config->tsc_hz > 0);
    struct cpu_group *g = g_new0(struct cpu_group, 1);
    g->head.back_end = &soft_back_end;
    g->config = *config;
    g->ram_count = config->ram_count;
    g->ram = g_new0(struct ram_range, config->ram_count);
    g->phys_mask = low_mask(config->phys_bits ? config->phys_bits : 46);
    g->tsc_den = 1000000000000ULL / gcd64(config->tsc_hz, 1000000000000ULL);
    g->tsc_num = config->tsc_hz / gcd64(config->tsc_hz, 1000000000000ULL);
    g->next_epoch = 1;
    for (unsigned i = 0; i < config->ram_count; i++) {
        g->ram[i].ram = config->ram[i];
        g->ram[i].code = g_new0(struct code_page *, config->ram[i].size >> 12);
    }
    g->config.ram = NULL;
    for (unsigned n = 0; n < config->count; n++) {
        g->cpus[n] = cpu_new(g, n);
    }
    soft_group_reset(g);
    return g;
}

void soft_group_free(struct cpu_group *g)
{
    block_free_all(g);
    for (unsigned n = 0; n < g->config.count; n++) {
        g_free(g->cpus[n]->scratch);
        free(g->cpus[n]);
    }
    for (unsigned i = 0; i < g->ram_count; i++) {
        g_free(g->ram[i].code);
    }
    g_free(g->ram);
    g_free(g);
}

struct cpu *soft_group_get(struct cpu_group *g, unsigned index)
{
    assert(index < g->config.count);
    return g->cpus[index];
}

/* ---- State ---- */

void soft_get_state(const struct cpu *c, struct cpu_state *s)
{
    memset(s, 0, sizeof(*s));
    memcpy(s->gpr, c->gpr, sizeof(s->gpr));
    s->rip = c->rip;
    s->rflags = flags_get(c);
    memcpy(s->seg, c->seg, sizeof(s->seg));
    s->gdt_base = c->gdt_base;
    s->gdt_limit = c->gdt_limit;
    s->idt_base = c->idt_base;
    s->idt_limit = c->idt_limit;
    s->cr0 = c->cr0;
    s->cr2 = c->cr2;
    s->cr3 = c->cr3;
    s->cr4 = c->cr4;
    s->efer = c->efer;
    s->fs_kernel_gs_base = c->msr.kernel_gs_base;
    memcpy(s->dr, c->dr, sizeof(s->dr));
    fpu_fxsave(&c->fpu, s->fxsave, FPU_FX_64);
}

void soft_set_state(struct cpu *c, const struct cpu_state *s)
{
    memcpy(c->gpr, s->gpr, sizeof(s->gpr));
    c->rip = s->rip;
    flags_set_arith(c, (uint32_t)s->rflags);
    c->eflags = (uint32_t)s->rflags & ~(uint32_t)(FL_ARITH | FL_FIXED);
    for (unsigned i = 0; i < CPU_SEG_COUNT; i++) {
        c->seg[i] = s->seg[i];
        cpu_set_seg_base(c, i, s->seg[i].base);
    }
    c->gdt_base = s->gdt_base;
    c->gdt_limit = s->gdt_limit;
    c->idt_base = s->idt_base;
    c->idt_limit = s->idt_limit;
    c->cr0 = s->cr0;
    c->cr2 = s->cr2;
    c->cr3 = s->cr3;
    c->cr4 = s->cr4;
    c->efer = s->efer;
    c->msr.kernel_gs_base = s->fs_kernel_gs_base;
    memcpy(c->dr, s->dr, sizeof(c->dr));
    fpu_fxrstor(&c->fpu, s->fxsave, FPU_FX_64);
    /* CPL is the stack segment's DPL (SDM volume 3, 24.4.1 of the guest-state area). */
    c->cpl = in_protected_mode(c) ? (uint8_t)attr_dpl(c->seg[CPU_SS].attr) : 0;
    if (c->run_state == RUN_HALTED) {
        c->run_state = RUN_OK;
    }
    c->db_pending = 0;
    c->shadow_at = c->shadow_ss_at = UINT64_MAX;
    c->acc_outstanding = false;
    c->log_count = c->log_pos = 0;
    c->link = NULL;
    cpu_update_mode(c);
    cpu_update_slow(c);
    tlb_flush(c, true);
}
