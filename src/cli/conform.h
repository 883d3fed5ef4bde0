/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between what `pcilab conform` and the static pcilab-conform share, and what only the first has.
 */
#ifndef PCILAB_CLI_CONFORM_H
#define PCILAB_CLI_CONFORM_H

#include "pcilab/conform/conform.h"

/* What is judged, and what it is made of; both live as long as the report. */
struct conform_target {
    struct conform_backend *backend;
    char *subject;
    void *desc; /* struct machine_desc, or NULL */
};

/* A machine made of a topology; name NULL: the one that this is for. False: said why. */
bool conform_open_topology(const char *name, struct conform_target *target);
void conform_close_topology(struct conform_target *target);
/* Its description; NULL: said why. The caller frees it, and the path. */
struct machine_desc *conform_load_topology(const char *name, char **path);
/* Without a word the model is judged, where there is one. */
extern const char *const conform_default_backend;

/* Mutants of a topology (pcilab/conform/mutate.h): the exit status. */
int conform_mutate_topology(const char *name, const GPtrArray *assertions,
                            const struct conform_mutant_choice *choice);

/* argv[0] is the command's name. Returns the exit status. */
int conform_main(char **argv);

#endif
