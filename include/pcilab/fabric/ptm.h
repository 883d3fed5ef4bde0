/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Precision Time Measurement on one link: the requester of an upstream port, the responder of a
 * downstream port (PCIe Base 6.0, 6.21). Local clocks are virtual time in nanoseconds.
 */
#ifndef PCILAB_FABRIC_PTM_H
#define PCILAB_FABRIC_PTM_H

#include "pcilab/fabric/fabric.h"

struct ptm_requester {
    bool outstanding, timed;
    bool valid;                      /* offset_ns is known */
    uint64_t t1_ps;                  /* the request under way left */
    uint64_t last_t1_ps, last_t4_ps; /* of the dialog before it, if `timed` */
    int64_t offset_ns;               /* PTM Master Time less local time */
    uint64_t dialogs;
};

/* Begins a dialog; false when PTM is disabled, the link is down, or one is under way. */
bool ptm_request(struct ptm_requester *ptm, struct port *port, const struct pci_func *func);
/* A response arrived. */
void ptm_answered(struct ptm_requester *ptm, struct port *port, const struct tlp *tlp);
void ptm_forget(struct ptm_requester *ptm);
/* PTM Master Time now; false: not known. */
bool ptm_time(const struct ptm_requester *ptm, const struct port *port, uint64_t *master_ns);

/* What a PTM root's clock shows now. CHOICE: it is ahead of virtual time by PTM_EPOCH_NS, so that
 * it makes a difference who has learned it. */
#define PTM_EPOCH_NS 1000000000ULL
uint64_t ptm_root_time(const struct port *port);

struct ptm_responder {
    bool answered; /* a dialog before */
};

/* Answers a request that has just arrived; `master_ns` is the time, NULL: not known. */
void ptm_respond(struct ptm_responder *ptm, struct port *port, struct pci_rid requester,
                 const uint64_t *master_ns);

#endif
