/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which process of the past goes how far. Nothing tells where the last stop before a place is but
 * going there: a first process counts the stops on the way to the place, a second one goes to the
 * last of them. Steps of a processor are many; they are counted within a short time before the
 * place first, and then within longer ones.
 */
#include <poll.h>

#include "boot.h"
#include "boot_past.h"
#include "past.h"

#define WINDOW_PS     (40 * PS_PER_US)
#define WINDOW_FACTOR 16
#define LOOK_MS       50

enum sought { SOUGHT_FOUND, SOUGHT_NOTHING, SOUGHT_STOPPED, SOUGHT_FAILED };

struct wish {
    enum gdb_back how;
    unsigned thread;
    struct machine_place from;
};

/* Until the process that went has ended. */
static void wait_for_end(int fd)
{
    struct past_message message;
    GByteArray *state;

    do {
        if (!past_wire_receive(fd, &message, &state)) {
            return;
        }
        g_clear_pointer(&state, g_byte_array_unref);
    } while (message.verb != PAST_ENDED);
}

/* False: somebody wants to go no further. */
static bool wait_for_word(const struct gdb_server *server, int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    while (poll(&wait, 1, LOOK_MS) <= 0) {
        if (console_signal() || gdb_server_interrupted(server)) {
            return false;
        }
    }
    return true;
}

/* A process goes; its first word. */
static enum sought go(struct boot_past *past, const struct gdb_server *server,
                      const struct past_way *way, struct past_message *answer)
{
    const struct past_message order = {.verb = PAST_GO, .journey = way->journey};
    const struct past_message stop = {.verb = PAST_ENDED};
    int fd = past_point_at(past, way->point)->fd;
    GByteArray *state = NULL;

    if (!past_wire_send(fd, &order, past->state)) {
        return SOUGHT_FAILED;
    }
    if (!wait_for_word(server, fd)) {
        (void)past_wire_send(fd, &stop, NULL);
        wait_for_end(fd);
        return SOUGHT_STOPPED;
    }
    bool ok = past_wire_receive(fd, answer, &state);
    g_clear_pointer(&state, g_byte_array_unref);
    if (ok && answer->verb == PAST_ARRIVED) {
        return SOUGHT_FOUND;
    }
    if (ok && answer->verb != PAST_ENDED) {
        wait_for_end(fd);
    }
    return ok && answer->verb == PAST_COUNTED ? SOUGHT_FOUND : SOUGHT_FAILED;
}

/* Index of the last point before a place, or -1. */
static int last_before(const struct boot_past *past, const struct machine_place *place)
{
    int i = (int)past->points->len - 1;

    while (i >= 0 && machine_place_compare(&past_point_at(past, (unsigned)i)->at, place) >= 0) {
        i--;
    }
    return i;
}

/* Steps between a point and the place; *way: to the last one. */
static enum sought seek_step_from(struct boot_past *past, const struct gdb_server *server,
                                  struct past_way *way)
{
    const struct past_point *point = past_point_at(past, way->point);
    struct gdb_journey *j = &way->journey;
    struct past_message answer;

    for (uint64_t window_ps = WINDOW_PS;; window_ps *= WINDOW_FACTOR) {
        bool whole = j->bound.at_ps < point->at.at_ps + window_ps;
        j->from_ps = whole ? 0 : j->bound.at_ps - window_ps;
        j->stop = GDB_COUNT_ONLY;
        enum sought sought = go(past, server, way, &answer);
        if (sought != SOUGHT_FOUND) {
            return sought;
        }
        j->stop = answer.met.stops;
        if (answer.met.stops || answer.met.start) {
            return SOUGHT_FOUND;
        }
        if (whole) {
            return SOUGHT_NOTHING;
        }
    }
}

static enum sought seek_step(struct boot_past *past, const struct gdb_server *server,
                             struct past_way *way)
{
    for (int i = last_before(past, &way->journey.bound); i >= 0; i--) {
        way->point = (unsigned)i;
        way->journey.how = GDB_BACK_STEP;
        enum sought sought = seek_step_from(past, server, way);
        if (sought != SOUGHT_NOTHING) {
            return sought;
        }
    }
    return SOUGHT_NOTHING;
}

static bool is_data(const struct cpu_stop *stop)
{
    return stop->kind != CPU_STOP_NONE && stop->kind != CPU_STOP_EXEC;
}

/* Where data were written, the machine stands before the instruction that did it: backwards, it is
 * the next one to be undone. */
static enum sought seek_stop(struct boot_past *past, const struct gdb_server *server,
                             struct past_way *way)
{
    struct gdb_journey *j = &way->journey;
    struct past_message answer;

