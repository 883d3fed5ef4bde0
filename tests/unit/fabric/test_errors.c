/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors on a bench: who logs them, what reaches the root port, and Request Retry Status. */
#include <string.h>

#include "pcilab/fabric/message.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/error.h"
#include "rig.h"

#define RP        RIG_CFG(0, 1, 0, 0)
#define EP(fn)    RIG_CFG(1, 0, fn, 0)
#define BAR0      0x80000000ULL
#define STEP      0x100000ULL
#define FUNCTIONS 3
#define U(kind)   (1u << (kind))

struct machine {
    struct rig *rig;
    struct root_port *rp;
    struct pci_func *root;
    struct probe *probe;
};

static struct machine m;

static void setup(void)
{
    const struct probe_params params = {.functions = FUNCTIONS, .type = PCIE_ENDPOINT};
    const struct rig_windows windows = {
        .secondary = 1,
        .subordinate = 1,
        .mem_base = BAR0,
        .mem_limit = BAR0 + FUNCTIONS * STEP - 1,
        .pref_base = 0x100000,
        .io_base = 0x1000,
    };

    memset(&m, 0, sizeof(m));
    m.rig = rig_new();
    m.rp = rig_root_port(m.rig, 1, 0);
    m.root = root_port_func(m.rp);
    m.probe = probe_new(m.rig, "probe", &params);
    link_new(root_port_link(m.rp), endpoint_port(m.probe->ep), NULL);
    rig_program_bridge(m.rig, RP, &windows);
    rig_cfg_write(m.rig, RP + PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_SERR);
    rig_cfg_write(m.rig, RP + m.root->cap_pcie + PCIE_DEVCTL, 2, 0xf);
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        rig_cfg_write(m.rig, EP(i) + PCI_BAR(0), 4, (uint32_t)(BAR0 + i * STEP));
        rig_cfg_write(m.rig, EP(i) + PCI_COMMAND, 2, 6);
        rig_cfg_write(m.rig, EP(i) + m.probe->func[i].pci->cap_pcie + PCIE_DEVCTL, 2, 0xf);
    }
}

static void teardown(void)
{
    rig_settle(m.rig);
    probe_free(m.probe);
    rig_free(m.rig);
}

static struct pci_func *ep(unsigned fn)
{
    return m.probe->func[fn].pci;
}

static uint32_t aer(struct pci_func *func, unsigned reg)
{
    return (uint32_t)reg_get(func->cfg, func->ext_aer + reg);
}

/* What is wrong with the packet is wrong for all functions, and told once (6.2.4). */
START_TEST(test_error_of_all_functions)
{
    struct tlp *tlp = tlp_new(m.rig->fabric->pool, TLP_MWR, 1);

    tlp_set_span(tlp, BAR0 + STEP, 4);
    tlp->length_wrong = true;
    port_send(root_port_link(m.rp), tlp);
    rig_settle(m.rig);
    for (unsigned i = 0; i < FUNCTIONS; i++)
        ck_assert_uint_eq(aer(ep(i), PCI_AER_UNCOR_STATUS), U(PCI_ERROR_MALFORMED));
    ck_assert_uint_eq(aer(m.root, PCI_AER_ROOT_STATUS), PCI_AER_ROOT_STATUS_UNCOR |
                                                            PCI_AER_ROOT_STATUS_FATAL |
                                                            PCI_AER_ROOT_STATUS_FIRST_FATAL);
    ck_assert_uint_eq(aer(m.root, PCI_AER_ROOT_SOURCE) >> 16, ep(0)->rid.v);
    ck_assert_uint_eq(m.probe->func[1].writes, 0);
    /* A request that function 1 answers is its own affair. */
    m.probe->func[1].answer = TLP_CA;
    rig_write(m.rig, ROOT_MEM_WRITE, BAR0 + STEP, 4, 1);
    rig_settle(m.rig);
    ck_assert_uint_eq(aer(ep(1), PCI_AER_UNCOR_STATUS),
                      U(PCI_ERROR_MALFORMED) | U(PCI_ERROR_ABORT));
    ck_assert_uint_eq(aer(ep(0), PCI_AER_UNCOR_STATUS), U(PCI_ERROR_MALFORMED));
    ck_assert(reg_get(ep(1)->cfg, PCI_STATUS) & PCI_STATUS_SENT_CA);
}
END_TEST

