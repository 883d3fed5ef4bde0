/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domains and their mappings. Whatever is taken away leaves the core's caches at once. */
#include <assert.h>

#include "viommu.h"

/* Ranges that overlap are equal: in a tree without overlaps that is an order, and a lookup finds
 * whatever meets a range. */
static gint compare(gconstpointer x, gconstpointer y, gpointer unused)
{
    const struct viommu_mapping *a = x, *b = y;

    if (a->last < b->first)
        return -1;
    return a->first > b->last;
}

static struct viommu_domain *domain_new(struct viommu *viommu, uint32_t id, bool bypass)
{
    struct viommu_domain *domain = g_new0(struct viommu_domain, 1);

    domain->id = id;
    domain->bypass = bypass;
    domain->mappings = g_tree_new_full(compare, NULL, g_free, NULL);
    viommu->domain[id] = domain;
    return domain;
}

static void domain_free(struct viommu *viommu, struct viommu_domain *domain)
{
    viommu->mappings -= (uint32_t)g_tree_nnodes(domain->mappings);
    viommu->domain[domain->id] = NULL;
    g_tree_destroy(domain->mappings);
    iommu_flush_pages_of_domain(viommu->core, (uint16_t)domain->id);
    g_free(domain);
}

void viommu_detach(struct viommu *viommu, uint16_t endpoint)
{
    struct viommu_domain *domain = viommu->endpoint[endpoint];

    if (!domain)
        return;
    viommu->endpoint[endpoint] = NULL;
    viommu->attached--;
    iommu_flush_device(viommu->core, endpoint, 0);
    if (!--domain->endpoints)
        domain_free(viommu, domain);
}

void viommu_attach(struct viommu *viommu, uint16_t endpoint, uint32_t id, bool bypass)
{
    struct viommu_domain *domain = viommu->domain[id];

    if (domain && viommu->endpoint[endpoint] == domain)
        return;
    if (!domain)
        domain = domain_new(viommu, id, bypass);
    assert(domain->bypass == bypass);
    domain->endpoints++;
    viommu_detach(viommu, endpoint);
    viommu->endpoint[endpoint] = domain;
    viommu->attached++;
    iommu_flush_device(viommu->core, endpoint, 0);
}

void viommu_detach_all(struct viommu *viommu)
{
    for (unsigned i = 0; viommu->attached; i++) {
        if (viommu->endpoint[i])
            viommu_detach(viommu, (uint16_t)i);
    }
    assert(!viommu->mappings);
}

const struct viommu_mapping *viommu_find(const struct viommu_domain *domain, uint64_t first,
                                         uint64_t last)
{
    const struct viommu_mapping range = {.first = first, .last = last};

    return g_tree_lookup(domain->mappings, &range);
}

void viommu_map(struct viommu *viommu, struct viommu_domain *domain,
                const struct viommu_mapping *mapping)
{
    struct viommu_mapping *copy = g_new(struct viommu_mapping, 1);

    *copy = *mapping;
    g_tree_insert(domain->mappings, copy, copy);
    viommu->mappings++;
}

void viommu_unmap(struct viommu *viommu, struct viommu_domain *domain, uint64_t first,
                  uint64_t last)
{
    const struct viommu_mapping *mapping;
    bool any = false;

    while ((mapping = viommu_find(domain, first, last))) {
        assert(mapping->first >= first && mapping->last <= last);
        g_tree_remove(domain->mappings, mapping);
        viommu->mappings--;
        any = true;
    }
    if (any && !viommu_flawed(viommu, FLAW_VIOMMU_UNMAP))
        iommu_flush_span(viommu->core, (uint16_t)domain->id, first, last);
}
