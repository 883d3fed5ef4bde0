/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bench: two ports with a link of the model's between them, link timing, nothing behind them.
 * What a port receives it can keep, so that its buffer stays full; every DLLP is on record. For
 * what a whole machine cannot be made to do.
 */
#ifndef PCILAB_SRC_CONFORM_BENCH_H
#define PCILAB_SRC_CONFORM_BENCH_H

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/fabric/fabric.h"
#include "pcilab/trace/points.h"

#define BENCH_SPEED     3u        /* 8.0 GT/s: a symbol takes 1 ns */
#define BENCH_SYMBOL_PS PS_PER_NS /* 4.2.2 */
#define BENCH_WIDTH     4u

struct bench;

struct bench_seen {
    uint32_t id;
    uint64_t time_ps;
};

struct bench_end {
    struct port port;
    struct bench *bench;
    struct bench_end *other;
    GArray *seen;          /* struct bench_seen, as received */
    bool keep[LINK_FLOWS]; /* what arrives stays in the buffer */
    struct tlp_queue kept;
    unsigned errors[LINK_ERROR_COUNT];
    unsigned downs, trainings;
    unsigned unsupported; /* completions that the port made itself (2.9.1) */
};

/* A DLLP as it is put on the wire, or a replay. */
struct bench_dllp {
    const struct port *sender;
    unsigned point; /* enum trace_point */
    uint64_t time_ps;
    uint64_t arg[TRACE_ARGS];
};

struct bench {
    struct conform_ctx *t;
    struct sim sim;
    struct trace trace;
    struct trace_sink sink;
    struct fabric *fabric;
    struct bench_end upper, lower; /* of the port that faces down, of the one that faces up */
    GArray *dllps;                 /* struct bench_dllp */
};

/* NULL, and t says so, where a mutant is judged that is no flaw. `params` NULL: the
 * defaults; link timing in any case. */
struct bench *bench_new(struct conform_ctx *t, const struct link_params *params);
void bench_free(struct bench *bench);
void bench_run_us(struct bench *bench, unsigned us);
/* Its id is in `addr`. */
struct tlp *bench_tlp(struct bench *bench, enum tlp_type type, unsigned payload_dw, uint32_t id);
void bench_send(struct bench_end *from, struct tlp *tlp);
/* Memory writes of so many doublewords with ids from `first` on. */
void bench_write(struct bench_end *from, unsigned count, unsigned dw, uint32_t first);
/* The receiver has room again: for the oldest that it keeps, or for all and for what comes. */
void bench_let_one_go(struct bench_end *end);
void bench_let_go(struct bench_end *end);
void bench_fault(struct bench_end *sender, enum link_fault_kind kind, uint64_t after,
                 uint64_t count);

/* The first that arrived with this id, as its place in the order; -1: it did not. */
int bench_place(const struct bench_end *end, uint32_t id);
/* Fails unless ids 0 to count - 1 arrived, each once and in order. */
void bench_check_exact(struct bench_end *end, unsigned count);
unsigned bench_dllps(struct bench *bench, const struct bench_end *from, unsigned point);
const struct bench_dllp *bench_last(struct bench *bench, const struct bench_end *from,
                                    unsigned point);
const struct bench_dllp *bench_first(struct bench *bench, const struct bench_end *from,
                                     unsigned point);
void bench_forget(struct bench *bench);

/* A procedure that is a body with a bench. */
#define BENCH_PROCEDURE(name)                                                                      \
    static void name##_body(struct conform_ctx *t, struct bench *b);                               \
    static void name(struct conform_ctx *t)                                                        \
    {                                                                                              \
        struct bench *b = bench_new(t, NULL);                                                      \
                                                                                                   \
        if (b) {                                                                                   \
            name##_body(t, b);                                                                     \
            bench_free(b);                                                                         \
        }                                                                                          \
    }                                                                                              \
    static void name##_body(struct conform_ctx *t, struct bench *b)

#define BEHAVIOUR(i, grp, sec, fn, p, text)                                                        \
    {                                                                                              \
        .id = i, .group = grp, .document = CONFORM_PCIE, .section = sec, .needs = CONFORM_LAB,     \
        .procedure = fn, .param = p, .requirement = text                                           \
    }

#endif
