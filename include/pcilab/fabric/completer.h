/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A completer: turns a request TLP into accesses of bytes, and the outcome into completions
 * (PCIe Base 6.0, 2.3.1): split at the read completion boundary and Max_Payload_Size, with Byte
 * Count and Lower Address, or one completion with a status.
 *
 * A struct completer describes who answers; it is filled in per request on the stack. Requests
 * are consumed.
 */
#ifndef PCILAB_FABRIC_COMPLETER_H
#define PCILAB_FABRIC_COMPLETER_H

#include "pcilab/fabric/routing.h"
#include "pcilab/pci/error.h"
#include "pcilab/trace/trace.h"

struct completer {
    const char *name; /* for traces */
    struct trace *trace;
    /* Takes the completions. */
    void (*send)(void *owner, struct tlp *cpl);
    void *owner;
    struct pci_rid id;
    struct pci_func *func; /* who logs errors; NULL: nobody */
    bool secondary;        /* a bridge that got the request on its secondary side */
    /* Functions of a device that log what is of none of them: requests that nobody claims. NULL:
     * func alone. */
    struct pci_func *const *all;
    unsigned all_count;
    unsigned max_payload_bytes; /* 128 to 4096 */
    unsigned atomic_bytes;      /* operand sizes of AtomicOps that are completed: 4 | 8 | 16 */
    unsigned dmwr_bytes;        /* longest Deferrable Memory Write that is completed */
    unsigned boundary_bytes;    /* read completion boundary: 64 or 128 */

    /* Accesses of enabled bytes in ascending order, reads in pieces of at most max_payload_bytes;
     * the owner has seen to it that the whole request is its own. A status other than TLP_SC ends
     * a read; of a posted write it is traced. */
    enum tlp_status (*read)(void *context, uint64_t addr, void *data, unsigned len);
    enum tlp_status (*write)(void *context, uint64_t addr, const void *data, unsigned len);
    void *context;
};

/* What a read() or write() may return besides a status: the completion is poisoned, has a wrong
 * ECRC, or there is none. Faults that tests ask for. */
#define COMPLETER_POISON   ((enum tlp_status)8)
#define COMPLETER_BAD_ECRC ((enum tlp_status)9)
#define COMPLETER_SILENT   ((enum tlp_status)10)

/* Memory and I/O reads and writes, AtomicOps, Deferrable Memory Writes. */
void completer_access(const struct completer *completer, struct tlp *request);
/* A configuration request of type 0 to `func` (NULL: no such function). Writes capture bus and
 * device number; the completer ID is the function's. */
void completer_config(const struct completer *completer, struct tlp *request,
                      struct pci_func *func);
/* Answers a Deferrable Memory Write with Request Retry Status: not now (6.32). */
void completer_defer(const struct completer *completer, struct tlp *request);
/* Refuses a request: a completion with the status, or for posted requests nothing. `why` names
 * the rule, for the trace. */
void completer_refuse(const struct completer *completer, struct tlp *request,
                      enum tlp_status status, const char *why);
/* The same for an error that is not Unsupported Request, Completer Abort or, where `request` is a
 * completion, Unexpected Completion. */
void completer_refuse_as(const struct completer *completer, struct tlp *request,
                         enum tlp_status status, enum pci_error kind, const char *why);
/* The same for what a routing decision of ROUTE_REFUSE came to. */
void completer_refuse_route(const struct completer *completer, struct tlp *request,
                            const struct route *route);

#endif
