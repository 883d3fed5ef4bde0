/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this folder share. */
#ifndef PCILAB_PCI_INTERNAL_H
#define PCILAB_PCI_INTERNAL_H

#include "pcilab/pci/error.h"
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

/* cap_aer.c; all but the last for functions that have the capability. Status bits: set, and
 * whether the error is masked. */
bool pci_aer_note_correctable(struct pci_func *func, enum pci_error kind);
bool pci_aer_note_uncorrectable(struct pci_func *func, enum pci_error kind);
/* False when the error was to be recorded with a header and there was no room. */
bool pci_aer_record(struct pci_func *func, enum pci_error kind, const struct tlp *tlp);
/* By severity as programmed, or as it is without the capability. */
bool pci_aer_is_fatal(const struct pci_func *func, enum pci_error kind);
/* More bits of Uncorrectable Error Status that the function can set, if it has the capability. */
void pci_aer_allow(struct pci_func *func, uint32_t uncor);
bool pci_aer_root_interrupt(const struct pci_func *func);
bool pci_dpc_interrupt(const struct pci_func *func); /* cap_dpc.c */
void pci_frs_reset(struct pci_func *func);
void pci_acs_reset(struct pci_func *func);
void pci_aer_reset(struct pci_func *func, enum reg_reset_kind kind);

/* A VF's PCI Express capability has been placed. */
void pci_vf_pcie(struct pci_func *vf);

#endif
