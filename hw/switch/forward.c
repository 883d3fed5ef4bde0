/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a switch does with a TLP once the routing has decided (PCIe Base 6.0, 1.3.3, 2.2.4). */
#include <string.h>

#include "pcilab/base/le.h"

#include "internal.h"

static void switch_send_completion(void *owner, struct tlp *cpl)
{
    switch_forward(owner, ROUTE_FROM_INTERNAL, cpl);
}

/* `from` is where the request came from, for the side of the bridge that it reached. */
static struct completer switch_completer(struct pcie_switch *sw, int from, struct pci_func *func)
{
    return (struct completer){
        .name = func->name,
        .trace = sw->fabric->trace,
        .send = switch_send_completion,
        .owner = sw,
        .id = func->rid,
        .func = func,
        .secondary = from != ROUTE_FROM_ABOVE,
    };
}

static void switch_refuse(struct pcie_switch *sw, int from, struct pci_func *func, struct tlp *tlp,
                          const char *why)
{
    struct completer completer = switch_completer(sw, from, func);

    completer_refuse(&completer, tlp, TLP_UR, why);
}

static void switch_refuse_route(struct pcie_switch *sw, int from, const struct route *route,
                                struct tlp *tlp)
{
    struct completer completer = switch_completer(sw, from, route->by ? route->by : sw->upper);

    completer_refuse_route(&completer, tlp, route);
}

/* A TLP for a function of the switch itself; `func` is NULL where there is none. */
static void switch_terminate_at(struct pcie_switch *sw, int from, struct pci_func *func,
                                struct tlp *tlp)
{
    struct completer completer = switch_completer(sw, from, func ? func : sw->upper);

    if (tlp->type == TLP_CFGRD0 || tlp->type == TLP_CFGWR0)
        completer_config(&completer, tlp, func);
    else
        completer_refuse(&completer, tlp, TLP_UR,
                         tlp_is_completion(tlp) ? "unexpected completion (2.3.2)"
                                                : "not for a switch port (2.3.1)");
}

static struct pci_func *switch_func_at(struct pcie_switch *sw, unsigned devfn)
{
    /* Functions on a bus that is held in reset do not answer. */
    for (unsigned i = 0; i < sw->down_count && !sw->secondary_reset; i++) {
        if (sw->down_devfn[i] == devfn)
            return sw->down_func[i];
    }
    return NULL;
}

/* 5.3.3.2.1: one PME_TO_Ack goes up when one has come from every port with something below it. */
static void switch_gather(struct pcie_switch *sw)
{
    if (!sw->turning_off)
        return;
    for (unsigned i = 0; i < sw->down_count; i++) {
        if (port_link_up(&sw->down[i].port) && !sw->turned_off[i])
            return;
    }
    sw->turning_off = false;
    uplink_turned_off(&sw->uplink);
}

/* Messages that end at the port that received them (table 2-20, routing 4 and 5). */
static void switch_terminate_message(struct pcie_switch *sw, int from, struct tlp *tlp)
{
    struct pci_func *func = from >= 0 ? sw->down_func[from] : sw->upper;

    if (from >= 0 && tlp_is_intx(tlp)) {
        bridge_port_intx(&sw->down[from], tlp);
        tlp_free(tlp);
    } else if (from < 0 && tlp->type == TLP_MSGD && !tlp->ep &&
               tlp->msg_code == TLP_MSG_SET_SLOT_POWER_LIMIT) {
        pcie_capture_slot_power(sw->upper, le32_load(tlp->data));
        tlp_free(tlp);
    } else if (from >= 0 ? bridge_port_message(&sw->down[from], tlp)
                         : uplink_message(&sw->uplink, tlp)) {
        tlp_free(tlp);
    } else if (from >= 0 && tlp->type == TLP_MSG && tlp->msg_code == TLP_MSG_PME_TO_ACK) {
        sw->turned_off[from] = true;
        switch_gather(sw);
        tlp_free(tlp);
    } else if (tlp->msg_code == TLP_MSG_VENDOR_1) {
        tlp_free(tlp); /* discarded silently when not known (2.2.8.6) */
    } else {
        switch_refuse(sw, from, func, tlp, "message that this port does not support (2.3.1)");
    }
}

