/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The routing decision: by address, by ID, and implied by the kind of message. */
#include "pcilab/fabric/routing.h"

#include "pcilab/fabric/acs.h"
#include "pcilab/pci/dpc.h"

static bool tlp_is_io(const struct tlp *tlp)
{
    return tlp->type == TLP_IORD || tlp->type == TLP_IOWR;
}

static void route_refuse(struct route *route, struct pci_func *by, const char *why)
{
    *route = (struct route){.to = ROUTE_REFUSE, .by = by, .why = why};
}

static void route_block(struct route *route, struct pci_func *by, enum pci_error error,
                        const char *why)
{
    *route = (struct route){.to = ROUTE_REFUSE, .by = by, .error = error, .why = why};
}

static void route_down(struct route *route, unsigned index)
{
    *route = (struct route){.to = ROUTE_DOWN, .index = index};
}

static void route_internal(struct route *route, unsigned devfn)
{
    *route = (struct route){.to = ROUTE_INTERNAL, .devfn = (uint8_t)devfn};
}

/*
 * Does the bridge take this address from above? Only with its Memory or I/O Space Enable, and in
 * D0: in D3hot it answers configuration requests only (PM 1.2, 5.4.1; PCIe Base 6.0, 5.3.1.4.1).
 */
static bool bridge_takes(const struct pci_func *bridge, bool io, uint64_t addr)
{
    if (io)
        return (pci_func_io_enabled(bridge) || flaw_on(bridge->flaws, FLAW_BRIDGE_IO_ENABLE)) &&
               pci_bridge_claims_io(bridge, addr);
    return (pci_func_memory_enabled(bridge) || flaw_on(bridge->flaws, FLAW_BRIDGE_MEMORY_ENABLE)) &&
           pci_bridge_claims_mem(bridge, addr);
}

static bool is_internal_bus(const struct route_view *view, unsigned bus)
{
    if (!view->upper)
        return bus == view->root_bus;
    return view->upper->windows.secondary != 0 && bus == view->upper->windows.secondary;
}

static int find_down_by_addr(const struct route_view *view, bool io, uint64_t addr)
{
    for (unsigned i = 0; i < view->down_count; i++) {
        if (bridge_takes(view->down[i], io, addr))
            return (int)i;
    }
    return -1;
}

static int find_down_by_bus(const struct route_view *view, unsigned bus)
{
    for (unsigned i = 0; i < view->down_count; i++) {
        if (pci_bridge_claims_bus(view->down[i], bus))
            return (int)i;
    }
    return -1;
}

/* From below through a bridge: Bus Master Enable lets memory and I/O requests pass (7.5.1.1.3), and
 * what lies in the bridge's own windows does not come up through it. */
const char *route_bridge_refuses_up(const struct pci_func *bridge, bool windows,
                                    const struct tlp *tlp)
{
    if (!pci_func_bus_master(bridge) && !flaw_on(bridge->flaws, FLAW_BRIDGE_BUS_MASTER))
        return "bridge's Bus Master Enable is clear (7.5.1.1.3), or it is not in D0 (5.3.1.4.1)";
    if (windows && bridge_takes(bridge, tlp_is_io(tlp), tlp->addr))
        return "address belongs below the port that it came from (bridge windows)";
    return NULL;
}

/* Up, against what the windows say: the root complex then decides (6.12.1.1). */
static void route_redirect(const struct route_view *view, const struct tlp *tlp,
                           struct route *route)
{
    bool by_address = !tlp_is_completion(tlp) && !tlp_is_message(tlp);
    const char *why =
        view->upper && by_address ? route_bridge_refuses_up(view->upper, false, tlp) : NULL;

    if (why)
        route_refuse(route, view->upper, why);
    else
        *route = (struct route){.to = ROUTE_UP, .redirected = true};
}

