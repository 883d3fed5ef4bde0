/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readiness Notifications (PCIe Base 6.0, 6.22): the messages by which a device and its functions
 * say that they take configuration requests, what ports note of them, and the queue of a root port
 * (7.8.10). When something is ready is its owner's business.
 */
#ifndef PCILAB_PCI_READINESS_H
#define PCILAB_PCI_READINESS_H

#include "pcilab/pci/function.h"

/* Why a function says that it is ready (2.2.8.6.3). */
enum pci_frs_reason {
    PCI_FRS_NONE = 0,
    PCI_FRS_DRS_RECEIVED = 1, /* of a port: what is below it has said it */
    PCI_FRS_FROM_D3HOT = 2,
    PCI_FRS_FLR = 3,
    PCI_FRS_VFS_ENABLED = 8, /* of a Physical Function */
    PCI_FRS_VFS_DISABLED = 9,
};

/* CHOICE: so many messages wait in a root port. */
#define PCI_FRS_DEPTH 8

/* Device Readiness Status (2.2.8.6.2) and Function Readiness Status messages. */
struct tlp *tlp_new_drs(struct tlp_pool *pool, struct pci_rid requester);
struct tlp *tlp_new_frs(struct tlp_pool *pool, struct pci_rid requester,
                        enum pci_frs_reason reason);
bool tlp_is_drs(const struct tlp *tlp);
bool tlp_is_frs(const struct tlp *tlp);
unsigned tlp_frs_reason(const struct tlp *tlp); /* of an FRS message: 0 to 15 */

/* DRS Supported, FRS Supported. */
bool pcie_drs_supported(const struct pci_func *func);
bool pcie_frs_supported(const struct pci_func *func);

/* Ports that face down: what is on the other side of the link, for Downstream Component Presence;
 * a link that is not active forgets what was received (7.5.3.20, 6.22.3). */
void pcie_show_component(struct pci_func *func, bool present, bool active);
/* A DRS message arrived. True: the port is to say so in an FRS message of its own. */
bool pcie_drs_received(struct pci_func *func);

/* The FRS Queueing capability of a root port; after MSI. */
void pci_cap_frs_add(struct pci_func *func);
/* An FRS message was received, or is the port's own. */
void pci_frs_queue(struct pci_func *func, struct pci_rid id, unsigned reason);

#endif
