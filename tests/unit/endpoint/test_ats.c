/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A function with Address Translation Services: DMA, its cache, invalidations. */
#include <glib.h>
#include <string.h>

#include "agent.h"

START_TEST(dma_goes_by_translated_addresses)
{
    struct agent *b = agent_new(64, 4);
    uint8_t out[12 * PAGE], in[12 * PAGE]; /* more TLPs than may wait at the other end */

    for (unsigned i = 0; i < sizeof(out); i++)
        out[i] = (uint8_t)(i * 7);
    b->page[1].addr = 0x40000; /* not behind one another */
    ck_assert_int_eq(agent_run(b, agent_op(DMA_WRITE, 0, out, sizeof(out))), DMA_OK);
    ck_assert_mem_eq(b->rig->low + 0x10000, out, PAGE);
    ck_assert_mem_eq(b->rig->low + 0x40000, out + PAGE, PAGE);
    ck_assert_mem_eq(b->rig->low + 0x12000, out + 2 * PAGE, PAGE);
    ck_assert_uint_eq(b->requests, 3);
    ck_assert(!b->last_nw);
    ck_assert_uint_eq(b->untranslated, 0);
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 0, in, sizeof(in))), DMA_OK);
    ck_assert_mem_eq(in, out, sizeof(in));
    ck_assert_uint_eq(b->requests, 3); /* all from the cache */
    ck_assert_uint_eq(endpoint_ats_counts(b->func)->translated, b->translated);

    agent_set_ats(b, false);
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 0, in, 64)), DMA_OK);
    ck_assert_uint_gt(b->untranslated, 0);
    agent_set_ats(b, true); /* and nothing was kept */
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 0, in, 64)), DMA_OK);
    ck_assert_uint_eq(b->requests, 4);
    ck_assert(b->last_nw);
    agent_free(b);
}
END_TEST

START_TEST(several_pages_at_once)
{
    struct agent *b = agent_new(64, 4);
    uint8_t buf[6 * PAGE];

    b->page[5].rights = 0;
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 0, buf, 5 * PAGE)), DMA_OK);
    ck_assert_uint_eq(b->last_pages, 4);
    ck_assert_uint_eq(b->requests, 2); /* pages 0 to 3, then 4, which comes alone */
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 4, buf, 2 * PAGE)), DMA_DENIED);
    /* A large page is one entry. */
    b->page[8].addr = 0x80000;
    b->page[8].shift = 14;
    b->requests = 0;
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 8, buf, 4 * PAGE)), DMA_OK);
    ck_assert_uint_le(b->requests, 4);
    agent_free(b);
}
END_TEST

/* What is asked for begins at a multiple of the unit; a smaller translation helps nobody. */
START_TEST(smallest_translation_unit)
{
    struct agent *b = agent_new(64, 1);
    unsigned control = b->probe->func[0].pci->ext_ats + PCI_ATS_CONTROL;
    uint8_t buf[64];

    agent_set_ats(b, false);
    rig_cfg_write(b->rig, agent_cap(b, control), 2, PCI_ATS_CONTROL_ENABLE | 2);
    b->page[0].addr = 0x20000;
    b->page[0].shift = 14;
    memset(b->rig->low + 0x23000, 0x5a, 64);
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 3, buf, 64)), DMA_OK);
    ck_assert_uint_eq(b->last_addr, IOVA);
    ck_assert_mem_eq(buf, b->rig->low + 0x23000, 64);
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 4, buf, 64)), DMA_OK);
    ck_assert_uint_eq(b->requests, 2);
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 7, buf, 64)), DMA_DENIED);
    ck_assert_uint_eq(b->last_addr, IOVA + 4 * PAGE);
    agent_free(b);
}
END_TEST

START_TEST(the_cache_has_its_size)
{
    static const struct {
        unsigned entries, requests;
    } sizes[] = {{4, 16}, {64, 8}};

    for (unsigned i = 0; i < 2; i++) {
        struct agent *b = agent_new(sizes[i].entries, 1);
        uint8_t buf[8 * PAGE];

        ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 0, buf, sizeof(buf))), DMA_OK);
        ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 0, buf, sizeof(buf))), DMA_OK);
        ck_assert_uint_eq(b->requests, sizes[i].requests);
        agent_free(b);
    }
}
END_TEST

