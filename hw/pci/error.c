/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of an error that a function has detected: PCIe Base 6.0, 6.2.5 and figure 6-2 for
 * the order of steps, 6.2.3.2.4 for the advisory cases, 6.2.8.1 for bridges.
 */
#include "pcilab/pci/error.h"

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/dpc.h"

static bool error_is_correctable(enum pci_error kind)
{
    return kind >= PCI_ERROR_CORRECTABLE;
}

/* A Virtual Function goes by its PF's enables (9.3.4.1.3, 9.3.5.4). */
static uint16_t device_control(const struct pci_func *func)
{
    func = func->pf ? func->pf : func;
    return (uint16_t)reg_get(func->cfg, func->cap_pcie + PCIE_DEVCTL);
}

static bool serr_enabled(const struct pci_func *func)
{
    return (func->pf ? func->pf : func)->command & PCI_COMMAND_SERR &&
           !flaw_on(func->flaws, FLAW_AER_SERR_ENABLE);
}

static bool carries_poison(const struct tlp *tlp)
{
    return tlp && tlp->ep && tlp->data;
}

/* 6.2.3.2.4; whoever asks has seen to it that the severity is non-fatal. */
static bool error_is_advisory(enum pci_error kind, const struct tlp *tlp, enum pci_error_role role)
{
    switch (kind) {
    case PCI_ERROR_UNEXPECTED: return true;
    case PCI_ERROR_POISONED:
    case PCI_ERROR_ECRC:
        return role != PCI_ERROR_AT_TARGET && !(tlp && tlp_flawed(tlp, FLAW_AER_ON_THE_WAY));
    case PCI_ERROR_UNSUPPORTED:
    case PCI_ERROR_ABORT:
    case PCI_ERROR_ACS:
    case PCI_ERROR_ATOMIC_EGRESS:
    case PCI_ERROR_DMWR_EGRESS:
    case PCI_ERROR_PREFIX_BLOCKED:
        /* The completion tells the requester, unless poison makes more of it (2.7.2.1). */
        return tlp && !tlp_is_posted(tlp) && !tlp_is_completion(tlp) && !carries_poison(tlp);
    case PCI_ERROR_POISON_EGRESS: return tlp && !tlp_is_posted(tlp) && !tlp_is_completion(tlp);
    default: return false;
    }
}

/* What a correctable or advisory error sends: Correctable Error Reporting Enable alone decides; for
 * an Unsupported Request its own enable as well (figure 6-2). */
static unsigned correctable_message(const struct pci_func *func, enum pci_error kind)
{
    uint16_t control = device_control(func);

    if (kind == PCI_ERROR_UNSUPPORTED && !(control & PCIE_DEVCTL_UR) &&
        !flaw_on(func->flaws, FLAW_AER_UR_ENABLE))
        return 0;
    return control & PCIE_DEVCTL_COR || flaw_on(func->flaws, FLAW_AER_COR_ENABLE)
               ? PCI_ERROR_MSG_COR
               : 0;
}

static unsigned uncorrectable_message(const struct pci_func *func, enum pci_error kind, bool fatal)
{
    uint16_t control = device_control(func);
    uint16_t enable = fatal ? PCIE_DEVCTL_FATAL : PCIE_DEVCTL_NONFATAL;
    bool serr = serr_enabled(func);

    if (kind == PCI_ERROR_UNSUPPORTED && !serr && !(control & PCIE_DEVCTL_UR) &&
        !flaw_on(func->flaws, FLAW_AER_UR_ENABLE))
        return 0;
    if (!serr && !(control & enable) && !flaw_on(func->flaws, FLAW_AER_UNCOR_ENABLE))
        return 0;
    return fatal ? PCI_ERROR_MSG_FATAL : PCI_ERROR_MSG_NONFATAL;
}

static unsigned log_correctable(struct pci_func *func, enum pci_error kind)
{
    pcie_note_device_status(func, PCIE_DEVSTA_COR);
    if (func->ext_aer && pci_aer_note_correctable(func, kind))
        return 0;
    return correctable_message(func, kind);
}

