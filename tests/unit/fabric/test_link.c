/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Link timing: bandwidth, credits, acknowledgement and replay, faults, exactly once in order. */
#include <check.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link_pair.h"
#include "pcilab/base/bits.h"
#include "pcilab/fabric/inject.h"
#include "rig.h"

/*
 * Bytes a second of payload, from the specification alone: lanes times rate, 8b/10b or 128b/130b,
 * and around each payload 12 bytes of header and 8 of framing, sequence number and LCRC.
 */
static double payload_rate(unsigned speed, unsigned width, unsigned payload)
{
    static const double giga[] = {0, 2.5, 5, 8, 16, 32};
    double line = giga[speed] * 1e9 * width / 8;

    line *= speed <= 2 ? 8.0 / 10 : 128.0 / 130;
    return line * payload / (payload + 12 + 8);
}

/* Measured from the first arrival to the last. */
static double measured_rate(struct pair_end *to, struct link_pair *pair)
{
    uint64_t first_ps, first_bytes;

    while (!to->received && sim_run_one(&pair->sim, SIM_NEVER))
        ;
    first_ps = to->last_ps;
    first_bytes = to->received_bytes;
    while (sim_run_one(&pair->sim, SIM_NEVER))
        ;
    return (double)(to->received_bytes - first_bytes) / ((double)(to->last_ps - first_ps) * 1e-12);
}

START_TEST(test_bandwidth)
{
    static const uint8_t widths[] = {1, 2, 4, 8, 16};

    for (unsigned speed = 1; speed <= 5; speed++) {
        for (unsigned w = 0; w < ARRAY_LEN(widths); w++) {
            for (unsigned payload = 128; payload <= 512; payload *= 2) {
                struct link_pair *pair = pair_new(NULL, speed, widths[w]);
                double want = payload_rate(speed, widths[w], payload), got;

                pair_source(&pair->up, 2000, payload);
                got = measured_rate(&pair->down, pair);
                ck_assert_msg(got > want * 0.99 && got < want * 1.01,
                              "speed %u x%u payload %u: %.0f bytes/s, not %.0f", speed, widths[w],
                              payload, got, want);
                ck_assert_uint_eq(pair->down.received, 2000);
                pair_free(pair);
            }
        }
    }
}
END_TEST

#define TABLE_BEGIN "<!-- bandwidth -->\n"
#define TABLE_END   "<!-- end of bandwidth -->"

static char *bandwidth_table(void)
{
    GString *out = g_string_new("| GT/s | Max_Payload_Size | x1 | x2 | x4 | x8 | x16 |\n"
                                "|---|---|---|---|---|---|---|\n");
    static const char *const names[] = {"", "2.5", "5", "8", "16", "32"};

    for (unsigned speed = 1; speed <= 5; speed++) {
        for (unsigned payload = 128; payload <= 512; payload *= 2) {
            g_string_append_printf(out, "| %s | %u |", names[speed], payload);
            for (unsigned width = 1; width <= 16; width *= 2) {
                struct link_pair *pair = pair_new(NULL, speed, width);

                pair_source(&pair->up, 2000, payload);
                g_string_append_printf(out, " %.3f |", measured_rate(&pair->down, pair) * 1e-9);
                pair_free(pair);
            }
            g_string_append_c(out, '\n');
        }
    }
    return g_string_free(out, FALSE);
}

/* docs/fabric.md shows what is measured. PCILAB_WRITE_DOCS=1 writes the table there. */
START_TEST(test_bandwidth_table)
{
    char *path = g_build_filename(g_getenv("PCILAB_SOURCE"), "docs", "fabric.md", NULL);
    char *table = bandwidth_table(), *page, *begin, *end;

    ck_assert(g_file_get_contents(path, &page, NULL, NULL));
    begin = strstr(page, TABLE_BEGIN);
    end = strstr(page, TABLE_END);
    ck_assert(begin && end && begin < end);
    begin += strlen(TABLE_BEGIN);
    if (g_getenv("PCILAB_WRITE_DOCS")) {
        char *text = g_strdup_printf("%.*s%s%s", (int)(begin - page), page, table, end);

        ck_assert(g_file_set_contents(path, text, -1, NULL));
        g_free(text);
    } else {
        ck_assert_msg(strlen(table) == (size_t)(end - begin) &&
                          strncmp(begin, table, strlen(table)) == 0,
                      "the table in docs/fabric.md is not what is measured");
    }
    g_free(page);
    g_free(table);
    g_free(path);
}
END_TEST

