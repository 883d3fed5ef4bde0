/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the subcommands share: exit statuses, messages, topologies. */
#ifndef PCILAB_CLI_CLI_H
#define PCILAB_CLI_CLI_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

#include "pcilab/platform/machine.h"

enum cli_status {
    CLI_OK = 0,     /* the guest powered off */
    CLI_FAILED = 1, /* the kernel panicked, or a check failed */
    CLI_USAGE = 2,  /* bad usage or input; nothing was started */
    CLI_LIMIT = 3,  /* the time limit was reached */
    /* 128 + signal: ended from outside. Ctrl-A x counts as an interrupt. */
    CLI_INTERRUPTED = 130,
};

/* Errors and warnings go to stderr always, notes only while someone wants them. */
void cli_set_program(const char *name); /* before the colon; "pcilab" at first */
void cli_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* False, and an error: `what`, the file `path`, cannot be read. */
bool cli_file_is_readable(const char *what, const char *path);
/* Errors for somebody who is not at stderr; NULL: to stderr again. */
void cli_capture_errors(GString *into);
void cli_note(const char *format, ...) G_GNUC_PRINTF(1, 2);
void cli_set_notes(bool on);
bool cli_notes(void);

/* Parses the options of a subcommand; on an error says so and how to get help. */
bool cli_parse(GOptionContext *context, const char *command, char ***argv);

/* Loads the topology that the user means: a path, or the name of one of configs/ ("default");
 * NULL is "default". Reports errors itself. `path` gets what was loaded; g_free() it. */
struct machine_desc *cli_load_topology(const char *name, char **path);
/* The same, and the caller reports. */
struct machine_desc *cli_open_topology(const char *name, char **path, GError **error);

/* The topologies that come with pcilab: the file of one of them, or NULL; their names as a sentence
 * has them; and a table of name and purpose. g_free() them. */
char *cli_find_topology(const char *name);
char *cli_topology_names(void);
char *cli_topology_table(void);

/* The machine as a tree, for people. g_free() it. */
char *cli_tree(const struct machine_desc *desc, bool utf8);
/* True when stdout is a terminal that shows box drawing. */
bool cli_stdout_utf8(void);

/* Builds the machine, enumerates it as firmware does and writes an `lspci -xxxx` dump. */
bool cli_print_lspci(const struct machine_desc *desc, FILE *out, GError **error);

/* The subcommands; argv[0] is the subcommand's name. They return the exit status. */
int cli_topo(char **argv);
int cli_topo_import(char **argv); /* argv[0] is "import" */
int cli_boot(char **argv);
int cli_campaign(char **argv);
int cli_conform(char **argv);
int cli_ctl(char **argv);
int cli_fork(char **argv);
int cli_inspect(char **argv);
int cli_report(char **argv);
int cli_run(char **argv);
int cli_trace(char **argv);

#endif
