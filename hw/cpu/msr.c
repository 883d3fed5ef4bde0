/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model-specific registers, RDTSC, CPUID, RDRAND. SDM volume 4, and Linux 6.12's expectations.
 * Those that belong to the local APIC leave the processor as bus accesses. Unknown ones: #GP(0).
 */
#include <stddef.h>

#include "exec.h"
#include "segment.h"

enum msr_kind {
    MSR_PLAIN,     /* stored in struct cpu at `offset` */
    MSR_CANONICAL, /* likewise, must be canonical */
    MSR_CONST,     /* reads `value`; writes are #GP */
    MSR_IGNORE,    /* reads `value`; writes go nowhere */
    MSR_SPECIAL,
};

struct msr_row {
    uint32_t number;
    enum msr_kind kind;
    size_t offset;
    uint64_t value; /* constant; or mask of writable bits (others are #GP) */
};

#define FIELD(f) offsetof(struct cpu, msr.f)

enum {
    MSR_TSC = 0x10,
    MSR_TSC_ADJUST = 0x3B,
    MSR_ARCH_CAPABILITIES = 0x10A,
    MSR_PAT = 0x277,
    MSR_EFER = 0xC0000080,
    MSR_FS_BASE = 0xC0000100,
    MSR_GS_BASE = 0xC0000101,
};

/* UNIMPL: MTRRs, and split lock detection (MSR_TEST_CTRL): Linux says at boot that they are not
 * there. */
static const struct msr_row rows[] = {
    {MSR_TSC, MSR_SPECIAL, 0, 0},
    {0x17, MSR_CONST, 0, 0}, /* PLATFORM_ID */
    {MSR_TSC_ADJUST, MSR_SPECIAL, 0, 0},
    {0x48, MSR_PLAIN, FIELD(spec_ctrl), 0x407}, /* SPEC_CTRL: IBRS, STIBP, SSBD, BHI_DIS_S */
    {0x49, MSR_PLAIN, FIELD(discard), 0x1},     /* PRED_CMD: IBPB */
    /* CHOICE: BIOS_SIGN_ID: a microcode revision newer than any of this model, since Linux 6.16
     * taints a kernel on a revision older than the last one it knows (intel-ucode-defs.h). */
    {0x8B, MSR_IGNORE, 0, 0x0D00FFFFULL << 32},
    {MSR_ARCH_CAPABILITIES, MSR_SPECIAL, 0, 0},
    {0x174, MSR_PLAIN, FIELD(sysenter_cs), 0xFFFFFFFF},
    {0x175, MSR_CANONICAL, FIELD(sysenter_esp), ~0ULL},
    {0x176, MSR_CANONICAL, FIELD(sysenter_eip), ~0ULL},
    /* CHOICE: machine checks exist, and no bank that could report one (SDM volume 3, 16.3.1); a
     * processor without the feature makes Linux complain. */
    {0x179, MSR_CONST, 0, 0},                         /* MCG_CAP */
    {0x17A, MSR_PLAIN, FIELD(mcg_status), 0x7},       /* MCG_STATUS: RIPV, EIPV, MCIP */
    {0x1A0, MSR_PLAIN, FIELD(misc_enable), ~0ULL},    /* MISC_ENABLE */
    {0xD93, MSR_PLAIN, FIELD(pasid), CPU_PASID_BITS}, /* PASID */
    {0xDA0, MSR_PLAIN, FIELD(xss), BIT(10)},          /* XSS: PASID state */
    {0x1D9, MSR_IGNORE, 0, 0},                        /* DEBUGCTL: no branch records */
    {MSR_PAT, MSR_SPECIAL, FIELD(pat), ~0ULL},
    {MSR_EFER, MSR_SPECIAL, 0, 0},
    {0xC0000081, MSR_PLAIN, FIELD(star), ~0ULL},
    {0xC0000082, MSR_CANONICAL, FIELD(lstar), ~0ULL},
    {0xC0000083, MSR_CANONICAL, FIELD(cstar), ~0ULL},
    {0xC0000084, MSR_PLAIN, FIELD(fmask), 0xFFFFFFFF},
    {MSR_FS_BASE, MSR_SPECIAL, 0, 0},
    {MSR_GS_BASE, MSR_SPECIAL, 0, 0},
    {0xC0000102, MSR_CANONICAL, FIELD(kernel_gs_base), ~0ULL},
    {0xC0000103, MSR_PLAIN, FIELD(tsc_aux), 0xFFFFFFFF},
};

