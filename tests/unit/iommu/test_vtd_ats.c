/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VT-d face as a Translation Agent: translations given away, and taken back by the queue. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define FSTS   0x34
#define IQERCD 0xb0
#define IQH    0x80
#define ITE    BIT(6)
#define ICE    BIT(5)
#define STATUS 0x9000u /* that waits write */

static struct unit u;

static void setup(void)
{
    struct vtd_features features = unit_all;

    features.device_tlb = true;
    unit_open(&u, &features);
}

static void teardown(void)
{
    unit_close(&u);
}

/* Context entries that allow device TLBs. */
static void legacy(void)
{
    unit_legacy(&u);
    unit_put(&u, UNIT_LEGACY_ENTRY, unit_get(&u, UNIT_LEGACY_ENTRY) | 1 << 2);
}

static void scalable(unsigned pgtt)
{
    unit_scalable(&u, pgtt);
    unit_put(&u, UNIT_CONTEXT_ENTRY, unit_get(&u, UNIT_CONTEXT_ENTRY) | 1 << 2);
}

static bool ask(uint64_t addr, bool no_write)
{
    const struct iommu_access access = {
        .addr = addr, .sid = UNIT_SID, .at = IOMMU_TRANSLATION_REQUEST, .no_write = no_write};

    return unit_access(&u, &access);
}

static void wait_queued(uint32_t status)
{
    unit_put(&u, STATUS, 0);
    unit_queue(&u, 0x25 | (uint64_t)status << 32, STATUS);
}

START_TEST(translations)
{
    legacy();
    ck_assert(ask(0x3123, false));
    ck_assert_uint_eq(u.request.addr & ~0xfffULL, 0x43000);
    ck_assert_uint_eq(u.request.shift, 12);
    ck_assert_uint_eq(u.request.perms & 3, PT_PERM_READ | PT_PERM_WRITE);
    unit_put(&u, UNIT_SECOND + 0x3000 + 8 * 3, 0x43001); /* read only from now on */
    vtd_reset(u.vtd);
    legacy();
    unit_put(&u, UNIT_SECOND + 0x3000 + 8 * 3, 0x43001);
    ck_assert(ask(0x3000, false));
    ck_assert_uint_eq(u.request.perms & 3, PT_PERM_READ);
    /* What is not there is an answer, not a fault. */
    ck_assert(ask(0x20000, false));
    ck_assert_uint_eq(u.request.perms, 0);
    ck_assert_uint_eq(unit_reason(&u), 0);
}
END_TEST

/* Access is noted with a translation, and a write with the right to one. */
START_TEST(access_and_dirty)
{
    const uint64_t leaf = UNIT_FIRST + 0x3000 + 8 * 2;

    scalable(1);
    ck_assert(ask(0x2000, true));
    ck_assert_uint_eq(unit_get(&u, leaf) & 0x60, 0x20);
    ck_assert(ask(0x2000, false));
    ck_assert_uint_eq(unit_get(&u, leaf) & 0x60, 0x60);
    /* A supervisor's page is nothing to a request without privilege. */
    unit_put(&u, leaf, unit_get(&u, leaf) & ~4ULL);
    vtd_reset(u.vtd);
    scalable(1);
    unit_put(&u, leaf, 0x42003);
    ck_assert(ask(0x2000, true));
    ck_assert_uint_eq(u.request.perms, 0);
}
END_TEST

/* EAFE: a device's access is noted apart. */
START_TEST(extended_accessed)
{
    const uint64_t leaf = UNIT_FIRST + 0x3000 + 8 * 2;

    scalable(1);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x10, 8) & BIT(34), BIT(34));
    ck_assert(ask(0x2000, true));
    ck_assert_uint_eq(unit_get(&u, leaf) & BIT(10), 0);
    vtd_reset(u.vtd);
    scalable(1);
    unit_put(&u, UNIT_PASID_ENTRY + 16, unit_get(&u, UNIT_PASID_ENTRY + 16) | BIT(7));
    ck_assert(ask(0x2000, true));
    ck_assert_uint_eq(unit_get(&u, leaf) & (BIT(10) | 0x20), BIT(10) | 0x20);
}
END_TEST

