/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The error side of the firmware: registers, the interrupt, sources of errors with their blocks,
 * and what outlives a reset.
 *
 * CHOICE: the firmware has corrected errors polled for and tells of the others by an interrupt of
 * the Generic Event Device, from which AML notifies the error device PNP0C33.
 */
#include "apei.h"

#include <string.h>

#include "board.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

static uint32_t get(const struct apei *apei, unsigned reg)
{
    return (uint32_t)reg_get(apei->regs, reg);
}

static void update_line(struct apei *apei)
{
    ioapic_set_line(&apei->machine->ioapic, MAP_APEI_GSI, get(apei, APEI_EVENTS) != 0);
}

void apei_raise(struct apei *apei, uint32_t events)
{
    reg_update(apei->regs, APEI_EVENTS, events, events);
    update_line(apei);
}

void apei_store(struct apei *apei, uint32_t offset, const void *data, unsigned len)
{
    struct machine *machine = apei->machine;
    uint64_t gpa = apei->ram + offset;

    memcpy(ram_ptr(&machine->ram, gpa, len), data, len);
    ram_write_back(&machine->ram, gpa, len);
    cpu_group_ram_written(machine->cpus, gpa, len);
}

/* Sources. */

static void fill_block(struct apei *apei, unsigned id)
{
    struct apei_source *source = &apei->source[id];
    uint8_t block[CPER_BLOCK_MAX];

    if (source->busy || !source->count)
        return;
    source->queue[0].more |= source->lost;
    source->lost = false;
    unsigned len = cper_encode(&source->queue[0], block);
    apei_store(apei, APEI_RAM_BLOCK + id * APEI_BLOCK_BYTES, block, len);
    source->busy = true;
    if (id == APEI_UNCORRECTED)
        apei_raise(apei, APEI_EVENT_RECORD);
}

static void keep_for_boot(struct apei *apei, const struct cper_record *record)
{
    if (apei->boot_count < APEI_BOOT_MAX)
        apei->boot[apei->boot_count++] = *record;
    else
        apei->boot[APEI_BOOT_MAX - 1].more = true;
}

void apei_report(struct apei *apei, const struct cper_record *record)
{
    unsigned id = record->severity == CPER_CORRECTED ? APEI_CORRECTED : APEI_UNCORRECTED;
    struct apei_source *source = &apei->source[id];

    trace_say(&apei->machine->trace, TRACE_STATE, "firmware", "tells of an error at %s (%s)",
              record->where, id == APEI_CORRECTED ? "corrected" : "uncorrected");
    /* The system does not outlive it: the next boot is told too (ACPI 6.5, 18.3.1). */
    if (record->severity == CPER_FATAL)
        keep_for_boot(apei, record);
    if (source->count == APEI_QUEUE_MAX) {
        source->lost = true;
        return;
    }
    source->queue[source->count++] = *record;
    fill_block(apei, id);
}

/* ACPI 6.5, 18.3.2.8: the block may be written again. */
void apei_acknowledge(struct apei *apei, unsigned id)
{
    struct apei_source *source = &apei->source[id];

    if (!source->busy)
        return;
    source->busy = false;
    source->count--;
    memmove(source->queue, source->queue + 1, source->count * sizeof(source->queue[0]));
    fill_block(apei, id);
}

/* Registers. */

static void events_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct apei *apei = reg_space_owner(space);

    if (apei_edr_first(apei) != APEI_EDR_NONE)
        reg_update(space, APEI_EVENTS, APEI_EVENT_EDR, APEI_EVENT_EDR);
    update_line(apei);
}

static uint64_t edr_port_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    return apei_edr_first(reg_space_owner(space));
}

static uint64_t edr_locate_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    struct apei *apei = reg_space_owner(space);

    return apei_edr_locate(apei, get(apei, APEI_EDR_SELECT));
}

static void edr_take_written(struct reg_space *space, unsigned offset,
                             const struct reg_write *write)
{
    struct apei *apei = reg_space_owner(space);

    apei_edr_take(apei, (uint32_t)write->written);
    if (apei_edr_first(apei) == APEI_EDR_NONE)
        reg_update(space, APEI_EVENTS, APEI_EVENT_EDR, 0);
    update_line(apei);
}

static void edr_enable_written(struct reg_space *space, unsigned offset,
                               const struct reg_write *write)
{
    apei_edr_enable(reg_space_owner(space), (uint32_t)write->written & 0xffff,
                    write->written >> 16 & 1);
}

