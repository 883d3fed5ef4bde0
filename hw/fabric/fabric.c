/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fabric's loop: delivers TLPs port by port from one event, so that nothing recurses. */
#include <assert.h>
#include <stdlib.h>

#include <glib.h>

#include "link.h"

/*
 * CHOICE: functional timing moves at most so many TLPs in one instant of virtual time; then the
 * clock goes on by a step. Devices that answer each other's writes with writes for ever would
 * otherwise stop time. Far above what real traffic reaches: 16 MiB in payloads of 256 bytes.
 */
#define TLPS_PER_INSTANT (1u << 16)
#define INSTANT_STEP_PS  (10 * PS_PER_US)

void fabric_mark_busy(struct port *port)
{
    struct fabric *fabric = port->fabric;

    port->busy = true;
    port->busy_next = NULL;
    if (fabric->busy_last) {
        fabric->busy_last->busy_next = port;
    } else {
        fabric->busy_first = port;
        if (!fabric->draining && !sim_event_pending(&fabric->drain))
            sim_schedule_at(fabric->sim, &fabric->drain, fabric->sim->now_ps);
    }
    fabric->busy_last = port;
}

/*
 * Delivers what a port has now; what arrives meanwhile waits for its next turn. Deliveries may
 * take the link down, which empties the queue under us.
 */
static unsigned port_deliver(struct port *port)
{
    struct tlp *tlp;
    unsigned bounced = port->bounced.count, arrived = port->rx.count, delivered = 0, came = 0;

    while (bounced-- && (tlp = tlp_queue_pop(&port->bounced))) {
        port->ops->receive(port, tlp);
        delivered++;
    }
    while (came < arrived && (tlp = tlp_queue_pop(&port->rx))) {
        came += tlp_count(tlp);
        port->ops->receive(port, tlp);
    }
    if (port->peer_waits && port->peer) {
        port->peer_waits = false;
        port->peer->ops->tx_ready(port->peer);
    }
    return delivered + came;
}

static void fabric_drain(void *opaque)
{
    struct fabric *fabric = opaque;
    struct port *port;

    if (fabric->instant_ps != fabric->sim->now_ps) {
        fabric->instant_ps = fabric->sim->now_ps;
        fabric->instant_tlps = 0;
    }
    fabric->draining = true;
    while ((port = fabric->busy_first)) {
        if (fabric->instant_tlps >= TLPS_PER_INSTANT) {
            sim_schedule_in(fabric->sim, &fabric->drain, INSTANT_STEP_PS);
            break;
        }
        fabric->busy_first = port->busy_next;
        if (!fabric->busy_first)
            fabric->busy_last = NULL;
        port->busy = false;
        fabric->instant_tlps += port_deliver(port);
    }
    fabric->draining = false;
}

struct fabric *fabric_new(struct sim *sim, struct trace *trace)
{
    struct fabric *fabric = g_new0(struct fabric, 1);

    fabric->sim = sim;
    fabric->trace = trace;
    fabric->pool = tlp_pool_new();
    tlp_pool_set_flaws(fabric->pool, &sim->flaws);
    sim_event_init(&fabric->drain, fabric_drain, fabric);
    return fabric;
}

void fabric_vary(struct fabric *fabric, uint64_t vary_ps)
{
    assert(vary_ps <= FABRIC_VARY_MAX_PS);
    if (!fabric->vary_ps && vary_ps)
        sim_stream_add(fabric->sim, &fabric->chance, "links");
    else if (fabric->vary_ps && !vary_ps)
        sim_stream_remove(fabric->sim, &fabric->chance);
    fabric->vary_ps = vary_ps;
}

void fabric_free(struct fabric *fabric)
{
    if (!fabric)
        return;
    fabric_vary(fabric, 0);
    assert(!fabric->busy_first && "ports outlive their fabric");
    sim_cancel(fabric->sim, &fabric->drain);
    tlp_pool_free(fabric->pool);
    g_free(fabric);
}

void fabric_render_tlp(const struct trace_event *event, char *out, size_t out_len)
{
    struct tlp_pool *pool = tlp_pool_new();
    uint8_t *bytes = g_malloc(event->head_len + event->body_len + 1);
    struct tlp *tlp;

    memcpy(bytes, event->head, event->head_len);
    if (event->body_len)
        memcpy(bytes + event->head_len, event->body, event->body_len);
    tlp = tlp_decode(pool, bytes, event->head_len + event->body_len);
    if (tlp) {
        tlp_describe(tlp, out, out_len);
        tlp_free(tlp);
    } else if (out_len) {
        out[0] = '\0';
    }
    g_free(bytes);
    tlp_pool_free(pool);
}
