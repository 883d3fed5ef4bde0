/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routing, completions, requests of a device, access control (PCIe Base 6.0, 2.2 to 2.4, 6.12). */
#include <string.h>

#include "lab.h"
#include "machine.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

#define ALL_CONFIG  (BIT(TLP_CFGRD0) | BIT(TLP_CFGRD1) | BIT(TLP_CFGWR0) | BIT(TLP_CFGWR1))
#define COMPLETIONS (BIT(TLP_CPL) | BIT(TLP_CPLD))

static bool need_switch(struct conform_ctx *t, struct lab *lab)
{
    if (!strchr(lab->above, '.') || !lab->peer)
        t_skip(t, "the topology has no two exercisers below one switch");
    return lab->peer != NULL;
}

LAB_PROCEDURE(config_type)
{
    if (!need_switch(t, lab))
        return;
    lab_forget(lab);
    lab_cfg(lab, lab->ex, 0, 4);
    t_check(t, lab_count(lab, lab->root, (uint32_t)BIT(TLP_CFGRD1)) == 1,
            "the root port sent %u of type 1",
            lab_count(lab, lab->root, (uint32_t)BIT(TLP_CFGRD1)));
    t_check(t, lab_count(lab, lab->above, (uint32_t)BIT(TLP_CFGRD0)) == 1,
            "the port above the device sent %u of type 0",
            lab_count(lab, lab->above, (uint32_t)BIT(TLP_CFGRD0)));
    t_check(t, lab_count(lab, NULL, ALL_CONFIG) == 2, "%u requests in all",
            lab_count(lab, NULL, ALL_CONFIG));
}

static enum tlp_status read_config(struct lab *lab, unsigned rid, uint32_t *value)
{
    struct pci_rid place = {(uint16_t)rid};
    struct root_complex *rc = machine_root_at(lab->machine, 0, pci_rid_bus(place));

    *value = 0;
    return rc ? conform_machine_config(lab->machine, false, 0, place.v, 0, 4, value) : TLP_UR;
}

LAB_PROCEDURE(absent_function)
{
    unsigned rid = lab_func(lab, lab->ex)->rid.v | 7;
    uint32_t value;
    enum tlp_status status = read_config(lab, rid, &value);

    t_check(t, status == TLP_UR && value == 0xffffffff, "status %u, %08x", status, value);
}

LAB_PROCEDURE(absent_device)
{
    unsigned rid = lab_func(lab, lab->ex)->rid.v | 5 << 3;
    uint32_t value;
    enum tlp_status status;

    lab_forget(lab);
    status = read_config(lab, rid, &value);
    t_check(t, status == TLP_UR && value == 0xffffffff, "status %u, %08x", status, value);
    t_check(t, !lab_count(lab, lab->above, ALL_CONFIG), "it was sent over the link");
}

LAB_PROCEDURE(absent_bus)
{
    uint32_t value;
    enum tlp_status status = read_config(lab, 0xf000, &value);

    t_check(t, status == TLP_UR && value == 0xffffffff, "status %u, %08x", status, value);
}

LAB_PROCEDURE(one_path)
{
    uint64_t value;

    if (!need_switch(t, lab))
        return;
    lab_forget(lab);
    lab_read(lab, lab_bar(lab, lab->ex, 0), 4, &value);
    t_check(t, value == EXERCISER_MAGIC_VALUE, "it reads as %08x", (unsigned)value);
    t_check(t, lab_count(lab, NULL, (uint32_t)BIT(TLP_MRD)) == 2, "%u reads crossed links",
            lab_count(lab, NULL, (uint32_t)BIT(TLP_MRD)));
    t_check(t, lab_count(lab, NULL, COMPLETIONS) == 2, "%u completions crossed links",
            lab_count(lab, NULL, COMPLETIONS));
}

LAB_PROCEDURE(memory_off)
{
    uint64_t value;
    enum tlp_status status;

    lab_report_errors(lab);
    lab_change_cfg(lab, lab->ex, 4, 2, 0, 2);
    status = lab_read(lab, lab_bar(lab, lab->ex, 0), 4, &value);
    t_check(t, status == TLP_UR && (uint32_t)value == 0xffffffff, "status %u, %08x", status,
            (unsigned)value);
    t_check(t, lab_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 0x0a), 2) & 8,
            "Unsupported Request Detected is clear");
}

