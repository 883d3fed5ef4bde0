/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What some TLPs have on top: AtomicOp arithmetic and TLP prefixes (PCIe Base 6.0, 2.2.10, 6.15).
 */
#include "pcilab/pci/tlp.h"

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

#include <assert.h>
#include <string.h>

#define PASID_VALUE      0x000fffffu
#define PASID_EXECUTE    0x00100000u
#define PASID_PRIVILEGED 0x00200000u
#define TPH_TAG_HIGH     0x00ff0000u

unsigned tlp_operand_bytes(const struct tlp *tlp)
{
    /* The payload of CAS is two operands: what to compare with, what to put there. */
    return tlp->type == TLP_CAS ? tlp->length_dw * 2u : tlp->length_dw * 4u;
}

bool tlp_atomic_result(const struct tlp *tlp, const uint8_t *old, uint8_t *result)
{
    unsigned bytes = tlp_operand_bytes(tlp);

    assert(tlp_is_atomic(tlp) && tlp->data);
    switch (tlp->type) {
    case TLP_FETCHADD:
        assert(bytes <= 8);
        le_store(result, le_load(old, bytes) + le_load(tlp->data, bytes), bytes);
        return true;
    case TLP_SWAP: memcpy(result, tlp->data, bytes); return true;
    default:
        if (memcmp(old, tlp->data, bytes) && !tlp_flawed(tlp, FLAW_ATOMIC_CAS_SWAPS)) {
            return false;
        }
        memcpy(result, tlp->data + bytes, bytes);
        return true;
    }
}

static bool prefix_is_end_end(uint32_t prefix)
{
    return prefix >> 24 & TLP_PREFIX_END_END;
}

unsigned tlp_end_end_prefixes(const struct tlp *tlp)
{
    unsigned count = 0;

    for (unsigned i = 0; i < tlp->prefix_count; i++) {
        count += prefix_is_end_end(tlp->prefix[i]);
    }
    return count;
}

bool tlp_add_prefix(struct tlp *tlp, uint32_t prefix)
{
    unsigned end_end = tlp_end_end_prefixes(tlp), at = tlp->prefix_count;

    if (at == TLP_PREFIX_MAX || (prefix_is_end_end(prefix) && end_end == TLP_END_END_MAX)) {
        return false;
    }
    if (!prefix_is_end_end(prefix)) {
        at -= end_end;
        memmove(&tlp->prefix[at + 1], &tlp->prefix[at], end_end * sizeof(tlp->prefix[0]));
    }
    tlp->prefix[at] = prefix;
    tlp->prefix_count++;
    return true;
}

bool tlp_get_pasid(const struct tlp *tlp, struct tlp_pasid *out)
{
    const uint32_t *prefix = tlp_find_prefix(tlp, TLP_PREFIX_PASID);

    if (!prefix) {
        return false;
    }
    *out = (struct tlp_pasid){
        .pasid = *prefix & PASID_VALUE,
        .privileged = *prefix & PASID_PRIVILEGED,
        .execute = *prefix & PASID_EXECUTE,
    };
    return true;
}

void tlp_set_pasid(struct tlp *tlp, const struct tlp_pasid *pasid)
{
    uint32_t value = (uint32_t)TLP_PREFIX_PASID << 24 | (pasid->pasid & PASID_VALUE) |
                     (pasid->privileged ? PASID_PRIVILEGED : 0) |
                     (pasid->execute ? PASID_EXECUTE : 0);
    uint32_t *prefix = (uint32_t *)tlp_find_prefix(tlp, TLP_PREFIX_PASID);
    bool room = true;

    if (prefix) {
        *prefix = value;
    } else {
        room = tlp_add_prefix(tlp, value);
    }
    assert(room && "whoever adds prefixes knows how many there are");
    (void)room;
}

void tlp_drop_pasid(struct tlp *tlp)
{
    const uint32_t *prefix = tlp->prefix_count ? tlp_find_prefix(tlp, TLP_PREFIX_PASID) : NULL;

    if (!prefix)
        return;
    tlp->prefix_count--;
    for (unsigned i = (unsigned)(prefix - tlp->prefix); i < tlp->prefix_count; i++)
        tlp->prefix[i] = tlp->prefix[i + 1];
    if (tlp->td)
        tlp_add_ecrc(tlp);
}

unsigned tlp_steering_tag(const struct tlp *tlp)
{
    const uint32_t *prefix = tlp_find_prefix(tlp, TLP_PREFIX_TPH);
    unsigned high = prefix ? (unsigned)FIELD_GET(TPH_TAG_HIGH, *prefix) : 0;

    return high << 8 | tlp->st;
}
