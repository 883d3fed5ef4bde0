/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Features (Base 2.0, 5.15 and 5.27; NVM 1.0, 4.1.3). None can be saved. */
#include "nvme.h"

#define CDW10_FID GENMASK(7, 0)
#define CDW10_SEL GENMASK(10, 8) /* Get Features */
#define CDW10_SV  BIT(31)        /* Set Features */
enum { SEL_CURRENT, SEL_DEFAULT, SEL_SAVED, SEL_CAPABILITIES };
#define CAPABILITY_PER_NAMESPACE BIT(1)
#define CAPABILITY_CHANGEABLE    BIT(2)

#define TEMP_THRESHOLD   GENMASK(15, 0)
#define TEMP_SENSOR      GENMASK(19, 16)
#define TEMP_UNDER       GENMASK(21, 20)
#define TEMP_ALL         15
#define TEMP_OVER_RESET  343 /* 70 degrees Celsius; also WCTEMP */
#define TEMP_UNDER_RESET 0

#define VECTOR_NUMBER GENMASK(15, 0)
#define VECTOR_CD     BIT(16)

struct feature {
    uint8_t fid;
    bool per_namespace;
    uint32_t reset;
    uint32_t writable; /* other bits are reserved: ignored, read as 0 */
    /* Checks and acts on a new value; the plain ones are stored afterwards. */
    uint16_t (*set)(struct nvme_cmd *cmd, uint32_t value);
    /* The value, where it is more than what is stored. */
    uint16_t (*get)(struct nvme_cmd *cmd, bool current, uint32_t *value);
    /* Features with data: how much, and what to do with it in cmd->buf. */
    uint32_t (*data_bytes)(const struct nvme_cmd *cmd);
    uint16_t (*take)(struct nvme_cmd *cmd);
    void (*give)(struct nvme_cmd *cmd, bool current);
};

static uint16_t fail(enum nvme_status status)
{
    return (uint16_t)(status | NVME_STATUS_DNR);
}

static uint16_t power_set(struct nvme_cmd *cmd, uint32_t value)
{
    return value & 0x1f ? fail(NVME_INVALID_FIELD) : NVME_OK; /* NPSS is 0 */
}

static uint16_t temperature_set(struct nvme_cmd *cmd, uint32_t value)
{
    struct nvme *ctrl = cmd->ctrl;
    uint64_t sensor = FIELD_GET(TEMP_SENSOR, value), kind = FIELD_GET(TEMP_UNDER, value);

    if ((sensor && sensor != TEMP_ALL) || kind > 1) {
        return fail(NVME_INVALID_FIELD);
    }
    *(kind ? &ctrl->temp_under : &ctrl->temp_over) = (uint32_t)FIELD_GET(TEMP_THRESHOLD, value);
    nvme_warning_update(ctrl);
    return NVME_OK;
}

static uint16_t temperature_get(struct nvme_cmd *cmd, bool current, uint32_t *value)
{
    uint32_t cdw11 = nvme_dword(cmd, SQE_CDW11);
    uint64_t kind = FIELD_GET(TEMP_UNDER, cdw11);

    if (FIELD_GET(TEMP_SENSOR, cdw11) || kind > 1) {
        return fail(NVME_INVALID_FIELD);
    }
    if (kind) {
        *value = current ? cmd->ctrl->temp_under : TEMP_UNDER_RESET;
    } else {
        *value = current ? cmd->ctrl->temp_over : TEMP_OVER_RESET;
    }
    return NVME_OK;
}

/* Deallocated blocks read as zeroes; there is no error for them to enable. */
static uint16_t error_recovery_set(struct nvme_cmd *cmd, uint32_t value)
{
    return value & BIT(16) ? fail(NVME_INVALID_FIELD) : NVME_OK;
}

static uint16_t write_cache_set(struct nvme_cmd *cmd, uint32_t value)
{
    struct nvme *ctrl = cmd->ctrl;

    if (!(value & 1) && nvme_subsys_flush(ctrl->subsys)) {
        ctrl->smart.media_errors++;
        return NVME_INTERNAL_ERROR;
    }
    return NVME_OK;
}

static uint32_t queues_granted(const struct nvme *ctrl)
{
    return (ctrl->io_queues - 1) | (ctrl->io_queues - 1) << 16;
}

/* CHOICE: all queues are granted, whatever is asked. */
static uint16_t queues_set(struct nvme_cmd *cmd, uint32_t value)
{
    if ((value & 0xffff) == 0xffff || value >> 16 == 0xffff) {
        return fail(NVME_INVALID_FIELD);
    }
    if (cmd->ctrl->io_queues_made) {
        return fail(NVME_SEQUENCE_ERROR);
    }
    cmd->result = queues_granted(cmd->ctrl);
    return NVME_OK;
}

static uint16_t queues_get(struct nvme_cmd *cmd, bool current, uint32_t *value)
{
    *value = queues_granted(cmd->ctrl);
    return NVME_OK;
}

