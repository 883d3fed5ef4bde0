/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts, resets, power, links, containment (PCIe Base 6.0). */
#include <string.h>

#include "lab.h"
#include "machine.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

LAB_PROCEDURE(intx)
{
    lab_forget(lab);
    lab_ex_set(lab, lab->ex, EXERCISER_INTX, 4, 1);
    t_check(t, lab_count_messages(lab, lab->ex, TLP_MSG_ASSERT_INTA) == 1, "%u Assert_INTA",
            lab_count_messages(lab, lab->ex, TLP_MSG_ASSERT_INTA));
    t_check(t, lab_cfg(lab, lab->ex, 6, 2) & 8, "Interrupt Status is clear");
    lab_ex_set(lab, lab->ex, EXERCISER_INTX, 4, 0);
    t_check(t, lab_count_messages(lab, lab->ex, TLP_MSG_DEASSERT_INTA) == 1, "%u Deassert_INTA",
            lab_count_messages(lab, lab->ex, TLP_MSG_DEASSERT_INTA));
    t_check(t, !(lab_cfg(lab, lab->ex, 6, 2) & 8), "Interrupt Status is set");
}

LAB_PROCEDURE(intx_disable)
{
    lab_ex_set(lab, lab->ex, EXERCISER_INTX, 4, 1);
    lab_forget(lab);
    lab_change_cfg(lab, lab->ex, 4, 2, 0x400, 0);
    lab_run_us(lab, 1);
    t_check(t, lab_count_messages(lab, lab->ex, TLP_MSG_DEASSERT_INTA) == 1,
            "no Deassert_INTA when it is disabled");
    t_check(t, lab_cfg(lab, lab->ex, 6, 2) & 8, "Interrupt Status is clear");
}

/* MSI-X of ex: vector 0 to an address of plain memory, where a write is easily seen. */
static unsigned setup_msix(struct lab *lab, unsigned control, unsigned vector_control)
{
    unsigned cap = lab_func(lab, lab->ex)->cap_msix;
    uint64_t table = lab_bar(lab, lab->ex, 2);

    lab_write(lab, table, 4, LAB_RAM);
    lab_write(lab, table + 4, 4, 0);
    lab_write(lab, table + 8, 4, 0xcafe);
    lab_write(lab, table + 12, 4, vector_control);
    lab_change_cfg(lab, lab->ex, cap + 2, 2, control, 0xc000 & ~control);
    lab_forget(lab);
    return cap;
}

static uint32_t ram(struct lab *lab)
{
    uint32_t value = 0;

    machine_board_read(lab->machine, LAB_RAM, &value, 4);
    return value;
}

LAB_PROCEDURE(msix)
{
    setup_msix(lab, 0x8000, 0);
    lab_ex_set(lab, lab->ex, EXERCISER_IRQ_TRIGGER, 4, 0);
    t_check(t, lab_count(lab, lab->ex, (uint32_t)BIT(TLP_MWR)) == 1, "%u writes",
            lab_count(lab, lab->ex, (uint32_t)BIT(TLP_MWR)));
    t_check(t, ram(lab) == 0xcafe, "the data is %08x", ram(lab));
}

static uint64_t pending(struct lab *lab)
{
    uint64_t value;

    lab_read(lab, lab_bar(lab, lab->ex, 2) + EXERCISER_BAR2_MSIX_PBA, 8, &value);
    return value & 1;
}

LAB_PROCEDURE(msix_masked)
{
    setup_msix(lab, 0x8000, 1);
    lab_ex_set(lab, lab->ex, EXERCISER_IRQ_TRIGGER, 4, 0);
    t_check(t, !lab_count(lab, lab->ex, (uint32_t)BIT(TLP_MWR)), "it was sent");
    t_check(t, pending(lab), "its Pending bit is clear");
    lab_write(lab, lab_bar(lab, lab->ex, 2) + 12, 4, 0);
    t_check(t, ram(lab) == 0xcafe, "it was not sent when unmasked");
    t_check(t, !pending(lab), "its Pending bit is still set");
}

