/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A function's side of Address Translation Services (PCIe Base 6.0, chapter 10): Translation
 * Requests for pieces of DMA, the cache of what came back, invalidations and their answers.
 *
 * An invalidation is answered when every non-posted request that was outstanding when it came has
 * ended; posted ones have left before the answer, which does not pass them (10.3.3).
 */
#include <assert.h>
#include <glib.h>
#include <string.h>

#include "ats_state.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/trace/points.h"

#define FORGED_PASID 0xfffff
#define PAGE_TRIES   8 /* CHOICE: Page Requests for one page before it is given up */

static struct work *work_of(const struct endpoint_func *func)
{
    return func->ats ? func->ats->work : NULL;
}

static struct atc_space space_of(const struct dma_op *op)
{
    return (struct atc_space){
        .has_pasid = op->has_pasid,
        .privileged = op->has_pasid && op->pasid.privileged,
        .pasid = op->has_pasid ? op->pasid.pasid : 0,
    };
}

/* Translation. */

static struct lookup *free_lookup(struct work *work)
{
    for (unsigned i = 0; i < LOOKUPS; i++) {
        if (!work->lookup[i].busy)
            return &work->lookup[i];
    }
    return NULL;
}

/* As trace points have it. */
static uint64_t ats_pasid(const struct atc_space *space)
{
    return space->has_pasid ? space->pasid : TRACE_NO_PASID;
}

/* A Translation Request (10.2.2): page aligned, two doublewords for each page that is asked for. */
static void send_lookup(struct dma_op *op, struct lookup *lookup)
{
    struct endpoint_func *func = op->func;
    struct tlp *tlp = tlp_new(func->ep->fabric->pool, TLP_MRD, 0);

    tlp->requester = func->pci->rid;
    tlp->tc = op->tc;
    tlp->attr = pci_ats_relaxed(func->pci) ? op->wire_attr & TLP_ATTR_RELAXED : 0;
    tlp->at = TLP_AT_REQUEST;
    tlp->nw = lookup->no_write;
    tlp->addr = lookup->addr;
    tlp->length_dw = (uint16_t)(func->ats->pages * ATS_ENTRY_BYTES / 4);
    tlp->first_be = tlp->last_be = 0xf;
    if (op->has_pasid)
        tlp_set_pasid(tlp, &op->pasid);
    requester_start(&func->requester, tlp, func->pci, lookup->data, lookup);
    func->ats->counts.requests++;
    trace_hit(func->pci->trace, TRACE_ATS_LOOKUP, func->pci->name, tlp->requester.v,
              ats_pasid(&lookup->space), tlp->addr, lookup->no_write ? 1 : 3);
    dma_send_request(func, tlp);
}

/* False: all tags or all places are taken; one that becomes free wakes everybody.
 * CHOICE: what is asked for begins at a multiple of the Smallest Translation Unit (10.5.1.3), as
 * no translation is smaller; where one is, and does not reach the address, there is none. */
static bool look_up(struct dma_op *op, uint64_t addr, bool write)
{
    struct endpoint_func *func = op->func;
    struct lookup *lookup = free_lookup(func->ats->work);

    if (!lookup || !requester_has_tag(&func->requester, func->pci))
        return false;
    *lookup = (struct lookup){
        .busy = true,
        .no_write = !write,
        .op = op,
        .space = space_of(op),
        .addr = addr & ~low_mask(pci_ats_unit_shift(func->pci)),
        .wanted = addr,
        .since_ps = func->ep->fabric->sim->now_ps,
    };
    op->ats = DMA_ATS_LOOKING;
    send_lookup(op, lookup);
    return true;
}

/* The entries of a completion are of ranges that follow one another (10.2.3.2). The one that
 * somebody waits for comes last, so that the others do not displace it, and by the address that is
 * wanted. */
static void keep_translations(const struct endpoint_func *func, const struct lookup *lookup)
{
    const struct ats *ats = func->ats;
    struct atc_entry entries[PAGES_MAX];
    uint64_t addr = lookup->addr;
    unsigned count, wanted = PAGES_MAX;

    for (count = 0; count < ats->pages; count++) {
        struct atc_entry *entry = &entries[count];

        *entry = (struct atc_entry){.no_write = lookup->no_write, .space = lookup->space};
        ats_decode_translation(lookup->data + count * ATS_ENTRY_BYTES, &entry->to);
        trace_hit(func->pci->trace, TRACE_ATS_FILL, func->pci->name, func->pci->rid.v,
                  ats_pasid(&lookup->space), addr, entry->to.addr,
                  entry->to.read | entry->to.write << 1 | entry->to.execute << 2);
        if (!entry->to.read && !entry->to.write &&
            !flaw_on(func->pci->flaws, FLAW_ATS_NO_ACCESS)) /* no access: never cached (10.2.3.2) */
            break;
        entry->shift = entry->to.shift;
        entry->first = addr & ~low_mask(entry->shift);
        if (!((lookup->wanted ^ addr) & ~low_mask(entry->shift)))
            wanted = count;
        addr = entry->first + low_mask(entry->shift) + 1;
    }
    for (unsigned i = 0; i < count; i++) {
        if (i != wanted)
            atc_put(ats->work->atc, MAX(entries[i].first, lookup->addr), &entries[i]);
    }
    if (wanted < count)
        atc_put(ats->work->atc, lookup->wanted, &entries[wanted]);
}

