/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside a switch. */
#ifndef PCILAB_HW_SWITCH_INTERNAL_H
#define PCILAB_HW_SWITCH_INTERNAL_H

#include "pcilab/fabric/bridge.h"
#include "pcilab/fabric/completer.h"
#include "pcilab/fabric/message.h"
#include "pcilab/fabric/receiver.h"
#include "pcilab/fabric/routing.h"
#include "pcilab/fabric/uplink.h"
#include "pcilab/switch/switch.h"

struct pcie_switch {
    struct fabric *fabric;
    char *name;
    char *up_name;
    struct port up;
    struct uplink uplink;
    struct pci_func *upper; /* the upstream port's function */
    unsigned down_count;
    struct bridge_port *down;
    struct pci_func **down_func; /* for the routing: the same functions, and their places */
    uint8_t *down_devfn;
    struct route_view view;
    struct intx_wires wires; /* as seen by the upstream port's link */
    bool unpowered;          /* until the link comes up again */
    bool secondary_reset;    /* the upstream port's Secondary Bus Reset is set */
    uint8_t own_intx;        /* pins that the upstream port's own function asserts */
    bool turning_off;        /* PME_Turn_Off came, and not all below have acknowledged it */
    bool *turned_off;        /* by downstream port: it has */
};

/* A TLP is in the switch: from a port's link or from inside. */
void switch_forward(struct pcie_switch *sw, int from, struct tlp *tlp);

#endif
