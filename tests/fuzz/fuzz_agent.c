/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes at the control port of a command: in one piece or one by one, the same is heard. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "agent.h"

#define HEARD_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is heard when `step` bytes come at a time; returns how many frames. */
static unsigned listen(const uint8_t *data, size_t size, uint32_t step, uint16_t *heard)
{
    struct agent_link link = {0};
    unsigned count = 0;

    for (size_t at = 0; at < size && !link.broken; at += step) {
        const uint8_t *piece = data + at;
        uint32_t len = (uint32_t)MIN(step, size - at);

        while (len && !link.broken && count < HEARD_MAX) {
            enum agent_said said = agent_hear(&link, &piece, &len);
            if (said != AGENT_NOTHING) {
                heard[count++] = (uint16_t)(said << 8 | (said == AGENT_STATUS ? link.status : 0));
            }
        }
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint16_t whole[HEARD_MAX], parts[HEARD_MAX];
    unsigned count;

    if (!size || size > HEARD_MAX) {
        return 0;
    }
    count = listen(data, size, (uint32_t)size, whole);
    g_assert(listen(data, size, 1, parts) == count);
    g_assert(memcmp(whole, parts, count * sizeof(whole[0])) == 0);
    return 0;
}
