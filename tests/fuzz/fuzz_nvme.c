/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The NVMe controller against a hostile guest. The input is a list of actions: register accesses,
 * bytes in host memory, commands in queues, doorbells, resets, failing memory and storage, and
 * time in between. Whatever happened, a function level reset must bring back a controller that
 * identifies itself.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "mock.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/endpoint/nvme_spec.h"

#define RAM_BYTES   (512u << 10)
#define DISK_BYTES  (384u << 10) /* six granules */
#define QUEUES      4
#define SQ(q)       (0x4000u + (q)*0x2000)
#define CQ(q)       (0x5000u + (q)*0x2000)
#define ENTRIES     16
#define MAX_ACTIONS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at;
    size_t left;
};

struct world {
    struct input in;
    struct mock *mock;
    struct endpoint *ep;
    struct endpoint_func *func;
    uint8_t disk[DISK_BYTES];
    int disk_error;
    unsigned tail[QUEUES];
    struct endpoint_func *all[3]; /* the function, and its Virtual Functions */
};

/* Bytes past the end of the input are zeroes. */
static uint64_t take(struct input *in, unsigned bytes)
{
    uint8_t value[8] = {0};
    unsigned n = bytes < in->left ? bytes : (unsigned)in->left;

    memcpy(value, in->at, n);
    in->at += n;
    in->left -= n;
    return le64_load(value);
}

static int disk_read(void *opaque, uint64_t offset, void *data, uint64_t len)
{
    struct world *w = opaque;

    g_assert(range_inside(offset, len, 0, DISK_BYTES));
    memcpy(data, w->disk + offset, len);
    return w->disk_error;
}

static int disk_write(void *opaque, uint64_t offset, const void *data, uint64_t len)
{
    struct world *w = opaque;

    g_assert(range_inside(offset, len, 0, DISK_BYTES));
    memcpy(w->disk + offset, data, len);
    return w->disk_error;
}

static int disk_zero(void *opaque, uint64_t offset, uint64_t len)
{
    struct world *w = opaque;

    g_assert(range_inside(offset, len, 0, DISK_BYTES));
    memset(w->disk + offset, 0, len);
    return w->disk_error;
}

static int disk_flush(void *opaque)
{
    return ((struct world *)opaque)->disk_error;
}

static void write_reg(struct world *w, unsigned offset, unsigned len, uint64_t value)
{
    mock_write(w->func, 0, offset, len, value);
}

