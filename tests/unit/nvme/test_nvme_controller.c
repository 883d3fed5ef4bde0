/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Controller properties, enable, reset, shutdown, interrupts and doorbells. */
#include <check.h>
#include <stdlib.h>

#include "host.h"
#include "pcilab/base/le.h"

static struct host *host;

static void setup(void)
{
    host = host_new(false);
}

static void setup_ready(void)
{
    host = host_ready(false);
}

static void teardown(void)
{
    host_free(host);
}

static uint64_t reg(unsigned offset, unsigned len)
{
    return mock_read(host->func, 0, offset, len);
}

static void set_reg(unsigned offset, unsigned len, uint64_t value)
{
    mock_write(host->func, 0, offset, len, value);
}

static struct host_result identify(void)
{
    return host_run(
        host, 0, &(struct host_cmd){.opcode = NVME_ADMIN_IDENTIFY, .prp1 = HOST_DATA, .cdw10 = 1});
}

START_TEST(properties_read_in_every_width)
{
    uint64_t cap = reg(NVME_REG_CAP, 8);

    ck_assert_uint_eq(cap & 0xffffffff, reg(NVME_REG_CAP, 4));
    ck_assert_uint_eq(cap >> 32, reg(NVME_REG_CAP + 4, 4));
    ck_assert_uint_eq(FIELD_GET(NVME_CAP_MQES, cap), 4095);
    ck_assert(cap & NVME_CAP_CQR);
    ck_assert_uint_eq(cap >> 32 & 0xf, 0); /* DSTRD */
    ck_assert_uint_eq(FIELD_GET(NVME_CAP_CSS, cap), 1);
    ck_assert_uint_eq(reg(NVME_REG_VS, 4), 0x20000);
    ck_assert_uint_eq(reg(NVME_REG_CRTO, 4) & 0xffff, FIELD_GET(NVME_CAP_TO, cap));
    set_reg(NVME_REG_CAP, 8, 0);
    ck_assert_uint_eq(reg(NVME_REG_CAP, 8), cap);
    set_reg(NVME_REG_ASQ, 4, 0x12345fff);
    set_reg(NVME_REG_ASQ + 4, 4, 0x9abcdef0);
    ck_assert_uint_eq(reg(NVME_REG_ASQ, 8), 0x9abcdef012345000);
    set_reg(NVME_REG_AQA, 4, 0xffffffff);
    ck_assert_uint_eq(reg(NVME_REG_AQA, 4), 0x0fff0fff);
    ck_assert_uint_eq(reg(0x38, 8), 0);
    ck_assert_uint_eq(reg(0xff8, 8), 0);
    ck_assert_uint_eq(reg(NVME_REG_DOORBELLS, 4), 0);
}
END_TEST

static const struct {
    uint64_t cc, aqa, asq, acq;
} bad_setups[] = {
    {1 | 5 << 7, 0x00010001, 0x1000, 0x2000},  /* MPS 5 */
    {1 | 1 << 4, 0x00010001, 0x1000, 0x2000},  /* CSS */
    {1 | 2 << 11, 0x00010001, 0x1000, 0x2000}, /* AMS */
    {1, 0x00000001, 0x1000, 0x2000},           /* ACQS 0 */
    {1, 0x00010000, 0x1000, 0x2000},           /* ASQS 0 */
    {1 | 1 << 7, 0x00010001, 0x1000, 0x2000},  /* 8 KiB pages, ASQ at 4 KiB */
    {1 | 1 << 7, 0x00010001, 0x2000, 0x1000},
};

START_TEST(bad_setup_is_fatal_until_reset)
{
    set_reg(NVME_REG_AQA, 4, bad_setups[_i].aqa);
    set_reg(NVME_REG_ASQ, 8, bad_setups[_i].asq);
    set_reg(NVME_REG_ACQ, 8, bad_setups[_i].acq);
    set_reg(NVME_REG_CC, 4, bad_setups[_i].cc);
    mock_run(host->mock, PS_PER_S);
    ck_assert_uint_eq(host_csts(host), NVME_CSTS_CFS);
    set_reg(NVME_REG_DOORBELLS, 4, 1);
    host_disable(host);
    host_enable(host);
    ck_assert_uint_eq(identify().status, NVME_OK);
}
END_TEST

