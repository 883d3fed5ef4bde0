/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One pcilab boot, as its files share it. */
#ifndef PCILAB_CLI_BOOT_STATE_H
#define PCILAB_CLI_BOOT_STATE_H

#include "boot.h"
#include "boot_options.h"
#include "checkpoint.h"
#include "command.h"
#include "ktree.h"
#include "poke.h"

struct report_watch; /* report.h */
struct run_guest;    /* run_guest.h */
struct kvm_host;     /* pcilab/cpu/kvm.h */

/* Everything that one boot needs, freed in one place. */
struct boot {
    struct boot_options options;
    char *topology;
    struct machine_desc *desc;
    struct boot_guest guest;
    struct ktree ktree;
    char *cmdline;
    struct machine_boot load;
    GArray *disks; /* struct machine_disk */
    struct trace_file trace;
    struct trace_digest *digest;
    struct report_watch *watch; /* --out */
    struct boot_run run;
    struct kvm_host *kvm; /* NULL: the software processor */
    struct command command;
    struct run_guest *commander; /* of --guest-commands; NULL: none */
    struct checkpoint_run checkpoint;
    struct pokes pokes;
    struct boot_record record;
    struct boot_gdb gdb;
    int64_t started_us, built_us, loaded_us;
};

/* boot_print.c: what was asked for on stdout; the digest is the last line. */
void boot_print_results(struct boot *boot, int status);
/* Splats and times, on stderr. */
void boot_print_end(const struct boot *boot);

#endif
