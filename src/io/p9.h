/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 9P server's parts among themselves. Results are 0 or a negative errno. */
#ifndef PCILAB_IO_P9_PRIVATE_H
#define PCILAB_IO_P9_PRIVATE_H

#include <sys/stat.h>

#include "pcilab/io/p9.h"

/* What one client may hold. */
#define P9_FIDS_MAX   (1u << 20)
#define P9_NODES_MAX  (1u << 20)
#define P9_DEPTH_MAX  1024
#define P9_WALK_MAX   16 /* Plan 9 manual, walk(5): MAXWELEM */
#define P9_NAME_MAX   255
#define P9_XATTR_MAX  65536
#define P9_MEMORY_MAX (256u << 20) /* listings of directories, extended attributes */

/* Messages. A malformed request makes `bad` stick; reads then give zeroes. */

struct p9_in {
    const uint8_t *at;
    uint32_t left;
    bool bad;
};

struct p9_text {
    const uint8_t *at;
    uint16_t len;
};

struct p9_out {
    uint8_t *base;
    uint32_t len, capacity;
    bool full;
};

struct p9_qid {
    uint8_t type;
    uint32_t version;
    uint64_t path;
};

#define P9_QID_BYTES    13
#define P9_HEADER_BYTES 7

uint64_t p9_get(struct p9_in *in, unsigned bytes); /* at most 8 */
void p9_skip(struct p9_in *in, unsigned bytes);
struct p9_text p9_get_text(struct p9_in *in);
/* Copies a component; -EINVAL, -ENAMETOOLONG. "." and ".." only where `dots`. */
int p9_get_name(struct p9_in *in, bool dots, char name[P9_NAME_MAX + 1]);
void p9_put(struct p9_out *out, uint64_t value, unsigned bytes);
void p9_put_text(struct p9_out *out, const void *text, size_t len);
void p9_put_qid(struct p9_out *out, const struct p9_qid *qid);

/*
 * A file or directory that fids name, found as `name` in `parent`. Nodes are one per place, so
 * that a rename moves all fids below it. Its O_PATH descriptor may be closed to save descriptors
 * and is then opened again from the parent's, and checked to be the same file. A node whose place
 * is gone (removed or replaced) is detached: its descriptor stays open as long as it does.
 */
struct p9_node {
    struct p9_node *parent; /* NULL: the root */
    char *name;
    unsigned refs; /* fids, children and operations under way */
    unsigned depth;
    uint16_t export; /* which of the exports it belongs to */
    bool writable;
    bool closed_fs; /* root of a file system that is not shown */
    bool detached;
    dev_t dev;
    ino_t ino;
    mode_t type; /* S_IFMT bits */
    int fd;      /* O_PATH; -1 */
    int read_fd; /* shared by all fids that read; -1 */
    unsigned readers;
    GList link; /* in server->open while fd is open and the node attached */
};

enum p9_fid_kind {
    P9_FID_WALKED, /* not open */
    P9_FID_FILE,
    P9_FID_DIR,
    P9_FID_XATTR_READ,
    P9_FID_XATTR_WRITE,
};

struct p9_listing; /* of a directory: p9_readdir.c */

struct p9_fid {
    enum p9_fid_kind kind;
    struct p9_node *node;
    int fd; /* P9_FID_FILE that can write: its own; -1: the node's read_fd */
    bool can_read, can_write;
    struct p9_listing *listing; /* P9_FID_DIR */
    uint8_t *value;             /* P9_FID_XATTR_*: bytes of the attribute or list */
    uint32_t value_len, value_done;
    char *xattr_name; /* P9_FID_XATTR_WRITE */
    uint32_t xattr_flags;
};

struct p9_export {
    int fd; /* O_PATH, open for good: its inode cannot be reused */
    dev_t dev;
    ino_t ino;
    bool writable;
};

#define P9_EXPORTS_MAX 64

struct p9_server {
    struct p9_export exports[P9_EXPORTS_MAX];
    unsigned export_count;
    int proc_fd; /* /proc, to reopen what O_PATH descriptors name */
    uid_t uid;
    gid_t gid;
    struct p9_node *root;
    GHashTable *fids;  /* number -> struct p9_fid */
    GHashTable *nodes; /* set of attached nodes, by parent and name */
    GHashTable *devs;  /* st_dev -> small number, for qids */
    unsigned node_count;
    GQueue open; /* nodes whose fd may be closed, the latest used first */
    unsigned fds, fds_max;
    uint32_t memory; /* bytes of listings and attributes */
    uint32_t msize;
    bool versioned;
    int host_error; /* negative errno of the first write that the host refused, or 0 */
};

