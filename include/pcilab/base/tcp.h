/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP in Ethernet frames (RFC 9293 over RFC 791 and RFC 8200): checksums, and segments made one. */
#ifndef PCILAB_BASE_TCP_H
#define PCILAB_BASE_TCP_H

#include <stdbool.h>
#include <stdint.h>

#define TCP_FRAME_MAX (14 + 65535) /* bytes: the longest IP packet */
#define TCP_FRAME_SUM 16           /* the checksum is there in the TCP header */

/* A frame with TCP straight behind IPv4 or IPv6, without a VLAN tag: offsets from its start. */
struct tcp_frame {
    uint32_t ip, tcp, data;
    bool v6;
};

bool tcp_frame_find(const uint8_t *frame, uint32_t len, struct tcp_frame *t);
/* The IP header says that the packet ends there; beyond may be padding. */
uint32_t tcp_frame_end(const uint8_t *frame, const struct tcp_frame *t);
/* Does the packet end inside the frame, with right checksums? */
bool tcp_frame_sums_right(const uint8_t *frame, uint32_t len, const struct tcp_frame *t);
/* The frame has now this length: lengths and the checksum of the IP header. */
void tcp_frame_set_len(uint8_t *frame, const struct tcp_frame *t, uint32_t len);
/* The checksum, or of it only the pseudo header's part. */
void tcp_frame_set_sum(uint8_t *frame, const struct tcp_frame *t, uint32_t len);
void tcp_frame_set_part(uint8_t *frame, const struct tcp_frame *t, uint32_t len);

/* Frames of one stream that follow each other become one. */
struct tcp_merge {
    uint8_t *frame; /* TCP_FRAME_MAX bytes */
    uint32_t len;   /* 0: there is none */
    uint32_t next_seq;
    uint32_t piece; /* bytes of data in the first */
    unsigned count;
    bool closed; /* nothing may be added any more */
    struct tcp_frame t;
};

/* Both take frames with right checksums. False: not of a kind that others can be added to. */
bool tcp_merge_start(struct tcp_merge *m, const uint8_t *frame, const struct tcp_frame *t);
/* False: it does not continue what is there, or that becomes longer than `max`. */
bool tcp_merge_add(struct tcp_merge *m, const uint8_t *frame, const struct tcp_frame *t,
                   uint32_t max);
/* Sets lengths and checksums of what was added up; the caller takes it and sets len to 0. The
 * checksum as of tcp_frame_set_part(), or all of it. */
void tcp_merge_finish(struct tcp_merge *m, bool part);

#endif
