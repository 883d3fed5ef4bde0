/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON of Chrome's trace viewer, which Perfetto reads too ("Trace Event Format"): processes are
 * links, devices, IOMMUs, processors and the platform, their threads are components. A non-posted
 * request and its last completion on the same link are one span of that link; all else is an
 * instant.
 */
#include "output.h"

#include "pcilab/base/bits.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

#define PS_PER_US   UINT64_C(1000000)
#define OPEN_MAX    65536 /* requests that wait for a completion; then all are forgotten */
#define WORDS_BYTES 512
#define TRACK_PIDS  5

enum track { TRACK_LINKS = 1, TRACK_DEVICES, TRACK_IOMMUS, TRACK_PROCESSORS, TRACK_PLATFORM };

static const char *const track_names[TRACK_PIDS] = {"Links", "Devices", "IOMMUs", "Processors",
                                                    "Platform"};

struct json {
    GHashTable *tracks; /* "PID NAME" -> thread ID */
    GHashTable *open;   /* "PORT REQUESTER TAG" of requests under way */
};

/* What of a TLP's header is needed here (PCIe Base 6.0, 2.2). */
struct glance {
    bool posted, completion, last;
    unsigned requester, tag;
};

static bool glance(const struct trace_event *event, struct glance *g)
{
    const uint8_t *h = event->head;
    size_t left = event->head_len;

    while (left >= 4 && h[0] >> 5 == 4) { /* prefixes */
        h += 4;
        left -= 4;
    }
    if (left < 12) {
        return false;
    }
    unsigned fmt = h[0] >> 5, type = h[0] & 0x1f, high = (h[1] & 0x80u) << 2 | (h[1] & 8u) << 5;
    unsigned bytes = (h[6] & 0xfu) << 8 | h[7], length = (h[2] & 3u) << 8 | h[3];

    g->completion = type == 0x0a || type == 0x0b;
    g->posted = (type == 0 && fmt >= 2) || (type & 0x18) == 0x10;
    g->requester = g->completion ? (unsigned)(h[8] << 8 | h[9]) : (unsigned)(h[4] << 8 | h[5]);
    g->tag = (g->completion ? h[10] : h[6]) | high;
    bytes = bytes ? bytes : 4096;
    length = length ? length : 1024;
    /* 2.2.9.1: the last one carries all of Byte Count; the first may begin within a doubleword. */
    g->last = g->completion && (fmt == 0 || bytes <= length * 4 - (h[11] & 3u));
    return true;
}

static void put_string(struct trace_output *output, const char *text)
{
    trace_output_write(output, "\"", 1);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            trace_output_print(output, "\\%c", c);
        } else if (c < 0x20 || c >= 0x7f) {
            trace_output_print(output, "\\u%04x", c);
        } else {
            trace_output_write(output, text, 1);
        }
    }
    trace_output_write(output, "\"", 1);
}

static unsigned track_of(struct trace_output *output, enum track pid, const char *name)
{
    struct json *j = output->state;
    char *key = g_strdup_printf("%d %s", (int)pid, name);
    unsigned tid = GPOINTER_TO_UINT(g_hash_table_lookup(j->tracks, key));

    if (tid) {
        g_free(key);
        return tid;
    }
    tid = g_hash_table_size(j->tracks) + 1;
    g_hash_table_insert(j->tracks, key, GUINT_TO_POINTER(tid));
    trace_output_print(output,
                       ",\n{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%d,\"tid\":%u,"
                       "\"args\":{\"name\":",
                       (int)pid, tid);
    put_string(output, name);
    trace_output_print(output, "}}");
    return tid;
}

static enum track pid_of(const struct trace_event *event)
{
    switch (event->kind) {
    case TRACE_TLP: return event->to ? TRACK_LINKS : TRACK_DEVICES;
    case TRACE_LINK:
    case TRACE_DLLP: return TRACK_LINKS;
    case TRACE_IOMMU: return TRACK_IOMMUS;
    case TRACE_IRQ:
    case TRACE_CPU: return TRACK_PROCESSORS;
    case TRACE_CONSOLE: return TRACK_PLATFORM;
    default: return TRACK_DEVICES;
    }
}

