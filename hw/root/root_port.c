/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Root ports: their place on the root bus, their interrupts, messages that end at them. */
#include <assert.h>

#include <glib.h>

#include "internal.h"
#include "pcilab/fabric/acs.h"
#include "pcilab/pci/dpc.h"
#include "pcilab/pci/ptm.h"
#include "pcilab/pci/readiness.h"

/*
 * CHOICE: the default root port is PLDA's "PCI Express Bridge": Linux 6.12 has no quirk of it
 * (unlike Intel's, of which pciehp and others have several), lspci knows its name, and its vendor
 * sells just such generic ports. We have no vendor ID of our own.
 */
static const struct pci_ids root_port_default_ids = {
    .vendor = 0x1556,
    .device = 0xbe00,
    .subvendor = 0x1556,
    .subdevice = 0xbe00,
    .class_code = 0x060400,
    .revision = 0x01,
};

void root_port_receive(struct bridge_port *bridge, struct tlp *tlp)
{
    struct root_port *rp = bridge->owner;
    const char *why;

    if (tlp->burst_bytes) {
        root_receive_burst(rp->rc, (int)rp->index, tlp);
        return;
    }
    if (!bridge_port_accepts(bridge, tlp))
        return;
    if (!tlp_is_memory(tlp) && !flaw_on(bridge->func->flaws, FLAW_ROOT_ACS) &&
        (why = acs_forbids(bridge->func, tlp))) {
        struct completer completer = root_completer(rp->rc, bridge->func);

        completer_refuse_as(&completer, tlp, TLP_CA, PCI_ERROR_ACS, why);
        return;
    }
    if (tlp_is_intx(tlp)) {
        bridge_port_intx(bridge, tlp);
        tlp_free(tlp);
        return;
    }
    root_receive(rp->rc, (int)rp->index, tlp);
}

static void root_port_drive(struct bridge_port *bridge, unsigned pin, bool level)
{
    struct root_port *rp = bridge->owner;

    root_drive_intx(rp->rc, bridge->devfn >> 3, pin, level);
}

static void root_port_send_msi(struct bridge_port *bridge, uint64_t addr, uint32_t data)
{
    struct root_port *rp = bridge->owner;

    root_own_msi(rp->rc, bridge->func, &bridge->port,
                 tlp_new_msi(rp->rc->fabric->pool, bridge->func, addr, data));
}

static void root_port_tx_ready(struct bridge_port *bridge)
{
    struct root_port *rp = bridge->owner;

    root_host_tx_ready(rp->rc);
}

/* No link is crossed: the port has what its own function says at once (6.2.4.1.1). */
static void root_port_error_message(struct bridge_port *bridge, uint8_t msg_code)
{
    pci_root_error(bridge->func, msg_code, bridge->func->rid);
}

static void root_port_frs(struct bridge_port *bridge, unsigned reason)
{
    pci_frs_queue(bridge->func, bridge->func->rid, reason);
}

/* 2.9.3: completions in place of those that cannot come any more, when whatever found the error is
 * done with it. */
static void root_port_synthesize(void *opaque)
{
    struct root_port *rp = opaque;
    struct pci_func *func = rp->bridge.func;

    requester_give_up(&rp->rc->requester, func,
                      pci_dpc_completion(func) == TLP_CA ? REQUESTER_CA : REQUESTER_UR);
}

static void root_port_contained(struct bridge_port *bridge)
{
    struct root_port *rp = bridge->owner;

    if (!sim_event_pending(&rp->synthesize))
        sim_schedule_in(rp->rc->fabric->sim, &rp->synthesize, 0);
}

static void root_port_system_error(struct bridge_port *bridge)
{
    struct root_port *rp = bridge->owner;

    root_system_error(rp->rc);
}

static const struct bridge_port_ops root_port_ops = {
    .system_error = root_port_system_error,
    .contained = root_port_contained,
    .error_message = root_port_error_message,
    .frs = root_port_frs,
    .receive = root_port_receive,
    .drive = root_port_drive,
    .send_msi = root_port_send_msi,
    .tx_ready = root_port_tx_ready,
};

