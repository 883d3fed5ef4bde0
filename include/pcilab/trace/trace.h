/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Typed trace points and their sinks. Whoever has something to tell fills a struct trace_event and
 * calls trace_emit(); with no sink interested the cost is one load and one branch.
 *
 * The digest sink is a SHA-256 over the binary form of every TLP, interrupt and console byte with
 * its virtual time, in order. The text sink prints one line an event.
 */
#ifndef PCILAB_TRACE_TRACE_H
#define PCILAB_TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum trace_kind {
    TRACE_TLP,     /* a TLP leaves a port: wire header and payload */
    TRACE_IRQ,     /* a processor takes an interrupt */
    TRACE_CONSOLE, /* a byte crosses the serial port */
    TRACE_RULE,    /* a rule was broken: text names it */
    TRACE_STATE,   /* a component changed state: text */
    TRACE_KIND_COUNT
};

struct trace_event {
    enum trace_kind kind;
    uint64_t time_ps;    /* 0: the clock's */
    const char *where;   /* the component; stable name from the topology */
    const char *text;    /* rendered on demand by the emitter; NULL when there is none */
    const uint8_t *head; /* binary: TLP header, {cpu, vector} or {direction, byte} */
    size_t head_len;
    const uint8_t *body; /* TLP payload */
    size_t body_len;
};

struct trace_sink;
typedef void (*trace_sink_fn)(struct trace_sink *sink, const struct trace_event *event);

struct trace_sink {
    trace_sink_fn emit;
    uint32_t kinds; /* BIT(enum trace_kind) */
    struct trace_sink *next;
};

struct trace {
    uint32_t kinds; /* union over the sinks */
    struct trace_sink *sinks;
    const uint64_t *now_ps; /* the clock; set by the machine */
};

static inline bool trace_on(const struct trace *trace, enum trace_kind kind)
{
    return trace->kinds >> kind & 1;
}

void trace_add_sink(struct trace *trace, struct trace_sink *sink);
void trace_remove_sink(struct trace *trace, struct trace_sink *sink);
/* Stamps the time, unless the event has one of its own, and hands the event to every sink that
 * wants its kind. */
void trace_emit(struct trace *trace, struct trace_event *event);
/* A broken rule or a state change in words; formats only when a sink listens. */
void trace_say(struct trace *trace, enum trace_kind kind, const char *where, const char *format,
               ...) __attribute__((format(printf, 4, 5)));

/* The digest over TLPs, interrupts and console bytes. */
struct trace_digest;
struct trace_digest *trace_digest_new(struct trace *trace);
/* 64 hexadecimal digits into out[65]; the digest goes on afterwards. */
void trace_digest_hex(struct trace_digest *digest, char out[65]);
void trace_digest_free(struct trace_digest *digest);

/* One line an event to `out` (not owned). Renders TLPs through `render` (set by the fabric). */
typedef void (*trace_render_fn)(const struct trace_event *event, char *out, size_t out_len);
struct trace_text;
struct trace_text *trace_text_new(struct trace *trace, FILE *out, uint32_t kinds,
                                  trace_render_fn render_tlp);
void trace_text_free(struct trace_text *text);

#endif
