/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pcilab/base/bits.h"
#include "pcilab/trace/trace.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void emit(struct trace *trace, enum trace_kind kind, const char *where, const char *head,
                 const char *body)
{
    struct trace_event event = {
        .kind = kind,
        .where = where,
        .head = (const uint8_t *)head,
        .head_len = strlen(head),
        .body = (const uint8_t *)body,
        .body_len = strlen(body),
    };

    trace_emit(trace, &event);
}

/* The digest of one event. */
static void digest_of(uint64_t now_ps, enum trace_kind kind, const char *where, const char *head,
                      const char *body, char out[65])
{
    struct trace trace = {.now_ps = &now_ps};
    struct trace_digest *d = trace_digest_new(&trace);

    emit(&trace, kind, where, head, body);
    trace_digest_hex(d, out);
    trace_digest_free(d);
    ck_assert_uint_eq(trace.kinds, 0);
}

START_TEST(test_digest_depends_on_everything)
{
    char base[65], other[65];

    digest_of(7, TRACE_TLP, "rp0", "ab", "cd", base);
    digest_of(7, TRACE_TLP, "rp0", "ab", "cd", other);
    ck_assert_str_eq(base, other);
    ck_assert_uint_eq(strlen(base), 64);
    digest_of(8, TRACE_TLP, "rp0", "ab", "cd", other);
    ck_assert_str_ne(base, other);
    digest_of(7, TRACE_IRQ, "rp0", "ab", "cd", other);
    ck_assert_str_ne(base, other);
    digest_of(7, TRACE_TLP, "rp1", "ab", "cd", other);
    ck_assert_str_ne(base, other);
    digest_of(7, TRACE_TLP, "rp0", "abc", "d", other);
    ck_assert_str_ne(base, other);
    digest_of(7, TRACE_TLP, "rp0", "ab", "ce", other);
    ck_assert_str_ne(base, other);
    /* Words are not part of it. */
    digest_of(7, TRACE_RULE, "rp0", "ab", "cd", base);
    digest_of(8, TRACE_STATE, "rp1", "x", "", other);
    ck_assert_str_eq(base, other);
}
END_TEST

START_TEST(test_digest_known_value)
{
    /* sha256 of the record that digest.c documents, computed by hand with sha256sum:
     * printf '\x07\0\0\0\0\0\0\0\0\x03\x02\0\x02\0\0\0rp0abcd' | sha256sum */
    char hex[65];

    digest_of(7, TRACE_TLP, "rp0", "ab", "cd", hex);
    ck_assert_str_eq(hex, "9157318c2ddaa1ea822453e2f83f91bc878f22fe1153949d6a8bb5faf6468642");
}
END_TEST

START_TEST(test_digest_streams_across_its_buffer)
{
    uint64_t now_ps = 0;
    struct trace trace = {.now_ps = &now_ps};
    struct trace_digest *a = trace_digest_new(&trace);
    struct trace_digest *b = trace_digest_new(&trace);
    char ha[65], hb[65];

    for (unsigned i = 0; i < 20000; i++) {
        now_ps += 3;
        emit(&trace, TRACE_TLP, "rp0", "0123456789abcdef", "payload");
        if (i % 1000 == 0) {
            trace_digest_hex(a, ha); /* looking does not disturb */
        }
    }
    trace_digest_hex(a, ha);
    trace_digest_hex(b, hb);
    ck_assert_str_eq(ha, hb);
    trace_digest_free(a);
    ck_assert(trace_on(&trace, TRACE_TLP));
    trace_digest_free(b);
    ck_assert(!trace_on(&trace, TRACE_TLP));
}
END_TEST

static void render(const struct trace_event *event, char *out, size_t out_len)
{
    snprintf(out, out_len, "TLP of %zu", event->head_len);
}

START_TEST(test_text_lines)
{
    uint64_t now_ps = 1000000000007ULL;
    struct trace trace = {.now_ps = &now_ps};
    char *buffer = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&buffer, &len);
    struct trace_text *t =
        trace_text_new(&trace, out, BIT(TRACE_TLP) | BIT(TRACE_RULE) | BIT(TRACE_IRQ), render);

    emit(&trace, TRACE_TLP, "sw0.1", "abc", "");
    emit(&trace, TRACE_CONSOLE, "uart", "\1x", "");
    emit(&trace, TRACE_IRQ, "lapic", "\1\x31", "");
    trace_say(&trace, TRACE_RULE, "rp0", "length %d", 5);
    trace_say(&trace, TRACE_STATE, "rp0", "unheard");
    trace_text_free(t);
    fclose(out);
    ck_assert_str_eq(buffer, "    1.000000000007 sw0.1    tlp     TLP of 3\n"
                             "    1.000000000007 lapic    irq     cpu 1 vector 0x31\n"
                             "    1.000000000007 rp0      rule    length 5\n");
    free(buffer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trace");
    TCase *tc = tcase_create("trace");
    SRunner *runner;
    int failed;

    tcase_add_test(tc, test_digest_depends_on_everything);
    tcase_add_test(tc, test_digest_known_value);
    tcase_add_test(tc, test_digest_streams_across_its_buffer);
    tcase_add_test(tc, test_text_lines);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
