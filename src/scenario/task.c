/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks: who runs, who waits, and the machine running on while all do. */
#include <string.h>

#include "internal.h"
#include "pcilab/config/units.h"

#define OVERDUE_EVERY  4096u /* events of the machine between looks at the wall clock */
#define GUEST_SLICE_PS (10 * PS_PER_MS)

void task_wake(struct task *task)
{
    struct scenario *s = task->s;

    task->ready = true;
    s->woken = true;
    if (scenario_in_slices(s))
        machine_pause(s->machine);
}

static void timer_due(void *opaque)
{
    struct task *task = opaque;

    task->woken = false;
    task_wake(task);
}

static void request_done(struct root_request *request, enum tlp_status status)
{
    struct task *task = request->opaque;

    task->status = status;
    task_wake(task);
}

/* Function and `args` arguments are on top of the stack of `from`, and are taken. */
struct task *task_new(struct scenario *s, lua_State *from, int args)
{
    struct task *task, **end = &s->tasks;

    if (s->task_count == TASKS_MAX)
        luaL_error(from, "more than %d tasks at a time", TASKS_MAX);
    lua_State *co = lua_newthread(from);
    lua_insert(from, -args - 2);
    lua_xmove(from, co, args + 1);
    int ref = luaL_ref(from, LUA_REGISTRYINDEX);
    task = g_new0(struct task, 1);
    while (*end)
        end = &(*end)->next;
    *end = task;
    task->s = s;
    task->co = co;
    task->ref = ref;
    task->id = ++s->last_id;
    task->args = args;
    task->ready = true;
    sim_event_init(&task->timer, timer_due, task);
    s->task_count++;
    return task;
}

void task_free(struct scenario *s, struct task *task)
{
    struct task **at = &s->tasks;

    while (*at != task)
        at = &(*at)->next;
    *at = task->next;
    if (s->machine)
        sim_cancel(machine_sim(s->machine), &task->timer);
    luaL_unref(s->lua, LUA_REGISTRYINDEX, task->ref);
    s->task_count--;
    g_free(task);
}

void tasks_stop(struct scenario *s)
{
    for (struct task *t = s->tasks; t && s->machine; t = t->next)
        sim_cancel(machine_sim(s->machine), &t->timer);
}

void tasks_free(struct scenario *s)
{
    while (s->tasks)
        task_free(s, s->tasks);
}

/* Verbs. */

static struct task *current(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);

    if (!s->current || s->current->co != lua)
        sandbox_error(lua, "nothing can wait here");
    return s->current;
}

static void arm(struct task *task, uint64_t delay_ps)
{
    struct sim *sim = machine_sim(task->s->machine);

    if (delay_ps < SIM_NEVER - sim->now_ps)
        sim_schedule_in(sim, &task->timer, delay_ps);
}

int verb_sleep(lua_State *lua)
{
    lua_Integer delay = luaL_checkinteger(lua, 1);
    struct task *task;

    need_machine(lua);
    if (delay < 0)
        return sandbox_error(lua, "a time to wait is not negative");
    task = current(lua);
    task->wait = TASK_SLEEPS;
    arm(task, (uint64_t)delay);
    return lua_yield(lua, 0);
}

/* block([timeout]): true when it was woken, false when the time was over. */
int verb_block(lua_State *lua)
{
    lua_Integer delay = luaL_optinteger(lua, 1, -1);
    struct task *task;

    need_machine(lua);
    task = current(lua);
    task->wait = TASK_BLOCKED;
    task->woken = false;
    if (delay >= 0)
        arm(task, (uint64_t)delay);
    return lua_yield(lua, 0);
}

int verb_task(lua_State *lua)
{
    lua_pushinteger(lua, current(lua)->id);
    return 1;
}

int verb_wake(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);
    lua_Integer id = luaL_checkinteger(lua, 1);

    for (struct task *t = s->tasks; t; t = t->next) {
        if (t->id == id && t->wait == TASK_BLOCKED && !t->ready) {
            sim_cancel(machine_sim(s->machine), &t->timer);
            t->woken = true;
            t->ready = true;
        }
    }
    return 0;
}

int verb_spawn(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);

    luaL_checktype(lua, 1, LUA_TFUNCTION);
    lua_settop(lua, 1);
    task_new(s, lua, 0);
    return 0;
}

static enum root_request_kind request_kind(lua_State *lua, bool *write)
{
    static const char *const names[] = {"mem_read", "mem_write", "io_read", "io_write",
                                        "cfg_read", "cfg_write", NULL};
    int kind = luaL_checkoption(lua, 1, NULL, names);

    *write = kind & 1;
    return (enum root_request_kind)kind;
}

