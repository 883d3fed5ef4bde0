/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Root ports and switch downstream ports: registers to link, link to registers, INTx wires. */
#include "pcilab/fabric/bridge.h"

#include <glib.h>

#include "pcilab/base/le.h"
#include "pcilab/fabric/receiver.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/dpc.h"
#include "pcilab/pci/link_caps.h"
#include "pcilab/pci/ptm.h"
#include "pcilab/pci/readiness.h"

#include "internal.h"

static struct bridge_port *bridge_of_port(struct port *port)
{
    return port->owner;
}

static struct bridge_port *bridge_of_func(struct pci_func *func)
{
    return func->owner;
}

static bool bridge_has_slot(const struct bridge_port *bridge)
{
    return reg_get(bridge->func->cfg, bridge->func->cap_pcie + PCIE_FLAGS) & PCIE_FLAGS_SLOT;
}

static void bridge_wire(struct bridge_port *bridge, uint8_t *source, unsigned pin, bool level)
{
    uint8_t bit = (uint8_t)(1u << pin);

    if (!(*source & bit) == !level)
        return;
    *source ^= bit;
    if (intx_drive(&bridge->wires, pin, level))
        bridge->ops->drive(bridge, pin, level);
}

static void bridge_release(struct bridge_port *bridge, uint8_t *source)
{
    for (unsigned pin = 0; pin < INTX_PINS; pin++)
        bridge_wire(bridge, source, pin, false);
}

void bridge_port_intx(struct bridge_port *bridge, const struct tlp *tlp)
{
    bridge_wire(bridge, &bridge->below, tlp_intx_pin(tlp), tlp_intx_level(tlp));
}

/* Set_Slot_Power_Limit goes down whenever the link comes up (2.2.8.5, 6.9). */
static void bridge_send_slot_power(struct bridge_port *bridge)
{
    struct port *port = &bridge->port;
    struct tlp *tlp = tlp_new(port->fabric->pool, TLP_MSGD, 1);

    tlp->requester = bridge->func->rid;
    tlp->msg_code = TLP_MSG_SET_SLOT_POWER_LIMIT;
    tlp->msg_routing = TLP_MSG_LOCAL;
    le32_store(tlp->data, pcie_slot_power_limit(bridge->func));
    port_send(port, tlp);
}

static void bridge_receive(struct port *port, struct tlp *tlp)
{
    struct bridge_port *bridge = bridge_of_port(port);

    bridge->ops->receive(bridge, tlp);
}

void bridge_show_component(struct bridge_port *bridge)
{
    struct link_status status;

    port_link_status(&bridge->port, &status);
    pcie_show_component(bridge->func, status.present, port_link_up(&bridge->port));
}

static void bridge_show_link(struct bridge_port *bridge, bool up)
{
    struct port *port = &bridge->port;
    struct link_status status;

    port_link_status(port, &status);
    pcie_set_link(bridge->func, port_link_speed(port), port_link_width(port), up);
    pcie_set_link_training(bridge->func, status.training);
    if (bridge_has_slot(bridge))
        pcie_set_presence(bridge->func, status.present);
    bridge_show_component(bridge);
    /* With the link down nothing below asserts any more (2.2.8.1). */
    if (!up && !flaw_on(bridge->func->flaws, FLAW_INTX_LINK_DOWN))
        bridge_release(bridge, &bridge->below);
    else if (bridge_has_slot(bridge) && !flaw_on(bridge->func->flaws, FLAW_SLOT_POWER_LOST))
        bridge_send_slot_power(bridge);
}

static void bridge_set_ltr(struct bridge_port *bridge, uint32_t latencies)
{
    if (bridge->ltr == latencies)
        return;
    bridge->ltr = latencies;
    port_set_tolerance(&bridge->port, pci_ltr_tolerance_ps(latencies));
    if (bridge->ops->ltr_changed)
        bridge->ops->ltr_changed(bridge);
}

/* 6.18: while LTR is disabled in the port its messages are unsupported requests. */
static bool bridge_ptm_time(struct bridge_port *bridge, uint64_t *master_ns)
{
    if (bridge->ops->ptm_time)
        return bridge->ops->ptm_time(bridge, master_ns);
    *master_ns = ptm_root_time(&bridge->port);
    return pci_ptm_is_root(bridge->ptm_func);
}

