/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every endpoint is made of: one upstream-facing port, one to eight functions (or up to 256
 * with ARI), and a requester that turns DMA into TLPs. A device model sees BAR accesses as bytes
 * and DMA as asynchronous operations; it never sees a TLP unless it wants to.
 */
#ifndef PCILAB_ENDPOINT_ENDPOINT_H
#define PCILAB_ENDPOINT_ENDPOINT_H

#include "pcilab/fabric/fabric.h"
#include "pcilab/pci/ats.h"
#include "pcilab/pci/function.h"

struct endpoint;
struct endpoint_func;

enum endpoint_reset {
    ENDPOINT_RESET_COLD, /* power-on */
    ENDPOINT_RESET_HOT,  /* hot reset or link down */
    ENDPOINT_RESET_FLR,
};

struct endpoint_func_ops {
    /* A read or write of bytes inside one BAR: len is 1 to 4096 and never leaves the BAR. MSI-X
     * table and PBA accesses are answered before this. Reads may have side effects once. Returns
     * TLP_SC, TLP_UR or TLP_CA. */
    enum tlp_status (*bar_read)(void *owner, unsigned bar, uint64_t offset, void *data,
                                unsigned len);
    enum tlp_status (*bar_write)(void *owner, unsigned bar, uint64_t offset, const void *data,
                                 unsigned len);
    /* A Deferrable Memory Write to this place: true to answer Request Retry Status instead of
     * taking it (PCIe Base 6.0, 6.32). NULL: all are taken. */
    bool (*defer)(void *owner, unsigned bar, uint64_t offset);
    /* One that is taken; NULL: it is as any write. */
    enum tlp_status (*bar_deferrable)(void *owner, unsigned bar, uint64_t offset, const void *data,
                                      unsigned len);
    /* Back to initial state; outstanding DMA was dropped without calling done(). */
    void (*reset)(void *owner, enum endpoint_reset kind);
    /* Bus Master Enable, power state or another configuration bit may have changed; may be NULL. */
    void (*config_changed)(void *owner);
    /* Physical Functions: Virtual Functions came (`was` is 0) or went (`now` is 0). Each of them
     * has just been reset as after power-on. May be NULL. */
    void (*vfs_changed)(void *owner, unsigned was, unsigned now);
    void (*destroy)(void *owner);
};

enum dma_kind {
    DMA_READ,  /* memory to device */
    DMA_WRITE, /* device to memory */
    /* One non-posted request each: AtomicOps (len is 4, 8, for CAS also 16, and addr a multiple of
     * it) and Deferrable Memory Writes (at most 128 bytes inside 4 KiB). */
    DMA_FETCHADD,
    DMA_SWAP,
    DMA_CAS,
    DMA_DMWR,
};

enum dma_status {
    DMA_OK,
    DMA_UR,        /* Unsupported Request completion */
    DMA_CA,        /* Completer Abort */
    DMA_TIMEOUT,   /* no completion in time */
    DMA_POISONED,  /* the completion carried EP */
    DMA_NO_MASTER, /* Bus Master Enable is clear, the function is not in D0, the link is down, or
                      the enable bit of AtomicOps or DMWr is clear: the rest was not sent */
    DMA_RETRY,     /* DMWr: Request Retry Status */
    DMA_DENIED,    /* the Translation Agent gives no such access, not after a Page Request either */
};

/* How far the translation of an operation's next piece is; ats.c. */
enum dma_ats {
    DMA_ATS_IDLE,
    DMA_ATS_LOOKING, /* a Translation Request is outstanding */
    DMA_ATS_LOOKED,
    DMA_ATS_PAGING, /* a Page Request is outstanding */
    DMA_ATS_PAGED,
};

/*
 * One DMA operation of any length, split by the requester at 4 KiB, Max_Payload_Size and
 * Max_Read_Request_Size. Embedded in the device's own state; valid from endpoint_dma() until
 * done(). Writes are posted: done() means sent, in order, not arrived. done() is called from the
 * fabric's loop or, where nothing can be sent, from an event at the same instant; never from
 * inside endpoint_dma().
 */
