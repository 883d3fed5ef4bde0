/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options about checkpoints. */
#include "checkpoint_options.h"

#include <string.h>

#include "cli.h"
#include "pcilab/config/units.h"

#define CONTINUATIONS_MAX 1000000

GOptionGroup *checkpoint_options_group(struct checkpoint_options *o)
{
    const GOptionEntry entries[] = {
        {"checkpoint-at", 0, 0, G_OPTION_ARG_STRING, &o->where,
         "Where: 'console: TEXT' or 'time: 300ms'", "WHERE"},
        {"times", 0, 0, G_OPTION_ARG_STRING, &o->times,
         "Continue N times from there, with N seeds; with --seeds, N times with each", "N"},
        {"seeds", 0, 0, G_OPTION_ARG_STRING, &o->seeds,
         "Continue once with each of these seeds; default: from --seed on", "A..B"},
        {"jobs", 'j', 0, G_OPTION_ARG_STRING, &o->jobs,
         "So many at a time; default: one a processor of this host", "N"},
        {"logs", 0, 0, G_OPTION_ARG_FILENAME, &o->logs,
         "Keep the consoles as DIR/boot.log, DIR/seed-N.log", "DIR"},
        {"reseed", 0, 0, G_OPTION_ARG_STRING, &o->reseed,
         "Go on in this process, with this seed: one continuation alone", "N"},
        {"serve", 0, 0, G_OPTION_ARG_FILENAME, &o->serve,
         "Leave a server at this Unix socket, for pcilab fork PATH", "PATH"},
        {"input", 0, 0, G_OPTION_ARG_FILENAME, &o->input,
         "From the checkpoint on, input goes on with this file after what is left of stdin",
         "FILE"},
        {NULL}};
    GOptionGroup *group = g_option_group_new("checkpoint", "Boot once, continue many times:",
                                             "Show options about checkpoints", NULL, NULL);

    g_option_group_add_entries(group, entries);
    return group;
}

void checkpoint_options_clear(struct checkpoint_options *o)
{
    g_free(o->where);
    g_free(o->times);
    g_free(o->seeds);
    g_free(o->jobs);
    g_free(o->reseed);
    g_free(o->logs);
    g_free(o->serve);
    g_free(o->input);
    memset(o, 0, sizeof(*o));
}

static bool take_count(const char *option, const char *text, uint64_t max, uint64_t *value)
{
    if (!text || (units_parse_uint(text, value) && *value >= 1 && *value <= max)) {
        return true;
    }
    cli_error("%s \"%s\" is not allowed; it is a number from 1 to %" G_GUINT64_FORMAT, option, text,
              max);
    return false;
}

static bool take_seeds(struct checkpoint_options *o)
{
    char **ends = g_strsplit(o->seeds, "..", 2);
    uint64_t first = 0, last = 0;
    bool ok = ends[0] && units_parse_uint(ends[0], &first);

    last = first;
    ok = ok && (!ends[1] || units_parse_uint(ends[1], &last)) && first <= last &&
         last - first < CONTINUATIONS_MAX;
    if (!ok) {
        cli_error("--seeds \"%s\" is not allowed; it is like 1..100 or 7, at most %d of them",
                  o->seeds, CONTINUATIONS_MAX);
    }
    o->seed_first = first;
    o->seed_count = last - first + 1;
    g_strfreev(ends);
    return ok;
}

static bool check_combination(const struct checkpoint_options *o)
{
    if (!o->wanted && (o->forks || o->reseed || o->jobs || o->logs || o->serve || o->input)) {
        cli_error("--times, --seeds, --jobs, --logs, --reseed, --serve and --input continue from a "
                  "checkpoint: add --checkpoint-at WHERE");
    } else if (o->forks && o->reseed) {
        cli_error("--reseed continues in this process, --times and --seeds in others: choose");
    } else if (o->serve && (o->forks || o->reseed || o->jobs || o->logs || o->input)) {
        cli_error("--serve leaves it to pcilab fork how to go on: give --times, --seeds, --jobs, "
                  "--logs and --input there");
    } else if (!o->forks && (o->jobs || o->logs)) {
        cli_error("--jobs and --logs are for many continuations: add --times N or --seeds A..B");
    } else if (o->wanted && !o->forks && !o->reseed && !o->input && !o->serve) {
        cli_error("what happens at the checkpoint? Add --times N, --seeds A..B, --reseed N, "
                  "--input FILE or --serve PATH");
    } else {
        return true;
    }
    return false;
}

bool checkpoint_options_take(struct checkpoint_options *o, uint64_t seed)
{
    uint64_t times = 1, jobs = g_get_num_processors();

    o->wanted = o->where != NULL;
    o->forks = o->times || o->seeds;
    o->reseeds = o->reseed != NULL;
    if (!check_combination(o) || !take_count("--times", o->times, CONTINUATIONS_MAX, &times) ||
        !take_count("--jobs", o->jobs, 4096, &jobs)) {
        return false;
    }
    if (o->reseed && !units_parse_uint(o->reseed, &o->reseed_to)) {
        cli_error("--reseed \"%s\" is not allowed; it is a number of up to 64 bits", o->reseed);
        return false;
    }
    o->parallel = (unsigned)jobs;
    o->seed_first = seed;
    o->seed_count = times;
    o->repeat = 1;
    if (!o->seeds) {
        return true;
    }
    o->repeat = times;
    if (!take_seeds(o)) {
        return false;
    }
    if (o->seed_count * times > CONTINUATIONS_MAX) {
        cli_error("--times and --seeds: that is more than %d continuations", CONTINUATIONS_MAX);
        return false;
    }
    return true;
}
