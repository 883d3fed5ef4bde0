/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Downstream Port Containment: what triggers it, what crosses the port meanwhile, how it ends
 * (PCIe Base 6.0, 2.9.3, 6.2.11). */
#include <string.h>

#include "pcilab/fabric/completer.h"
#include "pcilab/fabric/message.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/dpc.h"
#include "pcilab/pci/error.h"
#include "rig.h"

#define RP      RIG_CFG(0, 1, 0, 0)
#define EP      RIG_CFG(1, 0, 0, 0)
#define BAR0    0x80000000ULL
#define MSI     0xfee00000u
#define U(kind) (1u << (kind))

#define TRIGGER_FATAL    1u
#define TRIGGER_NONFATAL 2u
#define REASON(status)   ((status)&PCI_DPC_STATUS_REASON)

struct machine {
    struct rig *rig;
    struct root_port *rp;
    struct pci_func *root;
    struct probe *probe;
};

static struct machine m;

static void dpc_write(struct pci_func *func, unsigned reg, unsigned size, uint32_t value)
{
    pci_func_config_write(func, func->ext_dpc + reg, size, value);
}

static uint32_t dpc(struct pci_func *func, unsigned reg)
{
    return (uint32_t)reg_get(func->cfg, func->ext_dpc + reg);
}

static uint32_t aer(struct pci_func *func, unsigned reg)
{
    return (uint32_t)reg_get(func->cfg, func->ext_aer + reg);
}

static struct pci_func *ep(void)
{
    return m.probe->func[0].pci;
}

static void program_endpoint(void)
{
    rig_cfg_write(m.rig, EP + PCI_BAR(0), 4, (uint32_t)BAR0);
    rig_cfg_write(m.rig, EP + PCI_COMMAND, 2, 6);
    rig_cfg_write(m.rig, EP + ep()->cap_pcie + PCIE_DEVCTL, 2, 0xf);
}

static void make(const struct link_params *link)
{
    const struct probe_params params = {.functions = 1, .type = PCIE_ENDPOINT};
    const struct rig_windows windows = {
        .secondary = 1,
        .subordinate = 1,
        .mem_base = BAR0,
        .mem_limit = BAR0 + 0xfffff,
        .pref_base = 0x100000,
        .io_base = 0x1000,
    };

    memset(&m, 0, sizeof(m));
    m.rig = rig_new();
    m.rig->dpc = true;
    m.rig->dpc_busy_ps = 3 * PS_PER_MS;
    m.rp = rig_root_port(m.rig, 1, 0);
    m.root = root_port_func(m.rp);
    m.probe = probe_new(m.rig, "probe", &params);
    link_new(root_port_link(m.rp), endpoint_port(m.probe->ep), link);
    rig_program_bridge(m.rig, RP, &windows);
    rig_cfg_write(m.rig, RP + PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_SERR);
    rig_cfg_write(m.rig, RP + m.root->cap_pcie + PCIE_DEVCTL, 2, 0xf);
    rig_cfg_write(m.rig, RP + m.root->cap_msi + PCI_MSI_ADDRESS, 4, MSI);
    rig_cfg_write(m.rig, RP + m.root->cap_msi + PCI_MSI_CONTROL, 2, PCI_MSI_CONTROL_ENABLE);
    program_endpoint();
}

static void setup(void)
{
    make(NULL);
}

static void teardown(void)
{
    rig_settle(m.rig);
    probe_free(m.probe);
    rig_free(m.rig);
}

/* A request of the endpoint's that is malformed. */
static struct tlp *malformed(void)
{
    struct tlp *tlp = tlp_new(m.rig->fabric->pool, TLP_MWR, 1);

    tlp->requester = ep()->rid;
    tlp_set_span(tlp, 0x1000, 4);
    tlp->length_wrong = true;
    return tlp;
}

static struct tlp *message(uint8_t code)
{
    return tlp_new_message(m.rig->fabric->pool, ep()->rid, code, TLP_MSG_TO_RC);
}

static void send(struct tlp *tlp)
{
    endpoint_send_tlp(m.probe->func[0].func, tlp);
    rig_settle(m.rig);
}

static bool link_is_up(void)
{
    return port_link_up(root_port_link(m.rp));
}

