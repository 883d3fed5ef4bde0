/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dumps cut short, devices that go away half way: results that were there stay, and say so. */
#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "pcilab/base/le.h"

static GPtrArray *all;

static void setup(void)
{
    all = conform_assertions();
}

static void teardown(void)
{
    g_ptr_array_unref(all);
}

static const struct conform_result *nth(const struct conform_report *report, unsigned i)
{
    return &g_array_index(report->results, struct conform_result, i);
}

static unsigned judged_by_config(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < all->len; i++)
        count += !(((struct conform_assertion *)all->pdata[i])->needs & CONFORM_LAB);
    return count;
}

/* What a device that went away is told by: one failure that says so, and from there on nothing
 * but "not applicable". */
static void check_gone(const struct conform_report *report, const char *note)
{
    unsigned said = 0, per_function = judged_by_config();

    ck_assert_uint_eq(report->count[0] + report->count[1] + report->count[2], all->len);
    for (unsigned i = 0; i < per_function; i++) {
        const struct conform_result *r = nth(report, i);

        if (said)
            ck_assert_msg(r->outcome == CONFORM_NOT_APPLICABLE && strstr(r->note, "not answer"),
                          "%s after it was gone: %s", r->assertion->id, r->note ? r->note : "");
        said += r->outcome == CONFORM_FAIL && r->note && strstr(r->note, note);
    }
    ck_assert_uint_eq(said, 1);
}

static unsigned accesses_in_all(const struct conform_filter *filter)
{
    struct device device;
    struct conform_report *report;

    device_init(&device, &(struct device_masks){0}, 0);
    report = conform_run(&device.backend, all, filter, "whole");
    conform_report_free(report);
    return device.accesses;
}

static void try_gone(bool destructive, bool broken)
{
    const struct conform_filter filter = {.destructive = destructive};
    unsigned total = accesses_in_all(&filter);

    ck_assert_uint_gt(total, 300);
    for (unsigned after = 40; after + 4 < total; after += total / 23) {
        struct device device;
        struct conform_report *report;

        device_init(&device, &(struct device_masks){0}, 0);
        *(broken ? &device.broken_after : &device.gone_after) = after;
        report = conform_run(&device.backend, all, &filter, "gone");
        check_gone(report,
                   broken ? "access to its configuration space failed" : "answers no longer");
        conform_report_free(report);
    }
}

START_TEST(test_all_ones)
{
    try_gone(_i, false);
}
END_TEST

START_TEST(test_accesses_fail)
{
    try_gone(_i, true);
}
END_TEST

/* It was never there: nothing fails, and nothing passes. */
START_TEST(test_absent)
{
    const struct conform_filter filter = {.destructive = true};
    struct device device;
    struct conform_report *report;

    device_init(&device, &(struct device_masks){0}, 0);
    memset(device.bytes[DEVICE_END], 0xff, DEVICE_BYTES);
    report = conform_run(&device.backend, all, &filter, "absent");
    ck_assert_uint_eq(report->count[CONFORM_PASS], 0);
    ck_assert_uint_eq(report->count[CONFORM_FAIL], 0);
    conform_report_free(report);
}
END_TEST

/* Lists of capabilities that never end, in ways that hardware has been seen to have. */
START_TEST(test_loops)
{
    static const uint8_t next[] = {DEVICE_CAP, DEVICE_CAP + 8, 0x10, 0xfc};
    const struct conform_filter filter = {.id = "list"};
    struct device device;
    struct conform_report *report;

    device_init(&device, &(struct device_masks){0}, 0);
    device.bytes[DEVICE_END][DEVICE_CAP + 1] = next[_i];
    device.bytes[DEVICE_END][DEVICE_CAP + 8] = 0x05;
    device.bytes[DEVICE_END][DEVICE_CAP + 9] = DEVICE_CAP;
    memset(device.bytes[DEVICE_END] + 0xfc, 0xff, 4);
    report = conform_run(&device.backend, all, &filter, "loop");
    ck_assert_uint_ge(report->count[CONFORM_FAIL], 1);
    conform_report_free(report);
}
END_TEST

