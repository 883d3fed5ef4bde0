/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containment, INTx and MSI, PME, resets (PCIe Base 6.0, 6.1, 6.2.11, 6.6, 7.9.14). */
#include <string.h>

#include "lab_body.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

/* Containment, at the port above ex. */

static bool need_dpc(struct conform_ctx *t, struct lab *lab, const char *name, unsigned *dpc)
{
    *dpc = lab_func(lab, name)->ext_dpc;
    if (!*dpc)
        t_skip(t, "%s has no containment", name);
    return *dpc != 0;
}

static void contain(struct lab *lab, unsigned dpc, unsigned control)
{
    lab_set_cfg(lab, lab->above, dpc + 6, 2, control | 1);
    lab_set_cfg(lab, lab->above, dpc + 6, 2, control | 0x41);
    lab_run_us(lab, 1000);
}

static void dpc_interrupt(struct conform_ctx *t, struct lab *lab)
{
    unsigned dpc;

    if (!need_dpc(t, lab, lab->above, &dpc) || !lab_arm_port_msi(t, lab, lab->above))
        return;
    contain(lab, dpc, 0);
    t_check(t, !lab_interrupted(lab), "an interrupt without DPC Interrupt Enable");
    lab_set_cfg(lab, lab->above, dpc + 8, 2, 9);
    lab_run_us(lab, 200000);
    contain(lab, dpc, 8);
    t_check(t, lab_interrupted(lab), "no interrupt with it");
    t_check(t, lab_cfg(lab, lab->above, dpc + 8, 2) & 8, "DPC Interrupt Status is clear");
}

static void dpc_err_cor(struct conform_ctx *t, struct lab *lab)
{
    unsigned dpc;

    if (!need_dpc(t, lab, lab->above, &dpc))
        return;
    lab_report_errors(lab);
    contain(lab, dpc, 0x10);
    t_check(t, lab_count_messages(lab, NULL, TLP_MSG_ERR_COR) == 1, "%u messages ERR_COR",
            lab_count_messages(lab, NULL, TLP_MSG_ERR_COR));
    if (!(lab_cfg(lab, lab->above, dpc + 4, 2) & 0x1000))
        return;
    lab_set_cfg(lab, lab->above, dpc + 6, 2, 0x81);
    lab_forget(lab);
    lab_set_cfg(lab, lab->above, dpc + 8, 2, 9);
    lab_run_us(lab, 200000);
    t_check(t, lab_count_messages(lab, NULL, TLP_MSG_ERR_COR) == 1,
            "%u messages ERR_COR when the link came up",
            lab_count_messages(lab, NULL, TLP_MSG_ERR_COR));
}

static void dpc_own_error(struct conform_ctx *t, struct lab *lab)
{
    struct tlp *tlp;
    unsigned dpc;

    if (!need_dpc(t, lab, lab->above, &dpc))
        return;
    tlp = lab_tlp(lab, TLP_MWR, 2);
    lab_report_errors(lab);
    lab_change_cfg(lab, lab->above, dpc + 6, 2, 1, 2);
    lab_forget(lab);
    tlp_set_span(tlp, LAB_RAM, 8);
    tlp->length_wrong = true;
    lab_send_up(lab, tlp);
    t_check(t, (lab_cfg(lab, lab->above, dpc + 8, 2) & 0x67) == 1, "DPC Status is %04x",
            lab_cfg(lab, lab->above, dpc + 8, 2));
    t_check(t, !lab_count_messages(lab, NULL, TLP_MSG_ERR_FATAL), "ERR_FATAL was sent");
}

