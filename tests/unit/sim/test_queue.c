/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event queue against a plain list, searched from end to end, of what is pending. */
#include "pcilab/base/bits.h"
#include "pcilab/sim/rng.h"
#include "pcilab/sim/sim.h"

#include <check.h>
#include <glib.h>
#include <stdlib.h>

/* Checks millions of times; what Check does for each that holds would take most of the time. */
#define require(condition)                                                                         \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg(#condition);                                                              \
    } while (0)

struct world {
    struct sim sim;
    struct sim_rng rng;
    struct item *items;
    unsigned count;
    unsigned spread; /* which delays: an index of delay_bits */
    uint64_t next_order;
    uint64_t run;
};

struct item {
    struct sim_event ev;
    struct world *world;
    bool pending;
    uint64_t at_ps;
    uint64_t order; /* of scheduling */
};

/* Delays of up to so many bits, drawn from a row; 64: the end of time; 0: now. */
static const unsigned delay_bits[][8] = {
    {0, 1, 2, 3, 4, 5, 6, 7},         /* most at the same times */
    {20, 20, 20, 20, 20, 20, 20, 20}, /* uniform */
    {6, 6, 6, 6, 6, 30, 30, 0},       /* bimodal */
    {0, 8, 16, 24, 32, 40, 56, 64},   /* every level */
};

static uint64_t draw_delay(struct world *w)
{
    unsigned bits = delay_bits[w->spread][sim_rng_below(&w->rng, 8)];
    uint64_t draw = sim_rng_next(&w->rng);

    if (bits == 64)
        return draw % 4 ? draw : SIM_NEVER;
    return draw & ((1ULL << bits) - 1);
}

static bool before(const struct item *a, const struct item *b)
{
    return a->at_ps < b->at_ps || (a->at_ps == b->at_ps && a->order < b->order);
}

static struct item *oracle_next(const struct world *w)
{
    struct item *best = NULL;

    for (unsigned i = 0; i < w->count; i++) {
        struct item *item = &w->items[i];

        if (item->pending && (!best || before(item, best)))
            best = item;
    }
    return best;
}

static void schedule(struct item *item)
{
    struct world *w = item->world;
    uint64_t delay = draw_delay(w);

    item->at_ps = delay > SIM_NEVER - w->sim.now_ps ? SIM_NEVER : w->sim.now_ps + delay;
    item->order = w->next_order++;
    item->pending = true;
    sim_schedule_in(&w->sim, &item->ev, delay);
}

static void cancel(struct item *item)
{
    item->pending = false;
    sim_cancel(&item->world->sim, &item->ev);
}

static struct item *any_item(struct world *w)
{
    return &w->items[sim_rng_below(&w->rng, w->count)];
}

static void item_run(void *opaque)
{
    struct item *item = opaque;
    struct world *w = item->world;

    require(item == oracle_next(w));
    require(w->sim.now_ps == item->at_ps);
    require(!sim_event_pending(&item->ev));
    item->pending = false;
    w->run++;
    /* A fifth of the events end; the others schedule themselves, or another one, or cancel one. */
    switch (sim_rng_below(&w->rng, 5)) {
    case 0: break;
    case 1: schedule(any_item(w)); break;
    case 2: cancel(any_item(w)); break;
    default: schedule(item);
    }
}

static void check_next(const struct world *w)
{
    const struct item *next = oracle_next(w);

    require(sim_next_ps(&w->sim) == (next ? next->at_ps : SIM_NEVER));
}

static void one_operation(struct world *w, unsigned i)
{
    struct item *item = any_item(w);
    const struct item *next;

    switch (sim_rng_below(&w->rng, 8)) {
    case 0:
    case 1:
    case 2: schedule(item); break;
    case 3:
        require(sim_event_pending(&item->ev) == item->pending);
        cancel(item);
        break;
    case 4: /* the earliest: the queue has to look for another one */
        item = oracle_next(w);
        if (item)
            cancel(item);
        check_next(w);
        break;
    case 5:
        next = oracle_next(w);
        require(sim_run_one(&w->sim, SIM_NEVER) == (next != NULL));
        break;
    case 6: /* maybe short of the next event, and maybe past many */
        next = oracle_next(w);
        if (next && next->at_ps < 1ULL << 62)
            sim_run_until(&w->sim, MAX(w->sim.now_ps, next->at_ps - next->at_ps % 3) +
                                       (i % 2 ? 0 : next->at_ps % 1000000));
        break;
    default:
        next = oracle_next(w);
        if (next && next->at_ps < 1ULL << 62)
            sim_advance_to(&w->sim, w->sim.now_ps + (next->at_ps - w->sim.now_ps) / 2);
    }
}

