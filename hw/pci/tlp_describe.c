/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLPs in words, for traces and failed expectations. */
#include "pcilab/pci/readiness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const type_names[TLP_TYPE_COUNT] = {
    [TLP_MRD] = "MRd",       [TLP_MRDLK] = "MRdLk",       [TLP_MWR] = "MWr",
    [TLP_IORD] = "IORd",     [TLP_IOWR] = "IOWr",         [TLP_CFGRD0] = "CfgRd0",
    [TLP_CFGWR0] = "CfgWr0", [TLP_CFGRD1] = "CfgRd1",     [TLP_CFGWR1] = "CfgWr1",
    [TLP_MSG] = "Msg",       [TLP_MSGD] = "MsgD",         [TLP_CPL] = "Cpl",
    [TLP_CPLD] = "CplD",     [TLP_CPLLK] = "CplLk",       [TLP_CPLDLK] = "CplDLk",
    [TLP_DMWR] = "DMWr",     [TLP_FETCHADD] = "FetchAdd", [TLP_SWAP] = "Swap",
    [TLP_CAS] = "CAS",
};

static const struct {
    uint8_t code;
    const char *name;
} message_names[] = {
    {0x01, "Invalidate Request"},
    {0x02, "Invalidate Completion"},
    {0x04, "Page Request"},
    {0x05, "PRG Response"},
    {0x10, "LTR"},
    {0x12, "OBFF"},
    {0x14, "PM_Active_State_Nak"},
    {0x18, "PM_PME"},
    {0x19, "PME_Turn_Off"},
    {0x1b, "PME_TO_Ack"},
    {0x20, "Assert_INTA"},
    {0x21, "Assert_INTB"},
    {0x22, "Assert_INTC"},
    {0x23, "Assert_INTD"},
    {0x24, "Deassert_INTA"},
    {0x25, "Deassert_INTB"},
    {0x26, "Deassert_INTC"},
    {0x27, "Deassert_INTD"},
    {0x30, "ERR_COR"},
    {0x31, "ERR_NONFATAL"},
    {0x33, "ERR_FATAL"},
    {0x50, "Set_Slot_Power_Limit"},
    {0x52, "PTM Request"},
    {0x53, "PTM Response"},
    {0x7e, "Vendor_Defined Type 0"},
    {0x7f, "Vendor_Defined Type 1"},
};

struct text {
    char *out;
    size_t left;
};

static void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void text_add(struct text *t, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(t->out, t->left, format, args);
    va_end(args);
    if (n > 0) {
        size_t used = (size_t)n < t->left ? (size_t)n : t->left - (t->left != 0);

        t->out += used;
        t->left -= used;
    }
}

static void text_add_rid(struct text *t, const char *before, struct pci_rid rid)
{
    text_add(t, "%s%02x:%02x.%x", before, pci_rid_bus(rid), pci_rid_device(rid), rid.v & 7u);
}

static void text_add_data(struct text *t, const struct tlp *tlp)
{
    unsigned shown = tlp->length_dw < 4 ? tlp->length_dw : 4;

    if (!tlp->data) {
        return;
    }
    text_add(t, " data");
    for (unsigned i = 0; i < shown * 4; i++) {
        text_add(t, "%s%02x", i % 4 ? "" : " ", tlp->data[i]);
    }
    if (tlp->length_dw > shown) {
        text_add(t, " ...");
    }
}

static const char *status_name(unsigned status)
{
    static const char *const names[8] = {
        "SC", "UR", "RRS", "reserved", "CA", [5] = "reserved", "reserved", "reserved"};

    return names[status & 7];
}

