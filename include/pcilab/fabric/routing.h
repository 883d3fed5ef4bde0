/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a TLP goes: the one routing decision of switches and root complexes.
 *
 * Both are an internal bus with bridges on it. A switch has a bridge above it (its upstream port);
 * a root complex has the host there. The decision depends on nothing but the bridges' registers
 * (PCIe Base 6.0, 2.2.4, 2.2.8, 7.3.3; PCI-to-PCI Bridge 1.2, chapters 3 and 4), so what a test
 * computes from the same registers can be compared with it.
 *
 * Peer-to-peer between downstream ports goes straight across (1.3.3) where Access Control Services
 * do not redirect or block it (6.12).
 */
#ifndef PCILAB_FABRIC_ROUTING_H
#define PCILAB_FABRIC_ROUTING_H

#include "pcilab/pci/error.h"

/* Where a TLP came from: a downstream port's index, or one of these. */
enum {
    ROUTE_FROM_ABOVE = -1,    /* the upstream port's link, or the host */
    ROUTE_FROM_INTERNAL = -2, /* a function on the internal bus itself */
};

enum route_to {
    ROUTE_UP,        /* out of the upstream port, or to the host */
    ROUTE_DOWN,      /* out of downstream port `index` */
    ROUTE_ALL_DOWN,  /* a broadcast: out of every downstream port, and for this component */
    ROUTE_UPPER,     /* for the upstream port's own function */
    ROUTE_INTERNAL,  /* for what is at `devfn` on the internal bus */
    ROUTE_TERMINATE, /* a message that ends at the port that received it */
    ROUTE_REFUSE,    /* nobody's: UR for non-posted requests, else dropped; `why`. Or an ACS
                        Violation: CA, else dropped */
};

struct route {
    enum route_to to;
    bool to_type0;        /* configuration: converted to type 0 on its way (7.3.3) */
    uint8_t devfn;        /* ROUTE_INTERNAL */
    enum pci_error error; /* ROUTE_REFUSE: what it is, if not Unsupported Request; else 0 */
    bool redirected;      /* ROUTE_UP: by Access Control Services */
    unsigned index;       /* ROUTE_DOWN */
    const char *why;      /* ROUTE_REFUSE */
    struct pci_func *by;  /* ROUTE_REFUSE: the port that refuses; NULL: the host bridge */
};

struct route_view {
    struct pci_func *upper;       /* NULL in a root complex */
    struct pci_func *const *down; /* bridges on the internal bus */
    const uint8_t *down_devfn;    /* their places on it */
    unsigned down_count;
    uint8_t root_bus; /* the internal bus of a root complex; a switch has upper's secondary bus */
};

/* Why a memory or I/O request may not pass a bridge upwards, or NULL: Bus Master Enable, power
 * state and, if `windows`, the bridge's own windows. */
const char *route_bridge_refuses_up(const struct pci_func *bridge, bool windows,
                                    const struct tlp *tlp);

void route_tlp(const struct route_view *view, int from, const struct tlp *tlp, struct route *route);

#endif