START_TEST(test_bridge_holds_messages_back)
{
    rig_cfg_write(m.rig, RP + PCI_BRIDGE_CONTROL, 2, 0);
    m.probe->func[1].answer = TLP_CA;
    rig_write(m.rig, ROOT_MEM_WRITE, BAR0 + STEP, 4, 1);
    rig_settle(m.rig);
    ck_assert_uint_eq(aer(m.root, PCI_AER_ROOT_STATUS), 0);
    ck_assert(reg_get(m.root->cfg, PCI_SECONDARY_STATUS) & PCI_STATUS_SENT_ERROR);
    rig_cfg_write(m.rig, RP + PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_SERR);
    rig_write(m.rig, ROOT_MEM_WRITE, BAR0 + STEP, 4, 1);
    rig_settle(m.rig);
    ck_assert_uint_eq(aer(m.root, PCI_AER_ROOT_STATUS),
                      PCI_AER_ROOT_STATUS_UNCOR | PCI_AER_ROOT_STATUS_NONFATAL);
    ck_assert_uint_eq(aer(m.root, PCI_AER_ROOT_SOURCE) >> 16, ep(1)->rid.v);
}
END_TEST

START_TEST(test_payload_limit)
{
    for (unsigned dws = 32; dws <= 33; dws++) {
        struct tlp *tlp = tlp_new(m.rig->fabric->pool, TLP_MWR, dws);

        tlp->requester = ep(0)->rid;
        tlp_set_span(tlp, 0x1000, dws * 4);
        memset(tlp->data, 0x5a, dws * 4u);
        endpoint_send_tlp(m.probe->func[0].func, tlp);
        rig_settle(m.rig);
        ck_assert_uint_eq(aer(m.root, PCI_AER_UNCOR_STATUS), dws > 32 ? U(PCI_ERROR_MALFORMED) : 0);
    }
    ck_assert_uint_eq(m.rig->low[0x107f], 0x5a);
    ck_assert_uint_eq(m.rig->low[0x1080], 0);
}
END_TEST

/* A read that is never answered is the asking root port's timeout; its late completion is
 * unexpected. */
START_TEST(test_timeout_and_late_completion)
{
    struct tlp *late = tlp_new(m.rig->fabric->pool, TLP_CPL, 0);

    m.probe->func[0].answer = (enum tlp_status)10; /* COMPLETER_SILENT */
    ck_assert_uint_eq(rig_read(m.rig, ROOT_MEM_READ, BAR0, 4), 0xffffffff);
    ck_assert_uint_eq(aer(m.root, PCI_AER_UNCOR_STATUS), U(PCI_ERROR_TIMEOUT));
    ck_assert_uint_eq(aer(m.root, PCI_AER_ROOT_SOURCE) >> 16, m.root->rid.v);
    late->completer = ep(0)->rid;
    late->byte_count = 4;
    rig_cfg_write(m.rig, RP + m.root->ext_aer + PCI_AER_COR_MASK, 4, 0);
    endpoint_send_tlp(m.probe->func[0].func, late);
    rig_settle(m.rig);
    ck_assert_uint_eq(aer(m.root, PCI_AER_UNCOR_STATUS),
                      U(PCI_ERROR_TIMEOUT) | U(PCI_ERROR_UNEXPECTED));
    ck_assert(aer(m.root, PCI_AER_ROOT_STATUS) & PCI_AER_ROOT_STATUS_COR);
}
END_TEST

