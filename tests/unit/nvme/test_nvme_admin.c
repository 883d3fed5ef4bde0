/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Admin commands: queues and their errors, identify, features, log pages, abort, events. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "pcilab/base/le.h"

static struct host *host;

static void setup(void)
{
    host = host_ready(false);
}

static void teardown(void)
{
    host_free(host);
}

static uint16_t admin(const struct host_cmd *cmd)
{
    return host_status(host, 0, cmd);
}

static const uint8_t *data(void)
{
    return host->mock->ram + HOST_DATA;
}

/* Create and delete. */

static const struct {
    const char *what;
    struct host_cmd cmd;
    uint16_t status;
} queue_errors[] = {
    {"cq 0", {.opcode = 5, .prp1 = 0x1000, .cdw10 = 0 | 7 << 16, .cdw11 = 3}, DNR(0x101)},
    {"cq above", {.opcode = 5, .prp1 = 0x1000, .cdw10 = 9 | 7 << 16, .cdw11 = 3}, DNR(0x101)},
    {"cq far above", {.opcode = 5, .cdw10 = 0xffff | 7 << 16, .cdw11 = 3}, DNR(0x101)},
    {"cq again", {.opcode = 5, .prp1 = 0x1000, .cdw10 = 1 | 7 << 16, .cdw11 = 3}, DNR(0x101)},
    {"cq size 0", {.opcode = 5, .prp1 = 0x1000, .cdw10 = 2, .cdw11 = 3}, DNR(0x102)},
    {"cq size", {.opcode = 5, .prp1 = 0x1000, .cdw10 = 2 | 4096 << 16, .cdw11 = 3}, DNR(0x102)},
    {"cq not contiguous", {.opcode = 5, .cdw10 = 2 | 7 << 16, .cdw11 = 2}, DNR(0x002)},
    {"cq offset", {.opcode = 5, .prp1 = 0x1010, .cdw10 = 2 | 7 << 16, .cdw11 = 3}, DNR(0x013)},
    {"cq vector", {.opcode = 5, .cdw10 = 2 | 7 << 16, .cdw11 = 9 << 16 | 3}, DNR(0x108)},
    {"sq 0", {.opcode = 1, .cdw10 = 0 | 7 << 16, .cdw11 = 1 << 16 | 1}, DNR(0x101)},
    {"sq again", {.opcode = 1, .cdw10 = 1 | 7 << 16, .cdw11 = 1 << 16 | 1}, DNR(0x101)},
    {"sq size", {.opcode = 1, .cdw10 = 2, .cdw11 = 1 << 16 | 1}, DNR(0x102)},
    {"sq not contiguous", {.opcode = 1, .cdw10 = 2 | 7 << 16, .cdw11 = 1 << 16}, DNR(0x002)},
    {"sq offset", {.opcode = 1, .prp1 = 8, .cdw10 = 2 | 7 << 16, .cdw11 = 1 << 16 | 1}, DNR(0x013)},
    {"sq on cq 0", {.opcode = 1, .cdw10 = 2 | 7 << 16, .cdw11 = 1}, DNR(0x101)},
    {"sq on cq above", {.opcode = 1, .cdw10 = 2 | 7 << 16, .cdw11 = 9 << 16 | 1}, DNR(0x101)},
    {"sq on no cq", {.opcode = 1, .cdw10 = 2 | 7 << 16, .cdw11 = 2 << 16 | 1}, DNR(0x100)},
    {"delete sq 0", {.opcode = 0, .cdw10 = 0}, DNR(0x101)},
    {"delete no sq", {.opcode = 0, .cdw10 = 2}, DNR(0x101)},
    {"delete sq above", {.opcode = 0, .cdw10 = 0xffff}, DNR(0x101)},
    {"delete cq 0", {.opcode = 4, .cdw10 = 0}, DNR(0x101)},
    {"delete no cq", {.opcode = 4, .cdw10 = 2}, DNR(0x101)},
    {"delete used cq", {.opcode = 4, .cdw10 = 1}, DNR(0x10c)},
    {"unknown", {.opcode = 0x7f}, DNR(0x001)},
    {"sanitize", {.opcode = 0x84}, DNR(0x001)},
    {"keep alive", {.opcode = 0x18}, DNR(0x001)},
    {"fused", {.opcode = 0x06, .flags = 1, .cdw10 = 1}, DNR(0x002)},
    {"sgl", {.opcode = 0x06, .flags = 0x40, .cdw10 = 1}, DNR(0x002)},
};

