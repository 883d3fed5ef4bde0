/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An enumeration of our own: bus numbers, windows and BARs assigned as firmware would, by
 * configuration requests to the root complexes and nothing else. Linux does its own at boot; this
 * one serves `pcilab topo --lspci` and tests, which have no guest, and topologies that have
 * firmware-assigns=yes.
 */
#ifndef PCILAB_PLATFORM_ENUMERATE_H
#define PCILAB_PLATFORM_ENUMERATE_H

#include "pcilab/platform/machine.h"

/* Runs the machine's clock while its requests are on the way; the processors stay stopped. Fails
 * when bus numbers or address space run out. */
bool machine_enumerate(struct machine *machine, GError **error);

/* Calls visit() for every function that answers, in order of segment, bus, device, function;
 * `config` is the 4 KiB read back by configuration requests. After machine_enumerate(). */
typedef void (*machine_function_fn)(void *opaque, uint16_t segment, struct pci_rid rid,
                                    const uint8_t config[4096]);
void machine_visit_functions(struct machine *machine, machine_function_fn visit, void *opaque);

#endif
