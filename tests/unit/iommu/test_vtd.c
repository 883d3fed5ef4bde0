/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VT-d face: modes, every fault reason that tables can produce, invalidation, interrupts. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static struct unit u;

static void setup(void)
{
    unit_open(&u, &unit_all);
}

static void teardown(void)
{
    unit_close(&u);
}

START_TEST(test_off)
{
    ck_assert(unit_read(&u, 0x12345));
    ck_assert_uint_eq(u.out, 0x12345);
    ck_assert_uint_eq(unit_reason(&u), 0);
}
END_TEST

START_TEST(test_modes)
{
    unit_legacy(&u);
    ck_assert(unit_read(&u, 0x1234));
    ck_assert_uint_eq(u.out, 0x41234);
    /* Pass-through. */
    unit_put(&u, UNIT_LEGACY_ENTRY, 1 | 2 << 2);
    vtd_write(u.vtd, 0x28, 8, BIT(63) | 1ULL << 61);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x28, 8) >> 59, 1 << 2 | 1);
    ck_assert(unit_write(&u, 0x5678));
    ck_assert_uint_eq(u.out, 0x5678);
    for (unsigned pgtt = 1; pgtt <= 4; pgtt++) {
        vtd_reset(u.vtd);
        unit_scalable(&u, pgtt);
        if (pgtt == 3) { /* the guest's pages 0x20 to 0x23 and 0x40 upwards */
            for (unsigned i = 0; i < 4; i++)
                unit_put(&u, UNIT_SECOND + 0x3000 + 8 * (0x20 + i), UNIT_FIRST + i * 0x1000 + 3);
            unit_put(&u, UNIT_SECOND + 0x3000 + 8 * 0x41, 0x77003);
        }
        ck_assert(unit_write(&u, 0x1234));
        ck_assert_uint_eq(u.out, pgtt == 3 ? 0x77234 : pgtt == 4 ? 0x1234 : 0x41234);
        ck_assert_uint_eq(unit_reason(&u), 0);
    }
}
END_TEST

/* One quadword of the tables is wrong, and the fault says which. */
struct wrong {
    uint64_t where, value;
    uint64_t addr; /* that is accessed */
    bool write;
    unsigned reason;
};

static void check_wrong(const struct wrong *wrong, unsigned pgtt)
{
    uint64_t low, high;

    vtd_reset(u.vtd);
    memset(u.ram, 0, sizeof(u.ram));
    if (pgtt)
        unit_scalable(&u, pgtt);
    else
        unit_legacy(&u);
    if (pgtt == 3) {
        for (unsigned i = 0; i < 4; i++)
            unit_put(&u, UNIT_SECOND + 0x3000 + 8 * (0x20 + i), UNIT_FIRST + i * 0x1000 + 3);
    }
    unit_put(&u, wrong->where, wrong->value);
    ck_assert(!(wrong->write ? unit_write(&u, wrong->addr) : unit_read(&u, wrong->addr)));
    high = unit_fault(&u, &low);
    ck_assert_msg((high >> 32 & 0xff) == wrong->reason, "0x%llx at 0x%llx: reason 0x%llx, not 0x%x",
                  (unsigned long long)wrong->value, (unsigned long long)wrong->where,
                  (unsigned long long)(high >> 32 & 0xff), wrong->reason);
    ck_assert_uint_eq(high & 0xffff, UNIT_SID);
    ck_assert_uint_eq(high >> 62 & 1, !wrong->write);
    ck_assert_uint_eq(low, wrong->addr & ~0xfffULL);
}

#define SS(level) (UNIT_SECOND + (4 - (level)) * 0x1000)
#define FS(level) (UNIT_FIRST + (4 - (level)) * 0x1000)
#define NOWHERE   0x300000000000ULL /* in the width, not in memory */

