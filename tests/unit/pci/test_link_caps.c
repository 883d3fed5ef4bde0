/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power fields of Link Capabilities, L1 PM Substates, LTR, and what follows from a link's speed. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/link_caps.h"
#include "pcilab/sim/sim.h"

static struct pci_func *make(enum pcie_port_type type, unsigned speed,
                             const struct pcie_power_params *power)
{
    static const struct pci_ids ids = {.vendor = 0x1556, .device = 1};
    static const struct pci_func_ops ops = {0};
    bool endpoint = type == PCIE_ENDPOINT;
    struct pci_func *func =
        pci_func_new("f", endpoint ? PCI_HEADER_TYPE0 : PCI_HEADER_TYPE1, &ids, &ops, NULL);
    const struct pcie_params pcie = {
        .type = type,
        .max_speed = (uint8_t)speed,
        .max_width = 8,
        .max_payload_bytes = 128,
        .flr = endpoint,
        .power = *power,
    };

    pci_cap_pm_add(func);
    pci_cap_pcie_add(func, &pcie);
    pci_link_caps_add(func);
    pci_func_reset(func, REG_RESET_COLD);
    return func;
}

static const struct pcie_power_params everything = {
    .aspm = PCIE_ASPM_L0S | PCIE_ASPM_L1,
    .substates = PCI_L1SS_ALL,
    .l0s_exit_ns = 300,
    .l1_exit_us = 64,
    .common_us = 40,
    .power_on_us = 70,
    .ltr = true,
    .l0s_acceptable_ns = 200,
    .l1_acceptable_us = 3,
};

START_TEST(test_latency_fields)
{
    struct pci_func *func = make(PCIE_ENDPOINT, 4, &everything);
    const struct pcie_power_params nothing = {0};
    uint32_t link = part_read(func, func->cap_pcie + PCIE_LNKCAP, 4);
    uint32_t device = part_read(func, func->cap_pcie + PCIE_DEVCAP, 4);

    /* L0s: 256 ns to less than 512 ns; L1: 64 us or more. At most 128 ns and 2 us tolerated. */
    ck_assert_uint_eq(link >> 10 & 0xff, 3 | 3 << 2 | 7 << 5);
    ck_assert_uint_eq(device >> 6 & 0x3f, 1 | 1 << 3);
    pci_func_free(func);
    func = make(PCIE_ENDPOINT, 4, &nothing);
    ck_assert_uint_eq(part_read(func, func->cap_pcie + PCIE_LNKCAP, 4) >> 10 & 0xff, 0);
    ck_assert_uint_eq(part_read(func, func->cap_pcie + PCIE_DEVCAP, 4) >> 6 & 0x3f, 0x3f);
    ck_assert(!func->ext_l1ss && !func->ext_ltr);
    pci_func_free(func);
}
END_TEST

START_TEST(test_power_state)
{
    struct pci_func *func = make(PCIE_ROOT_PORT, 4, &everything);
    struct pcie_power_state state;

    pcie_power_state(func, &state);
    ck_assert(!state.aspm && !state.substates && !state.sleeping);
    ck_assert(pcie_power_concerns(func, func->cap_pcie + PCIE_LNKCTL, 1));
    ck_assert(pcie_power_concerns(func, func->ext_l1ss + PCI_L1SS_CTL2, 4));
    ck_assert(!pcie_power_concerns(func, PCI_COMMAND, 2));
    part_write(func, func->cap_pcie + PCIE_LNKCTL, 2, PCIE_ASPM_L1);
    /* 5 times 10 us, 20 us, threshold 7 times 32768 ns. */
    part_write(func, func->ext_l1ss + PCI_L1SS_CTL2, 4, 5 << 3 | 1);
    part_write(func, func->ext_l1ss + PCI_L1SS_CTL1, 4, 0x6007140f);
    part_write(func, func->cap_pm + PCI_PM_CSR, 2, 3);
    pcie_power_state(func, &state);
    ck_assert_uint_eq(state.aspm, PCIE_ASPM_L1);
    ck_assert_uint_eq(state.substates, PCI_L1SS_ALL);
    ck_assert(state.sleeping);
    ck_assert_uint_eq(state.l12_exit_ps, 70 * PS_PER_US);
    ck_assert_uint_eq(state.threshold_ps, 7 * 32768 * PS_PER_NS);
    ck_assert_uint_eq(state.l1_exit_ps, 64 * PS_PER_US);
    pci_func_free(func);
}
END_TEST

START_TEST(test_substates_capability)
{
    struct pcie_power_params power = everything;
    struct pci_func *func = make(PCIE_ENDPOINT, 4, &power);

    /* 70 us do not fit 31 times 2 us; the common mode time is the lower end's to say as well, but
     * only the upper end's control has it. */
    ck_assert_uint_eq(part_read(func, func->ext_l1ss + PCI_L1SS_CAP, 4),
                      0x1f | 40 << 8 | 1 << 16 | 7 << 19);
    part_write(func, func->ext_l1ss + PCI_L1SS_CTL1, 4, 0xffffffff);
    ck_assert_uint_eq(part_read(func, func->ext_l1ss + PCI_L1SS_CTL1, 4), 0xe3ff000f);
    pci_func_free(func);
    power.substates = PCI_L1SS_ASPM_L1_1;
    func = make(PCIE_DOWNSTREAM_PORT, 4, &power);
    part_write(func, func->ext_l1ss + PCI_L1SS_CTL1, 4, 0xffffffff);
    ck_assert_uint_eq(part_read(func, func->ext_l1ss + PCI_L1SS_CTL1, 4), PCI_L1SS_ASPM_L1_1);
    ck_assert_uint_eq(part_read(func, func->ext_l1ss + PCI_L1SS_CAP, 4), 0x18);
    pci_func_free(func);
}
END_TEST

