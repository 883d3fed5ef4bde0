/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the sinks that write files and what they have in common. */
#ifndef PCILAB_SRC_TRACE_OUTPUT_H
#define PCILAB_SRC_TRACE_OUTPUT_H

#include "pcilab/trace/output.h"

struct trace_output {
    struct trace_sink sink;
    struct trace *trace;
    FILE *out;
    int error; /* errno of the first write that failed; nothing is written then */
    trace_render_fn render_tlp;
    const struct trace_format_ops *ops;
    void *state; /* of the format */
};

struct trace_format_ops {
    void (*begin)(struct trace_output *output);
    void (*event)(struct trace_output *output, const struct trace_event *event);
    void (*end)(struct trace_output *output); /* writes nothing after an error */
};

extern const struct trace_format_ops trace_text_ops, trace_pcapng_ops, trace_json_ops;

void trace_output_write(struct trace_output *output, const void *data, size_t len);
void trace_output_print(struct trace_output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
