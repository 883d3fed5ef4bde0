/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results of scenarios: TAP (testanything.org, version 13), JUnit XML, a page. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pcilab/base/whole_file.h"
#include "pcilab/config/units.h"
#include "run.h"

void run_case_free(void *result)
{
    struct run_case *c = result;

    scenario_report_clear(&c->report);
    g_free(c->path);
    g_free(c->purpose);
    g_free(c->clause);
    g_free(c->failures);
    g_free(c->variant);
    g_clear_pointer(&c->each, g_ptr_array_unref);
    g_free(c);
}

bool run_case_passed(const struct run_case *c)
{
    return c->seeds ? !c->seeds_failed : c->report.result == SCENARIO_PASSED;
}

/* TAP. */

void run_tap_begin(FILE *out, unsigned count, const struct run_options *o)
{
    fprintf(out, "TAP version 13\n1..%u\n", count);
    if (o) {
        fprintf(out, "# seed %" G_GUINT64_FORMAT "\n", o->seed);
    }
    fflush(out);
}

/* A block of YAML: every line is indented. */
static void print_block(FILE *out, const char *key, const char *text)
{
    char **lines = g_strsplit(text, "\n", -1);

    fprintf(out, "  %s: |\n", key);
    for (unsigned i = 0; lines[i]; i++) {
        if (*lines[i]) {
            fprintf(out, "    %s\n", lines[i]);
        }
    }
    g_strfreev(lines);
}

static void print_lines(FILE *out, const char *mark, const GPtrArray *lines)
{
    for (unsigned i = 0; i < lines->len; i++) {
        char **parts = g_strsplit(lines->pdata[i], "\n", -1);
        for (unsigned p = 0; parts[p]; p++) {
            fprintf(out, "# %s%s\n", mark, parts[p]);
        }
        g_strfreev(parts);
    }
}

static void print_failure(FILE *out, const struct run_case *c)
{
    fprintf(out, "  ---\n");
    if (c->report.message) {
        print_block(out, "message", c->report.message);
    }
    if (c->failures) {
        print_block(out, "failures", c->failures);
    }
    if (c->report.events && *c->report.events) {
        print_block(out, "events", c->report.events);
    }
    fprintf(out, "  ...\n");
}

void run_tap_case(FILE *out, unsigned number, const struct run_case *c, const struct run_options *o)
{
    char *took = units_format_time(c->report.virtual_ps);

    if (o && o->verbose && c->report.checks) {
        print_lines(out, "ok: ", c->report.checks);
    }
    if (c->report.said) {
        print_lines(out, "", c->report.said);
    }
    fprintf(out, "%s %u - %s%s%s: %s\n", run_case_passed(c) ? "ok" : "not ok", number, c->path,
            c->variant ? ", " : "", c->variant ? c->variant : "",
            c->purpose ? c->purpose : "no purpose given");
    if (c->seeds) {
        fprintf(out, "# %u of %u seeds passed\n", c->seeds - c->seeds_failed, c->seeds);
    } else {
        fprintf(out, "# %u expectations, %s of virtual time, %.3f s\n", c->checks, took,
                (double)c->wall_us / 1e6);
    }
    if (!run_case_passed(c)) {
        print_failure(out, c);
    }
    if (o && o->digest) {
        fprintf(out, "# digest\n%s\n", c->report.digest);
    }
    fflush(out);
    g_free(took);
}

/* Files. */

static bool save(const char *option, const char *path, GString *text)
{
    GError *error = NULL;
    bool ok = whole_file_write(path, text->str, text->len, &error);

    if (!ok) {
        cli_error("%s: %s", option, error->message);
        g_error_free(error);
    }
    g_string_free(text, TRUE);
    return ok;
}

