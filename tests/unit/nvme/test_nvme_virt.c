/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secondary controllers: resources, states, namespaces of their own. Controller memory buffer,
 * shadow doorbells, NVM Subsystem Reset. */
#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "pcilab/base/le.h"

#define VFS      3
#define CMB_BASE 0x7000000000ULL
#define CMB_SIZE 0x100000u

static struct host *host;
static struct host vf; /* the driver of the first Virtual Function, in the same memory */

static void setup(void)
{
    host = host_new_with(&(struct nvme_params){.vfs = VFS, .vf_queues = 4, .io_queues = 4});
    mock_set_msix(host->func, true);
    host_enable(host);
    vf = (struct host){.mock = host->mock, .ep = host->ep, .func = mock_func(host->ep, 1)};
    for (unsigned i = 0; i < HOST_QUEUES; i++) {
        vf.queue[i].sq = 0x10000 + (i + HOST_QUEUES) * 0x20000;
        vf.queue[i].cq = 0x20000 + (i + HOST_QUEUES) * 0x20000;
    }
}

static void setup_extras(void)
{
    host =
        host_ready_with(&(struct nvme_params){.memory_bytes = CMB_SIZE, .shadow_doorbells = true});
}

static void teardown(void)
{
    host_free(host);
}

static uint8_t *data(void)
{
    return host->mock->ram + HOST_DATA;
}

static uint16_t identify(struct host *h, unsigned cdw10)
{
    memset(data(), 0xee, 4096);
    return host_status(
        h, 0, &(struct host_cmd){.opcode = NVME_ADMIN_IDENTIFY, .prp1 = HOST_DATA, .cdw10 = cdw10});
}

static struct host_result manage(unsigned act, unsigned type, unsigned cntlid, unsigned count)
{
    return host_run(host, 0,
                    &(struct host_cmd){.opcode = NVME_ADMIN_VIRTUALIZATION,
                                       .cdw10 = act | type << 8 | cntlid << 16,
                                       .cdw11 = count});
}

enum { PRIMARY = 1, OFFLINE = 7, ASSIGN = 8, ONLINE = 9, VQ = 0, VI = 1 };

START_TEST(capabilities_and_the_list)
{
    ck_assert_uint_eq(identify(host, 0x14), NVME_OK);
    ck_assert_uint_eq(data()[4], 3);
    for (unsigned at = 32; at <= 64; at += 32) {
        ck_assert_uint_eq(le32_load(data() + at), VFS * 5);
        ck_assert_uint_eq(le32_load(data() + at + 4), 0);
        ck_assert_uint_eq(le16_load(data() + at + 10), 5);
        ck_assert_uint_eq(le16_load(data() + at + 12), VFS * 5);
    }
    ck_assert_uint_eq(manage(ASSIGN, VQ, 2, 3).value, 3);
    ck_assert_uint_eq(manage(ASSIGN, VI, 2, 4).value, 4);
    ck_assert_uint_eq(identify(host, 0x14), NVME_OK);
    ck_assert_uint_eq(le32_load(data() + 36), 3);
    ck_assert_uint_eq(le32_load(data() + 68), 4);
    ck_assert_uint_eq(identify(host, 0x15 | 2 << 16), NVME_OK);
    ck_assert_uint_eq(data()[0], 2);
    ck_assert_uint_eq(le64_load(data() + 32), 2);     /* SCID 2 of PCID 0, offline */
    ck_assert_uint_eq(le16_load(data() + 32 + 8), 2); /* VF number */
    ck_assert_uint_eq(le32_load(data() + 32 + 10), 4 << 16 | 3);
    ck_assert_uint_eq(le16_load(data() + 64), 3);
    ck_assert_uint_eq(identify(host, 0x13), NVME_OK);
    ck_assert_uint_eq(le64_load(data()), 4 | 1ULL << 32 | 2ULL << 48);
}
END_TEST

