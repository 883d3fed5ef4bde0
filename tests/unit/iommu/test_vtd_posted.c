/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VT-d face: posted interrupts and protected memory regions. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define PID 0xc040u /* a descriptor */

static struct unit u;

static void setup(void)
{
    unit_open(&u, &unit_all);
}

static void teardown(void)
{
    unit_close(&u);
}

static void remapping_on(bool extended)
{
    vtd_write(u.vtd, 0xb8, 8, UNIT_IRT | (extended ? BIT(11) : 0) | 3);
    vtd_write(u.vtd, 0x18, 4, BIT(24));
    vtd_write(u.vtd, 0x18, 4, BIT(25));
    unit_queue_on(&u);
}

/* Entry 3 in posted format. */
static void post_to(uint64_t pid, unsigned vector, uint64_t low, uint64_t high)
{
    unit_put(&u, UNIT_IRT + 48, 1 | BIT(15) | vector << 16 | (pid >> 6 & 0x3ffffff) << 38 | low);
    unit_put(&u, UNIT_IRT + 56, pid >> 32 << 32 | high);
    unit_queue(&u, 4, 0);
}

static bool interrupt(void)
{
    return unit_access(&u, &(struct iommu_access){.addr = 0xfee00010 | 3 << 5,
                                                  .sid = UNIT_SID,
                                                  .want = PT_PERM_WRITE,
                                                  .interrupt = true});
}

static void put_control(uint64_t control)
{
    memset(u.ram + PID, 0, 64);
    unit_put(&u, PID + 32, control);
}

static void faults(unsigned reason)
{
    uint64_t low, high;

    ck_assert(!interrupt());
    high = unit_fault(&u, &low);
    ck_assert_uint_eq(high >> 32 & 0xff, reason);
    ck_assert_uint_eq(high & 0xffff, UNIT_SID);
    ck_assert_uint_eq(low >> 48, 3);
}

#define CONTROL(nv, ndst) ((uint64_t)(nv) << 16 | (uint64_t)(ndst) << 32)

START_TEST(test_post)
{
    ck_assert(vtd_read(u.vtd, 0x08, 8) & BIT(59));
    remapping_on(true);
    put_control(CONTROL(0xf2, 0x12345));
    post_to(PID, 0x81, 0, 0);
    ck_assert(interrupt());
    ck_assert(!u.interrupt.silent && u.interrupt.wide && !u.interrupt.logical);
    ck_assert_uint_eq(u.interrupt.dest, 0x12345);
    ck_assert_uint_eq(u.interrupt.vector, 0xf2);
    ck_assert_uint_eq(u.interrupt.mode, 0);
    ck_assert_uint_eq(unit_get(&u, PID + 16), BIT(0x81 - 0x80));
    ck_assert_uint_eq(unit_get(&u, PID + 32), CONTROL(0xf2, 0x12345) | 1);
    /* One is outstanding: further ones are only noted. */
    post_to(PID, 0x31, 0, 0);
    ck_assert(interrupt());
    ck_assert(u.interrupt.silent);
    ck_assert_uint_eq(unit_get(&u, PID), BIT(0x31));
    /* The processor has taken them. */
    put_control(CONTROL(0xf2, 1));
    ck_assert(interrupt());
    ck_assert(!u.interrupt.silent);
}
END_TEST

START_TEST(test_suppressed)
{
    remapping_on(true);
    put_control(CONTROL(0xf2, 1) | 2);
    post_to(PID, 0xff, 0, 0);
    ck_assert(interrupt());
    ck_assert(u.interrupt.silent);
    ck_assert_uint_eq(unit_get(&u, PID + 24), BIT(63));
    ck_assert_uint_eq(unit_get(&u, PID + 32), CONTROL(0xf2, 1) | 2); /* ON stays clear */
    /* Urgent ones do not care; an outstanding one still does. */
    post_to(PID, 0xff, BIT(14), 0);
    ck_assert(interrupt());
    ck_assert(!u.interrupt.silent);
    ck_assert_uint_eq(unit_get(&u, PID + 32), CONTROL(0xf2, 1) | 3);
    ck_assert(interrupt());
    ck_assert(u.interrupt.silent);
}
END_TEST

START_TEST(test_xapic)
{
    remapping_on(false);
    put_control(CONTROL(0x40, 0x500));
    post_to(PID, 0, 0, 0);
    ck_assert(interrupt());
    ck_assert_uint_eq(u.interrupt.dest, 5);
    ck_assert(!u.interrupt.wide);
    put_control(CONTROL(0x40, 0x10500));
    faults(0x28);
}
END_TEST

