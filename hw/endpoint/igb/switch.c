/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The internal switch of the 82576 (datasheet 2.63, 7.10.3.4 to 7.10.3.9): where a frame from a
 * queue goes, and what a pool may not send.
 */
#include <string.h>

#include "igb.h"

#define TAG_BYTES     4
#define WIRE_OVERHEAD 24 /* preamble, checksum, gap: IEEE 802.3, 4.2.7 */
#define BIT_PS_1000   1000

static void misbehaved(struct igb *nic, unsigned queue, const char *what)
{
    igb_rule(nic, what);
    reg_update(nic->regs, IGB_WVBR, 1u << queue, 1u << queue);
    igb_set(nic, IGB_LVMMC, 1u << 24 | queue << 20 | 1u << 8);
    if (igb_get(nic, IGB_DTXCTL) & (IGB_DTXCTL_SPOOF_INT | IGB_DTXCTL_MDP_EN))
        igb_irq_cause(nic, IGB_ICR_DOUTSYNC);
}

/* 8.14.18: its own address, and a VLAN that it belongs to. */
static bool allowed(struct igb *nic, unsigned queue, const uint8_t *frame, uint32_t len)
{
    uint32_t control = igb_get(nic, IGB_DTXSWC), pool = queue % IGB_POOLS;
    uint16_t tag;

    if (control >> pool & 1 && !igb_filter_owns(nic, pool, frame + 6)) {
        misbehaved(nic, queue, "a pool sends with an address that is not its own: dropped");
        return false;
    }
    if (control >> (8 + pool) & 1 && igb_frame_vlan(nic, frame, len, &tag) &&
        !igb_vlan_member(nic, pool, tag & 0xfff)) {
        misbehaved(nic, queue, "a pool sends to a VLAN that it is no member of: dropped");
        return false;
    }
    return true;
}

static void to_cable(struct igb *nic, const uint8_t *frame, uint32_t len)
{
    uint64_t now = nic->sim->now_ps;
    uint64_t from = nic->tx.wire_free_ps > now ? nic->tx.wire_free_ps : now;

    if (!nic->link)
        return;
    nic->tx.wire_free_ps = from + (uint64_t)(len + WIRE_OVERHEAD) * 8 * BIT_PS_1000;
    igb_count_sent(nic, frame, len);
    if (igb_phy_loops(nic) || igb_get(nic, IGB_RCTL) & IGB_RCTL_LBM)
        igb_rx_put(nic, frame, len, igb_filter(nic, frame, len));
    else
        nic->ops->output(nic->opaque, frame, len);
}

/* The tag that the pool's port adds (8.14.21); there is room for it. */
static uint32_t port_vlan(struct igb *nic, unsigned pool, uint8_t *frame, uint32_t len)
{
    uint32_t vmvir = igb_get(nic, IGB_VMVIR + 4 * pool);
    uint32_t vet = igb_get(nic, IGB_VET) & 0xffff;

    if (!(vmvir & IGB_VMVIR_DEFAULT) || len + TAG_BYTES > IGB_FRAME_MAX)
        return len;
    memmove(frame + 12 + TAG_BYTES, frame + 12, len - 12);
    frame[12] = (uint8_t)(vet >> 8);
    frame[13] = (uint8_t)vet;
    frame[14] = (uint8_t)(vmvir >> 8);
    frame[15] = (uint8_t)vmvir;
    return len + TAG_BYTES;
}

static void count_for_vf(struct igb *nic, unsigned vf, uint32_t len, bool looped)
{
    struct reg_space *regs = nic->vf[vf].regs;

    reg_set(regs, IGB_VFGPTC, reg_get(regs, IGB_VFGPTC) + 1);
    reg_set(regs, IGB_VFGOTC, reg_get(regs, IGB_VFGOTC) + len + 4);
    if (looped) {
        reg_set(regs, IGB_VFGPTLBC, reg_get(regs, IGB_VFGPTLBC) + 1);
        reg_set(regs, IGB_VFGOTLBC, reg_get(regs, IGB_VFGOTLBC) + len + 4);
    }
}

void igb_switch(struct igb *nic, unsigned queue, uint8_t *frame, uint32_t len)
{
    uint32_t pools = 0;
    unsigned pool = queue % IGB_POOLS;

    if (!igb_pools_on(nic)) {
        to_cable(nic, frame, len);
        return;
    }
    len = port_vlan(nic, pool, frame, len);
    if (!allowed(nic, queue, frame, len))
        return;
    if (igb_get(nic, IGB_DTXSWC) & IGB_DTXSWC_LOOPBACK) {
        pools = igb_filter(nic, frame, len);
        /* LLE: a pool hears itself only when it is meant to. */
        if (!(igb_get(nic, IGB_DTXSWC) >> (16 + pool) & 1))
            pools &= ~(1u << pool);
        if (pools)
            igb_rx_put(nic, frame, len, pools | IGB_RX_LOOPED);
    }
    if (pool < nic->vfs)
        count_for_vf(nic, pool, len, pools);
    if (igb_get(nic, IGB_DTXSWC) & IGB_DTXSWC_LOOPBACK && igb_filter_local(nic, frame))
        return; /* somebody here has the address: it does not leave */
    to_cable(nic, frame, len);
}
