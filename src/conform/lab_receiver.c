/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of receivers, and what Advanced Error Reporting says of them (PCIe Base 6.0, 2.2, 6.2). */
#include "lab.h"
#include "tables.h"

#define MALFORMED (1u << 18)

/* A TLP that no sound device sends; `up` or down. */
struct wrong_tlp {
    struct tlp *(*make)(struct lab *lab);
    bool up;
};

static struct tlp *write_to_ram(struct lab *lab, unsigned dw)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MWR, dw);

    tlp_set_span(tlp, LAB_RAM, dw * 4);
    return tlp;
}

static struct tlp *length_wrong(struct lab *lab)
{
    struct tlp *tlp = write_to_ram(lab, 2);

    tlp->length_wrong = true;
    return tlp;
}

static struct tlp *crosses_page(struct lab *lab)
{
    struct tlp *tlp = write_to_ram(lab, 2);

    tlp->addr = LAB_RAM + 0xffc;
    return tlp;
}

static struct tlp *read_crosses_page(struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MRD, 0);

    tlp_set_span(tlp, LAB_RAM, 8);
    tlp->addr = LAB_RAM + 0xffc;
    return tlp;
}

static struct tlp *first_be_empty(struct lab *lab)
{
    struct tlp *tlp = write_to_ram(lab, 2);

    tlp->first_be = 0;
    return tlp;
}

static struct tlp *last_be_empty(struct lab *lab)
{
    struct tlp *tlp = write_to_ram(lab, 2);

    tlp->last_be = 0;
    return tlp;
}

static struct tlp *last_be_of_one(struct lab *lab)
{
    struct tlp *tlp = write_to_ram(lab, 1);

    tlp->last_be = 0xf;
    return tlp;
}

static struct tlp *holes(struct lab *lab)
{
    struct tlp *tlp = write_to_ram(lab, 4);

    tlp->first_be = 0x5;
    return tlp;
}

static struct tlp *too_long(struct lab *lab)
{
    return write_to_ram(lab, 33);
}

static struct tlp *message(struct lab *lab, unsigned code, unsigned routing)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MSG, 0);

    tlp->msg_code = (uint8_t)code;
    tlp->msg_routing = (uint8_t)routing;
    return tlp;
}

static struct tlp *tc1(struct tlp *tlp)
{
    tlp->tc = 1;
    return tlp;
}

static struct tlp *intx_tc(struct lab *lab)
{
    return tc1(message(lab, TLP_MSG_ASSERT_INTA, TLP_MSG_LOCAL));
}

static struct tlp *error_tc(struct lab *lab)
{
    return tc1(message(lab, TLP_MSG_ERR_COR, TLP_MSG_TO_RC));
}

static struct tlp *pme_tc(struct lab *lab)
{
    return tc1(message(lab, TLP_MSG_PM_PME, TLP_MSG_TO_RC));
}

static struct tlp *ltr_tc(struct lab *lab)
{
    return tc1(message(lab, TLP_MSG_LTR, TLP_MSG_LOCAL));
}

static struct tlp *local_prefix(struct lab *lab)
{
    struct tlp *tlp = write_to_ram(lab, 1);

    tlp_add_prefix(tlp, (uint32_t)TLP_PREFIX_VENDOR_L0 << 24);
    return tlp;
}

static struct tlp *atomic(struct lab *lab, enum tlp_type type, unsigned dw, unsigned offset)
{
    struct tlp *tlp = lab_tlp(lab, type, dw);

    tlp->addr = LAB_RAM + offset;
    return tlp;
}

static struct tlp *fetch_add_three(struct lab *lab)
{
    return atomic(lab, TLP_FETCHADD, 3, 0);
}

static struct tlp *swap_unaligned(struct lab *lab)
{
    return atomic(lab, TLP_SWAP, 2, 4);
}

static struct tlp *cas_odd(struct lab *lab)
{
    return atomic(lab, TLP_CAS, 3, 0);
}

static struct tlp *io_write(struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_IOWR, 1);

    tlp->addr = 0x1000;
    tlp->first_be = 0xf;
    return tlp;
}