static void release(void)
{
    rig_run_for(m.rig, 5 * PS_PER_MS);
    dpc_write(m.root, PCI_DPC_STATUS, 2, PCI_DPC_STATUS_TRIGGER | PCI_DPC_STATUS_INTERRUPT);
    rig_run_for(m.rig, 50 * PS_PER_MS);
}

static void arm(uint32_t control)
{
    dpc_write(m.root, PCI_DPC_CONTROL, 2, control);
}

START_TEST(test_off_by_default)
{
    ck_assert_uint_eq(dpc(m.root, PCI_DPC_CONTROL), 0);
    dpc_write(m.root, PCI_DPC_CONTROL, 2, PCI_DPC_CONTROL_SOFTWARE);
    send(malformed());
    send(message(TLP_MSG_ERR_FATAL));
    ck_assert(!pci_dpc_contains(m.root));
    ck_assert(link_is_up());
    ck_assert(aer(m.root, PCI_AER_ROOT_STATUS) & PCI_AER_ROOT_STATUS_FATAL);
    dpc_write(m.root, PCI_DPC_CONTROL, 2, PCI_DPC_CONTROL_SOFTWARE | 3); /* reserved */
    ck_assert(!pci_dpc_contains(m.root));
}
END_TEST

/* Row by row: what arrives, with which Trigger Enable, and the reason that is shown. */
START_TEST(test_triggers)
{
    static const struct {
        uint8_t code; /* 0: a malformed TLP */
        unsigned enable;
        bool triggers;
        unsigned reason;
    } rows[] = {
        {0, TRIGGER_FATAL, true, 0},
        {0, TRIGGER_NONFATAL, true, 0},
        {TLP_MSG_ERR_FATAL, TRIGGER_FATAL, true, 4},
        {TLP_MSG_ERR_FATAL, TRIGGER_NONFATAL, true, 4},
        {TLP_MSG_ERR_NONFATAL, TRIGGER_FATAL, false, 0},
        {TLP_MSG_ERR_NONFATAL, TRIGGER_NONFATAL, true, 2},
        {TLP_MSG_ERR_COR, TRIGGER_NONFATAL, false, 0},
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned msis = m.rig->msis;

        arm(rows[i].enable | PCI_DPC_CONTROL_INTERRUPT);
        send(rows[i].code ? message(rows[i].code) : malformed());
        ck_assert_msg(pci_dpc_contains(m.root) == rows[i].triggers, "row %u", i);
        ck_assert(link_is_up() == !rows[i].triggers);
        ck_assert_uint_eq(m.rig->msis, msis + rows[i].triggers);
        if (!rows[i].triggers)
            continue;
        ck_assert_uint_eq(REASON(dpc(m.root, PCI_DPC_STATUS)), rows[i].reason);
        if (rows[i].code)
            ck_assert_uint_eq(dpc(m.root, PCI_DPC_SOURCE), ep()->rid.v);
        release();
        ck_assert(link_is_up());
        program_endpoint();
    }
    /* The triggers came instead of messages; what did not trigger came as one. */
    ck_assert_uint_eq(aer(m.root, PCI_AER_ROOT_STATUS), PCI_AER_ROOT_STATUS_UNCOR |
                                                            PCI_AER_ROOT_STATUS_NONFATAL |
                                                            PCI_AER_ROOT_STATUS_COR);
}
END_TEST

START_TEST(test_masked_and_advisory)
{
    arm(TRIGGER_NONFATAL);
    rig_cfg_write(m.rig, RP + m.root->ext_aer + PCI_AER_UNCOR_MASK, 4, U(PCI_ERROR_MALFORMED));
    send(malformed());
    ck_assert(!pci_dpc_contains(m.root));
    send(message(0x3f)); /* of no known code: an Unsupported Request, and not advisory */
    ck_assert(pci_dpc_contains(m.root));
    release();
    program_endpoint();
    /* An unexpected completion is an advisory one. */
    rig_cfg_write(m.rig, RP + m.root->ext_aer + PCI_AER_COR_MASK, 4, 0);
    struct tlp *cpl = tlp_new(m.rig->fabric->pool, TLP_CPL, 0);
    cpl->completer = ep()->rid;
    cpl->byte_count = 4;
    send(cpl);
    ck_assert(aer(m.root, PCI_AER_UNCOR_STATUS) & U(PCI_ERROR_UNEXPECTED));
    ck_assert(!pci_dpc_contains(m.root));
}
END_TEST

