/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Campaign files. */
#include "pcilab/config/campaign.h"

#include <string.h>

#include "lines.h"
#include "pcilab/config/topology.h"
#include "pcilab/config/units.h"
#include "pcilab/sim/sim.h"

#define SHARD_SIZE_MAX 100000u

struct parser {
    struct topo_lines lines;
    GKeyFile *values;
    struct campaign *campaign;
};

static void list_clear(struct campaign_list *list)
{
    g_strfreev(list->words);
}

static void matrix_clear(void *item)
{
    struct campaign_matrix *m = item;

    g_free(m->group);
    list_clear(&m->scenarios);
    list_clear(&m->topologies);
    list_clear(&m->kernels);
    g_clear_pointer(&m->seeds, g_array_unref);
}

void campaign_free(struct campaign *c)
{
    if (!c) {
        return;
    }
    g_free(c->file);
    g_free(c->name);
    g_array_unref(c->matrices);
    g_free(c);
}

void campaign_fail(GError **error, const struct campaign *campaign,
                   const struct campaign_matrix *matrix, const char *key, const char *format, ...)
{
    unsigned line = matrix->line;
    va_list args;

    if (key) {
        line = strcmp(key, "scenarios") == 0    ? matrix->scenarios.line
               : strcmp(key, "topologies") == 0 ? matrix->topologies.line
               : strcmp(key, "kernels") == 0    ? matrix->kernels.line
                                                : matrix->line;
    }
    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    topo_fail(error, campaign->file, line, matrix->group, key, "%s", text);
    g_free(text);
}

static void fail_at(const struct parser *p, const struct topo_group_line *group, const char *key,
                    GError **error, const char *text)
{
    topo_fail(error, p->lines.file, topo_lines_of_key(group, key), group->text, key, "%s", text);
}

/* The value of a key, or NULL where it is not there; g_free() it. False: it is no text. */
static bool get(const struct parser *p, const struct topo_group_line *group, const char *key,
                char **value, GError **error)
{
    GError *inner = NULL;

    *value = NULL;
    if (!g_key_file_has_key(p->values, group->text, key, NULL)) {
        return true;
    }
    *value = g_key_file_get_string(p->values, group->text, key, &inner);
    if (inner) {
        fail_at(p, group, key, error, inner->message);
        g_error_free(inner);
        g_clear_pointer(value, g_free);
        return false;
    }
    return true;
}

static bool check_keys(const struct parser *p, const struct topo_group_line *group,
                       const char *const *keys, unsigned count, GError **error)
{
    for (unsigned i = 0; i < group->keys->len; i++) {
        const char *name = g_array_index(group->keys, struct topo_key_line, i).name;
        bool known = false;
        for (unsigned k = 0; k < count; k++) {
            known |= strcmp(keys[k], name) == 0;
        }
        if (!known) {
            const char *near = units_nearest(name, keys, count);
            char *all = g_strjoinv(", ", (char **)keys);
            char *text =
                g_strdup_printf("unknown key%s%s%s; there are: %s", near ? "; did you mean \"" : "",
                                near ? near : "", near ? "\"?" : "", all);
            fail_at(p, group, name, error, text);
            g_free(text);
            g_free(all);
            return false;
        }
    }
    return true;
}

/* [campaign] */

static bool take_name(struct parser *p, const struct topo_group_line *group, GError **error)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-_.";
    char *name;

    if (!get(p, group, "name", &name, error)) {
        return false;
    }
    if (name && (!*name || strlen(name) > 64 || name[strspn(name, allowed)])) {
        fail_at(p, group, "name", error,
                "a name is up to 64 letters, digits and - _ . (batch systems show it)");
        g_free(name);
        return false;
    }
    p->campaign->name = name;
    return true;
}