/* 6.21.3.1: a request where PTM is disabled is not supported. */
static bool bridge_ptm_request(struct bridge_port *bridge)
{
    uint64_t master_ns;

    if (!bridge->ptm_func ||
        (!pci_ptm_enabled(bridge->ptm_func) && !flaw_on(bridge->func->flaws, FLAW_PTM_ENABLE)))
        return false;
    if (flaw_on(bridge->func->flaws, FLAW_PTM_RESPONSE))
        return true;
    ptm_respond(&bridge->ptm, &bridge->port, bridge->func->rid,
                bridge_ptm_time(bridge, &master_ns) ? &master_ns : NULL);
    return true;
}

/* 2.2.8.6: who does not know the message discards it. */
static bool bridge_drs(struct bridge_port *bridge)
{
    if (pcie_drs_supported(bridge->func) && pcie_drs_received(bridge->func))
        bridge->ops->frs(bridge, PCI_FRS_DRS_RECEIVED);
    return true;
}

bool bridge_port_message(struct bridge_port *bridge, const struct tlp *tlp)
{
    if (tlp_is_drs(tlp))
        return bridge_drs(bridge);
    if (tlp->type == TLP_MSG && tlp->msg_code == TLP_MSG_PTM_REQUEST)
        return bridge_ptm_request(bridge);
    if (tlp->type != TLP_MSG || tlp->msg_code != TLP_MSG_LTR ||
        (!pcie_ltr_enabled(bridge->func) && !flaw_on(bridge->func->flaws, FLAW_LTR_UNSUPPORTED)))
        return false;
    bridge_set_ltr(bridge, (uint32_t)tlp->msg_bytes_8_15);
    return true;
}

/* To be told anew when a link comes up: it may be another one. */
static void bridge_update_power(struct bridge_port *bridge)
{
    struct pcie_power_state state;

    pcie_power_state(bridge->func, &state);
    port_set_power_state(&bridge->port, &state);
}

static void bridge_link_changed(struct port *port, bool up)
{
    struct bridge_port *bridge = bridge_of_port(port);
    struct link_status status;

    if (up) {
        pci_phy_link_up(bridge->func, port->peer->func, port_link_speed(port));
        bridge_update_power(bridge);
    } else {
        pci_phy_link_down(bridge->func);
        bridge_set_ltr(bridge, 0);
    }
    bridge->ptm = (struct ptm_responder){0};
    bridge_show_link(bridge, up);
    port_link_status(port, &status);
    /* 7.5.3.8: set by software's retraining, and by changes for the sake of reliability. */
    if (up && status.cause != LINK_CAUSE_FRESH)
        pcie_link_retrained(bridge->func);
}

/* 3.2.1: what a slot allows to be pulled out by surprise is no error. */
static bool bridge_expects_surprise(const struct bridge_port *bridge)
{
    return bridge_has_slot(bridge) &&
           reg_get(bridge->func->cfg, bridge->func->cap_pcie + PCIE_SLTCAP) & PCIE_SLTCAP_SURPRISE;
}

static void bridge_link_error(struct port *port, enum link_error error, const struct tlp *tlp)
{
    struct bridge_port *bridge = bridge_of_port(port);

    if (error != LINK_ERROR_SURPRISE_DOWN || !bridge_expects_surprise(bridge) ||
        flaw_on(bridge->func->flaws, FLAW_LINK_SURPRISE))
        pci_error_report(bridge->func, receiver_link_error(error), tlp);
}

/* 2.9.1: requests that cannot leave a switch are errors of its port, but those of 2.2.8.6 that
 * whoever does not know them discards; 2.9.3: not in containment. CHOICE: root ports, which need
 * not, do not report them; nor is reported what was in a queue when the link went down. */
static void bridge_unsent(struct port *port, const struct tlp *tlp)
{
    struct bridge_port *bridge = bridge_of_port(port);

    if (bridge->func->pcie_type != PCIE_DOWNSTREAM_PORT || pci_dpc_contains(bridge->func) ||
        tlp_is_completion(tlp) || (tlp_is_message(tlp) && tlp->msg_code == TLP_MSG_VENDOR_1))
        return;
    if (!flaw_on(bridge->func->flaws, FLAW_LINK_UNSENT))
        pci_error_report(bridge->func, PCI_ERROR_UNSUPPORTED, tlp);
}

