/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "network.h"

#include <string.h>

#include "board.h"
#include "pcilab/base/tcp.h"

#define NET_FRAME_MIN 14
/* CHOICE: frames that wait for a card without room; more are lost, as on any cable. */
#define WAITING_MAX 256
/* CHOICE: the host's network looks so often at what the card sent, as a gateway with interrupt
 * moderation does: its answers to a burst come together, and cost the guest one interrupt. */
#define GATEWAY_PS (200 * PS_PER_US)
/* CHOICE: more frames than a card of 10 Gb/s sends meanwhile are lost. */
#define LEAVING_MAX 1024

struct network {
    struct sim *sim;
    struct net *host;        /* or NULL: a wire, or all comes from a recording */
    struct sim_input frames; /* of the host's network */
    struct wire_end wire;
    char *wire_name; /* or NULL */
    GQueue waiting;  /* GBytes that the card has no room for */
    GQueue leaving;  /* GBytes that the host's network has not looked at */
    struct sim_event gateway;
    struct tcp_merge merge; /* of those that it looks at */
    network_input input;
    void *device;
};

static int64_t now_ns(void *opaque)
{
    struct network *network = opaque;

    return (int64_t)(network->sim->now_ps / PS_PER_NS);
}

static bool give(struct network *network, const uint8_t *frame, uint32_t len)
{
    return network->device && network->input(network->device, frame, len);
}

/* A frame has come to the card's end of the cable. */
static void arrive(void *opaque, const uint8_t *frame, uint32_t len)
{
    struct network *network = opaque;

    if (g_queue_is_empty(&network->waiting) && give(network, frame, len))
        return;
    if (g_queue_get_length(&network->waiting) < WAITING_MAX)
        g_queue_push_tail(&network->waiting, g_bytes_new(frame, len));
}

/* The same from the host, or from a recording. */
static void arrive_from_host(void *opaque, const uint8_t *frame, uint32_t len)
{
    if (len >= NET_FRAME_MIN && len <= NET_FRAME_MAX)
        arrive(opaque, frame, len);
}

static void post(void *opaque, const uint8_t *frame, uint32_t len)
{
    struct network *network = opaque;

    sim_input_post(&network->frames, frame, len);
}

static void pass(struct network *network, const uint8_t *frame, uint32_t len)
{
    /* Without the host all comes from a recording. */
    if (network->host && !sim_inputs_replay(network->frames.all))
        net_input(network->host, frame, len);
}

static void pass_merged(struct network *network)
{
    if (!network->merge.len)
        return;
    tcp_merge_finish(&network->merge, false);
    pass(network, network->merge.frame, network->merge.len);
    network->merge.len = 0;
}

/* CHOICE: segments that come together become one, so that one acknowledgement answers them. */
static void look_at(struct network *network, const uint8_t *frame, uint32_t len)
{
    struct tcp_frame t;
    bool right = tcp_frame_find(frame, len, &t) && tcp_frame_sums_right(frame, len, &t);

    if (right && tcp_merge_add(&network->merge, frame, &t, TCP_FRAME_MAX))
        return;
    pass_merged(network);
    if (!right || !tcp_merge_start(&network->merge, frame, &t))
        pass(network, frame, len);
}

static void look(void *opaque)
{
    struct network *network = opaque;
    GBytes *frame;

    while ((frame = g_queue_pop_head(&network->leaving))) {
        gsize len;
        const uint8_t *data = g_bytes_get_data(frame, &len);

        look_at(network, data, (uint32_t)len);
        g_bytes_unref(frame);
    }
    pass_merged(network);
}

static void leave(struct network *network, const uint8_t *frame, uint32_t len)
{
    if (g_queue_get_length(&network->leaving) == LEAVING_MAX)
        return;
    g_queue_push_tail(&network->leaving, g_bytes_new(frame, len));
    if (!sim_event_pending(&network->gateway))
        sim_schedule_in(network->sim, &network->gateway, GATEWAY_PS);
}

void network_output(void *opaque, const uint8_t *frame, uint32_t len)
{
    struct network *network = opaque;

    if (network->wire_name)
        wire_send(&network->wire, frame, len);
    else if (len <= NET_INPUT_MAX) /* the host's network takes no longer ones */
        leave(network, frame, len);
}

