/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes back: fields of completions, checks of requesters (PCIe Base 6.0, 2.2.9, 2.3). */
#include <string.h>

#include "lab_body.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

/* Completions of ex, and those that it gets. */

static void completion_echo(struct conform_ctx *t, struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MRD, 0);
    const struct lab_seen *cpl;

    tlp_set_span(tlp, lab_bar(lab, lab->ex, 0) + EXERCISER_SCRATCH0 + 1, 6);
    tlp->requester = (struct pci_rid){0};
    tlp->tag = 0x17;
    tlp->tc = 3;
    tlp->attr = TLP_ATTR_NO_SNOOP;
    lab_forget(lab);
    lab_send_down(lab, tlp);
    cpl = lab_last(lab, lab->ex, (uint32_t)BIT(TLP_CPLD));
    if (!cpl) {
        t_fail(t, "there is no completion");
        return;
    }
    t_check(t, cpl->tlp.tc == 3, "its traffic class is %u, not 3", cpl->tlp.tc);
    t_check(t, cpl->tlp.attr == TLP_ATTR_NO_SNOOP, "its attributes are %u", cpl->tlp.attr);
    t_check(t, cpl->tlp.tag == 0x17 && !cpl->tlp.requester.v, "it is for tag %02x of %04x",
            cpl->tlp.tag, cpl->tlp.requester.v);
    t_check(t, cpl->tlp.completer.v == lab_func(lab, lab->ex)->rid.v, "it is from %04x",
            cpl->tlp.completer.v);
    t_check(t, cpl->tlp.byte_count == 6, "its Byte Count is %u, not 6", cpl->tlp.byte_count);
    t_check(t, cpl->tlp.lower_addr == ((EXERCISER_SCRATCH0 + 1) & 0x7f),
            "its Lower Address is %02x", cpl->tlp.lower_addr);
}

static void write_holes(struct conform_ctx *t, struct lab *lab)
{
    struct tlp *tlp = lab_memory(lab, TLP_MWR, lab_bar(lab, lab->ex, 0) + EXERCISER_SCRATCH0);
    uint64_t value;

    lab_ex_set(lab, lab->ex, EXERCISER_SCRATCH0, 4, 0x11223344);
    memset(tlp->data, 0xee, 4);
    tlp->first_be = 0x9;
    lab_send_down(lab, tlp);
    value = lab_ex_get(lab, lab->ex, EXERCISER_SCRATCH0, 4);
    t_check(t, value == 0xee2233ee, "the register is %08x, not ee2233ee", (unsigned)value);
}

static void config_enables(struct conform_ctx *t, struct lab *lab)
{
    uint32_t before = lab_cfg(lab, lab->ex, 0x18, 4), after;

    lab_change_cfg(lab, lab->ex, 4, 2, 0, 2);
    lab_set_cfg(lab, lab->ex, 0x1b, 1, 0x5a);
    after = lab_cfg(lab, lab->ex, 0x18, 4);
    t_check(t, after == (0x5a000000u | (before & 0xffffff)), "BAR 2 was %08x and is %08x", before,
            after);
}

static void config_poisoned(struct conform_ctx *t, struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_CFGWR0, 1);
    uint32_t before = lab_cfg(lab, lab->ex, 0x3c, 1);

    lab_report_errors(lab);
    tlp->requester = (struct pci_rid){0};
    tlp->dest = lab_func(lab, lab->ex)->rid;
    tlp->reg = 0x3c;
    tlp->first_be = 1;
    tlp->data[0] = (uint8_t)~before;
    tlp->ep = true;
    lab_send_down(lab, tlp);
    t_check(t, lab_cfg(lab, lab->ex, 0x3c, 1) == before, "the register was written");
    t_check(t, lab_uncorrectable(lab, lab->ex) & 1u << 12, "no Poisoned TLP was logged");
}

/* Spoils the next completion of memory for ex, which reads. The result of its request. */
static unsigned read_spoiled(struct lab *lab, enum inject_action action, uint64_t value)
{
    struct lab_dma dma = {.command = EXERCISER_READ, .addr = LAB_RAM, .len = 4};
    const struct inject_rule rule = {
        .name = "spoil",
        .match = {.sender = machine_port(lab->machine, lab->above),
                  .types = (uint32_t)BIT(TLP_CPLD),
                  .by_requester = true,
                  .requester = lab_func(lab, lab->ex)->rid},
        .count = 1,
        .action = action,
        .value = value,
    };

    lab_report_errors(lab);
    inject_add(lab->inject, &rule);
    return lab_dma(lab, lab->ex, &dma);
}

