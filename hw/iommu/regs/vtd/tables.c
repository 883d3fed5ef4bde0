/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables: root and context entries (VT-d 9.1 to 9.4), PASID directory and PASID table (9.5,
 * 9.6). Each function takes turns with the core: it asks for an entry, and finds it there next
 * time.
 */
#include "pcilab/base/le.h"
#include "vtd.h"

#define ENTRY_P   BIT(0)
#define ENTRY_FPD BIT(1)
#define ENTRY_PTR (~0xfffULL)

/* Legacy context entry, 9.3 */
#define CE_TT        GENMASK(3, 2)
#define CE_LOW_RSVD  GENMASK(11, 4)
#define CE_AW        GENMASK(2, 0)
#define CE_DID       GENMASK(23, 8)
#define CE_HIGH_RSVD (~(GENMASK(6, 0) | CE_DID))
enum { TT_SECOND = 0, TT_DEVICE_TLB = 1, TT_PASS = 2 };

/* Scalable-mode context entry, 9.4 */
#define SC_DTE       BIT(2)
#define SC_PASIDE    BIT(3)
#define SC_PDTS      GENMASK(11, 9)
#define SC_PRE       BIT(4)
#define SC_LOW_RSVD  GENMASK(8, 5)
#define SC_RID_PASID GENMASK(19, 0)

/* PASID table entry, 9.6 */
#define PE_AW     GENMASK(4, 2)
#define PE_PGTT   GENMASK(8, 6)
#define PE_SSADE  BIT(9)
#define PE_0_RSVD (GENMASK(11, 10) | BIT(5))
#define PE_DID    GENMASK(15, 0)
#define PE_PWSNP  BIT(23)
#define PE_PGSNP  BIT(24)
#define PE_1_RSVD GENMASK(22, 16)
#define PE_FSPM   GENMASK(3, 2)
#define PE_SRE    BIT(0)
#define PE_WPE    BIT(4)
#define PE_NXE    BIT(5)
#define PE_EAFE   BIT(7)
#define PE_2_RSVD (GENMASK(11, 8) | BIT(6) | BIT(1))
enum { PGTT_FIRST = 1, PGTT_SECOND = 2, PGTT_NESTED = 3, PGTT_PASS = 4 };

static enum iommu_step refuse(struct iommu_lookup *lookup, uint16_t reason)
{
    lookup->code = reason;
    return IOMMU_FAULT;
}

static enum iommu_step ask(struct iommu_lookup *lookup, uint64_t addr, unsigned bytes)
{
    lookup->read_addr = addr;
    lookup->read_bytes = bytes;
    return IOMMU_READ;
}

static uint64_t quad(const struct iommu_lookup *lookup, unsigned i)
{
    return le64_load(lookup->data + 8 * i);
}

/* Bits of a pointer that lie beyond the host's addresses. */
static uint64_t beyond_host(const struct vtd *vtd)
{
    return ~vtd_host_mask(vtd);
}

/* AW 1, 2, 3 are 3, 4, 5 levels; 0 when the unit does not have them (CAP.SAGAW). */
static unsigned levels_of(const struct vtd *vtd, uint64_t aw)
{
    unsigned levels = aw >= 1 && aw <= 3 ? (unsigned)aw + 2 : 0;

    return 12 + 9 * levels <= vtd->params.features.address_bits ? levels : 0;
}

static void set_second(const struct vtd *vtd, struct iommu_context *context, unsigned levels,
                       uint64_t root)
{
    const struct vtd_features *features = &vtd->params.features;

    context->second = (struct pt_config){
        .format = &pt_vtd_second,
        .flaws = &vtd->params.sim->flaws,
        .root = root & ENTRY_PTR,
        .levels = (uint8_t)levels,
        .phys_bits = vtd->params.host_bits,
        .largest_leaf = features->large_pages ? 3 : 1,
        .snoop_bit = features->snoop,
    };
    context->limit = low_mask(12 + 9 * levels);
}

/* Legacy mode. */

static enum iommu_step legacy_context(struct vtd *vtd, struct iommu_lookup *lookup)
{
    uint64_t low = quad(lookup, 0), high = quad(lookup, 1);
    unsigned tt = (unsigned)FIELD_GET(CE_TT, low), levels;
    struct iommu_context *context = &lookup->device.context;