void network_room(void *opaque)
{
    struct network *network = opaque;
    GBytes *frame;

    while ((frame = g_queue_peek_head(&network->waiting))) {
        gsize len;
        const uint8_t *data = g_bytes_get_data(frame, &len);

        if (!give(network, data, (uint32_t)len))
            return;
        g_queue_pop_head(&network->waiting);
        g_bytes_unref(frame);
    }
}

void network_reset(void *opaque)
{
    struct network *network = opaque;

    g_queue_clear_full(&network->waiting, (GDestroyNotify)g_bytes_unref);
}

static struct wire_end *find_wire(struct machine *machine, const char *name)
{
    for (unsigned i = 0; i < machine->part_count; i++) {
        struct network *network = machine->part[i].network;

        if (network && network->wire_name && strcmp(network->wire_name, name) == 0)
            return &network->wire;
    }
    return NULL;
}

static bool join_host(struct network *network, struct sim_inputs *inputs,
                      const struct machine_component *c, GError **error)
{
    struct net_config config = {
        .forward = c->net.forward,
        .restricted = c->net.restricted,
        .now_ns = now_ns,
        .deliver = post,
        .opaque = network,
    };
    GError *cause = NULL;

    if (!sim_inputs_replay(inputs)) {
        network->host = net_new(&config, &cause);
        if (!network->host) {
            g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT, "%s: %s", c->name,
                        cause->message);
            g_error_free(cause);
            return false;
        }
    }
    char *name = g_strdup_printf("network of %s", c->name);
    sim_input_add(inputs, &network->frames, name, arrive_from_host, network);
    g_free(name);
    return true;
}

struct network *network_new(struct machine *machine, const struct machine_component *c,
                            GError **error)
{
    struct network *network = g_new0(struct network, 1);

    network->sim = &machine->sim;
    g_queue_init(&network->waiting);
    g_queue_init(&network->leaving);
    sim_event_init(&network->gateway, look, network);
    if (c->net.wire) {
        network->wire.deliver = arrive;
        network->wire.opaque = network;
        wire_join(&network->wire, find_wire(machine, c->net.wire), &machine->sim);
        network->wire_name = g_strdup(c->net.wire);
    } else if (join_host(network, &machine->inputs, c, error)) {
        network->merge.frame = g_malloc(TCP_FRAME_MAX);
    } else {
        g_clear_pointer(&network, g_free);
    }
    return network;
}

void network_free(struct network *network)
{
    if (!network)
        return;
    network->device = NULL;
    network_reset(network);
    if (network->wire_name) {
        wire_leave(&network->wire);
    } else {
        sim_cancel(network->sim, &network->gateway);
        g_queue_clear_full(&network->leaving, (GDestroyNotify)g_bytes_unref);
        net_free(network->host);
        sim_input_remove(&network->frames);
    }
    g_free(network->merge.frame);
    g_free(network->wire_name);
    g_free(network);
}

void network_mac(const struct machine_component *c, unsigned index, uint8_t *mac)
{
    /* CHOICE: as QEMU's: the prefix is locally administered (IEEE 802, 8.4). */
    static const uint8_t first[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

    memcpy(mac, c->net.mac_given ? c->net.mac : first, sizeof(first));
    if (!c->net.mac_given)
        mac[5] = (uint8_t)(mac[5] + index);
}

void network_attach(struct network *network, network_input input, void *device)
{
    network->input = input;
    network->device = device;
}

bool machine_net_fill(struct machine *machine, GArray *fds, uint32_t *timeout_ms)
{
    bool any = false;

    for (unsigned i = 0; i < machine->part_count; i++) {
        struct network *network = machine->part[i].network;

        if (network && network->host) {
            net_fill(network->host, fds, timeout_ms);
            any = true;
        }
    }
    return any;
}

void machine_net_polled(struct machine *machine, const GArray *fds)
{
    for (unsigned i = 0; i < machine->part_count; i++) {
        struct network *network = machine->part[i].network;

        if (network && network->host)
            net_polled(network->host, fds);
    }
}
