/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generic Error Status Blocks with PCI Express and memory sections. */
#include "cper.h"

#include <string.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

/* Generic Error Status Block (ACPI 6.5, table 18.11). */
enum { BLOCK_STATUS = 0, BLOCK_DATA_LENGTH = 12, BLOCK_SEVERITY = 16, BLOCK_BYTES = 20 };

#define STATUS_UNCORRECTABLE 0x01u
#define STATUS_CORRECTABLE   0x02u
#define STATUS_MORE_SHIFT    2    /* the same, several of them */
#define STATUS_ONE_ENTRY     0x10 /* Error Data Entry Count, bits 4 to 13 */

/* Generic Error Data Entry (table 18.12), revision 3. */
enum {
    ENTRY_TYPE = 0,
    ENTRY_SEVERITY = 16,
    ENTRY_REVISION = 20,
    ENTRY_VALID = 22,
    ENTRY_FLAGS = 23,
    ENTRY_LENGTH = 24,
    ENTRY_FRU_TEXT = 44,
    ENTRY_BYTES = 72,
};

#define ENTRY_REVISION_3 0x0300
#define VALID_FRU_TEXT   0x02
#define FLAG_PRIMARY     0x01
#define FLAG_THRESHOLD   0x08 /* Error threshold exceeded */

/* PCI Express section (UEFI 2.10, N.2.7). */
enum {
    PCIE_VALID = 0,
    PCIE_PORT_TYPE = 8,
    PCIE_VERSION = 12,
    PCIE_COMMAND = 16,
    PCIE_STATUS = 18,
    PCIE_VENDOR = 24,
    PCIE_DEVICE = 26,
    PCIE_CLASS = 28,
    PCIE_FUNCTION_NUMBER = 31,
    PCIE_DEVICE_NUMBER = 32,
    PCIE_SEGMENT = 33,
    PCIE_BUS = 35,
    PCIE_SECONDARY_BUS = 36,
    PCIE_SLOT = 37,
    PCIE_SECONDARY_STATUS = 48,
    PCIE_BRIDGE_CONTROL = 50,
    PCIE_CAPABILITY = 52,
    PCIE_AER = 112,
    PCIE_BYTES = 208,
};

#define PCIE_HAS_PORT_TYPE  0x01
#define PCIE_HAS_VERSION    0x02
#define PCIE_HAS_COMMAND    0x04
#define PCIE_HAS_ID         0x08
#define PCIE_HAS_BRIDGE     0x20
#define PCIE_HAS_CAPABILITY 0x40
#define PCIE_HAS_AER        0x80

/* Memory section (N.2.5). */
enum {
    MEM_VALID = 0,
    MEM_STATUS = 8,
    MEM_ADDRESS = 16,
    MEM_MASK = 24,
    MEM_TYPE = 72,
    MEM_BYTES = 80
};

#define MEM_HAS_STATUS  0x0001
#define MEM_HAS_ADDRESS 0x0002
#define MEM_HAS_MASK    0x0004
#define MEM_HAS_TYPE    0x4000
#define STATUS_MEMORY   (4u << 8) /* N.2.11: storage error in memory */

static const uint8_t type_of[][16] = {
    [CPER_PCIE] = {0x54, 0xe9, 0x95, 0xd9, 0xc1, 0xbb, 0x0f, 0x43, 0xad, 0x91, 0xb4, 0x4d, 0xcb,
                   0x3c, 0x6f, 0x35},
    [CPER_MEMORY] = {0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e, 0xb8, 0x63, 0x3e, 0x83, 0xed,
                     0x7c, 0x83, 0xb1},
};

