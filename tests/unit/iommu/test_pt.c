/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walkers against the oracle: every walk on a tree of its own. */
#include <check.h>
#include <stdlib.h>

#include "pcilab/base/bits.h"
#include "pcilab/sim/rng.h"
#include "pt_oracle.h"

#define WALKS 1000000

static void random_config(struct sim_rng *rng, const struct pt_format *format,
                          struct pt_config *config)
{
    uint64_t r = sim_rng_next(rng);

    *config = (struct pt_config){
        .format = format,
        .root = (r >> 8 & 0xff) << 12,
        .levels = (uint8_t)(format->levels_min + r % (format->levels_max - format->levels_min + 1)),
        .phys_bits = (uint8_t)(39 + (r >> 16) % 14),
        .largest_leaf = (uint8_t)(1 + (r >> 24) % 3),
        .keep_ad = r >> 32 & 1,
        .extended_access = r >> 33 & 1,
        .snoop_bit = r >> 34 & 1,
        .no_execute = r >> 35 & 1,
        .write_protect = r >> 36 & 1,
    };
}

static uint64_t random_addr(struct sim_rng *rng, const struct pt_config *config)
{
    uint64_t addr = sim_rng_next(rng), how = sim_rng_next(rng);
    unsigned width = 12 + 9 * config->levels;

    if (how % 16 == 0)
        return addr;
    addr &= low_mask(width);
    if (config->format->canonical && addr >> (width - 1) && how % 16 != 1)
        addr |= ~low_mask(width);
    return addr;
}

static void walk_many(const struct pt_format *format, uint64_t seed)
{
    unsigned causes[PT_FAULT_COUNT] = {0}, sizes[PT_LEVELS_MAX + 1][4] = {0}, updates = 0;
    struct sim_rng rng;

    sim_rng_init(&rng, seed, format->name);
    for (unsigned i = 0; i < WALKS; i++) {
        struct random_memory memory = {.seed = sim_rng_next(&rng),
                                       .end = 1ULL << 36,
                                       .second = format == &pt_vtd_second,
                                       .wild = i % 4 == 0};
        struct pt_config config;
        struct oracle_result r;
        uint64_t how = sim_rng_next(&rng);
        struct pt_access access = {.want = how & 7, .privileged = how >> 3 & 1};

        random_config(&rng, format, &config);
        oracle_compare(&config, random_addr(&rng, &config), access, &memory, &r);
        causes[r.cause]++;
        updates += r.cause == PT_FAULT_NONE && r.update_count == config.levels;
        if (r.cause == PT_FAULT_NONE)
            sizes[config.levels][r.level]++;
    }
    /* Nothing that a format can say stayed unsaid. */
    for (unsigned cause = 0; cause < PT_FAULT_COUNT; cause++) {
        bool second = format == &pt_vtd_second;
        bool can = cause == PT_FAULT_READ
                       ? second
                       : !second || (cause != PT_FAULT_EXECUTE && cause != PT_FAULT_PRIVILEGE);

        ck_assert_msg((causes[cause] > 100) == can, "%s: %u", pt_cause_name(cause), causes[cause]);
    }
    for (unsigned levels = format->levels_min; levels <= format->levels_max; levels++) {
        for (unsigned leaf = 1; leaf <= 3; leaf++)
            ck_assert_msg(sizes[levels][leaf] > 100, "%u levels, leaf %u: %u", levels, leaf,
                          sizes[levels][leaf]);
    }
    ck_assert_uint_gt(updates, 100);
}

START_TEST(test_x86)
{
    walk_many(&pt_x86, 1);
}
END_TEST

START_TEST(test_vtd_second)
{
    walk_many(&pt_vtd_second, 2);
}
END_TEST

/* A table that points to itself ends at the leaf like any other. */
static bool loop_read(void *opaque, uint64_t addr, uint64_t *value)
{
    (*(unsigned *)opaque)++;
    *value = 0x5007;
    return addr < 0x6000;
}

START_TEST(test_loop)
{
    struct pt_config config = {
        .format = &pt_x86, .root = 0x5000, .levels = 5, .phys_bits = 46, .largest_leaf = 3};
    struct pt_walk walk;
    unsigned reads = 0;

    ck_assert(pt_walk_run(&walk, &config, 0x123456789abcULL, (struct pt_access){PT_PERM_READ, true},
                          loop_read, &reads));
    ck_assert_uint_eq(reads, 5);
    ck_assert_uint_eq(walk.result.output, 0x5abc);
}
END_TEST

/* A walk that goes on from a cached entry reads only what is below it, with its permissions. */
START_TEST(test_resume)
{
    struct pt_config config = {
        .format = &pt_x86, .root = 0x5000, .levels = 4, .phys_bits = 46, .largest_leaf = 3};
    struct pt_access access = {PT_PERM_WRITE, false};
    struct pt_walk walk;

    ck_assert_int_eq(pt_walk_begin(&walk, &config, 0x201000, access), PT_READ);
    ck_assert_int_eq(pt_walk_resume(&walk, 1, 0x7000, PT_PERM_READ | PT_PERM_USER), PT_READ);
    ck_assert_uint_eq(walk.entry_addr, 0x7008);
    ck_assert_int_eq(pt_walk_feed(&walk, 0x9007), PT_FAULT);
    ck_assert_int_eq(walk.result.cause, PT_FAULT_WRITE);
    access.want = PT_PERM_READ;
    pt_walk_begin(&walk, &config, 0x201000, access);
    pt_walk_resume(&walk, 1, 0x7000, PT_PERM_READ | PT_PERM_USER);
    ck_assert_int_eq(pt_walk_feed(&walk, 0x9007), PT_DONE);
    ck_assert_uint_eq(walk.result.output, 0x9000);
    ck_assert_int_eq(walk.result.perms & PT_PERM_WRITE, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("iommu pt");
    TCase *tc = tcase_create("walkers");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_x86);
    tcase_add_test(tc, test_vtd_second);
    tcase_add_test(tc, test_loop);
    tcase_add_test(tc, test_resume);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
