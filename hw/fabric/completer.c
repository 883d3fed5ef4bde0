/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completers: requests into accesses, outcomes into completions. */
#include "pcilab/fabric/completer.h"

#include <assert.h>
#include <string.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/fabric/receiver.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/dpc.h"
#include "pcilab/trace/points.h"

/* Only requests of one or two doublewords may have holes in their byte enables (2.2.5). */
#define HOLES_MAX_BYTES 8

/* A request's enabled bytes. A zero-length request has the address of its doubleword and len 0. */
struct span {
    uint64_t addr;
    unsigned len;
};

static struct span request_span(const struct tlp *request)
{
    struct span span;

    if (!tlp_span(request, &span.addr, &span.len))
        span = (struct span){request->addr, 0};
    return span;
}

/* Byte Count and Lower Address of a completion for what is left of a request: those of the bytes
 * for memory reads, else 4 and 0 (2.2.9.1). */
static void completion_set_rest(struct tlp *cpl, const struct tlp *request, struct span rest)
{
    if (request->type == TLP_MRD || request->type == TLP_MRDLK) {
        cpl->byte_count = (uint16_t)(rest.len                                       ? rest.len
                                     : tlp_flawed(cpl, FLAW_COMPLETION_ZERO_LENGTH) ? 4
                                                                                    : 1);
        cpl->lower_addr = rest.addr & 0x7f;
    } else {
        cpl->byte_count = tlp_is_atomic(request) ? (uint16_t)tlp_operand_bytes(request) : 4;
        cpl->lower_addr = 0;
    }
}

/* How a completer with such a flaw would have made it. */
static void completion_spoil(const struct flaws *flaws, struct tlp *cpl)
{
    if (flaw_on(flaws, FLAW_COMPLETION_BYTE_COUNT) && cpl->data)
        cpl->byte_count = cpl->length_dw * 4u;
    if (flaw_on(flaws, FLAW_COMPLETION_LOWER_ADDRESS))
        cpl->lower_addr = 0;
    if (flaw_on(flaws, FLAW_COMPLETION_ID))
        cpl->completer = (struct pci_rid){0};
    if (flaw_on(flaws, FLAW_COMPLETION_TC))
        cpl->tc = !cpl->tc;
    if (flaw_on(flaws, FLAW_COMPLETION_ATTR))
        cpl->attr ^= TLP_ATTR_RELAXED;
    if (cpl->status == TLP_UR && flaw_on(flaws, FLAW_COMPLETION_UR_AS_CA))
        cpl->status = TLP_CA;
    else if (cpl->status == TLP_CA && flaw_on(flaws, FLAW_COMPLETION_CA_AS_UR))
        cpl->status = TLP_UR;
}

static void completer_send(const struct completer *completer, struct tlp *cpl)
{
    if (completer->func && flaw_any(completer->func->flaws))
        completion_spoil(completer->func->flaws, cpl);
    if (completer->func && completer->func->ecrc_generate && !cpl->td)
        tlp_add_ecrc(cpl);
    completer->send(completer->owner, cpl);
}

static void completer_status(const struct completer *completer, const struct tlp *request,
                             enum tlp_status status, struct span rest)
{
    struct tlp *cpl = tlp_new_completion(request, completer->id, status, 0);

    completion_set_rest(cpl, request, rest);
    completer_send(completer, cpl);
}

static void completer_note_status(const struct completer *completer, uint16_t bits)
{
    if (completer->secondary)
        pci_bridge_note_secondary_status(completer->func, bits);
    else
        pci_func_note_status(completer->func, bits);
}

/* Status and the error log of whoever detected the error (PCIe Base 6.0, 7.5.1.1.4, 6.2.5). */
static void completer_note(const struct completer *completer, const struct tlp *request,
                           enum tlp_status status, enum pci_error kind)
{
    const struct receiver all = {.funcs = completer->all, .func_count = completer->all_count};

    if (!completer->func ||
        (kind == PCI_ERROR_UNSUPPORTED && tlp_flawed(request, FLAW_COMPLETER_SILENT_UR)))
        return;
    if (request->ep && request->data && !tlp_flawed(request, FLAW_COMPLETER_PARITY))
        completer_note_status(completer, PCI_STATUS_PARITY_ERROR);
    if (status == TLP_CA && !tlp_flawed(request, FLAW_COMPLETER_SENT_CA))
        completer_note_status(completer, PCI_STATUS_SENT_CA);
    if (completer->all)
        receiver_report(&all, request, kind);
    else
        pci_error_report(completer->func, kind, request);
}