static void enable(struct world *w)
{
    write_reg(w, NVME_REG_AQA, 4, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    write_reg(w, NVME_REG_ASQ, 8, SQ(0));
    write_reg(w, NVME_REG_ACQ, 8, CQ(0));
    write_reg(w, NVME_REG_CC, 4, 0x00460001);
    mock_run(w->mock, PS_PER_MS);
    memset(w->tail, 0, sizeof(w->tail));
}

static void submit(struct world *w, unsigned q, const uint8_t entry[NVME_SQE_BYTES])
{
    memcpy(w->mock->ram + SQ(q) + w->tail[q] * NVME_SQE_BYTES, entry, NVME_SQE_BYTES);
    w->tail[q] = (w->tail[q] + 1) % ENTRIES;
    write_reg(w, NVME_REG_DOORBELLS + q * 8, 4, w->tail[q]);
}

/* A command with plausible fields, of which some are from the input. */
static void act_command(struct world *w)
{
    uint8_t entry[NVME_SQE_BYTES] = {0};
    uint64_t shape = take(&w->in, 1);
    unsigned q = shape & 3;

    entry[SQE_OPCODE] = (uint8_t)take(&w->in, 1);
    entry[SQE_FLAGS] = shape & 4 ? (uint8_t)take(&w->in, 1) : 0;
    le16_store(entry + SQE_CID, (uint16_t)take(&w->in, shape & 8 ? 1 : 2));
    le32_store(entry + SQE_NSID, shape & 16 ? (uint32_t)take(&w->in, 4) : 1);
    le64_store(entry + SQE_PRP1, take(&w->in, shape & 32 ? 8 : 2) << (shape & 32 ? 0 : 3));
    le64_store(entry + SQE_PRP2, take(&w->in, shape & 32 ? 8 : 2) << (shape & 32 ? 0 : 3));
    le32_store(entry + SQE_CDW10, (uint32_t)take(&w->in, 4));
    le32_store(entry + SQE_CDW11, (uint32_t)take(&w->in, 4));
    le32_store(entry + SQE_CDW12, (uint32_t)take(&w->in, shape & 64 ? 4 : 1));
    le32_store(entry + SQE_CDW13, shape & 64 ? (uint32_t)take(&w->in, 4) : 0);
    submit(w, q, entry);
}

/* A pair of I/O queues, made as a driver would. */
static void act_queue(struct world *w)
{
    uint8_t entry[NVME_SQE_BYTES] = {0};
    unsigned q = 1 + (take(&w->in, 1) % (QUEUES - 1));
    unsigned entries = 2 + (take(&w->in, 1) % (ENTRIES - 1));

    entry[SQE_OPCODE] = NVME_ADMIN_CREATE_CQ;
    le64_store(entry + SQE_PRP1, CQ(q));
    le32_store(entry + SQE_CDW10, q | (entries - 1) << 16);
    le32_store(entry + SQE_CDW11, 3);
    submit(w, 0, entry);
    entry[SQE_OPCODE] = NVME_ADMIN_CREATE_SQ;
    entry[SQE_CID] = 1;
    le64_store(entry + SQE_PRP1, SQ(q));
    le32_store(entry + SQE_CDW10, q | (ENTRIES - 1) << 16);
    le32_store(entry + SQE_CDW11, q << 16 | 1);
    submit(w, 0, entry);
    mock_run(w->mock, PS_PER_MS);
    w->tail[q] = 0;
}

static void act_register(struct world *w)
{
    unsigned offset = take(&w->in, 2) & 0x3fff, len = 1 + (take(&w->in, 1) & 7);

    len = MIN(len, 0x4000 - offset);
    mock_read(w->func, 0, offset, len);
    write_reg(w, offset, len, take(&w->in, 8));
}

static void act_control(struct world *w)
{
    write_reg(w, NVME_REG_CC, 4, take(&w->in, 4));
}

static void act_doorbell(struct world *w)
{
    unsigned index = (unsigned)take(&w->in, 1);

    write_reg(w, NVME_REG_DOORBELLS + index * 4, 4, take(&w->in, 2));
}

/* The host takes all completions of a queue, as far as it believes in them. */
static void act_consume(struct world *w)
{
    unsigned q = (unsigned)take(&w->in, 1) % QUEUES;

    write_reg(w, NVME_REG_DOORBELLS + q * 8 + 4, 4, take(&w->in, 1));
}

/* Quadwords: addresses near by in three bytes, or anything in eight. */
static void act_memory(struct world *w)
{
    unsigned at = (unsigned)take(&w->in, 2) * 8, shape = (unsigned)take(&w->in, 1);

    for (unsigned i = 0; i <= (shape & 15); i++, at += 8) {
        uint64_t value = shape & 16 ? take(&w->in, 8) : take(&w->in, 3) << 3;
        if (at + 8 <= RAM_BYTES)
            le64_store(w->mock->ram + at, value);
    }
}

static void act_time(struct world *w)
{
    mock_run(w->mock, take(&w->in, 2) * 100 * PS_PER_NS);
}

static void act_reset(struct world *w)
{
    mock_reset(w->func, (enum endpoint_reset)(take(&w->in, 1) % 3));
}

static void act_trouble(struct world *w)
{
    uint64_t what = take(&w->in, 1);

    w->mock->bus_master = !(what & 1);
    w->mock->bad_addr = what & 2 ? take(&w->in, 3) : 0;
    w->disk_error = what & 4 ? what & 8 ? -ENOSPC : -EIO : 0;
    mock_set_msix(w->func, what & 16);
    mock_set_msi(w->func, what & 32);
    w->mock->dma_ps = what & 64 ? 20 * PS_PER_US : 10 * PS_PER_NS;
    w->mock->shuffle = what & 128 ? 1 + (uint32_t)take(&w->in, 1) : 0;
}

/* From now on it is another controller that is talked to; or there are other ones. */
static void act_functions(struct world *w)
{
    unsigned what = (unsigned)take(&w->in, 1);

    if (what & 0x80)
        mock_set_vfs(w->all[0], (what & 0x7f) % 3);
    else
        w->func = w->all[what % ARRAY_LEN(w->all)];
}

/* A secondary controller as a driver of the first brings it up. */
static void act_online(struct world *w)
{
    static const uint32_t steps[][2] = {{8, 3}, {8 | 1 << 8, 3}, {9, 0}};
    uint8_t entry[NVME_SQE_BYTES] = {NVME_ADMIN_VIRTUALIZATION};
    unsigned cntlid = 1 + take(&w->in, 1) % 2;

    w->func = w->all[0];
    mock_set_vfs(w->func, 2);
    for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
        entry[SQE_CID] = (uint8_t)i;
        le32_store(entry + SQE_CDW10, steps[i][0] | cntlid << 16);
        le32_store(entry + SQE_CDW11, steps[i][1]);
        submit(w, 0, entry);
    }
    mock_run(w->mock, PS_PER_MS);
    w->func = w->all[cntlid];
    enable(w);
}

