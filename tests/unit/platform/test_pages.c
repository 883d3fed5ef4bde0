/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page Requests from end to end: exercisers, links, a VT-d unit and its queues; the test is the
 * driver. */
#include <check.h>
#include <stdlib.h>

#include "ats_bench.h"

#define IOVA  0x7f0000000000ULL
#define PASID 5u
#define ATTR  (EXERCISER_ATTR_ATS | EXERCISER_ATTR_PRI)
#define MINE  (PASID | EXERCISER_PASID_VALID)

static struct ats_bench *b;
static uint64_t root;

static void setup(void)
{
    b = ats_bench_new(&(struct ats_bench_params){0});
    root = ats_bench_process(b, EX0, PASID, 1);
    ats_bench_enable_pri(b, EX0, 32);
}

static void teardown(void)
{
    ats_bench_free(b);
}

static struct ats_bench_dma dma(enum exerciser_command command, unsigned page)
{
    return (struct ats_bench_dma){
        .ex = EX0,
        .command = command,
        .addr = IOVA + page * ATS_BENCH_PAGE,
        .len = 64,
        .attr = ATTR,
        .pasid = MINE,
    };
}

static void start(const struct ats_bench_dma *what)
{
    ats_bench_start(b, what);
    ats_bench_run(b);
}

/* What it asks for. */
static struct vtd_page_request asked(void)
{
    struct vtd_page_request page = {0};

    ck_assert(ats_bench_take_page(b, &page));
    ck_assert_uint_eq(page.sid, ats_bench_sid(EX0));
    return page;
}

static void none_asked(void)
{
    struct vtd_page_request page;

    ck_assert(!ats_bench_take_page(b, &page));
}

static void no_fault(void)
{
    uint64_t high;

    ck_assert_uint_eq(ats_bench_fault(b, &high), 0);
}

START_TEST(first_touch)
{
    const struct ats_bench_dma write = dma(EXERCISER_WRITE, 3);
    struct vtd_page_request page;

    ats_bench_mem(b, ROOT_MEM_WRITE, ats_bench_memory(EX0), 8, 0x1122334455667788);
    start(&write);
    ck_assert(!ats_bench_done(b, EX0, 0));
    page = asked();
    ck_assert_uint_eq(page.addr, IOVA + 3 * ATS_BENCH_PAGE);
    ck_assert_uint_eq(page.pasid, PASID);
    ck_assert(page.has_pasid && page.write && !page.read && page.last && !page.privileged);
    ats_bench_map(b, root, page.addr, ATS_BENCH_DATA, ATS_BENCH_WRITE);
    ats_bench_respond(b, &page, ATS_RESPONSE_SUCCESS);
    ck_assert(ats_bench_done(b, EX0, 0));
    ck_assert_uint_eq(ats_bench_result(b, EX0, 0), DMA_OK);
    ck_assert_uint_eq(ats_bench_get(b, ATS_BENCH_DATA), 0x1122334455667788);
    ck_assert_uint_eq(ats_bench_read(b, EX0, EXERCISER_PAGE_REQUESTS, 8), 1);
    ck_assert_uint_eq(ats_bench_read(b, EX0, EXERCISER_PAGE_RESPONSES, 8), 1);
    none_asked();
    no_fault();
}
END_TEST

/* Five pages in one group: the unit tells where it ends, and one response serves all. */
START_TEST(groups)
{
    struct ats_bench_dma read = dma(EXERCISER_READ, 1);
    struct vtd_page_request page;

    read.len = 5 * ATS_BENCH_PAGE;
    read.attr |= EXERCISER_ATTR_GROUP;
    start(&read);
    for (unsigned i = 0; i < 5; i++) {
        page = asked();
        ck_assert_uint_eq(page.addr, IOVA + (1 + i) * ATS_BENCH_PAGE);
        ck_assert(page.last == (i == 4) && page.pasid == PASID);
        ats_bench_map(b, root, page.addr, ATS_BENCH_DATA + i * ATS_BENCH_PAGE, ATS_BENCH_READ);
    }
    none_asked();
    ck_assert(!ats_bench_done(b, EX0, 0));
    ats_bench_respond(b, &page, ATS_RESPONSE_SUCCESS);
    ck_assert_uint_eq(ats_bench_result(b, EX0, 0), DMA_OK);
    ck_assert_uint_eq(ats_bench_read(b, EX0, EXERCISER_PAGE_REQUESTS, 8), 5);
    ck_assert_uint_eq(ats_bench_read(b, EX0, EXERCISER_PAGE_RESPONSES, 8), 1);
    none_asked();
    no_fault();
}
END_TEST

