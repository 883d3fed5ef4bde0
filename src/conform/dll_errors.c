/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Advanced Error Reporting says of links (PCIe Base 6.0, 6.2, tables 6-3 and following), and
 * the data link layer as registers show it (3.2, 3.3). */
#include "bench.h"
#include "lab.h"
#include "pcilab/pci/link_caps.h"
#include "pcilab/platform/probe.h"
#include "pcilab/reg/reg.h"
#include "tables.h"

#define UNCOR (1u << 31) /* in `bit`: of the uncorrectable ones */

/* A fault in what `up` the device, else the port above it, sends, and the bit that is set at the
 * end that detects it. */
struct link_error_case {
    enum link_fault_kind kind;
    bool up;
    unsigned after, count;
    bool at_device;
    uint32_t bit;
};

static uint32_t aer_status(struct lab *lab, const char *name, uint32_t bit)
{
    return lab_cfg(lab, name, lab_aer(lab, name, bit & UNCOR ? 0x04 : 0x10), 4);
}

/* A write up, and the few down that ask for it. */
static void traffic(struct lab *lab)
{
    struct lab_dma dma = {.command = EXERCISER_WRITE, .addr = LAB_RAM, .len = 64};

    lab_dma(lab, lab->ex, &dma);
    lab_run_us(lab, 200);
}

LAB_WITH(link_error, lab_new_timed(t, NULL))
{
    const struct link_error_case *c = t->assertion->param;
    const char *at = c->at_device ? lab->ex : lab->above;
    const char *other = c->at_device ? lab->above : lab->ex;
    const struct link_fault fault = {.kind = c->kind, .after = c->after, .count = c->count};
    struct port *sender =
        c->up ? machine_port(lab->machine, lab->ex) : machine_port_above(lab->machine, lab->ex);
    unsigned code = c->bit & UNCOR ? TLP_MSG_ERR_FATAL : TLP_MSG_ERR_COR;
    uint32_t bit = c->bit & ~UNCOR, status;

    lab_report_errors(lab);
    /* Messages about anything else would be traffic, and make more of it. */
    lab_set_cfg(lab, at, lab_aer(lab, at, 0x14), 4, c->bit & UNCOR ? ~0u : ~bit);
    lab_set_cfg(lab, other, lab_aer(lab, other, 0x14), 4, ~0u);
    lab_run_us(lab, 200);
    t_check(t, port_add_fault(sender, &fault), "the fault cannot be planned");
    traffic(lab);
    status = aer_status(lab, at, c->bit);
    t_check(t, status & bit, "the error status of %s is %08x", at, status);
    t_check(t, !(aer_status(lab, other, c->bit) & bit), "%s logged it as well", other);
    status = lab_cfg(lab, at, lab_pcie(lab, at, 0x0a), 2);
    t_check(t, status & (c->bit & UNCOR ? 4u : 1u), "Device Status of %s is %04x", at, status);
    status = lab_cfg(lab, lab->root, lab_aer(lab, lab->root, 0x30), 4);
    t_check(t, status & (c->bit & UNCOR ? 0x40u : 1u), "Root Error Status is %02x: no message %02x",
            status & 0x7f, code);
}

/* A clean link logs nothing. */
LAB_WITH(no_errors, lab_new_timed(t, NULL))
{
    lab_report_errors(lab);
    traffic(lab);
    for (unsigned i = 0; i < 2; i++) {
        const char *at = i ? lab->ex : lab->above;

        t_check(t, !aer_status(lab, at, 0) && !aer_status(lab, at, UNCOR), "%s logged an error",
                at);
    }
}

static uint32_t link_status(struct lab *lab, const char *name)
{
    return lab_cfg(lab, name, lab_pcie(lab, name, PCIE_LNKSTA), 2);
}

#define SURPRISE_DOWN (1u << 5)

static bool reports_surprise(struct conform_ctx *t, struct lab *lab)
{
    if (lab_cfg(lab, lab->above, lab_pcie(lab, lab->above, PCIE_LNKCAP), 4) & PCIE_LNKCAP_SURPRISE)
        return true;
    t_skip(t, "the port cannot report Surprise Down");
    return false;
}

static void check_surprise(struct conform_ctx *t, struct lab *lab, bool expected)
{
    uint32_t status = aer_status(lab, lab->above, UNCOR);

    t_check(t, !(link_status(lab, lab->above) & PCIE_LNKSTA_DLL_ACTIVE),
            "Data Link Layer Link Active is set");
    t_check(t, !(status & SURPRISE_DOWN) == !expected, "Uncorrectable Error Status is %08x",
            status);
}

