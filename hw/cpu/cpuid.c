/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the processor says about itself: an Ice Lake server with x86-64-v1 and what else is really
 * implemented. SDM volume 2, CPUID. The vendor and model make Linux take TSC and LAPIC frequencies
 * from leaves 15H and 16H; ARCH_CAPABILITIES says that no mitigation is needed.
 */
#include <glib.h>

#include "core.h"

struct cpuid_row {
    uint32_t leaf, subleaf; /* subleaf ANY: the leaf has none */
    struct cpuid_regs regs;
};

#define ANY 0xFFFFFFFFu

#define EDX1                                                                                       \
    (BIT(0) /* FPU */ | BIT(2) /* DE */ | BIT(3) /* PSE */ | BIT(4) /* TSC */ | BIT(5) /* MSR */ | \
     BIT(6) /* PAE */ | BIT(7) /* MCE */ | BIT(8) /* CX8 */ | BIT(9) /* APIC */ |                  \
     BIT(11) /* SEP */ | BIT(13) /* PGE */ | BIT(14) /* MCA: no banks */ | BIT(15) /* CMOV */ |    \
     BIT(16) /* PAT */ | BIT(17) /* PSE36 */ | BIT(19) /* CLFSH */ | BIT(23) /* MMX */ |           \
     BIT(24) /* FXSR */ | BIT(25) /* SSE */ | BIT(26) /* SSE2 */ | BIT(27) /* SS: self-snoop */)
#define EDX1_HTT BIT(28)
#define ECX1                                                                                       \
    (BIT(13) /* CX16 */ | BIT(21) /* x2APIC */ | BIT(24) /* TSC_DEADLINE */ |                      \
     BIT(26) /* XSAVE */ | BIT(30) /* RDRAND */)
#define EBX7                                                                                       \
    (BIT(0) /* FSGSBASE */ | BIT(1) /* TSC_ADJUST */ | BIT(6) /* FDP_EXCPTN_ONLY */ |              \
     BIT(7) /* SMEP */ | BIT(9) /* ERMS */ | BIT(13) /* FCS and FDS are 0 */ |                     \
     BIT(18) /* RDSEED */)
#define ECX7 (BIT(27) /* MOVDIRI */ | BIT(28) /* MOVDIR64B */ | BIT(29) /* ENQCMD */)
#define EDX7                                                                                       \
    (BIT(4) /* FSRM */ | BIT(26) /* SPEC_CTRL */ | BIT(27) /* STIBP */ | BIT(29) /* ARCH_CAPS */)
#define EDX8_1                                                                                     \
    (BIT(11) /* SYSCALL */ | BIT(20) /* NX */ | BIT(26) /* 1 GiB pages */ | BIT(27) /* RDTSCP */ | \
     BIT(29) /* LM */)

/* Leaf 4: EBX = ways - 1, partitions - 1, line - 1; ECX = sets - 1. */
#define CACHE_GEOMETRY(ways, sets) (((ways)-1u) << 22 | 63u), ((sets)-1u)

static const struct cpuid_row rows[] = {
    {0x00, ANY, {0x16, 0x756E6547, 0x6C65746E, 0x49656E69}}, /* GenuineIntel */
    {0x01, ANY, {0x000606A6, 8 << 8, ECX1, EDX1}},           /* family 6 model 6AH stepping 6 */
    {0x02, ANY, {0x00FEFF01, 0xF0, 0, 0}},                   /* TLB, cache: see leaf 4; prefetch */
    {0x04, 0, {0x0121, CACHE_GEOMETRY(12, 64), 0}},          /* L1 data 48 KiB */
    {0x04, 1, {0x0122, CACHE_GEOMETRY(8, 64), 0}},           /* L1 code 32 KiB */
    {0x04, 2, {0x0143, CACHE_GEOMETRY(20, 1024), 0}},        /* L2 1.25 MiB */
    {0x04, 3, {0x0163, CACHE_GEOMETRY(12, 32768), 4}},       /* L3 24 MiB, shared */
    {0x06, ANY, {BIT(2), 0, 0, 0}},                          /* ARAT */
    {0x07, 0, {2, EBX7, ECX7, EDX7}},
    {0x07, 2, {0, 0, 0, BIT(4) /* BHI_CTRL: else Linux clears branch history in software */}},
    {0x0B, 0, {0, 1, 0x100, 0}}, /* one thread per core */
    {0x0B, 1, {0, 1, 0x201, 0}}, /* cores: filled in */
    {0x0D, 0, {3, 576, 576, 0}}, /* x87 and SSE state */
    /* XSAVEOPT, XSAVEC, XGETBV with ECX 1, XSAVES; size filled in; of IA32_XSS: PASID state */
    {0x0D, 1, {0xF, 576, BIT(10), 0}},
    {0x0D, 10, {8, 0, 1, 0}},
    {0x15, ANY, {0, 0, CPU_CRYSTAL_HZ, 0}}, /* filled in */
    {0x16, ANY, {0, 0, 100, 0}},            /* filled in */
    {0x80000000, ANY, {0x80000008, 0, 0, 0}},
    {0x80000001, ANY, {0, 0, BIT(0) /* LAHF */, EDX8_1}},
    {0x80000002, ANY, {0x6C696370, 0x73206261, 0x7774666F, 0x20657261}}, /* "pcilab software " */
    {0x80000003, ANY, {0x636F7270, 0x6F737365, 0x00000072, 0}},          /* "processor" */
    {0x80000004, ANY, {0, 0, 0, 0}},
    {0x80000006, ANY, {0, 0, 0x05007040, 0}}, /* L2: 1280 KiB, 64-byte lines */
    {0x80000007, ANY, {0, 0, 0, BIT(8)}},     /* invariant TSC */
    {0x80000008, ANY, {0x3000, 0, 0, 0}},     /* 48 linear bits; physical filled in */
};

