/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An Address Translation Cache (PCIe Base 6.0, 10.1.1): translations as the Translation Agent gave
 * them, until it takes them back. It sends nothing; ats.c does.
 */
#ifndef PCILAB_HW_ENDPOINT_ATC_H
#define PCILAB_HW_ENDPOINT_ATC_H

#include "pcilab/pci/ats.h"

/* Whose addresses: of the function itself, or of one of its processes. Privileged accesses have
 * translations of their own (10.2.3.2). */
struct atc_space {
    bool has_pasid, privileged;
    uint32_t pasid;
};

struct atc_entry {
    bool valid;
    bool no_write;  /* asked for with NW: that W is clear means nothing */
    uint8_t shift;  /* of the untranslated range */
    uint64_t first; /* ... and its first address */
    struct atc_space space;
    struct ats_translation to;
};

struct atc;

/* `entries`: rounded up to a power of two of at least 4. */
struct atc *atc_new(unsigned entries);
void atc_free(struct atc *atc);
void atc_clear(struct atc *atc);
/* The translation of an address; valid until the cache is changed. NULL: none. */
const struct atc_entry *atc_find(const struct atc *atc, const struct atc_space *space,
                                 uint64_t addr);
/* Keeps a translation to be found at `addr`, which is in its range. */
void atc_put(struct atc *atc, uint64_t addr, const struct atc_entry *entry);
/* Whether an invalidation, which has `pasid` as its prefix or NULL, is for an address range of a
 * space. */
bool atc_concerns(const struct ats_invalidation *invalidation, const struct tlp_pasid *pasid,
                  const struct atc_space *space, uint64_t first, unsigned shift);
/* Every translation. */
void atc_visit(const struct atc *atc, void (*visit)(void *opaque, const struct atc_entry *entry),
               void *opaque);
/* Returns how many translations went. */
unsigned atc_invalidate(struct atc *atc, const struct ats_invalidation *invalidation,
                        const struct tlp_pasid *pasid);

#endif