/* A port with a slot that can this, and something in it. */
static const char *slot_of(struct lab *lab, uint32_t capability)
{
    char **names = machine_names(lab->machine);
    const char *found = NULL;

    for (unsigned i = 0; names[i] && !found; i++) {
        struct pci_func *func = lab_func(lab, names[i]);

        if (func && pcie_slot_can(func, capability) && machine_port(lab->machine, names[i]) &&
            port_link_up(machine_port(lab->machine, names[i])))
            found = machine_port(lab->machine, names[i])->name;
    }
    g_strfreev(names);
    return found;
}

LAB_WITH(surprise, lab_new_timed(t, NULL))
{
    if (!reports_surprise(t, lab))
        return;
    lab_report_errors(lab);
    port_set_present(machine_port_above(lab->machine, lab->ex), false);
    lab_run_us(lab, 1000);
    check_surprise(t, lab, true);
}

LAB_WITH(no_surprise_disable, lab_new_timed(t, NULL))
{
    if (!reports_surprise(t, lab))
        return;
    lab_report_errors(lab);
    lab_change_cfg(lab, lab->above, lab_pcie(lab, lab->above, PCIE_LNKCTL), 2, PCIE_LNKCTL_DISABLE,
                   0);
    lab_run_us(lab, 1000);
    check_surprise(t, lab, false);
}

LAB_WITH(no_surprise_reset, lab_new_timed(t, NULL))
{
    if (!reports_surprise(t, lab))
        return;
    lab_report_errors(lab);
    lab_change_cfg(lab, lab->above, 0x3e, 2, 0x40, 0);
    lab_run_us(lab, 1000);
    check_surprise(t, lab, false);
}

LAB_WITH(no_surprise_contained, lab_new_timed(t, NULL))
{
    unsigned dpc = lab_func(lab, lab->above)->ext_dpc;

    if (!dpc) {
        t_skip(t, "the port has no containment");
        return;
    }
    lab_report_errors(lab);
    lab_change_cfg(lab, lab->above, dpc + 6, 2, 1, 0);
    lab_change_cfg(lab, lab->above, dpc + 6, 2, 0x40, 0);
    lab_run_us(lab, 1000);
    check_surprise(t, lab, false);
}

/* The switch's own link goes down: what happens below it is no surprise. */
LAB_WITH(no_surprise_above, lab_new_timed(t, NULL))
{
    if (g_str_equal(lab->above, lab->root)) {
        t_skip(t, "the topology has no exerciser below a switch");
        return;
    }
    lab_report_errors(lab);
    lab_change_cfg(lab, lab->root, 0x3e, 2, 0x40, 0);
    lab_run_us(lab, 2000);
    t_check(t, !port_link_up(machine_port(lab->machine, lab->ex)), "the link below stays up");
    t_check(
        t,
        !(reg_get(lab_func(lab, lab->above)->cfg, lab_aer(lab, lab->above, 0x04)) & SURPRISE_DOWN),
        "the port below the switch logged Surprise Down");
}

/* A bay: whoever allows surprises reports none. */
LAB_WITH(no_surprise_bay, lab_new_timed(t, NULL))
{
    const char *name = slot_of(lab, PCIE_SLTCAP_SURPRISE);
    struct pci_func *func = name ? lab_func(lab, name) : NULL;

    if (!func) {
        t_skip(t, "the topology has no slot that allows surprise");
        return;
    }
    port_set_present(machine_port(lab->machine, name), false);
    lab_run_us(lab, 1000);
    t_check(t, !(lab_cfg(lab, name, lab_aer(lab, name, 0x04), 4) & SURPRISE_DOWN),
            "%s logged Surprise Down", name);
}

/* 3.3: both ends have it, and the exchange is enabled. */
static bool exchanges(struct conform_ctx *t, struct lab *lab, unsigned *upper, unsigned *lower)
{
    *upper = lab_func(lab, lab->above)->ext_dlf;
    *lower = lab_func(lab, lab->ex)->ext_dlf;
    if (!*upper || !*lower)
        t_skip(t, "an end of the link has no Data Link Feature capability");
    return *upper && *lower;
}

