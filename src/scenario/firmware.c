/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words about errors that the firmware tells of. */
#include "pcilab/platform/firmware.h"

#include <string.h>

#include "internal.h"

static const char *const severities[] = {
    [MACHINE_SEVERITY_RECOVERABLE] = "recoverable",
    [MACHINE_SEVERITY_FATAL] = "fatal",
    [MACHINE_SEVERITY_CORRECTED] = "corrected",
    NULL,
};
static const char *const sources[] = {"uncorrected", "corrected", NULL};

/* firmware_report(severity, component or nil, status, address) */
int verb_firmware_report(lua_State *lua)
{
    struct machine *machine = need_machine(lua);
    struct machine_error_record record = {
        .severity = (enum machine_severity)luaL_checkoption(lua, 1, NULL, severities),
        .status = (uint32_t)luaL_optinteger(lua, 3, 0),
        .address = (uint64_t)luaL_optinteger(lua, 4, 0),
    };
    GError *error = NULL;
    char text[256];

    if (!lua_isnil(lua, 2)) {
        need_func(lua, 2);
        record.component = lua_tostring(lua, 2);
    }
    if (machine_firmware_report(machine, &record, &error))
        return 0;
    g_strlcpy(text, error->message, sizeof(text));
    g_error_free(error);
    return sandbox_error(lua, "%s", text);
}

/* firmware_told(source): severity, section, where; or nothing */
int verb_firmware_told(lua_State *lua)
{
    struct machine *machine = need_machine(lua);
    struct machine_error_told told;

    if (!machine_firmware_told(machine, luaL_checkoption(lua, 1, NULL, sources), &told))
        return 0;
    lua_pushstring(lua, severities[told.severity]);
    lua_pushstring(lua, severities[told.section]);
    lua_pushstring(lua, told.where);
    return 3;
}

int verb_firmware_acknowledge(lua_State *lua)
{
    struct machine *machine = need_machine(lua);

    machine_firmware_acknowledge(machine, luaL_checkoption(lua, 1, NULL, sources));
    return 0;
}
