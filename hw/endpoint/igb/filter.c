/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which frames the 82576 takes, and for which pools (datasheet 2.63, 7.1.2 and 7.10.3).
 *
 * CHOICE: a tag that no VLVF entry knows leads to the default pool alone.
 */
#include <string.h>

#include "igb.h"

#define ADDRESSES 24
#define ALL_POOLS 0xffu

static unsigned ral(unsigned index)
{
    return index < 16 ? IGB_RA + 8 * index : IGB_RA2 + 8 * (index - 16);
}

/* Pools of the receive address entries that match; `any`: there is one, of whatever pool. */
static uint32_t exact(const struct igb *nic, const uint8_t *address, bool *any)
{
    uint32_t low = le32_load(address), high = le16_load(address + 4), pools = 0;

    for (unsigned i = 0; i < ADDRESSES; i++) {
        uint32_t rah = igb_get(nic, ral(i) + 4);

        if (rah & IGB_RAH_AV && (rah & 0xffff) == high && igb_get(nic, ral(i)) == low) {
            *any = true;
            pools |= rah >> 18 & ALL_POOLS;
        }
    }
    return pools;
}

/* 8.11.3: which of 4096 bits, by RCTL.MO. */
static bool hashed(const struct igb *nic, unsigned table, const uint8_t *address)
{
    static const uint8_t shifts[] = {4, 3, 2, 0};
    unsigned shift = shifts[igb_get(nic, IGB_RCTL) >> 12 & 3];
    unsigned bit = ((unsigned)address[4] >> shift | (unsigned)address[5] << (8 - shift)) & 0xfff;

    return igb_get(nic, table + 4 * (bit >> 5)) >> (bit & 31) & 1;
}

static bool is_broadcast(const uint8_t *address)
{
    static const uint8_t all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    return memcmp(address, all, sizeof(all)) == 0;
}

bool igb_frame_vlan(const struct igb *nic, const uint8_t *frame, uint32_t len, uint16_t *tag)
{
    uint32_t vet = igb_get(nic, IGB_VET) & 0xffff;

    if (len < 18 || ((uint32_t)frame[12] << 8 | frame[13]) != vet)
        return false;
    *tag = (uint16_t)(frame[14] << 8 | frame[15]);
    return true;
}

static bool vlan_wanted(const struct igb *nic, uint16_t vid)
{
    return !(igb_get(nic, IGB_RCTL) & IGB_RCTL_VFE) ||
           igb_get(nic, IGB_VFTA + 4 * (vid >> 5)) >> (vid & 31) & 1;
}

/* Without pools: 7.1.2.1. */
static bool accepts(const struct igb *nic, const uint8_t *frame)
{
    uint32_t rctl = igb_get(nic, IGB_RCTL);
    bool any = false;

    exact(nic, frame, &any);
    if (is_broadcast(frame))
        return rctl & IGB_RCTL_BAM || any;
    if (frame[0] & 1)
        return rctl & IGB_RCTL_MPE || any || hashed(nic, IGB_MTA, frame);
    return rctl & IGB_RCTL_UPE || any || hashed(nic, IGB_UTA, frame);
}

static uint32_t pools_with(const struct igb *nic, uint32_t vmolr)
{
    uint32_t pools = 0;

    for (unsigned i = 0; i < IGB_POOLS; i++)
        pools |= igb_get(nic, IGB_VMOLR + 4 * i) & vmolr ? 1u << i : 0;
    return pools;
}

static uint32_t default_pool(const struct igb *nic)
{
    uint32_t vt = igb_get(nic, IGB_VT_CTL);

    return vt & IGB_VT_CTL_NO_DEF_PL ? 0 : 1u << IGB_VT_CTL_DEF_PL(vt);
}

