/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event queue: the next few events in order, and behind them a hierarchical timing wheel.
 *
 * Every event of `near` runs before every event of the wheel. That is an array, the next event
 * last, and all there is when few events are pending. When it is full, its later half goes to the
 * wheel; when it is empty, it takes the wheel's earliest slot.
 *
 * A level of the wheel is a digit of the time, to the base of LEVEL_SLOTS. An event waits in the
 * level of the highest digit in which its time differs from the wheel's (base_ps), in the slot of
 * its own digit there. All events of lower levels come before all of higher ones, and within a
 * level they come by slot: three searches for a set bit find the earliest slot. A slot of many
 * events moves down when its time comes, each of them at most once per level.
 *
 * Events of the same time run in the order in which they were scheduled. Where an event waits is a
 * function of its time and of base_ps alone, so in the wheel those of one time share a slot; it is
 * in their order, because they are appended (those that `near` gives back were there before all
 * others of their time, and go to the front), and because it moves down from the front.
 *
 * A slot is a list of chunks of entries rather than of events: with many pending, an event is not
 * in the cache, and has to be reached without waiting for its predecessor.
 *
 * base_ps is the time of some event that ran: never after the clock (now_ps), maybe before it.
 */
#include "pcilab/sim/sim.h"

#include <assert.h>
#include <glib.h>

/* Measured with bench/events and bench/fabric. */
#define NEAR_EVENTS   64u
#define LEVEL_BITS    8u
#define LEVEL_SLOTS   (1u << LEVEL_BITS)
#define LEVELS        ((64u + LEVEL_BITS - 1) / LEVEL_BITS)
#define WORD_BITS     64u
#define LEVEL_WORDS   (LEVEL_SLOTS / WORD_BITS)
#define CHUNK_ENTRIES 14u
#define BLOCK_CHUNKS  64u

static_assert(LEVEL_WORDS >= 1 && LEVEL_WORDS <= WORD_BITS, "a word of words");

struct entry {
    uint64_t at_ps;
    struct sim_event *ev;
};

struct sim_chunk {
    struct sim_chunk *next, *prev; /* of the slot; next: of the unused ones */
    uint32_t slot;
    uint32_t count; /* in use: not 0 */
    struct entry entry[CHUNK_ENTRIES];
};

struct block {
    struct block *next;
    struct sim_chunk chunk[BLOCK_CHUNKS];
};

struct slot {
    struct sim_chunk *first, *last;
    uint64_t min_ps; /* time of the earliest, where min_known */
    uint32_t count;
    bool in_order; /* no event comes before its predecessor in the list */
    bool min_known;
};

struct sim_queue {
    unsigned near_count;
    uint32_t levels; /* with events */
    uint64_t base_ps;
    uint64_t wheel_ps; /* no event of the wheel is earlier; exact when near is empty */
    struct entry near[NEAR_EVENTS];
    struct sim_chunk near_mark; /* where events of near are */
    struct sim_chunk *unused;
    struct block *blocks;
    uint64_t words[LEVELS]; /* of slots with events */
    uint64_t occupied[LEVELS][LEVEL_WORDS];
    struct slot slots[LEVELS * LEVEL_SLOTS];
};

static void slot_mark_full(struct sim_queue *queue, unsigned number)
{
    unsigned level = number / LEVEL_SLOTS, digit = number % LEVEL_SLOTS;

    queue->occupied[level][digit / WORD_BITS] |= 1ULL << digit % WORD_BITS;
    queue->words[level] |= 1ULL << digit / WORD_BITS;
    queue->levels |= 1u << level;
}

static void slot_mark_empty(struct sim_queue *queue, unsigned number)
{
    unsigned level = number / LEVEL_SLOTS, digit = number % LEVEL_SLOTS;
    uint64_t *word = &queue->occupied[level][digit / WORD_BITS];

    *word &= ~(1ULL << digit % WORD_BITS);
    if (*word)
        return;
    queue->words[level] &= ~(1ULL << digit / WORD_BITS);
    if (!queue->words[level])
        queue->levels &= ~(1u << level);
}