LAB_PROCEDURE(msix_function_mask)
{
    unsigned cap = setup_msix(lab, 0xc000, 0);

    lab_ex_set(lab, lab->ex, EXERCISER_IRQ_TRIGGER, 4, 0);
    t_check(t, !lab_count(lab, lab->ex, (uint32_t)BIT(TLP_MWR)) && pending(lab),
            "it was sent, or is not pending");
    lab_change_cfg(lab, lab->ex, cap + 2, 2, 0, 0x4000);
    lab_run_us(lab, 1);
    t_check(t, ram(lab) == 0xcafe, "it was not sent when unmasked");
}

LAB_PROCEDURE(msi)
{
    unsigned cap = lab_func(lab, lab->ex)->cap_msi;

    if (!cap) {
        t_skip(t, "the exerciser has no MSI");
        return;
    }
    lab_set_cfg(lab, lab->ex, cap + 4, 4, LAB_RAM);
    lab_set_cfg(lab, lab->ex, cap + 8, 4, 0);
    lab_set_cfg(lab, lab->ex, cap + 12, 2, 0x1234);
    lab_change_cfg(lab, lab->ex, cap + 2, 2, 1, 0x70);
    lab_forget(lab);
    lab_ex_set(lab, lab->ex, EXERCISER_IRQ_TRIGGER, 4, 0);
    t_check(t, lab_count(lab, lab->ex, (uint32_t)BIT(TLP_MWR)) == 1, "%u writes",
            lab_count(lab, lab->ex, (uint32_t)BIT(TLP_MWR)));
    t_check(t, ram(lab) == 0x1234, "the data is %08x", ram(lab));
}

LAB_PROCEDURE(msi_no_master)
{
    setup_msix(lab, 0x8000, 0);
    lab_change_cfg(lab, lab->ex, 4, 2, 0, 4);
    lab_ex_set(lab, lab->ex, EXERCISER_IRQ_TRIGGER, 4, 0);
    t_check(t, !lab_count(lab, lab->ex, (uint32_t)BIT(TLP_MWR)), "it was sent");
}

LAB_PROCEDURE(flr)
{
    unsigned control = lab_pcie(lab, lab->ex, 8);
    uint32_t before = lab_cfg(lab, lab->ex, control, 2) & 0x00e0;

    if (!(lab_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 4), 4) & 1u << 28)) {
        t_skip(t, "the exerciser has no Function Level Reset");
        return;
    }
    lab_ex_set(lab, lab->ex, EXERCISER_SCRATCH0, 4, 0x77);
    lab_change_cfg(lab, lab->ex, control, 2, 0x8000, 0);
    lab_run_us(lab, 100000);
    t_check(t, !(lab_cfg(lab, lab->ex, 4, 2) & 0x0547), "Command is %04x",
            lab_cfg(lab, lab->ex, 4, 2));
    t_check(t, (lab_cfg(lab, lab->ex, control, 2) & 0x00e0) == before,
            "Max_Payload_Size was changed");
    t_check(t, lab_cfg(lab, lab->ex, 0x10, 4) < 0x10, "BAR 0 is %08x",
            lab_cfg(lab, lab->ex, 0x10, 4));
    t_check(t, lab_cfg(lab, lab->above, lab_pcie(lab, lab->above, 0x12), 2) & 0x2000,
            "the link went down");
}

LAB_PROCEDURE(d3hot)
{
    unsigned pm = lab_func(lab, lab->ex)->cap_pm + 4u;
    uint64_t value;
    enum tlp_status status;

    lab_ex_set(lab, lab->ex, EXERCISER_SCRATCH0, 4, 0x77);
    lab_change_cfg(lab, lab->ex, pm, 2, 3, 0);
    lab_run_us(lab, 10000);
    t_check(t, (lab_cfg(lab, lab->ex, pm, 2) & 3) == 3, "PowerState is %u",
            lab_cfg(lab, lab->ex, pm, 2) & 3);
    status = lab_read(lab, lab_bar(lab, lab->ex, 0), 4, &value);
    t_check(t, status == TLP_UR, "a read has status %u", status);
    lab_change_cfg(lab, lab->ex, pm, 2, 0, 3);
    lab_run_us(lab, 10000);
    t_check(t, !(lab_cfg(lab, lab->ex, pm, 2) & 3), "PowerState stays");
    if (lab_cfg(lab, lab->ex, pm, 2) & 8) {
        t_check(t, lab_ex_get(lab, lab->ex, EXERCISER_SCRATCH0, 4) == 0x77,
                "with No_Soft_Reset its registers are gone");
    }
}

