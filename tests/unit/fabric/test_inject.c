/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Injection: which TLPs a rule hits, and what becomes of them, on both kinds of links. */
#include <glib.h>

#include "link_pair.h"
#include "rig.h"

#include "pcilab/fabric/inject.h"

struct bench {
    struct link_pair *pair;
    struct inject *inject;
    unsigned seen;
    struct tlp last; /* its header */
};

static void bench_init(struct bench *bench, bool timed)
{
    *bench = (struct bench){.pair = pair_new(NULL, 4, 4)};
    if (!timed) {
        link_free(bench->pair->down.port.link);
        link_connect(&bench->pair->down.port, &bench->pair->up.port);
    }
    pair_run(bench->pair, PS_PER_MS);
    bench->inject = inject_new(bench->pair->fabric);
}

static void bench_fini(struct bench *bench)
{
    pair_run(bench->pair, PS_PER_MS);
    inject_free(bench->inject);
    pair_run(bench->pair, PS_PER_MS);
    pair_free(bench->pair);
}

static void see(void *opaque, const struct port *sender, const struct tlp *tlp)
{
    struct bench *bench = opaque;

    bench->seen++;
    bench->last = *tlp;
}

static struct inject_entry *add(struct bench *bench, struct inject_rule rule)
{
    rule.name = rule.name ? rule.name : "test";
    rule.seen = see;
    rule.opaque = bench;
    ck_assert_ptr_null(inject_rule_wrong(&rule));
    return inject_add(bench->inject, &rule);
}

static void send(struct bench *bench, enum tlp_type type, unsigned dw, unsigned count)
{
    while (count--)
        pair_send(&bench->pair->down, type, dw);
    pair_run(bench->pair, PS_PER_MS);
}

static void expect_order(const struct bench *bench, const char *order)
{
    GString *got = g_string_new(NULL);

    for (unsigned i = 0; i < bench->pair->up.received; i++)
        g_string_append_printf(got, "%s%u", i ? " " : "", bench->pair->up.log[i]);
    ck_assert_str_eq(got->str, order);
    g_string_free(got, TRUE);
}

START_TEST(test_after_and_count)
{
    struct bench bench;
    struct inject_entry *entry;

    bench_init(&bench, _i);
    entry = add(&bench, (struct inject_rule){.action = INJECT_DROP, .after = 1, .count = 2});
    send(&bench, TLP_MWR, 1, 5);
    expect_order(&bench, "0 3 4");
    ck_assert_uint_eq(inject_hits(entry), 2);
    inject_remove(bench.inject, entry);
    send(&bench, TLP_MWR, 1, 1);
    expect_order(&bench, "0 3 4 5");
    bench_fini(&bench);
}
END_TEST

START_TEST(test_match)
{
    struct bench bench;

    bench_init(&bench, false);
    add(&bench, (struct inject_rule){.match.sender = &bench.pair->up.port, .action = INJECT_DROP});
    add(&bench, (struct inject_rule){.match.types = BIT(TLP_MRD), .action = INJECT_DROP});
    add(&bench,
        (struct inject_rule){.match = {.by_address = true, .addr_first = 0x100, .addr_last = 0x1ff},
                             .action = INJECT_DROP});
    for (uint64_t addr = 0xfc; addr <= 0x200; addr += 0x104) {
        struct tlp *tlp = pair_tlp(bench.pair, TLP_MWR, 1, 0);

        tlp_set_span(tlp, addr, 4);
        port_send(&bench.pair->down.port, tlp);
        tlp = pair_tlp(bench.pair, TLP_MWR, 1, 0);
        tlp_set_span(tlp, 0x1fc, 4);
        port_send(&bench.pair->down.port, tlp);
        tlp = pair_tlp(bench.pair, TLP_MRD, 0, 0);
        port_send(&bench.pair->down.port, tlp);
    }
    pair_run(bench.pair, PS_PER_MS);
    expect_order(&bench, "252 512");
    ck_assert_uint_eq(bench.seen, 4);
    bench_fini(&bench);
}
END_TEST