START_TEST(test_ltr)
{
    struct pci_func *func = make(PCIE_ENDPOINT, 4, &everything);
    unsigned control = func->cap_pcie + PCIE_DEVCTL2;

    ck_assert(!pcie_ltr_enabled(func));
    part_write(func, control, 2, PCIE_DEVCTL2_LTR);
    ck_assert(pcie_ltr_enabled(func));
    /* No maximum set: none. A latency without the requirement bit is none. */
    ck_assert_uint_eq(pci_ltr_permitted(func, 0x80109fff), 0x80109fff);
    ck_assert_uint_eq(pci_ltr_permitted(func, 0x0010ffff & 0x1fff9fff), 0x00009fff);
    part_write(func, func->ext_ltr + PCI_LTR_MAX_SNOOP, 4, 0x08010802);
    ck_assert_uint_eq(pci_ltr_permitted(func, 0x8c018c01), 0x88018802);
    ck_assert_uint_eq(pci_ltr_permitted(func, 0x80018001), 0x80018001);
    /* 1 us and 900 ns; nothing said is no requirement. */
    ck_assert_uint_eq(pci_ltr_stricter(0x00008801, 0x00008384), 0x00008384);
    ck_assert_uint_eq(pci_ltr_stricter(0x88010000, 0x00008384), 0x88018384);
    ck_assert(pci_ltr_tolerance_ps(0) == SIM_NEVER);
    ck_assert_uint_eq(pci_ltr_tolerance_ps(0x88018384), 900 * PS_PER_NS);
    ck_assert_uint_eq(pci_ltr_tolerance_ps(0x80008801), 0);
    pci_func_free(func);
    func = make(PCIE_ROOT_PORT, 4, &everything);
    ck_assert(!func->ext_ltr && reg_get(func->cfg, func->cap_pcie + PCIE_DEVCAP2) & 0x800);
    pci_func_free(func);
}
END_TEST

START_TEST(test_speeds)
{
    struct pci_func *slow = make(PCIE_ROOT_PORT, 2, &everything);
    struct pci_func *gen3 = make(PCIE_ROOT_PORT, 3, &everything);
    struct pci_func *gen5 = make(PCIE_ROOT_PORT, 5, &everything);
    struct pci_func *gen4 = make(PCIE_ENDPOINT, 4, &everything);

    ck_assert(!slow->ext_secondary && !slow->ext_dlf);
    ck_assert(gen3->ext_secondary && !gen3->ext_dlf);
    ck_assert(gen5->ext_phy32 && gen4->ext_phy16 && !gen4->ext_phy32);
    ck_assert_uint_eq(part_read(gen5, gen5->ext_phy32 + PCI_PHY_LANES + 4, 4), 0x77777777);
    ck_assert_uint_eq(part_read(gen4, gen4->ext_secondary + PCI_SEC_LANES + 12, 4), 0x77777777);
    pci_phy_link_up(gen5, gen4, 4);
    ck_assert_uint_eq(part_read(gen5, gen5->ext_dlf + PCI_DLF_STATUS, 4), 0x80000001);
    ck_assert_uint_eq(part_read(gen5, gen5->ext_phy16 + PCI_PHY_STATUS, 4), PCI_PHY_EQUALIZED);
    ck_assert_uint_eq(part_read(gen5, gen5->ext_phy32 + PCI_PHY_STATUS, 4), 0);
    /* Forgotten with the link. */
    pci_phy_link_down(gen5);
    ck_assert_uint_eq(part_read(gen5, gen5->ext_dlf + PCI_DLF_STATUS, 4), 0);
    pci_phy_link_up(gen5, gen4, 4);
    /* A partner that has no such capability, or does not take part. */
    pci_phy_link_up(gen5, gen3, 3);
    ck_assert_uint_eq(part_read(gen5, gen5->ext_dlf + PCI_DLF_STATUS, 4), 0);
    part_write(gen4, gen4->ext_dlf + PCI_DLF_CAP, 4, 0);
    pci_phy_link_up(gen5, gen4, 4);
    ck_assert_uint_eq(part_read(gen5, gen5->ext_dlf + PCI_DLF_STATUS, 4), 0);
    /* Perform Equalization ends with the training. */
    part_write(gen5, gen5->ext_secondary + PCI_SEC_LNKCTL3, 4, 3);
    pci_phy_link_up(gen5, gen4, 4);
    ck_assert_uint_eq(part_read(gen5, gen5->ext_secondary + PCI_SEC_LNKCTL3, 4), 2);
    pci_func_free(slow);
    pci_func_free(gen3);
    pci_func_free(gen4);
    pci_func_free(gen5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("link_caps");
    TCase *tc = tcase_create("link_caps");
    SRunner *runner;
    int failed;

    tcase_add_test(tc, test_latency_fields);
    tcase_add_test(tc, test_power_state);
    tcase_add_test(tc, test_substates_capability);
    tcase_add_test(tc, test_ltr);
    tcase_add_test(tc, test_speeds);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
