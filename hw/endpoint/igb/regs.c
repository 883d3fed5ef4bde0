/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of the Physical Function: Intel 82576 datasheet 2.63, chapter 8. Those of the
 * statistics are in stats.c, those of Virtual Functions in vf.c.
 *
 * UNIMPL: management (8.20), MACsec, IPsec, DCA, time stamps of frames, wake-up, flexible and
 * 5-tuple filters, SERDES, TCP timer: their registers read 0, or keep what is written and do
 * nothing.
 */
#include "igb.h"

#define DS "82576 datasheet 2.63, "

#define ROW(n, c, o) .name = n, .clause = DS c, .offset = o, .width = 4
#define PLAIN(n, c, o)                                                                             \
    {                                                                                              \
        ROW(n, c, o), .rw = 0xffffffff                                                             \
    }

static void ctrl_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb *nic = reg_space_owner(space);

    if (write->written & IGB_CTRL_RST) {
        igb_mac_reset(nic);
        return;
    }
    if (write->written & IGB_CTRL_PHY_RST)
        igb_phy_reset(nic);
}

static void ctrl_ext_written(struct reg_space *space, unsigned offset,
                             const struct reg_write *write)
{
    struct igb *nic = reg_space_owner(space);

    if (write->new_value & ~write->old_value & IGB_CTRL_EXT_PFRSTD)
        igb_vf_tell_reset(nic, true);
}

/* SMBI: reading it takes it (8.7.1). */
static uint64_t swsm_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    reg_set(space, offset, value | 1);
    return value;
}

/* 8.2.16: 26 bits of 1.024 microseconds each. */
static uint64_t frtimer_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    const struct igb *nic = reg_space_owner(space);

    return nic->sim->now_ps / (1024 * PS_PER_NS) & 0x3ffffff;
}

/* 8.16: INCVALUE is added every INCPERIOD times 16 ns. CHOICE: the clock starts with the machine's
 * and what is written to it is forgotten; Linux sets its own offset. */
static uint64_t systim(const struct igb *nic)
{
    uint32_t timinca = igb_get(nic, IGB_TIMINCA);
    uint64_t period_ps = (timinca >> 24) * 16 * PS_PER_NS;

    return period_ps ? nic->sim->now_ps / period_ps * (timinca & 0xffffff) : 0;
}

static uint64_t systiml_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    return systim(reg_space_owner(space)) & 0xffffffff;
}

static uint64_t systimh_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    return systim(reg_space_owner(space)) >> 32;
}

static void mbvfimr_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    igb_irq_update(reg_space_owner(space));
}

/* 8.14.12: the last misbehaviour, by queue; cleared by reading. */
static uint64_t clear_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    reg_set(space, offset, 0);
    return value;
}

