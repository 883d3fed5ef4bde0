/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab report: a page of what --out left. */
#include "report.h"

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

static bool fail(GError **error, const char *what)
{
    g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE, "%s", what);
    return false;
}

static bool has(JsonObject *object, const char *name, JsonNodeType type, GType value)
{
    JsonNode *node = json_object_get_member(object, name);

    return node && json_node_get_node_type(node) == type &&
           (type != JSON_NODE_VALUE || json_node_get_value_type(node) == value);
}

static bool is_numbers(JsonNode *node)
{
    if (!JSON_NODE_HOLDS_ARRAY(node) || !json_array_get_length(json_node_get_array(node))) {
        return false;
    }
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *element = json_array_get_element(array, i);
        if (!JSON_NODE_HOLDS_VALUE(element) || json_node_get_value_type(element) != G_TYPE_INT64) {
            return false;
        }
    }
    return true;
}

/* A list of objects, each with these texts. */
static bool is_list(JsonObject *object, const char *name, const char *const *texts)
{
    if (!has(object, name, JSON_NODE_ARRAY, 0)) {
        return false;
    }
    JsonArray *array = json_object_get_array_member(object, name);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *element = json_array_get_element(array, i);
        if (!JSON_NODE_HOLDS_OBJECT(element)) {
            return false;
        }
        for (unsigned t = 0; texts[t]; t++) {
            if (!has(json_node_get_object(element), texts[t], JSON_NODE_VALUE, G_TYPE_STRING)) {
                return false;
            }
        }
    }
    return true;
}

static bool check_use(JsonObject *run)
{
    bool ok = has(run, "use", JSON_NODE_OBJECT, 0);
    JsonObject *use = ok ? json_object_get_object_member(run, "use") : NULL;

    if (!ok || !has(use, "bucket-ps", JSON_NODE_VALUE, G_TYPE_INT64) ||
        !has(use, "senders", JSON_NODE_OBJECT, 0)) {
        return false;
    }
    GList *all = json_object_get_values(json_object_get_object_member(use, "senders"));
    for (GList *v = all; v; v = v->next) {
        ok = ok && is_numbers(v->data);
    }
    g_list_free(all);
    return ok;
}

static bool check_latencies(JsonObject *run)
{
    static const char *const texts[] = {"where", "what", NULL};

    if (!is_list(run, "latencies", texts)) {
        return false;
    }
    JsonArray *all = json_object_get_array_member(run, "latencies");
    for (guint i = 0; i < json_array_get_length(all); i++) {
        JsonNode *bins = json_object_get_member(json_array_get_object_element(all, i), "log2-ps");
        if (!bins || !is_numbers(bins)) {
            return false;
        }
    }
    return true;
}

/* Everything that the page looks at has the type that it should have. */
static bool check_run(JsonNode *node, GError **error)
{
    static const char *const link_texts[] = {"below", "above", "is", "speed", "width", NULL};
    static const char *const event_texts[] = {"class", "where", "text", NULL};
    JsonObject *run = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;

    if (!run || !has(run, "format", JSON_NODE_VALUE, G_TYPE_INT64) ||
        !has(run, "pcilab", JSON_NODE_VALUE, G_TYPE_STRING)) {
        return fail(error, "this is no run of pcilab");
    }
    const char *version = json_object_get_string_member(run, "pcilab");
    if (json_object_get_int_member(run, "format") != REPORT_FORMAT) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE,
                    "of pcilab %s, whose format this one (%s) does not know", version,
                    PCILAB_VERSION);
        return false;
    }
    if (!has(run, "title", JSON_NODE_VALUE, G_TYPE_STRING) ||
        !has(run, "result", JSON_NODE_VALUE, G_TYPE_STRING) || !check_use(run) ||
        !check_latencies(run) || !is_list(run, "events", event_texts) ||
        (json_object_has_member(run, "links") && !is_list(run, "links", link_texts))) {
        return fail(error, "something is missing in it");
    }
    return true;
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
        ok = (run->run || (error && *error)) ? run->run && check_run(run->run, error)
                                             : fail(error, "it is empty");
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
        if (g_file_set_contents(path, page, -1, &error)) {
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
