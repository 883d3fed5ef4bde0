/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gdb's remote protocol, packet by packet. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "pcilab/base/bits.h"
#include "pcilab/platform/debug.h"

#define A_WHILE (100 * PS_PER_US)

static struct client *c;

static void setup(void)
{
    c = client_new();
}

static void teardown(void)
{
    client_free(c);
}

static void expect(const char *packet, const char *reply)
{
    client_packet(c, packet);
    char *last = client_last(c);
    ck_assert_msg(strcmp(last, reply) == 0, "%s: \"%s\" instead of \"%s\"", packet, last, reply);
    g_free(last);
}

/* The machine is let go, and stops. */
static void expect_stop(const char *packet, const char *reply)
{
    client_packet(c, packet);
    client_clear(c);
    ck_assert(gdb_runs(c->gdb));
    client_run(c, A_WHILE);
    ck_assert(!gdb_runs(c->gdb));
    char *last = client_last(c);
    ck_assert_str_eq(last, reply);
    g_free(last);
}

static void monitor(const char *command, const char *says)
{
    GString *packet = g_string_new("qRcmd,");

    for (const char *at = command; *at; at++) {
        g_string_append_printf(packet, "%02x", (unsigned char)*at);
    }
    expect(packet->str, "OK");
    char *said = client_said(c);
    ck_assert_msg(strstr(said, says) != NULL, "%s: %s", command, said);
    g_free(said);
    g_string_free(packet, TRUE);
}

static uint64_t rip(void)
{
    struct cpu_state state;

    cpu_get_state(machine_debug_cpu(c->machine, 0), &state);
    return state.rip - CLIENT_CODE;
}

/* ---- Frames ---- */

START_TEST(test_frames)
{
    client_bytes(c, "junk$g#00", 9); /* a wrong sum */
    ck_assert_str_eq(c->raw->str, "-");
    client_clear(c);
    client_bytes(c, "$qC#b4", 6);
    ck_assert_str_eq(c->raw->str, "+$QC1#c5");
    client_clear(c);
    client_bytes(c, "-", 1);
    ck_assert_str_eq(c->raw->str, "$QC1#c5");
    expect("QStartNoAckMode", "OK");
    ck_assert(c->raw->str[0] == '+'); /* the last one */
    expect("qC", "QC1");
    ck_assert(c->raw->str[0] == '$');
}
END_TEST

START_TEST(test_too_long)
{
    char *packet = g_malloc(GDB_PACKET_BYTES + 100);

    memset(packet, 'm', GDB_PACKET_BYTES + 99);
    packet[GDB_PACKET_BYTES + 99] = '\0';
    expect(packet, "E07");
    expect("qC", "QC1");
    g_free(packet);
}
END_TEST

START_TEST(test_unknown)
{
    expect("!", "");
    expect("qOffsets", "");
    expect("vMustReplyEmpty", "");
    expect("Z9,0,1", "");
}
END_TEST

/* ---- What there is ---- */

START_TEST(test_description)
{
    GString *xml = g_string_new(NULL);
    bool more = true;

    client_packet(c, "qSupported:xmlRegisters=i386");
    ck_assert(strstr(c->raw->str, "qXfer:features:read+"));
    while (more) {
        char *ask = g_strdup_printf("qXfer:features:read:target.xml:%zx,100", xml->len);
        client_packet(c, ask);
        char *piece = client_last(c);
        ck_assert(piece[0] == 'm' || piece[0] == 'l');
        more = piece[0] == 'm';
        g_string_append(xml, piece + 1);
        g_free(piece);
        g_free(ask);
    }
    ck_assert(g_str_has_suffix(xml->str, "</target>\n"));
    ck_assert(strstr(xml->str, "<reg name=\"rip\" bitsize=\"64\" type=\"code_ptr\"/>"));
    ck_assert(strstr(xml->str, "org.gnu.gdb.i386.sse"));
    g_string_free(xml, TRUE);
    expect("qXfer:features:read:target.xml:10000,10", "l");
    expect("qXfer:features:read:target.xml:zz", "E01");
}
END_TEST

