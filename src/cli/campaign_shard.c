/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running the cases of a shard, and shards on this machine. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaign.h"

/* Cases that differ in the seed alone: with a guest they need one boot. */
struct group {
    const struct plan *plan;
    const struct plan_row *row;
    unsigned first, count; /* cases */
    uint64_t seed;
};

/* Ends with the process that waits for it. */
static pid_t fork_bound(void)
{
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();

    if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)) {
        _exit(CLI_USAGE);
    }
    return pid;
}

static int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

static struct run_options group_options(const struct group *g)
{
    const struct plan_row *row = g->row;
    bool tree = row->kernel && g_file_test(row->kernel, G_FILE_TEST_IS_DIR);

    return (struct run_options){.seed = g->seed,
                                .sweep = g->count > 1 ? g->count : 0,
                                .parallel = 1,
                                .limit_ps = g->plan->limit_ps,
                                .limit_wall_us = g->plan->limit_wall_us,
                                .topology = row->topology,
                                .kernel = tree ? NULL : row->kernel,
                                .ktree = tree ? row->kernel : NULL};
}

/* In a process of its own: an array of results, as text, into the file. */
G_GNUC_NORETURN static void tell_group(const struct group *g, int fd)
{
    const struct run_options options = group_options(g);
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);
    JsonArray *cases = json_array_new();
    struct run_case *all = run_file(&options, g->row->scenario);

    for (unsigned i = 0; i < g->count; i++) {
        /* Where no machine came to be, it is the same for all seeds. */
        struct run_case *one = all->each ? all->each->pdata[i] : all;
        JsonObject *object = result_of_case(one, g->first + i);
        if (one != all && all->purpose) {
            json_object_set_string_member(object, "purpose", all->purpose);
        }
        if (one != all && all->clause) {
            json_object_set_string_member(object, "clause", all->clause);
        }
        json_object_set_int_member(object, "wall-us", all->wall_us / g->count);
        json_array_add_object_element(cases, object);
    }
    json_node_take_array(node, cases);
    char *text = json_to_string(node, FALSE);
    ssize_t len = (ssize_t)strlen(text);
    _exit(pwrite(fd, text, (size_t)len, 0) == len ? 0 : 1);
}

/* What it told, or NULL. */
static JsonNode *hear_group(int fd)
{
    GMappedFile *file = g_mapped_file_new_from_fd(fd, FALSE, NULL);
    JsonNode *node = NULL;

    if (file) {
        char *text = g_strndup(g_mapped_file_get_contents(file), g_mapped_file_get_length(file));
        node = json_from_string(text, NULL);
        g_free(text);
        g_mapped_file_unref(file);
    }
    if (node && !JSON_NODE_HOLDS_ARRAY(node)) {
        g_clear_pointer(&node, json_node_unref);
    }
    return node;
}

/* It ended before it told: so did all its cases. */
static void blame_group(const struct group *g, int status, JsonArray *out)
{
    char *message = WIFSIGNALED(status)
                        ? g_strdup_printf("ended by %s", g_strsignal(WTERMSIG(status)))
                        : g_strdup("ended without a result");
    struct run_case one = {.report = {.result = SCENARIO_FAILED, .message = message}};

    for (unsigned i = 0; i < g->count; i++) {
        json_array_add_object_element(out, result_of_case(&one, g->first + i));
    }
    g_free(message);
}

static bool run_group(const struct group *g, JsonArray *out, GError **error)
{
    int fd = memfd_create("pcilab-group", MFD_CLOEXEC);
    pid_t pid = fd < 0 ? -1 : fork_bound();

    if (pid == 0) {
        tell_group(g, fd);
    }
    if (pid < 0) {
        g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(errno),
                    "no process for a scenario: %s", g_strerror(errno));
        return false;
    }
    int status = wait_for(pid);
    JsonNode *node = hear_group(fd);
    close(fd);
    if (node) {
        JsonArray *told = json_node_get_array(node);
        for (guint i = 0; i < json_array_get_length(told); i++) {
            json_array_add_object_element(out,
                                          json_object_ref(json_array_get_object_element(told, i)));
        }
        json_node_unref(node);
    } else {
        blame_group(g, status, out);
    }
    return true;
}

