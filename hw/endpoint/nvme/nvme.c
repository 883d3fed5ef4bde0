/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An NVM Express I/O controller: NVM Express Base Specification 2.0, NVM Command Set
 * Specification 1.0, NVMe over PCIe Transport Specification 1.0. This file makes the functions of
 * a device: the primary controller, and secondary ones that are its Virtual Functions.
 *
 * BAR 0 (64-bit memory, 16 KiB): properties, doorbells at 1000h, MSI-X table at 2000h, its pending
 * bits at 3000h. BAR 2: the controller memory buffer, if there is one.
 *
 * UNIMPL: metadata and protection information, sanitize, reservations, ANA: none is advertised.
 */
#include "nvme.h"

#include "pcilab/endpoint/bar_regs.h"
#include "pcilab/endpoint/ids.h"
#include "pcilab/pci/sriov.h"

#define BAR_BYTES         0x4000
#define MSIX_TABLE_OFFSET 0x2000
#define MSIX_PBA_OFFSET   0x3000
enum { BAR_PROPERTIES = 0, BAR_MEMORY = 2 };

/* 4 KiB to 4 MiB: those that every device has to support (PCIe Base 6.0, 9.3.3.12). */
#define VF_PAGE_SIZES 0x553

/* Reads of doorbells return 0 (PCIe 1.0 3.1.2.1: vendor specific). */
static enum tlp_status bar_read(void *owner, unsigned bar, uint64_t offset, void *data,
                                unsigned len)
{
    struct nvme *ctrl = owner;
    uint8_t *out = data;

    if (bar == BAR_MEMORY) {
        memcpy(data, ctrl->mem + offset, len);
        return TLP_SC;
    }
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

    if (bar == BAR_MEMORY) {
        memcpy(ctrl->mem + offset, data, len);
        return TLP_SC;
    }
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
    bool shut_down = ctrl->state == NVME_DISABLED || nvme_shut_down(ctrl);

    nvme_controller_clear(ctrl, true);
    nvme_memory_reset(ctrl);
    ctrl->state = NVME_DISABLED;
    nvme_properties_reset(ctrl, kind == ENDPOINT_RESET_COLD);
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

static void vfs_changed(void *owner, unsigned was, unsigned now)
{
    struct nvme *ctrl = owner;

    nvme_virt_all_offline(ctrl->subsys);
}

/* Virtual Functions go before their Physical Function, which has the subsystem. */
static void controller_destroy(void *owner)
{
    struct nvme *ctrl = owner;

    nvme_controller_clear(ctrl, true);
    nvme_memory_reset(ctrl);
    reg_space_free(ctrl->regs);
    nvme_queues_free(ctrl);
    if (ctrl->cntlid == 0) {
        nvme_subsys_free(ctrl->subsys);
    }
    g_free(ctrl->shadow);
    g_free(ctrl->mem);
    g_free(ctrl->name);
    g_free(ctrl);
}

static const struct endpoint_func_ops function_ops = {
    .bar_read = bar_read,
    .bar_write = bar_write,
    .reset = function_reset,
    .config_changed = config_changed,
    .vfs_changed = vfs_changed,
    .destroy = controller_destroy,
};

/* NVMe over PCIe 1.0, 3.1 and 3.2 ask for these; FLR is required. A Virtual Function has no pin,
 * and no MSI beside MSI-X. */
static void add_capabilities(struct nvme *ctrl, const struct nvme_params *params)
{
    struct pcie_params pcie = params->pcie;
    uint64_t dsn = (uint64_t)ENDPOINT_VENDOR_ID << 48 | g_str_hash(ctrl->subsys->serial);
    bool primary = ctrl->cntlid == 0;

    pcie.flr = true;
    pci_cap_pm_add(ctrl->pci);
    if (primary) {
        pci_cap_msi_add(ctrl->pci, &(struct pci_msi_params){.vectors = 1, .maskable = true});
    }
    pci_cap_msix_add(ctrl->pci, params->vfs ? NVME_QUEUES_MAX : ctrl->vectors, BAR_PROPERTIES,
                     MSIX_TABLE_OFFSET, MSIX_PBA_OFFSET);
    pci_cap_pcie_add(ctrl->pci, &pcie);
    if (primary) {
        pci_cap_dsn_add(ctrl->pci, dsn);
    }
    if (pcie.type == PCIE_ENDPOINT) /* an ARI Device has an Upstream Port (PCIe Base 6.0, 6.13) */
        pci_cap_ari_add(ctrl->pci, 0);
}

static struct nvme *controller_prepare(struct nvme_subsys *subsys, const struct nvme_params *params)
{
    struct nvme *ctrl = g_new0(struct nvme, 1);

    ctrl->subsys = subsys;
    ctrl->cntlid = (uint16_t)subsys->ctrls;
    subsys->ctrl[subsys->ctrls++] = ctrl;
    ctrl->online = ctrl->cntlid == 0;
    ctrl->name = ctrl->cntlid ? g_strdup_printf("%s.vf%u", params->name, ctrl->cntlid - 1u)
                              : g_strdup(params->name);
    ctrl->io_queues = params->io_queues;
    ctrl->vectors = params->io_queues + 1;
    nvme_properties_init(ctrl);
    return ctrl;
}

/* CHOICE: the cache's size, and how much is asked for at once. */
static const struct endpoint_ats_params ats_params = {
    .entries = 256,
    .pages = 4,
    .cap = {.queue_depth = 32},
};

/* The function is there: what needs it, and the simulator. */
static void controller_finish(struct nvme *ctrl, struct endpoint_func *func,
                              const struct nvme_params *params)
{
    bool primary = ctrl->cntlid == 0;

    ctrl->func = func;
    ctrl->pci = endpoint_func_pci(func);
    ctrl->sim = endpoint_sim(func);
    if (primary) {
        pci_func_set_bar(ctrl->pci, BAR_PROPERTIES, PCI_BAR_MEM64, BAR_BYTES);
        pci_func_set_interrupt_pin(ctrl->pci, 1);
    }
    if (primary && params->memory_bytes) {
        pci_func_set_bar(ctrl->pci, BAR_MEMORY, PCI_BAR_MEM64_PREF, params->memory_bytes);
    }
    nvme_memory_init(ctrl, primary ? params->memory_bytes : 0);
    if (params->shadow_doorbells) {
        nvme_shadow_init(ctrl);
    }
    add_capabilities(ctrl, params);
    ctrl->ats = params->ats;
    if (ctrl->ats) {
        endpoint_add_ats(func, &ats_params);
    }
    nvme_properties_reset(ctrl, true);
    nvme_queues_init(ctrl);
    nvme_irq_init(ctrl);
    nvme_features_reset(ctrl);
    nvme_virt_apply(ctrl);
    ctrl->smart.power_cycles = 1;
}

/* Behind the Physical Function where ARI lets the bus have more, else from the next bus on. */
static void add_sriov(struct nvme *pf, const struct nvme_params *params)
{
    const struct pci_sriov_params sriov = {
        .total_vfs = (uint16_t)params->vfs,
        .vf_device = ENDPOINT_DEVICE_NVME,
        .place = {{256, 1}, {1, 1}},
        .page_sizes = VF_PAGE_SIZES,
    };

    pci_cap_sriov_add(pf->pci, &sriov);
    pci_sriov_set_bar(pf->pci, BAR_PROPERTIES, PCI_BAR_MEM64, BAR_BYTES);
    for (unsigned i = 0; i < params->vfs; i++) {
        struct nvme *ctrl = controller_prepare(pf->subsys, params);
        const struct endpoint_func_desc desc = {
            .name = ctrl->name, .ops = &function_ops, .owner = ctrl};

        controller_finish(ctrl, endpoint_add_vf(pf->func, &desc), params);
    }
}

struct endpoint *nvme_new(struct fabric *fabric, const struct nvme_params *params)
{
    assert(params->io_queues >= 1 && params->io_queues <= NVME_IO_QUEUES_MAX);
    assert(params->storage.size_bytes >= 512);
    assert(params->namespaces <= NVME_NAMESPACES && params->vfs <= NVME_VFS_MAX);
    assert(!params->vfs || params->pcie.type == PCIE_ENDPOINT);
    assert(!params->memory_bytes || is_power_of_2(params->memory_bytes));

    struct nvme_subsys *subsys = nvme_subsys_new(params);
    struct nvme *ctrl = controller_prepare(subsys, params);
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

    controller_finish(ctrl, endpoint_add_func(ep, &desc), params);
    if (params->vfs) {
        add_sriov(ctrl, params);
    }
    endpoint_ready(ep);
    return ep;
}
