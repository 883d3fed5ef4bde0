/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Namespace Management and Namespace Attachment (Base 2.0, 5.23 and 5.22). */
#include "nvme.h"

#define CDW10_SEL GENMASK(3, 0)
#define CDW11_CSI GENMASK(31, 24)
enum { MANAGE_CREATE, MANAGE_DELETE };
enum { ATTACH, DETACH };

/* Of the data of Create: NVM 1.0, 4.1.6. */
enum { NS_NSZE = 0, NS_NCAP = 8, NS_FLBAS = 26, NS_DPS = 29, NS_NMIC = 30, NS_ANAGRPID = 92 };
enum { NS_NVMSETID = 100, NS_ENDGID = 102 };
#define FLBAS_LOW  0x0f
#define FLBAS_REST 0x70 /* metadata at the end of blocks; upper bits of the format */

static uint16_t fail(enum nvme_status status)
{
    return (uint16_t)(status | NVME_STATUS_DNR);
}

static unsigned command_select(const struct nvme_cmd *cmd)
{
    return (unsigned)FIELD_GET(CDW10_SEL, nvme_dword(cmd, SQE_CDW10));
}

static struct nvme_namespace *free_namespace(struct nvme_subsys *subsys)
{
    for (unsigned i = 0; i < NVME_NAMESPACES; i++) {
        if (!subsys->ns[i].exists) {
            return &subsys->ns[i];
        }
    }
    return NULL;
}

static uint16_t find_create_error(const uint8_t *data)
{
    unsigned flbas = data[NS_FLBAS];

    if ((flbas & FLBAS_LOW) >= NVME_FORMATS || (flbas & FLBAS_REST) || data[NS_DPS]) {
        return fail(NVME_INVALID_FORMAT);
    }
    if (data[NS_NMIC] > 1 || le32_load(data + NS_ANAGRPID) || le16_load(data + NS_NVMSETID) ||
        le16_load(data + NS_ENDGID) || !le64_load(data + NS_NSZE)) {
        return fail(NVME_INVALID_FIELD);
    }
    if (le64_load(data + NS_NCAP) != le64_load(data + NS_NSZE)) {
        return fail(NVME_THIN_UNSUPPORTED);
    }
    return NVME_OK;
}

static void create_received(struct nvme_cmd *cmd)
{
    struct nvme_subsys *subsys = cmd->ctrl->subsys;
    struct nvme_namespace *ns = free_namespace(subsys);
    const uint8_t *data = cmd->buf;
    uint16_t status = find_create_error(data);
    unsigned format = data[NS_FLBAS] & FLBAS_LOW;
    uint64_t blocks = le64_load(data + NS_NSZE), bytes;

    if (!status && !ns) {
        status = fail(NVME_NSID_UNAVAILABLE);
    }
    if (!status && (subsys->storage.read_only ||
                    blocks > subsys->storage.size_bytes >> nvme_format_shift(format))) {
        status = fail(NVME_INSUFFICIENT_CAPACITY);
    }
    if (status) {
        nvme_complete(cmd, status);
        return;
    }
    bytes = blocks << nvme_format_shift(format);
    if (!nvme_namespace_allocate(ns, bytes)) {
        nvme_complete(cmd, fail(NVME_INSUFFICIENT_CAPACITY));
        return;
    }
    nvme_namespace_set_format(ns, format);
    ns->shared = data[NS_NMIC] & 1;
    cmd->result = ns->nsid;
    /* Nobody may find what an earlier namespace left there. */
    nvme_format_begin(cmd, ns);
}

