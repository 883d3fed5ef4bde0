/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page of wiring: from the components of a description to root complexes, ports, switches,
 * endpoints, links and disks. With its sisters wiring_*.c the only place that names concrete
 * devices.
 */
#include <assert.h>
#include <string.h>

#include "apei.h"
#include "echo.h"
#include "network.h"
#include "pcilab/endpoint/devices.h"
#include "pcilab/endpoint/shell.h"
#include "pcilab/io/block.h"
#include "pcilab/io/p9.h"
#include "pcilab/switch/switch.h"
#include "wiring.h"

#define MAX_PAYLOAD_BYTES 512 /* CHOICE: what every port supports */
#define SLOT_POWER_WATTS  25

static struct pcie_params port_params(const struct machine_port_desc *port,
                                      enum pcie_port_type type, unsigned number)
{
    return (struct pcie_params){
        .type = type,
        .max_speed = port->speed,
        .max_width = port->width,
        .port_number = (uint8_t)number,
        .max_payload_bytes = MAX_PAYLOAD_BYTES,
        .slot = port->slot,
        .slot_number = port->slot_number,
        .hotplug = port->hotplug,
        .slot_power_watts = SLOT_POWER_WATTS,
        .ari_forwarding = port->ari,
        .no_acs = port->no_acs,
        .acs_basic = port->acs_basic,
        .dpc = port->dpc,
        .dpc_busy_ps = port->dpc_busy_ps,
        .readiness = port->readiness,
        .no_atomics = port->no_atomics,
        .no_prefixes = port->no_prefixes,
        .flr = type == PCIE_ENDPOINT || type == PCIE_RC_INTEGRATED_ENDPOINT,
        .ten_bit_tags = false,
        .power = port->power,
    };
}

struct pcie_params wiring_endpoint_params(const struct machine_component *c)
{
    struct pcie_params params =
        port_params(&c->port, c->integrated ? PCIE_RC_INTEGRATED_ENDPOINT : PCIE_ENDPOINT, 0);

    params.collected = c->collected;
    return params;
}

struct board_part *wiring_part(struct wiring *w, const struct machine_component *c)
{
    return &w->machine->part[c - w->desc->components];
}

struct board_bridge *wiring_bridge(struct wiring *w, const struct machine_component *c)
{
    while (c->kind != MACHINE_HOST_BRIDGE) {
        assert(c->parent >= 0 && (unsigned)c->parent < w->desc->count);
        c = &w->desc->components[c->parent];
    }
    return wiring_part(w, c)->object;
}

/* The port that the component's link comes from. */
static struct port *parent_port(struct wiring *w, const struct machine_component *c)
{
    const struct machine_component *parent = &w->desc->components[c->parent];
    void *object = wiring_part(w, parent)->object;

    if (parent->kind == MACHINE_ROOT_PORT)
        return root_port_link(object);
    assert(parent->kind == MACHINE_SWITCH && c->parent_port < parent->sw.down_count);
    return pcie_switch_downstream(object, c->parent_port);
}

static bool wire_iommu(struct wiring *w, const struct machine_component *c, GError **error)
{
    return board_iommu_create(w->machine, c, wiring_bridge(w, c)->map.segment, error);
}

static bool wire_root_port(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct root_port_params params = {
        .name = c->name,
        .device = c->device,
        .function = c->function,
        .pcie = port_params(&c->port, PCIE_ROOT_PORT, c->device * 8u + c->function),
        .msi = c->port.msi,
    };

    wiring_part(w, c)->object = root_port_add(wiring_bridge(w, c)->rc, &params);
    return true;
}

static bool wire_switch(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct switch_port_params down[MACHINE_SWITCH_PORTS_MAX];
    struct switch_params params = {
        .name = c->name,
        .up = {.pcie = port_params(&c->port, PCIE_UPSTREAM_PORT, 0), .msi = c->port.msi},
        .down_count = c->sw.down_count,
        .down = down,
    };
    struct board_part *part = wiring_part(w, c);

    for (unsigned i = 0; i < c->sw.down_count; i++) {
        down[i].pcie = port_params(&c->sw.down[i], PCIE_DOWNSTREAM_PORT, i + 1);
        down[i].msi = c->sw.down[i].msi;
    }
    part->object = pcie_switch_new(w->machine->fabric, &params);
    part->link =
        board_connect_link(w->desc, c, parent_port(w, c), pcie_switch_upstream(part->object));
    return true;
}

void wiring_connect_endpoint(struct wiring *w, const struct machine_component *c)
{
    struct board_part *part = wiring_part(w, c);
    struct port *port = endpoint_port(part->object);

    endpoint_misbehave(part->object, &c->misbehave);
    endpoint_set_ats_options(part->object, &c->ats_options);
    if (c->immediate_readiness)
        endpoint_set_ready_at_once(part->object);
    if (c->integrated)
        root_integrate(wiring_bridge(w, c)->rc, port, c->device);
    else
        part->link = board_connect_link(w->desc, c, parent_port(w, c), port);
}

static bool wire_shell(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct root_complex *rc = wiring_bridge(w, c)->rc;
    struct shell_params params = {
        .name = c->name,
        .bus = w->desc->components[c->parent].bridge.bus_first,
        .device = c->device,
        .funcs = c->shell.funcs,
        .count = c->shell.count,
        .memory = c->shell.memory,
    };

    wiring_part(w, c)->object = shell_new(w->machine->fabric, &params);
    root_integrate(rc, shell_port(wiring_part(w, c)->object), c->device);
    return true;
}

static void free_shell(void *object)
{
    shell_free(object);
}

