/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the processor and a debugger's stops. */
#ifndef HW_CPU_STOPS_H
#define HW_CPU_STOPS_H

#include "core.h"

/* A stop at an instruction may lie at this offset in its page. */
bool stop_at_offset(const struct cpu_group *g, uint64_t off);
/* Goes before the instruction at such an offset. */
const struct op *op_stop(struct cpu *c, const struct op *op);

/* Notes watched data that an access meets; the processor stops after the instruction. */
void stop_check_data(struct cpu *c, uint64_t la, unsigned size, bool write);
bool stop_page_watched(const struct cpu_group *g, uint64_t la);

/* The instruction that met watched data is not finished. */
void stop_unfinished(struct cpu *c);
/* An instruction is finished, or an event delivered. */
void stop_after_step(struct cpu *c);

#endif