static void dpc_completion(struct conform_ctx *t, struct lab *lab)
{
    uint64_t value, addr = lab_bar(lab, lab->ex, 0);
    enum tlp_status status;
    unsigned dpc;

    if (!need_dpc(t, lab, lab->above, &dpc))
        return;
    if (lab_cfg(lab, lab->above, dpc + 4, 2) & 0x40) {
        struct tlp *tlp = lab_tlp(lab, TLP_MWR, 1);

        /* Poisoned TLP Egress Blocking, while there is no containment. */
        lab_report_errors(lab);
        lab_set_cfg(lab, lab->above, dpc + 6, 2, 0x20);
        lab_forget(lab);
        tlp_set_span(tlp, addr + EXERCISER_SCRATCH0, 4);
        tlp->ep = true;
        inject_emit(machine_port(lab->machine, lab->root), tlp);
        lab_run_us(lab, 10);
        t_check(t, !lab_count(lab, lab->above, (uint32_t)BIT(TLP_MWR)), "a poisoned TLP left");
    }
    contain(lab, dpc, 4);
    status = lab_read(lab, addr, 4, &value);
    t_check(t, status == TLP_UR, "with DPC Completion Control set the status is %u", status);
}

static void dpc_once(struct conform_ctx *t, struct lab *lab)
{
    unsigned dpc, before;

    if (!need_dpc(t, lab, lab->above, &dpc))
        return;
    contain(lab, dpc, 0);
    before = lab_cfg(lab, lab->above, dpc + 8, 2);
    lab_report_errors(lab);
    lab_set_cfg(lab, lab->above, dpc + 6, 2, 0x12);
    lab_forget(lab);
    lab_set_cfg(lab, lab->above, dpc + 6, 2, 0x52);
    lab_run_us(lab, 1000);
    t_check(t, lab_cfg(lab, lab->above, dpc + 8, 2) == before, "DPC Status was %04x and is %04x",
            before, lab_cfg(lab, lab->above, dpc + 8, 2));
    t_check(t, !lab_count_messages(lab, NULL, TLP_MSG_ERR_COR), "it is signaled again");
}

static void dpc_busy(struct conform_ctx *t, struct lab *lab)
{
    const struct machine_desc *desc = t->backend->lab;
    unsigned dpc, status;

    if (!need_dpc(t, lab, lab->root, &dpc))
        return;
    if (!desc->components[machine_desc_find(desc, lab->root)].port.dpc_busy_ps) {
        t_skip(t, "the root port is never busy");
        return;
    }
    lab_set_cfg(lab, lab->root, dpc + 6, 2, 1);
    lab_set_cfg(lab, lab->root, dpc + 6, 2, 0x41);
    status = lab_cfg(lab, lab->root, dpc + 8, 2);
    t_check(t, status & 0x10, "DPC RP Busy is clear");
    for (unsigned i = 0; i < 1000 && lab_cfg(lab, lab->root, dpc + 8, 2) & 0x10; i++)
        lab_run_us(lab, 1000);
    t_check(t, !(lab_cfg(lab, lab->root, dpc + 8, 2) & 0x10), "DPC RP Busy stays set");
}

/* A read of ex by the host that fails; RP PIO bit `error` of memory requests is about that. */
static void fail_read(struct lab *lab, unsigned fault)
{
    uint64_t value;

    lab_ex_set(lab, lab->ex, EXERCISER_FAULT, 4, fault);
    lab_ex_set(lab, lab->ex, EXERCISER_FAULT_COUNT, 4, 1);
    lab_read(lab, lab_bar(lab, lab->ex, 4), 4, &value);
    lab_run_us(lab, 10);
}

static void pio_logged(struct conform_ctx *t, struct lab *lab)
{
    uint32_t status;
    unsigned dpc;

    if (!need_dpc(t, lab, lab->root, &dpc))
        return;
    lab_set_cfg(lab, lab->root, dpc + 0x10, 4, 0);
    lab_set_cfg(lab, lab->root, dpc + 0x14, 4, 0);
    lab_set_cfg(lab, lab->root, dpc + 6, 2, 0);
    lab_set_cfg(lab, lab->root, dpc + 0x0c, 4, 0xffffffff);
    fail_read(lab, EXERCISER_FAULT_CA);
    status = lab_cfg(lab, lab->root, dpc + 0x0c, 4);
    t_check(t, status == 1u << 17, "RP PIO Status is %08x, not 00020000", status);
    t_check(t, (lab_cfg(lab, lab->root, dpc + 8, 2) >> 8 & 0x1f) == 17,
            "RP PIO First Error Pointer is %u", lab_cfg(lab, lab->root, dpc + 8, 2) >> 8 & 0x1f);
    t_check(t,
            lab_cfg(lab, lab->root, dpc + 0x20, 4) >> 24 <= 0x20 &&
                lab_cfg(lab, lab->root, dpc + 0x20, 4),
            "RP PIO Header Log is %08x", lab_cfg(lab, lab->root, dpc + 0x20, 4));
}

