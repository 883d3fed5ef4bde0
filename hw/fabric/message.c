/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that several components send. */
#include "pcilab/fabric/message.h"

#include <string.h>

#include "pcilab/base/le.h"

struct tlp *tlp_new_message(struct tlp_pool *pool, struct pci_rid requester, enum tlp_msg_code code,
                            enum tlp_msg_routing routing)
{
    struct tlp *tlp = tlp_new(pool, TLP_MSG, 0);

    tlp->requester = requester;
    tlp->msg_code = (uint8_t)code;
    tlp->msg_routing = (uint8_t)routing;
    return tlp;
}

struct tlp *tlp_new_intx(struct tlp_pool *pool, struct pci_rid port, unsigned pin, bool level)
{
    unsigned code = (level ? TLP_MSG_ASSERT_INTA : TLP_MSG_DEASSERT_INTA) + pin;

    port.v &= 0xfff8;
    return tlp_new_message(pool, port, code, TLP_MSG_LOCAL);
}

struct tlp *tlp_clone(const struct tlp *tlp)
{
    struct tlp *copy = tlp_new(tlp->pool, tlp->type, tlp->data ? tlp->length_dw : 0);
    uint8_t *data = copy->data, *big = copy->big;

    /* Everything up to the payload's place is the header. */
    memcpy(copy, tlp, offsetof(struct tlp, data));
    memcpy(copy->prefix, tlp->prefix, tlp->prefix_count * sizeof(tlp->prefix[0]));
    copy->hold = (struct tlp_hold){0};
    copy->data = data;
    copy->big = big;
    copy->next = NULL;
    if (data)
        memcpy(data, tlp->data, tlp->length_dw * 4u);
    return copy;
}

struct tlp *tlp_new_msi(struct tlp_pool *pool, const struct pci_func *func, uint64_t addr,
                        uint32_t data)
{
    struct tlp *tlp;

    /* An MSI is a memory write, so Bus Master Enable and D0 rule it (7.5.1.1.3, 5.3.1.4.1). */
    if (!pci_func_bus_master(func) || pci_func_power_state(func) != 0)
        return NULL;
    tlp = tlp_new(pool, TLP_MWR, 1);
    tlp->requester = func->rid;
    tlp_set_span(tlp, addr, 4);
    le32_store(tlp->data, data);
    return tlp;
}
