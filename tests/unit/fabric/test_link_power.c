/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The power of a link: L0s, the negotiation of L1, its substates, what TLPs pay for them. */
#include <check.h>

#include "pcilab/fabric/link_power.h"

#include "link_pair.h"
#include "rig.h"

static struct pcie_power_state both; /* what both ends say */

static struct link_pair *make(const struct link_params *params)
{
    struct link_pair *pair = pair_new(params, 4, 4);

    both = (struct pcie_power_state){
        .l0s_exit_ps = 300 * PS_PER_NS,
        .l1_exit_ps = 4 * PS_PER_US,
    };
    return pair;
}

static void say(struct link_pair *pair)
{
    port_set_power_state(&pair->down.port, &both);
    port_set_power_state(&pair->up.port, &both);
}

static struct link_power_counters counters_of(const struct link_pair *pair)
{
    struct link_power_counters counters;

    ck_assert(port_power_counters(&pair->down.port, &counters));
    return counters;
}

/* How long a write takes from `from` to the other end, from now. */
static uint64_t flight_ps(struct link_pair *pair, struct pair_end *from)
{
    uint64_t start = pair->sim.now_ps;
    unsigned before = from->other->received;

    pair_send(from, TLP_MWR, 8);
    pair_run(pair, PS_PER_MS);
    ck_assert_uint_eq(from->other->received, before + 1);
    return from->other->last_ps - start;
}

START_TEST(test_nothing_enabled)
{
    struct link_pair *pair = make(NULL);
    uint64_t flight = flight_ps(pair, &pair->down);

    say(pair);
    pair_run(pair, PS_PER_MS);
    ck_assert_int_eq(port_link_power(&pair->up.port), LINK_L0);
    ck_assert_uint_eq(flight_ps(pair, &pair->down), flight);
    ck_assert_uint_eq(counters_of(pair).l1, 0);
    pair_free(pair);
}
END_TEST

/* Each direction by the sender's control; the exit takes what the receiver needs. */
START_TEST(test_l0s)
{
    struct link_pair *pair = make(NULL);
    uint64_t flight = flight_ps(pair, &pair->down);
    struct pcie_power_state other = both;

    both.aspm = PCIE_ASPM_L0S;
    other.l0s_exit_ps = 100 * PS_PER_NS;
    port_set_power_state(&pair->down.port, &both);
    port_set_power_state(&pair->up.port, &other);
    pair_run(pair, 6 * PS_PER_US);
    ck_assert_uint_eq(flight_ps(pair, &pair->up), flight); /* does not enter L0s */
    ck_assert_uint_eq(flight_ps(pair, &pair->down), flight + 100 * PS_PER_NS);
    /* Not idle for long enough. */
    pair_send(&pair->down, TLP_MWR, 8);
    pair_run(pair, 6 * PS_PER_US);
    pair_send(&pair->down, TLP_MWR, 8);
    pair_run(pair, flight);
    ck_assert_uint_eq(pair->up.received, 4);
    pair_free(pair);
}
END_TEST

START_TEST(test_l1)
{
    struct link_pair *pair = make(NULL);
    uint64_t flight = flight_ps(pair, &pair->down);

    both.aspm = PCIE_ASPM_L1;
    say(pair);
    pair_run(pair, PS_PER_MS);
    ck_assert_int_eq(port_link_power(&pair->up.port), LINK_L1);
    ck_assert_uint_eq(counters_of(pair).l1, 1);
    ck_assert_uint_eq(flight_ps(pair, &pair->down), flight + both.l1_exit_ps);
    ck_assert_uint_eq(counters_of(pair).l1, 2);
    ck_assert_uint_eq(flight_ps(pair, &pair->up), flight + both.l1_exit_ps);
    ck_assert_uint_gt(counters_of(pair).asleep_ps, PS_PER_MS);
    ck_assert(port_credits_whole(&pair->up.port) && port_credits_whole(&pair->down.port));
    pair_free(pair);
}
END_TEST

/* The upper end has L1 disabled: it refuses, and the lower end does not ask again at once. */
START_TEST(test_refused)
{
    struct link_pair *pair = make(NULL);
    struct pcie_power_state off = both;

    port_set_power_state(&pair->down.port, &off);
    both.aspm = PCIE_ASPM_L1;
    port_set_power_state(&pair->up.port, &both);
    pair_run(pair, 100 * PS_PER_US);
    ck_assert_int_eq(port_link_power(&pair->up.port), LINK_L0);
    ck_assert_uint_eq(counters_of(pair).l1, 0);
    ck_assert_uint_ge(counters_of(pair).refused, 3);
    ck_assert_uint_le(counters_of(pair).refused, 10);
    ck_assert_uint_eq(pair->up.naks, counters_of(pair).refused);
    flight_ps(pair, &pair->up);
    flight_ps(pair, &pair->down);
    /* D3hot is not refused. */
    both.aspm = 0;
    both.sleeping = true;
    port_set_power_state(&pair->up.port, &both);
    pair_run(pair, 100 * PS_PER_US);
    ck_assert_int_eq(port_link_power(&pair->up.port), LINK_L1);
    pair_free(pair);
}
END_TEST

