/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The common configuration structure (VIRTIO 1.3, 4.1.4.3), device status (2.1), features (2.2),
 * resets (2.4), interrupts (4.1.5.3 to 4.1.5.5).
 *
 * The rows of a virtqueue hold the values of the queue that is selected.
 *
 * UNIMPL: queue reset, notification data, the administration virtqueue: none is offered.
 */
#include "core.h"
#include "pcilab/trace/trace.h"

#include <glib.h>

enum {
    COMMON_DEVICE_FEATURE_SELECT = 0x00,
    COMMON_DEVICE_FEATURE = 0x04,
    COMMON_DRIVER_FEATURE_SELECT = 0x08,
    COMMON_DRIVER_FEATURE = 0x0c,
    COMMON_CONFIG_VECTOR = 0x10,
    COMMON_NUM_QUEUES = 0x12,
    COMMON_STATUS = 0x14,
    COMMON_GENERATION = 0x15,
    COMMON_QUEUE_SELECT = 0x16,
    COMMON_QUEUE_SIZE = 0x18,
    COMMON_QUEUE_VECTOR = 0x1a,
    COMMON_QUEUE_ENABLE = 0x1c,
    COMMON_QUEUE_NOTIFY_OFF = 0x1e,
    COMMON_QUEUE_DESC = 0x20,
    COMMON_QUEUE_DRIVER = 0x28,
    COMMON_QUEUE_DEVICE = 0x30,
    COMMON_BYTES = 0x38,
};

static void rule(struct virtio *dev, const char *why)
{
    trace_say(endpoint_trace(dev->func), TRACE_RULE, dev->name, "%s", why);
}

unsigned virtio_status(const struct virtio *dev)
{
    return (unsigned)reg_get(dev->common, COMMON_STATUS);
}

/* Interrupts. */

static void interrupt(struct virtio *dev, uint8_t isr, unsigned vector)
{
    if (pci_func_msi_enabled(dev->pci)) {
        if (vector != VIRTIO_NO_VECTOR)
            endpoint_interrupt(dev->func, vector);
        return;
    }
    dev->isr |= isr;
    endpoint_set_intx(dev->func, true);
}

void virtio_interrupt_queue(struct virtq *q)
{
    interrupt(q->dev, VIRTIO_ISR_QUEUE, q->vector);
}

void virtio_interrupt_config(struct virtio *dev)
{
    interrupt(dev, VIRTIO_ISR_CONFIG, (unsigned)reg_get(dev->common, COMMON_CONFIG_VECTOR));
}

void virtio_fail(struct virtio *dev, const char *why)
{
    unsigned status = virtio_status(dev);

    if (dev->resetting || (status & VIRTIO_STATUS_NEEDS_RESET))
        return;
    rule(dev, why);
    dev->running = false;
    reg_set(dev->common, COMMON_STATUS, status | VIRTIO_STATUS_NEEDS_RESET);
    if (status & VIRTIO_STATUS_DRIVER_OK)
        virtio_interrupt_config(dev);
}

/* The selected queue. */

static struct virtq *selected(struct virtio *dev)
{
    unsigned index = (unsigned)reg_get(dev->common, COMMON_QUEUE_SELECT);

    return index < dev->queue_count ? &dev->queue[index] : NULL;
}

/* A queue that does not exist reads as one of size 0. */
static void show_queue(struct virtio *dev)
{
    static const struct virtq none = {.vector = VIRTIO_NO_VECTOR};
    const struct virtq *q = selected(dev);

    q = q ? q : &none;
    reg_set(dev->common, COMMON_QUEUE_SIZE, q->size);
    reg_set(dev->common, COMMON_QUEUE_VECTOR, q->vector);
    reg_set(dev->common, COMMON_QUEUE_ENABLE, q->enabled);
    reg_set(dev->common, COMMON_QUEUE_NOTIFY_OFF, q->index);
    reg_set(dev->common, COMMON_QUEUE_DESC, q->desc);
    reg_set(dev->common, COMMON_QUEUE_DRIVER, q->driver);
    reg_set(dev->common, COMMON_QUEUE_DEVICE, q->device);
}

static void select_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    show_queue(reg_space_owner(space));
}

/* A queue in use does not change (4.1.4.3.2). */
static void queue_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct virtio *dev = reg_space_owner(space);
    struct virtq *q = selected(dev);

    if (q && !q->enabled) {
        q->size = (uint16_t)reg_get(space, COMMON_QUEUE_SIZE);
        q->desc = reg_get(space, COMMON_QUEUE_DESC);
        q->driver = reg_get(space, COMMON_QUEUE_DRIVER);
        q->device = reg_get(space, COMMON_QUEUE_DEVICE);
    } else {
        rule(dev, "a queue in use, or none, was set up (4.1.4.3.2)");
        show_queue(dev);
    }
}