static uint16_t vector_set(struct nvme_cmd *cmd, uint32_t value)
{
    uint64_t number = FIELD_GET(VECTOR_NUMBER, value);

    if (number >= cmd->ctrl->vectors) {
        return fail(NVME_INVALID_FIELD);
    }
    cmd->ctrl->vector[number].no_coalescing = value & VECTOR_CD;
    return NVME_OK;
}

static uint16_t vector_get(struct nvme_cmd *cmd, bool current, uint32_t *value)
{
    uint64_t number = FIELD_GET(VECTOR_NUMBER, nvme_dword(cmd, SQE_CDW11));

    if (number >= cmd->ctrl->vectors) {
        return fail(NVME_INVALID_FIELD);
    }
    *value = (uint32_t)number;
    if (current && cmd->ctrl->vector[number].no_coalescing) {
        *value |= VECTOR_CD;
    }
    return NVME_OK;
}

/* Base 2.0, 5.27.1.11: milliseconds in six bytes, then where they come from. */
#define TIMESTAMP_MS     GENMASK(47, 0)
#define TIMESTAMP_ORIGIN 1 /* bit of byte 6: the host set it */

static uint32_t timestamp_bytes(const struct nvme_cmd *cmd)
{
    return 8;
}

static uint16_t timestamp_take(struct nvme_cmd *cmd)
{
    struct nvme *ctrl = cmd->ctrl;

    ctrl->timestamp_ms = le64_load(cmd->buf) & TIMESTAMP_MS;
    ctrl->timestamp_at_ps = ctrl->sim->now_ps;
    ctrl->timestamp_set = true;
    return NVME_OK;
}

static void timestamp_give(struct nvme_cmd *cmd, bool current)
{
    const struct nvme *ctrl = cmd->ctrl;
    uint64_t ms = ctrl->timestamp_ms + (ctrl->sim->now_ps - ctrl->timestamp_at_ps) / PS_PER_MS;

    le64_store(cmd->buf, current ? ms & TIMESTAMP_MS : 0);
    cmd->buf[6] = current ? (uint8_t)(ctrl->timestamp_set << TIMESTAMP_ORIGIN) : 0;
}

/* Base 2.0, 5.27.1.25: 8 or 16 bytes. It may be set once, and is 0 before. */
static uint32_t host_id_bytes(const struct nvme_cmd *cmd)
{
    return nvme_dword(cmd, SQE_CDW11) & 1 ? 16 : 8;
}

static uint16_t host_id_take(struct nvme_cmd *cmd)
{
    static const uint8_t none[16];
    uint8_t *id = cmd->ctrl->host_id, wanted[16] = {0};

    memcpy(wanted, cmd->buf, host_id_bytes(cmd));
    if (memcmp(id, none, sizeof(none)) != 0 && memcmp(id, wanted, sizeof(wanted)) != 0) {
        return fail(NVME_SEQUENCE_ERROR);
    }
    memcpy(id, wanted, sizeof(wanted));
    return NVME_OK;
}

static void host_id_give(struct nvme_cmd *cmd, bool current)
{
    memset(cmd->buf, 0, 16);
    if (current) {
        memcpy(cmd->buf, cmd->ctrl->host_id, 16);
    }
}

static const struct feature features[] = {
    {.fid = NVME_FEAT_ARBITRATION, .reset = 3, .writable = 0xffffff07},
    {.fid = NVME_FEAT_POWER, .writable = 0xff, .set = power_set},
    {.fid = NVME_FEAT_TEMPERATURE, .set = temperature_set, .get = temperature_get},
    {.fid = NVME_FEAT_ERROR_RECOVERY,
     .per_namespace = true,
     .writable = 0xffff,
     .set = error_recovery_set},
    {.fid = NVME_FEAT_WRITE_CACHE, .reset = 1, .writable = 1, .set = write_cache_set},
    {.fid = NVME_FEAT_QUEUES, .set = queues_set, .get = queues_get},
    {.fid = NVME_FEAT_COALESCING, .writable = 0xffff},
    {.fid = NVME_FEAT_VECTOR, .set = vector_set, .get = vector_get},
    {.fid = NVME_FEAT_WRITE_ATOMICITY, .writable = 1},
    {.fid = NVME_FEAT_ASYNC_EVENTS, .writable = 0x1f | NVME_NOTICE_NAMESPACE},
    {.fid = NVME_FEAT_TIMESTAMP,
     .data_bytes = timestamp_bytes,
     .take = timestamp_take,
     .give = timestamp_give},
    {.fid = NVME_FEAT_HOST_ID,
     .data_bytes = host_id_bytes,
     .take = host_id_take,
     .give = host_id_give},
};

static const struct feature *feature_find(unsigned fid)
{
    for (unsigned i = 0; i < ARRAY_LEN(features); i++) {
        if (features[i].fid == fid) {
            return &features[i];
        }
    }
    return NULL;
}

