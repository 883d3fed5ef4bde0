/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The user's side of the serial console. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "pcilab/io/console.h"

#define OUT_BYTES   4096
#define CHUNK_BYTES 4096
/* A pipe that has said this much and goes on is live, and a terminal's type-ahead ends here. */
#define INPUT_BYTES_MAX (16u << 20)
#define COMPACT_BYTES   (1u << 20)

#define ESCAPE 0x01 /* Ctrl-A */

struct console {
    int in_fd, out_fd;
    enum console_source source;
    bool regular; /* WHOLE, and read piece by piece */
    bool eof;

    GByteArray *input;
    unsigned input_taken; /* of the front */

    bool escaped; /* the last key was Ctrl-A */
    enum console_command commands[8];
    unsigned command_count;

    uint8_t out[OUT_BYTES];
    unsigned out_len;
    int out_error;
};

/* What the handlers need; signals have no other way to it. */
static struct {
    volatile sig_atomic_t raw; /* the terminal is in raw mode */
    volatile sig_atomic_t stop;
    volatile sig_atomic_t core; /* somebody wants a core file */
    bool at_exit;               /* restore_terminal() is registered */
    int fd;
    struct termios cooked, rawest;
} tty;

/* Signals that ask for an end, and those that are one. */
static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
static const int crashes[] = {SIGSEGV, SIGBUS,  SIGILL, SIGFPE, SIGABRT,
                              SIGQUIT, SIGTRAP, SIGSYS, SIGXCPU};
static struct sigaction old_stops[G_N_ELEMENTS(stops)], old_crashes[G_N_ELEMENTS(crashes)];
static struct sigaction old_pipe, old_tstp, old_core;

static void restore_terminal(void)
{
    if (tty.raw) {
        tty.raw = 0;
        (void)tcsetattr(tty.fd, TCSADRAIN, &tty.cooked);
    }
}

static void on_stop(int number)
{
    if (tty.stop) {
        if (tty.raw) {
            (void)tcsetattr(tty.fd, TCSANOW, &tty.cooked);
        }
        _exit(128 + number);
    }
    tty.stop = number;
}

/* The default action was put back by SA_RESETHAND: the signal goes on to end the process. */
static void on_crash(int number)
{
    int saved = errno;

    if (tty.raw) {
        tty.raw = 0;
        (void)tcsetattr(tty.fd, TCSANOW, &tty.cooked);
    }
    errno = saved;
    raise(number);
}

static void on_core(int number)
{
    tty.core = 1;
}

static void on_suspend(int number)
{
    int saved = errno;

    if (tty.raw) {
        (void)tcsetattr(tty.fd, TCSADRAIN, &tty.cooked);
    }
    raise(SIGSTOP);
    /* Here somebody has continued us. */
    if (tty.raw) {
        (void)tcsetattr(tty.fd, TCSADRAIN, &tty.rawest);
    }
    errno = saved;
}

static void install_handlers(void)
{
    struct sigaction stop = {.sa_handler = on_stop};
    struct sigaction crash = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};
    struct sigaction suspend = {.sa_handler = on_suspend};
    struct sigaction core = {.sa_handler = on_core};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    for (unsigned i = 0; i < G_N_ELEMENTS(stops); i++) {
        sigaction(stops[i], NULL, &old_stops[i]);
        /* nohup and shells that start us in the background mean it. */
        if (old_stops[i].sa_handler != SIG_IGN) {
            sigaction(stops[i], &stop, NULL);
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(crashes); i++) {
        sigaction(crashes[i], NULL, &old_crashes[i]);
        /* A sanitizer's or a debugger's own handler goes first. */
        if (old_crashes[i].sa_handler == SIG_DFL) {
            sigaction(crashes[i], &crash, NULL);
        }
    }
    sigaction(SIGPIPE, &ignore, &old_pipe);
    sigaction(SIGTSTP, &suspend, &old_tstp);
    sigaction(SIGUSR1, &core, &old_core);
}

static void remove_handlers(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(stops); i++) {
        sigaction(stops[i], &old_stops[i], NULL);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(crashes); i++) {
        sigaction(crashes[i], &old_crashes[i], NULL);
    }
    sigaction(SIGUSR1, &old_core, NULL);
    sigaction(SIGPIPE, &old_pipe, NULL);
    sigaction(SIGTSTP, &old_tstp, NULL);
}

int console_signal(void)
{
    return tty.stop;
}

