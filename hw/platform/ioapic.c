/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The I/O APIC. */
#include "ioapic.h"

#include <assert.h>

#include "pcilab/base/bits.h"
#include "pcilab/platform/addrmap.h"

/* Direct registers (82093AA, 3.1; ICH9, 13.5.1). */
#define IOREGSEL 0x00
#define IOWIN    0x10

/* Indirect registers, as offsets in the register space: index * 4 (82093AA, 3.2). */
#define REG(index)    ((index)*4u)
#define REG_ID        REG(0x00)
#define REG_VERSION   REG(0x01)
#define REG_ARB       REG(0x02)
#define REG_LOW(pin)  REG(0x10 + 2 * (pin))
#define REG_HIGH(pin) REG(0x11 + 2 * (pin))

#define RTE_VECTOR     0x000000ffu
#define RTE_MODE       0x00000700u
#define RTE_LOGICAL    0x00000800u
#define RTE_POLARITY   0x00002000u
#define RTE_REMOTE_IRR 0x00004000u
#define RTE_LEVEL      0x00008000u
#define RTE_MASKED     0x00010000u
#define RTE_DEST       0xff000000u
#define RTE_ADDRESS    0xffff0000u /* with interrupt remapping: bits 19:4 of the address */

#define MESSAGE_ADDRESS GENMASK(19, 4)
#define MESSAGE_BIT_2   BIT(2)
#define MESSAGE_LEVEL   (BIT(15) | BIT(14))

#define VERSION_VALUE (0x20u | (IOAPIC_PINS - 1) << 16)

static void send_message(struct ioapic *ioapic, unsigned pin, uint32_t low)
{
    uint64_t high = FIELD_GET(RTE_ADDRESS, reg_get(ioapic->regs, REG_HIGH(pin)));

    ioapic->message(
        ioapic->message_opaque,
        MAP_MSI_BASE | FIELD_PREP(MESSAGE_ADDRESS, high) | (low & RTE_LOGICAL ? MESSAGE_BIT_2 : 0),
        (low & (RTE_VECTOR | RTE_MODE)) | (uint32_t)(low & RTE_LEVEL ? MESSAGE_LEVEL : 0));
}

static void deliver(struct ioapic *ioapic, unsigned pin, uint32_t low)
{
    if (ioapic->message) {
        send_message(ioapic, pin, low);
        return;
    }
    struct apic_message message = {
        .dest = (uint32_t)FIELD_GET(RTE_DEST, reg_get(ioapic->regs, REG_HIGH(pin))),
        .logical = (low & RTE_LOGICAL) != 0,
        .mode = (uint8_t)FIELD_GET(RTE_MODE, low),
        .vector = (uint8_t)FIELD_GET(RTE_VECTOR, low),
        .level = (low & RTE_LEVEL) != 0,
    };

    apic_deliver(ioapic->apics, &message);
}

/* A level-triggered pin that is asserted, unmasked and not already being served. */
static void service_level(struct ioapic *ioapic, unsigned pin)
{
    uint32_t low = (uint32_t)reg_get(ioapic->regs, REG_LOW(pin));

    if (!(ioapic->lines >> pin & 1) || !(low & RTE_LEVEL) || (low & (RTE_MASKED | RTE_REMOTE_IRR)))
        return;
    reg_update(ioapic->regs, REG_LOW(pin), RTE_REMOTE_IRR, RTE_REMOTE_IRR);
    deliver(ioapic, pin, low);
}

void ioapic_set_line(struct ioapic *ioapic, unsigned pin, bool asserted)
{
    assert(pin < IOAPIC_PINS);
    uint32_t low = (uint32_t)reg_get(ioapic->regs, REG_LOW(pin));
    bool was = ioapic->lines >> pin & 1;

    if (was == asserted)
        return;
    ioapic->lines ^= 1u << pin;
    if (low & RTE_LEVEL)
        service_level(ioapic, pin);
    else if (asserted && !(low & RTE_MASKED)) /* edges on a masked pin are lost (3.2.4) */
        deliver(ioapic, pin, low);
}

void ioapic_eoi(struct ioapic *ioapic, uint8_t vector)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        uint32_t low = (uint32_t)reg_get(ioapic->regs, REG_LOW(pin));

        if (!(low & RTE_LEVEL) || !(low & RTE_REMOTE_IRR) || (low & RTE_VECTOR) != vector)
            continue;
        reg_update(ioapic->regs, REG_LOW(pin), RTE_REMOTE_IRR, 0);
        service_level(ioapic, pin);
    }
}

