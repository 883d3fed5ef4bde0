/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes and times as people write them. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "pcilab/config/units.h"
#include "pcilab/sim/sim.h"

bool units_parse_uint(const char *text, uint64_t *value)
{
    unsigned base = 10;

    if (g_ascii_strncasecmp(text, "0x", 2) == 0) {
        base = 16;
        text += 2;
        if (!g_ascii_isxdigit(text[0])) {
            return false;
        }
    }
    guint64 v;
    if (!g_ascii_string_to_unsigned(text, base, 0, G_MAXUINT64, &v, NULL)) {
        return false;
    }
    *value = v;
    return true;
}

/* Splits "512MiB" into 512 and the unit's text; blanks may stand between. */
static bool split_number(const char *text, uint64_t *number, const char **unit)
{
    if (!g_ascii_isdigit(text[0])) {
        return false;
    }
    char *end;
    errno = 0;
    *number = g_ascii_strtoull(text, &end, 10);
    if (errno) {
        return false;
    }
    while (*end == ' ') {
        end++;
    }
    *unit = end;
    return true;
}

bool units_parse_size(const char *text, uint64_t *bytes)
{
    static const char letters[] = "KMGTPE";
    const char *unit;
    uint64_t number;

    if (g_ascii_strncasecmp(text, "0x", 2) == 0) {
        return units_parse_uint(text, bytes);
    }
    if (!split_number(text, &number, &unit)) {
        return false;
    }
    unsigned shift = 0;
    if (*unit) {
        const char *letter = strchr(letters, g_ascii_toupper(*unit));
        if (!letter) {
            return false;
        }
        shift = 10 * (unsigned)(letter - letters + 1);
        unit++;
        if (*unit && g_ascii_strcasecmp(unit, "B") != 0 && g_ascii_strcasecmp(unit, "iB") != 0) {
            return false;
        }
    }
    if (number > UINT64_MAX >> shift) {
        return false;
    }
    *bytes = number << shift;
    return true;
}

struct time_unit {
    const char *name;
    uint64_t ps;
};

static const struct time_unit time_units[] = {
    {"h", 3600 * PS_PER_S}, {"m", 60 * PS_PER_S}, {"min", 60 * PS_PER_S}, {"s", PS_PER_S},
    {"ms", PS_PER_MS},      {"us", PS_PER_US},    {"ns", PS_PER_NS},      {"ps", 1},
    {"", PS_PER_S},
};

bool units_parse_time(const char *text, uint64_t *ps)
{
    char *end;

    if (!g_ascii_isdigit(text[0]) || g_ascii_strncasecmp(text, "0x", 2) == 0) {
        return false;
    }
    errno = 0;
    double number = g_ascii_strtod(text, &end);
    if (errno || end == text) {
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(time_units); i++) {
        if (strcmp(end, time_units[i].name) == 0) {
            double value = number * (double)time_units[i].ps;
            if (!(value < 18.4e18)) { /* just below 2^64 */
                return false;
            }
            *ps = (uint64_t)(value + 0.5);
            return true;
        }
    }
    return false;
}

char *units_format_size(uint64_t bytes)
{
    static const char *const names[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    unsigned unit = 0;

    while (bytes && bytes % 1024 == 0 && unit + 1 < G_N_ELEMENTS(names)) {
        bytes /= 1024;
        unit++;
    }
    return g_strdup_printf("%" G_GUINT64_FORMAT " %s", bytes, names[unit]);
}

char *units_format_time(uint64_t ps)
{
    static const struct time_unit units[] = {
        {"s", PS_PER_S}, {"ms", PS_PER_MS}, {"us", PS_PER_US}, {"ns", PS_PER_NS}};

    for (unsigned i = 0; i < G_N_ELEMENTS(units); i++) {
        if (ps >= units[i].ps) {
            uint64_t thousandths = ps / (units[i].ps / 1000);
            char *text = g_strdup_printf("%" G_GUINT64_FORMAT ".%03u", thousandths / 1000,
                                         (unsigned)(thousandths % 1000));
            char *end = text + strlen(text);
            while (end[-1] == '0') {
                *--end = '\0';
            }
            if (end[-1] == '.') {
                *--end = '\0';
            }
            char *result = g_strdup_printf("%s %s", text, units[i].name);
            g_free(text);
            return result;
        }
    }
    return g_strdup_printf("%u ps", (unsigned)ps);
}

#define WORD_MAX 48

/* Edits (insert, delete, change, swap of neighbours) that turn a into b. */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned rows[3][WORD_MAX + 1];
    size_t a_len = strlen(a), b_len = strlen(b);

    if (a_len > WORD_MAX || b_len > WORD_MAX) {
        return WORD_MAX;
    }
    for (unsigned j = 0; j <= b_len; j++) {
        rows[0][j] = j;
    }
    for (unsigned i = 1; i <= a_len; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= b_len; j++) {
            unsigned cost = g_ascii_tolower(a[i - 1]) != g_ascii_tolower(b[j - 1]);
            row[j] = MIN(MIN(above[j] + 1, row[j - 1] + 1), above[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = MIN(row[j], above2[j - 2] + 1);
            }
        }
    }
    return rows[a_len % 3][b_len];
}

const char *units_nearest(const char *text, const char *const *candidates, unsigned count)
{
    unsigned best = (unsigned)MAX(2, strlen(text) / 3) + 1;
    const char *nearest = NULL;

    for (unsigned i = 0; i < count; i++) {
        unsigned distance = edit_distance(text, candidates[i]);
        /* "x" is not a misspelt "hb": something must be left of the word. */
        if (distance < best && distance < strlen(candidates[i])) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
