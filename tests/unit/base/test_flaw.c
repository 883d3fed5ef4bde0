/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flaws: what they are called, and sets of them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "pcilab/base/flaw.h"

START_TEST(names)
{
    for (enum flaw a = FLAW_NONE + 1; a < FLAW_COUNT; a++) {
        ck_assert_uint_gt(strlen(flaw_group(a)), 2);
        ck_assert_uint_gt(strlen(flaw_text(a)), 10);
        for (enum flaw b = a + 1; b < FLAW_COUNT; b++)
            ck_assert_msg(strcmp(flaw_group(a), flaw_group(b)) != 0 ||
                              strcmp(flaw_text(a), flaw_text(b)) != 0,
                          "two are %s", flaw_text(a));
    }
}
END_TEST

/* Counts of groups are made of neighbours. */
START_TEST(groups)
{
    for (enum flaw a = FLAW_NONE + 2; a < FLAW_COUNT; a++) {
        bool begins = strcmp(flaw_group(a), flaw_group(a - 1)) != 0;

        for (enum flaw b = FLAW_NONE + 1; begins && b < a; b++)
            ck_assert_str_ne(flaw_group(a), flaw_group(b));
    }
}
END_TEST

START_TEST(sets)
{
    struct flaws flaws = {0};

    ck_assert(!flaw_on(NULL, FLAW_ACS_SOURCE));
    ck_assert(!flaw_any(&flaws) && !flaw_on(&flaws, FLAW_ACS_SOURCE));
    flaw_set(&flaws, FLAW_ACS_SOURCE);
    ck_assert(flaw_any(&flaws) && flaw_on(&flaws, FLAW_ACS_SOURCE));
    ck_assert(!flaw_on(&flaws, FLAW_ACS_IO) && !flaw_on(&flaws, FLAW_NONE));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flaw");
    TCase *tcase = tcase_create("flaw");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, names);
    tcase_add_test(tcase, groups);
    tcase_add_test(tcase, sets);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
