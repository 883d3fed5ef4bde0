/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Offsets and bits of the 82576's registers: datasheet 2.63, chapter 8. */
#ifndef PCILAB_HW_ENDPOINT_IGB_REGS_H
#define PCILAB_HW_ENDPOINT_IGB_REGS_H

enum { /* 8.2 to 8.7 */
       IGB_CTRL = 0x0000,
       IGB_STATUS = 0x0008,
       IGB_EEC = 0x0010,
       IGB_EERD = 0x0014,
       IGB_CTRL_EXT = 0x0018,
       IGB_FLA = 0x001c,
       IGB_MDIC = 0x0020,
       IGB_VET = 0x0038,
       IGB_LEDCTL = 0x0e00,
       IGB_EEMNGCTL = 0x1010,
       IGB_SWSM = 0x5b50,
       IGB_FRTIMER = 0x1048,
};

#define IGB_CTRL_MASTER_DISABLE 0x00000004
#define IGB_CTRL_SLU            0x00000040
#define IGB_CTRL_FRCSPD         0x00000800
#define IGB_CTRL_RST            0x04000000
#define IGB_CTRL_VME            0x40000000
#define IGB_CTRL_PHY_RST        0x80000000
#define IGB_CTRL_EXT_PFRSTD     0x00004000
#define IGB_CTRL_EXT_IAME       0x08000000
#define IGB_EEC_REQ             0x00000040
#define IGB_EEC_GNT             0x00000080
#define IGB_EEC_PRES            0x00000100
#define IGB_EEC_AUTO_RD         0x00000200
#define IGB_EEC_ADDR16          0x00000400
#define IGB_EEC_SIZE_1K_WORDS   (4u << 11)

enum { /* 8.8 */
       IGB_ICR = 0x1500,
       IGB_ICS = 0x1504,
       IGB_IMS = 0x1508,
       IGB_IMC = 0x150c,
       IGB_IAM = 0x1510,
       IGB_GPIE = 0x1514,
       IGB_EICS = 0x1520,
       IGB_EIMS = 0x1524,
       IGB_EIMC = 0x1528,
       IGB_EIAC = 0x152c,
       IGB_EIAM = 0x1530,
       IGB_EICR = 0x1580,
       IGB_EITR = 0x1680,
       IGB_IVAR = 0x1700,
       IGB_IVAR_MISC = 0x1740,
};

#define IGB_ICR_TXDW     0x00000001
#define IGB_ICR_LSC      0x00000004
#define IGB_ICR_RXDMT0   0x00000010
#define IGB_ICR_RXDW     0x00000080
#define IGB_ICR_VMMB     0x00000100
#define IGB_ICR_MDAC     0x00000200
#define IGB_ICR_DOUTSYNC 0x10000000
#define IGB_ICR_INTA     0x80000000
#define IGB_ICR_CAUSES   0x7fffffff
#define IGB_GPIE_NSICR   0x00000001
#define IGB_GPIE_MULTI   0x00000010
#define IGB_GPIE_EIAME   0x40000000
#define IGB_EICR_OTHER   0x80000000
#define IGB_IVAR_VALID   0x80

enum { /* 8.10, 8.11 */
       IGB_RCTL = 0x0100,
       IGB_QDE = 0x2408,
       IGB_RXCSUM = 0x5000,
       IGB_RLPML = 0x5004,
       IGB_MTA = 0x5200,
       IGB_RA = 0x5400,
       IGB_PSRTYPE = 0x5480,
       IGB_RA2 = 0x54e0,
       IGB_VFTA = 0x5600,
       IGB_MRQC = 0x5818,
       IGB_RETA = 0x5c00,
       IGB_RSSRK = 0x5c80,
       IGB_UTA = 0xa000,
       IGB_RX_QUEUE = 0xc000, /* and 40h for each further queue */
       IGB_TX_QUEUE = 0xe000,
       IGB_QUEUE_STRIDE = 0x40,
};

