/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The block device: VIRTIO 1.3, 5.2. Storage comes as callbacks; a request is done at once and its
 * time is that of its DMA.
 *
 * UNIMPL: zoned devices, secure erase, lifetime information, topology: not offered.
 */
#include <assert.h>
#include <string.h>

#include <glib.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/endpoint/virtio.h"
#include "pcilab/endpoint/virtio_devices.h"

#define CLASS_BLK 0x018000 /* mass storage, other */

#define SECTOR_BYTES 512
#define QUEUE_SIZE   128
#define IN_FLIGHT    16
#define QUEUES_MAX   64

/* 5.2.3 */
#define BLK_F_SIZE_MAX     BIT(1)
#define BLK_F_SEG_MAX      BIT(2)
#define BLK_F_RO           BIT(5)
#define BLK_F_BLK_SIZE     BIT(6)
#define BLK_F_FLUSH        BIT(9)
#define BLK_F_CONFIG_WCE   BIT(11)
#define BLK_F_MQ           BIT(12)
#define BLK_F_DISCARD      BIT(13)
#define BLK_F_WRITE_ZEROES BIT(14)

/* 5.2.4 */
enum {
    CONFIG_CAPACITY = 0,
    CONFIG_SIZE_MAX = 8,
    CONFIG_SEG_MAX = 12,
    CONFIG_BLK_SIZE = 20,
    CONFIG_WRITEBACK = 32,
    CONFIG_NUM_QUEUES = 34,
    CONFIG_MAX_DISCARD_SECTORS = 36,
    CONFIG_MAX_DISCARD_SEG = 40,
    CONFIG_DISCARD_ALIGNMENT = 44,
    CONFIG_MAX_ZEROES_SECTORS = 48,
    CONFIG_MAX_ZEROES_SEG = 52,
    CONFIG_ZEROES_MAY_UNMAP = 56,
    CONFIG_BYTES = 60,
};

/* CHOICE: 62 segments of at most 32 KiB bound what a request takes of the host's memory. */
#define SEG_MAX        62
#define SIZE_MAX_BYTES 0x8000
#define DATA_MAX_BYTES (SEG_MAX * SIZE_MAX_BYTES)

/* CHOICE: limits of discard and write zeroes. */
#define RANGES_MAX        16
#define RANGE_SECTORS_MAX 0x40000

/* 5.2.6 */
enum {
    T_IN = 0,
    T_OUT = 1,
    T_FLUSH = 4,
    T_GET_ID = 8,
    T_DISCARD = 11,
    T_WRITE_ZEROES = 13,
};
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };

#define HEADER_BYTES 16 /* type, reserved, sector */
#define ID_BYTES     20
#define RANGE_BYTES  16 /* sector, sectors, flags */
#define RANGE_UNMAP  0x1

struct virtio_blk {
    struct virtio *dev;
    struct nvme_storage storage;
    uint64_t sectors;
    uint64_t features;
    char id[ID_BYTES + 1];
};

static bool inside(const struct virtio_blk *blk, uint64_t sector, uint64_t bytes)
{
    return bytes % SECTOR_BYTES == 0 && range_inside(sector, bytes / SECTOR_BYTES, 0, blk->sectors);
}

static bool write_through(const struct virtio_blk *blk)
{
    if (!(blk->features & BLK_F_FLUSH)) /* 5.2.5: without it the driver relies on writethrough */
        return true;
    return (blk->features & BLK_F_CONFIG_WCE) && !virtio_config(blk->dev)[CONFIG_WRITEBACK];
}

static unsigned written_status(struct virtio_blk *blk, int error)
{
    if (!error && write_through(blk))
        error = blk->storage.flush(blk->storage.opaque);
    return error ? S_IOERR : S_OK;
}

/* Each takes the payload: device-readable bytes behind the header, or room before the status. */

static unsigned do_in(struct virtio_blk *blk, struct virtio_request *req, uint64_t sector)
{
    uint32_t len = req->out_len - 1;

    memset(req->out, 0, len);
    if (!inside(blk, sector, len))
        return S_IOERR;
    if (len && blk->storage.read(blk->storage.opaque, sector * SECTOR_BYTES, req->out, len)) {
        memset(req->out, 0, len);
        return S_IOERR;
    }
    return S_OK;
}