static void pio_masked(struct conform_ctx *t, struct lab *lab)
{
    unsigned dpc;

    if (!need_dpc(t, lab, lab->root, &dpc))
        return;
    lab_set_cfg(lab, lab->root, dpc + 0x10, 4, 1u << 16);
    lab_set_cfg(lab, lab->root, dpc + 0x14, 4, 1u << 16);
    lab_set_cfg(lab, lab->root, dpc + 6, 2, 1);
    fail_read(lab, EXERCISER_FAULT_UR);
    t_check(t, lab_cfg(lab, lab->root, dpc + 0x0c, 4) & 1u << 16, "the status is clear");
    t_check(t, !(lab_cfg(lab, lab->root, dpc + 8, 2) & 1), "it triggered containment");
}

static void pio_severity(struct conform_ctx *t, struct lab *lab)
{
    unsigned dpc;

    if (!need_dpc(t, lab, lab->root, &dpc))
        return;
    lab_set_cfg(lab, lab->root, dpc + 0x10, 4, 0);
    lab_set_cfg(lab, lab->root, dpc + 0x14, 4, 1u << 17);
    lab_set_cfg(lab, lab->root, dpc + 6, 2, 1);
    fail_read(lab, EXERCISER_FAULT_UR);
    t_check(t, !(lab_cfg(lab, lab->root, dpc + 8, 2) & 1), "an advisory error triggered");
    fail_read(lab, EXERCISER_FAULT_CA);
    t_check(t, (lab_cfg(lab, lab->root, dpc + 8, 2) & 0x67) == 7, "DPC Status is %04x",
            lab_cfg(lab, lab->root, dpc + 8, 2));
}

/* Interrupts and PME. */

static void msi_vectors(struct conform_ctx *t, struct lab *lab)
{
    unsigned cap = lab_func(lab, lab->peer)->cap_msi, control;
    uint32_t value = 0;

    if (!cap || !((control = lab_cfg(lab, lab->peer, cap + 2, 2)) & 0x0e)) {
        t_skip(t, "the exerciser has no MSI with several vectors");
        return;
    }
    lab_set_cfg(lab, lab->peer, cap + 4, 4, LAB_RAM);
    lab_set_cfg(lab, lab->peer, cap + 8, 4, 0);
    lab_set_cfg(lab, lab->peer, cap + 12, 2, 0x4444);
    lab_change_cfg(lab, lab->peer, cap + 2, 2, 0x11, 0x70);
    lab_ex_set(lab, lab->peer, EXERCISER_IRQ_TRIGGER, 4, 1);
    machine_board_read(lab->machine, LAB_RAM, &value, 4);
    t_check(t, value == 0x4445, "vector 1 of 2 writes %08x", value);
    if (!(control & 0x100))
        return;
    lab_set_cfg(lab, lab->peer, cap + 16, 4, 1);
    value = 0;
    machine_board_write(lab->machine, LAB_RAM, &value, 4);
    lab_ex_set(lab, lab->peer, EXERCISER_IRQ_TRIGGER, 4, 0);
    machine_board_read(lab->machine, LAB_RAM, &value, 4);
    t_check(t, !value, "a masked vector writes %08x", value);
    t_check(t, lab_cfg(lab, lab->peer, cap + 20, 4) & 1, "its Pending Bit is clear");
    lab_set_cfg(lab, lab->peer, cap + 16, 4, 0);
    lab_run_us(lab, 1);
    machine_board_read(lab->machine, LAB_RAM, &value, 4);
    t_check(t, value == 0x4444, "when unmasked it writes %08x", value);
    lab_change_cfg(lab, lab->peer, cap + 2, 2, 0, 0x70);
    lab_ex_set(lab, lab->peer, EXERCISER_IRQ_TRIGGER, 4, 1);
    machine_board_read(lab->machine, LAB_RAM, &value, 4);
    t_check(t, value == 0x4444, "with one vector enabled it writes %08x", value);
}

