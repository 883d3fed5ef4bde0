/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 9P server: what a well-meaning client gets, on a tree made for each test. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "client.h"
#include "tree.h"

static struct client *client;

static void setup(void)
{
    tree_make();
    client = client_new(tree_path(), true, NULL);
}

static void teardown(void)
{
    client_free(client);
    tree_remove();
}

static uint32_t read_text(uint32_t fid, char *text)
{
    uint32_t got;

    ck_assert_int_eq(client_read(client, fid, 0, 100, text, &got), 0);
    text[got] = '\0';
    return got;
}

START_TEST(an_unknown_dialect_is_answered_as_such)
{
    client_begin(client, 100);
    client_put(client, 8192, 4);
    client_put_text(client, "9P2000.u");
    ck_assert_int_eq(client_send(client), 0);
    ck_assert_uint_eq(client_get(client, 4), 8192);
    g_autofree char *text = client_get_text(client);
    ck_assert_str_eq(text, "unknown");
    /* and the connection is forgotten */
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, ""), EPROTO);
}
END_TEST

START_TEST(version_bounds_messages)
{
    struct attr attr;
    uint32_t got;
    static uint8_t data[65536];

    client_begin(client, 100);
    client_put(client, 4096, 4);
    client_put_text(client, "9P2000.L");
    ck_assert_int_eq(client_send(client), 0);
    ck_assert_uint_eq(client_get(client, 4), 4096);
    ck_assert_int_eq(client_getattr(client, CLIENT_ROOT, &attr), EBADF);
    client_begin(client, 104);
    client_put(client, CLIENT_ROOT, 4);
    client_put(client, UINT32_MAX, 4);
    client_put_text(client, "root");
    client_put_text(client, "/");
    client_put(client, 0, 4);
    ck_assert_int_eq(client_send(client), 0);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "big"), 0);
    ck_assert_int_eq(client_open(client, 2, O_RDONLY), 0);
    ck_assert_int_eq(client_read(client, 2, 0, sizeof(data), data, &got), 0);
    ck_assert_uint_eq(got, 4096 - 11);
    ck_assert_int_eq(client_write(client, 2, 0, data, 8192), EINVAL);
}
END_TEST

START_TEST(authentication_and_other_trees_are_refused)
{
    client_begin(client, 102);
    client_put(client, 9, 4);
    client_put_text(client, "root");
    client_put_text(client, "");
    client_put(client, 0, 4);
    ck_assert_int_eq(client_send(client), EOPNOTSUPP);
    client_begin(client, 104);
    client_put(client, 9, 4);
    client_put(client, UINT32_MAX, 4);
    client_put_text(client, "root");
    client_put_text(client, "/etc");
    client_put(client, 0, 4);
    ck_assert_int_eq(client_send(client), ENOENT);
}
END_TEST

START_TEST(walk_gives_a_fid_only_when_all_is_found)
{
    struct attr attr;

    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "dir/sub"), 0);
    ck_assert_int_eq(client_getattr(client, 2, &attr), 0);
    ck_assert_uint_eq(attr.qid_type, 0x80);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 3, "dir/none"), ENOENT);
    ck_assert_uint_eq(client->reply[4], 111); /* Rwalk with one qid */
    ck_assert_int_eq(client_getattr(client, 3, &attr), EBADF);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 3, "none/dir"), ENOENT);
    ck_assert_uint_eq(client->reply[4], 7);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, ""), EBADF); /* in use */
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 3, "file/x"), ENOENT);
    ck_assert_int_eq(client_walk(client, 2, 2, ".."), 0); /* replaces itself */
    ck_assert_int_eq(client_walk(client, 2, 4, "sub"), 0);
}
END_TEST

START_TEST(dot_dot_stops_at_the_root)
{
    struct attr root, up;

    ck_assert_int_eq(client_getattr(client, CLIENT_ROOT, &root), 0);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "../../dir/../.."), 0);
    ck_assert_int_eq(client_getattr(client, 2, &up), 0);
    ck_assert_uint_eq(root.qid_path, up.qid_path);
}
END_TEST

