/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether guests run: that /dev/kvm opens says little, as some hosts offer one that emulates, or
 * that runs only a part. A guest of a page or so does what a kernel needs (probe_guest.S), each
 * step in a limited time.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "group.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "probe_guest.h"

#define STEP_NS   2000000000ULL
#define ASLEEP_NS 20000000ULL /* what has not come back by then, halts */
#define EOI_GPA   0xfec00040ULL
#define MSI_GPA   0xfee00000ULL
#define MSI_LEVEL (BIT(15) | BIT(14))

_Static_assert(PROBE_REAL == KVM_PROBE_REAL && PROBE_LONG == KVM_PROBE_LONG &&
                   PROBE_PORT == KVM_PROBE_PORT && PROBE_MMIO == KVM_PROBE_MMIO &&
                   PROBE_INTERRUPT == KVM_PROBE_INTERRUPT && PROBE_HALT == KVM_PROBE_HALT &&
                   PROBE_LEVEL == KVM_PROBE_LEVEL && PROBE_TIMER == KVM_PROBE_TIMER &&
                   PROBE_BMI == KVM_PROBE_BMI && PROBE_AVX == KVM_PROBE_AVX,
               "the guest numbers its steps so");

extern const uint8_t kvm_probe_guest[], kvm_probe_guest_end[];

struct probe {
    struct kvm_cpu *cpu;
    struct cpu_group *group;
    enum kvm_probe_step done; /* the last one */
    bool finds_wrong, disordered, eoi_missing, asleep_due, eoi_told, written;
};

static const char *const names[KVM_PROBE_STEPS] = {
    [KVM_PROBE_OPEN] = "a machine",
    [KVM_PROBE_REAL] = "real mode",
    [KVM_PROBE_LONG] = "64-bit mode with paging",
    [KVM_PROBE_PORT] = "reading an I/O port",
    [KVM_PROBE_MMIO] = "memory-mapped I/O",
    [KVM_PROBE_INTERRUPT] = "an interrupt message to the x2APIC",
    [KVM_PROBE_HALT] = "HLT and waking up from it",
    [KVM_PROBE_LEVEL] = "the end of a level-triggered interrupt",
    [KVM_PROBE_TIMER] = "the local APIC's TSC deadline",
    [KVM_PROBE_BMI] = "BMI instructions, which CPUID promises",
    [KVM_PROBE_AVX] = "AVX2 instructions, which CPUID promises",
};

static bool verdict(struct kvm_verdict *v, enum kvm_probe_step failed, const char *why)
{
    v->failed = failed;
    snprintf(v->why, sizeof(v->why), "%s: %s", names[failed], why);
    return false;
}

static void place(uint8_t *ram)
{
    memcpy(ram + PROBE_CODE, kvm_probe_guest, (size_t)(kvm_probe_guest_end - kvm_probe_guest));
    le64_store(ram + PROBE_PAGES, PROBE_PAGES + 0x1003);
    le64_store(ram + PROBE_PAGES + 0x1000, PROBE_PAGES + 0x2003);
    le64_store(ram + PROBE_PAGES + 0x2000, 0x83);
    le64_store(ram + PROBE_PAGES + 0x2008, 0x200083);
}

static void enter(struct cpu *cpu)
{
    struct cpu_state state;

    kvm_get_state(cpu, &state);
    state.rip = PROBE_CODE;
    state.seg[CPU_CS].base = state.seg[CPU_CS].selector = 0;
    kvm_set_state(cpu, &state);
}

static void want(struct probe *p, uint8_t step)
{
    if (step == KVM_PROBE_INTERRUPT)
        kvm_group_msi(p->group, MSI_GPA, PROBE_VECTOR);
    else if (step == KVM_PROBE_LEVEL)
        kvm_group_msi(p->group, MSI_GPA, PROBE_LEVEL_VECTOR | MSI_LEVEL);
    else if (step == KVM_PROBE_HALT)
        p->asleep_due = true;
}

/* The EOI may be told a little later than the guest is done with it. */
static void finish(struct probe *p, uint8_t step)
{
    p->disordered |= step != p->done + 1 || (step == KVM_PROBE_MMIO && !p->written);
    p->eoi_missing = step == KVM_PROBE_TIMER && !p->eoi_told;
    if (p->eoi_missing)
        p->done = KVM_PROBE_LEVEL - 1;
    else if (!p->disordered)
        p->done = step;
}