static uint16_t valid_vector(const struct virtio *dev, uint64_t vector)
{
    return vector < dev->queue_count + 1u ? (uint16_t)vector : VIRTIO_NO_VECTOR;
}

static void queue_vector_written(struct reg_space *space, unsigned offset,
                                 const struct reg_write *write)
{
    struct virtio *dev = reg_space_owner(space);
    struct virtq *q = selected(dev);

    if (q)
        q->vector = valid_vector(dev, write->new_value);
    show_queue(dev);
}

static void config_vector_written(struct reg_space *space, unsigned offset,
                                  const struct reg_write *write)
{
    reg_set(space, offset, valid_vector(reg_space_owner(space), write->new_value));
}

static void enable_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct virtio *dev = reg_space_owner(space);
    struct virtq *q = selected(dev);
    const char *wrong = NULL;

    if (!q || q->enabled || write->new_value != 1 || dev->resetting) {
        rule(dev, "a queue in use, or none, was enabled, or one disabled (4.1.4.3.2)");
    } else if (!(virtio_status(dev) & VIRTIO_STATUS_FEATURES_OK)) {
        rule(dev, "a queue was enabled before the features were agreed (3.1.1)");
    } else {
        wrong = virtq_enable(q);
        if (wrong)
            virtio_fail(dev, wrong);
        else
            virtq_notify(q);
    }
    show_queue(dev);
}

/* Features. */

static uint32_t feature_word(uint64_t features, uint64_t select)
{
    return select < 2 ? (uint32_t)(features >> 32 * select) : 0;
}

static uint64_t device_feature_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    const struct virtio *dev = reg_space_owner(space);

    return feature_word(dev->offered, reg_get(space, COMMON_DEVICE_FEATURE_SELECT));
}

static uint64_t driver_feature_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    const struct virtio *dev = reg_space_owner(space);

    return feature_word(dev->accepted, reg_get(space, COMMON_DRIVER_FEATURE_SELECT));
}

static void driver_feature_select_written(struct reg_space *space, unsigned offset,
                                          const struct reg_write *write)
{
    /* So that a write in part merges with the right word. */
    reg_set(space, COMMON_DRIVER_FEATURE, driver_feature_read(space, 0, 0));
}

static void driver_feature_written(struct reg_space *space, unsigned offset,
                                   const struct reg_write *write)
{
    struct virtio *dev = reg_space_owner(space);
    uint64_t select = reg_get(space, COMMON_DRIVER_FEATURE_SELECT);

    if (virtio_status(dev) & VIRTIO_STATUS_FEATURES_OK)
        rule(dev, "features were changed after they were agreed (3.1.1)");
    else if (select < 2)
        dev->accepted = field_set(dev->accepted, 0xffffffffULL << 32 * select, write->new_value);
    else if (write->new_value)
        rule(dev, "a feature was accepted that was not offered (2.2)");
}

/* 2.2.2: what was not offered is not accepted. A device of this specification needs VERSION_1
 * (6.2). */
static bool features_acceptable(struct virtio *dev)
{
    if (!(dev->accepted & ~dev->offered) && (dev->accepted & VIRTIO_F_VERSION_1))
        return true;
    rule(dev, "the driver's features are not acceptable (2.2)");
    return false;
}

/* Device status and resets. */

static void driver_ok(struct virtio *dev)
{
    dev->running = true;
    if (dev->ops->driver_ok)
        dev->ops->driver_ok(dev->owner, dev->features);
    for (unsigned i = 0; i < dev->queue_count; i++)
        virtq_notify(&dev->queue[i]);
}

static void status_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct virtio *dev = reg_space_owner(space);
    unsigned was = (unsigned)write->old_value;
    /* The driver clears no bits but by a reset (2.1.1), and NEEDS_RESET is the device's. */
    unsigned is = ((unsigned)write->new_value & ~VIRTIO_STATUS_NEEDS_RESET) | was;
    unsigned set = is & ~was;

    reg_set(space, offset, was);
    if (dev->resetting)
        return;
    if (!write->new_value) {
        virtio_reset(dev, false);
        return;
    }
    if (set & VIRTIO_STATUS_FEATURES_OK) {
        if (features_acceptable(dev))
            dev->features = dev->accepted;
        else
            is &= ~VIRTIO_STATUS_FEATURES_OK;
    }
    if ((set & VIRTIO_STATUS_DRIVER_OK) && !(is & VIRTIO_STATUS_FEATURES_OK)) {
        rule(dev, "DRIVER_OK was set before the features were agreed (3.1.1)");
        is &= ~VIRTIO_STATUS_DRIVER_OK;
    }
    reg_set(space, offset, is);
    if ((is & ~was & VIRTIO_STATUS_DRIVER_OK) && !(is & VIRTIO_STATUS_NEEDS_RESET))
        driver_ok(dev);
}

