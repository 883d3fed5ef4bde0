/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab report: a page of what --out left. */
#include "report.h"
#include "pcilab/base/whole_file.h"

#include <stdio.h>
#include <string.h>

#define RUNS_MAX      200
#define CONSOLE_BYTES (1u << 20) /* of the end; a page has to be opened */

static void run_free(void *item)
{
    struct report_run *run = item;

    g_free(run->name);
    g_clear_pointer(&run->run, json_node_unref);
    g_free(run->svg);
    g_free(run->console);
    g_free(run);
}

/* The last bytes of a text, from a line on; NULL stays NULL. */
static char *tail(char *text)
{
    size_t len = text ? strlen(text) : 0;
    char *from = len > CONSOLE_BYTES ? strchr(text + len - CONSOLE_BYTES, '\n') : text;
    char *valid = from ? g_utf8_make_valid(from, -1) : NULL;

    for (char *c = valid; c && *c; c++) {
        if ((unsigned char)*c < ' ' && *c != '\n' && *c != '\t') {
            *c = ' ';
        }
    }
    g_free(text);
    return valid;
}

/* NULL: there is none. */
static char *read_beside(const char *folder, const char *name)
{
    char *path = g_build_filename(folder, name, NULL), *text = NULL;

    (void)g_file_get_contents(path, &text, NULL, NULL);
    g_free(path);
    return text;
}

static struct report_run *read_run(const char *folder, const char *name, GError **error)
{
    char *path = g_build_filename(folder, "run.json", NULL), *text = NULL;
    struct report_run *run = g_new0(struct report_run, 1);
    bool ok = g_file_get_contents(path, &text, NULL, error);

    if (ok) {
        run->run = json_from_string(text, error);
        ok = (run->run || !*error) && report_check(run->run, error);
        if (!ok) {
            g_prefix_error(error, "%s: cut short, damaged or of another version: ", path);
        }
    }
    run->name = g_strdup(name);
    run->svg = ok ? read_beside(folder, "topology.svg") : NULL;
    /* It becomes part of the page: anything but our own picture does not. */
    if (run->svg && (!g_str_has_prefix(run->svg, "<svg ") || strstr(run->svg, "<script"))) {
        g_clear_pointer(&run->svg, g_free);
    }
    run->console = ok ? tail(read_beside(folder, "console.log")) : NULL;
    g_free(text);
    g_free(path);
    if (!ok) {
        g_clear_pointer(&run, run_free);
    }
    return run;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Folders in DIR that hold a run, in order. */
static GPtrArray *run_folders(const char *dir)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    GDir *all = g_dir_open(dir, 0, NULL);
    const char *name;

    while (all && (name = g_dir_read_name(all))) {
        char *path = g_build_filename(dir, name, "run.json", NULL);
        if (g_file_test(path, G_FILE_TEST_EXISTS)) {
            g_ptr_array_add(names, g_strdup(name));
        }
        g_free(path);
    }
    if (all) {
        g_dir_close(all);
    }
    g_ptr_array_sort(names, compare);
    return names;
}

/* One that cannot be read is named; the others stay. */
static bool read_runs(const char *dir, GPtrArray *runs)
{
    GPtrArray *names = run_folders(dir);
    char *own = g_build_filename(dir, "run.json", NULL);
    bool ok = true;

    if (g_file_test(own, G_FILE_TEST_EXISTS) || !names->len) {
        g_ptr_array_insert(names, 0, g_strdup(""));
    }
    if (names->len > RUNS_MAX) {
        cli_error("%s: %u runs; the page has the first %u", dir, names->len, RUNS_MAX);
    }
    for (unsigned i = 0; i < MIN(names->len, RUNS_MAX); i++) {
        char *folder = g_build_filename(dir, names->pdata[i], NULL);
        GError *error = NULL;
        struct report_run *run = read_run(folder, names->pdata[i], &error);
        if (run) {
            g_ptr_array_add(runs, run);
        } else {
            cli_error("%s", error->message);
            g_error_free(error);
            ok = false;
        }
        g_free(folder);
    }
    g_free(own);
    g_ptr_array_unref(names);
    return ok;
}

static int make_page(const char *dir, const char *out)
{
    GPtrArray *runs = g_ptr_array_new_with_free_func(run_free);
    int status = read_runs(dir, runs) ? CLI_OK : CLI_USAGE;

    if (runs->len) {
        char *absolute = g_canonicalize_filename(dir, NULL), *base = g_path_get_basename(absolute);
        char *page = report_page(base, runs);
        char *path = out ? g_strdup(out) : g_build_filename(dir, "report.html", NULL);
        GError *error = NULL;
        if (whole_file_write(path, page, strlen(page), &error)) {
            printf("%s: %u run%s\n", path, runs->len, runs->len == 1 ? "" : "s");
        } else {
            cli_error("%s", error->message);
            g_error_free(error);
            status = CLI_USAGE;
        }
        g_free(path);
        g_free(page);
        g_free(base);
        g_free(absolute);
    }
    g_ptr_array_unref(runs);
    return status;
}

int cli_report(char **argv)
{
    char *out = NULL;
    const GOptionEntry entries[] = {{"html", 0, 0, G_OPTION_ARG_FILENAME, &out,
                                     "Write the page there; default: "
                                     "DIR/report.html",
                                     "FILE"},
                                    {NULL}};
    GOptionContext *context = g_option_context_new("DIR - one page of a run");
    char **words = g_strdupv(argv);
    int status = CLI_USAGE;

    g_set_prgname("pcilab report");
    g_option_context_set_summary(
        context, "DIR is what pcilab boot --out DIR or pcilab run --out DIR left. The page has\n"
                 "topology, timeline, errors, use of links, latencies and what failed; it needs\n"
                 "nothing but itself.");
    g_option_context_set_description(
        context,
        "Examples:\n"
        "  pcilab boot my.ini --out run1 </dev/null\n"
        "  pcilab report run1                       makes run1/report.html\n"
        "  pcilab run tests/scenario/aer --out aer && pcilab report aer\n"
        "\n"
        "Exit status: 0 the page is written, 2 a run cannot be read (those that can be are "
        "in\nthe page) or the page not be written.\n");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!cli_parse(context, "report", &words)) {
        /* said */
    } else if (g_strv_length(words) != 2) {
        cli_error("the folder of a run is needed, like: pcilab report run1");
    } else {
        status = make_page(words[1], out);
    }
    g_option_context_free(context);
    g_strfreev(words);
    g_free(out);
    return status;
}