static void wrong_byte_count(struct conform_ctx *t, struct lab *lab)
{
    t_check(t, read_spoiled(lab, INJECT_BYTE_COUNT, 8) != 0, "the request was successful");
    t_check(t, lab_uncorrectable(lab, lab->ex) & 1u << 16, "no Unexpected Completion was logged");
}

static void wrong_retry(struct conform_ctx *t, struct lab *lab)
{
    read_spoiled(lab, INJECT_STATUS, TLP_RRS);
    t_check(t, lab_uncorrectable(lab, lab->ex) & 1u << 16, "no Unexpected Completion was logged");
}

static void poisoned_completion(struct conform_ctx *t, struct lab *lab)
{
    t_check(t, read_spoiled(lab, INJECT_POISON, 0) != 0, "the request was successful");
    t_check(t, lab_uncorrectable(lab, lab->ex) & 1u << 12, "no Poisoned TLP was logged");
    t_check(t, lab_cfg(lab, lab->ex, 6, 2) & 0x8000, "Detected Parity Error is clear");
}

static void aborted_completion(struct conform_ctx *t, struct lab *lab)
{
    read_spoiled(lab, INJECT_STATUS, TLP_CA);
    t_check(t, lab_cfg(lab, lab->ex, 6, 2) & 0x1000, "Received Target Abort is clear");
    read_spoiled(lab, INJECT_STATUS, TLP_UR);
    t_check(t, lab_cfg(lab, lab->ex, 6, 2) & 0x2000, "Received Master Abort is clear");
}

/* ex reads, its completion is lost, and it gets this one in its place. */
static void answer_wrongly(struct conform_ctx *t, struct lab *lab, unsigned tc, unsigned lower)
{
    const struct inject_rule lose = {
        .name = "lose",
        .match = {.sender = machine_port(lab->machine, lab->above),
                  .types = (uint32_t)BIT(TLP_CPLD),
                  .by_requester = true,
                  .requester = lab_func(lab, lab->ex)->rid},
        .count = 1,
        .action = INJECT_DROP,
    };
    unsigned channel = EXERCISER_CHANNEL(0);
    const struct lab_seen *request;
    struct tlp *cpl;

    lab_report_errors(lab);
    inject_add(lab->inject, &lose);
    lab_ex_set(lab, lab->ex, channel + EXERCISER_CH_ADDR, 8, LAB_RAM);
    lab_ex_set(lab, lab->ex, channel + EXERCISER_CH_LEN, 4, 4);
    lab_forget(lab);
    lab_ex_set(lab, lab->ex, channel + EXERCISER_CH_COMMAND, 4, EXERCISER_READ);
    lab_run_us(lab, 10);
    request = lab_last(lab, lab->ex, (uint32_t)BIT(TLP_MRD));
    if (!request) {
        t_fail(t, "no request was sent");
        return;
    }
    cpl = lab_tlp(lab, TLP_CPLD, 1);
    cpl->tag = request->tlp.tag;
    cpl->byte_count = 4;
    cpl->lower_addr = (uint8_t)lower;
    cpl->tc = (uint8_t)tc;
    lab_send_down(lab, cpl);
    t_check(t, lab_uncorrectable(lab, lab->ex) & 1u << 16, "no Unexpected Completion was logged");
}

static void wrong_tc(struct conform_ctx *t, struct lab *lab)
{
    answer_wrongly(t, lab, 2, 0);
}

static void wrong_lower(struct conform_ctx *t, struct lab *lab)
{
    answer_wrongly(t, lab, 0, 0x40);
}

static void of_no_function(struct conform_ctx *t, struct lab *lab)
{
    struct tlp *cpl = lab_tlp(lab, TLP_CPLD, 1);

    lab_report_errors(lab);
    cpl->requester.v |= 7;
    cpl->byte_count = 4;
    lab_send_down(lab, cpl);
    t_check(t, lab_uncorrectable(lab, lab->ex) & 1u << 16, "no Unexpected Completion was logged");
    t_check(t, !(lab_uncorrectable(lab, lab->ex) & 1u << 20), "an Unsupported Request was logged");
}

