/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the halves of an import. */
#ifndef PCILAB_SRC_CONFIG_IMPORT_H
#define PCILAB_SRC_CONFIG_IMPORT_H

#include "lspci.h"
#include "pcilab/config/import.h"

/* Sizes of BARs from what /proc/iomem says. */
bool import_read_iomem(const struct topo_import_params *params, GPtrArray *funcs, GError **error);
/* Guesses what is not known yet and counts. */
void import_guess_sizes(GPtrArray *funcs, struct topo_import *out);

#endif
