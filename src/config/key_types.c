/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of values that keys of many groups have. */
#include <string.h>

#include "keys.h"
#include "pcilab/base/bits.h"
#include "pcilab/config/units.h"

/* One of a few words; the value is the word's place among them. */
bool topo_parse_word(const char *const *words, unsigned count, const char *text, uint64_t *value)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            *value = i;
            return true;
        }
    }
    return false;
}

static bool parse_uint(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = topo_value_of(key, values);

    return units_parse_uint(text, value) && *value >= key->min && *value <= key->max;
}

static void allowed_uint(const struct topo_key *key, GString *out)
{
    g_string_append_printf(out, "a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                           key->min, key->max);
}

static void append_size_range(const struct topo_key *key, GString *out)
{
    char *min = units_format_size(key->min), *max = units_format_size(key->max);

    g_string_append_printf(out, "from %s to %s", min, max);
    g_free(min);
    g_free(max);
}

/* A multiple of 1 MiB. */
static bool parse_size(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = topo_value_of(key, values);

    return units_parse_size(text, value) && *value >= key->min && *value <= key->max &&
           *value % (1u << 20) == 0;
}

static void allowed_size(const struct topo_key *key, GString *out)
{
    g_string_append(out, "a size like 512M or 2G, ");
    append_size_range(key, out);
    g_string_append(out, " in steps of 1 MiB");
}

static bool parse_power(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = topo_value_of(key, values);

    return units_parse_size(text, value) && *value >= key->min && *value <= key->max &&
           (*value & (*value - 1)) == 0;
}

static void allowed_power(const struct topo_key *key, GString *out)
{
    g_string_append(out, "a power of two like 64K or 1M, ");
    append_size_range(key, out);
}

/* MSI offers 1, 2, 4 ... 32 vectors (PCI Local Bus 3.0, 6.8.1.3). */
static bool parse_msi(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t *value = topo_value_of(key, values);

    return units_parse_uint(text, value) && *value <= key->max && (*value & (*value - 1)) == 0;
}

static void allowed_msi(const struct topo_key *key, GString *out)
{
    g_string_append(out, "0, 1, 2, 4, 8, 16 or 32");
}

static bool parse_bool(const struct topo_key *key, const char *text, struct topo_values *values)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true},    {"no", false}, {"true", true},
                 {"false", false}, {"on", true},  {"off", false}};

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(text, words[i].word) == 0) {
            *topo_value_of(key, values) = words[i].value;
            return true;
        }
    }
    return false;
}

static void allowed_bool(const struct topo_key *key, GString *out)
{
    g_string_append(out, "yes or no");
}

static bool parse_bus(const char **text, uint64_t *bus)
{
    char *end;

    if (!g_ascii_isxdigit(**text)) {
        return false;
    }
    *bus = g_ascii_strtoull(*text, &end, 16);
    bool ok = end - *text <= 2;
    *text = end;
    return ok;
}

static bool parse_buses(const struct topo_key *key, const char *text, struct topo_values *values)
{
    return parse_bus(&text, &values->bus_first) && *text++ == '-' &&
           parse_bus(&text, &values->bus_last) && !*text && values->bus_first <= values->bus_last;
}

static void allowed_buses(const struct topo_key *key, GString *out)
{
    g_string_append(out, "a range in hexadecimal like 00-7f");
}

/* Names are looked up when all groups are known. */
static bool parse_place(const struct topo_key *key, const char *text, struct topo_values *values)
{
    if (!*text) {
        return false;
    }
    g_free(*topo_text_of(key, values));
    *topo_text_of(key, values) = g_strdup(text);
    return true;
}

static void allowed_bridge(const struct topo_key *key, GString *out)
{
    g_string_append(out, "the name of a host bridge, like hb0");
}

static void allowed_at(const struct topo_key *key, GString *out)
{
    g_string_append(out, "a root port like rp0 or a switch port like sw0.1");
    if (key->kinds & ~BIT(TOPO_SWITCH)) {
        g_string_append(out, "; or a host bridge like hb0: integrated");
    }
}