START_TEST(reset_forgets_queues_and_keeps_the_admin_registers)
{
    struct host_cmd read = {.opcode = NVME_IO_READ, .nsid = 1, .prp1 = HOST_DATA};

    for (unsigned i = 0; i < 20; i++) {
        host_queue_cmd(host, 1, &read);
    }
    host_ring(host, 1);
    mock_run(host->mock, 8200 * PS_PER_NS); /* some of them move data */
    host_disable(host);
    ck_assert_uint_eq(reg(NVME_REG_ASQ, 8), host->queue[0].sq);
    ck_assert_uint_eq(reg(NVME_REG_AQA, 4), 0x003f003f);
    uint64_t bytes = host->mock->dma_bytes;
    mock_run(host->mock, PS_PER_S);
    ck_assert_uint_eq(host->mock->dma_bytes, bytes);
    host_enable(host);
    ck_assert_uint_eq(identify().status, NVME_OK);
    host_make_queue(host, 1, 8, 1);
    ck_assert_uint_eq(host_status(host, 1, &read), NVME_OK);
}
END_TEST

START_TEST(ready_falls_after_the_last_dma)
{
    struct host_cmd read = {
        .opcode = NVME_IO_READ, .nsid = 1, .prp1 = HOST_DATA, .cdw12 = 7, .prp2 = 0};

    host->mock->dma_ps = 20 * PS_PER_MS;
    host_queue_cmd(host, 1, &read);
    host_ring(host, 1);
    mock_run(host->mock, 30 * PS_PER_MS); /* fetched; the data is under way */
    ck_assert_ptr_nonnull(host->mock->first);
    set_reg(NVME_REG_CC, 4, 0);
    mock_run(host->mock, 5 * PS_PER_MS);
    ck_assert_uint_eq(host_csts(host), NVME_CSTS_RDY);
    mock_run(host->mock, 20 * PS_PER_MS);
    ck_assert_uint_eq(host_csts(host), 0);
}
END_TEST

START_TEST(function_reset_drops_everything)
{
    struct host_cmd read = {.opcode = NVME_IO_READ, .nsid = 1, .prp1 = HOST_DATA};

    for (unsigned i = 0; i < 20; i++) {
        host_queue_cmd(host, 1, &read);
    }
    host_ring(host, 1);
    mock_run(host->mock, (uint64_t)_i * 500 * PS_PER_NS);
    mock_reset(host->func, ENDPOINT_RESET_FLR);
    ck_assert_uint_eq(host_csts(host), 0);
    ck_assert_uint_eq(reg(NVME_REG_CC, 4), 0);
    ck_assert_uint_eq(reg(NVME_REG_AQA, 4), 0);
    ck_assert_uint_eq(reg(NVME_REG_ASQ, 8), 0);
    uint64_t bytes = host->mock->dma_bytes;
    mock_run(host->mock, PS_PER_S);
    ck_assert_uint_eq(host->mock->dma_bytes, bytes);
    mock_set_msix(host->func, true);
    host_enable(host);
    host_make_queue(host, 1, 8, 1);
    ck_assert_uint_eq(host_status(host, 1, &read), NVME_OK);
}
END_TEST

START_TEST(shutdown_completes_and_flushes)
{
    unsigned kind = _i ? 2 : 1; /* abrupt, normal */
    uint64_t cc = reg(NVME_REG_CC, 4);

    set_reg(NVME_REG_CC, 4, cc | kind << 14);
    ck_assert_uint_eq(FIELD_GET(NVME_CSTS_SHST, host_csts(host)), NVME_SHST_OCCURRING);
    mock_run(host->mock, 10 * PS_PER_MS);
    ck_assert_uint_eq(FIELD_GET(NVME_CSTS_SHST, host_csts(host)), NVME_SHST_COMPLETE);
    ck_assert_uint_eq(host->flushes, 1);
    /* Nothing runs until a reset. */
    host_queue_cmd(host, 0, &(struct host_cmd){.opcode = NVME_ADMIN_IDENTIFY, .cdw10 = 1});
    host_ring(host, 0);
    mock_run(host->mock, PS_PER_S);
    struct host_result result;
    ck_assert(!host_poll(host, 0, &result));
    host_disable(host);
    host_enable(host);
    ck_assert_uint_eq(identify().status, NVME_OK);
}
END_TEST

