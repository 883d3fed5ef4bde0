/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The I/O APIC: 24 pins, version 0x20, with the EOI register that comes with that version. Follows
 * the 82093AA datasheet (290566-001) and, for the EOI register, the Intel ICH9 datasheet
 * (316972-004), 13.5.
 */
#ifndef PCILAB_HW_PLATFORM_IOAPIC_H
#define PCILAB_HW_PLATFORM_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "lapic.h"

#define IOAPIC_PINS 24

struct ioapic {
    struct apic_bus *apics;
    struct reg_space *regs; /* the indirect registers, 4 bytes each */
    uint8_t select;
    uint32_t lines; /* pins that are asserted; polarity is the wire's business (CHOICE) */
};

void ioapic_init(struct ioapic *ioapic, struct apic_bus *apics);
void ioapic_fini(struct ioapic *ioapic);
void ioapic_reset(struct ioapic *ioapic);
void ioapic_attach(struct ioapic *ioapic, struct bus *memory);
void ioapic_set_line(struct ioapic *ioapic, unsigned pin, bool asserted);
/* EOI of a vector, broadcast by a local APIC or written to the EOI register. */
void ioapic_eoi(struct ioapic *ioapic, uint8_t vector);

#endif
