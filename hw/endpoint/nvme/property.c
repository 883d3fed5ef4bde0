/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A controller's properties and its states (Base 2.0, 3.1.3, 3.5 to 3.7).
 */
#include "nvme.h"

#include "pcilab/trace/trace.h"

/* CHOICE: how long the controller takes, in virtual time. Far below what CAP.TO allows. */
#define ENABLE_PS     (500 * PS_PER_US)
#define DISABLE_PS    (50 * PS_PER_US)
#define SHUTDOWN_PS   (200 * PS_PER_US)
#define TIMEOUT_500MS 2 /* CAP.TO and CRTO, in units of 500 ms */

static unsigned shutdown_state(const struct nvme *ctrl)
{
    return FIELD_GET(NVME_CSTS_SHST, reg_get(ctrl->regs, NVME_REG_CSTS));
}

bool nvme_shut_down(const struct nvme *ctrl)
{
    return shutdown_state(ctrl) == NVME_SHST_COMPLETE;
}

bool nvme_running(const struct nvme *ctrl)
{
    return ctrl->state == NVME_READY && shutdown_state(ctrl) == NVME_SHST_NONE;
}

void nvme_rule(struct nvme *ctrl, const char *what, uint64_t value)
{
    trace_say(endpoint_trace(ctrl->func), TRACE_RULE, ctrl->name, "%s (%#llx)", what,
              (unsigned long long)value);
}

/* Base 9.5: what cannot be reported by a status is fatal; only a reset helps. */
void nvme_fatal(struct nvme *ctrl, const char *why)
{
    if (ctrl->state == NVME_FATAL || ctrl->state == NVME_DISABLED ||
        ctrl->state == NVME_DISABLING) {
        return;
    }
    nvme_rule(ctrl, why, reg_get(ctrl->regs, NVME_REG_CC));
    ctrl->state = NVME_FATAL;
    sim_cancel(ctrl->sim, &ctrl->state_timer);
    reg_update(ctrl->regs, NVME_REG_CSTS, NVME_CSTS_CFS, NVME_CSTS_CFS);
    nvme_queues_disable(ctrl, false);
}

/* Enable: Base 3.5.1. Nothing is fetched before CSTS.RDY. */
static const char *find_setup_error(const struct nvme *ctrl)
{
    uint64_t cc = reg_get(ctrl->regs, NVME_REG_CC);
    uint64_t aqa = reg_get(ctrl->regs, NVME_REG_AQA);
    uint64_t low = (NVME_PAGE_BYTES << FIELD_GET(NVME_CC_MPS, cc)) - 1;

    if (FIELD_GET(NVME_CC_MPS, cc) > NVME_MPSMAX) {
        return "enabled with a memory page size that CAP does not offer";
    }
    if (cc & NVME_CC_CSS) {
        return "enabled with a command set that CAP does not offer";
    }
    if (FIELD_GET(NVME_CC_AMS, cc) > NVME_AMS_WRR) {
        return "enabled with an arbitration mechanism that CAP does not offer";
    }
    if (!FIELD_GET(NVME_AQA_ASQS, aqa) || !FIELD_GET(NVME_AQA_ACQS, aqa)) {
        return "enabled with an admin queue of one entry";
    }
    if ((reg_get(ctrl->regs, NVME_REG_ASQ) | reg_get(ctrl->regs, NVME_REG_ACQ)) & low) {
        return "enabled with an admin queue that is not aligned to a memory page";
    }
    return NULL;
}

/* NSSRO stays until the host clears it; a secondary controller that is offline says so (8.26.3). */
static void set_idle_status(struct nvme *ctrl)
{
    uint64_t kept = reg_get(ctrl->regs, NVME_REG_CSTS) & NVME_CSTS_NSSRO;

    reg_set(ctrl->regs, NVME_REG_CSTS, kept | (ctrl->online ? 0 : NVME_CSTS_CFS));
}

static void controller_enable(struct nvme *ctrl)
{
    const char *error = find_setup_error(ctrl);

    ctrl->state = NVME_ENABLING;
    set_idle_status(ctrl);
    if (error) {
        nvme_fatal(ctrl, error);
        return;
    }
    sim_schedule_in(ctrl->sim, &ctrl->state_timer, ENABLE_PS);
}

/* Controller Level Reset but for what is particular to its kind: Base 3.7.2. AQA, ASQ and ACQ
 * survive a reset by CC.EN. */
