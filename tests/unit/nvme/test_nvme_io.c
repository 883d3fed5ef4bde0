/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NVM command set: data through PRPs, queues that fill, errors of the medium. */
#include <check.h>
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "pcilab/base/le.h"

#define LISTS  0x300000 /* PRP lists; data from HOST_DATA */
#define BLOCKS (HOST_DISK_BYTES / 512)

static struct host *host;
static GRand *rnd;

static void setup(void)
{
    host = host_ready(false);
    rnd = g_rand_new_with_seed(42);
}

static void teardown(void)
{
    g_rand_free(rnd);
    host_free(host);
}

static void fill(uint8_t *to, size_t len)
{
    for (size_t i = 0; i < len; i += 4) {
        le32_store(to + i, g_rand_int(rnd));
    }
}

static struct host_cmd io(uint8_t opcode, uint64_t lba, unsigned blocks)
{
    return (struct host_cmd){.opcode = opcode,
                             .nsid = 1,
                             .prp1 = HOST_DATA,
                             .cdw10 = (uint32_t)lba,
                             .cdw11 = (uint32_t)(lba >> 32),
                             .cdw12 = blocks - 1};
}

static uint16_t run(const struct host_cmd *cmd)
{
    return host_status(host, 1, cmd);
}

/* Lays `bytes` out over shuffled pages from an offset, as a driver would; the lists begin at a
 * quadword near the end of a page now and then, so that they chain. Returns the page addresses. */
