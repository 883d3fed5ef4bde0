/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab conform: options, what is judged, reports. */
#include "conform.h"
#include "pcilab/base/whole_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct options {
    char *backend, *group, *section, *component, *id, *sysfs_root;
    char *tap, *junit, *json, *html;
    gboolean destructive, list, markdown;
    bool mutate;
    struct conform_mutant_choice mutants;
};

static void free_options(struct options *o)
{
    char *all[] = {o->backend,    o->group, o->section, o->component, o->id,
                   o->sysfs_root, o->tap,   o->junit,   o->json,      o->html};

    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++)
        g_free(all[i]);
}

static GOptionContext *make_context(const GOptionEntry *entries, struct options *o)
{
    GOptionContext *context =
        g_option_context_new("[WHAT...] - judge by the specification, clause by clause");

    g_option_context_set_summary(
        context, "WHAT is a topology (model), a BDF (sysfs) or a file that `lspci -xxxx` made "
                 "(dump). Each\nassertion passes, fails, or is not applicable, with the reason.");
    g_option_context_set_description(
        context, "Exit status: 0 nothing failed, 1 something did, 2 bad usage or input.\n\n"
                 "Examples:\n"
                 "  pcilab conform                            the model, every clause\n"
                 "  pcilab conform my.ini --group=aer         one group, on my topology\n"
                 "  pcilab conform --section=7.5.3            one section\n"
                 "  pcilab conform --backend=sysfs 01:00.0    a device of this host; only reads\n"
                 "  pcilab conform --backend=sysfs 01:00.0 --destructive\n"
                 "                                            ... writes and resets it: not while\n"
                 "                                            a driver has it\n"
                 "  pcilab conform --backend=dump box.txt     what lspci -xxxx printed\n"
                 "  pcilab conform --list                     every assertion\n");
    /* Callbacks are given what their group was made with. */
    GOptionGroup *group = g_option_group_new("main", "", "", o, NULL);
    g_option_group_add_entries(group, entries);
    g_option_context_set_main_group(context, group);
    return context;
}

static bool open_target(const struct options *o, const char *what, struct conform_target *target)
{
    const char *backend = o->backend ? o->backend : conform_default_backend;
    GError *error = NULL;

    *target = (struct conform_target){0};
    if (strcmp(backend, "model") == 0)
        return conform_open_topology(what, target);
    if (strcmp(backend, "dump") == 0 && !what) {
        cli_error("--backend=dump needs a file that `lspci -xxxx` made");
        return false;
    }
    if (strcmp(backend, "dump") == 0)
        target->backend = conform_dump_open(what, &error);
    else if (strcmp(backend, "sysfs") == 0)
        target->backend = conform_sysfs_open(o->sysfs_root ? o->sysfs_root : "/sys", what, &error);
    else
        cli_error("--backend is model, sysfs or dump, not \"%s\"", backend);
    if (error) {
        cli_error("%s", error->message);
        g_error_free(error);
    }
    target->subject = g_strdup(what ? what : "all functions");
    return target->backend != NULL;
}

static void close_target(gpointer data)
{
    struct conform_target *target = data;

    conform_backend_free(target->backend);
    conform_close_topology(target);
    g_free(target->subject);
    g_free(target);
}

/* A file is there whole or as it was before; "-" is stdout. */
static bool write_report(const char *path, conform_writer write, const GPtrArray *reports)
{
    GError *error = NULL;
    char *text = NULL;
    size_t len = 0;
    FILE *memory;
    bool ok;

    if (strcmp(path, "-") == 0) {
        write(stdout, reports);
        ok = fflush(stdout) == 0 && !ferror(stdout);
        if (!ok)
            cli_error("the report cannot be written: %s", g_strerror(errno));
        return ok;
    }
    memory = open_memstream(&text, &len);
    write(memory, reports);
    fclose(memory);
    ok = whole_file_write(path, text, len, &error);
    free(text);
    if (!ok) {
        cli_error("the report cannot be written: %s", error->message);
        g_error_free(error);
    }
    return ok;
}

static bool write_reports(const struct options *o, const GPtrArray *reports)
{
    const struct {
        const char *path;
        conform_writer write;
    } all[] = {{o->tap, conform_write_tap},
               {o->junit, conform_write_junit},
               {o->json, conform_write_json},
               {o->html, conform_write_html}};
    bool ok = true, stdout_used = false;

    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++) {
        stdout_used |= all[i].path && strcmp(all[i].path, "-") == 0;
        if (all[i].path)
            ok &= write_report(all[i].path, all[i].write, reports);
    }
    return (stdout_used || o->tap || write_report("-", conform_write_tap, reports)) && ok;
}

static bool any_assertion(const struct conform_filter *filter, const GPtrArray *assertions)
{
    for (unsigned i = 0; i < assertions->len; i++) {
        if (conform_filter_accepts(filter, assertions->pdata[i]))
            return true;
    }
    cli_error("no assertion has this group, section and id; see --list");
    return false;
}

static bool is_model(const struct options *o)
{
    return strcmp(o->backend ? o->backend : conform_default_backend, "model") == 0;
}