START_TEST(management_has_the_right_errors)
{
    ck_assert_uint_eq(manage(2, 0, 1, 1).status, DNR(0x002));
    ck_assert_uint_eq(manage(ASSIGN, 2, 1, 1).status, DNR(NVME_INVALID_RESOURCE_ID));
    ck_assert_uint_eq(manage(ASSIGN, VQ, 0, 1).status, DNR(NVME_INVALID_CTRL_ID));
    ck_assert_uint_eq(manage(ASSIGN, VQ, 4, 1).status, DNR(NVME_INVALID_CTRL_ID));
    ck_assert_uint_eq(manage(PRIMARY, VQ, 1, 1).status, DNR(NVME_INVALID_CTRL_ID));
    ck_assert_uint_eq(manage(ASSIGN, VQ, 1, 16).status, DNR(NVME_INVALID_RESOURCE_COUNT));
    ck_assert_uint_eq(manage(ASSIGN, VQ, 1, 10).status, NVME_OK);
    ck_assert_uint_eq(manage(ASSIGN, VQ, 2, 6).status, DNR(NVME_INVALID_RESOURCE_COUNT));
    ck_assert_uint_eq(manage(PRIMARY, VQ, 0, 6).status, DNR(NVME_INVALID_RESOURCE_COUNT));
    ck_assert_uint_eq(manage(ONLINE, 0, 1, 0).status, DNR(NVME_INVALID_SECONDARY_STATE));
    ck_assert_uint_eq(manage(ASSIGN, VI, 1, 1).status, NVME_OK);
    /* No Virtual Function is enabled. */
    ck_assert_uint_eq(manage(ONLINE, 0, 1, 0).status, DNR(NVME_INVALID_SECONDARY_STATE));
    mock_set_vfs(host->func, 1);
    ck_assert_uint_eq(manage(ASSIGN, VQ, 1, 2).status, NVME_OK);
    ck_assert_uint_eq(manage(ASSIGN, VI, 1, 2).status, NVME_OK);
    ck_assert_uint_eq(manage(ONLINE, 0, 1, 0).status, NVME_OK);
    ck_assert_uint_eq(manage(ASSIGN, VQ, 1, 3).status, DNR(NVME_INVALID_SECONDARY_STATE));
    ck_assert_uint_eq(manage(ONLINE, 0, 2, 0).status, DNR(NVME_INVALID_SECONDARY_STATE));
    ck_assert_uint_eq(manage(OFFLINE, 0, 1, 0).status, NVME_OK);
    ck_assert_uint_eq(identify(host, 0x14), NVME_OK);
    ck_assert_uint_eq(le32_load(data() + 36), 0); /* all given back */
}
END_TEST

START_TEST(the_primary_gets_more_after_a_reset)
{
    struct host_cmd queues = {.opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = NVME_FEAT_QUEUES};

    ck_assert_uint_eq(host_run(host, 0, &queues).value, 3 << 16 | 3);
    ck_assert_uint_eq(manage(PRIMARY, VQ, 0, 2).value, 2);
    ck_assert_uint_eq(manage(PRIMARY, VI, 0, 2).value, 2);
    ck_assert_uint_eq(host_run(host, 0, &queues).value, 3 << 16 | 3);
    host_disable(host);
    host_enable(host);
    ck_assert_uint_eq(host_run(host, 0, &queues).value, 5 << 16 | 5);
    ck_assert_uint_eq(identify(host, 0x14), NVME_OK);
    ck_assert_uint_eq(le16_load(data() + 40), 2);
}
END_TEST

static void bring_vf_online(void)
{
    mock_set_vfs(host->func, VFS);
    ck_assert_uint_eq(manage(ASSIGN, VQ, 1, 3).status, NVME_OK);
    ck_assert_uint_eq(manage(ASSIGN, VI, 1, 2).status, NVME_OK);
    ck_assert_uint_eq(host_csts(&vf), NVME_CSTS_CFS);
    ck_assert_uint_eq(manage(ONLINE, 0, 1, 0).status, NVME_OK);
    mock_run(host->mock, PS_PER_MS);
    ck_assert_uint_eq(host_csts(&vf), 0);
    mock_set_msix(vf.func, true);
    host_enable(&vf);
}

