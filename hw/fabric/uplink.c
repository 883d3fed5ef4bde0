/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The upper link of a component: LTR (PCIe Base 6.0, 6.18) and DRS messages (6.22.1), refusals of
 * L1. */
#include "pcilab/fabric/uplink.h"

#include "pcilab/fabric/message.h"
#include "pcilab/pci/link_caps.h"
#include "pcilab/pci/ptm.h"
#include "pcilab/pci/readiness.h"

static void uplink_ready(void *opaque)
{
    struct uplink *uplink = opaque;

    port_send(uplink->port, tlp_new_drs(uplink->port->fabric->pool, uplink->func->rid));
}

void uplink_init(struct uplink *uplink, struct port *port, struct pci_func *func)
{
    *uplink = (struct uplink){.port = port, .func = func};
    sim_event_init(&uplink->ready, uplink_ready, uplink);
}

void uplink_fini(struct uplink *uplink)
{
    if (uplink->port)
        sim_cancel(uplink->port->fabric->sim, &uplink->ready);
}

void uplink_link_up(struct uplink *uplink, uint64_t ready_ps)
{
    struct sim *sim = uplink->port->fabric->sim;

    if (!uplink->linked && pcie_drs_supported(uplink->func))
        sim_schedule_at(sim, &uplink->ready, ready_ps > sim->now_ps ? ready_ps : sim->now_ps);
    uplink->linked = true;
}

void uplink_delay(struct uplink *uplink, uint64_t ready_ps)
{
    struct sim *sim = uplink->port ? uplink->port->fabric->sim : NULL;

    if (!sim || !sim_event_pending(&uplink->ready) || ready_ps <= uplink->ready.at_ps)
        return;
    sim_schedule_at(sim, &uplink->ready, ready_ps);
}

/* When LTR is disabled or the function leaves D0, what was asked for is taken back. */
void uplink_update(struct uplink *uplink)
{
    const struct pci_func *func = uplink->func;
    struct port *port = uplink->port;
    uint32_t latencies = 0;
    struct tlp *tlp;

    if (!port_link_up(port))
        return;
    if ((pcie_ltr_enabled(func) || flaw_on(func->flaws, FLAW_LTR_ENABLE)) &&
        pci_func_power_state(func) == 0)
        latencies = pci_ltr_permitted(func, uplink->ltr_wanted);
    if (latencies == uplink->ltr_sent || flaw_on(func->flaws, FLAW_LTR_LOST))
        return;
    uplink->ltr_sent = latencies;
    tlp = tlp_new_message(port->fabric->pool, func->rid, TLP_MSG_LTR, TLP_MSG_LOCAL);
    tlp->msg_bytes_8_15 = latencies; /* no-snoop in bytes 12 and 13, snoop in 14 and 15 */
    port_send(port, tlp);
}

void uplink_config_written(struct uplink *uplink)
{
    if (!pci_ptm_enabled(uplink->func)) /* 6.21.3.1: its context is gone */
        ptm_forget(&uplink->ptm);
}

void uplink_set_ltr(struct uplink *uplink, uint32_t latencies)
{
    uplink->ltr_wanted = latencies;
    uplink_update(uplink);
}

void uplink_reset(struct uplink *uplink)
{
    uplink->ltr_sent = 0;
    uplink->linked = false;
    uplink_fini(uplink);
    ptm_forget(&uplink->ptm);
}

void uplink_turned_off(struct uplink *uplink)
{
    struct port *port = uplink->port;

    port_send(port, tlp_new_message(port->fabric->pool, uplink->func->rid, TLP_MSG_PME_TO_ACK,
                                    TLP_MSG_GATHERED));
}

bool uplink_message(struct uplink *uplink, const struct tlp *tlp)
{
    if (tlp->type == TLP_MSG && tlp->msg_code == TLP_MSG_PM_ACTIVE_STATE_NAK) {
        port_l1_refused(uplink->port);
        return true;
    }
    if (tlp->type == TLP_MSG && tlp->msg_code == TLP_MSG_PME_TURN_OFF) {
        uplink_turned_off(uplink);
        return true;
    }
    if (tlp->msg_code == TLP_MSG_PTM_RESPONSE && pci_ptm_enabled(uplink->func)) {
        ptm_answered(&uplink->ptm, uplink->port, tlp);
        return true;
    }
    return false;
}
