/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of the control socket. */
#ifndef PCILAB_SRC_CONTROL_INTERNAL_H
#define PCILAB_SRC_CONTROL_INTERNAL_H

#include <sys/types.h>

#include "pcilab/control/control.h"

/* A call that was not answered yet; notifications have no id. */
struct pending {
    struct pending *next;
    uint64_t number;
    struct control_peer *peer;
    JsonNode *id;
};

struct control {
    struct control_host host;
    struct control_peer *peers;
    struct pending *pending;
    uint64_t last_number;

    int fd; /* listens; -1: none */
    char *path;
    bool is_ours; /* what is there, and it is this: */
    dev_t device;
    ino_t inode;
    unsigned connections;
};

struct control_peer {
    struct control *control;
    struct control_peer *next;
    GByteArray *input;  /* of a line that has not ended */
    GByteArray *output; /* not sent yet */
    unsigned calls;     /* under way */
    char **wants;       /* kinds of events, or NULL */
    bool lost;
    bool ended; /* it sends nothing more */
    int fd;     /* -1: none */
};

/* socket.c: the last bytes go, then the connections. */
void control_close(struct control *control);

#endif
