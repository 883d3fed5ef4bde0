/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network device: VIRTIO 1.3, 5.1. One pair of queues: queue 0 to the guest, queue 1 from it.
 * Checksums and TCP segmentation (net_send.c), in the other direction streams in large frames
 * (src/base/tcp_merge.c), mergeable buffers. What is at the other end of the cable is the wiring's
 * business.
 *
 * UNIMPL: control queue (filters, another MAC address), several pairs of queues, segmentation with
 * ECN and of UDP: not offered. Longer frames for a VLAN tag.
 */
#include <assert.h>
#include <string.h>

#include <glib.h>

#include "net.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/base/tcp.h"
#include "pcilab/endpoint/virtio.h"
#include "pcilab/endpoint/virtio_devices.h"
#include "pcilab/trace/trace.h"

#define CLASS_NET 0x020000 /* Ethernet controller */

#define QUEUE_SIZE   256
#define RX_IN_FLIGHT 256
#define TX_IN_FLIGHT 64
/* A chain with more bytes is the driver's error; one with more than a frame is dropped. */
#define TX_BYTES (NET_HEADER_BYTES + TCP_FRAME_MAX)
#define RX_BYTES (NET_HEADER_BYTES + TCP_FRAME_MAX)

/* CHOICE: a stream's next frame is waited for so long, less than a frame takes at 1 Gb/s. */
#define MERGE_PS (2 * PS_PER_US)
/* CHOICE: sent buffers go back together after so long, or when half of what fits is under way, as
 * cards with interrupt moderation do it. */
#define SENT_PS  (50 * PS_PER_US)
#define SENT_MAX (TX_IN_FLIGHT / 2)

#define FEATURES                                                                                   \
    (NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_MTU | NET_F_MAC | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 | \
     NET_F_HOST_TSO4 | NET_F_HOST_TSO6 | NET_F_MRG_RXBUF | NET_F_STATUS)

/* 5.1.4 */
enum { CONFIG_MAC = 0, CONFIG_STATUS = 6, CONFIG_MTU = 10, CONFIG_BYTES = 12 };
#define STATUS_LINK_UP 1

enum { QUEUE_RX, QUEUE_TX, QUEUES };

struct virtio_net {
    struct virtio *dev;
    struct sim *sim;
    const struct virtio_net_ops *ops;
    void *opaque;
    uint32_t large_max;

    struct virtio_request *rx_first, *rx_last; /* buffers for the guest */
    uint64_t rx_bytes;                         /* that they have room for */
    bool starved;                              /* a frame was not taken */
    struct tcp_merge merge;                    /* there is room for what it holds */
    struct sim_event merge_over;

    struct virtio_request *sent_first, *sent_last; /* to go back */
    unsigned sent;
    struct sim_event sent_over;
    uint8_t *sending; /* TCP_FRAME_MAX bytes */
};

static void rule(struct virtio_net *net, const char *text)
{
    trace_say(endpoint_trace(virtio_func(net->dev)), TRACE_RULE, "virtio-net", "%s", text);
}

static bool has(const struct virtio_net *net, uint64_t feature)
{
    return virtio_features(net->dev) & feature;
}

/* To the guest. */

/* 5.1.6.3.1 */
static uint32_t buffer_min(const struct virtio_net *net)
{
    if (has(net, NET_F_MRG_RXBUF))
        return NET_HEADER_BYTES;
    return has(net, NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6) ? RX_BYTES
                                                         : NET_HEADER_BYTES + VIRTIO_NET_FRAME_MAX;
}

static void take_buffer(struct virtio_net *net, struct virtio_request *req)
{
    if (req->in_len || req->out_total < buffer_min(net)) {
        virtio_fail(net->dev, "a receive buffer that is too small for a frame (5.1.6.3.1)");
        return;
    }
    req->next = NULL;
    if (net->rx_first)
        net->rx_last->next = req;
    else
        net->rx_first = req;
    net->rx_last = req;
    net->rx_bytes += req->out_len;
    if (net->starved) {
        net->starved = false;
        net->ops->room(net->opaque);
    }
}

