/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bursts: one structure for the memory writes that a page of payload is cut into, as long as nobody
 * looks at single ones. Queues and limits count what it stands for, so that it changes nothing.
 */
#include "pcilab/pci/tlp.h"

#include "pcilab/base/bits.h"

#include <assert.h>
#include <string.h>

/* Bytes from an address up to the next multiple of `bytes`. */
static unsigned first_part(uint64_t addr, unsigned bytes)
{
    return bytes - (unsigned)(addr & (bytes - 1));
}

void tlp_make_burst(struct tlp *tlp, unsigned bytes)
{
    uint64_t addr;
    unsigned len;

    assert(tlp->type == TLP_MWR && !tlp->td && !tlp->ep && !tlp->prefix_count && !tlp->at);
    if (!tlp_span(tlp, &addr, &len) || len <= first_part(addr, bytes)) {
        return;
    }
    tlp->burst_bytes = (uint16_t)bytes;
    tlp->burst_more = (uint16_t)((len - first_part(addr, bytes) + bytes - 1) / bytes);
}

struct tlp *tlp_burst_take(struct tlp **burst)
{
    struct tlp *rest = *burst, *tlp;
    unsigned len, part, skip;
    uint64_t addr, start = rest->addr;

    if (!rest->burst_more) {
        rest->burst_bytes = 0;
        *burst = NULL;
        return rest;
    }
    if (!tlp_span(rest, &addr, &len)) {
        assert(!"a burst has bytes");
    }
    part = first_part(addr, rest->burst_bytes);
    skip = (unsigned)(addr - start);
    tlp = tlp_new(rest->pool, TLP_MWR, (skip + part) / 4);
    tlp->requester = rest->requester;
    tlp->attr = rest->attr;
    tlp->tc = rest->tc;
    tlp->tag = rest->tag;
    tlp->ingress = rest->ingress;
    tlp_set_span(tlp, addr, part);
    memcpy(tlp->data, rest->data, skip + part);
    rest->data += skip + part;
    tlp_set_span(rest, addr + part, len - part);
    rest->burst_more--;
    return tlp;
}