START_TEST(test_window)
{
    struct bench bench;
    uint64_t now;

    bench_init(&bench, _i);
    now = bench.pair->sim.now_ps;
    add(&bench, (struct inject_rule){.action = INJECT_DROP,
                                     .from_ps = now + PS_PER_MS,
                                     .until_ps = now + 2 * PS_PER_MS});
    send(&bench, TLP_MWR, 1, 1);
    send(&bench, TLP_MWR, 1, 1);
    send(&bench, TLP_MWR, 1, 1);
    expect_order(&bench, "0 2");
    bench_fini(&bench);
}
END_TEST

START_TEST(test_probability)
{
    struct bench bench;
    unsigned first;

    bench_init(&bench, false);
    add(&bench, (struct inject_rule){.action = INJECT_DROP, .probability = 0.25});
    send(&bench, TLP_MWR, 1, 1000);
    first = bench.pair->up.received;
    ck_assert_uint_gt(first, 650);
    ck_assert_uint_lt(first, 850);
    bench_fini(&bench);
    bench_init(&bench, false);
    add(&bench, (struct inject_rule){.action = INJECT_DROP, .probability = 0.25});
    send(&bench, TLP_MWR, 1, 1000);
    ck_assert_uint_eq(bench.pair->up.received, first);
    bench_fini(&bench);
}
END_TEST

/* Writes do not pass a write that is late (A2a); a completion that may not pass it waits as well.
 */
START_TEST(test_delay_keeps_order)
{
    struct bench bench;

    bench_init(&bench, _i);
    add(&bench, (struct inject_rule){.action = INJECT_DELAY, .count = 1, .delay_ps = PS_PER_US});
    pair_send(&bench.pair->down, TLP_MWR, 1);
    pair_send(&bench.pair->down, TLP_MWR, 1);
    pair_send(&bench.pair->down, TLP_MRD, 0);
    ck_assert_uint_eq(bench.pair->up.received, 0);
    pair_run(bench.pair, PS_PER_US / 2);
    ck_assert_uint_eq(bench.pair->up.received, 0);
    pair_run(bench.pair, PS_PER_MS);
    expect_order(&bench, "0 1 2");
    bench_fini(&bench);
}
END_TEST

START_TEST(test_jitter_keeps_order)
{
    struct bench bench;

    bench_init(&bench, _i);
    add(&bench, (struct inject_rule){.action = INJECT_DELAY, .jitter_ps = 10 * PS_PER_US});
    for (unsigned i = 0; i < 200; i++) {
        pair_send(&bench.pair->down, TLP_MWR, 1);
        pair_run(bench.pair, PS_PER_US);
    }
    pair_run(bench.pair, PS_PER_MS);
    ck_assert_uint_eq(bench.pair->up.received, 200);
    for (unsigned i = 0; i < 200; i++)
        ck_assert_uint_eq(bench.pair->up.log[i], i);
    bench_fini(&bench);
}
END_TEST

/* Reads may pass reads: a late one is overtaken. */
START_TEST(test_delay_allows_passing)
{
    struct bench bench;

    bench_init(&bench, _i);
    add(&bench, (struct inject_rule){.action = INJECT_DELAY, .count = 1, .delay_ps = PS_PER_US});
    send(&bench, TLP_MRD, 0, 3);
    expect_order(&bench, "1 2 0");
    bench_fini(&bench);
}
END_TEST

START_TEST(test_overtake)
{
    struct bench bench;

    bench_init(&bench, _i);
    add(&bench, (struct inject_rule){
                    .action = INJECT_OVERTAKE, .count = 1, .pass = 2, .delay_ps = PS_PER_MS});
    send(&bench, TLP_MWR, 1, 4);
    /* With functional timing the event comes after what is sent at the same instant. */
    expect_order(&bench, "1 2 3 0");
    send(&bench, TLP_MWR, 1, 1);
    expect_order(&bench, "1 2 3 0 4");
    bench_fini(&bench);
}
END_TEST

