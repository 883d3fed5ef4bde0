/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ordering rules (PCIe Base 6.0, 2.4.1, table 2-42) for two TLPs of one traffic class. */
#ifndef PCILAB_FABRIC_ORDERING_H
#define PCILAB_FABRIC_ORDERING_H

#include "pcilab/pci/tlp.h"

/* May `later` overtake `earlier`? Where the table requires it to be able to, the answer is yes as
 * well; the queues see to that (docs/fabric.md). */
bool tlp_may_pass(const struct tlp *later, const struct tlp *earlier);

#endif
