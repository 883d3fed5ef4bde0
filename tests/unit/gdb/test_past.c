/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Going back. A second machine, made as the first one, is the process of the past. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "pcilab/base/bits.h"
#include "pcilab/gdb/past.h"

#define A_WHILE (100 * PS_PER_US)

static struct client *now, *past;

static void setup(void)
{
    now = client_new();
    past = client_new();
}

static void teardown(void)
{
    client_free(now);
    client_free(past);
}

static void expect(struct client *client, const char *packet, const char *reply)
{
    client_packet(client, packet);
    char *last = client_last(client);
    ck_assert_msg(strcmp(last, reply) == 0, "%s: \"%s\" instead of \"%s\"", packet, last, reply);
    g_free(last);
}

static void expect_last(struct client *client, const char *reply)
{
    char *last = client_last(client);

    ck_assert_str_eq(last, reply);
    g_free(last);
}

static uint64_t rip(struct client *client)
{
    struct cpu_state state;

    cpu_get_state(machine_debug_cpu(client->machine, 0), &state);
    return state.rip - CLIENT_CODE;
}

/* So many times; the debugger has set its stops. */
static void go_on(unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        client_packet(now, "c");
        client_run(now, A_WHILE);
        ck_assert(!gdb_runs(now->gdb));
    }
}

static struct gdb_journey journey(enum gdb_back how, uint64_t stop)
{
    const struct machine_place here = machine_debug_place(now->machine);

    return (struct gdb_journey){.how = how, .bound = here, .present = here, .stop = stop};
}

static enum gdb_travel travel(const struct gdb_journey *way)
{
    GByteArray *state = gdb_save(now->gdb);

    ck_assert(gdb_load(past->gdb, state->data, state->len));
    g_byte_array_unref(state);
    client_clear(past);
    gdb_travel(past->gdb, way);
    while (gdb_travels(past->gdb) == GDB_UNDERWAY) {
        machine_run(past->machine,
                    machine_sim(past->machine)->now_ps + gdb_travel_slice_ps(past->gdb, A_WHILE));
        gdb_after_run(past->gdb);
    }
    return gdb_travels(past->gdb);
}

START_TEST(test_packets)
{
    client_packet(now, "qSupported");
    ck_assert(strstr(now->raw->str, ";ReverseStep+;ReverseContinue+"));
    expect(now, "bx", "");
    expect(now, "bc", "");
    ck_assert_int_eq(gdb_wants_back(now->gdb), GDB_BACK_CONTINUE);
    expect(now, "qC", ""); /* it waits for an answer */
    gdb_back_ends(now->gdb, "why\n");
    expect_last(now, "T05thread:1;replaylog:begin;");
    char *said = client_said(now);
    ck_assert_str_eq(said, "why\n");
    g_free(said);
    ck_assert_int_eq(gdb_wants_back(now->gdb), GDB_BACK_NOT);
    expect(now, "Hc2", "OK");
    expect(now, "bs", "");
    ck_assert_int_eq(gdb_wants_back(now->gdb), GDB_BACK_STEP);
    ck_assert_uint_eq(gdb_back_thread(now->gdb), 1);
    gdb_back_interrupted(now->gdb);
    expect_last(now, "T02thread:1;");
    expect(now, "bc", "");
    gdb_reached_present(now->gdb);
    expect_last(now, "T05thread:1;replaylog:end;");
}
END_TEST

START_TEST(test_not_everywhere)
{
    struct gdb_ops ops = {.send = NULL};
    struct gdb *gdb = gdb_new(now->machine, &ops);

    client_packet(now, "qRcmd,686973746f7279"); /* history */
    char *said = client_said(now);
    ck_assert_str_eq(said, "there is no way back here\n");
    g_free(said);
    gdb_input(gdb, (const uint8_t *)"$bc#c5", 6);
    ck_assert_int_eq(gdb_wants_back(gdb), GDB_BACK_NOT);
    gdb_free(gdb);
}
END_TEST

