/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues: doorbells, arbitration, fetching and completing of commands (Base 2.0, 3.3; PCIe 1.0,
 * 3.1.2).
 */
#include "nvme.h"

/* CHOICE: from a doorbell to the fetch; also the time between two turns of the arbiter. */
#define ARBITER_PS (100 * PS_PER_NS)
/* Commands fetched in one turn, so that one event of the simulator stays short. */
#define FETCHES_PER_TURN 32
/* CHOICE: how long a controller takes to reject a command. */
#define REJECT_PS (1 * PS_PER_US)

static void arbiter_fn(void *opaque);
static void cmd_timer_fn(void *opaque);
static void fetched(struct dma_op *op, enum dma_status status);
static void posted(struct dma_op *op, enum dma_status status);

static bool opcode_is_there(const struct nvme *ctrl, const struct nvme_opcode *op)
{
    bool primary = ctrl->cntlid == 0;

    switch (op->needs) {
    case NVME_PRIMARY: return primary;
    case NVME_PRIMARY_WITH_VFS: return primary && ctrl->subsys->flexible;
    case NVME_WITH_SHADOW: return ctrl->shadow != NULL;
    default: return true;
    }
}

void nvme_queues_init(struct nvme *ctrl)
{
    sim_event_init(&ctrl->arbiter, arbiter_fn, ctrl);
    for (unsigned i = 0; i < nvme_admin_opcode_count; i++) {
        if (opcode_is_there(ctrl, &nvme_admin_opcodes[i])) {
            ctrl->admin_op[nvme_admin_opcodes[i].opcode] = &nvme_admin_opcodes[i];
        }
    }
    for (unsigned i = 0; i < nvme_io_opcode_count; i++) {
        ctrl->io_op[nvme_io_opcodes[i].opcode] = &nvme_io_opcodes[i];
    }
}

void nvme_queues_free(struct nvme *ctrl)
{
    for (unsigned i = 0; i < ctrl->cmds_made; i++) {
        g_free(ctrl->cmds[i]->buf);
        g_free(ctrl->cmds[i]);
    }
    g_free(ctrl->scratch);
}

void nvme_queues_enable(struct nvme *ctrl)
{
    uint64_t aqa = reg_get(ctrl->regs, NVME_REG_AQA);

    ctrl->cq[0] = (struct nvme_cq){
        .exists = true,
        .irq_enabled = true,
        .phase = true,
        .size = (uint32_t)FIELD_GET(NVME_AQA_ACQS, aqa) + 1,
        .base = reg_get(ctrl->regs, NVME_REG_ACQ),
        .users = 1,
    };
    ctrl->sq[0] = (struct nvme_sq){
        .exists = true,
        .cq = &ctrl->cq[0],
        .size = (uint32_t)FIELD_GET(NVME_AQA_ASQS, aqa) + 1,
        .base = reg_get(ctrl->regs, NVME_REG_ASQ),
    };
    nvme_arbiter_reset(ctrl);
}

/* Contexts. */

/* Once each, however long the controller lives. */
static struct nvme_cmd *cmd_make(struct nvme *ctrl)
{
    struct nvme_cmd *cmd = g_new0(struct nvme_cmd, 1);

    assert(ctrl->cmds_made < NVME_CMDS);
    cmd->ctrl = ctrl;
    cmd->buf = g_malloc0(NVME_CHUNK_BYTES);
    sim_event_init(&cmd->timer, cmd_timer_fn, cmd);
    ctrl->cmds[ctrl->cmds_made++] = cmd;
    return cmd;
}

static struct nvme_cmd *cmd_take(struct nvme *ctrl, struct nvme_sq *sq)
{
    struct nvme_cmd *cmd = ctrl->free_cmds;

