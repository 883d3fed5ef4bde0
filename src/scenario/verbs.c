/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words that the prelude is given, and those of them that need no file of their own. */
#include "internal.h"

#define LIVE_SAID_MAX 1000 /* lines between two answers */

static int verb_now(lua_State *lua)
{
    lua_pushinteger(lua, (lua_Integer)machine_sim(need_machine(lua))->now_ps);
    return 1;
}

/* fail(text): an expectation does not hold. */
static int verb_fail(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);
    const char *text = luaL_checkstring(lua, 1);

    scenario_fail(s, "%s%s", sandbox_where(lua), text);
    lua_pushstring(lua, text);
    return lua_error(lua);
}

static int verb_passed(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);
    const char *text = luaL_checkstring(lua, 1);

    if (!s->live) /* nobody counts them */
        g_ptr_array_add(s->report->checks, g_strdup(text));
    return 0;
}

static int verb_say(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);
    const char *text = luaL_checkstring(lua, 1);

    if (!s->live || s->report->said->len < LIVE_SAID_MAX)
        g_ptr_array_add(s->report->said, g_strdup(text));
    return 0;
}

/* turns(time) */
static int verb_turns(lua_State *lua)
{
    lua_Integer turn = luaL_checkinteger(lua, 1);

    if (turn < (lua_Integer)(100 * PS_PER_NS) || turn > (lua_Integer)PS_PER_MS)
        return sandbox_error(lua, "a processor's turn is from 100 ns to 1 ms");
    machine_set_turns(need_machine(lua), (uint64_t)turn);
    return 0;
}

/* vary_links(time) */
static int verb_vary_links(lua_State *lua)
{
    struct machine *machine = need_machine(lua);
    lua_Integer time = luaL_checkinteger(lua, 1);
    char **names = machine_names(machine);
    struct link_counters counters;
    bool timed = false;

    for (unsigned i = 0; names[i] && !timed; i++) {
        struct port *port = machine_port(machine, names[i]);

        timed = port && port_link_counters(port, &counters);
    }
    g_strfreev(names);
    if (!timed)
        return sandbox_error(lua, "links vary where they have link timing (machine{timing = "
                                  "\"link\"})");
    if (time < 0 || time > (lua_Integer)FABRIC_VARY_MAX_PS)
        return sandbox_error(lua, "links vary by at most 1 us");
    fabric_vary(machine_fabric(machine), (uint64_t)time);
    return 0;
}

/* vary_walks(time) */
static int verb_vary_walks(lua_State *lua)
{
    lua_Integer time = luaL_checkinteger(lua, 1);

    if (time < 0 || time > (lua_Integer)PS_PER_MS)
        return sandbox_error(lua, "walks vary by at most 1 ms for each read");
    if (!machine_vary_walks(need_machine(lua), (uint64_t)time))
        return sandbox_error(lua, "walks vary where an IOMMU's reads take time (latency=N)");
    return 0;
}

/* bad(text): the scenario is wrong. */
static int verb_bad(lua_State *lua)
{
    return sandbox_error(lua, "%s", luaL_checkstring(lua, 1));
}

static int verb_seed(lua_State *lua)
{
    lua_pushinteger(lua, (lua_Integer)scenario_of(lua)->params.seed);
    return 1;
}

static int verb_broken(lua_State *lua)
{
    lua_pushboolean(lua, scenario_of(lua)->params.broken);
    return 1;
}

static int verb_console(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);
    const char *text;
    size_t len;

    need_machine(lua);
    if (!s->params.host->console || (!s->live && !s->guest.wanted))
        return sandbox_error(lua, "this machine has no guest: machine{guest = true} gives it one");
    text = s->params.host->console(s->params.host->opaque, &len);
    lua_pushlstring(lua, text, len);
    return 1;
}

const luaL_Reg scenario_verbs[] = {
    {"bad", verb_bad},
    {"bar", verb_bar},
    {"block", verb_block},
    {"broken", verb_broken},
    {"console", verb_console},
    {"emit", verb_emit},
    {"fail", verb_fail},
    {"firmware_acknowledge", verb_firmware_acknowledge},
    {"firmware_report", verb_firmware_report},
    {"firmware_told", verb_firmware_told},
    {"flip", verb_flip},
    {"guest", verb_guest},
    {"hand", verb_hand},
    {"link", verb_link},
    {"link_counters", verb_link_counters},
    {"link_fault", verb_link_fault},
    {"link_leak", verb_link_leak},
    {"link_status", verb_link_status},
    {"machine", verb_machine},
    {"names", verb_names},
    {"now", verb_now},
    {"passed", verb_passed},
    {"ram_read", verb_ram_read},
    {"ram_write", verb_ram_write},
    {"reg", verb_reg},
    {"reg_place", verb_reg_place},
    {"registers", verb_registers},
    {"request", verb_request},
    {"rid", verb_rid},
    {"rule", verb_rule},
    {"rule_hits", verb_rule_hits},
    {"rule_remove", verb_rule_remove},
    {"saw", verb_saw},
    {"say", verb_say},
    {"seed", verb_seed},
    {"sleep", verb_sleep},
    {"slow_invalidations", verb_slow_invalidations},
    {"slow_slot", verb_slow_slot},
    {"spawn", verb_spawn},
    {"task", verb_task},
    {"turns", verb_turns},
    {"vary_links", verb_vary_links},
    {"vary_walks", verb_vary_walks},
    {"wake", verb_wake},
    {NULL, NULL},
};
