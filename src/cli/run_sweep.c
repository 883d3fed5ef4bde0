/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many seeds of one scenario, each in a process of its own that continues from the same machine. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

#define MESSAGE_BYTES 400

/* What a child tells, at the start of its file. */
struct told {
    uint32_t result; /* enum scenario_result, and one */
    uint64_t virtual_ps;
    char message[MESSAGE_BYTES];
};

struct child {
    pid_t pid;
    uint64_t seed;
    int fd;
};

static void add_failure(struct run_case *result, const struct run_sweep *sweep, uint64_t seed,
                        const char *why)
{
    char *before = result->failures;

    result->seeds_failed++;
    result->failures =
        g_strdup_printf("%sseed %" G_GUINT64_FORMAT ": %s\n  %s --seed %" G_GUINT64_FORMAT "\n",
                        before ? before : "", seed, why, sweep->replay, seed);
    g_free(before);
}

static void take_result(struct run_case *result, const struct run_sweep *sweep,
                        const struct child *child, int status)
{
    struct told told = {0};

    result->seeds++;
    if (pread(child->fd, &told, sizeof(told), 0) != (ssize_t)sizeof(told) || !told.result) {
        char *why = WIFSIGNALED(status)
                        ? g_strdup_printf("ended by %s", g_strsignal(WTERMSIG(status)))
                        : g_strdup("ended without a result");
        add_failure(result, sweep, child->seed, why);
        g_free(why);
    } else if (told.result - 1 != SCENARIO_PASSED) {
        told.message[MESSAGE_BYTES - 1] = '\0';
        add_failure(result, sweep, child->seed, told.message);
        if (told.result - 1 == SCENARIO_BAD) {
            result->report.result = SCENARIO_BAD;
        }
    }
    result->report.virtual_ps = MAX(result->report.virtual_ps, told.virtual_ps);
    close(child->fd);
}

static void wait_one(struct run_case *result, const struct run_sweep *sweep, struct child *children,
                     unsigned *running)
{
    int status;
    pid_t pid = waitpid(-1, &status, 0);

    for (unsigned i = 0; i < *running; i++) {
        if (children[i].pid == pid) {
            take_result(result, sweep, &children[i], status);
            children[i] = children[--*running];
            return;
        }
    }
}

bool run_sweep_fork(struct run_sweep *sweep, struct run_case *result, uint64_t *seed)
{
    struct child *children = g_new0(struct child, sweep->parallel);
    unsigned running = 0;
    bool child = false;

    fflush(NULL);
    for (unsigned i = 0; i < sweep->count && !child; i++) {
        struct child one = {.seed = sweep->first + i,
                            .fd = memfd_create("pcilab-result", MFD_CLOEXEC)};
        one.pid = one.fd < 0 ? -1 : fork();
        if (one.pid == 0) {
            sweep->result_fd = one.fd;
            *seed = one.seed;
            child = true;
        } else if (one.pid < 0) {
            result->seeds++;
            add_failure(result, sweep, one.seed, g_strerror(errno));
        } else {
            children[running++] = one;
        }
        while (!child && running == sweep->parallel) {
            wait_one(result, sweep, children, &running);
        }
    }
    while (!child && running) {
        wait_one(result, sweep, children, &running);
    }
    g_free(children);
    return child;
}

void run_sweep_tell(const struct run_sweep *sweep, const struct scenario_report *report)
{
    struct told told = {.result = (uint32_t)report->result + 1, .virtual_ps = report->virtual_ps};

    g_strlcpy(told.message, report->message ? report->message : "", sizeof(told.message));
    _exit(pwrite(sweep->result_fd, &told, sizeof(told), 0) == (ssize_t)sizeof(told) ? 0 : 1);
}
