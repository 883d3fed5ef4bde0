/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The procedures of fields: each kind passes on a right register and fails on every wrong one. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

#define P CONFORM_PASS
#define F CONFORM_FAIL
#define N CONFORM_NOT_APPLICABLE

struct field_case {
    const char *what;
    uint8_t kind, flags;
    struct device_masks masks;
    uint32_t now;
    enum conform_outcome safe, destructive;
};

/* The field is bits 11:4, of which 5ah is what it reads as or is reset to where that counts. */
#define MASK  0x0ff0u
#define VALUE 0x05a0u
/* What else is in the register. */
#define REST 0x30030003u

static const struct field_case access_cases[] = {
    {"read-only", F_RO, 0, {0}, VALUE, N, P},
    {"a bit of it can be written", F_RO, 0, {.rw = 0x100}, VALUE, N, F},
    {"all of it can be written", F_RO, 0, {.rw = MASK}, VALUE, N, F},
    {"a bit of it is cleared by a 1", F_RO, 0, {.rw1c = 0x100}, VALUE, N, F},
    {"fixed", F_VALUE, 0, {0}, VALUE, P, P},
    {"another value", F_VALUE, 0, {0}, VALUE ^ 0x10, F, F},
    {"the value, but writable", F_VALUE, 0, {.rw = 0x800}, VALUE, P, F},
    {"reserved", F_RSVD, 0, {0}, 0, P, P},
    {"reserved and 1", F_RSVD, 0, {0}, 0x800, F, F},
    {"reserved and writable", F_RSVD, 0, {.rw = 0x10}, 0, P, F},
    {"zero", F_ZERO, 0, {0}, 0, P, P},
    {"zero that is 1", F_ZERO, 0, {0}, 0x10, F, F},
    {"zero that is writable", F_ZERO, 0, {.rw = 0x10}, 0, P, F},
    {"read-write", F_RW, 0, {.rw = MASK}, VALUE, N, P},
    {"a bit is stuck at 0", F_RW, 0, {.rw = MASK & ~0x10u}, 0, N, F},
    {"a bit is stuck at 1", F_RW, 0, {.rw = MASK & ~0x10u}, 0x10, N, F},
    {"nothing can be written", F_RW, 0, {0}, VALUE, N, F},
    {"it is zero for ever", F_RW, 0, {0}, 0, N, F},
    {"optional, there", F_RW_OR_0, 0, {.rw = MASK}, VALUE, N, P},
    {"optional, not there", F_RW_OR_0, 0, {0}, 0, N, P},
    {"optional, half there", F_RW_OR_0, 0, {.rw = 0x0f0}, 0, N, F},
    {"optional, not 0", F_RW_OR_0, 0, {0}, 0x10, N, F},
    {"cleared by a 1", F_RW1C, 0, {.rw1c = MASK}, VALUE, N, P},
    {"cleared by a 1, and 0 now", F_RW1C, 0, {.rw1c = MASK}, 0, N, P},
    {"cleared by a 0", F_RW1C, 0, {.rw = MASK}, VALUE, N, F},
    {"cleared by nothing", F_RW1C, 0, {0}, VALUE, N, F},
    {"all but one bit is cleared", F_RW1C, 0, {.rw1c = MASK & ~0x80u}, VALUE, N, F},
    {"reads as 0", F_READS_0, 0, {0}, 0, P, P},
    {"reads as what was written", F_READS_0, 0, {.rw = MASK}, 0x10, F, F},
    {"two values", F_RW, F_COUNTS, {.rw = MASK}, 0, N, P},
    {"the second is not taken", F_RW, F_COUNTS, {.rw = MASK & ~0x200u}, 0, N, F},
    {"the first is not taken", F_RW, F_COUNTS, {.rw = MASK & ~0x020u}, 0, N, F},
};

