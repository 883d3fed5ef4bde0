/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One page of runs: everything is in it, nothing is fetched. */
#include <string.h>

#include "pcilab/config/units.h"
#include "report.h"

static const char head[] =
    "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n<style>\n"
    ":root{--page:#f7f8fb;--card:#fff;--ink:#1d2433;--dim:#667085;--edge:#d0d6e2;--good:#067647;"
    "--goodbg:#dcfae6;--bad:#b42318;--badbg:#fee4e2;--lane:#eceff5;--s0:#d7e4fb;--s1:#b0cbf7;"
    "--s2:#84adf0;--s3:#5a8fe6;--s4:#3570d4;--s5:#1c4fa8;--state:#5b7db1;--rule:#98a2b3;"
    "--code:#eef1f6}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#10151d;--card:#18202b;--ink:#e7ecf4;"
    "--dim:#94a1b6;--edge:#344054;--good:#75e0a7;--goodbg:#0b3d27;--bad:#fda29b;--badbg:#5a1813;"
    "--lane:#202a38;--s0:#21385c;--s1:#2b4f86;--s2:#3a69b1;--s3:#5486d6;--s4:#7ea6e8;--s5:#b7d0fb;"
    "--state:#7ea6e8;--rule:#76849b;--code:#222c3a}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}\n"
    "main{max-width:1160px;margin:0 auto;padding:28px 24px 60px}\n"
    "h1{font-size:26px;margin:0 0 4px}h2{font-size:18px;margin:34px 0 10px}"
    "article{border-top:1px solid var(--edge);margin-top:40px;padding-top:28px}"
    "article:first-of-type{border:0;margin:0;padding:0}\n"
    ".dim,small{color:var(--dim)}code,pre{font:13px/1.45 ui-monospace,'DejaVu Sans Mono',monospace}"
    "pre{background:var(--code);border-radius:8px;padding:12px 14px;overflow-x:auto;margin:10px "
    "0}\n"
    ".badge{display:inline-block;border-radius:99px;padding:2px 12px;font-weight:600;"
    "background:var(--goodbg);color:var(--good)}.badge.no{background:var(--badbg);"
    "color:var(--bad)}\n"
    ".tiles{display:flex;flex-wrap:wrap;gap:12px;margin:18px 0}.tiles div{background:var(--card);"
    "border:1px solid var(--edge);border-radius:10px;padding:10px 16px;min-width:130px}"
    ".tiles b{display:block;font-size:20px}\n"
    ".panel{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:14px "
    "16px;"
    "overflow-x:auto}.panel.picture{padding:0}.panel svg{display:block}"
    ".panel.picture svg{max-width:100%;height:auto}\n"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:6px 12px 6px 0;"
    "border-bottom:1px solid var(--edge);vertical-align:top}th{color:var(--dim);font-weight:500}"
    "tr:last-child td{border:0}.n{text-align:right;font-variant-numeric:tabular-nums;"
    "white-space:nowrap}\n"
    ".failure{border-left:4px solid var(--bad);padding-left:14px}.failure pre{color:var(--bad)}"
    ".failure details pre{color:var(--ink)}\n"
    ".kind{font-size:13px;font-weight:600;color:var(--rule)}.kind.error{color:var(--bad)}"
    ".kind.state{color:var(--state)}\n"
    ".chart text{font-size:12px;fill:var(--ink)}.chart .dim{fill:var(--dim)}"
    ".chart .lane{fill:var(--lane)}.chart .tick{stroke:var(--edge);stroke-dasharray:2 4}"
    ".s0{fill:var(--s0)}.s1{fill:var(--s1)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}.s4{fill:var(--s4)"
    "}"
    ".s5{fill:var(--s5)}.error{fill:var(--bad)}.state{fill:var(--state)}.rule{fill:var(--rule)}"
    ".span{opacity:.35}.bar{fill:var(--s3)}\n"
    ".figures{display:flex;flex-wrap:wrap;gap:18px}figure{margin:0;background:var(--card);"
    "border:1px solid var(--edge);border-radius:10px;padding:12px 16px}"
    "figcaption{margin-bottom:8px}\n"
    "summary{cursor:pointer;color:var(--dim)}nav{margin-bottom:34px}nav a{color:inherit}</style>\n";

static void put_tile(GString *out, const char *what, const char *value)
{
    report_put(out, "<div><b>%s</b><span class=\"dim\">%s</span></div>", value, what);
}

