/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest of a scenario: a kernel, the agent of `pcilab boot -- COMMAND` and a shell that waits
 * for lines. What such functions do is in struct scenario_host.
 */
#ifndef PCILAB_CLI_RUN_GUEST_H
#define PCILAB_CLI_RUN_GUEST_H

#include "run.h"

struct run_guest;

struct run_guest *run_guest_new(const struct run_options *options);
/* The machine is gone. */
void run_guest_free(struct run_guest *guest);
bool run_guest_prepare(struct run_guest *guest, struct machine_desc *desc,
                       const struct scenario_guest *wanted, struct machine_options *options,
                       GError **error);
/* `overdue` is asked now and then. */
bool run_guest_boot(struct run_guest *guest, struct machine *machine, bool (*overdue)(void *),
                    void *opaque, GError **error);
/* For a machine that somebody else makes and runs: before and after it is made, with `options` of
 * run_guest_new() NULL. Commands wait until the guest takes them. */
struct command;
void run_guest_take_ports(struct run_guest *guest, struct command *command);
void run_guest_join(struct run_guest *guest, struct machine *machine,
                    const struct command *command);
void run_guest_command(struct run_guest *guest, struct scenario *scenario, const char *text);
const char *run_guest_console(struct run_guest *guest, size_t *len);

#endif
