/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab campaign: many cases in shards, for batch systems or here. */
#include "campaign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pcilab/config/units.h"

struct options {
    char *out;
    bool local;
    unsigned jobs;
    gboolean resume, report;
    gint shard; /* 0: none */
    char *subject;
};

static const char summary[] = "A campaign runs scenarios on topologies and kernels with seeds: "
                              "FILE says which. DIR gets the\n"
                              "plan, and scripts that start it in a batch system; every shard "
                              "leaves a file of results there.";
static const char description[] =
    "Examples:\n"
    "  pcilab campaign nightly.ini --out nightly      plan it\n"
    "  sbatch nightly/job.slurm                       run it with Slurm, or\n"
    "  nightly/parallel.sh --jobs 8                   with GNU parallel, or\n"
    "  pcilab campaign nightly.ini --out nightly --local\n"
    "                                                 here\n"
    "  pcilab campaign --report nightly               the results that are there\n"
    "  pcilab campaign --resume nightly [--local]     scripts for lost shards, or run them\n"
    "\n"
    "A campaign in four lines (docs/campaigns.md):\n"
    "  [matrix errors]\n"
    "  scenarios=tests/scenario/aer tests/scenario/dpc\n"
    "  topologies=default deep\n"
    "  seeds=1-100\n"
    "\n"
    "Exit status: 0 all passed (of --shard: its results are written), 1 a case failed, 2 bad "
    "usage,\n"
    "a wrong campaign or scenario, 3 shards have no result.\n";

static bool is_number(const char *word)
{
    return word && *word && strspn(word, "0123456789") == strlen(word);
}

/* glib would take any word after --local for its value: only a number is one. */
static char **spell_out(char **argv, char **jobs, bool *local)
{
    GPtrArray *words = g_ptr_array_new();

    for (unsigned i = 0; argv[i]; i++) {
        if (strcmp(argv[i], "--local") == 0) {
            *local = true;
            *jobs = is_number(argv[i + 1]) ? argv[++i] : *jobs;
        } else if (g_str_has_prefix(argv[i], "--local=")) {
            *local = true;
            *jobs = argv[i] + strlen("--local=");
        } else {
            g_ptr_array_add(words, g_strdup(argv[i]));
        }
    }
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}

static bool check_options(struct options *o, char **words, const char *jobs)
{
    uint64_t count = g_get_num_processors();

    if (jobs && (!units_parse_uint(jobs, &count) || !count || count > 1024)) {
        cli_error("--local=%s is not allowed; it is how many at a time, 1 to 1024", jobs);
    } else if (g_strv_length(words) != 2) {
        cli_error("one campaign is needed, like: pcilab campaign nightly.ini --out nightly");
    } else if (o->resume + o->report + (o->shard != 0) > 1) {
        cli_error("only one of --resume, --report and --shard");
    } else if ((o->report || o->shard) && o->local) {
        cli_error("--local goes with a campaign file or with --resume");
    } else if (o->out && (o->resume || o->report || o->shard)) {
        cli_error("--out is for planning; here the folder stands alone: pcilab campaign --%s %s",
                  o->resume   ? "resume"
                  : o->report ? "report"
                              : "shard N",
                  o->out);
    } else if (!o->out && !o->resume && !o->report && !o->shard) {
        cli_error("--out DIR is needed: where the plan and the results go");
    } else {
        o->jobs = (unsigned)count;
        o->subject = g_strdup(words[1]);
        return true;
    }
    return false;
}

static bool parse(struct options *o, char **argv)
{
    const GOptionEntry entries[] = {
        {"out", 'o', 0, G_OPTION_ARG_FILENAME, &o->out, "A new folder for plan and results", "DIR"},
        /* Taken out before; here for --help. */
        {"local", 0, 0, G_OPTION_ARG_NONE, &(gboolean){FALSE},
         "Run it here, JOBS shards at a time (default: as many as processors)", "JOBS"},
        {"resume", 0, 0, G_OPTION_ARG_NONE, &o->resume,
         "Of the campaign in DIR: shards without a result, again", NULL},
        {"report", 0, 0, G_OPTION_ARG_NONE, &o->report,
         "Of the campaign in DIR: report.tap, report.xml, report.html", NULL},
        {"shard", 0, 0, G_OPTION_ARG_INT, &o->shard, "Run this one: what batch systems call", "N"},
        {NULL}};
    GOptionContext *context = g_option_context_new("FILE|DIR - run many scenarios, anywhere");
    const char *jobs = NULL;
    char **words = spell_out(argv, (char **)&jobs, &o->local);

    g_option_context_set_summary(context, summary);
    g_option_context_set_description(context, description);
    g_option_context_add_main_entries(context, entries, NULL);
    bool ok = cli_parse(context, "campaign", &words) && check_options(o, words, jobs);
    g_option_context_free(context);
    g_strfreev(words);
    return ok;
}