/* NVM Express Base 2.0, figure 275 (SN): ASCII, 20 bytes. */
static bool parse_serial(const struct topo_key *key, const char *text, struct topo_values *values)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isprint(text[i])) {
            return false;
        }
    }
    return len <= 20 && parse_place(key, text, values);
}

static void allowed_serial(const struct topo_key *key, GString *out)
{
    g_string_append(out, "1 to 20 printable ASCII characters");
}

static bool parse_tag(const struct topo_key *key, const char *text, struct topo_values *values)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isgraph(text[i]) || text[i] == ',') {
            return false;
        }
    }
    return len <= key->max && parse_place(key, text, values);
}

static void allowed_tag(const struct topo_key *key, GString *out)
{
    g_string_append_printf(out, "1 to %u printable ASCII characters without blanks and commas",
                           (unsigned)key->max);
}

/* Not all zeroes, and of one station (IEEE 802, 8.2). */
static bool parse_mac(const struct topo_key *key, const char *text, struct topo_values *values)
{
    uint64_t mac = 0;

    for (unsigned i = 0; i < 6; i++) {
        const char *digits = text + 3 * i;
        if (!g_ascii_isxdigit(digits[0]) || !g_ascii_isxdigit(digits[1]) ||
            digits[2] != (i < 5 ? ':' : '\0')) {
            return false;
        }
        mac = mac << 8 |
              (uint64_t)(g_ascii_xdigit_value(digits[0]) * 16 + g_ascii_xdigit_value(digits[1]));
    }
    *topo_value_of(key, values) = mac;
    return mac && !(mac >> 40 & 1);
}

static void allowed_mac(const struct topo_key *key, GString *out)
{
    g_string_append(out, "the address of one station, like 52:54:00:12:34:56");
}

static void allowed_forward(const struct topo_key *key, GString *out)
{
    g_string_append(out, "one or more of tcp|udp:[ADDRESS]:PORT-[ADDRESS]:PORT, blanks between");
}

/* Whether it is a directory is seen when the machine is built. */
static void allowed_path(const struct topo_key *key, GString *out)
{
    g_string_append(out, "a directory of the host, from where pcilab is started");
}

/* Beside the topology file, so that the two can be moved together. */
static bool parse_file(const struct topo_key *key, const char *text, struct topo_values *values)
{
    return *text != '.' && !strchr(text, '/') && parse_place(key, text, values);
}

static void allowed_file(const struct topo_key *key, GString *out)
{
    g_string_append(out, "the name of a file in the folder of the topology file");
}

static bool parse_bars(const struct topo_key *key, const char *text, struct topo_values *values)
{
    *topo_value_of(key, values) = strcmp(text, "memory") == 0;
    return *topo_value_of(key, values) || strcmp(text, "ones") == 0;
}

static void allowed_bars(const struct topo_key *key, GString *out)
{
    g_string_append(out, "ones or memory");
}

const struct topo_type topo_type_uint = {parse_uint, allowed_uint};
const struct topo_type topo_type_size = {parse_size, allowed_size};
const struct topo_type topo_type_power = {parse_power, allowed_power};
const struct topo_type topo_type_msi = {parse_msi, allowed_msi};
const struct topo_type topo_type_bool = {parse_bool, allowed_bool};
const struct topo_type topo_type_buses = {parse_buses, allowed_buses};
const struct topo_type topo_type_bridge = {parse_place, allowed_bridge};
const struct topo_type topo_type_at = {parse_place, allowed_at};
const struct topo_type topo_type_tag = {parse_tag, allowed_tag};
const struct topo_type topo_type_mac = {parse_mac, allowed_mac};
const struct topo_type topo_type_forward = {parse_place, allowed_forward};
const struct topo_type topo_type_path = {parse_place, allowed_path};
const struct topo_type topo_type_bars = {parse_bars, allowed_bars};
const struct topo_type topo_type_file = {parse_file, allowed_file};
const struct topo_type topo_type_serial = {parse_serial, allowed_serial};
