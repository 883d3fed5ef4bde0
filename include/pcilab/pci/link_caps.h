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

#define PCI_EXT_SECONDARY 0x0019
#define PCI_EXT_DLF       0x0025
#define PCI_EXT_PHY16     0x0026
#define PCI_EXT_PHY32     0x002a

/* 7.7.3: Secondary PCI Express */
#define PCI_SEC_LNKCTL3          0x04
#define PCI_SEC_LNKCTL3_EQUALIZE 0x1
#define PCI_SEC_LNKCTL3_EQ_IE    0x2
#define PCI_SEC_LANE_ERROR       0x08
#define PCI_SEC_LANES            0x0c

/* 7.7.4: Data Link Feature */
#define PCI_DLF_CAP          0x04
#define PCI_DLF_FEATURES     0x007fffff
#define PCI_DLF_EXCHANGE     0x80000000
#define PCI_DLF_STATUS       0x08
#define PCI_DLF_REMOTE_VALID 0x80000000
#define PCI_DLF_SIZE_BYTES   0x0c

/* 7.7.5, 7.7.6: Physical Layer 16.0 and 32.0 GT/s */
#define PCI_PHY_STATUS    0x0c
#define PCI_PHY_EQUALIZED 0xf /* complete, phases 1 to 3 successful */
#define PCI_PHY_LANES     0x20

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

/* Of the upper end of a link. */
void pci_cap_ltr_add(struct pci_func *func);
/* LTR Mechanism Enable; latencies as in LTR messages, no-snoop 31:16, snoop 15:0: within the
 * maximum that software has set; the stricter of both in each half; how much is tolerated,
 * SIM_NEVER for anything. */
bool pcie_ltr_enabled(const struct pci_func *func);
uint32_t pci_ltr_permitted(const struct pci_func *func, uint32_t latencies);
uint32_t pci_ltr_stricter(uint32_t a, uint32_t b);
uint64_t pci_ltr_tolerance_ps(uint32_t latencies);

/* What follows from the speed, which pci_cap_pcie_add() has set; and what the link's coming up with
 * this partner (NULL: unknown) does to it. */
void pci_cap_phy_add(struct pci_func *func);
void pci_phy_link_up(struct pci_func *func, const struct pci_func *partner, unsigned speed);
/* What the other end supports is no longer known. */
void pci_phy_link_down(struct pci_func *func);

/* Everything that a function with a link has because of it: the above and what follows from its
 * speed. Of a device with several functions function 0 has it. */
void pci_link_caps_add(struct pci_func *func);

#endif
