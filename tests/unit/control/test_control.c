/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket: messages, clients that misbehave, words on a machine, the path. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "bench.h"

#define CALL(method, params)                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"" method "\",\"params\":" params "}\n"

/* Sends a text and expects all of the words in what comes back. */
static void expect(struct bench *b, const char *text, const char *words)
{
    bench_send(b, text, strlen(text), 2 * PS_PER_MS);
    char *out = bench_output(b);

    if (!*words)
        ck_assert_str_eq(out, "");
    else if (!strstr(out, words))
        ck_abort_msg("%s\nexpected %s\n     got %s", text, words, out);
    g_free(out);
}

START_TEST(messages)
{
    struct bench b;

    bench_open(&b, NULL);
    expect(&b, "garbage\n", "-32700");
    expect(&b, "\n\r\n  \n", "");
    expect(&b, "{\"a\":1\n", "-32700");
    expect(&b, "\xff\xfe\n", "no UTF-8");
    expect(&b, "[1,2]\n", "-32600");
    expect(&b, "3\n", "-32600");
    expect(&b, "{\"id\":1,\"method\":\"now\"}\n", "-32600");
    expect(&b, "{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"now\"}\n", "\"id\":null");
    expect(&b, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}\n", "-32600");
    expect(&b, CALL("now", "5"), "-32602");
    expect(&b, CALL("regs", "[]"), "did you mean \\\"reg\\\"?");
    expect(&b, "{\"jsonrpc\":\"2.0\",\"method\":\"now\"}\n", "");
    expect(&b, "{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}\n", "");
    expect(&b, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"seed\"}\n",
           "{\"id\":\"x\",\"result\":0,\"jsonrpc\":\"2.0\"}\n");
    expect(&b, CALL("help", "[]"), "\"name\":\"link.down\"");
    ck_assert(!control_peer_is_lost(b.peer));
    bench_close(&b);
}
END_TEST

START_TEST(pieces)
{
    static const char text[] = CALL("seed", "[]");
    struct bench b;

    bench_open(&b, NULL);
    for (unsigned i = 0; i < sizeof(text) - 2; i++)
        bench_send(&b, text + i, 1, 0);
    expect(&b, "", "");
    expect(&b, "\n", "\"result\":0");
    /* Two in one piece, and half of a third. */
    expect(&b, CALL("seed", "[]") CALL("rid", "[\"rp0\"]") "{\"json", "\"result\":8");
    expect(&b, "rpc\":\"2.0\",\"id\":9,\"method\":\"seed\"}\n", "\"id\":9");
    bench_close(&b);
}
END_TEST

START_TEST(too_long)
{
    char *text = g_strnfill(CONTROL_LINE_MAX + 1, 'x');
    struct bench b;

    bench_open(&b, NULL);
    expect(&b, text, "at most");
    ck_assert(control_peer_is_lost(b.peer));
    expect(&b, CALL("seed", "[]"), "");
    bench_close(&b);
    bench_open(&b, NULL);
    memset(text, '[', CONTROL_LINE_MAX);
    text[CONTROL_LINE_MAX - 1] = '\n';
    expect(&b, text, "too many arrays");
    bench_close(&b);
    g_free(text);
}
END_TEST

/* Output that nobody reads is not kept without end, and neither are calls. */
START_TEST(never_reads)
{
    static const char text[] = CALL("help", "[]");
    static const char wait[] = CALL("wait", "[1000000000000]");
    struct bench b;
    size_t len;

    bench_open(&b, NULL);
    for (unsigned i = 0; i < CONTROL_CALLS_MAX; i++)
        bench_send(&b, wait, strlen(wait), 0);
    expect(&b, "", "");
    expect(&b, wait, "-32000");
    for (unsigned i = 0; i < 10000 && !control_peer_is_lost(b.peer); i++)
        bench_send(&b, text, strlen(text), 0);
    ck_assert(control_peer_is_lost(b.peer));
    control_peer_output(b.peer, &len);
    ck_assert_uint_eq(len, 0);
    bench_close(&b);
}
END_TEST