/* A function as lspci -xxxx prints it, up to `lines` lines of 16 bytes. */
static char *dump_text(unsigned lines, const char *tail)
{
    struct device device;
    GString *text = g_string_new("01:00.0 Unassigned class [ff00]: a device\n");

    device_init(&device, &(struct device_masks){0}, 0);
    for (unsigned i = 0; i < lines; i++) {
        g_string_append_printf(text, "%02x:", i * 16);
        for (unsigned j = 0; j < 16; j++)
            g_string_append_printf(text, " %02x", device.bytes[DEVICE_END][i * 16 + j]);
        g_string_append_c(text, '\n');
    }
    g_string_append(text, tail);
    return g_string_free(text, FALSE);
}

static struct conform_backend *open_dump(unsigned lines, const char *tail, GError **error)
{
    char *text = dump_text(lines, tail), *path = NULL;
    int fd = g_file_open_tmp("dump-XXXXXX", &path, NULL);
    struct conform_backend *backend;

    ck_assert_int_ge(fd, 0);
    g_close(fd, NULL);
    ck_assert(g_file_set_contents(path, text, -1, NULL));
    backend = conform_dump_open(path, error);
    g_unlink(path);
    g_free(path);
    g_free(text);
    return backend;
}

/* What was not printed is not judged; what was is, with the same outcome. */
START_TEST(test_dump_short)
{
    const struct conform_filter filter = {.destructive = true};
    GError *error = NULL;
    struct conform_backend *whole = open_dump(16, "", &error);
    struct conform_backend *part = open_dump(4, "", &error);

    ck_assert_msg(whole && part, "%s", error ? error->message : "");
    ck_assert_uint_eq(part->funcs[0].config_bytes, 64);
    struct conform_report *full = conform_run(whole, all, &filter, "whole");
    struct conform_report *some = conform_run(part, all, &filter, "part");

    ck_assert_uint_eq(some->results->len, full->results->len);
    for (unsigned i = 0; i < some->results->len; i++) {
        const struct conform_result *r = nth(some, i), *w = nth(full, i);

        ck_assert_msg(r->outcome == w->outcome || r->outcome == CONFORM_NOT_APPLICABLE ||
                          g_str_has_prefix(r->assertion->id, "list."),
                      "%s: %d in its header, %d in all: %s", r->assertion->id, r->outcome,
                      w->outcome, r->note ? r->note : "");
    }
    ck_assert_uint_gt(some->count[CONFORM_PASS], 3);
    conform_report_free(full);
    conform_report_free(some);
    conform_backend_free(whole);
    conform_backend_free(part);
}
END_TEST

/* In the middle of a line or of the header: an error that says where. */
START_TEST(test_dump_broken)
{
    static const struct {
        unsigned lines;
        const char *tail;
        const char *where;
    } rows[] = {{9, "", "end at 0x90"},    {15, "", "end at 0xf0"}, {3, "", ":"},
                {4, "40: 01 02 0", ":6:"}, {4, "60: 00\n", ":6:"},  {0, "", ":"}};
    GError *error = NULL;
    struct conform_backend *backend = open_dump(rows[_i].lines, rows[_i].tail, &error);

    ck_assert_ptr_null(backend);
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(strstr(error->message, rows[_i].where) != NULL, "%s", error->message);
    g_error_free(error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conform-backend");
    TCase *tcase = tcase_create("backend");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, test_all_ones, 0, 2);
    tcase_add_loop_test(tcase, test_accesses_fail, 0, 2);
    tcase_add_test(tcase, test_absent);
    tcase_add_loop_test(tcase, test_loops, 0, 4);
    tcase_add_test(tcase, test_dump_short);
    tcase_add_loop_test(tcase, test_dump_broken, 0, 6);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