static void ost_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct apei *apei = reg_space_owner(space);

    apei_edr_over(apei, get(apei, APEI_OST_PORT), (uint32_t)write->written);
}

static void ack_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    if (write->written & 1)
        apei_acknowledge(reg_space_owner(space), (offset - APEI_ACK) / 4);
}

static void operation_written(struct reg_space *space, unsigned offset,
                              const struct reg_write *write)
{
    apei_inject(reg_space_owner(space), (unsigned)write->written);
}

#define OURS            "our own"
#define WORD            0xffffffffu
#define LONG            0xffffffffffffffffu
#define ROW(o, w, n, c) .offset = (o), .width = (w), .name = (n), .clause = (c)

/* clang-format off */
static const struct reg_def rows[] = {
    {ROW(APEI_EVENTS, 4, "events", OURS), .rw1c = APEI_EVENT_RECORD | APEI_EVENT_EDR,
     .on_write = events_written},
    {ROW(APEI_EDR_PORT, 4, "edr_port", OURS), .on_read = edr_port_read},
    {ROW(APEI_EDR_TAKE, 4, "edr_take", OURS), .w1t = WORD, .on_write = edr_take_written},
    {ROW(APEI_EDR_ENABLE, 4, "edr_enable", "PCI Firmware 3.3 4.6.12"), .w1t = WORD,
     .on_write = edr_enable_written},
    {ROW(APEI_EDR_SELECT, 4, "edr_select", "PCI Firmware 3.3 4.6.13"), .rw = WORD},
    {ROW(APEI_EDR_LOCATE, 4, "edr_locate", "PCI Firmware 3.3 4.6.13"), .on_read = edr_locate_read},
    {ROW(APEI_OST_PORT, 4, "ost_port", "ACPI 6.5 6.3.5"), .rw = WORD},
    {ROW(APEI_OST_STATUS, 4, "ost_status", "ACPI 6.5 6.3.5"), .w1t = WORD, .on_write = ost_written},
    {ROW(APEI_ACK, 4, "ack_corrected", "ACPI 6.5 18.3.2.8"), .w1t = 1, .on_write = ack_written},
    {ROW(APEI_ACK + 4, 4, "ack_uncorrected", "ACPI 6.5 18.3.2.8"), .w1t = 1,
     .on_write = ack_written},
    {ROW(APEI_EINJ_OPERATION, 4, "einj_operation", "ACPI 6.5 18.6.1"), .w1t = 7,
     .on_write = operation_written},
    {ROW(APEI_EINJ_BUSY, 4, "einj_busy", "ACPI 6.5 18.6.1")},
    {ROW(APEI_EINJ_STATUS, 4, "einj_status", "ACPI 6.5 18.6.1")},
    {ROW(APEI_EINJ_TYPES, 4, "einj_types", "ACPI 6.5 18.6.4"), .reset = EINJ_TYPES},
    {ROW(APEI_EINJ_TABLE, 8, "einj_trigger_table", "ACPI 6.5 18.6.5")},
    {ROW(APEI_EINJ_TYPE, 4, "einj_type", "ACPI 6.5 18.6.4"), .rw = WORD},
    {ROW(APEI_EINJ_PARAMS + 0x00, 4, "einj_param_type", "ACPI 6.5 18.6.4"), .rw = WORD},
    {ROW(APEI_EINJ_PARAMS + 0x04, 4, "einj_param_vendor", "ACPI 6.5 18.6.4")},
    {ROW(APEI_EINJ_PARAMS + 0x08, 4, "einj_param_flags", "ACPI 6.5 18.6.4"), .rw = WORD},
    {ROW(APEI_EINJ_PARAMS + 0x0c, 4, "einj_param_apic", "ACPI 6.5 18.6.4"), .rw = WORD},
    {ROW(APEI_EINJ_PARAMS + 0x10, 8, "einj_param_address", "ACPI 6.5 18.6.4"), .rw = LONG},
    {ROW(APEI_EINJ_PARAMS + 0x18, 8, "einj_param_range", "ACPI 6.5 18.6.4"), .rw = LONG},
    {ROW(APEI_EINJ_PARAMS + 0x20, 4, "einj_param_sbdf", "ACPI 6.5 18.6.4"), .rw = WORD},
};
/* clang-format on */

static uint64_t apei_read(void *opaque, uint64_t offset, unsigned size)
{
    struct apei *apei = opaque;

    return reg_read(apei->regs, (unsigned)offset, size);
}

