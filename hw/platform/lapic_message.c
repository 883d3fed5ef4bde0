/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt messages: who is addressed (SDM 11.6.2), inter-processor interrupts (SDM 11.6.1) and
 * message-signalled interrupts of devices (SDM 11.11).
 */
#include <assert.h>

#include "lapic.h"
#include "pcilab/base/bits.h"
#include "pcilab/platform/addrmap.h"

#define ICR_VECTOR    0x000000ffu
#define ICR_MODE      0x00000700u
#define ICR_LOGICAL   0x00000800u
#define ICR_ASSERT    0x00004000u
#define ICR_LEVEL     0x00008000u
#define ICR_SHORTHAND 0x000c0000u

#define MSI_ADDR_DEST    0x000ff000u
#define MSI_ADDR_LOGICAL 0x00000004u
#define MSI_DATA_VECTOR  0x000000ffu
#define MSI_DATA_MODE    0x00000700u
#define MSI_DATA_ASSERT  0x00004000u
#define MSI_DATA_LEVEL   0x00008000u

enum { SHORTHAND_NONE, SHORTHAND_SELF, SHORTHAND_ALL, SHORTHAND_OTHERS };

/* SDM 11.6.2.2: flat and cluster model; DFR bits 31:28 tell which. */
static bool matches_logical(const struct lapic *lapic, const struct apic_message *message)
{
    uint32_t ldr = (uint32_t)reg_get(lapic->regs, LAPIC_LDR);

    if (lapic_x2(lapic))
        return ldr >> 16 == message->dest >> 16 && (ldr & message->dest & 0xffff);
    uint32_t id = ldr >> 24, dest = message->dest;
    if (message->wide && dest != 0xffffffff && dest > 0xff)
        return false;
    dest &= 0xff;
    if (reg_get(lapic->regs, LAPIC_DFR) >> 28 == 0xf)
        return (id & dest) != 0;
    return (dest >> 4 == 0xf || dest >> 4 == id >> 4) && (id & dest & 0xf);
}

static bool matches(const struct lapic *lapic, const struct apic_message *message)
{
    if (message->dest == (message->wide ? 0xffffffff : 0xff))
        return true;
    if (message->logical)
        return matches_logical(lapic, message);
    return message->dest == lapic->index;
}

/* SDM 11.6.2.4. CHOICE: the lowest processor priority decides, then the lowest APIC ID. */
static struct lapic *lowest_priority(struct apic_bus *bus, uint32_t targets)
{
    struct lapic *best = NULL;

    for (unsigned i = 0; i < bus->config.count; i++) {
        struct lapic *lapic = &bus->lapic[i];

        if (!(targets >> i & 1) || !lapic_enabled(lapic) ||
            !(reg_get(lapic->regs, LAPIC_SVR) & LAPIC_SVR_ENABLE))
            continue;
        if (!best || lapic_ppr(lapic) < lapic_ppr(best))
            best = lapic;
    }
    return best;
}

static void deliver_to(struct apic_bus *bus, uint32_t targets, const struct apic_message *message)
{
    if (message->mode == APIC_LOWEST) {
        struct lapic *lapic = lowest_priority(bus, targets);

        if (lapic)
            lapic_accept(lapic, message);
        return;
    }
    for (unsigned i = 0; i < bus->config.count; i++) {
        if (targets >> i & 1)
            lapic_accept(&bus->lapic[i], message);
    }
}

void apic_deliver(struct apic_bus *bus, const struct apic_message *message)
{
    uint32_t targets = 0;

    bus->messages++;
    bus->last = *message;
    if (bus->config.forward) {
        bus->config.forward(bus->config.opaque, message);
        return;
    }
    for (unsigned i = 0; i < bus->config.count; i++) {
        if (matches(&bus->lapic[i], message))
            targets |= 1u << i;
    }
    deliver_to(bus, targets, message);
}

void apic_deliver_msi(struct apic_bus *bus, uint64_t addr, uint32_t data)
{
    struct apic_message message = {
        .dest = (uint32_t)FIELD_GET(MSI_ADDR_DEST, addr),
        .logical = (addr & MSI_ADDR_LOGICAL) != 0,
        .mode = (uint8_t)FIELD_GET(MSI_DATA_MODE, data),
        .vector = (uint8_t)FIELD_GET(MSI_DATA_VECTOR, data),
        .level = (data & MSI_DATA_LEVEL) != 0,
    };

    if (message.level && !(data & MSI_DATA_ASSERT)) /* de-assert: nothing is remembered to undo */
        return;
    apic_deliver(bus, &message);
}

static uint32_t shorthand_targets(const struct lapic *lapic, unsigned shorthand)
{
    uint32_t all = (uint32_t)low_mask(lapic->bus->config.count);
    uint32_t self = 1u << lapic->index;

    if (shorthand == SHORTHAND_SELF)
        return self;
    return shorthand == SHORTHAND_ALL ? all : all & ~self;
}

void lapic_send_icr(struct lapic *lapic, uint32_t low, uint32_t dest)
{
    unsigned shorthand = (unsigned)FIELD_GET(ICR_SHORTHAND, low);
    struct apic_message message = {
        .dest = dest,
        .wide = lapic_x2(lapic),
        .logical = (low & ICR_LOGICAL) != 0,
        .mode = (uint8_t)FIELD_GET(ICR_MODE, low),
        .vector = (uint8_t)FIELD_GET(ICR_VECTOR, low),
        /* Only INIT level de-assert looks at level and trigger mode (SDM 11.6.1). */
        .deassert = (low & ICR_LEVEL) && !(low & ICR_ASSERT),
    };
    bool fixed = message.mode == APIC_FIXED || message.mode == APIC_LOWEST;

    if (fixed && message.vector < 16)
        lapic_error(lapic, LAPIC_ERROR_SEND_ILLEGAL);
    else if (shorthand == SHORTHAND_NONE)
        apic_deliver(lapic->bus, &message);
    else
        deliver_to(lapic->bus, shorthand_targets(lapic, shorthand), &message);
}

void apic_bus_init(struct apic_bus *bus, const struct apic_bus_config *config)
{
    assert(config->count >= 1 && config->count <= CPU_MAX);
    bus->config = *config;
    for (unsigned i = 0; i < config->count; i++) {
        struct lapic *lapic = &bus->lapic[i];

        *lapic = (struct lapic){.bus = bus, .index = i, .cpu = cpu_group_get(config->cpus, i)};
        lapic_regs_create(lapic);
        lapic_timer_init(lapic);
    }
    apic_bus_reset(bus);
}

void apic_bus_fini(struct apic_bus *bus)
{
    for (unsigned i = 0; i < bus->config.count; i++) {
        sim_cancel(bus->config.sim, &bus->lapic[i].timer);
        reg_space_free(bus->lapic[i].regs);
    }
}

void apic_bus_reset(struct apic_bus *bus)
{
    for (unsigned i = 0; i < bus->config.count; i++) {
        struct lapic *lapic = &bus->lapic[i];

        lapic->base_msr = MAP_LAPIC_BASE | APIC_BASE_EN | (i == 0 ? APIC_BASE_BSP : 0);
        lapic_init_reset(lapic);
        /* The processors were reset too: their line is low. */
        lapic->intr = false;
        cpu_set_intr(lapic->cpu, false);
    }
}
