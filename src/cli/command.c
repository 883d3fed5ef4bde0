/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command's streams, and what became of it. */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "checkpoint.h"
#include "splat.h"

enum { PORT_IN, PORT_OUT, PORT_ERR, PORT_CTL };

#define COLUMNS_DEFAULT 80
#define ROWS_DEFAULT    24

void command_set_shell(struct command *c)
{
    const char *shell = g_getenv("SHELL");

    c->shell[0] = g_strdup(shell && *shell ? shell : "/bin/sh");
    c->argv = (const char *const *)c->shell;
    c->tty = c->tty || isatty(STDIN_FILENO);
}

void command_set_any(struct command *c)
{
    c->argv = (const char *const *)c->shell; /* of no words */
}

/* Towards the guest. Bytes of an input that is known from the start enter when the guest asks. */

static void push_control(struct command *c)
{
    uint32_t taken = virtio_console_input(c->device, PORT_CTL, c->control->data, c->control->len);

    g_byte_array_remove_range(c->control, 0, taken);
}

static void push_input(struct command *c)
{
    const uint8_t *bytes;
    unsigned len, taken;

    if (!c->sent || c->ended) {
        return;
    }
    do {
        len = console_peek(c->run->console, &bytes);
        taken = len ? virtio_console_input(c->device, PORT_IN, bytes, len) : 0;
        console_consume(c->run->console, taken);
        c->stdin_bytes += taken;
    } while (taken && taken == len);
    if (!c->eof_told && console_ended(c->run->console)) {
        c->eof_told = true;
        agent_put_eof(c->control, c->stdin_bytes);
        push_control(c);
    }
}

static void has_room(void *opaque, unsigned port)
{
    if (port == PORT_CTL) {
        push_control(opaque);
    } else if (port == PORT_IN) {
        push_input(opaque);
    }
}

static void is_open(void *opaque, unsigned port, bool open)
{
    if (open) {
        has_room(opaque, port);
    }
}

static void find_size(bool tty, unsigned *rows, unsigned *columns)
{
    struct winsize size;

    *rows = ROWS_DEFAULT;
    *columns = COLUMNS_DEFAULT;
    if (tty && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
        *rows = size.ws_row;
        *columns = size.ws_col;
    }
}

static GByteArray *put_job(const struct agent_job *job)
{
    GByteArray *frame = g_byte_array_new();

    /* The host's own limit on arguments is far below. */
    bool fits = agent_put_job(frame, job);
    g_assert(fits);
    return frame;
}

GByteArray *command_make_job(const char *const *argv, bool tty)
{
    char *directory = g_get_current_dir(), **env = g_get_environ();
    struct agent_job job = {
        .tty = tty,
        .directory = directory,
        .argv = argv,
        .env = (const char *const *)env,
    };

    find_size(tty, &job.rows, &job.columns);
    GByteArray *frame = put_job(&job);
    g_strfreev(env);
    g_free(directory);
    return frame;
}

