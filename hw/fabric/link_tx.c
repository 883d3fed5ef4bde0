/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sender: what may go next. DLLPs first, then a replay, then the oldest TLP that has credits
 * and that the ordering rules allow (PCIe Base 6.0, 2.4.1, 2.6.1, 3.6.2.1).
 */
#include "link_dir.h"

#include "link_power.h"
#include "pcilab/fabric/ordering.h"
#include "pcilab/trace/points.h"

#define DLLP_BYTES    8u               /* framing, 4 bytes and a CRC (3.5.1, 4.2.1.2, 4.2.2.3) */
#define FC_REFRESH_PS (30 * PS_PER_US) /* 2.6.1.2 */

static struct sim *dir_sim(const struct link_dir *dir)
{
    return dir->from->fabric->sim;
}

static bool dir_paused(const struct link_dir *dir)
{
    return !dir->link->up || dir->link->training || dir->link->asleep;
}

/* May a TLP go although these posted ones, which are older, have no credits? */
static bool passes_blocked_posted(const struct link_dir *dir, const struct tlp *tlp)
{
    if (!tlp->attr)
        return false;
    for (const struct tlp *p = dir->queue[LINK_POSTED].first; p; p = p->next) {
        if (p->hold.order > tlp->hold.order)
            break;
        if (!tlp_may_pass(tlp, p))
            return false;
    }
    return true;
}

/*
 * The oldest TLP at the head of a queue that has credits. TLPs of one kind stay in order. What is
 * blocked holds back nothing but, when it is posted, what came later and may not pass it: posted
 * requests and completions pass blocked non-posted requests, as rules A3, A4, D3 and D4 require.
 */
static struct tlp *tx_choose(struct link_dir *dir, enum link_flow *flow)
{
    bool posted_blocked = false;
    unsigned tried = 0;

    for (unsigned round = 0; round < LINK_FLOWS; round++) {
        struct tlp *oldest = NULL;

        for (unsigned i = 0; i < LINK_FLOWS; i++) {
            struct tlp *head = dir->queue[i].first;

            if (head && !(tried >> i & 1) && (!oldest || head->hold.order < oldest->hold.order)) {
                oldest = head;
                *flow = (enum link_flow)i;
            }
        }
        if (!oldest)
            return NULL;
        tried |= 1u << *flow;
        if (posted_blocked && !passes_blocked_posted(dir, oldest))
            continue;
        if (link_credit_take(dir, oldest, true))
            return oldest;
        if (*flow == LINK_POSTED)
            posted_blocked = true;
    }
    return NULL;
}

static void tx_put_tlp(struct link_dir *dir, uint16_t seq, struct link_tlp_fate fate)
{
    const struct replay_entry *entry = &dir->replay[seq % REPLAY_ENTRIES];
    struct wire_item item = {.kind = WIRE_TLP, .seq = seq, .fate = (uint8_t)fate.fate};

    for (unsigned copies = fate.twice ? 2 : 1; copies--;) {
        item.arrive_ps = link_wire_take(dir, entry->bytes);
        dir->counters.tlps++;
        dir->counters.tlp_bytes += entry->bytes;
        link_wire_push(dir, &item);
    }
    link_dll_arm(dir);
}

static bool tx_new_tlp(struct link_dir *dir)
{
    uint16_t seq = dir->next_transmit_seq;
    struct replay_entry *entry = &dir->replay[seq % REPLAY_ENTRIES];
    struct link_tlp_fate fate;
    enum link_flow flow;
    struct tlp *tlp;

    if (!dir->queued || link_unacknowledged(dir) >= REPLAY_ENTRIES)
        return false;
    tlp = tx_choose(dir, &flow);
    if (!tlp)
        return false;
    tlp_queue_pop(&dir->queue[flow]);
    dir->queued--;
    if (trace_on(dir->from->fabric->trace, TRACE_TLP))
        port_trace_tlp(dir->from, dir->to, tlp);
    dir->from->fabric->tlps++;
    /* It leaves the component, and so the receive buffer in which it came. */
    tlp_leave_buffer(tlp);
    entry->tlp = tlp;
    entry->bytes = (uint16_t)link_tlp_bytes(tlp);
    fate = link_fault_tlp(dir, entry->bytes, false);
    if (tlp->lcrc_wrong)
        fate.fate = FATE_CORRUPT;
    tlp->lcrc_wrong = false;
    entry->overflow = fate.fate == FATE_OVERFLOW;
    if (!entry->overflow)
        link_credit_take(dir, tlp, false);
    dir->next_transmit_seq = (uint16_t)((seq + 1u) % SEQ_MODULUS);
    tx_put_tlp(dir, seq, fate);
    return true;
}

