/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSI, MSI-X and the PCI Express capability. */
#include "parts.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct part_log log_;
static struct pci_func *ep;
static struct pci_func *root;

static void setup(void)
{
    memset(&log_, 0, sizeof(log_));
    ep = part_endpoint(&log_);
    root = part_port(&log_, PCIE_ROOT_PORT);
}

static void teardown(void)
{
    pci_func_free(ep);
    pci_func_free(root);
}

static void msi_program(struct pci_func *f, unsigned log2)
{
    part_write(f, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    part_write(f, f->cap_msi + PCI_MSI_ADDRESS, 4, 0xfee01003);
    part_write(f, f->cap_msi + PCI_MSI_ADDRESS_UPPER, 4, 2);
    part_write(f, f->cap_msi + PCI_MSI_DATA, 4, 0xffff4045);
    part_write(f, f->cap_msi + PCI_MSI_CONTROL, 2, PCI_MSI_CONTROL_ENABLE | log2 << 4);
}

START_TEST(test_msi_registers)
{
    ck_assert_uint_eq(part_read(ep, ep->cap_msi + PCI_MSI_CONTROL, 2), 0x0186);
    part_write(ep, ep->cap_msi + PCI_MSI_CONTROL, 2, 0xffff);
    ck_assert_uint_eq(part_read(ep, ep->cap_msi + PCI_MSI_CONTROL, 2), 0x01f7);
    part_write(ep, ep->cap_msi + PCI_MSI_MASK, 4, 0xffffffff);
    ck_assert_uint_eq(part_read(ep, ep->cap_msi + PCI_MSI_MASK, 4), 0xff);
    part_write(ep, ep->cap_msi + PCI_MSI_PENDING, 4, 0xffffffff);
    ck_assert_uint_eq(part_read(ep, ep->cap_msi + PCI_MSI_PENDING, 4), 0);
}
END_TEST

START_TEST(test_msi_messages)
{
    pci_func_msi_raise(ep, 0);
    ck_assert_uint_eq(log_.msis, 0); /* not enabled: nothing, and nothing waits */
    msi_program(ep, 2);
    ck_assert_uint_eq(log_.msis, 0);
    ck_assert(pci_func_msi_enabled(ep));
    ck_assert_uint_eq(pci_func_msi_vectors(ep), 4);
    pci_func_msi_raise(ep, 3);
    ck_assert_uint_eq(log_.msi_addr[0], 0x2fee01000ULL);
    ck_assert_uint_eq(log_.msi_data[0], 0x4047);
    pci_func_msi_raise(ep, 5); /* shared with vector 1 */
    ck_assert_uint_eq(log_.msi_data[1], 0x4045);
    part_write(ep, ep->cap_msi + PCI_MSI_CONTROL, 2, PCI_MSI_CONTROL_ENABLE | 7 << 4);
    ck_assert_uint_eq(pci_func_msi_vectors(ep), 8); /* no more than it can */
}
END_TEST

START_TEST(test_msi_waits)
{
    unsigned mask = ep->cap_msi + PCI_MSI_MASK, pending = ep->cap_msi + PCI_MSI_PENDING;

    msi_program(ep, 3);
    part_write(ep, mask, 4, 0x06);
    pci_func_msi_raise(ep, 1);
    pci_func_msi_raise(ep, 2);
    pci_func_msi_raise(ep, 2);
    pci_func_msi_raise(ep, 3);
    ck_assert_uint_eq(log_.msis, 1);
    ck_assert_uint_eq(part_read(ep, pending, 4), 0x06);
    part_write(ep, mask, 1, 0x02);
    ck_assert_uint_eq(log_.msis, 2);
    ck_assert_uint_eq(log_.msi_data[1], 0x4042);
    ck_assert_uint_eq(part_read(ep, pending, 4), 0x02);
    /* Neither without Bus Master Enable nor in D3hot. */
    part_write(ep, PCI_COMMAND, 2, 0);
    part_write(ep, mask, 1, 0);
    ck_assert_uint_eq(log_.msis, 2);
    part_write(ep, ep->cap_pm + PCI_PM_CSR, 2, 3);
    part_write(ep, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    ck_assert_uint_eq(log_.msis, 2);
    part_write(ep, ep->cap_pm + PCI_PM_CSR, 2, 0);
    ck_assert_uint_eq(log_.msis, 3);
    ck_assert_uint_eq(part_read(ep, pending, 4), 0);
    /* A disable forgets what waits. */
    part_write(ep, mask, 4, 1);
    pci_func_msi_raise(ep, 0);
    part_write(ep, ep->cap_msi + PCI_MSI_CONTROL, 2, 0);
    part_write(ep, mask, 4, 0);
    part_write(ep, ep->cap_msi + PCI_MSI_CONTROL, 2, PCI_MSI_CONTROL_ENABLE);
    ck_assert_uint_eq(log_.msis, 3);
}
END_TEST

static void table_write(unsigned vector, unsigned field, uint32_t value)
{
    uint8_t data[4];

    le32_store(data, value);
    ck_assert(pci_msix_bar_write(ep, 0, PART_TABLE + vector * 16 + field, data, 4));
}

static uint32_t bar_read(uint64_t offset)
{
    uint8_t data[4];

    ck_assert(pci_msix_bar_read(ep, 0, offset, data, 4));
    return le32_load(data);
}

static void msix_program(unsigned vector, bool masked)
{
    table_write(vector, 0, 0xfee00003);
    table_write(vector, 4, vector);
    table_write(vector, 8, 0x100 + vector);
    table_write(vector, 12, masked ? 0xffffffff : 0xfffffffe);
}

START_TEST(test_msix_table)
{
    uint8_t data[64];

    ck_assert_uint_eq(part_read(ep, ep->cap_msix + PCI_MSIX_CONTROL, 2), PART_VECTORS - 1);
    ck_assert_uint_eq(part_read(ep, ep->cap_msix + PCI_MSIX_TABLE, 4), PART_TABLE);
    ck_assert_uint_eq(part_read(ep, ep->cap_msix + PCI_MSIX_PBA, 4), PART_PBA);
    ck_assert_uint_eq(bar_read(PART_TABLE + 12), 1); /* masked after reset */
    msix_program(69, false);
    ck_assert_uint_eq(bar_read(PART_TABLE + 69 * 16), 0xfee00000);
    ck_assert_uint_eq(bar_read(PART_TABLE + 69 * 16 + 12), 0);
    ck_assert(!pci_msix_bar_read(ep, 0, PART_TABLE + 70 * 16, data, 4));
    ck_assert(!pci_msix_bar_read(ep, 0, PART_TABLE - 4, data, 4));
    ck_assert(!pci_msix_bar_read(ep, 2, PART_TABLE, data, 4));
    ck_assert(!pci_msix_bar_write(ep, 0, PART_PBA + 16, data, 4));
    ck_assert(pci_msix_bar_write(ep, 0, PART_PBA, data, 4));
    /* Across an end of the table: ours, zero outside. */
    memset(data, 0xee, sizeof(data));
    ck_assert(pci_msix_bar_read(ep, 0, PART_TABLE + 69 * 16, data, 32));
    ck_assert_uint_eq(le32_load(data + 8), 0x100 + 69);
    ck_assert_uint_eq(le64_load(data + 16), 0);
    /* Long accesses and odd bytes. */
    ck_assert(pci_msix_bar_read(ep, 0, PART_TABLE + 68 * 16 + 15, data, 10));
    ck_assert(data[0] == 0 && data[1] == 0 && data[3] == 0xe0 && data[4] == 0xfe && data[9] == 69);
}
END_TEST

START_TEST(test_msix_messages)
{
    unsigned control = ep->cap_msix + PCI_MSIX_CONTROL;

    msix_program(1, false);
    msix_program(66, true);
    pci_func_msi_raise(ep, 1);
    ck_assert_uint_eq(log_.msis, 0);
    part_write(ep, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    part_write(ep, control, 2, PCI_MSIX_CONTROL_ENABLE);
    ck_assert_uint_eq(pci_func_msi_vectors(ep), PART_VECTORS);
    pci_func_msi_raise(ep, 1);
    ck_assert_uint_eq(log_.msis, 1);
    ck_assert_uint_eq(log_.msi_addr[0], 0x1fee00000ULL);
    ck_assert_uint_eq(log_.msi_data[0], 0x101);
    pci_func_msi_raise(ep, 66);
    pci_func_msi_raise(ep, 5000);
    ck_assert_uint_eq(log_.msis, 1);
    ck_assert_uint_eq(bar_read(PART_PBA + 8), 4);
    part_write(ep, control, 2, PCI_MSIX_CONTROL_ENABLE | PCI_MSIX_CONTROL_MASK);
    table_write(66, 12, 0);
    pci_func_msi_raise(ep, 1);
    ck_assert_uint_eq(log_.msis, 1);
    ck_assert_uint_eq(bar_read(PART_PBA), 2);
    part_write(ep, control, 2, PCI_MSIX_CONTROL_ENABLE);
    ck_assert_uint_eq(log_.msis, 3);
    ck_assert_uint_eq(log_.msi_data[2], 0x100 + 66);
    ck_assert_uint_eq(bar_read(PART_PBA) | bar_read(PART_PBA + 8), 0);
    /* Unmasking one vector sends it at once. */
    table_write(1, 12, 1);
    pci_func_msi_raise(ep, 1);
    table_write(1, 12, 0);
    ck_assert_uint_eq(log_.msis, 4);
    part_write(ep, PCI_COMMAND, 2, 0);
    pci_func_msi_raise(ep, 1);
    ck_assert_uint_eq(log_.msis, 4);
    part_write(ep, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    ck_assert_uint_eq(log_.msis, 5);
    pci_func_reset(ep, REG_RESET_FLR);
    ck_assert_uint_eq(bar_read(PART_TABLE + 16), 0);
    ck_assert_uint_eq(bar_read(PART_TABLE + 16 + 12), 1);
    ck_assert(!pci_func_msi_enabled(ep));
}
END_TEST

/* 7.5.3: the words that each type must have, from the specification. */
START_TEST(test_pcie_registers)
{
    struct pci_func *down = part_port(&log_, PCIE_DOWNSTREAM_PORT);
    struct pci_func *up = part_port(&log_, PCIE_UPSTREAM_PORT);
    struct pci_func *rciep = part_integrated(&log_);

    ck_assert_uint_eq(part_read(ep, ep->cap_pcie + PCIE_FLAGS, 2), 0x0002);
    ck_assert_uint_eq(part_read(root, root->cap_pcie + PCIE_FLAGS, 2), 0x0142);
    ck_assert_uint_eq(part_read(up, up->cap_pcie + PCIE_FLAGS, 2), 0x0052);
    ck_assert_uint_eq(part_read(down, down->cap_pcie + PCIE_FLAGS, 2), 0x0162);
    ck_assert_uint_eq(part_read(rciep, rciep->cap_pcie + PCIE_FLAGS, 2), 0x0092);
    ck_assert_uint_eq(part_read(ep, ep->cap_pcie + PCIE_DEVCAP, 4), 0x10008fe2);
    ck_assert_uint_eq(part_read(root, root->cap_pcie + PCIE_DEVCAP, 4), 0x00008021);
    ck_assert_uint_eq(part_read(ep, ep->cap_pcie + PCIE_LNKCAP, 4), 0x00400044);
    ck_assert_uint_eq(part_read(root, root->cap_pcie + PCIE_LNKCAP, 4), 0x07780105);
    ck_assert_uint_eq(part_read(up, up->cap_pcie + PCIE_LNKCAP, 4), 0x07400105);
    ck_assert_uint_eq(part_read(rciep, rciep->cap_pcie + PCIE_LNKCAP, 4), 0);
    ck_assert_uint_eq(part_read(ep, ep->cap_pcie + PCIE_DEVCAP2, 4), 0x0013001f);
    ck_assert_uint_eq(part_read(root, root->cap_pcie + PCIE_DEVCAP2, 4), 0x0011003f);
    ck_assert_uint_eq(part_read(down, down->cap_pcie + PCIE_DEVCAP2, 4), 0x00110020);
    ck_assert_uint_eq(part_read(up, up->cap_pcie + PCIE_DEVCAP2, 4), 0x00110000);
    ck_assert_uint_eq(part_read(ep, ep->cap_pcie + PCIE_LNKCAP2, 4), 0x0180001e);
    ck_assert_uint_eq(part_read(ep, ep->cap_pcie + PCIE_LNKCTL2, 2), 4);
    ck_assert_uint_eq(part_read(root, root->cap_pcie + PCIE_SLTCAP, 4),
                      12u << 19 | 1 << 18 | 75 << 7);
    ck_assert_uint_eq(part_read(up, up->cap_pcie + PCIE_SLTCAP, 4), 0);
    ck_assert_uint_eq(part_read(down, down->cap_pcie + PCIE_ROOTCTL, 2), 0);
    ck_assert_uint_eq(pcie_slot_power_limit(root), 75);
    /* Which bits can be written. */
    part_write(down, down->cap_pcie + PCIE_DEVCTL, 4, 0xffffffff);
    ck_assert_uint_eq(part_read(down, down->cap_pcie + PCIE_DEVCTL, 4), 0x00ef);
    part_write(root, root->cap_pcie + PCIE_LNKCTL, 2, 0xffdf);
    ck_assert_uint_eq(part_read(root, root->cap_pcie + PCIE_LNKCTL, 2), 0x0cd3);
    part_write(ep, ep->cap_pcie + PCIE_LNKCTL, 2, 0xffff);
    ck_assert_uint_eq(part_read(ep, ep->cap_pcie + PCIE_LNKCTL, 2), 0x00cb);
    part_write(up, up->cap_pcie + PCIE_LNKCTL, 2, 0xffff);
    ck_assert_uint_eq(part_read(up, up->cap_pcie + PCIE_LNKCTL, 2), 0x00c3);
    part_write(down, down->cap_pcie + PCIE_DEVCTL2, 2, 0xffff);
    ck_assert_uint_eq(part_read(down, down->cap_pcie + PCIE_DEVCTL2, 2), 0x0020);
    part_write(ep, ep->cap_pcie + PCIE_DEVCTL2, 2, 0xffff);
    ck_assert_uint_eq(part_read(ep, ep->cap_pcie + PCIE_DEVCTL2, 2), 0x111f);
    part_write(root, root->cap_pcie + PCIE_ROOTCTL, 2, 0xffff);
    ck_assert_uint_eq(part_read(root, root->cap_pcie + PCIE_ROOTCTL, 2), 0x001f);
    pci_func_free(down);
    pci_func_free(up);
    pci_func_free(rciep);
}
END_TEST

START_TEST(test_device_control)
{
    unsigned devctl = ep->cap_pcie + PCIE_DEVCTL, devctl2 = ep->cap_pcie + PCIE_DEVCTL2;

    ck_assert_uint_eq(pcie_max_payload_bytes(ep), 128);
    ck_assert_uint_eq(pcie_max_read_request_bytes(ep), 512);
    ck_assert(!pcie_extended_tags(ep));
    ck_assert_uint_eq(pcie_allowed_attr(ep, 7), TLP_ATTR_NO_SNOOP | TLP_ATTR_RELAXED);
    part_write(ep, devctl, 2, 5 << 12 | PCIE_DEVCTL_EXT_TAG | 1 << 5);
    part_write(ep, devctl2, 2, PCIE_DEVCTL2_IDO_REQUEST);
    ck_assert_uint_eq(pcie_max_payload_bytes(ep), 256);
    ck_assert_uint_eq(pcie_max_read_request_bytes(ep), 4096);
    ck_assert(pcie_extended_tags(ep));
    ck_assert_uint_eq(pcie_allowed_attr(ep, 7), TLP_ATTR_IDO);
    part_write(ep, devctl, 2, 7 << 12 | 7 << 5); /* beyond what is defined or supported */
    ck_assert_uint_eq(pcie_max_payload_bytes(ep), 512);
    ck_assert_uint_eq(pcie_max_read_request_bytes(ep), 4096);
    ck_assert_uint_eq(pcie_completion_boundary_bytes(ep), 128);
    ck_assert_uint_eq(pcie_completion_boundary_bytes(root), 64);
    ck_assert(!pcie_ari_forwarding(root));
    part_write(root, root->cap_pcie + PCIE_DEVCTL2, 2, PCIE_DEVCTL2_ARI);
    ck_assert(pcie_ari_forwarding(root));

    pcie_note_device_status(ep, PCIE_DEVSTA_UR | PCIE_DEVSTA_NONFATAL | 0xfff0);
    pcie_set_transactions_pending(ep, true);
    ck_assert_uint_eq(part_read(ep, ep->cap_pcie + PCIE_DEVSTA, 2), 0x2a);
    part_write(ep, ep->cap_pcie + PCIE_DEVSTA, 2, 0xffff);
    ck_assert_uint_eq(part_read(ep, ep->cap_pcie + PCIE_DEVSTA, 2), 0x20);
    pcie_set_transactions_pending(ep, false);
    ck_assert_uint_eq(part_read(ep, ep->cap_pcie + PCIE_DEVSTA, 2), 0);
}
END_TEST

START_TEST(test_link_and_slot)
{
    unsigned lnksta = root->cap_pcie + PCIE_LNKSTA, sltsta = root->cap_pcie + PCIE_SLTSTA;

    ck_assert_uint_eq(part_read(root, lnksta, 2), 0x3044);
    ck_assert_uint_eq(part_read(root, sltsta, 2), 0x0148);
    part_write(root, sltsta, 2, 0xffff);
    ck_assert_uint_eq(part_read(root, sltsta, 2), 0x0040);
    pcie_set_link(root, 0, 0, false);
    ck_assert_uint_eq(part_read(root, lnksta, 2), 0x1001);
    ck_assert_uint_eq(part_read(root, sltsta, 2), 0x0140);
    pcie_set_presence(root, false);
    ck_assert_uint_eq(part_read(root, sltsta, 2), 0x0108);
    pcie_set_presence(root, true);
    pci_func_reset(root, REG_RESET_COLD);
    ck_assert_uint_eq(part_read(root, sltsta, 2), 0x0040); /* what is plugged in stays */
    pcie_set_link(root, 1, 16, true);
    ck_assert_uint_eq(part_read(root, lnksta, 2), 0x3101);
    ck_assert_uint_eq(part_read(root, root->cap_pcie + PCIE_LNKSTA2, 2), 0);
    pcie_set_link(root, 3, 16, true);
    ck_assert_uint_eq(part_read(root, root->cap_pcie + PCIE_LNKSTA2, 2), 0x1e);
    ck_assert_uint_eq(pcie_target_speed(root), 5);
    part_write(root, root->cap_pcie + PCIE_LNKCTL2, 2, 2);
    ck_assert_uint_eq(pcie_target_speed(root), 2);
    part_write(root, root->cap_pcie + PCIE_LNKCTL2, 2, 15);
    ck_assert_uint_eq(pcie_target_speed(root), 5);
}
END_TEST

START_TEST(test_bandwidth_notification)
{
    unsigned lnkctl = root->cap_pcie + PCIE_LNKCTL, lnksta = root->cap_pcie + PCIE_LNKSTA;

    msi_program(root, 0);
    part_write(root, lnkctl, 2, PCIE_LNKCTL_RETRAIN);
    ck_assert_uint_eq(part_read(root, lnkctl, 2), 0); /* reads as 0 */
    ck_assert_uint_eq(part_read(root, lnksta, 2) & PCIE_LNKSTA_BANDWIDTH, PCIE_LNKSTA_BANDWIDTH);
    ck_assert_uint_eq(log_.msis, 0);
    part_write(root, lnkctl, 2, PCIE_LNKCTL_BANDWIDTH_IE);
    ck_assert_uint_eq(log_.msis, 1);
    part_write(root, lnkctl, 2, PCIE_LNKCTL_BANDWIDTH_IE | PCIE_LNKCTL_RETRAIN);
    ck_assert_uint_eq(log_.msis, 1); /* still the same condition */
    part_write(root, lnksta, 2, PCIE_LNKSTA_BANDWIDTH);
    part_write(root, lnkctl, 2, PCIE_LNKCTL_BANDWIDTH_IE | PCIE_LNKCTL_RETRAIN);
    ck_assert_uint_eq(log_.msis, 2);
}
END_TEST

START_TEST(test_root_pme)
{
    unsigned rootctl = root->cap_pcie + PCIE_ROOTCTL, rootsta = root->cap_pcie + PCIE_ROOTSTA;

    pcie_root_pme(root, (struct pci_rid){0x123});
    ck_assert_uint_eq(part_read(root, rootsta, 4), 0x10123);
    ck_assert(!log_.intx);
    part_write(root, rootctl, 2, PCIE_ROOTCTL_PME_IE);
    ck_assert(log_.intx);
    msi_program(root, 0);
    ck_assert(!log_.intx);
    pcie_root_pme(root, (struct pci_rid){0x200});
    for (unsigned i = 0; i < 20; i++) {
        pcie_root_pme(root, (struct pci_rid){(uint16_t)(0x300 + i)});
    }
    ck_assert_uint_eq(part_read(root, rootsta, 4), 0x30123);
    log_.msis = 0;
    part_write(root, rootsta, 4, PCIE_ROOTSTA_PME);
    ck_assert_uint_eq(part_read(root, rootsta, 4), 0x30200);
    ck_assert_uint_eq(log_.msis, 1);
    for (unsigned i = 1; i < PCIE_PME_QUEUE; i++) {
        part_write(root, rootsta, 4, PCIE_ROOTSTA_PME);
    }
    ck_assert_uint_eq(part_read(root, rootsta, 4), 0x10300 + PCIE_PME_QUEUE - 2);
    part_write(root, rootsta, 4, PCIE_ROOTSTA_PME);
    ck_assert_uint_eq(part_read(root, rootsta, 4) & ~0xffffu, 0);
    ck_assert_uint_eq(log_.msis, PCIE_PME_QUEUE);
    pcie_root_pme(ep, (struct pci_rid){0x123}); /* no root port: nothing */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("caps");
    TCase *tc = tcase_create("caps");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_msi_registers);
    tcase_add_test(tc, test_msi_messages);
    tcase_add_test(tc, test_msi_waits);
    tcase_add_test(tc, test_msix_table);
    tcase_add_test(tc, test_msix_messages);
    tcase_add_test(tc, test_pcie_registers);
    tcase_add_test(tc, test_device_control);
    tcase_add_test(tc, test_link_and_slot);
    tcase_add_test(tc, test_bandwidth_notification);
    tcase_add_test(tc, test_root_pme);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
