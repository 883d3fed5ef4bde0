/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab run: every scenario, its results, the exit status. */
#include "run.h"

#include <stdio.h>
#include <string.h>

#include "pcilab/config/topology.h"
#include "report.h"
#include "run_guest.h"

/* CHOICE: so long may a scenario without a guest take on the wall clock, and one with a guest. */
#define WALL_LIMIT_US       (120 * G_USEC_PER_SEC)
#define WALL_LIMIT_GUEST_US (900 * G_USEC_PER_SEC)

/* One scenario while it runs. */
struct run {
    const struct run_options *options;
    struct run_case *result;
    struct run_sweep sweep;
    struct run_guest *guest; /* NULL: none yet */
    struct run_watch *watch; /* NULL: none wanted */
    char *loaded;            /* topology; NULL: its text is the scenario's */
    int64_t end_us;
    struct trace_file trace;
    bool trace_failed;
};

/* Beside the scenario first, then as everywhere. */
static struct machine_desc *find_topology(void *opaque, const char *name, GError **error)
{
    struct run *run = opaque;
    char *folder = g_path_get_dirname(run->result->path), *loaded;
    char *beside = g_build_filename(folder, name, NULL);
    bool there = !g_path_is_absolute(name) && g_file_test(beside, G_FILE_TEST_IS_REGULAR);
    const char *other = run->options->topology;
    struct machine_desc *desc = cli_open_topology(other   ? other
                                                  : there ? beside
                                                          : name,
                                                  &loaded, error);

    g_free(run->loaded);
    run->loaded = loaded;
    g_free(beside);
    g_free(folder);
    return desc;
}

static bool overdue(void *opaque)
{
    const struct run *run = opaque;

    return g_get_monotonic_time() > run->end_us;
}

static bool ready(void *opaque, uint64_t *seed)
{
    struct run *run = opaque;

    if (run->sweep.count && !run_sweep_fork(&run->sweep, run->result, seed)) {
        return false;
    }
    int64_t limit_us = run->guest ? WALL_LIMIT_GUEST_US : WALL_LIMIT_US;
    if (run->options->limit_wall_us) {
        limit_us = (int64_t)run->options->limit_wall_us;
    }
    run->end_us = g_get_monotonic_time() + limit_us;
    return true;
}

static bool prepare(void *opaque, struct machine_desc *desc, const struct scenario_guest *wanted,
                    struct machine_options *options, GError **error)
{
    struct run *run = opaque;

    run->guest = run_guest_new(run->options);
    return run_guest_prepare(run->guest, desc, wanted, options, error);
}

static bool boot(void *opaque, struct machine *machine, GError **error)
{
    struct run *run = opaque;

    return run_guest_boot(run->guest, machine, overdue, run, error);
}

static void command(void *opaque, struct scenario *scenario, const char *text)
{
    struct run *run = opaque;

    run_guest_command(run->guest, scenario, text);
}

static const char *console(void *opaque, size_t *len)
{
    const struct run *run = opaque;

    return run_guest_console(run->guest, len);
}

static void made(void *opaque, struct machine *machine, const struct machine_desc *desc)
{
    struct run *run = opaque;

    if (run->watch) {
        run_watch_made(run->watch, machine, desc, run->loaded ? run->loaded : run->result->path);
    }
    trace_file_attach(&run->trace, machine);
}

static void over(void *opaque, struct machine *machine)
{
    struct run *run = opaque;

    if (run->watch) {
        run_watch_over(run->watch, machine);
    }
    run->trace_failed = !trace_file_close(&run->trace);
}

static void run_text(struct run *run, const char *text, size_t len)
{
    const struct run_options *o = run->options;
    struct scenario_host host = {.topology = find_topology,
                                 .prepare = prepare,
                                 .boot = boot,
                                 .command = command,
                                 .console = console,
                                 .ready = ready,
                                 .made = made,
                                 .over = over,
                                 .overdue = overdue,
                                 .opaque = run};
    struct scenario_params params = {.name = run->result->path,
                                     .text = text,
                                     .len = len,
                                     .seed = o->seed,
                                     .broken = o->broken,
                                     .limit_ps = o->limit_ps,
                                     .digest = o->digest,
                                     .host = &host};
    struct scenario_report report;
    enum scenario_result swept;

    run->end_us = g_get_monotonic_time() + WALL_LIMIT_GUEST_US;
    scenario_run(&params, &report);
    run_guest_free(run->guest);
    if (run->sweep.result_fd >= 0) {
        run_sweep_tell(&run->sweep, &report);
    }
    if (report.result == SCENARIO_LEFT) { /* a sweep: its result is there */
        swept = run->result->report.result;
        report.virtual_ps = run->result->report.virtual_ps;
        report.result = run->result->seeds_failed
                            ? (swept == SCENARIO_BAD ? SCENARIO_BAD : SCENARIO_FAILED)
                            : SCENARIO_PASSED;
    } else {
        run->result->seeds = 0; /* it did not come that far */
    }
    run->result->checks = report.checks->len;
    run->result->report = report;
}