/* In a reset the field becomes masks.reset, but for what is sticky. */
static const struct field_case reset_cases[] = {
    {"right", F_RW, F_RESET, {.rw = MASK, .reset = VALUE | REST}, 0, N, P},
    {"other", F_RW, F_RESET, {.rw = MASK, .reset = (VALUE ^ 0x10) | REST}, VALUE, N, F},
    {"kept", F_RW, F_RESET, {.rw = MASK, .sticky = MASK, .reset = VALUE}, VALUE ^ MASK, N, F},
    {"a bit is kept", F_RW, F_RESET, {.rw = MASK, .sticky = 0x80, .reset = VALUE}, 0, N, F},
    {"read-only, right", F_RO, F_RESET, {.reset = VALUE}, VALUE, N, P},
    {"read-only, other", F_RO, F_RESET, {.reset = 0}, VALUE, N, F},
    {"sticky", F_RW, F_STICKY, {.rw = MASK, .sticky = MASK}, VALUE, N, P},
    {"not sticky", F_RW, F_STICKY, {.rw = MASK, .reset = 0}, VALUE, N, F},
    {"a bit is not", F_RW, F_STICKY, {.rw = MASK, .sticky = MASK & ~0x80u}, VALUE, N, F},
};

struct tried {
    GPtrArray *assertions;
    struct conform_report *report;
    struct device device;
};

static void free_expanded(void *data)
{
    struct expanded *e = data;

    g_free((char *)e->assertion.id);
    g_free((char *)e->assertion.requirement);
    g_free(e);
}

/* The neighbour is RW1C and set: what writes beside it must leave it alone. */
static void try_case(struct tried *tried, const struct field_case *c, bool destructive)
{
    const struct conform_filter filter = {.destructive = destructive};
    const struct conform_field rows[] = {{.id = "t.field",
                                          .reg = "Register",
                                          .name = "Field",
                                          .section = "1.1",
                                          .offset = 4,
                                          .width = 4,
                                          .kind = c->kind,
                                          .flags = c->flags,
                                          .mask = MASK,
                                          .reset = VALUE,
                                          .a = 0x0020,
                                          .b = 0x0200},
                                         {.id = "t.neighbour",
                                          .reg = "Register",
                                          .name = "Neighbour",
                                          .section = "1.1",
                                          .offset = 4,
                                          .width = 4,
                                          .kind = F_RW1C,
                                          .mask = 0x30000000}};
    const struct field_table table = {
        .group = "t", .place = PLACE_CAP, .cap = 9, .fields = rows, .count = 2};
    struct device_masks masks = c->masks;

    masks.rw1c |= 0x30000000;
    device_init(&tried->device, &masks, c->now | REST);
    tried->assertions = g_ptr_array_new_with_free_func(free_expanded);
    fields_expand(&table, tried->assertions);
    g_ptr_array_remove_index(tried->assertions, tried->assertions->len - 1);
    tried->report = conform_run(&tried->device.backend, tried->assertions, &filter, "a register");
}

static void forget(struct tried *tried)
{
    conform_report_free(tried->report);
    g_ptr_array_unref(tried->assertions);
}

static const struct conform_result *result(const struct tried *tried, const char *id)
{
    for (unsigned i = 0; i < tried->report->results->len; i++) {
        const struct conform_result *r =
            &g_array_index(tried->report->results, struct conform_result, i);

        if (strcmp(r->assertion->id, id) == 0)
            return r;
    }
    ck_abort_msg("there is no %s", id);
}

static void check_outcome(const struct tried *tried, const char *id, enum conform_outcome want,
                          const struct field_case *c)
{
    const struct conform_result *r = result(tried, id);

    ck_assert_msg(r->outcome == want, "%s (%s): outcome %d, not %d: %s", c->what, id, r->outcome,
                  want, r->note ? r->note : "");
    ck_assert_msg((r->note != NULL) == (want != P), "%s: a note says why and nothing else",
                  c->what);
}

START_TEST(test_access)
{
    const struct field_case *c = &access_cases[_i];
    struct tried tried;

    try_case(&tried, c, true);
    ck_assert_uint_eq(tried.assertions->len, 1);
    check_outcome(&tried, "t.field", c->destructive, c);
    ck_assert_msg((device_register(&tried.device) & REST) == REST,
                  "%s: what stands beside the field is %08x", c->what,
                  device_register(&tried.device));
    if (c->kind != F_RW1C && !c->masks.rw1c)
        ck_assert_msg((device_register(&tried.device) & MASK) == c->now, "%s: %08x was left behind",
                      c->what, device_register(&tried.device));
    forget(&tried);
}
END_TEST

