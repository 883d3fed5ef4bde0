/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcilab campaign: many cases (a scenario, a topology, a kernel, a seed) in shards that a batch
 * system runs. The folder of a campaign holds
 *
 *   plan.json             all cases, and what they are made of
 *   job.slurm, parallel.sh  run the shards that have no result yet
 *   results/NNNN.json     of a shard; complete, or not there
 *   logs/NNNN.log         what a shard said
 *   report.tap, .xml, .html  of all results
 */
#ifndef PCILAB_CLI_CAMPAIGN_H
#define PCILAB_CLI_CAMPAIGN_H

#include <json-glib/json-glib.h>

#include "pcilab/config/campaign.h"
#include "run.h"

/* CHOICE: Slurm's MaxArraySize is 1001 unless somebody changed it. */
#define CAMPAIGN_SHARDS_MAX 1000u

/* Cases that differ in nothing but the seed. */
struct plan_row {
    char *scenario;          /* absolute */
    char *topology, *kernel; /* absolute; NULL: the scenario's, the prepared one */
    uint64_t seed;           /* the first */
    unsigned count;
    char *hash;     /* over what is in these files */
    unsigned first; /* case; they count from 1 on */
};

struct plan {
    char *dir; /* absolute */
    char *name;
    char id[65]; /* over all below, and pcilab's version */
    unsigned shard_size, shards, cases;
    uint64_t limit_ps, limit_wall_us;
    GPtrArray *rows; /* struct plan_row */
};

/* campaign_plan.c. These return NULL with an error. */
struct plan *plan_make(const struct campaign *campaign, const char *dir, GError **error);
struct plan *plan_read(const char *dir, GError **error);
void plan_free(struct plan *plan);
bool plan_write(const struct plan *plan, GError **error);
/* First and last case of a shard, which counts from 1 on. */
void plan_shard(const struct plan *plan, unsigned shard, unsigned *first, unsigned *last);
const struct plan_row *plan_row_of(const struct plan *plan, unsigned number);
/* False, and which file it is: one of them has changed since the plan was made. */
bool plan_check_files(const struct plan_row *row, GError **error);

/* campaign_jobs.c: job.slurm and parallel.sh for shards (unsigned). */
bool jobs_write(const struct plan *plan, const GArray *shards, GError **error);
/* "3,7-9" */
char *jobs_ranges(const GArray *shards);

/* campaign_result.c */
/* The members of a case's result, and back; NULL: it is none. */
JsonObject *result_of_case(const struct run_case *result, unsigned number);
struct run_case *result_to_case(const struct plan *plan, JsonObject *object, unsigned *number,
                                GError **error);
bool result_write(const struct plan *plan, unsigned shard, JsonArray *cases, GError **error);
/* The cases of a shard in order (struct run_case). NULL without an error: there is no result. */
GPtrArray *result_parse(const struct plan *plan, unsigned shard, const char *text, GError **error);
GPtrArray *result_read(const struct plan *plan, unsigned shard, GError **error);
char *result_path(const struct plan *plan, unsigned shard);

/* campaign_shard.c: runs one and writes its result; an exit status. Says itself what went wrong,
 * and TAP on stdout. */
int campaign_run_shard(const struct plan *plan, unsigned shard);
/* So many at a time, each with its log. */
void campaign_run_local(const struct plan *plan, const GArray *shards, unsigned jobs);

/* campaign_report.c: what is there becomes report.*, and a summary on stdout; `lost` gets the
 * shards without a result. An exit status. */
int campaign_report(const struct plan *plan, GArray *lost);
/* The same without a report. */
void campaign_find_lost(const struct plan *plan, GArray *lost);

/* Members of objects that somebody else may have written. */
bool json_take_uint(JsonObject *object, const char *name, uint64_t max, uint64_t *value,
                    GError **error);
/* NULL where there is none. */
bool json_take_text(JsonObject *object, const char *name, const char **text, GError **error);
bool json_take_list(JsonObject *object, const char *name, JsonArray **list, GError **error);

#endif
