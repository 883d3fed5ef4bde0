/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host.h"

#include <check.h>
#include <glib.h>
#include <string.h>

#include "pcilab/base/le.h"

static int disk_read(void *opaque, uint64_t offset, void *data, uint64_t len)
{
    struct host *host = opaque;

    ck_assert_uint_le(offset + len, HOST_DISK_BYTES);
    memcpy(data, host->disk + offset, len);
    return host->disk_error;
}

static int disk_write(void *opaque, uint64_t offset, const void *data, uint64_t len)
{
    struct host *host = opaque;

    ck_assert_uint_le(offset + len, HOST_DISK_BYTES);
    if (!host->disk_error) {
        memcpy(host->disk + offset, data, len);
    }
    return host->disk_error;
}

static int disk_zero(void *opaque, uint64_t offset, uint64_t len)
{
    struct host *host = opaque;

    ck_assert_uint_le(offset + len, HOST_DISK_BYTES);
    if (!host->disk_error) {
        memset(host->disk + offset, 0, len);
    }
    return host->disk_error;
}

static int disk_flush(void *opaque)
{
    struct host *host = opaque;

    host->flushes++;
    return host->disk_error;
}

struct host *host_new_with(const struct nvme_params *more)
{
    struct host *host = g_new0(struct host, 1);
    struct nvme_params params = {
        .name = "nvme0",
        .serial = "PL0001",
        .io_queues = more->io_queues ? more->io_queues : 8,
        .vfs = more->vfs,
        .vf_queues = more->vf_queues,
        .memory_bytes = more->memory_bytes,
        .shadow_doorbells = more->shadow_doorbells,
        .storage = {.size_bytes = HOST_DISK_BYTES,
                    .read_only = more->storage.read_only,
                    .read = disk_read,
                    .write = disk_write,
                    .zero = disk_zero,
                    .flush = disk_flush,
                    .opaque = host},
        .namespaces = more->namespaces,
        .namespace_bytes = more->namespace_bytes,
        .block_bytes = more->block_bytes,
        .pcie = {.type = PCIE_ENDPOINT, .max_speed = 3, .max_width = 4},
    };

    if (more->storage.read) {
        params.storage = more->storage;
    }
    host->disk = g_malloc0(HOST_DISK_BYTES);
    host->mock = mock_new(HOST_RAM_BYTES);
    host->ep = nvme_new(mock_fabric(host->mock), &params);
    host->func = mock_func(host->ep, 0);
    for (unsigned i = 0; i < HOST_QUEUES; i++) {
        host->queue[i].sq = 0x10000 + i * 0x20000;
        host->queue[i].cq = 0x20000 + i * 0x20000;
    }
    return host;
}

struct host *host_new(bool read_only)
{
    return host_new_with(&(struct nvme_params){.storage.read_only = read_only});
}

void host_free(struct host *host)
{
    endpoint_free(host->ep);
    mock_free(host->mock);
    g_free(host->disk);
    g_free(host);
}

uint32_t host_csts(struct host *host)
{
    return (uint32_t)mock_read(host->func, 0, NVME_REG_CSTS, 4);
}

static void queue_reset(struct host *host, unsigned qid, unsigned entries)
{
    struct host_queue *q = &host->queue[qid];

    q->sq_size = q->cq_size = entries;
    q->tail = q->head = q->sq_head = 0;
    q->phase = true;
    memset(host->mock->ram + q->sq, 0, 0x10000);
    memset(host->mock->ram + q->cq, 0, 0x10000);
}

void host_enable(struct host *host)
{
    queue_reset(host, 0, HOST_ENTRIES);
    mock_write(host->func, 0, NVME_REG_AQA, 4, (HOST_ENTRIES - 1) << 16 | (HOST_ENTRIES - 1));
    mock_write(host->func, 0, NVME_REG_ASQ, 8, host->queue[0].sq);
    mock_write(host->func, 0, NVME_REG_ACQ, 8, host->queue[0].cq);
    mock_write(host->func, 0, NVME_REG_CC, 4, NVME_CC_EN | 6u << 16 | 4u << 20);
    ck_assert_uint_eq(host_csts(host) & 1, 0);
    mock_run(host->mock, 10 * PS_PER_MS);
    ck_assert_uint_eq(host_csts(host), NVME_CSTS_RDY);
}