static unsigned do_out(struct virtio_blk *blk, struct virtio_request *req, uint64_t sector)
{
    uint32_t len = req->in_len - HEADER_BYTES;

    if (blk->storage.read_only || !inside(blk, sector, len)) /* 5.2.6.2 */
        return S_IOERR;
    if (!len)
        return S_OK;
    return written_status(blk, blk->storage.write(blk->storage.opaque, sector * SECTOR_BYTES,
                                                  req->in + HEADER_BYTES, len));
}

static unsigned do_flush(struct virtio_blk *blk, struct virtio_request *req, uint64_t sector)
{
    return blk->storage.flush(blk->storage.opaque) ? S_IOERR : S_OK;
}

static unsigned do_get_id(struct virtio_blk *blk, struct virtio_request *req, uint64_t sector)
{
    if (req->out_len - 1 < ID_BYTES)
        return S_IOERR;
    memset(req->out, 0, req->out_len - 1);
    memcpy(req->out, blk->id, ID_BYTES);
    return S_OK;
}

/* 5.2.6.2: discard has no flags, write zeroes has "unmap". */
static unsigned do_ranges(struct virtio_blk *blk, struct virtio_request *req, uint32_t flags)
{
    const uint8_t *range = req->in + HEADER_BYTES;
    uint32_t len = req->in_len - HEADER_BYTES;
    int error = 0;

    if (blk->storage.read_only || len % RANGE_BYTES || len > RANGES_MAX * RANGE_BYTES)
        return S_IOERR;
    for (const uint8_t *at = range; at < range + len; at += RANGE_BYTES) {
        uint32_t sectors = le32_load(at + 8);

        if (le32_load(at + 12) & ~flags)
            return S_UNSUPP;
        if (sectors > RANGE_SECTORS_MAX ||
            !inside(blk, le64_load(at), (uint64_t)sectors * SECTOR_BYTES))
            return S_IOERR;
    }
    for (const uint8_t *at = range; at < range + len && !error; at += RANGE_BYTES) {
        if (le32_load(at + 8))
            error = blk->storage.zero(blk->storage.opaque, le64_load(at) * SECTOR_BYTES,
                                      (uint64_t)le32_load(at + 8) * SECTOR_BYTES);
    }
    return written_status(blk, error);
}

/* CHOICE: what is discarded reads as zeroes. */
static unsigned do_discard(struct virtio_blk *blk, struct virtio_request *req, uint64_t sector)
{
    return do_ranges(blk, req, 0);
}

static unsigned do_write_zeroes(struct virtio_blk *blk, struct virtio_request *req, uint64_t sector)
{
    return do_ranges(blk, req, RANGE_UNMAP);
}

static const struct blk_command {
    uint32_t type;
    uint64_t feature; /* 0: always there */
    unsigned (*run)(struct virtio_blk *blk, struct virtio_request *req, uint64_t sector);
} commands[] = {
    {T_IN, 0, do_in},
    {T_OUT, 0, do_out},
    {T_FLUSH, BLK_F_FLUSH, do_flush},
    {T_GET_ID, 0, do_get_id},
    {T_DISCARD, BLK_F_DISCARD, do_discard},
    {T_WRITE_ZEROES, BLK_F_WRITE_ZEROES, do_write_zeroes},
};

static void blk_request(void *owner, struct virtio_request *req)
{
    struct virtio_blk *blk = owner;
    unsigned status = S_UNSUPP;

    if (req->in_len < HEADER_BYTES || !req->out_len || req->out_total != req->out_len) {
        virtio_fail(blk->dev, "a block request without header or status, or too long (5.2.6)");
        return;
    }
    /* What no command fills is not what was there before. */
    req->out[0] = 0;
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        const struct blk_command *cmd = &commands[i];

        if (cmd->type == le32_load(req->in) && (!cmd->feature || (blk->features & cmd->feature))) {
            status = cmd->run(blk, req, le64_load(req->in + 8));
            break;
        }
    }
    req->out[req->out_len - 1] = (uint8_t)status;
    virtio_answer(req, req->out_len);
}

static void blk_driver_ok(void *owner, uint64_t features)
{
    ((struct virtio_blk *)owner)->features = features;
}

