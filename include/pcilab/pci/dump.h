/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration space as text in the format of `lspci -xxxx`, which `lspci -F FILE` and other
 * tools of pciutils read back: a line that names the function, then 256 lines of 16 bytes, then an
 * empty line.
 */
#ifndef PCILAB_PCI_DUMP_H
#define PCILAB_PCI_DUMP_H

#include "pcilab/pci/config.h"
#include "pcilab/pci/function.h"

#include <stdint.h>
#include <stdio.h>

/* `what` follows the address on the first line ("NVMe nvme0"); lspci ignores it. */
void pci_dump_config(FILE *out, uint16_t segment, struct pci_rid rid,
                     const uint8_t config[PCI_CONFIG_BYTES], const char *what);
/* The same of a function as software would read it now; no request crosses the fabric. */
void pci_dump_func(FILE *out, uint16_t segment, struct pci_func *func);

#endif
