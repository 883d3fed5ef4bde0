/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hostile client must not get: anything outside the exported trees, a change where only
 * reading is allowed, more than its share of the host.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client.h"
#include "pcilab/base/le.h"
#include "tree.h"

static struct client *client;

static void setup(void)
{
    tree_make();
    const char *rw[] = {tree_file("rw"), NULL};
    client = client_new(tree_path(), false, rw);
}

static void teardown(void)
{
    client_free(client);
    tree_remove();
}

START_TEST(read_only_trees_stay_as_they_are)
{
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "file"), 0);
    ck_assert_int_eq(client_open(client, 2, O_RDWR), EROFS);
    ck_assert_int_eq(client_open(client, 2, O_RDONLY | O_TRUNC), EROFS);
    ck_assert_int_eq(client_setattr(client, 2, 1, 0777, 0), EROFS);
    ck_assert_int_eq(client_setattr(client, 2, 8, 0, 0), EROFS);
    ck_assert_int_eq(client_mkdir(client, CLIENT_ROOT, "new", 0700), EROFS);
    ck_assert_int_eq(client_mknod(client, CLIENT_ROOT, "new", S_IFIFO), EROFS);
    ck_assert_int_eq(client_symlink(client, CLIENT_ROOT, "new", "x"), EROFS);
    ck_assert_int_eq(client_link(client, CLIENT_ROOT, 2, "new"), EROFS);
    ck_assert_int_eq(client_unlink(client, CLIENT_ROOT, "file", 0), EROFS);
    ck_assert_int_eq(client_renameat(client, CLIENT_ROOT, "file", CLIENT_ROOT, "new"), EROFS);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 3, ""), 0);
    ck_assert_int_eq(client_create(client, 3, "new", O_RDWR, 0600), EROFS);
    ck_assert_int_eq(client_create(client, 3, "file", O_RDONLY, 0600), EROFS);
    client_begin(client, 32); /* an attribute */
    client_put(client, 2, 4);
    client_put_text(client, "user.x");
    client_put(client, 1, 8);
    client_put(client, 0, 4);
    ck_assert_int_eq(client_send(client), EROFS);
    client_begin(client, 122); /* Tremove */
    client_put(client, 2, 4);
    ck_assert_int_eq(client_send(client), EROFS);
    ck_assert_int_eq(g_access(tree_file("file"), F_OK), 0);
}
END_TEST

START_TEST(writable_trees_end_at_their_border)
{
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "rw"), 0);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 3, "file"), 0);
    ck_assert_int_eq(client_mkdir(client, 2, "made", 0700), 0);
    ck_assert_int_eq(client_link(client, 2, 3, "file"), EXDEV);
    ck_assert_int_eq(client_renameat(client, CLIENT_ROOT, "file", 2, "file"), EROFS);
    ck_assert_int_eq(client_renameat(client, 2, "made", CLIENT_ROOT, "made"), EROFS);
    ck_assert_int_eq(client_unlink(client, CLIENT_ROOT, "rw", 0x200), EROFS);
    /* the same through its parent */
    ck_assert_int_eq(client_walk(client, 2, 4, "made/../.."), 0);
    ck_assert_int_eq(client_mkdir(client, 4, "new", 0700), EROFS);
    ck_assert_int_eq(client_walk(client, 4, 5, "rw/made"), 0);
    ck_assert_int_eq(client_mkdir(client, 5, "new", 0700), 0);
}
END_TEST

START_TEST(two_writable_trees_are_two)
{
    g_mkdir(tree_file("rw2"), 0755);
    const char *rw[] = {tree_file("rw"), tree_file("rw2"), NULL};
    client_free(client);
    client = client_new(tree_path(), false, rw);
    tree_write("rw/x", "x");
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "rw"), 0);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 3, "rw2"), 0);
    ck_assert_int_eq(client_walk(client, 2, 4, "x"), 0);
    ck_assert_int_eq(client_renameat(client, 2, "x", 3, "x"), EXDEV);
    ck_assert_int_eq(client_link(client, 3, 4, "x"), EXDEV);
    ck_assert_int_eq(client_renameat(client, 2, "x", 2, "y"), 0);
}
END_TEST