static const struct reg_def general_regs[] = {
    {ROW("ctrl", "8.2.1", IGB_CTRL),
     .reset = 0x00000041, /* full duplex, set link up: the EEPROM says so */
     .rw = 0x7bffffff & ~IGB_CTRL_RST, .w1t = IGB_CTRL_RST | IGB_CTRL_PHY_RST,
     .on_write = ctrl_written},
    {ROW("status", "8.2.2", IGB_STATUS), .on_read = igb_status_read},
    {ROW("eec", "8.4.1", IGB_EEC), .reset = IGB_EEC_PRES | IGB_EEC_ADDR16 | IGB_EEC_SIZE_1K_WORDS,
     .rw = IGB_EEC_REQ, .on_write = igb_eec_written},
    {ROW("eerd", "8.4.2", IGB_EERD), .rw = 0x0000fffd, .on_write = igb_eerd_written},
    {ROW("ctrl_ext", "8.2.3", IGB_CTRL_EXT),
     .rw = 0x1f3fffff, /* link mode 00b: the internal copper PHY */
     .on_write = ctrl_ext_written},
    {ROW("mdic", "8.2.4", IGB_MDIC), .rw = 0xafffffff, .on_write = igb_mdic_written},
    PLAIN("serdesctl", "8.2.5", 0x0024),
    PLAIN("fcal", "8.5.1", 0x0028),
    {ROW("fcah", "8.5.2", 0x002c), .rw = 0x0000ffff},
    {ROW("fct", "8.5.3", 0x0030), .rw = 0x0000ffff},
    PLAIN("connsw", "8.2.6", 0x0034),
    {ROW("vet", "8.2.7", IGB_VET), .reset = 0x81008100, .rw = 0xffffffff},
    {ROW("rctl", "8.10.1", IGB_RCTL), .rw = 0x0effffff, .on_write = igb_rctl_written},
    {ROW("fcttv", "8.5.4", 0x0170), .rw = 0x0000ffff},
    {ROW("tctl", "8.12.1", IGB_TCTL), .reset = IGB_TCTL_PSP, .rw = 0x07fffffa,
     .on_write = igb_tctl_written},
    PLAIN("tctl_ext", "8.12.2", 0x0404),
    {ROW("tipg", "8.12.3", 0x0410), .reset = 0x00601008, .rw = 0x3fffffff},
    PLAIN("ait", "8.12.1", 0x0458),
    {ROW("mbvficr", "8.14.3", IGB_MBVFICR), .rw1c = 0x00ff00ff, .on_write = mbvfimr_written},
    {ROW("mbvfimr", "8.14.4", IGB_MBVFIMR), .rw = 0x000000ff, .on_write = mbvfimr_written},
    {ROW("vflre", "8.14.5", IGB_VFLRE), .rw1c = 0x000000ff},
    {ROW("vfre", "8.14.6", IGB_VFRE), .rw = 0x000000ff},
    {ROW("vfte", "8.14.7", IGB_VFTE), .rw = 0x000000ff, .on_write = igb_tctl_written},
    PLAIN("ledctl", "8.2.8", IGB_LEDCTL),
    {ROW("mdicnfg", "8.2.4", 0x0e04), .rw = 0xffffffff},
    PLAIN("pba", "8.3.1", 0x1000),
    {ROW("eemngctl", "8.4.5", IGB_EEMNGCTL), .reset = 0x00040000}, /* CFG_DONE of port 0 */
    {ROW("frtimer", "8.15.1", IGB_FRTIMER), .on_read = frtimer_read},
    {ROW("icr", "8.8.9", IGB_ICR), .rw1c = IGB_ICR_CAUSES, .on_read = igb_icr_read,
     .on_write = igb_icr_written},
    {ROW("ics", "8.8.10", IGB_ICS), .w1t = IGB_ICR_CAUSES, .on_write = igb_ics_written},
    {ROW("ims", "8.8.11", IGB_IMS), .rw1s = IGB_ICR_CAUSES, .on_write = igb_ims_written},
    {ROW("imc", "8.8.12", IGB_IMC), .w1t = 0xffffffff, .on_write = igb_imc_written},
    {ROW("iam", "8.8.13", IGB_IAM), .rw = IGB_ICR_CAUSES},
    {ROW("gpie", "8.8.15", IGB_GPIE), .rw = 0xc0000f91},
    {ROW("eics", "8.8.2", IGB_EICS), .w1t = 0xc1ffffff, .on_write = igb_eics_written},
    {ROW("eims", "8.8.3", IGB_EIMS), .rw1s = 0xc1ffffff, .on_write = igb_eims_written},
    {ROW("eimc", "8.8.4", IGB_EIMC), .w1t = 0xffffffff, .on_write = igb_eimc_written},
    {ROW("eiac", "8.8.5", IGB_EIAC), .rw = 0x01ffffff},
    {ROW("eiam", "8.8.6", IGB_EIAM), .rw = 0xc1ffffff},
    {ROW("eicr", "8.8.1", IGB_EICR), .rw1c = 0xc1ffffff, .on_read = igb_eicr_read,
     .on_write = igb_eicr_written},
    PLAIN("fcrtl0", "8.5.5", 0x2160),
    {ROW("fcrth0", "8.5.6", 0x2168), .rw = 0x0000fff0},
    {ROW("rxpbs", "8.3.2", 0x2404), .reset = 0x40, .rw = 0x7f},
    {ROW("qde", "8.10.11", IGB_QDE), .rw = 0x0000ffff},
    {ROW("fcrtv", "8.5.7", 0x2460), .rw = 0x0000ffff},
    {ROW("txpbs", "8.3.3", 0x3404), .reset = 0x28, .rw = 0x7f},
    {ROW("dtxswc", "8.14.18", IGB_DTXSWC), .rw = 0x80ffffff},
    {ROW("lvmmc", "8.14.11", IGB_LVMMC), .on_read = clear_read},
    {ROW("wvbr", "8.14.12", IGB_WVBR), .on_read = clear_read},
    PLAIN("dtxctl", "8.12.4", IGB_DTXCTL),
    {ROW("dtxtcpflgl", "8.12.5", IGB_DTXTCPFLGL), .reset = 0x0f760ff6, .rw = 0x0fff0fff},
    {ROW("dtxtcpflgh", "8.12.6", IGB_DTXTCPFLGH), .reset = 0x00000f7f, .rw = 0x00000fff},
    PLAIN("pcs_cfg", "8.17.1", 0x4200),
    PLAIN("pcs_lctl", "8.17.2", 0x4208),
    {ROW("pcs_lsts", "8.17.3", 0x420c)},
    PLAIN("pcs_anadv", "8.17.4", 0x4218),
    {ROW("rxcsum", "8.10.12", IGB_RXCSUM), .reset = IGB_RXCSUM_IPOFL | IGB_RXCSUM_TUOFL,
     .rw = 0x00003fff},
    {ROW("rlpml", "8.10.13", IGB_RLPML), .reset = IGB_FRAME_MAX, .rw = 0x00003fff},
    {ROW("rfctl", "8.10.14", 0x5008), .rw = 0xffffffff},
    PLAIN("wuc", "8.19.1", 0x5800),
    PLAIN("wufc", "8.19.2", 0x5808),
    {ROW("wus", "8.19.3", 0x5810), .rw1c = 0xffffffff},
    {ROW("mrqc", "8.10.16", IGB_MRQC), .rw = 0xffff003f},
    {ROW("vt_ctl", "8.14.1", IGB_VT_CTL), .rw = 0x70000380},
    {ROW("manc", "8.20.1", 0x5820), .rw = 0x00000000},
    PLAIN("ipav", "8.19.4", 0x5838),
    PLAIN("wupl", "8.19.5", 0x5900),
    PLAIN("rplolr", "8.14.22", IGB_RPLOLR),
    PLAIN("gcr", "8.6.1", 0x5b00),
    {ROW("factps", "8.6.5", 0x5b30)},
    {ROW("swsm", "8.7.1", IGB_SWSM), .rw = 0x00000003, .on_read = swsm_read},
    {ROW("fwsm", "8.7.2", 0x5b54)},
    PLAIN("sw_fw_sync", "8.7.3", 0x5b5c),
    {ROW("dca_ctrl", "8.13.4", 0x5b74), .reset = 1, .rw = 0x0000001f},
    PLAIN("pciemisc", "8.6.4", 0x5bb8),
    PLAIN("iovtcl", "8.14.10", IGB_IOVTCL),
    PLAIN("tsyncrxcfg", "8.16.27", 0x5f50),
    {ROW("systiml", "8.16.10", IGB_SYSTIML), .on_read = systiml_read},
    {ROW("systimh", "8.16.11", IGB_SYSTIMH), .on_read = systimh_read},
    PLAIN("timinca", "8.16.12", IGB_TIMINCA),
};

