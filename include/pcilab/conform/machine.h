/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The suite against a machine of ours (pcilab/conform/conform.h). */
#ifndef PCILAB_CONFORM_MACHINE_H
#define PCILAB_CONFORM_MACHINE_H

#include "pcilab/conform/conform.h"
#include "pcilab/platform/machine.h"

/* Made and enumerated as firmware would; the description must outlive it. */
struct conform_backend *conform_machine_open(const struct machine_desc *desc, GError **error);
/* The machine of such a backend. */
struct machine *conform_machine_of(struct conform_backend *backend);

#endif
