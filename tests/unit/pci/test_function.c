/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers, BARs, windows, resets, INTx. */
#include "parts.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct part_log log_;
static struct pci_func *ep;
static struct pci_func *port;

static void setup(void)
{
    memset(&log_, 0, sizeof(log_));
    ep = part_endpoint(&log_);
    port = part_port(&log_, PCIE_DOWNSTREAM_PORT);
}

static void teardown(void)
{
    pci_func_free(ep);
    pci_func_free(port);
}

START_TEST(test_identity)
{
    ck_assert_uint_eq(part_read(ep, PCI_VENDOR_ID, 4), 0xcd011d0f);
    ck_assert_uint_eq(part_read(ep, PCI_REVISION, 4), 0x01080203);
    ck_assert_uint_eq(part_read(ep, PCI_SUBVENDOR, 4), 0x00011d0f);
    ck_assert_uint_eq(part_read(ep, PCI_HEADER_TYPE, 1), 0);
    ck_assert_uint_eq(part_read(port, PCI_HEADER_TYPE, 1), 1);
    ck_assert_uint_eq(part_read(port, PCI_BASE_CLASS, 1), 6);
    ck_assert_uint_eq(part_read(port, PCI_SUB_CLASS, 1), 4);
    pci_func_set_multifunction(ep, true);
    ck_assert_uint_eq(part_read(ep, PCI_HEADER_TYPE, 1), 0x80);
    for (unsigned i = 0; i < 8; i += 4) {
        uint32_t before = part_read(ep, i * 2, 4);

        part_write(ep, i * 2, 4, 0xffffffff);
        ck_assert_uint_eq(part_read(ep, i * 2, 4), before);
    }
    part_write(ep, PCI_INTERRUPT_LINE, 4, 0xffffffff);
    ck_assert_uint_eq(part_read(ep, PCI_INTERRUPT_LINE, 4), 0x000002ff);
}
END_TEST

START_TEST(test_command)
{
    part_write(ep, PCI_COMMAND, 4, 0xffffffff);
    ck_assert_uint_eq(part_read(ep, PCI_COMMAND, 4), 0x00100547);
    ck_assert(pci_func_memory_enabled(ep) && pci_func_io_enabled(ep) && pci_func_bus_master(ep));
    part_write(ep, PCI_COMMAND, 1, 0);
    ck_assert_uint_eq(part_read(ep, PCI_COMMAND, 2), 0x0500);
    ck_assert(!pci_func_memory_enabled(ep) && !pci_func_io_enabled(ep) && !pci_func_bus_master(ep));
    /* What a function does not have cannot be switched on. */
    struct pci_func *rciep = part_integrated(&log_);
    part_write(rciep, PCI_COMMAND, 2, 0xffff);
    ck_assert_uint_eq(part_read(rciep, PCI_COMMAND, 2), 0x0146);
    pci_func_free(rciep);
}
END_TEST

START_TEST(test_status)
{
    pci_func_note_status(ep, PCI_STATUS_RECEIVED_UR | PCI_STATUS_SENT_CA);
    ck_assert_uint_eq(part_read(ep, PCI_STATUS, 2), 0x2810);
    part_write(ep, PCI_COMMAND, 4, 0x08000000); /* clears one */
    ck_assert_uint_eq(part_read(ep, PCI_STATUS, 2), 0x2010);
    pci_bridge_note_secondary_status(port, PCI_STATUS_RECEIVED_CA);
    ck_assert_uint_eq(part_read(port, PCI_SECONDARY_STATUS, 2), 0x1000);
    part_write(port, PCI_SECONDARY_STATUS, 2, 0xffff);
    ck_assert_uint_eq(part_read(port, PCI_SECONDARY_STATUS, 2), 0);
}
END_TEST