static const struct reg_def rx_queue_regs[] = {
    {ROW("rdbal", "8.10.5", IGB_Q_BAL), .rw = 0xffffff80},
    {ROW("rdbah", "8.10.6", IGB_Q_BAH), .rw = 0xffffffff},
    {ROW("rdlen", "8.10.7", IGB_Q_LEN), .rw = 0x000ffff0},
    {ROW("srrctl", "8.10.2", IGB_Q_SRRCTL), .reset = 0x00000400, .rw = 0xfe003f7f},
    {ROW("rdh", "8.10.8", IGB_Q_HEAD)},
    {ROW("rxctl", "8.13.1", IGB_Q_DCA), .rw = 0xff00ffff},
    {ROW("rdt", "8.10.9", IGB_Q_TAIL), .rw = 0x0000ffff, .on_write = igb_rdt_written},
    {ROW("rxdctl", "8.10.10", IGB_Q_DCTL), .reset = 0x00010000, .rw = 0x021f1f1f,
     .w1t = IGB_DCTL_SWFLSH, .on_write = igb_rxdctl_written},
    {ROW("rqdpc", "8.10.18", IGB_Q_DROPPED), .on_read = clear_read},
};

static const struct reg_def tx_queue_regs[] = {
    {ROW("tdbal", "8.12.8", IGB_Q_BAL), .rw = 0xffffff80},
    {ROW("tdbah", "8.12.9", IGB_Q_BAH), .rw = 0xffffffff},
    {ROW("tdlen", "8.12.10", IGB_Q_LEN), .rw = 0x000ffff0},
    {ROW("tdh", "8.12.11", IGB_Q_HEAD), .rw = 0x0000ffff},
    {ROW("txctl", "8.13.2", IGB_Q_DCA), .rw = 0xff00ffff},
    {ROW("tdt", "8.12.12", IGB_Q_TAIL), .rw = 0x0000ffff, .on_write = igb_tdt_written},
    {ROW("txdctl", "8.12.13", IGB_Q_DCTL), .rw = 0x0a1f1f1f, .w1t = IGB_DCTL_SWFLSH,
     .on_write = igb_txdctl_written},
    {ROW("tdwbal", "8.12.14", IGB_Q_WBAL), .rw = 0xfffffffd},
    {ROW("tdwbah", "8.12.15", IGB_Q_WBAH), .rw = 0xffffffff},
};

