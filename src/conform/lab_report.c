/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is told of errors: enables and masks, logs of functions, bridges and root ports (PCIe Base
 * 6.0, 6.2, 7.5.3.4, 7.8.4). */
#include "lab_body.h"
#include "tables.h"

#define UNSUPPORTED (1u << 20)

static void set_aer(struct lab *lab, const char *name, unsigned reg, uint32_t value)
{
    lab_set_cfg(lab, name, lab_aer(lab, name, reg), 4, value);
}

/* A write that nobody claims; its root port logs it. */
static void write_nowhere(struct lab *lab, uint64_t addr)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MWR, 1);

    tlp_set_span(tlp, addr, 4);
    lab_send_up(lab, tlp);
}

/* A write to ex that it does not support, and so a non-fatal error of ex. */
static void offend_ex(struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MWR, 1);

    tlp_set_span(tlp, 0xd0000000u, 4);
    lab_send_down(lab, tlp);
}

/* A read of ex that it does not support: an advisory error. */
static void advise_ex(struct lab *lab)
{
    uint64_t value;

    lab_ex_set(lab, lab->ex, EXERCISER_FAULT, 4, EXERCISER_FAULT_UR);
    lab_ex_set(lab, lab->ex, EXERCISER_FAULT_COUNT, 4, 1);
    lab_forget(lab);
    lab_read(lab, lab_bar(lab, lab->ex, 4), 4, &value);
    lab_run_us(lab, 10);
}

static unsigned messages(struct lab *lab, unsigned code)
{
    return lab_count_messages(lab, lab->ex, code);
}

/* Who lets what out. */

static void enable_correctable(struct conform_ctx *t, struct lab *lab)
{
    lab_report_errors(lab);
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 8), 2, 0, 1);
    advise_ex(lab);
    t_check(t, !messages(lab, TLP_MSG_ERR_COR), "ERR_COR was sent");
    t_check(t, lab_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 0x0a), 2) & 1,
            "Correctable Error Detected is clear");
}

static void enable_uncorrectable(struct conform_ctx *t, struct lab *lab)
{
    lab_report_errors(lab);
    lab_change_cfg(lab, lab->ex, 4, 2, 0, 0x100);
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 8), 2, 0, 2);
    lab_forget(lab);
    offend_ex(lab);
    t_check(t, !messages(lab, TLP_MSG_ERR_NONFATAL), "ERR_NONFATAL was sent");
    t_check(t, lab_get_aer(lab, lab->ex, 4) & UNSUPPORTED, "nothing was logged");
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 8), 2, 2, 8);
    offend_ex(lab);
    t_check(t, !messages(lab, TLP_MSG_ERR_NONFATAL),
            "ERR_NONFATAL was sent without Unsupported Request Reporting Enable");
}

static void enable_serr(struct conform_ctx *t, struct lab *lab)
{
    lab_report_errors(lab);
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 8), 2, 0, 0xf);
    lab_set_cfg(lab, lab->ex, 6, 2, 0xf900);
    lab_forget(lab);
    offend_ex(lab);
    t_check(t, messages(lab, TLP_MSG_ERR_NONFATAL) == 1, "%u messages ERR_NONFATAL",
            messages(lab, TLP_MSG_ERR_NONFATAL));
    t_check(t, lab_cfg(lab, lab->ex, 6, 2) & 0x4000, "Signaled System Error is clear");
}

static void mask_advisory(struct conform_ctx *t, struct lab *lab)
{
    lab_report_errors(lab);
    set_aer(lab, lab->ex, 0x14, 1u << 13);
    advise_ex(lab);
    t_check(t, lab_get_aer(lab, lab->ex, 0x10) & 1u << 13,
            "Advisory Non-Fatal Error Status is clear");
    t_check(t, !(lab_get_aer(lab, lab->ex, 0x04) & UNSUPPORTED),
            "Uncorrectable Error Status is %08x", lab_get_aer(lab, lab->ex, 0x04));
    t_check(t, !messages(lab, TLP_MSG_ERR_COR), "ERR_COR was sent");
}

static void every_function(struct conform_ctx *t, struct lab *lab)
{
    char *second = g_strdup_printf("%s.1", lab->ex);

    if (!lab_func(lab, second)) {
        t_skip(t, "the exerciser has one function");
    } else {
        set_aer(lab, second, 0x04, 0xffffffff);
        offend_ex(lab);
        t_check(t, lab_get_aer(lab, lab->ex, 4) & UNSUPPORTED, "function 0 logged nothing");
        t_check(t, lab_get_aer(lab, second, 4) & UNSUPPORTED, "function 1 logged nothing");
    }
    g_free(second);
}