/* An access is inside 4 KiB and at most 64 bytes, or inside a doubleword. */
static void check_request(lua_State *lua, const struct root_request *r)
{
    bool memory = r->kind <= ROOT_MEM_WRITE;
    uint64_t room = memory ? 0x1000 : 4;

    if (!r->size_bytes || r->size_bytes > (memory ? sizeof(r->data) : 4) ||
        r->addr % room + r->size_bytes > room)
        sandbox_error(lua, memory ? "an access is of 1 to 64 bytes and does not cross 4 KiB"
                                  : "such an access is of 1 to 4 bytes inside a doubleword");
}

/* request(kind, address, bytes or data[, component]): status, data. A configuration request is for
 * the component, and its address the register; of memory and I/O the address says all. */
int verb_request(lua_State *lua)
{
    struct machine *machine = need_machine(lua);
    bool write;
    enum root_request_kind kind = request_kind(lua, &write);
    struct task *task = current(lua);
    struct root_complex *rc;
    size_t len;

    task->request = (struct root_request){.kind = kind,
                                          .addr = (uint64_t)luaL_checkinteger(lua, 2),
                                          .done = request_done,
                                          .opaque = task};
    if (write) {
        const char *data = luaL_checklstring(lua, 3, &len);

        memcpy(task->request.data, data, MIN(len, sizeof(task->request.data)));
    } else {
        len = (size_t)luaL_checkinteger(lua, 3);
    }
    task->request.size_bytes = (unsigned)MIN(len, G_MAXINT);
    check_request(lua, &task->request);
    if (kind == ROOT_CFG_READ || kind == ROOT_CFG_WRITE) {
        const struct pci_func *func = need_func(lua, 4);

        if (task->request.addr > 0xfff)
            return sandbox_error(lua, "configuration space ends at 0xfff");
        rc = machine_root_of(machine, lua_tostring(lua, 4));
        task->request.addr |= (uint64_t)func->rid.v << 12;
    } else {
        rc = machine_route(machine, kind, task->request.addr);
    }
    if (!rc)
        return sandbox_error(lua, "the address 0x%llx is of no window of a host bridge",
                             (unsigned long long)task->request.addr);
    task->wait = TASK_REQUEST;
    root_submit(rc, &task->request);
    return lua_yield(lua, 0);
}

/* guest(command): exit status, output. */
int verb_guest(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);
    const char *text = luaL_checkstring(lua, 1);
    struct task *task = current(lua);

    need_machine(lua);
    if (s->live && !s->params.host->command)
        return sandbox_error(lua, "the guest takes no commands: pcilab boot was started without "
                                  "--guest-commands");
    if (!s->live && !s->guest.wanted)
        return sandbox_error(lua, "this machine has no guest: machine{guest = true} gives it one");
    if (s->commander)
        return sandbox_error(lua, "another command runs in the guest");
    s->commander = task;
    task->wait = TASK_GUEST;
    s->params.host->command(s->params.host->opaque, s, text);
    return lua_yield(lua, 0);
}

void scenario_command_done(struct scenario *s, unsigned status, const char *output, size_t len)
{
    if (!s->commander)
        return;
    s->command_status = status;
    g_byte_array_set_size(s->command_output, 0);
    g_byte_array_append(s->command_output, (const guint8 *)output, (guint)len);
    task_wake(s->commander);
    s->commander = NULL;
}

/* Running. */

/* What the verb returns that it waited in; for lua_resume(). */
static int push_results(lua_State *lua)
{
    struct task *task = lua_touserdata(lua, 1);
    struct scenario *s = task->s;

    switch (task->wait) {
    case TASK_REQUEST:
        lua_pushstring(lua, tlp_status_name(task->status));
        lua_pushlstring(lua, (const char *)task->request.data, task->request.size_bytes);
        return 2;
    case TASK_BLOCKED: lua_pushboolean(lua, task->woken); return 1;
    case TASK_GUEST:
        lua_pushinteger(lua, s->command_status);
        lua_pushlstring(lua, (const char *)s->command_output->data, s->command_output->len);
        return 2;
    default: return 0;
    }
}

/* True when the results are on the coroutine's stack; their number is in *count. */
static bool prepare(struct scenario *s, struct task *task, int *results)
{
    lua_State *lua = s->lua;
    int top = lua_gettop(lua);

    if (task->args >= 0) { /* not begun yet */
        *results = task->args;
        task->args = -1;
        return true;
    }
    lua_pushcfunction(lua, push_results);
    lua_pushlightuserdata(lua, task);
    if (lua_pcall(lua, 1, LUA_MULTRET, 0) != LUA_OK || !lua_checkstack(task->co, 4)) {
        lua_settop(lua, top);
        return false;
    }
    *results = lua_gettop(lua) - top;
    lua_xmove(lua, task->co, *results);
    return true;
}