struct dma_op {
    enum dma_kind kind;
    uint64_t addr;
    uint32_t len;            /* 0 is a zero-length read or write (one TLP without byte enables) */
    uint8_t *buf;            /* caller's; must live until done(). AtomicOps: gets the old value */
    const uint8_t *operands; /* AtomicOps: the operand; CAS: what to compare with, what to put */
    uint8_t attr;            /* TLP_ATTR_* */
    uint8_t tc;
    uint8_t at;
    bool poison;   /* set EP on writes */
    bool bad_ecrc; /* a digest that is wrong on every request */
    /* By translated addresses, while Address Translation Services are enabled; with Page Requests
     * for what is not there, while they are enabled. */
    bool translate, request_pages;
    bool group_pages; /* asks for the pages of all that is left at once, as one group */
    /* In the name of a process: with a PASID prefix. `forge` sends it whether or not the PASID
     * capability allows it. */
    bool has_pasid, forge;
    struct tlp_pasid pasid;
    uint8_t prefixes; /* so many end-end TLP prefixes of a vendor on every request, at most 4 */
    void (*done)(struct dma_op *op, enum dma_status status);
    void *opaque;

    /* private to the requester */
    struct dma_op *next;
    struct endpoint_func *func;
    uint32_t issued;      /* bytes asked for or sent */
    uint32_t outstanding; /* requests */
    enum dma_status status;
    uint8_t wire_attr;      /* those of attr that software allows */
    struct tlp_queue after; /* posted TLPs that must not pass this write */
    uint8_t ats;            /* enum dma_ats */
    uint8_t ats_status;     /* enum dma_status or enum ats_response */
    uint8_t ats_tries;      /* Page Requests for this piece so far */
    bool ats_fresh;         /* the answer is what the cache says now */
    bool ats_snoops;        /* the translation in use forbids No Snoop */
    bool parked;            /* a read that waits for its translation */
};

struct endpoint_func_desc {
    const char *name;
    struct pci_ids ids;
    const struct endpoint_func_ops *ops;
    void *owner; /* destroyed through ops->destroy with the endpoint */
};

/*
 * Address Translation Services for a function: the capability, and a cache of translations that
 * its dma_ops use. While all functions are made.
 */
struct endpoint_ats_params {
    unsigned entries; /* of the cache; rounded up to a power of two of at least 4 */
    unsigned pages;   /* translations that one request asks for: 1 to 8 */
    struct pci_ats_params cap;
};

/* What a broken function does. */
struct endpoint_ats_faults {
    bool silent;        /* answers no invalidation */
    bool duplicate;     /* answers twice */
    bool wrong_itag;    /* answers with the next ITag */
    bool keeps;         /* answers, and goes on using the translations */
    bool ignores_pages; /* does not hear Page Request Group Responses */
    bool floods;        /* sends many more Page Requests than it needs and may */
    bool forges;        /* sends what is not translated under a PASID that is nobody's */
    bool once;          /* what concerns invalidations: the next one only */
    uint64_t answer_ps; /* answers so much later */
};

/* What of Address Translation Services is as the topology wants it. */
struct endpoint_ats_options {
    unsigned entries; /* of the cache; 0: as many as the device has */
    /* Page Aligned Request, and PRG Response PASID Required, which are said otherwise. */
    bool not_aligned, no_response_pasid;
};

struct endpoint_ats_counts {
    uint64_t requests;      /* Translation Requests sent */
    uint64_t translated;    /* memory requests sent with translated addresses */
    uint64_t invalidations; /* Invalidate Requests received */
    uint64_t page_requests, page_responses;
};

struct endpoint *endpoint_new(struct fabric *fabric, const char *name);
void endpoint_free(struct endpoint *ep);
struct port *endpoint_port(struct endpoint *ep);
/* Functions get numbers 0, 1, ... in order. The caller then adds BARs and capabilities through
 * endpoint_func_pci(), and calls endpoint_ready() once after the last function. */
