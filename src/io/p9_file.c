/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 9P server: opening, reading and writing files. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "p9.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

/* Flags on the wire: Linux 6.12, include/net/9p/9p.h, P9_DOTL_*. */
#define DOTL_ACCMODE 03u
#define DOTL_WRONLY  01u
#define DOTL_RDWR    02u
#define DOTL_EXCL    0200u
#define DOTL_TRUNC   01000u
#define DOTL_APPEND  02000u
#define DOTL_DSYNC   010000u
#define DOTL_SYNC    04000000u

#define LOCK_SUCCESS 0 /* P9_LOCK_SUCCESS */
#define LOCK_UNLCK   2 /* P9_LOCK_TYPE_UNLCK */

/* What is not here is the guest's own business (O_NOCTTY, O_NOFOLLOW) or has no use (O_DIRECT). */
static int host_flags(uint32_t dotl)
{
    int flags = (int)(dotl & DOTL_ACCMODE);

    flags |= dotl & DOTL_TRUNC ? O_TRUNC : 0;
    flags |= dotl & DOTL_APPEND ? O_APPEND : 0;
    flags |= dotl & DOTL_SYNC ? O_SYNC : dotl & DOTL_DSYNC ? O_DSYNC : 0;
    return flags;
}

/* All readers of a file share a descriptor: a system in full swing maps the same libraries many
 * times. */
static int open_reader(struct p9_server *server, struct p9_fid *fid)
{
    struct p9_node *node = fid->node;

    if (node->read_fd < 0) {
        int err = p9_fd_reserve(server);
        if (err)
            return err;
        int fd = p9_node_open(server, node, O_RDONLY);
        if (fd < 0) {
            p9_fd_release(server);
            return fd;
        }
        node->read_fd = fd;
    }
    node->readers++;
    fid->kind = P9_FID_FILE;
    fid->can_read = true;
    return 0;
}

static int open_writer(struct p9_server *server, struct p9_fid *fid, uint32_t flags)
{
    int err = p9_fd_reserve(server);

    if (err)
        return err;
    int fd = p9_node_open(server, fid->node, host_flags(flags));
    if (fd < 0) {
        p9_fd_release(server);
        return fd;
    }
    fid->kind = P9_FID_FILE;
    fid->fd = fd;
    fid->can_read = (flags & DOTL_ACCMODE) != DOTL_WRONLY;
    fid->can_write = (flags & DOTL_ACCMODE) != 0;
    return 0;
}

static int open_fid(struct p9_server *server, struct p9_fid *fid, uint32_t flags)
{
    bool change = (flags & DOTL_ACCMODE) || (flags & DOTL_TRUNC);

    if (S_ISDIR(fid->node->type)) {
        if (change)
            return -EISDIR;
        fid->kind = P9_FID_DIR;
        return 0;
    }
    if ((flags & DOTL_ACCMODE) == DOTL_ACCMODE)
        return -EINVAL;
    if (change && S_ISREG(fid->node->type) && !fid->node->writable)
        return -EROFS;
    return change ? open_writer(server, fid, flags) : open_reader(server, fid);
}

void p9_fid_close(struct p9_server *server, struct p9_fid *fid)
{
    if (fid->fd >= 0) {
        close(fid->fd);
        p9_fd_release(server);
    } else if (fid->kind == P9_FID_FILE && --fid->node->readers == 0) {
        close(fid->node->read_fd);
        fid->node->read_fd = -1;
        p9_fd_release(server);
    }
    fid->fd = -1;
    if (fid->listing)
        p9_listing_free(server, fid->listing);
    if (fid->value) {
        p9_memory_give(server, fid->value_len);
        g_free(fid->value);
    }
    g_free(fid->xattr_name);
    fid->listing = NULL;
    fid->value = NULL;
    fid->xattr_name = NULL;
    fid->kind = P9_FID_WALKED;
}

static void put_opened(struct p9_out *out, const struct p9_qid *qid)
{
    p9_put_qid(out, qid);
    p9_put(out, 0, 4); /* iounit: whatever fits into a message */
}

int p9_lopen(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = p9_fid_find(server, (uint32_t)p9_get(in, 4));
    uint32_t flags = (uint32_t)p9_get(in, 4);
    struct p9_qid qid;

    if (in->bad)
        return -EINVAL;
    if (!fid || fid->kind != P9_FID_WALKED)
        return -EBADF;
    int err = open_fid(server, fid, flags);
    if (!err)
        err = p9_node_qid(server, fid->node, &qid);
    if (err) {
        p9_fid_close(server, fid);
        return err;
    }
    put_opened(out, &qid);
    return 0;
}

