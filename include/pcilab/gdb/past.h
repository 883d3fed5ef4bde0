/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going back (gdb manual, 6 and E.2, packets bc and bs). The machine cannot run backwards: a
 * process that was left in its past goes the same way again, up to the place that is wanted. Which
 * processes there are, and how far they go, is the caller's business; here are the session's parts
 * of it.
 *
 * The present is where the machine really is, and where all that a run does to the outside happens.
 * A process in the past shows what was: nothing can be written there, and its way ends at the
 * present, where the first process takes over.
 */
#ifndef PCILAB_GDB_PAST_H
#define PCILAB_GDB_PAST_H

#include "pcilab/gdb/gdb.h"
#include "pcilab/platform/debug.h"

enum gdb_back { GDB_BACK_NOT, GDB_BACK_CONTINUE, GDB_BACK_STEP };

/* ---- In the process that the debugger talks to ---- */

/* What the debugger waits for. The caller sees to it that another process answers, or calls one of
 * the next functions. */
enum gdb_back gdb_wants_back(const struct gdb *gdb);
/* The processor that is to step back. */
unsigned gdb_back_thread(const struct gdb *gdb);
/* It is not possible, for this reason, a line (NULL: there is nothing before): the machine stands
 * where it stood. */
void gdb_back_ends(struct gdb *gdb, const char *why);
/* Ctrl-C came meanwhile. */
void gdb_back_interrupted(struct gdb *gdb);
/* A process in the past has come to where this one is. */
void gdb_reached_present(struct gdb *gdb);
/* True when memory or registers were written since the last call: no process of the past comes by
 * here. */
bool gdb_take_changed(struct gdb *gdb);

/* What the debugger has said so far, its breaks for example; false: damaged. */
GByteArray *gdb_save(struct gdb *gdb);
bool gdb_load(struct gdb *gdb, const uint8_t *bytes, size_t len);

/* ---- In a process of the past ---- */

#define GDB_COUNT_ONLY UINT64_MAX

struct gdb_journey {
    enum gdb_back how;            /* CONTINUE: stops count; STEP: steps of `thread` */
    struct machine_place bound;   /* those before it (a write to watched data: or there) */
    struct machine_place present; /* where the past ends */
    unsigned thread;
    uint64_t from_ps;     /* steps count from then on */
    uint64_t stop;        /* where to: so many stops from here (0: here), or GDB_COUNT_ONLY */
    struct cpu_stop tell; /* why it stops there, to the debugger; kind CPU_STOP_NONE: as it is */
    bool begin;           /* namely because there is nothing before */
};

/* What was met on the way. */
struct gdb_met {
    uint64_t stops;
    bool start; /* with no step: where it began is the end of the processor's last one */
    /* Of the last one: */
    struct cpu_stop stop; /* kind CPU_STOP_NONE: a break at an event */
    struct machine_place at;
    unsigned thread;
};

enum gdb_travel {
    GDB_AT_HOME, /* no journey was begun */
    GDB_UNDERWAY,
    GDB_COUNTED, /* gdb_met() */
    GDB_LOST,    /* not the way that it was: there are fewer stops */
    GDB_ARRIVED, /* the debugger was told, and this is its process now */
    GDB_AT_PRESENT,
};

/* The stops are those of gdb_load(). Then the machine is to run, and gdb_after_run() looks. */
void gdb_travel(struct gdb *gdb, const struct gdb_journey *journey);
enum gdb_travel gdb_travels(const struct gdb *gdb);
const struct gdb_met *gdb_met(const struct gdb *gdb);
/* How far the machine may run at once. */
uint64_t gdb_travel_slice_ps(const struct gdb *gdb, uint64_t slice_ps);

#endif