START_TEST(rights)
{
    struct agent *b = agent_new(64, 1);
    uint8_t buf[64] = {1};

    b->page[0].rights = READ;
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 0, buf, 64)), DMA_OK);
    ck_assert_int_eq(agent_run(b, agent_op(DMA_WRITE, 0, buf, 64)), DMA_DENIED);
    ck_assert_uint_eq(b->requests, 2);
    b->page[0].rights = READ | WRITE; /* more rights need no invalidation */
    ck_assert_int_eq(agent_run(b, agent_op(DMA_WRITE, 0, buf, 64)), DMA_OK);
    b->page[1].rights = WRITE;
    ck_assert_int_eq(agent_run(b, agent_op(DMA_WRITE, 1, buf, 64)), DMA_OK);
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 1, buf, 64)), DMA_DENIED);
    b->page[2].rights = READ | UNTRANS;
    b->untranslated = 0;
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 2, buf, 64)), DMA_OK);
    ck_assert(b->untranslated == 1 && b->last_untranslated == IOVA + 2 * PAGE); /* 10.2.3.4 */
    b->refusal = TLP_UR;
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 3, buf, 64)), DMA_UR);
    b->refusal = TLP_CA;
    ck_assert_int_eq(agent_run(b, agent_op(DMA_WRITE, 3, buf, 64)), DMA_CA);
    agent_free(b);
}
END_TEST

START_TEST(invalidation)
{
    struct agent *b = agent_new(64, 1);
    uint8_t buf[64];

    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 0, buf, 64)), DMA_OK);
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 1, buf, 64)), DMA_OK);
    b->page[0].rights = b->page[1].rights = 0;
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 0, buf, 64)),
                     DMA_OK); /* stale, and so it is to be */
    agent_invalidate(b, 5, IOVA, 12, NULL, false);
    ck_assert_uint_eq(b->dones, 1);
    ck_assert_uint_eq(b->done_itags[0], 1u << 5);
    ck_assert_uint_eq(b->done_count, 1);
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 0, buf, 64)), DMA_DENIED);
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 1, buf, 64)), DMA_OK);
    agent_invalidate(b, 0, 0, 64, NULL, false); /* everything */
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 1, buf, 64)), DMA_DENIED);
    ck_assert_uint_eq(endpoint_ats_counts(b->func)->invalidations, 2);
    agent_free(b);
}
END_TEST

START_TEST(an_answer_on_every_traffic_class)
{
    struct agent *b = agent_new(64, 1);
    uint8_t buf[64] = {0};

    for (unsigned tc = 0; tc < 3; tc++) {
        struct probe_dma dma = agent_op(DMA_WRITE, tc, buf, 64);

        dma.op.tc = (uint8_t)(tc * 3);
        ck_assert_int_eq(agent_run(b, dma), DMA_OK);
    }
    agent_invalidate(b, 31, 0, 64, NULL, false);
    ck_assert_uint_eq(b->dones, 3);
    ck_assert_uint_eq(b->done_count, 3);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(b->done_tc[i], 3 * i);
        ck_assert_uint_eq(b->done_itags[i], 1u << 31);
    }
    agent_free(b);
}
END_TEST

START_TEST(an_answer_waits_for_reads_under_way)
{
    struct agent *b = agent_new(64, 1);
    uint8_t buf[64], other[64];
    struct probe_dma dma = agent_op(DMA_READ, 0, buf, 64), later = agent_op(DMA_READ, 1, other, 64);

    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 0, buf, 64)), DMA_OK);
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 1, buf, 64)), DMA_OK);
    b->hold = true;
    probe_dma_start(&b->probe->func[0], &dma);
    rig_settle(b->rig);
    ck_assert_uint_eq(b->kept_count, 1);
    agent_invalidate(b, 1, IOVA, 12, NULL, false);
    ck_assert_uint_eq(b->dones, 0);
    probe_dma_start(&b->probe->func[0], &later); /* begins later: nothing to wait for */
    rig_settle(b->rig);
    ck_assert_uint_eq(b->kept_count, 2);
    struct tlp *second = b->kept[1];
    b->kept_count = 1;
    agent_let_go(b);
    ck_assert(dma.done);
    ck_assert(!later.done);
    ck_assert_uint_eq(b->dones, 1);
    root_translated(b->rig->rc, second, true);
    rig_settle(b->rig);
    ck_assert(later.done);
    agent_free(b);
}
END_TEST

