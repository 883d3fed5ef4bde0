/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of pcilab boot. */
#ifndef PCILAB_CLI_BOOT_OPTIONS_H
#define PCILAB_CLI_BOOT_OPTIONS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "checkpoint_options.h"

struct boot_options {
    char *topology; /* NULL: the default one */
    char *kernel, *initrd;
    char *guest;        /* which of the prepared ones; NULL: the default one */
    char *ktree;        /* instead of kernel */
    char **kernel_debs; /* likewise; NULL: none */
    char **modules;     /* more of them; NULL: none */
    char **append;      /* NULL-terminated; NULL: none */
    char *cmdline;
    char *cpus, *memory;
    uint64_t seed;
    char **disks; /* NAME=FILE */
    bool real_clock, no_reboot, digest, enter_bzimage;
    uint32_t trace_kinds; /* BIT(enum trace_kind) */
    char *trace_file;
    uint64_t limit_ps, limit_wall_ps; /* 0: none */
    char *log_file;
    char *vmcore;          /* NULL: none */
    char **pokes;          /* --at; NULL: none */
    char **allowed_splats; /* NULL: none */
    struct checkpoint_options checkpoint;
    bool quiet, verbose, stats, tested_with;
};

/* Reports errors itself; what was parsed is to be cleared in any case. */
bool boot_options_parse(struct boot_options *options, char **argv);
void boot_options_clear(struct boot_options *options);
/* --limit 30s, --limit wall:60s: sets one of the two; reports errors itself. */
bool boot_limit_parse(const char *text, uint64_t *limit_ps, uint64_t *limit_wall_ps);
/* The kernel's command line. g_free() it. */
char *boot_options_cmdline(const struct boot_options *options);

#endif
