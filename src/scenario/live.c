/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words on a machine that runs: each call is a task of its own. */
#include "pcilab/scenario/live.h"

#include <string.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/json_line.h"

#define MEMORY_BYTES (64u << 20)
/* CHOICE: of Lua, each time the machine stands; about half a second. */
#define INSTRUCTIONS 20000000ULL
#define CHUNK_NAME   "lua"

struct scenario_live {
    struct scenario s;
    struct scenario_report report;
    struct scenario_host host;
    struct scenario_live_host outside;
    GQueue orders; /* JsonNode *, come and not begun */
    bool broken;   /* no words: no memory */
};

/* Answers. */

static void answer(struct scenario_live *live, uint64_t call, JsonNode *result, const char *error)
{
    if (call && live->outside.done)
        live->outside.done(live->outside.opaque, call, result, error);
    else if (result)
        json_node_unref(result);
    if (error && !call)
        trace_say(machine_trace(live->s.machine), TRACE_STATE, "control", "%s", error);
}

/* One value is itself; more are a list. */
static JsonNode *values_of(lua_State *lua)
{
    JsonNode *node;
    int top = lua_gettop(lua);

    if (top == 0)
        return json_node_new(JSON_NODE_NULL);
    if (top == 1)
        return json_of(lua, 1);
    JsonArray *array = json_array_new();

    for (int i = 1; i <= top; i++)
        json_array_add_element(array, json_of(lua, i));
    node = json_node_new(JSON_NODE_ARRAY);
    json_node_take_array(node, array);
    return node;
}

/* With what was printed meanwhile, by whomever. */
static JsonNode *with_printed(struct scenario_live *live, JsonNode *value)
{
    JsonArray *lines = json_array_new();
    JsonObject *object = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    for (unsigned i = 0; i < live->report.said->len; i++) {
        /* Bytes that are no text would be no JSON. */
        char *line = g_utf8_make_valid(live->report.said->pdata[i], -1);

        json_array_add_string_element(lines, line);
        g_free(line);
    }
    g_ptr_array_set_size(live->report.said, 0);
    json_object_set_array_member(object, "printed", lines);
    json_object_set_member(object, "value", value);
    json_node_take_object(node, object);
    return node;
}

/* What went wrong since; g_free() it. */
static char *take_error(struct scenario_live *live)
{
    struct scenario *s = &live->s;
    char *text = g_steal_pointer(&s->message), *valid = NULL;

    s->failed = false;
    if (text)
        valid = g_utf8_make_valid(text, -1);
    g_free(text);
    return valid;
}

/* Calls. */

/* The call's function and its arguments, onto the stack; how many arguments. May raise an error. */
static int push_call(lua_State *lua, const char *word, JsonNode *params)
{
    JsonArray *array = params && JSON_NODE_HOLDS_ARRAY(params) ? json_node_get_array(params) : NULL;
    guint count = array ? json_array_get_length(array) : params ? 1 : 0;

    if (strcmp(word, "lua") == 0) {
        JsonNode *text = array && count == 1 ? json_array_get_element(array, 0) : NULL;
        const char *code = text && json_node_get_value_type(text) == G_TYPE_STRING
                               ? json_node_get_string(text)
                               : NULL;

        if (!code)
            return sandbox_error(lua, "lua takes one text");
        if (luaL_loadbufferx(lua, code, strlen(code), "@" CHUNK_NAME, "t") != LUA_OK)
            return lua_error(lua);
        return 0;
    }
    lua_getfield(lua, LUA_REGISTRYINDEX, "call");
    lua_pushstring(lua, word);
    lua_newtable(lua);
    for (guint i = 0; i < count; i++) {
        if (!push_json(lua, array ? json_array_get_element(array, i) : params))
            return sandbox_error(lua, "parameter %u is too deep, or no value of a word", i + 1);
        lua_rawseti(lua, -2, i + 1);
    }
    lua_pushinteger(lua, count);
    lua_setfield(lua, -2, "n");
    return 2;
}

struct order {
    uint64_t call;
    const char *word;
    JsonNode *params;
};

