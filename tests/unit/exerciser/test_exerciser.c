/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exerciser on a mock of the endpoint core, and its manual. */
#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "mock.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/endpoint/exerciser.h"

#define MEM_BYTES (4u << 20)

static struct mock *mock;
static struct endpoint *ep;
static struct endpoint_func *func;

static void setup(void)
{
    struct exerciser_params params = {
        .name = "ex0",
        .functions = 2,
        .msix_vectors = 8,
        .msi_vectors = 4,
        .mem_bytes = MEM_BYTES,
        .pcie = {.type = PCIE_ENDPOINT, .max_speed = 3, .max_width = 4},
    };

    mock = mock_new(8u << 20);
    ep = exerciser_new(mock_fabric(mock), &params);
    func = mock_func(ep, 0);
}

static void teardown(void)
{
    endpoint_free(ep);
    mock_free(mock);
}

static uint64_t get(unsigned offset, unsigned len)
{
    return mock_read(func, 0, offset, len);
}

static void set(unsigned offset, unsigned len, uint64_t value)
{
    mock_write(func, 0, offset, len, value);
}

static void start(unsigned c, unsigned command, uint64_t addr, uint64_t local, uint32_t len)
{
    set(EXERCISER_CHANNEL(c) + EXERCISER_CH_ADDR, 8, addr);
    set(EXERCISER_CHANNEL(c) + EXERCISER_CH_LOCAL, 8, local);
    set(EXERCISER_CHANNEL(c) + EXERCISER_CH_LEN, 4, len);
    set(EXERCISER_CHANNEL(c) + EXERCISER_CH_COMMAND, 4, command);
}

static uint32_t channel(unsigned c, unsigned offset)
{
    return (uint32_t)get(EXERCISER_CHANNEL(c) + offset, 4);
}

static unsigned run(unsigned command, uint64_t addr, uint64_t local, uint32_t len)
{
    start(0, command, addr, local, len);
    ck_assert_uint_eq(channel(0, EXERCISER_CH_STATUS), EXERCISER_STATUS_BUSY);
    mock_run(mock, PS_PER_MS);
    uint32_t status = channel(0, EXERCISER_CH_STATUS);
    ck_assert_uint_eq(status & 3, EXERCISER_STATUS_DONE);
    return (unsigned)FIELD_GET(EXERCISER_STATUS_RESULT, status);
}

START_TEST(identity)
{
    ck_assert_uint_eq(get(EXERCISER_MAGIC, 4), EXERCISER_MAGIC_VALUE);
    ck_assert_uint_eq(get(EXERCISER_VERSION, 4), EXERCISER_VERSION_VALUE);
    ck_assert_uint_eq(get(EXERCISER_FEATURES, 8), 0x18001f);
    ck_assert_uint_eq(get(EXERCISER_VECTORS, 4), 4 << 16 | 8);
    ck_assert_uint_eq(get(EXERCISER_MEM_BYTES, 8), MEM_BYTES);
    ck_assert_uint_eq(get(EXERCISER_FUNCTION, 4), 2 << 8);
    ck_assert_uint_eq(mock_read(mock_func(ep, 1), 0, EXERCISER_FUNCTION, 4), 2 << 8 | 1);
    ck_assert_uint_eq(mock_read(func, 1, EXERCISER_MAGIC, 4), EXERCISER_MAGIC_VALUE);
    mock_run(mock, 12345);
    ck_assert_uint_eq(get(EXERCISER_TIME, 8), mock->sim.now_ps);
}
END_TEST

START_TEST(memory_and_scratch_hold_values)
{
    static const struct {
        unsigned bar;
        uint64_t offset;
        bool held;
    } places[] = {
        {0, EXERCISER_SCRATCH0, true},
        {0, EXERCISER_SCRATCH64, true},
        {0, EXERCISER_MAGIC, false},
        {1, EXERCISER_SCRATCH1, true},
        {2, EXERCISER_BAR2_MEMORY, true},
        {2, EXERCISER_BAR2_MEMORY + 0xffc, true},
        {2, 0x9000, false},
        {4, 0, true},
        {4, MEM_BYTES - 4, true},
    };
    uint64_t reads = get(EXERCISER_READ_COUNT, 8), writes = get(EXERCISER_WRITE_COUNT, 8);

    for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
        mock_write(func, places[i].bar, places[i].offset, 4, 0x12345678);
        uint64_t value = mock_read(func, places[i].bar, places[i].offset, 4);
        ck_assert_int_eq(value == 0x12345678, places[i].held);
    }
    ck_assert_uint_eq(get(EXERCISER_SCRATCH1, 4), 0x12345678); /* by BAR 1 */
    ck_assert_uint_eq(mock_read(mock_func(ep, 1), 0, EXERCISER_SCRATCH0, 4), 0);
    ck_assert_uint_eq(get(EXERCISER_READ_COUNT, 8) - reads, ARRAY_LEN(places) + 3);
    ck_assert_uint_eq(get(EXERCISER_WRITE_COUNT, 8) - writes, ARRAY_LEN(places));
}
END_TEST