static void timeout_range(struct conform_ctx *t, struct lab *lab)
{
    uint64_t begun, took, value;

    if (!(lab_cfg(lab, lab->root, lab_pcie(lab, lab->root, 0x24), 4) & 1)) {
        t_skip(t, "the root port has not range A of Completion Timeout Values");
        return;
    }
    lab_change_cfg(lab, lab->root, lab_pcie(lab, lab->root, 0x28), 2, 2, 0xd);
    lab_ex_set(lab, lab->ex, EXERCISER_FAULT, 4, EXERCISER_FAULT_SILENT);
    lab_ex_set(lab, lab->ex, EXERCISER_FAULT_COUNT, 4, 1);
    begun = machine_sim(lab->machine)->now_ps;
    lab_read(lab, lab_bar(lab, lab->ex, 4), 4, &value);
    took = machine_sim(lab->machine)->now_ps - begun;
    t_check(t, took >= PS_PER_MS && took <= 10 * PS_PER_MS, "it took %llu us, not 1 to 10 ms",
            (unsigned long long)(took / PS_PER_US));
}

static void relaxed_enable(struct conform_ctx *t, struct lab *lab)
{
    struct lab_dma dma = {.command = EXERCISER_WRITE,
                          .addr = LAB_RAM,
                          .len = 4,
                          .attr = EXERCISER_ATTR_RELAXED | EXERCISER_ATTR_NO_SNOOP};
    const struct lab_seen *seen;

    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 8), 2, 0, 0x0810);
    lab_dma(lab, lab->ex, &dma);
    seen = lab_last(lab, lab->ex, (uint32_t)BIT(TLP_MWR));
    t_check(t, seen && !seen->tlp.attr, "a write has attributes %u", seen ? seen->tlp.attr : 0);
}

static const struct conform_assertion rows[] = {
    LAB_BODY("completion.echo", "completion", "2.2.9", completion_echo,
             "A completion repeats requester, tag, traffic class and attributes, and tells its "
             "completer, the bytes left and the low bits of their address."),
    LAB_BODY("completion.holes", "completion", "2.2.5", write_holes,
             "A write changes the bytes that are enabled, and no others."),
    LAB_BODY("completion.config_enables", "completion", "2.2.5", config_enables,
             "A configuration write changes the bytes that are enabled, and no others."),
    LAB_BODY("completion.config_poisoned", "completion", "2.7.2.2", config_poisoned,
             "A poisoned configuration write changes nothing, and is logged."),
    LAB_BODY("request.byte_count", "request", "2.3.2", wrong_byte_count,
             "A completion whose Byte Count does not fit its request is unexpected."),
    LAB_BODY("request.retry", "request", "2.3.2", wrong_retry,
             "Request Retry Status for a memory read is an Unexpected Completion."),
    LAB_BODY("request.poisoned", "request", "2.7.2.2", poisoned_completion,
             "A poisoned completion fails its request, and is logged."),
    LAB_BODY(
        "request.aborted", "request", "7.5.1.1.4", aborted_completion,
        "Completions with Completer Abort and Unsupported Request set the requester's Status."),
    LAB_BODY("request.tc", "request", "2.3.2", wrong_tc,
             "A completion of another traffic class than its request is unexpected."),
    LAB_BODY("request.lower_address", "request", "2.3.2", wrong_lower,
             "A completion whose Lower Address does not fit its request is unexpected."),
    LAB_BODY("request.no_function", "request", "2.3.2", of_no_function,
             "A completion for a function that is not there is unexpected, and no request."),
    LAB_BODY("request.timeout_range", "request", "7.5.3.16", timeout_range,
             "With Completion Timeout Value 0010b a request times out after 1 to 10 ms."),
    LAB_BODY(
        "request.attributes", "request", "7.5.3.4", relaxed_enable,
        "Without Enable Relaxed Ordering and Enable No Snoop no request has these attributes."),
};

ASSERTION_TABLE(assertions_request, rows);