void host_disable(struct host *host)
{
    mock_write(host->func, 0, NVME_REG_CC, 4, 6u << 16 | 4u << 20);
    mock_run(host->mock, 10 * PS_PER_MS);
    ck_assert_uint_eq(host_csts(host), 0);
}

void host_make_queue(struct host *host, unsigned qid, unsigned entries, unsigned vector)
{
    struct host_queue *q = &host->queue[qid];
    struct host_cmd cmd = {
        .opcode = NVME_ADMIN_CREATE_CQ,
        .prp1 = q->cq,
        .cdw10 = qid | (entries - 1) << 16,
        .cdw11 = vector << 16 | 3,
    };

    queue_reset(host, qid, entries);
    ck_assert_uint_eq(host_status(host, 0, &cmd), NVME_OK);
    cmd.opcode = NVME_ADMIN_CREATE_SQ;
    cmd.prp1 = q->sq;
    cmd.cdw11 = qid << 16 | 1;
    ck_assert_uint_eq(host_status(host, 0, &cmd), NVME_OK);
}

struct host *host_ready(bool read_only)
{
    return host_ready_with(&(struct nvme_params){.storage.read_only = read_only});
}

struct host *host_ready_with(const struct nvme_params *more)
{
    struct host *host = host_new_with(more);

    mock_set_msix(host->func, true);
    host_enable(host);
    host_make_queue(host, 1, HOST_ENTRIES, 1);
    return host;
}

uint16_t host_queue_cmd(struct host *host, unsigned qid, const struct host_cmd *cmd)
{
    struct host_queue *q = &host->queue[qid];
    uint8_t *e = host->mock->ram + q->sq + q->tail * NVME_SQE_BYTES;
    uint16_t cid = host->next_cid++;

    memset(e, 0, NVME_SQE_BYTES);
    e[0] = cmd->opcode;
    e[1] = cmd->flags;
    le16_store(e + 2, cid);
    le32_store(e + 4, cmd->nsid);
    le64_store(e + 24, cmd->prp1);
    le64_store(e + 32, cmd->prp2);
    le32_store(e + 40, cmd->cdw10);
    le32_store(e + 44, cmd->cdw11);
    le32_store(e + 48, cmd->cdw12);
    le32_store(e + 52, cmd->cdw13);
    le32_store(e + 56, cmd->cdw14);
    q->tail = (q->tail + 1) % q->sq_size;
    return cid;
}

void host_ring(struct host *host, unsigned qid)
{
    mock_write(host->func, 0, NVME_REG_DOORBELLS + qid * 8, 4, host->queue[qid].tail);
}

bool host_poll(struct host *host, unsigned qid, struct host_result *result)
{
    struct host_queue *q = &host->queue[qid];
    const uint8_t *e = host->mock->ram + q->cq + q->head * NVME_CQE_BYTES;
    uint16_t status = le16_load(e + 14);

    if ((status & 1) != q->phase) {
        return false;
    }
    q->sq_head = le16_load(e + 8);
    *result = (struct host_result){
        .status = (uint16_t)((status >> 1) & ~NVME_STATUS_MORE),
        .cid = le16_load(e + 12),
        .sqid = le16_load(e + 10),
        .value = le64_load(e),
    };
    if (++q->head == q->cq_size) {
        q->head = 0;
        q->phase = !q->phase;
    }
    mock_write(host->func, 0, NVME_REG_DOORBELLS + qid * 8 + 4, 4, q->head);
    return true;
}

struct host_result host_wait(struct host *host, unsigned qid)
{
    struct host_result result;
    uint64_t end = host->mock->sim.now_ps + PS_PER_S;

    while (!host_poll(host, qid, &result)) {
        ck_assert_msg(sim_run_one(&host->mock->sim, end), "no completion on queue %u", qid);
    }
    return result;
}

struct host_result host_run(struct host *host, unsigned qid, const struct host_cmd *cmd)
{
    uint16_t cid = host_queue_cmd(host, qid, cmd);

    host_ring(host, qid);
    struct host_result result = host_wait(host, qid);
    ck_assert_uint_eq(result.cid, cid);
    ck_assert_uint_eq(result.sqid, qid);
    return result;
}

uint16_t host_status(struct host *host, unsigned qid, const struct host_cmd *cmd)
{
    return host_run(host, qid, cmd).status;
}