START_TEST(a_virtual_function_is_a_controller)
{
    struct host_cmd queues = {.opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = NVME_FEAT_QUEUES};
    struct host_cmd bad = {
        .opcode = NVME_ADMIN_CREATE_CQ, .cdw10 = 2 | 7 << 16, .cdw11 = 2 << 16 | 3};

    bring_vf_online();
    ck_assert_uint_eq(host_run(&vf, 0, &queues).value, 1 << 16 | 1);
    ck_assert_uint_eq(identify(&vf, 1), NVME_OK);
    ck_assert_uint_eq(le16_load(data() + 78), 1);
    ck_assert_uint_eq(data()[76], 6);              /* one of several, of a Virtual Function */
    ck_assert_uint_eq(le16_load(data() + 256), 2); /* format alone */
    ck_assert_uint_eq(identify(&vf, 0x15), DNR(0x002));
    ck_assert_uint_eq(identify(&vf, 2), NVME_OK);
    ck_assert_uint_eq(le32_load(data()), 0); /* no namespace yet */
    ck_assert_uint_eq(host_status(&vf, 0, &(struct host_cmd){.opcode = NVME_ADMIN_VIRTUALIZATION}),
                      DNR(0x001));
    ck_assert_uint_eq(host_status(&vf, 0, &(struct host_cmd){.opcode = NVME_ADMIN_NS_MANAGEMENT}),
                      DNR(0x001));
    ck_assert_uint_eq(host_status(&vf, 0, &bad), DNR(NVME_INVALID_VECTOR));
    host_make_queue(&vf, 1, 16, 1);
    bad.cdw10 = 3 | 7 << 16;
    bad.cdw11 = 3;
    ck_assert_uint_eq(host_status(&vf, 0, &bad), DNR(NVME_INVALID_QID));
    ck_assert_uint_eq(mock_irqs(vf.func)->vector[0], 10);
}
END_TEST

static uint16_t attach(uint32_t nsid, unsigned cntlid, bool detach)
{
    memset(data(), 0, 4096);
    le16_store(data(), 1);
    le16_store(data() + 2, (uint16_t)cntlid);
    return host_status(
        host, 0,
        &(struct host_cmd){
            .opcode = NVME_ADMIN_NS_ATTACHMENT, .nsid = nsid, .prp1 = HOST_DATA, .cdw10 = detach});
}

START_TEST(namespaces_of_one_and_of_both)
{
    struct host_cmd write = {.opcode = NVME_IO_WRITE, .nsid = 1, .prp1 = HOST_DATA, .cdw10 = 1};

    bring_vf_online();
    host_make_queue(&vf, 1, 16, 1);
    ck_assert_uint_eq(attach(1, 1, false), DNR(NVME_NAMESPACE_PRIVATE));
    ck_assert_uint_eq(attach(1, 0, true), NVME_OK);
    ck_assert_uint_eq(attach(1, 1, false), NVME_OK);
    memset(data(), 0x5a, 512);
    ck_assert_uint_eq(host_status(&vf, 1, &write), NVME_OK);
    ck_assert_uint_eq(host->disk[512], 0x5a);
    ck_assert_uint_eq(identify(host, 2), NVME_OK);
    ck_assert_uint_eq(le32_load(data()), 0);
    ck_assert_uint_eq(
        host_status(
            host, 0,
            &(struct host_cmd){.opcode = NVME_ADMIN_NS_MANAGEMENT, .nsid = 0xffffffff, .cdw10 = 1}),
        NVME_OK);
    ck_assert_uint_eq(host_status(&vf, 1, &write), DNR(0x002));
    memset(data(), 0, 4096);
    data()[0] = data()[8] = 64;
    data()[30] = 1; /* shared */
    ck_assert_uint_eq(
        host_status(host, 0,
                    &(struct host_cmd){.opcode = NVME_ADMIN_NS_MANAGEMENT, .prp1 = HOST_DATA}),
        NVME_OK);
    ck_assert_uint_eq(attach(1, 0, false), NVME_OK);
    ck_assert_uint_eq(attach(1, 1, false), NVME_OK);
    ck_assert_uint_eq(host_status(&vf, 1, &write), NVME_OK);
    ck_assert_uint_eq(identify(host, 2), NVME_OK);
    ck_assert_uint_eq(le32_load(data()), 1);
}
END_TEST

