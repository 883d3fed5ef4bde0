/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NVM command set (NVM 1.0, chapter 3). Without metadata and protection information. */
#include "nvme.h"

#include <errno.h>

/* CHOICE: what the medium takes, in virtual time. */
#define READ_PS  (8 * PS_PER_US)
#define WRITE_PS (6 * PS_PER_US)
#define FLUSH_PS (30 * PS_PER_US)
/* Commands without data work in slices, so that one event of the simulator stays short. */
#define SLICE_BYTES (16u << 20)
#define SLICE_PS    (20 * PS_PER_US)

#define CDW12_NLB        GENMASK(15, 0)
#define CDW12_FUA        BIT(30)
#define SMART_UNIT_BYTES 512 /* Base 5.16.1.3 */
#define DSM_NR           GENMASK(7, 0)
#define DSM_AD           BIT(2)
#define RANGE_BYTES      16

#define GONE (NVME_INVALID_NAMESPACE | NVME_STATUS_DNR) /* deleted or formatted meanwhile */

struct nvme_namespace *nvme_command_namespace(const struct nvme_cmd *cmd)
{
    struct nvme_namespace *ns = nvme_find_namespace(cmd->ctrl, cmd->nsid);

    return ns && ns->generation == cmd->generation ? ns : NULL;
}

uint16_t nvme_media_status(struct nvme_cmd *cmd, int err, enum nvme_status fault)
{
    if (!err) {
        return NVME_OK;
    }
    cmd->ctrl->smart.media_errors++;
    if (err == -ENOSPC || err == -EDQUOT) {
        return NVME_CAPACITY_EXCEEDED;
    }
    return err == -EROFS ? NVME_WRITE_PROTECTED | NVME_STATUS_DNR : (uint16_t)fault;
}

static uint16_t find_block_error(const struct nvme_cmd *cmd, bool writes, bool data)
{
    const struct nvme_namespace *ns = nvme_find_namespace(cmd->ctrl, cmd->nsid);

    if (ns->formatting) {
        return NVME_FORMAT_IN_PROGRESS;
    }
    if (data && !nvme_flawed(cmd->ctrl, FLAW_NVME_MDTS) &&
        cmd->blocks << ns->lba_shift > (uint64_t)NVME_PAGE_BYTES << NVME_MDTS) {
        return NVME_INVALID_FIELD | NVME_STATUS_DNR;
    }
    if (!range_inside(cmd->lba, cmd->blocks, 0, ns->blocks)) {
        if (nvme_flawed(cmd->ctrl, FLAW_NVME_LBA_STATUS))
            return NVME_INVALID_FIELD | NVME_STATUS_DNR;
        return NVME_LBA_OUT_OF_RANGE | NVME_STATUS_DNR;
    }
    return writes && ns->write_protected ? NVME_WRITE_PROTECTED | NVME_STATUS_DNR : NVME_OK;
}

/* The namespace as it is now is that of the command. */
static uint16_t take_namespace(struct nvme_cmd *cmd)
{
    const struct nvme_namespace *ns = nvme_find_namespace(cmd->ctrl, cmd->nsid);

    if (!ns) {
        return nvme_namespace_status(cmd->ctrl, cmd->nsid);
    }
    cmd->generation = ns->generation;
    cmd->lba_shift = ns->lba_shift;
    return NVME_OK;
}

bool nvme_blocks_begin(struct nvme_cmd *cmd, bool writes, bool data)
{
    uint16_t status = take_namespace(cmd);

    cmd->lba = le64_load(cmd->sqe + SQE_CDW10);
    cmd->blocks = FIELD_GET(CDW12_NLB, nvme_dword(cmd, SQE_CDW12)) + 1;
    if (!status) {
        status = find_block_error(cmd, writes, data);
    }
    if (status) {
        nvme_complete(cmd, status);
    }
    return !status;
}

