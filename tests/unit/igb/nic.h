/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A driver of the 82576 on the mock of the endpoint core, for unit tests. */
#ifndef PCILAB_TESTS_IGB_NIC_H
#define PCILAB_TESTS_IGB_NIC_H

#include <glib.h>

#include "hw/endpoint/igb/regs.h"
#include "mock.h"
#include "pcilab/base/le.h"
#include "pcilab/endpoint/igb.h"

#define NIC_RAM   (1u << 20)
#define NIC_SIZE  16 /* descriptors of each ring */
#define NIC_RX(q) (0x1000u + (q)*0x400)
#define NIC_TX(q) (0x8000u + (q)*0x400)
#define NIC_DATA  0x40000u /* what is sent */
#define NIC_BUF   0x80000u /* what is received: 2 KiB for each descriptor of queue 0, 1 ... */

struct nic {
    struct mock *mock;
    struct igb *igb;
    struct endpoint *ep;
    struct endpoint_func *pf;
    unsigned rx_at[16], tx_at[16];
    GByteArray *sent; /* the last frame */
    unsigned frames, rooms;
};

void nic_open(struct nic *nic, unsigned vfs);
void nic_close(struct nic *nic);
uint32_t nic_get(struct nic *nic, unsigned offset);
void nic_set(struct nic *nic, unsigned offset, uint32_t value);
/* Register of function `func`: 0 the Physical one, then Virtual ones. */
uint32_t nic_vf_get(struct nic *nic, unsigned vf, unsigned offset);
void nic_vf_set(struct nic *nic, unsigned vf, unsigned offset, uint32_t value);
/* The link, a ring of each direction for the queue with receive buffers, filters: all that is
 * sent to `nic_mac`, and broadcasts. */
void nic_start(struct nic *nic);
void nic_start_queue(struct nic *nic, unsigned queue);
extern const uint8_t nic_mac[6];

void nic_send(struct nic *nic, unsigned queue, uint32_t len, uint32_t command, uint32_t options);
void nic_put_desc(struct nic *nic, unsigned queue, uint64_t addr, uint32_t command,
                  uint32_t options);
void nic_kick(struct nic *nic, unsigned queue);
/* The next received descriptor of the queue, or NULL; its buffer. */
const uint8_t *nic_received(struct nic *nic, unsigned queue, const uint8_t **data);
/* An Ethernet frame of this length in `frame`. */
void nic_frame(uint8_t *frame, const uint8_t *to, const uint8_t *from, uint32_t len);

#endif
