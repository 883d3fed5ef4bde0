/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run leaves in a folder (--out DIR), and the page that pcilab report makes of it:
 *
 *   run.json       what was run and how it ended, links, use of links, latencies, events
 *   topology.svg   the picture with the state of the links at the end, where graphviz is
 *   console.log    of a boot: the console with times (--log)
 */
#ifndef PCILAB_CLI_REPORT_H
#define PCILAB_CLI_REPORT_H

#include <json-glib/json-glib.h>

#include "cli.h"

#define REPORT_FORMAT 1

/* How a run ended, in words that the page shows. Any of the strings may be NULL. */
struct report_verdict {
    const char *kind;  /* "boot" or "scenario" */
    const char *title; /* of the page; NULL: the topology's file */
    const char *clause;
    bool good;
    const char *result;           /* "passed", "exit status 1" */
    const char *message, *events; /* of a failure, and the last TLPs before */
    const char *kernel, *cmdline; /* of a boot */
    const char *digest, *repeat;  /* a command that repeats it */
    uint64_t seed;
    int64_t wall_us;
};

struct report_watch;

/* Listens to the machine from now on; the description has to stay as long as it. */
struct report_watch *report_watch_new(struct machine *machine, const struct machine_desc *desc,
                                      const char *topology);
/* The machine goes: takes what it says of its links, and draws it. */
void report_watch_over(struct report_watch *watch, struct machine *machine);
/* Makes the files. The folder is there. */
bool report_watch_write(struct report_watch *watch, const char *folder,
                        const struct report_verdict *verdict, GError **error);
void report_watch_free(struct report_watch *watch);

/* The folder of --out: made, and refused where another run left something. Says itself why. */
bool report_make_folder(const char *folder);

/* report_boot.c: for boots. The folder, which gets the console's log unless that goes elsewhere. */
struct boot_options;
struct boot_run;
bool report_boot_open(struct boot_options *options);
/* What is left of it, unless there is no watch; the exit status, a failure when it could not be
 * written. */
int report_boot(struct report_watch *watch, struct boot_run *run,
                const struct boot_options *options, int status);

/* report_page.c: a page of the runs (struct report_run). */
struct report_run {
    char *name; /* of its folder below DIR, "" for DIR itself */
    JsonNode *run;
    char *svg, *console; /* NULL: none */
};
char *report_page(const char *title, const GPtrArray *runs);

/* report_check.c: everything that the page looks at has the type that it should have. `node` may be
 * NULL. */
bool report_check(JsonNode *node, GError **error);
/* What a page can do without: NULL, 0, false where it is not there, or something else is. */
const char *report_text(JsonObject *object, const char *name);
double report_number(JsonObject *object, const char *name);
bool report_flag(JsonObject *object, const char *name);

/* report_chart.c: pieces of it. */
void report_put_timeline(GString *out, JsonObject *run);
void report_put_latencies(GString *out, JsonObject *run);
void report_put(GString *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* "1.5 MB", "2.2 us"; g_free() them. */
char *report_bytes(double bytes);
char *report_time(double ps);

#endif
