/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each format of page tables, with all numbers of levels and sizes of pages: accesses get where the
 * tables lead, bits that are ignored are ignored, accessed and dirty bits are set (VT-d 4.1,
 * chapters 3 and 9).
 */
#include "lab_vtd.h"
#include "tables.h"

#define OKAY(name, sec, text, ...) VTD_CASE("format." name, sec, text, __VA_ARGS__)
#define BITS(w, l, clr, st)        .where = w, .level = l, .clear = clr, .set = st
#define A                          BIT(5)
#define D                          BIT(6)
#define EA                         BIT(10)
#define SA                         BIT(8)
#define SD                         BIT(9)

/* A row for reads and one for writes. */
#define BOTH(name, sec, text, ...)                                                                 \
    OKAY(name ".read", sec, "A read gets through " text ".", __VA_ARGS__),                         \
        OKAY(name ".write", sec, "A write gets through " text ".", __VA_ARGS__, .flags = VF_WRITE)

/* clang-format off */
static const struct conform_assertion rows[] = {
    BOTH("legacy.3", "3.7", "second-stage tables of 3 levels", .levels = 3),
    BOTH("legacy.4", "3.7", "second-stage tables of 4 levels", .levels = 4),
    BOTH("legacy.5", "3.7", "second-stage tables of 5 levels", .levels = 5),
    BOTH("legacy.2m", "3.7", "a 2 MiB page of the second stage", .leaf = 2),
    BOTH("legacy.1g", "3.7", "a 1 GiB page of the second stage", .leaf = 3),
    BOTH("legacy.2m_3", "3.7", "a 2 MiB page of tables of 3 levels", .levels = 3, .leaf = 2),
    BOTH("legacy.1g_5", "3.7", "a 1 GiB page of tables of 5 levels", .levels = 5, .leaf = 3),
    BOTH("legacy.pass", "3.9", "a context entry for pass-through", .mode = VLAB_LEGACY_PASS),
    OKAY("legacy.atomic", "3.7.2", "A Fetch and Add gets through with R and W.",
         .flags = VF_ATOMIC),
    OKAY("legacy.read_only", "3.7.2", "A read needs no W.", BITS(VW_SECOND, 1, BIT(1), 0)),
    OKAY("legacy.write_only", "3.7.2", "A write needs no R.", BITS(VW_SECOND, 1, BIT(0), 0),
         .flags = VF_WRITE),
    OKAY("legacy.ignored", "9.8", "Bits 10 and 2 of an entry are ignored.",
         BITS(VW_SECOND, 1, 0, BIT(10) | BIT(2)), .need = {.without_ecap = VECAP_ERS}),
    OKAY("legacy.ignored_high", "9.8", "Bits 61:52 of an entry are ignored.",
         BITS(VW_SECOND, 1, 0, GENMASK(61, 52))),
    OKAY("legacy.ignored_63", "9.8", "Bit 63 of an entry is ignored.",
         BITS(VW_SECOND, 2, 0, BIT(63))),
    OKAY("legacy.snoop", "9.8", "SNP is allowed in a page's entry with snoop control.",
         BITS(VW_SECOND, 1, 0, BIT(11)), .need = {.ecap = VECAP_SC}),
    OKAY("legacy.context_ignored", "9.3", "Bits 70:67 of a context entry are ignored.",
         .where = VW_CONTEXT, .quad = 1, .set = GENMASK(6, 3)),
    OKAY("legacy.no_bits", "9.8", "In legacy mode accessed and dirty bits are left alone.",
         BITS(VW_SECOND, 1, 0, 0), .flags = VF_WRITE, .left_clear = SA | SD),
    BOTH("first.4", "3.6", "first-stage tables of 4 levels", .mode = VLAB_FIRST_STAGE, .levels = 4),
    BOTH("first.5", "3.6", "first-stage tables of 5 levels", .mode = VLAB_FIRST_STAGE, .levels = 5),
    BOTH("first.2m", "3.6", "a 2 MiB page of the first stage", .mode = VLAB_FIRST_STAGE, .leaf = 2),
    BOTH("first.1g", "3.6", "a 1 GiB page of the first stage", .mode = VLAB_FIRST_STAGE, .leaf = 3),
    BOTH("first.1g_5", "3.6", "a 1 GiB page of tables of 5 levels", .mode = VLAB_FIRST_STAGE,
         .levels = 5, .leaf = 3),
    OKAY("first.pasid", "3.4.3", "A request with a PASID goes by that PASID's entry.",
         .mode = VLAB_FIRST_STAGE, .flags = VF_WITH_PASID, .need = {.ecap = VECAP_PASID}),
    OKAY("first.supervisor", "3.6.1",
         "With SRE a supervisor's request reaches a supervisor's page.",
         .mode = VLAB_FIRST_STAGE, .where = VW_PASID, .quad = 2, .set = BIT(0),
         .flags = VF_WITH_PASID | VF_PRIVILEGED, .need = {.ecap = VECAP_PASID | VECAP_SRS}),
    OKAY("first.read_only", "3.6.1", "A read needs no R/W.", .mode = VLAB_FIRST_STAGE,
         BITS(VW_FIRST, 1, BIT(1), 0)),
    OKAY("first.ignored", "9.7", "Bits 62:52 of a first-stage entry are ignored.",
         .mode = VLAB_FIRST_STAGE, BITS(VW_FIRST, 1, 0, GENMASK(62, 52))),
    OKAY("first.no_execute_off", "9.7", "Bit 63 (XD) does not matter to reads.",
         .mode = VLAB_FIRST_STAGE, BITS(VW_FIRST, 1, 0, BIT(63)), .need = {.ecap = VECAP_SMTS}),
    OKAY("first.pat", "9.7", "Bit 12 of a 2 MiB page's entry is PAT, not an address bit.",
         .mode = VLAB_FIRST_STAGE, .leaf = 2, BITS(VW_FIRST, 2, 0, BIT(12))),
    OKAY("first.accessed", "3.6.2", "A read sets the accessed bit of the page's entry alone.",
         .mode = VLAB_FIRST_STAGE, BITS(VW_FIRST, 1, 0, 0), .left = A, .left_clear = D | EA),
    OKAY("first.accessed_table", "3.6.2", "... and that of each table's entry.",
         .mode = VLAB_FIRST_STAGE, BITS(VW_FIRST, 3, 0, 0), .left = A, .left_clear = D | EA),
    OKAY("first.accessed_top", "3.6.2", "... and that of the root table's.",
         .mode = VLAB_FIRST_STAGE, BITS(VW_FIRST, 4, 0, 0), .levels = 4, .left = A,
         .left_clear = D),
    OKAY("first.dirty", "3.6.2", "A write sets accessed and dirty bits of the page's entry.",
         .mode = VLAB_FIRST_STAGE, BITS(VW_FIRST, 1, 0, 0), .flags = VF_WRITE, .left = A | D,
         .left_clear = EA),
    OKAY("first.dirty_table", "3.6.2", "A write sets no dirty bit of a table's entry.",
         .mode = VLAB_FIRST_STAGE, BITS(VW_FIRST, 2, 0, 0), .flags = VF_WRITE, .left = A,
         .left_clear = D),
    OKAY("first.dirty_large", "3.6.2", "A write sets the dirty bit of a 2 MiB page.",
         .mode = VLAB_FIRST_STAGE, .leaf = 2, BITS(VW_FIRST, 2, 0, 0), .flags = VF_WRITE,
         .left = A | D),
    BOTH("second.3", "3.7", "second-stage tables of 3 levels", .mode = VLAB_SECOND_STAGE,
         .levels = 3),
    BOTH("second.4", "3.7", "second-stage tables of 4 levels", .mode = VLAB_SECOND_STAGE,
         .levels = 4),
    BOTH("second.5", "3.7", "second-stage tables of 5 levels", .mode = VLAB_SECOND_STAGE,
         .levels = 5),
    BOTH("second.2m", "3.7", "a 2 MiB page of the second stage", .mode = VLAB_SECOND_STAGE,
         .leaf = 2),
    BOTH("second.1g", "3.7", "a 1 GiB page of the second stage", .mode = VLAB_SECOND_STAGE,
         .leaf = 3),
    OKAY("second.no_bits", "3.7.3",
         "Without SSADE accessed and dirty bits of the second stage are left alone.",
         .mode = VLAB_SECOND_STAGE, BITS(VW_SECOND, 1, 0, 0), .flags = VF_WRITE,
         .left_clear = SA | SD),
    OKAY("second.write_only", "3.7.2", "A write needs no R.", .mode = VLAB_SECOND_STAGE,
         BITS(VW_SECOND, 1, BIT(0), 0), .flags = VF_WRITE),
    OKAY("second.pasid", "3.4.3", "A request with a PASID goes by that PASID's entry.",
         .mode = VLAB_SECOND_STAGE, .flags = VF_WITH_PASID, .need = {.ecap = VECAP_PASID}),
    BOTH("nested.4", "3.8", "both stages, the second of 4 levels", .mode = VLAB_NESTED,
         .levels = 4),
    BOTH("nested.3", "3.8", "both stages, the second of 3 levels", .mode = VLAB_NESTED,
         .levels = 3),
    BOTH("nested.5", "3.8", "both stages, the second of 5 levels", .mode = VLAB_NESTED,
         .levels = 5),
    OKAY("nested.accessed", "3.8", "A nested read sets the first stage's accessed bit.",
         .mode = VLAB_NESTED, .levels = 4, BITS(VW_FIRST, 1, 0, 0), .left = A, .left_clear = D),
    OKAY("nested.dirty", "3.8", "A nested write sets the first stage's dirty bit.",
         .mode = VLAB_NESTED, .levels = 4, BITS(VW_FIRST, 1, 0, 0), .flags = VF_WRITE,
         .left = A | D),
    BOTH("pass", "3.9", "a PASID entry for pass-through", .mode = VLAB_PASS),
    OKAY("invalidated", "6.5.2", "What the caches knew is forgotten when they are invalidated.",
         BITS(VW_SECOND, 1, BIT(1), 0), .flags = VF_TWICE),
};
/* clang-format on */

