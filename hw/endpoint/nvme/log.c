/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log pages (Base 2.0, 5.16). Each is put together when it is read. */
#include "nvme.h"

/* CHOICE: 40 degrees Celsius, always. */
#define TEMPERATURE_KELVIN 313

#define CDW10_LID GENMASK(7, 0)
#define CDW10_RAE BIT(15)

struct log_page {
    uint8_t lid;
    uint32_t bytes;
    void (*compose)(struct nvme *ctrl, uint8_t *page);
};

uint16_t nvme_temperature(const struct nvme *ctrl)
{
    return TEMPERATURE_KELVIN;
}

void nvme_log_error(struct nvme *ctrl, const struct nvme_error *error)
{
    struct nvme_error *slot = &ctrl->error[ctrl->errors % NVME_ERROR_LOG_ENTRIES];

    *slot = *error;
    slot->count = ++ctrl->errors;
}

/* Base 5.16.1.2, newest first. */
static void compose_error(struct nvme *ctrl, uint8_t *page)
{
    for (unsigned i = 0; i < NVME_ERROR_LOG_ENTRIES && i < ctrl->errors; i++) {
        const struct nvme_error *error =
            &ctrl->error[(ctrl->errors - 1 - i) % NVME_ERROR_LOG_ENTRIES];
        uint8_t *entry = page + i * 64u;
        le64_store(entry, error->count);
        le16_store(entry + 8, error->sqid);
        le16_store(entry + 10, error->cid);
        le16_store(entry + 12, (uint16_t)(error->status << 1));
        le16_store(entry + 14, 0xffff); /* no particular byte of the command */
        le64_store(entry + 16, error->lba);
        le32_store(entry + 24, error->nsid);
    }
}

/* Base 5.16.1.3; counters of 128 bits, of which 64 suffice. */
static void compose_smart(struct nvme *ctrl, uint8_t *page)
{
    const struct nvme_smart *smart = &ctrl->smart;
    uint64_t now = ctrl->sim->now_ps;
    uint64_t busy = smart->busy_ps + (ctrl->io_cmds ? now - smart->busy_since_ps : 0);

    page[0] = ctrl->warning;
    le16_store(page + 1, nvme_temperature(ctrl));
    page[3] = 100;                                            /* available spare, per cent */
    page[4] = 10;                                             /* its threshold */
    le64_store(page + 32, (smart->read_blocks + 999) / 1000); /* thousands of 512 bytes */
    le64_store(page + 48, (smart->written_blocks + 999) / 1000);
    le64_store(page + 64, smart->reads);
    le64_store(page + 80, smart->writes);
    le64_store(page + 96, busy / (60 * PS_PER_S));
    le64_store(page + 112, smart->power_cycles);
    le64_store(page + 128, now / (3600 * PS_PER_S));
    le64_store(page + 144, smart->unsafe_shutdowns);
    le64_store(page + 160, smart->media_errors);
    le64_store(page + 176, ctrl->errors);
}

/* Base 5.16.1.4: one slot, which is read-only and active. */
static void compose_firmware(struct nvme *ctrl, uint8_t *page)
{
    page[0] = 1;
    memcpy(page + 8, NVME_FIRMWARE, 8);
}

/* Base 5.16.1.5 */
static void compose_changed(struct nvme *ctrl, uint8_t *page)
{
    for (unsigned i = 0; i < NVME_NAMESPACES; i++) {
        if (ctrl->changed >> i & 1) {
            le32_store(page, i + 1);
            page += 4;
        }
    }
}

/* Base 5.16.1.6 */
static void compose_effects(struct nvme *ctrl, uint8_t *page)
{
    for (unsigned i = 0; i < 256; i++) {
        le32_store(page + i * 4, ctrl->admin_op[i] ? ctrl->admin_op[i]->effects : 0);
    }
    for (unsigned i = 0; i < nvme_io_opcode_count; i++) {
        le32_store(page + 1024 + nvme_io_opcodes[i].opcode * 4u, nvme_io_opcodes[i].effects);
    }
}

static void compose_features(struct nvme *ctrl, uint8_t *page)
{
    nvme_features_list(page);
}

static void compose_supported(struct nvme *ctrl, uint8_t *page);

