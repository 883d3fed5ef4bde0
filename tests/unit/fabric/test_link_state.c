/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a link with link timing goes through: training, Recovery, degradation, surprise. */
#include <check.h>

#include "link_pair.h"
#include "rig.h"

static struct link_status status_of(const struct link_pair *pair)
{
    struct link_status status;

    port_link_status(&pair->down.port, &status);
    return status;
}

START_TEST(test_reset_takes_time)
{
    struct link_pair *pair = pair_new(NULL, 4, 8);

    ck_assert(status_of(pair).up && !status_of(pair).training);
    pair_send(&pair->down, TLP_MWR, 8);
    pair_send(&pair->down, TLP_MRD, 0);
    port_hot_reset(&pair->down.port, true);
    ck_assert(!status_of(pair).up);
    ck_assert_uint_eq(pair->up.hot_resets, 1);
    pair_run(pair, PS_PER_MS);
    ck_assert_uint_eq(pair->up.received, 0);
    ck_assert_uint_eq(pair->down.received, 1); /* the read's UR */
    port_hot_reset(&pair->down.port, false);
    ck_assert(!status_of(pair).up && status_of(pair).training);
    ck_assert_uint_eq(pair->down.trainings, 1);
    pair_run(pair, pair->params.training_ps - 1);
    ck_assert(!status_of(pair).up);
    pair_run(pair, 1);
    ck_assert(status_of(pair).up && !status_of(pair).training);
    ck_assert_uint_eq(pair->down.trained, 1);
    ck_assert_int_eq(status_of(pair).cause, LINK_CAUSE_FRESH);
    ck_assert_uint_eq(pair->down.errors[LINK_ERROR_SURPRISE_DOWN], 0);
    pair_send(&pair->down, TLP_MWR, 8);
    pair_run(pair, PS_PER_US);
    ck_assert_uint_eq(pair->up.received, 1);
    pair_free(pair);
}
END_TEST

/* TLPs wait while the link is in Recovery; none is lost. */
START_TEST(test_retrain)
{
    struct link_pair *pair = pair_new(NULL, 5, 4);

    pair_source(&pair->down, 500, 256);
    pair_run(pair, PS_PER_US);
    ck_assert_uint_gt(pair->up.received, 0);
    ck_assert_uint_lt(pair->up.received, 500);
    port_retrain(&pair->down.port, 1);
    ck_assert(status_of(pair).up && status_of(pair).training);
    ck_assert_uint_eq(status_of(pair).speed, 5);
    pair_run(pair, 2 * pair->params.recovery_ps);
    ck_assert(!status_of(pair).training);
    ck_assert_uint_eq(status_of(pair).speed, 1);
    ck_assert_int_eq(status_of(pair).cause, LINK_CAUSE_RETRAIN);
    ck_assert_uint_eq(pair->up.ups, 2);
    pair_run(pair, PS_PER_MS);
    ck_assert_uint_eq(pair->up.received, 500);
    ck_assert_uint_eq(pair->up.downs, 0);
    pair_free(pair);
}
END_TEST

START_TEST(test_target_speed)
{
    struct link_pair *pair = pair_new(NULL, 4, 4);

    port_set_target_speed(&pair->down.port, 2);
    pair_run(pair, PS_PER_MS);
    ck_assert_uint_eq(status_of(pair).speed, 4);
    port_hot_reset(&pair->down.port, true);
    port_hot_reset(&pair->down.port, false);
    pair_run(pair, pair->params.training_ps);
    ck_assert_uint_eq(status_of(pair).speed, 2);
    pair_free(pair);
}
END_TEST

START_TEST(test_degrade)
{
    struct link_pair *pair = pair_new(NULL, 4, 16);

    port_degrade(&pair->down.port, 4, 0);
    ck_assert(status_of(pair).training);
    pair_run(pair, pair->params.recovery_ps);
    ck_assert_uint_eq(status_of(pair).width, 4);
    ck_assert_int_eq(status_of(pair).cause, LINK_CAUSE_RELIABILITY);
    port_degrade(&pair->down.port, 4, 0); /* nothing new */
    ck_assert(!status_of(pair).training);
    port_degrade(&pair->down.port, 0, 3);
    pair_run(pair, 2 * pair->params.recovery_ps);
    ck_assert_uint_eq(status_of(pair).width, 16);
    ck_assert_uint_eq(status_of(pair).speed, 3);
    pair_free(pair);
}
END_TEST

START_TEST(test_surprise)
{
    struct link_pair *pair = pair_new(NULL, 4, 4);

    pair_source(&pair->up, 100, 64);
    port_set_present(&pair->down.port, false);
    ck_assert_uint_eq(pair->down.errors[LINK_ERROR_SURPRISE_DOWN], 1);
    ck_assert(!status_of(pair).up && !status_of(pair).present);
    port_hot_reset(&pair->down.port, true);
    port_hot_reset(&pair->down.port, false);
    pair_run(pair, PS_PER_S);
    ck_assert(!status_of(pair).up && !status_of(pair).training);
    port_set_present(&pair->down.port, true);
    pair_run(pair, pair->params.training_ps);
    ck_assert(status_of(pair).up);
    /* With Link Disable set it is no surprise. */
    port_set_disabled(&pair->down.port, true);
    port_set_present(&pair->down.port, false);
    ck_assert_uint_eq(pair->down.errors[LINK_ERROR_SURPRISE_DOWN], 1);
    pair_free(pair);
}
END_TEST

/* Taken down while it trains, it never comes up. */
START_TEST(test_disable_while_training)
{
    struct link_pair *pair = pair_new(NULL, 4, 4);

    port_set_disabled(&pair->down.port, true);
    port_set_disabled(&pair->down.port, false);
    ck_assert(status_of(pair).training);
    port_set_disabled(&pair->down.port, true);
    ck_assert(!status_of(pair).training);
    pair_run(pair, PS_PER_S);
    ck_assert(!status_of(pair).up);
    ck_assert_uint_eq(pair->up.ups, 1);
    port_retrain(&pair->down.port, 1);
    ck_assert(!status_of(pair).training);
    pair_free(pair);
}
END_TEST

/* A power-on reset with TLPs everywhere: all are gone, the link is up at once. */
START_TEST(test_cold_reset)
{
    struct link_pair *pair = pair_new(NULL, 4, 4);

    pair_source(&pair->up, 100, 64);
    pair_send(&pair->down, TLP_MRD, 0);
    pair->up.to_send = 0;
    port_retrain(&pair->down.port, 2);
    port_cold_reset(&pair->down.port);
    port_cold_reset(&pair->up.port);
    ck_assert(status_of(pair).up && !status_of(pair).training);
    ck_assert_uint_eq(status_of(pair).speed, 4);
    pair_run(pair, PS_PER_MS);
    ck_assert_uint_eq(pair->up.received, 0);
    pair_send(&pair->down, TLP_MWR, 1);
    pair_run(pair, PS_PER_MS);
    ck_assert_uint_eq(pair->up.received, 1);
    pair_free(pair);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("link_state");
    TCase *tc = tcase_create("link_state");

    tcase_add_test(tc, test_reset_takes_time);
    tcase_add_test(tc, test_retrain);
    tcase_add_test(tc, test_target_speed);
    tcase_add_test(tc, test_degrade);
    tcase_add_test(tc, test_surprise);
    tcase_add_test(tc, test_disable_while_training);
    tcase_add_test(tc, test_cold_reset);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
