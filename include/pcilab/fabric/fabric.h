/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fabric: ports joined by links, and TLPs that cross them.
 *
 * port_send() hands a TLP to the link; it arrives at the other end's receive() later, from the
 * fabric's own loop, never from inside port_send(): nothing recurses, however deep the tree.
 * With functional timing "later" is the same virtual instant. Both timings deliver every TLP
 * exactly once, whole and in order.
 *
 * A component may refuse to receive only by not returning buffer credits (link timing); the
 * interface for that is port_credit_return(), a no-op with functional timing.
 */
#ifndef PCILAB_FABRIC_FABRIC_H
#define PCILAB_FABRIC_FABRIC_H

#include "pcilab/pci/tlp.h"
#include "pcilab/sim/sim.h"
#include "pcilab/trace/trace.h"

struct link;
struct port;

struct port_ops {
    /* A TLP arrived; the component owns it now. */
    void (*receive)(struct port *port, struct tlp *tlp);
    /* The link went up or down (hot reset, link disable): speed and width are valid when up. */
    void (*link_changed)(struct port *port, bool up);
    /* The other end sent hot reset over the link (upstream-facing ports only); may be NULL. */
    void (*hot_reset)(struct port *port);
};

struct fabric {
    struct sim *sim;
    struct trace *trace;
    struct tlp_pool *pool;
    struct sim_event drain; /* functional timing: links with TLPs under way */
    struct link *busy_first, *busy_last;
    uint64_t tlps; /* crossings of a link so far */
};

struct port {
    const char *name; /* stable name for traces, e.g. "sw0.2"; owned by the component */
    const struct port_ops *ops;
    void *owner;
    struct fabric *fabric;
    struct link *link; /* NULL: nothing connected */
    uint8_t side;
    uint8_t max_speed; /* what this end supports: 1 to 5 */
    uint8_t max_width;
};

struct fabric *fabric_new(struct sim *sim, struct trace *trace);
void fabric_free(struct fabric *fabric);

void port_init(struct port *port, struct fabric *fabric, const char *name,
               const struct port_ops *ops, void *owner);
/* Joins two ports and trains to the best common speed and width. */
struct link *link_connect(struct port *downstream_facing, struct port *upstream_facing);
void link_free(struct link *link);

/* Passes ownership. On a link that is down posted TLPs and completions vanish; non-posted
 * requests get UR from the port (2.9.1), delivered to receive() of the sender. */
void port_send(struct port *port, struct tlp *tlp);
bool port_link_up(const struct port *port);
unsigned port_link_speed(const struct port *port);
unsigned port_link_width(const struct port *port);
/* Hot reset (Secondary Bus Reset): while asserted the link is down for the other end's functions,
 * which are reset; released, it trains again. */
void port_hot_reset(struct port *port, bool assert_reset);

#endif