static bool read_order(JsonNode *node, struct order *order)
{
    JsonObject *object = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    JsonNode *call = object ? json_object_get_member(object, "call") : NULL;
    JsonNode *word = object ? json_object_get_member(object, "word") : NULL;

    if (!call || json_node_get_value_type(call) != G_TYPE_INT64 || !word ||
        json_node_get_value_type(word) != G_TYPE_STRING)
        return false;
    order->call = (uint64_t)json_node_get_int(call);
    order->word = json_node_get_string(word);
    order->params = json_object_get_member(object, "params");
    return order->call != 0;
}

static int begin(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);
    const struct order *order = lua_touserdata(lua, 1);
    int args = push_call(lua, order->word, order->params);

    task_new(s, lua, args)->call = order->call | (strcmp(order->word, "lua") == 0 ? BIT(63) : 0);
    return 0;
}

static void begin_orders(struct scenario_live *live)
{
    struct scenario *s = &live->s;
    JsonNode *node;

    while ((node = g_queue_pop_head(&live->orders))) {
        struct order order;

        if (!read_order(node, &order)) {
            /* A recording may say anything. */
        } else if (live->outside.own && live->outside.own(live->outside.opaque, order.word)) {
            answer(live, order.call & ~BIT(63), json_node_new(JSON_NODE_NULL), NULL);
        } else {
            lua_pushcfunction(s->lua, begin);
            lua_pushlightuserdata(s->lua, &order);
            if (lua_pcall(s->lua, 1, 0, 0) != LUA_OK) {
                const char *text = lua_tostring(s->lua, -1);
                char *valid = g_utf8_make_valid(text ? text : "not enough memory", -1);

                answer(live, order.call & ~BIT(63), NULL, valid);
                g_free(valid);
            }
            lua_settop(s->lua, 0);
        }
        json_node_unref(node);
    }
}

/* The task is over. */
static void end_task(struct scenario_live *live, struct task *task, int status)
{
    struct scenario *s = &live->s;
    uint64_t call = task->call & ~BIT(63);

    if (status == LUA_OK) {
        JsonNode *value = values_of(task->co);

        answer(live, call, task->call & BIT(63) ? with_printed(live, value) : value, NULL);
    } else {
        task_note_error(s, task, status);
        char *text = take_error(live);
        answer(live, call, NULL, text);
        g_free(text);
    }
    if (s->commander == task)
        s->commander = NULL;
    task_free(s, task);
}

static void deliver(struct scenario_live *live)
{
    struct scenario *s = &live->s;

    if (!s->sighted)
        return;
    lua_pushcfunction(s->lua, rules_deliver);
    if (lua_pcall(s->lua, 0, 0, 0) != LUA_OK) {
        answer(live, 0, NULL, "too much was seen at a time: functions of on() were not called");
        rules_forget(s);
    }
    lua_settop(s->lua, 0);
}

void scenario_live_run(struct scenario_live *live)
{
    struct scenario *s = &live->s;
    struct task *task;

    if (!s->woken && g_queue_is_empty(&live->orders))
        return;
    s->woken = false;
    sandbox_rearm(s, INSTRUCTIONS);
    if (s->message) { /* of a function that chooses TLPs */
        char *text = take_error(live);
        answer(live, 0, NULL, text);
        g_free(text);
    }
    begin_orders(live);
    deliver(live);
    while ((task = task_next(s))) {
        int status = task_resume(s, task);

        if (status != LUA_YIELD)
            end_task(live, task, status);
        deliver(live);
    }
}

/* Comes while the machine runs. */
static void take_order(void *opaque, const uint8_t *bytes, uint32_t len)
{
    struct scenario_live *live = opaque;
    JsonNode *node = live->broken ? NULL : json_line_parse((const char *)bytes, len, NULL);

    if (!node)
        return;
    g_queue_push_tail(&live->orders, node);
    machine_pause(live->s.machine);
}

/* Looking. */

struct look {
    const char *word;
    JsonNode *params, *result;
};

static int look(lua_State *lua)
{
    struct look *l = lua_touserdata(lua, 1);

    lua_settop(lua, 0);
    lua_call(lua, push_call(lua, l->word, l->params), LUA_MULTRET);
    l->result = values_of(lua);
    return 0;
}

