/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What CPUID tells a guest: what KVM supports here (KVM_GET_SUPPORTED_CPUID), with the topology,
 * the x2APIC and the clock of this machine. Leaves are those of the Intel SDM, volume 2A
 * (325383-084), CPUID.
 *
 * CHOICE: a plain machine: neither KVM's own leaves nor the bit that tells of a hypervisor. Kernels
 * then time themselves by leaf 15h, and take interrupt remapping and the IOMMU as they are. Only
 * Intel's processors have that leaf; on others, which have no clock here that Linux could measure
 * the TSC by, the guest sees KVM, and of what KVM offers the clock (Linux 6.12,
 * Documentation/virt/kvm/x86/cpuid.rst).
 */
#include <asm/kvm_para.h>
#include <errno.h>
#include <string.h>

#include "group.h"
#include "pcilab/base/bits.h"

#define ENTRIES_MAX G_N_ELEMENTS(((struct kvm_leaves *)0)->entry)

/* "GenuineIntel" */
#define INTEL_EBX 0x756e6547u
#define INTEL_EDX 0x49656e69u
#define INTEL_ECX 0x6c65746eu

#define LEAF1_ECX_MONITOR      BIT(3)
#define LEAF1_ECX_X2APIC       BIT(21)
#define LEAF1_ECX_TSC_DEADLINE BIT(24)
#define LEAF1_ECX_HYPERVISOR   BIT(31)
#define LEAF1_EDX_HTT          BIT(28)

#define KVM_CLOCK (1u << KVM_FEATURE_CLOCKSOURCE2 | 1u << KVM_FEATURE_CLOCKSOURCE_STABLE_BIT)

#define APIC_TIMER_HZ 1000000000u /* what KVM's local APICs count */
/* Linux multiplies the crystal's kHz by the numerator in 32 bits (native_calibrate_tsc()). */
#define TSC_NUMERATOR_MAX (UINT32_MAX / (APIC_TIMER_HZ / 1000))

static bool is_intel(const struct kvm_leaves *cpuid)
{
    for (unsigned i = 0; i < cpuid->nent; i++) {
        const struct kvm_cpuid_entry2 *e = &cpuid->entry[i];

        if (e->function == 0)
            return e->ebx == INTEL_EBX && e->edx == INTEL_EDX && e->ecx == INTEL_ECX;
    }
    return false;
}

static bool is_ours(uint32_t function, bool plain)
{
    bool of_kvm = function >> 28 == 4 && (plain || function > KVM_CPUID_FEATURES);

    return function == 0xb || function == 0x15 || function == 0x16 || function == 0x1f || of_kvm;
}

static void drop_ours(struct kvm_leaves *cpuid, bool plain)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < cpuid->nent; i++) {
        if (!is_ours(cpuid->entry[i].function, plain))
            cpuid->entry[kept++] = cpuid->entry[i];
    }
    cpuid->nent = kept;
}

static bool add(struct kvm_leaves *cpuid, const struct kvm_cpuid_entry2 *entry)
{
    if (cpuid->nent == ENTRIES_MAX)
        return false;
    cpuid->entry[cpuid->nent++] = *entry;
    return true;
}

static void shape_features(struct kvm_cpuid_entry2 *e, unsigned index, unsigned count, bool plain)
{
    e->ebx = (e->ebx & 0xffff) | index << 24 | count << 16;
    e->ecx &= (uint32_t) ~(LEAF1_ECX_HYPERVISOR | LEAF1_ECX_MONITOR);
    e->ecx |= (uint32_t)(LEAF1_ECX_X2APIC | LEAF1_ECX_TSC_DEADLINE);
    if (!plain)
        e->ecx |= (uint32_t)LEAF1_ECX_HYPERVISOR;
    e->edx &= (uint32_t)~LEAF1_EDX_HTT;
    if (count > 1)
        e->edx |= (uint32_t)LEAF1_EDX_HTT;
}