/* Memory of the controller, also where the host then looks for it. */
static void act_controller_memory(struct world *w)
{
    uint64_t base = take(&w->in, 1) << 12;

    write_reg(w, NVME_REG_CMBMSC, 8, base | 3);
    mock_write(w->all[0], 2, take(&w->in, 2) & 0xfff8, 8, take(&w->in, 4) << 3);
}

static void (*const actions[])(struct world *w) = {
    act_command, act_register, act_doorbell,  act_consume, act_memory,
    act_time,    act_command,  act_reset,     act_trouble, act_queue,
    enable,      act_control,  act_functions, act_online,  act_controller_memory,
};

/* Host memory and storage work again; nothing else is repaired but by the reset. */
static void expect_recovery(struct world *w)
{
    uint8_t entry[NVME_SQE_BYTES] = {NVME_ADMIN_IDENTIFY};

    w->mock->bus_master = true;
    w->mock->bad_addr = 0;
    w->disk_error = 0;
    w->func = w->all[0];
    mock_set_vfs(w->func, 0);
    mock_reset(w->func, ENDPOINT_RESET_FLR);
    enable(w);
    memset(w->mock->ram, 0, RAM_BYTES);
    le64_store(entry + SQE_PRP1, 0x20000);
    entry[SQE_CDW10] = 1;
    submit(w, 0, entry);
    mock_run(w->mock, PS_PER_S);
    g_assert(le32_load(w->mock->ram + 0x20000 + 80) == NVME_VERSION);
    g_assert(le16_load(w->mock->ram + CQ(0) + 14) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = g_new0(struct world, 1);
    struct nvme_params params = {
        .vfs = 2,
        .vf_queues = 2,
        .memory_bytes = 65536,
        .shadow_doorbells = true,
        .namespaces = size && (data[0] & 0xc0) == 0x40 ? 3 : 1,
        .block_bytes = size && (data[0] & 0xc0) == 0x80 ? 4096 : 512,
        .name = "nvme0",
        .serial = "fuzz",
        .io_queues = 3,
        .storage = {.size_bytes = DISK_BYTES,
                    .read_only = size && (data[0] & 0xc0) == 0xc0,
                    .read = disk_read,
                    .write = disk_write,
                    .zero = disk_zero,
                    .flush = disk_flush,
                    .opaque = w},
    };

    w->in = (struct input){data, size};
    w->mock = mock_new(RAM_BYTES);
    w->ep = nvme_new(mock_fabric(w->mock), &params);
    for (unsigned i = 0; i < ARRAY_LEN(w->all); i++)
        w->all[i] = mock_func(w->ep, i);
    w->func = w->all[0];
    for (unsigned i = 0; i < MAX_ACTIONS && w->in.left; i++)
        actions[(take(&w->in, 1) & 0x3f) % ARRAY_LEN(actions)](w);
    mock_run(w->mock, 100 * PS_PER_MS);
    expect_recovery(w);
    endpoint_free(w->ep);
    mock_free(w->mock);
    g_free(w);
    return 0;
}