START_TEST(test_threads)
{
    expect("qfThreadInfo", "m1,2");
    expect("qsThreadInfo", "l");
    expect("T2", "OK");
    expect("T3", "E01");
    expect("T0", "E01");
    expect("Hg2", "OK");
    expect("qC", "QC2");
    expect("Hg-1", "OK");
    expect("Hx1", "E01");
    expect("H", "E01");
    expect("Hg9", "E01");
    expect("?", "T05thread:2;");
    client_packet(c, "qThreadExtraInfo,2");
    char *hex = client_last(c);
    ck_assert_uint_eq(strlen(hex), 2 * strlen("processor 1, halted"));
    g_free(hex);
    expect("qThreadExtraInfo,7", "E01");
}
END_TEST

/* ---- Registers and memory ---- */

START_TEST(test_registers)
{
    expect("p10", "0000100000000000"); /* RIP */
    expect("P0=8877665544332211", "OK");
    expect("p0", "8877665544332211");
    expect("p1000", "E01");
    expect("P0=88", "E01");
    expect("P", "E01");
    client_packet(c, "g");
    char *all = client_last(c);
    ck_assert(g_str_has_prefix(all, "8877665544332211"));
    ck_assert(strncmp(all + 16 * 16, "0000100000000000", 16) == 0);
    /* What was read can be written, with another RAX. */
    memcpy(all, "0100000000000000", 16);
    char *set = g_strconcat("G", all, NULL);
    expect(set, "OK");
    client_packet(c, "g");
    char *again = client_last(c);
    ck_assert_str_eq(all, again);
    set[strlen(set) - 2] = '\0';
    expect(set, "E01");
    g_free(set);
    g_free(again);
    g_free(all);
}
END_TEST

START_TEST(test_memory)
{
    expect("m100000,5", "b800000000");
    expect("M1ffffe,4:01020304", "OK"); /* across pages */
    expect("m1fffff,2", "0203");
    expect("X200000,3:\x01}\x03}\x5d", "OK");
    expect("m200000,3", "01237d");
    expect("X200000,3:ab", "E01");
    expect("M200000,2:0", "E01");
    expect("m7ffff8,10", "0000000000000000"); /* the last of it */
    expect("m800000,4", "E0e");
    expect("M800000,1:00", "E0e");
    expect("m1,0", "");
    expect("m", "E01");
    expect("m100000", "E01");
    expect("mffffffffffffffff,ffffffffffffffff", "E0e");
}
END_TEST

START_TEST(test_code_written)
{
    char at[64];

    /* The program runs once, then with another end. */
    g_snprintf(at, sizeof(at), "Z0,%x,1", CLIENT_CODE + CLIENT_CMP);
    expect(at, "OK");
    expect_stop("c", "T05thread:1;");
    expect("M10000c,1:01", "OK"); /* cmp eax, 1 */
    g_snprintf(at, sizeof(at), "Z0,%x,1", CLIENT_CODE + CLIENT_HALT);
    expect(at, "OK");
    expect_stop("c", "T05thread:1;");
    ck_assert_uint_eq(rip(), CLIENT_HALT);
}
END_TEST

/* ---- Running ---- */

START_TEST(test_breakpoint)
{
    char add[64], remove[64];

    g_snprintf(add, sizeof(add), "Z0,%x,1", CLIENT_CODE + CLIENT_INC);
    g_snprintf(remove, sizeof(remove), "z0,%x,1", CLIENT_CODE + CLIENT_INC);
    expect(add, "OK");
    for (unsigned i = 0; i < 5; i++) {
        expect_stop(i & 1 ? "c" : "vCont;c", "T05thread:1;");
        ck_assert_uint_eq(rip(), CLIENT_INC);
    }
    expect(remove, "OK");
    expect(remove, "E01");
    client_packet(c, "c");
    client_run(c, A_WHILE);
    ck_assert(gdb_runs(c->gdb));
    ck_assert_uint_eq(rip(), CLIENT_HALT + 1);
    ck_assert_uint_eq(machine_retired(c->machine), 1 + 4 * 5 + 1);
}
END_TEST

START_TEST(test_watchpoints)
{
    expect("Z2,200000,4", "OK");
    expect_stop("c", "T05thread:1;watch:200000;");
    ck_assert_uint_eq(rip(), CLIENT_CMP);
    expect("z2,200000,4", "OK");
    expect("Z4,200002,1", "OK");
    expect_stop("c", "T05thread:1;awatch:200002;");
    expect("z4,200002,1", "OK");
    expect("Z3,200000,8", "OK");
    expect("Z2,200000,0", "E01");
    client_packet(c, "c");
    client_run(c, A_WHILE);
    ck_assert(gdb_runs(c->gdb));
}
END_TEST

