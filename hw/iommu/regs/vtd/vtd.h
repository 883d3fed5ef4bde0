/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the VT-d face. Clauses are of Intel VT-d 4.1. */
#ifndef PCILAB_HW_IOMMU_REGS_VTD_VTD_H
#define PCILAB_HW_IOMMU_REGS_VTD_VTD_H

#include "pcilab/base/bits.h"
#include "pcilab/base/inspect.h"
#include "pcilab/iommu/regs/vtd.h"
#include "pcilab/reg/reg.h"

/* Registers, 11.4. CHOICE: fault records at 0x200, the IOTLB registers at 0x100. */
enum {
    VTD_VER = 0x00,
    VTD_CAP = 0x08,
    VTD_ECAP = 0x10,
    VTD_GCMD = 0x18,
    VTD_GSTS = 0x1c,
    VTD_RTADDR = 0x20,
    VTD_CCMD = 0x28,
    VTD_FSTS = 0x34,
    VTD_FECTL = 0x38,
    VTD_FEDATA = 0x3c,
    VTD_FEADDR = 0x40,
    VTD_FEUADDR = 0x44,
    VTD_PMEN = 0x64,
    VTD_PLMBASE = 0x68,
    VTD_PLMLIMIT = 0x6c,
    VTD_PHMBASE = 0x70,
    VTD_PHMLIMIT = 0x78,
    VTD_IQH = 0x80,
    VTD_IQT = 0x88,
    VTD_IQA = 0x90,
    VTD_ICS = 0x9c,
    VTD_IECTL = 0xa0,
    VTD_IEDATA = 0xa4,
    VTD_IEADDR = 0xa8,
    VTD_IEUADDR = 0xac,
    VTD_IQERCD = 0xb0,
    VTD_IRTA = 0xb8,
    VTD_PQH = 0xc0,
    VTD_PQT = 0xc8,
    VTD_PQA = 0xd0,
    VTD_PRS = 0xdc,
    VTD_PECTL = 0xe0,
    VTD_PEDATA = 0xe4,
    VTD_PEADDR = 0xe8,
    VTD_PEUADDR = 0xec,
    VTD_IVA = 0x100,
    VTD_IOTLB = 0x108,
    VTD_FRCD = 0x200,
};

#define VTD_FAULT_RECORDS 8
#define VTD_PROTECT_SHIFT 21 /* protected regions begin and end at multiples of 2 MiB */
#define VTD_MAX_AM        52 /* address mask of page invalidations */

/* Global commands and their status, 11.4.4 */
#define VTD_G_TE    BIT(31)
#define VTD_G_SRTP  BIT(30)
#define VTD_G_WBF   BIT(27)
#define VTD_G_QIE   BIT(26)
#define VTD_G_IRE   BIT(25)
#define VTD_G_SIRTP BIT(24)
#define VTD_G_CFI   BIT(23)

#define VTD_FSTS_PFO  BIT(0)
#define VTD_FSTS_PPF  BIT(1)
#define VTD_FSTS_IQE  BIT(4)
#define VTD_FSTS_ICE  BIT(5)
#define VTD_FSTS_ITE  BIT(6)
#define VTD_FSTS_FRI  GENMASK(15, 8)
#define VTD_EVENT_IM  BIT(31)
#define VTD_EVENT_IP  BIT(30)
#define VTD_PMEN_EPM  BIT(31)
#define VTD_PMEN_PRS  BIT(0)
#define VTD_ICS_IWC   BIT(0)
#define VTD_IQA_DW    BIT(11)
#define VTD_IQA_QS    GENMASK(2, 0)
#define VTD_IRTA_EIME BIT(11)
#define VTD_IRTA_SIZE GENMASK(3, 0)
#define VTD_CCMD_ICC  BIT(63)
#define VTD_IOTLB_IVT BIT(63)

