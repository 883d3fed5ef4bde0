/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of Lua as JSON and back. Bytes that are no text are {"hex": "0102"}. */
#include <string.h>

#include "internal.h"

#define DEPTH_MAX  16
#define VALUES_MAX 20000

static bool push_value(lua_State *lua, JsonNode *node, unsigned depth);

static bool push_hex(lua_State *lua, const char *text)
{
    size_t len = strlen(text);
    luaL_Buffer buffer;

    if (len % 2 || strspn(text, "0123456789abcdefABCDEF") != len)
        return false;
    char *to = luaL_buffinitsize(lua, &buffer, len / 2 + 1);
    for (size_t i = 0; i < len / 2; i++)
        to[i] =
            (char)(g_ascii_xdigit_value(text[2 * i]) << 4 | g_ascii_xdigit_value(text[2 * i + 1]));
    luaL_pushresultsize(&buffer, len / 2);
    return true;
}

static bool push_object(lua_State *lua, JsonObject *object, unsigned depth)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *member;

    /* Without a list of the members: an error of Lua's (no memory) does not come back here. */
    lua_newtable(lua);
    json_object_iter_init(&iter, object);
    while (json_object_iter_next(&iter, &name, &member)) {
        lua_pushstring(lua, name);
        if (!push_value(lua, member, depth))
            return false;
        lua_rawset(lua, -3);
    }
    return true;
}

static bool push_value(lua_State *lua, JsonNode *node, unsigned depth)
{
    if (depth == DEPTH_MAX || !lua_checkstack(lua, 8))
        return false;
    switch (json_node_get_node_type(node)) {
    case JSON_NODE_NULL: lua_pushnil(lua); return true;
    case JSON_NODE_ARRAY: {
        JsonArray *array = json_node_get_array(node);

        lua_newtable(lua);
        for (guint i = 0; i < json_array_get_length(array); i++) {
            if (!push_value(lua, json_array_get_element(array, i), depth + 1))
                return false;
            lua_rawseti(lua, -2, i + 1);
        }
        return true;
    }
    case JSON_NODE_OBJECT: {
        JsonObject *object = json_node_get_object(node);
        JsonNode *hex =
            json_object_get_size(object) == 1 ? json_object_get_member(object, "hex") : NULL;

        if (hex && json_node_get_value_type(hex) == G_TYPE_STRING)
            return push_hex(lua, json_node_get_string(hex));
        return push_object(lua, object, depth + 1);
    }
    case JSON_NODE_VALUE: break;
    }
    switch (json_node_get_value_type(node)) {
    case G_TYPE_INT64: lua_pushinteger(lua, json_node_get_int(node)); return true;
    case G_TYPE_DOUBLE: lua_pushnumber(lua, json_node_get_double(node)); return true;
    case G_TYPE_BOOLEAN: lua_pushboolean(lua, json_node_get_boolean(node)); return true;
    case G_TYPE_STRING: lua_pushstring(lua, json_node_get_string(node)); return true;
    default: return false;
    }
}

bool push_json(lua_State *lua, JsonNode *node)
{
    return push_value(lua, node, 0);
}

static JsonNode *node_of_bytes(const char *bytes, size_t len)
{
    JsonNode *node = json_node_new(JSON_NODE_VALUE);

    if (!memchr(bytes, 0, len) && g_utf8_validate(bytes, (gssize)len, NULL)) {
        json_node_set_string(node, bytes);
        return node;
    }
    GString *hex = g_string_sized_new(2 * len);
    JsonObject *object = json_object_new();

    for (size_t i = 0; i < len; i++)
        g_string_append_printf(hex, "%02x", (uint8_t)bytes[i]);
    json_object_set_string_member(object, "hex", hex->str);
    g_string_free(hex, TRUE);
    json_node_unref(node);
    node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, object);
    return node;
}

static JsonNode *node_of(lua_State *lua, int index, unsigned depth, unsigned *left);

static gint compare_keys(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

/* The order of a table's keys is nobody's choice: by name. */
static JsonNode *node_of_object(lua_State *lua, int index, unsigned depth, unsigned *left)
{
    JsonObject *object = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    GList *keys = NULL;

    lua_pushnil(lua);
    while (lua_next(lua, index)) {
        if (lua_type(lua, -2) == LUA_TSTRING)
            keys = g_list_prepend(keys, g_strdup(lua_tostring(lua, -2)));
        lua_pop(lua, 1);
    }
    keys = g_list_sort(keys, compare_keys);
    lua_pushnil(lua);
    for (GList *k = keys; k; k = k->next)
        json_object_set_null_member(object, k->data);
    while (lua_next(lua, index)) {
        if (lua_type(lua, -2) == LUA_TSTRING)
            json_object_set_member(object, lua_tostring(lua, -2),
                                   node_of(lua, lua_gettop(lua), depth, left));
        lua_pop(lua, 1);
    }
    g_list_free_full(keys, g_free);
    json_node_take_object(node, object);
    return node;
}

static JsonNode *node_of_table(lua_State *lua, int index, unsigned depth, unsigned *left)
{
    lua_Unsigned len = lua_rawlen(lua, index);

    if (depth == DEPTH_MAX || !lua_checkstack(lua, 8))
        return json_node_new(JSON_NODE_NULL);
    if (!len)
        return node_of_object(lua, index, depth, left);
    JsonArray *array = json_array_new();
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);

    for (lua_Unsigned i = 1; i <= len && *left; i++) {
        lua_rawgeti(lua, index, (lua_Integer)i);
        json_array_add_element(array, node_of(lua, lua_gettop(lua), depth, left));
        lua_pop(lua, 1);
    }
    json_node_take_array(node, array);
    return node;
}

static JsonNode *node_of(lua_State *lua, int index, unsigned depth, unsigned *left)
{
    JsonNode *node;

    if (!*left)
        return json_node_new(JSON_NODE_NULL);
    --*left;
    switch (lua_type(lua, index)) {
    case LUA_TBOOLEAN:
        node = json_node_new(JSON_NODE_VALUE);
        json_node_set_boolean(node, lua_toboolean(lua, index));
        return node;
    case LUA_TNUMBER:
        node = json_node_new(JSON_NODE_VALUE);
        if (lua_isinteger(lua, index))
            json_node_set_int(node, lua_tointeger(lua, index));
        else
            json_node_set_double(node, lua_tonumber(lua, index));
        return node;
    case LUA_TSTRING: {
        size_t len;
        const char *bytes = lua_tolstring(lua, index, &len);

        return node_of_bytes(bytes, len);
    }
    case LUA_TTABLE: return node_of_table(lua, index, depth + 1, left);
    default: return json_node_new(JSON_NODE_NULL);
    }
}

/* CHOICE: what is deeper than 16 tables or more than 20000 values is cut; functions are null. */
JsonNode *json_of(lua_State *lua, int index)
{
    unsigned left = VALUES_MAX;

    return node_of(lua, lua_absindex(lua, index), 0, &left);
}
