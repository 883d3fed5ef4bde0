/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last events, to be shown when something went wrong, and all that was said of rules. */
#include <string.h>

#include "internal.h"
#include "pcilab/base/bits.h"

#define LAST      24
#define TEXTS_MAX 4096
#define HEAD_MAX  48

/* A TLP is kept as bytes: nobody looks at most of them. */
struct last {
    uint64_t time_ps;
    enum trace_kind kind;
    const char *where;
    char *text;
    uint8_t head[HEAD_MAX];
    size_t head_len, body_len;
};

struct events {
    struct trace_sink sink;
    struct trace *trace;
    struct last last[LAST];
    uint64_t count;
    GPtrArray *texts; /* "component: words" of rules and states, the first TEXTS_MAX */
};

static void keep(struct trace_sink *sink, const struct trace_event *event)
{
    struct events *events = CONTAINER_OF(sink, struct events, sink);
    struct last *last = &events->last[events->count++ % LAST];

    g_free(last->text);
    *last = (struct last){.time_ps = event->time_ps,
                          .kind = event->kind,
                          .where = event->where,
                          .text = g_strdup(event->text),
                          .head_len = MIN(event->head_len, HEAD_MAX),
                          .body_len = event->body_len};
    if (event->head)
        memcpy(last->head, event->head, last->head_len);
    if (event->text && events->texts->len < TEXTS_MAX)
        g_ptr_array_add(events->texts, g_strdup_printf("%s: %s", event->where, event->text));
}

struct events *events_new(struct machine *machine, uint32_t kinds)
{
    struct events *events = g_new0(struct events, 1);

    events->trace = machine_trace(machine);
    events->texts = g_ptr_array_new_with_free_func(g_free);
    events->sink.emit = keep;
    events->sink.kinds = kinds;
    trace_add_sink(events->trace, &events->sink);
    return events;
}

void events_free(struct events *events)
{
    if (!events)
        return;
    trace_remove_sink(events->trace, &events->sink);
    for (unsigned i = 0; i < LAST; i++)
        g_free(events->last[i].text);
    g_ptr_array_unref(events->texts);
    g_free(events);
}

static void describe(const struct last *last, char *out, size_t out_len)
{
    /* The payload is not kept; what describes a TLP tells its length only. */
    uint8_t *body = g_malloc0(last->body_len + 1);
    struct trace_event event = {.kind = last->kind,
                                .head = last->head,
                                .head_len = last->head_len,
                                .body = body,
                                .body_len = last->body_len};

    if (last->text)
        g_strlcpy(out, last->text, out_len);
    else
        fabric_render_tlp(&event, out, out_len);
    g_free(body);
}

char *events_text(const struct events *events)
{
    GString *text = g_string_new(NULL);
    char words[256];

    for (uint64_t i = events->count > LAST ? events->count - LAST : 0; i < events->count; i++) {
        const struct last *last = &events->last[i % LAST];

        describe(last, words, sizeof(words));
        g_string_append_printf(text, "%14.6f us  %-8s %s\n", (double)last->time_ps / 1e6,
                               last->where ? last->where : "", words);
    }
    return g_string_free(text, FALSE);
}

/* saw(words): how often a rule or a state change in these words was told. */
int verb_saw(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);
    const char *words = luaL_checkstring(lua, 1);
    lua_Integer count = 0;

    need_machine(lua);
    for (unsigned i = 0; i < s->events->texts->len; i++)
        count += strstr(s->events->texts->pdata[i], words) != NULL;
    lua_pushinteger(lua, count);
    return 1;
}
