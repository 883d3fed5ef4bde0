/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transport and the virtqueues, with a device that gives back what it gets. Most tests run for
 * every mix of split and packed rings, event index and indirect descriptors.
 */
#include <check.h>
#include <glib.h>
#include <string.h>

#include "driver.h"
#include "pcilab/sim/rng.h"

#define MODES    8
#define PACKED   1
#define EVENTS   2
#define INDIRECT 4

#define IN_MAX  4096
#define OUT_MAX 4096

/* Queue 0 answers at once, queue 1 when the test says so. */
struct echo {
    struct virtio *dev;
    struct virtio_request *held[64];
    unsigned holds, requests, oks, resets;
    uint64_t features;
};

static struct driver d;
static struct echo echo;

static void answer(struct virtio_request *req)
{
    uint32_t n = MIN(req->in_len, req->out_len);

    memcpy(req->out, req->in, n);
    virtio_answer(req, n);
}

static void echo_request(void *owner, struct virtio_request *req)
{
    echo.requests++;
    if (req->queue == 0)
        answer(req);
    else
        echo.held[echo.holds++] = req;
}

static void echo_driver_ok(void *owner, uint64_t features)
{
    echo.oks++;
    echo.features = features;
}

static void echo_reset(void *owner)
{
    echo.resets++;
    echo.holds = 0;
}

static void echo_config_written(void *owner, unsigned offset, const uint8_t *data, unsigned len)
{
    if (offset == 4 && len == 1)
        virtio_set_config(echo.dev, 4, data, 1, true);
}

static void echo_destroy(void *owner)
{
}

static void setup(void)
{
    static const struct virtio_device_ops ops = {
        .request = echo_request,
        .driver_ok = echo_driver_ok,
        .reset = echo_reset,
        .config_written = echo_config_written,
        .destroy = echo_destroy,
    };
    static const struct virtio_queue_params queues[] = {
        {.size = 32, .in_flight = 4, .in_max_bytes = IN_MAX, .out_max_bytes = OUT_MAX},
        {.size = 64, .in_flight = 16, .in_max_bytes = IN_MAX, .out_max_bytes = OUT_MAX},
    };

    d.mock = mock_new(DRIVER_RAM_BYTES);
    memset(&echo, 0, sizeof(echo));
    echo.dev = virtio_new(mock_fabric(d.mock), &(struct virtio_params){
                                                   .name = "echo",
                                                   .type = VIRTIO_TYPE_ENTROPY,
                                                   .features = 0x5,
                                                   .packed = true,
                                                   .queues = queues,
                                                   .queue_count = 2,
                                                   .config = "abcdefgh",
                                                   .config_bytes = 8,
                                                   .ops = &ops,
                                               });
    d.ep = virtio_endpoint(echo.dev);
    d.func = mock_func(d.ep, 0);
    mock_set_msix(d.func, true);
}

static void teardown(void)
{
    endpoint_free(d.ep);
    mock_free(d.mock);
}

