/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes from a debugger, as they are and in frames whose sums are right, to a machine with a
 * small program, which runs when it is let.
 */
#include <string.h>

#include "client.h"
#include "pcilab/gdb/past.h"

#define RUN_PS    (20 * PS_PER_US)
#define REPLY_MAX (1u << 22)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(struct client *client, const uint8_t *data, size_t size)
{
    while (size > 0 && !gdb_detached(client->gdb)) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end ? (size_t)(end - data) : size;
        char *payload = g_strndup((const char *)data, len);
        client_packet(client, payload);
        g_free(payload);
        client_run(client, RUN_PS);
        if (gdb_wants_back(client->gdb) != GDB_BACK_NOT) {
            gdb_back_ends(client->gdb, "nothing is there\n");
        }
        if (gdb_runs(client->gdb)) {
            client_bytes(client, "\x03", 1);
        }
        g_assert(client->raw->len < REPLY_MAX);
        data += len + (end != NULL);
        size -= len + (end != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct client *client = client_new();

    if (size > 0 && data[0] == 'R') {
        client_bytes(client, data + 1, size - 1);
        client_run(client, RUN_PS);
    } else {
        feed(client, data, size);
    }
    if (gdb_detached(client->gdb)) {
        gdb_gone(client->gdb);
    }
    client_run(client, RUN_PS);
    client_free(client);
    return 0;
}
