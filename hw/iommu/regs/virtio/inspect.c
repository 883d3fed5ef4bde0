/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the virtio face tells: endpoints, domains and their mappings. */
#include <stdio.h>

#include "pcilab/iommu/core/inspect.h"
#include "viommu.h"

struct listing {
    const struct inspect *in;
    uint32_t domain;
    unsigned rows, left_out;
};

static unsigned list_endpoints(const struct viommu *viommu, const struct inspect *in)
{
    unsigned rows = 0, left_out = 0;

    inspect_list(in, "endpoints");
    for (unsigned i = 0; i < VIOMMU_ENDPOINTS; i++) {
        const struct viommu_domain *domain = viommu->endpoint[i];

        if (!domain)
            continue;
        if (rows++ >= INSPECT_ROWS_MAX) {
            left_out++;
            continue;
        }
        inspect_object(in, NULL);
        iommu_inspect_requester(in, "requester", (uint16_t)i);
        inspect_number(in, "domain", domain->id);
        inspect_flag(in, "bypass", domain->bypass);
        inspect_object_end(in);
    }
    inspect_list_end(in);
    return left_out;
}

static gboolean list_mapping(gpointer key, gpointer value, gpointer data)
{
    const struct viommu_mapping *mapping = key;
    struct listing *listing = data;
    const struct inspect *in = listing->in;

    if (listing->rows++ >= INSPECT_ROWS_MAX) {
        listing->left_out++;
        return FALSE;
    }
    inspect_object(in, NULL);
    inspect_number(in, "domain", listing->domain);
    inspect_hex(in, "first", mapping->first);
    inspect_hex(in, "last", mapping->last);
    inspect_hex(in, "leads-to", mapping->output);
    inspect_text(in, "permissions", "%c%c", mapping->perms & PT_PERM_READ ? 'r' : '-',
                 mapping->perms & PT_PERM_WRITE ? 'w' : '-');
    inspect_object_end(in);
    return FALSE;
}

void viommu_explain_fault(void *face, const struct iommu_fault *fault, struct iommu_words *words)
{
    static const char *const reasons[] = {
        [VIOMMU_R_UNKNOWN] = "refused",
        [VIOMMU_R_DOMAIN] = "the endpoint is not attached",
        [VIOMMU_R_MAPPING] = "not mapped, or not for such an access",
    };

    words->name = "reason";
    snprintf(words->text, sizeof(words->text), "%u, %s", fault->code, reasons[fault->code]);
}

void viommu_inspect(struct viommu *viommu, const struct inspect *in)
{
    struct listing listing = {.in = in};

    inspect_text(in, "name", "%s", viommu->name);
    inspect_object(in, "registers");
    inspect_hex(in, "features", viommu->features);
    inspect_flag(in, "bypass", viommu->bypass);
    inspect_number(in, "mappings", viommu->mappings);
    inspect_object_end(in);
    listing.left_out = list_endpoints(viommu, in);
    inspect_list(in, "mappings");
    for (uint32_t i = 0; i < viommu->params.features.domains; i++) {
        if (!viommu->domain[i])
            continue;
        listing.domain = i;
        g_tree_foreach(viommu->domain[i]->mappings, list_mapping, &listing);
    }
    inspect_list_end(in);
    inspect_more(in, listing.left_out);
    iommu_inspect(viommu->core, in);
}