void nvme_controller_clear(struct nvme *ctrl, bool dma_gone)
{
    sim_cancel(ctrl->sim, &ctrl->state_timer);
    sim_cancel(ctrl->sim, &ctrl->shutdown_timer);
    nvme_queues_disable(ctrl, dma_gone);
    nvme_events_reset(ctrl);
    nvme_features_reset(ctrl);
    nvme_irq_reset(ctrl);
    nvme_shadow_reset(ctrl, dma_gone);
    nvme_virt_apply(ctrl);
}

static void controller_disable(struct nvme *ctrl)
{
    nvme_controller_clear(ctrl, false);
    ctrl->state = NVME_DISABLING;
    if (!ctrl->live_dma) {
        nvme_dma_drained(ctrl);
    }
}

/* CSTS.RDY becomes 0 only when the controller is done with host memory. */
void nvme_dma_drained(struct nvme *ctrl)
{
    if (ctrl->state == NVME_DISABLING) {
        sim_schedule_in(ctrl->sim, &ctrl->state_timer, DISABLE_PS);
    }
}

static void state_timer_fn(void *opaque)
{
    struct nvme *ctrl = opaque;

    if (ctrl->state == NVME_ENABLING) {
        ctrl->page_bytes = (uint32_t)NVME_PAGE_BYTES
                           << FIELD_GET(NVME_CC_MPS, reg_get(ctrl->regs, NVME_REG_CC));
        ctrl->state = NVME_READY;
        nvme_queues_enable(ctrl);
        reg_update(ctrl->regs, NVME_REG_CSTS, NVME_CSTS_RDY, NVME_CSTS_RDY);
        return;
    }
    assert(ctrl->state == NVME_DISABLING);
    ctrl->state = NVME_DISABLED;
    set_idle_status(ctrl);
    /* CHOICE: a host that enables again without waiting for RDY to fall gets its wish now. */
    if ((reg_get(ctrl->regs, NVME_REG_CC) & NVME_CC_EN) && ctrl->online) {
        controller_enable(ctrl);
    }
}

/* Shutdown: Base 3.6.1. CHOICE: an abrupt shutdown also writes out the volatile cache. */
static void shutdown_timer_fn(void *opaque)
{
    struct nvme *ctrl = opaque;

    if (ctrl->io_cmds || ctrl->admin_cmds > ctrl->aers) {
        sim_schedule_in(ctrl->sim, &ctrl->shutdown_timer, SHUTDOWN_PS);
        return;
    }
    if (nvme_subsys_flush(ctrl->subsys)) {
        ctrl->smart.media_errors++;
        nvme_rule(ctrl, "the storage could not be flushed at shutdown", ctrl->cntlid);
    }
    reg_update(ctrl->regs, NVME_REG_CSTS, NVME_CSTS_SHST,
               FIELD_PREP(NVME_CSTS_SHST, NVME_SHST_COMPLETE));
}

static void cc_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct nvme *ctrl = reg_space_owner(space);
    uint64_t was = write->old_value, is = write->new_value;

    if (!ctrl->online) {
        nvme_rule(ctrl, "CC written while the secondary controller is offline", is);
        return;
    }
    if (!(was & NVME_CC_EN) && (is & NVME_CC_EN) && ctrl->state == NVME_DISABLED) {
        controller_enable(ctrl);
    } else if ((was & NVME_CC_EN) && !(is & NVME_CC_EN) && ctrl->state != NVME_DISABLING) {
        controller_disable(ctrl);
    }
    if (!(was & NVME_CC_SHN) && (is & NVME_CC_SHN) && shutdown_state(ctrl) == NVME_SHST_NONE) {
        reg_update(space, NVME_REG_CSTS, NVME_CSTS_SHST,
                   FIELD_PREP(NVME_CSTS_SHST, NVME_SHST_OCCURRING));
        sim_schedule_in(ctrl->sim, &ctrl->shutdown_timer, SHUTDOWN_PS);
    }
}

void nvme_properties_reset(struct nvme *ctrl, bool cold)
{
    reg_space_reset(ctrl->regs, cold ? REG_RESET_COLD : REG_RESET_WARM);
    set_idle_status(ctrl);
}

/* A Controller Level Reset that the PCI function sees nothing of; what was sent to the host before
 * still arrives. */
void nvme_controller_reset(struct nvme *ctrl)
{
    controller_disable(ctrl);
    nvme_properties_reset(ctrl, false);
}

/* NVM Subsystem Reset: Base 3.7.1. CHOICE: the link stays up. */
static void nssr_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct nvme *ctrl = reg_space_owner(space);
    const struct nvme_subsys *subsys = ctrl->subsys;

    if (write->written != NVME_NSSR_KEY || write->lanes != 0xffffffff) {
        return;
    }
    nvme_rule(ctrl, "NVM Subsystem Reset", ctrl->cntlid);
    for (unsigned i = 0; i < subsys->ctrls; i++) {
        nvme_controller_reset(subsys->ctrl[i]);
        reg_update(subsys->ctrl[i]->regs, NVME_REG_CSTS, NVME_CSTS_NSSRO, NVME_CSTS_NSSRO);
    }
}

