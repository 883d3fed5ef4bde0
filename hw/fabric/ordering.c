/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ordering table. Rows are the later TLP, columns the earlier one. */
#include "pcilab/fabric/ordering.h"

/* ID-based ordering: different requesters, or different processes of one (rules A2b to D2b). */
static bool ids_differ(const struct tlp *later, struct pci_rid id, const struct tlp *earlier)
{
    struct tlp_pasid a, b;

    if (id.v != earlier->requester.v)
        return true;
    return !tlp_is_completion(later) && later->prefix_count && earlier->prefix_count &&
           tlp_get_pasid(later, &a) && tlp_get_pasid(earlier, &b) && a.pasid != b.pasid;
}

static bool may_pass_posted(const struct tlp *later, const struct tlp *earlier)
{
    bool relaxed = later->attr & TLP_ATTR_RELAXED, by_id = later->attr & TLP_ATTR_IDO;

    /* D2: completions of I/O and configuration writes have no data, as those that only tell of an
     * error; they cannot be told apart, so the rule is not made use of. */
    if (tlp_is_completion(later))
        return relaxed || (by_id && ids_differ(later, later->completer, earlier));
    /* B2: relaxed ordering means nothing to read requests; C2, A2. */
    if (relaxed && later->data)
        return true;
    return by_id && ids_differ(later, later->requester, earlier);
}

bool tlp_may_pass(const struct tlp *later, const struct tlp *earlier)
{
    if (tlp_is_posted(earlier))
        return may_pass_posted(later, earlier);
    /* D5: completions of one request stay in order. */
    if (tlp_is_completion(earlier) && tlp_is_completion(later))
        return later->requester.v != earlier->requester.v || later->tag != earlier->tag;
    return true;
}
