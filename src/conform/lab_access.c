/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where requests may go: windows and numbers of bridges, Access Control Services (PCIe Base 6.0,
 * 6.12, 7.5.1.3). */
#include <string.h>

#include "lab_body.h"
#include "pcilab/platform/probe.h"
#include "tables.h"

#define NOWHERE 0xd0000000u /* an address that firmware gives to nobody here */
#define MIB     0x100000u

/* Did a TLP of this type and requester leave the switch upwards? */
static bool went_up(struct lab *lab, enum tlp_type type, struct pci_rid requester)
{
    const struct port *up = port_far_end(machine_port(lab->machine, lab->root));

    for (unsigned i = 0; i < lab->seen->len; i++) {
        const struct lab_seen *seen = &g_array_index(lab->seen, struct lab_seen, i);

        if (seen->sender == up && seen->tlp.type == type && seen->tlp.requester.v == requester.v)
            return true;
    }
    return false;
}

static void set_acs(struct lab *lab, uint16_t control)
{
    lab_set_cfg(lab, lab->above, lab_func(lab, lab->above)->ext_acs + 6u, 2, control);
    lab_forget(lab);
}

/* Access Control Services of the port above ex. */

static void acs_io(struct conform_ctx *t, struct lab *lab)
{
    struct tlp *tlp;

    if (!(lab_cfg(lab, lab->above, lab_func(lab, lab->above)->ext_acs + 4u, 2) & 0x80)) {
        t_skip(t, "the port has no ACS Enhanced Capability");
        return;
    }
    lab_report_errors(lab);
    set_acs(lab, 0x80);
    tlp = lab_tlp(lab, TLP_IOWR, 1);
    tlp->addr = 0x1000;
    tlp->first_be = 0xf;
    lab_send_up(lab, tlp);
    t_check(t, lab_uncorrectable(lab, lab->above) & 1u << 21, "Uncorrectable Error Status is %08x",
            lab_uncorrectable(lab, lab->above));
}

static void acs_abort(struct conform_ctx *t, struct lab *lab)
{
    const struct lab_seen *cpl;
    struct tlp *tlp = lab_memory(lab, TLP_MRD, LAB_RAM);

    tlp->at = TLP_AT_TRANSLATED;
    set_acs(lab, 2);
    lab_send_up(lab, tlp);
    cpl = lab_last(lab, lab->above, (uint32_t)(BIT(TLP_CPL) | BIT(TLP_CPLD)));
    t_check(t, cpl && cpl->tlp.status == TLP_CA, "it is %scompleted with status %u",
            cpl ? "" : "not ", cpl ? cpl->tlp.status : 0);
}

/* ex writes to a register of its neighbour; `at` as TLPs have it. */
static void write_peer(struct lab *lab, unsigned at)
{
    struct tlp *tlp = lab_memory(lab, TLP_MWR, lab_bar(lab, lab->peer, 0) + EXERCISER_SCRATCH1);

    tlp->at = (uint8_t)at;
    lab_forget(lab);
    lab_send_up(lab, tlp);
}

static void set_vector(struct lab *lab, const char *peer_port, bool marked)
{
    unsigned port = lab_cfg(lab, peer_port, lab_pcie(lab, peer_port, 0x0c), 4) >> 24;
    unsigned at = lab_func(lab, lab->above)->ext_acs + 8u + port / 32 * 4;

    lab_change_cfg(lab, lab->above, at, 4, marked ? 1u << port % 32 : 0, 1u << port % 32);
}

static void acs_egress(struct conform_ctx *t, struct lab *lab)
{
    struct pci_rid ex = lab_func(lab, lab->ex)->rid;
    char *port = lab_above_peer(lab);

    lab_report_errors(lab);
    set_vector(lab, port, true);
    set_acs(lab, 0x20);
    write_peer(lab, 0);
    t_check(t, lab_uncorrectable(lab, lab->above) & 1u << 21, "a marked peer: no ACS Violation");
    t_check(t, !lab_count(lab, port, (uint32_t)BIT(TLP_MWR)), "a marked peer is reached");
    set_vector(lab, port, false);
    write_peer(lab, 0);
    t_check(t, lab_count(lab, port, (uint32_t)BIT(TLP_MWR)) == 1, "another is not reached");
    set_acs(lab, 0x24);
    write_peer(lab, 0);
    t_check(t, !went_up(lab, TLP_MWR, ex), "another is redirected");
    g_free(port);
}

