/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's requests: loads, stores and configuration accesses into TLPs, and their completions
 * back. What nobody claims reads as all ones (PCIe Base 6.0, 2.3.2).
 */
#include <assert.h>
#include <string.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

#include "internal.h"
#include "pcilab/pci/config.h"

#define RRS_VENDOR      0xffff0001u /* 2.3.2 */
#define RRS_INTERVAL_PS PS_PER_MS
#define RRS_PATIENCE_PS PS_PER_S

static void list_push(struct root_request_list *list, struct root_request *request)
{
    request->next = NULL;
    if (list->last)
        list->last->next = request;
    else
        list->first = request;
    list->last = request;
}

static struct root_request *list_pop(struct root_request_list *list)
{
    struct root_request *request = list->first;

    if (request) {
        list->first = request->next;
        if (!list->first)
            list->last = NULL;
    }
    return request;
}

static bool request_is_config(const struct root_request *request)
{
    return request->kind == ROOT_CFG_READ || request->kind == ROOT_CFG_WRITE;
}

static bool request_is_read(const struct root_request *request)
{
    return request->kind == ROOT_MEM_READ || request->kind == ROOT_IO_READ ||
           request->kind == ROOT_CFG_READ;
}

/* Completions of I/O and configuration reads bring the doubleword; the request wants its bytes. */
static void request_settle_data(struct root_request *request)
{
    unsigned offset = request->addr & 3;

    if (!request_is_read(request))
        return;
    if (request->status != TLP_SC)
        memset(request->data, 0xff, request->size_bytes);
    else if (request->kind != ROOT_MEM_READ && offset)
        memmove(request->data, request->data + offset, request->size_bytes);
}

static void request_finish(struct root_complex *rc, struct root_request *request,
                           enum tlp_status status)
{
    request->status = status;
    request_settle_data(request);
    if (!rc->submitting) {
        request->done(request, status);
        return;
    }
    list_push(&rc->finished, request);
    if (!sim_event_pending(&rc->finish))
        sim_schedule_in(rc->fabric->sim, &rc->finish, 0);
}

static bool host_start(struct root_complex *rc, struct root_request *request);

/* Starts what waited for a tag or for room in a port, in order. */
static void host_pump(struct root_complex *rc)
{
    rc->submitting = true;
    for (struct root_request *request; (request = list_pop(&rc->waiting));) {
        if (host_start(rc, request))
            continue;
        request->next = rc->waiting.first;
        rc->waiting.first = request;
        if (!rc->waiting.last)
            rc->waiting.last = request;
        break;
    }
    rc->submitting = false;
}

void root_host_tx_ready(struct root_complex *rc)
{
    if (rc->waiting.first && !sim_event_pending(&rc->finish))
        sim_schedule_in(rc->fabric->sim, &rc->finish, 0);
}

static void host_finish_due(void *opaque)
{
    struct root_complex *rc = opaque;
    struct root_request_list due = rc->finished;
    struct root_request *request;

    rc->finished = (struct root_request_list){0};
    while ((request = list_pop(&due)))
        request->done(request, request->status);
    if (rc->waiting.first)
        host_pump(rc);
}

static const enum tlp_type request_tlp_type[] = {
    [ROOT_MEM_READ] = TLP_MRD,     [ROOT_MEM_WRITE] = TLP_MWR,   [ROOT_IO_READ] = TLP_IORD,
    [ROOT_IO_WRITE] = TLP_IOWR,    [ROOT_CFG_READ] = TLP_CFGRD1, [ROOT_CFG_WRITE] = TLP_CFGWR1,
    [ROOT_MEM_ENQUEUE] = TLP_DMWR,
};

static struct tlp *request_tlp(struct root_complex *rc, const struct root_request *request)
{
    bool read = request_is_read(request);
    unsigned offset = request->addr & 3;
    unsigned dws = (offset + request->size_bytes + 3) / 4;
    struct tlp *tlp = tlp_new(rc->fabric->pool, request_tlp_type[request->kind], read ? 0 : dws);

