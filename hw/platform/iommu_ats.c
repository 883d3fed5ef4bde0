/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address Translation Services between root complexes and VT-d units (PCIe Base 6.0, chapter 10):
 * Translation Requests and their completions, invalidations and theirs.
 */
#include <string.h>

#include "board.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/ats.h"

#define PAGES_MAX 8 /* of one completion: up to a read completion boundary of 64 bytes */

/* A Translation Request whose completion grows. */
struct ats_pending {
    struct iommu_request request;
    struct board_iommu *unit;
    struct root_complex *rc;
    struct tlp *tlp;
    unsigned wanted, count;
    uint8_t shift; /* of the first entry, and so of all */
    uint8_t data[PAGES_MAX * ATS_ENTRY_BYTES];
};

static struct tlp *completion(const struct ats_pending *pending)
{
    struct tlp *cpl = tlp_new_completion(pending->tlp, (struct pci_rid){0}, TLP_SC,
                                         pending->count * ATS_ENTRY_BYTES / 4);

    cpl->byte_count = (uint16_t)(pending->count * ATS_ENTRY_BYTES);
    cpl->lower_addr = 0;
    memcpy(cpl->data, pending->data, pending->count * ATS_ENTRY_BYTES);
    return cpl;
}

static void answer(struct ats_pending *pending, struct tlp *cpl)
{
    root_answer(pending->rc, pending->tlp, cpl);
    g_free(pending);
}

static void put_entry(struct ats_pending *pending, const struct ats_translation *entry)
{
    ats_encode_translation(entry, pending->data + pending->count++ * ATS_ENTRY_BYTES);
}

/* The translation of the next range is to be added. False: there is no more to say. */
static bool add_entry(struct ats_pending *pending)
{
    const struct iommu_request *request = &pending->request;
    const struct ats_translation entry = {
        .addr = request->addr & ~low_mask(request->shift),
        .shift = request->shift,
        .read = request->perms & PT_PERM_READ,
        .write = request->perms & PT_PERM_WRITE,
        .no_snoop = request->perms && request->snoop,
        /* 10.2.3.2: the rights are those of privileged requests. */
        .privileged = request->perms && request->access.privileged,
    };

    /* 10.2.3.2: all of one size; and what is not there ends the list. */
    if (pending->count && (request->shift != pending->shift || !request->perms))
        return false;
    pending->shift = request->shift;
    put_entry(pending, &entry);
    return request->perms && pending->count < pending->wanted;
}

static void translated(struct iommu_request *request, enum iommu_status status)
{
    struct ats_pending *pending = request->opaque;
    uint64_t next;

    if (status == IOMMU_ABANDONED) {
        tlp_free(pending->tlp);
        g_free(pending);
        return;
    }
    if (status == IOMMU_FAULTED && !pending->count) {
        answer(pending, tlp_new_completion(pending->tlp, (struct pci_rid){0},
                                           request->abort ? TLP_CA : TLP_UR, 0));
        return;
    }
    next = (request->access.addr | low_mask(request->shift)) + 1;
    if (status == IOMMU_FAULTED || !add_entry(pending) || !next) {
        answer(pending, completion(pending));
        return;
    }
    request->access.addr = next;
    vtd_submit(pending->unit->vtd, request);
}

/* CHOICE: interrupt messages are never translated: their addresses are to be used as they are, for
 * writes (VT-d 3.14; the clause for Translation Requests could not be looked up). */
static bool for_interrupts(const struct iommu_access *access)
{
    return !access->has_pasid && access->addr >> 20 == MAP_MSI_BASE >> 20;
}

void board_ats_request(struct board_iommu *unit, struct root_complex *rc, struct tlp *tlp)
{
    struct ats_pending *pending = g_new0(struct ats_pending, 1);
    struct iommu_request *request = &pending->request;

    pending->unit = unit;
    pending->rc = rc;
    pending->tlp = tlp;
    pending->wanted = MIN(tlp->length_dw * 4u / ATS_ENTRY_BYTES, PAGES_MAX);
    request->access = board_iommu_access(tlp);
    request->access.want = 0;
    request->access.no_write = tlp->nw;
    request->done = translated;
    request->opaque = pending;
    if (!pending->wanted) { /* 10.2.2: at least two doublewords */
        answer(pending, tlp_new_completion(tlp, (struct pci_rid){0}, TLP_UR, 0));
    } else if (for_interrupts(&request->access)) {
        put_entry(pending, &(struct ats_translation){.addr = tlp->addr & ~low_mask(12),
                                                     .shift = 12,
                                                     .write = true,
                                                     .untranslated = true});
        answer(pending, completion(pending));
    } else {
        vtd_submit(unit->vtd, request);
    }
}

/* Invalidation. */

static struct board_bridge *bridge_of_bus(struct machine *machine, uint16_t segment, unsigned bus)
{
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        struct board_bridge *bridge = &machine->bridge[i];

        if (bridge->map.segment == segment && bus >= bridge->map.bus_first &&
            bus <= bridge->map.bus_last)
            return bridge;
    }
    return NULL;
}

void board_ats_invalidate(void *opaque, const struct vtd_device_tlb *what)
{
    struct board_iommu *unit = opaque;
    struct board_bridge *bridge = bridge_of_bus(unit->machine, unit->segment, what->sid >> 8);
    const struct ats_invalidation message = {
        .addr = what->addr, .shift = what->shift, .itag = what->itag, .global = what->global};
    struct tlp *tlp;

    if (!bridge)
        return; /* nobody there: it is never answered */
    tlp = ats_new_invalidate(unit->machine->fabric->pool, (struct pci_rid){what->sid}, &message);
    if (what->has_pasid)
        tlp_set_pasid(tlp, &(struct tlp_pasid){.pasid = what->pasid});
    root_send_message(bridge->rc, tlp);
}

/* Page Requests. */

static void request_page(struct board_iommu *unit, const struct tlp *tlp)
{
    struct ats_page_request request;
    struct vtd_page_request what;
    struct tlp_pasid pasid = {0};

    ats_decode_page_request(tlp, &request);
    what = (struct vtd_page_request){
        .sid = tlp->requester.v,
        .has_pasid = tlp_get_pasid(tlp, &pasid),
        .last = request.last,
        .write = request.write,
        .read = request.read,
        .group = request.group,
        .addr = request.addr,
    };
    what.pasid = pasid.pasid;
    what.privileged = pasid.privileged;
    what.execute = pasid.execute;
    vtd_page_request(unit->vtd, &what);
}

void board_ats_respond(void *opaque, const struct vtd_page_response *what)
{
    struct board_iommu *unit = opaque;
    struct board_bridge *bridge = bridge_of_bus(unit->machine, unit->segment, what->sid >> 8);
    struct tlp *tlp;

    if (!bridge)
        return;
    tlp = ats_new_page_response(unit->machine->fabric->pool, (struct pci_rid){what->sid},
                                what->group, what->code);
    if (what->has_pasid)
        tlp_set_pasid(tlp, &(struct tlp_pasid){.pasid = what->pasid});
    root_send_message(bridge->rc, tlp);
}

bool board_ats_message(struct board_iommu *unit, const struct tlp *tlp)
{
    if (tlp->msg_code == TLP_MSG_PAGE_REQUEST && vtd_takes_page_requests(unit->vtd)) {
        request_page(unit, tlp);
        return true;
    }
    if (tlp->msg_code != TLP_MSG_INVALIDATE_DONE)
        return false;
    vtd_device_tlb_done(unit->vtd, tlp->requester.v, ats_done_itags(tlp), ats_done_count(tlp));
    return true;
}