/* Translation table modes, 11.4.5 */
enum { VTD_TTM_LEGACY = 0, VTD_TTM_SCALABLE = 1, VTD_TTM_RESERVED = 2, VTD_TTM_ABORT = 3 };

/* Fault reasons, 7.1.3 and table 25; where the face itself finds them. */
enum {
    VTD_FR_ROOT_ABSENT = 0x01,
    VTD_FR_CONTEXT_ABSENT = 0x02,
    VTD_FR_CONTEXT_INVALID = 0x03,
    VTD_FR_BEYOND_WIDTH = 0x04,
    VTD_FR_WRITE = 0x05,
    VTD_FR_READ = 0x06,
    VTD_FR_NEXT_TABLE = 0x07,
    VTD_FR_ROOT_UNREADABLE = 0x08,
    VTD_FR_CONTEXT_UNREADABLE = 0x09,
    VTD_FR_ROOT_RESERVED = 0x0a,
    VTD_FR_CONTEXT_RESERVED = 0x0b,
    VTD_FR_ENTRY_RESERVED = 0x0c,
    VTD_FR_TYPE_BLOCKED = 0x0d,
    VTD_FR_OUTPUT = 0x0e,

    VTD_FR_IR_REQUEST = 0x20,
    VTD_FR_IR_INDEX = 0x21,
    VTD_FR_IR_ABSENT = 0x22,
    VTD_FR_IR_UNREADABLE = 0x23,
    VTD_FR_IR_RESERVED = 0x24,
    VTD_FR_IR_COMPATIBLE = 0x25,
    VTD_FR_IR_SOURCE = 0x26,
    VTD_FR_IR_PID_UNREADABLE = 0x27,
    VTD_FR_IR_PID_RESERVED = 0x28,

    VTD_FR_SM_ROOT_TABLE = 0x30, /* mode reserved or aborting */
    VTD_FR_SM_LEGACY_PASID = 0x31,
    VTD_FR_SM_LEGACY_PAGE_REQUEST = 0x32,
    VTD_FR_SM_ROOT_UNREADABLE = 0x38,
    VTD_FR_SM_ROOT_ABSENT = 0x39,
    VTD_FR_SM_ROOT_RESERVED = 0x3a,
    VTD_FR_SM_CONTEXT_UNREADABLE = 0x40,
    VTD_FR_SM_CONTEXT_ABSENT = 0x41,
    VTD_FR_SM_CONTEXT_RESERVED = 0x42,
    VTD_FR_SM_NO_DEVICE_TLB = 0x44,
    VTD_FR_SM_PASID_DISABLED = 0x45,
    VTD_FR_SM_PASID_LARGE = 0x46,
    VTD_FR_SM_NO_PAGE_REQUESTS = 0x47,
    VTD_FR_SM_RID_PASID = 0x48,
    VTD_FR_SM_DIRECTORY_UNREADABLE = 0x50,
    VTD_FR_SM_DIRECTORY_ABSENT = 0x51,
    VTD_FR_SM_DIRECTORY_RESERVED = 0x52,
    VTD_FR_SM_PASID_UNREADABLE = 0x58,
    VTD_FR_SM_PASID_ABSENT = 0x59,
    VTD_FR_SM_PASID_RESERVED = 0x5a,
    VTD_FR_SM_PASID_INVALID = 0x5b,
    VTD_FR_SM_EXECUTE = 0x5c,
    VTD_FR_SM_SUPERVISOR = 0x5d,

