/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links and ports: order, no recursion, what a link that goes down does. */
#include <string.h>

#include "rig.h"

#define KEPT_MAX 4096

struct end {
    struct port port;
    struct fabric *fabric;
    uint32_t kept[KEPT_MAX]; /* addresses or tags in order of arrival */
    uint8_t type[KEPT_MAX];
    uint8_t status[KEPT_MAX];
    unsigned count;
    unsigned ups, downs, hot_resets, readies;
    bool inside;
    bool echo; /* answer every memory write with another until the address is 0 */
};

static void end_receive(struct port *port, struct tlp *tlp)
{
    struct end *end = port->owner;

    ck_assert_msg(!end->inside, "delivery from inside a delivery");
    end->inside = true;
    ck_assert_uint_lt(end->count, KEPT_MAX);
    end->type[end->count] = tlp->type;
    end->status[end->count] = tlp->status;
    end->kept[end->count++] = tlp_is_completion(tlp) ? tlp->tag : (uint32_t)tlp->addr;
    if (end->echo && tlp->addr) {
        struct tlp *answer = tlp_new(end->fabric->pool, TLP_MWR, 1);

        tlp_set_span(answer, tlp->addr - 4, 4);
        port_send(port, answer);
    }
    tlp_free(tlp);
    end->inside = false;
}

static void end_link_changed(struct port *port, bool up)
{
    struct end *end = port->owner;

    ck_assert_int_eq(up, port_link_up(port));
    if (up)
        end->ups++;
    else
        end->downs++;
}

static void end_hot_reset(struct port *port)
{
    struct end *end = port->owner;

    end->hot_resets++;
}

static void end_tx_ready(struct port *port)
{
    struct end *end = port->owner;

    end->readies++;
}

static const struct port_ops end_ops = {
    .receive = end_receive,
    .link_changed = end_link_changed,
    .hot_reset = end_hot_reset,
    .tx_ready = end_tx_ready,
};

struct pair {
    struct sim sim;
    struct trace trace;
    struct fabric *fabric;
    struct end down, up; /* by the way they face */
};

static void pair_init(struct pair *pair)
{
    memset(pair, 0, sizeof(*pair));
    sim_init(&pair->sim, 1);
    pair->trace.now_ps = &pair->sim.now_ps;
    pair->fabric = fabric_new(&pair->sim, &pair->trace);
    port_init(&pair->down.port, pair->fabric, "down", &end_ops, &pair->down);
    port_init(&pair->up.port, pair->fabric, "up", &end_ops, &pair->up);
    pair->down.fabric = pair->up.fabric = pair->fabric;
}

static void pair_fini(struct pair *pair)
{
    link_free(pair->down.port.link);
    port_fini(&pair->down.port);
    port_fini(&pair->up.port);
    ck_assert_uint_eq(tlp_pool_live(pair->fabric->pool), 0);
    fabric_free(pair->fabric);
    sim_fini(&pair->sim);
}

static void send(struct end *end, enum tlp_type type, uint64_t addr)
{
    struct tlp *tlp = tlp_new(end->fabric->pool, type, type == TLP_MWR ? 1 : 0);

    tlp_set_span(tlp, addr, 4);
    tlp->tag = (uint16_t)(addr >> 4);
    port_send(&end->port, tlp);
}

START_TEST(test_order_and_no_recursion)
{
    struct pair pair;

    pair_init(&pair);
    link_connect(&pair.down.port, &pair.up.port);
    for (unsigned i = 0; i < 1000; i++) {
        send(&pair.down, TLP_MWR, i * 16);
        if (i % 3 == 0)
            send(&pair.up, TLP_MWR, 0x100000 + i * 16);
    }
    ck_assert_uint_eq(pair.up.count, 0);
    sim_run_until(&pair.sim, 0);
    ck_assert_uint_eq(pair.sim.now_ps, 0);
    ck_assert_uint_eq(pair.up.count, 1000);
    ck_assert_uint_eq(pair.down.count, 334);
    for (unsigned i = 0; i < 1000; i++)
        ck_assert_uint_eq(pair.up.kept[i], i * 16);
    for (unsigned i = 0; i < 334; i++)
        ck_assert_uint_eq(pair.down.kept[i], 0x100000 + i * 48);
    ck_assert_uint_eq(pair.fabric->tlps, 1334);
    ck_assert_uint_eq(pair.down.port.sent.tlps, 1000);
    ck_assert_uint_eq(pair.down.port.sent.payload_bytes, 1000 * 4);
    ck_assert_uint_eq(pair.up.port.sent.tlps, 334);
    pair_fini(&pair);
}
END_TEST

