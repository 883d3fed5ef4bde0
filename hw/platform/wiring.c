/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page of wiring: from the components of a description to root complexes, ports, switches,
 * endpoints, links and disks. The only place that names concrete devices.
 */
#include <assert.h>
#include <string.h>

#include "board.h"
#include "echo.h"
#include "network.h"
#include "pcilab/base/bits.h"
#include "pcilab/endpoint/devices.h"
#include "pcilab/endpoint/shell.h"
#include "pcilab/endpoint/virtio_devices.h"
#include "pcilab/io/block.h"
#include "pcilab/io/p9.h"
#include "pcilab/switch/switch.h"

#define MAX_PAYLOAD_BYTES 512 /* CHOICE: what every port supports */
#define SLOT_POWER_WATTS  25

struct wiring {
    struct machine *machine;
    const struct machine_desc *desc;
    const struct machine_options *options;
};

/* Memory as the root complexes see it. */

static bool dma_read(void *opaque, uint64_t gpa, void *data, unsigned len)
{
    struct board_bridge *bridge = opaque;
    const void *from = ram_ptr(&bridge->machine->ram, gpa, len);

    if (from)
        memcpy(data, from, len);
    return from != NULL;
}

static bool dma_write(void *opaque, uint64_t gpa, const void *data, unsigned len)
{
    struct board_bridge *bridge = opaque;
    void *to = ram_ptr(&bridge->machine->ram, gpa, len);

    if (!to)
        return false;
    memcpy(to, data, len);
    cpu_group_ram_written(bridge->machine->cpus, gpa, len);
    return true;
}

static void dma_msi(void *opaque, uint64_t addr, uint32_t data)
{
    struct board_bridge *bridge = opaque;

    apic_deliver_msi(&bridge->machine->apics, addr, data);
}

/* Bridges with the same GSIs share the wires. */
static void dma_intx(void *opaque, unsigned line, bool level)
{
    struct board_bridge *bridge = opaque;
    struct machine *machine = bridge->machine;
    bool any = false;

    bridge->intx = (uint8_t)((bridge->intx & ~(1u << line)) | (unsigned)level << line);
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        if (machine->bridge[i].map.intx_gsi == bridge->map.intx_gsi)
            any = any || (machine->bridge[i].intx >> line & 1);
    }
    ioapic_set_line(&machine->ioapic, bridge->map.intx_gsi + line, any);
}

static const struct root_host_ops host_ops = {
    .mem_read = dma_read, .mem_write = dma_write, .msi = dma_msi, .intx = dma_intx};

/* Disks as the devices see them. */

static int storage_read(void *opaque, uint64_t offset, void *data, uint64_t len)
{
    return block_read(opaque, offset, data, len);
}

static int storage_write(void *opaque, uint64_t offset, const void *data, uint64_t len)
{
    return block_write(opaque, offset, data, len);
}

static int storage_zero(void *opaque, uint64_t offset, uint64_t len)
{
    return block_zero(opaque, offset, len);
}

static int storage_flush(void *opaque)
{
    return block_flush(opaque);
}

/* Address windows. */

/* A window that the description asks for is where the first segment's ECAM would be. */
static bool low_ecam_is_taken(const struct machine_desc *desc)
{
    bool taken = false;

    for (unsigned i = 0; i < desc->count; i++) {
        const struct machine_window *w = &desc->components[i].bridge.mem32;

        taken = taken || (desc->components[i].kind == MACHINE_HOST_BRIDGE && w->given && w->size &&
                          w->base + w->size > MAP_ECAM_BASE);
    }
    return taken;
}

/* ECAM of a segment: the first segment met lies below 4 GiB, the others above. */
static uint64_t ecam_base(const struct machine *machine, const struct machine_desc *desc,
                          uint16_t segment)
{
    unsigned segments = 0;

    for (unsigned i = 0; i < machine->bridge_count; i++) {
        const struct map_bridge *map = &machine->bridge[i].map;
        bool is_new = true;

        if (map->segment == segment)
            return map->ecam_base;
        for (unsigned j = 0; j < i; j++)
            is_new = is_new && machine->bridge[j].map.segment != map->segment;
        segments += is_new;
    }
    if (segments == 0)
        return low_ecam_is_taken(desc) ? MAP_ECAM_HIGH_END - MAP_ECAM_SIZE : MAP_ECAM_BASE;
    return MAP_ECAM_HIGH_BASE + (segments - 1) * MAP_ECAM_SIZE;
}

