/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 9P server: attributes of files and of file systems. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "p9.h"
#include "pcilab/base/bits.h"

#define STATS_BASIC 0x7ffu /* Linux 6.12, include/net/9p/9p.h: P9_STATS_BASIC */

/* Linux 6.12, fs/9p/vfs_inode_dotl.c: P9_ATTR_*. */
#define ATTR_MODE      BIT(0)
#define ATTR_UID       BIT(1)
#define ATTR_GID       BIT(2)
#define ATTR_SIZE      BIT(3)
#define ATTR_ATIME     BIT(4)
#define ATTR_MTIME     BIT(5)
#define ATTR_ATIME_SET BIT(7)
#define ATTR_MTIME_SET BIT(8)

#define NS_PER_S 1000000000

/*
 * CHOICE: the files of the user who runs pcilab belong to the guest's root, as root's own do; all
 * others keep their numbers. The guest's root can then run, change and judge (git, ssh) what the
 * user could.
 */
static uint32_t guest_id(uint32_t id, uint32_t own)
{
    return id == own ? 0 : id;
}

static uint32_t host_id(uint32_t id, uint32_t own)
{
    return id == 0 ? own : id;
}

/* The kernel's encoding of device numbers (include/linux/kdev_t.h, new_encode_dev()). */
static uint64_t encode_dev(dev_t dev)
{
    uint64_t high = major(dev), low = minor(dev);

    return (low & 0xff) | (high & 0xfff) << 8 | (low & 0xfff00) << 12;
}

static void put_time(struct p9_out *out, const struct timespec *time)
{
    p9_put(out, (uint64_t)time->tv_sec, 8);
    p9_put(out, (uint64_t)time->tv_nsec, 8);
}

/* What was opened can still be asked when its place is gone. */
static int stat_fid(struct p9_server *server, struct p9_fid *fid, struct stat *st)
{
    int fd = fid->fd >= 0 ? fid->fd : fid->node->read_fd;

    return fd < 0 ? p9_node_stat(server, fid->node, st) : p9_node_fstat(fid->node, fd, st);
}

/*
 * CHOICE: a directory in which everybody may make files (/tmp: writable for all, sticky) and which
 * is not the guest's to write does not tell when others did: it was last written at the epoch.
 */
static void hide_others(struct stat *st)
{
    if (!S_ISDIR(st->st_mode) || (st->st_mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH))
        return;
    st->st_mtim = st->st_ctim = (struct timespec){0};
}

int p9_getattr(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = p9_fid_find(server, (uint32_t)p9_get(in, 4));
    static const struct timespec never;
    struct p9_qid qid;
    struct stat st;

    p9_skip(in, 8); /* the mask of what is wanted: all costs the same */
    if (in->bad)
        return -EINVAL;
    int err = fid ? stat_fid(server, fid, &st) : -EBADF;
    if (err)
        return err;
    p9_make_qid(server, &st, &qid);
    if (!fid->node->writable)
        hide_others(&st);
    p9_put(out, STATS_BASIC, 8);
    p9_put_qid(out, &qid);
    p9_put(out, st.st_mode, 4);
    p9_put(out, guest_id(st.st_uid, server->uid), 4);
    p9_put(out, guest_id(st.st_gid, server->gid), 4);
    p9_put(out, st.st_nlink, 8);
    p9_put(out, encode_dev(st.st_rdev), 8);
    p9_put(out, (uint64_t)st.st_size, 8);
    p9_put(out, (uint64_t)st.st_blksize, 8);
    p9_put(out, (uint64_t)st.st_blocks, 8);
    /* CHOICE: what cannot be written was last accessed when it was last written. The host's access
     * times change with every run. */
    put_time(out, fid->node->writable ? &st.st_atim : &st.st_mtim);
    put_time(out, &st.st_mtim);
    put_time(out, &st.st_ctim);
    put_time(out, &never); /* birth, not in the mask */
    p9_put(out, 0, 8);     /* generation, not in the mask */
    p9_put(out, 0, 8);     /* data version, not in the mask */
    return 0;
}

/*
 * CHOICE: a guest leaves no set-user-ID or set-group-ID files on the host: other users of the host
 * could run them. On directories the bit means something else and is kept.
 */
mode_t p9_mode_for_host(mode_t mode, mode_t type)
{
    return mode & (S_ISDIR(type) ? 07777 : 01777);
}

struct new_attr {
    uint32_t valid, mode, uid, gid;
    uint64_t size;
    struct timespec times[2];
};

