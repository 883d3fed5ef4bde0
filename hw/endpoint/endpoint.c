/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The common core of endpoints: functions, resets, interrupts. What arrives is in access.c, what
 * functions send in dma.c.
 */
#include <assert.h>

#include <glib.h>

#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/link_caps.h"
#include "pcilab/pci/ptm.h"
#include "pcilab/pci/sriov.h"

#include "internal.h"
#include "pcilab/pci/error.h"

static void endpoint_wire(struct endpoint_func *func, bool level)
{
    struct endpoint *ep = func->ep;
    unsigned pin = func->pci->interrupt_pin - 1u;

    if (!func->pci->interrupt_pin || func->intx == level)
        return;
    func->intx = level;
    /* Functions that share a pin share a wire (2.2.8.1). */
    if (intx_drive(&ep->wires, pin, level) && port_link_up(&ep->port))
        dma_post(func, tlp_new_intx(ep->fabric->pool, func->pci->rid, pin, level));
}

/* 7.5.3.7: what all functions allow, or with ARI function 0 alone; 5.3.2: in L1 when all sleep. */
static void endpoint_update_power(struct endpoint *ep)
{
    struct pcie_power_state state, more;

    pcie_power_state(ep->funcs[0]->pci, &state);
    for (unsigned i = 1; i < ep->func_count; i++) {
        pcie_power_state(ep->funcs[i]->pci, &more);
        state.sleeping &= more.sleeping;
        if (!ep->ari)
            state.aspm &= more.aspm;
    }
    port_set_power_state(&ep->port, &state);
    uplink_update(&ep->uplink);
}

static void func_reset(struct endpoint_func *func, enum endpoint_reset kind)
{
    dma_reset(func);
    if (kind != ENDPOINT_RESET_FLR) /* then configuration space has been reset already */
        pci_func_reset(func->pci, kind == ENDPOINT_RESET_COLD ? REG_RESET_COLD : REG_RESET_WARM);
    endpoint_wire(func, false);
    endpoint_update_power(func->ep);
    readiness_reset(func);
    func->ops->reset(func->owner, kind);
}

static void func_config_written(struct pci_func *pci, unsigned offset, unsigned len)
{
    struct endpoint_func *func = pci->owner;

    ats_config_changed(func);
    uplink_config_written(&func->ep->uplink);
    /* What waits may no longer be sent. */
    if (dma_pending(func) && !sim_event_pending(&func->kick))
        sim_schedule_in(func->ep->fabric->sim, &func->kick, 0);
    if (!pci->pf && pcie_power_concerns(pci, offset, len))
        endpoint_update_power(func->ep);
    if (func->ops->config_changed)
        func->ops->config_changed(func->owner);
}

static void func_flr(struct pci_func *pci)
{
    func_reset(pci->owner, ENDPOINT_RESET_FLR);
    readiness_flr(pci->owner);
}

static void func_send_msi(struct pci_func *pci, uint64_t addr, uint32_t data)
{
    struct endpoint_func *func = pci->owner;
    struct tlp *tlp = tlp_new_msi(func->ep->fabric->pool, pci, addr, data);

    if (tlp)
        dma_post(func, tlp);
}

static void func_error_message(struct pci_func *pci, uint8_t msg_code)
{
    struct endpoint_func *func = pci->owner;

    if (port_link_up(&func->ep->port))
        dma_post(func, tlp_new_message(func->ep->fabric->pool, pci->rid, msg_code, TLP_MSG_TO_RC));
}

static void func_intx(struct pci_func *pci, bool level)
{
    endpoint_wire(pci->owner, level);
}

/* CHOICE: how long a VF takes to come up: it may be up to a second, and software waits 100 ms
 * before its first access (PCIe Base 6.0, 9.3.3.3.1). */
#define VF_READY_PS PS_PER_MS

