/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SGLs, fused commands, arbitration: what entries of a queue say beside the command. */
#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "pcilab/base/le.h"

#define LISTS   0x300000
#define SGL     0x40 /* flags: PSDT */
#define BLOCK   0x00 /* descriptor types */
#define BUCKET  0x10
#define SEGMENT 0x20
#define LAST    0x30

static struct host *host;
static GRand *rnd;

static void setup(void)
{
    host = host_ready(false);
    rnd = g_rand_new_with_seed(7);
}

static void teardown(void)
{
    g_rand_free(rnd);
    host_free(host);
}

static void put_desc(uint64_t at, uint64_t addr, uint32_t len, unsigned id)
{
    le64_store(host->mock->ram + at, addr);
    le64_store(host->mock->ram + at + 8, len | (uint64_t)id << 56);
}

static struct host_cmd sgl_cmd(uint8_t opcode, unsigned blocks, uint64_t addr, uint64_t len,
                               unsigned id)
{
    return (struct host_cmd){.opcode = opcode,
                             .flags = SGL,
                             .nsid = 1,
                             .prp1 = addr,
                             .prp2 = len | (uint64_t)id << 56,
                             .cdw12 = blocks - 1};
}

static uint16_t run(const struct host_cmd *cmd)
{
    return host_status(host, 1, cmd);
}

static void fill(uint8_t *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)g_rand_int(rnd);
}

START_TEST(a_data_block_in_the_command)
{
    uint8_t *ram = host->mock->ram;
    struct host_cmd cmd = sgl_cmd(NVME_IO_WRITE, 256, HOST_DATA + 13, 256 * 512, BLOCK);

    fill(ram + HOST_DATA, 0x30000);
    ck_assert_uint_eq(run(&cmd), NVME_OK);
    ck_assert_mem_eq(host->disk, ram + HOST_DATA + 13, 256 * 512);
    cmd = sgl_cmd(NVME_IO_READ, 256, HOST_DATA + 0x100001, 256 * 512 + 99, BLOCK);
    cmd.flags = 0x80;
    ck_assert_uint_eq(run(&cmd), NVME_OK);
    ck_assert_mem_eq(host->disk, ram + HOST_DATA + 0x100001, 256 * 512);
    ck_assert_uint_eq(ram[HOST_DATA + 0x100001 + 256 * 512], 0);
}
END_TEST

/* Lists of random pieces, some empty, some buckets, cut into segments at random. */
static struct host_cmd random_list(uint8_t opcode, unsigned blocks, uint8_t *where)
{
    uint64_t at = LISTS, data = HOST_DATA;
    unsigned left = blocks * 512, in_segment = 0, pos = 0;
    struct host_cmd cmd = sgl_cmd(opcode, blocks, at, 0, SEGMENT);
    unsigned first = (unsigned)g_rand_int_range(rnd, 1, 300), size = first;
    bool last = false;

    cmd.prp2 = (size + 1) * 16 | (uint64_t)SEGMENT << 56;
    while (left || !last) {
        if (in_segment == size) { /* another one; the chain goes elsewhere */
            uint64_t next = align_up(at + 16, 4096);
            size = (unsigned)g_rand_int_range(rnd, 1, 300);
            last = left < 30000;
            size = last ? left / 100 + 1 : size;
            put_desc(at, next, (size + !last) * 16, last ? LAST : SEGMENT);
            at = next;
            in_segment = 0;
            continue;
        }
        unsigned n = (unsigned)g_rand_int_range(rnd, 0, 200), id = BLOCK;
        if (last && in_segment + 1 == size)
            n = left;
        n = MIN(n, left);
        if (opcode == NVME_IO_READ && g_rand_int_range(rnd, 0, 8) == 0)
            id = BUCKET;
        put_desc(at, data, n, id);
        memset(where + pos, id == BUCKET, n);
        pos += n;
        left -= n;
        data += n + (n & 1);
        at += 16;
        in_segment++;
    }
    return cmd;
}

