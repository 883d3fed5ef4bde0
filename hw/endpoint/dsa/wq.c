/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work queues: what is written to their portals, and which descriptor an engine gets next (DSA 1.0,
 * 3.2 to 3.4, 9.3).
 */
#include <string.h>

#include "dsa.h"

static struct dsa_wq *portal_queue(struct dsa *dev, uint64_t offset)
{
    return &dev->wq[offset / DSA_PORTALS_BYTES];
}

static unsigned portal_kind(uint64_t offset)
{
    return (unsigned)(offset / DSA_PORTAL_BYTES) & 3;
}

static bool is_dedicated(const struct dsa_wq *wq)
{
    return dsa_wq_get(wq, DSA_WQ_MODE) & DSA_WQ_DEDICATED;
}

static void accept(struct dsa_wq *wq, unsigned kind, const void *data)
{
    struct dsa_entry *entry = &wq->ring[(wq->head + wq->count) % DSA_ENTRIES];

    memcpy(entry->raw, data, DSA_DESC_BYTES);
    entry->seq = wq->dev->seq++;
    entry->ims = kind & DSA_PORTAL_IMS;
    wq->count++;
    dsa_dispatch(wq->dev);
}

/* A posted write: to a dedicated queue with room, or lost. CHOICE: what is lost is a line in the
 * trace; which codes SWERR has for it could not be confirmed. */
void dsa_portal_write(struct dsa *dev, uint64_t offset, const void *data, unsigned len)
{
    struct dsa_wq *wq = portal_queue(dev, offset);

    if (len != DSA_DESC_BYTES || offset % DSA_DESC_BYTES)
        dsa_rule(dev, "a portal is written with what is no descriptor");
    else if (dsa_state(dev) != DSA_STATE_ENABLED || wq->state != DSA_WQ_ON)
        dsa_rule(dev, "a descriptor for a queue that is not enabled");
    else if (!is_dedicated(wq))
        dsa_rule(dev, "a posted write to a shared queue");
    else if (wq->count >= dsa_wq_get(wq, DSA_WQ_SIZE))
        dsa_rule(dev, "a descriptor for a dedicated queue that is full");
    else
        accept(wq, portal_kind(offset), data);
}

/* Has the queue no place for a Deferrable Memory Write? Limited portals stop at the threshold. */
bool dsa_portal_defers(struct dsa *dev, uint64_t offset)
{
    const struct dsa_wq *wq = portal_queue(dev, offset);
    unsigned limit =
        dsa_wq_get(wq, portal_kind(offset) & DSA_PORTAL_LIMITED ? DSA_WQ_THRESHOLD : DSA_WQ_SIZE);

    return dsa_state(dev) != DSA_STATE_ENABLED || wq->state != DSA_WQ_ON || is_dedicated(wq) ||
           wq->count >= limit || wq->count >= dsa_wq_get(wq, DSA_WQ_SIZE);
}

bool dsa_portal_deferred(struct dsa *dev, uint64_t offset, const void *data, unsigned len)
{
    if (len != DSA_DESC_BYTES || offset % DSA_DESC_BYTES)
        return false;
    accept(portal_queue(dev, offset), portal_kind(offset), data);
    return true;
}

/* Queues of a group take turns, as many in a round as their priorities say. */
static struct dsa_wq *next_queue(struct dsa *dev, unsigned group)
{
    uint64_t queues = dsa_group_get(dev, group, DSA_GRP_QUEUES);

    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < dev->queues; i++) {
            unsigned at = (dev->turn[group] + i) % dev->queues;
            struct dsa_wq *wq = &dev->wq[at];

            if (!(queues >> at & 1) || !wq->count || !wq->credit)
                continue;
            wq->credit--;
            dev->turn[group] = wq->credit ? at : (at + 1) % dev->queues;
            return wq;
        }
        for (unsigned i = 0; i < dev->queues; i++) {
            if (queues >> i & 1)
                dev->wq[i].credit =
                    (unsigned)FIELD_GET(DSA_WQ_PRIORITY, dsa_wq_get(&dev->wq[i], DSA_WQ_MODE));
        }
    }
    return NULL;
}

void dsa_dispatch(struct dsa *dev)
{
    for (unsigned i = 0; i < dev->engines && dsa_state(dev) == DSA_STATE_ENABLED; i++) {
        int group = dsa_group_of(dev, DSA_GRP_ENGINES, i);
        struct dsa_wq *wq;
        const struct dsa_entry *entry;

        if (group < 0 || dev->engine[i].stage != DSA_IDLE)
            continue;
        wq = next_queue(dev, (unsigned)group);
        if (!wq)
            continue;
        entry = &wq->ring[wq->head];
        wq->head = (wq->head + 1) % DSA_ENTRIES;
        wq->count--;
        dsa_engine_start(&dev->engine[i], wq, entry);
    }
}

static bool entry_concerned(const struct dsa_wq *wq, const struct dsa_entry *entry,
                            const struct dsa_scope *scope)
{
    struct dsa_desc desc;

    dsa_desc_parse(&desc, entry->raw);
    dsa_desc_own(wq, &desc);
    return dsa_scope_has(scope, wq, entry->seq, desc.has_pasid ? desc.pasid.pasid : UINT32_MAX);
}

void dsa_wq_forget(struct dsa_wq *wq, const struct dsa_scope *scope)
{
    unsigned count = wq->count, kept = 0;

    for (unsigned i = 0; i < count; i++) {
        struct dsa_entry *entry = &wq->ring[(wq->head + i) % DSA_ENTRIES];

        if (!entry_concerned(wq, entry, scope))
            wq->ring[(wq->head + kept++) % DSA_ENTRIES] = *entry;
    }
    wq->count = kept;
}

bool dsa_wq_has(const struct dsa_wq *wq, const struct dsa_scope *scope)
{
    for (unsigned i = 0; i < wq->count; i++) {
        if (entry_concerned(wq, &wq->ring[(wq->head + i) % DSA_ENTRIES], scope))
            return true;
    }
    return false;
}
