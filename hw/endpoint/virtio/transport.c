/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio over PCI: VIRTIO 1.3, 4.1. BAR 0 (64-bit memory, 32 KiB) and the vendor-specific
 * capabilities that say what is where in it:
 *
 *   0000h common configuration   1000h ISR status       2000h device configuration
 *   3000h notifications          4000h MSI-X table      5000h its pending bits
 *
 * CHOICE: the PCI configuration access capability (4.1.4.9) reaches the virtio structures, not the
 * MSI-X table.
 */
#include <string.h>

#include <glib.h>

#include "core.h"
#include "pcilab/base/le.h"
#include "pcilab/endpoint/bar_regs.h"

#define BAR               0
#define BAR_BYTES         0x8000
#define MSIX_TABLE_OFFSET 0x4000
#define MSIX_PBA_OFFSET   0x5000

#define NOTIFY_MULTIPLIER 4

#define CAP_VENDOR 0x09
enum { /* 4.1.4: offsets in a capability */
       CAP_LEN = 2,
       CAP_TYPE = 3,
       CAP_BAR = 4,
       CAP_OFFSET = 8,
       CAP_LENGTH = 12,
       CAP_BYTES = 16,
       CAP_NOTIFY_MULTIPLIER = 16,
       CAP_CFG_DATA = 16,
       CAP_EXTENDED_BYTES = 20,
};
enum { /* cfg_type */
       CAP_TYPE_COMMON = 1,
       CAP_TYPE_NOTIFY = 2,
       CAP_TYPE_ISR = 3,
       CAP_TYPE_DEVICE = 4,
       CAP_TYPE_PCI = 5,
};

/* The structures in the BAR. */

static void common_read(struct virtio *dev, unsigned offset, uint8_t *out, unsigned len)
{
    bar_regs_read(dev->common, offset, out, len);
}

static void common_write(struct virtio *dev, unsigned offset, const uint8_t *in, unsigned len)
{
    bar_regs_write(dev->common, offset, in, len);
}

/* 4.1.4.5: a read clears, and takes the interrupt back. */
static void isr_read(struct virtio *dev, unsigned offset, uint8_t *out, unsigned len)
{
    memset(out, 0, len);
    if (offset)
        return;
    out[0] = dev->isr;
    dev->isr = 0;
    endpoint_set_intx(dev->func, false);
}

static void device_read(struct virtio *dev, unsigned offset, uint8_t *out, unsigned len)
{
    memset(out, 0, len);
    if (offset < dev->config_bytes)
        memcpy(out, dev->config + offset, MIN(len, dev->config_bytes - offset));
}

static void device_write(struct virtio *dev, unsigned offset, const uint8_t *in, unsigned len)
{
    if (dev->ops->config_written && !dev->resetting && offset < dev->config_bytes)
        dev->ops->config_written(dev->owner, offset, in, MIN(len, dev->config_bytes - offset));
}

/* 4.1.4.4: any write at a queue's place notifies; what is written repeats its number. */
static void notify_write(struct virtio *dev, unsigned offset, const uint8_t *in, unsigned len)
{
    unsigned last = (offset + len - 1) / NOTIFY_MULTIPLIER;

    for (unsigned i = offset / NOTIFY_MULTIPLIER; i <= last && i < dev->queue_count; i++)
        virtq_notify(&dev->queue[i]);
}

static const struct structure {
    uint8_t type;
    uint16_t offset, bytes;
    void (*read)(struct virtio *dev, unsigned offset, uint8_t *out, unsigned len);
    void (*write)(struct virtio *dev, unsigned offset, const uint8_t *in, unsigned len);
} structures[] = {
    {CAP_TYPE_COMMON, 0x0000, 0x1000, common_read, common_write},
    {CAP_TYPE_ISR, 0x1000, 0x1000, isr_read, NULL},
    {CAP_TYPE_DEVICE, 0x2000, 0x1000, device_read, device_write},
    {CAP_TYPE_NOTIFY, 0x3000, 0x1000, NULL, notify_write},
};

