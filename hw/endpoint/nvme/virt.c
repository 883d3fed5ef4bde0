/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtualization enhancements (Base 2.0, 8.26): Virtual Functions are secondary controllers. Each
 * has no queues and interrupts of its own; the primary controller's host assigns them, and takes a
 * secondary controller online or offline.
 */
#include "nvme.h"

#include "pcilab/pci/sriov.h"

#define CDW10_ACT    GENMASK(3, 0)
#define CDW10_RT     GENMASK(10, 8)
#define CDW10_CNTLID GENMASK(31, 16)
#define CDW11_NR     GENMASK(15, 0)
enum { ACT_PRIMARY = 1, ACT_OFFLINE = 7, ACT_ASSIGN = 8, ACT_ONLINE = 9 };

/* To be of use: an admin queue and another one, and an interrupt. */
#define QUEUES_MIN     2
#define INTERRUPTS_MIN 1

static uint16_t fail(enum nvme_status status)
{
    return (uint16_t)(status | NVME_STATUS_DNR);
}

static bool is_primary(const struct nvme *ctrl)
{
    return ctrl->cntlid == 0;
}

/* All that are given away, or, at the primary, still in use. */
static unsigned assigned(const struct nvme_subsys *subsys, enum nvme_resource type)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < subsys->ctrls; i++) {
        sum += MAX(subsys->ctrl[i]->given[type], subsys->ctrl[i]->used[type]);
    }
    return sum;
}

/* Base 2.0, 8.26.2: what is given to the primary is there after its next reset. */
void nvme_virt_apply(struct nvme *ctrl)
{
    const struct nvme_subsys *subsys = ctrl->subsys;

    memcpy(ctrl->used, ctrl->given, sizeof(ctrl->used));
    if (!subsys->flexible) {
        return;
    }
    if (is_primary(ctrl)) {
        ctrl->io_queues = subsys->private_count - 1 + ctrl->used[NVME_QUEUES];
        ctrl->vectors = subsys->private_count + ctrl->used[NVME_INTERRUPTS];
    } else if (ctrl->online) {
        ctrl->io_queues = ctrl->used[NVME_QUEUES] - 1;
        ctrl->vectors = ctrl->used[NVME_INTERRUPTS];
    }
    if (ctrl->pci) {
        pci_msix_set_vectors(ctrl->pci, MAX(ctrl->vectors, 1));
    }
}

static void set_online(struct nvme *ctrl, bool online)
{
    ctrl->online = online;
    if (!online) {
        memset(ctrl->given, 0, sizeof(ctrl->given));
    }
    nvme_controller_reset(ctrl);
}

/* Virtual Functions are gone, and with them what they had. */
void nvme_virt_all_offline(struct nvme_subsys *subsys)
{
    for (unsigned i = 1; i < subsys->ctrls; i++) {
        set_online(subsys->ctrl[i], false);
    }
}

static uint16_t primary_allocate(struct nvme *ctrl, enum nvme_resource type, unsigned count)
{
    const struct nvme_subsys *subsys = ctrl->subsys;
    unsigned others = assigned(subsys, type) - MAX(ctrl->given[type], ctrl->used[type]);

    if (others + count > subsys->flexible || subsys->private_count + count > NVME_QUEUES_MAX) {
        return fail(NVME_INVALID_RESOURCE_COUNT);
    }
    ctrl->given[type] = (uint16_t)count;
    return NVME_OK;
}

static uint16_t secondary_assign(struct nvme *ctrl, enum nvme_resource type, unsigned count)
{
    const struct nvme_subsys *subsys = ctrl->subsys;

    if (ctrl->online) {
        return fail(NVME_INVALID_SECONDARY_STATE);
    }
    if (count > nvme_secondary_max(subsys) ||
        assigned(subsys, type) - ctrl->given[type] + count > subsys->flexible) {
        return fail(NVME_INVALID_RESOURCE_COUNT);
    }
    ctrl->given[type] = ctrl->used[type] = (uint16_t)count;
    return NVME_OK;
}

/* CHOICE: a controller whose Virtual Function is not enabled cannot be online. */
static uint16_t secondary_online(struct nvme *ctrl)
{
    const struct pci_func *pf = ctrl->subsys->ctrl[0]->pci;

    if (ctrl->online) {
        return NVME_OK;
    }
    if (ctrl->given[NVME_QUEUES] < QUEUES_MIN || ctrl->given[NVME_INTERRUPTS] < INTERRUPTS_MIN ||
        ctrl->cntlid > pci_sriov_vfs(pf)) {
        return fail(NVME_INVALID_SECONDARY_STATE);
    }
    set_online(ctrl, true);
    return NVME_OK;
}

