/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What acpidump prints of a real computer, for an import. MCFG tells which buses a segment has;
 * what else is told (remapping units, boot flags) goes into the topology as comments.
 *
 * UNIMPL: _CRS, _BBN and _SEG of host bridges, which are code: windows come from the addresses of
 * the dump and /proc/iomem instead.
 */
#include <string.h>

#include "import.h"
#include "lines.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

#define TABLE_BYTES_MAX (16u << 20)
#define SDT_HEADER      36 /* ACPI 6.5, 5.2.6 */

struct table {
    char name[5];
    unsigned line; /* where it begins */
    GByteArray *bytes;
};

struct acpi {
    const struct topo_import_params *params;
    struct table table; /* the one being read */
    GArray *ecams;      /* struct import_ecam */
    GPtrArray *notes;
};

static bool fail(const struct acpi *a, unsigned line, GError **error, const char *what)
{
    topo_fail(error, a->params->acpi_file, line, NULL, NULL, "%s", what);
    return false;
}

/* "DSDT @ 0x00000000bff7f240" */
static bool read_head(const char *line, char name[5])
{
    for (unsigned i = 0; i < 4; i++) {
        if (!g_ascii_isalnum(line[i]) && line[i] != '_' && line[i] != '!') {
            return false;
        }
        name[i] = line[i];
    }
    name[4] = '\0';
    return g_str_has_prefix(line + 4, " @ ");
}

/* "    0010: 49 4E 54 45 4C 20 ...  INTEL ": what stands there counts from the table's start. */
static bool read_row(const char *line, GByteArray *bytes)
{
    char *end;
    uint64_t offset = g_ascii_strtoull(line, &end, 16);

    if (end == line || *end++ != ':' || offset != bytes->len) {
        return false;
    }
    unsigned count = 0;
    while (count < 16 && end[0] == ' ' && g_ascii_isxdigit(end[1]) && g_ascii_isxdigit(end[2]) &&
           (end[3] == ' ' || !end[3])) {
        uint8_t byte = (uint8_t)(g_ascii_xdigit_value(end[1]) << 4 | g_ascii_xdigit_value(end[2]));
        g_byte_array_append(bytes, &byte, 1);
        end += 3;
        count++;
    }
    return count != 0;
}