/* The error on top of the coroutine's stack, with its place in the scenario. */
void task_note_error(struct scenario *s, struct task *task, int error)
{
    const char *text = error == LUA_ERRMEM ? "not enough memory: the scenario holds too much"
                                           : lua_tostring(task->co, -1);
    lua_Debug ar = {.source = ""};

    if (s->message)
        return;
    if (!text)
        text = "an error that is no text";
    for (int level = 0; lua_getstack(task->co, level, &ar); level++) {
        lua_getinfo(task->co, "Sl", &ar);
        if (ar.currentline > 0 && ar.source[0] == '@')
            break;
    }
    /* What Lua's own functions say begins with the place that called them. */
    if (g_str_has_prefix(text, "prelude:")) {
        const char *rest = strstr(text + strlen("prelude:"), ": ");

        text = rest ? rest + 2 : text;
    }
    bool placed = strstr(text, s->params.name) == text;
    if (placed || ar.source[0] != '@')
        s->message = g_strdup(text);
    else
        s->message = g_strdup_printf("%s:%d: %s", ar.source + 1, ar.currentline, text);
}

int task_resume(struct scenario *s, struct task *task)
{
    int results = 0;
    int status = LUA_ERRMEM;

    task->ready = false;
    s->current = task;
    if (prepare(s, task, &results)) {
        task->wait = TASK_READY;
        status = lua_resume(task->co, NULL, results, &results);
    }
    s->current = NULL;
    if (status == LUA_YIELD && task->wait != TASK_READY) {
        lua_settop(task->co, 0);
        return LUA_YIELD;
    }
    return status == LUA_YIELD ? LUA_ERRRUN : status;
}

/* False: the scenario is over. */
static bool resume(struct scenario *s, struct task *task)
{
    int status = task_resume(s, task);

    if (status == LUA_YIELD)
        return !s->left;
    if (status != LUA_OK) {
        task_note_error(s, task, status);
        return false;
    }
    if (task == s->main)
        return false;
    task_free(s, task);
    return true;
}

struct task *task_next(const struct scenario *s)
{
    for (struct task *t = s->tasks; t; t = t->next) {
        if (t->ready)
            return t;
    }
    return NULL;
}

/* Where the script itself waits. */
static const char *main_place(struct scenario *s)
{
    return lua_checkstack(s->main->co, 2) ? sandbox_where(s->main->co) : "";
}

static void fail_limit(struct scenario *s)
{
    char *limit = units_format_time(s->limit_ps - s->started_ps);

    scenario_fail(s, "%sthe scenario does not end: the limit of %s of virtual time is reached",
                  main_place(s), limit);
    g_free(limit);
}

static bool overdue(struct scenario *s)
{
    if (!s->params.host->overdue || !s->params.host->overdue(s->params.host->opaque))
        return false;
    scenario_fail(s, "%sthe scenario does not end: the limit of wall clock time is reached",
                  main_place(s));
    return true;
}

/* No processor: events alone. False: it is over. */
static bool run_events(struct scenario *s)
{
    struct sim *sim = machine_sim(s->machine);

    for (unsigned n = 1; !s->woken; n++) {
        if (!sim_run_one(sim, s->limit_ps)) {
            if (sim_next_ps(sim) == SIM_NEVER)
                scenario_fail(s, "%swhat is waited for never comes: nothing is under way",
                              main_place(s));
            else
                fail_limit(s);
            return false;
        }
        if (n % OVERDUE_EVERY == 0 && overdue(s))
            return false;
    }
    return true;
}

static bool run_guest(struct scenario *s)
{
    struct sim *sim = machine_sim(s->machine);

    while (!s->woken) {
        if (sim->now_ps >= s->limit_ps) {
            fail_limit(s);
            return false;
        }
        switch (machine_run(s->machine, MIN(s->limit_ps, sim->now_ps + GUEST_SLICE_PS))) {
        case MACHINE_POWERED_OFF: scenario_fail(s, "the guest powered off"); return false;
        case MACHINE_RESET: scenario_fail(s, "the guest restarted"); return false;
        case MACHINE_DEAD: scenario_fail(s, "all processors shut down"); return false;
        default: break;
        }
        if (overdue(s))
            return false;
    }
    return true;
}

static bool deliver(struct scenario *s)
{
    if (!s->sighted)
        return true;
    lua_pushcfunction(s->lua, rules_deliver);
    if (lua_pcall(s->lua, 0, 0, 0) == LUA_OK)
        return true;
    if (!s->message)
        s->message = g_strdup(lua_tostring(s->lua, -1));
    lua_pop(s->lua, 1);
    return false;
}

void tasks_run(struct scenario *s)
{
    for (;;) {
        struct task *task;

        if (s->failed || s->message || !deliver(s))
            return;
        task = task_next(s);
        if (task) {
            if (!resume(s, task))
                return;
            continue;
        }
        s->woken = false;
        if (!(s->guest.wanted ? run_guest(s) : run_events(s)))
            return;
    }
}