START_TEST(words)
{
    struct bench b;

    bench_open(&b, NULL);
    expect(&b, CALL("components", "[]"), "\"ex1\"");
    expect(&b, CALL("reg", "[\"ex0\",\"vendor_id\"]"), "\"result\":");
    expect(&b, CALL("reg", "[\"ex0\",\"vendor_ids\"]"), "did you mean");
    expect(&b, CALL("reg", "[\"ex7\",\"vendor_id\"]"), "there is no function");
    expect(&b, CALL("reg", "{\"a\":1}"), "error");
    expect(&b, CALL("reg", "[]"), "error");
    expect(&b, CALL("registers", "[\"ex0\"]"), "\"name\":\"vendor_id\"");
    expect(&b, CALL("link.status", "[\"ex0\"]"), "\"up\":true");
    expect(&b, CALL("link.down", "[\"ex0\"]"), "\"result\":null");
    expect(&b, CALL("link.status", "[\"ex0\"]"), "\"up\":false");
    expect(&b, CALL("cfg_read", "[\"ex0\",0]"), "UR");
    expect(&b, CALL("link.up", "[\"ex0\"]"), "\"result\":null");
    expect(&b, CALL("mmio_write", "[1,2,3,4]"), "error");
    expect(&b, CALL("host.write", "[1048576,{\"hex\":\"00ff\"}]"), "\"result\":null");
    expect(&b, CALL("host.read", "[1048576,2]"), "{\"hex\":\"00ff\"}");
    expect(&b, CALL("host.write", "[1048576,{\"hex\":\"0\"}]"), "error");
    expect(&b, CALL("hand", "[\"press\",\"ex0\"]"), "\"id\":7");
    expect(&b, CALL("guest", "[\"true\"]"), "takes no commands");
    expect(&b, CALL("machine", "[\"default\"]"), "-32601");
    expect(&b, CALL("shutdown", "[]"), "there is no word");
    bench_close(&b);
}
END_TEST

START_TEST(rules_and_programs)
{
    struct bench b;

    bench_open(&b, NULL);
    expect(&b, CALL("count", "[\"ex1\",\"any\"]"), "{\"rule\":1}");
    expect(&b, CALL("cfg_read", "[\"ex1\",\"vendor_id\"]"), "\"SC\"");
    expect(&b, CALL("rule.hits", "[1]"), "\"result\":2");
    expect(&b, CALL("inject", "{\"at\":\"ex1\",\"kind\":\"completion\",\"action\":\"UR\"}"),
           "{\"rule\":2}");
    expect(&b, CALL("cfg_read", "[\"ex1\",\"vendor_id\"]"), "\"UR\"");
    expect(&b, CALL("rule.remove", "[{\"rule\":2}]"), "null");
    expect(&b, CALL("rule.remove", "[2]"), "there is no rule 2");
    expect(&b, CALL("rule.list", "[]"), "[{\"hits\":4,\"rule\":1}]");
    expect(&b, CALL("inject", "{\"at\":\"ex1\",\"action\":\"delay\"}"), "contradicts itself");
    expect(&b, CALL("lua", "[\"print('a', 1) wait(us(3)) return rid('ex1') > 0, 'b'\"]"),
           "{\"printed\":[\"a 1\"],\"value\":[true,\"b\"]}");
    expect(&b, CALL("lua", "[\"x = = 3\"]"), "lua:1:");
    expect(&b, CALL("lua", "[\"return nothing_of_this_name\"]"), "there is no word");
    expect(&b, CALL("lua", "[\"while true do end\"]"), "computes without end");
    expect(&b, CALL("lua", "[\"pcall(function() while true do end end) wait(1) return 1\"]"),
           "error");
    expect(&b, CALL("lua", "[\"local t = {} t.t = t return t\"]"), "\"value\":{\"t\":");
    expect(&b, CALL("lua", "[\"return os\"]"), "there is no word");
    expect(&b, CALL("lua", "[\"kept = 5 return kept\"]"), "\"value\":5");
    expect(&b, CALL("lua", "[\"expect(false, 'that') return 1\"]"), "expected: that");
    expect(&b, CALL("wait_tlp", "[\"ex1\",\"MRd\",1000]"), "\"result\":null");
    bench_close(&b);
}
END_TEST

