/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of objects, where the file may be anybody's. */
#include "campaign.h"

static bool fail(GError **error, const char *name, const char *what)
{
    g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE, "\"%s\" is not %s", name, what);
    return false;
}

bool json_take_uint(JsonObject *object, const char *name, uint64_t max, uint64_t *value,
                    GError **error)
{
    JsonNode *node = json_object_get_member(object, name);

    if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64 ||
        json_node_get_int(node) < 0 || (uint64_t)json_node_get_int(node) > max) {
        return fail(error, name, "a number that can stand there");
    }
    *value = (uint64_t)json_node_get_int(node);
    return true;
}

bool json_take_text(JsonObject *object, const char *name, const char **text, GError **error)
{
    JsonNode *node = json_object_get_member(object, name);

    *text = NULL;
    if (!node) {
        return true;
    }
    if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING) {
        return fail(error, name, "a text");
    }
    *text = json_node_get_string(node);
    return true;
}

bool json_take_list(JsonObject *object, const char *name, JsonArray **list, GError **error)
{
    JsonNode *node = json_object_get_member(object, name);

    if (!node || !JSON_NODE_HOLDS_ARRAY(node)) {
        return fail(error, name, "a list");
    }
    *list = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(*list); i++) {
        if (!JSON_NODE_HOLDS_OBJECT(json_array_get_element(*list, i))) {
            return fail(error, name, "a list of objects");
        }
    }
    return true;
}
