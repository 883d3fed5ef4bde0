/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Format NVM (Base 2.0, 5.14; NVM 1.0, 4.1.2). CHOICE: whatever erase is asked for, everything
 * reads as zeroes afterwards.
 */
#include "nvme.h"

#define CDW10_LBAF  GENMASK(3, 0)
#define CDW10_PLAIN GENMASK(8, 4) /* metadata and protection: none here */
#define CDW10_SES   GENMASK(11, 9)
#define CDW10_LBAFU GENMASK(13, 12)
enum { SES_NONE, SES_USER_DATA }; /* the other is by cryptography */

/* One event of the simulator stays short. CHOICE: and takes so long in virtual time. */
#define SLICE_BYTES (16u << 20)
#define SLICE_PS    (20 * PS_PER_US)

static uint16_t fail(enum nvme_status status)
{
    return (uint16_t)(status | NVME_STATUS_DNR);
}

/* cmd->format_ns is at work: cmd->lba is its next byte, cmd->blocks the bytes left. A new namespace
 * is zeroed in the same way. */
static bool is_format(const struct nvme_cmd *cmd)
{
    return cmd->sqe[SQE_OPCODE] == NVME_ADMIN_FORMAT;
}

static void format_over(struct nvme_cmd *cmd, uint16_t status)
{
    cmd->format_ns->formatting = false;
    cmd->format_ns = NULL;
    nvme_complete(cmd, status);
}

static void format_finish(struct nvme_cmd *cmd)
{
    struct nvme_namespace *ns = cmd->format_ns;

    if (!is_format(cmd)) {
        format_over(cmd, NVME_OK);
        return;
    }
    nvme_namespace_set_format(ns, (unsigned)FIELD_GET(CDW10_LBAF, nvme_dword(cmd, SQE_CDW10)));
    nvme_namespace_changed(ns);
    for (uint32_t nsid = ns->nsid + 1; cmd->nsid == NVME_NSID_ALL && nsid <= NVME_NAMESPACES;
         nsid++) {
        if (nvme_find_namespace(cmd->ctrl, nsid)) {
            ns->formatting = false;
            nvme_format_begin(cmd, nvme_find_namespace(cmd->ctrl, nsid));
            return;
        }
    }
    format_over(cmd, NVME_OK);
}

static void format_slice(struct nvme_cmd *cmd)
{
    struct nvme_namespace *ns = cmd->format_ns;
    uint64_t n = MIN(cmd->blocks, SLICE_BYTES);
    int err;

    if (ns->generation != cmd->generation) { /* deleted meanwhile */
        cmd->format_ns = NULL;
        nvme_complete(cmd, fail(NVME_INVALID_FIELD));
        return;
    }
    err = nvme_namespace_zero(ns, cmd->lba, n);
    if (err) {
        format_over(cmd, nvme_media_status(cmd, err, NVME_WRITE_FAULT));
        return;
    }
    cmd->lba += n;
    cmd->blocks -= n;
    if (!cmd->blocks) {
        format_finish(cmd);
        return;
    }
    cmd->resume = format_slice;
    sim_schedule_in(cmd->ctrl->sim, &cmd->timer, SLICE_PS);
}

void nvme_format_begin(struct nvme_cmd *cmd, struct nvme_namespace *ns)
{
    ns->formatting = true;
    ns->generation++; /* what is under way ends */
    cmd->generation = ns->generation;
    cmd->format_ns = ns;
    cmd->lba = 0;
    cmd->blocks = ns->bytes;
    format_slice(cmd);
}

/* CHOICE: a reset ends the command where it is; a namespace that was being made is not there. */
void nvme_format_dropped(struct nvme_cmd *cmd)
{
    struct nvme_namespace *ns = cmd->format_ns;

    cmd->format_ns = NULL;
    if (!ns || ns->generation != cmd->generation) {
        return;
    }
    ns->formatting = false;
    if (!is_format(cmd)) {
        nvme_namespace_delete(ns);
    }
}

static uint16_t find_format_error(struct nvme_cmd *cmd)
{
    uint32_t cdw10 = nvme_dword(cmd, SQE_CDW10);
    uint16_t status = NVME_OK;

    if (FIELD_GET(CDW10_LBAF, cdw10) >= NVME_FORMATS || (cdw10 & (CDW10_PLAIN | CDW10_LBAFU))) {
        return fail(NVME_INVALID_FORMAT);
    }
    if (FIELD_GET(CDW10_SES, cdw10) > SES_USER_DATA) {
        return fail(NVME_INVALID_FIELD);
    }
    for (uint32_t nsid = 1; nsid <= NVME_NAMESPACES && !status; nsid++) {
        const struct nvme_namespace *ns = nvme_find_namespace(cmd->ctrl, nsid);
        if (!ns || (cmd->nsid != nsid && cmd->nsid != NVME_NSID_ALL)) {
            continue;
        }
        if (ns->write_protected) {
            status = fail(NVME_WRITE_PROTECTED);
        } else if (ns->formatting) {
            status = NVME_FORMAT_IN_PROGRESS;
        }
    }
    return status;
}

void nvme_format_nvm(struct nvme_cmd *cmd)
{
    uint16_t status = NVME_OK;
    uint32_t first = cmd->nsid;

    if (cmd->nsid == NVME_NSID_ALL) {
        for (first = 1; first <= NVME_NAMESPACES; first++) {
            if (nvme_find_namespace(cmd->ctrl, first)) {
                break;
            }
        }
    } else {
        status = nvme_namespace_status(cmd->ctrl, cmd->nsid);
    }
    if (!status) {
        status = find_format_error(cmd);
    }
    if (status || first > NVME_NAMESPACES) {
        nvme_complete(cmd, status);
        return;
    }
    nvme_format_begin(cmd, &cmd->ctrl->subsys->ns[first - 1]);
}
