/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 9P server: what makes, moves and removes names. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "p9.h"

#define DOTL_REMOVEDIR 0x200u /* P9_DOTL_AT_REMOVEDIR */

/* "fid name" of a request that changes a directory; the descriptor is good until the next one. */
static int get_target(struct p9_server *server, struct p9_in *in, struct p9_node **dir,
                      char name[P9_NAME_MAX + 1])
{
    uint32_t number = (uint32_t)p9_get(in, 4);
    int err = p9_get_name(in, false, name);

    return err ? err : p9_fid_dir_for_change(server, number, dir);
}

static int put_made(struct p9_server *server, struct p9_node *dir, const char *name,
                    struct p9_out *out)
{
    struct p9_node *node;
    struct p9_qid qid;
    int err = p9_node_walk(server, dir, name, &node);

    if (err)
        return err;
    err = p9_node_qid(server, node, &qid);
    p9_node_unref(server, node);
    if (!err)
        p9_put_qid(out, &qid);
    return err;
}

int p9_symlink(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    char name[P9_NAME_MAX + 1], target[PATH_MAX];
    struct p9_node *dir = NULL;
    int err = get_target(server, in, &dir, name);
    struct p9_text text = p9_get_text(in);

    p9_skip(in, 4); /* gid */
    if (in->bad || (text.len && memchr(text.at, '\0', text.len)))
        return -EINVAL;
    if (text.len >= sizeof(target))
        return -ENAMETOOLONG;
    if (err)
        return err;
    memcpy(target, text.at, text.len);
    target[text.len] = '\0';
    int at = p9_node_fd(server, dir);
    if (at < 0)
        return at;
    if (symlinkat(target, at, name) < 0)
        return -errno;
    return put_made(server, dir, name, out);
}

/* What umask(2) took away comes back: the guest has one of its own. */
static int set_made_mode(struct p9_server *server, struct p9_node *dir, const char *name,
                         mode_t mode)
{
    char path[P9_PROC_PATH_BYTES];
    struct p9_node *node;
    int err = p9_node_walk(server, dir, name, &node);

    if (err)
        return err;
    int fd = p9_node_fd(server, node);
    err = fd < 0 ? fd : 0;
    if (!err && !S_ISLNK(node->type)) {
        p9_proc_path(fd, path);
        if (fchmodat(server->proc_fd, path, p9_mode_for_host(mode, node->type), 0) < 0)
            err = -errno;
    }
    p9_node_unref(server, node);
    return err;
}

/* CHOICE: no device nodes are made on the host, even where pcilab could. */
int p9_mknod(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    char name[P9_NAME_MAX + 1];
    struct p9_node *dir = NULL;
    int err = get_target(server, in, &dir, name);
    mode_t mode = (mode_t)p9_get(in, 4), type = mode & S_IFMT;

    p9_skip(in, 12); /* major, minor, gid */
    if (in->bad)
        return -EINVAL;
    if (err)
        return err;
    if (type != 0 && type != S_IFREG && type != S_IFIFO && type != S_IFSOCK)
        return -EPERM;
    int at = p9_node_fd(server, dir);
    if (at < 0)
        return at;
    if (mknodat(at, name, (mode & 0777) | (type ? type : S_IFREG), 0) < 0)
        return -errno;
    err = set_made_mode(server, dir, name, mode);
    return err ? err : put_made(server, dir, name, out);
}

int p9_mkdir(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    char name[P9_NAME_MAX + 1];
    struct p9_node *dir = NULL;
    int err = get_target(server, in, &dir, name);
    mode_t mode = (mode_t)p9_get(in, 4);

    p9_skip(in, 4); /* gid */
    if (in->bad)
        return -EINVAL;
    int at = err ? err : p9_node_fd(server, dir);
    if (at < 0)
        return at;
    if (mkdirat(at, name, mode & 0777) < 0)
        return -errno;
    err = set_made_mode(server, dir, name, mode);
    return err ? err : put_made(server, dir, name, out);
}

