/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors of the accelerator: what they do, how they fail, batches, page faults. */
#include <check.h>
#include <string.h>

#include "accel.h"

static struct accel a;

static void setup(void)
{
    accel_open(&a, 8, 2);
    accel_start(&a);
    for (unsigned i = 0; i < 0x100000; i++)
        a.mock->ram[ACCEL_FROM + i] = (uint8_t)(i * 7 ^ i >> 8);
}

static void teardown(void)
{
    accel_close(&a);
}

static unsigned status_of(struct accel_desc desc)
{
    return accel_do(&a, &desc, 0)[0];
}

static struct accel_desc with_flags(struct accel_desc desc, uint32_t flags)
{
    accel_set_flags(&desc, accel_flags(&desc) | flags);
    return desc;
}

START_TEST(moves)
{
    uint8_t *ram = a.mock->ram;
    uint8_t before[0x30000];

    ck_assert_uint_eq(status_of(accel_desc(DSA_MEMMOVE, 0, ACCEL_FROM + 3, ACCEL_TO + 5, 0x2fff0)),
                      1);
    ck_assert_int_eq(memcmp(ram + ACCEL_FROM + 3, ram + ACCEL_TO + 5, 0x2fff0), 0);
    /* Onto itself, forwards and backwards. */
    memcpy(before, ram + ACCEL_FROM, sizeof(before));
    ck_assert_uint_eq(
        status_of(accel_desc(DSA_MEMMOVE, 0, ACCEL_FROM, ACCEL_FROM + 100, sizeof(before))), 1);
    ck_assert_int_eq(memcmp(before, ram + ACCEL_FROM + 100, sizeof(before)), 0);
    ck_assert_uint_eq(
        status_of(accel_desc(DSA_MEMMOVE, 0, ACCEL_FROM + 100, ACCEL_FROM, sizeof(before))), 1);
    ck_assert_int_eq(memcmp(before, ram + ACCEL_FROM, sizeof(before)), 0);
}
END_TEST

START_TEST(fills_and_compares)
{
    const uint64_t pattern = 0x0123456789abcdefull;
    struct accel_desc desc = accel_desc(DSA_FILL, 0, pattern, ACCEL_TO + 1, 0x12345);
    uint8_t *ram = a.mock->ram;

    ck_assert_uint_eq(status_of(desc), 1);
    ck_assert_uint_eq(le64_load(ram + ACCEL_TO + 1), pattern);
    ck_assert_uint_eq(ram[ACCEL_TO + 0x12345], pattern >> 8 * (0x12344 % 8) & 0xff);
    ck_assert_uint_eq(ram[ACCEL_TO + 0x12346], 0);
    desc = accel_desc(DSA_COMPARE_PATTERN, 0, ACCEL_TO + 1, pattern, 0x12345);
    ck_assert_uint_eq(status_of(desc), 1);
    ck_assert_uint_eq(accel_record(&a, 0)[DSA_RECORD_RESULT], 0);
    ram[ACCEL_TO + 0x11001] ^= 1;
    ck_assert_uint_eq(status_of(desc), 1);
    ck_assert_uint_eq(accel_record(&a, 0)[DSA_RECORD_RESULT], 1);
    ck_assert_uint_eq(le32_load(accel_record(&a, 0) + DSA_RECORD_COUNT), 0x11000);
    desc = with_flags(accel_desc(DSA_COMPARE, 0, ACCEL_FROM, ACCEL_TO, 100), DSA_FLAG_CHECK_RESULT);
    ck_assert_uint_eq(status_of(desc), DSA_FALSE_PREDICATE);
    desc.raw[DSA_DESC_RESULT] = 1;
    ck_assert_uint_eq(status_of(desc), DSA_SUCCESS);
    memcpy(ram + ACCEL_TO, ram + ACCEL_FROM, 100);
    ck_assert_uint_eq(status_of(desc), DSA_FALSE_PREDICATE);
}
END_TEST