static void start(int mode, uint16_t size)
{
    driver_setup(&d,
                 (mode & PACKED ? 0 : BIT(F_PACKED)) | (mode & EVENTS ? 0 : BIT(F_EVENT_IDX)) |
                     (mode & INDIRECT ? 0 : BIT(F_INDIRECT)),
                 2, size);
    ck_assert_uint_eq(driver_status(&d), S_ACK | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
}

static void run(void)
{
    mock_run(d.mock, PS_PER_MS);
}

START_TEST(features_are_agreed)
{
    uint64_t offered = driver_offered(&d);

    ck_assert_uint_eq(offered, 0x5 | BIT(F_INDIRECT) | BIT(F_EVENT_IDX) | BIT(F_VERSION_1) |
                                   BIT(33) | BIT(F_PACKED));
    ck_assert(!driver_start(&d, offered | BIT(3)));
    ck_assert(!driver_start(&d, offered & ~BIT(F_VERSION_1)));
    ck_assert_uint_eq(echo.oks, 0);
    ck_assert(driver_start(&d, BIT(F_VERSION_1) | 1));
    ck_assert_uint_eq(virtio_features(echo.dev), BIT(F_VERSION_1) | 1);
    driver_ok(&d);
    ck_assert_uint_eq(echo.oks, 1);
    ck_assert_uint_eq(echo.features, BIT(F_VERSION_1) | 1);
    driver_set(&d, 0x08, 4, 0); /* too late */
    driver_set(&d, 0x0c, 4, 4);
    ck_assert_uint_eq(virtio_features(echo.dev), BIT(F_VERSION_1) | 1);
}
END_TEST

/* A chain of random shape with `len` bytes each way. */
static unsigned make_chain(struct sim_rng *rng, struct driver_buffer *buf, uint64_t in,
                           uint64_t out, uint32_t len, unsigned pieces)
{
    unsigned count = 0;

    for (unsigned way = 0; way < 2; way++) {
        uint64_t at = way ? out : in;
        uint32_t left = len;

        for (unsigned i = 0; i < pieces; i++) {
            uint32_t n = i + 1 < pieces ? (uint32_t)sim_rng_below(rng, left + 1) : left;

            buf[count++] = (struct driver_buffer){at, n, way};
            at += n;
            left -= n;
        }
    }
    return count;
}

START_TEST(data_comes_back)
{
    struct sim_rng rng;
    struct driver_buffer buf[16];
    uint16_t id, used_id;
    uint32_t used_len;

    sim_rng_init(&rng, (uint64_t)_i, "virtio");
    start(_i, 16);
    for (unsigned i = 0; i < 200; i++) {
        uint32_t len = (uint32_t)sim_rng_below(&rng, IN_MAX + 1);
        uint64_t in = DRIVER_DATA + sim_rng_below(&rng, 5000),
                 out = DRIVER_DATA + 0x8000 + sim_rng_below(&rng, 5000);
        unsigned count = make_chain(&rng, buf, in, out, len, 1 + (unsigned)sim_rng_below(&rng, 4));

        d.mock->shuffle = i % 3;
        sim_rng_fill(&rng, d.mock->ram + in, len);
        memset(d.mock->ram + out, 0, len + 1);
        id = driver_add(&d, 0, buf, count, (_i & INDIRECT) && i % 3);
        driver_kick(&d, 0);
        run();
        ck_assert(driver_used(&d, 0, &used_id, &used_len));
        ck_assert_uint_eq(used_id, id);
        ck_assert_uint_eq(used_len, len);
        ck_assert_mem_eq(d.mock->ram + in, d.mock->ram + out, len);
        ck_assert_uint_eq(d.mock->ram[out + len], 0);
    }
    ck_assert(!driver_used(&d, 0, &used_id, &used_len));
    ck_assert_uint_eq(driver_status(&d) & S_NEEDS_RESET, 0);
}
END_TEST

/* Many chains at once, answered in another order, over more than one turn of the ring. */
START_TEST(answers_may_come_in_any_order)
{
    uint16_t id[16], used_id;
    uint32_t used_len;
    unsigned seen = 0;

    start(_i, 32);
    for (unsigned round = 0; round < 20; round++) {
        uint32_t got = 0;

        for (unsigned i = 0; i < 16; i++) {
            struct driver_buffer buf[] = {{DRIVER_DATA + i * 8, 8, false},
                                          {DRIVER_DATA + 0x1000 + i * 8, 8, true}};

            le64_store(d.mock->ram + buf[0].addr, round * 100 + i);
            id[i] = driver_add(&d, 1, buf, 2, false);
        }
        driver_kick(&d, 1);
        run();
        ck_assert_uint_eq(echo.holds, 16);
        for (unsigned i = 0; i < 16; i++) /* they came in order */
            ck_assert_uint_eq(le64_load(echo.held[i]->in), round * 100 + i);
        for (unsigned i = 0; i < 16; i++)
            answer(echo.held[(i * 7 + round) % 16]);
        echo.holds = 0;
        run();
        for (unsigned i = 0; i < 16; i++) {
            ck_assert(driver_used(&d, 1, &used_id, &used_len));
            ck_assert_uint_eq(used_id, id[(i * 7 + round) % 16]);
            ck_assert_uint_eq(used_len, 8);
            got |= 1u << (i * 7 + round) % 16;
            seen++;
        }
        ck_assert_uint_eq(got, 0xffff);
        for (unsigned i = 0; i < 16; i++)
            ck_assert_uint_eq(le64_load(d.mock->ram + DRIVER_DATA + 0x1000 + i * 8),
                              round * 100 + i);
    }
    ck_assert_uint_eq(seen, 320);
}
END_TEST

static const struct driver_buffer one[] = {{DRIVER_DATA, 4, false}, {DRIVER_DATA + 64, 4, true}};

/* 2.7.7, 2.8.10: the driver says which interrupts it wants. */
START_TEST(interrupts_are_suppressed)
{
    struct mock_irqs *irqs = mock_irqs(d.func);
    uint64_t flags = _i & PACKED ? DRIVER_AVAIL(0) + 2 : DRIVER_AVAIL(0);
    uint16_t id;
    uint32_t len;

    start(_i & ~EVENTS, 16);
    driver_add(&d, 0, one, 2, false);
    driver_kick(&d, 0);
    run();
    ck_assert_uint_eq(irqs->vector[1], 1);
    le16_store(d.mock->ram + flags, 1);
    driver_add(&d, 0, one, 2, false);
    driver_kick(&d, 0);
    run();
    ck_assert_uint_eq(irqs->total, 1);
    ck_assert(driver_used(&d, 0, &id, &len) && driver_used(&d, 0, &id, &len));
}
END_TEST

START_TEST(event_index_chooses_the_interrupt)
{
    struct mock_irqs *irqs = mock_irqs(d.func);

    start(_i | EVENTS, 16);
    for (unsigned i = 0; i < 60; i++) {
        /* Every fifth chain is to interrupt: used index 5k, two entries a chain. */
        unsigned next = i / 5 * 5 + 4, slot = next * 2;

        if (_i & PACKED) {
            le16_store(d.mock->ram + DRIVER_AVAIL(0),
                       (uint16_t)(slot % 16 | (slot / 16 % 2 ? 0 : 0x8000)));
            le16_store(d.mock->ram + DRIVER_AVAIL(0) + 2, 2);
        } else {
            le16_store(d.mock->ram + DRIVER_AVAIL(0) + 4 + 2 * 16, (uint16_t)next);
        }
        driver_add(&d, 0, one, 2, false);
        driver_kick(&d, 0);
        run();
        ck_assert_uint_eq(irqs->vector[1], (i + 1) / 5);
    }
}
END_TEST

/* An event that has passed does not come again while the ring turns once. */
START_TEST(event_index_in_the_past)
{
    start(_i | EVENTS, 16);
    if (_i & PACKED) {
        le16_store(d.mock->ram + DRIVER_AVAIL(0), 0x8002); /* the second chain */
        le16_store(d.mock->ram + DRIVER_AVAIL(0) + 2, 2);
    } else {
        le16_store(d.mock->ram + DRIVER_AVAIL(0) + 4 + 2 * 16, 1);
    }
    for (unsigned i = 0; i < 14; i++) {
        driver_add(&d, 0, one, 2, false);
        driver_kick(&d, 0);
        run();
        ck_assert_uint_eq(mock_irqs(d.func)->vector[1], i >= 1);
    }
}
END_TEST

/* The device asks to be told of the next chain only. */
START_TEST(notifications_are_asked_for)
{
    start(_i | EVENTS, 16);
    driver_add(&d, 0, one, 2, false);
    driver_kick(&d, 0);
    run();
    if (_i & PACKED) {
        ck_assert_uint_eq(le16_load(d.mock->ram + DRIVER_USED(0)), 0x8002);
        ck_assert_uint_eq(le16_load(d.mock->ram + DRIVER_USED(0) + 2), 2);
    } else {
        ck_assert_uint_eq(le16_load(d.mock->ram + DRIVER_USED(0) + 4 + 8 * 16), 1);
    }
}
END_TEST

/* What is wrong with a ring, as the first thing that a device sees; NULL where a format has none.
 */
struct wrong {
    const char *what;
    unsigned modes; /* PACKED: only there, 0: only split */
    bool both;
    void (*make)(void);
};

static void desc(unsigned i, uint64_t addr, uint32_t len, unsigned flags, unsigned next)
{
    uint8_t *at = d.mock->ram + DRIVER_DESC(0) + 16 * i;

    le64_store(at, addr);
    le32_store(at + 8, len);
    le16_store(at + 12, (uint16_t)flags);
    le16_store(at + 14, (uint16_t)next);
}

static void avail(unsigned head)
{
    le16_store(d.mock->ram + DRIVER_AVAIL(0) + 4, (uint16_t)head);
    le16_store(d.mock->ram + DRIVER_AVAIL(0) + 2, 1);
}

static void wrong_index(void)
{
    le16_store(d.mock->ram + DRIVER_AVAIL(0) + 2, 17);
}

static void wrong_head(void)
{
    avail(16);
}

static void wrong_next(void)
{
    desc(0, DRIVER_DATA, 4, 1, 16);
    avail(0);
}

static void wrong_loop(void)
{
    desc(0, DRIVER_DATA, 4, 1, 1);
    desc(1, DRIVER_DATA, 4, 1, 0);
    avail(0);
}

static void wrong_table_length(void)
{
    desc(0, DRIVER_TABLES(0), 24, 4, 0);
    avail(0);
}

static void wrong_table_size(void)
{
    desc(0, DRIVER_TABLES(0), 33 * 16, 4, 0);
    avail(0);
}

static void wrong_nesting(void)
{
    desc(0, DRIVER_DESC(0) + 16, 16, 4, 0);
    desc(1, DRIVER_DESC(0) + 16, 16, 4, 0);
    avail(0);
}

static void wrong_table_next(void)
{
    desc(0, DRIVER_DESC(0) + 16, 32, 4, 0);
    desc(1, DRIVER_DATA, 4, 1, 2);
    avail(0);
}

static void wrong_packed_chain(void)
{
    desc(0, DRIVER_DATA, 4, 0, 0x81);
    for (unsigned i = 1; i < 16; i++)
        desc(i, DRIVER_DATA, 4, 0, 0x81); /* each has a next one */
}

static void wrong_packed_indirect(void)
{
    desc(0, DRIVER_DATA, 4, 0, 0x81);
    desc(1, DRIVER_TABLES(0), 16, 0, 0x84);
}

static void wrong_order(void)
{
    struct driver_buffer buf[] = {{DRIVER_DATA, 4, true}, {DRIVER_DATA, 4, false}};

    driver_add(&d, 0, buf, 2, false);
}

static void wrong_address(void)
{
    struct driver_buffer buf[] = {{1ULL << 40, 4, false}};

    driver_add(&d, 0, buf, 1, false);
}

static void wrong_end(void)
{
    struct driver_buffer buf[] = {{UINT64_MAX - 2, 4, true}};

    driver_add(&d, 0, buf, 1, false);
}

static void wrong_length(void)
{
    struct driver_buffer buf[] = {{DRIVER_DATA, IN_MAX + 1, false}};

    driver_add(&d, 0, buf, 1, false);
}

static const struct wrong wrongs[] = {
    {"the index ran away", 0, false, wrong_index},
    {"a head outside", 0, false, wrong_head},
    {"a next outside", 0, false, wrong_next},
    {"a loop", 0, false, wrong_loop},
    {"a length of a table", 0, false, wrong_table_length},
    {"a table that is too long", 0, false, wrong_table_size},
    {"a table in a table", 0, false, wrong_nesting},
    {"a next outside a table", 0, false, wrong_table_next},
    {"a packed chain without end", PACKED, false, wrong_packed_chain},
    {"a packed table in a chain", PACKED, false, wrong_packed_indirect},
    {"readable after writable", 0, true, wrong_order},
    {"an address that is not there", 0, true, wrong_address},
    {"a buffer past the end", 0, true, wrong_end},
    {"too much data", 0, true, wrong_length},
};

static void expect_broken(const char *what)
{
    unsigned interrupts = mock_irqs(d.func)->vector[0];

    driver_kick(&d, 0);
    run();
    ck_assert_msg(driver_status(&d) & S_NEEDS_RESET, "%s", what);
    ck_assert_msg(mock_irqs(d.func)->vector[0] == interrupts + 1, "%s: interrupt", what);
    ck_assert_msg(echo.requests == 0, "%s: a request", what);
}

START_TEST(malformed_rings_need_a_reset)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(wrongs); i++) {
        const struct wrong *w = &wrongs[i];
        uint16_t id;
        uint32_t len;

        if (!w->both && w->modes != (_i & PACKED))
            continue;
        echo.requests = 0;
        start(_i | INDIRECT, 16);
        w->make();
        expect_broken(w->what);
        start(_i, 16);
        driver_add(&d, 0, one, 2, false);
        driver_kick(&d, 0);
        run();
        ck_assert(driver_used(&d, 0, &id, &len));
    }
}
END_TEST

