/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ordering rules on a link: random traffic against the table, and the cases that matter. */
#include <check.h>
#include <stdlib.h>

#include "link_pair.h"
#include "pcilab/base/bits.h"
#include "pcilab/fabric/ordering.h"
#include "rig.h"

#define TRAFFIC 1200

/* What was sent, by id, in the order of sending. */
struct sent {
    enum { POSTED, READ, WITH_DATA, COMPLETION } row;
    bool relaxed, by_id;
    uint16_t requester, completer, tag;
};

/*
 * PCIe Base 6.0, table 2-42, written from the table: may the row's TLP pass the column's? Rows and
 * columns: posted, read request, non-posted with data, completion. N: no, Y: yes or allowed, 2: by
 * note b of the row, 5: unless both are of one request.
 */
static bool table_allows(const struct sent *row, const struct sent *column)
{
    static const char table[4][5] = {"2YYY", "2YYY", "2YYY", "2YY5"};
    bool relaxed = row->relaxed && row->row != READ;

    switch (table[row->row][column->row]) {
    case 'Y': return true;
    case '2':
        if (row->row == COMPLETION)
            return relaxed || (row->by_id && row->completer != column->requester);
        return relaxed || (row->by_id && row->requester != column->requester);
    case '5': return row->requester != column->requester || row->tag != column->tag;
    default: return false;
    }
}

static void send_random(struct link_pair *pair, struct sim_rng *rng, struct sent *sent, uint32_t id)
{
    static const struct {
        enum tlp_type type;
        unsigned row;
    } kinds[] = {{TLP_MWR, POSTED},     {TLP_MWR, POSTED},         {TLP_MRD, READ},
                 {TLP_DMWR, WITH_DATA}, {TLP_FETCHADD, WITH_DATA}, {TLP_CPLD, COMPLETION},
                 {TLP_CPL, COMPLETION}};
    unsigned kind = (unsigned)sim_rng_below(rng, ARRAY_LEN(kinds));
    enum tlp_type type = kinds[kind].type;
    bool empty = type == TLP_MRD || type == TLP_CPL;
    unsigned dws = empty ? 0 : type == TLP_FETCHADD ? 1 : 1 + (unsigned)sim_rng_below(rng, 32);
    struct tlp *tlp = pair_tlp(pair, type, dws, id);

    *sent = (struct sent){.row = kinds[kind].row,
                          .relaxed = sim_rng_below(rng, 4) == 0,
                          .by_id = sim_rng_below(rng, 4) == 0,
                          .requester = (uint16_t)sim_rng_below(rng, 3),
                          .completer = (uint16_t)sim_rng_below(rng, 3),
                          .tag = (uint16_t)sim_rng_below(rng, 4)};
    tlp->attr =
        (uint8_t)((sent->relaxed ? TLP_ATTR_RELAXED : 0) | (sent->by_id ? TLP_ATTR_IDO : 0));
    tlp->requester.v = sent->requester;
    tlp->completer.v = sent->completer;
    tlp->tag = sent->tag;
    port_send(&pair->up.port, tlp);
}

/* Sends, blocks and lets go at random; the buffers are small. */
static struct link_pair *random_run(uint64_t seed, struct sent *sent)
{
    struct link_params params = link_default_params;
    struct link_pair *pair;
    struct sim_rng rng;

    sim_rng_init(&rng, seed, "ordering");
    for (unsigned flow = 0; flow < LINK_FLOWS; flow++)
        params.rx[0][flow] =
            (struct link_credits){(uint16_t)(1 + sim_rng_below(&rng, 4)), (uint16_t)(8 + seed % 9)};
    params.bit_error_rate = seed % 3 ? 0 : 1e-5;
    pair = pair_new(&params, 3, 4);
    for (uint32_t id = 0; id < TRAFFIC; id++) {
        send_random(pair, &rng, &sent[id], id);
        if (sim_rng_below(&rng, 4) == 0)
            pair_run(pair, sim_rng_below(&rng, 200 * PS_PER_NS));
        if (sim_rng_below(&rng, 10) == 0)
            pair->down.block[sim_rng_below(&rng, LINK_FLOWS)] = true;
        if (sim_rng_below(&rng, 10) == 0)
            pair_unblock(&pair->down);
    }
    pair_unblock(&pair->down);
    pair_run(pair, PS_PER_S);
    return pair;
}

START_TEST(test_table)
{
    static struct sent sent[TRAFFIC];
    unsigned passes = 0, by_attribute = 0;

    for (uint64_t seed = 0; seed < 12; seed++) {
        struct link_pair *pair = random_run(seed, sent);
        const struct pair_end *end = &pair->down;
        bool seen[TRAFFIC] = {false};

        ck_assert_uint_eq(end->received, TRAFFIC);
        for (unsigned later = 0; later < TRAFFIC; later++) {
            uint32_t id = end->log[later];

            ck_assert_msg(id < TRAFFIC && !seen[id], "%u twice", id);
            seen[id] = true;
            /* Whatever was sent before it and is not here yet was passed. */
            for (uint32_t earlier = 0; earlier < id; earlier++) {
                if (seen[earlier])
                    continue;
                ck_assert_msg(table_allows(&sent[id], &sent[earlier]), "seed %u: %u passed %u",
                              (unsigned)seed, id, earlier);
                passes++;
                by_attribute += sent[earlier].row == POSTED;
            }
        }
        pair_free(pair);
    }
    ck_assert_uint_gt(passes, 1000);
    ck_assert_uint_gt(by_attribute, 20); /* relaxed or ID-based ordering was made use of */
}
END_TEST