START_TEST(dma_both_ways)
{
    uint32_t len = 65536 + 13;

    for (uint32_t i = 0; i < len; i++)
        mock->ram[0x1003 + i] = (uint8_t)(i * 7);
    ck_assert_uint_eq(run(EXERCISER_READ, 0x1003, 0x77, len), DMA_OK);
    ck_assert_uint_eq(channel(0, EXERCISER_CH_CRC), crc32(0, mock->ram + 0x1003, len));
    ck_assert_uint_eq(mock_read(func, 4, 0x77 + 100, 1), (uint8_t)(100 * 7));
    ck_assert_uint_eq(run(EXERCISER_WRITE, 0x400001, 0x77, len), DMA_OK);
    ck_assert_mem_eq(mock->ram + 0x400001, mock->ram + 0x1003, len);
    ck_assert_uint_eq(mock->ram[0x400000], 0);
    ck_assert_uint_eq(mock->ram[0x400001 + len], 0);
    ck_assert_uint_eq(get(EXERCISER_DMA_COUNT, 8), 2);
    ck_assert_uint_eq(get(EXERCISER_DMA_BYTES, 8), 2 * len);
    ck_assert_uint_eq(get(EXERCISER_DMA_ERRORS, 8), 0);
    ck_assert_uint_eq(run(EXERCISER_READ, 0x1003, 0, 0), DMA_OK);
    uint64_t started = get(EXERCISER_CHANNEL(0) + EXERCISER_CH_STARTED, 8);
    ck_assert_uint_gt(get(EXERCISER_CHANNEL(0) + EXERCISER_CH_ENDED, 8), started);
}
END_TEST

START_TEST(requests_carry_their_attributes)
{
    set(EXERCISER_CHANNEL(1) + EXERCISER_CH_ATTR, 4,
        EXERCISER_ATTR_RELAXED | EXERCISER_ATTR_IDO | 5 << 4 | 2 << 8 | EXERCISER_ATTR_POISON);
    start(1, EXERCISER_WRITE, 0x2000, 0, 64);
    struct dma_op *op = mock->first;
    ck_assert_ptr_nonnull(op);
    ck_assert_uint_eq(op->attr, TLP_ATTR_RELAXED | TLP_ATTR_IDO);
    ck_assert_uint_eq(op->tc, 5);
    ck_assert_uint_eq(op->at, 2);
    ck_assert(op->poison);
    mock_run(mock, PS_PER_MS);
}
END_TEST

START_TEST(fill_and_checksum)
{
    uint32_t len = (3u << 20) + 5; /* several slices and an odd end */
    g_autofree uint8_t *want = g_malloc(len + 4);

    for (uint32_t i = 0; i < len; i += 4)
        le32_store(want + i, 0x1000 + i / 4 * 3);
    set(EXERCISER_CHANNEL(0) + EXERCISER_CH_PATTERN, 4, 0x1000);
    set(EXERCISER_CHANNEL(0) + EXERCISER_CH_STEP, 4, 3);
    ck_assert_uint_eq(run(EXERCISER_FILL, 0, 16, len), DMA_OK);
    uint32_t crc = (uint32_t)crc32(0, want, len);
    ck_assert_uint_eq(channel(0, EXERCISER_CH_CRC), crc);
    ck_assert_uint_eq(mock_read(func, 4, 16 + len, 1), 0);
    ck_assert_uint_eq(run(EXERCISER_CHECKSUM, 0, 16, len), DMA_OK);
    ck_assert_uint_eq(channel(0, EXERCISER_CH_CRC), crc);
    ck_assert_uint_eq(run(EXERCISER_CHECKSUM, 0, 16, 0), DMA_OK);
    ck_assert_uint_eq(channel(0, EXERCISER_CH_CRC), 0);
}
END_TEST

