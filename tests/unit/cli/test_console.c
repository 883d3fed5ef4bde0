/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal: raw while the console is open and as it was on every way out; Ctrl-A's keys. */
#include <check.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "pcilab/io/console.h"

struct terminal {
    int person, program; /* the two ends */
    struct termios before;
};

static void terminal_open(struct terminal *t)
{
    ck_assert_int_eq(openpty(&t->person, &t->program, NULL, NULL, NULL), 0);
    ck_assert_int_eq(tcgetattr(t->program, &t->before), 0);
    ck_assert(t->before.c_lflag & ICANON);
}

static void terminal_close(struct terminal *t)
{
    close(t->person);
    close(t->program);
}

static bool is_raw(const struct terminal *t)
{
    struct termios now;

    ck_assert_int_eq(tcgetattr(t->program, &now), 0);
    return !(now.c_lflag & (ICANON | ECHO | ISIG));
}

static bool is_as_before(const struct terminal *t)
{
    struct termios now;

    ck_assert_int_eq(tcgetattr(t->program, &now), 0);
    return now.c_lflag == t->before.c_lflag && now.c_iflag == t->before.c_iflag &&
           now.c_oflag == t->before.c_oflag;
}

static void type(struct terminal *t, struct console *console, const char *keys)
{
    ck_assert_int_eq(write(t->person, keys, strlen(keys)), (ssize_t)strlen(keys));
    console_wait(console, 1000);
}

static void expect_input(struct console *console, const char *text)
{
    const uint8_t *bytes;
    unsigned len = console_peek(console, &bytes);

    ck_assert_uint_eq(len, strlen(text));
    ck_assert_int_eq(memcmp(bytes, text, len), 0);
    console_consume(console, len);
}

START_TEST(test_raw_and_back)
{
    struct terminal t;

    terminal_open(&t);
    struct console *console = console_open(t.program, t.program, 0);
    ck_assert_int_eq(console_source(console), CONSOLE_TERMINAL);
    ck_assert(is_raw(&t));
    console_close(console);
    ck_assert(is_as_before(&t));
    terminal_close(&t);
}
END_TEST

START_TEST(test_keys)
{
    struct terminal t;

    terminal_open(&t);
    struct console *console = console_open(t.program, t.program, 0);
    /* Ctrl-C, Ctrl-D, Ctrl-Z are the guest's. */
    type(&t, console, "ls\r\003\004\032");
    expect_input(console, "ls\r\003\004\032");
    ck_assert_int_eq(console_command(console), CONSOLE_NOTHING);
    type(&t, console, "a\001hb\001");
    expect_input(console, "ab");
    type(&t, console, "xc");
    expect_input(console, "c");
    ck_assert_int_eq(console_command(console), CONSOLE_HELP);
    ck_assert_int_eq(console_command(console), CONSOLE_LEAVE);
    ck_assert_int_eq(console_command(console), CONSOLE_NOTHING);
    type(&t, console, "\001\001\001a\001qz");
    expect_input(console, "\001\001z");
    ck_assert_int_eq(console_command(console), CONSOLE_NOTHING);
    /* More than are kept: the rest is dropped. */
    for (unsigned i = 0; i < 20; i++) {
        type(&t, console, "\001s");
    }
    for (unsigned i = 0; i < 8; i++) {
        ck_assert_int_eq(console_command(console), CONSOLE_STATUS);
    }
    ck_assert_int_eq(console_command(console), CONSOLE_NOTHING);
    console_close(console);
    terminal_close(&t);
}
END_TEST

START_TEST(test_hangup)
{
    struct terminal t;

    terminal_open(&t);
    struct console *console = console_open(t.program, t.program, 0);
    close(t.person);
    console_wait(console, 1000);
    ck_assert(console_ended(console));
    console_close(console);
    close(t.program);
}
END_TEST