static uint16_t delete_namespaces(struct nvme_cmd *cmd)
{
    struct nvme_subsys *subsys = cmd->ctrl->subsys;
    bool all = cmd->nsid == NVME_NSID_ALL;

    if (!all && (cmd->nsid < 1 || cmd->nsid > NVME_NAMESPACES)) {
        return fail(NVME_INVALID_NAMESPACE);
    }
    if (!all && !subsys->ns[cmd->nsid - 1].exists) {
        return fail(NVME_INVALID_FIELD);
    }
    if (subsys->storage.read_only) {
        return fail(NVME_WRITE_PROTECTED);
    }
    for (unsigned i = 0; i < NVME_NAMESPACES; i++) {
        if (subsys->ns[i].exists && (all || cmd->nsid == i + 1)) {
            nvme_namespace_delete(&subsys->ns[i]);
        }
    }
    return NVME_OK;
}

void nvme_namespace_management(struct nvme_cmd *cmd)
{
    unsigned select = command_select(cmd);

    if (FIELD_GET(CDW11_CSI, nvme_dword(cmd, SQE_CDW11)) || select > MANAGE_DELETE) {
        nvme_complete(cmd, fail(NVME_INVALID_FIELD));
    } else if (select == MANAGE_DELETE) {
        nvme_complete(cmd, delete_namespaces(cmd));
    } else {
        nvme_transfer_start(cmd, false, NVME_PAGE_BYTES, nvme_keep_in_buffer, create_received);
    }
}

/* A Controller List (Base 2.0, 4.5.1): how many, then identifiers that ascend. */
static uint16_t find_list_error(const struct nvme_cmd *cmd)
{
    unsigned count = le16_load(cmd->buf);

    if (!count || count > NVME_PAGE_BYTES / 2 - 1) {
        return fail(NVME_CTRL_LIST_INVALID);
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned id = le16_load(cmd->buf + 2 + i * 2u);
        if (id >= cmd->ctrl->subsys->ctrls || (i && id <= le16_load(cmd->buf + i * 2u))) {
            return fail(NVME_CTRL_LIST_INVALID);
        }
    }
    return NVME_OK;
}

/* All of them, or none. */
static uint16_t find_attach_error(const struct nvme_cmd *cmd, const struct nvme_namespace *ns)
{
    unsigned count = le16_load(cmd->buf), attached = 0;
    bool attach = command_select(cmd) == ATTACH;

    for (unsigned i = 0; i < cmd->ctrl->subsys->ctrls; i++) {
        attached += nvme_attached(ns, i);
    }
    for (unsigned i = 0; i < count; i++) {
        if (nvme_attached(ns, le16_load(cmd->buf + 2 + i * 2u)) == attach) {
            return fail(attach ? NVME_ALREADY_ATTACHED : NVME_NOT_ATTACHED);
        }
    }
    if (attach && !ns->shared && attached + count > 1) {
        return fail(NVME_NAMESPACE_PRIVATE);
    }
    return NVME_OK;
}

static void attachment_received(struct nvme_cmd *cmd)
{
    struct nvme_subsys *subsys = cmd->ctrl->subsys;
    struct nvme_namespace *ns = &subsys->ns[cmd->nsid - 1];
    unsigned count = le16_load(cmd->buf);
    bool attach = command_select(cmd) == ATTACH;
    uint16_t status = ns->exists ? find_list_error(cmd) : fail(NVME_INVALID_FIELD);

    if (!status) {
        status = find_attach_error(cmd, ns);
    }
    for (unsigned i = 0; i < count && !status; i++) {
        unsigned id = le16_load(cmd->buf + 2 + i * 2u);
        nvme_attach(ns, id, attach);
        nvme_event_namespace(subsys->ctrl[id], ns->nsid);
    }
    nvme_complete(cmd, status);
}

void nvme_namespace_attachment(struct nvme_cmd *cmd)
{
    if (cmd->nsid < 1 || cmd->nsid > NVME_NAMESPACES) {
        nvme_complete(cmd, fail(NVME_INVALID_NAMESPACE));
    } else if (command_select(cmd) > DETACH || !cmd->ctrl->subsys->ns[cmd->nsid - 1].exists) {
        nvme_complete(cmd, fail(NVME_INVALID_FIELD));
    } else {
        nvme_transfer_start(cmd, false, NVME_PAGE_BYTES, nvme_keep_in_buffer, attachment_received);
    }
}