START_TEST(lists_of_every_shape)
{
    g_autofree uint8_t *bucket = g_malloc0(1 << 20);
    uint8_t *ram = host->mock->ram;

    for (unsigned round = 0; round < 60; round++) {
        bool write = round & 1;
        unsigned blocks = (unsigned)g_rand_int_range(rnd, 1, 500);
        struct host_cmd cmd = random_list(write ? NVME_IO_WRITE : NVME_IO_READ, blocks, bucket);

        memset(ram + HOST_DATA, 0, 0x200000);
        fill(host->disk, blocks * 512);
        if (write)
            fill(ram + HOST_DATA, 0x100000);
        ck_assert_uint_eq(run(&cmd), NVME_OK);
        /* Follow the list as a host would. */
        uint64_t at = cmd.prp1;
        for (unsigned pos = 0; pos < blocks * 512;) {
            uint64_t addr = le64_load(ram + at), word = le64_load(ram + at + 8);
            unsigned len = (uint32_t)word, id = (unsigned)(word >> 56);
            at = id >= SEGMENT ? addr : at + 16;
            if (id >= SEGMENT)
                continue;
            bool zero = id == BUCKET && !write;
            bool good = zero || memcmp(host->disk + pos, ram + addr, len) == 0;
            for (unsigned i = 0; i < len && zero; i++)
                good = good && ram[addr + i] == 0;
            ck_assert(good);
            pos += len;
        }
    }
}
END_TEST

START_TEST(buckets_alone)
{
    struct host_cmd read = sgl_cmd(NVME_IO_READ, 300, 0, 300 * 512, BUCKET);
    struct host_cmd write = sgl_cmd(NVME_IO_WRITE, 1, 0, 512, BUCKET);
    uint64_t before = host->mock->dma_writes;

    ck_assert_uint_eq(run(&read), NVME_OK);
    ck_assert_uint_eq(host->mock->dma_writes, before + 1); /* the completion */
    ck_assert_uint_eq(run(&write), DNR(NVME_SGL_LENGTH_INVALID));
}
END_TEST

static const struct {
    const char *what;
    uint64_t addr, len;
    unsigned id;
    uint16_t status;
} sgl_errors[] = {
    {"too short", HOST_DATA, 511, BLOCK, DNR(0x00f)},
    {"nothing", HOST_DATA, 0, BLOCK, DNR(0x00f)},
    {"type", HOST_DATA, 512, 0x40, DNR(0x011)},
    {"subtype", HOST_DATA, 512, 0x01, DNR(0x011)},
    {"nowhere", 1ULL << 40, 512, BLOCK, 0x004},
    {"empty segment", LISTS, 0, LAST, DNR(0x00d)},
    {"odd segment", LISTS, 24, LAST, DNR(0x00d)},
    {"segment nowhere", 1ULL << 40, 16, LAST, 0x004},
    {"short list", LISTS, 16, LAST, DNR(0x00f)},
    {"segment in the last one", LISTS + 16, 16, LAST, DNR(0x00e)},
    {"segment not at its end", LISTS + 16, 32, SEGMENT, DNR(0x00e)},
    {"no segment at its end", LISTS, 16, SEGMENT, DNR(0x00e)},
    {"no end", LISTS + 48, 16, SEGMENT, DNR(0x00e)},
};

START_TEST(sgl_errors_are_told)
{
    struct host_cmd cmd =
        sgl_cmd(NVME_IO_READ, 1, sgl_errors[_i].addr, sgl_errors[_i].len, sgl_errors[_i].id);
    struct host_cmd good = sgl_cmd(NVME_IO_READ, 1, HOST_DATA, 512, BLOCK);

    put_desc(LISTS, HOST_DATA, 100, BLOCK);
    put_desc(LISTS + 16, LISTS, 16, LAST);
    put_desc(LISTS + 32, HOST_DATA, 512, BLOCK);
    put_desc(LISTS + 48, LISTS + 48, 16, SEGMENT);
    uint16_t status = run(&cmd);
    ck_assert_msg(status == sgl_errors[_i].status, "%s: %#x", sgl_errors[_i].what, status);
    ck_assert_uint_eq(run(&good), NVME_OK);
}
END_TEST

/* Fused. */

static struct host_cmd fused(unsigned fuse, unsigned lba, unsigned blocks)
{
    return (struct host_cmd){.opcode = fuse == 1 ? NVME_IO_COMPARE : NVME_IO_WRITE,
                             .flags = (uint8_t)fuse,
                             .nsid = 1,
                             .prp1 = HOST_DATA + (fuse == 1 ? 0 : 0x10000),
                             .prp2 = HOST_DATA + (fuse == 1 ? 0x1000 : 0x11000),
                             .cdw10 = lba,
                             .cdw12 = blocks - 1};
}

