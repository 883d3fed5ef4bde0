/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device scopes (VT-d 4.1, 8.3.1). */
#include "iommu_scope.h"

#include <string.h>

#include "board.h"
#include "pcilab/base/bits.h"
#include "pcilab/switch/switch.h"

#define SCOPE_BYTES    6 /* before the path */
#define PATH_MAX_STEPS 124

/* Finds the component, and the number of the downstream port in "sw0.1" (-1: none is named). */
static const struct machine_component *find_named(const struct machine_desc *desc, const char *name,
                                                  int *port)
{
    const char *dot = strchr(name, '.');
    char *bare = g_strndup(name, dot ? (gsize)(dot - name) : strlen(name));
    int index = machine_desc_find(desc, bare);

    *port = dot ? (int)g_ascii_strtoull(dot + 1, NULL, 10) : -1;
    g_free(bare);
    return index < 0 ? NULL : &desc->components[index];
}

/* Steps are collected from below and turned around. */
struct way {
    const struct machine *machine;
    const struct machine_desc *desc;
    uint8_t step[PATH_MAX_STEPS];
    unsigned steps;
};

static bool way_add(struct way *way, unsigned devfn)
{
    if (way->steps == PATH_MAX_STEPS)
        return false;
    way->step[way->steps++] = (uint8_t)devfn;
    return true;
}

static void *object_of(const struct way *way, const struct machine_component *c)
{
    return way->machine->part[c - way->desc->components].object;
}

/* The function of a bridge: of the root port, or of a switch's port. */
static struct pci_func *bridge_func(const struct way *way, const struct machine_component *c,
                                    int port)
{
    return c->kind == MACHINE_ROOT_PORT ? root_port_func(object_of(way, c))
                                        : pcie_switch_func(object_of(way, c), port);
}

static bool way_up(struct way *way, const struct machine_component *c, int port,
                   struct board_scope *scope)
{
    const struct board_bridge *root;
    bool ok = true;

    for (; c->kind != MACHINE_HOST_BRIDGE; c = &way->desc->components[c->parent]) {
        if (c->kind == MACHINE_SWITCH && port >= 0)
            ok = ok && way_add(way, (unsigned)port << 3);
        ok = ok && way_add(way, c->kind == MACHINE_ROOT_PORT || c->integrated
                                    ? c->device << 3 | c->function
                                    : 0);
        port = (int)c->parent_port;
    }
    root = object_of(way, c);
    scope->segment = root->map.segment;
    scope->bus = root->map.bus_first;
    return ok;
}

static unsigned functions_of(const struct machine_component *c)
{
    return c->kind == MACHINE_EXERCISER ? c->exerciser.functions : 1;
}

static struct pci_func *port_above(const struct way *way, const struct machine_component *c)
{
    const struct machine_component *parent = &way->desc->components[c->parent];

    return c->integrated ? NULL : bridge_func(way, parent, (int)c->parent_port);
}

static void append(struct board_scopes *scopes, const struct board_scope *scope)
{
    scopes->list = g_renew(struct board_scope, scopes->list, scopes->count + 1);
    scopes->list[scopes->count++] = *scope;
}

bool board_scopes_add(struct board_scopes *scopes, struct machine *machine,
                      const struct machine_desc *desc, const char *name)
{
    struct way way = {.machine = machine, .desc = desc};
    struct board_scope scope = {.type = SCOPE_IOAPIC};
    const struct machine_component *c;
    int port;

    if (strcmp(name, MACHINE_SCOPE_IOAPIC) == 0) {
        append(scopes, &scope);
        return true;
    }
    c = find_named(desc, name, &port);
    if (!c || c->kind == MACHINE_HOST_BRIDGE || c->kind == MACHINE_IOMMU ||
        c->kind == MACHINE_SHELL)
        return false;
    if (port >= 0 && (c->kind != MACHINE_SWITCH || (unsigned)port >= c->sw.down_count))
        return false;
    scope.type =
        c->kind == MACHINE_ROOT_PORT || c->kind == MACHINE_SWITCH ? SCOPE_BRIDGE : SCOPE_ENDPOINT;
    if (!way_up(&way, c, port, &scope))
        return false;
    scope.nearest = scope.type == SCOPE_BRIDGE ? bridge_func(&way, c, port) : port_above(&way, c);
    scope.functions = functions_of(c);
    scope.depth = way.steps;
    scope.path = g_malloc(way.steps);
    for (unsigned i = 0; i < way.steps; i++)
        scope.path[i] = way.step[way.steps - 1 - i];
    append(scopes, &scope);
    return true;
}

void board_scopes_clear(struct board_scopes *scopes)
{
    for (unsigned i = 0; i < scopes->count; i++)
        g_free(scopes->list[i].path);
    g_clear_pointer(&scopes->list, g_free);
    scopes->count = 0;
}

bool board_scopes_have_ioapic(const struct board_scopes *scopes)
{
    bool have = false;

    for (unsigned i = 0; i < scopes->count; i++)
        have = have || scopes->list[i].type == SCOPE_IOAPIC;
    return have;
}

static bool bus_behind(const struct pci_func *bridge, unsigned bus)
{
    const struct pci_bridge_windows *windows = &bridge->windows;

    return windows->secondary && bus >= windows->secondary && bus <= windows->subordinate;
}

/*
 * A port has one device: whatever comes with a bus number behind it is that device's, Virtual
 * Functions among it, which are in the scope of their Physical Function (VT-d 4.1, 8.3).
 */
static bool scope_matches(const struct board_scope *scope, unsigned sid)
{
    if (!scope->nearest)
        return sid >> 8 == scope->bus && (sid & 0xff) >> 3 == scope->path[0] >> 3;
    return bus_behind(scope->nearest, sid >> 8) ||
           (scope->type == SCOPE_BRIDGE && sid == scope->nearest->rid.v);
}

bool board_scopes_match(const struct board_scopes *scopes, uint16_t segment, uint16_t sid)
{
    for (unsigned i = 0; i < scopes->count; i++) {
        const struct board_scope *scope = &scopes->list[i];

        if (scope->type != SCOPE_IOAPIC && scope->segment == segment && scope_matches(scope, sid))
            return true;
    }
    return false;
}

static void describe(uint8_t type, uint8_t id, uint8_t bus, const uint8_t *path, unsigned depth,
                     unsigned function, GByteArray *out)
{
    uint8_t head[SCOPE_BYTES] = {type, (uint8_t)(SCOPE_BYTES + 2 * depth), 0, 0, id, bus};

    g_byte_array_append(out, head, sizeof(head));
    for (unsigned i = 0; i < depth; i++) {
        uint8_t step[2] = {path[i] >> 3, path[i] & 7};

        if (i + 1 == depth)
            step[1] = (uint8_t)(step[1] + function);
        g_byte_array_append(out, step, sizeof(step));
    }
}

void board_scopes_describe(const struct board_scopes *scopes, GByteArray *out)
{
    static const uint8_t ioapic = MAP_IOAPIC_RID & 0xff;

    for (unsigned i = 0; i < scopes->count; i++) {
        const struct board_scope *scope = &scopes->list[i];

        if (scope->type == SCOPE_IOAPIC)
            describe(scope->type, 0, MAP_IOAPIC_RID >> 8, &ioapic, 1, 0, out);
        for (unsigned j = 0; j < scope->functions; j++)
            describe(scope->type, 0, scope->bus, scope->path, scope->depth, j, out);
    }
}
