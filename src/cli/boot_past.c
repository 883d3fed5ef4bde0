/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes of a boot's past: where they are left, how they wait, and what the one that goes
 * has to do without. Which of them goes where: past_travel.c.
 */
#include "boot_past.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot.h"
#include "past.h"
#include "pcilab/config/units.h"
#include "pcilab/io/block.h"

/* CHOICE: so many processes, and between two at least so much virtual time, and so many times what
 * it cost to leave the last one, by the wall clock. */
#define POINTS_MAX  16
#define KEEP_PS     (20 * PS_PER_MS)
#define KEEP_FACTOR 20
/* A process that goes looks so often whether it is to stop. */
#define LOOK_EACH 256

const char *boot_past_hindrance(const struct machine_desc *desc, const GArray *disks,
                                const char *control)
{
    if (control) {
        return "clients of --control hear what the machine does";
    }
    for (unsigned i = 0; i < desc->count; i++) {
        if (desc->components[i].kind == MACHINE_VIRTIO_9P) {
            return "the guest has files of this computer, by 9P";
        }
    }
    for (unsigned i = 0; i < disks->len; i++) {
        if (!block_is_private(g_array_index(disks, struct machine_disk, i).image)) {
            return "the guest writes an image; with --disk NAME=FILE,overlay it does not";
        }
    }
    return NULL;
}

struct boot_past *boot_past_new(struct sim_input_log *log)
{
    struct boot_past *past = g_new0(struct boot_past, 1);

    past->away = -1;
    past->fd = -1;
    past->points = g_array_new(FALSE, FALSE, sizeof(struct past_point));
    past->inputs.fd = -1;
    past->replays = log->next != NULL;
    if (!past->replays) {
        past->inputs.fd = memfd_create("inputs", MFD_CLOEXEC);
        past->inputs.next = *log;
        *log = (struct sim_input_log){.keep = past_inputs_keep, .opaque = &past->inputs};
    }
    return past;
}

static void end_point(const struct past_point *point)
{
    close(point->fd);
    kill(point->pid, SIGKILL);
    while (waitpid(point->pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

void boot_past_clear(struct boot_past *past)
{
    for (unsigned i = 0; i < past->points->len; i++) {
        end_point(past_point_at(past, i));
    }
    g_array_set_size(past->points, 0);
    past->away = -1;
}

void boot_past_free(struct boot_past *past)
{
    if (!past) {
        return;
    }
    boot_past_clear(past);
    g_clear_pointer(&past->state, g_byte_array_unref);
    g_array_unref(past->points);
    if (past->inputs.fd >= 0) {
        close(past->inputs.fd);
    }
    g_free(past);
}

static char *describe_from_past(const struct boot_past *past)
{
    char *from = units_format_time(past->first.at_ps);
    char *text =
        g_strdup_printf("this is the past; history begins at %s of virtual time (%" G_GUINT64_FORMAT
                        " instructions)\n",
                        from, past->first.retired);

    g_free(from);
    return text;
}

char *boot_past_describe(const struct boot_past *past)
{
    if (past->run && past->run->past_here) {
        return describe_from_past(past);
    }
    if (!past->points->len) {
        return g_strdup("there is no history yet: it begins when the machine runs on from here\n");
    }
    const struct past_point *first = past_point_at(past, 0);
    const struct past_point *last = past_point_at(past, past->points->len - 1);
    char *from = units_format_time(first->at.at_ps), *to = units_format_time(last->at.at_ps);
    char *text = g_strdup_printf("history begins at %s of virtual time (%" G_GUINT64_FORMAT
                                 " instructions); %u checkpoint%s, the last one at %s\n",
                                 from, first->at.retired, past->points->len,
                                 past->points->len == 1 ? "" : "s", to);
    g_free(from);
    g_free(to);
    return text;
}

/* ---- In the processes that are left ---- */

/* What is done to the outside is the present's alone. */
static void be_past(struct boot_past *past, const struct past_point *point)
{
    struct boot_run *run = past->run;
    struct sim_input_log log = {.next = past_replay_next, .opaque = &past->replay};

    run->past_here = true;
    run->network = false;
    run->log = NULL;
    run->splats = NULL;
    run->vmcore = NULL;
    run->limit_ps = run->until_ps = run->limit_wall_us = 0;
    if (!past->replays) {
        run->record = NULL;
        if (!past_replay_open(&past->replay, &past->inputs, point->inputs)) {
            _exit(CLI_USAGE);
        }
    }
    machine_debug_be_past(run->machine, past->replays ? NULL : &log);
}

static void begin(struct boot_past *past, const struct past_point *point,
                  const struct past_message *message, const GByteArray *state)
{
    struct gdb *gdb = gdb_server_session(past->run->gdb->server);

    be_past(past, point);
    if (!state || !gdb_load(gdb, state->data, state->len)) {
        _exit(CLI_USAGE);
    }
    gdb_travel(gdb, &message->journey);
}

/* Returns in copies only, which then run. */
static void wait_there(struct boot_past *past, const struct past_point *point)
{
    struct past_message message;
    GByteArray *state;

    while (past_wire_receive(past->fd, &message, &state)) {
        pid_t parent = getpid(), pid = message.verb == PAST_GO ? fork() : -1;
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != parent) {
                _exit(CLI_OK);
            }
            begin(past, point, &message, state);
            g_byte_array_unref(state);
            return;
        }
        while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        g_clear_pointer(&state, g_byte_array_unref);
        if (message.verb == PAST_GO) {
            message = (struct past_message){.verb = PAST_ENDED};
            (void)past_wire_send(past->fd, &message, NULL);
        }
    }
    _exit(CLI_OK);
}

static void stay_behind(struct boot_past *past, const struct past_point *point, pid_t parent)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || null < 0) {
        _exit(CLI_OK);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(ignored); i++) {
        signal(ignored[i], SIG_IGN);
    }
    signal(SIGTSTP, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    past->first = past->points->len ? past_point_at(past, 0)->at : point->at;
    for (unsigned i = 0; i < past->points->len; i++) {
        close(past_point_at(past, i)->fd);
    }
    g_array_set_size(past->points, 0);
    console_redirect(past->run->console, null);
    wait_there(past, point);
}