START_TEST(test_bar_sizing)
{
    static const uint32_t want[6] = {0xffffc000, 0xffffffc1, 0xfff00004,
                                     0xffffffff, 0x0000000c, 0xfffffffe};

    part_write(ep, PCI_COMMAND, 2, 7);
    log_.bar_changes = 0;
    for (unsigned i = 0; i < 6; i++) {
        part_write(ep, PCI_BAR(i), 4, 0xffffffff);
        ck_assert_uint_eq(part_read(ep, PCI_BAR(i), 4), want[i]);
    }
    part_write(ep, PCI_ROM, 4, 0xffffffff);
    ck_assert_uint_eq(part_read(ep, PCI_ROM, 4), 0xffff0001);
    for (unsigned i = 0; i < 7; i++) {
        ck_assert(!ep->bar[i].mapped);
    }
    ck_assert_int_eq(pci_func_find_bar(ep, false, 0xffffc000, 4), -1);
}
END_TEST

START_TEST(test_bar_decode)
{
    part_write(ep, PCI_BAR(0), 4, 0xe0000000);
    part_write(ep, PCI_BAR(1), 4, 0x3000);
    part_write(ep, PCI_BAR(2), 4, 0xe0100000);
    part_write(ep, PCI_BAR(4), 4, 0);
    part_write(ep, PCI_BAR(5), 4, 0x12);
    part_write(ep, PCI_ROM, 4, 0xe0200000);
    ck_assert_uint_eq(log_.bar_changes, 0);
    ck_assert_int_eq(pci_func_find_bar(ep, false, 0xe0000000, 4), -1);
    part_write(ep, PCI_COMMAND, 2, 3);
    ck_assert_uint_eq(log_.bar_changes, 4);
    ck_assert_int_eq(pci_func_find_bar(ep, false, 0xe0000000, 4), 0);
    ck_assert_int_eq(pci_func_find_bar(ep, false, 0xe0003ffc, 4), 0);
    ck_assert_int_eq(pci_func_find_bar(ep, false, 0xe0003ffd, 4), -1);
    ck_assert_int_eq(pci_func_find_bar(ep, false, 0xe0003fff, 0), 0);
    ck_assert_int_eq(pci_func_find_bar(ep, false, 0xe0004000, 0), -1);
    ck_assert_int_eq(pci_func_find_bar(ep, true, 0x3000, 4), 1);
    ck_assert_int_eq(pci_func_find_bar(ep, false, 0x3000, 4), -1);
    ck_assert_int_eq(pci_func_find_bar(ep, true, 0xe0000000, 4), -1);
    ck_assert_int_eq(pci_func_find_bar(ep, false, 0xe01fffff, 1), 2);
    ck_assert_int_eq(pci_func_find_bar(ep, false, 0x1300000000ULL, 4), 4);
    ck_assert_int_eq(pci_func_find_bar(ep, false, 0xe0200000, 4), -1);
    part_write(ep, PCI_ROM, 4, 0xe0200001);
    ck_assert_int_eq(pci_func_find_bar(ep, false, 0xe0200000, 4), PCI_ROM_BAR);
    part_write(ep, PCI_COMMAND, 2, 2);
    ck_assert_int_eq(pci_func_find_bar(ep, true, 0x3000, 4), -1);
    /* D3hot decodes nothing and forgets nothing. */
    part_write(ep, ep->cap_pm + PCI_PM_CSR, 2, 3);
    ck_assert_uint_eq(pci_func_power_state(ep), 3);
    ck_assert_int_eq(pci_func_find_bar(ep, false, 0xe0000000, 4), -1);
    ck_assert_uint_eq(part_read(ep, PCI_BAR(0), 4), 0xe0000000);
    part_write(ep, ep->cap_pm + PCI_PM_CSR, 2, 0);
    ck_assert_int_eq(pci_func_find_bar(ep, false, 0xe0000000, 4), 0);
}
END_TEST

