/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a run ends and with which status; what the guest hears and when; pace and limits. */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "boot.h"
#include "fake_machine.h"

/* A run between an input and an output that are files or pipes. */
struct rig {
    struct machine machine;
    struct boot_run run;
    struct machine_boot boot;
    int in, out;
};

static int temp_file(const char *text)
{
    char name[] = "/tmp/pcilab-test-XXXXXX";
    int fd = mkstemp(name);

    ck_assert_int_ge(fd, 0);
    unlink(name);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void rig_start(struct rig *rig, const struct fake_step *steps, int in, int out)
{
    struct machine_console console = {boot_output, boot_input_wanted, &rig->run};

    memset(rig, 0, sizeof(*rig));
    fake_machine_init(&rig->machine, steps, &console);
    rig->run.machine = &rig->machine;
    rig->run.boot = &rig->boot;
    rig->in = in;
    rig->out = out >= 0 ? out : temp_file("");
    rig->run.console = console_open(rig->in, rig->out, 20);
}

static void rig_stop(struct rig *rig, const char *output)
{
    char text[256] = "";

    console_close(rig->run.console);
    if (output) {
        lseek(rig->out, 0, SEEK_SET);
        ck_assert_int_ge(read(rig->out, text, sizeof(text) - 1), 0);
        ck_assert_str_eq(text, output);
    }
    close(rig->in);
    close(rig->out);
    fake_machine_clear(&rig->machine);
}

/* A run of `steps` on empty input. */
static void expect(const struct fake_step *steps, bool no_reboot, int status, const char *output)
{
    struct rig rig;

    rig_start(&rig, steps, temp_file(""), -1);
    rig.run.no_reboot = no_reboot;
    ck_assert_int_eq(boot_run(&rig.run), status);
    rig_stop(&rig, output);
}

#define STEP(ms, ...)  ((struct fake_step){.after_ps = (ms)*PS_PER_MS, __VA_ARGS__})
#define SAY(ms, words) STEP(ms, .what = FAKE_SAY, .text = (words))
#define STOP(why)      STEP(1, .what = FAKE_STOP, .stop = MACHINE_##why)
#define CALL(function) STEP(1, .what = FAKE_CALL, .call = (function))
#define ASK(ms)        STEP(ms, .what = FAKE_ASK)
#define FOREVER        STEP(0, .what = FAKE_FOREVER)

START_TEST(test_power_off)
{
    const struct fake_step steps[] = {SAY(1, "hel"), SAY(30, "lo\r\n"), STOP(POWERED_OFF), FOREVER};

    expect(steps, false, CLI_OK, "hello\r\n");
}
END_TEST

START_TEST(test_panic_then_off)
{
    const struct fake_step steps[] = {SAY(1, "[0.1] Kern"), SAY(25, "el pan"), SAY(1, "ic - x\n"),
                                      STOP(POWERED_OFF), FOREVER};

    expect(steps, false, CLI_FAILED, "[0.1] Kernel panic - x\n");
}
END_TEST

START_TEST(test_almost_panic)
{
    const struct fake_step steps[] = {SAY(1, "Kernel Kernel pani"), SAY(1, "k; kernel panic"),
                                      STOP(POWERED_OFF), FOREVER};

    expect(steps, false, CLI_OK, NULL);
}
END_TEST

/* A panic that resets the machine would only come again. */
START_TEST(test_panic_then_reset)
{
    const struct fake_step steps[] = {SAY(1, "KKernel panic"), STOP(RESET), SAY(1, "again"),
                                      FOREVER};

    expect(steps, false, CLI_FAILED, "KKernel panic");
    expect(steps, true, CLI_FAILED, "KKernel panic");
}
END_TEST

/* With panic=0 Linux stays in a loop that is not idle. */
START_TEST(test_panic_for_good)
{
    const struct fake_step steps[] = {SAY(1, "Kernel panic - a\n"),
                                      SAY(500, "---[ end Kernel panic - a ]---\n"),
                                      SAY(3600000, "never"), FOREVER};

    expect(steps, false, CLI_FAILED, "Kernel panic - a\n---[ end Kernel panic - a ]---\n");
}
END_TEST

START_TEST(test_reset)
{
    const struct fake_step steps[] = {SAY(1, "1"), STOP(RESET),       SAY(1, "2"), STOP(RESET),
                                      SAY(1, "3"), STOP(POWERED_OFF), FOREVER};
    struct rig rig;

    expect(steps, true, CLI_OK, "1");
    rig_start(&rig, steps, temp_file(""), -1);
    ck_assert_int_eq(boot_run(&rig.run), CLI_OK);
    ck_assert_uint_eq(rig.machine.restarts, 2);
    ck_assert_uint_eq(rig.machine.loads, 2);
    ck_assert_uint_eq(rig.run.virtual_ps, 6 * PS_PER_MS);
    rig_stop(&rig, "123");
}
END_TEST

START_TEST(test_reset_cannot_load)
{
    const struct fake_step steps[] = {STOP(RESET), SAY(1, "2"), FOREVER};
    struct rig rig;

    rig_start(&rig, steps, temp_file(""), -1);
    rig.machine.load_fails = true;
    ck_assert_int_eq(boot_run(&rig.run), CLI_USAGE);
    rig_stop(&rig, "");
}
END_TEST

START_TEST(test_dead)
{
    const struct fake_step stopped[] = {STOP(DEAD), FOREVER};
    const struct fake_step idle[] = {SAY(1, "bye"), FOREVER};

    expect(stopped, false, CLI_FAILED, "");
    expect(idle, false, CLI_FAILED, "bye");
}
END_TEST

START_TEST(test_virtual_limit)
{
    const struct fake_step steps[] = {SAY(1, "a"), SAY(24, "b"), SAY(1, "c"), SAY(1000, "d"),
                                      FOREVER};
    struct rig rig;

    rig_start(&rig, steps, temp_file(""), -1);
    rig.run.limit_ps = 25 * PS_PER_MS;
    ck_assert_int_eq(boot_run(&rig.run), CLI_LIMIT);
    ck_assert_uint_eq(rig.run.virtual_ps, 25 * PS_PER_MS);
    rig_stop(&rig, "ab");
}
END_TEST

START_TEST(test_limit_after_panic)
{
    const struct fake_step steps[] = {SAY(1, "Kernel panic"), SAY(1000, "d"), FOREVER};
    struct rig rig;

    rig_start(&rig, steps, temp_file(""), -1);
    rig.run.limit_ps = 25 * PS_PER_MS;
    ck_assert_int_eq(boot_run(&rig.run), CLI_FAILED);
    rig_stop(&rig, NULL);
}
END_TEST

START_TEST(test_wall_limit)
{
    const struct fake_step steps[] = {SAY(1, "a"), SAY(UINT32_MAX, "d"), FOREVER};
    struct rig rig;

    rig_start(&rig, steps, temp_file(""), -1);
    rig.run.limit_wall_us = 30000;
    ck_assert_int_eq(boot_run(&rig.run), CLI_LIMIT);
    ck_assert_int_ge(rig.run.ended_us - rig.run.started_us, 30000);
    rig_stop(&rig, "a");
}
END_TEST

/* Bytes of a file enter at instants that the guest decides, however time is sliced. */
START_TEST(test_input_of_file)
{
    const struct fake_step steps[] = {SAY(5, "$ "),      ASK(7), SAY(1, "ok\n$ "), ASK(1),
                                      STOP(POWERED_OFF), FOREVER};
    struct rig rig;
    char *first = NULL;

    for (unsigned real = 0; real < 2; real++) {
        rig_start(&rig, steps, temp_file("ab\nc\nd"), -1);
        rig.run.real_clock = real;
        ck_assert_int_eq(boot_run(&rig.run), CLI_OK);
        if (!first) {
            first = g_strdup(rig.machine.heard->str);
            ck_assert_str_eq(first, "12000:61 12087:62 12174:0a 14174:63 14261:0a ");
        }
        ck_assert_str_eq(rig.machine.heard->str, first);
        rig_stop(&rig, "$ ok\n$ ");
    }
    g_free(first);
}
END_TEST

/* The end of input is not the end of the run. */
START_TEST(test_input_ends)
{
    const struct fake_step steps[] = {ASK(1), SAY(100, "later"), STOP(POWERED_OFF), FOREVER};
    struct rig rig;

    rig_start(&rig, steps, temp_file("\n"), -1);
    ck_assert_int_eq(boot_run(&rig.run), CLI_OK);
    const uint8_t *bytes;
    ck_assert_uint_eq(console_peek(rig.run.console, &bytes), 0);
    ck_assert(console_ended(rig.run.console));
    rig_stop(&rig, "later");
}
END_TEST

/* A pipe that is complete before the start is like a file. */
START_TEST(test_input_of_finished_pipe)
{
    const struct fake_step steps[] = {ASK(12), STOP(POWERED_OFF), FOREVER};
    struct rig rig;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x\n", 2), 2);
    close(ends[1]);
    rig_start(&rig, steps, ends[0], -1);
    ck_assert_int_eq(console_source(rig.run.console), CONSOLE_WHOLE);
    ck_assert_int_eq(boot_run(&rig.run), CLI_OK);
    ck_assert_str_eq(rig.machine.heard->str, "12000:78 12087:0a ");
    rig_stop(&rig, "");
}
END_TEST

static int live_end;

static void write_live(void)
{
    ck_assert_int_eq(write(live_end, "y\n", 2), 2);
}

/* One that is not is asked again and again, and does not hold up the guest. */
START_TEST(test_input_of_live_pipe)
{
    const struct fake_step steps[] = {SAY(1, "ready"), CALL(write_live), ASK(50), STOP(POWERED_OFF),
                                      FOREVER};
    struct rig rig;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    live_end = ends[1];
    rig_start(&rig, steps, ends[0], -1);
    ck_assert_int_eq(console_source(rig.run.console), CONSOLE_LIVE);
    ck_assert_int_eq(boot_run(&rig.run), CLI_OK);
    ck_assert_str_eq(rig.machine.heard->str, "52000:79 52087:0a ");
    close(ends[1]);
    rig_stop(&rig, "ready");
}
END_TEST

static void send_term(void)
{
    raise(SIGTERM);
}

START_TEST(test_signal)
{
    const struct fake_step steps[] = {CALL(send_term), SAY(100, "never"), FOREVER};

    expect(steps, false, 128 + SIGTERM, "");
}
END_TEST

START_TEST(test_output_closed)
{
    const struct fake_step steps[] = {SAY(1, "nobody hears this"), SAY(100, "never"), FOREVER};
    struct rig rig;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    rig_start(&rig, steps, temp_file(""), ends[1]);
    ck_assert_int_eq(boot_run(&rig.run), 128 + SIGPIPE);
    rig_stop(&rig, NULL);
}
END_TEST

START_TEST(test_output_full)
{
    const struct fake_step steps[] = {SAY(1, "no room for this"), SAY(100, "never"), FOREVER};
    struct rig rig;
    int full = open("/dev/full", O_WRONLY);

    rig_start(&rig, steps, temp_file(""), full);
    ck_assert_int_eq(boot_run(&rig.run), CLI_USAGE);
    rig_stop(&rig, NULL);
}
END_TEST

/* 60 ms of idle virtual time take as long with a real clock, and next to nothing without. */
/* While a connection with the host is open, an idle guest's timeouts mean what they say; without
 * one, a minute passes at once. */
START_TEST(test_pace_of_connections)
{
    const struct fake_step steps[] = {SAY(150, "a"), STOP(POWERED_OFF), FOREVER};
    const struct fake_step long_steps[] = {SAY(60000, "a"), STOP(POWERED_OFF), FOREVER};

    for (unsigned open = 0; open < 2; open++) {
        struct rig rig;
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        rig_start(&rig, open ? steps : long_steps, temp_file(""), -1);
        rig.machine.network = true;
        rig.machine.net_fd = open ? ends[0] : 0; /* nothing ever comes of it */
        ck_assert_int_eq(boot_run(&rig.run), CLI_OK);
        int64_t wall_us = rig.run.ended_us - rig.run.started_us;
        ck_assert(open ? wall_us >= 140000 : wall_us < 50000000);
        rig_stop(&rig, "a");
        close(ends[0]);
        close(ends[1]);
    }
}
END_TEST

START_TEST(test_real_clock)
{
    const struct fake_step steps[] = {SAY(60, "a"), STOP(POWERED_OFF), FOREVER};

    for (unsigned real = 0; real < 2; real++) {
        struct rig rig;
        rig_start(&rig, steps, temp_file(""), -1);
        rig.run.real_clock = real;
        ck_assert_int_eq(boot_run(&rig.run), CLI_OK);
        int64_t wall_us = rig.run.ended_us - rig.run.started_us;
        ck_assert(real ? wall_us >= 55000 : wall_us < 50000);
        rig_stop(&rig, "a");
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("boot_run");
    TCase *tcase = tcase_create("boot_run");

    tcase_add_test(tcase, test_power_off);
    tcase_add_test(tcase, test_panic_then_off);
    tcase_add_test(tcase, test_almost_panic);
    tcase_add_test(tcase, test_panic_then_reset);
    tcase_add_test(tcase, test_panic_for_good);
    tcase_add_test(tcase, test_reset);
    tcase_add_test(tcase, test_reset_cannot_load);
    tcase_add_test(tcase, test_dead);
    tcase_add_test(tcase, test_virtual_limit);
    tcase_add_test(tcase, test_limit_after_panic);
    tcase_add_test(tcase, test_wall_limit);
    tcase_add_test(tcase, test_pace_of_connections);
    tcase_add_test(tcase, test_input_of_file);
    tcase_add_test(tcase, test_input_ends);
    tcase_add_test(tcase, test_input_of_finished_pipe);
    tcase_add_test(tcase, test_input_of_live_pipe);
    tcase_add_test(tcase, test_signal);
    tcase_add_test(tcase, test_output_closed);
    tcase_add_test(tcase, test_output_full);
    tcase_add_test(tcase, test_real_clock);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