static void apei_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct apei *apei = opaque;

    reg_write(apei->regs, (unsigned)offset, size, value);
}

/* Life. */

static bool find_ports(struct apei *apei, GError **error)
{
    struct machine *machine = apei->machine;

    for (unsigned i = 0; i < machine->part_count; i++) {
        struct board_part *part = &machine->part[i];

        if (part->kind != MACHINE_ROOT_PORT || !part->bridge->firmware_first)
            continue;
        if (apei->port_count == APEI_PORTS_MAX) {
            g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                        "%s: firmware-first: at most %u root ports", part->name, APEI_PORTS_MAX);
            return false;
        }
        apei->port[apei->port_count++].part = part;
    }
    return true;
}

bool apei_create(struct machine *machine, const struct machine_desc *desc, GError **error)
{
    struct apei *apei;
    bool wanted = desc->apei;

    for (unsigned i = 0; i < machine->bridge_count; i++)
        wanted = wanted || machine->bridge[i].firmware_first;
    if (!wanted)
        return true;
    apei = machine->apei = g_new0(struct apei, 1);
    apei->machine = machine;
    apei->panics = desc->firmware_panics;
    apei->regs = reg_space_new(APEI_SPACE, apei);
    reg_space_place(apei->regs, 0, rows, ARRAY_LEN(rows));
    sim_event_init(&apei->look, apei_look, apei);
    if (machine->ram.free_end - MAP_HIGH_RAM_BASE < APEI_RAM_BYTES) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_MEMORY,
                    "no room for the firmware's error records");
        return false;
    }
    machine->ram.free_end -= APEI_RAM_BYTES;
    apei->ram = machine->ram.free_end;
    reg_hwinit(apei->regs, APEI_EINJ_TABLE, apei->ram + APEI_RAM_TRIGGER);
    bus_add(&machine->memory, &(struct bus_range){.base = MAP_APEI_BASE,
                                                  .size = MAP_APEI_SIZE,
                                                  .max_size = 8,
                                                  .read = apei_read,
                                                  .write = apei_write,
                                                  .opaque = apei});
    return find_ports(apei, error);
}

void apei_destroy(struct machine *machine)
{
    struct apei *apei = machine->apei;

    if (!apei)
        return;
    sim_cancel(&machine->sim, &apei->look);
    reg_space_free(apei->regs);
    g_free(apei);
    machine->apei = NULL;
}

/* What nobody acknowledged, and what was fatal, is for the boot error record. */
void apei_reset(struct machine *machine)
{
    struct apei *apei = machine->apei;

    if (!apei)
        return;
    sim_cancel(&machine->sim, &apei->look);
    for (unsigned id = 0; id < APEI_SOURCES; id++) {
        struct apei_source *source = &apei->source[id];

        for (unsigned i = 0; i < source->count; i++) {
            if (source->queue[i].severity != CPER_FATAL)
                keep_for_boot(apei, &source->queue[i]);
        }
        *source = (struct apei_source){0};
    }
    for (unsigned i = 0; i < apei->port_count; i++)
        apei->port[i] = (struct apei_port){.part = apei->port[i].part};
    apei->armed = (struct apei_injection){0};
    reg_space_reset(apei->regs, REG_RESET_COLD);
    update_line(apei);
}

static void store_boot_records(struct apei *apei)
{
    uint8_t block[CPER_BLOCK_MAX];
    uint32_t at = 0;

    for (unsigned i = 0; i < apei->boot_count; i++) {
        unsigned len = cper_encode(&apei->boot[i], block);

        apei_store(apei, APEI_RAM_BOOT + at, block, len);
        at += len;
    }
    apei->boot_count = 0;
}

_Static_assert(APEI_BOOT_MAX *CPER_BLOCK_MAX <= APEI_BLOCK_BYTES, "boot error records fit");

void apei_boot(struct machine *machine)
{
    struct apei *apei = machine->apei;
    GByteArray *table;
    uint8_t address[8];

    if (!apei)
        return;
    for (unsigned i = 0; i < APEI_SOURCES; i++) {
        le64_store(address, apei->ram + APEI_RAM_BLOCK + i * APEI_BLOCK_BYTES);
        apei_store(apei, APEI_RAM_ADDRESS + i * 8, address, 8);
    }
    table = g_byte_array_new();
    apei_trigger_table(apei, table);
    apei_store(apei, APEI_RAM_TRIGGER, table->data, table->len);
    g_byte_array_unref(table);
    store_boot_records(apei);
    apei_first_boot(apei);
}
