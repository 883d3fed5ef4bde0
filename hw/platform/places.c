/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where components of a description are. */
#include "pcilab/platform/places.h"

const struct machine_port_desc *places_port_above(const struct machine_desc *desc,
                                                  const struct machine_component *c)
{
    const struct machine_component *parent = &desc->components[c->parent];

    return parent->kind == MACHINE_SWITCH ? &parent->sw.down[c->parent_port] : &parent->port;
}

int places_compare(const void *a, const void *b, void *desc)
{
    const struct machine_component *all = ((const struct machine_desc *)desc)->components;
    const struct machine_component *x = &all[*(const unsigned *)a], *y = &all[*(const unsigned *)b];

    return (x->device * 8 + x->function) - (y->device * 8 + y->function);
}
