/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many forked continuations, a few at a time.
 *
 * Results are told in order of their seeds whichever ends first, so that two runs print the same
 * but for times. A child's console goes to a file of its own; of one that failed the end is shown.
 */
#include "fork.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "pcilab/config/units.h"

#define TAIL_BYTES 1500
#define LIST_MAX   20 /* seeds named in the summary */

struct continuation {
    uint64_t seed;
    uint64_t round; /* of this seed, from 0 */
    pid_t pid;      /* 0: not started, or over */
    bool over;
    int status;
    int log_fd;
    int64_t started_us, wall_us;
};

struct crowd {
    const struct fork_plan *plan;
    struct continuation *all;
    struct fork_result *results; /* shared with the children */
    size_t count, started, running, told;
    bool stopping;
    int status;
    int64_t started_us;
};

static int open_log(const struct crowd *crowd, const struct continuation *k)
{
    const struct fork_plan *plan = crowd->plan;

    if (!plan->logs) {
        return memfd_create("console", MFD_CLOEXEC);
    }
    char *name = plan->repeat > 1
                     ? g_strdup_printf("seed-%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT ".log",
                                       k->seed, k->round + 1)
                     : g_strdup_printf("seed-%" G_GUINT64_FORMAT ".log", k->seed);
    char *path = g_build_filename(plan->logs, name, NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    int saved = errno;

    g_free(path);
    g_free(name);
    errno = saved;
    return fd;
}

static G_GNUC_NORETURN void be_child(struct crowd *crowd, size_t index, pid_t parent)
{
    struct continuation *k = &crowd->all[index];
    const struct fork_plan *plan = crowd->plan;

    /* A parent that is killed leaves nobody behind. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int status = getppid() == parent
                     ? plan->run(plan->opaque, k->seed, k->log_fd, &crowd->results[index])
                     : CLI_INTERRUPTED;
    /* Not exit(): what is registered there, and buffers of stdio, are the parent's. */
    _exit(status);
}

static bool start_one(struct crowd *crowd)
{
    struct continuation *k = &crowd->all[crowd->started];
    pid_t parent = getpid();

    k->log_fd = open_log(crowd, k);
    k->started_us = g_get_monotonic_time();
    k->pid = k->log_fd < 0 ? -1 : fork();
    if (k->pid == 0) {
        be_child(crowd, crowd->started, parent);
    }
    if (k->pid < 0) {
        int err = errno;

        if (k->log_fd >= 0) {
            close(k->log_fd);
        }
        k->log_fd = -1;
        k->pid = 0;
        if (err == EAGAIN && crowd->running) {
            return false; /* a limit on processes: later */
        }
        cli_error("seed %" G_GUINT64_FORMAT ": cannot continue: %s", k->seed, g_strerror(err));
        crowd->stopping = true;
        crowd->status = CLI_USAGE;
        return false;
    }
    crowd->started++;
    crowd->running++;
    return true;
}

/* The end of a failed one's console, as comments. */
static void show_tail(const struct continuation *k)
{
    char text[TAIL_BYTES + 1];
    off_t size = lseek(k->log_fd, 0, SEEK_END);
    ssize_t len = pread(k->log_fd, text, TAIL_BYTES, size > TAIL_BYTES ? size - TAIL_BYTES : 0);
    char *save = NULL;

    text[len > 0 ? len : 0] = '\0';
    for (ssize_t i = 0; i < len; i++) {
        text[i] = text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~') ? text[i] : ' ';
    }
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        printf("#   %s\n", line);
    }
}

static const char *status_text(const struct crowd *crowd, int status)
{
    if (crowd->plan->commands) {
        return status ? "the command failed" : "the command succeeded";
    }
    switch (status) {
    case CLI_OK: return "powered off";
    case CLI_FAILED: return "failed";
    case CLI_LIMIT: return "limit reached";
    default: return status > 128 ? g_strsignal(status - 128) : "error";
    }
}

/* One seed, one digest. */
static bool digest_agrees(const struct crowd *crowd, size_t index)
{
    size_t first = index - (size_t)crowd->all[index].round;

    return strcmp(crowd->results[index].digest, crowd->results[first].digest) == 0;
}

static void tell(struct crowd *crowd, size_t index)
{
    struct continuation *k = &crowd->all[index];
    const struct fork_result *result = &crowd->results[index];
    bool agrees = k->status != CLI_OK || digest_agrees(crowd, index);
    char *virtual = units_format_time(result->virtual_ps);

    if (k->status == CLI_OK && !agrees) {
        k->status = CLI_FAILED;
    }
    printf("%sok %zu - seed %" G_GUINT64_FORMAT ": %s (%d), %s%s%s\n", k->status ? "not " : "",
           index + 1, k->seed, agrees ? status_text(crowd, k->status) : "not the digest of before",
           k->status, virtual, result->digest[0] ? ", digest " : "", result->digest);
    if (k->status) {
        show_tail(k);
        crowd->status = crowd->status ? crowd->status : k->status;
    }
    fflush(stdout);
    close(k->log_fd);
    k->log_fd = -1;
    g_free(virtual);
}

