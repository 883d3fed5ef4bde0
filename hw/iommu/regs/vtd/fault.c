/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults: from the core's words to reason codes (VT-d 7.1.3), fault recording (7.2) and the event
 * interrupt (7.3).
 */
#include "vtd.h"

/* Fault Recording Register, upper half, 11.4.15 */
#define FRCD_SID  GENMASK(15, 0)
#define FRCD_T2   BIT(28)
#define FRCD_PRIV BIT(29)
#define FRCD_EXE  BIT(30)
#define FRCD_PP   BIT(31)
#define FRCD_FR   GENMASK(39, 32)
#define FRCD_PV   GENMASK(59, 40)
#define FRCD_AT   GENMASK(61, 60)
#define FRCD_T1   BIT(62)
#define FRCD_F    BIT(63)
#define FRCD_PAGE (~0xfffULL)

#define STATUS_BITS (VTD_FSTS_PFO | VTD_FSTS_PPF | VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE)

/* By cause, where both the stage and the cause decide. 0 cannot be. */
static const uint8_t legacy_reason[PT_FAULT_COUNT] = {
    [PT_FAULT_ADDRESS] = VTD_FR_BEYOND_WIDTH,
    [PT_FAULT_TABLE] = VTD_FR_NEXT_TABLE,
    [PT_FAULT_RESERVED] = VTD_FR_ENTRY_RESERVED,
    [PT_FAULT_READ] = VTD_FR_READ,
    [PT_FAULT_WRITE] = VTD_FR_WRITE,
};

static const uint8_t first_reason[PT_FAULT_COUNT] = {
    [PT_FAULT_ADDRESS] = VTD_FR_NOT_CANONICAL, [PT_FAULT_TABLE] = VTD_FR_FS_UNREADABLE,
    [PT_FAULT_NOT_PRESENT] = VTD_FR_FS_ABSENT, [PT_FAULT_RESERVED] = VTD_FR_FS_RESERVED,
    [PT_FAULT_READ] = VTD_FR_SM_READ,          [PT_FAULT_WRITE] = VTD_FR_SM_WRITE,
    [PT_FAULT_EXECUTE] = VTD_FR_NO_EXECUTE,    [PT_FAULT_PRIVILEGE] = VTD_FR_USER,
};

static const uint8_t second_reason[PT_FAULT_COUNT] = {
    [PT_FAULT_ADDRESS] = VTD_FR_SS_BEYOND,     [PT_FAULT_TABLE] = VTD_FR_SS_UNREADABLE,
    [PT_FAULT_NOT_PRESENT] = VTD_FR_SS_ABSENT, [PT_FAULT_RESERVED] = VTD_FR_SS_RESERVED,
    [PT_FAULT_READ] = VTD_FR_SM_READ,          [PT_FAULT_WRITE] = VTD_FR_SM_WRITE,
};

static unsigned legacy_code(const struct iommu_fault *fault)
{
    bool write = fault->access.want & PT_PERM_WRITE;

    if (fault->place == IOMMU_AT_INPUT)
        return VTD_FR_BEYOND_WIDTH;
    if (fault->place == IOMMU_AT_OUTPUT)
        return VTD_FR_OUTPUT;
    if (fault->cause == PT_FAULT_NOT_PRESENT)
        return write ? VTD_FR_WRITE : VTD_FR_READ;
    /* The root table's address stands in the context entry. */
    if (fault->cause == PT_FAULT_TABLE && fault->top)
        return VTD_FR_CONTEXT_INVALID;
    return legacy_reason[fault->cause];
}

static unsigned entry_code(const struct iommu_fault *fault)
{
    if (fault->cause == PT_FAULT_ADDRESS)
        return VTD_FR_FS_ENTRY_BEYOND;
    if (fault->cause == PT_FAULT_WRITE)
        return VTD_FR_FS_ENTRY_WRITE;
    if (fault->cause == PT_FAULT_READ)
        return fault->first_top ? VTD_FR_FS_ROOT_READ : VTD_FR_FS_ENTRY_READ;
    return fault->cause == PT_FAULT_TABLE && fault->top ? VTD_FR_SS_ROOT_UNREADABLE
                                                        : second_reason[fault->cause];
}

