/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports: TAP, JUnit, JSON, HTML. */
#include <string.h>

#include "internal.h"

static const char *const outcome_words[] = {"pass", "fail", "not applicable"};

typedef void (*result_fn)(FILE *out, const struct conform_report *report,
                          const struct conform_result *result, unsigned number);

static void each(FILE *out, const GPtrArray *reports, result_fn write)
{
    unsigned number = 0;

    for (unsigned i = 0; i < reports->len; i++) {
        const struct conform_report *report = reports->pdata[i];

        for (unsigned j = 0; j < report->results->len; j++)
            write(out, report, &g_array_index(report->results, struct conform_result, j), ++number);
    }
}

static unsigned total(const GPtrArray *reports, int outcome)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < reports->len; i++) {
        const struct conform_report *report = reports->pdata[i];

        sum += outcome < 0 ? report->results->len : report->count[outcome];
    }
    return sum;
}

/* "0000:00:01.0", and the component when it has a name. */
static char *where(const struct conform_result *result)
{
    const struct conform_func *func = result->func;
    char *number;

    if (!func)
        return g_strdup("machine");
    number = g_strdup_printf("%04x:%02x:%02x.%x", func->segment, func->rid >> 8,
                             func->rid >> 3 & 0x1f, func->rid & 7);
    if (*func->name && strcmp(func->name, number) != 0) {
        char *both = g_strdup_printf("%s (%s)", func->name, number);

        g_free(number);
        return both;
    }
    return number;
}

static void tap_result(FILE *out, const struct conform_report *report,
                       const struct conform_result *result, unsigned number)
{
    const struct conform_assertion *a = result->assertion;
    char *place = where(result);

    fprintf(out, "%sok %u - %s %s", result->outcome == CONFORM_FAIL ? "not " : "", number, a->id,
            place);
    if (result->outcome == CONFORM_NOT_APPLICABLE)
        fprintf(out, " # SKIP %s", result->note);
    fputc('\n', out);
    if (result->outcome == CONFORM_FAIL)
        fprintf(out, "# %s\n# %s %s: %s\n", result->note, conform_document_name(a->document),
                a->section, a->requirement);
    g_free(place);
}

void conform_write_tap(FILE *out, const GPtrArray *reports)
{
    fprintf(out, "TAP version 13\n1..%u\n", total(reports, -1));
    for (unsigned i = 0; i < reports->len; i++) {
        const struct conform_report *report = reports->pdata[i];

        fprintf(out, "# %s (%s): %u pass, %u fail, %u not applicable\n", report->subject,
                report->backend, report->count[CONFORM_PASS], report->count[CONFORM_FAIL],
                report->count[CONFORM_NOT_APPLICABLE]);
    }
    each(out, reports, tap_result);
}

static void put_xml(FILE *out, const char *text)
{
    char *escaped = g_markup_escape_text(text ? text : "", -1);

    fputs(escaped, out);
    g_free(escaped);
}

static void junit_result(FILE *out, const struct conform_report *report,
                         const struct conform_result *result, unsigned number)
{
    const struct conform_assertion *a = result->assertion;
    char *place = where(result);

    fputs("  <testcase classname=\"", out);
    put_xml(out, a->group);
    fputs("\" name=\"", out);
    put_xml(out, a->id);
    fputc(' ', out);
    put_xml(out, place);
    fputs("\" time=\"0\">", out);
    if (result->outcome != CONFORM_PASS) {
        fputs(result->outcome == CONFORM_FAIL ? "<failure message=\"" : "<skipped message=\"", out);
        put_xml(out, result->note);
        fputs("\"/>", out);
    }
    fputs("</testcase>\n", out);
    g_free(place);
}

void conform_write_junit(FILE *out, const GPtrArray *reports)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", out);
    for (unsigned i = 0; i < reports->len; i++) {
        const struct conform_report *report = reports->pdata[i];

        fputs(" <testsuite name=\"", out);
        put_xml(out, report->subject);
        fprintf(out, "\" tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"%u\">\n",
                report->results->len, report->count[CONFORM_FAIL],
                report->count[CONFORM_NOT_APPLICABLE]);
        for (unsigned j = 0; j < report->results->len; j++)
            junit_result(out, report, &g_array_index(report->results, struct conform_result, j), 0);
        fputs(" </testsuite>\n", out);
    }
    fputs("</testsuites>\n", out);
}

