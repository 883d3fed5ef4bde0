/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The requester of a function: cuts DMA operations into memory requests (PCIe Base 6.0, 2.2.2,
 * 2.2.7: Max_Payload_Size, Max_Read_Request_Size, no crossing of 4 KiB) and puts them together
 * again.
 *
 * Writes leave in order. Reads take turns, one request each, so that a long one does not starve
 * a short one. What is on its way is bounded by tags and by the link (port_tx_ready()).
 */
#include <assert.h>
#include <string.h>

#include "pcilab/pci/config.h"

#include "internal.h"

#define PAGE_BYTES 4096

static void list_push(struct dma_list *list, struct dma_op *op)
{
    op->next = NULL;
    if (list->last)
        list->last->next = op;
    else
        list->first = op;
    list->last = op;
}

static struct dma_op *list_pop(struct dma_list *list)
{
    struct dma_op *op = list->first;

    list->first = op->next;
    if (!list->first)
        list->last = NULL;
    return op;
}

static void list_remove(struct dma_list *list, struct dma_op *op)
{
    struct dma_op *before = NULL;

    for (struct dma_op *it = list->first; it; before = it, it = it->next) {
        if (it != op)
            continue;
        if (before)
            before->next = op->next;
        else
            list->first = op->next;
        if (list->last == op)
            list->last = before;
        return;
    }
}

static struct tlp_pool *func_pool(const struct endpoint_func *func)
{
    return func->ep->fabric->pool;
}

static bool func_may_send(const struct endpoint_func *func)
{
    return pci_func_bus_master(func->pci) && port_link_up(&func->ep->port);
}

static bool write_ready(const struct endpoint_func *func)
{
    return func->writes.first && !func->write_waits;
}

bool dma_waiting(const struct endpoint_func *func)
{
    return write_ready(func) || func->reads.first;
}

bool dma_pending(const struct endpoint_func *func)
{
    return func->writes.first || func->reads.first || func->parked.first;
}

static void dma_kick(struct endpoint_func *func)
{
    if (!sim_event_pending(&func->kick))
        sim_schedule_in(func->ep->fabric->sim, &func->kick, 0);
}

void dma_post(struct endpoint_func *func, struct tlp *tlp)
{
    if (func->pci->ecrc_generate && !tlp->td)
        tlp_add_ecrc(tlp);
    if (func->writes.last)
        tlp_queue_push(&func->writes.last->after, tlp);
    else
        port_send(&func->ep->port, tlp);
}

void endpoint_dma(struct endpoint_func *func, struct dma_op *op)
{
    op->func = func;
    ats_forge_pasid(op);
    op->issued = 0;
    op->outstanding = 0;
    op->status = DMA_OK;
    op->wire_attr = pcie_allowed_attr(func->pci, op->attr);
    op->after = (struct tlp_queue){0};
    op->ats = DMA_ATS_IDLE;
    op->ats_tries = 0;
    op->ats_fresh = op->parked = false;
    list_push(op->kind == DMA_WRITE ? &func->writes : &func->reads, op);
    endpoint_wait(func);
    dma_kick(func);
}

/* How many bytes the next request takes: up to the next multiple of `limit`, a power of two of at
 * most 4096, so that neither the limit nor a 4 KiB boundary is crossed. */
static unsigned dma_chunk(const struct dma_op *op, unsigned limit)
{
    uint64_t addr = op->addr + op->issued;
    unsigned room = limit - (unsigned)(addr & (limit - 1));
    uint32_t rest = op->len - op->issued;

    return rest < room ? rest : room;
}

/* Where the next piece is for TLPs, and whether that is a translated address. */
struct dma_place {
    uint64_t addr;
    bool translated;
};