START_TEST(attributes_are_the_file_s)
{
    struct attr attr;
    struct stat st;

    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "file"), 0);
    ck_assert_int_eq(client_getattr(client, 2, &attr), 0);
    ck_assert_int_eq(stat(tree_file("file"), &st), 0);
    ck_assert_uint_eq(attr.mode, st.st_mode);
    ck_assert_uint_eq(attr.size, 5);
    ck_assert_uint_eq(attr.nlink, 1);
    ck_assert_uint_eq(attr.mtime, (uint64_t)st.st_mtime);
    ck_assert_uint_eq(attr.uid, 0); /* our own files are root's in the guest */
    ck_assert_uint_ne(attr.qid_version, 0);
    ck_assert_int_eq(client_link(client, CLIENT_ROOT, 2, "hard"), 0);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 3, "hard"), 0);
    struct attr hard;
    ck_assert_int_eq(client_getattr(client, 3, &hard), 0);
    ck_assert_uint_eq(hard.nlink, 2);
    ck_assert_uint_eq(hard.qid_path, attr.qid_path);
}
END_TEST

START_TEST(attributes_are_set)
{
    struct attr attr;

    umask(077);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "file"), 0);
    ck_assert_int_eq(client_setattr(client, 2, 1 << 0, 0666, 0), 0);
    ck_assert_int_eq(client_setattr(client, 2, 1 << 3, 0, 3), 0);
    ck_assert_int_eq(client_setattr(client, 2, 0x1b0, 0, 0), 0);  /* both times, given */
    ck_assert_int_eq(client_setattr(client, 2, 3 << 1, 0, 0), 0); /* to root */
    ck_assert_int_eq(client_getattr(client, 2, &attr), 0);
    ck_assert_uint_eq(attr.mode, S_IFREG | 0666);
    ck_assert_uint_eq(attr.size, 3);
    ck_assert_uint_eq(attr.atime, 1000000000);
    ck_assert_uint_eq(attr.mtime, 1100000000);
    ck_assert_int_eq(client_setattr(client, 2, 1 << 0, 06755, 0), 0);
    ck_assert_int_eq(client_getattr(client, 2, &attr), 0);
    ck_assert_uint_eq(attr.mode, S_IFREG | 0755); /* no set-user-ID file is left on the host */
    ck_assert_int_eq(client_setattr(client, 2, 1 << 3, 0, UINT64_MAX), EFBIG);
}
END_TEST

START_TEST(files_are_read_and_written)
{
    char text[101];
    struct stat st;

    umask(077);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "dir"), 0);
    ck_assert_int_eq(client_create(client, 2, "new", O_RDWR, 0640), 0);
    ck_assert_int_eq(client_write(client, 2, 0, "hello", 5), 0);
    ck_assert_int_eq(client_write(client, 2, 5ULL << 30, "far", 3), 0);
    ck_assert_uint_eq(read_text(2, text), 100);
    ck_assert_str_eq(text, "hello");
    uint32_t got;
    ck_assert_int_eq(client_read(client, 2, 5ULL << 30, 100, text, &got), 0);
    ck_assert_uint_eq(got, 3);
    ck_assert_int_eq(client_read(client, 2, 6ULL << 30, 100, text, &got), 0);
    ck_assert_uint_eq(got, 0);
    ck_assert_int_eq(client_read(client, 2, UINT64_MAX, 100, text, &got), EINVAL);
    ck_assert_int_eq(stat(tree_file("dir/new"), &st), 0);
    ck_assert_uint_eq(st.st_mode, S_IFREG | 0640);
    ck_assert_int_eq(st.st_size, (5LL << 30) + 3);
    ck_assert_int_lt(st.st_blocks, 1000);
    client_begin(client, 50); /* fsync */
    client_put(client, 2, 4);
    client_put(client, 0, 4);
    ck_assert_int_eq(client_send(client), 0);
    /* existing files: opened unless asked not to, and cut where asked */
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 3, ""), 0);
    ck_assert_int_eq(client_create(client, 3, "file", O_WRONLY | O_EXCL, 0600), EEXIST);
    ck_assert_int_eq(client_create(client, 3, "file", O_WRONLY | O_TRUNC, 0600), 0);
    ck_assert_int_eq(stat(tree_file("file"), &st), 0);
    ck_assert_int_eq(st.st_size, 0);
    ck_assert_int_eq(client_read(client, 3, 0, 10, text, &got), EBADF); /* write only */
}
END_TEST