static struct tlp *io_tc(struct lab *lab)
{
    return tc1(io_write(lab));
}

static struct tlp *io_attr(struct lab *lab)
{
    struct tlp *tlp = io_write(lab);

    tlp->attr = TLP_ATTR_RELAXED;
    return tlp;
}

static struct tlp *config_tc(struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_CFGRD0, 0);

    tlp->requester = (struct pci_rid){0};
    tlp->dest = lab_func(lab, lab->ex)->rid;
    tlp->first_be = 0xf;
    return tc1(tlp);
}

static struct tlp *down_write(struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MWR, 2);

    tlp->requester = (struct pci_rid){0};
    tlp_set_span(tlp, lab_bar(lab, lab->ex, 0) + EXERCISER_SCRATCH0, 8);
    return tlp;
}

static struct tlp *down_length(struct lab *lab)
{
    struct tlp *tlp = down_write(lab);

    tlp->length_wrong = true;
    return tlp;
}

static struct tlp *down_enables(struct lab *lab)
{
    struct tlp *tlp = down_write(lab);

    tlp->last_be = 0;
    return tlp;
}

static struct tlp *down_intx(struct lab *lab)
{
    struct tlp *tlp = message(lab, TLP_MSG_ASSERT_INTA, TLP_MSG_LOCAL);

    tlp->requester = (struct pci_rid){0};
    return tlp;
}

static struct tlp *down_turn_off_tc(struct lab *lab)
{
    struct tlp *tlp = tc1(message(lab, TLP_MSG_PME_TURN_OFF, TLP_MSG_BROADCAST));

    tlp->requester = (struct pci_rid){0};
    return tlp;
}

static struct tlp *down_power_limit_tc(struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MSGD, 1);

    tlp->requester = (struct pci_rid){0};
    tlp->msg_code = TLP_MSG_SET_SLOT_POWER_LIMIT;
    tlp->msg_routing = TLP_MSG_LOCAL;
    return tc1(tlp);
}

/* Logged where it arrives, told as fatal, and nothing of it goes on. */
static void malformed(struct conform_ctx *t)
{
    const struct wrong_tlp *wrong = t->assertion->param;
    struct lab *lab = lab_new(t);

    if (lab->machine) {
        const char *at = wrong->up ? lab->above : lab->ex;
        unsigned root_status = lab_aer(lab, lab->root, 0x30);
        uint32_t uncor;

        lab_report_errors(lab);
        lab_set_cfg(lab, lab->root, root_status, 4, 0x7f);
        struct tlp *tlp = wrong->make(lab);
        enum tlp_type type = tlp->type;
        unsigned code = tlp->msg_code;

        if (wrong->up)
            lab_send_up(lab, tlp);
        else
            lab_send_down(lab, tlp);
        bool is_message = type == TLP_MSG || type == TLP_MSGD;
        unsigned passed = is_message ? lab_count_messages(lab, NULL, code)
                                     : lab_count(lab, NULL, (uint32_t)BIT(type));
        unsigned fatal = lab_count_messages(lab, NULL, TLP_MSG_ERR_FATAL);
        /* A root port's own message crosses no link. */
        if (strcmp(at, lab->root) == 0)
            fatal = lab_cfg(lab, at, root_status, 4) & (uint32_t)BIT(6);
        uncor = lab_cfg(lab, at, lab_aer(lab, at, 0x04), 4);
        t_check(t, uncor & MALFORMED, "Uncorrectable Error Status of %s is %08x", at, uncor);
        t_check(t, lab_cfg(lab, at, lab_pcie(lab, at, 0x0a), 2) & 4,
                "Fatal Error Detected of %s is clear", at);
        t_check(t, !passed, "it went on");
        t_check(t, fatal, "no ERR_FATAL message");
    }
    lab_free(lab);
}

#define WRONG(i, sec, fn, is_up, text)                                                             \
    {                                                                                              \
        .id = "receiver." i, .group = "receiver", .document = CONFORM_PCIE, .section = sec,        \
        .needs = CONFORM_LAB, .procedure = malformed,                                              \
        .param = &(const struct wrong_tlp){fn, is_up},                                             \
        .requirement = text " is a Malformed TLP: it is logged, ends there, and is fatal."         \
    }