char *run_replay(const struct run_options *o, const char *path)
{
    return g_strdup_printf("pcilab run %s%s%s%s%s%s%s", path, o->topology ? " --topology " : "",
                           o->topology ? o->topology : "", o->ktree ? " --ktree " : "",
                           o->ktree ? o->ktree : "", o->kernel ? " --kernel " : "",
                           o->kernel ? o->kernel : "");
}

static struct scenario_report bad_report(char *message)
{
    return (struct scenario_report){.result = SCENARIO_BAD,
                                    .message = message,
                                    .checks = g_ptr_array_new(),
                                    .said = g_ptr_array_new()};
}

static struct run_case *run_numbered(const struct run_options *o, const char *path, unsigned number,
                                     bool *left)
{
    struct run_case *result = g_new0(struct run_case, 1);
    char *replay = run_replay(o, path);
    struct run run = {.options = o,
                      .watch = o->out ? run_watch_new() : NULL,
                      .result = result,
                      .sweep = {.first = o->seed,
                                .count = o->sweep,
                                .parallel = o->parallel,
                                .replay = replay,
                                .result_fd = -1}};
    int64_t started_us = g_get_monotonic_time();
    char *text = NULL;
    gsize len;
    GError *error = NULL;

    result->path = g_strdup(path);
    result->seed = o->seed;
    if (!trace_file_open(&run.trace, &o->trace)) {
        result->report = bad_report(g_strdup("the trace cannot be written"));
    } else if (g_file_get_contents(path, &text, &len, &error)) {
        scenario_header(text, len, &result->purpose, &result->clause);
        run_text(&run, text, len);
    } else {
        result->report = bad_report(g_strdup(error->message));
        g_error_free(error);
    }
    run.trace_failed |= !trace_file_close(&run.trace);
    if (run.trace_failed && result->report.result == SCENARIO_PASSED) {
        result->report.result = SCENARIO_FAILED;
        result->report.message = g_strdup("the trace is not complete");
    }
    result->wall_us = g_get_monotonic_time() - started_us;
    *left = !run.watch || run_watch_write(run.watch, o, number, result);
    g_free(run.loaded);
    g_free(text);
    g_free(replay);
    return result;
}

struct run_case *run_file(const struct run_options *o, const char *path)
{
    bool left;

    return run_numbered(o, path, 0, &left);
}

static int status_of(const struct run_case *result)
{
    switch (result->report.result) {
    case SCENARIO_PASSED: return CLI_OK;
    case SCENARIO_BAD: return CLI_USAGE;
    default: return CLI_FAILED;
    }
}

static int run_all(const struct run_options *o)
{
    GPtrArray *cases = g_ptr_array_new_with_free_func(run_case_free);
    int status = CLI_OK;

    run_tap_begin(stdout, g_strv_length(o->files), o);
    for (unsigned i = 0; o->files[i]; i++) {
        bool left;
        struct run_case *result = run_numbered(o, o->files[i], i + 1, &left);
        g_ptr_array_add(cases, result);
        run_tap_case(stdout, i + 1, result, o);
        status = MAX(status, left ? status_of(result) : CLI_USAGE);
    }
    if (o->junit && !run_write_junit(o->junit, cases)) {
        status = CLI_USAGE;
    }
    if (o->html && !run_write_html(o->html, cases)) {
        status = CLI_USAGE;
    }
    g_ptr_array_unref(cases);
    return status;
}

int cli_run(char **argv)
{
    struct run_options options = {0};
    int status = CLI_USAGE;

    g_set_prgname("pcilab run");
    if (run_options_parse(&options, argv) && (!options.out || report_make_folder(options.out))) {
        status = run_all(&options);
    }
    run_options_clear(&options);
    return status;
}