START_TEST(what_the_host_refuses_is_remembered)
{
    struct rlimit old, small = {1 << 20, RLIM_INFINITY};

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "dir"), 0);
    ck_assert_int_eq(client_create(client, 2, "new", O_RDWR, 0640), 0);
    ck_assert_int_eq(client_write(client, 2, UINT64_MAX, "bad", 3), EFBIG); /* the client's fault */
    ck_assert_int_eq(p9_server_host_error(client->server), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    ck_assert_int_eq(client_write(client, 2, 2 << 20, "far", 3), EFBIG);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    ck_assert_int_eq(client_write(client, 2, 0, "near", 4), 0);
    ck_assert_int_eq(p9_server_host_error(client->server), -EFBIG);
}
END_TEST

START_TEST(readers_cannot_write)
{
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "file"), 0);
    ck_assert_int_eq(client_write(client, 2, 0, "x", 1), EBADF);
    ck_assert_int_eq(client_open(client, 2, O_RDONLY), 0);
    ck_assert_int_eq(client_write(client, 2, 0, "x", 1), EBADF);
    ck_assert_int_eq(client_open(client, 2, O_RDONLY), EBADF); /* is open */
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 3, "file"), 0);
    ck_assert_int_eq(client_open(client, 3, 3), EINVAL);
}
END_TEST

START_TEST(removed_files_live_while_open)
{
    char text[101];
    struct attr attr;

    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "file"), 0);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 3, "file"), 0);
    ck_assert_int_eq(client_open(client, 2, O_RDWR), 0);
    ck_assert_int_eq(client_unlink(client, CLIENT_ROOT, "file", 0), 0);
    ck_assert_int_eq(g_access(tree_file("file"), F_OK), -1);
    read_text(2, text);
    ck_assert_str_eq(text, "hello");
    ck_assert_int_eq(client_write(client, 2, 5, "!", 1), 0);
    ck_assert_int_eq(client_getattr(client, 2, &attr), 0);
    ck_assert_uint_eq(attr.size, 6);
    ck_assert_int_eq(client_getattr(client, 3, &attr), 0); /* not open, but named */
    ck_assert_uint_eq(attr.nlink, 0);
    ck_assert_int_eq(client_setattr(client, 3, 1 << 3, 0, 1), 0);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 4, "file"), ENOENT);
    client_begin(client, 122); /* Tremove of what is gone: the fid goes too */
    client_put(client, 3, 4);
    ck_assert_int_eq(client_send(client), ENOENT);
    ck_assert_int_eq(client_clunk(client, 3), EBADF);
    ck_assert_int_eq(client_clunk(client, 2), 0);
}
END_TEST

START_TEST(fids_follow_renames)
{
    struct attr before, after;

    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "dir/sub/leaf"), 0);
    ck_assert_int_eq(client_getattr(client, 2, &before), 0);
    ck_assert_int_eq(client_mkdir(client, CLIENT_ROOT, "other", 0700), 0);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 3, "other"), 0);
    ck_assert_int_eq(client_renameat(client, CLIENT_ROOT, "dir", 3, "moved"), 0);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 4, "other/moved/sub/leaf"), 0);
    ck_assert_int_eq(client_getattr(client, 4, &after), 0);
    ck_assert_uint_eq(before.qid_path, after.qid_path);
    ck_assert_int_eq(client_getattr(client, 2, &after), 0);
    ck_assert_uint_eq(before.qid_path, after.qid_path);
    /* by fid, to another name; and its place is where it is now */
    client_begin(client, 20);
    client_put(client, 2, 4);
    client_put(client, CLIENT_ROOT, 4);
    client_put_text(client, "top");
    ck_assert_int_eq(client_send(client), 0);
    ck_assert_int_eq(g_access(tree_file("top"), F_OK), 0);
    client_begin(client, 122);
    client_put(client, 2, 4);
    ck_assert_int_eq(client_send(client), 0);
    ck_assert_int_eq(g_access(tree_file("top"), F_OK), -1);
    ck_assert_int_eq(client_renameat(client, CLIENT_ROOT, "other", 3, "x"), EINVAL);
    ck_assert_int_eq(client_renameat(client, CLIENT_ROOT, "none", 3, "x"), ENOENT);
}
END_TEST

