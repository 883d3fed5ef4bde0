/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a unit tells: registers, queue, fault records. */
#include <stdio.h>

#include "pcilab/base/le.h"
#include "pcilab/iommu/core/inspect.h"
#include "vtd.h"

static void inspect_words(const struct inspect *in, const char *name, uint64_t value,
                          const char *const words[64])
{
    char text[256] = "";
    size_t at = 0;

    for (unsigned i = 0; i < 64; i++) {
        if ((value >> i & 1) && words[i] && at < sizeof(text))
            at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", at ? ", " : "", words[i]);
    }
    inspect_text(in, name, "0x%llx%s%s", (unsigned long long)value, at ? ": " : "", text);
}

static const char *const status_words[64] = {
    [31] = "translation", [30] = "root table set",      [26] = "queue",
    [25] = "remapping",   [24] = "interrupt table set", [23] = "compatibility format",
};

static const char *const fault_words[64] = {
    [0] = "overflow",           [1] = "records pending",
    [4] = "queue error",        [5] = "queue: ATS completion error",
    [6] = "queue: ATS timeout",
};

static void inspect_registers(const struct vtd *vtd, const struct inspect *in)
{
    static const char *const modes[] = {"legacy", "scalable", "reserved", "abort"};

    inspect_object(in, "registers");
    inspect_hex(in, "cap", reg_get(vtd->regs, VTD_CAP));
    inspect_hex(in, "ecap", reg_get(vtd->regs, VTD_ECAP));
    inspect_words(in, "gsts", reg_get(vtd->regs, VTD_GSTS), status_words);
    inspect_text(in, "mode", "%s", modes[vtd->ttm & 3]);
    inspect_hex(in, "root-table", vtd->root);
    inspect_words(in, "fsts", reg_get(vtd->regs, VTD_FSTS), fault_words);
    inspect_hex(in, "fectl", reg_get(vtd->regs, VTD_FECTL));
    inspect_hex(in, "interrupt-table", vtd->irt);
    inspect_number(in, "interrupt-entries", vtd->irt_entries);
    inspect_text(in, "interrupt-mode", "%s", vtd->irt_extended ? "x2APIC" : "xAPIC");
    inspect_object_end(in);
}

/* The queue. */

static const char *const descriptor_names[16] = {
    [1] = "context cache",
    [2] = "IOTLB",
    [3] = "device TLB",
    [4] = "interrupt cache",
    [5] = "wait",
    [6] = "PASID IOTLB",
    [7] = "PASID cache",
    [8] = "PASID device TLB",
    [9] = "page group response",
};

static void inspect_descriptor(const struct vtd *vtd, const struct inspect *in, uint64_t at,
                               unsigned bytes)
{
    const struct iommu_memory *memory = &vtd->params.memory;
    uint64_t base = reg_get(vtd->regs, VTD_IQA) & ~0xfffULL;
    uint8_t data[32] = {0};
    uint64_t low;
    unsigned type;

    inspect_object(in, NULL);
    inspect_hex(in, "at", base + at);
    if (!memory->read(memory->opaque, base + at, data, bytes)) {
        inspect_text(in, "what", "no memory there");
        inspect_object_end(in);
        return;
    }
    low = le64_load(data);
    type = (unsigned)((low & 0xf) | (low >> 9 & 7) << 4);
    inspect_text(in, "what", "%s",
                 type < 16 && descriptor_names[type] ? descriptor_names[type] : "unknown");
    inspect_text(in, "value", "0x%llx 0x%llx", (unsigned long long)low,
                 (unsigned long long)le64_load(data + 8));
    if (type == 1 || type == 2 || type == 6 || type == 7)
        inspect_number(in, "domain", low >> 16 & 0xffff);
    if (type == 6 || type == 7)
        inspect_number(in, "pasid", low >> 32 & 0xfffff);
    if (type == 2 || type == 6)
        inspect_hex(in, "address", le64_load(data + 8) & ~0xfffULL);
    inspect_object_end(in);
}