/* Traffic both ways: what the DLLPs take is missing, and nothing else. */
START_TEST(test_bandwidth_both_ways)
{
    struct link_pair *pair = pair_new(NULL, 4, 4);
    struct link_counters counters;
    double want, share;

    pair_source(&pair->up, 4000, 256);
    pair_source(&pair->down, 4000, 256);
    want = payload_rate(4, 4, 256);
    share = measured_rate(&pair->down, pair) / want;
    ck_assert(port_link_counters(&pair->up.port, &counters));
    ck_assert_uint_eq(counters.tlps, 4000);
    ck_assert_uint_gt(counters.dllps, 100);
    want = (double)counters.tlp_bytes / (double)(counters.tlp_bytes + 8 * counters.dllps);
    ck_assert_msg(share > want * 0.99 && share < want * 1.01, "%f, not %f", share, want);
    pair_free(pair);
}
END_TEST

static uint64_t arrival_ps(unsigned speed, unsigned width, uint64_t propagation_ps)
{
    struct link_params params = link_default_params;
    struct link_pair *pair;
    uint64_t at;

    params.propagation_ps = propagation_ps;
    pair = pair_new(&params, speed, width);
    pair_send(&pair->down, TLP_MWR, 1);
    ck_assert_uint_eq(pair->up.received, 0);
    pair_run(pair, PS_PER_MS);
    ck_assert_uint_eq(pair->up.received, 1);
    at = pair->up.last_ps;
    pair_free(pair);
    return at;
}

/* 12 + 4 + 8 bytes; a byte of 2.5 GT/s x1 takes 4 ns. */
START_TEST(test_latency)
{
    uint64_t slow = arrival_ps(1, 1, 0);

    ck_assert_uint_ge(slow, 24 * 4000);
    ck_assert_uint_le(slow, 24 * 4000 * 101 / 100);
    ck_assert_uint_eq(arrival_ps(1, 1, 700000), slow + 700000);
    ck_assert_uint_eq(arrival_ps(1, 16, 0), slow / 16);
}
END_TEST

static void check_in_order(const struct pair_end *end, unsigned count)
{
    ck_assert_uint_eq(end->received, count);
    for (unsigned i = 0; i < count; i++)
        ck_assert_uint_eq(end->log[i], i);
}

START_TEST(test_errors_exactly_once)
{
    static const double rates[] = {1e-7, 1e-6, 1e-5, 1e-4};

    for (unsigned i = 0; i < ARRAY_LEN(rates); i++) {
        struct link_params params = link_default_params;
        struct link_counters counters;
        struct link_pair *pair;

        params.bit_error_rate = rates[i];
        pair = pair_new(&params, 3, 4);
        pair_source(&pair->up, 10000, 128);
        pair_source(&pair->down, 10000, 64);
        pair_run(pair, PS_PER_S);
        check_in_order(&pair->down, 10000);
        check_in_order(&pair->up, 10000);
        ck_assert_uint_eq(pair->up.downs, 0);
        port_link_counters(&pair->up.port, &counters);
        /* 128 + 20 bytes are 1184 bits. */
        ck_assert_uint_ge(counters.bad_tlps, (uint64_t)(10000 * 1184 * rates[i] * 0.5));
        ck_assert_uint_eq(pair->down.errors[LINK_ERROR_BAD_TLP], counters.bad_tlps);
        if (rates[i] >= 1e-5) {
            ck_assert_uint_gt(counters.naks, 0);
            ck_assert_uint_gt(counters.replayed_tlps, 0);
        }
        pair_free(pair);
    }
}
END_TEST

/* The same seed makes the same errors. */
START_TEST(test_errors_repeat)
{
    uint64_t last_ps[2];

    for (unsigned i = 0; i < 2; i++) {
        struct link_params params = link_default_params;
        struct link_pair *pair;

        params.bit_error_rate = 1e-5;
        pair = pair_new(&params, 2, 1);
        pair_source(&pair->up, 3000, 128);
        pair_run(pair, PS_PER_S);
        last_ps[i] = pair->down.last_ps;
        pair_free(pair);
    }
    ck_assert_uint_eq(last_ps[0], last_ps[1]);
}
END_TEST