uint32_t nvme_feature(const struct nvme *ctrl, enum nvme_fid fid)
{
    return ctrl->feature[fid];
}

void nvme_features_reset(struct nvme *ctrl)
{
    for (unsigned i = 0; i < ARRAY_LEN(features); i++) {
        if (!features[i].data_bytes) {
            ctrl->feature[features[i].fid] = features[i].reset;
        }
    }
    ctrl->temp_over = TEMP_OVER_RESET;
    ctrl->temp_under = TEMP_UNDER_RESET;
    ctrl->timestamp_ms = 0;
    ctrl->timestamp_at_ps = ctrl->sim->now_ps;
    ctrl->timestamp_set = false;
    memset(ctrl->host_id, 0, sizeof(ctrl->host_id));
}

/* Base 5.27: the namespace of a feature that has one, and of one that has none. */
static uint16_t find_scope_error(struct nvme_cmd *cmd, const struct feature *feature, bool set)
{
    bool all = cmd->nsid == NVME_NSID_ALL;

    if (feature->per_namespace) {
        return set && all ? NVME_OK : nvme_namespace_status(cmd->ctrl, cmd->nsid);
    }
    if (set && cmd->nsid && !all) {
        uint16_t status = nvme_namespace_status(cmd->ctrl, cmd->nsid);
        return status ? status : fail(NVME_FEATURE_NOT_PER_NAMESPACE);
    }
    return NVME_OK;
}

static const struct feature *command_feature(const struct nvme_cmd *cmd)
{
    return feature_find((unsigned)FIELD_GET(CDW10_FID, nvme_dword(cmd, SQE_CDW10)));
}

static void data_received(struct nvme_cmd *cmd)
{
    nvme_complete(cmd, command_feature(cmd)->take(cmd));
}

static uint16_t data_give(struct nvme_cmd *cmd, uint32_t pos, uint32_t len)
{
    uint64_t select = FIELD_GET(CDW10_SEL, nvme_dword(cmd, SQE_CDW10));

    command_feature(cmd)->give(cmd, select == SEL_CURRENT);
    return NVME_OK;
}

void nvme_set_features(struct nvme_cmd *cmd)
{
    uint32_t cdw10 = nvme_dword(cmd, SQE_CDW10), value = nvme_dword(cmd, SQE_CDW11);
    const struct feature *feature = command_feature(cmd);
    uint16_t status = feature ? find_scope_error(cmd, feature, true) : fail(NVME_INVALID_FIELD);

    if (!status && (cdw10 & CDW10_SV)) {
        status = fail(NVME_FEATURE_NOT_SAVEABLE);
    }
    if (!status && feature->data_bytes) {
        nvme_transfer_start(cmd, false, feature->data_bytes(cmd), nvme_keep_in_buffer,
                            data_received);
        return;
    }
    if (!status && feature->set) {
        status = feature->set(cmd, value);
    }
    if (!status) {
        cmd->ctrl->feature[feature->fid] = value & feature->writable;
        if (feature->fid == NVME_FEAT_ASYNC_EVENTS) {
            nvme_warning_update(cmd->ctrl);
        }
    }
    nvme_complete(cmd, status);
}

void nvme_get_features(struct nvme_cmd *cmd)
{
    uint32_t cdw10 = nvme_dword(cmd, SQE_CDW10);
    uint64_t select = FIELD_GET(CDW10_SEL, cdw10);
    const struct feature *feature = command_feature(cmd);
    uint32_t value = 0;

    if (!feature || select > SEL_CAPABILITIES) {
        nvme_complete(cmd, fail(NVME_INVALID_FIELD));
        return;
    }
    uint16_t status = find_scope_error(cmd, feature, false);
    if (select == SEL_CAPABILITIES) {
        value = CAPABILITY_CHANGEABLE | (feature->per_namespace ? CAPABILITY_PER_NAMESPACE : 0);
    } else if (!status && feature->data_bytes) {
        nvme_transfer_start(cmd, true, feature->data_bytes(cmd), data_give, nvme_transfer_complete);
        return;
    } else if (!status && feature->get) {
        status = feature->get(cmd, select == SEL_CURRENT, &value);
    } else {
        value = select == SEL_CURRENT ? cmd->ctrl->feature[feature->fid] : feature->reset;
    }
    cmd->result = status ? 0 : value;
    nvme_complete(cmd, status);
}

/* Feature Identifiers Supported and Effects (Base 5.16.1.18). */
void nvme_features_list(uint8_t page[NVME_PAGE_BYTES])
{
    for (unsigned i = 0; i < ARRAY_LEN(features); i++) {
        le32_store(
            page + features[i].fid * 4u,
            (uint32_t)(NVME_EFFECT_CSUPP | (features[i].per_namespace ? NVME_EFFECT_SCOPE_NAMESPACE
                                                                      : NVME_EFFECT_SCOPE_CTRL)));
    }
}