START_TEST(test_software_trigger)
{
    /* The values of the same write count (7.9.14.3). */
    arm(TRIGGER_FATAL | PCI_DPC_CONTROL_SOFTWARE);
    ck_assert_uint_eq(dpc(m.root, PCI_DPC_CONTROL), TRIGGER_FATAL);
    rig_settle(m.rig);
    ck_assert_uint_eq(REASON(dpc(m.root, PCI_DPC_STATUS)), 0x26);
    ck_assert(!link_is_up());
    /* Again, in containment: nothing changes. */
    send(message(TLP_MSG_ERR_FATAL));
    arm(TRIGGER_FATAL | PCI_DPC_CONTROL_SOFTWARE);
    ck_assert_uint_eq(REASON(dpc(m.root, PCI_DPC_STATUS)), 0x26);
    release();
    ck_assert(link_is_up());
}
END_TEST

START_TEST(test_interrupt)
{
    arm(TRIGGER_FATAL | PCI_DPC_CONTROL_SOFTWARE);
    ck_assert(!(dpc(m.root, PCI_DPC_STATUS) & PCI_DPC_STATUS_INTERRUPT));
    release();
    arm(TRIGGER_FATAL | PCI_DPC_CONTROL_SOFTWARE | PCI_DPC_CONTROL_INTERRUPT);
    ck_assert(dpc(m.root, PCI_DPC_STATUS) & PCI_DPC_STATUS_INTERRUPT);
    rig_settle(m.rig);
    ck_assert_uint_eq(m.rig->msis, 1);
    dpc_write(m.root, PCI_DPC_STATUS, 2, PCI_DPC_STATUS_INTERRUPT);
    ck_assert(pci_dpc_contains(m.root));
    release();
    ck_assert_uint_eq(m.rig->msis, 1);
}
END_TEST

/* 6.2.11.2, 6.2.11.5. */
START_TEST(test_err_cor)
{
    uint32_t both = PCI_DPC_CONTROL_ERR_COR | PCI_DPC_CONTROL_DL_ACTIVE;

    for (unsigned reporting = 0; reporting < 2; reporting++) {
        rig_cfg_write(m.rig, RP + m.root->cap_pcie + PCIE_DEVCTL, 2,
                      reporting ? PCIE_DEVCTL_COR : 0);
        for (unsigned i = 0; i < 3; i++) {
            arm(TRIGGER_FATAL | PCI_DPC_CONTROL_SOFTWARE | (i == 2 ? both : i ? both : 0));
            ck_assert((aer(m.root, PCI_AER_ROOT_STATUS) & PCI_AER_ROOT_STATUS_COR) ==
                      (reporting && i ? PCI_AER_ROOT_STATUS_COR : 0));
            reg_write(m.root->cfg, m.root->ext_aer + PCI_AER_ROOT_STATUS, 4, 0xffffffff);
            release();
            ck_assert((aer(m.root, PCI_AER_ROOT_STATUS) & PCI_AER_ROOT_STATUS_COR) ==
                      (reporting && i ? PCI_AER_ROOT_STATUS_COR : 0));
            reg_write(m.root->cfg, m.root->ext_aer + PCI_AER_ROOT_STATUS, 4, 0xffffffff);
        }
    }
    ck_assert(!(reg_get(m.root->cfg, m.root->cap_pcie + PCIE_DEVSTA) & PCIE_DEVSTA_COR));
}
END_TEST

static enum tlp_status read_status(enum root_request_kind kind, uint64_t addr)
{
    struct root_request request = {.kind = kind, .addr = addr, .size_bytes = 4};
    enum tlp_status status = rig_access(m.rig, &request);

    if (status != TLP_SC)
        ck_assert_uint_eq(le32_load(request.data), 0xffffffff);
    return status;
}

