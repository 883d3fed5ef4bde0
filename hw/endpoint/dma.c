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

bool dma_waiting(const struct endpoint_func *func)
{
    return func->writes.first || func->reads.first;
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
    op->issued = 0;
    op->outstanding = 0;
    op->status = DMA_OK;
    op->wire_attr = pcie_allowed_attr(func->pci, op->attr);
    op->after = (struct tlp_queue){0};
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

/* A TLP with all that requests of an operation have in common. */
static struct tlp *dma_tlp(struct dma_op *op, enum tlp_type type, unsigned payload_dw)
{
    struct tlp *tlp = tlp_new(func_pool(op->func), type, payload_dw);

    tlp->requester = op->func->pci->rid;
    tlp->attr = op->wire_attr;
    tlp->tc = op->tc;
    tlp->at = op->at;
    return tlp;
}

static struct tlp *dma_request(struct dma_op *op, enum tlp_type type, unsigned len)
{
    uint64_t addr = op->addr + op->issued;
    unsigned dws = len ? (unsigned)((addr & 3) + len + 3) / 4 : 1;
    struct tlp *tlp = dma_tlp(op, type, type == TLP_MRD ? 0 : dws);

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

static void dma_send_write(struct endpoint_func *func)
{
    struct dma_op *op = func->writes.first;
    unsigned len = dma_chunk(op, pcie_max_payload_bytes(func->pci));
    struct tlp *tlp = dma_request(op, TLP_MWR, len);

    tlp->ep = op->poison;
    if (len)
        memcpy(tlp->data + ((op->addr + op->issued) & 3), op->buf + op->issued, len);
    if (op->poison)
        pci_requester_note_poison_sent(func->pci);
    dma_seal(op, tlp);
    port_send(&func->ep->port, tlp);
    op->issued += len;
    if (op->issued < op->len)
        return;
    list_pop(&func->writes);
    while ((tlp = tlp_queue_pop(&op->after)))
        port_send(&func->ep->port, tlp);
    op->done(op, DMA_OK);
}

/* An AtomicOp or a Deferrable Memory Write: the whole operation. */
static struct tlp *dma_single(struct dma_op *op)
{
    static const enum tlp_type types[] = {
        [DMA_FETCHADD] = TLP_FETCHADD,
        [DMA_SWAP] = TLP_SWAP,
        [DMA_CAS] = TLP_CAS,
    };
    unsigned bytes = op->kind == DMA_CAS ? 2 * op->len : op->len;
    struct tlp *tlp;

    if (op->kind == DMA_DMWR) {
        tlp = dma_request(op, TLP_DMWR, op->len);
        memcpy(tlp->data + (op->addr & 3), op->buf, op->len);
    } else {
        tlp = dma_tlp(op, types[op->kind], bytes / 4);
        tlp->addr = op->addr;
        memcpy(tlp->data, op->operands, bytes);
    }
    tlp->ep = op->poison;
    return tlp;
}

/* DMWr and AtomicOps have enable bits of their own (7.5.3.16, 7.7.9.3). */
static bool dma_enabled(const struct endpoint_func *func, const struct dma_op *op)
{
    if (op->kind == DMA_READ)
        return true;
    return op->kind == DMA_DMWR ? pcie_dmwr_requester(func->pci) : pcie_atomic_requester(func->pci);
}

/* The next non-posted request. False when all tags are in use. */
static bool dma_send_read(struct endpoint_func *func)
{
    struct dma_op *op = func->reads.first;
    unsigned len = op->len;
    struct tlp *tlp;

    if (!dma_enabled(func, op)) {
        list_pop(&func->reads);
        op->done(op, DMA_NO_MASTER);
        return true;
    }
    if (!requester_has_tag(&func->requester, func->pci))
        return false;
    if (op->kind == DMA_READ) {
        len = dma_chunk(op, pcie_max_read_request_bytes(func->pci));
        tlp = dma_request(op, TLP_MRD, len);
    } else {
        tlp = dma_single(op);
    }
    requester_start(&func->requester, tlp, func->pci, len ? op->buf + op->issued : NULL, op);
    dma_seal(op, tlp); /* with the tag */
    if (func->requester.outstanding == 1)
        pcie_set_transactions_pending(func->pci, true);
    op->outstanding++;
    op->issued += len;
    list_pop(&func->reads);
    if (op->issued < op->len)
        list_push(&func->reads, op);
    port_send(&func->ep->port, tlp);
    return true;
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

    while (func->writes.first)
        list_push(&refused, list_pop(&func->writes));
    while (func->reads.first) {
        op = list_pop(&func->reads);
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

    if (more && !func_may_send(func)) {
        dma_refuse(func);
        return;
    }
    while (more && port_tx_ready(&func->ep->port)) {
        more = false;
        if (func->writes.first) {
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

    op->outstanding--;
    if (!func->requester.outstanding)
        pcie_set_transactions_pending(func->pci, false);
    if (result != REQUESTER_OK) {
        if (op->status == DMA_OK)
            op->status = status[result];
        if (op->issued < op->len) { /* the rest is not worth asking for */
            list_remove(&func->reads, op);
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
    func->writes = func->reads = (struct dma_list){0};
    sim_cancel(func->ep->fabric->sim, &func->kick);
}

void dma_fini(struct endpoint_func *func)
{
    dma_reset(func);
    requester_fini(&func->requester);
}