START_TEST(test_changes)
{
    ck_assert(!gdb_take_changed(now->gdb));
    expect(now, "X200000,0:", "OK"); /* only a question */
    ck_assert(!gdb_take_changed(now->gdb));
    expect(now, "M200000,1:01", "OK");
    ck_assert(gdb_take_changed(now->gdb));
    ck_assert(!gdb_take_changed(now->gdb));
    expect(now, "P0=8877665544332211", "OK");
    ck_assert(gdb_take_changed(now->gdb));
}
END_TEST

/* The first instruction of the program's loop: after 1, 5, 9, ... instructions. */
START_TEST(test_stops)
{
    expect(now, "Z0,100005,1", "OK");
    go_on(3);
    struct gdb_journey way = journey(GDB_BACK_CONTINUE, GDB_COUNT_ONLY);
    ck_assert_int_eq(travel(&way), GDB_COUNTED);
    const struct gdb_met *met = gdb_met(past->gdb);
    ck_assert_uint_eq(met->stops, 2);
    ck_assert_uint_eq(met->at.retired, 5);
    ck_assert_int_eq(met->stop.kind, CPU_STOP_EXEC);
}
END_TEST

START_TEST(test_to_stop)
{
    expect(now, "Z0,100005,1", "OK");
    go_on(3);
    struct gdb_journey way = journey(GDB_BACK_CONTINUE, 2);
    ck_assert_int_eq(travel(&way), GDB_ARRIVED);
    expect_last(past, "T05thread:1;");
    ck_assert_uint_eq(rip(past), CLIENT_INC);
    expect(past, "p0", "0100000000000000");
    expect(past, "m200000,1", "01");
    expect(past, "P0=8877665544332211", "E.the past cannot be changed");
    expect(past, "M200000,1:07", "E.the past cannot be changed");
    expect(past, "c100012", "E.the past cannot be changed");
    expect(past, "m200000,1", "01");
    /* Forwards it comes to where the first one is, and no further. */
    client_packet(past, "s");
    client_run(past, A_WHILE);
    expect_last(past, "T05thread:1;");
    ck_assert_int_eq(gdb_travels(past->gdb), GDB_ARRIVED);
    client_packet(past, "c");
    client_run(past, A_WHILE);
    ck_assert_int_eq(gdb_travels(past->gdb), GDB_AT_PRESENT);
}
END_TEST

START_TEST(test_no_stop)
{
    expect(now, "Z0,100012,1", "OK");
    go_on(1);
    struct gdb_journey way = journey(GDB_BACK_CONTINUE, GDB_COUNT_ONLY);
    ck_assert_int_eq(travel(&way), GDB_COUNTED);
    ck_assert_uint_eq(gdb_met(past->gdb)->stops, 0);
}
END_TEST

START_TEST(test_lost)
{
    expect(now, "Z0,100005,1", "OK");
    go_on(3);
    struct gdb_journey way = journey(GDB_BACK_CONTINUE, 3);
    ck_assert_int_eq(travel(&way), GDB_LOST);
    ck_assert_str_eq(past->raw->str, "");
}
END_TEST

START_TEST(test_to_begin)
{
    expect(now, "Z0,100005,1", "OK");
    go_on(1);
    struct gdb_journey way = journey(GDB_BACK_CONTINUE, 0);
    way.begin = true;
    ck_assert_int_eq(travel(&way), GDB_ARRIVED);
    expect_last(past, "T05thread:1;replaylog:begin;");
    ck_assert_uint_eq(rip(past), 0);
}
END_TEST

/* A write that was the last instruction is the first one to be undone. */
START_TEST(test_data)
{
    expect(now, "Z2,200000,4", "OK");
    go_on(2);
    struct gdb_journey way = journey(GDB_BACK_CONTINUE, GDB_COUNT_ONLY);
    ck_assert_int_eq(travel(&way), GDB_COUNTED);
    const struct gdb_met *met = gdb_met(past->gdb);
    ck_assert_uint_eq(met->stops, 2);
    ck_assert_int_eq(met->stop.kind, CPU_STOP_WRITE);
    ck_assert_uint_eq(met->at.retired, machine_retired(now->machine));
}
END_TEST

