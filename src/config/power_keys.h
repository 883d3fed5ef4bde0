/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of keys.c that are about the power of links and LTR. */
#ifndef PCILAB_CONFIG_POWER_KEYS_H
#define PCILAB_CONFIG_POWER_KEYS_H

#include "pcilab/pci/power.h"

/* "none", or words of l0s, l1, l1.1 and l1.2. */
extern const struct topo_type topo_type_aspm;

struct pcie_power_params topo_power(const struct topo_values *v);

#define TOPO_POWER_ALL "l0s l1 l1.1 l1.2"

#define TOPO_POWER_ROWS(numbers, flags, ends, endpoints)                                           \
    {"aspm",                                                                                       \
     ends,                                                                                         \
     &topo_type_aspm,                                                                              \
     V(aspm),                                                                                      \
     0,                                                                                            \
     0,                                                                                            \
     TOPO_POWER_ALL,                                                                               \
     NULL,                                                                                         \
     "Low-power states of the link that this end (of a switch: every port) supports."},            \
        {"l0s-exit-ns",  ends, numbers,                                                            \
         V(l0s_exit_ns), 0,    PCIE_L0S_EXIT_MAX_NS,                                               \
         "300",          NULL, "How long this end's receiver takes to leave L0s."},                \
        {"l1-exit-us",                                                                             \
         ends,                                                                                     \
         numbers,                                                                                  \
         V(l1_exit_us),                                                                            \
         0,                                                                                        \
         PCIE_L1_EXIT_MAX_US,                                                                      \
         "4",                                                                                      \
         NULL,                                                                                     \
         "How long this end takes to leave L1; a link as long as its slower end."},                \
        {"t-power-on-us",                                                                          \
         ends,                                                                                     \
         numbers,                                                                                  \
         V(power_on_us),                                                                           \
         0,                                                                                        \
         PCI_L1SS_POWER_ON_MAX_US,                                                                 \
         "50",                                                                                     \
         NULL,                                                                                     \
         "T_POWER_ON of L1.2, rounded up to what the register can say."},                          \
        {"common-mode-us",                                                                         \
         ends,                                                                                     \
         numbers,                                                                                  \
         V(common_us),                                                                             \
         0,                                                                                        \
         PCI_L1SS_COMMON_MAX_US,                                                                   \
         "30",                                                                                     \
         NULL,                                                                                     \
         "Common_Mode_Restore_Time of L1.2."},                                                     \
        {"l0s-acceptable-ns",                                                                      \
         endpoints,                                                                                \
         numbers,                                                                                  \
         V(l0s_acceptable_ns),                                                                     \
         0,                                                                                        \
         4000,                                                                                     \
         "0",                                                                                      \
         NULL,                                                                                     \
         "Longest exit latency of L0s that the device puts up with; 0: any."},                     \
        {"l1-acceptable-us",                                                                       \
         endpoints,                                                                                \
         numbers,                                                                                  \
         V(l1_acceptable_us),                                                                      \
         0,                                                                                        \
         64,                                                                                       \
         "0",                                                                                      \
         NULL,                                                                                     \
         "Longest exit latency of L1 that the device puts up with; 0: any."},                      \
    {                                                                                              \
        "ltr", ends, flags, V(ltr), 0, 1, "yes", NULL, "Latency Tolerance Reporting."              \
    }

#endif
