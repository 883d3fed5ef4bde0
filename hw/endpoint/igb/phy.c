/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The internal copper PHY of the 82576 (datasheet 2.63, 3.5 and 8.25; IEEE 802.3, clause 22) behind
 * MDIC, and the link. The partner at the other end of the cable can 1000BASE-T full duplex and
 * pause frames.
 *
 * UNIMPL: speeds below 1000 Mb/s are shown where software forces them, but frames take no longer;
 * half duplex, pause frames.
 */
#include "igb.h"

#define DS "82576 datasheet 2.63, 8.25; "

/* CHOICE: a cable takes seconds; the specification leaves open how long (IEEE 802.3, 28.3.2). */
#define NEGOTIATION_PS (50 * PS_PER_MS)

#define PHY_ADDRESS 1

enum {
    CONTROL = 0,
    STATUS,
    ID1,
    ID2,
    ADVERTISE,
    PARTNER,
    EXPANSION,
    GIG_CONTROL = 9,
    GIG_STATUS,
    EXTENDED = 15,
    PORT_CONFIG,
    PORT_STATUS,
    PORT_CONTROL,
    LINK_HEALTH,
    POWER = 25,
    PAGE = 31
};

#define REG(n) ((n)*2)

#define CONTROL_RESET    0x8000
#define CONTROL_LOOPBACK 0x4000
#define CONTROL_100      0x2000
#define CONTROL_AUTO     0x1000
#define CONTROL_DOWN     0x0800
#define CONTROL_RESTART  0x0200
#define CONTROL_DUPLEX   0x0100
#define CONTROL_1000     0x0040
#define STATUS_COMPLETE  0x0020
#define STATUS_LINK      0x0004
#define PARTNER_ABILITY  0x4de1 /* acknowledge, pause, 100 and 10 Mb/s, IEEE 802.3 */
#define GIG_PARTNER      0x7c00 /* master, both receivers good, 1000 full and half duplex */
#define PORT_1000_FULL   0xc200

#define MDIC_REGISTER(v) (((v) >> 16) & 0x1f)
#define MDIC_PHY(v)      (((v) >> 21) & 0x1f)
#define MDIC_OP(v)       (((v) >> 26) & 3)
#define MDIC_READY       0x10000000
#define MDIC_INTERRUPT   0x20000000
#define MDIC_ERROR       0x40000000
#define MDIC_EXTERNAL    0x80000000
enum { MDIC_WRITE = 1, MDIC_READ = 2 };

#define STATUS_FD         0x00000001
#define STATUS_LU         0x00000002
#define STATUS_100        0x00000040
#define STATUS_1000       0x00000080
#define STATUS_LAN_INIT   0x00000200
#define STATUS_VFS(n)     ((uint32_t)(n) << 14)
#define STATUS_IOV        0x00040000
#define STATUS_MASTER     0x00080000
#define STATUS_RESET_DONE 0x00200000

static void control_written(struct reg_space *space, unsigned offset,
                            const struct reg_write *write);
static uint64_t status_read(struct reg_space *space, unsigned offset, uint64_t value);

#define ROW(n, c, r) .name = n, .clause = DS c, .offset = REG(r), .width = 2

