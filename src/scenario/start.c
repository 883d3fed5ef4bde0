/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine{}: the machine of a scenario is made. */
#include <string.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/config/topology.h"
#include "pcilab/platform/enumerate.h"

/* Of virtual time, from when the machine is ready. */
#define LIMIT_PS       (60 * PS_PER_S)
#define LIMIT_GUEST_PS (600 * PS_PER_S)

struct machine *need_machine(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);

    if (!s->machine)
        sandbox_error(lua, "there is no machine yet: machine{...} makes it");
    return s->machine;
}

struct inject *need_inject(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);

    if (!s->inject)
        s->inject = inject_new(machine_fabric(need_machine(lua)));
    return s->inject;
}

static const char *field_text(lua_State *lua, const char *key)
{
    const char *text = NULL;

    if (lua_getfield(lua, 1, key) != LUA_TNIL) {
        if (lua_type(lua, -1) != LUA_TSTRING)
            sandbox_error(lua, "machine: %s is text", key);
        text = lua_tostring(lua, -1);
    }
    /* The table keeps it. */
    lua_pop(lua, 1);
    return text;
}

/* A misspelt key would be ignored otherwise. */
static void check_keys(lua_State *lua)
{
    static const char *const keys[] = {"topology", "guest",  "append", "memory",
                                       "cpus",     "timing", NULL};

    lua_pushnil(lua);
    while (lua_next(lua, 1)) {
        const char *key = lua_type(lua, -2) == LUA_TSTRING ? lua_tostring(lua, -2) : "?";

        if (!g_strv_contains(keys, key))
            unknown_word(lua, "machine: there is no key", key, keys);
        lua_pop(lua, 1);
    }
}

/* An error of ours becomes one of Lua's. */
static void raise_error(lua_State *lua, GError *error)
{
    char text[1024];

    g_strlcpy(text, error->message, sizeof(text));
    g_error_free(error);
    sandbox_error(lua, "%s", text);
}

static struct machine_desc *describe(lua_State *lua, struct scenario *s, GError **error)
{
    static const char *const overrides[] = {"memory", "cpus", "timing"};
    const char *topology = field_text(lua, "topology");
    struct machine_desc *desc;

    if (!topology)
        topology = "default";
    if (strchr(topology, '\n'))
        desc = topology_parse("topology", topology, strlen(topology), error);
    else
        desc = s->params.host->topology(s->params.host->opaque, topology, error);
    for (unsigned i = 0; desc && i < G_N_ELEMENTS(overrides); i++) {
        const char *text = field_text(lua, overrides[i]);

        if (text && !topology_override(desc, overrides[i], text, overrides[i], error)) {
            machine_desc_free(desc);
            return NULL;
        }
    }
    return desc;
}

static void ignore_output(void *opaque, uint8_t byte)
{
}

static bool build(struct scenario *s, struct machine_desc *desc, GError **error)
{
    const struct scenario_host *host = s->params.host;
    struct machine_options options = {.console = {.output = ignore_output}};

    if (s->guest.wanted && !host->prepare) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT, "no guest can be had here");
        return false;
    }
    if (s->guest.wanted && !host->prepare(host->opaque, desc, &s->guest, &options, error))
        return false;
    s->machine = machine_new(desc, &options, error);
    if (!s->machine)
        return false;
    if (host->made)
        host->made(host->opaque, s->machine, desc);
    if (s->params.digest)
        s->digest = trace_digest_new(machine_trace(s->machine));
    return s->guest.wanted ? host->boot(host->opaque, s->machine, error)
                           : machine_enumerate(s->machine, error);
}

static void seed_lua(lua_State *lua, uint64_t seed)
{
    lua_getfield(lua, LUA_REGISTRYINDEX, "randomseed");
    lua_pushinteger(lua, (lua_Integer)seed);
    lua_call(lua, 1, 0);
}

/* From here on the seed counts: what came before is the same for all. */
static void begin(lua_State *lua, struct scenario *s)
{
    const struct scenario_host *host = s->params.host;
    struct sim *sim;

    if (host->ready && !host->ready(host->opaque, &s->params.seed)) {
        s->left = true;
        luaL_error(lua, "left");
    }
    machine_reseed(s->machine, s->params.seed);
    seed_lua(lua, s->params.seed);
    sim = machine_sim(s->machine);
    s->started_ps = sim->now_ps;
    s->limit_ps = s->started_ps + (s->params.limit_ps ? s->params.limit_ps
                                   : s->guest.wanted  ? LIMIT_GUEST_PS
                                                      : LIMIT_PS);
    s->events = events_new(s->machine,
                           BIT(TRACE_TLP) | BIT(TRACE_RULE) | BIT(TRACE_STATE) | BIT(TRACE_LINK));
    s->inject = inject_new(machine_fabric(s->machine));
}

int verb_machine(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);
    struct machine_desc *desc;
    GError *error = NULL;
    bool ok = false;

    if (s->machine)
        return sandbox_error(lua, "there is a machine already");
    luaL_checktype(lua, 1, LUA_TTABLE);
    check_keys(lua);
    lua_getfield(lua, 1, "guest");
    s->guest.wanted = lua_toboolean(lua, -1);
    s->guest.append = field_text(lua, "append");
    /* Kept as long as the scenario. */
    lua_pushvalue(lua, 1);
    luaL_ref(lua, LUA_REGISTRYINDEX);
    desc = describe(lua, s, &error);
    if (desc)
        ok = build(s, desc, &error);
    machine_desc_free(s->desc); /* of one that could not be made */
    s->desc = desc;
    if (!ok)
        raise_error(lua, error);
    begin(lua, s);
    return 0;
}
