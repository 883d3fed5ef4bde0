/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The accelerator around its descriptors: registers, commands, queues, portals, interrupts. */
#include <check.h>
#include <string.h>

#include "accel.h"
#include "hw/endpoint/dsa/dsa.h"

static struct accel a;

static void setup(void)
{
    accel_open(&a, 8, 2);
}

static void teardown(void)
{
    accel_close(&a);
}

START_TEST(tables_are_sound)
{
    static const struct reg_def *(*const tables[])(unsigned *) = {dsa_registers, dsa_wq_registers,
                                                                  dsa_group_registers};
    char why[200] = "";
    unsigned count;

    for (unsigned i = 0; i < ARRAY_LEN(tables); i++) {
        const struct reg_def *defs = tables[i](&count);

        ck_assert_msg(reg_table_lint(defs, count, why, sizeof(why)), "%s", why);
    }
}
END_TEST

START_TEST(says_what_it_is)
{
    uint64_t gencap = accel_get(&a, DSA_GENCAP, 8), wqcap = accel_get(&a, DSA_WQCAP, 8);

    ck_assert_uint_eq(accel_get(&a, DSA_VERSION, 4), 0x100);
    ck_assert_uint_eq(gencap >> 31 & 1, 1);
    ck_assert_uint_eq(gencap >> 16 & 31, 31);
    ck_assert_uint_eq(wqcap & 0xffff, 128);
    ck_assert_uint_eq(wqcap >> 16 & 0xff, 8);
    ck_assert_uint_eq(wqcap >> 24 & 0xf, 0); /* 32 bytes for each queue */
    ck_assert_uint_eq(accel_get(&a, DSA_ENGCAP, 8), 2);
    ck_assert_uint_eq(accel_get(&a, DSA_GRPCAP, 8) & 0xff, 4);
    ck_assert_uint_eq(accel_get(&a, DSA_OFFSETS, 2) * 0x100, DSA_GRPCFG);
    ck_assert_uint_eq(accel_get(&a, DSA_OFFSETS + 2, 2) * 0x100, DSA_WQCFG);
    ck_assert_uint_eq(accel_get(&a, DSA_OFFSETS + 4, 2) * 0x100, DSA_MSIXPERM);
    ck_assert_uint_eq(accel_get(&a, DSA_OPCAP, 8), 0x10003027f);
}
END_TEST

START_TEST(enable_looks_at_the_configuration)
{
    ck_assert_uint_eq(accel_command(&a, 0, 0), DSA_CMD_BAD_CODE);
    ck_assert_uint_eq(accel_command(&a, 13, 0), DSA_CMD_BAD_CODE);
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_WQ, 0), DSA_CMD_DEVICE_OFF);
    ck_assert_uint_eq(accel_command(&a, DSA_DISABLE_DEVICE, 0), DSA_CMD_NOT_ENABLED);
    accel_configure_queue(&a, 0, 100, DSA_WQ_DEDICATED);
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_DEVICE, 0), DSA_CMD_GROUP_WQ);
    accel_set(&a, DSA_GRPCFG, 8, 1);
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_DEVICE, 0), DSA_CMD_GROUP_LACKS);
    accel_set(&a, DSA_GRPCFG + DSA_GRP_ENGINES, 8, 1);
    accel_configure_queue(&a, 1, 29, 0);
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_DEVICE, 0), DSA_CMD_SIZES);
    accel_configure_queue(&a, 1, 28, 0);
    accel_set(&a, DSA_GRPCFG + DSA_GRPCFG_STRIDE, 8, 2);
    accel_set(&a, DSA_GRPCFG + DSA_GRPCFG_STRIDE + DSA_GRP_ENGINES, 8, 1);
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_DEVICE, 0), DSA_CMD_GROUP_ENGINE);
    accel_set(&a, DSA_GRPCFG + DSA_GRPCFG_STRIDE + DSA_GRP_ENGINES, 8, 2);
    accel_set(&a, DSA_GRPCFG + DSA_GRP_FLAGS, 8, FIELD_PREP(DSA_GRP_ALLOWED, 97));
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_DEVICE, 0), DSA_CMD_GROUP_BUFFERS);
    accel_set(&a, DSA_GRPCFG + DSA_GRP_FLAGS, 8, FIELD_PREP(DSA_GRP_ALLOWED, 96));
    a.mock->bus_master = false;
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_DEVICE, 0), DSA_CMD_NO_MASTER);
    a.mock->bus_master = true;
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_DEVICE, 0), DSA_CMD_OK);
    ck_assert_uint_eq(accel_get(&a, DSA_GENSTS, 4), DSA_STATE_ENABLED);
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_DEVICE, 0), DSA_CMD_NOT_DISABLED);
}
END_TEST