static void acs_direct(struct conform_ctx *t, struct lab *lab)
{
    struct pci_rid ex = lab_func(lab, lab->ex)->rid;

    set_acs(lab, 0x44);
    write_peer(lab, TLP_AT_TRANSLATED);
    t_check(t, !went_up(lab, TLP_MWR, ex), "a translated request went up");
    write_peer(lab, 0);
    t_check(t, went_up(lab, TLP_MWR, ex), "an untranslated request did not go up");
}

static void acs_upstream(struct conform_ctx *t, struct lab *lab)
{
    struct pci_rid ex = lab_func(lab, lab->ex)->rid;
    uint64_t own = lab_bar(lab, lab->ex, 0) + EXERCISER_SCRATCH1;

    lab_report_errors(lab);
    set_acs(lab, 0);
    lab_send_up(lab, lab_memory(lab, TLP_MWR, own));
    t_check(t, !went_up(lab, TLP_MWR, ex), "without it a request for the own window went up");
    t_check(t, !lab_count(lab, lab->above, (uint32_t)BIT(TLP_MWR)), "it came back down");
    t_check(t, lab_uncorrectable(lab, lab->above) & 1u << 20, "no Unsupported Request was logged");
    set_acs(lab, 0x10);
    lab_send_up(lab, lab_memory(lab, TLP_MWR, own));
    t_check(t, went_up(lab, TLP_MWR, ex), "with it, it did not go up");
}

static void complete_peer(struct lab *lab, unsigned attr)
{
    struct tlp *tlp = lab_tlp(lab, TLP_CPL, 0);

    tlp->completer = lab_func(lab, lab->ex)->rid;
    tlp->requester = lab_func(lab, lab->peer)->rid;
    tlp->byte_count = 4;
    tlp->attr = (uint8_t)attr;
    lab_forget(lab);
    lab_send_up(lab, tlp);
}

static void acs_completion(struct conform_ctx *t, struct lab *lab)
{
    struct pci_rid peer = lab_func(lab, lab->peer)->rid;

    set_acs(lab, 0);
    complete_peer(lab, 0);
    t_check(t, !went_up(lab, TLP_CPL, peer), "without it a completion went up");
    set_acs(lab, 8);
    complete_peer(lab, TLP_ATTR_RELAXED);
    t_check(t, !went_up(lab, TLP_CPL, peer), "a relaxed completion went up");
    complete_peer(lab, 0);
    t_check(t, went_up(lab, TLP_CPL, peer), "a completion did not go up");
}

static void acs_unclaimed(struct conform_ctx *t, struct lab *lab)
{
    struct pci_rid ex = lab_func(lab, lab->ex)->rid;
    char *upper = lab_upper(lab);
    uint32_t window = lab_cfg(lab, upper, 0x20, 4);
    uint64_t beyond = (uint64_t)(window >> 20) * MIB + MIB;

    /* The switch has a mebibyte that none of its ports has. */
    lab_report_errors(lab);
    lab_set_cfg(lab, upper, 0x20, 4, window + 0x100000);
    set_acs(lab, 0);
    lab_send_up(lab, lab_memory(lab, TLP_MWR, beyond));
    t_check(t, !went_up(lab, TLP_MWR, ex), "without it the request went up");
    t_check(t, lab_uncorrectable(lab, lab->above) & 1u << 20, "no Unsupported Request was logged");
    if (lab_cfg(lab, lab->above, lab_func(lab, lab->above)->ext_acs + 4u, 2) & 0x80) {
        set_acs(lab, 0x1000);
        lab_send_up(lab, lab_memory(lab, TLP_MWR, beyond));
        t_check(t, went_up(lab, TLP_MWR, ex), "with it, it did not go up");
    }
    g_free(upper);
}

static void acs_subordinate(struct conform_ctx *t, struct lab *lab)
{
    struct tlp *tlp = lab_memory(lab, TLP_MWR, LAB_RAM);
    unsigned secondary = lab_cfg(lab, lab->above, 0x19, 1);

    /* A bus below a bridge below the port, where there could be one. */
    lab_report_errors(lab);
    lab_set_cfg(lab, lab->above, 0x1a, 1, secondary + 1);
    set_acs(lab, 1);
    tlp->requester = (struct pci_rid){(uint16_t)((secondary + 1) << 8)};
    lab_send_up(lab, tlp);
    t_check(t, !(lab_uncorrectable(lab, lab->above) & 1u << 21),
            "the subordinate bus is taken as foreign");
}

/* Windows and numbers of the port above ex and of the switch that it is of. */

