/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things are in configuration space and in the capabilities that every PCI Express function
 * has: offsets in bytes and masks (PCI Express Base Specification 6.0, 7.5).
 */
#ifndef PCILAB_PCI_CONFIG_H
#define PCILAB_PCI_CONFIG_H

#define PCI_CONFIG_BYTES 4096
#define PCI_EXT_START    0x100

/* 7.5.1.1: both header types */
#define PCI_VENDOR_ID           0x00
#define PCI_DEVICE_ID           0x02
#define PCI_COMMAND             0x04
#define PCI_COMMAND_IO          0x0001
#define PCI_COMMAND_MEMORY      0x0002
#define PCI_COMMAND_MASTER      0x0004
#define PCI_COMMAND_PARITY      0x0040
#define PCI_COMMAND_SERR        0x0100
#define PCI_COMMAND_INTX_OFF    0x0400
#define PCI_STATUS              0x06
#define PCI_STATUS_READY        0x0001 /* Immediate Readiness */
#define PCI_STATUS_INTERRUPT    0x0008
#define PCI_STATUS_CAP_LIST     0x0010
#define PCI_STATUS_MASTER_DATA  0x0100 /* Master Data Parity Error */
#define PCI_STATUS_SENT_CA      0x0800 /* Signaled Target Abort */
#define PCI_STATUS_RECEIVED_CA  0x1000 /* Received Target Abort */
#define PCI_STATUS_RECEIVED_UR  0x2000 /* Received Master Abort */
#define PCI_STATUS_SENT_ERROR   0x4000 /* Signaled System Error */
#define PCI_STATUS_PARITY_ERROR 0x8000 /* Detected Parity Error: poison was received */
#define PCI_STATUS_RW1C         0xf900
#define PCI_REVISION            0x08
#define PCI_PROG_IF             0x09
#define PCI_SUB_CLASS           0x0a
#define PCI_BASE_CLASS          0x0b
#define PCI_CACHE_LINE          0x0c
#define PCI_LATENCY             0x0d
#define PCI_HEADER_TYPE         0x0e
#define PCI_HEADER_TYPE_MULTI   0x80
#define PCI_BIST                0x0f
#define PCI_BAR(n)              (0x10 + 4 * (n))
#define PCI_CAP_POINTER         0x34
#define PCI_INTERRUPT_LINE      0x3c
#define PCI_INTERRUPT_PIN       0x3d

/* 7.5.1.2: type 0 */
#define PCI_CARDBUS_CIS 0x28
#define PCI_SUBVENDOR   0x2c
#define PCI_SUBDEVICE   0x2e
#define PCI_ROM         0x30
#define PCI_ROM_ENABLE  0x1
#define PCI_MIN_GNT     0x3e
#define PCI_MAX_LAT     0x3f

/* 7.5.1.3: type 1 */
#define PCI_PRIMARY_BUS                    0x18
#define PCI_SECONDARY_BUS                  0x19
#define PCI_SUBORDINATE_BUS                0x1a
#define PCI_SECONDARY_LATENCY              0x1b
#define PCI_IO_BASE                        0x1c
#define PCI_IO_LIMIT                       0x1d
#define PCI_SECONDARY_STATUS               0x1e
#define PCI_MEM_BASE                       0x20
#define PCI_MEM_LIMIT                      0x22
#define PCI_PREF_BASE                      0x24
#define PCI_PREF_LIMIT                     0x26
#define PCI_PREF_BASE_UPPER                0x28
#define PCI_PREF_LIMIT_UPPER               0x2c
#define PCI_IO_BASE_UPPER                  0x30
#define PCI_IO_LIMIT_UPPER                 0x32
#define PCI_BRIDGE_ROM                     0x38
#define PCI_BRIDGE_CONTROL                 0x3e
#define PCI_BRIDGE_CONTROL_PARITY          0x0001
#define PCI_BRIDGE_CONTROL_SERR            0x0002
#define PCI_BRIDGE_CONTROL_ISA             0x0004
#define PCI_BRIDGE_CONTROL_SECONDARY_RESET 0x0040

