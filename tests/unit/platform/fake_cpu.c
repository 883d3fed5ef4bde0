/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_cpu.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct cpu_group *cpu_group_new(const struct cpu_group_config *config)
{
    struct cpu_group *group = calloc(1, sizeof(*group));

    group->config = *config;
    for (unsigned i = 0; i < CPU_MAX; i++) {
        group->cpu[i].group = group;
        group->cpu[i].index = i;
    }
    return group;
}

void cpu_group_free(struct cpu_group *group)
{
    free(group);
}

void cpu_group_reset(struct cpu_group *group)
{
    for (unsigned i = 0; i < CPU_MAX; i++)
        group->cpu[i] = (struct cpu){.group = group, .index = i};
}

void cpu_group_reseed(struct cpu_group *group, uint64_t seed)
{
}

struct cpu *cpu_group_get(struct cpu_group *group, unsigned index)
{
    return &group->cpu[index];
}

void cpu_group_ram_written(struct cpu_group *group, uint64_t gpa, uint64_t len)
{
}

enum cpu_exit cpu_run(struct cpu *cpu, uint64_t now_ps, uint64_t budget, uint64_t *retired)
{
    assert(budget >= 1 && !cpu->outstanding);
    if (cpu->intr) {
        cpu->group->config.ack(cpu->group->config.opaque, cpu->index);
        cpu->vectors_taken++;
    }
    if (cpu->step == cpu->steps) {
        *retired = 0;
        return CPU_EXIT_HALT;
    }
    const struct fake_step *step = &cpu->script[cpu->step];
    uint64_t left = step->insns - cpu->into;
    *retired = left < budget ? left : budget;
    cpu->retired += *retired;
    cpu->into += *retired;
    if (left > budget)
        return CPU_EXIT_BUDGET;
    cpu->into = 0;
    cpu->step++;
    cpu->outstanding = step->reason == CPU_EXIT_ACCESS;
    return step->reason;
}

const struct cpu_access *cpu_access(const struct cpu *cpu)
{
    assert(cpu->outstanding);
    return &cpu->script[cpu->step - 1].access;
}

void cpu_complete(struct cpu *cpu, const void *data, bool fault)
{
    const struct cpu_access *access = cpu_access(cpu);

    if (data)
        memcpy(cpu->data, data, access->size_bytes);
    cpu->fault = fault;
    cpu->completed++;
    cpu->outstanding = false;
}

void cpu_set_intr(struct cpu *cpu, bool level)
{
    cpu->intr = level;
}

void cpu_raise_nmi(struct cpu *cpu)
{
    cpu->nmis++;
}

void cpu_init_signal(struct cpu *cpu)
{
    cpu->inits++;
}

void cpu_sipi(struct cpu *cpu, uint8_t vector)
{
    cpu->sipis++;
    cpu->sipi_vector = vector;
}

bool cpu_wants_to_run(const struct cpu *cpu)
{
    return cpu->intr || cpu->step < cpu->steps;
}

uint64_t cpu_tsc_at(const struct cpu *cpu, uint64_t now_ps)
{
    return now_ps / 1000;
}

uint64_t cpu_tsc_to_ps(const struct cpu *cpu, uint64_t tsc, uint64_t now_ps)
{
    return tsc > UINT64_MAX / 1000 ? UINT64_MAX : tsc * 1000;
}

uint64_t cpu_now_ps(const struct cpu *cpu)
{
    return cpu->now_ps;
}

void cpu_get_state(const struct cpu *cpu, struct cpu_state *state)
{
    memset(state, 0, sizeof(*state));
}

void cpu_set_state(struct cpu *cpu, const struct cpu_state *state)
{
}

uint64_t cpu_retired_total(const struct cpu *cpu)
{
    return cpu->retired;
}