static uint64_t byte_offset(const struct nvme_cmd *cmd, uint32_t pos)
{
    return (cmd->lba << cmd->lba_shift) + pos;
}

static uint32_t data_bytes(const struct nvme_cmd *cmd)
{
    return (uint32_t)cmd->blocks << cmd->lba_shift;
}

/* The end of what writes: durable now with Force Unit Access or without a write cache. */
void nvme_write_done(struct nvme_cmd *cmd)
{
    bool durable = (nvme_dword(cmd, SQE_CDW12) & CDW12_FUA) ||
                   !(nvme_feature(cmd->ctrl, NVME_FEAT_WRITE_CACHE) & 1);
    int err = durable ? nvme_subsys_flush(cmd->ctrl->subsys) : 0;

    nvme_complete(cmd, nvme_media_status(cmd, err, NVME_WRITE_FAULT));
}

static void count_read(struct nvme_cmd *cmd)
{
    cmd->ctrl->smart.reads++;
    cmd->ctrl->smart.read_blocks += data_bytes(cmd) / SMART_UNIT_BYTES;
}

static void count_write(struct nvme_cmd *cmd)
{
    cmd->ctrl->smart.writes++;
    cmd->ctrl->smart.written_blocks += data_bytes(cmd) / SMART_UNIT_BYTES;
}

/* NVM 3.2.4 */
static uint16_t read_move(struct nvme_cmd *cmd, uint32_t pos, uint32_t len)
{
    struct nvme_namespace *ns = nvme_command_namespace(cmd);

    if (!ns) {
        return GONE;
    }
    return nvme_media_status(cmd, nvme_namespace_read(ns, byte_offset(cmd, pos), cmd->buf, len),
                             NVME_READ_ERROR);
}

static void read_run(struct nvme_cmd *cmd)
{
    if (nvme_blocks_begin(cmd, false, true)) {
        count_read(cmd);
        nvme_transfer_start(cmd, true, data_bytes(cmd), read_move, nvme_transfer_complete);
    }
}

/* NVM 3.2.6 */
static uint16_t write_move(struct nvme_cmd *cmd, uint32_t pos, uint32_t len)
{
    struct nvme_namespace *ns = nvme_command_namespace(cmd);

    if (!ns) {
        return GONE;
    }
    return nvme_media_status(cmd, nvme_namespace_write(ns, byte_offset(cmd, pos), cmd->buf, len),
                             NVME_WRITE_FAULT);
}

static void write_run(struct nvme_cmd *cmd)
{
    if (nvme_blocks_begin(cmd, true, true)) {
        count_write(cmd);
        nvme_transfer_start(cmd, false, data_bytes(cmd), write_move, nvme_write_done);
    }
}

/* NVM 3.2.1 */
static uint16_t compare_move(struct nvme_cmd *cmd, uint32_t pos, uint32_t len)
{
    struct nvme_namespace *ns = nvme_command_namespace(cmd);
    struct nvme *ctrl = cmd->ctrl;

    if (!ns) {
        return GONE;
    }
    if (!ctrl->scratch) {
        ctrl->scratch = g_malloc(NVME_CHUNK_BYTES);
    }
    int err = nvme_namespace_read(ns, byte_offset(cmd, pos), ctrl->scratch, len);
    if (err) {
        return nvme_media_status(cmd, err, NVME_READ_ERROR);
    }
    return memcmp(ctrl->scratch, cmd->buf, len) && !nvme_flawed(ctrl, FLAW_NVME_COMPARE)
               ? NVME_COMPARE_FAILURE | NVME_STATUS_DNR
               : NVME_OK;
}

static void compare_run(struct nvme_cmd *cmd)
{
    if (cmd->fuse) {
        nvme_fused_run(cmd);
    } else if (nvme_blocks_begin(cmd, false, true)) {
        count_read(cmd);
        nvme_transfer_start(cmd, false, data_bytes(cmd), compare_move, nvme_transfer_complete);
    }
}