static void go_raw(struct console *console)
{
    if (tcgetattr(console->in_fd, &tty.cooked) != 0) {
        return;
    }
    tty.fd = console->in_fd;
    tty.rawest = tty.cooked;
    cfmakeraw(&tty.rawest);
    /* Our own messages go to this terminal too, with plain newlines. */
    tty.rawest.c_oflag = tty.cooked.c_oflag;
    if (tcsetattr(console->in_fd, TCSADRAIN, &tty.rawest) == 0) {
        tty.raw = 1;
    }
    if (!tty.at_exit) {
        tty.at_exit = true;
        atexit(restore_terminal);
    }
}

/* Terminal keys: Ctrl-A is ours, everything else is the guest's. */
static void take_key(struct console *console, uint8_t key)
{
    static const struct {
        char key;
        enum console_command command;
    } keys[] = {{'x', CONSOLE_LEAVE},  {'X', CONSOLE_LEAVE},  {'h', CONSOLE_HELP},
                {'?', CONSOLE_HELP},   {'s', CONSOLE_STATUS}, {'H', CONSOLE_HELP},
                {'S', CONSOLE_STATUS}, {'n', CONSOLE_NMI},    {'b', CONSOLE_BREAK},
                {'c', CONSOLE_CORE}};

    if (!console->escaped) {
        console->escaped = key == ESCAPE;
        if (key != ESCAPE && console->input->len < INPUT_BYTES_MAX) {
            g_byte_array_append(console->input, &key, 1);
        }
        return;
    }
    console->escaped = false;
    if (key == ESCAPE || key == 'a') { /* twice, or as in screen: one for the guest */
        g_byte_array_append(console->input, (const uint8_t[]){ESCAPE}, 1);
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (key == (uint8_t)keys[i].key &&
            console->command_count < G_N_ELEMENTS(console->commands)) {
            console->commands[console->command_count++] = keys[i].command;
        }
    }
}

enum console_command console_command(struct console *console)
{
    enum console_command command = console->commands[0];

    if (tty.core) {
        tty.core = 0;
        return CONSOLE_CORE;
    }
    if (!console->command_count) {
        return CONSOLE_NOTHING;
    }
    console->command_count--;
    memmove(console->commands, console->commands + 1,
            console->command_count * sizeof(console->commands[0]));
    return command;
}

/* Reads once what is there; false when nothing was. */
static bool read_some(struct console *console)
{
    uint8_t bytes[CHUNK_BYTES];
    ssize_t len = read(console->in_fd, bytes, sizeof(bytes));

    if (len < 0) {
        /* EIO: the terminal is gone. */
        console->eof = errno != EINTR && errno != EAGAIN;
        return false;
    }
    console->eof = len == 0;
    if (console->source == CONSOLE_TERMINAL) {
        for (ssize_t i = 0; i < len; i++) {
            take_key(console, bytes[i]);
        }
    } else {
        /* An endless writer must not make us keep what the guest has had. */
        if (console->input_taken >= COMPACT_BYTES) {
            g_byte_array_remove_range(console->input, 0, console->input_taken);
            console->input_taken = 0;
        }
        g_byte_array_append(console->input, bytes, (guint)len);
    }
    return len > 0;
}

static bool wait_readable(struct console *console, int timeout_ms)
{
    struct pollfd fd = {.fd = console->in_fd, .events = POLLIN};

    return poll(&fd, 1, timeout_ms) > 0;
}

/* Is the writer of this pipe done? Each byte that comes earns it the same patience again. */
static void settle_pipe(struct console *console, unsigned patience_ms)
{
    console->source = CONSOLE_LIVE;
    while (!console->eof && console->input->len < INPUT_BYTES_MAX && !tty.stop &&
           wait_readable(console, (int)patience_ms)) {
        read_some(console);
    }
    if (console->eof) {
        console->source = CONSOLE_WHOLE;
    }
}

static struct console *open_streams(int in_fd, int out_fd, unsigned patience_ms, bool raw)
{
    struct console *console = g_new0(struct console, 1);
    struct stat st;

    console->in_fd = in_fd;
    console->out_fd = out_fd;
    console->input = g_byte_array_new();
    tty.stop = 0;
    tty.core = 0;
    install_handlers();
    if (isatty(in_fd) && raw) {
        console->source = CONSOLE_TERMINAL;
        go_raw(console);
    } else if (isatty(in_fd)) {
        console->source = CONSOLE_LIVE;
    } else if (fstat(in_fd, &st) != 0) { /* closed */
        console->source = CONSOLE_WHOLE;
        console->eof = true;
    } else if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) {
        settle_pipe(console, patience_ms);
    } else {
        console->source = CONSOLE_WHOLE;
        console->regular = true;
    }
    return console;
}

struct console *console_open(int in_fd, int out_fd, unsigned patience_ms)
{
    return open_streams(in_fd, out_fd, patience_ms, true);
}