GByteArray *command_make_plain_job(const char *const *argv)
{
    static const char *const env[] = {
        "HOME=/root", "LC_ALL=C",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    struct agent_job job = {.directory = "/", .argv = argv, .env = env};

    find_size(false, &job.rows, &job.columns);
    return put_job(&job);
}

void command_take_job(struct command *c, const uint8_t *frame, size_t len, bool tty)
{
    c->job = g_byte_array_sized_new((guint)len);
    g_byte_array_append(c->job, frame, (guint)len);
    c->tty = tty;
}

static void send_job(struct command *c)
{
    GByteArray *frame = c->job ? g_byte_array_ref(c->job) : command_make_job(c->argv, c->tty);

    find_size(c->tty, &c->rows, &c->columns);
    g_byte_array_append(c->control, frame->data, frame->len);
    g_byte_array_unref(frame);
    c->sent = true;
    push_control(c);
    push_input(c);
}

void command_go_on(struct command *c)
{
    if (c->ready && !c->sent && !c->sick) {
        send_job(c);
    }
}

/* From the guest. */

static void write_stderr(const uint8_t *data, size_t len)
{
    while (len && !console_signal()) {
        ssize_t now = write(STDERR_FILENO, data, len);
        if (now < 0 && errno != EINTR && errno != EAGAIN) {
            return; /* nobody reads it */
        }
        data += now > 0 ? now : 0;
        len -= now > 0 ? (size_t)now : 0;
    }
}

static void stop(struct command *c)
{
    c->stop = true;
    machine_pause(c->run->machine);
}

static void hear(struct command *c, const uint8_t *data, uint32_t len)
{
    while (len && !c->link.broken) {
        switch (agent_hear(&c->link, &data, &len)) {
        case AGENT_READY:
            c->ready = true;
            c->sick = c->run->splats && splats_count(c->run->splats);
            if (c->sick) {
                stop(c);
            } else if (c->run->checkpoint && c->run->checkpoint->command) {
                checkpoint_saw_ready(c->run->checkpoint);
                machine_pause(c->run->machine);
            } else {
                send_job(c);
            }
            break;
        case AGENT_STARTED: c->started = c->sent; break;
        case AGENT_STATUS:
            c->ended = c->started;
            c->status = c->link.status;
            break;
        case AGENT_NONSENSE:
        case AGENT_NOTHING: break;
        }
    }
}

static void take_output(void *opaque, unsigned port, const uint8_t *data, uint32_t len)
{
    struct command *c = opaque;

    if (port == PORT_CTL) {
        hear(c, data, len);
    } else if (port == PORT_OUT) {
        for (uint32_t i = 0; i < len; i++) {
            console_put(c->run->console, data[i]);
        }
        if (console_flush(c->run->console) != 0) {
            machine_pause(c->run->machine); /* and the run ends */
        }
    } else if (port == PORT_ERR) {
        write_stderr(data, len);
    }
}

/* A byte of the kernel's console. */
static void take_console(void *opaque, uint8_t byte)
{
    struct command *c = opaque;

    c->tail[c->tail_bytes++ % COMMAND_TAIL_BYTES] = (char)byte;
    if (c->verbose) {
        write_stderr(&byte, 1);
    }
}

/* Between slices: input, the terminal's size. */
static void serve(void *opaque)
{
    struct command *c = opaque;
    unsigned rows, columns;

    push_input(c);
    if (c->tty && c->sent && !c->ended) {
        find_size(true, &rows, &columns);
        if (rows != c->rows || columns != c->columns) {
            c->rows = rows;
            c->columns = columns;
            agent_put_size(c->control, rows, columns);
            push_control(c);
        }
    }
}

const struct virtio_console_port_ops command_port_ops = {
    .output = take_output,
    .guest_open = is_open,
    .room = has_room,
};

void command_attach(struct command *c, struct boot_run *run)
{
    c->run = run;
    run->command = c;
    run->serial_put = take_console;
    run->serve = serve;
    run->host = c;
    c->device = machine_virtio_console(run->machine, c->host.name);
    for (unsigned i = 0; i < COMMAND_PORTS; i++) {
        virtio_console_set_open(c->device, i, true);
    }
}

/* The end. */

/* The last lines of the kernel's console: there is nothing else to see. */
static void show_tail(const struct command *c)
{
    uint64_t len = MIN(c->tail_bytes, COMMAND_TAIL_BYTES);

    if (c->verbose || !len) {
        return;
    }
    cli_error("the last that the kernel said:");
    bool skip = len < c->tail_bytes; /* the rest of a line */
    for (uint64_t i = c->tail_bytes - len; i < c->tail_bytes; i++) {
        char byte = c->tail[i % COMMAND_TAIL_BYTES];
        if (!skip && byte != '\r') {
            fputc(byte == '\n' || (byte >= ' ' && byte <= '~') ? byte : '?', stderr);
        }
        skip = skip && byte != '\n';
    }
    if (c->tail[(c->tail_bytes - 1) % COMMAND_TAIL_BYTES] != '\n') {
        fputc('\n', stderr);
    }
}

int command_result(const struct command *c, int status)
{
    if (c->ended && (c->status || !status)) {
        return c->status;
    }
    if (status > 128) {
        return status;
    }
    if (status == CLI_USAGE) {
        return COMMAND_USAGE;
    }
    if (c->ended || c->started) {
        if (!c->ended && status == CLI_OK) {
            cli_error("the guest powered off or restarted before the command ended");
        }
        return status == CLI_LIMIT ? COMMAND_LIMIT : CLI_FAILED;
    }
    cli_error("the command was not started: %s",
              c->sick                ? "the kernel complained before"
              : status == CLI_LIMIT  ? "the kernel did not get there in time"
              : status == CLI_FAILED ? "the kernel failed before"
                                     : "the guest powered off before");
    show_tail(c);
    if (c->no_modules) {
        cli_error("there are no modules with this kernel; if it needs some to get there: make "
                  "modules");
    }
    return COMMAND_SKIP;
}

void command_clear(struct command *c)
{
    g_clear_pointer(&c->shell[0], g_free);
    g_clear_pointer(&c->job, g_byte_array_unref);
    if (c->control) {
        g_byte_array_unref(c->control);
        c->control = NULL;
    }
}
