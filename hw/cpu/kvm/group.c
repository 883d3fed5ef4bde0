/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processors of the host as pcilab/cpu/cpu.h has them: life, time, interrupt messages. */
#include <assert.h>
#include <string.h>

#include "group.h"
#include "pcilab/base/bits.h"

#define PS_PER_NS 1000u
/* CHOICE: virtual time, which devices may push ahead while a processor waits for them, runs at most
 * so far ahead of the host's. */
#define AHEAD_MAX_NS 1000000u
/* CHOICE: how long a halted processor is looked after in its turn, when others run and when none
 * does. */
#define HALTED_TURN_NS 20000u
#define ASLEEP_TURN_NS 250000u

#define MSI_DATA_LEVEL BIT(15)

static struct kvm_group *group_of(const struct cpu_group *group)
{
    return (struct kvm_group *)(void *)group;
}

static struct kvm_cpu *of(const struct cpu *cpu)
{
    return (struct kvm_cpu *)(void *)cpu;
}

/* ---- Time ---- */

static uint64_t clock_ps(struct kvm_group *g, uint64_t now_ps)
{
    uint64_t ns = kvm_now_ns(g);

    if (!g->clock_runs) {
        g->clock_runs = true;
        g->clock_ns = ns - now_ps / PS_PER_NS;
    }
    return (ns - g->clock_ns) * PS_PER_NS;
}

static bool all_halted(const struct kvm_group *g)
{
    for (unsigned i = 0; i < g->count; i++) {
        if (!g->cpu[i].halted)
            return false;
    }
    return true;
}

/* KVM keeps a halted processor to itself. Among several, its turn is short. */
static uint64_t turn_end(const struct kvm_cpu *cpu, uint64_t now_ns, uint64_t until_ns)
{
    const struct kvm_group *g = cpu->group;

    if (!cpu->halted)
        return until_ns;
    return MIN(until_ns, now_ns + (all_halted(g) ? ASLEEP_TURN_NS : HALTED_TURN_NS));
}

static void look_if_halted(struct kvm_cpu *cpu, enum kvm_stay how)
{
    struct kvm_mp_state state = {0};

    if (cpu->group->config.count == 1)
        return;
    cpu->halted = how == KVM_STAY_TIME &&
                  kvm_control(cpu->group, cpu->fd, KVM_GET_MP_STATE, &state) >= 0 &&
                  state.mp_state != KVM_MP_STATE_RUNNABLE;
}

/*
 * One thread, and a clock that is the host's: a processor that comes back is where the host's clock
 * is, whatever of that time others had. UNIMPL: processors that run at the same time.
 */
static enum cpu_exit kvm_run(struct cpu *c, uint64_t now_ps, uint64_t budget, uint64_t *retired)
{
    struct kvm_cpu *cpu = of(c);
    struct kvm_group *g = cpu->group;
    uint64_t step_ps = g->config.ps_per_insn, host_ps = clock_ps(g, now_ps);

    *retired = 0;
    if (cpu->outstanding)
        return CPU_EXIT_ACCESS;
    if (cpu->down)
        return CPU_EXIT_SHUTDOWN;
    if (now_ps > host_ps + AHEAD_MAX_NS * PS_PER_NS)
        g->host->ops->wait_ns(g->host->opaque, (now_ps - host_ps) / PS_PER_NS - AHEAD_MAX_NS);
    uint64_t until_ns = g->clock_ns + (now_ps + budget * step_ps) / PS_PER_NS;
    enum kvm_stay how = kvm_stay(cpu, turn_end(cpu, kvm_now_ns(g), until_ns));
    look_if_halted(cpu, how);
    host_ps = clock_ps(g, now_ps);
    if (host_ps > now_ps)
        *retired = (host_ps - now_ps) / step_ps;
    cpu->now_ps = now_ps + *retired * step_ps;
    return how == KVM_STAY_ACCESS ? CPU_EXIT_ACCESS
           : how == KVM_STAY_DOWN ? CPU_EXIT_SHUTDOWN
                                  : CPU_EXIT_BUDGET;
}

static uint64_t kvm_cpu_now_ps(const struct cpu *cpu)
{
    return of(cpu)->now_ps;
}

static uint64_t kvm_tsc_at(const struct cpu *cpu, uint64_t now_ps)
{
    return (uint64_t)((unsigned __int128)now_ps * of(cpu)->group->tsc_khz / 1000000000u);
}

static uint64_t kvm_tsc_to_ps(const struct cpu *cpu, uint64_t tsc, uint64_t now_ps)
{
    unsigned __int128 ps = (unsigned __int128)tsc * 1000000000u / of(cpu)->group->tsc_khz;

    return ps > UINT64_MAX ? UINT64_MAX : MAX((uint64_t)ps, now_ps);
}

/* UNIMPL: instructions are not counted. */
static uint64_t kvm_retired_total(const struct cpu *cpu)
{
    return 0;
}

/* ---- Interrupts ---- */

/* Those who have local APICs of their own would use these; here the kernel has them. */
static void kvm_set_intr(struct cpu *cpu, bool level)
{
}

static void kvm_init_signal(struct cpu *cpu)
{
}

static void kvm_sipi(struct cpu *cpu, uint8_t vector)
{
}

static bool kvm_wants_to_run(const struct cpu *cpu)
{
    return true;
}