/* What a read gives: in `data`. */
static void answer(struct probe *p, const struct cpu_access *a, uint8_t data[8])
{
    if (a->kind == CPU_IO_WRITE && a->addr == PROBE_PORT_DONE)
        finish(p, a->data[0]);
    else if (a->kind == CPU_IO_WRITE && a->addr == PROBE_PORT_WANT)
        want(p, a->data[0]);
    else if (a->kind == CPU_IO_WRITE && a->addr == PROBE_PORT_WRONG)
        p->finds_wrong = true;
    else if (a->kind == CPU_IO_READ && a->addr == PROBE_PORT_READ)
        data[0] = PROBE_PORT_VALUE;
    else if (a->kind == CPU_MEM_READ && a->addr == PROBE_MMIO_GPA && a->size_bytes == 4)
        le32_store(data, PROBE_MMIO_VALUE);
    else if (a->kind == CPU_MEM_WRITE && a->addr == PROBE_MMIO_GPA + 8)
        p->written = a->size_bytes == 4 && le32_load(a->data) == (uint32_t)~PROBE_MMIO_VALUE;
    else if (a->kind == CPU_MEM_WRITE && a->addr == EOI_GPA)
        p->eoi_told = le32_load(a->data) == PROBE_LEVEL_VECTOR;
    else
        p->disordered = true;
}

/* One that has halted is in KVM's hands. */
static const char *wake(struct probe *p)
{
    struct kvm_group *g = p->cpu->group;
    struct kvm_mp_state state = {0};

    p->asleep_due = false;
    if (kvm_control(g, p->cpu->fd, KVM_GET_MP_STATE, &state) < 0 ||
        state.mp_state != KVM_MP_STATE_HALTED)
        return "it does not halt";
    kvm_group_msi(p->group, MSI_GPA, PROBE_VECTOR);
    return NULL;
}

/* Until the next access, or why there will be none; NULL: go on. */
static const char *advance(struct probe *p)
{
    struct kvm_group *g = p->cpu->group;
    uint8_t data[8] = {0};

    switch (kvm_stay(p->cpu, kvm_now_ns(g) + (p->asleep_due ? ASLEEP_NS : STEP_NS))) {
    case KVM_STAY_TIME: return p->asleep_due ? wake(p) : "nothing happens within 2 s";
    case KVM_STAY_DOWN: return g->failure ? g->failure : "the processor shuts down (triple fault)";
    case KVM_STAY_ACCESS: break;
    }
    answer(p, kvm_access((struct cpu *)(void *)p->cpu), data);
    kvm_complete((struct cpu *)(void *)p->cpu, data, false);
    return p->finds_wrong   ? "the guest finds another result"
           : p->eoi_missing ? "KVM does not tell of it"
           : p->disordered  ? "the guest does something else than it should"
                            : NULL;
}

static bool run(struct probe *p, struct kvm_verdict *v)
{
    while (p->done + 1 < KVM_PROBE_STEPS) {
        const char *why = advance(p);

        if (why)
            return verdict(v, p->done + 1, why);
    }
    *v = (struct kvm_verdict){.failed = KVM_PROBE_STEPS};
    return true;
}

bool kvm_probe(const struct kvm_host *host, struct kvm_verdict *v)
{
    uint8_t *ram =
        mmap(NULL, PROBE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct cpu_ram piece = {.size = PROBE_BYTES, .host = ram};
    struct cpu_group_config config = {.count = 1, .ps_per_insn = 1, .ram = &piece, .ram_count = 1};
    GError *error = NULL;

    if (ram == MAP_FAILED)
        return verdict(v, KVM_PROBE_OPEN, "out of memory");
    struct cpu_group *group = kvm_group_new(&config, host, EOI_GPA, &error);
    bool ok = false;
    if (group) {
        struct probe p = {.group = group, .cpu = &((struct kvm_group *)(void *)group)->cpu[0]};

        place(ram);
        enter((struct cpu *)(void *)p.cpu);
        ok = run(&p, v);
        cpu_group_free(group);
    } else {
        verdict(v, KVM_PROBE_OPEN, error->message);
        g_error_free(error);
    }
    munmap(ram, PROBE_BYTES);
    return ok;
}
