/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers (VT-d 11.4) and what writing them does. */
#include "vtd.h"

#define COMMANDS                                                                                   \
    (VTD_G_TE | VTD_G_SRTP | VTD_G_WBF | VTD_G_QIE | VTD_G_IRE | VTD_G_SIRTP | VTD_G_CFI)
/* Commands that stay as written; the others happen once. */
#define STATES (VTD_G_TE | VTD_G_QIE | VTD_G_IRE | VTD_G_CFI)

#define RTADDR_TTM  GENMASK(11, 10)
#define CCMD_CIRG   GENMASK(62, 61)
#define CCMD_CAIG   GENMASK(60, 59)
#define CCMD_FM     GENMASK(33, 32)
#define CCMD_SID    GENMASK(31, 16)
#define CCMD_DID    GENMASK(15, 0)
#define IOTLB_IIRG  GENMASK(61, 60)
#define IOTLB_IAIG  GENMASK(58, 57)
#define IOTLB_DRAIN GENMASK(49, 48)
#define IOTLB_DID   GENMASK(47, 32)
#define IVA_BITS    (~0ULL & ~GENMASK(11, 7))
#define ADDR_PAGE   (~0xfffULL)

#define PROTECT_BITS (~0ULL << VTD_PROTECT_SHIFT)

static struct vtd *vtd_of(struct reg_space *space)
{
    return reg_space_owner(space);
}

/* 11.4.4.1: a root table pointer becomes the current one, with its mode. */
static void set_root(struct vtd *vtd)
{
    uint64_t rtaddr = reg_get(vtd->regs, VTD_RTADDR);
    uint8_t ttm = (uint8_t)FIELD_GET(RTADDR_TTM, rtaddr);

    vtd->root = rtaddr & ADDR_PAGE;
    vtd->ttm = ttm == VTD_TTM_SCALABLE && !vtd->params.features.scalable ? VTD_TTM_RESERVED : ttm;
}

static void set_interrupt_table(struct vtd *vtd)
{
    uint64_t irta = reg_get(vtd->regs, VTD_IRTA);

    vtd->irt = irta & ADDR_PAGE;
    vtd->irt_entries = 2u << FIELD_GET(VTD_IRTA_SIZE, irta);
    vtd->irt_extended = (irta & VTD_IRTA_EIME) && vtd->params.features.x2apic;
}

/* Requests under way finish as they began, and then the status tells of the commands (11.4.4). */
static void commands_drained(void *opaque)
{
    struct vtd *vtd = opaque;

    if (vtd->commands_again) {
        vtd->commands_again = false;
        iommu_drain(vtd->core, &vtd->command_drain);
        return;
    }
    reg_update(vtd->regs, VTD_GSTS, STATES | vtd->once, vtd->states | vtd->once);
    vtd->once = 0;
}

/* CHOICE: a command acts at once on what comes after it; several bits in the order of tables,
 * enables, queue. */
static void gcmd_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct vtd *vtd = vtd_of(space);
    uint64_t states = STATES, once = write->written & (VTD_G_SRTP | VTD_G_SIRTP);

    if (!vtd->params.features.interrupt_remapping) {
        states &= ~(VTD_G_IRE | VTD_G_CFI);
        once &= ~VTD_G_SIRTP;
    }
    if (write->lanes != 0xffffffff)
        return;
    if (once & VTD_G_SRTP)
        set_root(vtd);
    if (once & VTD_G_SIRTP)
        set_interrupt_table(vtd);
    reg_update(space, VTD_GSTS, once, 0);
    vtd->once |= once;
    vtd->states = (vtd->states & ~states) | (write->written & states);
    if (vtd->command_drain.pending)
        vtd->commands_again = true;
    else
        iommu_drain(vtd->core, &vtd->command_drain);
    if (!vtd_is(vtd, VTD_G_QIE)) {
        reg_set(space, VTD_IQH, 0);
        vtd_queue_forget(vtd);
    }
    vtd_queue_run(vtd);
}

/* Register-based invalidation, 6.5.1: the command bit falls when what was under way is through. */

static void ccmd_done(void *opaque)
{
    struct vtd *vtd = opaque;

    reg_update(vtd->regs, VTD_CCMD, VTD_CCMD_ICC, 0);
}

