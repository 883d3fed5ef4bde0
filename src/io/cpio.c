/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A writer of initramfs archives in the format "newc". */
#include <string.h>
#include <sys/stat.h>

#include "pcilab/io/cpio.h"

#define FIELDS 13

struct cpio {
    GByteArray *out;
    GHashTable *names;
    uint32_t inode;
    bool finished;
};

struct entry {
    unsigned mode;
    unsigned links;
    unsigned major, minor;
    const void *data;
    size_t len;
};

struct cpio *cpio_new(void)
{
    struct cpio *cpio = g_new0(struct cpio, 1);

    cpio->out = g_byte_array_new();
    cpio->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return cpio;
}

void cpio_free(struct cpio *cpio)
{
    if (cpio) {
        g_byte_array_unref(cpio->out);
        g_hash_table_unref(cpio->names);
        g_free(cpio);
    }
}

static void pad(struct cpio *cpio)
{
    static const uint8_t zeros[4];

    g_byte_array_append(cpio->out, zeros, -cpio->out->len & 3);
}

static void put(struct cpio *cpio, const char *path, const struct entry *e)
{
    size_t name_len = strlen(path) + 1;
    char header[6 + FIELDS * 8 + 1];

    g_assert(!cpio->finished && e->len <= UINT32_MAX);
    /* ino, mode, uid, gid, nlink, mtime, filesize, maj, min, rmaj, rmin, namesize, chksum */
    g_snprintf(header, sizeof(header), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
               ++cpio->inode, e->mode, 0u, 0u, e->links, 0u, (unsigned)e->len, 0u, 0u, e->major,
               e->minor, (unsigned)name_len, 0u);
    g_byte_array_append(cpio->out, (const uint8_t *)header, sizeof(header) - 1);
    g_byte_array_append(cpio->out, (const uint8_t *)path, (guint)name_len);
    pad(cpio);
    if (e->len) {
        g_byte_array_append(cpio->out, e->data, (guint)e->len);
        pad(cpio);
    }
}

/* The folders above, then the name itself; false when it is there already. */
static bool is_new(struct cpio *cpio, const char *path)
{
    const char *slash = strrchr(path, '/');

    g_assert(path[0] && path[0] != '/');
    if (g_hash_table_contains(cpio->names, path)) {
        return false;
    }
    if (slash) {
        char *above = g_strndup(path, (size_t)(slash - path));
        cpio_add_dir(cpio, above, 0755);
        g_free(above);
    }
    g_hash_table_add(cpio->names, g_strdup(path));
    return true;
}

void cpio_add_dir(struct cpio *cpio, const char *path, unsigned mode)
{
    if (is_new(cpio, path)) {
        put(cpio, path, &(struct entry){.mode = S_IFDIR | mode, .links = 2});
    }
}

void cpio_add_file(struct cpio *cpio, const char *path, unsigned mode, const void *data, size_t len)
{
    if (is_new(cpio, path)) {
        put(cpio, path,
            &(struct entry){.mode = S_IFREG | mode, .links = 1, .data = data, .len = len});
    }
}

void cpio_add_link(struct cpio *cpio, const char *path, const char *target)
{
    if (is_new(cpio, path)) {
        put(cpio, path,
            &(struct entry){
                .mode = S_IFLNK | 0777, .links = 1, .data = target, .len = strlen(target)});
    }
}

void cpio_add_device(struct cpio *cpio, const char *path, unsigned mode, unsigned major,
                     unsigned minor)
{
    if (is_new(cpio, path)) {
        put(cpio, path,
            &(struct entry){.mode = S_IFCHR | mode, .links = 1, .major = major, .minor = minor});
    }
}

const GByteArray *cpio_finish(struct cpio *cpio)
{
    if (!cpio->finished) {
        cpio->inode = UINT32_MAX; /* 0 */
        put(cpio, "TRAILER!!!", &(struct entry){.links = 1});
        cpio->finished = true;
    }
    return cpio->out;
}
