/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network behind libslirp: frames in, frames out, connections to and from this host. */
#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pcilab/io/net.h"

static GPtrArray *got; /* GByteArray */
static int64_t clock_ns;
static struct net *net;

static int64_t now_ns(void *opaque)
{
    return clock_ns;
}

static void deliver(void *opaque, const uint8_t *frame, uint32_t len)
{
    ck_assert_uint_ge(len, 14);
    ck_assert_uint_le(len, NET_FRAME_MAX);
    g_ptr_array_add(got, g_byte_array_append(g_byte_array_new(), frame, len));
}

static void setup(void)
{
    const struct net_config config = {.now_ns = now_ns, .deliver = deliver};

    got = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    net = net_new(&config, NULL);
    ck_assert_ptr_nonnull(net);
}

static void teardown(void)
{
    net_free(net);
    g_ptr_array_unref(got);
}

/* RFC 826: who has 10.0.2.LAST? */
static void ask(uint8_t last)
{
    const uint8_t frame[42] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 1, 2,  3, 8, 6, 0, 1, 8, 0,  6, 4, 0,
        1,    0x52, 0x54, 0,    1,    2,    3,    10,   0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, last};

    net_input(net, frame, sizeof(frame));
}

START_TEST(the_gateway_answers)
{
    const uint8_t sender[] = {10, 0, 2, 2};

    ask(2);
    ck_assert_uint_eq(got->len, 1);
    const GByteArray *reply = got->pdata[0];
    ck_assert_uint_ge(reply->len, 42);
    ck_assert_uint_eq(reply->data[21], 2);
    ck_assert(memcmp(reply->data + 28, sender, 4) == 0);
    ask(77);
    ck_assert_uint_eq(got->len, 1);
}
END_TEST

static unsigned poll_once(void)
{
    GArray *fds = g_array_new(FALSE, FALSE, sizeof(struct pollfd));
    uint32_t timeout = 100;

    net_fill(net, fds, &timeout);
    unsigned count = fds->len;
    (void)poll((struct pollfd *)(void *)fds->data, fds->len, (int)timeout);
    net_polled(net, fds);
    g_array_unref(fds);
    clock_ns += 100000000;
    return count;
}

START_TEST(nothing_to_poll_without_connections)
{
    ask(2);
    ck_assert_uint_eq(poll_once(), 0);
}
END_TEST

/* A port of this host leads to the guest: a connection becomes a SYN. */
START_TEST(a_forwarded_port_leads_inside)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(probe, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(getsockname(probe, (struct sockaddr *)&address, &len), 0);
    close(probe);
    char *forward = g_strdup_printf("tcp::%u-:22", ntohs(address.sin_port));
    const struct net_config config = {.forward = forward, .now_ns = now_ns, .deliver = deliver};
    net_free(net);
    net = net_new(&config, NULL);
    ck_assert_ptr_nonnull(net);
    ask(2); /* so that the guest's address is known */
    g_ptr_array_set_size(got, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, len), 0);
    for (unsigned i = 0; i < 20 && !got->len; i++) {
        ck_assert_uint_ge(poll_once(), 1);
    }
    ck_assert_uint_ge(got->len, 1);
    const uint8_t *frame = ((GByteArray *)got->pdata[0])->data;
    ck_assert_uint_eq(frame[23], 6); /* TCP */
    ck_assert_uint_eq(frame[36] << 8 | frame[37], 22);
    ck_assert_uint_eq(frame[47] & 0x12, 2); /* SYN, no ACK */
    close(fd);
    g_free(forward);
}
END_TEST

START_TEST(bad_words_are_refused)
{
    static const char *const bad[] = {"x",
                                      "tcp",
                                      "tcp:",
                                      "tcp:1-2",
                                      "tcp::1",
                                      "tcp::0-:22",
                                      "tcp::1-:65536",
                                      "tcp:a:1-:2",
                                      "sctp::1-:2",
                                      "tcp::1-:2x",
                                      "tcp::22222-:1 udp"};

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        const struct net_config config = {.forward = bad[i], .now_ns = now_ns, .deliver = deliver};
        GError *error = NULL;
        ck_assert_ptr_null(net_new(&config, &error));
        ck_assert_ptr_nonnull(error);
        ck_assert_ptr_nonnull(strstr(error->message, "is not allowed"));
        g_error_free(error);
    }
}
END_TEST

/* Whatever a guest sends. */
START_TEST(noise_is_survived)
{
    uint32_t state = 1;
    uint8_t frame[NET_FRAME_MAX];

    for (unsigned i = 0; i < 20000; i++) {
        unsigned len = 14 + (state >> 8) % 200;
        for (unsigned j = 0; j < len; j++) {
            state = state * 1664525 + 1013904223;
            frame[j] = (uint8_t)(state >> 24);
        }
        frame[12] = 8;
        frame[13] = i & 1 ? 6 : 0;
        frame[14] = 0x45;
        frame[23] = i & 2 ? 1 : 99; /* ICMP, or what nobody knows: nothing leaves this host */
        memcpy(frame + 30, (const uint8_t[]){10, 0, 2, 2}, 4);
        net_input(net, frame, len);
    }
    g_ptr_array_set_size(got, 0);
    ask(2);
    ck_assert_uint_eq(got->len, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net");
    TCase *tc = tcase_create("net");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_gateway_answers);
    tcase_add_test(tc, nothing_to_poll_without_connections);
    tcase_add_test(tc, a_forwarded_port_leads_inside);
    tcase_add_test(tc, bad_words_are_refused);
    tcase_add_test(tc, noise_is_survived);
    suite_add_tcase(suite, tc);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
