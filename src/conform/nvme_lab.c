/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A controller and its queues. */
#include "nvme_lab.h"

#include <string.h>

#include "pcilab/base/le.h"
#include "pcilab/platform/probe.h"

#define CAP       0x00
#define CC        0x14
#define CSTS      0x1c
#define AQA       0x24
#define ASQ       0x28
#define ACQ       0x30
#define DOORBELLS 0x1000

#define CC_READY   0x00460001u /* entries of 64 and 16 bytes, enabled */
#define QUEUES     0x1080000ull
#define WAIT_US    200000
#define STEP_US    20
#define NO_ANSWER  0x10000u
#define CREATE_SQ  0x01
#define CREATE_CQ  0x05
#define IDENTIFY   0x06
#define CONTIGUOUS 1u

static char *find_controller(struct lab *lab)
{
    char **names = machine_names(lab->machine), *found = NULL;

    for (unsigned i = 0; names[i] && !found; i++) {
        if (machine_func(lab->machine, names[i]) && lab_cfg(lab, names[i], 8, 4) >> 8 == 0x010802)
            found = g_strdup(names[i]);
    }
    g_strfreev(names);
    return found;
}

uint64_t nlab_get(struct nvme_lab *n, unsigned reg, unsigned len)
{
    uint64_t value;

    lab_read(n->lab, n->bar + reg, len, &value);
    return value;
}

void nlab_put(struct nvme_lab *n, unsigned reg, uint32_t value)
{
    lab_write(n->lab, n->bar + reg, 4, value);
}

bool nlab_set_ready(struct nvme_lab *n, bool ready)
{
    unsigned limit = ((unsigned)(nlab_get(n, CAP, 8) >> 24 & 0xff) + 1) * 500;

    nlab_put(n, CC, ready ? CC_READY : (uint32_t)nlab_get(n, CC, 4) & ~1u);
    for (unsigned ms = 0; ms < limit; ms++) {
        if ((nlab_get(n, CSTS, 4) & 1) == ready)
            return true;
        lab_run_us(n->lab, 1000);
    }
    return false;
}

static void make_queue(struct nvme_lab *n, unsigned id)
{
    static const uint8_t zeroes[NVME_ENTRIES * 64];
    struct nvme_queue *queue = &n->queue[id];

    *queue = (struct nvme_queue){
        .sq = QUEUES + id * 0x4000, .cq = QUEUES + id * 0x4000 + 0x2000, .phase = true};
    machine_board_write(n->lab->machine, queue->sq, zeroes, sizeof(zeroes));
    machine_board_write(n->lab->machine, queue->cq, zeroes, NVME_ENTRIES * 16);
}

static bool make_io(struct nvme_lab *n)
{
    make_queue(n, 1);
    return nlab_run(n, 0,
                    &(struct nvme_command){.opcode = CREATE_CQ,
                                           .prp1 = n->queue[1].cq,
                                           .cdw10 = (NVME_ENTRIES - 1) << 16 | 1,
                                           .cdw11 = CONTIGUOUS},
                    NULL) == 0 &&
           nlab_run(n, 0,
                    &(struct nvme_command){.opcode = CREATE_SQ,
                                           .prp1 = n->queue[1].sq,
                                           .cdw10 = (NVME_ENTRIES - 1) << 16 | 1,
                                           .cdw11 = 1u << 16 | CONTIGUOUS},
                    NULL) == 0;
}

bool nlab_begin(struct nvme_lab *n, struct lab *lab, bool io)
{
    *n = (struct nvme_lab){.t = lab->t, .lab = lab, .name = find_controller(lab)};
    if (!n->name) {
        t_skip(lab->t, "the topology has no NVMe controller");
        return false;
    }
    n->bar = lab_bar(lab, n->name, 0);
    n->stride = 4u << (nlab_get(n, CAP, 8) >> 32 & 0xf);
    make_queue(n, 0);
    nlab_set_ready(n, false);
    nlab_put(n, AQA, (NVME_ENTRIES - 1) << 16 | (NVME_ENTRIES - 1));
    nlab_put(n, ASQ, (uint32_t)n->queue[0].sq);
    nlab_put(n, ASQ + 4, 0);
    nlab_put(n, ACQ, (uint32_t)n->queue[0].cq);
    nlab_put(n, ACQ + 4, 0);
    if (!nlab_set_ready(n, true))
        t_fail(lab->t, "it does not become ready");
    else if (io && !make_io(n))
        t_fail(lab->t, "it makes no I/O queues");
    return !t_failed(lab->t);
}