/* No task is made, and no number taken: what a recording does not know leaves no trace. */
JsonNode *scenario_live_look(struct scenario_live *live, const char *word, JsonNode *params,
                             GError **error)
{
    struct look l = {.word = word, .params = params};
    struct scenario *s = &live->s;

    if (live->broken) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT, "not enough memory");
        return NULL;
    }
    sandbox_rearm(s, INSTRUCTIONS);
    lua_pushcfunction(s->lua, look);
    lua_pushlightuserdata(s->lua, &l);
    if (lua_pcall(s->lua, 1, 0, 0) != LUA_OK) {
        char *valid = g_utf8_make_valid(lua_tostring(s->lua, -1) ?: "not enough memory", -1);

        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT, "%s", valid);
        g_free(valid);
        g_free(take_error(live));
    }
    lua_settop(s->lua, 0);
    return l.result;
}

/* Orders as bytes. */

char *scenario_live_order(uint64_t call, const char *word, JsonNode *params)
{
    JsonObject *object = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_object_set_int_member(object, "call", (gint64)call);
    json_object_set_string_member(object, "word", word);
    if (params)
        json_object_set_member(object, "params", json_node_copy(params));
    json_node_take_object(node, object);
    char *text = json_to_string(node, FALSE);
    json_node_unref(node);
    return text;
}

/* Life. */

static int open_words(lua_State *lua)
{
    sandbox_open(lua);
    lua_settop(lua, 0);
    if (luaL_loadbufferx(lua, pcilab_live, (size_t)(pcilab_live_end - pcilab_live), "=live", "t") !=
        LUA_OK)
        return lua_error(lua);
    lua_getfield(lua, LUA_REGISTRYINDEX, "verbs");
    lua_call(lua, 1, 1);
    lua_setfield(lua, LUA_REGISTRYINDEX, "call");
    lua_getfield(lua, LUA_REGISTRYINDEX, "randomseed");
    lua_pushinteger(lua, (lua_Integer)scenario_of(lua)->params.seed);
    lua_call(lua, 1, 0);
    return 0;
}

struct scenario_live *scenario_live_new(struct machine *machine,
                                        const struct scenario_live_host *host)
{
    struct scenario_live *live = g_new0(struct scenario_live, 1);
    struct scenario *s = &live->s;

    live->outside = *host;
    live->host = (struct scenario_host){
        .command = host->command, .console = host->console, .opaque = host->opaque};
    live->report.said = g_ptr_array_new_with_free_func(g_free);
    g_queue_init(&live->orders);
    s->params = (struct scenario_params){
        .name = CHUNK_NAME, .seed = machine_sim(machine)->seed, .host = &live->host};
    s->report = &live->report;
    s->memory_limit = MEMORY_BYTES;
    s->instructions_left = INSTRUCTIONS;
    s->command_output = g_byte_array_new();
    s->sighted_end = &s->sighted;
    s->live = true;
    s->machine = machine;
    s->events = events_new(machine, BIT(TRACE_RULE) | BIT(TRACE_STATE));
    s->lua = sandbox_new(s);
    if (s->lua) {
        lua_pushcfunction(s->lua, open_words);
        live->broken = lua_pcall(s->lua, 0, 0, 0) != LUA_OK;
        lua_settop(s->lua, 0);
    }
    live->broken |= !s->lua;
    machine_on_order(machine, take_order, live);
    return live;
}

void scenario_live_stop(struct scenario_live *live)
{
    struct scenario *s = &live->s;

    machine_on_order(s->machine, NULL, NULL);
    tasks_stop(s);
    for (struct task *task = s->tasks; task; task = task->next) {
        if (task->call)
            answer(live, task->call & ~BIT(63), NULL, "the run is over");
    }
    scenario_leave(s);
    s->machine = NULL;
}

void scenario_live_free(struct scenario_live *live)
{
    if (!live)
        return;
    g_queue_clear_full(&live->orders, (GDestroyNotify)json_node_unref);
    scenario_close(&live->s);
    g_ptr_array_unref(live->report.said);
    g_free(live);
}
