/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel Data Streaming Accelerator (architecture specification 341204, "DSA 1.0" where it is
 * cited): the function, its BARs, resets. Queues are in wq.c, commands in command.c, what
 * descriptors do in engine.c and its neighbours. docs/dsa.md is the overview.
 *
 * CHOICE: version 1 of the architecture, as the first silicon: no event log, no interrupt handles
 * to ask for, no Interrupt Message Store, no performance monitor.
 * UNIMPL: delta records and Data Integrity Fields, which OPCAP therefore leaves out.
 */
#include "dsa.h"

#include <assert.h>
#include <glib.h>

#include "pcilab/endpoint/bar_regs.h"

#define VENDOR    0x8086
#define DEVICE    0x0b25
#define CLASS     0x088000 /* base system peripheral */
#define REVISION  0
#define BAR_REGS  0
#define BAR_PORTS 2

/* CHOICE: the cache's size, and how much is asked for at once. */
#define ATS_ENTRIES   256
#define ATS_PAGES     8
#define ATS_DEPTH     32
#define PAGE_REQUESTS 32
#define PASID_BITS    20

static enum tlp_status bar_read(void *owner, unsigned bar, uint64_t offset, void *data,
                                unsigned len)
{
    struct dsa *dev = owner;

    if (bar == BAR_REGS) {
        bar_regs_read(dev->regs, offset, data, len);
        return TLP_SC;
    }
    memset(data, 0xff, len); /* 9.3: portals cannot be read */
    return TLP_SC;
}

static enum tlp_status bar_write(void *owner, unsigned bar, uint64_t offset, const void *data,
                                 unsigned len)
{
    struct dsa *dev = owner;

    if (bar == BAR_REGS)
        bar_regs_write(dev->regs, offset, data, len);
    else if (offset < (uint64_t)dev->queues * DSA_PORTALS_BYTES)
        dsa_portal_write(dev, offset, data, len);
    return TLP_SC;
}

static bool defer(void *owner, unsigned bar, uint64_t offset)
{
    struct dsa *dev = owner;

    return bar == BAR_PORTS && offset < (uint64_t)dev->queues * DSA_PORTALS_BYTES &&
           dsa_portal_defers(dev, offset);
}

static enum tlp_status bar_deferrable(void *owner, unsigned bar, uint64_t offset, const void *data,
                                      unsigned len)
{
    struct dsa *dev = owner;

    if (bar != BAR_PORTS || offset >= (uint64_t)dev->queues * DSA_PORTALS_BYTES)
        return TLP_UR;
    return dsa_portal_deferred(dev, offset, data, len) ? TLP_SC : TLP_UR;
}

static void reset(void *owner, enum endpoint_reset kind)
{
    struct dsa *dev = owner;

    sim_cancel(dev->sim, &dev->command);
    for (unsigned i = 0; i < dev->engines; i++)
        dsa_engine_reset(&dev->engine[i]);
    for (unsigned i = 0; i < dev->queues; i++) {
        dev->wq[i].state = DSA_WQ_OFF;
        dev->wq[i].head = dev->wq[i].count = dev->wq[i].credit = 0;
    }
    for (unsigned i = 0; i < DSA_GROUPS; i++)
        dev->turn[i] = 0;
    reg_space_reset(dev->regs, REG_RESET_COLD);
}

static void destroy(void *owner)
{
    struct dsa *dev = owner;

    sim_cancel(dev->sim, &dev->command);
    for (unsigned i = 0; i < dev->engines; i++)
        dsa_engine_fini(&dev->engine[i]);
    reg_space_free(dev->regs);
    g_free(dev);
}

static const struct endpoint_func_ops ops = {
    .bar_read = bar_read,
    .bar_write = bar_write,
    .defer = defer,
    .bar_deferrable = bar_deferrable,
    .reset = reset,
    .destroy = destroy,
};

static void add_capabilities(struct dsa *dev, const struct dsa_params *params)
{
    const struct endpoint_ats_params ats = {
        .entries = ATS_ENTRIES,
        .pages = ATS_PAGES,
        .cap = {.queue_depth = ATS_DEPTH, .global = true},
    };
    struct pcie_params pcie = params->pcie;

    pcie.flr = pcie.dmwr = true;
    pcie.prefixes = TLP_END_END_MAX;
    pci_cap_pm_add(dev->pci);
    pci_cap_msix_add(dev->pci, dev->queues + 1, BAR_REGS, DSA_MSIX_TABLE, DSA_MSIX_PBA);
    pci_cap_pcie_add(dev->pci, &pcie);
    pci_cap_dev3_add(dev->pci);
    if (!params->ats)
        return;
    endpoint_add_ats(dev->func, &ats);
    pci_cap_pasid_add(dev->pci, &(struct pci_pasid_params){PASID_BITS, false, true});
    endpoint_add_pri(dev->func, PAGE_REQUESTS);
}

static uint64_t portals_bytes(unsigned queues)
{
    uint64_t bytes = DSA_PORTALS_BYTES;

    while (bytes < (uint64_t)queues * DSA_PORTALS_BYTES)
        bytes *= 2;
    return bytes;
}

static void add_function(struct dsa *dev, const struct dsa_params *params)
{
    const struct endpoint_func_desc desc = {
        .name = params->name,
        .ids = {.vendor = VENDOR,
                .device = DEVICE,
                .subvendor = VENDOR,
                .subdevice = 0,
                .class_code = CLASS,
                .revision = REVISION},
        .ops = &ops,
        .owner = dev,
    };

    dev->func = endpoint_add_func(dev->ep, &desc);
    dev->pci = endpoint_func_pci(dev->func);
    dev->sim = endpoint_sim(dev->func);
    pci_func_set_bar(dev->pci, BAR_REGS, PCI_BAR_MEM64_PREF, DSA_BAR0_BYTES);
    pci_func_set_bar(dev->pci, BAR_PORTS, PCI_BAR_MEM64_PREF, portals_bytes(dev->queues));
}

struct endpoint *dsa_new(struct fabric *fabric, const struct dsa_params *params)
{
    struct dsa *dev = g_new0(struct dsa, 1);

    assert(params->queues >= 1 && params->queues <= DSA_QUEUES_MAX);
    assert(params->engines >= 1 && params->engines <= DSA_ENGINES_MAX);
    dev->queues = params->queues;
    dev->engines = params->engines;
    dev->ats = params->ats;
    dev->ep = endpoint_new(fabric, params->name);
    add_function(dev, params);
    dsa_regs_place(dev);
    dsa_crc_init(dev);
    dsa_command_init(dev);
    for (unsigned i = 0; i < dev->queues; i++) {
        dev->wq[i].dev = dev;
        dev->wq[i].number = i;
    }
    for (unsigned i = 0; i < dev->engines; i++) {
        dev->engine[i].dev = dev;
        dev->engine[i].number = i;
        dsa_engine_init(&dev->engine[i]);
    }
    add_capabilities(dev, params);
    endpoint_ready(dev->ep);
    return dev->ep;
}