void nlab_end(struct nvme_lab *n)
{
    g_free(n->name);
}

void nlab_doorbell(struct nvme_lab *n, unsigned queue, bool head, uint32_t value)
{
    nlab_put(n, DOORBELLS + (2 * queue + head) * n->stride, value);
}

void nlab_send(struct nvme_lab *n, unsigned queue, const struct nvme_command *command)
{
    struct nvme_queue *q = &n->queue[queue];
    uint8_t entry[64] = {command->opcode, command->flags};

    n->cid++;
    le16_store(entry + 2, n->cid);
    le32_store(entry + 4, command->nsid);
    le64_store(entry + 24, command->prp1);
    le64_store(entry + 32, command->prp2);
    le32_store(entry + 40, command->cdw10);
    le32_store(entry + 44, command->cdw11);
    le32_store(entry + 48, command->cdw12);
    le32_store(entry + 52, command->cdw13);
    machine_board_write(n->lab->machine, q->sq + q->tail * sizeof(entry), entry, sizeof(entry));
    q->tail = (q->tail + 1) % NVME_ENTRIES;
    nlab_doorbell(n, queue, false, q->tail);
}

bool nlab_take(struct nvme_lab *n, unsigned queue, struct nvme_completion *completion)
{
    struct nvme_queue *q = &n->queue[queue];
    uint8_t entry[16];

    for (unsigned us = 0;; us += STEP_US) {
        machine_board_read(n->lab->machine, q->cq + q->head * sizeof(entry), entry, sizeof(entry));
        if ((entry[14] & 1) == q->phase)
            break;
        if (us >= WAIT_US)
            return false;
        lab_run_us(n->lab, us < 1000 ? STEP_US : 1000);
        us += us < 1000 ? 0 : 1000;
    }
    *completion = (struct nvme_completion){
        .dw0 = le32_load(entry),
        .sq_head = le16_load(entry + 8),
        .sq_id = le16_load(entry + 10),
        .cid = le16_load(entry + 12),
        .status = le16_load(entry + 14) >> 1 & 0x7ff,
        .phase = entry[14] & 1,
        .again = !(entry[15] & 0x80),
    };
    q->head = (q->head + 1) % NVME_ENTRIES;
    q->phase ^= q->head == 0;
    nlab_doorbell(n, queue, true, q->head);
    return true;
}

unsigned nlab_run(struct nvme_lab *n, unsigned queue, const struct nvme_command *command,
                  struct nvme_completion *completion)
{
    struct nvme_completion own;

    if (!completion)
        completion = &own;
    nlab_send(n, queue, command);
    return nlab_take(n, queue, completion) ? completion->status : NO_ANSWER;
}

unsigned nlab_identify(struct nvme_lab *n, unsigned cns, uint32_t nsid)
{
    return nlab_run(
        n, 0,
        &(struct nvme_command){.opcode = IDENTIFY, .nsid = nsid, .prp1 = NVME_DATA, .cdw10 = cns},
        NULL);
}

uint64_t nlab_ram(struct nvme_lab *n, uint64_t addr, unsigned len)
{
    uint8_t bytes[8] = {0};

    machine_board_read(n->lab->machine, addr, bytes, len);
    return le_load(bytes, len);
}

unsigned nlab_block_bytes(struct nvme_lab *n)
{
    unsigned format;

    if (nlab_identify(n, 0, 1) != 0)
        return 512;
    format = (unsigned)nlab_ram(n, NVME_DATA + 26, 1) & 0xf;
    return 1u << (nlab_ram(n, NVME_DATA + 128 + 4 * format, 4) >> 16 & 0xff);
}