static uint16_t manage_secondary(struct nvme_cmd *cmd, unsigned act, unsigned type, unsigned count)
{
    const struct nvme_subsys *subsys = cmd->ctrl->subsys;
    unsigned cntlid = (unsigned)FIELD_GET(CDW10_CNTLID, nvme_dword(cmd, SQE_CDW10));

    if (!cntlid || cntlid >= subsys->ctrls) {
        return fail(NVME_INVALID_CTRL_ID);
    }
    if (act == ACT_ASSIGN) {
        return secondary_assign(subsys->ctrl[cntlid], (enum nvme_resource)type, count);
    }
    if (act == ACT_ONLINE) {
        return secondary_online(subsys->ctrl[cntlid]);
    }
    set_online(subsys->ctrl[cntlid], false);
    return NVME_OK;
}

/* Base 2.0, 5.30 */
void nvme_virtualization(struct nvme_cmd *cmd)
{
    uint32_t cdw10 = nvme_dword(cmd, SQE_CDW10);
    unsigned act = (unsigned)FIELD_GET(CDW10_ACT, cdw10);
    unsigned type = (unsigned)FIELD_GET(CDW10_RT, cdw10);
    unsigned count = (unsigned)FIELD_GET(CDW11_NR, nvme_dword(cmd, SQE_CDW11));
    uint16_t status = NVME_OK;

    if (act != ACT_PRIMARY && act != ACT_OFFLINE && act != ACT_ASSIGN && act != ACT_ONLINE) {
        status = fail(NVME_INVALID_FIELD);
    } else if ((act == ACT_PRIMARY || act == ACT_ASSIGN) && type > NVME_INTERRUPTS) {
        status = fail(NVME_INVALID_RESOURCE_ID);
    } else if (act != ACT_PRIMARY) {
        status = manage_secondary(cmd, act, type, count);
    } else if (FIELD_GET(CDW10_CNTLID, cdw10) != cmd->ctrl->cntlid) {
        status = fail(NVME_INVALID_CTRL_ID);
    } else {
        status = primary_allocate(cmd->ctrl, (enum nvme_resource)type, count);
    }
    if (!status && (act == ACT_PRIMARY || act == ACT_ASSIGN)) {
        cmd->result = count; /* Number of Resources Modified */
    }
    nvme_complete(cmd, status);
}

unsigned nvme_secondary_max(const struct nvme_subsys *subsys)
{
    return MIN(subsys->flexible, NVME_QUEUES_MAX);
}

/* CNS 14h, Primary Controller Capabilities: figure 281. Both kinds look the same. */
void nvme_identify_primary(const struct nvme *ctrl, uint8_t *page)
{
    const struct nvme_subsys *subsys = ctrl->subsys;

    le16_store(page, ctrl->cntlid);
    page[4] = BIT(NVME_QUEUES) | BIT(NVME_INTERRUPTS); /* crt */
    for (unsigned type = NVME_QUEUES; type <= NVME_INTERRUPTS; type++) {
        uint8_t *at = page + 32 + type * 32;
        le32_store(at, subsys->flexible);                              /* frt */
        le32_store(at + 4, assigned(subsys, type) - ctrl->used[type]); /* rfa */
        le16_store(at + 8, ctrl->used[type]);                          /* rfap */
        le16_store(at + 10, (uint16_t)subsys->private_count);          /* prt */
        le16_store(at + 12, (uint16_t)nvme_secondary_max(subsys));     /* frsm */
        le16_store(at + 14, 1);                                        /* gran */
    }
}

/* CNS 15h, Secondary Controller List: figures 282 and 283; from controller `first` on. */
void nvme_identify_secondaries(const struct nvme *ctrl, unsigned first, uint8_t *page)
{
    const struct nvme_subsys *subsys = ctrl->subsys;
    unsigned count = 0;

    for (unsigned i = MAX(first, 1); i < subsys->ctrls; i++) {
        const struct nvme *secondary = subsys->ctrl[i];
        uint8_t *entry = page + 32 + count++ * 32;
        le16_store(entry, (uint16_t)i);
        le16_store(entry + 2, ctrl->cntlid);
        entry[4] = secondary->online;
        le16_store(entry + 8, (uint16_t)i); /* VF number, from 1 */
        le16_store(entry + 10, secondary->given[NVME_QUEUES]);
        le16_store(entry + 12, secondary->given[NVME_INTERRUPTS]);
    }
    page[0] = (uint8_t)count;
}