START_TEST(offline_ends_everything)
{
    struct host_cmd flush = {.opcode = NVME_IO_FLUSH, .nsid = 0xffffffff};

    bring_vf_online();
    host_make_queue(&vf, 1, 16, 1);
    for (unsigned i = 0; i < 10; i++)
        host_queue_cmd(&vf, 1, &flush);
    host_ring(&vf, 1);
    mock_run(host->mock, (uint64_t)_i * 300 * PS_PER_NS);
    if (_i % 2)
        ck_assert_uint_eq(manage(OFFLINE, 0, 1, 0).status, NVME_OK);
    else
        mock_set_vfs(host->func, 0);
    ck_assert_uint_eq(host_csts(&vf), NVME_CSTS_CFS);
    mock_write(vf.func, 0, NVME_REG_CC, 4, 0x460001);
    mock_run(host->mock, PS_PER_S);
    ck_assert_uint_eq(host_csts(&vf), NVME_CSTS_CFS);
    bring_vf_online();
    ck_assert_uint_eq(identify(&vf, 1), NVME_OK);
}
END_TEST

START_TEST(subsystem_reset_is_of_all)
{
    bring_vf_online();
    mock_write(host->func, 0, NVME_REG_NSSR, 4, 0x4e564d64);
    ck_assert_uint_eq(host_csts(host), NVME_CSTS_RDY);
    mock_write(vf.func, 0, NVME_REG_NSSR, 4, NVME_NSSR_KEY);
    ck_assert_uint_eq(host_csts(host), NVME_CSTS_NSSRO);
    ck_assert_uint_eq(host_csts(&vf), NVME_CSTS_NSSRO);
    ck_assert_uint_eq(mock_read(host->func, 0, NVME_REG_CC, 4), 0);
    mock_run(host->mock, PS_PER_MS);
    mock_write(host->func, 0, NVME_REG_CSTS, 4, NVME_CSTS_NSSRO);
    ck_assert_uint_eq(host_csts(host), 0);
    host_enable(host);
    ck_assert_uint_eq(identify(host, 1), NVME_OK);
}
END_TEST

/* Controller memory buffer. */

static void cmb_enable(void)
{
    ck_assert(mock_read(host->func, 0, NVME_REG_CAP, 8) & NVME_CAP_CMBS);
    ck_assert_uint_eq(mock_read(host->func, 0, NVME_REG_CMBSZ, 4), 0);
    mock_write(host->func, 0, NVME_REG_CMBMSC, 8, CMB_BASE | 3);
    ck_assert_uint_eq(mock_read(host->func, 0, NVME_REG_CMBLOC, 4) & 7, 2);
    ck_assert_uint_eq(mock_read(host->func, 0, NVME_REG_CMBSZ, 4), CMB_SIZE | 0x1f);
    ck_assert_uint_eq(mock_read(host->func, 0, NVME_REG_CMBSTS, 4), 0);
}

START_TEST(data_and_lists_in_controller_memory)
{
    struct host_cmd write = {.opcode = NVME_IO_WRITE,
                             .nsid = 1,
                             .prp1 = CMB_BASE + 0x2000,
                             .prp2 = CMB_BASE + 0x1000,
                             .cdw12 = 31};

    ck_assert_uint_eq(host_status(host, 1, &write), NVME_DATA_TRANSFER_ERROR);
    cmb_enable();
    for (unsigned i = 0; i < 3; i++) { /* one page in host memory */
        uint64_t page = i == 1 ? HOST_DATA : CMB_BASE + 0x10000 + i * 0x2000;
        mock_write(host->func, 2, 0x1000 + i * 8, 8, page);
    }
    for (unsigned i = 0; i < 4096; i += 8) {
        mock_write(host->func, 2, 0x2000 + i, 8, 0x1111111111111111);
        mock_write(host->func, 2, 0x14000 + i, 8, 0x4444444444444444);
    }
    memset(data(), 0x33, 4096);
    ck_assert_uint_eq(host_status(host, 1, &write), NVME_OK);
    for (unsigned i = 0; i < 4; i++) {
        static const uint8_t expected[] = {0x11, 0, 0x33, 0x44};
        ck_assert_uint_eq(host->disk[i * 4096], expected[i]);
        ck_assert_uint_eq(host->disk[i * 4096 + 4095], expected[i]);
    }
    write.opcode = NVME_IO_READ;
    write.prp1 = CMB_BASE + CMB_SIZE - 4096;
    write.cdw12 = 7;
    ck_assert_uint_eq(host_status(host, 1, &write), NVME_OK);
    ck_assert_uint_eq(mock_read(host->func, 2, CMB_SIZE - 1, 1), 0x11);
    mock_write(host->func, 0, NVME_REG_CMBMSC, 8, 0xfffffffffffff003);
    ck_assert_uint_eq(mock_read(host->func, 0, NVME_REG_CMBSTS, 4), 1);
    mock_reset(host->func, ENDPOINT_RESET_FLR);
    ck_assert_uint_eq(mock_read(host->func, 2, CMB_SIZE - 1, 1), 0);
}
END_TEST

