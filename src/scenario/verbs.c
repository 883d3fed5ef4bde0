/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words that the prelude is given, and those of them that need no file of their own. */
#include "internal.h"

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
    g_ptr_array_add(scenario_of(lua)->report->checks, g_strdup(luaL_checkstring(lua, 1)));
    return 0;
}

static int verb_say(lua_State *lua)
{
    g_ptr_array_add(scenario_of(lua)->report->said, g_strdup(luaL_checkstring(lua, 1)));
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
    if (!s->guest.wanted)
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
    {"now", verb_now},
    {"passed", verb_passed},
    {"ram_read", verb_ram_read},
    {"ram_write", verb_ram_write},
    {"reg", verb_reg},
    {"reg_place", verb_reg_place},
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
    {"wake", verb_wake},
    {NULL, NULL},
};