static const struct reg_def phy_regs[] = {
    {ROW("control", "802.3, 22.2.4.1", CONTROL),
     .reset = CONTROL_AUTO | CONTROL_DUPLEX | CONTROL_1000, .rw = 0x7dc0,
     .w1t = CONTROL_RESET | CONTROL_RESTART, .on_write = control_written},
    {ROW("status", "802.3, 22.2.4.2", STATUS), .reset = 0x7949, .on_read = status_read},
    {ROW("id1", "802.3, 22.2.4.3.1", ID1), .reset = 0x02a8},
    {ROW("id2", "802.3, 22.2.4.3.1", ID2), .reset = 0x0391},
    {ROW("advertise", "802.3, 28.2.4.1.3", ADVERTISE), .reset = 0x0de1, .rw = 0xbfff},
    {ROW("partner", "802.3, 28.2.4.1.4", PARTNER)},
    {ROW("expansion", "802.3, 28.2.4.1.5", EXPANSION), .reset = 0x0004},
    {ROW("gig_control", "802.3, 40.5.1.1", GIG_CONTROL), .reset = 0x0300, .rw = 0xff00},
    {ROW("gig_status", "802.3, 40.5.1.1", GIG_STATUS)},
    {ROW("extended", "802.3, 22.2.4.4", EXTENDED), .reset = 0x3000},
    {ROW("port_config", "port configuration", PORT_CONFIG), .rw = 0xffff},
    {ROW("port_status", "port status", PORT_STATUS)},
    {ROW("port_control", "port control", PORT_CONTROL), .rw = 0xffff},
    {ROW("link_health", "link health", LINK_HEALTH)},
    {ROW("power", "power management", POWER), .rw = 0xffff},
    {ROW("page", "page select", PAGE), .rw = 0xffff},
};

/* Registers behind a page, which read as on a short cable. */
static const struct {
    uint16_t page, value;
} paged[] = {{0x11a0, 0x2000}, {0x12a0, 0x2000}, {0x14a0, 0x2000}, {0x18a0, 0x2000}};

#define GAIN_REGISTER 0x11 /* of those pages */

static uint32_t phy(const struct igb *nic, unsigned reg)
{
    return (uint32_t)reg_get(nic->phy, REG(reg));
}

bool igb_phy_loops(const struct igb *nic)
{
    return phy(nic, CONTROL) & CONTROL_LOOPBACK;
}

/* Link Status falls until it is read (802.3, 22.2.4.2.13). */
static uint64_t status_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    struct igb *nic = reg_space_owner(space);

    if (nic->link_was_lost)
        value &= ~(uint64_t)STATUS_LINK;
    nic->link_was_lost = false;
    return value;
}

static void set_link(struct igb *nic, bool up)
{
    bool complete = up && phy(nic, CONTROL) & CONTROL_AUTO;

    reg_update(nic->phy, REG(STATUS), STATUS_LINK | STATUS_COMPLETE,
               (up ? STATUS_LINK : 0) | (complete ? STATUS_COMPLETE : 0));
    reg_set(nic->phy, REG(PARTNER), complete ? PARTNER_ABILITY : 0);
    reg_set(nic->phy, REG(GIG_STATUS), up ? GIG_PARTNER : 0);
    reg_set(nic->phy, REG(PORT_STATUS), up ? PORT_1000_FULL : 0);
    reg_update(nic->phy, REG(EXPANSION), 0x3, complete ? 0x3 : 0);
    if (nic->link == up)
        return;
    nic->link = up;
    if (!up)
        nic->link_was_lost = true;
    /* 8.8.9, LSC: whenever the link goes up or down. */
    igb_irq_cause(nic, IGB_ICR_LSC);
    if (up) {
        igb_tx_step(nic);
        nic->rx.starved = false;
        if (nic->ops->room && !nic->destroyed)
            nic->ops->room(nic->opaque);
    }
}

static void link_event(void *opaque)
{
    struct igb *nic = opaque;

    set_link(nic, true);
}

/* What becomes of the link with the control register as it is. */
static void negotiate(struct igb *nic, bool again)
{
    uint32_t control = phy(nic, CONTROL);
    bool can = (nic->cable || control & CONTROL_LOOPBACK) && !(control & CONTROL_DOWN);

    if (!can || again) {
        sim_cancel(nic->sim, &nic->link_event);
        set_link(nic, false);
    }
    if (can && !nic->link && !sim_event_pending(&nic->link_event))
        sim_schedule_in(nic->sim, &nic->link_event,
                        control & CONTROL_AUTO ? NEGOTIATION_PS : PS_PER_MS);
}

