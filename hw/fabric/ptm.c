/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PTM dialogs (PCIe Base 6.0, 6.21.2). A requester sends at t1 and hears at t4; the responder gets
 * that at t2 and answers at t3. The next answer tells the master's time of its own t2 and the t3 -
 * t2 of the one before, from which, and from t4 - t1 of the one before, follows how long a message
 * takes.
 */
#include "pcilab/fabric/ptm.h"

#include "pcilab/pci/ptm.h"

/* 6.21.3.1: so long a requester waits before it takes a request for lost. */
#define PATIENCE_PS (100 * PS_PER_US)

static uint64_t now_ps(const struct port *port)
{
    return port->fabric->sim->now_ps;
}

bool ptm_request(struct ptm_requester *ptm, struct port *port, const struct pci_func *func)
{
    if (!pci_ptm_enabled(func) || !port_link_up(port))
        return false;
    if (ptm->outstanding && now_ps(port) - ptm->t1_ps < PATIENCE_PS)
        return false;
    if (ptm->outstanding)
        ptm->timed = false; /* an answer may be missing between the two that count */
    ptm->outstanding = true;
    ptm->t1_ps = now_ps(port);
    port_send(port, ptm_new_request(port->fabric->pool, func->rid));
    return true;
}

void ptm_answered(struct ptm_requester *ptm, struct port *port, const struct tlp *tlp)
{
    uint64_t master_ns, round_ps;
    uint32_t delay_ns;

    if (!ptm->outstanding)
        return;
    if (ptm->timed && ptm_response_time(tlp, &master_ns, &delay_ns)) {
        round_ps = ptm->last_t4_ps - ptm->last_t1_ps - delay_ns * PS_PER_NS;
        ptm->offset_ns = (int64_t)(master_ns - round_ps / 2 / PS_PER_NS - ptm->t1_ps / PS_PER_NS);
        ptm->valid = true;
    }
    ptm->timed = true;
    ptm->last_t1_ps = ptm->t1_ps;
    ptm->last_t4_ps = now_ps(port);
    ptm->outstanding = false;
    ptm->dialogs++;
}

void ptm_forget(struct ptm_requester *ptm)
{
    *ptm = (struct ptm_requester){0};
}

bool ptm_time(const struct ptm_requester *ptm, const struct port *port, uint64_t *master_ns)
{
    *master_ns = now_ps(port) / PS_PER_NS + (uint64_t)ptm->offset_ns;
    return ptm->valid;
}

uint64_t ptm_root_time(const struct port *port)
{
    return now_ps(port) / PS_PER_NS + PTM_EPOCH_NS;
}

/* CHOICE: t3 is when the answer is given to the link, at once; what it waits there counts as
 * time on the way. */
void ptm_respond(struct ptm_responder *ptm, struct port *port, struct pci_rid requester,
                 const uint64_t *master_ns)
{
    struct tlp_pool *pool = port->fabric->pool;

    port_send(port, master_ns && ptm->answered
                        ? ptm_new_response_time(pool, requester, *master_ns, 0)
                        : ptm_new_response(pool, requester));
    ptm->answered = true;
}
