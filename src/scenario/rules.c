/* SPDX-License-Identifier: GPL-2.0-or-later */
/* on() and inject{}: rules of the fabric, and the functions that they call. */
#include <string.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/fabric/message.h"

/* In the middle of a TLP's way no Lua runs that could do more than look at it: what on() asks for
 * is called when the machine stands. */
static void saw(void *opaque, const struct port *sender, const struct tlp *tlp)
{
    struct rule *rule = opaque;
    struct scenario *s = rule->s;
    struct sighting *sighting;

    if (rule->seen == LUA_NOREF)
        return;
    sighting = g_new0(struct sighting, 1);
    sighting->fn = rule->seen;
    sighting->tlp = tlp_clone(tlp);
    sighting->sender = sender;
    sighting->time_ps = machine_sim(s->machine)->now_ps;
    *s->sighted_end = sighting;
    s->sighted_end = &sighting->next;
    s->woken = true;
    if (scenario_in_slices(s))
        machine_pause(s->machine);
}

struct question {
    const struct rule *rule;
    const struct port *sender;
    const struct tlp *tlp;
};

static int ask(lua_State *lua)
{
    const struct question *q = lua_touserdata(lua, 1);

    lua_rawgeti(lua, LUA_REGISTRYINDEX, q->rule->accepts);
    push_tlp(lua, q->tlp, q->sender, machine_sim(q->rule->s->machine)->now_ps);
    lua_call(lua, 1, 1);
    return 1;
}

/* A function that fails ends the scenario: it matches nothing, and the message is kept. */
static bool accepts(void *opaque, const struct port *sender, const struct tlp *tlp)
{
    struct rule *rule = opaque;
    struct scenario *s = rule->s;
    struct question question = {rule, sender, tlp};
    bool yes = false;

    if (s->message)
        return false;
    lua_pushcfunction(s->lua, ask);
    lua_pushlightuserdata(s->lua, &question);
    if (lua_pcall(s->lua, 1, 1, 0) == LUA_OK) {
        yes = lua_toboolean(s->lua, -1);
    } else {
        s->message = g_strdup(lua_tostring(s->lua, -1));
        s->woken = true;
    }
    lua_pop(s->lua, 1);
    return yes;
}

static uint64_t number(lua_State *lua, const char *key, uint64_t otherwise)
{
    lua_getfield(lua, 1, key);
    if (!lua_isnil(lua, -1)) {
        if (!lua_isinteger(lua, -1))
            sandbox_error(lua, "%s is a whole number", key);
        otherwise = (uint64_t)lua_tointeger(lua, -1);
        if ((int64_t)otherwise < 0 && strcmp(key, "value") != 0)
            sandbox_error(lua, "%s is not negative", key);
    }
    lua_pop(lua, 1);
    return otherwise;
}

static int function(lua_State *lua, const char *key)
{
    int ref = LUA_NOREF;

    if (lua_getfield(lua, 1, key) == LUA_TFUNCTION)
        return luaL_ref(lua, LUA_REGISTRYINDEX);
    if (!lua_isnil(lua, -1))
        sandbox_error(lua, "%s is a function", key);
    lua_pop(lua, 1);
    return ref;
}

static enum inject_action action(lua_State *lua)
{
    const char *words[INJECT_ACTION_COUNT + 1] = {NULL};
    const char *word;

    lua_getfield(lua, 1, "action");
    word = luaL_optstring(lua, -1, "observe");
    for (unsigned i = 0; i < INJECT_ACTION_COUNT; i++) {
        words[i] = inject_action_name(i);
        if (strcmp(words[i], word) == 0)
            return (enum inject_action)i;
    }
    unknown_word(lua, "there is no action", word, words);
    return INJECT_OBSERVE;
}

static void parse_match(lua_State *lua, struct inject_match *match)
{
    const char *kind;

    lua_getfield(lua, 1, "kind");
    kind = luaL_optstring(lua, -1, "any");
    if (!tlp_kind_parse(kind, match))
        unknown_word(lua, "there is no kind of TLP", kind, tlp_kinds);
    lua_pop(lua, 1);
    lua_getfield(lua, 1, "requester");
    if (!lua_isnil(lua, -1)) {
        match->by_requester = true;
        match->requester = need_func(lua, -1)->rid;
    }
    lua_pop(lua, 1);
    lua_getfield(lua, 1, "tag");
    match->by_tag = !lua_isnil(lua, -1);
    lua_pop(lua, 1);
    match->tag = (uint16_t)number(lua, "tag", 0);
    lua_getfield(lua, 1, "first");
    if (!lua_isnil(lua, -1)) {
        match->by_address = true;
        match->addr_first = number(lua, "first", 0);
        match->addr_last = number(lua, "last", match->addr_first);
    }
    lua_pop(lua, 1);
}

