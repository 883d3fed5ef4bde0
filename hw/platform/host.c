/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host side of the machine: where an access of a processor goes. Registers of the board answer
 * at once; everything of PCI becomes a request to a root complex and is over when that says so;
 * holes read all ones.
 */
#include <assert.h>
#include <string.h>

#include "board.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

static bool access_is_write(const struct cpu_access *access)
{
    return access->kind == CPU_MEM_WRITE || access->kind == CPU_IO_WRITE ||
           access->kind == CPU_MEM_ENQUEUE;
}

static void complete_hole(struct slot *slot, const struct cpu_access *access)
{
    static const uint8_t ones[CPU_ACCESS_MAX_SIZE] = {[0 ... CPU_ACCESS_MAX_SIZE - 1] = 0xff};

    sched_complete(slot, access_is_write(access) ? NULL : ones, false);
}

/* A register of up to 8 bytes: what a read returns; ignored for a write. */
static void complete_value(struct slot *slot, const struct cpu_access *access, uint64_t value)
{
    uint8_t data[8];

    le64_store(data, value);
    sched_complete(slot, access_is_write(access) ? NULL : data, false);
}

static void complete_bus(struct slot *slot, const struct bus_range *range,
                         const struct cpu_access *access)
{
    uint8_t data[CPU_ACCESS_MAX_SIZE];

    if (access_is_write(access)) {
        bus_write(range, access->addr, access->size_bytes, access->data);
        sched_complete(slot, NULL, false);
    } else {
        bus_read(range, access->addr, access->size_bytes, data);
        sched_complete(slot, data, false);
    }
}

/* Configuration and I/O requests are at most a doubleword and do not cross one. */
static unsigned piece_size(const struct slot *slot, uint64_t addr, unsigned left)
{
    bool wide = slot->request.kind == ROOT_MEM_READ || slot->request.kind == ROOT_MEM_WRITE ||
                slot->request.kind == ROOT_MEM_ENQUEUE;
    unsigned room = 4 - (unsigned)(addr & 3);

    return wide ? left : left < room ? left : room;
}

static void submit_piece(struct slot *slot)
{
    const struct cpu_access *access = cpu_access(slot->cpu);
    struct root_request *request = &slot->request;

    request->addr = slot->access_addr + slot->access_done;
    request->size_bytes = piece_size(slot, request->addr, access->size_bytes - slot->access_done);
    if (access_is_write(access))
        memcpy(request->data, access->data + slot->access_done, request->size_bytes);
    root_submit(slot->rc, request);
}

static void piece_done(struct root_request *request, enum tlp_status status)
{
    struct slot *slot = request->opaque;
    const struct cpu_access *access = cpu_access(slot->cpu);

    if (!access_is_write(access))
        memcpy(slot->access_data + slot->access_done, request->data, request->size_bytes);
    slot->access_done += request->size_bytes;
    if (slot->access_done < access->size_bytes)
        submit_piece(slot);
    else
        sched_complete(slot, access_is_write(access) ? NULL : slot->access_data, false);
}

static void enqueue_done(struct root_request *request, enum tlp_status status)
{
    sched_complete(request->opaque, status == TLP_SC ? request->data : NULL, false);
}

static void posted_done(struct root_request *request, enum tlp_status status)
{
    struct slot *slot = request->opaque;

    slot->posted_busy &= ~(1u << (request - slot->posted));
}

/* A memory write is posted: the processor goes on while it is on its way. When too many are, it
 * waits for this one to be sent. */
static bool submit_posted(struct slot *slot, struct root_complex *rc,
                          const struct cpu_access *access)
{
    uint32_t free_mask = ~slot->posted_busy & (uint32_t)low_mask(SLOT_POSTED_MAX);

    if (!free_mask)
        return false;
    unsigned i = (unsigned)__builtin_ctz(free_mask);
    struct root_request *request = &slot->posted[i];
    request->kind = ROOT_MEM_WRITE;
    request->addr = access->addr;
    request->size_bytes = access->size_bytes;
    memcpy(request->data, access->data, access->size_bytes);
    request->done = posted_done;
    request->opaque = slot;
    slot->posted_busy |= 1u << i;
    root_submit(rc, request);
    sched_complete(slot, NULL, false);
    return true;
}

