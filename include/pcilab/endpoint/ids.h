/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Identities of our own endpoints.
 *
 * CHOICE: the vendor 504ch ("PL") is assigned to nobody in pci.ids of 2026 and far from the range
 * in which the PCI-SIG hands out numbers. Posing as a real product would be dishonest and would
 * bring its quirks; Linux 6.12 has none for this vendor.
 */
#ifndef PCILAB_ENDPOINT_IDS_H
#define PCILAB_ENDPOINT_IDS_H

#define ENDPOINT_VENDOR_ID        0x504c
#define ENDPOINT_DEVICE_NVME      0x0010
#define ENDPOINT_DEVICE_EXERCISER 0x00ee
#define ENDPOINT_DEVICE_VF        0x00ef /* Virtual Functions of the exerciser */

#define ENDPOINT_CLASS_NVME      0x010802 /* mass storage, non-volatile memory, NVM Express */
#define ENDPOINT_CLASS_EXERCISER 0xff0000 /* unassigned class */

#endif