/* Text for XML and HTML: what XML 1.0 does not allow becomes a question mark. */
static void put(GString *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void put(GString *out, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = g_markup_vprintf_escaped(format, args);
    va_end(args);
    g_string_append(out, text);
    g_free(text);
}

static char *clean(const char *text)
{
    char *copy = g_utf8_make_valid(text ? text : "", -1);

    for (char *c = copy; *c; c++) {
        if ((unsigned char)*c < ' ' && *c != '\n' && *c != '\t') {
            *c = '?';
        }
    }
    return copy;
}

static void put_failure(GString *out, const struct run_case *c)
{
    char *message = clean(c->report.message ? c->report.message : c->failures);
    char *events = clean(c->report.events);

    put(out, "    <%s message=\"%s\">%s</%s>\n",
        c->report.result == SCENARIO_BAD ? "error" : "failure", message, events,
        c->report.result == SCENARIO_BAD ? "error" : "failure");
    g_free(message);
    g_free(events);
}

bool run_write_junit(const char *path, const GPtrArray *cases)
{
    GString *out = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    unsigned failures = 0, errors = 0;

    for (unsigned i = 0; i < cases->len; i++) {
        const struct run_case *c = cases->pdata[i];
        errors += !run_case_passed(c) && c->report.result == SCENARIO_BAD;
        failures += !run_case_passed(c) && c->report.result != SCENARIO_BAD;
    }
    put(out, "<testsuite name=\"pcilab\" tests=\"%u\" failures=\"%u\" errors=\"%u\">\n", cases->len,
        failures, errors);
    for (unsigned i = 0; i < cases->len; i++) {
        const struct run_case *c = cases->pdata[i];
        char *folder = g_path_get_dirname(c->path), *name = g_path_get_basename(c->path);
        char *class = g_path_get_basename(folder);
        put(out, "  <testcase classname=\"%s\" name=\"%s%s%s\" time=\"%.3f\">\n", class, name,
            c->variant ? ", " : "", c->variant ? c->variant : "", (double)c->wall_us / 1e6);
        if (!run_case_passed(c)) {
            put_failure(out, c);
        }
        put(out, "  </testcase>\n");
        g_free(folder);
        g_free(name);
        g_free(class);
    }
    g_string_append(out, "</testsuite>\n");
    return save("--junit", path, out);
}

static const char page_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Scenarios</title>\n"
    "<style>body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}\n"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3em "
    ".6em;border-bottom:1px solid #ccc;vertical-align:top}\n"
    ".bad{color:#b00020}.good{color:#1b6e2c}pre{background:#f4f4f4;padding:.6em;overflow-x:auto}"
    "</style></head><body>\n";

static void put_row(GString *out, const struct run_case *c)
{
    char *took = units_format_time(c->report.virtual_ps), *message = clean(c->report.message);
    char *events = clean(c->report.events), *failures = clean(c->failures);

    put(out, "<tr><td class=\"%s\">%s</td><td><code>%s</code>%s%s</td><td>%s<br><small>%s</small>",
        run_case_passed(c) ? "good" : "bad", run_case_passed(c) ? "passed" : "failed", c->path,
        c->variant ? "<br>" : "", c->variant ? c->variant : "", c->purpose ? c->purpose : "",
        c->clause ? c->clause : "");
    if (*message) {
        put(out, "<pre class=\"bad\">%s</pre>", message);
    }
    if (*failures) {
        put(out, "<pre class=\"bad\">%s</pre>", failures);
    }
    if (*events) {
        put(out, "<details><summary>the last events before</summary><pre>%s</pre></details>",
            events);
    }
    put(out, "</td><td>%" G_GUINT64_FORMAT "</td><td>%u</td><td>%s</td></tr>\n", c->seed, c->checks,
        took);
    g_free(took);
    g_free(message);
    g_free(events);
    g_free(failures);
}

bool run_write_html(const char *path, const GPtrArray *cases)
{
    GString *out = g_string_new(page_head);
    unsigned good = 0;

    for (unsigned i = 0; i < cases->len; i++) {
        good += run_case_passed(cases->pdata[i]);
    }
    put(out, "<h1>Scenarios</h1>\n<p>%u of %u passed.</p>\n", good, cases->len);
    g_string_append(out, "<table><tr><th></th><th>scenario</th><th>purpose</th><th>seed</th>"
                         "<th>expectations</th><th>virtual time</th></tr>\n");
    for (unsigned i = 0; i < cases->len; i++) {
        put_row(out, cases->pdata[i]);
    }
    g_string_append(out, "</table></body></html>\n");
    return save("--html", path, out);
}