static void inspect_queue(const struct vtd *vtd, const struct inspect *in)
{
    uint64_t iqa = reg_get(vtd->regs, VTD_IQA), bytes = 4096ULL << FIELD_GET(VTD_IQA_QS, iqa);
    uint64_t head = reg_get(vtd->regs, VTD_IQH), tail = reg_get(vtd->regs, VTD_IQT);
    unsigned width = iqa & VTD_IQA_DW ? 32 : 16, rows = 0;

    inspect_object(in, "queue");
    inspect_hex(in, "base", iqa & ~0xfffULL);
    inspect_number(in, "entries", bytes / width);
    inspect_number(in, "descriptor-bits", width * 8);
    inspect_hex(in, "head", head);
    inspect_hex(in, "tail", tail);
    inspect_number(in, "error", reg_get(vtd->regs, VTD_IQERCD) & 0xf);
    inspect_flag(in, "drains", vtd->queue_drain.pending);
    inspect_list(in, "pending");
    for (uint64_t at = head; head < bytes && tail < bytes && at != tail && rows < INSPECT_ROWS_MAX;
         at = (at + width) % bytes, rows++) {
        inspect_descriptor(vtd, in, at, width);
        if ((at % width) || (tail % width))
            break; /* it never gets there */
    }
    inspect_list_end(in);
    inspect_object_end(in);
}

#define PAGE_REQUEST (BIT(62) | BIT(28)) /* T1 and T2 of a record */

/* Records, 11.4.15 */
static void inspect_faults(const struct vtd *vtd, const struct inspect *in)
{
    inspect_list(in, "faults");
    for (unsigned i = 0; i < VTD_FAULT_RECORDS; i++) {
        uint64_t low = reg_get(vtd->regs, VTD_FRCD + i * 16);
        uint64_t high = reg_get(vtd->regs, VTD_FRCD + i * 16 + 8);
        unsigned code = high >> 32 & 0xff;
        bool interrupt = code >= VTD_FR_IR_REQUEST && code <= VTD_FR_IR_SOURCE;

        if (!(high & BIT(63)))
            continue;
        inspect_object(in, NULL);
        inspect_number(in, "record", i);
        iommu_inspect_requester(in, "requester", (uint16_t)high);
        inspect_text(in, "what", "%s",
                     interrupt                          ? "interrupt"
                     : (high & PAGE_REQUEST) == BIT(28) ? "page request"
                     : high & BIT(62)                   ? "read"
                                                        : "write");
        inspect_hex(in, interrupt ? "index" : "address", interrupt ? low >> 48 : low);
        if (high & BIT(31))
            inspect_number(in, "pasid", high >> 40 & 0xfffff);
        inspect_text(in, "reason", "0x%02x, %s", code, vtd_reason(code));
        inspect_object_end(in);
    }
    inspect_list_end(in);
}

void vtd_inspect(struct vtd *vtd, const struct inspect *in)
{
    inspect_text(in, "name", "%s", vtd->name);
    inspect_registers(vtd, in);
    inspect_queue(vtd, in);
    vtd_inspect_device_tlbs(vtd, in);
    vtd_inspect_pages(vtd, in);
    inspect_faults(vtd, in);
    vtd_inspect_tables(vtd, in);
    vtd_inspect_interrupts(vtd, in);
    iommu_inspect(vtd->core, in);
}

bool vtd_look(struct vtd *vtd, const struct iommu_access *access, struct iommu_request *answer)
{
    return vtd_is(vtd, VTD_G_TE) && iommu_look(vtd->core, access, answer);
}

void vtd_inspect_walk(struct vtd *vtd, const struct inspect *in, const struct iommu_access *access)
{
    if (vtd_is(vtd, access->interrupt ? VTD_G_IRE : VTD_G_TE)) {
        iommu_inspect_walk(vtd->core, in, access);
        return;
    }
    inspect_object(in, "result");
    inspect_text(in, "outcome", "not translated: the unit is off");
    inspect_object_end(in);
}