static struct sim_chunk *chunk_new(struct sim_queue *queue, unsigned slot)
{
    struct sim_chunk *chunk = queue->unused;

    if (!chunk) {
        struct block *block = g_new(struct block, 1);

        block->next = queue->blocks;
        queue->blocks = block;
        for (unsigned i = 0; i < BLOCK_CHUNKS; i++) {
            block->chunk[i].next = chunk;
            chunk = &block->chunk[i];
        }
    }
    queue->unused = chunk->next;
    chunk->slot = slot;
    chunk->count = 0;
    return chunk;
}

static void chunk_free(struct sim_queue *queue, struct sim_chunk *chunk)
{
    chunk->next = queue->unused;
    queue->unused = chunk;
}

/* The slot where an event of this time waits. */
static unsigned wheel_place(const struct sim_queue *queue, uint64_t at_ps)
{
    uint64_t differing = at_ps ^ queue->base_ps;
    unsigned level = (63u - (unsigned)__builtin_clzll(differing | 1)) / LEVEL_BITS;

    return level * LEVEL_SLOTS + (at_ps >> level * LEVEL_BITS) % LEVEL_SLOTS;
}

static void slot_start(struct sim_queue *queue, unsigned number, uint64_t at_ps)
{
    struct slot *slot = &queue->slots[number];

    slot->first = slot->last = chunk_new(queue, number);
    slot->first->next = slot->first->prev = NULL;
    slot->count = 0;
    slot->min_ps = at_ps;
    slot->min_known = true;
    slot->in_order = true;
    slot_mark_full(queue, number);
}

static void wheel_append(struct sim_queue *queue, struct entry entry)
{
    unsigned number = wheel_place(queue, entry.at_ps);
    struct slot *slot = &queue->slots[number];
    struct sim_chunk *chunk = slot->last;

    if (!chunk) {
        slot_start(queue, number, entry.at_ps);
        chunk = slot->last;
    } else {
        slot->in_order &= entry.at_ps >= chunk->entry[chunk->count - 1].at_ps;
        if (entry.at_ps < slot->min_ps)
            slot->min_ps = entry.at_ps;
        if (chunk->count == CHUNK_ENTRIES) {
            chunk->next = chunk_new(queue, number);
            chunk->next->prev = chunk;
            chunk->next->next = NULL;
            chunk = slot->last = chunk->next;
        }
    }
    slot->count++;
    chunk->entry[chunk->count++] = entry;
    entry.ev->chunk = chunk;
}

/* The event comes before all others of the wheel. */
static void wheel_prepend(struct sim_queue *queue, struct entry entry)
{
    unsigned number = wheel_place(queue, entry.at_ps);
    struct slot *slot = &queue->slots[number];
    struct sim_chunk *chunk = slot->first;

    if (!chunk) {
        wheel_append(queue, entry);
        return;
    }
    if (chunk->count == CHUNK_ENTRIES) {
        chunk->prev = chunk_new(queue, number);
        chunk->prev->next = chunk;
        chunk->prev->prev = NULL;
        chunk = slot->first = chunk->prev;
    }
    for (unsigned i = chunk->count++; i > 0; i--)
        chunk->entry[i] = chunk->entry[i - 1];
    chunk->entry[0] = entry;
    slot->count++;
    slot->min_ps = entry.at_ps;
    slot->min_known = true;
    entry.ev->chunk = chunk;
}

static void slot_drop_chunk(struct sim_queue *queue, struct sim_chunk *chunk)
{
    struct slot *slot = &queue->slots[chunk->slot];

    if (chunk->next)
        chunk->next->prev = chunk->prev;
    else
        slot->last = chunk->prev;
    if (chunk->prev)
        chunk->prev->next = chunk->next;
    else
        slot->first = chunk->next;
    if (!slot->first)
        slot_mark_empty(queue, chunk->slot);
    chunk_free(queue, chunk);
}