LAB_PROCEDURE(bridge_memory_off)
{
    uint64_t value;
    enum tlp_status status;

    lab_change_cfg(lab, lab->above, 4, 2, 0, 2);
    lab_forget(lab);
    status = lab_read(lab, lab_bar(lab, lab->ex, 0), 4, &value);
    t_check(t, status == TLP_UR, "status %u", status);
    t_check(t, !lab_count(lab, lab->above, (uint32_t)BIT(TLP_MRD)), "it passed the bridge");
}

LAB_PROCEDURE(bridge_window)
{
    uint64_t value;
    uint32_t window = lab_cfg(lab, lab->above, 0x20, 4);
    enum tlp_status status;

    /* Base above limit: nothing is forwarded. */
    lab_set_cfg(lab, lab->above, 0x20, 4, 0x0000fff0);
    lab_forget(lab);
    status = lab_read(lab, lab_bar(lab, lab->ex, 0), 4, &value);
    t_check(t, status == TLP_UR && !lab_count(lab, lab->above, (uint32_t)BIT(TLP_MRD)), "status %u",
            status);
    lab_set_cfg(lab, lab->above, 0x20, 4, window);
    lab_read(lab, lab_bar(lab, lab->ex, 0), 4, &value);
    t_check(t, value == EXERCISER_MAGIC_VALUE, "it reads as %08x", (unsigned)value);
}

/* Memory of the host that a device has a known pattern of. */
static void fill_ram(struct lab *lab, unsigned len)
{
    for (unsigned i = 0; i < len; i += 4) {
        uint32_t value = 0x01010101u * (i / 4 + 1);

        machine_board_write(lab->machine, LAB_RAM + i, &value, 4);
    }
}

static bool ram_is(struct lab *lab, const uint32_t *want, unsigned dwords)
{
    uint32_t have;

    for (unsigned i = 0; i < dwords; i++) {
        machine_board_read(lab->machine, LAB_RAM + 4 * i, &have, 4);
        if (have != want[i])
            return false;
    }
    return true;
}

LAB_PROCEDURE(dma_read)
{
    struct lab_dma dma = {.command = EXERCISER_READ, .addr = LAB_RAM, .len = 64};
    unsigned result;
    uint64_t value;

    fill_ram(lab, 64);
    result = lab_dma(lab, lab->ex, &dma);
    lab_read(lab, lab_bar(lab, lab->ex, 4) + 60, 4, &value);
    t_check(t, result == 0, "result %u", result);
    t_check(t, value == 0x10101010, "the last doubleword is %08x", (unsigned)value);
}

LAB_PROCEDURE(dma_write)
{
    struct lab_dma dma = {.command = EXERCISER_WRITE, .addr = LAB_RAM, .len = 8};
    const uint32_t want[2] = {0xaabbccdd, 0x11223344};
    unsigned result;

    lab_write(lab, lab_bar(lab, lab->ex, 4), 4, want[0]);
    lab_write(lab, lab_bar(lab, lab->ex, 4) + 4, 4, want[1]);
    result = lab_dma(lab, lab->ex, &dma);
    t_check(t, result == 0, "result %u", result);
    t_check(t, ram_is(lab, want, 2), "memory is not what was written");
}

LAB_PROCEDURE(bus_master_off)
{
    struct lab_dma dma = {.command = EXERCISER_READ, .addr = LAB_RAM, .len = 4};

    lab_change_cfg(lab, lab->ex, 4, 2, 0, 4);
    lab_dma(lab, lab->ex, &dma);
    t_check(t, !lab_count(lab, lab->ex, (uint32_t)BIT(TLP_MRD)), "a request was sent");
}

LAB_PROCEDURE(bridge_bus_master_off)
{
    struct lab_dma dma = {.command = EXERCISER_READ, .addr = LAB_RAM, .len = 4};
    unsigned result;

    lab_change_cfg(lab, lab->above, 4, 2, 0, 4);
    result = lab_dma(lab, lab->ex, &dma);
    t_check(t, result == 1, "result %u, not Unsupported Request", result);
}

