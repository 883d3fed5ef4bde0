/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tree of values for people: values one a line, lists of objects as tables. */
#include <string.h>

#include "inspect.h"
#include "pcilab/sim/sim.h"

#define STEP 2 /* columns of indentation */

static void print_object(JsonObject *object, unsigned indent, FILE *out);

/* g_free() it. */
static char *scalar_text(JsonNode *node)
{
    if (json_node_get_value_type(node) == G_TYPE_BOOLEAN) {
        return g_strdup(json_node_get_boolean(node) ? "yes" : "no");
    }
    if (json_node_get_value_type(node) == G_TYPE_INT64) {
        return g_strdup_printf("%" G_GUINT64_FORMAT, (guint64)json_node_get_int(node));
    }
    return g_strdup(json_node_get_string(node));
}

/* Tables: the columns are all names that a row has, in order of their first appearance. */

static GPtrArray *columns_of(JsonArray *rows)
{
    GPtrArray *columns = g_ptr_array_new();

    for (guint i = 0; i < json_array_get_length(rows); i++) {
        GList *members = json_object_get_members(json_array_get_object_element(rows, i));

        for (GList *m = members; m; m = m->next) {
            if (!g_ptr_array_find_with_equal_func(columns, m->data, g_str_equal, NULL)) {
                g_ptr_array_add(columns, m->data);
            }
        }
        g_list_free(members);
    }
    return columns;
}

static char *cell_text(JsonObject *row, const char *column)
{
    JsonNode *node = json_object_get_member(row, column);

    return node ? scalar_text(node) : g_strdup("-");
}

static void print_row(char *const *cells, const gsize *widths, guint count, unsigned indent,
                      FILE *out)
{
    fprintf(out, "%*s", (int)indent, "");
    for (guint c = 0; c < count; c++) {
        bool last = c + 1 == count;

        fprintf(out, "%-*s%s", last ? 0 : (int)widths[c], cells[c], last ? "\n" : "  ");
    }
}

static void print_table(JsonArray *rows, unsigned indent, FILE *out)
{
    GPtrArray *columns = columns_of(rows);
    guint count = columns->len, rows_count = json_array_get_length(rows);
    char **cells = g_new0(char *, (gsize)count *(rows_count + 1));
    gsize *widths = g_new0(gsize, count);

    for (guint c = 0; c < count; c++) {
        cells[c] = g_strdup(columns->pdata[c]);
        for (guint r = 0; r < rows_count; r++) {
            cells[(r + 1) * count + c] =
                cell_text(json_array_get_object_element(rows, r), columns->pdata[c]);
        }
        for (guint r = 0; r <= rows_count; r++) {
            widths[c] = MAX(widths[c], strlen(cells[r * count + c]));
        }
    }
    for (guint r = 0; r <= rows_count; r++) {
        print_row(cells + r * count, widths, count, indent, out);
    }
    for (gsize i = 0; i < (gsize)count * (rows_count + 1); i++) {
        g_free(cells[i]);
    }
    g_free(cells);
    g_free(widths);
    g_ptr_array_unref(columns);
}

/* Rows that hold lists of their own are no table. */
static bool is_flat(JsonArray *rows)
{
    for (guint i = 0; i < json_array_get_length(rows); i++) {
        GList *values = json_object_get_values(json_array_get_object_element(rows, i));
        bool flat = true;

        for (GList *v = values; v; v = v->next) {
            flat = flat && JSON_NODE_HOLDS_VALUE(v->data);
        }
        g_list_free(values);
        if (!flat) {
            return false;
        }
    }
    return true;
}

static void print_list(const char *name, JsonArray *rows, unsigned indent, FILE *out)
{
    guint count = json_array_get_length(rows);

    if (!count) {
        fprintf(out, "%*s%s: none\n", (int)indent, "", name);
    } else if (is_flat(rows)) {
        fprintf(out, "%*s%s:\n", (int)indent, "", name);
        print_table(rows, indent + STEP, out);
    } else {
        for (guint i = 0; i < count; i++) {
            fprintf(out, "%s", i ? "\n" : "");
            print_object(json_array_get_object_element(rows, i), indent, out);
        }
    }
}

static void print_object(JsonObject *object, unsigned indent, FILE *out)
{
    GList *members = json_object_get_members(object);
    gsize width = 0;

    for (GList *m = members; m; m = m->next) {
        if (JSON_NODE_HOLDS_VALUE(json_object_get_member(object, m->data))) {
            width = MAX(width, strlen(m->data));
        }
    }
    for (GList *m = members; m; m = m->next) {
        JsonNode *node = json_object_get_member(object, m->data);

        if (JSON_NODE_HOLDS_VALUE(node)) {
            char *text = scalar_text(node);
            fprintf(out, "%*s%-*s  %s\n", (int)indent, "", (int)width, (char *)m->data, text);
            g_free(text);
        } else if (JSON_NODE_HOLDS_OBJECT(node)) {
            fprintf(out, "%*s%s:\n", (int)indent, "", (char *)m->data);
            print_object(json_node_get_object(node), indent + STEP, out);
        } else {
            print_list(m->data, json_node_get_array(node), indent, out);
        }
    }
    g_list_free(members);
}

void inspect_text_print(JsonNode *node, FILE *out)
{
    JsonObject *object = json_node_get_object(node);
    unsigned long long now_ps = (unsigned long long)json_object_get_int_member(object, "time-ps");

    fprintf(out, "at %llu.%06llu s of virtual time\n", now_ps / PS_PER_S,
            now_ps % PS_PER_S / PS_PER_US);
    json_object_remove_member(object, "time-ps");
    print_object(object, 0, out);
}
