/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VT-d face in time: what is read in pieces is seen torn, and what is under way is drained. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define READ_PS 1000u

static struct unit u;

static void setup(void)
{
    unit_open_timed(&u, &unit_all, READ_PS);
}

static void teardown(void)
{
    unit_close(&u);
}

static void run_for(unsigned reads)
{
    sim_run_until(&u.sim, u.sim.now_ps + (uint64_t)reads * READ_PS);
}

static void start_read(uint64_t addr)
{
    u.status = IOMMU_ABANDONED;
    unit_read(&u, addr);
    ck_assert_int_eq(u.status, IOMMU_ABANDONED);
}

static void command(uint32_t value)
{
    vtd_write(u.vtd, 0x18, 4, value);
}

static uint32_t status(void)
{
    return (uint32_t)vtd_read(u.vtd, 0x1c, 4);
}

/*
 * A PASID entry of 64 bytes comes in four pieces. A driver that turns it from first stage to second
 * while it is present, in one go, is caught when it does so between two of them: half of the old
 * entry with half of the new one. The same change between two requests is seen whole.
 */
START_TEST(test_torn_entry)
{
    unsigned torn = 0, old = 0, new = 0;

    for (unsigned reads = 0; reads < 12; reads++) {
        vtd_reset(u.vtd);
        unit_scalable(&u, 1);
        /* The old entry has no second stage, the new one no first stage, in another domain. */
        unit_put(&u, UNIT_PASID_ENTRY, 1 << 6 | 1);
        unit_put(&u, UNIT_SECOND + 0x3000 + 8, 0x80003);
        start_read(0x1000);
        run_for(reads);
        unit_put(&u, UNIT_PASID_ENTRY, UNIT_SECOND | 2 << 6 | 2 << 2 | 1);
        unit_put(&u, UNIT_PASID_ENTRY + 8, 8);
        unit_put(&u, UNIT_PASID_ENTRY + 16, 0);
        run_for(40);
        if (u.status == IOMMU_FAULTED)
            torn++;
        else if (u.out == 0x41000)
            old++;
        else
            new += u.out == 0x80000;
        unit_reason(&u);
    }
    ck_assert_uint_eq(torn + old + new, 12);
    /* Root, context (two pieces), directory: four reads; the fifth has the first 16 bytes. */
    ck_assert_uint_eq(new, 5);
    ck_assert_uint_eq(torn, 1); /* the sixth has the pointer to the first stage */
    ck_assert_uint_eq(old, 6);
}
END_TEST

/* Entries of 16 bytes come in one piece: whenever they change, they are seen old or new. */
START_TEST(test_whole_entry)
{
    for (unsigned reads = 0; reads < 8; reads++) {
        vtd_reset(u.vtd);
        memset(u.ram, 0, sizeof(u.ram));
        unit_legacy(&u);
        start_read(0x1000);
        run_for(reads);
        unit_put(&u, UNIT_LEGACY_ENTRY, 2 << 2 | 1); /* pass-through */
        unit_put(&u, UNIT_LEGACY_ENTRY + 8, 9 << 8 | 2);
        run_for(20);
        ck_assert_int_eq(u.status, IOMMU_TRANSLATED_OK);
        ck_assert_uint_eq(u.out, reads < 2 ? 0x1000 : 0x41000);
    }
}
END_TEST

/* A descriptor of 32 bytes, too: the driver moves the tail before it has written all of it. */
START_TEST(test_torn_descriptor)
{
    unit_scalable(&u, 1);
    unit_queue_on(&u);
    run_for(1);
    memset(u.ram + UNIT_QUEUE, 0, 32);
    unit_put(&u, UNIT_QUEUE, 5 | 1 << 5 | 0x77ULL << 32);
    unit_put(&u, UNIT_QUEUE + 8, 0xf000);
    unit_put(&u, UNIT_QUEUE + 16, 1); /* reserved: left over from before */
    vtd_write(u.vtd, 0x88, 8, 32);
    run_for(1);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x80, 8), 0);
    unit_put(&u, UNIT_QUEUE + 16, 0);
    run_for(1);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x80, 8), 32);
    ck_assert_uint_eq(unit_get(&u, 0xf000) & 0xffffffff, 0x77);
    /* One piece later it would have been read. */
    unit_put(&u, UNIT_QUEUE + 32, 5);
    unit_put(&u, UNIT_QUEUE + 48, 1);
    vtd_write(u.vtd, 0x88, 8, 64);
    run_for(2);
    unit_put(&u, UNIT_QUEUE + 48, 0);
    run_for(2);
    ck_assert_uint_eq(vtd_read(u.vtd, 0xb0, 8), 4);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x80, 8), 32);
}
END_TEST

/* A wait and the command bits of the registers end when what was under way has been answered. */
START_TEST(test_invalidations_drain)
{
    unit_legacy(&u);
    unit_queue_on(&u);
    run_for(1);
    start_read(0x1000); /* six reads */
    unit_queue(&u, 2 | 1 << 4, 0);
    unit_queue(&u, 5 | 1 << 5 | 0x55ULL << 32, 0xf000);
    run_for(5);
    ck_assert_int_eq(u.status, IOMMU_ABANDONED);
    ck_assert_uint_eq(unit_get(&u, 0xf000), 0);
    run_for(1);
    ck_assert_int_eq(u.status, IOMMU_TRANSLATED_OK);
    ck_assert_uint_eq(unit_get(&u, 0xf000), 0x55);
    start_read(0x2000);
    vtd_write(u.vtd, 0x108, 8, BIT(63) | 1ULL << 60);
    ck_assert(vtd_read(u.vtd, 0x108, 8) & BIT(63));
    run_for(6);
    ck_assert_int_eq(u.status, IOMMU_TRANSLATED_OK);
    ck_assert(!(vtd_read(u.vtd, 0x108, 8) & BIT(63)));
}
END_TEST