static void tx_replayed_tlp(struct link_dir *dir)
{
    uint16_t seq = dir->replay_next;
    const struct replay_entry *entry = &dir->replay[seq % REPLAY_ENTRIES];
    struct link_tlp_fate fate = link_fault_tlp(dir, entry->bytes, true);

    if (entry->overflow && fate.fate == FATE_GOOD)
        fate.fate = FATE_OVERFLOW;
    dir->counters.replayed_tlps++;
    trace_hit(dir->from->fabric->trace, TRACE_RESENT, dir->from->name, seq, entry->bytes,
              fate.fate);
    dir->replay_next = (uint16_t)((seq + 1u) % SEQ_MODULUS);
    dir->replaying = dir->replay_next != dir->next_transmit_seq;
    tx_put_tlp(dir, seq, fate);
}

/* The next DLLP that is due, about the opposite direction as it is now. */
static void dllp_fill(struct link_dir *dir, struct wire_item *item)
{
    struct link_dir *about = dir->back;

    if (dir->due & (DLLP_NAK | DLLP_ACK)) {
        /* Both tell of the same sequence number; a NAK does for an ACK. */
        item->kind = dir->due & DLLP_NAK ? WIRE_NAK : WIRE_ACK;
        item->seq = (uint16_t)((about->next_rcv_seq - 1u) % SEQ_MODULUS);
        dir->due &= (uint8_t) ~(DLLP_NAK | DLLP_ACK);
        dir->lazy &= (uint8_t)~DLLP_ACK;
        return;
    }
    if (!(dir->due & DLLP_FC_ALL)) {
        item->kind = WIRE_PM;
        item->flow = dir->pm_kind;
        dir->due &= (uint8_t)~DLLP_PM;
        return;
    }
    item->kind = WIRE_FC;
    item->flow = (uint8_t)__builtin_ctz(dir->due / DLLP_FC);
    dir->due &= (uint8_t) ~(DLLP_FC << item->flow);
    dir->lazy &= (uint8_t) ~(DLLP_FC << item->flow);
    item->seq = about->allocated[item->flow].header;
    item->data = about->allocated[item->flow].data;
    about->told[item->flow] = about->allocated[item->flow];
}

static void trace_dllp(const struct link_dir *dir, const struct wire_item *item)
{
    struct trace *trace = dir->from->fabric->trace;
    const char *name = dir->from->name;

    switch ((enum wire_kind)item->kind) {
    case WIRE_ACK: trace_hit(trace, TRACE_DLLP_ACK, name, item->seq, item->fate); break;
    case WIRE_NAK: trace_hit(trace, TRACE_DLLP_NAK, name, item->seq, item->fate); break;
    case WIRE_FC:
        trace_hit(trace, TRACE_DLLP_FC, name, item->flow, item->seq, item->data, item->fate);
        break;
    case WIRE_PM: trace_hit(trace, TRACE_DLLP_PM, name, item->flow, item->fate); break;
    case WIRE_TLP: break;
    }
}

static void tx_put_dllp(struct link_dir *dir, struct wire_item *item)
{
    if (trace_on(dir->from->fabric->trace, TRACE_DLLP))
        trace_dllp(dir, item);
    item->arrive_ps = link_wire_take(dir, DLLP_BYTES);
    dir->counters.dllps++;
    link_wire_push(dir, item);
}

/* UpdateFC are repeated every 30 us (2.6.1.2). CHOICE: only where one was lost; else nobody could
 * see it. */
