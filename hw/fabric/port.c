/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports: the sending end of a link. */
#include <assert.h>

#include "link_dir.h"
#include "pcilab/fabric/inject.h"
#include "pcilab/pci/dpc.h"

/* CHOICE: how many TLPs an originator may have waiting at the other end with functional timing. */
#define TX_WINDOW 64
#define TD_BIT    0x80 /* byte 2 of a header */

void port_init(struct port *port, struct fabric *fabric, const char *name,
               const struct port_ops *ops, void *owner)
{
    *port = (struct port){
        .name = name,
        .ops = ops,
        .owner = owner,
        .fabric = fabric,
        .max_speed = 1,
        .max_width = 1,
    };
}

void tlp_queue_clear(struct tlp_queue *queue)
{
    struct tlp *tlp;

    while ((tlp = tlp_queue_pop(queue)))
        tlp_free(tlp);
}

void port_flush(struct port *port)
{
    tlp_queue_clear(&port->rx);
    tlp_queue_clear(&port->bounced);
}

void port_fini(struct port *port)
{
    struct fabric *fabric = port->fabric;
    struct port *last = NULL;

    assert(!port->link);
    port_flush(port);
    if (!port->busy)
        return;
    for (struct port **p = &fabric->busy_first; *p;) {
        if (*p == port) {
            *p = port->busy_next;
        } else {
            last = *p;
            p = &(*p)->busy_next;
        }
    }
    fabric->busy_last = last;
    port->busy = false;
}

static void trace_tlp(struct fabric *fabric, const char *where, const struct port *to,
                      const struct tlp *tlp)
{
    uint8_t header[TLP_HEAD_MAX];
    struct trace_event event = {
        .kind = TRACE_TLP,
        .where = where,
        .to = to ? to->name : NULL,
        .down = to && to->side == LINK_UPSTREAM_FACING,
        .head = header,
        .head_len = tlp_encode_head(tlp, header),
        .body = tlp->data,
        .body_len = tlp->data ? tlp->length_dw * 4u : 0,
    };

    /* The digest is not part of what is traced. */
    header[tlp->prefix_count * 4u + 2] &= (uint8_t)~TD_BIT;
    trace_emit(fabric->trace, &event);
}

void fabric_trace_tlp(struct fabric *fabric, const char *where, const struct tlp *tlp)
{
    trace_tlp(fabric, where, NULL, tlp);
}

void port_trace_tlp(const struct port *from, const struct port *to, const struct tlp *tlp)
{
    trace_tlp(from->fabric, from->name, to, tlp);
}

/* PCIe Base 6.0, 2.9.1: with DL_Down non-posted requests get UR from the port, in containment what
 * is configured (2.9.3); the rest vanishes. */
void port_bounce(struct port *port, struct tlp *tlp)
{
    if (!tlp_is_posted(tlp) && !tlp_is_completion(tlp)) {
        struct pci_rid completer = port->func ? port->func->rid : tlp->requester;
        enum tlp_status status = port->func ? pci_dpc_completion(port->func) : TLP_UR;
        struct tlp *cpl = tlp_new_completion(tlp, completer, status, 0);

        tlp_queue_push(&port->bounced, cpl);
        if (!port->busy)
            fabric_mark_busy(port);
    }
    tlp_free(tlp);
}

static bool port_takes_bursts(const struct port *port)
{
    return port->peer && !port->tx && port->peer->ops->bursts &&
           !trace_on(port->fabric->trace, TRACE_TLP) && !port->fabric->inject;
}

unsigned port_burst_room(const struct port *port)
{
    return port_takes_bursts(port) && port->peer->rx.count < TX_WINDOW
               ? TX_WINDOW - port->peer->rx.count
               : 0;
}

static void port_send_each(struct port *port, struct tlp *burst)
{
    while (burst)
        port_send(port, tlp_burst_take(&burst));
}

void port_send(struct port *port, struct tlp *tlp)
{
    if (__builtin_expect(tlp->burst_bytes && !port_takes_bursts(port), 0))
        port_send_each(port, tlp);
    else if (__builtin_expect(port->fabric->inject && port->peer, 0))
        inject_send(port, tlp);
    else
        port_pass(port, tlp);
}

void port_pass(struct port *port, struct tlp *tlp)
{
    struct port *peer = port->peer;

    if (__builtin_expect(!peer, 0)) {
        trace_say(port->fabric->trace, TRACE_RULE, port->name,
                  "TLP sent with the link down (PCIe Base 6.0, 2.9.1)");
        if (port->ops->unsent)
            port->ops->unsent(port, tlp);
        port_bounce(port, tlp);
        return;
    }
    port->sent.tlps += tlp_count(tlp);
    port->sent.payload_bytes += tlp->data ? tlp->length_dw * 4u : 0;
    if (port->tx) {
        link_tx_send(port->tx, tlp);
        return;
    }
    if (__builtin_expect(trace_on(port->fabric->trace, TRACE_TLP), 0))
        port_trace_tlp(port, peer, tlp);
    port->fabric->tlps += tlp_count(tlp);
    tlp_queue_push(&peer->rx, tlp);
    if (!peer->busy)
        fabric_mark_busy(peer);
}

bool port_tx_ready(struct port *port)
{
    struct port *peer = port->peer;

    if (port->tx && peer)
        return link_tx_ready(port->tx);
    if (!peer || peer->rx.count < TX_WINDOW)
        return true;
    peer->peer_waits = port->ops->tx_ready != NULL;
    return false;
}
