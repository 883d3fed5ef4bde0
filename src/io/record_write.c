/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeping a run's inputs. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "pcilab/base/le.h"
#include "pcilab/io/record.h"
#include "record.h"

struct record_writer {
    int fd;
    int error;
    GPtrArray *sources; /* names; the index is the number */
    GByteArray *entry;
};

static void write_all(struct record_writer *writer)
{
    const GByteArray *entry = writer->entry;
    uint8_t crc[RECORD_CRC_BYTES];

    le32_store(crc, (uint32_t)crc32(0, entry->data, entry->len));
    g_byte_array_append(writer->entry, crc, sizeof(crc));
    for (guint done = 0; done < entry->len && !writer->error;) {
        ssize_t len = write(writer->fd, entry->data + done, entry->len - done);
        if (len >= 0) {
            done += (guint)len;
        } else if (errno != EINTR) {
            writer->error = errno;
        }
    }
}

static void put(struct record_writer *writer, const uint8_t kind_source[2], uint64_t at_ps,
                const void *data, uint32_t len)
{
    uint8_t head[RECORD_ENTRY_BYTES] = {kind_source[0], kind_source[1]};

    le32_store(head + 4, len);
    le64_store(head + 8, at_ps);
    g_byte_array_set_size(writer->entry, 0);
    g_byte_array_append(writer->entry, head, sizeof(head));
    g_byte_array_append(writer->entry, data, len);
    write_all(writer);
}

struct record_writer *record_create(const char *path, const char *description, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    uint8_t head[RECORD_HEAD_BYTES] = RECORD_MAGIC;

    if (fd < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    struct record_writer *writer = g_new0(struct record_writer, 1);
    writer->fd = fd;
    writer->sources = g_ptr_array_new_with_free_func(g_free);
    writer->entry = g_byte_array_new();
    le32_store(head + RECORD_MAGIC_BYTES, RECORD_VERSION);
    le32_store(head + RECORD_MAGIC_BYTES + 4, (uint32_t)strlen(description));
    g_byte_array_append(writer->entry, head, sizeof(head));
    g_byte_array_append(writer->entry, (const uint8_t *)description, (guint)strlen(description));
    write_all(writer);
    return writer;
}

static uint8_t source_number(struct record_writer *writer, const struct sim_input_entry *entry)
{
    for (guint i = 0; i < writer->sources->len; i++) {
        if (strcmp(writer->sources->pdata[i], entry->source) == 0) {
            return (uint8_t)i;
        }
    }
    g_assert(writer->sources->len < RECORD_SOURCES_MAX);
    uint8_t number = (uint8_t)writer->sources->len;
    g_ptr_array_add(writer->sources, g_strdup(entry->source));
    put(writer, (const uint8_t[]){'s', number}, entry->at_ps, entry->source,
        (uint32_t)strlen(entry->source));
    return number;
}

void record_keep(void *opaque, const struct sim_input_entry *entry)
{
    struct record_writer *writer = opaque;
    uint8_t number = source_number(writer, entry);

    put(writer, (const uint8_t[]){entry->kind == SIM_INPUT_ANSWER ? 'a' : 'i', number},
        entry->at_ps, entry->bytes, entry->len);
}

void record_put_mark(struct record_writer *writer, const struct record_mark *mark)
{
    uint8_t data[RECORD_MARK_BYTES];

    le64_store(data, mark->retired);
    put(writer, (const uint8_t[]){'m', 0}, mark->at_ps, data, sizeof(data));
}

void record_put_end(struct record_writer *writer, const struct record_end *end)
{
    uint8_t data[RECORD_END_BYTES];

    le64_store(data, end->mark.retired);
    le32_store(data + 8, end->status);
    le32_store(data + 12, end->from_outside);
    put(writer, (const uint8_t[]){'e', 0}, end->mark.at_ps, data, sizeof(data));
}

int record_writer_free(struct record_writer *writer)
{
    if (!writer) {
        return 0;
    }
    int error = close(writer->fd) != 0 && !writer->error ? errno : writer->error;
    g_ptr_array_unref(writer->sources);
    g_byte_array_unref(writer->entry);
    g_free(writer);
    return error;
}
