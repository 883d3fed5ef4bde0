/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the common core of endpoints; device models do not see this. */
#ifndef PCILAB_HW_ENDPOINT_INTERNAL_H
#define PCILAB_HW_ENDPOINT_INTERNAL_H

#include "pcilab/endpoint/endpoint.h"
#include "pcilab/fabric/intx.h"
#include "pcilab/fabric/message.h"
#include "pcilab/fabric/requester.h"
#include "pcilab/fabric/uplink.h"

#define ENDPOINT_FUNCS_MAX 256

struct dma_list {
    struct dma_op *first, *last;
};

struct endpoint_func {
    struct endpoint *ep;
    struct pci_func *pci;
    const struct endpoint_func_ops *ops;
    void *owner;
    uint32_t ltr; /* latencies that it tolerates, as in LTR messages */
    bool intx;    /* our pin is asserted on the endpoint's wires */

    struct requester requester;
    struct dma_list writes; /* in order; the first may be sent in part */
    struct dma_list reads;  /* not all asked for yet; they take turns */
    struct dma_list parked; /* reads that wait for a translation */
    bool write_waits;       /* the first write does */
    struct ats *ats;        /* NULL: no Address Translation Services */
    struct pri *pri;        /* of a Physical Function; NULL: no Page Request Interface */
    struct sim_event kick;  /* operations were queued, or may no longer be sent */
    struct endpoint_func *next_waiting;
    bool waiting; /* in the endpoint's list */

    struct endpoint_func **vfs; /* by VF index */
    unsigned vf_count;
    uint64_t ready_ps; /* a VF, or a function after a reset, answers from then on */
    struct sim_event flr_over, vfs_ready; /* FRS messages that are due */
};

struct endpoint {
    struct fabric *fabric;
    char *name;
    struct port port;
    struct endpoint_func **funcs;
    unsigned func_count;
    /* Functions with DMA to be sent, in order of their turns; some may have none any more. */
    struct endpoint_func *first_waiting, *last_waiting;
    unsigned waiting_count;
    unsigned last_hit; /* function that decoded an address last */
    bool ari;          /* function numbers have 8 bits */
    struct intx_wires wires;
    struct uplink uplink;
};

/* dma.c */
void dma_init(struct endpoint_func *func);
void dma_fini(struct endpoint_func *func);
/* Forgets everything without done(). */
void dma_reset(struct endpoint_func *func);
/* Sends what the link takes. */
void dma_pump(struct endpoint_func *func);
bool dma_waiting(const struct endpoint_func *func);
/* The same, or something waits for a translation. */
bool dma_pending(const struct endpoint_func *func);
/* Sends a posted TLP behind the writes that are queued. */
void dma_post(struct endpoint_func *func, struct tlp *tlp);

/* Sends a non-posted TLP that has its tag. */
void dma_send_request(struct endpoint_func *func, struct tlp *tlp);
/* A translation came, or will not: whoever waits for one looks again. */
void dma_translated(struct endpoint_func *func);

/* ats.c; func->ats may be NULL, but for the last two. */
enum ats_answer {
    ATS_BARE,  /* with the untranslated address */
    ATS_READY, /* with this one */
    ATS_WAIT,  /* for a translation; dma_translated() follows */
    ATS_FAILED,
};

/* The address of an operation's next piece, `addr`, for TLPs; ATS_FAILED: *status. */
enum ats_answer ats_place(struct dma_op *op, uint64_t addr, bool write, uint64_t *place,
                          enum dma_status *status);
/* The operation is over, whatever it still waits for. */
void ats_forget(struct dma_op *op);
void ats_reset(struct endpoint_func *func);
void ats_free(struct endpoint_func *func);
/* Configuration space was written. */
void ats_config_changed(struct endpoint_func *func);
/* A request of the function ended: invalidations may have waited for it. */
void ats_request_over(struct endpoint_func *func);
/* A TLP with a translated address was sent. */
void ats_note_use(struct endpoint_func *func, unsigned tc);
/* Is the cookie of a request one of ours? Then it has ended. */
bool ats_lookup_over(struct endpoint_func *func, void *cookie, enum requester_result result);
/* An Invalidate Request or a Page Request Group Response for the function; it stays the caller's.
 * False: not supported. */
bool ats_message(struct endpoint_func *func, const struct tlp *tlp);
void ats_count_pages(struct endpoint_func *func, bool response);
bool ats_ignores_pages(const struct endpoint_func *func);
bool ats_floods(const struct endpoint_func *func);
/* Of a broken function: the PASID of another. */
void ats_forge_pasid(struct dma_op *op);

/* pri.c */
/* Asks for the page of an address. False: the interface is not enabled. */
bool pri_request(struct dma_op *op, uint64_t addr, bool write);
void pri_forget(struct dma_op *op);
void pri_response(struct endpoint_func *func, const struct tlp *tlp);
void pri_config_changed(struct endpoint_func *func);
/* Of the function and, if it is a Physical Function, of its VFs. */
void pri_reset(struct endpoint_func *func);
void pri_free(struct endpoint_func *func);

/* endpoint.c: the function wants a turn when the link takes TLPs again. */
void endpoint_wait(struct endpoint_func *func);

/* readiness.c: FRS messages, of functions that have them. */
void readiness_init(struct endpoint_func *func);
void readiness_reset(struct endpoint_func *func); /* what was to be said is out of date */
void readiness_flr(struct endpoint_func *func);
void readiness_vfs(struct endpoint_func *func, bool enabled, uint64_t ready_ps);
void readiness_awake(struct pci_func *pci);
/* When all functions are ready. */
uint64_t readiness_device_ps(const struct endpoint *ep);

/* access.c: what arrives. */
void endpoint_receive(struct port *port, struct tlp *tlp);
void endpoint_link_error(struct port *port, enum link_error error, const struct tlp *tlp);
bool endpoint_claims(struct port *port, bool io, uint64_t addr);

#endif
