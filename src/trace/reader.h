/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the readers of the two forms. */
#ifndef PCILAB_SRC_TRACE_READER_H
#define PCILAB_SRC_TRACE_READER_H

#include "pcilab/trace/reader.h"

struct trace_reader {
    FILE *file;
    char *name;
    trace_render_fn render_tlp;
    bool binary;
    uint64_t count; /* lines, or bytes, so far */
    char *line;
    size_t line_size;
    char *where, *to, *text; /* of the event at hand */
    GByteArray *block;
    char words[TRACE_LINE_BYTES];
};

/* "NAME: ..."; to be freed. */
char *trace_reader_fail(const struct trace_reader *reader, const char *format, ...)
    G_GNUC_PRINTF(2, 3);
char *trace_reader_bad_version(const struct trace_reader *reader, const char *version);

bool trace_pcapng_begin(struct trace_reader *reader, char **error);
const char *trace_pcapng_next(struct trace_reader *reader, const struct trace_select *select,
                              const char **words, char **error);

#endif