static void assign_windows(struct map_bridge *map, unsigned index, unsigned count)
{
    uint64_t mem32 = align_down((MAP_MMIO32_END - MAP_MMIO32_BASE) / count, 16 << 20);
    uint64_t io = align_down((MAP_BRIDGE_IO_END - MAP_BRIDGE_IO_BASE) / count, 0x1000);

    map->mem32_base = MAP_MMIO32_BASE + index * mem32;
    map->mem32_size = mem32;
    map->mem64_base = MAP_MMIO64_BASE + index * MAP_MMIO64_SIZE;
    map->mem64_size = MAP_MMIO64_SIZE;
    map->io_base = (uint32_t)(MAP_BRIDGE_IO_BASE + index * io);
    map->io_size = (uint32_t)io;
    map->intx_gsi = index % 2 ? MAP_INTX_GSI_ODD : MAP_INTX_GSI_EVEN;
}

/* What the description says goes first. */
static bool take_windows(const struct machine *machine, struct map_bridge *map,
                         const struct machine_component *c, GError **error)
{
    const struct machine_window *mem64 = &c->bridge.mem64;

    if (c->bridge.io.given) {
        map->io_base = (uint32_t)c->bridge.io.base;
        map->io_size = (uint32_t)c->bridge.io.size;
    }
    if (c->bridge.mem32.given) {
        map->mem32_base = c->bridge.mem32.base;
        map->mem32_size = c->bridge.mem32.size;
    }
    if (mem64->given) {
        map->mem64_base = mem64->base;
        map->mem64_size = mem64->size;
        /* As on most computers: Linux puts both kinds there. */
        map->mem64_all = true;
    }
    if (mem64->given && mem64->size && mem64->base < machine->ram.high_end) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                    "%s: mem64 begins at %" G_GINT64_MODIFIER
                    "x, and RAM ends at %" G_GINT64_MODIFIER "x",
                    c->name, mem64->base, machine->ram.high_end);
        return false;
    }
    return true;
}

static unsigned count_bridges(const struct machine_desc *desc)
{
    unsigned n = 0;

    for (unsigned i = 0; i < desc->count; i++)
        n += desc->components[i].kind == MACHINE_HOST_BRIDGE;
    return n;
}

/* Components. */

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
        .flr = type == PCIE_ENDPOINT || type == PCIE_RC_INTEGRATED_ENDPOINT,
        .ten_bit_tags = false,
    };
}

static struct pcie_params endpoint_params(const struct machine_component *c)
{
    return port_params(&c->port, c->integrated ? PCIE_RC_INTEGRATED_ENDPOINT : PCIE_ENDPOINT, 0);
}

static struct board_part *part_of(struct wiring *w, const struct machine_component *c)
{
    return &w->machine->part[c - w->desc->components];
}

static struct board_bridge *bridge_of(struct wiring *w, const struct machine_component *c)
{
    while (c->kind != MACHINE_HOST_BRIDGE) {
        assert(c->parent >= 0 && (unsigned)c->parent < w->desc->count);
        c = &w->desc->components[c->parent];
    }
    return part_of(w, c)->object;
}

/* The port that the component's link comes from. */
static struct port *parent_port(struct wiring *w, const struct machine_component *c)
{
    const struct machine_component *parent = &w->desc->components[c->parent];
    void *object = part_of(w, parent)->object;

    if (parent->kind == MACHINE_ROOT_PORT)
        return root_port_link(object);
    assert(parent->kind == MACHINE_SWITCH && c->parent_port < parent->sw.down_count);
    return pcie_switch_downstream(object, c->parent_port);
}

static bool wire_bridge(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct machine *machine = w->machine;
    unsigned index = machine->bridge_count;

    if (index == MAP_BRIDGES_MAX) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                    "%s: a machine has at most %u host bridges", c->name, MAP_BRIDGES_MAX);
        return false;
    }
    struct board_bridge *bridge = &machine->bridge[index];
    bridge->machine = machine;
    bridge->map.segment = c->bridge.segment;
    bridge->map.bus_first = c->bridge.bus_first;
    bridge->map.bus_last = c->bridge.bus_last;
    bridge->map.ecam_base = ecam_base(machine, w->desc, c->bridge.segment);
    assign_windows(&bridge->map, index, count_bridges(w->desc));
    if (!take_windows(machine, &bridge->map, c, error))
        return false;
    machine->bridge_count++;
    struct root_params params = {
        .name = c->name,
        .segment = c->bridge.segment,
        .bus_first = c->bridge.bus_first,
        .bus_last = c->bridge.bus_last,
        .hidden = c->bridge.hidden,
        .host = &host_ops,
        .opaque = bridge,
    };
    bridge->rc = root_complex_new(machine->fabric, &params);
    part_of(w, c)->object = bridge;
    return true;
}

