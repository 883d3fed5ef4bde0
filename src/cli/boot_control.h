/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab boot --control: the socket's calls, and the run that they hold, step and end. */
#ifndef PCILAB_CLI_BOOT_CONTROL_H
#define PCILAB_CLI_BOOT_CONTROL_H

#include "boot.h"

struct boot_control;
struct run_guest; /* run_guest.h */

/* For the loop of the run. */
struct boot_control_ops {
    /* A byte of the guest's console. */
    void (*byte)(struct boot_control *c, uint8_t byte);
    /* True while the machine is not to run. */
    bool (*stands)(const struct boot_control *c);
    uint64_t (*slice_ps)(const struct boot_control *c, uint64_t slice_ps);
    /* After each slice. True: the run is to end. */
    bool (*slice)(struct boot_control *c);
    /* What clients want; and their struct pollfd. */
    void (*serve)(struct boot_control *c);
    void (*fill)(const struct boot_control *c, GArray *fds);
    /* Somebody may still ask for something. */
    bool (*listens)(const struct boot_control *c);
};

/* Puts itself into the run. `path`: NULL: nobody listens, and orders come from a recording.
 * `guest`: takes commands; NULL: it takes none. Reports errors itself. */
bool boot_control_start(struct boot_run *run, const char *path, struct run_guest *guest);
/* Before and after the machine goes. */
void boot_control_stop(struct boot_run *run);
void boot_control_free(struct boot_run *run);

#endif
