/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One command: its streams are pipes, or a terminal of its own, and this process carries bytes
 * between them and the ports. It is process 1 besides: it reaps whatever is left to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

#define CHUNK_BYTES 32768
#define PIPE_BYTES  (256u << 10)

struct stream { /* from one descriptor to another */
    int from, to;
    bool over;
};

struct run {
    const int *port;
    pid_t child;
    bool tty;
    bool ended; /* the child has; status is set */
    uint32_t status;
    int feed; /* where standard input goes: a pipe or the terminal; -1: closed */
    int child_end[3];
    struct stream out[2];
    uint64_t in_bytes, in_total; /* so far; all that will come, or UINT64_MAX */
    char pending[CHUNK_BYTES];   /* of standard input, that the command has no room for yet */
    size_t pending_at, pending_len;
    uint8_t frame[FRAME_HEAD_BYTES + 8]; /* of the control port, in the making */
    size_t frame_len;
};

static void write_all(int fd, const void *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t now = write(fd, (const char *)data + done, len - done);
        if (now > 0) {
            done += (size_t)now;
        } else if (now < 0 && errno == EAGAIN) {
            (void)poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (now < 0 && errno != EINTR) {
            return;
        }
    }
}

static void read_all(int fd, void *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t now = read(fd, (char *)data + done, len - done);
        if (now > 0) {
            done += (size_t)now;
        } else if (now == 0 || errno != EINTR) {
            die("the control port has ended");
        }
    }
}

static void tell(const struct run *run, uint8_t kind, const void *payload, uint32_t len)
{
    uint8_t frame[FRAME_HEAD_BYTES + 8];

    memcpy(frame, &len, 4);
    frame[4] = kind;
    if (len) {
        memcpy(frame + FRAME_HEAD_BYTES, payload, len);
    }
    write_all(run->port[PORT_CTL], frame, FRAME_HEAD_BYTES + len);
}

/* `count` strings from *at on, in an array with NULL at its end. */
static char **take_strings(char *payload, uint32_t len, uint32_t *at, uint32_t count)
{
    char **strings = count < FRAME_BYTES_MAX ? calloc(count + 1, sizeof(*strings)) : NULL;

    for (uint32_t i = 0; strings && i < count; i++) {
        if (*at >= len) {
            die("the job is cut short");
        }
        strings[i] = payload + *at;
        *at += (uint32_t)strlen(strings[i]) + 1;
    }
    if (!strings) {
        die("no memory for the job");
    }
    return strings;
}

static void receive_job(const int *port, struct job *job)
{
    uint8_t head[FRAME_HEAD_BYTES];
    uint32_t len, numbers[5], at = sizeof(numbers);

    read_all(port[PORT_CTL], head, sizeof(head));
    memcpy(&len, head, 4);
    if (head[4] != FRAME_JOB || len < at || len > FRAME_BYTES_MAX) {
        die("the host sent no job");
    }
    char *payload = calloc(1, (size_t)len + 1); /* the last string ends in any case */
    if (!payload) {
        die("no memory for the job");
    }
    read_all(port[PORT_CTL], payload, len);
    memcpy(numbers, payload, sizeof(numbers));
    job->flags = numbers[0];
    job->rows = numbers[1];
    job->columns = numbers[2];
    char **first = take_strings(payload, len, &at, 1);
    job->directory = first[0];
    job->argv = take_strings(payload, len, &at, numbers[3]);
    job->env = take_strings(payload, len, &at, numbers[4]);
    if (!job->argv[0]) {
        die("the job has no command");
    }
}

/* The ends of the child go to child_end[], ours to feed and out[]. */
static void open_pipes(struct run *run)
{
    int pipes[3][2];

    for (unsigned i = 0; i < 3; i++) {
        if (pipe2(pipes[i], O_CLOEXEC) != 0) {
            die("no pipe: %s", strerror(errno));
        }
        (void)fcntl(pipes[i][0], F_SETPIPE_SZ, PIPE_BYTES);
        run->child_end[i] = pipes[i][i != 0];
    }
    run->feed = pipes[0][1];
    run->out[0] = (struct stream){.from = pipes[1][0], .to = run->port[PORT_OUT]};
    run->out[1] = (struct stream){.from = pipes[2][0], .to = run->port[PORT_ERR]};
}

