/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An NVMe controller of the laboratory, with queues in the host's memory and commands by hand (NVM
 * Express Base 2.0; offsets and bits are written down here, not taken from the model). */
#ifndef PCILAB_SRC_CONFORM_NVME_LAB_H
#define PCILAB_SRC_CONFORM_NVME_LAB_H

#include "lab.h"

#define NVME_ENTRIES 16           /* of each queue */
#define NVME_DATA    0x1100000ull /* free from here on */

struct nvme_queue {
    uint64_t sq, cq;
    unsigned tail, head;
    bool phase;
};

struct nvme_lab {
    struct conform_ctx *t;
    struct lab *lab;
    char *name;
    uint64_t bar;
    unsigned stride; /* of doorbells, bytes */
    struct nvme_queue queue[2];
    uint16_t cid; /* of the last command */
};

/* 3.3.3.1 */
struct nvme_command {
    uint8_t opcode, flags;
    uint32_t nsid;
    uint64_t prp1, prp2;
    uint32_t cdw10, cdw11, cdw12, cdw13;
};
/* 3.3.3.2 */
struct nvme_completion {
    uint32_t dw0;
    uint16_t sq_head, sq_id, cid;
    unsigned status;   /* type in 10:8, code in 7:0 */
    bool phase, again; /* Do Not Retry is clear */
};

/* A controller that is ready; with `io`, one pair of I/O queues, too. False: there is none, t says
 * so. */
bool nlab_begin(struct nvme_lab *n, struct lab *lab, bool io);
void nlab_end(struct nvme_lab *n);

uint64_t nlab_get(struct nvme_lab *n, unsigned reg, unsigned len);
void nlab_put(struct nvme_lab *n, unsigned reg, uint32_t value);
bool nlab_set_ready(struct nvme_lab *n, bool ready);
void nlab_doorbell(struct nvme_lab *n, unsigned queue, bool head, uint32_t value);

/* Submits it; it is not waited for. */
void nlab_send(struct nvme_lab *n, unsigned queue, const struct nvme_command *command);
/* The next completion, for which it waits up to 200 ms; false: none. */
bool nlab_take(struct nvme_lab *n, unsigned queue, struct nvme_completion *completion);
/* Both: the status, and 0x10000 where nothing came. */
unsigned nlab_run(struct nvme_lab *n, unsigned queue, const struct nvme_command *command,
                  struct nvme_completion *completion);

/* 5.17: a structure, 4096 bytes at NVME_DATA. */
unsigned nlab_identify(struct nvme_lab *n, unsigned cns, uint32_t nsid);
uint64_t nlab_ram(struct nvme_lab *n, uint64_t addr, unsigned len);
/* Of namespace 1. */
unsigned nlab_block_bytes(struct nvme_lab *n);

/* A procedure that begins with a controller; its body follows. */
#define NVME_PROCEDURE(name, io)                                                                   \
    static void name##_on(struct conform_ctx *t, struct nvme_lab *n);                              \
    LAB_PROCEDURE(name)                                                                            \
    {                                                                                              \
        struct nvme_lab n;                                                                         \
                                                                                                   \
        if (nlab_begin(&n, lab, io))                                                               \
            name##_on(t, &n);                                                                      \
        nlab_end(&n);                                                                              \
    }                                                                                              \
    static void name##_on(struct conform_ctx *t, struct nvme_lab *n)

#define NVME_RULE(i, sec, fn, p, text)                                                             \
    {                                                                                              \
        .id = "nvme." i, .group = "nvme", .document = CONFORM_NVME, .section = sec,                \
        .needs = CONFORM_LAB, .procedure = fn, .param = p, .requirement = text                     \
    }

#endif
