/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Typed trace points and their sinks. Whoever has something to tell gives a typed record, with
 * trace_hit() or trace_emit(); with no sink interested the cost is one load and one branch. Words
 * are made of records by the sinks that want words (pcilab/trace/output.h), and by nobody else.
 *
 * The digest sink is a SHA-256 over the binary form of every TLP, interrupt and console byte with
 * its virtual time, in order; the other kinds are not part of it.
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
    TRACE_LINK,    /* a link changed state: text */
    /* Kinds whose events are points of pcilab/trace/points.h. */
    TRACE_DLLP,   /* DLLPs and replays, with link timing */
    TRACE_IOMMU,  /* translations, faults, invalidations */
    TRACE_ATS,    /* a function's side of Address Translation Services and Page Requests */
    TRACE_CONFIG, /* a function completes an access to its configuration space */
    TRACE_RESET,  /* resets and power states of functions */
    TRACE_CPU,    /* exceptions that a processor takes */
    TRACE_KIND_COUNT
};
#define TRACE_ALL ((1u << TRACE_KIND_COUNT) - 1)

#define TRACE_ARGS 5 /* that a point has at most */

struct trace_event {
    enum trace_kind kind;
    uint64_t time_ps;  /* 0: the clock's */
    const char *where; /* the component; stable name from the topology */
    const char *to;    /* TLPs: the port that it goes to; NULL: it stays inside `where` */
    bool down;         /* TLPs: away from the root complex */
    uint16_t point;    /* enum trace_point, of the kinds that have points; its arguments */
    uint64_t arg[TRACE_ARGS];
    const char *text;    /* rendered on demand by the emitter; NULL when there is none */
    const uint8_t *head; /* binary: TLP header, {cpu, vector} or {direction, byte} */
    size_t head_len;
    const uint8_t *body; /* TLP payload */
    size_t body_len;
};

struct trace_sink;
struct trace_select;
typedef void (*trace_sink_fn)(struct trace_sink *sink, const struct trace_event *event);

struct trace_sink {
    trace_sink_fn emit;
    uint32_t kinds; /* BIT(enum trace_kind) */
    /* What of these kinds it wants; NULL: everything. Not owned (pcilab/trace/select.h). */
    const struct trace_select *select;
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

/* A point was reached: its arguments, as many as it has, in the order of points.c. `time_ps`: 0 for
 * the clock's. For those who look whether anybody listens themselves; else trace_hit(). */
void trace_record(struct trace *trace, unsigned point, const char *where, uint64_t time_ps,
                  const uint64_t arg[TRACE_ARGS]);
#define trace_hit_at(owner, point, where, time_ps, ...)                                            \
    do {                                                                                           \
        struct trace *trace_hit_to = (owner);                                                      \
        if (trace_hit_to && __builtin_expect(trace_on(trace_hit_to, TRACE_KIND_OF(point)), 0))     \
            trace_record(trace_hit_to, (point), (where), (time_ps),                                \
                         (const uint64_t[TRACE_ARGS]){__VA_ARGS__});                               \
    } while (0)
#define trace_hit(owner, point, where, ...) trace_hit_at(owner, point, where, 0, __VA_ARGS__)

/* The digest over TLPs, interrupts and console bytes. */
struct trace_digest;
struct trace_digest *trace_digest_new(struct trace *trace);
/* 64 hexadecimal digits into out[65]; the digest goes on afterwards. */
void trace_digest_hex(struct trace_digest *digest, char out[65]);
void trace_digest_free(struct trace_digest *digest);

#endif