/* TAP of the cases from `from` on. */
static void show_cases(const struct plan *plan, JsonArray *cases, unsigned from)
{
    for (unsigned i = from; i < json_array_get_length(cases); i++) {
        unsigned number;
        struct run_case *c =
            result_to_case(plan, json_array_get_object_element(cases, i), &number, NULL);
        if (c) {
            run_tap_case(stdout, i + 1, c, NULL);
            run_case_free(c);
        }
    }
}

static bool run_cases(const struct plan *plan, unsigned shard, JsonArray *out, GError **error)
{
    unsigned first, last;

    plan_shard(plan, shard, &first, &last);
    run_tap_begin(stdout, last - first + 1, NULL);
    for (unsigned at = first; at <= last;) {
        const struct plan_row *row = plan_row_of(plan, at);
        struct group group = {.plan = plan,
                              .row = row,
                              .first = at,
                              .count = MIN(row->first + row->count - 1, last) - at + 1,
                              .seed = row->seed + (at - row->first)};
        unsigned shown = json_array_get_length(out);
        if (!plan_check_files(row, error) || !run_group(&group, out, error)) {
            return false;
        }
        show_cases(plan, out, shown);
        at += group.count;
    }
    return true;
}

/* What stands in its place and is not its result is kept under another name. */
static bool make_room(const struct plan *plan, unsigned shard, GError **error)
{
    GError *inner = NULL;
    GPtrArray *there = result_read(plan, shard, &inner);
    char *path = result_path(plan, shard), *aside = g_strconcat(path, ".other", NULL);
    bool ok = !inner || rename(path, aside) == 0;

    if (!ok) {
        g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(errno), "%s: %s", path,
                    g_strerror(errno));
    }
    g_clear_pointer(&there, g_ptr_array_unref);
    g_clear_error(&inner);
    g_free(aside);
    g_free(path);
    return ok;
}

int campaign_run_shard(const struct plan *plan, unsigned shard)
{
    JsonArray *cases = json_array_new();
    GError *error = NULL;
    bool ok = run_cases(plan, shard, cases, &error) && make_room(plan, shard, &error) &&
              result_write(plan, shard, cases, &error);

    if (!ok) {
        cli_error("shard %u has no result: %s", shard, error->message);
        g_error_free(error);
    }
    json_array_unref(cases);
    return ok ? CLI_OK : CLI_USAGE;
}

/* Here. */

G_GNUC_NORETURN static void run_logged(const struct plan *plan, unsigned shard)
{
    char *log = g_strdup_printf("%s/logs/%04u.log", plan->dir, shard);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    if (fd < 0) {
        cli_error("%s: %s", log, g_strerror(errno));
        _exit(CLI_USAGE);
    }
    (void)dup2(fd, STDOUT_FILENO);
    int terminal = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    (void)dup2(fd, STDERR_FILENO);
    int status = campaign_run_shard(plan, shard);
    fflush(NULL);
    if (status != CLI_OK && dup2(terminal, STDERR_FILENO) >= 0) {
        cli_error("shard %u of %u has no result: see %s", shard, plan->shards, log);
    }
    _exit(status);
}

void campaign_run_local(const struct plan *plan, const GArray *shards, unsigned jobs)
{
    unsigned running = 0, done = 0;

    for (unsigned i = 0; i < shards->len || running;) {
        if (i < shards->len && running < jobs) {
            unsigned shard = g_array_index(shards, unsigned, i++);
            pid_t pid = fork_bound();
            if (pid == 0) {
                run_logged(plan, shard);
            }
            if (pid < 0) {
                cli_error("shard %u: %s", shard, g_strerror(errno));
            }
            running += pid > 0;
        } else {
            (void)wait_for(-1);
            running--;
            cli_note("%u of %u shards", ++done, shards->len);
        }
    }
}