START_TEST(test_storm_lets_time_pass)
{
    struct pair pair;

    pair_init(&pair);
    link_connect(&pair.down.port, &pair.up.port);
    pair.down.echo = pair.up.echo = true;
    /* Each answers the other: 400,000 crossings, far more than one instant allows. */
    for (unsigned i = 0; i < 200; i++) {
        send(&pair.down, TLP_MWR, 2000 * 4);
        for (unsigned n = 0; n < 1000 && sim_next_ps(&pair.sim) != SIM_NEVER; n++) {
            pair.up.count = pair.down.count = 0;
            sim_run_one(&pair.sim, SIM_NEVER);
        }
    }
    ck_assert_uint_eq(pair.fabric->tlps, 200 * 2001);
    ck_assert_uint_gt(pair.sim.now_ps, 0);
    pair_fini(&pair);
}
END_TEST

START_TEST(test_negotiation)
{
    static const struct {
        uint8_t speed[2], width[2], want_speed, want_width;
    } cases[] = {
        {{5, 3}, {16, 4}, 3, 4},  {{1, 5}, {1, 16}, 1, 1},   {{4, 4}, {12, 12}, 4, 12},
        {{4, 4}, {16, 12}, 4, 8}, {{2, 2}, {32, 16}, 2, 16},
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct pair pair;

        pair_init(&pair);
        ck_assert(!port_link_up(&pair.down.port));
        pair.down.port.max_speed = cases[i].speed[0];
        pair.up.port.max_speed = cases[i].speed[1];
        pair.down.port.max_width = cases[i].width[0];
        pair.up.port.max_width = cases[i].width[1];
        link_connect(&pair.down.port, &pair.up.port);
        ck_assert_uint_eq(port_link_speed(&pair.up.port), cases[i].want_speed);
        ck_assert_uint_eq(port_link_width(&pair.down.port), cases[i].want_width);
        ck_assert_uint_eq(pair.down.ups, 1);
        ck_assert_uint_eq(pair.up.ups, 1);
        port_retrain(&pair.down.port, 1);
        ck_assert_uint_eq(port_link_speed(&pair.up.port), 1);
        ck_assert(port_link_up(&pair.up.port));
        ck_assert_uint_eq(pair.up.hot_resets, 0);
        port_retrain(&pair.down.port, 5);
        ck_assert_uint_eq(port_link_speed(&pair.up.port), cases[i].want_speed);
        pair_fini(&pair);
    }
}
END_TEST

START_TEST(test_link_down)
{
    struct pair pair;

    pair_init(&pair);
    link_connect(&pair.down.port, &pair.up.port);
    /* Under way when the link goes down: the write is lost, the read comes back as UR. */
    send(&pair.down, TLP_MWR, 0x10);
    send(&pair.down, TLP_MRD, 0x20);
    send(&pair.up, TLP_MWR, 0x30);
    port_hot_reset(&pair.down.port, true);
    ck_assert(!port_link_up(&pair.down.port) && !port_link_up(&pair.up.port));
    ck_assert_uint_eq(port_link_width(&pair.down.port), 0);
    ck_assert_uint_eq(pair.up.hot_resets, 1);
    ck_assert_uint_eq(pair.down.hot_resets, 0);
    ck_assert_uint_eq(pair.up.downs, 1);
    ck_assert_uint_eq(pair.down.downs, 1);
    sim_run_until(&pair.sim, 0);
    ck_assert_uint_eq(pair.up.count, 0);
    ck_assert_uint_eq(pair.down.count, 1);
    ck_assert_uint_eq(pair.down.type[0], TLP_CPL);
    ck_assert_uint_eq(pair.down.status[0], TLP_UR);
    ck_assert_uint_eq(pair.down.kept[0], 2);
    /* Sent while it is down. */
    send(&pair.down, TLP_MRD, 0x30);
    send(&pair.down, TLP_MWR, 0x40);
    ck_assert_uint_eq(pair.down.count, 1);
    sim_run_until(&pair.sim, 0);
    ck_assert_uint_eq(pair.down.count, 2);
    ck_assert_uint_eq(pair.down.kept[1], 3);
    /* Asserting it again changes nothing; releasing trains. */
    port_hot_reset(&pair.down.port, true);
    ck_assert_uint_eq(pair.up.hot_resets, 1);
    port_hot_reset(&pair.down.port, false);
    ck_assert(port_link_up(&pair.up.port));
    ck_assert_uint_eq(pair.up.ups, 2);
    send(&pair.down, TLP_MWR, 0x50);
    sim_run_until(&pair.sim, 0);
    ck_assert_uint_eq(pair.up.count, 1);
    pair_fini(&pair);
}
END_TEST

