/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel 82576 gigabit Ethernet controller: Intel 82576EB datasheet (320961) revision 2.63. This
 * file makes the functions, leads accesses to the registers and resets; its neighbours are a
 * chapter each. docs/igb.md is the overview.
 *
 * CHOICE: one port, so one Physical Function; the EEPROM has switched off the I/O BAR, the flash
 * and the expansion ROM.
 */
#include "igb.h"

#include <assert.h>

#include <glib.h>

#include "pcilab/pci/sriov.h"

/* 9.4, 9.6 */
#define VENDOR     0x8086
#define DEVICE_PF  0x10c9
#define DEVICE_VF  0x10ca
#define CLASS_NET  0x020000
#define REVISION   1
#define PAGE_SIZES 0x553
#define VF_STRIDE  2 /* the chip's two ports take turns */

enum { BAR_REGS = 0, BAR_MSIX = 3 };
#define BAR_REGS_BYTES 0x20000
#define BAR_MSIX_BYTES 0x4000
#define VF_BAR_BYTES   0x4000
#define MSIX_TABLE     0
#define MSIX_PBA       0x2000

struct igb_func *igb_queue_func(struct igb *nic, unsigned queue)
{
    return queue % 8 < nic->vfs ? &nic->vf[queue % 8] : &nic->pf;
}

void igb_rule(struct igb *nic, const char *text)
{
    trace_say(endpoint_trace(nic->pf.func), TRACE_RULE, "igb", "%s", text);
}

/* 8.10.16: queues belong to pools. */
bool igb_pools_on(const struct igb *nic)
{
    uint32_t mode = igb_get(nic, IGB_MRQC) & IGB_MRQC_MODE;

    return mode == IGB_MRQC_VMDQ || mode == IGB_MRQC_VMDQ_RSS;
}

static enum tlp_status bar_read(void *owner, unsigned bar, uint64_t offset, void *data,
                                unsigned len)
{
    struct igb_func *pf = owner;
    uint8_t *out = data;

    for (unsigned n; len; out += n, offset += n, len -= n) {
        unsigned at = igb_regs_alias((unsigned)offset), room = 4 - (at & 3);

        n = len < room ? len : room;
        le_store(out, bar == BAR_REGS ? reg_read(pf->nic->regs, at, n) : 0, n);
    }
    return TLP_SC;
}

static enum tlp_status bar_write(void *owner, unsigned bar, uint64_t offset, const void *data,
                                 unsigned len)
{
    struct igb_func *pf = owner;
    const uint8_t *in = data;

    for (unsigned n; bar == BAR_REGS && len; in += n, offset += n, len -= n) {
        unsigned at = igb_regs_alias((unsigned)offset), room = 4 - (at & 3);

        n = len < room ? len : room;
        reg_write(pf->nic->regs, at, n, le_load(in, n));
    }
    return TLP_SC;
}

void igb_mac_reset(struct igb *nic)
{
    reg_space_reset(nic->regs, REG_RESET_COLD);
    igb_irq_reset(nic);
    igb_tx_reset(nic, 0xffff);
    igb_rx_reset(nic, 0xffff);
    if (nic->rx.stage == IGB_RX_IDLE)
        nic->rx.count = 0;
    sim_cancel(nic->sim, &nic->tx.wire);
    nic->tx.wire_free_ps = 0;
    igb_nvm_reload(nic);
    igb_vf_tell_reset(nic, false);
    if (nic->ops->reset)
        nic->ops->reset(nic->opaque);
}

static void pf_reset(void *owner, enum endpoint_reset kind)
{
    struct igb_func *pf = owner;

    igb_tx_lost(pf->nic, pf);
    igb_rx_lost(pf->nic, pf);
    igb_mac_reset(pf->nic);
    igb_phy_reset(pf->nic);
}

static void pf_config_changed(void *owner)
{
    struct igb_func *pf = owner;

    igb_irq_update(pf->nic);
}

static void pf_vfs_changed(void *owner, unsigned was, unsigned now)
{
    struct igb_func *pf = owner;
    struct igb *nic = pf->nic;

    nic->vfs = now;
    for (unsigned i = 0; i < was || i < now; i++)
        igb_vf_clear(nic, i);
}

static void pf_destroy(void *owner)
{
    struct igb_func *pf = owner;
    struct igb *nic = pf->nic;

    igb_irq_fini(nic);
    igb_tx_fini(nic);
    igb_rx_fini(nic);
    sim_cancel(nic->sim, &nic->link_event);
    sim_cancel(nic->sim, &nic->nvm_event);
    reg_space_free(nic->regs);
    reg_space_free(nic->phy);
    g_free(nic);
}

static const struct endpoint_func_ops pf_ops = {
    .bar_read = bar_read,
    .bar_write = bar_write,
    .reset = pf_reset,
    .config_changed = pf_config_changed,
    .vfs_changed = pf_vfs_changed,
    .destroy = pf_destroy,
};