LAB_PROCEDURE(d1_reserved)
{
    unsigned pm = lab_func(lab, lab->ex)->cap_pm + 4u;

    if (lab_cfg(lab, lab->ex, pm - 2, 2) & 0x0200) {
        t_skip(t, "the exerciser has D1");
        return;
    }
    lab_change_cfg(lab, lab->ex, pm, 2, 1, 2);
    t_check(t, !(lab_cfg(lab, lab->ex, pm, 2) & 3), "PowerState is %u",
            lab_cfg(lab, lab->ex, pm, 2) & 3);
}

LAB_PROCEDURE(link_disable)
{
    unsigned control = lab_pcie(lab, lab->above, 0x10);
    uint64_t value;

    lab_change_cfg(lab, lab->above, control, 2, 0x10, 0);
    lab_run_us(lab, 1000);
    t_check(t, !(lab_cfg(lab, lab->above, control + 2, 2) & 0x2000),
            "Data Link Layer Link Active is set");
    t_check(t, lab_read(lab, lab_bar(lab, lab->ex, 0), 4, &value) == TLP_UR,
            "a request went through");
    lab_change_cfg(lab, lab->above, control, 2, 0, 0x10);
    lab_run_us(lab, 200000);
    t_check(t, lab_cfg(lab, lab->above, control + 2, 2) & 0x2000, "the link does not come back");
    t_check(t, !(lab_cfg(lab, lab->ex, 4, 2) & 7), "the device was not reset");
}

LAB_PROCEDURE(retrain)
{
    unsigned control = lab_pcie(lab, lab->above, 0x10);

    lab_set_cfg(lab, lab->above, control + 2, 2, 0xc000);
    lab_change_cfg(lab, lab->above, control, 2, 0x20, 0);
    lab_run_us(lab, 100000);
    t_check(t, lab_cfg(lab, lab->above, control + 2, 2) & 0x4000,
            "Link Bandwidth Management Status is clear");
    t_check(t, !(lab_cfg(lab, lab->above, control + 2, 2) & 0x0800), "Link Training is set");
}

LAB_PROCEDURE(target_speed)
{
    unsigned control = lab_pcie(lab, lab->above, 0x30);
    unsigned status = lab_pcie(lab, lab->above, 0x12);

    lab_change_cfg(lab, lab->above, control, 2, 1, 0xf);
    lab_change_cfg(lab, lab->above, status - 2, 2, 0x20, 0);
    lab_run_us(lab, 100000);
    t_check(t, (lab_cfg(lab, lab->above, status, 2) & 0xf) == 1, "the speed is %u",
            lab_cfg(lab, lab->above, status, 2) & 0xf);
}

LAB_PROCEDURE(hot_reset)
{
    lab_ex_set(lab, lab->ex, EXERCISER_SCRATCH0, 4, 0x77);
    lab_change_cfg(lab, lab->above, 0x3e, 2, 0x40, 0);
    lab_run_us(lab, 2000);
    t_check(t, lab_cfg(lab, lab->ex, 0, 4) == 0xffffffff, "it answers while it is in reset");
    lab_change_cfg(lab, lab->above, 0x3e, 2, 0, 0x40);
    lab_run_us(lab, 200000);
    t_check(t, lab_cfg(lab, lab->ex, 0, 4) != 0xffffffff, "it does not come back");
    t_check(t, !(lab_cfg(lab, lab->ex, 4, 2) & 7), "Command is %04x", lab_cfg(lab, lab->ex, 4, 2));
}

