/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A root complex: the host bridge function, what is on the root bus, INTx lines, reset. Host
 * requests are in host.c, TLPs from below in upstream.c, root ports in root_port.c.
 */
#include <assert.h>

#include <glib.h>

#include "internal.h"

/*
 * CHOICE: the host bridge is a plain type 0 function without BARs or capabilities, as on most
 * machines. Its identity is PLDA's PCI Express core, of which Linux 6.12 has no quirk and which
 * lspci knows by name; we have no vendor ID of our own.
 */
static const struct pci_ids host_bridge_ids = {
    .vendor = 0x1556,
    .device = 0x1100,
    .subvendor = 0x1556,
    .subdevice = 0x1100,
    .class_code = 0x060000,
    .revision = 0x01,
};

/* A function without an interrupt or a BAR has nothing to tell. */
static void host_bridge_send_msi(struct pci_func *func, uint64_t addr, uint32_t data)
{
}

static void host_bridge_intx(struct pci_func *func, bool level)
{
}

static const struct pci_func_ops host_bridge_ops = {
    .send_msi = host_bridge_send_msi,
    .intx = host_bridge_intx,
};

/* Completions of functions and memory of the root complex. */
static void root_send_completion(void *owner, struct tlp *cpl)
{
    root_send_by_id(owner, ROUTE_FROM_ABOVE, cpl);
}

struct completer root_completer(struct root_complex *rc, struct pci_func *func)
{
    return (struct completer){
        .name = func ? func->name : rc->name,
        .trace = rc->fabric->trace,
        .send = root_send_completion,
        .owner = rc,
        .id = func ? func->rid : rc->host_bridge->rid,
        .func = func,
        .secondary = func && func->header == PCI_HEADER_TYPE1,
    };
}

struct pci_func *root_func_at(struct root_complex *rc, unsigned devfn)
{
    if (devfn == 0)
        return rc->params.hidden ? NULL : rc->host_bridge;
    if (rc->collector && devfn >> 3 == rc->collector->device && !(devfn & 7))
        return rc->collector->func;
    for (unsigned i = 0; i < rc->view.down_count; i++) {
        if (rc->down_devfn[i] == devfn)
            return rc->down_func[i];
    }
    return NULL;
}

struct root_integrated *root_integrated_at(struct root_complex *rc, unsigned devfn)
{
    struct root_integrated *it;

    for (it = rc->integrated; it && it->device != devfn >> 3; it = it->next)
        ;
    return it;
}

struct root_integrated *root_integrated_claims(struct root_complex *rc, bool io, uint64_t addr)
{
    for (struct root_integrated *it = rc->integrated; it; it = it->next) {
        struct port *device = it->port.peer;

        if (device && device->ops->claims && device->ops->claims(device, io, addr))
            return it;
    }
    return NULL;
}

struct root_integrated *root_integrated_claims_bus(struct root_complex *rc, unsigned bus)
{
    for (struct root_integrated *it = rc->integrated; it; it = it->next) {
        struct port *device = it->port.peer;

        if (device && device->ops->claims_bus && device->ops->claims_bus(device, bus))
            return it;
    }
    return NULL;
}

void root_pass_down(struct root_complex *rc, int from, unsigned index, struct tlp *tlp)
{
    if (tlp->ep && tlp->data) {
        if (from >= 0) {
            pci_bridge_note_poison(rc->down_func[from], true, tlp);
            pci_error_report_as(rc->down_func[from], PCI_ERROR_POISONED, tlp, PCI_ERROR_ON_THE_WAY);
        }
        pci_bridge_note_poison(rc->down_func[index], false, tlp);
    }
    port_send(&rc->ports[index]->bridge.port, tlp);
}

void root_send_by_id(struct root_complex *rc, int from, struct tlp *tlp)
{
    struct completer completer;
    struct root_integrated *integrated;
    struct route route;

    route_tlp(&rc->view, from, tlp, &route);
    if (route.to == ROUTE_UP) /* redirected by Access Control Services: back down from here */
        route_tlp(&rc->view, ROUTE_FROM_ABOVE, tlp, &route);
    if (route.to == ROUTE_DOWN) {
        root_pass_down(rc, from, route.index, tlp);
        return;
    }
    if (route.to == ROUTE_INTERNAL) {
        /* The host's own ID; what is integrated there never sends a request. */
        if (route.devfn == 0 && tlp_is_completion(tlp)) {
            requester_complete(&rc->requester, tlp, from >= 0 ? rc->down_func[from] : NULL);
            return;
        }
        integrated = root_integrated_at(rc, route.devfn);
        if (integrated) {
            port_send(&integrated->port, tlp);
            return;
        }
    }
    completer = root_completer(rc, route.to == ROUTE_REFUSE && route.by ? route.by
                                   : from >= 0                          ? rc->down_func[from]
                                                                        : NULL);
    if (route.to == ROUTE_REFUSE && route.error) {
        completer_refuse_route(&completer, tlp, &route);
        return;
    }
    completer_refuse(&completer, tlp, TLP_UR,
                     route.to == ROUTE_REFUSE ? route.why : "nobody at this ID (2.3.2)");
}