START_TEST(shutdown_waits_for_commands)
{
    struct host_cmd read = {.opcode = NVME_IO_READ, .nsid = 1, .prp1 = HOST_DATA};
    struct host_result result;

    host->mock->dma_ps = PS_PER_MS;
    host_queue_cmd(host, 0, &(struct host_cmd){.opcode = NVME_ADMIN_ASYNC_EVENT});
    host_ring(host, 0);
    mock_run(host->mock, 10 * PS_PER_MS);
    host_queue_cmd(host, 1, &read);
    host_ring(host, 1);
    mock_run(host->mock, 1500 * PS_PER_US);
    set_reg(NVME_REG_CC, 4, reg(NVME_REG_CC, 4) | 1 << 14);
    mock_run(host->mock, 500 * PS_PER_US);
    ck_assert_uint_eq(FIELD_GET(NVME_CSTS_SHST, host_csts(host)), NVME_SHST_OCCURRING);
    mock_run(host->mock, 10 * PS_PER_MS);
    ck_assert_uint_eq(FIELD_GET(NVME_CSTS_SHST, host_csts(host)), NVME_SHST_COMPLETE);
    ck_assert(host_poll(host, 1, &result));
}
END_TEST

START_TEST(unreachable_queues_are_fatal)
{
    if (_i == 0) {
        host->mock->bad_addr = host->queue[0].sq + host->queue[0].tail * 64;
    } else if (_i == 1) {
        host->mock->bad_addr = host->queue[0].cq + host->queue[0].head * 16;
    } else {
        host->mock->bus_master = false;
    }
    host_queue_cmd(host, 0, &(struct host_cmd){.opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 1});
    host_ring(host, 0);
    mock_run(host->mock, PS_PER_S);
    ck_assert(host_csts(host) & NVME_CSTS_CFS);
    host->mock->bad_addr = 0;
    host->mock->bus_master = true;
    host_disable(host);
    host_enable(host);
    ck_assert_uint_eq(identify().status, NVME_OK);
}
END_TEST

START_TEST(msix_has_a_vector_per_queue)
{
    struct mock_irqs *irqs = mock_irqs(host->func);
    unsigned admin = irqs->vector[0];

    host_status(host, 1, &(struct host_cmd){.opcode = NVME_IO_FLUSH, .nsid = 1});
    ck_assert_uint_eq(irqs->vector[1], 1);
    ck_assert_uint_eq(irqs->vector[0], admin);
    identify();
    ck_assert_uint_eq(irqs->vector[0], admin + 1);
    ck_assert_uint_eq(irqs->intx_edges, 0);
}
END_TEST

START_TEST(pin_follows_the_queues_and_the_mask)
{
    struct mock_irqs *irqs = mock_irqs(host->func);
    struct host_result result;

    host_enable(host);
    host_queue_cmd(host, 0, &(struct host_cmd){.opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 1});
    host_ring(host, 0);
    mock_run(host->mock, PS_PER_MS);
    ck_assert(irqs->intx);
    set_reg(NVME_REG_INTMS, 4, 1);
    ck_assert(!irqs->intx);
    ck_assert_uint_eq(reg(NVME_REG_INTMS, 4), 1);
    ck_assert_uint_eq(reg(NVME_REG_INTMC, 4), 1);
    set_reg(NVME_REG_INTMC, 4, 1);
    ck_assert(irqs->intx);
    ck_assert(host_poll(host, 0, &result));
    ck_assert(!irqs->intx);
    ck_assert_uint_eq(irqs->total, 0);
    mock_set_msix(host->func, true);
    identify();
    ck_assert(!irqs->intx);
    ck_assert_uint_eq(irqs->vector[0], 1);
}
END_TEST

