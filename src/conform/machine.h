/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accesses of the host to a machine of ours that has no guest, and what comes of them. */
#ifndef PCILAB_SRC_CONFORM_MACHINE_H
#define PCILAB_SRC_CONFORM_MACHINE_H

#include "pcilab/platform/machine.h"
#include "pcilab/root/root.h"

/* A machine made from the description and enumerated; NULL with an error. */
struct machine *conform_machine_new(const struct machine_desc *desc, GError **error);
/* Lets the machine's clock run. */
void conform_machine_run(struct machine *machine, uint64_t ps);
/* One request of the host, answered; up to 8 bytes. A timeout ends it, too. */
enum tlp_status conform_machine_config(struct machine *machine, bool write, uint16_t segment,
                                       uint16_t rid, unsigned offset, unsigned len,
                                       uint32_t *value);
enum tlp_status conform_machine_access(struct machine *machine, enum root_request_kind kind,
                                       uint64_t addr, unsigned len, uint64_t *value);

#endif
