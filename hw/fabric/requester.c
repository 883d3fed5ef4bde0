/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requesters: tags, matching of completions, completion timers. */
#include "pcilab/fabric/requester.h"

#include <assert.h>
#include <string.h>

#include <glib.h>

#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/dpc.h"

#define NO_SLOT UINT16_MAX

struct requester_slot {
    uint8_t *buf;
    void *cookie;
    struct pci_func *func; /* who sent it; NULL: nobody who logs */
    uint64_t due_ps;
    uint32_t remaining;  /* memory reads: bytes still to come */
    uint16_t prev, next; /* by deadline */
    uint8_t type;        /* enum tlp_type */
    uint8_t tc;
    uint8_t lower_addr; /* of the completion expected next */
    bool poisoned;
    bool fewer; /* a Translation Request: there may be less than was asked for (10.2.3.1) */
    uint8_t header[TLP_HEADER_MAX]; /* where the function logs its requests (6.2.11.3) */
};

/* CHOICE: a value inside each range that software may choose; by default 50 ms, the upper end of
 * the default range, as no less than 10 ms is recommended. Reserved encodings act as default. */
static const uint64_t timeout_ps[16] = {
    [0x0] = 50 * PS_PER_MS,   [0x1] = 100 * PS_PER_US, [0x2] = 10 * PS_PER_MS,
    [0x5] = 55 * PS_PER_MS,   [0x6] = 210 * PS_PER_MS, [0x9] = 900 * PS_PER_MS,
    [0xa] = 3500 * PS_PER_MS, [0xd] = 13 * PS_PER_S,   [0xe] = 64 * PS_PER_S,
};

uint64_t requester_timeout_ps(const struct pci_func *func)
{
    uint64_t control, ps;

    if (!func || !func->cap_pcie)
        return timeout_ps[0];
    control = reg_get(func->cfg, func->cap_pcie + PCIE_DEVCTL2);
    if (control & PCIE_DEVCTL2_TIMEOUT_OFF)
        return SIM_NEVER;
    ps = timeout_ps[flaw_on(func->flaws, FLAW_TIMEOUT_VALUE) ? 0 : control & PCIE_DEVCTL2_TIMEOUT];
    return ps ? ps : timeout_ps[0];
}

/* Tags that a function may use. 2.2.6.2: with 10-bit tags bits 9:8 are never 0, so that a completer
 * that drops them is found out. */
struct tag_range {
    unsigned first, end;
};

static struct tag_range requester_tags(const struct pci_func *func)
{
    if (func && pcie_ten_bit_tags(func))
        return (struct tag_range){REQUESTER_TAGS_8BIT, REQUESTER_TAGS};
    return (struct tag_range){0, func && !pcie_extended_tags(func) &&
                                         !flaw_on(func->flaws, FLAW_TAGS_EXTENDED)
                                     ? 32
                                     : REQUESTER_TAGS_8BIT};
}

/* The first free tag of [from, to), or -1. */
static int requester_free_tag(const struct requester *req, unsigned from, unsigned to)
{
    for (unsigned tag = from; tag < to; tag = (tag | 63) + 1) {
        uint64_t free_tags = ~req->busy[tag / 64] >> tag % 64;

        if (free_tags) {
            unsigned found = tag + (unsigned)__builtin_ctzll(free_tags);

            return found < to ? (int)found : -1;
        }
    }
    return -1;
}

/* The free tag that comes next, or -1. */
static int requester_find_tag(const struct requester *req, const struct pci_func *func)
{
    struct tag_range tags = requester_tags(func);
    bool inside = req->next_tag >= tags.first && req->next_tag < tags.end;
    unsigned start = inside ? req->next_tag : tags.first;
    int tag = requester_free_tag(req, start, tags.end);

    return tag >= 0 ? tag : requester_free_tag(req, tags.first, start);
}

static void requester_grow(struct requester *req, unsigned count)
{
    req->slots = g_renew(struct requester_slot, req->slots, count);
    req->slot_count = count;
}

/* Deadlines nearly always come in order, so the search from the end ends at once. */
static void requester_link(struct requester *req, unsigned tag)
{
    struct requester_slot *slot = &req->slots[tag];
    uint16_t after = req->last_due;

    while (after != NO_SLOT && req->slots[after].due_ps > slot->due_ps)
        after = req->slots[after].prev;
    slot->prev = after;
    slot->next = after == NO_SLOT ? req->first_due : req->slots[after].next;
    if (slot->next == NO_SLOT)
        req->last_due = (uint16_t)tag;
    else
        req->slots[slot->next].prev = (uint16_t)tag;
    if (after == NO_SLOT)
        req->first_due = (uint16_t)tag;
    else
        req->slots[after].next = (uint16_t)tag;
    /* A timer that is due earlier stays: it looks again when it fires. */
    if (slot->due_ps != SIM_NEVER &&
        (!sim_event_pending(&req->timer) || req->timer.at_ps > slot->due_ps))
        sim_schedule_at(req->params.sim, &req->timer, slot->due_ps);
}

