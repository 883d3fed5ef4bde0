/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLPs as scenarios see them, and the kinds by which they name them. */
#include <string.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/platform/addrmap.h"

const char *tlp_status_name(unsigned status)
{
    switch (status) {
    case TLP_SC: return "SC";
    case TLP_UR: return "UR";
    case TLP_RRS: return "RRS";
    case TLP_CA: return "CA";
    default: return "reserved";
    }
}

#define COMPLETIONS (BIT(TLP_CPL) | BIT(TLP_CPLD) | BIT(TLP_CPLLK) | BIT(TLP_CPLDLK))
#define CONFIG      (BIT(TLP_CFGRD0) | BIT(TLP_CFGWR0) | BIT(TLP_CFGRD1) | BIT(TLP_CFGWR1))
#define MESSAGES    (BIT(TLP_MSG) | BIT(TLP_MSGD))
#define ATOMICS     (BIT(TLP_FETCHADD) | BIT(TLP_SWAP) | BIT(TLP_CAS))

/* Kinds that are more or less than a type. */
static const struct {
    const char *name;
    uint32_t types;
    uint8_t msg_first, msg_last; /* messages */
    bool interrupt;              /* a write to the range of interrupts */
} kinds[] = {
    {"any", 0},
    {"completion", COMPLETIONS},
    {"config", CONFIG},
    {"message", MESSAGES},
    {"atomic", ATOMICS},
    {"MSI", BIT(TLP_MWR), .interrupt = true},
    {"INTx", MESSAGES, TLP_MSG_ASSERT_INTA, TLP_MSG_DEASSERT_INTA + 3},
    {"Assert_INTx", MESSAGES, TLP_MSG_ASSERT_INTA, TLP_MSG_ASSERT_INTA + 3},
    {"Deassert_INTx", MESSAGES, TLP_MSG_DEASSERT_INTA, TLP_MSG_DEASSERT_INTA + 3},
    {"ERR", MESSAGES, TLP_MSG_ERR_COR, TLP_MSG_ERR_FATAL},
    {"ERR_COR", MESSAGES, TLP_MSG_ERR_COR, TLP_MSG_ERR_COR},
    {"ERR_NONFATAL", MESSAGES, TLP_MSG_ERR_NONFATAL, TLP_MSG_ERR_NONFATAL},
    {"ERR_FATAL", MESSAGES, TLP_MSG_ERR_FATAL, TLP_MSG_ERR_FATAL},
    {"PM_PME", MESSAGES, TLP_MSG_PM_PME, TLP_MSG_PM_PME},
    {"LTR", MESSAGES, TLP_MSG_LTR, TLP_MSG_LTR},
    {"Invalidate", MESSAGES, TLP_MSG_INVALIDATE, TLP_MSG_INVALIDATE},
    {"InvalidateDone", MESSAGES, TLP_MSG_INVALIDATE_DONE, TLP_MSG_INVALIDATE_DONE},
    {"PageRequest", MESSAGES, TLP_MSG_PAGE_REQUEST, TLP_MSG_PAGE_REQUEST},
    {"PageResponse", MESSAGES, TLP_MSG_PAGE_RESPONSE, TLP_MSG_PAGE_RESPONSE},
    {"PTMRequest", MESSAGES, TLP_MSG_PTM_REQUEST, TLP_MSG_PTM_REQUEST},
    {"PTMResponse", MESSAGES, TLP_MSG_PTM_RESPONSE, TLP_MSG_PTM_RESPONSE},
};

/* For messages about what is unknown: the types, and the kinds above. */
const char *const tlp_kinds[] = {
    "any",           "MRd",          "MWr",
    "DMWr",          "FetchAdd",     "Swap",
    "CAS",           "IORd",         "IOWr",
    "CfgRd0",        "CfgWr0",       "CfgRd1",
    "CfgWr1",        "Msg",          "MsgD",
    "Cpl",           "CplD",         "completion",
    "config",        "message",      "atomic",
    "MSI",           "INTx",         "Assert_INTx",
    "Deassert_INTx", "ERR",          "ERR_COR",
    "ERR_NONFATAL",  "ERR_FATAL",    "PM_PME",
    "LTR",           "Invalidate",   "InvalidateDone",
    "PageRequest",   "PageResponse", "PTMRequest",
    "PTMResponse",   NULL,
};