bool ats_lookup_over(struct endpoint_func *func, void *cookie, enum requester_result result)
{
    static const enum dma_status status[] = {
        [REQUESTER_OK] = DMA_OK,           [REQUESTER_UR] = DMA_UR,
        [REQUESTER_CA] = DMA_CA,           [REQUESTER_RRS] = DMA_UR,
        [REQUESTER_TIMEOUT] = DMA_TIMEOUT, [REQUESTER_POISONED] = DMA_POISONED,
    };
    struct work *work = work_of(func);
    struct lookup *lookup = cookie;

    if (!work || lookup < work->lookup || lookup >= work->lookup + LOOKUPS)
        return false;
    lookup->busy = false;
    if (result == REQUESTER_OK && !lookup->spoiled && pci_ats_enabled(func->pci))
        keep_translations(func, lookup);
    if (lookup->op) {
        lookup->op->ats = lookup->spoiled ? DMA_ATS_IDLE : DMA_ATS_LOOKED;
        lookup->op->ats_status = (uint8_t)status[result];
    }
    dma_translated(func);
    return true;
}

static bool entry_allows(const struct atc_entry *entry, const struct dma_op *op, bool write)
{
    if (write)
        return (entry->to.write || flaw_on(op->func->pci->flaws, FLAW_ATS_PERMISSION)) &&
               (op->kind == DMA_WRITE || op->kind == DMA_DMWR || entry->to.read);
    return entry->to.read && (!op->has_pasid || !op->pasid.execute || entry->to.execute);
}

static enum ats_answer fail(struct dma_op *op, enum dma_status why, enum dma_status *status)
{
    op->ats = DMA_ATS_IDLE;
    *status = why;
    return ATS_FAILED;
}

/* The Translation Agent has just said no. */
static enum ats_answer ask_for_page(struct dma_op *op, uint64_t addr, bool write,
                                    enum dma_status *status)
{
    if (!op->request_pages || op->ats_tries++ == PAGE_TRIES || !pri_request(op, addr, write))
        return fail(op, DMA_DENIED, status);
    return ATS_WAIT;
}

static enum ats_answer use_cache(struct dma_op *op, uint64_t addr, bool write, uint64_t *place,
                                 enum dma_status *status)
{
    const struct atc_space space = space_of(op);
    const struct atc_entry *entry = atc_find(work_of(op->func)->atc, &space, addr);
    bool fresh = op->ats_fresh;

    op->ats_fresh = false;
    if (entry && entry_allows(entry, op, write)) {
        op->ats_tries = 0;
        op->ats_snoops = entry->to.no_snoop;
        /* 10.2.3.4: the translated address of such a range is not for requests. */
        if (entry->to.untranslated)
            return ATS_BARE;
        *place = entry->to.addr + (addr & low_mask(entry->shift));
        return ATS_READY;
    }
    if (fresh)
        return ask_for_page(op, addr, write, status);
    /* More rights need no invalidation: what the cache refuses is asked for again. */
    (void)look_up(op, addr, write);
    return ATS_WAIT;
}

enum ats_answer ats_place(struct dma_op *op, uint64_t addr, bool write, uint64_t *place,
                          enum dma_status *status)
{
    *place = addr;
    if (!op->translate || !work_of(op->func) || !pci_ats_enabled(op->func->pci))
        return ATS_BARE;
    switch ((enum dma_ats)op->ats) {
    case DMA_ATS_LOOKING:
    case DMA_ATS_PAGING: return ATS_WAIT;
    case DMA_ATS_LOOKED:
        op->ats = DMA_ATS_IDLE;
        op->ats_fresh = true;
        if (op->ats_status != DMA_OK)
            return fail(op, (enum dma_status)op->ats_status, status);
        break;
    case DMA_ATS_PAGED:
        op->ats = DMA_ATS_IDLE;
        if (op->ats_status != ATS_RESPONSE_SUCCESS)
            return fail(op, DMA_DENIED, status);
        break;
    case DMA_ATS_IDLE: break;
    }
    return use_cache(op, addr, write, place, status);
}