START_TEST(test_steps)
{
    static const unsigned places[] = {CLIENT_INC, CLIENT_STORE, CLIENT_CMP, 16, CLIENT_INC};
    static const char *const how[] = {"s", "vCont;s:1;c", "vCont;c:2;s", "S05", "vCont;S05:1"};

    for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
        expect_stop(how[i], "T05thread:1;");
        ck_assert_uint_eq(rip(), places[i]);
    }
    expect_stop("s100012", "T05thread:1;"); /* over the HLT: there it waits */
    ck_assert_uint_eq(rip(), CLIENT_HALT + 1);
    expect("vCont;x", "E01");
    expect("vCont;", "E01");
    expect("vCont;s:9", "E01");
    expect("vCont?", "vCont;c;C;s;S");
}
END_TEST

START_TEST(test_interrupt)
{
    client_packet(c, "c");
    client_clear(c);
    client_bytes(c, "\x03", 1);
    ck_assert(!gdb_runs(c->gdb));
    char *last = client_last(c);
    ck_assert_str_eq(last, "T02thread:1;");
    g_free(last);
    client_clear(c);
    client_bytes(c, "\x03", 1); /* nothing runs */
    ck_assert_str_eq(c->raw->str, "");
    /* Packets while it runs go by. */
    client_packet(c, "c");
    client_packet(c, "g");
    ck_assert_str_eq(c->raw->str, "+");
}
END_TEST

START_TEST(test_detach)
{
    expect("Z0,100005,1", "OK");
    monitor("break tlp", "break 1");
    expect("D", "OK");
    ck_assert(gdb_detached(c->gdb));
    gdb_gone(c->gdb);
    ck_assert(gdb_runs(c->gdb));
    client_run(c, A_WHILE);
    ck_assert_uint_eq(rip(), CLIENT_HALT + 1);
    gdb_connected(c->gdb);
    monitor("breaks", "no breaks");
}
END_TEST

START_TEST(test_ends)
{
    expect("vKill;1", "OK");
    ck_assert(gdb_killed(c->gdb));
    client_clear(c);
    gdb_ended(c->gdb, 3);
    char *last = client_last(c);
    ck_assert_str_eq(last, "W03");
    g_free(last);
}
END_TEST

START_TEST(test_monitor)
{
    monitor("", "monitor break KIND");
    monitor("nonsense", "monitor time");
    monitor("time", "0 ps, 0 instructions");
    monitor("page 0x100000", "at physical 0x100000");
    monitor("page zz", "page ADDRESS");
    monitor("physical on", "physical");
    monitor("physical off", "virtual");
    monitor("inspect  links  --json", "<links --json>");
    monitor("break", "Kinds:");
    monitor("break thing", "Kinds:");
    monitor("break irq 0x20", "break 1");
    monitor("break tlp a  b", "break 2");
    monitor("breaks", "1: irq 0x20, hit 0 times\n2: tlp a b, hit 0 times");
    monitor("delete 1", "");
    monitor("delete 1", "no break 1");
    monitor("delete x", "NUMBER");
    monitor("breaks", "2: tlp");
    for (unsigned i = 0; i < 31; i++) {
        monitor("break fault", "break ");
    }
    monitor("break fault", "32 breaks already");
}
END_TEST

START_TEST(test_event)
{
    monitor("break state button board", "break 1");
    client_packet(c, "c");
    client_clear(c);
    machine_hand(c->machine, MACHINE_HAND_NMI);
    client_run(c, A_WHILE);
    char *last = client_last(c), *said = client_said(c);
    ck_assert_str_eq(last, "T05thread:1;");
    ck_assert_msg(g_str_has_prefix(said, "break 1, state at "), "%s", said);
    ck_assert_msg(g_str_has_suffix(said, " ps: board NMI button\n"), "%s", said);
    g_free(said);
    g_free(last);
    monitor("breaks", "hit 1 times");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        test_frames,     test_too_long,    test_unknown, test_description,
        test_threads,    test_registers,   test_memory,  test_code_written,
        test_breakpoint, test_watchpoints, test_steps,   test_interrupt,
        test_detach,     test_ends,        test_monitor, test_event,
    };
    Suite *suite = suite_create("gdb");
    TCase *tcase = tcase_create("session");

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
