/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a port checks of every TLP that its link brings, before anything looks at where it goes
 * (PCIe Base 6.0, 2.3: malformed TLPs; 2.7.1: ECRC).
 */
#ifndef PCILAB_FABRIC_RECEIVER_H
#define PCILAB_FABRIC_RECEIVER_H

#include "pcilab/fabric/link.h"
#include "pcilab/pci/error.h"
#include "pcilab/trace/trace.h"

/* Filled in on the stack, per TLP that has something wrong. */
struct receiver {
    const char *name; /* for traces */
    struct trace *trace;
    /* The functions behind the port: errors found here are of all of them (6.2.4). */
    struct pci_func *const *funcs;
    unsigned func_count;
};

/* The rule that the TLP breaks at a port of this function, or NULL; `from_below` for ports that
 * face down. Sets *kind. */
const char *receiver_objects(const struct pci_func *func, bool from_below, const struct tlp *tlp,
                             enum pci_error *kind);
/* Traces, reports and frees the TLP. */
void receiver_discard(const struct receiver *receiver, struct tlp *tlp, enum pci_error kind,
                      const char *why);
/* The functions of a device log an error that is of none in particular. */
void receiver_report(const struct receiver *receiver, const struct tlp *tlp, enum pci_error kind);

/* What an error of the link is to the functions of its port. */
enum pci_error receiver_link_error(enum link_error error);

#endif