/* Of a queue. */
enum {
    IGB_Q_BAL = 0x00,
    IGB_Q_BAH = 0x04,
    IGB_Q_LEN = 0x08,
    IGB_Q_SRRCTL = 0x0c,
    IGB_Q_HEAD = 0x10,
    IGB_Q_DCA = 0x14,
    IGB_Q_TAIL = 0x18,
    IGB_Q_DCTL = 0x28,
    IGB_Q_DROPPED = 0x30,
    IGB_Q_WBAL = 0x38,
    IGB_Q_WBAH = 0x3c,
};

#define IGB_DCTL_ENABLE 0x02000000
#define IGB_DCTL_SWFLSH 0x04000000

#define IGB_RCTL_EN       0x00000002
#define IGB_RCTL_UPE      0x00000008
#define IGB_RCTL_MPE      0x00000010
#define IGB_RCTL_LPE      0x00000020
#define IGB_RCTL_LBM      0x000000c0
#define IGB_RCTL_BAM      0x00008000
#define IGB_RCTL_VFE      0x00040000
#define IGB_RCTL_SECRC    0x04000000
#define IGB_RXCSUM_IPOFL  0x00000100
#define IGB_RXCSUM_TUOFL  0x00000200
#define IGB_RXCSUM_CRCOFL 0x00000800
#define IGB_RXCSUM_PCSD   0x00002000

#define IGB_SRRCTL_DROP 0x80000000
#define IGB_RAH_AV      0x80000000

#define IGB_MRQC_MODE     0x00000007
#define IGB_MRQC_RSS      2
#define IGB_MRQC_VMDQ     3
#define IGB_MRQC_VMDQ_RSS 5

enum { /* 8.12 */
       IGB_TCTL = 0x0400,
       IGB_DTXCTL = 0x3590,
       IGB_DTXTCPFLGL = 0x359c,
       IGB_DTXTCPFLGH = 0x35a0,
};

#define IGB_TCTL_EN          0x00000002
#define IGB_TCTL_PSP         0x00000008
#define IGB_DTXCTL_MDP_EN    0x00000020
#define IGB_DTXCTL_SPOOF_INT 0x00000040

enum { /* 8.14 */
       IGB_VMBMEM = 0x0800,
       IGB_P2VMAILBOX = 0x0c00,
       IGB_MBVFICR = 0x0c80,
       IGB_MBVFIMR = 0x0c84,
       IGB_VFLRE = 0x0c88,
       IGB_VFRE = 0x0c8c,
       IGB_VFTE = 0x0c90,
       IGB_DTXSWC = 0x3500,
       IGB_LVMMC = 0x3548,
       IGB_WVBR = 0x3554,
       IGB_VMVIR = 0x3700,
       IGB_VT_CTL = 0x581c,
       IGB_VMOLR = 0x5ad0,
       IGB_RPLOLR = 0x5af0,
       IGB_IOVTCL = 0x5bbc,
       IGB_VLVF = 0x5d00,
};

#define IGB_VT_CTL_DEF_PL(v)  (((v) >> 7) & 7)
#define IGB_VT_CTL_IGNORE_MAC 0x10000000
#define IGB_VT_CTL_NO_DEF_PL  0x20000000
#define IGB_VT_CTL_REPLICATE  0x40000000
#define IGB_VMOLR_RLPML       0x00003fff
#define IGB_VMOLR_LPE         0x00010000
#define IGB_VMOLR_RSSE        0x00020000
#define IGB_VMOLR_AUPE        0x01000000
#define IGB_VMOLR_ROMPE       0x02000000
#define IGB_VMOLR_ROPE        0x04000000
#define IGB_VMOLR_BAM         0x08000000
#define IGB_VMOLR_MPME        0x10000000
#define IGB_VMOLR_STRVLAN     0x40000000
#define IGB_RPLOLR_STRVLAN    0x40000000
#define IGB_VLVF_VALID        0x80000000
#define IGB_VLVF_POOLS(v)     (((v) >> 12) & 0xff)
#define IGB_VMVIR_DEFAULT     0x40000000
#define IGB_VMVIR_NEVER       0x80000000
#define IGB_DTXSWC_LOOPBACK   0x80000000

enum { /* 8.16 */
       IGB_SYSTIML = 0xb600,
       IGB_SYSTIMH = 0xb604,
       IGB_TIMINCA = 0xb608,
};