START_TEST(links_are_the_client_s_to_follow)
{
    g_autofree char *target = NULL;
    struct attr attr;

    ck_assert_int_eq(client_symlink(client, CLIENT_ROOT, "link", "../../etc/passwd"), 0);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "link"), 0);
    ck_assert_int_eq(client_getattr(client, 2, &attr), 0);
    ck_assert_uint_eq(attr.mode & S_IFMT, S_IFLNK);
    ck_assert_uint_eq(attr.qid_type, 2);
    ck_assert_int_eq(client_readlink(client, 2, &target), 0);
    ck_assert_str_eq(target, "../../etc/passwd");
    ck_assert_int_eq(client_open(client, 2, O_RDONLY), ELOOP);
    ck_assert_int_eq(client_link(client, CLIENT_ROOT, 2, "link2"), 0);
    struct stat st;
    ck_assert_int_eq(lstat(tree_file("link2"), &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
    ck_assert_int_eq(client_setattr(client, 2, 0x1b0, 0, 0), 0); /* times of the link */
    ck_assert_int_eq(client_setattr(client, 2, 1, 0777, 0), EOPNOTSUPP);
}
END_TEST

START_TEST(pipes_are_made_but_never_opened)
{
    struct stat st;

    ck_assert_int_eq(client_mknod(client, CLIENT_ROOT, "pipe", S_IFIFO | 0622), 0);
    ck_assert_int_eq(lstat(tree_file("pipe"), &st), 0);
    ck_assert_uint_eq(st.st_mode, S_IFIFO | 0622);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "pipe"), 0);
    ck_assert_int_eq(client_open(client, 2, O_RDONLY), ENXIO);
    ck_assert_int_eq(client_open(client, 2, O_RDWR), ENXIO);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 3, ""), 0);
    ck_assert_int_eq(client_create(client, 3, "pipe", O_WRONLY, 0600), ENXIO);
    ck_assert_int_eq(client_setattr(client, 2, 1 << 3, 0, 0), ENXIO);
    ck_assert_int_eq(client_mknod(client, CLIENT_ROOT, "sock", S_IFSOCK | 0600), 0);
    ck_assert_int_eq(client_mknod(client, CLIENT_ROOT, "plain", S_IFREG | 0600), 0);
    ck_assert_int_eq(client_mknod(client, CLIENT_ROOT, "null", S_IFCHR | 0600), EPERM);
    ck_assert_int_eq(client_mknod(client, CLIENT_ROOT, "disk", S_IFBLK | 0600), EPERM);
}
END_TEST

START_TEST(names_are_single_components)
{
    static const char *const bad[] = {"", ".", "..", "a/b", "/", "/etc"};
    g_autofree char *longest = g_strnfill(255, 'n'), *longer = g_strnfill(256, 'n');

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        ck_assert_int_eq(client_mkdir(client, CLIENT_ROOT, bad[i], 0700), EINVAL);
        ck_assert_int_eq(client_unlink(client, CLIENT_ROOT, bad[i], 0x200), EINVAL);
        ck_assert_int_eq(client_symlink(client, CLIENT_ROOT, bad[i], "x"), EINVAL);
        ck_assert_int_eq(client_renameat(client, CLIENT_ROOT, "file", CLIENT_ROOT, bad[i]), EINVAL);
    }
    ck_assert_int_eq(client_mkdir(client, CLIENT_ROOT, longest, 0700), 0);
    ck_assert_int_eq(client_mkdir(client, CLIENT_ROOT, longer, 0700), ENAMETOOLONG);
    ck_assert_int_eq(client_mkdir(client, CLIENT_ROOT, "\xff\xfe\n ", 0700), 0);
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "\xff\xfe\n "), 0);
    client_begin(client, 110); /* a slash hidden in a walked name */
    client_put(client, CLIENT_ROOT, 4);
    client_put(client, 3, 4);
    client_put(client, 1, 2);
    client_put_text(client, "dir/sub");
    ck_assert_int_eq(client_send(client), EINVAL);
}
END_TEST

