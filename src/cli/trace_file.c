/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is traced, and where to. */
#include "trace_file.h"

#include <errno.h>
#include <string.h>

#include "cli.h"
#include "pcilab/config/units.h"
#include "pcilab/fabric/fabric.h"

#define TRACE_BYTES (1u << 20) /* of buffer */

void trace_options_add(GOptionContext *context, struct trace_options *o)
{
    const GOptionEntry entries[] = {
        {"trace", 0, 0, G_OPTION_ARG_STRING, &o->what,
         "Trace to stderr: some of tlp,link,dllp,irq,iommu,ats,config,reset,cpu,rule,state,console,"
         " each with :COMPONENT if of one alone; alone: all",
         "KINDS"},
        {"trace-file", 0, 0, G_OPTION_ARG_FILENAME, &o->path,
         "Trace to FILE; FILE.pcapng is for Wireshark, FILE.json for Perfetto", "FILE"},
        {"trace-format", 0, 0, G_OPTION_ARG_STRING, &o->format_name,
         "Whatever FILE is called: text, pcapng or json", "FORMAT"},
        {"from", 0, 0, G_OPTION_ARG_STRING, &o->from, "Trace from this virtual time on", "TIME"},
        {"to", 0, 0, G_OPTION_ARG_STRING, &o->to, "... and before this one", "TIME"},
        {NULL}};

    g_option_context_add_main_entries(context, entries, NULL);
}

void trace_options_clear(struct trace_options *o)
{
    g_free(o->what);
    g_free(o->from);
    g_free(o->to);
    g_free(o->path);
    g_free(o->format_name);
    trace_select_free(o->select);
    memset(o, 0, sizeof(*o));
}

static bool take_time(const char *option, const char *text, uint64_t *ps)
{
    if (!text || units_parse_time(text, ps)) {
        return true;
    }
    cli_error("%s \"%s\" is not allowed; it is a virtual time like 2s or 2.1ms", option, text);
    return false;
}

static bool take_format(struct trace_options *o)
{
    static const char *const names[] = {"text", "pcapng", "json"};

    if (!o->format_name) {
        o->format = o->path && g_str_has_suffix(o->path, ".pcapng") ? TRACE_PCAPNG
                    : o->path && g_str_has_suffix(o->path, ".json") ? TRACE_JSON
                                                                    : TRACE_TEXT;
        return true;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(o->format_name, names[i]) == 0) {
            o->format = (enum trace_format)i;
            return true;
        }
    }
    cli_error("--trace-format %s is not allowed; it is text, pcapng or json", o->format_name);
    return false;
}

bool trace_options_take(struct trace_options *o)
{
    uint64_t from_ps = 0, to_ps = UINT64_MAX;
    char *error;

    if (!o->what && !o->path) {
        if (o->from || o->to || o->format_name) {
            cli_error("--from, --to and --trace-format are about a trace: add --trace or "
                      "--trace-file FILE");
            return false;
        }
        return true;
    }
    if (!take_time("--from", o->from, &from_ps) || !take_time("--to", o->to, &to_ps) ||
        !take_format(o)) {
        return false;
    }
    if (to_ps <= from_ps) {
        cli_error("--to %s: that is not after --from %s", o->to, o->from ? o->from : "0s");
        return false;
    }
    o->select = trace_select_parse(o->what ? o->what : "all", &error);
    if (!o->select) {
        cli_error("--trace=%s is not allowed: %s", o->what, error);
        g_free(error);
        return false;
    }
    trace_select_set_span(o->select, from_ps, to_ps);
    return true;
}

/* What reports under a name of its own, beside the components of the topology. */
static bool is_of_board(const char *name)
{
    static const char *const names[] = {"lapic", "uart", "cpu", "board", NULL};

    return g_strv_contains(names, name) ||
           (g_str_has_prefix(name, "cpu") && name[3] >= '0' && name[3] <= '7' && !name[4]);
}

bool trace_options_check(const struct trace_options *o, const struct machine_desc *desc)
{
    const char *name;

    for (unsigned i = 0; o->select && (name = trace_select_component(o->select, i)); i++) {
        char *base = g_strndup(name, strcspn(name, "."));
        bool known = machine_desc_find(desc, base) >= 0 || is_of_board(name);

        g_free(base);
        if (!known) {
            cli_error("--trace=%s: there is no component \"%s\" in this machine", o->what, name);
            return false;
        }
    }
    return true;
}

bool trace_file_open(struct trace_file *trace, const struct trace_options *options)
{
    trace->options = options;
    if (!options->select) {
        return true;
    }
    trace->file = options->path ? fopen(options->path, "we") : stderr;
    if (!trace->file) {
        cli_error("--trace-file %s: %s", options->path, g_strerror(errno));
        return false;
    }
    if (options->path) {
        setvbuf(trace->file, NULL, _IOFBF, TRACE_BYTES);
    }
    return true;
}

void trace_file_attach(struct trace_file *trace, struct machine *machine)
{
    if (trace->file) {
        const struct trace_output_params params = {
            .format = trace->options->format,
            .out = trace->file,
            .select = trace->options->select,
            .render_tlp = fabric_render_tlp,
        };

        trace->output = trace_output_new(machine_trace(machine), &params);
    }
}

bool trace_file_close(struct trace_file *trace)
{
    int error = trace_output_free(trace->output);

    if (trace->file && trace->file != stderr && fclose(trace->file) != 0 && !error) {
        error = errno;
    }
    if (error) {
        cli_error("the trace is not complete: %s%s%s",
                  trace->options->path ? trace->options->path : "",
                  trace->options->path ? ": " : "", g_strerror(error));
    }
    *trace = (struct trace_file){0};
    return !error;
}

void trace_options_spell_out(char **words)
{
    for (unsigned i = 1; words[i] && strcmp(words[i], "--") != 0; i++) {
        if (strcmp(words[i], "--trace") == 0) {
            g_free(words[i]);
            words[i] = g_strdup("--trace=all");
        }
    }
}
