/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drawing a topology. Colours are rules of a style sheet, so that a page or a viewer in the dark
 * gets its own. */
#include "topo_svg.h"

#include <string.h>

#include "pcilab/config/topology.h"
#include "pcilab/config/units.h"
#include "pcilab/platform/places.h"

#define MARGIN       32.0
#define TITLE_HEIGHT 64.0
#define LEGEND_LINE  26.0
#define HEAD         52.0 /* as in topo_svg_layout.c */
#define ROW          26.0
#define UNIT_COLOURS 4

static const char style[] =
    ".pl text{font:13px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#1d2433}"
    ".pl .title{font-size:20px;font-weight:650}.pl .name{font-size:14.5px;font-weight:650}"
    ".pl .dim{fill:#667085}.pl .place{font:12.5px ui-monospace,'DejaVu Sans Mono',monospace;"
    "fill:#475467}.pl .small{font-size:11.5px}"
    ".pl .page{fill:#f7f8fb}.pl .card{fill:#fff;stroke:#d0d6e2;stroke-width:1.2}"
    ".pl .head{fill:#eef2f9}.pl .rc .head{fill:#e2ecfb}.pl .sw .head{fill:#ece8fb}"
    ".pl .rule{stroke:#e6e9f0}.pl .link{fill:none;stroke:#5b7db1}"
    ".pl .inside{stroke-dasharray:1 6;stroke-linecap:round}"
    ".pl .absent{stroke:#a3acbd;stroke-dasharray:7 5}.pl .bad{stroke:#d92d20}"
    ".pl .less{stroke:#dc8a16}"
    ".pl .pill{fill:#f7f8fb;stroke:#d0d6e2}.pl .group{fill:#eef1f6}"
    ".pl .shared{fill:#fdebcd}.pl .vf{fill:none;stroke:#98a2b3;stroke-dasharray:3 2.5}"
    ".pl .port{fill:#5b7db1}.pl .badtext{fill:#b42318;font-weight:600}"
    ".pl .u0{fill:#2f6fed}.pl .u1{fill:#0e9f6e}.pl .u2{fill:#9b51e0}.pl .u3{fill:#e0457b}"
    "@media(prefers-color-scheme:dark){.pl text{fill:#e7ecf4}.pl .dim{fill:#94a1b6}"
    ".pl .place{fill:#b6c2d6}.pl .page{fill:#10151d}.pl .card{fill:#18202b;stroke:#344054}"
    ".pl .head{fill:#222c3a}.pl .rc .head{fill:#1d3152}.pl .sw .head{fill:#2d2750}"
    ".pl .rule{stroke:#273243}.pl .link{stroke:#7ea6e8}.pl .absent{stroke:#5d6b82}"
    ".pl .bad{stroke:#f97066}.pl .less{stroke:#f5b04c}.pl .pill{fill:#10151d;stroke:#344054}"
    ".pl .group{fill:#263141}.pl .shared{fill:#5a4113}.pl .vf{stroke:#76849b}"
    ".pl .port{fill:#7ea6e8}.pl .badtext{fill:#fda29b}"
    ".pl .u0{fill:#6ea0ff}.pl .u1{fill:#3ccf98}.pl .u2{fill:#c08bf5}.pl .u3{fill:#ff7fa8}}";

struct picture {
    const struct svg_model *model;
    GHashTable *notes;
    GString *out;
    double dx, dy; /* of the cards */
};

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

/* Tenths of a pixel, in every locale. */
static const char *num(char text[G_ASCII_DTOSTR_BUF_SIZE], double value)
{
    return g_ascii_formatd(text, G_ASCII_DTOSTR_BUF_SIZE, "%.1f", value);
}

#define NUM(value) num((char[G_ASCII_DTOSTR_BUF_SIZE]){0}, value)

static void put_text(GString *out, double x, double y, const char *class, const char *text)
{
    if (text) {
        put(out, "<text x=\"%s\" y=\"%s\" class=\"%s\">%s</text>", NUM(x), NUM(y), class, text);
    }
}