static int judge_all(const struct options *o, char **what, const GPtrArray *assertions)
{
    struct conform_filter filter = {.group = o->group,
                                    .section = o->section,
                                    .component = o->component,
                                    .id = o->id,
                                    .destructive = o->destructive || is_model(o)};
    GPtrArray *reports = g_ptr_array_new_with_free_func((GDestroyNotify)conform_report_free);
    GPtrArray *targets = g_ptr_array_new_with_free_func(close_target);
    unsigned count = g_strv_length(what), results = 0, failed = 0;
    int status = any_assertion(&filter, assertions) ? CLI_OK : CLI_USAGE;

    for (unsigned i = 0; i < MAX(count, 1) && status == CLI_OK; i++) {
        struct conform_target *target = g_new0(struct conform_target, 1);

        g_ptr_array_add(targets, target);
        if (!open_target(o, what[i], target)) {
            status = CLI_USAGE;
            break;
        }
        struct conform_report *report =
            conform_run(target->backend, assertions, &filter, target->subject);
        g_ptr_array_add(reports, report);
        results += report->results->len;
        failed += report->count[CONFORM_FAIL];
    }
    if (status == CLI_OK && !results) {
        cli_error("no function is called \"%s\"", o->component);
        status = CLI_USAGE;
    }
    /* What was found before something could not be opened is kept. */
    if (results && !write_reports(o, reports))
        status = CLI_USAGE;
    if (status == CLI_OK && failed)
        status = CLI_FAILED;
    g_ptr_array_unref(reports);
    g_ptr_array_unref(targets);
    return status;
}

static int list_all(const struct options *o, const GPtrArray *assertions)
{
    struct conform_filter filter = {.group = o->group, .section = o->section, .id = o->id};
    GPtrArray *some = g_ptr_array_new();

    for (unsigned i = 0; i < assertions->len; i++) {
        if (conform_filter_accepts(&filter, assertions->pdata[i]))
            g_ptr_array_add(some, assertions->pdata[i]);
    }
    if (o->markdown)
        conform_write_markdown(stdout, some);
    else
        conform_write_list(stdout, some);
    g_ptr_array_unref(some);
    return CLI_OK;
}

static gboolean parse_mutate(const char *option, const char *value, gpointer data, GError **error)
{
    struct options *o = data;
    guint64 number = 0;

    o->mutate = true;
    o->mutants.flaws = value && strcmp(value, "flaws") == 0;
    if (value && strcmp(value, "all") != 0 && !o->mutants.flaws &&
        !g_ascii_string_to_unsigned(value, 10, 1, 1000000, &number, NULL)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--mutate is all, flaws or a number, not \"%s\"", value);
        return FALSE;
    }
    o->mutants.count = value ? (unsigned)number : 150;
    return TRUE;
}

int conform_main(char **argv)
{
    struct options o = {0};
    const GOptionEntry entries[] = {
        {"backend", 0, 0, G_OPTION_ARG_STRING, &o.backend, "model, sysfs or dump", "NAME"},
        {"group", 0, 0, G_OPTION_ARG_STRING, &o.group, "Only this group", "GROUP"},
        {"section", 0, 0, G_OPTION_ARG_STRING, &o.section, "Only this section and those below it",
         "NUMBER"},
        {"component", 0, 0, G_OPTION_ARG_STRING, &o.component, "Only functions of this component",
         "NAME"},
        {"id", 0, 0, G_OPTION_ARG_STRING, &o.id, "Only this assertion, or those it begins", "ID"},
        {"destructive", 0, 0, G_OPTION_ARG_NONE, &o.destructive,
         "Also what writes to and resets a device of the host", NULL},
        {"tap", 0, 0, G_OPTION_ARG_FILENAME, &o.tap, "TAP to a file, not to stdout", "FILE"},
        {"junit", 0, 0, G_OPTION_ARG_FILENAME, &o.junit,
         "JUnit XML, too; - is stdout, then "
         "without TAP",
         "FILE"},
        {"json", 0, 0, G_OPTION_ARG_FILENAME, &o.json, "JSON likewise", "FILE"},
        {"html", 0, 0, G_OPTION_ARG_FILENAME, &o.html, "A page likewise", "FILE"},
        {"mutate", 0, G_OPTION_FLAG_OPTIONAL_ARG, G_OPTION_ARG_CALLBACK, parse_mutate,
         "Break the model in N (150) or all ways, or by its flaws alone: which assertions notice?",
         "N|all|flaws"},
        {"list", 0, 0, G_OPTION_ARG_NONE, &o.list, "List the assertions", NULL},
        {"markdown", 0, 0, G_OPTION_ARG_NONE, &o.markdown,
         "With --list or --mutate: as a page of docs/", NULL},
        {"sysfs-root", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &o.sysfs_root,
         "Instead of /sys", "DIR"},
        {NULL}};
    GOptionContext *context = make_context(entries, &o);
    char **words = g_strdupv(argv);
    int status = CLI_USAGE;

    if (cli_parse(context, "conform", &words)) {
        GPtrArray *assertions = conform_assertions();

        o.mutants.markdown = o.markdown;
        status = o.list     ? list_all(&o, assertions)
                 : o.mutate ? conform_mutate_topology(words[1], assertions, &o.mutants)
                            : judge_all(&o, words + 1, assertions);
        g_ptr_array_unref(assertions);
    }
    g_option_context_free(context);
    g_strfreev(words);
    free_options(&o);
    return status;
}