static void each_request(struct conform_ctx *t, struct lab *lab, enum tlp_type type,
                         unsigned limit_dw, const char *what)
{
    unsigned found = 0;

    for (unsigned i = 0; i < lab->seen->len; i++) {
        const struct tlp *tlp = &g_array_index(lab->seen, struct lab_seen, i).tlp;

        if (tlp->type != type || g_array_index(lab->seen, struct lab_seen, i).sender !=
                                     machine_port(lab->machine, lab->ex))
            continue;
        found++;
        t_check(t, tlp->length_dw <= limit_dw, "%s of %u doublewords", what, tlp->length_dw);
        t_check(t, (tlp->addr & 0xfff) + tlp->length_dw * 4u <= 0x1000, "%s crosses 4 KiB", what);
    }
    t_check(t, found > 1, "%u requests", found);
}

LAB_PROCEDURE(read_size)
{
    struct lab_dma dma = {.command = EXERCISER_READ, .addr = LAB_RAM + 0xf80, .len = 1024};

    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 8), 2, 0x1000, 0x7000);
    t_check(t, lab_dma(lab, lab->ex, &dma) == 0, "the read failed");
    each_request(t, lab, TLP_MRD, 64, "a read");
}

LAB_PROCEDURE(write_size)
{
    struct lab_dma dma = {.command = EXERCISER_WRITE, .addr = LAB_RAM + 0xf80, .len = 1024};

    t_check(t, lab_dma(lab, lab->ex, &dma) == 0, "the write failed");
    each_request(t, lab, TLP_MWR, 32, "a write");
}

LAB_PROCEDURE(completion_fields)
{
    struct lab_dma dma = {.command = EXERCISER_READ, .addr = LAB_RAM + 0x33, .len = 300};
    unsigned left = 300, result;
    uint64_t at = dma.addr;

    result = lab_dma(lab, lab->ex, &dma);
    t_check(t, result == 0, "result %u", result);
    for (unsigned i = 0; i < lab->seen->len; i++) {
        const struct lab_seen *seen = &g_array_index(lab->seen, struct lab_seen, i);
        unsigned bytes;

        if (seen->tlp.type != TLP_CPLD || seen->sender != machine_port(lab->machine, lab->above) ||
            !left)
            continue;
        bytes = seen->tlp.length_dw * 4u - (unsigned)(at & 3);
        bytes = MIN(bytes, left);
        t_check(t, seen->tlp.byte_count == left, "Byte Count is %u, not %u", seen->tlp.byte_count,
                left);
        t_check(t, seen->tlp.lower_addr == (at & 0x7f), "Lower Address is %02x, not %02x",
                seen->tlp.lower_addr, (unsigned)at & 0x7f);
        t_check(t, seen->tlp.requester.v == lab_func(lab, lab->ex)->rid.v, "it is for %04x",
                seen->tlp.requester.v);
        left -= bytes;
        at += bytes;
        t_check(t, !left || at % 64 == 0, "it ends at %" G_GINT64_MODIFIER "x", at);
    }
    t_check(t, !left, "%u bytes are missing", left);
}

LAB_PROCEDURE(same_tag)
{
    const struct lab_seen *request, *completion;
    uint64_t value;

    lab_forget(lab);
    lab_read(lab, lab_bar(lab, lab->ex, 0), 4, &value);
    request = lab_last(lab, lab->above, (uint32_t)BIT(TLP_MRD));
    completion = lab_last(lab, lab->ex, COMPLETIONS);
    t_check(t, request && completion, "there is no request or no completion");
    if (request && completion) {
        t_check(t, completion->tlp.tag == request->tlp.tag, "tag %u, not %u", completion->tlp.tag,
                request->tlp.tag);
        t_check(t, completion->tlp.requester.v == request->tlp.requester.v, "for %04x",
                completion->tlp.requester.v);
        t_check(t, completion->tlp.completer.v == lab_func(lab, lab->ex)->rid.v, "from %04x",
                completion->tlp.completer.v);
        t_check(t, completion->tlp.tc == request->tlp.tc, "another traffic class");
    }
}