START_TEST(permission_upgrade)
{
    struct vtd_page_request page;
    const struct ats_bench_dma write = dma(EXERCISER_WRITE, 0);

    ats_bench_map(b, root, IOVA, ATS_BENCH_DATA, ATS_BENCH_READ);
    ck_assert_uint_eq(ats_bench_dma(b, &(struct ats_bench_dma){.command = EXERCISER_READ,
                                                               .addr = IOVA,
                                                               .len = 64,
                                                               .attr = ATTR,
                                                               .pasid = MINE}),
                      DMA_OK);
    none_asked();
    ats_bench_mem(b, ROOT_MEM_WRITE, ats_bench_memory(EX0), 8, 0x77);
    start(&write);
    page = asked();
    ck_assert(page.write);
    ck_assert_uint_eq(ats_bench_get(b, ATS_BENCH_DATA), 0);
    ats_bench_map(b, root, IOVA, ATS_BENCH_DATA, ATS_BENCH_WRITE);
    ats_bench_respond(b, &page, ATS_RESPONSE_SUCCESS);
    ck_assert_uint_eq(ats_bench_result(b, EX0, 0), DMA_OK);
    ck_assert_uint_eq(ats_bench_get(b, ATS_BENCH_DATA), 0x77);
}
END_TEST

START_TEST(invalid_addresses)
{
    const struct ats_bench_dma read = dma(EXERCISER_READ, 1);
    struct vtd_page_request page;

    start(&read);
    page = asked();
    ats_bench_respond(b, &page, ATS_RESPONSE_INVALID);
    ck_assert_uint_eq(ats_bench_result(b, EX0, 0), DMA_DENIED);
    ck_assert_uint_eq(ats_bench_pri_status(b, EX0), PCI_PRI_STATUS_PASID);
    start(&read); /* and may be asked for again */
    page = asked();
    ats_bench_map(b, root, page.addr, ATS_BENCH_DATA, ATS_BENCH_READ);
    ats_bench_respond(b, &page, ATS_RESPONSE_SUCCESS);
    ck_assert_uint_eq(ats_bench_result(b, EX0, 0), DMA_OK);
}
END_TEST

START_TEST(a_failure_stops_the_interface)
{
    struct ats_bench_dma read = dma(EXERCISER_READ, 1), other = dma(EXERCISER_READ, 2);
    struct vtd_page_request page;

    other.channel = 1;
    start(&read);
    start(&other);
    page = asked();
    ats_bench_respond(b, &page, ATS_RESPONSE_FAILURE);
    ck_assert_uint_eq(ats_bench_result(b, EX0, 0), DMA_DENIED);
    ck_assert_uint_eq(ats_bench_result(b, EX0, 1), DMA_DENIED); /* nobody will answer it */
    ck_assert_uint_eq(ats_bench_pri_status(b, EX0),
                      PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_FAILURE | PCI_PRI_STATUS_STOPPED);
    page = asked(); /* the other one's */
    ats_bench_respond(b, &page, ATS_RESPONSE_SUCCESS);
    ck_assert_uint_eq(ats_bench_pri_status(b, EX0) & PCI_PRI_STATUS_UNEXPECTED,
                      PCI_PRI_STATUS_UNEXPECTED);
    ck_assert_uint_eq(ats_bench_dma(b, &read), DMA_DENIED);
    none_asked();
    /* 10.5.2.2: enabled once more, it has no flags of before. */
    ats_bench_cfg_write(b, EX0, ats_bench_cap(b, EX0, PCI_EXT_PRI) + PCI_PRI_CONTROL, 2,
                        PCI_PRI_CONTROL_ENABLE);
    ck_assert_uint_eq(ats_bench_pri_status(b, EX0), PCI_PRI_STATUS_PASID);
}
END_TEST

