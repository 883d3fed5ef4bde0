/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the fabric: a link, and the queue of ports with TLPs to deliver. */
#ifndef PCILAB_HW_FABRIC_LINK_H
#define PCILAB_HW_FABRIC_LINK_H

#include "pcilab/fabric/fabric.h"

enum {
    LINK_DOWNSTREAM_FACING = 0, /* side of a root port or switch downstream port */
    LINK_UPSTREAM_FACING = 1,
};

struct link {
    struct port *end[2]; /* by side */
    uint8_t speed, width;
    uint8_t target_speed; /* 0: as fast as both ends can */
    bool up;
    bool internal;  /* inside a root complex: never goes down */
    bool hot_reset; /* asserted by the downstream-facing end */
    bool disabled;
};

void fabric_mark_busy(struct port *port);
/* What becomes of a TLP that cannot cross `port`'s link. */
void port_bounce(struct port *port, struct tlp *tlp);

#endif