/* One poisoned, unsupported or unexpected TLP from ex, and what is to be seen of it where it ends.
 */
struct aer_case {
    unsigned masked, severity; /* of bit 20 at the root port */
    bool messages;             /* one is expected */
    uint8_t code;
};

#define UNSUPPORTED (1u << 20)

/* A write to nobody: an Unsupported Request at the root port. */
static void unsupported_write(struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MWR, 1);

    tlp_set_span(tlp, 0xdead00000000ull, 4);
    lab_send_up(lab, tlp);
}

static void reporting(struct conform_ctx *t)
{
    const struct aer_case *c = t->assertion->param;
    struct lab *lab = lab_new(t);

    if (lab->machine) {
        unsigned sent, status, aer;

        lab_report_errors(lab);
        aer = lab_aer(lab, lab->root, 0);
        lab_set_cfg(lab, lab->root, aer + 0x08, 4, c->masked);
        lab_change_cfg(lab, lab->root, aer + 0x0c, 4, c->severity, UNSUPPORTED & ~c->severity);
        lab_set_cfg(lab, lab->root, aer + 0x30, 4, 0x7f);
        unsupported_write(lab);
        status = lab_cfg(lab, lab->root, aer + 0x04, 4);
        sent = lab_cfg(lab, lab->root, aer + 0x30, 4) & 0x7f;
        t_check(t, status & UNSUPPORTED, "Uncorrectable Error Status is %08x", status);
        t_check(t, sent == (c->messages ? c->code == TLP_MSG_ERR_FATAL ? 0x54u : 0x24u : 0u),
                "Root Error Status is %02x", sent);
        if (c->messages)
            t_check(t,
                    lab_cfg(lab, lab->root, aer + 0x34, 4) >> 16 == lab_func(lab, lab->root)->rid.v,
                    "Error Source Identification is %08x", lab_cfg(lab, lab->root, aer + 0x34, 4));
    }
    lab_free(lab);
}

static void header_log(struct conform_ctx *t)
{
    struct lab *lab = lab_new(t);

    if (lab->machine) {
        struct tlp *tlp;
        uint8_t header[TLP_HEADER_MAX] = {0};
        unsigned aer;

        lab_report_errors(lab);
        tlp = lab_tlp(lab, TLP_MWR, 1);
        tlp_set_span(tlp, 0xdead00000010ull, 4);
        tlp->tag = 0x15;
        tlp_encode_header(tlp, header);
        lab_send_up(lab, tlp);
        aer = lab_aer(lab, lab->root, 0);
        t_check(t, (lab_cfg(lab, lab->root, aer + 0x18, 4) & 0x1f) == 20,
                "First Error Pointer is %u", lab_cfg(lab, lab->root, aer + 0x18, 4) & 0x1f);
        for (unsigned i = 0; i < 4; i++) {
            uint32_t want = (uint32_t)header[4 * i] << 24 | header[4 * i + 1] << 16 |
                            header[4 * i + 2] << 8 | header[4 * i + 3];
            uint32_t have = lab_cfg(lab, lab->root, aer + 0x1c + 4 * i, 4);

            t_check(t, have == want, "doubleword %u of the Header Log is %08x, not %08x", i, have,
                    want);
        }
    }
    lab_free(lab);
}

static void multiple(struct conform_ctx *t)
{
    struct lab *lab = lab_new(t);

    if (lab->machine) {
        unsigned at, status;

        lab_report_errors(lab);
        at = lab_aer(lab, lab->root, 0x30);
        lab_set_cfg(lab, lab->root, at, 4, 0x7f);
        unsupported_write(lab);
        unsupported_write(lab);
        /* A full Header Log is a correctable error beside it. */
        status = lab_cfg(lab, lab->root, at, 4) & 0x7c;
        t_check(t, status == 0x2c, "Root Error Status is %02x, not 2ch", status);
    }
    lab_free(lab);
}

