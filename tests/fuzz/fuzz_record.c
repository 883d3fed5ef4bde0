/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recording of any bytes, and one whose sums are right (the input is then kinds, sources, lengths
 * and times of entries): what is read stays inside, comes in order and is played to a machine.
 */
#include <glib.h>
#include <string.h>
#include <zlib.h>

#include "pcilab/base/le.h"
#include "pcilab/io/record.h"
#include "pcilab/platform/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_sum(GByteArray *out, guint from)
{
    uint8_t sum[4];

    le32_store(sum, (uint32_t)crc32(0, out->data + from, out->len - from));
    g_byte_array_append(out, sum, sizeof(sum));
}

/* Each entry: kind, source and length a byte each, time since the last one 2 bytes, data. */
static GByteArray *make_good(const uint8_t *data, size_t size)
{
    static const char kinds[] = "siame?";
    GByteArray *out = g_byte_array_new();
    uint64_t at_ps = 0;

    g_byte_array_append(out, (const uint8_t *)"pcilabR\n\1\0\0\0\0\0\0\0", 16);
    put_sum(out, 0);
    while (size >= 5) {
        uint8_t head[16] = {(uint8_t)kinds[data[0] % 6], data[1] & 3};
        uint32_t len = (uint32_t)MIN(data[2], size - 5);
        guint from = out->len;

        at_ps += (uint64_t)(data[3] | data[4] << 8) * PS_PER_US;
        le32_store(head + 4, len);
        le64_store(head + 8, at_ps);
        g_byte_array_append(out, head, sizeof(head));
        g_byte_array_append(out, data + 5, len);
        put_sum(out, from);
        data += 5 + len;
        size -= 5 + len;
    }
    return out;
}

static void play(struct record *record)
{
    struct sim_input_log log = {.next = record_next, .opaque = record};
    struct machine_desc *desc = machine_desc_new();
    GError *error = NULL;

    (void)machine_desc_add(desc, MACHINE_HOST_BRIDGE, "pci0");
    (void)machine_desc_add_integrated(desc, MACHINE_VIRTIO_NET, "net0");
    desc->memory_bytes = 8 << 20;
    struct machine *machine = machine_new(desc, &(struct machine_options){.log = &log}, &error);
    g_assert_no_error(error);
    for (const char *const *names = record_sources(record); *names; names++)
        (void)machine_knows_input(machine, *names);
    sim_run_until(machine_sim(machine), PS_PER_S);
    machine_free(machine);
    machine_desc_free(desc);
}

static void look(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    struct record *record = record_parse(data, size, &error);
    struct record_mark mark, last = {0};

    if (!record) {
        g_assert(error && *error->message);
        g_error_free(error);
        return;
    }
    while (record_next_mark(record, &mark)) {
        g_assert(mark.at_ps >= last.at_ps && !last.end);
        last = mark;
    }
    g_assert(record_is_cut(record) != last.end);
    g_assert(record_last(record)->mark.at_ps == last.at_ps);
    play(record);
    record_free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GByteArray *good = make_good(data, size);

    look(data, size);
    look(good->data, good->len);
    g_byte_array_unref(good);
    return 0;
}
