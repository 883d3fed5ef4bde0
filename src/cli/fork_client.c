/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client of a fork server: passes its streams, and waits. */
#include "fork_client.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "cli.h"
#include "fork_socket.h"

struct exchange {
    const char *path;
    int fd;        /* to the server */
    int signal_fd; /* -1: signals do what they do */
    sigset_t old_signals;
    int signals; /* seen so far */
};

static void take_signals(struct exchange *x)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &x->old_signals);
    x->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void leave_signals(struct exchange *x)
{
    if (x->signal_fd >= 0) {
        close(x->signal_fd);
        sigprocmask(SIG_SETMASK, &x->old_signals, NULL);
    }
}

/* The exit status when a second signal says that waiting is enough; -1: go on. */
static int pass_signal(struct exchange *x)
{
    struct fork_message message;
    struct signalfd_siginfo info;

    while (read(x->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        int number = (int)info.ssi_signo;
        if (number != SIGUSR1 && x->signals++) {
            return 128 + number;
        }
        fork_message_init(&message, FORK_SIGNAL);
        message.value = number;
        (void)fork_wire_send(x->fd, &message, NULL);
    }
    return -1;
}

/* What the server says; the exit status, or -1 to go on. */
static int hear(struct exchange *x, struct fork_message *result)
{
    struct fork_message message;

    switch (fork_wire_receive(x->fd, &message, NULL)) {
    case FORK_GOT_NOTHING: return -1;
    case FORK_GOT_MESSAGE: break;
    case FORK_GOT_END:
        cli_error("%s: the server has gone in the middle of this", x->path);
        return CLI_USAGE;
    }
    if (message.verb == FORK_RESULT) {
        *result = message;
        return -1;
    }
    if (message.verb != FORK_END) {
        cli_error("%s: the server says what it should not", x->path);
        return CLI_USAGE;
    }
    if (message.error) {
        cli_error("%s: the server cannot continue: %s", x->path, g_strerror(message.error));
    }
    return message.value;
}

/* Until END; the exit status. */
static int converse(struct exchange *x, struct fork_message *result)
{
    int status = -1;

    while (status < 0) {
        struct pollfd fds[2] = {{.fd = x->fd, .events = POLLIN},
                                {.fd = x->signal_fd, .events = POLLIN}};

        if (poll(fds, 2, -1) < 0) {
            continue;
        }
        if (fds[0].revents) {
            status = hear(x, result);
        }
        if (status < 0 && fds[1].revents) {
            status = pass_signal(x);
        }
    }
    return status;
}

int fork_client_run(const struct fork_request *request, struct fork_message *result)
{
    struct exchange x = {.path = request->path, .signal_fd = -1};
    struct termios terminal;
    int status = CLI_USAGE;

    fork_message_init(result, FORK_END);
    x.fd = fork_socket_connect(request->path, result);
    if (x.fd < 0) {
        return CLI_USAGE;
    }
    fork_message_init(result, FORK_END);
    bool is_terminal = tcgetattr(request->fds[FORK_FD_IN], &terminal) == 0;
    if (request->passes_signals) {
        take_signals(&x);
    }
    int error = fork_wire_send(x.fd, &request->go, request->fds);
    if (error) {
        cli_error("%s: %s", request->path, g_strerror(error));
    } else {
        status = converse(&x, result);
    }
    close(x.fd);
    if (is_terminal) { /* a continuation that was killed could not do it */
        (void)tcsetattr(request->fds[FORK_FD_IN], TCSADRAIN, &terminal);
    }
    leave_signals(&x);
    return status;
}

int fork_client_stop(const char *path)
{
    struct fork_message message;
    struct exchange x = {.path = path, .signal_fd = -1};
    int status = CLI_USAGE;

    x.fd = fork_socket_connect(path, &message);
    if (x.fd < 0) {
        return CLI_USAGE;
    }
    fork_message_init(&message, FORK_STOP);
    int error = fork_wire_send(x.fd, &message, NULL);
    if (error) {
        cli_error("%s: %s", path, g_strerror(error));
    } else {
        status = converse(&x, &message);
    }
    close(x.fd);
    return status;
}