START_TEST(sums)
{
    struct accel_desc desc = accel_desc(DSA_CRC, 0, ACCEL_FROM, 0, 9);
    uint8_t *ram = a.mock->ram;

    /* The check values of CRC-32C ("123456789") and, without reflection, of CRC-32/ISCSI's
     * polynomial from 0. */
    memcpy(ram + ACCEL_FROM, "123456789", 9);
    ck_assert_uint_eq(status_of(desc), 1);
    ck_assert_uint_eq(le64_load(accel_record(&a, 0) + DSA_RECORD_SPECIFIC), 0xe3069283);
    /* In two pieces, the second seeded with the first's sum, from memory. */
    le32_store(desc.raw + DSA_DESC_SIZE, 4);
    ck_assert_uint_eq(status_of(desc), 1);
    memcpy(ram + 0x800, accel_record(&a, 0) + DSA_RECORD_SPECIFIC, 4);
    desc = with_flags(accel_desc(DSA_COPY_CRC, 0, ACCEL_FROM + 4, ACCEL_TO, 5), DSA_FLAG_READ_SEED);
    le64_store(desc.raw + DSA_DESC_SEED_ADDR, 0x800);
    ck_assert_uint_eq(status_of(desc), 1);
    ck_assert_uint_eq(le64_load(accel_record(&a, 0) + DSA_RECORD_SPECIFIC), 0xe3069283);
    ck_assert_int_eq(memcmp(ram + ACCEL_TO, "56789", 5), 0);
    desc = with_flags(accel_desc(DSA_CRC, 0, ACCEL_FROM, 0, 1),
                      DSA_FLAG_NO_INVERSION | DSA_FLAG_NO_REFLECTION);
    ram[ACCEL_FROM] = 1;
    ck_assert_uint_eq(status_of(desc), 1);
    ck_assert_uint_eq(le64_load(accel_record(&a, 0) + DSA_RECORD_SPECIFIC), 0x1edc6f41);
}
END_TEST

START_TEST(casts_twice)
{
    struct accel_desc desc = accel_desc(DSA_DUALCAST, 0, ACCEL_FROM, ACCEL_TO + 8, 0x11000);
    uint8_t *ram = a.mock->ram;

    le64_store(desc.raw + DSA_DESC_RESULT, ACCEL_TO_2 + 8);
    ck_assert_uint_eq(status_of(desc), 1);
    ck_assert_int_eq(memcmp(ram + ACCEL_FROM, ram + ACCEL_TO + 8, 0x11000), 0);
    ck_assert_int_eq(memcmp(ram + ACCEL_FROM, ram + ACCEL_TO_2 + 8, 0x11000), 0);
    le64_store(desc.raw + DSA_DESC_RESULT, ACCEL_TO_2);
    ck_assert_uint_eq(status_of(desc), DSA_DUALCAST_ALIGN);
    le64_store(desc.raw + DSA_DESC_RESULT, ACCEL_TO + 0x1008);
    ck_assert_uint_eq(status_of(desc), DSA_OVERLAP);
    ck_assert_uint_eq(status_of(accel_desc(DSA_CACHE_FLUSH, 0, 0, ACCEL_TO, 0x3000)), 1);
    ck_assert_uint_eq(status_of(accel_desc(DSA_DRAIN, 0, 0, 0, 0)), 1);
}
END_TEST