    if (!lookup->readable)
        return refuse(lookup, VTD_FR_CONTEXT_UNREADABLE);
    lookup->fault_disabled = low & ENTRY_FPD;
    if (!(low & ENTRY_P))
        return refuse(lookup, VTD_FR_CONTEXT_ABSENT);
    if (((low & (CE_LOW_RSVD | beyond_host(vtd))) || (high & CE_HIGH_RSVD)) &&
        !vtd_flawed(vtd, FLAW_VTD_CONTEXT_RESERVED))
        return refuse(lookup, VTD_FR_CONTEXT_RESERVED);
    levels = levels_of(vtd, FIELD_GET(CE_AW, high));
    if (!levels || !(tt == TT_SECOND || vtd_flawed(vtd, FLAW_VTD_TYPE) ||
                     (tt == TT_PASS && vtd->params.features.pass_through) ||
                     (tt == TT_DEVICE_TLB && vtd->params.features.device_tlb)))
        return refuse(lookup, VTD_FR_CONTEXT_INVALID);
    lookup->device = (struct iommu_device){
        .fault_disabled = low & ENTRY_FPD,
        .has_context = true,
        .device_tlb = tt == TT_DEVICE_TLB,
        .format = VTD_TTM_LEGACY,
    };
    context->fault_disabled = low & ENTRY_FPD;
    context->domain = (uint16_t)FIELD_GET(CE_DID, high);
    if (tt == TT_PASS) {
        context->kind = IOMMU_PASS;
        context->limit = vtd_host_mask(vtd);
        return IOMMU_OK;
    }
    context->kind = IOMMU_SECOND;
    set_second(vtd, context, levels, low);
    return IOMMU_OK;
}

static enum iommu_step legacy_device(struct vtd *vtd, struct iommu_lookup *lookup)
{
    unsigned devfn = lookup->access->sid & 0xff;
    uint64_t low = quad(lookup, 0);

    if (lookup->turn == 2)
        return legacy_context(vtd, lookup);
    if (!lookup->readable)
        return refuse(lookup, VTD_FR_ROOT_UNREADABLE);
    if (!(low & ENTRY_P))
        return refuse(lookup, VTD_FR_ROOT_ABSENT);
    if (((low & (GENMASK(11, 1) | beyond_host(vtd))) || quad(lookup, 1)) &&
        !vtd_flawed(vtd, FLAW_VTD_ROOT_RESERVED))
        return refuse(lookup, VTD_FR_ROOT_RESERVED);
    return ask(lookup, (low & ENTRY_PTR) + devfn * 16u, 16);
}

/* Scalable mode. */

static enum iommu_step scalable_context(struct vtd *vtd, struct iommu_lookup *lookup)
{
    uint64_t low = quad(lookup, 0), high = quad(lookup, 1);

    if (!lookup->readable)
        return refuse(lookup, VTD_FR_SM_CONTEXT_UNREADABLE);
    lookup->fault_disabled = low & ENTRY_FPD;
    if (!(low & ENTRY_P))
        return refuse(lookup, VTD_FR_SM_CONTEXT_ABSENT);
    if (!vtd_flawed(vtd, FLAW_VTD_SM_CONTEXT_RESERVED) &&
        ((low & (SC_LOW_RSVD | (vtd->params.features.device_tlb ? 0 : SC_DTE) |
                 (vtd_takes_page_requests(vtd) ? 0 : SC_PRE) | beyond_host(vtd))) ||
         (high & ~SC_RID_PASID) || quad(lookup, 2) || quad(lookup, 3)))
        return refuse(lookup, VTD_FR_SM_CONTEXT_RESERVED);
    lookup->device = (struct iommu_device){
        .fault_disabled = low & ENTRY_FPD,
        .device_tlb = low & SC_DTE,
        .page_requests = low & SC_PRE,
        .pasid_allowed = low & SC_PASIDE,
        .default_pasid = (uint32_t)FIELD_GET(SC_RID_PASID, high),
        .pasid_end = 64u << (FIELD_GET(SC_PDTS, low) + 7),
        .process_table = low & ENTRY_PTR,
        .format = VTD_TTM_SCALABLE,
    };
    return IOMMU_OK;
}

/* Half of a root entry each for devices 0 to 15 and 16 to 31 (9.2). */
static enum iommu_step scalable_device(struct vtd *vtd, struct iommu_lookup *lookup)
{
    unsigned devfn = lookup->access->sid & 0xff;
    uint64_t half = quad(lookup, devfn >> 7);

    if (lookup->turn == 2)
        return scalable_context(vtd, lookup);
    if (!lookup->readable)
        return refuse(lookup, VTD_FR_SM_ROOT_UNREADABLE);
    if (!(half & ENTRY_P))
        return refuse(lookup, VTD_FR_SM_ROOT_ABSENT);
    if (half & (GENMASK(11, 1) | beyond_host(vtd)) && !vtd_flawed(vtd, FLAW_VTD_SM_ROOT_RESERVED))
        return refuse(lookup, VTD_FR_SM_ROOT_RESERVED);
    return ask(lookup, (half & ENTRY_PTR) + (devfn & 0x7f) * 32u, 32);
}