static unsigned scalable_code(const struct iommu_fault *fault)
{
    bool root = fault->cause == PT_FAULT_TABLE && fault->top;

    switch ((enum iommu_place)fault->place) {
    case IOMMU_AT_TABLES: return fault->code;
    case IOMMU_AT_FIRST: return root ? VTD_FR_FS_ROOT_UNREADABLE : first_reason[fault->cause];
    case IOMMU_AT_SECOND: return root ? VTD_FR_SS_ROOT_UNREADABLE : second_reason[fault->cause];
    case IOMMU_AT_ENTRY:
    case IOMMU_AT_ENTRY_SET: return entry_code(fault);
    case IOMMU_AT_INPUT: return fault->kind == IOMMU_PASS ? VTD_FR_BEYOND_HOST : VTD_FR_SS_BEYOND;
    case IOMMU_AT_FIRST_BITS: return VTD_FR_FS_BITS;
    case IOMMU_AT_SECOND_BITS: return VTD_FR_SS_BITS;
    case IOMMU_AT_PROTECTED:
    case IOMMU_AT_OUTPUT:
    case IOMMU_AT_COUNT: break;
    }
    return VTD_FR_SM_OUTPUT;
}

static uint64_t record_high(const struct iommu_fault *fault, unsigned code)
{
    const struct iommu_access *access = &fault->access;
    uint64_t high = FRCD_F | FIELD_PREP(FRCD_FR, code) | access->sid;

    if (access->interrupt)
        return high;
    high |= FIELD_PREP(FRCD_AT, access->at);
    if (access->page_request)
        high |= FRCD_T2;
    else if (!(access->want & PT_PERM_WRITE))
        high |= FRCD_T1;
    else if (access->want & PT_PERM_READ)
        high |= FRCD_T1 | FRCD_T2;
    if (access->has_pasid)
        high |= FRCD_PP | FIELD_PREP(FRCD_PV, access->pasid) |
                (access->privileged ? FRCD_PRIV : 0) | (access->want & PT_PERM_EXEC ? FRCD_EXE : 0);
    return high;
}

static bool record_taken(const struct vtd *vtd, unsigned i)
{
    return (reg_get(vtd->regs, VTD_FRCD + i * 16 + 8) & FRCD_F) != 0;
}

/* Event interrupts, 7.3: one while any status is pending. */

static void event_send(struct vtd *vtd, unsigned control)
{
    uint64_t addr = reg_get(vtd->regs, control + 8) | reg_get(vtd->regs, control + 12) << 32;

    vtd->params.event(vtd->params.opaque, addr, (uint32_t)reg_get(vtd->regs, control + 4));
}

void vtd_event_raise(struct vtd *vtd, unsigned control)
{
    if (reg_get(vtd->regs, control) & VTD_EVENT_IM && !vtd_flawed(vtd, FLAW_VTD_FAULT_EVENT))
        reg_update(vtd->regs, control, VTD_EVENT_IP, VTD_EVENT_IP);
    else
        event_send(vtd, control);
}

void vtd_event_unmasked(struct vtd *vtd, unsigned control)
{
    uint64_t value = reg_get(vtd->regs, control);

    if ((value & VTD_EVENT_IM) || !(value & VTD_EVENT_IP) ||
        vtd_flawed(vtd, FLAW_VTD_EVENT_PENDING))
        return;
    reg_update(vtd->regs, control, VTD_EVENT_IP, 0);
    event_send(vtd, control);
}

void vtd_fault_status(struct vtd *vtd, uint64_t bit)
{
    bool pending = (reg_get(vtd->regs, VTD_FSTS) & STATUS_BITS) != 0;

    reg_update(vtd->regs, VTD_FSTS, bit, bit);
    if (!pending)
        vtd_event_raise(vtd, VTD_FECTL);
}

void vtd_faults_written(struct vtd *vtd)
{
    bool any = false;

    for (unsigned i = 0; i < VTD_FAULT_RECORDS; i++)
        any = any || record_taken(vtd, i);
    reg_update(vtd->regs, VTD_FSTS, VTD_FSTS_PPF, any ? VTD_FSTS_PPF : 0);
    if (!(reg_get(vtd->regs, VTD_FSTS) & STATUS_BITS))
        reg_update(vtd->regs, VTD_FECTL, VTD_EVENT_IP, 0);
}

