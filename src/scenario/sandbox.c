/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The box in which scenarios run: Lua's libraries without what reaches out of it or differs from
 * run to run, a limit of memory and a limit of instructions.
 *
 * CHOICE: a function of Lua's own that takes very long (a pattern with many repetitions) is not
 * interrupted.
 */
#include <stdlib.h>
#include <string.h>

#include <lualib.h>

#include "internal.h"

#define HOOK_INSTRUCTIONS 10000

static void *allocate(void *opaque, void *old, size_t old_size, size_t size)
{
    struct scenario *s = opaque;

    if (!old)
        old_size = 0; /* it is a kind of object then */
    if (!size) {
        s->memory_used -= old_size;
        free(old);
        return NULL;
    }
    if (size > old_size && size - old_size > s->memory_limit - s->memory_used)
        return NULL;
    void *block = realloc(old, size);
    if (block)
        s->memory_used += size - old_size;
    return block;
}

/* Where pcall() would catch it, every further instruction raises it again. */
static void count(lua_State *lua, lua_Debug *ar)
{
    struct scenario *s = scenario_of(lua);
    bool late = s->params.host->overdue && s->params.host->overdue(s->params.host->opaque);

    if (s->instructions_left > HOOK_INSTRUCTIONS && !late && !s->overrun) {
        s->instructions_left -= HOOK_INSTRUCTIONS;
        return;
    }
    if (!s->overrun)
        scenario_fail(s, "%s%s computes without end: %s", sandbox_where(lua),
                      s->live ? "this" : "the scenario",
                      late ? "the limit of wall clock time is reached"
                           : "it has executed all the instructions that it may");
    s->overrun = true;
    lua_sethook(lua, count, LUA_MASKCOUNT, 1);
    luaL_error(lua, "limit");
}

void sandbox_rearm(struct scenario *s, uint64_t instructions)
{
    s->instructions_left = instructions;
    s->overrun = false;
    lua_sethook(s->lua, count, LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
}

lua_State *sandbox_new(struct scenario *s)
{
    lua_State *lua = lua_newstate(allocate, s);

    if (!lua)
        return NULL;
    *(struct scenario **)lua_getextraspace(lua) = s;
    lua_sethook(lua, count, LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
    return lua;
}

/* The innermost place that is the scenario's and not the prelude's. */
const char *sandbox_where(lua_State *lua)
{
    lua_Debug ar;

    for (int level = 0; lua_getstack(lua, level, &ar); level++) {
        lua_getinfo(lua, "Sl", &ar);
        if (ar.currentline > 0 && ar.source[0] == '@')
            return lua_pushfstring(lua, "%s:%d: ", ar.source + 1, ar.currentline);
    }
    return lua_pushliteral(lua, "");
}

int sandbox_error(lua_State *lua, const char *format, ...)
{
    va_list args;
    char text[1024];

    va_start(args, format);
    g_vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sandbox_where(lua);
    lua_pushstring(lua, text);
    lua_concat(lua, 2);
    return lua_error(lua);
}

/* What a table, a function or a thread is called has an address in it, which no two runs share. */
static int to_string(lua_State *lua)
{
    luaL_checkany(lua, 1);
    if (luaL_getmetafield(lua, 1, "__tostring") == LUA_TNIL && lua_type(lua, 1) >= LUA_TTABLE)
        lua_pushstring(lua, luaL_typename(lua, 1));
    else
        luaL_tolstring(lua, 1, NULL);
    return 1;
}

static void forget(lua_State *lua, const char *table, const char *const *names)
{
    if (table)
        lua_getglobal(lua, table);
    else
        lua_pushglobaltable(lua);
    for (; *names; names++) {
        lua_pushnil(lua);
        lua_setfield(lua, -2, *names);
    }
    lua_pop(lua, 1);
}

static void open_libraries(lua_State *lua)
{
    static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},
                                         {LUA_TABLIBNAME, luaopen_table},
                                         {LUA_STRLIBNAME, luaopen_string},
                                         {LUA_MATHLIBNAME, luaopen_math},
                                         {LUA_UTF8LIBNAME, luaopen_utf8}};
    static const char *const outside[] = {"collectgarbage", "dofile", "load", "loadfile",
                                          "require",        "warn",   NULL};

    for (unsigned i = 0; i < G_N_ELEMENTS(libraries); i++) {
        luaL_requiref(lua, libraries[i].name, libraries[i].func, 1);
        lua_pop(lua, 1);
    }
    forget(lua, NULL, outside);
    forget(lua, "string", (const char *const[]){"dump", NULL});
    lua_pushcfunction(lua, to_string);
    lua_setglobal(lua, "tostring");
}

/* math.randomseed() goes: the run has a seed. */
static void seed_random(lua_State *lua)
{
    lua_getglobal(lua, "math");
    lua_getfield(lua, -1, "randomseed");
    lua_setfield(lua, LUA_REGISTRYINDEX, "randomseed");
    lua_pushnil(lua);
    lua_setfield(lua, -2, "randomseed");
    lua_pop(lua, 1);
}

int sandbox_open(lua_State *lua)
{
    open_libraries(lua);
    seed_random(lua);
    if (luaL_loadbufferx(lua, pcilab_prelude, (size_t)(pcilab_prelude_end - pcilab_prelude),
                         "=prelude", "t") != LUA_OK)
        return lua_error(lua);
    lua_newtable(lua);
    luaL_setfuncs(lua, scenario_verbs, 0);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, LUA_REGISTRYINDEX, "verbs");
    lua_call(lua, 1, 0);
    return 0;
}
