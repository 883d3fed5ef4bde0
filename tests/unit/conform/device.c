/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device, and the bridge above it that can reset it. */
#include "device.h"

#include <string.h>

#include "pcilab/base/le.h"

#define BRIDGE_CONTROL 0x3e

static void reset_end(struct device *device)
{
    uint8_t *reg = device->bytes[DEVICE_END] + DEVICE_REG;
    uint32_t sticky = device->masks.sticky;

    le32_store(reg, (le32_load(reg) & sticky) | (device->masks.reset & ~sticky));
    device->resets++;
}

static unsigned index_of(const struct device *device, const struct conform_func *func)
{
    return (unsigned)(func - device->funcs);
}

/* False: it fails; `ones` when the device is gone. */
static bool answers(struct device *device, bool *ones)
{
    device->accesses++;
    *ones = device->gone_after && device->accesses > device->gone_after;
    return !device->broken_after || device->accesses <= device->broken_after;
}

static bool device_read(struct conform_backend *backend, const struct conform_func *func,
                        unsigned offset, unsigned len, uint32_t *value)
{
    struct device *device = (struct device *)backend;
    bool ones;

    if (!answers(device, &ones))
        return false;
    *value =
        ones ? 0xffffffff : (uint32_t)le_load(device->bytes[index_of(device, func)] + offset, len);
    return true;
}

static void write_register(struct device *device, unsigned byte, uint8_t value)
{
    uint8_t *at = device->bytes[DEVICE_END] + DEVICE_REG + byte;
    uint8_t rw = (uint8_t)(device->masks.rw >> 8 * byte);
    uint8_t rw1c = (uint8_t)(device->masks.rw1c >> 8 * byte);

    *at = (uint8_t)((*at & ~rw) | (value & rw));
    *at = (uint8_t)(*at & ~(value & rw1c));
}

static bool device_write(struct conform_backend *backend, const struct conform_func *func,
                         unsigned offset, unsigned len, uint32_t value)
{
    struct device *device = (struct device *)backend;
    unsigned which = index_of(device, func);
    bool ones;

    if (!answers(device, &ones))
        return false;
    for (unsigned i = 0; !ones && i < len; i++) {
        unsigned at = offset + i;
        uint8_t byte = (uint8_t)(value >> 8 * i);

        if (at < 4)
            continue;
        if (which == DEVICE_END && at >= DEVICE_REG && at < DEVICE_REG + 4)
            write_register(device, at - DEVICE_REG, byte);
        else if (which == DEVICE_END && at >= 0x40)
            continue;
        else
            device->bytes[which][at] = byte;
        if (which == DEVICE_BRIDGE && at == BRIDGE_CONTROL && byte & 0x40)
            reset_end(device);
    }
    return true;
}

static void device_free(struct conform_backend *backend)
{
}

void device_init(struct device *device, const struct device_masks *masks, uint32_t now)
{
    uint8_t *bridge, *end;

    *device = (struct device){.masks = *masks};
    device->backend = (struct conform_backend){.name = "bytes",
                                               .config_read = device_read,
                                               .config_write = device_write,
                                               .free = device_free,
                                               .funcs = device->funcs,
                                               .func_count = DEVICE_FUNCS,
                                               .chosen = &device->funcs[DEVICE_END]};
    bridge = device->bytes[DEVICE_BRIDGE];
    end = device->bytes[DEVICE_END];
    device->funcs[DEVICE_BRIDGE] =
        (struct conform_func){.rid = 0x0008, .config_bytes = DEVICE_BYTES, .name = "bridge"};
    device->funcs[DEVICE_END] =
        (struct conform_func){.rid = 0x0100, .config_bytes = DEVICE_BYTES, .name = "end"};
    le32_store(bridge, 0x12345678);
    bridge[0x0e] = 1;
    bridge[0x19] = bridge[0x1a] = 1;
    le32_store(end, 0x00ee504c);
    end[0x06] = 0x10; /* there is a list */
    end[0x34] = DEVICE_CAP;
    end[DEVICE_CAP] = 0x09;
    end[DEVICE_CAP + 2] = 8;
    le32_store(end + DEVICE_REG, now);
}

uint32_t device_register(const struct device *device)
{
    return le32_load(device->bytes[DEVICE_END] + DEVICE_REG);
}
