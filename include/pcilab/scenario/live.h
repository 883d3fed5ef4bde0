/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of scenarios on a machine that somebody else made and runs, one call after the other.
 *
 * A call is an order: bytes that come into the machine by machine_order(), at an instant of virtual
 * time and into recordings, and that are carried out when the machine next stands, which is at that
 * instant. A replay brings the same bytes, so that nothing but the orders may decide what happens;
 * nobody waits for the results then. What only looks is not an order.
 */
#ifndef PCILAB_SCENARIO_LIVE_H
#define PCILAB_SCENARIO_LIVE_H

#include <json-glib/json-glib.h>

#include "pcilab/platform/machine.h"

struct scenario;
struct scenario_live;

struct scenario_live_host {
    /* A call is over: its result, which the callee takes, or what went wrong. */
    void (*done)(void *opaque, uint64_t call, JsonNode *result, const char *error);
    /* As in struct scenario_host; NULL: the guest takes no commands; nothing is kept. */
    void (*command)(void *opaque, struct scenario *scenario, const char *text);
    const char *(*console)(void *opaque, size_t *len);
    /* Words that are the caller's: true when it was one. While the machine stands; NULL: none. */
    bool (*own)(void *opaque, const char *word);
    void *opaque;
};

/* Takes the orders of the machine. */
struct scenario_live *scenario_live_new(struct machine *machine,
                                        const struct scenario_live_host *host);
/* Before the machine goes: nothing of it is touched any more, and what is under way is answered. */
void scenario_live_stop(struct scenario_live *live);
/* After it has gone, which may still know of requests. NULL: nothing. */
void scenario_live_free(struct scenario_live *live);

/* An order for a word with its parameters (an array, one object, or NULL), for machine_order(): a
 * line of JSON, g_free() it. `call` is not 0. The word "lua" is a program. */
char *scenario_live_order(uint64_t call, const char *word, JsonNode *params);
/* For whoever runs the machine, whenever it stands. */
void scenario_live_run(struct scenario_live *live);
/* A word that changes nothing and never waits, at once, while the machine stands; NULL with an
 * error. json_node_unref() it. */
JsonNode *scenario_live_look(struct scenario_live *live, const char *word, JsonNode *params,
                             GError **error);

/* The next TLP that leaves the component or comes to it over its link, of a kind as in on(): seen()
 * is told in what words the trace has it, from inside the machine. Nothing changes by it. NULL with
 * an error: no such component or kind. It goes before the machine does. */
struct scenario_watch;
typedef void (*scenario_watch_fn)(void *opaque, const char *text);
struct scenario_watch *scenario_watch_new(struct machine *machine, const char *component,
                                          const char *kind, scenario_watch_fn seen, void *opaque,
                                          GError **error);
void scenario_watch_free(struct scenario_watch *watch);

#endif
