/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doorbells in host memory (Base 2.0, 5.8 and annex B.5): the host writes tails and heads to a
 * shadow page, and rings the real doorbell only when it passes the index that the controller last
 * put into the EventIdx page.
 *
 * Before the controller rests on a doorbell, it puts its present value there, then looks at the
 * shadow once more. I/O queues only, as Linux 6.12 does it.
 */
#include "nvme.h"

struct nvme_shadow {
    struct nvme *ctrl;
    uint16_t index; /* of the doorbell: 2 * QID, + 1 for a completion queue's head */
    bool busy, again;
    bool stale; /* the controller was reset meanwhile */
    uint8_t bytes[4];
    struct dma_op op;
};

static void shadow_start(struct nvme_shadow *shadow);

static uint32_t doorbell_now(const struct nvme *ctrl, unsigned index)
{
    return index & 1 ? ctrl->cq[index / 2].head : ctrl->sq[index / 2].tail;
}

static bool queue_exists(const struct nvme *ctrl, unsigned index)
{
    return index & 1 ? ctrl->cq[index / 2].exists : ctrl->sq[index / 2].exists;
}

static void shadow_dma(struct nvme_shadow *shadow, enum dma_kind kind, uint64_t page,
                       void (*done)(struct dma_op *op, enum dma_status status))
{
    shadow->op = (struct dma_op){
        .kind = kind,
        .addr = page + shadow->index * 4u,
        .len = 4,
        .buf = shadow->bytes,
        .done = done,
        .opaque = shadow,
    };
    shadow->ctrl->live_dma++;
    nvme_dma_start(shadow->ctrl, &shadow->op);
}

/* True when there is something to go on with. */
static bool shadow_step(struct nvme_shadow *shadow, enum dma_status status)
{
    struct nvme *ctrl = shadow->ctrl;

    ctrl->live_dma--;
    if (shadow->stale) {
        shadow->stale = shadow->busy = false;
        if (!ctrl->live_dma) {
            nvme_dma_drained(ctrl);
        }
        return false;
    }
    if (status != DMA_OK) {
        shadow->busy = false;
        nvme_fatal(ctrl, "a shadow doorbell could not be reached");
        return false;
    }
    return true;
}

static void shadow_read(struct dma_op *op, enum dma_status status)
{
    struct nvme_shadow *shadow = op->opaque;
    struct nvme *ctrl = shadow->ctrl;
    uint32_t value = le32_load(shadow->bytes);

    if (!shadow_step(shadow, status)) {
        return;
    }
    shadow->busy = false;
    if (queue_exists(ctrl, shadow->index) && value != doorbell_now(ctrl, shadow->index)) {
        nvme_doorbell(ctrl, NVME_REG_DOORBELLS + shadow->index * 4u, value);
    } else if (shadow->again) {
        shadow_start(shadow);
    }
}

static void event_index_written(struct dma_op *op, enum dma_status status)
{
    struct nvme_shadow *shadow = op->opaque;

    if (shadow_step(shadow, status)) {
        shadow_dma(shadow, DMA_READ, shadow->ctrl->shadow_page, shadow_read);
    }
}

static void shadow_start(struct nvme_shadow *shadow)
{
    struct nvme *ctrl = shadow->ctrl;

    shadow->busy = true;
    shadow->again = false;
    le32_store(shadow->bytes, doorbell_now(ctrl, shadow->index));
    shadow_dma(shadow, DMA_WRITE, ctrl->event_index_page, event_index_written);
}

void nvme_shadow_rest(struct nvme *ctrl, unsigned qid, bool cq)
{
    unsigned index = qid * 2 + cq;

    if (!ctrl->shadow_page || !qid || !queue_exists(ctrl, index)) {
        return;
    }
    if (ctrl->shadow[index].busy) {
        ctrl->shadow[index].again = true;
    } else {
        shadow_start(&ctrl->shadow[index]);
    }
}

void nvme_doorbell_buffer(struct nvme_cmd *cmd)
{
    struct nvme *ctrl = cmd->ctrl;
    uint64_t shadow = le64_load(cmd->sqe + SQE_PRP1), event = le64_load(cmd->sqe + SQE_PRP2);

    if (!shadow || !event || ((shadow | event) & (ctrl->page_bytes - 1))) {
        nvme_complete(cmd, NVME_INVALID_FIELD | NVME_STATUS_DNR);
        return;
    }
    ctrl->shadow_page = shadow;
    ctrl->event_index_page = event;
    nvme_complete(cmd, NVME_OK);
    for (unsigned qid = 1; qid <= ctrl->io_queues; qid++) {
        nvme_shadow_rest(ctrl, qid, false);
        nvme_shadow_rest(ctrl, qid, true);
    }
}

void nvme_shadow_init(struct nvme *ctrl)
{
    ctrl->shadow = g_new0(struct nvme_shadow, NVME_QUEUES_MAX * 2);
    for (unsigned i = 0; i < NVME_QUEUES_MAX * 2; i++) {
        ctrl->shadow[i].ctrl = ctrl;
        ctrl->shadow[i].index = (uint16_t)i;
    }
}

void nvme_shadow_reset(struct nvme *ctrl, bool dma_gone)
{
    ctrl->shadow_page = 0;
    for (unsigned i = 0; ctrl->shadow && i < NVME_QUEUES_MAX * 2; i++) {
        struct nvme_shadow *shadow = &ctrl->shadow[i];
        if (shadow->busy && dma_gone) {
            ctrl->live_dma--;
            shadow->busy = shadow->stale = false;
        } else {
            shadow->stale = shadow->busy;
        }
        shadow->again = false;
    }
}
