/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sinks that write files: text of one line an event, pcapng for Wireshark, and the JSON that
 * Perfetto and chrome://tracing read. docs/tracing.md describes the forms.
 */
#ifndef PCILAB_TRACE_OUTPUT_H
#define PCILAB_TRACE_OUTPUT_H

#include <stdio.h>

#include "pcilab/trace/select.h"

/* Of text and pcapng; a reader takes no other. */
#define TRACE_VERSION   1
#define TRACE_TEXT_HEAD "# pcilab trace "

enum trace_format { TRACE_TEXT, TRACE_PCAPNG, TRACE_JSON };

/* Words for a TLP: the fabric has some. */
typedef void (*trace_render_fn)(const struct trace_event *event, char *out, size_t out_len);

struct trace_output;

struct trace_output_params {
    enum trace_format format;
    FILE *out;                         /* not owned */
    const struct trace_select *select; /* not owned, lasts as long as the output */
    trace_render_fn render_tlp;        /* or NULL */
};

struct trace_output *trace_output_new(struct trace *trace,
                                      const struct trace_output_params *params);
/* Ends the file. 0, or the errno of what could not be written: nothing after it was. */
int trace_output_free(struct trace_output *output);

/* The words of an event, cut short to `out_len`: all of a line but its time, component and kind. */
void trace_words(const struct trace_event *event, trace_render_fn render_tlp, char *out,
                 size_t out_len);
/* A line of text for it, with its newline; `line` is a buffer of at least TRACE_LINE_BYTES. */
#define TRACE_LINE_BYTES 768
void trace_line(const struct trace_event *event, trace_render_fn render_tlp, char *line);

#endif
