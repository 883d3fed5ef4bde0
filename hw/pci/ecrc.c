/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end-to-end CRC of a TLP (PCIe Base 6.0, 2.7.1): CRC-32 over end-end prefixes, header and
 * payload, of which the bits that may change on the way count as 1. It is kept as a number; how it
 * is laid out in the digest nobody here sees.
 */
#include <zlib.h>

#include "pcilab/pci/tlp.h"

#define BYTE0_TYPE0 0x01 /* Type[0]: configuration requests change theirs */
#define BYTE2_EP    0x40

uint32_t tlp_ecrc(const struct tlp *tlp)
{
    uint8_t head[TLP_HEAD_MAX];
    unsigned len = tlp_encode_head(tlp, head), prefixes = tlp->prefix_count * 4u;
    unsigned local = prefixes - tlp_end_end_prefixes(tlp) * 4u;
    uLong crc;

    head[prefixes] |= BYTE0_TYPE0;
    head[prefixes + 2] |= BYTE2_EP;
    crc = crc32(0, head + local, len - local);
    if (tlp->data)
        crc = crc32(crc, tlp->data, tlp->length_dw * 4u);
    return (uint32_t)crc;
}

void tlp_add_ecrc(struct tlp *tlp)
{
    tlp->td = true;
    tlp->ecrc = tlp_ecrc(tlp);
}

bool tlp_ecrc_good(const struct tlp *tlp)
{
    return tlp->ecrc == tlp_ecrc(tlp);
}