static void requester_unlink(struct requester *req, unsigned tag)
{
    struct requester_slot *slot = &req->slots[tag];

    if (slot->prev == NO_SLOT)
        req->first_due = slot->next;
    else
        req->slots[slot->prev].next = slot->next;
    if (slot->next == NO_SLOT)
        req->last_due = slot->prev;
    else
        req->slots[slot->next].prev = slot->prev;
    req->busy[tag / 64] &= ~BIT(tag % 64);
    req->outstanding--;
}

bool requester_has_tag(const struct requester *req, const struct pci_func *func)
{
    return requester_find_tag(req, func) >= 0;
}

bool requester_start(struct requester *req, struct tlp *tlp, struct pci_func *func, uint8_t *buf,
                     void *cookie)
{
    int tag = requester_find_tag(req, func);
    uint64_t timeout = requester_timeout_ps(func), addr;
    struct requester_slot *slot;
    unsigned len;

    if (tag < 0)
        return false;
    if ((unsigned)tag >= req->slot_count)
        requester_grow(req, tag < 32                    ? 32
                            : tag < REQUESTER_TAGS_8BIT ? REQUESTER_TAGS_8BIT
                                                        : REQUESTER_TAGS);
    slot = &req->slots[tag];
    *slot = (struct requester_slot){
        .buf = buf, .cookie = cookie, .func = func, .type = tlp->type, .tc = tlp->tc};
    slot->due_ps = timeout == SIM_NEVER ? SIM_NEVER : req->params.sim->now_ps + timeout;
    if (tlp->type == TLP_MRD) {
        /* A zero-length read is answered with one byte that means nothing (2.3.1.1). */
        if (!tlp_span(tlp, &addr, &len)) {
            addr = tlp->addr;
            len = 1;
            slot->buf = NULL;
        }
        slot->remaining = len;
        slot->lower_addr = addr & 0x7f;
        slot->fewer = tlp_is_translation_request(tlp);
    } else if (tlp_is_atomic(tlp)) {
        slot->remaining = tlp_operand_bytes(tlp);
    } else {
        slot->remaining = 4;
    }
    tlp->tag = (uint16_t)tag;
    if (func && func->ext_dpc)
        tlp_encode_header(tlp, slot->header);
    req->next_tag = (unsigned)tag + 1;
    req->busy[tag / 64] |= BIT(tag % 64);
    req->outstanding++;
    requester_link(req, (unsigned)tag);
    return true;
}

static void requester_finish(struct requester *req, unsigned tag, enum requester_result result)
{
    void *cookie = req->slots[tag].cookie;

    requester_unlink(req, tag);
    req->params.done(req->params.owner, cookie, result);
}

static bool request_wants_data(uint8_t type)
{
    return type == TLP_MRD || type == TLP_IORD || type == TLP_CFGRD0 || type == TLP_CFGRD1 ||
           (type >= TLP_FETCHADD && type <= TLP_CAS);
}

/*
 * Takes the data of a successful completion; NULL, or which rule it breaks. Byte Count counts
 * from this completion's first byte to the end of the request; Lower Address is that byte's
 * (PCIe Base 6.0, 2.3.1.1).
 */
static const char *slot_take(struct requester_slot *slot, const struct tlp *cpl)
{
    unsigned offset = cpl->lower_addr & 3, carried, payload = cpl->length_dw * 4u;

    if (request_wants_data(slot->type) != (cpl->type == TLP_CPLD))
        return "completion with data for a write, or without for a read (2.2.9)";
    if (cpl->type != TLP_CPLD) {
        slot->remaining = 0;
        return NULL;
    }
    if (slot->fewer && cpl->byte_count < slot->remaining)
        slot->remaining = cpl->byte_count;
    slot->fewer = false;
    if (cpl->byte_count != slot->remaining && !tlp_flawed(cpl, FLAW_CHECK_BYTE_COUNT))
        return "completion with unexpected Byte Count (2.3.1.1)";
    if (cpl->lower_addr != slot->lower_addr && !tlp_flawed(cpl, FLAW_CHECK_LOWER_ADDRESS))
        return "completion with unexpected Lower Address (2.3.1.1)";
    if (payload <= offset)
        return "completion without a byte of data (2.3.1.1)";
    carried = payload - offset;
    if (carried > slot->remaining) {
        if (carried - slot->remaining > 3)
            return "completion longer than its request (2.3.1.1)";
        carried = slot->remaining;
    }
    if (cpl->ep && !tlp_flawed(cpl, FLAW_CHECK_POISON))
        slot->poisoned = true;
    else if (slot->buf)
        memcpy(slot->buf, cpl->data + offset, carried);
    if (slot->buf)
        slot->buf += carried;
    slot->remaining -= carried;
    slot->lower_addr = (slot->lower_addr + carried) & 0x7f;
    return NULL;
}

/* Configuration requests and Deferrable Memory Writes can be put off (2.3.1, 6.32). */
static bool request_may_be_retried(uint8_t type)
{
    return (type >= TLP_CFGRD0 && type <= TLP_CFGWR1) || type == TLP_DMWR;
}

