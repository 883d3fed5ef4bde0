/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Intel 82576 gigabit Ethernet controller (datasheet 320961, revision 2.63): one port, driven
 * by Linux's igb, with eight Virtual Functions driven by igbvf. docs/igb.md tells what is modelled.
 * What is at the other end of the cable is a structure of callbacks.
 */
#ifndef PCILAB_ENDPOINT_IGB_H
#define PCILAB_ENDPOINT_IGB_H

#include "pcilab/endpoint/endpoint.h"

#define IGB_VFS_MAX   8
#define IGB_FRAME_MAX 9728 /* bytes of the longest frame, without its checksum */

struct igb;

/* Neither is called from inside igb_input(). */
struct igb_ops {
    /* A frame leaves by the cable, 14 to IGB_FRAME_MAX bytes without its checksum; igb_input() may
     * be called. */
    void (*output)(void *opaque, const uint8_t *frame, uint32_t len);
    /* There is room again after igb_input() said no. */
    void (*room)(void *opaque);
    /* The device was reset: what waited for it is gone. May be NULL. */
    void (*reset)(void *opaque);
};

struct igb_params {
    const char *name;
    uint8_t mac[6]; /* in the EEPROM */
    const struct igb_ops *ops;
    void *opaque;
    unsigned vfs; /* 0: no SR-IOV capability; else 1 to IGB_VFS_MAX. Not for an integrated one. */
    struct pcie_params pcie;
};

struct igb *igb_new(struct fabric *fabric, const struct igb_params *params);
struct endpoint *igb_endpoint(struct igb *nic); /* freeing it frees all */
/* A frame from the cable, 14 to IGB_FRAME_MAX bytes. False: the receive packet buffer is full. */
bool igb_input(struct igb *nic, const uint8_t *frame, uint32_t len);
/* Plugs the cable in or out; it is in at first. */
void igb_set_cable(struct igb *nic, bool in);

#endif