/* Capability identifiers */
#define PCI_CAP_PM    0x01
#define PCI_CAP_MSI   0x05
#define PCI_CAP_SSVID 0x0d
#define PCI_CAP_PCIE  0x10
#define PCI_CAP_MSIX  0x11
#define PCI_EXT_AER   0x0001
#define PCI_EXT_DSN   0x0003
#define PCI_EXT_RCEC  0x0007
#define PCI_EXT_ACS   0x000d
#define PCI_EXT_ARI   0x000e
#define PCI_EXT_ATS   0x000f
#define PCI_EXT_PRI   0x0013
#define PCI_EXT_PASID 0x001b
#define PCI_EXT_DPC   0x001d
#define PCI_EXT_FRS   0x0021
#define PCI_EXT_DEV3  0x002f

/* 7.5.2: Power Management */
#define PCI_PM_CAPS        0x02
#define PCI_PM_CAPS_READY  0x0010 /* Immediate_Readiness_on_Return_to_D0 */
#define PCI_PM_CSR         0x04
#define PCI_PM_CSR_STATE   0x0003
#define PCI_PM_CSR_NO_SOFT 0x0008
#define PCI_PM_CSR_PME_EN  0x0100
#define PCI_PM_CSR_PME     0x8000
#define PCI_PM_SIZE_BYTES  8

/* 7.7.1: MSI with 64-bit addresses */
#define PCI_MSI_CONTROL          0x02
#define PCI_MSI_CONTROL_ENABLE   0x0001
#define PCI_MSI_CONTROL_CAPABLE  0x000e
#define PCI_MSI_CONTROL_ENABLED  0x0070 /* Multiple Message Enable */
#define PCI_MSI_CONTROL_64BIT    0x0080
#define PCI_MSI_CONTROL_MASKABLE 0x0100
#define PCI_MSI_ADDRESS          0x04
#define PCI_MSI_ADDRESS_UPPER    0x08
#define PCI_MSI_DATA             0x0c
#define PCI_MSI_MASK             0x10
#define PCI_MSI_PENDING          0x14

/* 7.7.2: MSI-X */
#define PCI_MSIX_CONTROL        0x02
#define PCI_MSIX_CONTROL_SIZE   0x07ff
#define PCI_MSIX_CONTROL_MASK   0x4000
#define PCI_MSIX_CONTROL_ENABLE 0x8000
#define PCI_MSIX_TABLE          0x04
#define PCI_MSIX_PBA            0x08
#define PCI_MSIX_ENTRY_BYTES    16
#define PCI_MSIX_ENTRY_DATA     8
#define PCI_MSIX_ENTRY_CONTROL  12
#define PCI_MSIX_ENTRY_MASKED   0x1

