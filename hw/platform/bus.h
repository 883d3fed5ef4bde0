/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The platform's own bus: ranges of memory or of I/O ports that a device of the board decodes
 * itself. PCI is not on it.
 */
#ifndef PCILAB_HW_PLATFORM_BUS_H
#define PCILAB_HW_PLATFORM_BUS_H

#include <stdint.h>

#define BUS_RANGES_MAX 20

/* offset is from the range's base; size is 1, 2, 4 or 8 and at most the range's max_size. */
typedef uint64_t (*bus_read_fn)(void *opaque, uint64_t offset, unsigned size);
typedef void (*bus_write_fn)(void *opaque, uint64_t offset, unsigned size, uint64_t value);

struct bus_range {
    uint64_t base, size;
    unsigned max_size; /* wider accesses are split into such pieces, lowest address first */
    bus_read_fn read;
    bus_write_fn write;
    void *opaque;
};

struct bus {
    struct bus_range range[BUS_RANGES_MAX];
    unsigned count;
};

void bus_add(struct bus *bus, const struct bus_range *range);
/* The range that decodes the first byte; NULL: a hole. */
const struct bus_range *bus_find(const struct bus *bus, uint64_t addr);
/* size is 1 to 64; bytes outside of the range read as ones and are not written. */
void bus_read(const struct bus_range *range, uint64_t addr, unsigned size, uint8_t *data);
void bus_write(const struct bus_range *range, uint64_t addr, unsigned size, const uint8_t *data);

#endif
