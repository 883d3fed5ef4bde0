/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a link: what takes it down, training, Recovery. Of the LTSSM (PCIe Base 6.0, 4.2.6)
 * only what software and the data link layer see is kept: down, training, up, up but in Recovery.
 * With functional timing all of it takes no time.
 */
#include <assert.h>

#include "pcilab/base/bits.h"

#include "link.h"
#include "link_power.h"
#include "pcilab/fabric/inject.h"

/* CHOICE: a port of width N also runs at every power of two below N (PCIe Base 6.0, 4.2.6.2 only
 * requires x1 and N); x12 runs as such only when both ends are x12. */
static unsigned link_common_width(unsigned a, unsigned b)
{
    unsigned least = a < b ? a : b;

    if (a == b)
        return a;
    return is_power_of_2(least) ? least : 1u << (31 - __builtin_clz(least));
}

static unsigned lesser_limit(unsigned value, unsigned limit)
{
    return limit && limit < value ? limit : value;
}

/* What the link would train to now. */
static unsigned link_best_speed(const struct link *link)
{
    const struct port *a = link->end[0], *b = link->end[1];
    unsigned speed = a->max_speed < b->max_speed ? a->max_speed : b->max_speed;

    return lesser_limit(lesser_limit(speed, link->target_speed), link->limit_speed);
}

static unsigned link_best_width(const struct link *link)
{
    unsigned width = link_common_width(link->end[0]->max_width, link->end[1]->max_width);

    return link->limit_width ? link_common_width(width, link->limit_width) : width;
}

static void link_negotiate(struct link *link)
{
    link->speed = (uint8_t)link_best_speed(link);
    link->width = (uint8_t)link_best_width(link);
}

/* What was under way towards `to` when the link went down, and what of it comes back. */
static void link_drop(struct port *from, struct port *to)
{
    struct tlp *tlp;

    while ((tlp = tlp_queue_pop(&to->rx)))
        port_bounce(from, tlp);
    /* Originators behind upstream-facing ports are reset now; the host goes on. */
    if (to->peer_waits && from->side == LINK_DOWNSTREAM_FACING)
        from->ops->tx_ready(from);
    to->peer_waits = false;
}

static void link_tell(struct link *link, bool up)
{
    struct port *down_facing = link->end[LINK_DOWNSTREAM_FACING];
    struct port *up_facing = link->end[LINK_UPSTREAM_FACING];

    down_facing->ops->link_changed(down_facing, up);
    up_facing->ops->link_changed(up_facing, up);
    if (up)
        return;
    if (up_facing->ops->power_lost && (!link->present || link->unpowered))
        up_facing->ops->power_lost(up_facing);
    else if (up_facing->ops->hot_reset)
        up_facing->ops->hot_reset(up_facing);
}

static void link_set_training(struct link *link, bool training)
{
    struct port *port = link->end[LINK_DOWNSTREAM_FACING];

    if (link->training == training)
        return;
    link->training = training;
    if (port->ops->link_training)
        port->ops->link_training(port, training);
}

static void link_go_up(struct link *link)
{
    struct port *a = link->end[0], *b = link->end[1];

    link->up = true;
    a->peer = b;
    b->peer = a;
    link_negotiate(link);
    link_dirs_up(link);
    link_set_training(link, false);
    trace_say(a->fabric->trace, TRACE_LINK, a->name, "link up");
    link_tell(link, true);
    link_power_begin(link);
}

static void link_go_down(struct link *link)
{
    struct port *a = link->end[0], *b = link->end[1];
    bool surprise = !link->hot_reset && !link->disabled && !link->unpowered && !link->contained;

    sim_cancel(a->fabric->sim, &link->train);
    link_set_training(link, false);
    if (!link->up)
        return;
    link->up = false;
    link_power_reset(link);
    a->peer = NULL;
    b->peer = NULL;
    link_drop(a, b);
    link_drop(b, a);
    inject_link_down(a);
    inject_link_down(b);
    link_dirs_down(link, false);
    trace_say(a->fabric->trace, TRACE_LINK, a->name, "link down");
    link_tell(link, false);
    if (surprise)
        link_report(a, LINK_ERROR_SURPRISE_DOWN, NULL);
}

/* Training or Recovery is over. */
static void link_trained(void *opaque)
{
    struct link *link = opaque;
    struct port *port = link->end[LINK_DOWNSTREAM_FACING];

    if (!link->up) {
        link_go_up(link);
        return;
    }
    link_negotiate(link);
    link_set_training(link, false);
    trace_say(port->fabric->trace, TRACE_LINK, port->name, "link retrained, %u.%u GT/s x%u",
              link_speed_mts(link->speed) / 1000, link_speed_mts(link->speed) % 1000 / 100,
              link->width);
    link_tell(link, true);
    if (link->up) {
        link_power_begin(link);
        link_dirs_resume(link);
    }
}

static void link_begin_training(struct link *link, enum link_cause cause, uint64_t duration_ps)
{
    struct sim *sim = link->end[0]->fabric->sim;

    link->cause = cause;
    sim_cancel(sim, &link->train);
    link_power_reset(link);
    if (!duration_ps) {
        link_trained(link);
        return;
    }
    link_set_training(link, true);
    sim_schedule_in(sim, &link->train, duration_ps);
}

