/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes from outside: when it arrives, and that a log brings it again. */
#include <check.h>
#include <string.h>

#include "pcilab/sim/input.h"

#define GRAIN 100

static struct sim sim;
static struct sim_inputs all;
static struct sim_input one, two;
static GString *seen;

static void got(void *opaque, const uint8_t *bytes, uint32_t len)
{
    g_string_append_printf(seen, "%s%.*s@%u ", (const char *)opaque, (int)len, (const char *)bytes,
                           (unsigned)sim.now_ps);
}

static void start(const struct sim_input_log *log)
{
    seen = g_string_new(NULL);
    sim_init(&sim, 0);
    sim_inputs_init(&all, &sim, GRAIN, log);
    sim_input_add(&all, &one, "one", got, "1:");
    sim_input_add(&all, &two, "two", got, "2:");
    sim_inputs_start(&all);
}

static void stop(const char *text)
{
    ck_assert_str_eq(seen->str, text);
    g_string_free(seen, TRUE);
    sim_input_remove(&one);
    sim_input_remove(&two);
    sim_inputs_fini(&all);
    sim_fini(&sim);
}

static void device(void *opaque)
{
    struct sim_event *event = opaque;

    g_string_append_printf(seen, "event@%u ", (unsigned)sim.now_ps);
    if (event) /* and what that makes due at once */
        sim_schedule_in(&sim, event, 0);
}

/* Whenever it was posted, and whatever was scheduled before or after. */
START_TEST(posted_input_comes_last_at_the_next_grain)
{
    struct sim_event first, then, late;

    start(NULL);
    sim_event_init(&then, device, NULL);
    sim_event_init(&first, device, &then);
    sim_event_init(&late, device, NULL);
    sim_run_until(&sim, 30);
    sim_input_post(&one, "a", 1);
    sim_schedule_at(&sim, &first, 100);
    sim_run_until(&sim, 60);
    sim_input_post(&two, "b", 1);
    sim_schedule_at(&sim, &late, 101);
    sim_run_until(&sim, 100);
    sim_input_post(&one, "c", 1); /* at a grain: the next one */
    sim_run_until(&sim, 1000);
    stop("event@100 event@100 1:a@100 2:b@100 event@101 1:c@200 ");
}
END_TEST

START_TEST(a_source_that_goes_takes_its_input_along)
{
    start(NULL);
    sim_input_post(&one, "a", 1);
    sim_input_post(&two, "b", 1);
    ck_assert(sim_inputs_know(&all, "one"));
    sim_input_remove(&one);
    ck_assert(!sim_inputs_know(&all, "one"));
    sim_run_until(&sim, 1000);
    sim_input_add(&all, &one, "one", got, "1:");
    stop("2:b@100 ");
}
END_TEST

static GString *kept;

static void keep(void *opaque, const struct sim_input_entry *entry)
{
    g_string_append_printf(kept, "%s:%.*s@%u%s ", entry->source, (int)entry->len,
                           (const char *)entry->bytes, (unsigned)entry->at_ps,
                           entry->kind == SIM_INPUT_ANSWER ? "!" : "");
}

START_TEST(what_arrives_is_kept_in_order_of_time)
{
    const uint8_t *bytes;

    kept = g_string_new(NULL);
    start(&(struct sim_input_log){.keep = keep});
    sim_run_until(&sim, 30);
    sim_input_post(&one, "a", 1);
    sim_run_until(&sim, 40);
    sim_input_answered(&two, "xy", 2);
    sim_input_answered(&two, "", 0);
    ck_assert_uint_eq(sim_input_answer(&two, &bytes), 0);
    sim_run_until(&sim, 200);
    ck_assert_str_eq(kept->str, "two:xy@40! one:a@100 ");
    g_string_free(kept, TRUE);
    stop("1:a@100 ");
}
END_TEST

#define ENTRY(at, k, name, text)                                                                   \
    {                                                                                              \
        .at_ps = (at), .kind = (k), .source = (name), .bytes = (const uint8_t *)(text), .len = 1   \
    }

static bool next(void *opaque, enum sim_input_kind kind, struct sim_input_entry *entry)
{
    static const struct sim_input_entry posted[] = {
        ENTRY(100, SIM_INPUT_POSTED, "one", "a"), ENTRY(100, SIM_INPUT_POSTED, "none", "?"),
        ENTRY(100, SIM_INPUT_POSTED, "two", "b"), ENTRY(300, SIM_INPUT_POSTED, "one", "c")};
    static const struct sim_input_entry answers[] = {ENTRY(40, SIM_INPUT_ANSWER, "two", "x"),
                                                     ENTRY(40, SIM_INPUT_ANSWER, "two", "y"),
                                                     ENTRY(150, SIM_INPUT_ANSWER, "two", "z")};
    unsigned *at = (unsigned *)opaque + kind;
    const struct sim_input_entry *rows = kind == SIM_INPUT_ANSWER ? answers : posted;

    if (*at == (kind == SIM_INPUT_ANSWER ? G_N_ELEMENTS(answers) : G_N_ELEMENTS(posted)))
        return false;
    *entry = rows[(*at)++];
    return true;
}

START_TEST(a_log_brings_it_again)
{
    unsigned at[2] = {0};
    const uint8_t *bytes;

    start(&(struct sim_input_log){.next = next, .opaque = at});
    ck_assert(sim_inputs_replay(&all));
    ck_assert_uint_eq(sim_next_ps(&sim), 100);
    sim_input_post(&one, "from outside", 12); /* nothing is */
    ck_assert_uint_eq(sim_input_answer(&two, &bytes), 0);
    sim_run_until(&sim, 40);
    ck_assert_uint_eq(sim_input_answer(&one, &bytes), 0);
    ck_assert_uint_eq(sim_input_answer(&two, &bytes), 1);
    ck_assert_int_eq(*bytes, 'x');
    ck_assert_uint_eq(sim_input_answer(&two, &bytes), 1);
    ck_assert_int_eq(*bytes, 'y');
    ck_assert_uint_eq(sim_input_answer(&two, &bytes), 0);
    sim_run_until(&sim, 1000);
    ck_assert_uint_eq(sim_next_ps(&sim), SIM_NEVER);
    stop("1:a@100 2:b@100 1:c@300 ");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("input");
    TCase *tc = tcase_create("input");
    SRunner *runner = srunner_create(suite);

    tcase_add_test(tc, posted_input_comes_last_at_the_next_grain);
    tcase_add_test(tc, a_source_that_goes_takes_its_input_along);
    tcase_add_test(tc, what_arrives_is_kept_in_order_of_time);
    tcase_add_test(tc, a_log_brings_it_again);
    suite_add_tcase(suite, tc);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
