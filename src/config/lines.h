/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of a key file: which group and which key stands where. GKeyFile keeps no line numbers,
 * merges groups of one name and lets a later key replace an earlier one; this index is made first
 * so that each of these is an error with its line, and so that later errors can name theirs.
 */
#ifndef PCILAB_CONFIG_LINES_H
#define PCILAB_CONFIG_LINES_H

#include <glib.h>
#include <stdbool.h>

#define TOPO_FILE_BYTES_MAX (1u << 20)

struct topo_key_line {
    char *name;
    unsigned line;
};

struct topo_group_line {
    char *text; /* between the brackets, as GKeyFile knows it */
    char *kind; /* first word */
    char *name; /* second word; "" when there is none */
    unsigned line;
    GArray *keys; /* struct topo_key_line */
};

struct topo_lines {
    const char *file; /* for messages */
    GArray *groups;   /* struct topo_group_line */
};

/* At most one byte more than is allowed, whatever kind of file it is; NULL: it cannot be read. */
char *topo_read_file(const char *path, size_t *len, GError **error);

/* The one shape of all errors: "file:line: [group] key: what is wrong". group and key may be
 * NULL. */
void topo_fail(GError **error, const char *file, unsigned line, const char *group, const char *key,
               const char *format, ...) G_GNUC_PRINTF(6, 7);

/* `file` must outlive the index. On failure nothing is left to free. */
bool topo_lines_index(struct topo_lines *lines, const char *file, const char *text, size_t len,
                      GError **error);
void topo_lines_clear(struct topo_lines *lines);

/* Line of a key in a group, or of the group's header where the key is absent. */
unsigned topo_lines_of_key(const struct topo_group_line *group, const char *key);

#endif
