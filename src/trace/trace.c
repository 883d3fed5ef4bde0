/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pcilab/trace/trace.h"

#include "pcilab/base/bits.h"
#include "pcilab/trace/points.h"
#include "pcilab/trace/select.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

static void trace_recount(struct trace *trace)
{
    trace->kinds = 0;
    for (struct trace_sink *s = trace->sinks; s; s = s->next) {
        trace->kinds |= s->kinds;
    }
}

void trace_add_sink(struct trace *trace, struct trace_sink *sink)
{
    struct trace_sink **link = &trace->sinks;

    assert(sink->emit);
    while (*link) {
        assert(*link != sink && "a sink is added once");
        link = &(*link)->next;
    }
    sink->next = NULL;
    *link = sink;
    trace_recount(trace);
}

void trace_remove_sink(struct trace *trace, struct trace_sink *sink)
{
    for (struct trace_sink **link = &trace->sinks; *link; link = &(*link)->next) {
        if (*link == sink) {
            *link = sink->next;
            sink->next = NULL;
            break;
        }
    }
    trace_recount(trace);
}

void trace_emit(struct trace *trace, struct trace_event *event)
{
    uint32_t kind = (uint32_t)BIT(event->kind);

    if (!event->time_ps && trace->now_ps) {
        event->time_ps = *trace->now_ps;
    }
    for (struct trace_sink *s = trace->sinks; s; s = s->next) {
        if ((s->kinds & kind) && (!s->select || trace_select_wants(s->select, event))) {
            s->emit(s, event);
        }
    }
}

void trace_say(struct trace *trace, enum trace_kind kind, const char *where, const char *format,
               ...)
{
    char text[256];
    struct trace_event event = {.kind = kind, .where = where, .text = text};
    va_list args;

    if (!trace_on(trace, kind)) {
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    trace_emit(trace, &event);
}

void trace_record(struct trace *trace, unsigned point, const char *where, uint64_t time_ps,
                  const uint64_t arg[TRACE_ARGS])
{
    struct trace_event event = {
        .kind = TRACE_KIND_OF(point), .time_ps = time_ps, .where = where, .point = (uint16_t)point};

    memcpy(event.arg, arg, sizeof(event.arg));
    trace_emit(trace, &event);
}
