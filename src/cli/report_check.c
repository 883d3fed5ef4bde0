/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a run.json is one: it may be anybody's. */
#include <string.h>

#include "report.h"

static bool fail(GError **error, const char *what)
{
    g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE, "%s", what);
    return false;
}

static bool has(JsonObject *object, const char *name, JsonNodeType type, GType value)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && json_node_get_node_type(node) == type &&
           (type != JSON_NODE_VALUE || json_node_get_value_type(node) == value);
}

static bool is_numbers(JsonNode *node)
{
    if (!JSON_NODE_HOLDS_ARRAY(node) || !json_array_get_length(json_node_get_array(node))) {
        return false;
    }
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *element = json_array_get_element(array, i);
        if (!JSON_NODE_HOLDS_VALUE(element) || json_node_get_value_type(element) != G_TYPE_INT64) {
            return false;
        }
    }
    return true;
}

/* A list of objects, each with these texts. */
static bool is_list(JsonObject *object, const char *name, const char *const *texts)
{
    if (!has(object, name, JSON_NODE_ARRAY, 0)) {
        return false;
    }
    JsonArray *array = json_object_get_array_member(object, name);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *element = json_array_get_element(array, i);
        if (!JSON_NODE_HOLDS_OBJECT(element)) {
            return false;
        }
        for (unsigned t = 0; texts[t]; t++) {
            if (!has(json_node_get_object(element), texts[t], JSON_NODE_VALUE, G_TYPE_STRING)) {
                return false;
            }
        }
    }
    return true;
}

static bool check_use(JsonObject *run)
{
    bool ok = has(run, "use", JSON_NODE_OBJECT, 0);
    JsonObject *use = ok ? json_object_get_object_member(run, "use") : NULL;

    if (!ok || !has(use, "bucket-ps", JSON_NODE_VALUE, G_TYPE_INT64) ||
        !has(use, "senders", JSON_NODE_OBJECT, 0)) {
        return false;
    }
    GList *all = json_object_get_values(json_object_get_object_member(use, "senders"));
    for (GList *v = all; v; v = v->next) {
        ok = ok && is_numbers(v->data);
    }
    g_list_free(all);
    return ok;
}

static bool check_latencies(JsonObject *run)
{
    static const char *const texts[] = {"where", "what", NULL};

    if (!is_list(run, "latencies", texts)) {
        return false;
    }
    JsonArray *all = json_object_get_array_member(run, "latencies");
    for (guint i = 0; i < json_array_get_length(all); i++) {
        JsonNode *bins = json_object_get_member(json_array_get_object_element(all, i), "log2-ps");
        if (!bins || !is_numbers(bins)) {
            return false;
        }
    }
    return true;
}

bool report_check(JsonNode *node, GError **error)
{
    static const char *const link_texts[] = {"below", "above", "is", "speed", "width", NULL};
    static const char *const event_texts[] = {"class", "where", "text", NULL};
    JsonObject *run = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;

    if (!run || !has(run, "format", JSON_NODE_VALUE, G_TYPE_INT64) ||
        !has(run, "pcilab", JSON_NODE_VALUE, G_TYPE_STRING)) {
        return fail(error, "this is no run of pcilab");
    }
    const char *version = json_object_get_string_member(run, "pcilab");
    if (json_object_get_int_member(run, "format") != REPORT_FORMAT) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE,
                    "of pcilab %s, whose format this one (%s) does not know", version,
                    PCILAB_VERSION);
        return false;
    }
    if (!has(run, "title", JSON_NODE_VALUE, G_TYPE_STRING) ||
        !has(run, "result", JSON_NODE_VALUE, G_TYPE_STRING) || !check_use(run) ||
        !check_latencies(run) || !is_list(run, "events", event_texts) ||
        (json_object_has_member(run, "links") && !is_list(run, "links", link_texts))) {
        return fail(error, "something is missing in it");
    }
    return true;
}

const char *report_text(JsonObject *object, const char *name)
{
    return has(object, name, JSON_NODE_VALUE, G_TYPE_STRING)
               ? json_object_get_string_member(object, name)
               : NULL;
}

double report_number(JsonObject *object, const char *name)
{
    return has(object, name, JSON_NODE_VALUE, G_TYPE_INT64)
               ? (double)json_object_get_int_member(object, name)
               : 0;
}

bool report_flag(JsonObject *object, const char *name)
{
    return has(object, name, JSON_NODE_VALUE, G_TYPE_BOOLEAN) &&
           json_object_get_boolean_member(object, name);
}
