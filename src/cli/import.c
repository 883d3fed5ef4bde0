/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcilab topo import: a real computer's lspci -xxxx becomes a topology. */
#include <string.h>

#include "cli.h"
#include "pcilab/base/whole_file.h"
#include "pcilab/config/import.h"

struct import_options {
    char *iomem, *acpi, *output;
    gboolean force;
};

/* What stands in front of the suffix: DUMP "box.txt" becomes box.ini and box.cfg. */
static char *stem_of(const char *path)
{
    char *base = g_path_get_basename(path), *dot = strrchr(base, '.');

    if (dot && dot != base) {
        *dot = '\0';
    }
    return base;
}

static bool write_file(const char *path, const char *text, bool force, GError **error)
{
    if (!force && g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
                    "%s is there already; --force overwrites it", path);
        return false;
    }
    return whole_file_write(path, text, strlen(text), error);
}

static bool write_files(const struct import_options *options, const char *ini, const char *cfg,
                        const struct topo_import *import)
{
    GError *error = NULL;

    if (!options->force && g_file_test(cfg, G_FILE_TEST_EXISTS)) {
        cli_error("%s is there already; --force overwrites it", cfg);
        return false;
    }
    if (write_file(ini, import->topology, options->force, &error) &&
        write_file(cfg, import->config, options->force, &error)) {
        return true;
    }
    cli_error("%s", error->message);
    g_error_free(error);
    return false;
}

static void report(const struct topo_import *import, const char *ini, const char *cfg)
{
    for (unsigned i = 0; i < import->notes->len; i++) {
        cli_note("%s", (char *)import->notes->pdata[i]);
    }
    printf("%s and %s: %u function%s below %u host bridge%s", ini, cfg, import->functions,
           import->functions == 1 ? "" : "s", import->host_bridges,
           import->host_bridges == 1 ? "" : "s");
    if (import->guessed) {
        printf("; sizes of %u of %u BARs are guesses", import->guessed, import->bars);
    }
    printf("\n");
}

static int import_dump(const char *dump, const struct import_options *options, const char *ini,
                       const char *cfg)
{
    char *config_name = g_path_get_basename(cfg);
    struct topo_import_params params = {
        .dump_file = dump,
        .iomem_file = options->iomem,
        .acpi_file = options->acpi,
        .config_name = config_name,
    };
    struct topo_import import;
    char *text = NULL, *iomem = NULL, *acpi = NULL;
    GError *error = NULL;
    int status = CLI_USAGE;

    if (g_file_get_contents(dump, &text, &params.dump_len, &error) &&
        (!options->iomem ||
         g_file_get_contents(options->iomem, &iomem, &params.iomem_len, &error)) &&
        (!options->acpi || g_file_get_contents(options->acpi, &acpi, &params.acpi_len, &error))) {
        params.dump = text;
        params.iomem = iomem;
        params.acpi = acpi;
        if (topo_import(&params, &import, &error)) {
            if (write_files(options, ini, cfg, &import)) {
                report(&import, ini, cfg);
                status = CLI_OK;
            }
            topo_import_clear(&import);
        }
    }
    if (error) {
        cli_error("%s", error->message);
        g_error_free(error);
    }
    g_free(text);
    g_free(iomem);
    g_free(acpi);
    g_free(config_name);
    return status;
}

static int import_to(const char *dump, const struct import_options *options)
{
    char *stem = options->output ? g_strdup(options->output) : stem_of(dump);
    int status = CLI_USAGE;

    if (g_str_has_suffix(stem, ".ini")) {
        stem[strlen(stem) - 4] = '\0';
    }
    char *base = g_path_get_basename(stem);
    if (!*stem || *base == '.' || *base == '/') {
        cli_error("-o needs a file name, like box.ini");
    } else {
        char *ini = g_strconcat(stem, ".ini", NULL), *cfg = g_strconcat(stem, ".cfg", NULL);
        status = import_dump(dump, options, ini, cfg);
        g_free(ini);
        g_free(cfg);
    }
    g_free(base);
    g_free(stem);
    return status;
}

static GOptionContext *import_context(const GOptionEntry *entries)
{
    GOptionContext *context =
        g_option_context_new("DUMP - make a topology of a real computer's lspci -xxxx");

    g_option_context_set_summary(
        context, "Writes a topology file and, beside it, a .cfg file with the configuration space "
                 "of its\nfunctions: same tree, identifiers, capabilities, BARs, windows and link "
                 "states.");
    g_option_context_set_description(
        context, "Examples:\n"
                 "  sudo lspci -vvxxxx >box.txt              on that computer (-vv tells the sizes "
                 "of BARs)\n"
                 "  pcilab topo import box.txt               makes box.ini and box.cfg\n"
                 "  pcilab boot box.ini                      boots on it\n"
                 "  pcilab topo box.ini --lspci | lspci -F /dev/stdin -tn\n"
                 "\n"
                 "What is behind the BARs is not there: they read as all ones.\n");
    g_option_context_add_main_entries(context, entries, NULL);
    return context;
}

int cli_topo_import(char **argv)
{
    struct import_options options = {0};
    const GOptionEntry entries[] = {
        {"iomem", 0, 0, G_OPTION_ARG_FILENAME, &options.iomem,
         "What /proc/iomem of that computer says to root: tells the sizes of BARs", "FILE"},
        {"acpi", 0, 0, G_OPTION_ARG_FILENAME, &options.acpi,
         "What acpidump prints there: tells the buses of each segment", "FILE"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
         "The topology file; default: DUMP's name with .ini, in this folder", "FILE"},
        {"force", 0, 0, G_OPTION_ARG_NONE, &options.force, "Overwrite files", NULL},
        {NULL}};
    GOptionContext *context = import_context(entries);
    char **words = g_strdupv(argv);
    int status = CLI_USAGE;

    g_set_prgname("pcilab topo import");
    if (!cli_parse(context, "topo import", &words)) {
        /* said */
    } else if (g_strv_length(words) != 2) {
        cli_error("one dump is needed, like: pcilab topo import box.txt");
    } else {
        status = import_to(words[1], &options);
    }
    g_option_context_free(context);
    g_strfreev(words);
    g_free(options.iomem);
    g_free(options.acpi);
    g_free(options.output);
    return status;
}
