/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a control socket does to a run. Words of scenarios are orders: they come into the machine in
 * virtual time and into recordings. To stand, to step and to look is nothing that the machine could
 * notice, and is not recorded.
 *
 * CHOICE: an order to a machine that stands lets it go on until the order has been carried out,
 * since it arrives at the end of a processor's turn, up to 5 us later.
 */
#include "boot_control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inspect.h"
#include "pcilab/base/bits.h"
#include "pcilab/config/units.h"
#include "pcilab/control/control.h"
#include "pcilab/fabric/fabric.h"
#include "pcilab/scenario/live.h"
#include "run_guest.h"

#define CONSOLE_KEEP    (1u << 20) /* at least the last half of it */
#define CONSOLE_DEFAULT 4096
/* From the order to the end: behind it, at an instant at which processors' turns end. */
#define SHUTDOWN_PS (10 * PS_PER_US)

struct boot_control {
    struct boot_run *run;
    struct scenario_live *live;
    struct run_guest *guest; /* takes commands; NULL: none */
    struct control *control; /* NULL: nobody listens */
    GString *console;
    struct trace_sink events;
    bool listening; /* to the trace */

    bool paused, quit;
    uint64_t quit_ps;
    GArray *orders; /* uint64_t: those of a machine that stands, for which it goes on */
    /* A step under way: its call, 0: none; where it ends. */
    uint64_t step, until_ps;
    struct scenario_watch *watch;
    char *seen;
};

/* Answers. */

static void answer(struct boot_control *c, uint64_t call, JsonNode *result, const char *error)
{
    if (c->control) {
        control_answer(c->control, call, result, error);
    } else if (result) {
        json_node_unref(result);
    }
}

static JsonNode *node_of(JsonObject *object)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_node_take_object(node, object);
    return node;
}

static JsonNode *text_node(const char *text)
{
    JsonNode *node = json_node_new(JSON_NODE_VALUE);
    char *valid = g_utf8_make_valid(text, -1);

    json_node_set_string(node, valid);
    g_free(valid);
    return node;
}

static JsonNode *status(const struct boot_control *c)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "state", c->paused ? "stands" : "runs");
    json_object_set_int_member(object, "time-ps", (gint64)c->run->virtual_ps);
    json_object_set_int_member(object, "instructions", (gint64)machine_retired(c->run->machine));
    if (c->seen) {
        json_object_set_string_member(object, "tlp", c->seen);
    }
    return node_of(object);
}

/* Parameters. */

static JsonNode *param(const struct control_call *call, unsigned index)
{
    JsonArray *array = call->params && JSON_NODE_HOLDS_ARRAY(call->params)
                           ? json_node_get_array(call->params)
                           : NULL;

    return array && index < json_array_get_length(array) ? json_array_get_element(array, index)
                                                         : NULL;
}

static const char *text_param(const struct control_call *call, unsigned index)
{
    JsonNode *node = param(call, index);

    return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node)
                                                                   : NULL;
}

/* Picoseconds, or a text like "5us". */
static bool time_param(const struct control_call *call, unsigned index, uint64_t *ps)
{
    JsonNode *node = param(call, index);
    const char *text = text_param(call, index);

    if (text) {
        return units_parse_time(text, ps);
    }
    if (!node || json_node_get_value_type(node) != G_TYPE_INT64 || json_node_get_int(node) < 0) {
        return false;
    }
    *ps = (uint64_t)json_node_get_int(node);
    return *ps < SIM_NEVER / 4;
}

/* How the run goes on. */

static void end_step(struct boot_control *c, const char *error)
{
    uint64_t step = c->step;

    c->step = 0;
    c->until_ps = 0;
    g_clear_pointer(&c->watch, scenario_watch_free);
    if (step) {
        answer(c, step, error ? NULL : status(c), error);
    }
    g_clear_pointer(&c->seen, g_free);
}

static void stand(struct boot_control *c)
{
    c->paused = true;
    g_array_set_size(c->orders, 0);
    end_step(c, NULL);
}

static void go_on(struct boot_control *c)
{
    c->paused = false;
    g_array_set_size(c->orders, 0);
}

static void see_tlp(void *opaque, const char *text)
{
    struct boot_control *c = opaque;

    if (!c->seen) {
        c->seen = g_strdup(text);
        machine_pause(c->run->machine);
    }
}

