/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the halves of an import. */
#ifndef PCILAB_SRC_CONFIG_IMPORT_H
#define PCILAB_SRC_CONFIG_IMPORT_H

#include "pcilab/config/import.h"
#include "pcilab/config/lspci.h"

/* A kind of addresses: I/O ports, memory below 4 GiB, memory above. */
enum import_space {
    IMPORT_IO,
    IMPORT_MEM32,
    IMPORT_MEM64,
    IMPORT_SPACES,
};

struct import_range {
    uint64_t first, last; /* last < first: empty */
};

/* A root bus. */
struct import_root {
    uint32_t segment;
    unsigned first, last; /* bus numbers; the first is the root bus */
    struct {
        bool given;
        struct import_range range;
    } window[IMPORT_SPACES];
};

/* An entry of MCFG. */
struct import_ecam {
    uint16_t segment;
    uint8_t first, last; /* bus numbers */
    uint64_t base;
};

/* What acpidump printed: entries of MCFG, and comments for the topology (char *). */
bool import_read_acpi(const struct topo_import_params *params, GArray *ecams, GPtrArray *notes,
                      GError **error);
/* One of a bridge's three windows (`space` IMPORT_MEM64: the prefetchable one, wherever it lies);
 * false when it is closed. */
bool import_bridge_window(const struct lspci_func *bridge, enum import_space space,
                          struct import_range *range);
/* Where the root buses' windows must be for the addresses of the dump to be kept: from the
 * addresses themselves and, where it is known, from what /proc/iomem says of root buses. */
void import_find_windows(const struct topo_import_params *params, GPtrArray *funcs, GArray *roots,
                         struct topo_import *out);
/* The keys of a host bridge. */
void import_write_windows(const struct import_root *root, GString *out);
/* "  f7e00000-f7e03fff : 0000:03:00.0" */
bool import_read_range(const char *line, uint64_t *first, uint64_t *last, const char **name);
/* Sizes of BARs from what /proc/iomem says. */
bool import_read_iomem(const struct topo_import_params *params, GPtrArray *funcs, GError **error);
/* Guesses what is not known yet and counts. */
void import_guess_sizes(GPtrArray *funcs, struct topo_import *out);

#endif
