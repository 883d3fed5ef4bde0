/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLPs that several components make. The caller owns what is returned. */
#ifndef PCILAB_FABRIC_MESSAGE_H
#define PCILAB_FABRIC_MESSAGE_H

#include "pcilab/pci/function.h"

/* A message without data. */
struct tlp *tlp_new_message(struct tlp_pool *pool, struct pci_rid requester, enum tlp_msg_code code,
                            enum tlp_msg_routing routing);
/* Assert_INTx or Deassert_INTx of a pin (0: INTA). The function number of the requester is
 * reserved, and so 0 (PCIe Base 6.0, 2.2.8.1). */
struct tlp *tlp_new_intx(struct tlp_pool *pool, struct pci_rid port, unsigned pin, bool level);
/* The memory write of a message-signalled interrupt; NULL when the function may not send it. */
struct tlp *tlp_new_msi(struct tlp_pool *pool, const struct pci_func *func, uint64_t addr,
                        uint32_t data);
/* A copy, payload and all, for broadcasts. */
struct tlp *tlp_clone(const struct tlp *tlp);

#endif
