/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What bridges and their slots share. */
#ifndef PCILAB_HW_FABRIC_INTERNAL_H
#define PCILAB_HW_FABRIC_INTERNAL_H

#include "pcilab/fabric/bridge.h"

void slot_init(struct bridge_port *bridge);
void slot_fini(struct bridge_port *bridge);
void slot_reset(struct bridge_port *bridge);
/* The slot_control operation of a bridge's function. */
void slot_control(struct pci_func *func, uint16_t old_value, uint16_t new_value);

/* Downstream Component Presence. */
void bridge_show_component(struct bridge_port *bridge);

#endif
