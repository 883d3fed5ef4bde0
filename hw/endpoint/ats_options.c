/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of Address Translation Services a topology says: the cache's size, and capability bits that
 * drivers look for and do not find. */
#include "ats_state.h"

static void set_options(struct endpoint_func *func, const struct endpoint_ats_options *options)
{
    if (!func->ats)
        return;
    if (options->entries)
        func->ats->entries = options->entries;
    if (options->not_aligned)
        pci_ats_set_not_aligned(func->pci);
    if (options->no_response_pasid && func->pri)
        pci_pri_set_no_response_pasid(func->pci);
}

void endpoint_set_ats_options(struct endpoint *ep, const struct endpoint_ats_options *options)
{
    for (unsigned i = 0; i < ep->func_count; i++) {
        struct endpoint_func *func = ep->funcs[i];

        set_options(func, options);
        for (unsigned v = 0; v < func->vf_count; v++)
            set_options(func->vfs[v], options);
    }
}
