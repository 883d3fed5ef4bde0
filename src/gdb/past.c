/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Going back: what a session takes along to a process of the past, and the way there. */
#include <string.h>

#include "session.h"

/* ---- Wishes ---- */

enum gdb_back gdb_wants_back(const struct gdb *gdb)
{
    return gdb->back;
}

unsigned gdb_back_thread(const struct gdb *gdb)
{
    return gdb->resume_thread;
}

void gdb_back_ends(struct gdb *gdb, const char *why)
{
    gdb->back = GDB_BACK_NOT;
    if (why) {
        gdb_say(gdb, why);
    }
    gdb_send_stop(gdb, GDB_SIGNAL_TRAP, gdb->thread, "replaylog:begin;");
}

void gdb_back_interrupted(struct gdb *gdb)
{
    gdb->back = GDB_BACK_NOT;
    gdb_send_stop(gdb, GDB_SIGNAL_INT, gdb->thread, "");
}

void gdb_reached_present(struct gdb *gdb)
{
    gdb->back = GDB_BACK_NOT;
    gdb_send_stop(gdb, GDB_SIGNAL_TRAP, gdb->thread, "replaylog:end;");
}

bool gdb_take_changed(struct gdb *gdb)
{
    bool changed = gdb->changed;

    gdb->changed = false;
    return changed;
}

/* ---- From process to process ---- */

/* Then the breaks: "NUMBER KIND HITS WORD...\n". Their words have no blanks. */
struct saved {
    struct cpu_stop stops[CPU_STOPS_MAX];
    uint32_t stop_count;
    uint32_t thread, break_last;
    bool physical, acks;
};

GByteArray *gdb_save(struct gdb *gdb)
{
    struct saved saved = {.thread = gdb->thread,
                          .break_last = gdb->break_last,
                          .physical = gdb->physical,
                          .acks = gdb->acks};
    GByteArray *bytes = g_byte_array_new();

    saved.stop_count = cpu_group_stops_get(machine_debug_group(gdb->machine), saved.stops);
    g_byte_array_append(bytes, (const uint8_t *)&saved, sizeof(saved));
    for (unsigned i = 0; i < gdb->break_count; i++) {
        const struct gdb_break *b = &gdb->breaks[i];
        char *words = g_strjoinv(" ", b->words);
        char *line = g_strdup_printf("%u %u %" G_GUINT64_FORMAT "%s%s\n", b->number, b->kind,
                                     b->hits, words[0] ? " " : "", words);
        g_byte_array_append(bytes, (const uint8_t *)line, (guint)strlen(line));
        g_free(line);
        g_free(words);
    }
    return bytes;
}

static bool load_break(struct gdb *gdb, const char *line)
{
    char **words = g_strsplit(line, " ", -1);
    uint64_t number, kind, hits;
    bool ok = g_strv_length(words) >= 3 && gdb->break_count < GDB_BREAKS_MAX &&
              g_ascii_string_to_unsigned(words[0], 10, 0, UINT_MAX, &number, NULL) &&
              g_ascii_string_to_unsigned(words[1], 10, 0, TRACE_KIND_COUNT - 1, &kind, NULL) &&
              g_ascii_string_to_unsigned(words[2], 10, 0, UINT64_MAX, &hits, NULL);

    if (ok) {
        gdb->breaks[gdb->break_count++] = (struct gdb_break){.number = (unsigned)number,
                                                             .kind = (enum trace_kind)kind,
                                                             .words = g_strdupv(words + 3),
                                                             .hits = hits};
    }
    g_strfreev(words);
    return ok;
}

static void load_stops(struct gdb *gdb, const struct saved *saved)
{
    struct cpu_group *group = machine_debug_group(gdb->machine);

    cpu_group_stops_clear(group);
    for (unsigned i = 0; i < saved->stop_count; i++) {
        (void)cpu_group_stop_add(group, &saved->stops[i]);
    }
}

bool gdb_load(struct gdb *gdb, const uint8_t *bytes, size_t len)
{
    struct saved saved;
    bool ok = true;

    if (len < sizeof(saved)) {
        return false;
    }
    memcpy(&saved, bytes, sizeof(saved));
    if (saved.stop_count > CPU_STOPS_MAX || saved.thread >= machine_debug_cpus(gdb->machine)) {
        return false;
    }
    load_stops(gdb, &saved);
    gdb->thread = gdb->resume_thread = saved.thread;
    gdb->physical = saved.physical;
    gdb->acks = saved.acks;
    gdb_breaks_clear(gdb);
    gdb->break_last = saved.break_last;
    char *text = g_strndup((const char *)bytes + sizeof(saved), len - sizeof(saved));
    char **lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; ok && *line && **line; line++) {
        ok = load_break(gdb, *line);
    }
    gdb_breaks_listen(gdb);
    g_strfreev(lines);
    g_free(text);
    return ok;
}

/* ---- On the way ---- */

enum gdb_travel gdb_travels(const struct gdb *gdb)
{
    return gdb->travel;
}

const struct gdb_met *gdb_met(const struct gdb *gdb)
{
    return &gdb->met;
}