static void func_vfs_changed(struct pci_func *pci, unsigned was, unsigned now)
{
    struct endpoint_func *func = pci->owner;
    uint64_t ready = func->ep->fabric->sim->now_ps + VF_READY_PS;

    for (unsigned i = 0; i < MAX(was, now); i++) {
        func_reset(func->vfs[i], ENDPOINT_RESET_COLD);
        func->vfs[i]->ready_ps = ready;
    }
    readiness_vfs(func, now != 0, ready);
    if (func->ops->vfs_changed)
        func->ops->vfs_changed(func->owner, was, now);
}

static const struct pci_func_ops endpoint_pci_ops = {
    .config_written = func_config_written,
    .flr = func_flr,
    .send_msi = func_send_msi,
    .error_message = func_error_message,
    .intx = func_intx,
    .vfs_changed = func_vfs_changed,
    .awake = readiness_awake,
};

static void endpoint_link_changed(struct port *port, bool up)
{
    struct endpoint *ep = port->owner;

    for (unsigned i = 0; i < ep->func_count; i++)
        pcie_set_link(ep->funcs[i]->pci, port_link_speed(port), port_link_width(port), up);
    if (up) {
        pci_phy_link_up(ep->funcs[0]->pci, port->peer->func, port_link_speed(port));
        endpoint_update_power(ep);
        uplink_link_up(&ep->uplink, readiness_device_ps(ep));
    } else {
        uplink_reset(&ep->uplink);
    }
}

static void endpoint_reset_all(struct endpoint *ep, enum endpoint_reset kind)
{
    for (unsigned i = 0; i < ep->func_count; i++)
        func_reset(ep->funcs[i], kind);
}

static void endpoint_hot_reset(struct port *port)
{
    if (!flaw_on(&port->fabric->sim->flaws, FLAW_HOT_RESET_DEVICE))
        endpoint_reset_all(port->owner, ENDPOINT_RESET_HOT);
    port_flush(port);
}

static void endpoint_power_lost(struct port *port)
{
    endpoint_reset_all(port->owner, ENDPOINT_RESET_COLD);
    port_flush(port);
}

void endpoint_wait(struct endpoint_func *func)
{
    struct endpoint *ep = func->ep;

    if (func->waiting)
        return;
    func->waiting = true;
    func->next_waiting = NULL;
    if (ep->last_waiting)
        ep->last_waiting->next_waiting = func;
    else
        ep->first_waiting = func;
    ep->last_waiting = func;
    ep->waiting_count++;
}

static struct endpoint_func *endpoint_take_turn(struct endpoint *ep)
{
    struct endpoint_func *func = ep->first_waiting;

    ep->first_waiting = func->next_waiting;
    if (!ep->first_waiting)
        ep->last_waiting = NULL;
    ep->waiting_count--;
    func->waiting = false;
    return func;
}

/* One turn each; a function may wait for tags, so that its turn moves nothing. */
static void endpoint_tx_ready(struct port *port)
{
    struct endpoint *ep = port->owner;

    for (unsigned turns = ep->waiting_count; turns && ep->waiting_count; turns--) {
        struct endpoint_func *func = endpoint_take_turn(ep);

        dma_pump(func);
        if (dma_waiting(func))
            endpoint_wait(func);
        if (!port_tx_ready(port))
            return;
    }
}

static const struct port_ops endpoint_port_ops = {
    .receive = endpoint_receive,
    .link_error = endpoint_link_error,
    .link_changed = endpoint_link_changed,
    .hot_reset = endpoint_hot_reset,
    .power_lost = endpoint_power_lost,
    .tx_ready = endpoint_tx_ready,
    .claims = endpoint_claims,
};

struct endpoint *endpoint_new(struct fabric *fabric, const char *name)
{
    struct endpoint *ep = g_new0(struct endpoint, 1);

    ep->fabric = fabric;
    ep->name = g_strdup(name);
    port_init(&ep->port, fabric, ep->name, &endpoint_port_ops, ep);
    return ep;
}