/* 7.5.3: PCI Express */
#define PCIE_FLAGS                0x02
#define PCIE_FLAGS_VERSION        0x000f
#define PCIE_FLAGS_TYPE           0x00f0
#define PCIE_FLAGS_SLOT           0x0100
#define PCIE_FLAGS_MESSAGE        0x3e00 /* Interrupt Message Number */
#define PCIE_DEVCAP               0x04
#define PCIE_DEVCAP_MPS           0x00000007
#define PCIE_DEVCAP_EXT_TAG       0x00000020
#define PCIE_DEVCAP_L0S           0x000001c0
#define PCIE_DEVCAP_L1            0x00000e00
#define PCIE_DEVCAP_ROLE_BASED    0x00008000
#define PCIE_DEVCAP_POWER         0x0ffc0000 /* Captured Slot Power Limit Value and Scale */
#define PCIE_DEVCAP_FLR           0x10000000
#define PCIE_DEVCTL               0x08
#define PCIE_DEVCTL_COR           0x0001
#define PCIE_DEVCTL_NONFATAL      0x0002
#define PCIE_DEVCTL_FATAL         0x0004
#define PCIE_DEVCTL_UR            0x0008
#define PCIE_DEVCTL_RELAXED       0x0010
#define PCIE_DEVCTL_MPS           0x00e0
#define PCIE_DEVCTL_EXT_TAG       0x0100
#define PCIE_DEVCTL_NO_SNOOP      0x0800
#define PCIE_DEVCTL_MRRS          0x7000
#define PCIE_DEVCTL_FLR           0x8000
#define PCIE_DEVSTA               0x0a
#define PCIE_DEVSTA_COR           0x0001
#define PCIE_DEVSTA_NONFATAL      0x0002
#define PCIE_DEVSTA_FATAL         0x0004
#define PCIE_DEVSTA_UR            0x0008
#define PCIE_DEVSTA_ERRORS        0x000f
#define PCIE_DEVSTA_PENDING       0x0020
#define PCIE_LNKCAP               0x0c
#define PCIE_LNKCAP_SPEED         0x0000000f
#define PCIE_LNKCAP_WIDTH         0x000003f0
#define PCIE_LNKCAP_ASPM          0x00000c00
#define PCIE_LNKCAP_L0S_EXIT      0x00007000
#define PCIE_LNKCAP_L1_EXIT       0x00038000
#define PCIE_LNKCAP_SURPRISE      0x00080000 /* Surprise Down Error Reporting Capable */
#define PCIE_LNKCAP_DLL_REPORTING 0x00100000
#define PCIE_LNKCAP_BANDWIDTH     0x00200000 /* Link Bandwidth Notification Capability */
#define PCIE_LNKCAP_ASPM_OPTIONAL 0x00400000
#define PCIE_LNKCAP_PORT          0xff000000
#define PCIE_LNKCTL               0x10
#define PCIE_LNKCTL_ASPM          0x0003
#define PCIE_LNKCTL_RCB           0x0008
#define PCIE_LNKCTL_DISABLE       0x0010
#define PCIE_LNKCTL_RETRAIN       0x0020
#define PCIE_LNKCTL_COMMON_CLOCK  0x0040
#define PCIE_LNKCTL_EXT_SYNCH     0x0080
#define PCIE_LNKCTL_BANDWIDTH_IE  0x0400
#define PCIE_LNKCTL_AUTONOMOUS_IE 0x0800
#define PCIE_LNKCTL_DRS_SIGNALS   0xc000
#define PCIE_LNKSTA               0x12
#define PCIE_LNKSTA_SPEED         0x000f
#define PCIE_LNKSTA_WIDTH         0x03f0
#define PCIE_LNKSTA_TRAINING      0x0800
#define PCIE_LNKSTA_SLOT_CLOCK    0x1000
#define PCIE_LNKSTA_DLL_ACTIVE    0x2000
#define PCIE_LNKSTA_BANDWIDTH     0x4000
#define PCIE_LNKSTA_AUTONOMOUS    0x8000
#define PCIE_SLTCAP               0x14
#define PCIE_SLTCAP_BUTTON        0x00000001
#define PCIE_SLTCAP_POWER_CONTROL 0x00000002
#define PCIE_SLTCAP_LATCH         0x00000004 /* MRL sensor */
#define PCIE_SLTCAP_ATTENTION     0x00000008 /* indicators */
#define PCIE_SLTCAP_POWER_LED     0x00000010
#define PCIE_SLTCAP_SURPRISE      0x00000020
#define PCIE_SLTCAP_HOTPLUG       0x00000040
#define PCIE_SLTCAP_POWER         0x0001ff80 /* Slot Power Limit Value and Scale */
#define PCIE_SLTCAP_INTERLOCK     0x00020000 /* Electromechanical Interlock */
#define PCIE_SLTCAP_NO_COMPLETED  0x00040000
#define PCIE_SLTCAP_NUMBER        0xfff80000
#define PCIE_SLTCTL               0x18
#define PCIE_SLTCTL_BUTTON_IE     0x0001
#define PCIE_SLTCTL_FAULT_IE      0x0002 /* Power Fault Detected Enable */
#define PCIE_SLTCTL_LATCH_IE      0x0004
#define PCIE_SLTCTL_PRESENCE_IE   0x0008
#define PCIE_SLTCTL_COMPLETED_IE  0x0010
#define PCIE_SLTCTL_HOTPLUG_IE    0x0020
#define PCIE_SLTCTL_ATTENTION     0x00c0
#define PCIE_SLTCTL_POWER_LED     0x0300
#define PCIE_SLTCTL_POWER_OFF     0x0400
#define PCIE_SLTCTL_INTERLOCK     0x0800 /* toggles it; reads as 0 */
#define PCIE_SLTCTL_DLL_IE        0x1000
#define PCIE_SLTSTA               0x1a
#define PCIE_SLTSTA_BUTTON        0x0001
#define PCIE_SLTSTA_FAULT         0x0002 /* Power Fault Detected */
#define PCIE_SLTSTA_LATCH_CHG     0x0004
#define PCIE_SLTSTA_PRESENCE_CHG  0x0008
#define PCIE_SLTSTA_COMPLETED     0x0010
#define PCIE_SLTSTA_LATCH_OPEN    0x0020
#define PCIE_SLTSTA_PRESENCE      0x0040
#define PCIE_SLTSTA_INTERLOCK     0x0080 /* engaged */
#define PCIE_SLTSTA_DLL_CHG       0x0100
#define PCIE_ROOTCTL              0x1c
#define PCIE_ROOTCTL_SYSTEM_ERROR 0x0007 /* on ERR_COR, ERR_NONFATAL, ERR_FATAL */
#define PCIE_ROOTCTL_PME_IE       0x0008
#define PCIE_ROOTCTL_RRS_VISIBLE  0x0010 /* RRS Software Visibility Enable */
#define PCIE_ROOTCAP              0x1e
#define PCIE_ROOTCAP_RRS_VISIBLE  0x0001
#define PCIE_ROOTSTA              0x20
#define PCIE_ROOTSTA_REQUESTER    0x0000ffff
#define PCIE_ROOTSTA_PME          0x00010000
#define PCIE_ROOTSTA_PENDING      0x00020000
#define PCIE_DEVCAP2              0x24
#define PCIE_DEVCAP2_TIMEOUTS     0x0000000f
#define PCIE_DEVCAP2_TIMEOUT_OFF  0x00000010
#define PCIE_DEVCAP2_ARI          0x00000020
#define PCIE_DEVCAP2_ATOMIC_ROUTE 0x00000040
#define PCIE_DEVCAP2_ATOMIC_32    0x00000080 /* completer; 64 and 128 bits follow */
#define PCIE_DEVCAP2_ATOMIC_64    0x00000100
#define PCIE_DEVCAP2_ATOMIC_128   0x00000200
#define PCIE_DEVCAP2_LTR          0x00000800
#define PCIE_DEVCAP2_10BIT_CPL    0x00010000
#define PCIE_DEVCAP2_10BIT_REQ    0x00020000 /* 10-Bit Tag Requester Supported */
#define PCIE_DEVCAP2_EXT_FMT      0x00100000
#define PCIE_DEVCAP2_PREFIX       0x00200000 /* End-End TLP Prefix Supported */
#define PCIE_DEVCAP2_PREFIX_MAX   0x00c00000 /* 0: 4 */
#define PCIE_DEVCAP2_DMWR         0x10000000 /* Deferrable Memory Writes: completer */
#define PCIE_DEVCAP2_DMWR_LENGTHS 0x60000000 /* 0: up to 64 bytes, 1: up to 128 */
#define PCIE_DEVCAP2_FRS          0x80000000
#define PCIE_DEVCTL2              0x28
#define PCIE_DEVCTL2_TIMEOUT      0x000f
#define PCIE_DEVCTL2_TIMEOUT_OFF  0x0010
#define PCIE_DEVCTL2_ARI          0x0020
#define PCIE_DEVCTL2_ATOMIC       0x0040 /* AtomicOp Requester Enable */
#define PCIE_DEVCTL2_ATOMIC_BLOCK 0x0080 /* AtomicOp Egress Blocking */
#define PCIE_DEVCTL2_IDO_REQUEST  0x0100
#define PCIE_DEVCTL2_LTR          0x0400
#define PCIE_DEVCTL2_10BIT_REQ    0x1000 /* 10-Bit Tag Requester Enable */
#define PCIE_DEVCTL2_PREFIX_BLOCK 0x8000 /* End-End TLP Prefix Blocking */
#define PCIE_DEVSTA2              0x2a
#define PCIE_LNKCAP2              0x2c
#define PCIE_LNKCAP2_SPEEDS       0x000000fe
#define PCIE_LNKCAP2_RETIMER      0x00800000
#define PCIE_LNKCAP2_2RETIMERS    0x01000000
#define PCIE_LNKCAP2_DRS          0x80000000
#define PCIE_LNKCTL2              0x30
#define PCIE_LNKCTL2_TARGET       0x000f
#define PCIE_LNKSTA2              0x32
#define PCIE_LNKSTA2_EQUALIZED    0x001e /* 8.0 GT/s: complete, phases 1 to 3 successful */
#define PCIE_LNKSTA2_COMPONENT    0x7000 /* Downstream Component Presence */
#define PCIE_LNKSTA2_DRS_RECEIVED 0x8000
#define PCIE_SLTCAP2              0x34
#define PCIE_SLTCTL2              0x38
#define PCIE_SLTSTA2              0x3a
#define PCIE_SIZE_BYTES           0x3c