START_TEST(msi_honours_the_mask)
{
    struct mock_irqs *irqs = mock_irqs(host->func);

    mock_set_msi(host->func, true);
    host_enable(host);
    identify();
    ck_assert_uint_eq(irqs->vector[0], 1);
    set_reg(NVME_REG_INTMS, 4, 1);
    host_queue_cmd(host, 0, &(struct host_cmd){.opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 1});
    host_ring(host, 0);
    mock_run(host->mock, PS_PER_MS);
    ck_assert_uint_eq(irqs->vector[0], 1);
    set_reg(NVME_REG_INTMC, 4, 1);
    ck_assert_uint_eq(irqs->vector[0], 2);
}
END_TEST

START_TEST(interrupts_aggregate_as_asked)
{
    struct mock_irqs *irqs = mock_irqs(host->func);
    struct host_cmd flush = {.opcode = NVME_IO_FLUSH, .nsid = 1};
    struct host_cmd set = {
        .opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = NVME_FEAT_COALESCING, .cdw11 = 2 << 8 | 3};

    ck_assert_uint_eq(host_status(host, 0, &set), NVME_OK);
    for (unsigned i = 0; i < 5; i++) {
        host_queue_cmd(host, 1, &flush);
    }
    host_ring(host, 1);
    mock_run(host->mock, 100 * PS_PER_US);
    ck_assert_uint_eq(irqs->vector[1], 1); /* four of them */
    mock_run(host->mock, 200 * PS_PER_US);
    ck_assert_uint_eq(irqs->vector[1], 2); /* and one by time */
    set.cdw10 = NVME_FEAT_VECTOR;
    set.cdw11 = 1 | 1 << 16;
    ck_assert_uint_eq(host_status(host, 0, &set), NVME_OK);
    for (unsigned i = 0; i < 5; i++) {
        host_queue_cmd(host, 1, &flush);
    }
    host_ring(host, 1);
    mock_run(host->mock, 100 * PS_PER_US);
    ck_assert_uint_eq(irqs->vector[1], 7);
}
END_TEST

/* An outstanding request, then something wrong: the event, and what its result must be. */
static void expect_event(uint64_t doorbell, uint32_t value, uint32_t event)
{
    struct host_result result;
    uint16_t cid = host_queue_cmd(host, 0, &(struct host_cmd){.opcode = NVME_ADMIN_ASYNC_EVENT});

    host_ring(host, 0);
    mock_run(host->mock, PS_PER_MS);
    ck_assert(!host_poll(host, 0, &result));
    set_reg((unsigned)doorbell, 4, value);
    mock_run(host->mock, PS_PER_MS);
    ck_assert(host_poll(host, 0, &result));
    ck_assert_uint_eq(result.cid, cid);
    ck_assert_uint_eq(result.status, NVME_OK);
    ck_assert_uint_eq(result.value, event);
}

