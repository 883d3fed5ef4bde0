/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What root ports and switch downstream ports have in common: a type 1 function with a
 * downstream-facing port. Its registers act on the link (Secondary Bus Reset, Link Disable,
 * Retrain Link), the link acts on its registers, and INTx wires come up through it.
 */
#ifndef PCILAB_FABRIC_BRIDGE_H
#define PCILAB_FABRIC_BRIDGE_H

#include "pcilab/fabric/fabric.h"
#include "pcilab/fabric/intx.h"
#include "pcilab/fabric/ptm.h"

struct bridge_port;

struct bridge_port_ops {
    void (*receive)(struct bridge_port *bridge, struct tlp *tlp);
    /* A wire changed on the bridge's primary side; pin is not yet swizzled by the bridge's own
     * device number. */
    void (*drive)(struct bridge_port *bridge, unsigned pin, bool level);
    /* The bridge's own MSI or MSI-X. */
    void (*send_msi)(struct bridge_port *bridge, uint64_t addr, uint32_t data);
    /* port_tx_ready() of the bridge's port has said no, and would say yes now; may be NULL. */
    void (*tx_ready)(struct bridge_port *bridge);
    /* What is below tolerates another latency, `ltr`; may be NULL. */
    void (*ltr_changed)(struct bridge_port *bridge);
    /* PTM Master Time for who asks below; false: not known. NULL: the bridge's own clock, if it is
     * the root. */
    bool (*ptm_time)(struct bridge_port *bridge, uint64_t *master_ns);
    /* Containment has begun: what is outstanding below does not come back. May be NULL. */
    void (*contained)(struct bridge_port *bridge);
    /* The bridge's own error message (TLP_MSG_ERR_*), which begins on its primary side. */
    void (*error_message)(struct bridge_port *bridge, uint8_t msg_code);
    /* The bridge's own FRS message (enum pci_frs_reason), which begins on its primary side. */
    void (*frs)(struct bridge_port *bridge, unsigned reason);
    /* Root ports: a System Error; may be NULL. */
    void (*system_error)(struct bridge_port *bridge);
};

struct bridge_port_params {
    const char *name;
    const struct pci_ids *ids;
    const struct pcie_params *pcie;
    bool msi;
    uint8_t interrupt_pin;
    uint8_t devfn; /* its place on the internal bus */
};

/* What a slot is in beside its registers. */
struct bridge_slot {
    bool latch_open;
    uint64_t command_ps;             /* how long a command takes; SIM_NEVER: it is never over */
    struct sim_event command, power; /* a command is over; power is good */
};

struct bridge_port {
    struct port port;
    struct pci_func *func;
    char *name;
    const struct bridge_port_ops *ops;
    void *owner;
    uint8_t devfn;
    uint8_t below;           /* pins that are asserted over the link, a bit each */
    uint8_t own;             /* the same for the function's own interrupt */
    struct intx_wires wires; /* the OR of both */
    struct bridge_slot slot;
    const struct pci_func *ptm_func; /* with the PTM capability that rules; NULL: none does */
    struct ptm_responder ptm;
    uint64_t dpc_busy_ps;       /* how long DPC RP Busy lasts */
    struct sim_event dpc_quiet; /* and its end */
    uint32_t ltr;               /* of the last LTR message from below; 0: none */
};

/* Embedded in the owner. */
void bridge_port_init(struct bridge_port *bridge, struct fabric *fabric,
                      const struct bridge_port_params *params, const struct bridge_port_ops *ops,
                      void *owner);
void bridge_port_fini(struct bridge_port *bridge);
/* Resets the function. COLD trains the link again; WARM is a hot reset that came from above, for
 * the duration of which the owner holds this port's link in reset. */
void bridge_port_reset(struct bridge_port *bridge, enum reg_reset_kind kind);
/* Checks a TLP that came over the link; false when it was wrong, and is gone. */
bool bridge_port_accepts(struct bridge_port *bridge, struct tlp *tlp);
/* Power is gone from the component: registers as at power-on, and none for what is below until
 * bridge_port_power_up(). */
void bridge_port_power_lost(struct bridge_port *bridge);
void bridge_port_power_up(struct bridge_port *bridge);
/* Messages with local routing from below that end at any port: true when it was one; the TLP stays
 * the caller's. */
bool bridge_port_message(struct bridge_port *bridge, const struct tlp *tlp);
/* An Assert_ or Deassert_INTx message arrived over the link. */
void bridge_port_intx(struct bridge_port *bridge, const struct tlp *tlp);

/*
 * A hand at a slot; `port` is that of a root port or switch downstream port. A device can be pulled
 * out of any port and put back; software learns it from a slot. Press and latch are false where the
 * slot has no attention button or MRL sensor.
 */
void slot_plug(struct port *port, bool present);
bool slot_press(struct port *port);
bool slot_set_latch(struct port *port, bool open);
/* The power controller detects a fault and takes the power away; false where the slot has none. */
bool slot_power_fault(struct port *port);
/* How long commands take from now on; SIM_NEVER: for ever. False where commands do not tell. */
bool slot_set_command_time(struct port *port, uint64_t time_ps);

#endif
