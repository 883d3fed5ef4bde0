/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers are data. A register is a row of a const table; one engine reads, writes, resets,
 * dumps and checks them all.
 *
 * A table (struct reg_def[]) describes registers at offsets from a base; a struct reg_space is one
 * instance: 4 KiB of configuration space or a BAR, into which tables are placed. Of a row only
 * what differs by instance is stored: the value, and the writable mask (BAR sizes, read-only
 * links). Offsets that no row covers read as 0 and ignore writes (RsvdP; PCIe Base 6.0, 7.4).
 *
 * Masks of one row are disjoint; bits in no mask are RO and keep their reset (or hwinit) value.
 */
#ifndef PCILAB_REG_REG_H
#define PCILAB_REG_REG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reg_space;

struct reg_write {
    uint64_t old_value;
    uint64_t new_value; /* after the masks were applied; already stored */
    uint64_t written;   /* raw data of the write */
    uint64_t lanes;     /* all-ones bytes where the write had its byte enables set */
};

typedef void (*reg_write_hook)(struct reg_space *space, unsigned reg_offset,
                               const struct reg_write *write);
/* Computes what a read returns; `value` is what is stored. */
typedef uint64_t (*reg_read_hook)(struct reg_space *space, unsigned reg_offset, uint64_t value);

struct reg_def {
    const char *name;
    const char *clause; /* document, version and section */
    uint16_t offset;    /* from the table's base; naturally aligned */
    uint8_t width;      /* bytes: 1, 2, 4 or 8 */
    uint64_t reset;
    uint64_t rw;
    uint64_t rw1c;
    uint64_t rw1s;
    uint64_t w1t;    /* write-1 triggers: read as 0, seen by the hook in `written` */
    uint64_t rsvdz;  /* reads 0, software writes 0 */
    uint64_t sticky; /* of the bits above and RO status: keep their value over a conventional reset
                        that is not a fundamental one (PCIe Base 6.0, 7.4 ROS, RWS, RW1CS) */
    uint64_t flr_keep; /* further bits that a Function Level Reset leaves (6.6.2) */
    reg_write_hook on_write;
    reg_read_hook on_read;
};

enum reg_reset_kind {
    REG_RESET_COLD, /* power-on: everything */
    REG_RESET_WARM, /* hot reset: sticky bits stay */
    REG_RESET_FLR,  /* Function Level Reset: sticky bits and those of flr_keep stay */
};

/* size: a multiple of 4, at most 64 KiB. `owner` is for hooks. */
struct reg_space *reg_space_new(unsigned size, void *owner);
void reg_space_free(struct reg_space *space);
void *reg_space_owner(const struct reg_space *space);
unsigned reg_space_size(const struct reg_space *space);
/* Heap memory that this instance takes. */
size_t reg_space_memory_bytes(const struct reg_space *space);

/* Places `count` rows at `base`. Overlap, misalignment (rows of 8 bytes need only lie on a
 * doubleword) and masks that are not disjoint are our bugs: asserted. The table must outlive the
 * space. */
void reg_space_place(struct reg_space *space, unsigned base, const struct reg_def *defs,
                     unsigned count);
/* Hardware-initialised values and instance-specific masks, by absolute offset of the row. They
 * become what a reset restores. */
void reg_hwinit(struct reg_space *space, unsigned offset, uint64_t value);
void reg_set_rw_mask(struct reg_space *space, unsigned offset, uint64_t rw);
uint64_t reg_rw_mask(const struct reg_space *space, unsigned offset);

/* What software sees. `len` is 1 to 8 and may cover several rows or parts of rows. A row's hook
 * runs once an access that touches it, rows in order of offset, each stored before its hook runs.
 * Bytes outside the space read as 0 and ignore writes. */
uint64_t reg_read(struct reg_space *space, unsigned offset, unsigned len);
void reg_write(struct reg_space *space, unsigned offset, unsigned len, uint64_t value);

/* True when a row starts at this offset. */
bool reg_has(const struct reg_space *space, unsigned offset);
/* What the model sees: no masks, no hooks. The offset is that of a row. */
uint64_t reg_get(const struct reg_space *space, unsigned offset);
void reg_set(struct reg_space *space, unsigned offset, uint64_t value);
/* value = (value & ~mask) | (bits & mask) */
void reg_update(struct reg_space *space, unsigned offset, uint64_t mask, uint64_t bits);

void reg_space_reset(struct reg_space *space, enum reg_reset_kind kind);

typedef void (*reg_visit_fn)(void *opaque, const struct reg_def *def, unsigned offset,
                             uint64_t value);
/* Every row in order of offset, with its stored value. */
void reg_space_visit(const struct reg_space *space, reg_visit_fn visit, void *opaque);

/* Checks a table by itself: names and clauses present, rows ascending, aligned and apart, masks
 * disjoint and inside the width, reset values without bits that read as 0. On failure writes what
 * is wrong into `why`. */
bool reg_table_lint(const struct reg_def *defs, unsigned count, char *why, size_t why_len);

#endif
