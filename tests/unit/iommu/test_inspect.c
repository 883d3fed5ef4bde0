/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a unit tells of itself: it is what requests meet, and telling changes nothing. */
#include <check.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pcilab/iommu/core/inspect.h"
#include "unit.h"

#define NOWHERE 0x200000ULL /* beyond memory */

static struct unit u;

/* The sink: a line "place/name=value" each. */
struct told {
    GString *lines, *place;
    unsigned rows[16], depth, objects;
};

static void line(struct told *told, const char *name, const char *value)
{
    g_string_append_printf(told->lines, "%s%s=%s\n", told->place->str, name ? name : "", value);
}

static void told_open(void *opaque, const char *name, bool list)
{
    struct told *told = opaque;

    ck_assert_uint_lt(told->depth + 1, G_N_ELEMENTS(told->rows));
    if (name)
        g_string_append_printf(told->place, "%s/", name);
    else
        g_string_append_printf(told->place, "%u/", told->rows[told->depth]++);
    told->rows[++told->depth] = 0;
    told->objects += !list;
}

static void told_close(void *opaque, bool list)
{
    struct told *told = opaque;

    told->depth--;
    g_string_truncate(told->place, told->place->len - 1);
    g_string_truncate(told->place,
                      strrchr(told->place->str, '/')
                          ? (gsize)(strrchr(told->place->str, '/') - told->place->str + 1)
                          : 0);
}

static void told_number(void *opaque, const char *name, uint64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    line(opaque, name, text);
}

static void told_flag(void *opaque, const char *name, bool value)
{
    line(opaque, name, value ? "yes" : "no");
}

static void told_text(void *opaque, const char *name, const char *text)
{
    line(opaque, name, text);
}

static const struct inspect_ops told_ops = {told_open, told_close, told_number, told_flag,
                                            told_text};
static struct told told;

static bool has(const char *want)
{
    char *whole = g_strdup_printf("\n%s\n", want);
    bool found = strstr(told.lines->str, whole) != NULL;

    g_free(whole);
    return found;
}

#define ck_told(want) ck_assert_msg(has(want), "not told: %s\nbut:%.3000s", want, told.lines->str)

static const struct inspect *sink(void)
{
    static const struct inspect in = {&told_ops, &told};

    g_string_assign(told.lines, "\n");
    g_string_truncate(told.place, 0);
    memset(told.rows, 0, sizeof(told.rows));
    told.depth = told.objects = 0;
    return &in;
}

/* The unit is afterwards as it was before, to the bit. */
struct before {
    uint8_t ram[UNIT_RAM];
    struct iommu_stats stats;
    uint64_t fsts, head;
};

static void remember(struct before *b)
{
    memcpy(b->ram, u.ram, UNIT_RAM);
    b->stats = *iommu_core_stats(vtd_core(u.vtd));
    b->fsts = vtd_read(u.vtd, 0x34, 4);
    b->head = vtd_read(u.vtd, 0x80, 8);
}

static void check_unchanged(const struct before *b)
{
    ck_assert(memcmp(b->ram, u.ram, UNIT_RAM) == 0);
    ck_assert(memcmp(&b->stats, iommu_core_stats(vtd_core(u.vtd)), sizeof(b->stats)) == 0);
    ck_assert_uint_eq(b->fsts, vtd_read(u.vtd, 0x34, 4));
    ck_assert_uint_eq(b->head, vtd_read(u.vtd, 0x80, 8));
    ck_assert_uint_eq(told.depth, 0);
}

static struct before before;

static void walk(uint64_t addr, uint8_t want)
{
    const struct iommu_access access = {.addr = addr, .sid = UNIT_SID, .want = want};

    remember(&before);
    vtd_inspect_walk(u.vtd, sink(), &access);
    check_unchanged(&before);
}

static void look(void)
{
    remember(&before);
    vtd_inspect(u.vtd, sink());
    check_unchanged(&before);
}

