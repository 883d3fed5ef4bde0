/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What arrives at an endpoint: configuration, BAR accesses, completions, messages. */
#include <string.h>

#include "pcilab/base/le.h"
#include "pcilab/fabric/completer.h"
#include "pcilab/fabric/receiver.h"
#include "pcilab/pci/sriov.h"

#include "internal.h"

/* The read completion boundary of everything but root complexes (2.3.1.1). */
#define ENDPOINT_RCB_BYTES 128

/* Where the bytes of a request go. */
struct bar_window {
    struct endpoint_func *func;
    unsigned bar;
    uint64_t base;
    bool deferrable; /* by a Deferrable Memory Write */
};

static void endpoint_send_completion(void *owner, struct tlp *cpl)
{
    struct endpoint *ep = owner;

    port_send(&ep->port, cpl);
}

static struct completer endpoint_completer(struct endpoint *ep, struct pci_func *pci)
{
    return (struct completer){
        .name = pci->name,
        .trace = ep->fabric->trace,
        .send = endpoint_send_completion,
        .owner = ep,
        .id = pci->rid,
        .func = pci,
    };
}

/* An error of no function in particular is one of all (6.2.4). */
static unsigned endpoint_all(const struct endpoint *ep, struct pci_func *out[ENDPOINT_FUNCS_MAX])
{
    for (unsigned i = 0; i < ep->func_count; i++)
        out[i] = ep->funcs[i]->pci;
    return ep->func_count;
}

/* A TLP that no function claims. */
static void endpoint_refuse(struct endpoint *ep, struct tlp *tlp, const char *why)
{
    struct completer completer = endpoint_completer(ep, ep->funcs[0]->pci);
    struct pci_func *all[ENDPOINT_FUNCS_MAX];

    completer.all_count = endpoint_all(ep, all);
    completer.all = all;
    completer_refuse(&completer, tlp, TLP_UR, why);
}

/* CHOICE: where System Page Size makes a VF's aperture larger than what the device has, the rest
 * reads as zero. Both sizes are multiples of 4 KiB, so that no access is partly beyond. */
static bool endpoint_beyond(const struct endpoint_func *func, unsigned bar, uint64_t offset)
{
    return func->pci->pf && offset >= func->pci->bar[bar].used;
}

static enum tlp_status bar_window_read(void *context, uint64_t addr, void *data, unsigned len)
{
    struct bar_window *window = context;
    struct endpoint_func *func = window->func;
    uint64_t offset = addr - window->base;

    if (pci_msix_bar_read(func->pci, window->bar, offset, data, len))
        return TLP_SC;
    if (endpoint_beyond(func, window->bar, offset)) {
        memset(data, 0, len);
        return TLP_SC;
    }
    return func->ops->bar_read(func->owner, window->bar, offset, data, len);
}

static enum tlp_status bar_window_write(void *context, uint64_t addr, const void *data,
                                        unsigned len)
{
    struct bar_window *window = context;
    struct endpoint_func *func = window->func;
    uint64_t offset = addr - window->base;

    if (pci_msix_bar_write(func->pci, window->bar, offset, data, len) ||
        endpoint_beyond(func, window->bar, offset))
        return TLP_SC;
    if (window->deferrable && func->ops->bar_deferrable)
        return func->ops->bar_deferrable(func->owner, window->bar, offset, data, len);
    return func->ops->bar_write(func->owner, window->bar, offset, data, len);
}

static bool endpoint_not_ready(const struct endpoint_func *func)
{
    return func->ep->fabric->sim->now_ps < func->ready_ps;
}

static bool endpoint_vf_decode(struct endpoint *ep, uint64_t addr, unsigned len,
                               struct bar_window *window)
{
    for (unsigned i = 0; i < ep->func_count; i++) {
        unsigned bar;
        struct pci_func *vf = pci_sriov_find_addr(ep->funcs[i]->pci, addr, len, &bar);

        if (vf) {
            *window = (struct bar_window){vf->owner, bar, vf->bar[bar].addr, false};
            return !endpoint_not_ready(vf->owner);
        }
    }
    return false;
}

static bool endpoint_decode(struct endpoint *ep, const struct tlp *tlp, struct bar_window *window)
{
    bool io = tlp->type == TLP_IORD || tlp->type == TLP_IOWR;
    unsigned len;
    uint64_t addr;

    if (!tlp_span(tlp, &addr, &len)) {
        addr = tlp->addr; /* zero-length: the doubleword that it names */
        len = 1;
    }
    for (unsigned i = 0, at = ep->last_hit; i < ep->func_count; i++) {
        struct endpoint_func *func = ep->funcs[at];
        int bar = pci_func_find_bar(func->pci, io, addr, len);

        if (bar >= 0) {
            ep->last_hit = at;
            *window = (struct bar_window){func, (unsigned)bar, func->pci->bar[bar].addr, false};
            return true;
        }
        if (++at == ep->func_count)
            at = 0;
    }
    return !io && endpoint_vf_decode(ep, addr, len, window);
}