/* 7.8.10: FRS Queueing */
#define PCI_FRS_CAP               0x04
#define PCI_FRS_STATUS            0x08
#define PCI_FRS_STATUS_RECEIVED   0x0001
#define PCI_FRS_STATUS_OVERFLOW   0x0002
#define PCI_FRS_CONTROL           0x0a
#define PCI_FRS_CONTROL_INTERRUPT 0x0001
#define PCI_FRS_QUEUE             0x0c
#define PCI_FRS_SIZE_BYTES        0x10

/* 7.7.9: Device 3 */
#define PCI_DEV3_CAP            0x04
#define PCI_DEV3_CAP_DMWR_ROUTE 0x1
#define PCI_DEV3_CTL            0x08
#define PCI_DEV3_CTL_DMWR       0x1 /* DMWr Requester Enable */
#define PCI_DEV3_CTL_DMWR_BLOCK 0x2 /* DMWr Egress Blocking */
#define PCI_DEV3_STA            0x0c
#define PCI_DEV3_SIZE_BYTES     0x10

/* 7.9.10: Root Complex Event Collector Endpoint Association */
#define PCI_RCEC_BITMAP     0x04 /* by device number */
#define PCI_RCEC_BUSES      0x08
#define PCI_RCEC_SIZE_BYTES 0x0c