/* The whole listing through replies of at most `count` bytes. */
static char **list(uint32_t fid, uint32_t count)
{
    GPtrArray *names = g_ptr_array_new();
    uint64_t offset = 0;

    for (;;) {
        client_begin(client, 40);
        client_put(client, fid, 4);
        client_put(client, offset, 8);
        client_put(client, count, 4);
        ck_assert_int_eq(client_send(client), 0);
        uint32_t bytes = (uint32_t)client_get(client, 4), end = client->pos + bytes;
        ck_assert_uint_le(bytes, count);
        if (bytes == 0)
            break;
        while (client->pos < end) {
            client_get(client, 8);
            client_get(client, 5);
            offset = client_get(client, 8);
            client_get(client, 1);
            g_ptr_array_add(names, client_get_text(client));
        }
        ck_assert_uint_eq(client->pos, end);
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

START_TEST(listings_are_sorted_and_whole)
{
    enum { COUNT = 3000 };

    ck_assert_int_eq(g_mkdir(tree_file("many"), 0700), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        g_autofree char *name = g_strdup_printf("many/f%04u", (i * 1789) % COUNT);
        tree_write(name, "");
    }
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "many"), 0);
    ck_assert_int_eq(client_open(client, 2, O_RDONLY), 0);
    for (uint32_t count = 100; count < 100000; count *= 9) {
        char **names = list(2, count);
        ck_assert_uint_eq(g_strv_length(names), COUNT + 2);
        ck_assert_str_eq(names[0], ".");
        ck_assert_str_eq(names[1], "..");
        for (unsigned i = 2; names[i]; i++) {
            g_autofree char *name = g_strdup_printf("f%04u", i - 2);
            ck_assert_str_eq(names[i], name);
        }
        g_strfreev(names);
    }
    client_begin(client, 40); /* no room for a single entry */
    client_put(client, 2, 4);
    client_put(client, 0, 8);
    client_put(client, 20, 4);
    ck_assert_int_eq(client_send(client), EINVAL);
}
END_TEST

START_TEST(listings_stay_good_while_files_come_and_go)
{
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, ""), 0);
    ck_assert_int_eq(client_open(client, 2, O_RDONLY), 0);
    char **names = list(2, 60);
    unsigned before = g_strv_length(names);
    g_strfreev(names);
    tree_write("aaa", "");
    client_begin(client, 40); /* from the middle: as it was */
    client_put(client, 2, 4);
    client_put(client, before - 1, 8);
    client_put(client, 1000, 4);
    ck_assert_int_eq(client_send(client), 0);
    ck_assert_uint_gt(client_get(client, 4), 0);
    names = list(2, 1000); /* from the beginning: anew */
    ck_assert_uint_eq(g_strv_length(names), before + 1);
    g_strfreev(names);
}
END_TEST

static int set_xattr(uint32_t fid, const char *name, const char *value, uint32_t flags)
{
    int err = client_walk(client, fid, 50, "");

    client_begin(client, 32);
    client_put(client, 50, 4);
    client_put_text(client, name);
    client_put(client, strlen(value), 8);
    client_put(client, flags, 4);
    err = err ? err : client_send(client);
    if (!err && *value)
        err = client_write(client, 50, 0, value, (uint32_t)strlen(value));
    int stored = client_clunk(client, 50);
    return err ? err : stored;
}

static int get_xattr(uint32_t fid, const char *name, char *value, uint32_t *len)
{
    client_begin(client, 30);
    client_put(client, fid, 4);
    client_put(client, 51, 4);
    client_put_text(client, name);
    int err = client_send(client);
    if (err)
        return err;
    uint64_t size = client_get(client, 8);
    ck_assert_uint_lt(size, 100);
    ck_assert_int_eq(client_read(client, 51, 0, 100, value, len), 0);
    ck_assert_uint_eq(*len, size);
    value[*len] = '\0';
    return client_clunk(client, 51);
}

START_TEST(extended_attributes_are_kept)
{
    char value[101];
    uint32_t len;

    if (setxattr(tree_file("file"), "user.host", "h", 1, 0) < 0)
        return; /* this file system has none */
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "file"), 0);
    ck_assert_int_eq(set_xattr(2, "user.a", "value", 0), 0);
    ck_assert_int_eq(get_xattr(2, "user.a", value, &len), 0);
    ck_assert_str_eq(value, "value");
    ck_assert_int_eq(get_xattr(2, "", value, &len), 0);
    ck_assert_uint_eq(len, strlen("user.host") + strlen("user.a") + 2);
    ck_assert_int_eq(get_xattr(2, "user.none", value, &len), ENODATA);
    ck_assert_int_eq(get_xattr(2, "trusted.overlay.opaque", value, &len), ENODATA);
    ck_assert_int_eq(set_xattr(2, "trusted.x", "v", 0), EOPNOTSUPP);
    ck_assert_int_eq(set_xattr(2, "user.a", "again", XATTR_CREATE), EEXIST);
    ck_assert_int_eq(set_xattr(2, "user.a", "", XATTR_REPLACE), 0); /* removes */
    ck_assert_int_eq(get_xattr(2, "user.a", value, &len), ENODATA);
}
END_TEST