bool endpoint_claims(struct port *port, bool io, uint64_t addr)
{
    struct endpoint *ep = port->owner;

    for (unsigned i = 0; i < ep->func_count; i++) {
        if (pci_func_find_bar(ep->funcs[i]->pci, io, addr, 1) >= 0)
            return true;
    }
    return !io && endpoint_vf_decode(ep, addr, 1, &(struct bar_window){0});
}

static void endpoint_access(struct endpoint *ep, struct tlp *tlp)
{
    struct completer completer;
    struct bar_window window;

    if (tlp->type == TLP_MRDLK) {
        endpoint_refuse(ep, tlp, "locked read of an endpoint (2.3.1)");
        return;
    }
    if (!endpoint_decode(ep, tlp, &window)) {
        endpoint_refuse(ep, tlp, "no BAR decodes the address (2.3.1)");
        return;
    }
    completer = endpoint_completer(ep, window.func->pci);
    window.deferrable = tlp->type == TLP_DMWR;
    if (tlp->type == TLP_DMWR && window.func->ops->defer && !tlp->ep &&
        window.func->ops->defer(window.func->owner, window.bar, tlp->addr - window.base)) {
        completer_defer(&completer, tlp);
        return;
    }
    completer.max_payload_bytes = pcie_max_payload_bytes(window.func->pci);
    completer.atomic_bytes = pcie_atomic_completer(window.func->pci);
    completer.dmwr_bytes = pcie_dmwr_completer_bytes(window.func->pci);
    completer.boundary_bytes = ENDPOINT_RCB_BYTES;
    completer.read = bar_window_read;
    completer.write = bar_window_write;
    completer.context = &window;
    completer_access(&completer, tlp);
}

/* A VF by its ID (which is its PF's and an offset; 9.2.1.2), or NULL. */
static struct endpoint_func *endpoint_vf_at(struct endpoint *ep, struct pci_rid id)
{
    for (unsigned i = 0; i < ep->func_count; i++) {
        struct pci_func *vf = pci_sriov_find_id(ep->funcs[i]->pci, id);

        if (vf)
            return vf->owner;
    }
    return NULL;
}

/* A function by the low bits of an ID: with ARI all 8 are its number (6.13). */
static struct endpoint_func *endpoint_func_at(struct endpoint *ep, struct pci_rid id)
{
    unsigned number = pci_rid_devfn(id) & (ep->ari ? 0xff : 7);

    return number < ep->func_count ? ep->funcs[number] : endpoint_vf_at(ep, id);
}

/* Request Retry Status is no error: nobody notes it (2.3.1). */
static void endpoint_retry(struct endpoint *ep, struct tlp *tlp, struct pci_rid id)
{
    struct tlp *cpl = tlp_new_completion(tlp, id, TLP_RRS, 0);

    cpl->byte_count = 4;
    tlp_free(tlp);
    port_send(&ep->port, cpl);
}

static void endpoint_config(struct endpoint *ep, struct tlp *tlp, struct endpoint_func *func)
{
    struct completer completer = endpoint_completer(ep, func ? func->pci : ep->funcs[0]->pci);
    struct pci_func *all[ENDPOINT_FUNCS_MAX];

    if (func && endpoint_not_ready(func)) {
        endpoint_retry(ep, tlp, func->pci->rid);
        return;
    }
    if (!func) {
        completer.all_count = endpoint_all(ep, all);
        completer.all = all;
    }
    completer_config(&completer, tlp, func ? func->pci : NULL);
}

/* Only VFs on bus numbers above the link's own get type 1 requests (9.2.1.2). */
static void endpoint_config_further(struct endpoint *ep, struct tlp *tlp)
{
    struct endpoint_func *vf = endpoint_vf_at(ep, tlp->dest);

    if (!vf || pci_rid_bus(tlp->dest) == pci_rid_bus(ep->funcs[0]->pci->rid)) {
        endpoint_refuse(ep, tlp, "type 1 request at an endpoint (7.3.3)");
        return;
    }
    tlp->type = tlp->type == TLP_CFGRD1 ? TLP_CFGRD0 : TLP_CFGWR0;
    endpoint_config(ep, tlp, vf);
}

