/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fork server: its socket, continuations, clients that are rude, and what is left at the end.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fork_client.h"
#include "fork_server.h"
#include "fork_socket.h"

#define FOREVER_SEED 1000 /* the continuation waits to be killed */
#define WAIT_MS      20000

static char *folder, *path;
static pid_t server;

/* A continuation: says what it reads, and ends with the seed as its status. */
static int continuation(void *opaque, const struct fork_message *go, const int fds[FORK_FDS_MAX],
                        struct fork_message *result)
{
    int log_fd = fds[FORK_FD_LOG];
    char bytes[100];
    ssize_t len;

    if (write(STDOUT_FILENO, "begin ", 6) != 6) {
        return 99;
    }
    while (go->seed == FOREVER_SEED) {
        pause();
    }
    while ((len = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0) {
        if (write(log_fd >= 0 ? log_fd : STDOUT_FILENO, bytes, (size_t)len) != len) {
            return 99;
        }
    }
    g_strlcpy(result->digest, "of this", sizeof(result->digest));
    return (int)go->seed;
}

/* A lock that a server holds, and that is gone when it has said END. */
static char *held;

static void release(void *opaque)
{
    g_usleep(50000); /* a client that was told too early would see it */
    g_unlink(opaque);
}

static void setup(void)
{
    struct fork_server_config config = {.run = continuation, .release = release};

    folder = g_dir_make_tmp("forkXXXXXX", NULL);
    path = g_build_filename(folder, "socket", NULL);
    held = g_build_filename(folder, "held", NULL);
    ck_assert(g_file_set_contents(held, "", 0, NULL));
    config.opaque = held;
    config.path = path;
    config.listen_fd = fork_socket_listen(path);
    ck_assert_int_ge(config.listen_fd, 0);
    fork_message_init(&config.hello, FORK_HELLO);
    config.hello.seed = 42;
    server = fork();
    if (server == 0) {
        signal(SIGTERM, SIG_DFL); /* Check's handler would end the test */
        fork_server_serve(&config);
        _exit(0);
    }
    close(config.listen_fd);
}

static void teardown(void)
{
    if (server) {
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
    }
    g_unlink(path);
    g_unlink(held);
    g_rmdir(folder);
    g_free(held);
    g_free(path);
    g_free(folder);
}

/* The server has ended by itself. */
static void expect_server_gone(void)
{
    int status = -1;

    ck_assert_int_eq(waitpid(server, &status, 0), server);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
    server = 0;
}

/* All that comes through a pipe until nobody holds its other end. */
static char *read_all(int fd)
{
    GString *text = g_string_new(NULL);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char bytes[100];

    for (;;) {
        ck_assert_int_eq(poll(&ready, 1, WAIT_MS), 1);
        ssize_t len = read(fd, bytes, sizeof(bytes));
        if (len <= 0) {
            break;
        }
        g_string_append_len(text, bytes, len);
    }
    close(fd);
    return g_string_free(text, FALSE);
}

static int pipe_with(const char *text)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], text, strlen(text)), (int)strlen(text));
    close(ends[1]);
    return ends[0];
}

static struct fork_request request_for(uint64_t seed, int in, int out)
{
    struct fork_request request = {.path = path, .fds = {in, out, STDERR_FILENO, -1, -1}};

    fork_message_init(&request.go, FORK_GO);
    request.go.flags = FORK_RESEEDS;
    request.go.seed = seed;
    return request;
}

/* A continuation with this seed works. */
static void expect_service(uint64_t seed)
{
    struct fork_message result;
    int ends[2], in = pipe_with("words");

    ck_assert_int_eq(pipe(ends), 0);
    struct fork_request request = request_for(seed, in, ends[1]);
    ck_assert_int_eq(fork_client_run(&request, &result), (int)seed);
    ck_assert_str_eq(result.digest, "of this");
    close(in);
    close(ends[1]);
    char *said = read_all(ends[0]);
    ck_assert_str_eq(said, "begin words");
    g_free(said);
}

/* Begins one that waits; returns the server's socket and, in *out, where its end is seen. */
static int begin_forever(int *out)
{
    struct fork_message hello;
    int fd = fork_socket_connect(path, &hello), ends[2];

    ck_assert_int_ge(fd, 0);
    ck_assert_uint_eq(hello.seed, 42);
    ck_assert_int_eq(pipe(ends), 0);
    struct fork_request request = request_for(FOREVER_SEED, STDIN_FILENO, ends[1]);
    ck_assert_int_eq(fork_wire_send(fd, &request.go, request.fds), 0);
    close(ends[1]);
    char bytes[6];
    ck_assert_int_eq(read(ends[0], bytes, 6), 6);
    *out = ends[0];
    return fd;
}