static void bridge_serr(struct conform_ctx *t, struct lab *lab)
{
    lab_report_errors(lab);
    lab_set_cfg(lab, lab->above, 0x1e, 2, 0xf900);
    lab_change_cfg(lab, lab->above, 0x3e, 2, 0, 2);
    lab_forget(lab);
    lab_send_message(lab, TLP_MSG_ERR_NONFATAL);
    t_check(t, !lab_count_messages(lab, NULL, TLP_MSG_ERR_NONFATAL),
            "it passed without SERR# Enable of Bridge Control");
    t_check(t, lab_cfg(lab, lab->above, 0x1e, 2) & 0x4000, "Received System Error is clear");
    lab_change_cfg(lab, lab->above, 0x3e, 2, 2, 0);
    lab_change_cfg(lab, lab->above, 4, 2, 0, 0x100);
    lab_change_cfg(lab, lab->above, lab_pcie(lab, lab->above, 8), 2, 0, 0xf);
    lab_forget(lab);
    lab_send_message(lab, TLP_MSG_ERR_NONFATAL);
    t_check(t, !lab_count_messages(lab, NULL, TLP_MSG_ERR_NONFATAL),
            "it passed without any enable of the port");
}

static void on_the_way(struct conform_ctx *t, struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MWR, 1);

    lab_report_errors(lab);
    lab_set_cfg(lab, lab->above, 0x1e, 2, 0xf900);
    lab_forget(lab);
    tlp_set_span(tlp, LAB_RAM, 4);
    tlp->ep = true;
    lab_send_up(lab, tlp);
    t_check(t, lab_get_aer(lab, lab->above, 0x04) & 1u << 12, "the switch logged no Poisoned TLP");
    t_check(t, lab_get_aer(lab, lab->above, 0x10) & 1u << 13, "it is not an advisory error there");
    t_check(t, lab_cfg(lab, lab->above, 0x1e, 2) & 0x8000,
            "Detected Parity Error of its Secondary Status is clear");
}

/* What is logged of several. */

static void first_stays(struct conform_ctx *t, struct lab *lab)
{
    lab_report_errors(lab);
    write_nowhere(lab, 0xdead00000010ull);
    write_nowhere(lab, 0xdead00000020ull);
    t_check(t, lab_get_aer(lab, lab->root, 0x28) == 0x10,
            "the log has address %08x, not that of the first", lab_get_aer(lab, lab->root, 0x28));
    if (lab_get_aer(lab, lab->root, 0x14) & 1u << 15)
        return;
    t_check(t, lab_get_aer(lab, lab->root, 0x10) & 1u << 15, "Header Log Overflow is clear");
}

static void multiple_headers(struct conform_ctx *t, struct lab *lab)
{
    lab_report_errors(lab);
    if (!(lab_get_aer(lab, lab->root, 0x18) & 0x200)) {
        t_skip(t, "the root port records one header");
        return;
    }
    set_aer(lab, lab->root, 0x18, 0x400);
    write_nowhere(lab, 0xdead00000010ull);
    write_nowhere(lab, 0xdead00000020ull);
    t_check(t, lab_get_aer(lab, lab->root, 0x28) == 0x10, "first the log has address %08x",
            lab_get_aer(lab, lab->root, 0x28));
    set_aer(lab, lab->root, 0x04, UNSUPPORTED);
    t_check(t, lab_get_aer(lab, lab->root, 0x28) == 0x20, "then the log has address %08x",
            lab_get_aer(lab, lab->root, 0x28));
    t_check(t, lab_get_aer(lab, lab->root, 0x04) & UNSUPPORTED,
            "the second is gone with the first");
    set_aer(lab, lab->root, 0x04, UNSUPPORTED);
    t_check(t, !(lab_get_aer(lab, lab->root, 0x04) & UNSUPPORTED), "the second stays");
}

static void pointer_moves(struct conform_ctx *t, struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MWR, 2);

    lab_report_errors(lab);
    write_nowhere(lab, 0xdead00000010ull);
    set_aer(lab, lab->root, 0x04, UNSUPPORTED);
    tlp_set_span(tlp, LAB_RAM, 8);
    tlp->ep = true;
    lab_send_up(lab, tlp);
    t_check(t, (lab_get_aer(lab, lab->root, 0x18) & 0x1f) == 12,
            "First Error Pointer is %u, not 12", lab_get_aer(lab, lab->root, 0x18) & 0x1f);
}

static void prefix_log(struct conform_ctx *t, struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MWR, 1);
    uint32_t prefix = (uint32_t)TLP_PREFIX_VENDOR_E0 << 24 | 0x1234;

    if (!(lab_cfg(lab, lab->root, lab_pcie(lab, lab->root, 0x24), 4) & 0x200000) ||
        !(lab_cfg(lab, lab->above, lab_pcie(lab, lab->above, 0x24), 4) & 0x200000)) {
        tlp_free(tlp);
        t_skip(t, "the ports have no end-end TLP prefixes");
        return;
    }
    lab_report_errors(lab);
    tlp_set_span(tlp, 0xdead00000010ull, 4);
    tlp_add_prefix(tlp, prefix);
    lab_send_up(lab, tlp);
    t_check(t, lab_get_aer(lab, lab->root, 0x18) & 0x800, "TLP Prefix Log Present is clear");
    t_check(t, lab_get_aer(lab, lab->root, 0x38) == prefix, "the TLP Prefix Log is %08x, not %08x",
            lab_get_aer(lab, lab->root, 0x38), prefix);
}

