/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine under a debugger: which processor stopped and why, its state and memory. For callers
 * while the machine does not run. The guest sees nothing of it: the same run with and without.
 *
 * A stop of a processor pauses the machine (MACHINE_PAUSED); the others have not run further.
 *
 * Units: addresses and lengths in bytes.
 */
#ifndef PCILAB_PLATFORM_DEBUG_H
#define PCILAB_PLATFORM_DEBUG_H

#include "pcilab/cpu/debug.h"
#include "pcilab/platform/machine.h"

unsigned machine_debug_cpus(const struct machine *machine);
struct cpu *machine_debug_cpu(struct machine *machine, unsigned index);
struct cpu_group *machine_debug_group(struct machine *machine);
/* "running", "halted", "waits for a device", "waits for a start-up interrupt" or "shut down". */
const char *machine_debug_cpu_doing(const struct machine *machine, unsigned index);

/* The processor that has stopped, or -1. */
int machine_debug_stopped(const struct machine *machine);
/* A processor that waits for a device, whose doing an event then may be, or -1. */
int machine_debug_waiting(const struct machine *machine);
/* Before machine_run() after a stop, or to begin with steps. step: index of the processor that is
 * to finish one instruction and stop, the others run as time goes by; -1: none. */
void machine_debug_resume(struct machine *machine, int step);

/*
 * A place in the run, and which of two comes first: the same in each run of the same machine with
 * the same inputs, however it is sliced and stopped.
 */
struct machine_place {
    uint64_t retired; /* instructions of all processors */
    uint64_t at_ps;   /* of the processor that stopped, or else the machine's clock */
    bool stopped;     /* a processor stopped there: behind what happens at that instant */
};
struct machine_place machine_debug_place(const struct machine *machine);
/* Less than, equal to or greater than 0. */
int machine_place_compare(const struct machine_place *a, const struct machine_place *b);

/* From now on nothing comes from outside but from `log`, which must stay (NULL: as before); sinks
 * of the trace are gone. For a process of its own, which has the machine's past to go through. */
void machine_debug_be_past(struct machine *machine, const struct sim_input_log *log);

/* Guest RAM at addresses as the processor sees them, or physical ones (cpu NULL). Returns how many
 * bytes there were before the first that is not RAM. Device memory is not reached: reading it may
 * change it. */
uint64_t machine_debug_read(struct machine *machine, const struct cpu *cpu, uint64_t addr,
                            void *data, uint64_t len);
uint64_t machine_debug_write(struct machine *machine, const struct cpu *cpu, uint64_t addr,
                             const void *data, uint64_t len);

#endif