static int fail(GError *error)
{
    cli_error("%s", error->message);
    g_error_free(error);
    return CLI_USAGE;
}

/* The folder is new, or empty. */
static bool make_folders(const struct plan *plan, GError **error)
{
    static const char *const folders[] = {"results", "logs"};
    GDir *dir = g_dir_open(plan->dir, 0, NULL);

    if (dir && g_dir_read_name(dir)) {
        char *path = g_build_filename(plan->dir, "plan.json", NULL);
        bool campaign = g_file_test(path, G_FILE_TEST_EXISTS);
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                    campaign ? "--out %s: there is a campaign already; to go on with it: pcilab "
                               "campaign --resume %s"
                             : "--out %s: the folder is not empty; a campaign needs one of its own",
                    plan->dir, plan->dir);
        g_free(path);
        g_dir_close(dir);
        return false;
    }
    if (dir) {
        g_dir_close(dir);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++) {
        char *path = g_build_filename(plan->dir, folders[i], NULL);
        bool ok = g_mkdir_with_parents(path, 0777) == 0;
        if (!ok) {
            g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE, "--out: %s: %s", path,
                        g_strerror(errno));
        }
        g_free(path);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static GArray *shards_new(unsigned count)
{
    GArray *shards = g_array_new(FALSE, FALSE, sizeof(unsigned));

    for (unsigned i = 1; i <= count; i++) {
        g_array_append_val(shards, i);
    }
    return shards;
}

static void print_next(const struct plan *plan)
{
    printf("Slurm:         sbatch %s/job.slurm\n"
           "GNU parallel:  %s/parallel.sh\n"
           "here:          pcilab campaign --resume --local %s\n",
           plan->dir, plan->dir, plan->dir);
}

/* Runs shards here, or leaves scripts that run them; what there is then is reported. */
static int run_shards(const struct options *o, const struct plan *plan, GArray *shards)
{
    if (o->local) {
        campaign_run_local(plan, shards, o->jobs);
        g_array_set_size(shards, 0);
        return campaign_report(plan, shards);
    }
    print_next(plan);
    return CLI_OK;
}

static int start(const struct options *o)
{
    GError *error = NULL;
    struct campaign *campaign = campaign_load(o->subject, &error);
    struct plan *plan = campaign ? plan_make(campaign, o->out, &error) : NULL;
    GArray *shards = shards_new(plan ? plan->shards : 0);
    int status;

    if (plan && make_folders(plan, &error) && jobs_write(plan, shards, &error) &&
        plan_write(plan, &error)) {
        printf("%s: %u cases in %u shards of up to %u\n", plan->name, plan->cases, plan->shards,
               plan->shard_size);
        status = run_shards(o, plan, shards);
    } else {
        status = fail(error);
    }
    g_array_unref(shards);
    plan_free(plan);
    campaign_free(campaign);
    return status;
}

static int resume(const struct options *o, const struct plan *plan)
{
    GArray *lost = shards_new(0);
    GError *error = NULL;
    int status = CLI_OK;

    if (o->local) {
        campaign_find_lost(plan, lost);
    } else {
        status = campaign_report(plan, lost);
    }
    if (lost->len && !jobs_write(plan, lost, &error)) {
        status = fail(error);
    } else if (o->local) {
        status = run_shards(o, plan, lost);
    } else if (lost->len) {
        print_next(plan);
    }
    g_array_unref(lost);
    return status;
}

static int go_on(const struct options *o)
{
    GError *error = NULL;
    struct plan *plan = plan_read(o->subject, &error);
    int status = CLI_USAGE;

    if (!plan) {
        return fail(error);
    }
    if (o->resume) {
        status = resume(o, plan);
    } else if (o->report) {
        GArray *lost = shards_new(0);
        status = campaign_report(plan, lost);
        g_array_unref(lost);
    } else if (o->shard < 0 || (unsigned)o->shard > plan->shards) {
        cli_error("--shard %d: the campaign has shards 1 to %u", o->shard, plan->shards);
    } else {
        status = campaign_run_shard(plan, (unsigned)o->shard);
    }
    plan_free(plan);
    return status;
}

int cli_campaign(char **argv)
{
    struct options options = {0};
    int status = CLI_USAGE;

    g_set_prgname("pcilab campaign");
    if (parse(&options, argv)) {
        cli_set_notes(isatty(STDERR_FILENO));
        status =
            options.resume || options.report || options.shard ? go_on(&options) : start(&options);
    }
    g_free(options.out);
    g_free(options.subject);
    return status;
}
