/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Precision Time Measurement: the capability and the messages (PCIe Base 6.0, 6.21, 7.9.15). Times
 * are in nanoseconds.
 */
#ifndef PCILAB_PCI_PTM_H
#define PCILAB_PCI_PTM_H

#include "pcilab/pci/function.h"

struct pci_ptm_params {
    bool requester, responder, root;
    uint8_t granularity_ns; /* of the local clock */
};

/* Of endpoints and switch upstream ports (for the whole switch), and of root ports. */
void pci_cap_ptm_add(struct pci_func *func, const struct pci_ptm_params *params);
bool pci_ptm_enabled(const struct pci_func *func);
/* Root Select: the port's own clock is the one that counts. */
bool pci_ptm_is_root(const struct pci_func *func);

struct tlp *ptm_new_request(struct tlp_pool *pool, struct pci_rid requester);
struct tlp *ptm_new_response(struct tlp_pool *pool, struct pci_rid requester);
/* ResponseD: the PTM Master Time at the arrival of the request, and how long the answer to the one
 * before it took. */
struct tlp *ptm_new_response_time(struct tlp_pool *pool, struct pci_rid requester,
                                  uint64_t master_ns, uint32_t delay_ns);
bool ptm_response_time(const struct tlp *tlp, uint64_t *master_ns, uint32_t *delay_ns);

#endif
