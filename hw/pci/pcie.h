/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the registers of the PCI Express capability call. */
#ifndef PCILAB_PCI_PCIE_H
#define PCILAB_PCI_PCIE_H

#include "pcilab/pci/function.h"

void pcie_link_control(struct pci_func *func, const struct reg_write *write);
void pcie_root_status_written(struct pci_func *func, const struct reg_write *write);
/* Fields of Device and Link Capabilities. */
uint32_t pcie_power_device_caps(const struct pcie_power_params *power);
uint32_t pcie_power_link_caps(const struct pcie_power_params *power);
/* Slot registers at a capability. */
void pcie_place_slot(struct pci_func *func, const struct pcie_params *params, unsigned cap);
void pcie_place_no_slot(struct pci_func *func, unsigned cap);
/* Does an event of the slot that is enabled wait for software? */
bool pcie_slot_interrupts(const struct pci_func *func);
/* Recomputes a port's interrupt conditions; one that begins is signalled. */
void pcie_port_update_events(struct pci_func *func);

#endif
