/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where components of a description are: what is above one, and their order on a bus. */
#ifndef PCILAB_PLATFORM_PLACES_H
#define PCILAB_PLATFORM_PLACES_H

#include "pcilab/platform/machine.h"

/* The port at the upper end of the component's link. */
const struct machine_port_desc *places_port_above(const struct machine_desc *desc,
                                                  const struct machine_component *c);
/* For g_array_sort_with_data(): indices (unsigned) of components of one root bus, by device and
 * function number. */
int places_compare(const void *a, const void *b, void *desc);

#endif
