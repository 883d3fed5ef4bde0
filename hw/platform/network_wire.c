/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A wire between cards, without a host: all in virtual time, so the same in every run. */
#include "board.h"
#include "network.h"

/* CHOICE: 200 m of cable, at 5 ns a metre. */
#define DELAY_PS (1 * PS_PER_US)
/* CHOICE: frames that are on the way; more are lost. */
#define FLYING_MAX 4096

struct flight {
    uint64_t at_ps;
    const struct wire_end *from;
    GBytes *frame;
};

struct wire {
    struct sim *sim;
    struct sim_event arrival;
    GPtrArray *ends; /* struct wire_end */
    GQueue flying;   /* struct flight, in order of time */
};

static void flight_free(void *data)
{
    struct flight *flight = data;

    g_bytes_unref(flight->frame);
    g_free(flight);
}

static void arrive(void *opaque)
{
    struct wire *wire = opaque;
    struct flight *flight;

    while ((flight = g_queue_peek_head(&wire->flying)) && flight->at_ps <= wire->sim->now_ps) {
        g_queue_pop_head(&wire->flying);
        gsize len;
        const uint8_t *data = g_bytes_get_data(flight->frame, &len);
        for (unsigned i = 0; i < wire->ends->len; i++) {
            const struct wire_end *end = wire->ends->pdata[i];
            if (end != flight->from)
                end->deliver(end->opaque, data, (uint32_t)len);
        }
        flight_free(flight);
    }
    flight = g_queue_peek_head(&wire->flying);
    if (flight)
        sim_schedule_at(wire->sim, &wire->arrival, flight->at_ps);
}

void wire_send(struct wire_end *from, const uint8_t *frame, uint32_t len)
{
    struct wire *wire = from->wire;

    if (wire->ends->len < 2 || g_queue_get_length(&wire->flying) >= FLYING_MAX)
        return;
    struct flight *flight = g_new0(struct flight, 1);
    flight->at_ps = wire->sim->now_ps + DELAY_PS;
    flight->from = from;
    flight->frame = g_bytes_new(frame, len);
    g_queue_push_tail(&wire->flying, flight);
    if (!sim_event_pending(&wire->arrival))
        sim_schedule_at(wire->sim, &wire->arrival, flight->at_ps);
}

void wire_join(struct wire_end *end, struct wire_end *other, struct sim *sim)
{
    struct wire *wire = other ? other->wire : NULL;

    if (!wire) {
        wire = g_new0(struct wire, 1);
        wire->sim = sim;
        wire->ends = g_ptr_array_new();
        g_queue_init(&wire->flying);
        sim_event_init(&wire->arrival, arrive, wire);
    }
    end->wire = wire;
    g_ptr_array_add(wire->ends, end);
}

void wire_leave(struct wire_end *end)
{
    struct wire *wire = end->wire;

    g_ptr_array_remove(wire->ends, end);
    if (wire->ends->len)
        return;
    sim_cancel(wire->sim, &wire->arrival);
    g_queue_clear_full(&wire->flying, flight_free);
    g_ptr_array_unref(wire->ends);
    g_free(wire);
}