START_TEST(test_completions_meanwhile)
{
    arm(TRIGGER_FATAL | PCI_DPC_CONTROL_SOFTWARE);
    ck_assert_int_eq(read_status(ROOT_MEM_READ, BAR0), TLP_CA);
    ck_assert_int_eq(read_status(ROOT_CFG_READ, EP), TLP_CA);
    arm(TRIGGER_FATAL | PCI_DPC_CONTROL_UR);
    ck_assert_int_eq(read_status(ROOT_MEM_READ, BAR0), TLP_UR);
    ck_assert_int_eq(read_status(ROOT_CFG_READ, EP), TLP_UR);
    rig_write(m.rig, ROOT_MEM_WRITE, BAR0, 4, 1);
    rig_settle(m.rig);
    ck_assert_uint_eq(m.probe->func[0].writes, 0);
    ck_assert_uint_eq(aer(m.root, PCI_AER_UNCOR_STATUS), 0);
    release();
    program_endpoint();
    ck_assert_int_eq(read_status(ROOT_MEM_READ, BAR0), TLP_SC);
}
END_TEST

/* Completions for what was outstanding, at once and not after a timeout. */
START_TEST(test_outstanding)
{
    struct root_request read = {.kind = ROOT_MEM_READ, .addr = BAR0, .size_bytes = 4};
    uint64_t from = m.rig->sim.now_ps;

    m.probe->func[0].answer = COMPLETER_SILENT;
    struct tlp *error = message(TLP_MSG_ERR_FATAL);
    arm(TRIGGER_FATAL | PCI_DPC_CONTROL_UR);
    endpoint_send_tlp(m.probe->func[0].func, error);
    ck_assert_int_eq(rig_access(m.rig, &read), TLP_UR);
    ck_assert_uint_lt(m.rig->sim.now_ps - from, PS_PER_MS);
    ck_assert(pci_dpc_contains(m.root));
    ck_assert_uint_eq(aer(m.root, PCI_AER_UNCOR_STATUS) & U(PCI_ERROR_TIMEOUT), 0);
}
END_TEST

/* What was behind the TLP in error does not get through. */
static void send_error_and_write(void)
{
    struct tlp *write = tlp_new(m.rig->fabric->pool, TLP_MWR, 1);

    write->requester = ep()->rid;
    tlp_set_span(write, 0x1000, 4);
    le32_store(write->data, 0x600df00d);
    endpoint_send_tlp(m.probe->func[0].func, malformed());
    endpoint_send_tlp(m.probe->func[0].func, write);
    rig_run_for(m.rig, PS_PER_MS);
}

START_TEST(test_nothing_gets_through)
{
    send_error_and_write();
    ck_assert_uint_eq(le32_load(m.rig->low + 0x1000), 0x600df00d);
    le32_store(m.rig->low + 0x1000, 0);
    arm(TRIGGER_FATAL);
    send_error_and_write();
    ck_assert(pci_dpc_contains(m.root));
    ck_assert_uint_eq(le32_load(m.rig->low + 0x1000), 0);
    release();
    program_endpoint();
    ck_assert_int_eq(read_status(ROOT_MEM_READ, BAR0), TLP_SC);
}
END_TEST

START_TEST(test_nothing_gets_through_timed)
{
    struct link_params params = link_default_params;

    teardown();
    params.timing = LINK_TIMED;
    make(&params);
    for (unsigned round = 0; round < 3; round++) {
        arm(TRIGGER_FATAL);
        send_error_and_write();
        ck_assert(pci_dpc_contains(m.root));
        ck_assert(!link_is_up());
        ck_assert_uint_eq(le32_load(m.rig->low + 0x1000), 0);
        release();
        ck_assert(link_is_up());
        program_endpoint();
        ck_assert_int_eq(read_status(ROOT_MEM_READ, BAR0), TLP_SC);
    }
}
END_TEST

START_TEST(test_busy)
{
    arm(TRIGGER_FATAL | PCI_DPC_CONTROL_SOFTWARE);
    ck_assert(dpc(m.root, PCI_DPC_STATUS) & PCI_DPC_STATUS_BUSY);
    rig_run_for(m.rig, 2 * PS_PER_MS);
    ck_assert(dpc(m.root, PCI_DPC_STATUS) & PCI_DPC_STATUS_BUSY);
    rig_run_for(m.rig, 2 * PS_PER_MS);
    ck_assert(!(dpc(m.root, PCI_DPC_STATUS) & PCI_DPC_STATUS_BUSY));
    ck_assert(pci_dpc_contains(m.root));
}
END_TEST

