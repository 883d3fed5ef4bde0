/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Downstream Port Containment (PCIe Base 6.0, 6.2.11, 7.9.14): what triggers it and what it tells.
 * Taking the link down, and what the port does with TLPs meanwhile (2.9.3), is the business of
 * whoever has the link: ops->contain() of the function.
 *
 * All of these may be called for functions without the capability: nothing happens.
 */
#ifndef PCILAB_PCI_DPC_H
#define PCILAB_PCI_DPC_H

#include "pcilab/pci/function.h"

/* Of a root port, with RP Extensions, or of a switch downstream port. Comes after Advanced Error
 * Reporting. */
void pci_cap_dpc_add(struct pci_func *func);

/* The port is in containment. */
bool pci_dpc_contains(const struct pci_func *func);
/* Then requests towards its link are completed with this status; else TLP_UR (2.9.1). */
enum tlp_status pci_dpc_completion(const struct pci_func *func);
/* Poisoned TLP Egress Blocking Enable (2.7.2.1). */
bool pci_dpc_blocks_poison(const struct pci_func *func);

/* The port detected an uncorrectable error that is neither masked nor an advisory one. True when
 * containment is what comes of it, instead of a message. */
bool pci_dpc_error(struct pci_func *func);
/* An error message arrived from below: the same. */
bool pci_dpc_message(struct pci_func *func, const struct tlp *tlp);
/* The Data Link Layer became active (6.2.11.5). */
void pci_dpc_link_active(struct pci_func *func);
/* DPC RP Busy. */
void pci_dpc_set_busy(struct pci_func *func, bool busy);

/* Errors of the host's requests that a root port tracks: bits of RP PIO Status (7.9.14.6), each
 * for Configuration, plus 8 for I/O, plus 16 for Memory. `header` is the request's. */
enum pci_dpc_pio { PCI_DPC_PIO_UR, PCI_DPC_PIO_CA, PCI_DPC_PIO_TIMEOUT };
void pci_dpc_pio(struct pci_func *func, enum pci_dpc_pio error,
                 const uint8_t header[TLP_HEADER_MAX]);

#endif