static void root_sources(struct conform_ctx *t, struct lab *lab)
{
    struct pci_rid ex = lab_func(lab, lab->ex)->rid;
    unsigned status;
    struct tlp *tlp;

    lab_report_errors(lab);
    lab_send_message(lab, TLP_MSG_ERR_FATAL);
    tlp = lab_tlp(lab, TLP_MSG, 0);
    tlp->requester = lab_func(lab, lab->peer)->rid;
    tlp->msg_code = TLP_MSG_ERR_NONFATAL;
    tlp->msg_routing = TLP_MSG_TO_RC;
    lab_send_up(lab, tlp);
    lab_send_message(lab, TLP_MSG_ERR_COR);
    lab_send_message(lab, TLP_MSG_ERR_COR);
    status = lab_get_aer(lab, lab->root, 0x30) & 0x7f;
    t_check(t, status == 0x7f, "Root Error Status is %02x, not 7f", status);
    t_check(t, lab_get_aer(lab, lab->root, 0x34) == (uint32_t)(ex.v << 16 | ex.v),
            "Error Source Identification is %08x, not twice %04x",
            lab_get_aer(lab, lab->root, 0x34), ex.v);
}

static void root_interrupt(struct conform_ctx *t, struct lab *lab)
{
    lab_report_errors(lab);
    if (!lab_arm_port_msi(t, lab, lab->root))
        return;
    set_aer(lab, lab->root, 0x2c, 0);
    lab_send_message(lab, TLP_MSG_ERR_COR);
    t_check(t, !lab_interrupted(lab), "an interrupt without Correctable Error Reporting Enable");
    set_aer(lab, lab->root, 0x30, 0x7f);
    set_aer(lab, lab->root, 0x2c, 1);
    lab_send_message(lab, TLP_MSG_ERR_COR);
    t_check(t, lab_interrupted(lab), "no interrupt with it");
    t_check(t, !(lab_cfg(lab, lab->root, 6, 2) & 8), "Interrupt Status is set although MSI is on");
}

static const struct conform_assertion rows[] = {
    LAB_BODY(
        "error.enable_cor", "aer", "7.5.3.4", enable_correctable,
        "Without Correctable Error Reporting Enable no ERR_COR is sent; Device Status shows it."),
    LAB_BODY("error.enable_uncor", "aer", "6.2.5", enable_uncorrectable,
             "Without its reporting enables, and without SERR# Enable, no ERR_NONFATAL is sent."),
    LAB_BODY("error.enable_serr", "aer", "6.2.5", enable_serr,
             "SERR# Enable alone lets ERR_NONFATAL out, and Signaled System Error shows it."),
    LAB_BODY(
        "error.mask_advisory", "aer", "6.2.4.3", mask_advisory,
        "With Advisory Non-Fatal Error Mask an advisory error is in that status bit alone, and "
        "nobody is told."),
    LAB_BODY("error.functions", "aer", "6.2.4", every_function,
             "An error that is of no function in particular is logged by all functions."),
    LAB_BODY(
        "error.bridge", "aer", "6.2.8.1", bridge_serr,
        "A bridge passes error messages on with SERR# Enable of Bridge Control and an enable of "
        "its own; Received System Error shows them in any case."),
    LAB_BODY("error.on_the_way", "aer", "6.2.3.2.4.2", on_the_way,
             "A poisoned TLP that crosses a switch is an advisory error there, and in its Status."),
    LAB_BODY("error.first", "aer", "6.2.4.2", first_stays,
             "The header of the first error stays; for the second there is Header Log Overflow."),
    LAB_BODY("error.headers", "aer", "6.2.4.2", multiple_headers,
             "With Multiple Header Recording the next error is shown when the first is cleared."),
    LAB_BODY("error.pointer", "aer", "6.2.4.2", pointer_moves,
             "When its status bit is cleared First Error Pointer is free for the next error."),
    LAB_BODY("error.prefix", "aer", "7.8.4.12", prefix_log,
             "The TLP Prefix Log has the end-end prefixes of the TLP that was logged."),
    LAB_BODY(
        "error.sources", "aer", "7.8.4.11", root_sources,
        "Error Source Identification is that of the first message of each kind; Root Error Status "
        "tells of kinds, of several, and that the first was fatal."),
    LAB_BODY("error.interrupt", "aer", "6.2.4.1.2", root_interrupt,
             "A root port interrupts for error messages that Root Error Command enables."),
};

ASSERTION_TABLE(assertions_report, rows);
