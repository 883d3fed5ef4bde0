/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Components by name, and what is said when there is none. */
#include "internal.h"
#include "pcilab/config/units.h"

int unknown_word(lua_State *lua, const char *what, const char *name, const char *const *words)
{
    char all[512] = "";
    const char *near;

    for (unsigned i = 0; words[i]; i++) {
        g_strlcat(all, i ? ", " : "", sizeof(all));
        g_strlcat(all, words[i], sizeof(all));
    }
    near = units_nearest(name, words, g_strv_length((char **)words));
    return sandbox_error(lua, "%s \"%s\"%s%s%s; there are: %s", what, name,
                         near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "", all);
}

static int unknown_component(lua_State *lua, const char *what, const char *name)
{
    char **names = machine_names(need_machine(lua));
    unsigned count = g_strv_length(names);
    /* What Lua frees when the error is raised. */
    char **copy = lua_newuserdatauv(lua, (count + 1) * sizeof(*copy), 0);

    for (unsigned i = 0; i < count; i++) {
        copy[i] = lua_newuserdatauv(lua, strlen(names[i]) + 1, 0);
        strcpy(copy[i], names[i]);
        luaL_checkstack(lua, 4, NULL);
    }
    copy[count] = NULL;
    g_strfreev(names);
    return unknown_word(lua, what, name, (const char *const *)copy);
}

const char *need_name(lua_State *lua, int index)
{
    if (lua_type(lua, index) != LUA_TSTRING)
        sandbox_error(lua, "the name of a component is text, not %s", luaL_typename(lua, index));
    return lua_tostring(lua, index);
}

struct port *need_port(lua_State *lua, int index)
{
    struct machine *machine = need_machine(lua);
    const char *name = need_name(lua, index);
    struct port *port = machine_port(machine, name);

    if (!port)
        unknown_component(lua, "there is no component with a port", name);
    return port;
}

struct port *need_port_above(lua_State *lua, int index)
{
    struct machine *machine = need_machine(lua);
    const char *name = need_name(lua, index);
    struct port *port = machine_port_above(machine, name);

    if (!port)
        unknown_component(lua, "there is no component with a link", name);
    return port;
}

struct pci_func *need_func(lua_State *lua, int index)
{
    struct machine *machine = need_machine(lua);
    const char *name = need_name(lua, index);
    struct pci_func *func = machine_func(machine, name);

    if (!func)
        unknown_component(lua, "there is no function", name);
    return func;
}

/* names(): of all components. */
int verb_names(lua_State *lua)
{
    char **names = machine_names(need_machine(lua));

    lua_newtable(lua);
    for (unsigned i = 0; names[i]; i++) {
        lua_pushstring(lua, names[i]);
        lua_rawseti(lua, -2, i + 1);
    }
    g_strfreev(names);
    return 1;
}
