/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes up to a root complex: memory requests are translated and go to the interrupt
 * controller, to host memory or to a peer; completions go to the host or to a peer; messages end
 * at the root port (PCIe Base 6.0, 1.3.1, 2.2.8; Intel SDM vol. 3, 11.11).
 */
#include "pcilab/base/le.h"
#include "pcilab/fabric/inject.h"

#include "internal.h"

#define MSI_RANGE_FIRST 0xfee00000ULL
#define MSI_RANGE_LAST  0xfeefffffULL

static enum tlp_status ram_read(void *context, uint64_t addr, void *data, unsigned len)
{
    struct root_complex *rc = context;

    return rc->params.host->mem_read(rc->params.opaque, addr, data, len) ? TLP_SC : TLP_UR;
}

static enum tlp_status ram_write(void *context, uint64_t addr, const void *data, unsigned len)
{
    struct root_complex *rc = context;

    return rc->params.host->mem_write(rc->params.opaque, addr, data, len) ? TLP_SC : TLP_UR;
}

/* The root port that a request came in by: it is who detects what is wrong with it. */
static struct pci_func *root_ingress(const struct root_complex *rc, const struct tlp *tlp)
{
    return tlp->ingress ? rc->down_func[tlp->ingress - 1] : NULL;
}

static void root_refuse(struct root_complex *rc, struct tlp *tlp, const char *why)
{
    struct completer completer = root_completer(rc, root_ingress(rc, tlp));

    completer_refuse(&completer, tlp, TLP_UR, why);
}

/* The root port on the way to a requester: its registers say how completions are cut. */
struct pci_func *root_port_towards(struct root_complex *rc, struct pci_rid id)
{
    for (unsigned i = 0; i < rc->view.down_count; i++) {
        if (rc->down_func[i]->windows.secondary &&
            pci_bridge_claims_bus(rc->down_func[i], pci_rid_bus(id)))
            return rc->down_func[i];
    }
    return NULL;
}

static void root_access_ram(struct root_complex *rc, struct tlp *tlp)
{
    struct completer completer = root_completer(rc, root_ingress(rc, tlp));
    const struct pci_func *port = root_port_towards(rc, tlp->requester);

    completer.id = rc->host_bridge->rid;
    completer.max_payload_bytes = port ? pcie_max_payload_bytes(port) : 128;
    /* An integrated endpoint has no port whose capabilities would say less. */
    completer.atomic_bytes = port ? pcie_atomic_completer(port) : 4 | 8 | 16;
    completer.dmwr_bytes = port ? pcie_dmwr_completer_bytes(port) : TLP_DMWR_MAX_DW * 4;
    completer.boundary_bytes = port ? pcie_completion_boundary_bytes(port) : 64;
    completer.read = ram_read;
    completer.write = ram_write;
    completer.context = rc;
    completer_access(&completer, tlp);
}

bool root_in_interrupt_range(uint64_t addr)
{
    return addr >= MSI_RANGE_FIRST && addr <= MSI_RANGE_LAST;
}

bool root_is_interrupt(const struct tlp *tlp)
{
    struct tlp_pasid pasid;

    return root_in_interrupt_range(tlp->addr) && tlp->type == TLP_MWR && !tlp->ep && !tlp->at &&
           tlp->length_dw == 1 && tlp->first_be == 0xf && !tlp_get_pasid(tlp, &pasid);
}

/* A write of one doubleword in the interrupt range is a message; nothing else means anything. */
static void root_access_interrupts(struct root_complex *rc, struct tlp *tlp)
{
    if (!root_is_interrupt(tlp) &&
        !(tlp->type == TLP_MWR && tlp_flawed(tlp, FLAW_ROOT_INTERRUPT_RANGE))) {
        root_refuse(rc, tlp, "not a doubleword write in the interrupt range");
        return;
    }
    rc->params.host->msi(rc->params.opaque, tlp->addr, le32_load(tlp->data));
    tlp_free(tlp);
}

/* To another root port or an integrated endpoint, if one decodes the address. */
static bool root_access_peer(struct root_complex *rc, struct tlp *tlp)
{
    struct root_integrated *integrated;
    struct route route;

    tlp_drop_pasid(tlp); /* the translation has made use of it */
    route_tlp(&rc->view, ROUTE_FROM_ABOVE, tlp, &route);
    if (route.to == ROUTE_DOWN) {
        root_pass_down(rc, (int)tlp->ingress - 1, route.index, tlp);
        return true;
    }
    if (route.to == ROUTE_REFUSE && route.by) { /* a root port decodes it, but lets it not out */
        struct completer completer = root_completer(rc, route.by);

        completer_refuse_route(&completer, tlp, &route);
        return true;
    }
    integrated = root_integrated_claims(rc, false, tlp->addr);
    if (integrated)
        port_send(&integrated->port, tlp);
    return integrated != NULL;
}