static void dllp_refresh_later(struct link_dir *dir, const struct wire_item *item)
{
    if (item->kind != WIRE_FC)
        return;
    dir->lost_fc |= (uint8_t)(1u << item->flow);
    if (!sim_event_pending(&dir->refresh))
        sim_schedule_in(dir_sim(dir), &dir->refresh, FC_REFRESH_PS);
}

void link_refresh_event(void *opaque)
{
    struct link_dir *dir = opaque;
    uint8_t flows = dir->lost_fc;

    dir->lost_fc = 0;
    link_tx_want(dir, (uint8_t)(flows * DLLP_FC), true);
}

static bool dllp_same_kind(const struct wire_item *a, const struct wire_item *b)
{
    return (a->kind == WIRE_FC) == (b->kind == WIRE_FC) && a->flow == b->flow;
}

static void tx_dllp(struct link_dir *dir)
{
    struct wire_item item = {0};
    bool reorder = false;

    dllp_fill(dir, &item);
    item.fate = (uint8_t)link_fault_dllp(dir, &item, &reorder);
    if (item.fate != FATE_GOOD)
        dllp_refresh_later(dir, &item);
    if (reorder && !dir->holding) {
        dir->holding = true;
        dir->held = item;
        dllp_refresh_later(dir, &item);
        return;
    }
    tx_put_dllp(dir, &item);
    if (dir->holding && dllp_same_kind(&item, &dir->held)) {
        dir->holding = false;
        dllp_refresh_later(dir, &dir->held);
        tx_put_dllp(dir, &dir->held);
    }
}

void link_tx_run(struct link_dir *dir)
{
    struct sim *sim = dir_sim(dir);

    if (dir_paused(dir)) {
        if (dir->link->asleep && (dir->due || dir->queued))
            link_power_wake(dir->link);
        return;
    }
    while (dir->free_ps <= sim->now_ps) {
        if (dir->due)
            tx_dllp(dir);
        else if (dir->replaying)
            tx_replayed_tlp(dir);
        else if (dir->blocked)
            return; /* until L1 is granted or refused */
        else if (!tx_new_tlp(dir))
            return; /* what it waits for comes with a DLLP, or from the component */
    }
    if ((dir->due || dir->replaying || dir->queued) && !sim_event_pending(&dir->tx))
        sim_schedule_at(sim, &dir->tx, dir->free_ps);
}

void link_tx_step(struct link_dir *dir)
{
    link_tx_run(dir);
    if (dir->waiting && dir->queued <= TIMED_TX_WINDOW / 2) {
        dir->waiting = false;
        dir->from->ops->tx_ready(dir->from);
    }
}

void link_tx_event(void *opaque)
{
    link_tx_step(opaque);
}

void link_tx_send(struct link_dir *dir, struct tlp *tlp)
{
    tlp->hold.order = dir->next_order++;
    tlp_queue_push(&dir->queue[link_flow_of(tlp)], tlp);
    dir->queued++;
    if (!sim_event_pending(&dir->tx))
        link_tx_run(dir);
}

bool link_tx_ready(struct link_dir *dir)
{
    if (dir->queued < TIMED_TX_WINDOW)
        return true;
    dir->waiting = dir->from->ops->tx_ready != NULL;
    return false;
}

void link_tx_want(struct link_dir *dir, uint8_t dllps, bool now)
{
    struct sim *sim = dir_sim(dir);

    if (!now) {
        dir->lazy |= dllps;
        if (!sim_event_pending(&dir->dllp_timer))
            sim_schedule_in(sim, &dir->dllp_timer, link_ack_latency_ps(dir));
        return;
    }
    /* From an event of its own: whoever frees a TLP does not expect that others are sent. */
    dir->due |= dllps;
    if ((!dir_paused(dir) || dir->link->asleep) && !sim_event_pending(&dir->tx))
        sim_schedule_at(sim, &dir->tx, dir->free_ps > sim->now_ps ? dir->free_ps : sim->now_ps);
}

void link_dllp_event(void *opaque)
{
    struct link_dir *dir = opaque;

    dir->due |= dir->lazy;
    dir->lazy = 0;
    if (dir->due && !sim_event_pending(&dir->tx))
        link_tx_step(dir);
}
