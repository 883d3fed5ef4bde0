/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a device with Address Translation Services is broken: misbehave=. */
#include <string.h>

#include "parser.h"
#include "pcilab/config/units.h"

#define LATE_US 1000

static const struct {
    const char *word;
    size_t offset; /* of a flag in struct endpoint_ats_faults */
} kinds[] = {
    {"never-answers", offsetof(struct endpoint_ats_faults, silent)},
    {"duplicates", offsetof(struct endpoint_ats_faults, duplicate)},
    {"wrong-itag", offsetof(struct endpoint_ats_faults, wrong_itag)},
    {"keeps-stale", offsetof(struct endpoint_ats_faults, keeps)},
    {"floods-pages", offsetof(struct endpoint_ats_faults, floods)},
    {"ignores-responses", offsetof(struct endpoint_ats_faults, ignores_pages)},
    {"forges-pasids", offsetof(struct endpoint_ats_faults, forges)},
};

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

static bool parse_kind(const char *word, struct endpoint_ats_faults *faults)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(word, kinds[i].word) == 0) {
            *(bool *)((char *)faults + kinds[i].offset) = true;
            return true;
        }
    }
    return parse_late(word, faults);
}

static bool parse_misbehave(const struct topo_key *key, const char *text,
                            struct topo_values *values)
{
    char **words = g_strsplit_set(text, " ,", -1);
    bool ok = true, some = false;

    values->misbehave = (struct endpoint_ats_faults){0};
    for (unsigned i = 0; ok && words[i]; i++) {
        if (!*words[i]) /* a comma and a blank */
            continue;
        some = true;
        ok = parse_kind(words[i], &values->misbehave);
    }
    g_strfreev(words);
    return ok && some;
}

static void allowed_misbehave(const struct topo_key *key, GString *out)
{
    g_string_append(out, "one or more of");
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        g_string_append_printf(out, " %s,", kinds[i].word);
    g_string_append(out, " answers-late[:MICROSECONDS]");
}

const struct topo_type topo_type_misbehave = {parse_misbehave, allowed_misbehave};

bool topo_check_misbehave(struct topo_parser *parser, struct topo_item *item, GError **error)
{
    if (!topo_item_has(item, "misbehave") || item->v.ats)
        return true;
    item_fail(parser, item, "misbehave", error,
              "this device has no Address Translation Services: ats=yes");
    return false;
}
