/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run's inputs from a file, which is taken for hostile: all of it is checked when it is opened.
 */
#include <string.h>
#include <zlib.h>

#include "pcilab/base/le.h"
#include "pcilab/io/record.h"
#include "record.h"

struct record {
    char *contents; /* of a file, or NULL */
    const uint8_t *bytes;
    size_t good; /* bytes up to the last whole entry */
    size_t first;
    char *description;
    GPtrArray *sources;                  /* names, NULL at the end */
    uint16_t number[RECORD_SOURCES_MAX]; /* of `sources`, by the file's; 0: none, else 1 more */
    bool cut;
    uint64_t time_ps; /* of the entry that was checked last */
    struct record_end last;
    /* Where the next one of each kind may be. */
    size_t answers, posts, marks;
};

struct view {
    uint8_t kind, source;
    uint32_t len;
    uint64_t at_ps;
    const uint8_t *data;
    size_t total_bytes;
};

/* False: not all of it is there. */
static bool look(const uint8_t *bytes, size_t left, struct view *view)
{
    if (left < RECORD_ENTRY_BYTES + RECORD_CRC_BYTES) {
        return false;
    }
    *view = (struct view){.kind = bytes[0],
                          .source = bytes[1],
                          .len = le32_load(bytes + 4),
                          .at_ps = le64_load(bytes + 8),
                          .data = bytes + RECORD_ENTRY_BYTES};
    view->total_bytes = (size_t)view->len + RECORD_ENTRY_BYTES + RECORD_CRC_BYTES;
    return view->total_bytes <= left;
}

static uint32_t len_max(uint8_t kind)
{
    static const struct {
        uint8_t kind;
        uint32_t len;
    } rows[] = {{'s', SIM_INPUT_NAME_MAX},
                {'i', SIM_INPUT_BYTES_MAX},
                {'a', SIM_INPUT_BYTES_MAX},
                {'m', RECORD_MARK_BYTES},
                {'e', RECORD_END_BYTES}};

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].kind == kind) {
            return rows[i].len;
        }
    }
    return 0;
}

static bool take_source(struct record *record, const struct view *view)
{
    if (!view->len || memchr(view->data, 0, view->len) || record->number[view->source]) {
        return false;
    }
    g_ptr_array_add(record->sources, g_strndup((const char *)view->data, view->len));
    record->number[view->source] = (uint16_t)record->sources->len;
    return true;
}

static void take_end(struct record *record, const struct view *view)
{
    record->cut = false;
    record->last.status = le32_load(view->data + 8);
    record->last.from_outside = le32_load(view->data + 12) != 0;
}

/* False: it is none of ours. */
static bool take_entry(struct record *record, const struct view *view)
{
    bool fixed = view->kind == 'm' || view->kind == 'e', ok = true;

    if (view->at_ps < record->time_ps || view->len > len_max(view->kind) || !len_max(view->kind) ||
        (fixed && view->len != len_max(view->kind)) ||
        le32_load(view->data + view->len) !=
            crc32(0, view->data - RECORD_ENTRY_BYTES, view->len + RECORD_ENTRY_BYTES)) {
        return false;
    }
    if (view->kind == 's') {
        ok = take_source(record, view);
    } else if (!fixed) {
        ok = view->len && record->number[view->source];
    } else {
        record->last.mark =
            (struct record_mark){view->at_ps, le64_load(view->data), view->kind == 'e'};
    }
    if (view->kind == 'e') {
        take_end(record, view);
    }
    record->time_ps = view->at_ps;
    return ok;
}

static struct record *refuse(struct record *record, GError **error, const char *what)
{
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, what);
    record_free(record);
    return NULL;
}

static bool take_entries(struct record *record, size_t len, GError **error)
{
    size_t at = record->first;
    struct view view = {0};

    record->cut = true;
    while (look(record->bytes + at, len - at, &view)) {
        if (!record->cut || !take_entry(record, &view)) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                        "damaged: the entry at byte %" G_GSIZE_FORMAT " is none", at);
            return false;
        }
        at += view.total_bytes;
    }
    if (at != len && (!record->cut ||
                      (len - at >= RECORD_ENTRY_BYTES && view.len > len_max(record->bytes[at])))) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "damaged: the entry at byte %" G_GSIZE_FORMAT " is none", at);
        return false;
    }
    record->good = at;
    g_ptr_array_add(record->sources, NULL);
    return true;
}