START_TEST(locks_and_file_system_are_answered)
{
    ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 2, "file"), 0);
    ck_assert_int_eq(client_open(client, 2, O_RDWR), 0);
    client_begin(client, 52);
    client_put(client, 2, 4);
    client_put(client, 1, 1);
    client_put(client, 0, 4);
    client_put(client, 0, 8);
    client_put(client, 0, 8);
    client_put(client, 77, 4);
    client_put_text(client, "guest");
    ck_assert_int_eq(client_send(client), 0);
    ck_assert_uint_eq(client_get(client, 1), 0);
    client_begin(client, 54);
    client_put(client, 2, 4);
    client_put(client, 1, 1);
    client_put(client, 3, 8);
    client_put(client, 4, 8);
    client_put(client, 77, 4);
    client_put_text(client, "guest");
    ck_assert_int_eq(client_send(client), 0);
    ck_assert_uint_eq(client_get(client, 1), 2);
    ck_assert_uint_eq(client_get(client, 8), 3);
    client_begin(client, 8);
    client_put(client, 2, 4);
    ck_assert_int_eq(client_send(client), 0);
    ck_assert_uint_eq(client_get(client, 4), 0x01021997);
    client_begin(client, 108); /* flush of what was answered long ago */
    client_put(client, 1, 2);
    ck_assert_int_eq(client_send(client), 0);
}
END_TEST

/* More names at once than descriptors. */
START_TEST(many_fids_need_few_descriptors)
{
    enum { COUNT = 10000 };
    struct attr attr;

    ck_assert_int_eq(g_mkdir(tree_file("many"), 0700), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        g_autofree char *name = g_strdup_printf("many/f%05u", i);
        tree_write(name, "");
    }
    for (unsigned i = 0; i < COUNT; i++) {
        g_autofree char *name = g_strdup_printf("many/f%05u", i);
        ck_assert_int_eq(client_walk(client, CLIENT_ROOT, 100 + i, name), 0);
    }
    for (unsigned i = 0; i < COUNT; i++)
        ck_assert_int_eq(client_getattr(client, 100 + i, &attr), 0);
    /* a name that is another file meanwhile is not taken for it */
    ck_assert_int_eq(g_rename(tree_file("many/f00001"), tree_file("many/f00000")), 0);
    ck_assert_int_eq(client_getattr(client, 100, &attr), ESTALE);
}
END_TEST

START_TEST(bad_directories_are_named)
{
    GError *error = NULL;

    ck_assert_ptr_null(p9_server_new(&(struct p9_config){.path = "/nonexistent"}, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "/nonexistent"));
    g_clear_error(&error);
    ck_assert_ptr_null(p9_server_new(&(struct p9_config){.path = tree_file("file")}, &error));
    g_clear_error(&error);
    ck_assert_ptr_null(p9_server_new(&(struct p9_config){.path = "/proc"}, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "/proc"));
    g_clear_error(&error);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("p9");
    TCase *tc = tcase_create("tree");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_unknown_dialect_is_answered_as_such);
    tcase_add_test(tc, version_bounds_messages);
    tcase_add_test(tc, authentication_and_other_trees_are_refused);
    tcase_add_test(tc, walk_gives_a_fid_only_when_all_is_found);
    tcase_add_test(tc, dot_dot_stops_at_the_root);
    tcase_add_test(tc, attributes_are_the_file_s);
    tcase_add_test(tc, attributes_are_set);
    tcase_add_test(tc, files_are_read_and_written);
    tcase_add_test(tc, what_the_host_refuses_is_remembered);
    tcase_add_test(tc, readers_cannot_write);
    tcase_add_test(tc, removed_files_live_while_open);
    tcase_add_test(tc, fids_follow_renames);
    tcase_add_test(tc, links_are_the_client_s_to_follow);
    tcase_add_test(tc, pipes_are_made_but_never_opened);
    tcase_add_test(tc, names_are_single_components);
    tcase_add_test(tc, listings_are_sorted_and_whole);
    tcase_add_test(tc, listings_stay_good_while_files_come_and_go);
    tcase_add_test(tc, extended_attributes_are_kept);
    tcase_add_test(tc, locks_and_file_system_are_answered);
    tcase_add_test(tc, many_fids_need_few_descriptors);
    tcase_add_test(tc, bad_directories_are_named);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
