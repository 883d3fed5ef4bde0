/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fabric: ports joined by links, and TLPs that cross them.
 *
 * port_send() hands a TLP to the link; it arrives at the other end's receive() later, from the
 * fabric's own loop, never from inside port_send(): nothing recurses, however deep the tree.
 * With functional timing "later" is the same virtual instant. Both timings deliver every TLP
 * exactly once, whole and in order.
 *
 * With link timing a TLP occupies the receive buffer that it arrived in until the component frees
 * it or it leaves the component over another link; keeping it keeps its credits. A component that
 * originates many TLPs asks port_tx_ready() first and goes on at tx_ready(), so that what is under
 * way stays bounded; forwarding components need not.
 */
#ifndef PCILAB_FABRIC_FABRIC_H
#define PCILAB_FABRIC_FABRIC_H

#include "pcilab/fabric/link.h"
#include "pcilab/fabric/link_power.h"
#include "pcilab/pci/function.h"
#include "pcilab/pci/tlp.h"
#include "pcilab/sim/sim.h"
#include "pcilab/trace/trace.h"

struct port_ops {
    /* A TLP arrived; the component owns it now. */
    void (*receive)(struct port *port, struct tlp *tlp);
    /* receive() knows bursts. */
    bool bursts;
    /* The link went up or down (hot reset, link disable), or came back from a retrain: speed and
     * width are valid when up; port_link_status() tells why. */
    void (*link_changed)(struct port *port, bool up);
    /* Downstream-facing ports: training or Recovery began or ended; before link_changed(). Not
     * called where it takes no time. May be NULL. */
    void (*link_training)(struct port *port, bool training);
    /* The port detected an error of the link. `tlp` is the TLP, where there is one to tell of; it
     * stays the fabric's. May be NULL. */
    void (*link_error)(struct port *port, enum link_error error, const struct tlp *tlp);
    /* Downstream-facing ports: a TLP was to leave while the link is down (PCIe Base 6.0, 2.9.1); it
     * stays the fabric's. May be NULL. */
    void (*unsent)(struct port *port, const struct tlp *tlp);
    /* Upstream-facing ports: the link went down, by hot reset or otherwise, which resets the
     * component (PCIe Base 6.0, 6.6.1); called after link_changed(). May be NULL. */
    void (*hot_reset)(struct port *port);
    /* The same, but power is gone: back to the state after power-on. NULL: as hot_reset(). */
    void (*power_lost)(struct port *port);
    /* After port_tx_ready() said no: the link takes TLPs again. May be NULL. */
    void (*tx_ready)(struct port *port);
    /* Integrated endpoints: does a function behind the port decode this address? May be NULL. */
    bool (*claims)(struct port *port, bool io, uint64_t addr);
    /* The same for what has bridges of its own behind it: does one lead to this bus? Type 1
     * configuration requests come to receive() then. May be NULL. */
    bool (*claims_bus)(struct port *port, unsigned bus);
};

/* A FIFO of TLPs through tlp->next; bursts count as what they stand for. */
struct tlp_queue {
    struct tlp *first, *last;
    unsigned count;
};

static inline void tlp_queue_push(struct tlp_queue *queue, struct tlp *tlp)
{
    tlp->next = NULL;
    if (queue->last)
        queue->last->next = tlp;
    else
        queue->first = tlp;
    queue->last = tlp;
    queue->count += tlp_count(tlp);
}

static inline struct tlp *tlp_queue_pop(struct tlp_queue *queue)
{
    struct tlp *tlp = queue->first;
    if (tlp) {
        queue->first = tlp->next;
        if (!queue->first)
            queue->last = NULL;
        queue->count -= tlp_count(tlp);
    }
    return tlp;
}

void tlp_queue_clear(struct tlp_queue *queue);

struct inject; /* pcilab/fabric/inject.h */

