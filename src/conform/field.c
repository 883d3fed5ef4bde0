/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields of registers: an assertion each for access, reset value and stickiness (7.4). */
#include <string.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

static unsigned table_base(struct conform_ctx *t, const struct field_table *table)
{
    const struct subject *s = t->s;
    unsigned at = 0;

    switch (table->place) {
    case PLACE_HEADER:
        if (s->header <= 1)
            return 0;
        t_skip(t, "it has a header of type %u", s->header);
        return 0xffff;
    case PLACE_HEADER0:
    case PLACE_HEADER1:
        if (s->header == (table->place == PLACE_HEADER1))
            return 0;
        t_skip(t, "it has a header of type %u", s->header);
        return 0xffff;
    case PLACE_CAP:
        if (s->func->config_bytes <= 0x40) {
            t_skip(t, "configuration space beyond 64 bytes is not seen here");
            return 0xffff;
        }
        at = s->cap[table->cap & 0xff];
        break;
    case PLACE_EXT:
        if (s->func->config_bytes <= 0x100) {
            t_skip(t, "configuration space beyond 256 bytes is not seen here");
            return 0xffff;
        }
        at = subject_ext(s, table->cap);
        break;
    }
    if (!at) {
        t_skip(t, "it has no such capability");
        return 0xffff;
    }
    return at;
}

unsigned field_offset(struct conform_ctx *t, const struct field_table *table,
                      const struct conform_field *f)
{
    struct subject *s = t->s;
    unsigned base = table_base(t, table);
    bool vf = s->type == TYPE_VF;

    if (base == 0xffff)
        return base;
    if (vf ? !(f->flags & F_VF) : f->types && !(f->types & s->type)) {
        t_skip(t, "it is not of a type that has this field");
        return 0xffff;
    }
    if (s->type & (TYPE_ENDS | TYPE_UP) &&
        f->flags & (s->func->rid & (subject_ext(s, 0x0e) ? 0xff : 7) ? F_FUNC0 : F_OTHERS)) {
        t_skip(t, "function 0 of a device and the others differ here");
        return 0xffff;
    }
    /* A first version ends where its type of function needs no more (7.5.3): at the earliest behind
     * the registers of the link. */
    if (table->place == PLACE_CAP && table->cap == 0x10 && f->offset >= 0x14 &&
        (subject_read(s, base + 2, 1) & 0xf) < 2) {
        t_skip(t, "its capability is of version 1");
        return 0xffff;
    }
    if (base + f->offset + f->width > s->func->config_bytes) {
        t_skip(t, "it lies beyond what is seen of configuration space");
        return 0xffff;
    }
    if (f->if_mask) {
        uint32_t there = subject_read(s, base + f->if_offset, 4) & f->if_mask;

        if (f->unless ? there != 0 : there == 0) {
            t_skip(t, "the function says that it does not have this");
            return 0xffff;
        }
    }
    if (f->locked && (subject_read(s, base + f->offset, f->width) & f->locked)) {
        t_skip(t, "it is in use, and must not change then");
        return 0xffff;
    }
    return base + f->offset;
}

static uint32_t wide_mask(unsigned width)
{
    return (uint32_t)low_mask(8 * width);
}

/* Writes the field and nothing else: RW1C bits beside it are written as 0. */
static uint32_t write_field(struct subject *s, unsigned at, const struct conform_field *f,
                            uint32_t keep, uint32_t value)
{
    subject_write(s, at, f->width, (keep & ~f->mask) | (value & f->mask));
    return subject_read(s, at, f->width) & f->mask;
}

/* Bits of this register that would act when written as they were read. */
static uint32_t quiet_bits(const struct conform_ctx *t, const struct field_table *table,
                           const struct conform_field *f)
{
    uint32_t quiet = 0;

    for (unsigned i = 0; i < table->count; i++) {
        const struct conform_field *other = &table->fields[i];

        if (other->offset < f->offset || other->offset >= f->offset + f->width)
            continue;
        if ((other->kind == F_RW1C || other->kind == F_READS_0))
            quiet |= other->mask << 8 * (other->offset - f->offset);
    }
    return quiet;
}