static bool same_message(const struct kvm_msi *a, const struct kvm_msi *b)
{
    return a->address_lo == b->address_lo && a->address_hi == b->address_hi && a->data == b->data;
}

/* KVM tells of the EOIs of vectors that a route of a pin has, level-triggered. */
static void set_routes(struct kvm_group *g)
{
    struct { /* as struct kvm_irq_routing */
        uint32_t nr, flags;
        struct kvm_irq_routing_entry entry[KVM_PINS];
    } table = {.nr = g->route_count};

    for (unsigned i = 0; i < g->route_count; i++) {
        table.entry[i] =
            (struct kvm_irq_routing_entry){.gsi = i,
                                           .type = KVM_IRQ_ROUTING_MSI,
                                           .u.msi = {.address_lo = g->route[i].address_lo,
                                                     .address_hi = g->route[i].address_hi,
                                                     .data = g->route[i].data}};
    }
    (void)kvm_control(g, g->vm_fd, KVM_SET_GSI_ROUTING, &table);
}

/* As many messages are remembered as the IOAPIC has pins: the oldest is none that still waits for
 * its EOI, as each pin waits for one. */
static void remember_level(struct kvm_group *g, const struct kvm_msi *msi)
{
    for (unsigned i = 0; i < g->route_count; i++) {
        if (same_message(&g->route[i], msi))
            return;
    }
    g->route[g->route_next] = *msi;
    g->route_next = (g->route_next + 1) % KVM_PINS;
    g->route_count = MIN(g->route_count + 1, KVM_PINS);
    set_routes(g);
}

void kvm_group_msi(struct cpu_group *group, uint64_t addr, uint32_t data)
{
    struct kvm_group *g = group_of(group);
    struct kvm_msi msi = {
        .address_lo = (uint32_t)addr, .address_hi = (uint32_t)(addr >> 32), .data = data};

    if (data & MSI_DATA_LEVEL)
        remember_level(g, &msi);
    (void)kvm_control(g, g->vm_fd, KVM_SIGNAL_MSI, &msi);
}

const char *kvm_group_failure(const struct cpu_group *group)
{
    return group_of(group)->failure;
}

/* ---- Life ---- */

static void kvm_free(struct cpu_group *group)
{
    struct kvm_group *g = group_of(group);

    kvm_machine_close(g);
    g_free(g->ram);
    g_free(g->failure);
    g_free(g);
}

static void kvm_reset(struct cpu_group *group)
{
    struct kvm_group *g = group_of(group);
    GError *error = NULL;

    kvm_machine_close(g);
    g_clear_pointer(&g->failure, g_free);
    for (unsigned i = 0; i < g->config.count; i++)
        g->cpu[i].outstanding = g->cpu[i].io_goes_on = g->cpu[i].down = g->cpu[i].halted = false;
    if (kvm_machine_open(g, &error))
        return;
    g->failure = g_strdup_printf("no second machine: %s", error->message);
    g_error_free(error);
    for (unsigned i = 0; i < g->config.count; i++)
        g->cpu[i].down = true;
}

/* CHOICE: RDRAND and RDSEED are the host's; a seed changes nothing. */
static void kvm_reseed(struct cpu_group *group, uint64_t seed)
{
}

static struct cpu *kvm_get(struct cpu_group *group, unsigned index)
{
    assert(index < group_of(group)->config.count);
    return (struct cpu *)(void *)&group_of(group)->cpu[index];
}

static void kvm_ram_written(struct cpu_group *group, uint64_t gpa, uint64_t len)
{
}

static const struct cpu_back_end kvm_back_end = {
    .group_free = kvm_free,
    .group_reset = kvm_reset,
    .group_reseed = kvm_reseed,
    .group_get = kvm_get,
    .group_ram_written = kvm_ram_written,
    .run = kvm_run,
    .access = kvm_access,
    .complete = kvm_complete,
    .set_intr = kvm_set_intr,
    .raise_nmi = kvm_raise_nmi,
    .init_signal = kvm_init_signal,
    .sipi = kvm_sipi,
    .wants_to_run = kvm_wants_to_run,
    .tsc_at = kvm_tsc_at,
    .tsc_to_ps = kvm_tsc_to_ps,
    .now_ps = kvm_cpu_now_ps,
    .get_state = kvm_get_state,
    .set_state = kvm_set_state,
    .retired_total = kvm_retired_total,
};

struct cpu_group *kvm_group_new(const struct cpu_group_config *config, const struct kvm_host *host,
                                uint64_t eoi_gpa, GError **error)
{
    assert(config->count >= 1 && config->count <= CPU_MAX && config->ps_per_insn);
    struct kvm_group *g = g_new0(struct kvm_group, 1);

    g->head.back_end = &kvm_back_end;
    g->config = *config;
    g->ram = g_memdup2(config->ram, config->ram_count * sizeof(*config->ram));
    g->config.ram = g->ram;
    g->host = host;
    g->eoi_gpa = eoi_gpa;
    for (unsigned i = 0; i < config->count; i++)
        g->cpu[i] =
            (struct kvm_cpu){.head.back_end = &kvm_back_end, .group = g, .index = i, .fd = -1};
    if (kvm_machine_open(g, error))
        return (struct cpu_group *)(void *)g;
    kvm_free((struct cpu_group *)(void *)g);
    return NULL;
}
