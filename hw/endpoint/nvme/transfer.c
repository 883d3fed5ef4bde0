/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data of a command: Physical Region Page entries and lists (Base 2.0, 4.1.1); SGLs are in
 * sgl.c.
 *
 * A transfer goes chunk by chunk through the command's buffer. For each chunk the PRPs or the SGL
 * are walked (lists are read from host memory as needed), neighbouring pages are joined, and all
 * pieces, or as many as a command has operations for, are given to the requester at once; the last
 * piece's done() goes on.
 */
#include "nvme.h"

static void segment_done(struct dma_op *op, enum dma_status status);

static void transfer_next_chunk(struct nvme_cmd *cmd)
{
    struct nvme_transfer *x = &cmd->xfer;

    if (x->pos == x->len) {
        x->done(cmd);
        return;
    }
    x->chunk = MIN(x->len - x->pos, NVME_CHUNK_BYTES);
    x->segs = 0;
    if (x->to_host) {
        uint16_t status = x->move(cmd, x->pos, x->chunk);
        if (status) {
            nvme_complete(cmd, status);
            return;
        }
    }
    nvme_transfer_continue(cmd);
}

/* All that was mapped has arrived. */
static void transfer_arrived(struct nvme_cmd *cmd)
{
    struct nvme_transfer *x = &cmd->xfer;

    x->segs = 0;
    if (x->mapped < x->pos + x->chunk) {
        nvme_transfer_continue(cmd);
        return;
    }
    if (!x->to_host) {
        uint16_t result = x->move(cmd, x->pos, x->chunk);
        if (result) {
            nvme_complete(cmd, result);
            return;
        }
    }
    x->pos += x->chunk;
    transfer_next_chunk(cmd);
}

static void transfer_send(struct nvme_cmd *cmd)
{
    unsigned segs = cmd->xfer.segs;

    cmd->xfer.failed = false;
    for (unsigned i = 0; i < segs; i++) {
        nvme_dma(cmd, &cmd->seg[i]);
    }
    if (!segs) { /* bit buckets */
        transfer_arrived(cmd);
    }
}

static void segment_done(struct dma_op *op, enum dma_status status)
{
    struct nvme_cmd *cmd = op->opaque;
    struct nvme_transfer *x = &cmd->xfer;

    if (!nvme_dma_done(cmd)) {
        return;
    }
    x->failed |= status != DMA_OK;
    if (cmd->dma) {
        return;
    }
    if (x->failed) {
        nvme_complete(cmd, NVME_DATA_TRANSFER_ERROR);
        return;
    }
    transfer_arrived(cmd);
}

/* Appends bytes of the current page to the chunk. */
static void transfer_add(struct nvme_cmd *cmd, uint32_t in_chunk, uint32_t len)
{
    struct nvme_transfer *x = &cmd->xfer;
    struct dma_op *last = x->segs ? &cmd->seg[x->segs - 1] : NULL;

    /* Pages that follow each other become one operation, but not across the end of addresses. */
    if (last && x->page_addr && last->addr + last->len == x->page_addr &&
        last->buf + last->len == cmd->buf + in_chunk) {
        last->len += len;
        return;
    }
    assert(x->segs < NVME_CHUNK_SEGS);
    cmd->seg[x->segs++] = (struct dma_op){
        .kind = x->to_host ? DMA_WRITE : DMA_READ,
        .addr = x->page_addr,
        .len = len,
        .buf = cmd->buf + in_chunk,
        .done = segment_done,
    };
}

static void list_read(struct dma_op *op, enum dma_status status)
{
    struct nvme_cmd *cmd = op->opaque;
    struct nvme_transfer *x = &cmd->xfer;
    uint32_t low = cmd->ctrl->page_bytes - 1;

    if (!nvme_dma_done(cmd)) {
        return;
    }
    if (status != DMA_OK) {
        nvme_complete(cmd, NVME_DATA_TRANSFER_ERROR);
        return;
    }
    x->list_pos = 0;
    if (x->list_chained) {
        x->list_next = le64_load(cmd->list + (size_t)x->list_len * 8);
        if (x->list_next & low) {
            nvme_complete(cmd, NVME_PRP_OFFSET_INVALID | NVME_STATUS_DNR);
            return;
        }
    } else {
        x->list_next += (uint64_t)x->list_len * 8;
    }
    nvme_transfer_continue(cmd);
}