/* Both buffers are here: nothing comes between. */
uint16_t nvme_compare_and_write(struct nvme_cmd *compare, struct nvme_cmd *write)
{
    uint16_t status = compare_move(compare, 0, data_bytes(compare));

    return status ? status : write_move(write, 0, data_bytes(write));
}

/* Base 7.1. The storage has one cache for all namespaces. */
static void flush_run(struct nvme_cmd *cmd)
{
    uint16_t status = NVME_OK;

    if (cmd->nsid != NVME_NSID_ALL) {
        status = nvme_namespace_status(cmd->ctrl, cmd->nsid);
    }
    if (!status) {
        status = nvme_media_status(cmd, nvme_subsys_flush(cmd->ctrl->subsys), NVME_WRITE_FAULT);
    }
    nvme_complete(cmd, status);
}

/* Takes up to a slice from cmd->lba and cmd->blocks; returns its bytes. */
static uint64_t take_slice(struct nvme_cmd *cmd, uint64_t max_bytes, uint64_t *offset)
{
    uint64_t blocks = MIN(cmd->blocks, max_bytes >> cmd->lba_shift);

    *offset = cmd->lba << cmd->lba_shift;
    cmd->lba += blocks;
    cmd->blocks -= blocks;
    return blocks << cmd->lba_shift;
}

static void resume_later(struct nvme_cmd *cmd, void (*resume)(struct nvme_cmd *cmd))
{
    cmd->resume = resume;
    sim_schedule_in(cmd->ctrl->sim, &cmd->timer, SLICE_PS);
}

/* NVM 3.2.8 */
static void write_zeroes_slice(struct nvme_cmd *cmd)
{
    struct nvme_namespace *ns = nvme_command_namespace(cmd);
    uint64_t offset, len = take_slice(cmd, SLICE_BYTES, &offset);
    int err = ns ? nvme_namespace_zero(ns, offset, len) : 0;

    if (!ns || err) {
        nvme_complete(cmd, ns ? nvme_media_status(cmd, err, NVME_WRITE_FAULT) : GONE);
    } else if (cmd->blocks) {
        resume_later(cmd, write_zeroes_slice);
    } else {
        nvme_write_done(cmd);
    }
}

static void write_zeroes_run(struct nvme_cmd *cmd)
{
    if (nvme_blocks_begin(cmd, true, false)) {
        write_zeroes_slice(cmd);
    }
}

/* NVM 3.2.5: reads without sending anything. */
static void verify_slice(struct nvme_cmd *cmd)
{
    struct nvme_namespace *ns = nvme_command_namespace(cmd);

    for (unsigned i = 0; i < 16 && cmd->blocks; i++) {
        uint64_t offset, len = take_slice(cmd, NVME_CHUNK_BYTES, &offset);
        int err = ns ? nvme_namespace_read(ns, offset, cmd->buf, len) : 0;
        if (!ns || err) {
            nvme_complete(cmd, ns ? nvme_media_status(cmd, err, NVME_READ_ERROR) : GONE);
            return;
        }
    }
    if (cmd->blocks) {
        resume_later(cmd, verify_slice);
    } else {
        nvme_complete(cmd, NVME_OK);
    }
}

static void verify_run(struct nvme_cmd *cmd)
{
    if (nvme_blocks_begin(cmd, false, false)) {
        verify_slice(cmd);
    }
}

/* NVM 3.2.3. Ranges are checked before any is deallocated; the other attributes are hints. */
static unsigned dsm_ranges(const struct nvme_cmd *cmd)
{
    return (unsigned)FIELD_GET(DSM_NR, nvme_dword(cmd, SQE_CDW10)) + 1;
}