static void run_world(unsigned spread, unsigned count, unsigned operations, uint64_t seed)
{
    struct world w = {.count = count, .spread = spread};

    sim_init(&w.sim, seed);
    sim_rng_init(&w.rng, seed, "queue");
    w.items = g_new0(struct item, count);
    for (unsigned i = 0; i < count; i++) {
        w.items[i].world = &w;
        sim_event_init(&w.items[i].ev, item_run, &w.items[i]);
    }
    for (unsigned i = 0; i < operations && w.sim.now_ps < 1ULL << 62; i++)
        one_operation(&w, i);
    check_next(&w);
    for (unsigned i = 0; i < count; i++)
        require(sim_event_pending(&w.items[i].ev) == w.items[i].pending);
    require(w.sim.events_run == w.run);
    sim_fini(&w.sim);
    for (unsigned i = 0; i < count; i++)
        require(!sim_event_pending(&w.items[i].ev));
    g_free(w.items);
}

/* Few events, about as many as the ordered array holds, and more. */
START_TEST(test_against_a_list)
{
    static const unsigned counts[] = {1, 2, 10, 70, 130, 300};

    for (unsigned i = 0; i < ARRAY_LEN(counts); i++) {
        for (uint64_t seed = 0; seed < 20; seed++)
            run_world((unsigned)_i, counts[i], 3000000 / (counts[i] + 200) / 2, seed);
    }
}
END_TEST

#define MANY 20000u

struct hold {
    struct sim *sim;
    struct sim_rng *rng;
    uint64_t *last_ps, *last_order;
    struct sim_event ev;
    uint64_t order, scheduled;
    unsigned bits;
};

static uint64_t hold_order;

static void hold_run(void *opaque)
{
    struct hold *hold = opaque;
    uint64_t now = hold->sim->now_ps;

    require(now == hold->scheduled);
    require(now > *hold->last_ps || (now == *hold->last_ps && hold->order > *hold->last_order));
    *hold->last_ps = now;
    *hold->last_order = hold->order;
    hold->order = ++hold_order;
    hold->scheduled = now + sim_rng_below(hold->rng, 1ULL << hold->bits);
    sim_schedule_at(hold->sim, &hold->ev, hold->scheduled);
}

/* Many pending: slots of many events move down, and many share a time. */
START_TEST(test_many_in_order)
{
    static const unsigned bits[] = {8, 14, 20, 33, 45};
    struct hold *hold = g_new0(struct hold, MANY);
    uint64_t last_ps = 0, last_order = 0;
    struct sim sim;
    struct sim_rng rng;

    sim_init(&sim, 1);
    sim_rng_init(&rng, 1, "many");
    hold_order = 0;
    for (unsigned i = 0; i < MANY; i++) {
        hold[i] = (struct hold){&sim, &rng, &last_ps, &last_order, .bits = bits[_i]};
        sim_event_init(&hold[i].ev, hold_run, &hold[i]);
        hold[i].order = ++hold_order;
        hold[i].scheduled = sim_rng_below(&rng, 1ULL << bits[_i]);
        sim_schedule_at(&sim, &hold[i].ev, hold[i].scheduled);
    }
    for (unsigned i = 0; i < 10 * MANY; i++)
        require(sim_run_one(&sim, SIM_NEVER));
    for (unsigned i = 0; i < MANY; i++)
        require(sim_event_pending(&hold[i].ev));
    for (unsigned i = 0; i < MANY; i += 2)
        sim_cancel(&sim, &hold[i].ev);
    uint64_t run = sim.events_run;
    for (unsigned i = 1; i < MANY; i += 2)
        sim_cancel(&sim, &hold[i].ev);
    require(!sim_run_one(&sim, SIM_NEVER));
    require(sim.events_run == run);
    sim_fini(&sim);
    g_free(hold);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("queue");
    TCase *tc = tcase_create("queue");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, test_against_a_list, 0, ARRAY_LEN(delay_bits));
    tcase_add_loop_test(tc, test_many_in_order, 0, 5);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