START_TEST(queues_look_at_theirs)
{
    unsigned at = DSA_WQCFG;

    accel_configure_queue(&a, 0, 16, DSA_WQ_DEDICATED);
    accel_set(&a, DSA_GRPCFG, 8, 1);
    accel_set(&a, DSA_GRPCFG + DSA_GRP_ENGINES, 8, 1);
    accel_command(&a, DSA_ENABLE_DEVICE, 0);
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_WQ, 8), DSA_CMD_BAD_WQ);
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_WQ, 1), DSA_CMD_WQ_SIZE);
    ck_assert_uint_eq(accel_command(&a, DSA_DRAIN_WQ, 1), DSA_CMD_WQ_NOT_ENABLED);
    accel_set(&a, at + DSA_WQ_MODE, 4, DSA_WQ_DEDICATED);
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_WQ, 0), DSA_CMD_WQ_PRIORITY);
    accel_set(&a, at + DSA_WQ_MODE, 4, DSA_WQ_DEDICATED | 0x10 | DSA_WQ_HAS_PASID);
    a.mock->pasid = false;
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_WQ, 0), DSA_CMD_WQ_PASID);
    a.mock->pasid = true;
    accel_set(&a, at + DSA_WQ_LIMITS, 4, FIELD_PREP(DSA_WQ_BATCH_SHIFT, 11));
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_WQ, 0), DSA_CMD_WQ_BATCH);
    accel_set(&a, at + DSA_WQ_LIMITS, 4, 31);
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_WQ, 0), DSA_CMD_OK);
    ck_assert_uint_eq(accel_get(&a, at + DSA_WQ_STATE, 4), DSA_WQ_ENABLED);
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_WQ, 0), DSA_CMD_WQ_NOT_DISABLED);
    /* Sizes and modes are read-only now. */
    accel_set(&a, at + DSA_WQ_SIZE, 4, 8);
    accel_set(&a, at + DSA_WQ_MODE, 4, 0);
    ck_assert_uint_eq(accel_get(&a, at + DSA_WQ_SIZE, 4), 16);
    ck_assert_uint_ne(accel_get(&a, at + DSA_WQ_MODE, 4), 0);
    ck_assert_uint_eq(accel_command(&a, DSA_DISABLE_WQ, 1), DSA_CMD_OK);
    ck_assert_uint_eq(accel_get(&a, at + DSA_WQ_STATE, 4), 0);
    ck_assert_uint_eq(accel_command(&a, DSA_ENABLE_WQ, 0), DSA_CMD_OK);
    ck_assert_uint_eq(accel_command(&a, DSA_RESET_WQ, 1), DSA_CMD_OK);
    ck_assert_uint_eq(accel_get(&a, at + DSA_WQ_MODE, 4), 0);
    ck_assert_uint_eq(accel_get(&a, at + DSA_WQ_SIZE, 4), 16);
}
END_TEST