static void dsm_slice(struct nvme_cmd *cmd)
{
    struct nvme_namespace *ns = nvme_command_namespace(cmd);

    while (!cmd->blocks && cmd->range < dsm_ranges(cmd)) {
        const uint8_t *range = cmd->buf + (size_t)cmd->range++ * RANGE_BYTES;
        cmd->blocks = le32_load(range + 4);
        cmd->lba = le64_load(range + 8);
    }
    if (!cmd->blocks) {
        nvme_complete(cmd, NVME_OK);
        return;
    }
    uint64_t offset, len = take_slice(cmd, SLICE_BYTES, &offset);
    int err = ns ? nvme_namespace_zero(ns, offset, len) : 0;
    if (!ns || err) {
        nvme_complete(cmd, ns ? nvme_media_status(cmd, err, NVME_WRITE_FAULT) : GONE);
        return;
    }
    resume_later(cmd, dsm_slice);
}

static void dsm_received(struct nvme_cmd *cmd)
{
    const struct nvme_namespace *ns = nvme_command_namespace(cmd);

    if (!ns) {
        nvme_complete(cmd, GONE);
        return;
    }
    for (unsigned i = 0; i < dsm_ranges(cmd); i++) {
        const uint8_t *range = cmd->buf + (size_t)i * RANGE_BYTES;
        cmd->lba = le64_load(range + 8);
        if (!range_inside(cmd->lba, le32_load(range + 4), 0, ns->blocks)) {
            nvme_complete(cmd, NVME_LBA_OUT_OF_RANGE | NVME_STATUS_DNR);
            return;
        }
    }
    if (!(nvme_dword(cmd, SQE_CDW11) & DSM_AD)) {
        nvme_complete(cmd, NVME_OK);
        return;
    }
    cmd->range = 0;
    cmd->blocks = 0;
    dsm_slice(cmd);
}

uint16_t nvme_keep_in_buffer(struct nvme_cmd *cmd, uint32_t pos, uint32_t len)
{
    return NVME_OK;
}

static void dsm_run(struct nvme_cmd *cmd)
{
    const struct nvme_namespace *ns = nvme_find_namespace(cmd->ctrl, cmd->nsid);
    uint16_t status = take_namespace(cmd);

    if (!status && ns->formatting) {
        status = NVME_FORMAT_IN_PROGRESS;
    }
    if (status) {
        nvme_complete(cmd, status);
    } else if (ns->write_protected && (nvme_dword(cmd, SQE_CDW11) & DSM_AD)) {
        nvme_complete(cmd, NVME_WRITE_PROTECTED | NVME_STATUS_DNR);
    } else {
        nvme_transfer_start(cmd, false, dsm_ranges(cmd) * RANGE_BYTES, nvme_keep_in_buffer,
                            dsm_received);
    }
}

/* CHOICE: no scope is reported, which Base 2.0 5.16.1.6 allows: Linux 6.12 calls one unusual. */
#define READS  NVME_EFFECT_CSUPP
#define WRITES (READS | NVME_EFFECT_LBCC)

const struct nvme_opcode nvme_io_opcodes[] = {
    {"flush", "Base 2.0 7.1", NVME_IO_FLUSH, READS, FLUSH_PS, flush_run},
    {"write", "NVM 1.0 3.2.6", NVME_IO_WRITE, WRITES, WRITE_PS, write_run},
    {"read", "NVM 1.0 3.2.4", NVME_IO_READ, READS, READ_PS, read_run},
    {"compare", "NVM 1.0 3.2.1", NVME_IO_COMPARE, READS, READ_PS, compare_run},
    {"write_zeroes", "NVM 1.0 3.2.8", NVME_IO_WRITE_ZEROES, WRITES, WRITE_PS, write_zeroes_run},
    {"dsm", "NVM 1.0 3.2.3", NVME_IO_DSM, WRITES, WRITE_PS, dsm_run},
    {"verify", "NVM 1.0 3.2.5", NVME_IO_VERIFY, READS, READ_PS, verify_run},
};
const unsigned nvme_io_opcode_count = ARRAY_LEN(nvme_io_opcodes);
