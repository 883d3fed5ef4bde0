/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VT-d face of the IOMMU: one DMA remapping unit (Intel Virtualization Technology for Directed
 * I/O, Architecture Specification, revision 4.1; "VT-d" in comments).
 */
#ifndef PCILAB_IOMMU_REGS_VTD_H
#define PCILAB_IOMMU_REGS_VTD_H

#include "pcilab/base/inspect.h"
#include "pcilab/iommu/core/core.h"

#define VTD_REGISTER_BYTES 4096

struct vtd;

/* What the unit can do; what is off is not advertised and its use is a fault. */
struct vtd_features {
    uint8_t address_bits; /* of the second stage: 39, 48 or 57; 57: first stages of 5 levels too */
    bool scalable;        /* scalable mode */
    bool first_stage, second_stage, nested; /* in scalable mode */
    bool pass_through;
    bool interrupt_remapping;
    bool x2apic; /* extended interrupt mode */
    bool snoop;  /* snoop control */
    bool large_pages;
    bool protected_memory; /* Protected Memory Regions */
    bool posted;           /* posted interrupts, with interrupt remapping */
    bool coherent;         /* table walks snoop the processors' caches */
    bool device_tlb;       /* Address Translation Services */
    bool page_requests;    /* the Page Request queue, in scalable mode with device TLBs */
    bool caching;          /* caching mode is said to be in use */
};

/* An invalidation for a device's translation cache. */
struct vtd_device_tlb {
    uint16_t sid;
    bool has_pasid;
    bool global; /* of all PASIDs */
    uint8_t itag;
    uint8_t shift; /* the range at `addr`: 12 for 4 KiB, 64 for everything */
    uint32_t pasid;
    uint64_t addr;
};

/* A Page Request, and the answer to its group (PCIe Base 6.0, 10.4). */
struct vtd_page_request {
    uint16_t sid;
    bool has_pasid, privileged, execute; /* the latter two of a PASID */
    bool last, write, read;              /* last of them alone: a Stop Marker */
    uint16_t group;
    uint32_t pasid;
    uint64_t addr;
};

struct vtd_page_response {
    uint16_t sid;
    bool has_pasid;
    uint8_t code;
    uint16_t group;
    uint32_t pasid;
};

struct vtd_params {
    const char *name;
    struct sim *sim;
    struct trace *trace;
    struct vtd_features features;
    uint8_t host_bits;          /* width of host addresses */
    struct iommu_memory memory; /* snooped: queues and what is written as messages */
    struct iommu_memory tables; /* without coherent: as the tables are read */
    /* The unit's own interrupts: a message as written, not remapped. */
    void (*event)(void *opaque, uint64_t addr, uint32_t data);
    /* Sends an Invalidate Request; vtd_device_tlb_done() follows, or a timeout does. */
    void (*device_tlb)(void *opaque, const struct vtd_device_tlb *what);
    /* Sends a PRG Response. */
    void (*page_response)(void *opaque, const struct vtd_page_response *what);
    void *opaque;
    uint64_t device_tlb_timeout_ps;
    uint64_t read_latency_ps;
    bool find_stale;
};

struct vtd *vtd_new(const struct vtd_params *params);
void vtd_free(struct vtd *vtd);
void vtd_reset(struct vtd *vtd);
/* From now on each descriptor of the invalidation queue takes `each_ps` before it is fetched, and
 * none is for the next `stall_ps`. Zeros: as before. Resets change nothing about it. */
void vtd_queue_slow(struct vtd *vtd, uint64_t each_ps, uint64_t stall_ps);
/* Registers: 4 or 8 bytes, aligned (VT-d 11.2). */
uint64_t vtd_read(struct vtd *vtd, unsigned offset, unsigned size);
void vtd_write(struct vtd *vtd, unsigned offset, unsigned size, uint64_t value);
/* A request from below; answered by its done(). Interrupt messages are told apart by the access. */
void vtd_submit(struct vtd *vtd, struct iommu_request *request);
/* As iommu_submit_hits(), for untranslated requests. */
bool vtd_submit_hits(struct vtd *vtd, struct iommu_request *request, unsigned times);
/* An Invalidate Completion: one of `count` for each of these ITags. */
void vtd_device_tlb_done(struct vtd *vtd, uint16_t sid, uint32_t itags, unsigned count);
/* A Page Request of a function; it is answered once, now or later, if it is the last of its group.
 * A unit without page_requests leaves it alone. */
void vtd_page_request(struct vtd *vtd, const struct vtd_page_request *what);
bool vtd_takes_page_requests(const struct vtd *vtd);
struct iommu_core *vtd_core(struct vtd *vtd);
/* Into the current object: registers, queue, fault records, tables, domains, interrupt entries. */
void vtd_inspect(struct vtd *vtd, const struct inspect *in);
/* What a Translation Request would be answered now; false: nothing. */
bool vtd_look(struct vtd *vtd, const struct iommu_access *access, struct iommu_request *answer);
/* ... an access, step by step. */
void vtd_inspect_walk(struct vtd *vtd, const struct inspect *in, const struct iommu_access *access);

#endif
