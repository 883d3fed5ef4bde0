/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pcilab/base/bits.h"
#include "pcilab/trace/output.h"
#include "pcilab/trace/points.h"
#include "pcilab/trace/trace.h"

#include <check.h>
#include <errno.h>
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

/* What a sink of this format made of `say`; free() it. */
static char *written(enum trace_format format, const char *what, uint64_t from_ps, uint64_t to_ps,
                     void (*say)(struct trace *trace, uint64_t *now_ps), size_t *len)
{
    uint64_t now_ps = 1000000000007ULL;
    struct trace trace = {.now_ps = &now_ps};
    char *buffer = NULL, *error;
    FILE *out = open_memstream(&buffer, len);
    struct trace_select *select = trace_select_parse(what, &error);
    struct trace_output_params params = {
        .format = format, .out = out, .select = select, .render_tlp = render};
    struct trace_output *output;

    ck_assert_ptr_nonnull(select);
    trace_select_set_span(select, from_ps, to_ps);
    output = trace_output_new(&trace, &params);
    say(&trace, &now_ps);
    ck_assert_int_eq(trace_output_free(output), 0);
    ck_assert_uint_eq(trace.kinds, 0);
    trace_select_free(select);
    fclose(out);
    return buffer;
}

static void say_all(struct trace *trace, uint64_t *now_ps)
{
    emit(trace, TRACE_TLP, "sw0.1", "abc", "");
    emit(trace, TRACE_CONSOLE, "uart", "\1x", "");
    emit(trace, TRACE_IRQ, "lapic", "\1\x31", "");
    trace_say(trace, TRACE_RULE, "rp0", "length %d\n[x]", 5);
    trace_say(trace, TRACE_STATE, "rp0", "latch open");
    trace_say(trace, TRACE_LINK, "rp0", "link up");
    ++*now_ps;
    trace_hit(trace, TRACE_DLLP_NAK, "rp0", 12, 1);
    trace_hit(trace, TRACE_DLLP_ACK, "sw01", 4095, 0);
    trace_hit(trace, TRACE_IOMMU_FAULT, "iommu0", 0x0500, TRACE_NO_PASID, 0x12345000, 1, 0);
    trace_hit(trace, TRACE_IOMMU_FAULT, "iommu0", 0x0500, 7, 0x12345000, 2, 99);
    trace_hit_at(trace, TRACE_CPU_EXCEPTION, "cpu1", 5, 14, 2, 0xffffffff81000000, 8, 0);
}

START_TEST(test_text_lines)
{
    size_t len;
    char *text = written(TRACE_TEXT, "all", 0, UINT64_MAX, say_all, &len);

    ck_assert_str_eq(text,
                     "# pcilab trace 1\n"
                     "[    1.000000000007] sw0.1: tlp TLP of 3\n"
                     "[    1.000000000007] uart: console in 0x78 'x'\n"
                     "[    1.000000000007] lapic: irq cpu 1 vector 0x31\n"
                     "[    1.000000000007] rp0: rule length 5?[x]\n"
                     "[    1.000000000007] rp0: state latch open\n"
                     "[    1.000000000007] rp0: link link up\n"
                     "[    1.000000000008] rp0: dllp Nak seq 12 corrupted\n"
                     "[    1.000000000008] sw01: dllp Ack seq 4095\n"
                     "[    1.000000000008] iommu0: iommu fault 05:00.0 iova 0x12345000 r tables\n"
                     "[    1.000000000008] iommu0: iommu fault 05:00.0 pasid 0x7 iova 0x12345000 w "
                     "in 99\n"
                     "[    0.000000000005] cpu1: cpu exception #PF error 0x2 rip "
                     "0xffffffff81000000 cr2 0x8 cpl 0\n");
    free(text);
}
END_TEST