/* An access goes to the structures that it touches, to each its part. */
static enum tlp_status bar_read(void *owner, unsigned bar, uint64_t offset, void *data,
                                unsigned len)
{
    memset(data, 0, len);
    for (unsigned i = 0; i < ARRAY_LEN(structures); i++) {
        const struct structure *s = &structures[i];
        uint64_t from = MAX(offset, s->offset), to = MIN(offset + len, s->offset + s->bytes);

        if (from < to && s->read)
            s->read(owner, (unsigned)(from - s->offset), (uint8_t *)data + (from - offset),
                    (unsigned)(to - from));
    }
    return TLP_SC;
}

static enum tlp_status bar_write(void *owner, unsigned bar, uint64_t offset, const void *data,
                                 unsigned len)
{
    for (unsigned i = 0; i < ARRAY_LEN(structures); i++) {
        const struct structure *s = &structures[i];
        uint64_t from = MAX(offset, s->offset), to = MIN(offset + len, s->offset + s->bytes);

        if (from < to && s->write)
            s->write(owner, (unsigned)(from - s->offset), (const uint8_t *)data + (from - offset),
                     (unsigned)(to - from));
    }
    return TLP_SC;
}

/* The capabilities. */

static struct virtio *virtio_of_space(struct reg_space *space)
{
    const struct pci_func *pci = reg_space_owner(space);

    return endpoint_func_owner(pci->owner);
}

/* The access that the PCI configuration access capability describes; length 0: none. */
static unsigned cfg_window(struct virtio *dev, unsigned *offset)
{
    uint64_t bar = reg_get(dev->pci->cfg, dev->cfg_cap + CAP_BAR);
    uint64_t at = reg_get(dev->pci->cfg, dev->cfg_cap + CAP_OFFSET);
    uint64_t len = reg_get(dev->pci->cfg, dev->cfg_cap + CAP_LENGTH);

    if (bar != BAR || (len != 1 && len != 2 && len != 4) || at % len || at > BAR_BYTES - len)
        return 0;
    *offset = (unsigned)at;
    return (unsigned)len;
}

static uint64_t cfg_data_read(struct reg_space *space, unsigned reg_offset, uint64_t value)
{
    struct virtio *dev = virtio_of_space(space);
    uint8_t data[4] = {0};
    unsigned offset, len = cfg_window(dev, &offset);

    if (len)
        bar_read(dev, BAR, offset, data, len);
    return le32_load(data);
}

static void cfg_data_written(struct reg_space *space, unsigned reg_offset,
                             const struct reg_write *write)
{
    struct virtio *dev = virtio_of_space(space);
    uint8_t data[4];
    unsigned offset, len = cfg_window(dev, &offset);

    le32_store(data, (uint32_t)write->new_value);
    if (len)
        bar_write(dev, BAR, offset, data, len);
}

/* clang-format off */
static const struct reg_def cap_rows[] = {
    {.name = "virtio_cap_len", .clause = "VIRTIO 1.3 4.1.4", .offset = CAP_LEN, .width = 1},
    {.name = "virtio_cfg_type", .clause = "VIRTIO 1.3 4.1.4", .offset = CAP_TYPE, .width = 1},
    {.name = "virtio_bar", .clause = "VIRTIO 1.3 4.1.4", .offset = CAP_BAR, .width = 1},
    {.name = "virtio_offset", .clause = "VIRTIO 1.3 4.1.4", .offset = CAP_OFFSET, .width = 4},
    {.name = "virtio_length", .clause = "VIRTIO 1.3 4.1.4", .offset = CAP_LENGTH, .width = 4},
    {.name = "virtio_notify_off_multiplier", .clause = "VIRTIO 1.3 4.1.4.4",
     .offset = CAP_NOTIFY_MULTIPLIER, .width = 4, .reset = NOTIFY_MULTIPLIER},
};