static void endpoint_completion(struct endpoint *ep, struct tlp *tlp)
{
    struct endpoint_func *func = endpoint_func_at(ep, tlp->requester);

    if (func && func->pci->rid.v != tlp->requester.v) /* the number of a PF, on a further bus */
        func = endpoint_vf_at(ep, tlp->requester);
    if (func)
        requester_complete(&func->requester, tlp, func->pci);
    else
        endpoint_refuse(ep, tlp, "unexpected completion: not ours (2.3.2)");
}

/* Messages of Address Translation Services are for one function. */
static bool endpoint_ats_message(struct endpoint *ep, const struct tlp *tlp)
{
    struct endpoint_func *func;

    if (tlp->msg_routing != TLP_MSG_BY_ID ||
        (tlp->msg_code != TLP_MSG_INVALIDATE && tlp->msg_code != TLP_MSG_PAGE_RESPONSE))
        return false;
    func = endpoint_func_at(ep, tlp->dest);
    if (func && func->pci->rid.v != tlp->dest.v) /* the number of a PF, on a further bus */
        func = endpoint_vf_at(ep, tlp->dest);
    return func && ats_message(func, tlp);
}

static void endpoint_message(struct endpoint *ep, struct tlp *tlp)
{
    if (endpoint_ats_message(ep, tlp)) {
        tlp_free(tlp);
        return;
    }
    if (tlp->type == TLP_MSGD && tlp->msg_code == TLP_MSG_SET_SLOT_POWER_LIMIT && !tlp->ep) {
        for (unsigned i = 0; i < ep->func_count; i++)
            pcie_capture_slot_power(ep->funcs[i]->pci, le32_load(tlp->data));
    } else if (!uplink_message(&ep->uplink, tlp) &&
               tlp->msg_code != TLP_MSG_VENDOR_1) { /* not known: discarded silently (2.2.8.6) */
        endpoint_refuse(ep, tlp, "message that an endpoint does not support (2.3.1)");
        return;
    }
    tlp_free(tlp);
}

void endpoint_link_error(struct port *port, enum link_error error, const struct tlp *tlp)
{
    struct endpoint *ep = port->owner;
    struct pci_func *all[ENDPOINT_FUNCS_MAX];
    const struct receiver receiver = {.funcs = all, .func_count = endpoint_all(ep, all)};

    receiver_report(&receiver, tlp, receiver_link_error(error));
}

static void endpoint_discard(struct endpoint *ep, struct tlp *tlp, enum pci_error kind,
                             const char *why)
{
    struct pci_func *all[ENDPOINT_FUNCS_MAX];
    const struct receiver receiver = {
        .name = ep->name,
        .trace = ep->fabric->trace,
        .funcs = all,
        .func_count = endpoint_all(ep, all),
    };

    receiver_discard(&receiver, tlp, kind, why);
}

/* CHOICE: the end-end TLP prefixes that mean something, or at least no harm, to devices here:
 * hints, what vendors define, and PASIDs of messages where there is the capability. Others make a
 * request unsupported, a completion unexpected (2.2.10.4). */
static bool endpoint_knows_prefixes(const struct endpoint *ep, const struct tlp *tlp)
{
    bool pasid = false;

    for (unsigned i = 0; i < ep->func_count && tlp_is_message(tlp); i++)
        pasid = pasid || ep->funcs[i]->pci->ext_pasid;
    for (unsigned i = 0; i < tlp->prefix_count; i++) {
        unsigned type = tlp->prefix[i] >> 24;

        if (type == TLP_PREFIX_PASID && pasid)
            continue;
        if (type != TLP_PREFIX_TPH && type != TLP_PREFIX_VENDOR_E0 && type != TLP_PREFIX_VENDOR_E1)
            return false;
    }
    return true;
}

void endpoint_receive(struct port *port, struct tlp *tlp)
{
    struct endpoint *ep = port->owner;
    enum pci_error kind;
    const char *why = receiver_objects(ep->funcs[0]->pci, false, tlp, &kind);

    if (why) {
        endpoint_discard(ep, tlp, kind, why);
        return;
    }
    if (tlp->prefix_count && !endpoint_knows_prefixes(ep, tlp)) {
        endpoint_refuse(ep, tlp, "end-end TLP prefix of an unsupported type (2.2.10.4)");
        return;
    }
    switch (tlp->type) {
    case TLP_CFGRD0:
    case TLP_CFGWR0: endpoint_config(ep, tlp, endpoint_func_at(ep, tlp->dest)); break;
    case TLP_CFGRD1:
    case TLP_CFGWR1: endpoint_config_further(ep, tlp); break;
    case TLP_CPL:
    case TLP_CPLD:
    case TLP_CPLLK:
    case TLP_CPLDLK: endpoint_completion(ep, tlp); break;
    case TLP_MSG:
    case TLP_MSGD: endpoint_message(ep, tlp); break;
    default: endpoint_access(ep, tlp); break;
    }
}