START_TEST(test_selection)
{
    static const struct {
        const char *what, *found;
    } cases[] = {
        {"tlp:sw0", "[    1.000000000007] sw0.1: tlp TLP of 3\n"},
        {"tlp:sw0.1,irq:rp0", "[    1.000000000007] sw0.1: tlp TLP of 3\n"},
        {"tlp:sw0.2,dllp:sw0", ""},
        {"link:rp0", "[    1.000000000007] rp0: link link up\n"
                     "[    1.000000000008] rp0: dllp Nak seq 12 corrupted\n"},
        {"state", "[    1.000000000007] rp0: state latch open\n"
                  "[    1.000000000007] rp0: link link up\n"},
        {"irq,irq:rp0", "[    1.000000000007] lapic: irq cpu 1 vector 0x31\n"},
    };
    size_t len;
    char *text;

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        text = written(TRACE_TEXT, cases[i].what, 0, UINT64_MAX, say_all, &len);
        ck_assert_str_eq(text + strlen("# pcilab trace 1\n"), cases[i].found);
        free(text);
    }
    text = written(TRACE_TEXT, "dllp", 1000000000008, 1000000000009, say_all, &len);
    ck_assert_ptr_nonnull(strstr(text, "Nak"));
    free(text);
    text = written(TRACE_TEXT, "dllp", 1000000000007, 1000000000008, say_all, &len);
    ck_assert_str_eq(text, "# pcilab trace 1\n");
    free(text);
}
END_TEST

START_TEST(test_selection_errors)
{
    static const char *const wrong[] = {"", "x", "tlp,", "tlp:", "tlp,,irq", ":sw0", "tlp sw0"};

    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        char *error = NULL;

        ck_assert_ptr_null(trace_select_parse(wrong[i], &error));
        ck_assert_ptr_nonnull(error);
        free(error);
    }
}
END_TEST

START_TEST(test_where_a_tlp_goes_counts_too)
{
    char *error;
    struct trace_select *select = trace_select_parse("tlp:ex1", &error);
    struct trace_event event = {.kind = TRACE_TLP, .where = "sw0.1", .to = "ex1"};

    ck_assert(trace_select_wants(select, &event));
    event.to = "ex10";
    ck_assert(!trace_select_wants(select, &event));
    event.to = NULL;
    ck_assert(!trace_select_wants(select, &event));
    ck_assert_str_eq(trace_select_component(select, 0), "ex1");
    ck_assert_ptr_null(trace_select_component(select, 1));
    trace_select_free(select);
}
END_TEST

/* Every point has a name, and its words are whole whatever its arguments are. */
START_TEST(test_points)
{
    unsigned count = 0;

    for (unsigned point = 0; point < TRACE_KIND_COUNT << 8; point++) {
        struct trace_event event = {.kind = TRACE_KIND_OF(point), .point = (uint16_t)point};
        char words[256], small[5];

        if (!trace_point_find(point))
            continue;
        count++;
        ck_assert_uint_ge(event.kind, TRACE_DLLP);
        memset(event.arg, 0xff, sizeof(event.arg));
        trace_point_words(&event, words, sizeof(words));
        ck_assert_uint_lt(strlen(words), sizeof(words) - 1);
        trace_point_words(&event, small, sizeof(small));
        ck_assert_int_eq(strncmp(small, words, 4), 0);
    }
    ck_assert_uint_eq(count, 22);
    ck_assert_ptr_null(trace_point_find(TRACE_KIND_COUNT << 8));
}
END_TEST

/* A full disk: the first error counts, and nothing comes after it. */
START_TEST(test_full_disk)
{
    static const enum trace_format formats[] = {TRACE_TEXT, TRACE_PCAPNG, TRACE_JSON};

    for (unsigned i = 0; i < ARRAY_LEN(formats); i++) {
        uint64_t now_ps = 1;
        struct trace trace = {.now_ps = &now_ps};
        FILE *out = fopen("/dev/full", "w");
        char *error;
        struct trace_select *select = trace_select_parse("all", &error);
        struct trace_output_params params = {
            .format = formats[i], .out = out, .select = select, .render_tlp = render};
        struct trace_output *output = trace_output_new(&trace, &params);

        for (unsigned n = 0; n < 1000; n++) {
            say_all(&trace, &now_ps);
        }
        ck_assert_int_eq(trace_output_free(output), ENOSPC);
        trace_select_free(select);
        fclose(out);
    }
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
    tcase_add_test(tc, test_selection);
    tcase_add_test(tc, test_selection_errors);
    tcase_add_test(tc, test_where_a_tlp_goes_counts_too);
    tcase_add_test(tc, test_points);
    tcase_add_test(tc, test_full_disk);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
