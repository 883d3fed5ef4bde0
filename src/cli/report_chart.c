/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The charts of a report: drawn here, so that the page needs nothing but itself. */
#include <math.h>
#include <string.h>

#include "report.h"

#define WIDTH       1040.0
#define LABEL_WIDTH 120.0
#define LANE        26.0
#define PLOT        (WIDTH - LABEL_WIDTH - 20.0)
#define TICKS       6u
#define SHADES      6u
#define BARS_HEIGHT 92.0
#define HISTOGRAM_W 330.0
#define BINS_MIN    12u

void report_put(GString *out, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = g_markup_vprintf_escaped(format, args);
    va_end(args);
    g_string_append(out, text);
    g_free(text);
}

/* Three digits at most, in every locale. */
static char *scaled(double value, const char *const *units, unsigned count)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    unsigned unit = 0;

    while (value >= 999.5 && unit + 1 < count) {
        value /= 1000;
        unit++;
    }
    bool whole = unit == 0 || value >= 99.5;
    g_ascii_formatd(text, sizeof(text), whole ? "%.0f" : value >= 9.95 ? "%.1f" : "%.2f", value);
    return g_strdup_printf("%s %s", text, units[unit]);
}

char *report_bytes(double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};

    return scaled(bytes, units, G_N_ELEMENTS(units));
}

char *report_time(double ps)
{
    static const char *const units[] = {"ps", "ns", "us", "ms", "s"};

    return scaled(ps, units, G_N_ELEMENTS(units));
}

static const char *num(char text[G_ASCII_DTOSTR_BUF_SIZE], double value)
{
    return g_ascii_formatd(text, G_ASCII_DTOSTR_BUF_SIZE, "%.1f", value);
}

#define NUM(value) num((char[G_ASCII_DTOSTR_BUF_SIZE]){0}, value)

static double number_at(JsonArray *array, guint i)
{
    return (double)json_array_get_int_element(array, i);
}

/* The timeline. */

struct timeline {
    GString *out;
    double end_ps, bucket_ps;
    double y;
};

static double x_of(const struct timeline *t, double ps)
{
    return LABEL_WIDTH + (t->end_ps > 0 ? MIN(ps / t->end_ps, 1.0) * PLOT : 0);
}

static void put_label(struct timeline *t, const char *text)
{
    report_put(t->out, "<text x=\"%s\" y=\"%s\" text-anchor=\"end\">%s</text>",
               NUM(LABEL_WIDTH - 12), NUM(t->y + LANE / 2 + 4), text);
    report_put(t->out, "<rect class=\"lane\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"/>",
               NUM(LABEL_WIDTH), NUM(t->y + 3), NUM(PLOT), NUM(LANE - 6));
}

/* What was sent in each piece of time, dark where much was. */
static void put_use(struct timeline *t, const char *name, JsonArray *buckets, double most)
{
    put_label(t, name);
    for (guint i = 0; i < json_array_get_length(buckets); i++) {
        double bytes = number_at(buckets, i), from = i * t->bucket_ps;
        if (bytes <= 0 || from > t->end_ps) {
            continue;
        }
        /* Logarithmic: a register access beside a transfer is still seen. */
        unsigned shade = (unsigned)(log2(1 + bytes) / log2(1 + most) * (SHADES - 1) + 0.5);
        char *text = report_bytes(bytes), *when = report_time(from);
        report_put(t->out,
                   "<rect class=\"s%u\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\">"
                   "<title>%s at %s</title></rect>",
                   MIN(shade, SHADES - 1), NUM(x_of(t, from)), NUM(t->y + 3),
                   NUM(MAX(x_of(t, from + t->bucket_ps) - x_of(t, from), 1.5)), NUM(LANE - 6), text,
                   when);
        g_free(text);
        g_free(when);
    }
    t->y += LANE;
}

static bool is_class(JsonObject *event, const char *class)
{
    return strcmp(report_text(event, "class"), class) == 0;
}

static void put_marks(struct timeline *t, JsonArray *events, const char *class, const char *label)
{
    bool any = false;

    for (guint i = 0; i < json_array_get_length(events); i++) {
        JsonObject *event = json_array_get_object_element(events, i);
        if (!is_class(event, class)) {
            continue;
        }
        if (!any) {
            put_label(t, label);
            any = true;
        }
        double first = report_number(event, "first-ps"), last = report_number(event, "last-ps");
        char *when = report_time(first);
        report_put(t->out, "<g class=\"%s\"><title>%s: %s: %s, %.0f times</title>", class, when,
                   report_text(event, "where"), report_text(event, "text"),
                   report_number(event, "count"));
        if (last > first) {
            report_put(t->out, "<rect class=\"span\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"4\"/>",
                       NUM(x_of(t, first)), NUM(t->y + LANE / 2 - 2),
                       NUM(x_of(t, last) - x_of(t, first)));
        }
        report_put(t->out, "<circle cx=\"%s\" cy=\"%s\" r=\"4.5\"/></g>", NUM(x_of(t, first)),
                   NUM(t->y + LANE / 2));
        g_free(when);
    }
    t->y += any ? LANE : 0;
}