START_TEST(no_path_leads_out)
{
    static const char *const paths[] = {"../secret",  "rw/../../secret",  "out",
                                        "out/secret", "dir/../../secret", "abs",
                                        "abs/passwd", "rw/out",           "rw/out/secret"};
    struct attr attr;

    ck_assert_int_eq(symlink("..", tree_file("out")), 0);
    ck_assert_int_eq(symlink("/etc", tree_file("abs")), 0);
    ck_assert_int_eq(symlink("../..", tree_file("rw/out")), 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
        if (client_walk(client, CLIENT_ROOT, 2, paths[i]) == 0) { /* links themselves */
            ck_assert_int_eq(client_getattr(client, 2, &attr), 0);
            ck_assert_uint_eq(attr.mode & S_IFMT, S_IFLNK);
            ck_assert_int_eq(client_open(client, 2, O_RDONLY), ELOOP);
            ck_assert_int_ne(client_walk(client, 2, 3, "secret"), 0);
            ck_assert_int_ne(client_mkdir(client, 2, "x", 0700), 0);
            ck_assert_int_eq(client_clunk(client, 2), 0);
        }
    }
    /* a link where a file is to be made */
    ck_assert_int_eq(symlink("../../secret", tree_file("rw/trap")), 0);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "rw"), 0);
    ck_assert_int_eq(client_create(client, 2, "trap", O_RDWR | O_TRUNC, 0600), ELOOP);
}
END_TEST

/* "/" with what the kernel makes up: not entered, and not written. */
START_TEST(kernel_file_systems_are_not_shown)
{
    struct attr attr;

    client_free(client);
    client = client_new("/", true, NULL);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "proc"), 0);
    /* nor how many processes there are */
    ck_assert_int_eq(client_getattr(client, 2, &attr), 0);
    ck_assert_uint_eq(attr.nlink, 2);
    ck_assert_uint_eq(attr.mtime, 0);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 3, "proc/self"), ENOENT);
    ck_assert_int_eq(client_walk(client, 2, 3, "version"), ENOENT);
    ck_assert_int_eq(client_mkdir(client, 2, "x", 0700), EROFS);
    ck_assert_int_eq(client_setattr(client, 2, 1, 0700, 0), EROFS);
    ck_assert_int_eq(client_open(client, 2, O_RDONLY), 0);
    client_begin(client, 40);
    client_put(client, 2, 4);
    client_put(client, 2, 8);
    client_put(client, 1000, 4);
    ck_assert_int_eq(client_send(client), 0);
    ck_assert_uint_eq(client_get(client, 4), 0);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 4, "dev/null"), 0);
    ck_assert_int_eq(client_open(client, 4, O_RDONLY), ENXIO);
}
END_TEST

/* Somebody on the host exchanges directories for links as fast as it goes, while the client walks,
 * opens, makes and removes: what lies outside is never seen nor touched. */
static atomic_bool racing;

static void *exchange(void *opaque)
{
    const char *const *pair = opaque;

    while (atomic_load(&racing))
        syscall(SYS_renameat2, AT_FDCWD, pair[0], AT_FDCWD, pair[1], RENAME_EXCHANGE);
    return NULL;
}

static unsigned race_once(uint32_t fid)
{
    char text[100];
    uint32_t got;
    unsigned reached = 0;

    if (client_walk(client, CLIENT_ROOT, fid, "rw/a/secret") == 0) {
        ck_assert_int_eq(client_open(client, fid, O_RDONLY), 0);
        ck_assert_int_eq(client_read(client, fid, 0, sizeof(text), text, &got), 0);
        ck_assert_uint_eq(got, 6);
        ck_assert_mem_eq(text, "inside", 6);
        reached = 1;
        client_clunk(client, fid);
    }
    if (client_walk(client, CLIENT_ROOT, fid, "rw/a") == 0) {
        client_mkdir(client, fid, "made", 0700);
        client_unlink(client, fid, "made", 0x200);
        if (client_create(client, fid, "secret", O_WRONLY, 0600) == 0)
            ck_assert_int_eq(client_write(client, fid, 0, "inside", 6), 0);
        client_clunk(client, fid);
    }
    return reached;
}

START_TEST(races_do_not_lead_out)
{
    g_autofree char *a = g_strdup(tree_file("rw/a")), *b = g_strdup(tree_file("rw/b"));
    const char *pair[] = {a, b};
    g_autofree char *text = NULL;
    unsigned reached = 0;
    pthread_t thread;

    g_mkdir(a, 0755);
    tree_write("rw/a/secret", "inside");
    ck_assert_int_eq(symlink("../..", b), 0);
    atomic_store(&racing, true);
    ck_assert_int_eq(pthread_create(&thread, NULL, exchange, pair), 0);
    for (unsigned i = 0; i < 20000; i++)
        reached += race_once(2);
    atomic_store(&racing, false);
    pthread_join(thread, NULL);
    ck_assert_uint_gt(reached, 0);
    ck_assert_uint_lt(reached, 20000); /* both were met */
    ck_assert(g_file_get_contents(tree_file("../secret"), &text, NULL, NULL));
    ck_assert_str_eq(text, "secret");
    ck_assert_int_eq(g_access(tree_file("../made"), F_OK), -1);
}
END_TEST

