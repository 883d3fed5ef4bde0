/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pcilab/base/bits.h"
#include "pcilab/sim/rng.h"
#include "pcilab/sim/sim.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS 2000

struct record {
    struct sim_event ev;
    struct sim *sim;
    unsigned id;
};

static unsigned order[EVENTS * 4];
static uint64_t order_ps[EVENTS * 4];
static unsigned order_len;

static void record_run(void *opaque)
{
    struct record *r = opaque;

    order_ps[order_len] = r->sim->now_ps;
    order[order_len++] = r->id;
}

START_TEST(test_ties_keep_scheduling_order)
{
    struct sim sim;
    struct record r[8];

    sim_init(&sim, 1);
    order_len = 0;
    for (unsigned i = 0; i < 8; i++) {
        r[i] = (struct record){.sim = &sim, .id = i};
        sim_event_init(&r[i].ev, record_run, &r[i]);
        sim_schedule_at(&sim, &r[i].ev, i < 4 ? 100 : 50);
    }
    /* Rescheduling moves an event behind those that were there. */
    sim_schedule_at(&sim, &r[0].ev, 100);
    sim_run_until(&sim, 99);
    ck_assert_uint_eq(order_len, 4);
    ck_assert_uint_eq(sim.now_ps, 99);
    sim_run_until(&sim, 100);
    ck_assert_uint_eq(order_len, 8);
    const unsigned want[8] = {4, 5, 6, 7, 1, 2, 3, 0};
    ck_assert(!memcmp(order, want, sizeof(want)));
    ck_assert_uint_eq(sim_next_ps(&sim), SIM_NEVER);
    sim_fini(&sim);
}
END_TEST

START_TEST(test_random_against_oracle)
{
    static struct record r[EVENTS];
    struct sim sim;
    struct sim_rng rng;
    unsigned pending = 0;

    sim_init(&sim, 1);
    sim_rng_init(&rng, 42, "test");
    order_len = 0;
    for (unsigned i = 0; i < EVENTS; i++) {
        r[i] = (struct record){.sim = &sim, .id = i};
        sim_event_init(&r[i].ev, record_run, &r[i]);
        sim_schedule_at(&sim, &r[i].ev, sim_rng_below(&rng, 300));
    }
    for (unsigned i = 0; i < EVENTS; i++) {
        unsigned victim = (unsigned)sim_rng_below(&rng, EVENTS);

        if (sim_rng_below(&rng, 2)) {
            sim_cancel(&sim, &r[victim].ev);
        } else {
            sim_schedule_at(&sim, &r[victim].ev, sim_rng_below(&rng, 300));
        }
    }
    for (unsigned i = 0; i < EVENTS; i++) {
        pending += sim_event_pending(&r[i].ev);
    }
    ck_assert_uint_gt(pending, 0);
    ck_assert_uint_lt(pending, EVENTS);
    sim_run_until(&sim, 1000);
    ck_assert_uint_eq(order_len, pending);
    ck_assert_uint_eq(sim.events_run, pending);
    for (unsigned i = 1; i < order_len; i++) {
        const struct sim_event *a = &r[order[i - 1]].ev, *b = &r[order[i]].ev;

        ck_assert_uint_eq(order_ps[i], b->at_ps);
        ck_assert(a->at_ps < b->at_ps || (a->at_ps == b->at_ps));
        ck_assert(!sim_event_pending(b));
    }
    sim_fini(&sim);
}
END_TEST

static void chain_run(void *opaque)
{
    struct record *r = opaque;

    if (r->id--) {
        sim_schedule_in(r->sim, &r->ev, 0);
    }
}