bool tlp_kind_parse(const char *kind, struct inject_match *match)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(kinds[i].name, kind) != 0)
            continue;
        match->types = kinds[i].types;
        match->by_message = kinds[i].msg_first != 0;
        match->msg_first = kinds[i].msg_first;
        match->msg_last = kinds[i].msg_last;
        if (kinds[i].interrupt) {
            match->by_address = true;
            match->addr_first = MAP_MSI_BASE;
            match->addr_last = MAP_MSI_BASE + MAP_MSI_SIZE - 1;
        }
        return true;
    }
    for (unsigned i = 0; i < TLP_TYPE_COUNT; i++) {
        if (strcmp(tlp_type_name(i), kind) == 0) {
            match->types = (uint32_t)BIT(i);
            return true;
        }
    }
    return false;
}

void push_rid(lua_State *lua, struct pci_rid rid)
{
    char text[16];

    g_snprintf(text, sizeof(text), "%02x:%02x.%x", pci_rid_bus(rid), pci_rid_device(rid),
               rid.v & 7);
    lua_pushstring(lua, text);
}

static void set_number(lua_State *lua, const char *key, uint64_t value)
{
    lua_pushinteger(lua, (lua_Integer)value);
    lua_setfield(lua, -2, key);
}

static void set_flag(lua_State *lua, const char *key, bool value)
{
    lua_pushboolean(lua, value);
    lua_setfield(lua, -2, key);
}

static void set_text(lua_State *lua, const char *key, const char *value)
{
    lua_pushstring(lua, value);
    lua_setfield(lua, -2, key);
}

static void set_rid(lua_State *lua, const char *key, struct pci_rid rid)
{
    push_rid(lua, rid);
    lua_setfield(lua, -2, key);
}

static void push_where_to(lua_State *lua, const struct tlp *tlp)
{
    uint64_t addr = tlp->addr;
    unsigned len = 0;

    if (tlp_is_memory(tlp) || tlp->type == TLP_IORD || tlp->type == TLP_IOWR) {
        if (!tlp_span(tlp, &addr, &len))
            addr = tlp->addr;
        set_number(lua, "address", addr);
        set_number(lua, "len", len);
        set_number(lua, "at", tlp->at);
    } else if (tlp_is_config(tlp)) {
        set_rid(lua, "destination", tlp->dest);
        set_number(lua, "register", tlp->reg);
    } else if (tlp_is_message(tlp)) {
        set_number(lua, "code", tlp->msg_code);
        set_number(lua, "routing", tlp->msg_routing);
        set_number(lua, "header", tlp->msg_bytes_8_15);
    } else {
        set_rid(lua, "completer", tlp->completer);
        set_text(lua, "status", tlp_status_name(tlp->status));
        set_number(lua, "byte_count", tlp->byte_count);
        set_number(lua, "lower_address", tlp->lower_addr);
    }
}

/* NULL: it stays inside the root complex, as the MSI of a root port does. */
static const struct port *receiver_of(const struct tlp *tlp, const struct port *sender)
{
    const struct pci_func *func = sender ? sender->func : NULL;
    bool own = func && func->pcie_type == PCIE_ROOT_PORT && tlp->type == TLP_MWR &&
               tlp->requester.v == func->rid.v;

    return sender && !own ? port_far_end(sender) : NULL;
}

void push_tlp(lua_State *lua, const struct tlp *tlp, const struct port *sender, uint64_t time_ps)
{
    const struct port *to = receiver_of(tlp, sender);
    struct tlp_pasid pasid;
    char text[256];

    lua_createtable(lua, 0, 20);
    set_text(lua, "kind", tlp_type_name(tlp->type));
    set_number(lua, "time", time_ps);
    set_text(lua, "from", sender ? sender->name : "");
    set_text(lua, "to", to ? to->name : "");
    set_rid(lua, "requester", tlp->requester);
    set_number(lua, "tag", tlp->tag);
    set_number(lua, "tc", tlp->tc);
    set_number(lua, "length_dw", tlp->length_dw);
    set_flag(lua, "poisoned", tlp->ep);
    set_flag(lua, "digest", tlp->td);
    set_flag(lua, "no_snoop", tlp->attr & TLP_ATTR_NO_SNOOP);
    set_flag(lua, "relaxed", tlp->attr & TLP_ATTR_RELAXED);
    set_flag(lua, "id_based", tlp->attr & TLP_ATTR_IDO);
    push_where_to(lua, tlp);
    if (tlp_get_pasid(tlp, &pasid))
        set_number(lua, "pasid", pasid.pasid);
    if (tlp->data) {
        lua_pushlstring(lua, (const char *)tlp->data, tlp->length_dw * 4u);
        lua_setfield(lua, -2, "data");
    }
    tlp_describe(tlp, text, sizeof(text));
    set_text(lua, "text", text);
}
