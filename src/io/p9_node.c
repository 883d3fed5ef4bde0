/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fids name: nodes, their descriptors, and how one is found from another. Everything that
 * keeps the client inside the exports is here.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "p9.h"
#include "pcilab/base/bits.h"

#define FDS_WANTED   8192 /* descriptors that a server would like to have */
#define FDS_RESERVED 128  /* left to the rest of the process */
#define FDS_MIN      16

/* One component below `dir`, whatever stands there: never a link followed, never another tree. */
static int open_beneath(int dir, const char *name)
{
    struct open_how how = {
        .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
    };
    int fd;

    do /* EAGAIN: something was renamed meanwhile (openat2(2)) */
        fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

/*
 * CHOICE: file systems that the host's kernel makes up are not shown: their directories are empty.
 * Reading them may block or act, differs from one moment to the next, and shows the processes of
 * the host. A guest mounts its own.
 */
static bool is_closed_fs(int fd)
{
    static const uint32_t closed[] = {
        PROC_SUPER_MAGIC,
        SYSFS_MAGIC,
        DEVPTS_SUPER_MAGIC,
        DEBUGFS_MAGIC,
        TRACEFS_MAGIC,
        CGROUP_SUPER_MAGIC,
        CGROUP2_SUPER_MAGIC,
        BPF_FS_MAGIC,
        SECURITYFS_MAGIC,
        SELINUX_MAGIC,
        SMACK_MAGIC,
        EFIVARFS_MAGIC,
        PSTOREFS_MAGIC,
        BINFMTFS_MAGIC,
        BINDERFS_SUPER_MAGIC,
        NSFS_MAGIC,
        AUTOFS_SUPER_MAGIC,
        0x62656570 /* configfs */,
        0x19800202 /* mqueue */,
        0x65735543 /* fusectl */,
    };
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0)
        return true;
    for (unsigned i = 0; i < ARRAY_LEN(closed); i++) {
        if ((uint32_t)fs.f_type == closed[i])
            return true;
    }
    return false;
}

static guint node_hash(gconstpointer key)
{
    const struct p9_node *node = key;

    return g_direct_hash(node->parent) * 31 + g_str_hash(node->name);
}

static gboolean node_equal(gconstpointer a, gconstpointer b)
{
    const struct p9_node *x = a, *y = b;

    return x->parent == y->parent && strcmp(x->name, y->name) == 0;
}

static struct p9_node *find_node(struct p9_server *server, struct p9_node *dir, const char *name)
{
    struct p9_node key = {.parent = dir, .name = (char *)name};

    return g_hash_table_lookup(server->nodes, &key);
}

/* Descriptors. */

static void node_close(struct p9_server *server, struct p9_node *node)
{
    if (node->fd < 0)
        return;
    if (!node->detached)
        g_queue_unlink(&server->open, &node->link);
    close(node->fd);
    node->fd = -1;
    p9_fd_release(server);
}

int p9_fd_reserve(struct p9_server *server)
{
    if (server->fds >= server->fds_max) {
        GList *oldest = g_queue_peek_tail_link(&server->open);
        if (!oldest)
            return -EMFILE;
        node_close(server, oldest->data);
    }
    server->fds++;
    return 0;
}

void p9_fd_release(struct p9_server *server)
{
    assert(server->fds > 0);
    server->fds--;
}

/* The node takes a descriptor that has its reservation. */
static void node_set_fd(struct p9_server *server, struct p9_node *node, int fd)
{
    assert(node->fd < 0 && !node->detached);
    node->fd = fd;
    g_queue_push_head_link(&server->open, &node->link);
}

static void node_touch(struct p9_server *server, struct p9_node *node)
{
    if (!node->detached) {
        g_queue_unlink(&server->open, &node->link);
        g_queue_push_head_link(&server->open, &node->link);
    }
}

static int node_reopen(struct p9_server *server, struct p9_node *node, int dir)
{
    struct stat st;
    int err = p9_fd_reserve(server);

    if (err)
        return err;
    int fd = open_beneath(dir, node->name);
    if (fd < 0) {
        p9_fd_release(server);
        return fd == -ENOENT ? -ESTALE : fd;
    }
    if (fstat(fd, &st) < 0 || st.st_dev != node->dev || st.st_ino != node->ino ||
        (st.st_mode & S_IFMT) != node->type) {
        close(fd);
        p9_fd_release(server);
        return -ESTALE;
    }
    node_set_fd(server, node, fd);
    return 0;
}

