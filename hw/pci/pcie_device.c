/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device registers of the PCI Express capability as requesters and completers read them. */
#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"

#define SIZE_BASE_BYTES 128
#define SIZE_CODE_MAX   5 /* 4096 bytes; 6 and 7 are reserved */
#define MRRS_DEFAULT    2
#define RCB_ROOT_BYTES  64
#define RCB_OTHER_BYTES 128

/* A Virtual Function goes by its PF's controls (9.3.5.4). */
static const struct pci_func *ruling(const struct pci_func *func)
{
    return func->pf ? func->pf : func;
}

static uint64_t device_control(const struct pci_func *func)
{
    func = ruling(func);
    return reg_get(func->cfg, func->cap_pcie + PCIE_DEVCTL);
}

unsigned pcie_max_payload_bytes(const struct pci_func *func)
{
    unsigned code;

    if (!func->cap_pcie) {
        return SIZE_BASE_BYTES;
    }
    code = (unsigned)FIELD_GET(PCIE_DEVCTL_MPS, device_control(func));
    /* More than what is supported is software's error (7.5.3.4); what is supported holds. */
    return SIZE_BASE_BYTES << (code < func->pcie_max_mps ? code : func->pcie_max_mps);
}

unsigned pcie_max_read_request_bytes(const struct pci_func *func)
{
    unsigned code;

    if (!func->cap_pcie) {
        return SIZE_BASE_BYTES << MRRS_DEFAULT;
    }
    code = flaw_on(func->flaws, FLAW_MAX_READ_REQUEST)
               ? SIZE_CODE_MAX
               : (unsigned)FIELD_GET(PCIE_DEVCTL_MRRS, device_control(func));
    return SIZE_BASE_BYTES << (code < SIZE_CODE_MAX ? code : SIZE_CODE_MAX);
}

unsigned pcie_completion_boundary_bytes(const struct pci_func *func)
{
    /* 2.3.1.1: 64 or 128 bytes for a root complex (here 64), 128 for all others. */
    return func->cap_pcie && func->pcie_type == PCIE_ROOT_PORT ? RCB_ROOT_BYTES : RCB_OTHER_BYTES;
}

bool pcie_extended_tags(const struct pci_func *func)
{
    return func->cap_pcie && (device_control(func) & PCIE_DEVCTL_EXT_TAG);
}

uint8_t pcie_allowed_attr(const struct pci_func *func, uint8_t attr)
{
    uint64_t control, control2;
    uint8_t allowed = 0;

    if (!func->cap_pcie) {
        return attr & (TLP_ATTR_RELAXED | TLP_ATTR_NO_SNOOP);
    }
    control = device_control(func);
    func = ruling(func);
    control2 = reg_get(func->cfg, func->cap_pcie + PCIE_DEVCTL2);
    allowed |= control & PCIE_DEVCTL_RELAXED || flaw_on(func->flaws, FLAW_RELAXED_ORDERING)
                   ? TLP_ATTR_RELAXED
                   : 0;
    allowed |= control & PCIE_DEVCTL_NO_SNOOP ? TLP_ATTR_NO_SNOOP : 0;
    allowed |= control2 & PCIE_DEVCTL2_IDO_REQUEST ? TLP_ATTR_IDO : 0;
    return attr & allowed;
}

bool pcie_ari_forwarding(const struct pci_func *func)
{
    return func->cap_pcie &&
           (reg_get(func->cfg, func->cap_pcie + PCIE_DEVCTL2) & PCIE_DEVCTL2_ARI) &&
           !flaw_on(func->flaws, FLAW_ARI_FORWARDING);
}

static bool control_2(const struct pci_func *func, uint16_t bit)
{
    func = ruling(func);
    return func->cap_pcie && (reg_get(func->cfg, func->cap_pcie + PCIE_DEVCTL2) & bit);
}

/* Of a VF its PF's SR-IOV capability would say it, which does not support it (9.3.3.2). */
bool pcie_ten_bit_tags(const struct pci_func *func)
{
    return !func->pf && control_2(func, PCIE_DEVCTL2_10BIT_REQ);
}

static uint64_t capabilities_2(const struct pci_func *func)
{
    return func->cap_pcie ? reg_get(func->cfg, func->cap_pcie + PCIE_DEVCAP2) : 0;
}

