/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * L0s, L1 and its substates (PCIe Base 6.0, 5.3.2, 5.4.1, 5.5).
 *
 * L0s costs no event: a transmitter that was idle for long enough is in it, and pays for the way
 * out with its next TLP or DLLP (link_wire_take()). L1 is negotiated: the lower end, idle, asks
 * with a DLLP and sends no more TLPs; the upper end grants it, or refuses with a message.
 *
 * CHOICE: how long idle is: 5.4.1.1.1 allows up to 7 us for L0s; for L1 it is left open.
 * CHOICE: a request is repeated every microsecond, not back to back, and the granted link is in L1
 * when the Ack arrives; the substates are entered at once as well.
 * CHOICE: Link Training does not show the Recovery that L1 ends with.
 * CHOICE: a switch that is woken from above wakes below only what a TLP goes to.
 * UNIMPL: L2/L3 Ready: PME_Turn_Off is acknowledged, but nothing sends it, and links stay as they
 * are.
 */
#include "link_power.h"

#include <assert.h>

#include "link_dir.h"
#include "pcilab/fabric/message.h"

#define L1_IDLE_PS   (10 * PS_PER_US)
#define L1_SLEEP_PS  PS_PER_US /* in D3hot */
#define L1_REPEAT_PS PS_PER_US
#define REFUSE_AGAIN 64u              /* requests, when the refusal was lost */
#define L1_RETRY_PS  (10 * PS_PER_US) /* 5.4.1.3.1: not sooner after a refusal */

static struct sim *link_sim(const struct link *link)
{
    return link->end[0]->fabric->sim;
}

static void say(const struct link *link, const char *what)
{
    trace_say(link->end[0]->fabric->trace, TRACE_LINK, link->end[0]->name, "link %s", what);
}

/* Nothing under way in this direction, nor kept for later. */
static bool dir_quiet(const struct link_dir *dir)
{
    return !dir->queued && !dir->due && !dir->lazy && !dir->lost_fc && !dir->replaying &&
           !dir->wire.count && !link_unacknowledged(dir) &&
           dir->free_ps <= dir->from->fabric->sim->now_ps;
}

static bool link_sleeps(const struct link *link)
{
    return !link->up || link->asleep;
}

/* 5.4.1.3.1: everything below a switch sleeps before its upstream port asks. */
static bool below_awake(const struct port *above)
{
    for (const struct port *port = above->first_below; port; port = port->next_below) {
        if (port->link && port->link->dir[0] && !link_sleeps(port->link))
            return true;
    }
    return false;
}

static bool wants_l1(const struct link *link)
{
    const struct pcie_power_state *lower = &link->pm.want[LINK_UPSTREAM_FACING];

    return lower->sleeping || lower->aspm & PCIE_ASPM_L1;
}

static void pm_send(struct link_dir *dir, unsigned kind)
{
    dir->pm_kind = (uint8_t)kind;
    link_tx_want(dir, DLLP_PM, true);
}

static void block_tlps(struct link *link, bool lower, bool upper)
{
    link->dir[LINK_UPSTREAM_FACING]->blocked = lower;
    link->dir[LINK_DOWNSTREAM_FACING]->blocked = upper;
}

static void request_l1(struct link *link)
{
    struct link_pm *pm = &link->pm;

    if (pm->state == LINK_L0) {
        pm->state = LINK_L1_ENTRY;
        pm->refused = 0;
        pm->by_software = pm->want[LINK_UPSTREAM_FACING].sleeping;
        block_tlps(link, true, false);
    }
    pm_send(link->dir[LINK_UPSTREAM_FACING],
            pm->by_software ? PM_ENTER_L1 : PM_ACTIVE_STATE_REQUEST_L1);
    sim_schedule_in(link_sim(link), &pm->timer, L1_REPEAT_PS + 2 * link->params.propagation_ps);
}

static uint64_t last_use_ps(const struct link *link)
{
    uint64_t a = link->dir[0]->free_ps, b = link->dir[1]->free_ps;

    return a > b ? a : b;
}

/* In L0 with the timer expired. */
static void consider_l1(struct link *link)
{
    struct sim *sim = link_sim(link);
    uint64_t idle = link->pm.want[LINK_UPSTREAM_FACING].sleeping ? L1_SLEEP_PS : L1_IDLE_PS;
    uint64_t due = last_use_ps(link) + idle;

    /* Whoever falls asleep below has us look again. */
    if (!wants_l1(link) || below_awake(link->end[LINK_UPSTREAM_FACING]))
        return;
    if (due > sim->now_ps)
        sim_schedule_at(sim, &link->pm.timer, due);
    else if (dir_quiet(link->dir[LINK_UPSTREAM_FACING]))
        request_l1(link);
    else
        sim_schedule_in(sim, &link->pm.timer, idle);
}

