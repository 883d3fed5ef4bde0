/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended capabilities of ports and of what is at the lower end of a link: offsets in bytes and
 * masks (PCIe Base 6.0, 7.7.3 to 7.7.6, 7.8.2, 7.8.3, 7.9.15).
 */
#ifndef PCILAB_PCI_LINK_CAPS_H
#define PCILAB_PCI_LINK_CAPS_H

#include "pcilab/pci/function.h"

#define PCI_EXT_LTR  0x0018
#define PCI_EXT_L1SS 0x001e
#define PCI_EXT_PTM  0x001f

/* 7.8.2: Latency Tolerance Reporting */
#define PCI_LTR_MAX_SNOOP    0x04
#define PCI_LTR_MAX_NO_SNOOP 0x06
#define PCI_LTR_VALUE        0x03ff /* of both registers and of both words of a message */
#define PCI_LTR_SCALE        0x1c00
#define PCI_LTR_REQUIREMENT  0x8000 /* messages only */
#define PCI_LTR_SIZE_BYTES   0x08

/* 7.8.3: L1 PM Substates */
#define PCI_L1SS_CAP                  0x04
#define PCI_L1SS_CAP_SUPPORTED        0x00000010
#define PCI_L1SS_CAP_COMMON           0x0000ff00
#define PCI_L1SS_CAP_SCALE            0x00030000
#define PCI_L1SS_CAP_VALUE            0x00f80000
#define PCI_L1SS_CTL1                 0x08
#define PCI_L1SS_CTL1_COMMON          0x0000ff00
#define PCI_L1SS_CTL1_THRESHOLD       0x03ff0000
#define PCI_L1SS_CTL1_THRESHOLD_SCALE 0xe0000000
#define PCI_L1SS_CTL2                 0x0c
#define PCI_L1SS_CTL2_SCALE           0x00000003
#define PCI_L1SS_CTL2_VALUE           0x000000f8
#define PCI_L1SS_SIZE_BYTES           0x10

/* L1 PM Substates by func->power, which pci_cap_pcie_add() has set; ports that face down also have
 * Common_Mode_Restore_Time. */
void pci_cap_l1ss_add(struct pci_func *func);

/* Everything that a function with a link has because of it: the above and what follows from its
 * speed. Of a device with several functions function 0 has it. */
void pci_link_caps_add(struct pci_func *func);

#endif
