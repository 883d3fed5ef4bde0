/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An IOMMU that knows no vendor. A request names its requester and perhaps a PASID; the device
 * table's entry of the requester, and where there is one the process table's entry of the PASID,
 * lead to a context: a domain and how its addresses are translated, by a first stage, a second
 * stage, both, or not at all. Translations, device entries, contexts and upper levels of page
 * tables are cached; what is cached is used until it is invalidated or displaced, whatever memory
 * says by then.
 *
 * A face may also keep the translations of a domain itself (IOMMU_MAPPED): it is asked where a page
 * table would be walked, and what it says is cached like a walk's result.
 *
 * A face gives the tables their format (struct iommu_face_ops). It reads memory as a page walk
 * does: it says what it wants and is called again with that, so that each read may take time.
 *
 * With a read latency of 0 a request is answered inside iommu_submit(); otherwise each read of
 * memory is an event of its own and several requests walk at once. Answers leave in the order of
 * the requests, so that nothing overtakes.
 */
#ifndef PCILAB_IOMMU_CORE_CORE_H
#define PCILAB_IOMMU_CORE_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "pcilab/iommu/pt/pt.h"
#include "pcilab/sim/sim.h"
#include "pcilab/trace/trace.h"

/* Address types of requests (PCIe Base 6.0, 10.2.1). */
enum iommu_at { IOMMU_UNTRANSLATED, IOMMU_TRANSLATION_REQUEST, IOMMU_TRANSLATED };

struct iommu_access {
    uint64_t addr;
    uint16_t sid; /* requester ID */
    bool has_pasid;
    bool privileged;
    bool interrupt;    /* an interrupt message: data is its payload */
    bool page_request; /* asks for a page: only the device table is looked at */
    bool no_write;     /* a Translation Request that does not ask for writes */
    uint8_t want;      /* PT_PERM_*; of Translation Requests none: they ask what there is */
    uint8_t at;        /* enum iommu_at */
    uint32_t pasid;
    uint32_t data;
};

enum iommu_kind {
    IOMMU_PASS,
    IOMMU_FIRST,
    IOMMU_SECOND,
    IOMMU_NESTED,
    IOMMU_MAPPED, /* the face's translate() knows */
};

/* How the addresses of a device or of one of its processes are translated. */
struct iommu_context {
    uint8_t kind; /* enum iommu_kind */
    bool fault_disabled;
    bool snoop;      /* every access snoops */
    bool supervisor; /* takes privileged requests of processes */
    bool read_only;  /* walks set no bits in entries: that one would have to be set is a fault */
    uint16_t domain;
    uint32_t pasid; /* tag of first-stage translations */
    uint64_t limit; /* highest input address; first stages have their own rule */
    struct pt_config first, second;
};

/* What the device table says of a requester. */
struct iommu_device {
    bool fault_disabled;
    bool has_context;   /* no process table: this is all there is */
    bool device_tlb;    /* may ask for translations and use them */
    bool page_requests; /* ... and for pages */
    struct iommu_context context;
    bool pasid_allowed;
    bool default_privileged; /* requests without PASID */
    uint32_t default_pasid;  /* of requests without one */
    uint32_t pasid_end;
    uint64_t process_table;
    uint64_t format; /* the face's own */
};

/* An interrupt message after remapping. */
struct iommu_interrupt {
    uint32_t dest;
    bool compatible; /* not remapped: the message stands as it was written */
    bool silent;     /* posted to memory, and nobody is to be told */
    bool wide;       /* dest has 32 bits: x2APIC */
    bool logical;
    bool level;
    bool redirect; /* lowest priority hint */
    uint8_t mode, vector;
};

/* What a face's translate() found: the page around the address, mapped as a whole. */
struct iommu_mapping {
    uint64_t page; /* where it leads: the address of the page's first byte */
    uint8_t shift; /* 12, 21 or 30 */
    uint8_t perms; /* PT_PERM_* */
};