static bool control_3(const struct pci_func *func, unsigned bit)
{
    func = ruling(func);
    return func->ext_dev3 && (reg_get(func->cfg, func->ext_dev3 + PCI_DEV3_CTL) & bit);
}

unsigned pcie_atomic_completer(const struct pci_func *func)
{
    uint64_t caps = capabilities_2(func);

    return (caps & PCIE_DEVCAP2_ATOMIC_32 ? 4 : 0) | (caps & PCIE_DEVCAP2_ATOMIC_64 ? 8 : 0) |
           (caps & PCIE_DEVCAP2_ATOMIC_128 ? 16 : 0);
}

bool pcie_atomic_requester(const struct pci_func *func)
{
    return control_2(func, PCIE_DEVCTL2_ATOMIC) || flaw_on(func->flaws, FLAW_ATOMIC_REQUESTER);
}

unsigned pcie_prefixes(const struct pci_func *func)
{
    uint64_t caps = capabilities_2(func);
    unsigned most = (unsigned)FIELD_GET(PCIE_DEVCAP2_PREFIX_MAX, caps);

    return !(caps & PCIE_DEVCAP2_PREFIX) ? 0 : most ? most : TLP_END_END_MAX;
}

bool pcie_prefix_blocked(const struct pci_func *func)
{
    return control_2(func, PCIE_DEVCTL2_PREFIX_BLOCK);
}

bool pcie_atomic_routed(const struct pci_func *func)
{
    return capabilities_2(func) & PCIE_DEVCAP2_ATOMIC_ROUTE;
}

bool pcie_dmwr_routed(const struct pci_func *func)
{
    return func->ext_dev3 &&
           reg_get(func->cfg, func->ext_dev3 + PCI_DEV3_CAP) & PCI_DEV3_CAP_DMWR_ROUTE;
}

bool pcie_atomic_blocked(const struct pci_func *func)
{
    return control_2(func, PCIE_DEVCTL2_ATOMIC_BLOCK);
}

unsigned pcie_dmwr_completer_bytes(const struct pci_func *func)
{
    uint64_t caps = capabilities_2(func);

    if (!(caps & PCIE_DEVCAP2_DMWR)) {
        return 0;
    }
    return caps & PCIE_DEVCAP2_DMWR_LENGTHS ? 128 : 64;
}

bool pcie_dmwr_requester(const struct pci_func *func)
{
    return control_3(func, PCI_DEV3_CTL_DMWR);
}

bool pcie_dmwr_blocked(const struct pci_func *func)
{
    return control_3(func, PCI_DEV3_CTL_DMWR_BLOCK);
}

bool pcie_rrs_visible(const struct pci_func *func)
{
    return func->cap_pcie && reg_has(func->cfg, func->cap_pcie + PCIE_ROOTCTL) &&
           reg_get(func->cfg, func->cap_pcie + PCIE_ROOTCTL) & PCIE_ROOTCTL_RRS_VISIBLE;
}

unsigned pcie_port_number(const struct pci_func *func)
{
    if (!func->cap_pcie || !reg_has(func->cfg, func->cap_pcie + PCIE_LNKCAP)) {
        return 0;
    }
    return (unsigned)FIELD_GET(PCIE_LNKCAP_PORT, reg_get(func->cfg, func->cap_pcie + PCIE_LNKCAP));
}

void pcie_note_device_status(struct pci_func *func, uint16_t bits)
{
    if (func->cap_pcie && !flaw_on(func->flaws, FLAW_AER_DEVICE_STATUS)) {
        reg_update(func->cfg, func->cap_pcie + PCIE_DEVSTA, bits & PCIE_DEVSTA_ERRORS, bits);
    }
}

void pcie_set_transactions_pending(struct pci_func *func, bool pending)
{
    if (func->cap_pcie) {
        reg_update(func->cfg, func->cap_pcie + PCIE_DEVSTA, PCIE_DEVSTA_PENDING,
                   pending ? PCIE_DEVSTA_PENDING : 0);
    }
}

void pcie_capture_slot_power(struct pci_func *func, uint32_t limit)
{
    if (func->cap_pcie && !flaw_on(func->flaws, FLAW_SLOT_POWER_CAPTURE)) {
        reg_update(func->cfg, func->cap_pcie + PCIE_DEVCAP, PCIE_DEVCAP_POWER,
                   FIELD_PREP(PCIE_DEVCAP_POWER, limit & 0x3ff));
    }
}
