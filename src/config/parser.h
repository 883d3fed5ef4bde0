/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a topology file becomes on the way to a struct machine_desc. */
#ifndef PCILAB_CONFIG_PARSER_H
#define PCILAB_CONFIG_PARSER_H

#include "keys.h"
#include "lines.h"
#include "pcilab/platform/machine.h"

/* One group. */
struct topo_item {
    enum topo_kind kind;
    const char *name;
    const struct topo_group_line *group;
    struct topo_values v;

    /* Placing: what it hangs at. Host bridges and [machine] have no parent. */
    struct topo_item *parent;
    unsigned parent_port;
    bool integrated;
    struct topo_item *bridge; /* at the top of its tree */

    /* Who hangs at its ports: a root port has one, a switch `downstream` of them. */
    struct topo_item *child[MACHINE_SWITCH_PORTS_MAX];
    /* Switch: the [switch-port] groups. */
    struct topo_item *port[MACHINE_SWITCH_PORTS_MAX];
    uint64_t port_slot[MACHINE_SWITCH_PORTS_MAX]; /* root port: the first */

    /* Host bridge. */
    struct topo_item *at_devfn[256];
    unsigned buses;

    unsigned depth; /* steps to the host bridge */
    unsigned index; /* in the description */
};

struct topo_parser {
    struct topo_lines lines;
    GPtrArray *items;               /* struct topo_item, in the order of the file; owned */
    struct topo_group_line implied; /* stands for the host bridge that the file leaves out */
};

bool topo_item_has(const struct topo_item *item, const char *key);
struct topo_item *topo_find(const struct topo_parser *parser, const char *name);

/* An error at a key of an item; key NULL: at the item's header. */
#define item_fail(parser, item, key_name, error, ...)                                              \
    topo_fail(error, (parser)->lines.file, topo_lines_of_key((item)->group, key_name),             \
              (item)->group->text, key_name, __VA_ARGS__)

/* Resolves names, refuses what cannot be, numbers devices and slots. */
bool topo_place_all(struct topo_parser *parser, GError **error);
/* The keys of an IOMMU are those of its face, which all have in common; a virtio-iommu is a
 * function on a root bus. True for everything else. */
bool topo_check_face(struct topo_parser *parser, struct topo_item *item, GError **error);
/* misbehave=, ats-cache= and ats-lacks= go with ats=yes. */
bool topo_check_ats(struct topo_parser *parser, struct topo_item *item, GError **error);
/* A window's first and last address as the description has it. */
struct machine_window topo_window(const uint64_t ends[2]);
/* The windows of host bridges are all said or none, and do not overlap. */
bool topo_check_windows(struct topo_parser *parser, GError **error);
/* The names of a list as written, NULL terminated; NULL stays NULL. */
char **topo_names(const char *text);
/* Who is in whose scope, and reserved memory has a unit; everything has been placed. */
bool topo_check_scopes(struct topo_parser *parser, GError **error);
/* Device numbers on the root buses, slot numbers, bus counts; the second half of placing. */
bool topo_number_all(struct topo_parser *parser, GError **error);
/* Reads the files that [shell] groups name into the description. */
bool topo_load_shells(struct topo_parser *parser, struct machine_desc *desc, GError **error);

#endif
