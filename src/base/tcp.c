/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP in a frame: RFC 9293 over RFC 791 and RFC 8200; the header that goes with it on a virtqueue.
 */
#include "pcilab/base/tcp.h"

#include "pcilab/base/inet.h"

#define ETHERNET     14
#define TYPE_IPV4    0x0800
#define TYPE_IPV6    0x86dd
#define PROTOCOL_TCP 6
#define FRAGMENT     0x3fff
#define TCP_MIN      20

/* Where the TCP header is; 0: there is none. */
static uint32_t find_header(const uint8_t *frame, uint32_t len, bool *v6)
{
    const uint8_t *ip = frame + ETHERNET;

    if (len < ETHERNET + 20)
        return 0;
    *v6 = be16_load(frame + 12) == TYPE_IPV6;
    if (*v6)
        return len >= ETHERNET + 40 && ip[0] >> 4 == 6 && ip[6] == PROTOCOL_TCP ? ETHERNET + 40 : 0;
    if (be16_load(frame + 12) != TYPE_IPV4 || ip[0] >> 4 != 4 || (ip[0] & 0xf) < 5 ||
        ip[9] != PROTOCOL_TCP || be16_load(ip + 6) & FRAGMENT)
        return 0;
    return ETHERNET + (ip[0] & 0xfu) * 4;
}

bool tcp_frame_find(const uint8_t *frame, uint32_t len, struct tcp_frame *t)
{
    t->ip = ETHERNET;
    t->tcp = find_header(frame, len, &t->v6);
    if (!t->tcp || len < t->tcp + TCP_MIN)
        return false;
    t->data = t->tcp + (frame[t->tcp + 12] >> 4) * 4u;
    return t->data >= t->tcp + TCP_MIN && t->data <= len;
}

uint32_t tcp_frame_end(const uint8_t *frame, const struct tcp_frame *t)
{
    return t->v6 ? t->tcp + be16_load(frame + t->ip + 4) : t->ip + be16_load(frame + t->ip + 2);
}

static uint32_t pseudo_sum(const uint8_t *frame, const struct tcp_frame *t, uint32_t len)
{
    uint32_t sum = PROTOCOL_TCP + (len - t->tcp);

    return t->v6 ? inet_sum_add(sum, frame + t->ip + 8, 32)
                 : inet_sum_add(sum, frame + t->ip + 12, 8);
}

static uint16_t tcp_sum(const uint8_t *frame, const struct tcp_frame *t, uint32_t len)
{
    return inet_sum_fold(inet_sum_add(pseudo_sum(frame, t, len), frame + t->tcp, len - t->tcp));
}

bool tcp_frame_sums_right(const uint8_t *frame, uint32_t len, const struct tcp_frame *t)
{
    uint32_t end = tcp_frame_end(frame, t);

    return end >= t->data && end <= len && tcp_sum(frame, t, end) == 0 &&
           (t->v6 || inet_sum_fold(inet_sum_add(0, frame + t->ip, t->tcp - t->ip)) == 0);
}

void tcp_frame_set_len(uint8_t *frame, const struct tcp_frame *t, uint32_t len)
{
    uint8_t *ip = frame + t->ip;

    if (t->v6) {
        be16_store(ip + 4, len - t->tcp);
        return;
    }
    be16_store(ip + 2, len - t->ip);
    be16_store(ip + 10, 0);
    be16_store(ip + 10, inet_sum_fold(inet_sum_add(0, ip, t->tcp - t->ip)));
}

void tcp_frame_set_sum(uint8_t *frame, const struct tcp_frame *t, uint32_t len)
{
    be16_store(frame + t->tcp + TCP_FRAME_SUM, 0);
    be16_store(frame + t->tcp + TCP_FRAME_SUM, tcp_sum(frame, t, len));
}

void tcp_frame_set_part(uint8_t *frame, const struct tcp_frame *t, uint32_t len)
{
    be16_store(frame + t->tcp + TCP_FRAME_SUM, pseudo_sum(frame, t, len));
}