/* 5.2.5: writeback is the state after a reset; it may be turned off. */
static void set_writeback(struct virtio_blk *blk, uint8_t on)
{
    virtio_set_config(blk->dev, CONFIG_WRITEBACK, &on, 1, false);
}

static void blk_reset(void *owner)
{
    struct virtio_blk *blk = owner;

    blk->features = 0;
    set_writeback(blk, 1);
}

static void blk_config_written(void *owner, unsigned offset, const uint8_t *data, unsigned len)
{
    struct virtio_blk *blk = owner;

    if (!range_inside(CONFIG_WRITEBACK, 1, offset, len) ||
        !(virtio_features(blk->dev) & BLK_F_CONFIG_WCE))
        return;
    set_writeback(blk, data[CONFIG_WRITEBACK - offset] & 1);
    if (!virtio_config(blk->dev)[CONFIG_WRITEBACK])
        blk->storage.flush(blk->storage.opaque);
}

static const struct virtio_device_ops blk_ops = {
    .request = blk_request,
    .driver_ok = blk_driver_ok,
    .reset = blk_reset,
    .config_written = blk_config_written,
    .destroy = g_free,
};

static void fill_config(uint8_t *config, const struct virtio_blk *blk, unsigned queues)
{
    le64_store(config + CONFIG_CAPACITY, blk->sectors);
    le32_store(config + CONFIG_SIZE_MAX, SIZE_MAX_BYTES);
    le32_store(config + CONFIG_SEG_MAX, SEG_MAX);
    le32_store(config + CONFIG_BLK_SIZE, SECTOR_BYTES);
    config[CONFIG_WRITEBACK] = 1;
    le16_store(config + CONFIG_NUM_QUEUES, (uint16_t)queues);
    le32_store(config + CONFIG_MAX_DISCARD_SECTORS, RANGE_SECTORS_MAX);
    le32_store(config + CONFIG_MAX_DISCARD_SEG, RANGES_MAX);
    le32_store(config + CONFIG_DISCARD_ALIGNMENT, 1);
    le32_store(config + CONFIG_MAX_ZEROES_SECTORS, RANGE_SECTORS_MAX);
    le32_store(config + CONFIG_MAX_ZEROES_SEG, RANGES_MAX);
    config[CONFIG_ZEROES_MAY_UNMAP] = 1;
}

struct endpoint *virtio_blk_new(struct fabric *fabric, const struct virtio_blk_params *params)
{
    struct virtio_queue_params queues[QUEUES_MAX];
    uint8_t config[CONFIG_BYTES] = {0};
    struct virtio_blk *blk = g_new0(struct virtio_blk, 1);
    uint64_t features =
        BLK_F_SIZE_MAX | BLK_F_SEG_MAX | BLK_F_BLK_SIZE | BLK_F_FLUSH | BLK_F_CONFIG_WCE | BLK_F_MQ;

    assert(params->queues >= 1 && params->queues <= QUEUES_MAX);
    features |= params->storage.read_only ? BLK_F_RO : BLK_F_DISCARD | BLK_F_WRITE_ZEROES;
    for (unsigned i = 0; i < params->queues; i++)
        queues[i] = (struct virtio_queue_params){.size = QUEUE_SIZE,
                                                 .in_flight = IN_FLIGHT,
                                                 .in_max_bytes = HEADER_BYTES + DATA_MAX_BYTES,
                                                 .out_max_bytes = DATA_MAX_BYTES + 1};
    blk->storage = params->storage;
    blk->sectors = params->storage.size_bytes / SECTOR_BYTES;
    strncpy(blk->id, params->serial && *params->serial ? params->serial : params->name, ID_BYTES);
    fill_config(config, blk, params->queues);
    blk->dev = virtio_new(fabric, &(struct virtio_params){
                                      .name = params->name,
                                      .type = VIRTIO_TYPE_BLOCK,
                                      .class_code = CLASS_BLK,
                                      .features = features,
                                      .packed = params->packed,
                                      .queues = queues,
                                      .queue_count = params->queues,
                                      .config = config,
                                      .config_bytes = sizeof(config),
                                      .ops = &blk_ops,
                                      .owner = blk,
                                      .pcie = params->pcie,
                                  });
    return virtio_endpoint(blk->dev);
}
