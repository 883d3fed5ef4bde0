/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console device: VIRTIO 1.3, 5.3. Port 0 has queues 0 (to the guest) and 1, the control queues
 * are 2 and 3, port n has 2n + 2 and 2n + 3.
 *
 * What is to be told through the control queue is a set of bits per port, sent in their order:
 * bounded, whatever the driver asks for.
 *
 * UNIMPL: emergency write: not offered.
 */
#include <assert.h>
#include <string.h>

#include <glib.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/endpoint/virtio.h"
#include "pcilab/endpoint/virtio_devices.h"
#include "pcilab/trace/trace.h"

#define CLASS_CONSOLE 0x078000 /* communication, other */

#define QUEUE_SIZE    128
#define IN_FLIGHT     8
#define PIECE_BYTES   4096       /* CHOICE: most bytes that one buffer carries to the guest */
#define OUTPUT_BYTES  (1u << 20) /* CHOICE: longest piece that a guest may write at once */
#define CONTROL_BYTES 256
#define NAME_BYTES    64

/* 5.3.3 */
#define CONSOLE_F_SIZE      BIT(0)
#define CONSOLE_F_MULTIPORT BIT(1)

/* 5.3.4 */
enum { CONFIG_COLS = 0, CONFIG_ROWS = 2, CONFIG_MAX_PORTS = 4, CONFIG_BYTES = 12 };

enum { QUEUE_RX0 = 0, QUEUE_TX0 = 1, QUEUE_CONTROL_RX = 2, QUEUE_CONTROL_TX = 3 };

/* 5.3.6.2: id, event, value */
#define MESSAGE_BYTES 8
enum {
    EVENT_DEVICE_READY = 0,
    EVENT_DEVICE_ADD = 1,
    EVENT_PORT_READY = 3,
    EVENT_CONSOLE_PORT = 4,
    EVENT_RESIZE = 5,
    EVENT_PORT_OPEN = 6,
    EVENT_PORT_NAME = 7,
};

/* In the order in which they are sent. */
enum { TELL_ADD = 1, TELL_CONSOLE = 2, TELL_SIZE = 4, TELL_NAME = 8, TELL_OPEN = 16 };

struct request_list {
    struct virtio_request *first, *last;
};

struct console_port {
    char *name;
    bool console;
    const struct virtio_console_port_ops *ops;
    void *opaque;

    struct request_list rx; /* buffers for the guest's input */
    unsigned tell;          /* TELL_* */
    bool ready;             /* the driver knows the port */
    bool guest_open, host_open;
    bool starved; /* input took less than all */
};

struct virtio_console {
    struct virtio *dev;
    struct console_port port[VIRTIO_CONSOLE_PORTS_MAX];
    unsigned ports;
    struct request_list control; /* buffers for what we tell */
    uint16_t columns, rows;
    bool multiport;
};

static void list_push(struct request_list *list, struct virtio_request *req)
{
    req->next = NULL;
    if (list->last)
        list->last->next = req;
    else
        list->first = req;
    list->last = req;
}

static struct virtio_request *list_pop(struct request_list *list)
{
    struct virtio_request *req = list->first;

    list->first = req->next;
    if (!list->first)
        list->last = NULL;
    return req;
}

/* The control queue. */

static uint32_t write_message(const struct virtio_console *con, unsigned index, unsigned what,
                              uint8_t *out)
{
    const struct console_port *port = &con->port[index];
    unsigned event = EVENT_DEVICE_ADD, value = 1;
    uint32_t extra = 0;

    switch (what) {
    case TELL_CONSOLE: event = EVENT_CONSOLE_PORT; break;
    case TELL_OPEN:
        event = EVENT_PORT_OPEN;
        value = port->host_open;
        break;
    case TELL_NAME:
        event = EVENT_PORT_NAME;
        extra = (uint32_t)strlen(port->name);
        memcpy(out + MESSAGE_BYTES, port->name, extra);
        break;
    case TELL_SIZE:
        event = EVENT_RESIZE;
        extra = 4;
        le16_store(out + MESSAGE_BYTES, con->columns);
        le16_store(out + MESSAGE_BYTES + 2, con->rows);
        break;
    default: break;
    }
    le32_store(out, index);
    le16_store(out + 4, (uint16_t)event);
    le16_store(out + 6, (uint16_t)value);
    return MESSAGE_BYTES + extra;
}