START_TEST(what_was_not_negotiated_is_refused)
{
    start(_i & ~INDIRECT, 16);
    driver_add(&d, 0, one, 2, true);
    expect_broken("an indirect table");
}
END_TEST

START_TEST(rings_of_impossible_shape)
{
    driver_start(&d, driver_offered(&d) & ~BIT(F_PACKED));
    driver_queue(&d, 0, 12);
    ck_assert(driver_status(&d) & S_NEEDS_RESET);
    driver_start(&d, driver_offered(&d));
    driver_queue(&d, 0, 12);
    ck_assert(!(driver_status(&d) & S_NEEDS_RESET));
    driver_queue(&d, 1, 65);
    ck_assert(driver_status(&d) & S_NEEDS_RESET);
    driver_start(&d, driver_offered(&d));
    driver_set(&d, 0x16, 2, 0);
    driver_set(&d, 0x20, 8, 8);
    driver_set(&d, 0x1c, 2, 1);
    ck_assert(driver_status(&d) & S_NEEDS_RESET);
    driver_set(&d, 0x16, 2, 2); /* no such queue */
    ck_assert_uint_eq(driver_get(&d, 0x18, 2), 0);
}
END_TEST

/* 2.4: the status reads 0 when the device is done with memory. */
START_TEST(a_reset_waits_for_dma)
{
    start(_i, 16);
    d.mock->dma_ps = 50 * PS_PER_US;
    driver_add(&d, 0, one, 2, false);
    driver_kick(&d, 0);
    mock_run(d.mock, 10 * PS_PER_US);
    driver_set(&d, 0x14, 1, 0);
    ck_assert_uint_ne(driver_status(&d), 0);
    mock_run(d.mock, 100 * PS_PER_US);
    ck_assert_uint_eq(driver_status(&d), 0);
    ck_assert_uint_eq(echo.requests, 0);
    uint64_t reads = d.mock->dma_reads;
    mock_run(d.mock, 10 * PS_PER_MS);
    ck_assert_uint_eq(d.mock->dma_reads, reads);
    ck_assert_ptr_null(d.mock->first);
}
END_TEST