int p9_node_fd(struct p9_server *server, struct p9_node *node)
{
    struct p9_node *chain[P9_DEPTH_MAX + 1];
    unsigned n = 0;

    if (!node->parent)
        return server->exports[0].fd;
    if (node->fd >= 0) {
        node_touch(server, node);
        return node->fd;
    }
    if (node->detached)
        return -ESTALE;
    for (struct p9_node *up = node; up->parent && up->fd < 0; up = up->parent) {
        if (up->detached)
            return -ESTALE;
        if (n == ARRAY_LEN(chain)) /* renames can make a path deeper than walks may */
            return -ENAMETOOLONG;
        chain[n++] = up;
    }
    while (n-- > 0) {
        struct p9_node *parent = chain[n]->parent;
        if (parent->parent)
            node_touch(server, parent); /* not the one that is closed for this */
        int err =
            node_reopen(server, chain[n], parent->parent ? parent->fd : server->exports[0].fd);
        if (err)
            return err;
    }
    return node->fd;
}

int p9_node_dup(struct p9_server *server, struct p9_node *node)
{
    int fd = p9_node_fd(server, node);

    if (fd < 0)
        return fd;
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

void p9_proc_path(int fd, char path[P9_PROC_PATH_BYTES])
{
    g_snprintf(path, P9_PROC_PATH_BYTES, "self/fd/%d", fd);
}

int p9_node_open(struct p9_server *server, struct p9_node *node, int flags)
{
    char path[P9_PROC_PATH_BYTES];

    if (S_ISLNK(node->type))
        return -ELOOP;
    if (S_ISDIR(node->type))
        return -EISDIR;
    if (!S_ISREG(node->type) || node->closed_fs)
        return -ENXIO;
    int at = p9_node_fd(server, node);
    if (at < 0)
        return at;
    p9_proc_path(at, path);
    flags |= O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    /* The host's access times stay as they are, where the user may ask for that. */
    int fd = openat(server->proc_fd, path, flags | O_NOATIME);
    if (fd < 0 && errno == EPERM)
        fd = openat(server->proc_fd, path, flags);
    return fd < 0 ? -errno : fd;
}

/* Nodes. */

void p9_node_ref(struct p9_node *node)
{
    node->refs++;
}

void p9_node_unref(struct p9_server *server, struct p9_node *node)
{
    while (node && --node->refs == 0) {
        struct p9_node *parent = node->parent;

        assert(node->readers == 0 && node->read_fd < 0);
        if (!node->detached && parent)
            g_hash_table_remove(server->nodes, node);
        node_close(server, node);
        server->node_count--;
        g_free(node->name);
        g_free(node);
        node = parent;
    }
}

/* A directory that is an export of its own brings that export's rights. */
static void node_choose_export(struct p9_server *server, struct p9_node *node)
{
    struct p9_node *parent = node->parent;

    node->export = parent->export;
    node->writable = parent->writable;
    for (unsigned i = 1; S_ISDIR(node->type) && i < server->export_count; i++) {
        struct p9_export *export = &server->exports[i];
        if (export->dev == node->dev && export->ino == node->ino) {
            node->export = (uint16_t)i;
            node->writable = export->writable;
        }
    }
}

static struct p9_node *node_new(struct p9_server *server, struct p9_node *dir, const char *name,
                                const struct stat *st)
{
    struct p9_node *node = g_new0(struct p9_node, 1);

    node->parent = dir;
    node->name = g_strdup(name);
    node->refs = 1;
    node->depth = dir ? dir->depth + 1 : 0;
    node->dev = st->st_dev;
    node->ino = st->st_ino;
    node->type = st->st_mode & S_IFMT;
    node->fd = -1;
    node->read_fd = -1;
    node->link.data = node;
    server->node_count++;
    if (dir) {
        p9_node_ref(dir);
        node_choose_export(server, node);
        g_hash_table_add(server->nodes, node);
    }
    return node;
}

static void node_detach(struct p9_server *server, struct p9_node *node)
{
    if (node->detached)
        return;
    g_hash_table_remove(server->nodes, node);
    if (node->fd >= 0)
        g_queue_unlink(&server->open, &node->link);
    node->detached = true;
}

void p9_node_gone(struct p9_server *server, struct p9_node *dir, const char *name)
{
    struct p9_node *node = find_node(server, dir, name);

    if (node)
        node_detach(server, node);
}

void p9_node_pin(struct p9_server *server, struct p9_node *dir, const char *name)
{
    struct p9_node *node = find_node(server, dir, name);

    if (node)
        p9_node_fd(server, node);
}

void p9_node_moved(struct p9_server *server, const struct p9_place *from, const struct p9_place *to)
{
    struct p9_node *node = find_node(server, from->dir, from->name);
    struct p9_node *over = find_node(server, to->dir, to->name);

    if (node == over)
        return;
    if (over)
        node_detach(server, over);
    if (!node)
        return;
    /* Where the host moved directories behind our back, what we took for a parent may be a child
     * now: no circles. */
    for (struct p9_node *up = to->dir; up; up = up->parent) {
        if (up == node) {
            node_detach(server, node);
            return;
        }
    }
    g_hash_table_remove(server->nodes, node);
    p9_node_ref(to->dir);
    node->parent = to->dir;
    node->depth = to->dir->depth + 1;
    g_free(node->name);
    node->name = g_strdup(to->name);
    g_hash_table_add(server->nodes, node);
    p9_node_unref(server, from->dir);
}

int p9_node_adopt(struct p9_server *server, struct p9_node *dir, const char *name, int fd,
                  struct p9_node **found)
{
    struct p9_node *node = find_node(server, dir, name);
    struct stat st;
    int err = 0;

    if (fstat(fd, &st) < 0)
        err = -errno;
    else if (dir->depth >= P9_DEPTH_MAX)
        err = -ENAMETOOLONG;
    else if (server->node_count >= P9_NODES_MAX)
        err = -ENFILE;
    if (!err && node &&
        (node->dev != st.st_dev || node->ino != st.st_ino || node->type != (st.st_mode & S_IFMT))) {
        node_detach(server, node); /* the host put something else there */
        node = NULL;
    }
    if (!err && (!node || node->fd < 0))
        err = p9_fd_reserve(server);
    if (err) {
        close(fd);
        return err;
    }
    if (node) {
        p9_node_ref(node);
    } else {
        node = node_new(server, dir, name, &st);
        node->closed_fs = dir->closed_fs || (dir->dev != st.st_dev && is_closed_fs(fd));
        node->writable = node->writable && !node->closed_fs;
    }
    if (node->fd < 0)
        node_set_fd(server, node, fd);
    else
        close(fd);
    *found = node;
    return 0;
}

int p9_node_walk(struct p9_server *server, struct p9_node *dir, const char *name,
                 struct p9_node **found)
{
    if (!S_ISDIR(dir->type))
        return -ENOTDIR;
    if (strcmp(name, ".") == 0 || (strcmp(name, "..") == 0 && !dir->parent)) {
        p9_node_ref(dir);
        *found = dir;
        return 0;
    }
    if (strcmp(name, "..") == 0) {
        p9_node_ref(dir->parent);
        *found = dir->parent;
        return 0;
    }
    if (dir->closed_fs)
        return -ENOENT;
    int at = p9_node_fd(server, dir);
    if (at < 0)
        return at;
    int fd = open_beneath(at, name);
    if (fd == -ENOENT)
        p9_node_gone(server, dir, name);
    return fd < 0 ? fd : p9_node_adopt(server, dir, name, fd, found);
}

/* The links, size and times of a directory that is not shown tell of the host's processes. */
int p9_node_fstat(const struct p9_node *node, int fd, struct stat *st)
{
    if (fstat(fd, st) < 0)
        return -errno;
    if (node->closed_fs) {
        st->st_nlink = 2;
        st->st_size = st->st_blocks = 0;
        st->st_atim = st->st_mtim = st->st_ctim = (struct timespec){0};
    }
    return 0;
}

int p9_node_stat(struct p9_server *server, struct p9_node *node, struct stat *st)
{
    int fd = p9_node_fd(server, node);

    return fd < 0 ? fd : p9_node_fstat(node, fd, st);
}

/*
 * Qids: inode numbers, with a small number for the file system in the highest byte, in the order
 * in which file systems were met: a device number may differ from one boot of the host to the
 * next. The version must not be 0, which to Linux forbids caching (fs/9p/fid.h).
 *
 * CHOICE: a directory has one version for ever: others make files beside those that a run is about
 * (in /tmp, in a folder of logs), and the same run would have another digest each time.
 */
void p9_make_qid(struct p9_server *server, const struct stat *st, struct p9_qid *qid)
{
    gint64 key = (gint64)st->st_dev;
    uint64_t dev = GPOINTER_TO_UINT(g_hash_table_lookup(server->devs, &key));

    if (!dev) {
        dev = g_hash_table_size(server->devs) + 1;
        g_hash_table_insert(server->devs, g_memdup2(&key, sizeof(key)),
                            GUINT_TO_POINTER((guint)dev));
    }
    qid->path = st->st_ino;
    if (dev <= 0xff && st->st_ino >> 56 == 0) {
        qid->path |= (dev - 1) << 56;
    } else { /* spread over all 64 bits (the finalizer of SplitMix64) */
        qid->path += dev * 0x9e3779b97f4a7c15;
        qid->path = (qid->path ^ qid->path >> 30) * 0xbf58476d1ce4e5b9;
        qid->path = (qid->path ^ qid->path >> 27) * 0x94d049bb133111eb;
        qid->path ^= qid->path >> 31;
    }
    qid->version = (uint32_t)((uint64_t)st->st_mtim.tv_sec * 1000003 +
                              (uint64_t)st->st_mtim.tv_nsec + (uint64_t)st->st_size * 31) |
                   1;
    if (S_ISDIR(st->st_mode))
        qid->version = 1;
    qid->type = S_ISDIR(st->st_mode) ? 0x80 : S_ISLNK(st->st_mode) ? 0x02 : 0;
}

int p9_node_qid(struct p9_server *server, struct p9_node *node, struct p9_qid *qid)
{
    struct stat st;
    int err = p9_node_stat(server, node, &st);

    if (!err)
        p9_make_qid(server, &st, qid);
    return err;
}

/* Opening and closing the whole. */

static bool open_export(struct p9_server *server, const char *path, bool writable, GError **error)
{
    struct p9_export *export = &server->exports[server->export_count];
    struct stat st;

    if (server->export_count == P9_EXPORTS_MAX) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "%s: at most %u directories can be exported", path, P9_EXPORTS_MAX);
        return false;
    }
    export->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (export->fd < 0 || fstat(export->fd, &st) < 0) {
        int err = errno;
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(err), "%s: %s", path,
                    g_strerror(err));
        if (export->fd >= 0)
            close(export->fd);
        return false;
    }
    if (is_closed_fs(export->fd)) {
        close(export->fd);
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "%s is a file system of the kernel's own and cannot be exported", path);
        return false;
    }
    export->dev = st.st_dev;
    export->ino = st.st_ino;
    export->writable = writable;
    server->export_count++;
    return true;
}