static void put_common(struct trace_output *output, const struct trace_event *event,
                       const char *phase, const char *words)
{
    enum track pid = pid_of(event);
    const char *where = event->where ? event->where : "-";
    char cpu[16];

    if (event->kind == TRACE_IRQ && event->head_len == 2) {
        g_snprintf(cpu, sizeof(cpu), "cpu%u", event->head[0]);
        where = cpu;
    }
    unsigned tid = track_of(output, pid, where);
    size_t name_len =
        strcspn(words, event->kind == TRACE_TLP || event->kind >= TRACE_DLLP ? " " : "");
    char *name = g_strndup(words, name_len);

    trace_output_print(output,
                       ",\n{\"ph\":\"%s\",\"pid\":%d,\"tid\":%u,\"ts\":%" PRIu64 ".%06" PRIu64
                       ",\"cat\":\"%s\",\"name\":",
                       phase, (int)pid, tid, event->time_ps / PS_PER_US, event->time_ps % PS_PER_US,
                       trace_kind_name(event->kind));
    put_string(output, name);
    trace_output_print(output, ",\"args\":{\"words\":");
    put_string(output, words);
    trace_output_print(output, "}");
    g_free(name);
}

/* A request begins a span on its link, its last completion ends it. */
static bool put_span(struct trace_output *output, const struct trace_event *event,
                     const char *words)
{
    struct json *j = output->state;
    struct glance g;
    char key[256];
    gpointer id;

    if (!event->to || !glance(event, &g) || g.posted || (g.completion && !g.last)) {
        return false;
    }
    g_snprintf(key, sizeof(key), "%s %04x %u", g.completion ? event->to : event->where, g.requester,
               g.tag);
    id = g_hash_table_lookup(j->open, key);
    if (g.completion) {
        struct trace_event end = *event;

        if (!id) {
            return false;
        }
        end.where = event->to; /* of the request's direction */
        put_common(output, &end, "e", id);
        trace_output_print(output, ",\"id\":");
        put_string(output, key);
        trace_output_print(output, "}");
        g_hash_table_remove(j->open, key);
        return false; /* and the completion is an instant of its own */
    }
    if (g_hash_table_size(j->open) >= OPEN_MAX) {
        g_hash_table_remove_all(j->open);
    }
    g_hash_table_insert(j->open, g_strdup(key), g_strdup(words));
    put_common(output, event, "b", words);
    trace_output_print(output, ",\"id\":");
    put_string(output, key);
    trace_output_print(output, "}");
    return true;
}

static void json_begin(struct trace_output *output)
{
    struct json *j = g_new0(struct json, 1);

    output->state = j;
    j->tracks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    j->open = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    trace_output_print(output,
                       "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"pcilab trace\":\"%u\"},\n"
                       "\"traceEvents\":[\n",
                       TRACE_VERSION);
    for (unsigned i = 0; i < TRACK_PIDS; i++) {
        trace_output_print(output,
                           "%s{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%u,"
                           "\"args\":{\"name\":\"%s\"}}",
                           i ? ",\n" : "", i + 1, track_names[i]);
    }
}

static void json_event(struct trace_output *output, const struct trace_event *event)
{
    char words[WORDS_BYTES];

    words[0] = '\0';
    trace_words(event, output->render_tlp, words, sizeof(words));
    if (event->kind == TRACE_TLP && put_span(output, event, words)) {
        return;
    }
    put_common(output, event, "i", words);
    trace_output_print(output, ",\"s\":\"t\"}");
}

static void json_end(struct trace_output *output)
{
    struct json *j = output->state;

    trace_output_print(output, "\n]}\n");
    g_hash_table_unref(j->tracks);
    g_hash_table_unref(j->open);
    g_free(j);
}

const struct trace_format_ops trace_json_ops = {json_begin, json_event, json_end};