LAB_PROCEDURE(zero_length)
{
    struct lab_dma dma = {.command = EXERCISER_READ, .addr = LAB_RAM, .len = 0};
    const struct lab_seen *completion;

    t_check(t, lab_dma(lab, lab->ex, &dma) == 0, "the read failed");
    for (unsigned i = 0; i < lab->seen->len; i++) {
        completion = &g_array_index(lab->seen, struct lab_seen, i);
        if (completion->tlp.type == TLP_CPLD &&
            completion->tlp.requester.v == lab_func(lab, lab->ex)->rid.v) {
            t_check(t, completion->tlp.byte_count == 1 && completion->tlp.length_dw == 1,
                    "Byte Count %u, %u doublewords", completion->tlp.byte_count,
                    completion->tlp.length_dw);
            return;
        }
    }
    t_fail(t, "there is no completion");
}

LAB_PROCEDURE(peer)
{
    struct lab_dma dma = {.command = EXERCISER_WRITE, .len = 4};
    uint64_t value;

    if (!need_switch(t, lab))
        return;
    lab_change_cfg(lab, lab->above, lab_func(lab, lab->above)->ext_acs + 6u, 2, 0, 0x7f);
    lab_write(lab, lab_bar(lab, lab->ex, 4), 4, 0x5eed5eed);
    dma.addr = lab_bar(lab, lab->peer, 0) + EXERCISER_SCRATCH1;
    lab_dma(lab, lab->ex, &dma);
    lab_run_us(lab, 10);
    t_check(t,
            !lab_count(lab, lab->root, (uint32_t)BIT(TLP_MWR)) ||
                lab_count(lab, lab->root, (uint32_t)BIT(TLP_MWR)) == 1,
            "it came down from the root port");
    value = lab_ex_get(lab, lab->peer, EXERCISER_SCRATCH1, 4);
    t_check(t, value == 0x5eed5eed, "the peer has %08x", (unsigned)value);
}

LAB_PROCEDURE(redirect)
{
    struct lab_dma dma = {.command = EXERCISER_READ, .len = 4};
    unsigned control;

    if (!need_switch(t, lab))
        return;
    control = lab_func(lab, lab->above)->ext_acs + 6u;
    lab_change_cfg(lab, lab->above, control, 2, 0x0004, 0x7b);
    dma.addr = lab_bar(lab, lab->peer, 0);
    lab_dma(lab, lab->ex, &dma);
    /* The request of the device and those with which the host looks at it: the former goes up. */
    bool up = false;
    for (unsigned i = 0; i < lab->seen->len; i++) {
        const struct lab_seen *seen = &g_array_index(lab->seen, struct lab_seen, i);

        up |= seen->tlp.type == TLP_MRD && seen->sender != machine_port(lab->machine, lab->ex) &&
              seen->tlp.requester.v == lab_func(lab, lab->ex)->rid.v &&
              seen->sender == port_far_end(machine_port(lab->machine, lab->root));
    }
    t_check(t, up, "the request did not go up");
}

static void violation(struct conform_ctx *t, struct lab *lab, uint16_t bit, struct tlp *tlp)
{
    unsigned control = lab_func(lab, lab->above)->ext_acs + 6u;
    uint32_t uncor;

    lab_report_errors(lab);
    lab_change_cfg(lab, lab->above, control, 2, bit, 0x7f & ~bit);
    lab_send_up(lab, tlp);
    uncor = lab_cfg(lab, lab->above, lab_aer(lab, lab->above, 4), 4);
    t_check(t, uncor & 1u << 21, "Uncorrectable Error Status is %08x", uncor);
    t_check(t, !lab_count(lab, NULL, (uint32_t)BIT(TLP_MWR)), "it went on");
}

LAB_PROCEDURE(source_validation)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MWR, 1);

    tlp_set_span(tlp, LAB_RAM, 4);
    tlp->requester = (struct pci_rid){0xeeee};
    violation(t, lab, 1, tlp);
}

LAB_PROCEDURE(translation_blocking)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MWR, 1);

    tlp_set_span(tlp, LAB_RAM, 4);
    tlp->at = TLP_AT_TRANSLATED;
    violation(t, lab, 2, tlp);
}