struct record *record_parse(const uint8_t *bytes, size_t len, GError **error)
{
    struct record *record = g_new0(struct record, 1);

    record->bytes = bytes;
    record->sources = g_ptr_array_new_with_free_func(g_free);
    if (len < RECORD_MAGIC_BYTES || memcmp(bytes, RECORD_MAGIC, RECORD_MAGIC_BYTES) != 0) {
        return refuse(record, error, "not a recording of pcilab boot --record");
    }
    if (len < RECORD_HEAD_BYTES) {
        return refuse(record, error, "cut before anything was recorded");
    }
    if (le32_load(bytes + RECORD_MAGIC_BYTES) != RECORD_VERSION) {
        return refuse(record, error,
                      "a recording of another version of the format; this pcilab "
                      "reads version 1");
    }
    uint32_t text = le32_load(bytes + RECORD_MAGIC_BYTES + 4);
    if (text > RECORD_DESCRIPTION_MAX) {
        return refuse(record, error, "damaged: its head");
    }
    record->first = (size_t)text + RECORD_HEAD_BYTES + RECORD_CRC_BYTES;
    if (record->first > len) {
        return refuse(record, error, "cut before anything was recorded");
    }
    if (le32_load(bytes + text + RECORD_HEAD_BYTES) != crc32(0, bytes, text + RECORD_HEAD_BYTES)) {
        return refuse(record, error, "damaged: its head");
    }
    record->description = g_strndup((const char *)bytes + RECORD_HEAD_BYTES, text);
    if (!take_entries(record, len, error)) {
        record_free(record);
        return NULL;
    }
    record->answers = record->posts = record->marks = record->first;
    return record;
}

struct record *record_open(const char *path, GError **error)
{
    char *contents;
    gsize len;

    if (!g_file_get_contents(path, &contents, &len, error)) {
        return NULL;
    }
    struct record *record = record_parse((const uint8_t *)contents, len, error);
    if (!record) {
        g_prefix_error(error, "%s: ", path);
        g_free(contents);
        return NULL;
    }
    record->contents = contents;
    return record;
}

void record_free(struct record *record)
{
    if (!record) {
        return;
    }
    g_ptr_array_unref(record->sources);
    g_free(record->description);
    g_free(record->contents);
    g_free(record);
}

const char *record_description(const struct record *record)
{
    return record->description;
}

const struct record_end *record_last(const struct record *record)
{
    return &record->last;
}

bool record_is_cut(const struct record *record)
{
    return record->cut;
}

const char *const *record_sources(const struct record *record)
{
    return (const char *const *)record->sources->pdata;
}

/* The next entry of one of these kinds from *at on. */
static bool seek(const struct record *record, size_t *at, const char *kinds, struct view *view)
{
    while (*at < record->good && look(record->bytes + *at, record->good - *at, view)) {
        *at += view->total_bytes;
        if (strchr(kinds, view->kind)) {
            return true;
        }
    }
    return false;
}

bool record_next(void *opaque, enum sim_input_kind kind, struct sim_input_entry *entry)
{
    struct record *record = opaque;
    bool answer = kind == SIM_INPUT_ANSWER;
    struct view view;

    if (!seek(record, answer ? &record->answers : &record->posts, answer ? "a" : "i", &view)) {
        return false;
    }
    *entry = (struct sim_input_entry){
        .at_ps = view.at_ps,
        .kind = kind,
        .source = record->sources->pdata[record->number[view.source] - 1],
        .bytes = view.data,
        .len = view.len,
    };
    return true;
}

bool record_next_mark(struct record *record, struct record_mark *mark)
{
    struct view view;

    if (!seek(record, &record->marks, "me", &view)) {
        return false;
    }
    *mark = (struct record_mark){view.at_ps, le64_load(view.data), view.kind == 'e'};
    return true;
}