/* 7.8.4: Advanced Error Reporting */
#define PCI_AER_UNCOR_STATUS             0x04
#define PCI_AER_UNCOR_MASK               0x08
#define PCI_AER_UNCOR_SEVERITY           0x0c
#define PCI_AER_COR_STATUS               0x10
#define PCI_AER_COR_MASK                 0x14
#define PCI_AER_CONTROL                  0x18
#define PCI_AER_CONTROL_POINTER          0x0000001f /* First Error Pointer */
#define PCI_AER_CONTROL_ECRC_GEN_CAPABLE 0x00000020
#define PCI_AER_CONTROL_ECRC_GEN         0x00000040
#define PCI_AER_CONTROL_ECRC_CHK_CAPABLE 0x00000080
#define PCI_AER_CONTROL_ECRC_CHK         0x00000100
#define PCI_AER_CONTROL_MULTI_CAPABLE    0x00000200 /* Multiple Header Recording */
#define PCI_AER_CONTROL_MULTI            0x00000400
#define PCI_AER_CONTROL_PREFIX           0x00000800 /* TLP Prefix Log Present */
#define PCI_AER_HEADER_LOG               0x1c
#define PCI_AER_ROOT_COMMAND             0x2c
#define PCI_AER_ROOT_COMMAND_ALL         0x00000007
#define PCI_AER_ROOT_STATUS              0x30
#define PCI_AER_ROOT_STATUS_COR          0x00000001
#define PCI_AER_ROOT_STATUS_MULTI_COR    0x00000002
#define PCI_AER_ROOT_STATUS_UNCOR        0x00000004
#define PCI_AER_ROOT_STATUS_MULTI_UNCOR  0x00000008
#define PCI_AER_ROOT_STATUS_FIRST_FATAL  0x00000010
#define PCI_AER_ROOT_STATUS_NONFATAL     0x00000020
#define PCI_AER_ROOT_STATUS_FATAL        0x00000040
#define PCI_AER_ROOT_STATUS_ERRORS       0x0000007f
#define PCI_AER_ROOT_SOURCE              0x34 /* ERR_COR 15:0, ERR_NONFATAL and ERR_FATAL 31:16 */
#define PCI_AER_SIZE_BYTES               0x38
#define PCI_AER_PREFIX_LOG               0x38 /* with End-End TLP Prefix Supported */
#define PCI_AER_PREFIX_SIZE_BYTES        0x48

