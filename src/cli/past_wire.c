/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "past_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool send_all(int fd, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    while (len > 0) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return false;
        }
        at += MAX(sent, 0);
        len -= (size_t)MAX(sent, 0);
    }
    return true;
}

static bool receive_all(int fd, void *bytes, size_t len)
{
    uint8_t *at = bytes;

    while (len > 0) {
        ssize_t got = recv(fd, at, len, 0);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return false;
        }
        at += MAX(got, 0);
        len -= (size_t)MAX(got, 0);
    }
    return true;
}

bool past_wire_send(int fd, const struct past_message *message, const GByteArray *state)
{
    struct past_message whole = *message;

    whole.state_len = state ? state->len : 0;
    return send_all(fd, &whole, sizeof(whole)) && (!state || send_all(fd, state->data, state->len));
}

bool past_wire_receive(int fd, struct past_message *message, GByteArray **state)
{
    *state = NULL;
    if (!receive_all(fd, message, sizeof(*message))) {
        return false;
    }
    if (message->state_len) {
        *state = g_byte_array_new();
        g_byte_array_set_size(*state, message->state_len);
        if (!receive_all(fd, (*state)->data, message->state_len)) {
            g_clear_pointer(state, g_byte_array_unref);
            return false;
        }
    }
    return true;
}

/* ---- What came from outside ---- */

/* Then the name with its NUL, and the bytes. */
struct entry_head {
    uint64_t at_ps;
    uint32_t kind, len;
    uint64_t name_len; /* no padding in between: it is written as it is */
};

static bool write_all(struct past_inputs *inputs, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    while (len > 0) {
        ssize_t done = write(inputs->fd, at, len);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        at += MAX(done, 0);
        len -= (size_t)MAX(done, 0);
    }
    return true;
}

void past_inputs_keep(void *opaque, const struct sim_input_entry *entry)
{
    struct past_inputs *inputs = opaque;
    const struct entry_head head = {.at_ps = entry->at_ps,
                                    .kind = entry->kind,
                                    .len = entry->len,
                                    .name_len = strlen(entry->source) + 1};

    if (inputs->next.keep) {
        inputs->next.keep(inputs->next.opaque, entry);
    }
    if (inputs->fd < 0) {
        return;
    }
    if (write_all(inputs, &head, sizeof(head)) && write_all(inputs, entry->source, head.name_len) &&
        write_all(inputs, entry->bytes, entry->len)) {
        inputs->len += sizeof(head) + head.name_len + entry->len;
    } else {
        close(inputs->fd); /* no way back any more */
        inputs->fd = -1;
    }
}

bool past_replay_open(struct past_replay *replay, const struct past_inputs *inputs, uint64_t from)
{
    struct stat st;

    *replay = (struct past_replay){.at = {from, from}};
    if (inputs->fd < 0 || fstat(inputs->fd, &st) != 0) {
        return false;
    }
    replay->len = (uint64_t)st.st_size;
    if (replay->len == 0) {
        return true;
    }
    void *bytes = mmap(NULL, replay->len, PROT_READ, MAP_SHARED, inputs->fd, 0);
    replay->bytes = bytes == MAP_FAILED ? NULL : bytes;
    return replay->bytes != NULL;
}

bool past_replay_next(void *opaque, enum sim_input_kind kind, struct sim_input_entry *entry)
{
    struct past_replay *replay = opaque;
    uint64_t *at = &replay->at[kind];
    struct entry_head head;

    while (*at + sizeof(head) <= replay->len) {
        const uint8_t *bytes = replay->bytes + *at + sizeof(head);
        memcpy(&head, replay->bytes + *at, sizeof(head));
        *at += sizeof(head) + head.name_len + head.len;
        if (head.kind == (uint32_t)kind) {
            *entry = (struct sim_input_entry){.at_ps = head.at_ps,
                                              .kind = kind,
                                              .source = (const char *)bytes,
                                              .bytes = bytes + head.name_len,
                                              .len = head.len};
            return true;
        }
    }
    return false;
}
