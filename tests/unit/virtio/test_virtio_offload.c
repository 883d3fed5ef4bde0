/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checksums, segmentation and mergeable buffers of the network device. */
#include <check.h>
#include <glib.h>
#include <string.h>

#include "driver.h"
#include "pcilab/base/inet.h"
#include "pcilab/base/tcp.h"
#include "pcilab/endpoint/virtio_devices.h"

#define HEADER 12
#define DATA   DRIVER_DATA
#define FRAME  (DATA + HEADER)
#define ROOM   (DATA + 0x40000)

enum { RX, TX };
enum { CSUM = 0, GUEST_CSUM = 1, HOST_TSO4 = 11, HOST_TSO6 = 12, MRG_RXBUF = 15 };
enum { FIN = 1, PSH = 8, ACK = 0x10, CWR = 0x80 };

static struct driver d;
static struct virtio_net *net;
static GPtrArray *sent; /* GBytes */

static void output(void *opaque, const uint8_t *frame, uint32_t len)
{
    g_ptr_array_add(sent, g_bytes_new(frame, len));
}

static void room(void *opaque)
{
}

static void setup_net(bool packed, bool large)
{
    static const struct virtio_net_ops ops = {output, room, NULL};
    struct virtio_net_params params = {
        .name = "net", .ops = &ops, .packed = packed, .large = large};

    memset(&d, 0, sizeof(d));
    sent = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    d.mock = mock_new(DRIVER_RAM_BYTES);
    net = virtio_net_new(mock_fabric(d.mock), &params);
    d.ep = virtio_net_endpoint(net);
    d.func = mock_func(d.ep, 0);
    mock_set_msix(d.func, true);
    driver_setup(&d, 0, 2, 64);
}

static void setup_split(void)
{
    setup_net(false, false);
}

static void setup_packed(void)
{
    setup_net(true, false);
}

static void setup_large(void)
{
    setup_net(false, true);
}

static void teardown(void)
{
    endpoint_free(d.ep);
    mock_free(d.mock);
    g_ptr_array_unref(sent);
}

static const uint8_t *sent_frame(unsigned i, gsize *len)
{
    ck_assert_uint_lt(i, sent->len);
    return g_bytes_get_data(sent->pdata[i], len);
}

