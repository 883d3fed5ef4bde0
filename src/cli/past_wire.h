/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the processes of a boot's past say to each other, over a stream socket. */
#ifndef PCILAB_CLI_PAST_WIRE_H
#define PCILAB_CLI_PAST_WIRE_H

#include "pcilab/gdb/past.h"

enum past_verb {
    PAST_GO, /* to a process that waits: the journey, and what the debugger has said */
    /* From the one that goes: */
    PAST_ARRIVED,
    PAST_COUNTED,
    PAST_LOST,
    PAST_PRESENT, /* with what the debugger has said, as the next one */
    PAST_BACK,    /* go further back, from `met.at`; journey.how, journey.thread */
    PAST_GONE,    /* the debugger is */
    PAST_KILL,    /* it said so */
    /* From the one that waits: */
    PAST_ENDED, /* the one that went has ended */
};

struct past_message {
    enum past_verb verb;
    struct gdb_journey journey;
    struct gdb_met met;
    uint32_t state_len; /* bytes of gdb_save() follow */
};

/* False: nobody is there, or no memory. `state` may be NULL. */
bool past_wire_send(int fd, const struct past_message *message, const GByteArray *state);
/* *state: a new array, or NULL when there is none. False: nobody is there any more. */
bool past_wire_receive(int fd, struct past_message *message, GByteArray **state);

/* ---- What came from outside ---- */

/* A file without a name, which all processes share; only the first writes. */
struct past_inputs {
    int fd; /* -1: none */
    uint64_t len;
    struct sim_input_log next; /* who also wants to keep it */
};

/* For struct sim_input_log; opaque is the inputs. */
void past_inputs_keep(void *opaque, const struct sim_input_entry *entry);

/* From a place in the file on. */
struct past_replay {
    const uint8_t *bytes;
    uint64_t len;
    uint64_t at[2]; /* by kind */
};
bool past_replay_open(struct past_replay *replay, const struct past_inputs *inputs, uint64_t from);
/* For struct sim_input_log; opaque is the replay. */
bool past_replay_next(void *opaque, enum sim_input_kind kind, struct sim_input_entry *entry);

#endif
