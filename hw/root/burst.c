/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bursts (pcilab/pci/tlp.h) that come up to a root complex: whole into host memory, when each of
 * their TLPs would go there; otherwise one leaves the burst, goes the way of all TLPs, and the rest
 * is looked at again.
 */
#include "pcilab/fabric/receiver.h"

#include "internal.h"

/* To host memory, as far as the root port knows; all is in one page. */
static bool burst_goes_up(const struct root_complex *rc, int from, const struct tlp *tlp)
{
    enum pci_error kind;
    struct route route;

    if (from < 0)
        return true;
    if (receiver_objects(rc->down_func[from], true, tlp, &kind))
        return false;
    route_tlp(&rc->view, from, tlp, &route);
    return route.to == ROUTE_UP;
}

static bool burst_translates(const struct root_complex *rc, struct tlp *tlp)
{
    if (!rc->translator.translate)
        return true;
    return rc->translator.translate_burst &&
           rc->translator.translate_burst(rc->translator.opaque, tlp);
}

/* Consumes the burst; false: it has to be taken apart. */
static bool burst_whole(struct root_complex *rc, int from, struct tlp *tlp)
{
    uint64_t addr;
    unsigned len;

    if (!tlp_span(tlp, &addr, &len) || root_in_interrupt_range(addr) ||
        !burst_goes_up(rc, from, tlp) || !burst_translates(rc, tlp))
        return false;
    (void)tlp_span(tlp, &addr, &len);
    if (!root_in_interrupt_range(addr) &&
        rc->params.host->mem_write(rc->params.opaque, addr, tlp->data + (addr - tlp->addr), len)) {
        tlp_free(tlp);
        return true;
    }
    tlp->ingress = (uint16_t)(from >= 0 ? from + 1 : 0);
    while (tlp)
        root_translated(rc, tlp_burst_take(&tlp), true);
    return true;
}

void root_receive_burst(struct root_complex *rc, int from, struct tlp *tlp)
{
    while (tlp && !(tlp->burst_bytes && burst_whole(rc, from, tlp))) {
        struct tlp *one = tlp_burst_take(&tlp);

        if (from >= 0)
            root_port_receive(&rc->ports[from]->bridge, one);
        else
            root_receive(rc, from, one);
    }
}