START_TEST(test_duplicate)
{
    struct bench bench;

    bench_init(&bench, _i);
    add(&bench, (struct inject_rule){.action = INJECT_DUPLICATE, .count = 1});
    send(&bench, TLP_MWR, 40, 2);
    expect_order(&bench, "0 0 1");
    ck_assert_uint_eq(bench.pair->up.received_bytes, 3 * 160);
    bench_fini(&bench);
}
END_TEST

START_TEST(test_lcrc)
{
    struct bench bench;

    bench_init(&bench, _i);
    add(&bench, (struct inject_rule){.action = INJECT_CORRUPT_LCRC, .count = 1});
    send(&bench, TLP_MWR, 1, 1);
    send(&bench, TLP_MWR, 1, 1);
    expect_order(&bench, "0 1");
    ck_assert_uint_eq(bench.pair->up.errors[LINK_ERROR_BAD_TLP], 1);
    bench_fini(&bench);
}
END_TEST

static struct tlp *completion(struct bench *bench)
{
    struct tlp *request = pair_tlp(bench->pair, TLP_MRD, 0, 0x100), *cpl;

    request->tag = 5;
    request->requester.v = 0x0108;
    request->length_dw = 4;
    request->first_be = request->last_be = 0xf;
    cpl = tlp_new_completion(request, (struct pci_rid){0x0200}, TLP_SC, 4);
    tlp_free(request);
    return cpl;
}

/* A rule that only looks, added last, tells what the others made of it. */
START_TEST(test_completions)
{
    static const struct {
        enum inject_action action;
        uint64_t value;
        unsigned tag, status, bytes, requester;
        bool ep, data;
    } cases[] = {
        {INJECT_STATUS, TLP_CA, 5, TLP_CA, 16, 0x0108, false, false},
        {INJECT_TAG, 9, 9, TLP_SC, 16, 0x0108, false, true},
        {INJECT_BYTE_COUNT, 8, 5, TLP_SC, 8, 0x0108, false, true},
        {INJECT_POISON, 0, 5, TLP_SC, 16, 0x0108, true, true},
        {INJECT_RETARGET, 0x0300, 5, TLP_SC, 16, 0x0300, false, true},
    };
    struct bench bench;

    bench_init(&bench, false);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct inject_entry *act =
            add(&bench, (struct inject_rule){.match.types = BIT(TLP_CPL) | BIT(TLP_CPLD),
                                             .action = cases[i].action,
                                             .value = cases[i].value});
        struct inject_entry *look = add(&bench, (struct inject_rule){.action = INJECT_OBSERVE});

        port_send(&bench.pair->down.port, completion(&bench));
        ck_assert_uint_eq(bench.last.tag, cases[i].tag);
        ck_assert_uint_eq(bench.last.status, cases[i].status);
        ck_assert_uint_eq(bench.last.byte_count, cases[i].bytes);
        ck_assert_uint_eq(bench.last.requester.v, cases[i].requester);
        ck_assert_int_eq(bench.last.ep, cases[i].ep);
        ck_assert_int_eq(bench.last.data != NULL, cases[i].data);
        ck_assert_uint_eq(bench.last.type, cases[i].data ? TLP_CPLD : TLP_CPL);
        inject_remove(bench.inject, act);
        inject_remove(bench.inject, look);
        pair_run(bench.pair, PS_PER_US);
    }
    bench_fini(&bench);
}
END_TEST

START_TEST(test_ecrc)
{
    struct bench bench;

    bench_init(&bench, false);
    add(&bench, (struct inject_rule){.action = INJECT_CORRUPT_ECRC});
    add(&bench, (struct inject_rule){.action = INJECT_OBSERVE});
    bench.pair->up.block[LINK_POSTED] = true;
    send(&bench, TLP_MWR, 2, 1);
    ck_assert(bench.pair->up.kept.first->td);
    ck_assert(!tlp_ecrc_good(bench.pair->up.kept.first));
    bench_fini(&bench);
}
END_TEST

