/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between `pcilab fork` and its server. */
#include "fork_wire.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WIRE_VERSION 1
static const char wire_magic[8] = "pcilabF";

void fork_message_init(struct fork_message *message, enum fork_verb verb)
{
    memset(message, 0, sizeof(*message));
    memcpy(message->magic, wire_magic, sizeof(message->magic));
    message->version = WIRE_VERSION;
    message->verb = verb;
}

/* Which descriptors come with it, in the order of enum fork_fd. */
static bool needs_fd(const struct fork_message *m, unsigned which)
{
    return m->verb == FORK_GO &&
           (which <= FORK_FD_ERR || (which == FORK_FD_LOG && m->flags & FORK_LOGS) ||
            (which == FORK_FD_JOB && m->flags & FORK_COMMAND));
}

static unsigned fds_of(const struct fork_message *m)
{
    unsigned count = 0;

    for (unsigned i = 0; i < FORK_FDS_MAX; i++) {
        count += needs_fd(m, i);
    }
    return count;
}

static bool is_signal(const struct fork_message *m)
{
    return m->value == SIGINT || m->value == SIGTERM || m->value == SIGHUP || m->value == SIGUSR1;
}

bool fork_message_is_good(const void *bytes, size_t len, unsigned fds)
{
    struct fork_message m;

    if (len != sizeof(m)) {
        return false;
    }
    memcpy(&m, bytes, sizeof(m));
    return memcmp(m.magic, wire_magic, sizeof(m.magic)) == 0 && m.version == WIRE_VERSION &&
           m.verb >= FORK_HELLO && m.verb <= FORK_STOP && !(m.flags & ~FORK_FLAGS) && !m.reserved &&
           memchr(m.digest, '\0', sizeof(m.digest)) && fds == fds_of(&m) &&
           (m.verb != FORK_SIGNAL || is_signal(&m)) && (m.value >= 0 && m.value <= 255) &&
           m.error >= 0;
}

int fork_wire_send(int fd, const struct fork_message *message, const int *fds)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(FORK_FDS_MAX * sizeof(int))];
    } control = {0};
    struct iovec iov = {(void *)message, sizeof(*message)};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    unsigned count = 0;
    int send[FORK_FDS_MAX];
    ssize_t len;

    for (unsigned i = 0; fds && i < FORK_FDS_MAX; i++) {
        if (needs_fd(message, i)) {
            send[count++] = fds[i];
        }
    }
    if (count) {
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(head), send, count * sizeof(int));
    }
    do {
        len = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (len < 0 && errno == EINTR);
    return len < 0 ? errno : 0;
}

/* The descriptors that came, whatever else they came with. The room for them is what a GO has at
 * most: the kernel closes those beyond it. */
static unsigned take_fds(struct msghdr *msg, int fds[FORK_FDS_MAX])
{
    unsigned count = 0;

    for (struct cmsghdr *head = CMSG_FIRSTHDR(msg); head; head = CMSG_NXTHDR(msg, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        unsigned n = (unsigned)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (unsigned i = 0; i < n && count < FORK_FDS_MAX; i++) {
            memcpy(&fds[count++], CMSG_DATA(head) + i * sizeof(int), sizeof(int));
        }
    }
    return count;
}

enum fork_received fork_wire_receive(int fd, struct fork_message *message, int fds[FORK_FDS_MAX])
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(FORK_FDS_MAX * sizeof(int))];
    } control;
    struct iovec iov = {message, sizeof(*message)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    int got[FORK_FDS_MAX];
    ssize_t len;

    do {
        len = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (len < 0 && errno == EINTR);
    if (len < 0 && errno == EAGAIN) {
        return FORK_GOT_NOTHING;
    }
    unsigned count = len < 0 ? 0 : take_fds(&msg, got);
    bool good = len > 0 && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
                fork_message_is_good(message, (size_t)len, count);
    for (unsigned i = 0, next = 0; good && fds && i < FORK_FDS_MAX; i++) {
        fds[i] = needs_fd(message, i) ? got[next++] : -1;
    }
    for (unsigned i = 0; !(good && fds) && i < count; i++) {
        close(got[i]);
    }
    return good ? FORK_GOT_MESSAGE : FORK_GOT_END;
}
