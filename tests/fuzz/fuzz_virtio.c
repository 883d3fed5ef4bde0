/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio devices against a hostile guest. The input is a list of actions: register accesses, good
 * and bad chains, bytes in the rings, resets, failing memory, time, and what the host does to a
 * console. Whatever happened, a reset must bring back a device whose queue works.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "driver.h"
#include "pcilab/base/inet.h"
#include "pcilab/base/tcp.h"
#include "pcilab/endpoint/virtio_devices.h"

#define DISK_BYTES  (256u << 10)
#define SIZE        16
#define MAX_ACTIONS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at;
    size_t left;
};

struct world {
    struct input in;
    struct driver d;
    unsigned kind; /* of device: 0 rng, 1 disk, 2 console, 3 network */
    struct virtio_console *console;
    struct virtio_net *net;
    uint32_t seq; /* of the stream that the network sends */
    uint8_t disk[DISK_BYTES];
    int disk_error;
};

/* Bytes past the end of the input are zeroes. */
static uint64_t take(struct input *in, unsigned bytes)
{
    uint8_t value[8] = {0};
    unsigned n = bytes < in->left ? bytes : (unsigned)in->left;

    memcpy(value, in->at, n);
    in->at += n;
    in->left -= n;
    return le64_load(value);
}

static int disk_read(void *opaque, uint64_t offset, void *data, uint64_t len)
{
    struct world *w = opaque;

    g_assert(range_inside(offset, len, 0, DISK_BYTES));
    memcpy(data, w->disk + offset, len);
    return w->disk_error;
}

static int disk_write(void *opaque, uint64_t offset, const void *data, uint64_t len)
{
    struct world *w = opaque;

    g_assert(range_inside(offset, len, 0, DISK_BYTES));
    memcpy(w->disk + offset, data, len);
    return w->disk_error;
}

static int disk_zero(void *opaque, uint64_t offset, uint64_t len)
{
    struct world *w = opaque;

    g_assert(range_inside(offset, len, 0, DISK_BYTES));
    memset(w->disk + offset, 0, len);
    return w->disk_error;
}

static int disk_flush(void *opaque)
{
    return ((struct world *)opaque)->disk_error;
}

/* The host gives back what it gets, as far as there is room. */
static void port_output(void *opaque, unsigned port, const uint8_t *data, uint32_t len)
{
    struct world *w = opaque;

    virtio_console_input(w->console, port, data, len);
}

static void port_room(void *opaque, unsigned port)
{
    struct world *w = opaque;

    virtio_console_input(w->console, port, "room", 4);
}

static void port_open(void *opaque, unsigned port, bool open)
{
    struct world *w = opaque;

    virtio_console_set_open(w->console, port, open);
}

/* Somebody at the other end of the cable sends everything back. */
static void net_output(void *opaque, const uint8_t *frame, uint32_t len)
{
    struct world *w = opaque;

    g_assert(len >= 14 && len <= TCP_FRAME_MAX);
    virtio_net_input(w->net, frame, MIN(len, VIRTIO_NET_FRAME_MAX));
}

static void net_room(void *opaque)
{
    static const uint8_t frame[VIRTIO_NET_FRAME_MAX];
    struct world *w = opaque;

    virtio_net_input(w->net, frame, sizeof(frame));
}

