/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The laboratory as a Translation Agent (PCIe Base 6.0, chapter 10): what a function sends of
 * Address Translation Services and Page Requests goes no further than its link, and procedures
 * answer it by hand. All is built here bit by bit as the chapter's figures have it, and not by what
 * the model uses for it.
 */
#ifndef PCILAB_SRC_CONFORM_ATS_AGENT_H
#define PCILAB_SRC_CONFORM_ATS_AGENT_H

#include "lab.h"
#include "pcilab/platform/probe.h"

/* 10.2.3: a translation, as it stands in a completion. */
#define ATS_R      0x001
#define ATS_W      0x002
#define ATS_U      0x004
#define ATS_EXE    0x008
#define ATS_PRIV   0x010
#define ATS_GLOBAL 0x020
#define ATS_N      0x400
#define ATS_S      0x800

#define ATS_RW (ATS_R | ATS_W)

/* Where devices think that they go, and where that is; both on multiples of 64 KiB. */
#define ATS_IOVA  0x3000000ull
#define ATS_PLACE ((uint64_t)LAB_RAM)

struct ats_agent {
    struct conform_ctx *t;
    struct lab *lab;
    const char *name; /* of the function */
    unsigned next;    /* of lab->seen: what was not looked at yet */
    struct tlp found; /* by ats_next() */
};

/* False: the function has no such services, t says so. */
bool ats_begin(struct ats_agent *a, struct lab *lab, const char *name);
void ats_enable(struct ats_agent *a, bool on);
/* Enabled, and a DMA begun by translated addresses, whose Translation Request is `found`. */
bool ats_begin_dma(struct ats_agent *a, struct lab *lab, const struct lab_dma *dma);
/* Begins a DMA; what came before is not looked at any more. */
void ats_start(struct ats_agent *a, const struct lab_dma *dma);
unsigned ats_end(struct ats_agent *a, const struct lab_dma *dma);

/* The next TLP of the function of a kind, or NULL; a->found is it. */
enum ats_kind { ATS_LOOKUP, ATS_ACCESS, ATS_PAGE_REQUEST, ATS_DONE };
const struct tlp *ats_next(struct ats_agent *a, enum ats_kind kind);

/* A range of a power of two bytes, from 4 KiB on, as translations and invalidations have it. */
uint64_t ats_range(uint64_t addr, uint64_t bytes, unsigned bits);
/* Completes the Translation Request that was found. */
void ats_answer(struct ats_agent *a, const uint64_t *translations, unsigned count);
void ats_give(struct ats_agent *a, uint64_t translation);
void ats_refuse(struct ats_agent *a, enum tlp_status status);
/* An Invalidate Request; `pasid` as in a prefix, 0: without. */
void ats_invalidate(struct ats_agent *a, unsigned itag, uint64_t range, uint32_t pasid);
/* A response to a group; of a0 "pasid" as above. */
void ats_respond(struct ats_agent *a, unsigned group, unsigned code, uint32_t pasid);
/* The prefix of a TLP: 31:24 are 91h; 0: it has none. */
uint32_t ats_prefix(const struct tlp *tlp);
#define ATS_PASID(n) (0x91000000u | (n))

#endif