static bool need_dpc(struct conform_ctx *t, struct lab *lab, unsigned *dpc)
{
    *dpc = lab_func(lab, lab->above)->ext_dpc;
    if (!*dpc)
        t_skip(t, "the port has no containment");
    return *dpc != 0;
}

LAB_PROCEDURE(dpc_software)
{
    unsigned dpc, link = lab_pcie(lab, lab->above, 0x12);

    if (!need_dpc(t, lab, &dpc))
        return;
    lab_change_cfg(lab, lab->above, dpc + 6, 2, 1, 0);
    lab_change_cfg(lab, lab->above, dpc + 6, 2, 0x40, 0);
    lab_run_us(lab, 1000);
    t_check(t, (lab_cfg(lab, lab->above, dpc + 8, 2) & 0x67) == 0x27, "DPC Status is %04x",
            lab_cfg(lab, lab->above, dpc + 8, 2));
    t_check(t, !(lab_cfg(lab, lab->above, link, 2) & 0x2000), "the link is up");
    lab_set_cfg(lab, lab->above, dpc + 8, 2, 1);
    lab_run_us(lab, 200000);
    t_check(t, lab_cfg(lab, lab->above, link, 2) & 0x2000, "the link does not come back");
}

LAB_PROCEDURE(dpc_disabled)
{
    unsigned dpc;

    if (!need_dpc(t, lab, &dpc))
        return;
    lab_change_cfg(lab, lab->above, dpc + 6, 2, 0x40, 3);
    lab_run_us(lab, 1000);
    t_check(t, !(lab_cfg(lab, lab->above, dpc + 8, 2) & 1), "it was triggered");
}

LAB_PROCEDURE(dpc_fatal)
{
    struct tlp *tlp;
    unsigned dpc;

    if (!need_dpc(t, lab, &dpc))
        return;
    lab_report_errors(lab);
    lab_change_cfg(lab, lab->above, dpc + 6, 2, 1, 0);
    tlp = lab_tlp(lab, TLP_MSG, 0);
    tlp->msg_code = TLP_MSG_ERR_FATAL;
    tlp->msg_routing = TLP_MSG_TO_RC;
    lab_send_up(lab, tlp);
    t_check(t, (lab_cfg(lab, lab->above, dpc + 8, 2) & 7) == 5, "DPC Status is %04x",
            lab_cfg(lab, lab->above, dpc + 8, 2));
    t_check(t, lab_cfg(lab, lab->above, dpc + 10, 2) == lab_func(lab, lab->ex)->rid.v,
            "DPC Error Source ID is %04x", lab_cfg(lab, lab->above, dpc + 10, 2));
    t_check(t, !lab_count_messages(lab, NULL, TLP_MSG_ERR_FATAL), "the message went on");
}

LAB_PROCEDURE(dpc_nonfatal)
{
    struct tlp *tlp;
    unsigned dpc;

    if (!need_dpc(t, lab, &dpc))
        return;
    lab_report_errors(lab);
    lab_change_cfg(lab, lab->above, dpc + 6, 2, 1, 2);
    tlp = lab_tlp(lab, TLP_MSG, 0);
    tlp->msg_code = TLP_MSG_ERR_NONFATAL;
    tlp->msg_routing = TLP_MSG_TO_RC;
    lab_send_up(lab, tlp);
    t_check(t, !(lab_cfg(lab, lab->above, dpc + 8, 2) & 1), "ERR_NONFATAL triggered");
    lab_change_cfg(lab, lab->above, dpc + 6, 2, 2, 1);
    tlp = lab_tlp(lab, TLP_MSG, 0);
    tlp->msg_code = TLP_MSG_ERR_NONFATAL;
    tlp->msg_routing = TLP_MSG_TO_RC;
    lab_send_up(lab, tlp);
    t_check(t, (lab_cfg(lab, lab->above, dpc + 8, 2) & 7) == 3, "DPC Status is %04x",
            lab_cfg(lab, lab->above, dpc + 8, 2));
}