static unsigned encode_pcie(const struct cper_record *record, uint8_t *p)
{
    bool bridge = record->pcie.port_type >= 4 && record->pcie.port_type <= 6;

    le64_store(p + PCIE_VALID, PCIE_HAS_PORT_TYPE | PCIE_HAS_VERSION | PCIE_HAS_COMMAND |
                                   PCIE_HAS_ID | (bridge ? PCIE_HAS_BRIDGE : 0) |
                                   (record->pcie.has_capability ? PCIE_HAS_CAPABILITY : 0) |
                                   (record->pcie.has_aer ? PCIE_HAS_AER : 0));
    le32_store(p + PCIE_PORT_TYPE, record->pcie.port_type);
    p[PCIE_VERSION] = 0x00; /* 6.0, each number in BCD: minor, major */
    p[PCIE_VERSION + 1] = 0x06;
    le16_store(p + PCIE_COMMAND, record->pcie.command);
    le16_store(p + PCIE_STATUS, record->pcie.status);
    le16_store(p + PCIE_VENDOR, record->pcie.vendor);
    le16_store(p + PCIE_DEVICE, record->pcie.device);
    for (unsigned i = 0; i < 3; i++)
        p[PCIE_CLASS + i] = (uint8_t)(record->pcie.class_code >> 8 * i);
    p[PCIE_FUNCTION_NUMBER] = record->pcie.devfn & 7;
    p[PCIE_DEVICE_NUMBER] = record->pcie.devfn >> 3;
    le16_store(p + PCIE_SEGMENT, record->pcie.segment);
    p[PCIE_BUS] = record->pcie.bus;
    p[PCIE_SECONDARY_BUS] = record->pcie.secondary_bus;
    le16_store(p + PCIE_SLOT, (uint16_t)(record->pcie.slot << 3));
    if (bridge) {
        le16_store(p + PCIE_SECONDARY_STATUS, record->pcie.secondary_status);
        le16_store(p + PCIE_BRIDGE_CONTROL, record->pcie.bridge_control);
    }
    if (record->pcie.has_capability)
        memcpy(p + PCIE_CAPABILITY, record->pcie.capability, CPER_PCIE_CAP_BYTES);
    if (record->pcie.has_aer)
        memcpy(p + PCIE_AER, record->pcie.aer, CPER_PCIE_AER_BYTES);
    return PCIE_BYTES;
}

static unsigned encode_memory(const struct cper_record *record, uint8_t *p)
{
    le64_store(p + MEM_VALID, MEM_HAS_STATUS | MEM_HAS_ADDRESS | MEM_HAS_MASK | MEM_HAS_TYPE);
    le64_store(p + MEM_STATUS, STATUS_MEMORY);
    le64_store(p + MEM_ADDRESS, record->memory.address);
    le64_store(p + MEM_MASK, record->memory.mask);
    p[MEM_TYPE] = record->memory.type;
    return MEM_BYTES;
}

unsigned cper_encode(const struct cper_record *record, uint8_t *block)
{
    uint8_t *entry = block + BLOCK_BYTES;
    uint32_t valid = record->severity == CPER_CORRECTED ? STATUS_CORRECTABLE : STATUS_UNCORRECTABLE;
    unsigned len;

    memset(block, 0, CPER_BLOCK_MAX);
    len = record->kind == CPER_PCIE ? encode_pcie(record, entry + ENTRY_BYTES)
                                    : encode_memory(record, entry + ENTRY_BYTES);
    memcpy(entry + ENTRY_TYPE, type_of[record->kind], 16);
    le32_store(entry + ENTRY_SEVERITY, record->section);
    le16_store(entry + ENTRY_REVISION, ENTRY_REVISION_3);
    entry[ENTRY_VALID] = VALID_FRU_TEXT;
    entry[ENTRY_FLAGS] = FLAG_PRIMARY | (record->threshold ? FLAG_THRESHOLD : 0);
    le32_store(entry + ENTRY_LENGTH, len);
    memcpy(entry + ENTRY_FRU_TEXT, record->where, strnlen(record->where, CPER_WHERE_BYTES));
    le32_store(block + BLOCK_STATUS,
               valid | (record->more ? valid << STATUS_MORE_SHIFT : 0) | STATUS_ONE_ENTRY);
    le32_store(block + BLOCK_DATA_LENGTH, ENTRY_BYTES + len);
    le32_store(block + BLOCK_SEVERITY, record->severity);
    return BLOCK_BYTES + ENTRY_BYTES + len;
}
