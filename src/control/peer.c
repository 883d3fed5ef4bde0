/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients and their messages (JSON-RPC 2.0, 4 to 5.1).
 *
 * CHOICE: batches (section 6) are refused; a client sends lines one after the other.
 */
#include <string.h>

#include "internal.h"
#include "pcilab/base/json_line.h"
#include "pcilab/config/units.h"

/* JSON-RPC 2.0, 5.1. */
enum rpc_error {
    RPC_PARSE = -32700,
    RPC_INVALID = -32600,
    RPC_NO_METHOD = -32601,
    RPC_PARAMS = -32602,
    RPC_TOO_MUCH = -32000,
    RPC_FAILED = 1, /* the call itself says why */
};

/* Towards the client. */

/* False: nobody would get all of it, and nothing was sent. */
static bool send_node(struct control_peer *peer, JsonObject *object)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_object_set_string_member(object, "jsonrpc", "2.0");
    json_node_take_object(node, object);
    char *text = json_to_string(node, FALSE);
    size_t len = strlen(text);
    bool fits = len < CONTROL_OUTPUT_MAX / 2;

    json_node_unref(node);
    if (peer->lost || !fits) {
        /* Nobody will read it. */
    } else if (peer->output->len + len + 1 > CONTROL_OUTPUT_MAX) {
        peer->lost = true;
        g_byte_array_set_size(peer->output, 0);
    } else {
        text[len] = '\n';
        g_byte_array_append(peer->output, (const guint8 *)text, (guint)len + 1);
    }
    g_free(text);
    return fits;
}

/* `id` is copied; NULL: it could not be read. */
static JsonObject *response(JsonNode *id)
{
    JsonObject *object = json_object_new();

    json_object_set_member(object, "id", id ? json_node_copy(id) : json_node_new(JSON_NODE_NULL));
    return object;
}

static void send_error(struct control_peer *peer, JsonNode *id, enum rpc_error code,
                       const char *text)
{
    JsonObject *object = response(id), *error = json_object_new();

    json_object_set_int_member(error, "code", code);
    json_object_set_string_member(error, "message", text);
    json_object_set_object_member(object, "error", error);
    send_node(peer, object);
}

static void send_result(struct control_peer *peer, JsonNode *id, JsonNode *result)
{
    JsonObject *object = response(id);

    json_object_set_member(object, "result", result);
    if (!send_node(peer, object))
        send_error(peer, id, RPC_TOO_MUCH, "the result is longer than 2 MiB");
}

void control_answer(struct control *control, uint64_t number, JsonNode *result, const char *error)
{
    struct pending **at = &control->pending, *pending;

    while (*at && (*at)->number != number)
        at = &(*at)->next;
    pending = *at;
    if (!pending) { /* its client has gone */
        if (result)
            json_node_unref(result);
        return;
    }
    *at = pending->next;
    pending->peer->calls--;
    if (!pending->id) {
        if (result)
            json_node_unref(result);
    } else if (error) {
        send_error(pending->peer, pending->id, RPC_FAILED, error);
        if (result)
            json_node_unref(result);
    } else {
        send_result(pending->peer, pending->id, result ? result : json_node_new(JSON_NODE_NULL));
    }
    if (pending->id)
        json_node_unref(pending->id);
    g_free(pending);
}

/* Events. */

bool control_wanted(const struct control *control, const char *name)
{
    for (const struct control_peer *peer = control->peers; peer; peer = peer->next) {
        if (peer->wants && g_strv_contains((const char *const *)peer->wants, name))
            return true;
    }
    return false;
}

void control_tell(struct control *control, const char *name, JsonObject *event)
{
    for (struct control_peer *peer = control->peers; peer; peer = peer->next) {
        if (!peer->wants || peer->lost || !g_strv_contains((const char *const *)peer->wants, name))
            continue;
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "method", "event");
        json_object_set_object_member(object, "params", json_object_ref(event));
        send_node(peer, object);
    }
    json_object_unref(event);
}

