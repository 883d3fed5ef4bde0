/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Admin commands: the table, queue management and Abort (Base 2.0, chapter 5). */
#include "nvme.h"

#define ADMIN_PS (5 * PS_PER_US)

#define QUEUE_PC   BIT(0) /* physically contiguous */
#define QUEUE_IEN  BIT(1)
#define QUEUE_PRIO GENMASK(2, 1) /* submission queues: enum nvme_class */
#define QUEUE_QID  GENMASK(15, 0)
#define QUEUE_SIZE GENMASK(31, 16)

static uint16_t fail(enum nvme_status status)
{
    return (uint16_t)(status | NVME_STATUS_DNR);
}

/* What Create I/O Submission Queue and Create I/O Completion Queue have in common. CHOICE: entry
 * sizes in CC that are not the required ones make every queue size invalid. */
static uint16_t find_queue_error(const struct nvme_cmd *cmd, bool exists, uint64_t entry_size,
                                 unsigned required_size)
{
    uint32_t cdw10 = nvme_dword(cmd, SQE_CDW10), cdw11 = nvme_dword(cmd, SQE_CDW11);
    uint64_t qid = FIELD_GET(QUEUE_QID, cdw10), size = FIELD_GET(QUEUE_SIZE, cdw10);

    if (!qid || qid >= NVME_QUEUES_MAX || exists ||
        (qid > cmd->ctrl->io_queues && !nvme_flawed(cmd->ctrl, FLAW_NVME_QID))) {
        return fail(NVME_INVALID_QID);
    }
    if ((!size && !nvme_flawed(cmd->ctrl, FLAW_NVME_QUEUE_SIZE)) ||
        size >= NVME_QUEUE_ENTRIES_MAX || entry_size != required_size) {
        return fail(NVME_INVALID_QUEUE_SIZE);
    }
    if (!(cdw11 & QUEUE_PC) && !nvme_flawed(cmd->ctrl, FLAW_NVME_CONTIGUOUS)) { /* CAP.CQR is 1 */
        return fail(NVME_INVALID_FIELD);
    }
    if (le64_load(cmd->sqe + SQE_PRP1) & (cmd->ctrl->page_bytes - 1) &&
        !nvme_flawed(cmd->ctrl, FLAW_NVME_QUEUE_OFFSET)) {
        return fail(NVME_PRP_OFFSET_INVALID);
    }
    return NVME_OK;
}

static unsigned command_qid(const struct nvme_cmd *cmd)
{
    return (unsigned)FIELD_GET(QUEUE_QID, nvme_dword(cmd, SQE_CDW10));
}

/* Base 5.4 */
static void create_cq(struct nvme_cmd *cmd)
{
    struct nvme *ctrl = cmd->ctrl;
    uint32_t cdw11 = nvme_dword(cmd, SQE_CDW11);
    unsigned qid = command_qid(cmd), vector = cdw11 >> 16;
    uint64_t entry = FIELD_GET(NVME_CC_IOCQES, reg_get(ctrl->regs, NVME_REG_CC));
    bool exists = qid < NVME_QUEUES_MAX && ctrl->cq[qid].exists;
    uint16_t status = find_queue_error(cmd, exists, entry, 4);

    if (!status && vector >= nvme_irq_vectors(ctrl)) {
        status = fail(NVME_INVALID_VECTOR);
    }
    if (!status) {
        ctrl->cq[qid] = (struct nvme_cq){
            .exists = true,
            .irq_enabled = cdw11 & QUEUE_IEN,
            .phase = true,
            .qid = (uint16_t)qid,
            .vector = (uint16_t)vector,
            .size = (uint32_t)FIELD_GET(QUEUE_SIZE, nvme_dword(cmd, SQE_CDW10)) + 1,
            .base = le64_load(cmd->sqe + SQE_PRP1),
        };
        ctrl->io_queues_made++;
    }
    nvme_complete(cmd, status);
}