START_TEST(bad_descriptors_say_why)
{
    struct accel_desc desc;

    ck_assert_uint_eq(status_of(accel_desc(DSA_CREATE_DELTA, 0, ACCEL_FROM, ACCEL_TO, 8)),
                      DSA_BAD_OPCODE);
    ck_assert_uint_eq(status_of(accel_desc(0xff, 0, 0, 0, 0)), DSA_BAD_OPCODE);
    ck_assert_uint_eq(status_of(with_flags(accel_desc(DSA_NOOP, 0, 0, 0, 0), DSA_FLAG_FENCE)),
                      DSA_BAD_FLAGS);
    ck_assert_uint_eq(le32_load(accel_record(&a, 0) + DSA_RECORD_SPECIFIC), DSA_FLAG_FENCE);
    ck_assert_uint_eq(status_of(with_flags(accel_desc(DSA_MEMMOVE, 0, 0, 0, 1), DSA_FLAG_BLOCK)),
                      DSA_BAD_FLAGS); /* the queue does not block */
    ck_assert_uint_eq(status_of(accel_desc(DSA_NOOP, 0, 1, 0, 0)), DSA_BAD_RESERVED);
    ck_assert_uint_eq(status_of(accel_desc(DSA_NOOP, 0, 0, 0, 1)), DSA_BAD_RESERVED);
    desc = accel_desc(DSA_MEMMOVE, 0, ACCEL_FROM, ACCEL_TO, 64);
    desc.raw[2] = 0x10;
    ck_assert_uint_eq(status_of(desc), DSA_BAD_RESERVED);
    desc = accel_desc(DSA_MEMMOVE, 0, ACCEL_FROM, ACCEL_TO, 64);
    desc.raw[63] = 1;
    ck_assert_uint_eq(status_of(desc), DSA_BAD_RESERVED);
    ck_assert_uint_eq(status_of(accel_desc(DSA_MEMMOVE, 0, ACCEL_FROM, ACCEL_TO, 0)), DSA_BAD_SIZE);
    ck_assert_uint_eq(status_of(accel_desc(DSA_MEMMOVE, 0, ACCEL_FROM, ACCEL_TO, 0x100001)),
                      DSA_BAD_SIZE);
    ck_assert_uint_eq(status_of(accel_desc(DSA_MEMMOVE, 0, UINT64_MAX - 8, ACCEL_TO, 64)),
                      DSA_BAD_SIZE);
    ck_assert_uint_eq(status_of(accel_desc(DSA_COPY_CRC, 0, ACCEL_FROM, ACCEL_FROM + 8, 64)),
                      DSA_OVERLAP);
    ck_assert_uint_eq(status_of(accel_desc(DSA_BATCH, 0, ACCEL_LIST, 0, 1)), DSA_BAD_COUNT);
    ck_assert_uint_eq(status_of(accel_desc(DSA_BATCH, 0, ACCEL_LIST, 0, 65)), DSA_BAD_COUNT);
    ck_assert_uint_eq(status_of(accel_desc(DSA_BATCH, 0, ACCEL_LIST + 32, 0, 2)), DSA_LIST_ALIGN);
}
END_TEST

START_TEST(what_no_record_tells)
{
    struct accel_desc desc = accel_desc(DSA_NOOP, 0, 1, 0, 0);
    uint64_t error;

    accel_set(&a, DSA_GENCTRL, 4, DSA_GENCTRL_SWERR);
    accel_set_flags(&desc, 0);
    status_of(desc);
    error = accel_get(&a, DSA_SWERR, 8);
    ck_assert_uint_eq(error & 0xff, DSA_SWERR_VALID | DSA_SWERR_DESC | DSA_SWERR_WQ_VALID);
    ck_assert_uint_eq(FIELD_GET(DSA_SWERR_CODE, error), DSA_BAD_RESERVED);
    ck_assert_uint_eq(mock_irqs(a.func)->vector[0], 1);
    status_of(desc);
    ck_assert(accel_get(&a, DSA_SWERR, 8) & DSA_SWERR_OVERFLOW);
    ck_assert_uint_eq(mock_irqs(a.func)->vector[0], 1);
    accel_set(&a, DSA_SWERR, 8, DSA_SWERR_VALID | DSA_SWERR_OVERFLOW);
    ck_assert_uint_eq(accel_get(&a, DSA_SWERR, 8) & 3, 0);
    /* A record out of line, flags that are wrong, a record that faults. */
    desc = accel_desc(DSA_NOOP, 0, 0, 0, 0);
    desc.raw[DSA_DESC_COMPLETION] = 16;
    status_of(desc);
    ck_assert_uint_eq(FIELD_GET(DSA_SWERR_CODE, accel_get(&a, DSA_SWERR, 8)), DSA_RECORD_ALIGN);
    accel_set(&a, DSA_SWERR, 8, DSA_SWERR_VALID);
    desc = accel_desc(DSA_NOOP, 0, 0, 0, 0);
    accel_set_flags(&desc, DSA_FLAG_RECORD);
    status_of(desc);
    ck_assert_uint_eq(FIELD_GET(DSA_SWERR_CODE, accel_get(&a, DSA_SWERR, 8)), DSA_BAD_FLAGS);
    ck_assert_uint_eq(accel_get(&a, DSA_SWERR + 12, 4), DSA_FLAG_RECORD_VALID);
    accel_set(&a, DSA_SWERR, 8, DSA_SWERR_VALID);
    a.mock->deny_addr = ACCEL_RECORD;
    status_of(accel_desc(DSA_NOOP, 0, 0, 0, 0));
    ck_assert_uint_eq(FIELD_GET(DSA_SWERR_CODE, accel_get(&a, DSA_SWERR, 8)), DSA_RECORD_FAULTED);
    ck_assert_uint_eq(accel_get(&a, DSA_SWERR + 16, 8), ACCEL_RECORD);
}
END_TEST