/* Records the header; a log that is full is an error of its own, with a message of its own
 * (6.2.4.2). */
static void record(struct pci_func *func, enum pci_error kind, const struct tlp *tlp)
{
    if (!pci_aer_record(func, kind, tlp) && !flaw_on(func->flaws, FLAW_AER_OVERFLOW))
        pci_error_signal(func, log_correctable(func, PCI_ERROR_LOG_OVERFLOW));
}

/* 6.2.4.3. Without Advanced Error Reporting no message says so: software could not tell it from a
 * correctable error. */
static unsigned log_advisory(struct pci_func *func, enum pci_error kind, const struct tlp *tlp)
{
    pcie_note_device_status(func, PCIE_DEVSTA_COR);
    if (!func->ext_aer || (pci_aer_note_correctable(func, PCI_ERROR_ADVISORY) &&
                           !flaw_on(func->flaws, FLAW_AER_ADVISORY_MASK)))
        return 0;
    if (!flaw_on(func->flaws, FLAW_AER_ADVISORY_LOG) && !pci_aer_note_uncorrectable(func, kind))
        record(func, kind, tlp);
    return correctable_message(func, kind);
}

static unsigned log_uncorrectable(struct pci_func *func, enum pci_error kind, const struct tlp *tlp,
                                  bool fatal)
{
    pcie_note_device_status(func, fatal ? PCIE_DEVSTA_FATAL : PCIE_DEVSTA_NONFATAL);
    if (func->ext_aer) {
        if (pci_aer_note_uncorrectable(func, kind))
            return 0;
        record(func, kind, tlp);
    }
    return pci_dpc_error(func) ? 0 : uncorrectable_message(func, kind, fatal);
}

unsigned pci_error_log(struct pci_func *func, enum pci_error kind, const struct tlp *tlp,
                       enum pci_error_role role)
{
    bool fatal;

    if (!func || !func->cap_pcie)
        return 0;
    if (error_is_correctable(kind))
        return log_correctable(func, kind);
    if (kind == PCI_ERROR_UNSUPPORTED)
        pcie_note_device_status(func, PCIE_DEVSTA_UR);
    fatal = pci_aer_is_fatal(func, kind);
    if (!fatal && error_is_advisory(kind, tlp, role) && !flaw_on(func->flaws, FLAW_AER_ADVISORY))
        return log_advisory(func, kind, tlp);
    return log_uncorrectable(func, kind, tlp, fatal);
}

static void send_message(struct pci_func *func, uint8_t msg_code)
{
    /* 7.5.1.1.4: what goes out as more than correctable, with SERR# Enable. */
    if (msg_code != TLP_MSG_ERR_COR && serr_enabled(func) &&
        !flaw_on(func->flaws, FLAW_AER_SIGNALED))
        pci_func_note_status(func, PCI_STATUS_SENT_ERROR);
    if (func->ops->error_message)
        func->ops->error_message(func, msg_code);
}

void pci_error_signal(struct pci_func *func, unsigned messages)
{
    if (messages & PCI_ERROR_MSG_COR && !flaw_on(func->flaws, FLAW_AER_COR_LOST))
        send_message(func, TLP_MSG_ERR_COR);
    if (messages & PCI_ERROR_MSG_NONFATAL && !flaw_on(func->flaws, FLAW_AER_NONFATAL_LOST))
        send_message(func, TLP_MSG_ERR_NONFATAL);
    if (messages & PCI_ERROR_MSG_FATAL && !flaw_on(func->flaws, FLAW_AER_FATAL_LOST))
        send_message(func, TLP_MSG_ERR_FATAL);
}

void pci_error_report_as(struct pci_func *func, enum pci_error kind, const struct tlp *tlp,
                         enum pci_error_role role)
{
    unsigned messages = pci_error_log(func, kind, tlp, role);

    if (messages)
        pci_error_signal(func, messages);
}

void pci_error_report(struct pci_func *func, enum pci_error kind, const struct tlp *tlp)
{
    pci_error_report_as(func, kind, tlp, PCI_ERROR_AT_TARGET);
}