START_TEST(test_legacy_faults)
{
    static const struct wrong wrongs[] = {
        {UNIT_ROOT_ENTRY, 0x2000, 0x1000, false, 0x01},
        {UNIT_LEGACY_ENTRY, UNIT_SECOND, 0x1000, false, 0x02},
        {UNIT_LEGACY_ENTRY + 8, 7 << 8 | 4, 0x1000, false, 0x03},
        {UNIT_LEGACY_ENTRY, UNIT_SECOND | 1 | 3 << 2, 0x1000, false, 0x03},
        {UNIT_LEGACY_ENTRY, UNIT_SECOND | 1 | 1 << 2, 0x1000, false, 0x03},
        {UNIT_LEGACY_ENTRY, NOWHERE | 1, 0x1000, false, 0x03},
        {0x9000, 0, 1ULL << 48, false, 0x04},
        {SS(1), 0x40001, 0x0, true, 0x05},
        {SS(1), 0x40000, 0x0, true, 0x05},
        {SS(2), SS(1) | 1, 0x0, true, 0x05},
        {SS(1), 0x40002, 0x0, false, 0x06},
        {SS(1), 0, 0x0, false, 0x06},
        {SS(2), NOWHERE | 3, 0x0, false, 0x07},
        {UNIT_ROOT_ENTRY, NOWHERE | 1, 0x1000, false, 0x09},
        {UNIT_ROOT_ENTRY, 0x2003, 0x1000, false, 0x0a},
        {UNIT_ROOT_ENTRY + 8, 1, 0x1000, false, 0x0a},
        {UNIT_LEGACY_ENTRY, UNIT_SECOND | 1 | 0x10, 0x1000, false, 0x0b},
        {UNIT_LEGACY_ENTRY + 8, 7 << 8 | 2 | 1ULL << 30, 0x1000, false, 0x0b},
        {SS(4), SS(3) | 3 | 0x80, 0x0, false, 0x0c},
        {SS(2), SS(1) | 3 | 0x800, 0x0, false, 0x0c},
        {SS(1), 1ULL << 46 | 3, 0x0, false, 0x0c},
        {SS(1), 0xfee00003, 0x0, true, 0x0e},
    };

    for (unsigned i = 0; i < ARRAY_LEN(wrongs); i++)
        check_wrong(&wrongs[i], 0);
}
END_TEST

START_TEST(test_scalable_faults)
{
    static const struct {
        unsigned pgtt;
        struct wrong wrong;
    } wrongs[] = {
        {1, {UNIT_ROOT_ENTRY, 0x3000, 0x1000, false, 0x39}},
        {1, {UNIT_ROOT_ENTRY, 0x3003, 0x1000, false, 0x3a}},
        {1, {UNIT_ROOT_ENTRY, NOWHERE | 1, 0x1000, false, 0x40}},
        {1, {UNIT_CONTEXT_ENTRY, UNIT_DIRECTORY, 0x1000, false, 0x41}},
        {1, {UNIT_CONTEXT_ENTRY + 16, 1, 0x1000, false, 0x42}},
        {1, {UNIT_CONTEXT_ENTRY + 8, 0x2000, 0x1000, false, 0x48}},
        {1, {UNIT_CONTEXT_ENTRY, NOWHERE | 1, 0x1000, false, 0x50}},
        {1, {UNIT_DIRECTORY, 0x5000, 0x1000, false, 0x51}},
        {1, {UNIT_DIRECTORY, 0x5005, 0x1000, false, 0x52}},
        {1, {UNIT_DIRECTORY, NOWHERE | 1, 0x1000, false, 0x58}},
        {1, {UNIT_PASID_ENTRY, 1 << 6, 0x1000, false, 0x59}},
        {1, {UNIT_PASID_ENTRY + 8, 7 | 1 << 16, 0x1000, false, 0x5a}},
        {1, {UNIT_PASID_ENTRY + 56, 1, 0x1000, false, 0x5a}},
        {1, {UNIT_PASID_ENTRY, 5 << 6 | 1, 0x1000, false, 0x5b}},
        {2, {UNIT_PASID_ENTRY, UNIT_SECOND | 2 << 6 | 1, 0x1000, false, 0x5b}},
        {1, {UNIT_PASID_ENTRY + 16, UNIT_FIRST | 2 << 2, 0x1000, false, 0x5b}},
        {1, {FS(2), NOWHERE | 7, 0x0, false, 0x70}},
        {1, {FS(1), 0x40006, 0x0, false, 0x71}},
        {1, {FS(4), FS(3) | 0x87, 0x0, false, 0x72}},
        {1, {UNIT_PASID_ENTRY + 16, NOWHERE, 0x0, false, 0x73}},
        {1, {0x9000, 0, 1ULL << 47, false, 0x80}},
        {1, {FS(1), 0x40003, 0x0, false, 0x81}},
        {1, {FS(1), 0x40005, 0x0, true, 0x85}},
        {1, {FS(1), 0xfee00007, 0x0, true, 0x87}},
        {1, {UNIT_PASID_ENTRY + 8, 7, 0x0, false, 0x90}}, /* no PWSNP: no accessed bit is set */
        {2, {SS(2), NOWHERE | 3, 0x0, false, 0x78}},
        {2, {SS(1), 0, 0x0, false, 0x79}},
        {2, {SS(3), SS(2) | 3 | 1ULL << 62, 0x0, false, 0x7a}},
        {2, {UNIT_PASID_ENTRY, NOWHERE | 2 << 6 | 2 << 2 | 1, 0x0, false, 0x7b}},
        {2, {0x9000, 0, 1ULL << 48, false, 0x84}},
        {2, {SS(1), 0x40001, 0x0, true, 0x85}},
        {2, {SS(1), 0x40002, 0x0, false, 0x86}},
        {2, {SS(1), 0xfee00003, 0x0, true, 0x87}},
        {3, {FS(3), 1ULL << 50 | 7, 0x0, false, 0x74}},
        {3, {SS(1) + 8 * 0x20, UNIT_FIRST | 2, 0x0, false, 0x75}},
        {3, {SS(1) + 8 * 0x21, (UNIT_FIRST + 0x1000) | 2, 0x0, false, 0x76}},
        {3, {SS(1) + 8 * 0x22, (UNIT_FIRST + 0x2000) | 1, 0x1000, false, 0x77}},
        {3, {SS(1) + 8 * 0x21, 0, 0x0, false, 0x79}},
        {4, {0x9000, 0, 1ULL << 46, false, 0x83}},
    };

    for (unsigned i = 0; i < ARRAY_LEN(wrongs); i++)
        check_wrong(&wrongs[i].wrong, wrongs[i].pgtt);
}
END_TEST

