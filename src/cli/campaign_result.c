/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The results of a shard: a file that is complete or not there. */
#include <string.h>

#include "campaign.h"

#define RESULT_FORMAT 1

static const char *const words[] = {
    [SCENARIO_PASSED] = "passed", [SCENARIO_FAILED] = "failed", [SCENARIO_BAD] = "bad"};

char *result_path(const struct plan *plan, unsigned shard)
{
    return g_strdup_printf("%s/results/%04u.json", plan->dir, shard);
}

static void put_text(JsonObject *object, const char *name, const char *text)
{
    if (text) {
        char *valid = g_utf8_make_valid(text, -1);
        json_object_set_string_member(object, name, valid);
        g_free(valid);
    }
}

JsonObject *result_of_case(const struct run_case *result, unsigned number)
{
    JsonObject *object = json_object_new();

    json_object_set_int_member(object, "case", number);
    json_object_set_string_member(object, "result", words[result->report.result]);
    put_text(object, "purpose", result->purpose);
    put_text(object, "clause", result->clause);
    put_text(object, "message", result->report.message);
    put_text(object, "events", result->report.events);
    json_object_set_int_member(object, "checks", result->checks);
    json_object_set_int_member(object, "virtual-ps", (gint64)result->report.virtual_ps);
    json_object_set_int_member(object, "wall-us", result->wall_us);
    return object;
}

/* What a person calls it, beside the scenario. */
static char *variant_of(const struct plan_row *row, uint64_t seed)
{
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "seed %" G_GUINT64_FORMAT, seed);
    if (row->topology) {
        char *base = g_path_get_basename(row->topology);
        g_string_append_printf(out, ", topology %s", base);
        g_free(base);
    }
    if (row->kernel) {
        g_string_append_printf(out, ", kernel %s", row->kernel);
    }
    return g_string_free(out, FALSE);
}

static bool take_word(const char *word, enum scenario_result *result, GError **error)
{
    for (unsigned i = 0; word && i < G_N_ELEMENTS(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            *result = (enum scenario_result)i;
            return true;
        }
    }
    g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE,
                "\"result\" is not passed, failed or bad");
    return false;
}

/* As a scenario has it: more lines would be lines of TAP. */
static char *one_line(const char *text)
{
    return text ? g_strdelimit(g_strdup(text), "\r\n", ' ') : NULL;
}

struct run_case *result_to_case(const struct plan *plan, JsonObject *object, unsigned *number,
                                GError **error)
{
    const char *purpose, *clause, *message, *events, *word;
    enum scenario_result result;
    uint64_t at, checks, virtual_ps, wall_us;

    if (!json_take_uint(object, "case", plan->cases, &at, error) ||
        !json_take_uint(object, "checks", UINT32_MAX, &checks, error) ||
        !json_take_uint(object, "virtual-ps", INT64_MAX, &virtual_ps, error) ||
        !json_take_uint(object, "wall-us", INT64_MAX, &wall_us, error) ||
        !json_take_text(object, "purpose", &purpose, error) ||
        !json_take_text(object, "clause", &clause, error) ||
        !json_take_text(object, "message", &message, error) ||
        !json_take_text(object, "events", &events, error) ||
        !json_take_text(object, "result", &word, error) || !take_word(word, &result, error)) {
        return NULL;
    }
    struct run_case *c = g_new0(struct run_case, 1);
    const struct plan_row *row = plan_row_of(plan, (unsigned)MAX(at, 1));
    *number = (unsigned)at;
    c->seed = row->seed + (MAX(at, 1) - row->first);
    c->path = g_strdup(row->scenario);
    c->variant = variant_of(row, c->seed);
    c->purpose = one_line(purpose);
    c->clause = g_strdup(clause);
    c->checks = (unsigned)checks;
    c->wall_us = (int64_t)wall_us;
    c->report = (struct scenario_report){.result = result,
                                         .message = g_strdup(message),
                                         .events = g_strdup(events),
                                         .checks = g_ptr_array_new(),
                                         .said = g_ptr_array_new(),
                                         .virtual_ps = virtual_ps};
    return c;
}