START_TEST(refusals)
{
    struct iommu_access translated = {
        .addr = 0x77000, .sid = UNIT_SID, .want = PT_PERM_WRITE, .at = IOMMU_TRANSLATED};

    unit_legacy(&u);
    ck_assert(!ask(0x1000, false));
    ck_assert(!u.request.abort);
    ck_assert_uint_eq(unit_reason(&u), 0x0d);
    vtd_reset(u.vtd);
    ck_assert(!ask(0x1000, false)); /* translation is off */
    ck_assert_uint_eq(unit_reason(&u), 0);
    ck_assert(!unit_access(&u, &translated));
    scalable(1);
    ck_assert(unit_access(&u, &translated));
    ck_assert_uint_eq(u.out, 0x77000);
    /* Broken tables abort, missing ones do not. */
    vtd_reset(u.vtd);
    scalable(1);
    unit_put(&u, UNIT_PASID_ENTRY, unit_get(&u, UNIT_PASID_ENTRY) | BIT(5));
    ck_assert(!ask(0x1000, false));
    ck_assert(u.request.abort);
    ck_assert_uint_eq(unit_reason(&u), 0x5a);
    vtd_reset(u.vtd);
    scalable(1);
    unit_put(&u, UNIT_PASID_ENTRY, 0);
    ck_assert(!ask(0x1000, false));
    ck_assert(!u.request.abort);
    ck_assert_uint_eq(unit_reason(&u), 0x59);
}
END_TEST

/* A wait is over when what is before it has been answered, as often as the device says. */
START_TEST(invalidation)
{
    legacy();
    unit_queue_on(&u);
    unit_queue(&u, 3 | (uint64_t)UNIT_SID << 32, 0x5000);
    wait_queued(7);
    ck_assert_uint_eq(u.device_tlbs, 1);
    ck_assert_uint_eq(u.device_tlb.sid, UNIT_SID);
    ck_assert_uint_eq(u.device_tlb.addr, 0x5000);
    ck_assert_uint_eq(u.device_tlb.shift, 12);
    ck_assert(!u.device_tlb.has_pasid);
    ck_assert_uint_eq(unit_get(&u, STATUS), 0);
    vtd_device_tlb_done(u.vtd, UNIT_SID, 1u << u.device_tlb.itag, 2);
    ck_assert_uint_eq(unit_get(&u, STATUS), 0);
    vtd_device_tlb_done(u.vtd, UNIT_SID, 1u << u.device_tlb.itag, 2);
    ck_assert_uint_eq(unit_get(&u, STATUS), 7);
    ck_assert_uint_eq(vtd_read(u.vtd, FSTS, 4), 0);
    /* Sizes: 16 KiB, and everything. */
    unit_queue(&u, 3 | (uint64_t)UNIT_SID << 32, 0x15000 | 1);
    ck_assert_uint_eq(u.device_tlb.addr, 0x14000);
    ck_assert_uint_eq(u.device_tlb.shift, 14);
    unit_queue(&u, 3 | (uint64_t)UNIT_SID << 32, (low_mask(63) & ~0xfffULL) | 1);
    ck_assert_uint_eq(u.device_tlb.shift, 64);
    ck_assert_uint_eq(u.device_tlbs, 3);
}
END_TEST

START_TEST(invalidation_of_a_pasid)
{
    scalable(1);
    unit_queue_on(&u);
    unit_queue(&u, 8 | UNIT_SID << 16 | 5ULL << 32, 0x5000);
    ck_assert_uint_eq(u.device_tlbs, 1);
    ck_assert_uint_eq(u.device_tlb.sid, UNIT_SID);
    ck_assert_uint_eq(u.device_tlb.pasid, 5);
    ck_assert(u.device_tlb.has_pasid);
}
END_TEST