/* Without PWSNP bits that are set already are no matter; those of the second stage neither, when
 * the entry does not ask for them. */
START_TEST(test_no_page_walk_snoop)
{
    unit_scalable(&u, 1);
    unit_put(&u, UNIT_PASID_ENTRY + 8, 7);
    for (unsigned level = 1; level <= 4; level++)
        unit_put(&u, FS(level), unit_get(&u, FS(level)) | 0x20);
    ck_assert(unit_read(&u, 0x0));
    ck_assert(!unit_write(&u, 0x0)); /* not dirty */
    ck_assert_uint_eq(unit_reason(&u), 0x90);
    ck_assert_uint_eq(unit_get(&u, FS(1)) & 0x40, 0);
    vtd_reset(u.vtd);
    unit_scalable(&u, 2);
    unit_put(&u, UNIT_PASID_ENTRY + 8, 7);
    ck_assert(unit_write(&u, 0x0));
    vtd_reset(u.vtd);
    unit_scalable(&u, 2);
    unit_put(&u, UNIT_PASID_ENTRY + 8, 7);
    unit_put(&u, UNIT_PASID_ENTRY, UNIT_SECOND | BIT(9) | 2 << 6 | 2 << 2 | 1);
    ck_assert(!unit_write(&u, 0x0));
    ck_assert_uint_eq(unit_reason(&u), 0x7c);
}
END_TEST

static void access_faults(const struct iommu_access *access, unsigned reason)
{
    ck_assert(!unit_access(&u, access));
    ck_assert_uint_eq(unit_reason(&u), reason);
}

/* What an access may be depends on the tables, also when those are cached. */
START_TEST(test_admission)
{
    struct iommu_access access = {.addr = 0x1000, .sid = UNIT_SID, .want = PT_PERM_READ};

    for (unsigned warm = 0; warm < 2; warm++) {
        unit_legacy(&u);
        if (warm)
            unit_read(&u, 0x1000);
        access.at = IOMMU_TRANSLATED;
        access_faults(&access, 0x0d);
        access.at = IOMMU_UNTRANSLATED;
        access.has_pasid = true;
        access_faults(&access, 0x31);
        vtd_reset(u.vtd);
        unit_scalable(&u, 1);
        if (warm)
            unit_read(&u, 0x1000);
        ck_assert(unit_access(&u, &access));
        access.pasid = 0x2000;
        access_faults(&access, 0x46);
        access.pasid = 1;
        access_faults(&access, 0x59);
        access.pasid = 0;
        access.want |= PT_PERM_EXEC;
        access_faults(&access, 0x5c);
        access.want = PT_PERM_READ;
        access.privileged = true;
        access_faults(&access, 0x5d);
        access.privileged = false;
        vtd_reset(u.vtd);
        unit_scalable(&u, 1);
        unit_put(&u, UNIT_CONTEXT_ENTRY, UNIT_DIRECTORY | 1);
        access_faults(&access, 0x45);
        access.has_pasid = false;
        access.at = IOMMU_TRANSLATION_REQUEST;
        access_faults(&access, 0x44);
        access.at = IOMMU_UNTRANSLATED;
        vtd_reset(u.vtd);
    }
    /* Abort mode, and root tables that are nowhere. */
    vtd_write(u.vtd, 0x20, 8, 3 << 10);
    vtd_write(u.vtd, 0x18, 4, BIT(30) | BIT(31));
    access_faults(&access, 0x30);
    vtd_write(u.vtd, 0x20, 8, NOWHERE);
    vtd_write(u.vtd, 0x18, 4, BIT(30) | BIT(31));
    access_faults(&access, 0x08);
    vtd_write(u.vtd, 0x20, 8, NOWHERE | 1 << 10);
    vtd_write(u.vtd, 0x18, 4, BIT(30) | BIT(31));
    access_faults(&access, 0x38);
}
END_TEST