/* Where a fault happened. */
enum iommu_place {
    IOMMU_AT_TABLES,    /* device and process tables, mappings, interrupts: `code` is the face's */
    IOMMU_AT_FIRST,     /* in the first stage */
    IOMMU_AT_SECOND,    /* in the second stage, of the address itself */
    IOMMU_AT_ENTRY,     /* in the second stage, of a first-stage entry that is read ... */
    IOMMU_AT_ENTRY_SET, /* ... or whose access or dirty bit is set */
    IOMMU_AT_INPUT,     /* the address is beyond the context's limit */
    IOMMU_AT_OUTPUT,    /* the result may not be used */
    IOMMU_AT_PROTECTED, /* pass_allowed() said no */
    /* An access or dirty bit is to be set, and the context says read_only. */
    IOMMU_AT_FIRST_BITS,
    IOMMU_AT_SECOND_BITS,
    IOMMU_AT_COUNT
};

struct iommu_fault {
    struct iommu_access access;
    uint8_t place; /* enum iommu_place */
    uint8_t cause; /* enum pt_cause */
    uint8_t level;
    bool top;       /* the entry that faulted is of the root table */
    bool first_top; /* IOMMU_AT_ENTRY: the first-stage entry is of its root table */
    bool disabled;  /* the tables say that nobody wants to know */
    uint8_t kind;   /* enum iommu_kind of the context */
    uint16_t code;
    uint64_t format; /* of the device entry */
    uint32_t index;  /* of interrupts: in their table */
};

enum iommu_step { IOMMU_READ, IOMMU_OK, IOMMU_FAULT };

/* A look into tables, face and core taking turns. */
struct iommu_lookup {
    const struct iommu_access *access;
    unsigned turn;       /* 0 at first, then counted up */
    uint64_t read_addr;  /* wanted */
    unsigned read_bytes; /* up to 64 */
    bool readable;       /* what came back */
    uint8_t data[64];
    struct iommu_device device; /* results */
    uint32_t pasid;             /* that the process table is asked for; interrupts: their index */
    struct iommu_context context;
    struct iommu_mapping mapping;
    struct iommu_interrupt interrupt;
    uint16_t code; /* IOMMU_FAULT: the face's reason */
    bool fault_disabled;
    bool uncached; /* the face's own caches are to be left alone */
};

/* A name, and what there is to say. */
struct iommu_words {
    const char *name;
    char text[160];
};

struct iommu_face_ops {
    enum iommu_step (*device)(void *face, struct iommu_lookup *lookup);
    enum iommu_step (*process)(void *face, struct iommu_lookup *lookup);
    enum iommu_step (*interrupt)(void *face, struct iommu_lookup *lookup);
    /* IOMMU_MAPPED: the translation of lookup->access in lookup->context's domain, at once:
     * IOMMU_OK with a mapping that grants what is wanted, or IOMMU_FAULT. */
    enum iommu_step (*translate)(void *face, struct iommu_lookup *lookup);
    void (*fault)(void *face, const struct iommu_fault *fault);
    /* May this access be made with such an entry (and context, when it is known)? Asked for every
     * access that is out of the ordinary: with a PASID, privileged, executing, or translated
     * already. Refused: with the face's reason in *code. */
    bool (*admit)(void *face, const struct iommu_access *access, const struct iommu_device *device,
                  const struct iommu_context *context, uint16_t *code);
    /* A Translation or Page Request that comes to such a fault: aborted, rather than not supported?
     */
    bool (*aborts)(void *face, const struct iommu_fault *fault);
    /* May a translation lead here? NULL: everywhere. */
    bool (*output_allowed)(void *face, uint64_t addr);
    /* May a request in pass-through go there? NULL: everywhere. */
    bool (*pass_allowed)(void *face, uint64_t addr);
    /* For people; both may be NULL. What is read in `lookup` now, before the face is called with
     * it: an entry of the device table, or of the process table. */
    void (*explain)(void *face, const struct iommu_lookup *lookup, bool process,
                    struct iommu_words *words);
    /* ... and how the face would tell of this fault: its code, and what that means. */
    void (*explain_fault)(void *face, const struct iommu_fault *fault, struct iommu_words *words);
};

/* Memory as the IOMMU reaches it. Reads and writes are naturally aligned pieces of up to 64 bytes,
 * each at once; false: no memory there. */
struct iommu_memory {
    bool (*read)(void *opaque, uint64_t addr, void *data, unsigned len);
    bool (*write)(void *opaque, uint64_t addr, const void *data, unsigned len);
    void *opaque;
};