START_TEST(page_faults_leave_what_was_done)
{
    struct accel_desc desc = accel_desc(DSA_MEMMOVE, 0, ACCEL_FROM + 16, ACCEL_TO, 0x20000);
    uint8_t *ram = a.mock->ram;
    const uint8_t *record = accel_record(&a, 0);

    a.mock->deny_addr = ACCEL_FROM + 0x5000;
    ck_assert_uint_eq(status_of(desc), DSA_PAGE_FAULT);
    ck_assert_uint_eq(le32_load(record + DSA_RECORD_COUNT), 0x4ff0);
    ck_assert_uint_eq(le64_load(record + DSA_RECORD_FAULT), ACCEL_FROM + 0x5000);
    ck_assert_int_eq(memcmp(ram + ACCEL_FROM + 16, ram + ACCEL_TO, 0x4ff0), 0);
    ck_assert_uint_eq(ram[ACCEL_TO + 0x4ff0], 0);
    a.mock->deny_addr = ACCEL_TO + 0x13000;
    ck_assert_uint_eq(status_of(desc), DSA_PAGE_FAULT | DSA_STATUS_WRITE);
    ck_assert_uint_eq(le32_load(record + DSA_RECORD_COUNT), 0x13000);
    ck_assert_uint_eq(le64_load(record + DSA_RECORD_FAULT), ACCEL_TO + 0x13000);
    /* Backwards the count is from the end. */
    a.mock->deny_addr = ACCEL_FROM + 0x5000;
    desc = accel_desc(DSA_MEMMOVE, 0, ACCEL_FROM, ACCEL_FROM + 0x1000, 0x10000);
    ck_assert_uint_eq(status_of(desc), DSA_PAGE_FAULT);
    ck_assert_uint_eq(record[DSA_RECORD_RESULT], 1);
    ck_assert_uint_eq(le32_load(record + DSA_RECORD_COUNT), 0xa000);
    /* What was asked for and refused is another status; errors of the bus yet another. */
    a.mock->pri = true;
    accel_command(&a, DSA_DISABLE_WQ, 1);
    accel_set(&a, DSA_WQCFG + DSA_WQ_MODE, 4, DSA_WQ_DEDICATED | 0x10 | DSA_WQ_BLOCK_ON_FAULT);
    accel_command(&a, DSA_ENABLE_WQ, 0);
    desc = with_flags(accel_desc(DSA_CRC, 0, ACCEL_FROM, 0, 0x10000), DSA_FLAG_BLOCK);
    ck_assert_uint_eq(status_of(desc), DSA_PAGE_FAULT_RESPONSE);
    a.mock->deny_addr = 0;
    a.mock->bad_addr = ACCEL_FROM + 1;
    ck_assert_uint_eq(status_of(desc), DSA_HARDWARE);
}
END_TEST