static enum requester_result result_of_status(uint8_t status)
{
    switch (status) {
    case TLP_CA: return REQUESTER_CA;
    case TLP_RRS: return REQUESTER_RRS;
    default: return REQUESTER_UR; /* reserved codes count as UR (2.2.9.1) */
    }
}

/* The requester tells its user of a poisoned completion as it would of UR or CA, and goes on: for
 * the log an advisory error (6.2.3.2.4.3). */
static void slot_note(const struct requester_slot *slot, const struct tlp *cpl)
{
    bool poisoned = cpl->ep && cpl->data;

    if (!slot->func)
        return;
    if (cpl->status == TLP_UR || cpl->status == TLP_CA)
        pci_dpc_pio(slot->func, cpl->status == TLP_CA ? PCI_DPC_PIO_CA : PCI_DPC_PIO_UR,
                    slot->header);
    if (cpl->status != TLP_SC || poisoned)
        pci_requester_note(slot->func, (enum tlp_status)cpl->status, poisoned);
    if (poisoned)
        pci_error_report_as(slot->func, PCI_ERROR_POISONED, cpl, PCI_ERROR_HANDLED);
}

void requester_complete(struct requester *req, struct tlp *cpl, struct pci_func *receiver)
{
    unsigned tag = cpl->tag;
    struct requester_slot *slot = NULL;
    const char *broken = NULL;

    if (tag < req->slot_count && req->busy[tag / 64] >> tag % 64 & 1)
        slot = &req->slots[tag];
    if (!slot)
        broken = "unexpected completion: no such tag (2.3.2)";
    else if (cpl->tc != slot->tc && !tlp_flawed(cpl, FLAW_CHECK_TC))
        broken = "unexpected completion: traffic class of no request (2.3.2)";
    else if (cpl->status == TLP_RRS && !request_may_be_retried(slot->type) &&
             !tlp_flawed(cpl, FLAW_CHECK_RETRY))
        broken = "Request Retry Status for a request that cannot be retried (2.3.2)";
    else if (cpl->status == TLP_SC)
        broken = slot_take(slot, cpl);
    if (broken) {
        trace_say(req->params.trace, TRACE_RULE, req->params.name, "%s, tag %u", broken, tag);
        if (!tlp_flawed(cpl, FLAW_UNEXPECTED_SILENT))
            pci_error_report(receiver, PCI_ERROR_UNEXPECTED, cpl);
        tlp_free(cpl);
        return;
    }
    if (cpl->status != TLP_SC || cpl->ep)
        slot_note(slot, cpl);
    if (cpl->status != TLP_SC)
        requester_finish(req, tag, result_of_status(cpl->status));
    else if (!slot->remaining)
        requester_finish(req, tag, slot->poisoned ? REQUESTER_POISONED : REQUESTER_OK);
    tlp_free(cpl);
}

void requester_give_up(struct requester *req, const struct pci_func *func,
                       enum requester_result result)
{
    uint64_t busy[G_N_ELEMENTS(req->busy)];

    /* Requests that done() starts are none of these. */
    memcpy(busy, req->busy, sizeof(busy));
    for (unsigned tag = 0; tag < req->slot_count; tag++) {
        if (busy[tag / 64] >> tag % 64 & 1 && req->slots[tag].func == func)
            requester_finish(req, tag, result);
    }
}

static void requester_expired(void *opaque)
{
    struct requester *req = opaque;
    uint64_t now = req->params.sim->now_ps;

    while (req->first_due != NO_SLOT && req->slots[req->first_due].due_ps <= now) {
        unsigned tag = req->first_due;

        trace_say(req->params.trace, TRACE_RULE, req->params.name,
                  "completion timeout, tag %u (PCIe Base 6.0, 2.8)", tag);
        if (!flaw_on(&req->params.sim->flaws, FLAW_TIMEOUT_SILENT))
            pci_error_report(req->slots[tag].func, PCI_ERROR_TIMEOUT, NULL);
        if (req->slots[tag].func)
            pci_dpc_pio(req->slots[tag].func, PCI_DPC_PIO_TIMEOUT, req->slots[tag].header);
        requester_finish(req, tag, REQUESTER_TIMEOUT);
    }
    if (req->first_due != NO_SLOT && req->slots[req->first_due].due_ps != SIM_NEVER &&
        !sim_event_pending(&req->timer))
        sim_schedule_at(req->params.sim, &req->timer, req->slots[req->first_due].due_ps);
}

void requester_init(struct requester *req, const struct requester_params *params)
{
    *req = (struct requester){.params = *params, .first_due = NO_SLOT, .last_due = NO_SLOT};
    sim_event_init(&req->timer, requester_expired, req);
}

void requester_forget_all(struct requester *req)
{
    memset(req->busy, 0, sizeof(req->busy));
    req->outstanding = 0;
    req->first_due = req->last_due = NO_SLOT;
    sim_cancel(req->params.sim, &req->timer);
}

void requester_fini(struct requester *req)
{
    requester_forget_all(req);
    g_free(req->slots);
    req->slots = NULL;
    req->slot_count = 0;
}
