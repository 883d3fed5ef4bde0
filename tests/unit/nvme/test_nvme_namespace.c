/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Namespaces: made, attached, formatted and deleted by the host; what is told of it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "pcilab/base/le.h"

#define MIB 0x100000u

static struct host *host;

static void setup(void)
{
    host = host_ready(false);
}

static void setup_three(void)
{
    host = host_ready_with(
        &(struct nvme_params){.namespaces = 3, .namespace_bytes = 4 * MIB, .block_bytes = 4096});
}

static void teardown(void)
{
    host_free(host);
}

static uint8_t *data(void)
{
    return host->mock->ram + HOST_DATA;
}

static uint16_t identify(unsigned cns, uint32_t nsid)
{
    memset(data(), 0xee, 4096);
    return host_status(
        host, 0,
        &(struct host_cmd){
            .opcode = NVME_ADMIN_IDENTIFY, .nsid = nsid, .prp1 = HOST_DATA, .cdw10 = cns});
}

static struct host_result create(uint64_t blocks, unsigned format, unsigned nmic)
{
    memset(data(), 0, 4096);
    le64_store(data(), blocks);
    le64_store(data() + 8, blocks);
    data()[26] = (uint8_t)format;
    data()[30] = (uint8_t)nmic;
    return host_run(host, 0,
                    &(struct host_cmd){.opcode = NVME_ADMIN_NS_MANAGEMENT, .prp1 = HOST_DATA});
}

static uint16_t delete (uint32_t nsid)
{
    return host_status(
        host, 0, &(struct host_cmd){.opcode = NVME_ADMIN_NS_MANAGEMENT, .nsid = nsid, .cdw10 = 1});
}

static uint16_t attach_list(uint32_t nsid, bool detach, unsigned count, unsigned first)
{
    memset(data(), 0, 4096);
    le16_store(data(), (uint16_t)count);
    le16_store(data() + 2, (uint16_t)first);
    return host_status(
        host, 0,
        &(struct host_cmd){
            .opcode = NVME_ADMIN_NS_ATTACHMENT, .nsid = nsid, .prp1 = HOST_DATA, .cdw10 = detach});
}

static uint16_t attach(uint32_t nsid)
{
    return attach_list(nsid, false, 1, 0);
}

static uint16_t detach(uint32_t nsid)
{
    return attach_list(nsid, true, 1, 0);
}

static uint16_t io(uint8_t opcode, uint32_t nsid, uint64_t lba, unsigned blocks)
{
    return host_status(host, 1,
                       &(struct host_cmd){.opcode = opcode,
                                          .nsid = nsid,
                                          .prp1 = HOST_DATA,
                                          .prp2 = HOST_DATA + 4096,
                                          .cdw10 = (uint32_t)lba,
                                          .cdw12 = blocks - 1});
}

static uint16_t format(uint32_t nsid, uint32_t cdw10)
{
    return host_status(
        host, 0, &(struct host_cmd){.opcode = NVME_ADMIN_FORMAT, .nsid = nsid, .cdw10 = cdw10});
}

static uint64_t capacity_left(void)
{
    ck_assert_uint_eq(identify(1, 0), NVME_OK);
    ck_assert_uint_eq(le64_load(data() + 280), HOST_DISK_BYTES);
    return le64_load(data() + 296);
}

START_TEST(the_topology_says_what_is_there_first)
{
    ck_assert_uint_eq(capacity_left(), HOST_DISK_BYTES - 12 * MIB);
    ck_assert_uint_eq(identify(2, 0), NVME_OK);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(le32_load(data() + i * 4), i < 3 ? i + 1 : 0);
    ck_assert_uint_eq(identify(0, 2), NVME_OK);
    ck_assert_uint_eq(le64_load(data()), 4 * MIB / 4096);
    ck_assert_uint_eq(data()[25], 1);
    ck_assert_uint_eq(data()[26], 1);
    ck_assert_uint_eq(le32_load(data() + 128), 9 << 16);
    ck_assert_uint_eq(le32_load(data() + 132), 12 << 16);
    /* One behind the other in the storage. */
    for (uint32_t nsid = 1; nsid <= 3; nsid++) {
        memset(data(), (int)nsid, 8192);
        ck_assert_uint_eq(io(NVME_IO_WRITE, nsid, 4 * MIB / 4096 - 2, 2), NVME_OK);
        ck_assert_uint_eq(io(NVME_IO_WRITE, nsid, 4 * MIB / 4096 - 1, 2), DNR(0x080));
        ck_assert_uint_eq(host->disk[nsid * 4 * MIB - 8193], 0);
        ck_assert_uint_eq(host->disk[nsid * 4 * MIB - 8192], nsid);
        ck_assert_uint_eq(host->disk[nsid * 4 * MIB - 1], nsid);
    }
}
END_TEST