/* Downstream Port Containment (7.9.14) */
#define PCI_DPC_CAPS               0x04
#define PCI_DPC_CAPS_RP_EXTENSIONS 0x0020
#define PCI_DPC_CAPS_POISON_EGRESS 0x0040
#define PCI_DPC_CAPS_SOFTWARE      0x0080
#define PCI_DPC_CAPS_LOG_SIZE      0x0f00
#define PCI_DPC_CAPS_DL_ACTIVE     0x1000
#define PCI_DPC_CONTROL            0x06
#define PCI_DPC_CONTROL_TRIGGER    0x0003 /* 1: ERR_FATAL, 2: ERR_NONFATAL as well */
#define PCI_DPC_CONTROL_UR         0x0004 /* completions during containment; else CA */
#define PCI_DPC_CONTROL_INTERRUPT  0x0008
#define PCI_DPC_CONTROL_ERR_COR    0x0010
#define PCI_DPC_CONTROL_POISON     0x0020
#define PCI_DPC_CONTROL_SOFTWARE   0x0040
#define PCI_DPC_CONTROL_DL_ACTIVE  0x0080
#define PCI_DPC_STATUS             0x08
#define PCI_DPC_STATUS_TRIGGER     0x0001
#define PCI_DPC_STATUS_REASON      0x0066 /* with its extension */
#define PCI_DPC_STATUS_INTERRUPT   0x0008
#define PCI_DPC_STATUS_BUSY        0x0010
#define PCI_DPC_STATUS_PIO_POINTER 0x1f00
#define PCI_DPC_SOURCE             0x0a
#define PCI_DPC_SIZE_BYTES         0x0c
/* RP Extensions */
#define PCI_DPC_PIO_STATUS      0x0c
#define PCI_DPC_PIO_MASK        0x10
#define PCI_DPC_PIO_SEVERITY    0x14
#define PCI_DPC_PIO_SYSERROR    0x18
#define PCI_DPC_PIO_EXCEPTION   0x1c
#define PCI_DPC_PIO_HEADER      0x20
#define PCI_DPC_PIO_ALL         0x00070707u
#define PCI_DPC_ROOT_SIZE_BYTES 0x30

/* 7.7.11: Access Control Services */
#define PCI_ACS_CAPS                0x04
#define PCI_ACS_CONTROL             0x06
#define PCI_ACS_SOURCE_VALIDATION   0x0001
#define PCI_ACS_TRANSLATION_BLOCK   0x0002
#define PCI_ACS_REQUEST_REDIRECT    0x0004
#define PCI_ACS_COMPLETION_REDIRECT 0x0008
#define PCI_ACS_UPSTREAM_FORWARD    0x0010
#define PCI_ACS_EGRESS_CONTROL      0x0020
#define PCI_ACS_DIRECT_TRANSLATED   0x0040
#define PCI_ACS_ALL                 0x007f
#define PCI_ACS_ENHANCED            0x0080 /* of PCI_ACS_CAPS; in PCI_ACS_CONTROL: */
#define PCI_ACS_IO_BLOCK            0x0080
#define PCI_ACS_UNCLAIMED_REDIRECT  0x1000
#define PCI_ACS_VECTOR_SIZE         0xff00 /* of PCI_ACS_CAPS: Egress Control Vector Size, bits */
#define PCI_ACS_VECTOR              0x08

/* 10.5.1: Address Translation Services */
#define PCI_ATS_CAPS              0x04
#define PCI_ATS_CAPS_QUEUE_DEPTH  0x001f /* 0: 32 */
#define PCI_ATS_CAPS_PAGE_ALIGNED 0x0020
#define PCI_ATS_CAPS_GLOBAL       0x0040 /* Global Invalidate Supported */
#define PCI_ATS_CAPS_RELAXED      0x0080 /* Relaxed Ordering Supported */
#define PCI_ATS_CONTROL           0x06
#define PCI_ATS_CONTROL_UNIT      0x001f /* Smallest Translation Unit, in powers of two of 4 KiB */
#define PCI_ATS_CONTROL_ENABLE    0x8000
#define PCI_ATS_SIZE_BYTES        0x08

/* 10.5.2: Page Request Interface */
#define PCI_PRI_CONTROL           0x04
#define PCI_PRI_CONTROL_ENABLE    0x0001
#define PCI_PRI_CONTROL_RESET     0x0002
#define PCI_PRI_STATUS            0x06
#define PCI_PRI_STATUS_FAILURE    0x0001 /* Response Failure */
#define PCI_PRI_STATUS_UNEXPECTED 0x0002 /* Unexpected Page Request Group Index */
#define PCI_PRI_STATUS_STOPPED    0x0100
#define PCI_PRI_STATUS_PASID      0x8000 /* PRG Response PASID Required */
#define PCI_PRI_CAPACITY          0x08
#define PCI_PRI_ALLOCATION        0x0c
#define PCI_PRI_SIZE_BYTES        0x10

/* 7.8.9: PASID */
#define PCI_PASID_CAPS            0x04
#define PCI_PASID_CAPS_EXECUTE    0x0002
#define PCI_PASID_CAPS_PRIVILEGED 0x0004
#define PCI_PASID_CAPS_WIDTH      0x1f00
#define PCI_PASID_CONTROL         0x06
#define PCI_PASID_CONTROL_ENABLE  0x0001
#define PCI_PASID_SIZE_BYTES      0x08

#endif