/* CHOICE: the translation agent has recorded what it blocked; no port logs it as an error too. */
static void root_block(struct root_complex *rc, struct tlp *tlp)
{
    struct completer completer = root_completer(rc, NULL);

    completer.func = NULL;
    completer.all = NULL;
    completer_refuse(&completer, tlp, TLP_UR, "blocked by address translation");
}

void root_translated(struct root_complex *rc, struct tlp *request, bool ok)
{
    uint8_t probe;

    if (!ok) {
        root_block(rc, request);
        return;
    }
    /* The interrupt range comes before memory, memory before peers. A request does not cross
     * 4 KiB, so its first byte tells what it is for. */
    if (root_in_interrupt_range(request->addr))
        root_access_interrupts(rc, request);
    else if (ram_read(rc, request->addr, &probe, 1) == TLP_SC)
        root_access_ram(rc, request);
    else if (!root_access_peer(rc, request))
        root_refuse(rc, request, "address of nobody");
}

void root_upstream_memory(struct root_complex *rc, struct tlp *tlp)
{
    struct tlp_pasid pasid;

    if (rc->translator.translate)
        rc->translator.translate(rc->translator.opaque, rc, tlp);
    else if (tlp->at && !tlp_flawed(tlp, FLAW_ROOT_TRANSLATED))
        root_refuse(rc, tlp, "address type without a translation agent (10.2.1)");
    else if (tlp->prefix_count && tlp_get_pasid(tlp, &pasid) && !tlp_flawed(tlp, FLAW_ROOT_PASID))
        root_refuse(rc, tlp, "PASID without a translation agent (6.20.2)");
    else
        root_translated(rc, tlp, true);
}

static void take_own_msi(void *opaque, struct tlp *tlp)
{
    root_upstream_memory(opaque, tlp);
}

void root_emit(struct root_complex *rc, struct tlp *tlp)
{
    root_upstream_memory(rc, tlp);
}

void root_own_msi(struct root_complex *rc, const struct pci_func *func, struct port *port,
                  struct tlp *tlp)
{
    if (!tlp)
        return;
    /* No link is crossed: the trace shows it as leaving the function itself. */
    if (trace_on(rc->fabric->trace, TRACE_TLP))
        fabric_trace_tlp(rc->fabric, func->name, tlp);
    inject_inside(rc->fabric, port, tlp, take_own_msi, rc);
}

bool root_ats_message(struct root_complex *rc, const struct tlp *tlp)
{
    return (tlp->msg_code == TLP_MSG_INVALIDATE_DONE || tlp->msg_code == TLP_MSG_PAGE_REQUEST) &&
           tlp->type == TLP_MSG && rc->translator.message &&
           rc->translator.message(rc->translator.opaque, rc, tlp);
}

void root_send_message(struct root_complex *rc, struct tlp *tlp)
{
    tlp->requester = rc->host_bridge->rid;
    root_send_by_id(rc, ROUTE_FROM_ABOVE, tlp);
}

void root_answer(struct root_complex *rc, struct tlp *request, struct tlp *completion)
{
    tlp_free(request);
    if (!completion)
        return;
    completion->completer = rc->host_bridge->rid;
    root_send_by_id(rc, ROUTE_FROM_ABOVE, completion);
}

/*
 * By the windows and Access Control Services of the root ports: straight to a peer, or up, where
 * it is translated and may still turn out to be for a peer.
 */
static void root_receive_memory(struct root_complex *rc, int from, struct tlp *tlp)
{
    struct completer completer;
    struct route route = {.to = ROUTE_UP};

    tlp->ingress = (uint16_t)(from >= 0 ? from + 1 : 0);
    if (from >= 0)
        route_tlp(&rc->view, from, tlp, &route);
    switch (route.to) {
    case ROUTE_UP: root_upstream_memory(rc, tlp); break;
    case ROUTE_DOWN: root_pass_down(rc, from, route.index, tlp); break;
    default:
        completer = root_completer(rc, route.by ? route.by : rc->down_func[from]);
        completer_refuse_route(&completer, tlp, &route);
        break;
    }
}

void root_receive(struct root_complex *rc, int from, struct tlp *tlp)
{
    struct completer completer;

    switch (tlp->type) {
    case TLP_MRD:
    case TLP_MRDLK:
    case TLP_MWR:
    case TLP_DMWR:
    case TLP_FETCHADD:
    case TLP_SWAP:
    case TLP_CAS: root_receive_memory(rc, from, tlp); break;
    case TLP_CPL:
    case TLP_CPLD:
    case TLP_CPLLK:
    case TLP_CPLDLK: root_send_by_id(rc, from, tlp); break;
    case TLP_MSG:
    case TLP_MSGD:
        if (from >= 0) {
            root_port_receive_message(rc->ports[from], tlp);
            break;
        }
        if (root_collector_message(rc, tlp))
            break;
        if (root_ats_message(rc, tlp)) {
            tlp_free(tlp);
            break;
        }
        /* fall through */
    default:
        completer = root_completer(rc, from >= 0 ? rc->down_func[from] : NULL);
        completer_refuse(&completer, tlp, TLP_UR, "not supported upwards (1.3.1, 2.3.1)");
        break;
    }
}