static void make_device(struct world *w, unsigned kind, bool packed)
{
    static const struct virtio_console_port_ops ops = {port_output, port_open, port_room};
    const struct virtio_console_port ports[] = {{NULL, true, &ops, w}, {"second", false, &ops, w}};
    struct fabric *fabric = mock_fabric(w->d.mock);
    const struct nvme_storage storage = {DISK_BYTES, false,      disk_read, disk_write,
                                         disk_zero,  disk_flush, w};

    w->kind = kind;
    if (kind == 0) {
        w->d.ep =
            virtio_rng_new(fabric, &(struct virtio_rng_params){.name = "rng", .packed = packed});
    } else if (kind == 1) {
        w->d.ep = virtio_blk_new(
            fabric, &(struct virtio_blk_params){
                        .name = "vd", .storage = storage, .queues = 3, .packed = packed});
    } else if (kind == 3) {
        static const struct virtio_net_ops net_ops = {.output = net_output, .room = net_room};

        w->net = virtio_net_new(fabric, &(struct virtio_net_params){.name = "net",
                                                                    .ops = &net_ops,
                                                                    .opaque = w,
                                                                    .large = take(&w->in, 1) & 1,
                                                                    .packed = packed});
        w->d.ep = virtio_net_endpoint(w->net);
    } else {
        w->console = virtio_console_new(
            fabric, &(struct virtio_console_params){
                        .name = "con", .ports = ports, .port_count = 2, .packed = packed});
        w->d.ep = virtio_console_endpoint(w->console);
    }
    w->d.func = mock_func(w->d.ep, 0);
}

static unsigned queues(const struct world *w)
{
    static const unsigned count[] = {1, 3, 6, 2};

    return count[w->kind];
}

/* Like a driver, but for features and queues that it leaves out. */
static void act_setup(struct world *w)
{
    uint64_t shape = take(&w->in, 1);
    uint64_t without = (shape & 1 ? BIT(F_EVENT_IDX) : 0) | (shape & 2 ? BIT(F_INDIRECT) : 0) |
                       (shape & 4 ? BIT(F_PACKED) : 0) | (shape & 8 ? take(&w->in, 2) : 0);

    driver_setup(&w->d, without, shape & 16 ? queues(w) / 2 : queues(w), SIZE);
}

static unsigned take_queue(struct world *w)
{
    return (unsigned)take(&w->in, 1) % queues(w);
}

/* TCP over IPv4 or IPv6 with `bytes` of data; its length. The data is what is there. */
static uint32_t put_tcp(uint8_t *f, bool v6, uint32_t seq, unsigned flags, uint32_t bytes)
{
    uint32_t tcp = v6 ? 54 : 34, len = tcp + 20 + bytes;
    struct tcp_frame t;

    memset(f, 0, tcp + 20);
    be16_store(f + 12, v6 ? 0x86dd : 0x0800);
    f[14] = v6 ? 0x60 : 0x45;
    f[v6 ? 20 : 23] = 6;
    be32_store(f + tcp + 4, seq);
    f[tcp + 12] = 0x50;
    f[tcp + 13] = (uint8_t)flags;
    g_assert(tcp_frame_find(f, len, &t));
    tcp_frame_set_len(f, &t, len);
    tcp_frame_set_sum(f, &t, len);
    return len;
}

/* Segmentation that is almost right: the length of the whole. */
static uint32_t put_segments(struct world *w, uint8_t *at)
{
    uint64_t what = take(&w->in, 2);
    uint32_t len = put_tcp(at + 12, what & 1, 0, 0x18, (uint32_t)(what >> 4) * 12);

    memset(at, 0, 12);
    at[0] = what & 2 || !(what & 0xc);
    at[1] = what & 1 ? 4 : 1;
    le16_store(at + 4, (uint16_t)(take(&w->in, 1) * 6));
    at[6] = what & 1 ? 54 : 34;
    at[8] = 16;
    if (!(what & 0xc))
        at[12 + take(&w->in, 1) % 74] ^= (uint8_t)take(&w->in, 1);
    return 12 + len;
}

/* The start of a request of each kind that is not only noise. */
static void put_header(struct world *w, uint64_t addr)
{
    static const uint8_t types[] = {0, 1, 4, 8, 11, 13, 0, 1};
    uint8_t *at = w->d.mock->ram + addr;
    uint64_t what = take(&w->in, 1);

    memset(at, 0, 64);
    if (w->kind == 1) {
        at[0] = types[what & 7];
        at[8] = (uint8_t)take(&w->in, 1);
        at[16] = (uint8_t)take(&w->in, 1);
        at[24] = (uint8_t)take(&w->in, 1);
        at[28] = what & 8;
    } else if (w->kind == 2) {
        at[0] = (what >> 3) & 3;
        at[4] = what & 7;
        at[6] = what >> 7;
    }
}