/* On wires that let nothing through the link goes down, says so, and trains again. */
START_TEST(test_hopeless_goes_down)
{
    struct link_params params = link_default_params;
    struct link_pair *pair;

    params.bit_error_rate = 0.1;
    pair = pair_new(&params, 3, 1);
    pair_send(&pair->up, TLP_MWR, 32);
    pair_run(pair, 5 * PS_PER_MS);
    ck_assert_uint_eq(pair->down.received, 0);
    ck_assert_uint_ge(pair->up.errors[LINK_ERROR_REPLAY_ROLLOVER], 4);
    ck_assert_uint_eq(pair->down.errors[LINK_ERROR_SURPRISE_DOWN], 1);
    ck_assert_uint_eq(pair->up.downs, 1);
    ck_assert_uint_eq(pair->up.hot_resets, 1);
    ck_assert(!port_link_up(&pair->up.port));
    pair_run(pair, params.training_ps);
    ck_assert(port_link_up(&pair->up.port));
    pair_free(pair);
}
END_TEST

static void add_fault(struct pair_end *end, enum link_fault_kind kind, uint64_t after,
                      uint64_t count)
{
    const struct link_fault fault = {.kind = kind, .after = after, .count = count};

    ck_assert(port_add_fault(&end->port, &fault));
}

static struct link_pair *fault_run(enum link_fault_kind kind, bool of_receiver, uint64_t after,
                                   uint64_t count)
{
    struct link_pair *pair = pair_new(NULL, 3, 4);

    add_fault(of_receiver ? &pair->down : &pair->up, kind, after, count);
    pair_source(&pair->up, 300, 64);
    pair_run(pair, 2 * PS_PER_MS);
    return pair;
}

static struct link_counters counters_of(struct pair_end *end)
{
    struct link_counters counters;

    ck_assert(port_link_counters(&end->port, &counters));
    return counters;
}

START_TEST(test_fault_corrupt)
{
    struct link_pair *pair = fault_run(LINK_FAULT_CORRUPT_TLP, false, 10, 1);

    check_in_order(&pair->down, 300);
    ck_assert_uint_ge(pair->down.errors[LINK_ERROR_BAD_TLP], 1);
    ck_assert_uint_eq(counters_of(&pair->up).naks, 1);
    ck_assert_uint_eq(counters_of(&pair->up).replays, 1);
    ck_assert_uint_eq(pair->up.errors[LINK_ERROR_REPLAY_TIMEOUT], 0);
    pair_free(pair);
}
END_TEST

/* The last TLP is lost without a trace: REPLAY_TIMER finds out. */
START_TEST(test_fault_drop_last)
{
    struct link_pair *pair = fault_run(LINK_FAULT_DROP_TLP, false, 299, 1);

    check_in_order(&pair->down, 300);
    ck_assert_uint_eq(pair->down.errors[LINK_ERROR_RECEIVER], 1);
    ck_assert_uint_eq(pair->down.errors[LINK_ERROR_BAD_TLP], 0);
    ck_assert_uint_eq(pair->up.errors[LINK_ERROR_REPLAY_TIMEOUT], 1);
    pair_free(pair);
}
END_TEST

START_TEST(test_fault_duplicate)
{
    struct link_pair *pair = fault_run(LINK_FAULT_DUPLICATE_TLP, false, 5, 20);

    check_in_order(&pair->down, 300);
    ck_assert_uint_eq(counters_of(&pair->up).duplicates, 20);
    ck_assert_uint_eq(counters_of(&pair->up).tlps, 320);
    pair_free(pair);
}
END_TEST

START_TEST(test_fault_overflow)
{
    struct link_pair *pair = fault_run(LINK_FAULT_OVERFLOW_TLP, false, 7, 1);

    ck_assert_uint_eq(pair->down.received, 299);
    ck_assert_uint_eq(pair->down.errors[LINK_ERROR_RECEIVER_OVERFLOW], 1);
    ck_assert_uint_eq(pair->down.log[6], 6);
    ck_assert_uint_eq(pair->down.log[7], 8);
    pair_free(pair);
}
END_TEST

/* Who gets them sees through them, and nothing is lost: a replay and the next UpdateFC mend it. */
START_TEST(test_fault_lies)
{
    struct link_pair *pair = fault_run(LINK_FAULT_WRONG_ACK, true, 3, 2);

    check_in_order(&pair->down, 300);
    ck_assert_uint_eq(pair->up.errors[LINK_ERROR_DL_PROTOCOL], 2);
    ck_assert_uint_eq(pair->down.errors[LINK_ERROR_DL_PROTOCOL], 0);
    ck_assert_uint_eq(pair->up.errors[LINK_ERROR_FC_PROTOCOL], 0);
    pair_free(pair);
    for (unsigned after = 0; after < 4; after++) {
        pair = fault_run(LINK_FAULT_WRONG_CREDITS, true, after, 1);
        check_in_order(&pair->down, 300);
        ck_assert_uint_eq(pair->up.errors[LINK_ERROR_FC_PROTOCOL], 1);
        ck_assert_uint_eq(pair->up.errors[LINK_ERROR_DL_PROTOCOL], 0);
        ck_assert(port_credits_whole(&pair->down.port));
        pair_free(pair);
    }
}
END_TEST