static void intms_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct nvme *ctrl = reg_space_owner(space);

    nvme_irq_set_mask(ctrl, ctrl->irq_mask | (uint32_t)(write->written & write->lanes));
}

static void intmc_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct nvme *ctrl = reg_space_owner(space);

    nvme_irq_set_mask(ctrl, ctrl->irq_mask & ~(uint32_t)(write->written & write->lanes));
}

static uint64_t int_mask_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    const struct nvme *ctrl = reg_space_owner(space);

    return ctrl->irq_mask;
}

#define CAP_VALUE                                                                                  \
    (FIELD_PREP(NVME_CAP_MQES, NVME_QUEUE_ENTRIES_MAX - 1) | NVME_CAP_CQR |                        \
     FIELD_PREP(NVME_CAP_AMS, 1) | FIELD_PREP(NVME_CAP_TO, TIMEOUT_500MS) |                        \
     FIELD_PREP(NVME_CAP_CSS, 1) | FIELD_PREP(NVME_CAP_MPSMAX, NVME_MPSMAX) | NVME_CAP_NSSRS |     \
     NVME_CAP_CRWMS)
#define CC_WRITABLE                                                                                \
    (NVME_CC_EN | NVME_CC_CSS | NVME_CC_MPS | NVME_CC_AMS | NVME_CC_SHN | NVME_CC_IOSQES |         \
     NVME_CC_IOCQES)

static const struct reg_def properties[] = {
    {.name = "cap",
     .clause = "Base 2.0 3.1.3.1",
     .offset = NVME_REG_CAP,
     .width = 8,
     .reset = CAP_VALUE},
    {.name = "vs",
     .clause = "Base 2.0 3.1.3.2",
     .offset = NVME_REG_VS,
     .width = 4,
     .reset = NVME_VERSION},
    {.name = "intms",
     .clause = "Base 2.0 3.1.3.3",
     .offset = NVME_REG_INTMS,
     .width = 4,
     .w1t = 0xffffffff,
     .on_write = intms_written,
     .on_read = int_mask_read},
    {.name = "intmc",
     .clause = "Base 2.0 3.1.3.4",
     .offset = NVME_REG_INTMC,
     .width = 4,
     .w1t = 0xffffffff,
     .on_write = intmc_written,
     .on_read = int_mask_read},
    {.name = "cc",
     .clause = "Base 2.0 3.1.3.5",
     .offset = NVME_REG_CC,
     .width = 4,
     .rw = CC_WRITABLE,
     .on_write = cc_written},
    {.name = "csts",
     .clause = "Base 2.0 3.1.3.6",
     .offset = NVME_REG_CSTS,
     .width = 4,
     .rw1c = NVME_CSTS_NSSRO},
    {.name = "nssr",
     .clause = "Base 2.0 3.1.3.7",
     .offset = NVME_REG_NSSR,
     .width = 4,
     .w1t = 0xffffffff,
     .on_write = nssr_written},
    {.name = "aqa",
     .clause = "Base 2.0 3.1.3.8",
     .offset = NVME_REG_AQA,
     .width = 4,
     .rw = NVME_AQA_ASQS | NVME_AQA_ACQS},
    {.name = "asq",
     .clause = "Base 2.0 3.1.3.9",
     .offset = NVME_REG_ASQ,
     .width = 8,
     .rw = GENMASK(63, 12)},
    {.name = "acq",
     .clause = "Base 2.0 3.1.3.10",
     .offset = NVME_REG_ACQ,
     .width = 8,
     .rw = GENMASK(63, 12)},
    {.name = "crto",
     .clause = "Base 2.0 3.1.3.18",
     .offset = NVME_REG_CRTO,
     .width = 4,
     .reset = TIMEOUT_500MS},
};

void nvme_properties_init(struct nvme *ctrl)
{
    ctrl->regs = reg_space_new(NVME_REG_DOORBELLS, ctrl);
    reg_space_place(ctrl->regs, 0, properties, ARRAY_LEN(properties));
    reg_space_reset(ctrl->regs, REG_RESET_COLD);
    sim_event_init(&ctrl->state_timer, state_timer_fn, ctrl);
    sim_event_init(&ctrl->shutdown_timer, shutdown_timer_fn, ctrl);
}