START_TEST(errors_are_results)
{
    ck_assert_uint_eq(run(EXERCISER_READ, 1ULL << 40, 0, 64), DMA_UR);
    ck_assert_uint_eq(run(EXERCISER_WRITE, UINT64_MAX, 0, 64), DMA_UR);
    ck_assert_uint_eq(run(EXERCISER_READ, 0, MEM_BYTES - 63, 64), EXERCISER_RESULT_INVALID);
    ck_assert_uint_eq(run(EXERCISER_FILL, 0, UINT64_MAX, 1), EXERCISER_RESULT_INVALID);
    ck_assert_uint_eq(run(EXERCISER_CHECKSUM, 0, 0, UINT32_MAX), EXERCISER_RESULT_INVALID);
    ck_assert_uint_eq(run(0xff, 0, 0, 0), EXERCISER_RESULT_INVALID);
    mock->bus_master = false;
    ck_assert_uint_eq(run(EXERCISER_READ, 0, 0, 64), DMA_NO_MASTER);
    mock->bus_master = true;
    ck_assert_uint_eq(get(EXERCISER_DMA_ERRORS, 8), 7);
    ck_assert_uint_eq(get(EXERCISER_DMA_BYTES, 8), 0);
    start(0, EXERCISER_READ, 0, 0, 64);
    start(0, EXERCISER_FILL, 0, 0, 64); /* busy */
    ck_assert_uint_eq(get(EXERCISER_DMA_ERRORS, 8), 8);
    mock_run(mock, PS_PER_MS);
    ck_assert_uint_eq(get(EXERCISER_CHANNEL(0) + EXERCISER_CH_COUNT, 8), 8);
}
END_TEST

START_TEST(interrupts_by_message)
{
    struct mock_irqs *irqs = mock_irqs(func);

    set(EXERCISER_IRQ_TRIGGER, 4, 1);
    ck_assert_uint_eq(get(EXERCISER_IRQ_LOST, 8), 1);
    mock_set_msix(func, true);
    set(EXERCISER_IRQ_TRIGGER, 4, 7);
    set(EXERCISER_IRQ_TRIGGER, 4, 8);
    ck_assert_uint_eq(irqs->vector[7], 1);
    ck_assert_uint_eq(irqs->total, 1);
    ck_assert_uint_eq(get(EXERCISER_IRQ_COUNT, 8), 1);
    ck_assert_uint_eq(get(EXERCISER_IRQ_LOST, 8), 2);
    set(EXERCISER_IRQ_ENABLE, 4, 1);
    set(EXERCISER_CHANNEL(0) + EXERCISER_CH_VECTOR, 4, EXERCISER_VECTOR_ENABLE | 3);
    run(EXERCISER_READ, 0, 0, 64);
    ck_assert_uint_eq(irqs->vector[3], 1);
    ck_assert(!irqs->intx);
}
END_TEST

START_TEST(interrupts_by_pin)
{
    struct mock_irqs *irqs = mock_irqs(func);

    set(EXERCISER_INTX, 4, 1);
    ck_assert(irqs->intx);
    set(EXERCISER_INTX, 4, 0);
    ck_assert(!irqs->intx);
    run(EXERCISER_READ, 0, 0, 64);
    ck_assert(!irqs->intx);
    ck_assert_uint_eq(get(EXERCISER_IRQ_STATUS, 4), 1);
    set(EXERCISER_IRQ_ENABLE, 4, 1);
    ck_assert(irqs->intx);
    mock_set_msi(func, true);
    ck_assert(!irqs->intx);
    mock_set_msi(func, false);
    ck_assert(irqs->intx);
    set(EXERCISER_IRQ_STATUS, 4, 1);
    ck_assert(!irqs->intx);
}
END_TEST