/* 5.5.1: which of the substates that both ends have enabled. */
static enum link_power substate(const struct link *link)
{
    const struct link_pm *pm = &link->pm;
    const struct pcie_power_state *a = &pm->want[0], *b = &pm->want[1];
    unsigned both = a->substates & b->substates;

    if (pm->by_software) {
        if (both & PCI_L1SS_PCIPM_L1_2)
            return LINK_L1_2;
        return both & PCI_L1SS_PCIPM_L1_1 ? LINK_L1_1 : LINK_L1;
    }
    if (both & PCI_L1SS_ASPM_L1_2 && pm->tolerance_ps >= a->threshold_ps &&
        pm->tolerance_ps >= b->threshold_ps)
        return LINK_L1_2;
    return both & PCI_L1SS_ASPM_L1_1 ? LINK_L1_1 : LINK_L1;
}

static void enter_l1(struct link *link)
{
    struct link_pm *pm = &link->pm;
    struct port *above = link->end[LINK_DOWNSTREAM_FACING]->above;

    sim_cancel(link_sim(link), &pm->timer);
    pm->state = substate(link);
    pm->entered_ps = link_sim(link)->now_ps;
    link->asleep = true;
    block_tlps(link, false, false);
    link->dir[0]->due &= (uint8_t)~DLLP_PM;
    link->dir[1]->due &= (uint8_t)~DLLP_PM;
    pm->counters.l1++;
    pm->counters.l1_1 += pm->state == LINK_L1_1;
    pm->counters.l1_2 += pm->state == LINK_L1_2;
    say(link, pm->state == LINK_L1_2 ? "in L1.2" : pm->state == LINK_L1_1 ? "in L1.1" : "in L1");
    if (above && above->link)
        link_power_arm(above->link);
    /* What came meanwhile, and was held back. */
    for (unsigned side = 0; side < 2; side++) {
        if (link->dir[side]->queued || link->dir[side]->due)
            link_power_wake(link);
    }
}

/* The upper end has a request. It grants L1 when it has nothing to send itself. What software
 * wants by D3hot is not refused, only put off until the next request. */
static void answer_request(struct link *link, bool by_software)
{
    struct link_dir *down = link->dir[LINK_DOWNSTREAM_FACING];
    struct port *port = link->end[LINK_DOWNSTREAM_FACING];
    struct link_pm *pm = &link->pm;
    bool enabled = by_software || pm->want[LINK_DOWNSTREAM_FACING].aspm & PCIE_ASPM_L1;

    if (pm->state != LINK_L1_ENTRY)
        return;
    if (pm->refused) {
        pm->refused--;
        return;
    }
    /* Granted already: then the Ack was lost. */
    if (down->blocked || (enabled && dir_quiet(down))) {
        block_tlps(link, true, true);
        pm_send(down, PM_REQUEST_ACK);
    } else if (!by_software) {
        struct pci_rid id = port->func ? port->func->rid : (struct pci_rid){0};

        pm->refused = REFUSE_AGAIN;
        pm->counters.refused++;
        port_send(port, tlp_new_message(port->fabric->pool, id, TLP_MSG_PM_ACTIVE_STATE_NAK,
                                        TLP_MSG_LOCAL));
    }
}

void link_power_dllp(struct link_dir *dir, unsigned kind)
{
    struct link *link = dir->link;
    bool from_below = dir->from->side == LINK_UPSTREAM_FACING;

    if (from_below && (kind == PM_ENTER_L1 || kind == PM_ACTIVE_STATE_REQUEST_L1))
        answer_request(link, kind == PM_ENTER_L1);
    else if (!from_below && kind == PM_REQUEST_ACK && link->pm.state == LINK_L1_ENTRY)
        enter_l1(link);
}

static void back_in_l0(struct link *link)
{
    link->pm.state = LINK_L0;
    if (link->asleep)
        link->pm.counters.asleep_ps += link_sim(link)->now_ps - link->pm.entered_ps;
    link->asleep = false;
    block_tlps(link, false, false);
}

static uint64_t exit_ps(const struct link *link)
{
    const struct pcie_power_state *a = &link->pm.want[0], *b = &link->pm.want[1];
    uint64_t latency = a->l1_exit_ps > b->l1_exit_ps ? a->l1_exit_ps : b->l1_exit_ps;

    if (link->pm.state == LINK_L1_2)
        latency += a->l12_exit_ps > b->l12_exit_ps ? a->l12_exit_ps : b->l12_exit_ps;
    return latency;
}

