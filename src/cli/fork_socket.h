/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Unix socket of a fork server, from both sides. All report errors themselves. */
#ifndef PCILAB_CLI_FORK_SOCKET_H
#define PCILAB_CLI_FORK_SOCKET_H

#include <stdbool.h>

#include "fork_wire.h"

/* Whether a server could be at `path`: nothing is there, or a socket of ours that nobody serves. */
bool fork_socket_check(const char *path);
/* A listening socket at `path`, for its owner only; -1. */
int fork_socket_listen(const char *path);
/* True when the other end is a process of the same user. */
bool fork_socket_is_mine(int fd);
/* Connects and takes the server's HELLO; -1. */
int fork_socket_connect(const char *path, struct fork_message *hello);

#endif
