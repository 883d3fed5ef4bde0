/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scatter Gather Lists (Base 2.0, 4.1.2): data blocks, bit buckets, segments. A list is walked
 * descriptor by descriptor as the data goes, a stretch of a segment at a time.
 */
#include "nvme.h"

#define DESC_BYTES 16
/* CHOICE: a list of more descriptors, which can be endless, is invalid. */
#define DESCS_MAX 65536

enum { DESC_ADDRESS = 0, DESC_LENGTH = 8, DESC_ID = 15 };
enum { SGL_DATA_BLOCK = 0, SGL_BIT_BUCKET = 1, SGL_SEGMENT = 2, SGL_LAST_SEGMENT = 3 };

static bool sgl_fail(struct nvme_cmd *cmd, enum nvme_status status)
{
    nvme_complete(cmd, (uint16_t)(status | NVME_STATUS_DNR));
    return false;
}

/* The descriptor in the command stands as a list of one. */
void nvme_sgl_start(struct nvme_cmd *cmd)
{
    struct nvme_transfer *x = &cmd->xfer;

    x->sgl = true;
    x->sgl_first = true;
    memcpy(cmd->list, cmd->sqe + SQE_PRP1, DESC_BYTES);
    x->list_len = 1;
}

static void descriptors_read(struct dma_op *op, enum dma_status status)
{
    struct nvme_cmd *cmd = op->opaque;
    struct nvme_transfer *x = &cmd->xfer;

    if (!nvme_dma_done(cmd)) {
        return;
    }
    if (status != DMA_OK) {
        nvme_complete(cmd, NVME_DATA_TRANSFER_ERROR);
        return;
    }
    x->list_pos = 0;
    nvme_transfer_continue(cmd);
}

static bool read_descriptors(struct nvme_cmd *cmd)
{
    struct nvme_transfer *x = &cmd->xfer;

    if (!x->segment_left) {
        return sgl_fail(cmd, NVME_SGL_LENGTH_INVALID);
    }
    x->list_len = MIN(x->segment_left / DESC_BYTES, NVME_LIST_ENTRIES * 8 / DESC_BYTES);
    cmd->fetch_op = (struct dma_op){
        .kind = DMA_READ,
        .addr = x->list_next,
        .len = x->list_len * DESC_BYTES,
        .buf = cmd->list,
        .done = descriptors_read,
    };
    x->list_next += cmd->fetch_op.len;
    x->segment_left -= cmd->fetch_op.len;
    nvme_dma(cmd, &cmd->fetch_op);
    return false;
}

/* Only the end of a segment that is not the last one leads on, and it has to. */
static bool enter_segment(struct nvme_cmd *cmd, const uint8_t *desc, bool at_end)
{
    struct nvme_transfer *x = &cmd->xfer;
    uint32_t len = le32_load(desc + DESC_LENGTH);

    if (!at_end || x->sgl_last) {
        return sgl_fail(cmd, NVME_SGL_COUNT_INVALID);
    }
    if (!len || len % DESC_BYTES) {
        return sgl_fail(cmd, NVME_SGL_SEGMENT_INVALID);
    }
    x->sgl_first = false;
    x->sgl_last = desc[DESC_ID] >> 4 == SGL_LAST_SEGMENT;
    x->list_next = le64_load(desc + DESC_ADDRESS);
    x->segment_left = len;
    x->list_pos = x->list_len = 0;
    return true;
}

/* False when the command is over, or goes on when more of the list is there. */
static bool take_descriptor(struct nvme_cmd *cmd)
{
    struct nvme_transfer *x = &cmd->xfer;
    const uint8_t *desc = cmd->list + (size_t)x->list_pos++ * DESC_BYTES;
    unsigned type = desc[DESC_ID] >> 4, subtype = desc[DESC_ID] & 0xf;
    bool at_end = x->list_pos == x->list_len && !x->segment_left;
    uint32_t len = le32_load(desc + DESC_LENGTH);

    if (subtype || type > SGL_LAST_SEGMENT) {
        return sgl_fail(cmd, NVME_SGL_TYPE_INVALID);
    }
    if (++x->descs > DESCS_MAX) {
        return sgl_fail(cmd, NVME_SGL_COUNT_INVALID);
    }
    if (type >= SGL_SEGMENT) {
        return enter_segment(cmd, desc, at_end);
    }
    if (at_end && !x->sgl_last && !x->sgl_first) {
        return sgl_fail(cmd, NVME_SGL_COUNT_INVALID);
    }
    x->bucket = type == SGL_BIT_BUCKET;
    if (x->bucket && !x->to_host) { /* takes data away, and gives none (figure 92) */
        len = 0;
    }
    x->page_addr = le64_load(desc + DESC_ADDRESS);
    x->page_left = MIN(len, x->len - x->mapped);
    return true;
}

bool nvme_sgl_next(struct nvme_cmd *cmd)
{
    struct nvme_transfer *x = &cmd->xfer;

    while (!x->page_left) {
        if (x->list_pos == x->list_len) {
            return read_descriptors(cmd);
        }
        if (!take_descriptor(cmd)) {
            return false;
        }
    }
    return true;
}
