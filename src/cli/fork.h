/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many forked continuations, a few at a time, and what came of them. */
#ifndef PCILAB_CLI_FORK_H
#define PCILAB_CLI_FORK_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What a continuation tells; in memory that it shares with the parent. */
struct fork_result {
    char digest[65]; /* "" when there is none */
    uint64_t virtual_ps;
};

struct fork_plan {
    /* In the child: continues with this seed, everything said goes to log_fd; the exit status. */
    int (*run)(void *opaque, uint64_t seed, int log_fd, struct fork_result *result);
    /* In the parent, while it waits: somebody wants an end. */
    bool (*stopped)(void *opaque);
    void *opaque;
    uint64_t seed_first, seed_count;
    uint64_t repeat; /* of each seed */
    unsigned parallel;
    const char *logs; /* folder for seed-N.log, or NULL */
    bool commands;    /* statuses are those of commands (command.h) */
    int64_t booted_us;
};

/* TAP and a summary on stdout. The exit status: 0, or that of the first that failed; continuations
 * of one seed with different digests fail, too. */
int fork_many(const struct fork_plan *plan);

#endif
