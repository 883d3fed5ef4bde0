/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asynchronous events (Base 2.0, 5.2). A request keeps its context but gives its place in the
 * completion queue back; it takes one again when there is an event. After an event its type is
 * masked until the host reads the log page that belongs to it.
 */
#include "nvme.h"

static const uint8_t event_log[NVME_EVENT_TYPES] = {
    [NVME_EVENT_ERROR] = NVME_LOG_ERROR,
    [NVME_EVENT_SMART] = NVME_LOG_SMART,
    [NVME_EVENT_NOTICE] = NVME_LOG_CHANGED_NAMESPACES,
};

void nvme_async_event_request(struct nvme_cmd *cmd)
{
    struct nvme *ctrl = cmd->ctrl;

    if (ctrl->aers == NVME_AER_MAX) {
        nvme_complete(cmd, NVME_AER_LIMIT_EXCEEDED | NVME_STATUS_DNR);
        return;
    }
    ctrl->aer[ctrl->aers++] = cmd;
    cmd->sq->cq->reserved--;
    nvme_events_deliver(ctrl);
    nvme_kick(ctrl);
}

/* Takes a waiting request out, with a place in the completion queue. */
static struct nvme_cmd *aer_take(struct nvme *ctrl, unsigned index)
{
    struct nvme_cmd *cmd = ctrl->aer[index];

    ctrl->aers--;
    for (unsigned i = index; i < ctrl->aers; i++) {
        ctrl->aer[i] = ctrl->aer[i + 1];
    }
    cmd->sq->cq->reserved++;
    return cmd;
}

bool nvme_aer_abort(struct nvme *ctrl, uint16_t cid)
{
    for (unsigned i = 0; i < ctrl->aers; i++) {
        if (ctrl->aer[i]->cid == cid && nvme_cq_has_room(&ctrl->cq[0])) {
            nvme_complete(aer_take(ctrl, i), NVME_ABORT_REQUESTED);
            return true;
        }
    }
    return false;
}

void nvme_event(struct nvme *ctrl, enum nvme_event_type type, unsigned info)
{
    ctrl->event_pending[type] |= (uint8_t)BIT(info);
    nvme_events_deliver(ctrl);
}

void nvme_event_clear(struct nvme *ctrl, enum nvme_event_type type)
{
    ctrl->event_masked[type] = false;
    nvme_events_deliver(ctrl);
}

/* The list (Base 2.0, 5.16.1.5) is kept whether the host wants the notice or not. */
void nvme_event_namespace(struct nvme *ctrl, uint32_t nsid)
{
    if (ctrl->state != NVME_READY) {
        return;
    }
    ctrl->changed |= (uint32_t)BIT(nsid - 1);
    if (nvme_feature(ctrl, NVME_FEAT_ASYNC_EVENTS) & NVME_NOTICE_NAMESPACE) {
        nvme_event(ctrl, NVME_EVENT_NOTICE, NVME_EVENT_NAMESPACE_CHANGED);
    }
}

void nvme_events_deliver(struct nvme *ctrl)
{
    for (unsigned type = 0; type < NVME_EVENT_TYPES; type++) {
        unsigned pending = ctrl->event_pending[type];
        if (!pending || ctrl->event_masked[type] || !ctrl->aers ||
            !nvme_cq_has_room(&ctrl->cq[0])) {
            continue;
        }
        unsigned info = (unsigned)__builtin_ctz(pending);
        ctrl->event_pending[type] &= (uint8_t)~BIT(info);
        ctrl->event_masked[type] = true;
        struct nvme_cmd *cmd = aer_take(ctrl, 0);
        cmd->result = type | info << 8 | (uint32_t)event_log[type] << 16;
        nvme_complete(cmd, NVME_OK);
    }
}

void nvme_events_reset(struct nvme *ctrl)
{
    memset(ctrl->event_pending, 0, sizeof(ctrl->event_pending));
    memset(ctrl->event_masked, 0, sizeof(ctrl->event_masked));
    ctrl->warning = 0;
    ctrl->warned = 0;
    ctrl->changed = 0;
}

/* SMART critical warnings (Base 5.16.1.3) and the events that the host asked for. The temperature
 * is the only one that can change. */
void nvme_warning_update(struct nvme *ctrl)
{
    uint16_t temp = nvme_temperature(ctrl);

    ctrl->warning = temp >= ctrl->temp_over || temp <= ctrl->temp_under ? BIT(1) : 0;
    uint8_t warned = ctrl->warning & (uint8_t)nvme_feature(ctrl, NVME_FEAT_ASYNC_EVENTS);
    if (warned & ~ctrl->warned) {
        nvme_event(ctrl, NVME_EVENT_SMART, NVME_EVENT_TEMPERATURE);
    }
    ctrl->warned = warned;
}
