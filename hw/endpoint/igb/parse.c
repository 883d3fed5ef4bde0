/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the 82576 finds out about a received frame (datasheet 2.63, 7.1.5, 7.1.8 and 7.1.11): its
 * kind, its checksums, its VLAN tag, and the hash that spreads frames over queues.
 *
 * UNIMPL: inside tunnels and behind IPv6 extension headers nothing is looked at.
 */
#include <string.h>

#include "igb.h"

#define TYPE_IPV4 0x0800
#define TYPE_IPV6 0x86dd
enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_SCTP = 132 };

/* 7.1.1.7 */
enum {
    HASH_NONE,
    HASH_TCP4,
    HASH_IP4,
    HASH_TCP6,
    HASH_IP6EX,
    HASH_IP6,
    HASH_TCP6EX,
    HASH_UDP4,
    HASH_UDP6
};
#define MRQC_TCP4 0x00010000
#define MRQC_IP4  0x00020000
#define MRQC_IP6  0x00100000
#define MRQC_TCP6 0x00200000
#define MRQC_UDP4 0x00400000
#define MRQC_UDP6 0x00800000

struct packet {
    const uint8_t *ip, *l4; /* l4 is NULL in fragments and where nothing is known of it */
    uint32_t l4_len;
    bool v6;
    uint8_t protocol;
};

static bool find_ipv4(const uint8_t *ip, uint32_t room, struct packet *p)
{
    uint32_t header = room >= 20 ? (ip[0] & 0xf) * 4u : 0;
    uint32_t total = room >= 20 ? be16_load(ip + 2) : 0;

    if (room < 20 || ip[0] >> 4 != 4 || header < 20 || header > total || total > room)
        return false;
    p->ip = ip;
    p->protocol = ip[9];
    if (!(be16_load(ip + 6) & 0x3fff)) {
        p->l4 = ip + header;
        p->l4_len = total - header;
    }
    return true;
}

static bool find_ipv6(const uint8_t *ip, uint32_t room, struct packet *p)
{
    if (room < 40 || ip[0] >> 4 != 6 || be16_load(ip + 4) > room - 40)
        return false;
    p->ip = ip;
    p->v6 = true;
    p->protocol = ip[6];
    p->l4 = ip + 40;
    p->l4_len = be16_load(ip + 4);
    return true;
}

static bool find_ip(const uint8_t *frame, uint32_t len, uint32_t type_at, struct packet *p)
{
    if (len < type_at + 2)
        return false;
    uint32_t type = be16_load(frame + type_at), room = len - type_at - 2;

    if (type == TYPE_IPV4)
        return find_ipv4(frame + type_at + 2, room, p);
    return type == TYPE_IPV6 && find_ipv6(frame + type_at + 2, room, p);
}

static uint16_t l4_sum(const struct packet *p)
{
    uint32_t sum = p->protocol + p->l4_len;

    sum = p->v6 ? inet_sum_add(sum, p->ip + 8, 32) : inet_sum_add(sum, p->ip + 12, 8);
    return inet_sum_fold(inet_sum_add(sum, p->l4, p->l4_len));
}

static void look_l4(const struct igb *nic, const struct packet *p, struct igb_rx_info *info)
{
    bool check = igb_get(nic, IGB_RXCSUM) & IGB_RXCSUM_TUOFL;

    if (p->protocol == PROTOCOL_TCP && p->l4_len >= 20) {
        info->types |= IGB_RXT_TCP;
        if (check)
            info->status |= IGB_RXD_L4CS | (l4_sum(p) ? IGB_RXD_L4E : 0);
    } else if (p->protocol == PROTOCOL_UDP && p->l4_len >= 8 && be16_load(p->l4 + 4) == p->l4_len) {
        info->types |= IGB_RXT_UDP;
        if (check && be16_load(p->l4 + 6))
            info->status |= IGB_RXD_L4CS | IGB_RXD_UDPCS | (l4_sum(p) ? IGB_RXD_L4E : 0);
    } else if (p->protocol == PROTOCOL_SCTP && p->l4_len >= 12) {
        info->types |= IGB_RXT_SCTP; /* UNIMPL: checking its CRC; it is not said to be checked */
    }
}

/* 7.1.11.2 */
static uint32_t toeplitz(const struct igb *nic, const uint8_t *input, unsigned len)
{
    uint32_t hash = 0;
    uint64_t window = 0;
    unsigned next = 0;

    for (; next < 8; next++)
        window = window << 8 | (igb_get(nic, IGB_RSSRK + (next & ~3u)) >> 8 * (next & 3) & 0xff);
    for (unsigned i = 0; i < len; i++) {
        for (unsigned bit = 0; bit < 8; bit++, window <<= 1) {
            if (input[i] & 0x80 >> bit)
                hash ^= (uint32_t)(window >> 32);
        }
        window |= igb_get(nic, IGB_RSSRK + (next & ~3u)) >> 8 * (next & 3) & 0xff;
        if (next < 39)
            next++;
    }
    return hash;
}

