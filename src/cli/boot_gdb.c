/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The debugger's server, as the loop of a boot sees it. */
#include "boot_gdb.h"

#include <string.h>

#include "boot.h"

#define HOLD_MS 20 /* between looks at the terminal while the machine stands still */

static char *inspect(void *opaque, struct machine *machine, const char *words)
{
    const struct boot_gdb *gdb = opaque;

    return gdb->query(machine, words);
}

static char *history(void *opaque)
{
    const struct boot_gdb *gdb = opaque;

    if (gdb->past) {
        return boot_past_describe(gdb->past);
    }
    return g_strdup_printf("there is no way back: %s\n",
                           gdb->no_past ? gdb->no_past : "pcilab boot has one");
}

bool boot_gdb_start(struct boot_gdb *gdb, struct machine *machine, const char *text)
{
    bool nowait = g_str_has_suffix(text, ",nowait");
    char *address = g_strndup(text, strlen(text) - (nowait ? strlen(",nowait") : 0));
    GError *error = NULL;

    struct gdb_ops ops = {.inspect = gdb->query ? inspect : NULL,
                          .history = history,
                          .reverse = gdb->past != NULL,
                          .opaque = gdb};
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
    g_clear_pointer(&gdb->past, boot_past_free);
    g_clear_pointer(&gdb->server, gdb_server_free);
}

static bool is_here(const struct boot_gdb *gdb)
{
    return gdb_travels(gdb_server_session(gdb->server)) != GDB_AT_HOME;
}

bool boot_gdb_leaves(struct boot_gdb *gdb, struct boot_run *run)
{
    if (!gdb->past || run->past_here) {
        return false;
    }
    boot_past_keep(gdb->past, run);
    if (run->past_here) {
        boot_past_report(gdb->past, gdb->server);
    }
    return run->past_here;
}

uint64_t boot_gdb_slice_ps(const struct boot_gdb *gdb, uint64_t slice_ps)
{
    return gdb_travel_slice_ps(gdb_server_session(gdb->server), slice_ps);
}

void boot_gdb_restarts(struct boot_gdb *gdb)
{
    if (gdb->past) {
        boot_past_clear(gdb->past);
    }
}

void boot_gdb_past_ends(struct boot_gdb *gdb)
{
    boot_past_end(gdb->past, gdb->server);
}

static void serve_past(struct boot_gdb *gdb, int timeout_ms)
{
    boot_past_report(gdb->past, gdb->server);
    if (gdb_travels(gdb_server_session(gdb->server)) == GDB_ARRIVED) {
        gdb_server_serve(gdb->server, timeout_ms);
        boot_past_report(gdb->past, gdb->server);
    }
}

void boot_gdb_slice(struct boot_gdb *gdb)
{
    gdb_after_run(gdb_server_session(gdb->server));
    if (is_here(gdb)) {
        serve_past(gdb, 0);
    } else {
        gdb_server_serve(gdb->server, 0);
    }
}

static void serve_present(struct boot_gdb *gdb)
{
    struct gdb *session = gdb_server_session(gdb->server);

    if (gdb->past && boot_past_is_away(gdb->past)) {
        boot_past_wait(gdb->past, gdb->server, HOLD_MS);
    } else if (gdb->past && gdb_wants_back(session) != GDB_BACK_NOT) {
        boot_past_go(gdb->past, gdb->server);
    } else {
        gdb_server_serve(gdb->server, HOLD_MS);
        gdb->waits = gdb->waits && !gdb_server_is_connected(gdb->server);
    }
}

bool boot_gdb_holds(struct boot_gdb *gdb)
{
    struct gdb *session = gdb_server_session(gdb->server);

    if (!gdb_killed(session) && (gdb->waits || !gdb_runs(session))) {
        if (is_here(gdb)) {
            serve_past(gdb, HOLD_MS);
        } else {
            serve_present(gdb);
        }
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