struct fabric {
    struct sim *sim;
    struct trace *trace;
    struct tlp_pool *pool;
    struct inject *inject;               /* NULL: no TLP is tampered with */
    struct sim_event drain;              /* functional timing: ports with TLPs to deliver */
    struct port *busy_first, *busy_last; /* those ports, in the order they became busy */
    struct sim_stream chance;            /* of links that vary */
    uint64_t vary_ps;                    /* 0: they do not */
    uint64_t tlps;                       /* crossings of a link so far */
    uint64_t instant_ps, instant_tlps;   /* deliveries at one instant of virtual time */
    bool draining;
};

struct port_traffic {
    uint64_t tlps, payload_bytes;
};

struct port {
    const char *name; /* stable name for traces, e.g. "sw0.2"; owned by the component */
    const struct port_ops *ops;
    void *owner;
    struct fabric *fabric;
    struct link *link; /* NULL: nothing connected */
    struct port *peer; /* the other end while the link is up, else NULL */
    /* Whose requester ID signs the completions that the port makes itself; may be NULL. */
    const struct pci_func *func;
    uint8_t side;
    uint8_t max_speed; /* what this end supports: 1 to 5 */
    uint8_t max_width;
    struct port_traffic sent; /* over the link since the machine was made; replays count once */

    /* private to the fabric */
    struct link_dir *tx; /* link timing; NULL: functional */
    bool busy;
    bool peer_waits; /* port_tx_ready() of the peer said no */
    struct port *busy_next;
    struct tlp_queue rx;      /* arrived over the link */
    struct tlp_queue bounced; /* completions of requests that the link could not take */
    /* Of a switch: the port that faces up, and those that face down; see port_join(). */
    struct port *above, *first_below, *next_below;
};

struct fabric *fabric_new(struct sim *sim, struct trace *trace);
/* All links and ports are gone and all TLPs freed. */
void fabric_free(struct fabric *fabric);
/* Links with timing take up to so much longer, at most 1 us, for each TLP and DLLP, as the seed
 * says; 0: no more than they need. Their order stays. */
#define FABRIC_VARY_MAX_PS PS_PER_US
void fabric_vary(struct fabric *fabric, uint64_t vary_ps);

/* max_speed and max_width are 1 until the component sets them. */
void port_init(struct port *port, struct fabric *fabric, const char *name,
               const struct port_ops *ops, void *owner);
/* Drops what is still to be delivered here. The link was freed before. */
void port_fini(struct port *port);
/* Forgets what was under way towards the port. */
void port_flush(struct port *port);
/* Power-on reset of the component: nothing under way, link not disabled nor in reset, trained
 * again: both ends get link_changed(). */
void port_cold_reset(struct port *port);
/* link_new() with default parameters: functional timing. */
struct link *link_connect(struct port *downstream_facing, struct port *upstream_facing);
/* A wire inside a root complex, to an integrated endpoint: no training, always up. */
struct link *link_connect_internal(struct port *downstream_facing, struct port *upstream_facing);
void link_free(struct link *link);

/* Passes ownership. On a link that is down posted TLPs and completions vanish; non-posted
 * requests get UR from the port (2.9.1), delivered to receive() of the sender. */
void port_send(struct port *port, struct tlp *tlp);
/* False when enough is under way; the port gets tx_ready() when that has changed. */
bool port_tx_ready(struct port *port);

/*
 * How many TLPs may be sent now as a burst (tlp_make_burst()); 0: single ones only. A burst goes
 * where nothing observes or perturbs single TLPs, and counts as those that it stands for wherever
 * TLPs are counted; port_send() takes it apart where that is no longer so.
 */
unsigned port_burst_room(const struct port *port);

bool port_link_up(const struct port *port);
unsigned port_link_speed(const struct port *port);
unsigned port_link_width(const struct port *port);
/* TRACE_TLP for a TLP that crosses something at `where`. */
void fabric_trace_tlp(struct fabric *fabric, const char *where, const struct tlp *tlp);
/* A trace_render_fn for TLPs. */
void fabric_render_tlp(const struct trace_event *event, char *out, size_t out_len);

#endif
