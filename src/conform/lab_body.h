/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Assertions of a laboratory with two exercisers below one switch: the procedure is the same for
 * all, and what it does inside is a function.
 */
#ifndef PCILAB_SRC_CONFORM_LAB_BODY_H
#define PCILAB_SRC_CONFORM_LAB_BODY_H

#include "lab.h"

struct lab_body {
    void (*run)(struct conform_ctx *t, struct lab *lab);
};
/* The procedure; `param` is the struct lab_body. */
void lab_body_judge(struct conform_ctx *t);

#define LAB_BODY(i, grp, sec, fn, text)                                                            \
    {                                                                                              \
        .id = i, .group = grp, .document = CONFORM_PCIE, .section = sec, .needs = CONFORM_LAB,     \
        .procedure = lab_body_judge, .param = &(const struct lab_body){fn}, .requirement = text    \
    }

/* Names of the upstream port of the switch above ex, and of the port above its neighbour; to be
 * freed. */
char *lab_upper(struct lab *lab);
char *lab_above_peer(struct lab *lab);
/* A register of Advanced Error Reporting; Uncorrectable Error Status. */
uint32_t lab_get_aer(struct lab *lab, const char *name, unsigned reg);
uint32_t lab_uncorrectable(struct lab *lab, const char *name);
/* A memory request of one doubleword, in the name of ex. */
struct tlp *lab_memory(struct lab *lab, enum tlp_type type, uint64_t addr);
/* A message without data from ex to the root complex. */
void lab_send_message(struct lab *lab, unsigned code);
/* An MSI of the port, written to plain memory; false: it has none, t says so. */
bool lab_arm_port_msi(struct conform_ctx *t, struct lab *lab, const char *name);
/* Did it come? It is forgotten then. */
bool lab_interrupted(struct lab *lab);

#endif
