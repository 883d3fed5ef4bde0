/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event collectors: what they say they are, and what becomes of integrated endpoints' messages. */
#include "pcilab/pci/config.h"
#include "pcilab/pci/error.h"
#include "rig.h"

#define EC   RIG_CFG(0, 9, 0, 0)
#define EP   RIG_CFG(0, 5, 0, 0)
#define BAR0 0xd0000000ULL

struct machine {
    struct rig *rig;
    struct pci_func *collector;
    struct probe *probe;
};

static struct machine m;

static void setup(void)
{
    const struct probe_params params = {
        .functions = 2, .type = PCIE_RC_INTEGRATED_ENDPOINT, .collected = true};
    const struct probe_map map = {.bar0 = BAR0, .bar2 = 0x5000000000, .command = 6};

    m.rig = rig_new();
    root_collector_add(m.rig->rc, 9);
    m.collector = root_collector_func(m.rig->rc);
    m.probe = probe_new(m.rig, "rciep", &params);
    root_integrate(m.rig->rc, endpoint_port(m.probe->ep), 5);
    probe_program(m.rig, EP, &map);
    rig_cfg_write(m.rig, EP + m.probe->func[0].pci->cap_pcie + PCIE_DEVCTL, 2, 0xf);
    rig_cfg_write(m.rig, EC + m.collector->cap_pcie + PCIE_DEVCTL, 2, 0xf);
}

static void teardown(void)
{
    rig_settle(m.rig);
    probe_free(m.probe);
    rig_free(m.rig);
}

static uint32_t aer(unsigned reg)
{
    return rig_cfg_read(m.rig, EC + m.collector->ext_aer + reg, 4);
}

/* PCIe Base 6.0, 7.9.10; as software finds it. */
START_TEST(test_looks)
{
    struct pci_func *ep = m.probe->func[0].pci;
    unsigned rcec = m.collector->ext_rcec;

    ck_assert_uint_eq(rig_cfg_read(m.rig, EC + 8, 4) >> 8, 0x080700);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EC + m.collector->cap_pcie + PCIE_FLAGS, 2) >> 4, 10);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EC + rcec, 4) & 0xfffff, 0x20007);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EC + rcec + PCI_RCEC_BITMAP, 4), 1u << 5);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EC + rcec + PCI_RCEC_BUSES, 4), 0x0000ff00);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EC | 1 << 12, 4), 0xffffffff);
    ck_assert_uint_ne(ep->ext_aer, 0);
    /* Without a link: no link errors, no ECRC. */
    rig_cfg_write(m.rig, EP + ep->ext_aer + PCI_AER_UNCOR_MASK, 4, 0xffffffff);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP + ep->ext_aer + PCI_AER_UNCOR_MASK, 4), 0x0015d000);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP + ep->ext_aer + PCI_AER_CONTROL, 4) & 0x1e0, 0);
}
END_TEST

START_TEST(test_errors)
{
    rig_cfg_write(m.rig, EC + PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    rig_cfg_write(m.rig, EC + m.collector->cap_msi + PCI_MSI_ADDRESS, 4, 0xfee00000);
    rig_cfg_write(m.rig, EC + m.collector->cap_msi + PCI_MSI_DATA, 2, 0x41);
    rig_cfg_write(m.rig, EC + m.collector->cap_msi + PCI_MSI_CONTROL, 2, PCI_MSI_CONTROL_ENABLE);
    rig_cfg_write(m.rig, EC + m.collector->ext_aer + PCI_AER_ROOT_COMMAND, 4, 7);
    m.probe->func[0].answer = TLP_CA;
    /* The collector's own enables say what it takes (7.8.4.10). */
    rig_cfg_write(m.rig, EC + m.collector->cap_pcie + PCIE_DEVCTL, 2, 0xd);
    rig_write(m.rig, ROOT_MEM_WRITE, BAR0, 4, 1);
    ck_assert_uint_eq(aer(PCI_AER_ROOT_STATUS), 0);
    rig_cfg_write(m.rig, EC + m.collector->cap_pcie + PCIE_DEVCTL, 2, 0xf);
    rig_write(m.rig, ROOT_MEM_WRITE, BAR0, 4, 1);
    ck_assert_uint_eq(aer(PCI_AER_ROOT_STATUS),
                      PCI_AER_ROOT_STATUS_UNCOR | PCI_AER_ROOT_STATUS_NONFATAL);
    ck_assert_uint_eq(aer(PCI_AER_ROOT_SOURCE) >> 16, 0x28);
    ck_assert_uint_eq(m.rig->msis, 1);
    ck_assert_uint_eq(m.rig->msi[0].data, 0x41);
    /* Its own errors come to itself. */
    pci_error_report(m.collector, PCI_ERROR_UNSUPPORTED, NULL);
    ck_assert_uint_ne(aer(PCI_AER_ROOT_STATUS) & PCI_AER_ROOT_STATUS_MULTI_UNCOR, 0);
}
END_TEST

/* INTA of device 9 is line 1; PME as at root ports. */
START_TEST(test_pme_by_wire)
{
    unsigned status = m.collector->cap_pcie + PCIE_ROOTSTA;

    rig_cfg_write(m.rig, EC + m.collector->cap_pcie + PCIE_ROOTCTL, 2, PCIE_ROOTCTL_PME_IE);
    endpoint_send_message(m.probe->func[1].func, TLP_MSG_PM_PME);
    rig_settle(m.rig);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EC + status, 4),
                      PCIE_ROOTSTA_PME | m.probe->func[1].pci->rid.v);
    ck_assert(m.rig->intx[1]);
    rig_cfg_write(m.rig, EC + status, 4, PCIE_ROOTSTA_PME);
    ck_assert(!m.rig->intx[1]);
    endpoint_send_message(m.probe->func[1].func, TLP_MSG_PM_PME);
    rig_settle(m.rig);
    ck_assert(m.rig->intx[1]);
    root_complex_reset(m.rig->rc);
    ck_assert(!m.rig->intx[1]);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EC + status, 4), 0);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EC + m.collector->ext_rcec + PCI_RCEC_BITMAP, 4), 0x20);
}
END_TEST

/* What is of nobody else stays refused. */
START_TEST(test_other_messages)
{
    endpoint_send_message(m.probe->func[0].func, (enum tlp_msg_code)0x6f);
    rig_settle(m.rig);
    ck_assert_str_eq(m.rig->last_rule,
                     "UR: Msg addr 0x0 from 0028: not supported upwards (1.3.1, 2.3.1)");
    ck_assert_uint_eq(aer(PCI_AER_ROOT_STATUS), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("root-collector");
    TCase *tc = tcase_create("collector");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_looks);
    tcase_add_test(tc, test_errors);
    tcase_add_test(tc, test_pme_by_wire);
    tcase_add_test(tc, test_other_messages);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
