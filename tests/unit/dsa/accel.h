/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A driver of the accelerator on the mock of the endpoint core, for unit tests and fuzzing. */
#ifndef PCILAB_TESTS_DSA_ACCEL_H
#define PCILAB_TESTS_DSA_ACCEL_H

#include "hw/endpoint/dsa/spec.h"
#include "mock.h"
#include "pcilab/base/le.h"
#include "pcilab/endpoint/dsa.h"

#define ACCEL_RAM    (4u << 20)
#define ACCEL_RECORD 0x1000u /* completion records, 32 bytes each */
#define ACCEL_LIST   0x4000u /* descriptors of a batch */
#define ACCEL_FROM   0x100000u
#define ACCEL_TO     0x200000u
#define ACCEL_TO_2   0x300000u

struct accel {
    struct mock *mock;
    struct endpoint *ep;
    struct endpoint_func *func;
};

/* A descriptor while it is put together. */
struct accel_desc {
    uint8_t raw[DSA_DESC_BYTES];
};

void accel_open(struct accel *a, unsigned queues, unsigned engines);
void accel_close(struct accel *a);
uint64_t accel_get(struct accel *a, unsigned offset, unsigned len);
void accel_set(struct accel *a, unsigned offset, unsigned len, uint64_t value);
/* Runs a command to its end; its error. */
unsigned accel_command(struct accel *a, enum dsa_command code, unsigned operand);
void accel_configure_queue(struct accel *a, unsigned queue, unsigned size, uint32_t mode);
/* Queues 0 (dedicated) and 1 (shared) of 16 entries with all engines in group 0, and enables all.
 */
void accel_start(struct accel *a);

/* With a record at ACCEL_RECORD + 32 * index that is asked for. */
struct accel_desc accel_desc(enum dsa_opcode opcode, unsigned index, uint64_t addr1, uint64_t addr2,
                             uint32_t size);
uint32_t accel_flags(const struct accel_desc *desc);
void accel_set_flags(struct accel_desc *desc, uint32_t flags);
void accel_submit(struct accel *a, unsigned queue, const struct accel_desc *desc);
/* To a dedicated queue 0, and waits; the record. */
const uint8_t *accel_do(struct accel *a, const struct accel_desc *desc, unsigned index);
const uint8_t *accel_record(struct accel *a, unsigned index);

#endif