static void set_size(int fd, uint32_t rows, uint32_t columns)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};

    (void)ioctl(fd, TIOCSWINSZ, &size);
}

static void open_terminal(struct run *run, const struct job *job)
{
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), unlock = 0, number;
    char name[32];

    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) != 0 ||
        ioctl(master, TIOCGPTN, &number) != 0) {
        die("no terminal: %s", strerror(errno));
    }
    snprintf(name, sizeof(name), "/dev/pts/%d", number);
    int slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0) {
        die("%s: %s", name, strerror(errno));
    }
    set_size(master, job->rows, job->columns);
    run->child_end[0] = run->child_end[1] = run->child_end[2] = slave;
    run->feed = master;
    run->out[0] = (struct stream){.from = master, .to = run->port[PORT_OUT]};
    run->out[1].over = true;
}

/* In the child. What cannot run has the status that shells give it. */
static void become(const struct run *run, const struct job *job)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    if (run->tty) {
        (void)ioctl(run->child_end[0], TIOCSCTTY, 0);
    }
    for (int i = 0; i < 3; i++) {
        (void)dup2(run->child_end[i], i);
    }
    environ = job->env;
    if (chdir(job->directory) != 0) {
        dprintf(2, "pcilab: %s: %s\n", job->directory, strerror(errno));
        _exit(126);
    }
    execvp(job->argv[0], job->argv);
    int error = errno;
    bool absent = error == ENOENT && access(job->argv[0], F_OK) != 0;
    dprintf(2, "pcilab: %s: %s\n", job->argv[0],
            absent && !strchr(job->argv[0], '/') ? "command not found" : strerror(error));
    _exit(error == ENOENT ? 127 : 126);
}

static void start(struct run *run, const struct job *job)
{
    run->tty = job->flags & JOB_TTY;
    if (run->tty) {
        open_terminal(run, job);
    } else {
        open_pipes(run);
    }
    tell(run, FRAME_STARTED, NULL, 0);
    run->child = fork();
    if (run->child == 0) {
        become(run, job);
    }
    if (run->child < 0) {
        die("no process: %s", strerror(errno));
    }
    for (unsigned i = 0; i < (run->tty ? 1u : 3u); i++) {
        close(run->child_end[i]);
    }
}

static void reap(struct run *run)
{
    int how;
    pid_t pid;

    while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
        if (pid == run->child) {
            run->ended = true;
            run->status =
                WIFEXITED(how) ? (uint32_t)WEXITSTATUS(how) : 128u + (uint32_t)WTERMSIG(how);
        }
    }
}

static void close_feed(struct run *run)
{
    if (!run->tty && run->feed >= 0) {
        close(run->feed);
    }
    run->feed = -1;
    run->pending_len = run->pending_at = 0;
}

/* What the command reads ends after these bytes. On a terminal that is a key, Ctrl-D. */
static void end_feed(struct run *run)
{
    if (run->feed < 0 || run->pending_at < run->pending_len || run->in_bytes < run->in_total) {
        return;
    }
    if (run->tty) {
        write_all(run->feed, "\004", 1);
        run->feed = -1;
    } else {
        close_feed(run);
    }
}

/* Standard input: never more than the command has room for. */
static void feed(struct run *run)
{
    if (run->pending_at == run->pending_len) {
        ssize_t len = read(run->port[PORT_IN], run->pending, sizeof(run->pending));
        run->pending_at = 0;
        run->pending_len = len > 0 ? (size_t)len : 0;
        run->in_bytes += run->pending_len;
    }
    if (run->pending_at < run->pending_len) {
        ssize_t len =
            write(run->feed, run->pending + run->pending_at, run->pending_len - run->pending_at);
        if (len > 0) {
            run->pending_at += (size_t)len;
        } else if (len < 0 && errno != EAGAIN && errno != EINTR) {
            close_feed(run); /* nobody reads it any more */
        }
    }
}

