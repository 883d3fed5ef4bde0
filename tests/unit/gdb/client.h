/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The debugger's end of a session, and a machine without a kernel: two processors, the first in
 * 32-bit mode at CLIENT_CODE before a program that counts EAX up to 5, storing it at CLIENT_DATA.
 */
#ifndef TESTS_UNIT_GDB_CLIENT_H
#define TESTS_UNIT_GDB_CLIENT_H

#include <glib.h>

#include "pcilab/gdb/gdb.h"

#define CLIENT_CODE  0x100000u
#define CLIENT_INC   5u /* offsets of instructions */
#define CLIENT_STORE 6u
#define CLIENT_CMP   11u
#define CLIENT_HALT  18u
#define CLIENT_DATA  0x200000u
#define CLIENT_RAM   (8u << 20)

struct client {
    struct machine *machine;
    struct gdb *gdb;
    GString *raw; /* all that came since client_clear() */
};

struct client *client_new(void);
void client_free(struct client *client);
void client_clear(struct client *client);
void client_bytes(struct client *client, const void *bytes, size_t len);
/* One packet; the frame is put around it. */
void client_packet(struct client *client, const char *payload);
/* The machine runs while the debugger lets it, for so long at most. */
void client_run(struct client *client, uint64_t max_ps);
/* The payload of the last packet that came, "" if none did; g_free() it. */
char *client_last(const struct client *client);
/* What "monitor" packets said, one after another; g_free() it. */
char *client_said(const struct client *client);

#endif