START_TEST(test_output)
{
    struct terminal t;
    char text[10001];
    size_t len = 0;

    terminal_open(&t);
    struct console *console = console_open(t.program, t.program, 0);
    pid_t reader = fork();
    if (reader == 0) {
        while (len < 10000) {
            ssize_t n = read(t.person, text + len, 10000 - len);
            if (n <= 0) {
                _exit(1);
            }
            len += (size_t)n;
        }
        _exit(memchr(text, 'b', len) ? 1 : 0);
    }
    for (unsigned i = 0; i < 10000; i++) {
        console_put(console, 'a');
    }
    ck_assert_int_eq(console_flush(console), 0);
    int status;
    ck_assert_int_eq(waitpid(reader, &status, 0), reader);
    ck_assert_int_eq(status, 0);
    console_close(console);
    terminal_close(&t);
}
END_TEST

/* Ends the process in some way with the terminal raw. */
static void child_end(struct terminal *t, int number, bool twice)
{
    static struct console *volatile console; /* still known at the exit: no leak */
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    for (int i = 1; i < 32; i++) {
        signal(i, SIG_DFL);
    }
    console = console_open(t->program, t->program, 0);
    if (!console || !is_raw(t)) {
        _exit(99);
    }
    if (number == 0) {
        exit(0);
    }
    raise(number);
    if (twice) {
        raise(number);
    }
    _exit(98);
}

static const struct {
    int number;
    bool twice;
} ends[] = {{0, false},      {SIGABRT, false}, {SIGSEGV, false}, {SIGQUIT, false}, {SIGBUS, false},
            {SIGFPE, false}, {SIGTRAP, false}, {SIGINT, true},   {SIGTERM, true},  {SIGHUP, true}};

START_TEST(test_restored_on_the_way_out)
{
    struct terminal t;
    int status;

    terminal_open(&t);
    pid_t child = fork();
    if (child == 0) {
        child_end(&t, ends[_i].number, ends[_i].twice);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    if (ends[_i].twice) {
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 128 + ends[_i].number);
    } else if (ends[_i].number) {
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == ends[_i].number);
    } else {
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    ck_assert_msg(is_as_before(&t), "raw after signal %d", ends[_i].number);
    terminal_close(&t);
}
END_TEST

START_TEST(test_suspend)
{
    struct terminal t;
    int status;

    terminal_open(&t);
    pid_t child = fork();
    if (child == 0) {
        struct console *console = console_open(t.program, t.program, 0);
        raise(SIGTSTP);
        int raw = is_raw(&t);
        console_close(console);
        _exit(raw ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
    ck_assert(WIFSTOPPED(status));
    ck_assert(is_as_before(&t));
    kill(child, SIGCONT);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert(is_as_before(&t));
    terminal_close(&t);
}
END_TEST

/* No writer, no bytes, a closed descriptor: the end, at once. */
START_TEST(test_nothing_to_read)
{
    const uint8_t *bytes;
    int pipe_ends[2];

    ck_assert_int_eq(pipe(pipe_ends), 0);
    close(pipe_ends[1]);
    struct console *console = console_open(pipe_ends[0], STDERR_FILENO, 1000);
    ck_assert_int_eq(console_source(console), CONSOLE_WHOLE);
    ck_assert(console_ended(console));
    ck_assert_uint_eq(console_peek(console, &bytes), 0);
    console_close(console);
    close(pipe_ends[0]);

    console = console_open(pipe_ends[0], STDERR_FILENO, 1000);
    ck_assert(console_ended(console));
    console_close(console);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("console");
    TCase *tcase = tcase_create("console");

    tcase_add_test(tcase, test_raw_and_back);
    tcase_add_test(tcase, test_keys);
    tcase_add_test(tcase, test_hangup);
    tcase_add_test(tcase, test_output);
    tcase_add_loop_test(tcase, test_restored_on_the_way_out, 0, G_N_ELEMENTS(ends));
    tcase_add_test(tcase, test_suspend);
    tcase_add_test(tcase, test_nothing_to_read);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