static void check_unchanged(struct conform_ctx *t, const struct conform_field *f, unsigned at,
                            uint32_t keep)
{
    uint32_t old = keep & f->mask, now = write_field(t->s, at, f, keep, ~old);

    t_check(t, now == old, "%s reads as 0x%x after its bits were written inverted, before as 0x%x",
            f->name, now, old);
    now = write_field(t->s, at, f, keep, old);
    t_check(t, now == old, "%s reads as 0x%x, before as 0x%x", f->name, now, old);
}

static void check_writable(struct conform_ctx *t, const struct conform_field *f, unsigned at,
                           uint32_t keep)
{
    uint32_t values[4] = {f->mask, 0, f->mask & 0x55555555, f->mask & 0xaaaaaaaa};
    unsigned count = 4;
    bool zero = f->kind == F_RW_OR_0;

    if (f->flags & F_COUNTS) {
        values[0] = f->a, values[1] = f->b;
        count = 2;
    }
    for (unsigned i = 0; i < count && zero; i++)
        zero = write_field(t->s, at, f, keep, values[i]) == 0;
    for (unsigned i = 0; i < count && !zero; i++) {
        uint32_t now = write_field(t->s, at, f, keep, values[i]);

        t_check(t, now == values[i], "%s reads as 0x%x after 0x%x was written", f->name, now,
                values[i]);
    }
}

static void check_cleared(struct conform_ctx *t, const struct conform_field *f, unsigned at)
{
    uint32_t old = subject_read(t->s, at, f->width) & f->mask, now;

    subject_write(t->s, at, f->width, 0);
    now = subject_read(t->s, at, f->width) & f->mask;
    t_check(t, (now & old) == old, "%s loses 0x%x when 0 is written", f->name, old & ~now);
    subject_write(t->s, at, f->width, f->mask);
    now = subject_read(t->s, at, f->width) & f->mask;
    t_check(t, now == 0, "%s reads as 0x%x after 1 was written", f->name, now);
}

static bool value_right(struct conform_ctx *t, const struct conform_field *f, unsigned at)
{
    uint32_t want = f->kind == F_VALUE ? f->reset & f->mask : 0;
    uint32_t now = subject_read(t->s, at, f->width) & f->mask;

    t_check(t, now == want, "%s reads as 0x%x, not 0x%x", f->name, now, want);
    return now == want;
}

static void access_procedure(struct conform_ctx *t)
{
    const struct expanded *e = t->assertion->param;
    const struct conform_field *f = e->field;
    unsigned at = field_offset(t, e->table, f);
    bool fixed = f->kind == F_VALUE || f->kind == F_RSVD || f->kind == F_ZERO;
    uint32_t whole, keep;

    if (at == 0xffff)
        return;
    if (f->kind == F_READS_0) {
        value_right(t, f, at);
        return;
    }
    if (fixed && !value_right(t, f, at))
        return;
    if (!t->filter->destructive || !t->s->backend->config_write) {
        if (!fixed)
            t_skip(t, "it takes writes to tell");
        return;
    }
    whole = subject_read(t->s, at, f->width);
    keep = whole & ~quiet_bits(t, e->table, f) & wide_mask(f->width);
    if (f->kind == F_RW1C)
        check_cleared(t, f, at);
    else if (f->kind == F_RW || f->kind == F_RW_OR_0)
        check_writable(t, f, at, keep);
    else
        check_unchanged(t, f, at, keep | (whole & f->mask));
    if (f->kind != F_RW1C)
        subject_write(t->s, at, f->width, keep);
}

/* Without a bridge that could reset it, a machine that was just switched on tells as much. */
static const uint8_t *reset_values(struct conform_ctx *t, uint8_t fresh[4], unsigned at,
                                   const struct conform_field *f)
{
    if (subject_hot_reset(t))
        return t->s->after_reset + at;
    if (t->s->backend->fresh && (f->flags & F_RESET) && at >= 0x40) {
        le32_store(fresh, subject_read(t->s, at, f->width));
        return fresh;
    }
    if (strstr(t->s->reset_why, "not answer"))
        t_fail(t, "%s", t->s->reset_why);
    else
        t_skip(t, "%s", t->s->reset_why);
    return NULL;
}