START_TEST(test_fault_disable)
{
    unit_legacy(&u);
    unit_put(&u, UNIT_LEGACY_ENTRY, UNIT_SECOND | 3);
    ck_assert(!unit_read(&u, 0x100000));
    ck_assert_uint_eq(vtd_read(u.vtd, 0x34, 4), 0);
    ck_assert(!unit_read(&u, 0x100000)); /* now from the cache */
    ck_assert_uint_eq(vtd_read(u.vtd, 0x34, 4), 0);
}
END_TEST

/* Eight records, then overflow; one event until all is cleared; masked ones wait. */
START_TEST(test_records)
{
    unit_legacy(&u);
    vtd_write(u.vtd, 0x3c, 4, 0x41);
    vtd_write(u.vtd, 0x40, 4, 0xfee01000);
    ck_assert(!unit_read(&u, 0x100000));
    ck_assert_uint_eq(u.events, 0);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x38, 4), BIT(31) | BIT(30));
    vtd_write(u.vtd, 0x38, 4, 0);
    ck_assert_uint_eq(u.events, 1);
    ck_assert_uint_eq(u.event_addr, 0xfee01000);
    ck_assert_uint_eq(u.event_data, 0x41);
    for (unsigned i = 1; i < 8; i++)
        unit_read(&u, 0x100000 + i * 0x1000);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x34, 4), 2);
    unit_read(&u, 0x1ff000);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x34, 4), 3);
    ck_assert_uint_eq(u.events, 1);
    for (unsigned i = 0; i < 8; i++) {
        ck_assert_uint_eq(vtd_read(u.vtd, 0x200 + i * 16, 8), 0x100000 + i * 0x1000);
        vtd_write(u.vtd, 0x20c + i * 16, 4, BIT(31));
    }
    ck_assert_uint_eq(vtd_read(u.vtd, 0x34, 4) & 3, 1);
    unit_read(&u, 0x1fe000); /* lost: the overflow stands */
    ck_assert_uint_eq(vtd_read(u.vtd, 0x34, 4) & 3, 1);
    vtd_write(u.vtd, 0x34, 4, 1);
    unit_read(&u, 0x1fd000);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x34, 4) & 3, 2);
    ck_assert_uint_eq(u.events, 2);
}
END_TEST

#define WAIT_STATUS 0xf000u

static void wait_for(uint32_t value)
{
    unit_queue(&u, (uint64_t)value << 32 | 5 | 1 << 5, WAIT_STATUS);
}

START_TEST(test_queue)
{
    unit_legacy(&u);
    ck_assert(unit_read(&u, 0x1000) && unit_read(&u, 0x2000));
    unit_put(&u, SS(1) + 8, 0x80003);
    unit_put(&u, SS(1) + 16, 0x81003);
    unit_queue_on(&u);
    unit_queue(&u, 2 | 3 << 4 | 7 << 16, 0x1000);
    wait_for(0xabcd);
    ck_assert_uint_eq(unit_get(&u, WAIT_STATUS), 0xabcd);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x80, 8), u.tail);
    ck_assert(unit_read(&u, 0x1000));
    ck_assert_uint_eq(u.out, 0x80000);
    ck_assert(unit_read(&u, 0x2000));
    ck_assert_uint_eq(u.out, 0x42000);
    unit_queue(&u, 2 | 2 << 4 | 7 << 16, 0);
    ck_assert(unit_read(&u, 0x2000));
    ck_assert_uint_eq(u.out, 0x81000);
    /* The context entry is cached by itself. */
    unit_put(&u, UNIT_LEGACY_ENTRY, 0);
    ck_assert(unit_read(&u, 0x2000));
    unit_queue(&u, 1 | 3 << 4 | 7 << 16 | (uint64_t)0x0112 << 32, 0);
    ck_assert(unit_read(&u, 0x2000));
    unit_queue(&u, 1 | 3 << 4 | 7 << 16 | (uint64_t)0x0112 << 32 | 3ULL << 48, 0);
    ck_assert(!unit_read(&u, 0x2000));
    ck_assert_uint_eq(unit_reason(&u), 2);
    /* A wait with an interrupt. */
    vtd_write(u.vtd, 0xa4, 4, 0x55);
    vtd_write(u.vtd, 0xa0, 4, 0);
    unit_queue(&u, 5 | 1 << 4, 0);
    ck_assert_uint_eq(u.event_data, 0x55);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x9c, 4), 1);
    vtd_write(u.vtd, 0x9c, 4, 1);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x9c, 4), 0);
}
END_TEST

