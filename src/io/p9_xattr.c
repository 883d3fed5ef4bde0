/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 9P server: extended attributes. A fid of its own carries the value: read after xattrwalk,
 * written after xattrcreate and stored when it is clunked (diod, protocol.md).
 */
#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "p9.h"

#define PATH_BYTES (P9_PROC_PATH_BYTES + 8)

/*
 * CHOICE: the guest sees the attributes of users, and of the others only a program's capabilities.
 * Labels and access lists of the host mean nothing to it, and those of its own overlay file
 * systems (trusted.overlay) must not be taken for the host's.
 */
static bool is_shown(const char *name)
{
    return g_str_has_prefix(name, "user.") || strcmp(name, "security.capability") == 0;
}

static int get_attr_name(struct p9_in *in, char name[P9_NAME_MAX + 1])
{
    struct p9_text text = p9_get_text(in);

    if (in->bad || (text.len && memchr(text.at, '\0', text.len)))
        return -EINVAL;
    if (text.len > P9_NAME_MAX)
        return -ERANGE;
    memcpy(name, text.at, text.len);
    name[text.len] = '\0';
    return 0;
}

/* An absolute path is what these calls want; links end at the descriptor's file. */
static int attr_path(struct p9_server *server, struct p9_node *node, char path[PATH_BYTES])
{
    if (!S_ISREG(node->type) && !S_ISDIR(node->type))
        return -EOPNOTSUPP;
    int fd = p9_node_fd(server, node);
    if (fd < 0)
        return fd;
    g_snprintf(path, PATH_BYTES, "/proc/self/fd/%d", fd);
    return 0;
}

static ssize_t keep_shown(char *list, ssize_t len)
{
    ssize_t kept = 0;

    for (ssize_t at = 0; at < len;) {
        ssize_t n = (ssize_t)strnlen(list + at, (size_t)(len - at)) + 1;
        if (at + n <= len && is_shown(list + at)) {
            memmove(list + kept, list + at, (size_t)n);
            kept += n;
        }
        at += n;
    }
    return kept;
}

/* The value, or with an empty name the list of names. */
static ssize_t fetch(const char *path, const char *name, uint8_t *value)
{
    ssize_t n;

    if (*name && !is_shown(name))
        return -ENODATA;
    n = *name ? getxattr(path, name, value, P9_XATTR_MAX)
              : listxattr(path, (char *)value, P9_XATTR_MAX);
    if (n < 0)
        return -errno;
    return *name ? n : keep_shown((char *)value, n);
}

int p9_xattrwalk(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    char name[P9_NAME_MAX + 1], path[PATH_BYTES];
    uint32_t number = (uint32_t)p9_get(in, 4), new_number = (uint32_t)p9_get(in, 4);
    struct p9_fid *fid = p9_fid_find(server, number);
    int err = get_attr_name(in, name);

    if (err)
        return err;
    if (!fid || p9_fid_find(server, new_number))
        return -EBADF;
    if (g_hash_table_size(server->fids) >= P9_FIDS_MAX)
        return -EMFILE;
    err = attr_path(server, fid->node, path);
    if (err)
        return err;
    uint8_t *value = g_malloc(P9_XATTR_MAX);
    ssize_t n = fetch(path, name, value);
    if (n >= 0 && !p9_memory_take(server, (uint32_t)n))
        n = -ENOMEM;
    if (n < 0) {
        g_free(value);
        return (int)n;
    }
    p9_node_ref(fid->node);
    struct p9_fid *attr = p9_fid_add(server, new_number, fid->node);
    attr->kind = P9_FID_XATTR_READ;
    attr->value = g_realloc(value, (size_t)n + 1);
    attr->value_len = (uint32_t)n;
    p9_put(out, (uint64_t)n, 8);
    return 0;
}

int p9_xattrcreate(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    char name[P9_NAME_MAX + 1];
    struct p9_fid *fid = p9_fid_find(server, (uint32_t)p9_get(in, 4));
    int err = get_attr_name(in, name);
    uint64_t size = p9_get(in, 8);
    uint32_t flags = (uint32_t)p9_get(in, 4);

    if (in->bad || err)
        return err ? err : -EINVAL;
    if (!fid || fid->kind != P9_FID_WALKED)
        return -EBADF;
    if (!fid->node->writable)
        return -EROFS;
    if (!g_str_has_prefix(name, "user."))
        return -EOPNOTSUPP;
    if (size > P9_XATTR_MAX)
        return -E2BIG;
    if (!p9_memory_take(server, (uint32_t)size))
        return -ENOMEM;
    fid->kind = P9_FID_XATTR_WRITE;
    fid->value = g_malloc0((size_t)size + 1);
    fid->value_len = (uint32_t)size;
    fid->value_done = 0;
    fid->xattr_name = g_strdup(name);
    fid->xattr_flags = flags & (XATTR_CREATE | XATTR_REPLACE);
    return 0;
}

int p9_xattr_store(struct p9_server *server, struct p9_fid *fid)
{
    char path[PATH_BYTES];
    int result, err = attr_path(server, fid->node, path);

    if (err)
        return err;
    if (fid->value_done != fid->value_len)
        return -EINVAL;
    /* No bytes and XATTR_REPLACE is how Linux removes one (fs/9p/xattr.c over vfs_removexattr). */
    if (fid->value_len == 0 && fid->xattr_flags == XATTR_REPLACE)
        result = removexattr(path, fid->xattr_name);
    else
        result = setxattr(path, fid->xattr_name, fid->value, fid->value_len, (int)fid->xattr_flags);
    return result < 0 ? -errno : 0;
}
