/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power-off and reset. */
#include "pm.h"

#include "pcilab/base/bits.h"
#include "pcilab/platform/addrmap.h"

enum { PM_SLEEP_CONTROL, PM_SLEEP_STATUS, PM_RESET_CONTROL, PM_NMI_STATUS, PM_SPACE };

#define SLEEP_TYPE   0x1c
#define SLEEP_ENABLE 0x20
#define WAKE_STATUS  0x80
#define RESET_CPU    0x04

static void sleep_control_written(struct reg_space *space, unsigned offset,
                                  const struct reg_write *write)
{
    struct pm *pm = reg_space_owner(space);

    /* CHOICE: S5 is the only state; enabling another one does nothing. */
    if ((write->written & SLEEP_ENABLE) &&
        FIELD_GET(SLEEP_TYPE, write->new_value) == PM_SLEEP_TYPE_S5)
        pm->ops->power_off(pm->opaque);
}

/* The reset happens when bit 2 goes from 0 to 1; bit 1 selects its kind (Intel ICH9 datasheet
 * 316972-004, 13.7.5). CHOICE: both kinds are the same complete reset. */
static void reset_control_written(struct reg_space *space, unsigned offset,
                                  const struct reg_write *write)
{
    struct pm *pm = reg_space_owner(space);

    if (write->new_value & ~write->old_value & RESET_CPU)
        pm->ops->reset(pm->opaque);
}

static const struct reg_def pm_defs[] = {
    {.name = "sleep_control",
     .clause = "ACPI 6.5, 4.8.3.7",
     .offset = PM_SLEEP_CONTROL,
     .width = 1,
     .rw = SLEEP_TYPE,
     .w1t = SLEEP_ENABLE,
     .on_write = sleep_control_written},
    {.name = "sleep_status",
     .clause = "ACPI 6.5, 4.8.3.7",
     .offset = PM_SLEEP_STATUS,
     .width = 1,
     .rw1c = WAKE_STATUS},
    {.name = "reset_control",
     .clause = "ICH9 (316972-004) 13.7.5",
     .offset = PM_RESET_CONTROL,
     .width = 1,
     .rw = 0x0e,
     .on_write = reset_control_written},
    /* Who raised an NMI: neither SERR# nor IOCHK#. UNIMPL: the speaker and its counter. */
    {.name = "nmi_status_control",
     .clause = "ICH9 (316972-004) 13.7.1",
     .offset = PM_NMI_STATUS,
     .width = 1,
     .rw = 0x0f},
};

void pm_init(struct pm *pm, const struct pm_ops *ops, void *opaque)
{
    *pm = (struct pm){.ops = ops, .opaque = opaque};
    pm->regs = reg_space_new(PM_SPACE, pm);
    reg_space_place(pm->regs, 0, pm_defs, ARRAY_LEN(pm_defs));
}

void pm_fini(struct pm *pm)
{
    reg_space_free(pm->regs);
}

void pm_reset(struct pm *pm)
{
    reg_space_reset(pm->regs, REG_RESET_COLD);
}

uint8_t pm_reset_port_read(struct pm *pm)
{
    return (uint8_t)reg_read(pm->regs, PM_RESET_CONTROL, 1);
}

void pm_reset_port_write(struct pm *pm, uint8_t value)
{
    reg_write(pm->regs, PM_RESET_CONTROL, 1, value);
}

static uint64_t nmi_read(void *opaque, uint64_t offset, unsigned size)
{
    struct pm *pm = opaque;

    return reg_read(pm->regs, PM_NMI_STATUS, 1);
}

static void nmi_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct pm *pm = opaque;

    reg_write(pm->regs, PM_NMI_STATUS, 1, value);
}

static uint64_t pm_read(void *opaque, uint64_t offset, unsigned size)
{
    struct pm *pm = opaque;

    return reg_read(pm->regs, (unsigned)offset, 1);
}

static void pm_write(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct pm *pm = opaque;

    reg_write(pm->regs, (unsigned)offset, 1, value);
}

void pm_attach(struct pm *pm, struct bus *io)
{
    bus_add(io, &(struct bus_range){.base = MAP_SLEEP_PORT,
                                    .size = 2,
                                    .max_size = 1,
                                    .read = pm_read,
                                    .write = pm_write,
                                    .opaque = pm});
    bus_add(io, &(struct bus_range){.base = MAP_NMI_PORT,
                                    .size = 1,
                                    .max_size = 1,
                                    .read = nmi_read,
                                    .write = nmi_write,
                                    .opaque = pm});
}
