/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a debugger needs of the processors: stops at instructions and data, single steps, and a look
 * through the page tables. The guest sees none of it: stops cost no virtual time, change no
 * register, and a run with them is the same run. Without stops nothing is paid.
 *
 * CHOICE: a stop knows a linear address, not whose: it is met in every address space.
 *
 * Units: linear addresses in bytes. Ownership: stops belong to the group.
 */
#ifndef PCILAB_CPU_DEBUG_H
#define PCILAB_CPU_DEBUG_H

#include "pcilab/cpu/cpu.h"

#define CPU_STOPS_MAX 64

enum cpu_stop_kind {
    CPU_STOP_NONE,
    CPU_STOP_STEP,   /* one instruction was finished, or an interrupt or exception delivered */
    CPU_STOP_EXEC,   /* the instruction there would be the next */
    CPU_STOP_WRITE,  /* the previous instruction wrote there */
    CPU_STOP_READ,   /* read there */
    CPU_STOP_ACCESS, /* either */
};

struct cpu_stop {
    enum cpu_stop_kind kind;
    uint64_t la;
    uint64_t len; /* of data */
};

/* One of the last four kinds; the same stop may be added more than once. False: there are
 * CPU_STOPS_MAX already; of remove: there is no such. */
bool cpu_group_stop_add(struct cpu_group *group, const struct cpu_stop *stop);
bool cpu_group_stop_remove(struct cpu_group *group, const struct cpu_stop *stop);
void cpu_group_stops_clear(struct cpu_group *group);
/* All of them; returns how many. */
unsigned cpu_group_stops_get(const struct cpu_group *group, struct cpu_stop stops[CPU_STOPS_MAX]);

/* Why cpu_run() last returned CPU_EXIT_STOP; kind is CPU_STOP_NONE once cpu_resume() was called. */
struct cpu_stop cpu_stopped(const struct cpu *cpu);
/* To be called before a stopped processor runs on: it goes past the instruction where it stands.
 * `step`: and stops after one instruction. */
void cpu_resume(struct cpu *cpu, bool step);
/* After cpu_resume(): if there is a stop at the instruction where it stands, it stops there. */
void cpu_stop_again(struct cpu *cpu);

/* Between two instructions, with none half done: cpu_set_state() loses nothing. */
bool cpu_at_boundary(const struct cpu *cpu);

/* Where a linear address is, as the page tables say now; sets no accessed bit, asks for no
 * permission. False: it is nowhere. */
bool cpu_debug_translate(const struct cpu *cpu, uint64_t la, uint64_t *gpa);

#endif
