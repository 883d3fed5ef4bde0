/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The receiver: sequence numbers, ACK and NAK, DLLPs (PCIe Base 6.0, 3.6.3.1, 3.5). */
#include "link_dir.h"
#include "link_power.h"

/* A TLP that cannot be used: NAK, once until the one that is awaited arrives. */
static void rx_nak(struct link_dir *dir)
{
    if (dir->nak_scheduled || flaw_on(&dir->from->fabric->sim->flaws, FLAW_LINK_NAK))
        return;
    dir->nak_scheduled = true;
    dir->counters.naks++;
    link_tx_want(dir->back, DLLP_NAK, true);
}

static void rx_accept(struct link_dir *dir, const struct wire_item *item)
{
    struct replay_entry *entry = &dir->replay[item->seq % REPLAY_ENTRIES];
    struct tlp *tlp = entry->tlp;

    entry->tlp = NULL;
    dir->nak_scheduled = false;
    dir->next_rcv_seq = (uint16_t)((item->seq + 1u) % SEQ_MODULUS);
    if (!flaw_on(&dir->from->fabric->sim->flaws, FLAW_LINK_ACK))
        link_tx_want(dir->back, DLLP_ACK, false);
    if (item->fate == FATE_OVERFLOW) {
        link_report(dir->to, LINK_ERROR_RECEIVER_OVERFLOW, tlp);
        tlp_free(tlp);
        return;
    }
    link_credit_receive(dir, tlp);
    dir->to->ops->receive(dir->to, tlp);
}

static void rx_tlp(struct link_dir *dir, const struct wire_item *item)
{
    if (item->fate == FATE_LOST) {
        link_report(dir->to, LINK_ERROR_RECEIVER, NULL);
        return;
    }
    if (item->fate == FATE_CORRUPT) {
        dir->counters.bad_tlps++;
        rx_nak(dir);
        link_report(dir->to, LINK_ERROR_BAD_TLP, NULL);
        return;
    }
    if (item->seq == dir->next_rcv_seq) {
        rx_accept(dir, item);
    } else if ((dir->next_rcv_seq - (unsigned)item->seq) % SEQ_MODULUS <= SEQ_HALF) {
        dir->counters.duplicates++;
        if (!flaw_on(&dir->from->fabric->sim->flaws, FLAW_LINK_DUPLICATE))
            link_tx_want(dir->back, DLLP_ACK, true);
    } else {
        dir->counters.bad_tlps++;
        rx_nak(dir);
        link_report(dir->to, LINK_ERROR_BAD_TLP, NULL);
    }
}

static void rx_dllp(struct link_dir *dir, const struct wire_item *item)
{
    struct link_dir *about = dir->back;

    if (item->fate == FATE_LOST) {
        link_report(dir->to, LINK_ERROR_RECEIVER, NULL);
    } else if (item->fate == FATE_CORRUPT) {
        dir->counters.bad_dllps++;
        link_report(dir->to, LINK_ERROR_BAD_DLLP, NULL);
    } else if (item->kind == WIRE_FC && item->fate == FATE_WRONG &&
               !flaw_on(&dir->from->fabric->sim->flaws, FLAW_LINK_FC_WRONG)) {
        link_report(dir->to, LINK_ERROR_FC_PROTOCOL, NULL); /* and it changes nothing (2.6.1) */
    } else if (item->kind == WIRE_FC) {
        link_credit_update(about, item);
        if (about->queued && !sim_event_pending(&about->tx))
            link_tx_step(about);
    } else if (item->kind == WIRE_PM) {
        link_power_dllp(dir, item->flow);
    } else {
        link_dll_acknowledged(about, item->seq, item->kind == WIRE_NAK);
    }
}

/* What is received may take the link down, which empties the wire under us, or begin containment:
 * no more is accepted then (2.9.3). */
void link_arrive_event(void *opaque)
{
    struct link_dir *dir = opaque;
    struct wire *wire = &dir->wire;
    struct sim *sim = dir->from->fabric->sim;

    while (wire->count && !dir->link->contained &&
           wire->items[wire->first].arrive_ps <= sim->now_ps) {
        struct wire_item item = wire->items[wire->first];

        wire->first = (wire->first + 1) & (wire->size - 1);
        wire->count--;
        if (item.kind == WIRE_TLP)
            rx_tlp(dir, &item);
        else
            rx_dllp(dir, &item);
    }
    if (wire->count && !dir->link->contained)
        sim_schedule_at(sim, &dir->arrive, wire->items[wire->first].arrive_ps);
}