static void put_json(FILE *out, const char *key, const char *text)
{
    fprintf(out, ", \"%s\": \"", key);
    for (const char *c = text ? text : ""; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if ((unsigned char)*c < 0x20)
            fprintf(out, "\\u%04x", *c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}

static void json_result(FILE *out, const struct conform_report *report,
                        const struct conform_result *result, unsigned number)
{
    const struct conform_assertion *a = result->assertion;

    fprintf(out, "%s\n  {\"number\": %u", number > 1 ? "," : "", number);
    put_json(out, "subject", report->subject);
    put_json(out, "backend", report->backend);
    put_json(out, "id", a->id);
    put_json(out, "group", a->group);
    put_json(out, "document", conform_document_name(a->document));
    put_json(out, "section", a->section);
    put_json(out, "requirement", a->requirement);
    if (result->func) {
        fprintf(out, ", \"segment\": %u, \"rid\": %u", result->func->segment, result->func->rid);
        put_json(out, "component", result->func->name);
    }
    put_json(out, "outcome", outcome_words[result->outcome]);
    if (result->note)
        put_json(out, "reason", result->note);
    fputc('}', out);
}

void conform_write_json(FILE *out, const GPtrArray *reports)
{
    fprintf(out, "{\"pass\": %u, \"fail\": %u, \"not_applicable\": %u, \"results\": [",
            total(reports, CONFORM_PASS), total(reports, CONFORM_FAIL),
            total(reports, CONFORM_NOT_APPLICABLE));
    each(out, reports, json_result);
    fputs("\n]}\n", out);
}

static void html_cell(FILE *out, const char *text)
{
    fputs("<td>", out);
    put_xml(out, text);
    fputs("</td>", out);
}

static void html_result(FILE *out, const struct conform_report *report,
                        const struct conform_result *result, unsigned number)
{
    static const char *const classes[] = {"pass", "fail", "na"};
    const struct conform_assertion *a = result->assertion;
    char *place = where(result);

    fprintf(out, "<tr class=\"%s\">", classes[result->outcome]);
    html_cell(out, outcome_words[result->outcome]);
    html_cell(out, a->id);
    html_cell(out, place);
    html_cell(out, conform_document_name(a->document));
    html_cell(out, a->section);
    html_cell(out, a->requirement);
    html_cell(out, result->note);
    fputs("</tr>\n", out);
    g_free(place);
}

void conform_write_html(FILE *out, const GPtrArray *reports)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<title>Conformance</title>\n<style>\n"
          ":root{color-scheme:light dark}\n"
          "body{font:14px/1.4 system-ui,sans-serif;margin:2em}\n"
          "table{border-collapse:collapse;width:100%}\n"
          "td,th{padding:.2em .6em;text-align:left;border-bottom:1px solid #8884;"
          "vertical-align:top}\n"
          ".fail td:first-child{color:#c22;font-weight:bold}\n"
          ".pass td:first-child{color:#284}\n.na{opacity:.6}\n</style></head><body>\n"
          "<h1>Conformance</h1>\n",
          out);
    for (unsigned i = 0; i < reports->len; i++) {
        const struct conform_report *report = reports->pdata[i];

        fputs("<p>", out);
        put_xml(out, report->subject);
        fprintf(out, " (%s): %u pass, %u fail, %u not applicable</p>\n", report->backend,
                report->count[CONFORM_PASS], report->count[CONFORM_FAIL],
                report->count[CONFORM_NOT_APPLICABLE]);
    }
    fputs("<table><tr><th>Outcome<th>Assertion<th>Where<th>Document<th>Section<th>Required"
          "<th>Why</tr>\n",
          out);
    each(out, reports, html_result);
    fputs("</table></body></html>\n", out);
}