static bool take_size(struct parser *p, const struct topo_group_line *group, GError **error)
{
    uint64_t size;
    char *text;

    if (!get(p, group, "shard-size", &text, error)) {
        return false;
    }
    bool ok = !text || (units_parse_uint(text, &size) && size && size <= SHARD_SIZE_MAX);
    if (!ok) {
        fail_at(p, group, "shard-size", error,
                "is not allowed; it is the number of cases in a shard, 1 to 100000");
    }
    p->campaign->shard_size = ok && text ? (unsigned)size : 0;
    g_free(text);
    return ok;
}

/* "10s wall:5m" */
static bool take_limit(struct parser *p, const struct topo_group_line *group, GError **error)
{
    struct campaign *c = p->campaign;
    bool ok = true;
    char *text;

    if (!get(p, group, "limit", &text, error)) {
        return false;
    }
    char **words = g_strsplit_set(text ? text : "", " \t", -1);
    for (unsigned i = 0; ok && words[i]; i++) {
        bool wall = g_str_has_prefix(words[i], "wall:");
        uint64_t ps;
        if (!*words[i]) {
            continue;
        }
        ok = units_parse_time(words[i] + (wall ? 5 : 0), &ps) && ps >= PS_PER_US;
        if (!ok) {
            fail_at(p, group, "limit", error,
                    "is not allowed; it is a virtual time like 30s, a wall clock time like "
                    "wall:5m, or both");
        } else if (wall) {
            c->limit_wall_us = ps / PS_PER_US;
        } else {
            c->limit_ps = ps;
        }
    }
    g_strfreev(words);
    g_free(text);
    return ok;
}

static bool take_head(struct parser *p, const struct topo_group_line *group, GError **error)
{
    static const char *const keys[] = {"name", "shard-size", "limit", NULL};

    return check_keys(p, group, keys, 3, error) && take_name(p, group, error) &&
           take_size(p, group, error) && take_limit(p, group, error);
}

/* [matrix NAME] */

static bool take_list(struct parser *p, const struct topo_group_line *group, const char *key,
                      struct campaign_list *list, GError **error)
{
    GError *inner = NULL;
    char *text;

    if (!get(p, group, key, &text, error)) {
        return false;
    }
    list->line = topo_lines_of_key(group, key);
    if (text && !g_shell_parse_argv(text, NULL, &list->words, &inner)) {
        fail_at(p, group, key, error,
                g_error_matches(inner, G_SHELL_ERROR, G_SHELL_ERROR_EMPTY_STRING)
                    ? "is empty; leave the key out"
                    : inner->message);
        g_error_free(inner);
    }
    bool ok = !text || list->words;
    g_free(text);
    return ok;
}

/* "7" or "1-100" */
static bool parse_seeds(const char *word, struct campaign_seeds *seeds)
{
    const char *dash = strchr(word, '-');
    char *first_text = dash ? g_strndup(word, (gsize)(dash - word)) : g_strdup(word);
    uint64_t first, last;
    bool ok = units_parse_uint(first_text, &first) &&
              units_parse_uint(dash ? dash + 1 : first_text, &last) && first <= last &&
              last <= INT64_MAX && last - first < CAMPAIGN_CASES_MAX;

    g_free(first_text);
    if (ok) {
        *seeds = (struct campaign_seeds){.first = first, .count = (unsigned)(last - first + 1)};
    }
    return ok;
}

