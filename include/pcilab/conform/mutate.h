/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Can the suite fail? A mutant is a machine with one thing wrong: a bit of a register that has
 * another access, another reset value or another stickiness, TLPs that get lost or changed on their
 * way, or a flaw of behaviour (pcilab/base/flaw.h). Each is judged, and must be noticed.
 */
#ifndef PCILAB_CONFORM_MUTATE_H
#define PCILAB_CONFORM_MUTATE_H

#include "pcilab/base/flaw.h"
#include "pcilab/conform/conform.h"
#include "pcilab/fabric/inject.h"
#include "pcilab/platform/machine.h"
#include "pcilab/reg/reg.h"

struct conform_mutant {
    char *name;      /* "ex0 device_control: bit 5 cannot be written" */
    char *component; /* whose register; NULL: anywhere */
    /* A register: this row instead. */
    bool is_register;
    unsigned offset;
    struct reg_def def;
    /* TLPs: this rule. */
    struct inject_rule rule;
    enum flaw flaw; /* FLAW_NONE: one of the others */
};

/* All that there are for a description, in a fixed order: struct conform_mutant. NULL: an error. */
GPtrArray *conform_mutants(const struct machine_desc *desc, GError **error);
/* Makes the machine one. With an injection of the caller's for TLPs, or NULL: one is made. */
void conform_mutate(struct machine *machine, const struct conform_mutant *mutant,
                    struct inject **inject);
/* The same for what has a clock and no machine: flaws alone. */
void conform_mutate_sim(struct sim *sim, const struct conform_mutant *mutant);

struct conform_mutant_result {
    const struct conform_mutant *mutant;
    GPtrArray *noticed; /* ids of assertions, in order, each once; not owned */
};
/* Judges them and calls done() for each; `assertions` are what may notice. False: the description
 * cannot be built. */
struct conform_mutant_judge {
    const GPtrArray *assertions;
    struct conform_mutant_choice choice;
    void (*done)(void *opaque, const struct conform_mutant_result *result);
    void *opaque;
};
bool conform_judge_mutants(const struct machine_desc *desc,
                           const struct conform_mutant_judge *judge, GError **error);

#endif
