/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pcilab/pci/dump.h"

#include "pcilab/base/le.h"

#define BYTES_PER_LINE 16

void pci_dump_config(FILE *out, uint16_t segment, struct pci_rid rid,
                     const uint8_t config[PCI_CONFIG_BYTES], const char *what)
{
    fprintf(out, "%04x:%02x:%02x.%x %s\n", segment, pci_rid_bus(rid), pci_rid_device(rid),
            rid.v & 7u, what);
    for (unsigned line = 0; line < PCI_CONFIG_BYTES; line += BYTES_PER_LINE) {
        fprintf(out, "%0*x:", line < PCI_EXT_START ? 2 : 3, line);
        for (unsigned i = 0; i < BYTES_PER_LINE; i++) {
            fprintf(out, " %02x", config[line + i]);
        }
        fputc('\n', out);
    }
    fputc('\n', out);
}

void pci_dump_func(FILE *out, uint16_t segment, struct pci_func *func)
{
    uint8_t config[PCI_CONFIG_BYTES];

    for (unsigned offset = 0; offset < PCI_CONFIG_BYTES; offset += 4) {
        le32_store(config + offset, pci_func_config_read(func, offset, 4));
    }
    pci_dump_config(out, segment, func->rid, config, func->name);
}