START_TEST(queue_commands_have_the_right_errors)
{
    uint16_t status = admin(&queue_errors[_i].cmd);

    ck_assert_msg(status == queue_errors[_i].status, "%s: %#x", queue_errors[_i].what, status);
    ck_assert_uint_eq(host_status(host, 1, &(struct host_cmd){.opcode = NVME_IO_FLUSH, .nsid = 1}),
                      NVME_OK);
}
END_TEST

START_TEST(entry_sizes_must_be_the_required_ones)
{
    struct host_cmd cq = {.opcode = 5, .prp1 = 0x1000, .cdw10 = 2 | 7 << 16, .cdw11 = 3};

    mock_write(host->func, 0, NVME_REG_CC, 4, 1 | 6u << 16 | 5u << 20);
    ck_assert_uint_eq(admin(&cq), DNR(0x102));
    mock_write(host->func, 0, NVME_REG_CC, 4, 1 | 6u << 16 | 4u << 20);
    ck_assert_uint_eq(admin(&cq), NVME_OK);
}
END_TEST

START_TEST(queues_can_be_made_again)
{
    for (unsigned i = 0; i < 5; i++) {
        ck_assert_uint_eq(admin(&(struct host_cmd){.opcode = NVME_ADMIN_DELETE_SQ, .cdw10 = 1}),
                          NVME_OK);
        ck_assert_uint_eq(admin(&(struct host_cmd){.opcode = NVME_ADMIN_DELETE_CQ, .cdw10 = 1}),
                          NVME_OK);
        host_make_queue(host, 1, 2 + i, i);
        ck_assert_uint_eq(
            host_status(host, 1, &(struct host_cmd){.opcode = NVME_IO_FLUSH, .nsid = 1}), NVME_OK);
    }
}
END_TEST

START_TEST(deleting_a_queue_ends_its_commands)
{
    struct host_cmd read = {.opcode = NVME_IO_READ, .nsid = 1, .prp1 = HOST_DATA};
    struct host_result result;
    unsigned done = 0, aborted = 0;

    for (unsigned i = 0; i < 40; i++) {
        host_queue_cmd(host, 1, &read);
    }
    host_ring(host, 1);
    mock_run(host->mock, (uint64_t)_i * 200 * PS_PER_NS);
    ck_assert_uint_eq(admin(&(struct host_cmd){.opcode = NVME_ADMIN_DELETE_SQ, .cdw10 = 1}),
                      NVME_OK);
    uint64_t bytes = host->mock->dma_bytes;
    while (host_poll(host, 1, &result)) {
        done += result.status == NVME_OK;
        aborted += result.status == NVME_ABORTED_SQ_DELETION;
    }
    ck_assert_uint_le(done + aborted, 40);
    mock_run(host->mock, PS_PER_S);
    ck_assert_uint_eq(host->mock->dma_bytes, bytes);
    ck_assert(!host_poll(host, 1, &result));
    ck_assert_uint_eq(admin(&(struct host_cmd){.opcode = NVME_ADMIN_DELETE_CQ, .cdw10 = 1}),
                      NVME_OK);
}
END_TEST

/* Identify. */

static uint16_t identify(unsigned cns, uint32_t nsid, unsigned csi)
{
    memset(host->mock->ram + HOST_DATA, 0xee, 8192);
    return admin(&(struct host_cmd){.opcode = NVME_ADMIN_IDENTIFY,
                                    .nsid = nsid,
                                    .prp1 = HOST_DATA,
                                    .prp2 = HOST_DATA + 0x10000,
                                    .cdw10 = cns,
                                    .cdw11 = csi << 24});
}

