/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the 82576 does to a packet on its way out (datasheet 2.63, 7.2.4 and 7.2.5): segmentation of
 * TCP and UDP, checksums, VLAN tags, padding.
 */
#include <string.h>

#include <glib.h>

#include "igb.h"

#define FRAME_MIN   14
#define PADDED      60 /* 8.12.1, PSP: 64 bytes with the checksum */
#define TAG_BYTES   4
#define HEADERS_MAX 512
#define MSS_MIN     8 /* CHOICE: less is no segmentation that a network could carry */
#define CRC32C      0x82f63b78u

struct offload {
    uint32_t mac_len, ip_len, l4_len, mss;
    unsigned l4; /* IGB_L4_* */
    bool ipv4, ip_sum, l4_sum, segment;
    bool tag;
    uint16_t vlan;
};

static uint32_t word(const uint8_t *desc, unsigned index)
{
    return le32_load(desc + 4 * index);
}

static uint32_t crc32c(const uint8_t *data, uint32_t len)
{
    uint32_t crc = UINT32_MAX;

    for (uint32_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? CRC32C : 0);
    }
    return ~crc;
}

/* Where the checksum is in the header of the transport. */
static const uint8_t sum_at[] = {[IGB_L4_UDP] = 6, [IGB_L4_TCP] = 16, [IGB_L4_SCTP] = 8};

static void put_l4_sum(const struct offload *o, uint8_t *l4, uint32_t len)
{
    uint8_t *sum = l4 + (o->l4 < ARRAY_LEN(sum_at) ? sum_at[o->l4] : 0);

    if (o->l4 >= ARRAY_LEN(sum_at) || sum_at[o->l4] + 4u > len)
        return;
    if (o->l4 == IGB_L4_SCTP) {
        memset(sum, 0, 4);
        le32_store(sum, crc32c(l4, len));
        return;
    }
    /* 7.2.4.7.2: software has put the pseudo header's sum there. */
    uint16_t value = inet_sum_fold(inet_sum_add(0, l4, len));
    be16_store(sum, o->l4 == IGB_L4_UDP && !value ? 0xffff : value);
}

/* A frame whose headers are final but for the checksums; there is room for a tag behind it. */
static void finish(struct igb *nic, unsigned queue, const struct offload *o, uint8_t *frame,
                   uint32_t len)
{
    uint32_t l4_at = o->mac_len + o->ip_len;

    if (o->ip_sum && o->ip_len >= 20 && l4_at <= len) {
        uint8_t *sum = frame + o->mac_len + 10;

        be16_store(sum, 0);
        be16_store(sum, inet_sum_fold(inet_sum_add(0, frame + o->mac_len, o->ip_len)));
    }
    if (o->l4_sum && l4_at < len)
        put_l4_sum(o, frame + l4_at, len - l4_at);
    if (o->tag) {
        memmove(frame + 12 + TAG_BYTES, frame + 12, len - 12);
        be16_store(frame + 12, igb_get(nic, IGB_VET) & 0xffff);
        be16_store(frame + 14, o->vlan);
        len += TAG_BYTES;
    }
    if (len < PADDED && igb_get(nic, IGB_TCTL) & IGB_TCTL_PSP) {
        memset(frame + len, 0, PADDED - len);
        len = PADDED;
    }
    igb_switch(nic, queue, frame, len);
}

/* 8.12.5: flags that the first, the others and the last segment may keep. */
static void mask_flags(struct igb *nic, uint8_t *tcp, bool first, bool last)
{
    uint32_t low = igb_get(nic, IGB_DTXTCPFLGL);
    uint32_t mask =
        last ? igb_get(nic, IGB_DTXTCPFLGH) & 0xfff : (first ? low & 0xfff : low >> 16 & 0xfff);

    if (!(first && last))
        be16_store(tcp + 12, be16_load(tcp + 12) & (0xf000 | mask));
}

/* 7.2.4.2.3: the headers of one segment with `len` bytes of data from `offset`. */
static void fix_headers(const struct offload *o, uint8_t *frame, uint32_t index, uint32_t offset,
                        uint32_t len)
{
    uint8_t *ip = frame + o->mac_len, *l4 = ip + o->ip_len;

    if (o->ipv4) {
        be16_store(ip + 2, o->ip_len + o->l4_len + len);
        be16_store(ip + 4, be16_load(ip + 4) + index);
    } else {
        be16_store(ip + 4, o->ip_len - 40 + o->l4_len + len);
    }
    if (o->l4 == IGB_L4_TCP) {
        uint32_t sequence = be16_load(l4 + 4) << 16 | be16_load(l4 + 6);

        sequence += offset;
        be16_store(l4 + 4, sequence >> 16);
        be16_store(l4 + 6, sequence);
    } else {
        be16_store(l4 + 4, o->l4_len + len);
    }
    /* The sum of the pseudo header came without a length. */
    uint8_t *sum = l4 + sum_at[o->l4];
    uint32_t with_len = be16_load(sum) + o->l4_len + len;
    be16_store(sum, (with_len & 0xffff) + (with_len >> 16));
}

