/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 9P server: listings. A directory is read whole when its listing is read from the beginning,
 * and sorted: the order is then that of the names, whatever file system the host has, and a
 * position in it stays good while files come and go.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "p9.h"

#define ENTRIES_MAX  (1u << 20)
#define DIRENT_EXTRA (sizeof(uint64_t) + 1 + 1) /* in a listing, beside the name */

struct p9_listing {
    GByteArray *bytes; /* entries: inode number, type, name, NUL */
    GArray *offsets;   /* uint32_t each, into bytes, sorted by name */
    uint32_t charged;
};

void p9_listing_free(struct p9_server *server, struct p9_listing *listing)
{
    p9_memory_give(server, listing->charged);
    g_byte_array_free(listing->bytes, TRUE);
    g_array_free(listing->offsets, TRUE);
    g_free(listing);
}

static const char *entry_name(const struct p9_listing *listing, uint32_t offset)
{
    return (const char *)listing->bytes->data + offset + sizeof(uint64_t) + 1;
}

static int compare_names(gconstpointer a, gconstpointer b, gpointer opaque)
{
    return strcmp(entry_name(opaque, *(const uint32_t *)a),
                  entry_name(opaque, *(const uint32_t *)b));
}

static int listing_add(struct p9_server *server, struct p9_listing *listing,
                       const struct dirent *entry)
{
    uint32_t offset = listing->bytes->len, len = (uint32_t)strlen(entry->d_name);
    uint32_t bytes = len + (uint32_t)(DIRENT_EXTRA + sizeof(uint32_t));
    uint64_t ino = entry->d_ino;

    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return 0;
    if (listing->offsets->len == ENTRIES_MAX || !p9_memory_take(server, bytes))
        return -ENOMEM;
    listing->charged += bytes;
    g_byte_array_append(listing->bytes, (const uint8_t *)&ino, sizeof(ino));
    g_byte_array_append(listing->bytes, &entry->d_type, 1);
    g_byte_array_append(listing->bytes, (const uint8_t *)entry->d_name, len + 1);
    g_array_append_val(listing->offsets, offset);
    return 0;
}

static int listing_read(struct p9_server *server, struct p9_listing *listing, int at)
{
    int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);

    if (fd < 0 && errno == EPERM)
        fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        int err = -errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    int err = 0;
    while (!err) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            err = -errno;
            break;
        }
        err = listing_add(server, listing, entry);
    }
    closedir(dir);
    return err;
}

static int listing_new(struct p9_server *server, struct p9_node *node, struct p9_listing **result)
{
    struct p9_listing *listing = g_new0(struct p9_listing, 1);
    int err = 0;

    listing->bytes = g_byte_array_new();
    listing->offsets = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    if (!node->closed_fs) {
        int at = p9_node_fd(server, node);
        err = at < 0 ? at : p9_fd_reserve(server);
        if (!err) {
            at = p9_node_fd(server, node); /* the reservation may have closed it */
            err = at < 0 ? at : listing_read(server, listing, at);
            p9_fd_release(server);
        }
    }
    if (err) {
        p9_listing_free(server, listing);
        return err;
    }
    g_array_sort_with_data(listing->offsets, compare_names, listing);
    *result = listing;
    return 0;
}

static void put_entry(struct p9_out *out, const struct p9_qid *qid, uint64_t next, uint8_t type,
                      const char *name)
{
    p9_put_qid(out, qid);
    p9_put(out, next, 8);
    p9_put(out, type, 1);
    p9_put_text(out, name, strlen(name));
}

/* "." and "..", positions 0 and 1. */
static int put_dots(struct p9_server *server, struct p9_node *node, uint64_t index,
                    struct p9_out *out)
{
    struct p9_node *dir = index == 1 && node->parent ? node->parent : node;
    struct stat st = {.st_dev = dir->dev, .st_ino = dir->ino, .st_mode = S_IFDIR};
    struct p9_qid qid;

    p9_make_qid(server, &st, &qid);
    put_entry(out, &qid, index + 1, DT_DIR, index == 1 ? ".." : ".");
    return 0;
}

/* The listing's inode number is not a mount point's, and on some file systems not even the
 * file's: the file is asked, where it still is there. */
static void put_listed(struct p9_server *server, struct p9_fid *fid, int at, uint64_t index,
                       struct p9_out *out)
{
    const struct p9_listing *listing = fid->listing;
    uint32_t offset = g_array_index(listing->offsets, uint32_t, index - 2);
    const char *name = entry_name(listing, offset);
    uint8_t type = listing->bytes->data[offset + sizeof(uint64_t)];
    struct p9_qid qid;
    struct stat st;

    if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0) {
        type = IFTODT(st.st_mode);
    } else {
        uint64_t ino;
        memcpy(&ino, listing->bytes->data + offset, sizeof(ino));
        st = (struct stat){.st_dev = fid->node->dev, .st_ino = ino, .st_mode = DTTOIF(type)};
    }
    p9_make_qid(server, &st, &qid);
    put_entry(out, &qid, index + 1, type, name);
}

int p9_readdir(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = p9_fid_find(server, (uint32_t)p9_get(in, 4));
    uint64_t index = p9_get(in, 8);
    uint32_t count = (uint32_t)p9_get(in, 4), count_at = out->len;

    if (in->bad)
        return -EINVAL;
    if (!fid || fid->kind != P9_FID_DIR)
        return -EBADF;
    if (index == 0 || !fid->listing) {
        struct p9_listing *listing;
        int err = listing_new(server, fid->node, &listing);
        if (err)
            return err;
        if (fid->listing)
            p9_listing_free(server, fid->listing);
        fid->listing = listing;
    }
    int at = p9_node_fd(server, fid->node);
    if (at < 0)
        return at;
    p9_put(out, 0, 4);
    if (out->full)
        return 0;
    struct p9_out part = *out;
    part.capacity = out->len + MIN(count, out->capacity - out->len);
    for (; index < (uint64_t)fid->listing->offsets->len + 2; index++) {
        uint32_t before = part.len;
        if (index < 2)
            put_dots(server, fid->node, index, &part);
        else
            put_listed(server, fid, at, index, &part);
        if (part.full) {
            if (before == count_at + 4)
                return -EINVAL; /* no room for one: an empty answer would mean the end */
            part.len = before;
            break;
        }
    }
    struct p9_out number = {out->base, count_at, out->capacity, false};
    p9_put(&number, part.len - count_at - 4, 4);
    out->len = part.len;
    return 0;
}