static void control_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb *nic = reg_space_owner(space);

    if (write->written & write->lanes & CONTROL_RESET) {
        igb_phy_reset(nic);
        return;
    }
    uint64_t matters = CONTROL_AUTO | CONTROL_LOOPBACK | CONTROL_DOWN;
    negotiate(nic, (write->written & CONTROL_RESTART && write->new_value & CONTROL_AUTO) ||
                       ((write->old_value ^ write->new_value) & matters));
}

void igb_phy_reset(struct igb *nic)
{
    reg_space_reset(nic->phy, REG_RESET_COLD);
    negotiate(nic, true);
}

void igb_phy_init(struct igb *nic)
{
    nic->phy = reg_space_new(64, nic);
    reg_space_place(nic->phy, 0, phy_regs, ARRAY_LEN(phy_regs));
    reg_space_reset(nic->phy, REG_RESET_COLD);
    sim_event_init(&nic->link_event, link_event, nic);
    nic->cable = true;
}

void igb_set_cable(struct igb *nic, bool in)
{
    nic->cable = in;
    negotiate(nic, !in);
}

/* Of registers from 16 on there are several pages; those below are the same on all (8.25). */
static uint16_t phy_read(struct igb *nic, unsigned reg)
{
    uint32_t page = phy(nic, PAGE) & ~0x1fu;

    if (reg < 16 || reg == PAGE || !page)
        return (uint16_t)reg_read(nic->phy, REG(reg), 2);
    for (unsigned i = 0; i < ARRAY_LEN(paged); i++) {
        if (paged[i].page == page && reg == GAIN_REGISTER)
            return paged[i].value;
    }
    return 0;
}

static void phy_write(struct igb *nic, unsigned reg, uint16_t value)
{
    if (reg < 16 || reg == PAGE || !(phy(nic, PAGE) & ~0x1fu))
        reg_write(nic->phy, REG(reg), 2, value);
}

/* 8.2.4. CHOICE: a transfer takes no time. */
void igb_mdic_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb *nic = reg_space_owner(space);
    uint32_t value = (uint32_t)write->new_value & ~(MDIC_READY | MDIC_ERROR);
    uint32_t op = MDIC_OP(value);
    uint32_t result = (value & ~0xffffu) | MDIC_READY;

    if (MDIC_PHY(value) != PHY_ADDRESS || value & MDIC_EXTERNAL ||
        (op != MDIC_READ && op != MDIC_WRITE)) {
        result |= MDIC_ERROR;
    } else if (op == MDIC_READ) {
        result |= phy_read(nic, MDIC_REGISTER(value));
    } else {
        phy_write(nic, MDIC_REGISTER(value), (uint16_t)value);
        result |= value & 0xffff;
    }
    reg_set(space, offset, result);
    if (value & MDIC_INTERRUPT)
        igb_irq_cause(nic, IGB_ICR_MDAC);
}

static uint32_t speed_bits(const struct igb *nic)
{
    uint32_t ctrl = igb_get(nic, IGB_CTRL);

    if (ctrl & IGB_CTRL_FRCSPD)
        return (ctrl >> 2) & (STATUS_100 | STATUS_1000);
    return STATUS_1000;
}

uint64_t igb_status_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    const struct igb *nic = reg_space_owner(space);
    uint32_t ctrl = igb_get(nic, IGB_CTRL);
    uint32_t status = STATUS_LAN_INIT | STATUS_RESET_DONE | STATUS_VFS(nic->vfs);

    if (nic->link && ctrl & IGB_CTRL_SLU)
        status |= STATUS_LU | STATUS_FD | speed_bits(nic);
    if (nic->vfs)
        status |= STATUS_IOV;
    /* 5.2.3.3: no new requests from then on, and those that were sent have been answered. */
    if (!(ctrl & IGB_CTRL_MASTER_DISABLE) || nic->tx.busy || nic->rx.busy)
        status |= STATUS_MASTER;
    return status;
}