static void put_end_text(GString *out, double x, double y, const char *class, const char *text)
{
    put(out, "<text x=\"%s\" y=\"%s\" class=\"%s\" text-anchor=\"end\">%s</text>", NUM(x), NUM(y),
        class, text);
}

static void put_box(GString *out, double x, double y, const double size[2], double round,
                    const char *class)
{
    put(out, "<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" rx=\"%s\" class=\"%s\"", NUM(x),
        NUM(y), NUM(size[0]), NUM(size[1]), NUM(round), class);
    g_string_append(out, "/>");
}

/* IOMMUs have a colour each, in the order of the file. */
static unsigned unit_colour(const struct svg_model *model, int unit)
{
    unsigned before = 0;

    for (int i = 0; i < unit; i++) {
        enum machine_kind kind = model->desc->components[i].kind;
        before += kind == MACHINE_IOMMU || kind == MACHINE_VIRTIO_IOMMU;
    }
    return before % UNIT_COLOURS;
}

/* Cards. */

static void put_group(const struct picture *p, const struct svg_func *f, double right, double y)
{
    unsigned size = svg_group_size(p->model, f->group);
    GString *out = p->out;
    char *text = g_strdup_printf("group %d", f->group);

    g_string_append(out, "<g>");
    put_box(out, right - 64, y - 9, (double[]){64, 18}, 9, size > 1 ? "shared" : "group");
    put(out, "<text x=\"%s\" y=\"%s\" class=\"small\" text-anchor=\"middle\">%s</text>",
        NUM(right - 32), NUM(y + 4), text);
    if (size > 1) {
        put(out, "<title>%u functions in this IOMMU group: they cannot be told apart</title>",
            size);
    }
    g_string_append(out, "</g>");
    g_free(text);
}

static void put_row(const struct picture *p, const struct svg_node *node, unsigned index)
{
    const struct svg_row *row = node->rows->pdata[index];
    double x = p->dx + node->x, y = p->dy + node->y + HEAD + ROW * index + ROW / 2;
    double right = x + node->width - 12;
    enum machine_kind kind = node->component->kind;
    bool port = (kind == MACHINE_HOST_BRIDGE || kind == MACHINE_SWITCH) && row->text;

    if (index) {
        put(p->out, "<path class=\"rule\" d=\"M%s %sH%s\"/>", NUM(x + 10), NUM(y - ROW / 2),
            NUM(x + node->width - 10));
    }
    put_text(p->out, x + 14, y + 4.5, "place", row->place);
    put_text(p->out, x + (row->place ? 78 : 14), y + 4.5, row->place ? "" : "dim", row->name);
    if (row->func != SVG_NONE) {
        const struct svg_func *f = p->model->funcs->pdata[row->func];
        if (f->unit != SVG_NONE) {
            char *class = g_strdup_printf("u%u", unit_colour(p->model, f->unit));
            put_box(p->out, x + 3, y - 9, (double[]){4, 18}, 2, class);
            g_free(class);
        }
        if (f->group != SVG_NONE) {
            put_group(p, f, right, y);
            right -= 72;
        }
    }
    if (row->text) {
        put_end_text(p->out, right, y + 4.5, "dim", row->text);
    }
    if (port) {
        put(p->out, "<circle class=\"port\" cx=\"%s\" cy=\"%s\" r=\"3.6\"/>", NUM(x + node->width),
            NUM(y));
    }
}