void completer_refuse_as(const struct completer *completer, struct tlp *request,
                         enum tlp_status status, enum pci_error kind, const char *why)
{
    if (trace_on(completer->trace, TRACE_RULE))
        trace_say(completer->trace, TRACE_RULE, completer->name, "%s: %s addr 0x%llx from %04x: %s",
                  status == TLP_CA ? "CA" : "UR", tlp_type_name(request->type),
                  (unsigned long long)request->addr, request->requester.v, why);
    completer_note(completer, request, status, kind);
    if (kind == PCI_ERROR_POISON_EGRESS) /* which may have begun containment (2.7.2.1) */
        status = pci_dpc_completion(completer->func);
    if (!tlp_is_posted(request) && !tlp_is_completion(request) &&
        !tlp_flawed(request, FLAW_COMPLETION_NO_UR)) {
        struct span span = {request->addr, 4};

        if (request->type == TLP_MRD || request->type == TLP_MRDLK)
            span = request_span(request);
        completer_status(completer, request, status, span);
    }
    tlp_free(request);
}

void completer_refuse(const struct completer *completer, struct tlp *request,
                      enum tlp_status status, const char *why)
{
    bool abort = status == TLP_CA && !tlp_flawed(request, FLAW_COMPLETER_ABORT_AS_UR);
    enum pci_error kind = abort ? PCI_ERROR_ABORT : PCI_ERROR_UNSUPPORTED;

    completer_refuse_as(completer, request, status,
                        tlp_is_completion(request) && !tlp_flawed(request, FLAW_UNEXPECTED_AS_UR)
                            ? PCI_ERROR_UNEXPECTED
                            : kind,
                        why);
}

void completer_refuse_route(const struct completer *completer, struct tlp *request,
                            const struct route *route)
{
    if (route->error)
        completer_refuse_as(
            completer, request,
            route->error == PCI_ERROR_ACS && !tlp_flawed(request, FLAW_ACS_AS_UR) ? TLP_CA : TLP_UR,
            route->error, route->why);
    else
        completer_refuse(completer, request, TLP_UR, route->why);
}

/* What a read came to: true when its completion is to be sent, perhaps with a fault in it; else
 * what is to be said of `rest` was said. */
static bool completer_settle(const struct completer *completer, const struct tlp *request,
                             struct tlp *cpl, enum tlp_status status, struct span rest)
{
    switch ((unsigned)status) {
    case TLP_SC: return true;
    case COMPLETER_POISON: cpl->ep = true; return true;
    case COMPLETER_BAD_ECRC:
        tlp_add_ecrc(cpl);
        cpl->ecrc = ~cpl->ecrc;
        return true;
    case COMPLETER_SILENT: tlp_free(cpl); return false;
    default: break;
    }
    tlp_free(cpl);
    completer_note(completer, request, status,
                   status == TLP_CA && !tlp_flawed(request, FLAW_COMPLETER_ABORT_AS_UR)
                       ? PCI_ERROR_ABORT
                       : PCI_ERROR_UNSUPPORTED);
    completer_status(completer, request, status, rest);
    return false;
}

/* Bytes of the doublewords that no byte enable covers are unspecified; we send zeros. */
static void completion_clear_edges(struct tlp *cpl)
{
    memset(cpl->data, 0, 4);
    memset(cpl->data + (cpl->length_dw - 1u) * 4, 0, 4);
}

static void completer_read(const struct completer *completer, const struct tlp *request)
{
    struct span rest = request_span(request);

    /* A zero-length read returns one doubleword that means nothing (2.2.5). */
    if (!rest.len) {
        struct tlp *cpl = tlp_new_completion(request, completer->id, TLP_SC, 1);

        completion_clear_edges(cpl);
        completion_set_rest(cpl, request, rest);
        completer_send(completer, cpl);
        return;
    }
    while (rest.len) {
        uint64_t start = rest.addr & ~3ULL;
        uint64_t boundary = align_down(
            start + completer->max_payload_bytes,
            tlp_flawed(request, FLAW_COMPLETION_BOUNDARY) ? 4 : completer->boundary_bytes);
        unsigned len =
            boundary - rest.addr < rest.len ? (unsigned)(boundary - rest.addr) : rest.len;
        unsigned dws = (unsigned)((rest.addr + len - start + 3) / 4);
        struct tlp *cpl = tlp_new_completion(request, completer->id, TLP_SC, dws);
        enum tlp_status status;

        completion_clear_edges(cpl);
        completion_set_rest(cpl, request, rest);
        status =
            completer->read(completer->context, rest.addr, cpl->data + (rest.addr - start), len);
        if (!completer_settle(completer, request, cpl, status, rest))
            return;
        completer_send(completer, cpl);
        rest.addr += len;
        rest.len -= len;
    }
}