/* A TLP with all that requests of an operation have in common. */
static struct tlp *dma_tlp(struct dma_op *op, const struct dma_place *place, enum tlp_type type,
                           unsigned payload_dw)
{
    struct tlp *tlp = tlp_new(func_pool(op->func), type, payload_dw);

    tlp->requester = op->func->pci->rid;
    tlp->attr = op->wire_attr;
    tlp->tc = op->tc;
    tlp->at = place->translated ? TLP_AT_TRANSLATED : op->at;
    /* CHOICE: a translated request has no PASID prefix (10.2.1: the address says it all). */
    if (op->has_pasid && !place->translated)
        tlp_set_pasid(tlp, &op->pasid);
    if (place->translated) {
        if (op->ats_snoops) /* 10.2.3.2: N */
            tlp->attr &= (uint8_t)~TLP_ATTR_NO_SNOOP;
        ats_note_use(op->func, op->tc);
    }
    for (unsigned i = 0; i < op->prefixes; i++)
        tlp_add_prefix(tlp, (uint32_t)TLP_PREFIX_VENDOR_E0 << 24 | i);
    return tlp;
}

static struct tlp *dma_request(struct dma_op *op, const struct dma_place *place, enum tlp_type type,
                               unsigned len)
{
    uint64_t addr = place->addr;
    unsigned dws = len ? (unsigned)((addr & 3) + len + 3) / 4 : 1;
    struct tlp *tlp = dma_tlp(op, place, type, type == TLP_MRD ? 0 : dws);

    if (len) {
        tlp_set_span(tlp, addr, len);
    } else { /* one doubleword of which no byte is enabled (2.2.5) */
        tlp->addr = addr & ~3ULL;
        tlp->length_dw = 1;
    }
    return tlp;
}

/* Gives the TLP its ECRC, where software wants one, or a wrong one. */
static void dma_seal(const struct dma_op *op, struct tlp *tlp)
{
    if (op->func->pci->ecrc_generate || op->bad_ecrc)
        tlp_add_ecrc(tlp);
    if (op->bad_ecrc)
        tlp->ecrc = ~tlp->ecrc;
}

static enum ats_answer dma_place(struct dma_op *op, bool write, struct dma_place *place,
                                 enum dma_status *status)
{
    enum ats_answer answer;

    *place = (struct dma_place){.addr = op->addr + op->issued};
    if (!op->translate)
        return ATS_BARE;
    answer = ats_place(op, place->addr, write, &place->addr, status);
    place->translated = answer == ATS_READY;
    return answer;
}

/* The first write is over: what must not pass it goes. */
static void dma_end_write(struct endpoint_func *func, enum dma_status status)
{
    struct dma_op *op = list_pop(&func->writes);
    struct tlp *tlp;

    while ((tlp = tlp_queue_pop(&op->after)))
        port_send(&func->ep->port, tlp);
    op->done(op, status);
}

/* Without the right to a PASID nothing is sent under it, but by the broken. */
static bool dma_pasid_allowed(const struct dma_op *op)
{
    return !op->has_pasid || op->forge || pci_pasid_allowed(op->func->pci, &op->pasid);
}

/* Nothing about it but address and data. */
static bool dma_is_plain(const struct dma_op *op)
{
    return !op->translate && !op->has_pasid && !op->prefixes && !op->at && !op->poison &&
           !op->bad_ecrc && !op->func->pci->ecrc_generate;
}

/* Several writes may go as one burst where nothing would have come between them: a read that waits
 * takes its turn after each. */
static unsigned dma_write_bytes(const struct endpoint_func *func, const struct dma_op *op,
                                unsigned limit)
{
    unsigned len = dma_chunk(op, limit), room, most;

    if (len == op->len - op->issued || func->reads.first || !dma_is_plain(op))
        return len;
    room = port_burst_room(&func->ep->port);
    if (room < 2)
        return len;
    most = len + (room - 1) * limit;
    len = dma_chunk(op, PAGE_BYTES);
    return len < most ? len : most;
}

static void dma_send_write(struct endpoint_func *func)
{
    struct dma_op *op = func->writes.first;
    unsigned limit = pcie_max_payload_bytes(func->pci);
    unsigned len = dma_write_bytes(func, op, limit);
    enum dma_status status = DMA_NO_MASTER;
    struct dma_place place;
    enum ats_answer answer =
        dma_pasid_allowed(op) ? dma_place(op, true, &place, &status) : ATS_FAILED;
    struct tlp *tlp;

    if (answer == ATS_FAILED) {
        dma_end_write(func, status);
        return;
    }
    func->write_waits = answer == ATS_WAIT;
    if (func->write_waits)
        return;
    tlp = dma_request(op, &place, TLP_MWR, len);
    tlp->ep = op->poison;
    if (len)
        memcpy(tlp->data + (place.addr & 3), op->buf + op->issued, len);
    if (op->poison)
        pci_requester_note_poison_sent(func->pci);
    dma_seal(op, tlp);
    if (len > dma_chunk(op, limit))
        tlp_make_burst(tlp, limit);
    port_send(&func->ep->port, tlp);
    op->issued += len;
    if (op->issued == op->len)
        dma_end_write(func, DMA_OK);
}

