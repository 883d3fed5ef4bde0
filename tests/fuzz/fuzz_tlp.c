/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a TLP: either none, or one that is well formed and whose prefixes, header and
 * payload come out as a TLP that reads the same.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "pcilab/pci/tlp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(struct tlp_pool *pool, const struct tlp *tlp)
{
    static uint8_t wire[TLP_HEAD_MAX + TLP_MAX_PAYLOAD_DW * 4 + 4], head[TLP_HEAD_MAX];
    unsigned len = tlp_encode_head(tlp, wire), payload = tlp->data ? tlp->length_dw * 4u : 0;
    char text[400], again[400];
    struct tlp *back;

    memcpy(wire + len, tlp->data ? tlp->data : wire, payload);
    back = tlp_decode(pool, wire, len + payload + (tlp->td ? 4 : 0));
    g_assert(back);
    g_assert(tlp_encode_head(back, head) == len && !memcmp(head, wire, len));
    g_assert(!payload || !memcmp(tlp->data, back->data, payload));
    tlp_describe(tlp, text, sizeof(text));
    tlp_describe(back, again, sizeof(again));
    g_assert_cmpstr(text, ==, again);
    tlp_free(back);
}

static void check_use(const struct tlp *tlp)
{
    static const uint8_t old[16];
    uint8_t result[16];
    uint64_t addr;
    unsigned len;

    g_assert(!tlp_malformed(tlp));
    tlp_span(tlp, &addr, &len);
    if (tlp_is_atomic(tlp)) {
        tlp_atomic_result(tlp, old, result);
    }
    if (!tlp_is_posted(tlp) && !tlp_is_completion(tlp)) {
        tlp_free(tlp_new_completion(tlp, tlp->dest, TLP_UR, 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tlp_pool *pool = tlp_pool_new();
    struct tlp *tlp = tlp_decode(pool, data, size);

    /* Random input rarely has the length that its header says: try what it does say. */
    for (size_t cut = 12; !tlp && cut < size && cut < 64; cut += 4) {
        tlp = tlp_decode(pool, data, cut);
    }
    if (tlp) {
        check_use(tlp);
        check_again(pool, tlp);
        tlp_free(tlp);
    }
    g_assert(tlp_pool_live(pool) == 0);
    tlp_pool_free(pool);
    return 0;
}