/* The next run of enabled bytes at or after *at, inside the span; false when there is none. */
static bool next_run(const struct tlp *request, struct span span, unsigned *at, unsigned *len)
{
    unsigned end;

    while (*at < span.len && !tlp_byte_enabled(request, span.addr + *at))
        (*at)++;
    for (end = *at; end < span.len && tlp_byte_enabled(request, span.addr + end);)
        end++;
    *len = end - *at;
    return *len != 0;
}

static bool span_has_holes(const struct tlp *request, struct span span)
{
    unsigned at = 0, len = 0;

    return span.len && span.len <= HOLES_MAX_BYTES && next_run(request, span, &at, &len) &&
           len != span.len;
}

/* A read with holes: bytes that are not asked for must not be touched. One completion. */
static void completer_read_holes(const struct completer *completer, const struct tlp *request,
                                 struct span span)
{
    struct tlp *cpl = tlp_new_completion(request, completer->id, TLP_SC, request->length_dw);
    unsigned first = (unsigned)(span.addr - request->addr);

    memset(cpl->data, 0, request->length_dw * 4u);
    completion_set_rest(cpl, request, span);
    for (unsigned at = 0, len; next_run(request, span, &at, &len); at += len) {
        enum tlp_status status =
            completer->read(completer->context, span.addr + at, cpl->data + first + at, len);

        if (!completer_settle(completer, request, cpl, status, span))
            return;
    }
    completer_send(completer, cpl);
}

static enum tlp_status completer_write(const struct completer *completer, const struct tlp *request,
                                       struct span span)
{
    const uint8_t *data = request->data + (span.addr - request->addr);

    if (!span.len)
        return TLP_SC;
    if (!span_has_holes(request, span) || tlp_flawed(request, FLAW_WRITE_ENABLES))
        return completer->write(completer->context, span.addr, data, span.len);
    for (unsigned at = 0, len; next_run(request, span, &at, &len); at += len) {
        enum tlp_status status =
            completer->write(completer->context, span.addr + at, data + at, len);

        if (status != TLP_SC)
            return status;
    }
    return TLP_SC;
}

/* The old value goes back, the new one takes its place, and nothing happens in between (6.15). */
static void completer_atomic(const struct completer *completer, struct tlp *request)
{
    unsigned len = tlp_operand_bytes(request);
    uint8_t old[16], result[16];
    enum tlp_status status, fault;
    struct tlp *cpl;

    if (!(completer->atomic_bytes & len) || tlp_malformed(request)) {
        completer_refuse(completer, request, TLP_UR, "AtomicOp not supported (2.2.7, 6.15.3)");
        return;
    }
    fault = completer->read(completer->context, request->addr, old, len);
    if (fault == COMPLETER_SILENT) {
        tlp_free(request);
        return;
    }
    memcpy(result, old, len);
    status = fault == COMPLETER_POISON || fault == COMPLETER_BAD_ECRC ? TLP_SC : fault;
    if (status == TLP_SC && tlp_atomic_result(request, old, result))
        status = completer->write(completer->context, request->addr, result, len);
    if (status != TLP_SC) {
        completer_refuse(completer, request, status, "AtomicOp refused by its target");
        return;
    }
    cpl = tlp_new_completion(request, completer->id, TLP_SC, len / 4);
    memcpy(cpl->data, tlp_flawed(request, FLAW_ATOMIC_RETURNS_NEW) ? result : old, len);
    if (completer_settle(completer, request, cpl, fault, request_span(request)))
        completer_send(completer, cpl);
    tlp_free(request);
}

void completer_defer(const struct completer *completer, struct tlp *request)
{
    completer_status(completer, request, TLP_RRS, request_span(request));
    tlp_free(request);
}

