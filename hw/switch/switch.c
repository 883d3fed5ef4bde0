/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A switch: an upstream port, downstream ports on an internal bus, resets and INTx wires between
 * them (PCIe Base 6.0, 1.3.3, 2.2.8.1, 6.6.1). Forwarding is in forward.c.
 */
#include "internal.h"

#include <assert.h>

#include <glib.h>

#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/link_caps.h"
#include "pcilab/pci/ptm.h"
#include "pcilab/pci/readiness.h"

#define SWITCH_DOWN_MAX 32

/*
 * CHOICE: the default identity is the PCI Express switch IP of PLDA: a real, generic switch of
 * which Linux 6.12 has no quirk and which lspci knows by name. We have no vendor ID of our own.
 */
static const struct pci_ids switch_default_ids = {
    .vendor = 0x1556,
    .device = 0x1113,
    .subvendor = 0x1556,
    .subdevice = 0x1113,
    .class_code = 0x060400,
    .revision = 0x01,
};

static void switch_up_receive(struct port *port, struct tlp *tlp)
{
    struct pcie_switch *sw = port->owner;
    enum pci_error kind;
    const char *why = receiver_objects(sw->upper, false, tlp, &kind);
    const struct receiver receiver = {
        .name = sw->up_name,
        .trace = sw->fabric->trace,
        .funcs = &sw->upper,
        .func_count = 1,
    };

    if (why)
        receiver_discard(&receiver, tlp, kind, why);
    else
        switch_forward(sw, ROUTE_FROM_ABOVE, tlp);
}

static void switch_up_link_error(struct port *port, enum link_error error, const struct tlp *tlp)
{
    struct pcie_switch *sw = port->owner;

    pci_error_report(sw->upper, receiver_link_error(error), tlp);
}

static void switch_update_power(struct pcie_switch *sw)
{
    struct pcie_power_state state;

    pcie_power_state(sw->upper, &state);
    port_set_power_state(&sw->up, &state);
    uplink_update(&sw->uplink);
}

static void switch_up_link_changed(struct port *port, bool up)
{
    struct pcie_switch *sw = port->owner;

    pcie_set_link(sw->upper, port_link_speed(port), port_link_width(port), up);
    if (up) {
        pci_phy_link_up(sw->upper, port->peer->func, port_link_speed(port));
        switch_update_power(sw);
        uplink_link_up(&sw->uplink, 0); /* its ports answer at once */
    } else {
        uplink_reset(&sw->uplink);
        sw->turning_off = false;
    }
    if (up && sw->unpowered) {
        sw->unpowered = false;
        for (unsigned i = 0; i < sw->down_count; i++)
            bridge_port_power_up(&sw->down[i]);
    }
    /* A hot reset from above holds everything below in reset as well (6.6.1). */
    for (unsigned i = 0; up && i < sw->down_count; i++)
        port_hot_reset(&sw->down[i].port, false);
}

static void switch_upper_written(struct pci_func *func, unsigned offset, unsigned len)
{
    struct pcie_switch *sw = func->owner;

    uplink_config_written(&sw->uplink);
    if (pcie_power_concerns(func, offset, len))
        switch_update_power(sw);
}

static void switch_reset_funcs(struct pcie_switch *sw, enum reg_reset_kind kind)
{
    sw->secondary_reset = false;
    pci_func_reset(sw->upper, kind);
    switch_update_power(sw);
    for (unsigned i = 0; i < sw->down_count; i++)
        bridge_port_reset(&sw->down[i], kind);
    sw->own_intx = 0;
    sw->wires = (struct intx_wires){0};
}

static void switch_up_hot_reset(struct port *port)
{
    struct pcie_switch *sw = port->owner;

    for (unsigned i = 0; i < sw->down_count; i++)
        port_hot_reset(&sw->down[i].port, !flaw_on(sw->upper->flaws, FLAW_HOT_RESET_BELOW));
    switch_reset_funcs(sw, REG_RESET_WARM);
    port_flush(port);
}

/* What is below loses its power too: the switch's slots have it from the switch. */
static void switch_up_power_lost(struct port *port)
{
    struct pcie_switch *sw = port->owner;

    sw->unpowered = true;
    sw->secondary_reset = false;
    pci_func_reset(sw->upper, REG_RESET_COLD);
    switch_update_power(sw);
    for (unsigned i = 0; i < sw->down_count; i++)
        bridge_port_power_lost(&sw->down[i]);
    sw->own_intx = 0;
    sw->wires = (struct intx_wires){0};
    port_flush(port);
}

