/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what lspci prints. */
#include <errno.h>
#include <string.h>

#include "lines.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/config/lspci.h"
#include "pcilab/config/topology.h"
#include "pcilab/config/units.h"

struct reader {
    const char *file;
    unsigned line;
    GPtrArray *funcs;
    GHashTable *known;       /* (segment, bus, devfn) -> struct lspci_func */
    struct lspci_func *func; /* whose lines these are; NULL: nobody's */
    unsigned next;           /* offset that follows */
};

#define fail(reader, error, ...)                                                                   \
    topo_fail(error, (reader)->file, (reader)->line, NULL, NULL, __VA_ARGS__)

char *lspci_name(const struct lspci_func *func)
{
    return g_strdup_printf("%04x:%02x:%02x.%x", func->segment, func->p.bus, func->p.devfn >> 3,
                           func->p.devfn & 7u);
}

unsigned lspci_header(const struct lspci_func *func)
{
    return func->p.config[0x0e] & 0x7f;
}

unsigned lspci_bar_count(const struct lspci_func *func)
{
    static const unsigned counts[] = {6, 2, 1};
    unsigned header = lspci_header(func);

    return header < G_N_ELEMENTS(counts) ? counts[header] : 0;
}

bool lspci_bar(const struct lspci_func *func, unsigned bar, uint64_t *addr, bool *io, bool *wide)
{
    unsigned header = lspci_header(func), count = lspci_bar_count(func);
    uint64_t value;

    *io = *wide = false;
    if (bar == SHELL_BARS) {
        value = header > 1 ? 0 : le32_load(func->p.config + (header ? 0x38 : 0x30));
        *addr = value & 0xfffff800;
        return value != 0;
    }
    value = bar < count ? le32_load(func->p.config + 0x10 + 4 * bar) : 0;
    *io = value & 1;
    *wide = !*io && (value & 6) == 4 && bar + 1 < count;
    *addr = value & (*io ? ~3ULL : ~0xfULL);
    if (*wide) {
        *addr |= (uint64_t)le32_load(func->p.config + 0x14 + 4 * bar) << 32;
    }
    return value != 0;
}

/* Hexadecimal digits, at most `max`; the number of them. */
static unsigned read_hex(const char *text, unsigned max, uint32_t *value)
{
    unsigned n = 0;

    for (*value = 0; n < max && g_ascii_isxdigit(text[n]); n++) {
        *value = *value << 4 | (uint32_t)g_ascii_xdigit_value(text[n]);
    }
    return n;
}

/* "[SEGMENT:]BUS:DEVICE.FUNCTION" and the end of the word. */
static bool read_place(const char *text, struct lspci_func *func)
{
    uint32_t bus, device, function;
    unsigned n = read_hex(text, 8, &bus);

    func->segment = 0;
    if (n >= 4 && text[n] == ':') {
        func->segment = bus;
        text += n + 1;
        n = read_hex(text, 2, &bus);
    }
    if (n != 2 || text[2] != ':' || read_hex(text + 3, 2, &device) != 2 || device > 31 ||
        text[5] != '.' || read_hex(text + 6, 1, &function) != 1 || function > 7 ||
        (text[7] && text[7] != ' ')) {
        return false;
    }
    func->p.bus = (uint8_t)bus;
    func->p.devfn = (uint8_t)(device << 3 | function);
    return true;
}

/* The function before is over: is it whole? */
static bool finish_func(struct reader *reader, GError **error)
{
    static const unsigned ends[] = {64, 128, 256, 4096};
    struct lspci_func *func = reader->func;
    char *name;

    if (!func) {
        return true;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++) {
        if (reader->next == ends[i]) {
            func->p.config_bytes = (uint16_t)ends[i];
            return true;
        }
    }
    name = lspci_name(func);
    topo_fail(error, reader->file, func->line, NULL, NULL,
              "%s: its bytes end at 0x%x, not at 0x40, 0x100 or 0x1000: is the dump cut short, or "
              "made without -x?",
              name, reader->next);
    g_free(name);
    return false;
}