static void window_edges(struct conform_ctx *t, struct lab *lab)
{
    uint32_t first = NOWHERE >> 16;
    char *upper = lab_upper(lab);

    lab_set_cfg(lab, upper, 0x20, 4, (first + 0x10) << 16 | first);
    lab_set_cfg(lab, lab->above, 0x20, 4, first << 16 | first);
    lab_forget(lab);
    inject_emit(machine_port(lab->machine, lab->root), lab_memory(lab, TLP_MRD, NOWHERE + MIB - 4));
    lab_run_us(lab, 10);
    t_check(t, lab_count(lab, lab->above, (uint32_t)BIT(TLP_MRD)) == 1,
            "the last doubleword of the window is not forwarded");
    lab_forget(lab);
    inject_emit(machine_port(lab->machine, lab->root), lab_memory(lab, TLP_MRD, NOWHERE + MIB));
    lab_run_us(lab, 10);
    t_check(t, !lab_count(lab, lab->above, (uint32_t)BIT(TLP_MRD)),
            "what lies behind the window is forwarded");
    g_free(upper);
}

static void window_prefetchable(struct conform_ctx *t, struct lab *lab)
{
    char *upper = lab_upper(lab);
    const char *const ports[] = {upper, lab->above};

    for (unsigned i = 0; i < 2; i++) {
        lab_set_cfg(lab, ports[i], 0x28, 4, 0x77);
        lab_set_cfg(lab, ports[i], 0x2c, 4, 0x77);
        lab_set_cfg(lab, ports[i], 0x24, 4, NOWHERE >> 16 << 16 | NOWHERE >> 16);
    }
    lab_forget(lab);
    inject_emit(machine_port(lab->machine, lab->root),
                lab_memory(lab, TLP_MRD, 0x77ull << 32 | NOWHERE));
    lab_run_us(lab, 10);
    t_check(t, lab_count(lab, lab->above, (uint32_t)BIT(TLP_MRD)) == 1,
            "a request within the window is not forwarded");
    g_free(upper);
}

static void send_io(struct lab *lab, uint64_t addr)
{
    struct tlp *tlp = lab_tlp(lab, TLP_IORD, 0);

    tlp->addr = addr;
    tlp->length_dw = 1;
    tlp->first_be = 0xf;
    lab_forget(lab);
    inject_emit(machine_port(lab->machine, lab->root), tlp);
    lab_run_us(lab, 10);
}

static void window_io(struct conform_ctx *t, struct lab *lab)
{
    char *upper = lab_upper(lab);
    const char *const ports[] = {upper, lab->above};

    for (unsigned i = 0; i < 2; i++) {
        lab_set_cfg(lab, ports[i], 0x30, 4, 0);
        lab_set_cfg(lab, ports[i], 0x1c, 2, 0xe0e0);
        lab_change_cfg(lab, ports[i], 4, 2, 1, 0);
    }
    send_io(lab, 0xe300);
    t_check(t, lab_count(lab, lab->above, (uint32_t)BIT(TLP_IORD)) == 1,
            "a request within the window is not forwarded");
    lab_change_cfg(lab, lab->above, 0x3e, 2, 4, 0);
    send_io(lab, 0xe300);
    t_check(t, !lab_count(lab, lab->above, (uint32_t)BIT(TLP_IORD)),
            "with ISA Enable the upper 768 bytes of a KiB are forwarded");
    send_io(lab, 0xe080);
    t_check(t, lab_count(lab, lab->above, (uint32_t)BIT(TLP_IORD)) == 1,
            "with ISA Enable the lower 256 bytes of a KiB are not forwarded");
    lab_change_cfg(lab, lab->above, 4, 2, 0, 1);
    send_io(lab, 0xe080);
    t_check(t, !lab_count(lab, lab->above, (uint32_t)BIT(TLP_IORD)),
            "it is forwarded without I/O Space Enable");
    g_free(upper);
}

static void bus_numbers(struct conform_ctx *t, struct lab *lab)
{
    char *upper = lab_upper(lab);
    unsigned subordinate = lab_cfg(lab, upper, 0x1a, 1);
    struct tlp *tlp = lab_tlp(lab, TLP_CFGRD1, 0);

    tlp->requester = (struct pci_rid){0};
    tlp->dest = (struct pci_rid){(uint16_t)((subordinate + 1) << 8)};
    tlp->length_dw = 1;
    tlp->first_be = 0xf;
    lab_report_errors(lab);
    inject_emit(machine_port(lab->machine, lab->root), tlp);
    lab_run_us(lab, 10);
    t_check(t, !lab_count(lab, NULL, (uint32_t)(BIT(TLP_CFGRD0) | BIT(TLP_CFGRD1))),
            "it is forwarded");
    t_check(t, lab_uncorrectable(lab, upper) & 1u << 20, "no Unsupported Request was logged");
    g_free(upper);
}

