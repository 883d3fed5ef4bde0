/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings: what was kept comes back; files that were cut, damaged, or are something else. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pcilab/base/le.h"
#include "pcilab/io/record.h"

#define HEAD_BYTES (16 + 8 + 4) /* with a description of 8 bytes */

static char *path;
static char *bytes;
static gsize len;

static void keep(struct record_writer *writer, uint64_t at_ps, enum sim_input_kind kind,
                 const char *source, const char *text)
{
    record_keep(writer, &(struct sim_input_entry){at_ps, kind, source, (const uint8_t *)text,
                                                  (uint32_t)strlen(text)});
}

static void setup(void)
{
    char name[] = "/tmp/pcilab-test-XXXXXX";
    int fd = mkstemp(name);

    ck_assert_int_ge(fd, 0);
    close(fd);
    path = g_strdup(name);
    struct record_writer *writer = record_create(path, "[run]\nx\n", NULL);
    ck_assert_ptr_nonnull(writer);
    keep(writer, 5, SIM_INPUT_ANSWER, "console", "abc");
    record_put_mark(writer, &(struct record_mark){.at_ps = 7, .retired = 70});
    keep(writer, 10, SIM_INPUT_POSTED, "network", "frame");
    keep(writer, 10, SIM_INPUT_POSTED, "console", "key");
    keep(writer, 12, SIM_INPUT_ANSWER, "console", "d");
    record_put_mark(writer, &(struct record_mark){.at_ps = 20, .retired = 200});
    record_put_end(writer, &(struct record_end){{.at_ps = 30, .retired = 300}, 130, true});
    ck_assert_int_eq(record_writer_free(writer), 0);
    ck_assert(g_file_get_contents(path, &bytes, &len, NULL));
}

static void teardown(void)
{
    unlink(path);
    g_free(path);
    g_free(bytes);
}

static void expect(struct record *record, enum sim_input_kind kind, uint64_t at_ps,
                   const char *source, const char *text)
{
    struct sim_input_entry entry;

    ck_assert(record_next(record, kind, &entry));
    ck_assert_uint_eq(entry.at_ps, at_ps);
    ck_assert_str_eq(entry.source, source);
    ck_assert_uint_eq(entry.len, strlen(text));
    ck_assert(memcmp(entry.bytes, text, entry.len) == 0);
}

START_TEST(what_was_kept_comes_back)
{
    struct record *record = record_open(path, NULL);
    struct sim_input_entry entry;
    struct record_mark mark;
    struct stat st;

    ck_assert_ptr_nonnull(record);
    ck_assert_str_eq(record_description(record), "[run]\nx\n");
    expect(record, SIM_INPUT_ANSWER, 5, "console", "abc");
    expect(record, SIM_INPUT_POSTED, 10, "network", "frame");
    expect(record, SIM_INPUT_POSTED, 10, "console", "key");
    ck_assert(!record_next(record, SIM_INPUT_POSTED, &entry));
    expect(record, SIM_INPUT_ANSWER, 12, "console", "d");
    ck_assert(!record_next(record, SIM_INPUT_ANSWER, &entry));
    for (unsigned i = 0; i < 3; i++) {
        static const uint64_t at_ps[] = {7, 20, 30};
        ck_assert(record_next_mark(record, &mark));
        ck_assert_uint_eq(mark.at_ps, at_ps[i]);
        ck_assert_uint_eq(mark.retired, 10 * at_ps[i]);
        ck_assert_int_eq(mark.end, i == 2);
    }
    ck_assert(!record_next_mark(record, &mark));
    ck_assert(!record_is_cut(record));
    ck_assert_uint_eq(record_last(record)->status, 130);
    ck_assert(record_last(record)->from_outside);
    ck_assert_str_eq(record_sources(record)[0], "console");
    ck_assert_str_eq(record_sources(record)[1], "network");
    ck_assert_ptr_null(record_sources(record)[2]);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 077, 0);
    record_free(record);
}
END_TEST

/* A process that is killed leaves any part of the file. */
START_TEST(any_cut_is_known_as_one)
{
    for (gsize cut = 0; cut < len; cut++) {
        uint8_t *copy = g_memdup2(bytes, cut + 1); /* so that reading too far shows */
        GError *error = NULL;
        struct record *record = record_parse(copy, cut, &error);
        if (cut < HEAD_BYTES) {
            ck_assert_ptr_null(record);
            ck_assert_ptr_nonnull(
                strstr(error->message, cut < 8 ? "not a recording" : "cut before"));
            g_error_free(error);
        } else {
            struct record_mark mark;
            ck_assert_ptr_nonnull(record);
            ck_assert(record_is_cut(record));
            uint64_t last_ps = 0;
            while (record_next_mark(record, &mark)) {
                last_ps = mark.at_ps;
            }
            ck_assert_uint_eq(record_last(record)->mark.at_ps, last_ps);
            ck_assert_uint_lt(last_ps, 30);
            record_free(record);
        }
        g_free(copy);
    }
}
END_TEST

START_TEST(any_changed_byte_is_seen)
{
    for (gsize at = 0; at < len; at++) {
        GError *error = NULL;
        bytes[at] ^= 0x20;
        struct record *record = record_parse((const uint8_t *)bytes, len, &error);
        /* One that makes an entry longer than the file looks like a cut. */
        ck_assert(!record || record_is_cut(record));
        ck_assert(record || error);
        record_free(record);
        g_clear_error(&error);
        bytes[at] ^= 0x20;
    }
}
END_TEST

static void refused(const uint8_t *data, gsize size, const char *word)
{
    GError *error = NULL;

    ck_assert_ptr_null(record_parse(data, size, &error));
    ck_assert_msg(strstr(error->message, word) != NULL, "%s", error->message);
    g_error_free(error);
}

START_TEST(other_files_are_refused)
{
    GError *error = NULL;

    refused((const uint8_t *)"\x7f"
                             "ELF, and more",
            14, "not a recording");
    bytes[8] = 2;
    refused((const uint8_t *)bytes, len, "another version");
    bytes[8] = 1;
    le32_store((uint8_t *)bytes + 12, UINT32_MAX);
    refused((const uint8_t *)bytes, len, "damaged");
    le32_store((uint8_t *)bytes + 12, 9);
    refused((const uint8_t *)bytes, len, "damaged");
    le32_store((uint8_t *)bytes + 12, 8);
    char *longer = g_malloc0(len + 1); /* something after the end */
    memcpy(longer, bytes, len);
    refused((const uint8_t *)longer, len + 1, "damaged");
    g_free(longer);
    ck_assert_ptr_null(record_open("/nonexistent/file", &error));
    ck_assert_ptr_nonnull(strstr(error->message, "/nonexistent/file"));
    g_clear_error(&error);
    ck_assert_ptr_null(record_create("/nonexistent/file", "", &error));
    ck_assert_ptr_nonnull(strstr(error->message, "/nonexistent/file"));
    g_clear_error(&error);
}
END_TEST

START_TEST(a_full_disk_is_told)
{
    struct record_writer *writer = record_create("/dev/full", "", NULL);

    if (writer) {
        keep(writer, 1, SIM_INPUT_POSTED, "console", "x");
        ck_assert_int_ne(record_writer_free(writer), 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("record");
    TCase *tc = tcase_create("record");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_was_kept_comes_back);
    tcase_add_test(tc, any_cut_is_known_as_one);
    tcase_add_test(tc, any_changed_byte_is_seen);
    tcase_add_test(tc, other_files_are_refused);
    tcase_add_test(tc, a_full_disk_is_told);
    suite_add_tcase(suite, tc);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
