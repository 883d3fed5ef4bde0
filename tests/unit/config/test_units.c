/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes, times and near misses. */
#include <check.h>
#include <glib.h>

#include "pcilab/config/units.h"
#include "pcilab/sim/sim.h"

static const struct {
    const char *text;
    bool ok;
    uint64_t value;
} sizes[] = {
    {"0", true, 0},
    {"4096", true, 4096},
    {"64K", true, 65536},
    {"512M", true, 512ULL << 20},
    {"2GiB", true, 2ULL << 30},
    {"2 GB", true, 2ULL << 30},
    {"1t", true, 1ULL << 40},
    {"0x1000", true, 4096},
    {"15E", true, 15ULL << 60},
    {"16E", false, 0},
    {"18446744073709551615", true, UINT64_MAX},
    {"18446744073709551616", false, 0},
    {"", false, 0},
    {"M", false, 0},
    {"-1", false, 0},
    {"+1", false, 0},
    {"1.5G", false, 0},
    {"1MM", false, 0},
    {"1X", false, 0},
    {"0x", false, 0},
    {"1Mi", false, 0},
};

START_TEST(test_sizes)
{
    uint64_t value = 0;
    bool ok = units_parse_size(sizes[_i].text, &value);

    ck_assert_msg(ok == sizes[_i].ok, "\"%s\": %d", sizes[_i].text, ok);
    if (ok) {
        ck_assert_uint_eq(value, sizes[_i].value);
    }
}
END_TEST

static const struct {
    const char *text;
    bool ok;
    uint64_t value;
} times[] = {
    {"30s", true, 30 * PS_PER_S},
    {"30", true, 30 * PS_PER_S},
    {"1.5ms", true, 1500 * PS_PER_US},
    {"250ns", true, 250000},
    {"7ps", true, 7},
    {"2m", true, 120 * PS_PER_S},
    {"1h", true, 3600 * PS_PER_S},
    {"0", true, 0},
    {"", false, 0},
    {"s", false, 0},
    {"-1s", false, 0},
    {"5000h", true, 18000000 * PS_PER_S},
    {"6000h", false, 0},
    {"1e99s", false, 0},
    {"nan", false, 0},
    {"inf", false, 0},
    {"3 weeks", false, 0},
    {"0x10s", false, 0},
};

START_TEST(test_times)
{
    uint64_t value = 0;
    bool ok = units_parse_time(times[_i].text, &value);

    ck_assert_msg(ok == times[_i].ok, "\"%s\": %d", times[_i].text, ok);
    if (ok) {
        ck_assert_uint_eq(value, times[_i].value);
    }
}
END_TEST

START_TEST(test_formats)
{
    static const struct {
        uint64_t value;
        const char *size, *time;
    } rows[] = {
        {0, "0 bytes", "0 ps"},
        {1023, "1023 bytes", "1.023 ns"},
        {1536 << 10, "1536 KiB", "1.572 us"},
        {512ULL << 20, "512 MiB", "536.87 us"},
        {1500 * PS_PER_MS, "1464843750 KiB", "1.5 s"},
        {UINT64_MAX, "18446744073709551615 bytes", "18446744.073 s"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *size = units_format_size(rows[i].value), *time = units_format_time(rows[i].value);
        ck_assert_str_eq(size, rows[i].size);
        ck_assert_str_eq(time, rows[i].time);
        g_free(size);
        g_free(time);
    }
}
END_TEST

START_TEST(test_nearest)
{
    static const char *const names[] = {"nvme0", "rp0", "sw0", "exerciser", "at"};

    ck_assert_ptr_eq(units_nearest("nvme", names, 5), names[0]);
    ck_assert_ptr_eq(units_nearest("nvem0", names, 5), names[0]);
    ck_assert_ptr_eq(units_nearest("exercizer", names, 5), names[3]);
    ck_assert_ptr_null(units_nearest("graphics", names, 5));
    ck_assert_ptr_null(units_nearest("", names, 5));
    ck_assert_ptr_null(units_nearest("x", names, 0));
    char *monster = g_strnfill(5000, 'n');
    ck_assert_ptr_null(units_nearest(monster, names, 5));
    g_free(monster);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("units");
    TCase *tcase = tcase_create("units");

    tcase_add_loop_test(tcase, test_sizes, 0, G_N_ELEMENTS(sizes));
    tcase_add_loop_test(tcase, test_times, 0, G_N_ELEMENTS(times));
    tcase_add_test(tcase, test_formats);
    tcase_add_test(tcase, test_nearest);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
