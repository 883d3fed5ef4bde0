/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab fork: continue from the checkpoint that a server holds, once or many times. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boot_options.h"
#include "checkpoint_options.h"
#include "cli.h"
#include "command.h"
#include "fork.h"
#include "fork_client.h"
#include "fork_socket.h"
#include "pcilab/config/units.h"
#include "pcilab/sim/sim.h"

struct fork_options {
    char *seed, **limits, *log;
    gboolean digest, stop, quiet, verbose;
    struct checkpoint_options many;
    char **rest;
    char **command; /* after "--"; NULL: there is no "--" */
    gboolean tty;
    bool done; /* the exit status is a continuation's */
    struct fork_request request;
};

/* What the handler needs; signals have no other way. */
static volatile sig_atomic_t stop_signal;

static void on_stop(int number)
{
    stop_signal = number;
}

static bool was_stopped(void *opaque)
{
    return stop_signal != 0;
}

/* All of standard input (none of a terminal) or of --input, for each continuation to read from the
 * start: -1, said why. */
static int copy_input(int in)
{
    int copy = memfd_create("input", MFD_CLOEXEC);
    char bytes[65536];
    ssize_t len = 0;

    while (copy >= 0 && !isatty(in) && (len = read(in, bytes, sizeof(bytes))) > 0) {
        if (write(copy, bytes, (size_t)len) != len) {
            len = -1;
            break;
        }
    }
    if (copy < 0 || len < 0) {
        cli_error("the input of the continuations: %s", g_strerror(errno));
        if (copy >= 0) {
            close(copy);
        }
        return -1;
    }
    return copy;
}

/* In a child of ours, which is one client. */
static int run_one(void *opaque, uint64_t seed, int log_fd, struct fork_result *result)
{
    struct fork_request request = *(const struct fork_request *)opaque;
    char *path = g_strdup_printf("/proc/self/fd/%d", request.fds[FORK_FD_IN]);
    struct fork_message told;

    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    request.fds[FORK_FD_IN] = open(path, O_RDONLY | O_CLOEXEC);
    g_free(path);
    if (request.fds[FORK_FD_IN] < 0 || dup2(log_fd, STDERR_FILENO) < 0) {
        return CLI_USAGE;
    }
    request.fds[FORK_FD_OUT] = request.fds[FORK_FD_ERR] = log_fd;
    request.go.seed = seed;
    request.go.flags |= FORK_RESEEDS;
    int status = fork_client_run(&request, &told);
    result->virtual_ps = told.virtual_ps;
    g_strlcpy(result->digest, told.digest, sizeof(result->digest));
    return status;
}

static int run_many(struct fork_options *o, const struct fork_message *hello)
{
    struct fork_plan plan = {
        .run = run_one,
        .stopped = was_stopped,
        .opaque = &o->request,
        .seed_first = o->many.seed_first,
        .seed_count = o->many.seed_count,
        .repeat = o->many.repeat,
        .parallel = o->many.parallel,
        .logs = o->many.logs,
        .commands = o->request.go.flags & FORK_COMMAND,
        .booted_us = hello->booted_us,
    };
    struct sigaction stop = {.sa_handler = on_stop}; /* and waiting for a child is interrupted */

    if (o->many.logs && g_mkdir_with_parents(o->many.logs, 0777) != 0) {
        cli_error("--logs %s: %s", o->many.logs, g_strerror(errno));
        return CLI_USAGE;
    }
    int input = copy_input(o->request.fds[FORK_FD_IN]);
    if (input < 0) {
        return CLI_USAGE;
    }
    o->request.fds[FORK_FD_IN] = input;
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGHUP, &stop, NULL);
    int status = fork_many(&plan);
    o->done = true;
    close(input);
    return stop_signal ? 128 + stop_signal : status;
}

static int run_alone(struct fork_options *o)
{
    struct fork_message result;

    o->request.passes_signals = true;
    if (!o->quiet && (o->verbose || isatty(STDERR_FILENO))) {
        o->request.go.flags |= FORK_NOTES;
    }
    int status = fork_client_run(&o->request, &result);
    o->done = result.verb == FORK_RESULT;
    if (o->digest && *result.digest && o->request.go.flags & FORK_COMMAND) {
        fprintf(stderr, "%s\n", result.digest); /* stdout is the command's */
    } else if (o->digest && *result.digest) {
        printf("%s%s\n", result.flags & FORK_MID_LINE ? "\n" : "", result.digest);
    }
    return fflush(stdout) == 0 ? status : CLI_USAGE;
}