/* The host moves a directory behind the client's back, so that renames would make a circle. */
START_TEST(moved_directories_make_no_circle)
{
    struct attr attr;

    g_mkdir(tree_file("rw/a"), 0755);
    g_mkdir(tree_file("rw/a/b"), 0755);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "rw"), 0);
    ck_assert_int_eq(client_walk(client, 2, 3, "a"), 0);
    ck_assert_int_eq(client_walk(client, 3, 4, "b"), 0);
    ck_assert_int_eq(g_rename(tree_file("rw/a/b"), tree_file("rw/b")), 0);
    ck_assert_int_eq(client_renameat(client, 2, "a", 4, "a"), 0);
    client_getattr(client, 3, &attr);
    client_getattr(client, 4, &attr);
    client_walk(client, 3, 5, "../../../../..");
    ck_assert_int_eq(client_walk(client, 2, 6, "b/a"), 0);
}
END_TEST

START_TEST(deep_trees_end_somewhere)
{
    unsigned depth = 0;
    int err = client_walk(client, CLIENT_ROOT, 2, "rw");

    while (!err && depth < 3000) {
        err = client_mkdir(client, 2, "d", 0755);
        if (!err)
            err = client_walk(client, 2, 2, "d");
        depth++;
    }
    ck_assert_int_eq(err, ENAMETOOLONG);
    ck_assert_uint_gt(depth, 1000);
    ck_assert_int_eq(client_clunk(client, 2), 0);
}
END_TEST

START_TEST(listings_share_a_bounded_memory)
{
    /* 2000 names of 250 bytes, and fids until the server says no. */
    g_autofree char *tail = g_strnfill(240, 'x');
    unsigned fid = 100;
    int err = 0;

    for (unsigned i = 0; i < 2000; i++) {
        g_autofree char *name = g_strdup_printf("dir/%05u%s", i, tail);
        tree_write(name, "");
    }
    for (; fid < 2100 && !err; fid++) {
        ck_assert_int_eq(client_walk(client, CLIENT_ROOT, fid, "dir"), 0);
        ck_assert_int_eq(client_open(client, fid, O_RDONLY), 0);
        client_begin(client, 40);
        client_put(client, fid, 4);
        client_put(client, 0, 8);
        client_put(client, 100, 4);
        err = client_send(client);
    }
    ck_assert_int_eq(err, ENOMEM);
    ck_assert_uint_gt(fid, 300);
    ck_assert_int_eq(client_clunk(client, 100), 0); /* and what one gives back, another has */
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 100, "dir"), 0);
    ck_assert_int_eq(client_open(client, 100, O_RDONLY), 0);
    client_begin(client, 40);
    client_put(client, 100, 4);
    client_put(client, 0, 8);
    client_put(client, 100, 4);
    ck_assert_int_eq(client_send(client), 0);
}
END_TEST

START_TEST(malformed_messages_are_refused)
{
    static const uint8_t junk[64] = {0xff};
    uint8_t reply[64];

    for (uint32_t len = 0; len < 7; len++)
        ck_assert_uint_eq(p9_server_handle(client->server, junk, len, reply, sizeof(reply)), 0);
    ck_assert_uint_eq(p9_server_handle(client->server, junk, 64, reply, 10), 0);
    for (unsigned type = 0; type < 256; type++) { /* every message without its fields */
        client_begin(client, (uint8_t)type);
        le32_store(client->request, 7);
        uint32_t got = p9_server_handle(client->server, client->request, 7, reply, sizeof(reply));
        ck_assert_uint_eq(got, 11);
        ck_assert_uint_eq(reply[4], 7);
    }
    client_begin(client, 118); /* a write that claims more than it carries */
    client_put(client, 1, 4);
    client_put(client, 0, 8);
    client_put(client, 0xffffffff, 4);
    ck_assert_int_eq(client_send(client), EINVAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("p9 confinement");
    TCase *tc = tcase_create("hostile");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, read_only_trees_stay_as_they_are);
    tcase_add_test(tc, writable_trees_end_at_their_border);
    tcase_add_test(tc, two_writable_trees_are_two);
    tcase_add_test(tc, no_path_leads_out);
    tcase_add_test(tc, kernel_file_systems_are_not_shown);
    tcase_add_test(tc, races_do_not_lead_out);
    tcase_add_test(tc, moved_directories_make_no_circle);
    tcase_add_test(tc, deep_trees_end_somewhere);
    tcase_add_test(tc, listings_share_a_bounded_memory);
    tcase_add_test(tc, malformed_messages_are_refused);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