void ats_forget(struct dma_op *op)
{
    struct work *work = work_of(op->func);

    for (unsigned i = 0; op->ats == DMA_ATS_LOOKING && i < LOOKUPS; i++) {
        if (work->lookup[i].busy && work->lookup[i].op == op)
            work->lookup[i].op = NULL;
    }
    if (op->ats == DMA_ATS_PAGING)
        pri_forget(op);
    op->ats = DMA_ATS_IDLE;
}

void ats_note_use(struct endpoint_func *func, unsigned tc)
{
    func->ats->work->used_tcs |= (uint8_t)(1u << tc);
    func->ats->counts.translated++;
}

/* Invalidation. */

static void send_answer(struct endpoint_func *func, unsigned itag, struct pci_rid to)
{
    struct ats *ats = func->ats;
    unsigned tcs = ats->work->used_tcs ? ats->work->used_tcs : 1;

    if (ats->faults.wrong_itag || flaw_on(func->pci->flaws, FLAW_ATS_ITAG))
        itag = (itag + 1) % ITAGS;
    /* One on every traffic class that may still carry requests by the translations (10.3.2). */
    for (unsigned tc = 0; tc < 8; tc++) {
        struct tlp *tlp;

        if (!(tcs >> tc & 1))
            continue;
        tlp = ats_new_invalidate_done(func->ep->fabric->pool, to, 1u << itag,
                                      (unsigned)__builtin_popcount(tcs));
        tlp->requester = func->pci->rid;
        tlp->tc = (uint8_t)tc;
        /* Not behind writes that are not sent yet: these will look their addresses up again. */
        if (port_link_up(&func->ep->port))
            port_send(&func->ep->port, tlp);
        else
            tlp_free(tlp);
    }
}

static bool still_waits(struct pending *pending, const struct requester *requester)
{
    bool waits = false;

    for (unsigned i = 0; i < BUSY_WORDS; i++) {
        pending->waits_for[i] &= requester->busy[i];
        waits |= pending->waits_for[i] != 0;
    }
    return waits;
}

static void settle(struct endpoint_func *func)
{
    struct work *work = func->ats->work;
    struct sim *sim = func->ep->fabric->sim;
    uint64_t next_ps = SIM_NEVER;

    for (unsigned i = 0; work->pending_count && i < ITAGS; i++) {
        struct pending *pending = &work->pending[i];

        if (!pending->busy || (still_waits(pending, &func->requester) &&
                               !flaw_on(func->pci->flaws, FLAW_ATS_DONE_EARLY)))
            continue;
        if (pending->due_ps > sim->now_ps) {
            next_ps = MIN(next_ps, pending->due_ps);
            continue;
        }
        pending->busy = false;
        work->pending_count--;
        send_answer(func, i, pending->to);
        if (func->ats->faults.duplicate)
            send_answer(func, i, pending->to);
        if (func->ats->faults.once)
            func->ats->faults = (struct endpoint_ats_faults){0};
    }
    if (next_ps != SIM_NEVER && !sim_event_pending(&work->late))
        sim_schedule_at(sim, &work->late, next_ps);
}

static void settle_late(void *opaque)
{
    settle(opaque);
}

void ats_request_over(struct endpoint_func *func)
{
    const struct work *work = work_of(func);

    if (work && work->pending_count)
        settle(func);
}

static void invalidate(struct endpoint_func *func, const struct ats_invalidation *what,
                       const struct tlp_pasid *pasid)
{
    struct work *work = func->ats->work;

    if (func->ats->faults.keeps || flaw_on(func->pci->flaws, FLAW_ATS_KEPT))
        return;
    atc_invalidate(work->atc, what, pasid);
    for (unsigned i = 0; i < LOOKUPS; i++) {
        struct lookup *lookup = &work->lookup[i];

        /* The range of its answer is not known yet: any invalidation of the space will do. */
        if (lookup->busy && atc_concerns(what, pasid, &lookup->space, lookup->addr, 64))
            lookup->spoiled = !flaw_on(func->pci->flaws, FLAW_ATS_SPOILED);
    }
}

static void settle_late(void *opaque);

static struct work *begin_work(struct endpoint_func *func)
{
    struct work *work = g_new0(struct work, 1);

    work->atc = atc_new(func->ats->entries);
    sim_event_init(&work->late, settle_late, func);
    func->ats->work = work;
    return work;
}