static void obey(struct run *run)
{
    uint32_t len, size[2];
    size_t want = FRAME_HEAD_BYTES;

    if (run->frame_len >= FRAME_HEAD_BYTES) {
        memcpy(&len, run->frame, 4);
        want += len <= 8 ? len : 0;
    }
    ssize_t now = read(run->port[PORT_CTL], run->frame + run->frame_len, want - run->frame_len);
    run->frame_len += now > 0 ? (size_t)now : 0;
    if (run->frame_len < FRAME_HEAD_BYTES) {
        return;
    }
    memcpy(&len, run->frame, 4);
    if (len > 8 || run->frame_len < FRAME_HEAD_BYTES + len) {
        run->frame_len = len > 8 ? 0 : run->frame_len;
        return;
    }
    if (run->frame[4] == FRAME_EOF && len == 8) {
        memcpy(&run->in_total, run->frame + FRAME_HEAD_BYTES, 8);
    } else if (run->frame[4] == FRAME_SIZE && len == 8 && run->tty) {
        memcpy(size, run->frame + FRAME_HEAD_BYTES, 8);
        set_size(run->out[0].from, size[0], size[1]);
    }
    run->frame_len = 0;
}

/* False: nothing was there, and `over` is set at the end. */
static bool carry(struct stream *s)
{
    static char bytes[CHUNK_BYTES];
    ssize_t len = read(s->from, bytes, sizeof(bytes));

    if (len > 0) {
        write_all(s->to, bytes, (size_t)len);
    } else if (len == 0 || (errno != EAGAIN && errno != EINTR)) { /* EIO: a terminal's end */
        s->over = true;
    }
    return len > 0;
}

/* poll() once; the places of the descriptors are those of the enum. */
static void serve(struct run *run, int signals)
{
    enum { P_SIGNAL, P_CTL, P_OUT, P_ERR, P_IN, P_FEED, P_COUNT };
    bool pending = run->pending_at < run->pending_len;
    struct pollfd p[P_COUNT] = {
        [P_SIGNAL] = {.fd = signals, .events = POLLIN},
        [P_CTL] = {.fd = run->port[PORT_CTL], .events = POLLIN},
        [P_OUT] = {.fd = run->out[0].over ? -1 : run->out[0].from, .events = POLLIN},
        [P_ERR] = {.fd = run->out[1].over ? -1 : run->out[1].from, .events = POLLIN},
        [P_IN] = {.fd = run->feed >= 0 && !pending ? run->port[PORT_IN] : -1, .events = POLLIN},
        [P_FEED] = {.fd = run->feed >= 0 && pending ? run->feed : -1, .events = POLLOUT},
    };

    if (poll(p, P_COUNT, -1) < 0) {
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (p[P_OUT + i].revents) {
            (void)carry(&run->out[i]);
        }
    }
    if (p[P_CTL].revents & POLLIN) {
        obey(run);
    }
    if (p[P_IN].revents & POLLIN || p[P_FEED].revents) {
        feed(run);
    }
    end_feed(run);
    if (p[P_SIGNAL].revents) {
        struct signalfd_siginfo info;
        (void)!read(signals, &info, sizeof(info));
        reap(run);
    }
}

static void set_nonblocking(int fd)
{
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void run_job(const int ports[PORT_COUNT])
{
    static struct run run;
    struct job job;
    sigset_t children;

    run.port = ports;
    run.in_total = UINT64_MAX;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL);
    signal(SIGPIPE, SIG_IGN);
    int signals = signalfd(-1, &children, SFD_CLOEXEC);
    tell(&run, FRAME_READY, NULL, 0);
    receive_job(ports, &job);
    signal(SIGPIPE, SIG_DFL); /* as the command inherits it */
    start(&run, &job);
    signal(SIGPIPE, SIG_IGN);
    set_nonblocking(run.feed);
    set_nonblocking(run.out[0].from);
    if (!run.tty) {
        set_nonblocking(run.out[1].from);
    }
    set_nonblocking(ports[PORT_IN]);
    set_nonblocking(ports[PORT_CTL]);
    while (!run.ended) {
        serve(&run, signals);
    }
    /* What the command has left in its pipes; those that it left running are not waited for. */
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned n = 0; n < 2 * PIPE_BYTES / CHUNK_BYTES + 1; n++) {
            if (run.out[i].over || !carry(&run.out[i])) {
                break;
            }
        }
    }
    sync();
    tell(&run, FRAME_STATUS, &run.status, sizeof(run.status));
}
