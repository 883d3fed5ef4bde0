/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network device: VIRTIO 1.3, 5.1. One pair of queues, whole frames without offloads: queue 0
 * to the guest, queue 1 from it. What is at the other end of the cable is the wiring's business.
 *
 * UNIMPL: control queue (filters, another MAC address), several pairs of queues, checksum and
 * segmentation offloads, mergeable buffers: not offered.
 */
#include <assert.h>
#include <string.h>

#include <glib.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/endpoint/virtio.h"
#include "pcilab/endpoint/virtio_devices.h"
#include "pcilab/trace/trace.h"

#define CLASS_NET 0x020000 /* Ethernet controller */

#define QUEUE_SIZE   256
#define RX_IN_FLIGHT 64
#define TX_IN_FLIGHT 8
/* CHOICE: a chain with more bytes is the driver's error; one with more than a frame is dropped. */
#define TX_BYTES 65536

/* 5.1.3 */
#define NET_F_MTU    BIT(3)
#define NET_F_MAC    BIT(5)
#define NET_F_STATUS BIT(16)

/* 5.1.4 */
enum { CONFIG_MAC = 0, CONFIG_STATUS = 6, CONFIG_MTU = 10, CONFIG_BYTES = 12 };
#define STATUS_LINK_UP 1

enum { QUEUE_RX, QUEUE_TX, QUEUES };

/* 5.1.6: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, num_buffers */
#define HEADER_BYTES       12
#define HEADER_FLAGS       0
#define HEADER_GSO_TYPE    1
#define HEADER_NUM_BUFFERS 10

#define FRAME_MIN_BYTES 14 /* two addresses and a type: IEEE 802.3, 3.2 */

struct virtio_net {
    struct virtio *dev;
    const struct virtio_net_ops *ops;
    void *opaque;
    struct virtio_request *rx_first, *rx_last; /* buffers for the guest */
    bool starved;                              /* a frame was not taken */
};

static void rule(struct virtio_net *net, const char *text)
{
    trace_say(endpoint_trace(virtio_func(net->dev)), TRACE_RULE, "virtio-net", "%s", text);
}

static void take_buffer(struct virtio_net *net, struct virtio_request *req)
{
    if (req->in_len || req->out_total < HEADER_BYTES + VIRTIO_NET_FRAME_MAX) {
        virtio_fail(net->dev, "a receive buffer that is too small for a frame (5.1.6.3.1)");
        return;
    }
    req->next = NULL;
    if (net->rx_last)
        net->rx_last->next = req;
    else
        net->rx_first = req;
    net->rx_last = req;
    if (net->starved) {
        net->starved = false;
        net->ops->room(net->opaque);
    }
}

static void send_frame(struct virtio_net *net, struct virtio_request *req)
{
    uint32_t len = req->in_len;

    if (len < HEADER_BYTES + FRAME_MIN_BYTES || len > HEADER_BYTES + VIRTIO_NET_FRAME_MAX)
        rule(net, "dropped: no frame has this length");
    else if (req->in[HEADER_FLAGS] || req->in[HEADER_GSO_TYPE])
        rule(net, "dropped: offloads were not negotiated (5.1.6.2.1)");
    else
        net->ops->output(net->opaque, req->in + HEADER_BYTES, len - HEADER_BYTES);
    virtio_answer(req, 0);
}

static void net_request(void *owner, struct virtio_request *req)
{
    if (req->queue == QUEUE_RX)
        take_buffer(owner, req);
    else
        send_frame(owner, req);
}

static void net_reset(void *owner)
{
    struct virtio_net *net = owner;

    net->rx_first = net->rx_last = NULL;
    net->starved = false;
    if (net->ops->reset)
        net->ops->reset(net->opaque);
}

static const struct virtio_device_ops net_ops = {
    .request = net_request, .reset = net_reset, .destroy = g_free};

bool virtio_net_input(struct virtio_net *net, const uint8_t *frame, uint32_t len)
{
    struct virtio_request *req = net->rx_first;

    assert(len <= VIRTIO_NET_FRAME_MAX);
    if (!req || !virtio_running(net->dev)) {
        net->starved = true;
        return false;
    }
    net->rx_first = req->next;
    if (!net->rx_first)
        net->rx_last = NULL;
    memset(req->out, 0, HEADER_BYTES);
    le16_store(req->out + HEADER_NUM_BUFFERS, 1);
    memcpy(req->out + HEADER_BYTES, frame, len);
    virtio_answer(req, HEADER_BYTES + len);
    return true;
}

void virtio_net_set_link(struct virtio_net *net, bool up)
{
    uint8_t status[2];

    le16_store(status, up ? STATUS_LINK_UP : 0);
    virtio_set_config(net->dev, CONFIG_STATUS, status, sizeof(status), true);
}

struct endpoint *virtio_net_endpoint(struct virtio_net *net)
{
    return virtio_endpoint(net->dev);
}

struct virtio_net *virtio_net_new(struct fabric *fabric, const struct virtio_net_params *params)
{
    const struct virtio_queue_params queues[QUEUES] = {
        [QUEUE_RX] = {.size = QUEUE_SIZE,
                      .in_flight = RX_IN_FLIGHT,
                      .out_max_bytes = HEADER_BYTES + VIRTIO_NET_FRAME_MAX},
        [QUEUE_TX] = {.size = QUEUE_SIZE, .in_flight = TX_IN_FLIGHT, .in_max_bytes = TX_BYTES},
    };
    uint8_t config[CONFIG_BYTES] = {0};
    struct virtio_net *net = g_new0(struct virtio_net, 1);

    memcpy(config + CONFIG_MAC, params->mac, sizeof(params->mac));
    le16_store(config + CONFIG_STATUS, STATUS_LINK_UP);
    le16_store(config + CONFIG_MTU, VIRTIO_NET_MTU);
    net->ops = params->ops;
    net->opaque = params->opaque;
    net->dev = virtio_new(fabric, &(struct virtio_params){
                                      .name = params->name,
                                      .type = VIRTIO_TYPE_NET,
                                      .class_code = CLASS_NET,
                                      .features = NET_F_MTU | NET_F_MAC | NET_F_STATUS,
                                      .packed = params->packed,
                                      .queues = queues,
                                      .queue_count = QUEUES,
                                      .config = config,
                                      .config_bytes = sizeof(config),
                                      .ops = &net_ops,
                                      .owner = net,
                                      .pcie = params->pcie,
                                  });
    return net;
}
