/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A function's Page Requests, and what their responses come to. */
#include <glib.h>
#include <string.h>

#include "agent.h"

START_TEST(pages_are_asked_for)
{
    struct agent *b = agent_new(64, 1);
    uint8_t buf[64] = {9};
    struct probe_dma dma = agent_op(DMA_WRITE, 3, buf, 64);

    dma.op.request_pages = true;
    b->page[3].rights = 0;
    ck_assert_int_eq(agent_run(b, dma), DMA_DENIED); /* not enabled */
    ck_assert_uint_eq(agent_pri_status(b), PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID);
    agent_set_pri(b, PCI_PRI_CONTROL_ENABLE, 2);
    ck_assert_uint_eq(agent_pri_status(b), PCI_PRI_STATUS_PASID);
    probe_dma_start(&b->probe->func[0], &dma);
    rig_settle(b->rig);
    ck_assert_uint_eq(b->page_requests, 1);
    ck_assert_uint_eq(b->page_request[0].addr, IOVA + 3 * PAGE);
    ck_assert(b->page_request[0].write && !b->page_request[0].read && b->page_request[0].last);
    ck_assert(!dma.done);
    b->page[3].rights = READ | WRITE;
    agent_respond(b, b->page_request[0].group, ATS_RESPONSE_SUCCESS);
    ck_assert(dma.done);
    ck_assert_int_eq(dma.status, DMA_OK);
    ck_assert_mem_eq(b->rig->low + b->page[3].addr, buf, 64);
    ck_assert_uint_eq(endpoint_ats_counts(b->func)->page_responses, 1);

    /* Success without a page is asked again, but not for ever. */
    b->page[4].rights = 0;
    dma.op.addr = IOVA + 4 * PAGE;
    b->page_requests = 0;
    probe_dma_start(&b->probe->func[0], &dma);
    rig_settle(b->rig);
    for (unsigned i = 0; i < 12 && !dma.done; i++)
        agent_respond(b, b->page_request[b->page_requests - 1].group, ATS_RESPONSE_SUCCESS);
    ck_assert(dma.done);
    ck_assert_int_eq(dma.status, DMA_DENIED);
    agent_free(b);
}
END_TEST

START_TEST(page_responses_that_say_no)
{
    struct agent *b = agent_new(64, 1);
    uint8_t buf[64], other[64];
    struct probe_dma dma = agent_op(DMA_READ, 3, buf, 64), more = agent_op(DMA_READ, 4, other, 64);

    dma.op.request_pages = more.op.request_pages = true;
    b->page[3].rights = b->page[4].rights = 0;
    agent_set_pri(b, PCI_PRI_CONTROL_ENABLE, 2);
    probe_dma_start(&b->probe->func[0], &dma);
    rig_settle(b->rig);
    agent_respond(b, b->page_request[0].group, ATS_RESPONSE_INVALID);
    ck_assert(dma.done);
    ck_assert_int_eq(dma.status, DMA_DENIED);
    ck_assert_uint_eq(agent_pri_status(b), PCI_PRI_STATUS_PASID);
    agent_respond(b, 99, ATS_RESPONSE_SUCCESS);
    ck_assert_uint_eq(agent_pri_status(b), PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_UNEXPECTED);

    /* A failure ends all that is outstanding, and the interface. */
    probe_dma_start(&b->probe->func[0], &dma);
    probe_dma_start(&b->probe->func[0], &more);
    rig_settle(b->rig);
    ck_assert_uint_eq(b->page_requests, 3);
    agent_respond(b, b->page_request[1].group, ATS_RESPONSE_FAILURE);
    ck_assert(dma.done && more.done);
    ck_assert_int_eq(more.status, DMA_DENIED);
    ck_assert_uint_eq(agent_pri_status(b), PCI_PRI_STATUS_PASID | PCI_PRI_STATUS_UNEXPECTED |
                                               PCI_PRI_STATUS_FAILURE | PCI_PRI_STATUS_STOPPED);
    ck_assert_uint_eq(rig_cfg_read(b->rig, agent_cap(b, b->probe->func[0].pci->ext_pri + 4), 2), 0);
    agent_free(b);
}
END_TEST

START_TEST(no_more_page_requests_than_allocated)
{
    struct agent *b = agent_new(64, 1);
    uint8_t buf[4][64];
    struct probe_dma dma[4];

    agent_set_pri(b, PCI_PRI_CONTROL_ENABLE, 2);
    for (unsigned i = 0; i < 4; i++) {
        b->page[i].rights = 0;
        dma[i] = agent_op(DMA_READ, i, buf[i], 64);
        dma[i].op.request_pages = true;
        probe_dma_start(&b->probe->func[0], &dma[i]);
    }
    rig_settle(b->rig);
    ck_assert_uint_eq(b->page_requests, 2);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_lt(i, b->page_requests);
        b->page[i].rights = READ;
        agent_respond(b, b->page_request[i].group, ATS_RESPONSE_SUCCESS);
    }
    for (unsigned i = 0; i < 4; i++)
        ck_assert(dma[i].done && dma[i].status == DMA_OK);
    ck_assert_uint_eq(b->page_requests, 4);

    /* Disabled while busy it is not stopped yet; a reset forgets what is outstanding. */
    b->page[5].rights = 0;
    dma[0] = agent_op(DMA_READ, 5, buf[0], 64);
    dma[0].op.request_pages = true;
    probe_dma_start(&b->probe->func[0], &dma[0]);
    rig_settle(b->rig);
    agent_set_pri(b, 0, 2);
    ck_assert(!(agent_pri_status(b) & PCI_PRI_STATUS_STOPPED));
    agent_set_pri(b, PCI_PRI_CONTROL_RESET, 2);
    ck_assert(agent_pri_status(b) & PCI_PRI_STATUS_STOPPED);
    rig_settle(b->rig);
    ck_assert(dma[0].done);
    ck_assert_int_eq(dma[0].status, DMA_DENIED);
    agent_free(b);
}
END_TEST

