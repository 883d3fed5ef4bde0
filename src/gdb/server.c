/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TCP socket that a debugger connects to. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pcilab/gdb/gdb.h"

#define INPUT_BYTES 4096
/* A debugger that reads nothing is gone. */
#define SEND_WAIT_MS 10000

struct gdb_server {
    struct gdb *gdb;
    struct gdb_ops ops;
    int listener, connection; /* -1: none */
    bool broken;              /* it could not be sent to */
    char *address;
};

static void drop(struct gdb_server *server)
{
    if (server->connection >= 0) {
        close(server->connection);
        server->connection = -1;
        gdb_gone(server->gdb);
    }
    server->broken = false;
}

static void send_bytes(void *opaque, const char *bytes, size_t len)
{
    struct gdb_server *server = opaque;

    while (len > 0 && server->connection >= 0 && !server->broken) {
        ssize_t sent = send(server->connection, bytes, len, MSG_NOSIGNAL);
        if (sent > 0) {
            bytes += sent;
            len -= (size_t)sent;
        } else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            struct pollfd fd = {.fd = server->connection, .events = POLLOUT};
            server->broken = poll(&fd, 1, SEND_WAIT_MS) <= 0;
        } else if (sent < 0 && errno != EINTR) {
            server->broken = true;
        }
    }
}

static char *ask_inspect(void *opaque, struct machine *machine, const char *words)
{
    struct gdb_server *server = opaque;

    return server->ops.inspect(server->ops.opaque, machine, words);
}

static char *ask_history(void *opaque)
{
    struct gdb_server *server = opaque;

    return server->ops.history(server->ops.opaque);
}

/* ---- Listening ---- */

/* "[HOST:]PORT", "[HOST]:PORT": an empty host stands for this machine alone. */
static bool split_address(const char *address, char **host, char **port)
{
    const char *colon = strrchr(address, ':');
    uint64_t number;

    *port = g_strdup(colon ? colon + 1 : address);
    *host = colon ? g_strndup(address, (size_t)(colon - address)) : g_strdup("");
    size_t len = strlen(*host);
    if (len >= 2 && (*host)[0] == '[' && (*host)[len - 1] == ']') {
        memmove(*host, *host + 1, len - 2);
        (*host)[len - 2] = '\0';
    }
    if (!(*host)[0]) {
        g_free(*host);
        *host = g_strdup("127.0.0.1");
    }
    return g_ascii_string_to_unsigned(*port, 10, 0, 65535, &number, NULL);
}

static int listen_at(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, 1) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static char *name_of(int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof(at);
    char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";

    getsockname(fd, (struct sockaddr *)&at, &len);
    getnameinfo((struct sockaddr *)&at, len, host, sizeof(host), port, sizeof(port),
                NI_NUMERICHOST | NI_NUMERICSERV);
    return g_strdup_printf(strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

static int open_listener(const char *address, GError **error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    char *host, *port;
    int fd = -1, result = 0;

    if (!split_address(address, &host, &port)) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                    "\"%s\": want [HOST:]PORT, a port is 0 to 65535", address);
    } else if ((result = getaddrinfo(host, port, &hints, &found)) != 0) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT, "%s: %s", host,
                    gai_strerror(result));
    } else {
        for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
            fd = listen_at(at);
        }
        if (fd < 0) {
            g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT, "%s: %s", address,
                        g_strerror(errno));
        }
        freeaddrinfo(found);
    }
    g_free(host);
    g_free(port);
    return fd;
}

struct gdb_server *gdb_server_new(struct machine *machine, const char *address,
                                  const struct gdb_ops *ops, GError **error)
{
    int listener = open_listener(address, error);

    if (listener < 0) {
        return NULL;
    }
    struct gdb_server *server = g_new0(struct gdb_server, 1);
    server->ops = *ops;
    server->listener = listener;
    server->connection = -1;
    server->address = name_of(listener);
    struct gdb_ops own = {
        .send = send_bytes,
        .inspect = ops->inspect ? ask_inspect : NULL,
        .history = ops->history ? ask_history : NULL,
        .reverse = ops->reverse,
        .opaque = server,
    };
    server->gdb = gdb_new(machine, &own);
    return server;
}

void gdb_server_free(struct gdb_server *server)
{
    if (!server) {
        return;
    }
    drop(server);
    close(server->listener);
    gdb_free(server->gdb);
    g_free(server->address);
    g_free(server);
}

const char *gdb_server_address(const struct gdb_server *server)
{
    return server->address;
}

struct gdb *gdb_server_session(struct gdb_server *server)
{
    return server->gdb;
}

bool gdb_server_is_connected(const struct gdb_server *server)
{
    return server->connection >= 0;
}

/* ---- Serving ---- */

static void accept_one(struct gdb_server *server)
{
    int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), on = 1;

    if (fd >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        server->connection = fd;
        gdb_connected(server->gdb);
    }
}

static void take_input(struct gdb_server *server)
{
    uint8_t bytes[INPUT_BYTES];
    ssize_t got = recv(server->connection, bytes, sizeof(bytes), 0);

    if (got > 0) {
        gdb_input(server->gdb, bytes, (size_t)got);
    }
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR) || server->broken ||
        gdb_detached(server->gdb)) {
        drop(server);
    }
}

bool gdb_server_interrupted(const struct gdb_server *server)
{
    uint8_t byte = 0;
    ssize_t got = recv(server->connection, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    if (got == 1 && (byte == '+' || byte == 0x03)) {
        (void)recv(server->connection, &byte, 1, MSG_DONTWAIT);
    }
    return got == 0 || (got == 1 && byte == 0x03);
}

void gdb_server_drop(struct gdb_server *server)
{
    drop(server);
}

void gdb_server_serve(struct gdb_server *server, int timeout_ms)
{
    bool connected = server->connection >= 0;
    struct pollfd fd = {.fd = connected ? server->connection : server->listener, .events = POLLIN};

    if (poll(&fd, 1, timeout_ms) <= 0) {
        return;
    }
    if (connected) {
        take_input(server);
    } else {
        accept_one(server);
    }
}