static void describe_message(struct text *t, const struct tlp *tlp)
{
    static const char *const routings[8] = {"to root", "by address", "by ID",    "broadcast",
                                            "local",   "gathered",   "reserved", "reserved"};
    const char *name = "code";

    for (unsigned i = 0; i < sizeof(message_names) / sizeof(message_names[0]); i++) {
        if (message_names[i].code == tlp->msg_code) {
            name = message_names[i].name;
        }
    }
    if (tlp_is_drs(tlp)) {
        name = "DRS";
    } else if (tlp_is_frs(tlp)) {
        name = "FRS";
    }
    text_add_rid(t, " ", tlp->requester);
    text_add(t, " %s (0x%02x) %s", name, tlp->msg_code, routings[tlp->msg_routing & 7]);
    if (tlp->msg_routing == TLP_MSG_BY_ID) {
        text_add_rid(t, " ", tlp->dest);
    } else if (tlp->msg_routing == TLP_MSG_BY_ADDRESS) {
        text_add(t, " 0x%" PRIx64, tlp->addr);
    }
    if (tlp_is_frs(tlp)) {
        text_add(t, " reason %u", tlp_frs_reason(tlp));
    }
}

static void describe_completion(struct text *t, const struct tlp *tlp)
{
    text_add_rid(t, " ", tlp->completer);
    text_add_rid(t, " to ", tlp->requester);
    text_add(t, " tag %u %s bytes %u lower 0x%02x", tlp->tag, status_name(tlp->status),
             tlp->byte_count, tlp->lower_addr);
}

static void describe_request(struct text *t, const struct tlp *tlp)
{
    uint64_t addr;
    unsigned len;

    if (tlp_is_config(tlp)) {
        text_add_rid(t, " ", tlp->requester);
        text_add_rid(t, " to ", tlp->dest);
        text_add(t, " tag %u reg 0x%03x be %x", tlp->tag, tlp->reg, tlp->first_be);
        return;
    }
    if (tlp_is_memory(tlp)) {
        text_add(t, " %u", tlp->addr >> 32 ? 64u : 32u);
    }
    tlp_span(tlp, &addr, &len);
    text_add_rid(t, " ", tlp->requester);
    text_add(t, " tag %u addr 0x%" PRIx64 " len %u", tlp->tag, addr, len);
}

static void describe_prefixes(struct text *t, const struct tlp *tlp)
{
    for (unsigned i = 0; i < tlp->prefix_count; i++) {
        struct tlp_pasid pasid;

        if (tlp->prefix[i] >> 24 != TLP_PREFIX_PASID) {
            text_add(t, " prefix %08x", tlp->prefix[i]);
        } else if (tlp_get_pasid(tlp, &pasid)) {
            text_add(t, " PASID 0x%x%s%s", pasid.pasid, pasid.privileged ? " privileged" : "",
                     pasid.execute ? " execute" : "");
        }
    }
}

void tlp_describe(const struct tlp *tlp, char *out, size_t out_len)
{
    static const char *const address_types[4] = {"", " translation request", " translated",
                                                 " AT 3"};
    struct text t = {.out = out, .left = out_len};

    if (!out_len) {
        return;
    }
    out[0] = '\0';
    text_add(&t, "%s", tlp_type_name((enum tlp_type)tlp->type));
    if (tlp_is_completion(tlp)) {
        describe_completion(&t, tlp);
    } else if (tlp_is_message(tlp)) {
        describe_message(&t, tlp);
    } else {
        describe_request(&t, tlp);
    }
    if (tlp->tc) {
        text_add(&t, " TC%u", tlp->tc);
    }
    text_add(&t, "%s%s%s%s%s", address_types[tlp->at & 3], tlp->attr & TLP_ATTR_IDO ? " IDO" : "",
             tlp->attr & TLP_ATTR_RELAXED ? " RO" : "", tlp->attr & TLP_ATTR_NO_SNOOP ? " NS" : "",
             tlp->ep ? " poisoned" : "");
    if (tlp->th) {
        text_add(&t, " PH %u ST 0x%x", tlp->ph, tlp_steering_tag(tlp));
    }
    describe_prefixes(&t, tlp);
    text_add_data(&t, tlp);
}

const char *tlp_type_name(enum tlp_type type)
{
    return type < TLP_TYPE_COUNT ? type_names[type] : "unknown";
}
