/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab inspect: looks into a machine that a server holds at a checkpoint. */
#include "inspect.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fork_client.h"

struct options {
    gboolean json;
    char **words;
};

/* The words as a file, a zero behind each: -1, said why. */
static int query_file(char *const *words)
{
    int fd = memfd_create("query", MFD_CLOEXEC);
    size_t bytes = 0;

    for (unsigned i = 0; words[i]; i++) {
        bytes += strlen(words[i]) + 1;
        if (bytes > INSPECT_QUERY_BYTES) {
            cli_error("\"%.20s...\": this is longer than anything that can be looked at", words[i]);
            close(fd);
            return -1;
        }
        if (fd < 0 || write(fd, words[i], strlen(words[i]) + 1) != (ssize_t)strlen(words[i]) + 1) {
            cli_error("the question: %s", g_strerror(errno));
            if (fd >= 0) {
                close(fd);
            }
            return -1;
        }
    }
    return fd;
}

static int act(const struct options *o)
{
    struct fork_request request = {.fds = {-1, STDOUT_FILENO, STDERR_FILENO, -1, -1}};
    struct inspect_query query = {.json = o->json};
    struct fork_message result;

    if (!o->words) {
        cli_error("the path of a pcilab boot --serve PATH is needed, and what to look at; see "
                  "pcilab inspect --help");
        return CLI_USAGE;
    }
    if (!inspect_query_parse(&query, o->words + 1)) {
        return CLI_USAGE;
    }
    request.fds[FORK_FD_IN] = query_file(o->words + 1);
    if (request.fds[FORK_FD_IN] < 0) {
        return CLI_USAGE;
    }
    request.path = o->words[0];
    fork_message_init(&request.go, FORK_GO);
    request.go.flags = FORK_INSPECT | (o->json ? FORK_JSON : 0);
    int status = fork_client_run(&request, &result);
    close(request.fds[FORK_FD_IN]);
    return status;
}

static GOptionContext *make_context(const GOptionEntry *entries)
{
    GOptionContext *context =
        g_option_context_new("PATH WHAT - look into the machine that pcilab boot --serve PATH left "
                             "at its checkpoint");

    g_option_context_set_summary(
        context,
        "WHAT is one of:\n"
        "  iommu [UNIT] [SECTION]      IOMMUs; SECTION is registers, queue, faults, contexts,\n"
        "                              domains, interrupts, endpoints, mappings, statistics, "
        "requests,\n"
        "                              caches, invalidations or page-requests\n"
        "  walk FUNCTION[,PASID] ADDRESS [read|write]\n"
        "                              how an address is translated, step by step\n"
        "  functions                   all functions, with their numbers of now\n"
        "  function FUNCTION           BARs and registers of one\n"
        "  ats                         translation caches of functions beside the tables, and "
        "what\n"
        "                              is outstanding\n"
        "  links                       speed, width and state of each link\n"
        "Looking changes nothing: the server stays as it is, for more looks and for pcilab fork.");
    g_option_context_set_description(
        context, "Examples:\n"
                 "  pcilab boot iommu --checkpoint-at 'console: fault reason' --serve /tmp/lab "
                 "<test.sh\n"
                 "  pcilab inspect /tmp/lab iommu faults\n"
                 "  pcilab inspect /tmp/lab walk 05:00.0 0x12345000 write\n"
                 "  pcilab inspect /tmp/lab iommu caches --json\n"
                 "\n"
                 "Exit status: 0; 2 when there is no server, or nothing of that name in it.\n");
    g_option_context_add_main_entries(context, entries, NULL);
    return context;
}

int cli_inspect(char **argv)
{
    struct options o = {0};
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &o.json, "As JSON, for programs", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o.words, NULL, "PATH WHAT"},
        {NULL}};
    GOptionContext *context = make_context(entries);
    char **words = g_strdupv(argv);

    g_set_prgname("pcilab inspect");
    int status = cli_parse(context, "inspect", &words) ? act(&o) : CLI_USAGE;
    g_option_context_free(context);
    g_strfreev(words);
    g_strfreev(o.words);
    return status;
}
