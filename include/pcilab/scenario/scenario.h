/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenarios: Lua programs that act on a machine in virtual time and say what they expect of it.
 * docs/scenarios.md lists the words that they have, docs/scenarios-howto.md teaches them.
 *
 * A scenario runs in a box: no files, no processes, no clock but the machine's, limited memory and
 * instructions; `pairs` goes in order and randomness comes from the seed, so that the same
 * scenario, seed and machine do the same.
 */
#ifndef PCILAB_SCENARIO_SCENARIO_H
#define PCILAB_SCENARIO_SCENARIO_H

#include <glib.h>

#include "pcilab/platform/machine.h"

struct scenario;

/* What machine{} asks for beside a topology, for machines with a guest. The strings are the
 * scenario's and last as long as it. */
struct scenario_guest {
    bool wanted;
    const char *append; /* more words for the kernel's command line, or NULL */
};

/* What whoever runs scenarios has to give. */
struct scenario_host {
    /* The description of this name or path; reports through `error`. */
    struct machine_desc *(*topology)(void *opaque, const char *name, GError **error);
    /* Guests: adds to the description and the options what a guest needs. NULL: no guests here. */
    bool (*prepare)(void *opaque, struct machine_desc *desc, const struct scenario_guest *guest,
                    struct machine_options *options, GError **error);
    /* Then runs the guest up to where it takes commands. */
    bool (*boot)(void *opaque, struct machine *machine, GError **error);
    /* Starts a shell command in the guest; scenario_command_done() comes later. */
    void (*command)(void *opaque, struct scenario *scenario, const char *text);
    /* What the guest's kernel has said so far. */
    const char *(*console)(void *opaque, size_t *len);
    /* The machine is made and stands at its start. False: this process is done with it. May change
     * the seed. NULL: go on. */
    bool (*ready)(void *opaque, uint64_t *seed);
    /* A machine is made, from this description, which stays as long as it; and it goes. Both may
     * be NULL. */
    void (*made)(void *opaque, struct machine *machine, const struct machine_desc *desc);
    void (*over)(void *opaque, struct machine *machine);
    /* True when the wall clock says that it took too long. May be NULL. */
    bool (*overdue)(void *opaque);
    void *opaque;
};

struct scenario_params {
    const char *name; /* for messages: the path */
    const char *text;
    size_t len;
    uint64_t seed;
    bool broken;           /* what broken() is: the scenario does what it must find wrong */
    uint64_t limit_ps;     /* of virtual time, from the start of the scenario; 0: the default */
    uint64_t instructions; /* of Lua; 0: the default */
    size_t memory_bytes;   /* of Lua; 0: the default */
    bool digest;
    const struct scenario_host *host;
};

enum scenario_result {
    SCENARIO_PASSED,
    SCENARIO_FAILED, /* an expectation, or a limit of time */
    SCENARIO_BAD,    /* the scenario is wrong: `message` has file and line */
    SCENARIO_LEFT,   /* ready() said so */
};

struct scenario_report {
    enum scenario_result result;
    char *message;       /* of what went wrong; NULL when passed */
    char *events;        /* the last ones before it, a line each; NULL when passed */
    GPtrArray *checks;   /* char *: expectations that held */
    GPtrArray *said;     /* char *: what it printed */
    uint64_t virtual_ps; /* that it took */
    char digest[65];     /* empty: none asked for, or no machine */
};

/* The first two lines of a scenario are comments: what it is for, and what clause it rests on.
 * NULL where they are missing; g_free() both. */
void scenario_header(const char *text, size_t len, char **purpose, char **clause);

/* Runs it to its end. */
void scenario_run(const struct scenario_params *params, struct scenario_report *report);
void scenario_report_clear(struct scenario_report *report);

/* For the host, from callbacks of the machine: the command is over. */
void scenario_command_done(struct scenario *scenario, unsigned status, const char *output,
                           size_t len);

#endif