static void intx_and_msi(struct conform_ctx *t, struct lab *lab)
{
    unsigned cap = lab_func(lab, lab->ex)->cap_msix;

    lab_change_cfg(lab, lab->ex, cap + 2, 2, 0xc000, 0);
    lab_forget(lab);
    lab_ex_set(lab, lab->ex, EXERCISER_INTX, 4, 1);
    t_check(t, !lab_count_messages(lab, lab->ex, TLP_MSG_ASSERT_INTA),
            "Assert_INTA although MSI-X is enabled");
}

/* INTA of what is below a port becomes the pin of so many places behind it (2.2.8.1). */
static unsigned rotation(struct lab *lab, const char *port)
{
    return pci_rid_devfn(lab_func(lab, port)->rid) >> 3 & 3;
}

static unsigned left_switch(struct lab *lab, unsigned code)
{
    const struct port *up = port_far_end(machine_port(lab->machine, lab->root));
    unsigned found = 0;

    for (unsigned i = 0; i < lab->seen->len; i++) {
        const struct lab_seen *seen = &g_array_index(lab->seen, struct lab_seen, i);

        found += seen->sender == up && seen->tlp.type == TLP_MSG && seen->tlp.msg_code == code;
    }
    return found;
}

static void intx_rotated(struct conform_ctx *t, struct lab *lab)
{
    char *port = lab_above_peer(lab);
    unsigned own = rotation(lab, lab->above), other = rotation(lab, port);

    g_free(port);
    if (own == other) {
        t_skip(t, "the two devices share a wire");
        return;
    }
    lab_forget(lab);
    lab_ex_set(lab, lab->ex, EXERCISER_INTX, 4, 1);
    lab_ex_set(lab, lab->peer, EXERCISER_INTX, 4, 1);
    t_check(t, left_switch(lab, TLP_MSG_ASSERT_INTA + own) == 1, "no Assert_INT%c", 'A' + own);
    t_check(t, left_switch(lab, TLP_MSG_ASSERT_INTA + other) == 1, "no Assert_INT%c", 'A' + other);
    lab_change_cfg(lab, lab->above, lab_pcie(lab, lab->above, 0x10), 2, 0x10, 0);
    lab_run_us(lab, 1000);
    t_check(t, left_switch(lab, TLP_MSG_DEASSERT_INTA + own) == 1,
            "a link that went down left its interrupt asserted");
}

static void pme(struct conform_ctx *t, struct lab *lab)
{
    unsigned status = lab_pcie(lab, lab->root, 0x20);
    struct pci_rid ex = lab_func(lab, lab->ex)->rid;
    struct tlp *tlp;

    if (!lab_arm_port_msi(t, lab, lab->root))
        return;
    lab_change_cfg(lab, lab->root, status - 4, 2, 8, 0);
    lab_send_message(lab, TLP_MSG_PM_PME);
    t_check(t, lab_interrupted(lab), "no interrupt with PME Interrupt Enable");
    t_check(t, lab_cfg(lab, lab->root, status, 4) == (0x10000u | ex.v), "Root Status is %08x",
            lab_cfg(lab, lab->root, status, 4));
    tlp = lab_tlp(lab, TLP_MSG, 0);
    tlp->requester = lab_func(lab, lab->peer)->rid;
    tlp->msg_code = TLP_MSG_PM_PME;
    tlp->msg_routing = TLP_MSG_TO_RC;
    inject_emit(machine_port(lab->machine, lab->peer), tlp);
    lab_run_us(lab, 10);
    t_check(t, lab_cfg(lab, lab->root, status, 4) == (0x30000u | ex.v),
            "with a second one Root Status is %08x", lab_cfg(lab, lab->root, status, 4));
    lab_set_cfg(lab, lab->root, status, 4, 0x10000);
    t_check(t, lab_cfg(lab, lab->root, status, 4) == (0x10000u | lab_func(lab, lab->peer)->rid.v),
            "when the first is cleared Root Status is %08x", lab_cfg(lab, lab->root, status, 4));
}

