/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of pcilab run. */
#include <string.h>

#include "boot_options.h"
#include "pcilab/sim/sim.h"
#include "run.h"

#define SWEEP_MAX 1000000

static GOptionContext *run_context(const GOptionEntry *entries)
{
    GOptionContext *context = g_option_context_new("SCENARIO|FOLDER... - run scenarios");

    g_option_context_set_summary(
        context, "A scenario is a Lua program that makes faults happen at an instant of virtual\n"
                 "time and says what it expects: docs/scenarios-howto.md. Results are TAP.");
    g_option_context_set_description(
        context,
        "Examples:\n"
        "  pcilab run tests/scenario/aer            all in a folder\n"
        "  pcilab run x.lua --seed 7 --digest       the same run, to the last TLP\n"
        "  pcilab run x.lua --sweep 100             a hundred seeds from one start\n"
        "  pcilab run x.lua --trace-file x.pcapng   what happened, for Wireshark\n"
        "\n"
        "Exit status: 0 all passed, 1 an expectation failed or a limit was reached, 2 bad usage\n"
        "or a scenario that is wrong.\n");
    g_option_context_add_main_entries(context, entries, NULL);
    return context;
}

static bool check_numbers(struct run_options *o, gint64 seed, gint sweep, gint jobs)
{
    if (seed < 0 || sweep < 0 || sweep > SWEEP_MAX || jobs < 0 || jobs > 1024) {
        cli_error("a seed is not negative, --sweep is up to %d, --jobs up to 1024", SWEEP_MAX);
        return false;
    }
    o->seed = (uint64_t)seed;
    o->sweep = (unsigned)sweep;
    o->parallel = jobs ? (unsigned)jobs : g_get_num_processors();
    if (o->sweep && o->digest) {
        cli_error("--digest is for one seed; --sweep tells how to repeat each");
        return false;
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool run_find_files(GPtrArray *files, const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    unsigned first = files->len;
    const char *name;

    if (!dir) {
        g_ptr_array_add(files, g_strdup(path));
        return true;
    }
    while ((name = g_dir_read_name(dir))) {
        if (g_str_has_suffix(name, ".lua")) {
            g_ptr_array_add(files, g_build_filename(path, name, NULL));
        }
    }
    g_dir_close(dir);
    if (files->len > first) {
        qsort(files->pdata + first, files->len - first, sizeof(files->pdata[0]), compare);
    }
    return files->len > first;
}

static bool find_files(struct run_options *o, char **words)
{
    GPtrArray *files = g_ptr_array_new();
    bool ok = true;

    for (; ok && *words; words++) {
        ok = run_find_files(files, *words);
        if (!ok) {
            cli_error("there is no scenario, *.lua, in the folder %s", *words);
        }
    }
    g_ptr_array_add(files, NULL);
    o->files = (char **)g_ptr_array_free(files, FALSE);
    return ok;
}

static bool check_trace(struct run_options *o)
{
    if (!trace_options_take(&o->trace)) {
        return false;
    }
    if (o->trace.select && (o->sweep || (o->trace.path && o->files[0] && o->files[1]))) {
        cli_error("--trace and --trace-file are for one run: one scenario, without --sweep");
        return false;
    }
    return true;
}

bool run_options_parse(struct run_options *o, char **argv)
{
    gint64 seed = 1;
    gint sweep = 0, jobs = 0;
    gboolean broken = FALSE, digest = FALSE, verbose = FALSE;
    char **limits = NULL, **words = g_strdupv(argv);
    uint64_t limit_wall_ps = 0;
    const GOptionEntry entries[] = {
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Of all randomness; the default is 1", "N"},
        {"sweep", 0, 0, G_OPTION_ARG_INT, &sweep,
         "Run it with so many seeds, from one start of the machine, on all processors", "N"},
        {"jobs", 'j', 0, G_OPTION_ARG_INT, &jobs, "So many at a time in a sweep", "N"},
        {"broken", 0, 0, G_OPTION_ARG_NONE, &broken,
         "Scenarios of bugs do as the buggy kernel did, and must fail", NULL},
        {"digest", 0, 0, G_OPTION_ARG_NONE, &digest,
         "Print a SHA-256 of all that happened as the last line, of each scenario", NULL},
        {"limit", 0, 0, G_OPTION_ARG_STRING_ARRAY, &limits,
         "End a scenario after a virtual time (60s) or wall:60s", "TIME"},
        {"junit", 0, 0, G_OPTION_ARG_FILENAME, &o->junit, "Results as JUnit XML", "FILE"},
        {"html", 0, 0, G_OPTION_ARG_FILENAME, &o->html, "Results as a page to read", "FILE"},
        {"topology", 0, 0, G_OPTION_ARG_FILENAME, &o->topology,
         "Instead of the one that a scenario asks for", "NAME|FILE"},
        {"out", 0, 0, G_OPTION_ARG_FILENAME, &o->out,
         "Leave in DIR what pcilab report makes a page of", "DIR"},
        {"kernel", 0, 0, G_OPTION_ARG_FILENAME, &o->kernel, "Of scenarios with a guest", "FILE"},
        {"ktree", 0, 0, G_OPTION_ARG_FILENAME, &o->ktree, "Or the tree it was built in", "DIR"},
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose,
         "Show every expectation that held, and the guest's console", NULL},
        {NULL}};
    GOptionContext *context = run_context(entries);

    trace_options_spell_out(words);
    trace_options_add(context, &o->trace);
    bool ok = cli_parse(context, "run", &words);

    o->broken = broken;
    o->digest = digest;
    o->verbose = verbose;
    ok = ok && check_numbers(o, seed, sweep, jobs);
    for (unsigned i = 0; ok && limits && limits[i]; i++) {
        ok = boot_limit_parse(limits[i], &o->limit_ps, &limit_wall_ps);
    }
    o->limit_wall_us = limit_wall_ps / PS_PER_US;
    if (ok && g_strv_length(words) < 2) {
        cli_error("a scenario is needed, like: pcilab run tests/scenario/aer/poison.lua");
        ok = false;
    }
    if (ok && o->out && o->sweep) {
        cli_error("--out is for one seed; --sweep tells how to repeat each");
        ok = false;
    }
    if (ok && o->kernel && o->ktree) {
        cli_error("only one of --kernel and --ktree can say which kernel to boot");
        ok = false;
    }
    ok = ok && find_files(o, words + 1) && check_trace(o);
    g_option_context_free(context);
    g_strfreev(words);
    g_strfreev(limits);
    return ok;
}

void run_options_clear(struct run_options *o)
{
    g_strfreev(o->files);
    g_free(o->junit);
    g_free(o->out);
    g_free(o->html);
    g_free(o->topology);
    g_free(o->kernel);
    g_free(o->ktree);
    trace_options_clear(&o->trace);
}