static unsigned hash_kind(const struct igb *nic, const struct packet *p)
{
    uint32_t mrqc = igb_get(nic, IGB_MRQC);
    bool tcp = p->l4 && p->protocol == PROTOCOL_TCP && p->l4_len >= 20;
    bool udp = p->l4 && p->protocol == PROTOCOL_UDP && p->l4_len >= 8;

    if (tcp && mrqc & (p->v6 ? MRQC_TCP6 : MRQC_TCP4))
        return p->v6 ? HASH_TCP6 : HASH_TCP4;
    if (udp && mrqc & (p->v6 ? MRQC_UDP6 : MRQC_UDP4))
        return p->v6 ? HASH_UDP6 : HASH_UDP4;
    if (mrqc & (p->v6 ? MRQC_IP6 : MRQC_IP4))
        return p->v6 ? HASH_IP6 : HASH_IP4;
    return HASH_NONE;
}

static void look_hash(const struct igb *nic, const struct packet *p, struct igb_rx_info *info)
{
    unsigned kind = hash_kind(nic, p), addresses = p->v6 ? 32 : 8;
    uint8_t input[36];

    if (kind == HASH_NONE)
        return;
    memcpy(input, p->ip + (p->v6 ? 8 : 12), addresses);
    bool ports = kind != HASH_IP4 && kind != HASH_IP6;
    if (ports)
        memcpy(input + addresses, p->l4, 4);
    info->hash = toeplitz(nic, input, addresses + (ports ? 4 : 0));
    info->types |= (uint16_t)kind;
}

/* Where tags are taken out: 7.4.1, and with pools 8.14.17, 8.14.22. */
static bool strips(const struct igb *nic, const struct igb_frame *frame, unsigned pool)
{
    if (!igb_pools_on(nic))
        return igb_get(nic, IGB_CTRL) & IGB_CTRL_VME;
    if (frame->copies)
        return igb_get(nic, IGB_RPLOLR) & IGB_RPLOLR_STRVLAN;
    return igb_get(nic, IGB_VMOLR + 4 * pool) & IGB_VMOLR_STRVLAN;
}

void igb_rx_look(struct igb *nic, const struct igb_frame *frame, unsigned pool,
                 struct igb_rx_info *info)
{
    const uint8_t *data = frame->data;
    struct packet p = {0};
    uint16_t tag = 0;
    bool tagged = igb_frame_vlan(nic, data, frame->len, &tag);
    uint32_t rxcsum = igb_get(nic, IGB_RXCSUM), start = rxcsum & 0xff;

    memset(info, 0, sizeof(*info));
    if (frame->looped)
        info->status |= IGB_RXD_LB;
    if (tagged && strips(nic, frame, pool)) {
        info->strip = true;
        info->vlan = tag;
        info->status |= IGB_RXD_VP;
    }
    if (start < frame->len)
        info->checksum =
            (uint16_t)~inet_sum_fold(inet_sum_add(0, data + start, frame->len - start));
    if (!find_ip(data, frame->len, tagged ? 16 : 12, &p))
        return;
    info->types |= p.v6 ? IGB_RXT_IPV6 : IGB_RXT_IPV4;
    if (!p.v6) {
        uint32_t header = (p.ip[0] & 0xf) * 4u;

        info->ip_id = (uint16_t)be16_load(p.ip + 4);
        if (rxcsum & IGB_RXCSUM_IPOFL)
            info->status |=
                IGB_RXD_IPCS | (inet_sum_fold(inet_sum_add(0, p.ip, header)) ? IGB_RXD_IPE : 0);
    }
    if (p.l4)
        look_l4(nic, &p, info);
    look_hash(nic, &p, info);
}

unsigned igb_rx_queue_of(struct igb *nic, unsigned pool, const struct igb_rx_info *info)
{
    uint32_t mrqc = igb_get(nic, IGB_MRQC), mode = mrqc & IGB_MRQC_MODE;
    unsigned entry = info->types & 0xf ? info->hash & 0x7f : 0;
    uint32_t index = igb_get(nic, IGB_RETA + (entry & ~3u)) >> 8 * (entry & 3) & 0xf;

    if (mode == IGB_MRQC_RSS)
        return info->types & 0xf ? index : 0;
    if (mode == IGB_MRQC_VMDQ_RSS && igb_get(nic, IGB_VMOLR + 4 * pool) & IGB_VMOLR_RSSE)
        return pool + 8 * (info->types & 0xf ? index & 1 : 0);
    if (igb_pools_on(nic))
        return pool;
    return mrqc >> 3 & 7; /* 8.10.16, DEF_Q */
}