START_TEST(a_reset_takes_requests_back)
{
    start(_i, 16);
    for (unsigned how = 0; how < 3; how++) {
        for (unsigned i = 0; i < 4; i++)
            driver_add(&d, 1, one, 2, false);
        driver_kick(&d, 1);
        run();
        ck_assert_uint_eq(echo.holds, 4);
        if (how)
            mock_reset(d.func, how == 1 ? ENDPOINT_RESET_FLR : ENDPOINT_RESET_HOT);
        mock_set_msix(d.func, true);
        start(_i, 16);
        ck_assert_uint_eq(echo.holds, 0);
    }
}
END_TEST

START_TEST(without_msix_there_is_isr)
{
    uint8_t config = 'x';

    mock_set_msix(d.func, false);
    start(_i, 16);
    driver_add(&d, 0, one, 2, false);
    driver_kick(&d, 0);
    run();
    ck_assert(mock_irqs(d.func)->intx);
    ck_assert_uint_eq(driver_get(&d, DRIVER_ISR, 1), 1);
    ck_assert(!mock_irqs(d.func)->intx);
    virtio_set_config(echo.dev, 0, &config, 1, true);
    ck_assert(mock_irqs(d.func)->intx);
    ck_assert_uint_eq(driver_get(&d, DRIVER_ISR, 1), 2);
    ck_assert_uint_eq(driver_get(&d, DRIVER_ISR, 1), 0);
}
END_TEST