void root_drive_intx(struct root_complex *rc, unsigned device, unsigned pin, bool level)
{
    unsigned line = intx_swizzle(device, pin);

    if (intx_drive(&rc->wires, line, level))
        rc->params.host->intx(rc->params.opaque, line, level);
}

/* Integrated endpoints. */

static void root_integrated_wire(struct root_integrated *it, unsigned pin, bool level)
{
    uint8_t bit = (uint8_t)(1u << pin);

    if (!(it->asserted & bit) == !level)
        return;
    it->asserted ^= bit;
    root_drive_intx(it->rc, it->device, pin, level);
}

static void root_integrated_receive(struct port *port, struct tlp *tlp)
{
    struct root_integrated *it = port->owner;

    if (tlp->burst_bytes) {
        root_receive_burst(it->rc, ROUTE_FROM_INTERNAL, tlp);
        return;
    }
    if (!tlp_is_intx(tlp)) {
        root_receive(it->rc, ROUTE_FROM_INTERNAL, tlp);
        return;
    }
    root_integrated_wire(it, tlp_intx_pin(tlp), tlp_intx_level(tlp));
    tlp_free(tlp);
}

static void root_integrated_link_changed(struct port *port, bool up)
{
}

static void root_integrated_tx_ready(struct port *port)
{
    struct root_integrated *it = port->owner;

    root_host_tx_ready(it->rc);
}

static const struct port_ops root_integrated_ops = {
    .receive = root_integrated_receive,
    .bursts = true,
    .tx_ready = root_integrated_tx_ready,
    .link_changed = root_integrated_link_changed,
};

void root_integrate(struct root_complex *rc, struct port *port, unsigned device)
{
    struct root_integrated *it = g_new0(struct root_integrated, 1);

    assert(device >= !rc->params.hidden && device <= 31 && !root_integrated_at(rc, device << 3));
    for (unsigned function = 0; function < 8; function++)
        assert(!root_func_at(rc, device << 3 | function));
    it->rc = rc;
    it->device = device;
    it->name = g_strdup_printf("%s.%u", rc->name, device);
    port_init(&it->port, rc->fabric, it->name, &root_integrated_ops, it);
    it->port.func = rc->host_bridge;
    link_connect_internal(&it->port, port);
    if (rc->collector && port->func && port->func->collected)
        pci_rcec_associate(rc->collector->func, device);
    it->next = rc->integrated;
    rc->integrated = it;
}

static void root_free_integrated(struct root_complex *rc)
{
    struct root_integrated *it;

    while ((it = rc->integrated)) {
        rc->integrated = it->next;
        link_free(it->port.link);
        port_fini(&it->port);
        g_free(it->name);
        g_free(it);
    }
}

/* The root complex as a whole. */

struct root_complex *root_complex_new(struct fabric *fabric, const struct root_params *params)
{
    struct root_complex *rc = g_new0(struct root_complex, 1);

    rc->fabric = fabric;
    rc->params = *params;
    rc->name = g_strdup(params->name);
    rc->params.name = rc->name;
    rc->view.root_bus = params->bus_first;
    rc->host_bridge =
        pci_func_new(rc->name, PCI_HEADER_TYPE0, &host_bridge_ids, &host_bridge_ops, rc);
    rc->host_bridge->trace = rc->fabric->trace;
    rc->host_bridge->flaws = &rc->fabric->sim->flaws;
    pci_func_capture(rc->host_bridge, params->bus_first, 0);
    root_host_init(rc);
    return rc;
}

void root_complex_free(struct root_complex *rc)
{
    if (!rc)
        return;
    for (unsigned i = 0; i < rc->view.down_count; i++)
        root_port_free(rc->ports[i]);
    root_free_integrated(rc);
    root_collector_free(rc);
    root_host_fini(rc);
    pci_func_free(rc->host_bridge);
    g_free(rc->ports);
    g_free(rc->down_func);
    g_free(rc->down_devfn);
    g_free(rc->name);
    g_free(rc);
}

void root_complex_reset(struct root_complex *rc)
{
    root_host_reset(rc);
    pci_func_reset(rc->host_bridge, REG_RESET_COLD);
    pci_func_capture(rc->host_bridge, rc->params.bus_first, 0);
    for (unsigned i = 0; i < rc->view.down_count; i++)
        root_port_reset(rc->ports[i]);
    root_collector_reset(rc);
    for (struct root_integrated *it = rc->integrated; it; it = it->next) {
        for (unsigned pin = 0; pin < INTX_PINS; pin++)
            root_integrated_wire(it, pin, false);
        port_cold_reset(&it->port);
    }
}

void root_complex_set_translator(struct root_complex *rc, const struct root_translator *translator)
{
    rc->translator = translator ? *translator : (struct root_translator){0};
}
