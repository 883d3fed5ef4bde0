/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Unix socket of a fork server: packets (SOCK_SEQPACKET), mode 0600, and both ends look at each
 * other's user, since a folder may let others in.
 */
#include "fork_socket.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"

#define HELLO_WAIT_MS 10000
#define BACKLOG       128
/* A new socket gets its name when it listens; until then it has this more. */
#define NEW_SUFFIX ".new"

static bool fill_address(struct sockaddr_un *address, const char *path, const char *suffix)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (!*path || strlen(path) + strlen(NEW_SUFFIX) >= sizeof(address->sun_path)) {
        cli_error("%s: the path of a socket has 1 to %zu bytes", path,
                  sizeof(address->sun_path) - strlen(NEW_SUFFIX) - 1);
        return false;
    }
    g_snprintf(address->sun_path, sizeof(address->sun_path), "%s%s", path, suffix);
    return true;
}

static int new_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        cli_error("no socket: %s", g_strerror(errno));
    }
    return fd;
}

/* The errno of connecting there, or 0. */
static int try_connect(const struct sockaddr_un *address)
{
    int fd = new_socket(), result = 0;

    if (fd < 0) {
        return EMFILE;
    }
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0) {
        result = errno;
    }
    close(fd);
    return result;
}

bool fork_socket_check(const char *path)
{
    struct sockaddr_un address;
    struct stat st;

    if (!fill_address(&address, path, "")) {
        return false;
    }
    if (lstat(path, &st) != 0) {
        char *folder = g_path_get_dirname(path);
        int error = errno != ENOENT || access(folder, W_OK | X_OK) != 0 ? errno : 0;

        if (error) {
            cli_error("--serve %s: %s", path, g_strerror(error));
        }
        g_free(folder);
        return !error;
    }
    if (!S_ISSOCK(st.st_mode)) {
        cli_error("--serve %s: this is there already and is no socket", path);
    } else if (st.st_uid != geteuid()) {
        cli_error("--serve %s: this socket belongs to somebody else", path);
    } else {
        int error = try_connect(&address);
        if (error == ECONNREFUSED) { /* its server was killed */
            return true;
        }
        if (error) {
            cli_error("--serve %s: this is another program's socket (%s)", path, g_strerror(error));
        } else {
            cli_error("--serve %s: somebody serves there already; to end it: pcilab fork %s --stop",
                      path, path);
        }
    }
    return false;
}

int fork_socket_listen(const char *path)
{
    struct sockaddr_un address;

    if (!fork_socket_check(path) || !fill_address(&address, path, NEW_SUFFIX)) {
        return -1;
    }
    int fd = new_socket();
    if (fd < 0) {
        return -1;
    }
    mode_t mask = umask(0177);
    (void)unlink(address.sun_path);
    bool ok = bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    umask(mask);
    if (!ok || listen(fd, BACKLOG) != 0 || rename(address.sun_path, path) != 0) {
        cli_error("--serve %s: %s", path, g_strerror(errno));
        if (ok) {
            (void)unlink(address.sun_path);
        }
        close(fd);
        return -1;
    }
    return fd;
}

bool fork_socket_is_mine(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == geteuid();
}

static bool take_hello(int fd, struct fork_message *hello)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int64_t until_us = g_get_monotonic_time() + HELLO_WAIT_MS * 1000;
    int64_t left_us;

    while ((left_us = until_us - g_get_monotonic_time()) > 0) {
        if (poll(&ready, 1, (int)(left_us / 1000) + 1) <= 0) {
            continue;
        }
        switch (fork_wire_receive(fd, hello, NULL)) {
        case FORK_GOT_MESSAGE: return hello->verb == FORK_HELLO;
        case FORK_GOT_END: return false;
        case FORK_GOT_NOTHING: break;
        }
    }
    return false;
}

int fork_socket_connect(const char *path, struct fork_message *hello)
{
    struct sockaddr_un address;
    int fd = fill_address(&address, path, "") ? new_socket() : -1;

    if (fd < 0) {
        return -1;
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        int error = errno;
        struct stat st;

        if (error == ECONNREFUSED && stat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
            cli_error("%s: the server there has gone; start one with: pcilab boot --checkpoint-at "
                      "WHERE --serve %s",
                      path, path);
        } else if (error == EPROTOTYPE || error == ECONNREFUSED) {
            cli_error("%s: this is not the socket of a pcilab boot --serve", path);
        } else {
            cli_error("%s: %s", path, g_strerror(error));
        }
    } else if (!fork_socket_is_mine(fd)) {
        cli_error("%s: the server there is another user's", path);
    } else if (!take_hello(fd, hello)) {
        cli_error("%s: what answers there is no pcilab boot --serve of this version", path);
    } else {
        return fd;
    }
    close(fd);
    return -1;
}
