/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client.h"

#include <errno.h>
#include <string.h>

#include "pcilab/base/le.h"

#define HEADER 7
#define TAG    0x1234

void client_begin(struct client *c, uint8_t type)
{
    c->request[4] = type;
    le16_store(c->request + 5, TAG);
    c->len = HEADER;
}

void client_put(struct client *c, uint64_t value, unsigned bytes)
{
    g_assert(c->len + bytes <= sizeof(c->request));
    le_store(c->request + c->len, value, bytes);
    c->len += bytes;
}

void client_put_text(struct client *c, const char *text)
{
    size_t len = strlen(text);

    client_put(c, len, 2);
    g_assert(c->len + len <= sizeof(c->request));
    memcpy(c->request + c->len, text, len);
    c->len += (uint32_t)len;
}

int client_send(struct client *c)
{
    le32_store(c->request, c->len);
    c->got = p9_server_handle(c->server, c->request, c->len, c->reply, sizeof(c->reply));
    g_assert(c->got >= HEADER && le32_load(c->reply) == c->got);
    g_assert(le16_load(c->reply + 5) == TAG);
    c->pos = HEADER;
    if (c->reply[4] == 7) {
        g_assert(c->got == HEADER + 4 && le32_load(c->reply + HEADER) > 0);
        return (int)le32_load(c->reply + HEADER);
    }
    g_assert(c->reply[4] == c->request[4] + 1);
    return 0;
}

uint64_t client_get(struct client *c, unsigned bytes)
{
    g_assert(c->pos + bytes <= c->got);
    c->pos += bytes;
    return le_load(c->reply + c->pos - bytes, bytes);
}

char *client_get_text(struct client *c)
{
    uint32_t len = (uint32_t)client_get(c, 2);

    g_assert(c->pos + len <= c->got);
    c->pos += len;
    return g_strndup((char *)c->reply + c->pos - len, len);
}

struct client *client_new(const char *path, bool writable, const char *const *rw)
{
    struct client *c = g_new0(struct client, 1);
    GError *error = NULL;

    c->server =
        p9_server_new(&(struct p9_config){.path = path, .writable = writable, .rw = rw}, &error);
    g_assert_no_error(error);
    client_begin(c, 100);
    client_put(c, P9_MSIZE_MAX, 4);
    client_put_text(c, "9P2000.L");
    int err = client_send(c);
    g_assert(err == 0 && client_get(c, 4) == P9_MSIZE_MAX);
    client_begin(c, 104);
    client_put(c, CLIENT_ROOT, 4);
    client_put(c, UINT32_MAX, 4);
    client_put_text(c, "root");
    client_put_text(c, "");
    client_put(c, 0, 4);
    err = client_send(c);
    g_assert(err == 0);
    return c;
}

void client_free(struct client *c)
{
    p9_server_free(c->server);
    g_free(c);
}

int client_walk(struct client *c, uint32_t fid, uint32_t new_fid, const char *path)
{
    char **names = g_strsplit(path, "/", -1);
    unsigned count = *path ? g_strv_length(names) : 0;

    client_begin(c, 110);
    client_put(c, fid, 4);
    client_put(c, new_fid, 4);
    client_put(c, count, 2);
    for (unsigned i = 0; i < count; i++)
        client_put_text(c, names[i]);
    g_strfreev(names);
    int err = client_send(c);
    return err ? err : client_get(c, 2) == count ? 0 : ENOENT;
}

int client_clunk(struct client *c, uint32_t fid)
{
    client_begin(c, 120);
    client_put(c, fid, 4);
    return client_send(c);
}

int client_getattr(struct client *c, uint32_t fid, struct attr *attr)
{
    client_begin(c, 24);
    client_put(c, fid, 4);
    client_put(c, 0x7ff, 8);
    int err = client_send(c);
    if (err)
        return err;
    g_assert(client_get(c, 8) == 0x7ff);
    attr->qid_type = (uint8_t)client_get(c, 1);
    attr->qid_version = (uint32_t)client_get(c, 4);
    attr->qid_path = client_get(c, 8);
    attr->mode = (uint32_t)client_get(c, 4);
    attr->uid = (uint32_t)client_get(c, 4);
    attr->gid = (uint32_t)client_get(c, 4);
    attr->nlink = client_get(c, 8);
    attr->rdev = client_get(c, 8);
    attr->size = client_get(c, 8);
    client_get(c, 8);
    client_get(c, 8);
    attr->atime = client_get(c, 8);
    client_get(c, 8);
    attr->mtime = client_get(c, 8);
    client_get(c, 8);
    for (unsigned i = 0; i < 6; i++)
        client_get(c, 8);
    g_assert(c->pos == c->got);
    return 0;
}

