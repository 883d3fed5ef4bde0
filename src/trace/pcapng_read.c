/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading what pcapng.c writes: blocks, and the events in them. */
#include "pcapng.h"
#include "reader.h"

#include "pcilab/base/le.h"
#include "pcilab/trace/points.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define BLOCK_MAX       (1u << 20)
#define BLOCK_FIXED     12u /* type, length, length again */
#define SECTION_OPTIONS 24u
#define OPTION_FIXED    4u

/* 1: there is one; 0: the file ends before it; -1: with *error. */
static int read_block(struct trace_reader *reader, char **error)
{
    uint8_t head[8];
    size_t got = fread(head, 1, sizeof(head), reader->file);
    uint32_t len;

    if (!got && !ferror(reader->file)) {
        return 0;
    }
    len = got == sizeof(head) ? le32_load(head + 4) : 0;
    if (got == sizeof(head) && (len < BLOCK_FIXED || len % 4 || len > BLOCK_MAX)) {
        *error = trace_reader_fail(reader, "the block at byte %" PRIu64 " is none", reader->count);
        return -1;
    }
    if (got == sizeof(head)) {
        g_byte_array_set_size(reader->block, len);
        memcpy(reader->block->data, head, sizeof(head));
        got = fread(reader->block->data + sizeof(head), 1, len - sizeof(head), reader->file);
    }
    if (!len || got != len - sizeof(head)) {
        *error = ferror(reader->file)
                     ? trace_reader_fail(reader, "%s", g_strerror(errno))
                     : trace_reader_fail(reader, "cut short: in the block at byte %" PRIu64,
                                         reader->count);
        return -1;
    }
    if (le32_load(reader->block->data + len - 4) != len) {
        *error =
            trace_reader_fail(reader, "the block at byte %" PRIu64 " is broken", reader->count);
        return -1;
    }
    reader->count += len;
    return 1;
}

/* The comment of the section, or NULL. g_free() it. */
static char *section_comment(const GByteArray *block)
{
    size_t at = SECTION_OPTIONS, end = block->len - 4;

    while (at + OPTION_FIXED <= end) {
        unsigned code = le16_load(block->data + at), len = le16_load(block->data + at + 2);

        at += OPTION_FIXED;
        if (code == PCAPNG_OPT_END || at + len > end) {
            return NULL;
        }
        if (code == PCAPNG_OPT_COMMENT) {
            return g_strndup((const char *)block->data + at, len);
        }
        at += (len + 3) & ~3u;
    }
    return NULL;
}

bool trace_pcapng_begin(struct trace_reader *reader, char **error)
{
    static const char words[] = "pcilab trace ";
    int got = read_block(reader, error);
    char *comment;

    if (got <= 0) {
        return false;
    }
    if (reader->block->len < SECTION_OPTIONS + 4 ||
        le32_load(reader->block->data) != PCAPNG_SECTION ||
        le32_load(reader->block->data + 8) != PCAPNG_MAGIC) {
        *error = trace_reader_fail(reader, "this is no pcapng file of pcilab");
        return false;
    }
    comment = section_comment(reader->block);
    if (!comment || !g_str_has_prefix(comment, words)) {
        *error = trace_reader_fail(reader, "this pcapng file is not of pcilab");
    } else if (strtoul(comment + strlen(words), NULL, 10) != TRACE_VERSION) {
        *error = trace_reader_bad_version(reader, comment + strlen(words));
    }
    g_free(comment);
    return !*error;
}

/* The values of a point's fields; false: they are cut short. */
static bool take_fields(struct trace_event *event, const uint8_t *data, size_t len)
{
    unsigned count = len ? data[0] : 0;
    size_t at = 1;

    for (unsigned i = 0; i < count; i++) {
        size_t name = at < len ? data[at] : 0;
        size_t value = at + 1 + name + 1;

        if (value + FIELD_FIXED - 2 > len) {
            return false;
        }
        if (i < TRACE_ARGS) {
            event->arg[i] = le64_load(data + value);
        }
        at = value + 9 + data[value + 8];
    }
    return at <= len;
}

/* One line of text, whatever a file says: control characters would break it, or a terminal. */
static char *take_text(const char *data, size_t len)
{
    char *text = g_strndup(data, len);

    for (char *c = text; *c; c++) {
        if (g_ascii_iscntrl(*c)) {
            *c = '?';
        }
    }
    return text;
}

static void take_names(struct trace_reader *reader, struct trace_event *event, const uint8_t *data)
{
    const char *names = (const char *)data + EVENT_HEADER;
    unsigned from_len = data[EVENT_FROM_LEN], to_len = data[EVENT_TO_LEN];

    g_free(reader->where);
    g_free(reader->to);
    reader->where = take_text(names, from_len);
    reader->to = to_len ? take_text(names + from_len, to_len) : NULL;
    event->where = reader->where;
    event->to = reader->to;
}

/* An event out of the bytes of a packet. */
static bool take_event(struct trace_reader *reader, struct trace_event *event, const uint8_t *data,
                       size_t len)
{
    size_t at, head_len;

    if (len < EVENT_HEADER || data[EVENT_VERSION] != TRACE_VERSION ||
        data[EVENT_KIND] >= TRACE_KIND_COUNT) {
        return false;
    }
    at = EVENT_HEADER + (size_t)data[EVENT_FROM_LEN] + data[EVENT_TO_LEN];
    head_len = le16_load(data + EVENT_HEAD_LEN);
    if (len < at + head_len) {
        return false;
    }
    *event = (struct trace_event){
        .kind = data[EVENT_KIND],
        .time_ps = le64_load(data + EVENT_TIME),
        .down = data[EVENT_FLAGS] & EVENT_FLAG_DOWN,
    };
    take_names(reader, event, data);
    if (event->kind >= TRACE_DLLP) {
        event->point = (uint16_t)TRACE_POINT(event->kind, data[EVENT_POINT]);
        return take_fields(event, data + at, len - at);
    }
    if (event->kind == TRACE_RULE || event->kind == TRACE_STATE || event->kind == TRACE_LINK) {
        g_free(reader->text);
        event->text = reader->text = take_text((const char *)data + at, len - at);
        return true;
    }
    event->head = data + at;
    event->head_len = head_len;
    event->body = data + at + head_len;
    event->body_len = len - at - head_len;
    return true;
}

const char *trace_pcapng_next(struct trace_reader *reader, const struct trace_select *select,
                              const char **words, char **error)
{
    const GByteArray *block = reader->block;
    struct trace_event event;
    uint32_t len;

    while (read_block(reader, error) > 0) {
        if (le32_load(block->data) != PCAPNG_PACKET) {
            continue;
        }
        len = block->len >= PCAPNG_PACKET_FIXED ? le32_load(block->data + 20) : UINT32_MAX;
        if (len > block->len - PCAPNG_PACKET_FIXED ||
            !take_event(reader, &event, block->data + PCAPNG_PACKET_FIXED - 4, len)) {
            *error = trace_reader_fail(reader, "the packet before byte %" PRIu64 " is no event",
                                       reader->count);
            return NULL;
        }
        if (!select || trace_select_wants(select, &event)) {
            trace_line(&event, reader->render_tlp, reader->words);
            reader->words[strlen(reader->words) - 1] = '\0';
            *words = strchr(reader->words, ']') + 2;
            return reader->words;
        }
    }
    return NULL;
}