static void tell_what_is_over(struct crowd *crowd)
{
    while (crowd->told < crowd->started && crowd->all[crowd->told].over) {
        tell(crowd, crowd->told++);
    }
}

static void stop_all(struct crowd *crowd)
{
    for (size_t i = crowd->told; i < crowd->started; i++) {
        if (crowd->all[i].pid > 0) {
            kill(crowd->all[i].pid, SIGTERM);
        }
    }
    crowd->stopping = true;
}

static void wait_one(struct crowd *crowd)
{
    int how;
    pid_t pid = waitpid(-1, &how, 0);

    if (crowd->plan->stopped(crowd->plan->opaque) && !crowd->stopping) {
        stop_all(crowd);
    }
    for (size_t i = crowd->told; pid > 0 && i < crowd->started; i++) {
        struct continuation *k = &crowd->all[i];

        if (k->pid == pid) {
            k->pid = 0;
            k->over = true;
            k->status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
            k->wall_us = g_get_monotonic_time() - k->started_us;
            crowd->running--;
            break;
        }
    }
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static double median_s(const struct crowd *crowd)
{
    int64_t *times = g_new(int64_t, crowd->told + 1);

    for (size_t i = 0; i < crowd->told; i++) {
        times[i] = crowd->all[i].wall_us;
    }
    qsort(times, crowd->told, sizeof(*times), compare_times);
    double median = crowd->told ? (double)times[crowd->told / 2] / 1e6 : 0;
    g_free(times);
    return median;
}

/* How many ended how, and which seeds to look at. */
static void summarize(const struct crowd *crowd)
{
    GHashTable *digests = g_hash_table_new(g_str_hash, g_str_equal);
    size_t failed = 0;

    printf("# status  continuations\n");
    for (int status = 0; status < 256; status++) {
        GString *seeds = g_string_new(NULL);
        size_t n = 0;

        for (size_t i = 0; i < crowd->told; i++) {
            if (crowd->all[i].status == status && ++n <= LIST_MAX && status) {
                g_string_append_printf(seeds, " %" G_GUINT64_FORMAT, crowd->all[i].seed);
            }
        }
        if (n) {
            printf("# %6d  %13zu  %s%s%s%s\n", status, n, status_text(crowd, status),
                   status ? ": seeds" : "", seeds->str, status && n > LIST_MAX ? " ..." : "");
        }
        failed += status ? n : 0;
        g_string_free(seeds, TRUE);
    }
    for (size_t i = 0; i < crowd->told; i++) {
        if (crowd->results[i].digest[0]) {
            g_hash_table_add(digests, crowd->results[i].digest);
        }
    }
    if (g_hash_table_size(digests)) {
        printf("# %u different digests\n", g_hash_table_size(digests));
    }
    printf("# %zu of %zu failed; checkpoint after %.2f s; %.3f s a continuation (median), all in "
           "%.2f s\n",
           failed, crowd->told, (double)crowd->plan->booted_us / 1e6, median_s(crowd),
           (double)(g_get_monotonic_time() - crowd->started_us) / 1e6);
    g_hash_table_unref(digests);
}

int fork_many(const struct fork_plan *plan)
{
    struct crowd crowd = {.plan = plan,
                          .count = (size_t)(plan->seed_count * plan->repeat),
                          .started_us = g_get_monotonic_time()};
    size_t bytes = crowd.count * sizeof(struct fork_result);

    crowd.results = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (crowd.results == MAP_FAILED) {
        cli_error("no memory for %zu results: %s", crowd.count, g_strerror(errno));
        return CLI_USAGE;
    }
    crowd.all = g_new0(struct continuation, crowd.count);
    for (size_t i = 0; i < crowd.count; i++) {
        crowd.all[i].seed = plan->seed_first + i / plan->repeat;
        crowd.all[i].round = i % plan->repeat;
        crowd.all[i].log_fd = -1;
    }
    printf("1..%zu\n", crowd.count);
    fflush(stdout);
    while ((!crowd.stopping && crowd.started < crowd.count) || crowd.running) {
        while (!crowd.stopping && crowd.started < crowd.count && crowd.running < plan->parallel &&
               start_one(&crowd)) {
        }
        if (crowd.running) {
            wait_one(&crowd);
        }
        tell_what_is_over(&crowd);
    }
    summarize(&crowd);
    fflush(stdout);
    munmap(crowd.results, bytes);
    g_free(crowd.all);
    return crowd.status;
}