START_TEST(channels_are_independent)
{
    for (unsigned c = 0; c < get(EXERCISER_CHANNELS, 4); c++)
        start(c, EXERCISER_READ, c * 4096, c * 4096, 4096);
    mock_run(mock, PS_PER_MS);
    ck_assert_uint_eq(get(EXERCISER_IRQ_STATUS, 4), 0xf);
    for (unsigned c = 0; c < 4; c++)
        ck_assert_uint_eq(channel(c, EXERCISER_CH_STATUS), EXERCISER_STATUS_DONE);
    set(EXERCISER_CHANNEL(2) + EXERCISER_CH_STATUS, 4, EXERCISER_STATUS_DONE);
    ck_assert_uint_eq(channel(2, EXERCISER_CH_STATUS), 0);
}
END_TEST

START_TEST(resets_leave_nothing)
{
    static const enum endpoint_reset kinds[] = {ENDPOINT_RESET_FLR, ENDPOINT_RESET_HOT,
                                                ENDPOINT_RESET_COLD};
    enum endpoint_reset kind = kinds[_i];

    mock_write(func, 4, 4096, 8, 0x5ec4e7);
    mock_write(func, 2, EXERCISER_BAR2_MEMORY, 8, 0x5ec4e7);
    set(EXERCISER_SCRATCH0, 4, 1);
    set(EXERCISER_SCRATCH3, 4, 2);
    set(EXERCISER_INTX, 4, 1);
    start(0, EXERCISER_READ, 0, 0, 64);
    start(1, EXERCISER_FILL, 0, 0, MEM_BYTES);
    mock_reset(func, kind);
    mock_run(mock, PS_PER_MS);
    ck_assert_uint_eq(mock_read(func, 4, 4096, 8), 0);
    ck_assert_uint_eq(mock_read(func, 2, EXERCISER_BAR2_MEMORY, 8), 0);
    ck_assert_uint_eq(get(EXERCISER_SCRATCH0, 4), 0);
    ck_assert_uint_eq(get(EXERCISER_SCRATCH3, 4), kind == ENDPOINT_RESET_COLD ? 0 : 2);
    ck_assert_uint_eq(get(EXERCISER_RESET_COUNT, 8), kind == ENDPOINT_RESET_COLD ? 0 : 1);
    ck_assert_uint_eq(channel(0, EXERCISER_CH_STATUS), 0);
    ck_assert_uint_eq(channel(1, EXERCISER_CH_STATUS), 0);
    ck_assert(!mock_irqs(func)->intx);
    ck_assert_uint_eq(run(EXERCISER_CHECKSUM, 0, 0, 4096), DMA_OK);
}
END_TEST

/* The manual has a row "| 00Ch | 4 | `name` | access |" for each register, and no others. */
static void check_manual(const char *manual, const struct reg_def *defs, unsigned count,
                         unsigned digits)
{
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *row = g_strdup_printf("\n| %0*Xh | %u | `%s` | %s", (int)digits,
                                               defs[i].offset, defs[i].width, defs[i].name,
                                               defs[i].rw                          ? "RW"
                                               : defs[i].rw1c && !defs[i].on_write ? "RO"
                                               : defs[i].rw1c                      ? "RW1C"
                                                                                   : "RO");
        ck_assert_msg(strstr(manual, row) != NULL, "docs/exerciser.md lacks%s", row);
    }
}

START_TEST(manual_agrees_with_the_tables)
{
    g_autofree char *manual = NULL;
    unsigned globals, channels, rows = 0;
    const struct reg_def *global = exerciser_registers(&globals);
    const struct reg_def *per_channel = exerciser_channel_registers(&channels);

    ck_assert(g_file_get_contents(EXERCISER_MANUAL, &manual, NULL, NULL));
    check_manual(manual, global, globals, 3);
    check_manual(manual, per_channel, channels, 2);
    for (const char *at = manual; (at = strstr(at, " | `")); at++)
        rows++;
    ck_assert_uint_eq(rows, globals + channels);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exerciser");
    TCase *tc = tcase_create("exerciser");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, identity);
    tcase_add_test(tc, memory_and_scratch_hold_values);
    tcase_add_test(tc, dma_both_ways);
    tcase_add_test(tc, requests_carry_their_attributes);
    tcase_add_test(tc, fill_and_checksum);
    tcase_add_test(tc, errors_are_results);
    tcase_add_test(tc, interrupts_by_message);
    tcase_add_test(tc, interrupts_by_pin);
    tcase_add_test(tc, channels_are_independent);
    tcase_add_loop_test(tc, resets_leave_nothing, 0, 3);
    tcase_add_test(tc, manual_agrees_with_the_tables);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