void virtio_drained(struct virtio *dev)
{
    dev->resetting = false;
    dev->features = dev->accepted = 0;
    dev->isr = 0;
    endpoint_set_intx(dev->func, false);
    for (unsigned i = 0; i < dev->queue_count; i++)
        virtq_reset(&dev->queue[i]);
    reg_space_reset(dev->common, REG_RESET_COLD);
    show_queue(dev);
}

/* 2.4, 4.1.4.3.1: device_status reads 0 when the device is done with memory. */
void virtio_reset(struct virtio *dev, bool dma_gone)
{
    dev->running = false;
    if (!dev->resetting && dev->ops->reset)
        dev->ops->reset(dev->owner);
    dev->resetting = true;
    if (dma_gone)
        dev->live_dma = 0;
    if (!dev->live_dma)
        virtio_drained(dev);
}

static uint64_t generation_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    const struct virtio *dev = reg_space_owner(space);

    return dev->generation;
}

/* clang-format off */
static const struct reg_def common_rows[] = {
    {.name = "device_feature_select", .clause = "VIRTIO 1.3 4.1.4.3",
     .offset = COMMON_DEVICE_FEATURE_SELECT, .width = 4, .rw = 0xffffffff},
    {.name = "device_feature", .clause = "VIRTIO 1.3 4.1.4.3", .offset = COMMON_DEVICE_FEATURE,
     .width = 4, .on_read = device_feature_read},
    {.name = "driver_feature_select", .clause = "VIRTIO 1.3 4.1.4.3",
     .offset = COMMON_DRIVER_FEATURE_SELECT, .width = 4, .rw = 0xffffffff,
     .on_write = driver_feature_select_written},
    {.name = "driver_feature", .clause = "VIRTIO 1.3 4.1.4.3", .offset = COMMON_DRIVER_FEATURE,
     .width = 4, .rw = 0xffffffff, .on_write = driver_feature_written,
     .on_read = driver_feature_read},
    {.name = "config_msix_vector", .clause = "VIRTIO 1.3 4.1.4.3", .offset = COMMON_CONFIG_VECTOR,
     .width = 2, .reset = VIRTIO_NO_VECTOR, .rw = 0xffff, .on_write = config_vector_written},
    {.name = "num_queues", .clause = "VIRTIO 1.3 4.1.4.3", .offset = COMMON_NUM_QUEUES,
     .width = 2},
    {.name = "device_status", .clause = "VIRTIO 1.3 2.1", .offset = COMMON_STATUS, .width = 1,
     .rw = 0xff, .on_write = status_written},
    {.name = "config_generation", .clause = "VIRTIO 1.3 4.1.4.3.1", .offset = COMMON_GENERATION,
     .width = 1, .on_read = generation_read},
    {.name = "queue_select", .clause = "VIRTIO 1.3 4.1.4.3", .offset = COMMON_QUEUE_SELECT,
     .width = 2, .rw = 0xffff, .on_write = select_written},
    {.name = "queue_size", .clause = "VIRTIO 1.3 4.1.4.3", .offset = COMMON_QUEUE_SIZE, .width = 2,
     .rw = 0xffff, .on_write = queue_written},
    {.name = "queue_msix_vector", .clause = "VIRTIO 1.3 4.1.4.3", .offset = COMMON_QUEUE_VECTOR,
     .width = 2, .rw = 0xffff, .on_write = queue_vector_written},
    {.name = "queue_enable", .clause = "VIRTIO 1.3 4.1.4.3", .offset = COMMON_QUEUE_ENABLE,
     .width = 2, .rw = 0xffff, .on_write = enable_written},
    {.name = "queue_notify_off", .clause = "VIRTIO 1.3 4.1.4.3",
     .offset = COMMON_QUEUE_NOTIFY_OFF, .width = 2},
    {.name = "queue_desc", .clause = "VIRTIO 1.3 4.1.4.3", .offset = COMMON_QUEUE_DESC, .width = 8,
     .rw = UINT64_MAX, .on_write = queue_written},
    {.name = "queue_driver", .clause = "VIRTIO 1.3 4.1.4.3", .offset = COMMON_QUEUE_DRIVER,
     .width = 8, .rw = UINT64_MAX, .on_write = queue_written},
    {.name = "queue_device", .clause = "VIRTIO 1.3 4.1.4.3", .offset = COMMON_QUEUE_DEVICE,
     .width = 8, .rw = UINT64_MAX, .on_write = queue_written},
};
/* clang-format on */

void virtio_common_init(struct virtio *dev)
{
    dev->common = reg_space_new(COMMON_BYTES, dev);
    reg_space_place(dev->common, 0, common_rows, ARRAY_LEN(common_rows));
    reg_hwinit(dev->common, COMMON_NUM_QUEUES, dev->queue_count);
    reg_space_reset(dev->common, REG_RESET_COLD);
    show_queue(dev);
}
