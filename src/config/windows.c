/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The address windows of host bridges: their keys, and what must hold among them. */
#include <string.h>

#include "parser.h"
#include "pcilab/base/bits.h"
#include "pcilab/platform/addrmap.h"

#define IO_STEP  0x10
#define MEM_STEP 0x1000 /* ACPI and page tables know no less */

static uint64_t step_of(const struct topo_key *key)
{
    return key->max < 0x10000 ? IO_STEP : MEM_STEP;
}

static bool parse_address(const char **text, uint64_t *addr)
{
    char *end;

    *text += g_str_has_prefix(*text, "0x") ? 2 : 0;
    if (!g_ascii_isxdigit(**text)) {
        return false;
    }
    *addr = g_ascii_strtoull(*text, &end, 16);
    bool ok = end - *text <= 16;
    *text = end;
    return ok;
}

/* "80000000-dfffffff", as /proc/iomem has it. */
static bool parse_window(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *ends = (uint64_t *)((char *)values + key->offset);

    if (strcmp(text, "none") == 0) {
        ends[0] = 1;
        ends[1] = 0;
        return true;
    }
    return parse_address(&text, &ends[0]) && *text++ == '-' && parse_address(&text, &ends[1]) &&
           !*text && ends[0] >= key->min && ends[1] <= key->max && ends[0] < ends[1] &&
           ends[0] % step_of(key) == 0 && (ends[1] + 1) % step_of(key) == 0;
}

static void allowed_window(const struct topo_key *key, GString *out)
{
    g_string_append_printf(out,
                           "a range in hexadecimal between %" G_GINT64_MODIFIER
                           "x and %" G_GINT64_MODIFIER "x in steps of %" G_GINT64_MODIFIER
                           "x, like %" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x, or none",
                           key->min, key->max, step_of(key), align_up(key->min, step_of(key)),
                           key->max);
}

const struct topo_type topo_type_window = {parse_window, allowed_window};

struct machine_window topo_window(const uint64_t ends[2])
{
    struct machine_window window = {.given = ends[0] || ends[1]};

    if (window.given && ends[0] <= ends[1]) {
        window.base = ends[0];
        window.size = ends[1] - ends[0] + 1;
    }
    return window;
}

static const struct {
    const char *key;
    size_t offset;
} windows[] = {{"io", offsetof(struct topo_values, io)},
               {"mem32", offsetof(struct topo_values, mem32)},
               {"mem64", offsetof(struct topo_values, mem64)}};

static const uint64_t *ends_of(const struct topo_item *item, unsigned which)
{
    return (const uint64_t *)((const char *)&item->v + windows[which].offset);
}

static bool overlap(const uint64_t a[2], const uint64_t b[2])
{
    return a[0] <= a[1] && b[0] <= b[1] && a[0] <= b[1] && b[0] <= a[1];
}

static bool check_pair(struct topo_parser *parser, struct topo_item *a, struct topo_item *b,
                       GError **error)
{
    for (unsigned i = 0; i < ARRAY_LEN(windows); i++) {
        const uint64_t *x = ends_of(a, i), *y = ends_of(b, i);
        bool given = x[0] || x[1];

        if (given != (y[0] || y[1])) {
            item_fail(parser, given ? a : b, windows[i].key, error,
                      "%s (line %u) does not say its %s: all host bridges do, or none",
                      (given ? b : a)->name, (given ? b : a)->group->line, windows[i].key);
            return false;
        }
        if (given && overlap(x, y)) {
            item_fail(parser, a, windows[i].key, error, "overlaps that of %s (line %u)", b->name,
                      b->group->line);
            return false;
        }
    }
    return true;
}

bool topo_check_windows(struct topo_parser *parser, GError **error)
{
    static const uint64_t ecam[2] = {MAP_ECAM_HIGH_BASE, MAP_ECAM_HIGH_END - 1};

    for (unsigned i = 0; i < parser->items->len; i++) {
        struct topo_item *a = parser->items->pdata[i];

        if (a->kind != TOPO_HOST_BRIDGE) {
            continue;
        }
        if ((a->v.mem64[0] || a->v.mem64[1]) && overlap(a->v.mem64, ecam)) {
            item_fail(parser, a, "mem64", error,
                      "%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x is the platform's (ECAM)",
                      ecam[0], ecam[1]);
            return false;
        }
        for (unsigned j = 0; j < i; j++) {
            struct topo_item *b = parser->items->pdata[j];
            if (b->kind == TOPO_HOST_BRIDGE && !check_pair(parser, a, b, error)) {
                return false;
            }
        }
    }
    return true;
}
