/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that a user names, written whole or not at all. */
#ifndef PCILAB_BASE_WHOLE_FILE_H
#define PCILAB_BASE_WHOLE_FILE_H

#include <glib.h>
#include <stdbool.h>

/* An ordinary file gets the text or keeps what it has. What is there and is something else (a
 * device, a pipe) is written to and stays what it is. False: errors of G_FILE_ERROR. */
bool whole_file_write(const char *path, const char *text, size_t len, GError **error);

#endif