static void put_card(const struct picture *p, const struct svg_node *node)
{
    const struct machine_component *c = node->component;
    double x = p->dx + node->x, y = p->dy + node->y, right = x + node->width;
    const char *class = c->kind == MACHINE_HOST_BRIDGE ? "rc"
                        : c->kind == MACHINE_SWITCH    ? "sw"
                                                       : "ep";

    put(p->out, "<g class=\"%s\"><title>%s: %s</title>", class, c->name, node->facts);
    put_box(p->out, x, y, (double[]){node->width, node->height}, 10, "card");
    put(p->out, "<path class=\"head\" d=\"M%s %sv-34a9 9 0 0 1 9 -9h%sa9 9 0 0 1 9 9v34z\"/>",
        NUM(x + 1), NUM(y + 44), NUM(node->width - 20));
    put_text(p->out, x + 14, y + 20, "name", c->name);
    put_text(p->out, x + 14, y + 37, "dim small", node->facts);
    if (node->functions) {
        double width = (double)strlen(node->functions) * 6.6 + 16;
        put_box(p->out, right - width - 10, y + 5, (double[]){width, 18}, 9, "vf");
        put(p->out, "<text x=\"%s\" y=\"%s\" class=\"small dim\" text-anchor=\"middle\">%s</text>",
            NUM(right - 10 - width / 2), NUM(y + 18), node->functions);
    }
    for (unsigned i = 0; i < node->rows->len; i++) {
        put_row(p, node, i);
    }
    g_string_append(p->out, "</g>\n");
}

/* Links. */

static double lanes_to_pixels(unsigned width)
{
    double pixels = 1.6;

    for (; width > 1; width /= 2) {
        pixels += 1.0;
    }
    return pixels;
}

/* Ends at `x`. */
static void put_pill(const struct picture *p, double x, double y, const char *text,
                     const char *note)
{
    bool wrong = note && note[0] == '!';
    double width = 24 + (double)g_utf8_strlen(text, -1) * 6.7, height = note ? 36 : 20;

    if (note) {
        note += wrong;
        width = MAX(width, 24 + (double)g_utf8_strlen(note, -1) * 6.2);
    }
    x -= width / 2;
    put_box(p->out, x - width / 2, y - height / 2, (double[]){width, height}, 10, "pill");
    put(p->out, "<text x=\"%s\" y=\"%s\" class=\"small\" text-anchor=\"middle\">%s</text>", NUM(x),
        NUM(y + (note ? -3 : 4)), text);
    if (note) {
        put(p->out, "<text x=\"%s\" y=\"%s\" class=\"small %s\" text-anchor=\"middle\">%s</text>",
            NUM(x), NUM(y + 12), wrong ? "badtext" : "dim", note);
    }
}

static void put_link(const struct picture *p, const struct svg_node *node)
{
    const struct svg_model *model = p->model;
    const struct svg_node *above = model->nodes->pdata[node->parent];
    const struct machine_component *c = node->component;
    const char *note = p->notes ? g_hash_table_lookup(p->notes, c->name) : NULL;
    double x1 = p->dx + above->x + above->width,
           y1 = p->dy + above->y + HEAD + ROW * node->parent_row + ROW / 2;
    double x2 = p->dx + node->x, y2 = p->dy + node->y + 22, bend = MAX((x2 - x1) / 2, 60);
    char *text = NULL;
    const char *class = "link inside";
    double thick = 2.4;

    if (c->integrated) {
        text = g_strdup("integrated");
    } else {
        const struct machine_port_desc *up = places_port_above(model->desc, c);
        unsigned speed = MIN(up->speed, c->port.speed), width = MIN(up->width, c->port.width);
        bool less = speed < c->port.speed || width < c->port.width;
        text = g_strdup_printf("%s GT/s ×%u", topology_speed_text(speed), width);
        note = note || !c->unplugged ? note : "not plugged in";
        class = note && note[0] == '!' ? "link bad"
                : c->unplugged         ? "link absent"
                : less                 ? "link less"
                                       : "link";
        thick = lanes_to_pixels(width);
    }
    put(p->out, "<g><path class=\"%s\" stroke-width=\"%s\" d=\"M%s %sC%s %s %s %s %s %s\"/>", class,
        NUM(thick), NUM(x1), NUM(y1), NUM(x1 + bend), NUM(y1), NUM(x2 - bend), NUM(y2), NUM(x2),
        NUM(y2));
    put_pill(p, x2 - 14, y2, text, note);
    g_string_append(p->out, "</g>\n");
    g_free(text);
}

/* Around it. */

static unsigned legend_lines(const struct svg_model *model)
{
    unsigned lines = 1;

    for (unsigned i = 0; i < model->desc->count; i++) {
        enum machine_kind kind = model->desc->components[i].kind;
        lines += kind == MACHINE_IOMMU || kind == MACHINE_VIRTIO_IOMMU;
    }
    return lines;
}