bool result_write(const struct plan *plan, unsigned shard, JsonArray *cases, GError **error)
{
    JsonObject *object = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    char *path = result_path(plan, shard);

    json_object_set_int_member(object, "format", RESULT_FORMAT);
    json_object_set_string_member(object, "pcilab", PCILAB_VERSION);
    json_object_set_string_member(object, "campaign", plan->id);
    json_object_set_int_member(object, "shard", shard);
    json_object_set_array_member(object, "cases", json_array_ref(cases));
    json_node_take_object(node, object);
    char *text = json_to_string(node, TRUE);
    /* Written beside it, flushed and renamed: whoever looks sees all of it or none. */
    bool ok = g_file_set_contents_full(
        path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0666, error);
    g_free(text);
    g_free(path);
    json_node_unref(node);
    return ok;
}

static bool check_head(const struct plan *plan, unsigned shard, JsonObject *object, GError **error)
{
    const char *version, *campaign;
    uint64_t format, number;

    if (!json_take_uint(object, "format", INT64_MAX, &format, error) ||
        !json_take_uint(object, "shard", INT64_MAX, &number, error) ||
        !json_take_text(object, "pcilab", &version, error) ||
        !json_take_text(object, "campaign", &campaign, error)) {
        return false;
    }
    if (format != RESULT_FORMAT || !version || strcmp(version, PCILAB_VERSION) != 0) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE,
                    "of pcilab %s (format %" G_GUINT64_FORMAT "), and this is %s",
                    version ? version : "?", format, PCILAB_VERSION);
    } else if (!campaign || strcmp(campaign, plan->id) != 0) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE, "of another campaign");
    } else if (number != shard) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE,
                    "of shard %" G_GUINT64_FORMAT ", and this is the place of shard %u", number,
                    shard);
    } else {
        return true;
    }
    return false;
}

/* Every case of the shard, once and in order. */
static bool take_cases(const struct plan *plan, unsigned shard, JsonObject *object, GPtrArray *out,
                       GError **error)
{
    unsigned first, last, number;
    JsonArray *cases;

    plan_shard(plan, shard, &first, &last);
    if (!json_take_list(object, "cases", &cases, error)) {
        return false;
    }
    if (json_array_get_length(cases) != last - first + 1) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE, "has %u cases, and the shard %u",
                    json_array_get_length(cases), last - first + 1);
        return false;
    }
    for (unsigned i = 0; i <= last - first; i++) {
        struct run_case *c =
            result_to_case(plan, json_array_get_object_element(cases, i), &number, error);
        if (!c) {
            return false;
        }
        g_ptr_array_add(out, c);
        if (number != first + i) {
            g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE,
                        "has case %u where case %u should be", number, first + i);
            return false;
        }
    }
    return true;
}

GPtrArray *result_parse(const struct plan *plan, unsigned shard, const char *text, GError **error)
{
    GPtrArray *cases = g_ptr_array_new_with_free_func(run_case_free);
    GError *inner = NULL;
    JsonNode *node = json_from_string(text, &inner);
    bool ok = false;

    if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE, "cut short or damaged%s%s",
                    inner ? ": " : "", inner ? inner->message : "");
        g_clear_error(&inner);
    } else {
        ok = check_head(plan, shard, json_node_get_object(node), error) &&
             take_cases(plan, shard, json_node_get_object(node), cases, error);
    }
    g_clear_pointer(&node, json_node_unref);
    if (!ok) {
        g_clear_pointer(&cases, g_ptr_array_unref);
    }
    return cases;
}

GPtrArray *result_read(const struct plan *plan, unsigned shard, GError **error)
{
    char *path = result_path(plan, shard), *text = NULL;
    GPtrArray *cases = NULL;
    GError *inner = NULL;

    if (g_file_get_contents(path, &text, NULL, &inner)) {
        cases = result_parse(plan, shard, text, &inner);
    } else if (g_error_matches(inner, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        g_clear_error(&inner);
    }
    if (inner) {
        g_propagate_prefixed_error(error, inner, "%s: ", path);
    }
    g_free(text);
    g_free(path);
    return cases;
}
