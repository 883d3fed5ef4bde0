/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line an event: time in seconds with all its picoseconds, component, kind, what happened. */
#include "pcilab/base/bits.h"
#include "pcilab/trace/trace.h"

#include <ctype.h>
#include <glib.h>
#include <inttypes.h>

#define PS_PER_SECOND UINT64_C(1000000000000)
#define LINE_BYTES    512

struct trace_text {
    struct trace_sink sink;
    struct trace *trace;
    FILE *out;
    trace_render_fn render_tlp;
};

static const char *const kind_names[TRACE_KIND_COUNT] = {
    [TRACE_TLP] = "tlp",   [TRACE_IRQ] = "irq",     [TRACE_CONSOLE] = "console",
    [TRACE_RULE] = "rule", [TRACE_STATE] = "state",
};

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

static void text_render(const struct trace_text *t, const struct trace_event *event, char *out,
                        size_t out_len)
{
    if (event->text) {
        g_strlcpy(out, event->text, out_len);
    } else if (event->kind == TRACE_TLP && t->render_tlp) {
        t->render_tlp(event, out, out_len);
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

static void text_emit(struct trace_sink *sink, const struct trace_event *event)
{
    struct trace_text *t = CONTAINER_OF(sink, struct trace_text, sink);
    char what[LINE_BYTES];

    what[0] = '\0';
    text_render(t, event, what, sizeof(what));
    fprintf(t->out, "%5" PRIu64 ".%012" PRIu64 " %-8s %-7s %s\n", event->time_ps / PS_PER_SECOND,
            event->time_ps % PS_PER_SECOND, event->where ? event->where : "-",
            kind_names[event->kind], what);
}

struct trace_text *trace_text_new(struct trace *trace, FILE *out, uint32_t kinds,
                                  trace_render_fn render_tlp)
{
    struct trace_text *t = g_new0(struct trace_text, 1);

    t->sink.emit = text_emit;
    t->sink.kinds = kinds;
    t->trace = trace;
    t->out = out;
    t->render_tlp = render_tlp;
    trace_add_sink(trace, &t->sink);
    return t;
}

void trace_text_free(struct trace_text *text)
{
    if (!text) {
        return;
    }
    trace_remove_sink(text->trace, &text->sink);
    fflush(text->out);
    g_free(text);
}