enum iommu_step vtd_device(void *face, struct iommu_lookup *lookup)
{
    struct vtd *vtd = face;

    /* The mode may change while the tables are read; this request keeps to the one it met. */
    if (lookup->turn == 0) {
        lookup->device = (struct iommu_device){.format = vtd->ttm};
        if (vtd->ttm != VTD_TTM_LEGACY && vtd->ttm != VTD_TTM_SCALABLE)
            return refuse(lookup, VTD_FR_SM_ROOT_TABLE);
        if (vtd->ttm == VTD_TTM_LEGACY && lookup->access->page_request)
            return refuse(lookup, VTD_FR_SM_LEGACY_PAGE_REQUEST);
        if (vtd->ttm == VTD_TTM_LEGACY && lookup->access->has_pasid &&
            !vtd_flawed(vtd, FLAW_VTD_LEGACY_PASID))
            return refuse(lookup, VTD_FR_SM_LEGACY_PASID);
        return ask(lookup, vtd->root + (lookup->access->sid >> 8) * 16u, 16);
    }
    return lookup->device.format == VTD_TTM_LEGACY ? legacy_device(vtd, lookup)
                                                   : scalable_device(vtd, lookup);
}

static bool set_first(const struct vtd *vtd, struct iommu_context *context, uint64_t quad2,
                      bool nested)
{
    uint64_t mode = FIELD_GET(PE_FSPM, quad2);

    if (mode > 1 || (mode == 1 && vtd->params.features.address_bits < 57))
        return false;
    context->first = (struct pt_config){
        .format = &pt_x86,
        .flaws = &vtd->params.sim->flaws,
        .root = quad2 & ENTRY_PTR,
        .levels = mode ? 5 : 4,
        /* Guest addresses: how wide they may be is the second stage's business. */
        .phys_bits = nested ? 52 : vtd->params.host_bits,
        .largest_leaf = vtd->params.features.large_pages ? 3 : 2,
        .keep_ad = true,
        .no_execute = quad2 & PE_NXE,
        .write_protect = quad2 & PE_WPE,
        .extended_access = quad2 & PE_EAFE,
    };
    return true;
}

static bool set_stages(const struct vtd *vtd, struct iommu_lookup *lookup, uint64_t pgtt)
{
    const struct vtd_features *features = &vtd->params.features;
    struct iommu_context *context = &lookup->context;
    uint64_t low = quad(lookup, 0);
    unsigned levels = levels_of(vtd, FIELD_GET(PE_AW, low));
    static const uint8_t kinds[] = {[PGTT_FIRST] = IOMMU_FIRST,
                                    [PGTT_SECOND] = IOMMU_SECOND,
                                    [PGTT_NESTED] = IOMMU_NESTED,
                                    [PGTT_PASS] = IOMMU_PASS};
    const bool offered[] = {[PGTT_FIRST] = features->first_stage,
                            [PGTT_SECOND] = features->second_stage,
                            [PGTT_NESTED] = features->nested && features->first_stage &&
                                            features->second_stage, /* as ECAP.NEST says */
                            [PGTT_PASS] = features->pass_through};

    if (pgtt >= ARRAY_LEN(kinds) || !offered[pgtt])
        return false;
    context->kind = kinds[pgtt];
    context->limit = vtd_host_mask(vtd);
    if (pgtt == PGTT_SECOND || pgtt == PGTT_NESTED) {
        if (!levels)
            return false;
        set_second(vtd, context, levels, low);
        context->second.keep_ad = low & PE_SSADE;
        /* In scalable mode it is the PASID entry that makes accesses snoop (9.6, PGSNP). */
        context->second.snoop_bit = features->snoop;
    }
    return pgtt == PGTT_SECOND || pgtt == PGTT_PASS ||
           set_first(vtd, context, quad(lookup, 2), pgtt == PGTT_NESTED);
}

static enum iommu_step pasid_entry(struct vtd *vtd, struct iommu_lookup *lookup)
{
    uint64_t low = quad(lookup, 0), rest = 0;
    /* CHOICE: a unit that can snoop does, whatever PWSNP says; but without it no bits are set. */
    uint64_t rsvd1 = PE_1_RSVD | (vtd->params.features.coherent ? 0 : PE_PWSNP);
    uint64_t rsvd2 = PE_2_RSVD | (vtd->params.features.first_stage ? 0 : PE_SRE | PE_EAFE);
    struct iommu_context *context = &lookup->context;
    bool disabled;