struct console *console_open_cooked(int in_fd, int out_fd, unsigned patience_ms)
{
    return open_streams(in_fd, out_fd, patience_ms, false);
}

void console_pass_output(struct console *console)
{
    if (tty.raw) {
        tty.rawest.c_oflag &= ~(tcflag_t)OPOST;
        (void)tcsetattr(console->in_fd, TCSADRAIN, &tty.rawest);
    }
}

void console_close(struct console *console)
{
    if (!console) {
        return;
    }
    console_flush(console);
    restore_terminal();
    remove_handlers();
    g_byte_array_unref(console->input);
    g_free(console);
}

enum console_source console_source(const struct console *console)
{
    return console->source;
}

unsigned console_peek(struct console *console, const uint8_t **bytes)
{
    if (console->input_taken == console->input->len) {
        g_byte_array_set_size(console->input, 0);
        console->input_taken = 0;
        while (console->regular && !console->eof && !read_some(console) && errno == EINTR) {
        }
    }
    *bytes = console->input->data + console->input_taken;
    return console->input->len - console->input_taken;
}

void console_consume(struct console *console, unsigned len)
{
    g_assert(len <= console->input->len - console->input_taken);
    console->input_taken += len;
}

bool console_take_all(struct console *console)
{
    if (console->source != CONSOLE_WHOLE) {
        return false;
    }
    while (console->regular && !console->eof && console->input->len < INPUT_BYTES_MAX &&
           (read_some(console) || errno == EINTR || console->eof)) {
    }
    return !console->regular || console->eof;
}

void console_prepend(struct console *console, const uint8_t *bytes, unsigned len)
{
    if (console->input_taken) {
        g_byte_array_remove_range(console->input, 0, console->input_taken);
        console->input_taken = 0;
    }
    g_byte_array_prepend(console->input, bytes, len);
}

void console_append(struct console *console, const uint8_t *bytes, unsigned len)
{
    g_byte_array_append(console->input, bytes, len);
}

void console_redirect(struct console *console, int out_fd)
{
    console_flush(console);
    console->out_fd = out_fd;
    console->out_len = 0;
    console->out_error = 0;
}

bool console_ended(const struct console *console)
{
    return console->eof && console->input_taken == console->input->len;
}

void console_wait(struct console *console, unsigned timeout_ms)
{
    if (tty.stop) {
        return;
    }
    if (console->source == CONSOLE_WHOLE || console->eof ||
        console->input->len - console->input_taken >= INPUT_BYTES_MAX) {
        if (timeout_ms) {
            (void)poll(NULL, 0, (int)timeout_ms);
        }
        return;
    }
    if (wait_readable(console, (int)timeout_ms)) {
        read_some(console);
    }
}

void console_wait_with(struct console *console, GArray *fds, unsigned timeout_ms)
{
    struct pollfd own = {.fd = console->in_fd, .events = POLLIN};
    bool wanted = console->source != CONSOLE_WHOLE && !console->eof &&
                  console->input->len - console->input_taken < INPUT_BYTES_MAX;

    if (tty.stop) {
        return;
    }
    if (wanted) {
        g_array_append_val(fds, own);
    }
    if (fds->len || timeout_ms) {
        (void)poll((struct pollfd *)(void *)fds->data, fds->len, (int)timeout_ms);
    }
    if (wanted) {
        own = g_array_index(fds, struct pollfd, fds->len - 1);
        g_array_set_size(fds, fds->len - 1);
    }
    if (own.revents) {
        read_some(console);
    }
}

void console_put(struct console *console, uint8_t byte)
{
    if (console->out_len == OUT_BYTES) {
        console_flush(console);
    }
    if (console->out_len < OUT_BYTES) {
        console->out[console->out_len++] = byte;
    }
}

int console_flush(struct console *console)
{
    unsigned done = 0;

    while (done < console->out_len && !console->out_error) {
        ssize_t len = write(console->out_fd, console->out + done, console->out_len - done);
        if (len >= 0) {
            done += (unsigned)len;
        } else if (errno == EAGAIN) {
            struct pollfd fd = {.fd = console->out_fd, .events = POLLOUT};
            (void)poll(&fd, 1, 100);
        } else if (errno != EINTR) {
            console->out_error = errno;
        }
        if (len < 0 && tty.stop) {
            break; /* nobody reads and somebody wants us to go */
        }
    }
    if (console->out_error) {
        console->out_len = 0;
    } else {
        memmove(console->out, console->out + done, console->out_len - done);
        console->out_len -= done;
    }
    return console->out_error;
}