static bool steps(const struct gdb *gdb)
{
    return gdb->journey.how == GDB_BACK_STEP;
}

static bool is_data(const struct cpu_stop *stop)
{
    return stop->kind == CPU_STOP_WRITE || stop->kind == CPU_STOP_READ ||
           stop->kind == CPU_STOP_ACCESS;
}

/* The stops that the debugger has set are none of a step's. */
static void arrive(struct gdb *gdb)
{
    const struct gdb_journey *j = &gdb->journey;

    if (gdb->kept_stops) {
        struct saved saved;
        memcpy(&saved, gdb->kept_stops->data, sizeof(saved));
        load_stops(gdb, &saved);
        g_clear_pointer(&gdb->kept_stops, g_byte_array_unref);
    }
    gdb_breaks_listen(gdb);
    gdb->travel = GDB_ARRIVED;
    if (j->begin) {
        gdb_send_stop(gdb, GDB_SIGNAL_TRAP, j->thread, "replaylog:begin;");
        return;
    }
    if (gdb->event->len) {
        gdb_say_event(gdb);
    }
    int index = machine_debug_stopped(gdb->machine);
    unsigned thread = index >= 0 ? (unsigned)index : j->thread;
    char *reason = gdb_stop_reason(&j->tell);
    gdb_send_stop(gdb, GDB_SIGNAL_TRAP, thread, reason);
    g_free(reason);
}

static void step_on(struct gdb *gdb)
{
    const struct gdb_journey *j = &gdb->journey;

    gdb->steps_begun = steps(gdb) && machine_sim(gdb->machine)->now_ps >= j->from_ps;
    machine_debug_resume(gdb->machine, gdb->steps_begun ? (int)j->thread : -1);
}

void gdb_travel(struct gdb *gdb, const struct gdb_journey *journey)
{
    const struct machine_place here = machine_debug_place(gdb->machine);

    gdb->journey = *journey;
    gdb->met = (struct gdb_met){.at = here, .thread = journey->thread};
    gdb->travel = GDB_UNDERWAY;
    gdb->back = GDB_BACK_NOT;
    gdb->runs = true;
    g_string_truncate(gdb->event, 0);
    if (journey->stop == 0) {
        machine_debug_resume(gdb->machine, -1);
        arrive(gdb);
        return;
    }
    if (steps(gdb)) {
        gdb->kept_stops = gdb_save(gdb);
        cpu_group_stops_clear(machine_debug_group(gdb->machine));
        gdb_breaks_mute(gdb);
    }
    step_on(gdb);
    for (unsigned i = 0; i < machine_debug_cpus(gdb->machine); i++) {
        cpu_stop_again(machine_debug_cpu(gdb->machine, i));
    }
    gdb->met.start = gdb->steps_begun && machine_place_compare(&here, &journey->bound) < 0 &&
                     cpu_at_boundary(machine_debug_cpu(gdb->machine, journey->thread));
}

/* At a stop: true when it is one that counts. */
static bool meet(struct gdb *gdb, const struct machine_place *here, int index, int compared)
{
    struct cpu_stop stop = {0};

    if (index >= 0) {
        stop = cpu_stopped(machine_debug_cpu(gdb->machine, (unsigned)index));
    }
    if (compared > 0 || (compared == 0 && (steps(gdb) || !is_data(&stop)))) {
        return false;
    }
    gdb->met.stops++;
    gdb->met.start = false;
    gdb->met.stop = stop;
    gdb->met.at = *here;
    gdb->met.thread = index >= 0 ? (unsigned)index : gdb->journey.thread;
    return true;
}

void gdb_travel_after_run(struct gdb *gdb)
{
    const struct gdb_journey *j = &gdb->journey;
    const struct machine_place here = machine_debug_place(gdb->machine);
    int index = machine_debug_stopped(gdb->machine);
    int compared = machine_place_compare(&here, &j->bound);
    bool stopped = index >= 0 || gdb->event->len;

    if (stopped && meet(gdb, &here, index, compared) && gdb->met.stops == j->stop) {
        arrive(gdb);
        return;
    }
    if (compared > 0 || (compared == 0 && !stopped)) {
        gdb->travel = j->stop == GDB_COUNT_ONLY ? GDB_COUNTED : GDB_LOST;
        return;
    }
    g_string_truncate(gdb->event, 0);
    if (stopped || (steps(gdb) && !gdb->steps_begun)) {
        step_on(gdb);
    }
}

uint64_t gdb_travel_slice_ps(const struct gdb *gdb, uint64_t slice_ps)
{
    uint64_t now_ps = machine_sim(gdb->machine)->now_ps, until_ps;

    if (gdb->travel == GDB_AT_HOME) {
        return slice_ps;
    }
    until_ps = gdb->travel == GDB_UNDERWAY ? gdb->journey.bound.at_ps : gdb->journey.present.at_ps;
    if (gdb->travel == GDB_UNDERWAY && steps(gdb) && !gdb->steps_begun) {
        until_ps = MIN(until_ps, gdb->journey.from_ps);
    }
    /* Behind it is at most the rest of a turn. */
    return until_ps > now_ps ? MIN(slice_ps, until_ps - now_ps) : 1;
}
