/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kernel image says of itself. */
#ifndef PCILAB_CLI_BOOT_KERNEL_H
#define PCILAB_CLI_BOOT_KERNEL_H

#include <glib.h>

/* The release that a bzImage names ("6.12.1-foo"); `full`, which may be NULL, gets all that it
 * says, with builder and date. NULL: it is no bzImage or names none. g_free() both. */
char *boot_kernel_release(const char *path, char **full);

#endif