/*
 * RDCL_NO, IBRS_ALL, SKIP_L1DFL, SSB_NO, MDS_NO, PSCHANGE_MC_NO, TAA_NO, SBDR_SSDP_NO, FBSDP_NO,
 * PSDP_NO, BHI_NO, PBRSB_NO, GDS_NO, RFDS_NO, ITS_NO (SDM volume 4, IA32_ARCH_CAPABILITIES).
 */
uint64_t cpuid_arch_capabilities(void)
{
    return BIT(0) | BIT(1) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(8) | BIT(13) | BIT(14) |
           BIT(15) | BIT(20) | BIT(24) | BIT(26) | BIT(27) | BIT(62);
}

uint64_t gcd64(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t t = a % b;
        a = b;
        b = t;
    }
    return a;
}

/* Bits that hold `count` different APIC IDs. */
static unsigned id_bits(unsigned count)
{
    unsigned bits = 0;
    while (1u << bits < count) {
        bits++;
    }
    return bits;
}

static void fill(const struct cpu *c, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *r)
{
    const struct cpu_group_config *cfg = &c->group->config;
    unsigned count = cfg->count;
    switch (leaf) {
    case 0x01:
        r->ebx |= 1u << id_bits(count) << 16 | c->index << 24;
        r->edx |= count > 1 ? (uint32_t)EDX1_HTT : 0;
        r->ecx |= c->cr4 & CR4_OSXSAVE ? BIT(27) : 0;
        break;
    case 0x04:
        r->eax |= r->eax ? ((1u << id_bits(count)) - 1) << 26 : 0;
        if ((r->eax >> 5 & 7) == 3) {
            r->eax |= ((1u << id_bits(count)) - 1) << 14;
        }
        break;
    case 0x0B:
        if (subleaf == 1) {
            r->eax = id_bits(count);
            r->ebx = count;
        }
        r->ecx = (r->ecx & ~0xFFu) | (subleaf & 0xFF);
        r->edx = c->index;
        break;
    case 0x0D: r->ebx += subleaf == 1 && c->msr.xss ? 8 : 0; break;
    case 0x15: {
        uint64_t g = gcd64(cfg->tsc_hz, CPU_CRYSTAL_HZ);
        r->eax = (uint32_t)(CPU_CRYSTAL_HZ / g);
        r->ebx = (uint32_t)(cfg->tsc_hz / g);
        break;
    }
    case 0x16:
        r->eax = (uint32_t)(cfg->tsc_hz / 1000000);
        r->ebx = r->eax;
        break;
    case 0x80000001: r->edx &= c->mode == MODE_64 ? ~0u : ~(uint32_t)BIT(11); break;
    case 0x80000008: r->eax |= (uint32_t)__builtin_popcountll(c->group->phys_mask); break;
    default: break;
    }
}

struct cpuid_regs cpuid_query(const struct cpu *c, uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_regs r = {0};
    uint32_t max = rows[0].regs.eax, emax = 0x80000008;
    /* Beyond the last leaf: what the last basic leaf says. */
    if ((leaf > max && leaf < 0x80000000) || leaf > emax) {
        leaf = max;
    }
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].leaf == leaf && (rows[i].subleaf == ANY || rows[i].subleaf == subleaf)) {
            r = rows[i].regs;
            break;
        }
    }
    fill(c, leaf, subleaf, &r);
    return r;
}
