/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A debugger's session over gdb's remote serial protocol (gdb manual, appendix E), and the socket
 * it comes through. All processors are threads, 1 is processor 0; when one stops, all do.
 *
 * The caller runs the machine as long as gdb_runs(), in slices, and between them hands over what
 * the debugger sent. Nothing here changes what the guest sees, except registers and memory that the
 * debugger writes.
 *
 * Ownership: a session is freed before its machine.
 */
#ifndef PCILAB_GDB_GDB_H
#define PCILAB_GDB_GDB_H

#include <glib.h>

#include "pcilab/platform/machine.h"

/* Packets from the debugger are at most this long, its escapes included. */
#define GDB_PACKET_BYTES 16384

struct gdb;

struct gdb_ops {
    /* Bytes for the debugger. */
    void (*send)(void *opaque, const char *bytes, size_t len);
    /* What "monitor inspect WORDS" says, an error too; g_free() it. May be NULL. */
    char *(*inspect)(void *opaque, struct machine *machine, const char *words);
    /* What "monitor history" says; g_free() it. May be NULL. */
    char *(*history)(void *opaque);
    /* The caller can go back (pcilab/gdb/past.h). */
    bool reverse;
    void *opaque;
};

/* Nobody is connected, and the machine runs. */
struct gdb *gdb_new(struct machine *machine, const struct gdb_ops *ops);
void gdb_free(struct gdb *gdb);

/* Somebody connects, the machine stops; is gone: all breaks are, and the machine runs. */
void gdb_connected(struct gdb *gdb);
void gdb_gone(struct gdb *gdb);
/* While the machine does not run. Any bytes. */
void gdb_input(struct gdb *gdb, const uint8_t *bytes, size_t len);
/* After each machine_run(): tells the debugger if it came to one of its stops. */
void gdb_after_run(struct gdb *gdb);
/* The guest is no more; `status` is the exit status of the program. */
void gdb_ended(struct gdb *gdb, int status);

bool gdb_runs(const struct gdb *gdb);
/* The debugger wants an end ("kill"); has told another process so. */
bool gdb_killed(const struct gdb *gdb);
void gdb_kill(struct gdb *gdb);
/* It has gone by itself ("detach"): its connection is to be closed. */
bool gdb_detached(const struct gdb *gdb);

/* One debugger at a time at a TCP port. address: "PORT", "HOST:PORT" or "[HOST]:PORT"; without a
 * host only this machine reaches it. */
struct gdb_server;
struct gdb_server *gdb_server_new(struct machine *machine, const char *address,
                                  const struct gdb_ops *ops, GError **error);
void gdb_server_free(struct gdb_server *server);
/* "127.0.0.1:1234": where it listens (port 0 asks for any that is free). */
const char *gdb_server_address(const struct gdb_server *server);
struct gdb *gdb_server_session(struct gdb_server *server);
bool gdb_server_is_connected(const struct gdb_server *server);
/* Whether Ctrl-C has come, or the debugger is gone; takes nothing else. */
bool gdb_server_interrupted(const struct gdb_server *server);
/* Another process had the debugger, which is gone. */
void gdb_server_drop(struct gdb_server *server);
/* Takes what has come, waiting for it up to so long. */
void gdb_server_serve(struct gdb_server *server, int timeout_ms);

#endif