/* Across, or what Access Control Services make of that. */
static void route_across(const struct route_view *view, int from, unsigned index,
                         const struct tlp *tlp, struct route *route)
{
    enum acs_verdict verdict = ACS_DIRECT;

    if (from >= 0)
        verdict = acs_peer(view->down[from], view->down[index], tlp);
    switch (verdict) {
    case ACS_DIRECT: route_down(route, index); break;
    case ACS_REDIRECT: route_redirect(view, tlp, route); break;
    case ACS_BLOCK:
        route_block(route, view->down[from], PCI_ERROR_ACS, "ACS P2P Egress Control (6.12.1.1)");
        break;
    }
}

/* Enters at a downstream port: true when that settles it. */
static bool route_enters(const struct route_view *view, int from, const struct tlp *tlp,
                         struct route *route)
{
    struct pci_func *port = view->down[from];
    const char *why = route_bridge_refuses_up(port, false, tlp);

    if (why) {
        route_refuse(route, port, why);
        return true;
    }
    if (!bridge_takes(port, tlp_is_io(tlp), tlp->addr))
        return false;
    if (acs_forwards_upstream(port))
        route_redirect(view, tlp, route);
    else if (flaw_on(port->flaws, FLAW_ROUTE_BACK))
        route_down(route, (unsigned)from);
    else
        route_refuse(route, port, "address belongs below the port that it came from (windows)");
    return true;
}

/* In no window of a downstream port: up, unless the upstream port's windows say that it belongs
 * into the switch. Then the port that it came in by refuses it, or what unclaimed requests are to
 * do is controlled there (6.12.1.1, 7.7.11.3). */
static void route_unclaimed(const struct route_view *view, int from, const struct tlp *tlp,
                            struct route *route)
{
    const char *why = view->upper ? route_bridge_refuses_up(view->upper, false, tlp) : NULL;

    if (why) {
        route_refuse(route, view->upper, why);
    } else if (!view->upper || !bridge_takes(view->upper, tlp_is_io(tlp), tlp->addr) ||
               flaw_on(view->upper->flaws, FLAW_ROUTE_UNCLAIMED)) {
        *route = (struct route){.to = ROUTE_UP};
    } else if (from >= 0 && !tlp_is_io(tlp) && acs_redirects_unclaimed(view->down[from])) {
        *route = (struct route){.to = ROUTE_UP, .redirected = true};
    } else {
        route_refuse(route, from >= 0 ? view->down[from] : view->upper,
                     "address of nobody in the switch, within its windows (bridge windows)");
    }
}

static void route_by_address(const struct route_view *view, int from, const struct tlp *tlp,
                             struct route *route)
{
    bool io = tlp_is_io(tlp);
    int index;

    if (from >= 0) {
        if (route_enters(view, from, tlp, route))
            return;
    } else if (from == ROUTE_FROM_ABOVE && view->upper &&
               !bridge_takes(view->upper, io, tlp->addr)) {
        route_refuse(route, view->upper, "address in no window of the upstream port");
        return;
    }
    index = find_down_by_addr(view, io, tlp->addr);
    if (index >= 0) {
        route_across(view, from, (unsigned)index, tlp, route);
        return;
    }
    if (from == ROUTE_FROM_ABOVE) {
        route_refuse(route, view->upper, "address in no window of a downstream port");
        return;
    }
    route_unclaimed(view, from, tlp, route);
}

