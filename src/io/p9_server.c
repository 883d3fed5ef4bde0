/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 9P server: one message in, one out. Version, attach, walk, clunk; the table of messages.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "p9.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

#define RLERROR       7
#define RLERROR_BYTES (P9_HEADER_BYTES + 4)
#define TVERSION      100
#define MSIZE_MIN     4096 /* as Linux asks for at least (net/9p/client.c) */

static const char dialect[] = "9P2000.L";

bool p9_memory_take(struct p9_server *server, uint32_t bytes)
{
    if (bytes > P9_MEMORY_MAX - server->memory)
        return false;
    server->memory += bytes;
    return true;
}

void p9_memory_give(struct p9_server *server, uint32_t bytes)
{
    server->memory -= bytes;
}

int p9_server_host_error(const struct p9_server *server)
{
    return server->host_error;
}

/* Fids. */

struct p9_fid *p9_fid_find(struct p9_server *server, uint32_t number)
{
    return g_hash_table_lookup(server->fids, GUINT_TO_POINTER(number));
}

struct p9_fid *p9_fid_add(struct p9_server *server, uint32_t number, struct p9_node *node)
{
    struct p9_fid *fid = g_new0(struct p9_fid, 1);

    fid->kind = P9_FID_WALKED;
    fid->node = node;
    fid->fd = -1;
    g_hash_table_insert(server->fids, GUINT_TO_POINTER(number), fid);
    return fid;
}

/* Whether a request may bring in this fid. */
static int fid_check_new(struct p9_server *server, uint32_t number)
{
    if (p9_fid_find(server, number))
        return -EBADF;
    return g_hash_table_size(server->fids) >= P9_FIDS_MAX ? -EMFILE : 0;
}

static void fid_free(struct p9_server *server, struct p9_fid *fid)
{
    p9_fid_close(server, fid);
    p9_node_unref(server, fid->node);
    g_free(fid);
}

static void drop_fids(struct p9_server *server)
{
    GHashTableIter iter;
    gpointer fid;

    g_hash_table_iter_init(&iter, server->fids);
    while (g_hash_table_iter_next(&iter, NULL, &fid)) {
        g_hash_table_iter_steal(&iter);
        fid_free(server, fid);
    }
}

int p9_fid_dir_for_change(struct p9_server *server, uint32_t number, struct p9_node **dir)
{
    struct p9_fid *fid = p9_fid_find(server, number);

    if (!fid)
        return -EBADF;
    if (!S_ISDIR(fid->node->type))
        return -ENOTDIR;
    *dir = fid->node;
    return fid->node->writable ? 0 : -EROFS;
}

/* Messages. */

static int version(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    uint32_t msize = (uint32_t)p9_get(in, 4);
    struct p9_text text = p9_get_text(in);

    if (in->bad)
        return -EINVAL;
    p9_server_reset(server);
    bool known = text.len == strlen(dialect) && memcmp(text.at, dialect, text.len) == 0;
    if (known && msize < MSIZE_MIN)
        return -EINVAL;
    if (known) {
        server->msize = MIN(msize, P9_MSIZE_MAX);
        server->versioned = true;
    }
    p9_put(out, MIN(msize, P9_MSIZE_MAX), 4);
    p9_put_text(out, known ? dialect : "unknown", strlen(known ? dialect : "unknown"));
    return 0;
}

/* No authentication: who may start pcilab may read what it exports. */
static int auth(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    return -EOPNOTSUPP;
}

static int attach(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    uint32_t number = (uint32_t)p9_get(in, 4);
    struct p9_qid qid;

    p9_skip(in, 4);                         /* afid */
    p9_get_text(in);                        /* uname */
    struct p9_text aname = p9_get_text(in); /* there is one tree */
    p9_skip(in, 4);                         /* n_uname */
    if (in->bad)
        return -EINVAL;
    if (aname.len > 1 || (aname.len == 1 && aname.at[0] != '/'))
        return -ENOENT;
    int err = fid_check_new(server, number);
    if (!err)
        err = p9_node_qid(server, server->root, &qid);
    if (err)
        return err;
    p9_node_ref(server->root);
    p9_fid_add(server, number, server->root);
    p9_put_qid(out, &qid);
    return 0;
}

static int flush(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    p9_skip(in, 2); /* everything before was answered before */
    return in->bad ? -EINVAL : 0;
}

/* As far as the names lead: *count qids. A reference to the last node; an error if there is none.
 */
static int walk_names(struct p9_server *server, struct p9_in *in, struct p9_node **at,
                      struct p9_out *out)
{
    char name[P9_NAME_MAX + 1];
    unsigned wanted = (unsigned)p9_get(in, 2), count = 0;
    uint32_t count_at = out->len;
    int err = wanted > P9_WALK_MAX ? -EINVAL : 0;

    p9_put(out, 0, 2);
    for (; !err && count < wanted; count++) {
        struct p9_node *next;
        struct p9_qid qid;

        err = p9_get_name(in, true, name);
        if (err)
            break;
        err = p9_node_walk(server, *at, name, &next);
        if (err)
            break;
        p9_node_unref(server, *at);
        *at = next;
        err = p9_node_qid(server, next, &qid);
        if (err)
            break;
        p9_put_qid(out, &qid);
    }
    if (in->bad)
        return -EINVAL;
    if (err && (count == 0 || wanted > P9_WALK_MAX))
        return err;
    le16_store(out->base + count_at, (uint16_t)count);
    return count == wanted;
}