static void put(unsigned index, struct accel_desc desc)
{
    memcpy(a.mock->ram + ACCEL_LIST + index * DSA_DESC_BYTES, desc.raw, DSA_DESC_BYTES);
}

static struct accel_desc fill(unsigned index)
{
    return accel_desc(DSA_FILL, index + 1, index, ACCEL_TO + index * 64, 64);
}

START_TEST(batches)
{
    const uint8_t *record = accel_record(&a, 0);

    for (unsigned i = 0; i < 40; i++)
        put(i, fill(i));
    ck_assert_uint_eq(status_of(accel_desc(DSA_BATCH, 0, ACCEL_LIST, 0, 40)), DSA_SUCCESS);
    ck_assert_uint_eq(le32_load(record + DSA_RECORD_COUNT), 40);
    for (unsigned i = 0; i < 40; i++) {
        ck_assert_uint_eq(accel_record(&a, i + 1)[0], DSA_SUCCESS);
        ck_assert_uint_eq(a.mock->ram[ACCEL_TO + i * 64], i);
    }
    /* A failure, then a fence; no batch in a batch. */
    memset(a.mock->ram + ACCEL_TO, 0xff, 0x1000);
    put(1, accel_desc(DSA_BATCH, 2, ACCEL_LIST, 0, 2));
    put(3, with_flags(fill(3), DSA_FLAG_FENCE));
    ck_assert_uint_eq(status_of(accel_desc(DSA_BATCH, 0, ACCEL_LIST, 0, 40)), DSA_BATCH_FAILED);
    ck_assert_uint_eq(le32_load(record + DSA_RECORD_COUNT), 3);
    ck_assert_uint_eq(accel_record(&a, 2)[0], DSA_BAD_OPCODE);
    ck_assert_uint_eq(a.mock->ram[ACCEL_TO + 2 * 64], 2);
    ck_assert_uint_eq(a.mock->ram[ACCEL_TO + 3 * 64], 0xff);
    /* The list ends in a page that is not there. */
    put(1, fill(1));
    a.mock->deny_addr = ACCEL_LIST + 20 * DSA_DESC_BYTES;
    ck_assert_uint_eq(status_of(accel_desc(DSA_BATCH, 0, ACCEL_LIST, 0, 40)), DSA_BATCH_FAULT);
    ck_assert_uint_eq(le32_load(record + DSA_RECORD_COUNT), 20);
    ck_assert_uint_eq(le64_load(record + DSA_RECORD_FAULT), a.mock->deny_addr);
}
END_TEST

START_TEST(a_drain_waits_for_what_came_before)
{
    struct accel_desc slow = accel_desc(DSA_FILL, 1, 0, ACCEL_TO, 0x80000);
    struct accel_desc drain = accel_desc(DSA_DRAIN, 2, 0, 0, 0);

    accel_submit(&a, 0, &slow);
    accel_submit(&a, 0, &drain);
    mock_run(a.mock, 5 * PS_PER_US);
    ck_assert_uint_eq(accel_record(&a, 2)[0], 0);
    for (unsigned i = 0; i < 100 && !accel_record(&a, 2)[0]; i++)
        mock_run(a.mock, PS_PER_US);
    ck_assert_uint_eq(accel_record(&a, 1)[0], DSA_SUCCESS);
    ck_assert_uint_eq(accel_record(&a, 2)[0], DSA_SUCCESS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dsa_desc");
    TCase *tcase = tcase_create("descriptors");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, moves);
    tcase_add_test(tcase, fills_and_compares);
    tcase_add_test(tcase, sums);
    tcase_add_test(tcase, casts_twice);
    tcase_add_test(tcase, bad_descriptors_say_why);
    tcase_add_test(tcase, what_no_record_tells);
    tcase_add_test(tcase, page_faults_leave_what_was_done);
    tcase_add_test(tcase, batches);
    tcase_add_test(tcase, a_drain_waits_for_what_came_before);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
