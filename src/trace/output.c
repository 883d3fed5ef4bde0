/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of traces: what their forms have in common. */
#include "output.h"

#include "pcilab/base/bits.h"

#include <errno.h>
#include <glib.h>
#include <stdarg.h>

static void failed(struct trace_output *output)
{
    output->error = errno ? errno : EIO;
}

void trace_output_write(struct trace_output *output, const void *data, size_t len)
{
    if (!output->error && len && fwrite(data, 1, len, output->out) != len) {
        failed(output);
    }
}

void trace_output_print(struct trace_output *output, const char *format, ...)
{
    va_list args;

    if (output->error) {
        return;
    }
    va_start(args, format);
    if (vfprintf(output->out, format, args) < 0) {
        failed(output);
    }
    va_end(args);
}

static void output_emit(struct trace_sink *sink, const struct trace_event *event)
{
    struct trace_output *output = CONTAINER_OF(sink, struct trace_output, sink);

    if (!output->error) {
        output->ops->event(output, event);
    }
}

struct trace_output *trace_output_new(struct trace *trace, const struct trace_output_params *params)
{
    static const struct trace_format_ops *const ops[] = {
        [TRACE_TEXT] = &trace_text_ops,
        [TRACE_PCAPNG] = &trace_pcapng_ops,
        [TRACE_JSON] = &trace_json_ops,
    };
    struct trace_output *output = g_new0(struct trace_output, 1);

    output->sink.emit = output_emit;
    output->sink.kinds = trace_select_kinds(params->select);
    output->sink.select = params->select;
    output->trace = trace;
    output->out = params->out;
    output->render_tlp = params->render_tlp;
    output->ops = ops[params->format];
    output->ops->begin(output);
    trace_add_sink(trace, &output->sink);
    return output;
}

int trace_output_free(struct trace_output *output)
{
    int error;

    if (!output) {
        return 0;
    }
    trace_remove_sink(output->trace, &output->sink);
    output->ops->end(output);
    if (!output->error && fflush(output->out) != 0) {
        failed(output);
    }
    error = output->error;
    g_free(output);
    return error;
}
