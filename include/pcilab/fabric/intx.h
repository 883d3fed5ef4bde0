/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * INTx virtual wires (PCIe Base 6.0, 2.2.8.1): four levels that messages set and clear, ORed over
 * everything behind a port and swizzled by device number on the way up.
 */
#ifndef PCILAB_FABRIC_INTX_H
#define PCILAB_FABRIC_INTX_H

#include "pcilab/pci/tlp.h"

#define INTX_PINS 4

/* The OR of any number of sources per pin. */
struct intx_wires {
    uint16_t asserted[INTX_PINS]; /* how many sources assert it */
};

/* Pin (0: INTA) on the primary side of a bridge, or of a root complex, for a pin of `device` on
 * the secondary side (table 2-21; PCI-to-PCI Bridge 1.2, 9.1). */
static inline unsigned intx_swizzle(unsigned device, unsigned pin)
{
    return (device + pin) % INTX_PINS;
}

/* One source changed: true when the wire's level changed with it. The caller tells only changes. */
static inline bool intx_drive(struct intx_wires *wires, unsigned pin, bool level)
{
    if (level)
        return wires->asserted[pin]++ == 0;
    return --wires->asserted[pin] == 0;
}

static inline bool tlp_is_intx(const struct tlp *tlp)
{
    return tlp->type == TLP_MSG && tlp->msg_code >= TLP_MSG_ASSERT_INTA &&
           tlp->msg_code < TLP_MSG_DEASSERT_INTA + INTX_PINS;
}

static inline unsigned tlp_intx_pin(const struct tlp *tlp)
{
    return tlp->msg_code % INTX_PINS;
}

static inline bool tlp_intx_level(const struct tlp *tlp)
{
    return tlp->msg_code < TLP_MSG_DEASSERT_INTA;
}

#endif
