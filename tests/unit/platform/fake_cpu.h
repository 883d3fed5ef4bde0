/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processors for tests: they record what their wires do, and run a script instead of a program.
 * Defines the functions of pcilab/cpu/cpu.h that the platform calls.
 */
#ifndef PCILAB_TESTS_UNIT_PLATFORM_FAKE_CPU_H
#define PCILAB_TESTS_UNIT_PLATFORM_FAKE_CPU_H

#include "pcilab/cpu/cpu.h"

/* Run for `insns` instructions, then leave with `reason` (and that access). */
struct fake_step {
    uint64_t insns;
    enum cpu_exit reason;
    struct cpu_access access;
};

struct cpu {
    struct cpu_group *group;
    unsigned index;
    bool intr;
    unsigned nmis, inits, sipis;
    uint8_t sipi_vector;

    const struct fake_step *script;
    unsigned step, steps;
    uint64_t into; /* instructions of the step already run */
    bool outstanding, fault;
    uint8_t data[CPU_ACCESS_MAX_SIZE]; /* of the last completed read */
    unsigned completed, vectors_taken;
    uint64_t retired;
    uint64_t now_ps; /* set by tests */
};

struct cpu_group {
    struct cpu_group_config config;
    struct cpu cpu[CPU_MAX];
};

#endif
