/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the model of the 82576. */
#ifndef PCILAB_HW_ENDPOINT_IGB_H
#define PCILAB_HW_ENDPOINT_IGB_H

#include "pcilab/base/bits.h"
#include "pcilab/base/inet.h"
#include "pcilab/base/le.h"
#include "pcilab/endpoint/igb.h"
#include "pcilab/reg/reg.h"
#include "pcilab/sim/sim.h"
#include "pcilab/trace/trace.h"
#include "regs.h"

#define IGB_QUEUES     16
#define IGB_POOLS      8
#define IGB_VECTORS    25
#define IGB_PF_VECTORS 10 /* MSI-X vectors of the Physical Function, and of each Virtual one */
#define IGB_VF_VECTORS 3
#define IGB_RX_FRAMES  64    /* CHOICE: the receive packet buffer holds 64 frames of any length */
#define IGB_DESCS      64    /* descriptors that a queue holds ahead */
#define IGB_TX_BYTES   65664 /* the longest packet before segmentation: 64 KiB and headers */
#define IGB_DESC_BYTES 16
#define IGB_NVM_WORDS  1024

/* The Physical Function (vf is -1) or a Virtual one. */
struct igb_func {
    struct igb *nic;
    int vf;
    char *name;
    struct endpoint_func *func;
    struct pci_func *pci;
    struct reg_space *regs; /* a Virtual Function's own */
};

/* Descriptors read ahead: `first` to `count` of them are not used yet. */
struct igb_ring {
    uint8_t desc[IGB_DESCS][IGB_DESC_BYTES];
    unsigned first, count;
    bool enabled; /* the queue's enable bit, once it took effect */
};

struct igb_context { /* 7.2.2.2 */
    uint32_t word[4];
};

struct igb_tx_queue {
    struct igb_ring ring;
    struct igb_context context[2];
};

/* One packet at a time, of the queues in turn. */
struct igb_tx {
    struct igb_tx_queue queue[IGB_QUEUES];
    enum { IGB_TX_IDLE, IGB_TX_FETCH, IGB_TX_DATA, IGB_TX_REPORT } stage;
    struct dma_op op;
    const struct igb_func *owner; /* of the operation */
    struct sim_event wire;        /* the transmit packet buffer has room again */
    bool busy;                    /* the operation is under way */
    bool stepping;                /* inside igb_tx_step() */
    bool aborted;                 /* its queue is gone */
    int current;                  /* queue, or -1 */
    unsigned last;                /* queue that had its turn last */
    unsigned descs, at;           /* of the packet; the one being read or reported */
    uint32_t len;
    uint64_t wire_free_ps; /* what was sent has left by then */
    uint8_t report[IGB_DESC_BYTES];
    uint8_t *packet;  /* IGB_TX_BYTES */
    uint8_t *segment; /* IGB_FRAME_MAX */
};

struct igb_frame {
    uint32_t len;
    uint8_t pools; /* that it is still to be given to; bit 0 where pools are off */
    bool looped;   /* from the internal switch */
    bool copies;   /* for several pools */
    uint8_t data[IGB_FRAME_MAX];
};

struct igb_rx_queue {
    struct igb_ring ring;
};

/* What of a frame goes into a descriptor. */
struct igb_rx_info {
    uint32_t status;
    uint16_t types; /* packet and RSS type */
    uint16_t checksum, ip_id;
    uint32_t hash;
    uint16_t vlan;
    bool strip; /* the VLAN tag goes into the descriptor */
};

struct igb_rx {
    struct igb_rx_queue queue[IGB_QUEUES];
    enum { IGB_RX_IDLE, IGB_RX_FETCH, IGB_RX_DATA, IGB_RX_REPORT } stage;
    struct dma_op op;
    const struct igb_func *owner;
    bool busy, stepping, aborted;
    int current;              /* queue, or -1 */
    unsigned pool;            /* of the first frame that is being delivered */
    struct igb_frame *frames; /* IGB_RX_FRAMES */
    unsigned first, count;
    bool starved; /* igb_input() said no */
    struct igb_rx_info info;
    uint8_t *data; /* the frame as it is delivered: its own bytes, or `copy` */
    uint8_t *copy; /* IGB_FRAME_MAX: without its VLAN tag */
    uint32_t len, given;
    uint8_t report[IGB_DESC_BYTES];
};

