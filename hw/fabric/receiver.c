/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Receivers: malformed TLPs and ECRC. */
#include "pcilab/fabric/receiver.h"

#include "pcilab/fabric/intx.h"

/* Every function supports a payload of so much; only what is longer needs a look at registers. */
#define MPS_LEAST_DW 32

/* 2.2.8.1, 2.2.8.2, 2.2.8.3, 2.2.8.5: these use the default traffic class. */
static bool message_needs_tc0(uint8_t code)
{
    return (code >= TLP_MSG_ASSERT_INTA && code < TLP_MSG_DEASSERT_INTA + INTX_PINS) ||
           (code >= TLP_MSG_ERR_COR && code <= TLP_MSG_ERR_FATAL) || code == TLP_MSG_LTR ||
           code == TLP_MSG_PM_ACTIVE_STATE_NAK || code == TLP_MSG_PM_PME ||
           code == TLP_MSG_PME_TURN_OFF || code == TLP_MSG_PME_TO_ACK ||
           code == TLP_MSG_SET_SLOT_POWER_LIMIT || code == TLP_MSG_PTM_REQUEST ||
           code == TLP_MSG_PTM_RESPONSE; /* 2.2.8.10 */
}

/*
 * CHOICE: a switch that does not route AtomicOps or Deferrable Memory Writes is one from before
 * them: their types are not defined for it (2.2.1). All others do know them.
 */
static bool unknown_type(const struct pci_func *func, const struct tlp *tlp)
{
    if (func->pcie_type != PCIE_UPSTREAM_PORT && func->pcie_type != PCIE_DOWNSTREAM_PORT)
        return false;
    return tlp->type == TLP_DMWR ? !pcie_dmwr_routed(func) : !pcie_atomic_routed(func);
}

/* 2.2.10.2: no local TLP prefix is supported. 2.2.10.4: more end-end ones than announced. */
static const char *malformed_prefixes(const struct pci_func *func, const struct tlp *tlp)
{
    unsigned end_end = tlp_end_end_prefixes(tlp);

    if (end_end < tlp->prefix_count)
        return "2.2.10.2 local TLP prefix that this port does not support";
    return end_end > pcie_prefixes(func) ? "2.2.10.4 more end-end TLP prefixes than supported"
                                         : NULL;
}

/* Of each TLP that it stands for. */
static unsigned payload_bytes(const struct tlp *tlp)
{
    return tlp->burst_bytes ? tlp->burst_bytes : tlp->length_dw * 4u;
}

static const char *malformed_here(const struct pci_func *func, bool from_below,
                                  const struct tlp *tlp)
{
    const char *why;

    if (tlp->length_wrong && !flaw_on(func->flaws, FLAW_MALFORMED_LENGTH))
        return "2.2.2 payload is not as long as Length says";
    if (tlp->data && tlp->length_dw > MPS_LEAST_DW &&
        payload_bytes(tlp) > pcie_max_payload_bytes(func) &&
        !flaw_on(func->flaws, FLAW_MALFORMED_PAYLOAD))
        return "2.2.2 payload exceeds Max_Payload_Size";
    if (tlp->prefix_count && !flaw_on(func->flaws, FLAW_MALFORMED_PREFIX) &&
        (why = malformed_prefixes(func, tlp)))
        return why;
    if ((tlp_is_atomic(tlp) || tlp->type == TLP_DMWR) && unknown_type(func, tlp) &&
        !flaw_on(func->flaws, FLAW_MALFORMED_TYPE))
        return "2.2.1 type that this port does not know";
    if (tlp_is_message(tlp)) {
        if (tlp->tc && message_needs_tc0(tlp->msg_code) &&
            !flaw_on(func->flaws, FLAW_MALFORMED_MESSAGE_TC))
            return "2.2.8 message with another traffic class than 0";
        if (!from_below && tlp_is_intx(tlp) && !flaw_on(func->flaws, FLAW_MALFORMED_INTX))
            return "2.2.8.1 INTx message from above";
    }
    return NULL;
}

const char *receiver_objects(const struct pci_func *func, bool from_below, const struct tlp *tlp,
                             enum pci_error *kind)
{
    const char *why = tlp_malformed(tlp);

    *kind = PCI_ERROR_MALFORMED;
    if (why && tlp_is_atomic(tlp) && flaw_on(func->flaws, FLAW_MALFORMED_ATOMIC))
        why = NULL;
    if (!why)
        why = malformed_here(func, from_below, tlp);
    if (!why && tlp->td && func->ecrc_check && !tlp_ecrc_good(tlp) &&
        !flaw_on(func->flaws, FLAW_ECRC_UNCHECKED)) {
        *kind = flaw_on(func->flaws, FLAW_ECRC_AS_MALFORMED) ? PCI_ERROR_MALFORMED : PCI_ERROR_ECRC;
        why = "2.7.1 ECRC is wrong";
    }
    return why;
}

void receiver_report(const struct receiver *receiver, const struct tlp *tlp, enum pci_error kind)
{
    unsigned sent = 0;

    for (unsigned i = 0; i < receiver->func_count; i++) {
        struct pci_func *func = receiver->funcs[i];
        unsigned messages = pci_error_log(func, kind, tlp, PCI_ERROR_AT_TARGET);

        pci_error_signal(func, messages & ~sent);
        sent |= messages;
        if (flaw_on(func->flaws, FLAW_RECEIVER_ONE))
            break;
    }
}

void receiver_discard(const struct receiver *receiver, struct tlp *tlp, enum pci_error kind,
                      const char *why)
{
    trace_say(receiver->trace, TRACE_RULE, receiver->name, "%s: %s from %04x: %s",
              kind == PCI_ERROR_ECRC ? "ECRC" : "malformed",
              tlp_type_name((enum tlp_type)tlp->type), tlp->requester.v, why);
    if (kind == PCI_ERROR_MALFORMED && tlp_flawed(tlp, FLAW_MALFORMED_AS_UR))
        kind = PCI_ERROR_UNSUPPORTED;
    receiver_report(receiver, tlp, kind);
    tlp_free(tlp);
}

enum pci_error receiver_link_error(enum link_error error)
{
    static const enum pci_error kinds[LINK_ERROR_COUNT] = {
        [LINK_ERROR_RECEIVER] = PCI_ERROR_RECEIVER,
        [LINK_ERROR_BAD_TLP] = PCI_ERROR_BAD_TLP,
        [LINK_ERROR_BAD_DLLP] = PCI_ERROR_BAD_DLLP,
        [LINK_ERROR_REPLAY_TIMEOUT] = PCI_ERROR_REPLAY_TIMEOUT,
        [LINK_ERROR_REPLAY_ROLLOVER] = PCI_ERROR_REPLAY_ROLLOVER,
        [LINK_ERROR_DL_PROTOCOL] = PCI_ERROR_DL_PROTOCOL,
        [LINK_ERROR_SURPRISE_DOWN] = PCI_ERROR_SURPRISE_DOWN,
        [LINK_ERROR_RECEIVER_OVERFLOW] = PCI_ERROR_OVERFLOW,
        [LINK_ERROR_FC_PROTOCOL] = PCI_ERROR_FLOW_CONTROL,
    };

    return kinds[error];
}