static void act_chain(struct world *w)
{
    unsigned q = take_queue(w), shape = (unsigned)take(&w->in, 1), count = 1 + (shape & 7);
    struct driver_buffer buf[8];

    if (!w->d.ring[q].size)
        return;
    for (unsigned i = 0; i < count; i++) {
        uint64_t bits = take(&w->in, 3);

        buf[i].addr = DRIVER_DATA + (bits & 0xff) * 64;
        buf[i].len = shape & 8 ? bits >> 12 & 0xfff : (bits >> 12 & 7) * 512 + (bits >> 8 & 1);
        buf[i].write = shape & 16 ? bits >> 23 & 1 : i >= (bits >> 20 & 7);
    }
    if (shape & 32) {
        buf[0] = (struct driver_buffer){DRIVER_DATA, 16 + (shape & 64 ? 16 : 0), false};
        buf[count - 1] = (struct driver_buffer){DRIVER_DATA + 0x8000, 513, true};
        put_header(w, DRIVER_DATA);
        if (w->kind == 3)
            buf[0].len = put_segments(w, w->d.mock->ram + DRIVER_DATA);
    }
    driver_add(&w->d, q, buf, count, shape & 128 && w->d.features & BIT(F_INDIRECT));
    driver_kick(&w->d, q);
}

static void act_register(struct world *w)
{
    unsigned offset = take(&w->in, 2) & 0x7fff, len = 1 + (take(&w->in, 1) & 7);

    len = MIN(len, 0x8000 - offset);
    mock_read(w->d.func, 0, offset, len);
    mock_write(w->d.func, 0, offset, len, take(&w->in, 8));
}

static void act_common(struct world *w)
{
    static const uint8_t width[] = {4, 4, 4, 4, 2, 1, 2, 2, 2, 2, 8, 8, 8};
    static const uint8_t offset[] = {0,    4,    8,    0xc,  0x10, 0x14, 0x16,
                                     0x18, 0x1a, 0x1c, 0x20, 0x28, 0x30};
    unsigned i = (unsigned)take(&w->in, 1) % sizeof(width);

    driver_set(&w->d, offset[i], width[i], take(&w->in, i < 10 ? 2 : 3));
    driver_get(&w->d, offset[i], width[i]);
}

static void act_notify(struct world *w)
{
    driver_set(&w->d, DRIVER_NOTIFY + (unsigned)take(&w->in, 1), 2, 0);
}

/* Into the rings and tables of a queue. */
static void act_ring(struct world *w)
{
    unsigned q = take_queue(w), shape = (unsigned)take(&w->in, 1);
    static const unsigned base[] = {0, 0x4000, 0x6000, 0x8000};
    unsigned at = DRIVER_DESC(q) + base[shape >> 6] + (unsigned)take(&w->in, 1) * 2;

    for (unsigned i = 0; i <= (shape & 15); i++)
        w->d.mock->ram[at + i] = (uint8_t)take(&w->in, 1);
    driver_kick(&w->d, q);
}

static void act_time(struct world *w)
{
    mock_run(w->d.mock, take(&w->in, 2) * 10 * PS_PER_NS);
}

static void act_reset(struct world *w)
{
    uint64_t how = take(&w->in, 1);

    if (how & 4)
        driver_set(&w->d, 0x14, 1, 0);
    else
        mock_reset(w->d.func, (enum endpoint_reset)(how % 3));
    memset(w->d.ring, 0, sizeof(w->d.ring));
}

static void act_trouble(struct world *w)
{
    uint64_t what = take(&w->in, 1);

    w->d.mock->bus_master = !(what & 1);
    w->d.mock->bad_addr = what & 2 ? take(&w->in, 3) : 0;
    w->disk_error = what & 4 ? -EIO : 0;
    mock_set_msix(w->d.func, what & 8);
    w->d.mock->dma_ps = what & 16 ? 20 * PS_PER_US : 10 * PS_PER_NS;
    w->d.mock->shuffle = what & 32 ? 1 + (uint32_t)take(&w->in, 1) : 0;
}

