/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcilab inspect: what to look at, and how it is shown. The client reads the words for errors; the
 * process at the checkpoint reads them again, looks, and prints on the client's stdout.
 */
#ifndef PCILAB_CLI_INSPECT_H
#define PCILAB_CLI_INSPECT_H

#include <json-glib/json-glib.h>

#include "cli.h"
#include "pcilab/platform/inspect.h"

#define INSPECT_QUERY_BYTES 4096 /* of all words, with a zero behind each */

enum inspect_what {
    INSPECT_IOMMU,
    INSPECT_WALK,
    INSPECT_FUNCTION,
    INSPECT_FUNCTIONS,
    INSPECT_LINKS,
    INSPECT_ATS
};

struct inspect_query {
    enum inspect_what what;
    bool json;
    const char *unit, *section; /* of INSPECT_IOMMU, or NULL: all */
    struct machine_access access;
};

/* inspect_query.c */
/* The words after PATH; they outlive the query. Reports errors itself. */
bool inspect_query_parse(struct inspect_query *query, char *const *words);
/* What there is to see; NULL with an error when there is no such thing. json_node_unref() it. */
JsonNode *inspect_look(struct machine *machine, const struct inspect_query *query, GError **error);
/* The answer, or an error on stderr; the exit status. */
int inspect_show(struct machine *machine, const struct inspect_query *query, char *const *words,
                 FILE *out);
/* In the process at the checkpoint: words from a file, the answer to stdout; the exit status. */
int inspect_serve(struct machine *machine, int query_fd, bool json);

/* inspect_now.c: for a running boot. Words are separated by blanks; --json may be one. */
/* Can this be asked? Reports errors itself. */
bool inspect_now_check(const char *text);
/* Prints the answer on stderr, from a process of its own, so that looking changes nothing. */
void inspect_now(struct machine *machine, const char *text);

/* The same as text, errors too; g_free() it. */
char *inspect_now_text(struct machine *machine, const char *text);

/* inspect_text.c: an object for people: values, then lists as tables. */
void inspect_text_print(JsonNode *node, FILE *out);

#endif