START_TEST(a_translation_that_is_invalidated_under_way_is_not_used)
{
    struct agent *b = agent_new(64, 1);
    uint8_t buf[64];
    struct probe_dma dma = agent_op(DMA_READ, 0, buf, 64);

    b->hold = true;
    probe_dma_start(&b->probe->func[0], &dma);
    rig_settle(b->rig);
    ck_assert_uint_eq(b->requests, 1);
    agent_invalidate(b, 2, IOVA, 12, NULL, false);
    agent_let_go(b);
    ck_assert(dma.done);
    ck_assert_int_eq(dma.status, DMA_OK);
    ck_assert_uint_eq(b->requests, 2); /* asked again */
    ck_assert_uint_eq(b->dones, 1);
    agent_free(b);
}
END_TEST

START_TEST(pasids_are_apart)
{
    struct agent *b = agent_new(64, 1);
    const struct tlp_pasid mine = {.pasid = 0x1234}, other = {.pasid = 0x1235};
    uint8_t buf[64];
    struct probe_dma dma = agent_op(DMA_READ, 0, buf, 64);

    dma.op.has_pasid = true;
    dma.op.pasid = mine;
    b->pasid = mine.pasid;
    ck_assert_int_eq(agent_run(b, dma), DMA_NO_MASTER); /* not enabled */
    ck_assert_uint_eq(b->requests, 0);
    agent_set_ats(b, false);
    agent_set_pasid(b, PCI_PASID_CONTROL_ENABLE);
    agent_set_ats(b, true);
    ck_assert_int_eq(agent_run(b, dma), DMA_OK);
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 0, buf, 64)),
                     DMA_DENIED); /* the function's own */
    b->page[0].rights = 0;
    agent_invalidate(b, 0, IOVA, 12, NULL, false);
    agent_invalidate(b, 1, IOVA, 12, &other, false);
    ck_assert_int_eq(agent_run(b, dma), DMA_OK);
    agent_invalidate(b, 2, IOVA, 12, &other, true);
    ck_assert_int_eq(agent_run(b, dma), DMA_DENIED);

    dma.op.pasid.privileged = true; /* not enabled either */
    ck_assert_int_eq(agent_run(b, dma), DMA_NO_MASTER);
    dma.op.pasid = (struct tlp_pasid){.pasid = 0x10000}; /* 17 bits */
    ck_assert_int_eq(agent_run(b, dma), DMA_NO_MASTER);
    dma.op.forge = true;
    b->requests = 0;
    ck_assert_int_eq(agent_run(b, dma), DMA_DENIED);
    ck_assert_uint_eq(b->requests, 1);
    agent_free(b);
}
END_TEST

START_TEST(execute)
{
    struct agent *b = agent_new(64, 1);
    uint8_t buf[64];
    struct probe_dma dma = agent_op(DMA_READ, 0, buf, 64);

    agent_set_pasid(b, PCI_PASID_CONTROL_ENABLE | PCI_PASID_CAPS_EXECUTE);
    b->pasid = 7;
    dma.op.has_pasid = true;
    dma.op.pasid = (struct tlp_pasid){.pasid = 7, .execute = true};
    ck_assert_int_eq(agent_run(b, dma), DMA_DENIED);
    b->page[0].rights |= EXECUTE;
    ck_assert_int_eq(agent_run(b, dma), DMA_OK);
    agent_free(b);
}
END_TEST