LAB_WITH(feature_exchange, lab_new_timed(t, NULL))
{
    unsigned upper, lower;
    uint32_t local, remote;

    if (!exchanges(t, lab, &upper, &lower))
        return;
    local = lab_cfg(lab, lab->ex, lower + PCI_DLF_CAP, 4) & PCI_DLF_FEATURES;
    remote = lab_cfg(lab, lab->above, upper + PCI_DLF_STATUS, 4);
    t_check(t, remote == (local | PCI_DLF_REMOTE_VALID),
            "the port has %08x of a device that supports %08x", remote, local);
    local = lab_cfg(lab, lab->above, upper + PCI_DLF_CAP, 4) & PCI_DLF_FEATURES;
    remote = lab_cfg(lab, lab->ex, lower + PCI_DLF_STATUS, 4);
    t_check(t, remote == (local | PCI_DLF_REMOTE_VALID),
            "the device has %08x of a port that supports %08x", remote, local);
}

LAB_WITH(feature_off, lab_new_timed(t, NULL))
{
    unsigned upper, lower, control = lab_pcie(lab, lab->above, PCIE_LNKCTL);

    if (!exchanges(t, lab, &upper, &lower))
        return;
    lab_change_cfg(lab, lab->above, upper + PCI_DLF_CAP, 4, 0, PCI_DLF_EXCHANGE);
    lab_change_cfg(lab, lab->above, control, 2, PCIE_LNKCTL_DISABLE, 0);
    lab_run_us(lab, 1000);
    lab_change_cfg(lab, lab->above, control, 2, 0, PCIE_LNKCTL_DISABLE);
    lab_run_us(lab, 200000);
    t_check(t, link_status(lab, lab->above) & PCIE_LNKSTA_DLL_ACTIVE, "the link does not come up");
    t_check(t, !(lab_cfg(lab, lab->above, upper + PCI_DLF_STATUS, 4) & PCI_DLF_REMOTE_VALID),
            "the remote features are valid without an exchange");
}

LAB_WITH(feature_cleared, lab_new_timed(t, NULL))
{
    unsigned upper, lower;

    if (!exchanges(t, lab, &upper, &lower))
        return;
    lab_change_cfg(lab, lab->above, lab_pcie(lab, lab->above, PCIE_LNKCTL), 2, PCIE_LNKCTL_DISABLE,
                   0);
    lab_run_us(lab, 1000);
    t_check(t, !(lab_cfg(lab, lab->above, upper + PCI_DLF_STATUS, 4)),
            "the remote features are %08x while the link is down",
            lab_cfg(lab, lab->above, upper + PCI_DLF_STATUS, 4));
}

LAB_WITH(active, lab_new_timed(t, NULL))
{
    unsigned control = lab_pcie(lab, lab->above, PCIE_LNKCTL);

    t_check(t, link_status(lab, lab->above) & PCIE_LNKSTA_DLL_ACTIVE, "it is clear on a good link");
    lab_change_cfg(lab, lab->above, control, 2, PCIE_LNKCTL_DISABLE, 0);
    lab_change_cfg(lab, lab->above, control, 2, 0, PCIE_LNKCTL_DISABLE);
    lab_run_us(lab, 10);
    t_check(t, !(link_status(lab, lab->above) & PCIE_LNKSTA_DLL_ACTIVE), "it is set in training");
    lab_run_us(lab, 200000);
    t_check(t, link_status(lab, lab->above) & PCIE_LNKSTA_DLL_ACTIVE, "it stays clear");
}

#define CASE(...)             (&(const struct link_error_case){__VA_ARGS__})
#define ERR(i, sec, c, text)  BEHAVIOUR(i, "data-link", sec, link_error, c, text)
#define DLL(i, sec, fn, text) BEHAVIOUR("dll." i, "data-link", sec, fn, NULL, text)