LAB_PROCEDURE(fetch_add)
{
    struct lab_dma dma = {
        .command = EXERCISER_FETCHADD, .addr = LAB_RAM, .len = 4, .operand = 0x11};
    const uint32_t want = 0x01010112;
    uint64_t old;
    unsigned result;

    fill_ram(lab, 4);
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 0x28), 2, 0x40, 0);
    result = lab_dma(lab, lab->ex, &dma);
    lab_read(lab, lab_bar(lab, lab->ex, 4), 4, &old);
    t_check(t, result == 0, "result %u", result);
    t_check(t, ram_is(lab, &want, 1), "memory is not the sum");
    t_check(t, old == 0x01010101, "the old value that came back is %08x", (unsigned)old);
}

LAB_PROCEDURE(cas_fails)
{
    struct lab_dma dma = {.command = EXERCISER_CAS,
                          .addr = LAB_RAM,
                          .len = 4,
                          .operand = 0x11,
                          .compare = 0x12345678};
    const uint32_t want = 0x01010101;

    fill_ram(lab, 4);
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 0x28), 2, 0x40, 0);
    t_check(t, lab_dma(lab, lab->ex, &dma) == 0, "the request failed");
    t_check(t, ram_is(lab, &want, 1), "memory changed although it was not equal");
}

LAB_PROCEDURE(atomic_not_enabled)
{
    struct lab_dma dma = {.command = EXERCISER_FETCHADD, .addr = LAB_RAM, .len = 4};

    lab_dma(lab, lab->ex, &dma);
    t_check(t, !lab_count(lab, lab->ex, (uint32_t)BIT(TLP_FETCHADD)), "it was sent");
}

LAB_PROCEDURE(egress_blocked)
{
    struct lab_dma dma = {.command = EXERCISER_FETCHADD, .addr = LAB_RAM, .len = 4};
    char *sw;
    unsigned result;

    if (!need_switch(t, lab))
        return;
    sw = g_strndup(lab->above, (gsize)(strchr(lab->above, '.') - lab->above));
    lab_report_errors(lab);
    lab_change_cfg(lab, lab->ex, lab_pcie(lab, lab->ex, 0x28), 2, 0x40, 0);
    lab_change_cfg(lab, sw, lab_pcie(lab, sw, 0x28), 2, 0x80, 0);
    result = lab_dma(lab, lab->ex, &dma);
    t_check(t, result == 1, "result %u, not Unsupported Request", result);
    t_check(t, lab_cfg(lab, sw, lab_aer(lab, sw, 4), 4) & 1u << 24,
            "AtomicOp Egress Blocked is clear");
    g_free(sw);
}

LAB_PROCEDURE(vendor_message)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MSG, 0);

    lab_report_errors(lab);
    tlp->msg_code = TLP_MSG_VENDOR_1;
    tlp->msg_routing = TLP_MSG_TO_RC;
    lab_send_up(lab, tlp);
    t_check(t, !(lab_cfg(lab, lab->root, lab_pcie(lab, lab->root, 0x0a), 2) & 0xf),
            "the root port logged an error");
}

LAB_PROCEDURE(unknown_message)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MSG, 0);

    lab_report_errors(lab);
    tlp->msg_code = 0x6a;
    tlp->msg_routing = TLP_MSG_TO_RC;
    lab_send_up(lab, tlp);
    t_check(t, lab_cfg(lab, lab->root, lab_aer(lab, lab->root, 4), 4) & 1u << 20,
            "the root port logged no Unsupported Request");
}

LAB_PROCEDURE(order)
{
    struct lab_dma dma = {.command = EXERCISER_WRITE, .addr = LAB_RAM, .len = 512};
    uint64_t next = LAB_RAM;

    t_check(t, lab_dma(lab, lab->ex, &dma) == 0, "the write failed");
    for (unsigned i = 0; i < lab->seen->len; i++) {
        const struct lab_seen *seen = &g_array_index(lab->seen, struct lab_seen, i);

        if (seen->tlp.type != TLP_MWR || seen->sender != machine_port(lab->machine, lab->ex))
            continue;
        t_check(t, seen->tlp.addr == next,
                "a write to %" G_GINT64_MODIFIER "x comes before one "
                "that was posted earlier",
                seen->tlp.addr);
        next += seen->tlp.length_dw * 4u;
    }
    t_check(t, next == LAB_RAM + 512, "writes are missing");
}

