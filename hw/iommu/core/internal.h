/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the core. */
#ifndef PCILAB_HW_IOMMU_CORE_INTERNAL_H
#define PCILAB_HW_IOMMU_CORE_INTERNAL_H

#include "pcilab/iommu/core/core.h"

#define DEVICE_SLOTS  1024
#define PROCESS_SLOTS 1024
#define TLB_SETS      1024
#define TLB_WAYS      4
#define UPPER_SLOTS   256 /* of each level */
#define PAGE_SIZES    3
#define NESTED_LISTS  256 /* of translations, by domain */

struct device_slot {
    bool valid;
    uint16_t sid;
    struct iommu_device device;
};

struct process_slot {
    bool valid;
    uint16_t sid;
    uint32_t pasid;
    struct iommu_context context;
};

/* Tags: domain, PASID and what kind of translation. 0 is nobody's. */
#define TAG_VALID  (1ULL << 40)
#define TAG_FIRST  (1ULL << 41)
#define TAG_NESTED (1ULL << 42)
#define TAG_DOMAIN 0xffffULL
#define TAG_PASID  (0xfffffULL << 16)

struct tlb_entry {
    uint64_t tag;
    uint64_t page; /* input address >> shift */
    uint64_t output;
    uint8_t shift;
    uint8_t perms;
    bool dirty;
    bool snoop;
    uint16_t nested_next, nested_prev; /* one more than their index; 0: none */
};

struct tlb_set {
    struct tlb_entry way[TLB_WAYS];
};

/* An upper entry: the table that it leads to. */
struct upper_entry {
    uint64_t tag;
    uint64_t prefix; /* of the input address */
    uint64_t table;
    uint8_t perms;
};

struct iommu_core {
    struct iommu_core_params params;
    struct iommu_stats stats;
    struct device_slot *devices;
    struct process_slot *processes;
    struct tlb_set *tlb;
    uint8_t *victim;                 /* of each set: the way to be displaced next */
    unsigned size_count[PAGE_SIZES]; /* valid entries of 4 KiB, 2 MiB, 1 GiB */
    uint16_t nested[NESTED_LISTS];   /* the first nested translation, one more than its index */
    struct upper_entry (*upper)[UPPER_SLOTS]; /* of levels 2 to PT_LEVELS_MAX */
    uint64_t flushes;

    struct iommu_request *first, *last; /* under way, in order */
    struct iommu_walk *free_walks;
    uint64_t serial;
    struct iommu_drain *drains; /* oldest first */
    struct sim_stream chance;   /* of reads that vary */
    uint64_t vary_ps;           /* 0: they do not */
};

/* What is granted where nothing is translated. */
#define PASS_PERMS 0xf

static inline uint64_t context_tag(const struct iommu_context *context)
{
    uint64_t tag = TAG_VALID | context->domain;

    if (context->kind == IOMMU_FIRST || context->kind == IOMMU_NESTED)
        tag |= TAG_FIRST | (uint64_t)context->pasid << 16;
    return context->kind == IOMMU_NESTED ? tag | TAG_NESTED : tag;
}

/* The second stage's upper entries are the domain's, nested or not. */
static inline uint64_t second_tag(const struct iommu_context *context)
{
    return TAG_VALID | context->domain;
}

static inline bool access_is_plain(const struct iommu_access *access)
{
    return !access->has_pasid && access->at == IOMMU_UNTRANSLATED && !access->page_request &&
           !(access->want & PT_PERM_EXEC);
}

/* cache.c */
void cache_init(struct iommu_core *core);
void cache_fini(struct iommu_core *core);
void cache_clear(struct iommu_core *core);
const struct iommu_device *cache_device(const struct iommu_core *core, uint16_t sid);
void cache_put_device(struct iommu_core *core, uint16_t sid, const struct iommu_device *device);
const struct iommu_context *cache_process(const struct iommu_core *core, uint16_t sid,
                                          uint32_t pasid);
void cache_put_process(struct iommu_core *core, uint16_t sid, uint32_t pasid,
                       const struct iommu_context *context);
const struct tlb_entry *cache_page(const struct iommu_core *core, uint64_t tag, uint64_t addr);
void cache_put_page(struct iommu_core *core, const struct tlb_entry *entry);
/* The lowest upper entry on the way to an address, NULL: none; *level is the entry's. */
const struct upper_entry *cache_upper(const struct iommu_core *core, uint64_t tag, uint64_t addr,
                                      unsigned levels, unsigned *level);
void cache_put_upper(struct iommu_core *core, uint64_t tag, uint64_t addr, unsigned level,
                     uint64_t table, uint8_t perms);

/* walk.c: one request's way through tables and page tables. */
struct trail {
    uint64_t table[PT_LEVELS_MAX + 1]; /* by level: the table that was read there */
    uint8_t perms[PT_LEVELS_MAX + 1];  /* granted above it */
    uint8_t count;
    uint8_t level[PT_LEVELS_MAX];
};

enum walk_stage { WALK_DEVICE, WALK_PROCESS, WALK_TABLES, WALK_INTERRUPT };
enum walk_why { FOR_ENTRY, FOR_UPDATE, FOR_OUTPUT };

struct iommu_walk {
    struct iommu_core *core;
    struct iommu_request *request;
    struct sim_event event;
    uint8_t stage; /* enum walk_stage */
    uint8_t why;   /* of the second stage's walk, enum walk_why */
    bool reading_first;
    bool pure;    /* looks only: no caches, no writes */
    uint8_t want; /* PT_PERM_* that the page tables are asked for */
    uint8_t update_at;
    uint64_t flushes; /* when it began */
    struct iommu_lookup lookup;
    unsigned got_bytes;
    struct pt_walk first, second;
    struct trail first_trail, second_trail;
    struct iommu_fault fault;
    struct tlb_entry result;
    struct iommu_walk *next;
};

enum iommu_step walk_begin(struct iommu_walk *walk);
/* After IOMMU_READ: lookup.data is what was at lookup.read_addr, if lookup.readable. */
enum iommu_step walk_feed(struct iommu_walk *walk);
/* Walks without waiting. */
enum iommu_step walk_run(struct iommu_walk *walk);

#endif