/* The decision itself, for every pair of kinds and attributes. */
START_TEST(test_decision)
{
    static const enum tlp_type types[] = {TLP_MWR, TLP_MRD, TLP_FETCHADD, TLP_CPLD};
    struct tlp_pool *pool = tlp_pool_new();

    for (unsigned i = 0; i < 4 * 4 * 4 * 2 * 2 * 2; i++) {
        struct sent later = {.row = i & 3,
                             .relaxed = i >> 2 & 1,
                             .by_id = i >> 3 & 1,
                             .requester = 1,
                             .completer = 7,
                             .tag = 1};
        struct sent earlier = {
            .row = i >> 4 & 3, .requester = i >> 6 & 1 ? 7 : 1, .tag = (uint16_t)(i >> 7 & 1)};
        const struct sent *both[] = {&later, &earlier};
        struct tlp *tlps[2];

        for (unsigned k = 0; k < 2; k++) {
            tlps[k] = tlp_new(pool, types[both[k]->row], both[k]->row == READ ? 0 : 1);
            tlps[k]->attr = (uint8_t)((both[k]->relaxed ? TLP_ATTR_RELAXED : 0) |
                                      (both[k]->by_id ? TLP_ATTR_IDO : 0));
            tlps[k]->requester.v = both[k]->requester;
            tlps[k]->completer.v = both[k]->completer;
            tlps[k]->tag = both[k]->tag;
        }
        ck_assert_int_eq(tlp_may_pass(tlps[0], tlps[1]), table_allows(&later, &earlier));
        tlp_free(tlps[0]);
        tlp_free(tlps[1]);
    }
    tlp_pool_free(pool);
}
END_TEST

static struct link_pair *small_pair(void)
{
    struct link_params params = link_default_params;

    for (unsigned flow = 0; flow < LINK_FLOWS; flow++)
        params.rx[0][flow] = (struct link_credits){2, 16};
    return pair_new(&params, 4, 4);
}

/* Producer and consumer: the completion of a read arrives behind the writes sent before it. */
START_TEST(test_completion_pushes_writes)
{
    struct link_pair *pair = small_pair();

    pair->down.block[LINK_POSTED] = true;
    for (unsigned i = 0; i < 20; i++)
        pair_send(&pair->up, TLP_MWR, 32);
    pair_send(&pair->up, TLP_CPLD, 1);
    pair_run(pair, PS_PER_MS);
    ck_assert_uint_eq(pair->down.received, 2); /* as much as the buffer holds */
    pair_unblock(&pair->down);
    pair_run(pair, PS_PER_MS);
    ck_assert_uint_eq(pair->down.received, 21);
    for (unsigned i = 0; i < 21; i++)
        ck_assert_uint_eq(pair->down.log[i], i);
    pair_free(pair);
}
END_TEST

/* Non-posted requests that nobody takes hold back neither writes nor completions. */
START_TEST(test_blocked_non_posted)
{
    struct link_pair *pair = small_pair();
    unsigned others = 0;

    pair->down.block[LINK_NON_POSTED] = true;
    for (unsigned i = 0; i < 50; i++) {
        pair_send(&pair->up, TLP_MRD, 0);
        pair_send(&pair->up, TLP_MWR, 16);
        pair_send(&pair->up, TLP_CPLD, 16);
    }
    pair_run(pair, PS_PER_MS);
    ck_assert_uint_eq(pair->down.received, 2 + 100);
    for (unsigned i = 0; i < pair->down.received; i++)
        others += pair->down.log[i] % 3 != 0;
    ck_assert_uint_eq(others, 100);
    pair_unblock(&pair->down);
    pair_run(pair, PS_PER_MS);
    ck_assert_uint_eq(pair->down.received, 150);
    pair_free(pair);
}
END_TEST

/* A relaxed completion, and a read of another requester with ID-based ordering, pass writes that
 * are stuck; their plain likes do not. */
START_TEST(test_relaxed)
{
    for (unsigned relaxed = 0; relaxed < 2; relaxed++) {
        struct link_pair *pair = small_pair();
        struct tlp *cpl = pair_tlp(pair, TLP_CPLD, 1, 1000),
                   *read = pair_tlp(pair, TLP_MRD, 0, 1001);

        pair->down.block[LINK_POSTED] = true;
        for (unsigned i = 0; i < 5; i++)
            pair_send(&pair->up, TLP_MWR, 4);
        cpl->attr = relaxed ? TLP_ATTR_RELAXED : 0;
        read->attr = relaxed ? TLP_ATTR_IDO : 0;
        read->requester.v = 5;
        port_send(&pair->up.port, cpl);
        port_send(&pair->up.port, read);
        pair_run(pair, PS_PER_MS);
        ck_assert_uint_eq(pair->down.received, relaxed ? 4 : 2);
        pair_free(pair);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ordering");
    TCase *tc = tcase_create("ordering");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_table);
    tcase_add_test(tc, test_decision);
    tcase_add_test(tc, test_completion_pushes_writes);
    tcase_add_test(tc, test_blocked_non_posted);
    tcase_add_test(tc, test_relaxed);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