static void func_free(struct endpoint_func *func)
{
    for (unsigned i = 0; i < func->vf_count; i++)
        func_free(func->vfs[i]);
    g_free(func->vfs);
    dma_fini(func);
    readiness_reset(func);
    ats_free(func);
    pri_free(func);
    func->ops->destroy(func->owner);
    pci_func_free(func->pci);
    g_free(func);
}

void endpoint_free(struct endpoint *ep)
{
    if (!ep)
        return;
    uplink_fini(&ep->uplink);
    link_free(ep->port.link);
    for (unsigned i = 0; i < ep->func_count; i++)
        func_free(ep->funcs[i]);
    port_fini(&ep->port);
    g_free(ep->funcs);
    g_free(ep->name);
    g_free(ep);
}

struct port *endpoint_port(struct endpoint *ep)
{
    return &ep->port;
}

struct endpoint_func *endpoint_add_func(struct endpoint *ep, const struct endpoint_func_desc *desc)
{
    struct endpoint_func *func = g_new0(struct endpoint_func, 1);

    func->ep = ep;
    func->ops = desc->ops;
    func->owner = desc->owner;
    func->pci = pci_func_new(desc->name, PCI_HEADER_TYPE0, &desc->ids, &endpoint_pci_ops, func);
    func->pci->trace = ep->fabric->trace;
    func->pci->flaws = &ep->fabric->sim->flaws;
    func->pci->rid.v = (uint16_t)ep->func_count;
    dma_init(func);
    readiness_init(func);
    ep->funcs = g_renew(struct endpoint_func *, ep->funcs, ep->func_count + 1);
    ep->funcs[ep->func_count++] = func;
    return func;
}

struct endpoint_func *endpoint_add_vf(struct endpoint_func *pf,
                                      const struct endpoint_func_desc *desc)
{
    struct endpoint_func *func = g_new0(struct endpoint_func, 1);

    func->ep = pf->ep;
    func->ops = desc->ops;
    func->owner = desc->owner;
    func->pci = pci_vf_new(pf->pci, desc->name, &endpoint_pci_ops, func);
    dma_init(func);
    readiness_init(func);
    pf->vfs = g_renew(struct endpoint_func *, pf->vfs, pf->vf_count + 1);
    pf->vfs[pf->vf_count++] = func;
    return func;
}

struct pci_func *endpoint_func_pci(struct endpoint_func *func)
{
    return func->pci;
}

void endpoint_visit(struct endpoint *ep, void (*visit)(void *opaque, struct pci_func *func),
                    void *opaque)
{
    for (unsigned i = 0; i < ep->func_count; i++) {
        struct pci_func *pf = ep->funcs[i]->pci;

        visit(opaque, pf);
        for (unsigned v = 0; v < pci_sriov_vfs(pf); v++)
            visit(opaque, pci_sriov_vf(pf, v));
    }
}

void endpoint_set_ready_at_once(struct endpoint *ep)
{
    for (unsigned i = 0; i < ep->func_count; i++)
        pci_func_set_ready_at_once(ep->funcs[i]->pci);
}

void *endpoint_func_owner(struct endpoint_func *func)
{
    return func->owner;
}

/* CHOICE: every endpoint behind a link logs errors, and integrated ones whose messages somebody
 * takes; where there are several functions, virtual ones as well, it says
 * that nothing passes between them (7.7.11.2: a capability without bits). */
static void endpoint_add_error_caps(struct endpoint *ep, struct pci_func *pci)
{
    bool linked = pci->pcie_type == PCIE_ENDPOINT;

    if (!pci->cap_pcie || (!linked && !pci->collected))
        return;
    pci_cap_aer_add(pci);
    if (linked && (ep->func_count > 1 || pci->sriov || pci->pf))
        pci_cap_acs_add(pci);
}

