/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "parts.h"

static void log_config(struct pci_func *func, unsigned offset, unsigned len)
{
    ((struct part_log *)func->owner)->config_writes++;
}

static void log_flr(struct pci_func *func)
{
    ((struct part_log *)func->owner)->flrs++;
}

static void log_bar(struct pci_func *func, unsigned bar)
{
    ((struct part_log *)func->owner)->bar_changes++;
}

static void log_bridge(struct pci_func *func, uint16_t old_value, uint16_t new_value)
{
    struct part_log *log = func->owner;

    log->bridge_controls++;
    log->control_old = old_value;
    log->control_new = new_value;
}

static void log_msi(struct pci_func *func, uint64_t addr, uint32_t data)
{
    struct part_log *log = func->owner;

    log->msi_addr[log->msis % PARTS_MAX_MSI] = addr;
    log->msi_data[log->msis % PARTS_MAX_MSI] = data;
    log->msis++;
}

static void log_intx(struct pci_func *func, bool level)
{
    struct part_log *log = func->owner;

    log->intx_changes++;
    log->intx = level;
}

static void log_message(struct pci_func *func, uint8_t msg_code)
{
    struct part_log *log = func->owner;

    log->message[log->messages % PARTS_MAX_MSI] = msg_code;
    log->messages++;
}

static const struct pci_func_ops ops = {
    .error_message = log_message,
    .config_written = log_config,
    .flr = log_flr,
    .bar_changed = log_bar,
    .bridge_control = log_bridge,
    .send_msi = log_msi,
    .intx = log_intx,
};

static const struct pci_ids endpoint_ids = {
    .vendor = 0x1d0f,
    .device = 0xcd01,
    .subvendor = 0x1d0f,
    .subdevice = 0x0001,
    .class_code = 0x010802,
    .revision = 3,
};

struct pci_func *part_endpoint(struct part_log *log)
{
    const struct pci_msi_params msi = {.vectors = 8, .maskable = true};
    const struct pcie_params pcie = {
        .type = PCIE_ENDPOINT,
        .max_speed = 4,
        .max_width = 4,
        .max_payload_bytes = 512,
        .flr = true,
        .ten_bit_tags = true,
    };
    struct pci_func *f = pci_func_new("ep", PCI_HEADER_TYPE0, &endpoint_ids, &ops, log);

    pci_func_set_bar(f, 0, PCI_BAR_MEM32, PART_BAR0_BYTES);
    pci_func_set_bar(f, 1, PCI_BAR_IO, 64);
    pci_func_set_bar(f, 2, PCI_BAR_MEM64, 1u << 20);
    pci_func_set_bar(f, 4, PCI_BAR_MEM64_PREF, 1ULL << 33);
    pci_func_set_bar(f, PCI_ROM_BAR, PCI_BAR_MEM32, 0x10000);
    pci_func_set_interrupt_pin(f, 2);
    pci_cap_pm_add(f);
    pci_cap_msi_add(f, &msi);
    pci_cap_pcie_add(f, &pcie);
    pci_cap_msix_add(f, PART_VECTORS, 0, PART_TABLE, PART_PBA);
    pci_cap_dsn_add(f, 0x0011223344556677ULL);
    pci_cap_ari_add(f, 1);
    pci_cap_aer_add(f);
    pci_cap_acs_add(f);
    f->rid = pci_rid_make(1, 0, 0);
    pcie_set_link(f, 4, 4, true);
    return f;
}

struct pci_func *part_port(struct part_log *log, enum pcie_port_type type)
{
    const struct pci_ids ids = {
        .vendor = 0x1d0f,
        .device = 0x0200,
        .subvendor = 0x1d0f,
        .subdevice = 0x0002,
        .class_code = 0x060400,
    };
    const struct pci_msi_params msi = {.vectors = 1, .maskable = true};
    const struct pcie_params pcie = {
        .type = type,
        .max_speed = 5,
        .max_width = 16,
        .max_payload_bytes = 256,
        .port_number = 7,
        .slot = true,
        .slot_number = 12,
        .slot_power_watts = 75,
        .ari_forwarding = true,
    };
    struct pci_func *f = pci_func_new("port", PCI_HEADER_TYPE1, &ids, &ops, log);

    pci_func_set_interrupt_pin(f, 1);
    pci_cap_pm_add(f);
    pci_cap_msi_add(f, &msi);
    pci_cap_pcie_add(f, &pcie);
    pci_cap_ssvid_add(f, ids.subvendor, ids.subdevice);
    pci_cap_dsn_add(f, 0x8899aabbccddeeffULL);
    pci_cap_aer_add(f);
    if (type != PCIE_UPSTREAM_PORT)
        pci_cap_acs_add(f);
    f->rid = pci_rid_make(0, 1 + (unsigned)type, 0);
    pcie_set_presence(f, true);
    pcie_set_link(f, 4, 4, true);
    return f;
}

struct pci_func *part_integrated(struct part_log *log)
{
    const struct pcie_params pcie = {
        .type = PCIE_RC_INTEGRATED_ENDPOINT, .max_payload_bytes = 128, .flr = true};
    struct pci_func *f = pci_func_new("rciep", PCI_HEADER_TYPE0, &endpoint_ids, &ops, log);

    pci_func_set_bar(f, 0, PCI_BAR_MEM64_PREF, 0x10000);
    pci_cap_pm_add(f);
    pci_cap_pcie_add(f, &pcie);
    f->rid = pci_rid_make(0, 30, 0);
    return f;
}