START_TEST(commands_interrupt)
{
    accel_set(&a, DSA_CMD, 4, FIELD_PREP(DSA_CMD_CODE, DSA_RESET_DEVICE) | DSA_CMD_INTERRUPT);
    ck_assert(accel_get(&a, DSA_CMDSTS, 4) & DSA_CMDSTS_ACTIVE);
    ck_assert_uint_eq(mock_irqs(a.func)->vector[0], 0);
    mock_run(a.mock, 10 * PS_PER_US);
    ck_assert_uint_eq(accel_get(&a, DSA_CMDSTS, 4), 0);
    ck_assert_uint_eq(mock_irqs(a.func)->vector[0], 1);
    ck_assert_uint_eq(accel_get(&a, DSA_INTCAUSE, 4), DSA_CAUSE_COMMAND);
    accel_set(&a, DSA_INTCAUSE, 4, DSA_CAUSE_COMMAND);
    ck_assert_uint_eq(accel_get(&a, DSA_INTCAUSE, 4), 0);
    /* A command that is wrong from the beginning tells at once. */
    accel_set(&a, DSA_CMD, 4, FIELD_PREP(DSA_CMD_CODE, 31) | DSA_CMD_INTERRUPT);
    ck_assert_uint_eq(accel_get(&a, DSA_CMDSTS, 4), DSA_CMD_BAD_CODE);
    ck_assert_uint_eq(mock_irqs(a.func)->vector[0], 2);
}
END_TEST

/* So slow that descriptors pile up in their queue. */
static void submit_some(unsigned queue, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct accel_desc desc = accel_desc(DSA_FILL, i, i, ACCEL_TO + i * 0x1000, 0x1000);

        accel_submit(&a, queue, &desc);
    }
}

static unsigned records(unsigned count)
{
    unsigned written = 0;

    for (unsigned i = 0; i < count; i++)
        written += accel_record(&a, i)[0] != 0;
    return written;
}

START_TEST(a_dedicated_queue_loses_what_it_has_no_place_for)
{
    accel_start(&a);
    submit_some(0, 30); /* two go to engines at once, sixteen wait */
    ck_assert_uint_eq(accel_get(&a, DSA_WQCFG + DSA_WQ_STATE, 2), 16);
    mock_run(a.mock, PS_PER_MS);
    ck_assert_uint_eq(records(30), 18);
    ck_assert_uint_eq(accel_get(&a, DSA_WQCFG + DSA_WQ_STATE, 2), 0);
    /* A posted write to a shared queue, and what is no descriptor, get nowhere. */
    memset(a.mock->ram, 0, 0x10000);
    submit_some(1, 1);
    mock_write(a.func, 2, 0, 8, 0);
    mock_run(a.mock, PS_PER_MS);
    ck_assert_uint_eq(records(30), 0);
}
END_TEST

START_TEST(a_shared_queue_puts_off)
{
    struct accel_desc desc = accel_desc(DSA_NOOP, 0, 0, 0, 0);
    uint64_t portal = DSA_PORTALS_BYTES, limited = portal + DSA_PORTAL_BYTES;
    unsigned taken = 0;

    ck_assert(!mock_deferrable(a.func, 2, portal, desc.raw, 64)); /* not enabled */
    accel_start(&a);
    ck_assert(!mock_deferrable(a.func, 2, 0, desc.raw, 64)); /* dedicated */
    ck_assert(!mock_deferrable(a.func, 2, portal, desc.raw, 32));
    while (mock_deferrable(a.func, 2, limited, desc.raw, 64))
        taken++;
    ck_assert_uint_eq(taken, 2 + 8);
    while (mock_deferrable(a.func, 2, portal, desc.raw, 64))
        taken++;
    ck_assert_uint_eq(taken, 2 + 16);
    mock_run(a.mock, PS_PER_MS);
    ck_assert(mock_deferrable(a.func, 2, limited, desc.raw, 64));
    accel_command(&a, DSA_DISABLE_WQ, 2);
    ck_assert(!mock_deferrable(a.func, 2, portal, desc.raw, 64));
}
END_TEST

