/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of a boot's past. */
#ifndef PCILAB_CLI_PAST_H
#define PCILAB_CLI_PAST_H

#include <sys/types.h>

#include "past_wire.h"

/* A process that waits. */
struct past_point {
    pid_t pid;
    int fd;
    struct machine_place at;
    uint64_t virtual_ps; /* over all resets */
    uint64_t inputs;     /* where those that came later begin */
};

/* How a place is reached. */
struct past_way {
    unsigned point;
    struct gdb_journey journey;
};

struct boot_past {
    struct boot_run *run;
    struct past_inputs inputs;
    bool replays; /* inputs come from a recording, which each process has */

    /* In the present. */
    GArray *points; /* struct past_point, in order of time */
    int64_t kept_us, cost_us;
    int away; /* index of the point whose process has the debugger; -1: none */
    struct past_way way;
    GByteArray *state; /* what the debugger has said so far */

    /* In a process of the past. */
    int fd;                     /* to the present */
    struct machine_place first; /* where history begins */
    struct past_replay replay;
    bool told;
    unsigned looks;
};

static inline struct past_point *past_point_at(const struct boot_past *past, unsigned index)
{
    return &g_array_index(past->points, struct past_point, index);
}

#endif
