/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Access Control Services (PCIe Base 6.0, 6.12.1.1 for root ports and switch downstream ports). */
#include "pcilab/fabric/acs.h"

#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"

#define AT_TRANSLATED 2

static bool source_is_valid(const struct pci_func *port, const struct tlp *tlp)
{
    unsigned bus = pci_rid_bus(tlp->requester);

    return bus >= port->windows.secondary &&
           bus <= (flaw_on(port->flaws, FLAW_ACS_SUBORDINATE) ? port->windows.secondary
                                                              : port->windows.subordinate);
}

const char *acs_forbids(const struct pci_func *port, const struct tlp *tlp)
{
    if (!port->acs || tlp_is_completion(tlp))
        return NULL;
    if (port->acs & PCI_ACS_SOURCE_VALIDATION && !source_is_valid(port, tlp) &&
        !flaw_on(port->flaws, FLAW_ACS_SOURCE))
        return "ACS Source Validation: requester's bus is not below the port (6.12.1.1)";
    if (port->acs & PCI_ACS_TRANSLATION_BLOCK && tlp_is_memory(tlp) && tlp->at &&
        !flaw_on(port->flaws, FLAW_ACS_TRANSLATION))
        return "ACS Translation Blocking: address type is not default (6.12.1.1)";
    if (port->acs & PCI_ACS_IO_BLOCK && (tlp->type == TLP_IORD || tlp->type == TLP_IOWR) &&
        !flaw_on(port->flaws, FLAW_ACS_IO))
        return "ACS I/O Request Blocking (6.12.1.1)";
    return NULL;
}

/* Table 6-10: with Egress Control the vector tells which peers the other bits are about. */
enum acs_verdict acs_peer(const struct pci_func *port, const struct pci_func *peer,
                          const struct tlp *tlp)
{
    uint16_t acs = port->acs;
    bool marked = true;

    if (tlp_is_completion(tlp))
        return acs & PCI_ACS_COMPLETION_REDIRECT &&
                       (!(tlp->attr & TLP_ATTR_RELAXED) ||
                        flaw_on(port->flaws, FLAW_ACS_RELAXED)) &&
                       !flaw_on(port->flaws, FLAW_ACS_COMPLETION)
                   ? ACS_REDIRECT
                   : ACS_DIRECT;
    if (acs & PCI_ACS_DIRECT_TRANSLATED && tlp_is_memory(tlp) && tlp->at == AT_TRANSLATED &&
        !flaw_on(port->flaws, FLAW_ACS_DIRECT))
        return ACS_DIRECT;
    if (acs & PCI_ACS_EGRESS_CONTROL && !flaw_on(port->flaws, FLAW_ACS_VECTOR))
        marked = pci_acs_egress_bit(port, pcie_port_number(peer));
    if (!marked)
        return ACS_DIRECT;
    if (acs & PCI_ACS_REQUEST_REDIRECT && !flaw_on(port->flaws, FLAW_ACS_REQUEST))
        return ACS_REDIRECT;
    return acs & PCI_ACS_EGRESS_CONTROL && !flaw_on(port->flaws, FLAW_ACS_EGRESS) ? ACS_BLOCK
                                                                                  : ACS_DIRECT;
}

bool acs_redirects_unclaimed(const struct pci_func *port)
{
    return port->acs & PCI_ACS_UNCLAIMED_REDIRECT && !flaw_on(port->flaws, FLAW_ACS_UNCLAIMED);
}

bool acs_forwards_upstream(const struct pci_func *port)
{
    return port->acs & PCI_ACS_UPSTREAM_FORWARD && !flaw_on(port->flaws, FLAW_ACS_UPSTREAM);
}