static void put_number(GString *out, const char *what, double number)
{
    char *text = g_strdup_printf("%.0f", number);

    put_tile(out, what, text);
    g_free(text);
}

static double count_errors(JsonArray *events)
{
    double errors = 0;

    for (guint i = 0; i < json_array_get_length(events); i++) {
        JsonObject *event = json_array_get_object_element(events, i);
        if (g_strcmp0(report_text(event, "class"), "error") == 0) {
            errors += report_number(event, "count");
        }
    }
    return errors;
}

static void put_summary(GString *out, JsonObject *run)
{
    char *virtual = report_time(report_number(run, "end-ps"));
    char *wall = report_time(report_number(run, "wall-us") * 1e6);

    g_string_append(out, "<div class=\"tiles\">");
    put_tile(out, "virtual time", virtual);
    put_tile(out, "on the clock", wall);
    put_number(out, "TLPs sent by ports", report_number(run, "tlps"));
    put_number(out, "interrupts taken", report_number(run, "interrupts"));
    put_number(out, "errors", count_errors(json_object_get_array_member(run, "events")));
    put_number(out, "seed", report_number(run, "seed"));
    g_string_append(out, "</div>\n");
    g_free(virtual);
    g_free(wall);
}

static void put_facts(GString *out, JsonObject *run)
{
    static const char *const names[][2] = {{"topology", "Topology"},
                                           {"kernel", "Kernel"},
                                           {"cmdline", "Command line"},
                                           {"digest", "Digest"},
                                           {"repeat", "To repeat it"}};

    g_string_append(out, "<div class=\"panel\"><table>");
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *text = report_text(run, names[i][0]);
        if (text) {
            report_put(out, "<tr><th>%s</th><td><code>%s</code></td></tr>", names[i][1], text);
        }
    }
    report_put(out, "<tr><th>Made with</th><td>pcilab %s</td></tr></table></div>\n",
               report_text(run, "pcilab"));
}

static void put_failure(GString *out, JsonObject *run)
{
    const char *message = report_text(run, "message"), *last = report_text(run, "last");

    if (!message && !last) {
        return;
    }
    g_string_append(out, "<h2>What went wrong</h2>\n<div class=\"failure\">");
    if (message) {
        report_put(out, "<pre>%s</pre>", message);
    }
    if (last && *last) {
        report_put(out,
                   "<details open><summary>The last TLPs and events before</summary>"
                   "<pre>%s</pre></details>",
                   last);
    }
    g_string_append(out, "</div>\n");
}

static void put_links(GString *out, JsonObject *run)
{
    JsonArray *links =
        json_object_has_member(run, "links") ? json_object_get_array_member(run, "links") : NULL;

    if (!links || !json_array_get_length(links)) {
        return;
    }
    g_string_append(out, "<h2>Links at the end</h2>\n<div class=\"panel\"><table><tr><th>link</th>"
                         "<th>state</th><th>speed</th><th class=\"n\">TLPs down</th>"
                         "<th class=\"n\">payload down</th><th class=\"n\">TLPs up</th>"
                         "<th class=\"n\">payload up</th><th class=\"n\">replays</th></tr>\n");
    for (guint i = 0; i < json_array_get_length(links); i++) {
        JsonObject *link = json_array_get_object_element(links, i);
        const char *is = report_text(link, "is");
        char *down = report_bytes(report_number(link, "bytes-down"));
        char *up = report_bytes(report_number(link, "bytes-up"));
        report_put(
            out,
            "<tr><td><b>%s</b> below %s</td><td><span class=\"badge%s\">%s</span></td>"
            "<td>%s %s</td><td class=\"n\">%.0f</td><td class=\"n\">%s</td>"
            "<td class=\"n\">%.0f</td><td class=\"n\">%s</td><td class=\"n\">%.0f</td></tr>\n",
            report_text(link, "below"), report_text(link, "above"),
            g_strcmp0(is, "up") == 0 ? "" : " no", is, report_text(link, "speed"),
            report_text(link, "width"), report_number(link, "tlps-down"), down,
            report_number(link, "tlps-up"), up,
            report_number(link, "replays-down") + report_number(link, "replays-up"));
        g_free(down);
        g_free(up);
    }
    g_string_append(out, "</table></div>\n");
}

