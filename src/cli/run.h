/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab run: scenarios, one after the other. */
#ifndef PCILAB_CLI_RUN_H
#define PCILAB_CLI_RUN_H

#include "cli.h"
#include "pcilab/scenario/scenario.h"
#include "trace_file.h"

struct run_options {
    char **files; /* folders among them stand for what is in them */
    uint64_t seed;
    bool broken;
    unsigned sweep;                   /* so many seeds from `seed` on; 0: one run */
    unsigned parallel;                /* of them at a time */
    uint64_t limit_ps, limit_wall_us; /* 0: the defaults */
    char *junit, *html;
    char *out;            /* folder for pcilab report; NULL: none */
    char *topology;       /* instead of that which a scenario asks for; NULL: that */
    char *kernel, *ktree; /* of guests; NULL: the prepared one */
    bool digest, verbose;
    struct trace_options trace;
};

/* One scenario's result. */
struct run_case {
    char *path, *purpose, *clause;
    char *variant; /* what tells it from others of this path; NULL: nothing */
    struct scenario_report report;
    uint64_t seed;
    int64_t wall_us;
    unsigned checks;              /* expectations that held */
    unsigned seeds, seeds_failed; /* of a sweep */
    char *failures;               /* of a sweep: a line each; NULL: none */
    GPtrArray *each;              /* of a sweep: struct run_case of every seed, in order */
};

/* Reports errors itself; what was parsed is to be cleared in any case. */
bool run_options_parse(struct run_options *options, char **argv);
void run_options_clear(struct run_options *options);
/* A file, or what scenarios a folder has, in order. False: a folder without any. */
bool run_find_files(GPtrArray *files, const char *path);

/* One scenario, as the options say. run_case_free() it. */
struct run_case *run_file(const struct run_options *options, const char *path);
/* The words of a command that repeats it, but for its seed; g_free() it. */
char *run_replay(const struct run_options *options, const char *path);
bool run_case_passed(const struct run_case *result);

/* report_run.c: what is left of one; NULL where no machine was made. */
struct run_watch;
struct run_watch *run_watch_new(void);
void run_watch_made(struct run_watch *watch, struct machine *machine,
                    const struct machine_desc *desc, const char *topology);
void run_watch_over(struct run_watch *watch, struct machine *machine);
/* Frees it. `number` is the place of the scenario among all. Reports errors itself. */
bool run_watch_write(struct run_watch *watch, const struct run_options *options, unsigned number,
                     const struct run_case *result);

/* Results as TAP, line by line as they come. */
void run_tap_begin(FILE *out, unsigned count, const struct run_options *options);
void run_tap_case(FILE *out, unsigned number, const struct run_case *result,
                  const struct run_options *options);
/* And as files, of all (struct run_case) when they are there. These report errors themselves. */
bool run_write_junit(const char *path, const GPtrArray *cases);
bool run_write_html(const char *path, const GPtrArray *cases);
void run_case_free(void *result);

/* Where a machine stands ready: processes for `count` seeds, so many at a time. In one of them it
 * returns true, and what it made of the scenario goes to run_sweep_tell(), which does not return.
 * In the process that called it returns false, with `result` filled in. */
struct run_sweep {
    uint64_t first;
    unsigned count, parallel;
    const char *replay; /* words of a command that repeats one, before --seed N */
    int result_fd;      /* in a child */
};
bool run_sweep_fork(struct run_sweep *sweep, struct run_case *result, uint64_t *seed);
G_GNUC_NORETURN void run_sweep_tell(const struct run_sweep *sweep,
                                    const struct scenario_report *report);

#endif