static const struct port_ops switch_up_ops = {
    .receive = switch_up_receive,
    .link_error = switch_up_link_error,
    .link_changed = switch_up_link_changed,
    .hot_reset = switch_up_hot_reset,
    .power_lost = switch_up_power_lost,
};

/* A wire towards the root complex changed: the messages are of the upstream port (2.2.8.1). */
static void switch_send_intx(struct pcie_switch *sw, unsigned pin, bool level)
{
    if (port_link_up(&sw->up))
        port_send(&sw->up, tlp_new_intx(sw->fabric->pool, sw->upper->rid, pin, level));
}

static void switch_drive(struct pcie_switch *sw, unsigned pin, bool level)
{
    if (intx_drive(&sw->wires, pin, level))
        switch_send_intx(sw, pin, level);
}

/* Would all its TLPs go up? They are in one page. */
static bool switch_burst_up(struct pcie_switch *sw, int from, struct tlp *tlp)
{
    enum pci_error kind;
    struct route route;

    if (receiver_objects(sw->down_func[from], true, tlp, &kind))
        return false;
    route_tlp(&sw->view, from, tlp, &route);
    if (route.to == ROUTE_UP)
        port_send(&sw->up, tlp);
    return route.to == ROUTE_UP;
}

static void switch_down_receive(struct bridge_port *bridge, struct tlp *tlp)
{
    struct pcie_switch *sw = bridge->owner;

    if (tlp->burst_bytes) {
        bool up = switch_burst_up(sw, (int)(bridge - sw->down), tlp);

        while (!up && tlp)
            switch_down_receive(bridge, tlp_burst_take(&tlp));
        return;
    }
    if (bridge_port_accepts(bridge, tlp))
        switch_forward(sw, (int)(bridge - sw->down), tlp);
}

static void switch_down_drive(struct bridge_port *bridge, unsigned pin, bool level)
{
    bool straight = flaw_on(bridge->func->flaws, FLAW_INTX_SWIZZLE);

    switch_drive(bridge->owner, straight ? pin : intx_swizzle(bridge->devfn >> 3, pin), level);
}

static void switch_down_send_msi(struct bridge_port *bridge, uint64_t addr, uint32_t data)
{
    struct pcie_switch *sw = bridge->owner;
    struct tlp *tlp = tlp_new_msi(sw->fabric->pool, bridge->func, addr, data);

    if (tlp)
        switch_forward(sw, ROUTE_FROM_INTERNAL, tlp);
}

static void switch_down_error_message(struct bridge_port *bridge, uint8_t msg_code)
{
    struct pcie_switch *sw = bridge->owner;

    switch_forward(sw, ROUTE_FROM_INTERNAL,
                   tlp_new_message(sw->fabric->pool, bridge->func->rid, msg_code, TLP_MSG_TO_RC));
}

static void switch_down_frs(struct bridge_port *bridge, unsigned reason)
{
    struct pcie_switch *sw = bridge->owner;

    switch_forward(sw, ROUTE_FROM_INTERNAL,
                   tlp_new_frs(sw->fabric->pool, bridge->func->rid, (enum pci_frs_reason)reason));
}

static void switch_upper_awake(struct pci_func *func)
{
    struct pcie_switch *sw = func->owner;

    if (port_link_up(&sw->up))
        port_send(&sw->up, tlp_new_frs(sw->fabric->pool, func->rid, PCI_FRS_FROM_D3HOT));
}

/* 6.18: a switch passes on the strictest of what is below it. CHOICE: it adds no latency that it
 * would have to take off. */
/* Who asks below makes the switch ask above (PCIe Base 6.0, 6.21.2). */
static bool switch_down_ptm_time(struct bridge_port *bridge, uint64_t *master_ns)
{
    struct pcie_switch *sw = bridge->owner;
    bool known = ptm_time(&sw->uplink.ptm, &sw->up, master_ns);

    (void)ptm_request(&sw->uplink.ptm, &sw->up, sw->upper);
    return known;
}

