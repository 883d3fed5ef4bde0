/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a switch does with a TLP once the routing has decided (PCIe Base 6.0, 1.3.3, 2.2.4). */
#include "pcilab/base/le.h"

#include "internal.h"

static void switch_send_completion(void *owner, struct tlp *cpl)
{
    switch_forward(owner, ROUTE_FROM_INTERNAL, cpl);
}

static struct completer switch_completer(struct pcie_switch *sw, struct pci_func *func)
{
    return (struct completer){
        .name = func->name,
        .trace = sw->fabric->trace,
        .send = switch_send_completion,
        .owner = sw,
        .id = func->rid,
        .func = func,
    };
}

static void switch_refuse(struct pcie_switch *sw, struct pci_func *func, struct tlp *tlp,
                          const char *why)
{
    struct completer completer = switch_completer(sw, func);

    completer_refuse(&completer, tlp, TLP_UR, why);
}

/* A TLP for a function of the switch itself; `func` is NULL where there is none. */
static void switch_terminate_at(struct pcie_switch *sw, struct pci_func *func, struct tlp *tlp)
{
    struct completer completer = switch_completer(sw, func ? func : sw->upper);

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
    } else if (tlp->msg_code == TLP_MSG_VENDOR_1) {
        tlp_free(tlp); /* discarded silently when not known (2.2.8.6) */
    } else {
        /* UNIMPL: PME_TO_Ack is not gathered; nothing sends PME_Turn_Off yet. */
        switch_refuse(sw, func, tlp, "message that this port does not support (2.3.1)");
    }
}

static void switch_broadcast(struct pcie_switch *sw, struct tlp *tlp)
{
    for (unsigned i = 0; i < sw->down_count; i++) {
        if (port_link_up(&sw->down[i].port))
            port_send(&sw->down[i].port, tlp_clone(tlp));
    }
    tlp_free(tlp);
}

/* 7.3.3: what arrives on its target bus becomes type 0. */
static void convert_to_type0(struct tlp *tlp)
{
    tlp->type = tlp->type == TLP_CFGRD1 ? TLP_CFGRD0 : TLP_CFGWR0;
}

void switch_forward(struct pcie_switch *sw, int from, struct tlp *tlp)
{
    struct route route;

    route_tlp(&sw->view, from, tlp, &route);
    if (route.to_type0)
        convert_to_type0(tlp);
    switch (route.to) {
    case ROUTE_UP: port_send(&sw->up, tlp); break;
    case ROUTE_DOWN: port_send(&sw->down[route.index].port, tlp); break;
    case ROUTE_ALL_DOWN: switch_broadcast(sw, tlp); break;
    case ROUTE_UPPER:
        /* The upstream port is function 0, and alone. */
        switch_terminate_at(
            sw, tlp_is_config(tlp) && pci_rid_devfn(tlp->dest) & 7 ? NULL : sw->upper, tlp);
        break;
    case ROUTE_INTERNAL: switch_terminate_at(sw, switch_func_at(sw, route.devfn), tlp); break;
    case ROUTE_TERMINATE: switch_terminate_message(sw, from, tlp); break;
    case ROUTE_REFUSE: switch_refuse(sw, route.by ? route.by : sw->upper, tlp, route.why); break;
    }
}