START_TEST(unexpected_groups)
{
    const struct ats_bench_dma read = dma(EXERCISER_READ, 1);
    struct vtd_page_request page, wrong;

    start(&read);
    page = wrong = asked();
    wrong.group ^= 1;
    ats_bench_respond(b, &wrong, ATS_RESPONSE_SUCCESS);
    ck_assert_uint_eq(ats_bench_pri_status(b, EX0),
                      PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_UNEXPECTED);
    ck_assert(!ats_bench_done(b, EX0, 0));
    ats_bench_respond(b, &page, ATS_RESPONSE_INVALID);
    ck_assert(ats_bench_done(b, EX0, 0));
}
END_TEST

/* PRG Response PASID Required: one without, or with another, is not the answer. */
START_TEST(responses_have_the_pasid)
{
    const struct ats_bench_dma read = dma(EXERCISER_READ, 1);
    struct vtd_page_request page, wrong;

    start(&read);
    page = wrong = asked();
    wrong.has_pasid = false;
    wrong.pasid = 0;
    ats_bench_respond(b, &wrong, ATS_RESPONSE_SUCCESS);
    ck_assert(!ats_bench_done(b, EX0, 0));
    wrong = page;
    wrong.pasid++;
    ats_bench_respond(b, &wrong, ATS_RESPONSE_SUCCESS);
    ck_assert(!ats_bench_done(b, EX0, 0));
    ck_assert_uint_eq(ats_bench_pri_status(b, EX0),
                      PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_UNEXPECTED);
    ats_bench_map(b, root, page.addr, ATS_BENCH_DATA, ATS_BENCH_READ);
    ats_bench_respond(b, &page, ATS_RESPONSE_SUCCESS);
    ck_assert_uint_eq(ats_bench_result(b, EX0, 0), DMA_OK);
}
END_TEST

START_TEST(requests_without_pasid)
{
    struct ats_bench_dma read = dma(EXERCISER_READ, 1);
    struct vtd_page_request page;

    read.pasid = 0;
    root = ats_bench_process(b, EX0, ATS_BENCH_RID_PASID, 1);
    start(&read);
    page = asked();
    ck_assert(!page.has_pasid);
    ats_bench_map(b, root, page.addr, ATS_BENCH_DATA, ATS_BENCH_READ);
    ats_bench_respond(b, &page, ATS_RESPONSE_SUCCESS);
    ck_assert_uint_eq(ats_bench_result(b, EX0, 0), DMA_OK);
}
END_TEST

START_TEST(as_many_as_allocated)
{
    struct vtd_page_request page;

    ats_bench_enable_pri(b, EX0, 2);
    for (unsigned i = 0; i < 4; i++) {
        struct ats_bench_dma read = dma(EXERCISER_READ, i);

        read.channel = i;
        ats_bench_start(b, &read);
    }
    ats_bench_run(b);
    ck_assert_uint_eq(vtd_read(b->vtd, 0xc8, 8), 2 * 32);
    for (unsigned i = 0; i < 4; i++) {
        page = asked();
        ats_bench_map(b, root, page.addr, ATS_BENCH_DATA, ATS_BENCH_READ);
        ats_bench_respond(b, &page, ATS_RESPONSE_SUCCESS);
    }
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(ats_bench_result(b, EX0, i), DMA_OK);
}
END_TEST

