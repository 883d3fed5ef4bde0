/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power management of a hardware-reduced ACPI platform (ACPI 6.5, 4.8.3.7): the sleep control and
 * status registers, and the reset register at the PC's port 0xCF9.
 */
#ifndef PCILAB_HW_PLATFORM_PM_H
#define PCILAB_HW_PLATFORM_PM_H

#include "bus.h"
#include "pcilab/reg/reg.h"

#define PM_SLEEP_TYPE_S5 5    /* what \_S5 names */
#define PM_RESET_VALUE   0x06 /* FADT RESET_VALUE */

struct pm_ops {
    void (*power_off)(void *opaque);
    void (*reset)(void *opaque);
};

struct pm {
    struct reg_space *regs;
    const struct pm_ops *ops;
    void *opaque;
};

void pm_init(struct pm *pm, const struct pm_ops *ops, void *opaque);
void pm_fini(struct pm *pm);
void pm_reset(struct pm *pm);
void pm_attach(struct pm *pm, struct bus *io);
/* The reset register; its port lies inside configuration mechanism #1's, which forwards it. */
uint8_t pm_reset_port_read(struct pm *pm);
void pm_reset_port_write(struct pm *pm, uint8_t value);

#endif