static void slot_power(struct conform_ctx *t, struct lab *lab)
{
    unsigned control = lab_pcie(lab, lab->root, 0x10);
    char *upper = g_strndup(lab->above, (gsize)(strchr(lab->above, '.') - lab->above));
    uint32_t limit = lab_cfg(lab, lab->root, lab_pcie(lab, lab->root, 0x14), 4) >> 7 & 0x3ff;

    if (!(lab_cfg(lab, lab->root, lab_pcie(lab, lab->root, 2), 2) & 0x100)) {
        t_skip(t, "the root port has no slot");
        g_free(upper);
        return;
    }
    lab_forget(lab);
    lab_change_cfg(lab, lab->root, control, 2, 0x10, 0);
    lab_run_us(lab, 1000);
    lab_change_cfg(lab, lab->root, control, 2, 0, 0x10);
    lab_run_us(lab, 200000);
    t_check(t, lab_count_messages(lab, lab->root, TLP_MSG_SET_SLOT_POWER_LIMIT) == 1,
            "%u messages Set_Slot_Power_Limit",
            lab_count_messages(lab, lab->root, TLP_MSG_SET_SLOT_POWER_LIMIT));
    t_check(t, (lab_cfg(lab, upper, lab_pcie(lab, upper, 4), 4) >> 18 & 0x3ff) == limit,
            "Captured Slot Power Limit is %03x, not %03x",
            lab_cfg(lab, upper, lab_pcie(lab, upper, 4), 4) >> 18 & 0x3ff, limit);
    g_free(upper);
}

static void reset_below(struct conform_ctx *t, struct lab *lab)
{
    lab_change_cfg(lab, lab->root, 0x3e, 2, 0x40, 0);
    lab_run_us(lab, 2000);
    lab_change_cfg(lab, lab->root, 0x3e, 2, 0, 0x40);
    lab_run_us(lab, 200000);
    /* Nothing leads there any more: it is looked at from behind. */
    t_check(t, !(lab_func(lab, lab->ex)->command & 7), "Command of %s is %04x", lab->ex,
            lab_func(lab, lab->ex)->command);
    t_check(t, !lab_func(lab, lab->above)->windows.secondary, "%s keeps its bus numbers",
            lab->above);
}

static void flr_state(struct conform_ctx *t, struct lab *lab)
{
    unsigned control = lab_pcie(lab, lab->ex, 8);
    unsigned payload = lab_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 4), 4) & 7 ? 0x20 : 0;
    uint64_t bar0 = lab_bar(lab, lab->ex, 0), table = lab_bar(lab, lab->ex, 2), value;
    uint32_t mask;

    if (!(lab_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 4), 4) & 1u << 28)) {
        t_skip(t, "the exerciser has no Function Level Reset");
        return;
    }
    lab_set_cfg(lab, lab->ex, lab_aer(lab, lab->ex, 0x14), 4, 0x1040);
    mask = lab_get_aer(lab, lab->ex, 0x14);
    lab_ex_set(lab, lab->ex, EXERCISER_SCRATCH0, 4, 0x77);
    lab_write(lab, table + 12, 4, 0);
    lab_change_cfg(lab, lab->ex, control, 2, payload, 0xe0);
    lab_change_cfg(lab, lab->ex, control, 2, 0x8000, 0);
    lab_run_us(lab, 100000);
    t_check(t, (lab_cfg(lab, lab->ex, control, 2) & 0xe0) == payload,
            "Max_Payload_Size was %02x and is %02x", payload,
            lab_cfg(lab, lab->ex, control, 2) & 0xe0);
    t_check(t, lab_get_aer(lab, lab->ex, 0x14) == mask, "the sticky Correctable Error Mask is %08x",
            lab_get_aer(lab, lab->ex, 0x14));
    lab_set_cfg(lab, lab->ex, 0x10, 4, (uint32_t)bar0);
    lab_set_cfg(lab, lab->ex, 0x18, 4, (uint32_t)table);
    lab_change_cfg(lab, lab->ex, 4, 2, 6, 0);
    lab_read(lab, bar0 + EXERCISER_SCRATCH0, 4, &value);
    t_check(t, value != 0x77, "a register of the device has survived");
    lab_read(lab, table + 12, 4, &value);
    t_check(t, value & 1, "a vector of MSI-X is not masked");
}

