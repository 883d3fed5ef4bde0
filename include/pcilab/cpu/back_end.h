/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes a processor run: the interpreter, or the host's own processor (pcilab/cpu/kvm.h).
 * Every struct cpu and struct cpu_group begins with the table of its back end; the functions of
 * pcilab/cpu/cpu.h of the same names, which say what they do, are calls through it (back_end.c).
 */
#ifndef PCILAB_CPU_BACK_END_H
#define PCILAB_CPU_BACK_END_H

#include "pcilab/cpu/cpu.h"

struct cpu_back_end {
    void (*group_free)(struct cpu_group *group);
    void (*group_reset)(struct cpu_group *group);
    void (*group_reseed)(struct cpu_group *group, uint64_t seed);
    struct cpu *(*group_get)(struct cpu_group *group, unsigned index);
    void (*group_ram_written)(struct cpu_group *group, uint64_t gpa, uint64_t len);
    enum cpu_exit (*run)(struct cpu *cpu, uint64_t now_ps, uint64_t budget, uint64_t *retired);
    const struct cpu_access *(*access)(const struct cpu *cpu);
    void (*complete)(struct cpu *cpu, const void *data, bool fault);
    void (*set_intr)(struct cpu *cpu, bool level);
    void (*raise_nmi)(struct cpu *cpu);
    void (*init_signal)(struct cpu *cpu);
    void (*sipi)(struct cpu *cpu, uint8_t vector);
    bool (*wants_to_run)(const struct cpu *cpu);
    uint64_t (*tsc_at)(const struct cpu *cpu, uint64_t now_ps);
    uint64_t (*tsc_to_ps)(const struct cpu *cpu, uint64_t tsc, uint64_t now_ps);
    uint64_t (*now_ps)(const struct cpu *cpu);
    void (*get_state)(const struct cpu *cpu, struct cpu_state *state);
    void (*set_state)(struct cpu *cpu, const struct cpu_state *state);
    uint64_t (*retired_total)(const struct cpu *cpu);
};

/* What struct cpu and struct cpu_group of every back end begin with. */
struct cpu_head {
    const struct cpu_back_end *back_end;
};

#endif
