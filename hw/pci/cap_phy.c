/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ports have because of their speed: Secondary PCI Express from 8.0 GT/s, Data Link Feature
 * and Physical Layer 16.0 GT/s from 16.0 GT/s, Physical Layer 32.0 GT/s (PCIe Base 6.0, 7.7.3 to
 * 7.7.6, 3.3).
 *
 * CHOICE: links always equalize well and at once: presets are what hardware starts from, lanes
 * report no errors and no parity mismatches.
 * UNIMPL: Lane Margining at the Receiver; Modified TS and Precoding (7.7.6).
 */
#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/link_caps.h"

#define SPEED_8GT  3
#define SPEED_16GT 4
#define SPEED_32GT 5

/* Preset 7 both ways (4.2.3.2) and receiver hints 7. */
#define EQ_8GT  0x7777u
#define EQ_FAST 0x77u

#define DLF_LOCAL                                                                                  \
    0x1u /* Scaled Flow Control; its factor is 1 here, so that credits stay as they are */

/* clang-format off */
static const struct reg_def secondary_rows[] = {
    {.name = "link_control_3", .clause = "PCIe 6.0 7.7.3.2", .offset = PCI_SEC_LNKCTL3, .width = 4},
    {.name = "lane_error_status", .clause = "PCIe 6.0 7.7.3.3", .offset = PCI_SEC_LANE_ERROR,
     .width = 4},
};

static const struct reg_def dlf_rows[] = {
    {.name = "data_link_feature_capabilities", .clause = "PCIe 6.0 7.7.4.2",
     .offset = PCI_DLF_CAP, .width = 4, .reset = DLF_LOCAL | PCI_DLF_EXCHANGE,
     .flr_keep = 0xffffffff},
    {.name = "data_link_feature_status", .clause = "PCIe 6.0 7.7.4.3", .offset = PCI_DLF_STATUS,
     .width = 4, .flr_keep = 0xffffffff},
};

/* Local, first and second retimer parity mismatch are RW1CS and stay 0. */
static const struct reg_def phy16_rows[] = {
    {.name = "16gt_capabilities", .clause = "PCIe 6.0 7.7.5.2", .offset = 0x04, .width = 4},
    {.name = "16gt_control", .clause = "PCIe 6.0 7.7.5.3", .offset = 0x08, .width = 4},
    {.name = "16gt_status", .clause = "PCIe 6.0 7.7.5.4", .offset = PCI_PHY_STATUS, .width = 4,
     .flr_keep = 0xffffffff},
    {.name = "16gt_local_parity", .clause = "PCIe 6.0 7.7.5.5", .offset = 0x10, .width = 4},
    {.name = "16gt_first_retimer_parity", .clause = "PCIe 6.0 7.7.5.6", .offset = 0x14,
     .width = 4},
    {.name = "16gt_second_retimer_parity", .clause = "PCIe 6.0 7.7.5.7", .offset = 0x18,
     .width = 4},
};

static const struct reg_def phy32_rows[] = {
    {.name = "32gt_capabilities", .clause = "PCIe 6.0 7.7.6.2", .offset = 0x04, .width = 4},
    {.name = "32gt_control", .clause = "PCIe 6.0 7.7.6.3", .offset = 0x08, .width = 4},
    {.name = "32gt_status", .clause = "PCIe 6.0 7.7.6.4", .offset = PCI_PHY_STATUS, .width = 4,
     .flr_keep = 0xffffffff},
    {.name = "32gt_received_1", .clause = "PCIe 6.0 7.7.6.5", .offset = 0x10, .width = 4},
    {.name = "32gt_received_2", .clause = "PCIe 6.0 7.7.6.6", .offset = 0x14, .width = 4},
    {.name = "32gt_sent_1", .clause = "PCIe 6.0 7.7.6.7", .offset = 0x18, .width = 4},
    {.name = "32gt_sent_2", .clause = "PCIe 6.0 7.7.6.8", .offset = 0x1c, .width = 4},
};

/* Four lanes' worth of equalization control, a byte a lane, and two with two bytes. */
static const struct reg_def lanes_row[] = {
    {.name = "lane_equalization_control", .clause = "PCIe 6.0 7.7.3.4, 7.7.5.8, 7.7.6.9",
     .offset = 0, .width = 4},
};
/* clang-format on */

static void place_lanes(struct pci_func *func, unsigned at, unsigned bytes, uint32_t value)
{
    for (unsigned i = 0; i < bytes; i += 4) {
        unsigned left = bytes - i < 4 ? (bytes - i) * 8 : 32;

        reg_space_place(func->cfg, at + i, lanes_row, 1);
        reg_hwinit(func->cfg, at + i, value & low_mask(left));
    }
}