START_TEST(identify_controller)
{
    ck_assert_uint_eq(identify(1, 0, 0), NVME_OK);
    ck_assert_mem_eq(data() + 4, "PL0001              ", 20);
    ck_assert_mem_eq(data() + 24, "pcilab NVMe Controller                  ", 40);
    ck_assert_uint_eq(le32_load(data() + 80), mock_read(host->func, 0, NVME_REG_VS, 4));
    ck_assert_uint_eq(data()[512], 0x66);
    ck_assert_uint_eq(data()[513], 0x44);
    ck_assert_uint_eq(le32_load(data() + 516), NVME_NAMESPACES_MAX);
    ck_assert_uint_eq(memcmp(data() + 768, "nqn.2014-08.org.nvmexpress:uuid:", 32), 0);
    ck_assert_uint_eq(strlen((const char *)data() + 768), 32 + 36);
    ck_assert_uint_eq(data()[4096], 0xee);
}
END_TEST

START_TEST(identify_namespace)
{
    ck_assert_uint_eq(identify(0, 1, 0), NVME_OK);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(le64_load(data() + i * 8), HOST_DISK_BYTES / 512);
    }
    ck_assert_uint_eq(le32_load(data() + 128), 9 << 16);
    ck_assert_uint_eq(data()[99], 0);
    ck_assert_uint_eq(identify(3, 1, 0), NVME_OK);
    ck_assert_uint_eq(le32_load(data()), 0x1003);
    ck_assert_uint_eq(data()[4 + 6] >> 4, 5); /* a UUID of version 5 */
    ck_assert_uint_eq(data()[4 + 8] >> 6, 2);
    ck_assert_uint_eq(le32_load(data() + 20), 0x0104);
    ck_assert_uint_eq(data()[24], 0);
    ck_assert_uint_eq(le32_load(data() + 28), 0);
    ck_assert_uint_eq(identify(8, 1, 0), NVME_OK);
    ck_assert_uint_eq(data()[14], 1); /* ready */
}
END_TEST

START_TEST(identify_lists)
{
    for (unsigned i = 0; i < 2; i++) {
        unsigned cns = i ? 7 : 2;
        ck_assert_uint_eq(identify(cns, 0, 0), NVME_OK);
        ck_assert_uint_eq(le64_load(data()), 1);
        ck_assert_uint_eq(identify(cns, 1, 0), NVME_OK);
        ck_assert_uint_eq(le64_load(data()), 0);
        ck_assert_uint_eq(identify(cns, 0xfffffffd, 0), NVME_OK);
        ck_assert_uint_eq(le64_load(data()), 0);
        ck_assert_uint_eq(identify(cns, 0xfffffffe, 0), DNR(0x00b));
        ck_assert_uint_eq(identify(cns, 0xffffffff, 0), DNR(0x00b));
    }
}
END_TEST

START_TEST(identify_errors)
{
    static const uint8_t per_namespace[] = {0, 3, 5, 8};

    for (unsigned i = 0; i < sizeof(per_namespace); i++) {
        ck_assert_uint_eq(identify(per_namespace[i], 0, 0), DNR(0x00b));
        ck_assert_uint_eq(identify(per_namespace[i], 33, 0), DNR(0x00b));
        /* Nothing is there: zeroes, but for the descriptors. */
        ck_assert_uint_eq(identify(per_namespace[i], 2, 0),
                          per_namespace[i] == 3 ? DNR(0x002) : NVME_OK);
        ck_assert_uint_eq(le64_load(data()), per_namespace[i] == 3 ? le64_load(data()) : 0);
        ck_assert_uint_eq(identify(per_namespace[i], 0xffffffff, 0),
                          per_namespace[i] == 0 ? NVME_OK : DNR(0x00b));
    }
    ck_assert_uint_eq(identify(6, 0, 0), NVME_OK);
    ck_assert_uint_eq(identify(6, 0, 2), DNR(0x002));
    ck_assert_uint_eq(identify(7, 0, 2), DNR(0x002));
    ck_assert_uint_eq(identify(5, 1, 2), DNR(0x002));
    ck_assert_uint_eq(identify(0x04, 0, 0), DNR(0x002));
    ck_assert_uint_eq(identify(0xff, 0, 0), DNR(0x002));
}
END_TEST