    VTD_FR_FS_UNREADABLE = 0x70,
    VTD_FR_FS_ABSENT = 0x71,
    VTD_FR_FS_RESERVED = 0x72,
    VTD_FR_FS_ROOT_UNREADABLE = 0x73,
    VTD_FR_FS_ENTRY_BEYOND = 0x74,
    VTD_FR_FS_ROOT_READ = 0x75,
    VTD_FR_FS_ENTRY_READ = 0x76,
    VTD_FR_FS_ENTRY_WRITE = 0x77,
    VTD_FR_SS_UNREADABLE = 0x78,
    VTD_FR_SS_ABSENT = 0x79,
    VTD_FR_SS_RESERVED = 0x7a,
    VTD_FR_SS_ROOT_UNREADABLE = 0x7b,
    VTD_FR_SS_BITS = 0x7c,
    VTD_FR_NOT_CANONICAL = 0x80,
    VTD_FR_USER = 0x81,
    VTD_FR_NO_EXECUTE = 0x82,
    VTD_FR_BEYOND_HOST = 0x83,
    VTD_FR_SS_BEYOND = 0x84,
    VTD_FR_SM_WRITE = 0x85,
    VTD_FR_SM_READ = 0x86,
    VTD_FR_SM_OUTPUT = 0x87,
    VTD_FR_FS_BITS = 0x90,
};

#define IRTE_SLOTS           256
#define VTD_DESCRIPTOR_BYTES 32 /* of the wider ones */

struct irte_slot {
    bool valid;
    uint16_t index;
    uint64_t low, high;
};

#define VTD_ITAGS 32

/* A device-TLB invalidation that is not answered yet, by ITag. */
struct vtd_outstanding {
    bool busy;
    uint16_t sid;
    unsigned got; /* completions */
    uint64_t due_ps;
};

/* A Protected Memory Region; empty when last < first. */
struct vtd_region {
    uint64_t first, last;
};

struct vtd {
    struct vtd_params params;
    char *name;
    struct reg_space *regs;
    struct iommu_core *core;
    uint64_t cap, ecap;

    /* Latched by Set Root Table Pointer and Set Interrupt Remap Table Pointer. */
    uint64_t root;
    uint8_t ttm;
    uint64_t irt;
    uint32_t irt_entries;
    bool irt_extended;

    unsigned next_record; /* fault record that is written next */
    struct irte_slot irte[IRTE_SLOTS];
    uint64_t irte_flushes;

    /* Global commands act at once on what comes from now on; their status changes when all that
     * came before has been answered. */
    uint64_t states; /* VTD_G_TE, QIE, IRE, CFI as they act */
    uint64_t once;   /* VTD_G_SRTP, SIRTP whose status is due */
    bool commands_again;
    struct iommu_drain command_drain;

    struct vtd_region region[2]; /* protected; while EPM is set */
    bool protecting;
    bool protect_again;
    struct iommu_drain protect_drain;

    bool queue_running;
    bool queue_drain_done; /* for the wait at the head */
    struct iommu_drain queue_drain, context_drain, iotlb_drain;
    /* The descriptor at the head, as far as it has been fetched. */
    uint8_t fetched[VTD_DESCRIPTOR_BYTES];
    unsigned fetched_bytes;
    bool fetch_failed;
    struct sim_event fetch;
    /* vtd_queue_slow(): by order of whoever makes faults. */
    uint64_t slow_each_ps, stalled_until_ps;
    struct sim_event slow;
    bool slow_over; /* for the descriptor at the head */

    struct vtd_outstanding outstanding[VTD_ITAGS];
    unsigned outstanding_count;
    struct sim_event device_tlb_timer;

    struct vtd_page *free_pages;
    struct {
        uint64_t received, overflowed, refused, responses;
    } page_counts;
};

static inline bool vtd_is(const struct vtd *vtd, uint64_t state)
{
    return (vtd->states & state) != 0;
}

static inline bool vtd_flawed(const struct vtd *vtd, enum flaw flaw)
{
    return flaw_on(&vtd->params.sim->flaws, flaw);
}

static inline uint64_t vtd_host_mask(const struct vtd *vtd)
{
    return low_mask(vtd->params.host_bits);
}

/* regs.c */
void vtd_regs_create(struct vtd *vtd);

