/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client.h"

#include <string.h>

#include "pcilab/platform/debug.h"

static const uint8_t program[] = {
    0xb8, 0,    0, 0,    0, /* mov eax, 0 */
    0x40,                   /* inc eax */
    0xa3, 0,    0, 0x20, 0, /* mov [CLIENT_DATA], eax */
    0x3d, 5,    0, 0,    0, /* cmp eax, 5 */
    0x75, 0xf3,             /* jne to the inc */
    0xf4,                   /* hlt */
};

static void send_bytes(void *opaque, const char *bytes, size_t len)
{
    struct client *client = opaque;

    g_string_append_len(client->raw, bytes, (gssize)len);
}

static char *answer(void *opaque, struct machine *machine, const char *words)
{
    return g_strdup_printf("<%s>\n", words);
}

static void protected_mode(struct machine *machine)
{
    struct cpu *cpu = machine_debug_cpu(machine, 0);
    struct cpu_state state;

    machine_debug_write(machine, NULL, CLIENT_CODE, program, sizeof(program));
    cpu_get_state(cpu, &state);
    state.cr0 |= 1;
    for (unsigned i = CPU_ES; i <= CPU_GS; i++) {
        state.seg[i] = (struct cpu_seg){.selector = 0x10, .attr = 0xc93, .limit = 0xffffffff};
    }
    state.seg[CPU_CS].attr = 0xc9b;
    state.rip = CLIENT_CODE;
    cpu_set_state(cpu, &state);
}

struct client *client_new(void)
{
    struct client *client = g_new0(struct client, 1);
    struct machine_desc *desc = machine_desc_new();
    GError *error = NULL;

    (void)machine_desc_add(desc, MACHINE_HOST_BRIDGE, "pci0");
    desc->memory_bytes = CLIENT_RAM;
    desc->cpus = 2;
    client->raw = g_string_new(NULL);
    client->machine = machine_new(desc, &(struct machine_options){0}, &error);
    g_assert_no_error(error);
    machine_desc_free(desc);
    protected_mode(client->machine);
    struct gdb_ops ops = {.send = send_bytes, .inspect = answer, .reverse = true, .opaque = client};
    client->gdb = gdb_new(client->machine, &ops);
    gdb_connected(client->gdb);
    return client;
}

void client_free(struct client *client)
{
    gdb_free(client->gdb);
    machine_free(client->machine);
    g_string_free(client->raw, TRUE);
    g_free(client);
}

void client_clear(struct client *client)
{
    g_string_truncate(client->raw, 0);
}

void client_bytes(struct client *client, const void *bytes, size_t len)
{
    gdb_input(client->gdb, bytes, len);
}

void client_packet(struct client *client, const char *payload)
{
    uint8_t sum = 0;

    for (const char *c = payload; *c; c++) {
        sum += (uint8_t)*c;
    }
    char *frame = g_strdup_printf("$%s#%02x", payload, sum);
    client_clear(client);
    client_bytes(client, frame, strlen(frame));
    g_free(frame);
}

void client_run(struct client *client, uint64_t max_ps)
{
    uint64_t end = machine_sim(client->machine)->now_ps + max_ps;

    while (gdb_runs(client->gdb) && machine_sim(client->machine)->now_ps < end) {
        enum machine_stop stop = machine_run(client->machine, end);
        gdb_after_run(client->gdb);
        if (stop != MACHINE_PAUSED) {
            break;
        }
    }
}

/* From `at` on: the next packet's payload, and where it ends; NULL: there is none. */
static char *next_packet(const char **at)
{
    const char *start = strchr(*at, '$'), *end = start ? strchr(start, '#') : NULL;

    if (!end) {
        return NULL;
    }
    *at = end + 1;
    return g_strndup(start + 1, (size_t)(end - start - 1));
}

char *client_last(const struct client *client)
{
    const char *at = client->raw->str;
    char *last = g_strdup(""), *packet;

    while ((packet = next_packet(&at))) {
        g_free(last);
        last = packet;
    }
    return last;
}

char *client_said(const struct client *client)
{
    GString *said = g_string_new(NULL);
    const char *at = client->raw->str;
    char *packet;

    while ((packet = next_packet(&at))) {
        for (const char *hex = packet + 1; packet[0] == 'O' && packet[1] != 'K' && hex[0];
             hex += 2) {
            g_string_append_c(
                said, (char)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1])));
        }
        g_free(packet);
    }
    return g_string_free(said, FALSE);
}
