/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compare and Write as one (Base 2.0, 3.4.3; NVM 1.0, 2.1.4): two entries that follow each other in
 * a submission queue. Entries may arrive from host memory in any order; each waits for the other.
 *
 * The data of both is fetched first; then both happen in one instant, or neither.
 */
#include "nvme.h"

static struct nvme_cmd *find_slot(const struct nvme_cmd *cmd, uint32_t slot)
{
    for (struct nvme_cmd *it = cmd->sq->cmds; it; it = it->next) {
        if (it != cmd && it->slot == slot) {
            return it;
        }
    }
    return NULL;
}

static struct nvme_cmd *before(const struct nvme_cmd *cmd)
{
    return find_slot(cmd, (cmd->slot + cmd->sq->size - 1) % cmd->sq->size);
}

static struct nvme_cmd *after(const struct nvme_cmd *cmd)
{
    return find_slot(cmd, (cmd->slot + 1) % cmd->sq->size);
}

static bool waits(const struct nvme_cmd *cmd, unsigned fuse)
{
    return cmd && cmd->state == NVME_CMD_WAITING && cmd->fuse == fuse && !cmd->partner;
}

static bool being_fetched(const struct nvme_cmd *cmd)
{
    return cmd && cmd->state == NVME_CMD_FETCHING;
}

static void start(struct nvme_cmd *cmd, uint16_t status)
{
    cmd->status = cmd->status ? cmd->status : status;
    if (!sim_event_pending(&cmd->timer)) {
        sim_schedule_in(cmd->ctrl->sim, &cmd->timer, cmd->op ? cmd->op->latency_ps : PS_PER_US);
    }
}

/* The second is held until the first has run. */
static void pair(struct nvme_cmd *first, struct nvme_cmd *second)
{
    first->partner = second;
    second->partner = first;
    if (second->status) {
        start(second, NVME_OK);
    } else {
        start(first, NVME_OK);
    }
}

static const uint16_t missing = NVME_MISSING_FUSED | NVME_STATUS_DNR;

static bool hold_first(struct nvme_cmd *cmd)
{
    struct nvme_cmd *next = after(cmd);
    uint32_t slot = (cmd->slot + 1) % cmd->sq->size;

    if (waits(next, SQE_FUSE_SECOND)) {
        pair(cmd, next);
    } else if (!being_fetched(next) && (next || cmd->sq->head != slot || cmd->sq->tail == slot)) {
        start(cmd, missing);
    }
    return true;
}

static bool hold_second(struct nvme_cmd *cmd)
{
    struct nvme_cmd *prev = before(cmd);

    if (waits(prev, SQE_FUSE_FIRST)) {
        pair(prev, cmd);
    } else if (!being_fetched(prev)) {
        start(cmd, missing);
    }
    return true;
}

bool nvme_fused_fetched(struct nvme_cmd *cmd)
{
    struct nvme_cmd *prev = before(cmd), *next = after(cmd);

    if (cmd->fuse != SQE_FUSE_SECOND && waits(prev, SQE_FUSE_FIRST)) {
        start(prev, missing);
    }
    if (cmd->fuse != SQE_FUSE_FIRST && waits(next, SQE_FUSE_SECOND)) {
        start(next, missing);
    }
    if (cmd->fuse == SQE_FUSE_FIRST) {
        return hold_first(cmd);
    }
    return cmd->fuse == SQE_FUSE_SECOND && hold_second(cmd);
}

/* One that fails takes the other along, unless that one moves data; it finds out itself then. */
void nvme_fused_complete(struct nvme_cmd *cmd, uint16_t status)
{
    struct nvme_cmd *other = cmd->partner;

    if (!other) {
        return;
    }
    cmd->partner = other->partner = NULL;
    if (status && !other->dma) {
        nvme_complete(other, NVME_FAILED_FUSED | NVME_STATUS_DNR);
    }
}

static void both_received(struct nvme_cmd *second)
{
    struct nvme_cmd *first = second->partner;
    uint16_t status;

    if (!first) {
        nvme_complete(second, NVME_FAILED_FUSED | NVME_STATUS_DNR);
        return;
    }
    status = nvme_compare_and_write(first, second);
    if (!status) {
        first->partner = second->partner = NULL;
    }
    nvme_complete(first, status);
    if (!status) {
        nvme_write_done(second);
    }
}

static void first_received(struct nvme_cmd *first)
{
    struct nvme_cmd *second = first->partner;

    if (!second) {
        nvme_complete(first, NVME_FAILED_FUSED | NVME_STATUS_DNR);
        return;
    }
    second->state = NVME_CMD_RUNNING;
    if (nvme_blocks_begin(second, true, true)) {
        nvme_transfer_start(second, false, (uint32_t)second->blocks << second->lba_shift,
                            nvme_keep_in_buffer, both_received);
    }
}

void nvme_fused_run(struct nvme_cmd *first)
{
    const struct nvme_cmd *second = first->partner;

    if (!second || second->nsid != first->nsid || second->op->opcode != NVME_IO_WRITE ||
        le64_load(second->sqe + SQE_CDW10) != le64_load(first->sqe + SQE_CDW10) ||
        le16_load(second->sqe + SQE_CDW12) != le16_load(first->sqe + SQE_CDW12) ||
        le16_load(first->sqe + SQE_CDW12) >= NVME_ACWU_BLOCKS) {
        nvme_complete(first, NVME_INVALID_FIELD | NVME_STATUS_DNR);
        return;
    }
    if (nvme_blocks_begin(first, false, true)) {
        nvme_transfer_start(first, false, (uint32_t)first->blocks << first->lba_shift,
                            nvme_keep_in_buffer, first_received);
    }
}
