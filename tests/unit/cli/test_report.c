/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said when a run is over: splats, with source lines where the tree can name them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot_kernel.h"
#include "boot_report.h"

static char *tree;

static void setup(void)
{
    tree = g_dir_make_tmp("pcilab-test-XXXXXX", NULL);
}

static void teardown(void)
{
    char *line = g_strdup_printf("rm -rf '%s'", tree);

    ck_assert_int_eq(system(line), 0);
    g_free(line);
    g_free(tree);
}

static void put(const char *name, const char *text)
{
    char *path = g_build_filename(tree, name, NULL), *above = g_path_get_dirname(path);
    FILE *file;

    ck_assert_int_eq(g_mkdir_with_parents(above, 0755), 0);
    ck_assert_ptr_nonnull(file = fopen(path, "we"));
    fputs(text, file);
    fclose(file);
    chmod(path, 0755);
    g_free(above);
    g_free(path);
}

static struct splats *heard(const char *text)
{
    struct splats *s = splats_new();

    for (; *text; text++) {
        splats_byte(s, (uint8_t)*text);
    }
    return s;
}

/* What boot_report_splats() writes to stderr. */
static char *reported(const struct splats *s, const char *folder)
{
    char name[] = "/tmp/pcilab-test-XXXXXX", *text = NULL;
    int fd = mkstemp(name), err = dup(STDERR_FILENO);

    ck_assert_int_ge(fd, 0);
    dup2(fd, STDERR_FILENO);
    boot_report_splats(s, folder);
    fflush(stderr);
    dup2(err, STDERR_FILENO);
    close(err);
    close(fd);
    ck_assert(g_file_get_contents(name, &text, NULL, NULL));
    unlink(name);
    return text;
}

static const char one[] = "[    1.000000] WARNING: CPU: 0 PID: 1 at x.c:1 f+0x1/0x2\n"
                          "[    1.000001] ---[ end trace 0 ]---\n";

static void expect_report(const struct splats *s, const char *folder, const char *expected)
{
    char *text = reported(s, folder);

    ck_assert_str_eq(text, expected);
    g_free(text);
}

START_TEST(decoded_where_it_can_be)
{
    struct splats *s = heard(one);
    char *plain =
        g_strconcat("pcilab: the guest's kernel complained: 1 warn; this is it:\n", one, NULL);
    char *decoded = g_strdup_printf("pcilab: the guest's kernel complained: 1 warn; this is it:\n"
                                    "vmlinux is %s/vmlinux of %s, modules in %s\n%s",
                                    tree, tree, tree, one);

    expect_report(s, NULL, plain);
    expect_report(s, tree, plain);
    put("scripts/decode_stacktrace.sh",
        "#!/bin/sh\necho vmlinux is $1 of $2, modules in $3\ncat\n");
    expect_report(s, tree, plain);
    put("vmlinux", "");
    expect_report(s, tree, decoded);
    put("scripts/decode_stacktrace.sh", "#!/bin/sh\ncat\nexit 1\n");
    expect_report(s, tree, plain);
    put("scripts/decode_stacktrace.sh", "#!/bin/sh\n");
    expect_report(s, tree, plain);
    put("scripts/decode_stacktrace.sh", "#!/no/such/shell\n");
    expect_report(s, tree, plain);
    splats_free(s);
    g_free(decoded);
    g_free(plain);
}
END_TEST

START_TEST(the_first_of_several)
{
    struct splats *s = heard("quiet\n");

    expect_report(s, NULL, "");
    splats_free(s);
    s = splats_new();
    splats_free(s);
    char *two = g_strconcat(one, one, "[    9.000000] BUG: KASAN: x\n", NULL);
    char *expected = g_strconcat(
        "pcilab: the guest's kernel complained: 1 kasan, 2 warn; the first:\n", one, NULL);
    s = heard(two);
    expect_report(s, NULL, expected);
    splats_free(s);
    g_free(expected);
    g_free(two);
}
END_TEST

START_TEST(trees_of_kernels)
{
    char *found = boot_report_tree_of("/a/linux/arch/x86/boot/bzImage");

    ck_assert_str_eq(found, "/a/linux");
    g_free(found);
    ck_assert_ptr_null(boot_report_tree_of("/boot/vmlinuz"));
    ck_assert_ptr_null(boot_report_tree_of("/a/x86/boot/bzImage"));
}
END_TEST

/* The header of Linux 6.12, Documentation/arch/x86/boot.rst. */
START_TEST(releases)
{
    static const struct {
        uint16_t at;
        const char *text, *release;
    } cases[] = {{0x300, "6.12.1-mine (me@here) #1", "6.12.1-mine"},
                 {0x300, "6.12.1", "6.12.1"},
                 {0, "6.12.1", NULL},
                 {0xfff0, "6.12.1", NULL},
                 {0xdff, "", ""}};
    uint8_t image[0x1000];
    char *path = g_build_filename(tree, "bzImage", NULL), *full = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        memset(image, 0, sizeof(image));
        memcpy(image + 0x202, "HdrS", 4);
        image[0x20e] = (uint8_t)cases[i].at;
        image[0x20f] = (uint8_t)(cases[i].at >> 8);
        strcpy((char *)image + 0x500, cases[0].at == cases[i].at ? cases[i].text : "");
        ck_assert(g_file_set_contents(path, (char *)image, sizeof(image), NULL));
        char *release = boot_kernel_release(path, &full);
        if (cases[i].release) {
            ck_assert_str_eq(release, cases[i].release);
            ck_assert_str_eq(full, cases[i].text);
            g_clear_pointer(&full, g_free);
        } else {
            ck_assert_ptr_null(release);
        }
        g_free(release);
    }
    ck_assert_ptr_null(boot_kernel_release("/nonexistent", NULL));
    ck_assert_ptr_null(boot_kernel_release("/dev/null", NULL));
    g_free(path);
}
END_TEST

START_TEST(trailer)
{
    struct splats *s = heard(one);
    struct boot_tested tested = {"/x/peer.ini", "6.12.1 #1", "quiet",         "abcd", 2,
                                 "1 GiB",       7,           "exit status 1", s};
    char *text = boot_report_tested(&tested);

    ck_assert_str_eq(text, "Tested-with: pcilab " PCILAB_VERSION
                           ", peer.ini (2 processors, 1 GiB), seed 7\n"
                           "  kernel: 6.12.1 #1\n  command line: quiet\n"
                           "  result: exit status 1, splats: 1 warn\n  digest: abcd\n");
    g_free(text);
    splats_free(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report");
    TCase *tc = tcase_create("report");
    SRunner *sr = srunner_create(suite);

    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, decoded_where_it_can_be);
    tcase_add_test(tc, the_first_of_several);
    tcase_add_test(tc, trees_of_kernels);
    tcase_add_test(tc, releases);
    tcase_add_test(tc, trailer);
    srunner_set_tap(sr, "-");
    srunner_run_all(sr, CK_SILENT);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
