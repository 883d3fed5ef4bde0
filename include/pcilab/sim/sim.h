/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time: one clock, one order.
 *
 * Time is an unsigned 64-bit count of picoseconds (213 days). Everything that happens is an event
 * at a time; events at one time run in the order in which they were scheduled. Events are embedded
 * in their owner: scheduling allocates nothing. The owner cancels its events before it goes.
 */
#ifndef PCILAB_SIM_SIM_H
#define PCILAB_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pcilab/base/flaw.h"
#include "pcilab/sim/rng.h"

#define PS_PER_NS 1000ULL
#define PS_PER_US 1000000ULL
#define PS_PER_MS 1000000000ULL
#define PS_PER_S  1000000000000ULL
#define SIM_NEVER UINT64_MAX

typedef void (*sim_event_fn)(void *opaque);

struct sim_event {
    sim_event_fn fn;
    void *opaque;
    uint64_t at_ps;
    struct sim_chunk *chunk; /* where the queue has it; NULL: not scheduled */
};

/*
 * A stream of randomness that follows the machine's seed: sim_reseed() starts it anew, as if the
 * machine had been made with the other seed. The owner removes it before it goes.
 */
struct sim_stream {
    struct sim_rng rng;
    const char *name; /* the owner's; outlives the stream */
    struct sim_stream *next;
};

struct sim {
    uint64_t now_ps;
    uint64_t seed;
    uint64_t next_ps; /* of the earliest event; SIM_NEVER when there is none */
    uint64_t events_run;
    struct sim_queue *queue;
    struct sim_stream *streams;
    struct flaws flaws; /* of the machine, for tests of tests */
};

void sim_init(struct sim *sim, uint64_t seed);
/* Forgets all events; the owners keep them. */
void sim_fini(struct sim *sim);

void sim_stream_add(struct sim *sim, struct sim_stream *stream, const char *name);
void sim_stream_remove(struct sim *sim, struct sim_stream *stream);
/* From now on the seed is this one; every stream starts anew from it. */
void sim_reseed(struct sim *sim, uint64_t seed);

void sim_event_init(struct sim_event *ev, sim_event_fn fn, void *opaque);
/* (Re)schedules; at_ps must not be in the past. */
void sim_schedule_at(struct sim *sim, struct sim_event *ev, uint64_t at_ps);
void sim_schedule_in(struct sim *sim, struct sim_event *ev, uint64_t delay_ps);
void sim_cancel(struct sim *sim, struct sim_event *ev);

static inline bool sim_event_pending(const struct sim_event *ev)
{
    return ev->chunk != NULL;
}

/* Time of the earliest event, SIM_NEVER when there is none. */
static inline uint64_t sim_next_ps(const struct sim *sim)
{
    return sim->next_ps;
}

/* Runs the earliest event when it is due at or before until_ps; moves the clock to its time. */
bool sim_run_one(struct sim *sim, uint64_t until_ps);
/* Runs all events up to and including until_ps, then moves the clock there. */
void sim_run_until(struct sim *sim, uint64_t until_ps);
/* Moves the clock forward without running anything; no event may be due before. */
void sim_advance_to(struct sim *sim, uint64_t now_ps);

#endif
