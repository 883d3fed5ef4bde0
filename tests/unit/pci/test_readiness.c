/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readiness Notifications: messages, what ports note of them, the queue of a root port. */
#include <check.h>
#include <stdlib.h>

#include "parts.h"
#include "pcilab/pci/readiness.h"

static unsigned msis;

static void count_msi(struct pci_func *func, uint64_t addr, uint32_t data)
{
    ++*(unsigned *)func->owner;
}

static const struct pci_func_ops ops = {.send_msi = count_msi};

static struct pci_func *make_port(bool readiness)
{
    static const struct pci_ids ids = {.vendor = 0x1556, .device = 1};
    static const struct pci_msi_params msi = {.vectors = 1, .maskable = true};
    struct pci_func *func = pci_func_new("rp", PCI_HEADER_TYPE1, &ids, &ops, &msis);
    const struct pcie_params pcie = {.type = PCIE_ROOT_PORT,
                                     .max_speed = 4,
                                     .max_width = 4,
                                     .max_payload_bytes = 128,
                                     .readiness = readiness};

    pci_cap_pm_add(func);
    pci_cap_msi_add(func, &msi);
    pci_cap_pcie_add(func, &pcie);
    if (readiness)
        pci_cap_frs_add(func);
    pci_func_reset(func, REG_RESET_COLD);
    part_write(func, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    part_write(func, func->cap_msi + 4, 4, 0xfee00000);
    part_write(func, func->cap_msi + 2, 2, 1);
    msis = 0;
    return func;
}

START_TEST(test_messages)
{
    struct tlp_pool *pool = tlp_pool_new();
    struct pci_rid id = {0x1234};
    struct tlp *drs = tlp_new_drs(pool, id), *frs = tlp_new_frs(pool, id, PCI_FRS_VFS_ENABLED);
    uint8_t wire[TLP_HEADER_MAX];
    char text[128];

    /* 2.2.8.6.1: code 7Fh, vendor 0001h in bytes 10 and 11, subtype in byte 12. */
    ck_assert_uint_eq(tlp_encode_header(drs, wire), 16);
    ck_assert_uint_eq(wire[0], 0x34); /* Msg, local */
    ck_assert_uint_eq(wire[7], 0x7f);
    ck_assert_mem_eq(wire + 8, "\0\0\0\1\10\0\0\0", 8);
    ck_assert_uint_eq(tlp_encode_header(frs, wire), 16);
    ck_assert_uint_eq(wire[0], 0x30); /* to the root complex */
    ck_assert_mem_eq(wire + 8, "\0\0\0\1\11\0\0\10", 8);
    ck_assert(tlp_is_drs(drs) && !tlp_is_frs(drs) && tlp_is_frs(frs) && !tlp_is_drs(frs));
    ck_assert_uint_eq(tlp_frs_reason(frs), 8);
    tlp_describe(frs, text, sizeof(text));
    ck_assert_str_eq(text, "Msg 12:06.4 FRS (0x7f) to root reason 8");
    frs->msg_bytes_8_15 ^= 1ull << 32; /* another vendor's */
    drs->msg_routing = TLP_MSG_BROADCAST;
    ck_assert(!tlp_is_frs(frs) && !tlp_is_drs(drs));
    tlp_free(drs);
    tlp_free(frs);
    tlp_pool_free(pool);
}
END_TEST

START_TEST(test_component)
{
    struct pci_func *func = make_port(true), *plain = make_port(false);
    unsigned status = func->cap_pcie + PCIE_LNKSTA2, control = func->cap_pcie + PCIE_LNKCTL;

    pcie_show_component(func, false, false);
    ck_assert_uint_eq(part_read(func, status, 2) & 0xf000, 0x1000);
    pcie_show_component(func, true, false);
    ck_assert_uint_eq(part_read(func, status, 2) & 0xf000, 0x2000);
    pcie_show_component(func, true, true);
    ck_assert_uint_eq(part_read(func, status, 2) & 0xf000, 0x4000);
    ck_assert(!pcie_drs_received(func));
    ck_assert_uint_eq(part_read(func, status, 2) & 0xf000, 0xd000);
    part_write(func, status, 2, 0x8000);
    pcie_show_component(func, true, true);
    ck_assert_uint_eq(part_read(func, status, 2) & 0xf000, 0x5000);
    ck_assert_uint_eq(msis, 0);
    /* By interrupt, when the bit is set anew only. */
    part_write(func, control, 2, 0x4000);
    ck_assert(!pcie_drs_received(func));
    ck_assert(!pcie_drs_received(func));
    ck_assert_uint_eq(msis, 1);
    part_write(func, status, 2, 0x8000);
    part_write(func, control, 2, 0x8000);
    ck_assert(pcie_drs_received(func));
    ck_assert(!pcie_drs_received(func));
    ck_assert_uint_eq(msis, 1);
    pcie_show_component(func, true, false);
    ck_assert_uint_eq(part_read(func, status, 2) & 0xf000, 0x2000);
    /* A port without it shows and takes nothing. */
    pcie_show_component(plain, true, true);
    part_write(plain, control, 2, 0xc000);
    ck_assert_uint_eq(part_read(plain, status, 2) & 0xf000, 0);
    ck_assert_uint_eq(part_read(plain, control, 2) & 0xc000, 0);
    ck_assert(!pcie_drs_supported(plain) && !pcie_frs_supported(plain));
    pci_frs_queue(plain, (struct pci_rid){1}, 3);
    pci_func_free(func);
    pci_func_free(plain);
}
END_TEST

START_TEST(test_queue)
{
    struct pci_func *func = make_port(true);
    unsigned cap = func->ext_frs;

    ck_assert_uint_eq(part_read(func, cap, 4) & 0xfffff, 0x10021);
    ck_assert_uint_eq(part_read(func, cap + PCI_FRS_CAP, 4), PCI_FRS_DEPTH);
    part_write(func, cap + PCI_FRS_CONTROL, 2, 0xffff);
    ck_assert_uint_eq(part_read(func, cap + PCI_FRS_CONTROL, 2), 1);
    for (unsigned i = 0; i < PCI_FRS_DEPTH; i++)
        pci_frs_queue(func, (struct pci_rid){(uint16_t)(0x100 + i)}, 3);
    ck_assert_uint_eq(msis, 1);
    ck_assert_uint_eq(part_read(func, cap + PCI_FRS_STATUS, 2), 1);
    pci_frs_queue(func, (struct pci_rid){0x200}, 2);
    ck_assert_uint_eq(msis, 2);
    ck_assert_uint_eq(part_read(func, cap + PCI_FRS_STATUS, 2), 3);
    ck_assert_uint_eq(part_read(func, cap + PCI_FRS_QUEUE, 4),
                      PCI_FRS_DEPTH << 20 | 3 << 16 | 0x100);
    /* Byte 0 counts, whatever is written. */
    part_write(func, cap + PCI_FRS_QUEUE + 1, 2, 0xffff);
    ck_assert_uint_eq(part_read(func, cap + PCI_FRS_QUEUE, 4) & 0xffff, 0x100);
    part_write(func, cap + PCI_FRS_QUEUE, 1, 0);
    ck_assert_uint_eq(part_read(func, cap + PCI_FRS_QUEUE, 4),
                      (PCI_FRS_DEPTH - 1) << 20 | 3 << 16 | 0x101);
    pcie_show_component(func, true, false);
    ck_assert_uint_eq(part_read(func, cap + PCI_FRS_QUEUE, 4), 0);
    ck_assert_uint_eq(part_read(func, cap + PCI_FRS_STATUS, 2), 0);
    part_write(func, cap + PCI_FRS_QUEUE, 4, 0);
    ck_assert_uint_eq(part_read(func, cap + PCI_FRS_QUEUE, 4), 0);
    pci_frs_queue(func, (struct pci_rid){0x300}, 2);
    pci_func_reset(func, REG_RESET_WARM);
    ck_assert_uint_eq(part_read(func, cap + PCI_FRS_QUEUE, 4), 0);
    pci_func_free(func);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("readiness");
    TCase *tcase = tcase_create("readiness");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, test_messages);
    tcase_add_test(tcase, test_component);
    tcase_add_test(tcase, test_queue);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
