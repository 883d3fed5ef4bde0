/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device below a bridge, as bytes and masks: what the suite's field procedures are tried on. */
#ifndef PCILAB_TESTS_CONFORM_DEVICE_H
#define PCILAB_TESTS_CONFORM_DEVICE_H

#include "internal.h"

#define DEVICE_BYTES 256
#define DEVICE_CAP   0x80 /* a vendor's capability; its register is 4 bytes further */
#define DEVICE_REG   0x84

enum { DEVICE_BRIDGE, DEVICE_END, DEVICE_FUNCS };

struct device_masks {
    uint32_t reset, rw, rw1c, sticky;
};

struct device {
    struct conform_backend backend;
    struct conform_func funcs[DEVICE_FUNCS];
    uint8_t bytes[DEVICE_FUNCS][DEVICE_BYTES];
    struct device_masks masks; /* of DEVICE_REG of the end; the rest is RW */
    unsigned accesses;
    unsigned gone_after;   /* accesses, then it answers all ones; 0: never */
    unsigned broken_after; /* accesses, then they fail */
    unsigned resets;
};

/* Its register begins as `now` and is reset to masks->reset. */
void device_init(struct device *device, const struct device_masks *masks, uint32_t now);
uint32_t device_register(const struct device *device);

#endif
