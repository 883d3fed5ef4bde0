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
    unsigned index;     /* in the shell */
    uint64_t bar_bytes[SHELL_BARS + 1];
    struct shell_func **below; /* bridges: what is on the secondary bus */
    unsigned below_count;
    uint16_t pmcsr;      /* where it is; 0: there is none */
    uint8_t power_state; /* as PMCSR says */
};

/* Makes func->pci.cfg. */
void shell_regs_create(struct shell_func *func, const struct shell_func_params *params);
/* The BAR that decodes the address now, SHELL_BARS for the ROM, -1 for none; *offset is into it. */
int shell_find_bar(const struct shell_func *func, bool io, uint64_t addr, uint64_t *offset);
/* A bridge passes the address down now. */
bool shell_forwards(const struct shell_func *func, bool io, uint64_t addr);
/* A bridge passes requests down at all: it is in D0 and does not hold its secondary bus in reset.
 */
bool shell_passes(const struct shell_func *func);
/* Reads the power state again. */
void shell_note_power(struct shell_func *func);
/* Hooks of the rows that start resets and change power states (shell_reset.c). */
void shell_power_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
void shell_device_control_written(struct reg_space *space, unsigned offset,
                                  const struct reg_write *write);
void shell_af_control_written(struct reg_space *space, unsigned offset,
                              const struct reg_write *write);
void shell_bridge_control_written(struct reg_space *space, unsigned offset,
                                  const struct reg_write *write);
/* Bus numbers of a bridge as now programmed; false: none. */
bool shell_buses(const struct shell_func *func, unsigned *secondary, unsigned *subordinate);

/* Behind the BARs. */
struct shell_place {
    unsigned func, bar; /* numbers of the function in the shell and of its BAR */
    uint64_t offset;
};
struct shell_memory *shell_memory_new(void);
void shell_memory_free(struct shell_memory *memory);
void shell_memory_clear(struct shell_memory *memory);
void shell_memory_read(struct shell_memory *memory, const struct shell_place *place, void *data,
                       unsigned len);
void shell_memory_write(struct shell_memory *memory, const struct shell_place *place,
                        const void *data, unsigned len);

#endif
