/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this folder share. */
#ifndef PCILAB_PCI_INTERNAL_H
#define PCILAB_PCI_INTERNAL_H

#include "pcilab/pci/function.h"

static inline struct pci_func *func_of_space(const struct reg_space *space)
{
    return reg_space_owner(space);
}

/* Command, power state or an interrupt enable changed: BAR decode, INTx and waiting messages
 * follow. */
void pci_func_rules_changed(struct pci_func *func);
/* Recomputes INTx and Interrupt Status. */
void pci_func_update_intx(struct pci_func *func);
/* Deasserts INTx, resets configuration space, tells the device. */
void pci_func_level_reset(struct pci_func *func);

void pci_bars_update(struct pci_func *func);

void pci_bridge_place_header(struct pci_func *func);
void pci_bridge_update_windows(struct pci_func *func);

bool pci_msi_enabled(const struct pci_func *func);
void pci_msi_raise(struct pci_func *func, unsigned vector);
void pci_msi_flush(struct pci_func *func);
unsigned pci_msi_allocated(const struct pci_func *func);

bool pci_msix_enabled(const struct pci_func *func);
void pci_msix_raise(struct pci_func *func, unsigned vector);
void pci_msix_flush(struct pci_func *func);
void pci_msix_reset(struct pci_func *func);

void pcie_reset(struct pci_func *func);

#endif
