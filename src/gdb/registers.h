/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers as gdb numbers and describes them. */
#ifndef SRC_GDB_REGISTERS_H
#define SRC_GDB_REGISTERS_H

#include <glib.h>

#include "pcilab/cpu/cpu.h"

#define GDB_REGISTER_BYTES 16 /* of the widest */

unsigned gdb_register_count(void);
/* In bytes. */
unsigned gdb_register_size(unsigned number);
/* Little-endian. */
void gdb_register_get(const struct cpu_state *state, unsigned number, uint8_t *data);
void gdb_register_set(struct cpu_state *state, unsigned number, const uint8_t *data);

/* The target description: registers by feature. g_free() it. */
char *gdb_registers_xml(void);

#endif