void link_power_wake(struct link *link)
{
    struct port *above = link->end[LINK_DOWNSTREAM_FACING]->above;
    struct link_pm *pm = &link->pm;

    if (!link->asleep || pm->state == LINK_L1_EXIT)
        return;
    sim_schedule_in(link_sim(link), &pm->timer, exit_ps(link));
    pm->state = LINK_L1_EXIT;
    /* 5.4.1.3.2: a switch begins at once upwards too. */
    if (above && above->link)
        link_power_wake(above->link);
}

static void power_timer(void *opaque)
{
    struct link *link = opaque;

    if (!link->up || link->training)
        return;
    switch (link->pm.state) {
    case LINK_L0: consider_l1(link); break;
    case LINK_L1_ENTRY: request_l1(link); break;
    case LINK_L1_EXIT:
        back_in_l0(link);
        say(link, "in L0");
        link_power_begin(link);
        link_tx_step(link->dir[0]);
        if (link->up && !link->asleep)
            link_tx_step(link->dir[1]);
        break;
    default: break;
    }
}

void link_power_init(struct link *link)
{
    sim_event_init(&link->pm.timer, power_timer, link);
    link->pm.tolerance_ps = SIM_NEVER;
}

void link_power_fini(struct link *link)
{
    if (link->dir[0])
        sim_cancel(link_sim(link), &link->pm.timer);
}

void link_power_reset(struct link *link)
{
    struct port *above = link->end[LINK_DOWNSTREAM_FACING]->above;

    if (!link->dir[0])
        return;
    sim_cancel(link_sim(link), &link->pm.timer);
    back_in_l0(link);
    if (!link->up) {
        link->pm.tolerance_ps = SIM_NEVER;
        if (above && above->link)
            link_power_arm(above->link);
    }
}

void link_power_arm(struct link *link)
{
    struct link_pm *pm = &link->pm;

    if (!link->dir[0] || !link->up || link->training || pm->state != LINK_L0 ||
        sim_event_pending(&pm->timer) || !wants_l1(link))
        return;
    sim_schedule_in(link_sim(link), &pm->timer,
                    pm->want[LINK_UPSTREAM_FACING].sleeping ? L1_SLEEP_PS : L1_IDLE_PS);
}

void link_power_begin(struct link *link)
{
    uint64_t now = link_sim(link)->now_ps;

    for (unsigned side = 0; side < 2 && link->dir[side]; side++) {
        if (link->dir[side]->free_ps < now)
            link->dir[side]->free_ps = now;
    }
    link_power_arm(link);
}

void port_set_power_state(struct port *port, const struct pcie_power_state *state)
{
    struct link *link = port->link;

    if (!link || !link->dir[0])
        return;
    link->pm.want[port->side] = *state;
    /* 5.4.1.1: each transmitter by its own end's control; how long it takes is up to whoever
     * receives (7.5.3.6). */
    for (unsigned side = 0; side < 2; side++)
        link->dir[side]->l0s_exit_ps =
            link->pm.want[side].aspm & PCIE_ASPM_L0S ? link->pm.want[!side].l0s_exit_ps : 0;
    link_power_arm(link);
}

void port_set_tolerance(struct port *port, uint64_t tolerance_ps)
{
    if (port->link)
        port->link->pm.tolerance_ps = tolerance_ps;
}

void port_l1_refused(struct port *port)
{
    struct link *link = port->link;

    if (!link || !link->dir[0] || link->pm.state != LINK_L1_ENTRY)
        return;
    sim_cancel(link_sim(link), &link->pm.timer);
    back_in_l0(link);
    sim_schedule_in(link_sim(link), &link->pm.timer, L1_RETRY_PS);
    /* From an event: whoever receives does not expect that others are sent. */
    if (link->dir[LINK_UPSTREAM_FACING]->queued)
        link_tx_want(link->dir[LINK_UPSTREAM_FACING], 0, true);
}

void port_join(struct port *above, struct port *below)
{
    below->above = above;
    below->next_below = above->first_below;
    above->first_below = below;
}

enum link_power port_link_power(const struct port *port)
{
    return port->link ? port->link->pm.state : LINK_L0;
}

bool port_power_counters(const struct port *port, struct link_power_counters *counters)
{
    if (!port->link || !port->link->dir[0])
        return false;
    *counters = port->link->pm.counters;
    for (unsigned side = 0; side < 2; side++)
        counters->l0s[side] = port->link->dir[side]->l0s_exits;
    return true;
}
