/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine that does what a list of steps says, for tests of those who run machines. */
#ifndef FAKE_MACHINE_H
#define FAKE_MACHINE_H

#include "pcilab/platform/machine.h"

enum fake_what {
    FAKE_SAY,     /* `text` on the console */
    FAKE_ASK,     /* the UART listens for one line, and does nothing else until it is there */
    FAKE_STOP,    /* machine_run() returns `stop` */
    FAKE_CALL,    /* call(): something happens outside */
    FAKE_FOREVER, /* idle with nothing pending */
};

struct fake_step {
    uint64_t after_ps; /* since the step before */
    enum fake_what what;
    const char *text;
    enum machine_stop stop;
    void (*call)(void);
};

struct machine {
    struct sim sim;
    const struct fake_step *steps;
    unsigned next;
    uint64_t next_ps;
    bool busy; /* never idle */

    struct machine_console console;
    GString *heard;  /* "TIME:BYTE " of all input */
    bool asking;     /* an ASK has begun */
    bool line_taken; /* and got its line */
    unsigned restarts, loads;
    bool load_fails;
    unsigned slices;
    bool paused;
    unsigned nmis, breaks;
    GString *typed; /* that nobody took yet */
    bool network;
    int net_fd; /* a connection of it that is open; 0: none */
};

void fake_machine_init(struct machine *machine, const struct fake_step *steps,
                       const struct machine_console *console);
void fake_machine_clear(struct machine *machine);

#endif
