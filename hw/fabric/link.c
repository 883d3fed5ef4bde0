/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links: training, and what takes them down. With functional timing training takes no time.
 * Link timing will queue TLPs here between the two ports.
 */
#include <assert.h>

#include <glib.h>

#include "pcilab/base/bits.h"

#include "link.h"

/* CHOICE: a port of width N also runs at every power of two below N (PCIe Base 6.0, 4.2.6.2 only
 * requires x1 and N); x12 runs as such only when both ends are x12. */
static unsigned link_common_width(unsigned a, unsigned b)
{
    unsigned least = a < b ? a : b;

    if (a == b)
        return a;
    return is_power_of_2(least) ? least : 1u << (31 - __builtin_clz(least));
}

static void link_negotiate(struct link *link)
{
    const struct port *a = link->end[0], *b = link->end[1];

    link->speed = a->max_speed < b->max_speed ? a->max_speed : b->max_speed;
    if (link->target_speed && link->target_speed < link->speed)
        link->speed = link->target_speed;
    link->width = link_common_width(a->max_width, b->max_width);
}

/* What was under way towards `to` when the link went down, and what of it comes back. */
static void link_drop(struct port *from, struct port *to)
{
    struct tlp *tlp;

    while ((tlp = tlp_queue_pop(&to->rx)))
        port_bounce(from, tlp);
    to->peer_waits = false; /* originators are upstream-facing ports, and so reset now */
}

static void link_tell(struct link *link, bool up)
{
    struct port *down_facing = link->end[LINK_DOWNSTREAM_FACING];
    struct port *up_facing = link->end[LINK_UPSTREAM_FACING];

    down_facing->ops->link_changed(down_facing, up);
    up_facing->ops->link_changed(up_facing, up);
    if (!up && up_facing->ops->hot_reset)
        up_facing->ops->hot_reset(up_facing);
}

static void link_set_up(struct link *link, bool up)
{
    struct port *a = link->end[0], *b = link->end[1];

    if (link->up == up)
        return;
    link->up = up;
    a->peer = up ? b : NULL;
    b->peer = up ? a : NULL;
    if (up) {
        link_negotiate(link);
    } else {
        link_drop(a, b);
        link_drop(b, a);
    }
    trace_say(a->fabric->trace, TRACE_STATE, a->name, "link %s", up ? "up" : "down");
    link_tell(link, up);
}

static void link_update(struct link *link)
{
    link_set_up(link, !link->hot_reset && !link->disabled);
}

static struct link *link_new(struct port *downstream_facing, struct port *upstream_facing)
{
    struct link *link = g_new0(struct link, 1);

    assert(!downstream_facing->link && !upstream_facing->link);
    assert(downstream_facing->fabric == upstream_facing->fabric);
    link->end[LINK_DOWNSTREAM_FACING] = downstream_facing;
    link->end[LINK_UPSTREAM_FACING] = upstream_facing;
    for (unsigned side = 0; side < 2; side++) {
        link->end[side]->link = link;
        link->end[side]->side = side;
    }
    return link;
}

struct link *link_connect(struct port *downstream_facing, struct port *upstream_facing)
{
    struct link *link = link_new(downstream_facing, upstream_facing);

    link_update(link);
    return link;
}

struct link *link_connect_internal(struct port *downstream_facing, struct port *upstream_facing)
{
    struct link *link = link_new(downstream_facing, upstream_facing);

    link->internal = true;
    link->up = true;
    downstream_facing->peer = upstream_facing;
    upstream_facing->peer = downstream_facing;
    return link;
}

void link_free(struct link *link)
{
    if (!link)
        return;
    for (unsigned side = 0; side < 2; side++) {
        struct port *port = link->end[side];

        tlp_queue_clear(&port->rx);
        port->link = NULL;
        port->peer = NULL;
        port->peer_waits = false;
    }
    g_free(link);
}

bool port_link_up(const struct port *port)
{
    return port->peer != NULL;
}

unsigned port_link_speed(const struct port *port)
{
    return port->peer ? port->link->speed : 0;
}

unsigned port_link_width(const struct port *port)
{
    return port->peer ? port->link->width : 0;
}

void port_hot_reset(struct port *port, bool assert_reset)
{
    struct link *link = port->link;

    if (!link || link->internal)
        return;
    assert(port->side == LINK_DOWNSTREAM_FACING);
    link->hot_reset = assert_reset;
    link_update(link);
}

void port_set_disabled(struct port *port, bool disabled)
{
    struct link *link = port->link;

    if (!link || link->internal)
        return;
    assert(port->side == LINK_DOWNSTREAM_FACING);
    link->disabled = disabled;
    link_update(link);
}

void port_retrain(struct port *port, unsigned target_speed)
{
    struct link *link = port->link;

    if (!link || link->internal)
        return;
    link->target_speed = target_speed;
    if (!link->up)
        return;
    link_negotiate(link);
    link_tell(link, true);
}

void port_cold_reset(struct port *port)
{
    struct link *link = port->link;

    port_flush(port);
    port->peer_waits = false;
    if (!link || link->internal)
        return;
    link->hot_reset = link->disabled = false;
    if (link->up)
        port_retrain(port, 0);
    else
        link_update(link);
}
