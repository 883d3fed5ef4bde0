/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One continuation, asked for at a fork server. */
#ifndef PCILAB_CLI_FORK_CLIENT_H
#define PCILAB_CLI_FORK_CLIENT_H

#include "fork_wire.h"

struct fork_request {
    const char *path;
    struct fork_message go;
    int fds[FORK_FDS_MAX]; /* those that go's flags need */
    bool passes_signals;   /* SIGINT, SIGTERM, SIGHUP and SIGUSR1 are the continuation's */
};

/* Waits for its end; the exit status. `result` is what it told; its verb is
 * FORK_END if nothing, and the status is then that of a signal or of an error here.
 * A terminal on fds[FORK_FD_IN] is left as it was. Reports errors itself. */
int fork_client_run(const struct fork_request *request, struct fork_message *result);
/* Ends the server with all its continuations, and returns when they are gone. */
int fork_client_stop(const char *path);

#endif
