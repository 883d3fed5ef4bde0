/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP in frames: what is found in hostile ones, and segments that become one. */
#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "pcilab/base/inet.h"
#include "pcilab/base/tcp.h"

#define HEADERS 54
#define ACK     0x10
#define PSH     0x08

static uint32_t make_frame(uint8_t *f, uint32_t seq, unsigned flags, uint32_t bytes)
{
    uint32_t len = HEADERS + bytes;
    struct tcp_frame t;

    memset(f, 0, HEADERS);
    be16_store(f + 12, 0x0800);
    f[14] = 0x45;
    f[23] = 6;
    be32_store(f + 38, seq);
    f[46] = 0x50;
    f[47] = (uint8_t)flags;
    for (uint32_t i = 0; i < bytes; i++)
        f[HEADERS + i] = (uint8_t)(seq + i);
    ck_assert(tcp_frame_find(f, len, &t));
    tcp_frame_set_len(f, &t, len);
    tcp_frame_set_sum(f, &t, len);
    return len;
}

/* RFC 1071, section 3. */
START_TEST(sums_are_those_of_the_rfc)
{
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

    ck_assert_uint_eq(inet_sum_add(0, bytes, 8), 0xddf2);
    ck_assert_uint_eq(inet_sum_fold(inet_sum_add(0, bytes, 8)), 0x220d);
    ck_assert_uint_eq(inet_sum_add(inet_sum_add(0, bytes, 2), bytes + 2, 6), 0xddf2);
    ck_assert_uint_eq(inet_sum_add(0, bytes, 3), 0xf201);
    ck_assert_uint_eq(inet_sum_add(0x1234, bytes, 1), 0x1234);
    ck_assert_uint_eq(inet_sum_add(7, bytes, 0), 7);
}
END_TEST

/* Frames that end anywhere, with any byte changed: nothing outside is read (sanitizers look), and
 * only what is right is called so. */
START_TEST(hostile_frames)
{
    uint8_t whole[200];
    uint32_t len = make_frame(whole, 7, ACK, 100);
    struct tcp_frame t;

    for (uint32_t n = 0; n <= len; n++) {
        uint8_t *cut = g_memdup2(whole, n);

        if (tcp_frame_find(cut, n, &t))
            ck_assert(tcp_frame_sums_right(cut, n, &t) == (n == len));
        g_free(cut);
    }
    for (uint32_t at = 12; at < len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t *f = g_memdup2(whole, len);

            f[at] ^= (uint8_t)(1u << bit);
            ck_assert(!tcp_frame_find(f, len, &t) || !tcp_frame_sums_right(f, len, &t));
            g_free(f);
        }
    }
    be16_store(whole + 20, 0x2000); /* a fragment */
    ck_assert(!tcp_frame_find(whole, len, &t));
}
END_TEST

static bool add(struct tcp_merge *m, uint32_t seq, unsigned flags, uint32_t bytes)
{
    uint8_t f[2000];
    struct tcp_frame t;

    ck_assert(tcp_frame_find(f, make_frame(f, seq, flags, bytes), &t));
    return m->len ? tcp_merge_add(m, f, &t, TCP_FRAME_MAX) : tcp_merge_start(m, f, &t);
}

START_TEST(segments_become_one)
{
    struct tcp_merge m = {.frame = g_malloc(TCP_FRAME_MAX)};
    uint32_t seq = UINT32_MAX - 1000; /* numbers go round */

    ck_assert(!add(&m, 0, ACK, 0) && !add(&m, 0, ACK | PSH, 10) && !add(&m, 0, 2, 10));
    ck_assert(add(&m, seq, ACK, 600) && add(&m, seq + 600, ACK, 600));
    ck_assert(!add(&m, seq + 1201, ACK, 600) && !add(&m, seq + 1200, ACK, 601));
    ck_assert(add(&m, seq + 1200, ACK | PSH, 5));
    ck_assert(m.closed && !add(&m, seq + 1205, ACK, 5));
    tcp_merge_finish(&m, false);
    ck_assert_uint_eq(m.len, HEADERS + 1205);
    ck_assert(tcp_frame_sums_right(m.frame, m.len, &m.t));
    ck_assert_uint_eq(tcp_frame_end(m.frame, &m.t), m.len);
    for (uint32_t i = 0; i < 1205; i++)
        ck_assert_uint_eq(m.frame[HEADERS + i], (uint8_t)(seq + i));
    g_free(m.frame);
}
END_TEST

/* An IP packet has 65535 bytes at most. */
START_TEST(packets_have_a_longest)
{
    struct tcp_merge m = {.frame = g_malloc(TCP_FRAME_MAX)};
    uint32_t seq = 0;

    while (add(&m, seq, ACK, 1460))
        seq += 1460;
    ck_assert_uint_eq(seq, (65535 - 40) / 1460 * 1460);
    tcp_merge_finish(&m, false);
    ck_assert(tcp_frame_sums_right(m.frame, m.len, &m.t));
    g_free(m.frame);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tcp");
    TCase *tc = tcase_create("tcp");
    SRunner *runner = srunner_create(suite);

    tcase_add_test(tc, sums_are_those_of_the_rfc);
    tcase_add_test(tc, hostile_frames);
    tcase_add_test(tc, segments_become_one);
    tcase_add_test(tc, packets_have_a_longest);
    suite_add_tcase(suite, tc);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