static bool open_files(struct fork_options *o)
{
    int *fds = o->request.fds;

    if (o->many.input) {
        fds[FORK_FD_IN] = open(o->many.input, O_RDONLY | O_CLOEXEC);
        if (fds[FORK_FD_IN] < 0) {
            cli_error("--input %s: %s", o->many.input, g_strerror(errno));
            return false;
        }
    }
    if (o->log) {
        fds[FORK_FD_LOG] = open(o->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fds[FORK_FD_LOG] < 0) {
            cli_error("--log %s: %s", o->log, g_strerror(errno));
            return false;
        }
        o->request.go.flags |= FORK_LOGS;
    }
    return true;
}

/* The command, or a shell, as a file that each continuation reads. */
static bool make_job(struct fork_options *o, bool many)
{
    const char *shell = g_getenv("SHELL");
    const char *words[2] = {shell && *shell ? shell : "/bin/sh", NULL};
    bool tty = o->tty || (!o->command && isatty(STDIN_FILENO) && !many);
    const char *const *argv = o->command ? (const char *const *)o->command : words;
    GByteArray *frame = command_make_job(argv, tty);
    int fd = memfd_create("job", MFD_CLOEXEC);
    bool ok = fd >= 0 && write(fd, frame->data, frame->len) == (ssize_t)frame->len;

    if (!ok) {
        cli_error("the command: %s", g_strerror(errno));
    }
    o->request.fds[FORK_FD_JOB] = fd;
    o->request.go.flags |= FORK_COMMAND | (tty ? FORK_TTY : 0);
    g_byte_array_unref(frame);
    return ok;
}

/* What the server waits for is what there is. */
static bool match(struct fork_options *o, const struct fork_message *hello, bool many)
{
    if (hello->flags & FORK_COMMAND) {
        return make_job(o, many);
    }
    if (o->command || o->tty) {
        cli_error("%s: its guest waits for no command; boot it with --checkpoint-at command",
                  o->request.path);
        return false;
    }
    return true;
}

static bool take_options(struct fork_options *o)
{
    struct fork_message *go = &o->request.go;
    uint64_t wall_ps = 0;

    if (g_strv_length(o->rest ? o->rest : (char *[]){NULL}) != 1) {
        cli_error("one path is needed, that of a pcilab boot --serve PATH; see pcilab fork --help");
        return false;
    }
    o->request.path = o->rest[0];
    if (o->seed && !units_parse_uint(o->seed, &go->seed)) {
        cli_error("--seed \"%s\" is not allowed; it is a number of up to 64 bits", o->seed);
        return false;
    }
    go->flags |= o->seed ? FORK_RESEEDS : 0;
    for (unsigned i = 0; o->limits && o->limits[i]; i++) {
        if (!boot_limit_parse(o->limits[i], &go->limit_ps, &wall_ps)) {
            return false;
        }
    }
    go->limit_wall_us = wall_ps / PS_PER_US;
    bool many = o->many.times || o->many.seeds;
    if (!many && (o->many.jobs || o->many.logs)) {
        cli_error("--jobs and --logs are for many continuations: add --times N or --seeds A..B");
    } else if (many && o->log) {
        cli_error("--log is for one continuation; with --times or --seeds see --logs");
    } else if (o->command && !o->command[0]) {
        cli_error("there is no command after \"--\"; for a shell leave it out, too");
    } else if (o->tty && many) {
        cli_error("--tty is for one run: many have no terminal");
    } else if (o->stop && (many || o->log || o->many.input || o->seed || o->command || o->tty)) {
        cli_error("--stop ends the server and continues nothing");
    } else {
        return true;
    }
    return false;
}

static int act(struct fork_options *o)
{
    bool many = o->many.times || o->many.seeds;
    struct fork_message hello;

    if (!take_options(o)) {
        return CLI_USAGE;
    }
    if (o->stop) {
        return fork_client_stop(o->request.path);
    }
    int fd = fork_socket_connect(o->request.path, &hello);
    if (fd < 0) {
        return CLI_USAGE;
    }
    close(fd);
    if (!match(o, &hello, many)) {
        return CLI_USAGE;
    }
    if (!many) {
        return open_files(o) ? run_alone(o) : CLI_USAGE;
    }
    o->many.where = g_strdup(o->request.path); /* that is where it continues from */
    uint64_t first = o->seed ? o->request.go.seed : hello.seed;
    return checkpoint_options_take(&o->many, first) && open_files(o) ? run_many(o, &hello)
                                                                     : CLI_USAGE;
}