    if (cmd) {
        ctrl->free_cmds = cmd->next;
    } else {
        cmd = cmd_make(ctrl);
    }
    assert(cmd->state == NVME_CMD_FREE && !cmd->dma);
    cmd->sq = sq;
    cmd->prev = NULL;
    cmd->next = sq->cmds;
    if (cmd->next) {
        cmd->next->prev = cmd;
    }
    sq->cmds = cmd;
    cmd->state = NVME_CMD_FETCHING;
    cmd->dead = false;
    cmd->op = NULL;
    cmd->status = NVME_OK;
    cmd->result = 0;
    cmd->lba = 0;
    cmd->fuse = 0;
    cmd->partner = NULL;
    cmd->slot = sq->head;
    sq->cq->reserved++;
    if (sq->qid) {
        if (!ctrl->io_cmds++) {
            ctrl->smart.busy_since_ps = ctrl->sim->now_ps;
        }
    } else {
        ctrl->admin_cmds++;
    }
    return cmd;
}

static void cmd_unlink(struct nvme_cmd *cmd)
{
    struct nvme *ctrl = cmd->ctrl;

    if (cmd->prev) {
        cmd->prev->next = cmd->next;
    } else {
        cmd->sq->cmds = cmd->next;
    }
    if (cmd->next) {
        cmd->next->prev = cmd->prev;
    }
    if (cmd->sq->qid) {
        if (!--ctrl->io_cmds) {
            ctrl->smart.busy_ps += ctrl->sim->now_ps - ctrl->smart.busy_since_ps;
        }
    } else {
        ctrl->admin_cmds--;
    }
    cmd->sq = NULL;
}

static void cmd_free(struct nvme_cmd *cmd)
{
    struct nvme *ctrl = cmd->ctrl;

    assert(!cmd->dma && !cmd->sq);
    cmd->state = NVME_CMD_FREE;
    cmd->next = ctrl->free_cmds;
    ctrl->free_cmds = cmd;
}

static void cmd_release(struct nvme_cmd *cmd)
{
    struct nvme_sq *sq = cmd->sq;

    cmd_unlink(cmd);
    cmd_free(cmd);
    nvme_sq_drained(sq);
}

void nvme_dma_start(struct nvme *ctrl, struct dma_op *op)
{
    op->translate = ctrl->ats; /* while they are enabled */
    if (!nvme_memory_access(ctrl, op)) {
        endpoint_dma(ctrl->func, op);
    }
}

void nvme_dma(struct nvme_cmd *cmd, struct dma_op *op)
{
    cmd->dma++;
    cmd->ctrl->live_dma++;
    op->opaque = cmd;
    nvme_dma_start(cmd->ctrl, op);
}

bool nvme_dma_done(struct nvme_cmd *cmd)
{
    struct nvme *ctrl = cmd->ctrl;

    assert(cmd->dma && ctrl->live_dma);
    cmd->dma--;
    ctrl->live_dma--;
    if (!cmd->dead) {
        return true;
    }
    if (!cmd->dma) {
        cmd_free(cmd);
    }
    if (!ctrl->live_dma) {
        nvme_dma_drained(ctrl);
    }
    return false;
}

void nvme_queues_disable(struct nvme *ctrl, bool dma_gone)
{
    for (unsigned i = 0; i < ctrl->cmds_made; i++) {
        struct nvme_cmd *cmd = ctrl->cmds[i];
        if (cmd->state == NVME_CMD_FREE) {
            continue;
        }
        if (dma_gone) {
            ctrl->live_dma -= cmd->dma;
            cmd->dma = 0;
        }
        sim_cancel(ctrl->sim, &cmd->timer);
        nvme_format_dropped(cmd);
        if (cmd->sq) {
            cmd_unlink(cmd);
        }
        cmd->dead = true;
        if (!cmd->dma) {
            cmd_free(cmd);
        }
    }
    for (unsigned i = 0; i < NVME_QUEUES_MAX; i++) {
        ctrl->sq[i] = (struct nvme_sq){.exists = false};
        ctrl->cq[i] = (struct nvme_cq){.exists = false};
    }
    ctrl->io_queues_made = 0;
    ctrl->aers = 0;
    sim_cancel(ctrl->sim, &ctrl->arbiter);
    nvme_irq_update_intx(ctrl);
}