static bool can_segment(const struct offload *o, uint32_t len)
{
    uint32_t headers = o->mac_len + o->ip_len + o->l4_len;

    return o->mac_len >= FRAME_MIN && o->ip_len >= (o->ipv4 ? 20 : 40) && o->l4 <= IGB_L4_TCP &&
           o->l4_len >= (o->l4 == IGB_L4_TCP ? 20 : 8) && headers <= HEADERS_MAX && headers < len &&
           o->mss >= MSS_MIN && headers + o->mss + TAG_BYTES <= IGB_FRAME_MAX;
}

static void segment(struct igb *nic, unsigned queue, struct offload *o)
{
    uint32_t headers = o->mac_len + o->ip_len + o->l4_len, len = nic->tx.len;
    uint8_t *frame = nic->tx.segment;

    if (!can_segment(o, len)) {
        igb_rule(nic, "a packet cannot be segmented as its context says (7.2.2.2): dropped");
        return;
    }
    igb_count(nic, IGB_TSCTC);
    for (uint32_t at = headers, index = 0; at < len; index++) {
        uint32_t piece = MIN(o->mss, len - at);

        memcpy(frame, nic->tx.packet, headers);
        memcpy(frame + headers, nic->tx.packet + at, piece);
        fix_headers(o, frame, index, at - headers, piece);
        if (o->l4 == IGB_L4_TCP)
            mask_flags(nic, frame + o->mac_len + o->ip_len, index == 0, at + piece == len);
        at += piece;
        finish(nic, queue, o, frame, headers + piece);
    }
}

/* 7.2.2.3; the context that it names. */
static void read_advanced(struct igb *nic, unsigned queue, const uint8_t *first, struct offload *o)
{
    const struct igb_context *context = &nic->tx.queue[queue].context[word(first, 3) >> 4 & 1];
    uint32_t lengths = context->word[0], command = word(first, 2);

    o->segment = command & IGB_TXD_TSE;
    o->ip_sum = word(first, 3) & IGB_TXD_IXSM;
    o->l4_sum = word(first, 3) & IGB_TXD_TXSM;
    o->tag = command & IGB_TXD_VLE && igb_get(nic, IGB_CTRL) & IGB_CTRL_VME;
    o->vlan = (uint16_t)(lengths >> 16);
    o->ip_len = lengths & 0x1ff;
    o->mac_len = lengths >> 9 & 0x7f;
    o->l4_len = context->word[3] >> 8 & 0xff;
    o->mss = context->word[3] >> 16;
    o->ipv4 = context->word[2] & IGB_TXC_IPV4;
    o->l4 = IGB_TXC_L4T(context->word[2]);
}

/* 7.2.2.1: the checksum of all from CSS on goes to CSO. */
static void legacy_sum(struct igb *nic, const uint8_t *last)
{
    uint32_t start = last[13], at = last[10], len = nic->tx.len;
    uint8_t *frame = nic->tx.packet;

    if (last[11] & IGB_TXD_IC >> 24 && start < len && at + 2 <= len)
        be16_store(frame + at, inet_sum_fold(inet_sum_add(0, frame + start, len - start)));
}

void igb_offload(struct igb *nic, unsigned queue, const uint8_t *last_desc,
                 const uint8_t *first_desc)
{
    struct offload o = {0};

    if (word(first_desc, 2) & IGB_TXD_DEXT) {
        read_advanced(nic, queue, first_desc, &o);
    } else {
        legacy_sum(nic, last_desc);
        o.tag = word(last_desc, 2) & IGB_TXD_VLE && igb_get(nic, IGB_CTRL) & IGB_CTRL_VME;
        o.vlan = le16_load(last_desc + 14);
    }
    if (o.segment) {
        segment(nic, queue, &o);
    } else if (nic->tx.len < FRAME_MIN || nic->tx.len + TAG_BYTES > IGB_FRAME_MAX) {
        igb_rule(nic, "a frame of no allowed length is dropped (7.2.1.1)");
    } else {
        memcpy(nic->tx.segment, nic->tx.packet, nic->tx.len);
        finish(nic, queue, &o, nic->tx.segment, nic->tx.len);
    }
}