/* Why a request of an optional kind is not for this completer, or NULL. */
static const char *completer_lacks(const struct completer *completer, const struct tlp *request)
{
    /* CHOICE: a poisoned write modifies nothing, whatever it is addressed to (2.7.2.1); as the
     * data are lost it is no advisory error (6.2.3.2.4.3). */
    if (request->ep && !tlp_flawed(request, FLAW_COMPLETER_POISON))
        return "poisoned write (2.7.2.1)";
    if (request->type == TLP_DMWR && request->length_dw * 4u > completer->dmwr_bytes &&
        !tlp_flawed(request, FLAW_DMWR_LENGTH))
        return "Deferrable Memory Write of this length not supported (6.32)";
    return NULL;
}

void completer_access(const struct completer *completer, struct tlp *request)
{
    struct span span = request_span(request);
    enum tlp_status status;
    const char *lacks = request->data ? completer_lacks(completer, request) : NULL;

    if (lacks) {
        completer_refuse_as(completer, request, TLP_UR,
                            request->ep ? PCI_ERROR_POISONED : PCI_ERROR_UNSUPPORTED, lacks);
        return;
    }
    switch (request->type) {
    case TLP_MRD:
    case TLP_IORD:
        if (span_has_holes(request, span))
            completer_read_holes(completer, request, span);
        else
            completer_read(completer, request);
        break;
    case TLP_MWR:
    case TLP_IOWR:
    case TLP_DMWR:
        status = completer_write(completer, request, span);
        if (status == COMPLETER_SILENT)
            break;
        if (status != TLP_SC) {
            completer_refuse(completer, request, status, "write refused by its target");
            return;
        }
        if (request->type != TLP_MWR)
            completer_status(completer, request, TLP_SC, span);
        break;
    case TLP_FETCHADD:
    case TLP_SWAP:
    case TLP_CAS: completer_atomic(completer, request); return;
    default:
        completer_refuse(completer, request, TLP_UR, "request type not supported (2.3.1)");
        return;
    }
    tlp_free(request);
}

static void config_write(struct pci_func *func, const struct tlp *request)
{
    pci_func_capture(func, pci_rid_bus(request->dest), pci_rid_device(request->dest));
    unsigned enables = flaw_on(func->flaws, FLAW_CONFIG_ENABLES) ? 0xf : request->first_be;

    for (unsigned at = 0; at < 4;) {
        unsigned len = 0;

        if (!(enables >> at & 1)) {
            at++;
            continue;
        }
        while (at + len < 4 && enables >> (at + len) & 1)
            len++;
        uint32_t value = (uint32_t)le_load(request->data + at, len);

        trace_hit(func->trace, TRACE_CONFIG_WRITE, func->name, func->rid.v, request->reg + at, len,
                  value);
        pci_func_config_write(func, request->reg + at, len, value);
        at += len;
    }
}

static void config_read(struct pci_func *func, const struct tlp *request, struct tlp *cpl)
{
    uint32_t value = pci_func_config_read(func, request->reg, 4);

    trace_hit(func->trace, TRACE_CONFIG_READ, func->name, func->rid.v, request->reg, 4, value);
    le32_store(cpl->data, value);
}

void completer_config(const struct completer *completer, struct tlp *request, struct pci_func *func)
{
    struct completer self = *completer;
    bool is_write = request->type == TLP_CFGWR0;
    struct tlp *cpl;

    assert(request->type == TLP_CFGRD0 || request->type == TLP_CFGWR0);
    if (!func) {
        /* Signed with the number that the request was sent to: nobody has captured one. */
        self.id = request->dest;
        completer_refuse(&self, request, TLP_UR, "no such function (7.3.1)");
        return;
    }
    if (is_write && request->ep && !tlp_flawed(request, FLAW_CONFIG_POISON)) {
        self.id = func->rid;
        self.func = func;
        self.all = NULL;
        completer_refuse_as(&self, request, TLP_UR, PCI_ERROR_POISONED,
                            "poisoned configuration write (2.7.2.1)");
        return;
    }
    if (is_write)
        config_write(func, request);
    cpl = tlp_new_completion(request, func->rid, TLP_SC, is_write ? 0 : 1);
    if (!is_write)
        config_read(func, request, cpl);
    completion_set_rest(cpl, request, (struct span){0, 4});
    completer_send(completer, cpl);
    tlp_free(request);
}