START_TEST(test_event_may_reschedule_itself)
{
    struct sim sim;
    struct record r = {.sim = &sim, .id = 10};

    sim_init(&sim, 0);
    sim_event_init(&r.ev, chain_run, &r);
    sim_schedule_in(&sim, &r.ev, 7);
    sim_run_until(&sim, 7);
    ck_assert_uint_eq(sim.events_run, 11);
    ck_assert_uint_eq(sim.now_ps, 7);
    sim_schedule_in(&sim, &r.ev, SIM_NEVER); /* saturates */
    ck_assert_uint_eq(r.ev.at_ps, SIM_NEVER);
    sim_advance_to(&sim, 1000);
    ck_assert_uint_eq(sim.now_ps, 1000);
    sim_fini(&sim);
    ck_assert(!sim_event_pending(&r.ev));
}
END_TEST

START_TEST(test_rng_reference)
{
    /* xoshiro256** with state {1, 2, 3, 4}: first outputs of the authors' reference program. */
    struct sim_rng rng = {{1, 2, 3, 4}};

    ck_assert_uint_eq(sim_rng_next(&rng), 11520);
    ck_assert_uint_eq(sim_rng_next(&rng), 0);
    ck_assert_uint_eq(sim_rng_next(&rng), 1509978240);
    ck_assert_uint_eq(sim_rng_next(&rng), 1215971899390074240ULL);
}
END_TEST

START_TEST(test_rng_streams)
{
    struct sim_rng a, b, c, d;
    uint8_t x[13], y[13];

    sim_rng_init(&a, 5, "nvme0");
    sim_rng_init(&b, 5, "nvme1");
    sim_rng_init(&c, 6, "nvme0");
    sim_rng_init(&d, 5, "nvme0");
    uint64_t first = sim_rng_next(&a);
    ck_assert_uint_eq(first, sim_rng_next(&d));
    ck_assert_uint_ne(first, sim_rng_next(&b));
    ck_assert_uint_ne(first, sim_rng_next(&c));
    sim_rng_fill(&a, x, sizeof(x));
    sim_rng_fill(&d, y, sizeof(y));
    ck_assert(!memcmp(x, y, sizeof(x)));
    unsigned seen = 0;
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t v = sim_rng_below(&a, 5);

        ck_assert_uint_lt(v, 5);
        seen |= 1u << v;
    }
    ck_assert_uint_eq(seen, 0x1f);
    ck_assert_uint_eq(sim_rng_below(&a, 1), 0);
}
END_TEST

START_TEST(test_reseed)
{
    struct sim sim;
    struct sim_stream a, b, gone;
    struct sim_rng reference;

    sim_init(&sim, 1);
    sim_stream_add(&sim, &a, "a");
    sim_stream_add(&sim, &gone, "gone");
    sim_stream_add(&sim, &b, "b");
    sim_rng_init(&reference, 1, "a");
    ck_assert_uint_eq(sim_rng_next(&a.rng), sim_rng_next(&reference));
    sim_stream_remove(&sim, &gone);
    sim_rng_next(&b.rng);
    struct sim_rng before = gone.rng;

    sim_reseed(&sim, 2);
    ck_assert_uint_eq(sim.seed, 2);
    sim_rng_init(&reference, 2, "a");
    ck_assert_uint_eq(sim_rng_next(&a.rng), sim_rng_next(&reference));
    sim_rng_init(&reference, 2, "b");
    ck_assert_uint_eq(sim_rng_next(&b.rng), sim_rng_next(&reference));
    ck_assert_mem_eq(&before, &gone.rng, sizeof(before));
    sim_stream_remove(&sim, &b);
    sim_stream_remove(&sim, &a);
    ck_assert_ptr_null(sim.streams);
    sim_fini(&sim);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim");
    TCase *tc = tcase_create("sim");
    SRunner *runner;
    int failed;

    tcase_add_test(tc, test_ties_keep_scheduling_order);
    tcase_add_test(tc, test_random_against_oracle);
    tcase_add_test(tc, test_event_may_reschedule_itself);
    tcase_add_test(tc, test_rng_reference);
    tcase_add_test(tc, test_rng_streams);
    tcase_add_test(tc, test_reseed);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