static void submit(struct slot *slot, struct root_complex *rc, enum root_request_kind kind,
                   uint64_t addr)
{
    slot->rc = rc;
    slot->access_addr = addr;
    slot->access_done = 0;
    slot->request.kind = kind;
    slot->request.done = kind == ROOT_MEM_ENQUEUE ? enqueue_done : piece_done;
    slot->request.opaque = slot;
    submit_piece(slot);
}

static struct board_bridge *find_ecam_addr(struct machine *machine, uint64_t addr)
{
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        struct map_bridge *map = &machine->bridge[i].map;
        uint64_t offset = addr - map->ecam_base;

        if (offset < MAP_ECAM_SIZE && offset >> 20 >= map->bus_first &&
            offset >> 20 <= map->bus_last)
            return &machine->bridge[i];
    }
    return NULL;
}

struct board_bridge *host_find_ecam(struct machine *machine, uint16_t segment, unsigned bus)
{
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        struct map_bridge *map = &machine->bridge[i].map;

        if (map->segment == segment && bus >= map->bus_first && bus <= map->bus_last)
            return &machine->bridge[i];
    }
    return NULL;
}

static struct board_bridge *find_window(struct machine *machine, uint64_t addr)
{
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        struct map_bridge *map = &machine->bridge[i].map;

        if (addr - map->mem32_base < map->mem32_size || addr - map->mem64_base < map->mem64_size)
            return &machine->bridge[i];
    }
    return NULL;
}

static struct board_bridge *find_io_window(struct machine *machine, uint64_t port)
{
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        struct map_bridge *map = &machine->bridge[i].map;

        if (port - map->io_base < map->io_size)
            return &machine->bridge[i];
    }
    return NULL;
}

static void access_lapic(struct slot *slot, const struct cpu_access *access)
{
    struct lapic *lapic = &slot->machine->apics.lapic[slot->index];
    uint8_t data[CPU_ACCESS_MAX_SIZE] = {0};

    if (access->kind == CPU_MEM_WRITE) {
        lapic_mmio_write(lapic, access->addr, access->size_bytes, le32_load(access->data));
        sched_complete(slot, NULL, false);
    } else {
        le32_store(data, lapic_mmio_read(lapic, access->addr, access->size_bytes));
        sched_complete(slot, data, false);
    }
}

static void access_memory(struct slot *slot, const struct cpu_access *access)
{
    struct machine *machine = slot->machine;
    bool write = access->kind == CPU_MEM_WRITE;
    struct board_bridge *bridge;
    const struct bus_range *range;

    if (lapic_decodes(&machine->apics.lapic[slot->index], access->addr)) {
        access_lapic(slot, access);
    } else if ((bridge = find_window(machine, access->addr))) {
        if (!write || !submit_posted(slot, bridge->rc, access))
            submit(slot, bridge->rc, write ? ROOT_MEM_WRITE : ROOT_MEM_READ, access->addr);
    } else if ((bridge = find_ecam_addr(machine, access->addr))) {
        submit(slot, bridge->rc, write ? ROOT_CFG_WRITE : ROOT_CFG_READ,
               access->addr - bridge->map.ecam_base);
    } else if ((range = bus_find(&machine->memory, access->addr))) {
        complete_bus(slot, range, access);
    } else {
        complete_hole(slot, access);
    }
}

/* CHOICE: whatever else than success a Deferrable Memory Write meets, software may try again. */
static void access_enqueue(struct slot *slot, const struct cpu_access *access)
{
    struct board_bridge *bridge = find_window(slot->machine, access->addr);

    if (!bridge) {
        sched_complete(slot, NULL, false);
        return;
    }
    submit(slot, bridge->rc, ROOT_MEM_ENQUEUE, access->addr);
}

/* Configuration mechanism #1 (PCI Local Bus 3.0, 3.2.2.3.2): a doubleword at 0xCF8 selects what
 * 0xCFC to 0xCFF then are. Only segment 0 is reached. */