START_TEST(test_steps)
{
    expect(now, "Z0,100005,1", "OK");
    go_on(3);
    struct gdb_journey way = journey(GDB_BACK_STEP, GDB_COUNT_ONLY);
    ck_assert_int_eq(travel(&way), GDB_COUNTED);
    ck_assert_uint_eq(gdb_met(past->gdb)->stops, 8); /* stops of the debugger are not met */
    ck_assert(!gdb_met(past->gdb)->start);
}
END_TEST

START_TEST(test_to_step)
{
    expect(now, "Z0,100005,1", "OK");
    expect(now, "Z2,200000,4", "OK");
    go_on(4);
    ck_assert_uint_eq(rip(now), CLIENT_CMP);
    struct gdb_journey way = journey(GDB_BACK_STEP, 6);
    way.tell = (struct cpu_stop){CPU_STOP_WRITE, CLIENT_DATA, 4};
    ck_assert_int_eq(travel(&way), GDB_ARRIVED);
    expect_last(past, "T05thread:1;watch:200000;");
    ck_assert_uint_eq(rip(past), CLIENT_STORE);
    expect(past, "m200000,1", "01");
    /* The stops are there again. */
    client_packet(past, "c");
    client_run(past, A_WHILE);
    ck_assert_int_eq(gdb_travels(past->gdb), GDB_AT_PRESENT); /* the write is it */
}
END_TEST

START_TEST(test_step_to_start)
{
    client_packet(now, "s");
    client_run(now, A_WHILE);
    struct gdb_journey way = journey(GDB_BACK_STEP, GDB_COUNT_ONLY);
    ck_assert_int_eq(travel(&way), GDB_COUNTED);
    ck_assert_uint_eq(gdb_met(past->gdb)->stops, 0);
    ck_assert(gdb_met(past->gdb)->start);
}
END_TEST

START_TEST(test_save)
{
    expect(now, "qRcmd,627265616b20746c70206120622063", "OK"); /* break tlp a b c */
    expect(now, "qRcmd,627265616b206661756c74", "OK");         /* break fault */
    expect(now, "Hg2", "OK");
    GByteArray *state = gdb_save(now->gdb);
    ck_assert(gdb_load(past->gdb, state->data, state->len));
    expect(past, "qC", "QC2");
    expect(past, "qRcmd,627265616b73", "OK"); /* breaks */
    char *said = client_said(past);
    ck_assert_str_eq(said, "1: tlp a b c, hit 0 times\n2: fault , hit 0 times\n");
    g_free(said);
    ck_assert(!gdb_load(past->gdb, state->data, 10));
    g_byte_array_append(state, (const uint8_t *)"3 x\n", 4);
    ck_assert(!gdb_load(past->gdb, state->data, state->len));
    g_byte_array_unref(state);
}
END_TEST

START_TEST(test_places)
{
    const struct machine_place places[] = {
        {1, 9, true}, {2, 5, false}, {2, 5, true}, {2, 6, false}};

    for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
        for (unsigned k = 0; k < ARRAY_LEN(places); k++) {
            int compared = machine_place_compare(&places[i], &places[k]);
            ck_assert_int_eq((compared > 0) - (compared < 0), (i > k) - (i < k));
        }
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        test_packets, test_not_everywhere, test_changes,  test_stops,  test_to_stop,
        test_no_stop, test_lost,           test_to_begin, test_data,   test_steps,
        test_to_step, test_step_to_start,  test_save,     test_places,
    };
    Suite *suite = suite_create("past");
    TCase *tcase = tcase_create("past");

    tcase_add_checked_fixture(tcase, setup, teardown);
    for (unsigned i = 0; i < ARRAY_LEN(tests); i++) {
        tcase_add_test(tcase, tests[i]);
    }
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