static void wheel_remove(struct sim_queue *queue, struct sim_event *ev)
{
    struct sim_chunk *chunk = ev->chunk;
    struct slot *slot = &queue->slots[chunk->slot];
    unsigned i = 0;

    while (chunk->entry[i].ev != ev)
        i++;
    for (chunk->count--; i < chunk->count; i++)
        chunk->entry[i] = chunk->entry[i + 1];
    slot->count--;
    if (ev->at_ps == slot->min_ps)
        slot->min_known = false;
    if (!chunk->count)
        slot_drop_chunk(queue, chunk);
}

/* The slot of the earliest event; there is one. */
static unsigned wheel_first(const struct sim_queue *queue)
{
    unsigned level = (unsigned)__builtin_ctz(queue->levels);
    unsigned word = (unsigned)__builtin_ctzll(queue->words[level]);
    unsigned bit = (unsigned)__builtin_ctzll(queue->occupied[level][word]);

    return level * LEVEL_SLOTS + word * WORD_BITS + bit;
}

static void slot_find_min(struct slot *slot)
{
    slot->min_ps = slot->first->entry[0].at_ps;
    slot->min_known = true;
    for (const struct sim_chunk *c = slot->in_order ? NULL : slot->first; c; c = c->next) {
        for (unsigned i = 0; i < c->count; i++) {
            if (c->entry[i].at_ps < slot->min_ps)
                slot->min_ps = c->entry[i].at_ps;
        }
    }
}

static uint64_t wheel_find_min(struct sim_queue *queue)
{
    struct slot *slot;

    if (!queue->levels)
        return SIM_NEVER;
    slot = &queue->slots[wheel_first(queue)];
    if (!slot->min_known)
        slot_find_min(slot);
    return slot->min_ps;
}

/* Behind all events of its time. */
static void near_insert(struct sim_queue *queue, struct entry entry)
{
    unsigned i = queue->near_count++;

    for (; i > 0 && queue->near[i - 1].at_ps <= entry.at_ps; i--)
        queue->near[i] = queue->near[i - 1];
    queue->near[i] = entry;
    entry.ev->chunk = &queue->near_mark;
}

static void near_remove(struct sim_queue *queue, const struct sim_event *ev)
{
    unsigned i = queue->near_count - 1;

    while (queue->near[i].ev != ev)
        i--;
    for (queue->near_count--; i < queue->near_count; i++)
        queue->near[i] = queue->near[i + 1];
}

/* Gives the later half to the wheel. */
static void near_spill(struct sim_queue *queue)
{
    unsigned spilled = queue->near_count / 2;

    for (unsigned i = 0; i < spilled; i++)
        wheel_prepend(queue, queue->near[i]);
    queue->wheel_ps = queue->near[spilled - 1].at_ps;
    queue->near_count -= spilled;
    for (unsigned i = 0; i < queue->near_count; i++)
        queue->near[i] = queue->near[i + spilled];
}

/* Empties a slot; its chunks are the caller's. */
static struct sim_chunk *slot_clear(struct sim_queue *queue, unsigned number)
{
    struct slot *slot = &queue->slots[number];
    struct sim_chunk *chunk = slot->first;

    slot->first = slot->last = NULL;
    slot_mark_empty(queue, number);
    return chunk;
}

/* Moves the events of the wheel's first slot to lower levels. */
static void wheel_descend(struct sim_queue *queue, unsigned number)
{
    struct sim_chunk *chunk = slot_clear(queue, number);

    while (chunk) {
        struct sim_chunk *next = chunk->next;

        for (unsigned i = 0; i < chunk->count; i++)
            wheel_append(queue, chunk->entry[i]);
        chunk_free(queue, chunk);
        chunk = next;
    }
}