START_TEST(continuations_speak_for_themselves)
{
    struct stat st;

    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    expect_service(0);
    expect_service(7);

    struct fork_message result;
    int in = pipe_with("logged"), ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    struct fork_request request = request_for(1, in, STDERR_FILENO);
    request.fds[FORK_FD_LOG] = ends[1];
    request.go.flags |= FORK_LOGS;
    ck_assert_int_eq(fork_client_run(&request, &result), 1);
    close(ends[1]);
    close(in);
    char *said = read_all(ends[0]);
    ck_assert_str_eq(said, "logged");
    g_free(said);
}
END_TEST

/* With so many descriptors, whatever the message says. */
static void send_with(int fd, const struct fork_message *m, unsigned count)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(16 * sizeof(int))];
    } control = {0};
    struct iovec iov = {(void *)m, sizeof(*m)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    int fds[16];

    for (unsigned i = 0; i < 16; i++) {
        fds[i] = STDERR_FILENO;
    }
    struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(head), fds, count * sizeof(int));
    (void)!sendmsg(fd, &msg, MSG_NOSIGNAL);
}

START_TEST(rude_clients_are_dropped)
{
    struct fork_message hello, m;
    char noise[1024];

    for (unsigned i = 0; i < 60; i++) {
        int fd = fork_socket_connect(path, &hello);
        ck_assert_int_ge(fd, 0);
        memset(noise, (int)(i * 37), sizeof(noise));
        fork_message_init(&m, i % 7 ? (enum fork_verb)(i % 7) : FORK_GO);
        m.verb = m.verb == FORK_STOP ? FORK_END : m.verb; /* which is for anybody to say */
        if (i % 3 == 0) {
            (void)!send(fd, noise, 1 + i * 10, MSG_NOSIGNAL);
        } else if (i % 3 == 1) {
            m.flags = i & FORK_FLAGS;
            send_with(fd, &m, 1 + i % 16);
        } else {
            (void)!send(fd, &m, sizeof(m) - i % 2, MSG_NOSIGNAL);
        }
        close(fd);
    }
    int idle[20];
    for (unsigned i = 0; i < 20; i++) {
        idle[i] = fork_socket_connect(path, &hello);
        ck_assert_int_ge(idle[i], 0);
    }
    if (kill(server, 0) == 0 && g_file_test(path, G_FILE_TEST_EXISTS)) {
        expect_service(3);
    } else {
        ck_abort_msg("the server has gone");
    }
    for (unsigned i = 0; i < 20; i++) {
        close(idle[i]);
    }
}
END_TEST

START_TEST(nothing_outlives_its_client)
{
    int out, fd = begin_forever(&out), other_out, other = begin_forever(&other_out);

    close(fd);
    char *said = read_all(out); /* ends when the continuation has */
    ck_assert_str_eq(said, "");
    g_free(said);
    /* The other one is as it was, until it is told. */
    struct pollfd ready = {.fd = other_out, .events = POLLIN};
    ck_assert_int_eq(poll(&ready, 1, 50), 0);
    struct fork_message m;
    fork_message_init(&m, FORK_SIGNAL);
    m.value = SIGTERM;
    ck_assert_int_eq(fork_wire_send(other, &m, NULL), 0);
    g_free(read_all(other_out));
    struct pollfd end = {.fd = other, .events = POLLIN};
    ck_assert_int_eq(poll(&end, 1, WAIT_MS), 1);
    ck_assert_int_eq(fork_wire_receive(other, &m, NULL), FORK_GOT_MESSAGE);
    ck_assert_uint_eq(m.verb, FORK_END);
    ck_assert_int_eq(m.value, 128 + SIGTERM);
    close(other);
    expect_service(2);
}
END_TEST

START_TEST(nothing_outlives_the_server)
{
    int out, fd = begin_forever(&out);
    struct fork_message result;

    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    server = 0;
    g_free(read_all(out));
    close(fd);
    struct fork_request request = request_for(1, STDIN_FILENO, STDERR_FILENO);
    ck_assert_int_eq(fork_client_run(&request, &result), 2);
    ck_assert(fork_socket_check(path)); /* a new one may take its place */
}
END_TEST

START_TEST(stop_ends_it_all)
{
    int out, fd = begin_forever(&out);

    ck_assert_int_eq(fork_client_stop(path), 0);
    ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
    ck_assert(!g_file_test(held, G_FILE_TEST_EXISTS));
    g_free(read_all(out));
    close(fd);
    expect_server_gone();
    ck_assert_int_eq(fork_client_stop(path), 2);
}
END_TEST