START_TEST(resets_and_bus_mastering)
{
    struct agent *b = agent_new(64, 1);
    uint8_t buf[64];
    struct probe_dma dma = agent_op(DMA_READ, 3, buf, 64), write = agent_op(DMA_WRITE, 4, buf, 64);

    dma.op.request_pages = write.op.request_pages = true;
    b->page[3].rights = b->page[4].rights = 0;
    agent_set_pri(b, PCI_PRI_CONTROL_ENABLE, 4);
    probe_dma_start(&b->probe->func[0], &dma);
    probe_dma_start(&b->probe->func[0], &write);
    rig_settle(b->rig);
    ck_assert_uint_eq(b->page_requests, 2);
    rig_cfg_write(b->rig, EP + PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    rig_settle(b->rig);
    ck_assert(dma.done && write.done);
    ck_assert_int_eq(dma.status, DMA_NO_MASTER);
    /* Their responses find nobody, which is not unexpected. */
    agent_respond(b, b->page_request[0].group, ATS_RESPONSE_SUCCESS);
    ck_assert_uint_eq(agent_pri_status(b) & PCI_PRI_STATUS_UNEXPECTED, 0);
    rig_cfg_write(b->rig, EP + PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);

    b->hold = true;
    dma.op.addr = IOVA;
    probe_dma_start(&b->probe->func[0], &dma);
    rig_settle(b->rig);
    endpoint_reset(b->probe->ep);
    rig_settle(b->rig);
    b->hold = false;
    for (unsigned i = 0; i < b->kept_count; i++)
        tlp_free(b->kept[i]);
    ck_assert(!dma.done); /* dropped */
    ck_assert_uint_eq(agent_pri_status(b) & ~0x8000u, PCI_PRI_STATUS_STOPPED);
    agent_free(b);
}
END_TEST

START_TEST(broken_ones)
{
    struct agent *b = agent_new(64, 1);
    uint8_t buf[64];

    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 0, buf, 64)), DMA_OK);
    endpoint_set_ats_faults(b->func, &(struct endpoint_ats_faults){.silent = true});
    agent_invalidate(b, 1, IOVA, 12, NULL, false);
    ck_assert_uint_eq(b->dones, 0);
    endpoint_set_ats_faults(b->func, &(struct endpoint_ats_faults){.duplicate = true});
    agent_invalidate(b, 1, IOVA, 12, NULL, false);
    ck_assert_uint_eq(b->dones, 2);
    endpoint_set_ats_faults(b->func, &(struct endpoint_ats_faults){.wrong_itag = true});
    agent_invalidate(b, 1, IOVA, 12, NULL, false);
    ck_assert_uint_eq(b->done_itags[2], 4);
    endpoint_set_ats_faults(b->func, &(struct endpoint_ats_faults){.keeps = true});
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 0, buf, 64)), DMA_OK);
    b->page[0].rights = 0;
    agent_invalidate(b, 1, IOVA, 12, NULL, false);
    ck_assert_uint_eq(b->dones, 4);
    ck_assert_int_eq(agent_run(b, agent_op(DMA_READ, 0, buf, 64)), DMA_OK);
    endpoint_set_ats_faults(b->func, &(struct endpoint_ats_faults){.answer_ps = 5000});
    agent_invalidate(b, 1, IOVA, 12, NULL, false);
    ck_assert_uint_eq(b->dones, 4);
    rig_run_for(b->rig, 6000);
    ck_assert_uint_eq(b->dones, 5);
    agent_free(b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ats");
    TCase *tc = tcase_create("ats");

    suite_add_tcase(suite, tc);
    tcase_add_test(tc, dma_goes_by_translated_addresses);
    tcase_add_test(tc, several_pages_at_once);
    tcase_add_test(tc, smallest_translation_unit);
    tcase_add_test(tc, the_cache_has_its_size);
    tcase_add_test(tc, rights);
    tcase_add_test(tc, invalidation);
    tcase_add_test(tc, an_answer_on_every_traffic_class);
    tcase_add_test(tc, an_answer_waits_for_reads_under_way);
    tcase_add_test(tc, a_translation_that_is_invalidated_under_way_is_not_used);
    tcase_add_test(tc, pasids_are_apart);
    tcase_add_test(tc, execute);
    tcase_add_test(tc, resets_and_bus_mastering);
    tcase_add_test(tc, broken_ones);
    return rig_run_suite(suite);
}
