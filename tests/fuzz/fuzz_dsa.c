/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The accelerator against hostile drivers. The input is a list of actions: register accesses,
 * commands, descriptors to any portal, bytes in host memory, failing memory, resets, and time in
 * between. Whatever happened, a Function Level Reset must bring back a device that copies.
 */
#include <glib.h>
#include <string.h>

#include "accel.h"
#include "mock.h"

#define MAX_ACTIONS 128
#define QUEUES      8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    const uint8_t *at;
    size_t left;
    struct accel a;
};

/* Bytes past the end of the input are zeroes. */
static uint64_t take(struct world *w, unsigned bytes)
{
    uint8_t value[8] = {0};
    unsigned n = bytes < w->left ? bytes : (unsigned)w->left;

    memcpy(value, w->at, n);
    w->at += n;
    w->left -= n;
    return le64_load(value);
}

static void act_register(struct world *w)
{
    unsigned what = (unsigned)take(w, 1), len = 1u << (what & 3);
    unsigned offset = (unsigned)take(w, 2) % (DSA_REGS_BYTES + 64);

    if (what & 0x80)
        accel_set(&w->a, offset, len, take(w, len));
    else
        accel_get(&w->a, offset, len);
}

static void act_configure(struct world *w)
{
    unsigned queue = (unsigned)take(w, 1) % QUEUES, group = (unsigned)take(w, 1) % 4;

    accel_configure_queue(&w->a, queue, (unsigned)take(w, 1) % 40, (uint32_t)take(w, 4));
    accel_set(&w->a, DSA_GRPCFG + group * DSA_GRPCFG_STRIDE, 8, take(w, 1));
    accel_set(&w->a, DSA_GRPCFG + group * DSA_GRPCFG_STRIDE + DSA_GRP_ENGINES, 8, take(w, 1));
}

static void act_command(struct world *w)
{
    uint32_t code = (uint32_t)take(w, 1), operand = (uint32_t)take(w, 1);

    accel_set(&w->a, DSA_CMD, 4,
              FIELD_PREP(DSA_CMD_CODE, code % 16) | (code & 0x80 ? operand << 12 : operand));
}

/* Addresses and sizes that mean something, mostly. */
static void make_desc(struct world *w, uint8_t *raw)
{
    unsigned what = (unsigned)take(w, 1);

    raw[DSA_DESC_OPCODE] = (uint8_t)take(w, 1) % 0x22;
    le16_store(raw + DSA_DESC_FLAGS, (uint16_t)take(w, 2));
    le64_store(raw + DSA_DESC_COMPLETION, ACCEL_RECORD + take(w, 1) * (what & 1 ? 32 : 1));
    le64_store(raw + DSA_DESC_ADDR1, what & 2 ? take(w, 8) : take(w, 2) << 4);
    le64_store(raw + DSA_DESC_ADDR2, what & 4 ? take(w, 8) : take(w, 2) << 4);
    le32_store(raw + DSA_DESC_SIZE, (uint32_t)take(w, what & 8 ? 4 : 2));
    le16_store(raw + DSA_DESC_HANDLE, (uint16_t)(take(w, 1) % 12));
    if (what & 16)
        le64_store(raw + DSA_DESC_RESULT, take(w, 4));
    if (what & 32)
        le32_store(raw, (uint32_t)take(w, 4));
}

static void act_submit(struct world *w)
{
    unsigned what = (unsigned)take(w, 1);
    uint64_t offset = (what % (QUEUES * 4)) * DSA_PORTAL_BYTES + (what & 0x40);
    uint8_t raw[DSA_DESC_BYTES] = {0};

    make_desc(w, raw);
    if (what & 0x80)
        mock_deferrable(w->a.func, 2, offset, raw, sizeof(raw));
    else
        mock_write_bytes(w->a.func, 2, offset, raw, sizeof(raw));
}

static void act_list(struct world *w)
{
    uint8_t *list = w->a.mock->ram + ACCEL_LIST;
    unsigned count = (unsigned)take(w, 1) % 8;

    for (unsigned i = 0; i < count; i++)
        make_desc(w, list + i * DSA_DESC_BYTES);
}

static void act_trouble(struct world *w)
{
    struct mock *mock = w->a.mock;
    unsigned what = (unsigned)take(w, 1);

    mock->deny_addr = what & 1 ? take(w, 2) << 4 : 0;
    mock->bad_addr = what & 2 ? take(w, 2) << 4 : 0;
    mock->bus_master = !(what & 4);
    mock->pasid = what & 8;
    mock->pri = what & 16;
    if ((what & 0xe0) == 0xe0)
        mock_reset(w->a.func, ENDPOINT_RESET_FLR);
}

static void act_start(struct world *w)
{
    accel_start(&w->a);
}

static void act_wait(struct world *w)
{
    mock_run(w->a.mock, take(w, 2) * 100 * PS_PER_NS);
}

static void check_alive(struct world *w)
{
    struct accel_desc desc = accel_desc(DSA_MEMMOVE, 0, ACCEL_FROM, ACCEL_TO, 5000);
    struct mock *mock = w->a.mock;

    mock->deny_addr = mock->bad_addr = 0;
    mock->bus_master = true;
    mock_reset(w->a.func, ENDPOINT_RESET_FLR);
    memset(mock->ram + ACCEL_FROM, 0x5a, 5000);
    memset(mock->ram + ACCEL_TO, 0, 5000);
    accel_start(&w->a);
    g_assert_cmpuint(accel_do(&w->a, &desc, 0)[0], ==, DSA_SUCCESS);
    g_assert_cmpint(memcmp(mock->ram + ACCEL_FROM, mock->ram + ACCEL_TO, 5000), ==, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const actions[])(struct world *) = {
        act_register, act_configure, act_command, act_submit, act_submit,
        act_list,     act_trouble,   act_start,   act_wait,   act_wait,
    };
    struct world w = {.at = data, .left = size};

    accel_open(&w.a, QUEUES, 2);
    for (unsigned i = 0; i < MAX_ACTIONS && w.left; i++)
        actions[take(&w, 1) % ARRAY_LEN(actions)](&w);
    check_alive(&w);
    accel_close(&w.a);
    return 0;
}
