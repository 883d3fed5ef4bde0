/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power management of a link as registers have it: Active State Power Management (PCIe Base 6.0,
 * 5.4), L1 PM Substates (5.5, 7.8.3), Latency Tolerance Reporting (6.18, 7.8.2). What the link does
 * is in pcilab/fabric/link_power.h.
 */
#ifndef PCILAB_PCI_POWER_H
#define PCILAB_PCI_POWER_H

#include <stdbool.h>
#include <stdint.h>

struct pci_func;

/* Bits of ASPM Support and ASPM Control (7.5.3.6, 7.5.3.7). */
#define PCIE_ASPM_L0S 0x1
#define PCIE_ASPM_L1  0x2

/* Bits of L1 PM Substates Capabilities and Control 1 (7.8.3.2, 7.8.3.3). */
#define PCI_L1SS_PCIPM_L1_2 0x1
#define PCI_L1SS_PCIPM_L1_1 0x2
#define PCI_L1SS_ASPM_L1_2  0x4
#define PCI_L1SS_ASPM_L1_1  0x8
#define PCI_L1SS_ALL        0xf

#define PCIE_L0S_EXIT_MAX_NS     4000u
#define PCIE_L1_EXIT_MAX_US      64u
#define PCI_L1SS_COMMON_MAX_US   255u
#define PCI_L1SS_POWER_ON_MAX_US 3100u

/* What a function is built with. All zero: nothing is advertised. */
struct pcie_power_params {
    uint8_t aspm;                                 /* PCIE_ASPM_* */
    uint8_t substates;                            /* PCI_L1SS_*; only with PCIE_ASPM_L1 */
    uint16_t l0s_exit_ns;                         /* at most PCIE_L0S_EXIT_MAX_NS */
    uint16_t l1_exit_us;                          /* at most PCIE_L1_EXIT_MAX_US */
    uint16_t common_us;                           /* Port Common_Mode_Restore_Time */
    uint16_t power_on_us;                         /* Port T_POWER_ON */
    bool ltr;                                     /* Latency Tolerance Reporting */
    uint16_t l0s_acceptable_ns, l1_acceptable_us; /* endpoints: what they put up with; 0: any */
};

/* What software asks of one end of a link, and what that end needs. */
struct pcie_power_state {
    uint8_t aspm;      /* ASPM Control, where it is supported */
    uint8_t substates; /* enables of L1 PM Substates Control 1 */
    bool sleeping;     /* not in D0 */
    uint64_t l0s_exit_ps, l1_exit_ps;
    uint64_t l12_exit_ps;  /* T_POWER_ON and Common_Mode_Restore_Time as programmed */
    uint64_t threshold_ps; /* LTR_L1.2_THRESHOLD */
};
void pcie_power_state(const struct pci_func *func, struct pcie_power_state *state);
/* May a write of these bytes change what pcie_power_state() says? */
bool pcie_power_concerns(const struct pci_func *func, unsigned offset, unsigned len);

/* The value and scale of a latency, as in LTR messages and L1 PM Substates (6.18), in ps; scales 6
 * and 7 are not permitted and count as none. */
uint64_t pci_latency_ps(unsigned value, unsigned scale);

#endif
