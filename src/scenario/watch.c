/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for a TLP by the trace, which changes nothing: for those whose waiting is not recorded.
 */
#include <string.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/scenario/live.h"

struct scenario_watch {
    struct trace_sink sink;
    struct trace *trace;
    const struct port *port, *peer;
    struct inject_match match;
    struct tlp_pool *pool;
    scenario_watch_fn seen;
    void *opaque;
};

static void look(struct trace_sink *sink, const struct trace_event *event)
{
    struct scenario_watch *watch = CONTAINER_OF(sink, struct scenario_watch, sink);
    char text[256];

    if (strcmp(event->where, watch->port->name) != 0 &&
        (!watch->peer || strcmp(event->where, watch->peer->name) != 0))
        return;
    size_t len = event->head_len + event->body_len;
    uint8_t *bytes = g_malloc(len + 1);

    memcpy(bytes, event->head, event->head_len);
    if (event->body_len)
        memcpy(bytes + event->head_len, event->body, event->body_len);
    struct tlp *tlp = tlp_decode(watch->pool, bytes, len);

    if (tlp && inject_matches(&watch->match, watch->port, tlp)) {
        tlp_describe(tlp, text, sizeof(text));
        watch->seen(watch->opaque, text);
    }
    if (tlp)
        tlp_free(tlp);
    g_free(bytes);
}

struct scenario_watch *scenario_watch_new(struct machine *machine, const char *component,
                                          const char *kind, scenario_watch_fn seen, void *opaque,
                                          GError **error)
{
    const struct port *port = machine_port(machine, component);
    struct inject_match match = {0};

    if (!port) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                    "there is no component with a port \"%s\"", component);
        return NULL;
    }
    if (!tlp_kind_parse(kind, &match)) {
        char *kinds = g_strjoinv(", ", (char **)tlp_kinds);

        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                    "there is no kind of TLP \"%s\"; there are: %s", kind, kinds);
        g_free(kinds);
        return NULL;
    }
    struct scenario_watch *watch = g_new0(struct scenario_watch, 1);

    watch->trace = machine_trace(machine);
    watch->port = port;
    watch->peer = port_far_end(port);
    watch->match = match;
    watch->pool = tlp_pool_new();
    watch->seen = seen;
    watch->opaque = opaque;
    watch->sink.emit = look;
    watch->sink.kinds = BIT(TRACE_TLP);
    trace_add_sink(watch->trace, &watch->sink);
    return watch;
}

void scenario_watch_free(struct scenario_watch *watch)
{
    if (!watch)
        return;
    trace_remove_sink(watch->trace, &watch->sink);
    tlp_pool_free(watch->pool);
    g_free(watch);
}
