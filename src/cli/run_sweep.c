/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many seeds of one scenario, each in a process of its own that continues from the same machine. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

/* What a child tells, at the start of its file; the texts are behind it. */
struct told {
    uint32_t result; /* enum scenario_result, and one */
    uint32_t checks;
    uint32_t message_len, events_len; /* 0: none */
    uint64_t virtual_ps;
};

struct child {
    pid_t pid;
    uint64_t seed;
    unsigned index;
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

/* g_free() it; NULL: there is none. */
static char *read_text(int fd, uint32_t len, off_t at)
{
    char *text = len ? g_malloc0((gsize)len + 1) : NULL;

    if (text && pread(fd, text, len, at) != (ssize_t)len) {
        g_clear_pointer(&text, g_free);
    }
    return text;
}

/* What the child made of it, or that it made nothing. */
static struct run_case *read_result(const struct child *child, int status)
{
    struct run_case *one = g_new0(struct run_case, 1);
    struct scenario_report *report = &one->report;
    struct told told = {0};

    one->seed = child->seed;
    report->checks = g_ptr_array_new();
    report->said = g_ptr_array_new();
    if (pread(child->fd, &told, sizeof(told), 0) != (ssize_t)sizeof(told) || !told.result) {
        report->result = SCENARIO_FAILED;
        report->message = WIFSIGNALED(status)
                              ? g_strdup_printf("ended by %s", g_strsignal(WTERMSIG(status)))
                              : g_strdup("ended without a result");
        return one;
    }
    report->result = (enum scenario_result)(told.result - 1);
    report->virtual_ps = told.virtual_ps;
    report->message = read_text(child->fd, told.message_len, sizeof(told));
    report->events =
        read_text(child->fd, told.events_len, (off_t)(sizeof(told) + told.message_len));
    one->checks = told.checks;
    return one;
}

static void take_result(struct run_case *result, const struct run_sweep *sweep,
                        const struct child *child, int status)
{
    struct run_case *one = read_result(child, status);

    result->seeds++;
    if (one->report.result != SCENARIO_PASSED) {
        add_failure(result, sweep, child->seed, one->report.message ? one->report.message : "");
        if (one->report.result == SCENARIO_BAD) {
            result->report.result = SCENARIO_BAD;
        }
    }
    result->report.virtual_ps = MAX(result->report.virtual_ps, one->report.virtual_ps);
    result->each->pdata[child->index] = one;
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
    result->each = g_ptr_array_new_with_free_func(run_case_free);
    g_ptr_array_set_size(result->each, (gint)sweep->count);
    for (unsigned i = 0; i < sweep->count && !child; i++) {
        struct child one = {
            .seed = sweep->first + i, .index = i, .fd = memfd_create("pcilab-result", MFD_CLOEXEC)};
        one.pid = one.fd < 0 ? -1 : fork();
        if (one.pid == 0) {
            sweep->result_fd = one.fd;
            *seed = one.seed;
            child = true;
        } else if (one.pid < 0) {
            take_result(result, sweep, &one, 0);
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
    const char *message = report->message ? report->message : "";
    const char *events = report->events ? report->events : "";
    const struct told told = {.result = (uint32_t)report->result + 1,
                              .checks = report->checks->len,
                              .message_len = (uint32_t)strlen(message),
                              .events_len = (uint32_t)strlen(events),
                              .virtual_ps = report->virtual_ps};
    GByteArray *all = g_byte_array_new();

    g_byte_array_append(all, (const guint8 *)&told, sizeof(told));
    g_byte_array_append(all, (const guint8 *)message, told.message_len);
    g_byte_array_append(all, (const guint8 *)events, told.events_len);
    _exit(pwrite(sweep->result_fd, all->data, all->len, 0) == (ssize_t)all->len ? 0 : 1);
}
