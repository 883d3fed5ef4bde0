/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two ports and a link with link timing between them: sources, sinks that may block, a log. */
#ifndef LINK_PAIR_H
#define LINK_PAIR_H

#include "pcilab/fabric/fabric.h"

#define PAIR_LOG 65536

struct pair_end {
    struct port port;
    struct pair_end *other;
    /* What arrived, in order: ids that pair_send() gave. */
    uint32_t log[PAIR_LOG];
    unsigned received;
    uint64_t received_bytes, last_ps;
    bool block[LINK_FLOWS]; /* keep what arrives, by kind */
    struct tlp_queue kept;
    unsigned errors[LINK_ERROR_COUNT];
    unsigned naks; /* PM_Active_State_Nak, not logged */
    unsigned ups, downs, hot_resets, trainings, trained, readies;
    /* Sends writes of so many bytes while the port takes them. */
    unsigned to_send, payload;
    uint32_t next_id;
};

struct link_pair {
    struct sim sim;
    struct trace trace;
    struct fabric *fabric;
    struct pair_end down, up; /* downstream-facing, upstream-facing */
    struct link_params params;
};

struct link_pair *pair_new(const struct link_params *params, unsigned speed, unsigned width);
void pair_free(struct link_pair *pair);
/* A TLP that is logged with this id where it arrives. */
struct tlp *pair_tlp(struct link_pair *pair, enum tlp_type type, unsigned payload_dw, uint32_t id);
void pair_send(struct pair_end *end, enum tlp_type type, unsigned payload_dw);
void pair_source(struct pair_end *end, unsigned count, unsigned payload_bytes);
/* Lets go of what a blocked end keeps. */
void pair_unblock(struct pair_end *end);
void pair_run(struct link_pair *pair, uint64_t ps);

#endif
