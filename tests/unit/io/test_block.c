/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disk images: raw files and scratch memory. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pcilab/base/bits.h"
#include "pcilab/io/block.h"

#define IMAGE_BYTES (1024 * 1024)

static char path[] = "/tmp/pcilab-block-XXXXXX";

static void make_file(void)
{
    strcpy(path + strlen(path) - 6, "XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, IMAGE_BYTES), 0);
    close(fd);
}

static void remove_file(void)
{
    g_unlink(path);
}

static struct block_image *open_ok(void)
{
    GError *error = NULL;
    struct block_image *image = block_open_raw(path, true, &error);

    ck_assert_msg(image != NULL, "%s", error ? error->message : "");
    return image;
}

static void expect_open_error(const char *name, const char *text)
{
    GError *error = NULL;

    ck_assert_ptr_null(block_open_raw(name, false, &error));
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(strstr(error->message, text) != NULL, "%s", error->message);
    ck_assert_msg(strstr(error->message, name) != NULL, "%s", error->message);
    g_error_free(error);
}

static void check_contents(struct block_image *image)
{
    g_autofree uint8_t *shadow = g_malloc0(IMAGE_BYTES);
    g_autofree uint8_t *data = g_malloc(IMAGE_BYTES);
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);

    ck_assert_uint_eq(block_size_bytes(image), IMAGE_BYTES);
    for (unsigned i = 0; i < 400; i++) {
        uint64_t offset = (uint64_t)g_rand_int_range(rand, 0, IMAGE_BYTES / 512) * 512;
        uint64_t len = (uint64_t)g_rand_int_range(rand, 1, 65) * 512;
        len = MIN(len, IMAGE_BYTES - offset);
        if (g_rand_boolean(rand)) {
            memset(data, g_rand_int_range(rand, 1, 256), len);
            memcpy(shadow + offset, data, len);
            ck_assert_int_eq(block_write(image, offset, data, len), 0);
        } else {
            memset(shadow + offset, 0, len);
            ck_assert_int_eq(block_zero(image, offset, len), 0);
        }
    }
    ck_assert_int_eq(block_flush(image), 0);
    ck_assert_int_eq(block_read(image, 0, data, IMAGE_BYTES), 0);
    ck_assert_mem_eq(data, shadow, IMAGE_BYTES);
}

static void check_bounds(struct block_image *image)
{
    uint8_t data[1024] = {0};

    ck_assert_int_eq(block_read(image, IMAGE_BYTES, data, 512), -EINVAL);
    ck_assert_int_eq(block_read(image, IMAGE_BYTES - 512, data, 1024), -EINVAL);
    ck_assert_int_eq(block_write(image, UINT64_MAX - 511, data, 1024), -EINVAL);
    ck_assert_int_eq(block_write(image, 1, data, 512), -EINVAL);
    ck_assert_int_eq(block_zero(image, 512, UINT64_MAX - 511), -EINVAL);
    ck_assert_int_eq(block_zero(image, 0, 0), 0);
}

START_TEST(memory_holds_what_was_written)
{
    struct block_image *image = block_new_memory(IMAGE_BYTES);

    ck_assert(!block_read_only(image));
    check_contents(image);
    check_bounds(image);
    block_free(image);
}
END_TEST

START_TEST(memory_is_sparse)
{
    struct block_image *image = block_new_memory(1ULL << 42);
    uint8_t data[512] = {1}, back[512];

    ck_assert_ptr_nonnull(image);
    ck_assert_int_eq(block_write(image, (1ULL << 42) - 512, data, 512), 0);
    ck_assert_int_eq(block_read(image, (1ULL << 42) - 512, back, 512), 0);
    ck_assert_mem_eq(data, back, 512);
    block_free(image);
    ck_assert_ptr_null(block_new_memory(0));
    ck_assert_ptr_null(block_new_memory(513));
    ck_assert_ptr_null(block_new_memory(1ULL << 63));
}
END_TEST

START_TEST(file_holds_what_was_written)
{
    struct block_image *image = open_ok();

    check_contents(image);
    check_bounds(image);
    block_free(image);
}
END_TEST