static void config_up(struct conform_ctx *t, struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_CFGRD1, 0);
    char *port = lab_above_peer(lab);

    tlp->dest = lab_func(lab, lab->peer)->rid;
    tlp->length_dw = 1;
    tlp->first_be = 0xf;
    lab_report_errors(lab);
    lab_send_up(lab, tlp);
    t_check(t, !lab_count(lab, port, (uint32_t)(BIT(TLP_CFGRD0) | BIT(TLP_CFGRD1))),
            "it reaches the neighbour");
    t_check(t, lab_uncorrectable(lab, lab->above) & 1u << 20, "no Unsupported Request was logged");
    g_free(port);
}

static void broadcast_up(struct conform_ctx *t, struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MSG, 0);
    char *port = lab_above_peer(lab);

    tlp->msg_code = TLP_MSG_VENDOR_1;
    tlp->msg_routing = TLP_MSG_BROADCAST;
    lab_forget(lab);
    lab_send_up(lab, tlp);
    t_check(t, !lab_count(lab, port, (uint32_t)BIT(TLP_MSG)), "it is sent down");
    g_free(port);
}

/* The topology without its translation agents: shallow, but for the array of components. */
static void remove_agents(struct machine_desc *desc)
{
    desc->components = g_memdup2(desc->components, desc->count * sizeof(*desc->components));
    for (unsigned i = desc->count; i-- > 0;) {
        enum machine_kind kind = desc->components[i].kind;

        if (kind != MACHINE_IOMMU && kind != MACHINE_VIRTIO_IOMMU)
            continue;
        memmove(&desc->components[i], &desc->components[i + 1],
                (desc->count - i - 1) * sizeof(*desc->components));
        desc->count--;
        for (unsigned j = 0; j < desc->count; j++)
            desc->components[j].parent -= desc->components[j].parent > (int)i;
    }
}

static void no_agent(struct conform_ctx *t)
{
    const struct lab_body *body = t->assertion->param;
    struct machine_desc desc = *(const struct machine_desc *)t->backend->lab;
    struct lab *lab;

    remove_agents(&desc);
    lab = lab_new_of(t, &desc);
    if (lab->machine)
        body->run(t, lab);
    lab_free(lab);
    g_free(desc.components);
}

static void translated_up(struct conform_ctx *t, struct lab *lab)
{
    uint32_t value = 0x600d600d;
    struct tlp *tlp = lab_memory(lab, TLP_MWR, LAB_RAM);

    machine_board_write(lab->machine, LAB_RAM, &value, 4);
    lab_report_errors(lab);
    set_acs(lab, 0);
    tlp->at = TLP_AT_TRANSLATED;
    lab_send_up(lab, tlp);
    machine_board_read(lab->machine, LAB_RAM, &value, 4);
    t_check(t, value == 0x600d600d, "memory was written");
    t_check(t, lab_uncorrectable(lab, lab->root) & 1u << 20, "no Unsupported Request was logged");
}

static void pasid_up(struct conform_ctx *t, struct lab *lab)
{
    const struct tlp_pasid pasid = {.pasid = 5};
    struct tlp *tlp = lab_memory(lab, TLP_MWR, LAB_RAM);

    lab_report_errors(lab);
    tlp_set_pasid(tlp, &pasid);
    lab_send_up(lab, tlp);
    t_check(t, lab_uncorrectable(lab, lab->root) & 1u << 20, "no Unsupported Request was logged");
}

static void long_interrupt(struct conform_ctx *t, struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MWR, 2);

    lab_report_errors(lab);
    tlp_set_span(tlp, 0xfee00000u, 8);
    lab_send_up(lab, tlp);
    t_check(t, lab_uncorrectable(lab, lab->root) & 1u << 20, "no Unsupported Request was logged");
}

static void prefix_blocked(struct conform_ctx *t, struct lab *lab)
{
    char *upper = lab_upper(lab);
    struct tlp *tlp;

    if (!(lab_cfg(lab, upper, lab_pcie(lab, upper, 0x24), 4) & 0x200000)) {
        t_skip(t, "the switch has no end-end TLP prefixes");
    } else {
        lab_report_errors(lab);
        lab_change_cfg(lab, upper, lab_pcie(lab, upper, 0x28), 2, 0x8000, 0);
        lab_forget(lab);
        tlp = lab_memory(lab, TLP_MWR, LAB_RAM);
        tlp_add_prefix(tlp, (uint32_t)TLP_PREFIX_VENDOR_E0 << 24);
        lab_send_up(lab, tlp);
        t_check(t, !lab_count(lab, NULL, (uint32_t)BIT(TLP_MWR)), "it went on");
        t_check(t, lab_uncorrectable(lab, upper) & 1u << 25, "TLP Prefix Blocked Error is clear");
    }
    g_free(upper);
}