/* walk(5): newfid comes to be only where all names were found. */
static int walk(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    uint32_t number = (uint32_t)p9_get(in, 4), new_number = (uint32_t)p9_get(in, 4);
    struct p9_fid *fid = p9_fid_find(server, number);

    if (in->bad)
        return -EINVAL;
    if (!fid || fid->kind == P9_FID_XATTR_READ || fid->kind == P9_FID_XATTR_WRITE)
        return -EBADF;
    if (number == new_number && fid->kind != P9_FID_WALKED)
        return -EBUSY;
    int result = number == new_number ? 0 : fid_check_new(server, new_number);
    if (result)
        return result;
    struct p9_node *at = fid->node;
    p9_node_ref(at);
    result = walk_names(server, in, &at, out);
    if (result != 1) {
        p9_node_unref(server, at);
        return result;
    }
    if (number == new_number) {
        p9_node_unref(server, fid->node);
        fid->node = at;
    } else {
        p9_fid_add(server, new_number, at);
    }
    return 0;
}

static int clunk(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    uint32_t number = (uint32_t)p9_get(in, 4);
    struct p9_fid *fid = p9_fid_find(server, number);

    if (!fid)
        return -EBADF;
    int err = fid->kind == P9_FID_XATTR_WRITE ? p9_xattr_store(server, fid) : 0;
    g_hash_table_remove(server->fids, GUINT_TO_POINTER(number));
    fid_free(server, fid);
    return err;
}

/* remove(5): the fid is gone even where the file could not be removed. */
static int remove_file(struct p9_server *server, struct p9_in *in, struct p9_out *out)
{
    uint32_t number = (uint32_t)p9_get(in, 4);
    struct p9_fid *fid = p9_fid_find(server, number);

    if (!fid)
        return -EBADF;
    int err = p9_remove_fid(server, fid);
    g_hash_table_remove(server->fids, GUINT_TO_POINTER(number));
    fid_free(server, fid);
    return err;
}

/* By type: Linux 6.12, include/net/9p/9p.h, enum p9_msg_t. The reply's type is one more. */
static const p9_handler handlers[128] = {
    [8] = p9_statfs,   [12] = p9_lopen,     [14] = p9_lcreate,     [16] = p9_symlink,
    [18] = p9_mknod,   [20] = p9_rename,    [22] = p9_readlink,    [24] = p9_getattr,
    [26] = p9_setattr, [30] = p9_xattrwalk, [32] = p9_xattrcreate, [40] = p9_readdir,
    [50] = p9_fsync,   [52] = p9_lock,      [54] = p9_getlock,     [70] = p9_link,
    [72] = p9_mkdir,   [74] = p9_renameat,  [76] = p9_unlinkat,    [TVERSION] = version,
    [102] = auth,      [104] = attach,      [108] = flush,         [110] = walk,
    [116] = p9_read,   [118] = p9_write,    [120] = clunk,         [122] = remove_file,
};

uint32_t p9_server_handle(struct p9_server *server, const uint8_t *request, uint32_t len,
                          uint8_t *reply, uint32_t capacity)
{
    struct p9_in in = {request, len, false};
    uint32_t size = (uint32_t)p9_get(&in, 4);
    unsigned type = (unsigned)p9_get(&in, 1), tag = (unsigned)p9_get(&in, 2);
    uint32_t msize = type == TVERSION ? P9_MSIZE_MAX : server->msize;
    struct p9_out out = {reply, P9_HEADER_BYTES, MIN(capacity, msize), false};
    int err;

    if (in.bad || capacity < RLERROR_BYTES)
        return 0;
    in.left = MIN(in.left, size > P9_HEADER_BYTES ? size - P9_HEADER_BYTES : 0);
    if (size < P9_HEADER_BYTES || size > len || size > msize)
        err = -EINVAL;
    else if (type >= ARRAY_LEN(handlers) || !handlers[type])
        err = -EOPNOTSUPP;
    else if (!server->versioned && type != TVERSION)
        err = -EPROTO;
    else
        err = handlers[type](server, &in, &out);
    if (!err && out.full)
        err = -EMSGSIZE;
    if (err) {
        out.len = P9_HEADER_BYTES;
        out.full = false;
        p9_put(&out, (uint32_t)-err, 4);
    }
    le32_store(reply, out.len);
    reply[4] = err ? RLERROR : (uint8_t)(type + 1);
    le16_store(reply + 5, (uint16_t)tag);
    return out.len;
}

void p9_server_reset(struct p9_server *server)
{
    drop_fids(server);
    server->versioned = false;
    server->msize = P9_MSIZE_MAX;
}

struct p9_server *p9_server_new(const struct p9_config *config, GError **error)
{
    struct p9_server *server = g_new0(struct p9_server, 1);

    server->proc_fd = -1;
    server->uid = geteuid();
    server->gid = getegid();
    server->msize = P9_MSIZE_MAX;
    server->fids = g_hash_table_new(NULL, NULL);
    if (!p9_nodes_open(server, config, error)) {
        p9_server_free(server);
        return NULL;
    }
    return server;
}

void p9_server_free(struct p9_server *server)
{
    if (!server)
        return;
    drop_fids(server);
    g_hash_table_destroy(server->fids);
    p9_nodes_close(server);
    g_free(server);
}