static void ccmd_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct vtd *vtd = vtd_of(space);
    uint64_t value = write->new_value;
    unsigned granularity = (unsigned)FIELD_GET(CCMD_CIRG, value);

    if (!(value & VTD_CCMD_ICC) || vtd->context_drain.pending)
        return;
    if (!vtd_invalidate_context(vtd, granularity, (uint16_t)FIELD_GET(CCMD_DID, value),
                                (uint16_t)FIELD_GET(CCMD_SID, value),
                                (unsigned)FIELD_GET(CCMD_FM, value)))
        granularity = 0;
    reg_update(space, VTD_CCMD, CCMD_CAIG, FIELD_PREP(CCMD_CAIG, granularity));
    iommu_drain(vtd->core, &vtd->context_drain);
}

static void iotlb_done(void *opaque)
{
    struct vtd *vtd = opaque;

    reg_update(vtd->regs, VTD_IOTLB, VTD_IOTLB_IVT, 0);
}

static void iotlb_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct vtd *vtd = vtd_of(space);
    uint64_t value = write->new_value;
    unsigned granularity = (unsigned)FIELD_GET(IOTLB_IIRG, value);

    if (!(value & VTD_IOTLB_IVT) || vtd->iotlb_drain.pending)
        return;
    if (!vtd_invalidate_iotlb(vtd, granularity, (uint16_t)FIELD_GET(IOTLB_DID, value),
                              reg_get(space, VTD_IVA)))
        granularity = 0;
    reg_update(space, VTD_IOTLB, IOTLB_IAIG, FIELD_PREP(IOTLB_IAIG, granularity));
    iommu_drain(vtd->core, &vtd->iotlb_drain);
}

static void queue_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    vtd_queue_run(vtd_of(space));
}

/* Clearing an error lets the queue go on. */
static void fsts_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct vtd *vtd = vtd_of(space);

    vtd_faults_written(vtd);
    if (!(write->new_value & VTD_FSTS_IQE))
        reg_set(space, VTD_IQERCD, 0);
    vtd_queue_run(vtd);
}

static void event_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    vtd_event_unmasked(vtd_of(space), offset);
}

static void ics_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    if (!(write->new_value & VTD_ICS_IWC))
        reg_update(space, VTD_IECTL, VTD_EVENT_IP, 0);
}

static void pmen_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    vtd_protect_written(vtd_of(space));
}

static void record_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    vtd_faults_written(vtd_of(space));
}

#define DOC "VT-d 4.1, "
#define EVENT(prefix, base, text)                                                                  \
    {.name = prefix "ctl",                                                                         \
     .clause = DOC text,                                                                           \
     .offset = base,                                                                               \
     .width = 4,                                                                                   \
     .reset = VTD_EVENT_IM,                                                                        \
     .rw = VTD_EVENT_IM,                                                                           \
     .on_write = event_written},                                                                   \
        {.name = prefix "data", .clause = DOC text, .offset = base + 4, .width = 4, .rw = 0xffff}, \
        {.name = prefix "addr",                                                                    \
         .clause = DOC text,                                                                       \
         .offset = base + 8,                                                                       \
         .width = 4,                                                                               \
         .rw = 0xfffffffc},                                                                        \
    {                                                                                              \
        .name = prefix "uaddr", .clause = DOC text, .offset = base + 12, .width = 4,               \
        .rw = 0xffffffff                                                                           \
    }

#define RECORD(n)                                                                                  \
    {.name = "frcd" #n "_low",                                                                     \
     .clause = DOC "11.4.15",                                                                      \
     .offset = VTD_FRCD + (n)*16,                                                                  \
     .width = 8,                                                                                   \
     .sticky = ~0ULL},                                                                             \
    {                                                                                              \
        .name = "frcd" #n "_high", .clause = DOC "11.4.15", .offset = VTD_FRCD + (n)*16 + 8,       \
        .width = 8, .rw1c = BIT(63), .sticky = ~0ULL, .on_write = record_written                   \
    }