static void switch_down_ltr_changed(struct bridge_port *bridge)
{
    struct pcie_switch *sw = bridge->owner;
    uint32_t strictest = 0;

    for (unsigned i = 0; i < sw->down_count; i++)
        strictest = pci_ltr_stricter(strictest, sw->down[i].ltr);
    if (flaw_on(bridge->func->flaws, FLAW_LTR_STRICTEST))
        strictest = bridge->ltr;
    uplink_set_ltr(&sw->uplink, strictest);
}

static const struct bridge_port_ops switch_down_ops = {
    .ltr_changed = switch_down_ltr_changed,
    .ptm_time = switch_down_ptm_time,
    .error_message = switch_down_error_message,
    .frs = switch_down_frs,
    .receive = switch_down_receive,
    .drive = switch_down_drive,
    .send_msi = switch_down_send_msi,
};

static void switch_upper_send_msi(struct pci_func *func, uint64_t addr, uint32_t data)
{
    struct pcie_switch *sw = func->owner;
    struct tlp *tlp = tlp_new_msi(sw->fabric->pool, func, addr, data);

    if (tlp)
        port_send(&sw->up, tlp);
}

static void switch_upper_error_message(struct pci_func *func, uint8_t msg_code)
{
    struct pcie_switch *sw = func->owner;

    if (port_link_up(&sw->up))
        port_send(&sw->up, tlp_new_message(sw->fabric->pool, func->rid, msg_code, TLP_MSG_TO_RC));
}

static void switch_upper_intx(struct pci_func *func, bool level)
{
    struct pcie_switch *sw = func->owner;
    unsigned pin = func->interrupt_pin - 1u;

    if (!func->interrupt_pin || !(sw->own_intx >> pin & 1) == !level)
        return;
    sw->own_intx ^= (uint8_t)(1u << pin);
    switch_drive(sw, pin, level);
}

/* The upstream port's Secondary Bus Reset resets what is on the internal bus, and so everything
 * below (6.6.1). */
static void switch_upper_control(struct pci_func *func, uint16_t old_value, uint16_t new_value)
{
    struct pcie_switch *sw = func->owner;

    if (!((old_value ^ new_value) & PCI_BRIDGE_CONTROL_SECONDARY_RESET))
        return;
    sw->secondary_reset = new_value & PCI_BRIDGE_CONTROL_SECONDARY_RESET;
    for (unsigned i = 0; i < sw->down_count; i++) {
        port_hot_reset(&sw->down[i].port, sw->secondary_reset);
        if (sw->secondary_reset)
            bridge_port_reset(&sw->down[i], REG_RESET_WARM);
    }
}

static const struct pci_func_ops switch_upper_ops = {
    .awake = switch_upper_awake,
    .config_written = switch_upper_written,
    .bridge_control = switch_upper_control,
    .error_message = switch_upper_error_message,
    .send_msi = switch_upper_send_msi,
    .intx = switch_upper_intx,
};

/* CHOICE: a serial number that only depends on the name: FNV-1a, marked as locally assigned (the
 * U/L bit of its EUI-64). */
static uint64_t serial_of_name(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325ULL;

    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 0x100000001b3ULL;
    return (hash & ~(BIT(56))) | BIT(57);
}

static void switch_make_upper(struct pcie_switch *sw, const struct switch_params *params)
{
    const struct pci_ids *ids = params->up_ids.vendor ? &params->up_ids : &switch_default_ids;
    const struct pci_msi_params msi = {.vectors = 1, .maskable = true};
    struct pcie_params pcie = params->up.pcie;

    pcie.type = PCIE_UPSTREAM_PORT;
    pcie.atomics = pcie.dmwr = !pcie.no_atomics;
    pcie.prefixes = pcie.no_prefixes ? 0 : TLP_END_END_MAX;
    sw->up_name = g_strdup_printf("%s.up", params->name);
    sw->upper = pci_func_new(sw->up_name, PCI_HEADER_TYPE1, ids, &switch_upper_ops, sw);
    sw->upper->trace = sw->fabric->trace;
    sw->upper->flaws = &sw->fabric->sim->flaws;
    pci_func_set_interrupt_pin(sw->upper, 1);
    pci_cap_pm_add(sw->upper);
    if (params->up.msi)
        pci_cap_msi_add(sw->upper, &msi);
    pci_cap_pcie_add(sw->upper, &pcie);
    pci_cap_ssvid_add(sw->upper, ids->subvendor, ids->subdevice);
    if (pcie.dmwr)
        pci_cap_dev3_add(sw->upper);
    pci_cap_aer_add(sw->upper);
    pci_cap_dsn_add(sw->upper, serial_of_name(params->name));
    pci_link_caps_add(sw->upper);
    pci_cap_ptm_add(sw->upper, &(struct pci_ptm_params){
                                   .requester = true, .responder = true, .granularity_ns = 1});
    port_init(&sw->up, sw->fabric, sw->up_name, &switch_up_ops, sw);
    sw->up.func = sw->upper;
    uplink_init(&sw->uplink, &sw->up, sw->upper);
    sw->up.max_speed = pcie.max_speed;
    sw->up.max_width = pcie.max_width;
}

