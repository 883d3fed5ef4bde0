/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab/cpu/cpu.h, for whichever back end a processor has. */
#include "pcilab/cpu/back_end.h"

static const struct cpu_back_end *of_group(const struct cpu_group *group)
{
    return ((const struct cpu_head *)(const void *)group)->back_end;
}

static const struct cpu_back_end *of(const struct cpu *cpu)
{
    return ((const struct cpu_head *)(const void *)cpu)->back_end;
}

void cpu_group_free(struct cpu_group *group)
{
    if (group)
        of_group(group)->group_free(group);
}

void cpu_group_reset(struct cpu_group *group)
{
    of_group(group)->group_reset(group);
}

void cpu_group_reseed(struct cpu_group *group, uint64_t seed)
{
    of_group(group)->group_reseed(group, seed);
}

struct cpu *cpu_group_get(struct cpu_group *group, unsigned index)
{
    return of_group(group)->group_get(group, index);
}

void cpu_group_ram_written(struct cpu_group *group, uint64_t gpa, uint64_t len)
{
    of_group(group)->group_ram_written(group, gpa, len);
}

enum cpu_exit cpu_run(struct cpu *cpu, uint64_t now_ps, uint64_t budget, uint64_t *retired)
{
    return of(cpu)->run(cpu, now_ps, budget, retired);
}

const struct cpu_access *cpu_access(const struct cpu *cpu)
{
    return of(cpu)->access(cpu);
}

void cpu_complete(struct cpu *cpu, const void *data, bool fault)
{
    of(cpu)->complete(cpu, data, fault);
}

void cpu_set_intr(struct cpu *cpu, bool level)
{
    of(cpu)->set_intr(cpu, level);
}

void cpu_raise_nmi(struct cpu *cpu)
{
    of(cpu)->raise_nmi(cpu);
}

void cpu_init_signal(struct cpu *cpu)
{
    of(cpu)->init_signal(cpu);
}

void cpu_sipi(struct cpu *cpu, uint8_t vector)
{
    of(cpu)->sipi(cpu, vector);
}

bool cpu_wants_to_run(const struct cpu *cpu)
{
    return of(cpu)->wants_to_run(cpu);
}

uint64_t cpu_tsc_at(const struct cpu *cpu, uint64_t now_ps)
{
    return of(cpu)->tsc_at(cpu, now_ps);
}

uint64_t cpu_tsc_to_ps(const struct cpu *cpu, uint64_t tsc, uint64_t now_ps)
{
    return of(cpu)->tsc_to_ps(cpu, tsc, now_ps);
}

uint64_t cpu_now_ps(const struct cpu *cpu)
{
    return of(cpu)->now_ps(cpu);
}

void cpu_get_state(const struct cpu *cpu, struct cpu_state *state)
{
    of(cpu)->get_state(cpu, state);
}

void cpu_set_state(struct cpu *cpu, const struct cpu_state *state)
{
    of(cpu)->set_state(cpu, state);
}

uint64_t cpu_retired_total(const struct cpu *cpu)
{
    return of(cpu)->retired_total(cpu);
}