/* Each word by itself, in an order in which one shows what another did. */
static const struct {
    const char *word, *params, *words;
} every_word[] = {
    {"components", "[]", "\"sw0.1\""},
    {"now", "[]", "\"result\":"},
    {"seed", "[]", "\"result\":0"},
    {"bdf", "[\"ex0\"]", "\"result\":\"03:00.0\""},
    {"rid", "[\"ex0\"]", "\"result\":768"},
    {"bar", "[\"ex0\",4]", "\"result\":[1099511627776,65536]"},
    {"reg", "[\"ex0\",\"vendor_id\"]", "\"result\":20556"},
    {"registers", "[\"ex0\"]", "\"name\":\"vendor_id\""},
    {"set_bits", "[\"ex0\",\"command\",4]", "\"SC\""},
    {"cfg_read", "[\"ex0\",\"command\"]", "[7,\"SC\"]"},
    {"clear_bits", "[\"ex0\",\"command\",4]", "\"SC\""},
    {"cfg_read", "[\"ex0\",\"command\"]", "[3,\"SC\"]"},
    {"flip", "[\"ex0\",\"command\",4]", "\"result\":null"},
    {"reg", "[\"ex0\",\"command\"]", "\"result\":7"},
    {"cfg_write", "[\"ex0\",60,55,1]", "\"SC\""},
    {"cfg_read", "[\"ex0\",60,1]", "[55,\"SC\"]"},
    {"mmio_write", "[1099511627776,305419896,4]", "\"SC\""},
    {"mmio_read", "[1099511627776,4]", "[305419896,\"SC\"]"},
    {"bar", "[\"ex0\",1]", "\"result\":[4096,128]"},
    {"io_write", "[4144,4660,4]", "\"SC\""}, /* scratch0 */
    {"io_read", "[4144,4]", "[4660,\"SC\"]"},
    {"host.write32", "[1048576,287454020]", "\"result\":null"},
    {"host.read32", "[1048576]", "\"result\":287454020"},
    {"host.write64", "[1048576,5]", "\"result\":null"},
    {"host.read64", "[1048576]", "\"result\":5"},
    {"host.write", "[1048576,\"text\"]", "\"result\":null"},
    {"host.read", "[1048576,4]", "\"result\":\"text\""},
    {"dma", "{\"dev\":\"ex0\",\"op\":\"read\",\"addr\":1048576,\"len\":4}", "[\"ok\",\"text\"]"},
    {"count", "[\"ex0\",\"MWr\"]", "{\"rule\":1}"},
    {"emit", "[\"ex0\",{\"address\":1048576,\"data\":\"TEXT\"}]", "\"result\":null"},
    {"host.read", "[1048576,4]", "\"result\":\"TEXT\""},
    {"rule.hits", "[1]", "\"result\":"},
    {"rule.list", "[]", "\"rule\":1"},
    {"rule.remove", "[1]", "\"result\":null"},
    {"saw", "[\"nobody says so\"]", "\"result\":0"},
    {"hang", "[\"ex0\"]", "{\"rule\":2}"},
    {"link.status", "[\"ex0\"]", "\"up\":true"},
    {"link.degrade", "[\"ex0\",{\"width\":1}]", "\"result\":null"},
    {"link.retrain", "[\"ex0\"]", "\"result\":null"},
    {"link.status", "[\"ex0\"]", "\"width\":1"},
    {"link.restore", "[\"ex0\"]", "\"result\":null"},
    {"link.disable", "[\"ex0\"]", "\"result\":null"},
    {"link.status", "[\"ex0\"]", "\"disabled\":true"},
    {"link.enable", "[\"ex0\"]", "\"result\":null"},
    {"link.reset", "[\"ex0\"]", "\"result\":null"},
    {"link.status", "[\"ex0\"]", "\"in_reset\":true"},
    {"link.release", "[\"ex0\"]", "\"result\":null"},
    {"link.power_lost", "[\"ex0\"]", "\"result\":null"},
    {"link.status", "[\"ex0\"]", "\"powered\":false"},
    {"link.power", "[\"ex0\"]", "\"result\":null"},
    {"link.down", "[\"ex0\"]", "\"result\":null"},
    {"link.status", "[\"ex0\"]", "\"up\":false"},
    {"link.up", "[\"ex0\"]", "\"result\":null"},
    {"link.flap", "[\"ex0\",2,1000000,1000000]", "\"result\":null"},
    {"link.counters", "[\"ex0\",\"up\"]", "only links with link timing"},
    {"link.fault", "[\"ex0\",\"corrupt-tlp\"]", "link timing"},
    {"link.leak", "[\"ex0\",{\"headers\":1}]", "credits cannot be lost"},
    {"hand", "[\"unplug\",\"ex0\"]", "\"result\":null"},
    {"link.status", "[\"ex0\"]", "\"present\":false"},
    {"inject", "{\"at\":\"sw0\",\"action\":\"drop\",\"kind\":\"MRd\"}", "{\"rule\":3}"},
    {"vary", "{\"completions\":1000}", "\"result\":null"},
    {"wait", "[1000]", "\"result\":null"},
    {"wait_tlp", "[\"ex1\",\"MWr\",1000]", "\"result\":null"},
    {"guest", "[\"true\"]", "takes no commands"},
    {"lua", "[\"return 5\"]", "\"value\":5"},
    {"shutdown", "[]", "there is no word"},
};