static void pointer_invalid(struct conform_ctx *t)
{
    struct lab *lab = lab_new(t);

    if (lab->machine) {
        unsigned aer;

        lab_report_errors(lab);
        unsupported_write(lab);
        aer = lab_aer(lab, lab->root, 0);
        lab_set_cfg(lab, lab->root, aer + 0x04, 4, UNSUPPORTED);
        t_check(t, !(lab_cfg(lab, lab->root, aer + 0x04, 4) & UNSUPPORTED), "it is still set");
        lab_set_cfg(lab, lab->root, lab_pcie(lab, lab->root, 0x0a), 2, 0xf);
        t_check(t, !(lab_cfg(lab, lab->root, lab_pcie(lab, lab->root, 0x0a), 2) & 0xf),
                "Device Status is not cleared");
    }
    lab_free(lab);
}

static void poisoned(struct conform_ctx *t)
{
    struct lab *lab = lab_new(t);

    if (lab->machine) {
        struct tlp *tlp;
        uint64_t value;
        uint32_t uncor;

        lab_report_errors(lab);
        lab_ex_set(lab, lab->ex, EXERCISER_SCRATCH0, 4, 0x11111111);
        tlp = down_write(lab);
        tlp->ep = true;
        lab_send_down(lab, tlp);
        uncor = lab_cfg(lab, lab->ex, lab_aer(lab, lab->ex, 0x04), 4);
        value = lab_ex_get(lab, lab->ex, EXERCISER_SCRATCH0, 4);
        t_check(t, uncor & (1u << 12), "Uncorrectable Error Status is %08x", uncor);
        t_check(t, lab_cfg(lab, lab->ex, 0x06, 2) & 0x8000, "Detected Parity Error is clear");
        t_check(t, lab_cfg(lab, lab->root, lab_aer(lab, lab->root, 0x30), 4) & 0x20,
                "Root Error Status is %08x",
                lab_cfg(lab, lab->root, lab_aer(lab, lab->root, 0x30), 4));
        t_check(t, value == 0x11111111, "a register was written: %08x", (unsigned)value);
    }
    lab_free(lab);
}

static void unexpected(struct conform_ctx *t)
{
    struct lab *lab = lab_new(t);

    if (lab->machine) {
        struct tlp *tlp;
        uint32_t uncor, cor;

        lab_report_errors(lab);
        tlp = lab_tlp(lab, TLP_CPLD, 1);
        tlp->requester = lab_func(lab, lab->ex)->rid;
        tlp->completer = (struct pci_rid){0};
        tlp->byte_count = 4;
        tlp->tag = 7;
        lab_send_down(lab, tlp);
        uncor = lab_cfg(lab, lab->ex, lab_aer(lab, lab->ex, 0x04), 4);
        cor = lab_cfg(lab, lab->ex, lab_aer(lab, lab->ex, 0x10), 4);
        t_check(t, uncor & (1u << 16), "Uncorrectable Error Status is %08x", uncor);
        t_check(t, cor & (1u << 13), "Correctable Error Status is %08x", cor);
        t_check(t, lab_count_messages(lab, lab->ex, TLP_MSG_ERR_COR) == 1, "%u messages ERR_COR",
                lab_count_messages(lab, lab->ex, TLP_MSG_ERR_COR));
    }
    lab_free(lab);
}