/* So do the status bits of translation, of its root table and of interrupt remapping. */
START_TEST(test_commands_drain)
{
    unit_legacy(&u);
    ck_assert_uint_eq(status(), BIT(31) | BIT(30));
    start_read(0x1000);
    command(0);
    ck_assert_uint_eq(status(), BIT(31) | BIT(30)); /* not yet */
    command(BIT(30));                               /* a second command meanwhile */
    ck_assert_uint_eq(status(), BIT(31));
    run_for(5);
    ck_assert_uint_eq(status(), BIT(31));
    ck_assert_int_eq(u.status, IOMMU_ABANDONED);
    run_for(1);
    ck_assert_uint_eq(status(), BIT(30));
    ck_assert_uint_eq(u.out, 0x41000); /* as it began: translated */
    ck_assert(unit_read(&u, 0x1000));
    ck_assert_uint_eq(u.out, 0x1000);
    command(BIT(31));
    ck_assert_uint_eq(status(), BIT(31) | BIT(30));
}
END_TEST

START_TEST(test_interrupts_drain)
{
    const struct iommu_access access = {
        .addr = 0xfee00010 | 3 << 5, .sid = UNIT_SID, .want = PT_PERM_WRITE, .interrupt = true};

    vtd_write(u.vtd, 0xb8, 8, UNIT_IRT | 3);
    command(BIT(24));
    command(BIT(25));
    unit_put(&u, UNIT_IRT + 48, 1 | 0x31 << 16);
    u.status = IOMMU_ABANDONED;
    unit_access(&u, &access);
    vtd_write(u.vtd, 0xb8, 8, 0x9000 | 3);
    command(BIT(25) | BIT(24));
    ck_assert_uint_eq(status(), BIT(25));
    command(0);
    run_for(1);
    ck_assert_int_eq(u.status, IOMMU_TRANSLATED_OK);
    ck_assert_uint_eq(u.interrupt.vector, 0x31);
    ck_assert_uint_eq(status(), BIT(24));
}
END_TEST

/* Set Root Table Pointer with another mode while a request reads the old tables. */
START_TEST(test_mode_change)
{
    unit_legacy(&u);
    unit_put(&u, UNIT_SECOND + 0x3000 + 8, 0); /* its fault is legacy mode's */
    start_read(0x1000);
    run_for(1);
    vtd_write(u.vtd, 0x20, 8, UNIT_ROOT | BIT(10));
    command(BIT(31) | BIT(30));
    run_for(10);
    ck_assert_int_eq(u.status, IOMMU_FAULTED);
    ck_assert_uint_eq(unit_reason(&u), 6);
}
END_TEST

START_TEST(test_protection_drains)
{
    unit_legacy(&u);
    unit_put(&u, UNIT_LEGACY_ENTRY, 2 << 2 | 1);
    vtd_write(u.vtd, 0x68, 4, 0x200000);
    vtd_write(u.vtd, 0x6c, 4, 0x200000);
    start_read(0x5000);
    vtd_write(u.vtd, 0x64, 4, BIT(31));
    ck_assert_uint_eq(vtd_read(u.vtd, 0x64, 4), BIT(31));
    run_for(2);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x64, 4), BIT(31) | 1);
    vtd_write(u.vtd, 0x28, 8, BIT(63) | 1ULL << 61);
    start_read(0x5000);
    vtd_write(u.vtd, 0x64, 4, 0);
    vtd_write(u.vtd, 0x64, 4, BIT(31)); /* changes of mind */
    vtd_write(u.vtd, 0x64, 4, 0);
    run_for(2);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x64, 4), 0);
}
END_TEST

/* A reset amid everything. */
START_TEST(test_reset)
{
    unit_scalable(&u, 1);
    unit_queue_on(&u);
    start_read(0x1000);
    command(BIT(30));
    vtd_write(u.vtd, 0x64, 4, BIT(31));
    unit_queue(&u, 5 | 1 << 5, 0xf000);
    run_for(1);
    vtd_reset(u.vtd);
    ck_assert_int_eq(u.status, IOMMU_ABANDONED);
    run_for(50);
    ck_assert_uint_eq(status(), 0);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x64, 4), 0);
    ck_assert(unit_read(&u, 0x1234));
    ck_assert_uint_eq(u.out, 0x1234);
    unit_scalable(&u, 1);
    unit_queue_on(&u);
    unit_queue(&u, 5 | 1 << 5 | 0x99ULL << 32, 0xf000);
    run_for(4);
    ck_assert_uint_eq(unit_get(&u, 0xf000) & 0xff, 0x99);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("iommu vtd time");
    TCase *tc = tcase_create("time");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_torn_entry);
    tcase_add_test(tc, test_whole_entry);
    tcase_add_test(tc, test_torn_descriptor);
    tcase_add_test(tc, test_invalidations_drain);
    tcase_add_test(tc, test_commands_drain);
    tcase_add_test(tc, test_interrupts_drain);
    tcase_add_test(tc, test_mode_change);
    tcase_add_test(tc, test_protection_drains);
    tcase_add_test(tc, test_reset);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
