/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A core file of the guest on the host's disk. */
#ifndef PCILAB_CLI_CORE_FILE_H
#define PCILAB_CLI_CORE_FILE_H

#include <stdbool.h>

struct machine;

/* Writes it, replaces what is there, and says so (or what went wrong, and leaves nothing). */
bool core_file_write(const struct machine *machine, const char *path);

#endif
