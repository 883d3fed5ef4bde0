/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside a root complex. */
#ifndef PCILAB_HW_ROOT_INTERNAL_H
#define PCILAB_HW_ROOT_INTERNAL_H

#include "pcilab/fabric/bridge.h"
#include "pcilab/fabric/completer.h"
#include "pcilab/fabric/message.h"
#include "pcilab/fabric/requester.h"
#include "pcilab/fabric/routing.h"
#include "pcilab/root/root.h"

#define ROOT_PORTS_MAX 256

struct root_port {
    struct bridge_port bridge;
    struct root_complex *rc;
    unsigned index;
    struct sim_event synthesize; /* completions, in containment */
};

/* The root complex's end of the wire to an integrated endpoint. */
struct root_integrated {
    struct port port;
    char *name;
    struct root_complex *rc;
    unsigned device;
    uint8_t asserted; /* INTx pins, a bit each */
    struct root_integrated *next;
};

/* The event collector of a root bus. */
struct root_collector {
    struct root_complex *rc;
    struct pci_func *func;
    uint8_t device;
    bool asserted; /* its INTA */
};

struct root_request_list {
    struct root_request *first, *last;
};

struct root_complex {
    struct fabric *fabric;
    struct root_params params;
    char *name;
    struct pci_func *host_bridge; /* at 00.0 */
    struct root_port **ports;
    struct root_integrated *integrated;
    struct root_collector *collector; /* NULL: none */

    /* For the routing: the root ports' functions and places. */
    struct pci_func **down_func;
    uint8_t *down_devfn;
    struct route_view view;

    struct root_translator translator; /* translate is NULL: none */
    struct intx_wires wires;

    /* Host requests: outstanding ones are the requester's, in the name of the host bridge. */
    struct requester requester;
    struct root_request_list waiting;  /* for a tag, or for room in a port */
    struct root_request_list finished; /* done() is due */
    struct sim_event finish;
    struct root_request_list retries; /* configuration requests that got RRS */
    struct sim_event retry;
    bool submitting; /* inside root_submit(): no done() now */
};

/* root.c */
struct completer root_completer(struct root_complex *rc, struct pci_func *func);
/* What is at a place of the root bus. */
struct pci_func *root_func_at(struct root_complex *rc, unsigned devfn);
struct root_integrated *root_integrated_at(struct root_complex *rc, unsigned devfn);
/* The integrated endpoint that decodes an address, or NULL. */
struct root_integrated *root_integrated_claims(struct root_complex *rc, bool io, uint64_t addr);
struct root_integrated *root_integrated_claims_bus(struct root_complex *rc, unsigned bus);
/* Out of a root port, having come in by another (its index) or by none. */
void root_pass_down(struct root_complex *rc, int from, unsigned index, struct tlp *tlp);
/* A TLP of the root complex's own: completions and the like go where their ID says. */
void root_send_by_id(struct root_complex *rc, int from, struct tlp *tlp);
/* An INTx wire of a device on the root bus, before swizzling. */
void root_drive_intx(struct root_complex *rc, unsigned device, unsigned pin, bool level);

/* What the platform makes of a System Error is its business. */
static inline void root_system_error(struct root_complex *rc)
{
    if (rc->params.host->system_error)
        rc->params.host->system_error(rc->params.opaque);
}

/* collector.c */
/* A message from an integrated endpoint; false when it is nothing for the collector, or none is. */
bool root_collector_message(struct root_complex *rc, struct tlp *tlp);
void root_collector_reset(struct root_complex *rc);
void root_collector_free(struct root_complex *rc);

/* host.c */
void root_host_init(struct root_complex *rc);
void root_host_fini(struct root_complex *rc);
void root_host_reset(struct root_complex *rc);
/* A port takes posted writes again. */
void root_host_tx_ready(struct root_complex *rc);

/* upstream.c: a TLP came up from a root port (its index) or an integrated endpoint
 * (ROUTE_FROM_INTERNAL). */
void root_receive(struct root_complex *rc, int from, struct tlp *tlp);
/* A memory request on its way to the host: translated, then delivered. */
/* The root port on the way to an ID, or NULL. */
struct pci_func *root_port_towards(struct root_complex *rc, struct pci_rid id);
void root_upstream_memory(struct root_complex *rc, struct tlp *tlp);
/* The MSI of a root port or event collector; `port` is the root port's, else NULL. NULL for a TLP
 * does nothing. */
void root_own_msi(struct root_complex *rc, const struct pci_func *func, struct port *port,
                  struct tlp *tlp);
/* Interrupt messages are written here. */
bool root_in_interrupt_range(uint64_t addr);
/* A message that the translator may take. */
bool root_ats_message(struct root_complex *rc, const struct tlp *tlp);

/* burst.c: a burst came up, as with root_receive(). */
void root_receive_burst(struct root_complex *rc, int from, struct tlp *tlp);

/* root_port.c */
/* A TLP came up. */
void root_port_receive(struct bridge_port *bridge, struct tlp *tlp);
void root_port_reset(struct root_port *rp);
void root_port_receive_message(struct root_port *rp, struct tlp *tlp);
void root_port_free(struct root_port *rp);

#endif