START_TEST(configuration_changes_are_told)
{
    start(_i, 16);
    uint64_t generation = driver_get(&d, 0x15, 1);

    ck_assert_uint_eq(driver_get(&d, DRIVER_CONFIG, 4), 0x64636261);
    driver_set(&d, DRIVER_CONFIG + 4, 1, 'z'); /* accepted by the device */
    driver_set(&d, DRIVER_CONFIG + 5, 1, 'z'); /* not */
    ck_assert_uint_eq(driver_get(&d, DRIVER_CONFIG + 4, 2), 'z' | 'f' << 8);
    ck_assert_uint_ne(driver_get(&d, 0x15, 1), generation);
    ck_assert_uint_eq(mock_irqs(d.func)->vector[0], 1);
    ck_assert_uint_eq(driver_get(&d, DRIVER_CONFIG + 8, 4), 0);
}
END_TEST

/* 4.1.4.9: the capability is the last one; what is before it is described by others. */
START_TEST(configuration_space_reaches_the_structures)
{
    struct reg_space *cfg = endpoint_func_pci(d.func)->cfg;
    unsigned cap = 0x80 + 3 * 16 + 20; /* common, ISR, device, notifications */

    ck_assert_uint_eq(reg_read(cfg, cap + 3, 1), 5);
    reg_write(cfg, cap + 8, 4, 0x2000);
    reg_write(cfg, cap + 12, 4, 4);
    ck_assert_uint_eq(reg_read(cfg, cap + 16, 4), 0x64636261);
    reg_write(cfg, cap + 8, 4, 0x14);
    reg_write(cfg, cap + 12, 4, 1);
    reg_write(cfg, cap + 16, 1, 3);
    ck_assert_uint_eq(driver_status(&d), 3);
    reg_write(cfg, cap + 8, 4, 0x7fff);
    reg_write(cfg, cap + 12, 4, 4);
    ck_assert_uint_eq(reg_read(cfg, cap + 16, 4), 0);
    reg_write(cfg, cap + 8, 4, 0xfffffffc);
    reg_write(cfg, cap + 16, 4, 0xffffffff);
    ck_assert_uint_eq(reg_read(cfg, cap + 16, 4), 0);
}
END_TEST

