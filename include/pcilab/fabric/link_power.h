/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The power of a link (PCIe Base 6.0, 5.2 to 5.5), of links with link timing: L0s of each
 * direction, L1 by the negotiation of its two ends, L1.1 and L1.2 from there. With functional
 * timing everything here does nothing: TLPs cross at once.
 */
#ifndef PCILAB_FABRIC_LINK_POWER_H
#define PCILAB_FABRIC_LINK_POWER_H

#include <stdbool.h>
#include <stdint.h>

#include "pcilab/pci/power.h"

struct port;

enum link_power {
    LINK_L0,       /* L0s too: it belongs to a direction, not to the link */
    LINK_L1_ENTRY, /* asked for by the lower end, not yet granted */
    LINK_L1,
    LINK_L1_1,
    LINK_L1_2,
    LINK_L1_EXIT,
};
enum link_power port_link_power(const struct port *port);

/* What the registers of this end say now: of all functions where there are several. To be called
 * whenever that may have changed. */
void port_set_power_state(struct port *port, const struct pcie_power_state *state);

/* What LTR messages over this link ask for (6.18): the shorter of both latencies, SIM_NEVER for no
 * requirement. Forgotten when the link goes down. */
void port_set_tolerance(struct port *port, uint64_t tolerance_ps);

/* A PM_Active_State_Nak message arrived at an upstream-facing port (5.4.1.3.1). */
void port_l1_refused(struct port *port);

/* `below` is a downstream-facing port of the switch whose upstream-facing port is `above`: the
 * switch asks for L1 only when nothing below is awake, and wakes when something below wakes. */
void port_join(struct port *above, struct port *below);

struct link_power_counters {
    uint64_t l0s[2];         /* times that a transmitter left L0s: downwards, upwards */
    uint64_t l1, l1_1, l1_2; /* times entered */
    uint64_t refused;        /* requests that were answered with PM_Active_State_Nak */
    uint64_t asleep_ps;      /* in L1 and its substates */
};
/* False when the link is not timed. */
bool port_power_counters(const struct port *port, struct link_power_counters *counters);

#endif
