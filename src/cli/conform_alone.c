/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcilab-conform: the suite without the model, static, for devices of whatever Linux it is copied
 * to and for dumps. This stands in for what cli.h has of pcilab.
 */
#include <stdarg.h>

#include "cli.h"
#include "conform.h"

const char *const conform_default_backend = "sysfs";

void cli_error(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    fprintf(stderr, "pcilab-conform: %s\n", text);
    g_free(text);
}

bool cli_parse(GOptionContext *context, const char *command, char ***argv)
{
    GError *error = NULL;

    if (g_option_context_parse_strv(context, argv, &error))
        return true;
    cli_error("%s; see pcilab-conform --help", error->message);
    g_error_free(error);
    return false;
}

bool conform_open_topology(const char *name, struct conform_target *target)
{
    cli_error("this program has no model: pcilab conform has");
    return false;
}

void conform_close_topology(struct conform_target *target)
{
}

int conform_mutate_topology(const char *name, const GPtrArray *assertions,
                            const struct conform_mutant_choice *choice)
{
    cli_error("this program has no model: pcilab conform has");
    return CLI_USAGE;
}

int main(int argc, char **argv)
{
    g_set_prgname("pcilab-conform");
    return conform_main(argv);
}