/* Frames that follow each other, now and then with a gap or of another length. */
static void stream(struct world *w, uint64_t what)
{
    uint8_t frame[VIRTIO_NET_FRAME_MAX];
    uint32_t bytes = what & 8 ? (uint32_t)take(&w->in, 2) % 1400 : 1000;

    memset(frame, 0, sizeof(frame));
    for (unsigned i = 0; i < 1 + (what >> 6); i++) {
        uint32_t len = put_tcp(frame, what & 16, w->seq, what & 32 ? 0x18 : 0x10, bytes);

        if (virtio_net_input(w->net, frame, len))
            w->seq += bytes;
    }
}

static void act_host(struct world *w)
{
    static const uint8_t bytes[5000];
    uint64_t what = take(&w->in, 1);

    if (w->net && what & 4)
        stream(w, what);
    else if (w->net && what & 1)
        virtio_net_input(w->net, bytes, (uint32_t)take(&w->in, 2) % (VIRTIO_NET_FRAME_MAX + 1));
    else if (w->net)
        virtio_net_set_link(w->net, what & 2);
    if (!w->console)
        return;
    switch (what & 3) {
    case 0: virtio_console_resize(w->console, (uint16_t)what, (uint16_t)take(&w->in, 1)); break;
    case 1: virtio_console_set_open(w->console, what >> 2 & 1, what >> 3 & 1); break;
    default:
        virtio_console_input(w->console, what >> 2 & 1, bytes, (uint32_t)take(&w->in, 2) % 5000);
    }
}

static void (*const actions[])(struct world *w) = {
    act_chain, act_chain, act_chain,  act_setup,    act_ring,   act_ring,    act_time,
    act_time,  act_reset, act_common, act_register, act_notify, act_trouble, act_host,
};

/* Host memory works again; nothing else is repaired but by the reset. */
static void expect_recovery(struct world *w)
{
    struct driver_buffer buf[] = {{DRIVER_DATA, 16, false}, {DRIVER_DATA + 64, 513, true}};
    /* A queue whose chains are answered without further ado. */
    unsigned q = w->kind >= 2 ? 1 : 0, first = w->kind ? 0 : 1, count = w->kind == 1 ? 2 : 1;
    uint16_t id;
    uint32_t len;

    w->d.mock->bus_master = true;
    w->d.mock->bad_addr = 0;
    w->disk_error = 0;
    mock_reset(w->d.func, ENDPOINT_RESET_FLR);
    g_assert(driver_status(&w->d) == 0);
    driver_setup(&w->d, 0, queues(w), SIZE);
    memset(w->d.mock->ram + DRIVER_DATA, 0, 1024);
    for (unsigned i = 0; i < 3 * SIZE; i++) {
        driver_add(&w->d, q, buf + first, count, i & 1);
        driver_kick(&w->d, q);
        mock_run(w->d.mock, PS_PER_MS);
        g_assert(driver_used(&w->d, q, &id, &len));
        g_assert(len == (w->kind >= 2 ? 0 : 513));
    }
    g_assert(!(driver_status(&w->d) & S_NEEDS_RESET));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = g_new0(struct world, 1);
    unsigned shape;

    w->in = (struct input){data, size};
    w->d.mock = mock_new(DRIVER_RAM_BYTES);
    shape = (unsigned)take(&w->in, 1);
    make_device(w, shape & 0x40 ? 3 : shape % 3, shape & 0x80);
    act_setup(w);
    for (unsigned i = 0; i < MAX_ACTIONS && w->in.left; i++)
        actions[take(&w->in, 1) % ARRAY_LEN(actions)](w);
    mock_run(w->d.mock, 20 * PS_PER_MS);
    expect_recovery(w);
    endpoint_free(w->d.ep);
    mock_free(w->d.mock);
    g_free(w);
    return 0;
}
