/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces that were written to files, text or pcapng, event by event. A file may hold anything. */
#ifndef PCILAB_TRACE_READER_H
#define PCILAB_TRACE_READER_H

#include "pcilab/trace/output.h"

struct trace_reader;

/* Takes the file, which is closed in the end, and is named in errors. NULL with *error, to be
 * freed: it is no trace that can be read. */
struct trace_reader *trace_reader_new(FILE *file, const char *name, trace_render_fn render_tlp,
                                      char **error);
void trace_reader_free(struct trace_reader *reader);
/*
 * The next event that `select` (or NULL) wants, as a line without its newline, good until the next
 * call; *words are its words, after the time. NULL: there is none, or what comes is broken or cut
 * short, which *error says (to be freed; else it is NULL). Texts do not tell where TLPs go: there
 * they belong to the component that sent them alone.
 */
const char *trace_reader_next(struct trace_reader *reader, const struct trace_select *select,
                              const char **words, char **error);

#endif