static void route_by_id(const struct route_view *view, int from, struct pci_rid dest,
                        const struct tlp *tlp, struct route *route)
{
    unsigned bus = pci_rid_bus(dest);
    int index;

    /* Not from below: a port that has not captured its number yet looks like 00:00.0, the host. */
    if (from == ROUTE_FROM_ABOVE && view->upper && dest.v == view->upper->rid.v) {
        *route = (struct route){.to = ROUTE_UPPER};
        return;
    }
    if (from >= 0 && pci_bridge_claims_bus(view->down[from], bus)) {
        if (acs_forwards_upstream(view->down[from]))
            route_redirect(view, tlp, route);
        else
            route_refuse(route, view->down[from], "bus number belongs below the port it came from");
        return;
    }
    if (from == ROUTE_FROM_ABOVE && view->upper && !pci_bridge_claims_bus(view->upper, bus)) {
        route_refuse(route, view->upper, "bus number is not below the upstream port");
        return;
    }
    if (is_internal_bus(view, bus)) {
        route_internal(route, pci_rid_devfn(dest));
        return;
    }
    index = find_down_by_bus(view, bus);
    if (index >= 0)
        route_across(view, from, (unsigned)index, tlp, route);
    else if (from != ROUTE_FROM_ABOVE && view->upper && !pci_bridge_claims_bus(view->upper, bus))
        *route = (struct route){.to = ROUTE_UP};
    else
        route_refuse(route, view->upper, "bus number of no port");
}

/* PCIe Base 6.0, 7.3.3: type 1 goes down until the bus is a bridge's secondary, there it becomes
 * type 0; a link has only device 0 unless the port forwards ARI (7.3.1). */
static void route_config(const struct route_view *view, int from, const struct tlp *tlp,
                         struct route *route)
{
    bool type0 = tlp->type == TLP_CFGRD0 || tlp->type == TLP_CFGWR0;
    struct pci_func *down;

    if (from != ROUTE_FROM_ABOVE && !tlp_flawed(tlp, FLAW_CONFIG_FROM_BELOW)) {
        route_refuse(route, from >= 0 ? view->down[from] : NULL,
                     "configuration request from below (2.2.7)");
        return;
    }
    if (type0 && view->upper) {
        *route = (struct route){.to = ROUTE_UPPER};
        return;
    }
    route_by_id(view, from, tlp->dest, tlp, route);
    if (route->to == ROUTE_INTERNAL) {
        route->to_type0 = true;
        return;
    }
    if (route->to == ROUTE_UPPER) /* type 1 on the primary bus */
        route_refuse(route, view->upper, "type 1 request for the bus that it is on (7.3.3)");
    if (route->to != ROUTE_DOWN)
        return;
    down = view->down[route->index];
    if (pci_rid_bus(tlp->dest) != down->windows.secondary)
        return;
    if (pci_rid_device(tlp->dest) != 0 && !pcie_ari_forwarding(down) &&
        !flaw_on(down->flaws, FLAW_CONFIG_DEVICE))
        route_refuse(route, down, "device number other than 0 on a link (7.3.1)");
    else
        route->to_type0 = !flaw_on(down->flaws, FLAW_CONFIG_TYPE);
}

static void route_message(const struct route_view *view, int from, const struct tlp *tlp,
                          struct route *route)
{
    struct pci_func *refuser = from >= 0 ? view->down[from] : view->upper;

    switch (tlp->msg_routing) {
    case TLP_MSG_TO_RC:
        if (from == ROUTE_FROM_ABOVE)
            route_refuse(route, refuser, "message to the root complex from above (2.2.8)");
        else
            *route = (struct route){.to = ROUTE_UP};
        break;
    case TLP_MSG_BY_ADDRESS: route_by_address(view, from, tlp, route); break;
    case TLP_MSG_BY_ID: route_by_id(view, from, tlp->dest, tlp, route); break;
    case TLP_MSG_BROADCAST:
        if (from == ROUTE_FROM_ABOVE || tlp_flawed(tlp, FLAW_BROADCAST_FROM_BELOW))
            *route = (struct route){.to = ROUTE_ALL_DOWN};
        else
            route_refuse(route, refuser, "broadcast message from below (2.2.8)");
        break;
    case TLP_MSG_LOCAL:
    case TLP_MSG_GATHERED: *route = (struct route){.to = ROUTE_TERMINATE}; break;
    default: route_refuse(route, refuser, "message with reserved routing (2.2.8)"); break;
    }
}

