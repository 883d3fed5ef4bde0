/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that may be compressed: gzip (RFC 1952), xz, zstd (RFC 8878). */
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "pcilab/io/unpack.h"

#define OUT_BYTES_MAX (1u << 30)
#define PIECE_BYTES   (256u << 10)
#define XZ_MEMORY     (256u << 20)

/* Room for another piece at the end; NULL: that is too much. */
static uint8_t *grow(GByteArray *out, size_t have)
{
    if (have > OUT_BYTES_MAX - PIECE_BYTES) {
        return NULL;
    }
    g_byte_array_set_size(out, (guint)have + PIECE_BYTES);
    return out->data + have;
}

static bool unpack_gzip(const uint8_t *data, size_t len, GByteArray *out)
{
    z_stream z = {.next_in = (Bytef *)data, .avail_in = (uInt)len};
    size_t have = 0;
    int result = inflateInit2(&z, 16 + MAX_WBITS);

    while (result == Z_OK && (z.next_out = grow(out, have))) {
        z.avail_out = PIECE_BYTES;
        result = inflate(&z, Z_NO_FLUSH);
        have += PIECE_BYTES - z.avail_out;
    }
    inflateEnd(&z);
    g_byte_array_set_size(out, (guint)have);
    return result == Z_STREAM_END;
}

static bool unpack_xz(const uint8_t *data, size_t len, GByteArray *out)
{
    lzma_stream z = LZMA_STREAM_INIT;
    size_t have = 0;
    lzma_ret result = lzma_stream_decoder(&z, XZ_MEMORY, LZMA_CONCATENATED);

    z.next_in = data;
    z.avail_in = len;
    while (result == LZMA_OK && (z.next_out = grow(out, have))) {
        z.avail_out = PIECE_BYTES;
        result = lzma_code(&z, LZMA_FINISH);
        have += PIECE_BYTES - z.avail_out;
    }
    lzma_end(&z);
    g_byte_array_set_size(out, (guint)have);
    return result == LZMA_STREAM_END;
}

static bool unpack_zstd(const uint8_t *data, size_t len, GByteArray *out)
{
    ZSTD_DCtx *z = ZSTD_createDCtx();
    ZSTD_inBuffer in = {data, len, 0};
    size_t have = 0, result = 1;

    while (result && !ZSTD_isError(result)) {
        ZSTD_outBuffer piece = {grow(out, have), PIECE_BYTES, 0};
        if (!piece.dst) {
            break;
        }
        result = ZSTD_decompressStream(z, &piece, &in);
        have += piece.pos;
        if (in.pos == in.size && piece.pos < PIECE_BYTES) {
            break; /* the end, of a whole frame or not */
        }
    }
    ZSTD_freeDCtx(z);
    g_byte_array_set_size(out, (guint)have);
    return result == 0;
}

static const struct {
    const char *name;
    uint8_t magic[6];
    unsigned magic_len;
    bool (*unpack)(const uint8_t *data, size_t len, GByteArray *out);
} formats[] = {
    {"gzip", {0x1f, 0x8b}, 2, unpack_gzip},
    {"xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6, unpack_xz},
    {"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, unpack_zstd},
};

GByteArray *unpack_file(const char *path, GError **error)
{
    gchar *data;
    gsize len;

    if (!g_file_get_contents(path, &data, &len, error)) {
        return NULL;
    }
    for (unsigned i = 0; len <= OUT_BYTES_MAX && i < G_N_ELEMENTS(formats); i++) {
        if (len < formats[i].magic_len || memcmp(data, formats[i].magic, formats[i].magic_len)) {
            continue;
        }
        GByteArray *out = g_byte_array_new();
        if (!formats[i].unpack((const uint8_t *)data, len, out)) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s: not a whole %s file", path,
                        formats[i].name);
            g_clear_pointer(&out, g_byte_array_unref);
        }
        g_free(data);
        return out;
    }
    if (len > OUT_BYTES_MAX) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM, "%s: larger than 1 GiB", path);
        g_free(data);
        return NULL;
    }
    return g_byte_array_new_take((guint8 *)data, len);
}
