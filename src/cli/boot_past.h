/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A boot's past, for a debugger that goes back: while one is connected, copies of this process are
 * left behind now and then, which wait. To go back, the last one before the place that is wanted
 * makes a copy of itself, and that runs, with the inputs that came meanwhile, to the place: what it
 * does reaches nobody but the debugger, whose connection it has. This process, the present, waits
 * until the debugger has come back to it.
 *
 * Nothing of it is seen by the guest.
 */
#ifndef PCILAB_CLI_BOOT_PAST_H
#define PCILAB_CLI_BOOT_PAST_H

#include "pcilab/gdb/past.h"

struct boot_run;
struct boot_past;

/* Why there cannot be one; NULL: there can. A second process must not do to the outside what the
 * first one did, and must find what that found. disks: struct machine_disk; control: may be NULL.
 */
const char *boot_past_hindrance(const struct machine_desc *desc, const GArray *disks,
                                const char *control);
/* Before the machine is made: keeps what comes from outside, and hands it on to what was in `log`.
 */
struct boot_past *boot_past_new(struct sim_input_log *log);
/* Ends all processes of the past. */
void boot_past_free(struct boot_past *past);
/* Says why there is no way back; g_free() it. */
char *boot_past_describe(const struct boot_past *past);

/* The machine is going to run from here. May leave a process, and in a copy of that returns, too:
 * then run->past_here is true. */
void boot_past_keep(struct boot_past *past, struct boot_run *run);
/* Whoever runs on from here has no past: another machine, or nobody who could go back. */
void boot_past_clear(struct boot_past *past);

/* The debugger wants to go back: goes, or tells it why not. */
void boot_past_go(struct boot_past *past, struct gdb_server *server);
/* Another process has the debugger; waits for its word up to so long. */
bool boot_past_is_away(const struct boot_past *past);
void boot_past_wait(struct boot_past *past, struct gdb_server *server, int timeout_ms);

/* In a process of the past, after a slice or a packet: says how far it has come, and when there is
 * no more to do, does not return. */
void boot_past_report(struct boot_past *past, struct gdb_server *server);
/* Likewise: the machine is no more. */
G_GNUC_NORETURN void boot_past_end(struct boot_past *past, struct gdb_server *server);

#endif
