/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers, memory, and stops at addresses (gdb manual, E.2). */
#include <string.h>

#include "registers.h"
#include "session.h"

/* Of memory in one packet: its hexadecimal form fits. */
#define MEMORY_BYTES (GDB_PACKET_BYTES / 2)

#define ERROR_FORMAT "E01"
#define ERROR_MEMORY "E0e" /* EFAULT */
#define ERROR_BUSY   "E10" /* EBUSY: in the midst of an instruction */
#define ERROR_FULL   "E1c" /* ENOSPC */

void gdb_append_hex(GString *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        g_string_append_c(out, "0123456789abcdef"[bytes[i] >> 4]);
        g_string_append_c(out, "0123456789abcdef"[bytes[i] & 15]);
    }
}

bool gdb_parse_hex(const char *hex, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isxdigit(hex[2 * i]) || !g_ascii_isxdigit(hex[2 * i + 1])) {
            return false;
        }
        bytes[i] =
            (uint8_t)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
    }
    return true;
}

bool gdb_parse_number(const char **at, uint64_t *value)
{
    unsigned digits = 0;

    *value = 0;
    for (; g_ascii_isxdigit(**at) && digits < 16; ++*at, digits++) {
        *value = *value << 4 | (uint64_t)g_ascii_xdigit_value(**at);
    }
    return digits > 0;
}

/* "NUMBER<end>NUMBER": false when it is anything else. */
static bool parse_pair(const char **at, uint64_t *first, uint64_t *second)
{
    return gdb_parse_number(at, first) && *(*at)++ == ',' && gdb_parse_number(at, second);
}

/* ---- Registers ---- */

void gdb_read_registers(struct gdb *gdb)
{
    GString *out = g_string_new(NULL);
    struct cpu_state state;
    uint8_t data[GDB_REGISTER_BYTES];

    cpu_get_state(gdb_cpu(gdb), &state);
    for (unsigned i = 0; i < gdb_register_count(); i++) {
        gdb_register_get(&state, i, data);
        gdb_append_hex(out, data, gdb_register_size(i));
    }
    gdb_send(gdb, out->str);
    g_string_free(out, TRUE);
}

/* A processor that waits for a device has an instruction half done. */
static bool may_write(struct gdb *gdb)
{
    if (cpu_at_boundary(gdb_cpu(gdb))) {
        return gdb_may_change(gdb);
    }
    gdb_send(gdb, ERROR_BUSY);
    return false;
}

void gdb_write_registers(struct gdb *gdb, const char *args)
{
    struct cpu_state state;
    uint8_t data[GDB_REGISTER_BYTES];

    if (!may_write(gdb)) {
        return;
    }
    cpu_get_state(gdb_cpu(gdb), &state);
    for (unsigned i = 0; i < gdb_register_count(); i++) {
        unsigned size = gdb_register_size(i);
        if (!gdb_parse_hex(args, data, size)) {
            gdb_send(gdb, ERROR_FORMAT);
            return;
        }
        gdb_register_set(&state, i, data);
        args += 2 * size;
    }
    cpu_set_state(gdb_cpu(gdb), &state);
    gdb_send(gdb, "OK");
}

void gdb_read_register(struct gdb *gdb, const char *args)
{
    uint8_t data[GDB_REGISTER_BYTES];
    struct cpu_state state;
    uint64_t number;

    if (!gdb_parse_number(&args, &number) || number >= gdb_register_count()) {
        gdb_send(gdb, ERROR_FORMAT);
        return;
    }
    GString *out = g_string_new(NULL);
    cpu_get_state(gdb_cpu(gdb), &state);
    gdb_register_get(&state, (unsigned)number, data);
    gdb_append_hex(out, data, gdb_register_size((unsigned)number));
    gdb_send(gdb, out->str);
    g_string_free(out, TRUE);
}

void gdb_write_register(struct gdb *gdb, const char *args)
{
    uint8_t data[GDB_REGISTER_BYTES];
    struct cpu_state state;
    uint64_t number;

    if (!gdb_parse_number(&args, &number) || number >= gdb_register_count() || *args++ != '=' ||
        !gdb_parse_hex(args, data, gdb_register_size((unsigned)number))) {
        gdb_send(gdb, ERROR_FORMAT);
        return;
    }
    if (!may_write(gdb)) {
        return;
    }
    cpu_get_state(gdb_cpu(gdb), &state);
    gdb_register_set(&state, (unsigned)number, data);
    cpu_set_state(gdb_cpu(gdb), &state);
    gdb_send(gdb, "OK");
}

