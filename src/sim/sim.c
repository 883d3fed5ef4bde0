/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event queue: a 4-ary heap ordered by (time, sequence number). Four children share one or two
 * cache lines of pointers and halve the depth of a binary heap.
 */
#include "pcilab/sim/sim.h"

#include <assert.h>
#include <glib.h>

#define HEAP_ARITY 4

static bool event_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ps < b->at_ps || (a->at_ps == b->at_ps && a->seq < b->seq);
}

static void heap_put(struct sim *sim, size_t index, struct sim_event *ev)
{
    sim->heap[index] = ev;
    ev->heap_index = index + 1;
}

static void heap_sift_up(struct sim *sim, size_t index, struct sim_event *ev)
{
    while (index > 0) {
        size_t parent = (index - 1) / HEAP_ARITY;

        if (!event_before(ev, sim->heap[parent])) {
            break;
        }
        heap_put(sim, index, sim->heap[parent]);
        index = parent;
    }
    heap_put(sim, index, ev);
}

static void heap_sift_down(struct sim *sim, size_t index, struct sim_event *ev)
{
    for (;;) {
        size_t first = index * HEAP_ARITY + 1;
        size_t best = first;

        if (first >= sim->heap_len) {
            break;
        }
        for (size_t i = first + 1; i < first + HEAP_ARITY && i < sim->heap_len; i++) {
            if (event_before(sim->heap[i], sim->heap[best])) {
                best = i;
            }
        }
        if (!event_before(sim->heap[best], ev)) {
            break;
        }
        heap_put(sim, index, sim->heap[best]);
        index = best;
    }
    heap_put(sim, index, ev);
}

static void heap_remove(struct sim *sim, size_t index)
{
    struct sim_event *last = sim->heap[--sim->heap_len];
    struct sim_event *gone = sim->heap[index];

    gone->heap_index = 0;
    if (gone == last) {
        return;
    }
    if (index > 0 && event_before(last, sim->heap[(index - 1) / HEAP_ARITY])) {
        heap_sift_up(sim, index, last);
    } else {
        heap_sift_down(sim, index, last);
    }
}

void sim_init(struct sim *sim, uint64_t seed)
{
    *sim = (struct sim){.seed = seed};
}

void sim_fini(struct sim *sim)
{
    for (size_t i = 0; i < sim->heap_len; i++) {
        sim->heap[i]->heap_index = 0;
    }
    g_free(sim->heap);
    sim->heap = NULL;
    sim->heap_len = 0;
    sim->heap_cap = 0;
}

void sim_stream_add(struct sim *sim, struct sim_stream *stream, const char *name)
{
    stream->name = name;
    stream->next = sim->streams;
    sim->streams = stream;
    sim_rng_init(&stream->rng, sim->seed, name);
}

void sim_stream_remove(struct sim *sim, struct sim_stream *stream)
{
    struct sim_stream **at = &sim->streams;

    while (*at && *at != stream) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = stream->next;
    }
}

void sim_reseed(struct sim *sim, uint64_t seed)
{
    sim->seed = seed;
    for (struct sim_stream *s = sim->streams; s; s = s->next) {
        sim_rng_init(&s->rng, seed, s->name);
    }
}

void sim_event_init(struct sim_event *ev, sim_event_fn fn, void *opaque)
{
    *ev = (struct sim_event){.fn = fn, .opaque = opaque};
}

void sim_schedule_at(struct sim *sim, struct sim_event *ev, uint64_t at_ps)
{
    assert(ev->fn);
    assert(at_ps >= sim->now_ps && "an event is never scheduled in the past");
    if (ev->heap_index) {
        heap_remove(sim, ev->heap_index - 1);
    }
    ev->at_ps = at_ps;
    ev->seq = sim->next_seq++;
    if (sim->heap_len == sim->heap_cap) {
        sim->heap_cap = sim->heap_cap ? sim->heap_cap * 2 : 64;
        sim->heap = g_renew(struct sim_event *, sim->heap, sim->heap_cap);
    }
    heap_sift_up(sim, sim->heap_len++, ev);
}

void sim_schedule_in(struct sim *sim, struct sim_event *ev, uint64_t delay_ps)
{
    /* A delay beyond the end of time is a guest's large number, not our bug. */
    sim_schedule_at(sim, ev,
                    delay_ps > SIM_NEVER - sim->now_ps ? SIM_NEVER : sim->now_ps + delay_ps);
}

void sim_cancel(struct sim *sim, struct sim_event *ev)
{
    if (ev->heap_index) {
        heap_remove(sim, ev->heap_index - 1);
    }
}

uint64_t sim_next_ps(const struct sim *sim)
{
    return sim->heap_len ? sim->heap[0]->at_ps : SIM_NEVER;
}

bool sim_run_one(struct sim *sim, uint64_t until_ps)
{
    struct sim_event *ev;

    if (!sim->heap_len || sim->heap[0]->at_ps > until_ps) {
        return false;
    }
    ev = sim->heap[0];
    heap_remove(sim, 0);
    sim->now_ps = ev->at_ps;
    sim->events_run++;
    ev->fn(ev->opaque);
    return true;
}

void sim_run_until(struct sim *sim, uint64_t until_ps)
{
    while (sim_run_one(sim, until_ps)) {
    }
    if (until_ps > sim->now_ps) {
        sim->now_ps = until_ps;
    }
}

void sim_advance_to(struct sim *sim, uint64_t now_ps)
{
    assert(now_ps >= sim->now_ps);
    assert(sim_next_ps(sim) >= now_ps && "no event may be skipped");
    sim->now_ps = now_ps;
}