START_TEST(read_only_storage_is_write_protected)
{
    host_free(host);
    host = host_ready(true);
    ck_assert_uint_eq(identify(0, 1, 0), NVME_OK);
    ck_assert_uint_eq(data()[99], 1);
    ck_assert_uint_eq(identify(8, 1, 0), NVME_OK);
    ck_assert_uint_eq(data()[8], 1);
}
END_TEST

/* Features. */

static struct host_result get(uint32_t cdw10, uint32_t cdw11, uint32_t nsid)
{
    return host_run(
        host, 0,
        &(struct host_cmd){
            .opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = cdw10, .cdw11 = cdw11, .nsid = nsid});
}

static struct host_result set(uint32_t cdw10, uint32_t cdw11, uint32_t nsid)
{
    return host_run(
        host, 0,
        &(struct host_cmd){
            .opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = cdw10, .cdw11 = cdw11, .nsid = nsid});
}

static const struct {
    uint8_t fid;
    uint32_t reset, written, read, cdw11; /* cdw11 selects when reading */
    uint32_t nsid;
} feature_cases[] = {
    {0x01, 0x00000003, 0x01020305, 0x01020305, 0, 0},
    {0x02, 0x00000000, 0x00000040, 0x00000040, 0, 0},
    {0x04, 0x00000157, 0x00000160, 0x00000160, 0, 0},
    {0x04, 0x00000000, 0x00100010, 0x00000010, 0x00100000, 0},
    {0x05, 0x00000000, 0x00000010, 0x00000010, 0, 1},
    {0x06, 0x00000001, 0x00000000, 0x00000000, 0, 0},
    {0x08, 0x00000000, 0x00001234, 0x00001234, 0, 0},
    {0x09, 0x00000003, 0x00010003, 0x00010003, 3, 0},
    {0x0a, 0x00000000, 0x00000001, 0x00000001, 0, 0},
    {0x0b, 0x00000000, 0xffffffff, 0x0000011f, 0, 0},
};

START_TEST(features_are_set_and_reset)
{
    unsigned fid = feature_cases[_i].fid;
    uint32_t cdw11 = feature_cases[_i].cdw11, nsid = feature_cases[_i].nsid;

    ck_assert_uint_eq(get(fid, cdw11, nsid).value, feature_cases[_i].reset);
    ck_assert_uint_eq(set(fid, feature_cases[_i].written, nsid).status, NVME_OK);
    ck_assert_uint_eq(get(fid, cdw11, nsid).value, feature_cases[_i].read);
    ck_assert_uint_eq(get(fid | 1 << 8, cdw11, nsid).value, feature_cases[_i].reset);
    ck_assert_uint_eq(get(fid | 2 << 8, cdw11, nsid).value, feature_cases[_i].reset);
    ck_assert_uint_eq(get(fid | 3 << 8, cdw11, nsid).value, nsid ? 6 : 4);
    ck_assert_uint_eq(set(fid | 1u << 31, 0, nsid).status, DNR(0x10d));
    host_disable(host);
    host_enable(host);
    ck_assert_uint_eq(get(fid, cdw11, nsid).value, feature_cases[_i].reset);
}
END_TEST

