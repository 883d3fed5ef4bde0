/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checksums and segmentation for the driver (VIRTIO 1.3, 5.1.6.2). The checksum of what is
 * segmented is made from its headers; of anything else as the driver says where.
 */
#include <string.h>

#include <glib.h>

#include "net.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/inet.h"
#include "pcilab/base/le.h"
#include "pcilab/base/tcp.h"
#include "pcilab/endpoint/virtio_devices.h"

#define FRAME_MIN   14 /* two addresses and a type: IEEE 802.3, 3.2 */
#define SEGMENT_MIN 8  /* CHOICE: less data than that is not worth a segment */
#define TCP_FIN_PSH 0x09
#define TCP_CWR     0x80

void net_header_load(struct net_header *header, const uint8_t *at)
{
    *header = (struct net_header){
        .flags = at[0],
        .gso_type = at[1],
        .hdr_len = le16_load(at + 2),
        .gso_size = le16_load(at + 4),
        .csum_start = le16_load(at + 6),
        .csum_offset = le16_load(at + 8),
        .num_buffers = le16_load(at + 10),
    };
}

void net_header_store(const struct net_header *header, uint8_t *at)
{
    at[0] = header->flags;
    at[1] = header->gso_type;
    le16_store(at + 2, header->hdr_len);
    le16_store(at + 4, header->gso_size);
    le16_store(at + 6, header->csum_start);
    le16_store(at + 8, header->csum_offset);
    le16_store(at + 10, header->num_buffers);
}

static const char *fill_sum(const struct net_header *header, uint8_t *frame, uint32_t len)
{
    uint32_t at = (uint32_t)header->csum_start + header->csum_offset;

    if (header->csum_start >= len || at + 2 > len)
        return "dropped: its checksum is outside the frame (5.1.6.2.1)";
    uint16_t sum =
        inet_sum_fold(inet_sum_add(0, frame + header->csum_start, len - header->csum_start));
    be16_store(frame + at, sum ? sum : 0xffff); /* UDP: 0 is none (RFC 768) */
    return NULL;
}

static void cut(const struct net_sender *to, const uint8_t *frame, uint32_t len,
                const struct tcp_frame *t, uint32_t size)
{
    uint8_t piece[VIRTIO_NET_FRAME_MAX];
    uint32_t seq = be32_load(frame + t->tcp + 4);
    uint32_t id = be16_load(frame + t->ip + 4); /* IPv4 */

    for (uint32_t at = t->data; at < len; at += size) {
        uint32_t bytes = MIN(size, len - at);

        memcpy(piece, frame, t->data);
        memcpy(piece + t->data, frame + at, bytes);
        if (!t->v6)
            be16_store(piece + t->ip + 4, id++);
        be32_store(piece + t->tcp + 4, seq + (at - t->data));
        if (at + bytes < len)
            piece[t->tcp + 13] &= (uint8_t)~TCP_FIN_PSH;
        if (at > t->data)
            piece[t->tcp + 13] &= (uint8_t)~TCP_CWR; /* RFC 3168, 6.1.2 */
        tcp_frame_set_len(piece, t, t->data + bytes);
        tcp_frame_set_sum(piece, t, t->data + bytes);
        to->output(to->opaque, piece, t->data + bytes);
    }
}

/* 5.1.6.2.1: which kind needs which feature. */
static bool may_segment(const struct net_sender *to, unsigned type)
{
    return (type == NET_GSO_TCPV4 && to->features & NET_F_HOST_TSO4) ||
           (type == NET_GSO_TCPV6 && to->features & NET_F_HOST_TSO6);
}

static const char *segment(const struct net_sender *to, const struct net_header *header,
                           uint8_t *frame, uint32_t len)
{
    struct tcp_frame t;

    if (!may_segment(to, header->gso_type) || !(header->flags & NET_FLAG_NEEDS_CSUM))
        return "dropped: segmentation that was not negotiated, or without a checksum (5.1.6.2.1)";
    if (len > TCP_FRAME_MAX || !tcp_frame_find(frame, len, &t) ||
        t.v6 != (header->gso_type == NET_GSO_TCPV6) || t.data == len)
        return "dropped: there is no TCP to segment (5.1.6.2.1)";
    if (header->gso_size < SEGMENT_MIN || t.data + header->gso_size > VIRTIO_NET_FRAME_MAX)
        return "dropped: segments of an impossible size (5.1.6.2.1)";
    if (len > to->large_max) {
        cut(to, frame, len, &t, header->gso_size);
        return NULL;
    }
    tcp_frame_set_len(frame, &t, len);
    tcp_frame_set_sum(frame, &t, len);
    to->output(to->opaque, frame, len);
    return NULL;
}

const char *net_send(const struct net_sender *to, const struct net_header *header, uint8_t *frame,
                     uint32_t len)
{
    const char *wrong = NULL;

    if (header->flags & ~NET_FLAG_NEEDS_CSUM || (header->flags && !(to->features & NET_F_CSUM)))
        return "dropped: a flag that was not negotiated (5.1.6.2.1)";
    if (header->gso_type != NET_GSO_NONE)
        return segment(to, header, frame, len);
    if (len < FRAME_MIN || len > VIRTIO_NET_FRAME_MAX)
        return "dropped: no frame has this length";
    if (header->flags)
        wrong = fill_sum(header, frame, len);
    if (!wrong)
        to->output(to->opaque, frame, len);
    return wrong;
}