static void put_axis(struct timeline *t)
{
    for (unsigned i = 0; i <= TICKS; i++) {
        double ps = t->end_ps * i / TICKS;
        char *text = report_time(ps);
        report_put(t->out,
                   "<path class=\"tick\" d=\"M%s 4V%s\"/><text class=\"dim\" x=\"%s\" y=\"%s\" "
                   "text-anchor=\"%s\">%s</text>",
                   NUM(x_of(t, ps)), NUM(t->y + 4), NUM(x_of(t, ps)), NUM(t->y + 20),
                   i == TICKS ? "end"
                   : i        ? "middle"
                              : "start",
                   text);
        g_free(text);
    }
}

/* The most that anybody sent in one piece of time. */
static double most_of(JsonObject *senders)
{
    GList *all = json_object_get_values(senders);
    double most = 1;

    for (GList *v = all; v; v = v->next) {
        JsonArray *buckets = json_node_get_array(v->data);
        for (guint i = 0; i < json_array_get_length(buckets); i++) {
            most = MAX(most, number_at(buckets, i));
        }
    }
    g_list_free(all);
    return most;
}

void report_put_timeline(GString *out, JsonObject *run)
{
    JsonObject *use = json_object_get_object_member(run, "use");
    JsonObject *senders = json_object_get_object_member(use, "senders");
    JsonArray *events = json_object_get_array_member(run, "events");
    struct timeline t = {.out = g_string_new(NULL),
                         .end_ps = report_number(run, "end-ps"),
                         .bucket_ps = report_number(use, "bucket-ps"),
                         .y = 4};
    GList *names = json_object_get_members(senders);
    double most = most_of(senders);

    for (GList *n = names; n; n = n->next) {
        put_use(&t, n->data, json_object_get_array_member(senders, n->data), most);
    }
    g_list_free(names);
    put_marks(&t, events, "error", "errors");
    put_marks(&t, events, "state", "states");
    put_marks(&t, events, "rule", "rules");
    put_axis(&t);
    report_put(out,
               "<svg class=\"chart\" viewBox=\"0 0 %s %s\" width=\"%s\" role=\"img\" "
               "aria-label=\"timeline\">",
               NUM(WIDTH), NUM(t.y + 28), NUM(WIDTH));
    g_string_append(out, t.out->str);
    g_string_append(out, "</svg>\n");
    g_string_free(t.out, TRUE);
}

/* Latencies: bars by powers of two. */

static void put_bars(GString *out, JsonArray *bins, guint first, guint last)
{
    double most = 1, width = HISTOGRAM_W / (double)(last - first + 1);

    for (guint i = first; i <= last; i++) {
        most = MAX(most, number_at(bins, i));
    }
    for (guint i = first; i <= last; i++) {
        double count = number_at(bins, i), height = count / most * (BARS_HEIGHT - 22);
        char *from = report_time(i ? exp2(i) : 0), *to = report_time(exp2(i + 1));
        if (count > 0) {
            height = MAX(height, 2);
        }
        report_put(out,
                   "<g><title>%s to %s: %.0f</title><rect class=\"bar\" x=\"%s\" y=\"%s\" "
                   "width=\"%s\" height=\"%s\" rx=\"2\"/></g>",
                   from, to, count, NUM((i - first) * width + 1), NUM(BARS_HEIGHT - 18 - height),
                   NUM(width - 2), NUM(height));
        g_free(from);
        g_free(to);
    }
    char *from = report_time(first ? exp2(first) : 0), *to = report_time(exp2(last + 1));
    report_put(out,
               "<text class=\"dim\" x=\"0\" y=\"%s\">%s</text><text class=\"dim\" x=\"%s\" "
               "y=\"%s\" text-anchor=\"end\">%s</text>",
               NUM(BARS_HEIGHT - 3), from, NUM(HISTOGRAM_W), NUM(BARS_HEIGHT - 3), to);
    g_free(from);
    g_free(to);
}

static void put_histogram(GString *out, JsonObject *latency)
{
    JsonArray *bins = json_object_get_array_member(latency, "log2-ps");
    guint first = 0, last = json_array_get_length(bins) - 1;
    char *mean = report_time(report_number(latency, "mean-ps")),
         *max = report_time(report_number(latency, "max-ps"));

    while (first < last && number_at(bins, first) <= 0) {
        first++;
    }
    while (last > first && number_at(bins, last) <= 0) {
        last--;
    }
    report_put(out,
               "<figure><figcaption><b>%s</b> %s<br><small>%.0f; mean %s, most %s</small>"
               "</figcaption>",
               report_text(latency, "where"), report_text(latency, "what"),
               report_number(latency, "count"), mean, max);
    /* Air at both sides, so that one bar is no wall. */
    first -= MIN(first, 2);
    last = MIN(MAX(last + 2, first + BINS_MIN - 1), json_array_get_length(bins) - 1);
    report_put(out, "<svg class=\"chart\" viewBox=\"0 0 %s %s\" width=\"%s\" height=\"%s\">",
               NUM(HISTOGRAM_W), NUM(BARS_HEIGHT), NUM(HISTOGRAM_W), NUM(BARS_HEIGHT));
    put_bars(out, bins, first, last);
    g_string_append(out, "</svg></figure>\n");
    g_free(mean);
    g_free(max);
}

void report_put_latencies(GString *out, JsonObject *run)
{
    JsonArray *latencies = json_object_get_array_member(run, "latencies");

    g_string_append(out, "<div class=\"figures\">\n");
    for (guint i = 0; i < json_array_get_length(latencies); i++) {
        put_histogram(out, json_array_get_object_element(latencies, i));
    }
    g_string_append(out, "</div>\n");
}
