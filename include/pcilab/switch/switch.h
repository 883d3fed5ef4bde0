/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI Express switch (PCIe Base 6.0, 1.3.3): one upstream port, an internal bus, 1 to 32
 * downstream ports at device numbers 0, 1, ... of that bus. The switch owns its ports.
 */
#ifndef PCILAB_SWITCH_SWITCH_H
#define PCILAB_SWITCH_SWITCH_H

#include "pcilab/fabric/fabric.h"
#include "pcilab/pci/function.h"

struct pcie_switch;

struct switch_port_params {
    struct pcie_params pcie;
    bool msi;
};

struct switch_params {
    const char *name; /* ports are NAME.up, NAME.0, NAME.1, ... */
    struct switch_port_params up;
    unsigned down_count;
    const struct switch_port_params *down; /* down_count of them */
    struct pci_ids up_ids, down_ids;       /* zero vendor: the defaults */
};

struct pcie_switch *pcie_switch_new(struct fabric *fabric, const struct switch_params *params);
void pcie_switch_free(struct pcie_switch *sw);
void pcie_switch_reset(struct pcie_switch *sw);
struct port *pcie_switch_upstream(struct pcie_switch *sw);
struct port *pcie_switch_downstream(struct pcie_switch *sw, unsigned index);
struct pci_func *pcie_switch_func(struct pcie_switch *sw, int index); /* -1: upstream */

#endif
