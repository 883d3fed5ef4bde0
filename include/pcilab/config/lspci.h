/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of `lspci -x`, `-xxx` or `-xxxx` (pciutils 3.x), with or without -v, domains and names:
 * a line a function, then lines of 16 bytes. Of what -v adds the sizes of BARs are used.
 */
#ifndef PCILAB_CONFIG_LSPCI_H
#define PCILAB_CONFIG_LSPCI_H

#include <glib.h>

#include "pcilab/endpoint/shell.h"

#define LSPCI_FILE_BYTES_MAX (64u << 20)
#define LSPCI_FUNCTIONS_MAX  4096

struct lspci_func {
    unsigned line;              /* in the file */
    uint32_t segment;           /* beyond 16 bits: a domain that the kernel made up */
    bool sized[SHELL_BARS + 1]; /* the size of the BAR was said */
    struct shell_func_params p;
};

/* struct lspci_func, in the order of the file, each function once. NULL: "file:line: what". */
GPtrArray *lspci_parse(const char *file, const char *text, size_t len, GError **error);
/* Regular files only. */
GPtrArray *lspci_load(const char *path, GError **error);

/* "0000:00:1f.3"; g_free() it. */
char *lspci_name(const struct lspci_func *func);
unsigned lspci_header(const struct lspci_func *func); /* 0: device, 1: bridge, 2: CardBus */
/* Of a BAR as it stands (index SHELL_BARS: the ROM): false when there is none. */
bool lspci_bar(const struct lspci_func *func, unsigned bar, uint64_t *addr, bool *io, bool *wide);
unsigned lspci_bar_count(const struct lspci_func *func);

#endif