START_TEST(resets)
{
    const struct ats_bench_dma read = dma(EXERCISER_READ, 1);
    unsigned pri = ats_bench_cap(b, EX0, PCI_EXT_PRI);
    struct vtd_page_request page;

    start(&read);
    page = asked();
    ats_bench_cfg_write(b, EX0, pri + PCI_PRI_CONTROL, 2, 0);
    ck_assert_uint_eq(ats_bench_pri_status(b, EX0) & PCI_PRI_STATUS_STOPPED, 0); /* still one out */
    ats_bench_cfg_write(b, EX0, pri + PCI_PRI_CONTROL, 2, PCI_PRI_CONTROL_RESET);
    ats_bench_run(b);
    ck_assert_uint_eq(ats_bench_pri_status(b, EX0), PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_STOPPED);
    ck_assert_uint_eq(ats_bench_result(b, EX0, 0), DMA_DENIED);
    ats_bench_respond(b, &page, ATS_RESPONSE_SUCCESS); /* too late */
    ck_assert_uint_eq(ats_bench_pri_status(b, EX0) & PCI_PRI_STATUS_UNEXPECTED,
                      PCI_PRI_STATUS_UNEXPECTED);
}
END_TEST

START_TEST(privileged)
{
    struct ats_bench_dma read = dma(EXERCISER_READ, 1);
    uint64_t entry = ats_bench_pasid_entry(b, EX0, PASID) + 16, high;
    struct vtd_page_request page;

    /* Without SRE they do not get as far as a page. */
    read.pasid |= EXERCISER_PASID_PRIVILEGED;
    start(&read);
    ck_assert_uint_eq(ats_bench_result(b, EX0, 0), DMA_UR);
    ck_assert_uint_eq(ats_bench_fault(b, &high), 0x5d);
    none_asked();
    ats_bench_put(b, entry, ats_bench_get(b, entry) | 1);
    ats_bench_flush(b, EX0, PASID);
    start(&read);
    page = asked();
    ck_assert(page.privileged && page.has_pasid);
    ats_bench_map(b, root, page.addr, ATS_BENCH_DATA, 3); /* a supervisor's */
    ats_bench_respond(b, &page, ATS_RESPONSE_SUCCESS);
    ck_assert_uint_eq(ats_bench_result(b, EX0, 0), DMA_OK);
    /* What the function keeps of it is not for others. */
    read.pasid = MINE;
    start(&read);
    page = asked();
    ck_assert(!page.privileged);
    ats_bench_respond(b, &page, ATS_RESPONSE_INVALID);
    ck_assert_uint_eq(ats_bench_result(b, EX0, 0), DMA_DENIED);
}
END_TEST

START_TEST(stop_markers)
{
    struct ats_bench_dma stop = dma(EXERCISER_STOP_PASID, 0);
    struct vtd_page_request page;

    ck_assert_uint_eq(ats_bench_dma(b, &stop), DMA_OK);
    page = asked();
    ck_assert(page.last && !page.read && !page.write && page.has_pasid);
    ck_assert_uint_eq(page.pasid, PASID);
    ck_assert_uint_eq(ats_bench_read(b, EX0, EXERCISER_PAGE_RESPONSES, 8), 0);
}
END_TEST

/* Page Requests are not for this function, or for nobody. */
START_TEST(not_enabled)
{
    const struct ats_bench_dma read = dma(EXERCISER_READ, 1);
    uint64_t context = ats_bench_context(b, EX0), high;

    ats_bench_put(b, context, ats_bench_get(b, context) & ~BIT(4)); /* PRE */
    start(&read);
    ck_assert_uint_eq(ats_bench_result(b, EX0, 0), DMA_DENIED);
    ck_assert_uint_eq(ats_bench_fault(b, &high), 0x47);
    ck_assert_uint_eq(high >> 40 & 0xfffff, PASID);
    ck_assert_uint_eq(ats_bench_pri_status(b, EX0), PCI_PRI_STATUS_PASID);
    none_asked();
}
END_TEST