static void choose_fd_limit(struct p9_server *server)
{
    struct rlimit limit;

    server->fds_max = FDS_MIN;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    if (limit.rlim_cur < FDS_WANTED + FDS_RESERVED) {
        limit.rlim_cur = MIN(limit.rlim_max, FDS_WANTED + FDS_RESERVED);
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0 && getrlimit(RLIMIT_NOFILE, &limit) < 0)
            return;
    }
    if (limit.rlim_cur > FDS_RESERVED + FDS_MIN)
        server->fds_max = (unsigned)MIN(limit.rlim_cur - FDS_RESERVED, FDS_WANTED);
}

bool p9_nodes_open(struct p9_server *server, const struct p9_config *config, GError **error)
{
    struct stat st;
    bool ok = open_export(server, config->path, config->writable, error);

    for (unsigned i = 0; ok && config->rw && config->rw[i]; i++)
        ok = open_export(server, config->rw[i], true, error);
    if (!ok)
        return false;
    server->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct statfs fs;
    if (server->proc_fd < 0 || fstatfs(server->proc_fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "/proc is not mounted");
        return false;
    }
    if (fstat(server->exports[0].fd, &st) < 0)
        return false;
    choose_fd_limit(server);
    g_queue_init(&server->open);
    server->nodes = g_hash_table_new(node_hash, node_equal);
    server->devs = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    server->root = node_new(server, NULL, "/", &st);
    server->root->writable = config->writable;
    return true;
}

void p9_nodes_close(struct p9_server *server)
{
    if (server->root) {
        p9_node_unref(server, server->root);
        assert(server->node_count == 0 && server->fds == 0);
        g_hash_table_destroy(server->nodes);
        g_hash_table_destroy(server->devs);
    }
    for (unsigned i = 0; i < server->export_count; i++)
        close(server->exports[i].fd);
    if (server->proc_fd >= 0)
        close(server->proc_fd);
}