/* Base 5.5 */
static void create_sq(struct nvme_cmd *cmd)
{
    struct nvme *ctrl = cmd->ctrl;
    unsigned qid = command_qid(cmd), cqid = nvme_dword(cmd, SQE_CDW11) >> 16;
    uint64_t entry = FIELD_GET(NVME_CC_IOSQES, reg_get(ctrl->regs, NVME_REG_CC));
    bool exists = qid < NVME_QUEUES_MAX && ctrl->sq[qid].exists;
    uint16_t status = find_queue_error(cmd, exists, entry, 6);

    if (!status && (!cqid || cqid > ctrl->io_queues)) {
        status = fail(NVME_INVALID_QID);
    } else if (!status && !ctrl->cq[cqid].exists) {
        status = fail(NVME_CQ_INVALID);
    }
    if (!status) {
        ctrl->cq[cqid].users++;
        ctrl->sq[qid] = (struct nvme_sq){
            .exists = true,
            .qid = (uint16_t)qid,
            .cq = &ctrl->cq[cqid],
            .class = (uint8_t)FIELD_GET(QUEUE_PRIO, nvme_dword(cmd, SQE_CDW11)),
            .size = (uint32_t)FIELD_GET(QUEUE_SIZE, nvme_dword(cmd, SQE_CDW10)) + 1,
            .base = le64_load(cmd->sqe + SQE_PRP1),
        };
        ctrl->io_queues_made++;
    }
    nvme_complete(cmd, status);
}

/* Base 5.6. Completion queues with submission queues cannot be deleted. */
static void delete_cq(struct nvme_cmd *cmd)
{
    struct nvme *ctrl = cmd->ctrl;
    unsigned qid = command_qid(cmd);

    if (!qid || qid >= NVME_QUEUES_MAX || !ctrl->cq[qid].exists) {
        nvme_complete(cmd, fail(NVME_INVALID_QID));
        return;
    }
    if (ctrl->cq[qid].users) {
        nvme_complete(cmd, fail(nvme_flawed(ctrl, FLAW_NVME_QUEUE_DELETION)
                                    ? NVME_INVALID_QID
                                    : NVME_INVALID_QUEUE_DELETION));
        return;
    }
    ctrl->cq[qid] = (struct nvme_cq){.exists = false};
    ctrl->io_queues_made--;
    nvme_irq_update_intx(ctrl);
    nvme_complete(cmd, NVME_OK);
}

/* Base 5.7. Commands that have not begun are aborted; the others finish first. */
static void delete_sq(struct nvme_cmd *cmd)
{
    struct nvme *ctrl = cmd->ctrl;
    unsigned qid = command_qid(cmd);
    struct nvme_sq *sq = qid < NVME_QUEUES_MAX ? &ctrl->sq[qid] : NULL;

    if (!qid || !sq || !sq->exists || sq->deleter) {
        nvme_complete(cmd, fail(NVME_INVALID_QID));
        return;
    }
    sq->deleter = cmd;
    for (struct nvme_cmd *other = sq->cmds; other; other = other->next) {
        if (other->state == NVME_CMD_WAITING) {
            nvme_complete(other, NVME_ABORTED_SQ_DELETION);
        }
    }
    nvme_sq_drained(sq);
}

void nvme_sq_drained(struct nvme_sq *sq)
{
    struct nvme_cmd *deleter = sq->deleter;

    if (!deleter || sq->cmds) {
        return;
    }
    sq->cq->users--;
    *sq = (struct nvme_sq){.exists = false};
    deleter->ctrl->io_queues_made--;
    nvme_complete(deleter, NVME_OK);
}

static bool abort_command(struct nvme *ctrl, unsigned qid, uint16_t cid)
{
    if (qid == 0 && nvme_aer_abort(ctrl, cid)) {
        return true;
    }
    if (qid >= NVME_QUEUES_MAX || !ctrl->sq[qid].exists) {
        return false;
    }
    for (struct nvme_cmd *cmd = ctrl->sq[qid].cmds; cmd; cmd = cmd->next) {
        if (cmd->cid == cid && cmd->state == NVME_CMD_WAITING) {
            nvme_complete(cmd, NVME_ABORT_REQUESTED);
            return true;
        }
    }
    return false;
}