START_TEST(test_queue_pasids)
{
    struct iommu_access access = {.addr = 0x1000, .sid = UNIT_SID, .want = PT_PERM_READ};

    unit_scalable(&u, 1);
    unit_queue_on(&u);
    ck_assert(unit_access(&u, &access));
    unit_put(&u, FS(1) + 8, 0x80007);
    unit_queue(&u, 6 | 3 << 4 | 8 << 16, 0x1000);              /* another domain */
    unit_queue(&u, 6 | 3 << 4 | 7 << 16 | 1ULL << 32, 0x1000); /* another PASID */
    unit_queue(&u, 6 | 3 << 4 | 7 << 16, 0x2000);              /* another page */
    ck_assert(unit_access(&u, &access));
    ck_assert_uint_eq(u.out, 0x41000);
    unit_queue(&u, 6 | 3 << 4 | 7 << 16, 0x1000);
    ck_assert(unit_access(&u, &access));
    ck_assert_uint_eq(u.out, 0x80000);
    unit_put(&u, UNIT_PASID_ENTRY, 0);
    unit_queue(&u, 6 | 2 << 4 | 7 << 16, 0);
    ck_assert(unit_access(&u, &access)); /* the entry is cached */
    unit_queue(&u, 7 | 1 << 4 | 7 << 16, 0);
    access_faults(&access, 0x59);
}
END_TEST

static void queue_fails(uint64_t low, uint64_t high, unsigned why)
{
    uint64_t head = vtd_read(u.vtd, 0x80, 8);

    unit_queue(&u, low, high);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x34, 4) & 0x10, 0x10);
    ck_assert_uint_eq(vtd_read(u.vtd, 0xb0, 8), why);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x80, 8), head);
    /* Repaired, it goes on. */
    memset(u.ram + UNIT_QUEUE + head, 0, 32);
    unit_put(&u, UNIT_QUEUE + head, 5);
    vtd_write(u.vtd, 0x34, 4, 0x10);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x34, 4), 0);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x80, 8), u.tail);
}

START_TEST(test_queue_errors)
{
    unit_legacy(&u);
    unit_queue_on(&u);
    queue_fails(0, 0, 3);
    queue_fails(6 | 2 << 4, 0, 3); /* not in legacy mode */
    queue_fails(3, 0, 3);          /* no device TLBs */
    queue_fails(2 | 1 << 4 | 1 << 12, 0, 4);
    queue_fails(2, 0, 4);
    queue_fails(2 | 3 << 4, 60, 4);
    queue_fails(1 | 1 << 4, 1, 4);
    vtd_write(u.vtd, 0x88, 8, u.tail + 16);
    ck_assert_uint_eq(vtd_read(u.vtd, 0xb0, 8), 6);
    vtd_write(u.vtd, 0x88, 8, u.tail);
    vtd_write(u.vtd, 0x34, 4, 0x10);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x34, 4), 0);
    vtd_write(u.vtd, 0x88, 8, 4096); /* beyond the queue */
    ck_assert_uint_eq(vtd_read(u.vtd, 0xb0, 8), 1);
    vtd_write(u.vtd, 0x88, 8, u.tail);
    vtd_write(u.vtd, 0x34, 4, 0x10);
    vtd_write(u.vtd, 0x90, 8, NOWHERE | BIT(11));
    vtd_write(u.vtd, 0x88, 8, (u.tail + 32) % 4096);
    ck_assert_uint_eq(vtd_read(u.vtd, 0xb0, 8), 2);
}
END_TEST

