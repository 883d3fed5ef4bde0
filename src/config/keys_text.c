/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reference of groups and keys, written from their tables. */
#include "keys.h"
#include "pcilab/base/bits.h"
#include "pcilab/config/topology.h"

static const char *default_text(const struct topo_key *key)
{
    return key->initial ? key->initial : key->otherwise ? key->otherwise : "required";
}

#define TEXT_COLUMNS 96

/* Text that goes on at `indent` columns when a line is full; `column` is where it starts. */
static void append_wrapped(GString *out, const char *text, unsigned column, unsigned indent)
{
    char **words = g_strsplit(text, " ", -1);

    for (unsigned i = 0; words[i]; i++) {
        unsigned len = (unsigned)g_utf8_strlen(words[i], -1);
        if (i && column + 1 + len > TEXT_COLUMNS) {
            g_string_append_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (i) {
            g_string_append_c(out, ' ');
            column++;
        }
        g_string_append(out, words[i]);
        column += len;
    }
    g_string_append_c(out, '\n');
    g_strfreev(words);
}

static void append_plain(GString *out, const struct topo_key *key, const char *allowed)
{
    char *values = g_strdup_printf("%s; default: %s", allowed, default_text(key));

    g_string_append_printf(out, "  %-16s  ", key->name);
    append_wrapped(out, key->help, 20, 20);
    g_string_append_printf(out, "%20s", "");
    append_wrapped(out, values, 20, 20);
    g_free(values);
}

static void append_markdown(GString *out, const struct topo_key *key, const char *allowed)
{
    bool code = key->initial != NULL;

    g_string_append_printf(out, "| `%s` | %s | %s%s%s | %s |\n", key->name, allowed,
                           code ? "`" : "", default_text(key), code ? "`" : "", key->help);
}

char *topology_keys_text(bool markdown)
{
    GString *out = g_string_new(NULL);

    for (enum topo_kind kind = 0; kind < TOPO_KIND_COUNT; kind++) {
        const struct topo_kind_info *info = &topo_kinds[kind];
        const char *name = kind == TOPO_SWITCH_PORT ? " SWITCH.N" : info->named ? " NAME" : "";
        g_string_append_printf(out, markdown ? "### `[%s%s]`\n\n" : "[%s%s]\n  ", info->name, name);
        if (!markdown) {
            append_wrapped(out, info->help, 2, 2);
        } else {
            g_string_append_printf(out, "%s\n\n", info->help);
            g_string_append(out, "| Key | Value | Default | Meaning |\n|---|---|---|---|\n");
        }
        for (unsigned i = 0; i < topo_key_count; i++) {
            if (topo_keys[i].kinds & BIT(kind)) {
                GString *allowed = g_string_new(NULL);
                topo_keys[i].type->allowed(&topo_keys[i], allowed);
                (markdown ? append_markdown : append_plain)(out, &topo_keys[i], allowed->str);
                g_string_free(allowed, TRUE);
            }
        }
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}
