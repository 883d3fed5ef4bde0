/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interpreter's side of pcilab/cpu/back_end.h. */
#ifndef HW_CPU_SOFT_H
#define HW_CPU_SOFT_H

#include "pcilab/cpu/back_end.h"

void soft_group_free(struct cpu_group *group);
void soft_group_reset(struct cpu_group *group);
void soft_group_reseed(struct cpu_group *group, uint64_t seed);
struct cpu *soft_group_get(struct cpu_group *group, unsigned index);
void soft_group_ram_written(struct cpu_group *group, uint64_t gpa, uint64_t len);
enum cpu_exit soft_run(struct cpu *cpu, uint64_t now_ps, uint64_t budget, uint64_t *retired);
const struct cpu_access *soft_access(const struct cpu *cpu);
void soft_complete(struct cpu *cpu, const void *data, bool fault);
void soft_set_intr(struct cpu *cpu, bool level);
void soft_raise_nmi(struct cpu *cpu);
void soft_init_signal(struct cpu *cpu);
void soft_sipi(struct cpu *cpu, uint8_t vector);
bool soft_wants_to_run(const struct cpu *cpu);
uint64_t soft_tsc_at(const struct cpu *cpu, uint64_t now_ps);
uint64_t soft_tsc_to_ps(const struct cpu *cpu, uint64_t tsc, uint64_t now_ps);
uint64_t soft_now_ps(const struct cpu *cpu);
void soft_get_state(const struct cpu *cpu, struct cpu_state *state);
void soft_set_state(struct cpu *cpu, const struct cpu_state *state);
uint64_t soft_retired_total(const struct cpu *cpu);

#endif
