/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Campaign files: what becomes of a good one, and the error of each bad one. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "pcilab/config/campaign.h"
#include "pcilab/sim/sim.h"

static struct campaign *parse(const char *text)
{
    GError *error = NULL;
    struct campaign *c = campaign_parse("c.ini", text, strlen(text), &error);

    ck_assert_msg(c != NULL, "%s", error ? error->message : "");
    return c;
}

START_TEST(test_defaults)
{
    struct campaign *c = parse("[matrix m]\nscenarios=a.lua\n");
    const struct campaign_matrix *m = &g_array_index(c->matrices, struct campaign_matrix, 0);

    ck_assert_str_eq(c->name, "c");
    ck_assert_uint_eq(c->shard_size, 0);
    ck_assert_uint_eq(c->limit_ps, 0);
    ck_assert_uint_eq(c->matrices->len, 1);
    ck_assert_ptr_null(m->topologies.words);
    ck_assert_ptr_null(m->kernels.words);
    ck_assert_uint_eq(m->seeds->len, 1);
    ck_assert_uint_eq(g_array_index(m->seeds, struct campaign_seeds, 0).first, 1);
    ck_assert_uint_eq(g_array_index(m->seeds, struct campaign_seeds, 0).count, 1);
    campaign_free(c);
}
END_TEST

START_TEST(test_all_keys)
{
    struct campaign *c = parse("# all\n[campaign]\nname=night.1\nshard-size=7\nlimit=2s wall:5m\n"
                               "[matrix one]\nscenarios=a.lua 'b c.lua'\ntopologies=x \"y\"\n"
                               "kernels=default ~/linux\nseeds=300-310 7 1-2\n[matrix two]\n"
                               "scenarios=z\n");
    const struct campaign_matrix *m = &g_array_index(c->matrices, struct campaign_matrix, 0);
    static const struct campaign_seeds seeds[] = {{1, 2}, {7, 1}, {300, 11}};

    ck_assert_str_eq(c->name, "night.1");
    ck_assert_uint_eq(c->shard_size, 7);
    ck_assert_uint_eq(c->limit_ps, 2 * PS_PER_S);
    ck_assert_uint_eq(c->limit_wall_us, 300000000);
    ck_assert_uint_eq(c->matrices->len, 2);
    ck_assert_str_eq(m->group, "matrix one");
    ck_assert_uint_eq(m->line, 6);
    ck_assert_str_eq(m->scenarios.words[1], "b c.lua");
    ck_assert_str_eq(m->topologies.words[1], "y");
    ck_assert_uint_eq(m->kernels.line, 9);
    ck_assert_uint_eq(m->seeds->len, G_N_ELEMENTS(seeds));
    for (unsigned i = 0; i < G_N_ELEMENTS(seeds); i++) {
        const struct campaign_seeds *s = &g_array_index(m->seeds, struct campaign_seeds, i);
        ck_assert_uint_eq(s->first, seeds[i].first);
        ck_assert_uint_eq(s->count, seeds[i].count);
    }
    campaign_free(c);
}
END_TEST

static const struct {
    const char *text, *error;
} bad[] = {
    {"", "c.ini: nothing to run"},
    {"[campaign]\n", "c.ini: nothing to run"},
    {"scenarios=a\n", "c.ini:1: scenarios: stands before the first group"},
    {"[matrix m]\nscenarios=\n", "c.ini:2: [matrix m] scenarios: is empty"},
    {"[matrix m]\nscenarios='a\n", "c.ini:2: [matrix m] scenarios: "},
    {"[matrix m]\nseeds=1\n", "c.ini:1: [matrix m]: needs scenarios"},
    {"[matrix m]\nscenarios=a\nseeds=x\n", "c.ini:3: [matrix m] seeds: is not allowed"},
    {"[matrix m]\nscenarios=a\nseeds=-1\n", "c.ini:3: [matrix m] seeds: is not allowed"},
    {"[matrix m]\nscenarios=a\nseeds=1-\n", "c.ini:3: [matrix m] seeds: is not allowed"},
    {"[matrix m]\nscenarios=a\nseeds=0-18446744073709551615\n",
     "c.ini:3: [matrix m] seeds: is not allowed"},
    {"[matrix m]\nscenarios=a\nseeds=9223372036854775808\n",
     "c.ini:3: [matrix m] seeds: is not allowed"},
    {"[matrix m]\nscenarios=a\nseeds=3 1-5\n", "c.ini:3: [matrix m] seeds: a seed stands twice"},
    {"[matrix m]\nscenarios=a\n[matrix m]\n", "c.ini:3: [matrix m]: this group was already given"},
    {"[matrix m]\nscenarios=a\nscenarios=b\n", "c.ini:3: [matrix m] scenarios: was already given"},
    {"[matrix m]\nscenario=a\n", "c.ini:2: [matrix m] scenario: unknown key; did you mean "},
    {"[campaign]\nname=a b\n[matrix m]\nscenarios=a\n", "c.ini:2: [campaign] name: a name is"},
    {"[campaign]\nshard-size=0\n[matrix m]\nscenarios=a\n",
     "c.ini:2: [campaign] shard-size: is not allowed"},
    {"[campaign]\nlimit=wall:\n[matrix m]\nscenarios=a\n",
     "c.ini:2: [campaign] limit: is not allowed"},
    {"[other]\n", "c.ini:1: [other]: there is no such group"},
};

START_TEST(test_bad)
{
    GError *error = NULL;

    ck_assert_ptr_null(campaign_parse("c.ini", bad[_i].text, strlen(bad[_i].text), &error));
    ck_assert_msg(g_str_has_prefix(error->message, bad[_i].error), "%s", error->message);
    g_error_free(error);
}
END_TEST

START_TEST(test_fail)
{
    struct campaign *c = parse("[matrix m]\nseeds=4\nscenarios=a.lua\n");
    GError *error = NULL;

    campaign_fail(&error, c, &g_array_index(c->matrices, struct campaign_matrix, 0), "scenarios",
                  "there is no %s", "a.lua");
    ck_assert_str_eq(error->message, "c.ini:3: [matrix m] scenarios: there is no a.lua");
    g_error_free(error);
    campaign_free(c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("campaign");
    TCase *tc = tcase_create("files");
    SRunner *runner = srunner_create(suite);

    tcase_add_test(tc, test_defaults);
    tcase_add_test(tc, test_all_keys);
    tcase_add_loop_test(tc, test_bad, 0, G_N_ELEMENTS(bad));
    tcase_add_test(tc, test_fail);
    suite_add_tcase(suite, tc);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