static const struct reg_def cfg_cap_rows[] = {
    {.name = "virtio_cap_len", .clause = "VIRTIO 1.3 4.1.4", .offset = CAP_LEN, .width = 1},
    {.name = "virtio_cfg_type", .clause = "VIRTIO 1.3 4.1.4", .offset = CAP_TYPE, .width = 1},
    {.name = "virtio_bar", .clause = "VIRTIO 1.3 4.1.4.9", .offset = CAP_BAR, .width = 1,
     .rw = 0xff},
    {.name = "virtio_offset", .clause = "VIRTIO 1.3 4.1.4.9", .offset = CAP_OFFSET, .width = 4,
     .rw = 0xffffffff},
    {.name = "virtio_length", .clause = "VIRTIO 1.3 4.1.4.9", .offset = CAP_LENGTH, .width = 4,
     .rw = 0xffffffff},
    {.name = "virtio_pci_cfg_data", .clause = "VIRTIO 1.3 4.1.4.9", .offset = CAP_CFG_DATA,
     .width = 4, .rw = 0xffffffff, .on_write = cfg_data_written, .on_read = cfg_data_read},
};
/* clang-format on */

static unsigned structure_bytes(const struct virtio *dev, unsigned type)
{
    switch (type) {
    case CAP_TYPE_COMMON: return reg_space_size(dev->common);
    case CAP_TYPE_ISR: return 1;
    case CAP_TYPE_DEVICE: return dev->config_bytes;
    default: return dev->queue_count * NOTIFY_MULTIPLIER;
    }
}

static void add_structure_cap(struct virtio *dev, const struct structure *s)
{
    bool notify = s->type == CAP_TYPE_NOTIFY;
    unsigned size = notify ? CAP_EXTENDED_BYTES : CAP_BYTES;
    unsigned cap =
        pci_func_place_cap(dev->pci, CAP_VENDOR, cap_rows, ARRAY_LEN(cap_rows) - !notify, size);

    reg_hwinit(dev->pci->cfg, cap + CAP_LEN, size);
    reg_hwinit(dev->pci->cfg, cap + CAP_TYPE, s->type);
    reg_hwinit(dev->pci->cfg, cap + CAP_BAR, BAR);
    reg_hwinit(dev->pci->cfg, cap + CAP_OFFSET, s->offset);
    reg_hwinit(dev->pci->cfg, cap + CAP_LENGTH, structure_bytes(dev, s->type));
}

static void add_cfg_cap(struct virtio *dev)
{
    unsigned cap = pci_func_place_cap(dev->pci, CAP_VENDOR, cfg_cap_rows, ARRAY_LEN(cfg_cap_rows),
                                      CAP_EXTENDED_BYTES);

    dev->cfg_cap = cap;
    reg_hwinit(dev->pci->cfg, cap + CAP_LEN, CAP_EXTENDED_BYTES);
    reg_hwinit(dev->pci->cfg, cap + CAP_TYPE, CAP_TYPE_PCI);
}

void virtio_transport_init(struct virtio *dev, const struct pcie_params *pcie)
{
    struct pcie_params params = *pcie;

    params.flr = true;
    pci_func_set_bar(dev->pci, BAR, PCI_BAR_MEM64, BAR_BYTES);
    pci_func_set_interrupt_pin(dev->pci, 1);
    for (unsigned i = 0; i < ARRAY_LEN(structures); i++) {
        if (structures[i].type != CAP_TYPE_DEVICE || dev->config_bytes) /* 4.1.4.6 */
            add_structure_cap(dev, &structures[i]);
    }
    add_cfg_cap(dev);
    pci_cap_pm_add(dev->pci);
    pci_cap_msix_add(dev->pci, dev->queue_count + 1, BAR, MSIX_TABLE_OFFSET, MSIX_PBA_OFFSET);
    pci_cap_pcie_add(dev->pci, &params);
}

static void function_reset(void *owner, enum endpoint_reset kind)
{
    virtio_reset(owner, true);
}

static void function_destroy(void *owner)
{
    struct virtio *dev = owner;

    dev->ops->destroy(dev->owner);
    for (unsigned i = 0; i < dev->queue_count; i++)
        virtq_fini(&dev->queue[i]);
    reg_space_free(dev->common);
    g_free(dev->queue);
    g_free(dev->config);
    g_free(dev->name);
    g_free(dev);
}

const struct endpoint_func_ops virtio_func_ops = {
    .bar_read = bar_read,
    .bar_write = bar_write,
    .reset = function_reset,
    .destroy = function_destroy,
};