/* Base 5.1. Bit 0 of the result: not aborted. What already moves data is let finish. */
static void abort_run(struct nvme_cmd *cmd)
{
    struct nvme *ctrl = cmd->ctrl;
    uint32_t cdw10 = nvme_dword(cmd, SQE_CDW10);
    unsigned aborts = 0;

    for (const struct nvme_cmd *other = ctrl->sq[0].cmds; other; other = other->next) {
        aborts += other->op == cmd->op && other->state != NVME_CMD_POSTING &&
                  other->state != NVME_CMD_FETCHING;
    }
    if (aborts > NVME_ABORT_MAX && !nvme_flawed(ctrl, FLAW_NVME_ABORT_LIMIT)) {
        nvme_complete(cmd, NVME_ABORT_LIMIT_EXCEEDED);
        return;
    }
    cmd->result = !abort_command(ctrl, cdw10 & 0xffff, (uint16_t)(cdw10 >> 16));
    nvme_complete(cmd, NVME_OK);
}

#define EFFECTS (NVME_EFFECT_CSUPP | NVME_EFFECT_SCOPE_CTRL)

const struct nvme_opcode nvme_admin_opcodes[] = {
    {"delete_sq", "Base 2.0 5.7", NVME_ADMIN_DELETE_SQ, EFFECTS, ADMIN_PS, delete_sq},
    {"create_sq", "Base 2.0 5.5", NVME_ADMIN_CREATE_SQ, EFFECTS, ADMIN_PS, create_sq},
    {"get_log_page", "Base 2.0 5.16", NVME_ADMIN_GET_LOG_PAGE, EFFECTS, ADMIN_PS,
     nvme_get_log_page},
    {"delete_cq", "Base 2.0 5.6", NVME_ADMIN_DELETE_CQ, EFFECTS, ADMIN_PS, delete_cq},
    {"create_cq", "Base 2.0 5.4", NVME_ADMIN_CREATE_CQ, EFFECTS, ADMIN_PS, create_cq},
    {"identify", "Base 2.0 5.17", NVME_ADMIN_IDENTIFY, EFFECTS, ADMIN_PS, nvme_identify},
    {"abort", "Base 2.0 5.1", NVME_ADMIN_ABORT, EFFECTS, ADMIN_PS, abort_run},
    {"set_features", "Base 2.0 5.27", NVME_ADMIN_SET_FEATURES, EFFECTS, ADMIN_PS,
     nvme_set_features},
    {"get_features", "Base 2.0 5.15", NVME_ADMIN_GET_FEATURES, EFFECTS, ADMIN_PS,
     nvme_get_features},
    {"namespace_management", "Base 2.0 5.23", NVME_ADMIN_NS_MANAGEMENT,
     NVME_EFFECT_CSUPP | NVME_EFFECT_NIC | NVME_EFFECT_SCOPE_NAMESPACE, ADMIN_PS,
     nvme_namespace_management, NVME_PRIMARY},
    {"namespace_attachment", "Base 2.0 5.22", NVME_ADMIN_NS_ATTACHMENT,
     NVME_EFFECT_CSUPP | NVME_EFFECT_NIC | NVME_EFFECT_SCOPE_NAMESPACE, ADMIN_PS,
     nvme_namespace_attachment, NVME_PRIMARY},
    {"format_nvm", "Base 2.0 5.14", NVME_ADMIN_FORMAT,
     NVME_EFFECT_CSUPP | NVME_EFFECT_LBCC | NVME_EFFECT_NCC | NVME_EFFECT_CSE_NAMESPACE |
         NVME_EFFECT_SCOPE_NAMESPACE,
     ADMIN_PS, nvme_format_nvm},
    {"virtualization_management", "Base 2.0 5.30", NVME_ADMIN_VIRTUALIZATION, EFFECTS, ADMIN_PS,
     nvme_virtualization, NVME_PRIMARY_WITH_VFS},
    {"doorbell_buffer_config", "Base 2.0 5.8", NVME_ADMIN_DOORBELL_BUFFER, EFFECTS, ADMIN_PS,
     nvme_doorbell_buffer, NVME_WITH_SHADOW},
    {"async_event_request", "Base 2.0 5.2", NVME_ADMIN_ASYNC_EVENT, EFFECTS, ADMIN_PS,
     nvme_async_event_request},
};
const unsigned nvme_admin_opcode_count = ARRAY_LEN(nvme_admin_opcodes);