static void setup(void)
{
    unit_open(&u, &unit_all);
    told.lines = g_string_new(NULL);
    told.place = g_string_new(NULL);
}

static void teardown(void)
{
    unit_close(&u);
    g_string_free(told.lines, TRUE);
    g_string_free(told.place, TRUE);
}

START_TEST(test_off)
{
    walk(0x1234, PT_PERM_READ);
    ck_told("result/outcome=not translated: the unit is off");
}
END_TEST

START_TEST(test_steps)
{
    unit_legacy(&u);
    walk(0x1234, PT_PERM_WRITE);
    ck_told("requester=01:02.3");
    ck_told("steps/0/step=root entry");
    ck_told("steps/0/at=0x1010");
    ck_told("steps/0/value=0x2001");
    ck_told("steps/0/says=context table at 0x2000");
    ck_told("steps/1/step=context entry");
    ck_told("steps/1/says=second stage at 0x10000");
    ck_told("steps/2/step=second stage, level 4");
    ck_told("steps/5/step=second stage, level 1");
    ck_told("steps/5/at=0x13008");
    ck_told("steps/5/says=page of 4K at 0x41000");
    ck_told("context/domain=7");
    ck_told("result/leads-to=0x41234");
    ck_told("cached=nothing");
    ck_assert_ptr_null(strstr(told.lines->str, "steps/6"));
}
END_TEST

/* With both stages every first-stage entry is looked up in the second: 24 reads for the page, and
 * once more where its bits are to be set. */
START_TEST(test_nested)
{
    unit_scalable(&u, 3);
    for (unsigned i = 0; i < 4; i++)
        unit_put(&u, UNIT_SECOND + 0x3000 + 8 * (0x20 + i), UNIT_FIRST + i * 0x1000 + 3);
    unit_put(&u, UNIT_SECOND + 0x3000 + 8 * 0x41, 0x77003);
    walk(0x1234, PT_PERM_WRITE);
    ck_told("steps/2/step=PASID directory entry");
    ck_told("steps/3/step=PASID table entry");
    ck_told("steps/4/step=second stage, level 4, of the entry of level 4");
    ck_told("steps/8/step=first stage, level 4");
    ck_told("steps/8/says=table at 0x21000, access or dirty bit to be set");
    ck_told("steps/24/step=second stage, level 4, to set bits of an entry");
    ck_told("steps/43/step=second stage, level 1");
    ck_assert_ptr_null(strstr(told.lines->str, "steps/44"));
    ck_told("context/translation=nested");
    ck_told("result/leads-to=0x77234");
    ck_assert(unit_write(&u, 0x1234));
    ck_assert_uint_eq(u.out, 0x77234);
    /* Once the bits are set nobody has to set them. */
    walk(0x1234, PT_PERM_WRITE);
    ck_told("steps/8/says=table at 0x21000");
    ck_told("steps/27/step=second stage, level 1");
    ck_assert_ptr_null(strstr(told.lines->str, "steps/28"));
    ck_told("cached/stage=nested");
    ck_told("cached/stale=no");
}
END_TEST

START_TEST(test_cached)
{
    unit_scalable(&u, 2);
    ck_assert(unit_read(&u, 0x1234));
    walk(0x1234, PT_PERM_READ);
    ck_told("cached/leads-to=0x41000");
    ck_told("cached/stale=no");
    unit_put(&u, UNIT_SECOND + 0x3008, 0x55003);
    walk(0x1234, PT_PERM_READ);
    ck_told("result/leads-to=0x55234");
    ck_told("cached/leads-to=0x41000");
    ck_told("cached/stale=yes");
    /* The device sees what is cached, and that is what was said. */
    ck_assert(unit_read(&u, 0x1234));
    ck_assert_uint_eq(u.out, 0x41234);
    unit_put(&u, UNIT_SECOND + 0x3008, 0);
    walk(0x1234, PT_PERM_READ);
    ck_told("result/outcome=fault");
    ck_told("cached/stale=yes");
    look();
    ck_told("caches/translations/0/domain=7");
    ck_told("caches/translations/0/address=0x1000");
    ck_told("caches/translations/0/leads-to=0x41000");
    ck_told("caches/contexts/0/requester=01:02.3");
    ck_told("caches/devices/0/process-table=0x4000");
    ck_told("caches/tables/0/level=2");
    ck_told("statistics/misses=1");
}
END_TEST