/* step TIME, until TIME, step_tlp COMPONENT KIND [TIME] */
static void step(struct boot_control *c, const struct control_call *call)
{
    bool tlp = strcmp(call->verb->name, "step_tlp") == 0;
    const char *component = text_param(call, 0), *kind = text_param(call, 1);
    uint64_t ps = SIM_NEVER / 4, now = c->run->virtual_ps;
    GError *error = NULL;

    if (c->step) {
        answer(c, call->number, NULL, "another step is under way; pause ends it");
    } else if (tlp && (!component || !kind)) {
        answer(c, call->number, NULL,
               "it needs a component and a kind of TLP, and may have a time");
    } else if ((!tlp || param(call, 2)) && !time_param(call, tlp ? 2 : 0, &ps)) {
        answer(c, call->number, NULL, "a time is needed: a text like \"5us\", or picoseconds");
    } else if (strcmp(call->verb->name, "until") == 0 && ps <= now) {
        answer(c, call->number, NULL, "that time is over already");
    } else if (tlp && !(c->watch = scenario_watch_new(c->run->machine, component, kind, see_tlp, c,
                                                      &error))) {
        answer(c, call->number, NULL, error->message);
        g_error_free(error);
    } else {
        c->step = call->number;
        c->until_ps = strcmp(call->verb->name, "until") == 0 ? ps : now + ps;
        go_on(c);
    }
}

/* Looking. */

/* The answer, or what is wrong, to a file. In a process of its own: looking changes nothing. */
static void tell_inspected(struct machine *machine, const struct inspect_query *query, bool as_text,
                           FILE *out)
{
    GError *error = NULL;
    JsonNode *node = inspect_look(machine, query, &error);

    fputc(node ? 'R' : 'E', out);
    if (!node) {
        fputs(error->message, out);
    } else if (as_text) {
        inspect_text_print(node, out);
    } else {
        fputs(json_to_string(node, FALSE), out);
    }
    fclose(out);
}