START_TEST(created_attached_used_detached_deleted)
{
    ck_assert_uint_eq(create(1024, 0, 0).status, DNR(NVME_INSUFFICIENT_CAPACITY));
    ck_assert_uint_eq(delete (1), NVME_OK);
    ck_assert_uint_eq(capacity_left(), HOST_DISK_BYTES);
    ck_assert_uint_eq(io(NVME_IO_READ, 1, 0, 1), DNR(0x002));
    memset(host->disk, 0x77, HOST_DISK_BYTES); /* what somebody else left */
    ck_assert_uint_eq(create(3000, 0, 0).value, 1);
    struct host_result second = create(1000, 1, 0);
    ck_assert_uint_eq(second.status, NVME_OK);
    ck_assert_uint_eq(second.value, 2);
    ck_assert_uint_eq(identify(2, 0), NVME_OK);
    ck_assert_uint_eq(le32_load(data()), 0); /* none is attached */
    ck_assert_uint_eq(identify(0x10, 0), NVME_OK);
    ck_assert_uint_eq(le64_load(data()), 1 | 2ULL << 32);
    ck_assert_uint_eq(identify(0x11, 2), NVME_OK);
    ck_assert_uint_eq(le64_load(data()), 1000);
    ck_assert_uint_eq(identify(0, 2), NVME_OK);
    ck_assert_uint_eq(le64_load(data()), 0);
    ck_assert_uint_eq(io(NVME_IO_READ, 2, 0, 1), DNR(0x002));
    ck_assert_uint_eq(attach(2), NVME_OK);
    ck_assert_uint_eq(identify(0x12, 2), NVME_OK);
    ck_assert_uint_eq(le32_load(data()), 1);
    ck_assert_uint_eq(io(NVME_IO_READ, 2, 999, 1), NVME_OK);
    for (unsigned i = 0; i < 4096; i++)
        ck_assert_uint_eq(data()[i], 0); /* nothing of what was there */
    ck_assert_uint_eq(io(NVME_IO_READ, 2, 1000, 1), DNR(0x080));
    ck_assert_uint_eq(detach(2), NVME_OK);
    ck_assert_uint_eq(io(NVME_IO_READ, 2, 0, 1), DNR(0x002));
    ck_assert_uint_eq(delete (0xffffffff), NVME_OK);
    ck_assert_uint_eq(identify(0x10, 0), NVME_OK);
    ck_assert_uint_eq(le32_load(data()), 0);
    ck_assert_uint_eq(capacity_left(), HOST_DISK_BYTES);
}
END_TEST

START_TEST(management_has_the_right_errors)
{
    ck_assert_uint_eq(delete (33), DNR(0x00b));
    ck_assert_uint_eq(delete (0), DNR(0x00b));
    ck_assert_uint_eq(delete (2), DNR(0x002));
    ck_assert_uint_eq(attach(1), DNR(NVME_ALREADY_ATTACHED));
    ck_assert_uint_eq(attach(0), DNR(0x00b));
    ck_assert_uint_eq(attach(0xffffffff), DNR(0x00b));
    ck_assert_uint_eq(attach(2), DNR(0x002));
    ck_assert_uint_eq(attach_list(1, true, 0, 0), DNR(NVME_CTRL_LIST_INVALID));
    ck_assert_uint_eq(attach_list(1, true, 2048, 0), DNR(NVME_CTRL_LIST_INVALID));
    ck_assert_uint_eq(attach_list(1, true, 1, 5), DNR(NVME_CTRL_LIST_INVALID));
    ck_assert_uint_eq(attach_list(1, true, 2, 0), DNR(NVME_CTRL_LIST_INVALID)); /* twice */
    ck_assert_uint_eq(detach(1), NVME_OK);
    ck_assert_uint_eq(detach(1), DNR(NVME_NOT_ATTACHED));
    ck_assert_uint_eq(delete (1), NVME_OK);
    ck_assert_uint_eq(create(0, 0, 0).status, DNR(0x002));
    ck_assert_uint_eq(create(8, 2, 0).status, DNR(NVME_INVALID_FORMAT));
    ck_assert_uint_eq(create(8, 0x10, 0).status, DNR(NVME_INVALID_FORMAT));
    ck_assert_uint_eq(create(8, 0, 2).status, DNR(0x002));
    ck_assert_uint_eq(create(1ULL << 63, 0, 0).status, DNR(NVME_INSUFFICIENT_CAPACITY));
    ck_assert_uint_eq(create(UINT64_MAX, 1, 0).status, DNR(NVME_INSUFFICIENT_CAPACITY));
    for (unsigned i = 0; i < 32; i++)
        ck_assert_uint_eq(create(8, 0, 0).value, i + 1);
    ck_assert_uint_eq(create(8, 0, 0).status, DNR(NVME_NSID_UNAVAILABLE));
}
END_TEST