/* A fault is foretold with the reason that the unit records. */
START_TEST(test_faults)
{
    static const struct {
        unsigned pgtt; /* 0: legacy */
        uint64_t where, value, addr;
        bool write;
    } wrongs[] = {
        {0, UNIT_ROOT_ENTRY, 0x2000, 0x1000, false},
        {0, UNIT_ROOT_ENTRY, NOWHERE | 1, 0x1000, false},
        {0, UNIT_LEGACY_ENTRY, UNIT_SECOND, 0x1000, false},
        {0, UNIT_LEGACY_ENTRY + 8, 7 << 8 | 4, 0x1000, false},
        {0, UNIT_SECOND + 0x3000, 0x40001, 0x0, true},
        {0, UNIT_SECOND + 0x3000, 0, 0x0, false},
        {0, 0x9000, 0, 1ULL << 48, false},
        {1, UNIT_CONTEXT_ENTRY, UNIT_DIRECTORY, 0x1000, false},
        {1, UNIT_DIRECTORY, 0x5000, 0x1000, false},
        {1, UNIT_PASID_ENTRY, 1 << 6, 0x1000, false},
        {1, UNIT_PASID_ENTRY + 56, 1, 0x1000, false},
        {1, UNIT_FIRST + 0x3000, 0, 0x0, false},
        {1, UNIT_FIRST + 0x2000, NOWHERE | 7, 0x0, false},
        {2, UNIT_SECOND + 0x3000, 0, 0x0, true},
        {2, UNIT_SECOND + 0x3000, 0x40001, 0x0, true},
        {3, 0x9000, 0, 0x1000, false}, /* no guest page holds the first stage's tables */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(wrongs); i++) {
        char want[32];

        vtd_reset(u.vtd);
        memset(u.ram, 0, UNIT_RAM);
        if (wrongs[i].pgtt)
            unit_scalable(&u, wrongs[i].pgtt);
        else
            unit_legacy(&u);
        unit_put(&u, wrongs[i].where, wrongs[i].value);
        walk(wrongs[i].addr, wrongs[i].write ? PT_PERM_WRITE : PT_PERM_READ);
        ck_told("result/outcome=fault");
        ck_assert(
            !(wrongs[i].write ? unit_write(&u, wrongs[i].addr) : unit_read(&u, wrongs[i].addr)));
        look();
        snprintf(want, sizeof(want), "reason=0x%02x, ", unit_reason(&u));
        ck_assert_msg(strstr(told.lines->str, want), "record of %u: no %s", i, want);
        walk(wrongs[i].addr, wrongs[i].write ? PT_PERM_WRITE : PT_PERM_READ);
        ck_assert_msg(strstr(told.lines->str, want), "walk of %u: no %s", i, want);
        ck_assert_ptr_null(strstr(told.lines->str, "unknown"));
    }
}
END_TEST

START_TEST(test_tables)
{
    unit_scalable(&u, 1);
    unit_put(&u, UNIT_PASID_ENTRY + 64, 2 << 6 | UNIT_SECOND | 2 << 2 | 1);
    unit_put(&u, UNIT_PASID_ENTRY + 72, 9);
    unit_put(&u, UNIT_PASID_ENTRY + 128, 5 << 6 | 1);
    look();
    ck_told("name=unit");
    ck_told("registers/mode=scalable");
    ck_told("contexts/0/requester=01:02.3");
    ck_told("contexts/0/pasid=0");
    ck_told("contexts/0/translation=first stage");
    ck_told("contexts/1/pasid=1");
    ck_told("contexts/1/domain=9");
    ck_told("contexts/1/second-root=0x10000");
    ck_told("contexts/2/fault=0x5b, PASID table entry invalid");
    ck_assert_ptr_null(strstr(told.lines->str, "contexts/3"));
    ck_told("domains/0/domain=7");
    ck_told("domains/1/requesters=01:02.3");
    ck_assert(!has("contexts-cut-short=yes"));
}
END_TEST

