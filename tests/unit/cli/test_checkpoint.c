/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a checkpoint is, what a run does there, and options that make no sense. */
#include <check.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint.h"
#include "fake_machine.h"

/* At which byte of `said`, from 1, the text was complete; 0: never. */
static unsigned complete_at(const char *where, const char *said)
{
    struct checkpoint c;
    unsigned at = 0;

    ck_assert(checkpoint_parse(&c, where));
    for (unsigned i = 0; said[i]; i++) {
        if (checkpoint_saw(&c, (uint8_t)said[i])) {
            ck_assert_uint_eq(at, 0);
            at = i + 1;
        }
    }
    ck_assert(c.reached == (at != 0));
    checkpoint_clear(&c);
    return at;
}

START_TEST(text_is_found_once)
{
    ck_assert_uint_eq(complete_at("console: READY", "not READ\r\nREADY READY"), 15);
    ck_assert_uint_eq(complete_at("console:READY", "READ"), 0);
    ck_assert_uint_eq(complete_at("console: aab", "aaab"), 4);
    ck_assert_uint_eq(complete_at("console: abababc", "ababababc"), 9);
    ck_assert_uint_eq(complete_at("console: $ ", "a$b$ "), 5);
}
END_TEST

START_TEST(bad_places_are_refused)
{
    static const char *const bad[] = {"",         "console:",   "console:   ", "READY",
                                      "time: 0s", "time: soon", "Console: x"};
    struct checkpoint c;

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        ck_assert(!checkpoint_parse(&c, bad[i]));
    }
    char *endless = g_strdup_printf("console: %*s", 5000, "x");
    ck_assert(checkpoint_parse(&c, endless)); /* spaces in front do not count */
    checkpoint_clear(&c);
    memset(endless + strlen("console:"), 'x', 5000);
    ck_assert(!checkpoint_parse(&c, endless));
    g_free(endless);
}
END_TEST

static bool take(const char *where, const char *times, const char *seeds, const char *jobs,
                 const char *reseed, struct checkpoint_options *o)
{
    *o = (struct checkpoint_options){.where = g_strdup(where),
                                     .times = g_strdup(times),
                                     .seeds = g_strdup(seeds),
                                     .jobs = g_strdup(jobs),
                                     .reseed = g_strdup(reseed)};
    bool ok = checkpoint_options_take(o, 40);
    struct checkpoint_options kept = *o;
    checkpoint_options_clear(o);
    *o = kept; /* its numbers */
    return ok;
}

START_TEST(options_make_sense)
{
    struct checkpoint_options o;

    ck_assert(take(NULL, NULL, NULL, NULL, NULL, &o) && !o.wanted);
    ck_assert(take("time: 1s", "3", NULL, NULL, NULL, &o));
    ck_assert(o.forks && o.seed_first == 40 && o.seed_count == 3 && o.repeat == 1);
    ck_assert(o.parallel >= 1);
    ck_assert(take("time: 1s", "2", "5..7", "4", NULL, &o));
    ck_assert(o.seed_first == 5 && o.seed_count == 3 && o.repeat == 2 && o.parallel == 4);
    ck_assert(take("time: 1s", NULL, "9", NULL, NULL, &o));
    ck_assert(o.seed_first == 9 && o.seed_count == 1);
    ck_assert(take("time: 1s", NULL, NULL, NULL, "41", &o));
    ck_assert(!o.forks && o.reseeds && o.reseed_to == 41);

    ck_assert(!take(NULL, "3", NULL, NULL, NULL, &o));
    ck_assert(!take("time: 1s", NULL, NULL, NULL, NULL, &o));
    ck_assert(!take("time: 1s", "3", NULL, NULL, "4", &o));
    ck_assert(!take("time: 1s", "0", NULL, NULL, NULL, &o));
    ck_assert(!take("time: 1s", NULL, "7..5", NULL, NULL, &o));
    ck_assert(!take("time: 1s", NULL, "0..18446744073709551615", NULL, NULL, &o));
    ck_assert(!take("time: 1s", "1000000", "1..1000000", NULL, NULL, &o));
    ck_assert(!take("time: 1s", "2", NULL, "0", NULL, &o));
    ck_assert(!take("time: 1s", NULL, NULL, "2", "4", &o));
}
END_TEST

/* Runs `steps` to the checkpoint, at `at_ps`, and then to the end. */
static void run_through(const char *where, const struct fake_step *steps, uint64_t at_ps)
{
    struct machine machine;
    struct boot_run run = {.machine = &machine};
    struct machine_console console = {boot_output, boot_input_wanted, &run};
    struct checkpoint checkpoint;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    fake_machine_init(&machine, steps, &console);
    ck_assert(checkpoint_parse(&checkpoint, where));
    run.checkpoint = &checkpoint;
    close(ends[1]);
    run.console = console_open(ends[0], STDERR_FILENO, 20);
    ck_assert_int_eq(boot_run(&run), BOOT_AT_CHECKPOINT);
    ck_assert_uint_eq(run.virtual_ps, at_ps);
    ck_assert_int_eq(boot_run(&run), CLI_OK);
    ck_assert_uint_eq(run.virtual_ps, 35 * PS_PER_MS);
    console_close(run.console);
    checkpoint_clear(&checkpoint);
    fake_machine_clear(&machine);
    close(ends[0]);
}

START_TEST(run_stops_there_and_goes_on)
{
    static const struct fake_step steps[] = {
        {13 * PS_PER_MS, FAKE_SAY, "# REA", 0, NULL},
        {PS_PER_MS, FAKE_SAY, "DY", 0, NULL},
        {PS_PER_MS, FAKE_SAY, " READY\n", 0, NULL},
        {20 * PS_PER_MS, FAKE_STOP, NULL, MACHINE_POWERED_OFF, NULL},
        {0, FAKE_FOREVER, NULL, 0, NULL}};

    run_through("console: READY", steps, 14 * PS_PER_MS);
    run_through("time: 17ms", steps, 17 * PS_PER_MS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoint");
    TCase *tc = tcase_create("checkpoint");

    tcase_add_test(tc, text_is_found_once);
    tcase_add_test(tc, bad_places_are_refused);
    tcase_add_test(tc, options_make_sense);
    tcase_add_test(tc, run_stops_there_and_goes_on);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}