static int set_owner(struct p9_server *server, int fd, const struct new_attr *attr,
                     const struct stat *st)
{
    uid_t uid = attr->valid & ATTR_UID ? host_id(attr->uid, server->uid) : (uid_t)-1;
    gid_t gid = attr->valid & ATTR_GID ? host_id(attr->gid, server->gid) : (gid_t)-1;

    /* What the guest sees as its own already is. */
    if (uid == st->st_uid || guest_id(st->st_uid, server->uid) == attr->uid)
        uid = (uid_t)-1;
    if (gid == st->st_gid || guest_id(st->st_gid, server->gid) == attr->gid)
        gid = (gid_t)-1;
    if (uid == (uid_t)-1 && gid == (gid_t)-1)
        return 0;
    return fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int set_mode(struct p9_server *server, int fd, const struct new_attr *attr,
                    const struct stat *st)
{
    char path[P9_PROC_PATH_BYTES];

    if (S_ISLNK(st->st_mode))
        return -EOPNOTSUPP;
    p9_proc_path(fd, path);
    return fchmodat(server->proc_fd, path, p9_mode_for_host(attr->mode, st->st_mode), 0) < 0
               ? -errno
               : 0;
}

static int set_size(struct p9_server *server, struct p9_fid *fid, const struct new_attr *attr)
{
    if (attr->size > INT64_MAX)
        return -EFBIG;
    if (fid->fd >= 0 && fid->can_write)
        return ftruncate(fid->fd, (off_t)attr->size) < 0 ? -errno : 0;
    int err = p9_fd_reserve(server);
    if (err)
        return err;
    int fd = p9_node_open(server, fid->node, O_WRONLY);
    err = fd < 0 ? fd : ftruncate(fd, (off_t)attr->size) < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    p9_fd_release(server);
    return err;
}

static int set_times(int fd, struct new_attr *attr)
{
    static const struct {
        uint32_t change, given;
    } bits[2] = {{ATTR_ATIME, ATTR_ATIME_SET}, {ATTR_MTIME, ATTR_MTIME_SET}};

    for (unsigned i = 0; i < 2; i++) {
        if (!(attr->valid & bits[i].change))
            attr->times[i].tv_nsec = UTIME_OMIT;
        else if (!(attr->valid & bits[i].given))
            attr->times[i].tv_nsec = UTIME_NOW;
        else if (attr->times[i].tv_nsec < 0 || attr->times[i].tv_nsec >= NS_PER_S)
            return -EINVAL;
    }
    return utimensat(fd, "", attr->times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int set_attr(struct p9_server *server, struct p9_fid *fid, struct new_attr *attr)
{
    struct stat st;
    int err = 0;

    if (attr->valid & ATTR_SIZE)
        err = set_size(server, fid, attr);
    int fd = p9_node_fd(server, fid->node);
    if (fd < 0)
        return fd;
    if (!err && fstat(fd, &st) < 0)
        err = -errno;
    if (!err && attr->valid & (ATTR_UID | ATTR_GID))
        err = set_owner(server, fd, attr, &st);
    if (!err && attr->valid & ATTR_MODE)
        err = set_mode(server, fd, attr, &st);
    if (!err && attr->valid & (ATTR_ATIME | ATTR_MTIME))
        err = set_times(fd, attr);
    return err;
}

int p9_setattr(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = p9_fid_find(server, (uint32_t)p9_get(in, 4));
    struct new_attr attr;

    attr.valid = (uint32_t)p9_get(in, 4);
    attr.mode = (uint32_t)p9_get(in, 4);
    attr.uid = (uint32_t)p9_get(in, 4);
    attr.gid = (uint32_t)p9_get(in, 4);
    attr.size = p9_get(in, 8);
    for (unsigned i = 0; i < 2; i++) {
        attr.times[i].tv_sec = (time_t)p9_get(in, 8);
        attr.times[i].tv_nsec = (long)p9_get(in, 8);
    }
    if (in->bad)
        return -EINVAL;
    if (!fid)
        return -EBADF;
    return fid->node->writable ? set_attr(server, fid, &attr) : -EROFS;
}

/*
 * CHOICE: a file system that cannot be written is full, as a squashfs is: what is free on the host
 * changes from one run to the next.
 */
int p9_statfs(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = p9_fid_find(server, (uint32_t)p9_get(in, 4));
    struct statfs fs;

    int fd = fid ? p9_node_fd(server, fid->node) : -EBADF;
    if (fd < 0)
        return fd;
    if (fstatfs(fd, &fs) < 0)
        return -errno;
    bool writable = fid->node->writable;
    p9_put(out, 0x01021997, 4); /* V9FS_MAGIC */
    p9_put(out, (uint64_t)fs.f_bsize, 4);
    p9_put(out, fs.f_blocks, 8);
    p9_put(out, writable ? fs.f_bfree : 0, 8);
    p9_put(out, writable ? fs.f_bavail : 0, 8);
    p9_put(out, writable ? fs.f_files : 0, 8);
    p9_put(out, writable ? fs.f_ffree : 0, 8);
    p9_put(out, 0, 8); /* fsid */
    p9_put(out, P9_NAME_MAX, 4);
    return 0;
}

int p9_readlink(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    struct p9_fid *fid = p9_fid_find(server, (uint32_t)p9_get(in, 4));
    char target[PATH_MAX];

    if (!fid)
        return -EBADF;
    if (!S_ISLNK(fid->node->type))
        return -EINVAL;
    int fd = p9_node_fd(server, fid->node);
    if (fd < 0)
        return fd;
    ssize_t n = readlinkat(fd, "", target, sizeof(target));
    if (n < 0)
        return -errno;
    p9_put_text(out, target, (size_t)n);
    return 0;
}