static void reset_procedure(struct conform_ctx *t)
{
    const struct expanded *e = t->assertion->param;
    const struct conform_field *f = e->field;
    unsigned at = field_offset(t, e->table, f);
    const uint8_t *bytes;
    uint8_t fresh[4];
    uint32_t now;

    if (at == 0xffff || !(bytes = reset_values(t, fresh, at, f)))
        return;
    now = (uint32_t)le_load(bytes, f->width) & f->mask;
    t_check(t, now == (f->reset & f->mask), "%s is 0x%x, not 0x%x", f->name, now,
            f->reset & f->mask);
}

static void sticky_procedure(struct conform_ctx *t)
{
    const struct expanded *e = t->assertion->param;
    const struct conform_field *f = e->field;
    unsigned at = field_offset(t, e->table, f);
    uint32_t now, before;

    if (at == 0xffff)
        return;
    if (!subject_hot_reset(t)) {
        t_skip(t, "%s", t->s->reset_why);
        return;
    }
    now = (uint32_t)le_load(t->s->after_reset + at, f->width) & f->mask;
    before = (uint32_t)le_load(t->s->programmed + at, f->width) & f->mask;
    t_check(t, now == before, "%s is 0x%x after the reset, before it 0x%x", f->name, now, before);
}

/* "Device Control, bits 7:5 (Max_Payload_Size)" */
static char *field_words(const struct conform_field *f)
{
    unsigned low = FIELD_SHIFT(f->mask), high = 31u - (unsigned)__builtin_clz(f->mask);

    if (f->mask == wide_mask(f->width))
        return g_strdup(strcmp(f->reg, f->name) == 0 ? f->reg : f->name);
    if ((f->mask >> low & ((f->mask >> low) + 1)) != 0)
        return g_strdup_printf("%s (mask %xh of %s)", f->name, f->mask, f->reg);
    if (low == high)
        return g_strdup_printf("%s (bit %u of %s)", f->name, low, f->reg);
    return g_strdup_printf("%s (bits %u:%u of %s)", f->name, high, low, f->reg);
}

static const char *const kind_words[] = {
    [F_RO] = "is read-only: writes do not change it",
    [F_VALUE] = "reads as the value that the specification fixes, and writes do not change it",
    [F_RSVD] = "is reserved: it reads as 0 and writes do not change it",
    [F_ZERO] = "is hardwired to 0",
    [F_RW] = "reads back what was written",
    [F_RW_OR_0] = "reads back what was written, or is hardwired to 0",
    [F_RW1C] = "is left alone by a 0 that is written, and cleared by a 1",
    [F_READS_0] = "reads as 0",
};

static void expand(const struct field_table *table, const struct conform_field *f,
                   const char *suffix, char *requirement, GPtrArray *out)
{
    struct expanded *e = g_new0(struct expanded, 1);
    bool access = !*suffix;

    e->table = table;
    e->field = f;
    e->assertion = (struct conform_assertion){
        .id = g_strconcat(f->id, suffix, NULL),
        .group = table->group,
        .document = CONFORM_PCIE,
        .section = f->section,
        .requirement = requirement,
        .needs = access ? 0 : CONFORM_WRITES | CONFORM_RESETS,
        .procedure = access                           ? access_procedure
                     : strcmp(suffix, ".sticky") == 0 ? sticky_procedure
                                                      : reset_procedure,
        .param = e,
    };
    g_ptr_array_add(out, &e->assertion);
}

void fields_expand(const struct field_table *table, GPtrArray *out)
{
    for (unsigned i = 0; i < table->count; i++) {
        const struct conform_field *f = &table->fields[i];
        char *words = field_words(f);

        if (f->kind != F_LEVEL)
            expand(table, f, "", g_strdup_printf("%s %s.", words, kind_words[f->kind]), out);
        if (f->flags & F_STICKY)
            expand(table, f, ".sticky",
                   g_strdup_printf("%s is sticky: a hot reset does not change it.", words), out);
        else if (f->flags & F_RESET)
            expand(table, f, ".reset",
                   g_strdup_printf("%s is %xh after a conventional reset.", words,
                                   (unsigned)((f->reset & f->mask) >> FIELD_SHIFT(f->mask))),
                   out);
        g_free(words);
    }
}