static const struct reg_def ral_rah[] = {
    PLAIN("ral", "8.11.4", 0),
    {ROW("rah", "8.11.5", 4), .rw = 0x93ffffff},
};
static const struct reg_def one_mta[] = {PLAIN("mta", "8.11.3", 0)};
static const struct reg_def one_vfta[] = {PLAIN("vfta", "8.11.8", 0)};
static const struct reg_def one_uta[] = {PLAIN("uta", "8.14.23", 0)};
static const struct reg_def one_reta[] = {{ROW("reta", "8.10.17", 0), .rw = 0x0f0f0f0f}};
static const struct reg_def one_rssrk[] = {PLAIN("rssrk", "8.10.19", 0)};
static const struct reg_def one_psrtype[] = {{ROW("psrtype", "8.10.3", 0), .rw = 0x0007ffff}};
static const struct reg_def one_eitr[] = {{ROW("eitr", "8.8.14", 0), .rw = 0x7ffffffc}};
static const struct reg_def one_ivar[] = {{ROW("ivar", "8.8.16", 0), .rw = 0x9f9f9f9f}};
static const struct reg_def ivar_misc[] = {{ROW("ivar_misc", "8.8.17", 0), .rw = 0x00009f9f}};
static const struct reg_def one_vmolr[] = {
    {ROW("vmolr", "8.14.17", 0), .reset = 0x00002600, .rw = 0xff033fff}};
static const struct reg_def one_vlvf[] = {{ROW("vlvf", "8.14.19", 0), .rw = 0x801fffff}};
static const struct reg_def one_vmvir[] = {{ROW("vmvir", "8.14.21", 0), .rw = 0xc000ffff}};
static const struct reg_def one_vmbmem[] = {PLAIN("vmbmem", "8.14.2", 0)};
static const struct reg_def one_p2v[] = {
    {ROW("p2vmailbox", "8.14.2", 0), .w1t = IGB_P2V_STS | IGB_P2V_ACK | IGB_P2V_RVFU,
     .rw = IGB_P2V_PFU, .on_read = igb_p2v_read, .on_write = igb_p2v_written}};

