/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a Physical Function knows of its Virtual Functions. */
#ifndef PCILAB_HW_PCI_SRIOV_H
#define PCILAB_HW_PCI_SRIOV_H

#include "pcilab/pci/sriov.h"

struct pci_sriov {
    struct pci_func *lead; /* whose ARI Capable Hierarchy holds */
    struct pci_func **vf;
    unsigned total;   /* TotalVFs: room in vf */
    unsigned count;   /* made so far */
    unsigned enabled; /* exist on the bus: the first so many */
    struct pci_sriov_place place[2];
    struct pci_sriov_place now;        /* since VF Enable was set */
    struct pci_bar bar[PCI_BAR_COUNT]; /* of VF 0; those of the others follow it */
    uint64_t least_bytes[PCI_BAR_COUNT];
};

/* Registers, or the power state, changed: numbers, addresses, and how many VFs exist. */
void pci_sriov_update(struct pci_func *pf);
/* The PF's own number changed. */
void pci_sriov_renumber(struct pci_func *pf);
void pci_sriov_free(struct pci_func *pf);
/* vf.c: a VF's BAR, by its PF's. */
void pci_vf_bar(const struct pci_func *vf, unsigned index, struct pci_bar *bar);

#endif
