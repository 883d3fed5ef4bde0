/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of pcilab boot. */
#ifndef PCILAB_CLI_BOOT_OPTIONS_H
#define PCILAB_CLI_BOOT_OPTIONS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "checkpoint_options.h"
#include "trace_file.h"

struct boot_options {
    char *topology; /* NULL: the default one */
    char *kernel, *initrd;
    char *guest;        /* which of the prepared ones; NULL: the default one */
    char *ktree;        /* instead of kernel */
    char **kernel_debs; /* likewise; NULL: none */
    char **modules;     /* more of them; NULL: none */
    char **append;      /* NULL-terminated; NULL: none */
    char **command;     /* after "--"; NULL: none */
    char **rw;          /* directories; NULL: none */
    bool shell, tty, guest_commands;
    char *cmdline;
    char *cpus, *memory, *timing;
    char *cpu; /* as typed; NULL: soft */
    uint64_t seed;
    char **disks; /* NAME=FILE */
    bool real_clock, no_reboot, digest, enter_bzimage;
    struct trace_options trace;
    uint64_t limit_ps, limit_wall_ps; /* 0: none */
    char *log_file;
    char *out;             /* folder for pcilab report; NULL: none */
    char *record, *replay; /* paths; NULL: none */
    uint64_t until_ps;     /* 0: none */
    char *control;         /* path; NULL: none */
    char *vmcore;          /* NULL: none */
    char *gdb;             /* where a debugger connects; NULL: none */
    char **pokes;          /* --at; NULL: none */
    char **allowed_splats; /* NULL: none */
    struct checkpoint_options checkpoint;
    bool quiet, verbose, stats, tested_with;
};

/* A command's form of boot: other exit statuses, and stdout is the command's. */
bool boot_options_is_command(char *const *argv);
/* Reports errors itself; what was parsed is to be cleared in any case. */
bool boot_options_parse(struct boot_options *options, char **argv);
void boot_options_clear(struct boot_options *options);
/* --limit 30s, --limit wall:60s: sets one of the two; reports errors itself. */
bool boot_limit_parse(const char *text, uint64_t *limit_ps, uint64_t *limit_wall_ps);
/* A command, a shell, or a server that waits for commands. */
bool boot_options_wants_command(const struct boot_options *options);
/* Cuts off what stands after "--", the guest's words; NULL: there is no "--". g_strfreev() it. */
char **boot_options_cut_command(char **words);
/* A shell is wanted, without words: a kernel of the user's own, and somebody at the terminal. */
bool boot_options_default_shell(const struct boot_options *options);
/* BLOCK_* of what ends the text of a --disk: "FILE,overlay,direct". It is cut off. */
unsigned boot_options_take_disk_modes(char *text);
/* The kernel's command line. g_free() it. */
char *boot_options_cmdline(const struct boot_options *options);

#endif
