/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's side of a network device: a network of its own behind libslirp, without privileges.
 * The guest is 10.0.2.15 (DHCP says so), the host 10.0.2.2, its name server 10.0.2.3, as in QEMU's
 * -netdev user. What the guest sends to others becomes sockets of this process.
 *
 * Its clock is the caller's, so that what needs no socket (ARP, DHCP, a ping of 10.0.2.2) is the
 * same in every run.
 */
#ifndef PCILAB_IO_NET_H
#define PCILAB_IO_NET_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define NET_FRAME_MAX 1514         /* bytes, without a checksum */
#define NET_INPUT_MAX (14 + 65535) /* from the guest: TCP need not be cut into segments */

struct net;

struct net_config {
    /* "tcp:127.0.0.1:2222-:22 udp::5000-10.0.2.15:53": connections to this host that go to the
     * guest, as QEMU's hostfwd= words them. NULL: none. Without an address: 127.0.0.1. */
    const char *forward;
    bool restricted; /* the guest reaches nothing but 10.0.2.2's own services */
    int64_t (*now_ns)(void *opaque);
    /* A frame for the guest, from 14 to NET_FRAME_MAX bytes. */
    void (*deliver)(void *opaque, const uint8_t *frame, uint32_t len);
    void *opaque;
};

struct net *net_new(const struct net_config *config, GError **error);
void net_free(struct net *net);
/* A frame from the guest, of up to NET_INPUT_MAX bytes. May call deliver(). */
void net_input(struct net *net, const uint8_t *frame, uint32_t len);

/* Around poll(2): appends struct pollfd to `fds` and lowers the timeout; then takes what came. The
 * two calls belong together. */
void net_fill(struct net *net, GArray *fds, uint32_t *timeout_ms);
void net_polled(struct net *net, const GArray *fds);

#endif