static void tell_next(struct virtio_console *con, unsigned index)
{
    struct console_port *port = &con->port[index];
    unsigned what = port->tell & -port->tell;
    struct virtio_request *req = list_pop(&con->control);
    uint8_t message[CONTROL_BYTES];
    uint32_t len = write_message(con, index, what, message);

    port->tell &= ~what;
    if (len > req->out_len) {
        virtio_fail(con->dev, "a control buffer that is too small for a message (5.3.6.2)");
        return;
    }
    memcpy(req->out, message, len);
    virtio_answer(req, len);
}

static void tell_pump(struct virtio_console *con)
{
    for (unsigned i = 0; i < con->ports; i++) {
        while (con->port[i].tell && con->control.first && virtio_running(con->dev))
            tell_next(con, i);
    }
}

static void tell(struct virtio_console *con, struct console_port *port, unsigned what)
{
    port->tell |= what;
    tell_pump(con);
}

static void set_guest_open(struct virtio_console *con, struct console_port *port, bool open)
{
    if (port->guest_open == open)
        return;
    port->guest_open = open;
    if (port->ops->guest_open)
        port->ops->guest_open(port->opaque, (unsigned)(port - con->port), open);
}

static bool takes_input(const struct virtio_console *con, const struct console_port *port)
{
    return port->guest_open || port->console || !con->multiport;
}

static void offer_room(struct virtio_console *con, struct console_port *port)
{
    if (!port->starved || !port->rx.first || !takes_input(con, port))
        return;
    port->starved = false;
    if (port->ops->room)
        port->ops->room(port->opaque, (unsigned)(port - con->port));
}

static void port_ready(struct virtio_console *con, struct console_port *port)
{
    unsigned what = 0;

    port->ready = true;
    if (port->console)
        what |= TELL_CONSOLE | (con->columns ? TELL_SIZE : 0);
    if (port->name)
        what |= TELL_NAME;
    if (port->host_open)
        what |= TELL_OPEN;
    tell(con, port, what);
}

static void control_message(struct virtio_console *con, const uint8_t *in)
{
    uint32_t id = le32_load(in);
    unsigned event = le16_load(in + 4), value = le16_load(in + 6);

    if (event == EVENT_DEVICE_READY) {
        for (unsigned i = 0; value && i < con->ports; i++)
            tell(con, &con->port[i], TELL_ADD);
    } else if (id >= con->ports) {
        trace_say(endpoint_trace(virtio_func(con->dev)), TRACE_RULE, "virtio-console",
                  "a control message for port %u, which is not there (5.3.6.2)", id);
    } else if (event == EVENT_PORT_READY && value) {
        port_ready(con, &con->port[id]);
    } else if (event == EVENT_PORT_OPEN) {
        set_guest_open(con, &con->port[id], value != 0);
        offer_room(con, &con->port[id]);
    }
}

/* What comes. */

static struct console_port *port_of_queue(struct virtio_console *con, unsigned queue)
{
    return &con->port[queue < QUEUE_CONTROL_RX ? 0 : queue / 2 - 1];
}

static void console_request(void *owner, struct virtio_request *req)
{
    struct virtio_console *con = owner;
    struct console_port *port = port_of_queue(con, req->queue);

    if (req->queue == QUEUE_CONTROL_RX) {
        list_push(&con->control, req);
        tell_pump(con);
    } else if (req->queue == QUEUE_CONTROL_TX) {
        if (req->in_len >= MESSAGE_BYTES)
            control_message(con, req->in);
        virtio_answer(req, 0);
    } else if (req->queue & 1) {
        if (req->in_len)
            port->ops->output(port->opaque, (unsigned)(port - con->port), req->in, req->in_len);
        virtio_answer(req, 0);
    } else if (!req->out_len) {
        virtio_answer(req, 0);
    } else {
        list_push(&port->rx, req);
        offer_room(con, port);
    }
}

static void console_driver_ok(void *owner, uint64_t features)
{
    ((struct virtio_console *)owner)->multiport = features & CONSOLE_F_MULTIPORT;
}

static void console_reset(void *owner)
{
    struct virtio_console *con = owner;

    con->control = (struct request_list){0};
    con->multiport = false;
    for (unsigned i = 0; i < con->ports; i++) {
        struct console_port *port = &con->port[i];

        port->rx = (struct request_list){0};
        port->tell = 0;
        port->ready = false;
        set_guest_open(con, port, false);
    }
}

static void console_destroy(void *owner)
{
    struct virtio_console *con = owner;

    for (unsigned i = 0; i < con->ports; i++)
        g_free(con->port[i].name);
    g_free(con);
}

