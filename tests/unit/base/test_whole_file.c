/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pcilab/base/whole_file.h"

START_TEST(ordinary)
{
    char *dir = g_dir_make_tmp(NULL, NULL), *path = g_build_filename(dir, "f", NULL), *have;
    GError *error = NULL;

    ck_assert(whole_file_write(path, "longer", 6, NULL));
    ck_assert(whole_file_write(path, "text", 4, NULL));
    ck_assert(g_file_get_contents(path, &have, NULL, NULL));
    ck_assert_str_eq(have, "text");
    g_free(have);
    ck_assert_int_eq(g_remove(path), 0);
    ck_assert_int_eq(g_rmdir(dir), 0);
    ck_assert(!whole_file_write(path, "text", 4, &error));
    ck_assert(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT));
    g_error_free(error);
    g_free(path);
    g_free(dir);
}
END_TEST

/* It gets the text and is a pipe as before. */
START_TEST(a_pipe_stays_one)
{
    char *dir = g_dir_make_tmp(NULL, NULL), *path = g_build_filename(dir, "p", NULL), have[8] = "";
    struct stat st;
    int fd;

    ck_assert_int_eq(mkfifo(path, 0600), 0);
    fd = open(path, O_RDWR);
    ck_assert(whole_file_write(path, "text", 4, NULL));
    ck_assert_int_eq(read(fd, have, sizeof(have)), 4);
    ck_assert_str_eq(have, "text");
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert(S_ISFIFO(st.st_mode));
    close(fd);
    g_remove(path);
    g_rmdir(dir);
    g_free(path);
    g_free(dir);
}
END_TEST

START_TEST(a_full_disk)
{
    GError *error = NULL;

    ck_assert(!whole_file_write("/dev/full", "text", 4, &error));
    ck_assert(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC));
    ck_assert(strstr(error->message, "/dev/full"));
    g_error_free(error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("whole_file");
    TCase *tcase = tcase_create("whole_file");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, ordinary);
    tcase_add_test(tcase, a_pipe_stays_one);
    tcase_add_test(tcase, a_full_disk);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