int client_open(struct client *c, uint32_t fid, uint32_t flags)
{
    client_begin(c, 12);
    client_put(c, fid, 4);
    client_put(c, flags, 4);
    return client_send(c);
}

int client_create(struct client *c, uint32_t fid, const char *name, uint32_t flags, uint32_t mode)
{
    client_begin(c, 14);
    client_put(c, fid, 4);
    client_put_text(c, name);
    client_put(c, flags, 4);
    client_put(c, mode, 4);
    client_put(c, 0, 4);
    return client_send(c);
}

int client_read(struct client *c, uint32_t fid, uint64_t offset, uint32_t count, void *data,
                uint32_t *got)
{
    client_begin(c, 116);
    client_put(c, fid, 4);
    client_put(c, offset, 8);
    client_put(c, count, 4);
    int err = client_send(c);
    if (err)
        return err;
    *got = (uint32_t)client_get(c, 4);
    g_assert(*got <= count && c->got == c->pos + *got);
    memcpy(data, c->reply + c->pos, *got);
    return 0;
}

int client_write(struct client *c, uint32_t fid, uint64_t offset, const void *data, uint32_t len)
{
    client_begin(c, 118);
    client_put(c, fid, 4);
    client_put(c, offset, 8);
    client_put(c, len, 4);
    g_assert(c->len + len <= sizeof(c->request));
    memcpy(c->request + c->len, data, len);
    c->len += len;
    int err = client_send(c);
    return err ? err : client_get(c, 4) == len ? 0 : ENOSPC;
}

int client_setattr(struct client *c, uint32_t fid, uint32_t valid, uint32_t mode, uint64_t size)
{
    client_begin(c, 26);
    client_put(c, fid, 4);
    client_put(c, valid, 4);
    client_put(c, mode, 4);
    client_put(c, 0, 4);
    client_put(c, 0, 4);
    client_put(c, size, 8);
    client_put(c, 1000000000, 8);
    client_put(c, 5, 8);
    client_put(c, 1100000000, 8);
    client_put(c, 6, 8);
    return client_send(c);
}

int client_mkdir(struct client *c, uint32_t fid, const char *name, uint32_t mode)
{
    client_begin(c, 72);
    client_put(c, fid, 4);
    client_put_text(c, name);
    client_put(c, mode, 4);
    client_put(c, 0, 4);
    return client_send(c);
}

int client_symlink(struct client *c, uint32_t fid, const char *name, const char *target)
{
    client_begin(c, 16);
    client_put(c, fid, 4);
    client_put_text(c, name);
    client_put_text(c, target);
    client_put(c, 0, 4);
    return client_send(c);
}

int client_mknod(struct client *c, uint32_t fid, const char *name, uint32_t mode)
{
    client_begin(c, 18);
    client_put(c, fid, 4);
    client_put_text(c, name);
    client_put(c, mode, 4);
    client_put(c, 1, 4);
    client_put(c, 3, 4);
    client_put(c, 0, 4);
    return client_send(c);
}

int client_link(struct client *c, uint32_t dir, uint32_t fid, const char *name)
{
    client_begin(c, 70);
    client_put(c, dir, 4);
    client_put(c, fid, 4);
    client_put_text(c, name);
    return client_send(c);
}

int client_unlink(struct client *c, uint32_t dir, const char *name, uint32_t flags)
{
    client_begin(c, 76);
    client_put(c, dir, 4);
    client_put_text(c, name);
    client_put(c, flags, 4);
    return client_send(c);
}

int client_renameat(struct client *c, uint32_t from, const char *old_name, uint32_t to,
                    const char *new_name)
{
    client_begin(c, 74);
    client_put(c, from, 4);
    client_put_text(c, old_name);
    client_put(c, to, 4);
    client_put_text(c, new_name);
    return client_send(c);
}

int client_readlink(struct client *c, uint32_t fid, char **target)
{
    client_begin(c, 22);
    client_put(c, fid, 4);
    int err = client_send(c);
    if (!err)
        *target = client_get_text(c);
    return err;
}
