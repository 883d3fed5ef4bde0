/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VT-d face's Page Request queue. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define ECAP        0x10
#define FSTS        0x34
#define IQH         0x80
#define PQH         0xc0
#define PQT         0xc8
#define PQA         0xd0
#define PRS         0xdc
#define PECTL       0xe0
#define PPR         1u
#define PRO         2u
#define PAGES       0xa000u /* the queue */
#define PAGES_BYTES 4096u
#define ENTRIES     (PAGES_BYTES / 32)
#define STATUS      0x9000u
#define PRE         BIT(4)
#define DTE         BIT(2)

static struct unit u;

static const struct vtd_page_request first_touch = {.sid = UNIT_SID,
                                                    .has_pasid = true,
                                                    .pasid = 0x12,
                                                    .last = true,
                                                    .write = true,
                                                    .group = 0x155,
                                                    .addr = 0x7f1234567000};

static void open_with(bool page_requests, uint64_t latency_ps)
{
    struct vtd_features features = unit_all;

    features.device_tlb = true;
    features.page_requests = page_requests;
    unit_open_timed(&u, &features, latency_ps);
}

static void pages_on(void)
{
    vtd_write(u.vtd, PQA, 8, PAGES);
    vtd_write(u.vtd, PECTL + 4, 4, 0x77);
    vtd_write(u.vtd, PECTL + 8, 4, 0xfee00000);
    vtd_write(u.vtd, PECTL, 4, 0);
}

static void setup(void)
{
    open_with(true, 0);
    unit_scalable(&u, 1);
    unit_put(&u, UNIT_CONTEXT_ENTRY, unit_get(&u, UNIT_CONTEXT_ENTRY) | PRE | DTE);
    pages_on();
}

static void teardown(void)
{
    unit_close(&u);
}

static void ask(struct vtd_page_request what)
{
    vtd_page_request(u.vtd, &what);
}

static uint64_t word(unsigned entry, unsigned i)
{
    return unit_get(&u, PAGES + entry * 32 + i * 8);
}

START_TEST(described)
{
    struct vtd_page_request what = first_touch;

    memset(u.ram + PAGES, 0xff, PAGES_BYTES);
    ck_assert_uint_eq(vtd_read(u.vtd, ECAP, 8) & (BIT(29) | BIT(42)), BIT(29) | BIT(42));
    ask(what);
    ck_assert_uint_eq(word(0, 0), 1 | 1 << 8 | UNIT_SID << 16 | 0x12ULL << 32);
    ck_assert_uint_eq(word(0, 1), 0x7f1234567000 | 0x155 << 3 | 4 | 2);
    ck_assert_uint_eq(word(0, 2) | word(0, 3), 0);
    ck_assert_uint_eq(vtd_read(u.vtd, PQT, 8), 32);
    ck_assert_uint_eq(vtd_read(u.vtd, PRS, 4), PPR);
    ck_assert_uint_eq(u.events, 1);
    ck_assert_uint_eq(u.event_data, 0x77);
    what.privileged = what.execute = what.read = true;
    what.last = what.write = false;
    ask(what);
    ck_assert_uint_eq(word(1, 0), 1 | 1 << 8 | UNIT_SID << 16 | 0x12ULL << 32 | BIT(52) | BIT(53));
    ck_assert_uint_eq(word(1, 1) & 7, 1);
    what.has_pasid = false;
    ask(what);
    ck_assert_uint_eq(word(2, 0), 1 | UNIT_SID << 16);
    /* One event while something is pending. */
    ck_assert_uint_eq(u.events, 1);
    vtd_write(u.vtd, PRS, 4, PPR);
    ask(what);
    ck_assert_uint_eq(u.events, 2);
    ck_assert_uint_eq(u.responses, 0);
    ck_assert_uint_eq(unit_reason(&u), 0);
}
END_TEST

START_TEST(masked)
{
    vtd_write(u.vtd, PECTL, 4, BIT(31));
    ask(first_touch);
    ck_assert_uint_eq(u.events, 0);
    ck_assert_uint_eq(vtd_read(u.vtd, PECTL, 4), BIT(31) | BIT(30));
    vtd_write(u.vtd, PECTL, 4, 0);
    ck_assert_uint_eq(u.events, 1);
    /* Taken care of before it is unmasked: nothing is left to tell. */
    vtd_write(u.vtd, PRS, 4, PPR);
    vtd_write(u.vtd, PECTL, 4, BIT(31));
    ask(first_touch);
    vtd_write(u.vtd, PRS, 4, PPR);
    vtd_write(u.vtd, PECTL, 4, 0);
    ck_assert_uint_eq(u.events, 1);
}
END_TEST