static const struct reg_def vtd_defs[] = {
    {.name = "ver", .clause = DOC "11.4.1", .offset = VTD_VER, .width = 4, .reset = 0x40},
    {.name = "cap", .clause = DOC "11.4.2", .offset = VTD_CAP, .width = 8},
    {.name = "ecap", .clause = DOC "11.4.3", .offset = VTD_ECAP, .width = 8},
    {.name = "gcmd",
     .clause = DOC "11.4.4.1",
     .offset = VTD_GCMD,
     .width = 4,
     .w1t = COMMANDS,
     .on_write = gcmd_written},
    {.name = "gsts", .clause = DOC "11.4.4.2", .offset = VTD_GSTS, .width = 4},
    {.name = "rtaddr",
     .clause = DOC "11.4.5",
     .offset = VTD_RTADDR,
     .width = 8,
     .rw = ADDR_PAGE | RTADDR_TTM},
    {.name = "ccmd",
     .clause = DOC "11.4.6.1",
     .offset = VTD_CCMD,
     .width = 8,
     .rw = VTD_CCMD_ICC | CCMD_CIRG | CCMD_FM | CCMD_SID | CCMD_DID,
     .on_write = ccmd_written},
    {.name = "fsts",
     .clause = DOC "11.4.7.1",
     .offset = VTD_FSTS,
     .width = 4,
     .rw1c = VTD_FSTS_PFO | VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE,
     .sticky = 0xff73,
     .on_write = fsts_written},
    EVENT("fe", VTD_FECTL, "11.4.7.2 to 11.4.7.5"),
    {.name = "pmen",
     .clause = DOC "11.4.8.1",
     .offset = VTD_PMEN,
     .width = 4,
     .rw = VTD_PMEN_EPM,
     .on_write = pmen_written},
    {.name = "plmbase",
     .clause = DOC "11.4.8.2",
     .offset = VTD_PLMBASE,
     .width = 4,
     .rw = PROTECT_BITS & 0xffffffff},
    {.name = "plmlimit",
     .clause = DOC "11.4.8.3",
     .offset = VTD_PLMLIMIT,
     .width = 4,
     .rw = PROTECT_BITS & 0xffffffff},
    {.name = "phmbase",
     .clause = DOC "11.4.8.4",
     .offset = VTD_PHMBASE,
     .width = 8,
     .rw = PROTECT_BITS},
    {.name = "phmlimit",
     .clause = DOC "11.4.8.5",
     .offset = VTD_PHMLIMIT,
     .width = 8,
     .rw = PROTECT_BITS},
    {.name = "iqh", .clause = DOC "11.4.9.1", .offset = VTD_IQH, .width = 8},
    {.name = "iqt",
     .clause = DOC "11.4.9.2",
     .offset = VTD_IQT,
     .width = 8,
     .rw = GENMASK(18, 4),
     .on_write = queue_written},
    {.name = "iqa",
     .clause = DOC "11.4.9.3",
     .offset = VTD_IQA,
     .width = 8,
     .rw = ADDR_PAGE | VTD_IQA_QS},
    {.name = "ics",
     .clause = DOC "11.4.9.4",
     .offset = VTD_ICS,
     .width = 4,
     .rw1c = VTD_ICS_IWC,
     .on_write = ics_written},
    EVENT("ie", VTD_IECTL, "11.4.9.5 to 11.4.9.8"),
    {.name = "iqercd", .clause = DOC "11.4.9.9", .offset = VTD_IQERCD, .width = 8},
    {.name = "irta",
     .clause = DOC "11.4.10",
     .offset = VTD_IRTA,
     .width = 8,
     .rw = ADDR_PAGE | VTD_IRTA_SIZE},
    {.name = "iva", .clause = DOC "11.4.6.3", .offset = VTD_IVA, .width = 8, .rw = IVA_BITS},
    {.name = "iotlb",
     .clause = DOC "11.4.6.2",
     .offset = VTD_IOTLB,
     .width = 8,
     .rw = VTD_IOTLB_IVT | IOTLB_IIRG | IOTLB_DRAIN | IOTLB_DID,
     .on_write = iotlb_written},
    RECORD(0),
    RECORD(1),
    RECORD(2),
    RECORD(3),
    RECORD(4),
    RECORD(5),
    RECORD(6),
    RECORD(7),
};
_Static_assert(VTD_FAULT_RECORDS == 8, "a row for each");

/* Capability Register, 11.4.2 */
static uint64_t capabilities(const struct vtd_features *f)
{
    uint64_t cap = 6; /* ND: 64K domains */

    cap |= f->protected_memory ? BIT(5) | BIT(6) : 0; /* PLMR, PHMR */
    cap |= f->caching ? BIT(7) : 0;
    for (unsigned levels = 3; 12 + 9 * levels <= f->address_bits; levels++)
        cap |= BIT(8 + levels - 2);                                       /* SAGAW */
    cap |= FIELD_PREP(GENMASK(21, 16), f->address_bits - 1);              /* MGAW */
    cap |= FIELD_PREP(GENMASK(33, 24), VTD_FRCD >> 4);                    /* FRO */
    cap |= f->large_pages ? GENMASK(35, 34) : 0;                          /* SSLPS: 2 MiB, 1 GiB */
    cap |= BIT(39);                                                       /* PSI */
    cap |= FIELD_PREP(GENMASK(47, 40), VTD_FAULT_RECORDS - 1);            /* NFR */
    cap |= FIELD_PREP(GENMASK(53, 48), VTD_MAX_AM);                       /* MAMV */
    cap |= BIT(54) | BIT(55);                                             /* DWD, DRD */
    cap |= f->scalable && f->first_stage && f->large_pages ? BIT(56) : 0; /* FS1GP */
    cap |= f->scalable && f->first_stage && f->address_bits == 57 ? BIT(60) : 0; /* FS5LP */
    cap |= f->interrupt_remapping && f->posted ? BIT(59) : 0;                    /* PI */
    return cap;
}