START_TEST(feature_errors)
{
    ck_assert_uint_eq(set(0x03, 0, 0).status, DNR(0x002));
    ck_assert_uint_eq(set(0xff, 0, 0).status, DNR(0x002));
    ck_assert_uint_eq(get(0x00, 0, 0).status, DNR(0x002));
    ck_assert_uint_eq(get(0x01 | 4 << 8, 0, 0).status, DNR(0x002));
    ck_assert_uint_eq(set(0x01, 0, 1).status, DNR(0x10f));
    ck_assert_uint_eq(set(0x01, 0, 2).status, DNR(0x002));
    ck_assert_uint_eq(set(0x01, 0, 0xffffffff).status, NVME_OK);
    ck_assert_uint_eq(set(0x02, 1, 0).status, DNR(0x002));
    ck_assert_uint_eq(set(0x04, 1 << 16, 0).status, DNR(0x002));
    ck_assert_uint_eq(set(0x04, 2 << 20, 0).status, DNR(0x002));
    ck_assert_uint_eq(get(0x04, 1 << 16, 0).status, DNR(0x002));
    ck_assert_uint_eq(set(0x05, 0, 0).status, DNR(0x00b));
    ck_assert_uint_eq(get(0x05, 0, 0xffffffff).status, DNR(0x00b));
    ck_assert_uint_eq(set(0x05, 1 << 16, 1).status, DNR(0x002));
    ck_assert_uint_eq(set(0x09, 9, 0).status, DNR(0x002));
    ck_assert_uint_eq(get(0x09, 0xffff, 0).status, DNR(0x002));
}
END_TEST

START_TEST(queues_are_granted_before_they_are_made)
{
    ck_assert_uint_eq(set(0x07, 3 << 16 | 3, 0).status, DNR(0x00c));
    host_disable(host);
    host_enable(host);
    ck_assert_uint_eq(set(0x07, 0xffff, 0).status, DNR(0x002));
    ck_assert_uint_eq(set(0x07, 0xffff0000, 0).status, DNR(0x002));
    struct host_result result = set(0x07, 3 << 16 | 3, 0);
    ck_assert_uint_eq(result.status, NVME_OK);
    ck_assert_uint_eq(result.value, 7 << 16 | 7);
    ck_assert_uint_eq(get(0x07, 0, 0).value, 7 << 16 | 7);
}
END_TEST

/* Log pages. */

static uint16_t get_log(unsigned lid, uint32_t bytes, uint64_t offset, uint32_t nsid)
{
    uint32_t dwords = bytes / 4 - 1;

    memset(host->mock->ram + HOST_DATA, 0xee, 8192);
    return admin(&(struct host_cmd){.opcode = NVME_ADMIN_GET_LOG_PAGE,
                                    .nsid = nsid,
                                    .prp1 = HOST_DATA,
                                    .prp2 = HOST_DATA + 0x1000,
                                    .cdw10 = lid | dwords << 16,
                                    .cdw11 = dwords >> 16,
                                    .cdw12 = (uint32_t)offset,
                                    .cdw13 = (uint32_t)(offset >> 32)});
}

START_TEST(supported_logs_are_there)
{
    ck_assert_uint_eq(get_log(0, 1024, 0, 0), NVME_OK);
    uint8_t list[1024];
    memcpy(list, data(), sizeof(list));
    for (unsigned lid = 0; lid < 256; lid++) {
        uint16_t status = get_log(lid, 64, 0, 0);
        ck_assert_uint_eq(status, list[lid * 4] & 1 ? NVME_OK : DNR(0x109));
    }
}
END_TEST

START_TEST(effects_tell_the_commands)
{
    uint8_t effects[4096];

    ck_assert_uint_eq(get_log(NVME_LOG_EFFECTS, 4096, 0, 0), NVME_OK);
    memcpy(effects, data(), sizeof(effects));
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        bool known = effects[opcode * 4] & 1;
        if (opcode != NVME_ADMIN_ASYNC_EVENT && opcode != NVME_ADMIN_DELETE_SQ) {
            uint16_t status = admin(&(struct host_cmd){.opcode = (uint8_t)opcode});
            ck_assert_int_eq(status != DNR(0x001), known);
        }
        known = effects[1024 + opcode * 4] & 1;
        uint16_t status = host_status(host, 1, &(struct host_cmd){.opcode = (uint8_t)opcode});
        ck_assert_int_eq(status != DNR(0x001), known);
    }
    ck_assert(effects[1024 + NVME_IO_WRITE * 4] & 2);
    ck_assert(!(effects[1024 + NVME_IO_READ * 4] & 2));
}
END_TEST