static unsigned place_phy(struct pci_func *func, uint16_t id, const struct reg_def *rows,
                          unsigned count)
{
    unsigned lanes =
        (unsigned)FIELD_GET(PCIE_LNKCAP_WIDTH, reg_get(func->cfg, func->cap_pcie + PCIE_LNKCAP));
    unsigned cap =
        pci_func_place_ext_cap(func, id, 1, rows, count, PCI_PHY_LANES + ((lanes + 3) & ~3u));

    place_lanes(func, cap + PCI_PHY_LANES, lanes, EQ_FAST * 0x01010101u);
    return cap;
}

void pci_cap_phy_add(struct pci_func *func)
{
    uint64_t link = reg_get(func->cfg, func->cap_pcie + PCIE_LNKCAP);
    unsigned speed = (unsigned)FIELD_GET(PCIE_LNKCAP_SPEED, link);
    unsigned lanes = (unsigned)FIELD_GET(PCIE_LNKCAP_WIDTH, link), cap;
    bool down = func->pcie_type == PCIE_ROOT_PORT || func->pcie_type == PCIE_DOWNSTREAM_PORT;

    if (speed >= SPEED_8GT) {
        cap = pci_func_place_ext_cap(func, PCI_EXT_SECONDARY, 1, secondary_rows,
                                     ARRAY_LEN(secondary_rows),
                                     PCI_SEC_LANES + ((lanes * 2 + 3) & ~3u));
        place_lanes(func, cap + PCI_SEC_LANES, lanes * 2, EQ_8GT * 0x00010001u);
        if (down)
            reg_set_rw_mask(func->cfg, cap + PCI_SEC_LNKCTL3,
                            PCI_SEC_LNKCTL3_EQUALIZE | PCI_SEC_LNKCTL3_EQ_IE);
        func->ext_secondary = (uint16_t)cap;
    }
    if (speed >= SPEED_16GT) {
        func->ext_dlf = (uint16_t)pci_func_place_ext_cap(func, PCI_EXT_DLF, 1, dlf_rows,
                                                         ARRAY_LEN(dlf_rows), PCI_DLF_SIZE_BYTES);
        reg_set_rw_mask(func->cfg, func->ext_dlf + PCI_DLF_CAP, PCI_DLF_EXCHANGE);
        func->ext_phy16 =
            (uint16_t)place_phy(func, PCI_EXT_PHY16, phy16_rows, ARRAY_LEN(phy16_rows));
    }
    if (speed >= SPEED_32GT)
        func->ext_phy32 =
            (uint16_t)place_phy(func, PCI_EXT_PHY32, phy32_rows, ARRAY_LEN(phy32_rows));
}

static bool exchanges(const struct pci_func *func)
{
    return func && func->ext_dlf &&
           reg_get(func->cfg, func->ext_dlf + PCI_DLF_CAP) & PCI_DLF_EXCHANGE;
}

void pci_phy_link_up(struct pci_func *func, const struct pci_func *partner, unsigned speed)
{
    /* 3.3: both ends send Data Link Feature DLLPs, or the exchange is skipped. */
    if (func->ext_dlf) {
        uint64_t status = 0;

        if (exchanges(func) && exchanges(partner))
            status = (reg_get(partner->cfg, partner->ext_dlf + PCI_DLF_CAP) & PCI_DLF_FEATURES) |
                     PCI_DLF_REMOTE_VALID;
        reg_set(func->cfg, func->ext_dlf + PCI_DLF_STATUS, status);
    }
    if (func->ext_phy16 && speed >= SPEED_16GT)
        reg_set(func->cfg, func->ext_phy16 + PCI_PHY_STATUS, PCI_PHY_EQUALIZED);
    if (func->ext_phy32 && speed >= SPEED_32GT)
        reg_set(func->cfg, func->ext_phy32 + PCI_PHY_STATUS, PCI_PHY_EQUALIZED);
    /* Perform Equalization is done with the training that it was for (7.7.3.2). */
    if (func->ext_secondary)
        reg_update(func->cfg, func->ext_secondary + PCI_SEC_LNKCTL3, PCI_SEC_LNKCTL3_EQUALIZE, 0);
}

/* 3.2.1: upon entry to DL_Inactive. */
void pci_phy_link_down(struct pci_func *func)
{
    if (func->ext_dlf)
        reg_set(func->cfg, func->ext_dlf + PCI_DLF_STATUS, 0);
}
