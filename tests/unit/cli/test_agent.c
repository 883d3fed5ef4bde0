/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control port's frames, and what becomes of a command. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "command.h"
#include "pcilab/base/le.h"

static enum agent_said hear(struct agent_link *link, const void *bytes, uint32_t len)
{
    const uint8_t *data = bytes;

    return agent_hear(link, &data, &len);
}

START_TEST(frames_in_one_piece_and_in_many)
{
    static const uint8_t all[] = {0, 0, 0, 0, 'R', 0, 0, 0, 0, 'S', 4, 0, 0, 0, 'X', 130, 0, 0, 0};
    static const enum agent_said want[] = {AGENT_READY, AGENT_STARTED, AGENT_STATUS};
    struct agent_link link = {0};
    const uint8_t *data = all;
    uint32_t len = sizeof(all);
    unsigned n = 0;

    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(agent_hear(&link, &data, &len), want[i]);
    }
    ck_assert_uint_eq(len, 0);
    ck_assert_uint_eq(link.status, 130);
    ck_assert_int_eq(agent_hear(&link, &data, &len), AGENT_NOTHING);
    for (unsigned i = 0; i < sizeof(all); i++) {
        enum agent_said said = hear(&link, all + i, 1);
        if (said != AGENT_NOTHING) {
            ck_assert_int_eq(said, want[n++]);
        }
    }
    ck_assert_uint_eq(n, 3);
}
END_TEST

static const struct {
    uint8_t bytes[9];
    unsigned len;
} nonsense[] = {
    {{0, 0, 0, 0, 'Z'}, 5},
    {{1, 0, 0, 0, 'R', 0}, 6},
    {{5, 0, 0, 0, 'X'}, 5},
    {{255, 255, 255, 255, 'X'}, 5},
    {{4, 0, 0, 0, 'X', 0, 1, 0, 0}, 9},
    {{0, 0, 0, 0, 'X'}, 5},
    {{4, 0, 0, 0, 'S', 0, 0, 0, 0}, 9},
};

START_TEST(nonsense_ends_it)
{
    struct agent_link link = {0};
    static const uint8_t ready[] = {0, 0, 0, 0, 'R'};

    ck_assert_int_eq(hear(&link, nonsense[_i].bytes, nonsense[_i].len), AGENT_NONSENSE);
    ck_assert_int_eq(hear(&link, ready, sizeof(ready)), AGENT_NOTHING);
}
END_TEST

START_TEST(a_job)
{
    static const char *const argv[] = {"a b", "", "\xff\n", NULL}, *const env[] = {"X=1", NULL};
    const struct agent_job job = {true, 24, 80, "/dir", argv, env};
    static const char strings[] = "/dir\0a b\0\0\xff\n\0X=1";
    GByteArray *out = g_byte_array_new();

    ck_assert(agent_put_job(out, &job));
    ck_assert_uint_eq(out->len, AGENT_HEAD_BYTES + 20 + sizeof(strings));
    ck_assert_uint_eq(le32_load(out->data), out->len - AGENT_HEAD_BYTES);
    ck_assert_uint_eq(out->data[4], 'J');
    static const uint32_t numbers[] = {1, 24, 80, 3, 1};
    for (unsigned i = 0; i < 5; i++) {
        ck_assert_uint_eq(le32_load(out->data + AGENT_HEAD_BYTES + 4 * i), numbers[i]);
    }
    ck_assert_mem_eq(out->data + AGENT_HEAD_BYTES + 20, strings, sizeof(strings));
    g_byte_array_unref(out);
}
END_TEST

START_TEST(a_job_that_is_too_large)
{
    char *word = g_strnfill(AGENT_JOB_BYTES_MAX, 'x');
    const char *const argv[] = {word, NULL}, *const env[] = {NULL};
    const struct agent_job job = {.directory = "/", .argv = argv, .env = env};
    GByteArray *out = g_byte_array_new();

    ck_assert(!agent_put_job(out, &job));
    ck_assert_uint_eq(out->len, 0);
    g_byte_array_unref(out);
    g_free(word);
}
END_TEST

START_TEST(an_end_and_a_size)
{
    static const uint8_t want[] = {8, 0, 0, 0, 'E', 5, 0, 0, 0, 1, 0, 0, 0,
                                   8, 0, 0, 0, 'W', 3, 0, 0, 0, 4, 0, 0, 0};
    GByteArray *out = g_byte_array_new();

    agent_put_eof(out, (UINT64_C(1) << 32) + 5);
    agent_put_size(out, 3, 4);
    ck_assert_uint_eq(out->len, sizeof(want));
    ck_assert_mem_eq(out->data, want, sizeof(want));
    g_byte_array_unref(out);
}
END_TEST

static const struct {
    bool started, ended;
    uint8_t status;
    int run, want;
} results[] = {
    {true, true, 0, CLI_OK, 0},         {true, true, 3, CLI_OK, 3},
    {true, true, 3, CLI_FAILED, 3},                                      /* a splat besides */
    {true, true, 0, CLI_FAILED, 1},     {true, true, 0, CLI_LIMIT, 124}, /* on its way down */
    {true, false, 0, CLI_LIMIT, 124},   {true, false, 0, CLI_FAILED, 1},
    {true, false, 0, CLI_OK, 1},        {false, false, 0, CLI_OK, 125},
    {false, false, 0, CLI_FAILED, 125}, {false, false, 0, CLI_LIMIT, 125},
    {false, false, 0, CLI_USAGE, 126},  {true, false, 0, CLI_INTERRUPTED, 130},
    {false, false, 0, 143, 143},
};

START_TEST(exit_statuses)
{
    const struct command c = {
        .started = results[_i].started, .ended = results[_i].ended, .status = results[_i].status};

    ck_assert_int_eq(command_result(&c, results[_i].run), results[_i].want);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("agent");
    TCase *tc = tcase_create("agent");
    SRunner *sr = srunner_create(suite);

    suite_add_tcase(suite, tc);
    tcase_add_test(tc, frames_in_one_piece_and_in_many);
    tcase_add_loop_test(tc, nonsense_ends_it, 0, G_N_ELEMENTS(nonsense));
    tcase_add_test(tc, a_job);
    tcase_add_test(tc, a_job_that_is_too_large);
    tcase_add_test(tc, an_end_and_a_size);
    tcase_add_loop_test(tc, exit_statuses, 0, G_N_ELEMENTS(results));
    srunner_set_tap(sr, "-");
    srunner_run_all(sr, CK_SILENT);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
