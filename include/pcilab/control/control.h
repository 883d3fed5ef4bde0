/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A control socket: JSON-RPC 2.0 (jsonrpc.org/specification), a message a line, for clients that
 * may do anything. docs/control.md is for them.
 *
 * Whoever runs the machine is the host: calls come to it, and it answers each, at once or later.
 * Nothing of a machine is known here.
 */
#ifndef PCILAB_CONTROL_CONTROL_H
#define PCILAB_CONTROL_CONTROL_H

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

#define CONTROL_LINE_MAX    (48u << 10) /* of a client's */
#define CONTROL_OUTPUT_MAX  (4u << 20)  /* that a client does not read; then it is dropped */
#define CONTROL_CALLS_MAX   64          /* of one client at a time */
#define CONTROL_CLIENTS_MAX 128

enum control_kind {
    CONTROL_RUN,  /* of the run: how it goes on; also what is not a scenario's word */
    CONTROL_LOOK, /* changes nothing */
    CONTROL_ACT,  /* on the machine, in virtual time */
};

struct control_verb {
    const char *name, *usage, *help;
    enum control_kind kind;
};
/* A table that ends with a name of NULL; one of it by its name, or NULL. */
extern const struct control_verb control_verbs[];
const struct control_verb *control_verb_find(const char *name);

struct control_call {
    uint64_t number; /* from 1 on */
    const struct control_verb *verb;
    JsonNode *params; /* an array or an object, or NULL */
};

struct control_host {
    /* control_answer() follows, from inside or later. "help", "subscribe" and "unsubscribe" do not
     * come here. */
    void (*call)(void *opaque, const struct control_call *call);
    void *opaque;
};

struct control;
struct control *control_new(const struct control_host *host);
/* What is under way is answered: the run is over. The last bytes are sent as far as clients take
 * them at once. NULL: nothing. */
void control_free(struct control *control);

/* Once for each call; takes the result, or has an error's text. */
void control_answer(struct control *control, uint64_t number, JsonNode *result, const char *error);
/* What clients want to be told of: BIT(kind), from 0 to 31; and telling all who do. `name` is that
 * of the kind. */
bool control_wanted(const struct control *control, const char *name);
void control_tell(struct control *control, const char *name, JsonObject *event);

/* The socket: a path, for its owner only. False, and why: something is there that is not an old
 * socket of ours, or cannot be made. control_free() takes it away. */
bool control_listen(struct control *control, const char *path, GError **error);
/* struct pollfd for those who wait; and what there is to do without waiting. */
void control_fill(const struct control *control, GArray *fds);
void control_serve(struct control *control);

/* A client by its bytes: what the socket makes of each connection, and tests without one. */
struct control_peer;
struct control_peer *control_peer_new(struct control *control);
void control_peer_free(struct control_peer *peer);
void control_peer_take(struct control_peer *peer, const void *bytes, size_t len);
const uint8_t *control_peer_output(const struct control_peer *peer, size_t *len);
void control_peer_sent(struct control_peer *peer, size_t len);
/* Nothing more is heard from it: its lines are too long, or it does not read. */
bool control_peer_is_lost(const struct control_peer *peer);

#endif