/* From Detect. `at_once`: as at power-on. */
static void link_update(struct link *link, bool at_once)
{
    bool timed = link->params.timing == LINK_TIMED && !at_once;

    if (link->hot_reset || link->disabled || !link->present || link->unpowered || link->contained)
        link_go_down(link);
    else if (!link->up && (at_once || !link->training))
        link_begin_training(link, LINK_CAUSE_FRESH, timed ? link->params.training_ps : 0);
}

static void link_begin_recovery(struct link *link, enum link_cause cause)
{
    uint64_t duration = link->params.recovery_ps;

    if (link->params.timing != LINK_TIMED)
        duration = 0;
    else if (link_best_speed(link) != link->speed)
        duration *= 2;
    link_begin_training(link, cause, duration);
}

void link_recover(struct link *link)
{
    if (link->up && !link->training)
        link_begin_recovery(link, LINK_CAUSE_RELIABILITY);
}

void link_fail(struct link *link)
{
    link_go_down(link);
    link_update(link, false);
}

static void link_fall(void *opaque)
{
    link_update(opaque, false);
}

void link_state_init(struct link *link)
{
    sim_event_init(&link->fall, link_fall, link);
    sim_event_init(&link->train, link_trained, link);
    link->present = true;
    link_update(link, true);
}

void link_state_fini(struct link *link)
{
    if (link->internal)
        return;
    sim_cancel(link->end[0]->fabric->sim, &link->train);
    sim_cancel(link->end[0]->fabric->sim, &link->fall);
}

/* The link whose state software or a person may change, or NULL. */
static struct link *port_controlled_link(struct port *port)
{
    struct link *link = port->link;

    if (!link || link->internal)
        return NULL;
    assert(port->side == LINK_DOWNSTREAM_FACING);
    return link;
}

void port_hot_reset(struct port *port, bool assert_reset)
{
    struct link *link = port_controlled_link(port);

    if (!link)
        return;
    link->hot_reset = assert_reset;
    link_update(link, false);
}

void port_set_disabled(struct port *port, bool disabled)
{
    struct link *link = port_controlled_link(port);

    if (!link)
        return;
    link->disabled = disabled;
    link_update(link, false);
}

static void link_fall_now(struct link *link)
{
    if (!sim_event_pending(&link->fall))
        return;
    sim_cancel(link->end[0]->fabric->sim, &link->fall);
    link_update(link, false);
}

void port_contain(struct port *port)
{
    struct link *link = port_controlled_link(port);

    if (!link || link->contained)
        return;
    link->contained = true;
    for (unsigned side = 0; side < 2; side++)
        link->end[side]->peer = NULL;
    tlp_queue_clear(&port->rx);
    sim_schedule_in(port->fabric->sim, &link->fall, 0);
}

void port_release(struct port *port)
{
    struct link *link = port_controlled_link(port);

    if (!link || !link->contained)
        return;
    link_fall_now(link);
    link->contained = false;
    link_update(link, false);
}

/* Whoever loses its power while the link is down anyway learns it too. */
static void link_update_power(struct link *link, bool had_power)
{
    struct port *up_facing = link->end[LINK_UPSTREAM_FACING];
    bool lost = had_power && (!link->present || link->unpowered), was_up = link->up;

    link_update(link, false);
    if (lost && !was_up && up_facing->ops->power_lost)
        up_facing->ops->power_lost(up_facing);
}

void port_set_present(struct port *port, bool present)
{
    struct link *link = port_controlled_link(port);

    if (!link)
        return;
    bool had_power = link->present && !link->unpowered;
    link->present = present;
    link_update_power(link, had_power);
}

void port_set_power(struct port *port, bool on)
{
    struct link *link = port_controlled_link(port);

    if (!link)
        return;
    bool had_power = link->present && !link->unpowered;
    link->unpowered = !on;
    link_update_power(link, had_power);
}

void port_set_target_speed(struct port *port, unsigned target_speed)
{
    struct link *link = port_controlled_link(port);

    if (link)
        link->target_speed = (uint8_t)target_speed;
}

void port_retrain(struct port *port, unsigned target_speed)
{
    struct link *link = port_controlled_link(port);

    if (!link)
        return;
    link->target_speed = (uint8_t)target_speed;
    /* In Recovery already: that one goes on, and negotiates with the new target. */
    if (link->up && !link->training)
        link_begin_recovery(link, LINK_CAUSE_RETRAIN);
}

void port_degrade(struct port *port, unsigned max_width, unsigned max_speed)
{
    struct link *link = port_controlled_link(port);

    if (!link)
        return;
    link->limit_width = (uint8_t)max_width;
    link->limit_speed = (uint8_t)max_speed;
    if (link->up && !link->training &&
        (link_best_width(link) != link->width || link_best_speed(link) != link->speed))
        link_begin_recovery(link, LINK_CAUSE_RELIABILITY);
}

void port_cold_reset(struct port *port)
{
    struct link *link = port->link;

    port_flush(port);
    port->peer_waits = false;
    if (!link || link->internal)
        return;
    link_fall_now(link);
    link->hot_reset = link->disabled = link->contained = false;
    link->target_speed = 0;
    if (!link->up) {
        link_update(link, true);
    } else {
        link_dirs_down(link, true);
        link_dirs_up(link);
        link_begin_training(link, LINK_CAUSE_FRESH, 0);
    }
}