START_TEST(server_without_a_name_ends)
{
    g_unlink(path);
    expect_server_gone();
}
END_TEST

START_TEST(other_things_are_refused)
{
    char *file = g_build_filename(folder, "file", NULL);
    char *absent = g_build_filename(folder, "absent", "socket", NULL);
    char *endless = g_strnfill(200, 'x');
    char *stream = g_build_filename(folder, "stream", NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct fork_message hello;

    ck_assert(g_file_set_contents(file, "text", -1, NULL));
    ck_assert(!fork_socket_check(file));
    ck_assert(!fork_socket_check(absent));
    ck_assert(!fork_socket_check(endless));
    ck_assert(!fork_socket_check(path)); /* there is a server */
    ck_assert_int_eq(fork_socket_listen(path), -1);
    ck_assert_int_eq(fork_socket_connect(file, &hello), -1);
    ck_assert_int_eq(fork_socket_connect(absent, &hello), -1);
    ck_assert_int_eq(fork_socket_connect(endless, &hello), -1);

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_strlcpy(address.sun_path, stream, sizeof(address.sun_path));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert(!fork_socket_check(stream));
    ck_assert_int_eq(fork_socket_connect(stream, &hello), -1);
    close(fd);
    g_unlink(stream);
    g_unlink(file);
    g_free(stream);
    g_free(endless);
    g_free(absent);
    g_free(file);
    expect_service(5);
}
END_TEST

/* A message of this verb with one thing wrong. */
static bool good_with(enum fork_verb verb, unsigned fds, size_t at, uint8_t byte)
{
    struct fork_message m;

    fork_message_init(&m, verb);
    m.value = verb == FORK_SIGNAL ? SIGINT : 0;
    if (at < sizeof(m)) {
        ((uint8_t *)&m)[at] = byte;
    }
    return fork_message_is_good(&m, sizeof(m), fds);
}

START_TEST(messages_are_looked_at)
{
    const size_t none = sizeof(struct fork_message);
    struct fork_message m;

    ck_assert(good_with(FORK_GO, 3, none, 0));
    ck_assert(!good_with(FORK_GO, 2, none, 0));
    ck_assert(!good_with(FORK_GO, 4, none, 0));
    ck_assert(good_with(FORK_GO, 4, offsetof(struct fork_message, flags), FORK_LOGS));
    ck_assert(good_with(FORK_GO, 4, offsetof(struct fork_message, flags), FORK_COMMAND));
    ck_assert(
        good_with(FORK_GO, 5, offsetof(struct fork_message, flags), FORK_COMMAND | FORK_LOGS));
    ck_assert(good_with(FORK_GO, 3, offsetof(struct fork_message, flags), FORK_INSPECT));
    ck_assert(!good_with(FORK_GO, 3, offsetof(struct fork_message, flags) + 1, 1));
    ck_assert(!good_with(FORK_GO, 3, 0, 'P'));
    ck_assert(!good_with(FORK_GO, 3, offsetof(struct fork_message, version), 2));
    ck_assert(!good_with(FORK_GO, 3, offsetof(struct fork_message, reserved), 1));
    ck_assert(!good_with(FORK_STOP, 1, none, 0));
    ck_assert(good_with(FORK_STOP, 0, none, 0));
    ck_assert(good_with(FORK_SIGNAL, 0, none, 0));
    ck_assert(!good_with(FORK_SIGNAL, 0, offsetof(struct fork_message, value), SIGSTOP));
    ck_assert(!good_with((enum fork_verb)7, 0, none, 0));
    ck_assert(!good_with((enum fork_verb)0, 0, none, 0));
    fork_message_init(&m, FORK_RESULT);
    memset(m.digest, 'x', sizeof(m.digest));
    ck_assert(!fork_message_is_good(&m, sizeof(m), 0));
    fork_message_init(&m, FORK_STOP);
    ck_assert(!fork_message_is_good(&m, sizeof(m) - 1, 0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fork_server");
    TCase *tc = tcase_create("server"), *wire = tcase_create("wire");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, continuations_speak_for_themselves);
    tcase_add_test(tc, rude_clients_are_dropped);
    tcase_add_test(tc, nothing_outlives_its_client);
    tcase_add_test(tc, nothing_outlives_the_server);
    tcase_add_test(tc, stop_ends_it_all);
    tcase_add_test(tc, server_without_a_name_ends);
    tcase_add_test(tc, other_things_are_refused);
    tcase_add_test(wire, messages_are_looked_at);
    suite_add_tcase(suite, tc);
    suite_add_tcase(suite, wire);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}