static void switch_broadcast(struct pcie_switch *sw, struct tlp *tlp)
{
    for (unsigned i = 0; i < sw->down_count; i++) {
        if (tlp_end_end_prefixes(tlp) && pcie_prefix_blocked(sw->down_func[i]))
            pci_error_report(sw->down_func[i], PCI_ERROR_PREFIX_BLOCKED, tlp);
        else if (port_link_up(&sw->down[i].port))
            port_send(&sw->down[i].port, tlp_clone(tlp));
    }
    if (tlp->type == TLP_MSG && tlp->msg_code == TLP_MSG_PME_TURN_OFF) {
        sw->turning_off = true;
        memset(sw->turned_off, 0, sw->down_count * sizeof(*sw->turned_off));
        switch_gather(sw);
    }
    tlp_free(tlp);
}

/* 7.3.3: what arrives on its target bus becomes type 0. */
static void convert_to_type0(struct tlp *tlp)
{
    tlp->type = tlp->type == TLP_CFGRD1 ? TLP_CFGRD0 : TLP_CFGWR0;
}

/* A poisoned TLP passes: Status of the bridges that it crosses, and a note in the log of the port
 * that it came in by, which is not its target (6.2.3.2.4.2, 6.2.8.1). */
static void switch_note_poison(struct pcie_switch *sw, int from, const struct route *route,
                               const struct tlp *tlp)
{
    if (from == ROUTE_FROM_ABOVE)
        pci_bridge_note_poison(sw->upper, false, tlp);
    else if (from >= 0)
        pci_bridge_note_poison(sw->down_func[from], true, tlp);
    if (route->to == ROUTE_UP)
        pci_bridge_note_poison(sw->upper, true, tlp);
    else
        pci_bridge_note_poison(sw->down_func[route->index], false, tlp);
    if (from != ROUTE_FROM_INTERNAL)
        pci_error_report_as(from >= 0 ? sw->down_func[from] : sw->upper, PCI_ERROR_POISONED, tlp,
                            PCI_ERROR_ON_THE_WAY);
}

/* Error messages pass a bridge only if its enables say so (6.2.8.1). */
static bool switch_passes_error(struct pcie_switch *sw, int from, const struct tlp *tlp)
{
    if (from >= 0 && !pci_bridge_passes_error(sw->down_func[from], tlp))
        return false;
    return pci_bridge_passes_error(sw->upper, tlp);
}

static void switch_up(struct pcie_switch *sw, int from, struct tlp *tlp)
{
    if (tlp_is_error_message(tlp) && !switch_passes_error(sw, from, tlp))
        tlp_free(tlp);
    else
        port_send(&sw->up, tlp);
}

void switch_forward(struct pcie_switch *sw, int from, struct tlp *tlp)
{
    struct route route;

    route_tlp(&sw->view, from, tlp, &route);
    if (route.to_type0)
        convert_to_type0(tlp);
    if (tlp->ep && tlp->data && (route.to == ROUTE_UP || route.to == ROUTE_DOWN))
        switch_note_poison(sw, from, &route, tlp);
    switch (route.to) {
    case ROUTE_UP: switch_up(sw, from, tlp); break;
    case ROUTE_DOWN: port_send(&sw->down[route.index].port, tlp); break;
    case ROUTE_ALL_DOWN: switch_broadcast(sw, tlp); break;
    case ROUTE_UPPER:
        /* The upstream port is function 0, and alone. */
        switch_terminate_at(
            sw, from, tlp_is_config(tlp) && pci_rid_devfn(tlp->dest) & 7 ? NULL : sw->upper, tlp);
        break;
    case ROUTE_INTERNAL: switch_terminate_at(sw, from, switch_func_at(sw, route.devfn), tlp); break;
    case ROUTE_TERMINATE: switch_terminate_message(sw, from, tlp); break;
    case ROUTE_REFUSE: switch_refuse_route(sw, from, &route, tlp); break;
    }
}
