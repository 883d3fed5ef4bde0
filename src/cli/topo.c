/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab topo: check a topology file, show its tree. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "pcilab/config/topology.h"
#include "topo_svg.h"

static bool print_svg(const struct machine_desc *desc, const char *path, GError **error)
{
    char *title = g_path_get_basename(path), *svg = topo_svg(desc, title, NULL, error);
    bool ok = svg && fputs(svg, stdout) >= 0 && fflush(stdout) == 0;

    if (svg && !ok) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE, "the picture is not complete: %s",
                    g_strerror(errno));
    }
    g_free(svg);
    g_free(title);
    return ok;
}

static int print_topology(const char *name, bool lspci, bool svg)
{
    GError *error = NULL;
    char *path;
    struct machine_desc *desc = cli_load_topology(name, &path); /* NULL: the default */
    int status = CLI_OK;

    if (!desc) {
        return CLI_USAGE;
    }
    if (!lspci && !svg) {
        char *tree = cli_tree(desc, cli_stdout_utf8());
        fputs(tree, stdout);
        g_free(tree);
    } else if (!(svg ? print_svg(desc, path, &error) : cli_print_lspci(desc, stdout, &error))) {
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
        "  pcilab topo default --svg >topology.svg  a picture\n"
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
    gboolean list = FALSE, keys = FALSE, markdown = FALSE, lspci = FALSE, svg = FALSE;
    const GOptionEntry entries[] = {
        {"list", 0, 0, G_OPTION_ARG_NONE, &list, "List the topologies that come with pcilab", NULL},
        {"lspci", 0, 0, G_OPTION_ARG_NONE, &lspci,
         "Enumerate it and print configuration space as lspci -xxxx does", NULL},
        {"svg", 0, 0, G_OPTION_ARG_NONE, &svg, "Draw it: a picture for browsers and documents",
         NULL},
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
    } else if (lspci && svg) {
        cli_error("only one of --lspci and --svg");
    } else if (g_strv_length(words) != 2 && !(svg && g_strv_length(words) == 1)) {
        cli_error("one topology file is needed, like: pcilab topo default");
    } else {
        status = print_topology(words[1], lspci, svg);
    }
    g_option_context_free(context);
    g_strfreev(words);
    return status;
}