START_TEST(test_disable_and_reset_together)
{
    struct pair pair;

    pair_init(&pair);
    link_connect(&pair.down.port, &pair.up.port);
    port_set_disabled(&pair.down.port, true);
    ck_assert(!port_link_up(&pair.up.port));
    ck_assert_uint_eq(pair.up.hot_resets, 1);
    port_hot_reset(&pair.down.port, true);
    port_set_disabled(&pair.down.port, false);
    ck_assert(!port_link_up(&pair.up.port));
    port_hot_reset(&pair.down.port, false);
    ck_assert(port_link_up(&pair.up.port));
    /* A power-on reset clears both. */
    port_set_disabled(&pair.down.port, true);
    port_hot_reset(&pair.down.port, true);
    port_cold_reset(&pair.down.port);
    ck_assert(port_link_up(&pair.up.port));
    pair_fini(&pair);
}
END_TEST

START_TEST(test_nothing_connected)
{
    struct pair pair;

    pair_init(&pair);
    send(&pair.down, TLP_MRD, 0x70);
    send(&pair.down, TLP_MWR, 0x80);
    port_hot_reset(&pair.down.port, true);
    port_hot_reset(&pair.down.port, false);
    sim_run_until(&pair.sim, 0);
    ck_assert_uint_eq(pair.down.count, 1);
    ck_assert_uint_eq(pair.down.status[0], TLP_UR);
    pair_fini(&pair);
}
END_TEST

START_TEST(test_tx_ready)
{
    struct pair pair;
    unsigned sent = 0;

    pair_init(&pair);
    link_connect(&pair.down.port, &pair.up.port);
    while (port_tx_ready(&pair.up.port)) {
        send(&pair.up, TLP_MWR, sent++ * 16);
        ck_assert_uint_lt(sent, 1000);
    }
    ck_assert_uint_eq(pair.up.readies, 0);
    sim_run_until(&pair.sim, 0);
    ck_assert_uint_eq(pair.up.readies, 1);
    ck_assert_uint_eq(pair.down.count, sent);
    ck_assert(port_tx_ready(&pair.up.port));
    pair_fini(&pair);
}
END_TEST

START_TEST(test_internal_wire)
{
    struct pair pair;

    pair_init(&pair);
    link_connect_internal(&pair.down.port, &pair.up.port);
    ck_assert_uint_eq(pair.up.ups, 0);
    port_hot_reset(&pair.down.port, true);
    port_set_disabled(&pair.down.port, true);
    ck_assert(port_link_up(&pair.up.port));
    send(&pair.down, TLP_MRD, 0x10);
    sim_run_until(&pair.sim, 0);
    ck_assert_uint_eq(pair.up.count, 1);
    pair_fini(&pair);
}
END_TEST

START_TEST(test_free_with_tlps_under_way)
{
    struct pair pair;

    pair_init(&pair);
    link_connect(&pair.down.port, &pair.up.port);
    send(&pair.down, TLP_MWR, 0x10);
    send(&pair.up, TLP_MWR, 0x10);
    pair_fini(&pair);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("port");
    TCase *tc = tcase_create("port");

    tcase_add_test(tc, test_order_and_no_recursion);
    tcase_add_test(tc, test_storm_lets_time_pass);
    tcase_add_test(tc, test_negotiation);
    tcase_add_test(tc, test_link_down);
    tcase_add_test(tc, test_disable_and_reset_together);
    tcase_add_test(tc, test_nothing_connected);
    tcase_add_test(tc, test_tx_ready);
    tcase_add_test(tc, test_internal_wire);
    tcase_add_test(tc, test_free_with_tlps_under_way);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