START_TEST(wrong_doorbells_are_events)
{
    static const struct {
        uint32_t offset, value, event;
    } cases[] = {
        {0x1000 + 2 * 8, 1, 0x010000},                /* no such submission queue */
        {0x1000 + 7 * 8 + 4, 1, 0x010000},            /* no such completion queue */
        {0x1ffc, 1, 0x010000},                        /* nor there */
        {0x1000 + 1 * 8, HOST_ENTRIES, 0x010100},     /* tail outside */
        {0x1000 + 1 * 8 + 4, HOST_ENTRIES, 0x010100}, /* head outside */
        {0x1000 + 1 * 8 + 4, 1, 0x010100},            /* head passes the tail */
    };
    struct host_cmd log = {
        .opcode = NVME_ADMIN_GET_LOG_PAGE, .prp1 = HOST_DATA, .cdw10 = NVME_LOG_ERROR | 15u << 16};
    struct host_result result;

    expect_event(cases[_i].offset, cases[_i].value, cases[_i].event);
    /* The type is masked until its log page is read; then what happened meanwhile is told. */
    host_queue_cmd(host, 0, &(struct host_cmd){.opcode = NVME_ADMIN_ASYNC_EVENT});
    host_ring(host, 0);
    set_reg(cases[_i].offset, 4, cases[_i].value);
    mock_run(host->mock, PS_PER_MS);
    ck_assert(!host_poll(host, 0, &result));
    log.cdw10 |= BIT(15); /* Retain Asynchronous Event */
    ck_assert_uint_eq(host_status(host, 0, &log), NVME_OK);
    mock_run(host->mock, PS_PER_MS);
    ck_assert(!host_poll(host, 0, &result));
    log.cdw10 &= ~BIT(15);
    ck_assert_uint_eq(host_status(host, 0, &log), NVME_OK);
    ck_assert_uint_eq(le16_load(host->mock->ram + HOST_DATA + 10), 0xffff);
    ck_assert_uint_eq(host_wait(host, 0).value, cases[_i].event);
    /* The queue is unharmed. */
    ck_assert_uint_eq(host_status(host, 1, &(struct host_cmd){.opcode = NVME_IO_FLUSH, .nsid = 1}),
                      NVME_OK);
}
END_TEST

START_TEST(tail_that_passes_the_head_is_an_event)
{
    struct host_cmd flush = {.opcode = NVME_IO_FLUSH, .nsid = 1};

    for (unsigned i = 0; i < 10; i++) {
        host_queue_cmd(host, 1, &flush);
    }
    host->mock->dma_ps = PS_PER_S;
    set_reg(0x1008, 4, 10);
    set_reg(0x1008, 4, 9); /* 63 more */
    mock_run(host->mock, 100 * PS_PER_S);
    struct host_result result;
    unsigned done = 0;
    while (host_poll(host, 1, &result)) {
        done++;
    }
    ck_assert_uint_eq(done, 10);
}
END_TEST

START_TEST(doorbells_written_in_part_are_ignored)
{
    host_queue_cmd(host, 1, &(struct host_cmd){.opcode = NVME_IO_FLUSH, .nsid = 1});
    set_reg(0x1008, 2, 1);
    set_reg(0x1009, 1, 1);
    mock_run(host->mock, PS_PER_MS);
    struct host_result result;
    ck_assert(!host_poll(host, 1, &result));
    set_reg(0x1008, 8, 1); /* two doorbells at once; the head stays */
    ck_assert_uint_eq(host_wait(host, 1).status, NVME_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nvme-controller");
    TCase *fresh = tcase_create("fresh");
    TCase *ready = tcase_create("ready");

    tcase_add_checked_fixture(fresh, setup, teardown);
    tcase_add_test(fresh, properties_read_in_every_width);
    tcase_add_loop_test(fresh, bad_setup_is_fatal_until_reset, 0, ARRAY_LEN(bad_setups));
    tcase_add_test(fresh, pin_follows_the_queues_and_the_mask);
    tcase_add_test(fresh, msi_honours_the_mask);
    suite_add_tcase(suite, fresh);
    tcase_add_checked_fixture(ready, setup_ready, teardown);
    tcase_add_test(ready, reset_forgets_queues_and_keeps_the_admin_registers);
    tcase_add_test(ready, ready_falls_after_the_last_dma);
    tcase_add_loop_test(ready, function_reset_drops_everything, 0, 40);
    tcase_add_loop_test(ready, shutdown_completes_and_flushes, 0, 2);
    tcase_add_test(ready, shutdown_waits_for_commands);
    tcase_add_loop_test(ready, unreachable_queues_are_fatal, 0, 3);
    tcase_add_test(ready, msix_has_a_vector_per_queue);
    tcase_add_test(ready, interrupts_aggregate_as_asked);
    tcase_add_loop_test(ready, wrong_doorbells_are_events, 0, 6);
    tcase_add_test(ready, tail_that_passes_the_head_is_an_event);
    tcase_add_test(ready, doorbells_written_in_part_are_ignored);
    suite_add_tcase(suite, ready);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
