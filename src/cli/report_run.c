/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab run --out: a folder of each scenario. */
#include "report.h"
#include "run.h"

struct run_watch {
    struct report_watch *watch; /* NULL: no machine was made */
};

struct run_watch *run_watch_new(void)
{
    return g_new0(struct run_watch, 1);
}

void run_watch_made(struct run_watch *w, struct machine *machine, const struct machine_desc *desc,
                    const char *topology)
{
    w->watch = report_watch_new(machine, desc, topology);
}

void run_watch_over(struct run_watch *w, struct machine *machine)
{
    report_watch_over(w->watch, machine);
}

/* "0003-poison" */
static char *folder_of(const struct run_options *o, unsigned number, const char *path)
{
    char *base = g_path_get_basename(path);

    if (g_str_has_suffix(base, ".lua")) {
        base[strlen(base) - 4] = '\0';
    }
    char *name = g_strdup_printf("%04u-%s", number, base);
    char *folder = g_build_filename(o->out, name, NULL);
    g_free(name);
    g_free(base);
    return folder;
}

static bool write_run(struct run_watch *w, const struct run_options *o, unsigned number,
                      const struct run_case *result)
{
    char *folder = folder_of(o, number, result->path), *replay = run_replay(o, result->path);
    char *repeat = g_strdup_printf("%s --seed %" G_GUINT64_FORMAT, replay, result->seed);
    bool good = run_case_passed(result);
    const struct report_verdict verdict = {
        .kind = "scenario",
        .title = result->purpose ? result->purpose : result->path,
        .clause = result->clause,
        .good = good,
        .result = good                                    ? "passed"
                  : result->report.result == SCENARIO_BAD ? "wrong"
                                                          : "failed",
        .message = result->report.message,
        .events = result->report.events,
        .digest = *result->report.digest ? result->report.digest : NULL,
        .repeat = repeat,
        .seed = result->seed,
        .wall_us = result->wall_us};
    GError *error = NULL;
    bool ok = report_make_folder(folder) && report_watch_write(w->watch, folder, &verdict, &error);

    if (error) {
        cli_error("--out: %s", error->message);
        g_error_free(error);
    }
    g_free(repeat);
    g_free(replay);
    g_free(folder);
    return ok;
}

bool run_watch_write(struct run_watch *w, const struct run_options *o, unsigned number,
                     const struct run_case *result)
{
    bool ok = !w->watch || write_run(w, o, number, result);

    report_watch_free(w->watch);
    g_free(w);
    return ok;
}