/* Without leave to write nothing changes, whatever the register is like. */
START_TEST(test_safe)
{
    const struct field_case *c = &access_cases[_i];
    struct tried tried;

    try_case(&tried, c, false);
    check_outcome(&tried, "t.field", c->safe, c);
    ck_assert_uint_eq(device_register(&tried.device), c->now | REST);
    ck_assert_uint_eq(tried.device.resets, 0);
    forget(&tried);
}
END_TEST

START_TEST(test_reset)
{
    const struct field_case *c = &reset_cases[_i];
    const char *id = c->flags & F_STICKY ? "t.field.sticky" : "t.field.reset";
    struct tried tried;

    try_case(&tried, c, true);
    check_outcome(&tried, id, c->destructive, c);
    ck_assert_uint_eq(tried.device.resets, 1);
    forget(&tried);
    try_case(&tried, c, false);
    check_outcome(&tried, id, N, c);
    ck_assert_uint_eq(tried.device.resets, 0);
    forget(&tried);
}
END_TEST

/* Status that hardware changes on its own is not written; what is not there is not judged. */
START_TEST(test_not_there)
{
    const struct field_case level = {"level", F_LEVEL, 0, {0}, VALUE, N, N};
    const struct conform_filter filter = {.destructive = true};
    struct conform_field row = {.id = "t.if",
                                .reg = "R",
                                .name = "F",
                                .section = "1",
                                .offset = 4,
                                .width = 4,
                                .kind = F_RW,
                                .mask = MASK,
                                .if_offset = 4,
                                .if_mask = 0x0f000000};
    struct field_table table = {
        .group = "t", .place = PLACE_CAP, .cap = 9, .fields = &row, .count = 1};
    struct tried tried;

    try_case(&tried, &level, true);
    ck_assert_uint_eq(tried.assertions->len, 0);
    forget(&tried);
    for (unsigned i = 0; i < 5; i++) {
        bool judged = i == 1;

        row.unless = i == 1 || i == 4;
        row.locked = i == 4 ? REST : 0;   /* in use */
        table.cap = i == 2 ? 5 : 9;       /* a capability that the device has not */
        row.types = i == 3 ? TYPE_RP : 0; /* a type that it is not of */
        device_init(&tried.device, &(struct device_masks){0}, REST);
        tried.assertions = g_ptr_array_new_with_free_func(free_expanded);
        fields_expand(&table, tried.assertions);
        tried.report = conform_run(&tried.device.backend, tried.assertions, &filter, "none");
        ck_assert_int_eq(result(&tried, "t.if")->outcome, judged ? F : N);
        forget(&tried);
    }
}
END_TEST

/* Fields of the suite's own are moved away from their reset values first: a reset that does nothing
 * to the header, as here, is noticed although the header was never used. */
START_TEST(test_programmed)
{
    const struct conform_filter filter = {.id = "header", .destructive = true};
    GPtrArray *all = conform_assertions();
    static const char *const writable[] = {"header.command.memory.reset",
                                           "header.command.bus_master.reset"};
    struct tried tried = {0};

    device_init(&tried.device, &(struct device_masks){0}, 0);
    tried.report = conform_run(&tried.device.backend, all, &filter, "no reset");
    ck_assert_uint_eq(tried.device.resets, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(writable); i++)
        ck_assert_msg(result(&tried, writable[i])->outcome == F, "%s: %s", writable[i],
                      result(&tried, writable[i])->note);
    conform_report_free(tried.report);
    g_ptr_array_unref(all);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conform-field");
    TCase *tcase = tcase_create("field");

    tcase_add_loop_test(tcase, test_access, 0, G_N_ELEMENTS(access_cases));
    tcase_add_loop_test(tcase, test_safe, 0, G_N_ELEMENTS(access_cases));
    tcase_add_loop_test(tcase, test_reset, 0, G_N_ELEMENTS(reset_cases));
    tcase_add_test(tcase, test_not_there);
    tcase_add_test(tcase, test_programmed);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
