/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcapng: a section, an interface for each component when its first event comes, a packet an event.
 * Blocks are written whole, so that what a full disk leaves can be read up to the last of them.
 */
#include "pcapng.h"
#include "output.h"

#include "pcilab/base/le.h"
#include "pcilab/trace/points.h"

#include <glib.h>
#include <string.h>

#define PS_PER_NS 1000

/* A block while it is made. */
struct pcapng {
    GByteArray *block;
    GHashTable *interfaces; /* name -> its number + 1 */
};

static void put(GByteArray *block, const void *data, size_t len)
{
    g_byte_array_append(block, data, (guint)len);
}

static void put8(GByteArray *block, unsigned v)
{
    uint8_t byte = (uint8_t)v;

    put(block, &byte, 1);
}

static void put16(GByteArray *block, unsigned v)
{
    uint8_t bytes[2];

    le16_store(bytes, (uint16_t)v);
    put(block, bytes, sizeof(bytes));
}

static void put32(GByteArray *block, uint32_t v)
{
    uint8_t bytes[4];

    le32_store(bytes, v);
    put(block, bytes, sizeof(bytes));
}

static void put64(GByteArray *block, uint64_t v)
{
    uint8_t bytes[8];

    le64_store(bytes, v);
    put(block, bytes, sizeof(bytes));
}

static void pad(GByteArray *block)
{
    put(block, "\0\0\0", -block->len & 3);
}

static void put_option(GByteArray *block, unsigned code, const void *data, size_t len)
{
    put16(block, code);
    put16(block, (unsigned)len);
    put(block, data, len);
    pad(block);
}

static void block_begin(GByteArray *block, uint32_t type)
{
    g_byte_array_set_size(block, 0);
    put32(block, type);
    put32(block, 0);
}

static void block_end(struct trace_output *output, GByteArray *block)
{
    put32(block, block->len + 4);
    le32_store(block->data + 4, block->len);
    trace_output_write(output, block->data, block->len);
}

static void pcapng_begin(struct trace_output *output)
{
    struct pcapng *p = g_new0(struct pcapng, 1);
    char *comment = g_strdup_printf("pcilab trace %u", TRACE_VERSION);

    output->state = p;
    p->block = g_byte_array_new();
    p->interfaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    block_begin(p->block, PCAPNG_SECTION);
    put32(p->block, PCAPNG_MAGIC);
    put16(p->block, 1);
    put16(p->block, 0);
    put64(p->block, UINT64_MAX); /* length of the section: not known yet */
    put_option(p->block, PCAPNG_OPT_COMMENT, comment, strlen(comment));
    put_option(p->block, PCAPNG_OPT_APPLICATION, "pcilab", 6);
    put32(p->block, PCAPNG_OPT_END);
    block_end(output, p->block);
    g_free(comment);
}

static uint32_t interface_of(struct trace_output *output, const char *name)
{
    static const uint8_t nanoseconds = 9; /* finer ones overflow in Wireshark 4.0 */
    struct pcapng *p = output->state;
    uint32_t number = GPOINTER_TO_UINT(g_hash_table_lookup(p->interfaces, name));

    if (number) {
        return number - 1;
    }
    number = g_hash_table_size(p->interfaces);
    g_hash_table_insert(p->interfaces, g_strdup(name), GUINT_TO_POINTER(number + 1));
    block_begin(p->block, PCAPNG_INTERFACE);
    put16(p->block, PCAPNG_LINKTYPE_USER0);
    put16(p->block, 0);
    put32(p->block, 0); /* no limit of length */
    put_option(p->block, PCAPNG_OPT_NAME, name, strlen(name));
    put_option(p->block, PCAPNG_OPT_TSRESOL, &nanoseconds, 1);
    put32(p->block, PCAPNG_OPT_END);
    block_end(output, p->block);
    return number;
}

static void put_fields(GByteArray *block, const struct trace_event *event)
{
    const struct trace_point_def *def = trace_point_find(event->point);
    unsigned count = 0;

    while (def && count < TRACE_ARGS && def->field[count].name) {
        count++;
    }
    put8(block, count);
    for (unsigned i = 0; i < count; i++) {
        const struct trace_field *field = &def->field[i];
        const char *word =
            field->type == TRACE_ENUM ? trace_field_word(field, event->arg[i]) : NULL;

        put8(block, (unsigned)strlen(field->name));
        put(block, field->name, strlen(field->name));
        put8(block, field->type);
        put64(block, event->arg[i]);
        put8(block, word ? (unsigned)strlen(word) : 0);
        put(block, word ? word : "", word ? strlen(word) : 0);
    }
}

static void put_event(GByteArray *block, const struct trace_event *event)
{
    const char *from = event->where ? event->where : "", *to = event->to ? event->to : "";
    size_t from_len = MIN(strlen(from), UINT8_MAX), to_len = MIN(strlen(to), UINT8_MAX);
    char words[256];

    put8(block, TRACE_VERSION);
    put8(block, event->kind);
    put8(block, event->down ? EVENT_FLAG_DOWN : 0);
    put8(block, event->point & 0xff);
    put8(block, (unsigned)from_len);
    put8(block, (unsigned)to_len);
    put16(block, (unsigned)event->head_len);
    put64(block, event->time_ps);
    put(block, from, from_len);
    put(block, to, to_len);
    if (event->text) {
        put(block, event->text, strlen(event->text));
    } else if (event->kind >= TRACE_DLLP) {
        put_fields(block, event);
        trace_point_words(event, words, sizeof(words));
        put(block, words, strlen(words));
    } else {
        put(block, event->head, event->head_len);
        put(block, event->body, event->body_len);
    }
}

/* Directions are the root complex's: what goes away from it is outbound. */
static void pcapng_event(struct trace_output *output, const struct trace_event *event)
{
    struct pcapng *p = output->state;
    uint32_t interface = interface_of(output, event->where ? event->where : "-"), len;
    uint8_t flags[4];

    block_begin(p->block, PCAPNG_PACKET);
    put32(p->block, interface);
    put32(p->block, (uint32_t)(event->time_ps / PS_PER_NS >> 32));
    put32(p->block, (uint32_t)(event->time_ps / PS_PER_NS));
    put64(p->block, 0);
    put_event(p->block, event);
    len = p->block->len - (PCAPNG_PACKET_FIXED - 4);
    le32_store(p->block->data + 20, len);
    le32_store(p->block->data + 24, len);
    pad(p->block);
    if (event->kind == TRACE_TLP && event->to) {
        le32_store(flags, event->down ? 2 : 1);
        put_option(p->block, PCAPNG_OPT_FLAGS, flags, sizeof(flags));
        put32(p->block, PCAPNG_OPT_END);
    }
    block_end(output, p->block);
}

static void pcapng_end(struct trace_output *output)
{
    struct pcapng *p = output->state;

    g_byte_array_unref(p->block);
    g_hash_table_unref(p->interfaces);
    g_free(p);
}

const struct trace_format_ops trace_pcapng_ops = {pcapng_begin, pcapng_event, pcapng_end};