struct igb_vector {
    struct igb *nic;
    struct sim_event timer;
    uint64_t next_ps; /* not before, by its throttle */
};

struct igb {
    struct endpoint *ep;
    struct igb_func pf, vf[IGB_VFS_MAX];
    unsigned vf_total; /* that could be enabled */
    unsigned vfs;      /* that are */
    struct sim *sim;
    const struct igb_ops *ops;
    void *opaque;
    uint8_t mac[6];

    struct reg_space *regs;
    struct reg_space *phy;
    uint16_t nvm[IGB_NVM_WORDS];

    struct igb_vector vector[IGB_VECTORS];
    uint32_t sent; /* EICR bits whose message went out since the cause came */

    struct sim_event link_event; /* auto-negotiation is over */
    struct sim_event nvm_event;  /* the EEPROM was read */
    bool cable, link, link_was_lost;
    bool destroyed;

    struct igb_tx tx;
    struct igb_rx rx;
};

static inline uint32_t igb_get(const struct igb *nic, unsigned offset)
{
    return (uint32_t)reg_get(nic->regs, offset);
}

static inline void igb_set(struct igb *nic, unsigned offset, uint32_t value)
{
    reg_set(nic->regs, offset, value);
}

/* igb.c */
/* The function on whose behalf a queue works. */
struct igb_func *igb_queue_func(struct igb *nic, unsigned queue);
void igb_rule(struct igb *nic, const char *text);
bool igb_pools_on(const struct igb *nic);
void igb_mac_reset(struct igb *nic); /* CTRL.RST: 4.2.1.6.1 */

/* regs.c */
void igb_regs_place(struct igb *nic);
unsigned igb_regs_alias(unsigned offset);
/* The tables, for tests that look at them. */
const struct reg_def *igb_registers(unsigned *count);

/* stats.c */
void igb_stats_place(struct igb *nic);
void igb_count(struct igb *nic, unsigned reg);
void igb_count_received(struct igb *nic, const struct igb_frame *frame);
void igb_count_sent(struct igb *nic, const uint8_t *frame, uint32_t len);

/* nvm.c */
void igb_nvm_init(struct igb *nic, const uint8_t *mac);
void igb_nvm_reload(struct igb *nic);
void igb_eerd_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
void igb_eec_written(struct reg_space *space, unsigned offset, const struct reg_write *write);

/* phy.c */
void igb_phy_init(struct igb *nic);
void igb_phy_reset(struct igb *nic);
void igb_mdic_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
bool igb_phy_loops(const struct igb *nic);
uint64_t igb_status_read(struct reg_space *space, unsigned offset, uint64_t value);

/* irq.c */
void igb_irq_init(struct igb *nic);
void igb_irq_reset(struct igb *nic);
void igb_irq_fini(struct igb *nic);
void igb_irq_cause(struct igb *nic, uint32_t icr);
void igb_irq_queue(struct igb *nic, unsigned queue, bool tx);
void igb_irq_vf_mailbox(struct igb *nic, unsigned vf);
void igb_irq_update(struct igb *nic);
/* Sets bits of EICR, of EIMS; clears those of EIMS. */
void igb_irq_raise(struct igb *nic, uint32_t eicr);
void igb_irq_enable(struct igb *nic, uint32_t eims);
void igb_irq_disable(struct igb *nic, uint32_t eims);
uint64_t igb_icr_read(struct reg_space *space, unsigned offset, uint64_t value);
uint64_t igb_eicr_read(struct reg_space *space, unsigned offset, uint64_t value);
void igb_icr_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
void igb_ics_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
void igb_ims_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
void igb_imc_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
void igb_eicr_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
void igb_eics_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
void igb_eims_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
void igb_eimc_written(struct reg_space *space, unsigned offset, const struct reg_write *write);