    assert(request->size_bytes >= 1 && request->size_bytes <= sizeof(request->data));
    assert(request->kind <= ROOT_MEM_WRITE || request->kind == ROOT_MEM_ENQUEUE ||
           offset + request->size_bytes <= 4);
    tlp->requester = rc->host_bridge->rid;
    if (request_is_config(request)) {
        tlp_set_span(tlp, offset, request->size_bytes);
        tlp->addr = 0;
        tlp->dest.v = (uint16_t)(request->addr >> 12);
        tlp->reg = request->addr & 0xffc;
    } else {
        tlp_set_span(tlp, request->addr, request->size_bytes);
    }
    if (!read) {
        memset(tlp->data, 0, 4);
        memset(tlp->data + (dws - 1) * 4, 0, 4);
        memcpy(tlp->data + offset, request->data, request->size_bytes);
    }
    return tlp;
}

static void host_own_completion(void *owner, struct tlp *cpl)
{
    struct root_complex *rc = owner;

    if (trace_on(rc->fabric->trace, TRACE_TLP))
        fabric_trace_tlp(rc->fabric, rc->name, cpl);
    requester_complete(&rc->requester, cpl, NULL);
}

/* A request for a function that is part of the root complex: no link is crossed. */
static void host_config_own(struct root_complex *rc, unsigned devfn, struct tlp *tlp)
{
    struct completer completer = root_completer(rc, rc->host_bridge);

    completer.send = host_own_completion;
    if (trace_on(rc->fabric->trace, TRACE_TLP))
        fabric_trace_tlp(rc->fabric, rc->name, tlp);
    completer_config(&completer, tlp, root_func_at(rc, devfn));
}

/*
 * Where a host request goes: out of a port, to a function of the root complex (own), or nowhere.
 * `govern` is the root port that acts as the requester, for its completion timer.
 */
struct host_target {
    struct port *port;
    struct pci_func *govern;
    bool own;
    uint8_t devfn;
};

static bool host_route(struct root_complex *rc, struct tlp *tlp, struct host_target *target)
{
    bool io = tlp->type == TLP_IORD || tlp->type == TLP_IOWR;
    struct root_integrated *integrated;
    struct route route;

    *target = (struct host_target){0};
    route_tlp(&rc->view, ROUTE_FROM_ABOVE, tlp, &route);
    if (route.to_type0)
        tlp->type = tlp->type == TLP_CFGRD1 ? TLP_CFGRD0 : TLP_CFGWR0;
    if (route.to == ROUTE_DOWN) {
        target->port = &rc->ports[route.index]->bridge.port;
        target->govern = rc->down_func[route.index];
        return true;
    }
    if (route.to == ROUTE_INTERNAL) {
        integrated = root_integrated_at(rc, route.devfn);
        target->port = integrated ? &integrated->port : NULL;
        target->own = !integrated;
        target->devfn = route.devfn;
        return true;
    }
    integrated = tlp_is_config(tlp) ? root_integrated_claims_bus(rc, pci_rid_bus(tlp->dest))
                                    : root_integrated_claims(rc, io, tlp->addr);
    if (integrated) {
        target->port = &integrated->port;
        return true;
    }
    trace_say(rc->fabric->trace, TRACE_RULE, rc->name, "host %s addr 0x%llx id %04x: %s",
              tlp_type_name(tlp->type), (unsigned long long)tlp->addr, tlp->dest.v, route.why);
    return false;
}

static bool host_bus_in_range(const struct root_complex *rc, const struct root_request *request)
{
    unsigned bus = request->addr >> 20;

    return bus >= rc->params.bus_first && bus <= rc->params.bus_last;
}

/* False when there is no tag for it now, or no room in the port for another posted write: a store
 * to a link that is busy holds the processor up. */