START_TEST(file_keeps_its_size)
{
    struct block_image *image = open_ok();
    struct stat st;

    ck_assert_int_eq(block_zero(image, 0, IMAGE_BYTES), 0);
    block_free(image);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, IMAGE_BYTES);
}
END_TEST

START_TEST(file_is_locked_against_a_second_writer)
{
    struct block_image *image = open_ok();

    expect_open_error(path, "in use");
    block_free(image);
    block_free(open_ok());
}
END_TEST

START_TEST(unusable_files_are_named)
{
    expect_open_error("/nonexistent/disk.img", "cannot open");
    expect_open_error("/tmp", "cannot open");
    ck_assert_int_eq(truncate(path, 0), 0);
    expect_open_error(path, "multiple of 512");
    ck_assert_int_eq(truncate(path, 1000), 0);
    expect_open_error(path, "multiple of 512");
    expect_open_error("/dev/null", "neither a regular file");
}
END_TEST

START_TEST(unwritable_file_is_read_only)
{
    bool root = geteuid() == 0;
    uint8_t data[512];

    ck_assert_int_eq(chmod(path, 0444), 0);
    if (root) {
        ck_assert_int_eq(seteuid(65534), 0);
    }
    GError *error = NULL;
    ck_assert_ptr_null(block_open_raw(path, false, &error));
    g_clear_error(&error);
    struct block_image *image = block_open_raw(path, true, &error);
    if (root) {
        ck_assert_int_eq(seteuid(0), 0);
    }
    ck_assert_ptr_nonnull(image);
    ck_assert(block_read_only(image));
    ck_assert_int_eq(block_read(image, 0, data, 512), 0);
    ck_assert_int_eq(block_write(image, 0, data, 512), -EROFS);
    ck_assert_int_eq(block_zero(image, 0, 512), -EROFS);
    ck_assert_int_eq(block_flush(image), 0);
    block_free(image);
}
END_TEST

START_TEST(full_host_disk_is_an_error)
{
    struct block_image *image = open_ok();
    g_autofree uint8_t *data = g_malloc0(IMAGE_BYTES);
    struct rlimit old, small;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);

    /* A limit on the size of files stands for a full disk: the write stops half way. */
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = IMAGE_BYTES / 2;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    int err = block_write(image, 0, data, IMAGE_BYTES);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, handler);
    ck_assert_int_eq(err, -EFBIG);
    ck_assert_int_eq(block_write(image, 0, data, IMAGE_BYTES), 0);
    ck_assert_int_eq(block_host_error(image), -EFBIG);
    block_free(image);
}
END_TEST

START_TEST(truncated_file_is_an_error)
{
    struct block_image *image = open_ok();
    uint8_t data[512];

    ck_assert_int_eq(truncate(path, 4096), 0);
    ck_assert_int_eq(block_read(image, 4096, data, 512), -EIO);
    block_free(image);
}
END_TEST

START_TEST(overlay_keeps_the_file)
{
    struct block_image *image = open_ok(), *reader;
    uint8_t data[4 * 512], seen[4 * 512];
    GError *error = NULL;

    memset(data, 0x11, sizeof(data));
    ck_assert_int_eq(block_write(image, 4096, data, sizeof(data)), 0);
    ck_assert(block_overlay(image, &error));
    memset(data, 0x22, 512);
    ck_assert_int_eq(block_write(image, 4096 + 512, data, 512), 0);
    ck_assert_int_eq(block_zero(image, 4096 + 3 * 512, 512), 0);
    ck_assert_int_eq(block_write(image, IMAGE_BYTES - 512, data, 512), 0);
    ck_assert_int_eq(block_flush(image), 0);

    /* Sectors: old, written, old, zeroed. */
    ck_assert_int_eq(block_read(image, 4096, seen, sizeof(seen)), 0);
    for (unsigned i = 0; i < 4; i++) {
        static const uint8_t want[] = {0x11, 0x22, 0x11, 0x00};
        for (unsigned b = 0; b < 512; b++) {
            ck_assert_uint_eq(seen[i * 512 + b], want[i]);
        }
    }
    ck_assert_int_eq(block_read(image, IMAGE_BYTES - 512, seen, 512), 0);
    ck_assert_mem_eq(seen, data, 512);
    ck_assert_int_eq(block_write(image, IMAGE_BYTES, data, 512), -EINVAL);
    ck_assert(block_overlay(image, &error));
    ck_assert_int_eq(block_read(image, IMAGE_BYTES - 512, seen, 512), 0);
    ck_assert_mem_eq(seen, data, 512);
    block_free(image);

    reader = open_ok();
    memset(data, 0x11, sizeof(data));
    ck_assert_int_eq(block_read(reader, 4096, seen, sizeof(seen)), 0);
    ck_assert_mem_eq(seen, data, sizeof(seen));
    ck_assert_int_eq(block_read(reader, IMAGE_BYTES - 512, seen, 512), 0);
    ck_assert_uint_eq(seen[0], 0);
    block_free(reader);
}
END_TEST

