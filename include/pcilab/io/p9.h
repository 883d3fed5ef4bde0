/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file server that speaks 9P2000.L: request bytes in, reply bytes out. It knows no transport;
 * all calls are synchronous and the server keeps no thread.
 *
 * A server exports one directory of the host, read-only or not, and directories below it that may
 * be written although it is read-only. The client cannot name, reach or open anything else: every
 * component is opened on its own, below the directory that it was found in, without following
 * links (openat2), and no host path is ever put together. Links are the client's to resolve.
 *
 * Formats and numbers: 9P2000.L as Linux 6.12 speaks it (include/net/9p/9p.h, net/9p/protocol.c)
 * and as diod's protocol.md describes it; version, attach, walk and so on from 9P2000 (Plan 9
 * manual, section 5). docs/host-files.md says what a guest sees.
 */
#ifndef PCILAB_IO_P9_H
#define PCILAB_IO_P9_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Largest message in either direction. Linux's virtio transport does not ask for more than 500
 * KiB (net/9p/trans_virtio.c: 125 pages). */
#define P9_MSIZE_MAX (512u << 10)

struct p9_server;

struct p9_config {
    const char *path; /* directory of the host */
    bool writable;    /* all of it */
    /* Directories that may be written, as host paths; they show where they lie below `path`. NULL
     * terminated; NULL: none. */
    const char *const *rw;
};

/* Opens the directories. Raises the process's soft limit of open files as far as it needs. */
struct p9_server *p9_server_new(const struct p9_config *config, GError **error);
void p9_server_free(struct p9_server *server);
/* Forgets the connection: all fids and open files. */
void p9_server_reset(struct p9_server *server);
/* Answers one message. Returns the length of the reply, at most `capacity`; 0 when the request is
 * too short to be answered or the reply does not fit: the transport then has nothing to send. */
uint32_t p9_server_handle(struct p9_server *server, const uint8_t *request, uint32_t len,
                          uint8_t *reply, uint32_t capacity);
/* The negative errno of the first write that the host refused (a full disk, say); 0: all were done.
 * The client has been told, but may have nobody left to tell. */
int p9_server_host_error(const struct p9_server *server);

#endif
