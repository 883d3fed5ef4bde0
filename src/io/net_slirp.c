/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network of its own behind libslirp. */
#include <poll.h>
#include <string.h>

#include <slirp/libslirp.h>

#include "pcilab/io/net.h"

#define FRAME_MIN 14

#define ADDRESS(a, b, c, d)                                                                        \
    ((struct in_addr){htonl((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))})
#define GUEST_ADDRESS ADDRESS(10, 0, 2, 15)

struct net {
    struct net_config config;
    Slirp *slirp;
};

static ssize_t send_packet(const void *frame, size_t len, void *opaque)
{
    struct net *net = opaque;

    if (len >= FRAME_MIN && len <= NET_FRAME_MAX) {
        net->config.deliver(net->config.opaque, frame, (uint32_t)len);
    }
    return (ssize_t)len;
}

static void guest_error(const char *text, void *opaque)
{
    /* A guest may send what it likes. */
}

static int64_t clock_get_ns(void *opaque)
{
    struct net *net = opaque;

    return net->config.now_ns(net->config.opaque);
}

/* The only timer is for IPv6 router advertisements, which are off. */
static void *timer_new(SlirpTimerCb callback, void *callback_opaque, void *opaque)
{
    return opaque;
}

static void timer_free(void *timer, void *opaque)
{
}

static void timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
}

static void poll_fd(int fd, void *opaque)
{
}

static void notify(void *opaque)
{
}

void net_input(struct net *net, const uint8_t *frame, uint32_t len)
{
    slirp_input(net->slirp, frame, (int)len);
}

static const struct {
    int slirp;
    short poll;
} events_of[] = {{SLIRP_POLL_IN, POLLIN},
                 {SLIRP_POLL_OUT, POLLOUT},
                 {SLIRP_POLL_PRI, POLLPRI},
                 {SLIRP_POLL_ERR, POLLERR},
                 {SLIRP_POLL_HUP, POLLHUP}};

static int add_poll(int fd, int events, void *opaque)
{
    GArray *fds = opaque;
    struct pollfd entry = {.fd = fd};

    for (unsigned i = 0; i < G_N_ELEMENTS(events_of); i++) {
        entry.events =
            (short)(entry.events | (events & events_of[i].slirp ? events_of[i].poll : 0));
    }
    g_array_append_val(fds, entry);
    return (int)fds->len - 1;
}

static int get_revents(int index, void *opaque)
{
    const GArray *fds = opaque;
    int events = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(events_of); i++) {
        if (g_array_index(fds, struct pollfd, index).revents & events_of[i].poll) {
            events |= events_of[i].slirp;
        }
    }
    return events;
}

void net_fill(struct net *net, GArray *fds, uint32_t *timeout_ms)
{
    slirp_pollfds_fill(net->slirp, timeout_ms, add_poll, fds);
}

void net_polled(struct net *net, const GArray *fds)
{
    slirp_pollfds_poll(net->slirp, 0, get_revents, (void *)fds);
}

static bool parse_port(const char *text, int *port)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(text, 10, 1, 65535, &number, NULL)) {
        return false;
    }
    *port = (int)number;
    return true;
}

/* "ADDRESS:PORT" or ":PORT". */
static bool parse_end(const char *text, struct in_addr *address, int *port)
{
    const char *colon = strchr(text, ':');
    char *host = colon ? g_strndup(text, (gsize)(colon - text)) : NULL;
    bool ok =
        host && (!*host || inet_pton(AF_INET, host, address) == 1) && parse_port(colon + 1, port);

    g_free(host);
    return ok;
}

static bool forward_one(struct net *net, const char *text, GError **error)
{
    struct in_addr from = ADDRESS(127, 0, 0, 1), to = GUEST_ADDRESS;
    int from_port = 0, to_port = 0;
    bool udp = g_str_has_prefix(text, "udp:");
    char **ends = g_strsplit(strlen(text) > 4 ? text + 4 : "", "-", 2);
    bool ok = (udp || g_str_has_prefix(text, "tcp:")) && g_strv_length(ends) == 2 &&
              parse_end(ends[0], &from, &from_port) && parse_end(ends[1], &to, &to_port);

    g_strfreev(ends);
    if (!ok) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "\"%s\" is not allowed; it is tcp|udp:[ADDRESS]:PORT-[ADDRESS]:PORT, like "
                    "tcp::2222-:22",
                    text);
        return false;
    }
    if (slirp_add_hostfwd(net->slirp, udp, from, from_port, to, to_port) < 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                    "%s: the port cannot be listened to; is it in use?", text);
        return false;
    }
    return true;
}

static bool forward_all(struct net *net, GError **error)
{
    char **all = g_strsplit_set(net->config.forward ? net->config.forward : "", " ", -1);
    bool ok = true;

    for (unsigned i = 0; ok && all[i]; i++) {
        ok = !*all[i] || forward_one(net, all[i], error);
    }
    g_strfreev(all);
    return ok;
}

struct net *net_new(const struct net_config *config, GError **error)
{
    static const SlirpCb callbacks = {
        .send_packet = send_packet,
        .guest_error = guest_error,
        .clock_get_ns = clock_get_ns,
        .timer_new = timer_new,
        .timer_free = timer_free,
        .timer_mod = timer_mod,
        .register_poll_fd = poll_fd,
        .unregister_poll_fd = poll_fd,
        .notify = notify,
    };
    /* CHOICE: no IPv6: its router advertisements come at random times. */
    const SlirpConfig slirp = {
        .version = 1,
        .restricted = config->restricted,
        .in_enabled = true,
        .vnetwork = ADDRESS(10, 0, 2, 0),
        .vnetmask = ADDRESS(255, 255, 255, 0),
        .vhost = ADDRESS(10, 0, 2, 2),
        .vdhcp_start = GUEST_ADDRESS,
        .vnameserver = ADDRESS(10, 0, 2, 3),
    };
    struct net *net = g_new0(struct net, 1);

    net->config = *config;
    net->slirp = slirp_new(&slirp, &callbacks, net);
    if (!forward_all(net, error)) {
        net_free(net);
        return NULL;
    }
    net->config.forward = NULL; /* the caller's */
    return net;
}

void net_free(struct net *net)
{
    if (!net) {
        return;
    }
    slirp_cleanup(net->slirp);
    g_free(net);
}
