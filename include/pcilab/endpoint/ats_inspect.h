/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a function tells of its Address Translation Services. */
#ifndef PCILAB_ENDPOINT_ATS_INSPECT_H
#define PCILAB_ENDPOINT_ATS_INSPECT_H

#include "pcilab/base/inspect.h"
#include "pcilab/pci/ats.h"

struct endpoint_ats_question {
    uint64_t addr;
    bool has_pasid, privileged;
    uint32_t pasid;
};

/* The tables that a cache should agree with: what a Translation Request would be answered now; no
 * rights: nothing. Changes nothing. */
struct endpoint_ats_tables {
    void (*look)(void *opaque, const struct endpoint_ats_question *question,
                 struct ats_translation *now);
    void *opaque;
};

/* Does this function, one of an endpoint, have them? */
bool endpoint_has_ats(const struct pci_func *func);
/* Into the current object: the cache, each translation with what the tables say of it (NULL:
 * nobody knows), and requests, invalidations and Page Requests that are outstanding, with ages. */
void endpoint_inspect_ats(const struct pci_func *func, const struct inspect *in,
                          const struct endpoint_ats_tables *tables);

#endif