/* Errors of programmed I/O (6.2.11.3), by space and kind. */
START_TEST(test_rp_pio)
{
    static const struct {
        enum tlp_status answer;
        unsigned bit;
    } rows[] = {{TLP_UR, 16}, {TLP_CA, 17}, {COMPLETER_SILENT, 18}};

    arm(TRIGGER_FATAL);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t bit = 1u << rows[i].bit;

        /* Masked, as after reset: noted, no more. */
        rig_cfg_write(m.rig, RP + m.root->ext_aer + PCI_AER_UNCOR_MASK, 4, U(PCI_ERROR_TIMEOUT));
        m.probe->func[0].answer = rows[i].answer;
        read_status(ROOT_MEM_READ, BAR0 + 0x40);
        ck_assert_uint_eq(dpc(m.root, PCI_DPC_PIO_STATUS), bit);
        ck_assert_uint_eq(dpc(m.root, PCI_DPC_STATUS) & PCI_DPC_STATUS_PIO_POINTER, 0x1f00);
        dpc_write(m.root, PCI_DPC_PIO_STATUS, 4, bit);
        /* Advisory. */
        dpc_write(m.root, PCI_DPC_PIO_MASK, 4, PCI_DPC_PIO_ALL & ~bit);
        read_status(ROOT_MEM_READ, BAR0 + 0x40);
        ck_assert(!pci_dpc_contains(m.root));
        ck_assert_uint_eq(dpc(m.root, PCI_DPC_STATUS) & PCI_DPC_STATUS_PIO_POINTER,
                          rows[i].bit << 8);
        ck_assert_uint_eq(dpc(m.root, PCI_DPC_PIO_HEADER), 1); /* a read of one doubleword */
        ck_assert_uint_eq(dpc(m.root, PCI_DPC_PIO_HEADER + 8), BAR0 + 0x40);
        dpc_write(m.root, PCI_DPC_PIO_STATUS, 4, bit);
        ck_assert_uint_eq(dpc(m.root, PCI_DPC_STATUS) & PCI_DPC_STATUS_PIO_POINTER, 0x1f00);
        /* Uncorrectable. */
        dpc_write(m.root, PCI_DPC_PIO_SEVERITY, 4, bit);
        read_status(ROOT_MEM_READ, BAR0 + 0x80);
        ck_assert(pci_dpc_contains(m.root));
        ck_assert_uint_eq(REASON(dpc(m.root, PCI_DPC_STATUS)), 0x06);
        m.probe->func[0].answer = TLP_SC;
        release();
        dpc_write(m.root, PCI_DPC_PIO_STATUS, 4, PCI_DPC_PIO_ALL);
        dpc_write(m.root, PCI_DPC_PIO_MASK, 4, PCI_DPC_PIO_ALL);
        program_endpoint();
    }
    /* Of configuration requests: no such function. */
    dpc_write(m.root, PCI_DPC_PIO_MASK, 4, PCI_DPC_PIO_ALL & ~1u);
    dpc_write(m.root, PCI_DPC_PIO_SEVERITY, 4, 0);
    read_status(ROOT_CFG_READ, EP + 0x7000);
    ck_assert_uint_eq(dpc(m.root, PCI_DPC_PIO_STATUS), 1);
    ck_assert_uint_eq(dpc(m.root, PCI_DPC_PIO_HEADER) >> 24, 0x04);
}
END_TEST

START_TEST(test_cold_reset)
{
    arm(TRIGGER_FATAL | PCI_DPC_CONTROL_SOFTWARE);
    rig_settle(m.rig);
    root_complex_reset(m.rig->rc);
    ck_assert(!pci_dpc_contains(m.root));
    ck_assert(link_is_up());
    ck_assert_uint_eq(dpc(m.root, PCI_DPC_CONTROL), 0);
    /* And in the very instant of the trigger. */
    arm(TRIGGER_FATAL | PCI_DPC_CONTROL_SOFTWARE);
    root_complex_reset(m.rig->rc);
    rig_settle(m.rig);
    ck_assert(link_is_up());
    arm(TRIGGER_FATAL | PCI_DPC_CONTROL_SOFTWARE);
    dpc_write(m.root, PCI_DPC_STATUS, 2, PCI_DPC_STATUS_TRIGGER);
    rig_settle(m.rig);
    ck_assert(link_is_up());
}
END_TEST

