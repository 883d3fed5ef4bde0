/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `pcilab fork` and the server that `pcilab boot --serve PATH` leaves say to each other: one
 * struct a packet over a Unix socket, in the byte order of the host that both are on, with file
 * descriptors beside it. Either end takes the other for hostile until a message is found good.
 *
 *   server: HELLO                       who it is, the seed and what the boot cost
 *   client: GO + stdin, stdout, stderr  a continuation, which then speaks there itself
 *   client: SIGNAL                      for the continuation, any number of times
 *   server: RESULT                      from the continuation, unless it was killed
 *   server: END                         its exit status
 * or
 *   client: STOP      server: END       after which nothing is left of it
 */
#ifndef PCILAB_CLI_FORK_WIRE_H
#define PCILAB_CLI_FORK_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fork_verb {
    FORK_HELLO = 1,
    FORK_GO,
    FORK_SIGNAL,
    FORK_RESULT,
    FORK_END,
    FORK_STOP,
};

enum fork_fd {
    FORK_FD_IN,
    FORK_FD_OUT,
    FORK_FD_ERR,
    FORK_FD_LOG, /* with FORK_LOGS */
    FORK_FD_JOB, /* with FORK_COMMAND; a file */
    FORK_FDS_MAX,
};

/* Flags of a message. */
#define FORK_RESEEDS  0x01u /* GO: seed counts; else the boot's stays */
#define FORK_LOGS     0x02u /* GO: the console's log follows the three */
#define FORK_NOTES    0x04u /* GO: say what is done */
#define FORK_MID_LINE 0x08u /* RESULT: the console's last byte was no newline */
#define FORK_COMMAND  0x10u /* HELLO: it waits for a command; GO: this is one */
#define FORK_TTY      0x20u /* GO: the command gets a terminal */
#define FORK_INSPECT  0x40u /* GO: no continuation: stdin is a file of words for inspect.h */
#define FORK_JSON     0x80u /* GO with FORK_INSPECT: answer as JSON */
#define FORK_FLAGS    0xffu

struct fork_message {
    char magic[8];
    uint32_t version, verb;
    uint32_t flags;
    int32_t value;                    /* SIGNAL: which; END: exit status; HELLO: 0 */
    int32_t error;                    /* END: an errno, or 0 */
    uint32_t reserved;                /* 0 */
    uint64_t seed;                    /* HELLO: of the boot; GO */
    uint64_t limit_ps, limit_wall_us; /* GO, from the checkpoint on; 0: as the boot says */
    uint64_t virtual_ps;              /* RESULT */
    int64_t booted_us;                /* HELLO: what the boot took */
    char digest[72];                  /* RESULT: text */
};

void fork_message_init(struct fork_message *message, enum fork_verb verb);
/* Whether these bytes, which came with so many descriptors, are a message. */
bool fork_message_is_good(const void *bytes, size_t len, unsigned fds);
/* Never waits: 0 or an errno. `fds` go with a GO (those that it needs), else NULL. */
int fork_wire_send(int fd, const struct fork_message *message, const int *fds);

enum fork_received {
    FORK_GOT_MESSAGE,
    FORK_GOT_NOTHING, /* nothing there yet */
    FORK_GOT_END,     /* the other end has gone, or sends what is no message */
};
/* Never waits. With a GO, `fds` are the caller's to close, -1 what did not come; otherwise, and
 * with fds NULL, descriptors that came are closed. */
enum fork_received fork_wire_receive(int fd, struct fork_message *message, int fds[FORK_FDS_MAX]);

#endif