static void say(struct acpi *a, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void say(struct acpi *a, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(a->notes, g_strdup_vprintf(format, args));
    va_end(args);
}

/* PCI Firmware 3.3, 4.1.2: entries of 16 bytes from offset 44 on. */
static bool take_mcfg(struct acpi *a, GError **error)
{
    const GByteArray *b = a->table.bytes;

    if (b->len < 44 || (b->len - 44) % 16) {
        return fail(a, a->table.line, error, "MCFG: its length is not that of whole entries");
    }
    for (unsigned at = 44; at < b->len; at += 16) {
        const uint8_t *p = b->data + at;
        struct import_ecam ecam = {
            .segment = le16_load(p + 8), .first = p[10], .last = p[11], .base = le64_load(p)};

        if (ecam.last < ecam.first) {
            return fail(a, a->table.line, error, "MCFG: an entry's last bus is below its first");
        }
        say(a, "MCFG: segment %u, buses %02x-%02x at %" G_GINT64_MODIFIER "x", ecam.segment,
            ecam.first, ecam.last, ecam.base);
        g_array_append_val(a->ecams, ecam);
    }
    return true;
}

/* A device scope's start bus and path (VT-d 4.1, 8.3.1). */
static void put_scope(GString *text, const uint8_t *scope, unsigned len)
{
    static const char *const kinds[] = {"?", "function", "below", "IOAPIC", "HPET", "namespace"};
    unsigned kind = scope[0] < G_N_ELEMENTS(kinds) ? scope[0] : 0;

    g_string_append_printf(text, "; %s %02x", kinds[kind], scope[5]);
    for (unsigned at = 6; at + 2 <= len; at += 2) {
        g_string_append_printf(text, ":%02x.%x", scope[at], scope[at + 1]);
    }
}

/* VT-d 4.1, 8.1 to 8.4: DRHD and RMRR; others are counted as nothing. */
static bool take_dmar(struct acpi *a, GError **error)
{
    const GByteArray *b = a->table.bytes;

    for (unsigned at = 48; at < b->len;) {
        const uint8_t *p = b->data + at;
        unsigned left = b->len - at, len = left >= 4 ? le16_load(p + 2) : 0;
        unsigned kind = left >= 2 ? le16_load(p) : 0, scopes = kind == 1 ? 24 : 16;

        if (len < 4 || len > left) {
            return fail(a, a->table.line, error, "DMAR: a structure reaches beyond the table");
        }
        if (kind <= 1 && len >= scopes) {
            GString *text = g_string_new(NULL);
            if (kind == 0) {
                g_string_append_printf(
                    text, "DMAR: unit of segment %u at %" G_GINT64_MODIFIER "x%s", le16_load(p + 6),
                    le64_load(p + 8), p[4] & 1 ? ", all that no other has" : "");
            } else {
                g_string_append_printf(text,
                                       "DMAR: reserved memory %" G_GINT64_MODIFIER
                                       "x-%" G_GINT64_MODIFIER "x of segment %u",
                                       le64_load(p + 8), le64_load(p + 16), le16_load(p + 6));
            }
            for (unsigned s = scopes; s + 6 <= len && p[s + 1] >= 6 && s + p[s + 1] <= len;
                 s += p[s + 1]) {
                put_scope(text, p + s, p[s + 1]);
            }
            say(a, "%s", text->str);
            g_string_free(text, TRUE);
        }
        at += len;
    }
    return true;
}

/* ACPI 6.5, 5.2.9.3: IA-PC Boot Architecture Flags. */
static void take_fadt(struct acpi *a)
{
    unsigned flags = a->table.bytes->len >= 111 ? le16_load(a->table.bytes->data + 109) : 0;

    if (flags & BIT(3)) {
        say(a, "FADT: no MSI there; pcilab's firmware does not say so");
    }
    if (flags & BIT(4)) {
        say(a, "FADT: the kernel must not control ASPM there; pcilab's firmware does not say so");
    }
}

/* A table is complete: its length and checksum must say so, too. FACS and RSDP have other heads. */
static bool end_table(struct acpi *a, GError **error)
{
    const struct table *t = &a->table;
    uint8_t sum = 0;

    if (!t->line) {
        return true;
    }
    if (strcmp(t->name, "FACS") == 0 || g_str_has_prefix(t->name, "RSD")) {
        return true;
    }
    if (t->bytes->len < SDT_HEADER || le32_load(t->bytes->data + 4) != t->bytes->len) {
        return fail(a, t->line, error, "the table is cut short, or longer than it says");
    }
    for (unsigned i = 0; i < t->bytes->len; i++) {
        sum = (uint8_t)(sum + t->bytes->data[i]);
    }
    if (sum || memcmp(t->bytes->data, t->name, 4) != 0) {
        return fail(a, t->line, error, "the table's checksum or signature is wrong");
    }
    if (strcmp(t->name, "MCFG") == 0) {
        return take_mcfg(a, error);
    }
    if (strcmp(t->name, "DMAR") == 0) {
        return take_dmar(a, error);
    }
    if (strcmp(t->name, "FACP") == 0) {
        take_fadt(a);
    }
    return true;
}

static bool read_line(struct acpi *a, const char *text, unsigned line, GError **error)
{
    char name[5];

    if (read_head(text, name)) {
        if (!end_table(a, error)) {
            return false;
        }
        memcpy(a->table.name, name, sizeof(name));
        a->table.line = line;
        g_byte_array_set_size(a->table.bytes, 0);
        return true;
    }
    text += strspn(text, " \t");
    if (!*text || *text == '#') {
        return true;
    }
    if (!a->table.line || a->table.bytes->len >= TABLE_BYTES_MAX ||
        !read_row(text, a->table.bytes)) {
        return fail(a, line, error,
                    a->table.line ? "not the next row of a table, like \"0010: 49 4E 54 ...\""
                                  : "not what acpidump prints: \"DSDT @ 0x...\" comes first");
    }
    return true;
}

bool import_read_acpi(const struct topo_import_params *params, GArray *ecams, GPtrArray *notes,
                      GError **error)
{
    struct acpi a = {.params = params, .ecams = ecams, .notes = notes};

    if (!params->acpi_file) {
        return true;
    }
    if (memchr(params->acpi, '\0', params->acpi_len)) {
        return fail(&a, 1, error, "not a text file; acpidump prints one");
    }
    char *text = g_strndup(params->acpi, params->acpi_len);
    char **lines = g_strsplit(text, "\n", -1);
    unsigned line = 0;
    bool ok = true;

    a.table.bytes = g_byte_array_new();
    for (; ok && lines[line]; line++) {
        g_strchomp(lines[line]);
        ok = read_line(&a, lines[line], line + 1, error);
    }
    ok = ok && end_table(&a, error);
    if (ok && !a.table.line) {
        ok = fail(&a, 1, error, "there is no table in it");
    }
    g_byte_array_unref(a.table.bytes);
    g_strfreev(lines);
    g_free(text);
    return ok;
}
