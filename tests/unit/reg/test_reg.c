/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pcilab/base/bits.h"
#include "pcilab/reg/reg.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct seen {
    unsigned calls;
    unsigned offset;
    struct reg_write write;
};

static void note_write(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct seen *seen = reg_space_owner(space);

    seen->calls++;
    seen->offset = offset;
    seen->write = *write;
}

static uint64_t invert_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    (void)space;
    (void)offset;
    return ~value;
}

/* clang-format off */
static const struct reg_def table[] = {
    {.name = "id",     .clause = "t", .offset = 0x0, .width = 2, .reset = 0x1234},
    {.name = "ctl",    .clause = "t", .offset = 0x2, .width = 1, .reset = 0x05, .rw = 0x0f,
     .w1t = 0x80, .on_write = note_write},
    {.name = "mode",   .clause = "t", .offset = 0x3, .width = 1, .rw = 0xff, .flr_keep = 0x0f},
    {.name = "status", .clause = "t", .offset = 0x4, .width = 4, .rw1c = 0xff00, .rw1s = 0xff0000,
     .rsvdz = 0xff000000, .sticky = 0xf000},
    {.name = "wide",   .clause = "t", .offset = 0x8, .width = 8, .rw = 0xffffffffffff0000,
     .reset = 0xabcd, .on_write = note_write},
    {.name = "flip",   .clause = "t", .offset = 0x20, .width = 2, .rw = 0xffff,
     .on_read = invert_read},
};
/* clang-format on */

static struct reg_space *space;
static struct seen seen;

static void setup(void)
{
    memset(&seen, 0, sizeof(seen));
    space = reg_space_new(0x100, &seen);
    reg_space_place(space, 0x40, table, ARRAY_LEN(table));
}

static void teardown(void)
{
    reg_space_free(space);
}

START_TEST(test_reads_across_rows)
{
    ck_assert_uint_eq(reg_read(space, 0x40, 4), 0x00051234);
    ck_assert_uint_eq(reg_read(space, 0x41, 2), 0x0512);
    ck_assert_uint_eq(reg_read(space, 0x46, 4), 0xabcd0000);
    ck_assert_uint_eq(reg_read(space, 0x49, 8), 0xab);
    ck_assert_uint_eq(reg_read(space, 0x4c, 4), 0);
    ck_assert_uint_eq(reg_read(space, 0x3e, 4), 0x12340000);
    ck_assert_uint_eq(reg_read(space, 0x60, 4), 0xffff);
    ck_assert_uint_eq(reg_read(space, 0x61, 1), 0xff);
    /* Nothing there, and beyond the end. */
    ck_assert_uint_eq(reg_read(space, 0x80, 8), 0);
    ck_assert_uint_eq(reg_read(space, 0xfe, 8), 0);
    ck_assert_uint_eq(reg_read(space, 0x1000, 4), 0);
}
END_TEST

START_TEST(test_write_kinds)
{
    reg_write(space, 0x40, 4, 0xffffffff);
    ck_assert_uint_eq(reg_read(space, 0x40, 4), 0xff0f1234);
    ck_assert_uint_eq(seen.calls, 1);
    ck_assert_uint_eq(seen.offset, 0x42);
    ck_assert_uint_eq(seen.write.old_value, 0x05);
    ck_assert_uint_eq(seen.write.new_value, 0x0f);
    ck_assert_uint_eq(seen.write.written, 0xff);
    ck_assert_uint_eq(seen.write.lanes, 0xff);

    reg_set(space, 0x44, 0xffaa);
    reg_write(space, 0x44, 4, 0x12345678);
    ck_assert_uint_eq(reg_read(space, 0x44, 4), 0x0034a9aa);
    /* Only the enabled lane acts. */
    reg_write(space, 0x45, 1, 0x20);
    ck_assert_uint_eq(reg_read(space, 0x44, 4), 0x003489aa);
    reg_write(space, 0xfe, 8, ~0ULL);
    reg_write(space, 0x1000, 4, ~0ULL);
}
END_TEST

START_TEST(test_partial_write_of_wide_row)
{
    reg_write(space, 0x4b, 2, 0x7788);
    ck_assert_uint_eq(reg_get(space, 0x48), 0x778800abcdULL);
    ck_assert_uint_eq(seen.write.lanes, 0xffff000000ULL);
    ck_assert_uint_eq(seen.write.written, 0x7788000000ULL);
    reg_write(space, 0x46, 8, 0x1122334455667788ULL);
    ck_assert_uint_eq(reg_get(space, 0x48), 0x000011223344abcdULL);
    /* Status got the low two bytes: its byte 3 is RsvdZ, byte 2 is RW1S. */
    ck_assert_uint_eq(reg_get(space, 0x44), 0x00880000);
}
END_TEST