/* Shadow doorbells: the pages are the two at HOST_DATA. */

static uint32_t event_index(unsigned index)
{
    return le32_load(data() + 4096 + index * 4);
}

START_TEST(tails_are_found_in_memory)
{
    struct host_cmd flush = {.opcode = NVME_IO_FLUSH, .nsid = 1};
    struct host_cmd set = {.opcode = NVME_ADMIN_DOORBELL_BUFFER, .prp1 = HOST_DATA};
    struct host_queue *q = &host->queue[1];
    struct host_result result;

    ck_assert_uint_eq(host_status(host, 0, &set), DNR(0x002));
    set.prp2 = HOST_DATA + 4100;
    ck_assert_uint_eq(host_status(host, 0, &set), DNR(0x002));
    set.prp2 = HOST_DATA + 4096;
    ck_assert_uint_eq(host_status(host, 0, &set), NVME_OK);
    for (unsigned i = 0; i < 200; i++) {
        /* Rings only when it has to, and while the controller works on the first never. */
        for (unsigned n = 0; n < 3; n++) {
            uint32_t old = q->tail;
            host_queue_cmd(host, 1, &flush);
            le32_store(data() + 8, q->tail);
            uint32_t since = (q->tail + 64 - event_index(2) - 1) % 64;
            if (since < (q->tail + 64 - old) % 64)
                host_ring(host, 1);
            if (i & 1)
                mock_run(host->mock, 50 * PS_PER_NS);
        }
        for (unsigned n = 0; n < 3; n++)
            ck_assert_uint_eq(host_wait(host, 1).status, NVME_OK);
        mock_run(host->mock, 10 * PS_PER_US);
        ck_assert_uint_eq(event_index(2), q->tail);
    }
    ck_assert(!host_poll(host, 1, &result));
    ck_assert_uint_eq(host->flushes, 600);
    host->mock->bad_addr = HOST_DATA + 8;
    host_queue_cmd(host, 1, &flush);
    host_ring(host, 1);
    mock_run(host->mock, PS_PER_MS);
    ck_assert(host_csts(host) & NVME_CSTS_CFS);
    host->mock->bad_addr = 0;
    host_disable(host);
    host_enable(host);
    host_make_queue(host, 1, 8, 1);
    ck_assert_uint_eq(host_status(host, 1, &flush), NVME_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nvme-virt");
    TCase *virt = tcase_create("virt"), *extras = tcase_create("extras");

    tcase_add_checked_fixture(virt, setup, teardown);
    tcase_add_test(virt, capabilities_and_the_list);
    tcase_add_test(virt, management_has_the_right_errors);
    tcase_add_test(virt, the_primary_gets_more_after_a_reset);
    tcase_add_test(virt, a_virtual_function_is_a_controller);
    tcase_add_test(virt, namespaces_of_one_and_of_both);
    tcase_add_loop_test(virt, offline_ends_everything, 0, 30);
    tcase_add_test(virt, subsystem_reset_is_of_all);
    suite_add_tcase(suite, virt);
    tcase_add_checked_fixture(extras, setup_extras, teardown);
    tcase_add_test(extras, data_and_lists_in_controller_memory);
    tcase_add_test(extras, tails_are_found_in_memory);
    suite_add_tcase(suite, extras);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