static void run_pair(const struct host_cmd *first, const struct host_cmd *second,
                     uint16_t status[2])
{
    uint16_t cid[2];

    cid[0] = host_queue_cmd(host, 1, first);
    cid[1] = host_queue_cmd(host, 1, second);
    host_ring(host, 1);
    for (unsigned i = 0; i < 2; i++) {
        struct host_result result = host_wait(host, 1);
        status[result.cid == cid[1]] = result.status;
    }
}

START_TEST(compare_and_write_is_both_or_neither)
{
    struct host_cmd first = fused(1, 5, 16), second = fused(2, 5, 16);
    uint8_t *ram = host->mock->ram;
    uint16_t status[2];

    host->mock->shuffle = (uint32_t)_i; /* entries and data arrive in any order */
    fill(host->disk, 65536);
    memcpy(ram + HOST_DATA, host->disk + 5 * 512, 16 * 512);
    fill(ram + HOST_DATA + 0x10000, 16 * 512);
    run_pair(&first, &second, status);
    ck_assert_uint_eq(status[0], NVME_OK);
    ck_assert_uint_eq(status[1], NVME_OK);
    ck_assert_mem_eq(host->disk + 5 * 512, ram + HOST_DATA + 0x10000, 16 * 512);
    run_pair(&first, &second, status); /* no longer so */
    ck_assert_uint_eq(status[0], DNR(NVME_COMPARE_FAILURE));
    ck_assert_uint_eq(status[1], DNR(NVME_FAILED_FUSED));
    ck_assert_mem_eq(host->disk + 5 * 512, ram + HOST_DATA + 0x10000, 16 * 512);
    second.prp1 = 1ULL << 40;
    memcpy(ram + HOST_DATA, host->disk + 5 * 512, 16 * 512);
    run_pair(&first, &second, status);
    ck_assert_uint_eq(status[0], DNR(NVME_FAILED_FUSED));
    ck_assert_uint_eq(status[1], NVME_DATA_TRANSFER_ERROR);
}
END_TEST

START_TEST(fused_commands_belong_together)
{
    struct host_cmd first = fused(1, 5, 1), second = fused(2, 5, 1), flush = {.nsid = 1};
    uint16_t status[2];

    host->mock->shuffle = (uint32_t)_i;
    ck_assert_uint_eq(run(&first), DNR(NVME_MISSING_FUSED));
    ck_assert_uint_eq(run(&second), DNR(NVME_MISSING_FUSED));
    run_pair(&first, &flush, status);
    ck_assert_uint_eq(status[0], DNR(NVME_MISSING_FUSED));
    ck_assert_uint_eq(status[1], NVME_OK);
    run_pair(&flush, &second, status);
    ck_assert_uint_eq(status[0], NVME_OK);
    ck_assert_uint_eq(status[1], DNR(NVME_MISSING_FUSED));
    run_pair(&second, &first, status);
    ck_assert_uint_eq(status[0], DNR(NVME_MISSING_FUSED));
    ck_assert_uint_eq(status[1], DNR(NVME_MISSING_FUSED));
    second.cdw10 = 6;
    run_pair(&first, &second, status);
    ck_assert_uint_eq(status[0], DNR(0x002));
    ck_assert_uint_eq(status[1], DNR(NVME_FAILED_FUSED));
    first = fused(1, 5, 17);
    second = fused(2, 5, 17);
    run_pair(&first, &second, status);
    ck_assert_uint_eq(status[0], DNR(0x002));
    first = fused(1, 5, 1);
    second = fused(2, 5, 1);
    second.opcode = NVME_IO_WRITE_ZEROES;
    run_pair(&first, &second, status);
    ck_assert_uint_eq(status[0], DNR(NVME_FAILED_FUSED));
    ck_assert_uint_eq(status[1], DNR(0x002));
}
END_TEST

START_TEST(deleting_the_queue_under_a_pair)
{
    struct host_cmd first = fused(1, 5, 1), second = fused(2, 5, 1);
    struct host_result result;
    unsigned done = 0;

    memset(host->mock->ram + HOST_DATA, 0, 512);
    host_queue_cmd(host, 1, &first);
    host_queue_cmd(host, 1, &second);
    host_ring(host, 1);
    mock_run(host->mock, (uint64_t)_i * 500 * PS_PER_NS);
    ck_assert_uint_eq(
        host_status(host, 0, &(struct host_cmd){.opcode = NVME_ADMIN_DELETE_SQ, .cdw10 = 1}),
        NVME_OK);
    while (host_poll(host, 1, &result))
        done++;
    ck_assert_uint_le(done, 2);
    ck_assert_uint_eq(
        host_status(host, 0, &(struct host_cmd){.opcode = NVME_ADMIN_DELETE_CQ, .cdw10 = 1}),
        NVME_OK);
}
END_TEST