START_TEST(features_effects_tell_the_features)
{
    uint8_t effects[1024];

    ck_assert_uint_eq(get_log(NVME_LOG_FEATURE_EFFECTS, 1024, 0, 0), NVME_OK);
    memcpy(effects, data(), sizeof(effects));
    for (unsigned fid = 0; fid < 256; fid++) {
        ck_assert_int_eq(get(fid, 0, 1).status != DNR(0x002), effects[fid * 4] & 1);
    }
}
END_TEST

START_TEST(smart_log_counts)
{
    struct host_cmd write = {.opcode = NVME_IO_WRITE, .nsid = 1, .prp1 = HOST_DATA, .cdw12 = 7};

    for (unsigned i = 0; i < 200; i++) {
        host_status(host, 1, &write);
    }
    host->disk_error = -5;
    ck_assert_uint_eq(host_status(host, 1, &write), NVME_WRITE_FAULT);
    ck_assert_uint_eq(get_log(NVME_LOG_SMART, 512, 0, 0xffffffff), NVME_OK);
    ck_assert_uint_eq(data()[0], 0);
    ck_assert_uint_eq(le16_load(data() + 1), 313);
    ck_assert_uint_eq(le64_load(data() + 32), 0);
    ck_assert_uint_eq(le64_load(data() + 48), 2); /* 1608 blocks */
    ck_assert_uint_eq(le64_load(data() + 80), 201);
    ck_assert_uint_eq(le64_load(data() + 112), 1);
    ck_assert_uint_eq(le64_load(data() + 160), 1);
    ck_assert_uint_eq(le64_load(data() + 176), 1);
    ck_assert_uint_eq(get_log(NVME_LOG_SMART, 512, 0, 1), DNR(0x002));
}
END_TEST

START_TEST(error_log_has_the_newest_first)
{
    for (unsigned i = 0; i < 70; i++) {
        struct host_cmd read = {
            .opcode = NVME_IO_READ, .nsid = 1, .cdw10 = HOST_DISK_BYTES / 512 + i};
        ck_assert_uint_eq(host_status(host, 1, &read), DNR(0x080));
    }
    ck_assert_uint_eq(get_log(NVME_LOG_ERROR, 4096, 0, 0), NVME_OK);
    for (unsigned i = 0; i < 64; i++) {
        const uint8_t *entry = data() + i * 64;
        ck_assert_uint_eq(le64_load(entry), 70 - i);
        ck_assert_uint_eq(le16_load(entry + 8), 1);
        ck_assert_uint_eq(le16_load(entry + 12) >> 1, 0x6080);
        ck_assert_uint_eq(le64_load(entry + 16), HOST_DISK_BYTES / 512 + 69 - i);
        ck_assert_uint_eq(le32_load(entry + 24), 1);
    }
}
END_TEST