/* A new file, or -EEXIST. Mode bits are given as such: the guest has applied its own umask. */
static int create_file(int dir, const char *name, uint32_t flags, mode_t mode)
{
    struct open_how how = {
        .flags = (uint64_t)(O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
                            (host_flags(flags) & ~O_TRUNC)),
        .mode = mode & 0777,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
    };
    int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));

    if (fd < 0)
        return -errno;
    if (fchmod(fd, p9_mode_for_host(mode, S_IFREG)) < 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

/* The file exists: open it as lopen would, if it is one. */
static int open_existing(struct p9_server *server, struct p9_fid *fid, const char *name,
                         uint32_t flags)
{
    struct p9_node *dir = fid->node, *node;
    int err = p9_node_walk(server, dir, name, &node);

    if (err)
        return err;
    fid->node = node;
    err = S_ISDIR(node->type) ? -EISDIR : open_fid(server, fid, flags);
    if (err) {
        p9_fid_close(server, fid);
        fid->node = dir;
    }
    p9_node_unref(server, err ? node : dir);
    return err;
}

static int open_created(struct p9_server *server, struct p9_fid *fid, const char *name, int fd)
{
    char path[P9_PROC_PATH_BYTES];
    struct p9_node *dir = fid->node, *node;

    p9_proc_path(fd, path);
    int at = openat(server->proc_fd, path, O_PATH | O_CLOEXEC);
    if (at < 0)
        return -errno;
    int err = p9_node_adopt(server, dir, name, at, &node);
    if (err)
        return err;
    fid->node = node;
    fid->kind = P9_FID_FILE;
    fid->fd = fd;
    p9_node_unref(server, dir);
    return 0;
}

/* Makes or opens `name` in the directory that the fid names; then the fid is the file. */
static int create_or_open(struct p9_server *server, struct p9_fid *fid, const char *name,
                          uint32_t flags, mode_t mode)
{
    int at = p9_node_dup(server, fid->node);
    int err = at < 0 ? at : p9_fd_reserve(server);

    if (err) {
        if (at >= 0)
            close(at);
        return err;
    }
    int fd = create_file(at, name, flags, mode);
    close(at);
    err = fd < 0 ? fd : open_created(server, fid, name, fd);
    if (err) {
        if (fd >= 0)
            close(fd);
        p9_fd_release(server);
        if (fd == -EEXIST && !(flags & DOTL_EXCL))
            return open_existing(server, fid, name, flags);
        return err;
    }
    fid->can_read = (flags & DOTL_ACCMODE) != DOTL_WRONLY;
    fid->can_write = (flags & DOTL_ACCMODE) != 0;
    return 0;
}

int p9_lcreate(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    char name[P9_NAME_MAX + 1];
    uint32_t number = (uint32_t)p9_get(in, 4);
    struct p9_fid *fid = p9_fid_find(server, number);
    int err = p9_get_name(in, false, name);
    uint32_t flags = (uint32_t)p9_get(in, 4);
    mode_t mode = (mode_t)p9_get(in, 4);
    struct p9_node *dir;
    struct p9_qid qid;

    p9_skip(in, 4); /* gid: new files are the user's */
    if (in->bad || (flags & DOTL_ACCMODE) == DOTL_ACCMODE)
        return -EINVAL;
    if (!err)
        err = p9_fid_dir_for_change(server, number, &dir);
    if (!err && fid->kind != P9_FID_WALKED)
        err = -EBADF;
    if (!err)
        err = create_or_open(server, fid, name, flags, mode);
    if (!err)
        err = p9_node_qid(server, fid->node, &qid);
    if (!err)
        put_opened(out, &qid);
    return err;
}

static int read_value(const struct p9_fid *fid, uint64_t offset, uint32_t count, uint8_t *to)
{
    if (offset >= fid->value_len)
        return 0;
    count = (uint32_t)MIN(count, fid->value_len - offset);
    memcpy(to, fid->value + offset, count);
    return (int)count;
}

int p9_read(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = p9_fid_find(server, (uint32_t)p9_get(in, 4));
    uint64_t offset = p9_get(in, 8);
    uint32_t count = (uint32_t)p9_get(in, 4);
    ssize_t n;

    if (in->bad || out->capacity < out->len + 4)
        return -EINVAL;
    if (!fid)
        return -EBADF;
    count = MIN(count, out->capacity - out->len - 4);
    uint8_t *to = out->base + out->len + 4;
    if (fid->kind == P9_FID_XATTR_READ)
        n = read_value(fid, offset, count, to);
    else if (fid->kind != P9_FID_FILE || !fid->can_read)
        return fid->kind == P9_FID_DIR ? -EISDIR : -EBADF;
    else if (offset > INT64_MAX)
        return -EINVAL;
    else
        n = pread(fid->fd >= 0 ? fid->fd : fid->node->read_fd, to, count, (off_t)offset);
    if (n < 0)
        return -errno;
    p9_put(out, (uint32_t)n, 4);
    out->len += (uint32_t)n;
    return 0;
}

/* Attributes are written from the beginning to the end (Linux 6.12, fs/9p/xattr.c). */
static int write_value(struct p9_fid *fid, uint64_t offset, struct p9_in *in, uint32_t count)
{
    if (offset != fid->value_done || count > fid->value_len - fid->value_done)
        return -EINVAL;
    if (count)
        memcpy(fid->value + offset, in->at, count);
    fid->value_done += count;
    return (int)count;
}

/* A client that writes late tells nobody: the server's owner can ask. */
static int host_failed(struct p9_server *server)
{
    int err = -errno;

    server->host_error = server->host_error ? server->host_error : err;
    return err;
}

int p9_write(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = p9_fid_find(server, (uint32_t)p9_get(in, 4));
    uint64_t offset = p9_get(in, 8);
    uint32_t count = (uint32_t)p9_get(in, 4);
    ssize_t n;

    if (in->bad || count > in->left)
        return -EINVAL;
    if (!fid)
        return -EBADF;
    if (fid->kind == P9_FID_XATTR_WRITE) {
        n = write_value(fid, offset, in, count);
        if (n < 0)
            return (int)n;
    } else {
        if (fid->kind != P9_FID_FILE || !fid->can_write)
            return -EBADF;
        if (offset > INT64_MAX)
            return -EFBIG;
        n = pwrite(fid->fd, in->at, count, (off_t)offset);
        if (n < 0)
            return host_failed(server);
    }
    p9_put(out, (uint32_t)n, 4);
    return 0;
}

int p9_fsync(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = p9_fid_find(server, (uint32_t)p9_get(in, 4));
    bool data_only = p9_get(in, 4);

    /* Linux 6.12 always sends datasync; older clients do not. */
    if (!fid)
        return -EBADF;
    if (fid->kind != P9_FID_FILE || fid->fd < 0)
        return 0; /* nothing was written through it */
    return (data_only ? fdatasync(fid->fd) : fsync(fid->fd)) < 0 ? host_failed(server) : 0;
}

/*
 * CHOICE: locks are the guest's own. Its kernel keeps them between its processes before it asks
 * here; those of processes of the host are not seen, and the other way round.
 */
int p9_lock(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = p9_fid_find(server, (uint32_t)p9_get(in, 4));
    unsigned type = (unsigned)p9_get(in, 1);

    p9_skip(in, 4);  /* flags */
    p9_skip(in, 16); /* start and length */
    if (in->bad || type > LOCK_UNLCK)
        return -EINVAL;
    if (!fid || (fid->kind != P9_FID_FILE && fid->kind != P9_FID_DIR))
        return -EBADF;
    p9_put(out, LOCK_SUCCESS, 1);
    return 0;
}

int p9_getlock(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = p9_fid_find(server, (uint32_t)p9_get(in, 4));
    unsigned type = (unsigned)p9_get(in, 1);
    uint64_t start = p9_get(in, 8), length = p9_get(in, 8);
    uint32_t process = (uint32_t)p9_get(in, 4);
    struct p9_text client = p9_get_text(in);

    if (in->bad || type > LOCK_UNLCK)
        return -EINVAL;
    if (!fid || (fid->kind != P9_FID_FILE && fid->kind != P9_FID_DIR))
        return -EBADF;
    p9_put(out, LOCK_UNLCK, 1);
    p9_put(out, start, 8);
    p9_put(out, length, 8);
    p9_put(out, process, 4);
    p9_put_text(out, client.at, client.len);
    return 0;
}