/* --- below a switch ------------------------------------------------------------------------- */

#define SW_UP    RIG_CFG(1, 0, 0, 0)
#define SW(i)    RIG_CFG(2, (i), 0, 0)
#define BELOW(i) RIG_CFG(3 + (i), 0, 0, 0)
#define BAR(i)   (BAR0 + (i)*0x100000ULL)

struct branch {
    struct rig *rig;
    struct root_port *rp;
    struct pcie_switch *sw;
    struct probe *probe[2];
};

static struct branch b;

static void bridge(uint64_t cfg, unsigned secondary, unsigned subordinate, unsigned from,
                   unsigned count)
{
    const struct rig_windows windows = {
        .primary = secondary - 1,
        .secondary = secondary,
        .subordinate = subordinate,
        .mem_base = BAR(from),
        .mem_limit = BAR(from + count) - 1,
        .pref_base = 0x100000,
        .io_base = 0x1000,
    };

    rig_program_bridge(b.rig, cfg, &windows);
    rig_cfg_write(b.rig, cfg + PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_SERR);
}

static void setup_switch(void)
{
    const struct probe_params params = {.functions = 1, .type = PCIE_ENDPOINT};

    memset(&b, 0, sizeof(b));
    b.rig = rig_new();
    b.rp = rig_root_port(b.rig, 1, 0);
    b.rig->dpc = true;
    b.sw = rig_switch(b.rig, "sw", 2);
    link_new(root_port_link(b.rp), pcie_switch_upstream(b.sw), NULL);
    bridge(RP, 1, 4, 0, 2);
    bridge(SW_UP, 2, 4, 0, 2);
    for (unsigned i = 0; i < 2; i++) {
        b.probe[i] = probe_new(b.rig, i ? "right" : "left", &params);
        link_new(pcie_switch_downstream(b.sw, i), endpoint_port(b.probe[i]->ep), NULL);
        bridge(SW(i), 3 + i, 3 + i, i, 1);
        rig_cfg_write(b.rig, BELOW(i) + PCI_BAR(0), 4, (uint32_t)BAR(i));
        rig_cfg_write(b.rig, BELOW(i) + PCI_COMMAND, 2, 6);
    }
}

static void teardown_switch(void)
{
    rig_settle(b.rig);
    probe_free(b.probe[0]);
    probe_free(b.probe[1]);
    pcie_switch_free(b.sw);
    rig_free(b.rig);
}

static struct pci_func *right(void)
{
    return pcie_switch_func(b.sw, 1);
}

static void poisoned_write(void)
{
    struct tlp *tlp = tlp_new(b.rig->fabric->pool, TLP_MWR, 1);

    tlp->requester = b.probe[0]->func[0].pci->rid;
    tlp_set_span(tlp, BAR(1), 4);
    tlp->ep = true;
    memset(tlp->data, 0, 4);
    endpoint_send_tlp(b.probe[0]->func[0].func, tlp);
    rig_settle(b.rig);
}

/* 2.7.2.1 */
START_TEST(test_poison_egress)
{
    unsigned seen;

    poisoned_write();
    seen = aer(b.probe[1]->func[0].pci, PCI_AER_UNCOR_STATUS);
    ck_assert_uint_eq(seen, U(PCI_ERROR_POISONED));
    reg_write(b.probe[1]->func[0].pci->cfg, b.probe[1]->func[0].pci->ext_aer + PCI_AER_UNCOR_STATUS,
              4, 0xffffffff);
    /* Masked, as after reset: blocked all the same. */
    dpc_write(right(), PCI_DPC_CONTROL, 2, TRIGGER_FATAL | PCI_DPC_CONTROL_POISON);
    poisoned_write();
    ck_assert_uint_eq(aer(b.probe[1]->func[0].pci, PCI_AER_UNCOR_STATUS), 0);
    ck_assert_uint_eq(aer(right(), PCI_AER_UNCOR_STATUS), U(PCI_ERROR_POISON_EGRESS));
    ck_assert(!pci_dpc_contains(right()));
    reg_write(right()->cfg, right()->ext_aer + PCI_AER_UNCOR_MASK, 4, 0);
    poisoned_write();
    ck_assert(pci_dpc_contains(right()));
    ck_assert_uint_eq(REASON(dpc(right(), PCI_DPC_STATUS)), 0);
    ck_assert(!port_link_up(pcie_switch_downstream(b.sw, 1)));
    ck_assert(port_link_up(pcie_switch_downstream(b.sw, 0)));
}
END_TEST

