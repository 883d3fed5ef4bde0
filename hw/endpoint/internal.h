/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the common core of endpoints; device models do not see this. */
#ifndef PCILAB_HW_ENDPOINT_INTERNAL_H
#define PCILAB_HW_ENDPOINT_INTERNAL_H

#include "pcilab/endpoint/endpoint.h"
#include "pcilab/fabric/intx.h"
#include "pcilab/fabric/message.h"
#include "pcilab/fabric/requester.h"

#define ENDPOINT_FUNCS_MAX 256

struct dma_list {
    struct dma_op *first, *last;
};

struct endpoint_func {
    struct endpoint *ep;
    struct pci_func *pci;
    const struct endpoint_func_ops *ops;
    void *owner;
    bool intx; /* our pin is asserted on the endpoint's wires */

    struct requester requester;
    struct dma_list writes; /* in order; the first may be sent in part */
    struct dma_list reads;  /* not all asked for yet; they take turns */
    struct sim_event kick;  /* operations were queued, or may no longer be sent */
    struct endpoint_func *next_waiting;
    bool waiting; /* in the endpoint's list */

    struct endpoint_func **vfs; /* by VF index */
    unsigned vf_count;
    uint64_t ready_ps; /* a VF, or a function after a reset, answers from then on */
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
};

/* dma.c */
void dma_init(struct endpoint_func *func);
void dma_fini(struct endpoint_func *func);
/* Forgets everything without done(). */
void dma_reset(struct endpoint_func *func);
/* Sends what the link takes. */
void dma_pump(struct endpoint_func *func);
bool dma_waiting(const struct endpoint_func *func);
/* Sends a posted TLP behind the writes that are queued. */
void dma_post(struct endpoint_func *func, struct tlp *tlp);

/* endpoint.c: the function wants a turn when the link takes TLPs again. */
void endpoint_wait(struct endpoint_func *func);

/* access.c: what arrives. */
void endpoint_receive(struct port *port, struct tlp *tlp);
void endpoint_link_error(struct port *port, enum link_error error, const struct tlp *tlp);
bool endpoint_claims(struct port *port, bool io, uint64_t addr);

#endif
