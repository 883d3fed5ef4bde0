/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames of one TCP stream that follow each other become one, as receivers with large receive
 * offload do it. Only frames that a segmentation would have made: equal headers but for what counts
 * on, equal data but for the last.
 */
#include <string.h>

#include <glib.h>

#include "pcilab/base/inet.h"
#include "pcilab/base/tcp.h"

#define TCP_ACK   0x10
#define TCP_PSH   0x08
#define ADDRESSES 14 /* of Ethernet, and the type */

bool tcp_merge_start(struct tcp_merge *m, const uint8_t *frame, const struct tcp_frame *t)
{
    uint32_t end = tcp_frame_end(frame, t);

    if (frame[t->tcp + 13] != TCP_ACK || end <= t->data || (!t->v6 && t->tcp - t->ip != 20))
        return false;
    memcpy(m->frame, frame, end);
    m->t = *t;
    m->len = end;
    m->piece = end - t->data;
    m->next_seq = be32_load(frame + t->tcp + 4) + m->piece;
    m->count = 1;
    m->closed = false;
    return true;
}

static bool same(const struct tcp_merge *m, const uint8_t *frame, uint32_t from, uint32_t to)
{
    return memcmp(m->frame + from, frame + from, to - from) == 0;
}

/* Lengths, identification, checksums, sequence number, flags and window may differ. */
static bool same_stream(const struct tcp_merge *m, const uint8_t *frame, const struct tcp_frame *t)
{
    uint32_t ip = t->ip, tcp = t->tcp;

    if (t->v6 != m->t.v6 || tcp != m->t.tcp || t->data != m->t.data)
        return false;
    bool network = t->v6 ? same(m, frame, ip, ip + 4) && same(m, frame, ip + 6, tcp)
                         : same(m, frame, ip, ip + 2) && same(m, frame, ip + 6, ip + 10) &&
                               same(m, frame, ip + 12, tcp);

    return network && same(m, frame, 0, ADDRESSES) && same(m, frame, tcp, tcp + 4) &&
           same(m, frame, tcp + 8, tcp + 13) && same(m, frame, tcp + 18, t->data);
}

bool tcp_merge_add(struct tcp_merge *m, const uint8_t *frame, const struct tcp_frame *t,
                   uint32_t max)
{
    uint32_t end = tcp_frame_end(frame, t), bytes = end - t->data;
    unsigned flags = frame[t->tcp + 13];

    if (!m->len || m->closed || end <= t->data || bytes > m->piece ||
        (flags & ~TCP_PSH) != TCP_ACK || m->len + bytes > MIN(max, TCP_FRAME_MAX) ||
        be32_load(frame + t->tcp + 4) != m->next_seq || !same_stream(m, frame, t))
        return false;
    memcpy(m->frame + m->len, frame + t->data, bytes);
    memcpy(m->frame + t->tcp + 14, frame + t->tcp + 14, 2); /* the window */
    m->frame[t->tcp + 13] = (uint8_t)flags;
    m->len += bytes;
    m->next_seq += bytes;
    m->count++;
    m->closed = bytes < m->piece || flags & TCP_PSH;
    return true;
}

void tcp_merge_finish(struct tcp_merge *m, bool part)
{
    if (m->count == 1)
        return;
    tcp_frame_set_len(m->frame, &m->t, m->len);
    if (part)
        tcp_frame_set_part(m->frame, &m->t, m->len);
    else
        tcp_frame_set_sum(m->frame, &m->t, m->len);
}
