/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the processes of a boot's past: messages, and inputs that come again. */
#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "past_wire.h"

#define GRAIN 100

static struct sim sim;
static struct sim_inputs all;
static struct sim_input one;
static GString *seen;

static void got(void *opaque, const uint8_t *bytes, uint32_t len)
{
    g_string_append_printf(seen, "%.*s@%u ", (int)len, (const char *)bytes, (unsigned)sim.now_ps);
}

/* Up to the place where a process is left; one input has not arrived then. */
static void start(const struct sim_input_log *log)
{
    seen = g_string_new(NULL);
    sim_init(&sim, 0);
    sim_inputs_init(&all, &sim, GRAIN, log);
    sim_input_add(&all, &one, "one", got, NULL);
    sim_inputs_start(&all);
    sim_input_post(&one, "early", 5);
    sim_run_until(&sim, 130);
    sim_input_post(&one, "a", 1);
    sim_run_until(&sim, 160);
    ck_assert_str_eq(seen->str, "early@100 ");
}

static void stop(const char *text)
{
    ck_assert_str_eq(seen->str, text);
    g_string_free(seen, TRUE);
    sim_input_remove(&one);
    sim_inputs_fini(&all);
    sim_fini(&sim);
}

START_TEST(inputs_come_again_from_a_place_on)
{
    static const char *const text = "early@100 a@200 b@300 ";
    struct past_inputs inputs = {.fd = memfd_create("inputs", MFD_CLOEXEC)};
    struct past_replay replay;
    const uint8_t *bytes;

    start(&(struct sim_input_log){.keep = past_inputs_keep, .opaque = &inputs});
    uint64_t from = inputs.len;
    ck_assert_uint_gt(from, 0);
    sim_run_until(&sim, 240);
    sim_input_answered(&one, "xy", 2);
    sim_input_post(&one, "b", 1);
    sim_run_until(&sim, 1000);
    stop(text);

    start(NULL);
    ck_assert(past_replay_open(&replay, &inputs, from));
    sim_inputs_replace(&all, &(struct sim_input_log){.next = past_replay_next, .opaque = &replay});
    sim_input_post(&one, "not now", 7);
    sim_run_until(&sim, 240);
    ck_assert_uint_eq(sim_input_answer(&one, &bytes), 2);
    ck_assert(memcmp(bytes, "xy", 2) == 0);
    sim_run_until(&sim, 1000);
    stop(text);
    munmap((void *)replay.bytes, replay.len);
    close(inputs.fd);
}
END_TEST

START_TEST(nothing_came)
{
    struct past_inputs inputs = {.fd = memfd_create("inputs", MFD_CLOEXEC)};
    struct past_replay replay;
    struct sim_input_entry entry;

    ck_assert(past_replay_open(&replay, &inputs, 0));
    ck_assert(!past_replay_next(&replay, SIM_INPUT_POSTED, &entry));
    close(inputs.fd);
    inputs.fd = -1;
    ck_assert(!past_replay_open(&replay, &inputs, 0));
}
END_TEST

START_TEST(messages)
{
    const struct past_message sent = {.verb = PAST_BACK, .journey.thread = 3};
    struct past_message message;
    GByteArray *state = g_byte_array_new(), *received;
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    g_byte_array_append(state, (const uint8_t *)"state", 5);
    ck_assert(past_wire_send(ends[0], &sent, state));
    ck_assert(past_wire_send(ends[0], &sent, NULL));
    ck_assert(past_wire_receive(ends[1], &message, &received));
    ck_assert_int_eq(message.verb, PAST_BACK);
    ck_assert_uint_eq(message.journey.thread, 3);
    ck_assert_uint_eq(received->len, 5);
    ck_assert(memcmp(received->data, "state", 5) == 0);
    g_byte_array_unref(received);
    ck_assert(past_wire_receive(ends[1], &message, &received));
    ck_assert_ptr_null(received);
    ck_assert_int_eq(send(ends[0], &sent, sizeof(sent) - 1, 0), sizeof(sent) - 1);
    close(ends[0]);
    ck_assert(!past_wire_receive(ends[1], &message, &received)); /* cut */
    ck_assert(!past_wire_send(ends[1], &sent, NULL));
    close(ends[1]);
    g_byte_array_unref(state);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("past_wire");
    TCase *tc = tcase_create("past_wire");
    SRunner *runner = srunner_create(suite);

    tcase_add_test(tc, inputs_come_again_from_a_place_on);
    tcase_add_test(tc, nothing_came);
    tcase_add_test(tc, messages);
    suite_add_tcase(suite, tc);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