/* ring.c */
/* Reads descriptors from the head on; false: there are none. */
bool igb_ring_fetch(struct igb *nic, struct igb_ring *ring, unsigned base, struct dma_op *op);
unsigned igb_ring_count(const struct igb *nic, unsigned base); /* descriptors in the ring */
/* Descriptors from the head to the tail: those of software that are not used yet. */
unsigned igb_ring_ready(const struct igb *nic, unsigned base);
uint64_t igb_ring_addr(const struct igb *nic, unsigned base, unsigned index);
void igb_ring_advance(struct igb *nic, struct igb_ring *ring, unsigned base, unsigned count);
void igb_ring_clear(struct igb_ring *ring);

/* tx.c */
void igb_tx_init(struct igb *nic);
void igb_tx_fini(struct igb *nic);
/* Queues of these bits start anew. */
void igb_tx_reset(struct igb *nic, uint32_t queues);
/* The function was reset, and what it had under way will not come back. */
void igb_tx_lost(struct igb *nic, const struct igb_func *func);
void igb_tx_step(struct igb *nic);
void igb_tdt_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
void igb_txdctl_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
void igb_tctl_written(struct reg_space *space, unsigned offset, const struct reg_write *write);

/* offload.c: sends what tx.packet holds, cut and with its checksums. */
void igb_offload(struct igb *nic, unsigned queue, const uint8_t *last_desc,
                 const uint8_t *first_desc);

/* rx.c */
void igb_rx_init(struct igb *nic);
void igb_rx_fini(struct igb *nic);
void igb_rx_reset(struct igb *nic, uint32_t queues);
void igb_rx_lost(struct igb *nic, const struct igb_func *func);
void igb_rx_step(struct igb *nic);
/* Into the packet buffer, for these pools; false: full. */
#define IGB_RX_LOOPED 0x100 /* beside the pools: it comes from the internal switch */
bool igb_rx_put(struct igb *nic, const uint8_t *frame, uint32_t len, uint32_t pools);
bool igb_rx_stalled(const struct igb *nic);
void igb_rdt_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
void igb_rxdctl_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
void igb_rctl_written(struct reg_space *space, unsigned offset, const struct reg_write *write);

/* parse.c: checksums, hash, VLAN tag. */
void igb_rx_look(struct igb *nic, const struct igb_frame *frame, unsigned pool,
                 struct igb_rx_info *info);
unsigned igb_rx_queue_of(struct igb *nic, unsigned pool, const struct igb_rx_info *info);

/* filter.c: the pools that want a frame; bit 0 where pools are off. */
uint32_t igb_filter(struct igb *nic, const uint8_t *frame, uint32_t len);
bool igb_filter_owns(struct igb *nic, unsigned pool, const uint8_t *address);
bool igb_filter_local(struct igb *nic, const uint8_t *address);
bool igb_frame_vlan(const struct igb *nic, const uint8_t *frame, uint32_t len, uint16_t *tag);
bool igb_vlan_member(struct igb *nic, unsigned pool, uint16_t vid);

/* switch.c: a frame from a queue, in a buffer of IGB_FRAME_MAX bytes that may be changed. */
void igb_switch(struct igb *nic, unsigned queue, uint8_t *frame, uint32_t len);

/* vf.c */
extern const struct endpoint_func_ops igb_vf_ops;
void igb_vf_place(struct igb_func *vf);
/* The chip's part of a Virtual Function: queues, vectors, mailbox. */
void igb_vf_clear(struct igb *nic, unsigned vf);
/* The Physical Function was reset: Virtual Functions are told (RSTI), and when it is done (RSTD).
 */
void igb_vf_tell_reset(struct igb *nic, bool done);
void igb_p2v_written(struct reg_space *space, unsigned offset, const struct reg_write *write);
uint64_t igb_p2v_read(struct reg_space *space, unsigned offset, uint64_t value);
uint32_t igb_vf_queues(unsigned vf);
uint8_t igb_vf_ivar(struct igb *nic, unsigned vf, unsigned entry); /* entry 4: the mailbox */

#endif