START_TEST(words_one_by_one)
{
    struct bench b;

    bench_open(&b, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(every_word); i++) {
        char *text =
            g_strdup_printf("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\",\"params\":%s}\n",
                            every_word[i].word, every_word[i].params);

        expect(&b, text, every_word[i].words);
        g_free(text);
    }
    bench_close(&b);
    /* None is left out. */
    for (const struct control_verb *verb = control_verbs; verb->name; verb++) {
        bool found = verb->kind == CONTROL_RUN;

        for (unsigned i = 0; i < G_N_ELEMENTS(every_word); i++)
            found = found || strcmp(every_word[i].word, verb->name) == 0;
        ck_assert_msg(found, "%s is not tried", verb->name);
    }
}
END_TEST

/* What a log keeps is all that a second run needs. */
struct log {
    GPtrArray *orders; /* GBytes */
    GArray *times;
    unsigned next;
};

static void keep(void *opaque, const struct sim_input_entry *entry)
{
    struct log *log = opaque;

    g_ptr_array_add(log->orders, g_bytes_new(entry->bytes, entry->len));
    g_array_append_val(log->times, entry->at_ps);
}

static bool next(void *opaque, enum sim_input_kind kind, struct sim_input_entry *entry)
{
    struct log *log = opaque;

    if (kind != SIM_INPUT_POSTED || log->next == log->orders->len)
        return false;
    gsize len;
    const uint8_t *bytes = g_bytes_get_data(log->orders->pdata[log->next], &len);

    *entry = (struct sim_input_entry){.at_ps = g_array_index(log->times, uint64_t, log->next++),
                                      .source = "control",
                                      .bytes = bytes,
                                      .len = (uint32_t)len};
    return true;
}

START_TEST(again)
{
    struct log log = {.orders = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref),
                      .times = g_array_new(FALSE, FALSE, sizeof(uint64_t))};
    char first[65], second[65], idle[65];
    struct bench b;

    bench_open(&b, &(struct sim_input_log){.keep = keep, .opaque = &log});
    expect(&b, CALL("vary", "{\"completions\":3000000}"), "null");
    expect(&b, CALL("cfg_read", "[\"ex1\",0]"), "SC");
    expect(&b, CALL("reg", "[\"ex1\",\"vendor_id\"]"), "result");
    expect(&b, CALL("link.flap", "[\"ex0\",3,1000000,2000000]"), "null");
    expect(&b,
           CALL("lua", "[\"on('ex1','any',function(t) seen = t.time end) cfg_read('ex1', 4)\"]"),
           "null");
    trace_digest_hex(b.digest, first);
    uint64_t end = machine_sim(b.machine)->now_ps;
    bench_close(&b);
    ck_assert_uint_eq(log.orders->len, 4);

    bench_open(&b, &(struct sim_input_log){.next = next, .opaque = &log});
    trace_digest_hex(b.digest, idle);
    bench_send(&b, "", 0, end - machine_sim(b.machine)->now_ps);
    trace_digest_hex(b.digest, second);
    bench_close(&b);
    ck_assert_str_eq(first, second);
    ck_assert_str_ne(first, idle);
    g_ptr_array_unref(log.orders);
    g_array_unref(log.times);
}
END_TEST

/* Orders of a damaged recording. */
START_TEST(bad_orders)
{
    static const char *const orders[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"call\":0,\"word\":\"now\"}",
        "{\"call\":1,\"word\":3}",
        "{\"call\":\"1\",\"word\":\"now\"}",
        "{\"call\":1,\"word\":\"_G\"}",
        "{\"call\":1,\"word\":\"lua\",\"params\":{}}",
        "{\"call\":-1,\"word\":\"lua\",\"params\":[\"return 1\"]}",
        "{\"call\":1,\"word\":\"machine\",\"params\":[\"default\"]}",
        "{\"call\":1,\"word\":\"link.name\",\"params\":[\"ex0\"]}"};
    struct bench b;

    bench_open(&b, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(orders); i++)
        machine_order(b.machine, orders[i], (uint32_t)strlen(orders[i]));
    bench_send(&b, "", 0, PS_PER_MS);
    expect(&b, CALL("seed", "[]"), "\"result\":0");
    bench_close(&b);
}
END_TEST