/* Both see the file; neither changes it, nor sees the other's. */
START_TEST(overlays_leave_the_file_alone)
{
    uint8_t data[1024], found[1024];
    struct block_image *one = block_open(path, BLOCK_OVERLAY, NULL);
    struct block_image *two = block_open(path, BLOCK_OVERLAY, NULL);

    ck_assert(one && two && !block_read_only(one));
    memset(data, 0x5a, sizeof(data));
    ck_assert_int_eq(block_write(one, 4096, data, sizeof(data)), 0);
    ck_assert_int_eq(block_flush(one), 0);
    ck_assert_int_eq(block_read(one, 4096, found, sizeof(found)), 0);
    ck_assert_mem_eq(found, data, sizeof(data));
    ck_assert_int_eq(block_read(two, 4096, found, sizeof(found)), 0);
    ck_assert_uint_eq(found[0], 0);
    expect_open_error(path, "in use by another process"); /* nobody writes under them */
    block_free(one);
    block_free(two);
    one = open_ok();
    ck_assert_int_eq(block_read(one, 4096, found, sizeof(found)), 0);
    ck_assert_uint_eq(found[0], 0);
    block_free(one);
}
END_TEST

START_TEST(read_only_is_asked_for)
{
    uint8_t data[512] = {1};
    struct block_image *image = block_open(path, BLOCK_READ_ONLY, NULL);

    ck_assert(image && block_read_only(image));
    ck_assert_int_eq(block_write(image, 0, data, 512), -EROFS);
    ck_assert_int_eq(block_zero(image, 0, 512), -EROFS);
    ck_assert_int_eq(block_read(image, 0, data, 512), 0);
    block_free(image);
}
END_TEST

START_TEST(past_the_page_cache)
{
    GError *error = NULL;
    struct block_image *image = block_open(path, BLOCK_DIRECT, &error);

    if (!image) { /* a file system that cannot */
        ck_assert_msg(strstr(error->message, "past the page cache") != NULL, "%s", error->message);
        g_error_free(error);
        return;
    }
    check_contents(image);
    block_free(image);
    ck_assert_int_eq(truncate(path, IMAGE_BYTES + 512), 0);
    ck_assert_ptr_null(block_open(path, BLOCK_DIRECT, &error));
    ck_assert_msg(strstr(error->message, "multiple of 4096") != NULL, "%s", error->message);
    g_error_free(error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("block");
    TCase *memory = tcase_create("memory");
    TCase *file = tcase_create("file");

    tcase_add_test(memory, memory_holds_what_was_written);
    tcase_add_test(memory, memory_is_sparse);
    suite_add_tcase(suite, memory);
    tcase_add_checked_fixture(file, make_file, remove_file);
    tcase_add_test(file, file_holds_what_was_written);
    tcase_add_test(file, file_keeps_its_size);
    tcase_add_test(file, file_is_locked_against_a_second_writer);
    tcase_add_test(file, unusable_files_are_named);
    tcase_add_test(file, unwritable_file_is_read_only);
    tcase_add_test(file, full_host_disk_is_an_error);
    tcase_add_test(file, truncated_file_is_an_error);
    tcase_add_test(file, overlay_keeps_the_file);
    tcase_add_test(file, overlays_leave_the_file_alone);
    tcase_add_test(file, read_only_is_asked_for);
    tcase_add_test(file, past_the_page_cache);
    suite_add_tcase(suite, file);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
