/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of a running scenario.
 *
 * A scenario is a set of tasks, each a Lua coroutine: the script itself, what it spawned, and the
 * functions that it wants called for TLPs. One runs until it waits; when all wait, the machine
 * runs until one need not any more. No Lua runs inside the machine but the functions that decide
 * whether a rule matches, and those are protected and cannot wait.
 */
#ifndef PCILAB_SRC_SCENARIO_INTERNAL_H
#define PCILAB_SRC_SCENARIO_INTERNAL_H

#include <json-glib/json-glib.h>
#include <lua.h>

#include <lauxlib.h>

#include "pcilab/fabric/inject.h"
#include "pcilab/platform/probe.h"
#include "pcilab/scenario/scenario.h"

#define TASKS_MAX 1024

enum task_wait {
    TASK_READY,
    TASK_SLEEPS,  /* until its timer */
    TASK_REQUEST, /* an access of the host */
    TASK_BLOCKED, /* until another one wakes it, or its timer */
    TASK_GUEST,   /* a command in the guest */
};

struct task {
    struct task *next;
    struct scenario *s;
    lua_State *co;
    int ref; /* in the registry, keeps `co` */
    lua_Integer id;
    enum task_wait wait;
    bool ready;    /* what it waited for has come */
    bool woken;    /* BLOCKED: by another task, not by the timer */
    int args;      /* on the coroutine's stack, for its start */
    uint64_t call; /* of a client that waits for its result (live.c); 0: none */
    struct sim_event timer;
    struct root_request request;
    enum tlp_status status;
};

/* A TLP that on() waits for. */
struct sighting {
    struct sighting *next;
    int fn; /* the function's reference */
    struct tlp *tlp;
    uint64_t time_ps;
    const struct port *sender;
};

/* on(), inject{} */
struct rule {
    struct rule *next;
    struct scenario *s;
    lua_Integer id;
    struct inject_entry *entry;
    int seen, accepts; /* references to functions, LUA_NOREF: none */
};

struct events; /* events.c */

struct scenario {
    struct scenario_params params;
    struct scenario_report *report;
    struct scenario_guest guest;
    lua_State *lua;
    size_t memory_used, memory_limit;
    uint64_t instructions_left;
    bool overrun; /* of instructions or wall clock: nothing more is executed */

    struct machine *machine;   /* NULL: not made yet */
    struct machine_desc *desc; /* what it was made from */
    struct trace_digest *digest;
    struct inject *inject;
    struct events *events;
    struct rule *rules;
    lua_Integer last_id;

    struct task *tasks, *current;
    struct task *main;
    unsigned task_count;
    bool woken; /* the machine need not run on: a task can */
    struct sighting *sighted, **sighted_end;
    uint64_t started_ps, limit_ps;

    struct task *commander; /* waits for its command in the guest */
    unsigned command_status;
    GByteArray *command_output;

    bool live; /* the words of a running boot (live.c), and no script */
    bool failed, left;
    char *message;
};

/* Somebody else runs the machine in slices: it has to be stopped for what a task does now. */
static inline bool scenario_in_slices(const struct scenario *s)
{
    return s->guest.wanted || s->live;
}

static inline struct scenario *scenario_of(lua_State *lua)
{
    return *(struct scenario **)lua_getextraspace(lua);
}