LAB_PROCEDURE(ltr)
{
    unsigned control = lab_pcie(lab, lab->ex, 0x28);
    const char *names[2] = {lab->above, lab->ex};

    if (!(lab_cfg(lab, lab->ex, control - 4, 4) & 0x800)) {
        t_skip(t, "the exerciser has no LTR");
        return;
    }
    lab_forget(lab);
    lab_ex_set(lab, lab->ex, EXERCISER_LTR, 4, 0x88018801);
    t_check(t, !lab_count_messages(lab, lab->ex, TLP_MSG_LTR), "a message without LTR enabled");
    for (unsigned i = 0; i < 2; i++)
        lab_change_cfg(lab, names[i], lab_pcie(lab, names[i], 0x28), 2, 0x400, 0);
    lab_ex_set(lab, lab->ex, EXERCISER_LTR, 4, 0x88028802);
    t_check(t, lab_count_messages(lab, lab->ex, TLP_MSG_LTR), "no message with LTR enabled");
}

static const struct conform_assertion rows[] = {
    LAB_RULE(
        "intx", "interrupts", "6.1.3", intx,
        "A pin that is asserted and deasserted sends one message each, and Interrupt Status shows "
        "it."),
    LAB_RULE("intx_disable", "interrupts", "7.5.1.1.3", intx_disable,
             "Interrupt Disable takes an asserted pin back; Interrupt Status still shows it."),
    LAB_RULE("msix", "interrupts", "6.1.4", msix,
             "An MSI-X interrupt writes its data to its address."),
    LAB_RULE("msix_mask", "interrupts", "6.1.4.5", msix_masked,
             "An interrupt of a masked vector is pending, and is sent once it is unmasked."),
    LAB_RULE("msix_function_mask", "interrupts", "7.7.2.2", msix_function_mask,
             "Function Mask masks all vectors."),
    LAB_RULE("msi", "interrupts", "6.1.4", msi, "An MSI interrupt writes its data to its address."),
    LAB_RULE("bus_master", "interrupts", "7.5.1.1.3", msi_no_master,
             "Without Bus Master Enable no MSI and no MSI-X interrupt is sent."),
    LAB_RULE(
        "flr", "reset", "6.6.2", flr,
        "A Function Level Reset clears Command and BARs, keeps Max_Payload_Size and the link."),
    LAB_RULE("hot", "reset", "6.6.1", hot_reset,
             "Secondary Bus Reset resets what is below the port, which answers again afterwards."),
    LAB_RULE("d3hot", "power", "5.3.1.4.1", d3hot,
             "In D3hot a function answers configuration requests and no memory request; back in D0 "
             "with No_Soft_Reset it is as before."),
    LAB_RULE("d1", "power", "7.5.2.2", d1_reserved,
             "A power state that the function does not support is not entered."),
    LAB_RULE("disable", "link", "7.5.3.7", link_disable,
             "Link Disable takes the link down and resets what is below it, until it is cleared."),
    LAB_RULE("retrain", "link", "7.5.3.8", retrain,
             "After Retrain Link, Link Bandwidth Management Status is set."),
    LAB_RULE("target", "link", "7.5.3.19", target_speed,
             "A retrained link is not faster than Target Link Speed."),
    LAB_RULE(
        "software", "dpc", "7.9.14.3", dpc_software,
        "DPC Software Trigger contains: reason and link show it, until the status is cleared."),
    LAB_RULE("disabled", "dpc", "7.9.14.3", dpc_disabled,
             "Without DPC Trigger Enable nothing triggers containment."),
    LAB_RULE("fatal", "dpc", "6.2.11", dpc_fatal,
             "An ERR_FATAL message triggers containment, is recorded with its source and goes no "
             "further."),
    LAB_RULE("nonfatal", "dpc", "6.2.11", dpc_nonfatal,
             "An ERR_NONFATAL message triggers containment only where that is enabled."),
    LAB_RULE("message", "ltr", "6.18", ltr,
             "A device sends LTR messages only where LTR is enabled."),
};

ASSERTION_TABLE(assertions_device, rows);
