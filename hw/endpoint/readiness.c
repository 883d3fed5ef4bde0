/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readiness Notifications of endpoints (PCIe Base 6.0, 6.22): when a function, or all, is ready. */
#include <glib.h>

#include "internal.h"
#include "pcilab/pci/readiness.h"

static void say(struct endpoint_func *func, enum pci_frs_reason reason)
{
    if (port_link_up(&func->ep->port))
        dma_post(func, tlp_new_frs(func->ep->fabric->pool, func->pci->rid, reason));
}

static void flr_over(void *opaque)
{
    say(opaque, PCI_FRS_FLR);
}

static void vfs_ready(void *opaque)
{
    say(opaque, PCI_FRS_VFS_ENABLED);
}

void readiness_init(struct endpoint_func *func)
{
    sim_event_init(&func->flr_over, flr_over, func);
    sim_event_init(&func->vfs_ready, vfs_ready, func);
}

void readiness_reset(struct endpoint_func *func)
{
    sim_cancel(func->ep->fabric->sim, &func->flr_over);
    sim_cancel(func->ep->fabric->sim, &func->vfs_ready);
}

void readiness_flr(struct endpoint_func *func)
{
    struct sim *sim = func->ep->fabric->sim;

    if (pcie_frs_supported(func->pci))
        sim_schedule_at(sim, &func->flr_over, MAX(sim->now_ps, func->ready_ps));
}

void readiness_vfs(struct endpoint_func *func, bool enabled, uint64_t ready_ps)
{
    struct sim *sim = func->ep->fabric->sim;

    sim_cancel(sim, &func->vfs_ready);
    if (!pcie_frs_supported(func->pci))
        return;
    if (enabled)
        sim_schedule_at(sim, &func->vfs_ready, ready_ps);
    else
        say(func, PCI_FRS_VFS_DISABLED);
}

void readiness_awake(struct pci_func *pci)
{
    say(pci->owner, PCI_FRS_FROM_D3HOT);
}

/* Virtual Functions do not count (6.22.1). */
uint64_t readiness_device_ps(const struct endpoint *ep)
{
    uint64_t ready_ps = 0;

    for (unsigned i = 0; i < ep->func_count; i++)
        ready_ps = MAX(ready_ps, ep->funcs[i]->ready_ps);
    return ready_ps;
}
