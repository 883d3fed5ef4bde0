/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that stays at a checkpoint and continues as often as clients ask for it. */
#ifndef PCILAB_CLI_FORK_SERVER_H
#define PCILAB_CLI_FORK_SERVER_H

#include "fork_wire.h"

struct fork_server_config {
    const char *path;
    int listen_fd; /* of fork_socket_listen(); becomes the server's */
    struct fork_message hello;
    /* In the child, whose standard streams are the client's: continues; the exit status. `fds`
     * are the child's to close. `result` may get its digest, virtual time and flags. */
    int (*run)(void *opaque, const struct fork_message *go, const int fds[FORK_FDS_MAX],
               struct fork_message *result);
    /* Before a client that said STOP is told END: lets go of what others may want, such as locks of
     * files. No continuation is left then. May be NULL. */
    void (*release)(void *opaque);
    void *opaque;
};

/* Until a client says STOP, a signal says so (SIGTERM, SIGINT, SIGHUP), or the socket's name is no
 * longer there. No continuation outlives it. The process should have /dev/null for its standard
 * streams, and no other children. */
void fork_server_serve(const struct fork_server_config *config);

#endif