/* Doorbells. */

/* The error log has an entry that belongs to no command: its identifier is FFFFh. */
static void doorbell_error(struct nvme *ctrl, const char *why, unsigned event, uint64_t qid)
{
    struct nvme_error error = {.sqid = (uint16_t)qid, .cid = 0xffff};

    nvme_rule(ctrl, why, qid);
    nvme_log_error(ctrl, &error);
    nvme_event(ctrl, NVME_EVENT_ERROR, event);
}

static bool doorbell_value_ok(struct nvme *ctrl, const char *why, bool ok, uint16_t qid)
{
    if (!ok && !nvme_flawed(ctrl, FLAW_NVME_DOORBELL)) {
        doorbell_error(ctrl, why, NVME_EVENT_INVALID_DOORBELL_VALUE, qid);
    }
    return ok;
}

static void doorbell_sq(struct nvme *ctrl, struct nvme_sq *sq, uint32_t value)
{
    if (!doorbell_value_ok(ctrl, "submission queue tail outside the queue", value < sq->size,
                           sq->qid)) {
        return;
    }
    uint32_t queued = (sq->tail + sq->size - sq->head) % sq->size;
    uint32_t added = (value + sq->size - sq->tail) % sq->size;
    if (!doorbell_value_ok(ctrl, "submission queue tail passes the head", queued + added < sq->size,
                           value)) {
        return;
    }
    sq->tail = value;
    nvme_kick(ctrl);
}

static void doorbell_cq(struct nvme *ctrl, struct nvme_cq *cq, uint32_t value)
{
    if (!doorbell_value_ok(ctrl, "completion queue head outside the queue", value < cq->size,
                           cq->qid)) {
        return;
    }
    uint32_t taken = (value + cq->size - cq->head) % cq->size;
    if (!doorbell_value_ok(ctrl, "completion queue head passes the tail", taken <= nvme_cq_used(cq),
                           value)) {
        return;
    }
    cq->head = value;
    nvme_irq_update_intx(ctrl);
    if (cq->qid == 0) {
        nvme_events_deliver(ctrl);
    }
    nvme_kick(ctrl);
}

/* PCIe 1.0, 3.1.2.1 and 3.1.2.2, with CAP.DSTRD 0; Base 5.2.1 for the events. */
void nvme_doorbell(struct nvme *ctrl, uint64_t offset, uint32_t value)
{
    uint64_t index = (offset - NVME_REG_DOORBELLS) / 4;
    uint64_t qid = index / 2;

    if (ctrl->state != NVME_READY) {
        nvme_rule(ctrl, "doorbell while the controller is not ready", offset);
        return;
    }
    value &= 0xffff;
    if (qid < NVME_QUEUES_MAX && !(index & 1) && ctrl->sq[qid].exists) {
        doorbell_sq(ctrl, &ctrl->sq[qid], value);
    } else if (qid < NVME_QUEUES_MAX && (index & 1) && ctrl->cq[qid].exists) {
        doorbell_cq(ctrl, &ctrl->cq[qid], value);
    } else if (!nvme_flawed(ctrl, FLAW_NVME_DOORBELL_QUEUE)) {
        doorbell_error(ctrl, "doorbell of a queue that does not exist",
                       NVME_EVENT_INVALID_DOORBELL_REGISTER, qid);
    }
}

/* Fetching. */

void nvme_kick(struct nvme *ctrl)
{
    if (ctrl->state == NVME_READY && !sim_event_pending(&ctrl->arbiter)) {
        sim_schedule_in(ctrl->sim, &ctrl->arbiter, ARBITER_PS);
    }
}

