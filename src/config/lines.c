/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of a key file, indexed and checked before GKeyFile sees them. */
#include <string.h>

#include "lines.h"
#include "pcilab/config/topology.h"

#define GROUPS_MAX 4096

G_DEFINE_QUARK(pcilab - topology - error, topology_error)

void topo_fail(GError **error, const char *file, unsigned line, const char *group, const char *key,
               const char *format, ...)
{
    GString *text = g_string_new(file);
    va_list args;

    if (line) {
        g_string_append_printf(text, ":%u", line);
    }
    g_string_append_c(text, ':');
    if (group) {
        g_string_append_printf(text, " [%s]", group);
    }
    if (key) {
        g_string_append_printf(text, " %s", key);
    }
    if (group || key) {
        g_string_append_c(text, ':');
    }
    g_string_append_c(text, ' ');
    va_start(args, format);
    g_string_append_vprintf(text, format, args);
    va_end(args);
    /* An error is one line, whatever the file held. */
    for (char *c = text->str; *c; c++) {
        if (g_ascii_iscntrl(*c)) {
            *c = '?';
        }
    }
    g_set_error_literal(error, topology_error_quark(), TOPOLOGY_ERROR_INPUT, text->str);
    g_string_free(text, TRUE);
}

static void key_clear(void *item)
{
    g_free(((struct topo_key_line *)item)->name);
}

static void group_clear(void *item)
{
    struct topo_group_line *group = item;

    g_free(group->text);
    g_free(group->kind);
    g_free(group->name);
    g_array_unref(group->keys);
}

void topo_lines_clear(struct topo_lines *lines)
{
    g_clear_pointer(&lines->groups, g_array_unref);
}

unsigned topo_lines_of_key(const struct topo_group_line *group, const char *key)
{
    for (unsigned i = 0; key && i < group->keys->len; i++) {
        const struct topo_key_line *line = &g_array_index(group->keys, struct topo_key_line, i);
        if (strcmp(line->name, key) == 0) {
            return line->line;
        }
    }
    return group->line;
}

static bool index_group(struct topo_lines *lines, const char *text, unsigned number, GError **error)
{
    const char *close = strchr(text, ']');

    if (!close || close[1]) {
        topo_fail(error, lines->file, number, NULL, NULL,
                  "a group is one line like [root-port rp0]; found \"%s\"", text);
        return false;
    }
    char *inside = g_strndup(text + 1, (gsize)(close - text - 1));
    if (strchr(inside, '[')) {
        topo_fail(error, lines->file, number, NULL, NULL, "a group's name has no bracket in it: %s",
                  text);
        g_free(inside);
        return false;
    }
    for (unsigned i = 0; i < lines->groups->len; i++) {
        struct topo_group_line *other = &g_array_index(lines->groups, struct topo_group_line, i);
        if (strcmp(other->text, inside) == 0) {
            topo_fail(error, lines->file, number, inside, NULL,
                      "this group was already given in line %u; put its keys there", other->line);
            g_free(inside);
            return false;
        }
    }
    if (lines->groups->len == GROUPS_MAX) {
        topo_fail(error, lines->file, number, inside, NULL, "more than %u groups", GROUPS_MAX);
        g_free(inside);
        return false;
    }
    struct topo_group_line group = {.text = inside, .line = number};
    size_t kind_len = strcspn(inside, " \t");
    group.kind = g_strndup(inside, kind_len);
    group.name = g_strstrip(g_strdup(inside + kind_len));
    group.keys = g_array_new(FALSE, FALSE, sizeof(struct topo_key_line));
    g_array_set_clear_func(group.keys, key_clear);
    g_array_append_val(lines->groups, group);
    return true;
}

static bool index_key(struct topo_lines *lines, const char *text, unsigned number, GError **error)
{
    const char *equals = strchr(text, '=');

    if (!equals || equals == text) {
        topo_fail(error, lines->file, number, NULL, NULL,
                  "expected [group], key=value or a # comment; found \"%s\"", text);
        return false;
    }
    char *name = g_strchomp(g_strndup(text, (gsize)(equals - text)));
    if (!lines->groups->len) {
        topo_fail(error, lines->file, number, NULL, name,
                  "stands before the first group; start with one like [machine]");
        g_free(name);
        return false;
    }
    struct topo_group_line *group =
        &g_array_index(lines->groups, struct topo_group_line, lines->groups->len - 1);
    for (unsigned i = 0; i < group->keys->len; i++) {
        struct topo_key_line *other = &g_array_index(group->keys, struct topo_key_line, i);
        if (strcmp(other->name, name) == 0) {
            topo_fail(error, lines->file, number, group->text, name,
                      "was already given in line %u; a key stands once", other->line);
            g_free(name);
            return false;
        }
    }
    struct topo_key_line key = {.name = name, .line = number};
    g_array_append_val(group->keys, key);
    return true;
}

static unsigned line_of(const char *text, const char *at)
{
    unsigned line = 1;

    for (; text < at; text++) {
        line += *text == '\n';
    }
    return line;
}

static bool check_text(const char *file, const char *text, size_t len, GError **error)
{
    const char *end;

    if (len > TOPO_FILE_BYTES_MAX) {
        topo_fail(error, file, 0, NULL, NULL, "larger than %u bytes: not a topology file",
                  TOPO_FILE_BYTES_MAX);
        return false;
    }
    if (!g_utf8_validate_len(text, len, &end)) {
        topo_fail(error, file, line_of(text, end), NULL, NULL,
                  "not UTF-8 text; is this a topology file?");
        return false;
    }
    return true;
}

bool topo_lines_index(struct topo_lines *lines, const char *file, const char *text, size_t len,
                      GError **error)
{
    lines->file = file;
    lines->groups = NULL;
    if (!check_text(file, text, len, error)) {
        return false;
    }
    lines->groups = g_array_new(FALSE, FALSE, sizeof(struct topo_group_line));
    g_array_set_clear_func(lines->groups, group_clear);

    unsigned number = 1;
    bool ok = true;
    for (size_t at = 0; ok && at < len; number++) {
        const char *newline = memchr(text + at, '\n', len - at);
        size_t line_len = newline ? (size_t)(newline - text) - at : len - at;
        char *line = g_strstrip(g_strndup(text + at, line_len));
        if (line[0] == '[') {
            ok = index_group(lines, line, number, error);
        } else if (line[0] && line[0] != '#') {
            ok = index_key(lines, line, number, error);
        }
        g_free(line);
        at += line_len + 1;
    }
    if (!ok) {
        topo_lines_clear(lines);
    }
    return ok;
}