START_TEST(test_windows)
{
    const struct pci_bridge_windows *w = &port->windows;

    ck_assert(w->io_base > w->io_limit && w->mem_base > w->mem_limit);
    ck_assert(w->pref_base > w->pref_limit);
    ck_assert(!pci_bridge_claims_bus(port, 0));
    ck_assert(!pci_bridge_claims_mem(port, 0) && !pci_bridge_claims_io(port, 0));

    part_write(port, PCI_PRIMARY_BUS, 4, 0xff090501);
    ck_assert_uint_eq(part_read(port, PCI_PRIMARY_BUS, 4), 0x00090501);
    ck_assert(!pci_bridge_claims_bus(port, 4) && pci_bridge_claims_bus(port, 5));
    ck_assert(pci_bridge_claims_bus(port, 9) && !pci_bridge_claims_bus(port, 10));

    part_write(port, PCI_MEM_BASE, 4, 0xe02fe01f);
    ck_assert_uint_eq(part_read(port, PCI_MEM_BASE, 4), 0xe020e010);
    ck_assert(!pci_bridge_claims_mem(port, 0xe00fffff) && pci_bridge_claims_mem(port, 0xe0100000));
    ck_assert(pci_bridge_claims_mem(port, 0xe02fffff) && !pci_bridge_claims_mem(port, 0xe0300000));

    part_write(port, PCI_PREF_BASE, 4, 0x00200010);
    ck_assert_uint_eq(part_read(port, PCI_PREF_BASE, 4), 0x00210011);
    part_write(port, PCI_PREF_BASE_UPPER, 4, 0x20);
    part_write(port, PCI_PREF_LIMIT_UPPER, 4, 0x21);
    ck_assert(!pci_bridge_claims_mem(port, 0x20000fffffULL));
    ck_assert(pci_bridge_claims_mem(port, 0x2000100000ULL));
    ck_assert(pci_bridge_claims_mem(port, 0x21002fffffULL));
    ck_assert(!pci_bridge_claims_mem(port, 0x2100300000ULL));

    part_write(port, PCI_IO_BASE, 2, 0x3020);
    ck_assert_uint_eq(part_read(port, PCI_IO_BASE, 2), 0x3121);
    ck_assert(pci_bridge_claims_io(port, 0x2000) && pci_bridge_claims_io(port, 0x3fff));
    ck_assert(pci_bridge_claims_io(port, 0x2100) && !pci_bridge_claims_io(port, 0x4000));
    part_write(port, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_ISA);
    ck_assert(pci_bridge_claims_io(port, 0x20ff) && !pci_bridge_claims_io(port, 0x2100));
    ck_assert(!pci_bridge_claims_io(port, 0x23ff) && pci_bridge_claims_io(port, 0x2400));
    part_write(port, PCI_IO_BASE_UPPER, 4, 0x00010001);
    ck_assert(pci_bridge_claims_io(port, 0x12100) && !pci_bridge_claims_io(port, 0x2000));
}
END_TEST

START_TEST(test_bridge_control)
{
    part_write(port, PCI_BRIDGE_CONTROL, 2, 0xffff);
    ck_assert_uint_eq(part_read(port, PCI_BRIDGE_CONTROL, 2), 0x0047);
    ck_assert_uint_eq(log_.bridge_controls, 1);
    ck_assert(log_.control_old == 0 && log_.control_new == 0x47);
    part_write(port, PCI_BRIDGE_CONTROL, 2, 0);
    ck_assert(log_.control_old == 0x47 && log_.control_new == 0);
    part_write(port, PCI_SECONDARY_BUS, 1, 3);
    ck_assert_uint_eq(log_.bridge_controls, 3);
    ck_assert(log_.control_old == 0 && log_.control_new == 0);
}
END_TEST

