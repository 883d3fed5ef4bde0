/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network device, driven through its queues. */
#include <check.h>
#include <glib.h>
#include <string.h>

#include "driver.h"
#include "pcilab/endpoint/virtio_devices.h"

#define HEADER 12
#define DATA   DRIVER_DATA
#define RX_LEN (HEADER + VIRTIO_NET_FRAME_MAX)
/* Not here: test_virtio_offload.c. */
#define OFFLOADS (BIT(0) | BIT(1) | BIT(7) | BIT(8) | BIT(11) | BIT(12) | BIT(15))

enum { RX, TX };

static const uint8_t mac[] = {0x52, 0x54, 0, 1, 2, 3};
static struct driver d;
static struct virtio_net *net;
static GByteArray *sent;
static unsigned frames, rooms, resets;

static void output(void *opaque, const uint8_t *frame, uint32_t len)
{
    g_byte_array_set_size(sent, 0);
    g_byte_array_append(sent, frame, len);
    frames++;
}

static void room(void *opaque)
{
    rooms++;
}

static void reset(void *opaque)
{
    resets++;
}

static void setup_packed(bool packed)
{
    static const struct virtio_net_ops ops = {output, room, reset};
    struct virtio_net_params params = {.name = "net", .ops = &ops, .packed = packed};

    memset(&d, 0, sizeof(d));
    memcpy(params.mac, mac, sizeof(mac));
    frames = rooms = resets = 0;
    sent = g_byte_array_new();
    d.mock = mock_new(DRIVER_RAM_BYTES);
    net = virtio_net_new(mock_fabric(d.mock), &params);
    d.ep = virtio_net_endpoint(net);
    d.func = mock_func(d.ep, 0);
    mock_set_msix(d.func, true);
    driver_setup(&d, OFFLOADS, 2, 16);
}

static void setup(void)
{
    setup_packed(false);
}

static void setup_with_packed_rings(void)
{
    setup_packed(true);
}

static void teardown(void)
{
    endpoint_free(d.ep);
    mock_free(d.mock);
    g_byte_array_unref(sent);
}

static bool send(uint32_t len)
{
    struct driver_buffer buf[] = {{DATA, HEADER, false}, {DATA + 64, len, false}};
    uint16_t id;
    uint32_t used = 1;

    driver_add(&d, TX, buf, 2, false);
    driver_kick(&d, TX);
    mock_run(d.mock, PS_PER_MS);
    return driver_used(&d, TX, &id, &used) && used == 0;
}

static void give(uint64_t addr, uint32_t len)
{
    struct driver_buffer buf = {addr, len, true};

    driver_add(&d, RX, &buf, 1, false);
    driver_kick(&d, RX);
    mock_run(d.mock, PS_PER_MS);
}

START_TEST(says_what_it_is)
{
    ck_assert_uint_eq(driver_offered(&d) & 0xffffff, BIT(3) | BIT(5) | BIT(16) | OFFLOADS);
    for (unsigned i = 0; i < sizeof(mac); i++)
        ck_assert_uint_eq(driver_get(&d, DRIVER_CONFIG + i, 1), mac[i]);
    ck_assert_uint_eq(driver_get(&d, DRIVER_CONFIG + 6, 2), 1);
    ck_assert_uint_eq(driver_get(&d, DRIVER_CONFIG + 10, 2), 1500);
    virtio_net_set_link(net, false);
    mock_run(d.mock, PS_PER_MS);
    ck_assert_uint_eq(driver_get(&d, DRIVER_CONFIG + 6, 2), 0);
}
END_TEST

START_TEST(sends_frames)
{
    for (unsigned i = 0; i < 1514; i++)
        d.mock->ram[DATA + 64 + i] = (uint8_t)(i * 7);
    ck_assert(send(1514));
    ck_assert_uint_eq(frames, 1);
    ck_assert_uint_eq(sent->len, 1514);
    ck_assert(memcmp(sent->data, d.mock->ram + DATA + 64, 1514) == 0);
    ck_assert(send(14));
    ck_assert_uint_eq(sent->len, 14);
}
END_TEST

/* Too short, too long, with offloads that were not negotiated: dropped, and nothing breaks. */
START_TEST(drops_what_is_no_frame)
{
    ck_assert(send(13));
    ck_assert(send(1515));
    ck_assert(send(60000));
    d.mock->ram[DATA] = 1;
    ck_assert(send(100));
    d.mock->ram[DATA] = 0;
    d.mock->ram[DATA + 1] = 1;
    ck_assert(send(100));
    ck_assert_uint_eq(frames, 0);
    d.mock->ram[DATA + 1] = 0;
    ck_assert(send(100));
    ck_assert_uint_eq(frames, 1);
    ck_assert_uint_eq(driver_status(&d) & S_NEEDS_RESET, 0);
}
END_TEST

START_TEST(receives_frames)
{
    const uint8_t frame[100] = {1, 2, 3};
    uint16_t id;
    uint32_t len;

    ck_assert(!virtio_net_input(net, frame, sizeof(frame)));
    ck_assert_uint_eq(rooms, 0);
    give(DATA, RX_LEN);
    ck_assert_uint_eq(rooms, 1);
    memset(d.mock->ram + DATA, 0xff, HEADER);
    ck_assert(virtio_net_input(net, frame, sizeof(frame)));
    ck_assert(!virtio_net_input(net, frame, sizeof(frame)));
    mock_run(d.mock, PS_PER_MS);
    ck_assert(driver_used(&d, RX, &id, &len));
    ck_assert_uint_eq(len, HEADER + sizeof(frame));
    ck_assert(memcmp(d.mock->ram + DATA + HEADER, frame, sizeof(frame)) == 0);
    /* 5.1.6.4.1: no offloads, and one buffer */
    ck_assert_uint_eq(le64_load(d.mock->ram + DATA), 0);
    ck_assert_uint_eq(le32_load(d.mock->ram + DATA + 8), 1u << 16);
}
END_TEST

START_TEST(small_receive_buffers_break_it)
{
    give(DATA, RX_LEN - 1);
    ck_assert(driver_status(&d) & S_NEEDS_RESET);
    ck_assert(!virtio_net_input(net, mac, 6));
    driver_setup(&d, OFFLOADS, 2, 16);
    give(DATA, RX_LEN);
    ck_assert(virtio_net_input(net, d.mock->ram, 1514));
}
END_TEST

/* Buffers from before a reset are not written any more. */
START_TEST(reset_forgets_buffers)
{
    unsigned before = resets;

    give(DATA, RX_LEN);
    mock_reset(d.func, ENDPOINT_RESET_FLR);
    ck_assert_uint_gt(resets, before);
    ck_assert(!virtio_net_input(net, mac, 6));
    driver_setup(&d, OFFLOADS, 2, 16);
    ck_assert(!virtio_net_input(net, mac, 6));
}
END_TEST

static TCase *make_case(const char *name, void (*before)(void))
{
    TCase *tc = tcase_create(name);

    tcase_add_checked_fixture(tc, before, teardown);
    tcase_add_test(tc, says_what_it_is);
    tcase_add_test(tc, sends_frames);
    tcase_add_test(tc, drops_what_is_no_frame);
    tcase_add_test(tc, receives_frames);
    tcase_add_test(tc, small_receive_buffers_break_it);
    tcase_add_test(tc, reset_forgets_buffers);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("virtio-net");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, make_case("split", setup));
    suite_add_tcase(suite, make_case("packed", setup_with_packed_rings));
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