static const struct msr_row *msr_find(uint32_t number)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].number == number) {
            return &rows[i];
        }
    }
    return NULL;
}

static bool msr_is_apic(uint32_t number)
{
    return number == 0x1B || number == 0x6E0 || (number >= 0x800 && number <= 0x8FF);
}

static uint64_t read_special(struct cpu *c, uint32_t number)
{
    switch (number) {
    case MSR_TSC: return cpu_tsc_now(c);
    case MSR_TSC_ADJUST: return c->msr.tsc_adjust;
    case MSR_ARCH_CAPABILITIES: return cpuid_arch_capabilities();
    case MSR_PAT: return c->msr.pat;
    case MSR_EFER: return c->efer;
    case MSR_FS_BASE: return c->seg[CPU_FS].base;
    default: return c->seg[CPU_GS].base;
    }
}

static void write_efer(struct cpu *c, uint64_t v)
{
    if (v & ~(uint64_t)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE) ||
        ((v ^ c->efer) & EFER_LME && c->cr0 & CR0_PG)) {
        raise_gp(c, 0);
    }
    uint64_t old = c->efer;
    c->efer = (v & ~(uint64_t)EFER_LMA) | (old & EFER_LMA);
    if ((old ^ c->efer) & EFER_NXE) {
        tlb_flush(c, true);
    }
}

static void write_special(struct cpu *c, uint32_t number, uint64_t v)
{
    switch (number) {
    case MSR_TSC: {
        uint64_t delta = v - cpu_tsc_now(c);
        c->tsc_offset += delta;
        c->msr.tsc_adjust += delta;
        break;
    }
    case MSR_TSC_ADJUST:
        c->tsc_offset += v - c->msr.tsc_adjust;
        c->msr.tsc_adjust = v;
        break;
    case MSR_PAT:
        for (unsigned i = 0; i < 64; i += 8) {
            unsigned type = v >> i & 0xFF;
            if (type > 7 || type == 2 || type == 3) {
                raise_gp(c, 0);
            }
        }
        c->msr.pat = v;
        break;
    case MSR_EFER: write_efer(c, v); break;
    case MSR_FS_BASE:
    case MSR_GS_BASE:
        if (!is_canonical(v)) {
            raise_gp(c, 0);
        }
        cpu_set_seg_base(c, number == MSR_FS_BASE ? CPU_FS : CPU_GS, v);
        break;
    default: raise_gp(c, 0);
    }
}

OP(op_rdmsr)
{
    ENTER();
    require_cpl0(c);
    uint32_t number = (uint32_t)c->gpr[CPU_RCX];
    uint64_t v = 0;
    if (msr_is_apic(number)) {
        bus_access(c, CPU_MSR_READ, number, 8, &v);
    } else {
        const struct msr_row *r = msr_find(number);
        if (!r) {
            raise_gp(c, 0);
        }
        v = r->kind == MSR_SPECIAL ? read_special(c, number)
            : r->kind == MSR_CONST || r->kind == MSR_IGNORE
                ? r->value
                : *(const uint64_t *)((const char *)c + r->offset);
    }
    c->gpr[CPU_RAX] = (uint32_t)v;
    c->gpr[CPU_RDX] = v >> 32;
    NEXT();
}

