/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shells: what is behind their BARs, resets, power states. */
#include <string.h>

#include "pcilab/endpoint/shell.h"
#include "pcilab/pci/config.h"
#include "rig.h"

#define BRIDGE RIG_CFG(0, 2, 0, 0)
#define DEV    RIG_CFG(1, 0, 0, 0)
#define BAR0   0xe0000000ULL
#define PM     0x40 /* capabilities of both, and of the device alone */
#define PCIE   0x50
#define AF     0x90

#define DEVCTL  (DEV + PCIE + 8)
#define PMCSR   (DEV + PM + 4)
#define BRCTL   (BRIDGE + 0x3e)
#define COMMAND (DEV + 4)

static struct rig *rig;
static struct shell *shell;
static struct shell_func_params funcs[2];

static void put16(uint8_t *config, unsigned at, unsigned value)
{
    le16_store(config + at, (uint16_t)value);
}

static void describe(void)
{
    uint8_t *b = funcs[0].config, *d = funcs[1].config;

    memset(funcs, 0, sizeof(funcs));
    funcs[0].devfn = 2 << 3;
    funcs[1].bus = 1;
    funcs[0].config_bytes = funcs[1].config_bytes = 256;
    put16(b, 0, 0x8086);
    put16(b, 2, 0x1901);
    put16(b, 4, 0x0007);
    put16(b, 6, 0x0010);
    put16(b, 0x0a, 0x0604);
    b[0x0e] = 1;
    b[0x19] = b[0x1a] = 1;
    put16(b, 0x20, 0xe000);
    put16(b, 0x22, 0xe000);
    b[0x34] = PM;
    put16(b, PM, 0x0001);
    put16(b, PM + 2, 0xc803);
    put16(d, 0, 0x1234);
    put16(d, 2, 0x5678);
    put16(d, 4, 0x0006);
    put16(d, 6, 0x0010);
    le32_store(d + 0x10, (uint32_t)BAR0);
    funcs[1].bar_bytes[0] = 0x10000;
    d[0x34] = PM;
    put16(d, PM, PCIE << 8 | 0x01);
    put16(d, PM + 2, 0x0203); /* D1, no D2 */
    put16(d, PCIE, AF << 8 | 0x10);
    put16(d, PCIE + 2, 0x0002);
    le32_store(d + PCIE + 4, 1u << 28);
    put16(d, PCIE + 8, 0x2930);
    put16(d, PCIE + 0x12, 0x1043);
    put16(d, AF, 0x0013);
    put16(d, AF + 2, 0x0306);
}

static void make(bool memory)
{
    struct shell_params params = {
        .name = "shell", .device = 2, .funcs = funcs, .count = 2, .memory = memory};

    rig = rig_new();
    shell = shell_new(rig->fabric, &params);
    root_integrate(rig->rc, shell_port(shell), 2);
    ck_assert_uint_eq(rig_cfg_read(rig, DEV, 4), 0x56781234);
}

static void setup(void)
{
    describe();
    make(true);
}

static void teardown(void)
{
    shell_free(shell);
    rig_free(rig);
}

static uint32_t bar_read(unsigned offset)
{
    return (uint32_t)rig_read(rig, ROOT_MEM_READ, BAR0 + offset, 4);
}

static void bar_write(unsigned offset, uint32_t value)
{
    rig_write(rig, ROOT_MEM_WRITE, BAR0 + offset, 4, value);
    rig_settle(rig);
}

START_TEST(bars_are_memory)
{
    ck_assert_uint_eq(bar_read(0), 0);
    bar_write(0, 0x01234567);
    bar_write(0x0ffc, 0x89abcdef);
    bar_write(0x1000, 0x5a5a5a5a);
    ck_assert_uint_eq(bar_read(0), 0x01234567);
    ck_assert_uint_eq(bar_read(0x0ffc), 0x89abcdef);
    ck_assert_uint_eq(bar_read(0x1000), 0x5a5a5a5a);
    ck_assert_uint_eq(bar_read(0x2000), 0);
    /* Wherever it is: the memory is the BAR's. */
    rig_cfg_write(rig, DEV + 0x10, 4, BAR0 + 0x20000);
    ck_assert_uint_eq(bar_read(0), 0xffffffff);
    ck_assert_uint_eq(bar_read(0x20000), 0x01234567);
    shell_reset(shell);
    ck_assert_uint_eq(bar_read(0), 0);
}
END_TEST

START_TEST(bars_are_ones)
{
    teardown();
    make(false);
    bar_write(0, 1);
    ck_assert_uint_eq(bar_read(0), 0xffffffff);
}
END_TEST