/* A message stops where it triggers; the other branch goes on. */
START_TEST(test_message_stops)
{
    struct pci_func *root = root_port_func(b.rp);
    struct pci_func *from = b.probe[1]->func[0].pci;

    for (unsigned i = 0; i < 2; i++) {
        rig_cfg_write(b.rig, SW(i) + right()->cap_pcie + PCIE_DEVCTL, 2, 0xf);
    }
    rig_cfg_write(b.rig, SW_UP + right()->cap_pcie + PCIE_DEVCTL, 2, 0xf);
    rig_cfg_write(b.rig, RP + root->cap_pcie + PCIE_DEVCTL, 2, 0xf);
    dpc_write(right(), PCI_DPC_CONTROL, 2, TRIGGER_FATAL);
    for (unsigned i = 0; i < 2; i++) {
        struct probe_func *source = &b.probe[1 - i]->func[0];

        endpoint_send_tlp(source->func, tlp_new_message(b.rig->fabric->pool, source->pci->rid,
                                                        TLP_MSG_ERR_FATAL, TLP_MSG_TO_RC));
        rig_settle(b.rig);
        ck_assert(pci_dpc_contains(right()));
        ck_assert_uint_eq(dpc(right(), PCI_DPC_SOURCE), from->rid.v);
        ck_assert((aer(root, PCI_AER_ROOT_STATUS) != 0) == i);
    }
    ck_assert_uint_eq(rig_read(b.rig, ROOT_MEM_READ, BAR(0), 4), 0);
    ck_assert_uint_eq(rig_read(b.rig, ROOT_MEM_READ, BAR(1), 4), 0xffffffff);
}
END_TEST

/* Trigger Status is sticky: a hot reset from above does not end it. */
START_TEST(test_hot_reset)
{
    dpc_write(right(), PCI_DPC_CONTROL, 2, TRIGGER_FATAL | PCI_DPC_CONTROL_SOFTWARE);
    rig_settle(b.rig);
    port_hot_reset(root_port_link(b.rp), true);
    port_hot_reset(root_port_link(b.rp), false);
    rig_run_for(b.rig, 100 * PS_PER_MS);
    ck_assert(pci_dpc_contains(right()));
    ck_assert_uint_eq(dpc(right(), PCI_DPC_CONTROL), 0);
    ck_assert(!port_link_up(pcie_switch_downstream(b.sw, 1)));
    ck_assert(port_link_up(pcie_switch_downstream(b.sw, 0)));
    dpc_write(right(), PCI_DPC_STATUS, 2, PCI_DPC_STATUS_TRIGGER);
    rig_run_for(b.rig, 100 * PS_PER_MS);
    ck_assert(port_link_up(pcie_switch_downstream(b.sw, 1)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fabric-dpc");
    TCase *tc = tcase_create("root port"), *below = tcase_create("switch");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_off_by_default);
    tcase_add_test(tc, test_triggers);
    tcase_add_test(tc, test_masked_and_advisory);
    tcase_add_test(tc, test_software_trigger);
    tcase_add_test(tc, test_interrupt);
    tcase_add_test(tc, test_err_cor);
    tcase_add_test(tc, test_completions_meanwhile);
    tcase_add_test(tc, test_outstanding);
    tcase_add_test(tc, test_nothing_gets_through);
    tcase_add_test(tc, test_nothing_gets_through_timed);
    tcase_add_test(tc, test_busy);
    tcase_add_test(tc, test_rp_pio);
    tcase_add_test(tc, test_cold_reset);
    suite_add_tcase(suite, tc);
    tcase_add_checked_fixture(below, setup_switch, teardown_switch);
    tcase_add_test(below, test_poison_egress);
    tcase_add_test(below, test_message_stops);
    tcase_add_test(below, test_hot_reset);
    suite_add_tcase(suite, below);
    return rig_run_suite(suite);
}
