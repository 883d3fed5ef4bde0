/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The socket: a path that only its owner may connect to (mode 0600), and its connections, served
 * without ever waiting for one.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <gio/gio.h>

#include "internal.h"

#define BACKLOG    128
#define TAKE_BYTES 65536
#define NEW_SUFFIX ".new" /* until it listens */

static bool fail(GError **error, const char *path, const char *why)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: %s", path, why);
    return false;
}

static bool fill_address(struct sockaddr_un *address, const char *path, const char *suffix,
                         GError **error)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (!*path || strlen(path) + strlen(NEW_SUFFIX) >= sizeof(address->sun_path)) {
        return fail(error, path, "the path of a socket has 1 to 103 bytes");
    }
    g_snprintf(address->sun_path, sizeof(address->sun_path), "%s%s", path, suffix);
    return true;
}

static int new_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* The errno of connecting there; 0: somebody serves. */
static int try_connect(const struct sockaddr_un *address)
{
    int fd = new_socket(), result = 0;

    if (fd < 0)
        return errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
        result = errno;
    close(fd);
    return result;
}

/* Nothing is there, or what a pcilab of ours left that was killed. */
static bool check(const struct sockaddr_un *address, GError **error)
{
    const char *path = address->sun_path;
    struct stat st;
    int result;

    if (lstat(path, &st) != 0)
        return errno == ENOENT || fail(error, path, g_strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return fail(error, path, "this is there already and is no socket");
    if (st.st_uid != geteuid())
        return fail(error, path, "this socket belongs to somebody else");
    result = try_connect(address);
    if (result == ECONNREFUSED)
        return true;
    return fail(error, path,
                result && result != EAGAIN ? "this is another program's socket"
                                           : "somebody listens there already");
}

bool control_listen(struct control *control, const char *path, GError **error)
{
    struct sockaddr_un address, fresh;
    struct stat st = {0};
    mode_t mask;
    bool ok;

    if (!fill_address(&address, path, "", error) || !check(&address, error) ||
        !fill_address(&fresh, path, NEW_SUFFIX, error))
        return false;
    int fd = new_socket();
    if (fd < 0)
        return fail(error, path, g_strerror(errno));
    mask = umask(0177);
    (void)unlink(fresh.sun_path);
    ok = bind(fd, (const struct sockaddr *)&fresh, sizeof(fresh)) == 0;
    umask(mask);
    if (!ok || listen(fd, BACKLOG) != 0 || rename(fresh.sun_path, path) != 0) {
        fail(error, path, g_strerror(errno));
        if (ok)
            (void)unlink(fresh.sun_path);
        close(fd);
        return false;
    }
    control->fd = fd;
    control->path = g_strdup(path);
    control->is_ours = lstat(path, &st) == 0;
    control->device = st.st_dev;
    control->inode = st.st_ino;
    return true;
}

/* What does not go now waits in the client's buffer. */
static void send_some(struct control_peer *peer)
{
    size_t len;
    const uint8_t *bytes = control_peer_output(peer, &len);

    while (len) {
        ssize_t sent = send(peer->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) {
            peer->lost |= errno != EAGAIN;
            return;
        }
        control_peer_sent(peer, (size_t)sent);
        bytes = control_peer_output(peer, &len);
    }
}

static void drop(struct control_peer *peer)
{
    struct control *control = peer->control;

    send_some(peer);
    close(peer->fd);
    control_peer_free(peer);
    control->connections--;
}

/* One piece a turn: who sends without end does not keep the others waiting. */
static void hear(struct control_peer *peer)
{
    uint8_t bytes[TAKE_BYTES];
    ssize_t len = recv(peer->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (len > 0)
        control_peer_take(peer, bytes, (size_t)len);
    else if (len == 0)
        peer->ended = true; /* it may still wait for answers: `printf ... | nc -N` */
    else if (errno != EAGAIN && errno != EINTR)
        peer->lost = true;
}

static void accept_all(struct control *control)
{
    static const char full[] = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,"
                               "\"message\":\"128 clients are connected already\"}}\n";
    int fd;

    while ((fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        if (control->connections == CONTROL_CLIENTS_MAX) {
            (void)!send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
            close(fd);
            continue;
        }
        control_peer_new(control)->fd = fd;
        control->connections++;
    }
}

void control_fill(const struct control *control, GArray *fds)
{
    struct pollfd listening = {.fd = control->fd, .events = POLLIN};

    if (control->fd < 0)
        return;
    g_array_append_val(fds, listening);
    for (const struct control_peer *peer = control->peers; peer; peer = peer->next) {
        struct pollfd connection = {
            .fd = peer->fd,
            .events = (short)((peer->ended ? 0 : POLLIN) | (peer->output->len ? POLLOUT : 0))};

        if (peer->fd >= 0 && connection.events)
            g_array_append_val(fds, connection);
    }
}

void control_serve(struct control *control)
{
    struct control_peer *next;

    if (control->fd < 0)
        return;
    accept_all(control);
    for (struct control_peer *peer = control->peers; peer; peer = next) {
        next = peer->next;
        if (peer->fd < 0)
            continue;
        if (!peer->ended && !peer->lost)
            hear(peer);
        send_some(peer);
        if (peer->lost || (peer->ended && !peer->calls && !peer->output->len))
            drop(peer);
    }
}

/* Somebody may have put another one there meanwhile. */
static void remove_path(const struct control *control)
{
    struct stat st;

    if (control->is_ours && lstat(control->path, &st) == 0 && st.st_dev == control->device &&
        st.st_ino == control->inode)
        (void)unlink(control->path);
}

void control_close(struct control *control)
{
    struct control_peer *next;

    for (struct control_peer *peer = control->peers; peer; peer = next) {
        next = peer->next;
        if (peer->fd >= 0)
            drop(peer);
    }
    if (control->fd >= 0) {
        close(control->fd);
        remove_path(control);
        control->fd = -1;
    }
    g_clear_pointer(&control->path, g_free);
}