/* Holes of deleted ones are used; nothing overlaps. */
START_TEST(scattered_namespaces_keep_their_data)
{
    static const unsigned sizes[] = {100, 700, 300, 900, 200};

    ck_assert_uint_eq(delete (1), NVME_OK);
    for (unsigned i = 0; i < 5; i++)
        ck_assert_uint_eq(create(sizes[i] * 8, 0, 0).value, i + 1);
    ck_assert_uint_eq(delete (2), NVME_OK);
    ck_assert_uint_eq(delete (4), NVME_OK);
    ck_assert_uint_eq(create(HOST_DISK_BYTES / 4096 - 700, 1, 0).value, 2); /* in pieces */
    for (uint32_t nsid = 1; nsid <= 5; nsid++) {
        if (nsid != 4)
            ck_assert_uint_eq(attach(nsid), NVME_OK);
    }
    for (unsigned i = 0; i < HOST_DISK_BYTES / 4096 - 700; i++) {
        le32_store(data(), i);
        ck_assert_uint_eq(io(NVME_IO_WRITE, 2, i, 1), NVME_OK);
    }
    memset(data(), 0xff, 8192);
    for (unsigned i = 0; i < 300; i++)
        ck_assert_uint_eq(io(NVME_IO_WRITE, 3, i * 8, 8), NVME_OK);
    for (unsigned i = 0; i < HOST_DISK_BYTES / 4096 - 700; i++) {
        ck_assert_uint_eq(io(NVME_IO_READ, 2, i, 1), NVME_OK);
        ck_assert_uint_eq(le32_load(data()), i);
    }
}
END_TEST

START_TEST(format_changes_blocks_and_erases)
{
    memset(data(), 0x5a, 8192);
    ck_assert_uint_eq(io(NVME_IO_WRITE, 1, 8, 1), NVME_OK);
    ck_assert_uint_eq(format(1, 1), NVME_OK);
    ck_assert_uint_eq(identify(0, 1), NVME_OK);
    ck_assert_uint_eq(le64_load(data()), HOST_DISK_BYTES / 4096);
    ck_assert_uint_eq(data()[26], 1);
    ck_assert_uint_eq(io(NVME_IO_READ, 1, 1, 1), NVME_OK);
    ck_assert_uint_eq(data()[0], 0);
    memset(data(), 0x5a, 8192);
    ck_assert_uint_eq(io(NVME_IO_WRITE, 1, HOST_DISK_BYTES / 4096 - 1, 1), NVME_OK);
    ck_assert_uint_eq(host->disk[HOST_DISK_BYTES - 1], 0x5a);
    ck_assert_uint_eq(format(0xffffffff, 1 << 9), NVME_OK);
    ck_assert_uint_eq(host->disk[HOST_DISK_BYTES - 1], 0);
    ck_assert_uint_eq(io(NVME_IO_READ, 1, HOST_DISK_BYTES / 512 - 1, 1), NVME_OK);
    ck_assert_uint_eq(format(1, 2), DNR(NVME_INVALID_FORMAT));
    ck_assert_uint_eq(format(1, 1 << 5), DNR(NVME_INVALID_FORMAT));
    ck_assert_uint_eq(format(1, 2 << 9), DNR(0x002)); /* by cryptography */
    ck_assert_uint_eq(format(2, 0), DNR(0x002));
    ck_assert_uint_eq(format(0, 0), DNR(0x00b));
}
END_TEST

