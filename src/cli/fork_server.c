/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server at a checkpoint: one loop over the socket, the clients and the ends of children. It
 * never waits for a client: who connects has so long to say what it wants; who goes away takes its
 * continuation along, and the server's own end takes all of them (PR_SET_PDEATHSIG).
 */
#include "fork_server.h"

#include <assert.h>
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "fork_socket.h"

#define CLIENTS_MAX  250 /* the usual limit of 1024 open files has room for them */
#define PATIENCE_US  (10 * G_USEC_PER_SEC)
#define LOOK_MS      1000
#define STOP_WAIT_US (2 * G_USEC_PER_SEC)

struct client {
    int fd;     /* -1: gone, and the child's end is waited for */
    pid_t pid;  /* of the continuation; 0: none yet */
    bool stops; /* it said STOP and waits for the END */
    int64_t until_us;
};

struct server {
    const struct fork_server_config *config;
    GArray *clients; /* struct client */
    int signal_fd;
    sigset_t signals, old_signals;
    dev_t dev;
    ino_t ino;
    bool stopping;
    int64_t stop_us;
};

static struct client *client_at(struct server *s, unsigned i)
{
    return &g_array_index(s->clients, struct client, i);
}

static void say_end(const struct client *client, int status, int error)
{
    struct fork_message end;

    if (client->fd >= 0) {
        fork_message_init(&end, FORK_END);
        end.value = status;
        end.error = error;
        (void)fork_wire_send(client->fd, &end, NULL);
    }
}

/* The client has gone or is done with; with a child under way its place is kept until that ends. */
static void drop(struct client *client)
{
    if (client->fd >= 0) {
        close(client->fd);
    }
    client->fd = -1;
    if (client->pid) {
        kill(client->pid, SIGKILL);
    }
}

static G_GNUC_NORETURN void be_child(struct server *s, struct client *client,
                                     const struct fork_message *go, const int fds[FORK_FDS_MAX],
                                     pid_t parent)
{
    struct fork_message result;
    int status = CLI_USAGE;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(CLI_INTERRUPTED);
    }
    close(s->config->listen_fd);
    close(s->signal_fd);
    for (unsigned i = 0; i < s->clients->len; i++) {
        struct client *other = client_at(s, i);
        if (other != client && other->fd >= 0) {
            close(other->fd);
        }
    }
    sigprocmask(SIG_SETMASK, &s->old_signals, NULL);
    fork_message_init(&result, FORK_RESULT);
    if (dup2(fds[FORK_FD_IN], STDIN_FILENO) >= 0 && dup2(fds[FORK_FD_OUT], STDOUT_FILENO) >= 0 &&
        dup2(fds[FORK_FD_ERR], STDERR_FILENO) >= 0) {
        for (unsigned i = FORK_FD_IN; i <= FORK_FD_ERR; i++) {
            close(fds[i]);
        }
        status = s->config->run(s->config->opaque, go, fds, &result);
        (void)fork_wire_send(client->fd, &result, NULL);
    }
    /* Not exit(): what is registered there, and buffers of stdio, are the parent's. */
    _exit(status);
}

static void start(struct server *s, struct client *client, const struct fork_message *go,
                  const int fds[FORK_FDS_MAX])
{
    pid_t parent = getpid(), pid = fork();

    if (pid == 0) {
        be_child(s, client, go, fds, parent);
    }
    if (pid < 0) {
        say_end(client, CLI_USAGE, errno);
        drop(client);
        return;
    }
    client->pid = pid;
}

static void stop(struct server *s)
{
    if (s->stopping) {
        return;
    }
    s->stopping = true;
    s->stop_us = g_get_monotonic_time() + STOP_WAIT_US;
    for (unsigned i = 0; i < s->clients->len; i++) {
        if (client_at(s, i)->pid) {
            kill(client_at(s, i)->pid, SIGTERM);
        }
    }
}

