/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages, option parsing and finding topologies. */
#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "pcilab/config/topology.h"

static bool notes_on;
static const char *program = "pcilab";
static GString *captured;

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

void cli_capture_errors(GString *into)
{
    captured = into;
}

void cli_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (captured) {
        g_string_append_vprintf(captured, format, args);
    } else {
        print_line(format, args);
    }
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

struct machine_desc *cli_open_topology(const char *name, char **path, GError **error)
{
    char *file = NULL;

    *path = NULL;
    if (name && (strchr(name, '/') || g_file_test(name, G_FILE_TEST_EXISTS))) {
        file = g_strdup(name);
    } else {
        file = cli_find_topology(name ? name : "default");
    }
    if (!file) {
        char *names = cli_topology_names();
        g_set_error(error, topology_error_quark(), TOPOLOGY_ERROR_FILE,
                    "there is no topology \"%s\": no such file, and those that come with pcilab "
                    "are %s",
                    name ? name : "default", names);
        g_free(names);
        return NULL;
    }
    struct machine_desc *desc = topology_load(file, error);
    if (!desc) {
        g_clear_pointer(&file, g_free);
    }
    *path = file;
    return desc;
}

struct machine_desc *cli_load_topology(const char *name, char **path)
{
    GError *error = NULL;
    struct machine_desc *desc = cli_open_topology(name, path, &error);

    if (!desc) {
        cli_error("%s", error->message);
        g_error_free(error);
    }
    return desc;
}

bool cli_file_is_readable(const char *what, const char *path)
{
    if (access(path, R_OK) != 0) {
        cli_error("%s %s: %s", what, path, g_strerror(errno));
        return false;
    }
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        cli_error("%s %s: this is a directory", what, path);
        return false;
    }
    return true;
}
