/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages, option parsing and finding topologies. */
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "pcilab/config/topology.h"

static bool notes_on;
static const char *program = "pcilab";

void cli_set_program(const char *name)
{
    program = name;
}

static void print_line(const char *format, va_list args)
{
    char *text = g_strdup_vprintf(format, args);

    fprintf(stderr, "%s: %s\n", program, text);
    g_free(text);
}

void cli_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_line(format, args);
    va_end(args);
}

void cli_note(const char *format, ...)
{
    va_list args;

    if (!notes_on) {
        return;
    }
    va_start(args, format);
    print_line(format, args);
    va_end(args);
}

void cli_set_notes(bool on)
{
    notes_on = on;
}

bool cli_notes(void)
{
    return notes_on;
}

bool cli_parse(GOptionContext *context, const char *command, char ***argv)
{
    GError *error = NULL;

    if (g_option_context_parse_strv(context, argv, &error)) {
        return true;
    }
    cli_error("%s; see pcilab %s --help", error->message, command);
    g_error_free(error);
    return false;
}

bool cli_stdout_utf8(void)
{
    return isatty(STDOUT_FILENO) && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* Where the topologies that come with pcilab are: beside the build folder, where the sources are,
 * or where it was installed to. */
static char *find_config(const char *name)
{
    char *file = g_strdup_printf("%s.ini", name);
    char *self = g_file_read_link("/proc/self/exe", NULL);
    char *here = self ? g_path_get_dirname(self) : g_strdup(".");
    char *found = NULL;
    char *folders[] = {g_build_filename(here, "..", "configs", NULL), g_strdup(PCILAB_CONFIG_DIR),
                       g_build_filename(here, "..", "share", "pcilab", "configs", NULL)};

    for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++) {
        char *path = g_build_filename(folders[i], file, NULL);
        if (!found && g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
            found = g_canonicalize_filename(path, NULL);
        }
        g_free(path);
        g_free(folders[i]);
    }
    g_free(here);
    g_free(self);
    g_free(file);
    return found;
}

struct machine_desc *cli_load_topology(const char *name, char **path)
{
    GError *error = NULL;
    char *file = NULL;

    *path = NULL;
    if (name && (strchr(name, '/') || g_file_test(name, G_FILE_TEST_EXISTS))) {
        file = g_strdup(name);
    } else {
        file = find_config(name ? name : "default");
    }
    if (!file) {
        cli_error("there is no topology \"%s\": no such file, and those that come with pcilab "
                  "are " CLI_TOPOLOGIES,
                  name ? name : "default");
        return NULL;
    }
    struct machine_desc *desc = topology_load(file, &error);
    if (!desc) {
        cli_error("%s", error->message);
        g_error_free(error);
        g_clear_pointer(&file, g_free);
    }
    *path = file;
    return desc;
}