START_TEST(test_resets)
{
    reg_write(space, 0x43, 1, 0xff);
    reg_write(space, 0x48, 8, ~0ULL);
    reg_set(space, 0x44, 0xffff);
    reg_space_reset(space, REG_RESET_FLR);
    ck_assert_uint_eq(reg_get(space, 0x43), 0x0f);
    ck_assert_uint_eq(reg_get(space, 0x44), 0xf000);
    ck_assert_uint_eq(reg_get(space, 0x48), 0xabcd);
    reg_space_reset(space, REG_RESET_WARM);
    ck_assert_uint_eq(reg_get(space, 0x43), 0);
    ck_assert_uint_eq(reg_get(space, 0x44), 0xf000);
    reg_space_reset(space, REG_RESET_COLD);
    ck_assert_uint_eq(reg_get(space, 0x44), 0);
}
END_TEST

START_TEST(test_instances)
{
    reg_hwinit(space, 0x40, 0xbeef);
    reg_set_rw_mask(space, 0x48, 0xff000000);
    reg_write(space, 0x48, 8, ~0ULL);
    ck_assert_uint_eq(reg_read(space, 0x48, 8), 0xff00abcd);
    reg_set(space, 0x40, 1);
    reg_space_reset(space, REG_RESET_COLD);
    ck_assert_uint_eq(reg_read(space, 0x40, 2), 0xbeef);
    ck_assert_uint_eq(reg_rw_mask(space, 0x48), 0xff000000);
    reg_update(space, 0x48, 0xff00, 0x1234);
    ck_assert_uint_eq(reg_get(space, 0x48), 0x12cd);
    ck_assert(reg_has(space, 0x48));
    ck_assert(!reg_has(space, 0x4c));
    ck_assert(!reg_has(space, 0x10));
    ck_assert(!reg_has(space, 0x4000));
}
END_TEST

static void note_order(void *opaque, const struct reg_def *def, unsigned offset, uint64_t value)
{
    unsigned *last = opaque;

    (void)value;
    ck_assert_uint_ge(offset, *last);
    *last = offset + def->width;
}

START_TEST(test_placing_out_of_order)
{
    unsigned last = 0;

    reg_space_place(space, 0x10, table, ARRAY_LEN(table) - 1);
    reg_space_place(space, 0x80, table, ARRAY_LEN(table));
    reg_space_visit(space, note_order, &last);
    ck_assert_uint_eq(last, 0xa2);
    ck_assert_uint_eq(reg_read(space, 0x10, 2), 0x1234);
    ck_assert_uint_eq(reg_read(space, 0x40, 2), 0x1234);
    ck_assert_uint_eq(reg_read(space, 0x80, 2), 0x1234);
    reg_write(space, 0x18, 8, ~0ULL);
    ck_assert_uint_eq(reg_get(space, 0x48), 0xabcd);
    ck_assert_uint_lt(reg_space_memory_bytes(space), 1024);
}
END_TEST

START_TEST(test_lint)
{
    static const struct reg_def bad[] = {
        {.name = "a", .clause = "t", .offset = 0, .width = 3},
        {.name = "b", .clause = "t", .offset = 1, .width = 2},
        {.name = "c", .clause = "t", .offset = 0, .width = 1, .rw = 0x100},
        {.name = "d", .clause = "t", .offset = 0, .width = 1, .rw = 1, .rw1c = 1},
        {.name = "e", .clause = "t", .offset = 0, .width = 1, .w1t = 1, .reset = 1},
        {.name = "f", .offset = 0, .width = 1},
    };
    static const struct reg_def overlap[] = {
        {.name = "g", .clause = "t", .offset = 0, .width = 4},
        {.name = "h", .clause = "t", .offset = 2, .width = 2},
    };
    char why[128] = "";

    ck_assert(reg_table_lint(table, ARRAY_LEN(table), why, sizeof(why)));
    ck_assert_str_eq(why, "");
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        ck_assert(!reg_table_lint(&bad[i], 1, why, sizeof(why)));
        ck_assert_int_eq(why[0], bad[i].name[0]);
    }
    ck_assert(!reg_table_lint(overlap, 2, why, sizeof(why)));
    ck_assert_str_eq(why, "h at 0x2: not behind the row before it");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reg");
    TCase *tc = tcase_create("reg");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_reads_across_rows);
    tcase_add_test(tc, test_write_kinds);
    tcase_add_test(tc, test_partial_write_of_wide_row);
    tcase_add_test(tc, test_resets);
    tcase_add_test(tc, test_instances);
    tcase_add_test(tc, test_placing_out_of_order);
    tcase_add_test(tc, test_lint);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
