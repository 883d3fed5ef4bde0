/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options about checkpoints. */
#ifndef PCILAB_CLI_CHECKPOINT_OPTIONS_H
#define PCILAB_CLI_CHECKPOINT_OPTIONS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct checkpoint_options {
    char *where, *times, *seeds, *jobs, *reseed; /* as typed */
    char *logs;                                  /* folder, or NULL */
    char *serve;                                 /* path of a socket, or NULL */
    char *input;                                 /* file, or NULL */
    bool wanted, forks, reseeds;
    uint64_t seed_first, seed_count, repeat, reseed_to;
    unsigned parallel;
};

/* The options' group for --help-checkpoint; `options` outlives the context. */
GOptionGroup *checkpoint_options_group(struct checkpoint_options *options);
/* Makes sense of what was typed; `seed` is --seed. Reports errors itself. */
bool checkpoint_options_take(struct checkpoint_options *options, uint64_t seed);
void checkpoint_options_clear(struct checkpoint_options *options);

#endif
