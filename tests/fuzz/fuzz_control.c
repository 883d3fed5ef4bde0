/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes from a client of the control socket, in pieces, on a machine that they act on: each
 * line is answered at most once, in JSON, and nothing is left under way when the client has gone.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "pcilab/base/json_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A byte below 8 is no part of a line: the client pauses there. */
static size_t piece_of(const uint8_t *data, size_t size)
{
    size_t len = 0;

    while (len < size && data[len] >= 8)
        len++;
    return len;
}

static unsigned check_output(struct bench *b)
{
    char *text = bench_output(b), **lines = g_strsplit(text, "\n", -1);
    unsigned count = 0;

    for (; lines[count] && *lines[count]; count++) {
        JsonNode *node = json_line_parse(lines[count], strlen(lines[count]), NULL);

        g_assert(node && JSON_NODE_HOLDS_OBJECT(node));
        json_node_unref(node);
    }
    g_strfreev(lines);
    g_free(text);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned lines = 1, answers = 0;
    struct bench b;

    if (size > 65536)
        return 0;
    bench_open(&b, NULL);
    for (size_t at = 0; at < size; at++)
        lines += data[at] == '\n';
    for (size_t at = 0; at < size;) {
        size_t len = piece_of(data + at, size - at);

        bench_send(&b, data + at, len, 20 * PS_PER_US);
        at += len + (at + len < size);
        answers += check_output(&b);
    }
    bench_send(&b, NULL, 0, 200 * PS_PER_US);
    answers += check_output(&b);
    g_assert(answers <= lines);
    bench_close(&b);
    return 0;
}
