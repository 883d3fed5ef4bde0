/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control port's frames. */
#include "agent.h"

#include <string.h>

#include "pcilab/base/le.h"

static enum agent_said understand(struct agent_link *link)
{
    uint32_t len = le32_load(link->frame);

    switch (link->frame[4]) {
    case 'R': return len == 0 ? AGENT_READY : AGENT_NONSENSE;
    case 'S': return len == 0 ? AGENT_STARTED : AGENT_NONSENSE;
    case 'X':
        link->status = link->frame[AGENT_HEAD_BYTES];
        return len == 4 && le32_load(link->frame + AGENT_HEAD_BYTES) <= 255 ? AGENT_STATUS
                                                                            : AGENT_NONSENSE;
    default: return AGENT_NONSENSE;
    }
}

enum agent_said agent_hear(struct agent_link *link, const uint8_t **data, uint32_t *len)
{
    while (*len && !link->broken) {
        link->frame[link->len++] = *(*data)++;
        (*len)--;
        if (link->len < AGENT_HEAD_BYTES) {
            continue;
        }
        uint32_t payload = le32_load(link->frame);
        if (payload > sizeof(link->frame) - AGENT_HEAD_BYTES) {
            link->broken = true;
            return AGENT_NONSENSE;
        }
        if (link->len == AGENT_HEAD_BYTES + payload) {
            enum agent_said said = understand(link);
            link->len = 0;
            link->broken = said == AGENT_NONSENSE;
            return said;
        }
    }
    return AGENT_NOTHING;
}

static void put_head(GByteArray *out, uint32_t len, char kind)
{
    uint8_t head[AGENT_HEAD_BYTES];

    le32_store(head, len);
    head[4] = (uint8_t)kind;
    g_byte_array_append(out, head, sizeof(head));
}

static void put_u32(GByteArray *out, uint32_t value)
{
    uint8_t bytes[4];

    le32_store(bytes, value);
    g_byte_array_append(out, bytes, sizeof(bytes));
}

static uint32_t count(const char *const *strings)
{
    uint32_t n = 0;

    while (strings[n]) {
        n++;
    }
    return n;
}

static void put_strings(GByteArray *out, const char *const *strings)
{
    for (; *strings; strings++) {
        g_byte_array_append(out, (const guint8 *)*strings, (guint)strlen(*strings) + 1);
    }
}

static size_t size_of(const char *const *strings)
{
    size_t bytes = 0;

    for (; *strings; strings++) {
        bytes += strlen(*strings) + 1;
    }
    return bytes;
}

bool agent_put_job(GByteArray *out, const struct agent_job *job)
{
    size_t len = 5 * 4 + strlen(job->directory) + 1 + size_of(job->argv) + size_of(job->env);

    if (len > AGENT_JOB_BYTES_MAX) {
        return false;
    }
    put_head(out, (uint32_t)len, 'J');
    put_u32(out, job->tty);
    put_u32(out, job->rows);
    put_u32(out, job->columns);
    put_u32(out, count(job->argv));
    put_u32(out, count(job->env));
    g_byte_array_append(out, (const guint8 *)job->directory, (guint)strlen(job->directory) + 1);
    put_strings(out, job->argv);
    put_strings(out, job->env);
    return true;
}

void agent_put_eof(GByteArray *out, uint64_t stdin_bytes)
{
    uint8_t bytes[8];

    le64_store(bytes, stdin_bytes);
    put_head(out, sizeof(bytes), 'E');
    g_byte_array_append(out, bytes, sizeof(bytes));
}

void agent_put_size(GByteArray *out, unsigned rows, unsigned columns)
{
    put_head(out, 8, 'W');
    put_u32(out, rows);
    put_u32(out, columns);
}