START_TEST(priorities_share_the_engines)
{
    unsigned first = 0;

    accel_start(&a);
    accel_command(&a, DSA_DISABLE_WQ, 3);
    accel_set(&a, DSA_WQCFG + DSA_WQ_MODE, 4, DSA_WQ_DEDICATED | FIELD_PREP(DSA_WQ_PRIORITY, 3));
    accel_set(&a, DSA_WQCFG + 32 + DSA_WQ_MODE, 4,
              DSA_WQ_DEDICATED | FIELD_PREP(DSA_WQ_PRIORITY, 1));
    accel_command(&a, DSA_ENABLE_WQ, 0);
    accel_command(&a, DSA_ENABLE_WQ, 1);
    submit_some(0, 2); /* both engines have work */
    for (unsigned i = 0; i < 16; i++) {
        struct accel_desc desc = accel_desc(DSA_FILL, 32 + i, 0, ACCEL_TO, 0x10000);

        accel_submit(&a, 0, &desc);
        le64_store(desc.raw + DSA_DESC_COMPLETION, ACCEL_RECORD + (64 + i) * 32);
        accel_submit(&a, 1, &desc);
    }
    for (unsigned i = 0; i < 1000 && !accel_record(&a, 32 + 8)[0]; i++)
        mock_run(a.mock, PS_PER_US);
    for (unsigned i = 0; i < 16; i++)
        first += accel_record(&a, 64 + i)[0] != 0;
    ck_assert_uint_ge(first, 2);
    ck_assert_uint_le(first, 4);
}
END_TEST

START_TEST(drains_and_aborts)
{
    accel_start(&a);
    submit_some(0, 10);
    ck_assert_uint_eq(accel_command(&a, DSA_DRAIN_WQ, 1), DSA_CMD_OK);
    ck_assert_uint_eq(records(10), 10);
    memset(a.mock->ram, 0, 0x10000);
    submit_some(0, 10);
    ck_assert_uint_eq(accel_command(&a, DSA_ABORT_WQ, 1), DSA_CMD_OK);
    mock_run(a.mock, PS_PER_MS);
    ck_assert_uint_eq(records(10), 0);
    submit_some(0, 4);
    ck_assert_uint_eq(accel_command(&a, DSA_DISABLE_DEVICE, 0), DSA_CMD_OK);
    ck_assert_uint_eq(records(4), 4);
    ck_assert_uint_eq(accel_get(&a, DSA_GENSTS, 4), DSA_STATE_DISABLED);
    submit_some(0, 8);
    mock_run(a.mock, PS_PER_MS);
    ck_assert_uint_eq(records(8), 4);
}
END_TEST

START_TEST(reset_forgets_all)
{
    accel_start(&a);
    submit_some(0, 10);
    ck_assert_uint_eq(accel_command(&a, DSA_RESET_DEVICE, 0), DSA_CMD_OK);
    ck_assert_uint_eq(accel_get(&a, DSA_WQCFG, 4), 0);
    ck_assert_uint_eq(accel_get(&a, DSA_GRPCFG, 8), 0);
    ck_assert_uint_eq(accel_get(&a, DSA_GENSTS, 4), DSA_STATE_DISABLED);
    accel_start(&a);
    submit_some(0, 10);
    mock_reset(a.func, ENDPOINT_RESET_FLR);
    mock_run(a.mock, PS_PER_MS);
    ck_assert_uint_eq(records(10), 0);
    accel_start(&a);
    submit_some(0, 1);
    mock_run(a.mock, PS_PER_MS);
    ck_assert_uint_eq(records(10), 1);
}
END_TEST

