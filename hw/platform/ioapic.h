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
#define IOAPIC_EOI  0x40 /* offset of the EOI register (ICH9, 13.5.1) */

/* Takes an interrupt as the memory write that it would be on its way to a local APIC. */
typedef void (*ioapic_message_fn)(void *opaque, uint64_t addr, uint32_t data);

struct ioapic {
    struct apic_bus *apics;
    ioapic_message_fn message; /* NULL: straight to the local APICs */
    void *message_opaque;
    struct reg_space *regs; /* the indirect registers, 4 bytes each */
    uint8_t select;
    uint32_t lines; /* pins that are asserted; polarity is the wire's business (CHOICE) */
};

void ioapic_init(struct ioapic *ioapic, struct apic_bus *apics);
void ioapic_fini(struct ioapic *ioapic);
void ioapic_reset(struct ioapic *ioapic);
void ioapic_attach(struct ioapic *ioapic, struct bus *memory);
/* Interrupts go through interrupt remapping: entries then have 16 bits of address
 * (VT-d 4.1, 5.1.5.1).
 */
void ioapic_set_remapping(struct ioapic *ioapic, ioapic_message_fn message, void *opaque);
void ioapic_set_line(struct ioapic *ioapic, unsigned pin, bool asserted);
/* EOI of a vector, broadcast by a local APIC or written to the EOI register. */
void ioapic_eoi(struct ioapic *ioapic, uint8_t vector);

#endif