/* What is held when the link goes down is lost with it; a request gets UR (2.9.1). */
START_TEST(test_link_down)
{
    struct bench bench;

    bench_init(&bench, _i);
    add(&bench, (struct inject_rule){.action = INJECT_DELAY, .delay_ps = 10 * PS_PER_MS});
    pair_send(&bench.pair->down, TLP_MWR, 1);
    pair_send(&bench.pair->down, TLP_MRD, 0);
    pair_run(bench.pair, PS_PER_MS);
    port_set_disabled(&bench.pair->down.port, true);
    pair_run(bench.pair, 20 * PS_PER_MS);
    ck_assert_uint_eq(bench.pair->up.received, 0);
    ck_assert_uint_eq(bench.pair->down.received, 1);
    bench_fini(&bench);
}
END_TEST

START_TEST(test_leaked_credits)
{
    struct bench bench;

    bench_init(&bench, true);
    ck_assert(inject_leak_credits(&bench.pair->up.port, LINK_POSTED, (struct link_credits){63, 0}));
    ck_assert(!inject_leak_credits(&bench.pair->up.port, LINK_POSTED, (struct link_credits){2, 0}));
    send(&bench, TLP_MWR, 1, 100);
    ck_assert_uint_eq(bench.pair->up.received, 100); /* one at a time */
    ck_assert(inject_leak_credits(&bench.pair->up.port, LINK_POSTED, (struct link_credits){1, 0}));
    send(&bench, TLP_MWR, 1, 1);
    ck_assert_uint_eq(bench.pair->up.received, 100); /* none */
    send(&bench, TLP_MRD, 0, 1);
    ck_assert_uint_eq(bench.pair->up.received, 100); /* nothing passes a posted request (B2a) */
    bench_fini(&bench);
    bench_init(&bench, false);
    ck_assert(!inject_leak_credits(&bench.pair->up.port, LINK_POSTED, (struct link_credits){1, 0}));
    bench_fini(&bench);
}
END_TEST

START_TEST(test_wrong_rules)
{
    static const struct inject_rule wrong[] = {
        {.action = INJECT_STATUS, .value = 1},
        {.action = INJECT_STATUS, .match.types = BIT(TLP_CPL) | BIT(TLP_MWR), .value = 1},
        {.action = INJECT_STATUS, .match.types = BIT(TLP_CPL), .value = 8},
        {.action = INJECT_DELAY},
        {.action = INJECT_OVERTAKE, .pass = 1},
        {.action = INJECT_DROP, .from_ps = 2, .until_ps = 1},
        {.action = INJECT_DROP, .probability = 1.5},
        {.action = INJECT_DROP, .match = {.by_address = true, .addr_first = 2, .addr_last = 1}},
        {.action = INJECT_BYTE_COUNT, .match.types = BIT(TLP_CPLD), .value = 4097},
        {.action = INJECT_TAG, .value = 1024},
    };

    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++)
        ck_assert_msg(inject_rule_wrong(&wrong[i]) != NULL, "rule %u", i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inject");
    TCase *tc = tcase_create("inject");

    tcase_add_loop_test(tc, test_after_and_count, 0, 2);
    tcase_add_test(tc, test_match);
    tcase_add_loop_test(tc, test_window, 0, 2);
    tcase_add_test(tc, test_probability);
    tcase_add_loop_test(tc, test_delay_keeps_order, 0, 2);
    tcase_add_loop_test(tc, test_jitter_keeps_order, 0, 2);
    tcase_add_loop_test(tc, test_delay_allows_passing, 0, 2);
    tcase_add_loop_test(tc, test_overtake, 0, 2);
    tcase_add_loop_test(tc, test_duplicate, 0, 2);
    tcase_add_loop_test(tc, test_lcrc, 0, 2);
    tcase_add_test(tc, test_completions);
    tcase_add_test(tc, test_ecrc);
    tcase_add_loop_test(tc, test_link_down, 0, 2);
    tcase_add_test(tc, test_leaked_credits);
    tcase_add_test(tc, test_wrong_rules);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
