/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The methods that the kernel's build knows (Linux 6.12, arch/x86/boot/compressed/Makefile), by
 * their first bytes. The unpacked size is known beforehand, so each fills one buffer.
 */
#include "unpack.h"

#include <lz4.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/platform/machine.h"

#define XZ_MEMORY_LIMIT (256ULL << 20)
#define LZ4_BLOCK_BYTES (8u << 20)

struct span {
    const uint8_t *in;
    size_t in_len;
    uint8_t *out;
    size_t out_len;
};

/* Each method returns how many bytes it made, or 0 when the data is damaged. */
typedef size_t (*unpack_fn)(const struct span *s);

static size_t unpack_gzip(const struct span *s)
{
    z_stream z = {.next_in = (Bytef *)s->in,
                  .avail_in = (uInt)s->in_len,
                  .next_out = s->out,
                  .avail_out = (uInt)s->out_len};

    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return 0;
    int rc = inflate(&z, Z_FINISH);
    size_t made = s->out_len - z.avail_out;
    inflateEnd(&z);
    return rc == Z_STREAM_END ? made : 0;
}

static size_t run_lzma(lzma_stream *z, const struct span *s)
{
    lzma_ret rc = LZMA_OK;

    z->next_in = s->in;
    z->avail_in = s->in_len;
    z->next_out = s->out;
    z->avail_out = s->out_len;
    while (rc == LZMA_OK) /* the check behind the last byte included */
        rc = lzma_code(z, LZMA_FINISH);
    size_t made = s->out_len - z->avail_out;
    lzma_end(z);
    return rc == LZMA_STREAM_END ? made : 0;
}

static size_t unpack_xz(const struct span *s)
{
    lzma_stream z = LZMA_STREAM_INIT;

    return lzma_stream_decoder(&z, XZ_MEMORY_LIMIT, 0) == LZMA_OK ? run_lzma(&z, s) : 0;
}

static size_t unpack_lzma(const struct span *s)
{
    lzma_stream z = LZMA_STREAM_INIT;

    return lzma_alone_decoder(&z, XZ_MEMORY_LIMIT) == LZMA_OK ? run_lzma(&z, s) : 0;
}

static size_t unpack_zstd(const struct span *s)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    ZSTD_inBuffer in = {.src = s->in, .size = s->in_len};
    ZSTD_outBuffer out = {.dst = s->out, .size = s->out_len};
    size_t rc = 1;

    while (rc && !ZSTD_isError(rc)) {
        size_t in_pos = in.pos, out_pos = out.pos;

        rc = ZSTD_decompressStream(z, &out, &in);
        if (in.pos == in_pos && out.pos == out_pos)
            break;
    }
    ZSTD_freeDStream(z);
    return ZSTD_isError(rc) ? 0 : out.pos;
}

/* The legacy frame: a magic number, then blocks of at most 8 MiB with their packed size. */
static size_t unpack_lz4(const struct span *s)
{
    size_t in = 4, out = 0;

    while (out < s->out_len) {
        if (s->in_len - in < 4)
            return 0;
        uint32_t packed = le32_load(s->in + in);
        in += 4;
        if (packed > s->in_len - in)
            return 0;
        size_t room = MIN(s->out_len - out, LZ4_BLOCK_BYTES);
        int made = LZ4_decompress_safe((const char *)s->in + in, (char *)s->out + out, (int)packed,
                                       (int)room);
        if (made <= 0)
            return 0;
        in += packed;
        out += (size_t)made;
    }
    return out;
}

static const struct method {
    const char *name;
    unpack_fn unpack; /* NULL: known, but no library here unpacks it */
    bool own_size;    /* the size at the end is part of the format, not appended to it */
    uint8_t magic_len;
    uint8_t magic[6];
} methods[] = {
    {"gzip", unpack_gzip, true, 2, {0x1f, 0x8b}},
    {"xz", unpack_xz, false, 6, {0xfd, '7', 'z', 'X', 'Z', 0}},
    {"zstd", unpack_zstd, false, 4, {0x28, 0xb5, 0x2f, 0xfd}},
    {"lz4", unpack_lz4, false, 4, {0x02, 0x21, 0x4c, 0x18}},
    {"lzma", unpack_lzma, false, 3, {0x5d, 0, 0}},
    {"bzip2", NULL, false, 3, {'B', 'Z', 'h'}},
    {"lzo", NULL, false, 4, {0x89, 'L', 'Z', 'O'}},
};

static const struct method *find_method(const uint8_t *in, size_t in_len)
{
    for (unsigned i = 0; i < ARRAY_LEN(methods); i++) {
        if (in_len >= methods[i].magic_len &&
            memcmp(in, methods[i].magic, methods[i].magic_len) == 0)
            return &methods[i];
    }
    return NULL;
}

GBytes *unpack_payload(const uint8_t *in, size_t in_len, uint64_t max_bytes, GError **error)
{
    const struct method *method = find_method(in, in_len);

    if (!method || !method->unpack || in_len < 8 || in_len > UINT32_MAX) {
        g_set_error(
            error, MACHINE_ERROR, MACHINE_ERROR_FILE,
            "the kernel is compressed with %s, which cannot be unpacked here; let it unpack "
            "itself with --enter=bzimage",
            method ? method->name : "an unknown method");
        return NULL;
    }
    uint32_t out_len = le32_load(in + in_len - 4);
    if (out_len > max_bytes) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_MEMORY,
                    "the kernel unpacks to %u MiB, more than the machine's memory of %u MiB; give "
                    "it more with --memory",
                    out_len >> 20, (unsigned)(max_bytes >> 20));
        return NULL;
    }
    struct span span = {
        .in = in, .in_len = in_len - (method->own_size ? 0 : 4), .out_len = out_len};
    span.out = g_try_malloc(out_len);
    if (!out_len || !span.out || method->unpack(&span) != out_len) {
        g_free(span.out);
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE,
                    "the kernel's %s payload is damaged: fetch or build the file again",
                    method->name);
        return NULL;
    }
    return g_bytes_new_take(span.out, out_len);
}