    if (!lookup->readable)
        return refuse(lookup, VTD_FR_SM_PASID_UNREADABLE);
    lookup->fault_disabled |= low & ENTRY_FPD;
    disabled = lookup->fault_disabled;
    if (!(low & ENTRY_P))
        return refuse(lookup, VTD_FR_SM_PASID_ABSENT);
    for (unsigned i = 3; i < 8; i++)
        rest |= quad(lookup, i);
    if (((low & (PE_0_RSVD | beyond_host(vtd))) || (quad(lookup, 1) & rsvd1) ||
         (quad(lookup, 2) & (rsvd2 | beyond_host(vtd))) || rest) &&
        !vtd_flawed(vtd, FLAW_VTD_PASID_RESERVED))
        return refuse(lookup, VTD_FR_SM_PASID_RESERVED);
    *context = (struct iommu_context){
        .fault_disabled = disabled,
        .snoop = vtd->params.features.snoop && (quad(lookup, 1) & PE_PGSNP),
        .read_only = !(quad(lookup, 1) & PE_PWSNP),
        .supervisor = quad(lookup, 2) & PE_SRE,
        .domain = (uint16_t)FIELD_GET(PE_DID, quad(lookup, 1)),
        .pasid = lookup->pasid,
    };
    if (!set_stages(vtd, lookup, FIELD_GET(PE_PGTT, low)))
        return refuse(lookup, VTD_FR_SM_PASID_INVALID);
    return IOMMU_OK;
}

enum iommu_step vtd_process(void *face, struct iommu_lookup *lookup)
{
    struct vtd *vtd = face;
    uint64_t entry = quad(lookup, 0);

    if (lookup->turn == 2)
        return pasid_entry(vtd, lookup);
    if (lookup->turn == 0) {
        if (lookup->pasid >= lookup->device.pasid_end && !vtd_flawed(vtd, FLAW_VTD_PASID_LARGE))
            return refuse(lookup,
                          lookup->access->has_pasid ? VTD_FR_SM_PASID_LARGE : VTD_FR_SM_RID_PASID);
        return ask(lookup, lookup->device.process_table + (lookup->pasid >> 6) * 8u, 8);
    }
    if (!lookup->readable)
        return refuse(lookup, VTD_FR_SM_DIRECTORY_UNREADABLE);
    lookup->fault_disabled |= entry & ENTRY_FPD;
    if (!(entry & ENTRY_P))
        return refuse(lookup, VTD_FR_SM_DIRECTORY_ABSENT);
    if (entry & (GENMASK(11, 2) | beyond_host(vtd)) &&
        !vtd_flawed(vtd, FLAW_VTD_DIRECTORY_RESERVED))
        return refuse(lookup, VTD_FR_SM_DIRECTORY_RESERVED);
    return ask(lookup, (entry & ENTRY_PTR) + (lookup->pasid & 63) * 64u, 64);
}

bool vtd_admit(void *face, const struct iommu_access *access, const struct iommu_device *device,
               const struct iommu_context *context, uint16_t *code)
{
    bool legacy = device->format == VTD_TTM_LEGACY;

    if (legacy && access->page_request)
        *code = VTD_FR_SM_LEGACY_PAGE_REQUEST;
    else if (legacy && access->has_pasid && !vtd_flawed(face, FLAW_VTD_LEGACY_PASID))
        *code = VTD_FR_SM_LEGACY_PASID;
    else if (access->at != IOMMU_UNTRANSLATED && !device->device_tlb &&
             !vtd_flawed(face, FLAW_VTD_DEVICE_TLB))
        *code = legacy ? VTD_FR_TYPE_BLOCKED : VTD_FR_SM_NO_DEVICE_TLB;
    else if (access->has_pasid && !device->pasid_allowed &&
             !vtd_flawed(face, FLAW_VTD_PASID_DISABLED))
        *code = VTD_FR_SM_PASID_DISABLED;
    else if (access->page_request && !device->page_requests &&
             !vtd_flawed(face, FLAW_VTD_PAGE_REQUESTS))
        *code = VTD_FR_SM_NO_PAGE_REQUESTS;
    else if (access->page_request && access->has_pasid && access->pasid >= device->pasid_end)
        *code = VTD_FR_SM_PASID_LARGE;
    else if (context && (access->want & PT_PERM_EXEC) &&
             !vtd_flawed(face, FLAW_VTD_EXECUTE)) /* ECAP.ERS is 0 */
        *code = legacy ? VTD_FR_READ : VTD_FR_SM_EXECUTE;
    else if (context && access->has_pasid && access->privileged && !context->supervisor &&
             !vtd_flawed(face, FLAW_VTD_SUPERVISOR))
        *code = VTD_FR_SM_SUPERVISOR;
    else
        return true;
    return false;
}
