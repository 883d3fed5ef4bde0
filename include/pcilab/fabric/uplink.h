/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What endpoints and switch upstream ports have in common: the upper link of a component, over
 * which it says what latency it tolerates (PCIe Base 6.0, 6.18) and that it is ready (6.22.1).
 */
#ifndef PCILAB_FABRIC_UPLINK_H
#define PCILAB_FABRIC_UPLINK_H

#include "pcilab/fabric/fabric.h"
#include "pcilab/fabric/ptm.h"

/* Embedded in the owner. */
struct uplink {
    struct port *port;
    struct pci_func *func; /* whose registers rule: function 0 */
    struct ptm_requester ptm;
    uint32_t ltr_wanted, ltr_sent; /* latencies as in LTR messages: no-snoop 31:16, snoop 15:0 */
    bool linked;                   /* since when the DRS message is due, or sent */
    struct sim_event ready;
};

void uplink_init(struct uplink *uplink, struct port *port, struct pci_func *func);
void uplink_fini(struct uplink *uplink);
/* The link is up. A component with Readiness Notifications says so when it is ready, at the
 * earliest at that instant. */
void uplink_link_up(struct uplink *uplink, uint64_t ready_ps);
/* It is not ready before that instant, if it has not yet said that it is. */
void uplink_delay(struct uplink *uplink, uint64_t ready_ps);
/* The component wants these latencies; it has said so when LTR is enabled and it is in D0. */
void uplink_set_ltr(struct uplink *uplink, uint32_t latencies);
/* Registers of the function may have changed. */
void uplink_update(struct uplink *uplink);
/* Any register of the function was written. */
void uplink_config_written(struct uplink *uplink);
/* The link went down: what was said is forgotten. */
void uplink_reset(struct uplink *uplink);
/* PME_Turn_Off came, and all below has acknowledged it: PME_TO_Ack (5.3.3.2.1). */
void uplink_turned_off(struct uplink *uplink);
/* A message with local routing arrived from above: true when it was for this; the TLP stays the
 * caller's. */
bool uplink_message(struct uplink *uplink, const struct tlp *tlp);

#endif