/* What a client says. */
static void hear(struct server *s, struct client *client)
{
    int fds[FORK_FDS_MAX];
    struct fork_message message;
    enum fork_received got = fork_wire_receive(client->fd, &message, fds);

    if (got == FORK_GOT_NOTHING) {
        return;
    }
    if (got == FORK_GOT_MESSAGE && message.verb == FORK_GO && !client->pid && !s->stopping) {
        start(s, client, &message, fds);
    } else if (got == FORK_GOT_MESSAGE && message.verb == FORK_SIGNAL && client->pid) {
        kill(client->pid, message.value);
    } else if (got == FORK_GOT_MESSAGE && message.verb == FORK_STOP && !client->pid) {
        client->stops = true;
        stop(s);
    } else {
        drop(client);
    }
    for (unsigned i = 0; got == FORK_GOT_MESSAGE && i < FORK_FDS_MAX; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

static void welcome(struct server *s)
{
    int fd = accept4(s->config->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        return; /* it has gone already */
    }
    if (!fork_socket_is_mine(fd) || fork_wire_send(fd, &s->config->hello, NULL) != 0) {
        close(fd);
        return;
    }
    struct client client = {.fd = fd, .until_us = g_get_monotonic_time() + PATIENCE_US};
    g_array_append_val(s->clients, client);
}

static void collect(struct server *s)
{
    pid_t pid;
    int how;

    while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
        for (unsigned i = 0; i < s->clients->len; i++) {
            struct client *client = client_at(s, i);
            if (client->pid == pid) {
                client->pid = 0;
                say_end(client, WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how), 0);
                drop(client);
            }
        }
    }
}

static void take_signal(struct server *s)
{
    struct signalfd_siginfo info;

    while (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo != SIGCHLD) {
            stop(s);
        }
    }
    collect(s);
}

/* Clients that never said what they want, places that are free, and whether we have a name. */
static void tidy(struct server *s)
{
    int64_t now_us = g_get_monotonic_time();
    struct stat st;

    for (unsigned i = 0; i < s->clients->len; i++) {
        struct client *client = client_at(s, i);
        if (!client->pid && !client->stops && now_us > client->until_us) {
            drop(client);
        }
        if (s->stopping && client->pid && now_us > s->stop_us) {
            kill(client->pid, SIGKILL);
        }
        if (client->fd < 0 && !client->pid) {
            g_array_remove_index_fast(s->clients, i--);
        }
    }
    if (lstat(s->config->path, &st) != 0 || st.st_dev != s->dev || st.st_ino != s->ino) {
        stop(s);
    }
}

static bool children_left(struct server *s)
{
    for (unsigned i = 0; i < s->clients->len; i++) {
        if (client_at(s, i)->pid) {
            return true;
        }
    }
    return false;
}

static void turn(struct server *s)
{
    struct pollfd fds[2 + CLIENTS_MAX];
    unsigned count = s->clients->len;

    assert(count <= CLIENTS_MAX);
    fds[0] = (struct pollfd){.fd = s->signal_fd, .events = POLLIN};
    /* With every place taken those who connect wait. */
    fds[1] = (struct pollfd){.fd = count < CLIENTS_MAX && !s->stopping ? s->config->listen_fd : -1,
                             .events = POLLIN};
    for (unsigned i = 0; i < count; i++) {
        fds[2 + i] = (struct pollfd){.fd = client_at(s, i)->fd, .events = POLLIN};
    }
    if (poll(fds, 2 + count, s->stopping ? 50 : LOOK_MS) > 0) {
        for (unsigned i = 0; i < count; i++) {
            if (fds[2 + i].revents && client_at(s, i)->fd >= 0) {
                hear(s, client_at(s, i));
            }
        }
        if (fds[0].revents) {
            take_signal(s);
        }
        if (fds[1].revents) {
            welcome(s);
        }
    }
    tidy(s);
}

void fork_server_serve(const struct fork_server_config *config)
{
    struct server s = {.config = config};
    struct stat st;

    sigemptyset(&s.signals);
    sigaddset(&s.signals, SIGCHLD);
    sigaddset(&s.signals, SIGTERM);
    sigaddset(&s.signals, SIGINT);
    sigaddset(&s.signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &s.signals, &s.old_signals);
    signal(SIGCHLD, SIG_DFL); /* not ignored, as some parents leave it: ends are to be seen */
    s.signal_fd = signalfd(-1, &s.signals, SFD_CLOEXEC | SFD_NONBLOCK);
    s.clients = g_array_new(FALSE, FALSE, sizeof(struct client));
    if (s.signal_fd >= 0 && lstat(config->path, &st) == 0) {
        s.dev = st.st_dev;
        s.ino = st.st_ino;
        while (!s.stopping || children_left(&s)) {
            turn(&s);
        }
        if (lstat(config->path, &st) == 0 && st.st_dev == s.dev && st.st_ino == s.ino) {
            (void)unlink(config->path);
        }
        close(s.signal_fd);
    }
    close(config->listen_fd);
    if (config->release) {
        config->release(config->opaque);
    }
    for (unsigned i = 0; i < s.clients->len; i++) {
        if (client_at(&s, i)->stops) {
            say_end(client_at(&s, i), CLI_OK, 0);
        }
        drop(client_at(&s, i));
    }
    g_array_unref(s.clients);
    sigprocmask(SIG_SETMASK, &s.old_signals, NULL);
}