/* A ring whose chains point at the ring: time goes on all the same. */
START_TEST(a_ring_that_feeds_itself_takes_time)
{
    struct driver_buffer buf[] = {{DRIVER_DATA, 2, false}, {DRIVER_AVAIL(0) + 2, 2, true}};

    start(0, 16);
    for (unsigned i = 0; i < 50; i++) {
        le16_store(d.mock->ram + DRIVER_DATA, (uint16_t)(d.ring[0].avail + 9));
        driver_add(&d, 0, buf, 2, false);
        driver_kick(&d, 0);
        mock_run(d.mock, 100 * PS_PER_US);
    }
    ck_assert_uint_lt(d.mock->dma_reads, 100 * 1000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("virtio-queue");
    TCase *tc = tcase_create("virtio");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, features_are_agreed);
    tcase_add_loop_test(tc, data_comes_back, 0, MODES);
    tcase_add_loop_test(tc, answers_may_come_in_any_order, 0, 4);
    tcase_add_loop_test(tc, interrupts_are_suppressed, 0, 2);
    tcase_add_loop_test(tc, event_index_chooses_the_interrupt, 0, 2);
    tcase_add_loop_test(tc, event_index_in_the_past, 0, 2);
    tcase_add_loop_test(tc, notifications_are_asked_for, 0, 2);
    tcase_add_loop_test(tc, malformed_rings_need_a_reset, 0, 4);
    tcase_add_loop_test(tc, what_was_not_negotiated_is_refused, 0, 4);
    tcase_add_test(tc, rings_of_impossible_shape);
    tcase_add_loop_test(tc, a_reset_waits_for_dma, 0, 4);
    tcase_add_loop_test(tc, a_reset_takes_requests_back, 0, 4);
    tcase_add_loop_test(tc, without_msix_there_is_isr, 0, 2);
    tcase_add_loop_test(tc, configuration_changes_are_told, 0, 1);
    tcase_add_test(tc, configuration_space_reaches_the_structures);
    tcase_add_test(tc, a_ring_that_feeds_itself_takes_time);
    suite_add_tcase(suite, tc);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