    for (int i = last_before(past, &j->bound); i >= 0; i--) {
        way->point = (unsigned)i;
        j->stop = GDB_COUNT_ONLY;
        enum sought sought = go(past, server, way, &answer);
        if (sought != SOUGHT_FOUND) {
            return sought;
        }
        if (answer.met.stops && is_data(&answer.met.stop)) {
            j->bound = answer.met.at;
            j->thread = answer.met.thread;
            j->tell = answer.met.stop;
            return seek_step(past, server, way);
        }
        if (answer.met.stops) {
            j->stop = answer.met.stops;
            return SOUGHT_FOUND;
        }
        j->bound = past_point_at(past, (unsigned)i)->at;
    }
    return SOUGHT_NOTHING;
}

static void come_home(struct boot_past *past, struct gdb *gdb)
{
    past->away = -1;
    if (past->state) {
        (void)gdb_load(gdb, past->state->data, past->state->len);
        g_clear_pointer(&past->state, g_byte_array_unref);
    }
}

static void travel(struct boot_past *past, struct gdb_server *server, const struct wish *wish)
{
    struct gdb *gdb = gdb_server_session(server);
    struct past_message answer;
    struct past_way way = {.journey = {.how = wish->how,
                                       .bound = wish->from,
                                       .present = machine_debug_place(past->run->machine),
                                       .thread = wish->thread}};
    enum sought sought =
        wish->how == GDB_BACK_STEP ? seek_step(past, server, &way) : seek_stop(past, server, &way);

    if (sought == SOUGHT_NOTHING) {
        way.point = 0;
        way.journey.begin = true;
        way.journey.stop = 0;
        way.journey.thread = wish->thread;
        sought = SOUGHT_FOUND;
    }
    if (sought == SOUGHT_STOPPED && past->away >= 0) { /* back to where it stood */
        way = past->way;
        sought = SOUGHT_FOUND;
    }
    if (sought == SOUGHT_FOUND) {
        sought = go(past, server, &way, &answer);
    }
    if (sought == SOUGHT_FOUND) {
        past->way = way;
        past->away = (int)way.point;
        return;
    }
    come_home(past, gdb);
    if (sought == SOUGHT_STOPPED) {
        gdb_back_interrupted(gdb);
    } else {
        gdb_back_ends(gdb, "the way back was not found again; this is the present\n");
    }
}

void boot_past_go(struct boot_past *past, struct gdb_server *server)
{
    struct gdb *gdb = gdb_server_session(server);
    const struct wish wish = {.how = gdb_wants_back(gdb),
                              .thread = gdb_back_thread(gdb),
                              .from = past->run ? machine_debug_place(past->run->machine)
                                                : (struct machine_place){0}};

    if (gdb_take_changed(gdb)) {
        boot_past_clear(past);
        gdb_back_ends(gdb, "memory or registers were changed: history begins here\n");
    } else if (!past->points->len) {
        gdb_back_ends(gdb, "there is no history yet\n");
    } else {
        g_clear_pointer(&past->state, g_byte_array_unref);
        past->state = gdb_save(gdb);
        travel(past, server, &wish);
    }
}

bool boot_past_is_away(const struct boot_past *past)
{
    return past->away >= 0;
}

/* What the process that has the debugger says last. */
static void take_word(struct boot_past *past, struct gdb_server *server,
                      const struct past_message *message)
{
    struct gdb *gdb = gdb_server_session(server);
    const struct wish wish = {
        .how = message->journey.how, .thread = message->journey.thread, .from = message->met.at};

    switch (message->verb) {
    case PAST_BACK: travel(past, server, &wish); break;
    case PAST_PRESENT:
        come_home(past, gdb);
        gdb_reached_present(gdb);
        break;
    case PAST_KILL:
        come_home(past, gdb);
        gdb_kill(gdb);
        break;
    case PAST_GONE:
        come_home(past, gdb);
        gdb_server_drop(server);
        break;
    default:
        come_home(past, gdb);
        gdb_back_ends(gdb, "the past came to a bad end; this is the present\n");
        break;
    }
}

void boot_past_wait(struct boot_past *past, struct gdb_server *server, int timeout_ms)
{
    int fd = past_point_at(past, (unsigned)past->away)->fd;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    struct past_message message;
    GByteArray *state = NULL;

    if (poll(&wait, 1, timeout_ms) <= 0) {
        return;
    }
    if (!past_wire_receive(fd, &message, &state)) {
        message.verb = PAST_ENDED;
    } else if (message.verb != PAST_ENDED) {
        wait_for_end(fd);
    }
    if (state) {
        g_clear_pointer(&past->state, g_byte_array_unref);
        past->state = state;
    }
    take_word(past, server, &message);
}