bool bridge_port_accepts(struct bridge_port *bridge, struct tlp *tlp)
{
    const struct receiver receiver = {
        .name = bridge->name,
        .trace = bridge->port.fabric->trace,
        .funcs = &bridge->func,
        .func_count = 1,
    };
    enum pci_error kind;
    const char *why = receiver_objects(bridge->func, true, tlp, &kind);

    if (why)
        receiver_discard(&receiver, tlp, kind, why);
    return !why;
}

static void bridge_link_training(struct port *port, bool training)
{
    pcie_set_link_training(bridge_of_port(port)->func, training);
}

static void bridge_tx_ready(struct port *port)
{
    struct bridge_port *bridge = bridge_of_port(port);

    if (bridge->ops->tx_ready)
        bridge->ops->tx_ready(bridge);
}

static const struct port_ops bridge_port_link_ops = {
    .tx_ready = bridge_tx_ready,
    .receive = bridge_receive,
    .bursts = true,
    .link_changed = bridge_link_changed,
    .link_training = bridge_link_training,
    .link_error = bridge_link_error,
    .unsent = bridge_unsent,
};

static void bridge_link_control(struct pci_func *func, uint16_t old_value, uint16_t new_value,
                                bool retrain)
{
    struct bridge_port *bridge = bridge_of_func(func);

    if ((old_value ^ new_value) & PCIE_LNKCTL_DISABLE && !flaw_on(func->flaws, FLAW_LINK_DISABLE))
        port_set_disabled(&bridge->port, new_value & PCIE_LNKCTL_DISABLE);
    if (retrain && !flaw_on(func->flaws, FLAW_LINK_RETRAIN))
        port_retrain(&bridge->port, pcie_target_speed(func));
}

static void bridge_control(struct pci_func *func, uint16_t old_value, uint16_t new_value)
{
    if ((old_value ^ new_value) & PCI_BRIDGE_CONTROL_SECONDARY_RESET &&
        !flaw_on(func->flaws, FLAW_SECONDARY_RESET))
        port_hot_reset(&bridge_of_func(func)->port, new_value & PCI_BRIDGE_CONTROL_SECONDARY_RESET);
}

static void bridge_send_msi(struct pci_func *func, uint64_t addr, uint32_t data)
{
    struct bridge_port *bridge = bridge_of_func(func);

    bridge->ops->send_msi(bridge, addr, data);
}

static void bridge_own_intx(struct pci_func *func, bool level)
{
    struct bridge_port *bridge = bridge_of_func(func);

    if (func->interrupt_pin)
        bridge_wire(bridge, &bridge->own, func->interrupt_pin - 1u, level);
}

static void bridge_error_message(struct pci_func *func, uint8_t msg_code)
{
    struct bridge_port *bridge = bridge_of_func(func);

    bridge->ops->error_message(bridge, msg_code);
}

static void bridge_config_written(struct pci_func *func, unsigned offset, unsigned len)
{
    if (pcie_power_concerns(func, offset, len))
        bridge_update_power(bridge_of_func(func));
}

static void bridge_dpc_quiet(void *opaque)
{
    struct bridge_port *bridge = opaque;

    pci_dpc_set_busy(bridge->func, false);
}

/* 2.9.3, 6.2.11. */
static void bridge_contain(struct pci_func *func, bool contain)
{
    struct bridge_port *bridge = bridge_of_func(func);
    struct sim *sim = bridge->port.fabric->sim;

    sim_cancel(sim, &bridge->dpc_quiet);
    pci_dpc_set_busy(func, contain && bridge->dpc_busy_ps);
    trace_say(bridge->port.fabric->trace, TRACE_STATE, bridge->name, "containment %s (6.2.11)",
              contain ? "begins" : "ends");
    if (!contain) {
        port_release(&bridge->port);
        return;
    }
    port_contain(&bridge->port);
    if (bridge->ops->contained)
        bridge->ops->contained(bridge);
    if (bridge->dpc_busy_ps)
        sim_schedule_in(sim, &bridge->dpc_quiet, bridge->dpc_busy_ps);
}

static void bridge_system_error(struct pci_func *func)
{
    struct bridge_port *bridge = bridge_of_func(func);

    if (bridge->ops->system_error)
        bridge->ops->system_error(bridge);
}

static void bridge_awake(struct pci_func *func)
{
    struct bridge_port *bridge = bridge_of_func(func);

    bridge->ops->frs(bridge, PCI_FRS_FROM_D3HOT);
}