static const struct conform_assertion rows[] = {
    LAB_BODY("dpc.interrupt", "dpc", "6.2.11.1", dpc_interrupt,
             "Containment interrupts with DPC Interrupt Enable, and only then."),
    LAB_BODY("dpc.err_cor", "dpc", "6.2.11.2", dpc_err_cor,
             "With DPC ERR_COR Enable containment sends ERR_COR, with DL_Active ERR_COR Enable the "
             "link that comes up."),
    LAB_BODY("dpc.own", "dpc", "6.2.11", dpc_own_error,
             "An uncorrectable error of the port triggers containment in place of a message."),
    LAB_BODY(
        "dpc.completion", "dpc", "2.9.3", dpc_completion,
        "With DPC Completion Control set requests in containment are unsupported; with Poisoned "
        "TLP Egress Blocking no poisoned TLP leaves."),
    LAB_BODY("dpc.busy", "dpc", "6.2.11", dpc_busy,
             "DPC RP Busy is set while the root port is not ready to be released, and then clear."),
    LAB_BODY("dpc.once", "dpc", "6.2.11", dpc_once, "In containment nothing triggers it again."),
    LAB_BODY("dpc.host", "dpc", "7.9.14.6", pio_logged,
             "A read by the host that is aborted is in RP PIO Status, with its header."),
    LAB_BODY("dpc.host_masked", "dpc", "7.9.14.7", pio_masked,
             "A masked RP PIO error is in the status and does nothing."),
    LAB_BODY("dpc.host_severity", "dpc", "7.9.14.8", pio_severity,
             "An unmasked RP PIO error triggers containment only where its severity says so."),
    LAB_BODY(
        "interrupts.msi_vectors", "interrupts", "6.1.4", msi_vectors,
        "Vectors of MSI differ in the low bits of their data, as many as are enabled; a masked "
        "one is pending, and sent once it is unmasked."),
    LAB_BODY("interrupts.intx_off", "interrupts", "7.7.2.2", intx_and_msi,
             "A function with MSI-X enabled does not use INTx."),
    LAB_BODY("interrupts.intx_switch", "interrupts", "2.2.8.1", intx_rotated,
             "A switch maps INTx by device number, and takes back what a link asserted that goes "
             "down."),
    LAB_BODY(
        "power.pme", "power", "6.1.6", pme,
        "A root port shows one PM_PME with its requester, that another waits, and then that one; "
        "it interrupts with PME Interrupt Enable."),
    LAB_BODY("power.slot", "power", "2.2.8.5", slot_power,
             "When the link of a slot comes up Set_Slot_Power_Limit is sent, and captured."),
    LAB_BODY("reset.below", "reset", "6.6.1", reset_below,
             "Secondary Bus Reset of a port resets the switch below it and what is below that."),
    LAB_BODY("reset.flr_state", "reset", "6.6.2", flr_state,
             "A Function Level Reset keeps sticky bits and Max_Payload_Size, resets the device and "
             "masks "
             "its vectors."),
};

ASSERTION_TABLE(assertions_event, rows);