/* Remote IRR has a meaning for level-triggered pins only. */
static void rte_low_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    if (!(write->new_value & RTE_LEVEL))
        reg_update(space, offset, RTE_REMOTE_IRR, 0);
    service_level(reg_space_owner(space), (offset - REG_LOW(0)) / 8);
}

#define SHEET "Intel 82093AA (290566-001) "
#define RTE(pin)                                                                                   \
    {.name = "redirect_low" #pin,                                                                  \
     .clause = SHEET "3.2.4",                                                                      \
     .offset = REG_LOW(pin),                                                                       \
     .width = 4,                                                                                   \
     .reset = RTE_MASKED,                                                                          \
     .rw = RTE_VECTOR | RTE_MODE | RTE_LOGICAL | RTE_POLARITY | RTE_LEVEL | RTE_MASKED,            \
     .on_write = rte_low_written},                                                                 \
    {                                                                                              \
        .name = "redirect_high" #pin, .clause = SHEET "3.2.4", .offset = REG_HIGH(pin),            \
        .width = 4, .rw = RTE_DEST                                                                 \
    }

static const struct reg_def ioapic_defs[] = {
    {.name = "id", .clause = SHEET "3.2.1", .offset = REG_ID, .width = 4, .rw = 0x0f000000},
    {.name = "version",
     .clause = SHEET "3.2.2",
     .offset = REG_VERSION,
     .width = 4,
     .reset = VERSION_VALUE},
    {.name = "arbitration", .clause = SHEET "3.2.3", .offset = REG_ARB, .width = 4},
    RTE(0),
    RTE(1),
    RTE(2),
    RTE(3),
    RTE(4),
    RTE(5),
    RTE(6),
    RTE(7),
    RTE(8),
    RTE(9),
    RTE(10),
    RTE(11),
    RTE(12),
    RTE(13),
    RTE(14),
    RTE(15),
    RTE(16),
    RTE(17),
    RTE(18),
    RTE(19),
    RTE(20),
    RTE(21),
    RTE(22),
    RTE(23),
};

/* CHOICE: narrower or misplaced accesses read as 0 and are ignored, as the datasheet leaves them
 * undefined. */
static uint64_t ioapic_read(void *opaque, uint64_t offset, unsigned size)
{
    struct ioapic *ioapic = opaque;

    if (offset == IOREGSEL)
        return ioapic->select;
    if (offset == IOWIN && size == 4 && REG(ioapic->select) < reg_space_size(ioapic->regs))
        return reg_read(ioapic->regs, REG(ioapic->select), 4);
    return 0;
}

static void ioapic_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct ioapic *ioapic = opaque;

    if (offset == IOREGSEL)
        ioapic->select = (uint8_t)value;
    else if (offset == IOWIN && size == 4 && REG(ioapic->select) < reg_space_size(ioapic->regs))
        reg_write(ioapic->regs, REG(ioapic->select), 4, value);
    else if (offset == IOAPIC_EOI && size == 4)
        ioapic_eoi(ioapic, (uint8_t)value);
}

void ioapic_init(struct ioapic *ioapic, struct apic_bus *apics)
{
    *ioapic = (struct ioapic){.apics = apics};
    ioapic->regs = reg_space_new(REG(0x10 + 2 * IOAPIC_PINS), ioapic);
    reg_space_place(ioapic->regs, 0, ioapic_defs, ARRAY_LEN(ioapic_defs));
    ioapic_reset(ioapic);
}

void ioapic_set_remapping(struct ioapic *ioapic, ioapic_message_fn message, void *opaque)
{
    ioapic->message = message;
    ioapic->message_opaque = opaque;
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        reg_set_rw_mask(ioapic->regs, REG_HIGH(pin), RTE_ADDRESS);
}

void ioapic_fini(struct ioapic *ioapic)
{
    reg_space_free(ioapic->regs);
}

void ioapic_reset(struct ioapic *ioapic)
{
    reg_space_reset(ioapic->regs, REG_RESET_COLD);
    ioapic->select = 0;
    ioapic->lines = 0;
}

void ioapic_attach(struct ioapic *ioapic, struct bus *memory)
{
    bus_add(memory, &(struct bus_range){.base = MAP_IOAPIC_BASE,
                                        .size = MAP_IOAPIC_SIZE,
                                        .max_size = 4,
                                        .read = ioapic_read,
                                        .write = ioapic_write,
                                        .opaque = ioapic});
}
