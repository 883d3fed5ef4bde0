/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab boot --gdb: a debugger beside the run. */
#ifndef PCILAB_CLI_BOOT_GDB_H
#define PCILAB_CLI_BOOT_GDB_H

#include "boot_past.h"
#include "pcilab/gdb/gdb.h"

struct boot_gdb {
    /* Answers "monitor inspect WORDS"; NULL: nobody does. Set by the caller. */
    char *(*query)(struct machine *machine, const char *words);
    struct boot_past *past;    /* NULL: there is no way back. Set by the caller, freed here. */
    const char *no_past;       /* why; or NULL */
    struct gdb_server *server; /* NULL: none is wanted */
    bool waits;                /* the machine does not start before somebody is there */
};

/* Listens; `text` is "[HOST:]PORT[,nowait]". Says on stderr how to connect. Reports errors itself.
 * It stays where it is until it is cleared. */
bool boot_gdb_start(struct boot_gdb *gdb, struct machine *machine, const char *text);
/* Before the machine is freed. */
void boot_gdb_clear(struct boot_gdb *gdb);

/* Before a slice. True: this is another process now, in the past (run->past_here), and has to look
 * anew what is to be done. */
bool boot_gdb_leaves(struct boot_gdb *gdb, struct boot_run *run);
/* How far a slice may go. */
uint64_t boot_gdb_slice_ps(const struct boot_gdb *gdb, uint64_t slice_ps);
/* The machine starts anew. */
void boot_gdb_restarts(struct boot_gdb *gdb);
/* In the past, and the machine is no more. */
G_GNUC_NORETURN void boot_gdb_past_ends(struct boot_gdb *gdb);
/* After a slice: takes what the debugger has sent. */
void boot_gdb_slice(struct boot_gdb *gdb);
/* The debugger keeps the machine from running; waits a little for a word from it. */
bool boot_gdb_holds(struct boot_gdb *gdb);
bool boot_gdb_killed(const struct boot_gdb *gdb);
void boot_gdb_end(struct boot_gdb *gdb, int status);

#endif
