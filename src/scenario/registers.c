/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scenario sees without a TLP: registers of functions by name, memory of the host. */
#include <string.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/config/units.h"

#define ROWS_MAX 512

/* A row by its name in the tables of registers; with `nth` rows of that name before it. */
struct wanted {
    const char *name;
    unsigned skip;
    const struct reg_def *def;
    unsigned offset;
    uint64_t value;
    const char *names[ROWS_MAX];
    unsigned count;
};

static void look_at_row(void *opaque, const struct reg_def *def, unsigned offset, uint64_t value)
{
    struct wanted *wanted = opaque;

    if (strcmp(def->name, wanted->name) == 0 && !wanted->def && wanted->skip-- == 0) {
        wanted->def = def;
        wanted->offset = offset;
        wanted->value = value;
    }
    if (wanted->count < ROWS_MAX)
        wanted->names[wanted->count++] = def->name;
}

/* Of the function that is named first; the register's name is second, "name" or "name#2" for the
 * third of those. */
static void find_row(lua_State *lua, struct wanted *wanted, struct pci_func **func)
{
    const char *text = luaL_checkstring(lua, 2), *hash = strchr(text, '#');

    *func = need_func(lua, 1);
    *wanted = (struct wanted){.name = text};
    if (hash) {
        wanted->name = lua_pushlstring(lua, text, (size_t)(hash - text));
        wanted->skip = (unsigned)strtoul(hash + 1, NULL, 10);
    }
    reg_space_visit((*func)->cfg, look_at_row, wanted);
    if (!wanted->def) {
        const char *near = units_nearest(wanted->name, wanted->names, wanted->count);

        sandbox_error(lua, "%s has no register \"%s\"%s%s%s", lua_tostring(lua, 1), text,
                      near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
}

/* reg(component, register): its value, without a TLP and without what a read may do. */
int verb_reg(lua_State *lua)
{
    struct wanted wanted;
    struct pci_func *func;

    find_row(lua, &wanted, &func);
    lua_pushinteger(lua, (lua_Integer)wanted.value);
    return 1;
}

/* registers(component): a list of name, offset, width, value. */
struct listing {
    lua_State *lua;
    lua_Integer count;
};

static void list_row(void *opaque, const struct reg_def *def, unsigned offset, uint64_t value)
{
    struct listing *listing = opaque;
    lua_State *lua = listing->lua;

    if (listing->count == ROWS_MAX)
        return;
    lua_createtable(lua, 0, 4);
    lua_pushstring(lua, def->name);
    lua_setfield(lua, -2, "name");
    lua_pushinteger(lua, offset);
    lua_setfield(lua, -2, "offset");
    lua_pushinteger(lua, def->width);
    lua_setfield(lua, -2, "width");
    lua_pushinteger(lua, (lua_Integer)value);
    lua_setfield(lua, -2, "value");
    lua_rawseti(lua, -2, ++listing->count);
}

int verb_registers(lua_State *lua)
{
    struct listing listing = {.lua = lua};
    struct pci_func *func = need_func(lua, 1);

    lua_newtable(lua);
    reg_space_visit(func->cfg, list_row, &listing);
    return 1;
}

/* reg_place(component, register): offset in configuration space, bytes. */
int verb_reg_place(lua_State *lua)
{
    struct wanted wanted;
    struct pci_func *func;

    find_row(lua, &wanted, &func);
    lua_pushinteger(lua, wanted.offset);
    lua_pushinteger(lua, wanted.def->width);
    return 2;
}

/* flip(component, register, mask): bits change as if something had hit the cells. What can be
 * written takes effect as written; the rest only reads differently. */
int verb_flip(lua_State *lua)
{
    struct wanted wanted;
    struct pci_func *func;
    uint64_t mask = (uint64_t)luaL_checkinteger(lua, 3), rw;

    find_row(lua, &wanted, &func);
    if (mask & ~low_mask(wanted.def->width * 8u))
        return sandbox_error(lua, "%s has %u bits", wanted.name, wanted.def->width * 8u);
    rw = reg_rw_mask(func->cfg, wanted.offset);
    if (mask & rw)
        reg_write(func->cfg, wanted.offset, wanted.def->width, (wanted.value ^ mask) & rw);
    if (mask & ~rw)
        reg_update(func->cfg, wanted.offset, mask & ~rw, ~wanted.value);
    return 0;
}

/* rid(component): its number now, and as text. */
int verb_rid(lua_State *lua)
{
    struct pci_func *func = need_func(lua, 1);

    lua_pushinteger(lua, func->rid.v);
    push_rid(lua, func->rid);
    return 2;
}

/* bar(component, number): address, size; nil where there is none. */
int verb_bar(lua_State *lua)
{
    struct pci_func *func = need_func(lua, 1);
    lua_Integer number = luaL_checkinteger(lua, 2);

    if (number < 0 || number > PCI_BAR_COUNT || func->bar[number].kind == PCI_BAR_NONE)
        return 0;
    lua_pushinteger(lua, (lua_Integer)func->bar[number].addr);
    lua_pushinteger(lua, (lua_Integer)func->bar[number].size);
    return 2;
}

/* ram_read(address, bytes), ram_write(address, data): memory and registers of the board. */
int verb_ram_read(lua_State *lua)
{
    struct machine *machine = need_machine(lua);
    uint64_t addr = (uint64_t)luaL_checkinteger(lua, 1);
    lua_Integer len = luaL_checkinteger(lua, 2);
    luaL_Buffer buffer;

    if (len < 1 || len > (1 << 24))
        return sandbox_error(lua, "1 byte to 16 MiB can be read at a time");
    char *to = luaL_buffinitsize(lua, &buffer, (size_t)len);
    if (!machine_board_read(machine, addr, to, (unsigned)len))
        return sandbox_error(lua, "the host has no memory of %lld bytes at 0x%llx", (long long)len,
                             (unsigned long long)addr);
    luaL_pushresultsize(&buffer, (size_t)len);
    return 1;
}

int verb_ram_write(lua_State *lua)
{
    struct machine *machine = need_machine(lua);
    uint64_t addr = (uint64_t)luaL_checkinteger(lua, 1);
    size_t len;
    const char *data = luaL_checklstring(lua, 2, &len);

    if (len > (1 << 24) || !machine_board_write(machine, addr, data, (unsigned)len))
        return sandbox_error(lua, "the host has no memory of %zu bytes at 0x%llx", len,
                             (unsigned long long)addr);
    return 0;
}

/* slow_invalidations(time each, stall): of all VT-d units. */
int verb_slow_invalidations(lua_State *lua)
{
    struct machine *machine = need_machine(lua);
    lua_Integer each = luaL_checkinteger(lua, 1), stall = luaL_checkinteger(lua, 2);

    if (each < 0 || stall < 0 || each > (lua_Integer)(SIM_NEVER / 4) ||
        stall > (lua_Integer)(SIM_NEVER / 4))
        return sandbox_error(lua, "a time is not negative");
    if (!machine_slow_invalidations(machine, (uint64_t)each, (uint64_t)stall))
        return sandbox_error(lua, "there is no IOMMU with an invalidation queue: [iommu NAME]");
    return 0;
}
