/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields of 9P messages: little-endian numbers, counted strings, qids (Plan 9 manual, intro(5)). */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "p9.h"
#include "pcilab/base/le.h"

uint64_t p9_get(struct p9_in *in, unsigned bytes)
{
    assert(bytes <= 8);
    if (in->left < bytes) {
        in->bad = true;
        in->left = 0;
        return 0;
    }
    uint64_t value = le_load(in->at, bytes);
    in->at += bytes;
    in->left -= bytes;
    return value;
}

void p9_skip(struct p9_in *in, unsigned bytes)
{
    in->bad = in->bad || in->left < bytes;
    bytes = in->bad ? in->left : bytes;
    in->at += bytes;
    in->left -= bytes;
}

struct p9_text p9_get_text(struct p9_in *in)
{
    uint16_t len = (uint16_t)p9_get(in, 2);
    struct p9_text text = {in->at, len};

    if (in->left < len) {
        in->bad = true;
        in->left = 0;
        text.len = 0;
        return text;
    }
    in->at += len;
    in->left -= len;
    return text;
}

int p9_get_name(struct p9_in *in, bool dots, char name[P9_NAME_MAX + 1])
{
    struct p9_text text = p9_get_text(in);

    name[0] = '\0';
    if (in->bad || text.len == 0)
        return -EINVAL;
    if (text.len > P9_NAME_MAX)
        return -ENAMETOOLONG;
    if (memchr(text.at, '/', text.len) || memchr(text.at, '\0', text.len))
        return -EINVAL;
    memcpy(name, text.at, text.len);
    name[text.len] = '\0';
    if (!dots && (strcmp(name, ".") == 0 || strcmp(name, "..") == 0))
        return -EINVAL;
    return 0;
}

void p9_put(struct p9_out *out, uint64_t value, unsigned bytes)
{
    if (out->capacity - out->len < bytes) {
        out->full = true;
        return;
    }
    le_store(out->base + out->len, value, bytes);
    out->len += bytes;
}

void p9_put_text(struct p9_out *out, const void *text, size_t len)
{
    if (len > UINT16_MAX || out->capacity - out->len < len + 2) {
        out->full = true;
        return;
    }
    p9_put(out, len, 2);
    memcpy(out->base + out->len, text, len);
    out->len += (uint32_t)len;
}

void p9_put_qid(struct p9_out *out, const struct p9_qid *qid)
{
    p9_put(out, qid->type, 1);
    p9_put(out, qid->version, 4);
    p9_put(out, qid->path, 8);
}
