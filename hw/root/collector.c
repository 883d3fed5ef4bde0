/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Root Complex Event Collector (PCIe Base 6.0, 1.3.4, 6.2.4.1.2): a function of the root bus that
 * takes the error and PME messages of the integrated endpoints there, as root ports do of what is
 * below them.
 */
#include <assert.h>

#include <glib.h>

#include "internal.h"
#include "pcilab/pci/error.h"

/* CHOICE: the identity of the host bridge, with the class of event collectors. */
static const struct pci_ids collector_ids = {
    .vendor = 0x1556,
    .device = 0x1100,
    .subvendor = 0x1556,
    .subdevice = 0x1100,
    .class_code = 0x080700,
    .revision = 0x01,
};

static void collector_send_msi(struct pci_func *func, uint64_t addr, uint32_t data)
{
    struct root_collector *collector = func->owner;
    struct root_complex *rc = collector->rc;

    root_own_msi(rc, func, NULL, tlp_new_msi(rc->fabric->pool, func, addr, data));
}

static void collector_intx(struct pci_func *func, bool level)
{
    struct root_collector *collector = func->owner;

    if (collector->asserted == level)
        return;
    collector->asserted = level;
    root_drive_intx(collector->rc, collector->device, 0, level);
}

/* Its own errors it has at once. */
static void collector_error_message(struct pci_func *func, uint8_t msg_code)
{
    pci_root_error(func, msg_code, func->rid);
}

static void collector_system_error(struct pci_func *func)
{
    struct root_collector *collector = func->owner;

    root_system_error(collector->rc);
}

static const struct pci_func_ops collector_ops = {
    .system_error = collector_system_error,
    .send_msi = collector_send_msi,
    .intx = collector_intx,
    .error_message = collector_error_message,
};

void root_collector_add(struct root_complex *rc, unsigned device)
{
    const struct pci_msi_params msi = {.vectors = 1, .maskable = true};
    const struct pcie_params pcie = {.type = PCIE_RC_EVENT_COLLECTOR, .max_payload_bytes = 128};
    struct root_collector *collector = g_new0(struct root_collector, 1);
    char *name = g_strdup_printf("%s.events", rc->name);

    assert(device >= 1 && device <= 31 && !rc->collector && !rc->integrated);
    assert(!root_func_at(rc, device << 3));
    collector->rc = rc;
    collector->device = (uint8_t)device;
    collector->func =
        pci_func_new(name, PCI_HEADER_TYPE0, &collector_ids, &collector_ops, collector);
    collector->func->flaws = &rc->fabric->sim->flaws;
    pci_func_set_interrupt_pin(collector->func, 1);
    pci_cap_pm_add(collector->func);
    pci_cap_msi_add(collector->func, &msi);
    pci_cap_pcie_add(collector->func, &pcie);
    pci_cap_aer_add(collector->func);
    pci_cap_rcec_add(collector->func);
    collector->func->rid = pci_rid_make(rc->params.bus_first, device, 0);
    rc->collector = collector;
    g_free(name);
}

struct pci_func *root_collector_func(struct root_complex *rc)
{
    return rc->collector ? rc->collector->func : NULL;
}

bool root_collector_message(struct root_complex *rc, struct tlp *tlp)
{
    struct pci_func *func = root_collector_func(rc);

    if (!func || !(tlp_is_error_message(tlp) || tlp->msg_code == TLP_MSG_PM_PME))
        return false;
    if (tlp->msg_code == TLP_MSG_PM_PME)
        pcie_root_pme(func, tlp->requester);
    else if (pci_collector_passes_error(func, tlp->msg_code))
        pci_root_error(func, tlp->msg_code, tlp->requester);
    tlp_free(tlp);
    return true;
}

void root_collector_reset(struct root_complex *rc)
{
    struct root_collector *collector = rc->collector;

    if (!collector)
        return;
    pci_func_reset(collector->func, REG_RESET_COLD);
    pci_func_capture(collector->func, rc->params.bus_first, collector->device);
    collector_intx(collector->func, false);
}

void root_collector_free(struct root_complex *rc)
{
    if (!rc->collector)
        return;
    pci_func_free(rc->collector->func);
    g_free(rc->collector);
}