static void fetch(struct nvme *ctrl, struct nvme_sq *sq)
{
    struct nvme_cmd *cmd = cmd_take(ctrl, sq);

    cmd->fetch_op = (struct dma_op){
        .kind = DMA_READ,
        .addr = sq->base + (uint64_t)sq->head * NVME_SQE_BYTES,
        .len = NVME_SQE_BYTES,
        .buf = cmd->sqe,
        .done = fetched,
    };
    sq->head = (sq->head + 1) % sq->size;
    nvme_dma(cmd, &cmd->fetch_op);
}

/* With shadow doorbells the host may have taken completions that we do not know of. */
static void look_for_room(struct nvme *ctrl)
{
    for (unsigned i = 1; ctrl->shadow_page && i <= ctrl->io_queues; i++) {
        const struct nvme_sq *sq = &ctrl->sq[i];
        if (sq->exists && sq->head != sq->tail && !nvme_cq_has_room(sq->cq)) {
            nvme_shadow_rest(ctrl, sq->cq->qid, true);
        }
    }
}

static void arbiter_fn(void *opaque)
{
    struct nvme *ctrl = opaque;

    for (unsigned i = 0; i < FETCHES_PER_TURN; i++) {
        struct nvme_sq *sq = nvme_running(ctrl) ? nvme_arbitrate(ctrl) : NULL;
        if (!sq) {
            look_for_room(ctrl);
            return;
        }
        fetch(ctrl, sq);
        if (sq->head == sq->tail) {
            nvme_shadow_rest(ctrl, sq->qid, false);
        }
    }
    nvme_kick(ctrl);
}

/* 3 is reserved; no command is 0 there. */
static const uint16_t fused_opcode[] = {
    [SQE_FUSE_FIRST] = NVME_IO_COMPARE, [SQE_FUSE_SECOND] = NVME_IO_WRITE, [3] = 0x100};

/* What can be said of a command before it runs (Base 3.3.3.1). */
static uint16_t find_command_error(const struct nvme_cmd *cmd)
{
    for (const struct nvme_cmd *other = cmd->sq->cmds; other; other = other->next) {
        if (other != cmd && other->cid == cmd->cid && other->state != NVME_CMD_FETCHING &&
            other->state != NVME_CMD_POSTING) {
            return NVME_CID_CONFLICT | NVME_STATUS_DNR;
        }
    }
    if (!cmd->op) {
        return NVME_INVALID_OPCODE | NVME_STATUS_DNR;
    }
    unsigned psdt = cmd->sqe[SQE_FLAGS] >> 6;
    if (cmd->fuse && !nvme_flawed(cmd->ctrl, FLAW_NVME_FUSED) &&
        (!cmd->sq->qid || cmd->op->opcode != fused_opcode[cmd->fuse])) {
        return NVME_INVALID_FIELD | NVME_STATUS_DNR;
    }
    /* Admin commands have PRPs (PCIe 1.0, 3.4). */
    if (psdt > SQE_PSDT_SGL_META_SGL ||
        (psdt && !cmd->sq->qid && !nvme_flawed(cmd->ctrl, FLAW_NVME_SGL_ADMIN))) {
        return NVME_INVALID_FIELD | NVME_STATUS_DNR;
    }
    return NVME_OK;
}

static void fetched(struct dma_op *op, enum dma_status status)
{
    struct nvme_cmd *cmd = op->opaque;
    struct nvme *ctrl = cmd->ctrl;

    if (!nvme_dma_done(cmd)) {
        return;
    }
    if (status != DMA_OK) {
        nvme_fatal(ctrl, "a submission queue entry could not be read");
        return;
    }
    cmd->cid = le16_load(cmd->sqe + SQE_CID);
    cmd->nsid = nvme_dword(cmd, SQE_NSID);
    cmd->op = (cmd->sq->qid ? ctrl->io_op : ctrl->admin_op)[cmd->sqe[SQE_OPCODE]];
    cmd->fuse = cmd->sqe[SQE_FLAGS] & SQE_FLAGS_FUSE;
    cmd->status = find_command_error(cmd);
    cmd->state = NVME_CMD_WAITING;
    if (cmd->sq->qid && nvme_fused_fetched(cmd)) {
        return;
    }
    sim_schedule_in(ctrl->sim, &cmd->timer, cmd->status ? REJECT_PS : cmd->op->latency_ps);
}

