/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access Control Services as the routing asks for them (PCIe Base 6.0, 6.12): what a port that
 * faces down does with what comes up to it. Ports without the capability let everything pass.
 */
#ifndef PCILAB_FABRIC_ACS_H
#define PCILAB_FABRIC_ACS_H

#include "pcilab/pci/function.h"

enum acs_verdict {
    ACS_DIRECT,   /* across, as the routing has it */
    ACS_REDIRECT, /* up, towards the root complex */
    ACS_BLOCK,    /* an ACS Violation */
};

/* The rule that a TLP breaks where it enters: source validation, translation blocking, I/O request
 * blocking; or NULL. */
const char *acs_forbids(const struct pci_func *port, const struct tlp *tlp);
/* A TLP that came in at `port` and would go out at its peer. */
enum acs_verdict acs_peer(const struct pci_func *port, const struct pci_func *peer,
                          const struct tlp *tlp);
/* A memory request for the upstream port's windows that no port of the switch claims is to go up.
 */
bool acs_redirects_unclaimed(const struct pci_func *port);
/* A TLP that would go out where it came in is to go up instead. */
bool acs_forwards_upstream(const struct pci_func *port);

#endif
