/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the two halves of shells: registers (shell_regs.c) and what arrives (shell.c). */
#ifndef PCILAB_HW_ENDPOINT_SHELL_H
#define PCILAB_HW_ENDPOINT_SHELL_H

#include "pcilab/endpoint/shell.h"

enum shell_header { SHELL_TYPE0, SHELL_BRIDGE, SHELL_CARDBUS, SHELL_OTHER };

struct shell_func {
    struct pci_func pci; /* only its configuration space is used */
    enum shell_header header;
    uint8_t bus, devfn; /* as in the dump */
    uint64_t bar_bytes[SHELL_BARS + 1];
    struct shell_func **below; /* bridges: what is on the secondary bus */
    unsigned below_count;
};

/* Makes func->pci.cfg. */
void shell_regs_create(struct shell_func *func, const struct shell_func_params *params);
/* A BAR or the ROM decodes the address now. */
bool shell_decodes(const struct shell_func *func, bool io, uint64_t addr);
/* A bridge passes the address down now. */
bool shell_forwards(const struct shell_func *func, bool io, uint64_t addr);
/* Bus numbers of a bridge as now programmed; false: none. */
bool shell_buses(const struct shell_func *func, unsigned *secondary, unsigned *subordinate);

#endif
