/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line an event, as dmesg prints them: time in seconds with all its picoseconds, component,
 * kind, what happened. */
#include "output.h"

#include "pcilab/trace/points.h"

#include <ctype.h>
#include <glib.h>
#include <inttypes.h>

#define PS_PER_SECOND UINT64_C(1000000000000)
#define WORDS_BYTES   512

static void render_hex(const struct trace_event *event, char *out, size_t out_len)
{
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < event->head_len && at + 3 < out_len; i++) {
        at += (size_t)snprintf(out + at, out_len - at, "%s%02x", i ? " " : "", event->head[i]);
    }
    if (event->body_len && at < out_len) {
        snprintf(out + at, out_len - at, " + %zu bytes", event->body_len);
    }
}

void trace_words(const struct trace_event *event, trace_render_fn render_tlp, char *out,
                 size_t out_len)
{
    if (event->text) {
        g_strlcpy(out, event->text, out_len);
    } else if (event->kind >= TRACE_DLLP) {
        trace_point_words(event, out, out_len);
    } else if (event->kind == TRACE_TLP && render_tlp) {
        render_tlp(event, out, out_len);
    } else if (event->kind == TRACE_IRQ && event->head_len == 2) {
        snprintf(out, out_len, "cpu %u vector 0x%02x", event->head[0], event->head[1]);
    } else if (event->kind == TRACE_CONSOLE && event->head_len == 2) {
        unsigned byte = event->head[1];

        snprintf(out, out_len, "%s 0x%02x '%c'", event->head[0] ? "in" : "out", byte,
                 isascii((int)byte) && isprint((int)byte) ? (int)byte : '.');
    } else {
        render_hex(event, out, out_len);
    }
}

void trace_line(const struct trace_event *event, trace_render_fn render_tlp, char *line)
{
    char words[WORDS_BYTES];

    words[0] = '\0';
    trace_words(event, render_tlp, words, sizeof(words));
    for (char *c = words; *c; c++) { /* one line, whatever a guest's words have in them */
        if (iscntrl((unsigned char)*c)) {
            *c = '?';
        }
    }
    snprintf(line, TRACE_LINE_BYTES, "[%5" PRIu64 ".%012" PRIu64 "] %.160s: %s %s\n",
             event->time_ps / PS_PER_SECOND, event->time_ps % PS_PER_SECOND,
             event->where ? event->where : "-", trace_kind_name(event->kind), words);
}

static void text_begin(struct trace_output *output)
{
    trace_output_print(output, TRACE_TEXT_HEAD "%u\n", TRACE_VERSION);
}

static void text_event(struct trace_output *output, const struct trace_event *event)
{
    char line[TRACE_LINE_BYTES];

    trace_line(event, output->render_tlp, line);
    trace_output_print(output, "%s", line);
}

static void text_end(struct trace_output *output)
{
    (void)output;
}

const struct trace_format_ops trace_text_ops = {text_begin, text_event, text_end};