/* ---- In the present ---- */

/* The one whose absence leaves the smallest gap for its age goes; the first one stays. */
static void thin(struct boot_past *past, uint64_t now_ps)
{
    unsigned least = 1;
    double smallest = 0;

    for (unsigned i = 1; i + 1 < past->points->len; i++) {
        uint64_t before = past_point_at(past, i - 1)->virtual_ps;
        uint64_t here = past_point_at(past, i)->virtual_ps;
        uint64_t after = past_point_at(past, i + 1)->virtual_ps;
        double gap = (double)(after - before) / (double)(now_ps - here + 1);
        if (i == 1 || gap < smallest) {
            smallest = gap;
            least = i;
        }
    }
    end_point(past_point_at(past, least));
    g_array_remove_index(past->points, least);
}

/* In the copy of a copy it returns, too. */
static void leave_process(struct boot_past *past)
{
    struct boot_run *run = past->run;
    struct past_point point = {.at = machine_debug_place(run->machine),
                               .virtual_ps = run->virtual_ps,
                               .inputs = past->inputs.len};
    int64_t since_us = g_get_monotonic_time();
    int ends[2];

    if (past->points->len == POINTS_MAX) {
        thin(past, run->virtual_ps);
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return;
    }
    console_flush(run->console);
    fflush(NULL);
    pid_t parent = getpid();
    point.pid = fork();
    if (point.pid == 0) {
        close(ends[0]);
        past->fd = ends[1];
        stay_behind(past, &point, parent);
        return;
    }
    close(ends[1]);
    point.fd = ends[0];
    if (point.pid < 0) {
        close(point.fd);
        return;
    }
    g_array_append_val(past->points, point);
    past->kept_us = g_get_monotonic_time();
    past->cost_us = past->kept_us - since_us;
}

void boot_past_keep(struct boot_past *past, struct boot_run *run)
{
    struct gdb_server *server = run->gdb->server;
    bool connected = gdb_server_is_connected(server);

    past->run = run;
    if (run->past_here) {
        return;
    }
    if (past->points->len && (gdb_take_changed(gdb_server_session(server)) || !connected)) {
        boot_past_clear(past);
    }
    if (!connected || (!past->replays && past->inputs.fd < 0)) {
        return;
    }
    if (past->points->len) {
        const struct past_point *last = past_point_at(past, past->points->len - 1);
        if (run->virtual_ps - last->virtual_ps < KEEP_PS ||
            g_get_monotonic_time() - past->kept_us < KEEP_FACTOR * past->cost_us) {
            return;
        }
    }
    leave_process(past);
}

/* ---- In the process that goes ---- */

static G_GNUC_NORETURN void leave(struct boot_past *past, struct gdb *gdb, enum past_verb verb)
{
    struct past_message message = {.verb = verb, .met = *gdb_met(gdb)};
    GByteArray *state = NULL;

    if (verb == PAST_BACK) {
        message.journey.how = gdb_wants_back(gdb);
        message.journey.thread = gdb_back_thread(gdb);
        message.met.at = machine_debug_place(past->run->machine);
    }
    if (verb == PAST_BACK || verb == PAST_PRESENT) {
        state = gdb_save(gdb);
    }
    (void)past_wire_send(past->fd, &message, state);
    _exit(CLI_OK);
}

/* The present has changed its mind. */
static void look_for_end(struct boot_past *past)
{
    uint8_t byte;

    if (++past->looks % LOOK_EACH == 0 && recv(past->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0) {
        _exit(CLI_OK); /* the one that waits reads it, and takes no notice */
    }
}

void boot_past_report(struct boot_past *past, struct gdb_server *server)
{
    struct gdb *gdb = gdb_server_session(server);

    switch (gdb_travels(gdb)) {
    case GDB_UNDERWAY: look_for_end(past); return;
    case GDB_COUNTED: leave(past, gdb, PAST_COUNTED);
    case GDB_LOST: leave(past, gdb, PAST_LOST);
    case GDB_AT_PRESENT: leave(past, gdb, PAST_PRESENT);
    case GDB_ARRIVED:
    case GDB_AT_HOME: break;
    }
    if (!past->told) {
        const struct past_message message = {.verb = PAST_ARRIVED};
        past->told = past_wire_send(past->fd, &message, NULL);
    }
    if (gdb_killed(gdb)) {
        leave(past, gdb, PAST_KILL);
    }
    if (!gdb_server_is_connected(server)) {
        leave(past, gdb, PAST_GONE);
    }
    if (gdb_wants_back(gdb) != GDB_BACK_NOT) {
        leave(past, gdb, PAST_BACK);
    }
}

void boot_past_end(struct boot_past *past, struct gdb_server *server)
{
    struct gdb *gdb = gdb_server_session(server);

    boot_past_report(past, server);
    leave(past, gdb, gdb_travels(gdb) == GDB_UNDERWAY ? PAST_LOST : PAST_PRESENT);
}
