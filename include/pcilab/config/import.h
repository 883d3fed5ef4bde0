/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what lspci prints of a real computer to a topology file and the file with its shells'
 * configuration space (docs/import.md).
 */
#ifndef PCILAB_CONFIG_IMPORT_H
#define PCILAB_CONFIG_IMPORT_H

#include <glib.h>
#include <stdbool.h>

struct topo_import_params {
    const char *dump_file; /* for messages */
    const char *dump;
    size_t dump_len;
    const char *iomem_file; /* NULL: none */
    const char *iomem;      /* what /proc/iomem says to root */
    size_t iomem_len;
    const char *acpi_file; /* NULL: none */
    const char *acpi;      /* what acpidump prints */
    size_t acpi_len;
    const char *config_name; /* of the second file, as the first one will name it */
};

struct topo_import {
    char *topology, *config; /* the two files */
    unsigned functions, host_bridges;
    unsigned bars, guessed; /* BARs in all, and those whose size is a guess */
    GPtrArray *notes;       /* char *: what is not as in the dump */
    GPtrArray *remarks;     /* char *: what else is known of the computer */
};

/* False: "file:line: what is wrong", and nothing to clear. */
bool topo_import(const struct topo_import_params *params, struct topo_import *out, GError **error);
void topo_import_clear(struct topo_import *import);

#endif
