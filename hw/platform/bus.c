/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The platform's own bus. */
#include "bus.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "pcilab/base/le.h"

void bus_add(struct bus *bus, const struct bus_range *range)
{
    assert(bus->count < BUS_RANGES_MAX);
    assert(!bus_find(bus, range->base) && !bus_find(bus, range->base + range->size - 1));
    bus->range[bus->count++] = *range;
}

const struct bus_range *bus_find(const struct bus *bus, uint64_t addr)
{
    for (unsigned i = 0; i < bus->count; i++) {
        if (addr - bus->range[i].base < bus->range[i].size)
            return &bus->range[i];
    }
    return NULL;
}

/* The largest naturally aligned power of two that fits at `offset`. */
static unsigned piece_size(const struct bus_range *range, uint64_t offset, unsigned left)
{
    unsigned size = range->max_size;

    while (size > left || offset % size)
        size /= 2;
    return size;
}

void bus_read(const struct bus_range *range, uint64_t addr, unsigned size, uint8_t *data)
{
    uint64_t offset = addr - range->base;

    memset(data, 0xff, size);
    for (unsigned i = 0, step; i < size && offset + i < range->size; i += step) {
        step = piece_size(range, offset + i, size - i);
        le_store(data + i, range->read(range->opaque, offset + i, step), step);
    }
}

void bus_write(const struct bus_range *range, uint64_t addr, unsigned size, const uint8_t *data)
{
    uint64_t offset = addr - range->base;

    for (unsigned i = 0, step; i < size && offset + i < range->size; i += step) {
        step = piece_size(range, offset + i, size - i);
        range->write(range->opaque, offset + i, step, le_load(data + i, step));
    }
}