/* p9_node.c */
bool p9_nodes_open(struct p9_server *server, const struct p9_config *config, GError **error);
void p9_nodes_close(struct p9_server *server);
void p9_node_ref(struct p9_node *node);
void p9_node_unref(struct p9_server *server, struct p9_node *node);
/* The O_PATH descriptor; good until the next call that opens one. A negative errno. */
int p9_node_fd(struct p9_server *server, struct p9_node *node);
/* A copy that the caller closes soon: where two are needed at once. */
int p9_node_dup(struct p9_server *server, struct p9_node *node);
/* Finds `name` in a directory; a reference. ".." of the root is the root. */
int p9_node_walk(struct p9_server *server, struct p9_node *dir, const char *name,
                 struct p9_node **found);
/* Takes an open descriptor of what is now `name` in `dir`. Closes it on failure. */
int p9_node_adopt(struct p9_server *server, struct p9_node *dir, const char *name, int fd,
                  struct p9_node **found);
int p9_node_stat(struct p9_server *server, struct p9_node *node, struct stat *st);
/* fstat() of a descriptor of this node. */
int p9_node_fstat(const struct p9_node *node, int fd, struct stat *st);
/* Opens for input and output what is a regular file, -ENXIO for pipes, sockets and devices. */
int p9_node_open(struct p9_server *server, struct p9_node *node, int flags);
/* "self/fd/N" relative to server->proc_fd, of a descriptor of p9_node_fd(). */
#define P9_PROC_PATH_BYTES 32
void p9_proc_path(int fd, char path[P9_PROC_PATH_BYTES]);
/* Takes part in the limit of descriptors, closing idle ones; -EMFILE. */
int p9_fd_reserve(struct p9_server *server);
void p9_fd_release(struct p9_server *server);
/* The place has another or no file now. */
void p9_node_gone(struct p9_server *server, struct p9_node *dir, const char *name);
/* Keeps open what is about to be removed or replaced, for the fids that name it. */
void p9_node_pin(struct p9_server *server, struct p9_node *dir, const char *name);
struct p9_place {
    struct p9_node *dir;
    const char *name;
};
void p9_node_moved(struct p9_server *server, const struct p9_place *from,
                   const struct p9_place *to);
void p9_make_qid(struct p9_server *server, const struct stat *st, struct p9_qid *qid);
int p9_node_qid(struct p9_server *server, struct p9_node *node, struct p9_qid *qid);

/* p9_server.c */
struct p9_fid *p9_fid_find(struct p9_server *server, uint32_t number);
struct p9_fid *p9_fid_add(struct p9_server *server, uint32_t number, struct p9_node *node);
/* A directory that may be changed: -EROFS, -ENOTDIR, -EBADF. */
int p9_fid_dir_for_change(struct p9_server *server, uint32_t number, struct p9_node **dir);
bool p9_memory_take(struct p9_server *server, uint32_t bytes);
void p9_memory_give(struct p9_server *server, uint32_t bytes);

typedef int (*p9_handler)(struct p9_server *server, struct p9_in *in, struct p9_out *out);

/* p9_file.c */
int p9_lopen(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_lcreate(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_read(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_write(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_fsync(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_lock(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_getlock(struct p9_server *server, struct p9_in *in, struct p9_out *out);
void p9_fid_close(struct p9_server *server, struct p9_fid *fid);

/* p9_attr.c */
int p9_getattr(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_setattr(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_statfs(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_readlink(struct p9_server *server, struct p9_in *in, struct p9_out *out);
mode_t p9_mode_for_host(mode_t mode, mode_t type);

/* p9_xattr.c */
int p9_xattrwalk(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_xattrcreate(struct p9_server *server, struct p9_in *in, struct p9_out *out);
/* At the clunk of a fid that wrote an attribute. */
int p9_xattr_store(struct p9_server *server, struct p9_fid *fid);

/* p9_readdir.c */
int p9_readdir(struct p9_server *server, struct p9_in *in, struct p9_out *out);
void p9_listing_free(struct p9_server *server, struct p9_listing *listing);

/* p9_change.c */
int p9_symlink(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_mknod(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_mkdir(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_link(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_rename(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_renameat(struct p9_server *server, struct p9_in *in, struct p9_out *out);
int p9_unlinkat(struct p9_server *server, struct p9_in *in, struct p9_out *out);
/* Removes the file that the fid names from where it was found. */
int p9_remove_fid(struct p9_server *server, struct p9_fid *fid);

#endif