/* Bits that the PASID entry asks for: of the second stage (SSADE), and extended ones (EAFE). */
struct asked {
    uint8_t mode, quad;
    uint64_t set; /* of the PASID entry */
    bool write;
    uint8_t level;
    uint64_t left, left_clear;
    struct vlab_need need;
};

static void asked_bits(struct conform_ctx *t)
{
    const struct asked *c = t->assertion->param;
    struct vlab v;

    if (vlab_open(&v, t, &c->need) && vlab_tables(&v, c->mode, 4, 1)) {
        uint64_t entry = vlab_pasid_entry(&v) + c->quad * 8, left;

        vlab_put(&v, entry, vlab_ram(&v, entry) | c->set);
        vlab_go(&v);
        t_check(t, vlab_reaches(&v, c->write, VLAB_OUT), "it does not get through");
        left = vlab_ram(&v, c->mode == VLAB_FIRST_STAGE ? vlab_first_entry(&v, c->level)
                                                        : vlab_second_entry(&v, c->level));
        t_check(t, (left & c->left) == c->left && !(left & c->left_clear),
                "the entry is %" G_GINT64_MODIFIER "x afterwards", left);
    }
    vlab_close(&v);
}

#define ASKED(name, sec, text, ...)                                                                \
    VTD_ROW("format." name, sec, text, asked_bits, &(const struct asked){__VA_ARGS__})