static void put_events(GString *out, JsonObject *run)
{
    JsonArray *events = json_object_get_array_member(run, "events");
    double left_out = report_number(run, "events-left-out");

    if (!json_array_get_length(events)) {
        return;
    }
    g_string_append(out, "<h2>Errors, states and broken rules</h2>\n<div class=\"panel\"><table>"
                         "<tr><th class=\"n\">first</th><th class=\"n\">times</th><th></th>"
                         "<th>where</th><th>what</th></tr>\n");
    for (guint i = 0; i < json_array_get_length(events); i++) {
        JsonObject *event = json_array_get_object_element(events, i);
        char *when = g_strdup_printf("%.9f s", report_number(event, "first-ps") / 1e12);
        const char *class = report_text(event, "class");
        report_put(out,
                   "<tr><td class=\"n\">%s</td><td class=\"n\">%.0f</td>"
                   "<td class=\"kind %s\">%s</td><td>%s</td><td><code>%s</code></td></tr>\n",
                   when, report_number(event, "count"), class, class, report_text(event, "where"),
                   report_text(event, "text"));
        g_free(when);
    }
    g_string_append(out, "</table></div>\n");
    if (left_out > 0) {
        report_put(out, "<p class=\"dim\">%.0f more, of other words, were left out.</p>\n",
                   left_out);
    }
}

/* Two pictures of one page share their style sheet; nothing else in them has a name. */
static void put_picture(GString *out, const char *svg)
{
    if (svg) {
        g_string_append(out, "<h2>Topology</h2>\n<div class=\"panel picture\">");
        g_string_append(out, svg);
        g_string_append(out, "</div>\n");
    }
}

static void put_run(GString *out, const struct report_run *r, unsigned number)
{
    JsonObject *run = json_node_get_object(r->run);
    bool good = report_flag(run, "good");
    const char *clause = report_text(run, "clause");

    report_put(out, "<article id=\"run%u\"><h1>%s</h1>\n<p><span class=\"badge%s\">%s</span>",
               number, report_text(run, "title"), good ? "" : " no", report_text(run, "result"));
    if (clause) {
        report_put(out, " <span class=\"dim\">%s</span>", clause);
    }
    g_string_append(out, "</p>\n");
    put_summary(out, run);
    put_failure(out, run);
    put_picture(out, r->svg);
    g_string_append(out,
                    "<h2>Timeline</h2>\n<p class=\"dim\">What each port sent (darker: more, on "
                    "a logarithmic scale) and what happened when.</p>\n<div class=\"panel\">");
    report_put_timeline(out, run);
    g_string_append(out, "</div>\n");
    put_links(out, run);
    if (json_array_get_length(json_object_get_array_member(run, "latencies"))) {
        g_string_append(out,
                        "<h2>Latencies</h2>\n<p class=\"dim\">From the request's first port to "
                        "the last port of its last completion, in powers of two. With "
                        "functional timing links take no time.</p>\n");
        report_put_latencies(out, run);
    }
    put_events(out, run);
    g_string_append(out, "<h2>What was run</h2>\n");
    put_facts(out, run);
    if (r->console) {
        report_put(out,
                   "<h2>Console</h2>\n<details><summary>Every line, with virtual and wall "
                   "time</summary><pre>%s</pre></details>\n",
                   r->console);
    }
    g_string_append(out, "</article>\n");
}

char *report_page(const char *title, const GPtrArray *runs)
{
    GString *out = g_string_new("<!DOCTYPE html>\n<html lang=\"en\"><head>");

    g_string_append(out, head);
    report_put(out, "<title>%s</title></head><body><main>\n", title);
    if (runs->len > 1) {
        g_string_append(out, "<nav class=\"panel\"><table>");
        for (unsigned i = 0; i < runs->len; i++) {
            const struct report_run *r = runs->pdata[i];
            JsonObject *run = json_node_get_object(r->run);
            bool good = report_flag(run, "good");
            report_put(out,
                       "<tr><td><span class=\"badge%s\">%s</span></td><td><a href=\"#run%u\">%s</a>"
                       "</td></tr>\n",
                       good ? "" : " no", report_text(run, "result"), i, report_text(run, "title"));
        }
        g_string_append(out, "</table></nav>\n");
    }
    for (unsigned i = 0; i < runs->len; i++) {
        put_run(out, runs->pdata[i], i);
    }
    g_string_append(out, "</main></body></html>\n");
    return g_string_free(out, FALSE);
}