/* The pages of one operation as one group: each counts, the last alone is answered. */
START_TEST(groups_of_pages)
{
    struct agent *b = agent_new(64, 1);
    uint8_t buf[3 * PAGE], other[64];
    struct probe_dma dma = agent_op(DMA_READ, 2, buf, sizeof(buf)),
                     more = agent_op(DMA_READ, 6, other, 64);
    const struct ats_page_request *asked = b->page_request;

    dma.op.request_pages = dma.op.group_pages = more.op.request_pages = true;
    agent_set_pri(b, PCI_PRI_CONTROL_ENABLE, 3);
    b->page[2].rights = b->page[3].rights = b->page[4].rights = b->page[6].rights = 0;
    probe_dma_start(&b->probe->func[0], &dma);
    rig_settle(b->rig);
    probe_dma_start(&b->probe->func[0], &more);
    rig_settle(b->rig);
    ck_assert_uint_eq(b->page_requests, 3); /* no more are allowed */
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(asked[i].addr, IOVA + (2 + i) * PAGE);
        ck_assert_uint_eq(asked[i].group, asked[0].group);
        ck_assert(asked[i].read && asked[i].last == (i == 2));
        b->page[2 + i].rights = READ;
    }
    agent_respond(b, asked[0].group, ATS_RESPONSE_SUCCESS);
    ck_assert(dma.done && !more.done);
    ck_assert_int_eq(dma.status, DMA_OK);
    ck_assert_uint_eq(b->page_requests, 4);
    ck_assert(asked[3].last);
    b->page[6].rights = READ;
    agent_respond(b, asked[3].group, ATS_RESPONSE_SUCCESS);
    ck_assert(more.done);
    ck_assert_uint_eq(endpoint_ats_counts(b->func)->page_requests, 4);
    ck_assert_uint_eq(endpoint_ats_counts(b->func)->page_responses, 2);
    agent_set_pri(b, 0, 3);
    ck_assert(agent_pri_status(b) & PCI_PRI_STATUS_STOPPED); /* nothing is outstanding */
    agent_free(b);
}
END_TEST

/* PRG Response PASID Required is clear: a response without answers a request with one. */
START_TEST(responses_without_pasid)
{
    const struct endpoint_ats_options options = {.no_response_pasid = true};
    struct agent *b = agent_new(64, 1);
    uint8_t buf[64];
    struct probe_dma dma = agent_op(DMA_READ, 3, buf, 64);

    endpoint_set_ats_options(b->probe->ep, &options);
    ck_assert_uint_eq(agent_pri_status(b), PCI_PRI_STATUS_STOPPED);
    agent_set_ats(b, false);
    agent_set_pasid(b, PCI_PASID_CONTROL_ENABLE);
    agent_set_ats(b, true);
    agent_set_pri(b, PCI_PRI_CONTROL_ENABLE, 2);
    b->pasid = 7;
    b->page[3].rights = 0;
    dma.op.request_pages = dma.op.has_pasid = true;
    dma.op.pasid = (struct tlp_pasid){.pasid = 7};
    probe_dma_start(&b->probe->func[0], &dma);
    rig_settle(b->rig);
    ck_assert_uint_eq(b->page_pasid.pasid, 7);
    b->page[3].rights = READ;
    agent_respond(b, b->page_request[0].group, ATS_RESPONSE_SUCCESS);
    ck_assert(dma.done);
    ck_assert_int_eq(dma.status, DMA_OK);
    ck_assert_uint_eq(agent_pri_status(b), 0);
    agent_free(b);
}
END_TEST

START_TEST(a_stop_marker)
{
    struct agent *b = agent_new(64, 1);
    const struct tlp_pasid pasid = {.pasid = 9};

    ck_assert(!endpoint_stop_pasid(b->func, &pasid));
    agent_set_pri(b, PCI_PRI_CONTROL_ENABLE, 2);
    ck_assert(endpoint_stop_pasid(b->func, &pasid));
    rig_settle(b->rig);
    ck_assert_uint_eq(b->page_requests, 1);
    ck_assert(b->page_request[0].last && !b->page_request[0].read && !b->page_request[0].write);
    ck_assert_uint_eq(b->page_pasid.pasid, 9);
    agent_free(b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pri");
    TCase *tc = tcase_create("pri");

    suite_add_tcase(suite, tc);
    tcase_add_test(tc, pages_are_asked_for);
    tcase_add_test(tc, page_responses_that_say_no);
    tcase_add_test(tc, no_more_page_requests_than_allocated);
    tcase_add_test(tc, groups_of_pages);
    tcase_add_test(tc, responses_without_pasid);
    tcase_add_test(tc, a_stop_marker);
    return rig_run_suite(suite);
}