static void advisory(struct conform_ctx *t)
{
    struct lab *lab = lab_new(t);

    if (lab->machine) {
        uint64_t value;
        enum tlp_status status;
        uint32_t uncor, cor;

        lab_report_errors(lab);
        lab_ex_set(lab, lab->ex, EXERCISER_FAULT, 4, EXERCISER_FAULT_UR);
        lab_ex_set(lab, lab->ex, EXERCISER_FAULT_COUNT, 4, 1);
        lab_forget(lab);
        status = lab_read(lab, lab_bar(lab, lab->ex, 4), 4, &value);
        lab_run_us(lab, 10);
        uncor = lab_cfg(lab, lab->ex, lab_aer(lab, lab->ex, 0x04), 4);
        cor = lab_cfg(lab, lab->ex, lab_aer(lab, lab->ex, 0x10), 4);
        t_check(t, status == TLP_UR, "the completion has status %u", status);
        t_check(t, uncor & UNSUPPORTED && cor & (1u << 13), "statuses are %08x, %08x", uncor, cor);
        t_check(t, lab_count_messages(lab, lab->ex, TLP_MSG_ERR_COR) == 1, "%u messages ERR_COR",
                lab_count_messages(lab, lab->ex, TLP_MSG_ERR_COR));
        t_check(t, !lab_count_messages(lab, lab->ex, TLP_MSG_ERR_NONFATAL),
                "a message ERR_NONFATAL, too");
        t_check(t, (lab_cfg(lab, lab->root, lab_aer(lab, lab->root, 0x30), 4) & 3) == 1,
                "Root Error Status is %08x",
                lab_cfg(lab, lab->root, lab_aer(lab, lab->root, 0x30), 4));
    }
    lab_free(lab);
}

static void abort_read(struct conform_ctx *t)
{
    struct lab *lab = lab_new(t);

    if (lab->machine) {
        uint64_t value;
        enum tlp_status status;
        uint32_t uncor;

        lab_report_errors(lab);
        lab_ex_set(lab, lab->ex, EXERCISER_FAULT, 4, EXERCISER_FAULT_CA);
        lab_ex_set(lab, lab->ex, EXERCISER_FAULT_COUNT, 4, 1);
        status = lab_read(lab, lab_bar(lab, lab->ex, 4), 4, &value);
        uncor = lab_cfg(lab, lab->ex, lab_aer(lab, lab->ex, 0x04), 4);
        t_check(t, status == TLP_CA, "the completion has status %u", status);
        t_check(t, uncor & (1u << 15), "Uncorrectable Error Status is %08x", uncor);
        t_check(t, lab_cfg(lab, lab->ex, 0x06, 2) & 0x0800, "Signaled Target Abort is clear");
        t_check(t, lab_cfg(lab, lab->root, 0x1e, 2) & 0x1000,
                "Received Target Abort of Secondary Status of the root port is clear");
    }
    lab_free(lab);
}

static void timeout(struct conform_ctx *t)
{
    struct lab *lab = lab_new(t);

    if (lab->machine) {
        uint64_t value;
        uint32_t uncor;

        lab_report_errors(lab);
        lab_ex_set(lab, lab->ex, EXERCISER_FAULT, 4, EXERCISER_FAULT_SILENT);
        lab_ex_set(lab, lab->ex, EXERCISER_FAULT_COUNT, 4, 1);
        lab_read(lab, lab_bar(lab, lab->ex, 4), 4, &value);
        uncor = lab_cfg(lab, lab->root, lab_aer(lab, lab->root, 0x04), 4);
        t_check(t, (uint32_t)value == 0xffffffff, "the load reads %08x", (unsigned)value);
        t_check(t, uncor & (1u << 14), "Uncorrectable Error Status is %08x", uncor);
    }
    lab_free(lab);
}

#define AER(i, sec, fn, p, text)                                                                   \
    {                                                                                              \
        .id = "error." i, .group = "aer", .document = CONFORM_PCIE, .section = sec,                \
        .needs = CONFORM_LAB, .procedure = fn, .param = p, .requirement = text                     \
    }
#define CASE(m, s, msg, c) (&(const struct aer_case){m, s, msg, c})