static unsigned queue_stops_in_mode(unsigned mode, bool wide)
{
    vtd_reset(u.vtd);
    vtd_write(u.vtd, 0x20, 8, UNIT_ROOT | mode << 10);
    vtd_write(u.vtd, 0x18, 4, BIT(30));
    unit_queue_on(&u);
    vtd_write(u.vtd, 0x90, 8, UNIT_QUEUE | (wide ? BIT(11) : 0));
    unit_queue(&u, 5, 0);
    return (unsigned)vtd_read(u.vtd, 0xb0, 8);
}

/* Both widths in legacy mode and while requests are aborted, the wider one in scalable mode. */
START_TEST(test_queue_modes)
{
    ck_assert_uint_eq(queue_stops_in_mode(0, false), 0);
    ck_assert_uint_eq(queue_stops_in_mode(0, true), 0);
    ck_assert_uint_eq(queue_stops_in_mode(1, false), 5);
    ck_assert_uint_eq(queue_stops_in_mode(1, true), 0);
    ck_assert_uint_eq(queue_stops_in_mode(2, true), 7);
    ck_assert_uint_eq(queue_stops_in_mode(3, false), 0);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x34, 4), 0);
}
END_TEST

START_TEST(test_registers_invalidate)
{
    unit_legacy(&u);
    ck_assert(unit_read(&u, 0x1000));
    unit_put(&u, SS(1) + 8, 0x80003);
    vtd_write(u.vtd, 0x100, 8, 0x1000);
    vtd_write(u.vtd, 0x108, 8, BIT(63) | 3ULL << 60 | 7ULL << 32);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x108, 8) >> 57, 3 << 3 | 3);
    ck_assert(unit_read(&u, 0x1000));
    ck_assert_uint_eq(u.out, 0x80000);
}
END_TEST

/* Interrupt remapping. */

static void remapping_on(bool extended)
{
    vtd_write(u.vtd, 0xb8, 8, UNIT_IRT | (extended ? BIT(11) : 0) | 3); /* 16 entries */
    vtd_write(u.vtd, 0x18, 4, BIT(24));
    vtd_write(u.vtd, 0x18, 4, BIT(25));
}

static void put_irte(unsigned index, uint64_t low, uint64_t high)
{
    unit_put(&u, UNIT_IRT + index * 16, low);
    unit_put(&u, UNIT_IRT + index * 16 + 8, high);
}

static bool interrupt(uint64_t addr, uint32_t data)
{
    return unit_access(&u, &(struct iommu_access){.addr = 0xfee00000 | addr,
                                                  .data = data,
                                                  .sid = UNIT_SID,
                                                  .want = PT_PERM_WRITE,
                                                  .interrupt = true});
}

static void interrupt_faults(uint64_t addr, uint32_t data, unsigned reason, unsigned index)
{
    uint64_t low, high;

    ck_assert(!interrupt(addr, data));
    high = unit_fault(&u, &low);
    ck_assert_uint_eq(high >> 32 & 0xff, reason);
    ck_assert_uint_eq(low >> 48, index);
}

START_TEST(test_interrupts)
{
    ck_assert(interrupt(0x1000, 0x41) && u.interrupt.compatible);
    remapping_on(true);
    put_irte(3, 1 | 0x31 << 16 | 0x12345ULL << 32, 1 << 18 | UNIT_SID);
    ck_assert(interrupt(3 << 5 | 0x10, 0));
    ck_assert_uint_eq(u.interrupt.dest, 0x12345);
    ck_assert_uint_eq(u.interrupt.vector, 0x31);
    ck_assert(u.interrupt.wide && !u.interrupt.logical && !u.interrupt.level);
    /* With a subhandle; logical, level, lowest priority. */
    put_irte(5, 1 | 1 << 2 | 1 << 4 | 1 << 5 | 0x32 << 16 | 2ULL << 32, 0);
    ck_assert(interrupt(3 << 5 | 0x18, 2));
    ck_assert(u.interrupt.logical && u.interrupt.level);
    ck_assert_uint_eq(u.interrupt.mode, 1);
    interrupt_faults(3 << 5 | 0x18, 0x10000, 0x20, 0);
    interrupt_faults(16 << 5 | 0x10, 0, 0x21, 16);
    interrupt_faults(0x14, 0, 0x21, 0x8000);
    interrupt_faults(4 << 5 | 0x10, 0, 0x22, 4);
    put_irte(6, 1 | 3 << 5, 0);
    interrupt_faults(6 << 5 | 0x10, 0, 0x24, 6);
    interrupt_faults(0x1000, 0x41, 0x25, 0);
    put_irte(7, 1, 1 << 18 | (UNIT_SID ^ 1));
    interrupt_faults(7 << 5 | 0x10, 0, 0x26, 7);
    put_irte(8, 1, 1 << 18 | 3 << 16 | (UNIT_SID ^ 1)); /* any function */
    ck_assert(interrupt(8 << 5 | 0x10, 0));
    put_irte(9, 1, 2 << 18 | 0x0002); /* buses 0 to 2 */
    ck_assert(interrupt(9 << 5 | 0x10, 0));
    put_irte(10, 1, 2 << 18 | 0x0203);
    interrupt_faults(10 << 5 | 0x10, 0, 0x26, 10);
    put_irte(12, 1, 3 << 18);
    interrupt_faults(12 << 5 | 0x10, 0, 0x24, 12);
    put_irte(11, 2, 0); /* absent, and nobody wants to know */
    ck_assert(!interrupt(11 << 5 | 0x10, 0));
    ck_assert_uint_eq(unit_reason(&u), 0);
}
END_TEST