/* ---- Memory ---- */

static const struct cpu *view(struct gdb *gdb)
{
    return gdb->physical ? NULL : gdb_cpu(gdb);
}

/* The debugger takes fewer bytes than it asked for. */
void gdb_read_memory(struct gdb *gdb, const char *args)
{
    uint64_t addr, len;

    if (!parse_pair(&args, &addr, &len)) {
        gdb_send(gdb, ERROR_FORMAT);
        return;
    }
    len = MIN(len, MEMORY_BYTES);
    uint8_t *bytes = g_malloc(len + 1);
    uint64_t got = machine_debug_read(gdb->machine, view(gdb), addr, bytes, len);
    if (got == 0 && len > 0) {
        gdb_send(gdb, ERROR_MEMORY);
    } else {
        GString *out = g_string_new(NULL);
        gdb_append_hex(out, bytes, got);
        gdb_send(gdb, out->str);
        g_string_free(out, TRUE);
    }
    g_free(bytes);
}

static void write_memory(struct gdb *gdb, uint64_t addr, const uint8_t *bytes, uint64_t len)
{
    if (len && !gdb_may_change(gdb)) { /* none: only whether the packet is known */
        return;
    }
    uint64_t done = machine_debug_write(gdb->machine, view(gdb), addr, bytes, len);

    gdb_send(gdb, done == len ? "OK" : ERROR_MEMORY);
}

void gdb_write_memory(struct gdb *gdb, const char *args)
{
    uint64_t addr, len;

    if (!parse_pair(&args, &addr, &len) || *args++ != ':' || len > MEMORY_BYTES) {
        gdb_send(gdb, ERROR_FORMAT);
        return;
    }
    uint8_t *bytes = g_malloc(len + 1);
    if (gdb_parse_hex(args, bytes, len)) {
        write_memory(gdb, addr, bytes, len);
    } else {
        gdb_send(gdb, ERROR_FORMAT);
    }
    g_free(bytes);
}

/* X: bytes as they are, but for those that are escaped. */
void gdb_write_memory_binary(struct gdb *gdb, const char *args, size_t args_len)
{
    const char *end = args + args_len;
    uint64_t addr, len;

    if (!parse_pair(&args, &addr, &len) || *args++ != ':' || len > GDB_PACKET_BYTES) {
        gdb_send(gdb, ERROR_FORMAT);
        return;
    }
    uint8_t *bytes = g_malloc(len + 1);
    uint64_t count = 0;
    while (args < end && count < len) {
        uint8_t byte = (uint8_t)*args++;
        if (byte == '}' && args < end) {
            byte = (uint8_t)(*args++ ^ 0x20);
        }
        bytes[count++] = byte;
    }
    if (count == len && args == end) {
        write_memory(gdb, addr, bytes, len);
    } else {
        gdb_send(gdb, ERROR_FORMAT);
    }
    g_free(bytes);
}

/* ---- Stops ---- */

/* Z0 and Z1 are both breakpoints without a trace in memory. */
void gdb_stop_point(struct gdb *gdb, const char *args, bool add)
{
    static const enum cpu_stop_kind kinds[] = {CPU_STOP_EXEC, CPU_STOP_EXEC, CPU_STOP_WRITE,
                                               CPU_STOP_READ, CPU_STOP_ACCESS};
    struct cpu_group *group = machine_debug_group(gdb->machine);
    uint64_t type, addr, len;

    if (!gdb_parse_number(&args, &type) || *args++ != ',' || !parse_pair(&args, &addr, &len) ||
        (type >= 2 && len == 0)) {
        gdb_send(gdb, ERROR_FORMAT);
        return;
    }
    if (type >= G_N_ELEMENTS(kinds)) {
        gdb_send(gdb, "");
        return;
    }
    struct cpu_stop stop = {.kind = kinds[type], .la = addr, .len = type >= 2 ? len : 0};
    if (add) {
        gdb_send(gdb, cpu_group_stop_add(group, &stop) ? "OK" : ERROR_FULL);
    } else {
        gdb_send(gdb, cpu_group_stop_remove(group, &stop) ? "OK" : ERROR_FORMAT);
    }
}
