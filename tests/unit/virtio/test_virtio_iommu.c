/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The function of a virtio-iommu, driven through its queues; behind it somebody who notes all. */
#include <check.h>
#include <string.h>

#include "driver.h"
#include "pcilab/endpoint/virtio_devices.h"

#define EVENT_BYTES  24
#define CONFIG_BYTES 40
#define BYPASS       36
#define DATA         DRIVER_DATA
#define EVENTS_AT    (DRIVER_DATA + 0x10000)
#define WAITING      16

enum { REQUESTS, EVENTS };

static struct driver d;
static struct virtio_iommu *iommu;
static unsigned requests, resets, writes;
static uint64_t negotiated;
static uint32_t seen_in, seen_out, answer;
static uint8_t config[CONFIG_BYTES], first_byte;

static uint32_t on_request(void *opaque, const uint8_t *in, uint32_t in_len, uint8_t *out,
                           uint32_t out_len)
{
    requests++;
    seen_in = in_len;
    seen_out = out_len;
    first_byte = in_len ? in[0] : 0;
    memset(out, 0x77, answer);
    return answer;
}

static void on_driver_ok(void *opaque, uint64_t features)
{
    negotiated = features;
}

static void on_reset(void *opaque)
{
    resets++;
}

static void on_config(void *opaque, unsigned offset, const uint8_t *data, unsigned len)
{
    writes++;
    if (offset == BYPASS && len == 1) {
        config[BYPASS] = data[0];
        virtio_iommu_set_config(iommu, config);
    }
}

static void setup(void)
{
    static const struct virtio_iommu_ops ops = {on_request, on_driver_ok, on_reset, on_config};

    memset(&d, 0, sizeof(d));
    memset(config, 0, sizeof(config));
    config[1] = 0x10;
    requests = resets = writes = 0;
    d.mock = mock_new(DRIVER_RAM_BYTES);
    iommu = virtio_iommu_new(mock_fabric(d.mock), &(struct virtio_iommu_params){
                                                      .name = "iommu",
                                                      .features = 0x77,
                                                      .request_bytes = 100,
                                                      .answer_bytes = 50,
                                                      .event_bytes = EVENT_BYTES,
                                                      .config = config,
                                                      .config_bytes = CONFIG_BYTES,
                                                      .ops = &ops,
                                                  });
    d.ep = virtio_iommu_endpoint(iommu);
    d.func = mock_func(d.ep, 0);
    mock_set_msix(d.func, true);
    driver_setup(&d, BIT(3), 2, 64);
}

static void teardown(void)
{
    endpoint_free(d.ep);
    mock_free(d.mock);
}

static void run(void)
{
    mock_run(d.mock, PS_PER_MS);
}

/* A request; how much of the answer is written. */
static uint32_t ask(uint32_t in_len, uint32_t out_len, uint32_t written)
{
    struct driver_buffer buf[] = {{DATA, in_len, false}, {DATA + 0x1000, out_len, true}};
    uint16_t id;
    uint32_t used = 0;

    answer = written;
    driver_add(&d, REQUESTS, buf, 2, false);
    driver_kick(&d, REQUESTS);
    run();
    ck_assert(driver_used(&d, REQUESTS, &id, &used));
    return used;
}

static void give_buffer(unsigned i, bool kick)
{
    struct driver_buffer buf = {EVENTS_AT + i * 64, 64, true};

    driver_add(&d, EVENTS, &buf, 1, false);
    if (kick)
        driver_kick(&d, EVENTS);
    run();
}

static bool tell(uint8_t number)
{
    uint8_t event[EVENT_BYTES];
    bool taken;

    memset(event, number, sizeof(event));
    taken = virtio_iommu_event(iommu, event);
    run();
    return taken;
}

static void expect_event(unsigned i, uint8_t number)
{
    const uint8_t *at = d.mock->ram + EVENTS_AT + i * 64;
    uint16_t id;
    uint32_t len = 0;

    ck_assert(driver_used(&d, EVENTS, &id, &len));
    ck_assert_uint_eq(len, EVENT_BYTES);
    ck_assert(at[0] == number && at[EVENT_BYTES - 1] == number && at[EVENT_BYTES] == 0);
}