static bool subscribe(struct control_peer *peer, JsonNode *params)
{
    static const char *const kinds[] = {"tlp", "irq", "rule", "state", NULL};
    JsonArray *array = params && JSON_NODE_HOLDS_ARRAY(params) ? json_node_get_array(params) : NULL;
    guint count = array ? json_array_get_length(array) : 0;
    GPtrArray *wants = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < count; i++) {
        JsonNode *kind = json_array_get_element(array, i);
        const char *text =
            json_node_get_value_type(kind) == G_TYPE_STRING ? json_node_get_string(kind) : NULL;
        if (!text || !g_strv_contains(kinds, text)) {
            g_ptr_array_unref(wants);
            return false;
        }
        g_ptr_array_add(wants, g_strdup(text));
    }
    for (unsigned i = 0; !count && i < 2; i++)
        g_ptr_array_add(wants, g_strdup(i ? "state" : "rule"));
    g_ptr_array_add(wants, NULL);
    g_strfreev(peer->wants);
    peer->wants = (char **)g_ptr_array_free(wants, FALSE);
    return true;
}

static JsonNode *help(void)
{
    static const char *const kinds[] = {
        [CONTROL_RUN] = "run", [CONTROL_LOOK] = "look", [CONTROL_ACT] = "act"};
    JsonArray *array = json_array_new();
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);

    for (const struct control_verb *verb = control_verbs; verb->name; verb++) {
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "name", verb->name);
        json_object_set_string_member(object, "params", verb->usage);
        json_object_set_string_member(object, "help", verb->help);
        json_object_set_string_member(object, "kind", kinds[verb->kind]);
        json_array_add_object_element(array, object);
    }
    json_node_take_array(node, array);
    return node;
}

/* From the client. */

static void no_method(struct control_peer *peer, JsonNode *id, const char *name)
{
    GPtrArray *names = g_ptr_array_new();

    for (const struct control_verb *verb = control_verbs; verb->name; verb++)
        g_ptr_array_add(names, (gpointer)verb->name);
    const char *near = units_nearest(name, (const char *const *)names->pdata, names->len);
    char *text =
        g_strdup_printf("there is no verb \"%.60s\"%s%s%s; \"help\" lists them", name,
                        near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    char *valid = g_utf8_make_valid(text, -1); /* it may be cut inside a character */

    send_error(peer, id, RPC_NO_METHOD, valid);
    g_free(valid);
    g_free(text);
    g_ptr_array_unref(names);
}

/* What is answered here; false: it is the host's. */
static bool answer_here(struct control_peer *peer, const struct control_verb *verb, JsonNode *id,
                        JsonNode *params)
{
    if (strcmp(verb->name, "help") == 0) {
        if (id)
            send_result(peer, id, help());
    } else if (strcmp(verb->name, "subscribe") == 0) {
        bool good = subscribe(peer, params);

        if (id && good)
            send_result(peer, id, json_node_new(JSON_NODE_NULL));
        else if (id)
            send_error(peer, id, RPC_PARAMS, "kinds of events are tlp, irq, rule and state");
    } else if (strcmp(verb->name, "unsubscribe") == 0) {
        g_clear_pointer(&peer->wants, g_strfreev);
        if (id)
            send_result(peer, id, json_node_new(JSON_NODE_NULL));
    } else {
        return false;
    }
    return true;
}

static void call_host(struct control_peer *peer, const struct control_verb *verb, JsonNode *id,
                      JsonNode *params)
{
    struct control *control = peer->control;
    struct pending *pending;

    if (peer->calls == CONTROL_CALLS_MAX) {
        if (id)
            send_error(peer, id, RPC_TOO_MUCH, "64 calls of this client are under way");
        return;
    }
    pending = g_new0(struct pending, 1);
    pending->number = ++control->last_number;
    pending->peer = peer;
    pending->id = id ? json_node_copy(id) : NULL;
    pending->next = control->pending;
    control->pending = pending;
    peer->calls++;
    const struct control_call call = {pending->number, verb, params};

    control->host.call(control->host.opaque, &call);
}

/* Section 4: null, a number or a text. */
static bool is_id(JsonNode *id)
{
    return !id || JSON_NODE_HOLDS_NULL(id) ||
           (JSON_NODE_HOLDS_VALUE(id) && json_node_get_value_type(id) != G_TYPE_BOOLEAN);
}

static bool text_member(JsonObject *object, const char *name, const char **text)
{
    JsonNode *node = json_object_get_member(object, name);

    *text =
        node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : NULL;
    return *text != NULL;
}

static void take_message(struct control_peer *peer, JsonNode *node)
{
    const char *version, *method;

    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        send_error(peer, NULL, RPC_INVALID, "a message is one object; batches are not taken");
        return;
    }
    JsonObject *object = json_node_get_object(node);
    JsonNode *id = json_object_get_member(object, "id");
    JsonNode *params = json_object_get_member(object, "params");

    if (!is_id(id) || !text_member(object, "jsonrpc", &version) || strcmp(version, "2.0") != 0 ||
        !text_member(object, "method", &method)) {
        send_error(peer, is_id(id) ? id : NULL, RPC_INVALID,
                   "a message has \"jsonrpc\":\"2.0\", \"method\", and an \"id\" that is a number "
                   "or a text");
        return;
    }
    if (params && !JSON_NODE_HOLDS_ARRAY(params) && !JSON_NODE_HOLDS_OBJECT(params)) {
        if (id)
            send_error(peer, id, RPC_PARAMS, "\"params\" is an array or an object");
        return;
    }
    const struct control_verb *verb = control_verb_find(method);

    if (!verb && id)
        no_method(peer, id, method);
    else if (verb && !answer_here(peer, verb, id, params))
        call_host(peer, verb, id, params);
}