START_TEST(test_interrupt_table_nowhere)
{
    vtd_write(u.vtd, 0xb8, 8, NOWHERE | 3);
    vtd_write(u.vtd, 0x18, 4, BIT(24));
    vtd_write(u.vtd, 0x18, 4, BIT(25));
    interrupt_faults(5 << 5 | 0x10, 0, 0x23, 5);
}
END_TEST

/* What a flush of a domain reaches: every stage's translations of it, and nobody else's. */
START_TEST(test_domain_flush)
{
    for (unsigned pgtt = 1; pgtt <= 2; pgtt++) {
        vtd_reset(u.vtd);
        memset(u.ram, 0, sizeof(u.ram));
        unit_scalable(&u, pgtt);
        unit_queue_on(&u);
        ck_assert(unit_read(&u, 0x1000));
        unit_put(&u, (pgtt == 1 ? FS(1) : SS(1)) + 8, 0x80007);
        unit_queue(&u, 2 | 2 << 4 | 8 << 16, 0);
        ck_assert(unit_read(&u, 0x1000));
        ck_assert_uint_eq(u.out, 0x41000);
        unit_queue(&u, 2 | 2 << 4 | 7 << 16, 0);
        ck_assert(unit_read(&u, 0x1000));
        ck_assert_uint_eq(u.out, 0x80000);
    }
}
END_TEST

START_TEST(test_interrupt_cache)
{
    remapping_on(false);
    unit_queue_on(&u);
    put_irte(3, 1 | 0x31 << 16 | 0x300ULL << 32, 0);
    ck_assert(interrupt(3 << 5 | 0x10, 0));
    ck_assert_uint_eq(u.interrupt.dest, 3);
    ck_assert(!u.interrupt.wide);
    put_irte(3, 1 | 0x33 << 16 | 0x300ULL << 32, 0);
    unit_queue(&u, 4 | 1 << 4 | 2ULL << 32, 0); /* another index */
    ck_assert(interrupt(3 << 5 | 0x10, 0));
    ck_assert_uint_eq(u.interrupt.vector, 0x31);
    unit_queue(&u, 4 | 1 << 4 | 1 << 27 | 2ULL << 32, 0); /* 2 and 3 */
    ck_assert(interrupt(3 << 5 | 0x10, 0));
    ck_assert_uint_eq(u.interrupt.vector, 0x33);
    put_irte(3, 0, 0);
    ck_assert(interrupt(3 << 5 | 0x10, 0));
    unit_queue(&u, 4, 0);
    ck_assert(!interrupt(3 << 5 | 0x10, 0));
    /* xAPIC destinations have 8 bits; the compatibility format passes when it may. */
    put_irte(2, 1 | 0x10000ULL << 32, 0);
    unit_reason(&u);
    interrupt_faults(2 << 5 | 0x10, 0, 0x24, 2);
    interrupt_faults(0x1000, 0x41, 0x25, 0);
    vtd_write(u.vtd, 0x18, 4, BIT(25) | BIT(23));
    ck_assert(interrupt(0x1000, 0x41) && u.interrupt.compatible);
    ck_assert_uint_eq(u.out, 0xfee01000);
}
END_TEST