static GOptionContext *make_context(const GOptionEntry *entries)
{
    GOptionContext *context = g_option_context_new("PATH [-- COMMAND ARGUMENTS...] - continue from "
                                                   "the checkpoint of pcilab boot --serve PATH");

    g_option_context_set_summary(
        context, "The guest goes on from the checkpoint in a process of its own, with its console "
                 "on stdin and\nstdout. What it writes to disks stays in memory. Any number may "
                 "run at once.\nIf it was booted with --checkpoint-at command, COMMAND runs in it, "
                 "as with\npcilab boot -- COMMAND; without one, a shell.");
    g_option_context_set_description(
        context,
        "Examples:\n"
        "  pcilab boot --checkpoint-at 'console: / #' --serve /tmp/lab </dev/null\n"
        "  echo 'lspci -tv; poweroff -f' | pcilab fork /tmp/lab\n"
        "  pcilab fork /tmp/lab                     a shell; Ctrl-A x leaves\n"
        "  pcilab fork /tmp/lab --times 100 --input test.sh\n"
        "                                           with 100 seeds; TAP, and a summary\n"
        "  pcilab fork /tmp/lab --stop\n"
        "\n"
        "  pcilab boot --ktree ~/linux --checkpoint-at command --serve /tmp/lab\n"
        "  pcilab fork /tmp/lab -- ./test.sh 'an argument'\n"
        "\n"
        "Exit status: that of pcilab boot, with a command or without one. 2 (126 with a command):\n"
        "also when there is no server, or it went away.\n");
    g_option_context_add_main_entries(context, entries, NULL);
    return context;
}

int cli_fork(char **argv)
{
    struct fork_options o = {.request.fds = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, -1, -1}};
    const GOptionEntry entries[] = {
        {"seed", 0, 0, G_OPTION_ARG_STRING, &o.seed,
         "Seed of all randomness from here on; default: the boot's", "N"},
        {"times", 0, 0, G_OPTION_ARG_STRING, &o.many.times,
         "Continue N times, with N seeds; with --seeds, N times with each", "N"},
        {"seeds", 0, 0, G_OPTION_ARG_STRING, &o.many.seeds, "Continue once with each of these",
         "A..B"},
        {"jobs", 'j', 0, G_OPTION_ARG_STRING, &o.many.jobs,
         "So many at a time; default: one a processor of this host", "N"},
        {"logs", 0, 0, G_OPTION_ARG_FILENAME, &o.many.logs, "Keep the consoles as DIR/seed-N.log",
         "DIR"},
        {"input", 0, 0, G_OPTION_ARG_FILENAME, &o.many.input, "Input, instead of stdin", "FILE"},
        {"log", 0, 0, G_OPTION_ARG_FILENAME, &o.log,
         "The console to FILE, with virtual and wall time on each line", "FILE"},
        {"limit", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.limits,
         "End with status 3 after this virtual (30s) or wall clock time (wall:60s) from the "
         "checkpoint on",
         "TIME"},
        {"digest", 0, 0, G_OPTION_ARG_NONE, &o.digest,
         "Last line: the SHA-256 of all TLPs, interrupts and console bytes since power-on", NULL},
        {"tty", 0, 0, G_OPTION_ARG_NONE, &o.tty, "The command gets a terminal of its own", NULL},
        {"stop", 0, 0, G_OPTION_ARG_NONE, &o.stop, "End the server and all that continues", NULL},
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &o.verbose,
         "Say what is done, also where stderr is no terminal", NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &o.quiet, "Say nothing but errors", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o.rest, NULL, "PATH"},
        {NULL}};
    GOptionContext *context = make_context(entries);
    char **words = g_strdupv(argv);

    g_set_prgname("pcilab fork");
    fork_message_init(&o.request.go, FORK_GO);
    o.command = boot_options_cut_command(words);
    int status = cli_parse(context, "fork", &words) ? act(&o) : CLI_USAGE;
    if (o.command && status == CLI_USAGE && !o.done) {
        status = COMMAND_USAGE;
    }
    g_option_context_free(context);
    g_strfreev(words);
    g_strfreev(o.limits);
    g_strfreev(o.rest);
    g_strfreev(o.command);
    g_free(o.seed);
    g_free(o.log);
    checkpoint_options_clear(&o.many);
    return status;
}