static void take_line(struct control_peer *peer, const char *line, size_t len)
{
    GError *error = NULL;
    JsonNode *node;

    while (len && (line[len - 1] == '\r' || line[len - 1] == ' '))
        len--;
    if (!len)
        return;
    node = json_line_parse(line, len, &error);
    if (!node) {
        char *text = g_utf8_make_valid(error->message, -1);

        send_error(peer, NULL, RPC_PARSE, text);
        g_free(text);
        g_error_free(error);
        return;
    }
    take_message(peer, node);
    json_node_unref(node);
}

void control_peer_take(struct control_peer *peer, const void *bytes, size_t len)
{
    const char *at = bytes, *end, *newline;

    if (!len)
        return;
    end = at + len;
    while (!peer->lost && at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
        size_t piece = (size_t)(newline - at);

        if (peer->input->len + piece > CONTROL_LINE_MAX)
            break;
        if (peer->input->len) {
            g_byte_array_append(peer->input, (const guint8 *)at, (guint)piece);
            take_line(peer, (const char *)peer->input->data, peer->input->len);
            g_byte_array_set_size(peer->input, 0);
        } else {
            take_line(peer, at, piece);
        }
        at = newline + 1;
    }
    if (peer->lost || at == end)
        return;
    if (peer->input->len + (size_t)(end - at) > CONTROL_LINE_MAX) {
        send_error(peer, NULL, RPC_PARSE, "a line is at most 49152 bytes");
        peer->lost = true;
        return;
    }
    g_byte_array_append(peer->input, (const guint8 *)at, (guint)(end - at));
}

/* Life. */

struct control_peer *control_peer_new(struct control *control)
{
    struct control_peer *peer = g_new0(struct control_peer, 1);

    peer->control = control;
    peer->input = g_byte_array_new();
    peer->output = g_byte_array_new();
    peer->fd = -1;
    peer->next = control->peers;
    control->peers = peer;
    return peer;
}

void control_peer_free(struct control_peer *peer)
{
    struct control *control = peer->control;
    struct control_peer **at = &control->peers;

    for (struct pending **p = &control->pending; *p;) {
        struct pending *pending = *p;

        if (pending->peer != peer) {
            p = &pending->next;
            continue;
        }
        *p = pending->next;
        if (pending->id)
            json_node_unref(pending->id);
        g_free(pending);
    }
    while (*at != peer)
        at = &(*at)->next;
    *at = peer->next;
    g_strfreev(peer->wants);
    g_byte_array_unref(peer->input);
    g_byte_array_unref(peer->output);
    g_free(peer);
}

const uint8_t *control_peer_output(const struct control_peer *peer, size_t *len)
{
    *len = peer->output->len;
    return peer->output->data;
}

void control_peer_sent(struct control_peer *peer, size_t len)
{
    g_byte_array_remove_range(peer->output, 0, (guint)len);
}

bool control_peer_is_lost(const struct control_peer *peer)
{
    return peer->lost;
}

struct control *control_new(const struct control_host *host)
{
    struct control *control = g_new0(struct control, 1);

    control->host = *host;
    control->fd = -1;
    return control;
}

void control_free(struct control *control)
{
    if (!control)
        return;
    while (control->pending)
        control_answer(control, control->pending->number, NULL, "the run is over");
    control_close(control);
    while (control->peers)
        control_peer_free(control->peers);
    g_free(control);
}
