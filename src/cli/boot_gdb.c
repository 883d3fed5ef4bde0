/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The debugger's server, as the loop of a boot sees it. */
#include "boot_gdb.h"

#include <string.h>

#include "cli.h"

#define HOLD_MS 20 /* between looks at the terminal while the machine stands still */

static char *inspect(void *opaque, struct machine *machine, const char *words)
{
    const struct boot_gdb *gdb = opaque;

    return gdb->query(machine, words);
}

bool boot_gdb_start(struct boot_gdb *gdb, struct machine *machine, const char *text)
{
    bool nowait = g_str_has_suffix(text, ",nowait");
    char *address = g_strndup(text, strlen(text) - (nowait ? strlen(",nowait") : 0));
    GError *error = NULL;

    struct gdb_ops ops = {.inspect = gdb->query ? inspect : NULL, .opaque = gdb};
    gdb->server = gdb_server_new(machine, address, &ops, &error);
    g_free(address);
    if (!gdb->server) {
        cli_error("--gdb %s", error->message);
        g_error_free(error);
        return false;
    }
    gdb->waits = !nowait;
    fprintf(stderr, "pcilab: %s for a debugger: gdb vmlinux -ex 'target remote %s'\n",
            nowait ? "listens" : "waits", gdb_server_address(gdb->server));
    return true;
}

void boot_gdb_clear(struct boot_gdb *gdb)
{
    g_clear_pointer(&gdb->server, gdb_server_free);
}

void boot_gdb_slice(struct boot_gdb *gdb)
{
    gdb_after_run(gdb_server_session(gdb->server));
    gdb_server_serve(gdb->server, 0);
}

bool boot_gdb_holds(struct boot_gdb *gdb)
{
    struct gdb *session = gdb_server_session(gdb->server);

    if (!gdb_killed(session) && (gdb->waits || !gdb_runs(session))) {
        gdb_server_serve(gdb->server, HOLD_MS);
        gdb->waits = gdb->waits && !gdb_server_is_connected(gdb->server);
    }
    return !gdb_killed(session) && (gdb->waits || !gdb_runs(session));
}

bool boot_gdb_killed(const struct boot_gdb *gdb)
{
    return gdb_killed(gdb_server_session(gdb->server));
}

void boot_gdb_end(struct boot_gdb *gdb, int status)
{
    gdb_ended(gdb_server_session(gdb->server), status);
}