static int compare_seeds(const void *a, const void *b)
{
    const struct campaign_seeds *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

static bool take_seeds(struct parser *p, const struct topo_group_line *group,
                       struct campaign_matrix *m, GError **error)
{
    struct campaign_seeds one = {.first = 1, .count = 1};
    struct campaign_list list = {0};
    bool ok = take_list(p, group, "seeds", &list, error);

    m->seeds = g_array_new(FALSE, FALSE, sizeof(one));
    for (unsigned i = 0; ok && list.words && list.words[i]; i++) {
        ok = parse_seeds(list.words[i], &one);
        if (ok) {
            g_array_append_val(m->seeds, one);
        } else {
            fail_at(p, group, "seeds", error,
                    "is not allowed; seeds are numbers and ranges of up to a million, like "
                    "1-100 777");
        }
    }
    list_clear(&list);
    if (ok && !m->seeds->len) {
        g_array_append_val(m->seeds, one);
    }
    g_array_sort(m->seeds, compare_seeds);
    for (unsigned i = 1; ok && i < m->seeds->len; i++) {
        const struct campaign_seeds *before =
            &g_array_index(m->seeds, struct campaign_seeds, i - 1);
        const struct campaign_seeds *after = before + 1;
        if (after->first - before->first < before->count) {
            fail_at(p, group, "seeds", error, "a seed stands twice: each is run once");
            ok = false;
        }
    }
    return ok;
}

static bool take_matrix(struct parser *p, const struct topo_group_line *group, GError **error)
{
    static const char *const keys[] = {"scenarios", "topologies", "kernels", "seeds", NULL};
    struct campaign_matrix m = {.group = g_strdup(group->text), .line = group->line};
    bool ok = check_keys(p, group, keys, 4, error) &&
              take_list(p, group, "scenarios", &m.scenarios, error) &&
              take_list(p, group, "topologies", &m.topologies, error) &&
              take_list(p, group, "kernels", &m.kernels, error) && take_seeds(p, group, &m, error);

    if (ok && !m.scenarios.words) {
        fail_at(p, group, NULL, error,
                "needs scenarios, like: scenarios=tests/scenario/aer my.lua");
        ok = false;
    }
    if (ok) {
        g_array_append_val(p->campaign->matrices, m);
    } else {
        matrix_clear(&m);
    }
    return ok;
}

static bool take_group(struct parser *p, const struct topo_group_line *group, GError **error)
{
    if (strcmp(group->text, "campaign") == 0) {
        return take_head(p, group, error);
    }
    if (strcmp(group->kind, "matrix") == 0) {
        return take_matrix(p, group, error);
    }
    fail_at(p, group, NULL, error,
            "there is no such group in a campaign; there are [campaign] and [matrix NAME]");
    return false;
}

static char *default_name(const char *file)
{
    char *base = g_path_get_basename(file), *dot = strrchr(base, '.');

    if (dot && dot > base) {
        *dot = '\0';
    }
    g_strcanon(base, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_.", '-');
    return base;
}

struct campaign *campaign_parse(const char *file, const char *text, size_t len, GError **error)
{
    struct parser p = {0};
    GError *inner = NULL;

    if (!topo_lines_index(&p.lines, file, text, len, error)) {
        return NULL;
    }
    p.values = g_key_file_new();
    p.campaign = g_new0(struct campaign, 1);
    p.campaign->file = g_strdup(file);
    p.campaign->matrices = g_array_new(FALSE, TRUE, sizeof(struct campaign_matrix));
    g_array_set_clear_func(p.campaign->matrices, matrix_clear);
    bool ok = !len || g_key_file_load_from_data(p.values, text, len, G_KEY_FILE_NONE, &inner);
    if (!ok) {
        topo_fail(error, file, 0, NULL, NULL, "%s", inner->message);
        g_error_free(inner);
    }
    for (unsigned i = 0; ok && i < p.lines.groups->len; i++) {
        ok = take_group(&p, &g_array_index(p.lines.groups, struct topo_group_line, i), error);
    }
    if (ok && !p.campaign->matrices->len) {
        topo_fail(error, file, 0, NULL, NULL,
                  "nothing to run: a campaign has a group like [matrix errors] with scenarios=");
        ok = false;
    }
    if (ok && !p.campaign->name) {
        p.campaign->name = default_name(file);
    }
    g_key_file_free(p.values);
    topo_lines_clear(&p.lines);
    if (!ok) {
        g_clear_pointer(&p.campaign, campaign_free);
    }
    return p.campaign;
}

struct campaign *campaign_load(const char *path, GError **error)
{
    size_t len;
    char *text = topo_read_file(path, &len, error);
    struct campaign *campaign = text ? campaign_parse(path, text, len, error) : NULL;

    g_free(text);
    return campaign;
}
