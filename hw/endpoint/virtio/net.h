/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the network device: what it does to frames of a driver (VIRTIO 1.3, 5.1.6). */
#ifndef PCILAB_HW_ENDPOINT_VIRTIO_NET_H
#define PCILAB_HW_ENDPOINT_VIRTIO_NET_H

#include <stdbool.h>
#include <stdint.h>

/* 5.1.3 */
#define NET_F_CSUM       BIT(0)
#define NET_F_GUEST_CSUM BIT(1)
#define NET_F_MTU        BIT(3)
#define NET_F_MAC        BIT(5)
#define NET_F_GUEST_TSO4 BIT(7)
#define NET_F_GUEST_TSO6 BIT(8)
#define NET_F_HOST_TSO4  BIT(11)
#define NET_F_HOST_TSO6  BIT(12)
#define NET_F_MRG_RXBUF  BIT(15)
#define NET_F_STATUS     BIT(16)

/* 5.1.6 */
#define NET_HEADER_BYTES    12
#define NET_FLAG_NEEDS_CSUM 1
#define NET_FLAG_DATA_VALID 2
#define NET_GSO_NONE        0
#define NET_GSO_TCPV4       1
#define NET_GSO_TCPV6       4

/* The header in front of a frame. */
struct net_header {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset, num_buffers;
};

void net_header_load(struct net_header *header, const uint8_t *at);
void net_header_store(const struct net_header *header, uint8_t *at);

/* From the guest. The frame is `len` bytes at `frame`, which may be changed. */
struct net_sender {
    uint64_t features;
    uint32_t large_max; /* TCP in frames up to this long need not be cut */
    void (*output)(void *opaque, const uint8_t *frame, uint32_t len);
    void *opaque;
};

/* NULL, or why it was dropped. */
const char *net_send(const struct net_sender *to, const struct net_header *header, uint8_t *frame,
                     uint32_t len);

#endif