/* Tables without end end here. */
START_TEST(test_hostile)
{
    for (unsigned i = 0; i < 512; i++)
        unit_put(&u, UNIT_ROOT + 8 * i, 0x3001);
    for (unsigned i = 0; i < 128; i++)
        unit_put(&u, 0x3000 + 32 * i, UNIT_DIRECTORY | 7 << 9 | 1);
    for (unsigned i = 0; i < 512; i++)
        unit_put(&u, UNIT_DIRECTORY + 8 * i, 0x5001);
    unit_scalable(&u, 1);
    for (unsigned i = 0; i < 512; i++)
        unit_put(&u, UNIT_ROOT + 8 * i, 0x3001);
    look();
    ck_told("contexts-cut-short=yes");
    ck_assert_uint_lt(told.objects, 3 * INSPECT_ROWS_MAX);
    for (unsigned i = 0; i < 64; i++)
        unit_put(&u, UNIT_PASID_ENTRY + 64 * i, UNIT_SECOND | 4 << 6 | 1);
    look();
    ck_told("contexts-cut-short=yes");
    ck_assert_uint_lt(told.objects, 3 * INSPECT_ROWS_MAX);
}
END_TEST

START_TEST(test_queue)
{
    unit_scalable(&u, 1);
    unit_queue_on(&u);
    unit_queue(&u, 5 | 1 << 5 | 0x77ULL << 32, 0xa000); /* wait */
    look();
    ck_assert(!has("queue/error=3"));
    unit_queue(&u, 0xf, 0); /* no descriptor: the queue stops */
    unit_queue(&u, 2 | 3 << 4 | 7 << 16, 0x1000);
    look();
    ck_told("queue/error=3");
    ck_told("queue/descriptor-bits=256");
    ck_told("queue/pending/0/what=unknown");
    ck_told("queue/pending/1/what=IOTLB");
    ck_told("queue/pending/1/domain=7");
    ck_told("queue/pending/1/address=0x1000");
    ck_assert_ptr_null(strstr(told.lines->str, "pending/2"));
    vtd_write(u.vtd, 0x88, 8, 0x10); /* a tail between descriptors */
    look();
}
END_TEST

START_TEST(test_interrupts)
{
    unit_put(&u, UNIT_IRT + 5 * 16, 1 | 0x31 << 16 | 0x200ULL << 32);
    unit_put(&u, UNIT_IRT + 5 * 16 + 8, UNIT_SID | 1 << 18);
    vtd_write(u.vtd, 0xb8, 8, UNIT_IRT | 7);
    vtd_write(u.vtd, 0x18, 4, BIT(24));
    vtd_write(u.vtd, 0x18, 4, BIT(25));
    look();
    ck_told("interrupts/0/index=5");
    ck_told("interrupts/0/destination=0x2");
    ck_told("interrupts/0/vector=0x31");
    ck_told("interrupts/0/source=01:02.3");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("iommu-inspect");
    TCase *tc = tcase_create("inspect");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_off);
    tcase_add_test(tc, test_steps);
    tcase_add_test(tc, test_nested);
    tcase_add_test(tc, test_cached);
    tcase_add_test(tc, test_faults);
    tcase_add_test(tc, test_tables);
    tcase_add_test(tc, test_hostile);
    tcase_add_test(tc, test_queue);
    tcase_add_test(tc, test_interrupts);
    suite_add_tcase(suite, tc);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