static const struct pci_func_ops bridge_func_ops = {
    .awake = bridge_awake,
    .system_error = bridge_system_error,
    .contain = bridge_contain,
    .config_written = bridge_config_written,
    .error_message = bridge_error_message,
    .bridge_control = bridge_control,
    .link_control = bridge_link_control,
    .slot_control = slot_control,
    .send_msi = bridge_send_msi,
    .intx = bridge_own_intx,
};

void bridge_port_init(struct bridge_port *bridge, struct fabric *fabric,
                      const struct bridge_port_params *params, const struct bridge_port_ops *ops,
                      void *owner)
{
    const struct pci_msi_params msi = {.vectors = 1, .maskable = true};

    *bridge = (struct bridge_port){.ops = ops, .owner = owner, .devfn = params->devfn};
    bridge->name = g_strdup(params->name);
    bridge->func =
        pci_func_new(bridge->name, PCI_HEADER_TYPE1, params->ids, &bridge_func_ops, bridge);
    bridge->func->trace = fabric->trace;
    bridge->func->flaws = &fabric->sim->flaws;
    pci_func_set_interrupt_pin(bridge->func, params->interrupt_pin);
    pci_cap_pm_add(bridge->func);
    if (params->msi)
        pci_cap_msi_add(bridge->func, &msi);
    pci_cap_pcie_add(bridge->func, params->pcie);
    if (params->pcie->dmwr)
        pci_cap_dev3_add(bridge->func);
    pci_cap_ssvid_add(bridge->func, params->ids->subvendor, params->ids->subdevice);
    pci_cap_aer_add(bridge->func);
    pci_cap_acs_add(bridge->func);
    if (params->pcie->dpc)
        pci_cap_dpc_add(bridge->func);
    if (params->pcie->readiness && params->pcie->type == PCIE_ROOT_PORT && params->msi)
        pci_cap_frs_add(bridge->func);
    bridge->dpc_busy_ps = params->pcie->dpc_busy_ps;
    sim_event_init(&bridge->dpc_quiet, bridge_dpc_quiet, bridge);
    pci_link_caps_add(bridge->func);
    port_init(&bridge->port, fabric, bridge->name, &bridge_port_link_ops, bridge);
    slot_init(bridge);
    bridge->port.func = bridge->func;
    bridge->port.max_speed = params->pcie->max_speed;
    bridge->port.max_width = params->pcie->max_width;
}

void bridge_port_fini(struct bridge_port *bridge)
{
    slot_fini(bridge);
    sim_cancel(bridge->port.fabric->sim, &bridge->dpc_quiet);
    link_free(bridge->port.link);
    port_fini(&bridge->port);
    pci_func_free(bridge->func);
    g_free(bridge->name);
}

void bridge_port_reset(struct bridge_port *bridge, enum reg_reset_kind kind)
{
    pci_func_reset(bridge->func, kind);
    bridge_update_power(bridge);
    bridge_release(bridge, &bridge->below);
    bridge_release(bridge, &bridge->own);
    slot_reset(bridge);
    if (!pci_dpc_contains(
            bridge->func)) /* which a warm reset leaves, as Trigger Status is sticky */
        sim_cancel(bridge->port.fabric->sim, &bridge->dpc_quiet);
    if (kind == REG_RESET_COLD) {
        port_cold_reset(&bridge->port);
    } else if (bridge->port.link) {
        /* The reset of its registers took Link Disable away. */
        port_set_disabled(&bridge->port, false);
        bridge_show_link(bridge, port_link_up(&bridge->port));
    }
}

void bridge_port_power_lost(struct bridge_port *bridge)
{
    slot_fini(bridge);
    port_set_power(&bridge->port, false);
    pci_func_reset(bridge->func, REG_RESET_COLD);
    bridge_update_power(bridge);
    bridge_release(bridge, &bridge->below);
    bridge_release(bridge, &bridge->own);
    sim_cancel(bridge->port.fabric->sim, &bridge->dpc_quiet);
    port_release(&bridge->port);
    port_set_disabled(&bridge->port, false);
    port_hot_reset(&bridge->port, false);
    port_set_target_speed(&bridge->port, 0);
}

void bridge_port_power_up(struct bridge_port *bridge)
{
    slot_reset(bridge);
    bridge_show_link(bridge, port_link_up(&bridge->port));
}