static void switch_make_down(struct pcie_switch *sw, const struct switch_params *params,
                             unsigned index)
{
    struct pcie_params pcie = params->down[index].pcie;
    char *name = g_strdup_printf("%s.%u", params->name, index);
    const struct bridge_port_params bridge = {
        .name = name,
        .ids = params->down_ids.vendor ? &params->down_ids : &switch_default_ids,
        .pcie = &pcie,
        .msi = params->down[index].msi,
        .interrupt_pin = 1,
        .devfn = (uint8_t)(index << 3),
    };

    pcie.type = PCIE_DOWNSTREAM_PORT;
    pcie.atomics = pcie.dmwr = !pcie.no_atomics;
    pcie.prefixes = pcie.no_prefixes ? 0 : TLP_END_END_MAX;
    bridge_port_init(&sw->down[index], sw->fabric, &bridge, &switch_down_ops, sw);
    sw->down[index].ptm_func = sw->upper; /* whose capability is that of the whole switch */
    sw->down_func[index] = sw->down[index].func;
    sw->down_devfn[index] = bridge.devfn;
    g_free(name);
}

struct pcie_switch *pcie_switch_new(struct fabric *fabric, const struct switch_params *params)
{
    struct pcie_switch *sw = g_new0(struct pcie_switch, 1);

    assert(params->down_count >= 1 && params->down_count <= SWITCH_DOWN_MAX);
    sw->fabric = fabric;
    sw->name = g_strdup(params->name);
    sw->down_count = params->down_count;
    sw->down = g_new0(struct bridge_port, sw->down_count);
    sw->down_func = g_new0(struct pci_func *, sw->down_count);
    sw->down_devfn = g_new0(uint8_t, sw->down_count);
    sw->turned_off = g_new0(bool, sw->down_count);
    switch_make_upper(sw, params);
    for (unsigned i = 0; i < sw->down_count; i++)
        switch_make_down(sw, params, i);
    /* In order of their numbers. */
    for (unsigned i = sw->down_count; i--;)
        port_join(&sw->up, &sw->down[i].port);
    sw->view = (struct route_view){
        .upper = sw->upper,
        .down = sw->down_func,
        .down_devfn = sw->down_devfn,
        .down_count = sw->down_count,
    };
    return sw;
}

void pcie_switch_free(struct pcie_switch *sw)
{
    if (!sw)
        return;
    for (unsigned i = 0; i < sw->down_count; i++)
        bridge_port_fini(&sw->down[i]);
    uplink_fini(&sw->uplink);
    link_free(sw->up.link);
    port_fini(&sw->up);
    pci_func_free(sw->upper);
    g_free(sw->down);
    g_free(sw->down_func);
    g_free(sw->down_devfn);
    g_free(sw->turned_off);
    g_free(sw->up_name);
    g_free(sw->name);
    g_free(sw);
}

void pcie_switch_reset(struct pcie_switch *sw)
{
    switch_reset_funcs(sw, REG_RESET_COLD);
    port_cold_reset(&sw->up);
}

struct port *pcie_switch_upstream(struct pcie_switch *sw)
{
    return &sw->up;
}

struct port *pcie_switch_downstream(struct pcie_switch *sw, unsigned index)
{
    assert(index < sw->down_count);
    return &sw->down[index].port;
}

struct pci_func *pcie_switch_func(struct pcie_switch *sw, int index)
{
    assert(index >= -1 && index < (int)sw->down_count);
    return index < 0 ? sw->upper : sw->down_func[index];
}