/* A full queue: the unit says Success, the function looks again and asks again. */
START_TEST(overflow)
{
    struct ats_bench_dma flood = dma(EXERCISER_EMIT, 0), read = dma(EXERCISER_READ, 1);
    struct vtd_page_request page;

    ats_bench_write(b, EX0, EXERCISER_CHANNEL(1) + EXERCISER_CH_PATTERN, 4,
                    EXERCISER_EMIT_PAGE_REQUEST);
    ats_bench_write(b, EX0, EXERCISER_CHANNEL(1) + EXERCISER_CH_STEP, 4, 0x600); /* not last */
    flood.channel = 1;
    flood.pasid = 0;
    for (unsigned i = 0; i < 130; i++)
        ck_assert_uint_eq(ats_bench_dma(b, &flood), DMA_OK);
    ck_assert_uint_eq(vtd_read(b->vtd, 0xdc, 4), 3);
    start(&read);
    ck_assert_uint_eq(ats_bench_result(b, EX0, 0), DMA_DENIED);
    ck_assert_uint_eq(ats_bench_read(b, EX0, EXERCISER_PAGE_RESPONSES, 8),
                      ats_bench_read(b, EX0, EXERCISER_PAGE_REQUESTS, 8));
    for (unsigned i = 0; i < 127; i++)
        page = asked();
    none_asked();
    vtd_write(b->vtd, 0xdc, 4, 2);
    start(&read);
    page = asked();
    ats_bench_map(b, root, page.addr, ATS_BENCH_DATA, ATS_BENCH_READ);
    ats_bench_respond(b, &page, ATS_RESPONSE_SUCCESS);
    ck_assert_uint_eq(ats_bench_result(b, EX0, 0), DMA_OK);
}
END_TEST

/* A range is asked for page by page, and several processes at once; with walks that take time. */
START_TEST(in_time)
{
    struct vtd_page_request page;
    uint64_t roots[4];
    unsigned pages = 0;

    teardown();
    b = ats_bench_new(&(struct ats_bench_params){.read_latency_ps = 50 * PS_PER_NS,
                                                 .timing = MACHINE_TIMING_LINK});
    ats_bench_enable_pri(b, EX0, 32);
    for (unsigned i = 0; i < 4; i++) {
        struct ats_bench_dma read = dma(EXERCISER_READ, 0);

        roots[i] = ats_bench_process(b, EX0, 8 + i, i % 2 ? 1 : 3);
        read.channel = i;
        read.local = i * 0x10000;
        read.len = 5 * ATS_BENCH_PAGE;
        read.pasid = (8 + i) | EXERCISER_PASID_VALID;
        ats_bench_start(b, &read);
    }
    for (unsigned idle = 0; idle < 3;) {
        ats_bench_run(b);
        idle++;
        while (ats_bench_take_page(b, &page)) {
            idle = 0;
            pages++;
            ats_bench_map(b, roots[page.pasid - 8], page.addr,
                          ATS_BENCH_DATA + pages * ATS_BENCH_PAGE, ATS_BENCH_READ);
            ats_bench_respond(b, &page, ATS_RESPONSE_SUCCESS);
        }
    }
    ck_assert_uint_eq(pages, 20);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(ats_bench_result(b, EX0, i), DMA_OK);
    no_fault();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pages");
    TCase *tc = tcase_create("pages");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, first_touch);
    tcase_add_test(tc, groups);
    tcase_add_test(tc, permission_upgrade);
    tcase_add_test(tc, invalid_addresses);
    tcase_add_test(tc, a_failure_stops_the_interface);
    tcase_add_test(tc, unexpected_groups);
    tcase_add_test(tc, responses_have_the_pasid);
    tcase_add_test(tc, requests_without_pasid);
    tcase_add_test(tc, as_many_as_allocated);
    tcase_add_test(tc, resets);
    tcase_add_test(tc, privileged);
    tcase_add_test(tc, stop_markers);
    tcase_add_test(tc, not_enabled);
    tcase_add_test(tc, overflow);
    tcase_add_test(tc, in_time);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
