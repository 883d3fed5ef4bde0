/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power management of a link: its fields in the PCI Express capability (PCIe Base 6.0, 7.5.3.3,
 * 7.5.3.6), and what one end of a link makes of all the registers.
 */
#include "pcilab/pci/power.h"

#include "internal.h"
#include "pcie.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/link_caps.h"
#include "pcilab/sim/sim.h"

#define L0S_FIRST_NS     64u
#define LATENCY_NO_LIMIT 7u

/* Exit latencies: code n is "less than 2^n units", the last "more than". */
static unsigned exit_code(unsigned latency, unsigned unit)
{
    unsigned code = 0;

    while (code < 7 && latency >= unit << code)
        code++;
    return code;
}

/* Acceptable latencies: code n is "at most 2^n units". Rounded down: never more than was said. */
static unsigned acceptable_code(unsigned latency, unsigned unit)
{
    unsigned code = 0;

    if (!latency)
        return LATENCY_NO_LIMIT;
    while (code < 6 && latency >= unit << (code + 1))
        code++;
    return code;
}

uint32_t pcie_power_device_caps(const struct pcie_power_params *power)
{
    return (uint32_t)(FIELD_PREP(PCIE_DEVCAP_L0S,
                                 acceptable_code(power->l0s_acceptable_ns, L0S_FIRST_NS)) |
                      FIELD_PREP(PCIE_DEVCAP_L1, acceptable_code(power->l1_acceptable_us, 1)));
}

uint32_t pcie_power_link_caps(const struct pcie_power_params *power)
{
    uint64_t caps = FIELD_PREP(PCIE_LNKCAP_ASPM, power->aspm);

    if (power->aspm & PCIE_ASPM_L0S)
        caps |= FIELD_PREP(PCIE_LNKCAP_L0S_EXIT, exit_code(power->l0s_exit_ns, L0S_FIRST_NS));
    if (power->aspm & PCIE_ASPM_L1)
        caps |= FIELD_PREP(PCIE_LNKCAP_L1_EXIT, exit_code(power->l1_exit_us, 1));
    return (uint32_t)caps;
}

uint64_t pci_latency_ps(unsigned value, unsigned scale)
{
    return scale <= 5 ? ((uint64_t)value << 5 * scale) * PS_PER_NS : 0;
}

static uint64_t power_on_ps(uint64_t control2)
{
    static const uint8_t unit_us[] = {2, 10, 100, 0};
    unsigned scale = (unsigned)FIELD_GET(PCI_L1SS_CTL2_SCALE, control2);

    return FIELD_GET(PCI_L1SS_CTL2_VALUE, control2) * unit_us[scale] * PS_PER_US;
}

static void substates_state(const struct pci_func *func, struct pcie_power_state *state)
{
    uint64_t control = reg_get(func->cfg, func->ext_l1ss + PCI_L1SS_CTL1);

    state->substates = control & func->power.substates;
    state->l12_exit_ps = power_on_ps(reg_get(func->cfg, func->ext_l1ss + PCI_L1SS_CTL2)) +
                         FIELD_GET(PCI_L1SS_CTL1_COMMON, control) * PS_PER_US;
    state->threshold_ps =
        pci_latency_ps((unsigned)FIELD_GET(PCI_L1SS_CTL1_THRESHOLD, control),
                       (unsigned)FIELD_GET(PCI_L1SS_CTL1_THRESHOLD_SCALE, control));
}

void pcie_power_state(const struct pci_func *func, struct pcie_power_state *state)
{
    *state = (struct pcie_power_state){.sleeping = pci_func_power_state(func) != 0};
    if (!func->cap_pcie || !reg_has(func->cfg, func->cap_pcie + PCIE_LNKCTL))
        return;
    state->aspm = reg_get(func->cfg, func->cap_pcie + PCIE_LNKCTL) & func->power.aspm;
    state->l0s_exit_ps = func->power.l0s_exit_ns * PS_PER_NS;
    state->l1_exit_ps = func->power.l1_exit_us * PS_PER_US;
    if (func->ext_l1ss)
        substates_state(func, state);
}

static bool touches(unsigned offset, unsigned len, unsigned reg, unsigned bytes)
{
    return offset < reg + bytes && reg < offset + len;
}

bool pcie_power_concerns(const struct pci_func *func, unsigned offset, unsigned len)
{
    return (func->cap_pcie && touches(offset, len, func->cap_pcie + PCIE_LNKCTL, 2)) ||
           (func->cap_pm && touches(offset, len, func->cap_pm + PCI_PM_CSR, 2)) ||
           (func->cap_pcie && touches(offset, len, func->cap_pcie + PCIE_DEVCTL2, 2)) ||
           (func->ext_ltr && touches(offset, len, func->ext_ltr, PCI_LTR_SIZE_BYTES)) ||
           (func->ext_l1ss && touches(offset, len, func->ext_l1ss, PCI_L1SS_SIZE_BYTES));
}

void pci_link_caps_add(struct pci_func *func)
{
    unsigned control = func->cap_pcie + PCIE_DEVCTL2;

    pci_cap_phy_add(func);
    if (func->power.substates)
        pci_cap_l1ss_add(func);
    if (func->power.ltr) {
        reg_set_rw_mask(func->cfg, control, reg_rw_mask(func->cfg, control) | PCIE_DEVCTL2_LTR);
        if (func->pcie_type == PCIE_ENDPOINT || func->pcie_type == PCIE_UPSTREAM_PORT)
            pci_cap_ltr_add(func);
    }
}