/*
 * CHOICE: figure 6-3 is read such that a forwarded message needs what a message of the bridge's own
 * needs: Device Control's enable of its kind, or for ERR_NONFATAL and ERR_FATAL SERR# Enable.
 */
static bool lets_out(struct pci_func *func, uint8_t msg_code)
{
    bool cor = msg_code == TLP_MSG_ERR_COR, serr = func->command & PCI_COMMAND_SERR;
    uint16_t enable = cor                                ? PCIE_DEVCTL_COR
                      : msg_code == TLP_MSG_ERR_NONFATAL ? PCIE_DEVCTL_NONFATAL
                                                         : PCIE_DEVCTL_FATAL;

    if (!(device_control(func) & enable) && (cor || !serr) &&
        !flaw_on(func->flaws, FLAW_AER_BRIDGE_ENABLE))
        return false;
    if (!cor && serr)
        pci_func_note_status(func, PCI_STATUS_SENT_ERROR);
    return true;
}

bool pci_bridge_passes_error(struct pci_func *bridge, const struct tlp *message)
{
    uint64_t control = reg_get(bridge->cfg, PCI_BRIDGE_CONTROL);

    if (message->msg_code != TLP_MSG_ERR_COR && !flaw_on(bridge->flaws, FLAW_AER_BRIDGE_STATUS))
        pci_bridge_note_secondary_status(bridge, PCI_STATUS_SENT_ERROR);
    if (pci_dpc_message(bridge, message))
        return false;
    return (control & PCI_BRIDGE_CONTROL_SERR || flaw_on(bridge->flaws, FLAW_AER_BRIDGE_SERR)) &&
           lets_out(bridge, message->msg_code);
}

bool pci_collector_passes_error(struct pci_func *collector, uint8_t msg_code)
{
    return lets_out(collector, msg_code);
}

void pci_bridge_note_poison(struct pci_func *bridge, bool upstream, const struct tlp *tlp)
{
    bool completion = tlp_is_completion(tlp);
    bool primary = bridge->command & PCI_COMMAND_PARITY;
    bool secondary = reg_get(bridge->cfg, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CONTROL_PARITY;

    if (flaw_on(bridge->flaws, FLAW_AER_BRIDGE_POISON))
        return;
    if (upstream)
        pci_bridge_note_secondary_status(bridge, PCI_STATUS_PARITY_ERROR);
    else
        pci_func_note_status(bridge, PCI_STATUS_PARITY_ERROR);
    /* Master Data Parity Error is of the side where the bridge is the requester. */
    if (upstream == completion) {
        if (secondary)
            pci_bridge_note_secondary_status(bridge, PCI_STATUS_MASTER_DATA);
    } else if (primary) {
        pci_func_note_status(bridge, PCI_STATUS_MASTER_DATA);
    }
}

static void note_requester(struct pci_func *func, uint16_t bits)
{
    if (func->header == PCI_HEADER_TYPE1)
        pci_bridge_note_secondary_status(func, bits);
    else
        pci_func_note_status(func, bits);
}

static bool parity_response(const struct pci_func *func)
{
    if (func->header == PCI_HEADER_TYPE1)
        return reg_get(func->cfg, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CONTROL_PARITY;
    return func->command & PCI_COMMAND_PARITY;
}

void pci_requester_note(struct pci_func *func, enum tlp_status status, bool poisoned)
{
    if (flaw_on(func->flaws, FLAW_REQUESTER_STATUS))
        return;
    if (status == TLP_CA)
        note_requester(func, PCI_STATUS_RECEIVED_CA);
    else if (status != TLP_SC && status != TLP_RRS)
        note_requester(func, PCI_STATUS_RECEIVED_UR);
    if (poisoned)
        note_requester(func, PCI_STATUS_PARITY_ERROR |
                                 (parity_response(func) ? PCI_STATUS_MASTER_DATA : 0));
}

void pci_requester_note_poison_sent(struct pci_func *func)
{
    if (parity_response(func))
        note_requester(func, PCI_STATUS_MASTER_DATA);
}