/* What is off is not advertised, and cannot be used. */
START_TEST(test_features)
{
    struct vtd_features none = {.address_bits = 39, .coherent = true}, first = unit_all;

    unit_close(&u);
    unit_open(&u, &none);
    ck_assert_uint_eq(vtd_read(u.vtd, 8, 8) >> 8 & 0x1f, 2);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x10, 8) & (BIT(3) | BIT(4) | BIT(6) | BIT(7) | BIT(43)), 0);
    vtd_write(u.vtd, 0xb8, 8, ~0ULL);
    ck_assert_uint_eq(vtd_read(u.vtd, 0xb8, 8), 0);
    vtd_write(u.vtd, 0x18, 4, BIT(25) | BIT(24));
    ck_assert_uint_eq(vtd_read(u.vtd, 0x1c, 4), 0);
    unit_legacy(&u);
    ck_assert(!unit_read(&u, 0x1000)); /* four levels */
    ck_assert_uint_eq(unit_reason(&u), 3);
    vtd_reset(u.vtd);
    unit_scalable(&u, 1);
    ck_assert(!unit_read(&u, 0x1000));
    ck_assert_uint_eq(unit_reason(&u), 0x30);
    /* Nesting takes both stages. */
    unit_close(&u);
    first.second_stage = false;
    unit_open(&u, &first);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x10, 8) & BIT(26), 0);
    unit_scalable(&u, 3);
    ck_assert(!unit_read(&u, 0x1000));
    ck_assert_uint_eq(unit_reason(&u), 0x5b);
}
END_TEST

/* A unit that does not snoop sees every line of every table as it was last written back. */
START_TEST(test_incoherent)
{
    struct vtd_features features = unit_all;

    features.coherent = false;
    unit_close(&u);
    unit_open(&u, &features);
    ck_assert_uint_eq(vtd_read(u.vtd, 0x10, 8) & (BIT(0) | BIT(48)), 0);
    unit_legacy(&u);
    static const struct {
        uint64_t line;
        unsigned reason; /* as long as it has not been flushed */
    } way[] = {{UNIT_ROOT_ENTRY, 1}, {UNIT_LEGACY_ENTRY, 2}, {SS(4), 6}, {SS(3), 6},
               {SS(2), 6},           {SS(1) + 8, 6}};
    for (unsigned i = 0; i < ARRAY_LEN(way); i++) {
        ck_assert(!unit_read(&u, 0x1000));
        ck_assert_uint_eq(unit_reason(&u), way[i].reason);
        unit_flush(&u, way[i].line);
    }
    ck_assert(unit_read(&u, 0x1000));
    ck_assert_uint_eq(u.out, 0x41000);
    /* Invalidated but not flushed, then both. The queue itself is snooped. */
    unit_queue_on(&u);
    unit_put(&u, SS(1) + 8, 0x80003);
    unit_queue(&u, 2 | 1 << 4, 0);
    wait_for(1);
    ck_assert_uint_eq(unit_get(&u, WAIT_STATUS), 1);
    ck_assert(unit_read(&u, 0x1000));
    ck_assert_uint_eq(u.out, 0x41000);
    unit_flush(&u, SS(1) + 8);
    unit_queue(&u, 2 | 1 << 4, 0);
    ck_assert(unit_read(&u, 0x1000));
    ck_assert_uint_eq(u.out, 0x80000);
    /* PWSNP of a PASID entry is reserved. */
    vtd_reset(u.vtd);
    unit_scalable(&u, 1);
    unit_put(&u, UNIT_PASID_ENTRY + 8, 7 | BIT(23));
    memcpy(u.behind, u.ram, sizeof(u.ram));
    ck_assert(!unit_read(&u, 0x1000));
    ck_assert_uint_eq(unit_reason(&u), 0x5a);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("iommu vtd");
    TCase *tc = tcase_create("vtd");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_off);
    tcase_add_test(tc, test_modes);
    tcase_add_test(tc, test_legacy_faults);
    tcase_add_test(tc, test_scalable_faults);
    tcase_add_test(tc, test_no_page_walk_snoop);
    tcase_add_test(tc, test_admission);
    tcase_add_test(tc, test_fault_disable);
    tcase_add_test(tc, test_records);
    tcase_add_test(tc, test_queue);
    tcase_add_test(tc, test_queue_pasids);
    tcase_add_test(tc, test_queue_errors);
    tcase_add_test(tc, test_queue_modes);
    tcase_add_test(tc, test_registers_invalidate);
    tcase_add_test(tc, test_interrupts);
    tcase_add_test(tc, test_interrupt_table_nowhere);
    tcase_add_test(tc, test_domain_flush);
    tcase_add_test(tc, test_interrupt_cache);
    tcase_add_test(tc, test_features);
    tcase_add_test(tc, test_incoherent);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
