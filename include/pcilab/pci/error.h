/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors: what whoever detects one tells the function that is to log and signal it (PCIe Base 6.0,
 * 6.2). One function, pci_error_report(), goes through masks, severities, the advisory cases and
 * the enables; what comes out is bits in registers and an error message.
 */
#ifndef PCILAB_PCI_ERROR_H
#define PCILAB_PCI_ERROR_H

#include "pcilab/pci/function.h"

/* Bits of Uncorrectable Error Status (7.8.4.2); correctable errors are PCI_ERROR_CORRECTABLE plus
 * their bit of Correctable Error Status (7.8.4.5). */
enum pci_error {
    PCI_ERROR_DL_PROTOCOL = 4,
    PCI_ERROR_SURPRISE_DOWN = 5,
    PCI_ERROR_POISONED = 12,
    PCI_ERROR_FLOW_CONTROL = 13,
    PCI_ERROR_TIMEOUT = 14,
    PCI_ERROR_ABORT = 15, /* Completer Abort */
    PCI_ERROR_UNEXPECTED = 16,
    PCI_ERROR_OVERFLOW = 17, /* Receiver Overflow */
    PCI_ERROR_MALFORMED = 18,
    PCI_ERROR_ECRC = 19,
    PCI_ERROR_UNSUPPORTED = 20,
    PCI_ERROR_ACS = 21,
    PCI_ERROR_ATOMIC_EGRESS = 24,
    PCI_ERROR_PREFIX_BLOCKED = 25,
    PCI_ERROR_POISON_EGRESS = 26, /* Poisoned TLP Egress Blocked */
    PCI_ERROR_DMWR_EGRESS = 27,

    PCI_ERROR_CORRECTABLE = 32,
    PCI_ERROR_RECEIVER = 32 + 0,
    PCI_ERROR_BAD_TLP = 32 + 6,
    PCI_ERROR_BAD_DLLP = 32 + 7,
    PCI_ERROR_REPLAY_ROLLOVER = 32 + 8,
    PCI_ERROR_REPLAY_TIMEOUT = 32 + 12,
    PCI_ERROR_ADVISORY = 32 + 13,
    PCI_ERROR_LOG_OVERFLOW = 32 + 15,
};

/* What the detecting function is to the TLP; decides whether an error is an advisory one
 * (6.2.3.2.4) where the kind of error and the TLP do not. */
enum pci_error_role {
    PCI_ERROR_AT_TARGET,
    PCI_ERROR_ON_THE_WAY, /* an intermediate receiver */
    PCI_ERROR_HANDLED,    /* the target of a poisoned TLP that can go on all the same */
};

/* A set of error messages. */
enum {
    PCI_ERROR_MSG_COR = 1,
    PCI_ERROR_MSG_NONFATAL = 2,
    PCI_ERROR_MSG_FATAL = 4,
};

/* Logs an error and sends the message that comes of it. `tlp` is the TLP in error, or NULL where no
 * TLP is. Functions without a PCI Express capability log nothing. */
void pci_error_report(struct pci_func *func, enum pci_error kind, const struct tlp *tlp);
void pci_error_report_as(struct pci_func *func, enum pci_error kind, const struct tlp *tlp,
                         enum pci_error_role role);

/* The two halves, for errors that are of no single function of a device: each function logs, and
 * of each kind of message only one is sent (6.2.4). */
unsigned pci_error_log(struct pci_func *func, enum pci_error kind, const struct tlp *tlp,
                       enum pci_error_role role);
void pci_error_signal(struct pci_func *func, unsigned messages);

static inline bool tlp_is_error_message(const struct tlp *tlp)
{
    return tlp->type == TLP_MSG &&
           (tlp->msg_code == TLP_MSG_ERR_COR || tlp->msg_code == TLP_MSG_ERR_NONFATAL ||
            tlp->msg_code == TLP_MSG_ERR_FATAL);
}

/* An error message reached the secondary side of a bridge; true when it goes on to the primary side
 * (6.2.6, 6.2.8.1); not where it triggers containment (6.2.11). */
bool pci_bridge_passes_error(struct pci_func *bridge, const struct tlp *message);
/* The same for one that an integrated endpoint sent to its event collector (7.8.4.10). */
bool pci_collector_passes_error(struct pci_func *collector, uint8_t msg_code);
/* A root port or event collector has an error message, its own or one that passed:
 * Root Error Status, Error Source Identification, interrupt (6.2.4.1). */
void pci_root_error(struct pci_func *func, uint8_t msg_code, struct pci_rid source);
/* A poisoned TLP crosses a bridge (6.2.8.1). */
void pci_bridge_note_poison(struct pci_func *bridge, bool upstream, const struct tlp *tlp);

/* The function receives a completion that tells of an error, or a poisoned one, for a request of
 * its own: Status, for root ports Secondary Status (7.5.1.1.4, 7.5.1.3.7). */
void pci_requester_note(struct pci_func *func, enum tlp_status status, bool poisoned);
/* The function sends a poisoned request of its own. */
void pci_requester_note_poison_sent(struct pci_func *func);

/* Advanced Error Reporting (7.8.4). Comes after the PCI Express capability. */
void pci_cap_aer_add(struct pci_func *func);

#endif