unsigned vtd_fault_code(const struct iommu_fault *fault)
{
    bool by_tables = fault->place == IOMMU_AT_TABLES || fault->format != VTD_TTM_LEGACY;

    return by_tables ? scalable_code(fault) : legacy_code(fault);
}

/* CHOICE: a Translation Request that the tables do not provide for is not supported; one that
 * finds them broken is aborted. Table 25 decides for each reason; it could not be looked up. */
bool vtd_aborts(void *face, const struct iommu_fault *fault)
{
    static const uint8_t unsupported[] = {
        VTD_FR_ROOT_ABSENT,         VTD_FR_CONTEXT_ABSENT,
        VTD_FR_TYPE_BLOCKED,        VTD_FR_SM_ROOT_TABLE,
        VTD_FR_SM_LEGACY_PASID,     VTD_FR_SM_ROOT_ABSENT,
        VTD_FR_SM_CONTEXT_ABSENT,   VTD_FR_SM_NO_DEVICE_TLB,
        VTD_FR_SM_PASID_DISABLED,   VTD_FR_SM_PASID_LARGE,
        VTD_FR_SM_RID_PASID,        VTD_FR_SM_DIRECTORY_ABSENT,
        VTD_FR_SM_PASID_ABSENT,     VTD_FR_SM_EXECUTE,
        VTD_FR_SM_SUPERVISOR,       VTD_FR_SM_LEGACY_PAGE_REQUEST,
        VTD_FR_SM_NO_PAGE_REQUESTS,
    };

    (void)face;
    if (fault->place != IOMMU_AT_TABLES)
        return true;
    for (unsigned i = 0; i < ARRAY_LEN(unsupported); i++) {
        if (fault->code == unsupported[i])
            return false;
    }
    return true;
}

void vtd_fault(void *face, const struct iommu_fault *fault)
{
    struct vtd *vtd = face;
    const struct iommu_access *access = &fault->access;
    unsigned code =
        vtd_flawed(vtd, FLAW_VTD_FAULT_REASON) ? VTD_FR_ROOT_ABSENT : vtd_fault_code(fault);
    unsigned record = vtd->next_record;
    uint64_t where = access->interrupt ? (uint64_t)fault->index << 48 : access->addr & FRCD_PAGE;

    if (fault->place == IOMMU_AT_PROTECTED) { /* 11.4.8.1: not recorded */
        vtd_say_protected(vtd, access->addr);
        return;
    }
    trace_say(vtd->params.trace, TRACE_RULE, vtd->name,
              "fault 0x%02x: %s by %04x at 0x%llx%s (VT-d 7.1.3)", code,
              access->interrupt              ? "interrupt"
              : access->page_request         ? "page request"
              : access->want & PT_PERM_WRITE ? "write"
                                             : "read",
              access->sid, (unsigned long long)access->addr,
              fault->disabled ? ", fault processing disabled" : "");
    if (vtd_flawed(vtd, FLAW_VTD_FAULT_LOST) ||
        (fault->disabled && !vtd_flawed(vtd, FLAW_VTD_FAULT_DISABLE)) ||
        (reg_get(vtd->regs, VTD_FSTS) & VTD_FSTS_PFO))
        return;
    if (record_taken(vtd, record) && !vtd_flawed(vtd, FLAW_VTD_FAULT_OVERWRITE)) {
        if (!vtd_flawed(vtd, FLAW_VTD_FAULT_OVERFLOW))
            vtd_fault_status(vtd, VTD_FSTS_PFO);
        return;
    }
    reg_set(vtd->regs, VTD_FRCD + record * 16, vtd_flawed(vtd, FLAW_VTD_FAULT_ADDRESS) ? 0 : where);
    reg_set(vtd->regs, VTD_FRCD + record * 16 + 8,
            record_high(fault, code) & ~(vtd_flawed(vtd, FLAW_VTD_FAULT_SOURCE) ? FRCD_SID : 0));
    vtd->next_record = (record + 1) % VTD_FAULT_RECORDS;
    if (!(reg_get(vtd->regs, VTD_FSTS) & VTD_FSTS_PPF) && !vtd_flawed(vtd, FLAW_VTD_FAULT_INDEX))
        reg_update(vtd->regs, VTD_FSTS, VTD_FSTS_FRI, FIELD_PREP(VTD_FSTS_FRI, record));
    vtd_fault_status(vtd, VTD_FSTS_PPF);
}
