/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtio functions as device types see them: VIRTIO 1.3. The parts are common.c (status, features,
 * interrupts), transport.c (PCI), queue.c, split.c and packed.c (virtqueues). */
#include <assert.h>
#include <string.h>

#include <glib.h>

#include "core.h"

#define DEVICE_ID_BASE 0x1040 /* 4.1.2.1 */

#define CORE_FEATURES                                                                              \
    (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM)
#define TYPE_FEATURES (GENMASK(23, 0) | GENMASK(63, 50)) /* 2.2 */

static void init_queues(struct virtio *dev, const struct virtio_params *params)
{
    assert(params->queue_count >= 1 && params->queue_count <= VIRTIO_QUEUES_MAX);
    dev->queue = g_new0(struct virtq, params->queue_count);
    dev->queue_count = params->queue_count;
    for (unsigned i = 0; i < params->queue_count; i++)
        virtq_init(&dev->queue[i], dev, &params->queues[i]);
}

struct virtio *virtio_new(struct fabric *fabric, const struct virtio_params *params)
{
    struct virtio *dev = g_new0(struct virtio, 1);
    uint16_t device_id = (uint16_t)(DEVICE_ID_BASE + params->type);
    struct endpoint_func_desc desc = {
        .name = params->name,
        .ids = {.vendor = VIRTIO_VENDOR_ID,
                .device = device_id,
                .subvendor = VIRTIO_VENDOR_ID,
                .subdevice = device_id,
                .class_code = params->class_code,
                .revision = 1},
        .ops = &virtio_func_ops,
        .owner = dev,
    };

    assert(!(params->features & ~TYPE_FEATURES));
    assert(params->config_bytes <= VIRTIO_CONFIG_MAX && params->ops->request);
    dev->name = g_strdup(params->name);
    dev->ops = params->ops;
    dev->owner = params->owner;
    dev->offered = params->features | CORE_FEATURES | (params->packed ? VIRTIO_F_RING_PACKED : 0);
    dev->config_bytes = params->config_bytes;
    dev->config = g_malloc0(params->config_bytes + 1);
    if (params->config)
        memcpy(dev->config, params->config, params->config_bytes);

    dev->ep = endpoint_new(fabric, params->name);
    dev->func = endpoint_add_func(dev->ep, &desc);
    dev->pci = endpoint_func_pci(dev->func);
    dev->sim = endpoint_sim(dev->func);
    init_queues(dev, params);
    virtio_common_init(dev);
    virtio_transport_init(dev, &params->pcie);
    endpoint_ready(dev->ep);
    return dev;
}

struct endpoint *virtio_endpoint(struct virtio *dev)
{
    return dev->ep;
}

struct endpoint_func *virtio_func(struct virtio *dev)
{
    return dev->func;
}

uint64_t virtio_features(const struct virtio *dev)
{
    return dev->features;
}

bool virtio_running(const struct virtio *dev)
{
    return dev->running;
}

void virtio_set_config(struct virtio *dev, unsigned offset, const void *data, unsigned len,
                       bool notify)
{
    assert(range_inside(offset, len, 0, dev->config_bytes));
    memcpy(dev->config + offset, data, len);
    if (!notify)
        return;
    dev->generation++;
    if (dev->running)
        virtio_interrupt_config(dev);
}

void virtio_look(struct virtio *dev, unsigned queue)
{
    assert(queue < dev->queue_count);
    virtq_notify(&dev->queue[queue]);
}

const uint8_t *virtio_config(const struct virtio *dev)
{
    return dev->config;
}
