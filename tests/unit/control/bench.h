/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small machine without a guest whose words a client has by its bytes. */
#ifndef PCILAB_TESTS_CONTROL_BENCH_H
#define PCILAB_TESTS_CONTROL_BENCH_H

#include "pcilab/control/control.h"
#include "pcilab/platform/machine.h"
#include "pcilab/scenario/live.h"

struct bench {
    struct machine *machine;
    struct scenario_live *live;
    struct control *control;
    struct control_peer *peer;
    struct trace_digest *digest;
};

/* `log`: NULL: neither kept nor from a log. */
void bench_open(struct bench *b, const struct sim_input_log *log);
void bench_close(struct bench *b);
/* The client sends this, and so much virtual time goes by. */
void bench_send(struct bench *b, const void *bytes, size_t len, uint64_t time_ps);
/* What the client got since; g_free() it. */
char *bench_output(struct bench *b);

#endif
