/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of packets: "$payload#sum" (gdb manual, E.1), acknowledged until the debugger has none of
 * it. */
#include <string.h>

#include "session.h"

#define INTERRUPT 0x03

void gdb_packet_reset(struct gdb *gdb)
{
    g_byte_array_set_size(gdb->packet, 0);
    g_string_truncate(gdb->last, 0);
    gdb->at = AT_START;
    gdb->acks = true;
}

void gdb_send_bytes(struct gdb *gdb, const char *payload, size_t len)
{
    uint8_t sum = 0;

    if (!gdb->connected) {
        return;
    }
    g_string_assign(gdb->last, "$");
    for (size_t i = 0; i < len; i++) {
        bool escaped = payload[i] && strchr("$#}*", payload[i]);
        if (escaped) {
            g_string_append_c(gdb->last, '}');
        }
        g_string_append_c(gdb->last, escaped ? (char)(payload[i] ^ 0x20) : payload[i]);
    }
    for (size_t i = 1; i < gdb->last->len; i++) {
        sum += (uint8_t)gdb->last->str[i];
    }
    g_string_append_printf(gdb->last, "#%02x", sum);
    gdb->ops.send(gdb->ops.opaque, gdb->last->str, gdb->last->len);
}

void gdb_send(struct gdb *gdb, const char *payload)
{
    gdb_send_bytes(gdb, payload, strlen(payload));
}

void gdb_say(struct gdb *gdb, const char *text)
{
    GString *out = g_string_new("O");

    gdb_append_hex(out, (const uint8_t *)text, strlen(text));
    gdb_send(gdb, out->str);
    g_string_free(out, TRUE);
}

static void acknowledge(struct gdb *gdb, bool good)
{
    if (gdb->acks) {
        gdb->ops.send(gdb->ops.opaque, good ? "+" : "-", 1);
    }
}

static void end_packet(struct gdb *gdb)
{
    bool good = gdb->sum == gdb->sum_wanted && !gdb->too_long;

    gdb->at = AT_START;
    acknowledge(gdb, good || gdb->too_long);
    if (gdb->too_long) {
        gdb_send(gdb, "E07"); /* sending it again would not help */
    } else if (good) {
        g_byte_array_append(gdb->packet, (const uint8_t *)"", 1);
        gdb_packet(gdb, (const char *)gdb->packet->data, gdb->packet->len - 1);
    }
}

static void start_byte(struct gdb *gdb, uint8_t byte)
{
    if (byte == '$') {
        g_byte_array_set_size(gdb->packet, 0);
        gdb->sum = 0;
        gdb->too_long = false;
        gdb->at = IN_PACKET;
    } else if (byte == INTERRUPT) {
        gdb_interrupt(gdb);
    } else if (byte == '-' && gdb->acks && gdb->last->len) {
        gdb->ops.send(gdb->ops.opaque, gdb->last->str, gdb->last->len);
    }
}

static void packet_byte(struct gdb *gdb, uint8_t byte)
{
    if (byte == '#') {
        gdb->at = AT_SUM_HIGH;
        return;
    }
    gdb->sum += byte;
    if (gdb->packet->len == GDB_PACKET_BYTES) {
        gdb->too_long = true;
    } else {
        g_byte_array_append(gdb->packet, &byte, 1);
    }
}

static uint8_t digit(uint8_t byte)
{
    return g_ascii_isxdigit(byte) ? (uint8_t)g_ascii_xdigit_value((char)byte) : 0;
}

void gdb_input(struct gdb *gdb, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len && gdb->connected && !gdb->detached; i++) {
        switch (gdb->at) {
        case AT_START: start_byte(gdb, bytes[i]); break;
        case IN_PACKET: packet_byte(gdb, bytes[i]); break;
        case AT_SUM_HIGH:
            gdb->sum_wanted = (uint8_t)(digit(bytes[i]) << 4);
            gdb->at = AT_SUM_LOW;
            break;
        case AT_SUM_LOW:
            gdb->sum_wanted |= digit(bytes[i]);
            end_packet(gdb);
            break;
        }
    }
}
