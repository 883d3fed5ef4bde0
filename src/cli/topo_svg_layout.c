/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the cards stand: graphviz decides, we draw.
 *
 * CHOICE: the program `dot` and not libgvc. The library keeps global state, ends the process or
 * says nothing where something is wrong, and would be needed to build; of the program pcilab needs
 * the positions alone (its `plain` output), only when a picture is asked for, and outlives it.
 */
#include <gio/gio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "topo_svg.h"

#define PIXELS_PER_INCH 72.0
#define HEAD            52.0
#define ROW             26.0
#define FOOT            8.0
#define RANKS_APART     170.0 /* room for a link's label */
#define NODES_APART     22.0
/* Of letters at the sizes that they are drawn in. */
#define NAME_WIDTH  8.6
#define TEXT_WIDTH  6.9
#define PLACE_WIDTH 68.0
#define GROUP_WIDTH 74.0
#define CARD_MIN    190.0

static double text_width(const char *text, double letter)
{
    return text ? (double)g_utf8_strlen(text, -1) * letter : 0;
}

static void measure(struct svg_node *node)
{
    double width = text_width(node->component->name, NAME_WIDTH) + 24 +
                   (node->functions ? text_width(node->functions, TEXT_WIDTH) + 24 : 0);

    width = MAX(width, text_width(node->facts, TEXT_WIDTH));
    for (unsigned i = 0; i < node->rows->len; i++) {
        const struct svg_row *row = node->rows->pdata[i];
        width = MAX(width, PLACE_WIDTH + text_width(row->name, TEXT_WIDTH) +
                               text_width(row->text, TEXT_WIDTH) + 14 +
                               (row->func != SVG_NONE ? GROUP_WIDTH : 0));
    }
    node->width = MAX(width + 28, CARD_MIN);
    node->height = HEAD + ROW * node->rows->len + FOOT;
}

/* Numbers as C writes them, whatever the locale. */
static void put_number(GString *out, const char *name, double pixels)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_printf(out, " %s=%s", name,
                           g_ascii_formatd(text, sizeof(text), "%.4f", pixels / PIXELS_PER_INCH));
}

static char *graph_of(const struct svg_model *model)
{
    GString *out = g_string_new("digraph topology { rankdir=LR ordering=out splines=line");

    put_number(out, "ranksep", RANKS_APART);
    put_number(out, "nodesep", NODES_APART);
    g_string_append(out, " node [shape=box fixedsize=true label=\"\"]\n");
    for (unsigned i = 0; i < model->nodes->len; i++) {
        const struct svg_node *node = model->nodes->pdata[i];
        g_string_append_printf(out, "n%u [", i);
        put_number(out, "width", node->width);
        put_number(out, "height", node->height);
        g_string_append(out, "]\n");
    }
    /* In the order of the file, and children in that of their ports: so are their places. */
    g_string_append(out, "root [width=0.01 height=0.01]\n");
    for (unsigned i = 0; i < model->nodes->len; i++) {
        if (((const struct svg_node *)model->nodes->pdata[i])->parent == SVG_NONE) {
            g_string_append_printf(out, "root -> n%u\n", i);
        }
    }
    for (unsigned i = 0; i < model->nodes->len; i++) {
        unsigned rows = ((const struct svg_node *)model->nodes->pdata[i])->rows->len;
        for (unsigned r = 0; r < MAX(rows, 1); r++) {
            for (unsigned c = 0; c < model->nodes->len; c++) {
                const struct svg_node *child = model->nodes->pdata[c];
                if (child->parent == (int)i && child->parent_row == (int)r) {
                    g_string_append_printf(out, "n%u:e -> n%u:w\n", i, c);
                }
            }
        }
    }
    g_string_append(out, "}\n");
    return g_string_free(out, FALSE);
}

/* "node n3 X Y WIDTH HEIGHT ...", from the lower left, of centres. */
static bool take_node(struct svg_model *model, char **words, double height)
{
    char *end;
    unsigned long number;

    if (g_strv_length(words) < 6 || words[1][0] != 'n') {
        return false;
    }
    number = strtoul(words[1] + 1, &end, 10);
    if (*end || number >= model->nodes->len) {
        return false;
    }
    struct svg_node *node = model->nodes->pdata[number];
    node->x = g_ascii_strtod(words[2], NULL) * PIXELS_PER_INCH - node->width / 2;
    node->y = (height - g_ascii_strtod(words[3], NULL)) * PIXELS_PER_INCH - node->height / 2;
    return true;
}

/* The cards of a rank, which graphviz centres, begin at one line; the first rank at 0. */
static void align_ranks(struct svg_model *model)
{
    double first = model->width;

    for (unsigned i = 0; i < model->nodes->len; i++) {
        struct svg_node *node = model->nodes->pdata[i];
        node->rank = node->x + node->width / 2;
        node->left = node->x;
    }
    for (unsigned i = 0; i < model->nodes->len; i++) {
        struct svg_node *node = model->nodes->pdata[i];
        for (unsigned o = 0; o < model->nodes->len; o++) {
            const struct svg_node *other = model->nodes->pdata[o];
            if (fabs(other->rank - node->rank) < 1.0) {
                node->x = MIN(node->x, other->left);
            }
        }
        first = MIN(first, node->x);
    }
    model->width -= first;
    for (unsigned i = 0; i < model->nodes->len; i++) {
        ((struct svg_node *)model->nodes->pdata[i])->x -= first;
    }
}

static bool take_plain(struct svg_model *model, const char *plain)
{
    char **lines = g_strsplit(plain, "\n", -1);
    unsigned found = 0;
    double height = 0;

    for (unsigned i = 0; lines[i]; i++) {
        char **words = g_strsplit(lines[i], " ", -1);
        if (words[0] && strcmp(words[0], "graph") == 0 && g_strv_length(words) == 4) {
            height = g_ascii_strtod(words[3], NULL);
            model->width = g_ascii_strtod(words[2], NULL) * PIXELS_PER_INCH;
            model->height = height * PIXELS_PER_INCH;
        } else if (words[0] && strcmp(words[0], "node") == 0) {
            found += take_node(model, words, height);
        }
        g_strfreev(words);
    }
    g_strfreev(lines);
    align_ranks(model);
    return found == model->nodes->len;
}

bool svg_layout(struct svg_model *model, GError **error)
{
    GError *inner = NULL;

    for (unsigned i = 0; i < model->nodes->len; i++) {
        measure(model->nodes->pdata[i]);
    }
    GSubprocess *dot =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                             G_SUBPROCESS_FLAGS_STDERR_PIPE,
                         &inner, "dot", "-Tplain", NULL);
    if (!dot) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE,
                    "a picture needs graphviz (apt-get install graphviz): %s", inner->message);
        g_error_free(inner);
        return false;
    }
    char *graph = graph_of(model), *plain = NULL, *complaint = NULL;
    bool ok = g_subprocess_communicate_utf8(dot, graph, NULL, &plain, &complaint, &inner) &&
              g_subprocess_get_successful(dot) && take_plain(model, plain);
    if (!ok) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE, "graphviz made no picture: %s",
                    inner                     ? inner->message
                    : complaint && *complaint ? complaint
                                              : "its output is not complete");
        g_clear_error(&inner);
    }
    g_object_unref(dot);
    g_free(graph);
    g_free(plain);
    g_free(complaint);
    return ok;
}