/* 7.10.3.3: by address. */
static uint32_t pools_by_address(const struct igb *nic, const uint8_t *frame)
{
    bool any = false;
    uint32_t pools =
        igb_get(nic, IGB_VT_CTL) & IGB_VT_CTL_IGNORE_MAC ? ALL_POOLS : exact(nic, frame, &any);

    if (is_broadcast(frame)) {
        pools |= pools_with(nic, IGB_VMOLR_BAM);
    } else if (frame[0] & 1) {
        if (hashed(nic, IGB_MTA, frame))
            pools |= pools_with(nic, IGB_VMOLR_ROMPE);
        pools |= pools_with(nic, IGB_VMOLR_MPME);
    } else if (!pools && hashed(nic, IGB_UTA, frame)) {
        pools |= pools_with(nic, IGB_VMOLR_ROPE);
    }
    return pools;
}

static uint32_t vlan_pools(const struct igb *nic, uint16_t vid, bool *known)
{
    uint32_t pools = 0;

    for (unsigned i = 0; i < 32; i++) {
        uint32_t entry = igb_get(nic, IGB_VLVF + 4 * i);

        if (entry & IGB_VLVF_VALID && (entry & 0xfff) == vid) {
            *known = true;
            pools |= IGB_VLVF_POOLS(entry);
        }
    }
    return pools;
}

bool igb_vlan_member(struct igb *nic, unsigned pool, uint16_t vid)
{
    bool known = false;

    return vlan_pools(nic, vid, &known) >> pool & 1;
}

static uint32_t pools_by_vlan(const struct igb *nic, const uint8_t *frame, uint32_t len)
{
    bool known = false;
    uint16_t tag;

    if (!igb_frame_vlan(nic, frame, len, &tag))
        return pools_with(nic, IGB_VMOLR_AUPE);
    uint32_t pools = vlan_pools(nic, tag & 0xfff, &known);
    return known ? pools : default_pool(nic);
}

static uint32_t pools_by_length(const struct igb *nic, uint32_t len)
{
    uint32_t pools = 0;

    for (unsigned i = 0; i < IGB_POOLS; i++) {
        uint32_t vmolr = igb_get(nic, IGB_VMOLR + 4 * i);
        uint32_t max = vmolr & IGB_VMOLR_LPE ? vmolr & IGB_VMOLR_RLPML : 1518 + 4;

        pools |= len + 4 <= max ? 1u << i : 0;
    }
    return pools;
}

static bool length_allowed(const struct igb *nic, uint32_t len)
{
    uint32_t rctl = igb_get(nic, IGB_RCTL);
    uint32_t max = rctl & IGB_RCTL_LPE ? igb_get(nic, IGB_RLPML) : 1518 + 4;

    return len + 4 <= max;
}

uint32_t igb_filter(struct igb *nic, const uint8_t *frame, uint32_t len)
{
    uint16_t tag;

    if (!length_allowed(nic, len)) {
        igb_count(nic, IGB_ROC);
        return 0;
    }
    if (igb_frame_vlan(nic, frame, len, &tag) && !vlan_wanted(nic, tag & 0xfff))
        return 0;
    if (!igb_pools_on(nic))
        return accepts(nic, frame);

    uint32_t pools = pools_by_address(nic, frame);
    if (!pools && accepts(nic, frame))
        pools = default_pool(nic);
    pools &= pools_by_vlan(nic, frame, len) & pools_by_length(nic, len);
    /* 8.14.6: Virtual Functions receive when they are let. */
    pools &= ~((1u << nic->vfs) - 1) | igb_get(nic, IGB_VFRE);
    /* 8.14.1, Rpl_En: else one pool gets it, the default one where that is among them. */
    if (!(igb_get(nic, IGB_VT_CTL) & IGB_VT_CTL_REPLICATE) && pools & (pools - 1))
        pools = pools & default_pool(nic) ? default_pool(nic) : pools & -pools;
    return pools;
}

bool igb_filter_owns(struct igb *nic, unsigned pool, const uint8_t *address)
{
    bool any = false;

    return exact(nic, address, &any) >> pool & 1;
}

bool igb_filter_local(struct igb *nic, const uint8_t *address)
{
    bool any = false;

    return !(address[0] & 1) && exact(nic, address, &any);
}