static const struct conform_assertion rows[] = {
    DLL("log.none", "6.2.7", no_errors, "A link without errors logs none."),
    ERR("dll.log.bad_tlp", "3.6.3.1", CASE(LINK_FAULT_CORRUPT_TLP, true, 0, 1, false, 1u << 6),
        "A port logs a TLP with a wrong LCRC as Bad TLP, correctable."),
    ERR("dll.log.bad_tlp_end", "3.6.3.1", CASE(LINK_FAULT_CORRUPT_TLP, false, 0, 1, true, 1u << 6),
        "A device logs a TLP with a wrong LCRC as Bad TLP, correctable."),
    ERR("dll.log.bad_dllp", "3.6.2.2", CASE(LINK_FAULT_CORRUPT_DLLP, true, 0, 1, false, 1u << 7),
        "A port logs a DLLP with a wrong CRC as Bad DLLP, correctable."),
    ERR("dll.log.bad_dllp_end", "3.6.2.2",
        CASE(LINK_FAULT_CORRUPT_DLLP, false, 0, 1, true, 1u << 7),
        "A device logs a DLLP with a wrong CRC as Bad DLLP, correctable."),
    ERR("dll.log.receiver", "4.2.5.8", CASE(LINK_FAULT_DROP_TLP, true, 0, 1, false, 1u << 0),
        "A port logs a TLP whose framing is lost as Receiver Error, correctable."),
    ERR("dll.log.receiver_end", "4.2.5.8", CASE(LINK_FAULT_DROP_TLP, false, 0, 1, true, 1u << 0),
        "A device logs a TLP whose framing is lost as Receiver Error, correctable."),
    ERR("dll.log.timer", "3.6.2.1", CASE(LINK_FAULT_DROP_DLLP, true, 0, 24, false, 1u << 12),
        "A port that hears no Ack logs Replay Timer Timeout, correctable."),
    ERR("dll.log.timer_end", "3.6.2.1", CASE(LINK_FAULT_DROP_DLLP, false, 0, 24, true, 1u << 12),
        "A device that hears no Ack logs Replay Timer Timeout, correctable."),
    ERR("dll.log.rollover", "3.6.2.1", CASE(LINK_FAULT_CORRUPT_TLP, false, 0, 48, false, 1u << 8),
        "A port whose REPLAY_NUM rolls over logs it, correctable."),
    ERR("dll.log.rollover_end", "3.6.2.1", CASE(LINK_FAULT_CORRUPT_TLP, true, 0, 12, true, 1u << 8),
        "A device whose REPLAY_NUM rolls over logs it, correctable."),
    ERR("dll.log.protocol", "3.6.2.2",
        CASE(LINK_FAULT_WRONG_ACK, true, 0, 1, false, UNCOR | 1u << 4),
        "A port logs an Ack of what was never sent as Data Link Protocol Error, fatal."),
    ERR("dll.log.protocol_end", "3.6.2.2",
        CASE(LINK_FAULT_WRONG_ACK, false, 0, 1, true, UNCOR | 1u << 4),
        "A device logs an Ack of what was never sent as Data Link Protocol Error, fatal."),
    BEHAVIOUR("flow.log.overflow", "flow", "2.6.1.2", link_error,
              CASE(LINK_FAULT_OVERFLOW_TLP, true, 0, 1, false, UNCOR | 1u << 17),
              "A port logs a TLP that exceeds its credits as Receiver Overflow, fatal."),
    BEHAVIOUR("flow.log.overflow_end", "flow", "2.6.1.2", link_error,
              CASE(LINK_FAULT_OVERFLOW_TLP, false, 2, 1, true, UNCOR | 1u << 17),
              "A device logs a TLP that exceeds its credits as Receiver Overflow, fatal."),
    BEHAVIOUR("flow.log.protocol", "flow", "2.6.1", link_error,
              CASE(LINK_FAULT_WRONG_CREDITS, true, 0, 1, false, UNCOR | 1u << 13),
              "A port logs an UpdateFC of impossible credits as Flow Control Protocol Error."),
    BEHAVIOUR("flow.log.protocol_end", "flow", "2.6.1", link_error,
              CASE(LINK_FAULT_WRONG_CREDITS, false, 0, 1, true, UNCOR | 1u << 13),
              "A device logs an UpdateFC of impossible credits as Flow Control Protocol Error."),
    DLL("surprise", "3.2.1", surprise,
        "A link that goes down by itself is a Surprise Down Error of the port above."),
    DLL("surprise.disable", "3.2.1", no_surprise_disable, "Link Disable is no surprise."),
    DLL("surprise.reset", "3.2.1", no_surprise_reset, "Secondary Bus Reset is no surprise."),
    DLL("surprise.contained", "3.2.1", no_surprise_contained, "Containment is no surprise."),
    DLL("surprise.above", "3.2.1", no_surprise_above,
        "A link that goes down because of a reset above its switch is no surprise."),
    DLL("surprise.bay", "3.2.1", no_surprise_bay,
        "Where a slot allows surprises, a device that is pulled out is none."),
    DLL("feature", "3.3", feature_exchange,
        "With the Data Link Feature Exchange each end has what the other supports."),
    DLL("feature.off", "3.3", feature_off,
        "Without the Data Link Feature Exchange no remote features are valid."),
    DLL("feature.cleared", "3.2.1", feature_cleared,
        "In DL_Inactive the remote features are cleared."),
    DLL("active", "3.2.1", active,
        "Data Link Layer Link Active is set in DL_Active and in no other state."),
};

ASSERTION_TABLE(assertions_dll_errors, rows);