/* An AtomicOp or a Deferrable Memory Write: the whole operation. */
static struct tlp *dma_single(struct dma_op *op, const struct dma_place *place)
{
    static const enum tlp_type types[] = {
        [DMA_FETCHADD] = TLP_FETCHADD,
        [DMA_SWAP] = TLP_SWAP,
        [DMA_CAS] = TLP_CAS,
    };
    unsigned bytes = op->kind == DMA_CAS ? 2 * op->len : op->len;
    struct tlp *tlp;

    if (op->kind == DMA_DMWR) {
        tlp = dma_request(op, place, TLP_DMWR, op->len);
        memcpy(tlp->data + (place->addr & 3), op->buf, op->len);
    } else {
        tlp = dma_tlp(op, place, types[op->kind], bytes / 4);
        tlp->addr = place->addr;
        memcpy(tlp->data, op->operands, bytes);
    }
    tlp->ep = op->poison;
    return tlp;
}

/* DMWr and AtomicOps have enable bits of their own (7.5.3.16, 7.7.9.3). */
static bool dma_enabled(const struct endpoint_func *func, const struct dma_op *op)
{
    if (!dma_pasid_allowed(op))
        return false;
    if (op->kind == DMA_READ)
        return true;
    return op->kind == DMA_DMWR ? pcie_dmwr_requester(func->pci) : pcie_atomic_requester(func->pci);
}

void dma_send_request(struct endpoint_func *func, struct tlp *tlp)
{
    if (func->pci->ecrc_generate && !tlp->td)
        tlp_add_ecrc(tlp);
    if (func->requester.outstanding == 1)
        pcie_set_transactions_pending(func->pci, true);
    port_send(&func->ep->port, tlp);
}

/* The first read is over before it was sent whole; what is outstanding of it ends it. */
static void dma_cut_read(struct endpoint_func *func, enum dma_status status)
{
    struct dma_op *op = list_pop(&func->reads);

    op->len = op->issued;
    if (op->status == DMA_OK)
        op->status = status;
    if (!op->outstanding)
        op->done(op, op->status);
}

static void dma_park(struct endpoint_func *func)
{
    struct dma_op *op = list_pop(&func->reads);

    op->parked = true;
    list_push(&func->parked, op);
}

/* The next non-posted request. False when all tags are in use. */
static bool dma_send_read(struct endpoint_func *func)
{
    struct dma_op *op = func->reads.first;
    enum dma_status status = DMA_NO_MASTER;
    struct dma_place place;
    enum ats_answer answer = ATS_FAILED;
    unsigned len = op->len;
    struct tlp *tlp;

    if (!requester_has_tag(&func->requester, func->pci))
        return false;
    if (dma_enabled(func, op))
        answer = dma_place(op, op->kind != DMA_READ, &place, &status);
    if (answer == ATS_FAILED) {
        dma_cut_read(func, status);
        return true;
    }
    if (answer == ATS_WAIT) {
        dma_park(func);
        return true;
    }
    if (op->kind == DMA_READ) {
        len = dma_chunk(op, pcie_max_read_request_bytes(func->pci));
        tlp = dma_request(op, &place, TLP_MRD, len);
    } else {
        tlp = dma_single(op, &place);
    }
    requester_start(&func->requester, tlp, func->pci, len ? op->buf + op->issued : NULL, op);
    dma_seal(op, tlp); /* with the tag */
    op->outstanding++;
    op->issued += len;
    list_pop(&func->reads);
    if (op->issued < op->len)
        list_push(&func->reads, op);
    dma_send_request(func, tlp);
    return true;
}

/* Those that waited for a translation take turns again. */
static void dma_unpark(struct endpoint_func *func)
{
    func->write_waits = false;
    while (func->parked.first) {
        struct dma_op *op = list_pop(&func->parked);

        op->parked = false;
        list_push(&func->reads, op);
    }
}

