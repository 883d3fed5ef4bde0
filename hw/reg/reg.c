/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The register engine. Instances of rows lie in one array ordered by offset; a table with one
 * entry a doubleword leads to the first row that touches it.
 */
#include "pcilab/reg/reg.h"

#include "pcilab/base/bits.h"
#include "pcilab/reg/replace.h"

#include <assert.h>
#include <glib.h>
#include <string.h>

#define SIZE_MAX_BYTES 0x10000

/* Packed: a function has some three hundred, and a machine may have a thousand functions. */
struct __attribute__((packed, aligned(2))) reg_row {
    uint64_t value;
    uint64_t rw;
    uint64_t init; /* what a reset restores */
    const struct reg_def *def;
    uint16_t offset;
};

struct reg_space {
    void *owner;
    unsigned size;
    unsigned count;
    struct reg_row *rows;
    uint16_t *first; /* by doubleword: index + 1 of the first row touching it, 0: none */
};

static unsigned row_end(const struct reg_row *row)
{
    return row->offset + row->def->width;
}

struct reg_space *reg_space_new(unsigned size, void *owner)
{
    struct reg_space *space = g_new0(struct reg_space, 1);

    assert(size && size % 4 == 0 && size <= SIZE_MAX_BYTES);
    space->owner = owner;
    space->size = size;
    space->first = g_new0(uint16_t, size / 4);
    return space;
}

void reg_space_free(struct reg_space *space)
{
    if (!space) {
        return;
    }
    g_free(space->rows);
    g_free(space->first);
    g_free(space);
}

void *reg_space_owner(const struct reg_space *space)
{
    return space->owner;
}

unsigned reg_space_size(const struct reg_space *space)
{
    return space->size;
}

size_t reg_space_memory_bytes(const struct reg_space *space)
{
    return sizeof(*space) + space->count * sizeof(*space->rows) +
           space->size / 4 * sizeof(*space->first);
}

static bool row_fault(char *why, size_t why_len, const struct reg_def *def, const char *what)
{
    g_snprintf(why, why_len, "%s at 0x%x: %s", def->name ? def->name : "(no name)", def->offset,
               what);
    return false;
}

static bool row_lint(const struct reg_def *d, char *why, size_t why_len)
{
    const uint64_t masks[] = {d->rw, d->rw1c, d->rw1s, d->w1t, d->rsvdz};
    uint64_t seen = 0;

    if (!d->name || !d->clause) {
        return row_fault(why, why_len, d, "name or clause missing");
    }
    if (d->width > 8 || !is_power_of_2(d->width)) {
        return row_fault(why, why_len, d, "width is not 1, 2, 4 or 8");
    }
    if (d->offset % MIN(d->width, 4)) {
        return row_fault(why, why_len, d, "misaligned");
    }
    for (unsigned i = 0; i < ARRAY_LEN(masks); i++) {
        if (seen & masks[i]) {
            return row_fault(why, why_len, d, "masks overlap");
        }
        seen |= masks[i];
    }
    if ((seen | d->reset | d->sticky | d->flr_keep) & ~low_mask(8u * d->width)) {
        return row_fault(why, why_len, d, "bits outside the width");
    }
    if ((d->w1t | d->rsvdz) & (d->reset | d->sticky | d->flr_keep)) {
        return row_fault(why, why_len, d, "bits that read as 0 have a value");
    }
    return true;
}

bool reg_table_lint(const struct reg_def *defs, unsigned count, char *why, size_t why_len)
{
    for (unsigned i = 0; i < count; i++) {
        if (!row_lint(&defs[i], why, why_len)) {
            return false;
        }
        if (i && defs[i].offset < defs[i - 1].offset + defs[i - 1].width) {
            return row_fault(why, why_len, &defs[i], "not behind the row before it");
        }
    }
    return true;
}

static void space_index_row(struct reg_space *space, unsigned index)
{
    const struct reg_row *row = &space->rows[index];

    for (unsigned dw = row->offset / 4; dw <= (row_end(row) - 1) / 4; dw++) {
        if (!space->first[dw]) {
            space->first[dw] = (uint16_t)(index + 1);
        }
    }
}

