/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading traces: which form it is, and texts. pcapng is in pcapng_read.c. */
#include "reader.h"

#include "pcilab/base/bits.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define PS_PER_SECOND UINT64_C(1000000000000)

char *trace_reader_fail(const struct trace_reader *reader, const char *format, ...)
{
    va_list args;
    char *text, *all;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    all = g_strdup_printf("%s: %s", reader->name, text);
    g_free(text);
    return all;
}

char *trace_reader_bad_version(const struct trace_reader *reader, const char *version)
{
    return trace_reader_fail(reader,
                             "a trace of version %.20s, of another pcilab; this one reads "
                             "version %u",
                             *version ? version : "unknown", TRACE_VERSION);
}

/* Without its newline; NULL at the end, or with *error. */
static char *text_line(struct trace_reader *reader, char **error)
{
    ssize_t len = getline(&reader->line, &reader->line_size, reader->file);

    if (len < 0) {
        if (ferror(reader->file)) {
            *error = trace_reader_fail(reader, "%s", g_strerror(errno));
        }
        return NULL;
    }
    reader->count++;
    if (!len || reader->line[len - 1] != '\n') {
        *error =
            trace_reader_fail(reader, "cut short: line %" PRIu64 " is not whole", reader->count);
        return NULL;
    }
    reader->line[len - 1] = '\0';
    return reader->line;
}

static bool text_begin(struct trace_reader *reader, char **error)
{
    const size_t head = strlen(TRACE_TEXT_HEAD);
    const char *line = text_line(reader, error);

    if (line && (strncmp(line, TRACE_TEXT_HEAD, head) != 0 ||
                 strtoul(line + head, NULL, 10) != TRACE_VERSION)) {
        *error = strncmp(line, TRACE_TEXT_HEAD, head) == 0
                     ? trace_reader_bad_version(reader, line + head)
                     : trace_reader_fail(reader, "this is no trace of pcilab");
    } else if (!line && !*error) {
        *error = trace_reader_fail(reader, "it is empty");
    }
    return !*error;
}

static bool kind_of_name(const char *name, size_t len, enum trace_kind *kind)
{
    for (unsigned i = 0; i < TRACE_KIND_COUNT; i++) {
        const char *other = trace_kind_name((enum trace_kind)i);

        if (strlen(other) == len && strncmp(other, name, len) == 0) {
            *kind = (enum trace_kind)i;
            return true;
        }
    }
    return false;
}

static bool take_number(const char **at, uint64_t max, uint64_t *value)
{
    char *end;

    if (!g_ascii_isdigit(**at)) {
        return false;
    }
    *value = g_ascii_strtoull(*at, &end, 10);
    *at = end;
    return *value <= max;
}

/* "[SECONDS.PICOSECONDS] COMPONENT: KIND WORDS" */
static bool text_parse(struct trace_reader *reader, const char *line, struct trace_event *event,
                       const char **words)
{
    const char *at = line, *colon, *kind;
    uint64_t seconds, ps;

    if (*at++ != '[') {
        return false;
    }
    at += strspn(at, " ");
    if (!take_number(&at, UINT64_MAX / PS_PER_SECOND - 1, &seconds) || *at++ != '.' ||
        strspn(at, "0123456789") != 12 || !take_number(&at, PS_PER_SECOND - 1, &ps) ||
        strncmp(at, "] ", 2) != 0) {
        return false;
    }
    *words = at + 2;
    colon = strstr(*words, ": ");
    if (!colon) {
        return false;
    }
    kind = colon + 2;
    g_free(reader->where);
    reader->where = g_strndup(*words, (size_t)(colon - *words));
    *event = (struct trace_event){.time_ps = seconds * PS_PER_SECOND + ps, .where = reader->where};
    return kind_of_name(kind, strcspn(kind, " "), &event->kind);
}

static const char *text_next(struct trace_reader *reader, const struct trace_select *select,
                             const char **words, char **error)
{
    struct trace_event event;
    const char *line;

    while ((line = text_line(reader, error))) {
        if (!text_parse(reader, line, &event, words)) {
            *error = trace_reader_fail(reader, "line %" PRIu64 " is no event", reader->count);
            return NULL;
        }
        if (!select || trace_select_wants(select, &event)) {
            return line;
        }
    }
    return NULL;
}

struct trace_reader *trace_reader_new(FILE *file, const char *name, trace_render_fn render_tlp,
                                      char **error)
{
    struct trace_reader *reader = g_new0(struct trace_reader, 1);
    int first = getc(file);

    *error = NULL;
    reader->file = file;
    reader->name = g_strdup(name);
    reader->render_tlp = render_tlp;
    reader->block = g_byte_array_new();
    ungetc(first, file);
    reader->binary = first == 0x0a;
    if (first == '{') {
        *error = trace_reader_fail(reader, "JSON is for Perfetto; text and pcapng can be read");
    } else if (reader->binary) {
        trace_pcapng_begin(reader, error);
    } else {
        text_begin(reader, error);
    }
    if (*error) {
        trace_reader_free(reader);
        return NULL;
    }
    return reader;
}

void trace_reader_free(struct trace_reader *reader)
{
    if (!reader) {
        return;
    }
    fclose(reader->file);
    free(reader->line); /* getline()'s */
    g_byte_array_unref(reader->block);
    g_free(reader->where);
    g_free(reader->to);
    g_free(reader->text);
    g_free(reader->name);
    g_free(reader);
}

const char *trace_reader_next(struct trace_reader *reader, const struct trace_select *select,
                              const char **words, char **error)
{
    *error = NULL;
    return reader->binary ? trace_pcapng_next(reader, select, words, error)
                          : text_next(reader, select, words, error);
}