static void reset_shell(void *object)
{
    shell_reset(object);
}

static void free_switch(void *object)
{
    pcie_switch_free(object);
}

static void reset_switch(void *object)
{
    pcie_switch_reset(object);
}

static void free_endpoint(void *object)
{
    endpoint_free(object);
}

static void reset_endpoint(void *object)
{
    endpoint_reset(object);
}

/* Host bridges and root ports live and die with their root complex. */
static const struct {
    bool (*wire)(struct wiring *w, const struct machine_component *c, GError **error);
    void (*free)(void *object);
    void (*reset)(void *object);
} kinds[MACHINE_KIND_COUNT] = {
    [MACHINE_HOST_BRIDGE] = {.wire = wire_bridge},
    [MACHINE_IOMMU] = {.wire = wire_iommu},
    [MACHINE_VIRTIO_IOMMU] = {wire_viommu, board_viommu_free, board_viommu_reset},
    [MACHINE_SHELL] = {.wire = wire_shell, .free = free_shell, .reset = reset_shell},
    [MACHINE_ROOT_PORT] = {.wire = wire_root_port},
    [MACHINE_SWITCH] = {.wire = wire_switch, .free = free_switch, .reset = reset_switch},
    [MACHINE_NVME] = {.wire = wire_nvme, .free = free_endpoint, .reset = reset_endpoint},
    [MACHINE_EXERCISER] = {.wire = wire_exerciser, .free = free_endpoint, .reset = reset_endpoint},
    [MACHINE_VIRTIO_RNG] = {wire_virtio_rng, free_endpoint, reset_endpoint},
    [MACHINE_VIRTIO_BLK] = {wire_virtio_blk, free_endpoint, reset_endpoint},
    [MACHINE_VIRTIO_CONSOLE] = {wire_virtio_console, free_endpoint, reset_endpoint},
    [MACHINE_VIRTIO_9P] = {wire_virtio_9p, free_endpoint, reset_endpoint},
    [MACHINE_VIRTIO_NET] = {wire_virtio_net, free_endpoint, reset_endpoint},
    [MACHINE_IGB] = {wire_igb, free_endpoint, reset_endpoint},
    [MACHINE_DSA] = {wire_dsa, free_endpoint, reset_endpoint},
};

static bool check_disks(const struct wiring *w, GError **error)
{
    for (unsigned i = 0; i < w->options->disk_count; i++) {
        const char *name = w->options->disks[i].name;
        int index = machine_desc_find(w->desc, name);

        if (index >= 0 && machine_kind_has_disk(w->desc->components[index].kind))
            continue;
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT, "--disk %s: %s", name,
                    index < 0 ? "the topology has no component of this name"
                              : "this component takes no disk");
        return false;
    }
    return true;
}

bool wiring_create(struct machine *machine, const struct machine_desc *desc,
                   const struct machine_options *options, GError **error)
{
    struct wiring w = {.machine = machine, .desc = desc, .options = options};

    machine->fabric = fabric_new(&machine->sim, &machine->trace);
    machine->part = g_new0(struct board_part, desc->count);
    if (!check_disks(&w, error))
        return false;
    for (unsigned i = 0; i < desc->count; i++) {
        const struct machine_component *c = &desc->components[i];

        machine->part[i].kind = c->kind;
        machine->part[i].name = g_strdup(c->name);
        machine->part_count = i + 1;
        if (!kinds[c->kind].wire(&w, c, error))
            return false;
        machine->part[i].bridge = wiring_bridge(&w, c);
        if (machine->part[i].link)
            touch_init(&machine->part[i], c, parent_port(&w, c));
    }
    board_viommu_connect(machine);
    return board_iommu_connect(machine, desc, error) && apei_create(machine, desc, error);
}

void wiring_destroy(struct machine *machine)
{
    board_iommu_destroy(machine);
    for (unsigned i = 0; i < machine->part_count; i++) {
        if (machine->part[i].link)
            link_free(machine->part[i].link);
    }
    for (unsigned i = machine->part_count; i-- > 0;) {
        struct board_part *part = &machine->part[i];

        if (kinds[part->kind].free && part->object)
            kinds[part->kind].free(part->object);
        if (part->image_owned)
            block_free(part->image);
        echo_free(part->echo);
        p9_server_free(part->files);
        network_free(part->network);
        g_free(part->name);
    }
    for (unsigned i = 0; i < machine->bridge_count; i++)
        root_complex_free(machine->bridge[i].rc);
    g_free(machine->part);
    if (machine->fabric)
        fabric_free(machine->fabric);
}

struct virtio_console *machine_virtio_console(struct machine *machine, const char *name)
{
    for (unsigned i = 0; i < machine->part_count; i++) {
        if (machine->part[i].console && strcmp(machine->part[i].name, name) == 0)
            return machine->part[i].console;
    }
    return NULL;
}

const char *machine_files_failed(const struct machine *machine, unsigned *next, int *err)
{
    while (*next < machine->part_count) {
        const struct board_part *part = &machine->part[(*next)++];

        *err = part->files ? p9_server_host_error(part->files) : 0;
        if (*err)
            return part->name;
    }
    return NULL;
}

void wiring_reset(struct machine *machine)
{
    board_iommu_reset(machine);
    for (unsigned i = 0; i < machine->bridge_count; i++)
        root_complex_reset(machine->bridge[i].rc);
    for (unsigned i = 0; i < machine->part_count; i++) {
        struct board_part *part = &machine->part[i];

        if (kinds[part->kind].reset)
            kinds[part->kind].reset(part->object);
    }
}