static const struct conform_assertion rows[] = {
    WRONG("length", "2.2.2", length_wrong, true,
          "A TLP whose payload is not as long as Length says"),
    WRONG("page_write", "2.2.7", crosses_page, true, "A write that crosses a 4 KiB boundary"),
    WRONG("page_read", "2.2.7", read_crosses_page, true, "A read that crosses a 4 KiB boundary"),
    WRONG("first_be", "2.2.5", first_be_empty, true,
          "A request of several doublewords without First DW Byte Enables"),
    WRONG("last_be", "2.2.5", last_be_empty, true,
          "A request of several doublewords without Last DW Byte Enables"),
    WRONG("last_be_one", "2.2.5", last_be_of_one, true,
          "A request of one doubleword with Last DW Byte Enables"),
    WRONG("holes", "2.2.5", holes, true,
          "A request of more than two doublewords whose byte enables are not contiguous"),
    WRONG("payload", "2.2.2", too_long, true, "A TLP with more payload than Max_Payload_Size"),
    WRONG("intx_tc", "2.2.8.1", intx_tc, true, "An INTx message with a traffic class above 0"),
    WRONG("error_tc", "2.2.8.3", error_tc, true, "An error message with a traffic class above 0"),
    WRONG("pme_tc", "2.2.8.2", pme_tc, true, "A PM_PME message with a traffic class above 0"),
    WRONG("ltr_tc", "2.2.8.8", ltr_tc, true, "An LTR message with a traffic class above 0"),
    WRONG("local_prefix", "2.2.10.2", local_prefix, true,
          "A TLP with a local prefix that the receiver does not support"),
    WRONG("fetch_add", "2.2.7", fetch_add_three, true, "A FetchAdd of three doublewords"),
    WRONG("swap", "2.2.7", swap_unaligned, true, "A Swap that is not aligned to its operand"),
    WRONG("cas", "2.2.7", cas_odd, true, "A CAS of three doublewords"),
    WRONG("io_tc", "2.2.7", io_tc, true, "An I/O request with a traffic class above 0"),
    WRONG("io_attr", "2.2.7", io_attr, true, "An I/O request with an attribute"),
    WRONG("config_tc", "2.2.7", config_tc, false,
          "A configuration request with a traffic class above 0"),
    WRONG("end_length", "2.2.2", down_length, false,
          "At an endpoint, a TLP whose payload is not as long as Length says"),
    WRONG("end_last_be", "2.2.5", down_enables, false,
          "At an endpoint, a request of several doublewords without Last DW Byte Enables"),
    WRONG("end_intx", "2.2.8.1", down_intx, false, "An INTx message that comes from above"),
    WRONG("turn_off_tc", "2.2.8.2", down_turn_off_tc, false,
          "A PME_Turn_Off message with a traffic class above 0"),
    WRONG("power_limit_tc", "2.2.8.5", down_power_limit_tc, false,
          "A Set_Slot_Power_Limit message with a traffic class above 0"),
    AER("unmasked", "6.2.5", reporting, CASE(0, 0, true, TLP_MSG_ERR_NONFATAL),
        "A write that nobody claims is an Unsupported Request, non-fatal, recorded with its "
        "source."),
    AER("severity", "6.2.3.1", reporting, CASE(0, UNSUPPORTED, true, TLP_MSG_ERR_FATAL),
        "An error whose severity is fatal is reported as fatal."),
    AER("masked", "6.2.3.2.2", reporting, CASE(UNSUPPORTED, 0, false, 0),
        "An error that is masked is in the status register and not reported."),
    AER("multiple", "7.8.4.10", multiple, NULL,
        "A second error message while the first is recorded sets the bit for several."),
    AER("header_log", "7.8.4.8", header_log, NULL,
        "The Header Log has the header of the TLP that First Error Pointer is about."),
    AER("cleared", "7.8.4.2", pointer_invalid, NULL, "Status bits are cleared by writing 1."),
    AER("poisoned", "2.7.2.2", poisoned, NULL,
        "A poisoned write to a register is logged by its target and changes nothing."),
    AER("unexpected", "2.3.2", unexpected, NULL,
        "A completion without a request is an Unexpected Completion, an advisory error."),
    AER("advisory", "6.2.3.2.4.1", advisory, NULL,
        "The completer of a read reports an Unsupported Request as an advisory error."),
    AER("abort", "2.3.1", abort_read, NULL,
        "Completer Abort is the status of the completion, logged by both ends."),
    AER("timeout", "2.8", timeout, NULL,
        "A request that nobody completes ends as a Completion Timeout, logged by its requester."),
};

ASSERTION_TABLE(assertions_receiver, rows);
