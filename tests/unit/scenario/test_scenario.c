/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenarios as a library: results, messages, limits, seeds, and the host that they run in. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "pcilab/config/topology.h"
#include "pcilab/scenario/scenario.h"

static const char topology[] = "[root-port rp0]\n[exerciser ex0]\nat=rp0\nmemory=64K\n";

struct bench {
    struct scenario_host host;
    struct scenario_params params;
    struct scenario_report report;
    unsigned topologies, readies, looks;
    bool leave;
    uint64_t new_seed;
};

static struct machine_desc *find_topology(void *opaque, const char *name, GError **error)
{
    struct bench *bench = opaque;

    bench->topologies++;
    if (strcmp(name, "none") == 0) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE, "there is none");
        return NULL;
    }
    return topology_parse("t", topology, strlen(topology), error);
}

static bool ready(void *opaque, uint64_t *seed)
{
    struct bench *bench = opaque;

    bench->readies++;
    if (bench->new_seed)
        *seed = bench->new_seed;
    return !bench->leave;
}

/* After a few looks it took too long. */
static bool overdue(void *opaque)
{
    struct bench *bench = opaque;

    return ++bench->looks > 3;
}

static void run(struct bench *bench, const char *text)
{
    char *whole = g_strconcat("machine \"small\"\n", text, NULL);

    if (bench->report.checks)
        scenario_report_clear(&bench->report);
    bench->host.topology = find_topology;
    bench->host.ready = ready;
    bench->host.opaque = bench;
    bench->params.name = "t.lua";
    bench->params.text = whole;
    bench->params.len = strlen(whole);
    bench->params.host = &bench->host;
    scenario_run(&bench->params, &bench->report);
    g_free(whole);
}

static void expect(struct bench *bench, const char *text, enum scenario_result result,
                   const char *message)
{
    run(bench, text);
    ck_assert_msg(bench->report.result == result, "%s: %d, %s", text, bench->report.result,
                  bench->report.message);
    if (!message)
        ck_assert_ptr_null(bench->report.message);
    else
        ck_assert_msg(strstr(bench->report.message, message) != NULL, "%s", bench->report.message);
}

static void finish(struct bench *bench)
{
    scenario_report_clear(&bench->report);
}

START_TEST(test_results)
{
    struct bench bench = {0};

    expect(&bench, "expect(true, 'x')", SCENARIO_PASSED, NULL);
    ck_assert_uint_eq(bench.report.checks->len, 1);
    ck_assert_uint_eq(bench.readies, 1);
    expect(&bench, "wait(us(3)) expect(now() == us(3))", SCENARIO_PASSED, NULL);
    ck_assert_uint_eq(bench.report.virtual_ps, 3 * PS_PER_US);
    expect(&bench, "expect(false, 'y')", SCENARIO_FAILED, "t.lua:2: expected: y");
    expect(&bench, "error('z')", SCENARIO_BAD, "t.lua:2: z");
    expect(&bench, "error({})", SCENARIO_BAD, "t.lua:2: an error that is no text");
    expect(&bench, "x =", SCENARIO_BAD, "t.lua:2: unexpected symbol");
    expect(&bench, "\x1bLua", SCENARIO_BAD, "t.lua:2:");
    expect(&bench, "", SCENARIO_BAD, "nothing was expected");
    expect(&bench, "machine 'none'", SCENARIO_BAD, "t.lua:2: there is a machine already");
    expect(&bench, "machine{guest = true}", SCENARIO_BAD, "there is a machine already");
    bench.leave = true;
    expect(&bench, "expect(true)", SCENARIO_LEFT, NULL);
    finish(&bench);
}
END_TEST

START_TEST(test_limits)
{
    struct bench bench = {.params = {.instructions = 100000, .memory_bytes = 4 << 20}};

    expect(&bench, "while true do end", SCENARIO_FAILED, "t.lua:2: the scenario computes");
    expect(&bench, "while true do pcall(function() while true do end end) end", SCENARIO_FAILED,
           "t.lua:2: the scenario computes");
    expect(&bench, "local x = ('x'):rep(1 << 30)", SCENARIO_BAD, "not enough memory");
    expect(&bench, "local function f() return f() + 1 end f()", SCENARIO_BAD, "t.lua:2: ");
    bench.params.limit_ps = PS_PER_MS;
    expect(&bench, "wait(ms(2))", SCENARIO_FAILED, "t.lua:2: the scenario does not end");
    expect(&bench, "after(us(1), function() wait(ms(2)) end) wait(ms(3))", SCENARIO_FAILED,
           "does not end");
    expect(&bench, "for i = 1, 2000 do spawn(function() wait(1) end) end", SCENARIO_BAD,
           "more than 1024 tasks");
    bench.host.overdue = overdue;
    bench.params.instructions = 0;
    expect(&bench, "while true do end", SCENARIO_FAILED, "wall clock");
    finish(&bench);
}
END_TEST