void endpoint_ready(struct endpoint *ep)
{
    const struct pci_func *first;

    assert(ep->func_count && "an endpoint has a function 0");
    first = ep->funcs[0]->pci;
    ep->ari = first->ext_ari != 0;
    assert(ep->func_count <= (ep->ari ? ENDPOINT_FUNCS_MAX : 8));
    for (unsigned i = 0; i < ep->func_count; i++) {
        pci_func_set_multifunction(ep->funcs[i]->pci, ep->func_count > 1);
        endpoint_add_error_caps(ep, ep->funcs[i]->pci);
        if (i)
            pcie_follow_function_0(ep->funcs[i]->pci);
        for (unsigned v = 0; v < ep->funcs[i]->vf_count; v++)
            endpoint_add_error_caps(ep, ep->funcs[i]->vfs[v]->pci);
    }
    ep->port.func = first;
    uplink_init(&ep->uplink, &ep->port, ep->funcs[0]->pci);
    /* Integrated endpoints have no link. */
    if (first->cap_pcie && reg_has(first->cfg, first->cap_pcie + PCIE_LNKCAP)) {
        uint64_t link = reg_get(first->cfg, first->cap_pcie + PCIE_LNKCAP);

        ep->port.max_speed = (uint8_t)FIELD_GET(PCIE_LNKCAP_SPEED, link);
        ep->port.max_width = (uint8_t)FIELD_GET(PCIE_LNKCAP_WIDTH, link);
        pci_link_caps_add(ep->funcs[0]->pci);
        pci_cap_ptm_add(ep->funcs[0]->pci,
                        &(struct pci_ptm_params){.requester = true, .granularity_ns = 1});
    }
}

void endpoint_interrupt(struct endpoint_func *func, unsigned vector)
{
    if (pci_func_msi_enabled(func->pci))
        pci_func_msi_raise(func->pci, vector);
}

void endpoint_set_intx(struct endpoint_func *func, bool level)
{
    pci_func_set_intx(func->pci, level);
}

struct sim *endpoint_sim(struct endpoint_func *func)
{
    return func->ep->fabric->sim;
}

struct trace *endpoint_trace(struct endpoint_func *func)
{
    return func->ep->fabric->trace;
}

void endpoint_send_message(struct endpoint_func *func, enum tlp_msg_code code)
{
    dma_post(func, tlp_new_message(func->ep->fabric->pool, func->pci->rid, code, TLP_MSG_TO_RC));
}

void endpoint_set_ltr(struct endpoint_func *func, uint32_t latencies)
{
    struct endpoint *ep = func->ep;
    uint32_t strictest = 0;

    func->ltr = latencies;
    for (unsigned i = 0; i < ep->func_count; i++)
        strictest = pci_ltr_stricter(strictest, ep->funcs[i]->ltr);
    uplink_set_ltr(&ep->uplink, strictest);
}

bool endpoint_ptm_request(struct endpoint_func *func)
{
    struct endpoint *ep = func->ep;

    return ptm_request(&ep->uplink.ptm, &ep->port, ep->funcs[0]->pci);
}

bool endpoint_ptm_time(const struct endpoint_func *func, uint64_t *master_ns)
{
    return ptm_time(&func->ep->uplink.ptm, &func->ep->port, master_ns);
}

uint64_t endpoint_ptm_dialogs(const struct endpoint_func *func)
{
    return func->ep->uplink.ptm.dialogs;
}

void endpoint_set_not_ready(struct endpoint_func *func, uint64_t ps)
{
    func->ready_ps = func->ep->fabric->sim->now_ps + ps;
    if (!func->pci->pf)
        uplink_delay(&func->ep->uplink, func->ready_ps);
}

struct tlp_pool *endpoint_pool(struct endpoint_func *func)
{
    return func->ep->fabric->pool;
}

void endpoint_send_tlp(struct endpoint_func *func, struct tlp *tlp)
{
    dma_post(func, tlp);
}

void endpoint_reset(struct endpoint *ep)
{
    endpoint_reset_all(ep, ENDPOINT_RESET_COLD);
    port_cold_reset(&ep->port);
}