static bool start_func(struct reader *reader, const struct lspci_func *place, GError **error)
{
    uint64_t key = (uint64_t)place->segment << 16 | place->p.bus << 8 | place->p.devfn;
    struct lspci_func *other = g_hash_table_lookup(reader->known, &key);

    if (!finish_func(reader, error)) {
        return false;
    }
    if (other) {
        char *name = lspci_name(place);
        fail(reader, error, "%s stands in line %u already", name, other->line);
        g_free(name);
        return false;
    }
    if (reader->funcs->len == LSPCI_FUNCTIONS_MAX) {
        fail(reader, error, "more than %u functions", LSPCI_FUNCTIONS_MAX);
        return false;
    }
    reader->func = g_memdup2(place, sizeof(*place));
    reader->func->line = reader->line;
    reader->next = 0;
    g_ptr_array_add(reader->funcs, reader->func);
    g_hash_table_insert(reader->known, g_memdup2(&key, sizeof(key)), reader->func);
    return true;
}

static bool read_bytes(struct reader *reader, unsigned offset, const char *text, GError **error)
{
    uint8_t bytes[16];

    if (!reader->func) {
        fail(reader, error, "bytes of no function: a line like \"00:1f.0 ISA bridge\" comes first");
        return false;
    }
    for (unsigned i = 0; i < 16; i++) {
        uint32_t byte;
        if (text[0] != ' ' || read_hex(text + 1, 2, &byte) != 2) {
            fail(reader, error, "a line of bytes has 16 of them, this one has %u", i);
            return false;
        }
        bytes[i] = (uint8_t)byte;
        text += 3;
    }
    if (text[strspn(text, " \t\r")]) {
        fail(reader, error, "more than 16 bytes in a line");
        return false;
    }
    if (offset != reader->next || offset >= SHELL_CONFIG_BYTES) {
        fail(reader, error, "offset 0x%x where 0x%x follows", offset, reader->next);
        return false;
    }
    memcpy(reader->func->p.config + offset, bytes, 16);
    reader->next = offset + 16;
    return true;
}

/* "\tRegion 2: Memory at ... [size=64K]", "\tExpansion ROM at ... [size=128K]", and without a
 * number as plain -v has it ("\tMemory at ..."), which is of no use. */
static bool read_size(struct reader *reader, const char *text, GError **error)
{
    const char *size = strstr(text, "[size="), *end = size ? strchr(size, ']') : NULL;
    unsigned bar = SHELL_BARS;
    uint64_t bytes;
    bool ok;

    if (g_str_has_prefix(text, "Region ") && g_ascii_isdigit(text[7]) && text[8] == ':') {
        bar = (unsigned)(text[7] - '0');
    } else if (!g_str_has_prefix(text, "Expansion ROM at ")) {
        return true;
    }
    if (!end || !reader->func || bar > SHELL_BARS) {
        return true;
    }
    char *word = g_strndup(size + 6, (gsize)(end - size - 6));
    ok =
        units_parse_size(word, &bytes) && bytes >= 4 && bytes <= 1ULL << 48 && is_power_of_2(bytes);
    if (!ok) {
        char *shown = g_utf8_make_valid(word, -1);
        fail(reader, error, "[size=%s] is not the size of a BAR", shown);
        g_free(shown);
    } else {
        reader->func->p.bar_bytes[bar] = bytes;
        reader->func->sized[bar] = true;
    }
    g_free(word);
    return ok;
}

