/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab trace: what stands in traces, and where two of them part. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli.h"
#include "pcilab/fabric/fabric.h"
#include "pcilab/trace/reader.h"
#include "trace_file.h"

#define CONTEXT_DEFAULT 5
#define CONTEXT_MAX     10000

/* As diff(1) has them. */
enum { TRACES_EQUAL = 0, TRACES_DIFFER = 1, TRACES_TROUBLE = 2 };

struct trace_command {
    struct trace_options options;
    gint context;
    gboolean no_times;
    char **files;
};

/* One side of a comparison. */
struct side {
    const char *path;
    struct trace_reader *reader;
    const char *line, *words;
    char *error;
};

static bool parse(struct trace_command *c, char ***words, bool diff)
{
    const GOptionEntry entries[] = {
        {"trace", 0, 0, G_OPTION_ARG_STRING, &c->options.what,
         "Only these, as of pcilab boot --trace", "KINDS"},
        {"from", 0, 0, G_OPTION_ARG_STRING, &c->options.from, "From this virtual time on", "TIME"},
        {"to", 0, 0, G_OPTION_ARG_STRING, &c->options.to, "Before this virtual time", "TIME"},
        {NULL}};
    const GOptionEntry diff_entries[] = {
        {"context", 'C', 0, G_OPTION_ARG_INT, &c->context, "So many events around it", "N"},
        {"no-times", 0, 0, G_OPTION_ARG_NONE, &c->no_times,
         "What happens at another time is no difference", NULL},
        {NULL}};
    GOptionContext *context =
        g_option_context_new(diff ? "A B - the first difference of two traces"
                                  : "FILE - the events of a trace, text or pcapng, as text");
    bool ok;

    g_option_context_add_main_entries(context, entries, NULL);
    if (diff) {
        g_option_context_add_main_entries(context, diff_entries, NULL);
        g_option_context_set_description(
            context, "Exit status: 0 the same, 1 a difference, 2 a trace that cannot be read.");
    }
    ok = cli_parse(context, diff ? "trace diff" : "trace show", words);
    g_option_context_free(context);
    if (!c->options.what) {
        c->options.what = g_strdup("all");
    }
    ok = ok && trace_options_take(&c->options);
    c->files = *words + 1;
    if (ok && g_strv_length(*words) != (diff ? 3 : 2)) {
        cli_error(diff ? "two traces are needed: pcilab trace diff A B"
                       : "a trace is needed: pcilab trace show FILE");
        ok = false;
    }
    if (ok && (c->context < 0 || c->context > CONTEXT_MAX)) {
        cli_error("--context %d is not allowed; it is up to %d", c->context, CONTEXT_MAX);
        ok = false;
    }
    return ok;
}

static bool side_open(struct side *side, const char *path)
{
    FILE *file = fopen(path, "re");
    char *error = NULL;

    side->path = path;
    if (!file) {
        cli_error("%s: %s", path, g_strerror(errno));
        return false;
    }
    side->reader = trace_reader_new(file, path, fabric_render_tlp, &error);
    if (!side->reader) {
        cli_error("%s", error);
        g_free(error);
    }
    return side->reader != NULL;
}

static void side_step(struct side *side, const struct trace_select *select)
{
    if (!side->error) {
        side->line = trace_reader_next(side->reader, select, &side->words, &side->error);
    }
}

/* False: what came before is good, but not what comes. */
static bool side_close(struct side *side)
{
    bool ok = !side->error;

    if (!ok) {
        cli_error("%s", side->error);
    }
    g_free(side->error);
    trace_reader_free(side->reader);
    return ok;
}

static int show(const struct trace_command *c)
{
    struct side side = {0};

    if (!side_open(&side, c->files[0])) {
        return TRACES_TROUBLE;
    }
    printf(TRACE_TEXT_HEAD "%u\n", TRACE_VERSION);
    do {
        side_step(&side, c->options.select);
        if (side.line) {
            puts(side.line);
        }
    } while (side.line);
    if (fflush(stdout) != 0) {
        cli_error("the output is not complete: %s", g_strerror(errno));
        side_close(&side);
        return TRACES_TROUBLE;
    }
    return side_close(&side) ? CLI_OK : TRACES_TROUBLE;
}

static bool same(const struct trace_command *c, const struct side *a, const struct side *b)
{
    if (!a->line || !b->line) {
        return !a->line && !b->line;
    }
    return strcmp(c->no_times ? a->words : a->line, c->no_times ? b->words : b->line) == 0;
}

/* From the difference on. */
static void print_side(const struct trace_command *c, struct side *side, char mark)
{
    if (!side->line) {
        printf("%c %s\n", mark, side->error ? "(not readable from here on)" : "(it ends here)");
    }
    for (int i = 0; side->line && i <= c->context; i++) {
        printf("%c %s\n", mark, side->line);
        side_step(side, c->options.select);
    }
}

static void print_difference(const struct trace_command *c, struct side side[2], GQueue *before,
                             uint64_t count)
{
    printf("The first difference is event %" PRIu64 ":\n--- %s\n+++ %s\n", count + 1, side[0].path,
           side[1].path);
    for (GList *line = before->head; line; line = line->next) {
        printf("  %s\n", (const char *)line->data);
    }
    print_side(c, &side[0], '-');
    print_side(c, &side[1], '+');
}

static int compare(const struct trace_command *c, struct side side[2])
{
    GQueue before = G_QUEUE_INIT;
    uint64_t count = 0;
    bool differs;

    for (;; count++) {
        side_step(&side[0], c->options.select);
        side_step(&side[1], c->options.select);
        differs = !same(c, &side[0], &side[1]);
        if (differs || !side[0].line) {
            break;
        }
        g_queue_push_tail(&before, g_strdup(side[0].line));
        if (before.length > (guint)c->context) {
            g_free(g_queue_pop_head(&before));
        }
    }
    if (differs) {
        print_difference(c, side, &before, count);
    } else if (!side[0].error && !side[1].error) {
        printf("No difference in %" PRIu64 " events.\n", count);
    }
    g_queue_clear_full(&before, g_free);
    return differs ? TRACES_DIFFER : TRACES_EQUAL;
}

static int diff(const struct trace_command *c)
{
    struct side side[2] = {{0}};
    int status = TRACES_TROUBLE;
    bool whole;

    if (side_open(&side[0], c->files[0]) && side_open(&side[1], c->files[1])) {
        status = compare(c, side);
    }
    whole = side_close(&side[0]);
    whole = side_close(&side[1]) && whole;
    return whole ? status : TRACES_TROUBLE;
}

int cli_trace(char **argv)
{
    struct trace_command command = {.context = CONTEXT_DEFAULT};
    bool differ = argv[1] && strcmp(argv[1], "diff") == 0;
    int status = TRACES_TROUBLE;

    if (!differ && (!argv[1] || strcmp(argv[1], "show") != 0)) {
        bool help = argv[1] && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);

        fputs("Usage:\n"
              "  pcilab trace show FILE    the events of a trace, text or pcapng, as text\n"
              "  pcilab trace diff A B     the first difference of two traces, with context\n"
              "Each has --help. Traces come from pcilab boot and run, --trace-file: "
              "docs/tracing.md.\n",
              help ? stdout : stderr);
        return help ? CLI_OK : CLI_USAGE;
    }
    g_set_prgname(differ ? "pcilab trace diff" : "pcilab trace show");
    char **words = g_strdupv(argv + 1);
    if (parse(&command, &words, differ)) {
        status = differ ? diff(&command) : show(&command);
    }
    g_strfreev(words);
    trace_options_clear(&command.options);
    return status;
}