/* sandbox.c: a state with what scenarios may use; NULL: no memory. */
lua_State *sandbox_new(struct scenario *s);
/* Opens the libraries and loads the prelude, to which `verbs` are given; in protected mode. */
int sandbox_open(lua_State *lua);
/* The place in the scenario's own text that `lua` is at, "FILE:LINE: ", or "". On its stack. */
const char *sandbox_where(lua_State *lua);
/* So many instructions may be executed from now on. */
void sandbox_rearm(struct scenario *s, uint64_t instructions);
/* Raises an error that has this place. */
int sandbox_error(lua_State *lua, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* scenario.c: the machine goes between the two. */
void scenario_leave(struct scenario *s);
void scenario_close(struct scenario *s);

/* task.c */
struct task *task_new(struct scenario *s, lua_State *from, int args);
void task_wake(struct task *task);
void tasks_run(struct scenario *s);
/* The next that need not wait any more; NULL: there is none. */
struct task *task_next(const struct scenario *s);
/* Up to where it waits (LUA_YIELD) or ends (LUA_OK: what it returned is on its stack); else an
 * error, which task_note_error() puts into the message if there is none yet. */
int task_resume(struct scenario *s, struct task *task);
void task_note_error(struct scenario *s, struct task *task, int error);
void task_free(struct scenario *s, struct task *task);
/* Their timers are off. */
void tasks_stop(struct scenario *s);
void tasks_free(struct scenario *s);
int verb_sleep(lua_State *lua);
int verb_block(lua_State *lua);
int verb_wake(lua_State *lua);
int verb_task(lua_State *lua);
int verb_spawn(lua_State *lua);
int verb_request(lua_State *lua);
int verb_guest(lua_State *lua);

/* start.c */
int verb_machine(lua_State *lua);
/* The machine, or an error where it has not been made yet. */
struct machine *need_machine(lua_State *lua);

/* names.c: components by the name at an index of the stack, or an error that says which there are.
 */
const char *need_name(lua_State *lua, int index);
struct port *need_port(lua_State *lua, int index);
struct port *need_port_above(lua_State *lua, int index);
struct pci_func *need_func(lua_State *lua, int index);
/* An error with what there is, and what is most like `name`. */
int unknown_word(lua_State *lua, const char *what, const char *name, const char *const *words);

/* registers.c */
int verb_reg(lua_State *lua);
int verb_reg_place(lua_State *lua);
int verb_flip(lua_State *lua);

/* firmware.c */
int verb_firmware_report(lua_State *lua);
int verb_firmware_told(lua_State *lua);
int verb_firmware_acknowledge(lua_State *lua);
int verb_rid(lua_State *lua);
int verb_bar(lua_State *lua);
int verb_ram_read(lua_State *lua);
int verb_ram_write(lua_State *lua);
int verb_slow_invalidations(lua_State *lua);

/* links.c */
int verb_link(lua_State *lua);
int verb_link_status(lua_State *lua);
int verb_link_fault(lua_State *lua);
int verb_link_counters(lua_State *lua);
int verb_link_leak(lua_State *lua);
int verb_hand(lua_State *lua);
int verb_emit(lua_State *lua);
int verb_slow_slot(lua_State *lua);

/* Something to be looked at; at most `max` rows. */
int verb_registers(lua_State *lua);
int verb_names(lua_State *lua);

/* json.c */
/* False: too deep, or too much. May raise an error. */
bool push_json(lua_State *lua, JsonNode *node);
/* Never raises one. json_node_unref() it. */
JsonNode *json_of(lua_State *lua, int index);

/* rules.c */
int verb_rule(lua_State *lua);
int verb_rule_remove(lua_State *lua);
int verb_rule_hits(lua_State *lua);
void rules_free(struct scenario *s);
/* What was seen and not told yet. */
void rules_forget(struct scenario *s);
/* Makes tasks of what was seen; in protected mode, the scenario is a light argument. */
int rules_deliver(lua_State *lua);

/* tlp_table.c */
void push_tlp(lua_State *lua, const struct tlp *tlp, const struct port *sender, uint64_t time_ps);
void push_rid(lua_State *lua, struct pci_rid rid);
/* "MWr", "completion", "ERR_COR", ...: what a rule then matches. False: there is no such kind. */
bool tlp_kind_parse(const char *kind, struct inject_match *match);
extern const char *const tlp_kinds[];
const char *tlp_status_name(unsigned status);

/* events.c */
/* `kinds` are to be told of: BIT(enum trace_kind). */
struct events *events_new(struct machine *machine, uint32_t kinds);
void events_free(struct events *events);
/* The last ones, a line each. g_free() it. */
char *events_text(const struct events *events);
int verb_saw(lua_State *lua);

/* verbs.c */
extern const luaL_Reg scenario_verbs[];
/* The fabric's rules, made when they are needed. */
struct inject *need_inject(lua_State *lua);
void scenario_fail(struct scenario *s, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* prelude_blob.S: prelude.lua */
extern const char pcilab_prelude[], pcilab_prelude_end[];
/* live_blob.S: live.lua */
extern const char pcilab_live[], pcilab_live_end[];

#endif