/* g_free() it. */
static char *look_apart(struct machine *machine, const struct inspect_query *query, bool as_text)
{
    GString *said = g_string_new(NULL);
    char piece[65536];
    int ends[2];
    ssize_t len;

    if (pipe(ends) != 0) {
        return g_string_free(g_string_append(said, "Eno pipe"), FALSE);
    }
    fflush(NULL); /* or the other process would write it, too */
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        tell_inspected(machine, query, as_text, fdopen(ends[1], "w"));
        _exit(0);
    }
    close(ends[1]);
    while ((len = read(ends[0], piece, sizeof(piece))) > 0 || (len < 0 && errno == EINTR)) {
        g_string_append_len(said, piece, MAX(len, 0));
    }
    close(ends[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    return g_string_free(said->len ? said : g_string_append(said, "Eno answer"), FALSE);
}

static JsonNode *inspect(struct boot_control *c, const struct control_call *call, char **wrong)
{
    struct inspect_query query = {0};
    GPtrArray *words = g_ptr_array_new();
    GString *said = g_string_new(NULL);
    JsonNode *node = NULL;
    const char *text;
    bool as_text = false;

    for (unsigned i = 0; (text = text_param(call, i)); i++) {
        if (strcmp(text, "--text") == 0) {
            as_text = true;
        } else {
            g_ptr_array_add(words, (gpointer)text);
        }
    }
    g_ptr_array_add(words, NULL);
    cli_capture_errors(said);
    bool good = inspect_query_parse(&query, (char *const *)words->pdata);
    cli_capture_errors(NULL);
    char *answer =
        good ? look_apart(c->run->machine, &query, as_text) : g_strconcat("E", said->str, NULL);

    if (answer[0] == 'E') {
        *wrong = g_utf8_make_valid(answer + 1, -1);
    } else {
        node = as_text ? text_node(answer + 1) : json_from_string(answer + 1, NULL);
    }
    g_free(answer);
    g_string_free(said, TRUE);
    g_ptr_array_unref(words);
    return node;
}

static JsonNode *last_of_console(const struct boot_control *c, const struct control_call *call)
{
    JsonNode *node = param(call, 0);
    gint64 want = node && json_node_get_value_type(node) == G_TYPE_INT64 ? json_node_get_int(node)
                                                                         : CONSOLE_DEFAULT;
    gsize skip = want < 0 || (gsize)want >= c->console->len ? 0 : c->console->len - (gsize)want;

    return text_node(c->console->str + skip);
}

static const char *type(struct boot_control *c, const struct control_call *call)
{
    const char *text = text_param(call, 0);
    unsigned len = text ? (unsigned)strlen(text) : 0;

    if (!text) {
        return "type takes one text";
    }
    return machine_console_typed(c->run->machine, (const uint8_t *)text, len) == len
               ? NULL
               : "too much waits for the guest already";
}

static const char *sysrq(struct boot_control *c, const struct control_call *call)
{
    const char *text = text_param(call, 0);

    if (!text || strlen(text) != 1 || !g_ascii_isgraph(text[0])) {
        return "sysrq takes one key, like \"t\"";
    }
    machine_hand(c->run->machine, MACHINE_HAND_BREAK);
    machine_console_typed(c->run->machine, (const uint8_t *)text, 1);
    return NULL;
}

/* What is of the run and answered at once. */
static void call_run(struct boot_control *c, const struct control_call *call)
{
    const char *name = call->verb->name, *wrong = NULL;
    char *said = NULL;
    JsonNode *result = NULL;

    if (strcmp(name, "pause") == 0) {
        stand(c);
        result = status(c);
    } else if (strcmp(name, "resume") == 0) {
        go_on(c);
        result = status(c);
    } else if (strcmp(name, "status") == 0) {
        result = status(c);
    } else if (strcmp(name, "inspect") == 0) {
        result = inspect(c, call, &said);
        wrong = said;
    } else if (strcmp(name, "console") == 0) {
        result = last_of_console(c, call);
    } else if (strcmp(name, "type") == 0) {
        wrong = type(c, call);
    } else if (strcmp(name, "sysrq") == 0) {
        wrong = sysrq(c, call);
    } else if (strcmp(name, "nmi") == 0) {
        machine_hand(c->run->machine, MACHINE_HAND_NMI);
    }
    answer(c, call->number, wrong ? NULL : result, wrong);
    g_free(said);
}

/* Orders. */

static void order(struct boot_control *c, const struct control_call *call)
{
    char *text = scenario_live_order(call->number, call->verb->name, call->params);
    size_t len = strlen(text);

    if (len > SIM_INPUT_BYTES_MAX) {
        answer(c, call->number, NULL, "that is too long");
    } else {
        if (c->paused) {
            g_array_append_val(c->orders, call->number);
        }
        machine_order(c->run->machine, text, (uint32_t)len);
    }
    g_free(text);
}

static void order_done(void *opaque, uint64_t call, JsonNode *result, const char *error)
{
    struct boot_control *c = opaque;

    for (guint i = 0; i < c->orders->len; i++) {
        if (g_array_index(c->orders, uint64_t, i) == call) {
            g_array_remove_index_fast(c->orders, i);
            break;
        }
    }
    answer(c, call, result, error);
}

static bool own_word(void *opaque, const char *word)
{
    struct boot_control *c = opaque;

    if (strcmp(word, "shutdown") != 0) {
        return false;
    }
    if (!c->quit) {
        c->quit = true;
        c->quit_ps = c->run->behind_ps + machine_sim(c->run->machine)->now_ps + SHUTDOWN_PS;
    }
    c->paused = false;
    return true;
}

static void run_command(void *opaque, struct scenario *scenario, const char *text)
{
    const struct boot_control *c = opaque;

    run_guest_command(c->guest, scenario, text);
}

static const char *console_text(void *opaque, size_t *len)
{
    struct boot_control *c = opaque;

    *len = c->console->len;
    return c->console->str;
}

static void take_call(void *opaque, const struct control_call *call)
{
    struct boot_control *c = opaque;
    GError *error = NULL;
    JsonNode *result;

    switch (call->verb->kind) {
    case CONTROL_ACT: order(c, call); break;
    case CONTROL_LOOK:
        result = scenario_live_look(c->live, call->verb->name, call->params, &error);
        answer(c, call->number, result, error ? error->message : NULL);
        g_clear_error(&error);
        break;
    case CONTROL_RUN:
        if (g_str_has_prefix(call->verb->name, "step") || strcmp(call->verb->name, "until") == 0) {
            step(c, call);
        } else {
            call_run(c, call);
        }
        break;
    }
}

/* Events. */

static const char *const event_kinds[TRACE_KIND_COUNT] = {
    [TRACE_TLP] = "tlp", [TRACE_IRQ] = "irq", [TRACE_RULE] = "rule", [TRACE_STATE] = "state"};

static void tell(struct trace_sink *sink, const struct trace_event *event)
{
    struct boot_control *c = CONTAINER_OF(sink, struct boot_control, events);
    JsonObject *object = json_object_new();
    char words[256] = "";

    json_object_set_string_member(object, "kind", event_kinds[event->kind]);
    json_object_set_int_member(object, "time-ps", (gint64)event->time_ps);
    json_object_set_string_member(object, "where", event->where ? event->where : "");
    if (event->kind == TRACE_TLP) {
        fabric_render_tlp(event, words, sizeof(words));
    } else if (event->kind == TRACE_IRQ && event->head_len >= 2) {
        g_snprintf(words, sizeof(words), "cpu %u vector 0x%02x", event->head[0], event->head[1]);
    } else if (event->text) {
        g_strlcpy(words, event->text, sizeof(words));
    }
    char *valid = g_utf8_make_valid(words, -1);

    json_object_set_string_member(object, "text", valid);
    g_free(valid);
    control_tell(c->control, event_kinds[event->kind], object);
}

/* The trace is listened to while somebody wants it. */
static void follow_wishes(struct boot_control *c)
{
    uint32_t kinds = 0;

    for (unsigned i = 0; i < TRACE_KIND_COUNT; i++) {
        kinds |= event_kinds[i] && control_wanted(c->control, event_kinds[i]) ? BIT(i) : 0;
    }
    if (kinds == (c->listening ? c->events.kinds : 0)) {
        return;
    }
    if (c->listening) {
        trace_remove_sink(machine_trace(c->run->machine), &c->events);
    }
    c->events.emit = tell;
    c->events.kinds = kinds;
    c->listening = kinds != 0;
    if (kinds) {
        trace_add_sink(machine_trace(c->run->machine), &c->events);
    }
}

/* The loop. */

static void hear_console(struct boot_control *c, uint8_t byte)
{
    if (!byte || byte == '\r') {
        return;
    }
    if (c->console->len == CONSOLE_KEEP) {
        g_string_erase(c->console, 0, CONSOLE_KEEP / 2);
    }
    g_string_append_c(c->console, (char)byte);
}

static bool stands(const struct boot_control *c)
{
    return c->paused && !c->orders->len;
}

static uint64_t slice_ps(const struct boot_control *c, uint64_t slice)
{
    uint64_t now = c->run->virtual_ps;

    if (c->quit && c->quit_ps > now) {
        slice = MIN(slice, c->quit_ps - now);
    }
    if (c->until_ps > now) {
        slice = MIN(slice, c->until_ps - now);
    }
    return slice;
}

static bool end_slice(struct boot_control *c)
{
    scenario_live_run(c->live);
    if (c->step && (c->seen || c->run->virtual_ps >= c->until_ps)) {
        stand(c);
    }
    return c->quit && c->run->virtual_ps >= c->quit_ps;
}

static void serve(struct boot_control *c)
{
    if (c->control) {
        control_serve(c->control);
        follow_wishes(c);
    }
}

static void fill(const struct boot_control *c, GArray *fds)
{
    if (c->control) {
        control_fill(c->control, fds);
    }
}

static bool listens(const struct boot_control *c)
{
    return c->control != NULL;
}

/* Life. */

bool boot_control_start(struct boot_run *run, const char *path, struct run_guest *guest)
{
    static const struct boot_control_ops ops = {.byte = hear_console,
                                                .stands = stands,
                                                .slice_ps = slice_ps,
                                                .slice = end_slice,
                                                .serve = serve,
                                                .fill = fill,
                                                .listens = listens};
    struct boot_control *c = g_new0(struct boot_control, 1);
    const struct scenario_live_host live = {.done = order_done,
                                            .command = guest ? run_command : NULL,
                                            .console = console_text,
                                            .own = own_word,
                                            .opaque = c};
    const struct control_host host = {.call = take_call, .opaque = c};
    GError *error = NULL;

    c->run = run;
    c->guest = guest;
    c->console = g_string_new(NULL);
    c->orders = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    c->live = scenario_live_new(run->machine, &live);
    run->control = c;
    run->control_ops = &ops;
    if (path) {
        c->control = control_new(&host);
        if (!control_listen(c->control, path, &error)) {
            cli_error("--control %s", error->message);
            g_error_free(error);
            return false;
        }
    }
    return true;
}

void boot_control_stop(struct boot_run *run)
{
    struct boot_control *c = run->control;

    if (!c) {
        return;
    }
    end_step(c, "the run is over");
    if (c->listening) {
        trace_remove_sink(machine_trace(run->machine), &c->events);
    }
    scenario_live_stop(c->live);
    control_free(c->control);
    c->control = NULL;
}

void boot_control_free(struct boot_run *run)
{
    struct boot_control *c = run->control;

    if (!c) {
        return;
    }
    scenario_live_free(c->live);
    g_string_free(c->console, TRUE);
    g_array_unref(c->orders);
    g_free(c);
    run->control = NULL;
}