static const struct conform_assertion asked_rows[] = {
    ASKED("second.accessed", "3.7.3", "With SSADE a read sets the accessed bit of the page alone.",
          VLAB_SECOND_STAGE, 0, BIT(9), false, 1, SA, SD, {.ecap = VECAP_SSADS | VECAP_WCS}),
    ASKED("second.accessed_table", "3.7.3", "... and those of tables' entries.", VLAB_SECOND_STAGE,
          0, BIT(9), true, 2, SA, SD, {.ecap = VECAP_SSADS | VECAP_WCS}),
    ASKED("second.dirty", "3.7.3", "With SSADE a write sets accessed and dirty bits of the page.",
          VLAB_SECOND_STAGE, 0, BIT(9), true, 1, SA | SD, 0, {.ecap = VECAP_SSADS | VECAP_WCS}),
    ASKED("nested.second_dirty", "3.8", "... also where the second stage is nested.", VLAB_NESTED,
          0, BIT(9), true, 1, SA | SD, 0, {.ecap = VECAP_SSADS | VECAP_WCS}),
    ASKED("first.extended", "3.6.2", "With EAFE the extended accessed bit is set as well.",
          VLAB_FIRST_STAGE, 2, BIT(7), false, 1, A | EA, D, {.ecap = VECAP_EAFS | VECAP_WCS}),
    ASKED("first.extended_table", "3.6.2", "... also of tables' entries.", VLAB_FIRST_STAGE, 2,
          BIT(7), false, 3, A | EA, D, {.ecap = VECAP_EAFS | VECAP_WCS}),
};

ASSERTION_TABLE(assertions_vtd_formats, rows);
ASSERTION_TABLE(assertions_vtd_asked, asked_rows);
