/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a recording is of: all that makes a run, but for its inputs. */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "boot_record.h"
#include "cli.h"
#include "pcilab/base/le.h"
#include "pcilab/io/block.h"

/* In the file: what counts, and what people call it where that is something else. */
#define COUNTS "run"
#define CALLED "called"

#define PIECE_BYTES (1u << 20)

static char *finish(EVP_MD_CTX *ctx)
{
    uint8_t sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    int ok = EVP_DigestFinal_ex(ctx, sum, &len);
    GString *hex = g_string_new("sha256:");

    g_assert(ok == 1);
    for (unsigned i = 0; i < len; i++) {
        g_string_append_printf(hex, "%02x", sum[i]);
    }
    EVP_MD_CTX_free(ctx);
    return g_string_free(hex, FALSE);
}

static EVP_MD_CTX *begin(void)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);

    g_assert(ok == 1);
    return ctx;
}

static bool put_file(GKeyFile *file, const char *key, const char *path)
{
    EVP_MD_CTX *ctx = begin();
    GError *error = NULL;
    char *bytes;
    gsize len;

    if (!g_file_get_contents(path, &bytes, &len, &error)) {
        cli_error("%s", error->message);
        g_error_free(error);
        EVP_MD_CTX_free(ctx);
        return false;
    }
    (void)EVP_DigestUpdate(ctx, bytes, len);
    g_free(bytes);
    char *sum = finish(ctx);
    g_key_file_set_string(file, COUNTS, key, sum);
    g_key_file_set_string(file, CALLED, key, path);
    g_free(sum);
    return true;
}

/* The sum of size and pieces that are not all zero, each after its place: holes cost no more than
 * reading them. */
static bool put_disk(GKeyFile *file, const struct machine_disk *disk)
{
    static const uint8_t zeros[PIECE_BYTES];
    EVP_MD_CTX *ctx = begin();
    uint64_t size = block_size_bytes(disk->image);
    uint8_t *piece = g_malloc(PIECE_BYTES), place[8];
    int err = 0;

    for (uint64_t at = 0; at < size && !err; at += PIECE_BYTES) {
        uint64_t len = MIN(size - at, PIECE_BYTES);
        err = block_read(disk->image, at, piece, len);
        if (!err && memcmp(piece, zeros, len) != 0) {
            le64_store(place, at);
            (void)EVP_DigestUpdate(ctx, place, sizeof(place));
            (void)EVP_DigestUpdate(ctx, piece, len);
        }
    }
    g_free(piece);
    char *sum = finish(ctx), *key = g_strdup_printf("disk %s", disk->name);
    char *value = g_strdup_printf("%" G_GUINT64_FORMAT " bytes%s, %s", size,
                                  block_read_only(disk->image) ? ", write-protected" : "", sum);
    if (err) {
        cli_error("--disk %s: %s", disk->name, g_strerror(-err));
    }
    g_key_file_set_string(file, COUNTS, key, value);
    g_free(value);
    g_free(key);
    g_free(sum);
    return !err;
}

char *boot_identity_text(const struct boot_identity *identity)
{
    GKeyFile *file = g_key_file_new();
    char *const none[] = {NULL}, *const *pokes = identity->pokes ? identity->pokes : none;
    bool ok = put_file(file, "topology", identity->topology) &&
              put_file(file, "kernel", identity->kernel) &&
              (!identity->initrd || put_file(file, "initrd", identity->initrd));

    g_key_file_set_string(file, COUNTS, "command line", identity->cmdline);
    g_key_file_set_uint64(file, COUNTS, "seed", identity->seed);
    g_key_file_set_uint64(file, COUNTS, "memory", identity->memory_bytes);
    g_key_file_set_uint64(file, COUNTS, "cpus", identity->cpus);
    g_key_file_set_string(file, COUNTS, "timing", identity->timing ? identity->timing : "");
    g_key_file_set_string_list(file, COUNTS, "at", (const char *const *)pokes,
                               g_strv_length((char **)pokes));
    g_key_file_set_string(file, COUNTS, "enter", identity->enter_bzimage ? "bzimage" : "kernel");
    g_key_file_set_boolean(file, COUNTS, "no-reboot", identity->no_reboot);
    g_key_file_set_boolean(file, COUNTS, "allow-splat panic", identity->panic_expected);
    for (unsigned i = 0; ok && identity->disks && i < identity->disks->len; i++) {
        ok = put_disk(file, &g_array_index(identity->disks, struct machine_disk, i));
    }
    char *text = ok ? g_key_file_to_data(file, NULL, NULL) : NULL;
    g_key_file_free(file);
    return text;
}

/* g_free() it. */
static char *show(GKeyFile *file, const char *key)
{
    char *value = g_key_file_get_value(file, COUNTS, key, NULL);
    char *called = g_key_file_get_value(file, CALLED, key, NULL);
    char *text = !value   ? g_strdup("none")
                 : called ? g_strdup_printf("%s, %s", called, value)
                          : g_strdup_printf("\"%s\"", value);

    g_free(called);
    g_free(value);
    return text;
}

static bool same(GKeyFile *recorded, GKeyFile *now, const char *key)
{
    char *a = g_key_file_get_value(recorded, COUNTS, key, NULL);
    char *b = g_key_file_get_value(now, COUNTS, key, NULL);
    bool equal = g_strcmp0(a, b) == 0;

    g_free(a);
    g_free(b);
    return equal;
}

/* Says the keys of `from` that differ; with `missing` only those that the other does not have. */
static bool compare(const char *path, GKeyFile *files[2], GKeyFile *from, GKeyFile *missing)
{
    char **keys = g_key_file_get_keys(from, COUNTS, NULL, NULL);
    bool ok = true;

    for (unsigned i = 0; keys && keys[i]; i++) {
        if (same(files[0], files[1], keys[i]) ||
            (missing && g_key_file_has_key(missing, COUNTS, keys[i], NULL))) {
            continue;
        }
        char *before = show(files[0], keys[i]), *now = show(files[1], keys[i]);
        cli_error("--replay %s: another %s: recorded with %s, now %s", path, keys[i], before, now);
        g_free(before);
        g_free(now);
        ok = false;
    }
    g_strfreev(keys);
    return ok;
}

bool boot_identity_check(const char *path, const char *recorded, const char *now)
{
    GKeyFile *files[2] = {g_key_file_new(), g_key_file_new()};
    bool ok = g_key_file_load_from_data(files[0], recorded, (gsize)-1, 0, NULL);

    if (!ok) {
        cli_error("--replay %s: damaged: its description", path);
    } else {
        (void)g_key_file_load_from_data(files[1], now, (gsize)-1, 0, NULL);
        ok = compare(path, files, files[0], NULL);
        ok &= compare(path, files, files[1], files[0]);
    }
    g_key_file_free(files[0]);
    g_key_file_free(files[1]);
    return ok;
}
