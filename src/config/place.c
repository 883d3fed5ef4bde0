/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Placing: names become parents, and what cannot be plugged together is refused. */
#include <string.h>

#include "parser.h"
#include "pcilab/config/units.h"

/* The parser's names, as candidates for "did you mean". */
static const char *nearest_name(const struct topo_parser *parser, const char *text)
{
    const char **names = g_new0(const char *, parser->items->len + 1);
    unsigned count = 0;

    for (unsigned i = 0; i < parser->items->len; i++) {
        const struct topo_item *item = parser->items->pdata[i];
        if (item->kind != TOPO_MACHINE && item->kind != TOPO_SWITCH_PORT) {
            names[count++] = item->name;
        }
    }
    const char *near = units_nearest(text, names, count);
    g_free(names);
    return near;
}

/* "sw0.1": the switch and the port's number. */
static struct topo_item *find_switch_port(struct topo_parser *parser, struct topo_item *from,
                                          const char *key, const char *text, unsigned *port,
                                          GError **error)
{
    const char *dot = strchr(text, '.');
    char *name = g_strndup(text, dot ? (gsize)(dot - text) : strlen(text));
    struct topo_item *sw = topo_find(parser, name);
    const char *near = sw ? NULL : nearest_name(parser, name);
    uint64_t number = 0;

    if (!sw) {
        item_fail(parser, from, key, error, "there is no \"%s\"%s%s%s", name,
                  near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    } else if (sw->kind != TOPO_SWITCH) {
        item_fail(parser, from, key, error,
                  "%s is a %s and has no numbered ports; only switches have", name,
                  topo_kinds[sw->kind].name);
        sw = NULL;
    } else if (!dot) {
        item_fail(parser, from, key, error, "%s is a switch; name one of its ports, %s.0 to %s.%u",
                  name, name, name, (unsigned)sw->v.downstream - 1);
        sw = NULL;
    } else if (!g_ascii_isdigit(dot[1]) || (dot[1] == '0' && dot[2]) || strlen(dot) > 3 ||
               !units_parse_uint(dot + 1, &number) || number >= sw->v.downstream) {
        item_fail(parser, from, key, error, "%s has no port \"%s\"; it has %s.0 to %s.%u", name,
                  dot + 1, name, name, (unsigned)sw->v.downstream - 1);
        sw = NULL;
    }
    *port = (unsigned)number;
    g_free(name);
    return sw;
}

static bool place_switch_port(struct topo_parser *parser, struct topo_item *item, GError **error)
{
    unsigned port;
    struct topo_item *sw = find_switch_port(parser, item, NULL, item->name, &port, error);

    if (sw) {
        sw->port[port] = item;
    }
    return sw != NULL;
}

static bool place_root_port(struct topo_parser *parser, struct topo_item *item, GError **error)
{
    struct topo_item *only = NULL;
    unsigned bridges = 0;

    for (unsigned i = 0; i < parser->items->len; i++) {
        struct topo_item *other = parser->items->pdata[i];
        if (other->kind == TOPO_HOST_BRIDGE) {
            only = other;
            bridges++;
        }
    }
    if (!item->v.at) {
        if (bridges > 1) {
            item_fail(parser, item, "bridge", error,
                      "is missing; with %u host bridges every %s says which", bridges,
                      topo_kinds[item->kind].name);
            return false;
        }
        item->parent = only;
        return true;
    }
    struct topo_item *bridge = topo_find(parser, item->v.at);
    if (!bridge || bridge->kind != TOPO_HOST_BRIDGE) {
        const char *near = bridge ? NULL : nearest_name(parser, item->v.at);
        item_fail(parser, item, "bridge", error, "%s \"%s\"%s%s%s",
                  bridge ? "this is no host bridge:" : "there is no", item->v.at,
                  near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        return false;
    }
    item->parent = bridge;
    return true;
}

/* There is one, implied if need be. */
static struct topo_item *first_bridge(const struct topo_parser *parser)
{
    struct topo_item *item = NULL;

    for (unsigned i = 0; i < parser->items->len; i++) {
        item = parser->items->pdata[i];
        if (item->kind == TOPO_HOST_BRIDGE) {
            break;
        }
    }
    return item;
}

/* A switch or an endpoint: at a root port, a switch port, or (endpoints) a host bridge. */
static bool place_plugged(struct topo_parser *parser, struct topo_item *item, GError **error)
{
    struct topo_item *at = item->v.at ? topo_find(parser, item->v.at) : first_bridge(parser);

    if (!at || at->kind == TOPO_SWITCH || at->kind == TOPO_SWITCH_PORT) {
        at = find_switch_port(parser, item, "at", item->v.at, &item->parent_port, error);
        if (!at) {
            return false;
        }
    } else if (at->kind == TOPO_HOST_BRIDGE) {
        if (item->kind == TOPO_SWITCH) {
            item_fail(parser, item, "at", error,
                      "%s is a host bridge; a switch needs a root port or a switch port", at->name);
            return false;
        }
        item->integrated = true;
        item->parent = at;
        return true;
    } else if (at->kind != TOPO_ROOT_PORT) {
        item_fail(parser, item, "at", error, "%s is an %s; nothing can be plugged into it",
                  at->name, topo_kinds[at->kind].name);
        return false;
    }
    struct topo_item **place = &at->child[item->parent_port];
    if (*place) {
        item_fail(parser, item, "at", error, "%s is taken by %s (line %u)", item->v.at,
                  (*place)->name, (*place)->group->line);
        return false;
    }
    *place = item;
    item->parent = at;
    return true;
}

/* A wire has no host behind it. */
static bool check_wire(struct topo_parser *parser, const struct topo_item *item, GError **error)
{
    static const char *const host_keys[] = {"forward", "restrict"};

    for (unsigned i = 0; item->v.wire && i < G_N_ELEMENTS(host_keys); i++) {
        if (topo_item_has(item, host_keys[i])) {
            item_fail(parser, item, host_keys[i], error,
                      "a card on a wire has no network of the host; leave it or wire= out");
            return false;
        }
    }
    return true;
}

static bool check_link_keys(struct topo_parser *parser, const struct topo_item *item,
                            GError **error)
{
    if (item->integrated) {
        static const char *const link_keys[] = {"speed",
                                                "width",
                                                "timing",
                                                "propagation-ns",
                                                "training-ms",
                                                "bit-error-rate",
                                                "faults",
                                                "buffers",
                                                "aspm",
                                                "readiness",
                                                "l0s-exit-ns",
                                                "l1-exit-us",
                                                "t-power-on-us",
                                                "common-mode-us",
                                                "l0s-acceptable-ns",
                                                "l1-acceptable-us",
                                                "ltr"};
        for (unsigned i = 0; i < G_N_ELEMENTS(link_keys); i++) {
            if (item->kind != TOPO_IOMMU && topo_item_has(item, link_keys[i])) {
                item_fail(parser, item, link_keys[i], error,
                          "an endpoint integrated on a host bridge has no link; leave it out");
                return false;
            }
        }
        if (((item->kind == TOPO_EXERCISER || item->kind == TOPO_NVME) && item->v.vfs) ||
            (item->kind == TOPO_IGB && topo_item_has(item, "vfs") && item->v.vfs)) {
            item_fail(parser, item, "vfs", error,
                      "Virtual Functions need a port above them; plug the %s into one",
                      topo_kinds[item->kind].name);
            return false;
        }
    } else if (item->kind != TOPO_ROOT_PORT && topo_item_has(item, "device")) {
        item_fail(parser, item, "device", error,
                  "only what is on a root bus has a number of its own; behind a port it is 0");
        return false;
    }
    return true;
}

/* 7.8.10: a port with a queue of FRS messages tells of them by MSI. */
static bool check_readiness(struct topo_parser *parser, const struct topo_item *item,
                            GError **error)
{
    if (item->kind != TOPO_ROOT_PORT || !item->v.readiness || item->v.msi)
        return true;
    item_fail(parser, item, "readiness", error,
              "a root port with it needs MSI; take msi=no away, or this");
    return false;
}

/* Walks up to the host bridge; a walk longer than the file is a cycle. */
static bool find_bridge(struct topo_parser *parser, struct topo_item *item, GError **error)
{
    struct topo_item *top = item;

    for (item->depth = 0; top->parent; item->depth++) {
        top = top->parent;
        if (item->depth > parser->items->len) {
            GString *way = g_string_new(item->name);
            struct topo_item *step = item;
            for (unsigned i = 0; i < 8 && (i == 0 || step != item); i++) {
                step = step->parent;
                g_string_append_printf(way, " -> %s", step->name);
            }
            item_fail(parser, item, "at", error, "a cycle that never reaches a root port: %s%s",
                      way->str, step == item ? "" : " ...");
            g_string_free(way, TRUE);
            return false;
        }
    }
    item->bridge = top;
    return true;
}

static bool place_shell(struct topo_parser *parser, struct topo_item *item, GError **error)
{
    struct topo_item *bridge = topo_find(parser, item->v.at);

    if (!bridge || bridge->kind != TOPO_HOST_BRIDGE) {
        item_fail(parser, item, "at", error, "\"%s\" is no host bridge", item->v.at);
        return false;
    }
    if (item->v.device == 0 && bridge->v.visible) {
        item_fail(parser, item, "device", error,
                  "00.0 is the host bridge %s itself; give that visible=no, or this another number",
                  bridge->name);
        return false;
    }
    item->parent = bridge;
    item->integrated = true;
    return true;
}

bool topo_place_all(struct topo_parser *parser, GError **error)
{
    for (unsigned i = 0; i < parser->items->len; i++) {
        struct topo_item *item = parser->items->pdata[i];
        bool ok = true;
        switch (item->kind) {
        case TOPO_SWITCH_PORT: ok = place_switch_port(parser, item, error); break;
        case TOPO_IOMMU:
        case TOPO_ROOT_PORT: ok = place_root_port(parser, item, error); break;
        case TOPO_SHELL: ok = place_shell(parser, item, error); break;
        case TOPO_SWITCH:
        case TOPO_NVME:
        case TOPO_EXERCISER:
        case TOPO_VIRTIO_RNG:
        case TOPO_VIRTIO_BLK:
        case TOPO_VIRTIO_CONSOLE:
        case TOPO_VIRTIO_NET:
        case TOPO_IGB:
        case TOPO_DSA:
        case TOPO_VIRTIO_9P: ok = place_plugged(parser, item, error); break;
        default: break;
        }
        if (!ok || !topo_check_face(parser, item, error) || !topo_check_ats(parser, item, error) ||
            !check_link_keys(parser, item, error) || !check_wire(parser, item, error) ||
            !check_readiness(parser, item, error)) {
            return false;
        }
    }
    for (unsigned i = 0; i < parser->items->len; i++) {
        if (!find_bridge(parser, parser->items->pdata[i], error)) {
            return false;
        }
    }
    return topo_check_scopes(parser, error);
}