/* One core a processor, all in one package. */
static bool add_topology(struct kvm_leaves *cpuid, unsigned index, unsigned count)
{
    const struct kvm_cpuid_entry2 levels[] = {
        {.index = 0, .ebx = 1, .ecx = 0x100, .edx = index},
        {.index = 1, .eax = 3, .ebx = count, .ecx = 0x201, .edx = index},
        {.index = 2, .ecx = 2, .edx = index},
    };
    _Static_assert(CPU_MAX <= 8, "the package is 3 bits of the APIC ID");

    for (unsigned i = 0; i < ARRAY_LEN(levels); i++) {
        struct kvm_cpuid_entry2 entry = levels[i];

        entry.function = 0xb;
        entry.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
        if (!add(cpuid, &entry))
            return false;
    }
    return true;
}

/* The TSC's rate as a multiple of the timer's: the nearest fraction whose numerator is allowed. */
static struct kvm_cpuid_entry2 clock_leaf(unsigned tsc_khz)
{
    struct kvm_cpuid_entry2 leaf = {.function = 0x15, .ecx = APIC_TIMER_HZ};
    uint64_t timer_khz = APIC_TIMER_HZ / 1000, best = UINT64_MAX;

    for (uint64_t down = 1; down <= TSC_NUMERATOR_MAX; down++) {
        uint64_t up = (tsc_khz * down + timer_khz / 2) / timer_khz;
        uint64_t rate = timer_khz * up / down;
        uint64_t off = rate > tsc_khz ? rate - tsc_khz : tsc_khz - rate;

        if (up && up <= TSC_NUMERATOR_MAX && off < best) {
            best = off;
            leaf.eax = (uint32_t)down;
            leaf.ebx = (uint32_t)up;
        }
    }
    return leaf;
}

bool kvm_cpuid_shape(struct kvm_leaves *cpuid, unsigned index, unsigned count, unsigned tsc_khz)
{
    const struct kvm_cpuid_entry2 clock = clock_leaf(tsc_khz);
    const struct kvm_cpuid_entry2 rate = {.function = 0x16, .eax = tsc_khz / 1000};

    bool plain = is_intel(cpuid);

    drop_ours(cpuid, plain);
    for (unsigned i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *e = &cpuid->entry[i];

        if (e->function == 0 && e->eax < 0x16)
            e->eax = 0x16;
        else if (e->function == 1)
            shape_features(e, index, count, plain);
        else if (e->function == KVM_CPUID_FEATURES)
            e->eax &= KVM_CLOCK;
    }
    return add_topology(cpuid, index, count) && add(cpuid, &clock) && add(cpuid, &rate);
}

/* Some hosts list leaves that hold nothing, up to the end: they make room. */
static void drop_empty(struct kvm_leaves *cpuid)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < cpuid->nent; i++) {
        const struct kvm_cpuid_entry2 *e = &cpuid->entry[i];

        if (e->eax | e->ebx | e->ecx | e->edx)
            cpuid->entry[kept++] = *e;
    }
    cpuid->nent = kept;
}

bool kvm_cpuid_set(struct kvm_group *g, struct kvm_cpu *cpu, GError **error)
{
    struct kvm_leaves *cpuid = g_new0(struct kvm_leaves, 1);

    cpuid->nent = ENTRIES_MAX;
    int rc = kvm_control(g, g->sys_fd, KVM_GET_SUPPORTED_CPUID, cpuid);
    if (rc >= 0 && cpuid->nent > ENTRIES_MAX)
        rc = -E2BIG;
    bool ok = rc >= 0;
    if (ok) {
        drop_empty(cpuid);
        ok = kvm_cpuid_shape(cpuid, cpu->index, g->config.count, g->tsc_khz);
        rc = ok ? kvm_control(g, cpu->fd, KVM_SET_CPUID2, cpuid) : -E2BIG;
        if (rc < 0)
            ok = kvm_failed(error, "KVM_SET_CPUID2", rc);
    } else {
        kvm_failed(error, "KVM_GET_SUPPORTED_CPUID", rc);
    }
    g_free(cpuid);
    return ok;
}