static void expect_reset(bool was)
{
    ck_assert_uint_eq(rig_cfg_read(rig, DEV, 4), 0x56781234);
    ck_assert_uint_eq(rig_cfg_read(rig, COMMAND, 2), was ? 0 : 6);
    ck_assert_uint_eq(rig_cfg_read(rig, DEV + 0x10, 4), was ? 0 : BAR0);
    ck_assert_uint_eq(rig_cfg_read(rig, DEV + PCIE + 0x12, 2), 0x1043);
    ck_assert_uint_eq(bar_read(0), was ? 0xffffffff : 0);
}

START_TEST(function_level_reset)
{
    expect_reset(false);
    rig_cfg_write(rig, DEVCTL, 2, 0xa930);
    expect_reset(true);
    /* Max_Payload_Size stays (6.6.2), the rest is the default. */
    ck_assert_uint_eq(rig_cfg_read(rig, DEVCTL, 2), 0x2830);
}
END_TEST

START_TEST(no_function_level_reset_without_capability)
{
    teardown();
    le32_store(funcs[1].config + PCIE + 4, 0);
    funcs[1].config[AF + 3] = 0x01;
    make(true);
    rig_cfg_write(rig, DEVCTL, 2, 0xa930);
    rig_cfg_write(rig, DEV + AF + 4, 1, 1);
    expect_reset(false);
}
END_TEST

START_TEST(advanced_features_reset)
{
    rig_cfg_write(rig, DEV + AF + 4, 1, 1);
    ck_assert_uint_eq(rig_cfg_read(rig, DEV + AF + 4, 1), 0);
    expect_reset(true);
}
END_TEST

START_TEST(secondary_bus_reset)
{
    rig_cfg_write(rig, BRCTL, 2, PCI_BRIDGE_CONTROL_SECONDARY_RESET);
    ck_assert_uint_eq(rig_cfg_read(rig, DEV, 4), 0xffffffff);
    ck_assert_uint_eq(bar_read(0), 0xffffffff);
    rig_cfg_write(rig, BRCTL, 2, 0);
    expect_reset(true);
    ck_assert_uint_eq(rig_cfg_read(rig, DEVCTL, 2), 0x2810);
    ck_assert_uint_eq(rig_cfg_read(rig, BRIDGE + 0x18, 4), 0x00010100);
    shell_reset(shell);
    expect_reset(false);
}
END_TEST

START_TEST(power_states)
{
    rig_cfg_write(rig, PMCSR, 2, 2); /* not supported */
    ck_assert_uint_eq(rig_cfg_read(rig, PMCSR, 2), 0);
    rig_cfg_write(rig, PMCSR, 2, 1);
    ck_assert_uint_eq(rig_cfg_read(rig, PMCSR, 2), 1);
    ck_assert_uint_eq(bar_read(0), 0xffffffff);
    rig_cfg_write(rig, PMCSR, 2, 0);
    expect_reset(false);
    rig_cfg_write(rig, PMCSR, 2, 3);
    rig_cfg_write(rig, PMCSR, 2, 1); /* only up to D0 from there */
    ck_assert_uint_eq(rig_cfg_read(rig, PMCSR, 2), 3);
    rig_cfg_write(rig, PMCSR, 2, 0);
    expect_reset(true);
}
END_TEST

START_TEST(no_soft_reset)
{
    teardown();
    put16(funcs[1].config, PM + 4, 0x0008);
    make(true);
    rig_cfg_write(rig, PMCSR, 2, 3);
    ck_assert_uint_eq(bar_read(0), 0xffffffff);
    rig_cfg_write(rig, PMCSR, 2, 0);
    expect_reset(false);
}
END_TEST

START_TEST(sleeping_bridge_passes_nothing)
{
    rig_cfg_write(rig, BRIDGE + PM + 4, 2, 3);
    ck_assert_uint_eq(rig_cfg_read(rig, DEV, 4), 0xffffffff);
    ck_assert_uint_eq(bar_read(0), 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(rig, BRIDGE, 4), 0x19018086);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shell");
    TCase *tcase = tcase_create("shell");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, bars_are_memory);
    tcase_add_test(tcase, bars_are_ones);
    tcase_add_test(tcase, function_level_reset);
    tcase_add_test(tcase, no_function_level_reset_without_capability);
    tcase_add_test(tcase, advanced_features_reset);
    tcase_add_test(tcase, secondary_bus_reset);
    tcase_add_test(tcase, power_states);
    tcase_add_test(tcase, no_soft_reset);
    tcase_add_test(tcase, sleeping_bridge_passes_nothing);
    suite_add_tcase(suite, tcase);
    return rig_run_suite(suite);
}
