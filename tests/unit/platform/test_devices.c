/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serial port, real-time clock, power management, the platform's bus. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hw/platform/pm.h"
#include "hw/platform/rtc.h"
#include "hw/platform/uart.h"
#include "pcilab/platform/addrmap.h"

#define BYTE_PS (160 * (PS_PER_S / 1843200)) /* at 115200 baud */

static struct sim sim;
static struct trace trace;
static struct bus io;
static struct uart uart;
static struct rtc rtc;
static struct pm pm;
static char out[64];
static unsigned out_len, wanted, edges, offs, resets;
static bool irq;

static void on_output(void *opaque, uint8_t byte)
{
    out[out_len++] = (char)byte;
}

static void on_wanted(void *opaque)
{
    wanted++;
}

static void on_irq(void *opaque, bool level)
{
    irq = level;
    edges += level;
}

static void on_off(void *opaque)
{
    offs++;
}

static void on_reset(void *opaque)
{
    resets++;
}

static const struct pm_ops pm_ops = {.power_off = on_off, .reset = on_reset};

static uint8_t in(unsigned port)
{
    uint8_t data[4];
    const struct bus_range *range = bus_find(&io, port);

    ck_assert_ptr_nonnull(range);
    bus_read(range, port, 1, data);
    return data[0];
}

static void outb(unsigned port, uint8_t value)
{
    bus_write(bus_find(&io, port), port, 1, &value);
}

static void setup(void)
{
    sim_init(&sim, 1);
    memset(&io, 0, sizeof(io));
    out_len = wanted = edges = offs = resets = 0;
    irq = false;
    uart_init(&uart, &(struct uart_config){.sim = &sim,
                                           .trace = &trace,
                                           .output = on_output,
                                           .input_wanted = on_wanted,
                                           .set_irq = on_irq});
    uart_attach(&uart, &io);
    rtc_init(&rtc, &sim);
    rtc_attach(&rtc, &io);
    pm_init(&pm, &pm_ops, NULL);
    pm_attach(&pm, &io);
}

static void teardown(void)
{
    uart_fini(&uart);
    rtc_fini(&rtc);
    pm_fini(&pm);
    sim_fini(&sim);
}

#define U(reg) (MAP_UART_PORT + (reg))

START_TEST(test_bus_splits_and_limits)
{
    uint8_t data[8];

    ck_assert_ptr_null(bus_find(&io, MAP_UART_PORT - 1));
    ck_assert_ptr_null(bus_find(&io, MAP_UART_PORT + 8));
    outb(U(7), 0x5a);
    bus_read(bus_find(&io, U(7)), U(7), 4, data); /* runs over the end */
    ck_assert_uint_eq(data[0], 0x5a);
    ck_assert_uint_eq(data[1] & data[2] & data[3], 0xff);
    bus_write(bus_find(&io, U(0)), U(0), 1, (const uint8_t *)"A");
    ck_assert_uint_eq(out_len, 1);
}
END_TEST

START_TEST(test_uart_probe)
{
    /* What Linux's autoconfig looks at. */
    outb(U(1), 0);
    ck_assert_uint_eq(in(U(1)), 0);
    outb(U(1), 0xff);
    ck_assert_uint_eq(in(U(1)), 0x0f);
    outb(U(1), 0);
    outb(U(4), 0x1a); /* loopback, OUT2, RTS: DCD and CTS */
    ck_assert_uint_eq(in(U(6)) & 0xf0, 0x90);
    outb(U(4), 0);
    outb(U(2), 1);
    ck_assert_uint_eq(in(U(2)), 0xc1);
    outb(U(2), 0);
    ck_assert_uint_eq(in(U(2)), 0x01);
    outb(U(3), 0x83);
    outb(U(0), 0x0c);
    outb(U(1), 0x34);
    ck_assert_uint_eq(in(U(0)), 0x0c);
    ck_assert_uint_eq(in(U(1)), 0x34);
    outb(U(3), 0x03);
    ck_assert_uint_eq(in(U(1)), 0x00);
}
END_TEST

START_TEST(test_uart_loopback_fifo)
{
    outb(U(2), 0x07);
    outb(U(4), 0x10);
    for (unsigned i = 0; i < 20; i++)
        outb(U(0), (uint8_t)i);
    ck_assert_uint_eq(in(U(5)), 0x63); /* data, overrun, idle */
    for (unsigned i = 0; i < 16; i++)
        ck_assert_uint_eq(in(U(0)), i);
    ck_assert_uint_eq(in(U(5)), 0x60);
    ck_assert_uint_eq(out_len, 0);
}
END_TEST

