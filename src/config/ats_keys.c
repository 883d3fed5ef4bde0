/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a device with Address Translation Services is broken, misbehave=, and what of them it does
 * not have, ats-lacks=. */
#include <string.h>

#include "parser.h"
#include "pcilab/config/units.h"

#define LATE_US 1000

struct flag {
    const char *word;
    size_t offset; /* in the structure that a list of words becomes */
};

/* In struct endpoint_ats_faults. */
static const struct flag kinds[] = {
    {"never-answers", offsetof(struct endpoint_ats_faults, silent)},
    {"duplicates", offsetof(struct endpoint_ats_faults, duplicate)},
    {"wrong-itag", offsetof(struct endpoint_ats_faults, wrong_itag)},
    {"keeps-stale", offsetof(struct endpoint_ats_faults, keeps)},
    {"floods-pages", offsetof(struct endpoint_ats_faults, floods)},
    {"ignores-responses", offsetof(struct endpoint_ats_faults, ignores_pages)},
    {"forges-pasids", offsetof(struct endpoint_ats_faults, forges)},
};

static const struct flag parts[] = {
    {"page-aligned", offsetof(struct endpoint_ats_options, not_aligned)},
    {"response-pasid", offsetof(struct endpoint_ats_options, no_response_pasid)},
};

static bool set_flag(const struct flag *flags, unsigned count, const char *word, void *where)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(word, flags[i].word) == 0) {
            *(bool *)((char *)where + flags[i].offset) = true;
            return true;
        }
    }
    return false;
}

/* Words with blanks or commas between them; false unless there is one, and all are understood. */
static bool parse_words(const char *text, bool (*parse)(const char *word, void *where), void *where)
{
    char **words = g_strsplit_set(text, " ,", -1);
    bool ok = true, some = false;

    for (unsigned i = 0; ok && words[i]; i++) {
        if (!*words[i]) /* a comma and a blank */
            continue;
        some = true;
        ok = parse(words[i], where);
    }
    g_strfreev(words);
    return ok && some;
}

/* "answers-late" or "answers-late:MICROSECONDS" */
static bool parse_late(const char *word, struct endpoint_ats_faults *faults)
{
    static const char late[] = "answers-late";
    const char *rest = word + strlen(late);
    uint64_t us = LATE_US;

    if (!g_str_has_prefix(word, late) || (*rest && *rest != ':'))
        return false;
    if (*rest && (!units_parse_uint(rest + 1, &us) || !us || us > 1000000000))
        return false;
    faults->answer_ps = us * PS_PER_US;
    return true;
}

static bool parse_kind(const char *word, void *faults)
{
    return set_flag(kinds, G_N_ELEMENTS(kinds), word, faults) || parse_late(word, faults);
}

static bool parse_misbehave(const struct topo_key *key, const char *text,
                            struct topo_values *values)
{
    values->misbehave = (struct endpoint_ats_faults){0};
    return parse_words(text, parse_kind, &values->misbehave);
}

static void allowed_misbehave(const struct topo_key *key, GString *out)
{
    g_string_append(out, "one or more of");
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        g_string_append_printf(out, " %s,", kinds[i].word);
    g_string_append(out, " answers-late[:MICROSECONDS]");
}

const struct topo_type topo_type_misbehave = {parse_misbehave, allowed_misbehave};

static bool parse_part(const char *word, void *options)
{
    return set_flag(parts, G_N_ELEMENTS(parts), word, options);
}

static bool parse_lacks(const struct topo_key *key, const char *text, struct topo_values *values)
{
    values->ats_options = (struct endpoint_ats_options){0};
    return parse_words(text, parse_part, &values->ats_options);
}

static void allowed_lacks(const struct topo_key *key, GString *out)
{
    g_string_append(out, "page-aligned, response-pasid or both");
}

const struct topo_type topo_type_ats_lacks = {parse_lacks, allowed_lacks};

bool topo_check_ats(struct topo_parser *parser, struct topo_item *item, GError **error)
{
    static const char *const keys[] = {"misbehave", "ats-cache", "ats-lacks"};

    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!topo_item_has(item, keys[i]) || item->v.ats)
            continue;
        item_fail(parser, item, keys[i], error,
                  "this device has no Address Translation Services: ats=yes");
        return false;
    }
    return true;
}