/* Reads as many entries as are needed, stand in this page of the list and fit the buffer. The last
 * entry of a page points to the next list where more pages follow than it could name. */
static void transfer_read_list(struct nvme_cmd *cmd)
{
    struct nvme_transfer *x = &cmd->xfer;
    uint32_t page = cmd->ctrl->page_bytes;
    uint32_t needed = (x->len - x->mapped + page - 1) / page;
    uint32_t slots = (page - (uint32_t)(x->list_next & (page - 1))) / 8;

    assert(needed && slots);
    x->list_chained = false;
    if (needed > slots) {
        needed = slots - 1;
        x->list_chained = needed <= NVME_LIST_ENTRIES;
    }
    x->list_len = MIN(needed, NVME_LIST_ENTRIES);
    cmd->fetch_op = (struct dma_op){
        .kind = DMA_READ,
        .addr = x->list_next,
        .len = (x->list_len + x->list_chained) * 8,
        .buf = cmd->list,
        .done = list_read,
    };
    nvme_dma(cmd, &cmd->fetch_op);
}

/* As nvme_sgl_next(). */
static bool prp_next(struct nvme_cmd *cmd)
{
    struct nvme_transfer *x = &cmd->xfer;
    uint32_t page = cmd->ctrl->page_bytes;

    if (x->list_pos == x->list_len) {
        transfer_read_list(cmd);
        return false;
    }
    x->page_addr = le64_load(cmd->list + (size_t)x->list_pos++ * 8);
    x->page_left = MIN(page, x->len - x->mapped);
    if (x->page_addr & (page - 1)) {
        nvme_complete(cmd, NVME_PRP_OFFSET_INVALID | NVME_STATUS_DNR);
        return false;
    }
    return true;
}

void nvme_transfer_continue(struct nvme_cmd *cmd)
{
    struct nvme_transfer *x = &cmd->xfer;

    while (x->mapped < x->pos + x->chunk && x->segs < NVME_CHUNK_SEGS) {
        if (!x->page_left && !(x->sgl ? nvme_sgl_next(cmd) : prp_next(cmd))) {
            return;
        }
        uint32_t in_chunk = x->mapped - x->pos;
        uint32_t len = MIN(x->page_left, x->chunk - in_chunk);
        if (!x->bucket) {
            transfer_add(cmd, in_chunk, len);
        }
        x->page_addr += len;
        x->page_left -= len;
        x->mapped += len;
    }
    transfer_send(cmd);
}

/* PRP2 is a page where one more is enough, otherwise the first list, at any quadword. */
void nvme_transfer_start(struct nvme_cmd *cmd, bool to_host, uint32_t len, nvme_chunk_fn move,
                         void (*done)(struct nvme_cmd *cmd))
{
    uint32_t page = cmd->ctrl->page_bytes;
    uint64_t prp1 = le64_load(cmd->sqe + SQE_PRP1), prp2 = le64_load(cmd->sqe + SQE_PRP2);
    uint32_t first = MIN(len, page - (uint32_t)(prp1 & (page - 1)));

    cmd->xfer = (struct nvme_transfer){
        .to_host = to_host,
        .len = len,
        .move = move,
        .done = done,
        .page_addr = prp1,
        .page_left = first,
    };
    if (cmd->sqe[SQE_FLAGS] & SQE_FLAGS_PSDT) {
        cmd->xfer.page_left = 0;
        nvme_sgl_start(cmd);
        transfer_next_chunk(cmd);
        return;
    }
    if ((prp1 & 3) || (len - first > page && (prp2 & 7))) {
        nvme_complete(cmd, NVME_PRP_OFFSET_INVALID | NVME_STATUS_DNR);
        return;
    }
    if (len - first > page) {
        cmd->xfer.list_next = prp2;
    } else if (len > first) {
        le64_store(cmd->list, prp2);
        cmd->xfer.list_len = 1;
    }
    transfer_next_chunk(cmd);
}

void nvme_transfer_complete(struct nvme_cmd *cmd)
{
    nvme_complete(cmd, NVME_OK);
}