void root_port_receive_message(struct root_port *rp, struct tlp *tlp)
{
    struct completer completer = root_completer(rp->rc, rp->bridge.func);

    switch (tlp->msg_code) {
    case TLP_MSG_PM_PME: pcie_root_pme(rp->bridge.func, tlp->requester); break;
    case TLP_MSG_ERR_COR:
    case TLP_MSG_ERR_NONFATAL:
    case TLP_MSG_ERR_FATAL:
        if (pci_bridge_passes_error(rp->bridge.func, tlp))
            pci_root_error(rp->bridge.func, tlp->msg_code, tlp->requester);
        break;
    case TLP_MSG_VENDOR_1: /* discarded silently when not known (2.2.8.6) */
        if (tlp_is_frs(tlp))
            pci_frs_queue(rp->bridge.func, tlp->requester, tlp_frs_reason(tlp));
        else
            (void)bridge_port_message(&rp->bridge, tlp);
        break;
    case TLP_MSG_PME_TO_ACK: break; /* nobody waits for it (5.3.3.2.1) */
    default:
        if (bridge_port_message(&rp->bridge, tlp) || root_ats_message(rp->rc, tlp))
            break;
        completer_refuse(&completer, tlp, TLP_UR, "message that a root port does not support");
        return;
    }
    tlp_free(tlp);
}

/* Functions of one device tell in all of them that there are several (7.5.1.1.9). */
static void root_mark_multifunction(struct root_complex *rc, unsigned device)
{
    unsigned functions = 0;

    for (unsigned i = 0; i < rc->view.down_count; i++)
        functions += rc->down_devfn[i] >> 3 == device;
    for (unsigned i = 0; i < rc->view.down_count; i++) {
        if (rc->down_devfn[i] >> 3 == device)
            pci_func_set_multifunction(rc->down_func[i], functions > 1);
    }
}

struct root_port *root_port_add(struct root_complex *rc, const struct root_port_params *params)
{
    struct root_port *rp = g_new0(struct root_port, 1);
    unsigned count = rc->view.down_count, devfn = params->device << 3u | params->function;
    struct pcie_params pcie = params->pcie;
    const struct bridge_port_params bridge = {
        .name = params->name,
        .ids = params->ids.vendor ? &params->ids : &root_port_default_ids,
        .pcie = &pcie,
        .msi = params->msi,
        .interrupt_pin = (uint8_t)(params->function % INTX_PINS + 1),
        .devfn = (uint8_t)devfn,
    };

    assert(params->device >= 1 && params->device <= 31 && params->function <= 7);
    assert(!root_func_at(rc, devfn) && !root_integrated_at(rc, devfn));
    pcie.type = PCIE_ROOT_PORT;
    pcie.atomics = pcie.dmwr = !pcie.no_atomics;
    pcie.prefixes = pcie.no_prefixes ? 0 : TLP_END_END_MAX;
    rp->rc = rc;
    rp->index = count;
    sim_event_init(&rp->synthesize, root_port_synthesize, rp);
    bridge_port_init(&rp->bridge, rc->fabric, &bridge, &root_port_ops, rp);
    rp->bridge.ptm_func = rp->bridge.func;
    pci_cap_ptm_add(rp->bridge.func,
                    &(struct pci_ptm_params){.responder = true, .root = true, .granularity_ns = 1});
    rp->bridge.func->rid = pci_rid_make(rc->params.bus_first, params->device, params->function);
    rc->ports = g_renew(struct root_port *, rc->ports, count + 1);
    rc->down_func = g_renew(struct pci_func *, rc->down_func, count + 1);
    rc->down_devfn = g_renew(uint8_t, rc->down_devfn, count + 1);
    rc->ports[count] = rp;
    rc->down_func[count] = rp->bridge.func;
    rc->down_devfn[count] = (uint8_t)devfn;
    rc->view.down = rc->down_func;
    rc->view.down_devfn = rc->down_devfn;
    rc->view.down_count = count + 1;
    root_mark_multifunction(rc, params->device);
    return rp;
}

void root_port_reset(struct root_port *rp)
{
    sim_cancel(rp->rc->fabric->sim, &rp->synthesize);
    bridge_port_reset(&rp->bridge, REG_RESET_COLD);
    pci_func_capture(rp->bridge.func, rp->rc->params.bus_first, rp->bridge.devfn >> 3);
}

void root_port_free(struct root_port *rp)
{
    sim_cancel(rp->rc->fabric->sim, &rp->synthesize);
    bridge_port_fini(&rp->bridge);
    g_free(rp);
}

struct port *root_port_link(struct root_port *rp)
{
    return &rp->bridge.port;
}

struct pci_func *root_port_func(struct root_port *rp)
{
    return rp->bridge.func;
}