static bool wire_iommu(struct wiring *w, const struct machine_component *c, GError **error)
{
    return board_iommu_create(w->machine, c, bridge_of(w, c)->map.segment, error);
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

    part_of(w, c)->object = root_port_add(bridge_of(w, c)->rc, &params);
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
    struct board_part *part = part_of(w, c);

    for (unsigned i = 0; i < c->sw.down_count; i++) {
        down[i].pcie = port_params(&c->sw.down[i], PCIE_DOWNSTREAM_PORT, i + 1);
        down[i].msi = c->sw.down[i].msi;
    }
    part->object = pcie_switch_new(w->machine->fabric, &params);
    part->link =
        board_connect_link(w->desc, c, parent_port(w, c), pcie_switch_upstream(part->object));
    return true;
}

static void connect_endpoint(struct wiring *w, const struct machine_component *c)
{
    struct board_part *part = part_of(w, c);
    struct port *port = endpoint_port(part->object);

    if (c->integrated)
        root_integrate(bridge_of(w, c)->rc, port, c->device);
    else
        part->link = board_connect_link(w->desc, c, parent_port(w, c), port);
}

static struct block_image *find_disk(const struct machine_options *options, const char *name)
{
    for (unsigned i = 0; i < options->disk_count; i++) {
        if (strcmp(options->disks[i].name, name) == 0)
            return options->disks[i].image;
    }
    return NULL;
}

static bool no_room(const struct machine_component *c, uint64_t bytes, GError **error)
{
    char *size = g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS);

    g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_MEMORY,
                "%s: this host has no room for %s of memory; make it smaller", c->name, size);
    g_free(size);
    return false;
}

/* The disk that was given, or a scratch image. */
static bool open_storage(struct wiring *w, const struct machine_component *c,
                         uint64_t scratch_bytes, struct nvme_storage *storage, GError **error)
{
    struct board_part *part = part_of(w, c);

    part->image = find_disk(w->options, c->name);
    part->image_owned = !part->image;
    if (!part->image)
        part->image = block_new_memory(scratch_bytes);
    if (!part->image)
        return no_room(c, scratch_bytes, error);
    *storage = (struct nvme_storage){
        .size_bytes = block_size_bytes(part->image),
        .read_only = block_read_only(part->image),
        .read = storage_read,
        .write = storage_write,
        .zero = storage_zero,
        .flush = storage_flush,
        .opaque = part->image,
    };
    return true;
}

static bool wire_nvme(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct board_part *part = part_of(w, c);
    struct nvme_params params = {
        .name = c->name,
        .serial = c->nvme.serial,
        .io_queues = c->nvme.queues,
        .pcie = endpoint_params(c),
    };

    if (!open_storage(w, c, c->nvme.size_bytes, &params.storage, error))
        return false;
    part->object = nvme_new(w->machine->fabric, &params);
    connect_endpoint(w, c);
    return true;
}

static bool wire_exerciser(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct exerciser_params params = {
        .name = c->name,
        .functions = c->exerciser.functions,
        .msix_vectors = c->exerciser.msix_vectors,
        .msi_vectors = c->exerciser.msi_vectors,
        .mem_bytes = c->exerciser.mem_bytes,
        .no_io = c->exerciser.no_io,
        .vfs = c->exerciser.vfs,
        .vf_mem_bytes = c->exerciser.vf_mem_bytes,
        .pcie = endpoint_params(c),
    };

    part_of(w, c)->object = exerciser_new(w->machine->fabric, &params);
    if (!part_of(w, c)->object)
        return no_room(c, params.functions * params.mem_bytes, error);
    connect_endpoint(w, c);
    return true;
}

static bool wire_virtio_rng(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct virtio_rng_params params = {
        .name = c->name,
        .packed = c->virtio.packed,
        .pcie = endpoint_params(c),
    };

    part_of(w, c)->object = virtio_rng_new(w->machine->fabric, &params);
    connect_endpoint(w, c);
    return true;
}