START_TEST(commands_meet_a_format)
{
    struct host_cmd cmd = {.opcode = NVME_ADMIN_FORMAT, .nsid = 1};

    host_queue_cmd(host, 0, &cmd);
    host_ring(host, 0);
    mock_run(host->mock, 15 * PS_PER_US); /* two slices, and the first is over */
    ck_assert_uint_eq(io(NVME_IO_READ, 1, 0, 1), NVME_FORMAT_IN_PROGRESS);
    ck_assert_uint_eq(host_wait(host, 0).status, NVME_OK);
    ck_assert_uint_eq(io(NVME_IO_READ, 1, 0, 1), NVME_OK);
    /* A reset in the middle. */
    host_queue_cmd(host, 0, &cmd);
    host_ring(host, 0);
    mock_run(host->mock, 15 * PS_PER_US);
    host_disable(host);
    host_enable(host);
    host_make_queue(host, 1, 8, 1);
    ck_assert_uint_eq(io(NVME_IO_READ, 1, 0, 1), NVME_OK);
}
END_TEST

static uint16_t changed_list(void)
{
    return host_status(host, 0,
                       &(struct host_cmd){.opcode = NVME_ADMIN_GET_LOG_PAGE,
                                          .prp1 = HOST_DATA,
                                          .cdw10 = NVME_LOG_CHANGED_NAMESPACES | 1023u << 16});
}

START_TEST(changes_are_told)
{
    struct host_cmd set = {.opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = 0x0b, .cdw11 = 0x100};
    struct host_result result;

    ck_assert_uint_eq(host_status(host, 0, &set), NVME_OK);
    uint16_t cid = host_queue_cmd(host, 0, &(struct host_cmd){.opcode = NVME_ADMIN_ASYNC_EVENT});
    host_ring(host, 0);
    mock_run(host->mock, PS_PER_MS);
    ck_assert(!host_poll(host, 0, &result));
    memset(data(), 0, 4096);
    le16_store(data(), 1);
    uint16_t detached = host_queue_cmd(
        host, 0,
        &(struct host_cmd){
            .opcode = NVME_ADMIN_NS_ATTACHMENT, .nsid = 2, .prp1 = HOST_DATA, .cdw10 = 1});
    host_ring(host, 0);
    result = host_wait(host, 0);
    ck_assert_uint_eq(result.cid, cid);
    ck_assert_uint_eq(result.value, 0x040002);
    ck_assert_uint_eq(host_wait(host, 0).cid, detached);
    ck_assert_uint_eq(delete (3), NVME_OK);
    ck_assert_uint_eq(changed_list(), NVME_OK);
    ck_assert_uint_eq(le64_load(data()), 2 | 3ULL << 32);
    ck_assert_uint_eq(changed_list(), NVME_OK);
    ck_assert_uint_eq(le64_load(data()), 0);
}
END_TEST

START_TEST(read_only_storage_stays_as_it_is)
{
    host_free(host);
    host = host_ready(true);
    ck_assert_uint_eq(delete (1), DNR(NVME_WRITE_PROTECTED));
    ck_assert_uint_eq(format(1, 0), DNR(NVME_WRITE_PROTECTED));
    ck_assert_uint_eq(create(8, 0, 0).status, DNR(NVME_INSUFFICIENT_CAPACITY));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nvme-namespace");
    TCase *one = tcase_create("one"), *three = tcase_create("three");

    tcase_add_checked_fixture(one, setup, teardown);
    tcase_add_test(one, created_attached_used_detached_deleted);
    tcase_add_test(one, management_has_the_right_errors);
    tcase_add_test(one, scattered_namespaces_keep_their_data);
    tcase_add_test(one, format_changes_blocks_and_erases);
    tcase_add_test(one, commands_meet_a_format);
    tcase_add_test(one, read_only_storage_stays_as_it_is);
    suite_add_tcase(suite, one);
    tcase_add_checked_fixture(three, setup_three, teardown);
    tcase_add_test(three, the_topology_says_what_is_there_first);
    tcase_add_test(three, changes_are_told);
    suite_add_tcase(suite, three);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
