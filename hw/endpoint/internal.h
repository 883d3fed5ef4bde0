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
};

struct endpoint {
    struct fabric *fabric;
    char *name;
    struct port port;
    struct endpoint_func **funcs;
    unsigned func_count;
    unsigned next_func; /* whose turn it is when the link takes TLPs again */
    unsigned last_hit;  /* function that decoded an address last */
    bool ari;           /* function numbers have 8 bits */
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

/* access.c: what arrives. */
void endpoint_receive(struct port *port, struct tlp *tlp);
void endpoint_link_error(struct port *port, enum link_error error, const struct tlp *tlp);
bool endpoint_claims(struct port *port, bool io, uint64_t addr);

#endif
