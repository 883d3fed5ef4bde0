/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trace of any bytes; and a pcapng one whose section is right, with packets of any bytes. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "pcilab/base/le.h"
#include "pcilab/fabric/fabric.h"
#include "pcilab/trace/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const void *data, size_t size)
{
    FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "r") : fopen("/dev/null", "r");
    char *error = NULL;
    const char *line, *words;
    struct trace_reader *reader = trace_reader_new(file, "fuzz", fabric_render_tlp, &error);

    if (!reader) {
        g_assert(error);
        g_free(error);
        return;
    }
    while ((line = trace_reader_next(reader, NULL, &words, &error))) {
        g_assert(words > line && words <= line + strlen(line));
        g_assert(!strchr(line, '\n'));
    }
    g_free(error);
    trace_reader_free(reader);
}

static void put_block(GByteArray *out, uint32_t type, const uint8_t *data, uint32_t len)
{
    uint8_t word[4];
    uint32_t all = 12 + ((len + 3) & ~3u);

    le32_store(word, type);
    g_byte_array_append(out, word, 4);
    le32_store(word, all);
    g_byte_array_append(out, word, 4);
    g_byte_array_append(out, data, len);
    g_byte_array_append(out, (const uint8_t *)"\0\0\0", -len & 3);
    g_byte_array_append(out, word, 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t section[] = "\x4d\x3c\x2b\x1a\1\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"
                                     "\1\0\x0e\0pcilab trace 1\0\0\0\0\0\0";
    GByteArray *out = g_byte_array_new();

    read_all(data, size);
    put_block(out, 0x0a0d0d0a, section, sizeof(section) - 1);
    while (size) { /* each: length, bytes of a packet */
        uint8_t packet[20 + 255] = {0};
        uint32_t len = (uint32_t)MIN(data[0], size - 1);

        le32_store(packet + 12, len);
        le32_store(packet + 16, len);
        memcpy(packet + 20, data + 1, len);
        put_block(out, 6, packet, 20 + len);
        data += 1 + len;
        size -= 1 + len;
    }
    read_all(out->data, out->len);
    g_byte_array_unref(out);
    return 0;
}