static char *unit_text(const struct machine_component *c)
{
    if (c->kind == MACHINE_VIRTIO_IOMMU) {
        return g_strdup_printf("%s: virtio-iommu", c->name);
    }
    char *scope = c->iommu.scope ? g_strjoinv(" ", c->iommu.scope) : NULL;
    char *text =
        g_strdup_printf("%s: VT-d%s%s%s%s", c->name, c->iommu.vtd.scalable ? ", scalable mode" : "",
                        c->iommu.vtd.interrupt_remapping ? ", interrupt remapping" : "",
                        scope ? ", for " : "", scope ? scope : "");
    g_free(scope);
    return text;
}

static void put_legend(const struct picture *p, double y)
{
    const struct machine_desc *desc = p->model->desc;
    bool any = false;

    for (unsigned i = 0; i < desc->count; i++) {
        const struct machine_component *c = &desc->components[i];
        if (c->kind != MACHINE_IOMMU && c->kind != MACHINE_VIRTIO_IOMMU) {
            continue;
        }
        char *class = g_strdup_printf("u%u", unit_colour(p->model, (int)i)), *text = unit_text(c);
        put_box(p->out, MARGIN, y - 10, (double[]){4, 18}, 2, class);
        put_text(p->out, MARGIN + 14, y + 4, "", text);
        g_free(class);
        g_free(text);
        y += LEGEND_LINE;
        any = true;
    }
    put_text(p->out, MARGIN, y + 4, "dim small",
             any ? "A bar in an IOMMU's colour: it translates for this function. Groups and bus "
                   "numbers as the kernel finds them at first; an amber group holds more than one "
                   "function."
                 : "No IOMMU: devices reach all of memory. Bus numbers as firmware gives them.");
}

static double widest(const struct svg_model *model)
{
    return MAX(model->width, 760.0) + 2 * MARGIN;
}

char *svg_draw(const struct svg_model *model, const char *title, GHashTable *notes)
{
    struct picture p = {.model = model,
                        .notes = notes,
                        .out = g_string_new(NULL),
                        .dx = MARGIN,
                        .dy = MARGIN + TITLE_HEIGHT};
    double width = widest(model);
    double legend = p.dy + model->height + MARGIN;
    double height = legend + LEGEND_LINE * legend_lines(model) + MARGIN / 2;
    char *memory = units_format_size(model->desc->memory_bytes);
    char *machine = g_strdup_printf("%u processor%s, %s of memory", model->desc->cpus,
                                    model->desc->cpus == 1 ? "" : "s", memory);

    put(p.out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"pl\" width=\"%s\" height=\"%s\" "
        "viewBox=\"0 0 %s %s\" role=\"img\" aria-label=\"topology %s\">\n",
        NUM(width), NUM(height), NUM(width), NUM(height), title);
    g_string_append_printf(p.out, "<style>%s</style>\n", style);
    put_box(p.out, 0, 0, (double[]){width, height}, 0, "page");
    put_text(p.out, MARGIN, MARGIN + 18, "title", title);
    put_text(p.out, MARGIN, MARGIN + 40, "dim", machine);
    for (unsigned i = 0; i < model->nodes->len; i++) {
        if (((const struct svg_node *)model->nodes->pdata[i])->parent != SVG_NONE) {
            put_link(&p, model->nodes->pdata[i]);
        }
    }
    for (unsigned i = 0; i < model->nodes->len; i++) {
        put_card(&p, model->nodes->pdata[i]);
    }
    put_legend(&p, legend);
    g_string_append(p.out, "</svg>\n");
    g_free(machine);
    g_free(memory);
    return g_string_free(p.out, FALSE);
}

char *topo_svg(const struct machine_desc *desc, const char *title, GHashTable *notes,
               GError **error)
{
    struct svg_model *model = svg_model_new(desc, error);
    char *text = model && svg_layout(model, error) ? svg_draw(model, title, notes) : NULL;

    svg_model_free(model);
    return text;
}
