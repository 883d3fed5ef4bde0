/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scenario does to links and slots, and TLPs out of nothing. */
#include <string.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/fabric/bridge.h"
#include "pcilab/fabric/message.h"

static struct port *need_link(lua_State *lua)
{
    struct port *port = need_port_above(lua, 1);

    if (!port->link)
        sandbox_error(lua, "%s: nothing is connected there", lua_tostring(lua, 1));
    return port;
}

/* link(component, what[, a, b]) */
int verb_link(lua_State *lua)
{
    static const char *const words[] = {"down",    "up",         "disable", "enable",
                                        "reset",   "release",    "retrain", "degrade",
                                        "restore", "power_lost", "power",   NULL};
    struct port *port = need_link(lua);
    unsigned a = (unsigned)luaL_optinteger(lua, 3, 0), b = (unsigned)luaL_optinteger(lua, 4, 0);

    if (a > 32 || b > 5)
        return sandbox_error(lua, "a width is up to 32, a speed is a number from 1 to 5");
    switch (luaL_checkoption(lua, 2, NULL, words)) {
    case 0: port_set_present(port, false); break;
    case 1: port_set_present(port, true); break;
    case 2: port_set_disabled(port, true); break;
    case 3: port_set_disabled(port, false); break;
    case 4: port_hot_reset(port, true); break;
    case 5: port_hot_reset(port, false); break;
    case 6: port_retrain(port, MIN(a, 5)); break;
    case 7: port_degrade(port, a, b); break;
    case 8: port_degrade(port, 0, 0); break;
    case 9: port_set_power(port, false); break;
    case 10: port_set_power(port, true); break;
    }
    return 0;
}

static void set_flag(lua_State *lua, const char *key, bool value)
{
    lua_pushboolean(lua, value);
    lua_setfield(lua, -2, key);
}

static void set_number(lua_State *lua, const char *key, uint64_t value)
{
    lua_pushinteger(lua, (lua_Integer)value);
    lua_setfield(lua, -2, key);
}

int verb_link_status(lua_State *lua)
{
    struct link_status status;

    port_link_status(need_link(lua), &status);
    lua_newtable(lua);
    set_flag(lua, "up", status.up);
    set_flag(lua, "present", status.present);
    set_flag(lua, "powered", status.powered);
    set_flag(lua, "training", status.training);
    set_flag(lua, "disabled", status.disabled);
    set_flag(lua, "in_reset", status.hot_reset);
    set_number(lua, "speed", status.speed);
    set_number(lua, "width", status.width);
    return 1;
}

/* The sender of a direction, "down" or "up", of the link of a component. */
static struct port *direction(lua_State *lua, int index)
{
    static const char *const words[] = {"down", "up", NULL};
    struct port *above = need_link(lua);

    return luaL_checkoption(lua, index, "down", words) ? port_far_end(above) : above;
}

/* link_fault(component, kind, direction, after, count) */
int verb_link_fault(lua_State *lua)
{
    const char *words[LINK_FAULT_KINDS + 1] = {NULL};
    const char *kind = luaL_checkstring(lua, 2);
    struct port *sender = direction(lua, 3);
    struct link_fault fault = {.after = (uint64_t)luaL_optinteger(lua, 4, 0),
                               .count = (uint64_t)luaL_optinteger(lua, 5, 1)};
    unsigned i;

    for (i = 0; i < LINK_FAULT_KINDS; i++)
        words[i] = link_fault_name(i);
    for (i = 0; i < LINK_FAULT_KINDS && strcmp(words[i], kind) != 0; i++)
        ;
    if (i == LINK_FAULT_KINDS)
        return unknown_word(lua, "there is no fault", kind, words);
    fault.kind = i;
    if (!port_add_fault(sender, &fault))
        return sandbox_error(lua,
                             "%s: faults on the wire need link timing (machine{timing = "
                             "\"link\"}), are at most %d at a time and hit something",
                             lua_tostring(lua, 1), LINK_FAULTS_MAX);
    return 0;
}

int verb_link_counters(lua_State *lua)
{
    struct link_counters counters;

    if (!port_link_counters(direction(lua, 2), &counters))
        return sandbox_error(lua, "%s: only links with link timing count", lua_tostring(lua, 1));
    lua_newtable(lua);
    set_number(lua, "tlps", counters.tlps);
    set_number(lua, "dllps", counters.dllps);
    set_number(lua, "replays", counters.replays);
    set_number(lua, "naks", counters.naks);
    set_number(lua, "bad_tlps", counters.bad_tlps);
    set_number(lua, "bad_dllps", counters.bad_dllps);
    set_number(lua, "duplicates", counters.duplicates);
    set_number(lua, "rollovers", counters.rollovers);
    return 1;
}