/* No more than the device takes, and than there are ITags. */
START_TEST(many_at_once)
{
    legacy();
    unit_queue_on(&u);
    for (unsigned i = 0; i < 3; i++)
        unit_queue(&u, 3 | 2 << 16 | (uint64_t)UNIT_SID << 32, 0x5000);
    ck_assert_uint_eq(u.device_tlbs, 2);
    vtd_device_tlb_done(u.vtd, UNIT_SID, 1, 1);
    ck_assert_uint_eq(u.device_tlbs, 3);
    for (unsigned i = 0; i < 31; i++)
        unit_queue(&u, 3 | (uint64_t)(UNIT_SID + 1) << 32, 0x5000);
    ck_assert_uint_eq(u.device_tlbs, 33); /* 32 are out */
    vtd_device_tlb_done(u.vtd, UNIT_SID, 1u << 0 | 1u << 1, 1);
    ck_assert_uint_eq(u.device_tlbs, 34);
}
END_TEST

START_TEST(no_answer)
{
    uint64_t head;

    legacy();
    unit_queue_on(&u);
    unit_queue(&u, 3 | (uint64_t)UNIT_SID << 32, 0x5000);
    wait_queued(7);
    head = vtd_read(u.vtd, IQH, 8);
    sim_run_until(&u.sim, u.sim.now_ps + UNIT_DEVICE_TLB_PS);
    ck_assert_uint_eq(vtd_read(u.vtd, FSTS, 4), ITE);
    ck_assert_uint_eq(vtd_read(u.vtd, IQERCD, 8) >> 32 & 0xffff, UNIT_SID);
    ck_assert_uint_eq(unit_get(&u, STATUS), 0); /* the wait was aborted */
    ck_assert_uint_eq(vtd_read(u.vtd, IQH, 8), head + 32);
    wait_queued(9);
    ck_assert_uint_eq(unit_get(&u, STATUS), 0); /* nothing is fetched */
    vtd_write(u.vtd, FSTS, 4, ITE);
    ck_assert_uint_eq(unit_get(&u, STATUS), 9);
    /* Too late is as good as unasked. */
    vtd_device_tlb_done(u.vtd, UNIT_SID, 1, 1);
    ck_assert_uint_eq(vtd_read(u.vtd, FSTS, 4), ICE);
    ck_assert_uint_eq(vtd_read(u.vtd, IQERCD, 8) >> 48, UNIT_SID);
}
END_TEST

START_TEST(answers_by_others)
{
    legacy();
    unit_queue_on(&u);
    unit_queue(&u, 3 | (uint64_t)UNIT_SID << 32, 0x5000);
    vtd_device_tlb_done(u.vtd, UNIT_SID + 1, 1u << u.device_tlb.itag, 1);
    ck_assert_uint_eq(vtd_read(u.vtd, FSTS, 4), ICE);
    wait_queued(7);
    ck_assert_uint_eq(unit_get(&u, STATUS), 0); /* still out */
    vtd_device_tlb_done(u.vtd, UNIT_SID, 1u << u.device_tlb.itag, 1);
    ck_assert_uint_eq(unit_get(&u, STATUS), 7);
}
END_TEST

START_TEST(not_offered)
{
    teardown();
    unit_open(&u, &unit_all);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x10, 8) & (BIT(2) | BIT(33)), 0);
    unit_legacy(&u);
    unit_queue_on(&u);
    unit_queue(&u, 3 | (uint64_t)UNIT_SID << 32, 0x5000);
    ck_assert_uint_eq(u.device_tlbs, 0);
    ck_assert_uint_eq(vtd_read(u.vtd, FSTS, 4), BIT(4)); /* IQE */
    vtd_reset(u.vtd);
    legacy();
    ck_assert(!ask(0x1000, false));
    ck_assert_uint_eq(unit_reason(&u), 0x03);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vtd ats");
    TCase *tc = tcase_create("ats");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, translations);
    tcase_add_test(tc, access_and_dirty);
    tcase_add_test(tc, extended_accessed);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, invalidation);
    tcase_add_test(tc, invalidation_of_a_pasid);
    tcase_add_test(tc, many_at_once);
    tcase_add_test(tc, no_answer);
    tcase_add_test(tc, answers_by_others);
    tcase_add_test(tc, not_offered);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
