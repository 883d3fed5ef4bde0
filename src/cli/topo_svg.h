/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A topology as a picture: one card for every component, a row for every port and function, a
 * line for every link.
 */
#ifndef PCILAB_CLI_TOPO_SVG_H
#define PCILAB_CLI_TOPO_SVG_H

#include "cli.h"
#include "pcilab/pci/config.h"

#define SVG_NONE (-1)

/* A function that answers, as firmware numbers it. */
struct svg_func {
    uint16_t segment;
    struct pci_rid rid;
    uint8_t config[PCI_CONFIG_BYTES];
    char *name; /* NULL: a bridge's that has none */
    int unit;   /* component of its IOMMU; SVG_NONE: none translates for it */
    int group;  /* IOMMU group as the kernel numbers them; SVG_NONE: none */
};

/* A port or a function. */
struct svg_row {
    char *place, *name, *text; /* "02:00.0"; any may be NULL */
    int func;                  /* SVG_NONE: none answers */
};

/* A component. */
struct svg_node {
    const struct machine_component *component;
    GPtrArray *rows; /* struct svg_row */
    char *facts;     /* "8 queues, 64 MiB" */
    char *functions; /* "2 Virtual Functions"; NULL: none */
    int parent, parent_row;
    double x, y, width, height; /* upper left corner, in pixels */
    double rank, left;          /* while it is laid out */
};

struct svg_model {
    const struct machine_desc *desc;
    GPtrArray *funcs; /* struct svg_func */
    GPtrArray *nodes; /* struct svg_node, parents first */
    double width, height;
};

/* topo_svg_model.c: from a description; the machine is made and numbered for it. */
struct svg_model *svg_model_new(const struct machine_desc *desc, GError **error);
void svg_model_free(struct svg_model *model);
unsigned svg_group_size(const struct svg_model *model, int group);

/* topo_svg_groups.c: the groups that Linux makes of these functions. */
void svg_find_groups(GPtrArray *funcs);

/* topo_svg_layout.c: gives every node its place, by graphviz. */
bool svg_layout(struct svg_model *model, GError **error);

/* topo_svg.c: the picture. `title` stands above it. `notes` (component's name -> text) stand at
 * links, those that begin with "!" as something wrong; may be NULL. g_free() it. */
char *svg_draw(const struct svg_model *model, const char *title, GHashTable *notes);

/* All of it. NULL with an error. */
char *topo_svg(const struct machine_desc *desc, const char *title, GHashTable *notes,
               GError **error);

#endif
