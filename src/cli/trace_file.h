/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options about traces, and the file that one goes to. */
#ifndef PCILAB_CLI_TRACE_FILE_H
#define PCILAB_CLI_TRACE_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

#include "pcilab/platform/machine.h"
#include "pcilab/trace/output.h"

struct trace_options {
    char *what, *from, *to, *path, *format_name; /* as typed; NULL: not */
    enum trace_format format;
    struct trace_select *select; /* NULL: no trace is wanted */
};

void trace_options_add(GOptionContext *context, struct trace_options *options);
/* Makes sense of what was typed; reports errors itself. */
bool trace_options_take(struct trace_options *options);
void trace_options_clear(struct trace_options *options);
/* Every component that was asked for is in the machine; reports errors itself. */
bool trace_options_check(const struct trace_options *options, const struct machine_desc *desc);

/* Opened before the machine is made, closed before it is gone. Zero: none. */
struct trace_file {
    const struct trace_options *options;
    FILE *file;
    struct trace_output *output;
};

/* Reports errors itself; without a wish for a trace there is nothing to do. */
bool trace_file_open(struct trace_file *trace, const struct trace_options *options);
void trace_file_attach(struct trace_file *trace, struct machine *machine);
/* The file is whole then. False: it is not, and that was said. */
bool trace_file_close(struct trace_file *trace);

/* glib would take the word after a bare --trace for its value: that becomes --trace=all. In place;
 * up to "--". */
void trace_options_spell_out(char **words);

#endif
