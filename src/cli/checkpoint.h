/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boot once, continue many times: `pcilab boot --checkpoint-at WHERE`. See docs/checkpoints.md.
 *
 * The machine stops at the checkpoint at one instant of virtual time that the host has no part in;
 * each continuation is a forked process with a seed of its own. The memory of the process is the
 * snapshot: guest RAM, devices, decoded code and the digest so far.
 */
#ifndef PCILAB_CLI_CHECKPOINT_H
#define PCILAB_CLI_CHECKPOINT_H

#include "boot.h"
#include "checkpoint_options.h"

struct trace_digest;

/* Where: a text on the console, or a virtual time. */
struct checkpoint {
    char *text;         /* NULL: at_ps counts */
    unsigned *fallback; /* of a match that fails: how much of the text still matches */
    unsigned len, matched;
    uint64_t at_ps;
    bool command; /* where a command is about to be started */
    bool reached, taken;
};

/* "console: TEXT", "time: 300ms" or "command"; reports errors itself. */
bool checkpoint_parse(struct checkpoint *checkpoint, const char *where);
void checkpoint_clear(struct checkpoint *checkpoint);
/* A byte of the console: true when the text is complete with it, for the first time. */
bool checkpoint_saw(struct checkpoint *checkpoint, uint8_t byte);
/* A command could be started now. */
void checkpoint_saw_ready(struct checkpoint *checkpoint);
/* How far the machine may run before the time is there. */
uint64_t checkpoint_slice_ps(const struct checkpoint *checkpoint, uint64_t now_ps,
                             uint64_t slice_ps);

/* Whether the text is complete, once. */
bool checkpoint_take(struct checkpoint *checkpoint);
/* Whether the time is there, for the first time. */
bool checkpoint_is_due(struct checkpoint *checkpoint, uint64_t now_ps);

/* A run with a checkpoint. */
struct checkpoint_run {
    const struct checkpoint_options *options;
    struct checkpoint checkpoint;
    struct boot_run *run;
    const GArray *disks;         /* struct machine_disk */
    struct trace_digest *digest; /* or NULL */
    uint64_t seed;
    int log_fd;  /* the console up to the checkpoint, when there are forks; -1 */
    char *input; /* of --input, or what a server's continuations begin with; NULL: none */
    gsize input_len;
};

/* Before the console is opened: where its output goes instead of stdout, or -1 (said why). */
int checkpoint_open_log(struct checkpoint_run *c);
/* Before anything is started: --input and --serve; reports errors itself. */
bool checkpoint_run_open(struct checkpoint_run *c);
/* boot_run() with all that follows the checkpoint; returns the exit status. */
int checkpoint_boot(struct checkpoint_run *c);
void checkpoint_run_clear(struct checkpoint_run *c);

#endif