START_TEST(test_box)
{
    static const char *const outside[] = {
        "io",   "os",    "package",        "require",   "dofile", "loadfile",
        "load", "debug", "collectgarbage", "coroutine", "verb",   "warn"};
    struct bench bench = {0};

    for (unsigned i = 0; i < G_N_ELEMENTS(outside); i++) {
        char *text = g_strdup_printf("print(%s)", outside[i]);

        expect(&bench, text, SCENARIO_BAD, "there is no word");
        g_free(text);
    }
    expect(&bench, "expect(not string.dump and not math.randomseed)", SCENARIO_PASSED, NULL);
    expect(&bench, "print({}, print, function() end)", SCENARIO_BAD, "nothing was expected");
    ck_assert_str_eq(bench.report.said->pdata[0], "table function function");
    /* In order, whatever the order in which they came. */
    expect(&bench,
           "local t = {b = 1, [3] = 1, a = 1, [true] = 1, [1.5] = 1}\n"
           "local s = '' for k in pairs(t) do s = s .. tostring(k) .. ' ' end\n"
           "expect_eq(s, '1.5 3 a b true ')",
           SCENARIO_PASSED, NULL);
    expect(&bench, "for k in pairs({[{}] = 1}) do end", SCENARIO_BAD, "have an order");
    finish(&bench);
}
END_TEST

START_TEST(test_firmware)
{
    struct bench bench = {0};

    expect(&bench, "firmware:report{severity = 'fatal', at = 'rp0'}", SCENARIO_BAD,
           "tells of no errors");
    expect(&bench, "expect(not firmware:told('corrected'))", SCENARIO_PASSED, NULL);
    expect(&bench, "firmware:acknowledge('corrected') expect(true)", SCENARIO_PASSED, NULL);
    expect(&bench, "firmware:report{severity = 'fatal'}", SCENARIO_BAD, "wants at = component");
    expect(&bench, "firmware:report{severity = 'fatal', at = 'rp0', memory = 1}", SCENARIO_BAD,
           "wants at = component");
    expect(&bench, "firmware:report{severity = 'bad', memory = 1}", SCENARIO_BAD,
           "invalid option 'bad'");
    expect(&bench, "firmware:report{severity = 'fatal', at = 'nobody'}", SCENARIO_BAD, "nobody");
    expect(&bench, "firmware:report{who = 1}", SCENARIO_BAD, "there is no key \"who\"");
    expect(&bench, "firmware:told('x')", SCENARIO_BAD, "invalid option 'x'");
    finish(&bench);
}
END_TEST

START_TEST(test_tasks)
{
    struct bench bench = {0};

    expect(&bench,
           "local s = ''\n"
           "spawn(function() wait(us(2)) s = s .. 'b' end)\n"
           "after(us(1), function() s = s .. 'a' end)\n"
           "wait(us(3)) expect_eq(s, 'ab')",
           SCENARIO_PASSED, NULL);
    expect(&bench, "spawn(function() error('inside') end) wait(1)", SCENARIO_BAD,
           "t.lua:2: inside");
    expect(&bench, "spawn(function() expect(false, 'inside') end) wait(1)", SCENARIO_FAILED,
           "t.lua:2: expected: inside");
    /* The script's end is the end, whoever waits. */
    expect(&bench, "spawn(function() wait(s(1)) error('x') end) expect(true)", SCENARIO_PASSED,
           NULL);
    expect(&bench,
           "local n = 0 on('ex0', 'config', function(t) n = n + 1 end)\n"
           "cfg_read('ex0', 0) cfg_read('ex0', 4) expect_eq(n, 2)",
           SCENARIO_PASSED, NULL);
    expect(&bench, "wait_tlp('rp0', 'any')", SCENARIO_FAILED, "never comes");
    expect(&bench, "expect_eq(wait_tlp('rp0', 'any', us(1)), nil)", SCENARIO_PASSED, NULL);
    finish(&bench);
}
END_TEST

static void digest_of(struct bench *bench, uint64_t seed, char out[65])
{
    bench->params.digest = true;
    bench->params.seed = seed;
    expect(bench,
           "vary{completions = us(1)} for i = 1, 50 do cfg_read('ex0', 0) end\n"
           "print(math.random(1 << 40)) expect(true)",
           SCENARIO_PASSED, NULL);
    memcpy(out, bench->report.digest, 65);
}

START_TEST(test_seeds)
{
    struct bench bench = {0};
    char first[65], second[65], other[65];

    digest_of(&bench, 5, first);
    digest_of(&bench, 5, second);
    digest_of(&bench, 6, other);
    ck_assert_uint_eq(strlen(first), 64);
    ck_assert_str_eq(first, second);
    ck_assert_str_ne(first, other);
    bench.new_seed = 5; /* as in a process of a sweep */
    digest_of(&bench, 99, second);
    ck_assert_str_eq(first, second);
    finish(&bench);
}
END_TEST

START_TEST(test_header)
{
    static const char text[] = "-- for what\n--   a clause  \nx = 1\n";
    char *purpose, *clause;

    scenario_header(text, strlen(text), &purpose, &clause);
    ck_assert_str_eq(purpose, "for what");
    ck_assert_str_eq(clause, "a clause");
    g_free(purpose);
    g_free(clause);
    scenario_header("x = 1\n-- no", 11, &purpose, &clause);
    ck_assert_ptr_null(purpose);
    ck_assert_ptr_null(clause);
    scenario_header("--", 2, &purpose, &clause);
    ck_assert_str_eq(purpose, "");
    ck_assert_ptr_null(clause);
    g_free(purpose);
    scenario_header("", 0, &purpose, &clause);
    ck_assert_ptr_null(purpose);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scenario");
    TCase *tc = tcase_create("scenario");
    SRunner *runner;
    int failed;

    tcase_add_test(tc, test_results);
    tcase_add_test(tc, test_limits);
    tcase_add_test(tc, test_box);
    tcase_add_test(tc, test_firmware);
    tcase_add_test(tc, test_tasks);
    tcase_add_test(tc, test_seeds);
    tcase_add_test(tc, test_header);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