START_TEST(test_capability_lists)
{
    static const uint8_t want[] = {PCI_CAP_PM, PCI_CAP_MSI, PCI_CAP_PCIE, PCI_CAP_MSIX};
    unsigned at = part_read(ep, PCI_CAP_POINTER, 1);
    uint32_t header;

    ck_assert(part_read(ep, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST);
    for (unsigned i = 0; i < ARRAY_LEN(want); i++) {
        ck_assert_uint_eq(at & 3, 0);
        ck_assert_uint_eq(part_read(ep, at, 1), want[i]);
        at = part_read(ep, at + 1, 1);
    }
    ck_assert_uint_eq(at, 0);
    header = part_read(ep, 0x100, 4);
    ck_assert_uint_eq(header & 0xfffff, 0x10003);
    ck_assert_uint_eq(header >> 20, ep->ext_ari);
    header = part_read(ep, ep->ext_ari, 4);
    ck_assert_uint_eq(header & 0xfffff, 0x1000e);
    ck_assert_uint_eq(header >> 20, ep->ext_aer);
    ck_assert_uint_eq(part_read(ep, ep->ext_aer, 4) >> 20, ep->ext_acs);
    ck_assert_uint_eq(part_read(ep, ep->ext_acs, 4), 0x1000d);
    ck_assert_uint_eq(part_read(ep, ep->ext_ari + 4, 4), 0x100);
    ck_assert_uint_eq(part_read(ep, ep->ext_dsn + 4, 4), 0x44556677);
    ck_assert_uint_eq(part_read(ep, ep->ext_dsn + 8, 4), 0x00112233);
    ck_assert_uint_eq(part_read(port, port->cap_ssvid + 4, 4), 0x00021d0f);
    ck_assert_uint_eq(part_read(ep, 0xffc, 4), 0);
}
END_TEST

static void intx_is(bool level, unsigned changes, bool status)
{
    ck_assert(log_.intx == level);
    ck_assert_uint_eq(log_.intx_changes, changes);
    ck_assert(!!(part_read(ep, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT) == status);
}

START_TEST(test_intx)
{
    pci_func_set_intx(ep, true);
    intx_is(true, 1, true);
    pci_func_set_intx(ep, true);
    intx_is(true, 1, true);
    part_write(ep, PCI_COMMAND, 2, PCI_COMMAND_INTX_OFF);
    intx_is(false, 2, true);
    part_write(ep, PCI_COMMAND, 2, 0);
    intx_is(true, 3, true);
    part_write(ep, ep->cap_pm + PCI_PM_CSR, 2, 3);
    intx_is(false, 4, true);
    part_write(ep, ep->cap_pm + PCI_PM_CSR, 2, 0);
    intx_is(true, 5, true);
    part_write(ep, ep->cap_msi + PCI_MSI_CONTROL, 2, PCI_MSI_CONTROL_ENABLE);
    intx_is(false, 6, false);
    part_write(ep, ep->cap_msi + PCI_MSI_CONTROL, 2, 0);
    intx_is(true, 7, true);
    /* A Function Level Reset takes the level back, other resets leave that to the port. */
    part_write(ep, ep->cap_pcie + PCIE_DEVCTL, 2, PCIE_DEVCTL_FLR);
    intx_is(false, 8, false);
    pci_func_set_intx(ep, true);
    pci_func_reset(ep, REG_RESET_WARM);
    ck_assert_uint_eq(log_.intx_changes, 9);
    pci_func_set_intx(ep, true);
    intx_is(true, 10, true);
}
END_TEST

START_TEST(test_power_states)
{
    unsigned csr = ep->cap_pm + PCI_PM_CSR;

    part_write(ep, csr, 2, 1); /* D1 and D2 are not supported */
    ck_assert_uint_eq(part_read(ep, csr, 2), PCI_PM_CSR_NO_SOFT);
    part_write(ep, csr, 2, 0xffff);
    ck_assert_uint_eq(part_read(ep, csr, 2), PCI_PM_CSR_NO_SOFT | 3);
    part_write(ep, csr, 2, 2);
    ck_assert_uint_eq(part_read(ep, csr, 2), PCI_PM_CSR_NO_SOFT | 3);
    ck_assert_uint_eq(part_read(ep, ep->cap_pm + PCI_PM_CAPS, 2), 0x0003);
    ck_assert_uint_eq(part_read(port, port->cap_pm + PCI_PM_CAPS, 2), 0xc803);
    part_write(port, port->cap_pm + PCI_PM_CSR, 2, 0xffff);
    ck_assert_uint_eq(part_read(port, port->cap_pm + PCI_PM_CSR, 2), 0x010b);
    pci_func_reset(port, REG_RESET_WARM);
    ck_assert_uint_eq(part_read(port, port->cap_pm + PCI_PM_CSR, 2), 0x0108); /* PME_En: sticky */
    pci_func_reset(port, REG_RESET_COLD);
    ck_assert_uint_eq(part_read(port, port->cap_pm + PCI_PM_CSR, 2), 0x0008);
}
END_TEST

START_TEST(test_resets)
{
    unsigned devctl = ep->cap_pcie + PCIE_DEVCTL, lnkctl2 = ep->cap_pcie + PCIE_LNKCTL2;

    part_write(ep, PCI_COMMAND, 2, 7);
    part_write(ep, PCI_BAR(0), 4, 0xe0000000);
    part_write(ep, devctl, 2, 0x5f | 2 << 5);
    part_write(ep, lnkctl2, 2, 2);
    pcie_capture_slot_power(ep, 75);
    pci_func_capture(ep, 9, 0);
    part_write(ep, devctl, 2, 2 << 5 | PCIE_DEVCTL_FLR);
    ck_assert_uint_eq(log_.flrs, 1);
    ck_assert_uint_eq(part_read(ep, PCI_COMMAND, 2), 0);
    ck_assert_uint_eq(part_read(ep, PCI_BAR(0), 4), 0);
    ck_assert(!ep->bar[0].mapped);
    /* 6.6.2: what belongs to the link and the hierarchy stays. */
    ck_assert_uint_eq(part_read(ep, devctl, 2), 0x2810 | 2 << 5);
    ck_assert_uint_eq(part_read(ep, lnkctl2, 2), 2);
    ck_assert_uint_eq(part_read(ep, ep->cap_pcie + PCIE_LNKSTA, 2), 0x1044);
    ck_assert_uint_eq(FIELD_GET(PCIE_DEVCAP_POWER, part_read(ep, ep->cap_pcie + PCIE_DEVCAP, 4)),
                      75);
    ck_assert_uint_eq(ep->rid.v, 0x900);
    pci_func_reset(ep, REG_RESET_WARM);
    ck_assert_uint_eq(part_read(ep, devctl, 2), 0x2810);
    ck_assert_uint_eq(part_read(ep, lnkctl2, 2), 2);
    pci_func_reset(ep, REG_RESET_COLD);
    ck_assert_uint_eq(part_read(ep, lnkctl2, 2), 4);
    ck_assert_uint_eq(log_.flrs, 1);

    part_write(port, PCI_PRIMARY_BUS, 4, 0x00020100);
    pci_func_reset(port, REG_RESET_WARM);
    ck_assert(!pci_bridge_claims_bus(port, 1));
}
END_TEST

START_TEST(test_capture)
{
    ep->rid = pci_rid_make(0, 0, 3);
    pci_func_capture(ep, 0x12, 4);
    ck_assert_uint_eq(ep->rid.v, 0x1223);
}
END_TEST

START_TEST(test_memory_per_function)
{
    /* An idle function costs far less than 16 KiB; an MSI-X table comes on top. */
    ck_assert_uint_lt(sizeof(*ep) + reg_space_memory_bytes(ep->cfg), 8192);
    ck_assert_uint_lt(sizeof(*port) + reg_space_memory_bytes(port->cfg), 8192);
}
END_TEST

struct lint {
    unsigned rows, last;
};

static void lint_row(void *opaque, const struct reg_def *def, unsigned offset, uint64_t value)
{
    struct lint *lint = opaque;
    char why[128];

    ck_assert_msg(reg_table_lint(def, 1, why, sizeof(why)), "%s", why);
    ck_assert(strstr(def->clause, " 7.") || strstr(def->clause, "3.2."));
    ck_assert(!(value & (def->w1t | def->rsvdz)));
    lint->rows++;
}

START_TEST(test_tables)
{
    struct lint lint = {0};

    reg_space_visit(ep->cfg, lint_row, &lint);
    ck_assert_uint_gt(lint.rows, 50);
    lint.rows = 0;
    reg_space_visit(port->cfg, lint_row, &lint);
    ck_assert_uint_gt(lint.rows, 60);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("function");
    TCase *tc = tcase_create("function");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_identity);
    tcase_add_test(tc, test_command);
    tcase_add_test(tc, test_status);
    tcase_add_test(tc, test_bar_sizing);
    tcase_add_test(tc, test_bar_decode);
    tcase_add_test(tc, test_windows);
    tcase_add_test(tc, test_bridge_control);
    tcase_add_test(tc, test_capability_lists);
    tcase_add_test(tc, test_intx);
    tcase_add_test(tc, test_power_states);
    tcase_add_test(tc, test_resets);
    tcase_add_test(tc, test_capture);
    tcase_add_test(tc, test_memory_per_function);
    tcase_add_test(tc, test_tables);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
