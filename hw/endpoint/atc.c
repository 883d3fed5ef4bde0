/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cache: sets of four, by the 4 KiB page of the address that was asked for. */
#include "atc.h"

#include <glib.h>

#include "pcilab/base/bits.h"

#define WAYS       4
#define PAGE_SHIFT 12
#define EVERYTHING 64

struct atc {
    unsigned set_count; /* a power of two */
    struct atc_entry (*sets)[WAYS];
    uint8_t *victim; /* of each set: displaced next */
};

struct atc *atc_new(unsigned entries)
{
    struct atc *atc = g_new0(struct atc, 1);

    for (atc->set_count = 1; atc->set_count * WAYS < entries;)
        atc->set_count *= 2;
    atc->sets = g_malloc0_n(atc->set_count, sizeof(*atc->sets));
    atc->victim = g_new0(uint8_t, atc->set_count);
    return atc;
}

void atc_free(struct atc *atc)
{
    if (!atc)
        return;
    g_free(atc->sets);
    g_free(atc->victim);
    g_free(atc);
}

static unsigned atc_size(const struct atc *atc)
{
    return atc->set_count * WAYS;
}

void atc_clear(struct atc *atc)
{
    for (unsigned i = 0; i < atc_size(atc); i++)
        atc->sets[i / WAYS][i % WAYS].valid = false;
}

static unsigned set_of(const struct atc *atc, const struct atc_space *space, uint64_t addr)
{
    uint64_t page = (addr >> PAGE_SHIFT) + (uint64_t)space->pasid * 0x9e3779b1U;

    return (unsigned)(page ^ page >> 16) & (atc->set_count - 1);
}

static bool same_space(const struct atc_space *a, const struct atc_space *b)
{
    return a->has_pasid == b->has_pasid && a->pasid == b->pasid && a->privileged == b->privileged;
}

static bool covers(const struct atc_entry *entry, uint64_t addr)
{
    return !((addr ^ entry->first) & ~low_mask(entry->shift));
}

static struct atc_entry *find(const struct atc *atc, const struct atc_space *space, uint64_t addr)
{
    struct atc_entry *set = atc->sets[set_of(atc, space, addr)];

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].valid && same_space(&set[i].space, space) && covers(&set[i], addr))
            return &set[i];
    }
    return NULL;
}

const struct atc_entry *atc_find(const struct atc *atc, const struct atc_space *space,
                                 uint64_t addr)
{
    return find(atc, space, addr);
}

void atc_put(struct atc *atc, uint64_t addr, const struct atc_entry *entry)
{
    unsigned set = set_of(atc, &entry->space, addr);
    struct atc_entry *place = find(atc, &entry->space, addr);

    for (unsigned i = 0; !place && i < WAYS; i++) {
        if (!atc->sets[set][i].valid)
            place = &atc->sets[set][i];
    }
    if (!place) {
        place = &atc->sets[set][atc->victim[set]];
        atc->victim[set] = (uint8_t)((atc->victim[set] + 1) % WAYS);
    }
    *place = *entry;
    place->valid = true;
}

/* 10.3.1, 10.3.8: without a PASID only what has none; with one only that process's, or with Global
 * Invalidate every process's. */
bool atc_concerns(const struct ats_invalidation *invalidation, const struct tlp_pasid *pasid,
                  const struct atc_space *space, uint64_t first, unsigned shift)
{
    unsigned wider = invalidation->shift > shift ? invalidation->shift : shift;

    if (space->has_pasid != (pasid != NULL))
        return false;
    if (pasid && !invalidation->global && pasid->pasid != space->pasid)
        return false;
    return wider >= EVERYTHING || !((first ^ invalidation->addr) & ~low_mask(wider));
}

unsigned atc_invalidate(struct atc *atc, const struct ats_invalidation *invalidation,
                        const struct tlp_pasid *pasid)
{
    unsigned gone = 0;

    for (unsigned i = 0; i < atc_size(atc); i++) {
        struct atc_entry *entry = &atc->sets[i / WAYS][i % WAYS];

        if (!entry->valid ||
            !atc_concerns(invalidation, pasid, &entry->space, entry->first, entry->shift))
            continue;
        entry->valid = false;
        gone++;
    }
    return gone;
}

void atc_visit(const struct atc *atc, void (*visit)(void *opaque, const struct atc_entry *entry),
               void *opaque)
{
    for (unsigned i = 0; i < atc_size(atc); i++) {
        if (atc->sets[i / WAYS][i % WAYS].valid)
            visit(opaque, &atc->sets[i / WAYS][i % WAYS]);
    }
}