START_TEST(log_offsets_and_lengths)
{
    uint8_t whole[512];

    ck_assert_uint_eq(get_log(NVME_LOG_SMART, 512, 0, 0), NVME_OK);
    memcpy(whole, data(), 512);
    ck_assert_uint_eq(get_log(NVME_LOG_SMART, 64, 100, 0), NVME_OK);
    ck_assert_mem_eq(data(), whole + 100, 64);
    ck_assert_uint_eq(data()[64], 0xee);
    ck_assert_uint_eq(get_log(NVME_LOG_SMART, 4096, 508, 0), NVME_OK);
    ck_assert_uint_eq(data()[4], 0);
    ck_assert_uint_eq(data()[4095], 0);
    ck_assert_uint_eq(data()[4096], 0xee);
    ck_assert_uint_eq(get_log(NVME_LOG_SMART, 4, 512, 0), NVME_OK);
    ck_assert_uint_eq(get_log(NVME_LOG_SMART, 4, 516, 0), DNR(0x002));
    ck_assert_uint_eq(get_log(NVME_LOG_SMART, 4, 2, 0), DNR(0x002));
    ck_assert_uint_eq(get_log(NVME_LOG_SMART, 4, UINT64_MAX - 3, 0), DNR(0x002));
    ck_assert_uint_eq(get_log(NVME_LOG_SMART, (1 << 20) + 4, 0, 0), DNR(0x002));
    ck_assert_uint_eq(get_log(NVME_LOG_FIRMWARE, 512, 0, 0), NVME_OK);
    ck_assert_uint_eq(data()[0], 1);
    ck_assert_mem_eq(data() + 8, "0.1     ", 8);
}
END_TEST

/* Abort and asynchronous events. */

static struct host_cmd abort_cmd(unsigned qid, uint16_t cid)
{
    return (struct host_cmd){.opcode = NVME_ADMIN_ABORT, .cdw10 = qid | (uint32_t)cid << 16};
}

START_TEST(abort_finds_waiting_commands)
{
    /* The flush takes longer than the abort. */
    uint16_t cid = host_queue_cmd(host, 1, &(struct host_cmd){.opcode = NVME_IO_FLUSH, .nsid = 1});
    struct host_cmd cmd = abort_cmd(1, cid);

    host_ring(host, 1);
    struct host_result result = host_run(host, 0, &cmd);
    ck_assert_uint_eq(result.status, NVME_OK);
    ck_assert_uint_eq(result.value, 0);
    ck_assert_uint_eq(host_wait(host, 1).status, NVME_ABORT_REQUESTED);
    ck_assert_uint_eq(host->flushes, 0);
    result = host_run(host, 0, &cmd);
    ck_assert_uint_eq(result.status, NVME_OK);
    ck_assert_uint_eq(result.value, 1);
    cmd = abort_cmd(77, cid);
    ck_assert_uint_eq(host_run(host, 0, &cmd).value, 1);
}
END_TEST

START_TEST(too_many_aborts_are_refused)
{
    struct host_cmd cmd = abort_cmd(1, 0x7777);
    unsigned refused = 0;

    for (unsigned i = 0; i < 6; i++) {
        host_queue_cmd(host, 0, &cmd);
    }
    host_ring(host, 0);
    for (unsigned i = 0; i < 6; i++) {
        refused += host_wait(host, 0).status == NVME_ABORT_LIMIT_EXCEEDED;
    }
    ck_assert_uint_eq(refused, 2);
}
END_TEST

START_TEST(event_requests_are_held_aborted_and_limited)
{
    struct host_cmd aer = {.opcode = NVME_ADMIN_ASYNC_EVENT};
    struct host_result result;
    uint16_t cid[5];

    for (unsigned i = 0; i < 5; i++) {
        cid[i] = host_queue_cmd(host, 0, &aer);
    }
    host_ring(host, 0);
    result = host_wait(host, 0);
    ck_assert_uint_eq(result.status, DNR(NVME_AER_LIMIT_EXCEEDED));
    ck_assert_uint_eq(result.cid, cid[4]);
    struct host_cmd cmd = abort_cmd(0, cid[2]);
    uint16_t abort_cid = host_queue_cmd(host, 0, &cmd);
    host_ring(host, 0);
    result = host_wait(host, 0);
    ck_assert_uint_eq(result.cid, cid[2]);
    ck_assert_uint_eq(result.status, NVME_ABORT_REQUESTED);
    result = host_wait(host, 0);
    ck_assert_uint_eq(result.cid, abort_cid);
    ck_assert_uint_eq(result.value, 0);
    host_queue_cmd(host, 0, &aer);
    host_ring(host, 0);
    mock_run(host->mock, PS_PER_MS);
    ck_assert(!host_poll(host, 0, &result));
}
END_TEST

