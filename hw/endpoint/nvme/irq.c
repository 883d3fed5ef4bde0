/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts: pin and MSI with INTMS and INTMC, MSI-X with its own masks (PCIe 1.0, 3.5); their
 * aggregation (Base 2.0, 5.27.1.6 and 5.27.1.7).
 */
#include "nvme.h"

#define AGGREGATION_UNIT_PS (100 * PS_PER_US)

static void vector_fire(struct nvme *ctrl, unsigned number)
{
    struct nvme_vector *vector = &ctrl->vector[number];

    vector->held = 0;
    sim_cancel(ctrl->sim, &vector->timer);
    /* Masked by INTMS: vector_unmask() finds out what was missed. */
    if (ctrl->irq_mode == NVME_IRQ_MSI && number < 32 && (ctrl->irq_mask >> number & 1) &&
        !nvme_flawed(ctrl, FLAW_NVME_MASK)) {
        return;
    }
    endpoint_interrupt(ctrl->func, number);
}

static void aggregation_fn(void *opaque)
{
    struct nvme_vector *vector = opaque;

    if (vector->ctrl->irq_mode != NVME_IRQ_INTX) {
        vector_fire(vector->ctrl, (unsigned)(vector - vector->ctrl->vector));
    }
}

/* True when the interrupt is to wait for more completions. CHOICE: the pin is never delayed. */
static bool vector_hold(struct nvme *ctrl, struct nvme_vector *vector)
{
    uint32_t value = nvme_feature(ctrl, NVME_FEAT_COALESCING);
    uint32_t threshold = value & 0xff, time = value >> 8 & 0xff;

    if (vector->no_coalescing || !threshold || !time) {
        return false;
    }
    if (++vector->held > threshold) { /* the threshold is 0's based */
        return false;
    }
    if (!sim_event_pending(&vector->timer)) {
        sim_schedule_in(ctrl->sim, &vector->timer, time * AGGREGATION_UNIT_PS);
    }
    return true;
}

void nvme_irq_raise(struct nvme *ctrl, struct nvme_cq *cq)
{
    if ((!cq->irq_enabled && !nvme_flawed(ctrl, FLAW_NVME_INTERRUPT_ENABLE)) ||
        nvme_flawed(ctrl, FLAW_NVME_INTERRUPT)) {
        return;
    }
    if (ctrl->irq_mode == NVME_IRQ_INTX) {
        nvme_irq_update_intx(ctrl);
    } else if (cq->qid == 0 || !vector_hold(ctrl, &ctrl->vector[cq->vector])) {
        vector_fire(ctrl, cq->vector);
    }
}

static bool vector_has_entries(const struct nvme *ctrl, unsigned number)
{
    for (unsigned i = 0; i < NVME_QUEUES_MAX; i++) {
        const struct nvme_cq *cq = &ctrl->cq[i];
        if (cq->exists && cq->irq_enabled && cq->vector == number && cq->head != cq->tail) {
            return true;
        }
    }
    return false;
}

/* The pin is a level: entries that the host has not taken yet. */
void nvme_irq_update_intx(struct nvme *ctrl)
{
    if (ctrl->irq_mode == NVME_IRQ_INTX) {
        endpoint_set_intx(ctrl->func,
                          (!(ctrl->irq_mask & 1) || nvme_flawed(ctrl, FLAW_NVME_MASK)) &&
                              vector_has_entries(ctrl, 0));
    }
}

void nvme_irq_set_mask(struct nvme *ctrl, uint32_t mask)
{
    uint32_t opened = ctrl->irq_mask & ~mask;

    ctrl->irq_mask = mask;
    nvme_irq_update_intx(ctrl);
    if (ctrl->irq_mode == NVME_IRQ_MSI && (opened & 1) && vector_has_entries(ctrl, 0)) {
        vector_fire(ctrl, 0);
    }
}

static bool capability_enabled(struct nvme *ctrl, unsigned cap, unsigned bit)
{
    return cap && (pci_func_config_read(ctrl->pci, cap + 2, 2) >> bit & 1);
}

/* Message Control of MSI-X has its enable bit at 15, that of MSI at 0 (PCIe Base 6.0, 7.7). */
void nvme_irq_update_mode(struct nvme *ctrl)
{
    enum nvme_irq_mode mode = NVME_IRQ_INTX;

    if (capability_enabled(ctrl, ctrl->pci->cap_msix, 15)) {
        mode = NVME_IRQ_MSIX;
    } else if (capability_enabled(ctrl, ctrl->pci->cap_msi, 0)) {
        mode = NVME_IRQ_MSI;
    }
    if (mode != ctrl->irq_mode && ctrl->irq_mode == NVME_IRQ_INTX) {
        endpoint_set_intx(ctrl->func, false);
    }
    ctrl->irq_mode = mode;
    nvme_irq_update_intx(ctrl);
}

unsigned nvme_irq_vectors(const struct nvme *ctrl)
{
    return ctrl->irq_mode == NVME_IRQ_MSIX ? ctrl->vectors : 1;
}

void nvme_irq_init(struct nvme *ctrl)
{
    for (unsigned i = 0; i < NVME_QUEUES_MAX; i++) {
        ctrl->vector[i].ctrl = ctrl;
        sim_event_init(&ctrl->vector[i].timer, aggregation_fn, &ctrl->vector[i]);
    }
}

void nvme_irq_reset(struct nvme *ctrl)
{
    for (unsigned i = 0; i < NVME_QUEUES_MAX; i++) {
        sim_cancel(ctrl->sim, &ctrl->vector[i].timer);
        ctrl->vector[i].held = 0;
        ctrl->vector[i].no_coalescing = false;
    }
    ctrl->irq_mask = 0;
    nvme_irq_update_intx(ctrl);
}