static bool host_start(struct root_complex *rc, struct root_request *request)
{
    struct host_target target;
    struct tlp *tlp;

    if (request_is_config(request) && !host_bus_in_range(rc, request)) {
        request_finish(rc, request, TLP_UR);
        return true;
    }
    tlp = request_tlp(rc, request);
    if (!host_route(rc, tlp, &target)) {
        tlp_free(tlp);
        request_finish(rc, request, request->kind == ROOT_MEM_WRITE ? TLP_SC : TLP_UR);
        return true;
    }
    if (request->kind == ROOT_MEM_WRITE && target.port && !port_tx_ready(target.port)) {
        tlp_free(tlp);
        return false;
    }
    if (request->kind != ROOT_MEM_WRITE &&
        !requester_start(&rc->requester, tlp, target.govern, request->data, request)) {
        tlp_free(tlp);
        return false;
    }
    if (target.govern && target.govern->ecrc_generate)
        tlp_add_ecrc(tlp);
    if (target.own)
        host_config_own(rc, target.devfn, tlp);
    else
        port_send(target.port, tlp);
    if (request->kind == ROOT_MEM_WRITE)
        request_finish(rc, request, TLP_SC);
    return true;
}

void root_submit(struct root_complex *rc, struct root_request *request)
{
    assert(!rc->submitting && "root_submit() from inside root_submit()");
    request->give_up_ps = 0;
    rc->submitting = true;
    if (rc->waiting.first || !host_start(rc, request))
        list_push(&rc->waiting, request);
    rc->submitting = false;
}

/*
 * Request Retry Status (2.3.2): with RRS Software Visibility a read of the whole Vendor ID gets the
 * number of nobody, so that software can come back; all else is sent again until it is answered.
 * CHOICE: every millisecond, for a second, the time that software gives a device after a reset.
 */
static void host_request_retry(struct root_complex *rc, struct root_request *request)
{
    struct pci_rid id = {(uint16_t)(request->addr >> 12)};
    const struct pci_func *port = root_port_towards(rc, id);
    uint64_t now = rc->fabric->sim->now_ps;

    if (request->kind == ROOT_CFG_READ && (request->addr & 0xfff) == PCI_VENDOR_ID &&
        request->size_bytes >= 2 && port && pcie_rrs_visible(port)) {
        le32_store(request->data, RRS_VENDOR);
        request_finish(rc, request, TLP_SC);
        return;
    }
    if (!request->give_up_ps)
        request->give_up_ps = now + RRS_PATIENCE_PS;
    if (now >= request->give_up_ps) {
        request_finish(rc, request, TLP_UR);
        return;
    }
    list_push(&rc->retries, request);
    if (!sim_event_pending(&rc->retry))
        sim_schedule_in(rc->fabric->sim, &rc->retry, RRS_INTERVAL_PS);
}

static void host_retry_due(void *opaque)
{
    struct root_complex *rc = opaque;
    struct root_request *request;

    while ((request = list_pop(&rc->retries)))
        list_push(&rc->waiting, request);
    host_pump(rc);
}

static void host_request_over(void *owner, void *cookie, enum requester_result result)
{
    static const enum tlp_status status[] = {
        [REQUESTER_OK] = TLP_SC,      [REQUESTER_UR] = TLP_UR,       [REQUESTER_CA] = TLP_CA,
        [REQUESTER_TIMEOUT] = TLP_UR, [REQUESTER_POISONED] = TLP_UR, [REQUESTER_RRS] = TLP_RRS,
    };
    struct root_complex *rc = owner;
    const struct root_request *request = cookie;
    bool nested = rc->submitting;

    if (result == REQUESTER_RRS && request->kind != ROOT_MEM_ENQUEUE)
        host_request_retry(rc, cookie);
    else
        request_finish(rc, cookie, status[result]);
    if (nested)
        return; /* whoever is submitting goes on by itself */
    /* A tag is free again. */
    host_pump(rc);
}

void root_host_init(struct root_complex *rc)
{
    const struct requester_params params = {
        .sim = rc->fabric->sim,
        .trace = rc->fabric->trace,
        .name = rc->name,
        .done = host_request_over,
        .owner = rc,
    };

    requester_init(&rc->requester, &params);
    sim_event_init(&rc->finish, host_finish_due, rc);
    sim_event_init(&rc->retry, host_retry_due, rc);
}

void root_host_reset(struct root_complex *rc)
{
    requester_forget_all(&rc->requester);
    rc->waiting = rc->finished = rc->retries = (struct root_request_list){0};
    sim_cancel(rc->fabric->sim, &rc->finish);
    sim_cancel(rc->fabric->sim, &rc->retry);
}

void root_host_fini(struct root_complex *rc)
{
    root_host_reset(rc);
    requester_fini(&rc->requester);
}
