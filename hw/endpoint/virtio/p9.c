/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 9P transport device: VIRTIO 1.3, 5.12. One queue; the device-readable part of a chain is one
 * 9P message, its answer goes to the device-writable part. Who answers is the wiring's business.
 */
#include <glib.h>
#include <string.h>

#include "pcilab/base/le.h"
#include "pcilab/endpoint/virtio.h"
#include "pcilab/endpoint/virtio_devices.h"

#define CLASS_9P        0x018000    /* CHOICE: other mass storage controller */
#define VIRTIO_9P_F_TAG (1ull << 0) /* VIRTIO_9P_MOUNT_TAG: 5.12.3 */
#define QUEUE_SIZE      128         /* Linux takes messages of up to so many pages, less three */
#define IN_FLIGHT       4
#define CONFIG_TAG_LEN  0
#define CONFIG_TAG      2

struct virtio_p9 {
    struct virtio *dev;
    struct virtio_p9_server server;
};

/* CHOICE: an answer takes no virtual time beside that of its DMA. */
static void p9_request(void *owner, struct virtio_request *req)
{
    struct virtio_p9 *p9 = owner;

    virtio_answer(
        req, p9->server.handle(p9->server.opaque, req->in, req->in_len, req->out, req->out_len));
}

static void p9_reset(void *owner)
{
    struct virtio_p9 *p9 = owner;

    p9->server.reset(p9->server.opaque);
}

static const struct virtio_device_ops p9_ops = {
    .request = p9_request, .reset = p9_reset, .destroy = g_free};

struct endpoint *virtio_p9_new(struct fabric *fabric, const struct virtio_p9_params *params)
{
    struct virtio_queue_params queue = {
        .size = QUEUE_SIZE,
        .in_flight = IN_FLIGHT,
        .in_max_bytes = params->server.msize_bytes,
        .out_max_bytes = params->server.msize_bytes,
    };
    uint8_t config[CONFIG_TAG + VIRTIO_P9_TAG_MAX];
    size_t tag_len = strlen(params->tag);
    struct virtio_p9 *p9 = g_new0(struct virtio_p9, 1);

    g_assert(tag_len >= 1 && tag_len <= VIRTIO_P9_TAG_MAX);
    le16_store(config + CONFIG_TAG_LEN, (uint16_t)tag_len);
    memcpy(config + CONFIG_TAG, params->tag, tag_len);
    p9->server = params->server;
    p9->dev = virtio_new(fabric, &(struct virtio_params){
                                     .name = params->name,
                                     .type = VIRTIO_TYPE_9P,
                                     .class_code = CLASS_9P,
                                     .features = VIRTIO_9P_F_TAG,
                                     .packed = params->packed,
                                     .queues = &queue,
                                     .queue_count = 1,
                                     .config = config,
                                     .config_bytes = (unsigned)(CONFIG_TAG + tag_len),
                                     .ops = &p9_ops,
                                     .owner = p9,
                                     .pcie = params->pcie,
                                 });
    return virtio_endpoint(p9->dev);
}