START_TEST(test_what_it_is)
{
    ck_assert_uint_eq(driver_offered(&d) & 0xffffff, 0x77);
    ck_assert_uint_eq(negotiated & 0xffffff, 0x77);
    ck_assert_uint_eq(driver_get(&d, DRIVER_CONFIG + 1, 1), 0x10);
    driver_set(&d, DRIVER_CONFIG + BYPASS, 1, 1);
    ck_assert_uint_eq(driver_get(&d, DRIVER_CONFIG + BYPASS, 1), 1);
    driver_set(&d, DRIVER_CONFIG, 4, 0);
    ck_assert_uint_eq(writes, 2);
    ck_assert_uint_eq(driver_get(&d, DRIVER_CONFIG + 1, 1), 0x10);
}
END_TEST

START_TEST(test_requests)
{
    d.mock->ram[DATA] = 0x42;
    ck_assert_uint_eq(ask(20, 4, 4), 4);
    ck_assert(seen_in == 20 && seen_out == 4 && first_byte == 0x42);
    ck_assert_uint_eq(d.mock->ram[DATA + 0x1000 + 3], 0x77);
    ck_assert_uint_eq(ask(100, 1000, 50), 50);
    ck_assert(seen_in == 100 && seen_out == 50);
    ck_assert_uint_eq(ask(1, 4, 0), 0);
    ck_assert_uint_eq(requests, 3);
    /* More than any request has. */
    struct driver_buffer buf = {DATA, 101, false};
    driver_add(&d, REQUESTS, &buf, 1, false);
    driver_kick(&d, REQUESTS);
    run();
    ck_assert(driver_status(&d) & S_NEEDS_RESET);
    ck_assert_uint_eq(requests, 3);
}
END_TEST

START_TEST(test_events)
{
    give_buffer(0, true);
    give_buffer(1, true);
    ck_assert(tell(5));
    expect_event(0, 5);
    ck_assert(tell(6));
    expect_event(1, 6);
    /* The driver says nothing of this buffer: it is looked for when there is something to tell. */
    give_buffer(2, false);
    ck_assert(tell(7));
    expect_event(2, 7);
}
END_TEST

START_TEST(test_events_wait)
{
    for (unsigned i = 0; i < WAITING; i++)
        ck_assert(tell((uint8_t)(i + 1)));
    ck_assert(!tell(99));
    for (unsigned i = 0; i < WAITING; i++) {
        give_buffer(i, i % 2);
        if (i % 2 == 0)
            driver_kick(&d, EVENTS);
        run();
        expect_event(i, (uint8_t)(i + 1));
    }
    give_buffer(20, true);
    ck_assert(tell(100));
    expect_event(20, 100);
    /* A reset forgets what waits, and buffers. */
    give_buffer(21, true);
    ck_assert(tell(101) && tell(102));
    unsigned before = resets;
    driver_setup(&d, BIT(3), 2, 64);
    ck_assert_uint_eq(resets, before + 1);
    memset(d.mock->ram + EVENTS_AT, 0, 0x1000);
    give_buffer(0, true);
    ck_assert(tell(103));
    expect_event(0, 103);
}
END_TEST

START_TEST(test_events_without_a_driver)
{
    driver_set(&d, 0x14, 1, 0);
    run();
    ck_assert(!tell(1));
    driver_start(&d, driver_offered(&d));
    ck_assert(!tell(1));
}
END_TEST

START_TEST(test_small_event_buffer)
{
    struct driver_buffer buf = {EVENTS_AT, EVENT_BYTES - 1, true};

    driver_add(&d, EVENTS, &buf, 1, false);
    driver_kick(&d, EVENTS);
    run();
    ck_assert(driver_status(&d) & S_NEEDS_RESET);
    ck_assert(!tell(1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("virtio iommu");
    TCase *tc = tcase_create("virtio iommu");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_what_it_is);
    tcase_add_test(tc, test_requests);
    tcase_add_test(tc, test_events);
    tcase_add_test(tc, test_events_wait);
    tcase_add_test(tc, test_events_without_a_driver);
    tcase_add_test(tc, test_small_event_buffer);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