static void build_prps(struct host_cmd *cmd, uint32_t bytes, uint32_t offset, unsigned list_slot,
                       uint64_t *pages)
{
    unsigned count = (offset + bytes + 4095) / 4096, base = 0x400;
    unsigned order[512];

    for (unsigned i = 0; i < count; i++) {
        order[i] = i;
    }
    for (unsigned i = count; i-- > 1;) { /* some stay in order, so that pieces are joined */
        unsigned j = (unsigned)g_rand_int_range(rnd, 0, (gint32)i + 1);
        if (g_rand_boolean(rnd)) {
            unsigned t = order[i];
            order[i] = order[j];
            order[j] = t;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        pages[i] = (uint64_t)(base + order[i]) << 12;
    }
    cmd->prp1 = pages[0] + offset;
    cmd->prp2 = count > 1 ? pages[1] : 0xdead0001;
    if (count <= 2) {
        return;
    }
    uint64_t list = LISTS, slot = list_slot;
    cmd->prp2 = list + slot * 8;
    for (unsigned i = 1; i < count; i++) {
        if (slot == 511 && i + 1 < count) {
            le64_store(host->mock->ram + list + slot * 8, list + 0x1000);
            list += 0x1000;
            slot = 0;
        }
        le64_store(host->mock->ram + list + slot++ * 8, pages[i]);
    }
}

static void copy_pages(uint8_t *flat, uint32_t bytes, uint32_t offset, const uint64_t *pages,
                       bool to_ram)
{
    for (uint32_t done = 0; done < bytes;) {
        uint32_t at = offset + done, n = MIN(bytes - done, 4096 - at % 4096);
        uint8_t *ram = host->mock->ram + pages[at / 4096] + at % 4096;
        memcpy(to_ram ? ram : flat + done, to_ram ? flat + done : ram, n);
        done += n;
    }
}

START_TEST(data_of_every_shape_arrives)
{
    g_autofree uint8_t *flat = g_malloc(1 << 20), *before = g_malloc(HOST_RAM_BYTES);
    uint64_t pages[512];

    for (unsigned i = 0; i < 300; i++) {
        unsigned max = i % 3 ? 2048 : 32;
        unsigned blocks = (unsigned)g_rand_int_range(rnd, 1, (gint32)max + 1);
        uint64_t lba = (uint64_t)g_rand_int_range(rnd, 0, (gint32)(BLOCKS - blocks) + 1);
        uint32_t offset = (uint32_t)g_rand_int_range(rnd, 0, 1024) * 4;
        unsigned slot = i % 2 ? 511 - (unsigned)g_rand_int_range(rnd, 0, 8) : 0;
        bool write = g_rand_boolean(rnd);
        struct host_cmd cmd = io(write ? NVME_IO_WRITE : NVME_IO_READ, lba, blocks);

        build_prps(&cmd, blocks * 512, offset, slot, pages);
        fill(flat, blocks * 512);
        if (write) {
            copy_pages(flat, blocks * 512, offset, pages, true);
            ck_assert_uint_eq(run(&cmd), NVME_OK);
            ck_assert_mem_eq(host->disk + lba * 512, flat, blocks * 512);
        } else {
            memcpy(host->disk + lba * 512, flat, blocks * 512);
            memcpy(before, host->mock->ram, HOST_RAM_BYTES);
            ck_assert_uint_eq(run(&cmd), NVME_OK);
            /* What was read, and nothing else, has changed. */
            g_autofree uint8_t *got = g_malloc(blocks * 512);
            copy_pages(got, blocks * 512, offset, pages, false);
            ck_assert_mem_eq(got, flat, blocks * 512);
            uint8_t *ram = host->mock->ram;
            host->mock->ram = before;
            copy_pages(got, blocks * 512, offset, pages, true);
            host->mock->ram = ram;
            ck_assert_mem_eq(before + LISTS, ram + LISTS, HOST_RAM_BYTES - LISTS);
        }
    }
}
END_TEST

static const struct {
    const char *what;
    struct host_cmd cmd;
    uint16_t status;
} io_errors[] = {
    {"no namespace", {.opcode = 2, .nsid = 0, .prp1 = HOST_DATA}, DNR(0x00b)},
    {"namespace 2", {.opcode = 1, .nsid = 2, .prp1 = HOST_DATA}, DNR(0x002)},
    {"namespace 33", {.opcode = 1, .nsid = 33, .prp1 = HOST_DATA}, DNR(0x00b)},
    {"all namespaces", {.opcode = 2, .nsid = 0xffffffff, .prp1 = HOST_DATA}, DNR(0x00b)},
    {"past the end", {.opcode = 2, .nsid = 1, .cdw10 = BLOCKS}, DNR(0x080)},
    {"over the end", {.opcode = 1, .nsid = 1, .cdw10 = BLOCKS - 1, .cdw12 = 1}, DNR(0x080)},
    {"wrapping", {.opcode = 1, .nsid = 1, .cdw10 = ~0u, .cdw11 = ~0u, .cdw12 = 1}, DNR(0x080)},
    {"too long", {.opcode = 2, .nsid = 1, .prp1 = HOST_DATA, .cdw12 = 2048}, DNR(0x002)},
    {"prp1 odd", {.opcode = 2, .nsid = 1, .prp1 = HOST_DATA + 2}, DNR(0x013)},
    {"prp2 offset",
     {.opcode = 2, .nsid = 1, .prp1 = HOST_DATA, .prp2 = HOST_DATA + 8, .cdw12 = 15},
     DNR(0x013)},
    {"list odd",
     {.opcode = 2, .nsid = 1, .prp1 = HOST_DATA, .prp2 = LISTS + 4, .cdw12 = 31},
     DNR(0x013)},
    {"page in list",
     {.opcode = 1, .nsid = 1, .prp1 = HOST_DATA, .prp2 = LISTS, .cdw12 = 31},
     DNR(0x013)},
    {"next list",
     {.opcode = 1, .nsid = 1, .prp1 = HOST_DATA, .prp2 = LISTS + 0x1ff8, .cdw12 = 31},
     DNR(0x013)},
    {"data nowhere", {.opcode = 2, .nsid = 1, .prp1 = 1ULL << 40}, 0x004},
    {"data nowhere", {.opcode = 1, .nsid = 1, .prp1 = 1ULL << 40}, 0x004},
    {"data at the end",
     {.opcode = 2, .nsid = 1, .prp1 = 0xfffffffffffff000, .prp2 = 0, .cdw12 = 15},
     0x004},
    {"list nowhere",
     {.opcode = 2, .nsid = 1, .prp1 = HOST_DATA, .prp2 = 1ULL << 40, .cdw12 = 31},
     0x004},
    {"fused", {.opcode = 2, .flags = 2, .nsid = 1, .prp1 = HOST_DATA}, DNR(0x002)},
    {"no such data pointer", {.opcode = 2, .flags = 0xc0, .nsid = 1}, DNR(0x002)},
    {"unknown", {.opcode = 0x04, .nsid = 1}, DNR(0x001)},
    {"flush nobody", {.opcode = 0, .nsid = 3}, DNR(0x002)},
    {"zeroes past the end",
     {.opcode = 8, .nsid = 1, .cdw10 = BLOCKS - 1, .cdw12 = 65535},
     DNR(0x080)},
    {"dsm nobody", {.opcode = 9, .nsid = 0, .prp1 = HOST_DATA, .cdw11 = 4}, DNR(0x00b)},
    {"verify past the end", {.opcode = 12, .nsid = 1, .cdw10 = BLOCKS}, DNR(0x080)},
};

START_TEST(io_commands_have_the_right_errors)
{
    le64_store(host->mock->ram + LISTS, HOST_DATA + 0x10);
    le64_store(host->mock->ram + LISTS + 0x1ff8, LISTS + 0x10);
    uint16_t status = run(&io_errors[_i].cmd);
    ck_assert_msg(status == io_errors[_i].status, "%s: %#x", io_errors[_i].what, status);
    struct host_cmd good = io(NVME_IO_READ, 0, 8);
    ck_assert_uint_eq(run(&good), NVME_OK);
}
END_TEST

START_TEST(medium_errors_are_told)
{
    struct host_cmd write = io(NVME_IO_WRITE, 0, 8), read = io(NVME_IO_READ, 0, 8);
    struct host_cmd flush = io(NVME_IO_FLUSH, 0, 1), zeroes = io(NVME_IO_WRITE_ZEROES, 0, 8);

    host->disk_error = -EIO;
    ck_assert_uint_eq(run(&write), NVME_WRITE_FAULT);
    ck_assert_uint_eq(run(&read), NVME_READ_ERROR);
    ck_assert_uint_eq(run(&flush), NVME_WRITE_FAULT);
    ck_assert_uint_eq(run(&zeroes), NVME_WRITE_FAULT);
    host->disk_error = -ENOSPC;
    ck_assert_uint_eq(run(&write), NVME_CAPACITY_EXCEEDED);
    host->disk_error = 0;
    ck_assert_uint_eq(run(&write), NVME_OK);
}
END_TEST

START_TEST(durability_is_what_was_asked)
{
    struct host_cmd write = io(NVME_IO_WRITE, 0, 8), flush = io(NVME_IO_FLUSH, 0, 1);
    struct host_cmd cache = {.opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = NVME_FEAT_WRITE_CACHE};

    ck_assert_uint_eq(run(&write), NVME_OK);
    ck_assert_uint_eq(host->flushes, 0);
    ck_assert_uint_eq(run(&flush), NVME_OK);
    ck_assert_uint_eq(host->flushes, 1);
    flush.nsid = 0xffffffff;
    ck_assert_uint_eq(run(&flush), NVME_OK);
    ck_assert_uint_eq(host->flushes, 2);
    write.cdw12 |= 1u << 30; /* FUA */
    ck_assert_uint_eq(run(&write), NVME_OK);
    ck_assert_uint_eq(host->flushes, 3);
    write.cdw12 &= ~(1u << 30);
    ck_assert_uint_eq(host_status(host, 0, &cache), NVME_OK);
    ck_assert_uint_eq(host->flushes, 4);
    ck_assert_uint_eq(run(&write), NVME_OK);
    ck_assert_uint_eq(host->flushes, 5);
}
END_TEST

START_TEST(write_zeroes_and_verify)
{
    struct host_cmd zeroes = io(NVME_IO_WRITE_ZEROES, 100, BLOCKS - 200);
    struct host_cmd verify = io(NVME_IO_VERIFY, 0, BLOCKS);

    memset(host->disk, 0xaa, HOST_DISK_BYTES);
    ck_assert_uint_eq(run(&zeroes), NVME_OK);
    for (unsigned i = 0; i < BLOCKS; i++) {
        bool zero = i >= 100 && i < BLOCKS - 100;
        ck_assert_uint_eq(host->disk[i * 512], zero ? 0 : 0xaa);
        ck_assert_uint_eq(host->disk[i * 512 + 511], zero ? 0 : 0xaa);
    }
    ck_assert_uint_eq(run(&verify), NVME_OK);
    host->disk_error = -EIO;
    ck_assert_uint_eq(run(&verify), NVME_READ_ERROR);
}
END_TEST

START_TEST(compare_tells_differences)
{
    struct host_cmd compare = io(NVME_IO_COMPARE, 8, 256);
    uint64_t pages[64];
    g_autofree uint8_t *flat = g_malloc(256 * 512);

    fill(flat, 256 * 512);
    build_prps(&compare, 256 * 512, 0, 0, pages);
    copy_pages(flat, 256 * 512, 0, pages, true);
    memcpy(host->disk + 8 * 512, flat, 256 * 512);
    ck_assert_uint_eq(run(&compare), NVME_OK);
    host->disk[8 * 512 + 256 * 512 - 1] ^= 1;
    ck_assert_uint_eq(run(&compare), DNR(NVME_COMPARE_FAILURE));
}
END_TEST

static void set_range(unsigned i, uint32_t blocks, uint64_t lba)
{
    uint8_t *range = host->mock->ram + HOST_DATA + i * 16;

    le32_store(range, 0x5a5a5a5a);
    le32_store(range + 4, blocks);
    le64_store(range + 8, lba);
}

START_TEST(deallocated_blocks_read_as_zeroes)
{
    struct host_cmd dsm = {
        .opcode = NVME_IO_DSM, .nsid = 1, .prp1 = HOST_DATA, .cdw10 = 255, .cdw11 = 4};

    memset(host->disk, 0xaa, HOST_DISK_BYTES);
    for (unsigned i = 0; i < 256; i++) {
        set_range(i, i % 4, i * 10);
    }
    ck_assert_uint_eq(run(&dsm), NVME_OK);
    for (unsigned i = 0; i < 2560; i++) {
        ck_assert_uint_eq(host->disk[i * 512 + 5], i % 10 < i / 10 % 4 ? 0 : 0xaa);
    }
    memset(host->disk, 0xaa, HOST_DISK_BYTES);
    dsm.cdw11 = 3; /* only hints */
    ck_assert_uint_eq(run(&dsm), NVME_OK);
    dsm.cdw11 = 4;
    set_range(200, 2, BLOCKS - 1);
    ck_assert_uint_eq(run(&dsm), DNR(0x080));
    set_range(200, 0xffffffff, UINT64_MAX - 1);
    ck_assert_uint_eq(run(&dsm), DNR(0x080));
    for (unsigned i = 0; i < BLOCKS; i++) {
        ck_assert_uint_eq(host->disk[i * 512], 0xaa);
    }
}
END_TEST

START_TEST(write_protection_is_honoured)
{
    struct host_cmd read = io(NVME_IO_READ, 0, 8);
    static const uint8_t writers[] = {NVME_IO_WRITE, NVME_IO_WRITE_ZEROES, NVME_IO_DSM};

    host_free(host);
    host = host_ready(true);
    for (unsigned i = 0; i < sizeof(writers); i++) {
        struct host_cmd cmd = io(writers[i], 0, 1);
        cmd.cdw11 = writers[i] == NVME_IO_DSM ? 4 : 0;
        ck_assert_uint_eq(run(&cmd), DNR(NVME_WRITE_PROTECTED));
    }
    ck_assert_uint_eq(run(&read), NVME_OK);
}
END_TEST

START_TEST(bigger_memory_pages)
{
    g_autofree uint8_t *flat = g_malloc(256 * 512);
    struct host_cmd read = io(NVME_IO_READ, 0, 256);

    /* 16 KiB pages: 128 KiB at an offset are nine of them. */
    host_disable(host);
    mock_write(host->func, 0, NVME_REG_CC, 4, 1 | 2 << 7 | 6u << 16 | 4u << 20);
    for (unsigned i = 0; i < 2; i++) {
        memset(host->mock->ram + host->queue[i].cq, 0, 4096);
        host->queue[i].head = host->queue[i].tail = 0;
        host->queue[i].phase = true;
    }
    mock_run(host->mock, PS_PER_MS);
    host_make_queue(host, 1, 16, 1);
    fill(flat, 256 * 512);
    memcpy(host->disk, flat, 256 * 512);
    read.prp1 = 0x600000 + 8;
    read.prp2 = LISTS + 0x3ff0; /* two slots to the end of this list's page */
    le64_store(host->mock->ram + LISTS + 0x3ff0, 0x700000);
    le64_store(host->mock->ram + LISTS + 0x3ff8, LISTS + 0x4000);
    for (unsigned i = 0; i < 7; i++) {
        le64_store(host->mock->ram + LISTS + 0x4000 + i * 8, 0x800000 + i * 0x8000);
    }
    ck_assert_uint_eq(run(&read), NVME_OK);
    ck_assert_mem_eq(host->mock->ram + 0x600008, flat, 16384 - 8);
    ck_assert_mem_eq(host->mock->ram + 0x700000, flat + 16384 - 8, 16384);
    ck_assert_mem_eq(host->mock->ram + 0x800000, flat + 2 * 16384 - 8, 16384);
    ck_assert_mem_eq(host->mock->ram + 0x800000 + 6 * 0x8000, flat + 8 * 16384 - 8, 8);
}
END_TEST

/* Queues. */

START_TEST(full_completion_queue_stalls_and_goes_on)
{
    struct host_cmd flush = io(NVME_IO_FLUSH, 0, 1);
    struct host_cmd cq = {.opcode = NVME_ADMIN_CREATE_CQ, .cdw10 = 2 | 3 << 16, .cdw11 = 3};
    struct host_cmd sq = {
        .opcode = NVME_ADMIN_CREATE_SQ, .cdw10 = 2 | 63 << 16, .cdw11 = 2 << 16 | 1};
    struct host_queue *q = &host->queue[2];
    struct host_result result;

    cq.prp1 = q->cq;
    sq.prp1 = q->sq;
    ck_assert_uint_eq(host_status(host, 0, &cq), NVME_OK);
    ck_assert_uint_eq(host_status(host, 0, &sq), NVME_OK);
    q->sq_size = 64;
    q->cq_size = 4;
    q->phase = true;
    for (unsigned i = 0; i < 63; i++) {
        host_queue_cmd(host, 2, &flush);
    }
    host_ring(host, 2);
    mock_run(host->mock, PS_PER_S);
    ck_assert_uint_eq(host->flushes, 3);
    ck_assert_uint_eq(host->mock->ram[q->cq + 3 * 16 + 14] & 1, 0); /* never written */
    /* Others are not held up. */
    ck_assert_uint_eq(run(&flush), NVME_OK);
    for (unsigned i = 0; i < 63; i++) {
        result = host_wait(host, 2);
        ck_assert_uint_eq(result.status, NVME_OK);
    }
    ck_assert_uint_eq(q->sq_head, 63);
    ck_assert(!host_poll(host, 2, &result));
    ck_assert_uint_eq(host->flushes, 64);
}
END_TEST

START_TEST(many_queues_share_the_controller)
{
    struct host_cmd read = io(NVME_IO_READ, 0, 1);
    unsigned done[HOST_QUEUES] = {0};
    struct host_result result;

    for (unsigned q = 2; q < HOST_QUEUES; q++) {
        host_make_queue(host, q, HOST_ENTRIES, q);
    }
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned q = 1; q < HOST_QUEUES; q++) {
            for (unsigned i = 0; i < 63; i++) {
                read.prp1 = HOST_DATA + q * 0x10000 + i * 512;
                host_queue_cmd(host, q, &read);
            }
            host_ring(host, q);
        }
        mock_run(host->mock, 50 * PS_PER_MS);
        for (unsigned q = 1; q < HOST_QUEUES; q++) {
            while (host_poll(host, q, &result)) {
                ck_assert_uint_eq(result.status, NVME_OK);
                ck_assert_uint_eq(result.sqid, q);
                done[q]++;
            }
        }
    }
    for (unsigned q = 1; q < HOST_QUEUES; q++) {
        ck_assert_uint_eq(done[q], 20 * 63);
    }
}
END_TEST