static const struct log_page pages[] = {
    {NVME_LOG_SUPPORTED, 1024, compose_supported},
    {NVME_LOG_ERROR, NVME_ERROR_LOG_ENTRIES * 64, compose_error},
    {NVME_LOG_SMART, 512, compose_smart},
    {NVME_LOG_FIRMWARE, 512, compose_firmware},
    {NVME_LOG_CHANGED_NAMESPACES, 4096, compose_changed},
    {NVME_LOG_EFFECTS, 4096, compose_effects},
    {NVME_LOG_FEATURE_EFFECTS, 1024, compose_features},
};

/* Base 5.16.1.1 */
static void compose_supported(struct nvme *ctrl, uint8_t *page)
{
    for (unsigned i = 0; i < ARRAY_LEN(pages); i++) {
        le32_store(page + pages[i].lid * 4u, 1);
    }
}

static const struct log_page *log_find(unsigned lid)
{
    for (unsigned i = 0; i < ARRAY_LEN(pages); i++) {
        if (pages[i].lid == lid) {
            return &pages[i];
        }
    }
    return NULL;
}

static const struct log_page *command_log(const struct nvme_cmd *cmd)
{
    return log_find((unsigned)FIELD_GET(CDW10_LID, nvme_dword(cmd, SQE_CDW10)));
}

static uint64_t command_offset(const struct nvme_cmd *cmd)
{
    return le64_load(cmd->sqe + SQE_CDW12);
}

/* What lies past the end of the page reads as zeroes. */
static uint16_t log_move(struct nvme_cmd *cmd, uint32_t pos, uint32_t len)
{
    struct nvme *ctrl = cmd->ctrl;
    const struct log_page *log = command_log(cmd);
    uint64_t from = command_offset(cmd) + pos;

    memset(cmd->buf, 0, len);
    if (from < log->bytes) {
        memset(ctrl->page, 0, sizeof(ctrl->page));
        log->compose(ctrl, ctrl->page);
        memcpy(cmd->buf, ctrl->page + from, MIN(len, log->bytes - from));
    }
    return NVME_OK;
}

/* Reading without Retain Asynchronous Event ends the mask of its event (Base 5.2). */
static void log_done(struct nvme_cmd *cmd)
{
    struct nvme *ctrl = cmd->ctrl;
    uint8_t lid = command_log(cmd)->lid;
    bool retain = nvme_dword(cmd, SQE_CDW10) & CDW10_RAE;

    nvme_complete(cmd, NVME_OK);
    if (!retain && lid == NVME_LOG_ERROR) {
        nvme_event_clear(ctrl, NVME_EVENT_ERROR);
    } else if (!retain && lid == NVME_LOG_SMART) {
        nvme_event_clear(ctrl, NVME_EVENT_SMART);
    } else if (!retain && lid == NVME_LOG_CHANGED_NAMESPACES) {
        ctrl->changed = 0;
        nvme_event_clear(ctrl, NVME_EVENT_NOTICE);
    }
}

void nvme_get_log_page(struct nvme_cmd *cmd)
{
    const struct log_page *log = command_log(cmd);
    uint32_t cdw10 = nvme_dword(cmd, SQE_CDW10), cdw11 = nvme_dword(cmd, SQE_CDW11);
    uint64_t bytes = ((uint64_t)(cdw10 >> 16 | (cdw11 & 0xffff) << 16) + 1) * 4;
    uint64_t offset = command_offset(cmd);
    bool one_namespace = cmd->nsid && cmd->nsid != NVME_NSID_ALL;

    if (!log) {
        nvme_complete(cmd, NVME_INVALID_LOG_PAGE | NVME_STATUS_DNR);
        return;
    }
    /* LPA offers no health log of a namespace. */
    if (bytes > (uint64_t)NVME_PAGE_BYTES << NVME_MDTS || (offset & 3) || offset > log->bytes ||
        (log->lid == NVME_LOG_SMART && one_namespace)) {
        nvme_complete(cmd, NVME_INVALID_FIELD | NVME_STATUS_DNR);
        return;
    }
    nvme_transfer_start(cmd, true, (uint32_t)bytes, log_move, log_done);
}
