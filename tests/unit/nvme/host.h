/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small NVMe driver for tests: queues in the mock's memory, commands by hand. */
#ifndef PCILAB_TESTS_NVME_HOST_H
#define PCILAB_TESTS_NVME_HOST_H

#include "mock.h"
#include "pcilab/endpoint/nvme_spec.h"

#define HOST_RAM_BYTES  (16u << 20)
#define HOST_QUEUES     5 /* admin and four more */
#define HOST_ENTRIES    64
#define HOST_DATA       0x400000 /* free for data from here */
#define HOST_DISK_BYTES (20u << 20)

struct host_queue {
    uint64_t sq, cq; /* addresses */
    unsigned sq_size, cq_size;
    unsigned tail, head;
    bool phase;
    unsigned sq_head; /* as last reported */
};

struct host {
    struct mock *mock;
    struct endpoint *ep;
    struct endpoint_func *func;
    struct host_queue queue[HOST_QUEUES];
    uint16_t next_cid;
    uint8_t *disk;
    unsigned flushes;
    int disk_error; /* what the storage returns when not 0 */
};

struct host_result {
    uint16_t status; /* without phase and MORE */
    uint16_t cid, sqid;
    uint64_t value;
};

struct host_cmd {
    uint8_t opcode, flags;
    uint32_t nsid;
    uint64_t prp1, prp2;
    uint32_t cdw10, cdw11, cdw12, cdw13, cdw14;
};

struct host *host_new(bool read_only);
/* With more of the parameters; what is 0 there is as with host_new(). */
struct host *host_new_with(const struct nvme_params *more);
void host_free(struct host *host);
/* Registers. */
uint32_t host_csts(struct host *host);
/* Admin queue and CC.EN; waits for RDY. */
void host_enable(struct host *host);
void host_disable(struct host *host);
/* New pair; vector and size in entries. */
void host_make_queue(struct host *host, unsigned qid, unsigned entries, unsigned vector);
/* host_new(), MSI-X, enabled, one I/O queue pair. */
struct host *host_ready(bool read_only);
struct host *host_ready_with(const struct nvme_params *more);

uint16_t host_queue_cmd(struct host *host, unsigned qid, const struct host_cmd *cmd);
void host_ring(struct host *host, unsigned qid);
/* The next completion, if there is one; consumes it and rings the head doorbell. */
bool host_poll(struct host *host, unsigned qid, struct host_result *result);
/* Waits up to a virtual second; asserts that it comes. */
struct host_result host_wait(struct host *host, unsigned qid);
struct host_result host_run(struct host *host, unsigned qid, const struct host_cmd *cmd);
/* Runs it and returns the status (16 bits, MORE removed). */
uint16_t host_status(struct host *host, unsigned qid, const struct host_cmd *cmd);

#define DNR(s) ((s) | NVME_STATUS_DNR)

#endif