START_TEST(halts_without_memory)
{
    accel_start(&a);
    accel_set(&a, DSA_GENCTRL, 4, DSA_GENCTRL_HALT);
    submit_some(0, 10);
    a.mock->bus_master = false;
    mock_run(a.mock, PS_PER_MS);
    ck_assert_uint_eq(accel_get(&a, DSA_GENSTS, 4), DSA_STATE_HALTED | DSA_NEEDS_FLR << 2);
    ck_assert_uint_eq(accel_get(&a, DSA_INTCAUSE, 4), DSA_CAUSE_HALT);
    ck_assert_uint_eq(mock_irqs(a.func)->vector[0], 1);
    ck_assert_uint_eq(accel_command(&a, DSA_RESET_DEVICE, 0), DSA_CMD_HARDWARE);
    a.mock->bus_master = true;
    mock_reset(a.func, ENDPOINT_RESET_FLR);
    accel_start(&a);
    submit_some(0, 1);
    mock_run(a.mock, PS_PER_MS);
    ck_assert_uint_eq(records(10), 1);
}
END_TEST

START_TEST(interrupt_handles_belong_to_somebody)
{
    struct accel_desc desc = accel_desc(DSA_NOOP, 0, 0, 0, 0);

    accel_start(&a);
    accel_set_flags(&desc, accel_flags(&desc) | DSA_FLAG_INTERRUPT);
    le16_store(desc.raw + DSA_DESC_HANDLE, 3);
    ck_assert_uint_eq(accel_do(&a, &desc, 0)[0], DSA_SUCCESS);
    ck_assert_uint_eq(mock_irqs(a.func)->vector[3], 1);
    le16_store(desc.raw + DSA_DESC_HANDLE, 9);
    ck_assert_uint_eq(accel_do(&a, &desc, 0)[0], DSA_BAD_HANDLE);
    /* In the name of a process: only with its own, and only where users may. */
    accel_command(&a, DSA_DISABLE_WQ, 1);
    accel_set(&a, DSA_WQCFG + DSA_WQ_MODE, 4,
              DSA_WQ_DEDICATED | 0x10 | DSA_WQ_HAS_PASID | FIELD_PREP(DSA_WQ_PASID, 7));
    accel_command(&a, DSA_ENABLE_WQ, 0);
    le16_store(desc.raw + DSA_DESC_HANDLE, 3);
    ck_assert_uint_eq(accel_do(&a, &desc, 0)[0], DSA_BAD_FLAGS);
    ck_assert_uint_eq(le32_load(accel_record(&a, 0) + 16), DSA_FLAG_INTERRUPT);
    accel_set(&a, DSA_GENCFG, 4, DSA_GENCFG_USER_INTS);
    ck_assert_uint_eq(accel_do(&a, &desc, 0)[0], DSA_BAD_HANDLE);
    accel_set(&a, DSA_MSIXPERM + 3 * 8, 4, DSA_PERM_HAS_PASID | FIELD_PREP(DSA_PERM_PASID, 8));
    ck_assert_uint_eq(accel_do(&a, &desc, 0)[0], DSA_BAD_HANDLE);
    accel_set(&a, DSA_MSIXPERM + 3 * 8, 4, DSA_PERM_HAS_PASID | FIELD_PREP(DSA_PERM_PASID, 7));
    ck_assert_uint_eq(accel_do(&a, &desc, 0)[0], DSA_SUCCESS);
    ck_assert_uint_eq(mock_irqs(a.func)->vector[3], 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dsa");
    TCase *tcase = tcase_create("device");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, tables_are_sound);
    tcase_add_test(tcase, says_what_it_is);
    tcase_add_test(tcase, enable_looks_at_the_configuration);
    tcase_add_test(tcase, queues_look_at_theirs);
    tcase_add_test(tcase, commands_interrupt);
    tcase_add_test(tcase, a_dedicated_queue_loses_what_it_has_no_place_for);
    tcase_add_test(tcase, a_shared_queue_puts_off);
    tcase_add_test(tcase, priorities_share_the_engines);
    tcase_add_test(tcase, drains_and_aborts);
    tcase_add_test(tcase, reset_forgets_all);
    tcase_add_test(tcase, halts_without_memory);
    tcase_add_test(tcase, interrupt_handles_belong_to_somebody);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