void dma_translated(struct endpoint_func *func)
{
    dma_unpark(func);
    if (!dma_waiting(func))
        return;
    endpoint_wait(func); /* it had nothing to send, and may have lost its turn */
    dma_kick(func);
}

/* Interrupts that waited behind writes go with them; messages (INTx) still tell the truth. */
static void dma_drop_posted(struct endpoint_func *func, struct tlp_queue *queue)
{
    struct tlp *tlp;

    while ((tlp = tlp_queue_pop(queue))) {
        if (tlp->type == TLP_MWR || !port_link_up(&func->ep->port))
            tlp_free(tlp);
        else
            port_send(&func->ep->port, tlp);
    }
}

/* Everything that is still to be sent fails; reads that wait for completions fail with these. */
static void dma_refuse(struct endpoint_func *func)
{
    struct dma_list refused = {0};
    struct dma_op *op;

    dma_unpark(func);
    while (func->writes.first) {
        ats_forget(func->writes.first);
        list_push(&refused, list_pop(&func->writes));
    }
    while (func->reads.first) {
        op = list_pop(&func->reads);
        ats_forget(op);
        op->len = op->issued;
        if (op->status == DMA_OK)
            op->status = DMA_NO_MASTER;
        if (!op->outstanding)
            list_push(&refused, op);
    }
    while (refused.first) {
        op = list_pop(&refused);
        dma_drop_posted(func, &op->after);
        op->done(op, DMA_NO_MASTER);
    }
}

void dma_pump(struct endpoint_func *func)
{
    bool more = dma_waiting(func);

    if (dma_pending(func) && !func_may_send(func)) {
        dma_refuse(func);
        return;
    }
    while (more && port_tx_ready(&func->ep->port)) {
        more = false;
        if (write_ready(func)) {
            dma_send_write(func);
            more = true;
        }
        if (func->reads.first && port_tx_ready(&func->ep->port))
            more |= dma_send_read(func);
    }
}

static void dma_kicked(void *opaque)
{
    dma_pump(opaque);
}

static void dma_request_over(void *owner, void *cookie, enum requester_result result)
{
    static const enum dma_status status[] = {
        [REQUESTER_OK] = DMA_OK,           [REQUESTER_UR] = DMA_UR,
        [REQUESTER_CA] = DMA_CA,           [REQUESTER_RRS] = DMA_RETRY,
        [REQUESTER_TIMEOUT] = DMA_TIMEOUT, [REQUESTER_POISONED] = DMA_POISONED,
    };
    struct endpoint_func *func = owner;
    struct dma_op *op = cookie;

    if (!func->requester.outstanding)
        pcie_set_transactions_pending(func->pci, false);
    ats_request_over(func);
    if (ats_lookup_over(func, cookie, result))
        return;
    op->outstanding--;
    if (result != REQUESTER_OK) {
        if (op->status == DMA_OK || op->status == DMA_DENIED) /* what was issued did not all come */
            op->status = status[result];
        if (op->issued < op->len) { /* the rest is not worth asking for */
            ats_forget(op);
            list_remove(op->parked ? &func->parked : &func->reads, op);
            op->len = op->issued;
        }
    }
    if (!op->outstanding && op->issued == op->len)
        op->done(op, op->status);
    if (func->reads.first)
        dma_pump(func); /* a tag is free */
}

void dma_init(struct endpoint_func *func)
{
    const struct requester_params params = {
        .sim = func->ep->fabric->sim,
        .trace = func->ep->fabric->trace,
        .name = func->pci->name,
        .done = dma_request_over,
        .owner = func,
    };

    requester_init(&func->requester, &params);
    sim_event_init(&func->kick, dma_kicked, func);
}

void dma_reset(struct endpoint_func *func)
{
    requester_forget_all(&func->requester);
    for (struct dma_op *op = func->writes.first; op; op = op->next)
        dma_drop_posted(func, &op->after);
    func->writes = func->reads = func->parked = (struct dma_list){0};
    func->write_waits = false;
    ats_reset(func);
    sim_cancel(func->ep->fabric->sim, &func->kick);
}

void dma_fini(struct endpoint_func *func)
{
    dma_reset(func);
    requester_fini(&func->requester);
}