static void space_rebuild_index(struct reg_space *space)
{
    memset(space->first, 0, space->size / 4 * sizeof(*space->first));
    for (unsigned i = 0; i < space->count; i++) {
        space_index_row(space, i);
    }
}

static int row_compare(const void *a, const void *b)
{
    return (int)((const struct reg_row *)a)->offset - (int)((const struct reg_row *)b)->offset;
}

void reg_space_place(struct reg_space *space, unsigned base, const struct reg_def *defs,
                     unsigned count)
{
    unsigned old_count = space->count;
    bool behind = true;

    if (!count) {
        return;
    }
    assert(base % 4 == 0);
    assert(old_count + count < UINT16_MAX);
    space->rows = g_renew(struct reg_row, space->rows, old_count + count);
    for (unsigned i = 0; i < count; i++) {
        struct reg_row *row = &space->rows[old_count + i];
        char why[128];

        if (!row_lint(&defs[i], why, sizeof(why))) {
            g_error("register table: %s", why);
        }
        assert(base + defs[i].offset + defs[i].width <= space->size);
        *row = (struct reg_row){
            .value = defs[i].reset,
            .rw = defs[i].rw,
            .init = defs[i].reset,
            .def = &defs[i],
            .offset = (uint16_t)(base + defs[i].offset),
        };
        behind = behind && (old_count + i == 0 || row->offset >= row_end(row - 1));
    }
    space->count += count;
    if (behind) {
        for (unsigned i = old_count; i < space->count; i++) {
            space_index_row(space, i);
        }
        return;
    }
    qsort(space->rows, space->count, sizeof(*space->rows), row_compare);
    for (unsigned i = 1; i < space->count; i++) {
        assert(space->rows[i].offset >= row_end(&space->rows[i - 1]) && "registers overlap");
    }
    space_rebuild_index(space);
}

static struct reg_row *space_find(const struct reg_space *space, unsigned offset)
{
    if (offset >= space->size || !space->first[offset / 4]) {
        return NULL;
    }
    for (unsigned i = space->first[offset / 4] - 1u; i < space->count; i++) {
        if (space->rows[i].offset >= offset) {
            return space->rows[i].offset == offset ? &space->rows[i] : NULL;
        }
    }
    return NULL;
}

static struct reg_row *space_row(const struct reg_space *space, unsigned offset)
{
    struct reg_row *row = space_find(space, offset);

    assert(row && "a register starts here");
    return row;
}

void reg_hwinit(struct reg_space *space, unsigned offset, uint64_t value)
{
    struct reg_row *row = space_row(space, offset);

    assert(!(value & ~low_mask(8u * row->def->width)));
    assert(!(value & (row->def->w1t | row->def->rsvdz)));
    row->init = value;
    row->value = value;
}

void reg_set_rw_mask(struct reg_space *space, unsigned offset, uint64_t rw)
{
    struct reg_row *row = space_row(space, offset);

    assert(!(rw & ~low_mask(8u * row->def->width)));
    assert(!(rw & (row->def->rw1c | row->def->rw1s | row->def->w1t | row->def->rsvdz)));
    row->rw = rw;
}

uint64_t reg_rw_mask(const struct reg_space *space, unsigned offset)
{
    return space_row(space, offset)->rw;
}

void reg_replace_row(struct reg_space *space, unsigned offset, const struct reg_def *def)
{
    struct reg_row *row = space_row(space, offset);

    assert(def->width == row->def->width);
    row->def = def;
    row->rw = def->rw;
    /* What reads differently does so at once; the rest waits for a reset. */
    row->value ^= row->init ^ def->reset;
    row->init = def->reset;
}

uint64_t reg_reset_value(const struct reg_space *space, unsigned offset)
{
    return space_row(space, offset)->init;
}