START_TEST(responses)
{
    unit_queue_on(&u);
    unit_queue(&u, 9 | 1 << 4 | 1 << 12 | UNIT_SID << 16 | 0x12ULL << 32, 0x155 << 3 | 4);
    ck_assert_uint_eq(u.responses, 1);
    ck_assert_uint_eq(u.response.sid, UNIT_SID);
    ck_assert(u.response.has_pasid);
    ck_assert_uint_eq(u.response.pasid, 0x12);
    ck_assert_uint_eq(u.response.group, 0x155);
    ck_assert_uint_eq(u.response.code, 1);
    unit_queue(&u, 9 | 0xf << 12 | UNIT_SID << 16, 4);
    ck_assert(!u.response.has_pasid);
    ck_assert_uint_eq(u.response.code, 0xf);
    /* A wait that drains Page Requests. */
    unit_queue(&u, 0x25 | BIT(7) | 5ULL << 32, STATUS);
    ck_assert_uint_eq(unit_get(&u, STATUS), 5);
    /* Reserved bits. */
    unit_queue(&u, 9 | 1 << 5 | UNIT_SID << 16, 4);
    ck_assert_uint_eq(vtd_read(u.vtd, FSTS, 4), BIT(4));
    ck_assert_uint_eq(u.responses, 2);
}
END_TEST

/* Full: one entry stays free. Nothing more gets in until software has cleared PRO, even when there
 * is room again; and the function is told to try again. */
START_TEST(overflow)
{
    struct vtd_page_request what = first_touch;

    for (unsigned i = 0; i < ENTRIES - 1; i++)
        ask(what);
    ck_assert_uint_eq(vtd_read(u.vtd, PRS, 4), PPR);
    ck_assert_uint_eq(u.responses, 0);
    ask(what);
    ck_assert_uint_eq(vtd_read(u.vtd, PRS, 4), PPR | PRO);
    ck_assert_uint_eq(u.responses, 1);
    ck_assert_uint_eq(u.response.code, 0);
    ck_assert_uint_eq(u.response.group, what.group);
    ck_assert_uint_eq(u.response.pasid, what.pasid);
    what.last = false; /* not the last: it is dropped */
    ask(what);
    what = (struct vtd_page_request){.sid = UNIT_SID, .last = true}; /* nor is a Stop Marker */
    ask(what);
    ck_assert_uint_eq(u.responses, 1);
    vtd_write(u.vtd, PQH, 8, vtd_read(u.vtd, PQT, 8));
    vtd_write(u.vtd, PRS, 4, PPR);
    ask(first_touch);
    ck_assert_uint_eq(u.responses, 2);
    ck_assert_uint_eq(vtd_read(u.vtd, PRS, 4), PRO);
    vtd_write(u.vtd, PRS, 4, PRO);
    ask(first_touch);
    ck_assert_uint_eq(vtd_read(u.vtd, PRS, 4), PPR);
    ck_assert_uint_eq(vtd_read(u.vtd, PQT, 8), 0); /* around */
    ck_assert_uint_eq(u.responses, 2);
    ck_assert_uint_eq(u.events, 2); /* the first, and after PRO and PPR were both clear */
}
END_TEST

/* A queue of 2^7 times 4 KiB, and ten thousand requests that nobody has answered. */
START_TEST(ten_thousand)
{
    vtd_write(u.vtd, PQA, 8, 0x80000 | 6);
    for (unsigned i = 0; i < 10000; i++) {
        struct vtd_page_request what = first_touch;

        what.addr = (uint64_t)i << 12;
        what.group = i % 512;
        ask(what);
    }
    ck_assert_uint_eq(vtd_read(u.vtd, PQT, 8), (8191 * 32));
    ck_assert_uint_eq(vtd_read(u.vtd, PRS, 4), PPR | PRO);
    ck_assert_uint_eq(u.responses, 10000 - 8191);
    for (unsigned i = 0; i < 8191; i += 97)
        ck_assert_uint_eq(unit_get(&u, 0x80000 + i * 32 + 8) >> 12, i);
}
END_TEST

static void refused(uint8_t code, unsigned reason)
{
    uint64_t low, high;
    unsigned before = u.responses;

    ask(first_touch);
    ck_assert_uint_eq(u.responses, before + 1);
    ck_assert_uint_eq(u.response.code, code);
    ck_assert_uint_eq(vtd_read(u.vtd, PQT, 8), 0);
    high = unit_fault(&u, &low);
    ck_assert_uint_eq(high >> 32 & 0xff, reason);
    ck_assert_uint_eq(high & (BIT(62) | BIT(28)), BIT(28)); /* a Page Request */
    ck_assert_uint_eq(high & 0xffff, UNIT_SID);
    ck_assert_uint_eq(low, first_touch.addr);
}

static void flush_context(void)
{
    vtd_write(u.vtd, 0x28, 8, BIT(63) | 1ULL << 61);
}

