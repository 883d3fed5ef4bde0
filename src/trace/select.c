/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events are wanted. */
#include "pcilab/trace/select.h"

#include "pcilab/base/bits.h"

#include <string.h>

struct wish {
    uint32_t kinds;
    char *component; /* NULL: any */
};

struct trace_select {
    GArray *wishes; /* struct wish */
    uint32_t kinds; /* of all wishes */
    uint32_t plain; /* of those that want any component */
    uint64_t from_ps, to_ps;
};

static const char *const kind_names[TRACE_KIND_COUNT] = {
    [TRACE_TLP] = "tlp",       [TRACE_IRQ] = "irq",     [TRACE_CONSOLE] = "console",
    [TRACE_RULE] = "rule",     [TRACE_STATE] = "state", [TRACE_LINK] = "link",
    [TRACE_DLLP] = "dllp",     [TRACE_IOMMU] = "iommu", [TRACE_ATS] = "ats",
    [TRACE_CONFIG] = "config", [TRACE_RESET] = "reset", [TRACE_CPU] = "cpu",
};

const char *trace_kind_name(enum trace_kind kind)
{
    return kind < TRACE_KIND_COUNT ? kind_names[kind] : "unknown";
}

/* 0: there is no such word. */
static uint32_t kinds_of(const char *word)
{
    if (strcmp(word, "all") == 0) {
        return TRACE_ALL;
    }
    if (strcmp(word, "link") == 0) {
        return BIT(TRACE_LINK) | BIT(TRACE_DLLP);
    }
    if (strcmp(word, "state") == 0) {
        return BIT(TRACE_STATE) | BIT(TRACE_LINK);
    }
    for (unsigned kind = 0; kind < TRACE_KIND_COUNT; kind++) {
        if (strcmp(word, kind_names[kind]) == 0) {
            return (uint32_t)BIT(kind);
        }
    }
    return 0;
}

/* "KIND" or "KIND:COMPONENT" */
static char *add_word(struct trace_select *select, const char *word)
{
    const char *colon = strchr(word, ':');
    char *name = colon ? g_strndup(word, (size_t)(colon - word)) : g_strdup(word);
    struct wish wish = {.kinds = kinds_of(name)};
    char *error = NULL;

    if (!wish.kinds) {
        error = g_strdup_printf("there is no kind of event \"%s\"; there are all, tlp, link, dllp, "
                                "irq, iommu, ats, config, reset, cpu, rule, state and console",
                                name);
    } else if (colon && !colon[1]) {
        error = g_strdup_printf("\"%s\": a component's name is missing", word);
    } else {
        wish.component = colon ? g_strdup(colon + 1) : NULL;
        select->kinds |= wish.kinds;
        select->plain |= colon ? 0 : wish.kinds;
        g_array_append_val(select->wishes, wish);
    }
    g_free(name);
    return error;
}

static void wish_clear(void *wish)
{
    g_free(((struct wish *)wish)->component);
}

struct trace_select *trace_select_parse(const char *text, char **error)
{
    struct trace_select *select = g_new0(struct trace_select, 1);
    char **words = g_strsplit(text, ",", -1);

    *error = words[0] ? NULL : g_strdup("it is empty");
    select->to_ps = UINT64_MAX;
    select->wishes = g_array_new(FALSE, FALSE, sizeof(struct wish));
    g_array_set_clear_func(select->wishes, wish_clear);
    for (unsigned i = 0; !*error && words[i]; i++) {
        *error = add_word(select, words[i]);
    }
    g_strfreev(words);
    if (*error) {
        trace_select_free(select);
        return NULL;
    }
    return select;
}

void trace_select_free(struct trace_select *select)
{
    if (select) {
        g_array_unref(select->wishes);
        g_free(select);
    }
}

void trace_select_set_span(struct trace_select *select, uint64_t from_ps, uint64_t to_ps)
{
    select->from_ps = from_ps;
    select->to_ps = to_ps;
}

uint32_t trace_select_kinds(const struct trace_select *select)
{
    return select->kinds;
}

bool trace_component_has(const char *component, const char *where)
{
    size_t len = strlen(component);

    return where && strncmp(component, where, len) == 0 && (!where[len] || where[len] == '.');
}

bool trace_select_wants(const struct trace_select *select, const struct trace_event *event)
{
    uint32_t kind = (uint32_t)BIT(event->kind);

    if (event->time_ps < select->from_ps || event->time_ps >= select->to_ps) {
        return false;
    }
    if (select->plain & kind) {
        return true;
    }
    for (unsigned i = 0; i < select->wishes->len; i++) {
        const struct wish *wish = &g_array_index(select->wishes, struct wish, i);

        if ((wish->kinds & kind) && wish->component &&
            (trace_component_has(wish->component, event->where) ||
             (event->to && trace_component_has(wish->component, event->to)))) {
            return true;
        }
    }
    return false;
}

const char *trace_select_component(const struct trace_select *select, unsigned index)
{
    for (unsigned i = 0; i < select->wishes->len; i++) {
        const struct wish *wish = &g_array_index(select->wishes, struct wish, i);

        if (wish->component && !index--) {
            return wish->component;
        }
    }
    return NULL;
}
