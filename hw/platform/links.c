/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links between components, as the description has them. */
#include <string.h>

#include "board.h"
#include "pcilab/platform/places.h"

struct link *board_connect_link(const struct machine_desc *desc, const struct machine_component *c,
                                struct port *above, struct port *below)
{
    enum machine_timing timing = c->link.timing ? c->link.timing : desc->timing;
    struct link_params params = link_default_params;
    struct link *link;

    params.timing = timing == MACHINE_TIMING_LINK ? LINK_TIMED : LINK_FUNCTIONAL;
    params.propagation_ps = c->link.propagation_ps;
    params.training_ps = c->link.training_ps;
    params.bit_error_rate = c->link.bit_error_rate;
    memcpy(params.rx[0], places_port_above(desc, c)->rx, sizeof(params.rx[0]));
    memcpy(params.rx[1], c->port.rx, sizeof(params.rx[1]));
    link = link_new(above, below, &params);
    for (unsigned i = 0; i < c->link.fault_count; i++)
        port_add_fault(c->link.faults[i].up ? below : above, &c->link.faults[i].fault);
    return link;
}
