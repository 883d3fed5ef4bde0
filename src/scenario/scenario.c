/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scenario from its text to its report. */
#include "pcilab/scenario/scenario.h"

#include <string.h>

#include "internal.h"

#define MEMORY_BYTES (64u << 20)
#define INSTRUCTIONS 200000000ULL

void scenario_fail(struct scenario *s, const char *format, ...)
{
    va_list args;

    if (s->failed)
        return;
    s->failed = true;
    g_free(s->message);
    va_start(args, format);
    s->message = g_strdup_vprintf(format, args);
    va_end(args);
}

/* A comment line's text, or NULL; *at goes on to the next line. */
static char *comment_line(const char **at, const char *end)
{
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    const char *stop = newline ? newline : end, *text = *at;

    *at = newline ? newline + 1 : end;
    if (stop - text < 2 || strncmp(text, "--", 2) != 0 || (stop - text > 2 && text[2] == '['))
        return NULL;
    return g_strstrip(g_strndup(text + 2, (gsize)(stop - text - 2)));
}

void scenario_header(const char *text, size_t len, char **purpose, char **clause)
{
    const char *at = text, *end = text + len;

    *purpose = comment_line(&at, end);
    *clause = *purpose ? comment_line(&at, end) : NULL;
}

/* The script becomes the first task. */
static int load(lua_State *lua)
{
    struct scenario *s = scenario_of(lua);
    char *name = lua_newuserdatauv(lua, strlen(s->params.name) + 2, 0);

    name[0] = '@';
    strcpy(name + 1, s->params.name);
    if (luaL_loadbufferx(lua, s->params.text, s->params.len, name, "t") != LUA_OK)
        return lua_error(lua);
    s->main = task_new(s, lua, 0);
    return 0;
}

static bool protect(struct scenario *s, lua_CFunction fn)
{
    lua_pushcfunction(s->lua, fn);
    if (lua_pcall(s->lua, 0, 0, 0) == LUA_OK)
        return true;
    if (!s->message)
        s->message = g_strdup(lua_tostring(s->lua, -1));
    lua_pop(s->lua, 1);
    return false;
}

static void judge(struct scenario *s)
{
    struct scenario_report *report = s->report;

    if (s->left) {
        report->result = SCENARIO_LEFT;
        return;
    }
    if (!s->message && !s->machine)
        s->message = g_strdup_printf("%s: no machine{...} was made", s->params.name);
    else if (!s->message && !report->checks->len)
        s->message = g_strdup_printf("%s: nothing was expected: it cannot fail", s->params.name);
    report->result = s->failed ? SCENARIO_FAILED : s->message ? SCENARIO_BAD : SCENARIO_PASSED;
    if (s->message && s->events)
        report->events = events_text(s->events);
    report->message = g_steal_pointer(&s->message);
    if (s->machine)
        report->virtual_ps = machine_sim(s->machine)->now_ps - s->started_ps;
    if (s->digest)
        trace_digest_hex(s->digest, report->digest);
}

void scenario_leave(struct scenario *s)
{
    if (s->machine && s->params.host->over)
        s->params.host->over(s->params.host->opaque, s->machine);
    rules_free(s);
    inject_free(s->inject);
    trace_digest_free(s->digest);
    events_free(s->events);
    tasks_stop(s);
}

void scenario_close(struct scenario *s)
{
    machine_desc_free(s->desc);
    tasks_free(s);
    if (s->lua)
        lua_close(s->lua);
    g_byte_array_unref(s->command_output);
    g_free(s->message);
}

void scenario_run(const struct scenario_params *params, struct scenario_report *report)
{
    struct scenario s = {
        .params = *params,
        .report = report,
        .memory_limit = params->memory_bytes ? params->memory_bytes : MEMORY_BYTES,
        .instructions_left = params->instructions ? params->instructions : INSTRUCTIONS,
        .command_output = g_byte_array_new(),
    };

    s.sighted_end = &s.sighted;
    *report = (struct scenario_report){.checks = g_ptr_array_new_with_free_func(g_free),
                                       .said = g_ptr_array_new_with_free_func(g_free)};
    s.lua = sandbox_new(&s);
    if (!s.lua)
        s.message = g_strdup_printf("%s: not enough memory", params->name);
    else if (protect(&s, sandbox_open) && protect(&s, load))
        tasks_run(&s);
    judge(&s);
    scenario_leave(&s);
    /* Before the tasks: it may know of their requests. */
    machine_free(s.machine);
    s.machine = NULL;
    scenario_close(&s);
}

void scenario_report_clear(struct scenario_report *report)
{
    g_free(report->message);
    g_free(report->events);
    g_ptr_array_unref(report->checks);
    g_ptr_array_unref(report->said);
    *report = (struct scenario_report){0};
}