static void cmd_timer_fn(void *opaque)
{
    struct nvme_cmd *cmd = opaque;

    if (cmd->state == NVME_CMD_WAITING) {
        cmd->state = NVME_CMD_RUNNING;
        if (cmd->status) {
            nvme_complete(cmd, cmd->status);
            return;
        }
        cmd->op->run(cmd);
        return;
    }
    cmd->resume(cmd);
}

/* Completion (Base 3.3.3.2). */

static void log_failure(struct nvme_cmd *cmd, uint16_t status)
{
    struct nvme_error error = {
        .sqid = cmd->sq->qid,
        .cid = cmd->cid,
        .status = status,
        .lba = cmd->lba,
        .nsid = cmd->nsid,
    };

    nvme_log_error(cmd->ctrl, &error);
}

void nvme_complete(struct nvme_cmd *cmd, uint16_t status)
{
    struct nvme_sq *sq = cmd->sq;
    struct nvme_cq *cq = sq->cq;

    assert(cq->reserved && cmd->state != NVME_CMD_POSTING && !cmd->format_ns);
    sim_cancel(cmd->ctrl->sim, &cmd->timer);
    if (status && status != NVME_ABORT_REQUESTED && status != NVME_ABORTED_SQ_DELETION) {
        status |= NVME_STATUS_MORE; /* there is an entry in the error log */
        if (!nvme_flawed(cmd->ctrl, FLAW_NVME_MORE))
            log_failure(cmd, status);
    }
    cmd->state = NVME_CMD_POSTING;
    le64_store(cmd->cqe, cmd->result);
    le16_store(cmd->cqe + 8, nvme_flawed(cmd->ctrl, FLAW_NVME_SQ_HEAD) ? 0 : (uint16_t)sq->head);
    le16_store(cmd->cqe + 10, sq->qid);
    le16_store(cmd->cqe + 12, nvme_flawed(cmd->ctrl, FLAW_NVME_CID) ? 0 : cmd->cid);
    le16_store(cmd->cqe + 14, (uint16_t)(status << 1 | cq->phase));
    cmd->fetch_op = (struct dma_op){
        .kind = DMA_WRITE,
        .addr = cq->base + (uint64_t)cq->tail * NVME_CQE_BYTES,
        .len = NVME_CQE_BYTES,
        .buf = cmd->cqe,
        .done = posted,
    };
    cq->reserved--;
    if (++cq->tail == cq->size) {
        cq->tail = 0;
        cq->phase ^= !nvme_flawed(cmd->ctrl, FLAW_NVME_PHASE);
    }
    nvme_dma(cmd, &cmd->fetch_op);
    nvme_fused_complete(cmd, status);
}

static void posted(struct dma_op *op, enum dma_status status)
{
    struct nvme_cmd *cmd = op->opaque;
    struct nvme *ctrl = cmd->ctrl;

    if (!nvme_dma_done(cmd)) {
        return;
    }
    if (status != DMA_OK) {
        nvme_fatal(ctrl, "a completion queue entry could not be written");
        return;
    }
    nvme_irq_raise(ctrl, cmd->sq->cq);
    if (ctrl->irq_mode == NVME_IRQ_INTX) { /* the pin falls with the head */
        nvme_shadow_rest(ctrl, cmd->sq->cq->qid, true);
    }
    cmd_release(cmd);
    nvme_kick(ctrl);
}
