/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A requester: gives non-posted requests their tags, keeps what is outstanding, matches
 * completions and times out what is never answered (PCIe Base 6.0, 2.2.6.2, 2.3.2, 2.8).
 *
 * The owner builds a request, calls requester_start() and sends it; completions that arrive go to
 * requester_complete(); the request's end is told by done(). Nothing is allocated per request.
 */
#ifndef PCILAB_FABRIC_REQUESTER_H
#define PCILAB_FABRIC_REQUESTER_H

#include "pcilab/pci/error.h"
#include "pcilab/sim/sim.h"
#include "pcilab/trace/trace.h"

#define REQUESTER_TAGS      1024
#define REQUESTER_TAGS_8BIT 256

enum requester_result {
    REQUESTER_OK,
    REQUESTER_UR,
    REQUESTER_CA,
    REQUESTER_RRS,
    REQUESTER_TIMEOUT,
    REQUESTER_POISONED,
};

struct requester_params {
    struct sim *sim;
    struct trace *trace;
    const char *name; /* for traces; owned by the caller */
    /* A request is over. Called from requester_complete() or from the timer; may start others. */
    void (*done)(void *owner, void *cookie, enum requester_result result);
    void *owner;
};

struct requester_slot;

struct requester {
    struct requester_params params;
    struct requester_slot *slots;
    unsigned slot_count;                /* 0, 32, 256 or 1024: what was ever needed */
    unsigned next_tag;                  /* tags go round, so that a late completion finds none */
    uint64_t busy[REQUESTER_TAGS / 64]; /* by tag */
    unsigned outstanding;
    uint16_t first_due, last_due; /* slots by deadline */
    struct sim_event timer;
};

void requester_init(struct requester *req, const struct requester_params *params);
/* Outstanding requests are forgotten. */
void requester_fini(struct requester *req);
/* Reset: forgets outstanding requests without done(). */
void requester_forget_all(struct requester *req);

/*
 * Gives `tlp` a tag and remembers it; false when all tags are in use. Read data go to `buf`: for
 * memory reads the bytes requested, for configuration and I/O reads the doubleword. `func` is the
 * function whose Device Control registers govern tags and timeouts, and which logs what goes wrong;
 * NULL: the defaults, and nobody.
 */
bool requester_start(struct requester *req, struct tlp *tlp, struct pci_func *func, uint8_t *buf,
                     void *cookie);
bool requester_has_tag(const struct requester *req, const struct pci_func *func);
/* Takes the completion. `receiver` is the function that logs it when it is unexpected; NULL:
 * nobody.
 */
void requester_complete(struct requester *req, struct tlp *cpl, struct pci_func *receiver);

/* What `func` has outstanding will not be answered any more: done() with this result. */
void requester_give_up(struct requester *req, const struct pci_func *func,
                       enum requester_result result);

/* Completion Timeout of a function now; SIM_NEVER when disabled (7.5.3.16). */
uint64_t requester_timeout_ps(const struct pci_func *func);

#endif