/* link_leak(component, direction, flow, headers, data): credits of that direction are lost. */
int verb_link_leak(lua_State *lua)
{
    static const char *const flows[] = {"posted", "non-posted", "completion", NULL};
    struct port *receiver = port_far_end(direction(lua, 2));
    enum link_flow flow = luaL_checkoption(lua, 3, "posted", flows);
    lua_Integer header = luaL_optinteger(lua, 4, 0), data = luaL_optinteger(lua, 5, 0);

    if (header < 0 || header > LINK_HEADER_CREDITS_MAX || data < 0 ||
        data > LINK_DATA_CREDITS_MAX ||
        !inject_leak_credits(receiver, flow,
                             (struct link_credits){(uint16_t)header, (uint16_t)data}))
        return sandbox_error(lua,
                             "%s: so many credits cannot be lost: the link is not timed or not "
                             "up, they are unlimited, or there are fewer",
                             lua_tostring(lua, 1));
    return 0;
}

/* hand(action, component): as --at of pcilab boot. */
int verb_hand(lua_State *lua)
{
    static const char *const words[] = {"plug",  "unplug",      "press", "open",
                                        "close", "power-fault", NULL};
    static const enum machine_touch touches[] = {MACHINE_PLUG,        MACHINE_UNPLUG,
                                                 MACHINE_PRESS,       MACHINE_LATCH_OPEN,
                                                 MACHINE_LATCH_CLOSE, MACHINE_POWER_FAULT};
    struct machine *machine = need_machine(lua);
    enum machine_touch touch = touches[luaL_checkoption(lua, 1, NULL, words)];
    const char *name = need_name(lua, 2);
    GError *error = NULL;
    char text[256];

    need_port_above(lua, 2);
    if (!machine_can_touch(machine, touch, name, &error)) {
        g_strlcpy(text, error->message, sizeof(text));
        g_error_free(error);
        return sandbox_error(lua, "%s", text);
    }
    machine_touch(machine, touch, name);
    return 0;
}

/* slow_slot(component, time): commands of its slot take so long; without a time, for ever. */
int verb_slow_slot(lua_State *lua)
{
    struct port *port = need_port_above(lua, 1);
    lua_Integer time = luaL_optinteger(lua, 2, -1);

    if (!port->func || !slot_set_command_time(port, time < 0 ? SIM_NEVER : (uint64_t)time))
        return sandbox_error(lua, "%s has no slot that tells when a command is over",
                             lua_tostring(lua, 1));
    return 0;
}

static uint64_t field(lua_State *lua, const char *key, uint64_t otherwise)
{
    lua_getfield(lua, 2, key);
    uint64_t value = lua_isnil(lua, -1) ? otherwise : (uint64_t)luaL_checkinteger(lua, -1);

    lua_pop(lua, 1);
    return value;
}

static struct tlp *make_message(lua_State *lua, struct port *port, struct pci_rid requester)
{
    struct tlp *tlp =
        tlp_new_message(port->fabric->pool, requester, (enum tlp_msg_code)field(lua, "code", 0),
                        (enum tlp_msg_routing)(field(lua, "routing", TLP_MSG_TO_RC) & 7));

    tlp->msg_bytes_8_15 = field(lua, "header", 0);
    return tlp;
}

/* emit(component, {address, data} or {address, len} or {code, routing, header}): a memory write, a
 * memory read that nobody waits for, or a message, that leaves the component out of nothing. */
int verb_emit(lua_State *lua)
{
    struct port *port = need_port(lua, 1);
    struct pci_func *func = machine_func(need_machine(lua), lua_tostring(lua, 1));
    struct pci_rid requester;
    struct tlp *tlp;
    size_t len = 0;
    const char *data;

    luaL_checktype(lua, 2, LUA_TTABLE);
    requester.v = (uint16_t)field(lua, "requester", func ? func->rid.v : 0);
    uint64_t addr = field(lua, "address", 0);
    lua_getfield(lua, 2, "data");
    data = lua_tolstring(lua, -1, &len);
    if (!data)
        len = (size_t)field(lua, "len", 4);
    lua_getfield(lua, 2, "code");
    bool message = !lua_isnil(lua, -1);
    lua_getfield(lua, 2, "inside");
    bool inside = lua_toboolean(lua, -1);
    lua_pop(lua, 2);
    if (inside && (message || !func || func->pcie_type != PCIE_ROOT_PORT))
        return sandbox_error(lua, "only memory requests of root ports stay inside");
    if (!message && (len < 1 || len > 4096 || (addr & 0xfff) + len > 4096))
        return sandbox_error(lua, "a memory request is of 1 to 4096 bytes inside a page");
    if (message) {
        tlp = make_message(lua, port, requester);
    } else {
        unsigned dw = (unsigned)((addr & 3) + len + 3) / 4;

        tlp = tlp_new(port->fabric->pool, data ? TLP_MWR : TLP_MRD, data ? dw : 0);
        tlp_set_span(tlp, addr, (unsigned)len);
        tlp->requester = requester;
        tlp->tag = (uint16_t)(field(lua, "tag", 0) & 0x3ff);
        if (data)
            memcpy(tlp->data + (addr & 3), data, len);
    }
    if (inside)
        root_emit(machine_root_of(need_machine(lua), lua_tostring(lua, 1)), tlp);
    else
        inject_emit(port, tlp);
    return 0;
}
