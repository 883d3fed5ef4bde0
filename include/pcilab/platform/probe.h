/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a machine by name, for who acts on them from outside: scenarios, control. Names are
 * those of the topology: "nvme0", "rp0"; "sw0" is a switch's upstream port and "sw0.1" its second
 * downstream port; "ex0.1" is the second function of an endpoint, Virtual Functions last; a host
 * bridge's name stands for its event collector.
 */
#ifndef PCILAB_PLATFORM_PROBE_H
#define PCILAB_PLATFORM_PROBE_H

#include "pcilab/fabric/fabric.h"
#include "pcilab/pci/function.h"
#include "pcilab/platform/machine.h"
#include "pcilab/root/root.h"

struct fabric *machine_fabric(struct machine *machine);
/* Every name that machine_port() or machine_func() knows, functions beyond the first not among
 * them; NULL-terminated, g_strfreev() it. */
char **machine_names(struct machine *machine);
/* The component's end of its link: of a root port or a downstream port the one that faces down.
 * NULL: it has none. */
struct port *machine_port(struct machine *machine, const char *name);
/* The end of the same link that faces down; for what is plugged in, the port above it. */
struct port *machine_port_above(struct machine *machine, const char *name);
/* NULL: no such function, or it does not exist now. */
struct pci_func *machine_func(struct machine *machine, const char *name);
/* The root complex that a component belongs to; NULL: no such component. */
struct root_complex *machine_root_of(struct machine *machine, const char *name);
/* The one that a bus of a segment belongs to, in use or not; NULL: none. */
struct root_complex *machine_root_at(struct machine *machine, uint16_t segment, unsigned bus);

/* An interrupt message on its way to processors. */
struct machine_interrupt {
    uint32_t dest;
    bool logical, level;
    uint8_t mode, vector; /* delivery mode as in a message's data */
};
/* How many there were, processors' own among them, and the last one. */
uint64_t machine_interrupts(struct machine *machine, struct machine_interrupt *last);

/* vtd_queue_slow() of all units. False: there is none. */
bool machine_slow_invalidations(struct machine *machine, uint64_t each_ps, uint64_t stall_ps);

/* Where an access of a processor goes that is of PCI: memory and I/O by host address. NULL: it is
 * the board's. */
struct root_complex *machine_route(struct machine *machine, enum root_request_kind kind,
                                   uint64_t addr);
/* RAM, or registers of the board (IOMMUs), at once; up to 8 bytes for the latter. False: there is
 * nothing. */
bool machine_board_read(struct machine *machine, uint64_t addr, void *data, unsigned len);
bool machine_board_write(struct machine *machine, uint64_t addr, const void *data, unsigned len);

#endif
