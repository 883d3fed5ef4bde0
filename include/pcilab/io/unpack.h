/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that may be compressed. */
#ifndef PCILAB_IO_UNPACK_H
#define PCILAB_IO_UNPACK_H

#include <glib.h>
#include <stdbool.h>

/* The whole file, uncompressed if it starts as gzip, xz or zstd files do. NULL: it cannot be read,
 * is damaged, or larger than 1 GiB. */
GByteArray *unpack_file(const char *path, GError **error);

#endif
