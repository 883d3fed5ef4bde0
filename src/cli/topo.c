/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab topo: check a topology file, show its tree. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "pcilab/config/topology.h"

static int print_topology(const char *name, bool lspci)
{
    GError *error = NULL;
    char *path;
    struct machine_desc *desc = cli_load_topology(name, &path);
    int status = CLI_OK;

    if (!desc) {
        return CLI_USAGE;
    }
    if (!lspci) {
        char *tree = cli_tree(desc, cli_stdout_utf8());
        fputs(tree, stdout);
        g_free(tree);
    } else if (!cli_print_lspci(desc, stdout, &error)) {
        cli_error("%s: %s", path, error->message);
        g_error_free(error);
        status = CLI_USAGE;
    }
    g_free(path);
    machine_desc_free(desc);
    return status;
}

static GOptionContext *topo_context(const GOptionEntry *entries)
{
    GOptionContext *context = g_option_context_new("FILE - check a topology and show its tree");

    g_option_context_set_summary(
        context, "FILE is a topology file, or the name of one that comes with pcilab (--list).");
    g_option_context_set_description(
        context,
        "Examples:\n"
        "  pcilab topo --list                       what is there to start from\n"
        "  pcilab topo default                      the default topology\n"
        "  pcilab topo my.ini                       is my file right? (exit status 2: no)\n"
        "  pcilab topo --keys                       what can stand in a file\n"
        "  pcilab topo import box.txt               make one of a real computer's lspci -xxxx\n"
        "  pcilab topo default --lspci >dump        what firmware would make of it ...\n"
        "  lspci -F dump -vvv                       ... decoded; lspci -F dump -tv: as a tree\n"
        "\n"
        "A topology in six lines:\n"
        "  [root-port rp0]\n"
        "  [switch sw0]\n"
        "  at=rp0\n"
        "  downstream=4\n"
        "  [nvme nvme0]\n"
        "  at=sw0.1\n");
    g_option_context_add_main_entries(context, entries, NULL);
    return context;
}

int cli_topo(char **argv)
{
    gboolean list = FALSE, keys = FALSE, markdown = FALSE, lspci = FALSE;
    const GOptionEntry entries[] = {
        {"list", 0, 0, G_OPTION_ARG_NONE, &list, "List the topologies that come with pcilab", NULL},
        {"lspci", 0, 0, G_OPTION_ARG_NONE, &lspci,
         "Enumerate it and print configuration space as lspci -xxxx does", NULL},
        {"keys", 0, 0, G_OPTION_ARG_NONE, &keys, "List all groups and keys of topology files",
         NULL},
        {"markdown", 0, 0, G_OPTION_ARG_NONE, &markdown, "With --keys: as in docs/topology.md",
         NULL},
        {NULL}};
    if (argv[1] && strcmp(argv[1], "import") == 0) {
        return cli_topo_import(argv + 1);
    }
    GOptionContext *context = topo_context(entries);
    char **words = g_strdupv(argv);
    int status = CLI_USAGE;

    g_set_prgname("pcilab topo");
    if (!cli_parse(context, "topo", &words)) {
        /* said */
    } else if (list) {
        char *text = cli_topology_table();
        fputs(text, stdout);
        g_free(text);
        status = CLI_OK;
    } else if (keys) {
        char *text = topology_keys_text(markdown);
        fputs(text, stdout);
        g_free(text);
        status = CLI_OK;
    } else if (g_strv_length(words) != 2) {
        cli_error("one topology file is needed, like: pcilab topo default");
    } else {
        status = print_topology(words[1], lspci);
    }
    g_option_context_free(context);
    g_strfreev(words);
    return status;
}
