/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of ats.c and pri.c, which ats_inspect.c tells of. */
#ifndef PCILAB_HW_ENDPOINT_ATS_STATE_H
#define PCILAB_HW_ENDPOINT_ATS_STATE_H

#include "atc.h"
#include "internal.h"

#define LOOKUPS    8 /* Translation Requests at once */
#define PAGES_MAX  8 /* of one request: a completion of 64 bytes is never split */
#define ITAGS      32
#define BUSY_WORDS (REQUESTER_TAGS / 64)

struct lookup {
    bool busy, no_write;
    bool spoiled;      /* invalidated while it was under way: the answer means nothing (10.3.6) */
    struct dma_op *op; /* NULL: no longer interested */
    struct atc_space space;
    uint64_t addr, wanted, since_ps; /* what is asked for begins at `addr` */
    uint8_t data[PAGES_MAX * ATS_ENTRY_BYTES];
};

struct pending {
    bool busy;
    struct pci_rid to;
    uint64_t since_ps, due_ps;
    uint64_t waits_for[BUSY_WORDS]; /* tags */
};

/* While Address Translation Services are enabled, and from the first time on: a thousand idle
 * functions have none. */
struct work {
    struct atc *atc;
    struct lookup lookup[LOOKUPS];
    struct pending pending[ITAGS];
    unsigned pending_count;
    uint8_t used_tcs; /* traffic classes that translated requests had */
    struct sim_event late;
};

struct ats {
    unsigned entries, pages;
    struct work *work;                       /* NULL: not enabled yet */
    struct endpoint_ats_faults faults, born; /* born: what a reset leaves */
    struct endpoint_ats_counts counts;
};

struct group {
    struct endpoint_func *func; /* NULL: free */
    struct dma_op *op;          /* NULL: no longer interested */
    bool has_pasid;             /* as the request had; so has its response */
    bool write;
    uint16_t pages; /* messages, from that of `addr` on */
    uint32_t pasid;
    uint64_t addr, since_ps;
};

struct pri {
    struct group *group; /* ATS_GROUPS of them, from the first request on */
    unsigned next;
    unsigned outstanding; /* messages of all groups */
};

#endif
