/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

#include <check.h>
#include <stdlib.h>

START_TEST(test_fields)
{
    ck_assert_uint_eq(GENMASK(63, 0), ~0ULL);
    ck_assert_uint_eq(GENMASK(7, 4), 0xf0);
    ck_assert_uint_eq(GENMASK(63, 63), 1ULL << 63);
    ck_assert_uint_eq(FIELD_GET(GENMASK(7, 4), 0xab), 0xa);
    ck_assert_uint_eq(FIELD_PREP(GENMASK(7, 4), 0x1c), 0xc0);
    ck_assert_uint_eq(field_set(0xffff, GENMASK(7, 4), 2), 0xff2f);
    ck_assert_uint_eq(low_mask(0), 0);
    ck_assert_uint_eq(low_mask(64), ~0ULL);
    ck_assert_uint_eq(low_mask(12), 0xfff);
}
END_TEST

START_TEST(test_ranges)
{
    ck_assert_uint_eq(align_down(0x1fff, 0x1000), 0x1000);
    ck_assert_uint_eq(align_up(0x1001, 0x1000), 0x2000);
    ck_assert(is_power_of_2(1) && is_power_of_2(1ULL << 63));
    ck_assert(!is_power_of_2(0) && !is_power_of_2(6));
    ck_assert(range_inside(10, 5, 10, 5));
    ck_assert(!range_inside(9, 2, 10, 5));
    ck_assert(!range_inside(10, 6, 10, 5));
    ck_assert(!range_inside(16, 0, 10, 5));
    /* Nothing wraps at the top. */
    ck_assert(range_inside(UINT64_MAX, 1, UINT64_MAX - 1, 2));
    ck_assert(!range_inside(UINT64_MAX, 2, UINT64_MAX - 1, 2));
    ck_assert(!range_inside(0, UINT64_MAX, 1, UINT64_MAX));
}
END_TEST

START_TEST(test_little_endian)
{
    uint8_t b[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8};

    ck_assert_uint_eq(le16_load(b + 1), 0x0201);
    ck_assert_uint_eq(le32_load(b + 1), 0x04030201);
    ck_assert_uint_eq(le64_load(b + 1), 0x0807060504030201ULL);
    ck_assert_uint_eq(le_load(b + 1, 3), 0x030201);
    le_store(b, 0xa1b2c3d4e5ULL, 3);
    ck_assert_uint_eq(b[0], 0xe5);
    ck_assert_uint_eq(b[2], 0xc3);
    ck_assert_uint_eq(b[3], 3);
    le32_store(b + 5, 0x11223344);
    ck_assert_uint_eq(b[5], 0x44);
    ck_assert_uint_eq(b[8], 0x11);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base");
    TCase *tc = tcase_create("base");
    SRunner *runner;
    int failed;

    tcase_add_test(tc, test_fields);
    tcase_add_test(tc, test_ranges);
    tcase_add_test(tc, test_little_endian);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
