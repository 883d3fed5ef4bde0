/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exerciser as a user of Address Translation Services, sound or broken. */
#include "exerciser.h"

#include "pcilab/sim/sim.h"

/* CHOICE: the cache's size, and how much is asked for at once. */
#define ATS_ENTRIES   64
#define ATS_PAGES     4
#define ATS_DEPTH     32
#define PAGE_REQUESTS 32
#define PASID_BITS    20

void exerciser_ats_add(struct exerciser *ex, bool physical)
{
    const struct endpoint_ats_params params = {
        .entries = ATS_ENTRIES,
        .pages = ATS_PAGES,
        .cap = {.queue_depth = ATS_DEPTH, .global = true, .relaxed = true},
    };

    endpoint_add_ats(ex->func, &params);
    if (!physical)
        return;
    pci_cap_pasid_add(ex->pci, &(struct pci_pasid_params){PASID_BITS, true, true});
    endpoint_add_pri(ex->func, PAGE_REQUESTS);
}

void exerciser_ats_faults(struct exerciser *ex)
{
    uint64_t what = reg_get(ex->regs, EXERCISER_ATS_FAULT);
    const struct endpoint_ats_faults faults = {
        .silent = what & EXERCISER_ATS_SILENT,
        .duplicate = what & EXERCISER_ATS_DUPLICATE,
        .wrong_itag = what & EXERCISER_ATS_WRONG_ITAG,
        .keeps = what & EXERCISER_ATS_KEEPS,
        .ignores_pages = what & EXERCISER_ATS_DEAF,
        .floods = what & EXERCISER_ATS_FLOODS,
        .forges = what & EXERCISER_ATS_FORGES,
        .once = what & EXERCISER_ATS_ONCE,
        .answer_ps = reg_get(ex->regs, EXERCISER_ATS_DELAY) * PS_PER_US,
    };

    if (endpoint_ats_counts(ex->func))
        endpoint_set_ats_faults(ex->func, &faults);
}

uint64_t exerciser_ats_count(const struct exerciser *ex, unsigned reg)
{
    const struct endpoint_ats_counts *counts = endpoint_ats_counts(ex->func);

    if (!counts)
        return 0;
    switch (reg) {
    case EXERCISER_ATS_REQUESTS: return counts->requests;
    case EXERCISER_ATS_TRANSLATED: return counts->translated;
    case EXERCISER_ATS_INVALIDATIONS: return counts->invalidations;
    case EXERCISER_PAGE_REQUESTS: return counts->page_requests;
    default: return counts->page_responses;
    }
}