static void route_by_type(const struct route_view *view, int from, const struct tlp *tlp,
                          struct route *route)
{
    const char *why = from >= 0 ? acs_forbids(view->down[from], tlp) : NULL;

    if (why) {
        route_block(route, view->down[from], PCI_ERROR_ACS, why);
        return;
    }
    switch (tlp->type) {
    case TLP_CPL:
    case TLP_CPLD:
    case TLP_CPLLK:
    case TLP_CPLDLK: route_by_id(view, from, tlp->requester, tlp, route); break;
    case TLP_CFGRD0:
    case TLP_CFGWR0:
    case TLP_CFGRD1:
    case TLP_CFGWR1: route_config(view, from, tlp, route); break;
    case TLP_MSG:
    case TLP_MSGD: route_message(view, from, tlp, route); break;
    default: route_by_address(view, from, tlp, route); break;
    }
}

/* A root complex that routes them between two of its ports only (6.15.3, 6.32). */
static bool route_not_across(const struct route_view *view, int from, const struct tlp *tlp,
                             struct route *route)
{
    const struct pci_func *ends[] = {from >= 0 ? view->down[from] : NULL, view->down[route->index]};

    for (unsigned i = 0; !view->upper && i < 2; i++) {
        if (ends[i] && !(tlp->type == TLP_DMWR ? pcie_dmwr_routed : pcie_atomic_routed)(ends[i])) {
            route_refuse(route, view->down[from >= 0 ? (unsigned)from : route->index],
                         "AtomicOp or DMWr between root ports that do not route it (6.15.3)");
            return true;
        }
    }
    return false;
}

/* Egress blocking (2.2.10.4, 2.7.2.1, 7.5.3.16, 7.7.9.3): the port that the request would leave
 * through refuses it. */
static void route_block_egress(const struct route_view *view, int from, const struct tlp *tlp,
                               struct route *route)
{
    struct pci_func *egress = route->to == ROUTE_DOWN ? view->down[route->index]
                              : route->to == ROUTE_UP ? view->upper
                                                      : NULL;

    if (egress && tlp_end_end_prefixes(tlp) && pcie_prefix_blocked(egress) &&
        !flaw_on(egress->flaws, FLAW_EGRESS_PREFIX)) {
        route_block(route, egress, PCI_ERROR_PREFIX_BLOCKED,
                    "end-end TLP prefix blocked (2.2.10.4)");
        return;
    }
    if (route->to == ROUTE_DOWN && tlp->ep && tlp->data && pci_dpc_blocks_poison(egress) &&
        !flaw_on(egress->flaws, FLAW_EGRESS_POISON)) {
        route_block(route, egress, PCI_ERROR_POISON_EGRESS, "poisoned TLP blocked (2.7.2.1)");
        return;
    }
    if (!tlp_is_atomic(tlp) && tlp->type != TLP_DMWR) {
        return;
    }
    if (!egress || (route->to == ROUTE_DOWN && route_not_across(view, from, tlp, route))) {
        return;
    }
    if (tlp_is_atomic(tlp) && pcie_atomic_blocked(egress) &&
        !flaw_on(egress->flaws, FLAW_EGRESS_ATOMIC)) {
        route_block(route, egress, PCI_ERROR_ATOMIC_EGRESS, "AtomicOp egress blocked (6.15)");
    } else if (tlp->type == TLP_DMWR && pcie_dmwr_blocked(egress) &&
               !flaw_on(egress->flaws, FLAW_EGRESS_DMWR)) {
        route_block(route, egress, PCI_ERROR_DMWR_EGRESS, "DMWr egress blocked (6.32)");
    }
}

void route_tlp(const struct route_view *view, int from, const struct tlp *tlp, struct route *route)
{
    route_by_type(view, from, tlp, route);
    if (__builtin_expect(
            tlp_is_atomic(tlp) || tlp->type == TLP_DMWR || tlp->prefix_count || tlp->ep, 0)) {
        route_block_egress(view, from, tlp, route);
    }
}