/* Turns the wheel to the time of its earliest event, which is now, and fills near. */
static void wheel_turn(struct sim_queue *queue, uint64_t now_ps)
{
    unsigned number = wheel_first(queue);

    queue->base_ps = now_ps;
    while (number >= LEVEL_SLOTS && queue->slots[number].count > NEAR_EVENTS / 2) {
        wheel_descend(queue, number);
        number = wheel_first(queue);
    }
    /* Of more than that, all are due now. */
    while (queue->slots[number].first && queue->near_count < NEAR_EVENTS / 2) {
        struct sim_chunk *chunk = queue->slots[number].first;

        for (unsigned i = 0; i < chunk->count; i++)
            near_insert(queue, chunk->entry[i]);
        queue->slots[number].count -= chunk->count;
        slot_drop_chunk(queue, chunk);
    }
    queue->wheel_ps = wheel_find_min(queue);
}

void sim_init(struct sim *sim, uint64_t seed)
{
    *sim = (struct sim){.seed = seed, .next_ps = SIM_NEVER, .queue = g_new0(struct sim_queue, 1)};
    sim->queue->wheel_ps = SIM_NEVER;
}

void sim_fini(struct sim *sim)
{
    struct sim_queue *queue = sim->queue;

    while (queue->near_count)
        queue->near[--queue->near_count].ev->chunk = NULL;
    while (queue->levels) {
        for (struct sim_chunk *c = slot_clear(queue, wheel_first(queue)); c; c = c->next) {
            for (unsigned i = 0; i < c->count; i++)
                c->entry[i].ev->chunk = NULL;
        }
    }
    while (queue->blocks) {
        struct block *next = queue->blocks->next;

        g_free(queue->blocks);
        queue->blocks = next;
    }
    g_free(queue);
    sim->queue = NULL;
    sim->next_ps = SIM_NEVER;
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
    struct sim_queue *queue = sim->queue;
    struct entry entry = {at_ps, ev};

    assert(ev->fn);
    assert(at_ps >= sim->now_ps && "an event is never scheduled in the past");
    if (ev->chunk)
        sim_cancel(sim, ev);
    ev->at_ps = at_ps;
    if (queue->near_count == NEAR_EVENTS && at_ps < queue->wheel_ps)
        near_spill(queue);
    if (at_ps < queue->wheel_ps) {
        near_insert(queue, entry);
        sim->next_ps = queue->near[queue->near_count - 1].at_ps;
    } else {
        wheel_append(queue, entry);
    }
}

void sim_schedule_in(struct sim *sim, struct sim_event *ev, uint64_t delay_ps)
{
    /* A delay beyond the end of time is a guest's large number, not our bug. */
    sim_schedule_at(sim, ev,
                    delay_ps > SIM_NEVER - sim->now_ps ? SIM_NEVER : sim->now_ps + delay_ps);
}

/* Once the earliest event went. */
static void find_next(struct sim *sim)
{
    struct sim_queue *queue = sim->queue;

    if (queue->near_count) {
        sim->next_ps = queue->near[queue->near_count - 1].at_ps;
        return;
    }
    queue->wheel_ps = wheel_find_min(queue);
    sim->next_ps = queue->wheel_ps;
}

void sim_cancel(struct sim *sim, struct sim_event *ev)
{
    if (!ev->chunk)
        return;
    if (ev->chunk == &sim->queue->near_mark)
        near_remove(sim->queue, ev);
    else
        wheel_remove(sim->queue, ev);
    ev->chunk = NULL;
    if (ev->at_ps == sim->next_ps)
        find_next(sim);
}

bool sim_run_one(struct sim *sim, uint64_t until_ps)
{
    struct sim_queue *queue = sim->queue;
    struct sim_event *ev;

    if (sim->next_ps > until_ps)
        return false;
    if (!queue->near_count) {
        if (!queue->levels)
            return false;
        wheel_turn(queue, sim->next_ps);
    }
    ev = queue->near[--queue->near_count].ev;
    ev->chunk = NULL;
    sim->now_ps = sim->next_ps;
    find_next(sim);
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