int p9_link(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    char name[P9_NAME_MAX + 1], path[P9_PROC_PATH_BYTES];
    uint32_t number = (uint32_t)p9_get(in, 4);
    struct p9_fid *fid = p9_fid_find(server, (uint32_t)p9_get(in, 4));
    int err = p9_get_name(in, false, name);
    struct p9_node *dir;

    if (in->bad)
        return -EINVAL;
    if (!err)
        err = p9_fid_dir_for_change(server, number, &dir);
    if (!err && !fid)
        err = -EBADF;
    if (err)
        return err;
    if (S_ISDIR(fid->node->type))
        return -EPERM;
    if (fid->node->export != dir->export)
        return -EXDEV;
    int at = p9_node_dup(server, dir);
    if (at < 0)
        return at;
    int fd = p9_node_fd(server, fid->node);
    if (fd < 0) {
        err = fd;
    } else {
        p9_proc_path(fd, path);
        if (linkat(server->proc_fd, path, at, name, AT_SYMLINK_FOLLOW) < 0)
            err = -errno;
    }
    close(at);
    return err;
}

static int move(struct p9_server *server, const struct p9_place *from, const struct p9_place *to)
{
    if (!from->dir->writable || !to->dir->writable)
        return -EROFS;
    if (from->dir->export != to->dir->export)
        return -EXDEV;
    int old_at = p9_node_dup(server, from->dir);
    if (old_at < 0)
        return old_at;
    p9_node_pin(server, to->dir, to->name);
    int at = p9_node_fd(server, to->dir), err = at < 0 ? at : 0;
    if (!err && renameat(old_at, from->name, at, to->name) < 0)
        err = -errno;
    close(old_at);
    if (!err)
        p9_node_moved(server, from, to);
    return err;
}

int p9_rename(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    char name[P9_NAME_MAX + 1];
    struct p9_fid *fid = p9_fid_find(server, (uint32_t)p9_get(in, 4));
    struct p9_node *dir = NULL;
    int err = get_target(server, in, &dir, name);

    if (err)
        return err;
    if (!fid)
        return -EBADF;
    if (!fid->node->parent)
        return -EBUSY;
    if (fid->node->detached)
        return -ENOENT;
    return move(server, &(struct p9_place){fid->node->parent, fid->node->name},
                &(struct p9_place){dir, name});
}

int p9_renameat(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    char old_name[P9_NAME_MAX + 1], new_name[P9_NAME_MAX + 1];
    struct p9_node *from = NULL, *to = NULL;
    int old_err = get_target(server, in, &from, old_name);
    int new_err = get_target(server, in, &to, new_name);

    if (in->bad)
        return -EINVAL;
    if (old_err || new_err)
        return old_err ? old_err : new_err;
    return move(server, &(struct p9_place){from, old_name}, &(struct p9_place){to, new_name});
}

static int unlink_at(struct p9_server *server, struct p9_node *dir, const char *name, int flags)
{
    p9_node_pin(server, dir, name);
    int at = p9_node_fd(server, dir);
    if (at < 0)
        return at;
    if (unlinkat(at, name, flags) < 0)
        return -errno;
    p9_node_gone(server, dir, name);
    return 0;
}

int p9_unlinkat(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    char name[P9_NAME_MAX + 1];
    struct p9_node *dir = NULL;
    int err = get_target(server, in, &dir, name);
    uint32_t flags = (uint32_t)p9_get(in, 4);

    if (in->bad)
        return -EINVAL;
    return err ? err : unlink_at(server, dir, name, flags & DOTL_REMOVEDIR ? AT_REMOVEDIR : 0);
}

int p9_remove_fid(struct p9_server *server, struct p9_fid *fid)
{
    struct p9_node *node = fid->node;

    if (!node->parent)
        return -EBUSY;
    if (!node->parent->writable)
        return -EROFS;
    if (node->detached)
        return -ENOENT;
    return unlink_at(server, node->parent, node->name, S_ISDIR(node->type) ? AT_REMOVEDIR : 0);
}