START_TEST(test_post_faults)
{
    static const uint64_t reserved[] = {BIT(2), BIT(15), BIT(24), BIT(31)};

    remapping_on(true);
    post_to(0x300000000040ULL, 1, 0, 0); /* not in memory */
    faults(0x27);
    for (unsigned i = 0; i < ARRAY_LEN(reserved); i++) {
        put_control(reserved[i]);
        post_to(PID, 1, 0, 0);
        faults(0x28);
        ck_assert_uint_eq(unit_get(&u, PID), 0);
    }
    put_control(0);
    unit_put(&u, PID + 56, BIT(63));
    faults(0x28);
    put_control(0);
    post_to(PID, 1, BIT(2), 0);
    faults(0x24);
    post_to(PID, 1, BIT(37), 0);
    faults(0x24);
    post_to(PID, 1, 0, BIT(20));
    faults(0x24);
    post_to(PID, 1, 0, 1 << 18 | (UNIT_SID ^ 8));
    faults(0x26);
    ck_assert_uint_eq(unit_get(&u, PID), 0);
    post_to(PID, 1, 0, 1 << 18 | UNIT_SID);
    ck_assert(interrupt());
    /* Nobody wants to know. */
    post_to(0x300000000040ULL, 1, 2, 0);
    ck_assert(!interrupt());
    ck_assert_uint_eq(unit_reason(&u), 0);
}
END_TEST

START_TEST(test_no_posting)
{
    struct vtd_features features = unit_all;

    features.posted = false;
    unit_close(&u);
    unit_open(&u, &features);
    ck_assert(!(vtd_read(u.vtd, 0x08, 8) & BIT(59)));
    remapping_on(true);
    post_to(PID, 1, 0, 0);
    faults(0x24);
}
END_TEST

static void protect(bool on)
{
    vtd_write(u.vtd, 0x64, 4, on ? BIT(31) : 0);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x64, 4), on ? BIT(31) | 1 : 0);
}

START_TEST(test_protected)
{
    ck_assert_uint_eq(vtd_read(u.vtd, 0x08, 8) >> 5 & 3, 3);
    for (unsigned reg = 0x68; reg <= 0x6c; reg += 4) {
        vtd_write(u.vtd, reg, 4, 0xffffffff);
        ck_assert_uint_eq(vtd_read(u.vtd, reg, 4), 0xffe00000);
    }
    vtd_write(u.vtd, 0x70, 8, ~0ULL);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x70, 8), 0x3fffffe00000ULL);
    vtd_write(u.vtd, 0x68, 4, 0x400000);
    vtd_write(u.vtd, 0x6c, 4, 0x600000);
    vtd_write(u.vtd, 0x70, 8, 0x100000000ULL);
    vtd_write(u.vtd, 0x78, 8, 0x100000000ULL);
    ck_assert(unit_read(&u, 0x400000));
    protect(true);
    ck_assert(unit_read(&u, 0x3fffff) && unit_read(&u, 0x800000));
    ck_assert(!unit_read(&u, 0x400000) && !unit_write(&u, 0x7fffff));
    ck_assert(!unit_read(&u, 0x1001ff000ULL) && unit_read(&u, 0x100200000ULL));
    ck_assert(unit_read(&u, 0xfffff000));
    ck_assert_uint_eq(vtd_read(u.vtd, 0x34, 4), 0); /* no fault */
    protect(false);
    ck_assert(unit_read(&u, 0x400000));
}
END_TEST

/* With translation on: pass-through is blocked, page tables lead there. */
START_TEST(test_protected_translation)
{
    vtd_write(u.vtd, 0x68, 4, 0x400000);
    vtd_write(u.vtd, 0x6c, 4, 0x400000);
    vtd_write(u.vtd, 0x70, 8, 0x200000);
    vtd_write(u.vtd, 0x78, 8, 0); /* none */
    protect(true);
    unit_scalable(&u, 4);
    ck_assert(!unit_read(&u, 0x400000) && !unit_read(&u, 0x400000));
    ck_assert(unit_read(&u, 0x600000) && unit_read(&u, 0x200000));
    vtd_reset(u.vtd);
    vtd_write(u.vtd, 0x68, 4, 0x400000);
    vtd_write(u.vtd, 0x6c, 4, 0x400000);
    protect(true);
    unit_legacy(&u);
    unit_put(&u, UNIT_SECOND + 0x3000 + 8, 0x400003);
    ck_assert(unit_read(&u, 0x1000));
    ck_assert_uint_eq(u.out, 0x400000);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x34, 4), 0);
}
END_TEST

START_TEST(test_unprotected)
{
    struct vtd_features features = unit_all;

    features.protected_memory = false;
    unit_close(&u);
    unit_open(&u, &features);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x08, 8) >> 5 & 3, 0);
    for (unsigned reg = 0x64; reg <= 0x7c; reg += 4) {
        vtd_write(u.vtd, reg, 4, 0xffffffff);
        ck_assert_uint_eq(vtd_read(u.vtd, reg, 4), 0);
    }
    ck_assert(unit_read(&u, 0x400000));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("iommu vtd posted");
    TCase *tc = tcase_create("posted");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_post);
    tcase_add_test(tc, test_suppressed);
    tcase_add_test(tc, test_xapic);
    tcase_add_test(tc, test_post_faults);
    tcase_add_test(tc, test_no_posting);
    tcase_add_test(tc, test_protected);
    tcase_add_test(tc, test_protected_translation);
    tcase_add_test(tc, test_unprotected);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
