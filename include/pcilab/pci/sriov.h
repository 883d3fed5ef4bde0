/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Single Root I/O Virtualization (PCI Express Base Specification 6.0, chapter 9): the capability of
 * a Physical Function, and the Virtual Functions behind it.
 *
 * Virtual Functions are made while the machine is built, all that TotalVFs allows; VF Enable and
 * NumVFs decide how many of them exist for the fabric. A Virtual Function is a struct pci_func
 * whose `pf` is set: what the specification keeps in the Physical Function (VF BARs, Max_Payload_
 * Size, attributes) is read there.
 *
 * While building: pci_cap_sriov_add(), pci_sriov_set_bar() for each VF BAR, then pci_vf_new() once
 * per VF, whose capabilities are added as to any function. The Physical Function owns none of them:
 * each VF is freed by whoever made it, before its PF.
 */
#ifndef PCILAB_PCI_SRIOV_H
#define PCILAB_PCI_SRIOV_H

#include "pcilab/pci/function.h"

#define PCI_EXT_SRIOV              0x0010
#define PCI_SRIOV_CAPS             0x04
#define PCI_SRIOV_CAPS_ARI_KEPT    0x00000002 /* ARI Capable Hierarchy Preserved */
#define PCI_SRIOV_CONTROL          0x08
#define PCI_SRIOV_CONTROL_ENABLE   0x0001
#define PCI_SRIOV_CONTROL_MSE      0x0008
#define PCI_SRIOV_CONTROL_ARI      0x0010
#define PCI_SRIOV_STATUS           0x0a
#define PCI_SRIOV_INITIAL_VFS      0x0c
#define PCI_SRIOV_TOTAL_VFS        0x0e
#define PCI_SRIOV_NUM_VFS          0x10
#define PCI_SRIOV_DEPENDENCY       0x12
#define PCI_SRIOV_FIRST_OFFSET     0x14
#define PCI_SRIOV_STRIDE           0x16
#define PCI_SRIOV_VF_DEVICE        0x1a
#define PCI_SRIOV_SUPPORTED_PAGES  0x1c
#define PCI_SRIOV_SYSTEM_PAGE      0x20
#define PCI_SRIOV_BAR(n)           (0x24 + 4 * (n))
#define PCI_SRIOV_MIGRATION_STATES 0x3c
#define PCI_SRIOV_SIZE_BYTES       0x40

/* Where VFs are: the first VF's Routing ID counts from the PF's, each further one from the one
 * before it (9.2.1.2). */
struct pci_sriov_place {
    uint16_t first_offset, stride;
};

struct pci_sriov_params {
    uint16_t total_vfs; /* at least 1 */
    uint16_t vf_device; /* VF Device ID */
    /* Without and with ARI Capable Hierarchy. No two functions of a device may meet; without ARI
     * all VFs are on further bus numbers, as a link has no device but 0 on its own. */
    struct pci_sriov_place place[2];
    uint32_t page_sizes;   /* Supported Page Sizes: bit n stands for 2^(n + 12) bytes */
    struct pci_func *lead; /* the device's lowest-numbered PF, whose ARI Capable Hierarchy bit
                              speaks for all (9.3.3.3.5); NULL: this one */
};

void pci_cap_sriov_add(struct pci_func *pf, const struct pci_sriov_params *params);
/* A VF BAR: memory, `size` a power of two and the aperture of one VF. Where System Page Size is
 * larger, apertures grow to it (9.3.3.13). */
void pci_sriov_set_bar(struct pci_func *pf, unsigned bar, enum pci_bar_kind kind, uint64_t size);
/* The next VF of `pf`. It exists on the bus while pci_sriov_vfs() exceeds its `vf_index`. */
struct pci_func *pci_vf_new(struct pci_func *pf, const char *name, const struct pci_func_ops *ops,
                            void *owner);

/* How many VFs exist now: NumVFs with VF Enable, else 0. */
unsigned pci_sriov_vfs(const struct pci_func *pf);
struct pci_func *pci_sriov_vf(const struct pci_func *pf, unsigned index);
/* The existing VF of this Routing ID, or NULL. */
struct pci_func *pci_sriov_find_id(const struct pci_func *pf, struct pci_rid rid);
/* The existing VF of which a BAR decodes all of [addr, addr + len) in memory, or NULL. */
struct pci_func *pci_sriov_find_addr(const struct pci_func *pf, uint64_t addr, unsigned len,
                                     unsigned *bar);
/* The highest bus number above the PF's own that its VFs could take, all of them enabled (what
 * whoever numbers buses must leave room for; 9.2.1.2). */
unsigned pci_sriov_further_buses(const struct pci_func *pf);

#endif
