/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory behind the processors' caches. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hw/platform/ram.h"
#include "pcilab/platform/addrmap.h"

#define MIB  (1ULL << 20)
#define AT   0x200040ULL
#define HIGH (MAP_RAM_ABOVE_4G + 0x3000)

static struct ram ram;

static void setup(void)
{
    ck_assert(ram_init(&ram, 2049 * MIB, NULL));
    ck_assert(ram_add_backing(&ram, NULL));
    ck_assert(ram_add_backing(&ram, NULL)); /* as often as asked */
}

static void teardown(void)
{
    ram_fini(&ram);
}

static void store(uint64_t at, char c)
{
    *(char *)ram_ptr(&ram, at, 1) = c;
}

static char load(uint64_t at)
{
    char c = 'x';

    ck_assert(ram_backing_read(&ram, at, &c, 1));
    return c;
}

START_TEST(test_lines)
{
    store(AT - 1, 'a');
    store(AT, 'b');
    store(AT + 63, 'c');
    store(AT + 64, 'd');
    ck_assert(!load(AT) && !load(AT + 63));
    ram_write_back(&ram, AT + 5, 1);
    ck_assert(!load(AT - 1) && load(AT) == 'b' && load(AT + 63) == 'c' && !load(AT + 64));
    ram_write_back(&ram, AT + 63, 2); /* of two lines */
    ck_assert(load(AT + 64) == 'd');
    store(AT, 'e');
    ck_assert(load(AT) == 'b');
}
END_TEST

START_TEST(test_all)
{
    ram_fini(&ram);
    ck_assert(ram_init(&ram, 8 * MIB, NULL));
    ram_write_back_all(&ram); /* of nothing */
    ck_assert(ram_add_backing(&ram, NULL));
    store(AT, 'e');
    store(8 * MIB - 1, 'f');
    ram_write_back_all(&ram);
    ck_assert(load(AT) == 'e' && load(8 * MIB - 1) == 'f');
}
END_TEST

/* What is written behind the caches is seen by processors, unless they changed it meanwhile. */
START_TEST(test_writes)
{
    bool shared;

    ck_assert(ram_backing_write(&ram, HIGH, "abcdefgh", 8, &shared) && shared);
    ck_assert(memcmp(ram_ptr(&ram, HIGH, 8), "abcdefgh", 8) == 0);
    store(HIGH + 3, 'x');
    ck_assert(ram_backing_write(&ram, HIGH, "ABCDEFGH", 8, &shared) && !shared);
    ck_assert(memcmp(ram_ptr(&ram, HIGH, 8), "abcxefgh", 8) == 0);
    ck_assert(load(HIGH) == 'A');
    ram_clear(&ram);
    ck_assert(!load(HIGH));
}
END_TEST

START_TEST(test_nowhere)
{
    char data[8];
    bool shared;

    ck_assert(!ram_backing_read(&ram, MAP_LOW_RAM_END, data, 8));
    ck_assert(!ram_backing_write(&ram, MAP_IOAPIC_BASE, data, 8, &shared));
    ram_write_back(&ram, MAP_IOAPIC_BASE, 1);
    ram_write_back(&ram, ~0ULL, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ram_cache");
    TCase *tc = tcase_create("backing");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_lines);
    tcase_add_test(tc, test_all);
    tcase_add_test(tc, test_writes);
    tcase_add_test(tc, test_nowhere);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