/* The row's bytes that lie in [offset, offset + len), as a mask of bits of the row. */
static uint64_t row_lanes(const struct reg_row *row, unsigned offset, unsigned len)
{
    unsigned from = MAX(offset, row->offset) - row->offset;
    unsigned to = MIN(offset + len, row_end(row)) - row->offset;

    return low_mask(8 * to) & ~low_mask(8 * from);
}

static uint64_t shift_left(uint64_t v, int bytes)
{
    return bytes >= 0 ? v << 8 * bytes : v >> -8 * bytes;
}

/* First row at or behind `offset` that an access of `len` bytes may touch. */
static unsigned space_seek(const struct reg_space *space, unsigned offset, unsigned len)
{
    for (unsigned dw = offset / 4; dw <= (offset + len - 1) / 4 && dw < space->size / 4; dw++) {
        if (space->first[dw]) {
            return space->first[dw] - 1u;
        }
    }
    return space->count;
}

uint64_t reg_read(struct reg_space *space, unsigned offset, unsigned len)
{
    uint64_t result = 0;

    assert(len >= 1 && len <= 8);
    for (unsigned i = space_seek(space, offset, len);
         i < space->count && space->rows[i].offset < offset + len; i++) {
        struct reg_row *row = &space->rows[i];
        uint64_t value = row->value;

        if (row_end(row) <= offset) {
            continue;
        }
        if (row->def->on_read) {
            value = row->def->on_read(space, row->offset, value);
        }
        value &= row_lanes(row, offset, len);
        result |= shift_left(value, (int)row->offset - (int)offset);
    }
    return result;
}

void reg_write(struct reg_space *space, unsigned offset, unsigned len, uint64_t value)
{
    assert(len >= 1 && len <= 8);
    value &= low_mask(8 * len);
    for (unsigned i = space_seek(space, offset, len);
         i < space->count && space->rows[i].offset < offset + len; i++) {
        struct reg_row *row = &space->rows[i];
        const struct reg_def *d = row->def;
        struct reg_write write = {.old_value = row->value};
        uint64_t ones;

        if (row_end(row) <= offset) {
            continue;
        }
        write.lanes = row_lanes(row, offset, len);
        write.written = shift_left(value, (int)offset - (int)row->offset) & write.lanes;
        ones = write.written;
        write.new_value = (row->value & ~(row->rw & write.lanes)) | (ones & row->rw);
        write.new_value = (write.new_value & ~(ones & d->rw1c)) | (ones & d->rw1s);
        row->value = write.new_value;
        if (d->on_write) {
            d->on_write(space, row->offset, &write);
        }
    }
}

bool reg_has(const struct reg_space *space, unsigned offset)
{
    return space_find(space, offset) != NULL;
}

uint64_t reg_get(const struct reg_space *space, unsigned offset)
{
    return space_row(space, offset)->value;
}

void reg_set(struct reg_space *space, unsigned offset, uint64_t value)
{
    struct reg_row *row = space_row(space, offset);

    assert(!(value & ~low_mask(8u * row->def->width)));
    row->value = value;
}

void reg_update(struct reg_space *space, unsigned offset, uint64_t mask, uint64_t bits)
{
    struct reg_row *row = space_row(space, offset);

    assert(!(mask & ~low_mask(8u * row->def->width)));
    row->value = (row->value & ~mask) | (bits & mask);
}

void reg_space_reset(struct reg_space *space, enum reg_reset_kind kind)
{
    for (unsigned i = 0; i < space->count; i++) {
        struct reg_row *row = &space->rows[i];
        uint64_t keep = 0;

        if (kind != REG_RESET_COLD) {
            keep = row->def->sticky;
        }
        if (kind == REG_RESET_FLR) {
            keep |= row->def->flr_keep;
        }
        row->value = (row->value & keep) | (row->init & ~keep);
    }
}

void reg_space_visit(const struct reg_space *space, reg_visit_fn visit, void *opaque)
{
    for (unsigned i = 0; i < space->count; i++) {
        visit(opaque, space->rows[i].def, space->rows[i].offset, space->rows[i].value);
    }
}