static const struct conform_assertion rows[] = {
    LAB_RULE("type", "enumeration", "7.3.3", config_type,
             "A configuration request travels as type 1 and crosses its last link as type 0."),
    LAB_RULE(
        "absent_function", "enumeration", "7.3.1", absent_function,
        "A configuration request to a function that a device has not is an Unsupported Request."),
    LAB_RULE("absent_device", "enumeration", "7.3.1", absent_device,
             "A request to a device number other than 0 of a link ends at the port above it."),
    LAB_RULE("absent_bus", "enumeration", "7.3.3", absent_bus,
             "A configuration request to a bus that no bridge leads to is an Unsupported Request."),
    LAB_RULE(
        "one_path", "routing", "1.3.3", one_path,
        "A request crosses the links between its two ends and no other, its completion likewise."),
    LAB_RULE("memory_off", "routing", "7.5.1.1.3", memory_off,
             "Without Memory Space Enable a function answers memory requests as unsupported."),
    LAB_RULE("bridge_memory_off", "routing", "7.5.1.1.3", bridge_memory_off,
             "Without Memory Space Enable a bridge forwards no memory request downwards."),
    LAB_RULE("window", "routing", "7.5.1.3.8", bridge_window,
             "A window whose base is above its limit forwards nothing."),
    LAB_RULE("peer", "routing", "1.3.3", peer,
             "A request for a neighbour below the same switch reaches it."),
    LAB_RULE("vendor_message", "routing", "2.2.8.6", vendor_message,
             "A vendor-defined message of type 1 that nobody knows is dropped without an error."),
    LAB_RULE("unknown_message", "routing", "2.2.8", unknown_message,
             "A message with a code that nobody knows is an Unsupported Request."),
    LAB_RULE("read", "completion", "2.3.1.1", dma_read,
             "A device that reads memory gets what stands there."),
    LAB_RULE("write", "completion", "2.3.1", dma_write,
             "What a device writes to memory stands there afterwards."),
    LAB_RULE("fields", "completion", "2.3.1.1", completion_fields,
             "Completions of one read come in order, with the bytes left as Byte Count, and end at "
             "multiples of the Read Completion Boundary."),
    LAB_RULE(
        "identity", "completion", "2.2.9", same_tag,
        "A completion has the requester, tag and traffic class of its request, and its completer."),
    LAB_RULE("zero", "completion", "2.2.5.1", zero_length,
             "A read of no bytes is completed with one doubleword and a Byte Count of 1."),
    LAB_RULE("bus_master", "request", "7.5.1.1.3", bus_master_off,
             "Without Bus Master Enable a function sends no memory request."),
    LAB_RULE("bridge_bus_master", "request", "7.5.1.1.3", bridge_bus_master_off,
             "Without Bus Master Enable a port answers reads from below it as unsupported."),
    LAB_RULE("read_size", "request", "7.5.3.4", read_size,
             "No read asks for more than Max_Read_Request_Size or crosses a 4 KiB boundary."),
    LAB_RULE("write_size", "request", "7.5.3.4", write_size,
             "No write carries more than Max_Payload_Size or crosses a 4 KiB boundary."),
    LAB_RULE("posted", "ordering", "2.4.1", order,
             "Posted writes without relaxed ordering stay in order."),
    LAB_RULE("redirect", "acs", "6.12.3", redirect,
             "With P2P Request Redirect a request for a neighbour goes up to the root complex."),
    LAB_RULE("source", "acs", "6.12.1.1", source_validation,
             "Source Validation takes a request of a foreign bus as an ACS Violation."),
    LAB_RULE("translated", "acs", "6.12.1.1", translation_blocking,
             "Translation Blocking takes a translated request as an ACS Violation."),
    LAB_RULE("fetch_add", "atomics", "6.15.1", fetch_add,
             "FetchAdd leaves the sum in memory and returns what was there."),
    LAB_RULE("cas", "atomics", "6.15.1", cas_fails,
             "CAS leaves memory alone where it is not equal."),
    LAB_RULE("enable", "atomics", "7.5.3.16", atomic_not_enabled,
             "Without AtomicOp Requester Enable a function sends no AtomicOp."),
    LAB_RULE("egress", "atomics", "6.15.2", egress_blocked,
             "AtomicOp Egress Blocking ends AtomicOps as unsupported and logs it."),
};

ASSERTION_TABLE(assertions_rules, rows);