/* Arbitration: four queues that are always full; in which order their commands are fetched. */

static void enable_weighted(void)
{
    host_disable(host);
    for (unsigned q = 0; q < HOST_QUEUES; q++) {
        host->queue[q] = (struct host_queue){.sq = host->queue[q].sq,
                                             .cq = host->queue[q].cq,
                                             .sq_size = HOST_ENTRIES,
                                             .cq_size = HOST_ENTRIES,
                                             .phase = true};
        memset(host->mock->ram + host->queue[q].cq, 0, 0x1000);
    }
    mock_write(host->func, 0, NVME_REG_CC, 4, NVME_CC_EN | 1 << 11 | 6u << 16 | 4u << 20);
    mock_run(host->mock, 10 * PS_PER_MS);
    ck_assert_uint_eq(host_csts(host), NVME_CSTS_RDY);
    for (unsigned q = 1; q < HOST_QUEUES; q++) {
        struct host_cmd cq = {.opcode = NVME_ADMIN_CREATE_CQ,
                              .prp1 = host->queue[q].cq,
                              .cdw10 = q | (HOST_ENTRIES - 1) << 16,
                              .cdw11 = 1};
        struct host_cmd sq = {.opcode = NVME_ADMIN_CREATE_SQ,
                              .prp1 = host->queue[q].sq,
                              .cdw10 = q | (HOST_ENTRIES - 1) << 16,
                              .cdw11 = q << 16 | (q - 1) << 1 | 1}; /* urgent, high, medium, low */
        ck_assert_uint_eq(host_status(host, 0, &cq), NVME_OK);
        ck_assert_uint_eq(host_status(host, 0, &sq), NVME_OK);
    }
}

START_TEST(weighted_round_robin_with_urgent)
{
    struct host_cmd flush = {.opcode = NVME_IO_FLUSH, .nsid = 1};
    struct host_cmd set = {.opcode = NVME_ADMIN_SET_FEATURES,
                           .cdw10 = 1,
                           .cdw11 = 7u << 24 | 3u << 16 | 0u << 8 | 0}; /* 8, 4 and 1; burst 1 */
    unsigned first[HOST_QUEUES] = {0};
    struct host_result result;

    ck_assert_uint_eq(mock_read(host->func, 0, NVME_REG_CAP, 8) >> 17 & 3, 1);
    enable_weighted();
    ck_assert_uint_eq(host_status(host, 0, &set), NVME_OK);
    for (unsigned q = 1; q < HOST_QUEUES; q++) {
        for (unsigned i = 0; i < 60; i++)
            host_queue_cmd(host, q, &flush);
    }
    for (unsigned q = HOST_QUEUES; q-- > 1;)
        host_ring(host, q);
    /* The first 80 contexts: all of the urgent queue's 60, then 20 of the weighted ones. */
    while (host->flushes < 80)
        sim_run_one(&host->mock->sim, UINT64_MAX);
    mock_run(host->mock, 5 * PS_PER_US);
    for (unsigned q = 1; q < HOST_QUEUES; q++) {
        while (host_poll(host, q, &result))
            first[q]++;
    }
    ck_assert_uint_eq(first[1], 60);
    ck_assert_uint_ge(first[2], 12);
    ck_assert_uint_ge(first[3], 4);
    ck_assert_uint_le(first[4], 3);
    mock_run(host->mock, PS_PER_S);
    for (unsigned q = 1; q < HOST_QUEUES; q++) {
        while (host_poll(host, q, &result))
            first[q]++;
        ck_assert_uint_eq(first[q], 60); /* nobody starves */
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nvme-queue");
    TCase *tc = tcase_create("queue");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_data_block_in_the_command);
    tcase_add_test(tc, lists_of_every_shape);
    tcase_add_test(tc, buckets_alone);
    tcase_add_loop_test(tc, sgl_errors_are_told, 0, ARRAY_LEN(sgl_errors));
    tcase_add_loop_test(tc, compare_and_write_is_both_or_neither, 0, 20);
    tcase_add_loop_test(tc, fused_commands_belong_together, 0, 20);
    tcase_add_loop_test(tc, deleting_the_queue_under_a_pair, 0, 60);
    tcase_add_test(tc, weighted_round_robin_with_urgent);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
