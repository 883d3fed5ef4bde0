/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Table entries and fault reasons in words. */
#include <stdio.h>

#include "pcilab/base/le.h"
#include "vtd.h"

static const struct {
    uint8_t code;
    const char *words;
} reasons[] = {
    {VTD_FR_ROOT_ABSENT, "root entry not present"},
    {VTD_FR_CONTEXT_ABSENT, "context entry not present"},
    {VTD_FR_CONTEXT_INVALID, "context entry invalid"},
    {VTD_FR_BEYOND_WIDTH, "address beyond the domain's width"},
    {VTD_FR_WRITE, "no write permission"},
    {VTD_FR_READ, "no read permission"},
    {VTD_FR_NEXT_TABLE, "table of the next level unreadable"},
    {VTD_FR_ROOT_UNREADABLE, "root entry unreadable"},
    {VTD_FR_CONTEXT_UNREADABLE, "context entry unreadable"},
    {VTD_FR_ROOT_RESERVED, "reserved bit in the root entry"},
    {VTD_FR_CONTEXT_RESERVED, "reserved bit in the context entry"},
    {VTD_FR_ENTRY_RESERVED, "reserved bit in a page-table entry"},
    {VTD_FR_TYPE_BLOCKED, "context entry blocks this type of request"},
    {VTD_FR_OUTPUT, "leads into the interrupt range"},
    {VTD_FR_IR_REQUEST, "reserved bits in the interrupt message"},
    {VTD_FR_IR_INDEX, "index beyond the interrupt table"},
    {VTD_FR_IR_ABSENT, "interrupt entry not present"},
    {VTD_FR_IR_UNREADABLE, "interrupt entry unreadable"},
    {VTD_FR_IR_RESERVED, "reserved bit in the interrupt entry"},
    {VTD_FR_IR_COMPATIBLE, "compatibility format blocked"},
    {VTD_FR_IR_SOURCE, "interrupt entry is for another source"},
    {VTD_FR_IR_PID_UNREADABLE, "posted interrupt descriptor unreadable"},
    {VTD_FR_IR_PID_RESERVED, "reserved bit in the posted interrupt descriptor"},
    {VTD_FR_SM_ROOT_TABLE, "root table aborts, or its mode is reserved"},
    {VTD_FR_SM_LEGACY_PASID, "PASID in legacy mode"},
    {VTD_FR_SM_LEGACY_PAGE_REQUEST, "page request in legacy mode"},
    {VTD_FR_SM_ROOT_UNREADABLE, "root entry unreadable"},
    {VTD_FR_SM_ROOT_ABSENT, "root entry not present"},
    {VTD_FR_SM_ROOT_RESERVED, "reserved bit in the root entry"},
    {VTD_FR_SM_CONTEXT_UNREADABLE, "context entry unreadable"},
    {VTD_FR_SM_CONTEXT_ABSENT, "context entry not present"},
    {VTD_FR_SM_CONTEXT_RESERVED, "reserved bit in the context entry"},
    {VTD_FR_SM_NO_DEVICE_TLB, "device TLB not enabled in the context entry"},
    {VTD_FR_SM_PASID_DISABLED, "PASIDs not enabled in the context entry"},
    {VTD_FR_SM_PASID_LARGE, "PASID beyond the directory"},
    {VTD_FR_SM_NO_PAGE_REQUESTS, "page requests not enabled in the context entry"},
    {VTD_FR_SM_RID_PASID, "the requester's own PASID is beyond the directory"},
    {VTD_FR_SM_DIRECTORY_UNREADABLE, "PASID directory entry unreadable"},
    {VTD_FR_SM_DIRECTORY_ABSENT, "PASID directory entry not present"},
    {VTD_FR_SM_DIRECTORY_RESERVED, "reserved bit in the PASID directory entry"},
    {VTD_FR_SM_PASID_UNREADABLE, "PASID table entry unreadable"},
    {VTD_FR_SM_PASID_ABSENT, "PASID table entry not present"},
    {VTD_FR_SM_PASID_RESERVED, "reserved bit in the PASID table entry"},
    {VTD_FR_SM_PASID_INVALID, "PASID table entry invalid"},
    {VTD_FR_SM_EXECUTE, "execute requests not enabled"},
    {VTD_FR_SM_SUPERVISOR, "privileged requests not enabled"},
    {VTD_FR_FS_UNREADABLE, "first-stage entry unreadable"},
    {VTD_FR_FS_ABSENT, "first-stage entry not present"},
    {VTD_FR_FS_RESERVED, "reserved bit in a first-stage entry"},
    {VTD_FR_FS_ROOT_UNREADABLE, "first-stage root table unreadable"},
    {VTD_FR_FS_ENTRY_BEYOND, "first-stage entry lies beyond the second stage"},
    {VTD_FR_FS_ROOT_READ, "second stage lets the first-stage root table not be read"},
    {VTD_FR_FS_ENTRY_READ, "second stage lets a first-stage entry not be read"},
    {VTD_FR_FS_ENTRY_WRITE, "second stage lets a first-stage entry not be written"},
    {VTD_FR_SS_UNREADABLE, "second-stage entry unreadable"},
    {VTD_FR_SS_ABSENT, "second-stage entry without any permission"},
    {VTD_FR_SS_RESERVED, "reserved bit in a second-stage entry"},
    {VTD_FR_SS_ROOT_UNREADABLE, "second-stage root table unreadable"},
    {VTD_FR_SS_BITS, "second-stage bit to be set without snooping"},
    {VTD_FR_FS_BITS, "first-stage bit to be set without snooping"},
    {VTD_FR_NOT_CANONICAL, "address not canonical"},
    {VTD_FR_USER, "supervisor's page"},
    {VTD_FR_NO_EXECUTE, "no execute permission"},
    {VTD_FR_BEYOND_HOST, "address beyond the host's width"},
    {VTD_FR_SS_BEYOND, "address beyond the second stage"},
    {VTD_FR_SM_WRITE, "no write permission"},
    {VTD_FR_SM_READ, "no read permission"},
    {VTD_FR_SM_OUTPUT, "leads into the interrupt range"},
};

