/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions of every type for the tests of this folder, and a record of what they asked for. */
#ifndef TESTS_UNIT_PCI_PARTS_H
#define TESTS_UNIT_PCI_PARTS_H

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/error.h"
#include "pcilab/pci/function.h"

#define PARTS_MAX_MSI 64

struct part_log {
    unsigned msis;
    uint64_t msi_addr[PARTS_MAX_MSI];
    uint32_t msi_data[PARTS_MAX_MSI];
    unsigned intx_changes;
    bool intx;
    unsigned flrs, bar_changes, config_writes, bridge_controls, retrains;
    uint16_t control_old, control_new;
    unsigned messages; /* error messages */
    uint8_t message[PARTS_MAX_MSI];
};

#define PART_BAR0_BYTES 0x4000
#define PART_TABLE      0x2000
#define PART_PBA        0x3000
#define PART_VECTORS    70

/* An endpoint with every BAR kind and capability, FLR included. */
struct pci_func *part_endpoint(struct part_log *log);
/* A port: PCIE_ROOT_PORT, PCIE_UPSTREAM_PORT or PCIE_DOWNSTREAM_PORT. */
struct pci_func *part_port(struct part_log *log, enum pcie_port_type type);
struct pci_func *part_integrated(struct part_log *log);

static inline uint32_t part_read(struct pci_func *func, unsigned offset, unsigned len)
{
    return pci_func_config_read(func, offset, len);
}

static inline void part_write(struct pci_func *func, unsigned offset, unsigned len, uint32_t value)
{
    pci_func_config_write(func, offset, len, value);
}

#endif