static void parse_rule(lua_State *lua, struct inject_rule *rule)
{
    uint64_t now = machine_sim(need_machine(lua))->now_ps, from, until;

    *rule = (struct inject_rule){.action = action(lua),
                                 .after = number(lua, "after", 0),
                                 .count = number(lua, "count", 0),
                                 .delay_ps = number(lua, "delay", 0),
                                 .jitter_ps = number(lua, "jitter", 0),
                                 .pass = number(lua, "pass", 0),
                                 .value = number(lua, "value", 0)};
    parse_match(lua, &rule->match);
    from = number(lua, "from", 0);
    until = number(lua, "until", 0);
    if (from > SIM_NEVER / 4 || until > SIM_NEVER / 4)
        sandbox_error(lua, "the instant is too far away");
    rule->from_ps = now + from;
    rule->until_ps = until ? now + until : 0;
    lua_getfield(lua, 1, "probability");
    rule->probability = luaL_optnumber(lua, -1, 0);
    lua_pop(lua, 1);
}

/* rule{at, to, kind, requester, tag, first, last, match, from, until, after, count, probability,
 * action, delay, jitter, pass, value, seen}: its number. `from` and `until` count from now. */
int verb_rule(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);
    struct inject *inject = need_inject(lua);
    struct inject_rule rule;
    struct rule *mine, **end = &s->rules;
    const char *wrong;
    char name[32];
    int at;

    luaL_checktype(lua, 1, LUA_TTABLE);
    parse_rule(lua, &rule);
    lua_getfield(lua, 1, "at");
    at = lua_gettop(lua);
    if (!lua_isnil(lua, at)) {
        struct port *port = need_port(lua, at);

        lua_getfield(lua, 1, "to");
        rule.match.sender = lua_toboolean(lua, -1) ? port_far_end(port) : port;
        if (!rule.match.sender)
            return sandbox_error(lua, "%s: nothing is connected there", lua_tostring(lua, at));
    }
    wrong = inject_rule_wrong(&rule);
    if (wrong)
        return sandbox_error(lua, "this contradicts itself: %s", wrong);
    int seen = function(lua, "seen"), match = function(lua, "match");
    mine = g_new0(struct rule, 1);
    mine->s = s;
    mine->id = ++s->last_id;
    mine->seen = seen;
    mine->accepts = match;
    while (*end)
        end = &(*end)->next;
    *end = mine;
    g_snprintf(name, sizeof(name), "rule %lld", (long long)mine->id);
    rule.name = name;
    rule.opaque = mine;
    rule.seen = saw;
    rule.match.accepts = match != LUA_NOREF ? accepts : NULL;
    mine->entry = inject_add(inject, &rule);
    lua_pushinteger(lua, mine->id);
    return 1;
}

static struct rule **find_rule(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);
    lua_Integer id = luaL_checkinteger(lua, 1);
    struct rule **at = &s->rules;

    while (*at && (*at)->id != id)
        at = &(*at)->next;
    if (!*at)
        sandbox_error(lua, "this was removed already");
    return at;
}

static void drop(struct scenario *s, struct rule **at)
{
    struct rule *rule = *at;

    *at = rule->next;
    inject_remove(s->inject, rule->entry);
    /* What was seen before is still told: the function stays. */
    g_free(rule);
}

int verb_rule_remove(lua_State *lua)
{
    drop(scenario_of(lua), find_rule(lua));
    return 0;
}

int verb_rule_hits(lua_State *lua)
{
    lua_pushinteger(lua, (lua_Integer)inject_hits((*find_rule(lua))->entry));
    return 1;
}

int rules_deliver(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);

    while (s->sighted) {
        struct sighting *sighting = s->sighted;

        luaL_checkstack(lua, 4, NULL);
        lua_rawgeti(lua, LUA_REGISTRYINDEX, sighting->fn);
        push_tlp(lua, sighting->tlp, sighting->sender, sighting->time_ps);
        task_new(s, lua, 1);
        s->sighted = sighting->next;
        if (!s->sighted)
            s->sighted_end = &s->sighted;
        tlp_free(sighting->tlp);
        g_free(sighting);
    }
    return 0;
}

void rules_free(struct scenario *s)
{
    while (s->rules)
        drop(s, &s->rules);
    rules_forget(s);
}

void rules_forget(struct scenario *s)
{
    while (s->sighted) {
        struct sighting *sighting = s->sighted;

        s->sighted = sighting->next;
        tlp_free(sighting->tlp);
        g_free(sighting);
    }
    s->sighted_end = &s->sighted;
}
