/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An NVM Express I/O controller: NVM Express Base Specification 2.0, NVM Command Set
 * Specification 1.0, NVMe over PCIe Transport Specification 1.0. This file is the PCI function,
 * the controller's properties and its states.
 *
 * BAR 0 (64-bit memory, 16 KiB): properties, doorbells at 1000h, MSI-X table at 2000h, its pending
 * bits at 3000h.
 *
 * UNIMPL: several namespaces and their management, SGLs, controller memory buffer, shadow
 * doorbells, fused operations, format, sanitize, virtualization: none is advertised.
 */
#include "nvme.h"

#include "pcilab/endpoint/bar_regs.h"
#include "pcilab/endpoint/ids.h"
#include "pcilab/trace/trace.h"

#define BAR_BYTES         0x4000
#define MSIX_TABLE_OFFSET 0x2000
#define MSIX_PBA_OFFSET   0x3000

/* CHOICE: how long the controller takes, in virtual time. Far below what CAP.TO allows. */
#define ENABLE_PS     (500 * PS_PER_US)
#define DISABLE_PS    (50 * PS_PER_US)
#define SHUTDOWN_PS   (200 * PS_PER_US)
#define TIMEOUT_500MS 2 /* CAP.TO and CRTO, in units of 500 ms */

static unsigned shutdown_state(const struct nvme *ctrl)
{
    return FIELD_GET(NVME_CSTS_SHST, reg_get(ctrl->regs, NVME_REG_CSTS));
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

static void controller_enable(struct nvme *ctrl)
{
    const char *error = find_setup_error(ctrl);

    ctrl->state = NVME_ENABLING;
    reg_set(ctrl->regs, NVME_REG_CSTS, 0);
    if (error) {
        nvme_fatal(ctrl, error);
        return;
    }
    sim_schedule_in(ctrl->sim, &ctrl->state_timer, ENABLE_PS);
}

/* Controller Level Reset but for what is particular to its kind: Base 3.7.2. AQA, ASQ and ACQ
 * survive a reset by CC.EN. */
static void controller_clear(struct nvme *ctrl, bool dma_gone)
{
    sim_cancel(ctrl->sim, &ctrl->state_timer);
    sim_cancel(ctrl->sim, &ctrl->shutdown_timer);
    nvme_queues_disable(ctrl, dma_gone);
    nvme_events_reset(ctrl);
    nvme_features_reset(ctrl);
    nvme_irq_reset(ctrl);
}

static void controller_disable(struct nvme *ctrl)
{
    controller_clear(ctrl, false);
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
    reg_set(ctrl->regs, NVME_REG_CSTS, 0);
    /* CHOICE: a host that enables again without waiting for RDY to fall gets its wish now. */
    if (reg_get(ctrl->regs, NVME_REG_CC) & NVME_CC_EN) {
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
     FIELD_PREP(NVME_CAP_CSS, 1) | FIELD_PREP(NVME_CAP_MPSMAX, NVME_MPSMAX) | NVME_CAP_CRWMS)
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
    {.name = "csts", .clause = "Base 2.0 3.1.3.6", .offset = NVME_REG_CSTS, .width = 4},
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

/* Reads of doorbells return 0 (PCIe 1.0 3.1.2.1: vendor specific). */
static enum tlp_status bar_read(void *owner, unsigned bar, uint64_t offset, void *data,
                                unsigned len)
{
    struct nvme *ctrl = owner;
    uint8_t *out = data;

    if (offset >= NVME_REG_DOORBELLS) {
        memset(out, 0, len);
    } else {
        unsigned n = MIN(len, NVME_REG_DOORBELLS - (unsigned)offset);
        bar_regs_read(ctrl->regs, offset, out, n);
        memset(out + n, 0, len - n);
    }
    return TLP_SC;
}

static enum tlp_status bar_write(void *owner, unsigned bar, uint64_t offset, const void *data,
                                 unsigned len)
{
    struct nvme *ctrl = owner;
    const uint8_t *in = data;

    if (offset < NVME_REG_DOORBELLS) {
        unsigned n = MIN(len, NVME_REG_DOORBELLS - (unsigned)offset);
        bar_regs_write(ctrl->regs, offset, in, n);
        in += n;
        offset += n;
        len -= n;
    }
    while (len) {
        unsigned n = MIN(len, 4 - (unsigned)(offset & 3));
        if (n == 4) {
            nvme_doorbell(ctrl, offset, le32_load(in));
        } else {
            nvme_rule(ctrl, "a doorbell was written in part", offset);
        }
        in += n;
        offset += n;
        len -= n;
    }
    return TLP_SC;
}

static void function_reset(void *owner, enum endpoint_reset kind)
{
    struct nvme *ctrl = owner;
    bool shut_down = ctrl->state == NVME_DISABLED || shutdown_state(ctrl) == NVME_SHST_COMPLETE;

    controller_clear(ctrl, true);
    ctrl->state = NVME_DISABLED;
    reg_space_reset(ctrl->regs, kind == ENDPOINT_RESET_COLD ? REG_RESET_COLD : REG_RESET_WARM);
    nvme_irq_update_mode(ctrl);
    if (kind == ENDPOINT_RESET_COLD) {
        ctrl->smart.power_cycles++;
        ctrl->smart.unsafe_shutdowns += !shut_down;
    }
}

static void config_changed(void *owner)
{
    nvme_irq_update_mode(owner);
}

static void controller_destroy(void *owner)
{
    struct nvme *ctrl = owner;

    controller_clear(ctrl, true);
    reg_space_free(ctrl->regs);
    nvme_queues_free(ctrl);
    nvme_subsys_free(ctrl->subsys);
    g_free(ctrl->name);
    g_free(ctrl);
}

static const struct endpoint_func_ops function_ops = {
    .bar_read = bar_read,
    .bar_write = bar_write,
    .reset = function_reset,
    .config_changed = config_changed,
    .destroy = controller_destroy,
};

/* NVMe over PCIe 1.0, 3.1 and 3.2 ask for these; FLR is required. */
static void add_capabilities(struct nvme *ctrl, const struct nvme_params *params)
{
    struct pcie_params pcie = params->pcie;
    uint64_t dsn = (uint64_t)ENDPOINT_VENDOR_ID << 48 | g_str_hash(ctrl->subsys->serial);

    pcie.flr = true;
    pci_func_set_bar(ctrl->pci, 0, PCI_BAR_MEM64, BAR_BYTES);
    pci_func_set_interrupt_pin(ctrl->pci, 1);
    pci_cap_pm_add(ctrl->pci);
    pci_cap_msi_add(ctrl->pci, &(struct pci_msi_params){.vectors = 1, .maskable = true});
    pci_cap_msix_add(ctrl->pci, ctrl->io_queues + 1, 0, MSIX_TABLE_OFFSET, MSIX_PBA_OFFSET);
    pci_cap_pcie_add(ctrl->pci, &pcie);
    pci_cap_dsn_add(ctrl->pci, dsn);
    if (pcie.type == PCIE_ENDPOINT) /* an ARI Device has an Upstream Port (PCIe Base 6.0, 6.13) */
        pci_cap_ari_add(ctrl->pci, 0);
}

struct endpoint *nvme_new(struct fabric *fabric, const struct nvme_params *params)
{
    assert(params->io_queues >= 1 && params->io_queues <= NVME_IO_QUEUES_MAX);
    assert(params->storage.size_bytes >= 512);
    assert(params->namespaces <= NVME_NAMESPACES);

    struct nvme *ctrl = g_new0(struct nvme, 1);
    struct endpoint *ep = endpoint_new(fabric, params->name);
    struct endpoint_func_desc desc = {
        .name = params->name,
        .ids = {.vendor = ENDPOINT_VENDOR_ID,
                .device = ENDPOINT_DEVICE_NVME,
                .subvendor = ENDPOINT_VENDOR_ID,
                .subdevice = ENDPOINT_DEVICE_NVME,
                .class_code = ENDPOINT_CLASS_NVME,
                .revision = 1},
        .ops = &function_ops,
        .owner = ctrl,
    };

    ctrl->name = g_strdup(params->name);
    ctrl->subsys = nvme_subsys_new(params);
    ctrl->subsys->ctrl[ctrl->subsys->ctrls++] = ctrl;
    ctrl->io_queues = params->io_queues;
    ctrl->regs = reg_space_new(NVME_REG_DOORBELLS, ctrl);
    reg_space_place(ctrl->regs, 0, properties, ARRAY_LEN(properties));
    reg_space_reset(ctrl->regs, REG_RESET_COLD);
    sim_event_init(&ctrl->state_timer, state_timer_fn, ctrl);
    sim_event_init(&ctrl->shutdown_timer, shutdown_timer_fn, ctrl);

    ctrl->func = endpoint_add_func(ep, &desc);
    ctrl->pci = endpoint_func_pci(ctrl->func);
    ctrl->sim = endpoint_sim(ctrl->func);
    nvme_queues_init(ctrl);
    nvme_irq_init(ctrl);
    nvme_features_reset(ctrl);
    ctrl->smart.power_cycles = 1;
    add_capabilities(ctrl, params);
    endpoint_ready(ep);
    return ep;
}