START_TEST(refusals)
{
    uint64_t entry = unit_get(&u, UNIT_CONTEXT_ENTRY);

    unit_put(&u, UNIT_CONTEXT_ENTRY, entry & ~PRE);
    refused(1, 0x47);
    flush_context();
    unit_put(&u, UNIT_CONTEXT_ENTRY, entry & ~BIT(3)); /* PASIDE */
    refused(1, 0x45);
    flush_context();
    unit_put(&u, UNIT_CONTEXT_ENTRY, entry & ~1ULL);
    refused(1, 0x41);
    unit_put(&u, UNIT_CONTEXT_ENTRY, entry | BIT(5));
    refused(15, 0x42);
    unit_put(&u, UNIT_ROOT_ENTRY, 0);
    refused(1, 0x39);
    vtd_reset(u.vtd);
    ask(first_touch); /* translation is off: no fault, and the answer is no */
    ck_assert_uint_eq(u.response.code, 1);
    ck_assert_uint_eq(unit_reason(&u), 0);
    unit_legacy(&u);
    refused(1, 0x32);
}
END_TEST

START_TEST(large_pasid)
{
    struct vtd_page_request what = first_touch;

    what.pasid = 64u << 7; /* PDTS 0 */
    ask(what);
    ck_assert_uint_eq(u.response.code, 1);
    ck_assert_uint_eq(unit_reason(&u), 0x46);
    what.pasid--;
    ask(what);
    ck_assert_uint_eq(vtd_read(u.vtd, PQT, 8), 32);
}
END_TEST

/* What the unit has cached on the way to the page is gone. */
START_TEST(implicit_invalidation)
{
    const uint64_t upper = UNIT_FIRST + 0x2000;
    struct vtd_page_request what = first_touch;

    unit_put(&u, upper, unit_get(&u, upper) & ~2ULL); /* read only, up there */
    ck_assert(unit_read(&u, 0x2000));
    ck_assert(!unit_write(&u, 0x2000));
    unit_put(&u, upper, unit_get(&u, upper) | 2);
    ck_assert(!unit_write(&u, 0x2000)); /* by what is cached */
    what.has_pasid = false;
    what.addr = 0x2000;
    ask(what);
    ck_assert(unit_write(&u, 0x2000));
}
END_TEST

START_TEST(in_time)
{
    teardown();
    open_with(true, 100 * PS_PER_NS);
    unit_scalable(&u, 1);
    unit_put(&u, UNIT_CONTEXT_ENTRY, unit_get(&u, UNIT_CONTEXT_ENTRY) | PRE | DTE);
    pages_on();
    unit_queue_on(&u);
    ask(first_touch);
    unit_queue(&u, 0x25 | BIT(7) | 5ULL << 32, STATUS);
    ck_assert_uint_eq(vtd_read(u.vtd, PQT, 8), 0);
    sim_run_until(&u.sim, u.sim.now_ps + 250 * PS_PER_NS);
    ck_assert_uint_eq(unit_get(&u, STATUS), 0); /* the wait waits for it */
    sim_run_until(&u.sim, u.sim.now_ps + 10000 * PS_PER_NS);
    ck_assert_uint_eq(vtd_read(u.vtd, PQT, 8), 32);
    ck_assert_uint_eq(unit_get(&u, STATUS), 5);
    /* A reset forgets what is under way. */
    flush_context();
    sim_run_until(&u.sim, u.sim.now_ps + 10000 * PS_PER_NS);
    ask(first_touch);
    vtd_reset(u.vtd);
    sim_run_until(&u.sim, u.sim.now_ps + 10000 * PS_PER_NS);
    ck_assert_uint_eq(vtd_read(u.vtd, PQT, 8), 0);
    ck_assert_uint_eq(u.responses, 0);
}
END_TEST

START_TEST(not_offered)
{
    teardown();
    open_with(false, 0);
    ck_assert_uint_eq(vtd_read(u.vtd, ECAP, 8) & (BIT(29) | BIT(42)), 0);
    ck_assert(!vtd_takes_page_requests(u.vtd));
    vtd_write(u.vtd, PQA, 8, PAGES);
    ck_assert_uint_eq(vtd_read(u.vtd, PQA, 8), 0);
    ck_assert_uint_eq(vtd_read(u.vtd, PECTL, 4), 0);
    unit_scalable(&u, 1);
    unit_put(&u, UNIT_CONTEXT_ENTRY, unit_get(&u, UNIT_CONTEXT_ENTRY) | PRE | DTE);
    ck_assert(!unit_read(&u, 0x1000));
    ck_assert_uint_eq(unit_reason(&u), 0x42); /* reserved */
    unit_queue_on(&u);
    unit_queue(&u, 0x25 | BIT(7) | 5ULL << 32, STATUS);
    ck_assert_uint_eq(vtd_read(u.vtd, 0xb0, 8) & 0xf, 4);
    vtd_reset(u.vtd);
    unit_scalable(&u, 1);
    unit_queue_on(&u);
    unit_queue(&u, 9 | UNIT_SID << 16, 4);
    ck_assert_uint_eq(vtd_read(u.vtd, 0xb0, 8) & 0xf, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vtd pages");
    TCase *tc = tcase_create("pages");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, described);
    tcase_add_test(tc, masked);
    tcase_add_test(tc, responses);
    tcase_add_test(tc, overflow);
    tcase_add_test(tc, ten_thousand);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, large_pasid);
    tcase_add_test(tc, implicit_invalidation);
    tcase_add_test(tc, in_time);
    tcase_add_test(tc, not_offered);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