struct endpoint_func *endpoint_add_func(struct endpoint *ep, const struct endpoint_func_desc *desc);
/* The next Virtual Function of `pf`, whose SR-IOV capability and VF BARs are there already
 * (pcilab/pci/sriov.h); desc->ids are not looked at. Its capabilities are added as those of any
 * function. It answers nothing before VF Enable, and with RRS for a short while after. */
struct endpoint_func *endpoint_add_vf(struct endpoint_func *pf,
                                      const struct endpoint_func_desc *desc);
struct pci_func *endpoint_func_pci(struct endpoint_func *func);
/* Its functions, and of each the Virtual Functions that exist. */
void endpoint_visit(struct endpoint *ep, void (*visit)(void *opaque, struct pci_func *func),
                    void *opaque);
void *endpoint_func_owner(struct endpoint_func *func); /* desc->owner */
void endpoint_add_ats(struct endpoint_func *func, const struct endpoint_ats_params *params);
/* The Page Request Interface, of a function that has Address Translation Services and is no VF;
 * its VFs use it too. */
void endpoint_add_pri(struct endpoint_func *func, uint32_t capacity);
void endpoint_ready(struct endpoint *ep);

/* Writes, interrupts and messages of a function leave in the order in which they were asked for;
 * reads take turns with them and with each other, and wait for none of them. */
void endpoint_dma(struct endpoint_func *func, struct dma_op *op);
/* Precision Time Measurement, of the whole device: begins a dialog with the port above; false when
 * it is disabled or one is under way. The master's time now; false: not known yet. */
bool endpoint_ptm_request(struct endpoint_func *func);
bool endpoint_ptm_time(const struct endpoint_func *func, uint64_t *master_ns);
uint64_t endpoint_ptm_dialogs(const struct endpoint_func *func);
/* Ends the use of a PASID: a Stop Marker follows its Page Requests (10.4.1.2). False: the Page
 * Request Interface is not enabled. */
bool endpoint_stop_pasid(struct endpoint_func *func, const struct tlp_pasid *pasid);
void endpoint_set_ats_faults(struct endpoint_func *func, const struct endpoint_ats_faults *faults);
/* The same of all its functions that have Address Translation Services, now and after every
 * reset. */
void endpoint_misbehave(struct endpoint *ep, const struct endpoint_ats_faults *faults);
/* Of all its functions that have Address Translation Services; before any is enabled. */
void endpoint_set_ats_options(struct endpoint *ep, const struct endpoint_ats_options *options);
/* Its functions, Virtual Functions apart, say Immediate Readiness (7.5.1.1.4, 7.5.2.1). */
void endpoint_set_ready_at_once(struct endpoint *ep);
/* NULL: the function has no Address Translation Services. */
const struct endpoint_ats_counts *endpoint_ats_counts(const struct endpoint_func *func);
/* Interrupt number `vector` by whatever is enabled: MSI-X, MSI, or for vector 0 nothing (INTx is
 * a level: endpoint_set_intx). */
void endpoint_interrupt(struct endpoint_func *func, unsigned vector);
void endpoint_set_intx(struct endpoint_func *func, bool level);
struct sim *endpoint_sim(struct endpoint_func *func);
struct trace *endpoint_trace(struct endpoint_func *func);
/* A message TLP to the root complex (PM_PME and the like). */
void endpoint_send_message(struct endpoint_func *func, enum tlp_msg_code code);

/* What latencies the function tolerates, as in an LTR message: no-snoop 31:16, snoop 15:0 (6.18).
 * Of several functions the strictest counts. */
void endpoint_set_ltr(struct endpoint_func *func, uint32_t latencies);

/* For so long from now configuration requests to the function are answered with Request Retry
 * Status (2.3.1). */
void endpoint_set_not_ready(struct endpoint_func *func, uint64_t ps);
/* Any TLP at all, as a device that is broken may send it, behind the writes that are queued. */
struct tlp_pool *endpoint_pool(struct endpoint_func *func);
void endpoint_send_tlp(struct endpoint_func *func, struct tlp *tlp);

/* Power-on reset of everything. */
void endpoint_reset(struct endpoint *ep);

#endif