/* Four replays of one TLP in vain: REPLAY_NUM rolls over, the link goes through Recovery. */
START_TEST(test_fault_rollover)
{
    struct link_pair *pair = fault_run(LINK_FAULT_DROP_TLP, false, 0, 300);

    ck_assert_uint_ge(pair->up.errors[LINK_ERROR_REPLAY_ROLLOVER], 1);
    ck_assert_uint_ge(pair->down.trainings, 1);
    ck_assert_uint_eq(pair->down.trainings, pair->down.trained);
    pair_free(pair);
    pair = pair_new(NULL, 3, 4);
    add_fault(&pair->up, LINK_FAULT_DROP_TLP, 0, 4);
    pair_send(&pair->up, TLP_MWR, 1);
    pair_run(pair, PS_PER_MS);
    ck_assert_uint_eq(pair->up.errors[LINK_ERROR_REPLAY_TIMEOUT], 4);
    ck_assert_uint_eq(pair->up.errors[LINK_ERROR_REPLAY_ROLLOVER], 1);
    ck_assert_uint_eq(pair->down.trainings, 1);
    ck_assert_uint_eq(pair->down.received, 1);
    ck_assert_uint_eq(pair->down.downs, 0);
    pair_free(pair);
}
END_TEST

START_TEST(test_fault_dllps)
{
    struct link_pair *pair = fault_run(LINK_FAULT_CORRUPT_DLLP, true, 0, 40);

    check_in_order(&pair->down, 300);
    ck_assert_uint_eq(pair->up.errors[LINK_ERROR_BAD_DLLP], 40);
    pair_free(pair);
    pair = fault_run(LINK_FAULT_DROP_DLLP, true, 0, 1000000);
    /* No ACK ever arrives: the link gives up. */
    ck_assert_uint_eq(pair->down.errors[LINK_ERROR_SURPRISE_DOWN], 1);
    pair_free(pair);
    pair = fault_run(LINK_FAULT_DROP_DLLP, true, 3, 30);
    check_in_order(&pair->down, 300);
    ck_assert_uint_gt(pair->up.errors[LINK_ERROR_RECEIVER], 0);
    pair_free(pair);
    /* An ACK that arrives after a newer one is of no TLP that waits for it. */
    pair = fault_run(LINK_FAULT_REORDER_DLLP, true, 2, 12);
    check_in_order(&pair->down, 300);
    ck_assert_uint_gt(pair->up.errors[LINK_ERROR_DL_PROTOCOL], 0);
    pair_free(pair);
}
END_TEST

START_TEST(test_credits)
{
    struct link_params params = link_default_params;
    struct link_pair *pair;

    for (unsigned side = 0; side < 2; side++)
        params.rx[side][LINK_POSTED] = (struct link_credits){4, 64};
    pair = pair_new(&params, 3, 4);
    pair->down.block[LINK_POSTED] = true;
    pair_source(&pair->up, 100, 64);
    pair_run(pair, PS_PER_MS);
    ck_assert_uint_eq(pair->down.received, 4); /* headers */
    ck_assert_uint_lt(pair->up.to_send, 100);
    ck_assert_uint_gt(pair->up.to_send, 50);
    tlp_free(tlp_queue_pop(&pair->down.kept));
    pair_run(pair, PS_PER_MS);
    ck_assert_uint_eq(pair->down.received, 5);
    pair_unblock(&pair->down);
    pair_run(pair, PS_PER_MS);
    check_in_order(&pair->down, 100);
    pair_free(pair);
    /* 64 units of 16 bytes hold two TLPs of 512 bytes. */
    pair = pair_new(&params, 3, 4);
    pair->down.block[LINK_POSTED] = true;
    pair_source(&pair->up, 100, 512);
    pair_run(pair, PS_PER_MS);
    ck_assert_uint_eq(pair->down.received, 2);
    pair_unblock(&pair->down);
    pair_run(pair, PS_PER_MS);
    check_in_order(&pair->down, 100);
    ck_assert_uint_gt(pair->up.readies, 0);
    pair_free(pair);
}
END_TEST