static const struct {
    uint16_t base, stride, count, rows;
    const struct reg_def *defs;
} arrays[] = {
    {IGB_VMBMEM, 4, 16 * IGB_VFS_MAX, 1, one_vmbmem},
    {IGB_P2VMAILBOX, 4, IGB_VFS_MAX, 1, one_p2v},
    {IGB_EITR, 4, IGB_VECTORS, 1, one_eitr},
    {IGB_IVAR, 4, 8, 1, one_ivar},
    {IGB_IVAR_MISC, 4, 1, 1, ivar_misc},
    {IGB_VMVIR, 4, IGB_POOLS, 1, one_vmvir},
    {IGB_MTA, 4, 128, 1, one_mta},
    {IGB_RA, 8, 16, 2, ral_rah},
    {IGB_PSRTYPE, 4, IGB_POOLS, 1, one_psrtype},
    {IGB_RA2, 8, 8, 2, ral_rah},
    {IGB_VFTA, 4, 128, 1, one_vfta},
    {IGB_VMOLR, 4, IGB_POOLS, 1, one_vmolr},
    {IGB_RETA, 4, 32, 1, one_reta},
    {IGB_RSSRK, 4, 10, 1, one_rssrk},
    {IGB_VLVF, 4, 32, 1, one_vlvf},
    {IGB_UTA, 4, 128, 1, one_uta},
    {IGB_RX_QUEUE, IGB_QUEUE_STRIDE, IGB_QUEUES, ARRAY_LEN(rx_queue_regs), rx_queue_regs},
    {IGB_TX_QUEUE, IGB_QUEUE_STRIDE, IGB_QUEUES, ARRAY_LEN(tx_queue_regs), tx_queue_regs},
};

const struct reg_def *igb_registers(unsigned *count)
{
    *count = ARRAY_LEN(general_regs);
    return general_regs;
}

/* Where registers can be seen a second time, as on older chips (8.1.2). */
static const struct {
    uint16_t from, bytes, from_stride, to, to_stride, count;
} aliases[] = {
    {0x00c0, 4, 0, IGB_ICR, 0, 1},
    {0x00c8, 4, 0, IGB_ICS, 0, 1},
    {0x00d0, 4, 0, IGB_IMS, 0, 1},
    {0x00d8, 4, 0, IGB_IMC, 0, 1},
    {0x00e0, 4, 0, IGB_IAM, 0, 1},
    {0x2800, IGB_QUEUE_STRIDE, 0x100, IGB_RX_QUEUE, IGB_QUEUE_STRIDE, 4},
    {0x3800, IGB_QUEUE_STRIDE, 0x100, IGB_TX_QUEUE, IGB_QUEUE_STRIDE, 4},
};

unsigned igb_regs_alias(unsigned offset)
{
    for (unsigned i = 0; i < ARRAY_LEN(aliases); i++) {
        unsigned stride = aliases[i].from_stride ? aliases[i].from_stride : aliases[i].bytes;
        unsigned rest = offset - aliases[i].from;

        if (offset >= aliases[i].from && rest / stride < aliases[i].count &&
            rest % stride < aliases[i].bytes)
            return aliases[i].to + rest / stride * aliases[i].to_stride + rest % stride;
    }
    return offset;
}

void igb_regs_place(struct igb *nic)
{
    nic->regs = reg_space_new(0x10000, nic);
    reg_space_place(nic->regs, 0, general_regs, ARRAY_LEN(general_regs));
    for (unsigned i = 0; i < ARRAY_LEN(arrays); i++) {
        for (unsigned n = 0; n < arrays[i].count; n++)
            reg_space_place(nic->regs, arrays[i].base + n * arrays[i].stride, arrays[i].defs,
                            arrays[i].rows);
    }
    igb_stats_place(nic);
    /* The first queues are on after a reset (8.10.10, 8.12.13). */
    reg_hwinit(nic->regs, IGB_RX_QUEUE + IGB_Q_DCTL, 0x00010000 | IGB_DCTL_ENABLE);
    reg_hwinit(nic->regs, IGB_TX_QUEUE + IGB_Q_DCTL, IGB_DCTL_ENABLE);
    reg_space_reset(nic->regs, REG_RESET_COLD);
}