START_TEST(events)
{
    struct bench b;

    bench_open(&b, NULL);
    ck_assert(!control_wanted(b.control, "rule"));
    expect(&b, CALL("subscribe", "[\"tlps\"]"), "-32602");
    expect(&b, CALL("subscribe", "[]"), "null");
    ck_assert(control_wanted(b.control, "rule") && !control_wanted(b.control, "tlp"));
    control_tell(b.control, "tlp", json_object_new());
    expect(&b, "", "");
    control_tell(b.control, "state", json_object_new());
    expect(&b, "", "\"method\":\"event\"");
    expect(&b, CALL("unsubscribe", "[]"), "null");
    ck_assert(!control_wanted(b.control, "rule"));
    bench_close(&b);
}
END_TEST

/* The path. */

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void expect_refused(const char *path, const char *why)
{
    struct control *control = control_new(&(struct control_host){0});
    GError *error = NULL;

    ck_assert(!control_listen(control, path, &error));
    ck_assert_msg(strstr(error->message, why) != NULL, "%s", error->message);
    g_error_free(error);
    control_free(control);
}

START_TEST(path)
{
    char *folder = g_dir_make_tmp("control-XXXXXX", NULL), *long_path = g_strnfill(200, 'x');
    char *name = g_build_filename(folder, "socket", NULL);
    struct stat st;
    struct bench b;

    expect_refused("", "1 to 103");
    expect_refused(long_path, "1 to 103");
    expect_refused("/nowhere/at/all", "No such file");
    expect_refused(folder, "is no socket");
    ck_assert(g_file_set_contents(name, "kept", -1, NULL));
    expect_refused(name, "is no socket");
    ck_assert_int_eq(g_unlink(name), 0);
    bench_open(&b, NULL);
    ck_assert(control_listen(b.control, name, NULL));
    ck_assert_int_eq(lstat(name, &st), 0);
    ck_assert(S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0600);
    expect_refused(name, "listens there already");
    bench_close(&b);
    ck_assert(lstat(name, &st) != 0);
    /* One that was killed leaves its socket; the next takes the place. */
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    g_strlcpy(address.sun_path, name, sizeof(address.sun_path));
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    bench_open(&b, NULL);
    ck_assert(control_listen(b.control, name, NULL));
    /* What somebody else put there stays. */
    ck_assert_int_eq(g_unlink(name), 0);
    ck_assert(g_file_set_contents(name, "kept", -1, NULL));
    bench_close(&b);
    ck_assert_int_eq(g_unlink(name), 0);
    g_rmdir(folder);
    g_free(name);
    g_free(long_path);
    g_free(folder);
}
END_TEST

/* A thousand of them, of which few speak and none reads; then one more that does. */
START_TEST(thousand)
{
    char *folder = g_dir_make_tmp("control-XXXXXX", NULL), answer[256] = "";
    char *name = g_build_filename(folder, "socket", NULL);
    static const char text[] = CALL("seed", "[]");
    int first = -1, fds[300];
    struct bench b;

    bench_open(&b, NULL);
    ck_assert(control_listen(b.control, name, NULL));
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 250; i++) {
            fds[i] = connect_to(name);
            if (fds[i] >= 0 && i % 3 == 0)
                ck_assert_int_ge(send(fds[i], "{\"half", 6, MSG_NOSIGNAL), -1);
            control_serve(b.control);
        }
        for (unsigned i = 0; i < 250; i++) {
            if (fds[i] >= 0)
                close(fds[i]);
        }
        control_serve(b.control);
        control_serve(b.control);
    }
    first = connect_to(name);
    ck_assert_int_ge(first, 0);
    ck_assert_int_eq(send(first, text, sizeof(text) - 1, 0), sizeof(text) - 1);
    /* It sends no more, but hears the answer. */
    shutdown(first, SHUT_WR);
    for (unsigned i = 0; i < 5; i++)
        control_serve(b.control);
    ck_assert_int_gt(recv(first, answer, sizeof(answer) - 1, MSG_DONTWAIT), 0);
    ck_assert_msg(strstr(answer, "\"result\":0") != NULL, "%s", answer);
    ck_assert_int_eq(recv(first, answer, sizeof(answer), MSG_DONTWAIT), 0);
    close(first);
    bench_close(&b);
    g_rmdir(folder);
    g_free(name);
    g_free(folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control");
    TCase *tc = tcase_create("control");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, messages);
    tcase_add_test(tc, pieces);
    tcase_add_test(tc, too_long);
    tcase_add_test(tc, never_reads);
    tcase_add_test(tc, words);
    tcase_add_test(tc, rules_and_programs);
    tcase_add_test(tc, again);
    tcase_add_test(tc, bad_orders);
    tcase_add_test(tc, events);
    tcase_add_test(tc, path);
    tcase_add_test(tc, words_one_by_one);
    tcase_add_test(tc, thousand);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);

    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
