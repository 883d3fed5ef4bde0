/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The digest: SHA-256 over one record an event, fed to OpenSSL in large pieces. A record is, all
 * little-endian: time (8 bytes), kind (1), length of the component's name (1), of head (2) and of
 * body (4), then name, head and body. Lengths come first, so that no two event sequences share
 * their bytes.
 */
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/trace/trace.h"

#include <assert.h>
#include <glib.h>
#include <openssl/evp.h>

#define RECORD_HEAD_BYTES 16
#define BUFFER_BYTES      (64 * 1024)

struct trace_digest {
    struct trace_sink sink;
    struct trace *trace;
    EVP_MD_CTX *ctx;
    size_t used_bytes;
    uint8_t buffer[BUFFER_BYTES];
};

static void digest_flush(struct trace_digest *d)
{
    int ok = EVP_DigestUpdate(d->ctx, d->buffer, d->used_bytes);

    g_assert(ok == 1);
    d->used_bytes = 0;
}

static void digest_feed(struct trace_digest *d, const void *data, size_t len)
{
    const uint8_t *p = data;

    while (len) {
        size_t n = MIN(len, BUFFER_BYTES - d->used_bytes);

        memcpy(d->buffer + d->used_bytes, p, n);
        d->used_bytes += n;
        p += n;
        len -= n;
        if (d->used_bytes == BUFFER_BYTES) {
            digest_flush(d);
        }
    }
}

static void digest_emit(struct trace_sink *sink, const struct trace_event *event)
{
    struct trace_digest *d = CONTAINER_OF(sink, struct trace_digest, sink);
    uint8_t head[RECORD_HEAD_BYTES];
    size_t where_len = event->where ? strlen(event->where) : 0;

    assert(where_len <= UINT8_MAX && event->head_len <= UINT16_MAX);
    le64_store(head, event->time_ps);
    head[8] = (uint8_t)event->kind;
    head[9] = (uint8_t)where_len;
    le16_store(head + 10, (uint16_t)event->head_len);
    le32_store(head + 12, (uint32_t)event->body_len);
    digest_feed(d, head, sizeof(head));
    digest_feed(d, event->where, where_len);
    digest_feed(d, event->head, event->head_len);
    digest_feed(d, event->body, event->body_len);
}

struct trace_digest *trace_digest_new(struct trace *trace)
{
    struct trace_digest *d = g_new0(struct trace_digest, 1);
    int ok;

    d->ctx = EVP_MD_CTX_new();
    g_assert(d->ctx);
    ok = EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL);
    g_assert(ok == 1);
    d->trace = trace;
    d->sink.emit = digest_emit;
    d->sink.kinds = BIT(TRACE_TLP) | BIT(TRACE_IRQ) | BIT(TRACE_CONSOLE);
    trace_add_sink(trace, &d->sink);
    return d;
}

void trace_digest_hex(struct trace_digest *digest, char out[65])
{
    uint8_t sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    int ok;

    digest_flush(digest);
    g_assert(copy);
    ok = EVP_MD_CTX_copy_ex(copy, digest->ctx) == 1 && EVP_DigestFinal_ex(copy, sum, &len) == 1;
    g_assert(ok && len == 32);
    EVP_MD_CTX_free(copy);
    for (unsigned i = 0; i < len; i++) {
        snprintf(out + 2 * i, 3, "%02x", sum[i]);
    }
}

void trace_digest_free(struct trace_digest *digest)
{
    if (!digest) {
        return;
    }
    trace_remove_sink(digest->trace, &digest->sink);
    EVP_MD_CTX_free(digest->ctx);
    g_free(digest);
}