/* The longest frame that could be delivered now. */
static uint32_t room(const struct virtio_net *net)
{
    uint64_t bytes = has(net, NET_F_MRG_RXBUF) ? net->rx_bytes
                     : net->rx_first           ? net->rx_first->out_len
                                               : 0;

    return bytes > NET_HEADER_BYTES ? (uint32_t)(bytes - NET_HEADER_BYTES) : 0;
}

/* There is room. 5.1.6.4: one buffer after the other, the header at the start of the first. */
static void deliver(struct virtio_net *net, struct net_header *header, const uint8_t *frame,
                    uint32_t len)
{
    struct virtio_request *first = net->rx_first, *last = first;
    uint32_t at = 0, skip = NET_HEADER_BYTES;

    if (!has(net, NET_F_GUEST_CSUM))
        header->flags = 0;
    for (header->num_buffers = 1;; header->num_buffers++, last = last->next) {
        uint32_t bytes = MIN(last->out_len - skip, len - at);

        memcpy(last->out + skip, frame + at, bytes);
        net->rx_bytes -= last->out_len;
        at += bytes;
        skip = 0;
        if (at == len)
            break;
    }
    net_header_store(header, first->out);
    net->rx_first = last->next;
    if (!net->rx_first)
        net->rx_last = NULL;
    last->next = NULL;
    virtio_answer_group(first, NET_HEADER_BYTES + len);
}

/* 5.1.6.4.1: what was merged is segmentation that the guest is left with. */
static void end_merge(struct virtio_net *net)
{
    struct net_header header = {.flags = NET_FLAG_DATA_VALID};
    const struct tcp_merge *m = &net->merge;

    sim_cancel(net->sim, &net->merge_over);
    if (!m->len)
        return;
    tcp_merge_finish(&net->merge, true);
    if (m->count > 1) {
        header.flags = NET_FLAG_NEEDS_CSUM;
        header.gso_type = m->t.v6 ? NET_GSO_TCPV6 : NET_GSO_TCPV4;
        header.gso_size = (uint16_t)m->piece;
        header.hdr_len = (uint16_t)m->t.data;
        header.csum_start = (uint16_t)m->t.tcp;
        header.csum_offset = TCP_FRAME_SUM;
    }
    deliver(net, &header, m->frame, m->len);
    net->merge.len = 0;
}

static void merge_over(void *opaque)
{
    end_merge(opaque);
}

static bool may_merge(const struct virtio_net *net, const struct tcp_frame *t)
{
    return has(net, NET_F_GUEST_CSUM) && has(net, t->v6 ? NET_F_GUEST_TSO6 : NET_F_GUEST_TSO4);
}

bool virtio_net_input(struct virtio_net *net, const uint8_t *frame, uint32_t len)
{
    struct net_header header = {0};
    struct tcp_frame t;

    assert(len <= VIRTIO_NET_FRAME_MAX);
    if (!virtio_running(net->dev)) {
        net->starved = true;
        return false;
    }
    bool right = tcp_frame_find(frame, len, &t) && tcp_frame_sums_right(frame, len, &t);
    bool merges = right && may_merge(net, &t);
    if (merges && tcp_merge_add(&net->merge, frame, &t, room(net))) {
        if (net->merge.closed)
            end_merge(net);
        return true;
    }
    end_merge(net);
    if (room(net) < MAX(len, 1)) {
        net->starved = true;
        return false;
    }
    if (merges && tcp_merge_start(&net->merge, frame, &t)) {
        sim_schedule_in(net->sim, &net->merge_over, MERGE_PS);
        return true;
    }
    header.flags = right ? NET_FLAG_DATA_VALID : 0;
    deliver(net, &header, frame, len);
    return true;
}

/* From the guest. */