static const struct virtio_device_ops console_ops = {
    .request = console_request,
    .driver_ok = console_driver_ok,
    .reset = console_reset,
    .destroy = console_destroy,
};

/* The host's side. */

uint32_t virtio_console_input(struct virtio_console *con, unsigned index, const void *data,
                              uint32_t len)
{
    struct console_port *port = &con->port[index];
    const uint8_t *bytes = data;
    uint32_t taken = 0;

    assert(index < con->ports);
    while (taken < len && port->rx.first && takes_input(con, port) && virtio_running(con->dev)) {
        struct virtio_request *req = list_pop(&port->rx);
        uint32_t n = MIN(len - taken, req->out_len);

        memcpy(req->out, bytes + taken, n);
        taken += n;
        virtio_answer(req, n);
    }
    port->starved = taken < len;
    return taken;
}

void virtio_console_set_open(struct virtio_console *con, unsigned index, bool open)
{
    struct console_port *port = &con->port[index];

    assert(index < con->ports);
    if (port->host_open == open)
        return;
    port->host_open = open;
    if (port->ready)
        tell(con, port, TELL_OPEN);
}

/* 5.3.5: by a control message or, without ports, by the configuration. */
void virtio_console_resize(struct virtio_console *con, uint16_t columns, uint16_t rows)
{
    uint8_t size[4];

    con->columns = columns;
    con->rows = rows;
    le16_store(size + CONFIG_COLS, columns);
    le16_store(size + CONFIG_ROWS, rows);
    virtio_set_config(con->dev, CONFIG_COLS, size, sizeof(size), !con->multiport);
    for (unsigned i = 0; i < con->ports; i++) {
        if (con->port[i].console && con->port[i].ready)
            tell(con, &con->port[i], TELL_SIZE);
    }
}

struct endpoint *virtio_console_endpoint(struct virtio_console *con)
{
    return virtio_endpoint(con->dev);
}

static void init_ports(struct virtio_console *con, const struct virtio_console_params *params)
{
    assert(params->port_count >= 1 && params->port_count <= VIRTIO_CONSOLE_PORTS_MAX);
    con->ports = params->port_count;
    for (unsigned i = 0; i < con->ports; i++) {
        const struct virtio_console_port *from = &params->ports[i];
        struct console_port *port = &con->port[i];

        assert(from->ops->output && (!from->name || strlen(from->name) < NAME_BYTES));
        port->name = g_strdup(from->name);
        port->console = port->host_open = from->console;
        port->ops = from->ops;
        port->opaque = from->opaque;
    }
}

static void init_queues(struct virtio_queue_params *queues, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        bool control = i == QUEUE_CONTROL_RX || i == QUEUE_CONTROL_TX;

        queues[i] = (struct virtio_queue_params){.size = QUEUE_SIZE, .in_flight = IN_FLIGHT};
        if (i & 1)
            queues[i].in_max_bytes = control ? CONTROL_BYTES : OUTPUT_BYTES;
        else
            queues[i].out_max_bytes = control ? CONTROL_BYTES : PIECE_BYTES;
    }
}

struct virtio_console *virtio_console_new(struct fabric *fabric,
                                          const struct virtio_console_params *params)
{
    struct virtio_queue_params queues[2 * VIRTIO_CONSOLE_PORTS_MAX + 2];
    uint8_t config[CONFIG_BYTES] = {0};
    struct virtio_console *con = g_new0(struct virtio_console, 1);
    unsigned queue_count = 2 * params->port_count + 2;

    con->columns = params->columns;
    con->rows = params->rows;
    le16_store(config + CONFIG_COLS, params->columns);
    le16_store(config + CONFIG_ROWS, params->rows);
    le32_store(config + CONFIG_MAX_PORTS, params->port_count);
    init_ports(con, params);
    init_queues(queues, queue_count);
    con->dev = virtio_new(fabric, &(struct virtio_params){
                                      .name = params->name,
                                      .type = VIRTIO_TYPE_CONSOLE,
                                      .class_code = CLASS_CONSOLE,
                                      .features = CONSOLE_F_SIZE | CONSOLE_F_MULTIPORT,
                                      .packed = params->packed,
                                      .queues = queues,
                                      .queue_count = queue_count,
                                      .config = config,
                                      .config_bytes = sizeof(config),
                                      .ops = &console_ops,
                                      .owner = con,
                                      .pcie = params->pcie,
                                  });
    return con;
}