START_TEST(test_uart_transmit_interrupt)
{
    outb(U(4), 0x08); /* OUT2 */
    outb(U(1), 0x02);
    ck_assert(irq);
    ck_assert_uint_eq(in(U(2)), 0x02);
    ck_assert(!irq); /* told */
    outb(U(0), 'x');
    ck_assert(irq);
    outb(U(4), 0x00); /* without OUT2 the line is low */
    ck_assert(!irq);
    outb(U(4), 0x08);
    outb(U(1), 0x00);
    ck_assert(!irq);
    outb(U(1), 0x02); /* enabling raises it again */
    ck_assert(irq);
    ck_assert_uint_eq(out[0], 'x');
}
END_TEST

START_TEST(test_uart_receive)
{
    ck_assert_uint_eq(uart_input(&uart, (const uint8_t *)"early", 5), 0); /* nobody listens */
    outb(U(2), 0x81);                                                     /* FIFO, trigger at 8 */
    outb(U(4), 0x0a);
    outb(U(1), 0x01);
    sim_run_until(&sim, 0);
    ck_assert_uint_eq(wanted, 1);
    ck_assert_uint_eq(uart_input(&uart, (const uint8_t *)"0123456789abcdefgh", 18), 16);
    ck_assert(irq);
    ck_assert_uint_eq(in(U(2)) & 0x0f, 0x04);
    ck_assert_uint_eq(uart_input(&uart, (const uint8_t *)"g", 1), 0); /* the line is busy */
    for (unsigned i = 0; i < 10; i++)
        ck_assert_uint_eq(in(U(0)), "0123456789"[i]);
    ck_assert_uint_eq(in(U(2)) & 0x0f, 0x0c); /* below the level */
    ck_assert_uint_eq(wanted, 1);
    sim_run_until(&sim, 16 * BYTE_PS - 1);
    ck_assert_uint_eq(wanted, 1);
    sim_run_until(&sim, 16 * BYTE_PS);
    ck_assert_uint_eq(wanted, 2); /* there is room, and time has passed */
    while (in(U(5)) & 1)
        in(U(0));
    ck_assert(!irq);
    ck_assert_uint_eq(in(U(2)) & 0x0f, 0x01);
}
END_TEST

/* As Linux reads it: LSR says what the byte that follows is. */
START_TEST(test_uart_break)
{
    ck_assert(uart_push_in(&uart, UART_BREAK)); /* waits until somebody listens */
    ck_assert(uart_push_in(&uart, 'c'));
    outb(U(2), 0x01);
    outb(U(4), 0x0a);
    outb(U(1), 0x05);
    ck_assert_uint_eq(uart_input(&uart, (const uint8_t *)"x", 1), 0); /* comes after them */
    sim_run_until(&sim, 0);
    ck_assert(irq);
    ck_assert_uint_eq(in(U(2)) & 0x0f, 0x06);
    sim_run_until(&sim, BYTE_PS);
    ck_assert_uint_eq(in(U(5)), 0xf1); /* data, break, idle, an error in the FIFO */
    ck_assert_uint_eq(in(U(5)), 0x61); /* told once */
    ck_assert_uint_eq(in(U(0)), 0);
    ck_assert_uint_eq(in(U(5)), 0x61);
    ck_assert_uint_eq(in(U(0)), 'c');
    ck_assert_uint_eq(in(U(5)), 0x60);
    ck_assert(!irq);
    ck_assert_uint_eq(wanted, 0);
    sim_run_until(&sim, 2 * BYTE_PS);
    ck_assert_uint_eq(wanted, 1);
    outb(U(1), 0);
    for (unsigned i = 0; i < UART_EXTRA_MAX; i++)
        ck_assert(uart_push_in(&uart, UART_BREAK));
    ck_assert(!uart_push_in(&uart, UART_BREAK));
    uart_reset(&uart);
    ck_assert_uint_eq(in(U(5)), 0x60);
    ck_assert(uart_push_in(&uart, UART_BREAK));
}
END_TEST

START_TEST(test_uart_clear_and_reset)
{
    outb(U(2), 0x01);
    outb(U(4), 0x0a);
    outb(U(1), 0x01);
    sim_run_until(&sim, 0);
    ck_assert_uint_eq(uart_input(&uart, (const uint8_t *)"ab", 2), 2);
    outb(U(2), 0x03);
    ck_assert(!irq);
    ck_assert_uint_eq(in(U(5)) & 1, 0);
    uart_reset(&uart);
    ck_assert_uint_eq(in(U(1)), 0);
    ck_assert_uint_eq(sim_next_ps(&sim), SIM_NEVER);
}
END_TEST