static bool read_line(struct reader *reader, const char *text, GError **error)
{
    struct lspci_func place = {0};
    uint32_t offset;
    unsigned digits = read_hex(text, 4, &offset);

    if (read_place(text, &place)) {
        return start_func(reader, &place, error);
    }
    if ((digits == 2 || digits == 3) && text[digits] == ':' &&
        (!text[digits + 1] || text[digits + 1] == ' ')) {
        return read_bytes(reader, offset, text + digits + 1, error);
    }
    if (*text == ' ' || *text == '\t') {
        return read_size(reader, text + strspn(text, " \t"), error);
    }
    if (!*text || *text == '#' || *text == '\r') {
        return true;
    }
    fail(reader, error,
         "neither a function (\"00:1f.0 ISA bridge\") nor bytes (\"00: 86 80 ...\"); "
         "this should be what lspci -xxxx prints");
    return false;
}

static bool read_all(struct reader *reader, const char *text, size_t len, GError **error)
{
    const char *end = text + len;

    if (memchr(text, '\0', len)) {
        fail(reader, error, "not a text file");
        return false;
    }
    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((stop ? stop : end) - text);
        char *line = g_strndup(text, length);

        reader->line++;
        bool ok = read_line(reader, line, error);
        g_free(line);
        if (!ok) {
            return false;
        }
        text += length + 1;
    }
    if (!finish_func(reader, error)) {
        return false;
    }
    if (!reader->funcs->len) {
        fail(reader, error, "there is no function in it");
        return false;
    }
    return true;
}

/* What is too large to be a BAR of its kind, or to lie where it lies, is wrong. */
static bool check_sizes(const struct reader *reader, const struct lspci_func *func, GError **error)
{
    for (unsigned i = 0; i <= SHELL_BARS; i++) {
        uint64_t size = func->p.bar_bytes[i], addr;
        bool io, wide, there = lspci_bar(func, i, &addr, &io, &wide);

        if (!func->sized[i]) {
            continue;
        }
        if (i < SHELL_BARS && !there) {
            topo_fail(error, reader->file, func->line, NULL, NULL,
                      "Region %u has a size, and its register is 0", i);
            return false;
        }
        if (addr & (size - 1) || (!wide && size > 1ULL << 31) || size < (io ? 4 : 16) ||
            (i == SHELL_BARS && (size < 2048 || size > 16 << 20))) {
            char *text = units_format_size(size);
            topo_fail(error, reader->file, func->line, NULL, NULL,
                      "%s %u cannot be at 0x%" G_GINT64_MODIFIER "x and %s large",
                      i == SHELL_BARS ? "expansion ROM," : "Region", i, addr, text);
            g_free(text);
            return false;
        }
    }
    return true;
}

GPtrArray *lspci_parse(const char *file, const char *text, size_t len, GError **error)
{
    struct reader reader = {.file = file};
    bool ok;

    reader.funcs = g_ptr_array_new_with_free_func(g_free);
    reader.known = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    ok = read_all(&reader, text, len, error);
    for (unsigned i = 0; ok && i < reader.funcs->len; i++) {
        ok = check_sizes(&reader, reader.funcs->pdata[i], error);
    }
    g_hash_table_unref(reader.known);
    if (!ok) {
        g_clear_pointer(&reader.funcs, g_ptr_array_unref);
    }
    return reader.funcs;
}

GPtrArray *lspci_load(const char *path, GError **error)
{
    GError *inner = NULL;
    GPtrArray *funcs;
    char *text;
    gsize len;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, topology_error_quark(), TOPOLOGY_ERROR_FILE, "%s: %s", path,
                    g_file_test(path, G_FILE_TEST_EXISTS) ? "not a file" : "there is no such file");
        return NULL;
    }
    if (!g_file_get_contents(path, &text, &len, &inner)) {
        g_set_error(error, topology_error_quark(), TOPOLOGY_ERROR_FILE, "%s: %s", path,
                    inner->message);
        g_error_free(inner);
        return NULL;
    }
    if (len > LSPCI_FILE_BYTES_MAX) {
        topo_fail(error, path, 0, NULL, NULL, "too large to be what lspci prints");
        funcs = NULL;
    } else {
        funcs = lspci_parse(path, text, len, error);
    }
    g_free(text);
    return funcs;
}