START_TEST(test_request_retry)
{
    uint64_t from = m.rig->sim.now_ps;

    /* Sent again and again until there is an answer. */
    endpoint_set_not_ready(m.probe->func[1].func, 5 * PS_PER_MS);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP(1) + PCI_COMMAND, 2), 6);
    ck_assert_uint_ge(m.rig->sim.now_ps - from, 5 * PS_PER_MS);
    ck_assert_uint_lt(m.rig->sim.now_ps - from, 7 * PS_PER_MS);
    /* Software Visibility: a read of all of Vendor ID is answered at once. */
    rig_cfg_write(m.rig, RP + m.root->cap_pcie + PCIE_ROOTCTL, 2, PCIE_ROOTCTL_RRS_VISIBLE);
    from = m.rig->sim.now_ps;
    endpoint_set_not_ready(m.probe->func[1].func, 5 * PS_PER_MS);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP(1), 4), 0xffff0001);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP(1), 2), 0x0001);
    ck_assert_uint_lt(m.rig->sim.now_ps - from, PS_PER_MS);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP(1) + PCI_COMMAND, 2), 6);
    ck_assert_uint_ge(m.rig->sim.now_ps - from, 5 * PS_PER_MS);
    /* There is an end to patience. */
    endpoint_set_not_ready(m.probe->func[1].func, 10 * PS_PER_S);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP(1) + PCI_COMMAND, 2), 0xffff);
    ck_assert_uint_eq(rig_cfg_read(m.rig, EP(0) + PCI_COMMAND, 2), 6);
}
END_TEST

START_TEST(test_link_errors)
{
    struct port *down = root_port_link(m.rp), *up = endpoint_port(m.probe->ep);
    static const struct {
        enum link_error error;
        unsigned uncor, cor;
    } rows[] = {
        {LINK_ERROR_RECEIVER, 0, 0x1},          {LINK_ERROR_BAD_TLP, 0, 0x40},
        {LINK_ERROR_BAD_DLLP, 0, 0x80},         {LINK_ERROR_REPLAY_ROLLOVER, 0, 0x100},
        {LINK_ERROR_REPLAY_TIMEOUT, 0, 0x1000}, {LINK_ERROR_DL_PROTOCOL, 0x10, 0},
        {LINK_ERROR_FC_PROTOCOL, 0x2000, 0},    {LINK_ERROR_RECEIVER_OVERFLOW, 0x20000, 0},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        down->ops->link_error(down, rows[i].error, NULL);
        up->ops->link_error(up, rows[i].error, NULL);
        rig_settle(m.rig);
        for (unsigned fn = 0; fn <= FUNCTIONS; fn++) {
            struct pci_func *func = fn < FUNCTIONS ? ep(fn) : m.root;

            ck_assert_uint_eq(aer(func, PCI_AER_UNCOR_STATUS), rows[i].uncor);
            ck_assert_uint_eq(aer(func, PCI_AER_COR_STATUS), rows[i].cor);
            reg_write(func->cfg, func->ext_aer + PCI_AER_UNCOR_STATUS, 4, 0xffffffff);
            reg_write(func->cfg, func->ext_aer + PCI_AER_COR_STATUS, 4, 0xffffffff);
        }
    }
    down->ops->link_error(down, LINK_ERROR_SURPRISE_DOWN, NULL);
    ck_assert_uint_eq(aer(m.root, PCI_AER_UNCOR_STATUS), U(PCI_ERROR_SURPRISE_DOWN));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fabric-errors");
    TCase *tc = tcase_create("errors");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_error_of_all_functions);
    tcase_add_test(tc, test_bridge_holds_messages_back);
    tcase_add_test(tc, test_payload_limit);
    tcase_add_test(tc, test_timeout_and_late_completion);
    tcase_add_test(tc, test_request_retry);
    tcase_add_test(tc, test_link_errors);
    suite_add_tcase(suite, tc);
    return rig_run_suite(suite);
}