static unsigned cmos(unsigned index)
{
    outb(0x70, (uint8_t)index);
    return in(0x71);
}

static void cmos_set(unsigned index, uint8_t value)
{
    outb(0x70, (uint8_t)index);
    outb(0x71, value);
}

START_TEST(test_rtc_runs)
{
    ck_assert_uint_eq(cmos(0x32), 0x20);
    ck_assert_uint_eq(cmos(9), 0x25);
    ck_assert_uint_eq(cmos(8), 0x06);
    ck_assert_uint_eq(cmos(7), 0x01);
    ck_assert_uint_eq(cmos(6), 0x01); /* a Sunday */
    sim_run_until(&sim, (13 * 3600 + 14 * 60 + 15) * PS_PER_S);
    ck_assert_uint_eq(cmos(4), 0x13);
    ck_assert_uint_eq(cmos(2), 0x14);
    ck_assert_uint_eq(cmos(0), 0x15);
    cmos_set(0x0b, 0x04); /* binary, 12 hours */
    ck_assert_uint_eq(cmos(4), 0x81);
    ck_assert_uint_eq(cmos(2), 14);
    ck_assert_uint_eq(cmos(0x0a) & 0x80, 0);
    ck_assert_uint_eq(cmos(0x0d), 0x80);
}
END_TEST

START_TEST(test_rtc_is_set)
{
    static const uint8_t date[][2] = {{0, 0x59}, {2, 0x58}, {4, 0x23},   {7, 0x31},
                                      {8, 0x12}, {9, 0x99}, {0x32, 0x19}};

    sim_run_until(&sim, 5 * PS_PER_S);
    cmos_set(0x0b, 0x82);
    for (unsigned i = 0; i < 7; i++)
        cmos_set(date[i][0], date[i][1]);
    sim_run_until(&sim, 50 * PS_PER_S); /* stands while it is being set */
    ck_assert_uint_eq(cmos(0), 0x59);
    cmos_set(0x0b, 0x02);
    sim_run_until(&sim, 111 * PS_PER_S);
    ck_assert_uint_eq(cmos(9), 0x00);
    ck_assert_uint_eq(cmos(0x32), 0x20);
    ck_assert_uint_eq(cmos(8), 0x01);
    ck_assert_uint_eq(cmos(0), 0x00);
    for (unsigned r = 0; r < 256; r++) { /* nonsense does no harm */
        for (unsigned v = 0; v < 256; v += 17)
            cmos_set(r, (uint8_t)v);
        cmos(r);
    }
    cmos_set(0x7f, 0xa5);
    ck_assert_uint_eq(cmos(0x7f), 0xa5);
}
END_TEST

START_TEST(test_power_and_reset)
{
    outb(MAP_SLEEP_PORT, 0x1c);
    ck_assert_uint_eq(offs, 0);
    outb(MAP_SLEEP_PORT, 0x20 | 3 << 2); /* no such state */
    ck_assert_uint_eq(offs, 0);
    outb(MAP_SLEEP_PORT, 0x20 | PM_SLEEP_TYPE_S5 << 2);
    ck_assert_uint_eq(offs, 1);
    pm_reset_port_write(&pm, 0x02);
    ck_assert_uint_eq(resets, 0);
    pm_reset_port_write(&pm, 0x06);
    pm_reset_port_write(&pm, 0x06); /* no edge */
    ck_assert_uint_eq(resets, 1);
    ck_assert_uint_eq(pm_reset_port_read(&pm), 0x06);
    pm_reset(&pm);
    ck_assert_uint_eq(pm_reset_port_read(&pm), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("devices");
    TCase *tc = tcase_create("devices");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_bus_splits_and_limits);
    tcase_add_test(tc, test_uart_probe);
    tcase_add_test(tc, test_uart_break);
    tcase_add_test(tc, test_uart_loopback_fifo);
    tcase_add_test(tc, test_uart_transmit_interrupt);
    tcase_add_test(tc, test_uart_receive);
    tcase_add_test(tc, test_uart_clear_and_reset);
    tcase_add_test(tc, test_rtc_runs);
    tcase_add_test(tc, test_rtc_is_set);
    tcase_add_test(tc, test_power_and_reset);
    suite_add_tcase(suite, tc);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
