/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's side of 9P2000.L, as far as tests need it. */
#ifndef PCILAB_TESTS_P9_CLIENT_H
#define PCILAB_TESTS_P9_CLIENT_H

#include "pcilab/io/p9.h"

#define CLIENT_ROOT 1 /* fid */

struct client {
    struct p9_server *server;
    uint8_t request[P9_MSIZE_MAX], reply[P9_MSIZE_MAX];
    uint32_t len;      /* of the request */
    uint32_t got, pos; /* length of the reply and what was read of it */
};

struct attr {
    uint8_t qid_type;
    uint32_t qid_version;
    uint64_t qid_path;
    uint32_t mode, uid, gid;
    uint64_t nlink, rdev, size, atime, mtime;
};

/* Attached at CLIENT_ROOT. `rw` is NULL or a NULL terminated list. */
struct client *client_new(const char *path, bool writable, const char *const *rw);
void client_free(struct client *c);

void client_begin(struct client *c, uint8_t type);
void client_put(struct client *c, uint64_t value, unsigned bytes);
void client_put_text(struct client *c, const char *text);
/* 0 with the fields of the reply to be read, or the errno of an Rlerror. */
int client_send(struct client *c);
uint64_t client_get(struct client *c, unsigned bytes);
char *client_get_text(struct client *c); /* g_free() it */

/* All return 0 or an errno. */
int client_walk(struct client *c, uint32_t fid, uint32_t new_fid, const char *path);
int client_clunk(struct client *c, uint32_t fid);
int client_getattr(struct client *c, uint32_t fid, struct attr *attr);
int client_open(struct client *c, uint32_t fid, uint32_t flags);
int client_create(struct client *c, uint32_t fid, const char *name, uint32_t flags, uint32_t mode);
int client_read(struct client *c, uint32_t fid, uint64_t offset, uint32_t count, void *data,
                uint32_t *got);
int client_write(struct client *c, uint32_t fid, uint64_t offset, const void *data, uint32_t len);
int client_setattr(struct client *c, uint32_t fid, uint32_t valid, uint32_t mode, uint64_t size);
int client_mkdir(struct client *c, uint32_t fid, const char *name, uint32_t mode);
int client_symlink(struct client *c, uint32_t fid, const char *name, const char *target);
int client_mknod(struct client *c, uint32_t fid, const char *name, uint32_t mode);
int client_link(struct client *c, uint32_t dir, uint32_t fid, const char *name);
int client_unlink(struct client *c, uint32_t dir, const char *name, uint32_t flags);
int client_renameat(struct client *c, uint32_t from, const char *old_name, uint32_t to,
                    const char *new_name);
int client_readlink(struct client *c, uint32_t fid, char **target);

#endif