const char *vtd_reason(unsigned code)
{
    for (unsigned i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].code == code)
            return reasons[i].words;
    }
    return "unknown";
}

void vtd_explain_fault(void *face, const struct iommu_fault *fault, struct iommu_words *words)
{
    unsigned code = vtd_fault_code(fault);

    words->name = "reason";
    snprintf(words->text, sizeof(words->text), "0x%02x, %s", code, vtd_reason(code));
}

static const char *entry_name(const struct vtd *vtd, const struct iommu_lookup *lookup,
                              bool process)
{
    if (lookup->access->interrupt)
        return "interrupt entry";
    if (process)
        return lookup->turn == 1 ? "PASID directory entry" : "PASID table entry";
    return lookup->turn == 1 ? "root entry" : "context entry";
}

/* The quadword that says where it leads: of a scalable root entry that of the device's half. */
static uint64_t entry_word(const struct vtd *vtd, const struct iommu_lookup *lookup, bool process)
{
    bool upper = !process && lookup->turn == 1 && vtd->ttm == VTD_TTM_SCALABLE &&
                 (lookup->access->sid & 0x80);

    return le64_load(lookup->data + (upper ? 8 : 0));
}

void vtd_explain(void *face, const struct iommu_lookup *lookup, bool process,
                 struct iommu_words *words)
{
    const struct vtd *vtd = face;
    uint64_t word = entry_word(vtd, lookup, process);
    bool last = lookup->turn > 1, scalable = vtd->ttm == VTD_TTM_SCALABLE;
    const char *to = lookup->turn == 1 ? (process ? "PASID table" : "context table")
                     : scalable        ? "PASID directory"
                                       : "second stage";

    words->name = entry_name(vtd, lookup, process);
    if (!(word & 1))
        snprintf(words->text, sizeof(words->text), "not present");
    else if (lookup->access->interrupt || (process && last))
        snprintf(words->text, sizeof(words->text), "present%s",
                 word & 2 ? ", fault processing disabled" : "");
    else
        snprintf(words->text, sizeof(words->text), "%s at 0x%llx%s", to,
                 (unsigned long long)(word & vtd_host_mask(vtd) & ~0xfffULL),
                 last && (word & 2) ? ", fault processing disabled" : "");
}
