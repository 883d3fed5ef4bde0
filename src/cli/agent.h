/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's side of the agent's control port: guest/agent/agent.h says what passes. What comes
 * from the guest is hostile: a frame that is none ends the conversation, and nothing else.
 */
#ifndef PCILAB_CLI_AGENT_H
#define PCILAB_CLI_AGENT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define AGENT_HEAD_BYTES    5
#define AGENT_JOB_BYTES_MAX (16u << 20)

enum agent_said {
    AGENT_NOTHING, /* not yet */
    AGENT_READY,
    AGENT_STARTED,
    AGENT_STATUS, /* link->status is set */
    AGENT_NONSENSE,
};

struct agent_link {
    uint8_t frame[AGENT_HEAD_BYTES + 4];
    unsigned len;
    bool broken; /* it spoke nonsense: it is not listened to any more */
    uint8_t status;
};

/* Takes bytes from *data on, up to the end of one frame, and says what that frame was. */
enum agent_said agent_hear(struct agent_link *link, const uint8_t **data, uint32_t *len);

struct agent_job {
    bool tty;
    unsigned rows, columns;
    const char *directory;
    const char *const *argv, *const *env; /* NULL-terminated; any bytes */
};

/* These append a frame. False: the job is larger than AGENT_JOB_BYTES_MAX. */
bool agent_put_job(GByteArray *out, const struct agent_job *job);
void agent_put_eof(GByteArray *out, uint64_t stdin_bytes);
void agent_put_size(GByteArray *out, unsigned rows, unsigned columns);

#endif