START_TEST(temperature_threshold_is_an_event)
{
    struct host_result result;

    host_queue_cmd(host, 0, &(struct host_cmd){.opcode = NVME_ADMIN_ASYNC_EVENT});
    ck_assert_uint_eq(set(0x04, 300, 0).status, NVME_OK); /* now too hot, but nobody asked */
    ck_assert_uint_eq(set(0x04, 400, 0).status, NVME_OK);
    ck_assert_uint_eq(set(0x0b, 2, 0).status, NVME_OK);
    ck_assert(!host_poll(host, 0, &result));
    host_queue_cmd(host, 0,
                   &(struct host_cmd){.opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = 4, .cdw11 = 300});
    host_ring(host, 0);
    result = host_wait(host, 0);
    ck_assert_uint_eq(result.value, 0x020101);
    ck_assert_uint_eq(host_wait(host, 0).status, NVME_OK);
    ck_assert_uint_eq(get_log(NVME_LOG_SMART, 512, 0, 0), NVME_OK);
    ck_assert_uint_eq(data()[0], 2);
}
END_TEST

START_TEST(command_identifiers_must_differ)
{
    unsigned conflicts = 0;

    host_queue_cmd(host, 1, &(struct host_cmd){.opcode = NVME_IO_FLUSH, .nsid = 1});
    host->next_cid--;
    host_queue_cmd(host, 1, &(struct host_cmd){.opcode = NVME_IO_FLUSH, .nsid = 1});
    host_ring(host, 1);
    for (unsigned i = 0; i < 2; i++) {
        conflicts += host_wait(host, 1).status == DNR(NVME_CID_CONFLICT);
    }
    ck_assert_uint_eq(conflicts, 1);
}
END_TEST

static TCase *make_case(const char *name)
{
    TCase *tc = tcase_create(name);

    tcase_add_checked_fixture(tc, setup, teardown);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("nvme-admin");
    TCase *tc = make_case("queues");

    tcase_add_loop_test(tc, queue_commands_have_the_right_errors, 0, ARRAY_LEN(queue_errors));
    tcase_add_test(tc, entry_sizes_must_be_the_required_ones);
    tcase_add_test(tc, queues_can_be_made_again);
    tcase_add_loop_test(tc, deleting_a_queue_ends_its_commands, 0, 60);
    suite_add_tcase(suite, tc);
    tc = make_case("identify");
    tcase_add_test(tc, identify_controller);
    tcase_add_test(tc, identify_namespace);
    tcase_add_test(tc, identify_lists);
    tcase_add_test(tc, identify_errors);
    tcase_add_test(tc, read_only_storage_is_write_protected);
    suite_add_tcase(suite, tc);
    tc = make_case("features");
    tcase_add_loop_test(tc, features_are_set_and_reset, 0, ARRAY_LEN(feature_cases));
    tcase_add_test(tc, feature_errors);
    tcase_add_test(tc, queues_are_granted_before_they_are_made);
    suite_add_tcase(suite, tc);
    tc = make_case("logs");
    tcase_add_test(tc, supported_logs_are_there);
    tcase_add_test(tc, effects_tell_the_commands);
    tcase_add_test(tc, features_effects_tell_the_features);
    tcase_add_test(tc, smart_log_counts);
    tcase_add_test(tc, error_log_has_the_newest_first);
    tcase_add_test(tc, log_offsets_and_lengths);
    suite_add_tcase(suite, tc);
    tc = make_case("events");
    tcase_add_test(tc, abort_finds_waiting_commands);
    tcase_add_test(tc, too_many_aborts_are_refused);
    tcase_add_test(tc, event_requests_are_held_aborted_and_limited);
    tcase_add_test(tc, temperature_threshold_is_an_event);
    tcase_add_test(tc, command_identifiers_must_differ);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