START_TEST(arbitration_is_fair)
{
    struct host_cmd flush = io(NVME_IO_FLUSH, 0, 1);
    struct host_cmd burst = {
        .opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = NVME_FEAT_ARBITRATION, .cdw11 = 0};
    struct host_result result;

    ck_assert_uint_eq(host_status(host, 0, &burst), NVME_OK);
    host_make_queue(host, 2, HOST_ENTRIES, 2);
    for (unsigned i = 0; i < 63; i++) {
        host_queue_cmd(host, 1, &flush);
        host_queue_cmd(host, 2, &flush);
    }
    host_ring(host, 1);
    host_ring(host, 2);
    /* Both queues have 63 commands and 80 may be under way: half of each at first. */
    mock_run(host->mock, 32 * PS_PER_US);
    unsigned first = 0, second = 0;
    while (host_poll(host, 1, &result)) {
        first++;
    }
    while (host_poll(host, 2, &result)) {
        second++;
    }
    ck_assert_uint_eq(first, 40);
    ck_assert_uint_eq(second, 40);
}
END_TEST

START_TEST(latency_is_virtual_and_repeatable)
{
    struct host_cmd read = io(NVME_IO_READ, 0, 8);
    uint64_t first = 0;

    for (unsigned i = 0; i < 10; i++) {
        uint64_t start = host->mock->sim.now_ps;
        ck_assert_uint_eq(run(&read), NVME_OK);
        uint64_t took = host->mock->sim.now_ps - start;
        ck_assert_uint_gt(took, PS_PER_US);
        ck_assert_uint_lt(took, 100 * PS_PER_US);
        first = first ? first : took;
        ck_assert_uint_eq(took, first);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nvme-io");
    TCase *tc = tcase_create("io");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, data_of_every_shape_arrives);
    tcase_add_loop_test(tc, io_commands_have_the_right_errors, 0, ARRAY_LEN(io_errors));
    tcase_add_test(tc, medium_errors_are_told);
    tcase_add_test(tc, durability_is_what_was_asked);
    tcase_add_test(tc, write_zeroes_and_verify);
    tcase_add_test(tc, compare_tells_differences);
    tcase_add_test(tc, deallocated_blocks_read_as_zeroes);
    tcase_add_test(tc, write_protection_is_honoured);
    tcase_add_test(tc, bigger_memory_pages);
    tcase_add_test(tc, full_completion_queue_stalls_and_goes_on);
    tcase_add_test(tc, many_queues_share_the_controller);
    tcase_add_test(tc, arbitration_is_fair);
    tcase_add_test(tc, latency_is_virtual_and_repeatable);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