static void sent_over(void *opaque)
{
    struct virtio_net *net = opaque;
    struct virtio_request *req = net->sent_first, *next;

    sim_cancel(net->sim, &net->sent_over);
    net->sent_first = net->sent_last = NULL;
    net->sent = 0;
    for (; req; req = next) {
        next = req->next;
        virtio_answer(req, 0);
    }
}

static void give_back(struct virtio_net *net, struct virtio_request *req)
{
    req->next = NULL;
    if (net->sent_last)
        net->sent_last->next = req;
    else
        net->sent_first = req;
    net->sent_last = req;
    if (++net->sent == SENT_MAX)
        sent_over(net);
    else if (!sim_event_pending(&net->sent_over))
        sim_schedule_in(net->sim, &net->sent_over, SENT_PS);
}

static void send_frame(struct virtio_net *net, struct virtio_request *req)
{
    const struct net_sender sender = {.features = virtio_features(net->dev),
                                      .large_max = net->large_max,
                                      .output = net->ops->output,
                                      .opaque = net->opaque};
    struct net_header header;
    const char *wrong = "dropped: there is no header (5.1.6)";

    if (req->in_len >= NET_HEADER_BYTES) {
        uint32_t len = req->in_len - NET_HEADER_BYTES;

        net_header_load(&header, req->in);
        memcpy(net->sending, req->in + NET_HEADER_BYTES, len);
        wrong = net_send(&sender, &header, net->sending, len);
    }
    if (wrong)
        rule(net, wrong);
    give_back(net, req);
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

    sim_cancel(net->sim, &net->merge_over);
    sim_cancel(net->sim, &net->sent_over);
    net->merge.len = 0;
    net->rx_first = net->rx_last = NULL;
    net->rx_bytes = 0;
    net->sent_first = net->sent_last = NULL;
    net->sent = 0;
    net->starved = false;
    if (net->ops->reset)
        net->ops->reset(net->opaque);
}

static void net_destroy(void *owner)
{
    struct virtio_net *net = owner;

    sim_cancel(net->sim, &net->merge_over);
    sim_cancel(net->sim, &net->sent_over);
    g_free(net->merge.frame);
    g_free(net->sending);
    g_free(net);
}

static const struct virtio_device_ops net_ops = {
    .request = net_request, .reset = net_reset, .destroy = net_destroy};

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
        [QUEUE_RX] = {.size = QUEUE_SIZE, .in_flight = RX_IN_FLIGHT, .out_max_bytes = RX_BYTES},
        [QUEUE_TX] = {.size = QUEUE_SIZE, .in_flight = TX_IN_FLIGHT, .in_max_bytes = TX_BYTES},
    };
    uint8_t config[CONFIG_BYTES] = {0};
    struct virtio_net *net = g_new0(struct virtio_net, 1);

    memcpy(config + CONFIG_MAC, params->mac, sizeof(params->mac));
    le16_store(config + CONFIG_STATUS, STATUS_LINK_UP);
    le16_store(config + CONFIG_MTU, VIRTIO_NET_MTU);
    net->ops = params->ops;
    net->opaque = params->opaque;
    net->large_max = params->large ? TCP_FRAME_MAX : VIRTIO_NET_FRAME_MAX;
    net->merge.frame = g_malloc(TCP_FRAME_MAX);
    net->sending = g_malloc(TCP_FRAME_MAX);
    sim_event_init(&net->merge_over, merge_over, net);
    sim_event_init(&net->sent_over, sent_over, net);
    net->dev = virtio_new(fabric, &(struct virtio_params){
                                      .name = params->name,
                                      .type = VIRTIO_TYPE_NET,
                                      .class_code = CLASS_NET,
                                      .features = FEATURES,
                                      .packed = params->packed,
                                      .queues = queues,
                                      .queue_count = QUEUES,
                                      .config = config,
                                      .config_bytes = sizeof(config),
                                      .ops = &net_ops,
                                      .owner = net,
                                      .pcie = params->pcie,
                                  });
    net->sim = endpoint_sim(virtio_func(net->dev));
    return net;
}
