/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address Translation Services, the Page Request Interface and Process Address Space IDs: the
 * capabilities of a function, and what their TLPs carry (PCIe Base 6.0, chapter 10, 6.20, 7.8.9).
 */
#ifndef PCILAB_PCI_ATS_H
#define PCILAB_PCI_ATS_H

#include "pcilab/pci/function.h"

struct pci_ats_params {
    uint8_t queue_depth; /* invalidations that the function takes at once: 1 to 32 */
    bool global;         /* invalidations of all PASIDs; of a function that has PASID */
    bool relaxed;        /* Translation Requests may have Relaxed Ordering */
};

/* A function's own, Virtual Functions included. Translation requests are always page aligned, and
 * the capability says so. */
void pci_cap_ats_add(struct pci_func *func, const struct pci_ats_params *params);
bool pci_ats_enabled(const struct pci_func *func);
bool pci_ats_relaxed(const struct pci_func *func);
/* The Smallest Translation Unit, 12 for 4 KiB; a VF's is its PF's. */
unsigned pci_ats_unit_shift(const struct pci_func *func);
/* Page Aligned Request is clear from now on. */
void pci_ats_set_not_aligned(struct pci_func *func);

struct pci_pasid_params {
    uint8_t width; /* bits, 1 to 20 */
    bool execute, privileged;
};

/* Of Physical Functions, whose VFs share it (9.3.7), and of functions without any. */
void pci_cap_pasid_add(struct pci_func *func, const struct pci_pasid_params *params);
/* May the function send this? */
bool pci_pasid_allowed(const struct pci_func *func, const struct tlp_pasid *pasid);

/* As PASID: shared by VFs. `capacity`: Outstanding Page Request Capacity. Responses carry the
 * PASID of their requests. */
void pci_cap_pri_add(struct pci_func *func, uint32_t capacity);
bool pci_pri_present(const struct pci_func *func);
bool pci_pri_enabled(const struct pci_func *func);
/* PRG Response PASID Required; and to be clear from now on. */
bool pci_pri_response_pasid(const struct pci_func *func);
void pci_pri_set_no_response_pasid(struct pci_func *func);
uint32_t pci_pri_allocation(const struct pci_func *func);
/* Status bits (PCI_PRI_STATUS_*). A Response Failure disables the interface (10.4.2.1). */
void pci_pri_note(struct pci_func *func, uint16_t bits);
/* Software has reset the interface since this was asked last: outstanding requests are forgotten.
 */
bool pci_pri_take_reset(struct pci_func *func);
/* Whether requests are outstanding, for Stopped. */
void pci_pri_set_busy(struct pci_func *func, bool busy);

/* One entry of a Translation Completion (10.2.3.2). */
#define ATS_ENTRY_BYTES 8

struct ats_translation {
    uint64_t addr; /* translated, first byte of the range */
    uint8_t shift; /* the range: 12 for 4 KiB */
    bool read, write, execute, privileged, global;
    bool no_snoop;     /* N: accesses may not have No Snoop */
    bool untranslated; /* U: only untranslated requests may go there */
};

void ats_encode_translation(const struct ats_translation *entry, uint8_t out[ATS_ENTRY_BYTES]);
void ats_decode_translation(const uint8_t in[ATS_ENTRY_BYTES], struct ats_translation *entry);

/* An Invalidate Request (10.3.1), without its PASID prefix. */
struct ats_invalidation {
    uint64_t addr;
    uint8_t shift; /* 64: everything */
    uint8_t itag;  /* 0 to 31 */
    bool global;   /* of all PASIDs */
};

/* A new message to `dest`; requester is to be filled in. */
struct tlp *ats_new_invalidate(struct tlp_pool *pool, struct pci_rid dest,
                               const struct ats_invalidation *invalidation);
/* False when it has no payload of the right length. */
bool ats_decode_invalidate(const struct tlp *tlp, struct ats_invalidation *invalidation);
/* Invalidate Completion (10.3.2): `count` of them make one answer, 1 to 8. */
struct tlp *ats_new_invalidate_done(struct tlp_pool *pool, struct pci_rid dest, uint32_t itags,
                                    unsigned count);
uint32_t ats_done_itags(const struct tlp *tlp);
unsigned ats_done_count(const struct tlp *tlp);

/* A Page Request (10.4.1). Without `read` and `write`, and with `last`: a Stop Marker. */
struct ats_page_request {
    uint64_t addr; /* of the page */
    uint16_t group;
    bool last, write, read;
};

enum ats_response {
    ATS_RESPONSE_SUCCESS = 0,
    ATS_RESPONSE_INVALID = 1,
    ATS_RESPONSE_FAILURE = 15,
};

#define ATS_GROUPS 512

struct tlp *ats_new_page_request(struct tlp_pool *pool, const struct ats_page_request *request);
void ats_decode_page_request(const struct tlp *tlp, struct ats_page_request *request);
struct tlp *ats_new_page_response(struct tlp_pool *pool, struct pci_rid dest, uint16_t group,
                                  uint8_t response);
uint16_t ats_response_group(const struct tlp *tlp);
uint8_t ats_response_code(const struct tlp *tlp);

#endif