static void add_pf(struct igb *nic, const struct igb_params *params)
{
    struct pcie_params pcie = params->pcie;
    const uint8_t *mac = params->mac;
    const struct endpoint_func_desc desc = {
        .name = params->name,
        .ids = {.vendor = VENDOR,
                .device = DEVICE_PF,
                .subvendor = VENDOR,
                .subdevice = 0,
                .class_code = CLASS_NET,
                .revision = REVISION},
        .ops = &pf_ops,
        .owner = &nic->pf,
    };

    nic->pf = (struct igb_func){.nic = nic, .vf = -1};
    nic->pf.func = endpoint_add_func(nic->ep, &desc);
    nic->pf.pci = endpoint_func_pci(nic->pf.func);
    pci_func_set_bar(nic->pf.pci, BAR_REGS, PCI_BAR_MEM32, BAR_REGS_BYTES);
    pci_func_set_bar(nic->pf.pci, BAR_MSIX, PCI_BAR_MEM32, BAR_MSIX_BYTES);
    pci_func_set_interrupt_pin(nic->pf.pci, 1);
    pcie.flr = true;
    pcie.no_acs = true; /* the card has none; Linux knows that its functions are apart */
    pci_cap_pm_add(nic->pf.pci);
    pci_cap_msi_add(nic->pf.pci, &(struct pci_msi_params){.vectors = 1, .maskable = true});
    pci_cap_msix_add(nic->pf.pci, IGB_PF_VECTORS, BAR_MSIX, MSIX_TABLE, MSIX_PBA);
    pci_cap_pcie_add(nic->pf.pci, &pcie);
    /* 9.5.4: the address with FFFFh in its middle. */
    pci_cap_dsn_add(nic->pf.pci, (uint64_t)mac[0] << 56 | (uint64_t)mac[1] << 48 |
                                     (uint64_t)mac[2] << 40 | 0xffffull << 24 |
                                     (uint64_t)mac[3] << 16 | (uint64_t)mac[4] << 8 | mac[5]);
    if (pcie.type == PCIE_ENDPOINT)
        pci_cap_ari_add(nic->pf.pci, 0);
}

static void add_vf(struct igb *nic, const struct igb_params *params, unsigned index)
{
    struct igb_func *vf = &nic->vf[index];
    struct pcie_params pcie = params->pcie;

    *vf = (struct igb_func){.nic = nic, .vf = (int)index};
    vf->name = g_strdup_printf("%s.vf%u", params->name, index);
    igb_vf_place(vf);
    const struct endpoint_func_desc desc = {.name = vf->name, .ops = &igb_vf_ops, .owner = vf};
    vf->func = endpoint_add_vf(nic->pf.func, &desc);
    vf->pci = endpoint_func_pci(vf->func);
    pcie.flr = true;
    pcie.no_acs = true;
    pci_cap_msix_add(vf->pci, IGB_VF_VECTORS, BAR_MSIX, MSIX_TABLE, MSIX_PBA);
    pci_cap_pcie_add(vf->pci, &pcie);
    pci_cap_ari_add(vf->pci, 0);
}

/* 9.6.4: as the chip counts its Virtual Functions, with and without ARI. */
static void add_sriov(struct igb *nic, const struct igb_params *params)
{
    const struct pci_sriov_params sriov = {
        .total_vfs = (uint16_t)params->vfs,
        .vf_device = DEVICE_VF,
        .place = {{384, VF_STRIDE}, {128, VF_STRIDE}},
        .page_sizes = PAGE_SIZES,
    };

    pci_cap_sriov_add(nic->pf.pci, &sriov);
    pci_sriov_set_bar(nic->pf.pci, BAR_REGS, PCI_BAR_MEM64, VF_BAR_BYTES);
    pci_sriov_set_bar(nic->pf.pci, BAR_MSIX, PCI_BAR_MEM64, VF_BAR_BYTES);
    for (unsigned i = 0; i < params->vfs; i++)
        add_vf(nic, params, i);
}

struct igb *igb_new(struct fabric *fabric, const struct igb_params *params)
{
    struct igb *nic = g_new0(struct igb, 1);

    assert(params->vfs <= IGB_VFS_MAX);
    assert(!params->vfs || params->pcie.type == PCIE_ENDPOINT);
    nic->ops = params->ops;
    nic->opaque = params->opaque;
    nic->vf_total = params->vfs;
    nic->ep = endpoint_new(fabric, params->name);
    add_pf(nic, params);
    nic->sim = endpoint_sim(nic->pf.func);
    igb_regs_place(nic);
    igb_irq_init(nic);
    igb_tx_init(nic);
    igb_rx_init(nic);
    igb_phy_init(nic);
    igb_nvm_init(nic, params->mac);
    if (params->vfs)
        add_sriov(nic, params);
    igb_mac_reset(nic);
    endpoint_ready(nic->ep);
    igb_phy_reset(nic);
    return nic;
}

struct endpoint *igb_endpoint(struct igb *nic)
{
    return nic->ep;
}