enum { /* 8.18; each is cleared by reading */
       IGB_STATS_FIRST = 0x4000,
       IGB_MPC = 0x4010,
       IGB_RLEC = 0x4040,
       IGB_PRC64 = 0x405c,
       IGB_GPRC = 0x4074,
       IGB_BPRC = 0x4078,
       IGB_MPRC = 0x407c,
       IGB_GPTC = 0x4080,
       IGB_GORC = 0x4088,
       IGB_GOTC = 0x4090,
       IGB_RNBC = 0x40a0,
       IGB_RUC = 0x40a4,
       IGB_ROC = 0x40ac,
       IGB_TOR = 0x40c0,
       IGB_TOT = 0x40c8,
       IGB_TPR = 0x40d0,
       IGB_TPT = 0x40d4,
       IGB_PTC64 = 0x40d8,
       IGB_MPTC = 0x40f0,
       IGB_BPTC = 0x40f4,
       IGB_TSCTC = 0x40f8,
       IGB_IAC = 0x4100,
       IGB_RPTHC = 0x4104,
       IGB_HGPTC = 0x4118,
       IGB_HGORC = 0x4128,
       IGB_HGOTC = 0x4130,
       IGB_STATS_LAST = 0x4138,
};

/* 8.26: of a Virtual Function, where not as above. */
enum {
    IGB_V2PMAILBOX = 0x0c40,
    IGB_VFGPRC = 0x0f10,
    IGB_VFGPTC = 0x0f14,
    IGB_VFGORC = 0x0f18,
    IGB_VFGOTC = 0x0f34,
    IGB_VFMPRC = 0x0f3c,
    IGB_VFGPRLBC = 0x0f40,
    IGB_VFGPTLBC = 0x0f44,
    IGB_VFGORLBC = 0x0f48,
    IGB_VFGOTLBC = 0x0f50,
};

#define IGB_P2V_STS   0x01
#define IGB_P2V_ACK   0x02
#define IGB_P2V_VFU   0x04
#define IGB_P2V_PFU   0x08
#define IGB_P2V_RVFU  0x10
#define IGB_V2P_REQ   0x01
#define IGB_V2P_ACK   0x02
#define IGB_V2P_VFU   0x04
#define IGB_V2P_PFU   0x08
#define IGB_V2P_PFSTS 0x10
#define IGB_V2P_PFACK 0x20
#define IGB_V2P_RSTI  0x40
#define IGB_V2P_RSTD  0x80

/* Descriptors: 7.1.4, 7.1.5, 7.2.2. */
#define IGB_RXD_DD    0x00000001
#define IGB_RXD_EOP   0x00000002
#define IGB_RXD_VP    0x00000008
#define IGB_RXD_UDPCS 0x00000010
#define IGB_RXD_L4CS  0x00000020
#define IGB_RXD_IPCS  0x00000040
#define IGB_RXD_PIF   0x00000080
#define IGB_RXD_LB    0x00040000
#define IGB_RXD_L4E   0x20000000
#define IGB_RXD_IPE   0x40000000
#define IGB_RXT_IPV4  0x0010
#define IGB_RXT_IPV4E 0x0020
#define IGB_RXT_IPV6  0x0040
#define IGB_RXT_IPV6E 0x0080
#define IGB_RXT_TCP   0x0100
#define IGB_RXT_UDP   0x0200
#define IGB_RXT_SCTP  0x0400

#define IGB_TXD_EOP     0x01000000
#define IGB_TXD_IC      0x04000000 /* legacy: insert checksum */
#define IGB_TXD_RS      0x08000000
#define IGB_TXD_DEXT    0x20000000
#define IGB_TXD_VLE     0x40000000
#define IGB_TXD_TSE     0x80000000
#define IGB_TXD_DTYP(w) (((w) >> 20) & 0xf)
#define IGB_TXD_CONTEXT 2
#define IGB_TXD_DATA    3
#define IGB_TXD_IXSM    0x00000100
#define IGB_TXD_TXSM    0x00000200
#define IGB_TXC_IPV4    0x00000400
#define IGB_TXC_L4T(w)  (((w) >> 11) & 3)
enum { IGB_L4_UDP, IGB_L4_TCP, IGB_L4_SCTP };

#endif