static bool access_config_ports(struct slot *slot, const struct cpu_access *access)
{
    struct machine *machine = slot->machine;
    bool write = access->kind == CPU_IO_WRITE;
    uint32_t latch = machine->cfg_address;

    if (access->addr == MAP_CFG_ADDRESS_PORT && access->size_bytes == 4) {
        if (write)
            machine->cfg_address = le32_load(access->data) & 0x80fffffc;
        complete_value(slot, access, latch);
        return true;
    }
    if (access->addr == MAP_RESET_PORT && access->size_bytes == 1) {
        if (write)
            pm_reset_port_write(&machine->pm, access->data[0]);
        complete_value(slot, access, pm_reset_port_read(&machine->pm));
        return true;
    }
    if (access->addr - MAP_CFG_DATA_PORT >= 4 || !(latch & 0x80000000))
        return false;
    struct board_bridge *bridge = host_find_ecam(machine, 0, latch >> 16 & 0xff);
    if (!bridge)
        return false;
    uint64_t addr =
        (uint64_t)(latch >> 8 & 0xffff) << 12 | (latch & 0xfc) | (access->addr - MAP_CFG_DATA_PORT);
    submit(slot, bridge->rc, write ? ROOT_CFG_WRITE : ROOT_CFG_READ, addr);
    return true;
}

static void access_io(struct slot *slot, const struct cpu_access *access)
{
    struct machine *machine = slot->machine;
    const struct bus_range *range = bus_find(&machine->io, access->addr);
    struct board_bridge *bridge;

    if (range)
        complete_bus(slot, range, access);
    else if (access_config_ports(slot, access))
        return;
    else if ((bridge = find_io_window(machine, access->addr)))
        submit(slot, bridge->rc, access->kind == CPU_IO_WRITE ? ROOT_IO_WRITE : ROOT_IO_READ,
               access->addr);
    else
        complete_hole(slot, access);
}

static void access_msr_read(struct slot *slot, const struct cpu_access *access)
{
    uint64_t value = 0;
    uint8_t data[8];
    bool ok =
        lapic_msr_read(&slot->machine->apics.lapic[slot->index], (uint32_t)access->addr, &value);

    le64_store(data, value);
    sched_complete(slot, data, !ok);
}

static void access_msr_write(struct slot *slot, const struct cpu_access *access)
{
    bool ok = lapic_msr_write(&slot->machine->apics.lapic[slot->index], (uint32_t)access->addr,
                              le64_load(access->data));

    sched_complete(slot, NULL, !ok);
}

static void access_tpr_read(struct slot *slot, const struct cpu_access *access)
{
    complete_value(slot, access, lapic_cr8_read(&slot->machine->apics.lapic[slot->index]));
}

static void access_tpr_write(struct slot *slot, const struct cpu_access *access)
{
    bool ok = lapic_cr8_write(&slot->machine->apics.lapic[slot->index], le64_load(access->data));

    sched_complete(slot, NULL, !ok);
}

void host_access(struct slot *slot)
{
    static void (*const handlers[])(struct slot *, const struct cpu_access *) = {
        [CPU_MEM_READ] = access_memory,     [CPU_MEM_WRITE] = access_memory,
        [CPU_IO_READ] = access_io,          [CPU_IO_WRITE] = access_io,
        [CPU_MSR_READ] = access_msr_read,   [CPU_MSR_WRITE] = access_msr_write,
        [CPU_TPR_READ] = access_tpr_read,   [CPU_TPR_WRITE] = access_tpr_write,
        [CPU_MEM_ENQUEUE] = access_enqueue,
    };
    const struct cpu_access *access = cpu_access(slot->cpu);

    handlers[access->kind](slot, access);
}

void host_attach(struct machine *machine)
{
    uart_attach(&machine->uart, &machine->io);
    pm_attach(&machine->pm, &machine->io);
    rtc_attach(&machine->rtc, &machine->io);
    ioapic_attach(&machine->ioapic, &machine->memory);
}

void host_reset(struct machine *machine)
{
    machine->cfg_address = 0;
    for (unsigned i = 0; i < machine->bridge_count; i++)
        machine->bridge[i].intx = 0;
}