/* A TLP larger than the whole buffer, which no correct sender makes, does not stop the link. */
START_TEST(test_credits_too_large)
{
    struct link_params params = link_default_params;
    struct link_pair *pair;

    params.rx[0][LINK_POSTED] = (struct link_credits){2, 8};
    pair = pair_new(&params, 3, 4);
    pair_source(&pair->up, 10, 4096);
    pair_run(pair, PS_PER_MS);
    check_in_order(&pair->down, 10);
    pair_free(pair);
}
END_TEST

/* 2.6.1, table 2-50: whoever takes Deferrable Memory Writes has room for one of 128 bytes, whatever
 * the topology says; whoever knows none, for an AtomicOp with two operands of 16 bytes. */
START_TEST(test_credits_least)
{
    for (unsigned atomics = 0; atomics < 2; atomics++) {
        const struct probe_params probe_params = {1, PCIE_ENDPOINT, 128};
        struct link_params params = link_default_params;
        struct rig *rig = rig_new();
        unsigned least = atomics ? 8 : 2;
        struct root_port *rp;
        struct probe *probe;

        rig->no_atomics_root = !atomics;
        rp = rig_root_port(rig, 1, 0);
        probe = probe_new(rig, "probe", &probe_params);
        params.timing = LINK_TIMED;
        params.rx[0][LINK_NON_POSTED] = (struct link_credits){1, 1};
        link_new(root_port_link(rp), endpoint_port(probe->ep), &params);
        ck_assert(!inject_leak_credits(root_port_link(rp), LINK_NON_POSTED,
                                       (struct link_credits){0, (uint16_t)(least + 1)}));
        ck_assert(inject_leak_credits(root_port_link(rp), LINK_NON_POSTED,
                                      (struct link_credits){0, (uint16_t)least}));
        probe_free(probe);
        rig_free(rig);
    }
}
END_TEST

/* Buffers of a few TLPs and many errors: what was lost of credits comes back. */
START_TEST(test_credits_under_errors)
{
    struct link_params params = link_default_params;
    struct link_pair *pair;

    for (unsigned flow = 0; flow < LINK_FLOWS; flow++)
        params.rx[0][flow] = params.rx[1][flow] = (struct link_credits){1, 8};
    params.bit_error_rate = 2e-5;
    pair = pair_new(&params, 3, 4);
    for (unsigned i = 0; i < 3000; i++) {
        static const enum tlp_type types[] = {TLP_MWR, TLP_MRD, TLP_CPLD};

        pair_send(i & 1 ? &pair->up : &pair->down, types[i % 3], i % 3 == 1 ? 0 : 1 + i % 32);
    }
    pair_run(pair, PS_PER_S);
    ck_assert_uint_eq(pair->up.received, 1500);
    ck_assert_uint_eq(pair->down.received, 1500);
    pair_free(pair);
}
END_TEST

START_TEST(test_params)
{
    struct link_params params = link_default_params;

    ck_assert(!link_params_wrong(&params));
    params.bit_error_rate = -1;
    ck_assert(link_params_wrong(&params));
    params = link_default_params;
    params.rx[1][LINK_POSTED].header = 128;
    ck_assert(link_params_wrong(&params));
    params = link_default_params;
    params.propagation_ps = 2 * PS_PER_MS;
    ck_assert(link_params_wrong(&params));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("link");
    TCase *tc = tcase_create("link");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_bandwidth);
    tcase_add_test(tc, test_bandwidth_table);
    tcase_add_test(tc, test_bandwidth_both_ways);
    tcase_add_test(tc, test_latency);
    tcase_add_test(tc, test_errors_exactly_once);
    tcase_add_test(tc, test_errors_repeat);
    tcase_add_test(tc, test_hopeless_goes_down);
    tcase_add_test(tc, test_fault_corrupt);
    tcase_add_test(tc, test_fault_drop_last);
    tcase_add_test(tc, test_fault_duplicate);
    tcase_add_test(tc, test_fault_overflow);
    tcase_add_test(tc, test_fault_lies);
    tcase_add_test(tc, test_fault_rollover);
    tcase_add_test(tc, test_fault_dllps);
    tcase_add_test(tc, test_credits);
    tcase_add_test(tc, test_credits_too_large);
    tcase_add_test(tc, test_credits_least);
    tcase_add_test(tc, test_credits_under_errors);
    tcase_add_test(tc, test_params);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