START_TEST(test_substates)
{
    struct link_pair *pair = make(NULL);
    uint64_t flight = flight_ps(pair, &pair->down);

    both.aspm = PCIE_ASPM_L1;
    both.substates = PCI_L1SS_ASPM_L1_1 | PCI_L1SS_ASPM_L1_2;
    both.l12_exit_ps = 80 * PS_PER_US;
    both.threshold_ps = 100 * PS_PER_US;
    say(pair);
    pair_run(pair, PS_PER_MS);
    /* Nobody has said what latency is tolerated: any. */
    ck_assert_int_eq(port_link_power(&pair->up.port), LINK_L1_2);
    ck_assert_uint_eq(flight_ps(pair, &pair->up), flight + 84 * PS_PER_US);
    port_set_tolerance(&pair->down.port, 100 * PS_PER_US - 1);
    ck_assert_uint_eq(flight_ps(pair, &pair->up), flight + 84 * PS_PER_US); /* as entered */
    ck_assert_int_eq(port_link_power(&pair->up.port), LINK_L1_1);
    port_set_tolerance(&pair->down.port, 100 * PS_PER_US);
    ck_assert_uint_eq(flight_ps(pair, &pair->up), flight + 4 * PS_PER_US);
    ck_assert_int_eq(port_link_power(&pair->up.port), LINK_L1_2);
    /* Both ends have to have it enabled. */
    both.substates = PCI_L1SS_ASPM_L1_1;
    port_set_power_state(&pair->down.port, &both);
    flight_ps(pair, &pair->up);
    ck_assert_int_eq(port_link_power(&pair->up.port), LINK_L1_1);
    /* Those of D3hot are others, and ask for no tolerance. */
    both.substates = PCI_L1SS_PCIPM_L1_2;
    both.sleeping = true;
    say(pair);
    port_set_tolerance(&pair->down.port, 0);
    flight_ps(pair, &pair->up);
    ck_assert_int_eq(port_link_power(&pair->up.port), LINK_L1_2);
    pair_free(pair);
}
END_TEST

/* Errors on the wire hit the negotiation as well; it ends all the same, and nothing is lost. */
START_TEST(test_noise)
{
    struct link_params params = link_default_params;
    struct link_pair *pair;

    params.bit_error_rate = 1e-4;
    params.propagation_ps = 3 * PS_PER_US;
    pair = make(&params);
    both.aspm = PCIE_ASPM_L1 | PCIE_ASPM_L0S;
    say(pair);
    for (unsigned i = 0; i < 300; i++) {
        pair_send(i % 3 ? &pair->up : &pair->down, TLP_MWR, 8);
        pair_run(pair, (i % 7) * 9 * PS_PER_US);
    }
    pair_run(pair, 10 * PS_PER_MS);
    ck_assert_uint_eq(pair->up.received, 100);
    ck_assert_uint_eq(pair->down.received, 200);
    ck_assert_uint_gt(counters_of(pair).l1, 20);
    ck_assert_int_eq(port_link_power(&pair->up.port), LINK_L1);
    pair_free(pair);
}
END_TEST

/* Recovery and resets end L1, from whatever state of the negotiation. */
START_TEST(test_resets)
{
    struct link_pair *pair = make(NULL);

    both.aspm = PCIE_ASPM_L1;
    say(pair);
    for (unsigned i = 0; i < 400; i++) {
        pair_run(pair, 9 * PS_PER_US + i * 10 * PS_PER_NS);
        port_retrain(&pair->down.port, 4);
        ck_assert_int_eq(port_link_power(&pair->up.port), LINK_L0);
        pair_run(pair, pair->params.recovery_ps);
    }
    pair_run(pair, PS_PER_MS);
    port_hot_reset(&pair->down.port, true);
    ck_assert_int_eq(port_link_power(&pair->up.port), LINK_L0);
    port_hot_reset(&pair->down.port, false);
    pair_run(pair, pair->params.training_ps);
    flight_ps(pair, &pair->down);
    pair_run(pair, PS_PER_MS);
    port_cold_reset(&pair->down.port);
    port_cold_reset(&pair->up.port);
    ck_assert_int_eq(port_link_power(&pair->up.port), LINK_L0);
    flight_ps(pair, &pair->up);
    pair_free(pair);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("link_power");
    TCase *tc = tcase_create("link_power");

    tcase_add_test(tc, test_nothing_enabled);
    tcase_add_test(tc, test_l0s);
    tcase_add_test(tc, test_l1);
    tcase_add_test(tc, test_refused);
    tcase_add_test(tc, test_substates);
    tcase_add_test(tc, test_noise);
    tcase_add_test(tc, test_resets);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
