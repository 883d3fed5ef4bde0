/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Common Platform Error Records (UEFI 2.10, appendix N) in Generic Error Status Blocks (ACPI 6.5,
 * 18.3.2.7.1): bytes only, nothing of a machine.
 */
#ifndef PCILAB_HW_PLATFORM_CPER_H
#define PCILAB_HW_PLATFORM_CPER_H

#include <stdbool.h>
#include <stdint.h>

/* UEFI 2.10, N.2.1: the numbers are those of the record. */
enum cper_severity { CPER_RECOVERABLE, CPER_FATAL, CPER_CORRECTED, CPER_INFORMATIONAL };

enum cper_kind { CPER_PCIE, CPER_MEMORY };

#define CPER_WHERE_BYTES    20 /* the FRU text of a section */
#define CPER_PCIE_CAP_BYTES 60
#define CPER_PCIE_AER_BYTES 96
#define CPER_BLOCK_MAX      512 /* a block with one section fits */

struct cper_record {
    enum cper_kind kind;
    enum cper_severity severity; /* of the block: what is to become of the system */
    enum cper_severity section;  /* of the error itself */
    bool threshold;              /* as many corrected errors as are worth an action */
    bool more;                   /* there were others that nobody tells */
    char where[CPER_WHERE_BYTES + 1];
    struct {
        uint16_t segment, vendor, device, command, status, secondary_status, bridge_control;
        uint8_t bus, devfn, secondary_bus, port_type;
        uint32_t class_code;
        uint16_t slot; /* number of the physical slot */
        bool has_capability, has_aer;
        uint8_t capability[CPER_PCIE_CAP_BYTES]; /* PCI Express capability */
        uint8_t aer[CPER_PCIE_AER_BYTES];        /* Advanced Error Reporting, from its header on */
    } pcie;
    struct {
        uint64_t address, mask;
        uint8_t type; /* table N.31: 2 single-bit, 3 multi-bit ECC error */
    } memory;
};

/* A block with one record; returns its bytes, at most CPER_BLOCK_MAX. */
unsigned cper_encode(const struct cper_record *record, uint8_t *block);

#endif