/* tables.c */
enum iommu_step vtd_device(void *face, struct iommu_lookup *lookup);
enum iommu_step vtd_process(void *face, struct iommu_lookup *lookup);
bool vtd_admit(void *face, const struct iommu_access *access, const struct iommu_device *device,
               const struct iommu_context *context, uint16_t *code);

/* interrupt.c */
enum iommu_step vtd_interrupt(void *face, struct iommu_lookup *lookup);
/* 2^order entries at index. */
void vtd_flush_interrupts(struct vtd *vtd, unsigned index, unsigned order);

/* posted.c: an entry in posted format. */
bool vtd_posted_reserved(uint64_t low, uint64_t high);
/* Returns the reason of a fault, 0 when it is posted. look: as if, and nothing is changed. */
uint16_t vtd_post(struct vtd *vtd, uint64_t low, uint64_t high, bool look,
                  struct iommu_interrupt *interrupt);

/* protect.c */
void vtd_protect_written(struct vtd *vtd);
void vtd_protect_drained(void *opaque);
/* May a request that nobody translates go there? */
bool vtd_unprotected(void *face, uint64_t addr);
/* Tells the trace of an access there. */
void vtd_say_protected(struct vtd *vtd, uint64_t addr);

/* inspect*.c: in words, for people */
const char *vtd_reason(unsigned code);
void vtd_explain(void *face, const struct iommu_lookup *lookup, bool process,
                 struct iommu_words *words);
void vtd_explain_fault(void *face, const struct iommu_fault *fault, struct iommu_words *words);
void vtd_inspect_tables(struct vtd *vtd, const struct inspect *in);
void vtd_inspect_device_tlbs(const struct vtd *vtd, const struct inspect *in);
void vtd_inspect_pages(const struct vtd *vtd, const struct inspect *in);
void vtd_inspect_interrupts(struct vtd *vtd, const struct inspect *in);

/* device_tlb.c */
/* May another invalidation be sent to the device, of which `pending_max` (0: any number) may be
 * out? */
bool vtd_device_tlb_room(struct vtd *vtd, uint16_t sid, unsigned pending_max);
/* Gives it an ITag and sends it. */
void vtd_device_tlb_send(struct vtd *vtd, struct vtd_device_tlb *what);
void vtd_device_tlb_timer(void *opaque);
void vtd_device_tlb_reset(struct vtd *vtd);

/* page_request.c */
void vtd_pages_place(struct vtd *vtd);
void vtd_pages_free(struct vtd *vtd);
void vtd_page_group_response(struct vtd *vtd, const struct vtd_page_response *response);

/* fault.c */
unsigned vtd_fault_code(const struct iommu_fault *fault);
bool vtd_aborts(void *face, const struct iommu_fault *fault);
void vtd_fault(void *face, const struct iommu_fault *fault);
/* FRCD, FSTS or FECTL were written. */
void vtd_faults_written(struct vtd *vtd);
/* An error that Fault Status tells of. */
void vtd_fault_status(struct vtd *vtd, uint64_t bit);
/* An event that may interrupt: a control register with IM and IP, data and address behind it. */
void vtd_event_raise(struct vtd *vtd, unsigned control);
void vtd_event_unmasked(struct vtd *vtd, unsigned control);

/* queue.c */
void vtd_queue_run(struct vtd *vtd);
/* A wait at the head of the queue ends without its status. */
void vtd_queue_abort_wait(struct vtd *vtd);
/* The event of `fetch`: the next piece of a descriptor has arrived. */
void vtd_queue_fetched(void *opaque);
void vtd_queue_slow_over(void *opaque);
/* Forgets what has been fetched. */
void vtd_queue_forget(struct vtd *vtd);
/* Granularities of both interfaces: 1 all, 2 domain, 3 device or pages. */
bool vtd_invalidate_context(struct vtd *vtd, unsigned granularity, uint16_t domain, uint16_t sid,
                            unsigned function_mask);
bool vtd_invalidate_iotlb(struct vtd *vtd, unsigned granularity, uint16_t domain, uint64_t page);

#endif