static bool wire_virtio_blk(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct virtio_blk_params params = {
        .name = c->name,
        .serial = c->virtio.serial,
        .queues = c->virtio.queues,
        .packed = c->virtio.packed,
        .pcie = endpoint_params(c),
    };

    if (!open_storage(w, c, c->virtio.size_bytes, &params.storage, error))
        return false;
    part_of(w, c)->object = virtio_blk_new(w->machine->fabric, &params);
    connect_endpoint(w, c);
    return true;
}

static const struct machine_virtio_console *find_console(const struct machine_options *options,
                                                         const char *name)
{
    for (unsigned i = 0; i < options->virtio_console_count; i++) {
        if (strcmp(options->virtio_consoles[i].name, name) == 0)
            return &options->virtio_consoles[i];
    }
    return NULL;
}

static bool wire_virtio_console(struct wiring *w, const struct machine_component *c, GError **error)
{
    const struct machine_virtio_console *host = find_console(w->options, c->name);
    struct board_part *part = part_of(w, c);
    struct virtio_console_port ports[ECHO_PORTS];
    struct virtio_console_params params = {
        .name = c->name,
        .packed = c->virtio.packed,
        .pcie = endpoint_params(c),
    };

    if (host) {
        params.ports = host->ports;
        params.port_count = host->port_count;
        params.columns = host->columns;
        params.rows = host->rows;
    } else {
        part->echo = echo_new(ports);
        params.ports = ports;
        params.port_count = ECHO_PORTS;
    }
    part->console = virtio_console_new(w->machine->fabric, &params);
    if (part->echo)
        echo_attach(part->echo, part->console);
    part->object = virtio_console_endpoint(part->console);
    connect_endpoint(w, c);
    return true;
}

/* The file server as a virtio-9p sees it. */

static uint32_t files_handle(void *opaque, const uint8_t *request, uint32_t len, uint8_t *reply,
                             uint32_t capacity)
{
    return p9_server_handle(opaque, request, len, reply, capacity);
}

static void files_reset(void *opaque)
{
    p9_server_reset(opaque);
}

static bool wire_virtio_9p(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct p9_config config = {
        .path = c->p9.path,
        .writable = !c->p9.read_only,
        .rw = (const char *const *)c->p9.rw,
    };
    struct board_part *part = part_of(w, c);
    GError *cause = NULL;

    part->files = p9_server_new(&config, &cause);
    if (!part->files) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE, "%s: %s", c->name, cause->message);
        g_error_free(cause);
        return false;
    }
    struct virtio_p9_params params = {
        .name = c->name,
        .tag = c->p9.tag,
        .server = {.msize_bytes = P9_MSIZE_MAX,
                   .handle = files_handle,
                   .reset = files_reset,
                   .opaque = part->files},
        .packed = c->virtio.packed,
        .pcie = endpoint_params(c),
    };
    part->object = virtio_p9_new(w->machine->fabric, &params);
    connect_endpoint(w, c);
    return true;
}

static bool wire_virtio_net(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct board_part *part = part_of(w, c);
    unsigned index = 0;
    struct virtio_net_params params = {
        .name = c->name,
        .packed = c->virtio.packed,
        .pcie = endpoint_params(c),
    };

    for (const struct machine_component *o = w->desc->components; o < c; o++)
        index += o->kind == MACHINE_VIRTIO_NET;
    part->network = network_new(&w->machine->sim, c, error);
    if (!part->network)
        return false;
    network_fill_params(part->network, c, index, &params);
    struct virtio_net *device = virtio_net_new(w->machine->fabric, &params);
    network_attach(part->network, device);
    part->object = virtio_net_endpoint(device);
    connect_endpoint(w, c);
    return true;
}

static bool wire_shell(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct root_complex *rc = bridge_of(w, c)->rc;
    struct shell_params params = {
        .name = c->name,
        .bus = w->desc->components[c->parent].bridge.bus_first,
        .device = c->device,
        .funcs = c->shell.funcs,
        .count = c->shell.count,
        .memory = c->shell.memory,
    };

    part_of(w, c)->object = shell_new(w->machine->fabric, &params);
    root_integrate(rc, shell_port(part_of(w, c)->object), c->device);
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
        if (machine->part[i].link)
            touch_init(&machine->part[i], c, parent_port(&w, c));
    }
    board_iommu_connect(machine);
    return true;
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