static void acs_root(struct conform_ctx *t, struct lab *lab)
{
    struct tlp *tlp = lab_tlp(lab, TLP_MSG, 0);

    lab_report_errors(lab);
    lab_set_cfg(lab, lab->root, lab_func(lab, lab->root)->ext_acs + 6u, 2, 1);
    tlp->requester = (struct pci_rid){0xeeee};
    tlp->msg_code = TLP_MSG_ERR_COR;
    tlp->msg_routing = TLP_MSG_TO_RC;
    inject_emit(port_far_end(machine_port(lab->machine, lab->root)), tlp);
    lab_run_us(lab, 10);
    t_check(t, lab_uncorrectable(lab, lab->root) & 1u << 21, "Uncorrectable Error Status is %08x",
            lab_uncorrectable(lab, lab->root));
}

static const struct conform_assertion rows[] = {
    LAB_BODY("acs.io", "acs", "6.12.1.1", acs_io,
             "I/O Request Blocking takes I/O requests as ACS Violations."),
    LAB_BODY("acs.abort", "acs", "6.12.4", acs_abort,
             "A non-posted request that is an ACS Violation is completed with Completer Abort."),
    LAB_BODY("acs.egress", "acs", "6.12.1.1", acs_egress,
             "P2P Egress Control blocks requests for peers that its vector marks, and no others."),
    LAB_BODY("acs.direct", "acs", "6.12.3", acs_direct,
             "Direct Translated P2P lets translated requests go straight to a peer that others are "
             "redirected from."),
    LAB_BODY(
        "acs.upstream", "acs", "6.12.1.1", acs_upstream,
        "Upstream Forwarding passes up what is addressed to the port that it came in by; without "
        "it such a request is unsupported."),
    LAB_BODY("acs.completion", "acs", "6.12.3", acs_completion,
             "P2P Completion Redirect passes up completions for peers, unless they are relaxed."),
    LAB_BODY(
        "acs.unclaimed", "acs", "7.7.11.3", acs_unclaimed,
        "What none of a switch's ports claims within its windows is unsupported, or goes up with "
        "Unclaimed Request Redirect."),
    LAB_BODY("acs.root", "acs", "6.12.1.1", acs_root,
             "Source Validation of a root port looks at messages, too."),
    LAB_BODY("acs.subordinate", "acs", "6.12.1.1", acs_subordinate,
             "Source Validation accepts every bus from the secondary to the subordinate one."),
    LAB_BODY(
        "routing.window_edges", "routing", "7.5.1.3.8", window_edges,
        "A memory window reaches to the end of the mebibyte that its limit names, and no further."),
    LAB_BODY("routing.window_prefetchable", "routing", "7.5.1.3.9", window_prefetchable,
             "Requests within the prefetchable window go down, above 4 GiB too."),
    LAB_BODY(
        "routing.window_io", "routing", "7.5.1.3.6", window_io,
        "I/O requests go down within the window, with I/O Space Enable, and with ISA Enable only "
        "those for the first 256 bytes of a KiB."),
    LAB_BODY("routing.bus_numbers", "routing", "7.5.1.3.4", bus_numbers,
             "A configuration request for a bus above the subordinate one is unsupported."),
    LAB_BODY("routing.config_up", "routing", "2.2.7", config_up,
             "A configuration request that comes from below is unsupported."),
    LAB_BODY("routing.broadcast_up", "routing", "2.2.8", broadcast_up,
             "A message from below that says Broadcast is not sent down."),
    {.id = "routing.translated",
     .group = "routing",
     .document = CONFORM_PCIE,
     .section = "10.2.1",
     .needs = CONFORM_LAB,
     .procedure = no_agent,
     .param = &(const struct lab_body){translated_up},
     .requirement = "Without a translation agent a translated request is unsupported."},
    {.id = "routing.pasid",
     .group = "routing",
     .document = CONFORM_PCIE,
     .section = "6.20.2",
     .needs = CONFORM_LAB,
     .procedure = no_agent,
     .param = &(const struct lab_body){pasid_up},
     .requirement = "Without a translation agent a request with PASID is unsupported."},
    LAB_BODY("routing.interrupts", "routing", "2.3.1", long_interrupt,
             "A write of two doublewords to the interrupt range is unsupported."),
    LAB_BODY("routing.prefix_blocked", "routing", "2.2.10.4", prefix_blocked,
             "End-End TLP Prefix Blocking ends TLPs with such a prefix, and logs it."),
};

ASSERTION_TABLE(assertions_access, rows);