/* The plain way, as an oracle: 16 bits after the other. */
static uint32_t sum_of(const uint8_t *at, gsize len)
{
    uint32_t sum = 0;

    for (gsize i = 0; i < len; i++) {
        sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

/* All checksums and lengths of a TCP frame are right. */
static void check_frame(const uint8_t *f, gsize len)
{
    bool v6 = be16_load(f + 12) == 0x86dd;
    unsigned tcp = v6 ? 54 : 34;
    uint32_t sum = sum_of(f + tcp, len - tcp) + 6 + (uint32_t)(len - tcp);

    sum += v6 ? sum_of(f + 22, 32) : sum_of(f + 26, 8);
    sum = (sum & 0xffff) + (sum >> 16);
    ck_assert_uint_eq((sum & 0xffff) + (sum >> 16), 0xffff);
    ck_assert_uint_eq(v6 ? be16_load(f + 18) + 54 : be16_load(f + 16) + 14, len);
    if (!v6)
        ck_assert_uint_eq(sum_of(f + 14, 20), 0xffff);
}

static uint8_t pattern(uint32_t at)
{
    return (uint8_t)(at * 37 >> 3);
}

/* A frame with TCP data that begins with number `seq` of a stream, and right checksums. */
static uint32_t make_frame(uint8_t *f, bool v6, uint32_t seq, unsigned flags, uint32_t bytes)
{
    uint32_t tcp = v6 ? 54 : 34, len = tcp + 20 + bytes;
    struct tcp_frame t;

    memset(f, 0, tcp + 20);
    memset(f, 0x52, 12);
    be16_store(f + 12, v6 ? 0x86dd : 0x0800);
    f[14] = v6 ? 0x60 : 0x45;
    f[v6 ? 20 : 23] = 6;
    f[v6 ? 21 : 22] = 64;
    be16_store(f + 18, 77); /* IPv4: identification */
    be32_store(f + 26, 0x0a00020f);
    be32_store(f + 30, 0x0a000202);
    be16_store(f + tcp, 1000);
    be16_store(f + tcp + 2, 2000);
    be32_store(f + tcp + 4, seq);
    f[tcp + 12] = 0x50;
    f[tcp + 13] = (uint8_t)flags;
    for (uint32_t i = 0; i < bytes; i++)
        f[tcp + 20 + i] = pattern(seq + i);
    ck_assert(tcp_frame_find(f, len, &t));
    tcp_frame_set_len(f, &t, len);
    tcp_frame_set_sum(f, &t, len);
    check_frame(f, len);
    return len;
}

/* From the guest. */

static void set_header(unsigned flags, unsigned type, unsigned size, unsigned start, unsigned at)
{
    uint8_t *h = d.mock->ram + DATA;

    memset(h, 0, HEADER);
    h[0] = (uint8_t)flags;
    h[1] = (uint8_t)type;
    le16_store(h + 4, (uint16_t)size);
    le16_store(h + 6, (uint16_t)start);
    le16_store(h + 8, (uint16_t)at);
}

static void send(uint32_t len)
{
    struct driver_buffer buf = {DATA, HEADER + len, false};
    uint16_t id;
    uint32_t used = 1;

    driver_add(&d, TX, &buf, 1, false);
    driver_kick(&d, TX);
    mock_run(d.mock, PS_PER_MS);
    ck_assert(driver_used(&d, TX, &id, &used) && used == 0);
    ck_assert_uint_eq(driver_status(&d) & S_NEEDS_RESET, 0);
}

static unsigned sent_by(uint32_t len)
{
    g_ptr_array_set_size(sent, 0);
    send(len);
    return sent->len;
}

START_TEST(fills_in_checksums)
{
    uint8_t *f = d.mock->ram + FRAME;
    uint32_t len = make_frame(f, false, 5, ACK, 333);
    uint32_t pseudo = sum_of(f + 26, 8) + 6 + 353;
    gsize got;

    be16_store(f + 50, (pseudo & 0xffff) + (pseudo >> 16));
    set_header(1, 0, 0, 34, 16);
    ck_assert_uint_eq(sent_by(len), 1);
    check_frame(sent_frame(0, &got), len);
    ck_assert_uint_eq(got, len);
    /* what comes to 0 is sent as its other form */
    memset(f + 34, 0xff, 2);
    memset(f + 36, 0, len - 36);
    set_header(1, 0, 0, 34, 6);
    ck_assert_uint_eq(sent_by(len), 1);
    ck_assert_uint_eq(be16_load(sent_frame(0, &got) + 40), 0xffff);
    set_header(1, 0, 0, (unsigned)len, 0);
    ck_assert_uint_eq(sent_by(len), 0);
    set_header(1, 0, 0, 34, (unsigned)len - 34 - 1);
    ck_assert_uint_eq(sent_by(len), 0);
    set_header(1, 0, 0, 0xffff, 0xffff);
    ck_assert_uint_eq(sent_by(len), 0);
    set_header(2, 0, 0, 0, 0);
    ck_assert_uint_eq(sent_by(len), 0);
}
END_TEST

static void check_segments(bool v6)
{
    uint32_t headers = v6 ? 74 : 54, tcp = headers - 20;
    uint32_t len = make_frame(d.mock->ram + FRAME, v6, 1000, FIN | PSH | ACK | CWR, 2500);

    set_header(1, v6 ? 4 : 1, 1000, tcp, 16);
    ck_assert_uint_eq(sent_by(len), 3);
    for (unsigned i = 0; i < 3; i++) {
        gsize got;
        const uint8_t *f = sent_frame(i, &got);

        check_frame(f, got);
        ck_assert_uint_eq(got, headers + (i < 2 ? 1000 : 500));
        ck_assert_uint_eq(be32_load(f + tcp + 4), 1000 + i * 1000);
        ck_assert_uint_eq(f[tcp + 13], i == 0 ? ACK | CWR : i == 1 ? ACK : FIN | PSH | ACK);
        ck_assert(memcmp(f + headers, d.mock->ram + FRAME + headers + i * 1000, got - headers) ==
                  0);
        if (!v6)
            ck_assert_uint_eq(be16_load(f + 18), 77 + i);
    }
}

START_TEST(cuts_segments)
{
    check_segments(false);
    check_segments(true);
}
END_TEST

START_TEST(passes_whole_what_need_not_be_cut)
{
    uint32_t len = make_frame(d.mock->ram + FRAME, false, 9, ACK, 60000);
    gsize got;

    memset(d.mock->ram + FRAME + 50, 0xaa, 2);
    set_header(1, 1, 1460, 34, 16);
    ck_assert_uint_eq(sent_by(len), 1);
    check_frame(sent_frame(0, &got), len);
    ck_assert_uint_eq(got, len);
    /* without segmentation it is only a frame that is too long */
    set_header(1, 0, 0, 34, 16);
    ck_assert_uint_eq(sent_by(len), 0);
}
END_TEST

START_TEST(drops_impossible_segmentation)
{
    static const struct {
        unsigned flags, type, size;
    } bad[] = {{0, 1, 1000}, {1, 4, 1000}, {1, 3, 1000}, {1, 5, 1000}, {1, 0x81, 1000},
               {1, 1, 0},    {1, 1, 7},    {1, 1, 1461}, {1, 1, 65535}};
    uint32_t len = make_frame(d.mock->ram + FRAME, false, 0, ACK, 3000);

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        set_header(bad[i].flags, bad[i].type, bad[i].size, 34, 16);
        ck_assert_uint_eq(sent_by(len), 0);
    }
    set_header(1, 1, 1000, 34, 16);
    for (uint32_t n = 0; n <= 54; n++)
        ck_assert_uint_eq(sent_by(n), 0);
    ck_assert_uint_eq(sent_by(55), 1);
    d.mock->ram[FRAME + 46] = 0xf0; /* a TCP header of 60 bytes, past the end */
    ck_assert_uint_eq(sent_by(60), 0);
    d.mock->ram[FRAME + 23] = 17;
    ck_assert_uint_eq(sent_by(len), 0);
}
END_TEST

START_TEST(what_was_not_negotiated_is_dropped)
{
    uint32_t len = make_frame(d.mock->ram + FRAME, false, 0, ACK, 3000);

    driver_setup(&d, BIT(HOST_TSO4), 2, 64);
    set_header(1, 1, 1000, 34, 16);
    ck_assert_uint_eq(sent_by(len), 0);
    driver_setup(&d, BIT(CSUM), 2, 64);
    ck_assert_uint_eq(sent_by(len), 0);
    set_header(1, 0, 0, 34, 16);
    ck_assert_uint_eq(sent_by(1000), 0);
}
END_TEST

/* To the guest. */

static void give(unsigned count, uint32_t bytes)
{
    for (unsigned i = 0; i < count; i++) {
        struct driver_buffer buf = {ROOM + i * 0x1000u, bytes, true};

        driver_add(&d, RX, &buf, 1, false);
    }
    driver_kick(&d, RX);
    mock_run(d.mock, PS_PER_MS);
}

/* The frame of the next num_buffers used buffers, its header into `header`. */
static GByteArray *got(uint8_t *header, unsigned first, uint32_t bytes)
{
    GByteArray *all = g_byte_array_new();
    const uint8_t *at = d.mock->ram + ROOM + first * 0x1000u;
    unsigned buffers = le16_load(at + 10);
    uint16_t id;
    uint32_t len;

    for (unsigned i = 0; i < buffers; i++, at += 0x1000) {
        ck_assert(driver_used(&d, RX, &id, &len));
        if (i + 1 < buffers)
            ck_assert_uint_eq(len, bytes);
        g_byte_array_append(all, at, len);
    }
    memcpy(header, all->data, HEADER);
    g_byte_array_remove_range(all, 0, HEADER);
    return all;
}

static bool input(bool v6, uint32_t seq, unsigned flags, uint32_t bytes)
{
    uint8_t frame[VIRTIO_NET_FRAME_MAX];

    return virtio_net_input(net, frame, make_frame(frame, v6, seq, flags, bytes));
}

static bool any_used(void)
{
    uint16_t id;
    uint32_t len;

    return driver_used(&d, RX, &id, &len);
}

static void check_merged(bool v6)
{
    uint32_t headers = v6 ? 74 : 54;
    uint8_t h[HEADER];
    struct tcp_frame t;

    driver_setup(&d, 0, 2, 64);
    give(20, 512);
    ck_assert(input(v6, 100, ACK, 1000) && input(v6, 1100, ACK, 1000) &&
              input(v6, 2100, ACK, 1000));
    ck_assert(!any_used());
    ck_assert(input(v6, 3100, ACK | PSH, 300));
    mock_run(d.mock, PS_PER_MS);
    GByteArray *frame = got(h, 0, 512);
    ck_assert(!any_used());
    ck_assert_uint_eq(frame->len, headers + 3300);
    ck_assert_uint_eq(h[0], 1);
    ck_assert_uint_eq(h[1], v6 ? 4 : 1);
    ck_assert_uint_eq(le16_load(h + 2), headers);
    ck_assert_uint_eq(le16_load(h + 4), 1000);
    ck_assert_uint_eq(le16_load(h + 6), headers - 20);
    ck_assert_uint_eq(le16_load(h + 8), 16);
    ck_assert_uint_eq(le16_load(h + 10), (headers + 3300 + HEADER + 511) / 512);
    for (uint32_t i = 0; i < 3300; i++)
        ck_assert_uint_eq(frame->data[headers + i], pattern(100 + i));
    ck_assert_uint_eq(frame->data[headers - 7], ACK | PSH);
    /* the guest would make it right so */
    uint32_t sum = sum_of(frame->data + headers - 20, 3320);
    be16_store(frame->data + headers - 4, ~sum & 0xffff);
    check_frame(frame->data, frame->len);
    ck_assert(tcp_frame_find(frame->data, frame->len, &t));
    g_byte_array_unref(frame);
}

START_TEST(merges_a_stream)
{
    check_merged(false);
    check_merged(true);
}
END_TEST

/* Each of these is no continuation: two frames arrive, both as they were. */
START_TEST(merges_nothing_else)
{
    static const struct {
        unsigned at, mask; /* a byte of the second frame that is different */
    } other[] = {{3, 1}, {15, 1}, {22, 1}, {29, 1}, {35, 1}, {41, 1}, {45, 1}, {47, 1}};
    uint8_t frame[VIRTIO_NET_FRAME_MAX], h[HEADER];
    struct tcp_frame t;

    for (unsigned i = 0; i < G_N_ELEMENTS(other); i++) {
        driver_setup(&d, 0, 2, 64);
        give(4, 2048);
        ck_assert(input(false, 100, ACK, 1000));
        uint32_t len = make_frame(frame, false, 1100, ACK, 1000);
        frame[other[i].at] ^= (uint8_t)other[i].mask;
        ck_assert(tcp_frame_find(frame, len, &t));
        tcp_frame_set_len(frame, &t, len);
        tcp_frame_set_sum(frame, &t, len);
        ck_assert(virtio_net_input(net, frame, len));
        mock_run(d.mock, PS_PER_MS);
        for (unsigned n = 0; n < 2; n++) {
            GByteArray *one = got(h, n, 2048);
            ck_assert_uint_eq(one->len, 1054);
            ck_assert_uint_eq(h[0], 2);
            ck_assert_uint_eq(h[1], 0);
            check_frame(one->data, one->len);
            g_byte_array_unref(one);
        }
    }
}
END_TEST

/* A longer piece than the first, one after a shorter one, a wrong checksum, a gap in time. */
START_TEST(segments_are_of_one_size)
{
    uint8_t frame[VIRTIO_NET_FRAME_MAX];

    give(20, 2048);
    ck_assert(input(false, 0, ACK, 500) && input(false, 500, ACK, 501));
    ck_assert(input(false, 1001, ACK, 300) && input(false, 1301, ACK, 300));
    uint32_t len = make_frame(frame, false, 1601, ACK, 300);
    frame[len - 1] ^= 1;
    ck_assert(virtio_net_input(net, frame, len));
    mock_run(d.mock, PS_PER_MS);
    ck_assert(input(false, 5000, ACK, 300));
    mock_run(d.mock, PS_PER_MS);
    ck_assert(input(false, 5300, ACK, 300));
    mock_run(d.mock, PS_PER_MS);
    static const unsigned lens[] = {500, 801, 300, 300, 300, 300}, flags[] = {2, 1, 2, 0, 2, 2};
    for (unsigned i = 0; i < G_N_ELEMENTS(lens); i++) {
        uint8_t h[HEADER];
        GByteArray *one = got(h, i, 2048);
        ck_assert_uint_eq(one->len, 54 + lens[i]);
        ck_assert_uint_eq(h[0], flags[i]);
        g_byte_array_unref(one);
    }
    ck_assert(!any_used());
}
END_TEST

/* What is merged has room: the rest of the stream waits for more. */
START_TEST(merges_no_more_than_there_is_room_for)
{
    uint8_t h[HEADER];

    give(3, 1000);
    ck_assert(input(false, 0, ACK, 1400) && input(false, 1400, ACK, 1400));
    ck_assert(!input(false, 2800, ACK, 1400));
    mock_run(d.mock, PS_PER_MS);
    GByteArray *one = got(h, 0, 1000);
    ck_assert_uint_eq(one->len, 54 + 2800);
    g_byte_array_unref(one);
    give(2, 700);
    ck_assert(!input(false, 2800, ACK, 1400));
}
END_TEST

/* The driver sees all buffers of a frame or none, at any time. */
START_TEST(buffers_of_a_frame_appear_together)
{
    uint16_t id;
    uint32_t len;

    for (unsigned round = 0; round < 8; round++) {
        unsigned seen = 0;

        give(60, 32);
        ck_assert(input(false, 0, FIN | ACK, 1400));
        for (unsigned t = 0; t < 4000 && !seen; t++) {
            mock_run(d.mock, PS_PER_NS);
            while (driver_used(&d, RX, &id, &len))
                seen++;
        }
        ck_assert_uint_eq(seen, (HEADER + 1454 + 31) / 32);
        driver_setup(&d, 0, 2, 64);
    }
}
END_TEST

/* Without mergeable buffers each must hold the longest frame, and one does. */
START_TEST(large_frames_in_large_buffers)
{
    uint8_t h[HEADER];

    driver_setup(&d, BIT(MRG_RXBUF), 2, 64);
    struct driver_buffer buf = {ROOM, HEADER + TCP_FRAME_MAX, true};
    driver_add(&d, RX, &buf, 1, false);
    driver_kick(&d, RX);
    mock_run(d.mock, PS_PER_MS);
    ck_assert(input(false, 0, ACK, 1400) && input(false, 1400, ACK, 1400));
    mock_run(d.mock, PS_PER_MS);
    GByteArray *one = got(h, 0, 0);
    ck_assert_uint_eq(one->len, 54 + 2800);
    ck_assert_uint_eq(le16_load(h + 10), 1);
    g_byte_array_unref(one);
    give(1, 2000);
    ck_assert(driver_status(&d) & S_NEEDS_RESET);
}
END_TEST

START_TEST(a_reset_forgets_what_was_merged)
{
    give(4, 2000);
    ck_assert(input(false, 0, ACK, 1000));
    driver_setup(&d, BIT(GUEST_CSUM), 2, 64);
    give(4, 2000);
    mock_run(d.mock, PS_PER_MS);
    ck_assert(!any_used());
    /* without the guest's checksums nothing is merged and nothing said */
    ck_assert(input(false, 0, ACK, 1000) && input(false, 1000, ACK, 1000));
    mock_run(d.mock, PS_PER_MS);
    uint8_t h[HEADER];
    GByteArray *one = got(h, 0, 2000);
    ck_assert_uint_eq(one->len, 1054);
    ck_assert_uint_eq(h[0], 0);
    g_byte_array_unref(one);
}
END_TEST

static TCase *make_case(const char *name, void (*before)(void))
{
    TCase *tc = tcase_create(name);

    tcase_add_checked_fixture(tc, before, teardown);
    tcase_add_test(tc, fills_in_checksums);
    tcase_add_test(tc, cuts_segments);
    tcase_add_test(tc, drops_impossible_segmentation);
    tcase_add_test(tc, what_was_not_negotiated_is_dropped);
    tcase_add_test(tc, merges_a_stream);
    tcase_add_test(tc, merges_nothing_else);
    tcase_add_test(tc, segments_are_of_one_size);
    tcase_add_test(tc, merges_no_more_than_there_is_room_for);
    tcase_add_test(tc, buffers_of_a_frame_appear_together);
    tcase_add_test(tc, large_frames_in_large_buffers);
    tcase_add_test(tc, a_reset_forgets_what_was_merged);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("virtio-offload");
    SRunner *runner = srunner_create(suite);
    TCase *large = tcase_create("large");

    suite_add_tcase(suite, make_case("split", setup_split));
    suite_add_tcase(suite, make_case("packed", setup_packed));
    tcase_add_checked_fixture(large, setup_large, teardown);
    tcase_add_test(large, passes_whole_what_need_not_be_cut);
    suite_add_tcase(suite, large);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
