/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of the suite: what procedures see, and rows of register fields. */
#ifndef PCILAB_SRC_CONFORM_INTERNAL_H
#define PCILAB_SRC_CONFORM_INTERNAL_H

#include "pcilab/conform/conform.h"

/* Device/Port Type (7.5.3.2), as bits; and functions without a PCI Express capability. */
#define TYPE_EP   (1u << 0)
#define TYPE_LEG  (1u << 1)
#define TYPE_RP   (1u << 4)
#define TYPE_UP   (1u << 5)
#define TYPE_DOWN (1u << 6)
#define TYPE_RCIE (1u << 9)
#define TYPE_RCEC (1u << 10)
#define TYPE_PCI  (1u << 16)
#define TYPE_VF   (1u << 17) /* Virtual Functions: this bit alone */

#define TYPE_ENDS   (TYPE_EP | TYPE_LEG)
#define TYPE_PORTS  (TYPE_RP | TYPE_UP | TYPE_DOWN)
#define TYPE_FACE   (TYPE_RP | TYPE_DOWN) /* those that face down */
#define TYPE_LINKED (TYPE_ENDS | TYPE_PORTS)
#define TYPE_ANY    0

/* A function under judgement. */
struct subject {
    struct conform_backend *backend;
    const struct conform_func *func;
    unsigned type;        /* one of TYPE_* */
    unsigned header;      /* 0, 1, 2 */
    uint32_t identity;    /* Vendor and Device ID */
    bool gone;            /* it answered all ones where it had not before */
    bool broken;          /* an access failed */
    uint16_t cap[256];    /* offset of the first of each ID, 0: none */
    GArray *exts;         /* struct ext_cap, in the order of the list */
    const char *list_bad; /* what is wrong with a list, or NULL */
    const char *ext_list_bad;
    uint8_t *after_reset; /* all registers after a hot reset; NULL: not done yet */
    uint8_t *programmed;  /* what they were before it */
    bool reset_tried;
    const char *reset_why; /* why there was none */
};

struct ext_cap {
    uint16_t id, offset;
    uint8_t version;
};

struct conform_ctx {
    const struct conform_assertion *assertion;
    struct subject *s;
    const struct conform_filter *filter;
    const GPtrArray *assertions; /* all there are */
    const struct conform_backend *backend;
    enum conform_outcome outcome;
    char *note;
};

/* The first failure counts. */
void t_fail(struct conform_ctx *t, const char *format, ...) G_GNUC_PRINTF(2, 3);
void t_skip(struct conform_ctx *t, const char *format, ...) G_GNUC_PRINTF(2, 3);
static inline bool t_failed(const struct conform_ctx *t)
{
    return t->outcome == CONFORM_FAIL;
}
#define t_check(t, ok, ...)                                                                        \
    do {                                                                                           \
        if (!(ok))                                                                                 \
            t_fail(t, __VA_ARGS__);                                                                \
    } while (0)

uint32_t subject_read(struct subject *s, unsigned offset, unsigned len);
void subject_write(struct subject *s, unsigned offset, unsigned len, uint32_t value);
void subject_wait_us(struct subject *s, unsigned us);
/* Finds out what the function is. False: nothing answers. */
bool subject_begin(struct subject *s, struct conform_backend *backend,
                   const struct conform_func *func);
void subject_end(struct subject *s);
uint16_t subject_ext(const struct subject *s, uint16_t id); /* 0: none */
/* All writable fields away from their defaults, a hot reset from above, all registers read, and
 * what was configured put back. False: it cannot be done, reset_why. */
bool subject_hot_reset(struct conform_ctx *t);

enum field_kind {
    F_RO,      /* RO and HwInit: writes change nothing */
    F_VALUE,   /* the same, and it reads as `reset` */
    F_RSVD,    /* reserved: reads as 0, writes change nothing */
    F_ZERO,    /* hardwired to 0 */
    F_RW,      /* reads back what was written */
    F_RW_OR_0, /* the same, or hardwired to 0 */
    F_RW1C,    /* writing 0 changes nothing, writing 1 leaves 0 */
    F_READS_0, /* acts when 1 is written, reads as 0; not written here */
    F_LEVEL,   /* RO status that hardware changes: writing is not tried on others */
};

enum field_flags {
    F_RESET = 1 << 0,  /* `reset` is its value after a conventional reset */
    F_STICKY = 1 << 1, /* keeps its value over a hot reset */
    F_VF = 1 << 2,     /* Virtual Functions have it, too */
    F_COUNTS = 1 << 3, /* values a and b are tried in place of all ones and 0 */
    F_FUNC0 = 1 << 4,  /* of what faces up, function 0 alone has it */
    F_OTHERS = 1 << 5, /* and this is what the others have there */
};

struct conform_field {
    const char *id, *reg, *name, *section;
    uint16_t offset; /* from the capability */
    uint8_t width;   /* bytes */
    uint8_t kind;    /* enum field_kind */
    uint32_t mask;
    uint32_t types; /* TYPE_*; 0: all but Virtual Functions */
    uint8_t flags;  /* enum field_flags */
    uint32_t reset;
    uint32_t a, b; /* legal values, as they stand in the register */
    /* It is there only if one (or, with `unless`, none) of these bits of the capability is set. */
    uint16_t if_offset;
    uint32_t if_mask;
    bool unless;
    uint32_t locked; /* it may not be changed while one of these bits of its register is set */
};

enum place { PLACE_HEADER, PLACE_HEADER0, PLACE_HEADER1, PLACE_CAP, PLACE_EXT };

struct field_table {
    const char *group;
    enum place place;
    uint16_t cap;
    const struct conform_field *fields;
    unsigned count;
};

/* An assertion as registered: id and requirement are its own; of fields, which. */
struct expanded {
    struct conform_assertion assertion;
    const struct field_table *table;
    const struct conform_field *field;
};

/* The assertions that its fields make are appended: struct expanded. */
void fields_expand(const struct field_table *table, GPtrArray *out);
/* Where the field is; 0xffff: it is not there, and t_skip() said why. */
unsigned field_offset(struct conform_ctx *t, const struct field_table *table,
                      const struct conform_field *field);

bool filter_accepts_func(const struct conform_filter *filter, const struct conform_func *func);

extern const struct field_table *const conform_field_tables[];
extern const unsigned conform_field_table_count;

#define FIELD_TABLE(var, grp, where, id_, rows)                                                    \
    const struct field_table var = {                                                               \
        .group = grp, .place = where, .cap = id_, .fields = rows, .count = G_N_ELEMENTS(rows)}

struct assertion_table {
    const struct conform_assertion *rows;
    unsigned count;
};
#define ASSERTION_TABLE(var, table)                                                                \
    const struct assertion_table var = {.rows = table, .count = G_N_ELEMENTS(table)}

#endif
