/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recordings of runs. Marks between the inputs say how many instructions had retired: a replay that
 * does not come by them is not the same run, and says so.
 */
#include "boot_record.h"

#include <string.h>

#include "cli.h"
#include "pcilab/config/units.h"

/* CHOICE: a mark at least so often by the wall clock, and after each slice with an input. */
#define MARK_US 100000

static void keep(void *opaque, const struct sim_input_entry *entry)
{
    struct boot_record *r = opaque;

    record_keep(r->writer, entry);
    r->kept = true;
}

static bool next(void *opaque, enum sim_input_kind kind, struct sim_input_entry *entry)
{
    const struct boot_record *r = opaque;

    return record_next(r->record, kind, entry);
}

bool boot_record_open(struct boot_record *r, const char *record, const char *replay)
{
    GError *error = NULL;

    r->path = record ? record : replay;
    if (!replay) {
        return true;
    }
    r->record = record_open(replay, &error);
    if (!r->record) {
        cli_error("--replay %s", error->message);
        g_error_free(error);
        return false;
    }
    r->has_next = record_next_mark(r->record, &r->next);
    if (!r->has_next) {
        cli_error("--replay %s: cut before anything was recorded", replay);
        return false;
    }
    r->log = (struct sim_input_log){.next = next, .opaque = r};
    return true;
}

bool boot_record_start(struct boot_record *r, char *identity)
{
    GError *error = NULL;
    bool ok = identity != NULL;

    if (ok && r->record) {
        ok = boot_identity_check(r->path, record_description(r->record), identity);
    } else if (ok) {
        r->writer = record_create(r->path, identity, &error);
        r->log = (struct sim_input_log){.keep = keep, .opaque = r};
        ok = r->writer != NULL;
    }
    if (error) {
        cli_error("--record %s", error->message);
        g_error_free(error);
    }
    g_free(identity);
    return ok;
}

bool boot_record_check(const struct boot_record *r, const struct machine *machine)
{
    const char *const *names = r->record ? record_sources(r->record) : NULL;

    for (; names && *names; names++) {
        if (!machine_knows_input(machine, *names)) {
            cli_error("--replay %s: damaged: there is no \"%s\" in this machine", r->path, *names);
            return false;
        }
    }
    return true;
}

int boot_record_close(struct boot_record *r, int status)
{
    int error = record_writer_free(r->writer);

    if (r->different) {
        status = CLI_FAILED;
    }
    if (error) {
        cli_error("--record %s: not complete: %s", r->path, g_strerror(error));
        status = status ? status : CLI_FAILED;
    }
    record_free(r->record);
    r->writer = NULL;
    r->record = NULL;
    return status;
}

uint64_t boot_record_slice_ps(const struct boot_record *r, uint64_t now_ps, uint64_t slice_ps)
{
    if (!r || !r->has_next || r->next.at_ps <= now_ps) {
        return slice_ps;
    }
    return MIN(slice_ps, r->next.at_ps - now_ps);
}

static struct record_mark mark_of(struct machine *machine)
{
    return (struct record_mark){machine_sim(machine)->now_ps, machine_retired(machine), false};
}

static void say_different(struct boot_record *r, const struct record_mark *mark)
{
    char *time = units_format_time(r->next.at_ps);

    cli_error("--replay %s: not what was recorded: by %s of virtual time %" G_GUINT64_FORMAT
              " instructions have retired, in the recording %" G_GUINT64_FORMAT
              "; was it made by another pcilab?",
              r->path, time, mark->retired, r->next.retired);
    g_free(time);
    r->over = r->different = true;
}

/* Nothing more is known of what came from outside. */
static bool reach_end(struct boot_record *r)
{
    char *time = units_format_time(record_last(r->record)->mark.at_ps);

    r->over = true;
    if (record_is_cut(r->record)) {
        cli_error("--replay %s: the recording is cut: its last mark is at %s", r->path, time);
    } else {
        cli_note("the recorded run was ended at %s", time);
    }
    g_free(time);
    return false;
}

static bool replay_slice(struct boot_record *r, struct machine *machine)
{
    const struct record_mark mark = mark_of(machine);

    while (r->has_next && mark.at_ps >= r->next.at_ps) {
        const struct record_end *last = record_last(r->record);
        bool guest_ends = r->next.end && !last->from_outside;
        if (mark.at_ps > r->next.at_ps || guest_ends || mark.retired != r->next.retired) {
            say_different(r, &mark);
            return false;
        }
        r->has_next = record_next_mark(r->record, &r->next);
    }
    return r->has_next || reach_end(r);
}

int boot_record_status(const struct boot_record *r)
{
    if (r->different) {
        return CLI_FAILED;
    }
    return record_is_cut(r->record) ? CLI_LIMIT : (int)(record_last(r->record)->status & 0xff);
}

bool boot_record_slice(struct boot_record *r, struct machine *machine)
{
    const struct record_mark mark = mark_of(machine);

    if (boot_record_replays(r)) {
        return replay_slice(r, machine);
    }
    if (r && (r->kept || g_get_monotonic_time() - r->marked_us >= MARK_US)) {
        record_put_mark(r->writer, &mark);
        r->marked_us = g_get_monotonic_time();
        r->kept = false;
    }
    return true;
}

void boot_record_end(struct boot_record *r, struct machine *machine, int status, bool from_outside)
{
    const struct record_mark mark = mark_of(machine);

    if (r && r->writer) {
        record_put_end(r->writer, &(struct record_end){mark, (uint32_t)status, from_outside});
    } else if (r && !r->over && !from_outside) {
        /* The guest ends itself; so it should, then. */
        const struct record_end *last = record_last(r->record);
        r->next = last->mark;
        if (!record_is_cut(r->record) &&
            (mark.at_ps != last->mark.at_ps || mark.retired != last->mark.retired)) {
            say_different(r, &mark);
        }
    }
}