/* Extended Capability Register, 11.4.3 */
static uint64_t extended_capabilities(const struct vtd_features *f)
{
    uint64_t ecap = BIT(1); /* QI */

    ecap |= f->coherent ? BIT(0) : 0;             /* C */
    ecap |= f->device_tlb ? BIT(2) | BIT(33) : 0; /* DT, NWFS */
    ecap |= f->interrupt_remapping ? BIT(3) : 0;
    ecap |= f->interrupt_remapping && f->x2apic ? BIT(4) : 0;
    ecap |= f->pass_through ? BIT(6) : 0;
    ecap |= f->snoop ? BIT(7) : 0;
    ecap |= FIELD_PREP(GENMASK(17, 8), VTD_IVA >> 4); /* IRO */
    ecap |= FIELD_PREP(GENMASK(23, 20), 15);          /* MHMV */
    if (!f->scalable)
        return ecap;
    ecap |= BIT(43) | (f->coherent ? BIT(48) : 0);                        /* SMTS, SMPWCS */
    ecap |= f->first_stage && f->second_stage && f->nested ? BIT(26) : 0; /* NEST */
    ecap |= FIELD_PREP(GENMASK(39, 35), 19) | BIT(40);                    /* PSS, PASID */
    ecap |= f->second_stage ? BIT(45) | BIT(46) : 0;                      /* SSADS, SSTS */
    ecap |= BIT(49);                                                      /* RPS */
    ecap |= f->first_stage ? BIT(47) | BIT(31) | BIT(34) : 0;             /* FSTS, SRS, EAFS */
    ecap |= f->device_tlb && f->page_requests ? BIT(29) | BIT(42) : 0;    /* PRS, PDS */
    return ecap;
}

void vtd_regs_create(struct vtd *vtd)
{
    uint64_t host = vtd_host_mask(vtd);
    const struct vtd_features *f = &vtd->params.features;

    vtd->regs = reg_space_new(VTD_REGISTER_BYTES, vtd);
    reg_space_place(vtd->regs, 0, vtd_defs, ARRAY_LEN(vtd_defs));
    vtd_pages_place(vtd);
    reg_hwinit(vtd->regs, VTD_CAP, capabilities(f));
    reg_hwinit(vtd->regs, VTD_ECAP, extended_capabilities(f));
    reg_set_rw_mask(vtd->regs, VTD_RTADDR, (ADDR_PAGE & host) | RTADDR_TTM);
    reg_set_rw_mask(vtd->regs, VTD_IQA,
                    (ADDR_PAGE & host) | VTD_IQA_QS | (f->scalable ? VTD_IQA_DW : 0));
    reg_set_rw_mask(vtd->regs, VTD_IRTA,
                    f->interrupt_remapping
                        ? (ADDR_PAGE & host) | VTD_IRTA_SIZE | (f->x2apic ? VTD_IRTA_EIME : 0)
                        : 0);
    if (f->protected_memory) {
        reg_set_rw_mask(vtd->regs, VTD_PHMBASE, PROTECT_BITS & host);
        reg_set_rw_mask(vtd->regs, VTD_PHMLIMIT, PROTECT_BITS & host);
    } else {
        static const uint8_t rows[] = {VTD_PMEN, VTD_PLMBASE, VTD_PLMLIMIT, VTD_PHMBASE,
                                       VTD_PHMLIMIT};

        for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
            reg_set_rw_mask(vtd->regs, rows[i], 0);
    }
    vtd->command_drain = (struct iommu_drain){.drained = commands_drained, .opaque = vtd};
    vtd->protect_drain = (struct iommu_drain){.drained = vtd_protect_drained, .opaque = vtd};
    vtd->context_drain = (struct iommu_drain){.drained = ccmd_done, .opaque = vtd};
    vtd->iotlb_drain = (struct iommu_drain){.drained = iotlb_done, .opaque = vtd};
}