struct iommu_core_params {
    const char *name;
    struct sim *sim;
    struct trace *trace;
    const struct iommu_face_ops *ops;
    void *face;
    struct iommu_memory memory;
    uint64_t read_latency_ps; /* 0: functional */
    bool find_stale;          /* walk on every hit as well, and tell when memory says otherwise */
};

struct iommu_core;
struct iommu_walk;

enum iommu_status {
    IOMMU_TRANSLATED_OK,
    IOMMU_FAULTED,
    IOMMU_ABANDONED, /* by a reset */
};

/* Owned by the caller from submission to done(). */
struct iommu_request {
    struct iommu_access access;
    /* The answer. */
    uint64_t addr;
    bool snoop;
    bool abort; /* of a Translation or Page Request that faulted */
    /* Of Translation Requests: how far around `addr` it holds, and what is granted to this
     * requester, which may be nothing. */
    uint8_t shift;
    uint8_t perms; /* PT_PERM_READ, _WRITE, _EXEC */
    struct iommu_interrupt interrupt;
    void (*done)(struct iommu_request *request, enum iommu_status status);
    void *opaque;
    /* Private. */
    struct iommu_request *next;
    struct iommu_walk *walk;
    uint64_t serial;
    bool finished;
    enum iommu_status status;
};

struct iommu_stats {
    uint64_t hits, misses, reads, faults, stale;
};

struct iommu_core *iommu_core_new(const struct iommu_core_params *params);
void iommu_core_free(struct iommu_core *core);
/* Each read of a walk takes up to so much longer, as the seed says; answers stay in order. False:
 * reads take no time here. */
bool iommu_core_vary(struct iommu_core *core, uint64_t vary_ps);
/* Caches are empty, requests under way are IOMMU_ABANDONED. */
void iommu_core_reset(struct iommu_core *core);
void iommu_submit(struct iommu_core *core, struct iommu_request *request);
/* `times` equal requests, none of them an interrupt, if the caches answer them at once: the answer
 * without a call of done(). Otherwise false, and nothing has happened. */
bool iommu_submit_hits(struct iommu_core *core, struct iommu_request *request, unsigned times);
const struct iommu_stats *iommu_core_stats(const struct iommu_core *core);

/* Embedded in whoever waits; `pending` tells whether it still does. */
struct iommu_drain {
    void (*drained)(void *opaque);
    void *opaque;
    bool pending;
    uint64_t serial; /* private */
    struct iommu_drain *next;
};

/* Calls back when every request that is under way now has been answered; at once when there is
 * none. A reset forgets it. */
void iommu_drain(struct iommu_core *core, struct iommu_drain *drain);

/*
 * Invalidations. A walk that is under way when one comes uses what it has read but leaves nothing
 * in the caches.
 */
void iommu_flush_devices(struct iommu_core *core);
void iommu_flush_devices_of_domain(struct iommu_core *core, uint16_t domain);
/* Requesters that equal `sid` but for the bits of `ignore`. */
void iommu_flush_device(struct iommu_core *core, uint16_t sid, uint16_t ignore);
void iommu_flush_contexts(struct iommu_core *core);
void iommu_flush_contexts_of_domain(struct iommu_core *core, uint16_t domain);
void iommu_flush_context(struct iommu_core *core, uint16_t domain, uint32_t pasid);
void iommu_flush_pages(struct iommu_core *core);
void iommu_flush_pages_of_domain(struct iommu_core *core, uint16_t domain);
void iommu_flush_pages_of_pasid(struct iommu_core *core, uint16_t domain, uint32_t pasid);
/* 2^order pages of 4 KiB at addr. `leaves_only`: upper levels are unchanged. The second stage's;
 * with it everything nested of the domain, whose addresses cannot be told. */
void iommu_flush_second(struct iommu_core *core, uint16_t domain, uint64_t addr, unsigned order,
                        bool leaves_only);
/* As iommu_flush_second() of leaves, from byte `first` to byte `last`. */
void iommu_flush_span(struct iommu_core *core, uint16_t domain, uint64_t first, uint64_t last);
void iommu_flush_first(struct iommu_core *core, uint16_t domain, uint32_t pasid, uint64_t addr,
                       unsigned order, bool leaves_only);
/* The page, and what leads to it, as this access finds it. */
void iommu_flush_page_of(struct iommu_core *core, const struct iommu_access *access);

#endif