OP(op_wrmsr)
{
    ENTER();
    require_cpl0(c);
    uint32_t number = (uint32_t)c->gpr[CPU_RCX];
    uint64_t v = (uint32_t)c->gpr[CPU_RAX] | c->gpr[CPU_RDX] << 32;
    if (msr_is_apic(number)) {
        bus_access(c, CPU_MSR_WRITE, number, 8, &v);
        END();
    }
    const struct msr_row *r = msr_find(number);
    if (!r || r->kind == MSR_CONST) {
        raise_gp(c, 0);
    }
    if (r->kind == MSR_SPECIAL) {
        write_special(c, number, v);
    } else if (r->kind != MSR_IGNORE) {
        if (v & ~r->value || (r->kind == MSR_CANONICAL && !is_canonical(v))) {
            raise_gp(c, 0);
        }
        *(uint64_t *)((char *)c + r->offset) = v;
        c->msr.discard = 0;
    }
    END();
}

static void check_tsd(struct cpu *c)
{
    if (c->cr4 & CR4_TSD && c->cpl != 0) {
        raise_gp(c, 0);
    }
}

OP(op_rdtsc)
{
    ENTER();
    check_tsd(c);
    uint64_t v = cpu_tsc_now(c);
    c->gpr[CPU_RAX] = (uint32_t)v;
    c->gpr[CPU_RDX] = v >> 32;
    NEXT();
}

OP(op_rdtscp)
{
    ENTER();
    check_tsd(c);
    uint64_t v = cpu_tsc_now(c);
    c->gpr[CPU_RAX] = (uint32_t)v;
    c->gpr[CPU_RDX] = v >> 32;
    c->gpr[CPU_RCX] = (uint32_t)c->msr.tsc_aux;
    NEXT();
}

/* CPUID.0AH reports no performance counters, so that any index is wrong. */
OP(op_rdpmc)
{
    ENTER();
    raise_gp(c, 0);
}

OP(op_cpuid)
{
    ENTER();
    struct cpuid_regs r = cpuid_query(c, (uint32_t)c->gpr[CPU_RAX], (uint32_t)c->gpr[CPU_RCX]);
    c->gpr[CPU_RAX] = r.eax;
    c->gpr[CPU_RBX] = r.ebx;
    c->gpr[CPU_RCX] = r.ecx;
    c->gpr[CPU_RDX] = r.edx;
    NEXT();
}

/* RDRAND, RDSEED: always ready. */
OP(op_rdrand)
{
    ENTER();
    reg_write(c, op->rm, op->size, sim_rng_next(&c->rng));
    flags_set_arith(c, FL_CF);
    NEXT();
}

/* ---- Time ---- */

/* now_ps * tsc_hz / 10^12; the fraction has been reduced. */
static uint64_t ps_to_ticks(const struct cpu_group *g, uint64_t now_ps)
{
    uint64_t t;
    if (likely(!__builtin_mul_overflow(now_ps, g->tsc_num, &t))) {
        return t / g->tsc_den;
    }
    return (uint64_t)((unsigned __int128)now_ps * g->tsc_num / g->tsc_den);
}

uint64_t soft_tsc_at(const struct cpu *c, uint64_t now_ps)
{
    return ps_to_ticks(c->group, now_ps) + c->tsc_offset;
}

uint64_t soft_tsc_to_ps(const struct cpu *c, uint64_t tsc, uint64_t now_ps)
{
    /* Wrapping: a TSC that has been reached already is not more than half the range behind. */
    int64_t ahead = (int64_t)(tsc - soft_tsc_at(c, now_ps));
    if (ahead <= 0) {
        return now_ps;
    }
    const struct cpu_group *g = c->group;
    unsigned __int128 ticks = (unsigned __int128)ps_to_ticks(g, now_ps) + (uint64_t)ahead;
    unsigned __int128 ps = (ticks * g->tsc_den + g->tsc_num - 1) / g->tsc_num;
    return ps > UINT64_MAX ? UINT64_MAX : (uint64_t)ps;
}

uint64_t soft_now_ps(const struct cpu *c)
{
    return c->now_ps + cpu_run_done(c) * c->group->config.ps_per_insn;
}

uint64_t cpu_tsc_now(const struct cpu *c)
{
    return soft_tsc_at(c, soft_now_ps(c));
}