static bool receive_invalidate(struct endpoint_func *func, const struct tlp *tlp)
{
    struct ats *ats = func->ats;
    struct work *work = ats->work;
    struct ats_invalidation what;
    struct tlp_pasid pasid;
    struct pending *pending;

    if (!ats_decode_invalidate(tlp, &what))
        return false;
    ats->counts.invalidations++;
    if (!work) /* nothing was ever cached */
        work = begin_work(func);
    invalidate(func, &what, tlp_get_pasid(tlp, &pasid) ? &pasid : NULL);
    if (ats->faults.silent || flaw_on(func->pci->flaws, FLAW_ATS_DONE_LOST)) {
        if (ats->faults.once)
            ats->faults = (struct endpoint_ats_faults){0};
        return true;
    }
    trace_hit(func->pci->trace, TRACE_ATS_INVALIDATE, func->pci->name, func->pci->rid.v,
              tlp_get_pasid(tlp, &pasid) ? pasid.pasid : TRACE_NO_PASID, what.addr,
              what.shift < 64 ? 1ULL << what.shift : 0, what.itag);
    pending = &work->pending[what.itag];
    if (pending->busy) /* an ITag twice is the root's error: it gets one answer */
        work->pending_count--;
    *pending = (struct pending){
        .busy = true,
        .to = tlp->requester,
        .since_ps = func->ep->fabric->sim->now_ps,
        .due_ps = func->ep->fabric->sim->now_ps + ats->faults.answer_ps,
    };
    memcpy(pending->waits_for, func->requester.busy, sizeof(pending->waits_for));
    work->pending_count++;
    settle(func);
    return true;
}

bool ats_message(struct endpoint_func *func, const struct tlp *tlp)
{
    if (!func->ats || tlp->ep)
        return false;
    if (tlp->msg_code == TLP_MSG_INVALIDATE)
        return receive_invalidate(func, tlp);
    if (tlp->type != TLP_MSG || !pci_pri_present(func->pci))
        return false;
    pri_response(func, tlp);
    return true;
}

/* Life. */

void ats_config_changed(struct endpoint_func *func)
{
    struct work *work = work_of(func);

    if (!func->ats)
        return;
    if (pci_ats_enabled(func->pci)) {
        if (!work)
            begin_work(func);
    } else if (work && !flaw_on(func->pci->flaws, FLAW_ATS_DISABLE)) {
        atc_clear(work->atc);
        work->used_tcs = 0;
    }
    pri_config_changed(func);
}

void ats_reset(struct endpoint_func *func)
{
    struct work *work = work_of(func);

    if (!func->ats)
        return;
    if (work) {
        atc_clear(work->atc);
        memset(work->lookup, 0, sizeof(work->lookup));
        memset(work->pending, 0, sizeof(work->pending));
        work->pending_count = 0;
        work->used_tcs = 0;
        sim_cancel(func->ep->fabric->sim, &work->late);
    }
    func->ats->counts = (struct endpoint_ats_counts){0};
    func->ats->faults = func->ats->born;
    pri_reset(func);
}

void endpoint_add_ats(struct endpoint_func *func, const struct endpoint_ats_params *params)
{
    assert(params->pages >= 1 && params->pages <= PAGES_MAX);
    func->ats = g_new0(struct ats, 1);
    func->ats->entries = params->entries;
    func->ats->pages = params->pages;
    pci_cap_ats_add(func->pci, &params->cap);
}

void ats_free(struct endpoint_func *func)
{
    struct work *work = work_of(func);

    if (work) {
        sim_cancel(func->ep->fabric->sim, &work->late);
        atc_free(work->atc);
        g_free(work);
    }
    g_free(func->ats);
}

void endpoint_set_ats_faults(struct endpoint_func *func, const struct endpoint_ats_faults *faults)
{
    func->ats->faults = *faults;
}

static void born_with(struct endpoint_func *func, const struct endpoint_ats_faults *faults)
{
    if (func->ats)
        func->ats->faults = func->ats->born = *faults;
}

void endpoint_misbehave(struct endpoint *ep, const struct endpoint_ats_faults *faults)
{
    for (unsigned i = 0; i < ep->func_count; i++) {
        struct endpoint_func *func = ep->funcs[i];

        born_with(func, faults);
        for (unsigned v = 0; v < func->vf_count; v++)
            born_with(func->vfs[v], faults);
    }
}

/* One that no tables are for, as long as processes have not used up all numbers but the highest. */
void ats_forge_pasid(struct dma_op *op)
{
    if (!op->func->ats || !op->func->ats->faults.forges)
        return;
    op->has_pasid = op->forge = true;
    op->pasid.pasid = FORGED_PASID;
}

const struct endpoint_ats_counts *endpoint_ats_counts(const struct endpoint_func *func)
{
    return func->ats ? &func->ats->counts : NULL;
}

void ats_count_pages(struct endpoint_func *func, bool response)
{
    if (response)
        func->ats->counts.page_responses++;
    else
        func->ats->counts.page_requests++;
}

bool ats_ignores_pages(const struct endpoint_func *func)
{
    return func->ats->faults.ignores_pages;
}

bool ats_floods(const struct endpoint_func *func)
{
    return func->ats->faults.floods;
}
