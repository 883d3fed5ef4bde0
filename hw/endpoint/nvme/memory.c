/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The controller memory buffer (Base 2.0, 8.5): memory of the device behind BAR 2. The host says at
 * which addresses the controller finds it (CMBMSC); accesses there do not leave the device.
 * Everything may be in it: queues, lists and data, in any mixture.
 */
#include "nvme.h"

#include "pcilab/endpoint/bar_regs.h"

/* CHOICE: an access takes so long. */
#define ACCESS_PS (100 * PS_PER_NS)

#define CMBLOC_BIR   2
#define CMBLOC_MIXED GENMASK(7, 3) /* no restrictions: CQMMS to CDMMMS */
#define CMBSZ_ALL    GENMASK(4, 0) /* SQS, CQS, LISTS, RDS, WDS */
#define CMBSZ_SZ(n)  ((uint64_t)(n) << 12)
#define CMBMSC_CRE   BIT(0)
#define CMBMSC_CMSE  BIT(1)
#define CMBMSC_CBA   GENMASK(63, 12)
#define CMBSTS_CBAI  BIT(0)

static uint64_t memory_base(const struct nvme *ctrl)
{
    return reg_get(ctrl->regs, NVME_REG_CMBMSC) & CMBMSC_CBA;
}

static bool memory_enabled(const struct nvme *ctrl)
{
    return ctrl->mem && (reg_get(ctrl->regs, NVME_REG_CMBMSC) & CMBMSC_CMSE) &&
           !reg_get(ctrl->regs, NVME_REG_CMBSTS);
}

/* 3.1.3.11, 3.1.3.12: both are 0 until the host shows that it knows the registers. */
static void control_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct nvme *ctrl = reg_space_owner(space);
    bool known = write->new_value & CMBMSC_CRE;
    uint64_t base = write->new_value & CMBMSC_CBA;
    bool wraps = base + ctrl->mem_bytes < base;

    reg_set(space, NVME_REG_CMBLOC, known ? CMBLOC_BIR | CMBLOC_MIXED : 0);
    reg_set(space, NVME_REG_CMBSZ, known ? CMBSZ_ALL | CMBSZ_SZ(ctrl->mem_bytes >> 12) : 0);
    reg_set(space, NVME_REG_CMBSTS, (write->new_value & CMBMSC_CMSE) && wraps ? CMBSTS_CBAI : 0);
}

static const struct reg_def memory_rows[] = {
    {.name = "cmbloc", .clause = "Base 2.0 3.1.3.11", .offset = NVME_REG_CMBLOC, .width = 4},
    {.name = "cmbsz", .clause = "Base 2.0 3.1.3.12", .offset = NVME_REG_CMBSZ, .width = 4},
    {.name = "cmbmsc",
     .clause = "Base 2.0 3.1.3.16",
     .offset = NVME_REG_CMBMSC,
     .width = 8,
     .rw = CMBMSC_CRE | CMBMSC_CMSE | CMBMSC_CBA,
     .on_write = control_written},
    {.name = "cmbsts", .clause = "Base 2.0 3.1.3.17", .offset = NVME_REG_CMBSTS, .width = 4},
};

static void access_fn(void *opaque)
{
    struct nvme *ctrl = opaque;
    struct dma_op *op = ctrl->local_first;

    ctrl->local_first = op->next;
    if (ctrl->local_first) {
        sim_schedule_in(ctrl->sim, &ctrl->local_event, ACCESS_PS);
    }
    uint8_t *at = ctrl->mem + (op->addr - memory_base(ctrl));
    if (!memory_enabled(ctrl) ||
        !range_inside(op->addr, op->len, memory_base(ctrl), ctrl->mem_bytes)) {
        op->done(op, DMA_UR); /* moved under the access */
        return;
    }
    if (op->kind == DMA_READ) {
        memcpy(op->buf, at, op->len);
    } else {
        memcpy(at, op->buf, op->len);
    }
    op->done(op, DMA_OK);
}

bool nvme_memory_access(struct nvme *ctrl, struct dma_op *op)
{
    if (!memory_enabled(ctrl) ||
        !range_inside(op->addr, op->len, memory_base(ctrl), ctrl->mem_bytes)) {
        return false;
    }
    op->next = NULL;
    if (ctrl->local_first) {
        ctrl->local_last->next = op;
    } else {
        ctrl->local_first = op;
        sim_schedule_in(ctrl->sim, &ctrl->local_event, ACCESS_PS);
    }
    ctrl->local_last = op;
    return true;
}

void nvme_memory_init(struct nvme *ctrl, uint64_t bytes)
{
    sim_event_init(&ctrl->local_event, access_fn, ctrl);
    if (bytes) {
        ctrl->mem = g_malloc0(bytes);
        ctrl->mem_bytes = bytes;
        reg_space_place(ctrl->regs, 0, memory_rows, ARRAY_LEN(memory_rows));
        reg_hwinit(ctrl->regs, NVME_REG_CAP, reg_get(ctrl->regs, NVME_REG_CAP) | NVME_CAP_CMBS);
    }
}

void nvme_memory_reset(struct nvme *ctrl)
{
    ctrl->local_first = NULL;
    sim_cancel(ctrl->sim, &ctrl->local_event);
    if (ctrl->mem) {
        memset(ctrl->mem, 0, ctrl->mem_bytes);
    }
}
