/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One report of all shards. */
#include <stdio.h>
#include <string.h>

#include "campaign.h"
#include "pcilab/base/whole_file.h"

#define FAILURES_SHOWN 20

/* Every result that is there; what is in the way of one is named. */
static GPtrArray *collect(const struct plan *plan, GArray *lost)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(run_case_free);

    for (unsigned shard = 1; shard <= plan->shards; shard++) {
        GError *error = NULL;
        GPtrArray *cases = result_read(plan, shard, &error);
        if (cases) {
            g_ptr_array_extend_and_steal(all, cases);
            continue;
        }
        g_array_append_val(lost, shard);
        if (error) {
            cli_error("%s; the shard counts as lost", error->message);
            g_error_free(error);
        }
    }
    return all;
}

void campaign_find_lost(const struct plan *plan, GArray *lost)
{
    g_ptr_array_unref(collect(plan, lost));
}

static bool write_tap(const char *path, const GPtrArray *cases)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    GError *error = NULL;

    run_tap_begin(out, cases->len, NULL);
    for (unsigned i = 0; i < cases->len; i++) {
        run_tap_case(out, i + 1, cases->pdata[i], NULL);
    }
    fclose(out);
    bool ok = whole_file_write(path, text, len, &error);
    if (!ok) {
        cli_error("%s", error->message);
        g_error_free(error);
    }
    free(text);
    return ok;
}

static bool write_files(const struct plan *plan, const GPtrArray *cases)
{
    char *tap = g_build_filename(plan->dir, "report.tap", NULL);
    char *junit = g_build_filename(plan->dir, "report.xml", NULL);
    char *html = g_build_filename(plan->dir, "report.html", NULL);
    bool ok = write_tap(tap, cases);

    ok = run_write_junit(junit, cases) && ok;
    ok = run_write_html(html, cases) && ok;
    g_free(tap);
    g_free(junit);
    g_free(html);
    return ok;
}

static void print_failure(const struct plan *plan, unsigned number, const struct run_case *c)
{
    const struct plan_row *row = plan_row_of(plan, number);
    bool tree = row->kernel && g_file_test(row->kernel, G_FILE_TEST_IS_DIR);
    const struct run_options options = {.topology = row->topology,
                                        .kernel = tree ? NULL : row->kernel,
                                        .ktree = tree ? row->kernel : NULL};
    char *again = run_replay(&options, row->scenario);

    printf("failed: %s\n  %s --seed %" G_GUINT64_FORMAT "\n",
           c->report.message ? c->report.message : c->path, again, c->seed);
    g_free(again);
}

/* The number of a case that the `index`th result is of: lost shards have none. */
static unsigned case_number(const struct plan *plan, const GArray *lost, unsigned index)
{
    unsigned number = index + 1;

    for (unsigned i = 0; i < lost->len; i++) {
        unsigned first, last;
        plan_shard(plan, g_array_index(lost, unsigned, i), &first, &last);
        if (number >= first) {
            number += last - first + 1;
        }
    }
    return number;
}

int campaign_report(const struct plan *plan, GArray *lost)
{
    GPtrArray *all = collect(plan, lost);
    unsigned failed = 0, bad = 0;

    for (unsigned i = 0; i < all->len; i++) {
        const struct run_case *c = all->pdata[i];
        if (run_case_passed(c)) {
            continue;
        }
        failed++;
        bad += c->report.result == SCENARIO_BAD;
        if (failed <= FAILURES_SHOWN) {
            print_failure(plan, case_number(plan, lost, i), c);
        } else if (failed == FAILURES_SHOWN + 1) {
            printf("... and more: see report.html\n");
        }
    }
    printf("%s: %u of %u cases: %u passed, %u failed\n", plan->name, all->len, plan->cases,
           all->len - failed, failed);
    if (lost->len) {
        char *ranges = jobs_ranges(lost);
        printf("%u of %u shards have no result: %s\n", lost->len, plan->shards, ranges);
        g_free(ranges);
    }
    bool ok = write_files(plan, all);
    g_ptr_array_unref(all);
    return !ok || bad ? CLI_USAGE : failed ? CLI_FAILED : lost->len ? CLI_LIMIT : CLI_OK;
}
